//! Any bytes as code and as files: references stay sound, and time and memory bounded.

#[path = "../../../whittle-image/tests/it/elf_file.rs"]
#[expect(
    dead_code,
    reason = "made for the tests of `whittle-image`, which need more of it"
)]
mod elf_file;
mod invariants;
mod program;

use std::time::{Duration, Instant};

use object::elf;
use proptest::prelude::*;
use whittle_image::Image;

use elf_file::{ElfFile, LAYOUTS};
use program::{loaded, of_code};

/// Far more than any of these needs, even unoptimized on a busy machine; what is quadratic takes hours.
const LIMIT: Duration = Duration::from_secs(60);

proptest! {
    #[test]
    fn any_code_has_sound_references(kind: u8, code in prop::collection::vec(any::<u8>(), 0..600)) {
        let bytes = of_code(kind, &code);
        invariants::find(&Image::parse(&bytes).expect("the file is sound"));
    }
}

/// Every call of code without branches is followed for a while, if registers hold pages.
#[test]
fn calls_of_long_code_are_read_in_time() {
    const PAGE_X19: u32 = 0x9000_0013; // adrp x19, +0
    const NOP: u32 = 0xd503_201f;
    const COUNT: u32 = 1 << 20;
    let calls = (1..COUNT).map(|number| 0x9400_0000 | (number + COUNT).wrapping_neg() & 0x3ff_ffff);
    let words = std::iter::repeat_n(NOP, 1 << 20)
        .chain([PAGE_X19])
        .chain(calls);
    let code = words.flat_map(u32::to_le_bytes).collect();
    let mut file = ElfFile::program(LAYOUTS[0], elf::EM_AARCH64);
    file.push(loaded(".text", elf::SHF_EXECINSTR, program::CODE, code));
    let bytes = file.write();
    let started = Instant::now();
    invariants::find(&Image::parse(&bytes).expect("it is sound"));
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
}

/// A million pointers to as many functions: said by relocations, or words of a program at a fixed address.
#[test]
fn tables_of_a_million_pointers_are_read() {
    const COUNT: u64 = 1 << 20;
    const TABLE: u64 = 0x1000_0000;
    for kind in [elf::ET_DYN, elf::ET_EXEC] {
        let mut file = ElfFile::program(LAYOUTS[0], elf::EM_X86_64);
        file.kind = kind;
        let code = vec![0xc3; 1 << 20];
        file.push(loaded(".text", elf::SHF_EXECINSTR, program::CODE, code));
        let targets = (0..COUNT).map(|number| program::CODE + number);
        let words = targets.clone().flat_map(u64::to_le_bytes).collect();
        file.push(loaded(".data.rel.ro", elf::SHF_WRITE, TABLE, words));
        if kind == elf::ET_DYN {
            let entries = targets.zip((TABLE..).step_by(8)).flat_map(|(to, from)| {
                let relative = elf::R_X86_64_RELATIVE.0;
                file.layout
                    .relocation(from, 0, relative, Some(to.cast_signed()))
            });
            let mut table = loaded(
                ".rela.dyn",
                elf::SectionFlags(0),
                2 * TABLE,
                entries.collect(),
            );
            table.kind = elf::SHT_RELA;
            file.push(table);
        }
        let bytes = file.write();
        let image = Image::parse(&bytes).expect("it is sound");
        let started = Instant::now();
        let references = invariants::find(&image);
        assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
        let offsets = references
            .list()
            .iter()
            .map(|it| (it.from().offset, it.to().offset));
        assert!(offsets.eq((0..COUNT).map(|number| (number * 8, number))));
    }
}

/// Slots share their bytes in no sound file.
#[test]
fn slots_in_the_same_bytes_are_read_once() {
    // Read each time, these take 20 s and 2 GB; read once, a fraction of a second.
    const LIMIT: Duration = Duration::from_secs(5);
    const SLOTS: usize = 1 << 14;
    const SECTIONS: u64 = 2_000;
    let mut file = ElfFile::program(LAYOUTS[0], elf::EM_X86_64);
    file.kind = elf::ET_EXEC;
    let words = program::CODE.to_le_bytes().repeat(SLOTS);
    let size = u64::try_from(words.len()).expect("short");
    file.push(loaded(
        ".text",
        elf::SHF_EXECINSTR,
        program::CODE,
        vec![0xc3],
    ));
    let base = 0x100_0000;
    file.push(loaded(".got", elf::SHF_WRITE, base, words));
    for number in 1..SECTIONS {
        let mut copy = loaded(".got", elf::SHF_WRITE, base + number * size, Vec::new());
        copy.offset = Some(0x50);
        copy.size = Some(size);
        file.push(copy);
    }
    let bytes = file.write();
    let started = Instant::now();
    let references = whittle_code::References::find(&Image::parse(&bytes).expect("it is sound"));
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    // As many as there are words in the file.
    assert!(references.list().len() <= bytes.len() / 8);
    assert!(references.list().len() >= SLOTS);
}

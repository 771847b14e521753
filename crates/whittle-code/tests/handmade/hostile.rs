//! Files that try to use up time and memory, or to break the reader.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use whittle_code::References;
use whittle_image::Image;

use crate::elf::{AARCH64, Elf, FUNCTION, LIBRARY, PROGRAM, X86_64};

/// Far more than any of these needs, even unoptimized on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Finds references and checks what must always hold.
fn find(bytes: &[u8]) -> References {
    let started = Instant::now();
    let image = Image::parse(bytes).expect("it can be followed");
    let references = References::find(&image);
    assert!(started.elapsed() < LIMIT, "{:?}", started.elapsed());
    check(&image, &references);
    references
}

fn check(image: &Image<'_>, references: &References) {
    let list = references.list();
    assert!(list.is_sorted() && list.windows(2).all(|pair| pair[0] != pair[1]));
    for reference in list {
        let (from, to) = (reference.from(), reference.to());
        assert!(from.offset < image.section(from.section).expect("a section").size);
        assert!(to.offset <= image.section(to.section).expect("a section").size);
    }
    let functions = references.functions();
    assert!(
        functions
            .windows(2)
            .all(|pair| pair[0].place < pair[1].place)
    );
    let code = references.coverage().code;
    assert!(code.skipped <= code.functions + code.unclaimed);
}

#[test]
fn zeros_are_read_in_time() {
    for machine in [X86_64, AARCH64] {
        let mut elf = Elf::new(machine, LIBRARY);
        elf.code(0x1000, &vec![0; 32 << 20]);
        let references = find(&elf.write());
        assert!(references.list().is_empty());
        assert_eq!(references.coverage().code.unclaimed, 32 << 20);
    }
}

#[test]
fn functions_of_one_byte_are_read_in_time() {
    for machine in [X86_64, AARCH64] {
        let mut elf = Elf::new(machine, LIBRARY);
        // Jumps of two bytes to the next function but one, for x86.
        let code = elf.code(0x1000, &b"\xeb\x01".repeat(200_000));
        for number in 0..400_000 {
            elf.symbol("f", FUNCTION, code, 0x1000 + number, 1 + number % 2);
        }
        let references = find(&elf.write());
        assert_eq!(references.functions().len(), 400_000);
    }
}

#[test]
fn functions_inside_functions_are_read_in_time() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    let code = elf.code(0x1000, &vec![0xc3; 200_000]);
    for number in 0..100_000 {
        elf.symbol("f", FUNCTION, code, 0x1000 + number, 200_000 - 2 * number);
    }
    assert_eq!(find(&elf.write()).functions().len(), 100_000);
}

#[test]
fn sections_in_the_same_bytes_are_read_once() {
    let mut elf = Elf::new(X86_64, LIBRARY);
    for number in 0..2000 {
        elf.code(0x10_0000 * number, &[0x90; 1 << 10]);
    }
    let mut bytes = elf.write();
    // Let each section have the whole file: offset and size in its header.
    let headers = usize::try_from(u64::from_le_bytes(
        bytes[40..48].try_into().expect("eight bytes"),
    ))
    .expect("it fits");
    let len = u64::try_from(bytes.len()).expect("it fits");
    for number in 1..2000 {
        let at = headers + number * 64 + 24;
        bytes[at..at + 8].copy_from_slice(&0_u64.to_le_bytes());
        bytes[at + 8..at + 16].copy_from_slice(&len.to_le_bytes());
    }
    let references = find(&bytes);
    assert!(references.coverage().code.unclaimed <= len);
    assert!(!references.warnings().list().is_empty());
}

/// Branches over and over the same code, each known by its own page.
#[test]
fn branches_to_everywhere_are_read_in_time() {
    let mut elf = Elf::new(AARCH64, LIBRARY);
    let words = (0..300_000_u32).flat_map(|number| {
        let page = 0x9000_0000 | number & 0x1e | (number & 0xff) << 5;
        let branch = 0x5400_0000 | (number.wrapping_mul(0x9e37_79b9) >> 13 & 0x7_ffff) << 5;
        [page, branch]
    });
    let bytes: Vec<u8> = words.flat_map(u32::to_le_bytes).collect();
    elf.code(0x1000, &bytes);
    find(&elf.write());
}

#[test]
fn a_million_random_bytes_are_read() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .take(1 << 17)
    .flatten()
    .collect();
    assert!(bytes.len() >= 1_000_000);
    for machine in [X86_64, AARCH64] {
        for kind in [LIBRARY, PROGRAM] {
            let mut elf = Elf::new(machine, kind);
            let code = elf.code(0x1000, &bytes);
            elf.constants(0x20_0000, &bytes);
            for number in 0..1000 {
                elf.symbol("f", FUNCTION, code, 0x1000 + number * 900, 700);
            }
            find(&elf.write());
        }
    }
}

#[test]
fn the_number_of_threads_does_not_matter() {
    let bytes = std::fs::read(std::env::current_exe().expect("a path")).expect("a file");
    let image = Image::parse(&bytes).expect("this program");
    let with = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .expect("threads")
            .install(|| References::find(&image))
    };
    let (one, many) = (with(1), with(7));
    assert!(one.list().len() > 1000);
    assert_eq!(one.list(), many.list());
    assert_eq!(one.coverage(), many.coverage());
    check(&image, &one);
}

proptest! {
    /// Whatever is damaged in this program: its tables lead somewhere or nowhere, but never out.
    #[test]
    fn damaged_files_are_read(
        machine in prop::sample::select(vec![X86_64, AARCH64]),
        code in prop::collection::vec(any::<u8>(), 0..400),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..40),
    ) {
        let mut elf = Elf::new(machine, LIBRARY);
        let section = elf.code(0x1000, &code);
        elf.writable(".got", 0x2000, &[0; 64]);
        for number in 0..8 {
            elf.symbol("f", FUNCTION, section, 0x1000 + number * 40, 40);
        }
        elf.relocations(0x3000, &[(0x2000, 8, 0, 0x1000), (0x2008, 6, 1, 0), (0x2010, 1, 2, -9)]);
        let mut bytes = elf.write();
        for (at, value) in damage {
            *at.get_mut(&mut bytes) = value;
        }
        if let Ok(image) = Image::parse(&bytes) {
            check(&image, &References::find(&image));
        }
    }
}

//! What single processors do in their own way.

use object::elf;
use whittle_image::{
    Described, ExceptionTable, Image, Place, RelocationKind, RelocationTarget, SectionIndex, Stub,
};

use crate::elf_file::{ElfFile, LAYOUTS, Layout, Section};
use crate::invariants::assert_sound;

type TestResult = Result<(), Box<dyn std::error::Error>>;

const LITTLE_64: Layout = LAYOUTS[0];
const BIG_64: Layout = LAYOUTS[1];
const LITTLE_32: Layout = LAYOUTS[2];

const TEXT: u64 = 0x1_0000;
const FUNCTION: u8 = elf::STB_GLOBAL.0 << 4 | elf::STT_FUNC.0;

fn loaded(name: &'static str, address: u64, data: Vec<u8>) -> Section {
    Section {
        name,
        flags: elf::SHF_ALLOC,
        address,
        align: 4,
        data,
        ..Section::default()
    }
}

fn code(name: &'static str, address: u64, len: usize) -> Section {
    Section {
        flags: elf::SHF_ALLOC | elf::SHF_EXECINSTR,
        ..loaded(name, address, vec![0; len])
    }
}

/// Adds the tables of symbols and of their names behind the sections there are.
fn push_symbols(file: &mut ElfFile, symbols: &[(&str, u64, u64, u8, u16)]) -> u32 {
    let (table, names) = file.layout.symbols(symbols);
    let names = file.push(Section {
        name: ".strtab",
        kind: elf::SHT_STRTAB,
        data: names,
        ..Section::default()
    });
    file.push(Section {
        name: ".symtab",
        kind: elf::SHT_SYMTAB,
        link: names,
        data: table,
        ..Section::default()
    })
}

fn place(section: u32, offset: u64) -> Place {
    Place {
        section: SectionIndex(section),
        offset,
    }
}

fn place_of(image: &Image<'_>, name: &str) -> Option<Place> {
    let symbols = image.symbol_tables.iter().flat_map(|table| &table.symbols);
    symbols
        .filter(|symbol| symbol.name == name.as_bytes())
        .find_map(|symbol| symbol.place)
}

#[test]
fn functions_of_64_bit_powerpc_are_where_their_descriptors_lead() -> TestResult {
    // Linked: the address stands in the descriptor.
    let mut file = ElfFile::program(BIG_64, elf::EM_PPC64);
    let text = file.push(code(".text", TEXT, 0x40));
    let descriptor = BIG_64.bytes().u64(TEXT + 0x20).u64(0).u64(0).bytes;
    let descriptors = file.push(loaded(".opd", 0x2_0000, descriptor));
    let at = u16::try_from(descriptors)?;
    let data = elf::STB_LOCAL.0 << 4 | elf::STT_OBJECT.0;
    push_symbols(
        &mut file,
        &[
            ("function", 0x2_0000, 0x18, FUNCTION, at),
            ("descriptor", 0x2_0000, 24, data, at),
        ],
    );
    file.entry = 0x2_0000;
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_eq!(place_of(&image, "function"), Some(place(text, 0x20)));
    assert_eq!(place_of(&image, "descriptor"), Some(place(descriptors, 0)));
    assert_eq!(image.entry, Some(place(text, 0x20)));

    // In an object file a relocation says what will stand there.
    let mut file = ElfFile::object(BIG_64, elf::EM_PPC64);
    let text = file.push(code(".text", 0, 0x40));
    let descriptors = file.push(loaded(".opd", 0, vec![0; 24]));
    let at = u16::try_from(descriptors)?;
    let section_symbol = elf::STB_LOCAL.0 << 4 | elf::STT_SECTION.0;
    let symbols = push_symbols(
        &mut file,
        &[
            ("", 0, 0, section_symbol, u16::try_from(text)?),
            ("function", 0, 0x18, FUNCTION, at),
        ],
    );
    file.push(Section {
        name: ".rela.opd",
        kind: elf::SHT_RELA,
        link: symbols,
        info: descriptors,
        data: BIG_64.relocation(0, 1, elf::R_PPC64_ADDR64.0, Some(0x20)),
        ..Section::default()
    });
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_eq!(place_of(&image, "function"), Some(place(text, 0x20)));
    Ok(())
}

#[test]
fn the_lowest_bit_of_an_arm_address_says_thumb() -> TestResult {
    let mut file = ElfFile::program(LITTLE_32, elf::EM_ARM);
    let text = file.push(code(".text", TEXT, 0x40));
    let at = u16::try_from(text)?;
    push_symbols(&mut file, &[("thumb", TEXT + 0x11, 8, FUNCTION, at)]);
    file.entry = TEXT + 0x11;
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_eq!(place_of(&image, "thumb"), Some(place(text, 0x10)));
    assert_eq!(image.entry, Some(place(text, 0x10)));
    Ok(())
}

/// Four functions: one with its unwind program inline, two with tables elsewhere (the second is Thumb code), one that
/// cannot be unwound.
#[test]
fn arm_has_an_index_of_its_own() -> TestResult {
    const INDEX: u64 = 0x2_0000;
    const TABLES: u64 = 0x3_0000;
    let distance = |at: u64, target: u64| {
        u32::try_from(target.wrapping_sub(INDEX + at) & 0x7fff_ffff).expect("31 bits")
    };
    let index = LITTLE_32
        .bytes()
        .u32(distance(0, TEXT))
        .u32(0x80b0_b0b0)
        .u32(distance(8, TEXT + 0x10))
        .u32(distance(12, TABLES))
        .u32(distance(16, TEXT + 0x21))
        .u32(distance(20, TABLES + 12))
        .u32(distance(24, TEXT + 0x30))
        .u32(1);
    let mut file = ElfFile::program(LITTLE_32, elf::EM_ARM);
    let text = file.push(code(".text", TEXT, 0x40));
    let index = file.push(Section {
        kind: elf::SHT_ARM_EXIDX,
        ..loaded(".ARM.exidx", INDEX, index.bytes)
    });
    let tables = file.push(loaded(".ARM.extab", TABLES, vec![0; 20]));
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);

    assert!(image.unwind_tables.is_empty());
    let found = &image.unwind_indexes[0];
    assert_eq!(found.section, SectionIndex(index));
    assert_eq!((found.header_len, found.entry_size), (0, 8));
    let functions = [0, 0x10, 0x20, 0x30].map(|offset| Some(place(text, offset)));
    assert_eq!(found.entries, functions);
    assert_eq!(
        found.exceptions,
        [
            (place(tables, 0), functions[1]),
            (place(tables, 12), functions[2])
        ]
    );
    let lengths = [(0, 12), (12, 8)].map(|(offset, len)| ExceptionTable {
        place: place(tables, offset),
        len,
        catches: None,
    });
    assert_eq!(image.exception_tables, lengths);
    Ok(())
}

/// The function is in the field, in 31 bits, and in the relocation; a relocation of type 0, which writes nothing, keeps
/// a personality in the file.
#[test]
fn the_index_of_an_arm_object_is_followed_through_relocations() -> TestResult {
    let mut file = ElfFile::object(LITTLE_32, elf::EM_ARM);
    let text = file.push(code(".text.f", 0, 0x40));
    let words = LITTLE_32.bytes().u32(0x10).u32(0x80b0_b0b0).bytes;
    let index = file.push(Section {
        kind: elf::SHT_ARM_EXIDX,
        ..loaded(".ARM.exidx.text.f", 0, words)
    });
    let section_symbol = elf::STB_LOCAL.0 << 4 | elf::STT_SECTION.0;
    let other = elf::STB_GLOBAL.0 << 4;
    let at = u16::try_from(text)?;
    let symbols = push_symbols(
        &mut file,
        &[
            ("", 0, 0, section_symbol, at),
            ("__aeabi_unwind_cpp_pr0", 0x30, 0, other, at),
        ],
    );
    let nothing = LITTLE_32.relocation(0, 2, elf::R_ARM_NONE.0, None);
    let function = LITTLE_32.relocation(0, 1, elf::R_ARM_PREL31.0, None);
    file.push(Section {
        name: ".rel.ARM.exidx.text.f",
        kind: elf::SHT_REL,
        link: symbols,
        info: index,
        data: [nothing, function].concat(),
        ..Section::default()
    });
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_eq!(image.unwind_indexes[0].entries, [Some(place(text, 0x10))]);
    let relocations = &image.relocation_tables[0].relocations;
    assert_eq!(relocations[0].kind, RelocationKind::Nothing);
    assert_eq!(
        relocations[1].target,
        RelocationTarget::Symbol {
            index: 1,
            addend: 0x10
        }
    );
    Ok(())
}

/// On 64-bit little-endian MIPS the symbol stands first, then three types of which the last is the first.
#[test]
fn relocations_of_64_bit_little_endian_mips_have_parts_of_their_own() -> TestResult {
    let mut file = ElfFile::program(LITTLE_64, elf::EM_MIPS);
    let words = LITTLE_64.bytes().u64(TEXT).u64(0x18).bytes;
    let data = file.push(loaded(".data", 0x2_0000, words));
    let entry = |offset: u64, symbol: u32| {
        let [first, second] = [elf::R_MIPS_REL32.0, elf::R_MIPS_64.0].map(|it| it.to_le_bytes()[0]);
        let types = [0, 0, second, first];
        LITTLE_64
            .bytes()
            .u64(offset)
            .u32(symbol)
            .slice(&types)
            .bytes
    };
    file.push(Section {
        kind: elf::SHT_REL,
        ..loaded(
            ".rel.dyn",
            0x3_0000,
            [entry(0x2_0000, 0), entry(0x2_0008, 5)].concat(),
        )
    });
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_eq!(image.target.architecture, "mips64el");
    let [relative, symbol] = image.relocation_tables[0].relocations[..] else {
        panic!("two relocations");
    };
    assert_eq!(relative.patched, Some(place(data, 0)));
    assert_eq!(relative.kind, RelocationKind::Relative);
    assert_eq!(relative.target, RelocationTarget::Address(TEXT));
    assert_eq!(symbol.kind, RelocationKind::Other);
    assert_eq!(
        symbol.target,
        RelocationTarget::Symbol {
            index: 5,
            addend: 0x18
        }
    );
    Ok(())
}

/// `LoongArch` and RISC-V write a length as two relocations: the end, less the start.
#[test]
fn a_length_that_the_linker_will_compute_is_known() -> TestResult {
    let mut file = ElfFile::object(LITTLE_64, elf::EM_LOONGARCH);
    let text = file.push(code(".text", 0, 0x40));
    let common = LITTLE_64
        .bytes()
        .u32(16)
        .u32(0)
        .u8(1)
        .slice(b"zR\0\x01\x78\x10\x01\x1b")
        .zeros(3);
    let back = u32::try_from(common.len() + 4)?;
    let start_field = common.len() + 8;
    let function = common.u32(16).u32(back).u32(0).u32(0).u32(0);
    let frames = file.push(loaded(".eh_frame", 0, function.bytes));
    let local = elf::STB_LOCAL.0 << 4;
    let at = u16::try_from(text)?;
    let symbols = push_symbols(
        &mut file,
        &[("start", 8, 0, local, at), ("end", 0x28, 0, local, at)],
    );
    let relocation = |offset, symbol, kind: elf::RelocationType| {
        LITTLE_64.relocation(offset, symbol, kind.0, Some(0))
    };
    file.push(Section {
        name: ".rela.eh_frame",
        kind: elf::SHT_RELA,
        link: symbols,
        info: frames,
        data: [
            relocation(start_field, 1, elf::R_LARCH_32_PCREL),
            relocation(start_field + 4, 2, elf::R_LARCH_ADD32),
            relocation(start_field + 4, 1, elf::R_LARCH_SUB32),
        ]
        .concat(),
        ..Section::default()
    });
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_eq!(
        image.unwind_tables[0].entries[1].describes,
        Described::Code {
            start: place(text, 8),
            len: 0x20,
            exceptions: None
        }
    );
    Ok(())
}

#[test]
fn stubs_of_x86_64_lead_to_their_slots() -> TestResult {
    const STUBS: u64 = 0x1000;
    const SLOTS: u64 = 0x2000;
    // `jmp *slot(%rip)`, six bytes: the distance counts from behind them.
    let jump = |at: u64, slot: u64| {
        let distance = u32::try_from(SLOTS + slot - (STUBS + at + 6)).expect("a small distance");
        [&b"\xff\x25"[..], &distance.to_le_bytes()].concat()
    };
    let header = b"\xff\x35\x02\0\0\0\xff\x25\x04\0\0\0\x0f\x1f\x40\0".to_vec();
    let late = [jump(16, 0x18), b"\x68\0\0\0\0\xe9\xe0\xff\xff\xff".to_vec()].concat();
    let marked = [
        b"\xf3\x0f\x1e\xfa\xf2".to_vec(),
        jump(16 + 16 + 5, 0x20),
        b"\x0f\x1f\x44\0\0".to_vec(),
    ]
    .concat();
    let lengths = [&header, &late, &marked].map(Vec::len);
    assert_eq!(lengths, [16; 3]);

    let mut file = ElfFile::program(LITTLE_64, elf::EM_X86_64);
    let executable = elf::SHF_ALLOC | elf::SHF_EXECINSTR;
    let stubs = file.push(Section {
        flags: executable,
        entry_size: 16,
        ..loaded(".plt", STUBS, [header, late, marked].concat())
    });
    let short = [jump(0x100, 0x28), b"\x66\x90".to_vec()].concat();
    let short_stubs = file.push(Section {
        flags: executable,
        entry_size: 8,
        ..loaded(".plt.got", STUBS + 0x100, [short.clone(), short].concat())
    });
    // GNU ld says nothing of the size where all stubs are those of indirect functions.
    let indirect = [jump(0x200, 0x30), b"\x66\x90".to_vec()].concat();
    let indirect_stubs = file.push(Section {
        flags: executable,
        entry_size: 0,
        ..loaded(
            ".plt",
            STUBS + 0x200,
            [indirect.clone(), indirect.clone(), indirect].concat(),
        )
    });
    let slots = file.push(loaded(".got", SLOTS, vec![0; 0x48]));
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    let stub = |section, offset, len, slot| Stub {
        place: place(section, offset),
        len,
        slot: place(slots, slot),
    };
    assert_eq!(
        image.stubs,
        [
            stub(stubs, 16, 16, 0x18),
            stub(stubs, 32, 16, 0x20),
            stub(short_stubs, 0, 8, 0x28),
            stub(short_stubs, 8, 8, 0x30),
            stub(indirect_stubs, 0, 8, 0x30),
            stub(indirect_stubs, 8, 8, 0x38),
            stub(indirect_stubs, 16, 8, 0x40),
        ]
    );
    Ok(())
}

#[test]
fn stubs_of_64_bit_arm_lead_to_their_slots() -> TestResult {
    const STUBS: u64 = 0x1_0000;
    /// Two pages on.
    const SLOTS: u64 = 0x1_2000;
    const PUSH_PAIR: u32 = 0xa9bf_7bf0;
    const LANDING_PAD: u32 = 0xd503_245f;
    const JUMP: u32 = 0xd61f_0220;
    const NO_OPERATION: u32 = 0xd503_201f;
    // `adrp x16, 2 pages on; ldr x17, [x16, slot]; add x16, x16, slot`. The lowest two bits of the pages stand on top.
    let load = |slot: u32| {
        [
            0x9000_0010 | (2 << 29),
            0xf940_0211 | (slot / 8) << 10,
            0x9100_0210 | (slot << 10),
        ]
    };
    let mut words = vec![PUSH_PAIR];
    words.extend(load(0x10));
    words.extend([JUMP, NO_OPERATION, NO_OPERATION, NO_OPERATION]);
    words.extend(load(0x18));
    words.push(JUMP);
    words.push(LANDING_PAD);
    words.extend(load(0x20));
    words.extend([JUMP, NO_OPERATION]);
    let code = words.iter().flat_map(|word| word.to_le_bytes()).collect();

    let mut file = ElfFile::program(LITTLE_64, elf::EM_AARCH64);
    let stubs = file.push(Section {
        flags: elf::SHF_ALLOC | elf::SHF_EXECINSTR,
        ..loaded(".plt", STUBS, code)
    });
    let slots = file.push(loaded(".got.plt", SLOTS, vec![0; 0x40]));
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    let stub = |offset, len, slot| Stub {
        place: place(stubs, offset),
        len,
        slot: place(slots, slot),
    };
    assert_eq!(image.stubs, [stub(32, 16, 0x18), stub(48, 24, 0x20)]);
    Ok(())
}

//! Files made byte by byte, in both classes and both byte orders: each number comes back as it was put in.

use object::elf;
use whittle_image::{
    Binding, FileKind, Image, Place, RelocationEncoding, RelocationKind, RelocationTarget,
    SectionIndex, SectionRole, SymbolKind, SymbolTableRole,
};

use crate::elf_file::{ElfFile, LAYOUTS, Layout, Section, Segment};
use crate::invariants::{assert_contents, assert_sound};
use crate::judge::assert_agrees;

type TestResult = Result<(), Box<dyn std::error::Error>>;

pub const TEXT: u64 = 0x1000;
const DATA: u64 = 0x4000;
const BSS: u64 = 0x5000;
const THREAD_DATA: u64 = 0x6000;
const THREAD_BSS: u64 = 0x6008;

/// A processor for each layout.
pub fn machine(layout: Layout) -> elf::Machine {
    match (layout.is_64, layout.is_big) {
        (true, false) => elf::EM_X86_64,
        (true, true) => elf::EM_S390,
        (false, false) => elf::EM_386,
        (false, true) => elf::EM_PPC,
    }
}

/// 64 bytes of code at [`TEXT`].
pub fn code() -> Section {
    Section {
        name: ".text",
        flags: elf::SHF_ALLOC | elf::SHF_EXECINSTR,
        address: TEXT,
        align: 16,
        data: vec![0x90; 0x40],
        ..Section::default()
    }
}

fn data(bytes: Vec<u8>) -> Section {
    Section {
        name: ".data",
        flags: elf::SHF_ALLOC | elf::SHF_WRITE,
        address: DATA,
        align: 8,
        data: bytes,
        ..Section::default()
    }
}

pub fn place(section: u32, offset: u64) -> Place {
    Place {
        section: SectionIndex(section),
        offset,
    }
}

/// Parses, and asserts what holds for every file that is whole.
pub fn parse(bytes: &[u8]) -> Result<Image<'_>, Box<dyn std::error::Error>> {
    let image = Image::parse(bytes)?;
    assert_sound(&image);
    assert_contents(&image);
    assert_agrees(&image)?;
    Ok(image)
}

#[test]
fn sections_and_segments_are_where_the_headers_say() -> TestResult {
    for layout in LAYOUTS {
        let mut file = ElfFile::program(layout, machine(layout));
        file.entry = TEXT + 4;
        let text = file.push(code());
        let bss = file.push(Section {
            name: ".bss",
            kind: elf::SHT_NOBITS,
            flags: elf::SHF_ALLOC | elf::SHF_WRITE,
            address: BSS,
            size: Some(0x123),
            ..Section::default()
        });
        file.segments.push(Segment {
            kind: elf::PT_LOAD,
            flags: elf::PF_R | elf::PF_X,
            offset: 0,
            address: TEXT,
            file_size: 0x20,
            memory_size: 0x40,
        });
        let bytes = file.write();
        let image = parse(&bytes)?;

        assert_eq!(image.target.bits, layout.bits());
        assert_eq!(image.entry, Some(place(text, 4)));
        let section = &image.sections[1];
        assert_eq!(section.role, SectionRole::Code);
        assert_eq!(
            (section.address, section.size, section.align),
            (TEXT, 0x40, 16)
        );
        assert_eq!(section.stored(), [0x90; 0x40]);
        assert_eq!(section.end(), TEXT + 0x40);
        let zero_fill = &image.sections[2];
        assert_eq!((zero_fill.size, &zero_fill.file_range), (0x123, &None));

        assert_eq!(image.place_at(TEXT), Some(place(text, 0)));
        assert_eq!(image.place_at(TEXT + 0x3f), Some(place(text, 0x3f)));
        assert_eq!(image.place_at(TEXT + 0x40), None);
        assert_eq!(image.place_at(BSS + 0x122), Some(place(bss, 0x122)));

        let segment = &image.segments[0];
        assert_eq!(segment.file_range, 0..0x20);
        assert_eq!((segment.address, segment.memory_size), (TEXT, 0x40));
        assert!(segment.access.executable && !segment.access.writable);
        let header_len = if layout.is_64 { 64 } else { 52 };
        let entry_len = if layout.is_64 { 56 } else { 32 };
        let headers: Vec<_> = image
            .headers
            .iter()
            .map(|header| (header.name, header.file_range.clone()))
            .collect();
        let section_headers = if layout.is_64 { 64 * 4 } else { 40 * 4 };
        assert_eq!(
            headers,
            [
                ("ELF header", 0..header_len),
                ("program headers", header_len..header_len + entry_len),
                (
                    "section headers",
                    image.file_len() - section_headers..image.file_len()
                ),
            ]
        );
        assert!(image.warnings.list().is_empty(), "{:?}", image.warnings);
    }
    Ok(())
}

#[test]
fn where_sections_overlap_the_first_keeps_the_addresses() -> TestResult {
    let mut file = ElfFile::program(LAYOUTS[0], elf::EM_X86_64);
    let first = file.push(code());
    let second = file.push(Section {
        address: TEXT + 0x30,
        ..code()
    });
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    assert_eq!(image.place_at(TEXT + 0x3f), Some(place(first, 0x3f)));
    assert_eq!(image.place_at(TEXT + 0x40), Some(place(second, 0x10)));
    assert_eq!(image.place_at(TEXT + 0x6f), Some(place(second, 0x3f)));
    assert_eq!(image.place_at(TEXT + 0x70), None);
    Ok(())
}

#[test]
fn the_zero_fill_of_thread_local_data_takes_no_addresses() -> TestResult {
    let mut file = ElfFile::program(LAYOUTS[0], elf::EM_X86_64);
    file.push(Section {
        name: ".tbss",
        kind: elf::SHT_NOBITS,
        flags: elf::SHF_ALLOC | elf::SHF_WRITE | elf::SHF_TLS,
        address: DATA - 8,
        size: Some(0x18),
        ..Section::default()
    });
    let data = file.push(data(vec![0; 0x10]));
    let bytes = file.write();
    let image = parse(&bytes)?;
    assert_eq!(image.place_at(DATA - 8), None);
    assert_eq!(image.place_at(DATA), Some(place(data, 0)));
    Ok(())
}

/// Tools that make companions may leave the program headers as they were: they then describe another file.
#[test]
fn a_debug_companion_is_not_taken_for_a_broken_program() -> TestResult {
    for layout in LAYOUTS {
        let mut file = ElfFile::program(layout, machine(layout));
        let text = file.push(Section {
            kind: elf::SHT_NOBITS,
            size: Some(0x40),
            data: Vec::new(),
            ..code()
        });
        for (kind, offset) in [
            (elf::PT_LOAD, 0x10_0000),
            (elf::PT_INTERP, 0),
            (elf::PT_NOTE, 0),
        ] {
            file.segments.push(Segment {
                kind,
                flags: elf::PF_R,
                offset,
                address: TEXT,
                file_size: 0x40,
                memory_size: 0x40,
            });
        }
        let bytes = file.write();
        let image = parse(&bytes)?;
        assert!(image.is_debug_companion());
        assert_eq!(image.place_at(TEXT + 8), Some(place(text, 8)));
        assert_eq!(image.facts.interpreter, None);
        assert_eq!(image.facts.build_id, None);
        assert!(image.warnings.list().is_empty(), "{:?}", image.warnings);
    }
    Ok(())
}

#[test]
fn symbols_have_their_name_size_and_place() -> TestResult {
    const LOCAL: u8 = elf::STB_LOCAL.0 << 4;
    const GLOBAL: u8 = elf::STB_GLOBAL.0 << 4;
    const WEAK: u8 = elf::STB_WEAK.0 << 4;
    for layout in LAYOUTS {
        let mut file = ElfFile::program(layout, machine(layout));
        let text = file.push(code());
        let thread_bss = file.push(Section {
            name: ".tbss",
            kind: elf::SHT_NOBITS,
            flags: elf::SHF_ALLOC | elf::SHF_WRITE | elf::SHF_TLS,
            address: THREAD_BSS,
            size: Some(0x18),
            ..Section::default()
        });
        let in_text = u16::try_from(text)?;
        let in_thread_bss = u16::try_from(thread_bss)?;
        let (table, names) = layout.symbols(&[
            ("unit.c", 0, 0, LOCAL | elf::STT_FILE.0, elf::SHN_ABS.0),
            (
                "function",
                TEXT + 8,
                0x10,
                GLOBAL | elf::STT_FUNC.0,
                in_text,
            ),
            ("weak", TEXT + 8, 0x10, WEAK | elf::STT_FUNC.0, in_text),
            ("end", TEXT + 0x40, 0, GLOBAL | elf::STT_NOTYPE.0, in_text),
            ("elsewhere", 0, 0, GLOBAL | elf::STT_FUNC.0, 0),
            ("absolute", 7, 0, GLOBAL | elf::STT_OBJECT.0, elf::SHN_ABS.0),
            (
                "common",
                16,
                8,
                GLOBAL | elf::STT_OBJECT.0,
                elf::SHN_COMMON.0,
            ),
            ("thread", 0xc, 4, GLOBAL | elf::STT_TLS.0, in_thread_bss),
            ("$x.1", TEXT, 0, LOCAL | elf::STT_NOTYPE.0, in_text),
        ]);
        let symbols = file.push(Section {
            name: ".symtab",
            kind: elf::SHT_SYMTAB,
            link: 4,
            // Not what the format says: readers use the format's own size.
            entry_size: 3,
            data: table,
            ..Section::default()
        });
        file.push(Section {
            name: ".strtab",
            kind: elf::SHT_STRTAB,
            data: names,
            ..Section::default()
        });
        file.segments.push(Segment {
            kind: elf::PT_TLS,
            flags: elf::PF_R,
            offset: 0,
            address: THREAD_DATA,
            file_size: 0,
            memory_size: 0x20,
        });
        let bytes = file.write();
        let image = parse(&bytes)?;

        assert_eq!(image.thread_local, Some((THREAD_DATA, 0x20)));
        let table = image.static_symbols().expect("a table");
        assert_eq!(table.role, SymbolTableRole::Static);
        assert_eq!(table.section, SectionIndex(symbols));
        assert_eq!(table.names, Some(SectionIndex(4)));
        assert_eq!(table.entry_size, if layout.is_64 { 24 } else { 16 });
        assert_eq!(table.symbols.len(), 10);
        assert_eq!(table.symbols[0].name, b"");
        let symbol = |name: &str| {
            table
                .symbols
                .iter()
                .find(|symbol| symbol.name == name.as_bytes())
                .expect("a symbol of that name")
        };

        assert_eq!(symbol("unit.c").kind, SymbolKind::File);
        assert_eq!(symbol("unit.c").name_offset, Some(1));
        let function = symbol("function");
        assert_eq!(function.kind, SymbolKind::Function);
        assert_eq!(function.binding, Binding::Global);
        assert_eq!((function.address, function.size), (TEXT + 8, 0x10));
        assert_eq!(function.place, Some(place(text, 8)));
        assert_eq!(symbol("weak").binding, Binding::Weak);
        assert_eq!(symbol("end").place, Some(place(text, 0x40)));
        assert!(symbol("elsewhere").undefined);
        assert_eq!(symbol("elsewhere").place, None);
        assert_eq!(symbol("absolute").place, None);
        assert!(!symbol("absolute").undefined);
        // Its value is the alignment of the room that the linker has yet to give it.
        assert_eq!((symbol("common").address, symbol("common").size), (0, 8));
        assert_eq!(symbol("common").place, None);
        // The template starts 8 bytes before `.tbss`.
        assert_eq!(symbol("thread").place, Some(place(thread_bss, 4)));
        assert_eq!(symbol("$x.1").kind, SymbolKind::Mapping);
        assert_eq!(symbol("$x.1").binding, Binding::Local);
    }
    Ok(())
}

#[test]
fn symbols_are_found_by_address_where_the_section_number_is_stale() -> TestResult {
    let layout = LAYOUTS[0];
    let mut file = ElfFile::program(layout, elf::EM_X86_64);
    let text = file.push(code());
    let data = file.push(data(vec![0; 8]));
    let global = elf::STB_GLOBAL.0 << 4;
    let stale = u16::try_from(data)?;
    let (table, names) = layout.symbols(&[
        ("moved", TEXT + 8, 4, global | elf::STT_FUNC.0, stale),
        ("lost", 0x9999, 4, global | elf::STT_FUNC.0, stale),
        // GNU ld leaves marks of unwind tables behind that are nowhere.
        ("$d", TEXT + 8, 0, elf::STT_NOTYPE.0, stale),
    ]);
    file.push(Section {
        name: ".symtab",
        kind: elf::SHT_SYMTAB,
        link: 4,
        data: table,
        ..Section::default()
    });
    file.push(Section {
        name: ".strtab",
        kind: elf::SHT_STRTAB,
        data: names,
        ..Section::default()
    });
    let bytes = file.write();
    let image = parse(&bytes)?;
    let symbols = &image.symbol_tables[0].symbols;
    assert_eq!(symbols[1].place, Some(place(text, 8)));
    assert_eq!(symbols[2].place, None);
    let messages: Vec<_> = image
        .warnings
        .list()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        messages,
        ["`.symtab`: 1 symbols lie outside every section; ignored"]
    );
    Ok(())
}

/// The number of the relocation type "relative", and of "the address of a symbol", on the processor of a layout.
fn relocation_types(layout: Layout) -> (u32, u32) {
    let (relative, slot) = match (layout.is_64, layout.is_big) {
        (true, false) => (elf::R_X86_64_RELATIVE, elf::R_X86_64_GLOB_DAT),
        (true, true) => (elf::R_390_RELATIVE, elf::R_390_GLOB_DAT),
        (false, false) => (elf::R_386_RELATIVE, elf::R_386_GLOB_DAT),
        (false, true) => (elf::R_PPC_RELATIVE, elf::R_PPC_GLOB_DAT),
    };
    (relative.0, slot.0)
}

#[test]
fn relocations_say_what_is_patched_and_with_what() -> TestResult {
    for layout in LAYOUTS {
        let (relative, slot) = relocation_types(layout);
        let word = layout.word_size();
        for encoding in [
            RelocationEncoding::WithAddend,
            RelocationEncoding::AddendInPlace,
        ] {
            let with_addend = encoding == RelocationEncoding::WithAddend;
            let mut file = ElfFile::program(layout, machine(layout));
            // What stands in place counts only where the entry has no addend.
            let in_place = if with_addend { 0x5555 } else { TEXT + 4 };
            let stored = layout.bytes().word(in_place).word(0x7777).bytes;
            let data = file.push(data(stored));
            let addend = |addend: i64| with_addend.then_some(addend);
            let entries = [
                layout.relocation(DATA, 0, relative, addend(0x1004)),
                layout.relocation(DATA + word, 3, slot, addend(0)),
                layout.relocation(0x9999, 3, slot, addend(-2)),
                layout.relocation(0, 0, 0, addend(0)),
            ];
            let entry_size = u64::try_from(entries[0].len())?;
            let table = file.push(Section {
                name: ".rel.dyn",
                kind: if with_addend {
                    elf::SHT_RELA
                } else {
                    elf::SHT_REL
                },
                flags: elf::SHF_ALLOC,
                address: 0x8000,
                data: entries.concat(),
                ..Section::default()
            });
            let bytes = file.write();
            let image = parse(&bytes)?;

            let tables = &image.relocation_tables;
            assert_eq!(tables.len(), 1);
            assert_eq!(tables[0].section, SectionIndex(table));
            assert_eq!(tables[0].encoding, encoding);
            assert_eq!(tables[0].entry_size, entry_size);
            let [first, second, third, fourth] = tables[0].relocations[..] else {
                panic!("four relocations");
            };
            assert_eq!(first.entry, 0);
            assert_eq!(first.patched, Some(place(data, 0)));
            assert_eq!(first.kind, RelocationKind::Relative);
            assert_eq!(first.target, RelocationTarget::Address(TEXT + 4));
            assert_eq!(second.entry, entry_size);
            assert_eq!(second.patched, Some(place(data, word)));
            assert_eq!(second.kind, RelocationKind::Slot);
            assert_eq!(
                second.target,
                RelocationTarget::Symbol {
                    index: 3,
                    addend: 0
                }
            );
            assert_eq!(third.patched, None);
            let addend = if with_addend { -2 } else { 0 };
            assert_eq!(third.target, RelocationTarget::Symbol { index: 3, addend });
            assert_eq!(fourth.kind, RelocationKind::Nothing);
            assert_eq!(fourth.target, RelocationTarget::None);
        }
    }
    Ok(())
}

/// An address, then a bitmap whose lowest bit says that it is one: bit n stands for the nth word behind the address.
#[test]
fn packed_relocations_are_unpacked() -> TestResult {
    for layout in LAYOUTS {
        let word = layout.word_size();
        let words = u64::from(layout.bits());
        let mut file = ElfFile::program(layout, machine(layout));
        let mut stored = layout.bytes();
        for number in 0..2 * words {
            stored = stored.word(TEXT + number);
        }
        let data = file.push(data(stored.bytes));
        let last_bit = words - 1;
        let entries = layout
            .bytes()
            .word(DATA)
            .word(1 | 1 << 1 | 1 << 3 | 1 << last_bit)
            // Goes on behind the words that the last bitmap stood for.
            .word(1 | 1 << 1);
        file.push(Section {
            name: ".relr.dyn",
            kind: elf::SHT_RELR,
            flags: elf::SHF_ALLOC,
            address: 0x8000,
            data: entries.bytes,
            ..Section::default()
        });
        let bytes = file.write();
        let image = parse(&bytes)?;

        let table = &image.relocation_tables[0];
        assert_eq!(table.encoding, RelocationEncoding::Packed);
        let found: Vec<_> = table
            .relocations
            .iter()
            .map(|it| (it.entry, it.patched, it.kind, it.target))
            .collect();
        let expected = |entry: u64, number: u64| {
            (
                entry * word,
                Some(place(data, number * word)),
                RelocationKind::Relative,
                RelocationTarget::Address(TEXT + number),
            )
        };
        assert_eq!(
            found,
            [
                expected(0, 0),
                expected(1, 1),
                expected(1, 3),
                expected(1, last_bit),
                expected(2, words),
            ]
        );
    }
    Ok(())
}

#[test]
fn build_facts_are_read_from_their_sections() -> TestResult {
    for layout in LAYOUTS {
        let mut file = ElfFile::program(layout, machine(layout));
        file.push(Section {
            name: ".note.gnu.build-id",
            kind: elf::SHT_NOTE,
            flags: elf::SHF_ALLOC,
            address: 0x100,
            align: 4,
            data: build_id_note(layout),
            ..Section::default()
        });
        file.push(Section {
            name: ".comment",
            data: b"\0GCC: 12\0rustc version 1.95.0 (abc 2026-04-14)\0GCC: 12\0".to_vec(),
            ..Section::default()
        });
        file.push(Section {
            name: ".gnu_debuglink",
            data: layout.bytes().slice(b"x.debug\0").u32(0x1234_5678).bytes,
            ..Section::default()
        });
        let bytes = file.write();
        let image = parse(&bytes)?;
        assert_eq!(
            image.facts.build_id.as_deref(),
            Some(&b"\xde\xad\xbe\xef"[..])
        );
        assert_eq!(
            image.facts.producers,
            ["GCC: 12", "rustc version 1.95.0 (abc 2026-04-14)"]
        );
        assert_eq!(image.facts.rustc(), Some("1.95.0 (abc 2026-04-14)"));
        assert_eq!(
            image.facts.debug_link,
            Some(("x.debug".to_owned(), 0x1234_5678))
        );
    }
    Ok(())
}

fn build_id_note(layout: Layout) -> Vec<u8> {
    let note = layout.bytes().u32(4).u32(4).u32(elf::NT_GNU_BUILD_ID.0);
    note.slice(b"GNU\0\xde\xad\xbe\xef").bytes
}

/// What a dynamic section says, in the order of its entries.
fn dynamic(layout: Layout, entries: &[(elf::DynamicTag, u64)]) -> Vec<u8> {
    let tag = |tag: elf::DynamicTag| tag.0.cast_unsigned();
    let mut bytes = layout.bytes();
    for &(key, value) in entries {
        bytes = bytes.word(tag(key)).word(value);
    }
    bytes.word(0).word(0).bytes
}

#[test]
fn programs_are_told_from_libraries() -> TestResult {
    use FileKind::{PositionIndependentExecutable as Program, SharedLibrary as Library};
    for layout in LAYOUTS {
        for (has_interpreter, has_name, says_program, kind) in [
            (true, false, true, Program),
            (true, false, false, Program),
            (false, false, true, Program),
            (false, true, false, Library),
            (false, false, false, Library),
            // The C library can be started.
            (true, true, false, Library),
            (true, true, true, Program),
        ] {
            let mut file = ElfFile::program(layout, machine(layout));
            let mut entries = vec![(elf::DT_NEEDED, 1)];
            if has_name {
                entries.push((elf::DT_SONAME, 11));
            }
            if says_program {
                entries.push((elf::DT_FLAGS_1, elf::DF_1_PIE.0));
            }
            file.push(Section {
                name: ".dynamic",
                kind: elf::SHT_DYNAMIC,
                flags: elf::SHF_ALLOC,
                address: DATA,
                link: 2,
                data: dynamic(layout, &entries),
                ..Section::default()
            });
            file.push(Section {
                name: ".dynstr",
                kind: elf::SHT_STRTAB,
                flags: elf::SHF_ALLOC,
                address: DATA + 0x100,
                data: b"\0libc.so.6\0me.so\0".to_vec(),
                ..Section::default()
            });
            if has_interpreter {
                file.segments.push(Segment {
                    kind: elf::PT_INTERP,
                    flags: elf::PF_R,
                    offset: 1,
                    address: 0,
                    file_size: 3,
                    memory_size: 3,
                });
            }
            let bytes = file.write();
            let image = parse(&bytes)?;
            assert_eq!(image.target.kind, kind);
            assert_eq!(image.facts.needed, ["libc.so.6"]);
            assert_eq!(
                image.facts.interpreter.as_deref(),
                has_interpreter.then_some("ELF")
            );
        }
    }
    Ok(())
}

#[test]
fn a_program_without_section_headers_has_its_segments() -> TestResult {
    for layout in LAYOUTS {
        let mut file = ElfFile::program(layout, machine(layout));
        let names = b"\0libc.so.6\0";
        let entries = [
            (elf::DT_NEEDED, 1),
            (elf::DT_STRTAB, DATA),
            (elf::DT_STRSZ, u64::try_from(names.len())?),
            (elf::DT_FLAGS_1, elf::DF_1_PIE.0),
        ];
        let dynamic = dynamic(layout, &entries);
        let note = build_id_note(layout);
        let mut segment = |kind, flags, offset, len: usize, address, memory_size| {
            file.segments.push(Segment {
                kind,
                flags,
                offset,
                address,
                file_size: u64::try_from(len).expect("a small segment"),
                memory_size,
            });
        };
        segment(
            elf::PT_LOAD,
            elf::PF_R | elf::PF_X,
            0x400,
            0x100,
            TEXT,
            0x100,
        );
        segment(
            elf::PT_LOAD,
            elf::PF_R | elf::PF_W,
            0x500,
            names.len(),
            DATA,
            0x80,
        );
        segment(elf::PT_DYNAMIC, elf::PF_R, 0x600, dynamic.len(), 0, 0);
        segment(elf::PT_NOTE, elf::PF_R, 0x700, note.len(), 0, 0);
        file.entry = TEXT + 8;
        let mut bytes = file.write();
        let header = if layout.is_64 { 40..48 } else { 32..36 };
        bytes[header].fill(0);
        let counts = if layout.is_64 { 60..64 } else { 48..52 };
        bytes[counts].fill(0);
        bytes.resize(0x800, 0);
        bytes[0x500..][..names.len()].copy_from_slice(names);
        bytes[0x600..][..dynamic.len()].copy_from_slice(&dynamic);
        bytes[0x700..][..note.len()].copy_from_slice(&note);

        let image = Image::parse(&bytes)?;
        assert_sound(&image);
        let sections: Vec<_> = image
            .sections
            .iter()
            .map(|it| (&*it.name, it.address, it.size, it.file_range.clone()))
            .collect();
        assert_eq!(
            sections,
            [
                ("(segment 0 r-x)", TEXT, 0x100, Some(0x400..0x500)),
                ("(segment 1 rw-)", DATA, 11, Some(0x500..0x50b)),
                ("(segment 1 rw-)", DATA + 11, 0x80 - 11, None),
            ]
        );
        assert_eq!(image.sections[0].role, SectionRole::Code);
        assert_eq!(image.entry, Some(place(0, 8)));
        assert_eq!(image.target.kind, FileKind::PositionIndependentExecutable);
        assert_eq!(image.facts.needed, ["libc.so.6"]);
        assert_eq!(
            image.facts.build_id.as_deref(),
            Some(&b"\xde\xad\xbe\xef"[..])
        );
        assert!(image.warnings.list().is_empty(), "{:?}", image.warnings);
    }
    Ok(())
}

#[test]
fn a_file_of_nothing_but_a_header_is_read() -> TestResult {
    for layout in LAYOUTS {
        for kind in [elf::ET_REL, elf::ET_EXEC, elf::ET_DYN, elf::ET_CORE] {
            let mut file = ElfFile::program(layout, machine(layout));
            file.kind = kind;
            let mut bytes = file.write();
            bytes.truncate(if layout.is_64 { 64 } else { 52 });
            let header = if layout.is_64 { 40..48 } else { 32..36 };
            bytes[header].fill(0);
            let image = Image::parse(&bytes)?;
            assert_sound(&image);
            assert!(image.sections.is_empty());
            assert_eq!(image.place_at(0), None);
            assert_eq!(image.headers.len(), 1);
        }
    }
    Ok(())
}

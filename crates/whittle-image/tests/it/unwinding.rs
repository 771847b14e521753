//! Unwind and exception tables made byte by byte, in both classes and both byte orders.

use object::elf;
use whittle_image::{Described, ExceptionTable, SectionIndex, UnwindEntry};

use crate::elf_file::{ElfFile, LAYOUTS, Layout, Section};
use crate::layouts::{TEXT, code, machine, parse, place};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const FRAMES: u64 = 0x2000;
const FRAME_INDEX: u64 = 0x2800;
const EXCEPTIONS: u64 = 0x3000;

/// In `.eh_frame`: a common entry with a personality, an exception table and relative pointers, and two functions; a
/// common entry without any of these and with absolute pointers, and one function; a function that is gone; the end.
/// All with the numbers where they stand.
fn frames(layout: Layout) -> (Vec<u8>, Vec<UnwindEntry>) {
    const RELATIVE_FOUR_BYTES: u8 = 0x1b;
    let entry = |bytes: Vec<u8>| {
        let len = u32::try_from(bytes.len()).expect("a small entry");
        layout.bytes().u32(len).slice(&bytes).bytes
    };
    let mut frames = layout.bytes();
    let mut expected = Vec::new();
    let mut push = |bytes: Vec<u8>, describes: Described| {
        let offset = frames.len();
        frames = frames.clone().slice(&bytes);
        expected.push(UnwindEntry {
            offset,
            len: frames.len() - offset,
            describes,
        });
        offset
    };

    // Id, version, augmentation, alignments of code and data, return register; then the length of what the letters name.
    let common = layout
        .bytes()
        .u32(0)
        .u8(1)
        .slice(b"zPLR\0\x01\x78\x10\x07")
        .u8(RELATIVE_FOUR_BYTES);
    let personality = FRAMES + 4;
    let common = common
        .distance(personality, TEXT + 0x20)
        .u8(RELATIVE_FOUR_BYTES)
        .u8(RELATIVE_FOUR_BYTES)
        .zeros(3);
    let first = push(
        entry(common.bytes),
        Described::Common {
            personality: Some(place(1, 0x20)),
        },
    );
    for (start, len, table) in [(TEXT, 0x10, Some(0)), (TEXT + 0x10, 0x20, None)] {
        let at = FRAMES + first + 4 + 28;
        let at = if start == TEXT { at } else { at + 24 };
        let back = u32::try_from(at - FRAMES - first).expect("a small distance");
        let function = layout.bytes().u32(back).distance(at, start).u32(len).u8(4);
        let function = match table {
            Some(offset) => function.distance(at, EXCEPTIONS + offset),
            None => function.u32(0),
        };
        push(
            entry(function.zeros(3).bytes),
            Described::Code {
                start: place(1, start - TEXT),
                len: len.into(),
                exceptions: table.map(|offset| place(4, offset)),
            },
        );
    }

    let plain = layout
        .bytes()
        .u32(0)
        .u8(1)
        .slice(b"\0\x01\x78\x10")
        .zeros(3);
    let second = push(entry(plain.bytes), Described::Common { personality: None });
    let word = layout.word_size();
    for (start, described) in [
        (
            TEXT + 0x30,
            Described::Code {
                start: place(1, 0x30),
                len: 8,
                exceptions: None,
            },
        ),
        (0, Described::Nothing),
    ] {
        let before = if start == 0 { 8 + 2 * word } else { 0 };
        let back = u32::try_from(16 + 4 + before).expect("a small distance");
        let function = layout.bytes().u32(back).word(start).word(8);
        push(entry(function.bytes), described);
        assert_eq!(second % 4, 0);
    }
    push(layout.bytes().u32(0).bytes, Described::End);
    (frames.bytes, expected)
}

#[test]
fn unwind_entries_lead_to_code_and_exception_tables() -> TestResult {
    for layout in LAYOUTS {
        let (stored, expected) = frames(layout);
        let first_function = expected[1].offset;
        let mut file = ElfFile::program(layout, machine(layout));
        let loaded = |name, address, data| Section {
            name,
            flags: elf::SHF_ALLOC,
            address,
            align: 4,
            data,
            ..Section::default()
        };
        file.push(code());
        let frames = file.push(loaded(".eh_frame", FRAMES, stored));
        // Version, encodings (relative; plain; relative to the table itself), the table, the count, two pairs.
        let index = layout.bytes().slice(&[1, 0x1b, 0x03, 0x3b]);
        let index = index.distance(FRAME_INDEX, FRAMES).u32(2);
        let relative = |address: u64| {
            u32::try_from(address.wrapping_sub(FRAME_INDEX) & 0xffff_ffff).expect("32 bits")
        };
        let index = index
            .u32(relative(TEXT))
            .u32(relative(FRAMES + first_function))
            .u32(relative(TEXT + 0x10))
            .u32(relative(FRAMES + first_function + 24));
        let index = file.push(loaded(".eh_frame_hdr", FRAME_INDEX, index.bytes));
        // No landing pad base, no types, call sites in variable length: one, and it has no action.
        let table = b"\xff\xff\x01\x04\x00\x10\x00\x00\0\0\0\0".to_vec();
        file.push(loaded(".gcc_except_table", EXCEPTIONS, table));
        let bytes = file.write();
        let image = parse(&bytes)?;

        assert_eq!(image.unwind_tables.len(), 1);
        assert_eq!(image.unwind_tables[0].section, SectionIndex(frames));
        assert_eq!(image.unwind_tables[0].entries, expected);
        let found = &image.unwind_indexes[0];
        assert_eq!(found.section, SectionIndex(index));
        assert_eq!((found.header_len, found.entry_size), (12, 8));
        assert_eq!(found.entries, [Some(place(1, 0)), Some(place(1, 0x10))]);
        assert_eq!(
            image.exception_tables,
            [ExceptionTable {
                place: place(4, 0),
                len: 8,
                catches: Some(false)
            }]
        );
        assert!(image.warnings.list().is_empty(), "{:?}", image.warnings);
    }
    Ok(())
}

/// In the first version the number of the return register is one byte, in the third it is of variable length.
#[test]
fn return_registers_above_127_are_read() -> TestResult {
    for layout in LAYOUTS {
        for (version, register, padding) in [(1, &b"\x90"[..], 3), (3, b"\x90\x01", 2)] {
            let common = layout.bytes().u32(16).u32(0).u8(version);
            let common = common.slice(b"zR\0\x01\x78").slice(register);
            let common = common.slice(b"\x01\x1b").zeros(padding);
            let entry = FRAMES + common.len() + 4;
            let back = u32::try_from(common.len() + 4)?;
            let function = layout.bytes().u32(back).distance(entry, TEXT).u32(8);
            let frames = common.u32(16).slice(&function.u32(0).bytes);
            let mut file = ElfFile::program(layout, machine(layout));
            file.push(code());
            file.push(Section {
                name: ".eh_frame",
                flags: elf::SHF_ALLOC,
                address: FRAMES,
                data: frames.bytes,
                ..Section::default()
            });
            let bytes = file.write();
            let image = parse(&bytes)?;
            assert_eq!(
                image.unwind_tables[0].entries[1].describes,
                Described::Code {
                    start: place(1, 0),
                    len: 8,
                    exceptions: None
                }
            );
        }
    }
    Ok(())
}

/// The lengths of exception tables of every form, each followed by padding that is not theirs.
#[test]
fn exception_tables_end_where_they_say_and_tell_what_they_catch() -> TestResult {
    let tables: [(&str, &[u8], bool); 6] = [
        ("no call sites", b"\xff\xff\x01\x00", false),
        (
            "call sites without action",
            b"\xff\xff\x01\x04\x00\x10\x20\x00",
            false,
        ),
        (
            "call sites of fixed length, two records: clean-up, then the first type",
            b"\xff\xff\x03\x0d\0\0\0\0\x10\0\0\0\x20\0\0\0\x01\x00\x01\x01\x00",
            true,
        ),
        (
            // The distance leads from behind itself over the rest of the header, 4, 2 and 4 bytes to the end.
            "a type of four bytes behind the records",
            b"\xff\x00\x0c\x01\x04\x00\x10\x20\x01\x01\x00\xaa\xaa\xaa\xaa",
            true,
        ),
        (
            "a specification behind the types that lets nothing pass",
            b"\xff\x00\x08\x01\x04\x00\x10\x20\x01\x7f\x00\x00",
            false,
        ),
        (
            "a landing pad base of its own, in variable length",
            b"\x01\x80\x01\xff\x01\x00",
            false,
        ),
    ];
    for layout in [LAYOUTS[0], LAYOUTS[2]] {
        let mut exceptions = layout.bytes();
        let mut frames = layout
            .bytes()
            .u32(16)
            .u32(0)
            .u8(1)
            .slice(b"zL\0\x01\x78\x10\x01\x1b")
            .zeros(3);
        let word = layout.word_size();
        let mut expected = Vec::new();
        for (what, table, catches) in tables {
            let start = exceptions.len();
            expected.push((what, start, u64::try_from(table.len())?, catches));
            exceptions = exceptions.slice(table).align(4).zeros(4);
            let entry = frames.len();
            let len = u32::try_from(4 + 2 * word + 1 + 4 + 3)?;
            frames = frames
                .u32(len)
                .u32(u32::try_from(entry + 4)?)
                .word(TEXT)
                .word(0x10)
                .u8(4)
                .distance(FRAMES, EXCEPTIONS + start)
                .zeros(3);
        }
        let mut file = ElfFile::program(layout, machine(layout));
        file.push(code());
        for (name, address, data) in [
            (".eh_frame", FRAMES, frames.bytes),
            (".gcc_except_table", EXCEPTIONS, exceptions.bytes),
        ] {
            file.push(Section {
                name,
                flags: elf::SHF_ALLOC,
                address,
                data,
                ..Section::default()
            });
        }
        let bytes = file.write();
        let image = parse(&bytes)?;
        assert_eq!(image.exception_tables.len(), expected.len());
        for (found, (what, start, len, catches)) in image.exception_tables.iter().zip(expected) {
            assert_eq!((found.place, found.len), (place(3, start), len), "{what}");
            assert_eq!(found.catches, Some(catches), "{what}");
        }
    }
    Ok(())
}

//! Files that were built to make a reader slow or large: the cost grows with the file alone.

use std::time::{Duration, Instant};

use object::elf;
use whittle_image::{Image, ImageError};

use crate::elf_file::{ElfFile, LAYOUTS, Layout, Section};
use crate::invariants::{assert_contents, assert_sound};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const LITTLE_64: Layout = LAYOUTS[0];

/// Far more than any of the files here takes, even unoptimized on a busy machine, and far less than what grows with the
/// square of their size.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads a hostile file.
fn endure(bytes: &[u8]) -> Result<Image<'_>, ImageError> {
    let start = Instant::now();
    let image = Image::parse(bytes)?;
    let time = start.elapsed();
    assert!(time < PATIENCE, "{time:?} for {} bytes", bytes.len());
    assert_sound(&image);
    Ok(image)
}

fn messages(image: &Image<'_>) -> Vec<String> {
    let warnings = image.warnings.list().iter();
    warnings.map(ToString::to_string).collect()
}

/// Ten thousand tables of each kind in the same megabyte.
#[test]
fn tables_that_share_bytes_are_not_read_over_and_over() -> TestResult {
    for (name, kind) in [
        (".rela", elf::SHT_RELA),
        (".rel", elf::SHT_REL),
        (".relr", elf::SHT_RELR),
        (".note", elf::SHT_NOTE),
        (".eh_frame", elf::SHT_PROGBITS),
        (".eh_frame_hdr", elf::SHT_PROGBITS),
        (".plt", elf::SHT_PROGBITS),
    ] {
        let mut file = ElfFile::program(LITTLE_64, elf::EM_X86_64);
        // Entries of 16 bytes for the unwind table, stubs for the linkage table.
        let entry = b"\x0c\0\0\0\xff\x25\0\0\x01\0\0\0\0\0\0\0";
        file.push(Section {
            name: ".data",
            flags: elf::SHF_ALLOC,
            address: 0x1000,
            align: 16,
            data: entry.repeat(1 << 16),
            ..Section::default()
        });
        for _ in 0..10_000 {
            file.push(Section {
                name,
                kind,
                flags: elf::SHF_ALLOC,
                address: 0x1000,
                offset: Some(0x40),
                size: Some(1 << 20),
                ..Section::default()
            });
        }
        let bytes = file.write();
        let image = endure(&bytes)?;
        let relocations = image.relocation_tables.iter();
        let relocations: usize = relocations.map(|it| it.relocations.len()).sum();
        assert!(relocations <= bytes.len() / 8, "{relocations} relocations");
        let entries: usize = image.unwind_tables.iter().map(|it| it.entries.len()).sum();
        assert!(entries <= bytes.len() / 4, "{entries} unwind entries");
        assert!(
            messages(&image).iter().any(|it| it.contains("share bytes")),
            "{name}"
        );
    }
    Ok(())
}

#[test]
fn symbols_that_share_a_long_name_do_not_multiply_it() -> TestResult {
    const LONGEST: usize = 1 << 20;
    for (len, is_taken) in [(LONGEST, true), (LONGEST + 1, false)] {
        let name = "n".repeat(len);
        let mut file = ElfFile::program(LITTLE_64, elf::EM_X86_64);
        let (first, names) = LITTLE_64.symbols(&[(&name, 0, 0, 0, 0)]);
        let (empty, entry) = first.split_at(24);
        file.push(Section {
            name: ".symtab",
            kind: elf::SHT_SYMTAB,
            link: 2,
            data: [empty, &entry.repeat(100_000)].concat(),
            ..Section::default()
        });
        file.push(Section {
            name: ".strtab",
            kind: elf::SHT_STRTAB,
            data: names,
            ..Section::default()
        });
        let bytes = file.write();
        let image = endure(&bytes)?;
        let symbols = &image.static_symbols().expect("symbols").symbols;
        assert_eq!(symbols.len(), 100_001);
        assert_eq!(symbols[1].name.len(), if is_taken { len } else { 0 });
        let total: usize = symbols.iter().map(|it| it.name.len()).sum();
        assert!(total < 64 << 20, "{total} bytes of names");
        let warning = &messages(&image)[0];
        assert!(warning.contains("outside the table of names"), "{warning}");
    }
    Ok(())
}

#[test]
fn sections_that_share_a_long_name_do_not_multiply_it() -> TestResult {
    let mut file = ElfFile::program(LITTLE_64, elf::EM_X86_64);
    let name: &'static str = Box::leak("é".repeat(30_000).into_boxed_str());
    file.push(Section {
        name,
        ..Section::default()
    });
    for _ in 0..10_000 {
        file.push(Section::default());
    }
    let mut bytes = file.write();
    let image = Image::parse(&bytes)?;
    let headers = image.headers.iter().find(|it| it.name == "section headers");
    let start = usize::try_from(headers.expect("section headers").file_range.start)?;
    assert_eq!(image.sections[1].name, name);
    for number in 1..10_000 {
        let at = start + number * 64;
        bytes[at..at + 4].copy_from_slice(&1_u32.to_le_bytes());
    }
    let image = endure(&bytes)?;
    let total: usize = image.sections.iter().map(|it| it.name.len()).sum();
    assert!(total < 16 << 20, "{total} bytes of names");
    Ok(())
}

#[test]
fn packed_relocations_do_not_fill_memory() -> TestResult {
    // Bitmaps of ones, over a range that is mapped but not stored.
    for stored in [0, 1 << 16] {
        let mut file = ElfFile::program(LITTLE_64, elf::EM_X86_64);
        file.push(Section {
            name: ".data",
            flags: elf::SHF_ALLOC | elf::SHF_WRITE,
            address: 0x1000_0000,
            data: vec![0; stored],
            ..Section::default()
        });
        file.push(Section {
            name: ".bss",
            kind: elf::SHT_NOBITS,
            flags: elf::SHF_ALLOC | elf::SHF_WRITE,
            address: 0x1000_0000 + u64::try_from(stored)?,
            size: Some(1 << 40),
            ..Section::default()
        });
        let entries = LITTLE_64.bytes().word(0x1000_0000).bytes;
        file.push(Section {
            name: ".relr.dyn",
            kind: elf::SHT_RELR,
            flags: elf::SHF_ALLOC,
            address: 0x1000,
            data: [entries, vec![0xff; 1 << 20]].concat(),
            ..Section::default()
        });
        let bytes = file.write();
        let image = endure(&bytes)?;
        let relocations = image.relocation_tables[0].relocations.len();
        assert_eq!(relocations, stored / 8);
        let warning = &messages(&image)[0];
        assert!(
            warning.contains("what the file does not store"),
            "{warning}"
        );
    }
    // Over the same words again and again.
    let mut file = ElfFile::program(LITTLE_64, elf::EM_X86_64);
    file.push(Section {
        name: ".data",
        flags: elf::SHF_ALLOC | elf::SHF_WRITE,
        address: 0x1000_0000,
        data: vec![0; 8 * 64],
        ..Section::default()
    });
    let entries = LITTLE_64.bytes().word(0x1000_0000).word(u64::MAX).bytes;
    file.push(Section {
        name: ".relr.dyn",
        kind: elf::SHT_RELR,
        flags: elf::SHF_ALLOC,
        address: 0x1000,
        data: entries.repeat(1 << 16),
        ..Section::default()
    });
    let bytes = file.write();
    let image = endure(&bytes)?;
    assert!(image.relocation_tables[0].relocations.len() <= bytes.len() / 8);
    Ok(())
}

/// Adds an unwind table and an exception table, and code for them.
fn unwinding(frames: Vec<u8>, exceptions: Vec<u8>) -> Vec<u8> {
    let mut file = ElfFile::program(LITTLE_64, elf::EM_X86_64);
    for (name, address, data) in [
        (".text", 0x1000, vec![0; 16]),
        (".eh_frame", 0x1000_0000, frames),
        (".gcc_except_table", 0x2000_0000, exceptions),
    ] {
        file.push(Section {
            name,
            flags: elf::SHF_ALLOC,
            address,
            data,
            ..Section::default()
        });
    }
    file.write()
}

#[test]
fn runs_of_zeros_are_one_end() -> TestResult {
    let bytes = unwinding(vec![0; 8 << 20], Vec::new());
    let image = endure(&bytes)?;
    assert_eq!(image.unwind_tables[0].entries.len(), 1);
    assert_eq!(image.unwind_tables[0].entries[0].len, 8 << 20);
    Ok(())
}

/// A table at every byte, each of which says that it has all the rest.
#[test]
fn exception_tables_inside_each_other_are_cut_at_the_next() -> TestResult {
    const COUNT: u64 = 200_000;
    let common = LITTLE_64.bytes().u32(20).u32(0).u8(1);
    let common = common.slice(b"zLR\0\x01\x78\x10\x02\x00\x00").zeros(5);
    let mut frames = common.bytes;
    for number in 0..COUNT {
        let back = u32::try_from(frames.len() + 4)?;
        let entry = LITTLE_64
            .bytes()
            .u32(29)
            .u32(back)
            .u64(0x1000)
            .u64(16)
            .u8(8);
        frames.extend(entry.u64(0x2000_0000 + number).bytes);
    }
    // No landing pad base, no types, variable length, and call sites up to the end of everything.
    let table = b"\xff\xff\x01\xff\xff\xff\x7f\x01\x01\x01\x01";
    let exceptions = table.repeat(usize::try_from(COUNT)? / table.len() + 1);
    let bytes = unwinding(frames, exceptions);
    let image = endure(&bytes)?;
    assert_eq!(u64::try_from(image.exception_tables.len())?, COUNT);
    assert_eq!(image.exception_tables[0].len, 1);
    Ok(())
}

/// Each action record leads to the next, and each call site starts at the first.
#[test]
fn chains_of_actions_are_followed_once() -> TestResult {
    let common = LITTLE_64.bytes().u32(20).u32(0).u8(1);
    let frames = common
        .slice(b"zLR\0\x01\x78\x10\x02\x00\x00")
        .zeros(5)
        .u32(29)
        .u32(28);
    let frames = frames.u64(0x1000).u64(16).u8(8).u64(0x2000_0000).bytes;
    // 100,000 call sites of four bytes, then 100,000 records of two.
    let mut table = b"\xff\xff\x01\x80\xb5\x18".to_vec();
    table.extend(b"\0\0\0\x01".repeat(100_000));
    table.extend(b"\x01\x01".repeat(99_999));
    table.extend(b"\x01\0");
    let len = u64::try_from(table.len())?;
    let bytes = unwinding(frames, [table, vec![0; 64]].concat());
    let image = endure(&bytes)?;
    assert_eq!(image.exception_tables[0].len, len);
    Ok(())
}

/// The sections of a file with nothing but debug info.
fn debug_info(sections: &[(&'static str, Vec<u8>)]) -> Vec<u8> {
    let mut file = ElfFile::program(LITTLE_64, elf::EM_X86_64);
    for (name, data) in sections {
        file.push(Section {
            name,
            data: data.clone(),
            ..Section::default()
        });
    }
    file.write()
}

/// A unit of DWARF 4 whose root entry starts with `code`, and whose abbreviations are at `table`.
fn unit(table: u32, code: &[u8], rest: &[u8]) -> Vec<u8> {
    let unit = LITTLE_64
        .bytes()
        .u16(4)
        .u32(table)
        .u8(8)
        .slice(code)
        .slice(rest);
    let len = u32::try_from(unit.len()).expect("a small unit");
    LITTLE_64.bytes().u32(len).slice(&unit.bytes).bytes
}

#[test]
fn units_that_share_a_long_name_do_not_multiply_it() -> TestResult {
    let unit = unit(0, b"\x01", &[0; 4]);
    let bytes = debug_info(&[
        // Code 1, a compile unit whose name is in `.debug_str`.
        (
            ".debug_abbrev",
            b"\x01\x11\x00\x03\x0e\x00\x00\x00".to_vec(),
        ),
        (".debug_info", unit.repeat(100_000)),
        (".debug_str", [vec![b'n'; 60_000], vec![0]].concat()),
    ]);
    let image = endure(&bytes)?;
    assert_eq!(image.debug_units.len(), 100_000);
    let names = image.debug_units.iter().filter_map(|it| it.name.as_ref());
    let total: usize = names.map(String::len).sum();
    assert!(
        (60_000..64 << 20).contains(&total),
        "{total} bytes of names"
    );
    let warning = &messages(&image)[0];
    assert!(warning.contains("some units have no names"), "{warning}");
    Ok(())
}

#[test]
fn a_name_without_an_end_is_none() -> TestResult {
    let bytes = debug_info(&[
        (
            ".debug_abbrev",
            b"\x01\x11\x00\x03\x0e\x00\x00\x00".to_vec(),
        ),
        (".debug_info", unit(0, b"\x01", &[0; 4]).repeat(100_000)),
        (".debug_str", vec![b'n'; 4 << 20]),
    ]);
    let image = endure(&bytes)?;
    assert_eq!(image.debug_units[0].name, None);
    Ok(())
}

/// The declaration that every unit needs is the last of a long table.
#[test]
fn abbreviations_are_searched_once() -> TestResult {
    let mut table = b"\x02\x11\x00\x00\x00".repeat(200_000);
    table.extend(b"\x01\x11\x00\x03\x08\x00\x00\x00");
    let bytes = debug_info(&[
        (".debug_abbrev", table),
        (".debug_info", unit(0, b"\x01", b"x\0").repeat(100_000)),
    ]);
    let image = endure(&bytes)?;
    assert_eq!(image.debug_units.len(), 100_000);
    assert!(
        image
            .debug_units
            .iter()
            .all(|it| it.name.as_deref() == Some("x"))
    );
    Ok(())
}

/// Each unit has a table of its own, which starts a byte behind the last one's and runs through the rest of it.
#[test]
fn abbreviations_inside_each_other_come_to_an_end() -> TestResult {
    let units: Vec<u8> = (0..100_000)
        .flat_map(|at| unit(at, b"\x01", b"x\0"))
        .collect();
    let bytes = debug_info(&[
        (".debug_abbrev", b"\x02\x11\x00\x00\x00".repeat(200_000)),
        (".debug_info", units),
    ]);
    let image = endure(&bytes)?;
    assert_eq!(image.debug_units.len(), 100_000);
    Ok(())
}

/// A root entry with a hundred thousand attributes that take no bytes.
#[test]
fn entries_with_too_many_attributes_have_no_name() -> TestResult {
    let mut table = b"\x01\x11\x00".to_vec();
    table.extend(b"\x03\x19".repeat(100_000));
    table.extend([0; 3]);
    let bytes = debug_info(&[
        (".debug_abbrev", table),
        (".debug_info", unit(0, b"\x01", &[]).repeat(10_000)),
    ]);
    let image = endure(&bytes)?;
    assert_eq!(image.debug_units.len(), 10_000);
    Ok(())
}

#[test]
fn what_expands_too_far_is_read_as_stored() -> TestResult {
    let layout = LITTLE_64;
    let compressed = |size: u64, kind: elf::CompressionType| {
        let header = layout.bytes().u32(kind.0).u32(0).u64(size).u64(1);
        Section {
            name: ".debug_info",
            flags: elf::SHF_COMPRESSED,
            data: header.slice(b"\x78\x9c\x03\0\0\0\0\x01").bytes,
            ..Section::default()
        }
    };
    for kind in [elf::ELFCOMPRESS_ZLIB, elf::ELFCOMPRESS_ZSTD] {
        let mut file = ElfFile::program(layout, elf::EM_X86_64);
        file.push(compressed(1 << 40, kind));
        let bytes = file.write();
        let image = endure(&bytes)?;
        assert_contents(&image);
        assert_eq!(image.sections[1].size, 32);
        let warning = &messages(&image)[0];
        assert!(warning.contains("taken as it is stored"), "{warning}");
    }
    // A size that is possible but not true.
    let mut file = ElfFile::program(layout, elf::EM_X86_64);
    file.push(compressed(1000, elf::ELFCOMPRESS_ZLIB));
    let bytes = file.write();
    let image = endure(&bytes)?;
    let error = image.sections[1]
        .contents()
        .expect_err("nothing but an end");
    assert_eq!(
        error.to_string(),
        "cannot expand the compressed section `.debug_info`: it does not expand to 1000 bytes"
    );
    // Many that share their bytes, each of a size that is possible for one.
    let mut file = ElfFile::program(layout, elf::EM_X86_64);
    for name in [".debug_info", ".debug_str", ".debug_line", ".debug_abbrev"] {
        file.push(Section {
            name,
            ..compressed(60 << 20, elf::ELFCOMPRESS_ZLIB)
        });
    }
    let bytes = file.write();
    let image = endure(&bytes)?;
    let messages = messages(&image);
    let refused = messages
        .iter()
        .filter(|it| it.contains("expands to too much"));
    assert_eq!(refused.count(), 3, "{messages:?}");
    Ok(())
}

//! Files that are broken: no panic, and every position in bounds.

use object::elf;
use proptest::prelude::*;
use whittle_image::{Image, ImageError, Lookalike};

use crate::complete::program;
use crate::elf_file::{LAYOUTS, Layout};
use crate::invariants::{assert_contents, assert_sound};

type TestResult = Result<(), Box<dyn std::error::Error>>;

const LITTLE_64: Layout = LAYOUTS[0];

/// Reads a file, if it can be read, and asserts that all of the answer is in bounds.
fn survive(bytes: &[u8]) {
    if let Ok(image) = Image::parse(bytes) {
        assert_sound(&image);
    }
}

fn messages(image: &Image<'_>) -> Vec<String> {
    let warnings = image.warnings.list().iter();
    warnings.map(ToString::to_string).collect()
}

#[test]
fn the_undamaged_program_is_read_without_a_warning() -> TestResult {
    for layout in LAYOUTS {
        let bytes = program(layout).write();
        let image = Image::parse(&bytes)?;
        assert_sound(&image);
        assert_contents(&image);
        assert_eq!(messages(&image), [""; 0]);
        assert_eq!(image.symbol_tables.len(), 2);
        assert_eq!(image.relocation_tables.len(), 2);
        assert_eq!(image.exception_tables.len(), 1);
        assert_eq!(image.debug_units.len(), 1);
        assert_eq!(image.debug_units[0].pieces.len(), 4);
        assert_eq!(image.stubs.len(), 1);
    }
    Ok(())
}

#[test]
fn a_file_may_end_anywhere() {
    for layout in LAYOUTS {
        let bytes = program(layout).write();
        for len in 0..bytes.len() {
            survive(&bytes[..len]);
        }
    }
}

#[test]
fn what_is_cut_off_is_said() -> TestResult {
    let mut file = program(LITTLE_64);
    let table = file.sections.iter_mut().find(|it| it.name == ".symtab");
    table.expect("symbols").size = Some(u64::MAX / 2);
    let bytes = file.write();
    let image = Image::parse(&bytes)?;
    assert_sound(&image);
    let messages = messages(&image);
    assert!(
        messages[0].contains("past the end of the file; cut off"),
        "{messages:?}"
    );
    // The symbols that are there are read.
    assert!(image.static_symbols().expect("symbols").symbols.len() >= 4);
    Ok(())
}

/// Every field of every header, with the values at which arithmetic goes wrong.
#[test]
fn headers_may_say_anything() {
    const ABSURD: [u64; 9] = [
        0,
        1,
        0x7f,
        0xffff,
        0x7fff_ffff,
        0xffff_ffff,
        0x7fff_ffff_ffff_ffff,
        0xffff_ffff_ffff_fff0,
        u64::MAX,
    ];
    for layout in [LAYOUTS[0], LAYOUTS[3]] {
        let whole = program(layout).write();
        let image = Image::parse(&whole).expect("an undamaged file");
        let headers: Vec<_> = image
            .headers
            .iter()
            .map(|it| it.file_range.clone())
            .collect();
        for range in headers {
            // The file header has fields of two bytes, the others of four and more.
            let (step, widths) = match range.start {
                0 => (2, &[2, 4, 8][..]),
                _ => (4, &[4, 8][..]),
            };
            for at in (range.start..range.end).step_by(step) {
                let at = usize::try_from(at).expect("a small file");
                for value in ABSURD {
                    for &width in widths {
                        let mut bytes = whole.clone();
                        let value = if layout.is_big {
                            value.to_be_bytes()[8 - width..].to_vec()
                        } else {
                            value.to_le_bytes()[..width].to_vec()
                        };
                        let Some(field) = bytes.get_mut(at..at + width) else {
                            continue;
                        };
                        field.copy_from_slice(&value);
                        survive(&bytes);
                    }
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_may_be_wrong(
        layout in 0..4_usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
    ) {
        let mut bytes = program(LAYOUTS[layout]).write();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        survive(&bytes);
    }

    #[test]
    fn any_section_may_hold_anything(
        layout in 0..4_usize,
        section in any::<prop::sample::Index>(),
        data in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let mut file = program(LAYOUTS[layout]);
        let section = section.index(file.sections.len());
        file.sections[section].data = data;
        survive(&file.write());
    }

    #[test]
    fn any_section_may_be_of_any_kind_and_anywhere(
        layout in 0..4_usize,
        section in any::<prop::sample::Index>(),
        kind in prop_oneof![0..20_u32, 0x6fff_fff0..=0x7000_0003_u32, any::<u32>()],
        flags in any::<u16>(),
        address in prop_oneof![0..0x6000_u64, any::<u64>()],
        link in 0..30_u32,
        info in 0..30_u32,
    ) {
        let mut file = program(LAYOUTS[layout]);
        let section = section.index(file.sections.len());
        let section = &mut file.sections[section];
        section.kind = elf::SectionType(kind);
        section.flags = elf::SectionFlags(flags.into());
        (section.address, section.link, section.info) = (address, link, info);
        survive(&file.write());
    }
}

#[test]
fn what_is_no_elf_file_is_named() {
    let cases: [(&[u8], Lookalike); 9] = [
        (b"#!/bin/sh\n", Lookalike::Text),
        (b"\xca\xfe\xba\xbe\0\0\0\x34", Lookalike::Java),
        (b"!<thin>\n", Lookalike::ThinArchive),
        (b"<bigaf>\n", Lookalike::BigArchive),
        (b"BC\xc0\xde", Lookalike::Bitcode),
        (b"\x1f\x8b\x08", Lookalike::Compressed),
        (b"\x28\xb5\x2f\xfd", Lookalike::Compressed),
        (b"PK\x03\x04", Lookalike::Compressed),
        (b"\0\x01\x02", Lookalike::Unknown),
    ];
    for (bytes, recognised) in cases {
        let error = Image::parse(bytes).expect_err("no ELF file");
        assert_eq!(error, ImageError::UnknownFormat { recognised });
    }
    assert_eq!(Image::parse(b"").expect_err("nothing"), ImageError::Empty);
    for bytes in [&b"\x7fELF"[..], b"\x7fELF\x02\x01\x01", b"\x7fELF\x02"] {
        let error = Image::parse(bytes).expect_err("a part of a header");
        assert!(matches!(error, ImageError::PastEnd { .. }), "{error}");
    }
    let class = Image::parse(b"\x7fELF\x03").expect_err("no such class");
    assert_eq!(
        class.to_string(),
        "malformed ELF header at 0x4: class 3 is neither 1 (32 bit) nor 2 (64 bit)"
    );
}

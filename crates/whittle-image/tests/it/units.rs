//! Debug info made byte by byte: DWARF 5, sections 7.4 (lengths), 7.5.1 (unit headers) and 7.5.3 (abbreviations).

use std::ops::Range;

use object::elf;
use whittle_image::Image;

use crate::elf_file::{Bytes, ElfFile, LAYOUTS, Layout, Section};
use crate::invariants::assert_sound;

type TestResult = Result<(), Box<dyn std::error::Error>>;

/// How long lengths and offsets are.
#[derive(Clone, Copy, Debug)]
struct Format {
    layout: Layout,
    is_64: bool,
}

impl Format {
    /// Every layout of the file with every format of the debug info.
    fn all() -> impl Iterator<Item = Self> {
        LAYOUTS
            .into_iter()
            .flat_map(|layout| [false, true].map(|is_64| Self { layout, is_64 }))
    }

    fn offset(self, bytes: Bytes, value: u64) -> Bytes {
        if self.is_64 {
            bytes.u64(value)
        } else {
            bytes.u32(u32::try_from(value).expect("a small offset"))
        }
    }

    /// Bytes behind their length.
    fn contribution(self, contents: &Bytes) -> Vec<u8> {
        let bytes = self.layout.bytes();
        let bytes = if self.is_64 {
            bytes.u32(u32::MAX)
        } else {
            bytes
        };
        self.offset(bytes, contents.len())
            .slice(&contents.bytes)
            .bytes
    }

    fn length_size(self) -> u64 {
        if self.is_64 { 12 } else { 4 }
    }
}

/// A table with one declaration: a compile unit that has its name by number, a line program, and a place in each section
/// of contributions; then the end of the table.
const ABBREVIATIONS: &[u8] =
    b"\x01\x11\x00\x03\x25\x10\x17\x72\x17\x73\x17\x74\x17\x8c\x01\x17\x00\x00\x00";

/// Where the parts of a unit are in their sections.
#[derive(Clone, Copy, Default)]
struct Offsets {
    abbreviations: u64,
    line: u64,
    strings: u64,
    addr: u64,
    rnglists: u64,
    loclists: u64,
}

/// A unit whose name has the number 1.
fn unit(format: Format, offsets: Offsets) -> Vec<u8> {
    // Version 5, a compile unit, the size of an address.
    let unit = format.layout.bytes().u16(5).slice(b"\x01\x08");
    let unit = format.offset(unit, offsets.abbreviations);
    let mut unit = unit.slice(b"\x01\x01");
    for offset in [
        offsets.line,
        offsets.strings,
        offsets.addr,
        offsets.rnglists,
        offsets.loclists,
    ] {
        unit = format.offset(unit, offset);
    }
    format.contribution(&unit)
}

/// Names 0 and 1 of a unit.
fn str_offsets(format: Format, second: u64) -> Vec<u8> {
    let table = format.layout.bytes().u16(5).u16(0);
    let table = format.offset(table, 0);
    format.contribution(&format.offset(table, second))
}

/// A contribution with so many bytes behind its length.
fn plain(format: Format, len: usize) -> Vec<u8> {
    format.contribution(&format.layout.bytes().u16(5).zeros(len - 2))
}

fn file(format: Format, sections: [(&'static str, Vec<u8>); 8]) -> Vec<u8> {
    let mut file = ElfFile::program(format.layout, elf::EM_X86_64);
    for (name, data) in sections {
        file.push(Section {
            name,
            data,
            ..Section::default()
        });
    }
    file.write()
}

/// The pieces of a unit, by section.
fn pieces(image: &Image<'_>, unit: usize) -> Vec<(String, Range<u64>)> {
    let pieces = image.debug_units[unit].pieces.iter();
    let mut pieces: Vec<_> = pieces
        .map(|(section, range)| {
            (
                image.sections[section.get()].name.to_string(),
                range.clone(),
            )
        })
        .collect();
    pieces.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    pieces
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a small section")
}

#[test]
fn units_have_what_they_point_into() -> TestResult {
    for format in Format::all() {
        // The base of a contribution is behind its header: a length, two bytes of version, and two to eight more.
        let length = format.length_size();
        let tables = [str_offsets(format, 1), str_offsets(format, 7)];
        let (addr, loclists) = (plain(format, 20), plain(format, 12));
        // The first has a header of eight bytes and nothing else: its base is its end.
        let rnglists = [plain(format, 8), plain(format, 30)];
        let lines = [plain(format, 40), plain(format, 50)];
        let first = Offsets {
            abbreviations: 0,
            line: 0,
            strings: length + 4,
            addr: length + 4,
            rnglists: length + 8,
            loclists: length + 8,
        };
        let second = Offsets {
            abbreviations: len(ABBREVIATIONS),
            line: len(&lines[0]),
            strings: len(&tables[0]) + length + 4,
            addr: len(&addr) + length + 4,
            rnglists: len(&rnglists[0]) + length + 8,
            loclists: len(&loclists) + length + 8,
        };
        let units = [unit(format, first), unit(format, second)];
        let bytes = file(
            format,
            [
                (
                    ".debug_abbrev",
                    [ABBREVIATIONS, ABBREVIATIONS, b"rest"].concat(),
                ),
                (".debug_addr", [&addr[..], &addr].concat()),
                (".debug_info", units.concat()),
                (".debug_line", lines.concat()),
                (".debug_loclists", [&loclists[..], &loclists].concat()),
                (".debug_rnglists", rnglists.concat()),
                (".debug_str", b"\0first\0second\0".to_vec()),
                (".debug_str_offsets", tables.concat()),
            ],
        );
        let image = Image::parse(&bytes)?;
        assert_sound(&image);
        assert!(image.warnings.list().is_empty(), "{:?}", image.warnings);
        let names: Vec<_> = image
            .debug_units
            .iter()
            .map(|it| it.name.as_deref())
            .collect();
        assert_eq!(names, [Some("first"), Some("second")], "{format:?}");

        let parts: [(&str, [u64; 2]); 7] = [
            (".debug_abbrev", [len(ABBREVIATIONS); 2]),
            (".debug_addr", [len(&addr); 2]),
            (".debug_info", [len(&units[0]), len(&units[1])]),
            (".debug_line", [len(&lines[0]), len(&lines[1])]),
            (".debug_loclists", [len(&loclists); 2]),
            (".debug_rnglists", [len(&rnglists[0]), len(&rnglists[1])]),
            (".debug_str_offsets", [len(&tables[0]), len(&tables[1])]),
        ];
        let expected = |unit: usize| {
            let ranges = parts.map(|(name, [first, second])| {
                let range = if unit == 0 {
                    0..first
                } else {
                    first..first + second
                };
                (name.to_owned(), range)
            });
            ranges.to_vec()
        };
        assert_eq!(pieces(&image, 0), expected(0), "{format:?}");
        assert_eq!(pieces(&image, 1), expected(1), "{format:?}");
    }
    Ok(())
}

/// The sections of two units that point at the same offsets, or where `second` says.
fn two_units(format: Format, first: Offsets, second: Offsets) -> Vec<u8> {
    file(
        format,
        [
            (".debug_abbrev", ABBREVIATIONS.to_vec()),
            (".debug_addr", plain(format, 20)),
            (
                ".debug_info",
                [unit(format, first), unit(format, second)].concat(),
            ),
            (".debug_line", plain(format, 40)),
            (".debug_loclists", plain(format, 12)),
            (".debug_rnglists", plain(format, 30)),
            (".debug_str", b"\0name\0".to_vec()),
            (".debug_str_offsets", str_offsets(format, 1)),
        ],
    )
}

#[test]
fn what_two_units_use_is_neither_s() -> TestResult {
    for format in Format::all() {
        let length = format.length_size();
        let offsets = Offsets {
            abbreviations: 0,
            line: 0,
            strings: length + 4,
            addr: length + 4,
            rnglists: length + 8,
            loclists: length + 8,
        };
        let bytes = two_units(format, offsets, offsets);
        let image = Image::parse(&bytes)?;
        assert_sound(&image);
        for number in [0, 1] {
            assert_eq!(image.debug_units[number].name.as_deref(), Some("name"));
            let [(section, _)] = &pieces(&image, number)[..] else {
                panic!("one piece");
            };
            assert_eq!(section, ".debug_info");
        }
    }
    Ok(())
}

/// The second unit's line program starts inside the first one's, and all else of it is behind the sections' ends.
#[test]
fn what_overlaps_or_is_outside_is_nobody_s() -> TestResult {
    for format in Format::all() {
        let length = format.length_size();
        let first = Offsets {
            abbreviations: 0,
            line: 0,
            strings: length + 4,
            addr: length + 4,
            rnglists: length + 8,
            loclists: length + 8,
        };
        // Two bytes of version, then zeros: a line program of no bytes starts there.
        let second = Offsets {
            abbreviations: 0x7000,
            line: length + 2,
            strings: 0x7000,
            addr: 0x7000,
            rnglists: 0x7000,
            loclists: 0x7000,
        };
        let bytes = two_units(format, first, second);
        let image = Image::parse(&bytes)?;
        assert_sound(&image);
        assert_eq!(pieces(&image, 0).len(), 7);
        assert_eq!(pieces(&image, 1).len(), 1);
        assert_eq!(image.debug_units[1].name, None);

        // The same with a table that both can use: only the offsets are wrong.
        let second = Offsets {
            abbreviations: 0,
            ..second
        };
        let bytes = two_units(format, first, second);
        let image = Image::parse(&bytes)?;
        assert_sound(&image);
        assert_eq!(pieces(&image, 0).len(), 6);
        assert_eq!(pieces(&image, 1).len(), 1);
    }
    Ok(())
}

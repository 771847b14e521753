//! Object files: COFF of MinGW, Mach-O of both processors, and a COFF object of the big kind made here.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _, ObjectSymbol as _, RelocationTarget as Theirs};
use whittle_code::{ReferenceKind, References};
use whittle_image::{
    Binding, FileKind, Image, RelocationKind, RelocationTarget, SymbolKind, SymbolTable,
};
use whittle_ledger::{Axis, Graph, Kind, Owner};

use crate::fixture::{bytes, sum, unknown_share, with_ledger};
use crate::reach::reached;

const OBJECTS: [&str; 3] = [
    "windows-x86_64-object",
    "macos-aarch64-object",
    "macos-x86_64-object",
];

/// The name that `object` has for a section, as it is here.
fn title(section: &object::Section<'_, '_>) -> String {
    let name = section.name().expect("a name");
    match section.segment_name().expect("a name") {
        Some(segment) => format!("{segment},{name}"),
        None => name.to_owned(),
    }
}

#[test]
fn sections_are_as_large_as_another_reader_says() {
    for name in OBJECTS {
        let bytes = bytes(name);
        let file = object::File::parse(&*bytes).expect("a sound file");
        with_ledger(&bytes, |ledger| {
            assert_eq!(ledger.image().target.kind, FileKind::Object);
            for section in file.sections() {
                let title = title(&section);
                let len = section.file_range().map_or(0, |(_, len)| len);
                assert_eq!(sum(ledger, Axis::Section, &title), len, "{name}: {title}");
            }
        });
    }
}

#[test]
fn symbols_are_those_that_another_reader_finds() {
    for name in OBJECTS {
        let bytes = bytes(name);
        let file = object::File::parse(&*bytes).expect("a sound file");
        let image = Image::parse(&bytes).expect("it is read");
        let ours = image.static_symbols().expect("a table of symbols");
        let defined = |table: &SymbolTable<'_>| {
            let symbols = table.symbols.iter().filter(|symbol| {
                !symbol.undefined && matches!(symbol.kind, SymbolKind::Function | SymbolKind::Data)
            });
            let places = symbols.filter_map(|symbol| {
                let section = image.section(symbol.place?.section)?;
                let name = String::from_utf8_lossy(symbol.name).into_owned();
                Some((name, section.name.to_string(), symbol.place?.offset))
            });
            let mut places: Vec<_> = places.collect();
            places.sort();
            places
        };
        let theirs = file.symbols().filter(|symbol| {
            symbol.is_definition() && symbol.kind() != object::SymbolKind::Section
        });
        let mut theirs: Vec<_> = theirs
            .filter_map(|symbol| {
                let section = file.section_by_index(symbol.section_index()?).ok()?;
                let name = symbol.name().ok()?;
                let name = match file.format() {
                    object::BinaryFormat::MachO => name.strip_prefix('_').unwrap_or(name),
                    _ => name,
                };
                let offset = symbol.address() - section.address();
                Some((name.to_owned(), title(&section), offset))
            })
            .collect();
        theirs.sort();
        assert!(theirs.len() > 5, "{name}");
        assert_eq!(defined(ours), theirs, "{name}");
    }
}

#[test]
fn relocations_name_what_another_reader_says() {
    for name in OBJECTS {
        let bytes = bytes(name);
        let file = object::File::parse(&*bytes).expect("a sound file");
        let image = Image::parse(&bytes).expect("it is read");
        let symbols = &image.static_symbols().expect("a table of symbols").symbols;
        let mut ours: BTreeMap<String, Vec<(u64, String)>> = BTreeMap::new();
        for relocation in image
            .relocation_tables
            .iter()
            .flat_map(|it| &it.relocations)
        {
            let patched = relocation.patched.expect("a place in a section");
            let home = image.section(patched.section).expect("a section");
            if let RelocationTarget::Symbol { index, .. } = relocation.target
                && relocation.kind != RelocationKind::Nothing
            {
                let symbol = &symbols[usize::try_from(index).expect("a small file")];
                let name = String::from_utf8_lossy(symbol.name).into_owned();
                let list = ours.entry(home.name.to_string()).or_default();
                list.push((patched.offset, name));
            }
        }
        let mut count = 0;
        for section in file.sections() {
            let mut theirs = Vec::new();
            for (offset, relocation) in section.relocations() {
                if let Theirs::Symbol(index) = relocation.target() {
                    let symbol = file.symbol_by_index(index).expect("a symbol");
                    let name = symbol.name().expect("a name");
                    let name = match file.format() {
                        object::BinaryFormat::MachO => name.strip_prefix('_').unwrap_or(name),
                        _ => name,
                    };
                    theirs.push((offset, name.to_owned()));
                }
            }
            count += theirs.len();
            let mut ours = ours.remove(&title(&section)).unwrap_or_default();
            ours.sort();
            theirs.sort();
            assert_eq!(ours, theirs, "{name}: {}", title(&section));
        }
        assert!(count > 50, "{name}");
    }
}

#[test]
fn names_say_whose_the_bytes_are() {
    for name in OBJECTS {
        with_ledger(&bytes(name), |ledger| {
            // Objects for macOS on x86-64 have entries of `__eh_frame` of which no relocation says whose they are.
            let share = unknown_share(ledger);
            assert!(share <= 4.0, "{name}: {share} % are unknown");
            // Much of it is generic code of others, compiled for this package.
            let own = sum(ledger, Axis::CompiledIn, "specimen_words");
            assert!(own > 1_000, "{name}: {own} bytes");
            // All that it offers to others counts as used, and that uses the rest.
            let graph = Graph::of(ledger).expect("it adds up");
            let (is, is_not) = reached(&graph)[&Kind::Code];
            assert!(is_not * 20 <= is, "{name}: {is_not} bytes are not reached");
        });
    }
}

/// A record of fields, each a number and its width.
fn record(fields: &[(u64, usize)]) -> Vec<u8> {
    let fields = fields.iter();
    fields
        .flat_map(|&(value, width)| value.to_le_bytes().into_iter().take(width))
        .collect()
}

fn eight(name: &str) -> u64 {
    let mut bytes = [0; 8];
    bytes[..name.len()].copy_from_slice(name.as_bytes());
    u64::from_le_bytes(bytes)
}

/// A big object with a function that calls another by a weak name, and that other one (`winnt.h`,
/// `ANON_OBJECT_HEADER_BIGOBJ`, `IMAGE_SECTION_HEADER`, `IMAGE_RELOCATION`, `IMAGE_SYMBOL_EX`).
fn big_object() -> Vec<u8> {
    const CLASS: [u8; 16] = [
        0xc7, 0xa1, 0xba, 0xd1, 0xee, 0xba, 0xa9, 0x4b, 0xaf, 0x20, 0xfa, 0xf6, 0x6a, 0xa4, 0xdc,
        0xb8,
    ];
    let (header, sections) = (56, 2 * 40);
    let code = header + sections;
    let relocations = code + 16;
    let symbols = relocations + 10;
    let mut file = record(&[(0, 2), (0xffff, 2), (2, 2), (0x8664, 2), (0, 4)]);
    file.extend(CLASS);
    file.extend(record(&[(0, 4), (0, 4), (0, 4), (0, 4)]));
    file.extend(record(&[(2, 4), (symbols, 4), (8, 4)]));
    // Code, executable and readable, of which the first may be another object's.
    let flags = 0x6000_0020;
    for (name, at, count, flags) in [
        (".text$f", code, 1, flags | 0x1000),
        (".text$g", code + 8, 0, flags),
    ] {
        file.extend(record(&[(eight(name), 8), (0, 4), (0, 4), (8, 4), (at, 4)]));
        let relocations = if count > 0 { relocations } else { 0 };
        file.extend(record(&[
            (relocations, 4),
            (0, 4),
            (count, 2),
            (0, 2),
            (flags, 4),
        ]));
    }
    // `call`, `ret`; `ret`
    file.extend([0xe8, 0, 0, 0, 0, 0xc3, 0xcc, 0xcc]);
    file.extend([0xc3, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc, 0xcc]);
    // A distance, at the operand of the call, to the fourth entry.
    file.extend(record(&[(1, 4), (3, 4), (4, 2)]));
    let symbol = |name, value, section: i64, kind, class, aux| {
        record(&[
            (eight(name), 8),
            (value, 4),
            (section.cast_unsigned(), 4),
            (kind, 2),
            (class, 1),
            (aux, 1),
        ])
    };
    file.extend(symbol(".text$f", 0, 1, 0, 3, 1));
    // Any of several objects' section will do.
    file.extend(record(&[
        (8, 4),
        (1, 2),
        (0, 2),
        (0, 4),
        (0, 2),
        (2, 1),
        (0, 5),
    ]));
    file.extend(symbol("caller", 0, 1, 0x20, 2, 0));
    file.extend(symbol("weak", 0, 0, 0x20, 105, 1));
    file.extend(record(&[(5, 4), (3, 4), (0, 8), (0, 4)]));
    file.extend(symbol("default", 0, 2, 0x20, 2, 0));
    file.extend(symbol("zeros", 64, 0, 0, 2, 0));
    file.extend(symbol("other", 0, 0, 0, 2, 0));
    file.extend(record(&[(4, 4)]));
    file
}

#[test]
fn a_big_object_says_what_is_weak_and_what_stands_for_it() {
    let bytes = big_object();
    let theirs = object::File::parse(&*bytes).expect("a sound file");
    assert_eq!(theirs.sections().count(), 2);
    with_ledger(&bytes, |ledger| {
        let image = ledger.image();
        let symbols = &image.static_symbols().expect("a table of symbols").symbols;
        let symbol = |name: &str| {
            let mut symbols = symbols.iter();
            let symbol = symbols.find(|symbol| symbol.name == name.as_bytes());
            symbol.unwrap_or_else(|| panic!("no symbol {name}"))
        };
        assert_eq!(
            symbol("caller").binding,
            Binding::Weak,
            "others may have it"
        );
        assert_eq!(symbol("default").binding, Binding::Global);
        assert_eq!(symbol("weak").binding, Binding::Weak);
        assert!(symbol("weak").undefined && symbol("other").undefined);
        assert!(!symbol("zeros").undefined, "the linker makes them");
        let (from, to) = (symbol("caller").place, symbol("default").place);
        let references = References::find(image);
        let call = references.list().first().expect("a call");
        assert_eq!(call.kind(), ReferenceKind::Call);
        assert_eq!(Some(call.from()), from);
        assert_eq!(Some(call.to()), to);
        let owner = ledger.owner_at(call.to());
        assert!(matches!(owner, Some(Owner::Item(_))), "{owner:?}");
    });
}

#[test]
fn damaged_objects_are_refused_or_add_up() {
    let whole = big_object();
    for len in 0..whole.len() {
        crate::damage::survive(&whole[..len]);
    }
    for at in 0..whole.len() {
        for value in [0, 0x7f, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            crate::damage::survive(&damaged);
        }
    }
}

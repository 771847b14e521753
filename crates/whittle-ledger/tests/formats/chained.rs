//! Mach-O with chained fixups, as linkers write them for macOS 12 and later.

use std::collections::BTreeSet;

use whittle_image::{Image, RelocationTarget, SymbolKind};
use whittle_ledger::Axis;

use crate::fixture::{bytes, sum, with_ledger};

const FILES: [&str; 2] = ["macos-aarch64-chained", "macos-x86_64-chained"];

fn number(bytes: &[u8], at: u64, len: usize) -> u64 {
    let at = usize::try_from(at).expect("a small file");
    let bytes = bytes[at..at + len].iter().rev();
    bytes.fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// The addresses that the chains adjust, and what stands there, read as Apple's `mach-o/fixup-chains.h` says: the first format
/// for 64 bit (`DYLD_CHAINED_PTR_64`) alone, in one segment.
fn chains(image: &Image<'_>) -> BTreeSet<(u64, u64)> {
    let blob = image.section_by_name("(chained fixups)").expect("fixups");
    let blob = blob.stored();
    let starts = number(blob, 4, 4);
    let mut found = BTreeSet::new();
    for segment in 0..number(blob, starts, 4) {
        let info = number(blob, starts + 4 + segment * 4, 4);
        if info == 0 {
            continue;
        }
        let info = starts + info;
        let (page, format) = (number(blob, info + 4, 2), number(blob, info + 6, 2));
        assert_eq!(format, 2, "the format that is read here");
        let offset = number(blob, info + 8, 8);
        let base = image
            .segments
            .iter()
            .map(|segment| segment.address)
            .min()
            .expect("a segment");
        let segments = image.segments.iter();
        let home = segments.clone().find(|it| it.address == base + offset);
        let home = home.expect("the segment of the chains");
        for number_of_page in 0..number(blob, info + 20, 2) {
            let start = number(blob, info + 22 + number_of_page * 2, 2);
            if start == 0xffff {
                continue;
            }
            let mut at = number_of_page * page + start;
            loop {
                let word = number(image.data, home.file_range.start + at, 8);
                // The highest bit says that a name of another file is bound; 36 bits are the address, twelve the step.
                if word >> 63 == 0 {
                    found.insert((home.address + at, word & 0xf_ffff_ffff));
                }
                let step = word >> 51 & 0xfff;
                if step == 0 {
                    break;
                }
                at += step * 4;
            }
        }
    }
    found
}

#[test]
fn chains_are_followed_to_their_end() {
    for name in FILES {
        let bytes = bytes(name);
        with_ledger(&bytes, |ledger| {
            let image = ledger.image();
            let expected = chains(image);
            assert!(expected.len() >= 5, "{name}");
            let table = image.relocation_tables.iter().find(|table| {
                let section = image.section(table.section);
                section.is_some_and(|section| section.name == "(chained fixups)")
            });
            let relocations = &table.expect("a table").relocations;
            let found: BTreeSet<(u64, u64)> = relocations
                .iter()
                .map(|relocation| {
                    let patched = relocation.patched.expect("a place");
                    let RelocationTarget::Address(target) = relocation.target else {
                        panic!("{relocation:?} is no address");
                    };
                    (image.address_of(patched).expect("it is loaded"), target)
                })
                .collect();
            assert_eq!(found, expected, "{name}");
        });
    }
}

#[test]
fn what_a_table_of_functions_holds_is_where_functions_start() {
    for name in FILES {
        let bytes = bytes(name);
        with_ledger(&bytes, |ledger| {
            let image = ledger.image();
            let symbols = image.symbol_tables.iter().flat_map(|table| &table.symbols);
            let functions: BTreeSet<u64> = symbols
                .filter(|symbol| symbol.kind == SymbolKind::Function)
                .map(|symbol| symbol.address)
                .collect();
            let into_code = chains(image)
                .into_iter()
                .filter(|&(_, target)| {
                    let place = image.place_at(target);
                    let section = place.and_then(|place| image.section(place.section));
                    section.is_some_and(|section| section.name == "__TEXT,__text")
                })
                .collect::<Vec<_>>();
            assert!(into_code.len() >= 3, "{name}");
            let references = ledger.references();
            for (from, to) in into_code {
                assert!(functions.contains(&to), "{name}: {to:#x}");
                let from = image.place_at(from).expect("it is loaded");
                let to = image.place_at(to).expect("it is loaded");
                let list = references.within(from, 1).iter();
                assert!(list.map(whittle_code::Reference::to).any(|it| it == to));
            }
            assert!(sum(ledger, Axis::Crate, "specimen_words") > 1_000, "{name}");
        });
    }
}

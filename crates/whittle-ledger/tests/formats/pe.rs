//! PE.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _};
use whittle_image::{RelocationKind, RelocationTarget};
use whittle_ledger::{Axis, Domain, Graph, ItemKind, Kind, Owner};

use crate::fixture::{assert_planted_table, bytes, sum, unknown_share, with_ledger};

#[test]
fn sections_are_as_large_as_another_reader_says() {
    for name in ["windows-x86_64", "windows-x86_64-stripped"] {
        let bytes = bytes(name);
        let file = object::File::parse(&*bytes).expect("a sound file");
        let mut stored: BTreeMap<String, u64> = BTreeMap::new();
        for section in file.sections() {
            let (_, len) = section.file_range().unwrap_or_default();
            let name = section.name().expect("a name").to_owned();
            *stored.entry(name).or_default() += len;
        }
        with_ledger(&bytes, |ledger| {
            for (section, len) in stored {
                assert_eq!(
                    sum(ledger, Axis::Section, &section),
                    len,
                    "{name}: {section}"
                );
            }
        });
    }
}

#[test]
fn names_and_users_say_whose_the_bytes_are() {
    with_ledger(&bytes("windows-x86_64"), |ledger| {
        let share = unknown_share(ledger);
        assert!(share <= 3.0, "{share} % are unknown");
        assert_planted_table(ledger, "specimen_words");
    });
}

#[test]
fn stripped_code_is_cut_into_functions() {
    with_ledger(&bytes("windows-x86_64-stripped"), |ledger| {
        assert!(ledger.image().is_stripped());
        let unknown: u64 = ledger
            .spans(Domain::File)
            .filter(|span| span.kind == Kind::Code && span.owner == Owner::Unknown)
            .map(|span| span.len)
            .sum();
        let all = sum(ledger, Axis::Kind, "code");
        assert!(unknown * 20 <= all, "{unknown} of {all} bytes");
    });
}

/// A program whose linker says (`llvm-readobj --coff-imports --coff-load-config`) where it has slots of imports that are resolved
/// at the first call, and which function may be called through pointers.
#[test]
fn imports_at_the_first_call_and_guard_tables_are_read() {
    with_ledger(&bytes("windows-x86_64-delayed"), |ledger| {
        let image = ledger.image();
        let imports: Vec<(&[u8], u64)> = image
            .relocation_tables
            .iter()
            .filter_map(|table| Some((table, &image.symbol_tables[table.symbols?].symbols)))
            .flat_map(|(table, symbols)| table.relocations.iter().map(move |it| (it, symbols)))
            .filter(|(relocation, _)| relocation.kind == RelocationKind::Slot)
            .filter_map(|(relocation, symbols)| {
                let RelocationTarget::Symbol { index, .. } = relocation.target else {
                    return None;
                };
                let symbol = &symbols[usize::try_from(index).ok()?];
                Some((symbol.name, image.address_of(relocation.patched?)?))
            })
            .collect();
        assert_eq!(
            imports,
            [
                (&b"ExitProcess"[..], 0x1_4000_3018),
                (b"GetTickCount", 0x1_4000_3020)
            ]
        );
        let table = image.place_at(0x1_4000_2108).expect("it is loaded");
        let listed = image.descriptions.iter().find(|it| it.place == table);
        let listed = listed.expect("an entry of the table");
        assert_eq!(listed.len, 4);
        assert_eq!(image.address_of(listed.of), Some(0x1_4000_100d));
        assert_eq!(ledger.owner_at(table), ledger.owner_at(listed.of));
        let graph = Graph::of(ledger).expect("it adds up");
        for node in graph.nodes() {
            if let Some(Owner::Item(item)) = graph.owner(node)
                && ledger.item(item).kind == ItemKind::Import
            {
                assert!(graph.is_reachable(node), "{}", ledger.item_name(item));
            }
        }
    });
}

//! PE.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSection as _};
use whittle_ledger::{Axis, Domain, Kind, Owner};

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

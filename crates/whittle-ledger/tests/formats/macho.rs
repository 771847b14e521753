//! Mach-O.

use object::{Object as _, ObjectSection as _};
use whittle_ledger::{Axis, Domain, Kind, Owner};

use crate::fixture::{assert_planted_table, bytes, sum, unknown_share, with_ledger};

#[test]
fn sections_are_as_large_as_another_reader_says() {
    for name in [
        "macos-aarch64",
        "macos-aarch64-stripped",
        "macos-x86_64",
        "macos-x86_64-stripped",
    ] {
        let bytes = bytes(name);
        let file = object::File::parse(&*bytes).expect("a sound file");
        with_ledger(&bytes, |ledger| {
            for section in file.sections() {
                let segment = section.segment_name().expect("a name").unwrap_or_default();
                let title = format!("{segment},{}", section.name().expect("a name"));
                let len = section.file_range().map_or(0, |(_, len)| len);
                assert_eq!(sum(ledger, Axis::Section, &title), len, "{name}: {title}");
            }
        });
    }
}

#[test]
fn names_and_users_say_whose_the_bytes_are() {
    for name in ["macos-aarch64", "macos-x86_64"] {
        with_ledger(&bytes(name), |ledger| {
            let share = unknown_share(ledger);
            assert!(share <= 3.0, "{name}: {share} % are unknown");
            assert_planted_table(ledger, "specimen_words");
        });
    }
}

#[test]
fn stripped_code_is_cut_into_functions() {
    for name in ["macos-aarch64-stripped", "macos-x86_64-stripped"] {
        with_ledger(&bytes(name), |ledger| {
            assert!(ledger.image().is_stripped());
            let unknown: u64 = ledger
                .spans(Domain::File)
                .filter(|span| span.kind == Kind::Code && span.owner == Owner::Unknown)
                .map(|span| span.len)
                .sum();
            let all = sum(ledger, Axis::Kind, "code");
            assert!(unknown * 20 <= all, "{name}: {unknown} of {all} bytes");
        });
    }
}

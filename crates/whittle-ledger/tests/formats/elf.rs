//! ELF for another processor than the one the tests run on, as the measure for the other formats.

use object::{Object as _, ObjectSection as _};
use whittle_ledger::Axis;

use crate::fixture::{assert_planted_table, bytes, sum, with_ledger};

#[test]
fn sections_are_as_large_as_another_reader_says() {
    for name in ["linux-aarch64", "linux-aarch64-stripped"] {
        let bytes = bytes(name);
        let file = object::File::parse(&*bytes).expect("a sound file");
        with_ledger(&bytes, |ledger| {
            for section in file.sections() {
                let title = section.name().expect("a name");
                let len = section.file_range().map_or(0, |(_, len)| len);
                assert_eq!(sum(ledger, Axis::Section, title), len, "{name}: {title}");
            }
        });
    }
}

#[test]
fn a_table_of_known_size_is_found_whole() {
    with_ledger(&bytes("linux-aarch64"), |ledger| {
        assert_planted_table(ledger, "specimen_words");
    });
}

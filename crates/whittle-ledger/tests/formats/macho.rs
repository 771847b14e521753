//! Mach-O.

use object::{Object as _, ObjectSection as _, ObjectSymbol as _};
use whittle_code::References;
use whittle_image::Image;
use whittle_image::link_map::LinkMap;
use whittle_ledger::{Axis, Certainty, Domain, Kind, Ledger, Owner, Source, Witnesses};

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

/// The map that a linker would have written for a program, by the symbols of its code: what bears the name of the other
/// crate comes from that crate's library file.
fn map_of(file: &object::File<'_>) -> String {
    use std::fmt::Write as _;
    let text = file.section_by_name("__text").expect("code");
    let (start, len) = (text.address(), text.size());
    let mut symbols: Vec<(u64, &str)> = file
        .symbols()
        .filter(object::ObjectSymbol::is_definition)
        .filter(|symbol| (start..start + len).contains(&symbol.address()))
        .map(|symbol| (symbol.address(), symbol.name().expect("UTF-8")))
        .collect();
    symbols.sort_unstable();
    symbols.dedup_by_key(|(address, _)| *address);
    let mut map = format!(
        "# Path: specimen\n# Arch: x86_64\n# Object files:\n[  0] linker synthesized\n[  1] /p/specimen-1.o\n\
         [  2] /p/deps/libspecimen_words-2.rlib(words.o)\n\
         # Sections:\n# Address\tSize    \tSegment\tSection\n{start:#X}\t{len:#X}\t__TEXT\t__text\n\
         # Symbols:\n# Address\tSize    \tFile  Name\n"
    )
    .replace("0X", "0x");
    for (number, (address, name)) in symbols.iter().enumerate() {
        let next = symbols.get(number + 1).map_or(start + len, |next| next.0);
        let object = if name.contains("specimen_words") {
            2
        } else {
            1
        };
        // Writing to a string cannot fail.
        let _ = writeln!(
            map,
            "0x{address:X}\t0x{:X}\t[  {object}] {name}",
            next - address
        );
    }
    map
}

#[test]
fn a_map_says_where_functions_were_compiled() {
    for name in ["macos-aarch64", "macos-x86_64"] {
        let bytes = bytes(name);
        let map = map_of(&object::File::parse(&*bytes).expect("a sound file"));
        let map = LinkMap::parse(map.as_bytes()).expect("a map");
        assert_eq!(map.skipped_lines(), 0);
        let image = Image::parse(&bytes).expect("it is read");
        let references = References::find(&image);
        let witnesses = Witnesses {
            link_map: Some(&map),
            ..Witnesses::none()
        };
        let ledger = Ledger::build(&image, &witnesses, &references).expect("it adds up");
        let text = image.section_by_name("__TEXT,__text").expect("code");
        let mut of_words = 0;
        for span in ledger.spans(Domain::File) {
            if span.place.is_none_or(|place| place.section != text.index) {
                continue;
            }
            assert_eq!(span.certainty, Certainty::Exact, "{name}: {span:?}");
            let compiled = ledger.compiled_in(span.owner);
            let label = &ledger.crates()[compiled.value.index()].label;
            if compiled.source == Source::LinkMap && label == "specimen_words" {
                of_words += span.len;
            }
        }
        let of_library = map.sections().iter().filter(|section| {
            let object = section.object.map(|object| map.object(object));
            object.is_some_and(|object| object.member.is_some())
        });
        let expected: u64 = of_library.map(|section| section.size).sum();
        assert!(expected > 0);
        // Functions without a name start where the map, too, has none.
        assert!(
            of_words <= expected && of_words * 10 >= expected * 9,
            "{name}: {of_words} of {expected}"
        );
    }
}

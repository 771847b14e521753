//! Every text that `rustc-demangle` writes, this crate writes too.

use proptest::prelude::*;
use rustc_demangle::try_demangle;
use whittle_names::{Name, Scheme};

use super::grammar::{self, Encoder};

/// Compares both texts; returns whether the judge knows the name.
pub fn agree(symbol: &str) -> bool {
    let name = Name::parse(symbol);
    let Ok(judge) = try_demangle(symbol) else {
        if let Some(name) = name.filter(|name| name.scheme() != Scheme::Cpp) {
            let is_linkers_own = name.suffix().starts_with(['$', '@']);
            assert!(is_linkers_own, "{symbol} is accepted here alone");
        }
        return false;
    };
    let name = name.unwrap_or_else(|| panic!("{symbol} is refused here alone"));
    if name.scheme() != Scheme::Cpp {
        assert_eq!(name.to_string(), judge.to_string(), "{symbol}");
        assert_eq!(format!("{name:#}"), format!("{judge:#}"), "{symbol}");
    }
    true
}

/// Equal to the judge where it prints what only this crate escapes.
fn agree_unless_escaped(symbol: &str) {
    let is_raw = |c: char| c.is_control() || c.escape_debug().len() > 2;
    let shows_raw = try_demangle(symbol).is_ok_and(|judge| judge.to_string().contains(is_raw));
    if !shows_raw {
        agree(symbol);
    }
}

#[test]
fn known_names_read_as_rustc_demangle_reads_them() {
    let names = include_str!("known.txt");
    let mut count = 0;
    for name in names.lines().filter(|line| !line.starts_with('#')) {
        assert!(agree(name), "the judge refuses {name}");
        count += 1;
    }
    assert!(count > 100, "only {count} names in the list");
}

/// The shortest input of each kind of damage and of syntax that fuzzing came upon.
#[test]
fn names_found_by_fuzzing_read_as_rustc_demangle_reads_them() {
    let names: Vec<&str> = include_str!("fuzzed.txt").lines().collect();
    assert!(names.len() > 40, "only {} names in the list", names.len());
    for name in names {
        assert!(Name::parse(name).is_some(), "{name}");
        agree_unless_escaped(name);
    }
}

#[test]
fn prefixes_of_all_platforms_are_accepted() {
    for prefix in ["_", "__", ""] {
        assert!(agree(&format!("{prefix}RNvC6_123foo3bar")));
        assert!(agree(&format!("{prefix}ZN3foo3bar17h05af221e174051e9E")));
    }
    for symbol in [
        "main",
        "",
        "_",
        "R",
        "_R",
        "__R",
        "_ZN",
        "_ZNE",
        "_RC",
        "ZN",
        "_ZN3fooE.llvm moocow",
    ] {
        agree(symbol);
    }
}

#[test]
fn suffixes_are_split_off() {
    let cases = [
        ("", ""),
        (".llvm.9D1C9369", ""),
        (".llvm.9D1C9369@@16", ""),
        (".llvm.", ""),
        (".cold", ".cold"),
        (".part.0", ".part.0"),
        (".isra.0.constprop.1", ".isra.0.constprop.1"),
        (".cold.llvm.123", ".cold"),
        // Not digits alone: the judge takes the whole as a suffix, and so does this crate.
        (".llvm.123.cold", ".llvm.123.cold"),
        (".llvm.1.llvm.2", ".llvm.1.llvm.2"),
    ];
    for stem in ["_RNvC3foo3bar", "_ZN3foo3bar17h05af221e174051e9E"] {
        for (suffix, printed) in cases {
            let symbol = format!("{stem}{suffix}");
            assert!(agree(&symbol), "{symbol}");
            let name = Name::parse(&symbol).expect("the judge reads it");
            assert_eq!(name.suffix(), suffix);
            assert_eq!(format!("{name:#}"), format!("foo::bar{printed}"));
            assert_eq!(name.family().to_string(), "foo::bar");
        }
        for suffix in ["$got", "@@VERSION_1", "@VERSION_1"] {
            let symbol = format!("{stem}{suffix}");
            let name = Name::parse(&symbol).expect("a suffix of the specification or of a linker");
            assert_eq!(name.suffix(), suffix);
        }
        for no_suffix in ["x", " ", ".a b", ".\u{7f}", ".é"] {
            let symbol = format!("{stem}{no_suffix}");
            assert!(!agree(&symbol));
            // What follows a nested C++ name are the types of its parameters.
            let scheme = Name::parse(&symbol).map(|name| name.scheme());
            assert!(matches!(scheme, None | Some(Scheme::Cpp)), "{symbol}");
        }
    }
}

proptest! {
    #[test]
    fn v0_names_read_as_rustc_demangle_reads_them(
        path in grammar::path(),
        instantiating in proptest::option::of("[a-z]{1,6}"),
    ) {
        let mut encoder = Encoder::default();
        let defining = encoder.path(&path);
        if let Some(name) = &instantiating {
            encoder.path(&grammar::Path::Crate(name.clone(), Some(7)));
        }
        let symbol = format!("_R{}", encoder.text);
        // The grammar is right if the judge reads what it generates.
        prop_assert!(try_demangle(&symbol).is_ok(), "{symbol}");
        agree_unless_escaped(&symbol);

        let name = Name::parse(&symbol).expect("the judge reads it");
        let found = name.defining_crate().exact().expect("a path has a root");
        prop_assert_eq!(found.name, defining.trim_start_matches('-'));
        let found = name.instantiating_crate();
        prop_assert_eq!(found.map(|found| found.name), instantiating.as_deref());
        prop_assert_eq!(found.and_then(|found| found.disambiguator), instantiating.map(|_| 8));
    }

    #[test]
    fn families_do_not_depend_on_arguments(
        base in grammar::path(),
        one in grammar::arguments(),
        other in grammar::arguments(),
    ) {
        let texts = |arguments: &[grammar::Argument]| {
            let generic = grammar::Path::Generic(Box::new(base.clone()), arguments.to_vec());
            let mut encoder = Encoder::default();
            encoder.path(&generic);
            let symbol = format!("_R{}", encoder.text);
            let name = Name::parse(&symbol).expect("it follows the grammar");
            (name.family().to_string(), name.definition().to_string())
        };
        prop_assert_eq!(texts(&one), texts(&other));
    }

    #[test]
    fn text_that_looks_like_v0_reads_as_rustc_demangle_reads_it(
        body in "(C|N[tvC]|M|X|Y|I|B|[A-Z]|[a-z]|s|_|[0-9]|1a|E|K|L|T|R|0_){0,24}",
    ) {
        agree_unless_escaped(&format!("_R{body}"));
    }

    #[test]
    fn text_that_looks_like_legacy_reads_as_rustc_demangle_reads_it(
        body in r"(1a|4_\$LT|\$|\.|\.\.|_|[0-9]|u7b|LT|GT|3abc|E|17h0123456789abcdef){0,16}(17h0123456789abcdef)?E?",
    ) {
        agree_unless_escaped(&format!("_ZN{body}"));
    }

    #[test]
    fn any_text_reads_as_rustc_demangle_reads_it(prefix in "(_R|_ZN|__R|R|ZN|_Z)?", body in ".{0,40}") {
        agree_unless_escaped(&format!("{prefix}{body}"));
    }

    #[test]
    fn legacy_names_read_as_rustc_demangle_reads_them(
        segments in prop::collection::vec(
            r"[a-z]{1,5}|_?(\$(LT|GT|RF|BP|LP|RP|C|SP|u20|u7b|u27|u3b1|u202e|u|ufffff|XX)\$|[a-z]{1,3}|\.\.|\.|_|\$){0,8}",
            1..5,
        ),
        hash in any::<u64>(),
    ) {
        let path: Vec<_> = segments.iter().map(|one| format!("{}{one}", one.len())).collect();
        let path = path.concat();
        agree_unless_escaped(&format!("_ZN{path}17h{hash:016x}E"));
    }
}

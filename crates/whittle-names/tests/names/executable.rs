//! The names that the compiler of this test gave to the functions in this very executable.

use std::collections::BTreeMap;

use object::{Object as _, ObjectSymbol as _};
use whittle_names::{DefiningCrate, Name, Scheme};

fn symbols() -> Vec<String> {
    let path = std::env::current_exe().expect("this test runs from a file");
    let bytes = std::fs::read(path).expect("this test can read its own file");
    let file = object::File::parse(&*bytes).expect("this test is an object file");
    let names = file
        .symbols()
        .filter_map(|symbol| Some(symbol.name().ok()?.to_owned()));
    names.collect()
}

#[test]
fn own_symbols_read_as_rustc_demangle_reads_them() {
    let read = symbols()
        .iter()
        .filter(|symbol| super::judge::agree(symbol))
        .count();
    assert!(read > 1000, "only {read} Rust names in this executable");
}

#[test]
fn own_functions_are_this_crates() {
    #[inline(never)]
    fn planted_for_the_test() -> u32 {
        std::hint::black_box(7)
    }
    assert_eq!(planted_for_the_test(), 7);

    let symbols = symbols();
    let planted: Vec<Name<'_>> = symbols
        .iter()
        .filter_map(|symbol| Name::parse(symbol))
        .filter(|name| {
            name.family()
                .to_string()
                .ends_with("::planted_for_the_test")
        })
        .collect();
    assert!(!planted.is_empty(), "the planted function has a symbol");
    for name in planted {
        let crate_ = name.defining_crate().exact().expect("a free function");
        assert_eq!(crate_.name, env!("CARGO_CRATE_NAME"));
        assert!(name.module().to_string().starts_with("names::executable"));
    }
}

#[test]
fn defining_crates_exist() {
    let symbols = symbols();
    let mut found: BTreeMap<&str, u32> = BTreeMap::new();
    let mut exact = 0_u32;
    let mut unsure = 0_u32;
    for name in symbols.iter().filter_map(|symbol| Name::parse(symbol)) {
        if name.scheme() == Scheme::Cpp {
            continue;
        }
        match name.defining_crate() {
            DefiningCrate::Exact(crate_) => {
                exact += 1;
                *found.entry(crate_.name).or_default() += 1;
            }
            _ => unsure += 1,
        }
    }
    for linked in [
        "core",
        "alloc",
        "std",
        "whittle_names",
        "rustc_demangle",
        "proptest",
        "names",
    ] {
        assert!(
            found.contains_key(linked),
            "{linked} is not among {found:?}"
        );
    }
    // A wrong split of the text would invent crates; this executable is linked from some forty.
    assert!(found.len() < 80, "{found:?}");
    assert!(
        unsure * 10 < exact,
        "{unsure} of {exact} names leave their crate open"
    );
}

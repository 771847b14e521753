//! What is found out about names whose source is known.

use whittle_names::{CrateRef, DefiningCrate, Genericity, Name, Scheme, Shape};

fn parse(symbol: &str) -> Name<'_> {
    Name::parse(symbol).unwrap_or_else(|| panic!("{symbol} is a name"))
}

/// A legacy name of these decoded segments.
pub fn legacy(segments: &[&str]) -> String {
    let mut symbol = "_ZN".to_owned();
    for segment in segments {
        let mut escaped = String::new();
        for c in segment.replace("::", "..").chars() {
            match c {
                '<' => escaped.push_str("$LT$"),
                '>' => escaped.push_str("$GT$"),
                '&' => escaped.push_str("$RF$"),
                '*' => escaped.push_str("$BP$"),
                '(' => escaped.push_str("$LP$"),
                ')' => escaped.push_str("$RP$"),
                ',' => escaped.push_str("$C$"),
                '-' => escaped.push('.'),
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' => escaped.push(c),
                other => escaped.push_str(&format!("$u{:x}$", u32::from(other))),
            }
        }
        if escaped.starts_with('$') {
            escaped.insert(0, '_');
        }
        symbol.push_str(&format!("{}{escaped}", escaped.len()));
    }
    symbol + "17h0123456789abcdefE"
}

const fn exact(name: &str) -> DefiningCrate<'_> {
    DefiningCrate::Exact(CrateRef {
        name,
        disambiguator: None,
    })
}

const fn one_of<'a>(self_type: Option<&'a str>, trait_: Option<&'a str>) -> DefiningCrate<'a> {
    const fn named(name: Option<&str>) -> Option<CrateRef<'_>> {
        match name {
            Some(name) => Some(CrateRef {
                name,
                disambiguator: None,
            }),
            None => None,
        }
    }
    DefiningCrate::OneOf {
        self_type: named(self_type),
        trait_: named(trait_),
    }
}

/// What a v0 name is made of: `symbol`, then the short text, family, module, arguments, trait.
struct Case {
    symbol: &'static str,
    short: &'static str,
    family: &'static str,
    module: &'static str,
    arguments: &'static str,
    trait_: &'static str,
    defining: &'static str,
    instantiating: Option<&'static str>,
    shape: Shape,
    genericity: Genericity,
}

const CASES: &[Case] = &[
    Case {
        symbol: "_RNvNtCs1_7mycrate3abc3foo",
        short: "mycrate::abc::foo",
        family: "mycrate::abc::foo",
        module: "mycrate::abc",
        arguments: "",
        trait_: "",
        defining: "mycrate",
        instantiating: None,
        shape: Shape::Function,
        genericity: Genericity::Plain,
    },
    // A method of an inherent block in another module than the type's.
    Case {
        symbol: "_RNvMNtCs1_7mycrate6blocksINtNtB4_5types6HolderhE4takeCs2_4user",
        short: "<mycrate::types::Holder<u8>>::take",
        family: "mycrate::types::Holder::take",
        module: "mycrate::blocks",
        arguments: "<Self = mycrate::types::Holder<u8>>",
        trait_: "",
        defining: "mycrate",
        instantiating: Some("user"),
        shape: Shape::Function,
        genericity: Genericity::Generic,
    },
    // A trait's block in a crate that has neither the type nor the trait would be against the orphan rules, but the
    // symbol alone decides.
    Case {
        symbol: "_RINvXs0_NtCs1_7mycrate6blocksINtNtCs2_5alloc3vec3VecmEINtNtCs3_4core4iter6ExtendRmE6extendINtNtCs3_4core4iter4IterlEECs4_4user",
        short: "<alloc::vec::Vec<u32> as core::iter::Extend<&u32>>::extend::<core::iter::Iter<i32>>",
        family: "<alloc::vec::Vec as core::iter::Extend>::extend",
        module: "mycrate::blocks",
        arguments: "<Self = alloc::vec::Vec<u32>> <&u32> <core::iter::Iter<i32>>",
        trait_: "core::iter::Extend",
        defining: "mycrate",
        instantiating: Some("user"),
        shape: Shape::Function,
        genericity: Genericity::Generic,
    },
    // Provided by the trait.
    Case {
        symbol: "_RINvYNtCs1_4demo7CounterNtNtNtNtCs2_4core4iter6traits8iterator8Iterator3mapmNCNvCs1_4demo4main0ECs1_4demo",
        short: "<demo::Counter as core::iter::traits::iterator::Iterator>::map::<u32, demo::main::{closure#0}>",
        family: "core::iter::traits::iterator::Iterator::map",
        module: "core::iter::traits::iterator",
        arguments: "<Self = demo::Counter> <u32, demo::main::{closure#0}>",
        trait_: "",
        defining: "core",
        instantiating: Some("demo"),
        shape: Shape::Function,
        genericity: Genericity::Generic,
    },
    // A blanket block: `core` cannot name the type.
    Case {
        symbol: "_RNvXNtCs2_4core3anyNtCs1_4demo7CounterNtB2_3Any7type_idCs1_4demo",
        short: "<demo::Counter as core::any::Any>::type_id",
        family: "<_ as core::any::Any>::type_id",
        module: "core::any",
        arguments: "<Self = demo::Counter>",
        trait_: "core::any::Any",
        defining: "core",
        instantiating: Some("demo"),
        shape: Shape::Function,
        genericity: Genericity::Generic,
    },
    Case {
        symbol: "_RNvXs1_NtCs2_4core3fmtRNtCs1_4demo7CounterNtB5_5Debug3fmtCs1_4demo",
        short: "<&demo::Counter as core::fmt::Debug>::fmt",
        family: "<&_ as core::fmt::Debug>::fmt",
        module: "core::fmt",
        arguments: "<Self = &demo::Counter>",
        trait_: "core::fmt::Debug",
        defining: "core",
        instantiating: Some("demo"),
        shape: Shape::Function,
        genericity: Genericity::Generic,
    },
    Case {
        symbol: "_RNvXCs1_4demoTmmENtB2_3Two3two",
        short: "<(u32, u32) as demo::Two>::two",
        family: "<(_, _) as demo::Two>::two",
        module: "demo",
        arguments: "<Self = (u32, u32)>",
        trait_: "demo::Two",
        defining: "demo",
        instantiating: None,
        shape: Shape::Function,
        genericity: Genericity::Plain,
    },
    Case {
        symbol: "_RNCNvMs_NtCs1_4demo5shapeNtB6_6Square4areas_0",
        short: "<demo::shape::Square>::area::{closure#1}",
        family: "demo::shape::Square::area::{closure#1}",
        module: "demo::shape",
        arguments: "",
        trait_: "",
        defining: "demo",
        instantiating: None,
        shape: Shape::Closure,
        genericity: Genericity::Plain,
    },
    Case {
        symbol: "_RINvNtCs2_4core3ptr13drop_in_placeSNtNtCs3_5alloc6string6StringECs1_4demo",
        short: "core::ptr::drop_in_place::<[alloc::string::String]>",
        family: "core::ptr::drop_in_place",
        module: "core::ptr",
        arguments: "<[alloc::string::String]>",
        trait_: "",
        defining: "core",
        instantiating: Some("demo"),
        shape: Shape::DropGlue,
        genericity: Genericity::Generic,
    },
    Case {
        symbol: "_RINvNtCs2_4core3ptr9drop_glueNtNtCs3_5alloc6string6StringECs1_4demo",
        short: "core::ptr::drop_glue::<alloc::string::String>",
        family: "core::ptr::drop_glue",
        module: "core::ptr",
        arguments: "<alloc::string::String>",
        trait_: "",
        defining: "core",
        instantiating: Some("demo"),
        shape: Shape::DropGlue,
        genericity: Genericity::Generic,
    },
    Case {
        symbol: "_RNSNvYNCNvCs1_4demo4main0INtNtNtCs2_4core3ops8function6FnOnceuE9call_once6vtableB8_",
        short: "<demo::main::{closure#0} as core::ops::function::FnOnce<()>>::call_once::{shim:vtable#0}",
        family: "core::ops::function::FnOnce::call_once::{shim:vtable#0}",
        module: "core::ops::function",
        arguments: "<Self = demo::main::{closure#0}> <()>",
        trait_: "",
        defining: "core",
        instantiating: Some("demo"),
        shape: Shape::VtableShim,
        genericity: Genericity::Generic,
    },
    Case {
        symbol: "_RNvYNCNvCs1_4demo4main0INtNtNtCs2_4core3ops8function6FnOnceuE9call_onceB6_",
        short: "<demo::main::{closure#0} as core::ops::function::FnOnce<()>>::call_once",
        family: "core::ops::function::FnOnce::call_once",
        module: "core::ops::function",
        arguments: "<Self = demo::main::{closure#0}> <()>",
        trait_: "",
        defining: "core",
        instantiating: Some("demo"),
        shape: Shape::FnOnceShim,
        genericity: Genericity::Generic,
    },
    Case {
        symbol: "_RNSNvCs1_4demo4work5reify",
        short: "demo::work::{shim:reify#0}",
        family: "demo::work::{shim:reify#0}",
        module: "demo",
        arguments: "",
        trait_: "",
        defining: "demo",
        instantiating: None,
        shape: Shape::ReifyShim,
        genericity: Genericity::Plain,
    },
    Case {
        symbol: "_RNSNvCs1_4demo5STATE3tls",
        short: "demo::STATE::{shim:tls#0}",
        family: "demo::STATE::{shim:tls#0}",
        module: "demo",
        arguments: "",
        trait_: "",
        defining: "demo",
        instantiating: None,
        shape: Shape::ThreadLocalShim,
        genericity: Genericity::Plain,
    },
    Case {
        symbol: "_RNcNtINtNtCs2_4core6option6OptionmE4Some0Cs1_4demo",
        short: "core::option::Option::<u32>::Some",
        family: "core::option::Option::Some",
        module: "core::option",
        arguments: "<u32>",
        trait_: "",
        defining: "core",
        instantiating: Some("demo"),
        shape: Shape::Constructor,
        genericity: Genericity::Generic,
    },
    Case {
        symbol: "_RNvNvNtCs1_4demo5cache3get7ENTRIES",
        short: "demo::cache::get::ENTRIES",
        family: "demo::cache::get::ENTRIES",
        module: "demo::cache",
        arguments: "",
        trait_: "",
        defining: "demo",
        instantiating: None,
        shape: Shape::Static,
        genericity: Genericity::Plain,
    },
];

#[test]
fn v0_names_are_taken_apart() {
    for case in CASES {
        let symbol = case.symbol;
        let name = parse(symbol);
        assert!(super::judge::agree(symbol));
        assert_eq!(name.scheme(), Scheme::V0);
        assert_eq!(name.short().to_string(), case.short);
        assert_eq!(name.family().to_string(), case.family);
        assert_eq!(name.module().to_string(), case.module, "{name:#}");
        assert_eq!(name.arguments().to_string(), case.arguments, "{name:#}");
        assert_eq!(
            name.implemented_trait().to_string(),
            case.trait_,
            "{name:#}"
        );
        let defining = name.defining_crate().exact().expect("a v0 path has a root");
        assert_eq!(defining.name, case.defining, "{name:#}");
        let instantiating = name.instantiating_crate().map(|found| found.name);
        assert_eq!(instantiating, case.instantiating, "{name:#}");
        assert_eq!(name.shape(), case.shape, "{name:#}");
        assert_eq!(name.genericity(), case.genericity, "{name:#}");
    }
}

/// Segments, then family, module, trait, crate, shape.
type LegacyCase = (
    &'static [&'static str],
    &'static str,
    &'static str,
    &'static str,
    DefiningCrate<'static>,
    Shape,
);

const LEGACY_CASES: &[LegacyCase] = &[
    (
        &["mycrate", "abc", "foo"],
        "mycrate::abc::foo",
        "mycrate::abc",
        "",
        exact("mycrate"),
        Shape::Function,
    ),
    (
        &["alloc", "vec", "Vec<T,A>", "push"],
        "alloc::vec::Vec::push",
        "alloc::vec",
        "",
        exact("alloc"),
        Shape::Function,
    ),
    // `core` cannot name `alloc`, so the block is not beside the trait.
    (
        &["<alloc::vec::Vec<T> as core::iter::Extend<&T>>", "extend"],
        "<alloc::vec::Vec as core::iter::Extend>::extend",
        "alloc::vec",
        "core::iter::Extend",
        exact("alloc"),
        Shape::Function,
    ),
    (
        &["<core::option::Option<T> as serde::Serialize>", "serialize"],
        "<core::option::Option as serde::Serialize>::serialize",
        "serde",
        "serde::Serialize",
        exact("serde"),
        Shape::Function,
    ),
    (
        &[
            "<&mut json::Writer<W> as serde::Serializer>",
            "serialize_u8",
        ],
        "<&mut json::Writer as serde::Serializer>::serialize_u8",
        "json",
        "serde::Serializer",
        one_of(Some("json"), Some("serde")),
        Shape::Function,
    ),
    (
        &["<(A,json::Value) as serde::Serialize>", "serialize"],
        "<(A,json::Value) as serde::Serialize>::serialize",
        "serde",
        "serde::Serialize",
        one_of(None, Some("serde")),
        Shape::Function,
    ),
    (
        &["<&T as core::fmt::Debug>", "fmt"],
        "<&T as core::fmt::Debug>::fmt",
        "core::fmt",
        "core::fmt::Debug",
        exact("core"),
        Shape::Function,
    ),
    (
        &["<(A,B) as core::fmt::Debug>", "fmt"],
        "<(A,B) as core::fmt::Debug>::fmt",
        "core::fmt",
        "core::fmt::Debug",
        exact("core"),
        Shape::Function,
    ),
    (
        &["<dyn core::any::Any>", "downcast_ref"],
        "<dyn core::any::Any>::downcast_ref",
        "core::any",
        "",
        exact("core"),
        Shape::Function,
    ),
    (
        &["<[T] as demo::All>", "all", "{{closure}}"],
        "<[T] as demo::All>::all::{{closure}}",
        "demo",
        "demo::All",
        exact("demo"),
        Shape::Closure,
    ),
    // A type that is local to a method of a block: only that block's crate can name it.
    (
        &[
            "<<json::Number as core::fmt::Display>::fmt::Dot as core::fmt::Write>",
            "write_char",
        ],
        "<<json::Number as core::fmt::Display>::fmt::Dot as core::fmt::Write>::write_char",
        "json",
        "core::fmt::Write",
        exact("json"),
        Shape::Function,
    ),
    (
        &[
            "<logs::_::<impl serde::Deserialize for logs::Entry>::deserialize::Visitor as serde::de::Visitor>",
            "visit_map",
        ],
        "<logs::_::<impl serde::Deserialize for logs::Entry>::deserialize::Visitor as serde::de::Visitor>::visit_map",
        "logs",
        "serde::de::Visitor",
        exact("logs"),
        Shape::Function,
    ),
    // The arrow's bracket closes nothing.
    (
        &["<fn(A) -> B as demo::Call<fn() -> u8>>", "call"],
        "<fn(A) .> B as demo::Call>::call",
        "demo",
        "demo::Call",
        one_of(None, Some("demo")),
        Shape::Function,
    ),
    (
        &[
            "core",
            "slice",
            "<impl core::iter::IntoIterator for &'a [T]>",
            "into_iter",
        ],
        "core::slice::<impl core::iter::IntoIterator for &'a [T]>::into_iter",
        "core::slice",
        "core::iter::IntoIterator",
        exact("core"),
        Shape::Function,
    ),
    (
        &["core", "slice", "<impl [T]>", "len"],
        "core::slice::<impl [T]>::len",
        "core::slice",
        "",
        exact("core"),
        Shape::Function,
    ),
    (
        &["demo", "main", "{{closure}}", "{{closure}}"],
        "demo::main::{{closure}}::{{closure}}",
        "demo",
        "",
        exact("demo"),
        Shape::Closure,
    ),
    (
        &["core", "ptr", "drop_in_place<alloc::vec::Vec<u8>>"],
        "core::ptr::drop_in_place",
        "core::ptr",
        "",
        exact("core"),
        Shape::DropGlue,
    ),
    (
        &[
            "core",
            "ops",
            "function",
            "FnOnce",
            "call_once{{vtable.shim}}",
        ],
        "core::ops::function::FnOnce::call_once{{vtable.shim}}",
        "core::ops::function",
        "",
        exact("core"),
        Shape::VtableShim,
    ),
    (
        &["core", "ops", "function", "FnOnce", "call_once"],
        "core::ops::function::FnOnce::call_once",
        "core::ops::function",
        "",
        exact("core"),
        Shape::FnOnceShim,
    ),
    (
        &["core", "ops", "function", "FnOnce", "inner", "call_once"],
        "core::ops::function::FnOnce::inner::call_once",
        "core::ops::function",
        "",
        exact("core"),
        Shape::Function,
    ),
    (
        &["demo", "call_once"],
        "demo::call_once",
        "demo",
        "",
        exact("demo"),
        Shape::Function,
    ),
    (
        &["demo", "make{{reify.shim}}"],
        "demo::make{{reify.shim}}",
        "demo",
        "",
        exact("demo"),
        Shape::ReifyShim,
    ),
    (
        &["demo", "table", "PRIMES_16"],
        "demo::table::PRIMES_16",
        "demo::table",
        "",
        exact("demo"),
        Shape::Static,
    ),
    (
        &["lonely"],
        "lonely",
        "",
        "",
        DefiningCrate::Unknown,
        Shape::Function,
    ),
];

#[test]
fn legacy_names_are_taken_apart() {
    for (segments, family, module, trait_, crate_, shape) in LEGACY_CASES {
        let symbol = legacy(segments);
        assert!(super::judge::agree(&symbol), "{symbol}");
        let name = parse(&symbol);
        assert_eq!(name.scheme(), Scheme::Legacy);
        assert_eq!(name.family().to_string(), *family);
        assert_eq!(name.module().to_string(), *module, "{name:#}");
        assert_eq!(name.implemented_trait().to_string(), *trait_, "{name:#}");
        assert_eq!(name.defining_crate(), *crate_, "{name:#}");
        assert_eq!(name.shape(), *shape, "{name:#}");
        assert_eq!(name.instantiating_crate(), None);
    }
}

#[test]
fn legacy_drop_glue_shows_its_type() {
    let symbol = legacy(&["core", "ptr", "drop_in_place<alloc::vec::Vec<u8>>"]);
    let name = parse(&symbol);
    assert_eq!(name.arguments().to_string(), "<alloc::vec::Vec<u8>>");
    assert_eq!(name.genericity(), Genericity::Generic);
    let symbol = legacy(&["demo", "drop_in_place<alloc::vec::Vec<u8>>"]);
    let name = parse(&symbol);
    assert_eq!(name.arguments().to_string(), "");
    assert_eq!(name.genericity(), Genericity::Unwritten);
    assert_eq!(name.shape(), Shape::Function);
}

#[test]
fn likely_crate_is_the_exact_one_else_the_types() {
    let symbol = legacy(&["<a::Type as b::Trait>", "method"]);
    let crate_ = parse(&symbol).defining_crate();
    assert_eq!(crate_, one_of(Some("a"), Some("b")));
    assert_eq!(crate_.exact(), None);
    assert_eq!(crate_.likely().map(|found| found.name), Some("a"));
    assert_eq!(exact("c").likely().map(|found| found.name), Some("c"));
    assert_eq!(DefiningCrate::Unknown.likely(), None);
}

#[test]
fn crates_print_like_paths_print_them() {
    let name = parse("_RNvCs4fqI2P2rA04_5hello4main");
    let crate_ = name.defining_crate().exact().expect("v0");
    assert_eq!(name.to_string(), format!("{crate_}::main"));
    assert_eq!(crate_.to_string(), "hello[317d481089b8c8fe]");
    assert_eq!(format!("{crate_:#}"), "hello");
}

#[test]
fn a_hash_or_an_escape_makes_a_nested_name_rusts() {
    for (symbol, scheme) in [
        ("_ZN3foo3bar17h05af221e174051e9E", Scheme::Legacy),
        ("_ZN3foo3barE", Scheme::Cpp),
        ("_ZN8$RF$test4foobE", Scheme::Legacy),
        ("_ZN8foo..bar4foobE", Scheme::Legacy),
        ("_ZN3foo3barEv", Scheme::Cpp),
        // clang's names for unnamed types.
        ("_ZN3foo3$_0E", Scheme::Cpp),
        ("_ZN3foo3$_04$_12E", Scheme::Cpp),
    ] {
        assert_eq!(parse(symbol).scheme(), scheme, "{symbol}");
    }
}

#[test]
fn definitions_tell_apart_what_families_do_not() {
    let definition = |symbol: &str| parse(symbol).definition().to_string();
    // Two blocks of one trait for types that differ only in their arguments.
    let bytes = "_RNvXs0_NtCs1_4demo4fromINtB5_5BoxedhENtB5_5Plain4make";
    let words = "_RNvXs1_NtCs1_4demo4fromINtB5_5BoxedmENtB5_5Plain4make";
    assert_eq!(
        parse(bytes).family().to_string(),
        parse(words).family().to_string()
    );
    assert_eq!(definition(bytes), "demo[3]::from::{impl#2}::make");
    assert_eq!(definition(words), "demo[3]::from::{impl#3}::make");
    // Instances of one blanket block.
    for self_type in ["NtCs2_4user4Name", "m", "Re"] {
        let symbol = format!("_RNvXs0_NtCs1_4demo3any{self_type}NtCs1_4demo3Any4name");
        assert_eq!(definition(&symbol), "demo[3]::any::{impl#2}::name");
    }
    // Items of one name in one function, closures, provided methods.
    assert_eq!(
        definition("_RNvNvCs1_4demo4mains_5INNER"),
        "demo[3]::main::INNER#1"
    );
    assert_eq!(
        definition("_RNCNvCs1_4demo4mains_0"),
        "demo[3]::main::{closure#1}"
    );
    assert_eq!(
        definition("_RINvYmNtCs1_4demo5Trait8providedhEB5_"),
        "demo[3]::Trait::provided"
    );
    // Without the numbers, the family is all there is.
    let symbol = legacy(&["demo", "main", "{{closure}}"]);
    assert_eq!(
        parse(&symbol).definition().to_string(),
        "demo::main::{{closure}}"
    );
}

#[test]
fn tables_made_for_an_item_lead_to_it() {
    for symbol in [
        ".Lswitch.table._RNvCs1_4demo5price.7",
        "switch.table._RNvCs1_4demo5price",
        "l_switch.table._RNvCs1_4demo5price.llvm.123",
        "reltable._RNvCs1_4demo5price",
        "DW.ref._RNvCs1_4demo5price",
    ] {
        assert!(Name::parse(symbol).is_none(), "{symbol} is not the item");
        let owner = Name::parse_owner(symbol).expect("named after an item");
        assert_eq!(owner.family().to_string(), "demo::price");
    }
    for symbol in [
        "_RNvCs1_4demo5price",
        "switch.table.main",
        ".Lanon.abc.0",
        "l_",
        "L",
        "",
    ] {
        assert!(Name::parse_owner(symbol).is_none(), "{symbol}");
    }
}

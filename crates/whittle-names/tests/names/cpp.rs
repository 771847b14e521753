//! C++ names: what this crate adds to `cpp_demangle`.

use whittle_names::{DefiningCrate, Genericity, Name, Scheme, Shape, Tree};

#[test]
fn cpp_names_have_texts_and_families() {
    // Symbol, text, family.
    let rows = [
        ("_Z3fooi", "foo(int)", "foo"),
        (
            "_ZNSt6vectorIiSaIiEE9push_backERKi",
            "std::vector<int, std::allocator<int> >::push_back(int const&)",
            "std::vector::push_back",
        ),
        (
            "_ZN3app5tableIcE4findIlEEPKcT_",
            "char const* app::table<char>::find<long>(long)",
            "app::table::find",
        ),
        (
            "_ZN3applsIiEERNS_6streamES2_T_",
            "app::stream& app::operator<< <int>(app::stream&, int)",
            "app::operator<<",
        ),
        (
            "_ZN3app6streamlsEi",
            "app::stream::operator<<(int)",
            "app::stream::operator<<",
        ),
        (
            "_ZNK3app3ptrIiEptEv",
            "app::ptr<int>::operator->() const",
            "app::ptr::operator->",
        ),
        ("__ZN3app4mainEv", "app::main()", "app::main"),
        ("_ZN3app4initEv.cold", "app::init().cold", "app::init"),
        ("_ZN3app4initEv@@APP_1", "app::init()@@APP_1", "app::init"),
    ];
    for (symbol, text, family) in rows {
        let name = Name::parse(symbol).expect("an Itanium name");
        assert_eq!(name.scheme(), Scheme::Cpp);
        assert_eq!(name.to_string(), text);
        assert_eq!(format!("{name:#}"), text);
        assert_eq!(name.family().to_string(), family, "{text}");
        assert_eq!(name.defining_crate(), DefiningCrate::Unknown);
        assert_eq!(name.instantiating_crate(), None);
        assert_eq!(name.module().to_string(), "");
        assert_eq!(name.arguments().to_string(), "");
        assert_eq!(name.implemented_trait().to_string(), "");
        assert!(matches!(name.tree(), Tree::Cpp));
    }
}

#[test]
fn cpp_shapes_and_templates_are_told() {
    let rows = [
        ("_ZTVN3app4baseE", Shape::Vtable, Genericity::Plain),
        ("_ZTIN3app4baseE", Shape::Other, Genericity::Plain),
        (
            "_ZN3app5tableIcE4findEv",
            Shape::Function,
            Genericity::Generic,
        ),
        ("_ZN3app4mainEv", Shape::Function, Genericity::Plain),
    ];
    for (symbol, shape, genericity) in rows {
        let name = Name::parse(symbol).expect("an Itanium name");
        assert_eq!(
            (name.shape(), name.genericity()),
            (shape, genericity),
            "{symbol}"
        );
    }
}

#[test]
fn other_schemes_are_not_taken_for_cpp() {
    for symbol in [
        "?foo@@YAXH@Z",
        "Z",
        "Zfoo",
        "i",
        "PKc",
        "_",
        "__",
        "zlib_version",
        "_Zz",
        "main",
    ] {
        assert!(Name::parse(symbol).is_none(), "{symbol}");
    }
}

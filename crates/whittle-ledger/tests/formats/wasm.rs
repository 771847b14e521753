//! WebAssembly.

use std::collections::BTreeMap;

use wasmparser::{Parser, Payload};
use whittle_ledger::Axis;

use crate::fixture::{assert_planted_table, bytes, sum, unknown_share, with_ledger};

/// What `wasmparser` says of the sections: the lengths of their payloads, by the name they have here.
fn payloads(bytes: &[u8]) -> BTreeMap<String, u64> {
    let mut found: BTreeMap<String, u64> = BTreeMap::new();
    for payload in Parser::new(0).parse_all(bytes) {
        let payload = payload.expect("a sound module");
        let name = match &payload {
            Payload::CustomSection(custom) => custom.name(),
            Payload::TypeSection(_) => "type",
            Payload::ImportSection(_) => "import",
            Payload::FunctionSection(_) => "function",
            Payload::TableSection(_) => "table",
            Payload::MemorySection(_) => "memory",
            Payload::GlobalSection(_) => "global",
            Payload::ExportSection(_) => "export",
            Payload::ElementSection(_) => "element",
            Payload::CodeSectionStart { .. } => "code",
            Payload::DataSection(_) => "data",
            _ => continue,
        };
        let range = payload.as_section().expect("a section").1;
        *found.entry(name.to_owned()).or_default() += range.end - range.start;
    }
    found
}

#[test]
fn sections_are_as_large_as_another_reader_says() {
    for name in ["wasm32", "wasm32-stripped"] {
        let bytes = bytes(name);
        with_ledger(&bytes, |ledger| {
            for (section, len) in payloads(&bytes) {
                assert_eq!(sum(ledger, Axis::Section, &section), len, "{section}");
            }
        });
    }
}

#[test]
fn names_and_users_say_whose_the_bytes_are() {
    with_ledger(&bytes("wasm32"), |ledger| {
        let share = unknown_share(ledger);
        assert!(share <= 3.0, "{share} % are unknown");
        assert_planted_table(ledger, "specimen_words");
        let own = sum(ledger, Axis::Crate, "specimen");
        let other = sum(ledger, Axis::Crate, "specimen_words");
        assert!(own > 500 && other > 500, "{own} and {other} bytes");
        let rustc = ledger.image().facts.rustc();
        assert!(
            rustc.is_some_and(|rustc| rustc.starts_with("1.")),
            "{rustc:?}"
        );
    });
}

#[test]
fn stripped_code_is_cut_into_functions() {
    with_ledger(&bytes("wasm32-stripped"), |ledger| {
        assert!(ledger.image().is_stripped());
        let code = ledger.references().coverage().code;
        assert_eq!((code.unclaimed, code.skipped), (0, 0), "all of it is read");
        assert!(ledger.image().functions.len() > 50);
    });
}

/// A component with two copies of a module (Component Model, "Component Definitions": section 1 holds a core module).
#[test]
fn modules_of_a_component_do_not_see_each_others_memory() {
    let module = bytes("wasm32");
    let mut component = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 0..2 {
        component.push(1);
        // A length in five bytes (LEB128).
        let mut len = module.len();
        for byte in 0..5 {
            let more = if byte < 4 { 0x80 } else { 0 };
            component.push(u8::try_from(len & 0x7f).expect("seven bits") | more);
            len >>= 7;
        }
        component.extend(&module);
    }
    with_ledger(&component, |ledger| {
        let [first, second] = &ledger.image().index_spaces[..] else {
            panic!("one for each of the two modules");
        };
        for (spaces, other) in [(first, second), (second, first)] {
            let references = ledger.references().list().iter();
            let from_code = references.filter(|it| Some(it.from().section) == spaces.code);
            let mut sections = from_code.map(|it| it.to().section.0);
            assert!(!sections.any(|section| other.data.contains(&section)));
        }
        assert!(first.functions.len() > 50 && first.functions.len() == second.functions.len());
    });
}

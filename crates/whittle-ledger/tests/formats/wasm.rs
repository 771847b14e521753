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

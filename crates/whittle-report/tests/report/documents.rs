//! JSON and CSV as programs read them.

use std::sync::LazyLock;

use serde_json::Value;
use whittle_ledger::Findings;
use whittle_report::{Options, csv, json};

use crate::samples::{
    by_crate, by_section_and_crate, full, hostile, nameless, options, programs, smallest, typical,
    written,
};

fn document(findings: &Findings, options: &Options<'_>) -> String {
    written(|out| json::findings(out, findings, &by_crate(findings), options))
}

pub static SCHEMA: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
    let schema = include_str!("../../../../docs/explain.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
});

#[test]
fn a_document() {
    let findings = Findings {
        table: Some(by_section_and_crate()),
        full: Some(full()),
        ..typical()
    };
    let keep = |value: &str| [".rodata", "core", "code"].contains(&value);
    let options = Options {
        filter: Some(&keep),
        // Documents list every row.
        rows: Some(1),
        ..options("target/release/demo")
    };
    insta::assert_snapshot!(document(&findings, &options));
}

#[test]
fn a_list_of_programs() {
    let (one, other) = (typical(), smallest());
    let list = programs(&one, &other);
    insta::assert_snapshot!(
        "programs.json",
        written(|out| json::programs(out, &list, &options(".")))
    );
    insta::assert_snapshot!("programs.csv", written(|out| csv::programs(out, &list)));
}

#[test]
fn a_table() {
    let keep = |value: &str| [".rodata", "core"].contains(&value);
    let options = Options {
        filter: Some(&keep),
        rows: Some(1),
        ..options("demo")
    };
    let table = by_section_and_crate();
    insta::assert_snapshot!(written(|out| csv::table(out, &table, &options)));
}

#[test]
fn copies_are_columns_of_generic_functions() {
    let table = full().generics;
    insta::assert_snapshot!(written(|out| csv::table(out, &table, &options("demo"))));
}

#[test]
fn names_are_nothing_but_names() {
    let table = by_crate(&hostile());
    insta::assert_snapshot!(
        "hostile.csv",
        written(|out| csv::table(out, &table, &options("demo")))
    );
    let text = document(&hostile(), &options("a\x1b[2Jb"));
    let acts = |c: &char| (c.is_control() && *c != '\n') || *c == '\u{202e}';
    assert_eq!(text.chars().find(acts), None);
    // A name that a spreadsheet would calculate is as it is in JSON.
    assert!(text.contains(r#""crate":"=HYPERLINK(\"http://example.org\")""#));
}

#[test]
fn documents_follow_the_schema() {
    let with_everything = Findings {
        table: Some(by_section_and_crate()),
        full: Some(full()),
        ..typical()
    };
    let keep = |value: &str| value.contains("regex");
    for findings in [
        typical(),
        with_everything,
        nameless(),
        smallest(),
        hostile(),
    ] {
        for filter in [None, Some(&keep as &dyn Fn(&str) -> bool)] {
            let options = Options {
                filter,
                ..options("demo")
            };
            let text = document(&findings, &options);
            let document: Value = serde_json::from_str(&text).expect("it is JSON");
            let errors: Vec<String> = SCHEMA
                .iter_errors(&document)
                .map(|error| error.to_string())
                .collect();
            assert!(errors.is_empty(), "{errors:#?}");
            // The first two keys, before any parser sorts them.
            assert!(
                text.starts_with(
                    "{\n  \"format\": \"cargo-whittle/explain\",\n  \"version\": 1,\n"
                )
            );
        }
    }
}

#[test]
fn the_schema_tells_a_document_that_changed() {
    let text = document(&typical(), &options("demo"));
    let document: Value = serde_json::from_str(&text).expect("it is JSON");
    assert!(SCHEMA.is_valid(&document));
    let mut changed = Vec::new();
    for key in document.as_object().expect("an object").keys() {
        let mut missing = document.clone();
        missing.as_object_mut().expect("an object").remove(key);
        changed.push(missing);
    }
    for place in ["/file", "/totals", "/savings/0", "/crates/0", "/rows/0"] {
        let mut more = document.clone();
        let object = more.pointer_mut(place).and_then(Value::as_object_mut);
        object.expect(place).insert("new".to_owned(), Value::Null);
        changed.push(more);
    }
    let mut other = document.clone();
    other["version"] = 2.into();
    changed.push(other);
    for document in changed {
        assert!(!SCHEMA.is_valid(&document), "{document}");
    }
}

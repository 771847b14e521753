//! `explain --retained` and `--tree`: forecasts, and what keeps what.

use serde_json::Value;

use crate::whittle::{Package, json, own_program, run, stderr, stdout, sum};
use crate::why::FILES;

fn own() -> &'static str {
    own_program().to_str().expect("UTF-8")
}

fn assert_valid(document: &Value) {
    let schema = include_str!("../../../../docs/explain.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let errors = validator
        .iter_errors(document)
        .map(|error| error.to_string());
    assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new());
}

fn bytes(value: &Value, key: &str) -> u64 {
    value[key].as_u64().expect("bytes")
}

fn list<'a>(document: &'a Value, key: &str) -> &'a Vec<Value> {
    document[key].as_array().expect("a list")
}

#[test]
fn what_is_kept_and_what_is_not_are_the_whole_file() {
    let document = json([
        "explain",
        own(),
        "--retained",
        "--tree",
        "--depth",
        "9",
        "--min-size",
        "3000",
    ]);
    assert_valid(&document);
    let size = bytes(&document["totals"], "file");
    let reach = &document["reach"];
    let parts = [
        "reachable",
        "unreachable",
        "structure",
        "padding",
        "unknown",
    ];
    assert_eq!(
        parts.map(|part| bytes(reach, part)).iter().sum::<u64>(),
        size
    );
    assert_eq!(sum(&document, "file"), size, "rows are there as ever");
    let kinds = list(reach, "unreachable-kinds").iter();
    let kinds: u64 = kinds.map(|kind| bytes(kind, "bytes")).sum();
    assert_eq!(kinds, bytes(reach, "unreachable"));
    let forecasts = list(&document, "forecasts");
    for name in ["package", "panics", "backtrace-symbolizer", "formatting"] {
        assert!(forecasts.iter().any(|one| one["without"] == name), "{name}");
    }
    for forecast in forecasts {
        let (own, all) = (bytes(forecast, "shallow"), bytes(forecast, "retained"));
        assert!(0 < own && own <= all && all < size, "{forecast}");
    }
}

#[test]
fn each_row_of_the_tree_is_its_own_bytes_and_what_is_below() {
    let document = json([
        "explain",
        own(),
        "--tree",
        "--depth",
        "9",
        "--min-size",
        "3000",
    ]);
    assert_valid(&document);
    let rows = list(&document, "tree");
    assert_eq!(bytes(&rows[0], "depth"), 0);
    assert_eq!(
        bytes(&rows[0], "retained"),
        bytes(&document["reach"], "reachable")
    );
    assert!(rows.len() > 50, "{} rows", rows.len());
    let mut with_rows_below = 0;
    for (number, row) in rows.iter().enumerate() {
        let depth = bytes(row, "depth");
        assert!(depth <= 9);
        assert!(
            row["smaller"].is_u64() || bytes(row, "retained") >= 3_000,
            "{row}"
        );
        let below = rows[number + 1..]
            .iter()
            .take_while(|other| bytes(other, "depth") > depth);
        let children = below.filter(|other| bytes(other, "depth") == depth + 1);
        let children: u64 = children.map(|child| bytes(child, "retained")).sum();
        if children > 0 {
            with_rows_below += 1;
            assert_eq!(
                bytes(row, "shallow") + children,
                bytes(row, "retained"),
                "{row}"
            );
        }
    }
    assert!(with_rows_below > 10);
}

#[test]
fn text_speaks_of_forecasts_and_never_of_savings() {
    let text = stdout(["explain", own(), "--retained"]);
    assert!(
        text.contains("What at least would leave without it"),
        "{text}"
    );
    assert!(
        text.contains("forecasts") && text.contains("clap_builder"),
        "{text}"
    );
    assert!(
        text.contains("panics, with their messages") && text.contains("Nothing mentions"),
        "{text}"
    );
    let tree = stdout(["explain", own(), "--tree"]);
    assert!(
        tree.contains("the program") && tree.contains("cargo_whittle::main"),
        "{tree}"
    );
    for text in [&text, &tree] {
        for word in ["saving", "save", "get back", "dominator", "retained"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
        for line in text.lines() {
            let is_path = line.contains("target");
            assert!(line.chars().count() <= 80 || is_path, "{line}");
        }
    }
    let markdown = stdout([
        "explain",
        own(),
        "--retained",
        "--tree",
        "--format",
        "markdown",
    ]);
    assert!(
        markdown.contains("| at least leaves, on disk |"),
        "{markdown}"
    );
    let csv = stdout(["explain", own(), "--retained", "--format", "csv"]);
    assert!(
        csv.starts_with("without,package,brings,shallow,retained\n"),
        "{csv}"
    );
    let csv = stdout(["explain", own(), "--tree", "--format", "csv"]);
    assert!(
        csv.starts_with("depth,name,package,smaller,shallow,retained\n0,,,,0,"),
        "{csv}"
    );
}

#[test]
fn a_dependency_leaves_with_what_only_it_brings() {
    let workspace = Package::new(FILES);
    let manifest = workspace.path("app/Cargo.toml");
    let manifest = manifest.to_str().expect("UTF-8");
    let forecasts = |arguments: &[&str]| {
        let all = ["explain", "--retained", "--manifest-path", manifest];
        let document = json(all.iter().chain(arguments));
        assert_valid(&document);
        list(&document, "forecasts").clone()
    };
    let of = |list: &[Value], without: &str, package: &str| {
        let is_it = |one: &&Value| one["without"] == without && one["package"] == package;
        list.iter().find(is_it).cloned()
    };
    // With `beta`, which depends on it as well, `common` stays without `alpha`.
    let both = forecasts(&[]);
    assert_eq!(of(&both, "dependency", "alpha@1.1.0"), None);
    // Without `beta` it leaves.
    let one = forecasts(&["--no-default-features"]);
    let dependency = of(&one, "dependency", "alpha@1.1.0").expect("it brings `common`");
    assert_eq!(dependency["brings"], serde_json::json!(["common@2.0.0"]));
    let alone = |package| bytes(&of(&one, "package", package).expect("a package"), "shallow");
    assert_eq!(
        bytes(&dependency, "shallow"),
        alone("alpha@1.1.0") + alone("common@2.0.0")
    );
    // The user's own package is no dependency.
    assert_eq!(of(&one, "package", "app@0.9.0"), None);
}

#[test]
fn what_cannot_be_shown_together_is_refused() {
    for arguments in [
        &["--retained", "--by", "kind"][..],
        &["--retained", "--full"],
        &["--tree", "--spans"],
        &["--depth", "3"],
        &["--min-size", "3"],
        &["--retained", "--tree", "--format", "csv"],
    ] {
        let output = run([&["explain", own()], arguments].concat());
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !stderr(&output).is_empty());
    }
}

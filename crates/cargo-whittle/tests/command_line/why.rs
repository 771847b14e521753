//! `why`: planted things in a workspace and in files; the expected sizes are arithmetic.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::whittle::{Package, json, own_program, run, stderr, stdout};

/// Bytes of the planted tables.
const ONLY_ALPHA: u64 = 65_536;
const BOTH: u64 = 4_099;

/// `app` uses `alpha` and, by a feature, `beta`; both use `common`.
pub(crate) const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[workspace]\nmembers = [\"app\", \"alpha\", \"beta\", \"common\"]\nresolver = \"2\"\n",
    ),
    (
        "app/Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.9.0\"\nedition = \"2021\"\n\n[features]\ndefault = [\"second\"]\n\
         second = [\"dep:beta\"]\n\n[dependencies]\nalpha = { path = \"../alpha\" }\n\
         beta = { path = \"../beta\", optional = true, default-features = false, features = [\"loud\"] }\n",
    ),
    (
        "app/src/main.rs",
        "use std::hint::black_box;\nfn main() {\n    let i = std::env::args().count();\n    black_box(alpha::lookup(i));\n\
         \x20   #[cfg(feature = \"second\")]\n    black_box(beta::lookup(i));\n}\n",
    ),
    (
        "alpha/Cargo.toml",
        "[package]\nname = \"alpha\"\nversion = \"1.1.0\"\nedition = \"2021\"\n\n[dependencies]\ncommon = { path = \"../common\" }\n",
    ),
    (
        "alpha/src/lib.rs",
        "static TABLE: [u8; 65_536] = common::table(3);\n#[inline(never)]\npub fn lookup(i: usize) -> u8 {\n    \
         TABLE[i % 65_536] ^ common::lookup(i)\n}\n",
    ),
    (
        "beta/Cargo.toml",
        "[package]\nname = \"beta\"\nversion = \"1.2.0\"\nedition = \"2021\"\n\n[features]\nloud = []\n\n\
         [dependencies]\ncommon = { path = \"../common\" }\n",
    ),
    (
        "beta/src/lib.rs",
        "#[inline(never)]\npub fn lookup(i: usize) -> u8 {\n    common::lookup(i).wrapping_add(9)\n}\n",
    ),
    (
        "common/Cargo.toml",
        "[package]\nname = \"common\"\nversion = \"2.0.0\"\nedition = \"2021\"\n",
    ),
    (
        "common/src/lib.rs",
        "static TABLE: [u8; 4_099] = table(5);\n#[inline(never)]\npub fn lookup(i: usize) -> u8 {\n    TABLE[i % 4_099]\n}\n\
         pub const fn table<const N: usize>(seed: usize) -> [u8; N] {\n    let mut bytes = [0; N];\n    let mut i = 0;\n    \
         while i < N {\n        bytes[i] = ((i * i * 7 + i * 13 + seed * 31 + i / 251) % 256) as u8;\n        i += 1;\n    }\n    \
         bytes\n}\n",
    ),
];

fn error_of(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(
        output.stdout.is_empty(),
        "results of a failed run: {arguments:?}"
    );
    // Cargo's own lines may stand before it.
    assert!(
        text.lines().any(|line| line.starts_with("error: ")),
        "{text}"
    );
    text
}

fn assert_valid(document: &Value) {
    let schema = include_str!("../../../../docs/why.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let errors = validator
        .iter_errors(document)
        .map(|error| error.to_string());
    assert_eq!(errors.collect::<Vec<_>>(), Vec::<String>::new());
}

fn own() -> &'static str {
    own_program().to_str().expect("UTF-8")
}

#[test]
fn a_package_has_what_only_it_keeps_and_who_depends_on_it() {
    let workspace = Package::new(FILES);
    let manifest = workspace.path("app/Cargo.toml");
    let manifest = manifest.to_str().expect("UTF-8");
    let why = |name: &str| json(["why", name, "--manifest-path", manifest]);

    let alpha = why("alpha");
    assert_valid(&alpha);
    assert_eq!(alpha["subject"]["name"], "alpha@1.1.0");
    let bytes = |document: &Value, key: &str| document[key].as_u64().expect("bytes");
    let own = bytes(&alpha, "shallow");
    assert!((ONLY_ALPHA..ONLY_ALPHA + 1_024).contains(&own), "{own}");
    // What it shares with `beta` stays without it.
    assert!(bytes(&alpha, "retained") < ONLY_ALPHA + BOTH, "{alpha}");
    let dependents = alpha["dependents"].as_array().expect("a list");
    assert_eq!(dependents.len(), 1);
    assert_eq!(dependents[0]["package"], "app");
    assert_eq!(dependents[0]["default-features"], true);
    let path = alpha["path"].as_array().expect("a way");
    assert_eq!(path[0]["mentioned-by"], "entry");
    let last = path.last().expect("it has steps");
    assert_eq!(
        (&last["name"], &last["package"]),
        (&"alpha::lookup".into(), &"alpha@1.1.0".into())
    );

    // Both hold `common`; no one keeps it alone.
    let common = why("common");
    assert_valid(&common);
    assert!((BOTH..BOTH + 512).contains(&bytes(&common, "retained")));
    let holders: Vec<_> = common["holders"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    let packages: Vec<_> = holders.iter().map(|holder| &holder["package"]).collect();
    assert_eq!(packages, ["alpha@1.1.0", "beta@1.2.0"]);
    assert!(holders.iter().all(|holder| holder["keeps-of-it"] == 0));
    let depend: Vec<_> = common["dependents"]
        .as_array()
        .expect("a list")
        .iter()
        .collect();
    let depend: Vec<_> = depend.iter().map(|one| &one["package"]).collect();
    assert_eq!(depend, ["alpha", "beta"]);

    let beta = why("beta");
    assert_valid(&beta);
    assert_eq!(beta["features"][0], "loud");
    let dependent = &beta["dependents"][0];
    assert_eq!(dependent["through"][0], "second");
    assert_eq!(dependent["features"][0], "loud");
    assert_eq!(dependent["default-features"], false);
    let text = stdout(["why", "beta", "--manifest-path", manifest]);
    assert!(
        text.contains("app@0.9.0: yours; by its feature second; asks for loud"),
        "{text}"
    );
    // The first line is the answer, in words that need no book.
    let first = text.lines().next().expect("a line");
    assert!(first.starts_with("Without it at least "), "{first}");
    assert!(first.ends_with("beta@1.2.0"), "{first}");
    for word in ["dominator", "retained", "shallow", "node"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn answers_of_every_kind_follow_the_schema() {
    for (name, kind) in [
        ("core", "package"),
        ("cargo_whittle::main", "function"),
        ("main", "function"),
        ("^core::fmt::", "pattern"),
        ("core::fmt::builders", "module"),
        ("core::ptr::drop_in_place", "copies"),
    ] {
        let document = json(["why", name, own(), "--paths", "3"]);
        assert_valid(&document);
        assert_eq!(document["subject"]["kind"], kind, "{name}");
        let bytes = |key: &str| document[key].as_u64().expect("bytes");
        assert!(bytes("shallow") <= bytes("retained"), "{name}");
        let kept = document["kept-only-by-it"].as_array().expect("a list");
        let kept: u64 = kept
            .iter()
            .map(|one| one["bytes"].as_u64().expect("bytes"))
            .sum();
        assert_eq!(bytes("retained") - bytes("shallow"), kept, "{name}");
        let paths = document["paths"].as_array().expect("a list");
        assert!(!paths.is_empty() && paths.len() <= 3);
        assert_eq!(document["path"], paths[0]);
    }
}

#[test]
fn an_address_means_what_is_there() {
    let by_name = json(["why", "cargo_whittle::main", own()]);
    let last = by_name["path"]
        .as_array()
        .and_then(|path| path.last())
        .expect("a way");
    let address = last["address"].as_str().expect("an address");
    let by_address = json(["why", address, own()]);
    assert_eq!(by_address["subject"], by_name["subject"]);
    assert_eq!(by_address["retained"], by_name["retained"]);
    assert!(error_of(&["why", "0x1", own()]).contains("0x1"));
    assert!(error_of(&["why", "0xyz", own()]).contains("no address"));
}

#[test]
fn lines_fit_and_pictures_and_tables_are_written() {
    let text = stdout(["why", "clap_builder", own(), "--paths", "2"]);
    for line in text.lines() {
        let is_path = line.contains("target");
        assert!(line.chars().count() <= 80 || is_path, "{line}");
    }
    let dot = stdout(["why", "clap_builder", own(), "--format", "dot"]);
    assert!(
        dot.starts_with("digraph why {\n") && dot.ends_with("}\n"),
        "{dot}"
    );
    assert!(
        dot.contains(" -> ") && dot.contains("clap_builder"),
        "{dot}"
    );
    let markdown = stdout(["why", "clap_builder", own(), "--format", "markdown"]);
    assert!(markdown.starts_with("### Why `clap_builder"), "{markdown}");
    assert!(markdown.contains("\n| ---: | --- | --- |\n"), "{markdown}");
    for format in ["text", "json", "dot", "markdown"] {
        let once = || stdout(["why", "clap_builder", own(), "--format", format]);
        assert_eq!(once(), once(), "{format}");
    }
}

#[test]
fn unknown_and_ambiguous_names_list_what_may_be_meant() {
    let text = error_of(&["why", "clap_bilder", own()]);
    assert!(
        text.contains("clap_bilder") && text.contains("clap_builder"),
        "{text}"
    );
    let text = error_of(&["why", "fmt", own()]);
    assert!(
        text.contains("say which:") && text.contains(">::fmt"),
        "{text}"
    );
    assert!(text.contains("more"), "there are more than fit: {text}");
    let text = error_of(&["why", "no_such_thing_anywhere", own()]);
    assert!(text.contains("lists all names"), "{text}");
    let text = error_of(&["why", "Cargo.toml", own()]);
    assert!(text.contains("the name comes first"), "{text}");
    assert!(error_of(&["why", own()]).contains("the name comes first"));
    let text = error_of(&["why", "no(such", own()]);
    assert!(text.contains("no(such"), "{text}");
    let text = error_of(&["why", "e\u{1b}[31mvil", own()]);
    assert!(!text.contains('\u{1b}'), "{text:?}");
    assert!(error_of(&["why", "x", "--bin", "y", "/bin/true"]).contains("--bin"));
    assert_eq!(run(["why"]).status.code(), Some(2));
    assert_eq!(
        run(["why", "x", own(), "--format", "csv"]).status.code(),
        Some(2)
    );
}

/// The program, as if it were for a processor whose instructions nobody reads here (gABI 4.1, `e_machine`: 243 is
/// RISC-V).
fn for_another_processor(folder: &Path) -> String {
    let mut bytes = fs::read(own_program()).expect("the program is there");
    bytes[18..20].copy_from_slice(&243_u16.to_le_bytes());
    let path = folder.join("other");
    fs::write(&path, bytes).expect("the file is written");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn unread_machine_code_is_said_and_sizes_are_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = for_another_processor(folder.path());
    let document = json(["why", "clap_builder", &path]);
    assert_valid(&document);
    assert!(document["shallow"].as_u64() > Some(10_000));
    assert_eq!(
        (&document["retained"], &document["unreachable"]),
        (&Value::Null, &Value::Null)
    );
    let text = stdout(["why", "clap_builder", &path]);
    assert!(
        text.starts_with("It has ") && text.contains("is not read here"),
        "{text}"
    );
    assert!(!text.contains("Without it"), "{text}");
}

#[test]
fn imports_are_asked_about_by_their_name() {
    let document = json(["why", "__libc_start_main", own()]);
    assert_eq!(document["subject"]["kind"], "import");
    let text = error_of(&["why", "libc_start_mai", own()]);
    assert!(
        text.contains("__libc_start_main") && !text.contains("(import"),
        "{text}"
    );
}

#[test]
fn several_programs_ask_for_one() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"two\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[profile.release]\nopt-level = 0\n",
        ),
        ("src/bin/first.rs", "fn main() {}\n"),
        ("src/bin/second.rs", "fn main() { println!(\"second\") }\n"),
    ]);
    let manifest = package.manifest();
    let text = error_of(&["why", "main", "--manifest-path", &manifest]);
    assert!(
        text.contains("--bin first") && text.contains("--bin second"),
        "{text}"
    );
    let document = json([
        "why",
        "second::main",
        "--manifest-path",
        &manifest,
        "--bin",
        "second",
    ]);
    assert_eq!(document["subject"]["name"], "second::main");
}

//! Budgets, from the configuration to every form of output.

use std::fs;
use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::whittle::{Package, command, opens_as_a_document, own_program, run, stderr};

fn check(folder: &Path, arguments: &[&str]) -> Output {
    command()
        .current_dir(folder)
        .arg("check")
        .args(arguments)
        .output()
        .expect("the program under test starts")
}

fn text(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("standard output is UTF-8")
}

fn document(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(output)))
}

fn errors(schema: &str, document: &Value) -> Vec<String> {
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    validator
        .iter_errors(document)
        .map(|error| error.to_string())
        .collect()
}

/// A folder with a snapshot of the program under test and a configuration.
fn prepared(configuration: &str) -> (tempfile::TempDir, u64) {
    let folder = tempfile::tempdir().expect("a folder");
    let own = own_program().to_str().expect("UTF-8");
    let saved = check(folder.path(), &[own, "--save", "own.whittle"]);
    assert!(saved.status.success(), "{}", stderr(&saved));
    fs::write(folder.path().join("whittle.toml"), configuration).expect("a file");
    (folder, fs::metadata(own).expect("it is there").len())
}

#[test]
fn a_budget_is_kept_to_the_byte() {
    let (folder, size) = prepared("");
    let here = folder.path();
    let exact = format!("{size} B");
    let kept = check(here, &["own.whittle", "--total", &exact]);
    assert_eq!(kept.status.code(), Some(0), "{}", stderr(&kept));
    assert!(text(&kept).contains("within its budget"));

    fs::write(
        here.join("whittle.toml"),
        format!("[budget]\nmessage = \"see the page on size\"\n\ntotal = \"{} B\"\n\n[budget.kind]\ncode = \"1 kB\"\n", size - 1),
    )
    .expect("a file");
    let over = |format: &str| {
        let output = check(here, &["own.whittle", "--format", format]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{format}: {}",
            stderr(&output)
        );
        output
    };
    let said = text(&over("text"));
    assert!(
        said.contains("over its budget") && said.contains("see the page on size"),
        "{said}"
    );
    assert!(
        said.lines().all(|line| line.chars().count() <= 80),
        "{said}"
    );

    let json = over("json");
    opens_as_a_document(&text(&json));
    let json = document(&json);
    assert_eq!(
        errors(include_str!("../../../../docs/check.schema.json"), &json),
        Vec::<String>::new()
    );
    assert_eq!(json["passed"], false);
    assert_eq!(json["limits"][0]["bytes"].as_u64(), Some(size));
    assert_eq!(json["limits"][0]["line"], 4);
    assert_eq!(
        json["limits"][0]["culprits"].as_array().map(Vec::len),
        Some(5)
    );
}

#[test]
fn every_form_says_what_is_too_large() {
    let (folder, _) =
        prepared("[budget]\n\n\ntotal = \"1 kB\"\n\n[budget.kind]\ncode = \"1 kB\"\n");
    let here = folder.path();
    let over = |format: &str| {
        let output = check(here, &["own.whittle", "--format", format]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{format}: {}",
            stderr(&output)
        );
        output
    };
    let markdown = text(&over("markdown"));
    let name = own_program()
        .file_name()
        .expect("a name")
        .to_str()
        .expect("UTF-8");
    assert!(
        markdown.starts_with(&format!("<!-- cargo-whittle check: {name} -->\n")),
        "{markdown}"
    );

    let github = text(&over("github"));
    assert!(
        github.starts_with("::error file=whittle.toml,line=4,title=too large%3A the program::"),
        "{github}"
    );
    assert!(
        github.lines().all(|line| line.starts_with("::")),
        "{github}"
    );

    // "Code Quality report format" of GitLab's documentation.
    let gitlab = document(&over("gitlab"));
    let entries = gitlab.as_array().expect("a list");
    assert_eq!(entries.len(), 2);
    for entry in entries {
        assert!(entry["description"].is_string() && entry["check_name"].is_string());
        assert!(
            ["info", "minor", "major", "critical", "blocker"]
                .map(Value::from)
                .contains(&entry["severity"])
        );
        assert_eq!(entry["location"]["path"], "whittle.toml");
        assert!(entry["location"]["lines"]["begin"].as_u64() >= Some(1));
    }
    assert_ne!(entries[0]["fingerprint"], entries[1]["fingerprint"]);

    let sarif = document(&over("sarif"));
    // One of its patterns has a lone `]`, which only some readers of regular expressions take.
    let schema = include_str!("../schemas/sarif-2.1.0.json").replace("{2}]?$", r"{2}\\]?$");
    assert_eq!(errors(&schema, &sarif), Vec::<String>::new());
    assert_eq!(
        sarif["runs"][0]["results"].as_array().map(Vec::len),
        Some(2)
    );

    // What is written beside is what standard output would have had.
    let also = check(
        here,
        &[
            "own.whittle",
            "--also",
            "sarif=out.sarif",
            "--also",
            "markdown=out.md",
            "--name",
            "a-->b",
        ],
    );
    assert_eq!(also.status.code(), Some(1));
    let beside: Value =
        serde_json::from_slice(&fs::read(here.join("out.sarif")).expect("it is there"))
            .expect("JSON");
    assert_eq!(beside["version"], "2.1.0");
    let comment = fs::read_to_string(here.join("out.md")).expect("it is there");
    assert!(
        comment.starts_with("<!-- cargo-whittle check: a--b -->\n")
            || comment.starts_with("<!-- cargo-whittle check: a-b -->\n"),
        "{comment}"
    );
}

#[test]
fn the_summary_of_a_job_is_added_to() {
    let (folder, _) = prepared("[budget]\ntotal = \"1 B\"\n");
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "before\n").expect("a file");
    let output = command()
        .current_dir(folder.path())
        .args(["check", "own.whittle", "--format", "github"])
        .env("GITHUB_STEP_SUMMARY", &summary)
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let text = fs::read_to_string(&summary).expect("it is there");
    assert!(
        text.starts_with("before\n<!-- cargo-whittle check:"),
        "{text}"
    );
}

#[test]
fn what_cannot_be_checked_is_an_error_with_advice() {
    let (folder, _) = prepared("");
    let said = |configuration: &str, arguments: &[&str]| {
        fs::write(folder.path().join("whittle.toml"), configuration).expect("a file");
        let arguments: Vec<&str> = [&["own.whittle"], arguments].concat();
        let output = check(folder.path(), &arguments);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{configuration}: {}",
            text(&output)
        );
        stderr(&output)
    };
    for (configuration, arguments, parts) in [
        ("", &[][..], &["no budget", "[budget]"][..]),
        (
            "[budget]\ntotal = \"4 mb\"\n",
            &[],
            &["whittle.toml` line 2", "no size such as"],
        ),
        ("[budget]\ntotl = \"4 MiB\"\n", &[], &["line 2", "`totl`"]),
        (
            "[budget.crate]\nregexx = \"1 MB\"\n",
            &[],
            &["`regexx`", "did you mean `regex`"],
        ),
        (
            "[budget.kind]\ncod = \"1 MB\"\n",
            &[],
            &["did you mean `code`"],
        ),
        ("[budget]\ngrowth = \"1%\"\n", &[], &["no baseline"]),
        (
            "[budget]\ngrowth = \"1%\"\nbaseline = \"none.whittle\"\n",
            &[],
            &["none.whittle` is not there", "--save"],
        ),
        ("[budget]\ntotal = \"1%\"\n", &[], &["cannot be a share"]),
        (
            "[budget]\ntotal = \"1 B\"\nmeasure = \"weight\"\n",
            &[],
            &["names no size"],
        ),
        (
            "[budget.crate]\ncore = \"1 MB\"\n",
            &["--measure", "compressed"],
            &["crate core"],
        ),
        (
            "[budget]\ntotal = \"1 B\"\n[[budget.override]]\nlimit = \"total\"\nto = \"1 GB\"\nreason = \" \"\nuntil = \"2999-01-01\"\n",
            &[],
            &["no reason"],
        ),
        (
            "[budget]\ntotal = \"1 B\"\n[[budget.override]]\nlimit = \"total\"\nto = \"1 GB\"\nreason = \"r\"\nuntil = \"soon\"\n",
            &[],
            &["is no day"],
        ),
        (
            "[budget]\ntotal = \"1 B\"\n[[budget.override]]\nlimit = \"growth\"\nto = \"1 GB\"\nreason = \"r\"\nuntil = \"2999-01-01\"\n",
            &[],
            &["`growth`, which has no limit"],
        ),
        ("", &["--limit", "crate regex"], &["says no size"]),
        (
            "",
            &["--total", "1 B", "--link-map", "some.map"],
            &["`--link-map` is for a program", "is a snapshot"],
        ),
        (
            "",
            &["--limit", "colour red=1B"],
            &["nothing that can have a limit"],
        ),
        (
            "",
            &["--total", "1 B", "--release"],
            &["says what to build"],
        ),
    ] {
        let said = said(configuration, arguments);
        for part in parts {
            assert!(said.contains(part), "{configuration}{arguments:?}: {said}");
        }
    }
}

#[test]
fn the_first_baseline_is_written_where_the_next_run_looks_for_it() {
    let (folder, size) =
        prepared("[budget]\ntotal = \"9 GiB\"\ngrowth = \"1 B\"\nbaseline = \"base.whittle\"\n");
    let here = folder.path();
    let elsewhere = check(here, &["own.whittle", "--save", "other.whittle"]);
    assert_eq!(elsewhere.status.code(), Some(2));
    assert!(stderr(&elsewhere).contains("base.whittle` is not there"));
    let first = |format: &str| {
        let saved = check(
            here,
            &[
                "own.whittle",
                "--save",
                "./base.whittle",
                "--format",
                format,
            ],
        );
        assert_eq!(saved.status.code(), Some(0), "{}", stderr(&saved));
        fs::remove_file(here.join("base.whittle")).expect("it was written");
        text(&saved)
    };
    for format in ["text", "markdown", "github"] {
        let said = first(format).replace("\n      ", " ");
        assert!(said.contains("growth was not checked"), "{format}: {said}");
    }
    // The other limits hold as ever, and a build that breaks them is a baseline all the same.
    let over = check(
        here,
        &["own.whittle", "--save", "base.whittle", "--total", "1 B"],
    );
    assert_eq!(over.status.code(), Some(1), "{}", stderr(&over));
    let next = check(here, &["own.whittle", "--format", "json"]);
    assert_eq!(next.status.code(), Some(0), "{}", stderr(&next));
    let next = document(&next);
    assert_eq!(next["limits"][1]["limit"], "growth");
    assert_eq!(next["baseline"]["size"].as_u64(), Some(size));
}

#[test]
fn an_override_excuses_until_its_day_and_the_ratchet_lowers() {
    let (folder, size) = prepared("");
    let path = folder.path().join("whittle.toml");
    let lifted = |until: &str| {
        format!(
            "[budget]\ntotal = \"1 kB\"\n\n[[budget.override]]\nlimit = \"total\"\nto = \"1 GB\"\nreason = \"tables go soon\"\nuntil = \"{until}\"\n"
        )
    };
    fs::write(&path, lifted("2999-12-31")).expect("a file");
    let excused = check(folder.path(), &["own.whittle"]);
    assert_eq!(excused.status.code(), Some(0), "{}", stderr(&excused));
    assert!(
        text(&excused).contains("tables go soon"),
        "{}",
        text(&excused)
    );
    fs::write(&path, lifted("2020-12-31")).expect("a file");
    let over = check(folder.path(), &["own.whittle"]);
    assert_eq!(over.status.code(), Some(1));
    assert!(
        text(&over).contains("ended on 2020-12-31"),
        "{}",
        text(&over)
    );

    let before = "# the whole\n[budget]\ntotal = \"2 GiB\" # generous\n\n[budget.kind]\n\"code\" = \"900 MiB\"\n";
    fs::write(&path, before).expect("a file");
    let lowered = check(folder.path(), &["own.whittle", "--ratchet"]);
    assert_eq!(lowered.status.code(), Some(0), "{}", stderr(&lowered));
    let after = fs::read_to_string(&path).expect("it is there");
    assert!(
        after.starts_with("# the whole\n[budget]\ntotal = \"0."),
        "{after}"
    );
    assert!(after.contains(" GiB\" # generous\n"), "{after}");
    let again = check(folder.path(), &["own.whittle", "--ratchet"]);
    assert_eq!(
        again.status.code(),
        Some(0),
        "what was lowered still holds: {}",
        text(&again)
    );
    assert_eq!(fs::read_to_string(&path).expect("it is there"), after);
    assert!(size > 0);
}

/// A stripped program with or without a table of a MiB in a function without a name.
fn stripped(table: bool) -> Package {
    let main = if table {
        "fn main() {\n    let n = std::env::args().count();\n    println!(\"{}\", grown::pick(n));\n}\n\n\
         mod grown {\n    #[inline(never)]\n    pub fn pick(n: usize) -> u8 {\n        const TABLE: &[u8; 1 << 20] = &[200; 1 << 20];\n        \
         std::hint::black_box(TABLE)[n]\n    }\n}\n"
    } else {
        "fn main() {\n    let n = std::env::args().count();\n    println!(\"{}\", n as u8);\n}\n"
    };
    Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"bare\"\nversion = \"0.3.0\"\nedition = \"2021\"\n\n[profile.release]\nopt-level = 1\nstrip = \"symbols\"\n",
        ),
        ("src/main.rs", main),
    ])
}

#[test]
fn a_stripped_program_that_grew_fails_and_names_the_owner_or_the_section() {
    let (before, after) = (stripped(false), stripped(true));
    let save = check(
        &before.path(""),
        &["--save", "base.whittle", "--total", "900 MiB"],
    );
    assert_eq!(save.status.code(), Some(0), "{}", stderr(&save));
    let baseline = before.path("base.whittle");
    let baseline = baseline.to_str().expect("UTF-8");
    // Built here, the second build has the names.
    let output = check(
        &after.path(""),
        &[
            "--baseline",
            baseline,
            "--growth",
            "1 kB",
            "--format",
            "json",
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let built = document(&output);
    let size = |package: &Package| {
        fs::metadata(package.path("target/release/bare"))
            .expect("built")
            .len()
    };
    let grown = size(&after) - size(&before);
    assert_eq!(built["limits"][0]["bytes"].as_u64(), Some(grown));
    assert_eq!(built["change"].as_u64(), Some(grown));
    let culprit = &built["limits"][0]["culprits"][0];
    assert!(culprit["bytes"].as_u64() >= Some(1 << 20), "{culprit}");
    assert!(
        culprit["name"]
            .as_str()
            .is_some_and(|name| name.contains("bare::grown::pick")),
        "{culprit}"
    );
    assert_eq!(culprit["section"], ".rodata");
    assert!(
        !built["notes"].to_string().contains("stripped"),
        "{built:#}"
    );
    // The mere file has no names: the section is named.
    let old = before.path("target/release/bare");
    let saved = run(["check", old.to_str().expect("UTF-8"), "--save", baseline]);
    assert!(saved.status.success(), "{}", stderr(&saved));
    let new = after.path("target/release/bare");
    let output = check(
        &after.path(""),
        &[
            new.to_str().expect("UTF-8"),
            "--baseline",
            baseline,
            "--growth",
            "1 kB",
            "--format",
            "json",
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let mere = document(&output);
    assert!(
        mere["notes"]
            .to_string()
            .contains("both sides are stripped"),
        "{mere:#}"
    );
    let culprit = &mere["limits"][0]["culprits"][0];
    assert!(culprit["bytes"].as_u64() >= Some(1 << 20), "{culprit}");
    assert_eq!(culprit["section"], ".rodata");
}

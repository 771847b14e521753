//! What is printed, and where.

use std::fs;
use std::process::Stdio;

use crate::whittle::{command, json, own_program, run, stdout};

#[test]
fn the_document_follows_its_schema() {
    let schema = include_str!("../../../../docs/explain.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    for arguments in [
        &[][..],
        &["--full"],
        &["--by", "section,crate"],
        &["--by", "generic", "--filter", "core"],
    ] {
        let document = json(
            [own_program().to_str().expect("UTF-8")]
                .into_iter()
                .chain(arguments.iter().copied()),
        );
        assert_eq!(document["format"], "cargo-whittle/explain");
        assert_eq!(document["version"], 1);
        let errors: Vec<String> = validator
            .iter_errors(&document)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{arguments:?}: {errors:#?}");
    }
}

#[test]
fn every_run_gives_the_same_bytes() {
    let own = own_program().to_str().expect("UTF-8");
    for arguments in [
        &[own][..],
        &[own, "--full"],
        &[own, "--format", "json", "--by", "function"],
        &[own, "--spans"],
    ] {
        assert_eq!(stdout(arguments), stdout(arguments), "{arguments:?}");
    }
}

#[test]
fn the_screen_is_one_screen() {
    let text = stdout([own_program()]);
    assert!(text.lines().count() <= 40, "{} lines", text.lines().count());
    for line in text.lines() {
        // The path of the file is as long as it is.
        let is_path = line.contains("target");
        assert!(line.chars().count() <= 80 || is_path, "{line}");
    }
    let full = stdout([own_program().as_os_str(), "--full".as_ref()]);
    assert!(full.lines().count() > text.lines().count());
}

#[test]
fn colour_is_for_terminals_and_for_those_who_ask() {
    let own = own_program().to_str().expect("UTF-8");
    assert!(!stdout([own]).contains('\u{1b}'));
    assert!(stdout([own, "--color", "always"]).contains('\u{1b}'));
    let forced = command()
        .arg(own)
        .env("CLICOLOR_FORCE", "1")
        .output()
        .expect("it starts");
    assert!(String::from_utf8_lossy(&forced.stdout).contains('\u{1b}'));
    let by_cargo = command()
        .arg(own)
        .env("CARGO_TERM_COLOR", "always")
        .output()
        .expect("it starts");
    assert!(String::from_utf8_lossy(&by_cargo.stdout).contains('\u{1b}'));
    let never = command()
        .args([own, "--color", "never"])
        .env("CLICOLOR_FORCE", "1")
        .output()
        .expect("it starts");
    assert!(!String::from_utf8_lossy(&never.stdout).contains('\u{1b}'));
}

#[test]
fn results_go_where_they_are_asked_to() {
    let own = own_program().to_str().expect("UTF-8");
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("report.json");
    let output = run([
        own,
        "--format",
        "json",
        "--output",
        path.to_str().expect("UTF-8"),
    ]);
    assert!(output.status.success());
    assert!(output.stdout.is_empty());
    let written = fs::read_to_string(&path).expect("it was written");
    assert_eq!(written, stdout([own, "--format", "json"]));
}

#[test]
fn a_reader_that_stops_is_no_error() {
    let mut child = command()
        .args([own_program().to_str().expect("UTF-8"), "--spans"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(0));
    assert!(
        output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn tables_come_as_csv_and_markdown() {
    let own = own_program().to_str().expect("UTF-8");
    let csv = stdout([own, "--by", "kind", "--format", "csv"]);
    assert!(csv.starts_with("kind,file,memory,code,"), "{csv}");
    assert!(csv.lines().count() > 5);
    let markdown = stdout([own, "--by", "kind", "--format", "markdown"]);
    assert!(markdown.contains("| --"), "{markdown}");
}

#[test]
fn cargo_and_people_call_it_alike() {
    let own = own_program().to_str().expect("UTF-8");
    let direct = stdout(["explain", own]);
    assert_eq!(
        stdout(["whittle", "explain", own]),
        direct,
        "as cargo calls it"
    );
    assert_eq!(
        stdout(["whittle", own]),
        direct,
        "explain is what is done when nothing is said"
    );
    assert!(stdout(["--help"]).contains("Example:"));
    assert!(stdout(["whittle", "explain", "--help"]).contains("Example:"));
    assert!(stdout(["--version"]).contains(env!("CARGO_PKG_VERSION")));
}

//! Histories, jumps in them, and what `init` writes.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::whittle::{Package, command, own_program, stderr};

fn whittle(folder: &Path, arguments: &[&str]) -> Output {
    command()
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("the program under test starts")
}

fn stdout(folder: &Path, arguments: &[&str]) -> String {
    let output = whittle(folder, arguments);
    assert!(
        output.status.success(),
        "{arguments:?}: {}",
        stderr(&output)
    );
    String::from_utf8(output.stdout).expect("standard output is UTF-8")
}

fn git(folder: &Path, arguments: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
        .args(arguments)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{}", stderr(&output));
}

/// A program with so many bytes of a table.
fn main_with(bytes: usize, note: usize) -> String {
    format!(
        "// {note}\nstatic OWN: [u8; {bytes}] = [3; {bytes}];\n\nfn main() {{\n    println!(\"{{}}\", std::hint::black_box(&OWN)[std::env::args().count()]);\n}}\n"
    )
}

/// A repository of eleven commits; the seventh makes the program larger.
fn repository() -> Package {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"jump\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[profile.release]\nopt-level = 0\n",
        ),
        (".gitignore", "target\n"),
    ]);
    let root = package.path("");
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    fs::create_dir(package.path("src")).expect("a folder");
    for number in 0..=10 {
        let bytes = if number >= 7 { 40_000 } else { 64 };
        fs::write(package.path("src/main.rs"), main_with(bytes, number)).expect("a file");
        git(&root, &["add", "."]);
        git(
            &root,
            &[
                "commit",
                "--quiet",
                "--message",
                &format!("change {number}"),
            ],
        );
    }
    package
}

#[test]
fn the_commit_of_a_planted_jump_is_named_after_a_logarithmic_number_of_builds() {
    let package = repository();
    let root = package.path("");
    let text = stdout(
        &root,
        &["history", "--bisect", "HEAD~10..HEAD", "--format", "json"],
    );
    let document: Value = serde_json::from_str(&text).expect("JSON");
    let note = document["notes"][0].as_str().expect("a note");
    assert!(note.contains("\"change 7\""), "{note}");
    let builds: usize = note
        .rsplit_once("; ")
        .and_then(|(_, rest)| rest.split(' ').next()?.parse().ok())
        .expect("it says how many were built");
    assert!(builds <= 6, "{note}");
    assert_eq!(document["causes"][0]["cause"], "own-code");
    let wrong = whittle(&root, &["history", "--bisect", "HEAD"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(stderr(&wrong).contains("names no two commits"));
    let backwards = whittle(&root, &["history", "--bisect", "HEAD..HEAD~2"]);
    assert_eq!(backwards.status.code(), Some(2));
    assert!(
        stderr(&backwards).contains("no commit leads"),
        "{}",
        stderr(&backwards)
    );
}

#[test]
fn each_recorded_run_is_a_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let own = own_program().to_str().expect("UTF-8");
    let missing = whittle(folder.path(), &["history", "--file", "kept.jsonl"]);
    assert_eq!(missing.status.code(), Some(2));
    assert!(
        stderr(&missing).contains("--record"),
        "{}",
        stderr(&missing)
    );
    for _ in 0..2 {
        stdout(
            folder.path(),
            &["check", own, "--total", "9 GiB", "--record=kept.jsonl"],
        );
    }
    stdout(folder.path(), &["explain", own, "--record=kept.jsonl"]);
    let kept = fs::read_to_string(folder.path().join("kept.jsonl")).expect("it is there");
    let schema = include_str!("../../../../docs/history.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let size = fs::metadata(own).expect("it is there").len();
    let mut lines = 0;
    for line in kept.lines() {
        let line: Value = serde_json::from_str(line).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&line)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
        for axis in ["causes", "crates"] {
            let sum: u64 = line[axis]
                .as_object()
                .expect("sums")
                .values()
                .filter_map(Value::as_u64)
                .sum();
            assert_eq!(sum, size, "{axis}");
        }
        lines += 1;
    }
    assert_eq!(lines, 3);
    let text = stdout(folder.path(), &["history", "--file", "kept.jsonl"]);
    assert!(
        text.contains("▁▁▁") && text.contains("(3 recorded)"),
        "{text}"
    );
    let json = stdout(
        folder.path(),
        &["history", "--file", "kept.jsonl", "--format", "json"],
    );
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["builds"].as_array().map(Vec::len), Some(3));
    fs::write(folder.path().join("kept.jsonl"), format!("{kept}what?\n")).expect("a file");
    let damaged = whittle(folder.path(), &["history", "--file", "kept.jsonl"]);
    assert_eq!(damaged.status.code(), Some(2));
    assert!(stderr(&damaged).contains("line 4"), "{}", stderr(&damaged));
}

#[test]
fn what_init_writes_is_a_configuration_and_is_written_once() {
    let package = Package::small();
    let root = package.path("");
    let nowhere = whittle(&root, &["init", "--github"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(stderr(&nowhere).contains("--install-from"));
    let odd = ["init", "--github", "--install-from", "https://a/b; rm x"];
    assert_eq!(whittle(&root, &odd).status.code(), Some(2));
    let address = "https://example.org/cargo-whittle";
    let first = whittle(&root, &["init", "--github", "--install-from", address]);
    assert!(first.status.success(), "{}", stderr(&first));
    let written = fs::read_to_string(package.path("whittle.toml")).expect("it is there");
    let workflow =
        fs::read_to_string(package.path(".github/workflows/size.yml")).expect("it is there");
    assert!(
        workflow.contains(&format!("--git {address} cargo-whittle\n")),
        "{workflow}"
    );
    // Forks must not get at secrets, nor their branches be trusted.
    assert!(
        !workflow.contains("pull_request_target") && workflow.contains("contents: read"),
        "{workflow}"
    );
    let again = whittle(&root, &["init"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(stderr(&again).contains("already"));
    // What is commented out is right too.
    let own = own_program().to_str().expect("UTF-8");
    let all: String = written
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            Some(rest) if rest.starts_with('[') || rest.contains(" = ") => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    fs::write(package.path("whittle.toml"), all).expect("a file");
    let output = whittle(&root, &["check", own, "--format", "json"]);
    let said = stderr(&output);
    // It reads the file and only then misses the baseline that the example names.
    assert!(said.contains("size.whittle` is not there"), "{said}");
}

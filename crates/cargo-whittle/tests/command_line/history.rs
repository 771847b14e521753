//! Histories, and what `init` writes. Jumps are looked for in `planted_history`.

use std::fs;
use std::path::Path;
use std::process::Output;

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

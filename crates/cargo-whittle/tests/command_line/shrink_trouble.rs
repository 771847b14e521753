//! Trials that cannot begin: a clear error, and the project's own files as they were.

use std::fs;

use serde_json::Value;

use crate::shrink::{GREETER, TEST, planted, shrink};
use crate::whittle::{Package, json, run, stderr, stdout};

fn trouble(package: &Package, arguments: &[&str]) -> String {
    let manifest = package.manifest();
    let before = fs::read(package.path("Cargo.toml")).ok();
    let output = run([&["shrink", "--manifest-path", &manifest], arguments].concat());
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert!(text.contains("error: "), "{text}");
    assert_eq!(fs::read(package.path("Cargo.toml")).ok(), before);
    text
}

fn says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in: {text}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_built() {
    let package = Package::small();
    says(
        &trouble(&package, &["--only", "sped"]),
        &["`sped`", "cargo whittle levers"],
    );
    says(
        &trouble(&package, &["--allow", "class:D"]),
        &["class:D", "by their names"],
    );
    says(
        &trouble(&package, &["--max-slowdown", "2"]),
        &["--max-slowdown", "`2%`"],
    );
    says(
        &trouble(&package, &["--time-budget", "soon"]),
        &["--time-budget", "20min"],
    );
    says(
        &trouble(&package, &["--min-glibc", "new"]),
        &["`new`", "2.36"],
    );
    says(&trouble(&package, &["--format", "csv"]), &["CSV"]);
    says(
        &trouble(&package, &["--toolchain", "no-such"]),
        &["no-such", "installed"],
    );
    assert!(!package.path("target").exists(), "nothing was built");
}

#[test]
fn a_wrong_key_is_named_by_file_line_and_key() {
    let package = Package::small();
    fs::write(
        package.path("whittle.toml"),
        "[shrink]\ngoal = \"balanced\"\nspeed = 3\n",
    )
    .expect("written");
    says(
        &trouble(&package, &[]),
        &["whittle.toml", "line 3", "`speed`"],
    );
}

#[test]
fn a_workload_that_does_not_work_is_told() {
    let package = Package::small();
    let only = ["--only", "strip", "--tests", "none"];
    let with = |more: &[&str]| trouble(&package, &[&only, more].concat());
    says(
        &with(&["--workload", "sleep 0"]),
        &["does not run the program", "`{}`"],
    );
    says(
        &with(&["--workload", "{} && exit 3"]),
        &["fails with the program as it is", "exit code 3"],
    );
    says(
        &with(&["--check", "no-such-program {}"]),
        &["cannot be run", "no-such-program"],
    );
}

#[test]
fn a_project_that_does_not_build_or_whose_tests_fail_is_told() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"broken\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        ),
        ("src/main.rs", "fn main() { wrong }\n"),
    ]);
    says(&trouble(&package, &[]), &["failed", "wrong"]);
    fs::write(package.path("src/main.rs"), "fn main() {}\n").expect("written");
    fs::create_dir(package.path("tests")).expect("made");
    fs::write(
        package.path("tests/it.rs"),
        "#[test]\nfn fails() {\n    let _ = env!(\"CARGO_BIN_EXE_broken\");\n    panic!();\n}\n",
    )
    .expect("written");
    says(
        &trouble(&package, &["--only", "strip"]),
        &["tests fail", "it::fails", "--tests none"],
    );
}

#[test]
fn unit_tests_that_do_not_compile_are_said_and_end_nothing() {
    let broken = format!("{GREETER}#[cfg(test)]\ncompile_error!(\"no unit tests here\");\n");
    let package = planted(&broken, &[TEST]);
    let document = shrink(&package, &["--only", "strip"]);
    assert_eq!(document["recommended"]["verdict"]["behaviour"], "passed");
    let notes = document["notes"].to_string();
    assert!(notes.contains("unit tests were not run"), "{notes}");
    assert!(notes.contains("no unit tests here"), "{notes}");
}

#[test]
fn what_does_not_link_or_is_not_there_is_told() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"lib\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        ),
        ("src/lib.rs", ""),
    ]);
    says(&trouble(&package, &[]), &["linked"]);
    let nothing = Package::new(&[("other.txt", "")]);
    let text = trouble(&nothing, &[]);
    says(&text, &["Cargo.toml"]);
}

#[test]
fn a_linker_that_is_not_there_is_told() {
    let package = Package::small();
    let config = "target.'cfg(all())'.linker=\"no-such-linker\"";
    says(
        &trouble(&package, &["--config", config]),
        &["no-such-linker", "not found"],
    );
}

#[test]
fn several_programs_are_to_be_chosen_from() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"two\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        ),
        ("src/bin/one.rs", "fn main() {}\n"),
        ("src/bin/other.rs", "fn main() {}\n"),
    ]);
    says(&trouble(&package, &[]), &["`--bin one`", "`--bin other`"]);
}

#[test]
fn every_setting_is_listed_and_explained() {
    let list = stdout(["levers"]);
    let document: Value = json(["levers"]);
    let levers = document["levers"].as_array().expect("a list");
    assert!(levers.len() > 15);
    for lever in levers {
        let name = lever["name"].as_str().expect("a name");
        assert!(list.contains(name), "{name} is not in: {list}");
        let price = lever["price"].as_str().expect("a price");
        let one = stdout(["levers", name]).replace('\n', " ");
        assert!(one.contains("price: "), "{one}");
        let start: String = price.chars().take(30).collect();
        assert!(one.contains(&start), "{one}");
    }
    let output = run(["levers", "speed"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`speed`"));
}

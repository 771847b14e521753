//! Runs the program under test.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The program with a clean environment: nothing that changes colours or what cargo does.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-whittle"));
    for variable in [
        "NO_COLOR",
        "CLICOLOR_FORCE",
        "CLICOLOR",
        "CARGO_TERM_COLOR",
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET_DIR",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "COLUMNS",
        "RUST_BACKTRACE",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Runs the program and returns what it printed.
pub(crate) fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Output {
    command()
        .args(arguments)
        .output()
        .expect("the program under test starts")
}

/// Runs the program, which must end well, and returns what it wrote to standard output.
pub(crate) fn stdout<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "it failed: {}", stderr(&output));
    String::from_utf8(output.stdout).expect("standard output is UTF-8")
}

/// Runs the program with `--format json` and returns the document.
pub(crate) fn json<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Value {
    let arguments: Vec<_> = arguments
        .into_iter()
        .map(|argument| argument.as_ref().to_owned())
        .collect();
    let text = stdout(
        arguments
            .iter()
            .map(AsRef::as_ref)
            .chain([OsStr::new("--format"), OsStr::new("json")]),
    );
    opens_as_a_document(&text);
    serde_json::from_str(&text).expect("the document is JSON")
}

/// Every document says first what it is, so that a reader need not look further.
pub(crate) fn opens_as_a_document(text: &str) {
    let rest = text
        .strip_prefix("{\n  \"format\": \"cargo-whittle/")
        .and_then(|rest| rest.split_once("\",\n  \"version\": 1,\n"));
    assert!(rest.is_some(), "{}", text.get(..200).unwrap_or(text));
}

/// Says that a part of a test was left out, and why: what it needs is not here.
#[expect(clippy::print_stderr, reason = "for whoever reads the test's output")]
pub(crate) fn skipped(reason: &str) {
    eprintln!("left out: {reason}");
}

/// What a run wrote to standard error.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The program under test itself: an unstripped Rust program that is always there.
pub(crate) fn own_program() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_cargo-whittle"))
}

/// The sum of a column over the rows of a document.
pub(crate) fn sum(document: &Value, column: &str) -> u64 {
    let rows = document["rows"].as_array().expect("there are rows");
    rows.iter()
        .map(|row| row[column].as_u64().expect("each row has the column"))
        .sum()
}

/// A new package in a folder of its own: a library-free program that builds in a moment, without optimization.
pub(crate) struct Package {
    folder: tempfile::TempDir,
}

impl Package {
    /// Writes files into a new folder: path and contents.
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the package");
        for (path, contents) in files {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().expect("a file has a folder"))
                .expect("the folder is made");
            std::fs::write(path, contents).expect("the file is written");
        }
        Self { folder }
    }

    /// One program named `small`.
    pub(crate) fn small() -> Self {
        Self::new(&[
            (
                "Cargo.toml",
                "[package]\nname = \"small\"\nversion = \"1.2.3\"\nedition = \"2021\"\n\n[profile.release]\nopt-level = 0\n",
            ),
            (
                "src/main.rs",
                "fn main() {\n    println!(\"{:?}\", std::env::args().collect::<Vec<_>>());\n}\n",
            ),
        ])
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub(crate) fn manifest(&self) -> String {
        self.path("Cargo.toml")
            .to_str()
            .expect("the path is UTF-8")
            .to_owned()
    }
}

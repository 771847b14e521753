//! Programs that cargo starts through a runner.

use std::fs;

use serde_json::Value;

use crate::shrink::{GREETER, TEST, planted};
use crate::whittle::{command, stderr};

/// Notes what it is asked to run, and runs it.
const RUNNER: &str = "#!/bin/sh\necho \"$2\" >> \"$1\"\nshift\nexec \"$@\"\n";

#[test]
fn tests_checks_and_trials_go_through_the_runner() {
    let package = planted(GREETER, &[TEST, ("tools/note", RUNNER)]);
    let tool = package.path("tools/note");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("set");
    }
    let folder = tempfile::tempdir().expect("a folder");
    let notes = folder.path().join("notes");
    fs::create_dir(package.path(".cargo")).expect("made");
    let configuration = format!(
        "[target.'cfg(unix)']\nrunner = ['tools/note', '{}']\n",
        notes.display()
    );
    fs::write(package.path(".cargo/config.toml"), configuration).expect("written");
    let output = command()
        .args(["shrink", "--only", "strip", "--check", "planted word"])
        .args(["--format", "json"])
        .current_dir(package.path(""))
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let verdict = &document["recommended"]["verdict"];
    assert_eq!(verdict["starts"], "yes", "{verdict}");
    assert_eq!(verdict["behaviour"], "passed", "{verdict}");
    let called = fs::read_to_string(&notes).expect("it was called");
    let runs = |part: &str| called.lines().filter(|line| line.contains(part)).count();
    assert!(runs("deps/runs-") >= 3, "the compiled tests: {called}");
    assert!(runs("run/trial/planted") >= 4, "checks: {called}");

    // A runner that is not there is no reason to give up.
    fs::remove_file(&tool).expect("removed");
    let output = command()
        .args(["shrink", "--only", "strip", "--format", "json"])
        .current_dir(package.path(""))
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let notes = document["notes"].to_string();
    assert!(notes.contains("cannot run here"), "{notes}");
}

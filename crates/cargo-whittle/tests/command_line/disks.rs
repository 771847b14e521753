//! Disks that are full, and checkouts that cannot be written to. Both need a mount of their own, which not every machine
//! lets a test have.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::shrink::{GREETER, planted, tree};
use crate::whittle::{Package, command, skipped, stderr};

/// Runs a script in a mount namespace of its own; nothing where that is not allowed.
fn with_mounts(script: &str, package: &Package, environment: &[(&str, &Path)]) -> Option<Output> {
    let clean = command();
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--map-root-user", "sh", "-c", script])
            .current_dir(package.path(""))
            .envs(environment.iter().copied())
            .env("WHITTLE", env!("CARGO_BIN_EXE_cargo-whittle"));
        // Nothing that changes what cargo does.
        for (key, value) in clean.get_envs() {
            if value.is_none() {
                command.env_remove(key);
            }
        }
        command.output()
    };
    match run("mount -t tmpfs -o size=1m none target") {
        Ok(output) if output.status.success() => {}
        Ok(output) => {
            skipped(&format!("no mounts of one's own: {}", stderr(&output)));
            return None;
        }
        Err(error) => {
            skipped(&format!("no mounts of one's own: {error}"));
            return None;
        }
    }
    Some(run(script).expect("it could be run a moment ago"))
}

#[test]
fn a_full_disk_stops_a_run_and_nothing_is_lost() {
    let marks = tempfile::tempdir().expect("a folder");
    let package = planted(GREETER, &[]);
    fs::create_dir(package.path("target")).expect("made");
    fs::create_dir(marks.path().join("bin")).expect("made");
    // In the place of the C compiler that links: once trials are made, something else fills the disk.
    let linker = "#!/bin/sh\nif test -e \"$MARKS/tests\" -a ! -e \"$MARKS/filled\"; then\n  case \"$*\" in *whittle/variants*)\n    \
                  touch \"$MARKS/filled\"; cat /dev/zero > target/other 2> /dev/null;;\n  esac\nfi\nPATH=\"${PATH#*:}\" exec cc \"$@\"\n";
    let path = marks.path().join("bin/cc");
    fs::write(&path, linker).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    }
    let before = tree(&package.path(""));
    let script = r#"
        mount -t tmpfs -o size=200m none target
        PATH="$MARKS/bin:$PATH"
        shrink() {
            "$WHITTLE" shrink --only codegen-units,strip --format json \
                --tests 'touch $MARKS/tests; {} hello' > "$MARKS/out.$1" 2> "$MARKS/err.$1"
            echo $? > "$MARKS/code.$1"
        }
        shrink full
        wc -l < target/whittle/shrink/journal.jsonl > "$MARKS/journal"
        rm target/other
        shrink again
        # What the baseline itself does not fit on.
        umount target
        mount -t tmpfs -o size=12m none target
        shrink small
    "#;
    let Some(output) = with_mounts(script, &package, &[("MARKS", marks.path())]) else {
        return;
    };
    let said = |name: &str| {
        fs::read_to_string(marks.path().join(name))
            .unwrap_or_else(|error| panic!("{name}: {error}: {}", stderr(&output)))
    };
    assert!(marks.path().join("filled").exists(), "{}", said("err.full"));
    for run in ["full", "small"] {
        let (code, text) = (said(&format!("code.{run}")), said(&format!("err.{run}")));
        assert_eq!(code.trim(), "2", "{run}: {text}");
        assert!(text.contains("the disk is full"), "{run}: {text}");
        assert!(text.contains("finished trials are kept"), "{run}: {text}");
    }
    assert_eq!(
        said("journal").trim(),
        "0",
        "that a disk is full says nothing of a setting"
    );
    assert_eq!(said("code.again").trim(), "0", "{}", said("err.again"));
    let document: Value = serde_json::from_str(&said("out.again")).expect("JSON");
    assert_eq!(document["recommended"]["settings"]["codegen-units"], "1");
    assert_eq!(tree(&package.path("")), before);
}

#[test]
fn a_checkout_that_cannot_be_written_to_is_left_alone() {
    let elsewhere = tempfile::tempdir().expect("a folder");
    let package = planted(GREETER, &[]);
    fs::create_dir(package.path("target")).expect("made");
    let before = tree(&package.path(""));
    let script = r#"
        mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" || exit 9
        shrink() { "$WHITTLE" shrink --only strip --tests none "$@"; echo "code $?"; }
        touch file && exit 9
        shrink
        shrink --target-dir "$ELSEWHERE"
        shrink --target-dir "$ELSEWHERE" --apply --allow unproven
    "#;
    let environment = [("ELSEWHERE", elsewhere.path())];
    let Some(output) = with_mounts(script, &package, &environment) else {
        return;
    };
    let errors = stderr(&output);
    assert_ne!(output.status.code(), Some(9), "{errors}");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let codes: Vec<&str> = text
        .lines()
        .filter(|line| line.starts_with("code "))
        .collect();
    assert_eq!(codes, ["code 2", "code 0", "code 1"], "{text}\n{errors}");
    assert!(errors.contains("--target-dir"), "{errors}");
    assert!(text.contains("Take this"), "{text}");
    assert!(text.contains("Nothing was written"), "{text}");
    assert!(text.contains("Read-only file system"), "{text}");
    assert_eq!(tree(&package.path("")), before);
}

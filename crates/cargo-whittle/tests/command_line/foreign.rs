//! Programs that cannot run here. The one here is for another machine by its header alone, since not everybody has a
//! compiler and a linker for another one.

use std::fs;

use serde_json::Value;

use crate::shrink::{GREETER, TEST, follows_the_schema, planted};
use crate::whittle::{command, stderr};

/// In the place of the C compiler that links: what it makes says that it is for another machine: 64-bit ARM, or for x86-64 where this is one.
const LINKER: &str = "#!/bin/sh\nPATH=\"${PATH#*:}\" cc \"$@\" || exit\nwhile test $# -gt 1; do\n  if test \"$1\" = -o; then\n    \
                      printf '%b' \"$OTHER\" | dd of=\"$2\" bs=1 seek=18 conv=notrunc 2> /dev/null\n  fi\n  shift\ndone\n";

#[test]
fn what_cannot_run_here_is_measured_and_the_limit_is_said() {
    let package = planted(GREETER, &[TEST]);
    let folder = tempfile::tempdir().expect("a folder");
    let linker = folder.path().join("cc");
    fs::write(&linker, LINKER).expect("written");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(&linker, fs::Permissions::from_mode(0o755)).expect("set");
    }
    let path = std::env::var("PATH").expect("there is one");
    let shrink = |more: &[&str]| {
        command()
            .args([
                "shrink",
                "--only",
                "codegen-units,strip",
                "--format",
                "json",
            ])
            .args(more)
            .current_dir(package.path(""))
            .env("PATH", format!("{}:{path}", folder.path().display()))
            .env(
                "OTHER",
                if cfg!(target_arch = "aarch64") {
                    "\\076"
                } else {
                    "\\0267"
                },
            )
            .output()
            .expect("it starts")
    };
    let output = shrink(&[]);
    assert!(output.status.success(), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    follows_the_schema(&document);
    let verdict = &document["recommended"]["verdict"];
    assert_eq!(verdict["starts"], "not-tried");
    assert_eq!(verdict["behaviour"], "not-exercised");
    let notes = document["notes"].to_string();
    assert!(
        notes.contains("cannot run here (Exec format error"),
        "{notes}"
    );

    // That nothing runs, today and with a trial, is no proof that both do the same.
    let output = shrink(&["--check", "{} hello"]);
    assert_eq!(output.status.code(), Some(2));
    let said = stderr(&output);
    assert!(said.contains("`{} hello` cannot be run"), "{said}");
}

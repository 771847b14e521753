//! Programs whose release is no plain `cargo build`: a command of the user's builds them, and trials go through it.

use std::fs;

use serde_json::Value;

use crate::shrink::{GREETER, MANIFEST, TEST, follows_the_schema, planted, setting, tree};
use crate::whittle::{Package, command, run, stderr};

/// A script as many projects have one: it builds, and puts the program elsewhere.
const SCRIPT: &str = "#!/bin/sh\nset -e\ncargo build --release --offline --quiet\nmkdir -p dist\n\
                      cp \"${CARGO_TARGET_DIR:-target}/release/planted\" dist/app\n";

fn shrink(package: &Package, arguments: &[&str]) -> std::process::Output {
    command()
        .args(["shrink", "--format", "json"])
        .args(arguments)
        .current_dir(package.path(""))
        .output()
        .expect("the program can be started")
}

fn document(output: &std::process::Output) -> Value {
    let document = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", stderr(output)));
    follows_the_schema(&document);
    document
}

fn size(package: &Package, path: &str) -> u64 {
    fs::metadata(package.path(path)).expect("it is there").len()
}

#[test]
fn a_script_is_run_with_other_settings_and_its_file_comes_back() {
    let package = planted(
        GREETER,
        &[
            ("release.sh", SCRIPT),
            (
                "whittle.toml",
                "[shrink]\nbuild-command = \"sh release.sh\"\nartifact = \"dist/app\"\nonly = [\"strip\", \"codegen-units\"]\n\n\
                 [[check]]\ncommand = \"{} hello\"\n",
            ),
        ],
    );
    let made = std::process::Command::new("sh")
        .arg("release.sh")
        .current_dir(package.path(""))
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("it runs");
    assert!(made.status.success(), "{}", stderr(&made));
    let before = tree(&package.path(""));

    let output = shrink(&package, &[]);
    let found = document(&output);
    assert_eq!(tree(&package.path("")), before, "the project's own files");
    assert_eq!(
        found["baseline"]["size"]["file"].as_u64(),
        Some(size(&package, "dist/app"))
    );
    assert_eq!(setting(&found, "strip"), Some("symbols"));
    assert_eq!(found["recommended"]["verdict"]["starts"], "yes");
    assert_eq!(found["recommended"]["verdict"]["behaviour"], "passed");
    assert_eq!(found["links"], 0);
    assert!(stderr(&output).contains("sh release.sh"), "it is announced");

    // What was found is not built again, and a real run with the settings written gives the file.
    let output = shrink(&package, &["--apply", "--full"]);
    let applied = document(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(applied["builds"], 1, "the baseline's own alone");
    let recommended = applied["recommended"]["size"].as_u64();
    let sums = ["before", "after"].map(|side| {
        let rows = applied["why"]["cause"].as_array().expect("rows");
        rows.iter()
            .filter_map(|row| row[side].as_u64())
            .sum::<u64>()
    });
    let baseline = applied["baseline"]["size"]["file"].as_u64();
    assert_eq!([Some(sums[0]), Some(sums[1])], [baseline, recommended]);
    assert_eq!(applied["applied"]["size"].as_u64(), recommended);
    assert_eq!(Some(size(&package, "dist/app")), recommended);
    let manifest = fs::read_to_string(package.path("Cargo.toml")).expect("there");
    assert!(manifest.contains("strip = \"symbols\""), "{manifest}");

    let undone = run(["undo", "--manifest-path", &package.manifest()]);
    assert!(undone.status.success(), "{}", stderr(&undone));
    let manifest = fs::read_to_string(package.path("Cargo.toml")).expect("there");
    assert_eq!(manifest, MANIFEST);
}

#[test]
fn the_packages_own_tests_run_the_file_that_a_command_builds() {
    let package = planted(GREETER, &[TEST]);
    let found = document(&shrink(
        &package,
        &[
            "--build-command",
            "cargo build --release --offline",
            "--artifact",
            "target/release/planted",
            "--only",
            "strip",
        ],
    ));
    assert_eq!(found["recommended"]["verdict"]["behaviour"], "passed");
    assert_eq!(setting(&found, "strip"), Some("symbols"));
}

#[test]
fn a_command_that_copies_from_the_users_own_target_directory_is_followed_there() {
    // Cargo hears `CARGO_TARGET_DIR`, and what is copied is what lay there before.
    let script = SCRIPT.replace("${CARGO_TARGET_DIR:-target}", "target");
    let package = planted(GREETER, &[("release.sh", &script)]);
    let arguments = [
        "--build-command",
        "sh release.sh",
        "--artifact",
        "dist/*",
        "--only",
        "strip",
        "--tests",
        "none",
    ];
    let found = document(&shrink(&package, &arguments));
    assert_eq!(setting(&found, "strip"), Some("symbols"));
    let notes = found["notes"].to_string();
    assert!(notes.contains("CARGO_TARGET_DIR"), "{notes}");
    let shipped = size(&package, "dist/app");
    assert_eq!(found["baseline"]["size"]["file"].as_u64(), Some(shipped));
}

#[test]
fn a_command_that_hears_no_settings_is_refused() {
    let package = planted(
        GREETER,
        &[(
            "release.sh",
            "#!/bin/sh\nset -e\nmkdir -p dist\nenv -i PATH=\"$PATH\" HOME=\"$HOME\" cargo build --release --offline\n\
             cp target/release/planted dist/app\n",
        )],
    );
    let output = shrink(
        &package,
        &[
            "--build-command",
            "sh release.sh",
            "--artifact",
            "dist/app",
            "--tests",
            "none",
        ],
    );
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for part in [
        "the same file whatever the settings",
        "CARGO_PROFILE_RELEASE_OPT_LEVEL",
    ] {
        assert!(said.contains(part), "{said}");
    }
    assert!(package.path("dist/app").is_file(), "it is left in place");
}

#[test]
fn a_command_or_a_pattern_that_does_not_work_is_told() {
    let package = planted(GREETER, &[]);
    fs::create_dir(package.path("dist")).expect("made");
    for name in ["dist/a", "dist/b"] {
        fs::write(package.path(name), "x").expect("written");
    }
    let refused = |command: &str, artifact: &str, more: &[&str]| {
        let arguments = ["--build-command", command, "--artifact", artifact];
        let output = shrink(&package, &[&arguments, more].concat());
        assert_eq!(output.status.code(), Some(2), "{command}");
        stderr(&output)
    };
    for (command, artifact, more, parts) in [
        (
            "echo about it; exit 3",
            "dist/a",
            &[][..],
            &["exit status 3", "about it"][..],
        ),
        ("true", "dist/none", &[], &["no file matches", "dist/none"]),
        ("true", "dist/*", &[], &["2 files match", "dist/b"]),
        ("true", "dist/[", &[], &["no pattern"]),
        (
            "true",
            "dist/a",
            &["--toolchain", "x"],
            &["`--toolchain`", "build command"],
        ),
        (
            "true",
            "dist/a",
            &["--bin", "planted"],
            &["flags for targets"],
        ),
    ] {
        let said = refused(command, artifact, more);
        for part in parts {
            assert!(said.contains(part), "`{part}` is not in: {said}");
        }
    }
    fs::write(
        package.path("whittle.toml"),
        "[shrink]\nbuild-command = \"make\"\n",
    )
    .expect("written");
    let output = shrink(&package, &[]);
    assert!(
        stderr(&output).contains("artifact = "),
        "{}",
        stderr(&output)
    );
}

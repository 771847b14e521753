//! Trials as their users run them, on small programs that are planted to show one thing each.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::whittle::{Package, command, json, run, stderr};

pub(crate) const MANIFEST: &str = "[package]\nname = \"planted\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n# The profile of somebody who cares.\n[profile.release]\nincremental = false # a comment\n";
/// A test that runs the program.
pub(crate) const TEST: (&str, &str) = (
    "tests/runs.rs",
    "#[test]\nfn it_greets() {\n    let output = std::process::Command::new(env!(\"CARGO_BIN_EXE_planted\")).arg(\"hello\").output().unwrap();\n    \
     assert!(output.status.success());\n    assert_eq!(output.stdout, b\"hello\\n\");\n}\n",
);
/// A program that says what it is told, and answers `--version`.
pub(crate) const GREETER: &str = "fn main() {\n    let word = std::env::args().nth(1).unwrap_or_default();\n    println!(\"{word}\");\n}\n";

/// Trials that take a moment, and are written though nothing exercises the program.
const UNPROVEN_STRIP: &[&str] = &["--only", "strip", "--tests", "none", "--allow", "unproven"];

/// Every file of a folder with its contents and every folder with none, without what was built.
pub(crate) fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.ends_with("target") {
                continue;
            }
            if path.is_dir() {
                files.insert(path.clone(), Vec::new());
                folders.push(path);
            } else {
                files.insert(path.clone(), fs::read(path).expect("a file"));
            }
        }
    }
    files
}

/// The program, with its lock file made.
pub(crate) fn planted(main: &str, more: &[(&str, &str)]) -> Package {
    let mut files = vec![("Cargo.toml", MANIFEST), ("src/main.rs", main)];
    files.extend(more);
    let package = Package::new(&files);
    lock(&package);
    package
}

pub(crate) fn lock(package: &Package) {
    let made = cargo(package, &["generate-lockfile", "--offline"]);
    assert!(made.status.success(), "{}", stderr(&made));
}

pub(crate) fn cargo(package: &Package, arguments: &[&str]) -> std::process::Output {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    Command::new(cargo)
        .args(arguments)
        .arg("--manifest-path")
        .arg(package.manifest())
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("RUSTFLAGS")
        .output()
        .expect("cargo runs")
}

pub(crate) fn shrink(package: &Package, arguments: &[&str]) -> Value {
    let manifest = package.manifest();
    let document = json([&["shrink", "--manifest-path", &manifest], arguments].concat());
    follows_the_schema(&document);
    document
}

/// Runs trials with `--apply` in the package's folder, where cargo finds its configuration; nothing must be kept. Returns
/// what is said of it and all of standard error.
fn refused(
    package: &Package,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (String, String) {
    let output = command()
        .args(["shrink", "--apply", "--format", "json"])
        .args(arguments)
        .envs(environment.iter().copied())
        .current_dir(package.path(""))
        .output()
        .expect("the program can be started");
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    follows_the_schema(&document);
    let reason = document["applied"]["refused"].as_str();
    let reason = reason.unwrap_or_else(|| panic!("{}", document["applied"]));
    (reason.to_owned(), stderr(&output))
}

pub(crate) fn follows_the_schema(document: &Value) {
    let schema = include_str!("../../../../docs/shrink.schema.json");
    let schema = serde_json::from_str(schema).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
    let errors: Vec<String> = validator
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

pub(crate) fn setting<'v>(document: &'v Value, name: &str) -> Option<&'v str> {
    document["recommended"]["settings"][name].as_str()
}

#[test]
fn a_dry_run_changes_nothing_and_its_figures_are_those_of_a_real_build() {
    let package = planted(GREETER, &[TEST]);
    let before = tree(&package.path(""));
    let document = shrink(&package, &["--quick"]);
    assert_eq!(tree(&package.path("")), before, "the project's own files");

    let shipped = package.path("target/release/planted");
    assert!(!shipped.exists(), "nothing is built in the user's place");
    let plain = cargo(&package, &["build", "--release"]);
    assert!(plain.status.success(), "{}", stderr(&plain));
    let size = fs::metadata(&shipped).expect("it was built").len();
    assert_eq!(document["format"], "cargo-whittle/shrink");
    assert_eq!(document["baseline"]["size"]["file"].as_u64(), Some(size));
    assert_eq!(document["recommended"]["verdict"]["starts"], "yes");
    assert_eq!(document["recommended"]["verdict"]["behaviour"], "passed");
    assert_eq!(document["recommended"]["verdict"]["speed"], "not-measured");
    assert_eq!(
        setting(&document, "panic"),
        None,
        "a quick search keeps unwinding"
    );

    // Cargo is the judge of what the recommended settings give.
    let judged = cargo(
        &package,
        &[
            "build",
            "--release",
            "--target-dir",
            package.path("target/judge").to_str().expect("UTF-8"),
            "--config=profile.release.lto=\"fat\"",
            "--config=profile.release.codegen-units=1",
            "--config=profile.release.strip=\"symbols\"",
        ],
    );
    assert!(judged.status.success(), "{}", stderr(&judged));
    let judged = fs::metadata(package.path("target/judge/release/planted"))
        .expect("it was built")
        .len();
    let found = document["recommended"]["size"].as_u64().expect("a size");
    assert!(
        found.abs_diff(judged) * 2000 <= judged,
        "{found} is recommended, and cargo's own build is {judged}"
    );
    assert!(found < size);

    // What it costs beside its size is measured too, with the program as it is beside it.
    let start_up = &document["recommended"]["start-up"];
    assert_eq!(start_up["rounds"], 15);
    for side in ["before", "after"] {
        assert!(start_up[side]["wall-seconds"].as_f64() > Some(0.0));
        assert!(start_up[side]["peak-memory"].as_u64() > Some(1 << 20));
    }
}

/// A dependency whose build script notes each of its runs, and writes a source that names its own path.
fn with_generating_dependency() -> Package {
    let package = planted(
        "fn main() {\n    println!(\"{}\", dep::word(std::env::args().nth(1)));\n}\n",
        &[
            TEST,
            (
                "dep/Cargo.toml",
                "[package]\nname = \"dep\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
            ),
            (
                "dep/build.rs",
                "use std::io::Write as _;\nfn main() {\n    println!(\"cargo::rerun-if-changed=build.rs\");\n    \
                 let runs = concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/../target/runs\");\n    \
                 let mut runs = std::fs::File::options().create(true).append(true).open(runs).unwrap();\n    \
                 writeln!(runs, \"run\").unwrap();\n    let text = \"pub fn word(word: Option<String>) -> String { word.unwrap() }\";\n    \
                 std::fs::write(std::env::var(\"OUT_DIR\").unwrap() + \"/word.rs\", text).unwrap();\n}\n",
            ),
            (
                "dep/src/lib.rs",
                "include!(concat!(env!(\"OUT_DIR\"), \"/word.rs\"));\n",
            ),
        ],
    );
    let manifest = format!("{MANIFEST}\n[dependencies]\ndep = {{ path = \"dep\" }}\n");
    fs::write(package.path("Cargo.toml"), manifest).expect("written");
    lock(&package);
    package
}

#[test]
fn the_second_build_of_the_program_finds_its_dependencies_compiled() {
    let package = with_generating_dependency();
    // Trials that build other dependencies are not begun.
    let document = shrink(&package, &["--only", "strip", "--time-budget", "1s"]);
    let runs = fs::read_to_string(package.path("target/runs")).expect("noted");
    assert_eq!(runs.lines().count(), 1);

    // Paths of what was generated are longer there than in the user's place, which is known.
    let plain = cargo(&package, &["build", "--release"]);
    assert!(plain.status.success(), "{}", stderr(&plain));
    let size = fs::metadata(package.path("target/release/planted")).expect("it was built");
    let baseline = document["baseline"]["size"]["file"]
        .as_u64()
        .expect("a size");
    let noise = document["baseline"]["noise"].as_u64().expect("a size");
    assert!(noise > 0, "the path is in the file");
    assert!(
        baseline.abs_diff(size.len()) <= noise,
        "{baseline} here, {} there, noise {noise}",
        size.len()
    );
}

#[test]
fn what_is_applied_is_proven_and_can_be_taken_back() {
    let package = planted(GREETER, &[TEST]);
    let before = tree(&package.path(""));
    let document = shrink(&package, &["--apply", "--only", "strip,codegen-units"]);
    let applied = &document["applied"];
    let size = fs::metadata(package.path("target/release/planted"))
        .expect("it was built")
        .len();
    assert_eq!(applied["size"].as_u64(), Some(size), "{applied}");
    let manifest = fs::read_to_string(package.path("Cargo.toml")).expect("there");
    assert!(
        manifest.starts_with(MANIFEST),
        "comments and order stay: {manifest}"
    );
    assert!(manifest.contains("strip = \"symbols\""), "{manifest}");

    let undone = run(["undo", "--manifest-path", &package.manifest()]);
    assert!(undone.status.success(), "{}", stderr(&undone));
    let mut after = tree(&package.path(""));
    // The record that nothing is left to be taken back may stay.
    after.retain(|path, _| !path.ends_with("whittle-undo.json"));
    assert_eq!(after, before);
    let again = run(["undo", "--manifest-path", &package.manifest()]);
    assert_eq!(again.status.code(), Some(2));
    assert!(
        stderr(&again).contains("nothing to take back"),
        "{}",
        stderr(&again)
    );
}

#[test]
fn what_nothing_exercised_is_not_applied_unasked() {
    let package = planted(GREETER, &[]);
    let before = tree(&package.path(""));
    let manifest = package.manifest();
    let output = run([
        "shrink",
        "--apply",
        "--only",
        "strip",
        "--manifest-path",
        &manifest,
    ]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("--allow unproven"), "{text}");
    assert_eq!(tree(&package.path("")), before);
}

#[test]
fn an_edit_that_a_plain_build_does_not_hear_is_taken_back() {
    // Cargo's configuration outranks the manifest; `--config`, which trials use, outranks both.
    let package = planted(
        GREETER,
        &[(
            ".cargo/config.toml",
            "[profile.release]\nstrip = \"none\" # for the profiler\n",
        )],
    );
    let before = tree(&package.path(""));
    let (reason, said) = refused(&package, UNPROVEN_STRIP, &[]);
    let size = fs::metadata(package.path("target/release/planted"))
        .expect("it was built")
        .len();
    assert!(
        reason.contains(&format!("a plain build gives {size} bytes")),
        "{reason}"
    );
    assert!(
        reason.contains("outranked by `profile.release.strip` in `"),
        "{reason}"
    );
    assert!(reason.contains("the edit is taken back"), "{reason}");
    assert!(said.contains("+strip = \"symbols\""), "{said}");
    assert_eq!(tree(&package.path("")), before);

    // So does the environment, and it is named.
    fs::remove_file(package.path(".cargo/config.toml")).expect("removed");
    let variable = ("CARGO_PROFILE_RELEASE_STRIP", "none");
    let (reason, _) = refused(&package, UNPROVEN_STRIP, &[variable]);
    assert!(
        reason.contains("outranked by `CARGO_PROFILE_RELEASE_STRIP` in the environment; "),
        "{reason}"
    );
}

#[test]
fn a_program_that_swallows_panics_keeps_unwinding_and_is_told_the_place() {
    let package = planted(
        "fn main() {\n    if std::env::args().count() > 2 {\n        let caught = std::panic::catch_unwind(|| panic!(\"request\"));\n        \
         println!(\"{}\", caught.is_err());\n    }\n    println!(\"{}\", std::env::args().nth(1).unwrap_or_default());\n}\n",
        &[TEST],
    );
    let document = shrink(&package, &["--only", "panic,strip"]);
    assert_eq!(setting(&document, "panic"), None);
    let hazards = document["hazards"].as_array().expect("a list");
    let hazard = hazards
        .iter()
        .find(|hazard| hazard["detector"] == "caught-panics")
        .expect("it was found");
    assert_eq!(hazard["file"], "src/main.rs");
    assert_eq!(hazard["line"].as_u64(), Some(3));
    let offers = document["offers"].to_string();
    assert!(offers.contains("--allow panic"), "{offers}");
}

#[test]
fn a_hazard_can_be_acknowledged_with_a_reason() {
    let package = planted(
        "fn main() {\n    if std::env::args().count() > 2 {\n        let caught = std::panic::catch_unwind(|| panic!(\"request\"));\n        \
         println!(\"{}\", caught.is_err());\n    }\n    println!(\"{}\", std::env::args().nth(1).unwrap_or_default());\n}\n",
        &[
            TEST,
            (
                "whittle.toml",
                "[[acknowledge]]\nlever = \"panic\"\npackage = \"planted\"\nreason = \"only for show\"\n\n\
                 [[acknowledge]]\nlever = \"icf\"\npackage = \"planted\"\nreason = \"long gone\"\n",
            ),
        ],
    );
    let document = shrink(&package, &["--only", "panic,strip"]);
    assert_eq!(setting(&document, "panic"), Some("abort"));
    assert_eq!(document["hazards"][0]["acknowledged"], "only for show");
    assert_eq!(document["unneeded-acknowledgements"][0]["lever"], "icf");
    // … and what a panic looks like is shown before and after.
    assert_eq!(document["panic"]["of"], Value::Null, "a small program's");
    assert_eq!(document["panic"]["before"]["end"], "exit code 101");
    assert_eq!(document["panic"]["after"]["end"], "signal 6 (abort)");
}

#[test]
fn a_panic_of_the_users_own_command_is_shown_before_and_after() {
    let package = planted(
        "fn main() {\n    let word = std::env::args().nth(1).unwrap_or_default();\n    assert_ne!(word, \"boom\", \"the word is bad\");\n    \
         println!(\"{word}\");\n}\n",
        &[],
    );
    let document = shrink(
        &package,
        &["--only", "strip", "--tests", "none", "--check", "{} boom"],
    );
    let panic = &document["panic"];
    assert_eq!(panic["of"], "check `{} boom`");
    for side in ["before", "after"] {
        assert_eq!(panic[side]["end"], "exit code 101");
        let message = panic[side]["message"].as_str().expect("a message");
        assert!(message.contains("src/main.rs:3:5"), "{message}");
        assert!(message.contains("the word is bad"), "{message}");
    }
    assert!(
        panic["before"]["named-frames"].as_u64() > Some(3),
        "{panic}"
    );
    assert_eq!(panic["after"]["named-frames"], 0, "{panic}");
}

#[test]
fn a_dependency_that_catches_only_where_nobody_calls_it_does_not_matter() {
    let package = planted(
        GREETER,
        &[
            TEST,
            (
                "dep/Cargo.toml",
                "[package]\nname = \"dep\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
            ),
            (
                "dep/src/lib.rs",
                "pub fn guarded() -> bool { std::panic::catch_unwind(|| panic!()).is_err() }\npub fn word() -> &'static str { \"word\" }\n",
            ),
        ],
    );
    let manifest = format!("{MANIFEST}\n[dependencies]\ndep = {{ path = \"dep\" }}\n");
    fs::write(package.path("Cargo.toml"), manifest).expect("written");
    fs::write(
        package.path("src/main.rs"),
        GREETER.replace(
            "unwrap_or_default()",
            "unwrap_or_else(|| dep::word().to_owned())",
        ),
    )
    .expect("written");
    lock(&package);
    let document = shrink(&package, &["--only", "panic,strip"]);
    assert_eq!(
        setting(&document, "panic"),
        Some("abort"),
        "{}",
        document["hazards"]
    );
}

#[test]
fn a_change_of_behaviour_that_a_check_sees_is_not_recommended() {
    let package = planted(
        "fn main() {\n    if std::env::args().nth(1).as_deref() == Some(\"how\") {\n        println!(\"{}\", cfg!(panic = \"abort\"));\n    } else {\n        \
         println!(\"{}\", std::env::args().nth(1).unwrap_or_default());\n    }\n}\n",
        &[TEST],
    );
    let document = shrink(&package, &["--only", "panic,strip", "--check", "{} how"]);
    assert_eq!(setting(&document, "panic"), None);
    let trials = document["trials"].to_string();
    assert!(
        trials.contains("check `{} how`: stdout differs in line 1"),
        "{trials}"
    );
}

#[test]
fn a_planted_slowdown_is_caught_by_a_workload() {
    let package = planted(
        "fn main() {\n    let rounds: u64 = if cfg!(small) { 60_000_000 } else { 20_000_000 };\n    let mut x = 1_u64;\n    \
         if std::env::args().nth(1).as_deref() == Some(\"work\") {\n        for i in 0..rounds { x = std::hint::black_box(x.wrapping_mul(3) ^ i); }\n    }\n    \
         println!(\"{}\", if x == 0 { String::new() } else { std::env::args().nth(1).unwrap_or_default() });\n}\n",
        &[
            TEST,
            (
                "build.rs",
                "fn main() {\n    println!(\"cargo::rustc-check-cfg=cfg(small)\");\n    let level = std::env::var(\"OPT_LEVEL\").unwrap();\n    \
                 if level == \"s\" || level == \"z\" { println!(\"cargo::rustc-cfg=small\"); }\n}\n",
            ),
        ],
    );
    let document = shrink(
        &package,
        &[
            "--only",
            "opt-level,strip",
            "--max-slowdown",
            "30%",
            "--workload",
            "{} work",
        ],
    );
    let level = setting(&document, "opt-level");
    assert!(
        !matches!(level, Some("s" | "z")),
        "{}",
        document["recommended"]
    );
    let trials = document["trials"].as_array().expect("a list");
    let of_small = trials
        .iter()
        .find(|trial| trial["settings"]["opt-level"] == "s" && trial["step"] == "verify")
        .expect("it was checked");
    assert_eq!(of_small["verdict"]["speed"], "outside", "{of_small}");
    assert!(
        of_small["speed"][0]["low"].as_f64() > Some(1.3),
        "{of_small}"
    );
}

#[test]
fn a_test_that_fails_now_and_then_is_named_and_left_out() {
    let package = planted(
        GREETER,
        &[
            TEST,
            (
                "tests/flaky.rs",
                "#[test]\nfn every_other_time() {\n    let output = std::process::Command::new(env!(\"CARGO_BIN_EXE_planted\")).output().unwrap();\n    \
                 assert!(output.status.success());\n    let mark = concat!(env!(\"CARGO_TARGET_TMPDIR\"), \"/mark\");\n    \
                 if std::fs::remove_file(mark).is_ok() { panic!(\"not now\") }\n    std::fs::write(mark, \"\").unwrap();\n}\n",
            ),
        ],
    );
    let document = shrink(&package, &["--only", "strip"]);
    let notes = document["notes"].to_string();
    assert!(notes.contains("flaky::every_other_time"), "{notes}");
    assert_eq!(setting(&document, "strip"), Some("symbols"));
}

#[test]
fn a_run_that_was_killed_goes_on_where_it_was() {
    let package = planted(GREETER, &[TEST]);
    let manifest = package.manifest();
    let journal = package.path("target/whittle/shrink/journal.jsonl");
    let arguments = [
        "shrink",
        "--only",
        "strip,lto,codegen-units",
        "--manifest-path",
        &manifest,
    ];
    let mut child = command()
        .args(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let finished = || fs::read_to_string(&journal).map_or(0, |text| text.lines().count());
    let start = Instant::now();
    while finished() < 1 {
        assert!(
            start.elapsed() < Duration::from_secs(600),
            "no trial was finished"
        );
        assert!(child.try_wait().expect("a child").is_none() || finished() >= 1);
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let before = finished();

    let output = run([&arguments[..], &["--format", "json"]].concat());
    assert!(output.status.success(), "{}", stderr(&output));
    let said = stderr(&output);
    assert!(said.contains("goes on after"), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    follows_the_schema(&document);
    let trials = document["trials"].as_array().expect("a list").len();
    // Nothing that was finished was done again: each trial has one line.
    assert_eq!(finished(), trials);
    assert!(before >= 1);
    let builds = document["trials"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|trial| trial["step"] == "build")
        .count();
    assert_eq!(builds, 1);
}

#[test]
fn a_debug_file_carries_the_build_id_of_the_file_that_ships() {
    use object::Object as _;
    let package = planted(GREETER, &[]);
    let manifest = fs::read_to_string(package.path("Cargo.toml")).expect("there");
    fs::write(
        package.path("Cargo.toml"),
        format!("{manifest}strip = \"symbols\"\n"),
    )
    .expect("written");
    let output = run(["strip", "--manifest-path", &package.manifest()]);
    assert!(output.status.success(), "{}", stderr(&output));
    let shipped = fs::read(package.path("target/release/planted")).expect("there");
    let debug = fs::read(package.path("target/release/planted.debug")).expect("written");
    let (shipped, debug) = (
        object::File::parse(&*shipped).expect("ELF"),
        object::File::parse(&*debug).expect("ELF"),
    );
    assert_eq!(shipped.symbols().count(), 0);
    assert!(debug.symbols().count() > 100);
    assert_eq!(
        shipped.build_id().expect("read"),
        debug.build_id().expect("read")
    );
}

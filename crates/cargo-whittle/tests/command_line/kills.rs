//! A run that is killed in any phase: the project's own files are as they were, and the same command goes on.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::shrink::{GREETER, follows_the_schema, planted, tree};
use crate::whittle::{Package, command, run, stderr};

/// In the place of the C compiler that links: writes down what it is told, and takes its time.
const LINKER: &str =
    "#!/bin/sh\necho \"$*\" >> \"$MARKS/links\"\nsleep 0.03\nPATH=\"${PATH#*:}\" exec cc \"$@\"\n";
const TESTS: &str = "echo x >> $MARKS/tests; sleep 0.1; test \"$({} hello)\" = hello";
const WORKLOAD: &str = "echo x >> $MARKS/rounds; {} 1";
/// Nothing of a small program takes longer on any machine.
const PATIENCE: Duration = Duration::from_secs(300);

/// A program, and what its linker and commands have written down.
struct Watched {
    package: Package,
    marks: tempfile::TempDir,
}

/// A run of the program under test.
struct Run<'w> {
    watched: &'w Watched,
    child: Child,
    /// Marks that earlier runs have left.
    before: [usize; 3],
}

impl Watched {
    fn new() -> Self {
        let marks = tempfile::tempdir().expect("a folder");
        let linker = marks.path().join("bin/cc");
        fs::create_dir(marks.path().join("bin")).expect("made");
        fs::write(&linker, LINKER).expect("written");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&linker, fs::Permissions::from_mode(0o755)).expect("set");
        }
        Self {
            package: planted(GREETER, &[]),
            marks,
        }
    }

    fn command(&self, more: &[&str]) -> Command {
        let path = std::env::var("PATH").expect("there is one");
        let mut command = command();
        command
            .args([
                "shrink",
                "--only",
                "codegen-units,icf,link-optimization,strip",
            ])
            .args([
                "--tests",
                TESTS,
                "--workload",
                WORKLOAD,
                "--max-slowdown",
                "900%",
            ])
            .args(["--format", "json"])
            .args(more)
            .current_dir(self.package.path(""))
            .env("MARKS", self.marks.path())
            .env(
                "PATH",
                format!("{}:{path}", self.marks.path().join("bin").display()),
            );
        command
    }

    fn start(&self, more: &[&str]) -> Run<'_> {
        let before = ["links", "tests", "rounds"].map(|name| self.lines(name).len());
        let child = self
            .command(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("it starts");
        Run {
            watched: self,
            child,
            before,
        }
    }

    fn lines(&self, name: &str) -> Vec<String> {
        lines(&self.marks.path().join(name))
    }

    fn journal(&self) -> Vec<String> {
        let path = self.package.path("target/whittle/shrink/journal.jsonl");
        lines(&path)
    }

    fn steps(&self, step: &str) -> usize {
        let step = format!("\"step\":\"{step}\"");
        self.journal()
            .iter()
            .filter(|line| line.contains(&step))
            .count()
    }
}

impl Run<'_> {
    /// What has been marked since this run began.
    fn new_lines(&self, name: &str, index: usize) -> Vec<String> {
        let lines = self.watched.lines(name);
        lines.get(self.before[index]..).unwrap_or_default().to_vec()
    }

    fn links(&self) -> Vec<String> {
        self.new_lines("links", 0)
    }

    /// Kills it as soon as something is so; it must not have come to its end before.
    fn kill_when(mut self, phase: &str, is_so: impl Fn(&Self) -> bool) {
        let start = Instant::now();
        while !is_so(&self) {
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none(), "{phase}: it ended before: {ended:?}");
            assert!(start.elapsed() < PATIENCE, "{phase}: it never came to that");
            std::thread::sleep(Duration::from_millis(5));
        }
        self.child.kill().expect("killed");
        self.child.wait().expect("gone");
    }
}

fn lines(path: &Path) -> Vec<String> {
    fs::read_to_string(path)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// The files of the project, but for what `--apply` keeps so that it can be taken back.
fn own(package: &Package) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut files = tree(&package.path(""));
    files.retain(|path, _| !path.ends_with("whittle-undo.json") && !path.ends_with(".cargo"));
    files
}

#[test]
fn a_run_that_is_killed_in_any_phase_goes_on_and_changes_nothing() {
    let watched = Watched::new();
    let before = own(&watched.package);
    let unchanged = |phase: &str| assert_eq!(own(&watched.package), before, "{phase}");
    let of_variants = |links: &[String]| links.iter().any(|link| link.contains("whittle/variants"));
    let folds = |links: &[String]| links.iter().any(|link| link.contains("--icf=all"));

    watched
        .start(&[])
        .kill_when("the baseline's build", |run| !run.links().is_empty());
    unchanged("the baseline's build");
    watched
        .start(&[])
        .kill_when("the baseline's second build", |run| {
            of_variants(&run.links())
        });
    unchanged("the baseline's second build");
    watched
        .start(&[])
        .kill_when("the tests", |run| !run.new_lines("tests", 1).is_empty());
    unchanged("the tests");
    watched
        .start(&[])
        .kill_when("the baseline's rounds", |run| {
            run.new_lines("rounds", 2).len() > 2
        });
    unchanged("the baseline's rounds");
    assert_eq!(watched.journal().len(), 0, "no trial was begun yet");

    watched.start(&[]).kill_when("a trial's build", |run| {
        run.new_lines("rounds", 2).len() > 5 && of_variants(&run.links())
    });
    unchanged("a trial's build");
    watched.start(&[]).kill_when("a trial's link", |run| {
        run.watched.steps("build") > 0 && folds(&run.links())
    });
    unchanged("a trial's link");
    assert_eq!(watched.steps("build"), 1);
    watched.start(&[]).kill_when("the judgement", |run| {
        // Twice with the baseline, then with the trial.
        run.new_lines("tests", 1).len() > 2
    });
    unchanged("the judgement");
    let linked = watched.steps("link");
    assert!(linked > 1, "{:?}", watched.journal());
    watched.start(&[]).kill_when("the rounds", |run| {
        run.new_lines("tests", 1).len() > 2 && run.new_lines("rounds", 2).len() > 10
    });
    unchanged("the rounds");
    watched.start(&[]).kill_when("the winner's build", |run| {
        run.watched.steps("verify") > 0 && of_variants(&run.links())
    });
    unchanged("the winner's build");

    let output = watched.command(&[]).output().expect("it starts");
    assert!(output.status.success(), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    follows_the_schema(&document);
    assert_eq!(document["recommended"]["verdict"]["behaviour"], "passed");
    assert_eq!(document["builds"], 1, "the winner's own alone was left");
    unchanged("the whole");
    // Each trial was finished once: nothing that was written down was done again.
    let journal = watched.journal();
    let trials: BTreeSet<String> = journal
        .iter()
        .map(|line| {
            let line: Value = serde_json::from_str(line).expect("whole lines");
            format!("{} {}", line["step"], line["settings"])
        })
        .collect();
    assert_eq!(trials.len(), journal.len());
    assert_eq!(watched.steps("link"), linked);

    // Applying is whole or not at all, and can be taken back.
    let manifest = watched.package.path("Cargo.toml");
    let text = || fs::read_to_string(&manifest).expect("it is there");
    let unwritten = text();
    watched.start(&["--apply"]).kill_when("the proof", |run| {
        text() != unwritten && !run.links().is_empty()
    });
    let written = text();
    for line in ["codegen-units = 1", "strip = \"symbols\""] {
        assert!(written.contains(line), "half an edit: {written}");
    }
    let undo = || run(["undo", "--manifest-path", manifest.to_str().expect("UTF-8")]);
    assert!(undo().status.success());
    unchanged("taken back");
    let output = watched.command(&["--apply"]).output().expect("it starts");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(text(), written);
    assert!(undo().status.success());
    unchanged("taken back again");
}

#[test]
fn a_second_run_waits_for_the_first_and_goes_on_when_that_is_killed() {
    let watched = Watched::new();
    let mut first = watched.start(&[]);
    let start = Instant::now();
    while first.new_lines("tests", 1).is_empty() {
        assert!(first.child.try_wait().expect("a child").is_none());
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    let mut second = watched
        .command(&["--quick"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let said = BufReader::new(second.stderr.take().expect("a pipe"));
    let mut said = said.lines().map(|line| line.expect("text"));
    assert!(
        said.any(|line| line.contains("waits for another run")),
        "it says that it waits"
    );
    assert!(first.child.try_wait().expect("a child").is_none());
    first.child.kill().expect("killed");
    first.child.wait().expect("gone");
    // The rest is read, or a full pipe would stop it.
    let _ = said.count();
    let output = second.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(document["recommended"]["settings"]["strip"], "symbols");
}

#[test]
fn what_a_build_command_had_replaced_comes_back_after_a_kill() {
    let marks = tempfile::tempdir().expect("a folder");
    // Slow where it builds for a trial, and it writes over what ships first.
    let script = "set -e\nmkdir -p dist\ncargo build --release --offline --quiet\necho half > dist/app\n\
                  if test \"$CARGO_PROFILE_RELEASE_OPT_LEVEL\" = 0; then touch \"$MARKS/trial\"; sleep 5; fi\n\
                  cp \"${CARGO_TARGET_DIR:-target}/release/planted\" dist/app\n";
    let package = planted(GREETER, &[("release.sh", script)]);
    let shrink = || {
        let mut command = command();
        command
            .args([
                "shrink", "--only", "strip", "--tests", "none", "--format", "json",
            ])
            .args(["--build-command", "sh release.sh", "--artifact", "dist/app"])
            .current_dir(package.path(""))
            .env("MARKS", marks.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let mut child = shrink().spawn().expect("it starts");
    let start = Instant::now();
    while !marks.path().join("trial").exists() {
        assert!(child.try_wait().expect("a child").is_none());
        assert!(start.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().expect("killed");
    child.wait().expect("gone");
    let shipped = package.path("dist/app");
    assert_eq!(fs::read(&shipped).expect("there"), b"half\n");

    // Whatever is typed next puts it back before it does anything else.
    let output = run(["strip", "--manifest-path", &package.manifest()]);
    assert!(stderr(&output).contains("put back"), "{}", stderr(&output));
    assert!(fs::read(&shipped).expect("there").starts_with(b"\x7fELF"));
}

#[test]
fn what_was_kept_can_be_removed_at_any_time() {
    let package = planted(GREETER, &[]);
    let manifest = package.manifest();
    let arguments = [
        "shrink",
        "--only",
        "strip",
        "--tests",
        "none",
        "--manifest-path",
        &manifest,
    ];
    let size = || {
        let document = crate::whittle::json(arguments);
        document["recommended"]["size"].as_u64().expect("a size")
    };
    let first = size();
    fs::remove_dir_all(package.path("target/whittle")).expect("removed");
    assert_eq!(size(), first);
}

//! A planted history: a repository in which every commit has one cause, which is known, and must be named from the two builds.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::diff::{check, git};
use crate::whittle::{Package, command, json, stderr, stdout};

/// Bytes of the planted tables: odd numbers that occur nowhere else.
const OWN_TABLE: i64 = 20_011;
const FEATURE_TABLE: i64 = 90_001;
const INNER_TABLE: i64 = 30_011;

/// The sources before the first change. Dependencies lie beside them, as `cargo vendor` would put them: what each commit
/// builds is in the repository alone.
const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[package]
name = "app"
version = "0.1.0"
edition = "2021"

[dependencies]
dep = "=1.2.3"

[profile.release]
opt-level = 1
"#,
    ),
    (
        "src/main.rs",
        r#"
fn main() {
    let n = std::env::args().count();
    println!("{} {}", dep::twice(n as u32), dep::named(n));
}
"#,
    ),
    (
        ".cargo/config.toml",
        r#"
[source.crates-io]
replace-with = "vendored"

[source.vendored]
directory = "vendor"
"#,
    ),
    (".gitignore", "target\n"),
    ("vendor/dep/Cargo.toml", DEP),
    ("vendor/dep/src/lib.rs", DEP_SOURCES),
    (
        "vendor/outer/Cargo.toml",
        "[package]\nname = \"outer\"\nversion = \"0.3.0\"\nedition = \"2021\"\n\n[dependencies]\ninner = \"2\"\n",
    ),
    (
        "vendor/outer/src/lib.rs",
        "#[inline(never)]\npub fn pick(n: usize) -> u8 {\n    inner::pick(std::hint::black_box(n) + 1)\n}\n",
    ),
    (
        "vendor/inner/Cargo.toml",
        "[package]\nname = \"inner\"\nversion = \"2.0.1\"\nedition = \"2021\"\n",
    ),
    (
        "vendor/inner/src/lib.rs",
        r"
static INNER: [u8; 30_011] = [200; 30_011];

#[inline(never)]
pub fn pick(n: usize) -> u8 {
    std::hint::black_box(&INNER)[n]
}
",
    ),
];

const DEP: &str = "[package]\nname = \"dep\"\nversion = \"1.2.3\"\nedition = \"2021\"\n\n[features]\ntable = []\n";

const DEP_SOURCES: &str = r#"
use std::hint::black_box;

#[inline(never)]
pub fn twice<T: Copy + std::ops::Add<Output = T>>(value: T) -> T {
    black_box(value) + black_box(value)
}

#[inline(never)]
pub fn named(n: usize) -> String {
    format!("{n:>8}|{}", table(n))
}

#[cfg(not(feature = "table"))]
#[inline(never)]
fn table(n: usize) -> u8 {
    n as u8
}

#[cfg(feature = "table")]
#[inline(never)]
fn table(n: usize) -> u8 {
    static TABLE: [u8; 90_001] = [7; 90_001];
    black_box(&TABLE)[n % 90_001]
}
"#;

/// Code that the next patch release of `dep` has more.
const MIXED: &str = r"
macro_rules! steps {
    ($n:ident: $($step:literal)*) => { $($n = black_box($n).wrapping_mul($step) ^ ($n >> 5);)* };
}

#[inline(never)]
fn mixed(mut n: usize) -> usize {
    steps!(n: 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59);
    n
}
";

/// A commit: its subject, old and new text in files, and the one cause of what it does to the size.
struct Planted {
    subject: &'static str,
    changes: &'static [(&'static str, &'static str, &'static str)],
    cause: Option<Cause>,
}

/// What is to be named.
struct Cause {
    name: &'static str,
    package: Option<&'static str>,
    text: &'static str,
    /// What it comes to at least; at most, if it is negative.
    bytes: i64,
}

const MAIN: &str = "src/main.rs";
const MANIFEST: &str = "Cargo.toml";

const HISTORY: &[Planted] = &[
    Planted {
        subject: "say what it is",
        changes: &[(MAIN, "fn main", "// It counts its arguments.\nfn main")],
        cause: None,
    },
    Planted {
        subject: "work more",
        changes: &[
            (
                MAIN,
                "// It",
                "macro_rules! steps {\n    ($n:ident: $($step:literal)*) => {\n        \
                 $($n = std::hint::black_box($n).wrapping_mul($step) ^ ($n >> 3);)*\n    };\n}\n\n\
                 #[inline(never)]\nfn work(mut n: usize) -> usize {\n    \
                 steps!(n: 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59);\n    n\n}\n\n// It",
            ),
            (MAIN, ".count()", ".count();\n    let n = work(n)"),
        ],
        cause: Some(Cause {
            name: "own-code",
            package: Some("app"),
            text: "own code of `app`",
            bytes: 200,
        }),
    },
    Planted {
        subject: "know a table",
        changes: &[
            (
                MAIN,
                "// It",
                "static OWN: [u8; 20_011] = [3; 20_011];\n\n// It",
            ),
            (
                MAIN,
                "= work(n)",
                "= work(n) + usize::from(std::hint::black_box(&OWN)[n])",
            ),
        ],
        cause: Some(Cause {
            name: "own-code",
            package: Some("app"),
            text: "own code of `app`",
            bytes: OWN_TABLE,
        }),
    },
    Planted {
        subject: "double other numbers",
        changes: &[(
            MAIN,
            "= work(n)",
            "= work(n + dep::twice(n as u64) as usize + dep::twice(n as u16) as usize)",
        )],
        cause: Some(Cause {
            name: "generic-copies",
            package: None,
            text: "more copies of generic or inline functions",
            bytes: 20,
        }),
    },
    Planted {
        subject: "look it up",
        changes: &[(
            MANIFEST,
            "dep = \"=1.2.3\"",
            "dep = { version = \"=1.2.3\", features = [\"table\"] }",
        )],
        cause: Some(Cause {
            name: "features",
            package: Some("dep@1.2.3"),
            text: "feature `table` switched on by `app`",
            bytes: FEATURE_TABLE,
        }),
    },
    Planted {
        subject: "take the next patch release",
        changes: &[(MANIFEST, "=1.2.3", "=1.2.4")],
        cause: Some(Cause {
            name: "other-version",
            package: Some("dep"),
            text: "`dep` 1.2.3 → 1.2.4",
            bytes: 200,
        }),
    },
    Planted {
        subject: "depend on something that depends on something",
        changes: &[
            (MANIFEST, "dep =", "outer = \"0.3\"\ndep ="),
            (MAIN, "= work(n", "= work(n + usize::from(outer::pick(n))"),
        ],
        cause: Some(Cause {
            name: "new-package",
            package: Some("inner@2.0.1"),
            text: "new package `inner@2.0.1`, brought by `app@0.1.0` → `outer@0.3.0`",
            bytes: INNER_TABLE,
        }),
    },
    Planted {
        subject: "optimize",
        changes: &[(
            MANIFEST,
            "opt-level = 1",
            "opt-level = 3\npanic = \"abort\"",
        )],
        cause: Some(Cause {
            name: "settings",
            package: None,
            text: "settings: opt-level `1` → `3`, panic `unwind` → `abort`",
            bytes: -1000,
        }),
    },
    Planted {
        subject: "keep frame pointers",
        changes: &[(
            ".cargo/config.toml",
            "[source.crates-io]",
            "[build]\nrustflags = [\"-Cforce-frame-pointers=yes\"]\n\n[source.crates-io]",
        )],
        cause: Some(Cause {
            name: "settings",
            package: None,
            text: "settings: rustflags none → `-Cforce-frame-pointers=yes`",
            bytes: 1,
        }),
    },
    Planted {
        subject: "depend on less",
        changes: &[
            (MANIFEST, "outer = \"0.3\"\n", ""),
            (MAIN, " + usize::from(outer::pick(n))", ""),
        ],
        cause: Some(Cause {
            name: "gone-package",
            package: Some("inner@2.0.1"),
            text: "package `inner@2.0.1` is gone",
            bytes: -INNER_TABLE,
        }),
    },
    Planted {
        subject: "leave symbols out",
        changes: &[(MANIFEST, "panic =", "strip = true\npanic =")],
        cause: Some(Cause {
            name: "symbols",
            package: None,
            text: "symbol names and debug info left out (strip `debuginfo` → `symbols`)",
            bytes: -10_000,
        }),
    },
];

/// The repository, with the snapshot of each commit.
fn repository() -> (Package, Vec<PathBuf>) {
    let package = Package::new(FILES);
    let root = package.path("");
    let write = |path: &str, text: &str| {
        let path = package.path(path);
        fs::create_dir_all(path.parent().expect("it has a folder")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write("vendor/next/Cargo.toml", &DEP.replace("1.2.3", "1.2.4"));
    let sources = DEP_SOURCES.replace("table(n))\n", "table(mixed(n)))\n");
    write("vendor/next/src/lib.rs", &format!("{sources}\n{MIXED}"));
    for name in ["dep", "next", "outer", "inner"] {
        write(
            &format!("vendor/{name}/.cargo-checksum.json"),
            "{\"files\":{}}",
        );
    }
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    let commit = |number: usize, subject: &str| -> PathBuf {
        let locked = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(&root)
            .args(["generate-lockfile", "--offline"])
            .output()
            .expect("cargo runs");
        assert!(locked.status.success(), "{}", stderr(&locked));
        git(&root, &["add", "."]);
        git(&root, &["commit", "--quiet", "--message", subject]);
        let snapshot = package.path(&format!("target/{number}.json"));
        let output = command()
            .current_dir(&root)
            .args([
                "explain",
                "--offline",
                "--record=target/history.jsonl",
                "--save",
            ])
            .arg(&snapshot)
            .output()
            .expect("the program under test starts");
        assert!(output.status.success(), "{}", stderr(&output));
        snapshot
    };
    let mut snapshots = vec![commit(0, "start")];
    for (planted, number) in HISTORY.iter().zip(1..) {
        for (path, old, new) in planted.changes {
            let text = fs::read_to_string(package.path(path)).expect("it is there");
            assert!(text.contains(old), "`{old}` is not in {path}");
            write(path, &text.replacen(old, new, 1));
        }
        snapshots.push(commit(number, planted.subject));
    }
    (package, snapshots)
}

/// The cause that a document names first, structure apart, and what all others come to.
fn first_cause(document: &Value) -> (Option<&Value>, i64) {
    let causes = document["causes"].as_array().expect("causes");
    let mut causes = causes.iter().filter(|it| it["cause"] != "structure");
    let first = causes.next();
    let others = causes
        .filter(|it| first.is_some_and(|first| it["cause"] != first["cause"]))
        .map(|it| it["change"].as_i64().expect("a number").abs());
    (first, others.sum())
}

#[test]
fn every_planted_cause_is_named_and_the_commit_of_the_jump_is_found() {
    let (package, snapshots) = repository();
    for (pair, planted) in snapshots.windows(2).zip(HISTORY) {
        let document = json([Path::new("diff"), &pair[0], &pair[1]]);
        check(&document);
        let (named, others) = first_cause(&document);
        let subject = planted.subject;
        let (Some(named), Some(cause)) = (named, &planted.cause) else {
            assert!(planted.cause.is_none(), "{subject}: no cause is named");
            assert_eq!(document["change"], 0, "{subject}: {document:#}");
            continue;
        };
        assert_eq!(named["cause"], cause.name, "{subject}: {document:#}");
        assert_eq!(named["package"].as_str(), cause.package, "{subject}");
        let text = named["text"].as_str().expect("a text");
        assert!(text.contains(cause.text), "{subject}: {text}");
        let bytes = named["change"].as_i64().expect("a number");
        let is_enough = match cause.bytes {
            least @ 0.. => bytes >= least,
            most => bytes <= most,
        };
        assert!(is_enough, "{subject}: {bytes}");
        // What else moves is little: a symbol that is named otherwise, the call of what is new.
        assert!(others * 5 <= bytes.abs(), "{subject}: {document:#}");
    }
    another_compiler(&package, &snapshots);
    recorded(&package);
    bisected(&package);
    written(&snapshots);
}

/// The same change as if another compiler had made it: not every machine has two.
fn another_compiler(package: &Package, snapshots: &[PathBuf]) {
    let at = HISTORY
        .iter()
        .position(|it| it.subject == "optimize")
        .expect("it is planted");
    let sides = [&snapshots[at], &snapshots[at + 1]];
    let [old, new] = sides.map(|path| fs::read_to_string(path).expect("it is there"));
    let build_of = |text: &str| -> Value {
        let document: Value = serde_json::from_str(text).expect("JSON");
        document["build"].clone()
    };
    let (of_old, of_new) = (build_of(&old), build_of(&new));
    let set = |text: &str, key: &str, from: &Value, to: &Value| {
        let from = format!("\"{key}\":{from}");
        assert!(text.contains(&from), "`{from}` is not there");
        text.replacen(&from, &format!("\"{key}\":{to}"), 1)
    };
    let new = set(&new, "rustc", &of_new["rustc"], &"9.99.0-nightly".into());
    let new = set(
        &new,
        "commit-hash",
        &of_new["commit-hash"],
        &"0123456789abcdef".into(),
    );
    let path = package.path("target/other-compiler.json");
    let named = |new: &str| {
        fs::write(&path, new).expect("a file");
        let document = json([Path::new("diff"), sides[0], &path]);
        check(&document);
        let (named, _) = first_cause(&document);
        let named = named.expect("a cause");
        assert_eq!(named["cause"], "toolchain", "{document:#}");
        assert!(named["change"].as_i64() <= Some(-1000), "{named}");
        named["text"].as_str().expect("a text").to_owned()
    };
    let release = of_old["rustc"].as_str().expect("a release");
    let compiler = format!("another compiler: rustc {release} → 9.99.0-nightly");
    // Both are due, and which bytes to which of them cannot be told.
    assert_eq!(
        named(&new),
        format!("{compiler}, and settings: opt-level `1` → `3`, panic `unwind` → `abort`")
    );
    let new = set(&new, "settings", &of_new["settings"], &of_old["settings"]);
    assert_eq!(named(&new), compiler);
}

/// Each build was recorded under its commit.
fn recorded(package: &Package) {
    let file = package.path("target/history.jsonl");
    let document = json([Path::new("history"), Path::new("--file"), &file]);
    let builds = document["builds"].as_array().expect("builds");
    let log = Command::new("git")
        .current_dir(package.path(""))
        .args(["log", "--reverse", "--format=%H"])
        .output()
        .expect("git runs");
    let commits: Vec<&str> = builds
        .iter()
        .map(|build| build["revision"].as_str().expect("a commit"))
        .collect();
    let log = String::from_utf8(log.stdout).expect("hashes");
    assert_eq!(commits, log.lines().collect::<Vec<_>>());
}

/// A few of the commits are built again, each in a folder of its own.
fn bisected(package: &Package) {
    let bisect = |range: &str| {
        command()
            .current_dir(package.path(""))
            .args([
                "history",
                "--offline",
                "--format",
                "json",
                "--bisect",
                range,
            ])
            .output()
            .expect("the program under test starts")
    };
    let output = bisect("HEAD~11..HEAD~1");
    assert!(output.status.success(), "{}", stderr(&output));
    let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    check(&document);
    let note = document["notes"][0].as_str().expect("a note");
    assert!(
        note.contains("of 10 commits") && note.contains("\"look it up\""),
        "{note}"
    );
    let builds = note
        .rsplit_once("; ")
        .and_then(|(_, rest)| rest.split(' ').next()?.parse::<usize>().ok());
    assert!(builds.is_some_and(|builds| builds <= 6), "{note}");
    let (named, _) = first_cause(&document);
    assert_eq!(named.expect("a cause")["cause"], "features");
    for (range, reason) in [
        ("HEAD", "names no two commits"),
        ("HEAD..HEAD~2", "no commit leads"),
    ] {
        let wrong = bisect(range);
        assert_eq!(wrong.status.code(), Some(2));
        assert!(stderr(&wrong).contains(reason), "{}", stderr(&wrong));
    }
}

/// Text and Markdown say the same as the document, and CSV has the rows.
fn written(snapshots: &[PathBuf]) {
    let sides = ["1.json", "3.json"].map(|name| {
        let path = snapshots.iter().find(|path| path.ends_with(name));
        path.expect("it is there").to_str().expect("UTF-8")
    });
    let [old, new] = sides;
    for format in ["text", "markdown"] {
        let text = stdout(["diff", old, new, "--format", format]);
        assert!(text.contains("own code of"), "{text}");
        let is_path = |line: &str| line.contains(".json");
        assert!(
            format != "text"
                || text
                    .lines()
                    .all(|line| line.chars().count() <= 80 || is_path(line)),
            "{text}"
        );
    }
    let csv = stdout(["diff", old, new, "--format", "csv"]);
    assert!(csv.starts_with("crate,old,new,change,"), "{csv}");
    let rows = json(["diff", old, new, "--by", "function"]);
    let row = &rows["rows"][0];
    assert_eq!(row["function"], "app::OWN");
    assert!(row["change"].as_i64() >= Some(OWN_TABLE), "{row}");
}

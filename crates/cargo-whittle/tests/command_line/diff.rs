//! Comparisons of programs that were built to differ in one thing.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::Digest as _;

use crate::whittle::{Package, command, json, own_program, run, stderr, stdout};

/// A program with one dependency beside it, which has a generic function.
const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\ndep = { path = \"dep\" }\n\n\
         [profile.release]\nopt-level = 1\n\n[workspace]\n",
    ),
    (
        "src/main.rs",
        "fn main() {\n    let n = std::env::args().count();\n    println!(\"{} {}\", dep::twice(n as u32), dep::named(n));\n}\n",
    ),
    ("dep/Cargo.toml", DEP),
    (
        "dep/src/lib.rs",
        "#[inline(never)]\npub fn twice<T: Copy + std::ops::Add<Output = T>>(value: T) -> T {\n    \
         std::hint::black_box(value) + std::hint::black_box(value)\n}\n\n\
         #[inline(never)]\npub fn named(n: usize) -> String {\n    format!(\"{n:>8}|\")\n}\n",
    ),
];

const DEP: &str = "[package]\nname = \"dep\"\nversion = \"1.2.3\"\nedition = \"2021\"\n";

fn schema(text: &str) -> jsonschema::Validator {
    let schema = serde_json::from_str(text).expect("the schema is JSON");
    jsonschema::validator_for(&schema).expect("the schema is a schema")
}

fn errors(validator: &jsonschema::Validator, document: &Value) -> Vec<String> {
    validator
        .iter_errors(document)
        .map(|error| error.to_string())
        .collect()
}

/// Checks what holds for every difference: the schema, and that rows and causes add up to the sizes that the system says.
pub(crate) fn check(document: &Value) {
    let validator = schema(include_str!("../../../../docs/diff.schema.json"));
    assert_eq!(errors(&validator, document), Vec::<String>::new());
    let number = |value: &Value| value.as_i64().expect("a number");
    let sum = |list: &Value| -> i64 {
        let list = list.as_array().expect("a list").iter();
        list.map(|it| number(&it["change"])).sum()
    };
    let change = number(&document["new"]["size"]) - number(&document["old"]["size"]);
    assert_eq!(number(&document["change"]), change);
    assert_eq!(sum(&document["rows"]), change);
    assert_eq!(sum(&document["causes"]), change);
}

fn cause<'d>(document: &'d Value, name: &str) -> Option<&'d Value> {
    let causes = document["causes"].as_array().expect("causes");
    causes.iter().find(|cause| cause["cause"] == name)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).expect("it is there").len()
}

/// A package, what is kept of its build, and how it was built.
struct Kept {
    package: Package,
    snapshot: PathBuf,
}

impl Kept {
    fn of(files: &[(&str, &str)], flags: &str) -> Self {
        let package = Package::new(files);
        let snapshot = package.path("kept.whittle");
        let output = command()
            .args(["explain", "--manifest-path", &package.manifest(), "--save"])
            .arg(&snapshot)
            .env("RUSTFLAGS", flags)
            .output()
            .expect("it runs");
        assert!(output.status.success(), "{}", stderr(&output));
        Self { package, snapshot }
    }

    fn program(&self) -> PathBuf {
        self.package.path("target/release/app")
    }

    fn path(&self) -> &str {
        self.snapshot.to_str().expect("UTF-8")
    }
}

#[test]
fn the_same_sources_are_the_same_wherever_and_under_whatever_hash_they_are_built() {
    let here = Kept::of(FILES, "");
    let there = Kept::of(FILES, "");
    let hashed = Kept::of(FILES, "-Cmetadata=other");
    // No manifest of the workspace says that a patch changed nothing.
    let next = DEP.replace("1.2.3", "1.2.4");
    let files = FILES.iter().map(|&(path, text)| match path {
        "dep/Cargo.toml" => (path, &*next),
        _ => (path, text),
    });
    let bumped = Kept::of(&files.collect::<Vec<_>>(), "");
    for other in [&there, &hashed, &bumped] {
        let document = json(["diff", here.path(), other.path()]);
        check(&document);
        assert_eq!(document["new"]["size"], size(&other.program()));
        let share = &document["share"];
        let unmatched = share["added"]
            .as_u64()
            .expect("a number")
            .max(share["removed"].as_u64().expect("a number"));
        // A tenth of a per cent.
        assert!(unmatched * 1000 < size(&here.program()), "{document:#}");
    }
    // A snapshot answers as its file does, and swapping the sides negates.
    let from_files = json([
        "diff",
        here.program().to_str().expect("UTF-8"),
        hashed.program().to_str().expect("UTF-8"),
        "--by",
        "section",
    ]);
    let from_snapshots = json(["diff", here.path(), hashed.path(), "--by", "section"]);
    assert_eq!(from_files["rows"], from_snapshots["rows"]);
    let text = stdout(["diff", here.path(), here.path()]);
    assert!(text.contains("the same, thing by thing"), "{text}");
    let validator = schema(include_str!("../../../../docs/snapshot.schema.json"));
    let plain = here.package.path("kept.json");
    stdout([
        "explain",
        "--manifest-path",
        &here.package.manifest(),
        "--save",
        plain.to_str().expect("UTF-8"),
    ]);
    let document = serde_json::from_slice(&fs::read(plain).expect("it is there")).expect("JSON");
    assert_eq!(errors(&validator, &document), Vec::<String>::new());
}

pub(crate) fn git(folder: &Path, args: &[&str]) {
    let output = Command::new("git")
        .current_dir(folder)
        .args(["-c", "user.name=a", "-c", "user.email=a@example.org"])
        .args(args)
        .output()
        .expect("git runs");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn a_revision_is_built_beside_the_sources_as_they_are() {
    let package = Package::new(FILES);
    let root = package.path("");
    fs::write(package.path(".gitignore"), "target\n").expect("a file");
    git(&root, &["init", "--quiet", "--initial-branch=main"]);
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "--message", "before"]);
    let main = package.path("src/main.rs");
    let sources = fs::read_to_string(&main).expect("it is there");
    let grown = sources.replace(
        "fn main() {",
        "static OWN: [u8; 20_011] = [3; 20_011];\n\nfn main() {\n    std::hint::black_box(&OWN);",
    );
    fs::write(&main, &grown).expect("a file");
    let document = json(["diff", "rev:main", "--manifest-path", &package.manifest()]);
    check(&document);
    assert_eq!(document["causes"][0]["cause"], "own-code", "{document:#}");
    assert!(document["change"].as_i64().expect("a number") >= 20_011);
    assert_eq!(
        fs::read_to_string(&main).expect("it is there"),
        grown,
        "the sources stay"
    );
    assert!(!package.path("target/whittle/revisions/sources").exists());

    let bare = command()
        .current_dir(&root)
        .args(["diff", "main"])
        .output()
        .expect("the program under test starts");
    assert_eq!(bare.status.code(), Some(2));
    assert!(stderr(&bare).contains("`rev:main`"), "{}", stderr(&bare));
    let wrong = run([
        "diff",
        "rev:nowhere",
        "--manifest-path",
        &package.manifest(),
    ]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(
        stderr(&wrong).contains("there is no commit `nowhere`"),
        "{}",
        stderr(&wrong)
    );
    fs::write(&main, "fn main() { this is no Rust }").expect("a file");
    git(
        &root,
        &[
            "commit",
            "--quiet",
            "--all",
            "--message",
            "broken on purpose",
        ],
    );
    fs::write(&main, &sources).expect("a file");
    let broken = run(["diff", "rev:HEAD", "--manifest-path", &package.manifest()]);
    assert_eq!(broken.status.code(), Some(2));
    let said = stderr(&broken);
    assert!(
        said.contains("cannot build the revision `HEAD`")
            && said.contains("broken on purpose")
            && said.contains("help: cargo's own messages are above; `git checkout "),
        "{said}"
    );
}

#[test]
fn what_cannot_be_compared_is_refused_with_the_reason() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let own = own_program().to_str().expect("UTF-8");
    let good = path("good.json");
    stdout(["explain", own, "--save", &good]);
    let text = fs::read_to_string(&good).expect("it is there");
    let refused = |name: &str, contents: &[u8], reason: &str| {
        let path = path(name);
        fs::write(&path, contents).expect("a file");
        let output = run(["diff", &good, &path]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(
            stderr(&output).contains(reason),
            "{name}: {}",
            stderr(&output)
        );
    };
    refused(
        "newer.json",
        text.replacen("\"version\":1", "\"version\":7", 1)
            .as_bytes(),
        "version 7",
    );
    refused(
        "cut.json",
        &text.as_bytes()[..text.len() / 2],
        "it is no snapshot",
    );
    refused(
        "gzip.whittle",
        b"\x1f\x8b\x08\0garbage",
        "cannot read the snapshot",
    );
    refused(
        "sum.json",
        text.replacen("\"size\":", "\"size\":1", 1).as_bytes(),
        "add up",
    );
    let architecture = format!("\"architecture\":\"{}\"", std::env::consts::ARCH);
    refused(
        "other.json",
        text.replacen(&architecture, "\"architecture\":\"riscv64\"", 1)
            .as_bytes(),
        "different targets",
    );
    let output = run(["diff", &good, &path("other.json"), "--force"]);
    assert!(output.status.success(), "{}", stderr(&output));
    for (arguments, reason) in [
        (&["diff", "rev:"][..], "names no revision"),
        (&["diff", "dep:regex", own], "names no version"),
        (
            &["diff", "no-such-file", own],
            "cannot read the file `no-such-file`",
        ),
        (&["diff", own, own, "--release"], "says what to build"),
        (&["diff", own, own, "--by", "colour"], "unknown axis"),
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(
            stderr(&output).contains(reason),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
}

/// A package with three versions of a dependency in a registry of its own. The last two hold the same code.
fn with_registry() -> Package {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[dependencies]\ndep = \"1\"\n\n\
             [profile.release]\nopt-level = 1\n",
        ),
        (
            "src/main.rs",
            "fn main() {\n    println!(\"{}\", dep::pick(std::env::args().count()));\n}\n",
        ),
        (
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with = \"own\"\n\n[source.own]\nlocal-registry = \"registry\"\n",
        ),
    ]);
    // "Registry Index" of the cargo book: three letters go by the first of them.
    let index = package.path("registry/index/3/d");
    fs::create_dir_all(&index).expect("a folder");
    let mut lines = String::new();
    for (version, bytes) in [("1.0.0", 64), ("1.1.0", 20_011), ("1.1.1", 20_011)] {
        let manifest =
            format!("[package]\nname = \"dep\"\nversion = \"{version}\"\nedition = \"2021\"\n");
        let library = format!(
            "static TABLE: [u8; {bytes}] = [200; {bytes}];\n\n#[inline(never)]\npub fn pick(n: usize) -> u8 {{\n    \
             std::hint::black_box(&TABLE)[n]\n}}\n"
        );
        let dep = Package::new(&[("Cargo.toml", &manifest), ("src/lib.rs", &library)]);
        let packed = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(dep.path(""))
            .args(["package", "--no-verify", "--allow-dirty", "--offline"])
            .env_remove("CARGO_TARGET_DIR")
            .output()
            .expect("cargo runs");
        assert!(packed.status.success(), "{}", stderr(&packed));
        let name = format!("dep-{version}.crate");
        let bytes = fs::read(dep.path(&format!("target/package/{name}"))).expect("it is packed");
        let mut digest = String::new();
        for byte in sha2::Sha256::digest(&bytes) {
            write!(digest, "{byte:02x}").expect("writing to a string cannot fail");
        }
        fs::write(package.path("registry").join(name), bytes).expect("a file");
        let line = serde_json::json!({
            "name": "dep", "vers": version, "deps": [], "cksum": digest, "features": {}, "yanked": false,
        });
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    fs::write(index.join("dep"), lines).expect("a file");
    package
}

#[test]
fn another_version_of_a_dependency_is_tried_beside_the_lock_file() {
    let package = with_registry();
    // Cargo takes its configuration, and with it the registry, from the folder that it runs in.
    let run = |arguments: &[&str]| {
        command()
            .current_dir(package.path(""))
            .arg("diff")
            .args(arguments)
            .output()
            .expect("the program under test starts")
    };
    let diff = |side: &str| {
        let output = run(&[side, "--format", "json"]);
        assert!(output.status.success(), "{}", stderr(&output));
        let document = serde_json::from_slice(&output.stdout).expect("JSON");
        check(&document);
        document
    };
    let document = diff("dep:dep@1.0.0");
    let lock = fs::read_to_string(package.path("Cargo.lock")).expect("it is there");
    assert!(lock.contains("1.1.1"), "the lock file stays: {lock}");
    let cause = cause(&document, "other-version").expect("the version is named");
    assert_eq!(cause["text"], "`dep` 1.0.0 → 1.1.1");
    assert!(
        cause["change"].as_i64().expect("a number") >= 19_000,
        "{document:#}"
    );
    let row = &document["rows"][0];
    assert_eq!(
        (&row["old-crate"], &row["crate"]),
        (&"dep@1.0.0".into(), &"dep@1.1.1".into())
    );
    // A patch that changes nothing but its number.
    let document = diff("dep:dep@1.1.0");
    let added = document["share"]["added"].as_u64().expect("a number");
    let size = document["new"]["size"].as_u64().expect("a number");
    assert!(added * 1000 < size, "{document:#}");
    for (side, reason) in [
        ("dep:deb@1.0.0", "did you mean `dep`?"),
        ("dep:dep@1", "`1` is no version"),
        ("dep:dep@9.9.9", "cannot build with `dep` 9.9.9"),
    ] {
        let output = run(&[side]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(reason), "{}", stderr(&output));
    }
}

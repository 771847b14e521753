//! Static libraries: somebody else links them, so what can be linked to has to stay.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::shrink::{cargo, lock, setting, shrink};
use crate::whittle::{Package, stderr};

/// The names that `nm` finds defined for others, but for those of Rust.
fn exports(library: &Path) -> BTreeSet<String> {
    let output = Command::new("nm")
        .args(["--defined-only", "--extern-only", "--format=posix"])
        .arg(library)
        .output()
        .expect("`nm` is there, as the linker is");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| name.starts_with("planted_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_static_library_is_shrunk_and_its_symbols_stay() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"planted\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ncrate-type = [\"staticlib\"]\n",
        ),
        (
            "src/lib.rs",
            "#[no_mangle]\npub extern \"C\" fn planted_digits(n: u64) -> usize { format!(\"{n}\").len() }\n\
             #[no_mangle]\npub static planted_version: u32 = 3;\n",
        ),
        (
            "main.c",
            "#include <stdio.h>\nsize_t planted_digits(unsigned long n);\nextern const unsigned planted_version;\n\
             int main(void) { printf(\"%zu %u\\n\", planted_digits(12345), planted_version); return 0; }\n",
        ),
        (
            "check.sh",
            "set -e\nfolder=$(mktemp -d)\ncc main.c \"$1\" -lpthread -ldl -lm -o \"$folder/main\"\n\"$folder/main\"\nrm -r \"$folder\"\n",
        ),
    ]);
    lock(&package);
    let found = shrink(
        &package,
        &[
            "--only",
            "lto,codegen-units,strip",
            "--check",
            "sh check.sh {}",
        ],
    );
    let plain = cargo(&package, &["build", "--release"]);
    assert!(plain.status.success(), "{}", stderr(&plain));
    let shipped = package.path("target/release/libplanted.a");
    let size = fs::metadata(&shipped).expect("it was built").len();
    assert_eq!(found["baseline"]["size"]["file"].as_u64(), Some(size));
    assert_eq!(found["recommended"]["verdict"]["behaviour"], "passed");
    assert_eq!(setting(&found, "lto"), Some("fat"));
    assert_eq!(setting(&found, "strip"), None, "nothing is linked");
    assert!(found["recommended"]["size"].as_u64() < Some(size / 2));

    // What was judged is kept: it has the symbols that the library of today has.
    let mut names = BTreeSet::new();
    names.insert("planted_digits".to_owned());
    names.insert("planted_version".to_owned());
    assert_eq!(exports(&shipped), names);
    let kept = fs::read_dir(package.path("target/whittle/shrink/links")).expect("kept");
    let mut files = 0;
    for folder in kept {
        let library = folder.expect("a folder").path().join("libplanted.a");
        assert_eq!(exports(&library), names, "{}", library.display());
        files += 1;
    }
    assert!(files > 0, "at least the winner's");
}

#[test]
fn a_library_that_loses_a_symbol_is_not_recommended() {
    // The build script leaves a function out at the level of optimization that would win.
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"planted\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ncrate-type = [\"staticlib\"]\n",
        ),
        (
            "build.rs",
            "fn main() {\n    println!(\"cargo::rustc-check-cfg=cfg(small)\");\n    if std::env::var(\"OPT_LEVEL\").unwrap() == \"z\" { println!(\"cargo::rustc-cfg=small\"); }\n}\n",
        ),
        (
            "src/lib.rs",
            "#[no_mangle]\npub extern \"C\" fn planted_one() -> u32 { 1 }\n\
             #[cfg(not(small))]\n#[no_mangle]\npub extern \"C\" fn planted_two() -> u32 { 2 }\n",
        ),
    ]);
    lock(&package);
    let found = shrink(
        &package,
        &[
            "--only",
            "lto,opt-level",
            "--goal",
            "smallest",
            "--tests",
            "none",
        ],
    );
    assert_ne!(setting(&found, "opt-level"), Some("z"));
    let trials = found["trials"].to_string();
    assert!(
        trials.contains("the exported symbol `planted_two` is gone"),
        "{trials}"
    );
}

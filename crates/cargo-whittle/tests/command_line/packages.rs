//! Packages that are built first.

use std::fs;

use crate::whittle::{Package, json, run, stderr, stdout, sum};

#[test]
fn a_package_is_built_and_what_ships_is_explained() {
    let package = Package::small();
    let document = json(["--manifest-path", &package.manifest()]);
    let shipped = package.path("target/release/small");
    let size = fs::metadata(&shipped).expect("it was built").len();
    assert_eq!(document["totals"]["file"].as_u64(), Some(size));
    assert_eq!(sum(&document, "file"), size);
    let rows = document["rows"].as_array().expect("rows");
    let row = |name: &str| rows.iter().find(|row| row["crate"] == name);
    assert!(
        row("small@1.2.3").is_some(),
        "the package has its version: {rows:#?}"
    );
    assert!(row("std").is_some() && row("core").is_some());
    let unknown = document["totals"]["unknown"].as_u64().expect("a number");
    assert!(
        unknown * 50 < size,
        "{unknown} of {size} bytes are unknown in spite of the link map"
    );
}

#[test]
fn what_ships_stays_as_the_users_own_build_left_it() {
    let package = Package::small();
    let manifest = package.manifest();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let build = || {
        std::process::Command::new(&cargo)
            .args(["build", "--release", "--manifest-path", &manifest])
            .env_remove("CARGO_TARGET_DIR")
            .env_remove("RUSTFLAGS")
            .output()
            .expect("cargo runs")
    };
    assert!(build().status.success());
    let shipped = package.path("target/release/small");
    let before = (
        fs::read(&shipped).expect("there"),
        fs::metadata(&shipped)
            .and_then(|facts| facts.modified())
            .expect("a time"),
    );
    stdout(["--manifest-path", &manifest]);
    let after = (
        fs::read(&shipped).expect("there"),
        fs::metadata(&shipped)
            .and_then(|facts| facts.modified())
            .expect("a time"),
    );
    assert!(before == after, "the file was changed");
    let again = build();
    assert!(
        !String::from_utf8_lossy(&again.stderr).contains("Compiling"),
        "cargo has nothing to do"
    );
}

#[test]
fn a_stripped_program_is_explained_by_its_twin() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"bare\"\nversion = \"0.3.0\"\nedition = \"2021\"\n\n[profile.release]\nopt-level = 0\nstrip = \"symbols\"\n",
        ),
        ("src/main.rs", "fn main() {\n    println!(\"hello\");\n}\n"),
    ]);
    let document = json(["--manifest-path", &package.manifest()]);
    assert_eq!(document["file"]["stripped"], true);
    let size = fs::metadata(package.path("target/release/bare"))
        .expect("it was built")
        .len();
    assert_eq!(document["totals"]["file"].as_u64(), Some(size));
    let unknown = document["totals"]["unknown"].as_u64().expect("a number");
    assert!(unknown * 50 < size, "{unknown} of {size} bytes are unknown");
    let functions = json(["--manifest-path", &package.manifest(), "--by", "function"]);
    let named = functions["rows"]
        .as_array()
        .expect("rows")
        .iter()
        .any(|row| row["function"] == "bare::main");
    assert!(named, "functions have their names");
}

#[test]
fn several_programs_are_listed() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"two\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[profile.release]\nopt-level = 0\n",
        ),
        ("src/bin/first.rs", "fn main() {}\n"),
        ("src/bin/second.rs", "fn main() { println!(\"second\") }\n"),
    ]);
    let manifest = package.manifest();
    let text = stdout(["--manifest-path", &manifest]);
    assert!(
        text.contains("first") && text.contains("second") && text.contains("--bin"),
        "{text}"
    );
    let document = json(["--manifest-path", &manifest]);
    assert_eq!(document["format"], "cargo-whittle/programs");
    let listed: Vec<_> = document["programs"]
        .as_array()
        .expect("programs")
        .iter()
        .map(|program| &program["name"])
        .collect();
    assert_eq!(listed, ["first", "second"]);
    let one = json(["--manifest-path", &manifest, "--bin", "second"]);
    assert_eq!(one["format"], "cargo-whittle/explain");
}

#[test]
fn libraries_for_c_and_custom_profiles_are_explained() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"shared\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ncrate-type = [\"cdylib\"]\n\n[profile.ship]\ninherits = \"release\"\nopt-level = 0\n",
        ),
        (
            "src/lib.rs",
            "#[no_mangle]\npub extern \"C\" fn answer() -> u32 {\n    42\n}\n",
        ),
    ]);
    let document = json([
        "--manifest-path",
        &package.manifest(),
        "--profile",
        "ship",
        "--by",
        "function",
    ]);
    assert_eq!(document["file"]["kind"], "shared-library");
    let rows = document["rows"].as_array().expect("rows");
    assert!(rows.iter().any(|row| row["function"] == "answer"));
}

#[test]
fn a_static_library_alone_is_not_read_yet() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"archive\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ncrate-type = [\"staticlib\"]\n",
        ),
        (
            "src/lib.rs",
            "#[no_mangle]\npub extern \"C\" fn answer() -> u32 {\n    42\n}\n",
        ),
    ]);
    let output = run(["--manifest-path", &package.manifest()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("archive"), "{}", stderr(&output));
}

//! Packages that are built first.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::whittle::{Package, json, stdout, sum};

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
fn a_static_library_is_explained_member_by_member() {
    let package = Package::new(&[
        (
            "Cargo.toml",
            "[package]\nname = \"archive\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[lib]\ncrate-type = [\"staticlib\"]\n\n\
             [dependencies]\ncodec-sys = { path = \"codec-sys\" }\n",
        ),
        (
            "src/lib.rs",
            "#[no_mangle]\npub extern \"C\" fn answer(n: u64) -> usize {\n    format!(\"{n}\").len() + codec_sys::size(n)\n}\n",
        ),
        (
            "codec-sys/Cargo.toml",
            "[package]\nname = \"codec-sys\"\nversion = \"2.5.0\"\nedition = \"2021\"\n",
        ),
        (
            "codec-sys/src/lib.rs",
            "extern \"C\" {\n    fn codec_size(n: u64) -> usize;\n}\npub fn size(n: u64) -> usize {\n    unsafe { codec_size(n) }\n}\n",
        ),
        (
            "codec-sys/codec.c",
            "static const unsigned char table[512] = {1, 2, 3};\n\
             unsigned long codec_size(unsigned long n) { return table[n % 512]; }\n",
        ),
        (
            "codec-sys/build.rs",
            "use std::process::Command;\nfn main() {\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    \
             let run = |program: &str, args: &[&str]| assert!(Command::new(program).args(args).status().unwrap().success());\n    \
             let (object, library) = (format!(\"{out}/codec.o\"), format!(\"{out}/libcodec.a\"));\n    \
             run(\"cc\", &[\"-O1\", \"-fPIC\", \"-c\", \"codec.c\", \"-o\", &object]);\n    \
             run(\"ar\", &[\"crs\", &library, &object]);\n    \
             println!(\"cargo:rustc-link-search=native={out}\");\n    \
             println!(\"cargo:rustc-link-lib=static=codec\");\n}\n",
        ),
    ]);
    let document = json([
        "--manifest-path",
        &package.manifest(),
        "--by",
        "member,crate,kind",
    ]);
    assert_eq!(document["file"]["kind"], "archive");
    assert_eq!(document["file"]["object-format"], "archive");
    let path = package.path("target/release/libarchive.a");
    let size = fs::metadata(&path).expect("it was built").len();
    assert_eq!(document["totals"]["file"].as_u64(), Some(size));

    // Members are as large as the archiver says, which lists them one after the other.
    let listed = Command::new("ar")
        .arg("tv")
        .arg(&path)
        .output()
        .expect("`ar` is there, as the linker is");
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut expected = BTreeMap::new();
    for line in listed.lines() {
        // `rw-r--r-- 0/0    1234 Jan  1 00:00 1970 name`
        let words: Vec<&str> = line.split_whitespace().collect();
        let len: u64 = words[2].parse().expect("a size");
        assert!(
            expected.insert(words[7].to_owned(), len).is_none(),
            "names are unique"
        );
    }
    let mut members: BTreeMap<String, u64> = BTreeMap::new();
    let mut crates: BTreeMap<String, u64> = BTreeMap::new();
    let (mut of_codec, mut unknown) = (0, 0);
    for row in document["rows"].as_array().expect("rows") {
        let file = row["file"].as_u64().expect("a number");
        let text = |axis: &str| row[axis].as_str().expect("a name").to_owned();
        if text("member").ends_with("codec.o") && text("crate") == "codec-sys@2.5.0" {
            of_codec += file;
        }
        // Debug info of object files is nobody's yet: its units are known once relocations are applied.
        if text("crate") == "(unknown)" && text("kind") != "debug info" {
            unknown += file;
        }
        *members.entry(text("member")).or_default() += file;
        *crates.entry(text("crate")).or_default() += file;
    }
    assert!(members.remove("(archive)").is_some());
    assert_eq!(members, expected);

    // The build says which package and version it is; the toolchain's own crates are told from it.
    assert!(crates["archive@0.1.0"] > 0);
    // What C compiled is the package's whose build script brought it: the table, and the function.
    assert!(of_codec > 512, "{of_codec} bytes");
    for name in [
        "core",
        "std",
        "alloc",
        "compiler_builtins",
        "hashbrown (std)",
    ] {
        assert!(crates.contains_key(name), "{name}");
    }
    assert!(unknown * 500 < size, "{unknown} of {size} bytes");
}

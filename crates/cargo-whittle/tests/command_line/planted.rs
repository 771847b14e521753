//! Planted things: a workspace with constants and functions of known size, each of which must turn up at its owner. The
//! sizes are odd numbers that occur nowhere else; the expected values are arithmetic, not an earlier output.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::whittle::{Package, command};

/// Bytes of each planted table. Those with a name are statics, the others constants inside a function.
const ALPHA_STATIC: u64 = 65_521;
const ALPHA_CONSTANT: u64 = 4_099;
const ONE_STATIC: u64 = 5_003;
const TWO_STATIC: u64 = 6_007;
const C_TABLE: u64 = 7_001;

/// The files of the workspace: path and contents.
const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        r#"
[workspace]
members = ["app", "alpha", "beta", "native"]
exclude = ["one", "two"] # two packages of one name cannot be members of one workspace
resolver = "2"

[profile.release]
opt-level = 1
"#,
    ),
    (
        "app/Cargo.toml",
        r#"
[package]
name = "app"
version = "0.9.0"
edition = "2021"

[dependencies]
alpha = { path = "../alpha" }
beta = { path = "../beta" }
dup-one = { path = "../one", package = "dup" }
dup-two = { path = "../two", package = "dup" }
native-sys = { path = "../native" }
"#,
    ),
    (
        "app/src/main.rs",
        r"
use std::hint::black_box;

#[derive(Clone, Copy)]
struct OfApp(u64);
impl From<OfApp> for u64 {
    fn from(of_app: OfApp) -> u64 { of_app.0 }
}

fn main() {
    let i = std::env::args().count();
    black_box(alpha::ALPHA_STATIC[i] as u64 + alpha::pick(i) as u64);
    black_box(alpha::twice(black_box(OfApp(3))));
    black_box(beta::of_beta(i as u64));
    black_box(dup_one::ONE_STATIC[i] as u64 + dup_two::TWO_STATIC[i] as u64);
    black_box(dup_one::who(i) + dup_two::who(i));
    black_box(native_sys::answer(i));
}
",
    ),
    (
        "alpha/Cargo.toml",
        "[package]\nname = \"alpha\"\nversion = \"1.1.0\"\nedition = \"2021\"\n",
    ),
    (
        "alpha/src/lib.rs",
        r"
#[no_mangle]
pub static ALPHA_STATIC: [u8; 65_521] = filled(3);

const fn filled<const N: usize>(seed: usize) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = (i * seed % 251) as u8 + 1;
        i += 1;
    }
    bytes
}

#[inline(never)]
pub fn pick(i: usize) -> u8 {
    const TABLE: &[u8; 4_099] = &filled(7);
    TABLE[i % 4_099]
}

#[inline(never)]
pub fn twice<T: Into<u64> + Copy>(value: T) -> u64 {
    let a: u64 = value.into();
    let b: u64 = value.into();
    std::hint::black_box(a) + std::hint::black_box(b)
}
",
    ),
    (
        "beta/Cargo.toml",
        "[package]\nname = \"beta\"\nversion = \"1.2.0\"\nedition = \"2021\"\n\n[dependencies]\nalpha = { path = \"../alpha\" }\n",
    ),
    (
        "beta/src/lib.rs",
        r"
#[derive(Clone, Copy)]
pub struct OfBeta(u64);
impl From<OfBeta> for u64 {
    fn from(of_beta: OfBeta) -> u64 { of_beta.0 ^ 5 }
}

#[inline(never)]
pub fn of_beta(value: u64) -> u64 {
    alpha::twice(std::hint::black_box(OfBeta(value)))
}
",
    ),
    (
        "one/Cargo.toml",
        "[package]\nname = \"dup\"\nversion = \"1.0.0\"\nedition = \"2021\"\n",
    ),
    (
        "one/src/lib.rs",
        "pub static ONE_STATIC: [u8; 5_003] = [9; 5_003];\n\n#[inline(never)]\npub fn who(i: usize) -> u64 {\n    std::hint::black_box(i as u64) + 1\n}\n",
    ),
    (
        "two/Cargo.toml",
        "[package]\nname = \"dup\"\nversion = \"2.0.0\"\nedition = \"2021\"\n",
    ),
    (
        "two/src/lib.rs",
        "pub static TWO_STATIC: [u8; 6_007] = [8; 6_007];\n\n#[inline(never)]\npub fn who(i: usize) -> u64 {\n    std::hint::black_box(i as u64) * 2\n}\n",
    ),
    (
        "native/Cargo.toml",
        "[package]\nname = \"native-sys\"\nversion = \"0.4.0\"\nedition = \"2021\"\nlinks = \"planted\"\nbuild = \"build.rs\"\n",
    ),
    (
        "native/build.rs",
        r#"
use std::process::Command;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap();
    let object = format!("{out}/native.o");
    let run = |command: &mut Command| assert!(command.status().unwrap().success());
    run(Command::new("cc").args(["-c", "-fPIC", "-O1", "-ffunction-sections", "-fdata-sections", "-o", &object, "native.c"]));
    run(Command::new("ar").args(["crs", &format!("{out}/libplanted.a"), &object]));
    println!("cargo::rustc-link-search=native={out}");
    println!("cargo::rustc-link-lib=static=planted");
}
"#,
    ),
    (
        "native/native.c",
        "const unsigned char c_table[7001] = { 1, 2, 3, [7000] = 4 };\nunsigned c_answer(unsigned long i) { return c_table[i % 7001]; }\n",
    ),
    (
        "native/src/lib.rs",
        "extern \"C\" {\n    fn c_answer(i: usize) -> u32;\n}\n\n#[inline(never)]\npub fn answer(i: usize) -> u32 {\n    unsafe { c_answer(i) }\n}\n",
    ),
];

/// What is asked about each run of bytes with one name.
struct Planted {
    rows: Vec<Value>,
}

impl Planted {
    fn explain(workspace: &Package, rustflags: Option<&str>) -> Self {
        let mut command = command();
        command.args([
            "--manifest-path",
            &workspace.manifest(),
            "--by",
            "section,crate,compiled-in,function",
            "--format",
            "json",
        ]);
        if let Some(rustflags) = rustflags {
            command.env("RUSTFLAGS", rustflags);
        }
        let output = command.output().expect("it starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let document: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        Self {
            rows: document["rows"].as_array().expect("rows").clone(),
        }
    }

    /// Bytes in a section by defining crate and by the crate they were compiled in.
    fn bytes(
        &self,
        section: &str,
        function: impl Fn(&str) -> bool,
    ) -> BTreeMap<(String, String), u64> {
        let mut bytes = BTreeMap::new();
        for row in &self.rows {
            let text = |key: &str| row[key].as_str().expect("text").to_owned();
            if text("section").starts_with(section) && function(&text("function")) {
                *bytes
                    .entry((text("crate"), text("compiled-in")))
                    .or_insert(0) += row["file"].as_u64().expect("bytes");
            }
        }
        bytes
    }
}

fn owners(list: &[(&str, &str, u64)]) -> BTreeMap<(String, String), u64> {
    list.iter()
        .map(|&(crate_, compiled, bytes)| ((crate_.to_owned(), compiled.to_owned()), bytes))
        .collect()
}

#[test]
fn every_planted_byte_is_at_its_owner() {
    let workspace = Package::new(FILES);
    // Both manglings of symbols: v0 has to be asked for before Rust 1.97, legacy cannot be had on a stable one after.
    for (mangling, rustflags) in [
        ("v0", Some("-Csymbol-mangling-version=v0")),
        ("default", None),
    ] {
        let planted = Planted::explain(&workspace, rustflags);
        let named =
            |name: &'static str| planted.bytes(".rodata", move |function| function.ends_with(name));
        let (alpha, beta, app) = ("alpha@1.1.0", "beta@1.2.0", "app@0.9.0");
        assert_eq!(
            named("ALPHA_STATIC"),
            owners(&[(alpha, alpha, ALPHA_STATIC)]),
            "{mangling}"
        );
        assert_eq!(
            named("ONE_STATIC"),
            owners(&[("dup@1.0.0", "dup@1.0.0", ONE_STATIC)]),
            "{mangling}"
        );
        assert_eq!(
            named("TWO_STATIC"),
            owners(&[("dup@2.0.0", "dup@2.0.0", TWO_STATIC)]),
            "{mangling}"
        );
        let native = "native-sys@0.4.0";
        assert_eq!(
            named("c_table"),
            owners(&[(native, native, C_TABLE)]),
            "{mangling}"
        );
        let c_code = planted.bytes(".text", |function| function == "c_answer");
        assert_eq!(
            c_code.keys().collect::<Vec<_>>(),
            [&(native.to_owned(), native.to_owned())],
            "{mangling}"
        );

        // The table without a name: no other constant of the crate comes near its size.
        let of_alpha: u64 = planted
            .bytes(".rodata", |function| !function.ends_with("ALPHA_STATIC"))
            .into_iter()
            .filter(|((_, compiled), _)| compiled == alpha)
            .map(|(_, bytes)| bytes)
            .sum();
        assert!(
            (ALPHA_CONSTANT..ALPHA_CONSTANT + 256).contains(&of_alpha),
            "{mangling}: {of_alpha}"
        );

        // One generic function, written in one crate and compiled into the two that use it.
        let twice: Vec<_> = planted
            .bytes(".text", |function| function.starts_with("alpha::twice"))
            .into_keys()
            .collect();
        let expected = [
            (alpha.to_owned(), app.to_owned()),
            (alpha.to_owned(), beta.to_owned()),
        ];
        assert_eq!(twice, expected, "{mangling}");

        // Two versions of one package are two.
        let who: Vec<_> = planted
            .bytes(".text", |function| function == "dup::who")
            .into_keys()
            .collect();
        let version = |version: &str| (format!("dup@{version}"), format!("dup@{version}"));
        assert_eq!(who, [version("1.0.0"), version("2.0.0")], "{mangling}");
    }
}

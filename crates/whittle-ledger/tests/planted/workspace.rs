//! The workspace in which things of known size are planted, and its builds.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;
use whittle_ledger::{Package, Packages, StandardLibrary};

use crate::causes;

pub type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// Sizes of tables, all different, odd, and far from any power of two.
pub const ALPHA_STATIC: usize = 65_521;
pub const ALPHA_CONSTANT: usize = 4_099;
pub const ODD_STATIC: usize = 3_001;
pub const TWICE_ONE: usize = 5_003;
pub const TWICE_TWO: usize = 6_007;
pub const GENERIC_CONSTANT: usize = 2_003;
pub const C_STATIC: usize = 32_749;
pub const C_CONSTANT: usize = 7_001;
/// A number that functions of two crates use: the linker keeps one.
pub const SHARED_NUMBER: f64 = 1.618_033_988_749_894_9e-77;
/// A string, and one that ends like it: the linker keeps the longer.
pub const LONG_STRING: &str = "planted: the tail wags the dog\0";
pub const SHORT_STRING: &str = "the tail wags the dog\0";

/// The bytes of a planted table: the same arithmetic stands in the workspace, in Rust and in C.
pub fn table(seed: usize, len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| u8::try_from((i * i * 7 + i * 13 + seed * 31 + i / 251) % 256).expect("a byte"))
        .collect()
}

/// The function that makes the tables, in the workspace's own words.
const TABLE: &str = "
const fn table<const N: usize>(seed: usize) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = ((i * i * 7 + i * 13 + seed * 31 + i / 251) % 256) as u8;
        i += 1;
    }
    bytes
}
";

const ROOT: &str = r#"
[workspace]
members = ["app", "alpha", "beta", "odd", "native", "why"]
exclude = ["one", "two"] # packages of one name cannot be members of one workspace
resolver = "2"
"#;

const APP: &str = r#"
[package]
name = "planted-app"
version = "0.9.0"
edition = "2021"

[dependencies]
alpha = { path = "../alpha" }
beta = { path = "../beta" }
odd-package = { path = "../odd" }
first = { path = "../one", package = "twice" }
native-sys = { path = "../native" }
why = { path = "../why" }
"#;

const MAIN: &str = r"
use std::hint::black_box;

#[derive(Clone, Copy)]
pub struct OfApp(pub u64);
impl From<OfApp> for u64 {
    fn from(of_app: OfApp) -> u64 { of_app.0 }
}

fn main() {
    let i = std::env::args().count();
    black_box(alpha::alpha_lookup(i) as u64 + alpha::alpha_constant(i) as u64);
    black_box(alpha::alpha_generic(black_box(OfApp(3))));
    black_box(black_box(alpha::alpha_inlined as fn(u64) -> u64)(i as u64));
    black_box(black_box(alpha::alpha_fold as fn(u64) -> u64)(i as u64));
    black_box(black_box(beta::beta_fold as fn(u64) -> u64)(i as u64));
    black_box(black_box(alpha::alpha_plain as extern fn(u64) -> u64)(i as u64));
    black_box(alpha::alpha_switch(i as u32));
    black_box(alpha::alpha_state(i));
    black_box(beta::of_beta(i as u64));
    black_box(other_name::odd_lookup(i));
    black_box(first::twice_lookup(i));
    black_box(native_sys::native(i));
    black_box(alpha::alpha_table(black_box(OfApp(5))));
    black_box(alpha::alpha_scaled(i as f64) + beta::beta_scaled(i as f64));
    alpha::alpha_panics(i);
    black_box((alpha::alpha_string(), beta::beta_string()));
    black_box(why::run(i));
}
";

/// The source of `alpha`, from its first line.
pub const ALPHA: &str = r#"use std::cell::Cell;
use std::hint::black_box;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

static ALPHA_STATIC: [u8; 65_521] = table(3);

#[inline(never)]
pub fn alpha_lookup(i: usize) -> u8 {
    ALPHA_STATIC[i % 65_521]
}

#[inline(never)]
pub fn alpha_constant(i: usize) -> u8 {
    const CONSTANT: &[u8; 4_099] = &table(5);
    CONSTANT[i % 4_099]
}

/// Compiled where it is used, for each type anew.
#[inline(never)]
pub fn alpha_generic<T: Into<u64> + Copy>(value: T) -> u64 {
    let mut sum = 0_u64;
    for round in 0..black_box(9) {
        sum = sum.wrapping_mul(31).wrapping_add(value.into() ^ round);
    }
    sum
}

/// Compiled where it is used, privately.
#[inline]
pub fn alpha_inlined(value: u64) -> u64 {
    let mut sum = value;
    for round in 0..black_box(7_u64) {
        sum = sum.rotate_left(5).wrapping_mul(0x9e37_79b9).wrapping_add(round);
    }
    sum
}

/// The same instructions as a function of `beta`.
#[inline(never)]
pub fn alpha_fold(value: u64) -> u64 {
    (value ^ 0x1234_5678_9abc).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(23) ^ (value >> 11)
}

#[no_mangle]
pub extern fn alpha_plain(value: u64) -> u64 {
    value.wrapping_mul(0xc4ce_b9fe_1a85_ec53).rotate_right(9) ^ 77
}

/// A look-up table.
#[inline(never)]
pub fn alpha_switch(value: u32) -> u64 {
    match value {
        0 => 9001, 1 => 812, 2 => 7003, 3 => 64, 4 => 5005, 5 => 46, 6 => 3007, 7 => 28, 8 => 1009, 9 => 10, 10 => 11011,
        _ => alpha_plain(u64::from(value)),
    }
}

/// Each copy has a table of its own.
#[inline(never)]
pub fn alpha_table<T: Into<u64> + Copy>(value: T) -> u8 {
    const CONSTANT: &[u8; 2_003] = &table(29);
    CONSTANT[(black_box(value.into()) % 2_003) as usize]
}

#[inline(never)]
pub fn alpha_panics(i: usize) {
    if i > 10_000_000 {
        panic!("planted: more than anybody types: {i}");
    }
}

#[inline(never)]
pub fn alpha_scaled(value: f64) -> f64 {
    value * 1.618_033_988_749_894_9e-77
}

#[inline(never)]
pub fn alpha_string() -> &'static std::ffi::CStr {
    c"planted: the tail wags the dog"
}

static ALPHA_ZEROS: [AtomicU64; 333] = [const { AtomicU64::new(0) }; 333];
static ALPHA_VARIABLES: [AtomicU32; 77] = [const { AtomicU32::new(5) }; 77];
thread_local! {
    static ALPHA_LOCAL: Cell<[u8; 1_009]> = const { Cell::new([0; 1_009]) };
}

#[inline(never)]
pub fn alpha_state(i: usize) -> u64 {
    let mut local = ALPHA_LOCAL.get();
    local[i % 1_009] += 1;
    ALPHA_LOCAL.set(local);
    ALPHA_ZEROS[i % 333].fetch_add(1, Ordering::Relaxed)
        + u64::from(ALPHA_VARIABLES[i % 77].fetch_add(1, Ordering::Relaxed))
}
"#;

const BETA: &str = r#"
use std::hint::black_box;

#[derive(Clone, Copy)]
pub struct OfBeta(pub u64);
impl From<OfBeta> for u64 {
    fn from(of_beta: OfBeta) -> u64 { of_beta.0 + 1 }
}

#[inline(never)]
pub fn of_beta(value: u64) -> u64 {
    let generic = alpha::alpha_generic(black_box(OfBeta(value)));
    let inlined = black_box(alpha::alpha_inlined as fn(u64) -> u64)(value);
    let table = alpha::alpha_table(black_box(OfBeta(value)));
    generic ^ inlined ^ twice::twice_lookup(value as usize) ^ u64::from(table)
}

#[inline(never)]
pub fn beta_scaled(value: f64) -> f64 {
    value + 1.618_033_988_749_894_9e-77
}

#[inline(never)]
pub fn beta_string() -> &'static std::ffi::CStr {
    c"the tail wags the dog"
}

#[inline(never)]
pub fn beta_fold(value: u64) -> u64 {
    (value ^ 0x1234_5678_9abc).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(23) ^ (value >> 11)
}
"#;

const NATIVE_BUILD: &str = r#"
use std::path::PathBuf;
use std::process::Command;

fn main() {
    let out = PathBuf::from(std::env::var_os("OUT_DIR").unwrap());
    let run = |program: &str, args: &[&str]| {
        assert!(Command::new(program).current_dir(&out).args(args).status().unwrap().success());
    };
    let source = std::env::current_dir().unwrap().join("native.c");
    run("cc", &["-O2", "-g", "-fPIC", "-c", source.to_str().unwrap(), "-o", "native.o"]);
    run("ar", &["crs", "libnative.a", "native.o"]);
    println!("cargo:rustc-link-search=native={}", out.display());
    println!("cargo:rustc-link-lib=static=native");
    println!("cargo:rerun-if-changed=native.c");
}
"#;

const NATIVE: &str = r"
extern {
    fn native_lookup(i: usize) -> u64;
}
pub fn native(i: usize) -> u64 {
    unsafe { native_lookup(i) }
}
";

/// The contents of a package's manifest.
fn manifest(name: &str, version: &str, rest: &str) -> String {
    format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2021\"\n\n{rest}")
}

/// A library with a table and a function that reads it.
fn library(function: &str, static_: &str, seed: usize, len: usize) -> String {
    format!(
        "{TABLE}\nstatic {static_}: [u8; {len}] = table({seed});\n\n\
         #[inline(never)]\npub fn {function}(i: usize) -> u64 {{\n    u64::from({static_}[i % {len}])\n}}\n"
    )
}

/// C has no constants that are computed: the tables are written out.
fn native_source() -> String {
    let list = |bytes: Vec<u8>| {
        let numbers: Vec<String> = bytes.iter().map(ToString::to_string).collect();
        numbers.join(",")
    };
    format!(
        "#include <stddef.h>\n\
         const unsigned char native_table[{C_STATIC}] = {{{}}};\n\
         static const unsigned char hidden_table[{C_CONSTANT}] = {{{}}};\n\
         unsigned long long native_lookup(size_t i) {{\n\
         return native_table[i % {C_STATIC}] + hidden_table[i % {C_CONSTANT}];\n}}\n",
        list(table(17, C_STATIC)),
        list(table(19, C_CONSTANT)),
    )
}

/// How a program is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Variant {
    /// Release, names of the new scheme.
    V0,
    /// Release, names of the old scheme.
    Legacy,
    /// Release, new names, equal functions folded by the linker.
    Folded,
    /// One module for the whole program, new names, panics abort, debug info.
    Merged,
}

/// A built program and what the build said.
#[derive(Default)]
pub struct Program {
    pub bytes: Vec<u8>,
    pub map: Vec<u8>,
    pub packages: Packages,
    pub _folder: Option<TempDir>,
}

/// The program of a variant, built once for all tests.
pub fn program(variant: Variant) -> &'static Program {
    static PROGRAMS: [OnceLock<Program>; 4] = [const { OnceLock::new() }; 4];
    let number = match variant {
        Variant::V0 => 0,
        Variant::Legacy => 1,
        Variant::Folded => 2,
        Variant::Merged => 3,
    };
    PROGRAMS[number].get_or_init(|| match build(variant) {
        Ok(program) => program,
        Err(error) => panic!("the planted workspace does not build: {error}"),
    })
}

fn write_workspace(root: &Path) -> Result {
    let write = |path: &str, text: &str| -> Result {
        let path = root.join(path);
        fs::create_dir_all(path.parent().ok_or("every file is in a folder")?)?;
        Ok(fs::write(path, text)?)
    };
    write("Cargo.toml", ROOT)?;
    write("app/Cargo.toml", APP)?;
    write("app/src/main.rs", MAIN)?;
    write("alpha/Cargo.toml", &manifest("alpha", "1.1.0", ""))?;
    write("alpha/src/lib.rs", &format!("{ALPHA}{TABLE}"))?;
    let beta = "[dependencies]\nalpha = { path = \"../alpha\" }\ntwice = { path = \"../two\" }\n";
    write("beta/Cargo.toml", &manifest("beta", "1.2.0", beta))?;
    write("beta/src/lib.rs", BETA)?;
    write("why/Cargo.toml", &manifest("why", "0.1.0", ""))?;
    write("why/src/lib.rs", causes::WHY)?;
    let odd = "[lib]\nname = \"other_name\"\n";
    write("odd/Cargo.toml", &manifest("odd-package", "0.3.0", odd))?;
    let odd = library("odd_lookup", "ODD_STATIC", 7, ODD_STATIC);
    write("odd/src/lib.rs", &odd)?;
    for (folder, version, seed, len) in [
        ("one", "1.0.0", 11, TWICE_ONE),
        ("two", "2.0.0", 13, TWICE_TWO),
    ] {
        write(
            &format!("{folder}/Cargo.toml"),
            &manifest("twice", version, ""),
        )?;
        let library = library("twice_lookup", "TWICE_STATIC", seed, len);
        write(&format!("{folder}/src/lib.rs"), &library)?;
    }
    let links = "links = \"native\"\nbuild = \"build.rs\"\n";
    write(
        "native/Cargo.toml",
        &manifest("native-sys", "2.5.0", "").replace("edition", &format!("{links}edition")),
    )?;
    write("native/build.rs", NATIVE_BUILD)?;
    write("native/native.c", &native_source())?;
    write("native/src/lib.rs", NATIVE)
}

/// Settings around the test that would reach its builds.
const NOT_OURS: [&str; 7] = [
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_TARGET_DIR",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

fn build(variant: Variant) -> Result<Program> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().canonicalize()?;
    write_workspace(&root)?;
    let map = root.join("map.txt");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&root).stdin(Stdio::null());
    for key in NOT_OURS {
        command.env_remove(key);
    }
    let scheme = match variant {
        // The old scheme is the default of old compilers, and behind a gate in new ones.
        Variant::Legacy => "-Zunstable-options -Csymbol-mangling-version=legacy",
        _ => "-Csymbol-mangling-version=v0",
    };
    command
        .env("RUSTFLAGS", scheme)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_NET_OFFLINE", "true")
        .args(["rustc", "-p", "planted-app", "--release"])
        .arg("--message-format=json-render-diagnostics");
    if variant == Variant::Merged {
        for setting in [
            "lto=\"fat\"",
            "codegen-units=1",
            "panic=\"abort\"",
            "debug=1",
        ] {
            command.arg(format!("--config=profile.release.{setting}"));
        }
    }
    command.arg("--").arg(format!(
        "-Clink-arg=-Wl,-Map={}",
        map.to_str().ok_or("a path in UTF-8")?
    ));
    // Linkers look for strings that others end in only when asked.
    command.arg("-Clink-arg=-Wl,-O2");
    if variant == Variant::Folded {
        command.arg("-Clink-arg=-Wl,--icf=all");
    }
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let messages: Vec<Value> = output
        .stdout
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(serde_json::from_slice)
        .collect::<std::result::Result<_, _>>()?;
    let executable = messages
        .iter()
        .find_map(|message| message["executable"].as_str())
        .ok_or("cargo names no executable")?;
    Ok(Program {
        bytes: fs::read(executable)?,
        map: fs::read(map)?,
        packages: packages(&messages, &root),
        _folder: Some(folder),
    })
}

/// The packages of the build, from cargo's messages.
fn packages(messages: &[Value], root: &Path) -> Packages {
    let mut ids: Vec<&str> = Vec::new();
    let mut list: Vec<Package> = Vec::new();
    for message in messages {
        let Some(id) = message["package_id"].as_str() else {
            continue;
        };
        let number = ids
            .iter()
            .position(|known| *known == id)
            .unwrap_or_else(|| {
                ids.push(id);
                list.push(Package::default());
                ids.len() - 1
            });
        let package = &mut list[number];
        match message["reason"].as_str() {
            Some("compiler-artifact") => {
                let target = &message["target"];
                if target["kind"][0] == "custom-build" {
                    continue;
                }
                let manifest = PathBuf::from(message["manifest_path"].as_str().unwrap_or_default());
                let folder = manifest.parent().expect("a manifest is in a folder");
                package.folder = Some(folder.to_string_lossy().into_owned());
                (package.name, package.version) = identity(folder.strip_prefix(root).ok());
                let name = target["name"].as_str().unwrap_or_default();
                package.crate_names.push(name.replace('-', "_"));
                let files = message["filenames"].as_array().into_iter().flatten();
                for file in files.filter_map(Value::as_str) {
                    let stem = Path::new(file).file_stem().expect("a file has a name");
                    package.file_stems.push(stem.to_string_lossy().into_owned());
                    if Path::new(file)
                        .extension()
                        .is_some_and(|ending| ending == "rlib")
                    {
                        let bytes = fs::read(file).expect("cargo says that it is there");
                        let ids = Package::stable_ids_in(&bytes, &package.crate_names[0]);
                        package.stable_ids.extend(ids);
                        let hashes = Package::constant_hashes_in(&bytes);
                        package.constant_hashes.extend(hashes);
                    }
                }
            }
            Some("build-script-executed") => {
                let out_dir = message["out_dir"].as_str().unwrap_or_default();
                package.out_dirs.push(out_dir.to_owned());
            }
            _ => {}
        }
    }
    let number_of = |name: &str, version: &str| {
        list.iter()
            .position(|package| package.name == name && package.version == version)
            .expect("a package of the workspace")
    };
    let (alpha, twice) = (number_of("alpha", "1.1.0"), number_of("twice", "2.0.0"));
    let (beta, first) = (number_of("beta", "1.2.0"), number_of("twice", "1.0.0"));
    let app = number_of("planted-app", "0.9.0");
    list[beta].dependencies = vec![("alpha".to_owned(), alpha), ("twice".to_owned(), twice)];
    list[app].dependencies = vec![
        ("alpha".to_owned(), alpha),
        ("beta".to_owned(), beta),
        ("first".to_owned(), first),
    ];
    Packages {
        list,
        standard: standard_libraries(),
    }
}

/// The library files of the toolchain.
fn standard_libraries() -> Vec<StandardLibrary> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .arg("--print=target-libdir")
        .output()
        .expect("there is a compiler");
    let folder = String::from_utf8(output.stdout).expect("a path in UTF-8");
    let files = fs::read_dir(folder.trim()).expect("the toolchain has libraries");
    files
        .filter_map(|file| {
            let path = file.ok()?.path();
            let stem = path.file_stem()?.to_str()?.strip_prefix("lib")?.to_owned();
            let is_library = path.extension().is_some_and(|ending| ending == "rlib");
            is_library.then(|| StandardLibrary {
                crate_name: stem.split('-').next().unwrap_or_default().to_owned(),
                constant_hashes: Package::constant_hashes_in(
                    &fs::read(&path).expect("it is there"),
                ),
            })
        })
        .collect()
}

/// Name and version of the package in a folder of the workspace.
fn identity(folder: Option<&Path>) -> (String, String) {
    let (name, version) = match folder.and_then(Path::to_str) {
        Some("app") => ("planted-app", "0.9.0"),
        Some("alpha") => ("alpha", "1.1.0"),
        Some("beta") => ("beta", "1.2.0"),
        Some("odd") => ("odd-package", "0.3.0"),
        Some("one") => ("twice", "1.0.0"),
        Some("two") => ("twice", "2.0.0"),
        Some("why") => ("why", "0.1.0"),
        Some("native") => ("native-sys", "2.5.0"),
        other => panic!("no package stands in {other:?}"),
    };
    (name.to_owned(), version.to_owned())
}

//! A program that can be built without each of its parts: a dependency, a feature, a module, a call.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::programs::{Program, Result};

/// What is taken away from the program.
pub struct Removal {
    /// The feature of the program that has it.
    pub feature: &'static str,
    /// What that is in the file.
    pub takes: Takes,
    /// The packages and their sources; the feature's own package is the first. The program depends on it, and it on the
    /// others.
    packages: &'static [(&'static str, &'static str)],
    /// What the program does with it.
    call: &'static str,
}

/// Which part of the file a removal takes away.
pub enum Takes {
    /// All that some crates define.
    Crates(&'static [&'static str]),
    /// All whose name starts like this.
    Module(&'static str),
}

/// The removals. Packages are of different kinds: data, code, generics, vtables, and such that bring along much of the
/// standard library that nothing else uses.
pub const REMOVALS: &[Removal] = &[
    Removal {
        feature: "tables",
        takes: Takes::Crates(&["tables"]),
        packages: &[("tables", "static TABLE: [u8; 65_536] = table(3);
            #[inline(never)] pub fn run(i: u64) -> u64 { u64::from(TABLE[i as usize % 65_536]) }")],
        call: "tables::run(i)",
    },
    Removal {
        feature: "code",
        takes: Takes::Crates(&["code"]),
        packages: &[("code", "functions!(150);
            #[inline(never)] pub fn run(i: u64) -> u64 { FUNCTIONS[i as usize % FUNCTIONS.len()](i) }")],
        call: "code::run(i)",
    },
    Removal {
        feature: "shapes",
        takes: Takes::Crates(&["shapes"]),
        packages: &[("shapes", "pub trait Shape { fn area(&self) -> u64; fn name(&self) -> String; }
            macro_rules! shape { ($($name:ident $n:literal)*) => { $(
                pub struct $name(pub u64);
                impl Shape for $name {
                    fn area(&self) -> u64 { self.0.wrapping_mul($n).rotate_left($n) ^ ($n * 77) }
                    fn name(&self) -> String { format!(\"{} of {}\", stringify!($name), self.0 + $n) }
                } )*
                fn all(i: u64) -> Vec<Box<dyn Shape>> { vec![$(Box::new($name(i + $n))),*] }
            } }
            shape!(Ant 1 Bee 2 Cat 3 Dog 4 Elk 5 Fox 6 Gnu 7 Hen 8 Ibis 9 Jay 10 Kid 11 Lark 12 Mole 13 Newt 14 Owl 15 Pig 16);
            #[inline(never)] pub fn run(i: u64) -> u64 {
                all(black_box(i)).iter().map(|shape| shape.area() ^ shape.name().len() as u64).sum() }")],
        call: "shapes::run(i)",
    },
    // A package that another brings along: both leave.
    Removal {
        feature: "left",
        takes: Takes::Crates(&["left", "right"]),
        packages: &[
            ("left", "functions!(40);
                #[inline(never)] pub fn run(i: u64) -> u64 { FUNCTIONS[i as usize % FUNCTIONS.len()](right::run(i)) }"),
            ("right", "functions!(70); static TABLE: [u8; 9_001] = table(7);
                #[inline(never)] pub fn run(i: u64) -> u64 {
                    FUNCTIONS[i as usize % FUNCTIONS.len()](i) ^ u64::from(TABLE[i as usize % 9_001]) }"),
        ],
        call: "left::run(i)",
    },
    // Two packages that use different parts of a third: one part stays.
    Removal {
        feature: "one",
        takes: Takes::Crates(&["one"]),
        packages: &[
            ("one", "functions!(30); #[inline(never)] pub fn run(i: u64) -> u64 {
                FUNCTIONS[i as usize % FUNCTIONS.len()](common::for_one(i) ^ common::for_both(i)) }"),
            ("common", "mod a { functions!(60); #[inline(never)] pub fn run(i: u64) -> u64 { FUNCTIONS[i as usize % 60](i) } }
                mod b { functions!(50); #[inline(never)] pub fn run(i: u64) -> u64 { FUNCTIONS[i as usize % 50](i ^ 5) } }
                #[inline(never)] pub fn for_one(i: u64) -> u64 { a::run(i) }
                #[inline(never)] pub fn for_both(i: u64) -> u64 { b::run(i) }"),
        ],
        call: "one::run(i) ^ common::for_both(i + 1)",
    },
    Removal {
        feature: "process",
        takes: Takes::Crates(&["process"]),
        packages: &[("process", "use std::process::Command;
            #[inline(never)] pub fn run(i: u64) -> u64 {
                if i < 1_000 { return i; }
                let output = Command::new(\"echo\").arg(i.to_string()).env(\"A\", \"b\").output();
                output.map_or(0, |output| output.stdout.len() as u64) }")],
        call: "process::run(i)",
    },
    Removal {
        feature: "net",
        takes: Takes::Crates(&["net"]),
        packages: &[("net", "use std::io::{Read, Write}; use std::net::TcpStream;
            #[inline(never)] pub fn run(i: u64) -> u64 {
                if i < 1_000 { return i; }
                let mut answer = Vec::new();
                let sent = TcpStream::connect((\"localhost\", i as u16)).and_then(|mut stream| {
                    stream.write_all(b\"hello\")?;
                    stream.read_to_end(&mut answer) });
                sent.unwrap_or(answer.len()) as u64 }")],
        call: "net::run(i)",
    },
    Removal {
        feature: "maps",
        takes: Takes::Crates(&["maps"]),
        packages: &[("maps", "use std::collections::{BTreeMap, HashMap};
            #[inline(never)] pub fn run(i: u64) -> u64 {
                let mut tree: BTreeMap<String, Vec<u64>> = BTreeMap::new();
                let mut hashed: HashMap<u64, String> = HashMap::new();
                for n in 0..black_box(i) {
                    tree.entry(n.to_string()).or_default().push(n);
                    hashed.insert(n * 7, format!(\"{n}-{i}\"));
                }
                tree.remove(\"3\");
                let sum: u64 = tree.range(String::from(\"2\")..).flat_map(|(_, list)| list).sum();
                sum + hashed.values().map(|text| text.len() as u64).sum::<u64>() }")],
        call: "maps::run(i)",
    },
    Removal {
        feature: "floats",
        takes: Takes::Crates(&["floats"]),
        packages: &[("floats", "#[inline(never)] pub fn run(i: u64) -> u64 {
                let value: f64 = black_box(\"1.5e3\").parse().unwrap_or(i as f64);
                format!(\"{value:.3} {value:e} {value}\").len() as u64 }")],
        call: "floats::run(i)",
    },
    Removal {
        feature: "sorts",
        takes: Takes::Crates(&["sorts"]),
        packages: &[("sorts", "#[inline(never)] pub fn run(i: u64) -> u64 {
                let mut words: Vec<String> = (0..black_box(i)).map(|n| (n * 7919 % 101).to_string()).collect();
                words.sort();
                let mut pairs: Vec<(u32, u64)> = (0..black_box(i)).map(|n| (n as u32 ^ 77, n * 3)).collect();
                pairs.sort_unstable();
                pairs.dedup();
                words.concat().len() as u64 ^ pairs.iter().map(|pair| pair.1).sum::<u64>() }")],
        call: "sorts::run(i)",
    },
    Removal {
        feature: "threads",
        takes: Takes::Crates(&["threads"]),
        packages: &[("threads", "use std::sync::{mpsc, Arc, Mutex};
            #[inline(never)] pub fn run(i: u64) -> u64 {
                let (sender, receiver) = mpsc::channel();
                let sum = Arc::new(Mutex::new(0));
                let threads: Vec<_> = (0..i % 4).map(|n| { let (sender, sum) = (sender.clone(), sum.clone());
                    std::thread::spawn(move || { *sum.lock().unwrap() += n; sender.send(n * i).unwrap(); }) }).collect();
                drop(sender);
                for thread in threads { thread.join().unwrap(); }
                let total = *sum.lock().unwrap();
                receiver.iter().sum::<u64>() + total }")],
        call: "threads::run(i)",
    },
    // A feature of a package that stays.
    Removal {
        feature: "extra",
        takes: Takes::Module("featured::extra"),
        packages: &[],
        call: "featured::extra::run(i)",
    },
    // A module of the program itself.
    Removal {
        feature: "report",
        takes: Takes::Module("planted_forecasts::report"),
        packages: &[],
        call: "report::run(i)",
    },
    // One call of a function in a package that stays.
    Removal {
        feature: "call",
        takes: Takes::Module("featured::heavy"),
        packages: &[],
        call: "featured::heavy(i)",
    },
];

/// Stands in every source: tables, and functions that are all different.
const COMMON: &str = "#![allow(dead_code, unused_imports, unused_macros)]
use std::hint::black_box;
pub const fn table<const N: usize>(seed: usize) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = ((i * i * 7 + i * 13 + seed * 31 + i / 251) % 256) as u8;
        i += 1;
    }
    bytes
}
";

const FEATURED: &str = "
functions!(20);
#[inline(never)] pub fn run(i: u64) -> u64 { FUNCTIONS[i as usize % 20](i) }
#[inline(never)] pub fn heavy(i: u64) -> u64 { inner::run(i) }
mod inner {
    functions!(45);
    static TABLE: [u8; 5_003] = crate::table(11);
    #[inline(never)] pub fn run(i: u64) -> u64 { FUNCTIONS[i as usize % 45](i) ^ u64::from(TABLE[i as usize % 5_003]) }
}
#[cfg(feature = \"extra\")]
pub mod extra {
    functions!(55);
    #[inline(never)] pub fn run(i: u64) -> u64 { FUNCTIONS[i as usize % 55](i) }
}
";

const REPORT: &str = "
#[cfg(feature = \"report\")]
mod report {
    functions!(35);
    #[inline(never)] pub fn run(i: u64) -> u64 {
        let mut lines = Vec::new();
        for n in 0..i % 7 { lines.push(format!(\"{:>10}|{:<8x}|{:?}\", n, FUNCTIONS[n as usize % 35](n), n.checked_sub(3))); }
        lines.join(\"\\n\").len() as u64
    }
}
";

/// Writes out `functions!(N)`: N functions that are all different, and a table of them.
fn expanded(source: &str) -> Result<String> {
    let mut out = String::new();
    let mut rest = source;
    while let Some((before, behind)) = rest.split_once("functions!(") {
        let (count, behind) = behind.split_once(");").ok_or("a number")?;
        let count: u64 = count.parse()?;
        out.push_str(before);
        for n in 0..count {
            let (turn, factor, mask) = (n % 61 + 1, n * 40_503 + 77, n * n * 7_919 + 1);
            writeln!(
                out,
                "#[inline(never)] fn f{n}(x: u64) -> u64 {{ let mut s = x ^ {mask};
                 for i in 0..x % {} {{ s = s.rotate_left({turn}).wrapping_mul({factor}) ^ i;
                 if s % {} == {} {{ s = s.wrapping_add({mask} << (i % 9)); }} }} s }}",
                n + 3,
                n % 13 + 5,
                n % 5
            )?;
        }
        let names: Vec<String> = (0..count).map(|n| format!("f{n}")).collect();
        writeln!(
            out,
            "pub static FUNCTIONS: [fn(u64) -> u64; {count}] = [{}];",
            names.join(", ")
        )?;
        rest = behind;
    }
    Ok(out + rest)
}

/// Writes the workspace; the program has a feature for each removal.
pub fn write_workspace(root: &Path) -> Result {
    let write = |path: &str, text: &str| -> Result {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().ok_or("a folder")?)?;
        Ok(std::fs::write(path, text)?)
    };
    let manifest = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"1.0.0\"\nedition = \"2021\"\n{rest}")
    };
    let (mut features, mut dependencies) = (String::new(), String::new());
    let (mut members, mut calls) = (vec!["app", "featured"], String::new());
    for removal in REMOVALS {
        let mut enabled = Vec::new();
        for (position, (package, source)) in removal.packages.iter().enumerate() {
            members.push(package);
            // The program calls `common` itself as well, whatever becomes of `one`.
            let optional = *package != "common";
            if position == 0 || !optional {
                writeln!(
                    dependencies,
                    "{package} = {{ path = \"../{package}\", optional = {optional} }}"
                )?;
            }
            if position == 0 {
                enabled.push(format!("\"dep:{package}\""));
            }
            let mut others = String::new();
            for (other, _) in &removal.packages[position + 1..] {
                writeln!(others, "{other} = {{ path = \"../{other}\" }}")?;
            }
            write(
                &format!("{package}/Cargo.toml"),
                &manifest(package, &format!("[dependencies]\n{others}")),
            )?;
            let source = format!("{COMMON}{}", expanded(source)?);
            write(&format!("{package}/src/lib.rs"), &source)?;
        }
        if removal.feature == "extra" {
            enabled.push("\"featured/extra\"".to_owned());
        }
        writeln!(features, "{} = [{}]", removal.feature, enabled.join(", "))?;
        let (feature, call) = (removal.feature, removal.call);
        writeln!(calls, "#[cfg(feature = \"{feature}\")] black_box({call});")?;
    }
    write(
        "featured/Cargo.toml",
        &manifest("featured", "[features]\nextra = []\n"),
    )?;
    write(
        "featured/src/lib.rs",
        &format!("{COMMON}{}", expanded(FEATURED)?),
    )?;
    dependencies.push_str("featured = { path = \"../featured\" }\n");
    let rest = format!("[dependencies]\n{dependencies}\n[features]\n{features}");
    write("app/Cargo.toml", &manifest("planted-forecasts", &rest))?;
    let main = format!(
        "{COMMON}{}\nfn main() {{ let i = std::env::args().count() as u64;
         black_box(featured::run(i) ^ common::for_both(i));\n{calls} }}\n",
        expanded(REPORT)?
    );
    write("app/src/main.rs", &main)?;
    let members: Vec<String> = members.iter().map(|name| format!("\"{name}\"")).collect();
    let root = format!(
        "[workspace]\nresolver = \"2\"\nmembers = [{}]\n",
        members.join(", ")
    );
    write("Cargo.toml", &root)
}

/// Builds the program with some features; returns it.
pub fn build(root: &Path, features: &[&str]) -> Result<Program> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for key in [
        "CARGO_TARGET_DIR",
        "CARGO_BUILD_TARGET_DIR",
        "RUSTFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
    ] {
        command.env_remove(key);
    }
    let output = command
        .current_dir(root)
        .stdin(Stdio::null())
        .env("CARGO_NET_OFFLINE", "true")
        .args([
            "rustc",
            "--release",
            "-p",
            "planted-forecasts",
            "--features",
        ])
        .arg(features.join(","))
        .args(["--", "-Clink-arg=-Wl,-Map=map.txt"])
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    let map = [root.join("map.txt"), root.join("app/map.txt")];
    let map = map.iter().find_map(|path| std::fs::read(path).ok());
    Ok(Program {
        name: "planted-forecasts",
        bytes: std::fs::read(root.join("target/release/planted-forecasts"))?,
        map: Some(map.ok_or("a map")?),
    })
}

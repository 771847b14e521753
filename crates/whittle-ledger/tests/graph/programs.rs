//! Programs built by rustc, and their graphs.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use whittle_code::References;
use whittle_image::Image;
use whittle_image::link_map::LinkMap;
use whittle_ledger::{Graph, Ledger, NodeId, Owner, Witnesses};

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A table that only `lookup` of `first` mentions, one that `both` mentions, and who calls whom.
const PLANTED: &str = r#"
use std::hint::black_box;

pub mod first {
    static TABLE: [u8; 65_536] = super::table(3);
    #[inline(never)]
    pub fn lookup(i: usize) -> u8 {
        TABLE[i % 65_536] ^ super::both::lookup(i)
    }
    #[inline(never)]
    pub fn chain(i: usize) -> u8 {
        lookup(i).wrapping_add(1)
    }
}

pub mod second {
    #[inline(never)]
    pub fn lookup(i: usize) -> u8 {
        super::both::lookup(i).wrapping_add(9)
    }
}

pub mod both {
    static TABLE: [u8; 4_099] = super::table(5);
    #[inline(never)]
    pub fn lookup(i: usize) -> u8 {
        TABLE[i % 4_099]
    }
}

pub mod behind_dyn {
    pub trait Shape {
        fn area(&self) -> u64;
    }
    pub struct Square(pub u64);
    impl Shape for Square {
        #[inline(never)]
        fn area(&self) -> u64 {
            self.0.wrapping_mul(self.0) ^ 77
        }
    }
    #[inline(never)]
    pub fn make(i: u64) -> Box<dyn Shape> {
        Box::new(Square(i))
    }
}

/// A look-up of texts: LLVM makes a table of distances of it where code may be loaded anywhere.
#[inline(never)]
pub fn describe(i: usize) -> &'static str {
    match i {
        0 => "planted text: zero",
        1 => "planted text: one",
        2 => "planted text: two",
        3 => "planted text: three",
        4 => "planted text: four",
        5 => "planted text: five",
        6 => "planted text: six",
        7 => "planted text: seven",
        8 => "planted text: eight",
        9 => "planted text: nine",
        10 => "planted text: ten",
        11 => "planted text: eleven",
        _ => "planted text: many",
    }
}

const fn table<const N: usize>(seed: usize) -> [u8; N] {
    let mut bytes = [0; N];
    let mut i = 0;
    while i < N {
        bytes[i] = ((i * i * 7 + i * 13 + seed * 31 + i / 251) % 256) as u8;
        i += 1;
    }
    bytes
}

fn main() {
    let i = std::env::args().count();
    black_box(first::chain(i));
    black_box(second::lookup(i));
    black_box(black_box(behind_dyn::make(i as u64)).area());
    println!("{} {}", describe(i), std::env::var("HOME").unwrap_or_default());
}
"#;

/// The bytes of a program and of the map that the linker wrote for it.
pub struct Program {
    pub name: &'static str,
    pub bytes: Vec<u8>,
    pub map: Option<Vec<u8>>,
}

/// How the planted program is compiled.
const WAYS: [(&str, &[&str]); 4] = [
    ("plain", &["-Copt-level=3"]),
    ("small", &["-Copt-level=z", "-Cpanic=abort"]),
    (
        "one module",
        &["-Copt-level=3", "-Clto=fat", "-Ccodegen-units=1"],
    ),
    (
        "fixed address",
        &["-Copt-level=3", "-Crelocation-model=static"],
    ),
];

/// The planted program, compiled in several ways, once for all tests.
pub fn programs() -> &'static [Program] {
    static PROGRAMS: OnceLock<Vec<Program>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        WAYS.iter()
            .map(|&(name, arguments)| {
                compile(folder.path(), name, arguments).expect("the planted program compiles")
            })
            .collect()
    })
}

fn compile(folder: &Path, name: &'static str, arguments: &[&str]) -> Result<Program> {
    let source = folder.join("planted.rs");
    std::fs::write(&source, PLANTED)?;
    let (output, map): (PathBuf, PathBuf) = (folder.join("planted"), folder.join("planted.map"));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let ran = Command::new(rustc)
        .args([
            "--edition=2021",
            "-Cstrip=debuginfo",
            "-Csymbol-mangling-version=v0",
        ])
        .args(arguments)
        .arg(format!("-Clink-arg=-Wl,-Map={}", map.display()))
        .arg("-o")
        .arg(&output)
        .arg(&source)
        .env_remove("RUSTFLAGS")
        .output()?;
    if !ran.status.success() {
        return Err(String::from_utf8_lossy(&ran.stderr).into());
    }
    Ok(Program {
        name,
        bytes: std::fs::read(output)?,
        map: Some(std::fs::read(map)?),
    })
}

/// The test's own executable.
pub fn own() -> Result<Program> {
    Ok(Program {
        name: "this test",
        bytes: std::fs::read(std::env::current_exe()?)?,
        map: None,
    })
}

impl Program {
    /// Makes the graph and looks at it.
    pub fn graph<T>(&self, look: impl FnOnce(&Graph<'_, '_>) -> Result<T>) -> Result<T> {
        let image = Image::parse(&self.bytes)?;
        let map = match &self.map {
            Some(map) => Some(LinkMap::parse(map)?),
            None => None,
        };
        let witnesses = Witnesses {
            link_map: map.as_ref(),
            ..Witnesses::none()
        };
        let references = References::find(&image);
        let ledger = Ledger::build(&image, &witnesses, &references)?;
        look(&Graph::of(&ledger)?)
    }
}

/// The only item with a name that ends like this, and its node.
pub fn node(graph: &Graph<'_, '_>, name: &str) -> NodeId {
    let named = graph.nodes().filter(|&node| match graph.owner(node) {
        Some(Owner::Item(item)) => graph.ledger().item_name(item).ends_with(name),
        _ => false,
    });
    match named.collect::<Vec<_>>()[..] {
        [only] => only,
        ref found => panic!("not one `{name}`: {found:?}"),
    }
}

//! Programs built by rustc, and what the ledger says about them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use object::{Object as _, ObjectSymbol as _};
use tempfile::TempDir;
use whittle_code::References;
use whittle_image::Image;
use whittle_ledger::{Ledger, Repeats, Saving, SavingKind, Witnesses};

pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// A folder in which crates are compiled.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Result<Self> {
        Ok(Self(TempDir::new()?))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Compiles a source with optimization and v0 names; returns the path of what it makes.
    pub fn compile(&self, source: &Path, output: &str, arguments: &[&str]) -> Result<PathBuf> {
        let output = self.path().join(output);
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let ran = Command::new(rustc)
            .args(["--edition=2021", "-Copt-level=3", "-Cstrip=debuginfo"])
            .args(["-Csymbol-mangling-version=v0", "--cap-lints=allow"])
            .args(arguments)
            .arg("-o")
            .arg(&output)
            .arg(source)
            .current_dir(self.path())
            .env_remove("RUSTFLAGS")
            .output()?;
        if ran.status.success() {
            Ok(output)
        } else {
            Err(String::from_utf8_lossy(&ran.stderr).into())
        }
    }

    /// The same with the text of a source.
    pub fn compile_text(&self, text: &str, output: &str, arguments: &[&str]) -> Result<PathBuf> {
        let source = self.path().join(format!("{output}.rs"));
        std::fs::write(&source, text)?;
        self.compile(&source, output, arguments)
    }
}

/// What the ledger says could be got back from a file.
pub fn forecast(bytes: &[u8]) -> Result<(Vec<Saving>, Repeats)> {
    let image = Image::parse(bytes)?;
    let references = References::find(&image);
    let ledger = Ledger::build(&image, &Witnesses::none(), &references)?;
    Ok(ledger.savings_and_repeats())
}

/// The bytes of one saving.
pub fn bytes_of(savings: &[Saving], kind: &SavingKind) -> u64 {
    let found = savings.iter().find(|saving| saving.kind == *kind);
    found.map_or(0, |saving| saving.bytes)
}

/// The symbols of a file with their addresses and sizes, as `object` reads them.
pub fn symbols(bytes: &[u8]) -> Result<BTreeMap<String, (u64, u64)>> {
    let file = object::File::parse(bytes)?;
    let symbol = |it: object::Symbol<'_, '_>| {
        let name = it.name().ok()?.to_owned();
        Some((name, (it.address(), it.size())))
    };
    Ok(file.symbols().filter_map(symbol).collect())
}

/// The length of bytes.
pub fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length")
}

//! Builds the specimen of `fixtures/program` for every object format and packs the results into `fixtures/`.
//!
//! `fixtures/README.md` says what is needed for it. The results are committed: tests need none of this.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use crate::root;

mod parts;

/// A file of `fixtures/`, its stripped twin, and what else is made of the same build.
struct Fixture {
    name: &'static str,
    target: &'static str,
    linker: Linker,
    /// What the program is called in the target directory.
    file: &'static str,
    /// Crates of the standard library to build besides `std`.
    panic: &'static str,
    /// What leaves out the symbols.
    strip: Strip,
    /// Whether an object of the library is a fixture of its own.
    object: bool,
    /// Whether the library is linked by LLVM's linker for macOS as well: the processor as that has it.
    chained: Option<&'static str>,
}

/// What leaves out the symbols.
#[derive(Clone, Copy)]
enum Strip {
    /// The linker, by an argument.
    Linker(&'static str),
    /// `llvm-strip`, afterwards.
    Afterwards,
}

enum Linker {
    /// `zig cc`, which brings along what a system's own linker would need.
    Zig(&'static str),
    /// A command.
    Command(&'static str),
}

const FIXTURES: &[Fixture] = &[
    Fixture {
        name: "wasm32",
        target: "wasm32-unknown-unknown",
        linker: Linker::Command("rust-lld"),
        file: "specimen.wasm",
        panic: "panic_abort",
        strip: Strip::Linker("--strip-all"),
        object: false,
        chained: None,
    },
    Fixture {
        name: "windows-x86_64",
        target: "x86_64-pc-windows-gnu",
        linker: Linker::Command("x86_64-w64-mingw32-gcc"),
        file: "specimen.exe",
        panic: "panic_unwind",
        strip: Strip::Linker("-s"),
        object: true,
        chained: None,
    },
    Fixture {
        name: "macos-aarch64",
        target: "aarch64-apple-darwin",
        linker: Linker::Zig("aarch64-macos"),
        file: "specimen",
        panic: "panic_unwind",
        strip: Strip::Afterwards,
        object: true,
        chained: Some("arm64"),
    },
    Fixture {
        name: "macos-x86_64",
        target: "x86_64-apple-darwin",
        linker: Linker::Zig("x86_64-macos"),
        file: "specimen",
        panic: "panic_unwind",
        strip: Strip::Afterwards,
        object: true,
        chained: Some("x86_64"),
    },
    Fixture {
        name: "linux-aarch64",
        target: "aarch64-unknown-linux-gnu",
        linker: Linker::Zig("aarch64-linux-gnu"),
        file: "specimen",
        panic: "panic_unwind",
        strip: Strip::Linker("-s"),
        object: false,
        chained: None,
    },
];

/// `[NAME]…`
pub(crate) fn run(names: &[String]) -> anyhow::Result<ExitCode> {
    if let Some(unknown) = names
        .iter()
        .find(|name| FIXTURES.iter().all(|it| it.name != **name))
    {
        let known: Vec<_> = FIXTURES.iter().map(|fixture| fixture.name).collect();
        bail!(
            "no such fixture: `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    for fixture in FIXTURES {
        if names.is_empty() || names.iter().any(|name| name == fixture.name) {
            build(fixture, fixture.name, None)?;
            parts::make(fixture, &target_dir(fixture))?;
            build(
                fixture,
                &format!("{}-stripped", fixture.name),
                Some(fixture.strip),
            )?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn build(fixture: &Fixture, name: &str, strip: Option<Strip>) -> anyhow::Result<()> {
    println!("==> {name}");
    let folder = root().join("fixtures");
    let target_dir = root().join("target").join("fixtures");
    let linker = linker(fixture, &target_dir)?;
    let upper = fixture.target.to_uppercase().replace('-', "_");
    let mut cargo = Command::new(std::env::var_os("FIXTURES_CARGO").unwrap_or("cargo".into()));
    cargo
        .current_dir(folder.join("program"))
        .args(["rustc", "--release", "--target", fixture.target])
        .arg(format!("-Zbuild-std=std,{}", fixture.panic))
        // No `strip` of the host knows the format.
        .args(["--config", "profile.release.strip=\"none\"", "--target-dir"])
        .arg(&target_dir)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", remapped()?)
        .env(format!("CARGO_TARGET_{upper}_LINKER"), linker);
    if let Some(Strip::Linker(strip)) = strip {
        // Behind `--`: nothing but the program itself is built again.
        cargo.args(["--", &format!("-Clink-arg={strip}")]);
    }
    let status = cargo.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("building `{name}` failed\nhelp: `fixtures/README.md` says what is needed");
    }
    let built = self::target_dir(fixture).join(fixture.file);
    if matches!(strip, Some(Strip::Afterwards)) {
        let command = std::env::var("FIXTURES_STRIP").unwrap_or_else(|_| "llvm-strip".to_owned());
        let status = Command::new(&command).arg(&built).status();
        if !status
            .with_context(|| format!("cannot start `{command}`"))?
            .success()
        {
            bail!("`{command}` failed on `{}`", built.display());
        }
    }
    let bytes = fs::read(&built).with_context(|| format!("cannot read `{}`", built.display()))?;
    pack(name, &bytes)
}

/// Where the build of a fixture leaves what it makes.
fn target_dir(fixture: &Fixture) -> PathBuf {
    let target_dir = root().join("target").join("fixtures");
    target_dir.join(fixture.target).join("release")
}

/// Writes a fixture.
fn pack(name: &str, bytes: &[u8]) -> anyhow::Result<()> {
    let packed = root().join("fixtures").join(format!("{name}.gz"));
    let file = fs::File::create(&packed)
        .with_context(|| format!("cannot write `{}`", packed.display()))?;
    let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    encoder.write_all(bytes)?;
    encoder.finish()?;
    Ok(())
}

/// Panics name source files: where cargo keeps those of packages is no business of the fixtures.
fn remapped() -> anyhow::Result<String> {
    let home = match std::env::var("CARGO_HOME") {
        Ok(home) => home,
        Err(_) => std::env::var("HOME").context("neither CARGO_HOME nor HOME is set")? + "/.cargo",
    };
    Ok(format!("--remap-path-prefix={home}=/usr/local/share/cargo"))
}

/// The linker as one command: cargo takes no arguments with it.
fn linker(fixture: &Fixture, target_dir: &Path) -> anyhow::Result<PathBuf> {
    let system = match fixture.linker {
        Linker::Command(command) => return Ok(command.into()),
        Linker::Zig(system) => system,
    };
    let zig = std::env::var("FIXTURES_ZIG").unwrap_or_else(|_| "python3 -m ziglang".to_owned());
    fs::create_dir_all(target_dir)?;
    let script = target_dir.join(format!("zig-{system}"));
    fs::write(
        &script,
        format!("#!/bin/sh\nexec {zig} cc -target {system} \"$@\"\n"),
    )?;
    make_executable(&script)?;
    Ok(script)
}

#[cfg(unix)]
fn make_executable(script: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(
        script,
        fs::Permissions::from_mode(0o755),
    )?)
}

#[cfg(not(unix))]
fn make_executable(_: &Path) -> anyhow::Result<()> {
    bail!("fixtures are built on Unix, where a script can be a linker")
}

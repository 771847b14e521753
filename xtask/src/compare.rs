//! Measures `explain` against another tool that reads the same files. Prints, never fails on a time.

use std::env;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::root;

/// `FILE…`: the executables to explain.
pub(crate) fn run(files: &[String]) -> anyhow::Result<ExitCode> {
    if files.is_empty() {
        bail!("which files? `cargo xtask compare FILE…`");
    }
    let build = [
        "build",
        "--release",
        "--locked",
        "--package",
        "cargo-whittle",
    ];
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(build)
        .current_dir(root())
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("the release build failed");
    }
    let script = root().join("benches").join("compare-treemap.sh");
    let status = Command::new("bash")
        .arg(&script)
        .args(files)
        .status()
        .with_context(|| format!("cannot run `{}`", script.display()))?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

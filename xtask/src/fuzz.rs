//! Gives every fuzz target some time. Needs a nightly compiler and `cargo-fuzz`.

use std::fs;
use std::process::{Command, ExitCode};

use anyhow::{Context, bail};

use crate::root;

const SECONDS: u64 = 60;
/// Readers see no more of a file than this in one run: longer inputs find little and are slow.
const MAX_LEN: u64 = 20_000;

/// `[SECONDS] [TARGET]…`
pub(crate) fn run(arguments: &[String]) -> anyhow::Result<ExitCode> {
    let (seconds, names) = match arguments.split_first() {
        Some((first, rest)) if first.bytes().all(|byte| byte.is_ascii_digit()) => {
            let seconds = first
                .parse()
                .with_context(|| format!("no time in seconds: `{first}`"))?;
            (seconds, rest)
        }
        _ => (SECONDS, arguments),
    };
    let known = targets()?;
    if let Some(unknown) = names.iter().find(|name| !known.contains(name)) {
        bail!(
            "no such fuzz target: `{unknown}`; there are {}",
            known.join(", ")
        );
    }
    for target in if names.is_empty() { &known } else { names } {
        println!("==> {target}, {seconds} s");
        let status = Command::new("rustup")
            .args(["run", "nightly", "cargo", "fuzz", "run", target, "--"])
            .arg(format!("-max_total_time={seconds}"))
            .arg(format!("-max_len={MAX_LEN}"))
            .current_dir(root())
            .status()
            .context("cannot start `rustup run nightly`")?;
        if !status.success() {
            bail!(
                "fuzzing `{target}` failed\nhelp: what it needs: `rustup toolchain install nightly`, \
                 `cargo install --locked cargo-fuzz` and a C++ compiler"
            );
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The names of the fuzz targets, sorted.
fn targets() -> anyhow::Result<Vec<String>> {
    let folder = root().join("fuzz").join("fuzz_targets");
    let entries =
        fs::read_dir(&folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs")
            && let Some(name) = path.file_stem().and_then(|name| name.to_str())
        {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

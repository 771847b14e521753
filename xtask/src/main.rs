//! The one command for developer and CI: `cargo xtask test` runs everything that has to hold before a commit.
//!
//! | module | what it is for |
//! |---|---|
//! | [`checks`] | the list of what is checked |
//! | [`step`] | runs commands one after the other, named and timed, until one fails |
//! | [`tally`] | adds up what `cargo test` reports |
//! | [`fuzz`] | gives every fuzz target some time |
//! | [`compare`] | measures `explain` against another tool |
//! | [`fixtures`] | builds one program for every object format |

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a tool for the developer's terminal, not a part of the program"
)]

mod checks;
mod compare;
mod fixtures;
mod fuzz;
mod step;
mod tally;

use std::path::Path;
use std::process::ExitCode;

use anyhow::bail;

const HELP: &str = "\
cargo xtask test                     everything CI runs: format, lints, tests, documentation
cargo xtask fuzz [SECONDS] [TARGET]… fuzz all or the named targets (60 seconds each)
cargo xtask compare FILE…            processor time of `explain` against `cargo treemap`
cargo xtask fixtures [NAME]…         build the programs of `fixtures/` again
cargo xtask help                     this text
";

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<ExitCode> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let rest = arguments.get(1..).unwrap_or_default();
    match arguments.first().map(String::as_str) {
        Some("test") if rest.is_empty() => checks::run(),
        Some("test") => bail!("`cargo xtask test` takes no arguments"),
        Some("fuzz") => fuzz::run(rest),
        Some("compare") => compare::run(rest),
        Some("fixtures") => fixtures::run(rest),
        Some("help" | "--help" | "-h") => {
            print!("{HELP}");
            Ok(ExitCode::SUCCESS)
        }
        Some(unknown) => bail!("no such task: `{unknown}`\n\n{HELP}"),
        None => bail!("which task?\n\n{HELP}"),
    }
}

/// The repository's folder, which is where every command runs.
fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here)
}

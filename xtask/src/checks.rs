//! The list of checks. CI runs this list and nothing else.

use std::env;
use std::ffi::{OsStr, OsString};
use std::process::{Command, ExitCode, Stdio};

use anyhow::bail;

use crate::step::{self, Step};

/// Programs without which nothing works, and where they come from.
const NEEDED: [(&str, &str); 3] = [
    (
        "cc",
        "a C compiler, which also links: Debian `apt-get install gcc`",
    ),
    ("cargo-fmt", "`rustup component add rustfmt`"),
    ("cargo-clippy", "`rustup component add clippy`"),
];

pub(crate) fn run() -> anyhow::Result<ExitCode> {
    let missing: Vec<String> = NEEDED
        .iter()
        .filter(|(program, _)| !works(program, &["--version"]))
        .map(|(program, source)| format!("\n  `{program}`: {source}"))
        .collect();
    if !missing.is_empty() {
        bail!("these programs are needed:{}", missing.concat());
    }
    step::run_all(steps())
}

fn steps() -> Vec<Step> {
    const DEMO: &str = "demo/Cargo.toml";
    const FUZZ: &str = "fuzz/Cargo.toml";
    const DENY_WARNINGS: [&str; 3] = ["--", "-D", "warnings"];
    let workspace = |arguments: &[&str]| cargo(&[arguments, &["--locked", "--workspace"]].concat());
    let within = |manifest, arguments: &[&str]| {
        cargo(&[arguments, &["--locked", "--manifest-path", manifest]].concat())
    };
    let format = |manifest| cargo(&["fmt", "--check", "--manifest-path", manifest]);
    let with = |mut command: Command, more: &[&str]| {
        command.args(more);
        command
    };

    let documentation = {
        let mut command = workspace(&["doc", "--no-deps"]);
        command.env("RUSTDOCFLAGS", "-D warnings");
        command
    };
    vec![
        Step::run("format: workspace", cargo(&["fmt", "--all", "--check"])),
        Step::run("format: demo", format(DEMO)),
        Step::run("format: fuzz targets", format(FUZZ)),
        Step::run(
            "lints: workspace",
            with(workspace(&["clippy", "--all-targets"]), &DENY_WARNINGS),
        ),
        Step::count(
            "tests: workspace",
            workspace(&[
                "test",
                "--no-fail-fast",
                "--lib",
                "--bins",
                "--tests",
                "--examples",
            ]),
        ),
        Step::count(
            "tests: documentation",
            workspace(&["test", "--no-fail-fast", "--doc"]),
        ),
        Step::run("documentation", documentation),
        Step::run(
            "lints: demo",
            with(within(DEMO, &["clippy", "--all-targets"]), &DENY_WARNINGS),
        ),
        Step::count("tests: demo", within(DEMO, &["test", "--no-fail-fast"])),
        if works(cxx(), &["--version"]) {
            Step::run("fuzz targets compile", within(FUZZ, &["check"]))
        } else {
            Step::skip(
                "fuzz targets compile",
                "libFuzzer needs a C++ compiler (Debian `apt-get install g++`)",
            )
        },
        if works("rustup", &["run", OLDEST, "cargo", "--version"]) {
            let mut command = Command::new("rustup");
            command.args(["run", OLDEST, "cargo", "check", "--locked", "--workspace"]);
            Step::run("oldest supported Rust", command)
        } else {
            Step::skip(
                "oldest supported Rust",
                format!("`rustup toolchain install {OLDEST} --profile minimal` is needed"),
            )
        },
        if works("cargo-deny", &["--version"]) {
            // Without advisories, which would need the network and change from day to day.
            let checks = [
                "deny",
                "--workspace",
                "check",
                "bans",
                "licenses",
                "sources",
            ];
            Step::run("licences", cargo(&checks))
        } else {
            Step::skip("licences", "`cargo install --locked cargo-deny` is needed")
        },
        if works("typos", &["--version"]) {
            Step::run("spelling", Command::new("typos"))
        } else {
            Step::skip("spelling", "`cargo install --locked typos-cli` is needed")
        },
    ]
}

/// `rust-version` of the workspace.
const OLDEST: &str = env!("CARGO_PKG_RUST_VERSION");

/// The cargo that runs us, so that a chosen toolchain stays chosen.
fn cargo(arguments: &[&str]) -> Command {
    let program = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// The C++ compiler that the fuzz targets' build would use.
fn cxx() -> OsString {
    env::var_os("CXX").unwrap_or_else(|| "c++".into())
}

/// Whether a program can be started and is content with these arguments.
fn works(program: impl AsRef<OsStr>, arguments: &[&str]) -> bool {
    Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

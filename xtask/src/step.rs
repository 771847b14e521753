//! Commands run one after the other, each named and timed, until one fails.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::Context;

use crate::root;
use crate::tally::Tally;

/// One thing that is checked.
pub(crate) struct Step {
    name: &'static str,
    action: Action,
}

enum Action {
    /// Succeeds or fails.
    Run(Command),
    /// The same, and prints result lines of the test harness.
    Count(Command),
    /// Cannot be done here, and why; this is not a failure.
    Skip(String),
}

impl Step {
    pub(crate) fn run(name: &'static str, command: Command) -> Self {
        Step {
            name,
            action: Action::Run(command),
        }
    }

    pub(crate) fn count(name: &'static str, command: Command) -> Self {
        Step {
            name,
            action: Action::Count(command),
        }
    }

    pub(crate) fn skip(name: &'static str, reason: impl Into<String>) -> Self {
        Step {
            name,
            action: Action::Skip(reason.into()),
        }
    }
}

/// Does the steps in order up to the first that fails, then prints how many tests passed and failed.
///
/// A step that fails without a failed test (a lint, a test that does not compile) counts as one failure, so that the
/// last line never reads as success when it was none.
pub(crate) fn run_all(steps: Vec<Step>) -> anyhow::Result<ExitCode> {
    let begin = Instant::now();
    let mut sum = Tally::default();
    let mut failed = None;
    for step in steps {
        println!("==> {}", step.name);
        let started = Instant::now();
        let success = match step.action {
            Action::Skip(reason) => {
                println!("    skipped: {reason}");
                continue;
            }
            Action::Run(command) => run(command)?,
            Action::Count(command) => {
                let (success, tally) = count(command)?;
                sum += tally;
                success
            }
        };
        let seconds = started.elapsed().as_secs_f64();
        let verdict = if success { "ok" } else { "FAILED" };
        println!("    {verdict}, {seconds:.1} s");
        if !success {
            failed = Some(step.name);
            break;
        }
    }
    let seconds = begin.elapsed().as_secs_f64();
    if let Some(name) = failed {
        eprintln!("error: `{name}` failed after {seconds:.0} s in all");
        sum.failed = sum.failed.max(1);
    } else {
        println!("==> all done in {seconds:.0} s");
    }
    println!("{sum}");
    Ok(if failed.is_none() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn run(mut command: Command) -> anyhow::Result<bool> {
    let status = command
        .current_dir(root())
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {command:?}"))?;
    Ok(status.success())
}

/// Runs a test command, passes its output on and adds up its result lines.
fn count(mut command: Command) -> anyhow::Result<(bool, Tally)> {
    let mut child = command
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {command:?}"))?;
    let mut sum = Tally::default();
    if let Some(output) = child.stdout.take() {
        let mut terminal = std::io::stdout().lock();
        // By bytes: what a test prints need not be text.
        for line in BufReader::new(output).split(b'\n') {
            let line = line.context("cannot read the tests' output")?;
            terminal.write_all(&line)?;
            terminal.write_all(b"\n")?;
            if let Some(tally) = Tally::of_line(&String::from_utf8_lossy(&line)) {
                sum += tally;
            }
        }
    }
    let status = child.wait().context("cannot wait for the tests")?;
    Ok((status.success(), sum))
}

//! `logsum` reads JSON-lines logs and says how many entries each service wrote at each level and how long its requests
//! took.
//!
//! [`cli`] is what can be typed, [`entry`] one line of a log, [`summary`] the counting, [`report`] the printing, and
//! [`generate`] writes logs to try it on.

mod cli;
mod entry;
mod generate;
mod percentile;
mod report;
mod summary;

use std::error::Error;
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, GenerateArgs, SummaryArgs};
use crate::summary::{Filter, Summary};

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Summary(args) => summarise(&args),
        Command::Generate(args) => generate_log(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) if is_closed_pipe(error.as_ref()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to be done if stderr is closed as well.
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::from(2)
        }
    }
}

/// Reads all inputs, prints one summary of them, and mentions the lines that could not be read.
fn summarise(args: &SummaryArgs) -> Result<ExitCode, Box<dyn Error>> {
    let filter = Filter {
        pattern: args.pattern.clone(),
        least: args.level,
    };
    let mut summary = Summary::new(args.by);
    if args.files.is_empty() {
        read_log("<stdin>", io::stdin().lock(), &filter, &mut summary)?;
    }
    for path in &args.files {
        if path.as_os_str() == "-" {
            read_log("<stdin>", io::stdin().lock(), &filter, &mut summary)?;
            continue;
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| format!("cannot open `{name}`: {error}"))?;
        read_log(
            &name,
            BufReader::with_capacity(1 << 16, file),
            &filter,
            &mut summary,
        )?;
    }

    let mut out = BufWriter::new(io::stdout().lock());
    report::write(&mut out, &summary.rows(), summary.totals(), args.format)?;
    out.flush()?;

    if let Some(first) = summary.first_bad_line() {
        let count = summary.totals().bad_lines;
        writeln!(
            io::stderr(),
            "warning: {count} lines are not log entries, the first is {first}"
        )?;
        if args.strict {
            return Ok(ExitCode::from(1));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn read_log(
    name: &str,
    mut input: impl BufRead,
    filter: &Filter,
    summary: &mut Summary,
) -> Result<(), Box<dyn Error>> {
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        let read = input
            .read_until(b'\n', &mut line)
            .map_err(|error| format!("cannot read `{name}`: {error}"))?;
        if read == 0 {
            break;
        }
        summary.add_line(name, number, line.trim_ascii(), filter);
    }
    Ok(())
}

fn generate_log(args: &GenerateArgs) -> Result<ExitCode, Box<dyn Error>> {
    match &args.output {
        Some(path) => write_log(path, args)?,
        None => generate::write(BufWriter::new(io::stdout().lock()), args)?,
    }
    Ok(ExitCode::SUCCESS)
}

fn write_log(path: &Path, args: &GenerateArgs) -> Result<(), Box<dyn Error>> {
    let explain = |error: io::Error| format!("cannot write `{}`: {error}", path.display());
    let file = File::create(path).map_err(explain)?;
    generate::write(BufWriter::with_capacity(1 << 16, file), args).map_err(explain)?;
    Ok(())
}

/// Whoever reads our output may stop early (`logsum … | head`), which is no failure.
fn is_closed_pipe(error: &(dyn Error + 'static)) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

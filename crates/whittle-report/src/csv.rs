//! CSV for spreadsheets: RFC 4180, one header row.
//!
//! Names come from the file and may start with `=`, `+`, `-` or `@`, which spreadsheets take for a formula. They are written with a
//! single quote before them, the usual way to say "text".

use std::io::{self, Write};

use whittle_ledger::Table;

use crate::options::{Options, Program};
use crate::rows::{Rows, Sum};
use crate::words::shown;

/// Writes a table.
///
/// # Errors
/// When `out` cannot be written to.
pub fn table(out: &mut dyn Write, table: &Table, options: &Options<'_>) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    let columns = [
        "file",
        "memory",
        "code",
        "exact",
        "inferred",
        "unknown",
        "certainty",
        "source",
    ];
    writer
        .write_record(table.axes.iter().map(|axis| axis.name()).chain(columns))
        .map_err(io_error)?;
    let rows = Rows::of(table, options);
    for row in &rows.kept {
        let values = row.values.iter().map(|value| safe(value));
        writer
            .write_record(values.chain(numbers(&Sum::of([*row]), row.source.name())))
            .map_err(io_error)?;
    }
    if let Some(out) = &rows.filtered_out {
        let values = table.axes.iter().map(|_| "(filtered out)".to_owned());
        writer
            .write_record(values.chain(numbers(out, "none")))
            .map_err(io_error)?;
    }
    writer.flush()
}

/// Writes a list of programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn programs(out: &mut dyn Write, programs: &[Program<'_>]) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer
        .write_record(["name", "kind", "file", "memory", "path"])
        .map_err(io_error)?;
    for program in programs {
        let totals = program.findings.totals;
        writer
            .write_record([
                safe(program.name),
                program.kind.clone(),
                totals.file.to_string(),
                totals.memory.to_string(),
                safe(&program.path.display().to_string()),
            ])
            .map_err(io_error)?;
    }
    writer.flush()
}

fn numbers(sum: &Sum, source: &str) -> impl Iterator<Item = String> + use<> {
    let numbers = [
        sum.file,
        sum.memory,
        sum.code,
        sum.exact,
        sum.inferred,
        sum.unknown,
    ]
    .map(|number| number.to_string());
    numbers
        .into_iter()
        .chain([sum.certainty().name().to_owned(), source.to_owned()])
}

/// The error of the writer underneath: callers tell a closed pipe from a full disk by it.
pub(crate) fn io_error(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// Text that a spreadsheet does not take for a formula.
pub(crate) fn safe(text: &str) -> String {
    let text = shown(text);
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

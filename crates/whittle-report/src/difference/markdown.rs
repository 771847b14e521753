//! A difference for pull requests and issues.

use std::io::{self, Write};

use whittle_ledger::{Blame, Certainty, Delta, Motive};

use super::{Report, words};
use crate::markdown::{code, prose, share};
use crate::numbers::{grouped, signed};
use crate::rows::how_many;
use crate::words::{explained, mark};

/// Causes that are written out.
const CAUSES: usize = 8;
/// Rows of the table.
const ROWS: usize = 20;

/// Writes a difference as Markdown.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    writeln!(out, "### {} → {}", code(report.old), code(report.new))?;
    for note in report.notes {
        writeln!(out, "\nNote: {}", prose(note))?;
    }
    body(out, report)
}

/// The size, the causes and the table, without a heading.
pub(crate) fn body(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let difference = report.difference;
    let (old, new) = (difference.old().file.size, difference.new_side().file.size);
    let delta = difference.file();
    writeln!(
        out,
        "\n{} → {} bytes on disk: **{}** ({})",
        grouped(old),
        grouped(new),
        signed(delta),
        share(delta.unsigned_abs(), old)
    )?;
    if difference.is_empty() {
        return writeln!(out, "\nBoth sides are the same, thing by thing.");
    }
    causes(out, report)?;
    table(out, report)
}

fn causes(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let build = report.difference.build();
    writeln!(out, "\n| bytes on disk | due to | most |")?;
    writeln!(out, "| ---: | --- | --- |")?;
    let (structure, telling): (Vec<&Blame>, Vec<&Blame>) = report
        .blames
        .iter()
        .filter(|blame| blame.bytes != 0)
        .partition(|blame| blame.motive == Motive::Structure);
    let (shown, rest) = telling.split_at(how_many(None, CAUSES, telling.len()));
    for blame in shown {
        let most = blame
            .examples
            .first()
            .map_or_else(String::new, |(name, bytes)| {
                format!("{} {}", code(&explained(name)), signed(*bytes))
            });
        let words = prose(&words::cause(blame, build));
        writeln!(out, "| {} | {words} | {most} |", signed(blame.bytes))?;
    }
    if !rest.is_empty() {
        let sum: i64 = rest.iter().map(|blame| blame.bytes).sum();
        writeln!(out, "| {} | … {} more causes | |", signed(sum), rest.len())?;
    }
    for blame in structure {
        let words = prose(&words::cause(blame, build));
        writeln!(out, "| {} | {words} | |", signed(blame.bytes))?;
    }
    writeln!(out, "| {} | **all** | |", signed(report.difference.file()))
}

fn table(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let table = report.table;
    let names: Vec<&str> = table.axes.iter().map(|axis| axis.name()).collect();
    writeln!(
        out,
        "\n| change | new things | gone | | {} |",
        names.join(" | ")
    )?;
    writeln!(
        out,
        "| ---: | ---: | ---: | --- |{}",
        " --- |".repeat(names.len())
    )?;
    let (shown, rest) = table
        .rows
        .split_at(how_many(report.rows, ROWS, table.rows.len()));
    let line = |out: &mut dyn Write, rows: &[&Delta], mark: &str, label: &str| {
        let change: i64 = rows.iter().map(|row| row.file()).sum();
        let added: u64 = rows.iter().map(|row| row.added).sum();
        let removed: u64 = rows.iter().map(|row| row.removed).sum();
        writeln!(
            out,
            "| {} | {} | {} | {} | {label} |",
            signed(change),
            grouped(added),
            grouped(removed),
            mark.trim()
        )
    };
    let behind = " |".repeat(names.len().saturating_sub(1));
    for row in shown {
        let values: Vec<String> = row
            .values
            .iter()
            .map(|value| code(&explained(&value.text())))
            .collect();
        line(out, &[row], mark(row.certainty), &values.join(" | "))?;
    }
    if !rest.is_empty() {
        let rows: Vec<&Delta> = rest.iter().collect();
        let certainty = rest.iter().map(|row| row.certainty).max();
        let label = format!("… {} more{behind}", rest.len());
        line(
            out,
            &rows,
            mark(certainty.unwrap_or(Certainty::Exact)),
            &label,
        )?;
    }
    let rows: Vec<&Delta> = table.rows.iter().collect();
    line(out, &rows, "", &format!("**all**{behind}"))
}

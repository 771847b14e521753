//! Markdown for pull requests and issues: tables as GitHub draws them.

use std::io::{self, Write};

use whittle_ledger::{Findings, Table};

use crate::numbers::{grouped, percent, rounded};
use crate::options::{Options, Program};
use crate::rows::{Rows, Sum};
use crate::words::{described, explained, mark, shown};

/// Rows of a table.
const ROWS: usize = 20;

/// Writes findings.
///
/// # Errors
/// When `out` cannot be written to.
pub fn findings(
    out: &mut dyn Write,
    findings: &Findings,
    by_default: &Table,
    options: &Options<'_>,
) -> io::Result<()> {
    let totals = findings.totals;
    writeln!(out, "### {}", escaped(&options.path.display().to_string()))?;
    writeln!(out)?;
    writeln!(
        out,
        "{} bytes on disk ({}), {} in memory; {}.",
        grouped(totals.file),
        rounded(totals.file),
        rounded(totals.memory),
        escaped(&described(&findings.file))
    )?;
    writeln!(
        out,
        "Whose it is: {} exactly known, {} inferred (~), {} not known (?).",
        percent(totals.exact, totals.file),
        percent(totals.inferred, totals.file),
        percent(totals.unknown, totals.file)
    )?;
    for note in options.notes {
        writeln!(out, "\nNote: {}.", escaped(note))?;
    }
    if let Some(table) = &findings.table {
        return self::table(out, table, totals.file, options);
    }
    if !findings.savings.is_empty() {
        writeln!(
            out,
            "\n| could be got back | % | by | price |\n| ---: | ---: | --- | --- |"
        )?;
        for saving in &findings.savings {
            writeln!(
                out,
                "| {} | {} | `{}` | {} |",
                grouped(saving.bytes),
                percent(saving.bytes, totals.file),
                saving.kind.setting().replace(['`', '|'], ""),
                escaped(saving.kind.price())
            )?;
        }
    }
    self::table(out, by_default, totals.file, options)?;
    if let Some(full) = &findings.full {
        for table in [&full.kinds, &full.sections, &full.functions, &full.generics] {
            self::table(out, table, totals.file, options)?;
        }
    }
    Ok(())
}

/// Writes a list of programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn programs(out: &mut dyn Write, programs: &[Program<'_>]) -> io::Result<()> {
    writeln!(
        out,
        "| program | | on disk | in memory |\n| --- | --- | ---: | ---: |"
    )?;
    for program in programs {
        let totals = program.findings.totals;
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            escaped(program.name),
            program.kind,
            grouped(totals.file),
            grouped(totals.memory)
        )?;
    }
    Ok(())
}

fn table(out: &mut dyn Write, table: &Table, whole: u64, options: &Options<'_>) -> io::Result<()> {
    let names: Vec<&str> = table.axes.iter().map(|axis| axis.name()).collect();
    writeln!(
        out,
        "\n| on disk | % | | in memory | code | {} |",
        names.join(" | ")
    )?;
    writeln!(
        out,
        "| ---: | ---: | --- | ---: | ---: |{}",
        " --- |".repeat(names.len())
    )?;
    let rows = Rows::of(table, options);
    let (kept, rest) = rows.cut(options.rows.unwrap_or(ROWS));
    for row in kept {
        let values: Vec<String> = row
            .values
            .iter()
            .map(|value| escaped(&explained(value)))
            .collect();
        line(
            out,
            &Sum::of([*row]),
            mark(row.certainty()),
            whole,
            &values.join(" | "),
        )?;
    }
    let filler = " |".repeat(names.len().saturating_sub(1));
    if let Some(rest) = rest {
        line(
            out,
            &rest,
            mark(rest.certainty()),
            whole,
            &format!("… {} more{filler}", rest.rows),
        )?;
    }
    if let Some(sum) = rows.filtered_out {
        line(
            out,
            &sum,
            mark(sum.certainty()),
            whole,
            &format!("(filtered out: {}){filler}", sum.rows),
        )?;
    }
    line(out, &rows.total, "", whole, &format!("**all**{filler}"))
}

fn line(out: &mut dyn Write, sum: &Sum, mark: &str, whole: u64, label: &str) -> io::Result<()> {
    writeln!(
        out,
        "| {} | {} | {} | {} | {} | {label} |",
        grouped(sum.file),
        percent(sum.file, whole),
        mark.trim(),
        grouped(sum.memory),
        grouped(sum.code)
    )
}

/// Text that Markdown takes for text: whatever has a meaning in it gets a backslash, markup becomes an entity.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in shown(text).chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '|' | '~' | '!' | '@' => {
                out.push('\\');
                out.push(c);
            }
            other => out.push(other),
        }
    }
    out
}

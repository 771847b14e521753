//! What became of a budget, as a comment on a pull request or the summary of a job.

use std::io::{self, Write};

use whittle_ledger::Ruling;

use super::{Report, counted, culprit, subject};
use crate::difference;
use crate::markdown::{code, prose, share};
use crate::numbers::grouped;

/// What a comment opens with, so that the next run finds and replaces it.
#[must_use]
pub fn marker(program: &str) -> String {
    // A comment in HTML ends at `--`.
    let name: String = program
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '_' || c == '.' {
                c
            } else {
                '-'
            }
        })
        .collect();
    format!("<!-- cargo-whittle check: {} -->", name.replace("--", "-"))
}

/// Writes what became of a budget as Markdown.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let checked = report.checked;
    writeln!(out, "{}", marker(report.program))?;
    let verdict = match report.verdict() {
        over if !checked.has_passed() => format!("**{over}**"),
        verdict => verdict,
    };
    writeln!(out, "### Size of {}: {verdict}", code(report.program))?;
    for note in report.notes.iter().chain(&checked.notices) {
        writeln!(out, "\nNote: {}", prose(note))?;
    }
    if !checked.verdicts.is_empty() {
        writeln!(
            out,
            "\n| {} | may be | used | of | |",
            counted(checked.measure)
        )?;
        writeln!(out, "| ---: | ---: | ---: | --- | --- |")?;
    }
    for verdict in &checked.verdicts {
        let ruling = match &verdict.ruling {
            Ruling::Within => "within".to_owned(),
            Ruling::Exceeded => "**too many**".to_owned(),
            Ruling::Excused { to, reason, until } => {
                format!(
                    "allowed up to {} until {until}: {}",
                    grouped(*to),
                    prose(reason)
                )
            }
        };
        let used = match verdict.limit {
            0 => String::new(),
            limit => share(verdict.bytes, limit),
        };
        writeln!(
            out,
            "| {} | {} | {used} | {} | {ruling} |",
            grouped(verdict.bytes),
            grouped(verdict.limit),
            prose(&subject(&verdict.subject)),
        )?;
    }
    for verdict in report.exceeded() {
        let what = prose(&subject(&verdict.subject));
        if let Some(before) = report.blamed_before(verdict) {
            writeln!(
                out,
                "\n{what}: by the same as {}",
                prose(&subject(&before.subject))
            )?;
            continue;
        }
        writeln!(out, "\n{what}:\n")?;
        for it in &verdict.culprits {
            writeln!(out, "- {}", code(&culprit(verdict, it)))?;
        }
    }
    if let Some(message) = checked.message.as_ref().filter(|_| !checked.has_passed()) {
        writeln!(out, "\n{}", prose(message))?;
    }
    if let Some(growth) = &report.growth {
        writeln!(out, "\n#### Against {}", code(growth.old))?;
        difference::markdown_body(out, growth)?;
    }
    Ok(())
}

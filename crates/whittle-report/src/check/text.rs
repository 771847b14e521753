//! What became of a budget, for people.

use std::io::{self, Write};

use whittle_ledger::Ruling;

use super::{Report, counted, culprit, subject};
use crate::numbers::{grouped, percent};
use crate::paint::{Paint, Role};
use crate::text::page::{Page, right};

/// Writes what became of a budget.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(
    out: &mut dyn Write,
    report: &Report<'_>,
    width: usize,
    color: bool,
) -> io::Result<()> {
    let checked = report.checked;
    let paint = if color { Paint::Ansi } else { Paint::Plain };
    let mut page = Page::new(width, paint);
    let verdict = if checked.has_passed() {
        "within its budget"
    } else {
        "over its budget"
    };
    page.heading(
        &format!("{}: {verdict}", report.program),
        &format!(" ({})", counted(checked.measure)),
    );
    for note in report.notes.iter().chain(&checked.notices) {
        page.prose((Role::Doubt, "note: "), Role::Body, note);
    }
    let columns = checked
        .verdicts
        .iter()
        .flat_map(|it| [grouped(it.bytes), grouped(it.limit)]);
    let columns = columns.map(|cell| cell.len()).max().unwrap_or(0).max(9);
    let line = |cells: [&str; 3]| {
        format!(
            "  {}  {}  {}  ",
            right(cells[0], columns),
            right(cells[1], columns),
            right(cells[2], 7)
        )
    };
    page.line(&[
        (Role::Aside, &line(["there are", "may be", "used"])),
        (Role::Aside, "of"),
    ]);
    for verdict in &checked.verdicts {
        let used = percent(verdict.bytes, verdict.limit);
        let used = if verdict.limit == 0 { "" } else { &used };
        let cells = [&*grouped(verdict.bytes), &*grouped(verdict.limit), used];
        let (role, ruling) = match &verdict.ruling {
            Ruling::Within => (Role::Body, String::new()),
            Ruling::Exceeded => (Role::Doubt, ": too many".to_owned()),
            Ruling::Excused { to, reason, until } => (
                Role::Body,
                format!(": allowed up to {} until {until}: {reason}", grouped(*to)),
            ),
        };
        let words = format!("{}{ruling}", subject(&verdict.subject).replace('`', ""));
        page.prose((role, &line(cells)), role, &words);
        if verdict.ruling == Ruling::Exceeded {
            for it in &verdict.culprits {
                page.line(&[(Role::Body, "      "), (Role::Body, &culprit(verdict, it))]);
            }
        }
    }
    if !checked.has_passed() {
        if let Some(message) = &checked.message {
            page.prose((Role::Body, ""), Role::Body, message);
        }
        page.prose(
            (Role::Body, "Next: "),
            Role::Typed,
            "cargo whittle explain, cargo whittle diff, or an override with a reason (docs/check.md)",
        );
    }
    for line in page.into_lines() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

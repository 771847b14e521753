//! What became of a budget, for people.

use std::io::{self, Write};

use whittle_ledger::{Ruling, Verdict};

use super::{Report, counted, culprit_cells, subject};
use crate::difference;
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
    let aside = match checked.verdicts[..] {
        [] => String::new(),
        _ => format!(" ({})", counted(checked.measure)),
    };
    page.heading(&format!("{}: {}", report.program, report.verdict()), &aside);
    for note in report.notes.iter().chain(&checked.notices) {
        page.prose((Role::Doubt, "note: "), Role::Body, note);
    }
    if !checked.verdicts.is_empty() {
        limits(&mut page, report);
    }
    if let Some(growth) = report
        .growth
        .as_ref()
        .filter(|it| !it.difference.is_empty())
    {
        since(&mut page, growth);
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

/// Each limit, with what to blame if it is exceeded.
fn limits(page: &mut Page, report: &Report<'_>) {
    let checked = report.checked;
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
            culprits(page, report, verdict);
        }
    }
}

/// What to blame for a limit that is exceeded.
fn culprits(page: &mut Page, report: &Report<'_>, verdict: &Verdict) {
    if let Some(before) = report.blamed_before(verdict) {
        let words = format!("by the same as {}", subject(&before.subject));
        page.line(&[(Role::Body, "      "), (Role::Body, &words)]);
        return;
    }
    let cells: Vec<[String; 2]> = verdict
        .culprits
        .iter()
        .map(|it| culprit_cells(verdict, it))
        .collect();
    let columns = cells
        .iter()
        .map(|[bytes, _]| bytes.len())
        .max()
        .unwrap_or(0);
    for [bytes, what] in &cells {
        let bytes = right(bytes, columns);
        page.line(&[
            (Role::Body, &format!("      {bytes}  ")),
            (Role::Body, what),
        ]);
    }
}

/// What changed since the baseline.
fn since(page: &mut Page, growth: &difference::Report<'_>) {
    let delta = growth.difference.file();
    let words = match delta {
        0 => "as many bytes on disk as".to_owned(),
        _ => format!(
            "{} {} bytes on disk than",
            grouped(delta.unsigned_abs()),
            if delta > 0 { "more" } else { "fewer" }
        ),
    };
    page.blank();
    page.heading(&format!("{words} {}", growth.old), "");
    difference::text_causes(page, growth);
}

//! A difference for people: one screen.

use std::io::{self, Write};

use whittle_ledger::{Blame, Certainty, Delta, Motive};

use super::{Report, words};
use crate::numbers::{grouped, human, percent, signed};
use crate::paint::{Paint, Role};
use crate::plain::shortened;
use crate::rows::how_many;
use crate::text::page::{Page, left, right};
use crate::words::{explained, mark};

/// Causes that are written out.
const CAUSES: usize = 4;
/// Rows of the table.
const ROWS: usize = 10;

/// Writes a difference for people.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(
    out: &mut dyn Write,
    report: &Report<'_>,
    width: usize,
    color: bool,
) -> io::Result<()> {
    let paint = if color { Paint::Ansi } else { Paint::Plain };
    let mut page = Page::new(width, paint);
    headline(&mut page, report);
    for note in report.notes {
        page.prose((Role::Doubt, "note: "), Role::Body, note);
    }
    if report.difference.is_empty() {
        page.line(&[(Role::Body, "Both sides are the same, thing by thing.")]);
    } else {
        page.blank();
        page.heading("What it is due to", " (bytes on disk)");
        causes(&mut page, report);
        table(&mut page, report);
        moved(&mut page, report);
    }
    for line in page.into_lines() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

fn headline(page: &mut Page, report: &Report<'_>) {
    let difference = report.difference;
    let (old, new) = (&difference.old().file, &difference.new_side().file);
    page.heading(report.old, "");
    page.line(&[(Role::Body, "  → "), (Role::Heading, report.new)]);
    let delta = difference.file();
    let words = match delta {
        0 => format!("{} bytes on disk, as before", grouped(new.size)),
        _ => format!(
            "{} → {} bytes on disk: {} {} ({})",
            grouped(old.size),
            grouped(new.size),
            human(delta.unsigned_abs()),
            if delta > 0 { "more" } else { "less" },
            percent(delta.unsigned_abs(), old.size),
        ),
    };
    page.prose((Role::Body, ""), Role::Body, &words);
}

/// What a change is due to: the largest causes, and all together.
pub(crate) fn causes(page: &mut Page, report: &Report<'_>) {
    let build = report.difference.build();
    let (structure, telling): (Vec<&Blame>, Vec<&Blame>) = report
        .blames
        .iter()
        .filter(|blame| blame.bytes != 0)
        .partition(|blame| blame.motive == Motive::Structure);
    let total = report.difference.file();
    let columns = report
        .blames
        .iter()
        .map(|blame| signed(blame.bytes).len())
        .chain([signed(total).len(), 9])
        .max()
        .unwrap_or(9);
    let (shown, rest) = telling.split_at(how_many(None, CAUSES, telling.len()));
    for blame in shown {
        let lead = format!("  {}  ", right(&signed(blame.bytes), columns));
        page.prose((Role::Body, &lead), Role::Body, &words::cause(blame, build));
        let first = blame.examples.first();
        if let Some((name, bytes)) = first.filter(|_| blame.motive != Motive::Symbols) {
            // The number stays in sight where the name is too long.
            let first = format!("{} {}", signed(*bytes), explained(name));
            page.line(&[
                (Role::Body, &" ".repeat(columns + 4)),
                (Role::Body, &format!("most: {first}")),
            ]);
        }
    }
    let row = |page: &mut Page, bytes: i64, role: Role, words: &str| {
        let lead = format!("  {}  ", right(&signed(bytes), columns));
        page.line(&[(role, &lead), (role, words)]);
    };
    if !rest.is_empty() {
        let sum = rest.iter().map(|blame| blame.bytes).sum();
        row(
            page,
            sum,
            Role::Body,
            &format!("… {} more causes", rest.len()),
        );
    }
    for blame in structure {
        row(page, blame.bytes, Role::Body, &words::cause(blame, build));
    }
    row(page, total, Role::Heading, "all");
}

fn table(page: &mut Page, report: &Report<'_>) {
    let table = report.table;
    page.blank();
    let axes: Vec<&str> = table.axes.iter().map(|axis| axis.name()).collect();
    page.heading(&format!("By {}", axes.join(" and ")), " (bytes on disk)");
    if table.rows.is_empty() {
        page.line(&[(Role::Body, "  nothing changed")]);
        return;
    }
    let all = Sum::of(&table.rows);
    let width = |of: fn(&Sum) -> String, title: &str| {
        let cells = table.rows.iter().map(|row| of(&Sum::of([row])).len());
        cells
            .chain([of(&all).len(), title.len()])
            .max()
            .unwrap_or(0)
    };
    let columns = [
        ("change", width(|sum| signed(sum.change), "change").max(9)),
        ("new things", width(|sum| grouped(sum.added), "new things")),
        ("gone", width(|sum| grouped(sum.removed), "gone")),
    ];
    let line = |cells: [&str; 3]| {
        let cells = cells.iter().zip(&columns);
        let cells: Vec<String> = cells
            .map(|(cell, (_, width))| right(cell, *width))
            .collect();
        format!("  {}", cells.join("  "))
    };
    let titles = columns.map(|(title, _)| title);
    page.line(&[
        (Role::Aside, &format!("{}    ", line(titles))),
        (Role::Aside, &axes.join("  ")),
    ]);
    let mut row = |sum: &Sum, certainty: Certainty, role: Role, label: &str, aside: &str| {
        let cells = [signed(sum.change), grouped(sum.added), grouped(sum.removed)];
        page.line(&[
            (role, &line(cells.each_ref().map(String::as_str))),
            (Role::Doubt, &format!(" {} ", mark(certainty))),
            (role, label),
            (Role::Aside, aside),
        ]);
    };
    let (shown, rest) = table
        .rows
        .split_at(how_many(report.rows, ROWS, table.rows.len()));
    // With several axes, all names but the last get a column.
    let names = |delta: &Delta| -> Vec<String> {
        delta
            .values
            .iter()
            .map(|value| explained(&value.text()).into_owned())
            .collect()
    };
    let widths: Vec<usize> = (0..table.axes.len().saturating_sub(1))
        .map(|at| {
            let names = shown.iter().map(|delta| names(delta)[at].chars().count());
            names.max().unwrap_or(0).min(24)
        })
        .collect();
    for delta in shown {
        let cells = names(delta).into_iter().enumerate();
        let cells: Vec<String> = cells
            .map(|(at, name)| match widths.get(at) {
                Some(&width) => left(&shortened(&name, width), width),
                None => name,
            })
            .collect();
        let label = cells.join("  ");
        row(&Sum::of([delta]), delta.certainty, Role::Body, &label, "");
    }
    if !rest.is_empty() {
        let certainty = rest.iter().map(|delta| delta.certainty).max();
        row(
            &Sum::of(rest),
            certainty.unwrap_or(Certainty::Exact),
            Role::Body,
            &format!("… {} more", rest.len()),
            "  (-n 0 lists all)",
        );
    }
    row(&all, Certainty::Exact, Role::Heading, "all", "");
}

fn moved(page: &mut Page, report: &Report<'_>) {
    let moved = report.difference.share().moved;
    if moved > 0 {
        page.blank();
        let words = format!(
            "{} bytes only moved or got another name, and count as unchanged.",
            grouped(moved)
        );
        page.prose((Role::Body, ""), Role::Aside, &words);
    }
}

/// Sums over rows.
#[derive(Default)]
struct Sum {
    change: i64,
    added: u64,
    removed: u64,
}

impl Sum {
    fn of<'r>(rows: impl IntoIterator<Item = &'r Delta>) -> Self {
        rows.into_iter().fold(Self::default(), |sum, row| Self {
            change: sum.change.saturating_add(row.file()),
            added: sum.added.saturating_add(row.added),
            removed: sum.removed.saturating_add(row.removed),
        })
    }
}

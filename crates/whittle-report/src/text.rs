//! Text for people: one screen by default, several with everything.
//!
//! No line is wider than [`Options::width`](crate::Options::width) (or 60 columns, whatever is more): names are shortened
//! in the middle, words go to the next line.

mod keeping;
pub(crate) mod page;
mod repeats;
mod summary;
mod tables;

use std::io::{self, Write};

use whittle_ledger::{Findings, FullTables, Table};

use crate::numbers::grouped;
use crate::options::{Options, Program};
use crate::paint::{Paint, Role};
use crate::plain::width;
use page::{Page, right};

/// Lines of the one screen.
const SCREEN: usize = 40;
/// Rows of the table of crates on it: as many as there is room for, between these two.
const BRINGERS: (usize, usize) = (5, 12);
/// Lines of the table of crates besides its rows: heading, titles, remainder, filtered out, total, explanation.
const AROUND_BRINGERS: usize = 6;
/// Savings and warnings on the one screen: fewer where there is much else to say.
const LISTED: [(usize, usize); 3] = [(5, 3), (4, 2), (3, 1)];

/// Writes findings as text.
///
/// With a table of the user's own only that, and so with what keeps what; otherwise the summary, followed by the other tables when everything was
/// asked for.
///
/// # Errors
/// When `out` cannot be written to.
pub fn findings(out: &mut dyn Write, findings: &Findings, options: &Options<'_>) -> io::Result<()> {
    let page = match (&findings.table, &findings.full) {
        _ if options.keeping.is_some() => kept(findings, options),
        (Some(table), _) => own_table(findings, table, options),
        (None, Some(full)) => everything(findings, full, options),
        (None, None) => one_screen(findings, options),
    };
    write(out, page)
}

fn own_table(findings: &Findings, table: &Table, options: &Options<'_>) -> Page {
    let mut page = new_page(options);
    summary::headline(&mut page, findings, options);
    page.blank();
    tables::asked(&mut page, table, options);
    let mut warnings = new_page(options);
    summary::warnings(&mut warnings, findings, Some(LISTED[0].1));
    if warnings.len() > 0 {
        page.blank();
        page.append(warnings);
    }
    page
}

/// What keeps what, and what would leave.
fn kept(findings: &Findings, options: &Options<'_>) -> Page {
    let mut page = new_page(options);
    summary::headline(&mut page, findings, options);
    page.blank();
    if let Some(keeping) = options.keeping {
        keeping::keeping(&mut page, keeping, options);
    }
    page.blank();
    page.heading("Next:", "");
    page.line(&[
        (Role::Typed, "  cargo whittle why NAME"),
        (Role::Body, "  what keeps one of them"),
    ]);
    page
}

fn everything(findings: &Findings, full: &FullTables, options: &Options<'_>) -> Page {
    let mut page = top(findings, options, None);
    summary::bringers(&mut page, findings, options, tables::FULL_ROWS);
    tables::full(&mut page, full, options);
    repeats::repeats(&mut page, &full.repeats, options);
    tables::packages(&mut page, &findings.file.packages);
    tables::threads(&mut page, findings);
    page.append(bottom(findings, options, None));
    page
}

/// What comes before and behind the table of crates takes the lines it needs; the table gets the others.
fn one_screen(findings: &Findings, options: &Options<'_>) -> Page {
    let mut parts = None;
    for (savings, warnings) in LISTED {
        let savings = (options.rows != Some(0)).then_some(savings);
        let top = top(findings, options, savings);
        let bottom = bottom(findings, options, Some(warnings));
        let rows = SCREEN.saturating_sub(top.len() + AROUND_BRINGERS + bottom.len());
        parts = Some((top, bottom, rows));
        if rows >= BRINGERS.0 {
            break;
        }
    }
    let Some((mut page, bottom, rows)) = parts else {
        return new_page(options);
    };
    let rows = rows.clamp(BRINGERS.0, BRINGERS.1);
    summary::bringers(&mut page, findings, options, rows);
    page.append(bottom);
    page
}

/// What comes before the table of crates.
fn top(findings: &Findings, options: &Options<'_>, savings: Option<usize>) -> Page {
    let mut page = new_page(options);
    summary::headline(&mut page, findings, options);
    page.blank();
    summary::savings(&mut page, findings, savings);
    page.blank();
    page
}

/// What comes last.
fn bottom(findings: &Findings, options: &Options<'_>, warnings: Option<usize>) -> Page {
    let mut page = new_page(options);
    page.blank();
    summary::warnings(&mut page, findings, warnings);
    if page.len() > 1 {
        page.blank();
    }
    summary::next(&mut page, findings, options);
    page
}

/// Writes a list of programs as text.
///
/// # Errors
/// When `out` cannot be written to.
pub fn programs(
    out: &mut dyn Write,
    programs: &[Program<'_>],
    options: &Options<'_>,
) -> io::Result<()> {
    let mut page = new_page(options);
    page.heading(
        &format!("{} programs came out of the build", programs.len()),
        " (bytes)",
    );
    let (file, memory) = programs.iter().fold((7, 9), |(file, memory), program| {
        let totals = program.findings.totals;
        (
            width(&grouped(totals.file)).max(file),
            width(&grouped(totals.memory)).max(memory),
        )
    });
    page.line(&[(
        Role::Aside,
        &format!(
            "  {}  {}  program",
            right("on disk", file),
            right("in memory", memory)
        ),
    )]);
    for program in programs {
        let totals = program.findings.totals;
        page.line(&[
            (
                Role::Body,
                &format!(
                    "  {}  {}  ",
                    right(&grouped(totals.file), file),
                    right(&grouped(totals.memory), memory)
                ),
            ),
            (Role::Body, program.name),
            (Role::Aside, &format!(" ({})", program.kind)),
        ]);
    }
    for note in options.notes {
        page.prose((Role::Aside, "note: "), Role::Aside, note);
    }
    page.blank();
    page.heading("Next: the same command with", "");
    for program in programs {
        page.line(&[(Role::Typed, &format!("  {}", program.choose))]);
    }
    write(out, page)
}

fn new_page(options: &Options<'_>) -> Page {
    let paint = if options.color {
        Paint::Ansi
    } else {
        Paint::Plain
    };
    Page::new(options.width, paint)
}

fn write(out: &mut dyn Write, page: Page) -> io::Result<()> {
    for line in page.into_lines() {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

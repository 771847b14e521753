//! What stands in the file more than once: the groups behind some savings.

use whittle_ledger::{Axis, Callers, EqualItems, GenericCopies, Repeats};

use super::page::{Page, right};
use crate::numbers::grouped;
use crate::options::Options;
use crate::paint::Role;
use crate::plain::width;
use crate::rows::{how_many, keeps};
use crate::words::explained;

/// Rows of each list.
const ROWS: usize = 10;

/// Crates of callers on a line.
const CALLERS: usize = 4;

/// The lists, each but for an empty one.
pub(super) fn repeats(page: &mut Page, repeats: &Repeats, options: &Options<'_>) {
    let generics: Vec<&GenericCopies> = repeats
        .generics
        .iter()
        .filter(|copies| copies.inner_function > 0)
        .collect();
    let rows = generics.iter().map(|copies| Line::of_generic(copies));
    list(
        page,
        "What one body for all types would save",
        " (bytes on disk, estimated)",
        rows.collect(),
        options,
    );
    for (title, groups) in [
        ("Functions compiled in several crates", &repeats.instances),
        ("Equal functions", &repeats.functions),
        ("Equal constants", &repeats.constants),
    ] {
        let rows = groups.iter().map(Line::of_equal).collect();
        list(page, title, " (bytes on disk beyond one)", rows, options);
    }
}

struct Line {
    bytes: u64,
    copies: u64,
    names: Vec<String>,
    behind: Option<String>,
}

impl Line {
    fn of_generic(copies: &GenericCopies) -> Self {
        let callers: Vec<String> = copies
            .callers
            .iter()
            .take(CALLERS)
            .map(|callers| called_from(callers, copies.callers.len()))
            .collect();
        Self {
            bytes: copies.inner_function,
            copies: copies.copies,
            names: vec![copies.family.clone()],
            behind: (!callers.is_empty()).then(|| format!("called from {}", callers.join(", "))),
        }
    }

    fn of_equal(items: &EqualItems) -> Self {
        Self {
            bytes: items.beyond_one,
            copies: items.copies,
            names: items.names.clone(),
            behind: None,
        }
    }
}

/// A crate, and how many of its functions call; which ones if there are no other crates.
fn called_from(callers: &Callers, crates: usize) -> String {
    let label = explained(&callers.label);
    if crates > 1 {
        return format!("{label} ({})", callers.functions);
    }
    let named = callers.examples.join(", ");
    let shown = u64::try_from(callers.examples.len()).unwrap_or(u64::MAX);
    match callers.functions.saturating_sub(shown) {
        0 => format!("{label}: {named}"),
        more => format!("{label}: {named} and {more} more"),
    }
}

fn list(page: &mut Page, title: &str, aside: &str, lines: Vec<Line>, options: &Options<'_>) {
    if lines.is_empty() {
        return;
    }
    page.blank();
    page.heading(title, aside);
    let sum = |lines: &[Line]| {
        lines
            .iter()
            .fold(0, |sum: u64, it| sum.saturating_add(it.bytes))
    };
    let copies = |lines: &[Line]| {
        lines
            .iter()
            .fold(0, |sum: u64, it| sum.saturating_add(it.copies))
    };
    let all = (sum(&lines), copies(&lines));
    let (kept, out): (Vec<Line>, Vec<Line>) = lines.into_iter().partition(|line| {
        line.names
            .iter()
            .any(|name| keeps(options, Axis::Function, name))
    });
    let columns = (width(&grouped(all.0)).max(9), width(&grouped(all.1)).max(6));
    let cells = |bytes: &str, copies: &str| {
        format!(
            "  {}  {}  ",
            right(bytes, columns.0),
            right(copies, columns.1)
        )
    };
    page.line(&[
        (Role::Aside, &cells("bytes", "copies")),
        (Role::Aside, "function or constant"),
    ]);
    let row = |page: &mut Page, (bytes, copies): (u64, u64), role, label: &str, aside: &str| {
        let cells = cells(&grouped(bytes), &grouped(copies));
        page.line(&[(role, &cells), (role, label), (Role::Aside, aside)]);
    };
    let (shown, rest) = kept.split_at(how_many(options.rows, ROWS, kept.len()));
    for line in shown {
        let label = match line.names.as_slice() {
            [] => String::new(),
            [only] => explained(only).into_owned(),
            [first, others @ ..] => {
                format!("{} (and {} more)", explained(first), others.len())
            }
        };
        row(page, (line.bytes, line.copies), Role::Body, &label, "");
        if let Some(behind) = &line.behind {
            let indent = cells("", "");
            page.line(&[(Role::Body, &indent), (Role::Body, behind)]);
        }
    }
    if !rest.is_empty() {
        let label = format!("… {} more", rest.len());
        row(
            page,
            (sum(rest), copies(rest)),
            Role::Body,
            &label,
            "  (-n 0 lists all)",
        );
    }
    if !out.is_empty() {
        let label = format!("(filtered out: {})", out.len());
        row(page, (sum(&out), copies(&out)), Role::Body, &label, "");
    }
    row(page, all, Role::Heading, "all", "");
}

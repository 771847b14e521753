//! The table and the sparkline.

use std::borrow::Cow;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::Line;
use crate::csv::{Lines, text as cell};
use crate::json::Document;
use crate::markdown::code;
use crate::numbers::{grouped, signed};
use crate::paint::{Paint, Role};
use crate::plain::plain;
use crate::text::page::{Page, right};

/// Lines of text and Markdown.
const ROWS: usize = 20;

/// Writes a history for people: a sparkline over all of it, and a table with the newest last.
///
/// # Errors
/// When `out` cannot be written to.
pub fn text(
    out: &mut dyn Write,
    lines: &[Line],
    rows: Option<usize>,
    width: usize,
    color: bool,
) -> io::Result<()> {
    let paint = if color { Paint::Ansi } else { Paint::Plain };
    let mut page = Page::new(width, paint);
    let Some((first, last)) = lines.first().zip(lines.last()) else {
        page.line(&[(Role::Body, "Nothing is recorded yet.")]);
        return finish(out, page);
    };
    let sizes: Vec<u64> = lines.iter().map(|line| line.size).collect();
    page.heading(&last.program, &format!(" ({} recorded)", lines.len()));
    page.line(&[(Role::Body, &sparkline(&sizes, page.width()))]);
    page.line(&[(
        Role::Aside,
        &format!(
            "{} bytes on disk on {}, {} on {}",
            grouped(first.size),
            first.date,
            grouped(last.size),
            last.date
        ),
    )]);
    page.blank();
    let columns = sizes
        .iter()
        .map(|size| grouped(*size).len())
        .max()
        .unwrap_or(0)
        .max(9);
    let line = |cells: [&str; 4]| {
        format!(
            "  {}  {}  {:<10}  {:<10}  ",
            right(cells[0], columns),
            right(cells[1], columns + 1),
            cells[2],
            cells[3]
        )
    };
    let titles = ["on disk", "change", "date", "commit"];
    page.line(&[
        (Role::Aside, &line(titles)),
        (Role::Aside, "most, by crate"),
    ]);
    for (before, now) in shown(lines, rows) {
        let change = before.map(|before| change(before.size, now.size));
        let cells = [
            &*grouped(now.size),
            &*change.map_or(String::new(), signed),
            &now.date,
            &*revision(now),
        ];
        let most = before.map_or(String::new(), |before| most(before, now));
        page.line(&[(Role::Body, &line(cells)), (Role::Body, &most)]);
    }
    finish(out, page)
}

/// Writes all lines for programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(out: &mut dyn Write, lines: &[Line]) -> io::Result<()> {
    let mut document = Document::open(out, "cargo-whittle/histories")?;
    let value = |line: &Line| -> Value {
        let named = |sums: &std::collections::BTreeMap<String, u64>| -> Value {
            sums.iter()
                .map(|(name, bytes)| json!({ "name": plain(name), "bytes": bytes }))
                .collect()
        };
        json!({
            "program": plain(&line.program),
            "revision": line.revision.as_deref().map(plain),
            "date": plain(&line.date),
            "target": line.target.as_deref().map(plain),
            "profile": line.profile.as_deref().map(plain),
            "size": line.size,
            "memory": line.memory,
            "compressed": line.compressed,
            "causes": named(&line.causes),
            "crates": named(&line.crates),
        })
    };
    document.list("builds", lines.iter().map(value))?;
    document.close()
}

/// Writes all lines for spreadsheets.
///
/// # Errors
/// When `out` cannot be written to.
pub fn csv(out: &mut dyn Write, lines: &[Line]) -> io::Result<()> {
    let mut table = Lines::to(out);
    table.write(
        [
            "date",
            "revision",
            "program",
            "size",
            "memory",
            "compressed",
        ]
        .map(Cow::Borrowed),
    )?;
    for line in lines {
        table.write([
            cell(&line.date),
            cell(line.revision.as_deref().unwrap_or_default()),
            cell(&line.program),
            line.size.to_string().into(),
            line.memory.to_string().into(),
            line.compressed
                .map_or(String::new(), |it| it.to_string())
                .into(),
        ])?;
    }
    table.finish()
}

/// Writes the newest lines for pull requests and issues.
///
/// # Errors
/// When `out` cannot be written to.
pub fn markdown(out: &mut dyn Write, lines: &[Line], rows: Option<usize>) -> io::Result<()> {
    writeln!(out, "| on disk | change | date | commit | most, by crate |")?;
    writeln!(out, "| ---: | ---: | --- | --- | --- |")?;
    for (before, now) in shown(lines, rows) {
        let change = before.map_or(String::new(), |before| {
            signed(change(before.size, now.size))
        });
        let most = before.map_or(String::new(), |before| most(before, now));
        let most = if most.is_empty() { most } else { code(&most) };
        writeln!(
            out,
            "| {} | {change} | {} | {} | {most} |",
            grouped(now.size),
            code(&now.date),
            code(&revision(now))
        )?;
    }
    Ok(())
}

fn finish(out: &mut dyn Write, page: Page) -> io::Result<()> {
    page.into_lines()
        .iter()
        .try_for_each(|line| writeln!(out, "{line}"))
}

/// The newest lines, each with the one before it.
fn shown(lines: &[Line], rows: Option<usize>) -> impl Iterator<Item = (Option<&Line>, &Line)> {
    let count = match rows {
        Some(0) => lines.len(),
        rows => rows.unwrap_or(ROWS).min(lines.len()),
    };
    let first = lines.len() - count;
    (first..lines.len()).map(move |at| (at.checked_sub(1).map(|before| &lines[before]), &lines[at]))
}

fn revision(line: &Line) -> String {
    let revision = line.revision.as_deref().unwrap_or("-");
    let changed = if revision.ends_with('+') { "+" } else { "" };
    let hash: String = revision.trim_end_matches('+').chars().take(9).collect();
    format!("{}{changed}", plain(&hash))
}

fn change(before: u64, now: u64) -> i64 {
    let distance = i64::try_from(now.abs_diff(before)).unwrap_or(i64::MAX);
    if now < before { -distance } else { distance }
}

/// The crate that changed most between two lines. A new version is no other crate.
fn most(before: &Line, now: &Line) -> String {
    let mut sums: std::collections::BTreeMap<&str, i64> = std::collections::BTreeMap::new();
    for (line, sign) in [(before, -1), (now, 1)] {
        for (label, bytes) in &line.crates {
            let name = label
                .split_once('@')
                .map_or(label.as_str(), |(name, _)| name);
            let bytes = i64::try_from(*bytes).unwrap_or(i64::MAX);
            let sum = sums.entry(name).or_default();
            *sum = sum.saturating_add(sign * bytes);
        }
    }
    let most = sums
        .into_iter()
        .max_by_key(|(name, bytes)| (bytes.unsigned_abs(), std::cmp::Reverse(*name)));
    match most {
        Some((name, bytes)) if bytes != 0 => format!("{name} {}", signed(bytes)),
        _ => String::new(),
    }
}

/// A line of bars, the lowest for the smallest and the highest for the largest. Where there are more numbers than columns,
/// each column shows the largest of its share.
fn sparkline(sizes: &[u64], columns: usize) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let columns = columns.max(1).min(sizes.len());
    let column = |at: usize| {
        let range = at * sizes.len() / columns..(at + 1) * sizes.len() / columns;
        sizes[range].iter().copied().max().unwrap_or(0)
    };
    let tops: Vec<u64> = (0..columns).map(column).collect();
    let (low, high) = (
        tops.iter().copied().min().unwrap_or(0),
        tops.iter().copied().max().unwrap_or(0),
    );
    let bar = |size: u64| {
        let (above, whole) = (u128::from(size - low), u128::from(high - low));
        let step = (above * 7 + whole / 2).checked_div(whole).unwrap_or(0);
        BARS[usize::try_from(step).unwrap_or(0).min(7)]
    };
    tops.into_iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_run_from_the_smallest_to_the_largest() {
        assert_eq!(sparkline(&[10, 10, 10], 80), "▁▁▁");
        assert_eq!(sparkline(&[0, 70, 35, 10], 80), "▁█▅▂");
        // The largest of each half.
        assert_eq!(sparkline(&[1, 9, 2, 1], 2), "█▁");
        assert_eq!(sparkline(&[0, u64::MAX], 80), "▁█");
        assert_eq!(sparkline(&[], 80), "");
    }
}

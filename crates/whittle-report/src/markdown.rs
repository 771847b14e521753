//! Markdown for pull requests and issues: tables as GitHub draws them.
//!
//! Names are written as code, in which neither markup nor `@mentions` nor `#references` mean anything.

use std::fmt::Write as _;
use std::io::{self, Write};

use whittle_ledger::{Axis, Exactness, Findings, Keeping, Repeats, Table, TreeEntry, Without};

use crate::numbers::{grouped, percent, sizes};
use crate::options::{Options, Program};
use crate::plain::plain;
use crate::rows::{Rows, Sum, beyond_largest, how_many};
use crate::words::{described, explained, machinery, mark, remedy, setting};

/// Rows of a table.
const ROWS: usize = 20;
/// Rows of the tree.
const TREE_ROWS: usize = 40;
/// Warnings that are written out where not everything is asked for.
const WARNINGS: usize = 3;

/// Writes findings: the table of the user's own if there is one, else the summary, followed by the tables of the full
/// report when everything was asked for.
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
    let whole = totals.file;
    writeln!(out, "### {}", code(&options.path.display().to_string()))?;
    writeln!(
        out,
        "\n{}: {}",
        sizes(&totals),
        prose(&described(&findings.file))
    )?;
    writeln!(
        out,
        "\nWhose it is: {} exactly known, {} inferred (~), {} not known (?)",
        share(totals.exact, whole),
        share(totals.inferred, whole),
        share(totals.unknown, whole)
    )?;
    for note in options.notes {
        writeln!(out, "\nNote: {}", prose(note))?;
    }
    warnings(out, findings)?;
    if let Some(kept) = options.keeping {
        return keeping(out, kept, whole, options);
    }
    if let Some(asked) = &findings.table {
        return table(out, asked, options);
    }
    savings(out, findings)?;
    table(out, by_default, options)?;
    if let Some(full) = &findings.full {
        for one in [
            &full.causes,
            &full.kinds,
            &full.sections,
            &full.functions,
            &full.generics,
        ] {
            table(out, one, options)?;
        }
        repeats(out, &full.repeats, options)?;
    }
    Ok(())
}

/// Writes a list of programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn programs(out: &mut dyn Write, programs: &[Program<'_>]) -> io::Result<()> {
    writeln!(out, "| on disk | in memory | program | kind |")?;
    writeln!(out, "| ---: | ---: | --- | --- |")?;
    for program in programs {
        let totals = program.findings.totals;
        writeln!(
            out,
            "| {} | {} | {} | {} |",
            grouped(totals.file),
            grouped(totals.memory),
            code(program.name),
            prose(&program.kind)
        )?;
    }
    Ok(())
}

fn warnings(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    let list = findings.warnings.list();
    let shown = if findings.full.is_some() {
        list.len()
    } else {
        how_many(None, WARNINGS, list.len())
    };
    let (first, rest) = list.split_at(shown);
    for warning in first {
        writeln!(out, "\nWarning: {}", prose(&warning.to_string()))?;
    }
    let rest = u64::try_from(rest.len()).unwrap_or(u64::MAX);
    let more = rest.saturating_add(findings.warnings.suppressed());
    if more > 0 {
        writeln!(out, "\nWarning: … {} more", grouped(more))?;
    }
    Ok(())
}

fn savings(out: &mut dyn Write, findings: &Findings) -> io::Result<()> {
    if findings.savings.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n| could be got back, on disk | % | how | setting | price |"
    )?;
    writeln!(out, "| ---: | ---: | --- | --- | --- |")?;
    for saving in &findings.savings {
        let estimated = match saving.exactness {
            Exactness::Exact => "",
            Exactness::Estimated => " (estimated)",
        };
        writeln!(
            out,
            "| {} | {} | {}{estimated} | {} | {} |",
            grouped(saving.bytes),
            share(saving.bytes, findings.totals.file),
            prose(&remedy(&saving.kind)),
            code(&setting(&saving.kind)),
            prose(saving.kind.price())
        )?;
    }
    Ok(())
}

/// What at least would leave without each dependency, and what keeps what.
fn keeping(
    out: &mut dyn Write,
    keeping: &Keeping,
    whole: u64,
    options: &Options<'_>,
) -> io::Result<()> {
    if let Some(forecasts) = &keeping.forecasts {
        writeln!(
            out,
            "\n| at least leaves, on disk | % | its own | without (a forecast: not yet built) |"
        )?;
        writeln!(out, "| ---: | ---: | ---: | --- |")?;
        let shown = how_many(options.rows, ROWS, forecasts.len());
        for forecast in &forecasts[..shown] {
            let what = match &forecast.without {
                Without::Package { package } => code(package),
                Without::Dependency { package, brings } => {
                    format!("{} and {} that only it brings", code(package), brings.len())
                }
                other => machinery(other).unwrap_or_else(|| other.name()).to_owned(),
            };
            writeln!(
                out,
                "| {} | {} | {} | {what} |",
                grouped(forecast.leaving.retained),
                share(forecast.leaving.retained, whole),
                grouped(forecast.leaving.shallow)
            )?;
        }
        if let more @ 1.. = forecasts.len() - shown {
            writeln!(out, "| | | | … {more} more |")?;
        }
        let unreachable = keeping.shares.unreachable;
        writeln!(out, "\nNothing mentions {} bytes.", grouped(unreachable))?;
    }
    let Some(tree) = &keeping.tree else {
        return Ok(());
    };
    writeln!(
        out,
        "\n| leaves with it, on disk | its own | what keeps what |"
    )?;
    writeln!(out, "| ---: | ---: | --- |")?;
    let shown = how_many(options.rows, TREE_ROWS, tree.len());
    for row in &tree[..shown] {
        let what = match &row.what {
            TreeEntry::Root => "the program".to_owned(),
            TreeEntry::Node { name, .. } => code(name),
            TreeEntry::Small { count } => format!("… {count} smaller ones"),
        };
        writeln!(
            out,
            "| {} | {} | {}{what} |",
            grouped(row.leaving.retained),
            grouped(row.leaving.shallow),
            "&emsp;".repeat(row.depth)
        )?;
    }
    if let more @ 1.. = tree.len() - shown {
        writeln!(out, "| | | … {more} more |")?;
    }
    Ok(())
}

/// What stands in the file more than once, a table for each reason.
fn repeats(out: &mut dyn Write, repeats: &Repeats, options: &Options<'_>) -> io::Result<()> {
    let name = |names: &[String]| match names {
        [] => String::new(),
        [only] => code(&explained(only)),
        [first, others @ ..] => format!("{} (and {} more)", code(&explained(first)), others.len()),
    };
    let bodies: Vec<(u64, u64, String)> = repeats
        .generics
        .iter()
        .filter(|copies| copies.inner_function > 0)
        .map(|copies| {
            let family = std::slice::from_ref(&copies.family);
            (copies.inner_function, copies.copies, name(family))
        })
        .collect();
    let mut lists = vec![("one body for all types would save, estimated", bodies)];
    for (title, groups) in [
        (
            "beyond one of what several crates compiled",
            &repeats.instances,
        ),
        ("beyond one of equal functions", &repeats.functions),
        ("beyond one of equal constants", &repeats.constants),
    ] {
        let rows = groups
            .iter()
            .map(|it| (it.beyond_one, it.copies, name(&it.names)));
        lists.push((title, rows.collect()));
    }
    for (title, rows) in lists {
        if rows.is_empty() {
            continue;
        }
        writeln!(out, "\n| {title} | copies | function or constant |")?;
        writeln!(out, "| ---: | ---: | --- |")?;
        let (shown, rest) = rows.split_at(how_many(options.rows, ROWS, rows.len()));
        for (bytes, copies, name) in shown {
            writeln!(
                out,
                "| {} | {} | {name} |",
                grouped(*bytes),
                grouped(*copies)
            )?;
        }
        if !rest.is_empty() {
            let sum = |of: fn(&(u64, u64, String)) -> u64| {
                rest.iter().map(of).fold(0, u64::saturating_add)
            };
            let (bytes, copies) = (sum(|row| row.0), sum(|row| row.1));
            let (bytes, copies) = (grouped(bytes), grouped(copies));
            writeln!(out, "| {bytes} | {copies} | … {} more |", rest.len())?;
        }
    }
    Ok(())
}

fn table(out: &mut dyn Write, table: &Table, options: &Options<'_>) -> io::Result<()> {
    let with_copies = table.axes == [Axis::Generic];
    let copies = if with_copies {
        " copies | beyond the largest |"
    } else {
        ""
    };
    let names: Vec<&str> = table.axes.iter().map(|axis| axis.name()).collect();
    writeln!(
        out,
        "\n| on disk | % | | in memory | code |{copies} {} |",
        names.join(" | ")
    )?;
    writeln!(
        out,
        "| ---: | ---: | --- | ---: | ---: |{}{}",
        if with_copies { " ---: | ---: |" } else { "" },
        " --- |".repeat(names.len())
    )?;
    let rows = Rows::of(table, options);
    let whole = rows.total.file;
    let (kept, rest) = rows.cut(options.rows, ROWS);
    for row in kept {
        let copies = match row.copies {
            Some(copies) if with_copies => format!(
                " {} | {} |",
                grouped(copies.count),
                grouped(beyond_largest(row))
            ),
            _ if with_copies => " | |".to_owned(),
            _ => String::new(),
        };
        let values: Vec<String> = row
            .values
            .iter()
            .map(|value| code(&explained(value)))
            .collect();
        let label = format!("{copies} {}", values.join(" | "));
        line(out, &Sum::of([*row]), mark(row.certainty()), whole, &label)?;
    }
    let sum = |out: &mut dyn Write, sum: &Sum, mark: &str, label: &str| {
        let before = if with_copies { " | |" } else { "" };
        let behind = " |".repeat(names.len().saturating_sub(1));
        line(out, sum, mark, whole, &format!("{before} {label}{behind}"))
    };
    if let Some(rest) = rest {
        let label = format!("… {} more", rest.rows);
        sum(out, &rest, mark(rest.certainty()), &label)?;
    }
    if let Some(left) = rows.filtered_out {
        let label = format!("(filtered out: {})", left.rows);
        sum(out, &left, mark(left.certainty()), &label)?;
    }
    sum(out, &rows.total, "", "**all**")
}

fn line(out: &mut dyn Write, sum: &Sum, mark: &str, whole: u64, label: &str) -> io::Result<()> {
    writeln!(
        out,
        "| {} | {} | {} | {} | {} |{label} |",
        grouped(sum.file),
        share(sum.file, whole),
        mark.trim(),
        grouped(sum.memory),
        grouped(sum.code)
    )
}

/// A share in per cent: `<0.1 %` has a sign that means something here.
pub(crate) fn share(part: u64, whole: u64) -> String {
    percent(part, whole)
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// A name as code, fit for a cell of a table: between backticks if it is as simple as most, else as HTML with entities.
pub(crate) fn code(name: &str) -> String {
    let name = plain(name);
    let is_simple = |c: char| !"`|\\<>&".contains(c);
    if name.chars().all(is_simple) && !name.trim().is_empty() && name.trim() == name {
        return format!("`{name}`");
    }
    let mut out = String::from("<code>");
    let mut before = None;
    let mut rest = name.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let in_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        let is_text = match c {
            // Emphasis, unless it joins two parts of a word; the start of a link.
            '_' => in_word(before) && in_word(next),
            ':' => next != Some('/'),
            '.' => !out.to_ascii_lowercase().ends_with("www"),
            other => !other.is_ascii_punctuation() || "\"'()+,-/;=%".contains(other),
        };
        if is_text {
            out.push(c);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "&#{};", u32::from(c));
        }
        before = Some(c);
    }
    out + "</code>"
}

/// A sentence of ours that may quote names between backticks. Whatever could mean something in Markdown is written as
/// code.
pub(crate) fn prose(text: &str) -> String {
    let text = plain(text);
    let parts: Vec<&str> = text.split('`').collect();
    let is_harmless = |part: &str| {
        let letter = |c: char| c.is_alphanumeric() || " .,:;()%+-/…→'\"".contains(c);
        // `_` between letters and digits is text: x86_64.
        part.split('_')
            .all(|word| !word.is_empty() || part.is_empty())
            && part.split('_').all(|word| word.chars().all(letter))
            && !part.contains("://")
            && !part.contains("www.")
    };
    let is_ours = parts.len() % 2 == 1 && parts.iter().step_by(2).all(|part| is_harmless(part));
    if !is_ours {
        return code(&text);
    }
    let quoted = |(at, part): (usize, &&str)| {
        if at % 2 == 0 {
            (*part).to_owned()
        } else {
            code(part)
        }
    };
    parts.iter().enumerate().map(quoted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_and_stay_in_their_cell() {
        assert_eq!(code("core::fmt"), "`core::fmt`");
        assert_eq!(code("drop_in_place"), "`drop_in_place`");
        assert_eq!(code("@everyone"), "`@everyone`");
        assert_eq!(code("<script>"), "<code>&#60;script&#62;</code>");
        assert_eq!(
            code("<T as a_b::C>::_d"),
            "<code>&#60;T as a_b::C&#62;::&#95;d</code>"
        );
        assert_eq!(code("a|b`c"), "<code>a&#124;b&#96;c</code>");
        assert_eq!(code("a\\|b"), "<code>a&#92;&#124;b</code>");
        assert_eq!(
            code("<http://www.example.org>"),
            "<code>&#60;http&#58;//www&#46;example.org&#62;</code>"
        );
        assert_eq!(code(""), "<code></code>");
        assert_eq!(code("a\nb"), "<code>a&#92;u&#123;a&#125;b</code>");
    }

    #[test]
    fn what_could_be_markup_is_code_in_prose_too() {
        assert_eq!(
            prose("names from the symbol table"),
            "names from the symbol table"
        );
        assert_eq!(
            prose("the map `a_b.map` is used"),
            "the map `a_b.map` is used"
        );
        assert_eq!(
            prose("see <b>this</b>"),
            "<code>see &#60;b&#62;this&#60;/b&#62;</code>"
        );
        assert_eq!(prose("see http://example.org"), "`see http://example.org`");
        assert_eq!(prose("an odd ` one"), "<code>an odd &#96; one</code>");
    }
}

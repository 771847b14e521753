//! CSV for spreadsheets: RFC 4180, one header row, lines that end in a line feed alone as Unix tools expect.
//!
//! Names come from the file and may start with `=`, `+`, `-` or `@`, which spreadsheets take for a formula that they
//! calculate. Such a name gets a single quote before it, the usual way to say "text", and so does a name that starts
//! with a single quote: taking one leading quote away always gives the name back.

use std::borrow::Cow;
use std::io::{self, Write};

use whittle_ledger::{Axis, Copies, Forecast, Table, TreeEntry, TreeRow, Without};

use crate::options::{Options, Program};
use crate::plain::plain;
use crate::rows::{Rows, Sum};

/// Columns behind the axes.
const COLUMNS: [&str; 8] = [
    "file",
    "memory",
    "code",
    "exact",
    "inferred",
    "unknown",
    "certainty",
    "source",
];
/// Columns of the axis `generic` behind those.
const COPIES: [&str; 2] = ["copies", "largest-copy"];

/// Writes a table.
///
/// # Errors
/// When `out` cannot be written to.
pub fn table(out: &mut dyn Write, table: &Table, options: &Options<'_>) -> io::Result<()> {
    let with_copies = table.axes == [Axis::Generic];
    let mut lines = Lines::to(out);
    let axes = table.axes.iter().map(|axis| Cow::Borrowed(axis.name()));
    let more: &[&str] = if with_copies { &COPIES } else { &[] };
    let columns = COLUMNS.iter().chain(more).map(|name| Cow::Borrowed(*name));
    lines.write(axes.chain(columns))?;
    let rows = Rows::of(table, options);
    for row in &rows.kept {
        let values = row.values.iter().map(|value| text(value));
        let sums = sums(&Sum::of([*row]), row.source.name());
        let copies = with_copies.then(|| copies(row.copies));
        lines.write(values.chain(sums).chain(copies.into_iter().flatten()))?;
    }
    if let Some(sum) = &rows.filtered_out {
        let values = table.axes.iter().map(|_| Cow::Borrowed("(filtered out)"));
        let copies = with_copies.then(|| copies(None));
        lines.write(
            values
                .chain(sums(sum, "none"))
                .chain(copies.into_iter().flatten()),
        )?;
    }
    lines.finish()
}

/// Writes forecasts, a row for each.
///
/// # Errors
/// When `out` cannot be written to.
pub fn forecasts(out: &mut dyn Write, forecasts: &[Forecast]) -> io::Result<()> {
    let mut lines = Lines::to(out);
    let titles = ["without", "package", "brings", "shallow", "retained"];
    lines.write(titles.map(Cow::Borrowed))?;
    for forecast in forecasts {
        let (package, brings) = match &forecast.without {
            Without::Package { package } => (package.as_str(), String::new()),
            Without::Dependency { package, brings } => (package.as_str(), brings.join("; ")),
            _ => ("", String::new()),
        };
        lines.write([
            Cow::Borrowed(forecast.without.name()),
            text(package),
            Cow::Owned(text(&brings).into_owned()),
            Cow::Owned(forecast.leaving.shallow.to_string()),
            Cow::Owned(forecast.leaving.retained.to_string()),
        ])?;
    }
    lines.finish()
}

/// Writes the tree of what keeps what, a row for each line of it.
///
/// # Errors
/// When `out` cannot be written to.
pub fn tree(out: &mut dyn Write, tree: &[TreeRow]) -> io::Result<()> {
    let mut lines = Lines::to(out);
    let titles = ["depth", "name", "package", "smaller", "shallow", "retained"];
    lines.write(titles.map(Cow::Borrowed))?;
    for row in tree {
        let (name, package, smaller) = match &row.what {
            TreeEntry::Root => ("", "", String::new()),
            TreeEntry::Node { name, package } => (name.as_str(), package.as_str(), String::new()),
            TreeEntry::Small { count } => ("", "", count.to_string()),
        };
        lines.write([
            Cow::Owned(row.depth.to_string()),
            text(name),
            text(package),
            Cow::Owned(smaller),
            Cow::Owned(row.leaving.shallow.to_string()),
            Cow::Owned(row.leaving.retained.to_string()),
        ])?;
    }
    lines.finish()
}

/// Writes a list of programs.
///
/// # Errors
/// When `out` cannot be written to.
pub fn programs(out: &mut dyn Write, programs: &[Program<'_>]) -> io::Result<()> {
    let mut lines = Lines::to(out);
    lines.write(["name", "kind", "file", "memory", "path"].map(Cow::Borrowed))?;
    for program in programs {
        let totals = program.findings.totals;
        let path = program.path.display().to_string();
        lines.write([
            text(program.name),
            text(&program.kind),
            totals.file.to_string().into(),
            totals.memory.to_string().into(),
            text(&path),
        ])?;
    }
    lines.finish()
}

fn sums<'a>(sum: &Sum, source: &'a str) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
    let numbers = [
        sum.file,
        sum.memory,
        sum.code,
        sum.exact,
        sum.inferred,
        sum.unknown,
    ]
    .map(|number| Cow::Owned(number.to_string()));
    let words = [sum.certainty().name(), source].map(Cow::Borrowed);
    numbers.into_iter().chain(words)
}

fn copies<'a>(copies: Option<Copies>) -> [Cow<'a, str>; 2] {
    copies.map_or([Cow::Borrowed(""), Cow::Borrowed("")], |copies| {
        [copies.count, copies.largest].map(|number| Cow::Owned(number.to_string()))
    })
}

/// Text that neither a terminal nor a spreadsheet takes for a command.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    let text = plain(text);
    if text.starts_with(['=', '+', '-', '@', '\'']) {
        Cow::Owned(format!("'{text}"))
    } else {
        text
    }
}

/// Lines of CSV.
pub(crate) struct Lines<'o> {
    writer: ::csv::Writer<&'o mut dyn Write>,
}

impl<'o> Lines<'o> {
    pub(crate) fn to(out: &'o mut dyn Write) -> Self {
        Self {
            writer: ::csv::Writer::from_writer(out),
        }
    }

    pub(crate) fn write<'a>(
        &mut self,
        fields: impl IntoIterator<Item = Cow<'a, str>>,
    ) -> io::Result<()> {
        for field in fields {
            self.writer.write_field(&*field).map_err(into_io)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(into_io)
    }

    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// The error of the writer below, which tells a closed pipe from a full disk.
fn into_io(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_formula() {
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(text("-[NSString length]"), "'-[NSString length]");
        assert_eq!(text("'=1+1"), "''=1+1");
        assert_eq!(text("\t=1+1"), "\\u{9}=1+1");
        assert_eq!(text("<T as Trait>::f"), "<T as Trait>::f");
    }

    #[test]
    fn a_closed_pipe_is_told_as_one() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut closed = Closed;
        let mut lines = Lines::to(&mut closed);
        let long = "x".repeat(1 << 20);
        let error = lines
            .write([Cow::Borrowed(&*long)])
            .and_then(|()| lines.finish())
            .expect_err("nobody reads");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}

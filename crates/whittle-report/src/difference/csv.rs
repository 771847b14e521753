//! A difference for spreadsheets.

use std::borrow::Cow;
use std::io::{self, Write};

use super::Report;
use crate::csv::{Lines, text};

/// Columns behind the axes.
const COLUMNS: [&str; 9] = [
    "old",
    "new",
    "change",
    "memory",
    "code",
    "added",
    "removed",
    "moved",
    "certainty",
];

/// Writes the rows. A value that is another on the old side reads `old → new`.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write(out: &mut dyn Write, report: &Report<'_>) -> io::Result<()> {
    let mut lines = Lines::to(out);
    let axes = report.table.axes.iter().map(|axis| axis.name());
    lines.write(axes.chain(COLUMNS).map(Cow::Borrowed))?;
    for row in &report.table.rows {
        let values: Vec<String> = row.values.iter().map(whittle_ledger::Value::text).collect();
        let numbers = [
            row.old.to_string(),
            row.new.to_string(),
            row.file().to_string(),
            row.memory.to_string(),
            row.code.to_string(),
            row.added.to_string(),
            row.removed.to_string(),
            row.moved.to_string(),
            row.certainty.name().to_owned(),
        ];
        let values = values
            .iter()
            .map(|value| Cow::Owned(text(value).into_owned()));
        lines.write(values.chain(numbers.map(Cow::Owned)))?;
    }
    lines.finish()
}

//! What is to be written, and how.

use std::path::Path;

use whittle_ledger::{Findings, Keeping};

/// What to write and how.
pub struct Options<'a> {
    /// The file, as the user knows it.
    pub path: &'a Path,
    /// How names are known, and what is not as good as it could be.
    pub notes: &'a [String],
    /// Rows of each table in text and Markdown; `None` for the default, 0 for all.
    pub rows: Option<usize>,
    /// The order of rows.
    pub sort: Sort,
    /// Rows to keep, by the value of any axis; the others are summed up in one.
    pub filter: Option<&'a dyn Fn(&str) -> bool>,
    /// What keeps what, if that was asked for: in text and Markdown it stands in place of the summary.
    pub keeping: Option<&'a Keeping>,
    /// Columns of a line of text; at least 60 are taken.
    pub width: usize,
    /// Whether text is coloured.
    pub color: bool,
    /// Where the file came from: it decides what to type next.
    pub subject: Subject,
}

/// Where a file came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The user named a file.
    File,
    /// Cargo built it.
    Package,
}

/// What to sort rows by. Ties go by size, then by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Bytes of the file, the most first.
    #[default]
    File,
    /// Bytes of memory, the most first.
    Memory,
    /// Bytes of code, the most first.
    Code,
    /// The values of the axes, in ascending order.
    Name,
    /// Copies of a generic function, the most first.
    Copies,
}

/// One of several programs of a build.
pub struct Program<'a> {
    /// The name that `--bin` and its like take.
    pub name: &'a str,
    /// What it is: `program`, `example`, …
    pub kind: String,
    /// The flag and value that choose it alone.
    pub choose: String,
    /// Where it is.
    pub path: &'a Path,
    /// What is known about it from the file alone.
    pub findings: &'a Findings,
}

//! Rows to show: sorted, filtered, cut; whatever is left out is summed up, so that totals always stand.

use std::cmp::Reverse;

use whittle_ledger::{Certainty, Row, Table};

use crate::options::{Options, Sort};

/// Rows of a table as they are to be shown.
pub(crate) struct Rows<'a> {
    /// Those that pass the filter, in order, not cut.
    pub(crate) kept: Vec<&'a Row>,
    /// The sum of those that do not pass, if there is a filter and any do not.
    pub(crate) filtered_out: Option<Sum>,
    /// The sum of all.
    pub(crate) total: Sum,
}

/// Sums over rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) rows: usize,
    pub(crate) file: u64,
    pub(crate) memory: u64,
    pub(crate) code: u64,
    pub(crate) exact: u64,
    pub(crate) inferred: u64,
    pub(crate) unknown: u64,
}

impl Sum {
    pub(crate) fn of<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Self {
        rows.into_iter().fold(Self::default(), |sum, row| Self {
            rows: sum.rows + 1,
            file: sum.file + row.file,
            memory: sum.memory + row.memory,
            code: sum.code + row.code,
            exact: sum.exact + row.exact,
            inferred: sum.inferred + row.inferred,
            unknown: sum.unknown + row.unknown,
        })
    }

    pub(crate) fn certainty(&self) -> Certainty {
        if self.unknown > 0 {
            Certainty::Unknown
        } else if self.inferred > 0 {
            Certainty::Inferred
        } else {
            Certainty::Exact
        }
    }
}

impl<'a> Rows<'a> {
    pub(crate) fn of(table: &'a Table, options: &Options<'_>) -> Self {
        let passes = |row: &&Row| {
            options
                .filter
                .is_none_or(|keep| row.values.iter().any(|value| keep(value)))
        };
        let (mut kept, left): (Vec<&Row>, Vec<&Row>) = table.rows.iter().partition(passes);
        match options.sort {
            // The order in which tables come.
            Sort::File => {}
            Sort::Memory => kept.sort_by_key(|row| Reverse(row.memory)),
            Sort::Code => kept.sort_by_key(|row| Reverse(row.code)),
            Sort::Name => kept.sort_by(|a, b| a.values.cmp(&b.values)),
            Sort::Copies => {
                kept.sort_by_key(|row| Reverse(row.copies.map_or(0, |copies| copies.count)));
            }
        }
        Self {
            kept,
            filtered_out: (!left.is_empty()).then(|| Sum::of(left.iter().copied())),
            total: Sum::of(&table.rows),
        }
    }

    /// The first rows, and the sum of those behind. A remainder of one row is shown as the row it is.
    pub(crate) fn cut(&self, rows: usize) -> (&[&'a Row], Option<Sum>) {
        if rows == 0 || self.kept.len() <= rows + 1 {
            return (&self.kept, None);
        }
        let (shown, rest) = self.kept.split_at(rows);
        (shown, Some(Sum::of(rest.iter().copied())))
    }
}

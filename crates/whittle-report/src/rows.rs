//! Rows to show: sorted, filtered, cut; whatever is left out is summed up, so that totals always stand.

use std::cmp::Reverse;

use whittle_ledger::{Axis, Bringer, Certainty, Row, Table};

use crate::options::{Options, Sort};
use crate::words::explained;

/// Rows of a table as they are to be shown.
pub(crate) struct Rows<'a> {
    /// Those that pass the filter, in order, not cut.
    pub(crate) kept: Vec<&'a Row>,
    /// The sum of those that do not pass, if there is a filter and any do not.
    pub(crate) filtered_out: Option<Sum>,
    /// The sum of all.
    pub(crate) total: Sum,
}

/// Sums over rows, in bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sum {
    pub(crate) rows: usize,
    pub(crate) file: u64,
    pub(crate) memory: u64,
    pub(crate) code: u64,
    pub(crate) exact: u64,
    pub(crate) inferred: u64,
    pub(crate) unknown: u64,
    /// Copies of generic functions.
    pub(crate) copies: u64,
    /// Bytes of code of such copies beyond the largest of each function.
    pub(crate) beyond: u64,
}

impl Sum {
    pub(crate) fn of<'r>(rows: impl IntoIterator<Item = &'r Row>) -> Self {
        rows.into_iter().fold(Self::default(), |sum, row| Self {
            rows: sum.rows + 1,
            file: sum.file.saturating_add(row.file),
            memory: sum.memory.saturating_add(row.memory),
            code: sum.code.saturating_add(row.code),
            exact: sum.exact.saturating_add(row.exact),
            inferred: sum.inferred.saturating_add(row.inferred),
            unknown: sum.unknown.saturating_add(row.unknown),
            copies: sum
                .copies
                .saturating_add(row.copies.map_or(0, |copies| copies.count)),
            beyond: sum.beyond.saturating_add(beyond_largest(row)),
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

/// Bytes of code of the copies of a generic function beyond the largest.
pub(crate) fn beyond_largest(row: &Row) -> u64 {
    row.copies
        .map_or(0, |copies| row.code.saturating_sub(copies.largest))
}

impl<'a> Rows<'a> {
    pub(crate) fn of(table: &'a Table, options: &Options<'_>) -> Self {
        let passes = |row: &&Row| {
            let mut values = table.axes.iter().zip(&row.values);
            values.any(|(axis, value)| keeps(options, *axis, value))
        };
        let (mut kept, left): (Vec<&Row>, Vec<&Row>) = if options.filter.is_some() {
            table.rows.iter().partition(passes)
        } else {
            (table.rows.iter().collect(), Vec::new())
        };
        // Tables come by size, then by name; sorting keeps that order between equals.
        match options.sort {
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

    /// The rows to show, and the sum of those behind.
    pub(crate) fn cut(&self, asked: Option<usize>, default: usize) -> (&[&'a Row], Option<Sum>) {
        let (shown, rest) = self
            .kept
            .split_at(how_many(asked, default, self.kept.len()));
        (
            shown,
            (!rest.is_empty()).then(|| Sum::of(rest.iter().copied())),
        )
    }
}

/// What crates brought, as it is to be shown.
pub(crate) struct Bringers<'a> {
    /// Those that pass the filter, in order, not cut.
    pub(crate) kept: Vec<&'a Bringer>,
    /// The sum of those that do not pass, if there is a filter and any do not.
    pub(crate) filtered_out: Option<Brought>,
    /// The sum of all.
    pub(crate) total: Brought,
}

/// Sums over what crates brought, in bytes of the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Brought {
    pub(crate) crates: usize,
    pub(crate) written: u64,
    pub(crate) compiled: u64,
}

impl Brought {
    pub(crate) fn of<'b>(bringers: impl IntoIterator<Item = &'b Bringer>) -> Self {
        bringers
            .into_iter()
            .fold(Self::default(), |sum, bringer| Self {
                crates: sum.crates + 1,
                written: sum.written.saturating_add(bringer.written),
                compiled: sum.compiled.saturating_add(bringer.compiled),
            })
    }
}

impl<'a> Bringers<'a> {
    pub(crate) fn of(bringers: &'a [Bringer], options: &Options<'_>) -> Self {
        let passes = |bringer: &&Bringer| keeps(options, Axis::Crate, &bringer.label);
        let (mut kept, left): (Vec<&Bringer>, Vec<&Bringer>) = bringers.iter().partition(passes);
        if options.sort == Sort::Name {
            kept.sort_by(|a, b| a.label.cmp(&b.label));
        }
        Self {
            kept,
            filtered_out: (!left.is_empty()).then(|| Brought::of(left.iter().copied())),
            total: Brought::of(bringers),
        }
    }

    /// The crates to show, and the sum of those behind.
    pub(crate) fn cut(
        &self,
        asked: Option<usize>,
        default: usize,
    ) -> (&[&'a Bringer], Option<Brought>) {
        let (shown, rest) = self
            .kept
            .split_at(how_many(asked, default, self.kept.len()));
        (
            shown,
            (!rest.is_empty()).then(|| Brought::of(rest.iter().copied())),
        )
    }
}

/// How many of `len` rows to show: as many as were asked for (0: all), else the default.
pub(crate) fn how_many(asked: Option<usize>, default: usize, len: usize) -> usize {
    match asked {
        Some(0) => len,
        Some(rows) => rows.min(len),
        // A remainder of one row would take the line that the row itself needs.
        None if len <= default.saturating_add(1) => len,
        None => default,
    }
}

/// Whether the filter keeps a value: as documents spell it, as text shows it, or with `-` and `_` swapped, since packages
/// are spelled with the one and crates with the other.
pub(crate) fn keeps(options: &Options<'_>, axis: Axis, value: &str) -> bool {
    let Some(keep) = options.filter else {
        return true;
    };
    if keep(value) {
        return true;
    }
    let shown = explained(value);
    if shown != value && keep(&shown) {
        return true;
    }
    match axis {
        Axis::Crate | Axis::CompiledIn => value.contains('-') && keep(&value.replace('-', "_")),
        Axis::Module | Axis::Function | Axis::Generic => {
            value.contains('_') && keep(&value.replace('_', "-"))
        }
        _ => false,
    }
}

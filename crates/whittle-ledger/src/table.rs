//! Tables: a ledger summed up along one or more axes.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use crate::axis::Axis;
use crate::certainty::{Certainty, Source};
use crate::kind::Kind;
use crate::labels::Labels;
use crate::layout::Domain;
use crate::ledger::{Ledger, Span};

/// A ledger summed up along axes. The rows' file bytes add up to the file's length, whatever the axes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// The axes, in the order in which they were asked for.
    pub axes: Vec<Axis>,
    /// The rows, by file size, then memory size, both descending, then by values.
    pub rows: Vec<Row>,
}

/// All bytes with the same values on the axes of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// One value for each axis.
    pub values: Vec<String>,
    /// Bytes of the file.
    pub file: u64,
    /// Bytes of memory.
    pub memory: u64,
    /// Bytes of the file that are code.
    pub code: u64,
    /// Bytes of the file that are certain on all axes of the table.
    pub exact: u64,
    /// Bytes of the file that are inferred on at least one axis and unknown on none.
    pub inferred: u64,
    /// Bytes of the file that are unknown on at least one axis.
    pub unknown: u64,
    /// What the weakest of its bytes rests on.
    pub source: Source,
    /// For one axis `generic`: the copies of the function.
    pub copies: Option<Copies>,
}

/// The monomorphizations of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copies {
    /// How many there are.
    pub count: u64,
    /// Bytes of code of the largest.
    pub largest: u64,
}

impl Row {
    /// The certainty of its weakest byte of the file; a row without bytes in the file is exact.
    #[must_use]
    pub fn certainty(&self) -> Certainty {
        if self.unknown > 0 {
            Certainty::Unknown
        } else if self.inferred > 0 {
            Certainty::Inferred
        } else {
            Certainty::Exact
        }
    }
}

impl Table {
    /// Sums a ledger up. Without axes there is one row: the whole.
    #[must_use]
    pub fn of(ledger: &Ledger<'_>, axes: &[Axis]) -> Self {
        let mut labels = Labels::new(ledger);
        let mut sums: FxHashMap<Vec<u32>, Sums> = FxHashMap::default();
        let mut key = Vec::with_capacity(axes.len());
        for domain in [Domain::File, Domain::Memory] {
            for span in ledger.spans(domain) {
                key.clear();
                let mut weakest = (Certainty::Exact, Source::Layout);
                for &axis in axes {
                    let (value, certainty, source) = labels.value(axis, domain, &span);
                    key.push(value);
                    if certainty > weakest.0 {
                        weakest = (certainty, source);
                    }
                }
                if !sums.contains_key(key.as_slice()) {
                    sums.insert(key.clone(), Sums::default());
                }
                if let Some(sum) = sums.get_mut(key.as_slice()) {
                    sum.add(domain, &span, weakest);
                }
            }
        }
        let copies = (axes == [Axis::Generic]).then(|| labels.copies());
        let mut rows: Vec<Row> = sums
            .into_iter()
            .map(|(key, sum)| Row {
                copies: copies
                    .as_ref()
                    .and_then(|copies| copies.get(key.first()?).copied()),
                values: key
                    .iter()
                    .map(|&value| labels.text(value).to_owned())
                    .collect(),
                file: sum.file,
                memory: sum.memory,
                code: sum.code,
                exact: sum.file - sum.inferred - sum.unknown,
                inferred: sum.inferred,
                unknown: sum.unknown,
                source: sum.source.map_or(Source::Layout, |(_, source)| source),
            })
            .collect();
        rows.sort_by(|a, b| {
            (Reverse((a.file, a.memory)), &a.values).cmp(&(Reverse((b.file, b.memory)), &b.values))
        });
        Self {
            axes: axes.to_vec(),
            rows,
        }
    }

    /// The values of one span on some axes, with their certainty: for listings of the tiling itself.
    pub fn of_spans<'ledger>(
        ledger: &'ledger Ledger<'_>,
        axes: &'ledger [Axis],
    ) -> impl Iterator<Item = (Span<'ledger>, Vec<String>, Certainty, Source)> {
        let mut labels = Labels::new(ledger);
        ledger.spans(Domain::File).map(move |span| {
            let mut weakest = (span.certainty, span.source);
            let values = axes
                .iter()
                .map(|&axis| {
                    let (value, certainty, source) = labels.value(axis, Domain::File, &span);
                    if certainty > weakest.0 {
                        weakest = (certainty, source);
                    }
                    labels.text(value).to_owned()
                })
                .collect();
            (span, values, weakest.0, weakest.1)
        })
    }
}

#[derive(Default)]
struct Sums {
    file: u64,
    memory: u64,
    code: u64,
    inferred: u64,
    unknown: u64,
    source: Option<(Certainty, Source)>,
}

impl Sums {
    fn add(&mut self, domain: Domain, span: &Span<'_>, weakest: (Certainty, Source)) {
        if domain != Domain::File {
            self.memory += span.len;
            return;
        }
        self.file += span.len;
        match weakest.0 {
            Certainty::Exact => {}
            Certainty::Inferred => self.inferred += span.len,
            Certainty::Unknown => self.unknown += span.len,
        }
        if span.kind == Kind::Code {
            self.code += span.len;
        }
        // The weaker wins; between equals the lower, so that the order of spans does not matter.
        let better = self
            .source
            .is_none_or(|known| (known.0, Reverse(known.1)) < (weakest.0, Reverse(weakest.1)));
        if better {
            self.source = Some(weakest);
        }
    }
}

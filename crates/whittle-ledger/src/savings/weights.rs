//! What items weigh in the file.

use crate::kind::Kind;
use crate::layout::Domain;
use crate::ledger::Ledger;
use crate::owner::{ItemId, Owner};

/// Bytes of the file by item.
pub(super) struct Weights {
    /// All: with what describes it.
    all: Vec<u64>,
    /// Its code and exception table.
    body: Vec<u64>,
    /// Its code and unwind entries.
    foldable: Vec<u64>,
}

impl Weights {
    pub(super) fn of(ledger: &Ledger<'_>) -> Self {
        let mut weights = Self {
            all: vec![0; ledger.items().len()],
            body: vec![0; ledger.items().len()],
            foldable: vec![0; ledger.items().len()],
        };
        for span in ledger.spans(Domain::File) {
            if let Owner::Item(id) = span.owner {
                weights.all[id.index()] += span.len;
                if matches!(span.kind, Kind::Code | Kind::ExceptionTables) {
                    weights.body[id.index()] += span.len;
                }
                if matches!(span.kind, Kind::Code | Kind::UnwindTables) {
                    weights.foldable[id.index()] += span.len;
                }
            }
        }
        weights
    }

    /// All bytes of an item.
    pub(super) fn all(&self, id: ItemId) -> u64 {
        self.all.get(id.index()).copied().unwrap_or(0)
    }

    /// Bytes of its code and exception table.
    pub(super) fn body(&self, id: ItemId) -> u64 {
        self.body.get(id.index()).copied().unwrap_or(0)
    }

    /// Bytes of its code and unwind entries: what goes when the linker folds it.
    pub(super) fn foldable(&self, id: ItemId) -> u64 {
        self.foldable.get(id.index()).copied().unwrap_or(0)
    }

    /// What all of a group weigh beyond the largest.
    pub(super) fn beyond_largest(&self, group: &[ItemId]) -> u64 {
        let sum: u64 = group.iter().map(|&id| self.all(id)).sum();
        sum - group.iter().map(|&id| self.all(id)).max().unwrap_or(0)
    }
}

//! Copies of generic functions: which is the largest of each.

use rustc_hash::FxHashMap;

use crate::cause::symbol::Symbol;
use crate::kind::Kind;
use crate::layout::Domain;
use crate::ledger::Ledger;
use crate::owner::{ItemId, ItemKind, Owner};

/// For each item whether it is a copy of a generic function beyond the largest.
#[derive(Debug)]
pub(crate) struct Copies {
    beyond: Vec<bool>,
}

impl Copies {
    /// Compares the copies of each function by their bytes of code in the file. Of equals the one whose symbol comes
    /// first counts as the largest. Of a function that the linker folded from several, the first name counts.
    pub(crate) fn find(ledger: &Ledger<'_>, symbols: &[Option<Symbol<'_>>]) -> Self {
        let items = ledger.items();
        let mut code = vec![0_u64; items.len()];
        for span in ledger.spans(Domain::File) {
            if let Owner::Item(id) = span.owner
                && span.kind == Kind::Code
            {
                code[id.index()] += span.len;
            }
        }
        let mut beyond = vec![false; items.len()];
        // As in labels: damaged files can give one long name to all their symbols.
        let mut room = ledger.image().data.len().saturating_mul(4) + (64 << 20);
        let mut largest: FxHashMap<String, usize> = FxHashMap::default();
        for (index, symbol) in symbols.iter().enumerate() {
            if items[index].kind != ItemKind::Function || code[index] == 0 {
                continue;
            }
            let Some(definition) = symbol.as_ref().and_then(Symbol::definition) else {
                continue;
            };
            let Some(rest) = room.checked_sub(definition.len()) else {
                break;
            };
            room = rest;
            match largest.get_mut(&definition) {
                None => {
                    largest.insert(definition, index);
                }
                Some(known) => {
                    let rank =
                        |index: usize| (code[index], std::cmp::Reverse((items[index].name, index)));
                    let is_larger = rank(index) > rank(*known);
                    beyond[if is_larger { *known } else { index }] = true;
                    if is_larger {
                        *known = index;
                    }
                }
            }
        }
        Self { beyond }
    }

    /// Whether an item is a copy beyond the largest.
    pub(crate) fn is_beyond(&self, id: ItemId) -> bool {
        self.beyond.get(id.index()).copied().unwrap_or(false)
    }
}

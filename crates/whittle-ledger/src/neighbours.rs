//! Where items without a unit were compiled, by what stands beside them.

use whittle_image::{Place, SectionIndex};

use crate::certainty::Source;
use crate::crates::CrateId;
use crate::items::Items;
use crate::owner::{Attribution, ItemId, Owner};

/// Items without a unit take the value of their neighbours in the section: linkers take objects one after the other.
///
/// Between two neighbours of one crate all is that crate's. Between two of different ones the first comes first: up to the
/// last item that it defines all is the first one's, from the first item on that the other defines the other's.
/// `defined_in` are the crates that define items, where their names say so; `fits` tells whether an item can be a crate's.
///
/// ```text
///   known      a . . . a     a . . . . . b
///   defined                  . . a . b .
///   found      a a a a a     a a a a . b b
/// ```
pub(crate) fn ask_neighbours(
    items: &mut Items<'_>,
    defined_in: &[Option<CrateId>],
    fits: impl Fn(usize, CrateId) -> bool,
) {
    let mut found: Vec<(ItemId, CrateId)> = Vec::new();
    let mut close = |before: Option<CrateId>, waiting: &mut Vec<ItemId>, after: Option<CrateId>| {
        let defines = |item: &ItemId, neighbour: Option<CrateId>| {
            neighbour.is_some() && defined_in[item.index()] == neighbour
        };
        let (first, second) = if before == after {
            (waiting.len(), waiting.len())
        } else {
            let last_of_first = waiting.iter().rposition(|item| defines(item, before));
            let first = last_of_first.map_or(0, |last| last + 1);
            let second = waiting.iter().position(|item| defines(item, after));
            (first, second.unwrap_or(waiting.len()))
        };
        // In no order: then the section is sorted by something else.
        if first <= second {
            for (number, item) in waiting.iter().enumerate() {
                let neighbour = if number < first {
                    before
                } else if number >= second {
                    after
                } else {
                    None
                };
                if let Some(neighbour) = neighbour.filter(|&crate_| fits(item.index(), crate_)) {
                    found.push((*item, neighbour));
                }
            }
        }
        waiting.clear();
    };
    for (pieces, section) in items.pieces.iter().zip(0..) {
        let mut before: Option<CrateId> = None;
        let mut waiting: Vec<ItemId> = Vec::new();
        for piece in pieces {
            let Owner::Item(id) = piece.owner else {
                continue;
            };
            let item = &items.list[id.index()];
            // Only where the item itself starts: descriptions of it stand in an order of their own.
            let own = Place {
                section: SectionIndex(section),
                offset: piece.start,
            };
            if item.place != Some(own) {
                continue;
            }
            if item.compiled_in.is_known() {
                let known = Some(item.compiled_in.value);
                close(before, &mut waiting, known);
                before = known;
            } else {
                waiting.push(id);
            }
        }
        close(before, &mut waiting, None);
    }
    for (item, value) in found {
        items.list[item.index()].compiled_in = Attribution::inferred(value, Source::Neighbour);
    }
}

//! Where items without a unit were compiled, by what stands beside them.

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
pub(crate) fn ask_neighbours<'data>(
    items: &mut Items<'data>,
    defined_in: &[Option<CrateId>],
    fits: impl Fn(&Items<'data>, ItemId, CrateId) -> bool,
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
                if let Some(neighbour) = neighbour.filter(|&crate_| fits(items, *item, crate_)) {
                    found.push((*item, neighbour));
                }
            }
        }
        waiting.clear();
    };
    for section in 0..items.pieces.len() {
        let mut before: Option<CrateId> = None;
        let mut waiting: Vec<ItemId> = Vec::new();
        for id in in_order(items, section) {
            let known = items.list[id.index()].compiled_in;
            if known.is_known() {
                close(before, &mut waiting, Some(known.value));
                before = Some(known.value);
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

/// Items that can be from one of several units, listed in the order of the link by `candidates`: those are from the only
/// one that was linked between the units of their neighbours.
pub(crate) fn between_units<'a>(
    items: &Items<'_>,
    candidates: impl Fn(usize) -> Option<&'a Vec<(u32, Attribution)>>,
) -> Vec<(ItemId, Attribution)> {
    let mut found = Vec::new();
    for section in 0..items.pieces.len() {
        let mut before = 0;
        let mut waiting: Vec<(ItemId, &[(u32, Attribution)])> = Vec::new();
        let mut close = |before: u32, waiting: &mut Vec<(ItemId, &[(u32, Attribution)])>, after| {
            for (item, units) in waiting.drain(..) {
                let from = units.partition_point(|&(number, _)| number < before);
                let to = units.partition_point(|&(number, _)| number <= after);
                let mut crates = units.get(from..to).unwrap_or_default().iter();
                if let Some(&(_, first)) = crates.next()
                    && crates.all(|(_, other)| other.value == first.value)
                {
                    found.push((item, Attribution::inferred(first.value, Source::Neighbour)));
                }
            }
        };
        for id in in_order(items, section) {
            let origin = items.origins[id.index()];
            match (origin.unit, candidates(id.index())) {
                (Some(unit), _) => {
                    close(before, &mut waiting, unit);
                    before = unit;
                }
                (None, Some(units)) => waiting.push((id, units)),
                (None, None) => {}
            }
        }
        close(before, &mut waiting, u32::MAX);
    }
    found
}

/// The items that start in a section, in its order. Not those that a part of the section only describes: descriptions
/// stand in an order of their own.
fn in_order(items: &Items<'_>, section: usize) -> impl Iterator<Item = ItemId> {
    let pieces = items.pieces[section].iter();
    pieces.filter_map(move |piece| {
        let Owner::Item(id) = piece.owner else {
            return None;
        };
        let place = items.list[id.index()].place?;
        (place.section.get() == section && place.offset == piece.start).then_some(id)
    })
}

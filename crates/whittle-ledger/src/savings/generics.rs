//! Generic functions: their copies, who asks for them, and what one body for all would save.
//!
//! The commonest cure of a large generic function is an inner one: the generic front converts its arguments
//! (`AsRef<Path>`, `Into<String>`), the body, which is the same for all types, moves to a function without type
//! parameters. How much of the copies would go is estimated by what they mention:
//!
//! - Copies of one body call the same functions and use the same constants, in whatever registers. What depends on the
//!   type calls other functions. So the share of a copy that is the same for all is the share of its mentions that most
//!   copies have (more than half of them, as often as they have it).
//! - That share of each copy's code and exception table goes, but for one: the largest stays as the inner function.
//!   Each copy keeps a call.
//!
//! Code that mentions nothing, such as arithmetic, counts as different: its types are in the instructions.

use rustc_hash::FxHashMap;
use whittle_image::Place;
use whittle_names::{Genericity, Name, Shape};

use super::repeats::Room;
use super::weights::Weights;
use crate::axis::Axis;
use crate::labels::Labels;
use crate::ledger::Ledger;
use crate::owner::{ItemId, ItemKind, Owner};

/// Bytes of a call with its arguments, which a copy keeps for what it gives away.
const CALL: u64 = 16;

/// Generic functions with several copies, by the value of their family. What the compiler makes, such as drop glue, is
/// nobody's to rewrite and left out.
pub(super) fn families(
    ledger: &Ledger<'_>,
    labels: &mut Labels<'_, '_>,
) -> FxHashMap<u32, Vec<ItemId>> {
    let mut families: FxHashMap<u32, Vec<ItemId>> = FxHashMap::default();
    for (item, number) in ledger.items().iter().zip(0..) {
        if item.kind != ItemKind::Function || item.len == 0 || item.place.is_none() {
            continue;
        }
        let name = std::str::from_utf8(item.name).ok().and_then(Name::parse);
        let is_generic = |name: &Name<'_>| {
            name.genericity() != Genericity::Plain
                && matches!(name.shape(), Shape::Function | Shape::Closure)
        };
        if name.as_ref().is_some_and(is_generic) {
            let id = ItemId(number);
            families
                .entry(labels.of_item(Axis::Generic, id))
                .or_default()
                .push(id);
        }
    }
    families.retain(|_, copies| copies.len() > 1);
    families
}

/// Says which things are as good as the same, so that copies that mention either are alike.
#[derive(Default)]
pub(super) struct Alike(FxHashMap<ItemId, ItemId>);

impl Alike {
    /// From groups of equal things.
    pub(super) fn of<'a>(groups: impl Iterator<Item = &'a [ItemId]>) -> Self {
        let mut alike = FxHashMap::default();
        for group in groups {
            for member in group {
                alike.insert(*member, group[0]);
            }
        }
        Self(alike)
    }

    /// What a place is in: a thing, or the one that stands for it, and the offset there.
    fn target(&self, ledger: &Ledger<'_>, place: Place) -> Target {
        let Some(Owner::Item(id)) = ledger.owner_at(place) else {
            return Target::Place(place);
        };
        let start = ledger.item(id).place.map_or(0, |start| start.offset);
        let id = self.0.get(&id).copied().unwrap_or(id);
        Target::Item(id, place.offset.wrapping_sub(start))
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Target {
    Item(ItemId, u64),
    Place(Place),
}

/// Bytes of the file that an inner function without type parameters would save, estimated as the module says.
pub(super) fn inner_function(
    ledger: &Ledger<'_>,
    weights: &Weights,
    alike: &Alike,
    copies: &[ItemId],
    room: &mut Room,
) -> u64 {
    let mentions: Vec<FxHashMap<Target, u64>> = copies
        .iter()
        .map(|&copy| {
            let mut counts = FxHashMap::default();
            let item = ledger.item(copy);
            let within = item
                .place
                .map(|place| ledger.references().within(place, item.len));
            let within = within.filter(|references| room.take(references.len()));
            for reference in within.unwrap_or_default() {
                *counts
                    .entry(alike.target(ledger, reference.to()))
                    .or_default() += 1;
            }
            counts
        })
        .collect();
    let mut counts: FxHashMap<Target, Vec<u64>> = FxHashMap::default();
    for (&target, &count) in mentions.iter().flatten() {
        counts.entry(target).or_default().push(count);
    }
    // How often more than half of the copies have it.
    let most = |counts: &mut Vec<u64>| {
        counts.sort_unstable_by(|a, b| b.cmp(a));
        counts.get(copies.len() / 2).copied().unwrap_or(0)
    };
    let common: FxHashMap<Target, u64> = counts
        .iter_mut()
        .map(|(target, counts)| (*target, most(counts)))
        .collect();
    let same: Vec<u64> = copies
        .iter()
        .zip(&mentions)
        .map(|(&copy, mentions)| {
            let all: u64 = mentions.values().sum();
            let shared: u64 = mentions
                .iter()
                .map(|(target, &count)| count.min(common[target]))
                .sum();
            let body = u128::from(weights.body(copy)) * u128::from(shared);
            let body = body / u128::from(all.max(1));
            u64::try_from(body).unwrap_or(u64::MAX).saturating_sub(CALL)
        })
        .collect();
    let largest = same.iter().copied().max().unwrap_or(0);
    // The inner function itself is called, described and aligned like any other.
    same.iter().sum::<u64>().saturating_sub(largest)
}

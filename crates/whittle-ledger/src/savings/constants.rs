//! Equal constants: read-only data that stands in the file more than once.

use rustc_hash::FxHashMap;
use whittle_image::{Image, Place, SectionIndex, SectionRole};

use super::body::{Bodies, Extent, keep_likely, without_overlaps};
use crate::ledger::Ledger;
use crate::owner::ItemId;

/// Finds constants with the same bytes and equal mentions, each group in the order of the file.
///
/// What one has in common with a longer one is not looked for.
pub(super) fn equal_constants(ledger: &Ledger<'_>) -> Vec<Vec<ItemId>> {
    let image = ledger.image();
    if !image.target.kind.is_linked() {
        return Vec::new();
    }
    let mut items: FxHashMap<Place, ItemId> = FxHashMap::default();
    let mut list = Vec::new();
    for (item, number) in ledger.items().iter().zip(0..) {
        if let Some(place) = item.place
            && item.kind.is_data()
            && item.len > 0
            && is_constant(image, place.section)
        {
            items.entry(place).or_insert(ItemId(number));
            list.push(Extent {
                place,
                len: item.len,
            });
        }
    }
    without_overlaps(&mut list);
    keep_likely(&mut list, ledger.references());
    Bodies::new(image, ledger.references())
        .classes(&list)
        .iter()
        .map(|class| {
            let extents = class
                .iter()
                .filter_map(|&number| list.get(usize::try_from(number).ok()?));
            extents
                .filter_map(|extent| items.get(&extent.place).copied())
                .collect()
        })
        .collect()
}

fn is_constant(image: &Image<'_>, index: SectionIndex) -> bool {
    image.section(index).is_some_and(|section| {
        matches!(
            section.role,
            SectionRole::ReadOnlyData | SectionRole::RelocatedReadOnlyData
        )
    })
}

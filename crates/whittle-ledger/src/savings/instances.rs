//! Monomorphizations that were compiled in several crates: each has a copy of its own.

use rustc_hash::FxHashMap;
use whittle_names::{Genericity, Name};

use crate::crates::CrateId;
use crate::ledger::Ledger;
use crate::owner::{ItemId, ItemKind};

/// Finds functions of which several crates hold a copy, each group in the order of items.
///
/// v0 names tell: the path and its arguments are the same, the instantiating crates are not. Legacy names do not hold
/// the arguments; there functions of one path count if they are equal (`equal`, groups of equal functions).
pub(super) fn repeated_instances<'a>(
    ledger: &Ledger<'_>,
    equal: impl Iterator<Item = &'a [ItemId]>,
) -> Vec<Vec<ItemId>> {
    let group_of: FxHashMap<ItemId, usize> = equal
        .enumerate()
        .flat_map(|(group, members)| members.iter().map(move |&member| (member, group)))
        .collect();
    let mut copies: FxHashMap<Key<'_>, Vec<ItemId>> = FxHashMap::default();
    for (item, number) in ledger.items().iter().zip(0..) {
        let id = ItemId(number);
        if item.kind != ItemKind::Function || !item.compiled_in.is_known() {
            continue;
        }
        let Some(name) = std::str::from_utf8(item.name).ok().and_then(Name::parse) else {
            continue;
        };
        let key = match (name.instance(), group_of.get(&id)) {
            (Some(instance), _) if name.genericity() == Genericity::Generic => {
                Key::Instance(instance)
            }
            (None, Some(&group)) => Key::Equal(group, name.family().to_string()),
            _ => continue,
        };
        copies.entry(key).or_default().push(id);
    }
    let crate_of = |id: &ItemId| -> CrateId { ledger.item(*id).compiled_in.value };
    let mut groups: Vec<Vec<ItemId>> = copies
        .into_values()
        .filter(|copies| {
            let first = copies.first().map(crate_of);
            copies.iter().any(|copy| Some(crate_of(copy)) != first)
        })
        .collect();
    groups.sort_unstable();
    groups
}

#[derive(PartialEq, Eq, Hash)]
enum Key<'name> {
    Instance(&'name str),
    Equal(usize, String),
}

//! What stands in the file more than once, group by group.

use std::collections::BTreeMap;

use whittle_code::Incoming;

use super::constants::equal_constants;
use super::folding::Folding;
use super::generics::{Alike, families, inner_function};
use super::instances::repeated_instances;
use super::weights::Weights;
use crate::axis::Axis;
use crate::crates::Family;
use crate::labels::Labels;
use crate::ledger::Ledger;
use crate::owner::{ItemId, ItemKind, Owner};

/// Names of a group that are written out.
const NAMES: usize = 8;

/// Callers from one crate that are written out.
const EXAMPLES: usize = 3;

/// What stands in the file more than once: the groups behind some savings. A function can be in several lists.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Equal functions, which the linker could fold into one.
    pub functions: Vec<EqualItems>,
    /// Equal constants.
    pub constants: Vec<EqualItems>,
    /// Functions with the same generic arguments that several crates compiled.
    pub instances: Vec<EqualItems>,
    /// Generic functions with several copies.
    pub generics: Vec<GenericCopies>,
}

/// Items of which one would do. Lists are in descending order of `beyond_one`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EqualItems {
    /// Their names as on the axis `function`, each once, in ascending order; not more than 8.
    pub names: Vec<String>,
    /// The crates that compiled them, each once, in ascending order.
    pub compiled_in: Vec<String>,
    /// How many there are.
    pub copies: u64,
    /// Bytes of the file of all but the largest, with what describes them. Of functions that could be folded: of all but
    /// the first, their code and unwind entries; symbols and padding are not among them.
    pub beyond_one: u64,
}

/// A generic function with several copies. Lists are in descending order of `inner_function`, then `beyond_largest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenericCopies {
    /// The function as on the axis `generic`.
    pub family: String,
    /// The crate that defines it.
    pub defined_in: String,
    /// How many copies there are.
    pub copies: u64,
    /// Bytes of the file of all but the largest, with what describes them.
    pub beyond_largest: u64,
    /// Bytes of the file that would go, estimated, if what all copies have in common moved to a function without type
    /// parameters.
    pub inner_function: u64,
    /// Who mentions the copies, the crate with the most functions first. What was inlined is not seen.
    pub callers: Vec<Callers>,
}

/// Functions of one crate that call a generic function, or take its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callers {
    /// The crate that defines them.
    pub label: String,
    /// How many there are.
    pub functions: u64,
    /// Some of them, as on the axis `function`: those that come first in the file; not more than 3.
    pub examples: Vec<String>,
}

/// Groups of items, before anybody asks for their names.
pub(super) struct Groups {
    pub(super) weights: Weights,
    pub(super) folding: Folding,
    pub(super) constants: Vec<Vec<ItemId>>,
    pub(super) instances: Vec<Vec<ItemId>>,
}

impl Groups {
    pub(super) fn find(ledger: &Ledger<'_>) -> Self {
        let folding = Folding::find(ledger);
        let instances = repeated_instances(ledger, folding.groups.iter().map(Vec::as_slice));
        Self {
            weights: Weights::of(ledger),
            constants: equal_constants(ledger),
            instances,
            folding,
        }
    }

    /// Bytes of the file beyond one copy.
    pub(super) fn beyond_one(&self, groups: &[Vec<ItemId>]) -> u64 {
        groups
            .iter()
            .map(|group| self.weights.beyond_largest(group))
            .sum()
    }

    /// Everything with names, and the bytes that inner functions would save in packages: the standard library's
    /// source is not the user's to edit.
    pub(super) fn repeats(&self, ledger: &Ledger<'_>) -> (Repeats, u64) {
        let mut labels = Labels::new(ledger);
        let mut named = |groups: &[Vec<ItemId>], beyond_one: &dyn Fn(&[ItemId]) -> u64| {
            let mut list: Vec<EqualItems> = groups
                .iter()
                .map(|group| named(ledger, &mut labels, group, beyond_one(group)))
                .collect();
            list.sort_by(|a, b| (b.beyond_one, &a.names).cmp(&(a.beyond_one, &b.names)));
            list
        };
        let beyond_largest = |group: &[ItemId]| self.weights.beyond_largest(group);
        let beyond_first = |group: &[ItemId]| {
            let behind = group.iter().skip(1);
            behind.map(|&id| self.weights.foldable(id)).sum()
        };
        let mut repeats = Repeats {
            functions: named(&self.folding.groups, &beyond_first),
            constants: named(&self.constants, &beyond_largest),
            instances: named(&self.instances, &beyond_largest),
            generics: Vec::new(),
        };
        let (generics, in_packages) = self.generics(ledger, &mut labels);
        repeats.generics = generics;
        (repeats, in_packages)
    }

    fn generics(
        &self,
        ledger: &Ledger<'_>,
        labels: &mut Labels<'_, '_>,
    ) -> (Vec<GenericCopies>, u64) {
        let alike = Alike::of(
            [&self.folding.groups, &self.constants, &self.instances]
                .into_iter()
                .flatten()
                .map(Vec::as_slice),
        );
        let incoming = ledger.references().incoming();
        let mut list: Vec<GenericCopies> = Vec::new();
        let mut in_packages = 0;
        let mut room = Room::of(ledger);
        let mut families: Vec<(u32, Vec<ItemId>)> = families(ledger, labels).into_iter().collect();
        families.sort_unstable();
        for (family, copies) in families {
            let crate_ = &ledger.crates()[ledger.item(copies[0]).defined_in.value.index()];
            let inner_function = inner_function(ledger, &self.weights, &alike, &copies, &mut room);
            if crate_.family == Family::Package {
                in_packages += inner_function;
            }
            list.push(GenericCopies {
                family: labels.text(family).to_owned(),
                defined_in: crate_.label.clone(),
                copies: count(copies.len()),
                beyond_largest: self.weights.beyond_largest(&copies),
                inner_function,
                callers: callers(ledger, labels, &incoming, &copies, &mut room),
            });
        }
        list.sort_by(|a, b| {
            (b.inner_function, b.beyond_largest, &a.family).cmp(&(
                a.inner_function,
                a.beyond_largest,
                &b.family,
            ))
        });
        (list, in_packages)
    }
}

/// A group with names.
fn named(
    ledger: &Ledger<'_>,
    labels: &mut Labels<'_, '_>,
    group: &[ItemId],
    beyond_one: u64,
) -> EqualItems {
    let mut names: Vec<u32> = Vec::new();
    for &id in group {
        if names.len() == NAMES {
            break;
        }
        let name = labels.of_item(Axis::Function, id);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let mut names: Vec<String> = names
        .into_iter()
        .map(|it| labels.text(it).to_owned())
        .collect();
    names.sort_unstable();
    let mut crates: Vec<_> = group
        .iter()
        .map(|&id| ledger.item(id).compiled_in.value.index())
        .collect();
    crates.sort_unstable();
    crates.dedup();
    let mut compiled_in: Vec<String> = crates
        .into_iter()
        .map(|index| ledger.crates()[index].label.clone())
        .collect();
    compiled_in.sort_unstable();
    EqualItems {
        names,
        compiled_in,
        copies: count(group.len()),
        beyond_one,
    }
}

/// The functions that mention any of these copies and are none of them, by the crate that defines them.
fn callers(
    ledger: &Ledger<'_>,
    labels: &mut Labels<'_, '_>,
    incoming: &Incoming<'_>,
    copies: &[ItemId],
    room: &mut Room,
) -> Vec<Callers> {
    let mut functions: Vec<ItemId> = Vec::new();
    for &copy in copies {
        let item = ledger.item(copy);
        // One that is called goes by its start.
        let Some(mentions) = item.place.map(|place| incoming.within(place, 1)) else {
            continue;
        };
        if !room.take(mentions.len()) {
            break;
        }
        functions.extend(mentions.filter_map(|reference| {
            let Owner::Item(id) = ledger.owner_at(reference.from())? else {
                return None;
            };
            (ledger.item(id).kind == ItemKind::Function).then_some(id)
        }));
    }
    functions.sort_unstable();
    functions.dedup();
    functions.retain(|id| copies.binary_search(id).is_err());
    let mut by_crate: BTreeMap<usize, Vec<ItemId>> = BTreeMap::new();
    for function in functions {
        let crate_ = ledger.item(function).defined_in.value.index();
        by_crate.entry(crate_).or_default().push(function);
    }
    let mut callers: Vec<Callers> = by_crate
        .into_iter()
        .map(|(crate_, functions)| Callers {
            label: ledger.crates()[crate_].label.clone(),
            functions: count(functions.len()),
            examples: functions
                .iter()
                .take(EXAMPLES)
                .map(|&id| {
                    let name = labels.of_item(Axis::Function, id);
                    labels.text(name).to_owned()
                })
                .collect(),
        })
        .collect();
    callers.sort_by(|a, b| (b.functions, &a.label).cmp(&(a.functions, &b.label)));
    callers
}

/// How many references may still be looked at. Functions of a hostile file can all cover the same code.
pub(super) struct Room(usize);

impl Room {
    fn of(ledger: &Ledger<'_>) -> Self {
        Self(ledger.references().list().len().saturating_mul(8))
    }

    /// Takes some, if there are so many left.
    pub(super) fn take(&mut self, references: usize) -> bool {
        let left = self.0.checked_sub(references);
        self.0 = left.unwrap_or(0);
        left.is_some()
    }
}

fn count(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

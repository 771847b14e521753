//! What the names of items say about crates.

use rustc_hash::{FxHashMap, FxHashSet};
use whittle_names::{CrateRef, DefiningCrate, Genericity, Name, Scheme};

use crate::certainty::Source;
use crate::crates::Crates;
use crate::items::{Items, NameOrigin, Origin};
use crate::owner::{Attribution, ItemId};
use crate::unit::Unit;

/// What the names of all items mention.
pub(crate) struct Names<'data> {
    /// Of each item's own name, parallel to [`Items::list`].
    pub(crate) alone: Vec<Option<Mentioned<'data>>>,
    /// Of all names of the items that have several, parallel to [`Items::folded`].
    folded: FxHashMap<ItemId, Vec<Option<Mentioned<'data>>>>,
}

impl<'data> Names<'data> {
    pub(crate) fn of(items: &Items<'data>) -> Self {
        // Honest tables hold each name once, or a few times where symbols share their ends. A damaged one may give a
        // very long string to all its symbols.
        let mut room = 64 * 1024 * 1024 + items.names_len.saturating_mul(4);
        let mut read = |name: &'data [u8]| {
            room = room.checked_sub(name.len())?;
            Mentioned::in_symbol(name)
        };
        Self {
            alone: items.list.iter().map(|item| read(item.name)).collect(),
            folded: items
                .folded
                .iter()
                .map(|(&id, names)| (id, names.iter().map(|name| read(name.name)).collect()))
                .collect(),
        }
    }

    /// The names of an item that has several, and what they mention.
    pub(crate) fn folded<'a>(
        &'a self,
        items: &'a Items<'data>,
        index: usize,
    ) -> Option<impl Iterator<Item = (&'a NameOrigin<'data>, Option<&'a Mentioned<'data>>)>> {
        let id = ItemId(u32::try_from(index).ok()?);
        let names = items.folded.get(&id)?;
        let mentioned = self.folded.get(&id)?;
        Some(names.iter().zip(mentioned.iter().map(Option::as_ref)))
    }

    /// All crates that names mention, with the unit of the symbol and the crate that it says compiled it.
    pub(crate) fn mentions<'a>(
        &'a self,
        items: &'a Items<'data>,
        merged: &'a FxHashSet<u64>,
    ) -> impl Iterator<Item = (CrateRef<'a>, Option<&'a Unit<'a>>, Option<CrateRef<'a>>)> {
        let all = self.alone.iter().zip(&items.origins);
        all.filter_map(|(mentioned, origin)| Some((mentioned.as_ref()?, origin)))
            .flat_map(move |(mentioned, origin)| {
                let unit = items
                    .unit(origin.unit)
                    .filter(|unit| !matches!(unit, Unit::Rust(unit) if merged.contains(&unit.id)));
                let defining = match mentioned.defining {
                    DefiningCrate::Exact(defining) => Some(defining),
                    _ => None,
                };
                [defining, mentioned.instantiating]
                    .into_iter()
                    .flatten()
                    .map(move |named| (named, unit, mentioned.instantiating))
            })
    }

    /// Whether the standard library in this file has v0 names.
    pub(crate) fn standard_is_v0(&self, items: &Items<'data>) -> bool {
        let of_unit = |origin: &Origin| match items.unit(origin.unit) {
            Some(Unit::Rust(unit)) => Crates::is_standard_name(unit.name),
            _ => false,
        };
        self.alone
            .iter()
            .zip(&items.origins)
            .any(|(mentioned, origin)| {
                mentioned.as_ref().is_some_and(|mentioned| {
                    mentioned.scheme == Scheme::V0
                        && (of_unit(origin)
                            || mentioned
                                .instantiating
                                .is_some_and(|of| Crates::is_standard_name(of.name)))
                })
            })
    }
}

/// The crates that a symbol's name mentions.
pub(crate) struct Mentioned<'data> {
    pub(crate) scheme: Scheme,
    pub(crate) defining: DefiningCrate<'data>,
    pub(crate) instantiating: Option<CrateRef<'data>>,
    pub(crate) genericity: Genericity,
}

impl<'data> Mentioned<'data> {
    fn in_symbol(symbol: &'data [u8]) -> Option<Self> {
        let symbol = std::str::from_utf8(symbol).ok()?;
        let name = Name::parse(symbol).or_else(|| Name::parse_owner(symbol))?;
        (name.scheme() != Scheme::Cpp).then(|| Self {
            scheme: name.scheme(),
            defining: name.defining_crate(),
            instantiating: name.instantiating_crate(),
            genericity: name.genericity(),
        })
    }

    /// The crate whose source defines the item. `near` is where it was compiled.
    pub(crate) fn defining(&self, crates: &mut Crates<'_>, near: Attribution) -> Attribution {
        match self.defining {
            DefiningCrate::Exact(named) => crates.named(named, near),
            DefiningCrate::OneOf { self_type, trait_ } => {
                let own = self_type.map(|named| (named, crates.named(named, near)));
                let of_trait = trait_.map(|named| (named, crates.named(named, near)));
                let chosen = match (own, of_trait) {
                    (Some((_, own)), Some((_, of_trait))) if own.value == of_trait.value => {
                        Some(own)
                    }
                    // Coherence: the block stands in the crate of the type or in that of the trait. The standard library
                    // does not know other crates, so the other one it is.
                    (Some((own_name, own)), Some((trait_name, of_trait))) => {
                        let own_standard = Crates::is_standard_name(own_name.name);
                        let trait_standard = Crates::is_standard_name(trait_name.name);
                        Some(match (own_standard, trait_standard) {
                            (false, true) => own,
                            (true, false) => of_trait,
                            _ if of_trait.value == near.value => of_trait,
                            _ => own,
                        })
                    }
                    (Some((_, only)), None) | (None, Some((_, only))) => Some(only),
                    (None, None) => None,
                };
                chosen.map_or(Attribution::UNKNOWN, |chosen| {
                    Attribution::inferred(chosen.value, Source::SymbolName)
                })
            }
            DefiningCrate::Unknown => Attribution::UNKNOWN,
        }
    }
}

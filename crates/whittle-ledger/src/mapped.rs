//! What the linker's map adds: the object of each item, and items that no symbol names.

use rustc_hash::FxHashMap;
use whittle_image::link_map::{InputSection, LinkMap, ObjectIndex};
use whittle_image::{Image, Place, Section, SectionRole};

use crate::certainty::Source;
use crate::constants::{Gap, Pool};
use crate::items::{Items, MERGED, Origin, new_item};
use crate::owner::{ItemId, ItemKind, Owner, Structure};
use crate::tiling::Claim;
use crate::unit::Unit;

/// A link map and what its parts are in the ledger.
pub(crate) struct Mapped<'data> {
    map: &'data LinkMap<'data>,
    /// The unit of each object of the map, by its number in [`Items::units`].
    units: Vec<u32>,
    names: Names<'data>,
}

/// Items by any of their names, to find what a section of an object is named after.
#[derive(Default)]
struct Names<'data> {
    /// Nothing where several items have the name: each object has its own copy of an inline function.
    alone: FxHashMap<&'data [u8], Option<ItemId>>,
    in_object: FxHashMap<(&'data [u8], ObjectIndex), ItemId>,
}

impl<'data> Mapped<'data> {
    /// Gives the items found so far their objects: the map knows better than the symbol table.
    pub(crate) fn new(
        map: &'data LinkMap<'data>,
        image: &Image<'data>,
        items: &mut Items<'data>,
    ) -> Self {
        let units = map
            .objects()
            .iter()
            .map(|object| items.push_unit(Unit::of_object(object)))
            .collect();
        let mut mapped = Self {
            map,
            units,
            names: Names::default(),
        };
        for number in 0..items.list.len() {
            let id = ItemId(u32::try_from(number).unwrap_or(u32::MAX));
            mapped.add_item(id, image, items);
        }
        mapped
    }

    fn add_item(&mut self, id: ItemId, image: &Image<'data>, items: &mut Items<'data>) {
        let item = &items.list[id.index()];
        if !matches!(item.kind, ItemKind::Function | ItemKind::Data) {
            return;
        }
        let input = item
            .place
            .and_then(|place| self.input_at(image.section(place.section)?, place.offset));
        let object = input.and_then(|input| input.object);
        for name in std::iter::once(&item.name).chain(&item.aliases) {
            self.names
                .alone
                .entry(*name)
                .and_modify(|known| *known = None)
                .or_insert(Some(id));
            if let Some(object) = object {
                self.names.in_object.entry((*name, object)).or_insert(id);
            }
        }
        let (Some(input), Some(unit)) = (input, object.and_then(|object| self.unit(object))) else {
            return;
        };
        let of_map = |origin: &mut Origin| {
            origin.unit = Some(unit);
            origin.source = Source::LinkMap;
        };
        let stem = stem_of(input.name).as_bytes();
        if let Some(names) = items.folded.get_mut(&id) {
            // The section of one of the names stayed; those of the others were folded into it. If it bears none of
            // their names, all stood in it from the start.
            let is_named = names.iter().any(|other| other.name == stem);
            for other in names {
                if !is_named || other.name == stem {
                    of_map(&mut other.origin);
                }
            }
        }
        of_map(&mut items.origins[id.index()]);
    }

    fn unit(&self, object: ObjectIndex) -> Option<u32> {
        self.units.get(object.get()).copied()
    }

    /// The parts of a section of the image, in ascending order.
    pub(crate) fn sections_of(&self, section: &Section<'_>) -> &'data [InputSection<'data>] {
        if !section.access.loaded {
            return &[];
        }
        self.map
            .find_output(&section.name, section.address)
            .map_or(&[], |output| self.map.sections_of(output))
    }

    pub(crate) fn input_at(
        &self,
        section: &Section<'_>,
        offset: u64,
    ) -> Option<&'data InputSection<'data>> {
        let address = section.address.checked_add(offset)?;
        let inputs = self.sections_of(section);
        let after = inputs.partition_point(|input| input.address <= address);
        inputs
            .get(after.checked_sub(1)?)
            .filter(|input| address < input.end())
    }

    /// The parts of gaps in which the linker merged constants of several objects, without saying whose they were.
    pub(crate) fn pools(
        section: &Section<'data>,
        inputs: &[InputSection<'data>],
        gaps: &[(u64, u64)],
    ) -> Vec<Gap> {
        let mut found = Vec::new();
        let mut gaps = gaps.iter().copied().peekable();
        for input in inputs.iter().filter(|input| input.is_mergeable()) {
            let Some(start) = input.address.checked_sub(section.address) else {
                continue;
            };
            let end = start.saturating_add(input.size);
            while gaps.next_if(|gap| gap.1 <= start).is_some() {}
            let pool = if input.name.starts_with(".rodata.str") || input.is_literal_string() {
                Pool::Strings
            } else {
                Pool::Constants
            };
            while let Some(&(from, to)) = gaps.peek()
                && from < end
            {
                found.push(Gap {
                    start: from.max(start),
                    end: to.min(end),
                    pool,
                });
                if to > end {
                    break;
                }
                gaps.next();
            }
        }
        found
    }

    /// Claims for what the linker merged and nothing leads to.
    pub(crate) fn merged(section: &Section<'data>, inputs: &[InputSection<'data>]) -> Vec<Claim> {
        inputs
            .iter()
            .filter(|input| input.is_mergeable())
            .filter_map(|input| {
                let start = input.address.checked_sub(section.address)?;
                Some(Claim {
                    start,
                    end: start.saturating_add(input.size),
                    owner: Owner::Shared(MERGED),
                    source: Source::LinkMap,
                })
            })
            .collect()
    }

    /// Claims of the map's input sections on a section of the image, but for what the linker merged.
    pub(crate) fn claims(
        &self,
        section: &Section<'data>,
        inputs: &[InputSection<'data>],
        items: &mut Items<'data>,
    ) -> Vec<Claim> {
        let mut claims = Vec::with_capacity(inputs.len());
        for input in inputs {
            let Some(start) = input.address.checked_sub(section.address) else {
                continue;
            };
            let owner = match input.object {
                _ if input.is_mergeable() => continue,
                Some(object) => Owner::Item(self.item_of(object, input, section, start, items)),
                // Jumps to what is out of reach, room for copied variables.
                None => Owner::Structure(Structure::Linkage),
            };
            claims.push(Claim {
                start,
                end: start.saturating_add(input.size),
                owner,
                source: Source::LinkMap,
            });
        }
        claims
    }

    /// The item that an input section holds or belongs to: a function's look-up tables are named after it.
    fn item_of(
        &self,
        object: ObjectIndex,
        input: &InputSection<'data>,
        section: &Section<'data>,
        start: u64,
        items: &mut Items<'data>,
    ) -> ItemId {
        let stem = stem_of(input.name).as_bytes();
        let in_object = self.names.in_object.get(&(stem, object)).copied();
        let known = in_object.or_else(|| self.names.alone.get(stem).copied().flatten());
        known.unwrap_or_else(|| {
            let kind = if section.role == SectionRole::Code {
                ItemKind::Function
            } else {
                ItemKind::Constant
            };
            let place = Place {
                section: section.index,
                offset: start,
            };
            self.new_item(kind, stem, place, input.size, object, items)
        })
    }

    /// An item that only the map tells apart.
    pub(crate) fn new_item(
        &self,
        kind: ItemKind,
        name: &'data [u8],
        place: Place,
        len: u64,
        object: ObjectIndex,
        items: &mut Items<'data>,
    ) -> ItemId {
        let item = items.push(new_item(kind, name, Some(place), len));
        items.origins[item.index()] = Origin {
            unit: self.unit(object),
            source: Source::LinkMap,
            global: false,
        };
        item
    }
}

/// What a section of an object is named after: compilers put each function and constant in a section of its own,
/// `.text._ZN…`, `.rodata..Lanon.…`, `.data.rel.ro.…`.
pub(crate) fn stem_of(name: &str) -> &str {
    const PREFIXES: &[&str] = &[
        ".text.unlikely.",
        ".text.startup.",
        ".text.exit.",
        ".text.hot.",
        ".text.",
        ".rodata.cst",
        ".rodata.str",
        ".rodata.",
        ".data.rel.ro.local.",
        ".data.rel.ro.",
        ".data.rel.local.",
        ".data.rel.",
        ".data.",
        ".bss.rel.ro.",
        ".bss.",
        ".tdata.",
        ".tbss.",
        ".gcc_except_table.",
    ];
    for prefix in PREFIXES {
        if let Some(stem) = name.strip_prefix(prefix) {
            // Pools of equal-sized constants and of strings keep their whole name.
            return if prefix.ends_with('.') { stem } else { name };
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_objects_are_named_after_what_they_hold() {
        assert_eq!(stem_of(".text._ZN3foo3barE"), "_ZN3foo3barE");
        assert_eq!(stem_of(".rodata..Lanon.0a.12"), ".Lanon.0a.12");
        assert_eq!(stem_of(".rodata.str1.1"), ".rodata.str1.1");
        assert_eq!(stem_of(".rodata.cst16"), ".rodata.cst16");
        assert_eq!(stem_of(".data.rel.ro..Lanon.0a.3"), ".Lanon.0a.3");
        assert_eq!(stem_of(".gcc_except_table.main"), "main");
        assert_eq!(stem_of(".text"), ".text");
    }
}

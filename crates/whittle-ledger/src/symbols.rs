//! What symbol tables say: items with their names, their places, and the units they are listed under.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use whittle_image::{
    Binding, Image, Place, Section, SectionIndex, SectionRole, Symbol, SymbolKind, SymbolTable,
    SymbolTableRole,
};

use crate::certainty::Source;
use crate::items::{Items, NameOrigin, Origin, holds_items, new_item};
use crate::owner::{ItemId, ItemKind, Owner};
use crate::tiling::Claim;
use crate::unit::Unit;
use crate::witness::Witnesses;

/// Claims of symbols, by section: of those that say their size, and of those that do not.
#[derive(Default)]
pub(crate) struct SymbolClaims {
    pub(crate) sized: BTreeMap<SectionIndex, Vec<Claim>>,
    pub(crate) bare: BTreeMap<SectionIndex, Vec<Claim>>,
}

/// Symbols of the same place and size name one item.
type Groups = FxHashMap<(Place, u64), ItemId>;

impl SymbolClaims {
    /// Makes items of symbols: the static table's, else a companion's, and the dynamic ones besides.
    pub(crate) fn find<'data>(
        image: &Image<'data>,
        witnesses: &Witnesses<'data>,
        items: &mut Items<'data>,
    ) -> Self {
        let mut groups = Groups::default();
        let companion = witnesses
            .companion
            .filter(|_| image.is_stripped())
            .and_then(Image::static_symbols);
        if let Some(table) = companion {
            add_table(items, image, table, None, &mut groups);
        }
        for (number, table) in image.symbol_tables.iter().enumerate() {
            add_table(items, image, table, Some(number), &mut groups);
        }
        let mut groups: Vec<((Place, u64), ItemId)> = groups.into_iter().collect();
        groups.sort_unstable();
        let mut found = Self::default();
        for ((place, len), id) in groups {
            items.list[id.index()].aliases.sort_unstable();
            items.list[id.index()].aliases.dedup();
            let claim = Claim {
                start: place.offset,
                end: place.offset.saturating_add(len),
                owner: Owner::Item(id),
                source: Source::Symbol,
            };
            let layer = if len > 0 {
                &mut found.sized
            } else {
                &mut found.bare
            };
            layer.entry(place.section).or_default().push(claim);
        }
        found
    }
}

/// Adds the symbols of one table. `number` is its index among the image's own tables; a companion's has none.
fn add_table<'data>(
    items: &mut Items<'data>,
    image: &Image<'data>,
    table: &SymbolTable<'data>,
    number: Option<usize>,
    groups: &mut Groups,
) {
    let templates = Templates::of(image);
    let mut imports: FxHashMap<&[u8], ItemId> = FxHashMap::default();
    // Local symbols belong to the file symbol before them; the linker's own come after one without a name.
    let mut unit = None;
    for (index, symbol) in table.symbols.iter().enumerate() {
        let mut id = None;
        if symbol.kind == SymbolKind::File {
            unit = (!symbol.name.is_empty()).then(|| {
                let name = std::str::from_utf8(symbol.name).unwrap_or_default();
                items.push_unit(Unit::of_file_symbol(name))
            });
            if !symbol.name.is_empty() && number.is_some() {
                let item = items.push(new_item(ItemKind::Unit, symbol.name, None, 0));
                items.origins[item.index()] = Origin {
                    unit,
                    source: Source::FileSymbol,
                    global: false,
                };
                id = Some(item);
            }
        } else if symbol.undefined {
            if !symbol.name.is_empty() && number.is_some() {
                id = Some(*imports.entry(symbol.name).or_insert_with(|| {
                    items.push(new_item(ItemKind::Import, symbol.name, None, 0))
                }));
            }
        } else {
            let is_listed =
                symbol.binding == Binding::Local && table.role == SymbolTableRole::Static;
            let origin = Origin {
                unit: unit.filter(|_| is_listed),
                source: Source::FileSymbol,
                global: symbol.binding != Binding::Local,
            };
            if let Some(place) = item_place(image, symbol, number.is_none(), &templates) {
                id = Some(add_symbol(items, image, symbol, place, origin, groups));
            } else if let Some(place) = symbol.place
                && number.is_some()
                && is_exception_table(image, place)
                && !matches!(symbol.kind, SymbolKind::Section)
            {
                let symbol = (place, symbol.name, origin.unit);
                items.exception_symbols.push(symbol);
            }
        }
        if let Some(number) = number {
            items.of_symbols[number][index] = id;
        }
    }
}

fn add_symbol<'data>(
    items: &mut Items<'data>,
    image: &Image<'data>,
    symbol: &Symbol<'data>,
    place: Place,
    origin: Origin,
    groups: &mut Groups,
) -> ItemId {
    let mut is_new = false;
    let item = *groups.entry((place, symbol.size)).or_insert_with(|| {
        is_new = true;
        let kind = if symbol.kind == SymbolKind::Function || is_code(image, place.section) {
            ItemKind::Function
        } else {
            ItemKind::Data
        };
        items.push(new_item(kind, symbol.name, Some(place), symbol.size))
    });
    if is_new {
        items.origins[item.index()] = origin;
    } else {
        add_name(items, item, symbol.name, origin);
    }
    item
}

/// Adds another name for an item. The item's own name is a Rust name if there is one, else the first in order.
fn add_name<'data>(items: &mut Items<'data>, id: ItemId, name: &'data [u8], origin: Origin) {
    let known = items.origins[id.index()];
    let item = &mut items.list[id.index()];
    if item.name == name && known.unit == origin.unit {
        // The same symbol in two tables.
        items.origins[id.index()].global |= origin.global;
        return;
    }
    let first = NameOrigin {
        name: item.name,
        origin: known,
    };
    let names = items.folded.entry(id).or_insert_with(|| vec![first]);
    names.push(NameOrigin { name, origin });
    if item.name == name {
        return;
    }
    let key = |name: &'data [u8]| (!is_rust_name(name), name);
    if key(name) < key(item.name) {
        item.aliases.push(std::mem::replace(&mut item.name, name));
        items.origins[id.index()] = origin;
    } else {
        item.aliases.push(name);
    }
}

fn is_exception_table(image: &Image<'_>, place: Place) -> bool {
    image
        .section(place.section)
        .is_some_and(|section| section.role == SectionRole::ExceptionTable)
}

fn is_code(image: &Image<'_>, section: SectionIndex) -> bool {
    image
        .section(section)
        .is_some_and(|section| section.access.executable)
}

/// Where a symbol's item is in the image; nothing for symbols that name no item. A companion's symbols are looked up
/// by address.
fn item_place(
    image: &Image<'_>,
    symbol: &Symbol<'_>,
    from_companion: bool,
    templates: &Templates,
) -> Option<Place> {
    if matches!(
        symbol.kind,
        SymbolKind::Section | SymbolKind::File | SymbolKind::Mapping
    ) || symbol.name.is_empty()
    {
        return None;
    }
    let place = if !from_companion {
        symbol.place?
    } else if symbol.kind == SymbolKind::ThreadLocal {
        templates.place_at(image.thread_local?.0.checked_add(symbol.address)?)?
    } else {
        symbol.place?;
        image.place_at(symbol.address)?
    };
    let section = image.section(place.section)?;
    let is_inside = holds_items(image, section) && place.offset < section.size;
    // Where symbols have sizes, one without marks a position and names nothing, unless it stands for code.
    let names_item =
        symbol.size > 0 || section.access.executable || !image.target.format.symbols_have_sizes();
    (is_inside && names_item).then_some(place)
}

/// The sections of the thread-local template, in ascending order.
struct Templates {
    sections: Vec<(u64, u64, SectionIndex)>,
}

impl Templates {
    fn of(image: &Image<'_>) -> Self {
        let is_template = |section: &&Section<'_>| section.access.thread_local && section.size > 0;
        let mut sections: Vec<_> = image
            .sections
            .iter()
            .filter(is_template)
            .map(|section| (section.address, section.end(), section.index))
            .collect();
        sections.sort_unstable();
        Self { sections }
    }

    fn place_at(&self, address: u64) -> Option<Place> {
        let after = self
            .sections
            .partition_point(|&(start, ..)| start <= address);
        let &(start, end, section) = self.sections.get(after.checked_sub(1)?)?;
        (address < end).then(|| Place {
            section,
            offset: address - start,
        })
    }
}

/// Whether a name is mangled by one of Rust's own schemes: v0 starts with `_R`, legacy ends in a hash, `17h…E`.
fn is_rust_name(name: &[u8]) -> bool {
    if name.starts_with(b"_R") {
        return true;
    }
    let hash = name
        .starts_with(b"_ZN")
        .then(|| memchr::memmem::rfind(name, b"17h"))
        .flatten();
    hash.is_some_and(|at| {
        let digits = name.get(at + 3..at + 19).unwrap_or_default();
        digits.len() == 16
            && digits.iter().all(u8::is_ascii_hexdigit)
            && name.get(at + 19) == Some(&b'E')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_names_are_told_from_other_mangled_ones() {
        assert!(is_rust_name(b"_RNvC1a1b"));
        assert!(is_rust_name(b"_ZN3foo3bar17h0123456789abcdefE"));
        assert!(!is_rust_name(b"_ZN3foo3barEv"));
        assert!(!is_rust_name(b"main"));
    }
}

//! First stage: which items there are, and which bytes of the program's own sections are theirs.
//!
//! Items come from symbols, from the linker's map, and from unwind entries, in this order of precedence.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use whittle_image::link_map::{InputSection, LinkMap};
use whittle_image::{
    Binding, Described, FileKind, Image, Place, Section, SectionIndex, SectionRole, Symbol,
    SymbolKind, SymbolTable, SymbolTableRole,
};

use crate::certainty::Source;
use crate::kind::Kind;
use crate::owner::{Attribution, Item, ItemId, ItemKind, Owner, SharedId};
use crate::padding;
use crate::tiling::{Claim, Piece, Tiling, piece_at};
use crate::unit::Unit;
use crate::witness::Witnesses;

/// What the first stage finds.
pub(crate) struct Items<'data> {
    pub(crate) list: Vec<Item<'data>>,
    /// The sets behind [`Owner::Shared`].
    pub(crate) shared: Vec<Vec<Owner>>,
    /// The item of each symbol, parallel to the image's own symbol tables.
    pub(crate) of_symbols: Vec<Vec<Option<ItemId>>>,
    /// The tiling of each section; empty for sections that hold no items of their own.
    pub(crate) pieces: Vec<Vec<Piece>>,
    /// All units of the link, in the order in which the linker took them.
    pub(crate) units: Vec<Unit<'data>>,
    /// The unit of each item, by its number in `units`; parallel to `list`.
    pub(crate) unit_of: Vec<Option<u32>>,
    /// Where the unit of an item is known from.
    pub(crate) unit_source: Vec<Source>,
}

/// The set of owners behind what the linker merged from several objects without saying which.
pub(crate) const MERGED: SharedId = SharedId(0);

impl<'data> Items<'data> {
    /// Finds the items of an image.
    pub(crate) fn find(image: &Image<'data>, witnesses: &Witnesses<'data>) -> Self {
        let mut items = Self {
            list: Vec::new(),
            shared: vec![Vec::new()],
            of_symbols: image
                .symbol_tables
                .iter()
                .map(|table| vec![None; table.symbols.len()])
                .collect(),
            pieces: vec![Vec::new(); image.sections.len()],
            units: Vec::new(),
            unit_of: Vec::new(),
            unit_source: Vec::new(),
        };
        let mut symbols = SymbolClaims::default();
        items.add_symbols(image, witnesses, &mut symbols);
        let names = items.by_name(witnesses.link_map.is_some());
        let object_units = items.add_objects(witnesses.link_map);
        let mut frames = items.add_frames(image, &symbols);
        for section in image
            .sections
            .iter()
            .filter(|section| holds_items(image, section))
        {
            let mapped = witnesses
                .link_map
                .filter(|_| section.access.loaded && image.target.kind != FileKind::Object)
                .and_then(|map| Some((map, map.find_output(&section.name, section.address)?)));
            let in_map = mapped.map_or(&[][..], |(map, output)| map.sections_of(output));
            let mut tiling = Tiling::new(section.size, Kind::of_role(section.role));
            // The order is the precedence.
            tiling.lay(symbols.sized.remove(&section.index).unwrap_or_default());
            tiling.lay(items.claims_of_map(section, in_map, &names, &object_units));
            let bare = symbols.bare.remove(&section.index).unwrap_or_default();
            tiling.lay(extended(bare, &tiling.starts(), section.size));
            tiling.lay(frames.remove(&section.index).unwrap_or_default());
            let rest = Claim {
                start: 0,
                end: 0,
                owner: Owner::Unknown,
                source: Source::None,
            };
            items.pieces[section.index.get()] = tiling.finish(rest, |start, end| {
                if in_map.is_empty() {
                    padding::by_content(image, section, start, end)
                } else {
                    Some(Source::LinkMap)
                }
            });
            items.units_of_map(section, in_map, &object_units);
        }
        items
    }

    /// The owner of the byte at a place; nothing for sections that hold no items.
    pub(crate) fn owner_at(&self, place: Place) -> Option<Owner> {
        piece_at(self.pieces.get(place.section.get())?, place.offset).map(|piece| piece.owner)
    }

    /// The set of these owners; the owner itself if there is only one.
    pub(crate) fn share(
        &mut self,
        mut owners: Vec<Owner>,
        sets: &mut FxHashMap<Vec<Owner>, SharedId>,
    ) -> Owner {
        owners.sort_unstable();
        owners.dedup();
        match owners[..] {
            [] => Owner::Unknown,
            [only] => only,
            _ => Owner::Shared(*sets.entry(owners).or_insert_with_key(|owners| {
                let id = SharedId(u32::try_from(self.shared.len()).unwrap_or(u32::MAX));
                self.shared.push(owners.clone());
                id
            })),
        }
    }

    pub(crate) fn push(&mut self, item: Item<'data>) -> ItemId {
        let id = ItemId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(item);
        self.unit_of.push(None);
        self.unit_source.push(Source::None);
        id
    }

    fn push_unit(&mut self, unit: Unit<'data>) -> u32 {
        self.units.push(unit);
        u32::try_from(self.units.len() - 1).unwrap_or(u32::MAX)
    }

    /// Makes items of symbols: the static table's, else a companion's, and the dynamic ones besides.
    fn add_symbols(
        &mut self,
        image: &Image<'data>,
        witnesses: &Witnesses<'data>,
        found: &mut SymbolClaims,
    ) {
        let mut groups: FxHashMap<(Place, u64), ItemId> = FxHashMap::default();
        let companion = witnesses
            .companion
            .filter(|_| image.is_stripped())
            .and_then(Image::static_symbols);
        if let Some(table) = companion {
            self.add_table(image, table, None, &mut groups);
        }
        for (number, table) in image.symbol_tables.iter().enumerate() {
            self.add_table(image, table, Some(number), &mut groups);
        }
        let mut groups: Vec<((Place, u64), ItemId)> = groups.into_iter().collect();
        groups.sort_unstable();
        for ((place, len), id) in groups {
            self.list[id.index()].aliases.sort_unstable();
            self.list[id.index()].aliases.dedup();
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
    }

    /// Adds the symbols of one table. `number` is its index among the image's own tables.
    fn add_table(
        &mut self,
        image: &Image<'data>,
        table: &SymbolTable<'data>,
        number: Option<usize>,
        groups: &mut FxHashMap<(Place, u64), ItemId>,
    ) {
        let mut imports: FxHashMap<&[u8], ItemId> = FxHashMap::default();
        // Local symbols belong to the file symbol before them; the linker's own come after one without a name.
        let mut unit = None;
        for (index, symbol) in table.symbols.iter().enumerate() {
            let mut id = None;
            if symbol.kind == SymbolKind::File {
                unit = (!symbol.name.is_empty()).then(|| {
                    let name = std::str::from_utf8(symbol.name).unwrap_or_default();
                    self.push_unit(Unit::of_file_symbol(name))
                });
                if !symbol.name.is_empty() && number.is_some() {
                    let item = self.push(new_item(ItemKind::Unit, symbol.name, None, 0));
                    self.unit_of[item.index()] = unit;
                    self.unit_source[item.index()] = Source::FileSymbol;
                    id = Some(item);
                }
            } else if symbol.undefined {
                if !symbol.name.is_empty() && number.is_some() {
                    id = Some(*imports.entry(symbol.name).or_insert_with(|| {
                        self.push(new_item(ItemKind::Import, symbol.name, None, 0))
                    }));
                }
            } else if let Some(place) = item_place(image, symbol, number.is_none()) {
                let size = if is_boundary(image, symbol, place) {
                    continue;
                } else {
                    symbol.size
                };
                let item = *groups.entry((place, size)).or_insert_with(|| {
                    let kind =
                        if symbol.kind == SymbolKind::Function || is_code(image, place.section) {
                            ItemKind::Function
                        } else {
                            ItemKind::Data
                        };
                    self.push(new_item(kind, symbol.name, Some(place), size))
                });
                self.add_name(item, symbol.name);
                if symbol.binding == Binding::Local
                    && table.role == SymbolTableRole::Static
                    && self.unit_of[item.index()].is_none()
                {
                    self.unit_of[item.index()] = unit;
                    self.unit_source[item.index()] = Source::FileSymbol;
                }
                id = Some(item);
            }
            if let Some(number) = number {
                self.of_symbols[number][index] = id;
            }
        }
    }

    /// Adds another name for an item. The item's own name is a Rust name if there is one, else the first in order.
    fn add_name(&mut self, id: ItemId, name: &'data [u8]) {
        let item = &mut self.list[id.index()];
        if item.name == name {
            return;
        }
        let key = |name: &'data [u8]| (!is_rust_name(name), name);
        let other = if key(name) < key(item.name) {
            std::mem::replace(&mut item.name, name)
        } else {
            name
        };
        item.aliases.push(other);
    }

    /// Items by any of their names, to find what a section of an object is named after.
    fn by_name(&self, wanted: bool) -> FxHashMap<&'data [u8], ItemId> {
        let mut names = FxHashMap::default();
        if wanted {
            for (number, item) in (0..).zip(&self.list) {
                if matches!(item.kind, ItemKind::Function | ItemKind::Data) {
                    for name in std::iter::once(&item.name).chain(&item.aliases) {
                        names.entry(*name).or_insert(ItemId(number));
                    }
                }
            }
        }
        names
    }

    /// Units of the objects of a link map, parallel to its list of objects.
    fn add_objects(&mut self, map: Option<&LinkMap<'data>>) -> Vec<u32> {
        let Some(map) = map else { return Vec::new() };
        map.objects()
            .iter()
            .map(|object| self.push_unit(Unit::of_object(object)))
            .collect()
    }

    /// Claims of the map's input sections on a section of the image.
    fn claims_of_map(
        &mut self,
        section: &Section<'data>,
        in_map: &[InputSection<'data>],
        names: &FxHashMap<&'data [u8], ItemId>,
        object_units: &[u32],
    ) -> Vec<Claim> {
        let mut claims = Vec::with_capacity(in_map.len());
        for input in in_map {
            let Some(start) = input.address.checked_sub(section.address) else {
                continue;
            };
            let merged = input.is_mergeable() || input.object.is_none();
            let owner = if let Some(&item) = names.get(stem_of(input.name).as_bytes()) {
                Owner::Item(item)
            } else if merged {
                Owner::Shared(MERGED)
            } else {
                let kind = if section.role == SectionRole::Code {
                    ItemKind::Function
                } else {
                    ItemKind::Constant
                };
                let place = Place {
                    section: section.index,
                    offset: start,
                };
                let item = self.push(new_item(
                    kind,
                    stem_of(input.name).as_bytes(),
                    Some(place),
                    input.size,
                ));
                self.unit_of[item.index()] = input
                    .object
                    .and_then(|object| object_units.get(object.get()).copied());
                self.unit_source[item.index()] = Source::LinkMap;
                Owner::Item(item)
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

    /// The object of each item that starts in this section: the map knows better than the symbol table.
    fn units_of_map(
        &mut self,
        section: &Section<'data>,
        in_map: &[InputSection<'data>],
        object_units: &[u32],
    ) {
        for piece in &self.pieces[section.index.get()] {
            let Owner::Item(item) = piece.owner else {
                continue;
            };
            let here = Place {
                section: section.index,
                offset: piece.start,
            };
            if self.list[item.index()].place != Some(here) {
                continue;
            }
            let address = section.address.saturating_add(piece.start);
            let after = in_map.partition_point(|input| input.address <= address);
            let object = after
                .checked_sub(1)
                .and_then(|index| in_map.get(index))
                .filter(|input| address < input.end())
                .and_then(|input| input.object);
            if let Some(&unit) = object.and_then(|object| object_units.get(object.get())) {
                self.unit_of[item.index()] = Some(unit);
                self.unit_source[item.index()] = Source::LinkMap;
            }
        }
    }

    /// Functions that only unwind entries tell apart.
    fn add_frames(
        &mut self,
        image: &Image<'data>,
        found: &SymbolClaims,
    ) -> FxHashMap<SectionIndex, Vec<Claim>> {
        let mut claims: FxHashMap<SectionIndex, Vec<Claim>> = FxHashMap::default();
        let mut named: FxHashMap<SectionIndex, Vec<u64>> = FxHashMap::default();
        for (section, layer) in found.sized.iter().chain(&found.bare) {
            named
                .entry(*section)
                .or_default()
                .extend(layer.iter().map(|claim| claim.start));
        }
        for starts in named.values_mut() {
            starts.sort_unstable();
        }
        let mut codes: Vec<(Place, u64)> = image
            .unwind_tables
            .iter()
            .flat_map(|table| &table.entries)
            .filter_map(|entry| match entry.describes {
                Described::Code { start, len, .. } if len > 0 => Some((start, len)),
                _ => None,
            })
            .collect();
        codes.sort_unstable();
        codes.dedup_by_key(|(start, _)| *start);
        for (place, len) in codes {
            if named
                .get(&place.section)
                .is_some_and(|starts| starts.binary_search(&place.offset).is_ok())
            {
                continue;
            }
            let item = self.push(new_item(ItemKind::Function, &[], Some(place), len));
            let claim = Claim {
                start: place.offset,
                end: place.offset.saturating_add(len),
                owner: Owner::Item(item),
                source: Source::UnwindTable,
            };
            claims.entry(place.section).or_default().push(claim);
        }
        claims
    }
}

/// Claims of symbols, by section: of those that say their size, and of those that do not.
#[derive(Default)]
struct SymbolClaims {
    sized: BTreeMap<SectionIndex, Vec<Claim>>,
    bare: BTreeMap<SectionIndex, Vec<Claim>>,
}

fn new_item(kind: ItemKind, name: &[u8], place: Option<Place>, len: u64) -> Item<'_> {
    Item {
        kind,
        name,
        aliases: Vec::new(),
        place,
        len,
        defined_in: Attribution::UNKNOWN,
        compiled_in: Attribution::UNKNOWN,
    }
}

/// Whether a section holds things of the program itself, and not descriptions of them.
fn holds_items(image: &Image<'_>, section: &Section<'_>) -> bool {
    section.size > 0
        && match section.role {
            SectionRole::Code
            | SectionRole::ReadOnlyData
            | SectionRole::RelocatedReadOnlyData
            | SectionRole::WritableData
            | SectionRole::ThreadLocalData => true,
            // Object files have tables that nothing points at yet; their parts are told apart by symbols alone.
            SectionRole::ExceptionTable => image.target.kind == FileKind::Object,
            SectionRole::Other => section.access.loaded,
            _ => false,
        }
}

fn is_code(image: &Image<'_>, section: SectionIndex) -> bool {
    image
        .section(section)
        .is_some_and(|section| section.access.executable)
}

/// Where a symbol's item is in the image. A companion's symbols are looked up by address.
fn item_place(image: &Image<'_>, symbol: &Symbol<'_>, from_companion: bool) -> Option<Place> {
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
        let address = image.thread_local?.0.checked_add(symbol.address)?;
        let template = |section: &&Section<'_>| {
            section.access.thread_local && (section.address..section.end()).contains(&address)
        };
        let section = image.sections.iter().find(template)?;
        Place {
            section: section.index,
            offset: address - section.address,
        }
    } else {
        symbol.place?;
        image.place_at(symbol.address)?
    };
    let section = image.section(place.section)?;
    (holds_items(image, section) && place.offset < section.size).then_some(place)
}

/// Whether a symbol marks a position and names nothing: it has no size and does not stand for code.
fn is_boundary(image: &Image<'_>, symbol: &Symbol<'_>, place: Place) -> bool {
    symbol.size == 0 && !is_code(image, place.section)
}

/// Lets each claim without a length run to whatever starts next, or to the end of the section. `starts` are those of
/// earlier layers, ascending.
fn extended(mut layer: Vec<Claim>, starts: &[u64], section_size: u64) -> Vec<Claim> {
    let mut own: Vec<u64> = layer.iter().map(|claim| claim.start).collect();
    own.sort_unstable();
    for claim in &mut layer {
        let next = |starts: &[u64]| {
            starts
                .get(starts.partition_point(|&start| start <= claim.start))
                .copied()
        };
        claim.end = next(&own)
            .into_iter()
            .chain(next(starts))
            .min()
            .unwrap_or(section_size);
    }
    layer
}

/// What a section of an object is named after: compilers put each function and constant in a section of its own,
/// `.text._ZN…`, `.rodata..Lanon.…`, `.data.rel.ro.…`.
fn stem_of(name: &str) -> &str {
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
    ];
    for prefix in PREFIXES {
        if let Some(stem) = name.strip_prefix(prefix) {
            // Pools of equal-sized constants and of strings keep their whole name.
            return if prefix.ends_with('.') { stem } else { name };
        }
    }
    name
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
    fn sections_of_objects_are_named_after_what_they_hold() {
        assert_eq!(stem_of(".text._ZN3foo3barE"), "_ZN3foo3barE");
        assert_eq!(stem_of(".rodata..Lanon.0a.12"), ".Lanon.0a.12");
        assert_eq!(stem_of(".rodata.str1.1"), ".rodata.str1.1");
        assert_eq!(stem_of(".rodata.cst16"), ".rodata.cst16");
        assert_eq!(stem_of(".data.rel.ro..Lanon.0a.3"), ".Lanon.0a.3");
        assert_eq!(stem_of(".text"), ".text");
    }

    #[test]
    fn rust_names_are_told_from_other_mangled_ones() {
        assert!(is_rust_name(b"_RNvC1a1b"));
        assert!(is_rust_name(b"_ZN3foo3bar17h0123456789abcdefE"));
        assert!(!is_rust_name(b"_ZN3foo3barEv"));
        assert!(!is_rust_name(b"main"));
    }
}

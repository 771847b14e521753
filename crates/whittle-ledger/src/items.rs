//! First stage: which items there are, and which bytes of the program's own sections are theirs.
//!
//! Items come from symbols, from the linker's map, from unwind entries, and from what is referred to, in this order of
//! precedence.

use rustc_hash::FxHashMap;
use whittle_code::{Incoming, References};
use whittle_image::{Described, FileKind, Image, Place, Section, SectionIndex, SectionRole};

use crate::certainty::Source;
use crate::constants::{self, Cutter, Gap, Shapes, Users};
use crate::kind::Kind;
use crate::mapped::Mapped;
use crate::nameless;
use crate::owner::{Attribution, Item, ItemId, ItemKind, Owner, SharedId, Structure};
use crate::padding;
use crate::symbols::SymbolClaims;
use crate::tiling::{Claim, Piece, Tiling, piece_at};
use crate::unit::Unit;
use crate::unused_tables::UnusedTables;
use crate::witness::Witnesses;

/// What the first stage finds.
pub(crate) struct Items<'data> {
    pub(crate) list: Vec<Item<'data>>,
    /// Where each item comes from; parallel to `list`.
    pub(crate) origins: Vec<Origin>,
    /// Items that several symbols name, and what each of these symbols says, the first one's included.
    pub(crate) folded: FxHashMap<ItemId, Vec<NameOrigin<'data>>>,
    /// How many bytes all sections of names have.
    pub(crate) names_len: usize,
    /// The sets behind [`Owner::Shared`].
    pub(crate) shared: Vec<Vec<Owner>>,
    /// How many more members all sets together may have.
    room_for_shared: usize,
    /// The item of each symbol, parallel to the image's own symbol tables.
    pub(crate) of_symbols: Vec<Vec<Option<ItemId>>>,
    /// Symbols of exception tables, and the unit that each is listed under.
    pub(crate) exception_symbols: Vec<(Place, &'data [u8], Option<u32>)>,
    /// Exception tables that nothing points at.
    pub(crate) unused_tables: UnusedTables,
    /// The tiling of each section; empty for sections that hold no items of their own.
    pub(crate) pieces: Vec<Vec<Piece>>,
    /// All units of the link, in the order in which the linker took them.
    pub(crate) units: Vec<Unit<'data>>,
    /// Strings that are the end of a longer one, with that.
    pub(crate) longer_strings: FxHashMap<ItemId, ItemId>,
}

/// What is known about where an item, or one name of it, comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// Its unit, by its number in [`Items::units`].
    pub(crate) unit: Option<u32>,
    /// What the unit is known from.
    pub(crate) source: Source,
    /// Whether other objects could refer to it: it is nobody's private copy.
    pub(crate) global: bool,
}

impl Origin {
    pub(crate) const UNKNOWN: Self = Self {
        unit: None,
        source: Source::None,
        global: false,
    };
}

/// One name of an item with several, and where that name comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NameOrigin<'data> {
    pub(crate) name: &'data [u8],
    pub(crate) origin: Origin,
}

/// The set of owners behind what the linker merged from several objects without saying which.
pub(crate) const MERGED: SharedId = SharedId(0);

impl<'data> Items<'data> {
    /// Finds the items of an image, and who uses those without a name.
    pub(crate) fn find(
        image: &'data Image<'data>,
        witnesses: &Witnesses<'data>,
        references: &References,
    ) -> (Self, Users, Shapes) {
        let mut items = Self::none(image);
        let mut symbols = SymbolClaims::find(image, witnesses, &mut items);
        let mapped = witnesses
            .link_map
            .filter(|_| image.target.kind != FileKind::Object)
            .map(|map| Mapped::new(map, image, &mut items));
        let mut frames = items.add_frames(image, &symbols);
        let incoming = references.incoming();
        let mut tile = |items: &mut Self,
                        section: &Section<'data>,
                        code: Option<&Incoming<'_>>,
                        cutter: Option<&Cutter<'_, 'data>>| {
            let in_map = mapped
                .as_ref()
                .map_or(&[][..], |mapped| mapped.sections_of(section));
            let mut tiling = Tiling::new(section.size, Kind::of_role(section.role));
            // The order is the precedence.
            tiling.lay(symbols.sized.remove(&section.index).unwrap_or_default());
            let bare = symbols.bare.remove(&section.index).unwrap_or_default();
            let mut bounds = tiling.bounds();
            if !image.target.format.symbols_have_sizes() {
                // Else a symbol would take whatever has no name behind it.
                let targets = cutter
                    .iter()
                    .flat_map(|cutter| cutter.targets(section.index));
                let functions = image.functions.iter().map(|function| function.place);
                let starts = functions.filter(|place| place.section == section.index);
                bounds.extend(targets.chain(starts.map(|place| place.offset)));
            }
            for input in in_map {
                let start = input.address.saturating_sub(section.address);
                bounds.extend([start, start.saturating_add(input.size)]);
            }
            bounds.sort_unstable();
            let bare = extended(bare, &bounds, section.size);
            let of_map = mapped
                .as_ref()
                .map(|mapped| mapped.claims(section, in_map, items));
            // Where no symbol has a size, the map alone says where what they name ends.
            let order = if image.target.format.symbols_have_sizes() {
                [Some(bare), of_map]
            } else {
                [of_map, Some(bare)]
            };
            for claims in order.into_iter().flatten() {
                tiling.lay(claims);
            }
            tiling.lay(frames.remove(&section.index).unwrap_or_default());
            if let Some(incoming) = code.filter(|_| !image.target.format.symbols_have_sizes()) {
                let gaps = tiling.gaps();
                tiling.lay(nameless::functions(image, section, &gaps, incoming, items));
            }
            if let Some(cutter) = cutter {
                let gaps = match &mapped {
                    Some(_) if !in_map.is_empty() => Mapped::pools(section, in_map, &tiling.gaps()),
                    _ => Gap::of(&tiling.gaps()),
                };
                tiling.lay(cutter.claims(section, &gaps, items));
            }
            tiling.lay(Mapped::merged(section, in_map));
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
        };
        let (code, data): (Vec<_>, Vec<_>) = image
            .sections
            .iter()
            .filter(|section| holds_items(image, section))
            .partition(|section| section.access.executable);
        for section in code {
            tile(&mut items, section, Some(&incoming), None);
        }
        let cutter = Cutter::new(image, references, incoming, &items);
        for section in data {
            tile(&mut items, section, None, Some(&cutter));
        }
        let (incoming, shapes) = cutter.into_parts();
        constants::recognise(image, references, &shapes, &mut items);
        items.unused_tables = UnusedTables::find(image, mapped.as_ref(), &mut items);
        let users = Users::find(image, references, &incoming, &items);
        (items, users, shapes)
    }

    /// No items yet.
    pub(crate) fn none(image: &Image<'data>) -> Self {
        Self {
            list: Vec::new(),
            origins: Vec::new(),
            folded: FxHashMap::default(),
            names_len: names_len(image),
            shared: vec![Vec::new()],
            // Generous for any file that a linker writes, and what a hostile one may ask for.
            room_for_shared: image.data.len() / 4 + (1 << 16),
            of_symbols: image
                .symbol_tables
                .iter()
                .map(|table| vec![None; table.symbols.len()])
                .collect(),
            exception_symbols: Vec::new(),
            unused_tables: UnusedTables::default(),
            pieces: vec![Vec::new(); image.sections.len()],
            units: Vec::new(),
            longer_strings: FxHashMap::default(),
        }
    }

    /// Takes in those of a member, whose sections start at `first_section`. What is of no unit that says anything is from
    /// `unit`, a number among those of the member.
    pub(crate) fn append(&mut self, other: Self, first_section: u32, unit: Option<(u32, Source)>) {
        let first_item = self.list.len();
        let first_set = self.shared.len() - 1;
        let first_unit = u32::try_from(self.units.len()).unwrap_or(u32::MAX);
        let item = |id: ItemId| ItemId::new(first_item + id.index());
        let owner = |owner: Owner| match owner {
            Owner::Item(id) => Owner::Item(item(id)),
            // All files have the same set of what was merged.
            Owner::Shared(MERGED) => Owner::Shared(MERGED),
            Owner::Shared(id) => Owner::Shared(SharedId::new(first_set + id.index())),
            other => other,
        };
        let units = other.units;
        let says_something = |number: u32| {
            let unit = usize::try_from(number)
                .ok()
                .and_then(|number| units.get(number));
            unit.is_some_and(|unit| *unit != Unit::Unknown)
        };
        let origin = |origin: Origin| {
            let (own, source) = match (origin.unit.filter(|&own| says_something(own)), unit) {
                (None, Some((unit, source))) => (Some(unit), source),
                _ => (origin.unit, origin.source),
            };
            Origin {
                unit: own.map(|unit| unit.saturating_add(first_unit)),
                source,
                ..origin
            }
        };
        self.list.extend(other.list.into_iter().map(|item| Item {
            place: item.place.map(|place| moved(place, first_section)),
            ..item
        }));
        self.origins.extend(other.origins.into_iter().map(origin));
        self.folded
            .extend(other.folded.into_iter().map(|(id, mut names)| {
                for name in &mut names {
                    name.origin = origin(name.origin);
                }
                (item(id), names)
            }));
        self.names_len = self.names_len.saturating_add(other.names_len);
        self.shared
            .extend(other.shared.into_iter().skip(1).map(|mut set| {
                for member in &mut set {
                    *member = owner(*member);
                }
                set
            }));
        let first = usize::try_from(first_section).unwrap_or(usize::MAX);
        for (number, mut pieces) in other.pieces.into_iter().enumerate() {
            for piece in &mut pieces {
                piece.owner = owner(piece.owner);
            }
            if let Some(own) = self.pieces.get_mut(first.saturating_add(number)) {
                *own = pieces;
            }
        }
        self.units.extend(units);
        let ends = other.longer_strings.into_iter();
        self.longer_strings
            .extend(ends.map(|(end, longer)| (item(end), item(longer))));
    }

    /// The owner of the byte at a place; nothing for sections that hold no items.
    pub(crate) fn owner_at(&self, place: Place) -> Option<Owner> {
        piece_at(self.pieces.get(place.section.get())?, place.offset).map(|piece| piece.owner)
    }

    /// The set of these owners; the owner itself if there is only one. `instead` if sets took more room than any file
    /// that a linker wrote asks for.
    pub(crate) fn share(
        &mut self,
        mut owners: Vec<Owner>,
        sets: &mut FxHashMap<Vec<Owner>, SharedId>,
        instead: Structure,
    ) -> Owner {
        owners.sort_unstable();
        owners.dedup();
        match owners[..] {
            [] => Owner::Unknown,
            [only] => only,
            _ => {
                if let Some(&id) = sets.get(&owners) {
                    return Owner::Shared(id);
                }
                let Some(room) = self.room_for_shared.checked_sub(owners.len()) else {
                    return Owner::Structure(instead);
                };
                self.room_for_shared = room;
                let id = SharedId(u32::try_from(self.shared.len()).unwrap_or(u32::MAX));
                self.shared.push(owners.clone());
                sets.insert(owners, id);
                Owner::Shared(id)
            }
        }
    }

    pub(crate) fn push(&mut self, item: Item<'data>) -> ItemId {
        let id = ItemId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(item);
        self.origins.push(Origin::UNKNOWN);
        id
    }

    pub(crate) fn push_unit(&mut self, unit: Unit<'data>) -> u32 {
        self.units.push(unit);
        u32::try_from(self.units.len() - 1).unwrap_or(u32::MAX)
    }

    /// A unit by its number.
    pub(crate) fn unit(&self, number: Option<u32>) -> Option<&Unit<'data>> {
        self.units.get(usize::try_from(number?).ok()?)
    }

    /// Functions that only unwind entries, or a table of the format's own, tell apart.
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
        let mut codes: Vec<(Place, u64, Source)> = image
            .unwind_tables
            .iter()
            .flat_map(|table| &table.entries)
            .filter_map(|entry| match entry.describes {
                Described::Code { start, len, .. } if len > 0 => {
                    Some((start, len, Source::UnwindTable))
                }
                _ => None,
            })
            .collect();
        let listed = image.functions.iter().filter(|it| it.len > 0);
        codes.extend(listed.map(|it| (it.place, it.len, Source::Layout)));
        codes.sort_unstable();
        codes.dedup_by_key(|(start, ..)| *start);
        for (place, len, source) in codes {
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
                source,
            };
            claims.entry(place.section).or_default().push(claim);
        }
        claims
    }
}

/// A place of a member in the whole.
pub(crate) fn moved(place: Place, first_section: u32) -> Place {
    Place {
        section: SectionIndex(place.section.0.saturating_add(first_section)),
        ..place
    }
}

pub(crate) fn new_item(kind: ItemKind, name: &[u8], place: Option<Place>, len: u64) -> Item<'_> {
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

fn names_len(image: &Image<'_>) -> usize {
    let sections = image
        .symbol_tables
        .iter()
        .filter_map(|table| image.section(table.names?));
    let sum = sections
        .map(|section| section.size)
        .fold(0, u64::saturating_add);
    usize::try_from(sum).unwrap_or(usize::MAX)
}

/// Whether a section holds things of the program itself, and not descriptions of them.
pub(crate) fn holds_items(image: &Image<'_>, section: &Section<'_>) -> bool {
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

/// Lets each claim without a length run to the next bound or to whatever of its own kind starts next, at most to the
/// end of the section: a guess by what stands beside it. `bounds` ascending.
fn extended(mut layer: Vec<Claim>, bounds: &[u64], section_size: u64) -> Vec<Claim> {
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
            .chain(next(bounds))
            .min()
            .unwrap_or(section_size);
        claim.source = Source::Neighbour;
    }
    layer
}

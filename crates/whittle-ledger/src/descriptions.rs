//! Second stage: bytes that describe other bytes go to what they describe. A frame entry goes to its function, a
//! relocation to what it patches, a name to what it names.

use rustc_hash::FxHashMap;
use whittle_image::{
    Described, Format, Image, Place, RelocationEncoding, RelocationKind, RelocationTable,
    RelocationTarget, Section, SectionIndex, SectionRole, SymbolKind, SymbolTable,
};

use crate::certainty::Source;
use crate::items::{Items, new_item};
use crate::kind::Kind;
use crate::owner::{ItemId, ItemKind, Owner, SharedId, Structure};
use crate::padding;
use crate::tiling::{Claim, Tiling};

/// A name that more symbols than this end in is the pool's: a damaged table may give one string to all its symbols, and
/// each of its letters to one more.
const MAX_SHARED_NAME: usize = 64;

/// Tiles all sections that the first stage left: what they hold describes what that stage found. The item of each unit
/// of debug info comes back.
pub(crate) fn describe<'data>(image: &Image<'data>, items: &mut Items<'data>) -> Vec<ItemId> {
    let mut stage = Stage::new(image, items);
    stage.address_slots();
    stage.stubs();
    stage.finish(&[SectionRole::AddressSlots, SectionRole::Stubs]);
    stage.relocations();
    stage.formats_own();
    stage.unwind_tables();
    stage.exception_tables();
    stage.finish(&[
        SectionRole::UnwindTable,
        SectionRole::UnwindIndex,
        SectionRole::ExceptionTable,
    ]);
    for number in 0..image.symbol_tables.len() {
        stage.symbol_table(number);
    }
    let units = stage.debug_units();
    stage.finish_rest();
    units
}

/// Tiles the sections of a container that are no member's, when those of the members are tiled.
pub(crate) fn describe_container<'data>(image: &Image<'data>, items: &mut Items<'data>) {
    let mut stage = Stage::new(image, items);
    stage.formats_own();
    stage.finish_rest();
}

struct Stage<'stage, 'data> {
    image: &'stage Image<'data>,
    items: &'stage mut Items<'data>,
    /// Claims so far, by section.
    claims: FxHashMap<SectionIndex, Vec<Claim>>,
    /// What each address slot leads to.
    slots: FxHashMap<Place, Owner>,
    sets: FxHashMap<Vec<Owner>, SharedId>,
}

impl<'stage, 'data> Stage<'stage, 'data> {
    fn new(image: &'stage Image<'data>, items: &'stage mut Items<'data>) -> Self {
        Self {
            image,
            items,
            claims: FxHashMap::default(),
            slots: FxHashMap::default(),
            sets: FxHashMap::default(),
        }
    }

    fn claim(&mut self, section: SectionIndex, start: u64, len: u64, owner: Owner, source: Source) {
        let end = start.saturating_add(len);
        self.claims.entry(section).or_default().push(Claim {
            start,
            end,
            owner,
            source,
        });
    }

    fn role(&self, section: SectionIndex) -> Option<SectionRole> {
        self.image.section(section).map(|section| section.role)
    }

    fn word(&self) -> u64 {
        u64::from(self.image.target.bits / 8)
    }

    /// What a relocation's target is: the item at an address, or what a symbol names.
    fn target_owner(&self, table: &RelocationTable, target: RelocationTarget) -> Option<Owner> {
        match target {
            RelocationTarget::Address(address) => self
                .image
                .place_at(address)
                .and_then(|place| self.items.owner_at(place)),
            RelocationTarget::Symbol { index, .. } => {
                let index = usize::try_from(index).ok()?;
                let symbols = table.symbols?;
                if let Some(item) = self
                    .items
                    .of_symbols
                    .get(symbols)?
                    .get(index)
                    .copied()
                    .flatten()
                {
                    return Some(Owner::Item(item));
                }
                let place = self
                    .image
                    .symbol_tables
                    .get(symbols)?
                    .symbols
                    .get(index)?
                    .place?;
                self.items.owner_at(place)
            }
            RelocationTarget::Place { place, addend } => {
                let offset = place.offset.checked_add_signed(addend)?;
                self.items.owner_at(Place { offset, ..place })
            }
            RelocationTarget::None => None,
        }
    }

    /// Address slots go to what their address leads to: by the relocation that fills them, else by their content.
    fn address_slots(&mut self) {
        let image = self.image;
        let word = self.word();
        for table in &image.relocation_tables {
            for relocation in &table.relocations {
                let Some(place) = relocation.patched else {
                    continue;
                };
                if self.role(place.section) != Some(SectionRole::AddressSlots) {
                    continue;
                }
                let Some(owner) = self.target_owner(table, relocation.target) else {
                    continue;
                };
                if self.slots.insert(place, owner).is_none() {
                    // A thread-local variable has a pair of slots: module and offset.
                    let len = if relocation.kind == RelocationKind::ThreadLocal {
                        word * 2
                    } else {
                        word
                    };
                    self.claim(place.section, place.offset, len, owner, Source::Relocation);
                }
            }
        }
        for section in image
            .sections
            .iter()
            .filter(|section| section.role == SectionRole::AddressSlots)
        {
            let len = usize::try_from(word).unwrap_or(8);
            for (slot, bytes) in section.stored().chunks_exact(len).enumerate() {
                let place = Place {
                    section: section.index,
                    offset: to_u64(slot) * word,
                };
                let value = read_word(bytes, image);
                if value == 0 || self.slots.contains_key(&place) {
                    continue;
                }
                let owner = image
                    .place_at(value)
                    .and_then(|target| self.items.owner_at(target));
                if let Some(owner @ (Owner::Item(_) | Owner::Shared(_))) = owner {
                    self.slots.insert(place, owner);
                    self.claim(place.section, place.offset, word, owner, Source::Reference);
                }
            }
        }
    }

    /// A stub goes to what its slot leads to.
    fn stubs(&mut self) {
        let image = self.image;
        for stub in &image.stubs {
            if let Some(&owner) = self.slots.get(&stub.slot) {
                self.claim(
                    stub.place.section,
                    stub.place.offset,
                    stub.len,
                    owner,
                    Source::Relocation,
                );
            }
        }
    }

    /// A relocation goes to what it patches; a bitmap of packed relocations to all that it patches.
    fn relocations(&mut self) {
        let image = self.image;
        let in_tables = |table: &&RelocationTable| table.encoding != RelocationEncoding::Elsewhere;
        for table in image.relocation_tables.iter().filter(in_tables) {
            let mut start = 0;
            while let Some(first) = table.relocations.get(start) {
                let same_entry = table.relocations[start..]
                    .iter()
                    .take_while(|other| other.entry == first.entry)
                    .count();
                let group = &table.relocations[start..start + same_entry];
                start += same_entry;
                let owner = if let [only] = group {
                    self.patched_owner(table, only.patched, only.target)
                } else {
                    let owners = group
                        .iter()
                        .map(|one| self.patched_owner(table, one.patched, one.target))
                        .collect();
                    self.items
                        .share(owners, &mut self.sets, Structure::Relocations)
                };
                let entry_size = match table.encoding {
                    RelocationEncoding::Packed => self.word(),
                    RelocationEncoding::WithAddend
                    | RelocationEncoding::AddendInPlace
                    | RelocationEncoding::Elsewhere => table.entry_size,
                };
                self.claim(
                    table.section,
                    first.entry,
                    entry_size,
                    owner,
                    Source::Relocation,
                );
            }
        }
    }

    fn patched_owner(
        &self,
        table: &RelocationTable,
        patched: Option<Place>,
        target: RelocationTarget,
    ) -> Owner {
        let at_place = patched.and_then(|place| self.items.owner_at(place));
        match at_place {
            Some(owner) => owner,
            // What patches the frame of the file, or nothing in it.
            None => match patched.and_then(|place| self.role(place.section)) {
                Some(
                    SectionRole::UnwindTable
                    | SectionRole::UnwindIndex
                    | SectionRole::Debug
                    | SectionRole::ExceptionTable,
                ) => self
                    .target_owner(table, target)
                    .unwrap_or(Owner::Structure(Structure::Relocations)),
                _ => Owner::Structure(Structure::Relocations),
            },
        }
    }

    /// Unwind entries and the entries of their search tables go to the code they describe.
    fn unwind_tables(&mut self) {
        let image = self.image;
        for table in &image.unwind_tables {
            for entry in &table.entries {
                let owner = match entry.describes {
                    Described::Code { start, .. } => {
                        self.items.owner_at(start).unwrap_or(Owner::Unknown)
                    }
                    Described::Common { .. } | Described::Nothing | Described::End => {
                        Owner::Structure(Structure::Unwinding)
                    }
                };
                self.claim(
                    table.section,
                    entry.offset,
                    entry.len,
                    owner,
                    Source::UnwindTable,
                );
            }
        }
        for index in &image.unwind_indexes {
            self.claim(
                index.section,
                0,
                index.header_len,
                Owner::Structure(Structure::Unwinding),
                Source::Layout,
            );
            for (number, code) in index.entries.iter().enumerate() {
                let start = index
                    .header_len
                    .saturating_add(to_u64(number).saturating_mul(index.entry_size));
                let owner = code
                    .and_then(|code| self.items.owner_at(code))
                    .unwrap_or(Owner::Structure(Structure::Unwinding));
                self.claim(
                    index.section,
                    start,
                    index.entry_size,
                    owner,
                    Source::UnwindTable,
                );
            }
        }
    }

    /// What the format's own tables have one entry of for each function goes to that function.
    fn formats_own(&mut self) {
        let image = self.image;
        for description in &image.descriptions {
            if let Some(owner) = self.items.owner_at(description.of) {
                self.claim(
                    description.place.section,
                    description.place.offset,
                    description.len,
                    owner,
                    Source::Layout,
                );
            }
        }
    }

    /// An exception table goes to the code whose unwind entry points at it.
    fn exception_tables(&mut self) {
        let image = self.image;
        let mut users: FxHashMap<Place, Vec<Owner>> = FxHashMap::default();
        let from_entries = image
            .unwind_tables
            .iter()
            .flat_map(|table| &table.entries)
            .filter_map(|entry| match entry.describes {
                Described::Code {
                    start,
                    exceptions: Some(exceptions),
                    ..
                } => Some((exceptions, start)),
                _ => None,
            });
        let from_indexes = image
            .unwind_indexes
            .iter()
            .flat_map(|index| &index.exceptions)
            .filter_map(|&(exceptions, code)| Some((exceptions, code?)));
        for (exceptions, code) in from_entries.chain(from_indexes) {
            if let Some(owner) = self.items.owner_at(code) {
                users.entry(exceptions).or_default().push(owner);
            }
        }
        for table in &image.exception_tables {
            let owner = self.items.share(
                users.remove(&table.place).unwrap_or_default(),
                &mut self.sets,
                Structure::Unwinding,
            );
            self.claim(
                table.place.section,
                table.place.offset,
                table.len,
                owner,
                Source::UnwindTable,
            );
        }
    }

    /// Entries, names and versions of symbols go to what they name.
    fn symbol_table(&mut self, number: usize) {
        let image = self.image;
        let Some(table) = image.symbol_tables.get(number) else {
            return;
        };
        let mut names: Vec<(u64, u64, Owner)> = Vec::new();
        for (index, symbol) in table.symbols.iter().enumerate() {
            let item = self.items.of_symbols[number][index];
            let owner = item
                .map(Owner::Item)
                .or_else(|| self.symbol_owner(table, index))
                .unwrap_or(Owner::Structure(Structure::Symbols));
            let entry = table.entry(index);
            self.claim(
                table.section,
                entry.start,
                entry.end.saturating_sub(entry.start),
                owner,
                Source::Symbol,
            );
            if let Some(versions) = table.versions {
                let at = to_u64(index);
                self.claim(versions, at.saturating_mul(2), 2, owner, Source::Symbol);
            }
            if let Some(offset) = symbol.name_offset.filter(|_| !symbol.name.is_empty()) {
                let len = table
                    .names
                    .map_or(0, |names| written_len(image, names, offset, symbol.name));
                names.push((offset, len + 1, owner));
            }
        }
        if let Some(section) = table.names {
            self.names(section, names);
        }
    }

    /// The owner of a symbol that is no item of its own: one that names a description (LLVM names each exception table,
    /// `GCC_except_table12`) goes where that goes. One that marks a position in data belongs to nobody.
    fn symbol_owner(&self, table: &SymbolTable<'_>, index: usize) -> Option<Owner> {
        let symbol = table.symbols.get(index)?;
        let place = symbol.place?;
        let names_description = matches!(
            self.role(place.section)?,
            SectionRole::UnwindTable
                | SectionRole::ExceptionTable
                | SectionRole::AddressSlots
                | SectionRole::Stubs
        );
        let names_bytes = match symbol.kind {
            SymbolKind::Section | SymbolKind::File => false,
            SymbolKind::Mapping => true,
            _ => names_description,
        };
        self.items
            .owner_at(place)
            .filter(|owner| names_bytes && matches!(owner, Owner::Item(_) | Owner::Shared(_)))
    }

    /// Names that end together share their bytes: `bar` can stand at the end of `foobar`.
    ///
    /// ```text
    ///   foobar\0   |f o o|b a r \0|
    ///      bar\0         |b a r \0|
    ///   owners     foobar| both   |
    /// ```
    fn names(&mut self, section: SectionIndex, mut names: Vec<(u64, u64, Owner)>) {
        names.sort_unstable();
        names.dedup();
        let mut start = 0;
        while let Some(&(first_at, first_len, _)) = names.get(start) {
            let end = first_at.saturating_add(first_len);
            let count = names[start..]
                .iter()
                .take_while(|(at, len, _)| at.saturating_add(*len) == end)
                .count()
                .max(1);
            let group = &names[start..start + count];
            let mut owners: Vec<Owner> = Vec::new();
            let mut pieces = Vec::new();
            for (index, &(at, _, owner)) in group.iter().enumerate() {
                owners.push(owner);
                let next = group.get(index + 1).map_or(end, |&(next, ..)| next);
                if next > at {
                    let owner = if owners.len() > MAX_SHARED_NAME {
                        Owner::Structure(Structure::NamePool)
                    } else {
                        self.items
                            .share(owners.clone(), &mut self.sets, Structure::NamePool)
                    };
                    pieces.push((at, next, owner));
                }
            }
            for (at, next, owner) in pieces {
                self.claim(section, at, next - at, owner, Source::Symbol);
            }
            start += count;
        }
    }

    /// Debug info goes to its unit.
    fn debug_units(&mut self) -> Vec<ItemId> {
        let image = self.image;
        let mut ids = Vec::with_capacity(image.debug_units.len());
        for unit in &image.debug_units {
            let item = self.items.push(new_item(ItemKind::Unit, &[], None, 0));
            ids.push(item);
            for (section, range) in &unit.pieces {
                let len = range.end.saturating_sub(range.start);
                self.claim(
                    *section,
                    range.start,
                    len,
                    Owner::Item(item),
                    Source::DebugInfo,
                );
            }
        }
        ids
    }

    /// Tiles the sections of some roles with the claims so far.
    fn finish(&mut self, roles: &[SectionRole]) {
        let image = self.image;
        for section in image
            .sections
            .iter()
            .filter(|section| roles.contains(&section.role))
        {
            // Object files have exception tables that the first stage tiled.
            if self.items.pieces[section.index.get()].is_empty() {
                self.finish_section(section);
            }
        }
    }

    /// Tiles all sections that are not tiled yet.
    fn finish_rest(&mut self) {
        let image = self.image;
        for section in &image.sections {
            if self.items.pieces[section.index.get()].is_empty() {
                self.finish_section(section);
            }
        }
    }

    fn finish_section(&mut self, section: &Section<'_>) {
        if section.size == 0 {
            return;
        }
        let rest = rest_of(section.role);
        let mut tiling = Tiling::new(section.size, Kind::of_role(section.role));
        tiling.lay(self.claims.remove(&section.index).unwrap_or_default());
        tiling.lay(self.items.unused_tables.in_section(section.index));
        let image = self.image;
        let aligned = matches!(
            section.role,
            SectionRole::ExceptionTable
                | SectionRole::Other
                | SectionRole::Stubs
                | SectionRole::UnwindTable
        );
        let rest = Claim {
            start: 0,
            end: 0,
            owner: rest,
            source: Source::SectionName,
        };
        self.items.pieces[section.index.get()] = tiling.finish(rest, |start, end| {
            // Zeros at the end of a table are part of it, and so is what stands between its entries.
            (aligned && end - start < 16)
                .then(|| padding::by_content(image, section, start, end))
                .flatten()
        });
    }
}

/// How many bytes a name takes where it stands: as many as it has, and the underscore that Mach-O puts before it.
fn written_len(image: &Image<'_>, names: SectionIndex, offset: u64, name: &[u8]) -> u64 {
    let stored = image.section(names).map_or(&[][..], Section::stored);
    let is_bare = usize::try_from(offset)
        .ok()
        .and_then(|offset| stored.get(offset..))
        .is_some_and(|written| written.starts_with(name));
    let prefix = image.target.format == Format::MachO && !is_bare;
    to_u64(name.len()) + u64::from(prefix)
}

/// Who owns what no entry explains in a section of descriptions.
fn rest_of(role: SectionRole) -> Owner {
    let structure = match role {
        SectionRole::AddressSlots | SectionRole::Stubs => Structure::Linkage,
        SectionRole::Relocations => Structure::Relocations,
        SectionRole::UnwindTable | SectionRole::UnwindIndex => Structure::Unwinding,
        SectionRole::Symbols => Structure::Symbols,
        SectionRole::SymbolNames => Structure::NamePool,
        SectionRole::DynamicLinking => Structure::DynamicLinking,
        SectionRole::Debug => Structure::DebugPool,
        SectionRole::Notes => Structure::Notes,
        SectionRole::CompilerMetadata => Structure::Metadata,
        SectionRole::Resources => Structure::Resources,
        SectionRole::Signature => Structure::Signature,
        SectionRole::FileStructure => Structure::Headers,
        _ => return Owner::Unknown,
    };
    Owner::Structure(structure)
}

/// A number of the file, in its byte order.
pub(crate) fn read_word(bytes: &[u8], image: &Image<'_>) -> u64 {
    let little = image.target.endianness == whittle_image::Endianness::Little;
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    if little {
        bytes.iter().rev().fold(0, fold)
    } else {
        bytes.iter().fold(0, fold)
    }
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

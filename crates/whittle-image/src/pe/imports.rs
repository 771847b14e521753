//! Imports: names of functions of other files, and the slots that the loader fills with their addresses. PE Format, "The
//! .idata Section" and "Delay-Load Import Tables".

use object::pe;

use super::{Pe, Rvas, number, text, to_u64, word};
use crate::image::Image;
use crate::place::Place;
use crate::relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};
use crate::symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};

/// Names of functions and libraries are shorter than this, and no file has more imports.
const MAX_NAME_LEN: usize = 4096;
const MAX_IMPORTS: usize = 1 << 16;

/// One function of another file. The name of the library and what belongs to it as a whole come as imports without a slot.
pub(super) struct Import<'data> {
    name: &'data [u8],
    /// Where its name stands, with a number before it and the zero behind; empty if it is imported by number.
    hint: Rvas,
    /// Where its entry stands in the table that the loader reads.
    entry: Rvas,
    /// The slot for its address.
    pub(super) slot: Rvas,
}

impl Import<'_> {
    /// The bytes that only the loader reads.
    pub(super) fn tables(&self) -> impl Iterator<Item = Rvas> + use<> {
        [self.hint.clone(), self.entry.clone()].into_iter()
    }
}

/// What is imported from one library: where its name is, where the list of imports starts, and where their slots are.
struct Library {
    name: u32,
    list: u32,
    slots: u32,
}

/// Finds all imports: those that the loader resolves at the start, and those that are resolved at their first call.
pub(super) fn read<'data>(pe: &Pe<'_>, bits: u8, data: &'data [u8]) -> Vec<Import<'data>> {
    let mut imports = Vec::new();
    read_table(
        pe,
        (pe::IMAGE_DIRECTORY_ENTRY_IMPORT, 20),
        data,
        bits,
        &mut imports,
        |descriptor| {
            Some(Library {
                name: word(descriptor, 12)?,
                list: word(descriptor, 0)?,
                slots: word(descriptor, 16).filter(|&slots| slots != 0)?,
            })
        },
    );
    // Addresses, or relative ones where the lowest bit of the first word says so.
    let relative = |descriptor: &[u8], at: usize| {
        let address = word(descriptor, at)?;
        let relative = if word(descriptor, 0)? & 1 == 1 {
            address
        } else {
            u32::try_from(u64::from(address).checked_sub(pe.base)?).ok()?
        };
        (relative != 0).then_some(relative)
    };
    read_table(
        pe,
        (pe::IMAGE_DIRECTORY_ENTRY_DELAY_IMPORT, 32),
        data,
        bits,
        &mut imports,
        |descriptor| {
            Some(Library {
                name: relative(descriptor, 4)?,
                list: relative(descriptor, 16)?,
                slots: relative(descriptor, 12)?,
            })
        },
    );
    imports
}

/// Reads a table with an entry of one length for each library; the last is empty.
fn read_table<'data>(
    pe: &Pe<'_>,
    (directory, entry_len): (usize, u32),
    data: &'data [u8],
    bits: u8,
    imports: &mut Vec<Import<'data>>,
    library: impl Fn(&[u8]) -> Option<Library>,
) {
    let Some(directory) = pe.directory(directory) else {
        return;
    };
    let mut at = directory.start;
    while let Some(next) = at.checked_add(entry_len) {
        let len = usize::try_from(entry_len).unwrap_or(usize::MAX);
        let Some(descriptor) = pe.bytes(at, data).get(..len) else {
            break;
        };
        imports.push(part_of_table(at..next));
        let Some(library) = library(descriptor) else {
            break;
        };
        if imports.len() >= MAX_IMPORTS || read_library(pe, &library, data, bits, imports).is_none()
        {
            break;
        }
        at = next;
    }
}

fn part_of_table<'data>(entry: Rvas) -> Import<'data> {
    Import {
        name: &[],
        hint: 0..0,
        entry,
        slot: 0..0,
    }
}

/// Reads what is imported from a library; nothing if the list does not end.
fn read_library<'data>(
    pe: &Pe<'_>,
    library: &Library,
    data: &'data [u8],
    bits: u8,
    imports: &mut Vec<Import<'data>>,
) -> Option<()> {
    let len = u32::from(bits / 8);
    let name = text(pe.bytes(library.name, data)).unwrap_or_default();
    let name_end = library
        .name
        .checked_add(u32::try_from(name.len()).ok()? + 1)?;
    imports.push(Import {
        hint: library.name..name_end,
        ..part_of_table(0..0)
    });
    let slots = library.slots;
    // Some linkers leave the list out and have the names in the slots alone.
    let list = if library.list == 0 {
        slots
    } else {
        library.list
    };
    let thunks = pe.bytes(list, data);
    let width = usize::try_from(len).ok()?;
    for at in (0..u32::MAX).step_by(width) {
        let thunk = number(thunks, usize::try_from(at).ok()?, width)?;
        let entry = list.checked_add(at)?;
        let slot = slots.checked_add(at)?;
        let mut import = Import {
            slot: slot..slot.checked_add(len)?,
            ..part_of_table(if list == slots {
                0..0
            } else {
                entry..entry.checked_add(len)?
            })
        };
        if thunk == 0 || imports.len() >= MAX_IMPORTS {
            imports.push(import);
            break;
        }
        // The highest bit says "by number".
        if thunk >> (len * 8 - 1) == 0
            && let Ok(hint) = u32::try_from(thunk)
            && let Some(name) = pe.bytes(hint, data).get(2..).and_then(text)
            && name.len() < MAX_NAME_LEN
        {
            import.name = name;
            import.hint = hint..hint.checked_add(u32::try_from(name.len()).ok()? + 3)?;
        }
        imports.push(import);
    }
    Some(())
}

/// Adds symbols of the imports, and what fills their slots; called when sections have their addresses.
pub(super) fn finish<'data>(pe: &Pe<'_>, imports: &[Import<'data>], image: &mut Image<'data>) {
    let named = |import: &&Import<'_>| !import.name.is_empty();
    let place = |image: &Image<'_>, rvas: &Rvas| {
        (!rvas.is_empty())
            .then(|| pe.place(rvas.start, image))
            .flatten()
    };
    let Some(section) = imports
        .iter()
        .filter(named)
        .find_map(|import| place(image, &import.hint))
        .map(|place| place.section)
    else {
        return;
    };
    let mut table = SymbolTable {
        role: SymbolTableRole::Dynamic,
        section,
        names: None,
        entry_size: 0,
        ranges: Vec::new(),
        symbols: Vec::new(),
        versions: None,
    };
    let mut slots: Vec<(Option<Place>, Relocation)> = Vec::new();
    for import in imports.iter().filter(named) {
        let index = u32::try_from(table.symbols.len()).unwrap_or(u32::MAX);
        let size = image
            .section(section)
            .map_or(0, |section| to_u64(section.stored().len()));
        let range = place(image, &import.hint)
            .filter(|place| place.section == section)
            .map(|place| {
                place.offset..place.offset + u64::from(import.hint.end - import.hint.start)
            })
            .filter(|range| range.end <= size);
        table.ranges.push(range.unwrap_or(0..0));
        table.symbols.push(Symbol {
            name: import.name,
            name_offset: None,
            kind: SymbolKind::Function,
            binding: Binding::Global,
            address: 0,
            size: 0,
            place: None,
            undefined: true,
        });
        if let Some(slot) = place(image, &import.slot) {
            let entry = place(image, &import.entry);
            slots.push((
                entry,
                Relocation {
                    entry: entry.map_or(0, |entry| entry.offset),
                    patched: Some(slot),
                    kind: RelocationKind::Slot,
                    target: RelocationTarget::Symbol { index, addend: 0 },
                },
            ));
        }
    }
    let symbols = Some(image.symbol_tables.len());
    image.symbol_tables.push(table);
    // Entries of one section are a table; those of which only the slots are there take no bytes.
    slots.sort_by_key(|(entry, relocation)| (*entry, relocation.patched));
    for group in slots.chunk_by(|a, b| a.0.map(|it| it.section) == b.0.map(|it| it.section)) {
        let entries = group.first().and_then(|(entry, _)| *entry);
        let Some(home) = entries.or_else(|| group.first()?.1.patched) else {
            continue;
        };
        let stored = image
            .section(home.section)
            .map_or(0, |section| to_u64(section.stored().len()));
        let entry_size = entries.map_or(0, |_| u64::from(image.target.bits / 8));
        let relocations = group.iter().map(|(_, relocation)| *relocation);
        image.relocation_tables.push(RelocationTable {
            section: home.section,
            encoding: RelocationEncoding::WithAddend,
            entry_size,
            symbols,
            relocations: relocations
                .filter(|it| it.entry + entry_size <= stored)
                .collect(),
        });
    }
}

//! Function descriptors of 64-bit PowerPC, big endian: a function's symbol names three words in `.opd`, of which the
//! first is the address of the code (64-bit PowerPC ELF ABI supplement 1.9, "Function Descriptors").

use std::collections::HashMap;

use crate::image::{FileKind, Image};
use crate::place::Place;
use crate::relocation::place_of;
use crate::section::Section;
use crate::symbol::SymbolKind;

/// Moves the places of functions from the descriptors to the code. Their sizes are those of the code already.
pub(super) fn follow(image: &mut Image<'_>) {
    let Some(section) = descriptors(image) else {
        return;
    };
    let relocated = relocated_words(image, section);
    let mut moved = Vec::new();
    for (table, symbols) in image.symbol_tables.iter().enumerate() {
        for (number, symbol) in symbols.symbols.iter().enumerate() {
            let place = symbol
                .place
                .filter(|place| place.section == section.index)
                .filter(|_| symbol.kind == SymbolKind::Function);
            let code = place.and_then(|place| {
                let relocated = relocated.get(&place.offset).copied();
                relocated.or_else(|| stored_word(image, section, place.offset))
            });
            moved.extend(code.map(|code| (table, number, code)));
        }
    }
    for (table, number, code) in moved {
        image.symbol_tables[table].symbols[number].place = Some(code);
    }
}

/// The code that the descriptor at a place of a linked file leads to; nothing if there is no descriptor.
pub(super) fn code_of(image: &Image<'_>, place: Place) -> Option<Place> {
    let section = descriptors(image).filter(|section| section.index == place.section)?;
    stored_word(image, section, place.offset)
}

fn descriptors<'image, 'data>(image: &'image Image<'data>) -> Option<&'image Section<'data>> {
    (image.target.architecture == "powerpc64")
        .then(|| image.section_by_name(".opd"))
        .flatten()
}

fn stored_word(image: &Image<'_>, section: &Section<'_>, offset: u64) -> Option<Place> {
    let rest = section.stored().get(usize::try_from(offset).ok()?..)?;
    image.place_at(u64::from_be_bytes(*rest.first_chunk::<8>()?))
}

/// In an object file the words are empty, and relocations say what will stand there.
fn relocated_words(image: &Image<'_>, section: &Section<'_>) -> HashMap<u64, Place> {
    let mut words = HashMap::new();
    if image.target.kind != FileKind::Object {
        return words;
    }
    for table in &image.relocation_tables {
        for relocation in &table.relocations {
            let patched = relocation
                .patched
                .filter(|place| place.section == section.index);
            if let Some(patched) = patched
                && let Some(code) = place_of(image, table, relocation.target)
            {
                words.entry(patched.offset).or_insert(code);
            }
        }
    }
    words
}

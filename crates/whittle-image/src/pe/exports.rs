//! Exports: names that other files find functions and variables by. PE Format, "The .edata Section".

use object::pe;

use super::{Pe, text, to_u64, word};
use crate::image::Image;
use crate::symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};

/// Ordinals have 16 bits.
const MAX_EXPORTS: u32 = 1 << 16;

/// Adds a symbol for each export with a name. Its entry in the table of symbols is its name.
pub(super) fn read(pe: &Pe<'_>, image: &mut Image<'_>) {
    let Some(directory) = pe.directory(pe::IMAGE_DIRECTORY_ENTRY_EXPORT) else {
        return;
    };
    let header = pe.bytes(directory.start, image.data);
    let field = |at| word(header, at);
    let (Some(functions), Some(names), Some(ordinals), Some(count)) =
        (field(28), field(32), field(36), field(24))
    else {
        return;
    };
    let Some(home) = pe.place(directory.start, image) else {
        return;
    };
    let stored = image
        .section(home.section)
        .map_or(0, |section| to_u64(section.stored().len()));
    let mut table = SymbolTable {
        role: SymbolTableRole::Dynamic,
        section: home.section,
        names: None,
        entry_size: 0,
        ranges: Vec::new(),
        symbols: Vec::new(),
        versions: None,
    };
    let (functions, names, ordinals) = (
        pe.bytes(functions, image.data),
        pe.bytes(names, image.data),
        pe.bytes(ordinals, image.data),
    );
    for index in 0..count.min(MAX_EXPORTS) {
        let at = usize::try_from(index).unwrap_or(usize::MAX);
        let (Some(name_at), Some(ordinal)) =
            (word(names, at * 4), super::number(ordinals, at * 2, 2))
        else {
            break;
        };
        let Some(name) = text(pe.bytes(name_at, image.data)) else {
            continue;
        };
        let function = usize::try_from(ordinal)
            .ok()
            .and_then(|ordinal| word(functions, ordinal * 4));
        // What lies in the directory itself is the name of another file's function instead.
        let place = function
            .filter(|rva| !directory.contains(rva))
            .and_then(|rva| pe.place(rva, image));
        let range = pe
            .place(name_at, image)
            .filter(|place| place.section == home.section)
            .map(|place| place.offset..place.offset + to_u64(name.len()) + 1)
            .filter(|range| range.end <= stored);
        let in_code = place
            .and_then(|place| image.section(place.section))
            .is_some_and(|section| section.access.executable);
        table.ranges.push(range.unwrap_or(0..0));
        table.symbols.push(Symbol {
            name,
            name_offset: None,
            kind: if in_code {
                SymbolKind::Function
            } else {
                SymbolKind::Data
            },
            binding: Binding::Global,
            address: function.map_or(0, |rva| pe.address(rva)),
            size: place.map_or(0, |place| image.function_len(place)),
            place,
            undefined: false,
        });
    }
    image.symbol_tables.push(table);
}

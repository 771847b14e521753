//! Where functions are: the table of function starts, which is a list of distances (LEB128) from the start of the code's
//! segment. It says nothing of lengths: a function runs to the next one, or to the next symbol in its section.

use super::commands::{Commands, FUNCTION_STARTS};
use super::{sections, stored};
use crate::description::{Description, FunctionExtent};
use crate::image::{FileKind, Image};
use crate::place::Place;
use crate::section::SectionRole;
use crate::symbol::{SymbolKind, SymbolTableRole};

/// Reads the table. The functions have no length yet.
pub(super) fn read(commands: &Commands<'_>, image: &mut Image<'_>) {
    let Some(section) = sections::piece(image, FUNCTION_STARTS) else {
        return;
    };
    let bytes = stored(image, section);
    let mut address = commands.base;
    let mut at = 0;
    while let Some((distance, len)) = uleb(bytes.get(at..).unwrap_or_default()) {
        // Zeros fill the table up.
        if distance == 0 {
            break;
        }
        address = address.wrapping_add(distance);
        if let Some(of) = image
            .place_at(address)
            .filter(|&place| is_code(image, place))
        {
            image.functions.push(FunctionExtent { place: of, len: 0 });
            image.descriptions.push(Description {
                place: Place {
                    section,
                    offset: super::to_u64(at),
                },
                len: super::to_u64(len),
                of,
            });
        }
        at += len;
    }
}

/// Of a stripped file the symbols that the loader needs are left in the one table there is. Where only one function in so
/// many has a name, these are all.
const MOST_NAMELESS: usize = 8;

/// Gives functions and symbols of functions their lengths; called when everything that tells where code starts is known.
pub(super) fn give_lengths(image: &mut Image<'_>) {
    let mut starts: Vec<Place> = image
        .functions
        .iter()
        .map(|function| function.place)
        .collect();
    let symbols = image.symbol_tables.iter().flat_map(|table| &table.symbols);
    let named = symbols.filter(|symbol| symbol.kind == SymbolKind::Function);
    let mut named: Vec<Place> = named.filter_map(|symbol| symbol.place).collect();
    named.sort_unstable();
    named.dedup();
    let is_stripped = named.len() < image.functions.len() / MOST_NAMELESS;
    starts.append(&mut named);
    starts.sort_unstable();
    starts.dedup();
    let len = |image: &Image<'_>, place: Place| {
        let next = starts.get(starts.partition_point(|&start| start <= place));
        let end = next
            .filter(|next| next.section == place.section)
            .map(|next| next.offset)
            .or_else(|| Some(image.section(place.section)?.size));
        end.unwrap_or_default().saturating_sub(place.offset)
    };
    let mut functions = std::mem::take(&mut image.functions);
    functions.sort_unstable();
    functions.dedup();
    for function in &mut functions {
        function.len = len(image, function.place);
    }
    image.functions = functions;
    // Symbols of object files are often no more than marks: there the file says which are not (`MH_SUBSECTIONS_VIA_SYMBOLS`).
    let mut tables = std::mem::take(&mut image.symbol_tables);
    if is_stripped {
        for table in &mut tables {
            table.role = SymbolTableRole::Dynamic;
        }
    }
    for symbol in tables.iter_mut().flat_map(|table| &mut table.symbols) {
        if let Some(place) = symbol.place.filter(|_| symbol.kind == SymbolKind::Function) {
            symbol.size = len(image, place);
        }
    }
    image.symbol_tables = tables;
}

/// Whether a place is in a section of code.
pub(super) fn is_code(image: &Image<'_>, place: Place) -> bool {
    image.section(place.section).is_some_and(|section| {
        section.role == SectionRole::Code
            && (place.offset < section.size || image.target.kind == FileKind::Object)
    })
}

/// A number in groups of seven bits, and how many bytes it takes.
pub(super) fn uleb(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate().take(10) {
        let group = u64::from(byte & 0x7f);
        value |= group.checked_shl(u32::try_from(index * 7).ok()?)?;
        if byte & 0x80 == 0 {
            return Some((value, index + 1));
        }
    }
    None
}

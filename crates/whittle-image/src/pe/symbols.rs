//! The COFF symbol table, which MinGW's linkers leave in the file. PE Format, "COFF Symbol Table".

use object::pe;

use super::{Pe, number, text, to_u64, word};
use crate::image::Image;
use crate::place::FileRange;
use crate::section::{Section, SectionRole};
use crate::symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};

const ENTRY_LEN: u64 = 18;

/// The names of two tables that are in no section.
const SYMBOLS: &str = "(COFF symbols)";
const STRINGS: &str = "(COFF string table)";

/// Where the symbols are in the file.
fn entries(pe: &Pe<'_>, file_len: u64) -> Option<FileRange> {
    let (start, count) = pe.symbols;
    let end = start.checked_add(count.checked_mul(ENTRY_LEN)?)?;
    (start != 0 && count != 0 && end <= file_len).then_some(start..end)
}

/// Where the string table is: behind the symbols, its length first.
pub(super) fn strings(pe: &Pe<'_>, file_len: u64) -> Option<FileRange> {
    let (start, count) = pe.symbols;
    let start = start.checked_add(count.checked_mul(ENTRY_LEN)?)?;
    (pe.symbols.0 != 0 && start < file_len).then_some(start..file_len)
}

/// Makes sections of the two tables.
pub(super) fn make_sections(pe: &Pe<'_>, image: &mut Image<'_>) {
    let file_len = image.file_len();
    if let Some(range) = entries(pe, file_len) {
        super::sections::push_unloaded(image, SYMBOLS, range, SectionRole::Symbols);
    }
    if let Some(range) = strings(pe, file_len) {
        let start = usize::try_from(range.start).unwrap_or(usize::MAX);
        let len = word(image.data, start).map_or(0, u64::from);
        let end = range.start.saturating_add(len).min(file_len);
        if len >= 4 && range.start < end {
            super::sections::push_unloaded(
                image,
                STRINGS,
                range.start..end,
                SectionRole::SymbolNames,
            );
        }
    }
}

/// Reads the symbols.
pub(super) fn read(pe: &Pe<'_>, image: &mut Image<'_>) {
    let Some(section) = image.section_by_name(SYMBOLS) else {
        return;
    };
    let (index, bytes) = (section.index, section.stored());
    let strings = image.section_by_name(STRINGS);
    let mut table = SymbolTable {
        role: SymbolTableRole::Static,
        section: index,
        names: strings.map(|strings| strings.index),
        entry_size: 0,
        ranges: Vec::new(),
        symbols: Vec::new(),
        versions: None,
    };
    let strings = strings.map_or(&[][..], Section::stored);
    let mut at: usize = 0;
    let len = usize::try_from(ENTRY_LEN).unwrap_or(18);
    while let Some(entry) = bytes.get(at..at + len) {
        let extra = usize::from(entry[17]);
        let end = (at + len * (extra + 1)).min(bytes.len());
        let aux = bytes.get(at + len..end).unwrap_or_default();
        table.symbols.push(symbol(pe, image, entry, aux, strings));
        table.ranges.push(to_u64(at)..to_u64(end));
        at = end;
    }
    image.symbol_tables.insert(0, table);
}

fn symbol<'data>(
    pe: &Pe<'_>,
    image: &Image<'data>,
    entry: &'data [u8],
    aux: &'data [u8],
    strings: &'data [u8],
) -> Symbol<'data> {
    let value = word(entry, 8).unwrap_or(0);
    let section = number(entry, 12, 2).unwrap_or(0);
    let is_function = number(entry, 14, 2).unwrap_or(0) >> 4 & 3 == 2;
    let class = pe::SymbolClass(entry[16]);
    let until_zero = |bytes: &'data [u8]| {
        let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
        &bytes[..end]
    };
    let (mut name, mut name_offset) = (until_zero(&entry[..8]), None);
    if entry[..4] == [0; 4] {
        let offset = word(entry, 4).unwrap_or(0);
        let long = usize::try_from(offset)
            .ok()
            .and_then(|offset| text(strings.get(offset..)?));
        (name, name_offset) = (long.unwrap_or_default(), long.map(|_| offset.into()));
    }
    let header = usize::try_from(section)
        .ok()
        .and_then(|section| pe.sections.get(section.checked_sub(1)?));
    let rva = header.and_then(|header| {
        header
            .virtual_address
            .get(object::LittleEndian)
            .checked_add(value)
    });
    let place = rva.and_then(|rva| pe.place(rva, image));
    let in_code = place
        .and_then(|place| image.section(place.section))
        .is_some_and(|section| section.access.executable);
    let kind = match class {
        pe::IMAGE_SYM_CLASS_FILE => {
            (name, name_offset) = (until_zero(aux), None);
            SymbolKind::File
        }
        pe::IMAGE_SYM_CLASS_STATIC if value == 0 && !aux.is_empty() => SymbolKind::Section,
        pe::IMAGE_SYM_CLASS_SECTION => SymbolKind::Section,
        // Compilers name the parts of `.text` of each object after it.
        _ if name.starts_with(b".text")
            || name.starts_with(b".rdata")
            || name.starts_with(b".data") =>
        {
            SymbolKind::Section
        }
        _ if is_function => SymbolKind::Function,
        _ if in_code => SymbolKind::Unknown,
        _ => SymbolKind::Data,
    };
    Symbol {
        name,
        name_offset,
        kind,
        binding: match class {
            pe::IMAGE_SYM_CLASS_EXTERNAL => Binding::Global,
            pe::IMAGE_SYM_CLASS_WEAK_EXTERNAL => Binding::Weak,
            _ => Binding::Local,
        },
        address: rva.map_or(0, |rva| pe.address(rva)),
        size: place
            .filter(|_| in_code)
            .map_or(0, |place| image.function_len(place)),
        place: place.filter(|_| kind != SymbolKind::File),
        undefined: section == 0 && class == pe::IMAGE_SYM_CLASS_EXTERNAL && value == 0,
    }
}

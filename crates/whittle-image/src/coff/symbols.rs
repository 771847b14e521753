//! The symbol table, and the table of its long names. PE Format, "COFF Symbol Table" and "COFF String Table".

use object::pe;
use object::pod::slice_from_bytes;
use object::read::coff::{CoffHeader, Symbol as _};

use crate::image::Image;
use crate::pe::{push_unloaded, text, to_u64, word};
use crate::place::{Place, SectionIndex};
use crate::section::SectionRole;
use crate::symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};

const SYMBOLS: &str = "(COFF symbols)";
const STRINGS: &str = "(COFF string table)";

/// Makes sections of the two tables; gives back the bytes of the string table.
pub(super) fn make_sections<'data, H: CoffHeader>(
    header: &'data H,
    image: &mut Image<'data>,
) -> &'data [u8] {
    let start = u64::from(header.pointer_to_symbol_table());
    let entry = to_u64(size_of::<H::Symbol>());
    let len = u64::from(header.number_of_symbols()) * entry;
    if start == 0 {
        return &[];
    }
    let end = start.saturating_add(len).min(image.file_len());
    if end < start.saturating_add(len) {
        image.warnings.push(
            SYMBOLS,
            Some(start),
            "the table ends past the end of the file; cut off",
        );
    }
    if start < end {
        push_unloaded(image, SYMBOLS, start..end, SectionRole::Symbols);
    }
    // Its length, which counts the length itself, stands first.
    let at = usize::try_from(end).unwrap_or(usize::MAX);
    let len = word(image.data, at).map_or(0, u64::from);
    let strings = end..end.saturating_add(len).min(image.file_len());
    if len < 4 || strings.is_empty() {
        return &[];
    }
    let index = push_unloaded(image, STRINGS, strings, SectionRole::SymbolNames);
    image
        .section(index)
        .map_or(&[][..], |section| section.stored())
}

/// Reads the symbols. The sections of the table are those from `own` on. Gives back, by the number of an entry, the number of
/// its symbol: entries that only belong to the one before have that of the symbol that a weak one stands for.
pub(super) fn read<H: CoffHeader>(own: usize, image: &mut Image<'_>) -> Vec<u32> {
    let Some(section) = image.section_by_name(SYMBOLS) else {
        return Vec::new();
    };
    let (index, bytes) = (section.index, section.stored());
    let count = bytes.len() / size_of::<H::Symbol>();
    let (entries, _) = slice_from_bytes::<H::Symbol>(bytes, count).unwrap_or((&[], &[]));
    let names = image.section_by_name(STRINGS);
    let strings = names.map_or(&[][..], |names| names.stored());
    let mut table = SymbolTable {
        role: SymbolTableRole::Static,
        section: index,
        names: names.map(|names| names.index),
        entry_size: 0,
        ranges: Vec::new(),
        symbols: Vec::new(),
        versions: None,
    };
    let mut numbers = Vec::with_capacity(entries.len());
    // Weak symbols, and the entry that each stands for if nothing else defines it.
    let mut weak: Vec<(usize, u32)> = Vec::new();
    let replaceable = replaceable::<H>(entries, image.sections.len().saturating_sub(own));
    let len = size_of::<H::Symbol>();
    let mut at = 0;
    while let Some(entry) = entries.get(at) {
        let end = (at + 1 + usize::from(entry.number_of_aux_symbols())).min(entries.len());
        let aux = bytes.get((at + 1) * len..end * len).unwrap_or_default();
        let number = u32::try_from(table.symbols.len()).unwrap_or(u32::MAX);
        let symbol = symbol::<H>(entry, aux, strings, own, &replaceable, image);
        if entry.storage_class() == pe::IMAGE_SYM_CLASS_WEAK_EXTERNAL
            && symbol.undefined
            && let Some(instead) = word(aux, 0)
        {
            weak.push((at, instead));
        }
        table.symbols.push(symbol);
        table.ranges.push(to_u64(at * len)..to_u64(end * len));
        numbers.resize(end, number);
        at = end;
    }
    // What refers to a weak symbol refers to its default, as far as this file knows.
    for (at, instead) in weak {
        let instead = usize::try_from(instead).ok();
        let number = instead.and_then(|instead| numbers.get(instead)).copied();
        let is_defined = number
            .and_then(|number| table.symbols.get(usize::try_from(number).ok()?))
            .is_some_and(|symbol| symbol.place.is_some());
        if let (Some(number), true) = (number, is_defined) {
            numbers[at] = number;
        }
    }
    image.symbol_tables.push(table);
    numbers
}

/// By section: whether the linker may take an equal or other one of that name from another object instead (COMDAT
/// selection). The symbols in it are weak for that.
fn replaceable<H: CoffHeader>(entries: &[H::Symbol], sections: usize) -> Vec<bool> {
    let mut replaceable = vec![false; sections];
    for (at, entry) in entries.iter().enumerate() {
        if !entry.has_aux_section() {
            continue;
        }
        // Section definitions: the length, two counts, a checksum, a section, the selection.
        let aux = entries.get(at + 1).map(object::bytes_of);
        let selection = aux.and_then(|aux| aux.get(14)).copied();
        let is_free = selection.is_some_and(|selection| {
            matches!(
                pe::ComdatSelection(selection),
                pe::IMAGE_COMDAT_SELECT_ANY
                    | pe::IMAGE_COMDAT_SELECT_SAME_SIZE
                    | pe::IMAGE_COMDAT_SELECT_EXACT_MATCH
                    | pe::IMAGE_COMDAT_SELECT_LARGEST
            )
        });
        let section = entry.section_number().index();
        let section = section.and_then(|number| usize::try_from(number.checked_sub(1)?).ok());
        if let Some(section) = section.and_then(|section| replaceable.get_mut(section)) {
            *section |= is_free;
        }
    }
    replaceable
}

fn symbol<'data, H: CoffHeader>(
    entry: &'data H::Symbol,
    aux: &'data [u8],
    strings: &'data [u8],
    own: usize,
    replaceable: &[bool],
    image: &Image<'data>,
) -> Symbol<'data> {
    let until_zero = |bytes: &'data [u8]| &bytes[..memchr::memchr(0, bytes).unwrap_or(bytes.len())];
    let raw = entry.raw_name();
    let (mut name, mut name_offset) = (until_zero(raw), None);
    if raw.starts_with(&[0; 4]) {
        let offset = word(raw, 4).unwrap_or(0);
        let long = usize::try_from(offset)
            .ok()
            .and_then(|offset| text(strings.get(offset..)?));
        (name, name_offset) = (long.unwrap_or_default(), long.map(|_| offset.into()));
    }
    let number = entry.section_number().index();
    let number = number.and_then(|number| usize::try_from(number.checked_sub(1)?).ok());
    let section = number.and_then(|number| image.sections.get(own.checked_add(number)?));
    let value = u64::from(entry.value());
    let class = entry.storage_class();
    let place = section
        .filter(|section| value <= section.size)
        .map(|section| Place {
            section: section.index,
            offset: value,
        });
    let in_code = section.is_some_and(|section| section.access.executable);
    let is_function = entry.derived_type() == pe::IMAGE_SYM_DTYPE_FUNCTION;
    let kind = match class {
        pe::IMAGE_SYM_CLASS_FILE => {
            (name, name_offset) = (until_zero(aux), None);
            SymbolKind::File
        }
        _ if entry.has_aux_section() => SymbolKind::Section,
        pe::IMAGE_SYM_CLASS_SECTION => SymbolKind::Section,
        _ if is_function => SymbolKind::Function,
        // Marks inside of functions.
        pe::IMAGE_SYM_CLASS_LABEL => SymbolKind::Section,
        _ if in_code => SymbolKind::Unknown,
        _ if section.is_some_and(|section| section.access.thread_local) => SymbolKind::ThreadLocal,
        _ => SymbolKind::Data,
    };
    let is_external = class == pe::IMAGE_SYM_CLASS_EXTERNAL;
    let is_weak = class == pe::IMAGE_SYM_CLASS_WEAK_EXTERNAL
        || is_external && number.and_then(|it| replaceable.get(it)) == Some(&true);
    // Without a section: in another file, or zeros of that size which the linker makes.
    let is_common = is_external && number.is_none() && value > 0;
    let is_elsewhere = entry.section_number() == pe::IMAGE_SYM_UNDEFINED && !is_common;
    Symbol {
        name,
        name_offset,
        kind,
        binding: if is_weak {
            Binding::Weak
        } else if is_external {
            Binding::Global
        } else {
            Binding::Local
        },
        address: value,
        size: 0,
        place: place.filter(|_| kind != SymbolKind::File),
        undefined: is_elsewhere
            && matches!(
                class,
                pe::IMAGE_SYM_CLASS_EXTERNAL | pe::IMAGE_SYM_CLASS_WEAK_EXTERNAL
            ),
    }
}

/// Gives the symbols of functions the lengths that unwind information says; called when it was read.
pub(super) fn give_lengths(image: &mut Image<'_>) {
    let mut tables = std::mem::take(&mut image.symbol_tables);
    for symbol in tables.iter_mut().flat_map(|table| &mut table.symbols) {
        let is_code = matches!(symbol.kind, SymbolKind::Function | SymbolKind::Unknown);
        if let Some(place) = symbol.place.filter(|_| is_code) {
            symbol.size = image.function_len(place);
        }
    }
    image.symbol_tables = tables;
}

/// The section of a number of the table.
pub(super) fn section_of(own: usize, position: usize) -> SectionIndex {
    SectionIndex(u32::try_from(own.saturating_add(position)).unwrap_or(u32::MAX))
}

//! The symbol table. Apple, `mach-o/nlist.h`.

use object::macho;
use object::pod::slice_from_bytes;
use object::read::macho::{MachHeader, Nlist};

use super::commands::{Commands, NAMES, SYMBOLS};
use super::functions::is_code;
use super::{sections, stored, to_u64};
use crate::image::{FileKind, Image};
use crate::place::{Place, SectionIndex};
use crate::symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};

/// No real symbol's name is longer.
const MAX_NAME_LEN: usize = 1 << 20;

/// Reads the symbols. A table that names nothing of the file itself is what the loader needs, and all that is left of a
/// stripped one.
pub(super) fn read<H>(commands: &Commands<'_>, endian: object::Endianness, image: &mut Image<'_>)
where
    H: MachHeader<Endian = object::Endianness>,
{
    if commands.piece(SYMBOLS).is_none() {
        return;
    }
    let Some(section) = sections::piece(image, SYMBOLS) else {
        return;
    };
    let entries = stored(image, section);
    let count = entries.len() / size_of::<H::Nlist>();
    let (entries, _) = slice_from_bytes::<H::Nlist>(entries, count).unwrap_or((&[], &[]));
    let names = sections::piece(image, NAMES);
    let pool = names.map_or(&[][..], |names| stored(image, names));
    let symbols: Vec<Symbol<'_>> = entries
        .iter()
        .map(|entry| symbol(entry, endian, pool, image))
        .collect();
    let names_code = symbols
        .iter()
        .any(|symbol| symbol.kind == SymbolKind::Function && symbol.name != b"_mh_execute_header");
    image.symbol_tables.push(SymbolTable {
        role: if names_code {
            SymbolTableRole::Static
        } else {
            SymbolTableRole::Dynamic
        },
        section,
        names,
        entry_size: to_u64(size_of::<H::Nlist>()),
        ranges: Vec::new(),
        symbols,
        versions: None,
    });
}

fn symbol<'data, N>(
    entry: &N,
    endian: object::Endianness,
    pool: &'data [u8],
    image: &Image<'data>,
) -> Symbol<'data>
where
    N: Nlist<Endian = object::Endianness>,
{
    let offset = entry.n_strx(endian);
    let written = usize::try_from(offset)
        .ok()
        .and_then(|offset| pool.get(offset..))
        .and_then(|rest| {
            let rest = &rest[..rest.len().min(MAX_NAME_LEN)];
            Some(&rest[..memchr::memchr(0, rest)?])
        })
        .unwrap_or_default();
    // Compilers put an underscore before every name, which is no part of it.
    let name = written.strip_prefix(b"_").unwrap_or(written);
    let address: u64 = entry.n_value(endian).into();
    let is_stab = entry.is_stab();
    let undefined = !is_stab && (entry.is_undefined() || entry.is_common());
    let place = (!is_stab && entry.is_definition())
        .then(|| place(entry.n_sect(), address, image))
        .flatten();
    // Assemblers mark where sections start.
    let is_mark = image.target.kind == FileKind::Object
        && written
            .strip_prefix(b"ltmp")
            .is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit));
    let kind = if is_stab {
        stab_kind(entry.n_type())
    } else if is_mark {
        SymbolKind::Section
    } else if place.is_some_and(|place| is_code(image, place)) {
        SymbolKind::Function
    } else {
        SymbolKind::Data
    };
    Symbol {
        name,
        name_offset: (!written.is_empty()).then_some(offset.into()),
        kind,
        binding: if is_stab || entry.n_type().0 & macho::N_EXT.0 == 0 {
            Binding::Local
        } else if entry.n_desc(endian).0 & (macho::N_WEAK_DEF.0 | macho::N_WEAK_REF.0) != 0 {
            Binding::Weak
        } else {
            Binding::Global
        },
        address,
        size: 0,
        place,
        undefined,
    }
}

/// Entries for debuggers name the sources and objects that the program was made of (`mach-o/stab.h`).
fn stab_kind(kind: macho::SymbolFlags) -> SymbolKind {
    match kind.0 {
        // `N_SO`, `N_OSO`
        0x64 | 0x66 => SymbolKind::File,
        _ => SymbolKind::Section,
    }
}

/// Where a symbol is: in the section of its number among those of all segments (from 1), if its address is in it.
fn place(number: u8, address: u64, image: &Image<'_>) -> Option<Place> {
    let index = u32::from(number).checked_sub(1)?;
    let section = image.section(SectionIndex(index))?;
    let place = address
        .checked_sub(section.address)
        .filter(|&offset| offset <= section.size)
        .map(|offset| Place {
            section: section.index,
            offset,
        });
    match image.target.kind {
        FileKind::Object => place,
        _ => place.or_else(|| image.place_at(address)),
    }
}

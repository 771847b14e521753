//! Symbol tables: gABI 4.1, "Symbol Table".

use object::elf;
use object::read::StringTable;
use object::read::elf::{FileHeader, SectionHeader as _, Sym as _};

use super::Elf;
use crate::image::{FileKind, Image};
use crate::place::{Place, SectionIndex};
use crate::symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};

/// No real symbol's name is longer; a table that claims so is damaged, and its names would fill memory when demangled.
const MAX_NAME_LEN: usize = 1 << 20;

/// Reads `.symtab` and `.dynsym`.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    for wanted in [elf::SHT_SYMTAB, elf::SHT_DYNSYM] {
        // The format allows one of each.
        let found = (0_u32..)
            .zip(file.sections)
            .find(|(_, header)| header.sh_type(file.endian) == wanted);
        if let Some((number, header)) = found {
            let role = if wanted == elf::SHT_SYMTAB {
                SymbolTableRole::Static
            } else {
                SymbolTableRole::Dynamic
            };
            if let Some(table) = read_table(file, image, header, SectionIndex(number), role) {
                image.symbol_tables.push(table);
            }
        }
    }
}

fn read_table<'data, H>(
    file: &Elf<'data, H>,
    image: &mut Image<'data>,
    header: &'data H::SectionHeader,
    section: SectionIndex,
    role: SymbolTableRole,
) -> Option<SymbolTable<'data>>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    let entries: &[H::Sym] = match header.data_as_array(endian, file.data) {
        Ok(entries) => entries,
        Err(error) => {
            let name = image.section(section)?.name.to_string();
            image
                .warnings
                .push(name, None, format!("symbols not read: {error}"));
            return None;
        }
    };
    let names_index = SectionIndex(header.sh_link(endian));
    let names_header = file.sections.get(names_index.get());
    let names = names_header.and_then(|names| names.strings(endian, file.data).ok().flatten());
    let large_numbers = large_section_numbers(file, section);
    let mut bad_names = 0_u64;
    let mut bad_places = 0_u64;
    let mut symbols = Vec::with_capacity(entries.len());
    for (number, entry) in entries.iter().enumerate() {
        let name = symbol_name(names, entry.st_name(endian)).unwrap_or_else(|| {
            bad_names += 1;
            &[]
        });
        let kind = symbol_kind(entry.st_type(), name);
        let address = symbol_address(file, entry.st_value(endian).into(), kind);
        let at = entry.st_shndx(endian);
        let section_number = if at == elf::SHN_XINDEX {
            large_numbers.get(number).map(|number| number.get(endian))
        } else {
            at.index().map(u32::from)
        };
        let place = section_number
            .filter(|_| kind != SymbolKind::File)
            .and_then(|number| symbol_place(image, SectionIndex(number), address, kind));
        if section_number.is_some() && place.is_none() && kind != SymbolKind::File {
            bad_places += 1;
        }
        symbols.push(Symbol {
            name,
            name_offset: entry.st_name(endian).into(),
            kind,
            binding: match entry.st_bind() {
                elf::STB_LOCAL => Binding::Local,
                elf::STB_WEAK => Binding::Weak,
                _ => Binding::Global,
            },
            address,
            size: entry.st_size(endian).into(),
            place,
            undefined: at == elf::SHN_UNDEF && number > 0,
        });
    }
    let name = image.section(section)?.name.to_string();
    if bad_names > 0 {
        image.warnings.push(
            &*name,
            None,
            format!("{bad_names} symbols have names outside the table of names"),
        );
    }
    if bad_places > 0 {
        image.warnings.push(
            &*name,
            None,
            format!("{bad_places} symbols lie outside their section; ignored"),
        );
    }
    follow_descriptors(image, &mut symbols);
    Some(SymbolTable {
        role,
        section,
        names: names_header.map(|_| names_index),
        entry_size: u64::try_from(size_of::<H::Sym>()).unwrap_or(u64::MAX),
        symbols,
        versions: None,
    })
}

/// The table of section numbers above 65,279, parallel to the symbols (gABI, "Extended section numbering").
fn large_section_numbers<'data, H>(
    file: &Elf<'data, H>,
    symbols: SectionIndex,
) -> &'data [object::U32<H::Endian>]
where
    H: FileHeader<Endian = object::Endianness>,
{
    file.sections
        .iter()
        .find(|header| {
            header.sh_type(file.endian) == elf::SHT_SYMTAB_SHNDX
                && header.sh_link(file.endian) == symbols.0
        })
        .and_then(|header| header.data_as_array(file.endian, file.data).ok())
        .unwrap_or_default()
}

fn symbol_name<'data>(
    names: Option<StringTable<'data, &'data [u8]>>,
    offset: u32,
) -> Option<&'data [u8]> {
    if offset == 0 {
        return Some(&[]);
    }
    names?
        .get(offset)
        .ok()
        .filter(|name| name.len() <= MAX_NAME_LEN)
}

fn symbol_kind(kind: elf::SymbolType, name: &[u8]) -> SymbolKind {
    match kind {
        elf::STT_FUNC | elf::STT_GNU_IFUNC => SymbolKind::Function,
        elf::STT_OBJECT | elf::STT_COMMON => SymbolKind::Data,
        elf::STT_TLS => SymbolKind::ThreadLocal,
        elf::STT_SECTION => SymbolKind::Section,
        elf::STT_FILE => SymbolKind::File,
        elf::STT_NOTYPE if is_mapping_name(name) => SymbolKind::Mapping,
        _ => SymbolKind::Unknown,
    }
}

/// `$a`, `$d`, `$t`, `$x`, with an optional `.suffix` (ELF for the Arm Architecture, "Mapping symbols"); RISC-V adds
/// the instruction set's name behind `$x`.
fn is_mapping_name(name: &[u8]) -> bool {
    match name {
        [b'$', b'a' | b'd' | b't' | b'x'] | [b'$', b'a' | b'd' | b't' | b'x', b'.', ..] => true,
        _ => name.starts_with(b"$xrv"),
    }
}

fn symbol_address<H>(file: &Elf<'_, H>, value: u64, kind: SymbolKind) -> u64
where
    H: FileHeader<Endian = object::Endianness>,
{
    // On 32-bit ARM the lowest bit of a function's address says "Thumb code", and is no part of the address.
    if kind == SymbolKind::Function && file.header.e_machine(file.endian) == elf::EM_ARM {
        value & !1
    } else {
        value
    }
}

fn symbol_place(
    image: &Image<'_>,
    index: SectionIndex,
    address: u64,
    kind: SymbolKind,
) -> Option<Place> {
    let section = image.section(index)?;
    let offset = if image.target.kind == FileKind::Object {
        address
    } else if kind == SymbolKind::ThreadLocal {
        let (template, _) = image.thread_local?;
        template
            .checked_add(address)?
            .checked_sub(section.address)?
    } else {
        address.checked_sub(section.address)?
    };
    // A symbol may mark the end of its section.
    (offset <= section.size).then_some(Place {
        section: index,
        offset,
    })
}

/// On 64-bit PowerPC, big endian, a function's symbol names a descriptor in `.opd` whose first word is the address of
/// the code (64-bit PowerPC ELF ABI supplement 1.9, "Function descriptors"); the size is that of the code.
fn follow_descriptors(image: &Image<'_>, symbols: &mut [Symbol<'_>]) {
    let Some(descriptors) = image
        .section_by_name(".opd")
        .filter(|_| image.target.architecture == "powerpc64")
    else {
        return;
    };
    for symbol in symbols
        .iter_mut()
        .filter(|symbol| symbol.kind == SymbolKind::Function)
    {
        let code = symbol
            .place
            .filter(|place| place.section == descriptors.index)
            .and_then(|place| usize::try_from(place.offset).ok())
            .and_then(|offset| descriptors.stored().get(offset..)?.first_chunk::<8>())
            .and_then(|word| image.place_at(u64::from_be_bytes(*word)));
        if let Some(code) = code {
            symbol.place = Some(code);
        }
    }
}

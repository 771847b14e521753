//! Symbol tables: gABI 4.1, "Symbol Table".

use object::elf;
use object::read::elf::{FileHeader, SectionHeader as _, Sym as _};

use super::names::Names;
use super::{Elf, code_address, entries, to_u64};
use crate::error::Warnings;
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
    for (wanted, role) in [
        (elf::SHT_SYMTAB, SymbolTableRole::Static),
        (elf::SHT_DYNSYM, SymbolTableRole::Dynamic),
    ] {
        // The format allows one of each.
        let table = file
            .sections
            .iter()
            .position(|header| header.sh_type(file.endian) == wanted)
            .and_then(|number| read_table(file, image, number, role));
        image.symbol_tables.extend(table);
    }
}

fn read_table<'data, H>(
    file: &Elf<'data, H>,
    image: &mut Image<'data>,
    number: usize,
    role: SymbolTableRole,
) -> Option<SymbolTable<'data>>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let header = file.sections.get(number)?;
    let section = image.sections.get(number)?;
    let index = section.index;
    let mut warnings = Warnings::default();

    let entries: &[H::Sym] = entries(section, &mut warnings);
    let names = image.section(SectionIndex(header.sh_link(file.endian)));
    let mut reader = Reader {
        file,
        image,
        large_numbers: linked_table(file, elf::SHT_SYMTAB_SHNDX, index)
            .and_then(|table| image.sections.get(table))
            .map_or(&[][..], |table| super::entries(table, &mut warnings)),
        names: Names::new(names.map_or(&[][..], |names| names.stored()), MAX_NAME_LEN),
        nameless: 0,
        homeless: 0,
    };
    let symbols = (0..)
        .zip(entries)
        .map(|(number, entry)| reader.symbol(number, entry))
        .collect();
    if reader.nameless > 0 {
        let message = format!(
            "{} symbols have names outside the table of names",
            reader.nameless
        );
        warnings.push(&*section.name, None, message);
    }
    if reader.homeless > 0 {
        let message = format!(
            "{} symbols lie outside every section; ignored",
            reader.homeless
        );
        warnings.push(&*section.name, None, message);
    }
    let table = SymbolTable {
        role,
        section: index,
        names: names.map(|names| names.index),
        entry_size: to_u64(size_of::<H::Sym>()),
        ranges: Vec::new(),
        symbols,
        versions: linked_table(file, elf::SHT_GNU_VERSYM, index)
            .and_then(|number| u32::try_from(number).ok())
            .map(SectionIndex),
    };
    image.warnings.extend(&warnings);
    Some(table)
}

/// The number of the table of that type that runs parallel to a table of symbols.
fn linked_table<H>(
    file: &Elf<'_, H>,
    kind: elf::SectionType,
    symbols: SectionIndex,
) -> Option<usize>
where
    H: FileHeader<Endian = object::Endianness>,
{
    file.sections.iter().position(|header| {
        header.sh_type(file.endian) == kind && header.sh_link(file.endian) == symbols.0
    })
}

/// Reads the symbols of one table.
struct Reader<'image, 'data, H: FileHeader> {
    file: &'image Elf<'data, H>,
    image: &'image Image<'data>,
    /// Section numbers above 65,279, parallel to the symbols (gABI, "Extended section numbering").
    large_numbers: &'data [object::U32<H::Endian>],
    names: Names<'data>,
    /// Symbols whose name cannot be read.
    nameless: u64,
    /// Symbols with a size that are in no section.
    homeless: u64,
}

impl<'data, H> Reader<'_, 'data, H>
where
    H: FileHeader<Endian = object::Endianness>,
{
    fn symbol(&mut self, number: usize, entry: &H::Sym) -> Symbol<'data> {
        let endian = self.file.endian;
        let name_offset = entry.st_name(endian).into();
        let name = match name_offset {
            0 => &[],
            _ => self.names.get(name_offset).unwrap_or_else(|| {
                self.nameless += 1;
                &[]
            }),
        };
        let kind = symbol_kind(entry.st_type(), name);
        let at = entry.st_shndx(endian);
        let value = entry.st_value(endian).into();
        let address = match kind {
            // Room that the linker has yet to give: the value is an alignment.
            _ if at == elf::SHN_COMMON => 0,
            SymbolKind::Function => code_address(self.file, value),
            _ => value,
        };
        let size = entry.st_size(endian).into();
        let section = if at == elf::SHN_XINDEX {
            self.large_numbers
                .get(number)
                .map(|number| number.get(endian))
        } else {
            at.index().map(u32::from)
        };
        let place = section
            .filter(|_| kind != SymbolKind::File)
            .and_then(|section| symbol_place(self.image, SectionIndex(section), address, kind));
        let has_bytes = size > 0 && matches!(kind, SymbolKind::Function | SymbolKind::Data);
        if section.is_some() && place.is_none() && has_bytes {
            self.homeless += 1;
        }
        Symbol {
            name,
            name_offset: Some(name_offset),
            kind,
            binding: match entry.st_bind() {
                elf::STB_LOCAL => Binding::Local,
                elf::STB_WEAK => Binding::Weak,
                _ => Binding::Global,
            },
            address,
            size,
            place,
            undefined: at == elf::SHN_UNDEF && number > 0,
        }
    }
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

/// Where a symbol is.
///
/// Tools that move code after the link (BOLT) leave old section numbers behind, and linkers number the symbols that
/// mark an end by the section before it: where number and address disagree, the address counts. Not for the marks of data
/// and code: GNU ld leaves those of unwind tables that it has shortened at addresses of other sections (binutils 2.40),
/// where they would turn code into data.
fn symbol_place(
    image: &Image<'_>,
    index: SectionIndex,
    address: u64,
    kind: SymbolKind,
) -> Option<Place> {
    let section = image.section(index)?;
    let offset = if image.target.kind == FileKind::Object {
        Some(address)
    } else if kind == SymbolKind::ThreadLocal {
        let (template, _) = image.thread_local?;
        template
            .checked_add(address)
            .and_then(|address| address.checked_sub(section.address))
    } else {
        address.checked_sub(section.address)
    };
    // A symbol may mark the end of its section.
    let place = offset
        .filter(|&offset| offset <= section.size)
        .map(|offset| Place {
            section: index,
            offset,
        });
    match kind {
        SymbolKind::ThreadLocal | SymbolKind::Mapping => place,
        _ => place.or_else(|| image.place_at(address)),
    }
}

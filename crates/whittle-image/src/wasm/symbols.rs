//! Names: what is imported and exported, and the name section. Core Specification, "Import Section", "Export Section",
//! appendix "Name Section".

use std::ops::Range;

use wasmparser::{
    BinaryReader, ExportSectionReader, ExternalKind, FromReader as _, GlobalType,
    ImportSectionReader, TypeRef,
};

use super::sections::{Found, cut_off, ends, len};
use super::{FunctionTable, IndexSpaces, name, reader};
use crate::error::Warnings;
use crate::image::Image;
use crate::place::{Place, SectionIndex};
use crate::symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};

/// An empty table over a section.
fn table<'data>(section: SectionIndex, role: SymbolTableRole) -> SymbolTable<'data> {
    SymbolTable {
        role,
        section,
        names: None,
        entry_size: 0,
        ranges: Vec::new(),
        symbols: Vec::new(),
        versions: None,
    }
}

fn undefined(name: &[u8], kind: SymbolKind) -> Symbol<'_> {
    Symbol {
        name: &name[..memchr::memchr(0, name).unwrap_or(name.len())],
        name_offset: None,
        kind,
        binding: Binding::Global,
        address: 0,
        size: 0,
        place: None,
        undefined: true,
    }
}

/// Each import is a symbol that another module defines. Imports come first in their index spaces.
pub(super) fn read_imports(
    found: &Found,
    image: &mut Image<'_>,
    spaces: &mut IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.imports else {
        return;
    };
    let mut list: Vec<(u64, &[u8], TypeRef)> = Vec::new();
    let mut read = || -> wasmparser::Result<()> {
        for group in ImportSectionReader::new(reader(image, section))?.into_imports_with_offsets() {
            let (at, import) = group?;
            list.push((at, import.name.as_bytes(), import.ty));
        }
        Ok(())
    };
    if let Err(error) = read() {
        cut_off(warnings, "import", &error);
    }
    let mut table = table(section, SymbolTableRole::Dynamic);
    let starts: Vec<u64> = list.iter().map(|&(at, ..)| at).collect();
    for ((offset, name, of_type), end) in list.iter().zip(ends(&starts, len(image, section))) {
        let place = Place {
            section,
            offset: *offset,
        };
        let kind = match of_type {
            TypeRef::Func(of_type) | TypeRef::FuncExact(of_type) => {
                spaces.functions.push(place);
                spaces.function_types.push(*of_type);
                SymbolKind::Function
            }
            TypeRef::Global(_) => {
                spaces.globals.push(place);
                SymbolKind::Data
            }
            TypeRef::Table(_) => {
                spaces.tables.push(FunctionTable::default());
                SymbolKind::Unknown
            }
            _ => SymbolKind::Unknown,
        };
        table.symbols.push(undefined(name, kind));
        table.ranges.push(*offset..end.max(*offset));
    }
    image.symbol_tables.push(table);
}

/// Finds where each global is.
pub(super) fn read_globals(
    found: &Found,
    image: &mut Image<'_>,
    spaces: &mut IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.globals else {
        return;
    };
    let mut globals = reader(image, section);
    let mut read = || -> wasmparser::Result<()> {
        for _ in 0..globals.read_var_u32()? {
            let offset = globals.original_position();
            GlobalType::from_reader(&mut globals)?;
            globals.read::<wasmparser::ConstExpr<'_>>()?;
            spaces.globals.push(Place { section, offset });
        }
        Ok(())
    };
    if let Err(error) = read() {
        cut_off(warnings, "global", &error);
    }
}

/// Reads the name section; gives back the names of the data segments.
pub(super) fn read_names(
    found: &Found,
    image: &mut Image<'_>,
    spaces: &IndexSpaces,
    warnings: &mut Warnings,
) -> Vec<String> {
    let Some(section) = found.names else {
        return Vec::new();
    };
    let mut segments = Vec::new();
    let mut table = table(section, SymbolTableRole::Static);
    let mut names = reader(image, section);
    let mut read = || -> wasmparser::Result<()> {
        while !names.eof() {
            let id = names.read_u8()?;
            let mut map = names.read_reader()?;
            match id {
                1 => {
                    for_each(&mut map, |index, name, range| {
                        let place = spaces.functions.get(index).copied();
                        push_named(image, &mut table, place, SymbolKind::Function, name, range);
                    })?;
                }
                7 => {
                    for_each(&mut map, |index, name, range| {
                        let place = spaces.globals.get(index).copied();
                        push_named(image, &mut table, place, SymbolKind::Data, name, range);
                    })?;
                }
                9 => {
                    for_each(&mut map, |index, name, _| {
                        if index == segments.len() {
                            segments.push(String::from_utf8_lossy(name).into_owned());
                        }
                    })?;
                }
                _ => {}
            }
        }
        Ok(())
    };
    if let Err(error) = read() {
        cut_off(warnings, "name", &error);
    }
    image.symbol_tables.insert(0, table);
    segments
}

/// Reads a map of names: numbers with a name each.
fn for_each<'data>(
    map: &mut BinaryReader<'data>,
    mut each: impl FnMut(usize, &'data [u8], Range<u64>),
) -> wasmparser::Result<()> {
    for _ in 0..map.read_var_u32()? {
        let start = map.original_position();
        let index = map.read_var_u32()?;
        let name = name(map)?;
        let range = start..map.original_position();
        each(usize::try_from(index).unwrap_or(usize::MAX), name, range);
    }
    Ok(())
}

fn push_named<'data>(
    image: &Image<'data>,
    table: &mut SymbolTable<'data>,
    place: Option<Place>,
    kind: SymbolKind,
    name: &'data [u8],
    range: Range<u64>,
) {
    let symbol = match place {
        Some(place) if is_defined(image, place) => {
            defined(image, place, kind, name, Binding::Local)
        }
        Some(_) => undefined(name, kind),
        None => Symbol {
            undefined: false,
            ..undefined(name, SymbolKind::Unknown)
        },
    };
    table.symbols.push(symbol);
    table.ranges.push(range);
}

/// Whether a place is that of a function or global, and not that of an import.
fn is_defined(image: &Image<'_>, place: Place) -> bool {
    let is_import = |table: &SymbolTable<'_>| {
        table.section == place.section && table.role == SymbolTableRole::Dynamic
    };
    !image.symbol_tables.iter().any(is_import)
}

fn defined<'data>(
    image: &Image<'data>,
    place: Place,
    kind: SymbolKind,
    name: &'data [u8],
    binding: Binding,
) -> Symbol<'data> {
    let is_function = image
        .functions
        .binary_search_by_key(&place, |function| function.place);
    let size = match is_function {
        Ok(number) => image.functions[number].len,
        Err(_) => global_len(image, place),
    };
    Symbol {
        name,
        name_offset: None,
        kind,
        binding,
        address: place.offset,
        size,
        place: Some(place),
        undefined: false,
    }
}

/// How many bytes a global has: its type and what it starts with.
fn global_len(image: &Image<'_>, place: Place) -> u64 {
    let mut global = reader(image, place.section);
    let skipped = usize::try_from(place.offset).unwrap_or(usize::MAX);
    let read = global.read_bytes(skipped).and_then(|_| {
        GlobalType::from_reader(&mut global)?;
        global.read::<wasmparser::ConstExpr<'_>>()?;
        Ok(global.original_position() - place.offset)
    });
    read.unwrap_or(0)
}

/// Each export gives a name to a function or global, or to a table or memory, which are nobody's.
pub(super) fn read_exports(
    found: &Found,
    image: &mut Image<'_>,
    spaces: &mut IndexSpaces,
    warnings: &mut Warnings,
) {
    let Some(section) = found.exports else {
        return;
    };
    let mut list = Vec::new();
    let mut read = || -> wasmparser::Result<()> {
        let exports = ExportSectionReader::new(reader(image, section))?;
        for export in exports.into_iter_with_offsets() {
            list.push(export?);
        }
        Ok(())
    };
    if let Err(error) = read() {
        cut_off(warnings, "export", &error);
    }
    let starts: Vec<u64> = list.iter().map(|&(at, _)| at).collect();
    let mut table = table(section, SymbolTableRole::Dynamic);
    for ((offset, export), end) in list.iter().zip(ends(&starts, len(image, section))) {
        let index = usize::try_from(export.index).unwrap_or(usize::MAX);
        let (place, kind) = match export.kind {
            ExternalKind::Func | ExternalKind::FuncExact => {
                (spaces.functions.get(index), SymbolKind::Function)
            }
            ExternalKind::Global => (spaces.globals.get(index), SymbolKind::Data),
            ExternalKind::Table => {
                if let Some(table) = spaces.tables.get_mut(index) {
                    table.exported = true;
                }
                (None, SymbolKind::Unknown)
            }
            _ => (None, SymbolKind::Unknown),
        };
        let name = export.name.as_bytes();
        let name = &name[..memchr::memchr(0, name).unwrap_or(name.len())];
        let symbol = match place {
            Some(&place) if is_defined(image, place) => {
                if matches!(name, b"_start" | b"main") && image.entry.is_none() {
                    image.entry = Some(place);
                }
                defined(image, place, kind, name, Binding::Global)
            }
            _ => Symbol {
                undefined: false,
                ..undefined(name, SymbolKind::Unknown)
            },
        };
        table.symbols.push(symbol);
        table.ranges.push(*offset..end.max(*offset));
    }
    image.symbol_tables.push(table);
}

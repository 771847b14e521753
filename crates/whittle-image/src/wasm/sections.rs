//! Makes sections of the payloads, and has what is in them read.

use super::headers::{Layer, Module};
use super::{
    IndexSpaces, code, data, producers, push_section, reader, roles, symbols, tables, to_u64,
};
use crate::audit;
use crate::error::Warnings;
use crate::image::{FileKind, Image};
use crate::place::{FileRange, SectionIndex};
use crate::section::{Section, SectionRole};

/// The sections of one module by their numbers in the format; custom ones by name.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) types: Option<SectionIndex>,
    pub(super) imports: Option<SectionIndex>,
    pub(super) functions: Option<SectionIndex>,
    pub(super) tables: Option<SectionIndex>,
    pub(super) globals: Option<SectionIndex>,
    pub(super) exports: Option<SectionIndex>,
    pub(super) start: Option<SectionIndex>,
    pub(super) elements: Option<SectionIndex>,
    pub(super) names: Option<SectionIndex>,
    pub(super) code: Option<FileRange>,
    pub(super) data: Option<FileRange>,
}

/// Reads the sections of a module, or those that a component has besides its modules.
pub(super) fn read(module: &Module, image: &mut Image<'_>) {
    let mut found = Found::default();
    for (id, range) in &module.sections {
        if *id == 0 {
            custom(range, image, &mut found);
            continue;
        }
        let (name, role) = match module.layer {
            Layer::Module => roles::of_module(*id),
            Layer::Component => roles::of_component(*id),
        };
        match (module.layer, id) {
            // The format allows one of each; a second one of a damaged file is bytes and no more.
            (Layer::Module, 10) if found.code.is_none() => found.code = Some(range.clone()),
            (Layer::Module, 11) if found.data.is_none() => found.data = Some(range.clone()),
            (Layer::Module, 10 | 11) => {
                push_section(image, name, range.clone(), SectionRole::Other);
            }
            (Layer::Component, _) => {
                push_section(image, name, range.clone(), role);
            }
            (Layer::Module, _) => {
                let index = push_section(image, name, range.clone(), role);
                let slot = match id {
                    1 => &mut found.types,
                    2 => &mut found.imports,
                    3 => &mut found.functions,
                    4 => &mut found.tables,
                    6 => &mut found.globals,
                    7 => &mut found.exports,
                    8 => &mut found.start,
                    9 => &mut found.elements,
                    5 => {
                        read_memory(image, index);
                        continue;
                    }
                    _ => continue,
                };
                slot.get_or_insert(index);
            }
        }
    }
    if module.layer == Layer::Module {
        contents(&found, image);
    }
}

/// Reads what is in the sections of a module.
fn contents(found: &Found, image: &mut Image<'_>) {
    let mut warnings = Warnings::default();
    let mut spaces = IndexSpaces::default();
    tables::read_types(found, image, &mut spaces, &mut warnings);
    symbols::read_imports(found, image, &mut spaces, &mut warnings);
    tables::read_tables(found, image, &mut spaces, &mut warnings);
    if let Some(range) = &found.code {
        code::read(range, image, &mut spaces, &mut warnings);
    }
    code::read_function_section(found, image, &mut spaces, &mut warnings);
    symbols::read_globals(found, image, &mut spaces, &mut warnings);
    tables::read_elements(found, image, &mut spaces, &mut warnings);
    let segments = symbols::read_names(found, image, &spaces, &mut warnings);
    symbols::read_exports(found, image, &mut spaces, &mut warnings);
    if let Some(range) = &found.data {
        let count = |image: &Image<'_>| u32::try_from(image.sections.len()).unwrap_or(u32::MAX);
        let first = count(image);
        data::read(range, &segments, image, &mut warnings);
        spaces.data = first..count(image);
    }
    if let Some(start) = found.start
        && let Ok(function) = reader(image, start).read_var_u32()
    {
        let place = usize::try_from(function).ok();
        image.entry = place
            .and_then(|function| spaces.functions.get(function).copied())
            .or(image.entry);
    }
    image.index_spaces.push(spaces);
    image.warnings.extend(&warnings);
}

/// A custom section: its name, then whatever it holds. The two are sections of the same name, so that what is read by
/// other standards (DWARF) starts at offset 0.
fn custom(range: &FileRange, image: &mut Image<'_>, found: &mut Found) {
    let whole = push_section(image, "", range.clone(), SectionRole::Other);
    let mut payload = reader(image, whole);
    let name = payload.read_var_u32().ok().and_then(|len| {
        let len = usize::try_from(len).ok().filter(|&len| len <= 1 << 16)?;
        payload.read_bytes(len).ok()
    });
    let Some(name) = name else {
        image.sections[whole.get()].name = "(custom section)".into();
        let message = "the name of a custom section is cut off";
        image
            .warnings
            .push("section header", Some(range.start), message);
        return;
    };
    let name = String::from_utf8_lossy(name);
    let start = range.start + payload.original_position();
    image.sections.pop();
    let role = roles::of_custom(&name);
    let index = push_section(image, name.clone(), start..range.end, role);
    push_section(
        image,
        name.clone(),
        range.start..start,
        SectionRole::FileStructure,
    );
    match &*name {
        "name" => {
            found.names.get_or_insert(index);
        }
        "producers" => producers::read(image, index),
        "linking" => image.target.kind = FileKind::Object,
        "dylink.0" => image.target.kind = FileKind::SharedLibrary,
        ".dep-v0" => {
            let stored = image.section(index).map_or(&[][..], Section::stored);
            match audit::parse(stored) {
                Ok(packages) => image.facts.audited = packages,
                Err(reason) => image.warnings.push(".dep-v0", None, reason),
            }
        }
        "build_id" => {
            let mut reader = reader(image, index);
            let id = reader.read_var_u32().ok().and_then(|len| {
                reader
                    .read_bytes(usize::try_from(len).ok().filter(|&len| len <= 64)?)
                    .ok()
            });
            image.facts.build_id = id.map(<[u8]>::to_vec);
        }
        _ => {}
    }
}

/// Core Specification 3.0, "Memory Types": bit 2 of the limits' flags says 64-bit addresses.
fn read_memory(image: &mut Image<'_>, index: SectionIndex) {
    let mut reader = reader(image, index);
    let flags = reader.read_var_u32().and_then(|_| reader.read_u8());
    if flags.is_ok_and(|flags| flags & 4 != 0) {
        image.target.bits = 64;
        "wasm64".clone_into(&mut image.target.architecture);
    }
}

/// Says that a section could not be read to its end.
pub(super) fn cut_off(warnings: &mut Warnings, section: &str, error: &wasmparser::Error) {
    warnings.push(
        section,
        Some(error.offset()),
        format!("not read from here on: {}", error.message()),
    );
}

/// Where the pieces of a list end: where the next one starts, the last one at `end`.
pub(super) fn ends(starts: &[u64], end: u64) -> impl Iterator<Item = u64> + '_ {
    let next = starts.get(1..).unwrap_or_default();
    next.iter()
        .copied()
        .chain(std::iter::once(end))
        .take(starts.len())
}

/// How many bytes a section has.
pub(super) fn len(image: &Image<'_>, section: SectionIndex) -> u64 {
    image
        .section(section)
        .map_or(0, |section| to_u64(section.stored().len()))
}

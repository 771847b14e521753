//! The reader for WebAssembly: core modules, and components as far as they hold modules.
//!
//! Layouts: WebAssembly Core Specification 3.0, "Binary Format" and appendix "Custom Sections"; Component Model, "Binary
//! Format"; WebAssembly tool conventions, "Linking". Each section's payload is a section here; its number and length,
//! which stand before it, are headers. Where a section of the format holds several things, several sections of the
//! same name stand for it: the contents of each data segment are one, what says where it goes is another.
//!
//! Code is in no address space: its sections are not loaded. Addresses are those of linear memory.

mod code;
mod data;
mod headers;
mod producers;
mod roles;
mod sections;
mod symbols;
mod tables;

use std::borrow::Cow;
use std::ops::Range;

use wasmparser::BinaryReader;

use crate::dwarf;
use crate::error::ImageError;
use crate::image::{Endianness, FileKind, Format, Image, Target};
use crate::place::{FileRange, Place, SectionIndex, slice};
use crate::section::{Access, Compression, Retention, Section, SectionRole};

/// The numbers by which instructions of one module name things, and where these things are. What is imported has the
/// place of its import.
#[derive(Debug, Clone, Default)]
pub struct IndexSpaces {
    /// The section with the code that uses these numbers.
    pub code: Option<SectionIndex>,
    /// Functions.
    pub functions: Vec<Place>,
    /// Globals.
    pub globals: Vec<Place>,
    /// What each type is; see [`FunctionType`].
    pub types: Vec<FunctionType>,
    /// The number of the type of each function. Shorter than `functions` if the file does not say.
    pub function_types: Vec<u32>,
    /// Tables that functions are called through.
    pub tables: Vec<FunctionTable>,
    /// The numbers of the sections with the module's data: the addresses of its memory mean these and no others.
    pub data: Range<u32>,
}

/// A type of functions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionType {
    /// The first number that stands for the same type: calls compare what a type is, not its number.
    pub same_as: u32,
    /// As text: `(i32, i32) -> i32`; empty for what is no type of a function.
    pub text: String,
}

/// A table that functions are called through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FunctionTable {
    /// The functions that can stand in it, by number, in ascending order: those that the module puts there at its start,
    /// and those that instructions may put there.
    pub functions: Vec<u32>,
    /// Whether others can call through it: it is exported.
    pub exported: bool,
}

/// Reads a module or component.
///
/// # Errors
/// [`ImageError`] if the preamble itself is cut off.
pub(crate) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    if data.len() < headers::PREAMBLE_LEN {
        return Err(ImageError::PastEnd {
            table: "WebAssembly preamble",
            offset: 0,
            len: to_u64(headers::PREAMBLE_LEN),
            file_len: to_u64(data.len()),
        });
    }
    let target = Target {
        format: Format::Wasm,
        architecture: "wasm32".to_owned(),
        bits: 32,
        endianness: Endianness::Little,
        kind: FileKind::Executable,
    };
    let mut image = Image::new(data, target);
    let modules = headers::read(&mut image);
    for module in &modules {
        sections::read(module, &mut image);
    }
    image.headers.sort_by_key(|header| header.file_range.start);
    image.index_addresses();
    image.functions.sort_unstable();
    dwarf::read_units(&mut image);
    Ok(image)
}

/// Adds a section and returns its number.
fn push_section<'data>(
    image: &mut Image<'data>,
    name: impl Into<Cow<'data, str>>,
    range: FileRange,
    role: SectionRole,
) -> SectionIndex {
    let index = SectionIndex(u32::try_from(image.sections.len()).unwrap_or(u32::MAX));
    let stored = slice(image.data, &range).unwrap_or_default();
    image.sections.push(Section {
        index,
        name: name.into(),
        address: 0,
        size: to_u64(stored.len()),
        file_range: Some(range),
        align: 1,
        access: Access::default(),
        role,
        retention: Retention::IfMentioned,
        compression: Compression::None,
        stored,
    });
    index
}

/// A reader over a section; its positions are bytes from the start of the section.
fn reader<'data>(image: &Image<'data>, section: SectionIndex) -> BinaryReader<'data> {
    let stored = image.section(section).map_or(&[][..], Section::stored);
    BinaryReader::new(stored, 0)
}

/// A name as bytes: text without a zero, shortened to what any real name has.
fn name<'data>(reader: &mut BinaryReader<'data>) -> wasmparser::Result<&'data [u8]> {
    const MAX_NAME_LEN: usize = 1 << 20;
    let len = reader.read_var_u32()?;
    let bytes = reader.read_bytes(usize::try_from(len).unwrap_or(usize::MAX))?;
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    Ok(&bytes[..end.min(MAX_NAME_LEN)])
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

//! Debug info by unit: which bytes of the debug sections describe which compile unit. DWARF 5, section 7.5 and
//! appendix B (how the sections refer to each other); units of DWARF 2 to 4 are read as well.
//!
//! Only unit headers and their root entries are read, so the cost does not grow with the size of a unit.

mod contributions;
mod roots;

use std::borrow::Cow;
use std::collections::HashMap;

use gimli::Reader as _;

use crate::debug::DebugUnit;
use crate::error::Warnings;
use crate::image::{Endianness, FileKind, Image};
use crate::place::SectionIndex;
use crate::section::{Compression, SectionRole};
use crate::symbol::SymbolKind;

type Slice<'a> = gimli::EndianSlice<'a, gimli::RunTimeEndian>;

/// Finds the units of the debug info and the pieces of the sections that belong to one unit alone.
pub(crate) fn read_units(image: &mut Image<'_>) {
    if image.target.kind == FileKind::Object {
        image.debug_units = object_unit(image).into_iter().collect();
        return;
    }
    let mut warnings = Warnings::default();
    let sections = DebugSections::of(image, &mut warnings);
    let mut units = roots::read(&sections, &mut warnings);
    contributions::share_out(&sections, &mut units);
    let units = units.into_iter().map(|unit| unit.public).collect();
    image.debug_units = units;
    image.warnings.extend(&warnings);
}

/// An object file holds what one compiler run wrote: one unit, named by its file symbol.
fn object_unit(image: &Image<'_>) -> Option<DebugUnit> {
    let pieces: Vec<_> = image
        .sections
        .iter()
        .filter(|section| section.role == SectionRole::Debug && section.size > 0)
        .map(|section| (section.index, 0..section.size))
        .collect();
    let mut files = image
        .symbol_tables
        .iter()
        .flat_map(|table| &table.symbols)
        .filter(|symbol| symbol.kind == SymbolKind::File);
    let (file, more) = (files.next()?, files.next());
    (more.is_none() && !pieces.is_empty()).then(|| DebugUnit {
        name: Some(String::from_utf8_lossy(file.name).into_owned()),
        folder: None,
        producer: None,
        pieces,
    })
}

/// The sections that tell units apart.
const WANTED: &[&str] = &[
    ".debug_abbrev",
    ".debug_addr",
    ".debug_aranges",
    ".debug_gnu_pubnames",
    ".debug_gnu_pubtypes",
    ".debug_info",
    ".debug_line",
    ".debug_line_str",
    ".debug_loclists",
    ".debug_pubnames",
    ".debug_pubtypes",
    ".debug_rnglists",
    ".debug_str",
    ".debug_str_offsets",
    ".debug_types",
];

/// The debug sections of a file, expanded.
struct DebugSections<'image> {
    by_name: HashMap<&'static str, (SectionIndex, Cow<'image, [u8]>)>,
    endian: gimli::RunTimeEndian,
}

impl<'image> DebugSections<'image> {
    fn of(image: &'image Image<'_>, warnings: &mut Warnings) -> Self {
        let mut by_name = HashMap::new();
        // Compressed sections that share bytes in the file would multiply what each alone may expand to.
        let mut expanded_left = Compression::largest_expansion(image.file_len());
        for section in &image.sections {
            if section.role != SectionRole::Debug || section.size == 0 {
                continue;
            }
            let suffix = section
                .name
                .strip_prefix(".debug")
                .or_else(|| section.name.strip_prefix(".zdebug"));
            let wanted = WANTED
                .iter()
                .find(|name| suffix.is_some() && name.strip_prefix(".debug") == suffix);
            let Some(name) = wanted.filter(|name| !by_name.contains_key(*name)) else {
                continue;
            };
            if section.compression != Compression::None {
                let Some(left) = expanded_left.checked_sub(section.size) else {
                    warnings.push(
                        &*section.name,
                        None,
                        "not read: the debug info expands to too much",
                    );
                    continue;
                };
                expanded_left = left;
            }
            match section.contents() {
                Ok(contents) => {
                    by_name.insert(*name, (section.index, contents));
                }
                Err(error) => warnings.push(&*section.name, None, error.to_string()),
            }
        }
        Self {
            by_name,
            endian: match image.target.endianness {
                Endianness::Little => gimli::RunTimeEndian::Little,
                Endianness::Big => gimli::RunTimeEndian::Big,
            },
        }
    }

    /// The number of a section in the image, if the file has it.
    fn index(&self, name: &str) -> Option<SectionIndex> {
        self.by_name.get(name).map(|(index, _)| *index)
    }

    /// The bytes of a section; none if the file does not have it.
    fn bytes(&self, name: &str) -> Slice<'_> {
        let bytes = self.by_name.get(name).map_or(&[][..], |(_, bytes)| bytes);
        gimli::EndianSlice::new(bytes, self.endian)
    }

    /// The bytes of a section from an offset on.
    fn bytes_from(&self, name: &str, offset: u64) -> Option<Slice<'_>> {
        let mut bytes = self.bytes(name);
        bytes.skip(usize::try_from(offset).ok()?).ok()?;
        Some(bytes)
    }

    /// How long all of them are together.
    fn total_len(&self) -> usize {
        self.by_name
            .values()
            .fold(0, |total, (_, bytes)| total.saturating_add(bytes.len()))
    }
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

//! The reader for archives of object files (`.a`, `.lib`, `.rlib`): members, the index of their symbols, long names.
//!
//! Layouts: `ar(5)`; the index of System V and GNU, `binutils/bfd/archive.c`; the BSD and Darwin forms, Apple `mach-o/ranlib.h`
//! and `ar(5)` of BSD; libraries for Windows, Microsoft "PE Format", "Archive (Library) File Format". All forms may be mixed.
//!
//! Each entry of the index belongs to the symbol that it names. Members that are images are parts of the whole
//! ([`Member`](crate::Member)); what is no image is a section of the archive.

mod exports;
mod headers;
pub(crate) mod import;
mod symbol_index;

use crate::container::{Found, FoundMember, MAX_DEPTH, Table};
use crate::error::Warnings;
use crate::image::{Endianness, FileKind, Format, Header, Image, Target};
use crate::place::slice;
use crate::section::SectionRole;
pub use exports::{ArchiveError, archive_exports, archive_members};
use headers::{Entry, MAGIC, Record};

/// Whether a file is an archive that can be read.
pub(crate) fn is_archive(data: &[u8]) -> bool {
    data.starts_with(MAGIC)
}

/// Reads an archive.
///
/// There is nothing that an archive cannot be read without: where its records end early, the rest is unknown.
pub(crate) fn parse(data: &[u8]) -> Image<'_> {
    let mut found = Found {
        data,
        target: Target {
            format: Format::Archive,
            architecture: "none".to_owned(),
            bits: 64,
            endianness: Endianness::Little,
            kind: FileKind::Archive,
        },
        headers: Vec::new(),
        tables: Vec::new(),
        members: Vec::new(),
        warnings: Warnings::default(),
    };
    let magic = 0..to_u64(MAGIC.len());
    found.headers.push(Header {
        name: "(archive header)",
        file_range: magic,
    });
    let records = headers::read(data, &mut found.warnings);
    // The position of each member's record, by which the index names it.
    let mut positions = Vec::new();
    let mut indexes = Vec::new();
    for record in records {
        let Record {
            header,
            contents,
            entry,
        } = record;
        let at = header.start;
        found.headers.push(Header {
            name: "(member header)",
            file_range: header,
        });
        let table = match entry {
            Entry::Member(name) => {
                positions.push(at);
                found.members.push(FoundMember {
                    name,
                    range: contents,
                });
                continue;
            }
            Entry::SymbolIndex(form) => {
                indexes.push((found.tables.len(), form));
                Table {
                    name: "(symbol index)",
                    range: contents,
                    role: SectionRole::Symbols,
                }
            }
            Entry::LongNames => Table {
                name: "(long names)",
                range: contents,
                role: SectionRole::FileStructure,
            },
        };
        found.tables.push(table);
    }
    let ranges: Vec<_> = found
        .tables
        .iter()
        .map(|table| table.range.clone())
        .collect();
    let mut image = found.into_image(MAX_DEPTH);
    for (number, form) in indexes {
        let Some(range) = ranges.get(number) else {
            continue;
        };
        let bytes = slice(data, range).unwrap_or_default();
        let entries = symbol_index::read(bytes, form, &positions);
        symbol_index::describe(&entries, number, &mut image);
    }
    image
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

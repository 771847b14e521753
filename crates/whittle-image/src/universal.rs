//! The reader for universal Mach-O files: one program or library for several processors, each a slice of the file.
//!
//! Layout: Apple, `mach-o/fat.h`. The header and its table are big endian; slices start at the page size of their
//! processor, with zeros before them. A slice is a Mach-O file or an archive.

use crate::container::{Found, FoundMember};
use crate::error::{ImageError, Warnings};
use crate::image::{Endianness, FileKind, Format, Header, Image, Target};
use crate::place::FileRange;

const MAGIC: &[u8] = b"\xca\xfe\xba\xbe";
const MAGIC_64: &[u8] = b"\xca\xfe\xba\xbf";
const HEADER_LEN: u64 = 8;
/// Java class files have the same magic number, and then a version, which is at least so high.
const FIRST_JAVA_VERSION: u32 = 43;

/// Whether a file is a universal one.
pub(crate) fn is_universal(data: &[u8]) -> bool {
    let is_few = word(data, 4).is_some_and(|count| count < FIRST_JAVA_VERSION);
    is_few && (data.starts_with(MAGIC) || data.starts_with(MAGIC_64))
}

/// One entry of the table.
struct Slice {
    processor: (u32, u32),
    range: FileRange,
}

/// Reads a universal file.
///
/// # Errors
/// [`ImageError`] if the table of slices is cut off.
pub(crate) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let file_len = u64::try_from(data.len()).unwrap_or(u64::MAX);
    let is_64 = data.starts_with(MAGIC_64);
    let entry_len: u64 = if is_64 { 32 } else { 20 };
    let count = u64::from(word(data, 4).unwrap_or(0));
    let table_len = HEADER_LEN + count * entry_len;
    if table_len > file_len {
        return Err(ImageError::PastEnd {
            table: "table of slices",
            offset: HEADER_LEN,
            len: table_len - HEADER_LEN,
            file_len,
        });
    }
    let mut found = Found {
        data,
        target: Target {
            format: Format::MachO,
            architecture: "none".to_owned(),
            bits: 64,
            endianness: Endianness::Little,
            kind: FileKind::Universal,
        },
        headers: vec![Header {
            name: "(universal header)",
            file_range: 0..table_len,
        }],
        tables: Vec::new(),
        members: Vec::new(),
        warnings: Warnings::default(),
    };
    let mut slices: Vec<Slice> = (0..count)
        .filter_map(|number| slice_at(data, HEADER_LEN + number * entry_len, is_64))
        .collect();
    // Stable: of two slices that start together the first in the table is kept.
    slices.sort_by_key(|slice| slice.range.start);
    let mut taken = table_len;
    for slice in slices {
        let FileRange { start, end } = slice.range;
        if end > file_len {
            let message = "a slice ends past the end of the file";
            found.warnings.push("table of slices", Some(start), message);
        }
        let end = end.min(file_len);
        if start < taken || start >= end {
            let message = "a slice is empty, or overlaps the header or another slice: left out";
            found.warnings.push("table of slices", Some(start), message);
            continue;
        }
        taken = end;
        found.members.push(FoundMember {
            name: processor(slice.processor),
            range: start..end,
        });
    }
    Ok(found.into_image(1))
}

fn slice_at(data: &[u8], at: u64, is_64: bool) -> Option<Slice> {
    let at = usize::try_from(at).ok()?;
    let processor = (word(data, at)?, word(data, at + 4)?);
    let (start, len) = if is_64 {
        (long(data, at + 8)?, long(data, at + 16)?)
    } else {
        (word(data, at + 8)?.into(), word(data, at + 12)?.into())
    };
    Some(Slice {
        processor,
        range: start..start.saturating_add(len),
    })
}

/// Apple's name of a processor (`mach/machine.h`), as `lipo` takes it.
fn processor((kind, subtype): (u32, u32)) -> &'static [u8] {
    // The highest byte of a subtype holds capabilities.
    match (kind, subtype & 0x00ff_ffff) {
        (0x0100_0007, 8) => b"x86_64h",
        (0x0100_0007, _) => b"x86_64",
        (7, _) => b"i386",
        (0x0100_000c, 2) => b"arm64e",
        (0x0100_000c, _) => b"arm64",
        (0x0200_000c, _) => b"arm64_32",
        (12, 9) => b"armv7",
        (12, 11) => b"armv7s",
        (12, 12) => b"armv7k",
        (12, _) => b"arm",
        (18, _) => b"ppc",
        (0x0100_0012, _) => b"ppc64",
        _ => b"unknown",
    }
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    let bytes = data.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn long(data: &[u8], at: usize) -> Option<u64> {
    let bytes = data.get(at..at.checked_add(8)?)?;
    Some(u64::from_be_bytes(bytes.try_into().ok()?))
}

//! The reader for Mach-O: programs, libraries, bundles, object files and debug companions of macOS and iOS, for one
//! processor.
//!
//! Layouts: Apple, `mach-o/loader.h`, `mach-o/nlist.h`, `mach-o/compact_unwind_encoding.h`. The pieces of `__LINKEDIT`, which
//! no section header describes, are sections here, with names in parentheses. Sections are named `segment,section`, as
//! Apple's tools name them. Symbols have no sizes: what is known of the extent of functions comes from the table of
//! function starts, else from unwind information, and from where the next symbol starts.

mod commands;
mod exports;
mod functions;
mod object_relocations;
mod relocations;
mod roles;
mod sections;
mod stubs;
mod symbols;
mod unwinding;

use object::macho;
use object::read::macho::MachHeader;

use crate::dwarf;
use crate::elf::{exceptions, frames};
use crate::error::ImageError;
use crate::image::{Endianness, FileKind, Format, Image, Target};
use crate::place::{FileRange, SectionIndex, slice};
use commands::Commands;

/// Reads a Mach-O file for one processor.
///
/// # Errors
/// [`ImageError`] if the header itself cannot be read.
pub(crate) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    // The magic number is in the byte order of the processor; its last byte tells the width.
    if data.starts_with(b"\xcf\xfa\xed\xfe") || data.starts_with(b"\xfe\xed\xfa\xcf") {
        parse_class::<macho::MachHeader64<object::Endianness>>(data)
    } else {
        parse_class::<macho::MachHeader32<object::Endianness>>(data)
    }
}

fn parse_class<H>(data: &[u8]) -> Result<Image<'_>, ImageError>
where
    H: MachHeader<Endian = object::Endianness>,
{
    let malformed = |error: object::Error| ImageError::Malformed {
        table: "Mach-O header",
        offset: 0,
        reason: error.to_string(),
    };
    let header = H::parse(data, 0).map_err(malformed)?;
    let endian = header.endian().map_err(malformed)?;
    let kind = match header.filetype(endian) {
        macho::MH_OBJECT => FileKind::Object,
        macho::MH_EXECUTE if header.flags(endian).contains(macho::MH_PIE) => {
            FileKind::PositionIndependentExecutable
        }
        macho::MH_EXECUTE => FileKind::Executable,
        macho::MH_DYLIB | macho::MH_BUNDLE => FileKind::SharedLibrary,
        _ => FileKind::Other,
    };
    let target = Target {
        format: Format::MachO,
        architecture: architecture(header.cputype(endian)),
        bits: if header.is_type_64() { 64 } else { 32 },
        endianness: if header.is_little_endian() {
            Endianness::Little
        } else {
            Endianness::Big
        },
        kind,
    };
    let mut image = Image::new(data, target);
    let mut commands = Commands::read(header, endian, &mut image);
    sections::read_link_edit(&mut commands, &mut image);
    image.index_addresses();
    functions::read(&commands, &mut image);
    exports::read(&commands, &mut image);
    symbols::read::<H>(&commands, endian, &mut image);
    relocations::read(&commands, &mut image);
    object_relocations::read(&commands, endian, &mut image);
    stubs::read(&commands, &mut image);
    frames::read(&mut image);
    unwinding::read(&commands, &mut image);
    exceptions::read(&mut image);
    functions::give_lengths(&mut image);
    dwarf::read_units(&mut image);
    image.entry = commands.entry().and_then(|address| image.place_at(address));
    Ok(image)
}

/// The machine's name as target triples spell it.
fn architecture(cpu: macho::CpuType) -> String {
    match cpu {
        macho::CPU_TYPE_X86_64 => "x86_64".to_owned(),
        macho::CPU_TYPE_X86 => "i686".to_owned(),
        macho::CPU_TYPE_ARM64 => "aarch64".to_owned(),
        macho::CPU_TYPE_ARM => "arm".to_owned(),
        other => format!("macho-cpu-{:#x}", other.0),
    }
}

/// The part of a range that lies in the file.
fn clip(offset: u64, len: u64, file_len: u64) -> FileRange {
    let start = offset.min(file_len);
    start..offset.saturating_add(len).min(file_len)
}

/// The stored bytes of a section.
fn stored<'data>(image: &Image<'data>, section: SectionIndex) -> &'data [u8] {
    image
        .section(section)
        .map_or(&[][..], |section| section.stored())
}

/// The bytes of a range of the file.
fn bytes<'data>(image: &Image<'data>, range: &FileRange) -> &'data [u8] {
    slice(image.data, range).unwrap_or_default()
}

/// A number of up to eight bytes in the byte order of the file; nothing if the bytes end before.
fn number(image: &Image<'_>, bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    Some(match image.target.endianness {
        Endianness::Little => bytes.iter().rev().fold(0, fold),
        Endianness::Big => bytes.iter().fold(0, fold),
    })
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

//! The reader for COFF objects: what compilers for Windows hand to the linker, in the ordinary form and in the one for more
//! than 65 279 sections ("big object").
//!
//! Layouts: Microsoft, "PE Format" (the specification of Portable Executable and COFF); for big objects `winnt.h`,
//! `ANON_OBJECT_HEADER_BIGOBJ`. Linked files have the same tables behind other headers: see `pe`. All sections are at
//! address 0, and relocations say what stands where; the relocations of each section are a section of their own here.

mod relocations;
mod sections;
mod symbols;
mod unwinding;

use object::pe;
use object::read::coff::CoffHeader;

use crate::dwarf;
use crate::error::ImageError;
use crate::image::{Endianness, FileKind, Format, Header, Image, Target};

/// What stands at the start of a big object, behind two bytes of zeros: no section, and a version.
const BIG: &[u8] = b"\0\0\xff\xff";

/// Whether the bytes are a COFF object. There is no magic number: the machine is known, and the tables lie in the file.
pub(crate) fn is_object(data: &[u8]) -> bool {
    if data.starts_with(BIG) {
        return read_header::<pe::AnonObjectHeaderBigobj>(data).is_some();
    }
    let machine = data.first_chunk::<2>().copied().map(u16::from_le_bytes);
    let is_known = machine.is_some_and(|machine| {
        matches!(
            pe::Machine(machine),
            pe::IMAGE_FILE_MACHINE_AMD64
                | pe::IMAGE_FILE_MACHINE_I386
                | pe::IMAGE_FILE_MACHINE_ARM64
                | pe::IMAGE_FILE_MACHINE_ARMNT
        )
    });
    is_known && read_header::<pe::ImageFileHeader>(data).is_some()
}

/// The header, and where the table of sections is.
fn read_header<H: CoffHeader>(data: &[u8]) -> Option<(&H, u64)> {
    let mut offset = 0;
    let header = H::parse(data, &mut offset).ok()?;
    header.sections(data, offset).ok()?;
    let symbols: u64 = header.pointer_to_symbol_table().into();
    (symbols <= super::pe::to_u64(data.len())).then_some((header, offset))
}

/// Reads a COFF object.
///
/// # Errors
/// [`ImageError`] if the header or the table of sections cannot be read.
pub(crate) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    if data.starts_with(BIG) {
        parse_class::<pe::AnonObjectHeaderBigobj>(data)
    } else {
        parse_class::<pe::ImageFileHeader>(data)
    }
}

fn parse_class<H: CoffHeader>(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let (header, table) = read_header::<H>(data).ok_or_else(|| ImageError::Malformed {
        table: "COFF header",
        offset: 0,
        reason: "its tables do not lie in the file".to_owned(),
    })?;
    let architecture = super::pe::architecture(header.machine());
    let target = Target {
        format: Format::Pe,
        bits: if matches!(&*architecture, "x86_64" | "aarch64") {
            64
        } else {
            32
        },
        architecture,
        endianness: Endianness::Little,
        kind: FileKind::Object,
    };
    let mut image = Image::new(data, target);
    let sections = header
        .sections(data, table)
        .map_or(&[][..], |sections| sections.iter().as_slice());
    let table_end = table + super::pe::to_u64(size_of_val(sections));
    for (name, file_range) in [
        ("COFF header", 0..table),
        ("section table", table..table_end),
    ] {
        if !file_range.is_empty() {
            image.headers.push(Header { name, file_range });
        }
    }
    let strings = symbols::make_sections::<H>(header, &mut image);
    let own = image.sections.len();
    sections::read(sections, strings, &mut image);
    let numbers = symbols::read::<H>(own, &mut image);
    relocations::read(sections, own, &numbers, &mut image);
    unwinding::read(&mut image);
    symbols::give_lengths(&mut image);
    dwarf::read_units(&mut image);
    Ok(image)
}

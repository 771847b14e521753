//! The reader for PE: programs and libraries of Windows, 32 and 64 bit.
//!
//! Layouts: Microsoft, "PE Format" (the specification of Portable Executable and COFF), and "x64 exception handling".
//! Addresses are those at the image base that the file prefers; what the format calls a relative virtual address (RVA)
//! is turned into one as it is read. A section that holds tables of the format among data is several sections of the
//! same name here, one for each table and one for each stretch of data between them.

mod debug;
mod exports;
mod handlers;
mod headers;
mod imports;
mod load_config;
mod relocations;
mod sections;
mod symbols;
mod unwinding;

pub(crate) use sections::{push_unloaded, role, section_name};

use object::LittleEndian as LE;
use object::pe;
use object::read::pe::{DataDirectories, ImageNtHeaders, ImageOptionalHeader as _};

use crate::dwarf;
use crate::error::ImageError;
use crate::image::{Endianness, FileKind, Format, Image, Target};
use crate::place::{FileRange, Place};

/// What the headers of a file say that everything else is read by.
struct Pe<'data> {
    /// Added to relative virtual addresses.
    base: u64,
    machine: pe::Machine,
    directories: DataDirectories<'data>,
    sections: &'data [pe::ImageSectionHeader],
    /// Where the stored bytes of sections are: addresses, and the position in the file. In ascending order.
    stored: Vec<(Rvas, u64)>,
    /// Where the symbol table stands, and how many entries it has.
    symbols: (u64, u64),
    entry: u32,
    headers_len: u64,
}

/// A range of relative virtual addresses.
type Rvas = std::ops::Range<u32>;

impl Pe<'_> {
    fn address(&self, rva: u32) -> u64 {
        self.base.saturating_add(rva.into())
    }

    /// The range of a data directory; nothing if it is not there.
    fn directory(&self, index: usize) -> Option<Rvas> {
        let (start, len) = self.directories.get(index)?.address_range();
        (start != 0 && len != 0).then(|| start..start.saturating_add(len))
    }

    /// Where in the file the bytes from an address on are, up to the end of their section.
    fn file_range(&self, rva: u32, file_len: u64) -> Option<FileRange> {
        let behind = self.stored.partition_point(|(rvas, _)| rvas.start <= rva);
        let (rvas, offset) = self.stored.get(behind.checked_sub(1)?)?;
        let end = offset
            .saturating_add(u64::from(rvas.end - rvas.start))
            .min(file_len);
        let start = offset.saturating_add(u64::from(rva - rvas.start)).min(end);
        (start < end).then_some(start..end)
    }

    /// The bytes from an address on, up to the end of their section.
    fn bytes<'data>(&self, rva: u32, data: &'data [u8]) -> &'data [u8] {
        self.file_range(rva, to_u64(data.len()))
            .and_then(|range| crate::place::slice(data, &range))
            .unwrap_or_default()
    }

    /// The place of an address.
    fn place(&self, rva: u32, image: &Image<'_>) -> Option<Place> {
        image.place_at(self.address(rva))
    }
}

/// Reads a PE file.
///
/// # Errors
/// [`ImageError`] if the headers themselves cannot be followed.
pub(crate) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    match object::read::pe::optional_header_magic(data) {
        Ok(magic) if magic == pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => {
            parse_class::<pe::ImageNtHeaders32>(data)
        }
        Ok(_) => parse_class::<pe::ImageNtHeaders64>(data),
        Err(error) => Err(malformed(error)),
    }
}

fn malformed(error: object::Error) -> ImageError {
    ImageError::Malformed {
        table: "PE header",
        offset: 0,
        reason: error.to_string(),
    }
}

fn parse_class<H: ImageNtHeaders>(data: &[u8]) -> Result<Image<'_>, ImageError> {
    let dos = pe::ImageDosHeader::parse(data).map_err(malformed)?;
    let mut offset = dos.nt_headers_offset().into();
    let (header, directories) = H::parse(data, &mut offset).map_err(malformed)?;
    let optional = header.optional_header();
    let file = header.file_header();
    let table = header.sections(data, offset).map_err(malformed)?;
    let sections: &[pe::ImageSectionHeader] = table.iter().as_slice();
    let pe = Pe {
        base: optional.image_base(),
        machine: file.machine.get(LE),
        directories,
        sections,
        stored: stored(sections),
        symbols: (
            file.pointer_to_symbol_table.get(LE).into(),
            file.number_of_symbols.get(LE).into(),
        ),
        entry: optional.address_of_entry_point(),
        headers_len: optional.size_of_headers().into(),
    };
    let flags = optional.dll_characteristics();
    let target = Target {
        format: Format::Pe,
        architecture: architecture(pe.machine),
        bits: if header.is_type_64() { 64 } else { 32 },
        endianness: Endianness::Little,
        kind: if file.characteristics.get(LE).contains(pe::IMAGE_FILE_DLL) {
            FileKind::SharedLibrary
        } else if flags.contains(pe::IMAGE_DLLCHARACTERISTICS_DYNAMIC_BASE) {
            FileKind::PositionIndependentExecutable
        } else {
            FileKind::Executable
        },
    };
    let mut image = Image::new(data, target);
    let nt_start = dos.nt_headers_offset().into();
    headers::read(&pe, nt_start, offset, &mut image);
    let unwinding = unwinding::Functions::read(&pe, data);
    let imports = imports::read(&pe, image.target.bits, data);
    let guard = load_config::GuardTables::read(&pe, image.target.bits, data);
    let tables = sections::Tables::find(&pe, &unwinding, &imports, &guard, data);
    symbols::make_sections(&pe, &mut image);
    sections::read(&pe, &tables, &mut image);
    image.index_addresses();
    debug::read(&pe, &mut image);
    unwinding.finish(&pe, &mut image);
    symbols::read(&pe, &mut image);
    imports::finish(&pe, &imports, &mut image);
    exports::read(&pe, &mut image);
    guard.finish(&pe, &mut image);
    relocations::read(&pe, &mut image);
    dwarf::read_units(&mut image);
    image.entry = (pe.entry != 0)
        .then(|| pe.place(pe.entry, &image))
        .flatten();
    Ok(image)
}

/// The addresses at which sections store something, and where they store it. Sections of a sound file do not overlap.
fn stored(sections: &[pe::ImageSectionHeader]) -> Vec<(Rvas, u64)> {
    let mut stored: Vec<(Rvas, u64)> = sections
        .iter()
        .map(|section| {
            let start = section.virtual_address.get(LE);
            let (offset, len) = section.pe_file_range();
            (start..start.saturating_add(len), offset.into())
        })
        .filter(|(rvas, _)| !rvas.is_empty())
        .collect();
    stored.sort_by_key(|(rvas, offset)| (rvas.start, *offset));
    stored
}

/// The machine's name as target triples spell it.
pub(crate) fn architecture(machine: pe::Machine) -> String {
    match machine {
        pe::IMAGE_FILE_MACHINE_AMD64 => "x86_64".to_owned(),
        pe::IMAGE_FILE_MACHINE_I386 => "i686".to_owned(),
        pe::IMAGE_FILE_MACHINE_ARM64 => "aarch64".to_owned(),
        pe::IMAGE_FILE_MACHINE_ARMNT => "thumbv7a".to_owned(),
        other => format!("pe-machine-{:#x}", other.0),
    }
}

/// A number of up to eight bytes; nothing if the bytes end before.
pub(crate) fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    let fold = |value: u64, byte: &u8| value << 8 | u64::from(*byte);
    Some(bytes.iter().rev().fold(0, fold))
}

/// A number of four bytes.
pub(crate) fn word(bytes: &[u8], at: usize) -> Option<u32> {
    u32::try_from(number(bytes, at, 4)?).ok()
}

/// A text that ends with a zero byte; nothing if it does not end.
pub(crate) fn text(bytes: &[u8]) -> Option<&[u8]> {
    const MAX_TEXT_LEN: usize = 1 << 20;
    let bytes = bytes.get(..bytes.len().min(MAX_TEXT_LEN))?;
    bytes.get(..memchr::memchr(0, bytes)?)
}

pub(crate) fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

//! The reader for ELF: 32 and 64 bit, both byte orders, programs, shared libraries, object files.
//!
//! Layouts: System V ABI (gABI 4.1 and its 2013 to 2024 drafts) and Linux Standard Base 5, section "Core". Each file
//! here reads one kind of table and leaves the rest alone.

mod cursor;
mod descriptors;
mod dynamic;
pub(crate) mod exceptions;
mod frame_index;
pub(crate) mod frames;
mod headers;
mod names;
mod notes;
mod relocation_kinds;
mod relocations;
mod roles;
mod sections;
mod stubs;
mod symbols;
mod versions;

use object::elf;
use object::pod::{Pod, slice_from_bytes};
use object::read::elf::FileHeader;

use crate::dwarf;
use crate::error::{ImageError, Warnings};
use crate::image::{Endianness, FileKind, Format, Image, Target};
use crate::place::Place;
use crate::section::Section;

/// A file's header in its own class and byte order, and the tables of headers it leads to.
struct Elf<'data, H: FileHeader> {
    header: &'data H,
    endian: H::Endian,
    data: &'data [u8],
    /// The program headers, if there are any that can be read.
    segments: &'data [H::ProgramHeader],
    /// The section headers, if there are any that can be read. Where there are, [`Image::sections`] starts with the
    /// same sections in the same order.
    sections: &'data [H::SectionHeader],
}

/// How many bytes one kind of table may still have.
///
/// The sections of a sound file do not share bytes, so those of one kind are never longer than the file. A hostile
/// file may point thousands of sections at the same bytes; each would be read as a table of its own.
struct Allowance {
    left: u64,
}

impl Allowance {
    fn of(image: &Image<'_>) -> Self {
        Self {
            left: image.file_len(),
        }
    }

    /// Whether a section may still be read as a table. If not, a warning says so.
    fn covers(&mut self, section: &Section<'_>, warnings: &mut Warnings) -> bool {
        let left = self.left.checked_sub(to_u64(section.stored().len()));
        if let Some(left) = left {
            self.left = left;
        } else {
            warnings.push(
                &*section.name,
                None,
                "tables of this kind share bytes; this one is not read",
            );
        }
        left.is_some()
    }
}

/// The entries of a table of entries of one size. The size is the format's: linkers have left other values, and 0, in
/// the header's field for it.
fn entries<'data, T: Pod>(section: &Section<'data>, warnings: &mut Warnings) -> &'data [T] {
    let bytes = section.stored();
    let count = bytes.len() / size_of::<T>();
    let (entries, rest) = slice_from_bytes(bytes, count).unwrap_or((&[], bytes));
    if !rest.is_empty() {
        warnings.push(
            &*section.name,
            Some(to_u64(bytes.len() - rest.len())),
            format!("the last {} bytes are no whole entry", rest.len()),
        );
    }
    entries
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// Reads an ELF file.
///
/// # Errors
/// [`ImageError`] if the file header itself cannot be read.
pub(crate) fn parse(data: &[u8]) -> Result<Image<'_>, ImageError> {
    match data.get(4).copied() {
        Some(1) => parse_class::<elf::FileHeader32<object::Endianness>>(data),
        Some(2) => parse_class::<elf::FileHeader64<object::Endianness>>(data),
        Some(other) => Err(ImageError::Malformed {
            table: "ELF header",
            offset: 4,
            reason: format!("class {other} is neither 1 (32 bit) nor 2 (64 bit)"),
        }),
        None => Err(past_end(0, 5, data)),
    }
}

fn past_end(offset: u64, len: u64, data: &[u8]) -> ImageError {
    ImageError::PastEnd {
        table: "ELF header",
        offset,
        len,
        file_len: to_u64(data.len()),
    }
}

fn parse_class<H>(data: &[u8]) -> Result<Image<'_>, ImageError>
where
    H: FileHeader<Endian = object::Endianness>,
{
    if data.len() < size_of::<H>() {
        return Err(past_end(0, to_u64(size_of::<H>()), data));
    }
    let malformed = |error: object::read::Error| ImageError::Malformed {
        table: "ELF header",
        offset: 0,
        reason: error.to_string(),
    };
    let header = H::parse(data).map_err(malformed)?;
    let endian = header.endian().map_err(malformed)?;
    let mut file = Elf {
        header,
        endian,
        data,
        segments: &[],
        sections: &[],
    };
    let mut image = Image::new(data, target(&file));

    headers::read(&mut file, &mut image);
    sections::read(&file, &mut image);
    image.index_addresses();
    dynamic::read(&file, &mut image);
    versions::read(&file, &mut image);
    notes::read(&file, &mut image);
    symbols::read(&file, &mut image);
    relocations::read(&file, &mut image);
    descriptors::follow(&mut image);
    frames::read(&mut image);
    frame_index::read(&mut image);
    exceptions::read(&mut image);
    stubs::read(&file, &mut image);
    dwarf::read_units(&mut image);
    image.entry = entry(&file, &image);
    Ok(image)
}

/// Where execution starts. gABI 4.1, "ELF Header": 0 says that there is no such place.
fn entry<H>(file: &Elf<'_, H>, image: &Image<'_>) -> Option<Place>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let address: u64 = file.header.e_entry(file.endian).into();
    if address == 0 {
        return None;
    }
    let place = image.place_at(code_address(file, address))?;
    Some(descriptors::code_of(image, place).unwrap_or(place))
}

/// The address of code that a number means: on 32-bit ARM its lowest bit says "Thumb code" and is no part of the
/// address (ELF for the Arm Architecture, "Symbol Values").
fn code_address<H>(file: &Elf<'_, H>, value: u64) -> u64
where
    H: FileHeader<Endian = object::Endianness>,
{
    if file.header.e_machine(file.endian) == elf::EM_ARM {
        value & !1
    } else {
        value
    }
}

fn target<H: FileHeader<Endian = object::Endianness>>(file: &Elf<'_, H>) -> Target {
    let machine = file.header.e_machine(file.endian);
    let is_64 = file.header.is_class_64();
    let little = file.header.is_little_endian();
    Target {
        format: Format::Elf,
        architecture: architecture(machine, is_64, little),
        bits: if is_64 { 64 } else { 32 },
        endianness: if little {
            Endianness::Little
        } else {
            Endianness::Big
        },
        kind: match file.header.e_type(file.endian) {
            elf::ET_REL => FileKind::Object,
            elf::ET_EXEC => FileKind::Executable,
            // Refined by the dynamic section.
            elf::ET_DYN => FileKind::SharedLibrary,
            _ => FileKind::Other,
        },
    }
}

/// The machine's name as target triples spell it.
fn architecture(machine: elf::Machine, is_64: bool, little: bool) -> String {
    let name = match (machine, is_64, little) {
        (elf::EM_X86_64, true, _) => "x86_64",
        (elf::EM_X86_64, false, _) => "x86_64-x32",
        (elf::EM_386, ..) => "i686",
        (elf::EM_AARCH64, _, true) => "aarch64",
        (elf::EM_AARCH64, _, false) => "aarch64_be",
        (elf::EM_ARM, _, true) => "arm",
        (elf::EM_ARM, _, false) => "armeb",
        (elf::EM_RISCV, true, _) => "riscv64",
        (elf::EM_RISCV, false, _) => "riscv32",
        (elf::EM_PPC64, _, true) => "powerpc64le",
        (elf::EM_PPC64, _, false) => "powerpc64",
        (elf::EM_PPC, ..) => "powerpc",
        (elf::EM_MIPS, true, true) => "mips64el",
        (elf::EM_MIPS, true, false) => "mips64",
        (elf::EM_MIPS, false, true) => "mipsel",
        (elf::EM_MIPS, false, false) => "mips",
        (elf::EM_S390, ..) => "s390x",
        (elf::EM_LOONGARCH, true, _) => "loongarch64",
        (elf::EM_LOONGARCH, false, _) => "loongarch32",
        (elf::EM_SPARCV9, ..) => "sparc64",
        (elf::EM_SPARC | elf::EM_SPARC32PLUS, ..) => "sparc",
        (elf::EM_BPF, ..) => "bpf",
        (elf::EM_68K, ..) => "m68k",
        (elf::EM_HEXAGON, ..) => "hexagon",
        (elf::EM_AVR, ..) => "avr",
        (elf::EM_MSP430, ..) => "msp430",
        (elf::EM_CSKY, ..) => "csky",
        (elf::EM_XTENSA, ..) => "xtensa",
        _ => return format!("elf-machine-{}", machine.0),
    };
    name.to_owned()
}

//! The reader for ELF: 32 and 64 bit, both byte orders, programs, shared libraries, object files.
//!
//! Layouts: System V ABI (gABI 4.1 and its 2013 to 2024 drafts) and Linux Standard Base 5, section "Core". Each file
//! here reads one kind of table and leaves the rest alone.

mod dynamic;
mod exceptions;
mod frames;
mod headers;
mod notes;
mod relocations;
mod stubs;
mod symbols;

use object::elf;
use object::read::elf::FileHeader;

use crate::dwarf;
use crate::error::ImageError;
use crate::image::{Endianness, FileKind, Image, Target};
use crate::section::SectionRole;

/// A file's header in its own class and byte order, and the bytes it heads.
pub(crate) struct Elf<'data, H: FileHeader> {
    header: &'data H,
    endian: H::Endian,
    data: &'data [u8],
    /// The section headers, if there are any that can be read.
    sections: &'data [H::SectionHeader],
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
    let file_len = u64::try_from(data.len()).unwrap_or(u64::MAX);
    ImageError::PastEnd {
        table: "ELF header",
        offset,
        len,
        file_len,
    }
}

fn parse_class<H>(data: &[u8]) -> Result<Image<'_>, ImageError>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let header_len = u64::try_from(size_of::<H>()).unwrap_or(u64::MAX);
    if data.len() < size_of::<H>() {
        return Err(past_end(0, header_len, data));
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
        sections: &[],
    };
    let mut image = Image::new(data, target(&file));

    headers::read(&mut file, &mut image);
    image.index_addresses();
    symbols::read(&file, &mut image);
    dynamic::read(&file, &mut image);
    notes::read(&file, &mut image);
    relocations::read(&file, &mut image);
    frames::read(&mut image);
    exceptions::read(&mut image);
    stubs::read(&mut image);
    dwarf::read_units(&mut image);
    image.entry = image.place_at(header.e_entry(endian).into());
    Ok(image)
}

fn target<H: FileHeader<Endian = object::Endianness>>(file: &Elf<'_, H>) -> Target {
    let machine = file.header.e_machine(file.endian);
    let is_64 = file.header.is_class_64();
    let little = file.header.is_little_endian();
    Target {
        format: crate::image::Format::Elf,
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
            // Refined when the interpreter and the dynamic flags are known.
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
        (elf::EM_AARCH64, ..) => "aarch64",
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

/// What a section is for, by its type, its flags and, where these do not tell, its conventional name.
///
/// Section types: gABI 4.1, "Sections"; names: gABI "Special Sections" and Linux Standard Base 5.
fn section_role(name: &str, kind: elf::SectionType, flags: elf::SectionFlags) -> SectionRole {
    let loaded = flags.contains(elf::SHF_ALLOC);
    let starts = |prefix: &str| name.starts_with(prefix);
    match kind {
        elf::SHT_SYMTAB | elf::SHT_SYMTAB_SHNDX => return SectionRole::Symbols,
        elf::SHT_DYNSYM
        | elf::SHT_DYNAMIC
        | elf::SHT_HASH
        | elf::SHT_GNU_HASH
        | elf::SHT_GNU_VERSYM
        | elf::SHT_GNU_VERNEED
        | elf::SHT_GNU_VERDEF => return SectionRole::DynamicLinking,
        elf::SHT_STRTAB if loaded => return SectionRole::DynamicLinking,
        elf::SHT_STRTAB if name == ".shstrtab" => return SectionRole::FileStructure,
        elf::SHT_STRTAB => return SectionRole::SymbolNames,
        elf::SHT_REL | elf::SHT_RELA | elf::SHT_RELR => return SectionRole::Relocations,
        elf::SHT_GROUP => return SectionRole::FileStructure,
        elf::SHT_NOTE => return SectionRole::Notes,
        _ => {}
    }
    if !loaded {
        return if starts(".debug")
            || starts(".zdebug")
            || starts(".gdb_index")
            || starts(".stab")
            || name == ".line"
        {
            SectionRole::Debug
        } else if starts(".comment")
            || starts(".note")
            || starts(".gnu_debuglink")
            || starts(".gnu_debugaltlink")
            || starts(".dep-v0")
            || name == ".rustc"
            || starts(".gnu.build.attributes")
        {
            SectionRole::Notes
        } else if name == ".gnu_debugdata" {
            SectionRole::SymbolNames
        } else {
            SectionRole::Other
        };
    }
    let matches = |base: &str| {
        name == base
            || name
                .strip_prefix(base)
                .is_some_and(|rest| rest.starts_with('.'))
    };
    if matches(".eh_frame") || name == ".bolt.org.eh_frame" || kind.0 == SHT_X86_64_UNWIND {
        SectionRole::UnwindTable
    } else if name == ".eh_frame_hdr" || name == ".bolt.org.eh_frame_hdr" || matches(".ARM.exidx") {
        SectionRole::UnwindIndex
    } else if matches(".gcc_except_table")
        || name == ".bolt.org.gcc_except_table"
        || matches(".ARM.extab")
    {
        SectionRole::ExceptionTable
    } else if name == ".interp" {
        SectionRole::DynamicLinking
    } else if name == ".got" || name == ".got.plt" || name == ".igot.plt" || name == ".igot" {
        SectionRole::AddressSlots
    } else if matches(".plt") || name == ".iplt" {
        SectionRole::Stubs
    } else if flags.contains(elf::SHF_TLS) {
        SectionRole::ThreadLocalData
    } else if flags.contains(elf::SHF_EXECINSTR) {
        SectionRole::Code
    } else if matches(".data.rel.ro")
        || matches(".init_array")
        || matches(".fini_array")
        || matches(".preinit_array")
        || matches(".ctors")
        || matches(".dtors")
        || name == ".relro_padding"
    {
        SectionRole::RelocatedReadOnlyData
    } else if name == ".dep-v0" || starts(".note") {
        SectionRole::Notes
    } else if flags.contains(elf::SHF_WRITE) {
        SectionRole::WritableData
    } else {
        SectionRole::ReadOnlyData
    }
}

/// `SHT_X86_64_UNWIND`: AMD64 ABI 1.0, "Section Types". The number means other things on other machines, none of
/// which are loaded read-only tables of this size.
const SHT_X86_64_UNWIND: u32 = 0x7000_0001;

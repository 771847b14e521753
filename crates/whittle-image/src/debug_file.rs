//! The debug file of a stripped program: what was stripped, for debuggers and symbolizers.
//!
//! Takes the bytes of a *twin*, which is the same program with its symbols and debug sections, and those of the file that
//! ships. Gives back an ELF file in the form that `objcopy --only-keep-debug` has made customary: all sections of the
//! twin under their numbers, those that are loaded without contents (`SHT_NOBITS`) at their addresses, all others whole.
//! Notes are kept too, with the contents that they have in the file that ships: debuggers know that file by its build
//! id, and look for the debug file that carries the same.
//!
//! The file that ships stays as it is.

use std::ops::Range;

use object::elf;
use object::endian::Endian;
use object::read::elf::{FileHeader, ProgramHeader as _, SectionHeader as _};
use object::write::elf as write;

/// A file for debuggers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DebugFile {
    /// Its contents.
    pub bytes: Vec<u8>,
    /// The build id that it carries, by which debuggers find it under `.build-id/` with its first byte as the folder's
    /// name; `None` if the file that ships has none.
    pub build_id: Option<Vec<u8>>,
}

/// Why there is no debug file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DebugFileError {
    /// One of the files cannot be read as ELF.
    #[error("the {which} cannot be read: {reason}")]
    Unreadable {
        /// Which one.
        which: Which,
        /// What is wrong.
        reason: String,
    },
    /// The files are not the same program.
    #[error("the twin is another program: {what} differs")]
    OtherProgram {
        /// What is not the same.
        what: String,
    },
    /// The twin has neither symbols nor debug sections.
    #[error("the twin has no symbols to keep")]
    NothingToKeep,
}

/// One of two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one with symbols.
    Twin,
    /// The one that ships.
    Shipped,
}

impl std::fmt::Display for Which {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Twin => "twin",
            Self::Shipped => "file that ships",
        })
    }
}

impl DebugFile {
    /// Extracts the debug file of `shipped` from its twin. Both are whole files.
    ///
    /// # Errors
    /// [`DebugFileError::OtherProgram`] if any loaded byte of the two differs, notes aside; where the file that ships has
    /// no section headers any more, its segments are compared instead.
    pub fn extract(twin: &[u8], shipped: &[u8]) -> Result<Self, DebugFileError> {
        // Byte 4 of the identification is the class (gABI, "ELF Identification").
        match twin.get(4) {
            Some(&class) if class == elf::ELFCLASS32.0 => {
                extract::<elf::FileHeader32<object::Endianness>>(twin, shipped)
            }
            _ => extract::<elf::FileHeader64<object::Endianness>>(twin, shipped),
        }
    }
}

/// A file that is being read.
struct Elf<'data, H: FileHeader> {
    header: &'data H,
    endian: H::Endian,
    segments: &'data [H::ProgramHeader],
    sections: Vec<Section<'data>>,
}

struct Section<'data> {
    name: &'data [u8],
    header: write::SectionHeader,
    data: &'data [u8],
}

impl<'data, H: FileHeader> Elf<'data, H> {
    fn read(bytes: &'data [u8], which: Which) -> Result<Self, DebugFileError> {
        let unreadable = |error: object::Error| DebugFileError::Unreadable {
            which,
            reason: error.to_string(),
        };
        let header = H::parse(bytes).map_err(unreadable)?;
        let endian = header.endian().map_err(unreadable)?;
        let segments = header.program_headers(endian, bytes).map_err(unreadable)?;
        let table = header.sections(endian, bytes).map_err(unreadable)?;
        let mut sections = Vec::new();
        for section in table.iter() {
            sections.push(Section {
                name: table.section_name(endian, section).map_err(unreadable)?,
                header: write::SectionHeader::from_raw(endian, section),
                data: section.data(endian, bytes).map_err(unreadable)?,
            });
        }
        Ok(Self {
            header,
            endian,
            segments,
            sections,
        })
    }
}

impl<'data, H: FileHeader> Elf<'data, H> {
    /// The bytes that are loaded at an address; sections need not be there.
    fn loaded(&self, (address, len): (u64, u64), bytes: &'data [u8]) -> Option<&'data [u8]> {
        let mut segments = self.segments.iter();
        segments.find_map(|segment| {
            let start: u64 = segment.p_vaddr(self.endian).into();
            let offset = usize::try_from(address.checked_sub(start)?).ok()?;
            let data = segment.data(self.endian, bytes).ok()?;
            let end = offset.checked_add(usize::try_from(len).ok()?)?;
            data.get(offset..end)
                .filter(|_| segment.p_type(self.endian) == elf::PT_LOAD)
        })
    }
}

impl Section<'_> {
    fn is_loaded(&self) -> bool {
        self.header.sh_flags.contains(elf::SHF_ALLOC)
    }

    fn is_note(&self) -> bool {
        self.header.sh_type == elf::SHT_NOTE
    }
}

fn extract<H>(twin_bytes: &[u8], shipped_bytes: &[u8]) -> Result<DebugFile, DebugFileError>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let twin = Elf::<H>::read(twin_bytes, Which::Twin)?;
    let shipped = Elf::<H>::read(shipped_bytes, Which::Shipped)?;
    compare(&twin, &shipped)?;
    let is_kept = |section: &&Section<'_>| {
        section.header.sh_type == elf::SHT_SYMTAB || section.name.starts_with(b".debug_")
    };
    if !twin.sections.iter().any(|section| is_kept(&section)) {
        return Err(DebugFileError::NothingToKeep);
    }

    // Loaded sections take no bytes, but for notes, which are those that ship.
    let mut headers = Vec::new();
    let mut contents: Vec<(u64, &[u8])> = Vec::new();
    let encoder = write::Encoder::new(
        twin.endian,
        twin.header.is_class_64(),
        twin.header.e_machine(twin.endian),
    );
    let segment_num = len(twin.segments.len());
    let headers_end = encoder.file_header_size() + segment_num * encoder.program_header_size();
    let mut end = headers_end;
    let mut build_id = None;
    let mut kept = 0_u64;
    for section in twin.sections.iter().skip(1) {
        let mut header = section.header.clone();
        if section.is_loaded() && !section.is_note() {
            header.sh_type = elf::SHT_NOBITS;
            header.sh_offset = end;
            headers.push(header);
            continue;
        }
        let mut data = section.data;
        if section.is_note() {
            let at = (header.sh_addr, header.sh_size);
            data = shipped.loaded(at, shipped_bytes).unwrap_or(data);
            build_id = build_id.or_else(|| id_in(data, twin.endian, section.header.sh_addralign));
        }
        // Sections of a sound file share no bytes; those of a hostile one may all be the whole file.
        kept = kept.saturating_add(len(data.len()));
        if kept > len(twin_bytes.len()).saturating_add(len(shipped_bytes.len())) {
            return Err(DebugFileError::Unreadable {
                which: Which::Twin,
                reason: "its sections overlap".to_owned(),
            });
        }
        end = aligned(end, header.sh_addralign);
        header.sh_offset = end;
        if header.sh_type != elf::SHT_NOBITS {
            header.sh_size = len(data.len());
            contents.push((end, data));
            end += len(data.len());
        }
        headers.push(header);
    }
    let e_shoff = aligned(end, encoder.address_size());

    let layout = write::FileHeaderLayout {
        e_phoff: if segment_num == 0 {
            0
        } else {
            encoder.file_header_size()
        },
        e_shoff,
        ..write::FileHeaderLayout::from_raw(twin.endian, twin.header, twin_bytes).map_err(
            |error| DebugFileError::Unreadable {
                which: Which::Twin,
                reason: error.to_string(),
            },
        )?
    };
    let mut bytes = Vec::new();
    let header = write::FileHeader::from_raw(twin.endian, twin.header);
    encoder
        .file_header(&mut bytes, &header, &layout)
        .map_err(|error| DebugFileError::Unreadable {
            which: Which::Twin,
            reason: error.to_string(),
        })?;
    for segment in twin.segments {
        let segment = write::ProgramHeader::from_raw(twin.endian, segment);
        encoder.program_header(
            &mut bytes,
            &without_contents(segment, &headers, layout.e_phoff..headers_end),
        );
    }
    for (offset, data) in contents {
        pad(&mut bytes, offset);
        bytes.extend_from_slice(data);
    }
    pad(&mut bytes, e_shoff);
    if layout.section_num > 0 {
        encoder.null_section_header(&mut bytes, &layout);
    }
    for header in &headers {
        encoder.section_header(&mut bytes, header);
    }
    Ok(DebugFile { bytes, build_id })
}

/// Whether both load the same.
fn compare<H: FileHeader>(twin: &Elf<'_, H>, shipped: &Elf<'_, H>) -> Result<(), DebugFileError> {
    let other = |what: &str| DebugFileError::OtherProgram {
        what: what.to_owned(),
    };
    let identity = |elf: &Elf<'_, H>| {
        let header = write::FileHeader::from_raw(elf.endian, elf.header);
        (
            header.e_type,
            header.e_machine,
            header.e_entry,
            elf.endian.is_big_endian(),
        )
    };
    if identity(twin) != identity(shipped) {
        return Err(other("the kind of file"));
    }
    let loaded = |elf: &Elf<'_, H>| -> Vec<_> {
        let headers = elf
            .segments
            .iter()
            .map(|segment| write::ProgramHeader::from_raw(elf.endian, segment));
        headers
            .filter(|segment| segment.p_type == elf::PT_LOAD)
            .map(|segment| {
                (
                    segment.p_vaddr,
                    segment.p_memsz,
                    segment.p_filesz,
                    segment.p_flags,
                )
            })
            .collect()
    };
    if loaded(twin) != loaded(shipped) {
        return Err(other("what is loaded where"));
    }
    if shipped.sections.is_empty() {
        return Ok(());
    }
    let mut ours = twin.sections.iter().filter(|section| section.is_loaded());
    let mut theirs = shipped
        .sections
        .iter()
        .filter(|section| section.is_loaded());
    loop {
        let (one, two) = (ours.next(), theirs.next());
        let (Some(one), Some(two)) = (one, two) else {
            return match one.or(two) {
                None => Ok(()),
                Some(only) => Err(other(&name(only))),
            };
        };
        let place = |section: &Section<'_>| (section.header.sh_addr, section.header.sh_size);
        if one.name != two.name || place(one) != place(two) {
            return Err(other(&name(one)));
        }
        if !one.is_note() && one.data != two.data {
            return Err(other(&name(one)));
        }
    }
}

fn name(section: &Section<'_>) -> String {
    format!(
        "section `{}`",
        String::from_utf8_lossy(section.name).escape_debug()
    )
}

/// A segment as it is in a file that has only headers and notes of what is loaded.
///
/// Its address and size in memory stay. Offsets of what is loaded stay congruent to the address, as programs that check
/// it demand (gABI, "Program Header", `p_align`).
fn without_contents(
    mut segment: write::ProgramHeader,
    sections: &[write::SectionHeader],
    program_headers: Range<u64>,
) -> write::ProgramHeader {
    let note = sections.iter().find(|section| {
        segment.p_type == elf::PT_NOTE
            && section.sh_type == elf::SHT_NOTE
            && section.sh_addr == segment.p_vaddr
            && section.sh_flags.contains(elf::SHF_ALLOC)
    });
    if let Some(note) = note {
        segment.p_offset = note.sh_offset;
        segment.p_filesz = note.sh_size;
        // Several notes follow each other as they did, when nothing but their alignment is between them.
        for next in sections {
            let end = note.sh_addr.saturating_add(segment.p_filesz);
            let is_next = next.sh_type == elf::SHT_NOTE
                && next.sh_addr >= end
                && next.sh_addr - note.sh_addr < segment.p_memsz
                && next.sh_offset.checked_sub(note.sh_offset)
                    == next.sh_addr.checked_sub(note.sh_addr);
            if is_next {
                segment.p_filesz = (next.sh_addr - note.sh_addr).saturating_add(next.sh_size);
            }
        }
        segment.p_filesz = segment.p_filesz.min(segment.p_memsz);
    } else if segment.p_type == elf::PT_PHDR {
        segment.p_offset = program_headers.start;
        segment.p_filesz = program_headers.end - program_headers.start;
    } else if segment.p_type == elf::PT_LOAD && segment.p_offset == 0 {
        // The one that holds the headers.
        segment.p_filesz = program_headers.end.min(segment.p_memsz);
    } else {
        segment.p_offset = segment.p_vaddr.checked_rem(segment.p_align).unwrap_or(0);
        segment.p_filesz = 0;
    }
    segment
}

/// The build id among notes: type 3 (`NT_GNU_BUILD_ID`) of owner `GNU`.
fn id_in(notes: &[u8], endian: object::Endianness, align: u64) -> Option<Vec<u8>> {
    let mut notes = object::read::elf::NoteIterator::<elf::FileHeader64<object::Endianness>>::new(
        endian, align, notes,
    )
    .ok()?;
    while let Ok(Some(note)) = notes.next() {
        if note.name() == elf::ELF_NOTE_GNU && note.n_type(endian) == elf::NT_GNU_BUILD_ID {
            return Some(note.desc().to_owned());
        }
    }
    None
}

/// To the next multiple. A section of this size needs no more, whatever it says.
fn aligned(offset: u64, align: u64) -> u64 {
    const LARGEST: u64 = 4096;
    offset.next_multiple_of(align.clamp(1, LARGEST))
}

fn pad(bytes: &mut Vec<u8>, offset: u64) {
    if let Ok(offset) = usize::try_from(offset)
        && offset > bytes.len()
    {
        bytes.resize(offset, 0);
    }
}

fn len(len: usize) -> u64 {
    len as u64
}

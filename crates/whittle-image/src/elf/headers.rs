//! File header, program headers, section headers: the frame that everything else hangs in.

use std::borrow::Cow;

use object::elf;
use object::read::elf::{
    CompressionHeader as _, FileHeader, ProgramHeader as _, SectionHeader as _,
};

use super::{Elf, section_role};
use crate::image::{FileKind, Header, Image};
use crate::place::{FileRange, SectionIndex, slice};
use crate::section::{Access, Compression, Section, SectionRole, Segment};

/// Fills in headers, segments, sections and the facts that stand in the headers themselves.
pub(super) fn read<'data, H>(file: &mut Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let file_len = image.file_len();
    push_header(
        image,
        "ELF header",
        0,
        u64::from(file.header.e_ehsize(file.endian)).max(1),
    );

    let segments = match file.header.program_headers(file.endian, file.data) {
        Ok(segments) => segments,
        Err(error) => {
            let offset = file.header.e_phoff(file.endian).into();
            image.warnings.push(
                "program headers",
                Some(offset),
                format!("not read: {error}"),
            );
            &[]
        }
    };
    let table_len = entry_total(segments.len(), file.header.e_phentsize(file.endian));
    push_header(
        image,
        "program headers",
        file.header.e_phoff(file.endian).into(),
        table_len,
    );
    read_segments(file, segments, image);

    match file.header.section_headers(file.endian, file.data) {
        Ok(sections) => file.sections = sections,
        Err(error) => {
            let offset = file.header.e_shoff(file.endian).into();
            image.warnings.push(
                "section headers",
                Some(offset),
                format!("not read: {error}"),
            );
        }
    }
    let table_len = entry_total(file.sections.len(), file.header.e_shentsize(file.endian));
    push_header(
        image,
        "section headers",
        file.header.e_shoff(file.endian).into(),
        table_len,
    );
    if file.sections.is_empty() {
        sections_from_segments(image);
    } else {
        read_sections(file, image);
    }
    image.headers.sort_by_key(|header| header.file_range.start);

    // UPX leaves its mark beside the headers of what it packs, and no section headers.
    let head = usize::try_from(file_len.min(512)).unwrap_or(512);
    if memchr::memmem::find(&image.data[..head], b"UPX!").is_some() {
        image.facts.packer = Some("UPX");
        image.warnings.push(
            "ELF header",
            None,
            "the file is packed by UPX: only the packed form is accounted for; unpack it first with `upx -d`",
        );
    }
}

fn entry_total(count: usize, entry_size: u16) -> u64 {
    u64::try_from(count)
        .unwrap_or(u64::MAX)
        .saturating_mul(entry_size.into())
}

fn push_header(image: &mut Image<'_>, name: &'static str, offset: u64, len: u64) {
    let file_range = clip(offset, len, image.file_len());
    if !file_range.is_empty() {
        image.headers.push(Header { name, file_range });
    }
}

fn clip(offset: u64, len: u64, file_len: u64) -> FileRange {
    let start = offset.min(file_len);
    start..offset.saturating_add(len).min(file_len).max(start)
}

fn read_segments<H>(file: &Elf<'_, H>, segments: &[H::ProgramHeader], image: &mut Image<'_>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    for (number, segment) in (0_u32..).zip(segments) {
        let (address, memory_size) = (
            segment.p_vaddr(endian).into(),
            segment.p_memsz(endian).into(),
        );
        let (offset, len) = (
            segment.p_offset(endian).into(),
            segment.p_filesz(endian).into(),
        );
        let range = clip(offset, len, image.file_len());
        match segment.p_type(endian) {
            elf::PT_LOAD => {
                if offset.saturating_add(len) > image.file_len() {
                    image.warnings.push(
                        "program headers",
                        Some(number.into()),
                        format!(
                            "segment {number} ends at {:#x}, past the end of the file",
                            offset.saturating_add(len)
                        ),
                    );
                }
                let flags = segment.p_flags(endian);
                let memory_size = if address.checked_add(memory_size).is_some() {
                    memory_size
                } else {
                    0
                };
                image.segments.push(Segment {
                    number,
                    address,
                    memory_size,
                    file_range: range,
                    access: Access {
                        loaded: true,
                        writable: flags.contains(elf::PF_W),
                        executable: flags.contains(elf::PF_X),
                        thread_local: false,
                    },
                });
            }
            elf::PT_TLS if address.checked_add(memory_size).is_some() => {
                image.thread_local = Some((address, memory_size));
            }
            elf::PT_INTERP => {
                if let Some(bytes) = slice(file.data, &range) {
                    let path = bytes.split(|&byte| byte == 0).next().unwrap_or_default();
                    image.facts.interpreter = Some(String::from_utf8_lossy(path).into_owned());
                    if image.target.kind == FileKind::SharedLibrary {
                        image.target.kind = FileKind::PositionIndependentExecutable;
                    }
                }
            }
            _ => {}
        }
    }
}

fn read_sections<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    let names = match file
        .header
        .section_strings(endian, file.data, file.sections)
    {
        Ok(names) => Some(names),
        Err(error) => {
            image.warnings.push(
                "section headers",
                None,
                format!("section names not read: {error}"),
            );
            None
        }
    };
    for (number, header) in (0_u32..).zip(file.sections) {
        let name = names
            .and_then(|names| header.name(endian, names).ok())
            .map_or(Cow::Borrowed(""), String::from_utf8_lossy);
        let (kind, flags) = (header.sh_type(endian), header.sh_flags(endian));
        let size: u64 = header.sh_size(endian).into();
        let address: u64 = header.sh_addr(endian).into();
        let mut section = Section {
            index: SectionIndex(number),
            role: section_role(&name, kind, flags),
            name,
            address,
            size,
            file_range: None,
            align: u64::max(header.sh_addralign(endian).into(), 1),
            access: Access {
                loaded: flags.contains(elf::SHF_ALLOC) && kind != elf::SHT_NULL,
                writable: flags.contains(elf::SHF_WRITE),
                executable: flags.contains(elf::SHF_EXECINSTR),
                thread_local: flags.contains(elf::SHF_TLS),
            },
            compression: Compression::None,
            stored: &[],
        };
        if kind == elf::SHT_NULL {
            // Entry 0 keeps large counts in its size field (gABI, "Extended section numbering").
            section.size = 0;
            section.role = SectionRole::FileStructure;
        } else if let Some((offset, len)) = header.file_range(endian) {
            store(&mut section, offset, len, image);
            if flags.contains(elf::SHF_COMPRESSED) {
                read_compression::<H>(file, header, &mut section, image);
            } else if section.name.starts_with(".zdebug") {
                read_gnu_compression(&mut section);
            }
        } else if section.access.loaded && address.checked_add(size).is_none() {
            image.warnings.push(
                &*section.name,
                None,
                "it ends past the end of memory; taken as empty",
            );
            section.size = 0;
        }
        image.sections.push(section);
    }
}

/// Says where a section is stored, clipped to the file.
fn store<'data>(section: &mut Section<'data>, offset: u64, len: u64, image: &mut Image<'data>) {
    let range = clip(offset, len, image.file_len());
    let stored_len = range.end - range.start;
    if stored_len < len {
        image.warnings.push(
            &*section.name,
            Some(offset),
            format!(
                "the section is {len:#x} bytes long and ends past the end of the file; cut off"
            ),
        );
        section.size = stored_len;
    }
    if section.access.loaded && section.address.checked_add(section.size).is_none() {
        image.warnings.push(
            &*section.name,
            None,
            "it ends past the end of memory; taken as not loaded",
        );
        section.access.loaded = false;
    }
    section.stored = slice(image.data, &range).unwrap_or_default();
    section.file_range = Some(range);
}

/// Reads the header that stands before compressed contents: gABI, "Section Compression".
fn read_compression<H>(
    file: &Elf<'_, H>,
    header: &H::SectionHeader,
    section: &mut Section<'_>,
    image: &mut Image<'_>,
) where
    H: FileHeader<Endian = object::Endianness>,
{
    let Ok(Some((compression, offset, _))) = header.compression(file.endian, file.data) else {
        image.warnings.push(
            &*section.name,
            None,
            "its compression header cannot be read; taken as it is stored",
        );
        return;
    };
    let start = section.file_range.as_ref().map_or(0, |range| range.start);
    let header_len = offset.saturating_sub(start);
    let form = match compression.ch_type(file.endian) {
        elf::ELFCOMPRESS_ZLIB => Compression::Zlib { header: header_len },
        elf::ELFCOMPRESS_ZSTD => Compression::Zstd { header: header_len },
        other => {
            image.warnings.push(
                &*section.name,
                None,
                format!("compression {} is not known; taken as stored", other.0),
            );
            return;
        }
    };
    set_compression(
        section,
        form,
        compression.ch_size(file.endian).into(),
        image,
    );
}

/// The form before the gABI had one: `ZLIB`, then the size as eight bytes, most significant first.
fn read_gnu_compression(section: &mut Section<'_>) {
    if let Some(size) = section
        .stored
        .strip_prefix(b"ZLIB")
        .and_then(|rest| rest.first_chunk::<8>())
    {
        let form = Compression::Zlib { header: 12 };
        let size = u64::from_be_bytes(*size);
        if form.can_expand_to(section.size, size) {
            section.compression = form;
            section.size = size;
        }
    }
}

fn set_compression(section: &mut Section<'_>, form: Compression, size: u64, image: &mut Image<'_>) {
    if form.can_expand_to(section.size, size) {
        section.compression = form;
        section.size = size;
    } else {
        let message = format!(
            "{} bytes cannot expand to {size}; taken as it is stored",
            section.size
        );
        image.warnings.push(&*section.name, None, message);
    }
}

/// Gives each loaded segment a section, so that a file without section headers has places too.
fn sections_from_segments(image: &mut Image<'_>) {
    let mut sections = Vec::new();
    for segment in &image.segments {
        let stored_len = segment.file_range.end - segment.file_range.start;
        let letter = |set: bool, letter: char| if set { letter } else { '-' };
        let access = segment.access;
        let name = format!(
            "(segment {} r{}{})",
            segment.number,
            letter(access.writable, 'w'),
            letter(access.executable, 'x')
        );
        let role = match (access.executable, access.writable) {
            (true, _) => SectionRole::Code,
            (false, true) => SectionRole::WritableData,
            (false, false) => SectionRole::ReadOnlyData,
        };
        let mut push = |address: u64, size: u64, stored: Option<FileRange>| {
            sections.push(Section {
                index: SectionIndex(u32::try_from(sections.len()).unwrap_or(u32::MAX)),
                name: Cow::Owned(name.clone()),
                address,
                size,
                stored: stored
                    .as_ref()
                    .and_then(|range| slice(image.data, range))
                    .unwrap_or_default(),
                file_range: stored,
                align: 1,
                access,
                role,
                compression: Compression::None,
            });
        };
        if stored_len > 0 {
            push(
                segment.address,
                stored_len,
                Some(segment.file_range.clone()),
            );
        }
        if let Some(zero_fill) = segment
            .memory_size
            .checked_sub(stored_len)
            .filter(|&len| len > 0)
        {
            if let Some(address) = segment.address.checked_add(stored_len) {
                push(address, zero_fill, None);
            }
        }
    }
    image.sections = sections;
}

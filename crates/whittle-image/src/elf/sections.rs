//! Section headers: gABI 4.1, "Sections", with "Extended section numbering" and "Section Compression".

use std::borrow::Cow;

use object::elf;
use object::pod::from_bytes;
use object::read::elf::{CompressionHeader as _, FileHeader, SectionHeader as _};

use super::headers::{check_segments, clip};
use super::names::Names;
use super::roles::{retention, section_role};
use super::{Elf, to_u64};
use crate::error::Warnings;
use crate::image::{FileKind, Image};
use crate::place::{FileRange, SectionIndex, slice};
use crate::section::{Access, Compression, Retention, Section, SectionRole};

/// Section names are short; one that holds a mangled C++ name (`-ffunction-sections`) can have some thousand bytes.
const MAX_NAME_LEN: usize = 1 << 16;

/// Fills in the sections.
///
/// A program without section headers, or with none of what is loaded, gets a section for each segment.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    let names = section_names(file, image);
    let mut names = Names::new(names, MAX_NAME_LEN);
    let mut nameless = 0_u64;
    for (number, header) in (0_u32..).zip(file.sections) {
        let name = names.get(header.sh_name(file.endian).into());
        nameless += u64::from(name.is_none());
        let name = String::from_utf8_lossy(name.unwrap_or_default());
        let section = read_section(file, header, SectionIndex(number), name, image);
        image.sections.push(section);
    }
    if nameless > 0 {
        image.warnings.push(
            "section headers",
            None,
            format!("{nameless} sections have names outside the table of names"),
        );
    }
    let is_loaded = |section: &Section<'_>| section.access.loaded;
    if image.target.kind != FileKind::Object && !image.sections.iter().any(is_loaded) {
        add_sections_from_segments(image);
    }
    check_segments(file, image);
}

/// The bytes of the table that holds the names of the sections; empty if there is none.
fn section_names<'data, H>(file: &Elf<'data, H>, image: &Image<'data>) -> &'data [u8]
where
    H: FileHeader<Endian = object::Endianness>,
{
    file.header
        .section_strings_index(file.endian, file.data)
        .ok()
        .and_then(|index| file.sections.get(index.0)?.file_range(file.endian))
        .map(|(offset, len)| clip(offset, len, image.file_len()))
        .and_then(|range| slice(file.data, &range))
        .unwrap_or_default()
}

fn read_section<'data, H>(
    file: &Elf<'data, H>,
    header: &H::SectionHeader,
    index: SectionIndex,
    name: Cow<'data, str>,
    image: &mut Image<'data>,
) -> Section<'data>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let endian = file.endian;
    let (kind, flags) = (header.sh_type(endian), header.sh_flags(endian));
    let is_null = kind == elf::SHT_NULL;
    let mut section = Section {
        index,
        role: section_role(file.header.e_machine(endian), &name, kind, flags),
        retention: retention(&name, kind, flags),
        name,
        address: header.sh_addr(endian).into(),
        // Entry 0 keeps large counts in its size field.
        size: if is_null {
            0
        } else {
            header.sh_size(endian).into()
        },
        file_range: None,
        align: u64::max(header.sh_addralign(endian).into(), 1),
        access: Access {
            loaded: flags.contains(elf::SHF_ALLOC) && !is_null,
            writable: flags.contains(elf::SHF_WRITE),
            executable: flags.contains(elf::SHF_EXECINSTR),
            thread_local: flags.contains(elf::SHF_TLS),
        },
        compression: Compression::None,
        stored: &[],
    };
    if let Some((offset, len)) = header.file_range(endian).filter(|_| !is_null) {
        store(&mut section, offset, len, image);
    }
    if section.access.loaded && section.address.checked_add(section.size).is_none() {
        image.warnings.push(
            &*section.name,
            None,
            "it ends past the end of memory; taken as not loaded",
        );
        section.access.loaded = false;
    }
    if flags.contains(elf::SHF_COMPRESSED) {
        read_compression::<H>(file, &mut section, &mut image.warnings);
    } else if section.name.starts_with(".zdebug") {
        read_gnu_compression(&mut section, &mut image.warnings);
    }
    section
}

/// Says where a section is stored, clipped to the file.
fn store<'data>(section: &mut Section<'data>, offset: u64, len: u64, image: &mut Image<'data>) {
    let range = clip(offset, len, image.file_len());
    section.size = range.end - range.start;
    if section.size < len {
        image.warnings.push(
            &*section.name,
            Some(offset),
            format!("its {len:#x} bytes end past the end of the file; cut off"),
        );
    }
    section.stored = slice(image.data, &range).unwrap_or_default();
    section.file_range = Some(range);
}

/// Reads the header that stands before compressed contents.
fn read_compression<H>(file: &Elf<'_, H>, section: &mut Section<'_>, warnings: &mut Warnings)
where
    H: FileHeader<Endian = object::Endianness>,
{
    // gABI: SHF_COMPRESSED "applies only to non-allocable sections".
    if section.access.loaded {
        warnings.push(
            &*section.name,
            None,
            "what is loaded cannot be compressed; taken as it is stored",
        );
        return;
    }
    let Ok((header, _)) = from_bytes::<H::CompressionHeader>(section.stored) else {
        warnings.push(
            &*section.name,
            None,
            "its compression header is cut off; taken as it is stored",
        );
        return;
    };
    let header_len = to_u64(size_of::<H::CompressionHeader>());
    let form = match header.ch_type(file.endian) {
        elf::ELFCOMPRESS_ZLIB => Compression::Zlib { header: header_len },
        elf::ELFCOMPRESS_ZSTD => Compression::Zstd { header: header_len },
        other => {
            let message = format!(
                "compression {} is not known; taken as it is stored",
                other.0
            );
            warnings.push(&*section.name, None, message);
            return;
        }
    };
    set_compression(section, form, header.ch_size(file.endian).into(), warnings);
}

/// The form before the gABI had one: `ZLIB`, then the size as eight bytes, most significant first.
fn read_gnu_compression(section: &mut Section<'_>, warnings: &mut Warnings) {
    let size = section
        .stored
        .strip_prefix(b"ZLIB")
        .and_then(|rest| rest.first_chunk::<8>());
    if let Some(size) = size {
        let form = Compression::Zlib { header: 12 };
        set_compression(section, form, u64::from_be_bytes(*size), warnings);
    }
}

fn set_compression(
    section: &mut Section<'_>,
    form: Compression,
    size: u64,
    warnings: &mut Warnings,
) {
    if form.can_expand_to(section.size, size) {
        section.compression = form;
        section.size = size;
    } else {
        let message = format!(
            "it claims to expand from {} to {size} bytes; taken as it is stored",
            section.size
        );
        warnings.push(&*section.name, None, message);
    }
}

/// Gives each segment a section for what the file stores of it and one for the zero fill behind.
fn add_sections_from_segments(image: &mut Image<'_>) {
    for segment in &image.segments {
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
        let stored_len = segment.file_range.end - segment.file_range.start;
        let zero_fill = segment.memory_size.saturating_sub(stored_len);
        let behind = segment.address.saturating_add(stored_len);
        let parts: [(u64, u64, Option<&FileRange>); 2] = [
            (segment.address, stored_len, Some(&segment.file_range)),
            (behind, zero_fill, None),
        ];
        for (address, size, file_range) in parts {
            if size == 0 || address.checked_add(size).is_none() {
                continue;
            }
            let Ok(number) = u32::try_from(image.sections.len()) else {
                return;
            };
            image.sections.push(Section {
                index: SectionIndex(number),
                name: Cow::Owned(name.clone()),
                address,
                size,
                stored: file_range
                    .and_then(|range| slice(image.data, range))
                    .unwrap_or_default(),
                file_range: file_range.cloned(),
                align: 1,
                access,
                role,
                // Parts of a segment cannot be told apart.
                retention: Retention::IfMentioned,
                compression: Compression::None,
            });
        }
    }
}

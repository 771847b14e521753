//! Notes and build facts: build-id, producers, debug link. Notes: gABI 4.1, "Note Section"; build-id and debug link:
//! GDB manual, "Debugging Information in Separate Files".

use std::collections::HashSet;

use object::elf;
use object::read::elf::{FileHeader, NoteIterator, ProgramHeader as _, SectionHeader as _};

use super::{Allowance, Elf};
use crate::audit;
use crate::image::{Endianness, Image};

/// `.comment` of a merged file names each compiler once; a damaged one could hold anything.
const MAX_PRODUCERS: usize = 64;

/// Programs have two or three.
const MAX_NOTE_SEGMENTS: usize = 64;

/// A build-id is a digest of 8 to 32 bytes, or whatever the user gave the linker.
const MAX_BUILD_ID_LEN: usize = 1024;

/// Reads what says how the file was built.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    image.facts.build_id =
        build_id_from_sections(file, image).or_else(|| build_id_from_segments(file, image));
    image.facts.producers = producers(image);
    image.facts.debug_link = debug_link(image);
    if let Some(section) = image.section_by_name(".dep-v0") {
        match audit::parse(section.stored()) {
            Ok(packages) => image.facts.audited = packages,
            Err(error) => {
                let message = format!("the audit data cannot be read: {error}");
                image.warnings.push(".dep-v0", None, message);
            }
        }
    }
}

fn build_id_from_sections<'data, H>(
    file: &Elf<'data, H>,
    image: &mut Image<'data>,
) -> Option<Vec<u8>>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let mut allowance = Allowance::of(image);
    file.sections
        .iter()
        .zip(&image.sections)
        .filter(|(header, _)| header.sh_type(file.endian) == elf::SHT_NOTE)
        .find_map(|(header, section)| {
            if !allowance.covers(section, &mut image.warnings) {
                return None;
            }
            let align = header.sh_addralign(file.endian);
            let notes = NoteIterator::new(file.endian, align, section.stored()).ok()?;
            build_id(file, notes)
        })
}

/// The same from what the loader sees. A debug companion does not store what its segments point at.
fn build_id_from_segments<'data, H>(file: &Elf<'data, H>, image: &Image<'data>) -> Option<Vec<u8>>
where
    H: FileHeader<Endian = object::Endianness>,
{
    if image.is_debug_companion() {
        return None;
    }
    file.segments
        .iter()
        .filter_map(|segment| segment.notes(file.endian, file.data).ok().flatten())
        .take(MAX_NOTE_SEGMENTS)
        .find_map(|notes| build_id(file, notes))
}

fn build_id<H>(file: &Elf<'_, H>, mut notes: NoteIterator<'_, H>) -> Option<Vec<u8>>
where
    H: FileHeader<Endian = object::Endianness>,
{
    while let Ok(Some(note)) = notes.next() {
        if note.name() == elf::ELF_NOTE_GNU
            && note.n_type(file.endian) == elf::NT_GNU_BUILD_ID
            && note.desc().len() <= MAX_BUILD_ID_LEN
        {
            return Some(note.desc().to_vec());
        }
    }
    None
}

/// The lines of `.comment`, each once.
fn producers(image: &Image<'_>) -> Vec<String> {
    let mut seen = HashSet::new();
    image
        .section_by_name(".comment")
        .map_or(&[][..], |comment| comment.stored())
        .split(|&byte| byte == 0)
        .filter(|line| !line.is_empty() && seen.insert(*line))
        .take(MAX_PRODUCERS)
        .map(|line| String::from_utf8_lossy(line).into_owned())
        .collect()
}

/// The name of a debug companion, padded with zeros to a multiple of four bytes, then its CRC.
fn debug_link(image: &Image<'_>) -> Option<(String, u32)> {
    let stored = image.section_by_name(".gnu_debuglink")?.stored();
    let name_len = memchr::memchr(0, stored)?;
    let checksum = (name_len + 1).next_multiple_of(4);
    let checksum = *stored.get(checksum..)?.first_chunk::<4>()?;
    Some((
        String::from_utf8_lossy(&stored[..name_len]).into_owned(),
        match image.target.endianness {
            Endianness::Little => u32::from_le_bytes(checksum),
            Endianness::Big => u32::from_be_bytes(checksum),
        },
    ))
}

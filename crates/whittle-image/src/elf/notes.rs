//! Notes and build facts: build-id, producers, debug link. Linux Standard Base 5; GNU binutils documentation.

use std::collections::HashSet;

use object::elf;
use object::read::elf::{FileHeader, SectionHeader as _};

use super::Elf;
use crate::image::Image;

/// `.comment` of a merged file names each compiler once; a damaged one could hold anything.
const MAX_PRODUCERS: usize = 64;

/// Reads the notes that say how the file was built.
pub(super) fn read<'data, H>(file: &Elf<'data, H>, image: &mut Image<'data>)
where
    H: FileHeader<Endian = object::Endianness>,
{
    for header in file.sections {
        if header.sh_type(file.endian) == elf::SHT_NOTE && image.facts.build_id.is_none() {
            image.facts.build_id = build_id(file, header);
        }
    }
    if let Some(comment) = image.section_by_name(".comment") {
        let mut seen = HashSet::new();
        image.facts.producers = comment
            .stored()
            .split(|&byte| byte == 0)
            .filter(|line| !line.is_empty() && seen.insert(*line))
            .take(MAX_PRODUCERS)
            .map(|line| String::from_utf8_lossy(line).into_owned())
            .collect();
    }
    if let Some(link) = image.section_by_name(".gnu_debuglink") {
        let stored = link.stored();
        let name_len = stored
            .iter()
            .position(|&byte| byte == 0)
            .unwrap_or(stored.len());
        let name = String::from_utf8_lossy(&stored[..name_len]).into_owned();
        // The name is padded with zeros to a multiple of four; the checksum follows.
        let checksum = (name_len + 1).next_multiple_of(4);
        if let Some(bytes) = stored
            .get(checksum..)
            .and_then(|rest| rest.first_chunk::<4>())
        {
            let checksum = if file.header.is_little_endian() {
                u32::from_le_bytes(*bytes)
            } else {
                u32::from_be_bytes(*bytes)
            };
            image.facts.debug_link = Some((name, checksum));
        }
    }
}

fn build_id<H>(file: &Elf<'_, H>, header: &H::SectionHeader) -> Option<Vec<u8>>
where
    H: FileHeader<Endian = object::Endianness>,
{
    let mut notes = header.notes(file.endian, file.data).ok().flatten()?;
    while let Ok(Some(note)) = notes.next() {
        if note.name() == elf::ELF_NOTE_GNU && note.n_type(file.endian) == elf::NT_GNU_BUILD_ID {
            return Some(note.desc().to_vec());
        }
    }
    None
}

//! Base relocations: pages, each with the places in it that hold an address. PE Format, "The .reloc Section".

use object::pe;

use super::{Pe, number, to_u64, word};
use crate::image::Image;
use crate::place::Place;
use crate::relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};

/// Reads all blocks.
pub(super) fn read(pe: &Pe<'_>, image: &mut Image<'_>) {
    let Some(directory) = pe.directory(pe::IMAGE_DIRECTORY_ENTRY_BASERELOC) else {
        return;
    };
    let Some(home) = pe.place(directory.start, image) else {
        return;
    };
    let Some(section) = image.section(home.section) else {
        return;
    };
    let len = usize::try_from(directory.end - directory.start).unwrap_or(usize::MAX);
    let start = usize::try_from(home.offset).unwrap_or(usize::MAX);
    let stored = section.stored().get(start..).unwrap_or_default();
    let blocks = stored.get(..len.min(stored.len())).unwrap_or_default();
    let mut relocations = Vec::new();
    let mut at = 0;
    while let (Some(page), Some(size)) = (word(blocks, at), word(blocks, at + 4)) {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        if size < 8 {
            break;
        }
        let end = at.saturating_add(size).min(blocks.len());
        for entry in (at + 8..end.saturating_sub(1)).step_by(2) {
            let Some(value) = number(blocks, entry, 2) else {
                break;
            };
            let width = match u16::try_from(value >> 12).map(pe::BaseRelocationType) {
                Ok(pe::IMAGE_REL_BASED_DIR64) => 8,
                Ok(pe::IMAGE_REL_BASED_HIGHLOW) => 4,
                _ => continue,
            };
            let rva = page.wrapping_add(u32::try_from(value & 0xfff).unwrap_or_default());
            let patched = pe.place(rva, image);
            let target = patched.and_then(|place| stored_at(image, place, width));
            relocations.push(Relocation {
                entry: home.offset + to_u64(entry),
                patched,
                kind: RelocationKind::Relative,
                target: target.map_or(RelocationTarget::None, RelocationTarget::Address),
            });
        }
        at = end;
    }
    image.relocation_tables.push(RelocationTable {
        section: home.section,
        encoding: RelocationEncoding::AddendInPlace,
        entry_size: 2,
        symbols: None,
        relocations,
    });
}

/// The address that is stored at a place.
fn stored_at(image: &Image<'_>, place: Place, width: usize) -> Option<u64> {
    let stored = image.section(place.section)?.stored();
    number(stored, usize::try_from(place.offset).ok()?, width)
}

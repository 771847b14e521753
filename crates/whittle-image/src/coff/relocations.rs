//! Relocations. PE Format, "COFF Relocations (Object Only)" and "Type Indicators".

use object::LittleEndian as LE;
use object::pe;

use super::symbols::section_of;
use crate::image::Image;
use crate::pe::{number, push_unloaded, to_u64};
use crate::place::Place;
use crate::relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};
use crate::section::SectionRole;

/// Reads the relocations of all sections. `numbers` are those of the symbols by entries of their table.
pub(super) fn read<'data>(
    table: &'data [pe::ImageSectionHeader],
    own: usize,
    numbers: &[u32],
    image: &mut Image<'data>,
) {
    let entry_size = to_u64(size_of::<pe::ImageRelocation>());
    // Sections of a sound file do not share relocations.
    let mut left = to_u64(image.data.len()) / entry_size;
    for (position, header) in table.iter().enumerate() {
        let home = section_of(own, position);
        let entries = match header.coff_relocations(image.data) {
            Ok(entries) => entries,
            Err(error) => {
                let name = image.sections[home.get()].name.to_string();
                let message = format!("its relocations are not read: {error}");
                image.warnings.push(name, None, message);
                continue;
            }
        };
        let count = to_u64(entries.len());
        let Some(rest) = left.checked_sub(count).filter(|_| count > 0) else {
            continue;
        };
        left = rest;
        // More than 65 535: the first entry says how many there are.
        let start = u64::from(header.pointer_to_relocations.get(LE));
        let first = to_u64(entries.as_ptr().addr() - image.data.as_ptr().addr()) - start;
        let range = start..start + first + count * entry_size;
        let section = push_unloaded(image, "(relocations)", range, SectionRole::Relocations);
        let mut relocations: Vec<Relocation> = Vec::with_capacity(entries.len());
        for (entry, at) in entries.iter().zip(0..) {
            let patched = Place {
                section: home,
                offset: entry.virtual_address.get(LE).into(),
            };
            let is_inside = image
                .section(home)
                .is_some_and(|section| patched.offset < section.size);
            let symbol = usize::try_from(entry.symbol_table_index.get(LE)).ok();
            let index = symbol.and_then(|symbol| numbers.get(symbol)).copied();
            let (kind, addend) = meaning(image, entry.typ.get(LE), patched);
            relocations.push(Relocation {
                entry: first + at * entry_size,
                patched: is_inside.then_some(patched),
                kind,
                target: index.map_or(RelocationTarget::None, |index| RelocationTarget::Symbol {
                    index,
                    addend,
                }),
            });
        }
        image.relocation_tables.push(RelocationTable {
            section,
            encoding: RelocationEncoding::AddendInPlace,
            entry_size,
            symbols: (!image.symbol_tables.is_empty()).then_some(0),
            relocations,
        });
    }
}

/// What a relocation writes, and what is added to the symbol's address. Distances are counted from the patched place, as in
/// the other formats; here they are stored as counted from a few bytes behind it.
fn meaning(image: &Image<'_>, kind: pe::RelocationType, patched: Place) -> (RelocationKind, i64) {
    let stored = |len: usize| -> i64 {
        let section = image.section(patched.section);
        let bytes = section.map_or(&[][..], |section| section.stored());
        let value = usize::try_from(patched.offset)
            .ok()
            .and_then(|at| number(bytes, at, len))
            .unwrap_or_default();
        if len == 8 {
            value.cast_signed()
        } else {
            u32::try_from(value)
                .unwrap_or_default()
                .cast_signed()
                .into()
        }
    };
    let plain = |addend| (RelocationKind::Other, addend);
    let nothing = (RelocationKind::Nothing, 0);
    let thread_local = (RelocationKind::ThreadLocal, 0);
    match &*image.target.architecture {
        "x86_64" => match kind {
            pe::IMAGE_REL_AMD64_ABSOLUTE | pe::IMAGE_REL_AMD64_SECTION => nothing,
            pe::IMAGE_REL_AMD64_ADDR64 => plain(stored(8)),
            pe::IMAGE_REL_AMD64_ADDR32 | pe::IMAGE_REL_AMD64_ADDR32NB => plain(stored(4)),
            pe::IMAGE_REL_AMD64_REL32
            | pe::IMAGE_REL_AMD64_REL32_1
            | pe::IMAGE_REL_AMD64_REL32_2
            | pe::IMAGE_REL_AMD64_REL32_3
            | pe::IMAGE_REL_AMD64_REL32_4
            | pe::IMAGE_REL_AMD64_REL32_5 => {
                let behind = i64::from(kind.0 - pe::IMAGE_REL_AMD64_REL32.0);
                plain(stored(4) - 4 - behind)
            }
            // Distances in a section: of thread-local variables, and in debug info.
            pe::IMAGE_REL_AMD64_SECREL | pe::IMAGE_REL_AMD64_SECREL7 => thread_local,
            _ => plain(0),
        },
        "i686" => match kind {
            pe::IMAGE_REL_I386_ABSOLUTE | pe::IMAGE_REL_I386_SECTION => nothing,
            pe::IMAGE_REL_I386_DIR32 | pe::IMAGE_REL_I386_DIR32NB => plain(stored(4)),
            pe::IMAGE_REL_I386_REL32 => plain(stored(4) - 4),
            pe::IMAGE_REL_I386_SECREL | pe::IMAGE_REL_I386_SECREL7 => thread_local,
            _ => plain(0),
        },
        "aarch64" => match kind {
            pe::IMAGE_REL_ARM64_ABSOLUTE | pe::IMAGE_REL_ARM64_SECTION => nothing,
            pe::IMAGE_REL_ARM64_ADDR64 => plain(stored(8)),
            pe::IMAGE_REL_ARM64_ADDR32 | pe::IMAGE_REL_ARM64_ADDR32NB => plain(stored(4)),
            pe::IMAGE_REL_ARM64_REL32 => plain(stored(4) - 4),
            pe::IMAGE_REL_ARM64_SECREL
            | pe::IMAGE_REL_ARM64_SECREL_LOW12A
            | pe::IMAGE_REL_ARM64_SECREL_HIGH12A
            | pe::IMAGE_REL_ARM64_SECREL_LOW12L => thread_local,
            // Parts of instructions.
            _ => plain(0),
        },
        _ => plain(0),
    }
}

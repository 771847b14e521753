//! Slots for addresses of other files, and stubs that jump through them. Each has an entry in the table of indirect
//! symbols, which says whose address it is.

use object::macho;

use super::commands::{Commands, INDIRECT};
use super::{number, sections, stored};
use crate::image::{Image, Stub};
use crate::place::Place;
use crate::relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};
use crate::section::SectionRole;

/// Reads the table of indirect symbols.
pub(super) fn read(commands: &Commands<'_>, image: &mut Image<'_>) {
    let Some(table) = sections::piece(image, INDIRECT) else {
        return;
    };
    let bytes = stored(image, table);
    let mut relocations = Vec::new();
    // Slots of a symbol, by its number.
    let mut slots: Vec<(u64, Place)> = Vec::new();
    let mut stubs: Vec<(u64, Place, u64)> = Vec::new();
    let mut left = bytes.len() / 4;
    for &(section, first, width) in &commands.indirect {
        let Some(section) = image.sections.get(section) else {
            continue;
        };
        for position in 0..section.size / width {
            // An entry serves one slot or stub.
            let Some(rest) = left.checked_sub(1) else {
                break;
            };
            left = rest;
            let entry = (u64::from(first).saturating_add(position)).saturating_mul(4);
            let symbol = usize::try_from(entry)
                .ok()
                .and_then(|at| number(image, bytes, at, 4));
            let Some(symbol) = symbol else {
                break;
            };
            let place = Place {
                section: section.index,
                offset: position * width,
            };
            let special = macho::INDIRECT_SYMBOL_LOCAL.0 | macho::INDIRECT_SYMBOL_ABS.0;
            let is_local = symbol & u64::from(special) != 0;
            let is_slot = section.role == SectionRole::AddressSlots;
            let target = if is_local {
                let at = usize::try_from(place.offset).ok();
                let word = usize::from(image.target.bits / 8);
                at.and_then(|at| number(image, section.stored(), at, word))
                    .map_or(RelocationTarget::None, RelocationTarget::Address)
            } else {
                if is_slot {
                    slots.push((symbol, place));
                } else {
                    stubs.push((symbol, place, width));
                }
                RelocationTarget::Symbol {
                    index: u32::try_from(symbol).unwrap_or(u32::MAX),
                    addend: 0,
                }
            };
            relocations.push(Relocation {
                entry,
                patched: Some(place),
                kind: if is_slot {
                    RelocationKind::Slot
                } else {
                    RelocationKind::Nothing
                },
                target,
            });
        }
    }
    slots.sort_unstable();
    image.stubs = stubs
        .into_iter()
        .filter_map(|(symbol, place, len)| {
            let at = slots.partition_point(|&(other, _)| other < symbol);
            let &(found, slot) = slots.get(at)?;
            (found == symbol).then_some(Stub { place, len, slot })
        })
        .collect();
    relocations.sort_by_key(|relocation| relocation.entry);
    image.relocation_tables.push(RelocationTable {
        section: table,
        encoding: RelocationEncoding::WithAddend,
        entry_size: 4,
        // There is one.
        symbols: (!image.symbol_tables.is_empty()).then_some(0),
        relocations,
    });
}

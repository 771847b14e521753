//! Relocations of object files. Apple, `mach-o/reloc.h`, `mach-o/x86_64/reloc.h`, `mach-o/arm64/reloc.h`.
//!
//! The relocations of each section are a section of their own here. Entries that only prepare the one behind them patch
//! nothing themselves. Those of 32-bit processors are read as far as they name symbols.

use object::macho::{self, RelocationInfo};
use object::pod::slice_from_bytes;

use super::commands::Commands;
use super::{clip, number, sections, to_u64};
use crate::image::Image;
use crate::place::Place;
use crate::relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};
use crate::section::SectionRole;

type Entry = macho::Relocation<object::Endianness>;

/// Reads the relocations of all sections.
pub(super) fn read(commands: &Commands<'_>, endian: object::Endianness, image: &mut Image<'_>) {
    let entry_size = to_u64(size_of::<Entry>());
    // Sections of a sound file do not share relocations.
    let mut left = to_u64(image.data.len()) / entry_size;
    for &(home, start, count) in &commands.relocations {
        let count = u64::from(count);
        let range = clip(start.into(), count * entry_size, image.file_len());
        let whole = range.end - range.start == count * entry_size;
        let Some(rest) = left.checked_sub(count).filter(|_| whole) else {
            let message = "they end past the end of the file; not read";
            image
                .warnings
                .push("(relocations)", Some(start.into()), message);
            continue;
        };
        left = rest;
        let section = sections::push_piece(image, "(relocations)", range, SectionRole::Relocations);
        let stored = super::stored(image, section);
        let count = stored.len() / size_of::<Entry>();
        let (entries, _) = slice_from_bytes::<Entry>(stored, count).unwrap_or((&[], &[]));
        let mut reader = Reader { image, home };
        let relocations = reader.relocations(entries, endian, entry_size);
        image.relocation_tables.push(RelocationTable {
            section,
            encoding: RelocationEncoding::AddendInPlace,
            entry_size,
            symbols: (!image.symbol_tables.is_empty()).then_some(0),
            relocations,
        });
    }
}

struct Reader<'image, 'data> {
    image: &'image Image<'data>,
    /// The number of the section that is patched.
    home: usize,
}

impl Reader<'_, '_> {
    fn relocations(
        &mut self,
        entries: &[Entry],
        endian: object::Endianness,
        entry_size: u64,
    ) -> Vec<Relocation> {
        let cpu = match &*self.image.target.architecture {
            "x86_64" => macho::CPU_TYPE_X86_64,
            _ => macho::CPU_TYPE_ARM64,
        };
        let mut relocations = Vec::with_capacity(entries.len());
        // What the entry before adds to this one.
        let mut prepared = 0;
        for (entry, position) in entries.iter().zip(0..) {
            let mut relocation = Relocation {
                entry: position * entry_size,
                patched: None,
                kind: RelocationKind::Nothing,
                target: RelocationTarget::None,
            };
            if !entry.r_scattered(endian, cpu) {
                let info = entry.info(endian);
                relocation.patched = self.patched(&info);
                if is_addend(self.image, &info) {
                    // 24 bits with a sign.
                    prepared = i64::from((info.r_symbolnum << 8).cast_signed() >> 8);
                } else if !is_subtrahend(self.image, &info) {
                    relocation.kind = RelocationKind::Other;
                    relocation.target = self.target(&info, std::mem::take(&mut prepared));
                }
            }
            relocations.push(relocation);
        }
        relocations
    }

    fn patched(&self, info: &RelocationInfo) -> Option<Place> {
        let section = self.image.sections.get(self.home)?;
        let offset = u64::from(info.r_address);
        (offset < section.size).then_some(Place {
            section: section.index,
            offset,
        })
    }

    /// What is written. Distances are counted from the patched place, as in the other formats; here they are stored as
    /// counted from the four bytes behind it, and what follows in the instruction is in the type.
    fn target(&self, info: &RelocationInfo, prepared: i64) -> RelocationTarget {
        let is_x86 = self.image.target.architecture == "x86_64";
        let is_part = !is_x86 && info.r_type != macho::ARM64_RELOC_UNSIGNED;
        // Where it is part of an instruction, nothing is read there.
        let stored = if is_part {
            0
        } else {
            self.stored(info).unwrap_or_default()
        };
        let is_relative = is_x86 && info.r_pcrel;
        if info.r_extern {
            let from_field = if is_relative { 4 } else { 0 };
            return RelocationTarget::Symbol {
                index: info.r_symbolnum,
                addend: stored.wrapping_add(prepared).wrapping_sub(from_field),
            };
        }
        // The number of a section, from 1; what is stored is an address, or a distance of addresses.
        let section = usize::try_from(info.r_symbolnum)
            .ok()
            .and_then(|number| self.image.sections.get(number.checked_sub(1)?));
        let home = self
            .image
            .sections
            .get(self.home)
            .map_or(0, |it| it.address);
        section.map_or(RelocationTarget::None, |section| {
            let from = if is_relative {
                home.wrapping_add(info.r_address.into())
            } else {
                0
            };
            let address = from.wrapping_add_signed(stored);
            RelocationTarget::Place {
                place: Place {
                    section: section.index,
                    offset: 0,
                },
                addend: address.wrapping_sub(section.address).cast_signed(),
            }
        })
    }

    /// The number at the patched place.
    fn stored(&self, info: &RelocationInfo) -> Option<i64> {
        let section = self.image.sections.get(self.home)?;
        let at = usize::try_from(info.r_address).ok()?;
        let len = 1_usize << info.r_length.min(3);
        let value = number(self.image, section.stored(), at, len)?;
        let unused = 64 - 8 * u32::try_from(len).ok()?;
        Some((value << unused).cast_signed() >> unused)
    }
}

/// Whether an entry only holds what is added to the next one.
fn is_addend(image: &Image<'_>, info: &RelocationInfo) -> bool {
    image.target.architecture == "aarch64" && info.r_type == macho::ARM64_RELOC_ADDEND
}

/// Whether an entry only says what is subtracted from what the next one writes.
fn is_subtrahend(image: &Image<'_>, info: &RelocationInfo) -> bool {
    match &*image.target.architecture {
        "x86_64" => info.r_type == macho::X86_64_RELOC_SUBTRACTOR,
        "aarch64" => info.r_type == macho::ARM64_RELOC_SUBTRACTOR,
        // `GENERIC_RELOC_PAIR`, and what 32-bit Arm has in its place.
        _ => info.r_type.0 == 1,
    }
}

//! The load configuration: what the loader is to watch over. Its guard tables list functions that may be called through
//! pointers. PE Format, "The Load Configuration Structure"; `winnt.h`, `IMAGE_LOAD_CONFIG_DIRECTORY`.

use object::pe;

use super::{Pe, Rvas, number, to_u64, word};
use crate::description::Description;
use crate::image::Image;

/// Where the fields are, in words as wide as an address, counted from behind those of a fixed width (32 bit: all are four
/// bytes wide).
struct Layout {
    /// The table of functions that may be called through pointers, and those that follow it: slots of imports whose address
    /// is taken, targets of `longjmp`, where code goes on after an exception. Each is an address and, behind it, a count.
    tables: [usize; 4],
    /// Flags, of which the highest four bits are what an entry has besides the address, in bytes.
    flags: usize,
}

const BITS_64: Layout = Layout {
    tables: [128, 160, 176, 264],
    flags: 144,
};
const BITS_32: Layout = Layout {
    tables: [80, 104, 112, 164],
    flags: 88,
};

/// The guard tables: where each is, and how long an entry is.
#[derive(Default)]
pub(super) struct GuardTables(Vec<(Rvas, u32)>);

impl GuardTables {
    pub(super) fn read(pe: &Pe<'_>, bits: u8, data: &[u8]) -> Self {
        let mut tables = Self::default();
        let Some(directory) = pe.directory(pe::IMAGE_DIRECTORY_ENTRY_LOAD_CONFIG) else {
            return tables;
        };
        let bytes = pe.bytes(directory.start, data);
        // The structure says itself how long it is; older ones end before newer fields.
        let len = word(bytes, 0).map_or(0, |len| usize::try_from(len).unwrap_or(0));
        let bytes = bytes.get(..len.min(bytes.len())).unwrap_or_default();
        let (layout, width) = if bits == 64 {
            (BITS_64, 8)
        } else {
            (BITS_32, 4)
        };
        let stride = 4 + (word(bytes, layout.flags).unwrap_or(0) >> 28);
        for at in layout.tables {
            let (Some(address), Some(count)) = (
                number(bytes, at, width),
                number(bytes, at + width, width).and_then(|count| u32::try_from(count).ok()),
            ) else {
                break;
            };
            let rva = address
                .checked_sub(pe.base)
                .and_then(|rva| u32::try_from(rva).ok());
            let end = rva.and_then(|rva| rva.checked_add(count.checked_mul(stride)?));
            if let (Some(start), Some(end)) = (rva, end)
                && start < end
                && pe.file_range(start, to_u64(data.len())).is_some()
            {
                tables.0.push((start..end, stride));
            }
        }
        tables
    }

    /// Where the tables are.
    pub(super) fn ranges(&self) -> impl Iterator<Item = Rvas> + use<> {
        let ranges: Vec<Rvas> = self.0.iter().map(|(range, _)| range.clone()).collect();
        ranges.into_iter()
    }

    /// Each entry describes what it lists; called when sections have their addresses.
    pub(super) fn finish(&self, pe: &Pe<'_>, image: &mut Image<'_>) {
        for (range, stride) in &self.0 {
            let Some(home) = pe.place(range.start, image) else {
                continue;
            };
            let stored = image
                .section(home.section)
                .map_or(&[][..], |section| section.stored());
            let start = usize::try_from(home.offset).unwrap_or(usize::MAX);
            let table = stored.get(start..).unwrap_or_default();
            let len = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
            let table = table.get(..len.min(table.len())).unwrap_or_default();
            let stride = usize::try_from(*stride).unwrap_or(4);
            for (entry, number) in table.chunks_exact(stride).zip(0..) {
                let of = word(entry, 0).and_then(|rva| pe.place(rva, image));
                if let Some(of) = of {
                    let mut place = home;
                    place.offset += number * to_u64(stride);
                    image.descriptions.push(Description {
                        place,
                        len: to_u64(stride),
                        of,
                    });
                }
            }
        }
    }
}

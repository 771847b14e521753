//! Tables of jump targets: a compiler makes them of a `switch` or `match`, and only their function reads them.

use rustc_hash::FxHashMap;
use whittle_code::{ReferenceKind, References};
use whittle_image::{Image, Place, SectionIndex};

use crate::constants::shapes::read;
use crate::items::Items;
use crate::owner::Owner;

/// A table of jump targets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct JumpTable {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) function: Owner,
}

/// Tables of jump targets by the section that holds them, in ascending order. A table may be mentioned by several
/// functions where the compiler split one.
#[derive(Debug, Default)]
pub(crate) struct JumpTables {
    by_section: FxHashMap<SectionIndex, Vec<JumpTable>>,
}

/// Bytes of an entry: the distance from the table to the target (LLVM and GCC on `x86_64`, position-independent code).
const ENTRY: u64 = 4;

impl JumpTables {
    /// Finds the tables: constants that an instruction makes the address of, and that hold distances into the very
    /// function that the instruction belongs to.
    pub(crate) fn find(image: &Image<'_>, references: &References, items: &Items<'_>) -> Self {
        let mut found = Self::default();
        if image.target.architecture != "x86_64" {
            return found;
        }
        let mut tables: Vec<(Place, JumpTable)> = Vec::new();
        // Each byte is read by one table only.
        for reference in references.list() {
            if reference.kind() != ReferenceKind::Address {
                continue;
            }
            let to = reference.to();
            let Some(section) = image
                .section(to.section)
                .filter(|section| !section.access.executable && !section.access.writable)
            else {
                continue;
            };
            let Some(function @ Owner::Item(_)) = items.owner_at(reference.from()) else {
                continue;
            };
            let base = section.address.wrapping_add(to.offset);
            let leads_into_function = |at: u64| {
                let distance = read(image, section, at, ENTRY)?;
                let distance = i64::from(u32::try_from(distance).ok()?.cast_signed());
                let target = image.place_at(base.checked_add_signed(distance)?)?;
                Some(items.owner_at(target) == Some(function))
            };
            if leads_into_function(to.offset) != Some(true) {
                continue;
            }
            tables.push((
                to,
                JumpTable {
                    start: to.offset,
                    end: to.offset,
                    function,
                },
            ));
        }
        tables.sort_unstable_by_key(|(place, table)| (*place, table.function));
        tables.dedup_by_key(|(place, _)| *place);
        let starts: Vec<Place> = tables.iter().map(|(place, _)| *place).collect();
        for (number, (place, mut table)) in tables.into_iter().enumerate() {
            let Some(section) = image.section(place.section) else {
                continue;
            };
            let limit = starts
                .get(number + 1)
                .filter(|next| next.section == place.section)
                .map_or(section.size, |next| next.offset);
            let base = section.address.wrapping_add(place.offset);
            while table.end < limit
                && let Some(distance) = read(image, section, table.end, ENTRY)
                && let Ok(distance) = u32::try_from(distance)
                && let Some(address) = base.checked_add_signed(distance.cast_signed().into())
                && let Some(target) = image.place_at(address)
                && items.owner_at(target) == Some(table.function)
            {
                table.end += ENTRY;
            }
            found
                .by_section
                .entry(place.section)
                .or_default()
                .push(table);
        }
        found
    }

    /// Those of a section, in ascending order.
    pub(crate) fn of_section(&self, section: SectionIndex) -> &[JumpTable] {
        self.by_section.get(&section).map_or(&[][..], Vec::as_slice)
    }
}

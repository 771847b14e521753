//! What relocations of an object file patch in its code.

use whittle_image::{
    FileKind, Image, Place, RelocationKind, RelocationTarget, SectionIndex, SectionRole,
};

use crate::finder::Finder;
use crate::function::is_code;
use crate::pointer::{pointer, symbol_place, target_of};
use crate::reference::ReferenceKind;
use crate::reference::{Certainty, Reference};
use crate::region::Region;

/// One patch in code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patch {
    /// The first patched byte.
    pub(crate) from: Place,
    /// Where the symbol is; nothing if it is in another file, or has no address.
    symbol: Option<Place>,
    addend: i64,
    /// The size of the symbol's section.
    limit: u64,
}

/// The patches in code, in ascending order; none in linked files.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patches<'list> {
    list: &'list [Patch],
}

impl Patch {
    /// Where it leads, if what is patched counts from `bias` bytes behind it.
    pub(crate) fn target(&self, bias: i64) -> Option<Place> {
        let symbol = self.symbol?;
        let offset = symbol
            .offset
            .checked_add_signed(self.addend.checked_add(bias)?)
            .filter(|&offset| offset <= self.limit)?;
        Some(Place { offset, ..symbol })
    }
}

impl<'list> Patches<'list> {
    pub(crate) fn new(list: &'list [Patch]) -> Self {
        Self { list }
    }

    /// Those of a section whose first byte is in a range of offsets.
    pub(crate) fn between(&self, section: SectionIndex, start: u64, end: u64) -> &'list [Patch] {
        let position = |offset| {
            let bound = Place { section, offset };
            self.list.partition_point(|patch| patch.from < bound)
        };
        if self.list.is_empty() {
            return &[];
        }
        self.list
            .get(position(start)..position(end))
            .unwrap_or_default()
    }
}

/// Lists the patches in the code of an object file; nothing for other files.
pub(crate) fn patches(image: &Image<'_>) -> Vec<Patch> {
    let mut patches = Vec::new();
    if image.target.kind != FileKind::Object {
        return patches;
    }
    for table in &image.relocation_tables {
        for relocation in &table.relocations {
            let Some(from) = relocation.patched else {
                continue;
            };
            if !image.section(from.section).is_some_and(is_code) {
                continue;
            }
            let mut patch = Patch {
                from,
                symbol: None,
                addend: 0,
                limit: 0,
            };
            let target = match relocation.target {
                RelocationTarget::Symbol { index, addend } => {
                    symbol_place(image, table, index).map(|(place, _)| (place, addend))
                }
                RelocationTarget::Place { place, addend } => Some((place, addend)),
                RelocationTarget::Address(_) | RelocationTarget::None => None,
            };
            if relocation.kind == RelocationKind::Nothing {
                continue;
            }
            if let Some((place, addend)) = target {
                patch.symbol = Some(place);
                patch.addend = addend;
                patch.limit = image
                    .section(place.section)
                    .map_or(0, |section| section.size);
            }
            patches.push(patch);
        }
    }
    patches.sort_by_key(|patch| patch.from);
    patches
}

/// The references in the data of an object file, in no order. Those of unwind tables are left out: their entries were
/// read already.
pub(crate) fn pointers(image: &Image<'_>) -> Vec<Reference> {
    let mut found = Vec::new();
    for table in &image.relocation_tables {
        for relocation in &table.relocations {
            let Some(from) = relocation.patched else {
                continue;
            };
            let Some(section) = image.section(from.section) else {
                continue;
            };
            let is_data = section.access.loaded
                && !is_code(section)
                && !matches!(
                    section.role,
                    SectionRole::UnwindTable | SectionRole::UnwindIndex
                );
            if is_data && let Some(to) = target_of(image, table, relocation) {
                // Position-independent code has addresses only where the loader can write; elsewhere stand distances.
                let certainty = if section.access.writable {
                    Certainty::Exact
                } else {
                    Certainty::Inferred
                };
                found.push(pointer(from, to, certainty));
            }
        }
    }
    found
}

/// Reads code whose instructions are not known here: relocations alone say what it refers to.
pub(crate) fn undecoded(finder: &mut Finder<'_, '_>, regions: &[Region]) {
    let patches = finder.patches();
    for region in regions {
        finder.enter(region);
        finder.unread_patches(&patches, region.start, region.end, Certainty::Exact);
    }
}

impl Finder<'_, '_> {
    /// Refers to what patches of a range of offsets lead to, whose instructions were not read.
    pub(crate) fn unread_patches(
        &mut self,
        patches: &Patches<'_>,
        start: u64,
        end: u64,
        certainty: Certainty,
    ) {
        for patch in patches.between(self.section.index, start, end) {
            if let Some(to) = patch.target(0) {
                self.refer(patch.from.offset, to, ReferenceKind::Operand, certainty);
            }
        }
    }
}

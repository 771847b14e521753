//! Identical code folding: equal functions that a linker would make one (`--icf=all`).
//!
//! What is equal, and what may be folded at all, is as lld decides it (LLVM 22, `lld/ELF/ICF.cpp`): functions with the
//! same instructions whose mentions lead to the same or to folded places. Functions with an exception table are left
//! alone: two may differ in nothing but what they catch. So is data, because rustc does not say which addresses
//! matter (`.llvm_addrsig`).

use rustc_hash::{FxHashMap, FxHashSet};
use whittle_code::Method;
use whittle_image::{Described, Image, Place, SectionIndex, SectionRole};

use super::Exactness;
use super::body::{Bodies, Extent, keep_likely, without_overlaps};
use crate::ledger::Ledger;
use crate::owner::{ItemId, ItemKind};
use crate::paper::{Change, Paper};

/// Functions that could be folded.
#[derive(Debug, Default)]
pub(super) struct Folding {
    /// Groups of equal functions, each in the order of the file: the linker keeps the first.
    pub(super) groups: Vec<Vec<ItemId>>,
    /// Bytes that each section would lose.
    lost: FxHashMap<SectionIndex, u64>,
}

/// Between two functions are at most so many bytes to align the second.
const LARGEST_GAP: u64 = 64;

impl Folding {
    pub(super) fn find(ledger: &Ledger<'_>) -> Self {
        let image = ledger.image();
        let references = ledger.references();
        if !image.target.kind.is_linked() || references.coverage().method != Method::Decoded {
            return Self::default();
        }
        let frames = Frames::of(image);
        let mut items: FxHashMap<Place, ItemId> = FxHashMap::default();
        let mut list = Vec::new();
        for (item, number) in ledger.items().iter().zip(0..) {
            if let Some(place) = item.place
                && item.kind == ItemKind::Function
                && item.len > 0
                && may_be_folded(image, place.section)
            {
                items.entry(place).or_insert(ItemId(number));
                list.push(Extent {
                    place,
                    len: item.len,
                });
            }
        }
        without_overlaps(&mut list);
        let next: FxHashMap<Place, u64> = list
            .windows(2)
            .map(|pair| {
                let same = pair[0].place.section == pair[1].place.section;
                (
                    pair[0].place,
                    if same { pair[1].place.offset } else { u64::MAX },
                )
            })
            .collect();
        list.retain(|it| !frames.with_exceptions.contains(&it.place));
        keep_likely(&mut list, references);

        let mut folding = Self::default();
        for class in Bodies::new(image, references).classes(&list) {
            let members: Vec<Extent> = class
                .iter()
                .filter_map(|&number| list.get(usize::try_from(number).ok()?).copied())
                .collect();
            for extent in members.iter().skip(1) {
                let gap = next
                    .get(&extent.place)
                    .map_or(0, |next| next - extent.end());
                let gap = if gap < LARGEST_GAP { gap } else { 0 };
                folding.lose(extent.place.section, extent.len + gap);
                for &(section, len) in frames.of.get(&extent.place).into_iter().flatten() {
                    folding.lose(section, len);
                }
            }
            let functions = members
                .iter()
                .filter_map(|it| items.get(&it.place).copied());
            folding.groups.push(functions.collect());
        }
        folding
    }

    fn lose(&mut self, section: SectionIndex, len: u64) {
        let lost = self.lost.entry(section).or_default();
        *lost = lost.saturating_add(len);
    }

    /// How much shorter the file would be. Always an estimate: where the code of one function ends and how it was
    /// aligned is known to the linker alone.
    pub(super) fn bytes(&self, image: &Image<'_>, paper: &Paper<'_>) -> (u64, Exactness) {
        let change = |index| match (self.lost.get(&index), image.section(index)) {
            (Some(lost), Some(section)) => Change::Resize(section.size.saturating_sub(*lost)),
            _ => Change::Keep,
        };
        let (len, _) = paper.len_with(change, None);
        (image.file_len().saturating_sub(len), Exactness::Estimated)
    }
}

/// Whether lld folds functions of a section. Sections whose name could be a name in C may be walked by the program.
fn may_be_folded(image: &Image<'_>, index: SectionIndex) -> bool {
    image.section(index).is_some_and(|section| {
        section.role == SectionRole::Code
            && !matches!(section.name.as_ref(), ".init" | ".fini")
            && section.name.starts_with('.')
    })
}

/// The unwind entries of functions.
#[derive(Default)]
struct Frames {
    /// For the start of a function: bytes in sections that its unwind entry takes.
    of: FxHashMap<Place, Vec<(SectionIndex, u64)>>,
    /// Functions whose unwind entry names an exception table.
    with_exceptions: FxHashSet<Place>,
}

impl Frames {
    fn of(image: &Image<'_>) -> Self {
        let mut frames = Self::default();
        for table in &image.unwind_tables {
            for entry in &table.entries {
                if let Described::Code {
                    start, exceptions, ..
                } = entry.describes
                {
                    frames
                        .of
                        .entry(start)
                        .or_default()
                        .push((table.section, entry.len));
                    if exceptions.is_some() {
                        frames.with_exceptions.insert(start);
                    }
                }
            }
        }
        for index in &image.unwind_indexes {
            for start in index.entries.iter().flatten() {
                frames
                    .of
                    .entry(*start)
                    .or_default()
                    .push((index.section, index.entry_size));
            }
        }
        frames
    }
}

//! Address slots (GOT) and stubs (PLT): where what goes through them leads.

use whittle_image::{FileKind, Image, Place, RelocationKind, SectionRole};

use crate::pointer::{Words, target_of};
use crate::reference::{Certainty, SlotNumber};

/// The address slots of a linked file, and its stubs.
#[derive(Debug, Default)]
pub(crate) struct Slots {
    /// In ascending order.
    list: Vec<(Place, Content)>,
    /// The same, as runs of neighbours: a table of slots is one or a few.
    runs: Vec<Run>,
    /// Bytes of a slot.
    width: u64,
    /// In ascending order.
    stubs: Vec<(Place, SlotNumber)>,
}

/// Slots that follow each other.
#[derive(Debug)]
struct Run {
    start: Place,
    /// The position of the first among all slots.
    first: usize,
    count: u64,
}

/// What a slot holds when the program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// The address of a place in this file.
    Address(Place, Certainty),
    /// The address of something in another file, or no address at all: something of thread-local storage.
    Other,
}

impl Slots {
    pub(crate) fn of(image: &Image<'_>) -> Self {
        let mut slots = relocated_slots(image);
        slots.sort_by_key(|&(place, _)| place);
        slots.dedup_by_key(|&mut (place, _)| place);
        if image.target.kind == FileKind::Executable {
            let mut stored = stored_slots(image);
            stored.retain(|(place, _)| slots.binary_search_by_key(place, |it| it.0).is_err());
            slots.append(&mut stored);
            slots.sort_by_key(|&(place, _)| place);
        }
        let width = u64::from(image.target.bits / 8);
        let mut resolved = Self {
            runs: runs(&slots, width),
            list: slots,
            width,
            stubs: Vec::new(),
        };
        let number = |slot| {
            resolved
                .slot(slot)
                .map_or(SlotNumber::NONE, |(number, _)| number)
        };
        let mut stubs: Vec<_> = image
            .stubs
            .iter()
            .map(|stub| (stub.place, number(stub.slot)))
            .collect();
        stubs.sort_by_key(|&(place, _)| place);
        resolved.stubs = stubs;
        resolved
    }

    /// The slot at a place.
    pub(crate) fn slot(&self, place: Place) -> Option<(SlotNumber, Content)> {
        let after = self.runs.partition_point(|run| run.start <= place);
        let run = self.runs.get(after.checked_sub(1)?)?;
        if run.start.section != place.section {
            return None;
        }
        let distance = place.offset - run.start.offset;
        let number = distance / self.width;
        if number >= run.count || !distance.is_multiple_of(self.width) {
            return None;
        }
        let position = run.first + usize::try_from(number).ok()?;
        let &(_, content) = self.list.get(position)?;
        Some((SlotNumber::new(position), content))
    }

    /// Where the stub that starts at a place leads, if that is in this file.
    pub(crate) fn behind_stub(&self, stub: Place) -> Option<(Place, Certainty, SlotNumber)> {
        // Most places are in sections without stubs.
        let (first, last) = (self.stubs.first()?.0, self.stubs.last()?.0);
        if stub < first || last < stub {
            return None;
        }
        let position = self.stubs.binary_search_by_key(&stub, |it| it.0).ok()?;
        let number = self.stubs.get(position)?.1;
        match self.list.get(number.position()?)?.1 {
            Content::Address(to, certainty) => Some((to, certainty, number)),
            Content::Other => None,
        }
    }

    /// The places of all slots, by number.
    pub(crate) fn into_places(self) -> Vec<Place> {
        self.list.into_iter().map(|(place, _)| place).collect()
    }
}

/// Joins neighbours. The slots are in ascending order, each once.
fn runs(slots: &[(Place, Content)], width: u64) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (position, &(place, _)) in slots.iter().enumerate() {
        if let Some(run) = runs.last_mut()
            && run.start.section == place.section
            && place.offset - run.start.offset == run.count * width
        {
            run.count += 1;
        } else {
            runs.push(Run {
                start: place,
                first: position,
                count: 1,
            });
        }
    }
    runs
}

/// The slots that the loader fills.
fn relocated_slots(image: &Image<'_>) -> Vec<(Place, Content)> {
    let mut slots = Vec::new();
    for table in crate::pointer::loaded_tables(image) {
        for relocation in &table.relocations {
            let Some(place) = relocation.patched else {
                continue;
            };
            let is_slot = matches!(
                relocation.kind,
                RelocationKind::Slot | RelocationKind::JumpSlot
            ) || has_slots(image, place);
            if is_slot {
                let content = target_of(image, table, relocation)
                    .map_or(Content::Other, |to| Content::Address(to, Certainty::Exact));
                slots.push((place, content));
            }
        }
    }
    slots
}

/// The slots of a program at a fixed address, which the linker has filled. A number there may be an offset in
/// thread-local storage instead, but such are small.
fn stored_slots(image: &Image<'_>) -> Vec<(Place, Content)> {
    let mut slots = Vec::new();
    // Sections that share bytes are no slots of a sound file.
    let mut left = image.file_len();
    for section in &image.sections {
        if !section.access.loaded || section.role != SectionRole::AddressSlots {
            continue;
        }
        let len = u64::try_from(section.stored().len()).unwrap_or(u64::MAX);
        let Some(rest) = left.checked_sub(len) else {
            continue;
        };
        left = rest;
        slots.extend(Words::of(image, section).filter_map(|(place, address)| {
            let to = image.place_at(address)?;
            Some((place, Content::Address(to, Certainty::Inferred)))
        }));
    }
    slots
}

fn has_slots(image: &Image<'_>, place: Place) -> bool {
    image
        .section(place.section)
        .is_some_and(|section| section.role == SectionRole::AddressSlots)
}

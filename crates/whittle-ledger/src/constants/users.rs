//! Who uses what: the items that mention each constant.

use whittle_code::{Incoming, ReferenceKind, References};
use whittle_image::{Image, SectionRole};

use crate::items::Items;
use crate::known_symbols::is_anonymous;
use crate::owner::{Item, ItemId, ItemKind, Owner};

/// How many items without a name cover the same byte in any file that a linker wrote, with room to spare.
const MAX_COVERING: usize = 8;

/// The users of all constants without a name, in one list.
#[derive(Debug, Default)]
pub(crate) struct Users {
    /// For each item, where its users start in the list; one more at the end.
    starts: Vec<u32>,
    list: Vec<ItemId>,
}

impl Users {
    /// Finds the users of the items that no source gives a name.
    ///
    /// What only describes an item is no user of it: address slots, unwind entries, stubs.
    pub(crate) fn find(
        image: &Image<'_>,
        references: &References,
        incoming: &Incoming<'_>,
        items: &Items<'_>,
    ) -> Self {
        let mut users = Self {
            starts: Vec::with_capacity(items.list.len() + 1),
            list: Vec::new(),
        };
        let mut found: Vec<ItemId> = Vec::new();
        // Symbols of a hostile file may all cover the same bytes.
        let mut room = references.list().len().saturating_mul(MAX_COVERING);
        for (item, number) in items.list.iter().zip(0..) {
            users.starts.push(position(users.list.len()));
            let Some(place) = item.place.filter(|_| has_users(item)) else {
                continue;
            };
            found.clear();
            let mentions = incoming.within(place, item.len);
            let Some(rest) = room.checked_sub(mentions.len()) else {
                continue;
            };
            room = rest;
            for reference in mentions {
                let is_described = matches!(
                    reference.kind(),
                    ReferenceKind::ExceptionTable | ReferenceKind::Personality
                );
                let from = reference.from();
                let is_slot = image.section(from.section).is_some_and(|section| {
                    matches!(
                        section.role,
                        SectionRole::AddressSlots
                            | SectionRole::Stubs
                            | SectionRole::DynamicLinking
                    )
                });
                if !is_described
                    && !is_slot
                    && let Some(Owner::Item(user)) = items.owner_at(from)
                    && user != ItemId(number)
                {
                    found.push(user);
                }
            }
            // A string that is the end of a longer one: the longer one stands before it, and has its users already.
            if let Some(&longer) = items.longer_strings.get(&ItemId(number)) {
                found.extend_from_slice(users.of(longer));
            }
            found.sort_unstable();
            found.dedup();
            users.list.extend_from_slice(&found);
        }
        users.starts.push(position(users.list.len()));
        users
    }

    /// Takes in those of a member, whose first item is the next of the whole.
    pub(crate) fn append(&mut self, other: &Self, first_item: usize) {
        // The end of the last item is where the next one starts.
        self.starts.resize(first_item, position(self.list.len()));
        let first = position(self.list.len());
        let starts = other.starts.iter();
        self.starts
            .extend(starts.map(|start| start.saturating_add(first)));
        let users = other.list.iter();
        self.list
            .extend(users.map(|id| ItemId::new(first_item + id.index())));
    }

    /// The users of an item, in ascending order. Empty for items with a name of their own.
    pub(crate) fn of(&self, item: ItemId) -> &[ItemId] {
        let bound = |index: usize| {
            let start = self.starts.get(index).copied().unwrap_or_default();
            usize::try_from(start).unwrap_or(usize::MAX)
        };
        let (start, end) = (bound(item.index()), bound(item.index().saturating_add(1)));
        self.list.get(start..end).unwrap_or_default()
    }
}

/// Whether an item is a constant or variable that only its users tell something about.
pub(crate) fn has_users(item: &Item<'_>) -> bool {
    item.kind.is_data() && (item.kind != ItemKind::Data || is_anonymous(item.name))
}

fn position(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

//! Tables of distances: LLVM turns a table of pointers to constants into one of distances from the table's own start (pass
//! `RelLookupTableConverter`, since LLVM 12, for position-independent code). No relocation and no instruction names what
//! they lead to.
//!
//! ```text
//!   match error { … => "not found", … => "busy" }
//!
//!   table      |distance 0|distance 1| …        4 bytes each
//!   target     "not found"  "busy"              table + distance
//! ```

use whittle_image::{Place, SectionRole};

use crate::constants::bytes_of;
use crate::descriptions::read_word;
use crate::ledger::Ledger;
use crate::owner::{Item, ItemId, Owner};

/// Bytes of a distance.
const ENTRY: usize = 4;

/// Fewer entries are no table: one number leads to the start of some constant often enough.
const MIN_ENTRIES: usize = 3;

/// A constant is filled up to its alignment at most.
const MAX_FILL: usize = 15;

/// The items that are such tables, each with an owner that it leads to, in the order of the ledger.
pub(super) fn distances(ledger: &Ledger<'_>) -> Vec<(ItemId, Owner)> {
    let mut found = Vec::new();
    let mut targets = Vec::new();
    for (index, item) in ledger.items().iter().enumerate() {
        targets.clear();
        if item.kind.is_data() && read(ledger, item, &mut targets).is_some() {
            found.extend(
                targets
                    .iter()
                    .map(|&(owner, _)| (ItemId::new(index), owner)),
            );
        }
    }
    found
}

/// Whether a number is likely to be a distance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likely {
    /// It leads to where a constant starts, or backwards: other tables seldom have negative numbers.
    Yes,
    /// It leads to what the linker found to be the end of a longer string, or to what could not be taken apart.
    Perhaps,
}

/// Reads an item as a table of distances; nothing if it is none. Numbers are distances if all lead into constants, and half
/// of them are likely to be some.
fn read(ledger: &Ledger<'_>, item: &Item<'_>, targets: &mut Vec<(Owner, Likely)>) -> Option<()> {
    let image = ledger.image();
    let place = item.place?;
    let section = image.section(place.section)?;
    let address = section.address.checked_add(place.offset)?;
    if section.role != SectionRole::ReadOnlyData || !address.is_multiple_of(4) {
        return None;
    }
    let bytes = bytes_of(image, place, item.len)?;
    let entries = bytes.chunks_exact(ENTRY);
    let count = entries.len();
    let valid = entries.map_while(|entry| {
        let distance = u32::try_from(read_word(entry, image)).ok()?.cast_signed();
        let (owner, is_start) =
            target(ledger, place, address.checked_add_signed(distance.into())?)?;
        let likely = if is_start || distance < 0 {
            Likely::Yes
        } else {
            Likely::Perhaps
        };
        Some((owner, likely))
    });
    targets.extend(valid);
    let likely = targets.iter().filter(|(_, likely)| *likely == Likely::Yes);
    let likely = likely.count();
    let fill = (count - targets.len()) * ENTRY + bytes.len() % ENTRY;
    let is_table = likely >= MIN_ENTRIES && likely * 2 >= targets.len() && fill <= MAX_FILL;
    is_table.then_some(())
}

/// What constant is at an address, other than the table itself, and whether it starts there.
fn target(ledger: &Ledger<'_>, table: Place, address: u64) -> Option<(Owner, bool)> {
    let place = ledger.image().place_near(table.section, address)?;
    let owner = ledger.owner_at(place)?;
    match owner {
        Owner::Item(id) => {
            let item = ledger.item(id);
            let is_other = item.kind.is_data() && item.place != Some(table);
            is_other.then_some((owner, item.place == Some(place)))
        }
        Owner::Shared(id) if ledger.shared(id).is_empty() => Some((owner, false)),
        _ => None,
    }
}

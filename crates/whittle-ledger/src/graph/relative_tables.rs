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

/// Whether a distance leads to where something starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leads {
    ToStart,
    /// To what the linker found to be the end of a longer string, or to what could not be taken apart.
    Inside,
}

/// Reads an item as a table of distances; nothing if it is none: numbers are, if half of them lead to where constants
/// start, and all others into constants.
fn read(ledger: &Ledger<'_>, item: &Item<'_>, targets: &mut Vec<(Owner, Leads)>) -> Option<()> {
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
        target(ledger, place, address.checked_add_signed(distance.into())?)
    });
    targets.extend(valid);
    let starts = targets.iter().filter(|(_, leads)| *leads == Leads::ToStart);
    let starts = starts.count();
    let fill = (count - targets.len()) * ENTRY + bytes.len() % ENTRY;
    let is_table = starts >= MIN_ENTRIES && starts * 2 >= targets.len() && fill <= MAX_FILL;
    is_table.then_some(())
}

/// What constant is at an address, other than the table itself.
fn target(ledger: &Ledger<'_>, table: Place, address: u64) -> Option<(Owner, Leads)> {
    let place = ledger.image().place_at(address)?;
    let owner = ledger.owner_at(place)?;
    let leads = match owner {
        Owner::Item(id) => {
            let item = ledger.item(id);
            if !item.kind.is_data() || item.place == Some(table) {
                return None;
            }
            if item.place == Some(place) {
                Leads::ToStart
            } else {
                Leads::Inside
            }
        }
        Owner::Shared(id) if ledger.shared(id).is_empty() => Leads::Inside,
        _ => return None,
    };
    Some((owner, leads))
}

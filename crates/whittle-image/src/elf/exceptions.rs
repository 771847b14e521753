//! Exception tables (language-specific data areas): how long each one is, and whether it catches. Layout: Itanium C++ ABI, "Exception
//! Handling Tables", and what GCC and LLVM write for it.
//!
//! ```text
//! header | call sites | action records | pad | types, last first | exception specifications
//!                                                                ^ the end of types, named in the header
//! ```

use std::collections::HashSet;

use super::cursor::{Cursor, Encoding};
use crate::image::Image;
use crate::place::Place;
use crate::section::{Section, SectionRole};
use crate::unwind::{Described, ExceptionTable};

/// Reads every exception table that an unwind entry points at.
pub(crate) fn read(image: &mut Image<'_>) {
    let places = exception_places(image);
    let mut tables = Vec::with_capacity(places.len());
    for (number, &place) in places.iter().enumerate() {
        let Some(section) = image
            .section(place.section)
            .filter(|section| section.role == SectionRole::ExceptionTable)
        else {
            continue;
        };
        let next = places
            .get(number + 1)
            .filter(|next| next.section == place.section);
        let limit = next
            .map_or(section.size, |next| next.offset)
            .min(section.size);
        let room = limit.saturating_sub(place.offset);
        // The tables of 32-bit ARM have a layout for each personality, and no padding between them.
        let is_arm = section.name.contains("extab");
        // A table that cannot be followed runs to the next one.
        let followed = (!is_arm)
            .then(|| follow(image, section, place.offset, limit))
            .flatten();
        if room > 0 {
            tables.push(ExceptionTable {
                place,
                len: followed.map_or(room, |(len, _)| len),
                catches: followed.map(|(_, catches)| catches),
            });
        }
    }
    image.exception_tables = tables;
}

/// Where exception tables start, in ascending order, each once.
fn exception_places(image: &Image<'_>) -> Vec<Place> {
    let entries = image.unwind_tables.iter().flat_map(|table| &table.entries);
    let from_entries = entries.filter_map(|entry| match entry.describes {
        Described::Code { exceptions, .. } => exceptions,
        _ => None,
    });
    let from_indexes = image
        .unwind_indexes
        .iter()
        .flat_map(|index| &index.exceptions)
        .map(|&(place, _)| place);
    let mut places: Vec<Place> = from_entries.chain(from_indexes).collect();
    places.sort_unstable();
    places.dedup();
    places
}

/// The length of a table by its own account, in bytes, and whether it catches; nothing if it does not end before
/// `limit`.
///
/// Nothing behind `limit` is read, so that many tables in the same bytes cost no more than one.
fn follow(image: &Image<'_>, section: &Section<'_>, start: u64, limit: u64) -> Option<(u64, bool)> {
    let start = usize::try_from(start).ok()?;
    let limit = usize::try_from(limit).ok()?;
    let mut cursor = Cursor::new(section.stored(), start, image).until(limit)?;

    let landing_pads = Encoding(cursor.u8()?);
    if landing_pads != Encoding::OMIT {
        cursor.encoded(landing_pads)?;
    }
    let mut end_of_types = None;
    if Encoding(cursor.u8()?) != Encoding::OMIT {
        let distance = usize::try_from(cursor.uleb()?).ok()?;
        end_of_types = Some(cursor.at().checked_add(distance)?);
    }
    let call_site = Encoding(cursor.u8()?);
    let len = usize::try_from(cursor.uleb()?).ok()?;
    let call_sites_end = cursor.at().checked_add(len)?;

    let mut actions = Actions {
        records: cursor.until(end_of_types.unwrap_or(limit))?,
        seen: HashSet::new(),
        end: call_sites_end,
        catch: false,
        specifications: Vec::new(),
    };
    while cursor.at() < call_sites_end {
        for _ in 0..3 {
            cursor.encoded(call_site)?;
        }
        // 0 is "no action", else one more than the distance of the first record.
        if let Some(distance) = cursor.uleb()?.checked_sub(1) {
            actions.follow(call_sites_end.checked_add(usize::try_from(distance).ok()?)?)?;
        }
    }
    let mut end = actions.end.max(end_of_types.unwrap_or_default());
    for specification in actions.specifications {
        // A list of types that may pass, as numbers, up to a zero byte. No list is read twice.
        cursor.seek(end_of_types?.checked_add(specification)?);
        if cursor.at() >= end {
            cursor.text()?;
            end = cursor.at();
        }
    }
    let len = end.checked_sub(start).filter(|_| end <= limit)?;
    Some((u64::try_from(len).ok()?, actions.catch))
}

/// The action records of one table, as far as its call sites lead to them.
struct Actions<'bytes> {
    records: Cursor<'bytes>,
    seen: HashSet<usize>,
    /// Where the last of them ends.
    end: usize,
    /// Whether one of them catches a type.
    catch: bool,
    /// Where the exception specifications they name start, from the end of the types.
    specifications: Vec<usize>,
}

impl Actions<'_> {
    /// Follows a chain of records: a type's number (of a specification, if negative; 0 for clean-up), then the distance
    /// to the next record from that field, 0 at the end.
    fn follow(&mut self, mut at: usize) -> Option<()> {
        while self.seen.insert(at) {
            self.records.seek(at);
            let kind = self.records.sleb()?;
            let field = self.records.at();
            let next = self.records.sleb()?;
            self.end = self.end.max(self.records.at());
            self.catch |= kind > 0;
            if kind < 0 {
                // -1 is the first byte.
                let specification = kind.unsigned_abs() - 1;
                self.specifications
                    .push(usize::try_from(specification).ok()?);
            }
            if next == 0 {
                break;
            }
            at = field.checked_add_signed(isize::try_from(next).ok()?)?;
        }
        Some(())
    }
}

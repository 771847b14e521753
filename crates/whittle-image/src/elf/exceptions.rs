//! Exception tables (language-specific data areas): how long each one is. Layout: Itanium C++ ABI, "Exception
//! Handling", section 7, and the tables that GCC and LLVM write for it.

use super::frames::{Cursor, exception_places, is_arm_exceptions};
use crate::image::Image;
use crate::place::Place;
use crate::section::SectionRole;
use crate::unwind::ExceptionTable;

/// Reads the length of every exception table that an unwind entry points at.
pub(super) fn read(image: &mut Image<'_>) {
    let places = exception_places(image);
    let mut tables = Vec::with_capacity(places.len());
    for (number, &place) in places.iter().enumerate() {
        let Some(section) = image.section(place.section) else {
            continue;
        };
        if section.role != SectionRole::ExceptionTable {
            continue;
        }
        let next = places
            .get(number + 1)
            .filter(|next| next.section == place.section);
        let limit = next
            .map_or(section.size, |next| next.offset)
            .min(section.size);
        let room = limit.saturating_sub(place.offset);
        let len = if is_arm_exceptions(image, place.section) {
            Some(room)
        } else {
            table_len(image, place)
        };
        // A table that cannot be followed runs to the next one.
        tables.push(ExceptionTable {
            place,
            len: len.unwrap_or(room).min(room),
        });
    }
    image.exception_tables = tables;
}

/// The length of a table by its own account, in bytes.
fn table_len(image: &Image<'_>, place: Place) -> Option<u64> {
    const OMIT: u8 = 0xff;
    let bytes = image.section(place.section)?.stored();
    let start = usize::try_from(place.offset).ok()?;
    let mut cursor = Cursor::new(bytes, start, image);
    if cursor.u8()? != OMIT {
        // A landing pad base of its own; no compiler for Rust, C or C++ on Linux writes one.
        return None;
    }
    let has_types = cursor.u8()? != OMIT;
    let mut end_of_types = 0;
    if has_types {
        let distance = usize::try_from(cursor.uleb()?).ok()?;
        end_of_types = cursor.at.checked_add(distance)?;
    }
    let call_site_encoding = cursor.u8()?;
    let call_sites_len = usize::try_from(cursor.uleb()?).ok()?;
    let call_sites_end = cursor.at.checked_add(call_sites_len)?;
    let mut end = call_sites_end;
    while cursor.at < call_sites_end {
        for _ in 0..3 {
            match call_site_encoding {
                0x01 => drop(cursor.uleb()?),
                0x03 => drop(cursor.u32()?),
                _ => return None,
            }
        }
        let action = cursor.uleb()?;
        if let Some(action) = action.checked_sub(1) {
            end = end.max(action_end(
                image,
                bytes,
                call_sites_end.checked_add(usize::try_from(action).ok()?)?,
            )?);
        }
    }
    u64::try_from(end.max(end_of_types).checked_sub(start)?).ok()
}

/// Where the action record at `at` ends. The records it leads to are named by other call sites or end before the types.
fn action_end(image: &Image<'_>, bytes: &[u8], at: usize) -> Option<usize> {
    let mut cursor = Cursor::new(bytes, at, image);
    cursor.sleb()?;
    cursor.sleb()?;
    Some(cursor.at)
}

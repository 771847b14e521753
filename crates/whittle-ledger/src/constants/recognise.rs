//! What constants hold: texts, panic locations, names of source files, virtual tables.

use rustc_hash::FxHashSet;
use whittle_code::{ReferenceKind, References};
use whittle_image::{Image, Place, SectionRole};

use crate::constants::shapes::{Shapes, bytes_of, is_text, read};
use crate::constants::users::has_users;
use crate::items::Items;
use crate::owner::{Item, ItemKind};

/// Tells what the constants without a name hold.
pub(crate) fn recognise(
    image: &Image<'_>,
    references: &References,
    shapes: &Shapes,
    items: &mut Items<'_>,
) {
    let files: FxHashSet<Place> = shapes
        .locations
        .iter()
        .map(|location| location.file)
        .collect();
    let texts: FxHashSet<Place> = shapes.texts.iter().map(|&(place, _)| place).collect();
    // Of hostile files many items may cover the same bytes.
    let mut room = image.data.len().saturating_mul(8);
    for item in &mut items.list {
        let Some(place) = item.place.filter(|_| has_users(item)) else {
            continue;
        };
        let section = image.section(place.section);
        let is_relocated =
            section.is_some_and(|section| section.role == SectionRole::RelocatedReadOnlyData);
        if !is_relocated && section.is_none_or(|section| section.access.writable) {
            continue;
        }
        item.kind = if files.contains(&place) {
            ItemKind::SourceFile
        } else if shapes.location_at(place).is_some() {
            ItemKind::Location
        } else if texts.contains(&place) {
            ItemKind::Text
        } else if is_relocated {
            if is_vtable(image, references, place, item.len) {
                ItemKind::VTable
            } else {
                ItemKind::Constant
            }
        } else if looks_like_text(image, item, &mut room) {
            ItemKind::Text
        } else {
            ItemKind::Constant
        };
    }
}

/// Whether a constant starts as virtual tables do: with the function that drops the value, or zero, then its size and
/// alignment, then functions.
fn is_vtable(image: &Image<'_>, references: &References, place: Place, len: u64) -> bool {
    let word = u64::from(image.target.bits / 8);
    let Some(section) = image.section(place.section) else {
        return false;
    };
    if len < word * 3 {
        return false;
    }
    let at = |number: u64| Place {
        offset: place.offset.saturating_add(number * word),
        ..place
    };
    let leads_to_code = |number| {
        references.within(at(number), word).iter().any(|reference| {
            reference.kind() == ReferenceKind::Pointer
                && image
                    .section(reference.to().section)
                    .is_some_and(|section| section.access.executable)
        })
    };
    let has_pointer = |number| !references.within(at(number), word).is_empty();
    let plain = |number: u64| {
        (!has_pointer(number))
            .then(|| read(image, section, at(number).offset, word))
            .flatten()
    };
    // `drop_in_place`, or nothing where there is nothing to drop (since Rust 1.84).
    let drops = leads_to_code(0) || plain(0) == Some(0);
    let is_sized = plain(1).is_some_and(|size| size < 1 << 32);
    let is_aligned = plain(2).is_some_and(|align| align.is_power_of_two() && align <= 1 << 16);
    drops && is_sized && is_aligned && (leads_to_code(0) || leads_to_code(3))
}

/// Whether a constant without a known length is a text that people read, padding at its end apart. The templates of
/// `format!` are, which hold short runs of other bytes between their words.
fn looks_like_text(image: &Image<'_>, item: &Item<'_>, room: &mut usize) -> bool {
    const MIN_LEN: usize = 4;
    let bytes = item
        .place
        .and_then(|place| bytes_of(image, place, item.len))
        .unwrap_or_default();
    let Some(rest) = room.checked_sub(bytes.len()) else {
        return false;
    };
    *room = rest;
    let end = bytes
        .iter()
        .rposition(|&byte| byte != 0)
        .map_or(0, |last| last + 1);
    let text = bytes.get(..end).unwrap_or_default();
    if text.len() < MIN_LEN {
        return false;
    }
    if is_text(text) {
        return true;
    }
    let readable = text
        .iter()
        .filter(|&&byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t'))
        .count();
    // Nine in ten: machine code and tables come nowhere near.
    readable * 10 >= text.len() * 9
}

//! Search tables over unwind entries: `.eh_frame_hdr` (Linux Standard Base 5, "Exception Frame Header") and
//! `.ARM.exidx` (Exception Handling ABI for the Arm Architecture 2024Q3, section 6).

use super::cursor::{Cursor, Encoding};
use super::frames::{Fields, Pointers};
use super::{Allowance, to_u64};
use crate::error::Warnings;
use crate::image::{FileKind, Image};
use crate::place::Place;
use crate::section::SectionRole;
use crate::unwind::UnwindIndex;

/// Reads every search table.
pub(super) fn read(image: &mut Image<'_>) {
    let mut warnings = Warnings::default();
    let mut allowance = Allowance::of(image);
    let fields = Fields::of(image);
    let mut indexes = Vec::new();
    for section in &image.sections {
        if section.role != SectionRole::UnwindIndex || !allowance.covers(section, &mut warnings) {
            continue;
        }
        let pointers = Pointers::of(section, image, &fields);
        let index = if section.name.contains("exidx") {
            Some(read_arm_index(&pointers))
        } else {
            read_index(&pointers)
        };
        indexes.extend(index);
    }
    image.unwind_indexes = indexes;
    image.warnings.extend(&warnings);
}

/// Reads an `.eh_frame_hdr` section.
fn read_index(pointers: &Pointers<'_, '_>) -> Option<UnwindIndex> {
    let mut cursor = pointers.cursor();
    let _version = cursor.u8().filter(|&version| version == 1)?;
    let [table, count, entry] = cursor.take::<3>()?.map(Encoding);
    pointers.read(&mut cursor, table)?;
    let mut index = pointers.empty_index(&cursor);
    if count == Encoding::OMIT || entry == Encoding::OMIT {
        return Some(index);
    }
    let count = cursor.encoded(count)?;
    index.header_len = to_u64(cursor.at());
    for _ in 0..count {
        let start = cursor.at();
        let Some(code) = pointers.read(&mut cursor, entry) else {
            break;
        };
        if pointers.read(&mut cursor, entry).is_none() {
            break;
        }
        let size = to_u64(cursor.at() - start);
        if !index.entries.is_empty() && size != index.entry_size {
            // A search by halves needs entries of one size.
            break;
        }
        index.entry_size = size;
        index.entries.push(code.place());
    }
    Some(index)
}

impl Pointers<'_, '_> {
    /// A table whose entries start at the cursor.
    fn empty_index(&self, cursor: &Cursor<'_>) -> UnwindIndex {
        UnwindIndex {
            section: self.section().index,
            header_len: to_u64(cursor.at()),
            entry_size: 0,
            entries: Vec::new(),
            exceptions: Vec::new(),
        }
    }
}

/// Reads an `.ARM.exidx` section: pairs of words, the function and either its unwind program or where that stands.
fn read_arm_index(pointers: &Pointers<'_, '_>) -> UnwindIndex {
    /// The second word of a function that cannot be unwound.
    const CANNOT_UNWIND: u32 = 1;
    /// Set in a second word that is the program itself.
    const INLINE: u32 = 0x8000_0000;
    let mut cursor = pointers.cursor();
    let mut index = pointers.empty_index(&cursor);
    index.entry_size = 8;
    while let (at, Some(function), Some(unwind)) = (cursor.at(), cursor.u32(), cursor.u32()) {
        let code = arm_place(pointers, at, function).map(|place| Place {
            // The lowest bit says "Thumb code".
            offset: place.offset & !1,
            ..place
        });
        index.entries.push(code);
        if unwind != CANNOT_UNWIND && unwind & INLINE == 0 {
            let table = arm_place(pointers, at + 4, unwind);
            index.exceptions.extend(table.map(|table| (table, code)));
        }
    }
    index
}

/// What a word of `.ARM.exidx` points at: 31 bits, with sign, count from the word itself.
fn arm_place(pointers: &Pointers<'_, '_>, at: usize, word: u32) -> Option<Place> {
    if pointers.image().target.kind == FileKind::Object {
        return pointers.relocated(at);
    }
    let distance = i64::from((word << 1).cast_signed() >> 1);
    pointers.place_at(pointers.address_of(at).wrapping_add_signed(distance))
}

//! Compact unwind information: two levels of tables that say, for runs of code, how to unwind the stack. Apple,
//! `mach-o/compact_unwind_encoding.h`.
//!
//! Linkers join neighbours that unwind alike: where a run starts a function starts, but not the other way round.

use std::collections::BTreeMap;

use super::commands::Commands;
use super::functions::is_code;
use super::{number, stored, to_u64};
use crate::description::FunctionExtent;
use crate::image::{FileKind, Image};
use crate::place::{Place, SectionIndex};
use crate::relocation::place_of;
use crate::unwind::{Described, UnwindEntry, UnwindTable};

/// A part of the section: where it is, and the code it describes; what all code has in common describes none.
struct Part {
    offset: u64,
    len: u64,
    /// Where the code is, from the header of the file on.
    code: Option<u32>,
    /// Where the exception table of that code is.
    exceptions: Option<u32>,
    /// Where the slot of a function is that decides what a frame does when the stack unwinds.
    personality: Option<u32>,
}

/// Reads `__unwind_info`.
pub(super) fn read(commands: &Commands<'_>, image: &mut Image<'_>) {
    if image.target.kind == FileKind::Object {
        read_object(image);
        return;
    }
    let Some(section) = image
        .section_by_name("__TEXT,__unwind_info")
        .map(|it| it.index)
    else {
        return;
    };
    let mut parts = parts(image, stored(image, section)).unwrap_or_default();
    parts.sort_by_key(|part| part.offset);
    let place =
        |image: &Image<'_>, offset: u32| image.place_at(commands.base.checked_add(offset.into())?);
    let mut starts: Vec<Place> = parts
        .iter()
        .filter_map(|part| place(image, part.code?))
        .filter(|&place| is_code(image, place))
        .collect();
    starts.sort_unstable();
    starts.dedup();
    let extent = |image: &Image<'_>, start: Place| {
        let next = starts.get(starts.partition_point(|&it| it <= start));
        let end = next
            .filter(|next| next.section == start.section)
            .map(|next| next.offset)
            .or_else(|| Some(image.section(start.section)?.size));
        end.unwrap_or_default().saturating_sub(start.offset)
    };
    if image.functions.is_empty() {
        image.functions = starts
            .iter()
            .map(|&place| FunctionExtent { place, len: 0 })
            .collect();
    }
    let entries = entries(image, section, &parts, |image, part| {
        let start = part
            .code
            .and_then(|code| place(image, code))
            .filter(|&it| is_code(image, it));
        let common = Described::Common {
            personality: part.personality.and_then(|offset| place(image, offset)),
        };
        start.map_or(common, |start| Described::Code {
            start,
            len: extent(image, start),
            exceptions: part.exceptions.and_then(|offset| place(image, offset)),
        })
    });
    image.unwind_tables.push(UnwindTable { section, entries });
}

/// Reads `__compact_unwind`: for each function its start, its length, how to unwind it, a personality and an exception table.
/// Relocations say where these are.
fn read_object(image: &mut Image<'_>) {
    let Some(section) = image.section_by_name("__LD,__compact_unwind") else {
        return;
    };
    let index = section.index;
    let bytes = section.stored();
    let word = u64::from(image.target.bits / 8);
    let entry_len = 8 + 3 * word;
    let mut leads: BTreeMap<u64, Place> = BTreeMap::new();
    for table in &image.relocation_tables {
        for relocation in &table.relocations {
            match relocation.patched {
                Some(patched) if patched.section == index => {
                    if let Some(to) = place_of(image, table, relocation.target) {
                        leads.insert(patched.offset, to);
                    }
                }
                Some(_) => break,
                None => {}
            }
        }
    }
    let mut entries = Vec::new();
    for number in 0..to_u64(bytes.len()) / entry_len {
        let offset = number * entry_len;
        let start = leads.get(&offset).filter(|&&start| is_code(image, start));
        let describes = start.map_or(Described::Nothing, |&start| {
            let size = image
                .section(start.section)
                .map_or(0, |section| section.size - start.offset);
            let at = usize::try_from(offset + word).unwrap_or(usize::MAX);
            let len = super::number(image, bytes, at, 4).unwrap_or_default();
            let exceptions = leads.get(&(offset + 8 + 2 * word));
            Described::Code {
                start,
                len: len.min(size),
                exceptions: exceptions.copied(),
            }
        });
        entries.push(UnwindEntry {
            offset,
            len: entry_len,
            describes,
        });
    }
    image.unwind_tables.push(UnwindTable {
        section: index,
        entries,
    });
}

/// Makes entries that follow each other of parts that may leave something out.
fn entries<'data>(
    image: &Image<'data>,
    section: SectionIndex,
    parts: &[Part],
    describe: impl Fn(&Image<'data>, &Part) -> Described,
) -> Vec<UnwindEntry> {
    let len = image
        .section(section)
        .map_or(0, |section| to_u64(section.stored().len()));
    let mut entries: Vec<UnwindEntry> = Vec::new();
    let mut at = 0;
    for part in parts {
        let end = part.offset.saturating_add(part.len);
        if part.offset < at || end > len {
            continue;
        }
        if at < part.offset {
            entries.push(UnwindEntry {
                offset: at,
                len: part.offset - at,
                describes: Described::Common { personality: None },
            });
        }
        entries.push(UnwindEntry {
            offset: part.offset,
            len: part.len,
            describes: describe(image, part),
        });
        at = end;
    }
    entries
}

/// The parts of the section, in no order. There are no more than it has bytes for.
fn parts(image: &Image<'_>, bytes: &[u8]) -> Option<Vec<Part>> {
    const REGULAR: u64 = 2;
    const COMPRESSED: u64 = 3;
    let read = |at: u64, len: usize| number(image, bytes, usize::try_from(at).ok()?, len);
    let word = |at: u64| read(at, 4).and_then(|value| u32::try_from(value).ok());
    let (index, count) = (u64::from(word(20)?), u64::from(word(24)?));
    let mut parts = Vec::new();
    // An entry has a number of two bits for its personality, of which 0 is none.
    let (personalities, how_many) = (u64::from(word(12)?), u64::from(word(16)?));
    for number in 0..how_many.min(3) {
        let offset = personalities.checked_add(number * 4)?;
        parts.push(Part {
            offset,
            len: 4,
            code: None,
            exceptions: None,
            personality: word(offset),
        });
    }
    let mut left = bytes.len() / 4;
    let mut push = |parts: &mut Vec<Part>, offset, len, code, exceptions| {
        let is_room = left > 0;
        left = left.saturating_sub(1);
        if is_room {
            parts.push(Part {
                offset,
                len,
                code,
                exceptions,
                personality: None,
            });
        }
        is_room
    };
    let mut tables = Vec::new();
    for number in 0..count {
        let at = index.checked_add(number.checked_mul(12)?)?;
        let (Some(function), Some(page), Some(exceptions)) = (word(at), word(at + 4), word(at + 8))
        else {
            break;
        };
        tables.push(u64::from(exceptions));
        if page == 0 {
            continue;
        }
        let page = u64::from(page);
        let (Some(kind), Some(first), Some(entries)) =
            (read(page, 4), read(page + 4, 2), read(page + 6, 2))
        else {
            continue;
        };
        for entry in 0..entries {
            let is_room = match kind {
                REGULAR => {
                    let at = page + first + entry * 8;
                    push(&mut parts, at, 8, word(at), None)
                }
                COMPRESSED => {
                    let at = page + first + entry * 4;
                    let code = word(at).map(|value| function.wrapping_add(value & 0xff_ffff));
                    push(&mut parts, at, 4, code, None)
                }
                _ => break,
            };
            if !is_room {
                return Some(parts);
            }
        }
    }
    // The tables of exceptions of all pages are one: it starts where the first page's does, and ends with the last one's.
    let (start, end) = (tables.first().copied()?, tables.last().copied()?);
    let mut at = start;
    while at < end {
        let (Some(code), Some(table)) = (word(at), word(at + 4)) else {
            break;
        };
        if !push(&mut parts, at, 8, Some(code), Some(table)) {
            break;
        }
        at += 8;
    }
    Some(parts)
}

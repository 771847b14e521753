//! Run-time functions and their unwind information. Microsoft, "x64 exception handling" and "ARM64 exception handling".
//!
//! A function that the compiler laid out in pieces has an entry for each; all but the first refer to the entry before
//! (chained unwind information).

use object::pe;

use super::{Pe, Rvas, handlers, to_u64, word};
use crate::description::{Description, FunctionExtent};
use crate::image::Image;
use crate::place::Place;
use crate::unwind::{Described, ExceptionTable, UnwindEntry, UnwindTable};

/// The entries of the exception directory.
#[derive(Default)]
pub(super) struct Functions {
    entries: Vec<Entry>,
    entry_len: u32,
}

struct Entry {
    code: Rvas,
    /// The first piece of the function, and where its last piece ends.
    function: Rvas,
    /// Where its unwind information is and how long it is by its own account, without what a handler adds to it.
    unwind: Option<Unwind>,
}

#[derive(Clone)]
struct Unwind {
    rvas: Rvas,
    has_handler: bool,
    /// What stands behind the handler: for Microsoft's own ones the address of tables of states and handlers.
    handler_data: Option<u32>,
    /// The piece before, of a chained entry.
    before: Option<u32>,
}

impl Functions {
    pub(super) fn read(pe: &Pe<'_>, data: &[u8]) -> Self {
        let Some(directory) = pe.directory(pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION) else {
            return Self::default();
        };
        let entry_len: u32 = match pe.machine {
            pe::IMAGE_FILE_MACHINE_AMD64 => 12,
            pe::IMAGE_FILE_MACHINE_ARM64 => 8,
            _ => return Self::default(),
        };
        let bytes = pe.bytes(directory.start, data);
        let len = usize::try_from(directory.end - directory.start).unwrap_or(0);
        let bytes = bytes.get(..len.min(bytes.len())).unwrap_or_default();
        let mut entries: Vec<Entry> = Vec::new();
        for entry in bytes.chunks_exact(usize::try_from(entry_len).unwrap_or(8)) {
            let read = if entry_len == 12 {
                x86_64(pe, entry, data)
            } else {
                aarch64(pe, entry, data)
            };
            let (code, unwind) = read.unwrap_or((0..0, None));
            let mut function = code.clone();
            // The pieces of a function follow each other where the compiler made them for its own sake.
            if let Some(before) = entries.last()
                && unwind
                    .as_ref()
                    .and_then(|it| it.before)
                    .is_some_and(|it| before.function.contains(&it))
                && before.code.end == code.start
            {
                function.start = before.function.start;
            }
            entries.push(Entry {
                code,
                function,
                unwind,
            });
        }
        // What the last piece ends with is the end of all.
        for number in (1..entries.len()).rev() {
            let (before, behind) = entries.split_at_mut(number);
            if let (Some(before), Some(behind)) = (before.last_mut(), behind.first())
                && before.function.start == behind.function.start
            {
                before.function.end = behind.function.end;
            }
        }
        Self { entries, entry_len }
    }

    /// The ranges of unwind information.
    pub(super) fn tables(&self) -> impl Iterator<Item = Rvas> + use<> {
        let mut ranges: Vec<Rvas> = self
            .entries
            .iter()
            .filter_map(|it| Some(it.unwind.as_ref()?.rvas.clone()))
            .collect();
        ranges.sort_by_key(|range| (range.start, range.end));
        ranges.dedup();
        // What a handler adds has no length of its own: it ends where the next one starts, if that is near.
        let mut joined: Vec<Rvas> = Vec::new();
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.start <= last.end.saturating_add(MAX_HANDLER_LEN) => {
                    last.end = last.end.max(range.end);
                }
                _ => joined.push(range),
            }
        }
        joined.into_iter()
    }

    /// Fills in functions, unwind entries and exception tables; called when sections have their addresses.
    pub(super) fn finish(self, pe: &Pe<'_>, image: &mut Image<'_>) {
        let Some(directory) = pe.directory(pe::IMAGE_DIRECTORY_ENTRY_EXCEPTION) else {
            return;
        };
        let place_of = |image: &Image<'_>, rvas: &Rvas| {
            let place = pe.place(rvas.start, image)?;
            let section = image.section(place.section)?;
            let len = u64::from(rvas.end.saturating_sub(rvas.start));
            Some((place, len.min(section.size - place.offset)))
        };
        let mut unwound: Vec<UnwindEntry> = Vec::new();
        let mut tables: Vec<ExceptionTable> = Vec::new();
        let mut of_handlers: Vec<(Place, Place)> = Vec::new();
        let mut left = image.data.len();
        let home = pe
            .place(directory.start, image)
            .filter(|place| place.offset == 0);
        for (number, entry) in self.entries.iter().enumerate() {
            let extent = place_of(image, &entry.function).filter(|&(_, len)| len > 0);
            let is_first = entry.function.start == entry.code.start;
            if let Some((place, len)) = extent.filter(|_| is_first) {
                image.functions.push(FunctionExtent { place, len });
            }
            let unwind = entry.unwind.as_ref().and_then(|unwind| {
                let (place, len) = place_of(image, &unwind.rvas)?;
                tables.push(ExceptionTable {
                    place,
                    len: if unwind.has_handler { u64::MAX } else { len },
                    catches: None,
                });
                if unwind.has_handler {
                    handlers::links(pe, &unwind.rvas, &entry.code, &mut left, image);
                }
                let more = unwind.handler_data.filter(|_| unwind.has_handler);
                let more = more.and_then(|rva| pe.place(rva, image));
                if let (Some(more), Some((function, _))) = (more, extent)
                    && more.section == place.section
                {
                    of_handlers.push((more, function));
                }
                Some(place)
            });
            unwound.push(UnwindEntry {
                offset: to_u64(number) * u64::from(self.entry_len),
                len: self.entry_len.into(),
                describes: extent.map_or(Described::Nothing, |(start, len)| Described::Code {
                    start,
                    len,
                    exceptions: unwind,
                }),
            });
        }
        image.functions.sort_unstable();
        image.functions.dedup_by_key(|function| function.place);
        // Functions of a damaged file may overlap.
        for number in 1..image.functions.len() {
            let next = image.functions[number].place;
            let function = &mut image.functions[number - 1];
            if function.place.section == next.section {
                function.len = function.len.min(next.offset - function.place.offset);
            }
        }
        if let Some(home) = home {
            let room = image
                .section(home.section)
                .map_or(0, |section| to_u64(section.stored().len()));
            unwound.retain(|entry| entry.offset + entry.len <= room);
            image.unwind_tables.push(UnwindTable {
                section: home.section,
                entries: unwound,
            });
        }
        tables.sort_unstable_by_key(|table| (table.place, table.len));
        tables.dedup_by_key(|table| table.place);
        of_handlers.sort_unstable();
        of_handlers.dedup_by_key(|(place, _)| *place);
        let mut starts: Vec<Place> = tables.iter().map(|table| table.place).collect();
        starts.extend(of_handlers.iter().map(|(place, _)| *place));
        starts.sort_unstable();
        // Neither says how long it is: it ends where the next one starts.
        let room = |image: &Image<'_>, place: Place| {
            let next = starts.get(starts.partition_point(|&start| start <= place));
            let end = next
                .filter(|next| next.section == place.section)
                .map(|next| next.offset)
                .or_else(|| Some(image.section(place.section)?.size));
            end.unwrap_or_default().saturating_sub(place.offset)
        };
        for &(place, of) in &of_handlers {
            image.descriptions.push(Description {
                place,
                len: room(image, place),
                of,
            });
        }
        for table in &mut tables {
            table.len = table.len.min(room(image, table.place));
        }
        image.exception_tables = tables;
    }
}

/// Tables of calls and handlers of one function are shorter than this.
const MAX_HANDLER_LEN: u32 = 1 << 14;

/// `RUNTIME_FUNCTION`: start, end, unwind information. `UNWIND_INFO`: version and flags, two bytes, a count of codes of
/// two bytes each, padded to four; then the entry before, or a handler and what it wants.
fn x86_64(pe: &Pe<'_>, entry: &[u8], data: &[u8]) -> Option<(Rvas, Option<Unwind>)> {
    const CHAINED: u8 = 4;
    const HANDLERS: u8 = 3;
    let (start, end, unwind) = (word(entry, 0)?, word(entry, 4)?, word(entry, 8)?);
    // The lowest bit says that it is an entry of this table instead.
    let bytes = pe.bytes(unwind & !3, data);
    let info = bytes
        .first_chunk::<4>()
        .filter(|_| unwind != 0)
        .map(|head| {
            let flags = head[0] >> 3;
            let codes = u32::from(head[2]).div_ceil(2) * 4;
            let at = usize::try_from(4 + codes).unwrap_or(usize::MAX);
            let is_chained = flags & CHAINED != 0;
            let rest = match () {
                () if is_chained => 12,
                () if flags & HANDLERS != 0 => 4,
                () => 0,
            };
            let start = unwind & !3;
            Unwind {
                rvas: start..start.saturating_add(4 + codes + rest),
                has_handler: !is_chained && flags & HANDLERS != 0,
                handler_data: word(bytes, at.saturating_add(4)),
                before: is_chained.then(|| word(bytes, at)).flatten(),
            }
        });
    (start < end).then_some((start..end, info))
}

/// Start, then either the packed description of an ordinary function, or where its unwind information is, of which the
/// first 18 bits are the function's length in words of four bytes.
fn aarch64(pe: &Pe<'_>, entry: &[u8], data: &[u8]) -> Option<(Rvas, Option<Unwind>)> {
    let (start, unwind) = (word(entry, 0)?, word(entry, 4)?);
    if unwind & 3 != 0 {
        let len = (unwind >> 2 & 0x7ff) * 4;
        return Some((start..start.checked_add(len)?, None));
    }
    let bytes = pe.bytes(unwind, data);
    let head = word(bytes, 0)?;
    let (mut epilogs, mut codes) = (head >> 22 & 0x1f, head >> 27);
    let mut len = 4;
    if epilogs == 0 && codes == 0 {
        let more = word(bytes, 4)?;
        (epilogs, codes) = (more & 0xffff, more >> 16 & 0xff);
        len += 4;
    }
    // One epilogue described in the head has no scope of its own.
    let is_in_head = head >> 21 & 1 == 1;
    let has_handler = head >> 20 & 1 == 1;
    len += if is_in_head { 0 } else { epilogs * 4 } + codes * 4 + if has_handler { 4 } else { 0 };
    let unwind = Unwind {
        rvas: unwind..unwind.saturating_add(len),
        has_handler,
        handler_data: usize::try_from(len).ok().and_then(|at| word(bytes, at)),
        before: None,
    };
    let end = start.checked_add((head & 0x3_ffff) * 4)?;
    (start < end).then_some((start..end, Some(unwind)))
}

//! The layout of the file and of memory: which bytes of which section stand where, with nothing left out.
//!
//! The file is one domain, memory a second, thread-local storage a third. Each is cut into regions that do not overlap;
//! a region shows a part of one section, or something that is in no section.

mod container;

use std::collections::BTreeSet;
use std::ops::Range;

use whittle_image::{Compression, FileKind, Image, Section, SectionIndex, Segment};

use crate::kind::Kind;
use crate::owner::{Owner, Structure};
pub(crate) use container::{Loaded, MemberIndex};

/// A range that bytes are counted in: the file, memory, or thread-local storage. They are never added up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Domain {
    /// Bytes on disk.
    File,
    /// Bytes when loaded, thread-local templates included.
    Memory,
    /// Bytes that each thread has for itself.
    ThreadLocal,
}

/// A run of bytes of a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Region {
    /// Where it starts: a file offset or an address.
    pub(crate) start: u64,
    /// How many bytes it has in this domain; more or fewer than in its section if the section is compressed.
    pub(crate) len: u64,
    /// What it shows.
    pub(crate) shows: Shows,
}

/// What a region shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shows {
    /// Part of a section: these of its bytes.
    Section {
        /// The section.
        index: SectionIndex,
        /// Which of its bytes, counted after decompression.
        bytes: Range<u64>,
    },
    /// Something that is in no section.
    Other {
        /// Who owns it.
        owner: Owner,
        /// What it is.
        kind: Kind,
        /// What to call it.
        name: &'static str,
    },
}

/// The regions of all domains.
#[derive(Debug, Clone, Default)]
pub(crate) struct Layout {
    pub(crate) file: Vec<Region>,
    pub(crate) memory: Vec<Region>,
    pub(crate) thread_local: Vec<Region>,
    /// The ranges of addresses that the program has when loaded, ascending and disjoint; regions tile them.
    pub(crate) loaded: Vec<Range<u64>>,
    /// The thread-local template, if there is one; regions tile it.
    pub(crate) template: Option<Range<u64>>,
    /// Of a container: where the memory of its parts is, ascending and disjoint.
    pub(crate) of_parts: Vec<Loaded>,
}

/// A wish for a range of a domain; earlier wishes win.
struct Wish {
    range: Range<u64>,
    shows: Shows,
}

impl Layout {
    /// Lays out an image.
    pub(crate) fn of(image: &Image<'_>) -> Self {
        if image.is_container() {
            return Self::of_container(image);
        }
        let mut layout = Self {
            file: file_regions(image),
            ..Self::default()
        };
        if image.target.kind == FileKind::Object {
            layout.object_memory(image);
        } else {
            layout.program_memory(image);
        }
        layout
    }

    /// An object file has no addresses yet: its loaded sections stand one after the other.
    fn object_memory(&mut self, image: &Image<'_>) {
        let mut at: u64 = 0;
        let mut template: u64 = 0;
        for section in image
            .sections
            .iter()
            .filter(|section| section.access.loaded)
        {
            let shows = Shows::Section {
                index: section.index,
                bytes: 0..section.size,
            };
            let (cursor, regions) = if section.access.thread_local {
                (&mut template, &mut self.thread_local)
            } else {
                (&mut at, &mut self.memory)
            };
            let Some(end) = cursor.checked_add(section.size) else {
                continue;
            };
            if section.size > 0 {
                regions.push(Region {
                    start: *cursor,
                    len: section.size,
                    shows,
                });
            }
            *cursor = end;
        }
        if at > 0 {
            self.loaded.push(0..at);
        }
        if template > 0 {
            self.template = Some(0..template);
        }
    }

    /// A program's memory is what its segments say.
    fn program_memory(&mut self, image: &Image<'_>) {
        let mut ranges: Vec<Range<u64>> = image
            .segments
            .iter()
            .filter(|segment| segment.memory_size > 0)
            .map(memory_range)
            .collect();
        ranges.sort_by_key(|range| (range.start, range.end));
        for range in ranges {
            match self.loaded.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => self.loaded.push(range),
            }
        }
        let in_memory = |thread_local_fill: bool| {
            image.sections.iter().filter(move |section| {
                let is_fill = section.access.thread_local && section.file_range.is_none();
                section.access.loaded && section.size > 0 && is_fill == thread_local_fill
            })
        };
        let mut wishes: Vec<Wish> = in_memory(false)
            .map(|section| Wish {
                range: section.address..section.end(),
                shows: Shows::Section {
                    index: section.index,
                    bytes: 0..section.size,
                },
            })
            .collect();
        // Headers are loaded with the segment that holds them.
        for header in &image.headers {
            for segment in &image.segments {
                let start = header.file_range.start.max(segment.file_range.start);
                let end = header.file_range.end.min(segment.file_range.end);
                if start < end {
                    let address = segment
                        .address
                        .saturating_add(start - segment.file_range.start);
                    wishes.push(Wish {
                        range: address..address.saturating_add(end - start),
                        shows: header_shows(header.name),
                    });
                }
            }
        }
        self.memory = regions(&self.loaded, &wishes, |_| gap_shows(true));

        if let Some((address, size)) = image.thread_local.filter(|&(_, size)| size > 0) {
            let template = address..address.saturating_add(size);
            let wishes: Vec<Wish> = image
                .sections
                .iter()
                .filter(|section| section.access.thread_local && section.size > 0)
                .map(|section| Wish {
                    range: section.address..section.end(),
                    shows: Shows::Section {
                        index: section.index,
                        bytes: 0..section.size,
                    },
                })
                .collect();
            self.thread_local = regions(std::slice::from_ref(&template), &wishes, |_| {
                gap_shows(true)
            });
            self.template = Some(template);
        }
    }
}

fn file_regions(image: &Image<'_>) -> Vec<Region> {
    let mut wishes: Vec<Wish> = image
        .headers
        .iter()
        .map(|header| Wish {
            range: header.file_range.clone(),
            shows: header_shows(header.name),
        })
        .collect();
    for section in &image.sections {
        let Some(range) = section.file_range.clone() else {
            continue;
        };
        wishes.push(Wish {
            range,
            shows: Shows::Section {
                index: section.index,
                bytes: 0..section.size,
            },
        });
    }
    let whole = 0..image.file_len();
    let last_claimed = wishes.iter().map(|wish| wish.range.end).max().unwrap_or(0);
    // A cut of a compressed section cannot be told in bytes after decompression: it is shared out in proportion.
    regions(std::slice::from_ref(&whole), &wishes, |gap| {
        let bytes = usize::try_from(gap.start)
            .ok()
            .zip(usize::try_from(gap.end).ok());
        let zeros = bytes
            .and_then(|(start, end)| image.data.get(start..end))
            .is_some_and(|bytes| bytes.iter().all(|&b| b == 0));
        if gap.start >= last_claimed && !zeros {
            Shows::Other {
                owner: Owner::Unknown,
                kind: Kind::Other,
                name: "(after the last section)",
            }
        } else {
            gap_shows(zeros)
        }
    })
    .into_iter()
    .map(|region| in_section_bytes(image, region))
    .collect()
}

/// Translates a region of a compressed section from stored bytes to the bytes they expand to, in proportion.
fn in_section_bytes(image: &Image<'_>, mut region: Region) -> Region {
    if let Shows::Section { index, bytes } = &mut region.shows
        && let Some(section) = image
            .section(*index)
            .filter(|section| section.compression != Compression::None)
    {
        let stored = section
            .file_range
            .as_ref()
            .map_or(0, |range| range.end - range.start);
        *bytes = scale(bytes.start, section.size, stored)..scale(bytes.end, section.size, stored);
    }
    region
}

/// `value * to / from`, rounded down; 0 if `from` is 0.
pub(crate) fn scale(value: u64, to: u64, from: u64) -> u64 {
    let product = u128::from(value) * u128::from(to);
    product
        .checked_div(u128::from(from))
        .and_then(|scaled| u64::try_from(scaled).ok())
        .unwrap_or(0)
}

fn header_shows(name: &'static str) -> Shows {
    Shows::Other {
        owner: Owner::Structure(Structure::Headers),
        kind: Kind::Headers,
        name,
    }
}

fn gap_shows(is_padding: bool) -> Shows {
    if is_padding {
        Shows::Other {
            owner: Owner::Padding,
            kind: Kind::Padding,
            name: "(between sections)",
        }
    } else {
        Shows::Other {
            owner: Owner::Unknown,
            kind: Kind::Other,
            name: "(between sections)",
        }
    }
}

/// Tiles ranges with wishes: a byte goes to the earliest wish that wants it, and what nobody wants is a gap. `ranges`
/// ascending and disjoint.
fn regions(
    ranges: &[Range<u64>],
    wishes: &[Wish],
    gap: impl Fn(&Range<u64>) -> Shows,
) -> Vec<Region> {
    let wanted: Vec<Range<u64>> = wishes.iter().map(|wish| wish.range.clone()).collect();
    let mut taken = first_come(&wanted)
        .into_iter()
        .map(|(range, wish)| Region {
            start: range.start,
            len: range.end - range.start,
            shows: match &wishes[wish].shows {
                Shows::Section { index, bytes } => {
                    // Stored bytes here; the caller translates those of compressed sections.
                    let start = bytes.start + (range.start - wishes[wish].range.start);
                    Shows::Section {
                        index: *index,
                        bytes: start..start + (range.end - range.start),
                    }
                }
                other @ Shows::Other { .. } => other.clone(),
            },
        })
        .peekable();
    let mut out = Vec::new();
    for range in ranges {
        let mut at = range.start;
        let leave_gap = |out: &mut Vec<Region>, hole: Range<u64>| {
            if !hole.is_empty() {
                out.push(Region {
                    start: hole.start,
                    len: hole.end - hole.start,
                    shows: gap(&hole),
                });
            }
        };
        while let Some(region) = taken.peek() {
            let (start, end) = (region.start, region.start + region.len);
            if start >= range.end {
                break;
            }
            if end > range.start {
                let clipped = clip(region, start.max(at)..end.min(range.end));
                leave_gap(&mut out, at..clipped.start);
                at = clipped.start + clipped.len;
                out.push(clipped);
            }
            if end > range.end {
                break;
            }
            taken.next();
        }
        leave_gap(&mut out, at..range.end);
    }
    out
}

/// Makes ranges disjoint: each byte stays with the first range of the list that has it. Ascending, with the number of
/// the range.
///
/// ```text
///   0        |------|
///   1   |--------------|
///   result   1   0    1
/// ```
fn first_come(ranges: &[Range<u64>]) -> Vec<(Range<u64>, usize)> {
    let mut edges: Vec<(u64, usize)> = Vec::with_capacity(ranges.len() * 2);
    for (number, range) in ranges.iter().enumerate() {
        if range.start < range.end {
            edges.extend([(range.start, number), (range.end, number)]);
        }
    }
    edges.sort_unstable();
    let mut out: Vec<(Range<u64>, usize)> = Vec::new();
    let mut open: BTreeSet<usize> = BTreeSet::new();
    let mut at = 0;
    for (position, number) in edges {
        if let Some(&first) = open.first()
            && at < position
        {
            match out.last_mut() {
                Some((last, same)) if *same == first && last.end == at => last.end = position,
                _ => out.push((at..position, first)),
            }
        }
        at = position;
        if !open.remove(&number) {
            open.insert(number);
        }
    }
    out
}

/// Which segment each byte of the file and each address belongs to; the first one's where segments overlap.
#[derive(Debug, Clone, Default)]
pub(crate) struct SegmentIndex {
    file: Vec<(Range<u64>, usize)>,
    memory: Vec<(Range<u64>, usize)>,
    /// The segment that has the first byte of each section.
    of_sections: Vec<Option<usize>>,
}

impl SegmentIndex {
    pub(crate) fn of(image: &Image<'_>, layout: &Layout) -> Self {
        if image.is_container() {
            return Self::of_container(image, layout);
        }
        let in_file: Vec<_> = image
            .segments
            .iter()
            .map(|segment| segment.file_range.clone())
            .collect();
        let in_memory: Vec<_> = image.segments.iter().map(memory_range).collect();
        let mut index = Self {
            file: first_come(&in_file),
            memory: first_come(&in_memory),
            of_sections: Vec::new(),
        };
        let of_section = |section: &Section<'_>| {
            let is_loaded = section.access.loaded;
            index
                .segment_at(Domain::Memory, section.address)
                .filter(|_| is_loaded)
        };
        index.of_sections = image.sections.iter().map(of_section).collect();
        index
    }

    /// The segment that has the first byte of a section that is loaded.
    pub(crate) fn of_section(&self, section: SectionIndex) -> Option<usize> {
        *self.of_sections.get(section.get())?
    }

    /// The number of the segment in the list of segments. `at` is a file offset or an address.
    pub(crate) fn segment_at(&self, domain: Domain, at: u64) -> Option<usize> {
        let ranges = match domain {
            Domain::File => &self.file,
            Domain::Memory | Domain::ThreadLocal => &self.memory,
        };
        let after = ranges.partition_point(|(range, _)| range.start <= at);
        let (range, number) = ranges.get(after.checked_sub(1)?)?;
        range.contains(&at).then_some(*number)
    }
}

fn memory_range(segment: &Segment) -> Range<u64> {
    segment.address..segment.address.saturating_add(segment.memory_size)
}

/// The part of a region that lies in a range.
fn clip(region: &Region, range: Range<u64>) -> Region {
    let len = range.end.saturating_sub(range.start);
    let shows = match &region.shows {
        Shows::Section { index, bytes } => {
            let start = bytes.start + (range.start - region.start);
            Shows::Section {
                index: *index,
                bytes: start..start + len,
            }
        }
        other @ Shows::Other { .. } => other.clone(),
    };
    Region {
        start: range.start,
        len,
        shows,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn section(number: u32, range: &Range<u64>) -> Wish {
        Wish {
            range: range.clone(),
            shows: Shows::Section {
                index: SectionIndex(number),
                bytes: 0..range.end - range.start,
            },
        }
    }

    #[test]
    fn parts_of_compressed_sections_are_scaled() {
        assert_eq!(scale(10, 100, 20), 50);
        assert_eq!(scale(u64::MAX, u64::MAX, u64::MAX), u64::MAX);
        assert_eq!(scale(u64::MAX, 2, 1), 0, "what does not fit is nothing");
        assert_eq!(scale(7, 3, 0), 0);
    }

    proptest! {
        #[test]
        fn the_first_wish_has_each_byte(
            wishes in prop::collection::vec((0_u64..80, 0_u64..40), 0..14),
            holes in prop::collection::vec((0_u64..12, 1_u64..30), 0..5),
        ) {
            let mut ranges: Vec<Range<u64>> = Vec::new();
            for (gap, len) in holes {
                let start = ranges.last().map_or(0, |last| last.end) + gap;
                ranges.push(start..start + len);
            }
            let wanted: Vec<Range<u64>> = wishes.iter().map(|&(start, len)| start..start + len).collect();
            let list: Vec<Wish> = (0..).zip(&wanted).map(|(number, range)| section(number, range)).collect();
            let found = regions(&ranges, &list, |_| gap_shows(true));
            let mut found = found.iter();
            for range in &ranges {
                let mut at = range.start;
                while at < range.end {
                    let region = found.next().expect("a region for each byte");
                    prop_assert_eq!(region.start, at);
                    prop_assert!(region.len > 0);
                    for byte in at..at + region.len {
                        let first = wanted.iter().position(|wish| wish.contains(&byte));
                        match (&region.shows, first) {
                            (Shows::Section { index, bytes }, Some(first)) => {
                                prop_assert_eq!(index.get(), first);
                                let in_section = bytes.start + (byte - at);
                                prop_assert_eq!(in_section, byte - wanted[first].start);
                                prop_assert_eq!(bytes.end - bytes.start, region.len);
                            }
                            (Shows::Other { .. }, None) => {}
                            (shows, first) => prop_assert!(false, "{shows:?} for {first:?}"),
                        }
                    }
                    at += region.len;
                }
                prop_assert_eq!(at, range.end);
            }
            prop_assert!(found.next().is_none());
        }
    }
}

//! The layout of containers: that of each member, shifted to where the member stands.
//!
//! In the file members stand where they are stored. In memory they stand one after the other, each without the holes
//! between its segments: no loader maps all of them, and object files have no addresses yet.

use std::ops::Range;

use whittle_image::{Image, Part, SectionIndex};

use super::{Domain, Layout, Region, SegmentIndex, Shows, Wish, gap_shows, header_shows, regions};
use crate::kind::Kind;
use crate::owner::Owner;

/// A run of memory of one part, among those of the whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loaded {
    /// Where it is in the whole.
    pub(crate) range: Range<u64>,
    /// The number of the part in [`Image::parts`].
    pub(crate) part: usize,
    /// Where it starts in the part's own memory.
    pub(crate) address: u64,
}

impl Layout {
    /// Lays out a container.
    pub(super) fn of_container(image: &Image<'_>) -> Self {
        let mut layout = Self::default();
        let parts = image.parts();
        let (mut memory, mut template) = (0, 0);
        for (number, part) in parts.iter().enumerate() {
            let Some(of_part) = part.image else { continue };
            let own = Self::of(of_part);
            let shifted = |region: Region, start: u64| Region {
                start,
                shows: in_whole(region.shows, part),
                ..region
            };
            layout.file.extend(own.file.into_iter().map(|region| {
                let start = region.start.saturating_add(part.start);
                shifted(region, start)
            }));
            if let Some((runs, end)) = in_a_row(&own.loaded, memory, number) {
                memory = end;
                layout
                    .memory
                    .extend(own.memory.into_iter().filter_map(|region| {
                        let start = position(&runs, region.start)?;
                        Some(shifted(region, start))
                    }));
                layout.of_parts.extend(runs);
            }
            let of_threads: Vec<_> = own.template.into_iter().collect();
            if let Some((runs, end)) = in_a_row(&of_threads, template, number) {
                template = end;
                layout
                    .thread_local
                    .extend(own.thread_local.into_iter().filter_map(|region| {
                        let start = position(&runs, region.start)?;
                        Some(shifted(region, start))
                    }));
            }
        }
        layout.file.extend(own_regions(image, &parts));
        layout.file.sort_by_key(|region| region.start);
        layout.loaded.extend((memory > 0).then_some(0..memory));
        layout.template = (template > 0).then_some(0..template);
        layout
    }
}

/// Puts ranges of a part one after the other, from `at` on; nothing if they are longer than addresses can be.
fn in_a_row(ranges: &[Range<u64>], at: u64, part: usize) -> Option<(Vec<Loaded>, u64)> {
    let mut end = at;
    let mut runs = Vec::with_capacity(ranges.len());
    for range in ranges {
        let start = end;
        end = end.checked_add(range.end - range.start)?;
        runs.push(Loaded {
            range: start..end,
            part,
            address: range.start,
        });
    }
    Some((runs, end))
}

/// Where an address of a part is in the whole.
fn position(runs: &[Loaded], address: u64) -> Option<u64> {
    let behind = runs.partition_point(|run| run.address <= address);
    let run = runs.get(behind.checked_sub(1)?)?;
    let position = run.range.start.checked_add(address - run.address)?;
    run.range.contains(&position).then_some(position)
}

fn in_whole(shows: Shows, part: &Part<'_, '_>) -> Shows {
    match shows {
        Shows::Section { index, bytes } => Shows::Section {
            index: SectionIndex(index.0.saturating_add(part.first_section)),
            bytes,
        },
        other @ Shows::Other { .. } => other,
    }
}

/// The regions of the file that are no part's: the container's own headers and tables, and members that are no images.
fn own_regions(image: &Image<'_>, parts: &[Part<'_, '_>]) -> Vec<Region> {
    let mut wishes: Vec<Wish> = image
        .headers
        .iter()
        .map(|header| Wish {
            range: header.file_range.clone(),
            shows: header_shows(header.name),
        })
        .collect();
    let mut own = Vec::new();
    let mut next_section = 0;
    let mut at = 0;
    let mut free = Vec::new();
    for part in parts {
        let Some(of_part) = part.image else { continue };
        own.extend(next_section..part.first_section);
        next_section = part.section_range().end;
        if at < part.start {
            free.push(at..part.start);
        }
        at = part.start.saturating_add(of_part.file_len());
    }
    own.extend(next_section..u32::try_from(image.sections.len()).unwrap_or(u32::MAX));
    if at < image.file_len() {
        free.push(at..image.file_len());
    }
    for number in own {
        let section = image.section(SectionIndex(number));
        if let Some((section, range)) = section.and_then(|it| Some((it, it.file_range.clone()?))) {
            wishes.push(Wish {
                range,
                shows: Shows::Section {
                    index: section.index,
                    bytes: 0..section.size,
                },
            });
        }
    }
    regions(&free, &wishes, |gap| {
        let bytes = usize::try_from(gap.start)
            .ok()
            .zip(usize::try_from(gap.end).ok())
            .and_then(|(start, end)| image.data.get(start..end))
            .unwrap_or_default();
        // Archives fill up to an even position with the end of a line.
        if bytes == b"\n" || bytes.iter().all(|&byte| byte == 0) {
            gap_shows(true)
        } else {
            Shows::Other {
                owner: Owner::Unknown,
                kind: Kind::Other,
                name: "(between members)",
            }
        }
    })
}

impl SegmentIndex {
    /// The segments of all members.
    pub(super) fn of_container(image: &Image<'_>, layout: &Layout) -> Self {
        let mut all = Self {
            of_sections: vec![None; image.sections.len()],
            ..Self::default()
        };
        let parts = image.parts();
        let mut of_parts: Vec<Option<Self>> = Vec::with_capacity(parts.len());
        for part in &parts {
            let own = part
                .image
                .map(|of_part| Self::of(of_part, &Layout::default()));
            if let Some(own) = &own {
                let file = own.file.iter().map(|(range, number)| {
                    let start = range.start.saturating_add(part.start);
                    let end = range.end.saturating_add(part.start);
                    (start..end, number + part.first_segment)
                });
                all.file.extend(file);
                for (number, &segment) in (part.first_section..).zip(&own.of_sections) {
                    let at = usize::try_from(number).unwrap_or(usize::MAX);
                    if let Some(of_section) = all.of_sections.get_mut(at) {
                        *of_section = segment.map(|segment| segment + part.first_segment);
                    }
                }
            }
            of_parts.push(own);
        }
        for run in &layout.of_parts {
            let (Some(part), Some(Some(own))) = (parts.get(run.part), of_parts.get(run.part))
            else {
                continue;
            };
            let len = run.range.end - run.range.start;
            let behind = run.address.saturating_add(len);
            for (range, number) in &own.memory {
                let (start, end) = (range.start.max(run.address), range.end.min(behind));
                if start < end {
                    let from = run.range.start + (start - run.address);
                    all.memory
                        .push((from..from + (end - start), number + part.first_segment));
                }
            }
        }
        all
    }
}

/// Which member each byte of the file and of memory belongs to, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemberIndex {
    /// What the axis `member` says. The first is the container itself, or the file if it is none.
    pub(crate) names: Vec<String>,
    /// By section.
    of_sections: Vec<usize>,
    /// Ascending and disjoint.
    file: Vec<(Range<u64>, usize)>,
    memory: Vec<(Range<u64>, usize)>,
}

impl MemberIndex {
    /// The members of an image.
    pub(crate) fn of(image: &Image<'_>, layout: &Layout) -> Self {
        let mut index = Self {
            names: vec![own_name(image).to_owned()],
            of_sections: vec![0; image.sections.len()],
            ..Self::default()
        };
        if !image.is_container() {
            return index;
        }
        // What an archive in a universal file has besides its members.
        let mut inner: Vec<(Range<u64>, Range<u32>, usize)> = Vec::new();
        for member in &image.members {
            if let Some(of_member) = member.image.as_ref().filter(|it| it.is_container()) {
                let sections = u32::try_from(of_member.sections.len()).unwrap_or(u32::MAX);
                let sections = member.first_section..member.first_section.saturating_add(sections);
                let name = format!("{}/{}", member.name, own_name(of_member));
                inner.push((member.file_range.clone(), sections, index.names.len()));
                index.names.push(name);
            }
        }
        for (_, sections, name) in &inner {
            index.set(sections.clone(), *name);
        }
        let parts = image.parts();
        let first = index.names.len();
        for (part, name) in parts.iter().zip(first..) {
            index.names.push(part.path.to_string());
            index.set(part.section_range(), name);
            let len = match part.image {
                Some(of_part) => of_part.file_len(),
                None => image
                    .section(SectionIndex(part.first_section))
                    .map_or(0, |section| section.size),
            };
            index
                .file
                .push((part.start..part.start.saturating_add(len), name));
        }
        // Of an inner container the parts come first, and it has what they leave.
        let taken = index.file.clone();
        for (range, _, name) in inner {
            let mut at = range.start;
            let first = taken.partition_point(|(of_part, _)| of_part.end <= range.start);
            for (of_part, _) in taken.iter().skip(first) {
                if of_part.start >= range.end {
                    break;
                }
                if at < of_part.start {
                    index.file.push((at..of_part.start, name));
                }
                at = of_part.end;
            }
            if at < range.end {
                index.file.push((at..range.end, name));
            }
        }
        index.file.sort_by_key(|(range, _)| range.start);
        let runs = layout.of_parts.iter();
        index.memory = runs
            .map(|run| (run.range.clone(), first + run.part))
            .collect();
        index
    }

    fn set(&mut self, sections: Range<u32>, name: usize) {
        for number in sections {
            let at = usize::try_from(number).unwrap_or(usize::MAX);
            if let Some(of_section) = self.of_sections.get_mut(at) {
                *of_section = name;
            }
        }
    }

    /// The number of the name of what has a section.
    pub(crate) fn of_section(&self, section: SectionIndex) -> usize {
        self.of_sections.get(section.get()).copied().unwrap_or(0)
    }

    /// The number of the name of what has a byte: a file offset, or a position in memory.
    pub(crate) fn at(&self, domain: Domain, at: u64) -> usize {
        let ranges = match domain {
            Domain::File => &self.file,
            Domain::Memory | Domain::ThreadLocal => &self.memory,
        };
        let behind = ranges.partition_point(|(range, _)| range.start <= at);
        let last = behind.checked_sub(1).and_then(|last| ranges.get(last));
        last.filter(|(range, _)| range.contains(&at))
            .map_or(0, |(_, name)| *name)
    }
}

/// What to call the bytes of a file that are no member's.
fn own_name(image: &Image<'_>) -> &'static str {
    match image.target.kind {
        whittle_image::FileKind::Archive => "(archive)",
        whittle_image::FileKind::Universal => "(universal file)",
        _ => "(file)",
    }
}

//! Debug info by unit: which bytes of the debug sections describe which compile unit. DWARF 5, section 7.5 and
//! appendix B (how the sections refer to each other); units of DWARF 2 to 4 are read as well.
//!
//! Only unit headers and their root entries are read, so the cost does not grow with the size of a unit.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use gimli::Reader as _;

use crate::debug::DebugUnit;
use crate::image::{Endianness, FileKind, Image};
use crate::place::SectionIndex;
use crate::section::SectionRole;
use crate::symbol::SymbolKind;

type Slice<'a> = gimli::EndianSlice<'a, gimli::RunTimeEndian>;

/// Finds the units of the debug info and the pieces of the sections that belong to one unit alone.
pub(crate) fn read_units(image: &mut Image<'_>) {
    if image.target.kind == FileKind::Object {
        image.debug_units = object_unit(image).into_iter().collect();
        return;
    }
    let mut sections = HashMap::new();
    let mut failures = Vec::new();
    for section in image
        .sections
        .iter()
        .filter(|section| section.role == SectionRole::Debug && section.size > 0)
    {
        let name = section
            .name
            .strip_prefix(".zdebug")
            .map_or_else(|| section.name.to_string(), |rest| format!(".debug{rest}"));
        if !WANTED.contains(&name.as_str()) {
            continue;
        }
        match section.contents() {
            Ok(contents) => drop(sections.entry(name).or_insert((section.index, contents))),
            Err(error) => failures.push((section.name.to_string(), error.to_string())),
        }
    }
    for (name, error) in failures {
        image.warnings.push(name, None, error);
    }
    if !sections.contains_key(".debug_info") {
        return;
    }
    let endian = match image.target.endianness {
        Endianness::Little => gimli::RunTimeEndian::Little,
        Endianness::Big => gimli::RunTimeEndian::Big,
    };
    let (units, stopped) = Units {
        sections: &sections,
        endian,
    }
    .read();
    image.debug_units = units;
    if let Some((at, error)) = stopped {
        image.warnings.push(
            ".debug_info",
            Some(at),
            format!("units cannot be followed from here on: {error}"),
        );
    }
}

/// The sections that tell units apart.
const WANTED: &[&str] = &[
    ".debug_info",
    ".debug_abbrev",
    ".debug_str",
    ".debug_line_str",
    ".debug_str_offsets",
    ".debug_line",
    ".debug_aranges",
    ".debug_addr",
    ".debug_rnglists",
    ".debug_loclists",
];

/// An object file holds what one compiler run wrote: one unit, named by its file symbol.
fn object_unit(image: &Image<'_>) -> Option<DebugUnit> {
    let pieces: Vec<_> = image
        .sections
        .iter()
        .filter(|section| section.role == SectionRole::Debug && section.size > 0)
        .map(|section| (section.index, 0..section.size))
        .collect();
    let mut files = image
        .symbol_tables
        .iter()
        .flat_map(|table| &table.symbols)
        .filter(|symbol| symbol.kind == SymbolKind::File);
    let (file, more) = (files.next()?, files.next());
    (more.is_none() && !pieces.is_empty()).then(|| DebugUnit {
        name: Some(String::from_utf8_lossy(file.name).into_owned()),
        folder: None,
        producer: None,
        pieces,
    })
}

struct Units<'a> {
    sections: &'a HashMap<String, (SectionIndex, Cow<'a, [u8]>)>,
    endian: gimli::RunTimeEndian,
}

/// A unit while it is read: its pieces, and the offsets by which contributions elsewhere are found.
#[derive(Default)]
struct Offsets {
    abbreviations: u64,
    line: Option<u64>,
    /// Section and an offset inside (at the end of the header of) the unit's contribution to it.
    bases: Vec<(&'static str, u64)>,
}

impl<'a> Units<'a> {
    fn section(&self, name: &str) -> Slice<'a> {
        let bytes = self.sections.get(name).map_or(&[][..], |(_, bytes)| bytes);
        gimli::EndianSlice::new(bytes, self.endian)
    }

    fn read(&self) -> (Vec<DebugUnit>, Option<(u64, gimli::Error)>) {
        let dwarf = gimli::Dwarf::load(|id| Ok::<_, gimli::Error>(self.section(id.name())));
        let Ok(mut dwarf) = dwarf else {
            return (Vec::new(), None);
        };
        dwarf.populate_abbreviations_cache(gimli::AbbreviationsCacheStrategy::Duplicates);
        let (mut units, mut offsets) = (Vec::new(), Vec::new());
        let mut stopped = None;
        let mut at = 0;
        let mut headers = dwarf.units();
        let info = self.sections.get(".debug_info").map(|(index, _)| *index);
        loop {
            match headers.next() {
                Ok(Some(header)) => {
                    let start = header
                        .debug_info_offset()
                        .map_or(at, |offset| to_u64(offset.0));
                    let end = start.saturating_add(to_u64(header.length_including_self()));
                    at = end;
                    let (mut unit, unit_offsets) = self.read_root(&dwarf, header);
                    unit.pieces.extend(info.map(|index| (index, start..end)));
                    units.push(unit);
                    offsets.push((start, unit_offsets));
                }
                Ok(None) => break,
                Err(error) => {
                    stopped = Some((at, error));
                    break;
                }
            }
        }
        self.abbreviations(&mut units, &offsets);
        self.lines(&mut units, &offsets);
        self.contributions(&mut units, &offsets);
        self.address_ranges(&mut units, &offsets);
        (units, stopped)
    }

    fn read_root(
        &self,
        dwarf: &gimli::Dwarf<Slice<'a>>,
        header: gimli::UnitHeader<Slice<'a>>,
    ) -> (DebugUnit, Offsets) {
        let mut unit = DebugUnit {
            name: None,
            folder: None,
            producer: None,
            pieces: Vec::new(),
        };
        let mut offsets = Offsets {
            abbreviations: to_u64(header.debug_abbrev_offset().0),
            ..Offsets::default()
        };
        let Ok(parsed) = dwarf.unit(header) else {
            return (unit, offsets);
        };
        let mut entries = parsed.entries();
        let Ok(Some(root)) = entries.next_dfs() else {
            return (unit, offsets);
        };
        let text = |name: gimli::DwAt| {
            let value = root.attr_value(name)?;
            let text = dwarf.attr_string(&parsed, value).ok()?;
            Some(text.to_string_lossy().into_owned())
        };
        unit.name = text(gimli::DW_AT_name);
        unit.folder = text(gimli::DW_AT_comp_dir);
        unit.producer = text(gimli::DW_AT_producer);
        if let Some(gimli::AttributeValue::DebugLineRef(line)) =
            root.attr_value(gimli::DW_AT_stmt_list)
        {
            offsets.line = Some(to_u64(line.0));
        }
        for (attribute, section) in [
            (gimli::DW_AT_str_offsets_base, ".debug_str_offsets"),
            (gimli::DW_AT_addr_base, ".debug_addr"),
            (gimli::DW_AT_rnglists_base, ".debug_rnglists"),
            (gimli::DW_AT_loclists_base, ".debug_loclists"),
        ] {
            let base = match root.attr_value(attribute) {
                Some(gimli::AttributeValue::DebugStrOffsetsBase(base)) => Some(base.0),
                Some(gimli::AttributeValue::DebugAddrBase(base)) => Some(base.0),
                Some(gimli::AttributeValue::DebugRngListsBase(base)) => Some(base.0),
                Some(gimli::AttributeValue::DebugLocListsBase(base)) => Some(base.0),
                _ => None,
            };
            offsets
                .bases
                .extend(base.map(|base| (section, to_u64(base))));
        }
        (unit, offsets)
    }

    /// A table of abbreviations runs to the next one; one that several units use is nobody's alone.
    fn abbreviations(&self, units: &mut [DebugUnit], offsets: &[(u64, Offsets)]) {
        let Some((index, bytes)) = self.sections.get(".debug_abbrev") else {
            return;
        };
        let mut starts: Vec<(u64, usize)> = offsets
            .iter()
            .enumerate()
            .map(|(unit, (_, offsets))| (offsets.abbreviations, unit))
            .collect();
        starts.sort_unstable();
        let end_of_section = to_u64(bytes.len());
        for (number, &(start, unit)) in starts.iter().enumerate() {
            let before = number.checked_sub(1).and_then(|before| starts.get(before));
            let after = starts.get(number + 1);
            let shared = before.is_some_and(|&(other, _)| other == start)
                || after.is_some_and(|&(other, _)| other == start);
            let end = after
                .map_or(end_of_section, |&(next, _)| next)
                .min(end_of_section);
            if !shared && start < end {
                units[unit].pieces.push((*index, start..end));
            }
        }
    }

    /// A line program says its own length.
    fn lines(&self, units: &mut [DebugUnit], offsets: &[(u64, Offsets)]) {
        let Some((index, _)) = self.sections.get(".debug_line") else {
            return;
        };
        let mut users: HashMap<u64, u32> = HashMap::new();
        for (_, offsets) in offsets {
            *users.entry(offsets.line.unwrap_or(u64::MAX)).or_default() += 1;
        }
        for (unit, (_, offsets)) in units.iter_mut().zip(offsets) {
            let Some(start) = offsets.line.filter(|line| users.get(line) == Some(&1)) else {
                continue;
            };
            if let Some(range) = self.unit_length_at(".debug_line", start) {
                unit.pieces.push((*index, range));
            }
        }
    }

    /// Contributions with a header of their own, found by the base that the unit's root entry gives.
    fn contributions(&self, units: &mut [DebugUnit], offsets: &[(u64, Offsets)]) {
        for name in [
            ".debug_str_offsets",
            ".debug_addr",
            ".debug_rnglists",
            ".debug_loclists",
        ] {
            let Some((index, bytes)) = self.sections.get(name) else {
                continue;
            };
            let ranges = self.walk(name, to_u64(bytes.len()));
            let mut users: Vec<(usize, usize)> = Vec::new();
            for (unit, (_, offsets)) in offsets.iter().enumerate() {
                for &(_, base) in offsets.bases.iter().filter(|(section, _)| *section == name) {
                    let after = ranges.partition_point(|range| range.start < base);
                    if let Some(contribution) = after
                        .checked_sub(1)
                        .filter(|&number| base <= ranges[number].end)
                    {
                        users.push((contribution, unit));
                    }
                }
            }
            users.sort_unstable();
            users.dedup();
            for (number, &(contribution, unit)) in users.iter().enumerate() {
                let shared = number
                    .checked_sub(1)
                    .is_some_and(|before| users[before].0 == contribution)
                    || users
                        .get(number + 1)
                        .is_some_and(|next| next.0 == contribution);
                if !shared {
                    units[unit]
                        .pieces
                        .push((*index, ranges[contribution].clone()));
                }
            }
        }
    }

    /// A set of address ranges names its unit by offset: after the length, two bytes of version, then the offset.
    fn address_ranges(&self, units: &mut [DebugUnit], offsets: &[(u64, Offsets)]) {
        let Some((index, bytes)) = self.sections.get(".debug_aranges") else {
            return;
        };
        let by_start: HashMap<u64, usize> = offsets
            .iter()
            .enumerate()
            .map(|(unit, (start, _))| (*start, unit))
            .collect();
        for range in self.walk(".debug_aranges", to_u64(bytes.len())) {
            let unit = self
                .reader_at(".debug_aranges", range.start)
                .and_then(|mut reader| {
                    let (_, format) = reader.read_initial_length().ok()?;
                    reader.read_u16().ok()?;
                    let offset = reader.read_offset(format).ok()?;
                    by_start.get(&to_u64(offset)).copied()
                });
            if let Some(unit) = unit {
                units[unit].pieces.push((*index, range));
            }
        }
    }

    /// All contributions of a section in which each starts with its length.
    fn walk(&self, section: &str, len: u64) -> Vec<Range<u64>> {
        let mut ranges = Vec::new();
        let mut at = 0;
        while at < len {
            let Some(range) = self.unit_length_at(section, at) else {
                break;
            };
            at = range.end;
            ranges.push(range);
        }
        ranges
    }

    fn reader_at(&self, section: &str, at: u64) -> Option<Slice<'a>> {
        let mut reader = self.section(section);
        reader.skip(usize::try_from(at).ok()?).ok()?;
        Some(reader)
    }

    /// The range of a contribution that starts with its length; nothing if it is empty or ends outside the section.
    fn unit_length_at(&self, section: &str, at: u64) -> Option<Range<u64>> {
        let mut reader = self.reader_at(section, at)?;
        let room = reader.len();
        let (len, _) = reader.read_initial_length().ok()?;
        let header = room.checked_sub(reader.len())?;
        let total = header.checked_add(len).filter(|&total| total <= room)?;
        Some(at..at.checked_add(to_u64(total))?)
    }
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

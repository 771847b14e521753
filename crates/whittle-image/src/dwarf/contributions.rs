//! What belongs to a unit outside `.debug_info`: its contributions to the other debug sections. DWARF 5, section 7.4
//! (lengths), appendix B (how the sections refer to each other) and section 6.1 (look-up tables).

use std::collections::HashMap;
use std::ops::Range;

use gimli::Reader as _;

use super::roots::{Unit, read_declaration};
use super::{DebugSections, to_u64};

/// Sections in which each contribution has a header, found by an offset inside.
const FOUND_BY_OFFSET: &[&str] = &[
    ".debug_str_offsets",
    ".debug_addr",
    ".debug_rnglists",
    ".debug_loclists",
];

/// Sections in which each contribution names its unit by offset, after a length and two bytes of version.
const NAMES_ITS_UNIT: &[&str] = &[
    ".debug_aranges",
    ".debug_pubnames",
    ".debug_pubtypes",
    ".debug_gnu_pubnames",
    ".debug_gnu_pubtypes",
];

/// A range of bytes, and the unit that uses it, by its number in the list of units.
type Claim = (Range<u64>, usize);

/// Gives each unit the pieces that are its alone. The pieces of all units are disjoint.
pub(super) fn share_out(sections: &DebugSections<'_>, units: &mut [Unit]) {
    let claims = abbreviations(sections, units);
    grant(sections, ".debug_abbrev", claims, units);

    let claims = compile_units(units)
        .filter_map(|(number, unit)| Some((range_at(sections, ".debug_line", unit.line?)?, number)))
        .collect();
    grant(sections, ".debug_line", claims, units);

    for name in FOUND_BY_OFFSET {
        let claims = found_by_offset(sections, name, units);
        grant(sections, name, claims, units);
    }
    for name in NAMES_ITS_UNIT {
        let claims = naming_their_unit(sections, name, units);
        grant(sections, name, claims, units);
    }
}

/// Adds to each unit what it alone claims. What several claim is nobody's; where claims overlap, which they do in
/// damaged files, the first one counts.
fn grant(sections: &DebugSections<'_>, name: &str, mut claims: Vec<Claim>, units: &mut [Unit]) {
    let Some(section) = sections.index(name) else {
        return;
    };
    claims.sort_unstable_by_key(|(range, unit)| (range.start, range.end, *unit));
    claims.dedup();
    let mut taken = 0;
    for same_range in claims.chunk_by(|one, other| one.0 == other.0) {
        let (range, unit) = &same_range[0];
        if range.start < taken {
            continue;
        }
        taken = range.end;
        if same_range.len() == 1 && !range.is_empty() {
            units[*unit].public.pieces.push((section, range.clone()));
        }
    }
}

fn compile_units(units: &[Unit]) -> impl Iterator<Item = (usize, &Unit)> {
    units
        .iter()
        .enumerate()
        .filter(|(_, unit)| unit.compile_unit_at.is_some())
}

/// Tables of abbreviations: each ends with a zero, and before the next one that a unit uses.
fn abbreviations(sections: &DebugSections<'_>, units: &[Unit]) -> Vec<Claim> {
    let mut starts: Vec<u64> = units.iter().map(|unit| unit.abbreviations).collect();
    starts.sort_unstable();
    starts.dedup();
    let ends: Vec<u64> = starts
        .iter()
        .enumerate()
        .map(|(number, &start)| {
            let next = starts.get(number + 1).copied().unwrap_or(u64::MAX);
            abbreviations_end(sections, start, next).unwrap_or(start)
        })
        .collect();
    compile_units(units)
        .filter_map(|(number, unit)| {
            let start = unit.abbreviations;
            let end = *ends.get(starts.binary_search(&start).ok()?)?;
            Some((start..end, number))
        })
        .collect()
}

fn abbreviations_end(sections: &DebugSections<'_>, start: u64, next: u64) -> Option<u64> {
    let mut rest = sections.bytes_from(".debug_abbrev", start)?;
    let room = usize::try_from(next - start)
        .unwrap_or(usize::MAX)
        .min(rest.len());
    rest.truncate(room).ok()?;
    while read_declaration(&mut rest)? != 0 {}
    start.checked_add(to_u64(room - rest.len()))
}

/// Contributions that a unit's root entry points into.
fn found_by_offset(sections: &DebugSections<'_>, name: &str, units: &[Unit]) -> Vec<Claim> {
    let ranges = contributions(sections, name);
    let mut claims = Vec::new();
    for (number, unit) in compile_units(units) {
        for &(_, offset) in unit.inside.iter().filter(|(section, _)| *section == name) {
            // An offset behind the header is the end of a contribution that is empty.
            let behind = ranges.partition_point(|range| range.start < offset);
            let range = behind
                .checked_sub(1)
                .and_then(|last| ranges.get(last))
                .filter(|range| offset <= range.end);
            claims.extend(range.map(|range| (range.clone(), number)));
        }
    }
    claims
}

fn naming_their_unit(sections: &DebugSections<'_>, name: &str, units: &[Unit]) -> Vec<Claim> {
    let by_start: HashMap<u64, usize> = compile_units(units)
        .filter_map(|(number, unit)| Some((unit.compile_unit_at?, number)))
        .collect();
    contributions(sections, name)
        .into_iter()
        .filter_map(|range| {
            let mut header = sections.bytes_from(name, range.start)?;
            let (_, format) = header.read_initial_length().ok()?;
            let _version = header.read_u16().ok()?;
            let unit = header.read_offset(format).ok()?;
            let number = *by_start.get(&to_u64(unit))?;
            Some((range, number))
        })
        .collect()
}

/// All contributions to a section in which each starts with its length.
fn contributions(sections: &DebugSections<'_>, name: &str) -> Vec<Range<u64>> {
    let len = to_u64(sections.bytes(name).len());
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < len {
        let Some(range) = range_at(sections, name, at) else {
            break;
        };
        at = range.end;
        ranges.push(range);
    }
    ranges
}

/// The range of a contribution that starts with its length; nothing if it ends outside the section.
fn range_at(sections: &DebugSections<'_>, name: &str, start: u64) -> Option<Range<u64>> {
    let mut rest = sections.bytes_from(name, start)?;
    let room = rest.len();
    let (len, _) = rest.read_initial_length().ok()?;
    rest.skip(len).ok()?;
    Some(start..start.checked_add(to_u64(room - rest.len()))?)
}

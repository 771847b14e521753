//! Run-time functions of an object: entries of `.pdata` whose addresses the linker fills in, and the unwind information in
//! `.xdata` that they lead to. See `pe::unwinding` for what linked files say.

use std::collections::BTreeMap;

use crate::description::FunctionExtent;
use crate::image::Image;
use crate::pe::to_u64;
use crate::place::{Place, SectionIndex};
use crate::relocation::place_of;
use crate::unwind::{Described, ExceptionTable, UnwindEntry, UnwindTable};

/// Reads the entries.
pub(super) fn read(image: &mut Image<'_>) {
    let entry_len: u64 = match &*image.target.architecture {
        "x86_64" => 12,
        "aarch64" => 8,
        _ => return,
    };
    let is_named = |section: &&crate::section::Section<'_>, name: &str| {
        section.name.split('$').next() == Some(name)
    };
    let mut left = image.file_len();
    let tables: Vec<(SectionIndex, u64)> = image
        .sections
        .iter()
        .filter(|section| is_named(section, ".pdata"))
        .map(|section| (section.index, to_u64(section.stored().len())))
        // Sections that share bytes are no tables of a sound file.
        .map_while(|(section, len)| {
            left = left.checked_sub(len)?;
            Some((section, len))
        })
        .collect();
    let leads = leads(image, &tables);
    let mut information: Vec<Place> = Vec::new();
    for &(section, len) in &tables {
        let mut entries = Vec::new();
        for offset in (0..len / entry_len).map(|number| number * entry_len) {
            let at = |distance| {
                leads
                    .get(&Place {
                        section,
                        offset: offset + distance,
                    })
                    .copied()
            };
            let start = at(0).filter(|start| {
                image
                    .section(start.section)
                    .is_some_and(|section| section.access.executable)
            });
            let unwind = at(entry_len - 4);
            information.extend(unwind);
            entries.push(UnwindEntry {
                offset,
                len: entry_len,
                describes: start.map_or(Described::Nothing, |start| {
                    let size = image
                        .section(start.section)
                        .map_or(0, |section| section.size - start.offset);
                    // On 64-bit Arm the length is with the unwind information.
                    let end = at(4).filter(|end| entry_len == 12 && end.section == start.section);
                    let len = end.map_or(0, |end| end.offset.saturating_sub(start.offset));
                    Described::Code {
                        start,
                        len: len.min(size),
                        exceptions: unwind,
                    }
                }),
            });
        }
        let functions = entries.iter().filter_map(|entry| match entry.describes {
            Described::Code { start, len, .. } if len > 0 => {
                Some(FunctionExtent { place: start, len })
            }
            _ => None,
        });
        image.functions.extend(functions);
        image.unwind_tables.push(UnwindTable { section, entries });
    }
    image.functions.sort_unstable();
    image.functions.dedup_by_key(|function| function.place);
    for number in 1..image.functions.len() {
        let next = image.functions[number].place;
        let function = &mut image.functions[number - 1];
        if function.place.section == next.section {
            function.len = function.len.min(next.offset - function.place.offset);
        }
    }
    information.sort_unstable();
    information.dedup();
    // Each ends where the next one starts: what a handler adds has no length of its own.
    let tables = information
        .iter()
        .enumerate()
        .filter_map(|(number, &place)| {
            let next = information.get(number + 1);
            let next = next.filter(|next| next.section == place.section);
            let size = image.section(place.section)?.size;
            let len = next
                .map_or(size, |next| next.offset)
                .checked_sub(place.offset)?;
            Some(ExceptionTable {
                place,
                len,
                catches: None,
            })
        });
    image.exception_tables = tables.collect();
}

/// Where the words of some sections lead.
fn leads(image: &Image<'_>, sections: &[(SectionIndex, u64)]) -> BTreeMap<Place, Place> {
    let mut leads = BTreeMap::new();
    for table in &image.relocation_tables {
        for relocation in &table.relocations {
            let Some(patched) = relocation.patched else {
                continue;
            };
            if sections
                .binary_search_by_key(&patched.section, |&(section, _)| section)
                .is_err()
            {
                break;
            }
            if let Some(to) = place_of(image, table, relocation.target) {
                leads.insert(patched, to);
            }
        }
    }
    leads
}

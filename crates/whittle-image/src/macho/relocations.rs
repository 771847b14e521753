//! Addresses that the loader adjusts: opcodes that name the places, or chains that run through them.

use object::read::macho::{DyldChainedFixups, Fixup};

use super::commands::{CHAINED_FIXUPS, Commands, REBASES};
use super::{bytes, number, sections, to_u64};
use crate::description::Link;
use crate::image::{FileKind, Image};
use crate::place::Place;
use crate::relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};
use crate::section::SectionRole;

/// Reads what lets pointers of the file lead into the file itself. What binds names of other files is in the slots.
pub(super) fn read(commands: &Commands<'_>, image: &mut Image<'_>) {
    let endian = match image.target.endianness {
        crate::image::Endianness::Little => object::Endianness::Little,
        crate::image::Endianness::Big => object::Endianness::Big,
    };
    let word = image.target.bits / 8;
    let mut found: Vec<(&str, Vec<Relocation>)> = Vec::new();
    // No word is adjusted twice.
    let limit = image.data.len() / usize::from(word);
    if let Some(info) = commands.dyld_info
        && let Ok(rebases) = info.rebases(endian, image.data, word)
    {
        let mut list = Vec::new();
        for rebase in rebases.take(limit) {
            let Ok(rebase) = rebase else {
                image.warnings.push(REBASES, None, "not read to its end");
                break;
            };
            let segment = commands.segments.get(usize::from(rebase.segment_index));
            let address =
                segment.and_then(|(address, _)| address.checked_add(rebase.segment_offset));
            // What opcodes name beyond what is stored could go on without end.
            let Some(patched) = address.and_then(|address| image.place_at(address)) else {
                image
                    .warnings
                    .push(REBASES, None, "they lead out of the file");
                break;
            };
            let stored = image
                .section(patched.section)
                .map_or(&[][..], |section| section.stored());
            let target = usize::try_from(patched.offset)
                .ok()
                .and_then(|offset| number(image, stored, offset, word.into()));
            list.push(relative(patched, target));
        }
        found.push((REBASES, list));
    }
    if let Some(data) = commands.chained
        && let Ok(blob) = data.data(endian, image.data)
        && let Ok(fixups) = DyldChainedFixups::parse(endian, blob)
        && let Ok(mut segments) = fixups.segments(endian)
    {
        let mut list = Vec::new();
        while let Ok(Some(segment)) = segments.next() {
            let home = usize::try_from(segment.index())
                .ok()
                .and_then(|index| commands.segments.get(index));
            let Some((address, range)) = home else {
                continue;
            };
            let all = segment.fixups(endian, commands.base, bytes(image, range));
            for fixup in all.take(limit.saturating_sub(list.len())) {
                let Ok((offset, fixup)) = fixup else {
                    image
                        .warnings
                        .push(CHAINED_FIXUPS, None, "a chain is not read to its end");
                    break;
                };
                if let Fixup::Rebase(rebase) = fixup
                    && let Some(patched) = address
                        .checked_add(offset)
                        .and_then(|it| image.place_at(it))
                {
                    let target = commands.base.checked_add(rebase.target_offset);
                    list.push(relative(patched, target));
                }
            }
        }
        found.push((CHAINED_FIXUPS, list));
    }
    if image.target.kind != FileKind::Object {
        for &section in &commands.initializers {
            initializers(commands, section, image);
        }
        for &section in &commands.thread_local {
            thread_local(section, image);
        }
    }
    for (name, relocations) in found {
        if let Some(section) = sections::piece(image, name) {
            image.relocation_tables.push(RelocationTable {
                section,
                encoding: RelocationEncoding::Elsewhere,
                entry_size: 0,
                symbols: None,
                relocations,
            });
        }
    }
}

/// Functions that run at the start, as distances of four bytes from the header: these need no adjustment.
fn initializers(commands: &Commands<'_>, section: usize, image: &mut Image<'_>) {
    let Some(section) = image.sections.get(section) else {
        return;
    };
    let index = section.index;
    let words = section.stored().chunks_exact(4);
    let links: Vec<Link> = words
        .zip(0..)
        .filter_map(|(word, position)| {
            let distance = number(image, word, 0, 4)?;
            Some(Link {
                from: Place {
                    section: index,
                    offset: position * 4,
                },
                to: image.place_at(commands.base.checked_add(distance)?)?,
            })
        })
        .collect();
    image.links.extend(links);
}

/// Thread-local variables: each has a function that finds it, a key, and how far from the start of the template what it
/// starts with is. Apple, `mach-o/loader.h`, `S_THREAD_LOCAL_VARIABLES`.
fn thread_local(section: usize, image: &mut Image<'_>) {
    let templates = image.sections.iter().filter(|section| {
        section.role == SectionRole::ThreadLocalData && section.access.loaded && section.size > 0
    });
    let start = templates.map(|section| section.address).min();
    let (Some(start), Some(section)) = (start, image.sections.get(section)) else {
        return;
    };
    let index = section.index;
    let word = usize::from(image.target.bits / 8);
    let variables = section.stored().chunks_exact(3 * word);
    let links: Vec<Link> = variables
        .zip(0..)
        .filter_map(|(variable, position)| {
            let distance = number(image, variable, 2 * word, word)?;
            Some(Link {
                from: Place {
                    section: index,
                    offset: (position * 3 + 2) * to_u64(word),
                },
                to: image.place_at(start.checked_add(distance)?)?,
            })
        })
        .collect();
    image.links.extend(links);
}

fn relative(patched: Place, target: Option<u64>) -> Relocation {
    Relocation {
        entry: 0,
        patched: Some(patched),
        kind: RelocationKind::Relative,
        target: target.map_or(RelocationTarget::None, RelocationTarget::Address),
    }
}

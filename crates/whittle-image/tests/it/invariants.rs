//! What holds for every image, whatever the bytes. The fuzz target asserts the same.

use std::ops::Range;

use whittle_image::{Compression, Described, FileKind, Image, Place, RelocationTarget, Warnings};

/// No section expands further than this or 32 times, whichever is more.
const SMALL_EXPANSION: u64 = 64 << 20;

/// Asserts that every position in `image` lies in what it is a position of.
pub fn assert_sound(image: &Image<'_>) {
    assert_frame(image);
    assert_symbols(image);
    assert_relocations(image);
    assert_unwinding(image);
    assert_extents(image);
    assert_debug_units(image);
    assert_addresses(image);
    assert_members(image);
    assert!(image.warnings.list().len() <= Warnings::MAX_KEPT);
    for stub in &image.stubs {
        assert_part(image, stub.place, stub.len);
        assert_byte(image, stub.slot);
    }
    if let Some(place) = image.entry {
        assert_byte(image, place);
    }
}

fn assert_frame(image: &Image<'_>) {
    let file_len = len(image.data);
    assert_eq!(image.file_len(), file_len);
    assert!(
        image
            .headers
            .is_sorted_by_key(|header| header.file_range.start)
    );
    for header in &image.headers {
        assert_inside(&header.file_range, file_len);
    }
    for segment in &image.segments {
        assert_inside(&segment.file_range, file_len);
        assert!(segment.address.checked_add(segment.memory_size).is_some());
    }
    for (number, section) in image.sections.iter().enumerate() {
        assert_eq!(section.index.get(), number);
        assert!(section.align >= 1);
        let stored = len(section.stored());
        let range = section.file_range.clone().unwrap_or_default();
        assert_inside(&range, file_len);
        assert_eq!(range.end - range.start, stored);
        if section.compression == Compression::None && section.file_range.is_some() {
            assert_eq!(section.size, stored);
        }
        if section.compression != Compression::None {
            assert!(section.size <= u64::max(stored * 32, SMALL_EXPANSION));
        }
        if section.access.loaded {
            assert!(section.address.checked_add(section.size).is_some());
        }
    }
}

/// Expands every section. Not part of [`assert_sound`]: it takes long.
pub fn assert_contents(image: &Image<'_>) {
    for section in &image.sections {
        if let Ok(contents) = section.contents() {
            let expected = match section.file_range {
                Some(_) => section.size,
                None => 0,
            };
            assert_eq!(len(&contents), expected, "{}", section.name);
        }
    }
}

fn assert_symbols(image: &Image<'_>) {
    for table in &image.symbol_tables {
        let section = image.section(table.section).expect("a table has a section");
        assert!(table.entry_size == 0 || table.ranges.is_empty());
        for (index, _) in table.symbols.iter().enumerate() {
            assert_inside(&table.entry(index), len(section.stored()));
        }
        for linked in [table.names, table.versions].into_iter().flatten() {
            assert!(image.section(linked).is_some());
        }
        for symbol in &table.symbols {
            assert!(symbol.name.len() <= 1 << 20);
            assert!(
                symbol.name_offset.is_none() || table.names.is_some() || symbol.name.is_empty()
            );
            assert!(!symbol.name.contains(&0));
            if let Some(place) = symbol.place {
                assert_part(image, place, 0);
                assert!(!symbol.undefined);
            }
        }
    }
}

fn assert_relocations(image: &Image<'_>) {
    for table in &image.relocation_tables {
        let section = image.section(table.section).expect("a table has a section");
        assert!(table.relocations.is_sorted_by_key(|it| it.entry));
        if let Some(symbols) = table.symbols {
            assert!(symbols < image.symbol_tables.len());
        }
        for relocation in &table.relocations {
            assert!(relocation.entry + table.entry_size <= len(section.stored()));
            if let Some(patched) = relocation.patched {
                assert_byte(image, patched);
            }
            if let RelocationTarget::Address(address) = relocation.target {
                assert!(image.target.bits == 64 || u32::try_from(address).is_ok());
            }
        }
    }
    let relocations: u64 = image
        .relocation_tables
        .iter()
        .map(|table| count(&table.relocations))
        .sum();
    // An entry has 2 bytes or more (those of PE), and a word that is patched by a packed one has as many as an address.
    let bound = image.file_len() / 2 + image.file_len() / u64::from(image.target.bits / 8);
    assert!(relocations <= bound, "{relocations} of {bound}");
}

fn assert_unwinding(image: &Image<'_>) {
    for table in &image.unwind_tables {
        let section = image.section(table.section).expect("a table has a section");
        let mut end = 0;
        for entry in &table.entries {
            assert_eq!(entry.offset, end, "entries follow each other");
            end += entry.len;
            match entry.describes {
                Described::Common { personality } => {
                    if let Some(place) = personality {
                        assert_part(image, place, 0);
                    }
                }
                Described::Code {
                    start,
                    len,
                    exceptions,
                } => {
                    assert_part(image, start, len);
                    if let Some(place) = exceptions {
                        assert_part(image, place, 0);
                    }
                }
                Described::Nothing | Described::End => {}
            }
        }
        assert!(end <= len(section.stored()));
    }
    for index in &image.unwind_indexes {
        let section = image
            .section(index.section)
            .expect("an index has a section");
        let end = index.header_len + index.entry_size * count(&index.entries);
        assert!(end <= len(section.stored()));
        let exceptions = index.exceptions.iter().map(|(place, _)| place);
        for place in index.entries.iter().flatten().chain(exceptions) {
            assert_part(image, *place, 0);
        }
    }
    let mut end_of_last = None;
    for table in &image.exception_tables {
        assert_part(image, table.place, table.len);
        assert!(
            end_of_last <= Some(table.place),
            "tables ascend and do not overlap"
        );
        end_of_last = Some(Place {
            offset: table.place.offset + table.len,
            ..table.place
        });
    }
}

fn assert_extents(image: &Image<'_>) {
    let mut end_of_last = None;
    for function in &image.functions {
        assert_part(image, function.place, function.len);
        assert!(
            end_of_last <= Some(function.place),
            "functions ascend and do not overlap"
        );
        end_of_last = Some(Place {
            offset: function.place.offset + function.len,
            ..function.place
        });
    }
    for description in &image.descriptions {
        assert_part(image, description.place, description.len);
        assert_byte(image, description.of);
    }
    for link in &image.links {
        assert_byte(image, link.from);
        assert_byte(image, link.to);
    }
}

fn assert_debug_units(image: &Image<'_>) {
    let pieces = image.debug_units.iter().flat_map(|unit| &unit.pieces);
    let mut pieces: Vec<_> = pieces
        .map(|(section, range)| (*section, range.start, range.end))
        .collect();
    pieces.sort_unstable();
    for &(section, start, end) in &pieces {
        let section = image.section(section).expect("a piece has a section");
        assert_inside(&(start..end), section.size);
    }
    for pair in pieces.windows(2) {
        let [(section, _, end), (next_section, next_start, _)] = *pair else {
            unreachable!("windows of two");
        };
        assert!(section != next_section || end <= next_start, "{pair:?}");
    }
}

fn assert_addresses(image: &Image<'_>) {
    for section in &image.sections {
        for address in [section.address, section.end().saturating_sub(1)] {
            let Some(place) = image.place_at(address) else {
                continue;
            };
            assert_ne!(image.target.kind, FileKind::Object);
            assert_byte(image, place);
            assert_eq!(image.address_of(place), Some(address));
        }
    }
}

/// Members are disjoint, and the container has their sections and segments where it says.
fn assert_members(image: &Image<'_>) {
    assert!(image.members.is_empty() || image.is_container());
    let (mut past, mut sections, mut segments) = (0, 0, 0);
    for member in &image.members {
        assert!(past <= member.file_range.start);
        assert_inside(&member.file_range, image.file_len());
        past = member.file_range.end;
        assert!(sections <= member.first_section && segments <= member.first_segment);
        let Some(inner) = &member.image else {
            let own = &image.sections[usize::try_from(member.first_section).expect("few")];
            assert_eq!(own.file_range, Some(member.file_range.clone()));
            sections = member.first_section + 1;
            continue;
        };
        assert_sound(inner);
        assert_eq!(inner.file_len(), past - member.file_range.start);
        let first = usize::try_from(member.first_section).expect("few");
        for (shown, own) in image.sections[first..].iter().zip(&inner.sections) {
            assert_eq!((&shown.name, shown.size), (&own.name, own.size));
            assert_eq!(shown.stored(), own.stored());
            let start = own.file_range.as_ref().map(|range| range.start);
            let start = start.map(|start| start + member.file_range.start);
            assert_eq!(shown.file_range.as_ref().map(|range| range.start), start);
        }
        sections = member.first_section + u32::try_from(inner.sections.len()).expect("few");
        segments = member.first_segment + inner.segments.len();
    }
    assert!(usize::try_from(sections).expect("few") <= image.sections.len());
    assert!(segments <= image.segments.len());
    let parts = image.parts();
    assert!(parts.is_sorted_by_key(|part| part.first_section));
    for part in parts {
        assert!(usize::try_from(part.section_range().end).expect("few") <= image.sections.len());
    }
}

/// Asserts that a place is a byte of its section.
fn assert_byte(image: &Image<'_>, place: Place) {
    assert_part(image, place, 1);
}

/// Asserts that `len` bytes from a place on lie in its section; an end is a place of no bytes.
fn assert_part(image: &Image<'_>, place: Place, len: u64) {
    let section = image.section(place.section).expect("a place has a section");
    let end = place.offset.checked_add(len).expect("no end past 2^64");
    assert!(
        end <= section.size,
        "{place:?} and {len} bytes in {} of {}",
        section.name,
        section.size
    );
}

fn assert_inside(range: &Range<u64>, len: u64) {
    assert!(
        range.start <= range.end && range.end <= len,
        "{range:?} in {len}"
    );
}

fn len(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).expect("a length fits in 64 bits")
}

fn count<T>(items: &[T]) -> u64 {
    u64::try_from(items.len()).expect("a count fits in 64 bits")
}

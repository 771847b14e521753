//! The index of an archive: which member defines which symbol, for linkers. There is one for all members, in one of five
//! forms.

use std::collections::HashMap;

use crate::container::shifted;
use crate::description::Description;
use crate::image::{Format, Image};
use crate::place::{Place, SectionIndex};
use crate::symbol::Binding;

/// No symbol has a longer name.
const MAX_NAME: usize = 1 << 20;

/// How an index is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A number, so many positions of members, so many names; big endian.
    SystemV,
    /// The same with positions of 64 bits.
    SystemV64,
    /// The second of libraries for Windows: positions of members, then the number of a member for each name, then the
    /// names.
    Windows,
    /// Pairs of the position of a name and of a member, then the names.
    Bsd,
    /// The same with 64 bits.
    Bsd64,
    /// A form that is not read.
    Unknown,
}

/// One symbol of an index.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct IndexEntry<'data> {
    /// The number of the member.
    pub(super) member: usize,
    pub(super) name: &'data [u8],
    /// The bytes of the index that are the entry's alone: start and length.
    pub(super) pieces: [(usize, usize); 2],
}

/// Reads an index. `positions` are those of the members' headers, in ascending order. Damaged entries are left out.
pub(super) fn read<'data>(
    bytes: &'data [u8],
    form: Form,
    positions: &[u64],
) -> Vec<IndexEntry<'data>> {
    let entries = match form {
        Form::SystemV => system_v(bytes, 4, positions),
        Form::SystemV64 => system_v(bytes, 8, positions),
        Form::Windows => windows(bytes, positions),
        Form::Bsd => bsd(bytes, 4, positions),
        Form::Bsd64 => bsd(bytes, 8, positions),
        Form::Unknown => None,
    };
    entries.unwrap_or_default()
}

/// Says of each entry which place it describes. `table` is the number of the index among the sections of the archive.
pub(super) fn describe(entries: &[IndexEntry<'_>], table: usize, image: &mut Image<'_>) {
    let Ok(section) = u32::try_from(table).map(SectionIndex) else {
        return;
    };
    let mut found = Vec::new();
    let mut places: HashMap<usize, HashMap<&[u8], Place>> = HashMap::new();
    for entry in entries {
        let Some(member) = image.members.get(entry.member) else {
            continue;
        };
        let Some(inner) = &member.image else { continue };
        let of_member = places.entry(entry.member).or_insert_with(|| defined(inner));
        // In Mach-O the index has the underscore that compilers put before each name.
        let bare = entry.name.strip_prefix(b"_");
        let bare = bare.filter(|_| inner.target.format == Format::MachO);
        let of = of_member.get(entry.name).or_else(|| of_member.get(bare?));
        let Some(&of) = of else { continue };
        // What has no bytes has nobody to describe.
        if inner
            .section(of.section)
            .is_none_or(|section| of.offset >= section.size)
        {
            continue;
        }
        for (start, len) in entry.pieces {
            found.push(Description {
                place: Place {
                    section,
                    offset: to_u64(start),
                },
                len: to_u64(len),
                of: shifted(of, member.first_section),
            });
        }
    }
    image.descriptions.extend(found);
}

/// What an image defines for others.
fn defined<'data>(image: &Image<'data>) -> HashMap<&'data [u8], Place> {
    let symbols = image.symbol_tables.iter().flat_map(|table| &table.symbols);
    symbols
        .filter(|symbol| symbol.binding != Binding::Local && !symbol.undefined)
        .filter_map(|symbol| Some((symbol.name, symbol.place?)))
        .collect()
}

/// `NUMBER POSITION… NAME\0…`, big endian.
fn system_v<'data>(
    bytes: &'data [u8],
    width: usize,
    positions: &[u64],
) -> Option<Vec<IndexEntry<'data>>> {
    let count = usize::try_from(big(bytes.get(..width)?)).ok()?;
    let names = count.checked_add(1)?.checked_mul(width)?;
    let mut names = Names::new(bytes, names)?;
    let mut entries = Vec::new();
    for number in 1..=count {
        let at = number * width;
        let position = big(bytes.get(at..at + width)?);
        let Some((name, start, len)) = names.next() else {
            break;
        };
        if let Ok(member) = positions.binary_search(&position) {
            entries.push(IndexEntry {
                member,
                name,
                pieces: [(at, width), (start, len)],
            });
        }
    }
    Some(entries)
}

/// `MEMBERS POSITION… NUMBER INDEX… NAME\0…`, little endian; indexes of two bytes count from 1.
fn windows<'data>(bytes: &'data [u8], positions: &[u64]) -> Option<Vec<IndexEntry<'data>>> {
    let word = |at: usize| Some(little(bytes.get(at..at.checked_add(4)?)?));
    let members = usize::try_from(word(0)?).ok()?;
    let count_at = members.checked_add(1)?.checked_mul(4)?;
    let count = usize::try_from(word(count_at)?).ok()?;
    let first = count_at.checked_add(4)?;
    let mut names = Names::new(bytes, first.checked_add(count.checked_mul(2)?)?)?;
    let mut entries = Vec::new();
    for number in 0..count {
        let at = first + number * 2;
        let index = usize::try_from(little(bytes.get(at..at + 2)?)).ok()?;
        let Some((name, start, len)) = names.next() else {
            break;
        };
        let position = if (1..=members).contains(&index) {
            word(index * 4)
        } else {
            None
        };
        let member = position.and_then(|position| positions.binary_search(&position).ok());
        if let Some(member) = member {
            entries.push(IndexEntry {
                member,
                name,
                pieces: [(at, 2), (start, len)],
            });
        }
    }
    Some(entries)
}

/// `BYTES (NAME POSITION)… BYTES NAME\0…` in the byte order of the machine: the one in which the lengths fit.
fn bsd<'data>(
    bytes: &'data [u8],
    width: usize,
    positions: &[u64],
) -> Option<Vec<IndexEntry<'data>>> {
    [little, big]
        .into_iter()
        .find_map(|number| bsd_in_order(bytes, width, positions, number))
}

fn bsd_in_order<'data>(
    bytes: &'data [u8],
    width: usize,
    positions: &[u64],
    number: fn(&[u8]) -> u64,
) -> Option<Vec<IndexEntry<'data>>> {
    let word = |at: usize| {
        let value = number(bytes.get(at..at.checked_add(width)?)?);
        usize::try_from(value).ok()
    };
    let len = word(0)?;
    let names_at = len.checked_add(2 * width)?;
    let names_len = word(width.checked_add(len)?)?;
    if len % (2 * width) != 0 || names_at.checked_add(names_len)? > bytes.len() {
        return None;
    }
    let mut entries = Vec::new();
    // Names stand in no order. In a hostile index each is the end of a long one.
    let mut room = names_len.saturating_mul(4);
    for at in (width..width + len).step_by(2 * width) {
        let (name, position) = (word(at)?, word(at + width)?);
        let start = names_at.checked_add(name)?;
        let Some(rest) = bytes.get(start..names_at + names_len) else {
            continue;
        };
        let rest = &rest[..rest.len().min(MAX_NAME)];
        let end = memchr::memchr(0, rest).unwrap_or(rest.len());
        let Some(left) = room.checked_sub(end) else {
            break;
        };
        room = left;
        if let Ok(member) = positions.binary_search(&to_u64(position)) {
            entries.push(IndexEntry {
                member,
                name: &rest[..end],
                pieces: [(at, 2 * width), (start, (end + 1).min(rest.len()))],
            });
        }
    }
    Some(entries)
}

/// Names that follow each other, each with a zero behind it.
struct Names<'data> {
    bytes: &'data [u8],
    at: usize,
}

impl<'data> Names<'data> {
    fn new(bytes: &'data [u8], at: usize) -> Option<Self> {
        (at <= bytes.len()).then_some(Self { bytes, at })
    }

    /// A name, where it starts, and how many bytes it takes with its zero.
    fn next(&mut self) -> Option<(&'data [u8], usize, usize)> {
        let rest = self.bytes.get(self.at..)?;
        let len = memchr::memchr(0, rest)?;
        let start = self.at;
        self.at += len + 1;
        Some((&rest[..len], start, len + 1))
    }
}

fn big(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn little(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte))
}

fn to_u64(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

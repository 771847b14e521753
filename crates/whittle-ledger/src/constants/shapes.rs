//! What pointers in data give away by the plain numbers beside them.
//!
//! A panic location is a pointer to the name of a source file, its length, a line and a column (`core::panic::Location`,
//! laid out so since Rust 1.30 and before); a text is a pointer and a length (`&str`).
//!
//! ```text
//!   .data.rel.ro   | pointer | length | line col |       | pointer | length |
//!                       |                                     |
//!   .rodata             src/main.rs                           usage: …
//! ```

use whittle_code::{ReferenceKind, References};
use whittle_image::{Image, Place, Section};

use crate::descriptions::read_word;
use crate::items::moved;

/// A panic location: the place in the sources that a panic names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PanicLocation {
    /// Where it stands.
    pub place: Place,
    /// Where the name of its source file stands.
    pub file: Place,
    /// How many bytes the name has.
    pub file_len: u64,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

/// What pointers in data give away.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    /// In ascending order.
    pub(crate) locations: Vec<PanicLocation>,
    /// Texts that a pointer and a length lead to, in ascending order: start, and length in bytes.
    pub(crate) texts: Vec<(Place, u64)>,
}

/// No source file has more lines or columns.
const MAX_LINE: u32 = 1 << 24;
/// No source file has a longer path, no text is worth more looking at.
const MAX_PATH: u64 = 4096;
const MAX_TEXT: u64 = 1 << 20;

impl Shapes {
    /// Looks at what stands behind each pointer in data. Time is proportional to the file's length: each text is read
    /// once, and together they are no longer than the file.
    pub(crate) fn find(image: &Image<'_>, references: &References) -> Self {
        let mut found = Self::default();
        let word = u64::from(image.target.bits / 8);
        let mut lens: Vec<(Place, u64)> = Vec::new();
        for reference in references.list() {
            let from = reference.from();
            if reference.kind() != ReferenceKind::Pointer {
                continue;
            }
            let (Some(section), Some(target)) = (
                image.section(from.section),
                image.section(reference.to().section),
            ) else {
                continue;
            };
            if target.access.executable || target.file_range.is_none() {
                continue;
            }
            let Some(len) = read(image, section, from.offset + word, word) else {
                continue;
            };
            let room = target.size.saturating_sub(reference.to().offset);
            if len == 0 || len > room.min(MAX_TEXT) {
                continue;
            }
            lens.push((reference.to(), len));
            if let Some(location) = location(image, section, from, reference.to(), len) {
                found.locations.push(location);
            }
        }
        lens.sort_unstable();
        lens.dedup();
        let mut room = image.file_len();
        for (start, len) in lens {
            let Some(rest) = room.checked_sub(len) else {
                break;
            };
            room = rest;
            let is_text = bytes_of(image, start, len).is_some_and(is_text);
            if is_text {
                found.texts.push((start, len));
            }
        }
        found.locations.sort_unstable();
        found.locations.dedup_by_key(|location| location.place);
        found
    }

    /// Takes in those of a member, whose sections follow all others.
    pub(crate) fn append(&mut self, other: Self, first_section: u32) {
        let locations = other.locations.into_iter();
        self.locations
            .extend(locations.map(|location| PanicLocation {
                place: moved(location.place, first_section),
                file: moved(location.file, first_section),
                ..location
            }));
        let texts = other.texts.into_iter();
        self.texts
            .extend(texts.map(|(start, len)| (moved(start, first_section), len)));
    }

    /// How many bytes a panic location has: pointer, length, line, column.
    pub(crate) fn location_len(image: &Image<'_>) -> u64 {
        u64::from(image.target.bits / 8) * 2 + 8
    }

    /// The location that stands at a place.
    pub(crate) fn location_at(&self, place: Place) -> Option<&PanicLocation> {
        let at = self
            .locations
            .binary_search_by_key(&place, |location| location.place);
        self.locations.get(at.ok()?)
    }

    /// Starts and ends of everything found in a section, in no order.
    pub(crate) fn bounds(&self, image: &Image<'_>, section: &Section<'_>) -> Vec<u64> {
        let len = Self::location_len(image);
        let locations = self.locations.iter().map(|location| (location.place, len));
        locations
            .chain(self.texts.iter().copied())
            .filter(|(place, _)| place.section == section.index)
            .flat_map(|(place, len)| [place.offset, place.offset.saturating_add(len)])
            .collect()
    }
}

impl PanicLocation {
    /// The name of the source file, as the compiler was given it.
    #[must_use]
    pub fn path<'data>(&self, image: &Image<'data>) -> Option<&'data str> {
        std::str::from_utf8(bytes_of(image, self.file, self.file_len)?).ok()
    }
}

/// Reads a panic location whose first word, at `from`, leads to a text of `len` bytes.
fn location(
    image: &Image<'_>,
    section: &Section<'_>,
    from: Place,
    file: Place,
    len: u64,
) -> Option<PanicLocation> {
    let word = u64::from(image.target.bits / 8);
    let number = |at: u64| u32::try_from(read(image, section, from.offset + at, 4)?).ok();
    if len > MAX_PATH {
        return None;
    }
    // Old compilers ended the name with a zero.
    let path = bytes_of(image, file, len)?;
    let path = path.strip_suffix(b"\0").unwrap_or(path);
    let (line, column) = (number(word * 2)?, number(word * 2 + 4)?);
    let is_number = |number| (1..MAX_LINE).contains(&number);
    let is_file = path.ends_with(b".rs") || path == b"<anon>";
    (is_file && is_text(path) && is_number(line) && is_number(column)).then_some(PanicLocation {
        place: from,
        file,
        file_len: len,
        line,
        column,
    })
}

/// Whether bytes are a text that people read.
pub(crate) fn is_text(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok_and(|text| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\x1b'))
    })
}

/// The stored bytes of a range of a section.
pub(crate) fn bytes_of<'data>(image: &Image<'data>, start: Place, len: u64) -> Option<&'data [u8]> {
    let from = usize::try_from(start.offset).ok()?;
    let to = from.checked_add(usize::try_from(len).ok()?)?;
    image.section(start.section)?.stored().get(from..to)
}

/// A number of up to eight bytes that a section stores.
pub(crate) fn read(image: &Image<'_>, section: &Section<'_>, at: u64, len: u64) -> Option<u64> {
    let at = usize::try_from(at).ok()?;
    let end = at.checked_add(usize::try_from(len).ok()?)?;
    Some(read_word(section.stored().get(at..end)?, image))
}

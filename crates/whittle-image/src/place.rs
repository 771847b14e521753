//! Positions: in the file, in a section, in memory. Three types, so that one is never taken for another.

use std::fmt;
use std::ops::Range;

/// A position in the file, in bytes from its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileOffset(pub u64);

/// An address the program has when it runs, before the loader moves it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address(pub u64);

/// The number of a section in [`Image::sections`](crate::Image::sections).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SectionIndex(pub u32);

impl SectionIndex {
    /// The same number, to index a slice with.
    #[must_use]
    pub fn get(self) -> usize {
        // A u32 fits in a usize on every host that can hold a file of more than 2^16 sections.
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A position in a section, in bytes from its start.
///
/// Object files have every section at address 0 and WebAssembly has several address spaces, so an address alone
/// does not name a byte; a place does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The section.
    pub section: SectionIndex,
    /// Bytes from the start of the section's contents as the program sees them (after decompression).
    pub offset: u64,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}

/// A range of file offsets, in bytes: the form in which headers and sections say where they are stored.
pub type FileRange = Range<u64>;

/// The bytes of `range` that lie in `data`, or nothing if the range is outside.
pub(crate) fn slice<'data>(data: &'data [u8], range: &FileRange) -> Option<&'data [u8]> {
    let start = usize::try_from(range.start).ok()?;
    let end = usize::try_from(range.end).ok()?;
    data.get(start..end)
}

//! Unwind information: which bytes of the unwind and exception tables describe which code.

use crate::place::{Place, SectionIndex};

/// The entries of one section of unwind information.
#[derive(Debug, Clone)]
pub struct UnwindTable {
    /// The section.
    pub section: SectionIndex,
    /// The entries, in the order of the file, each starting where the last one ended. In a damaged file they end before
    /// the section does.
    pub entries: Vec<UnwindEntry>,
}

/// One entry of an unwind table, its length field included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnwindEntry {
    /// Where it starts, in bytes from the start of the section.
    pub offset: u64,
    /// How long it is, in bytes.
    pub len: u64,
    /// What it describes.
    pub describes: Described,
}

/// What an unwind entry describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Described {
    /// What many functions have in common (a common information entry).
    Common {
        /// The function that decides what to do in a frame when the stack unwinds, or the slot that holds its address.
        personality: Option<Place>,
    },
    /// The code of one function.
    Code {
        /// Where the code starts.
        start: Place,
        /// How many bytes of code, clipped to the section of the code.
        len: u64,
        /// The exception table of that code.
        exceptions: Option<Place>,
    },
    /// Code that is not in this file (discarded by the linker), or nothing that can be told.
    Nothing,
    /// The mark at the end of the table; several in a row are one entry.
    End,
}

/// A search table over unwind entries: a header, then entries of one size.
#[derive(Debug, Clone)]
pub struct UnwindIndex {
    /// The section.
    pub section: SectionIndex,
    /// How many bytes stand before the first entry.
    pub header_len: u64,
    /// The size of one entry, in bytes; 0 if there is none.
    pub entry_size: u64,
    /// The code that each entry points at, in the order of the file.
    pub entries: Vec<Option<Place>>,
    /// Exception data that each entry points at, where the format has them here (`.ARM.exidx`).
    pub exceptions: Vec<(Place, Option<Place>)>,
}

/// One exception table (language-specific data area): the calls of one function that may unwind, and what then runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExceptionTable {
    /// Where it starts.
    pub place: Place,
    /// How long it is by its own account, in bytes, without padding after it; never longer than up to the next table.
    pub len: u64,
    /// Whether a type is caught: some action has a positive type number. Clean-up has 0, a filter, such as a guard that
    /// aborts, a negative one. Nothing if the table cannot be followed.
    pub catches: Option<bool>,
}

//! What formats say of extents: where functions start and end, and which bytes are about which others.

use crate::place::Place;

/// A function whose extent a table of the format says: a body of WebAssembly's code section, a function start of Mach-O,
/// a run-time function of PE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FunctionExtent {
    /// Where it starts.
    pub place: Place,
    /// How many bytes it has. Where the table has starts alone, padding behind the function is among them.
    pub len: u64,
}

/// Bytes that describe others: an entry of a table that has one for each of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Description {
    /// Where they stand.
    pub place: Place,
    /// How many there are.
    pub len: u64,
    /// What they describe: some byte of it.
    pub of: Place,
}

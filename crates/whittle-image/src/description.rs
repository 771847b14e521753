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

/// A place that a table of the format leads to from another, without a relocation: the handler and the parts of a function
/// that unwind information names, for example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Link {
    /// Where the number stands that leads on.
    pub from: Place,
    /// Where it leads.
    pub to: Place,
}

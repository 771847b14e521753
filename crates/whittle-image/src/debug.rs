//! Debug info, as far as it says whose it is: one unit for each codegen unit or C source file.

use crate::place::SectionIndex;
use std::ops::Range;

/// The debug info of one compile unit, or of one type that several share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugUnit {
    /// Its name: a source file; from rustc `SOURCE/@/CRATE.HASH-cgu.N`, in incremental builds `SOURCE/@/HASH`. Types have
    /// none.
    pub name: Option<String>,
    /// The folder the compiler ran in.
    pub folder: Option<String>,
    /// The compiler.
    pub producer: Option<String>,
    /// The bytes that are its alone: section, and the range of bytes in it (after decompression). The pieces of all units
    /// are disjoint; what several units use, such as strings, is in none.
    pub pieces: Vec<(SectionIndex, Range<u64>)>,
}

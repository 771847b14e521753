//! Debug info, as far as it says whose it is: one unit for each codegen unit or C source file.

use crate::place::SectionIndex;
use std::ops::Range;

/// The debug info of one compile unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebugUnit {
    /// Its name: a source file; from rustc `SOURCE/@/CRATE.HASH-cgu.N`.
    pub name: Option<String>,
    /// The folder the compiler ran in.
    pub folder: Option<String>,
    /// The compiler.
    pub producer: Option<String>,
    /// The bytes that are its alone: section, and the range of bytes in it (after decompression).
    pub pieces: Vec<(SectionIndex, Range<u64>)>,
}

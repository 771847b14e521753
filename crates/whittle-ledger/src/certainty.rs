//! How sure an attribution is, and what it rests on.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How sure an attribution is. Ordered: the weaker is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Certainty {
    /// A table of the file or of its build says so.
    Exact,
    /// It follows by a rule that can be wrong.
    Inferred,
    /// Nobody knows.
    Unknown,
}

impl Certainty {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Certainty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What an attribution rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Source {
    /// The layout of the file itself.
    Layout,
    /// The linker's map.
    LinkMap,
    /// A symbol's place and size.
    Symbol,
    /// What a symbol's name says.
    SymbolName,
    /// The unit under which a symbol table lists a local symbol.
    FileSymbol,
    /// A relocation.
    Relocation,
    /// What leads to it, or where it leads: instructions and addresses in data.
    Reference,
    /// An unwind entry.
    UnwindTable,
    /// Debug info.
    DebugInfo,
    /// The library file of the build that it came from.
    LibraryFile,
    /// The list of packages that the build left in the file.
    AuditData,
    /// The name of a source file in a panic location.
    PanicLocation,
    /// What stands before and behind it.
    Neighbour,
    /// Paths of source files in the program's constants.
    SourcePath,
    /// The section's name or type.
    SectionName,
    /// Nothing.
    None,
}

impl Source {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Layout => "file layout",
            Self::LinkMap => "link map",
            Self::Symbol => "symbol",
            Self::SymbolName => "symbol name",
            Self::FileSymbol => "file symbol",
            Self::Relocation => "relocation",
            Self::Reference => "reference",
            Self::UnwindTable => "unwind table",
            Self::DebugInfo => "debug info",
            Self::LibraryFile => "library file",
            Self::AuditData => "audit data",
            Self::PanicLocation => "panic location",
            Self::Neighbour => "neighbour",
            Self::SourcePath => "source path",
            Self::SectionName => "section name",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

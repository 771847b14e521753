//! Causes: why bytes exist.
//!
//! A cause is found by ordered rules of which the first that matches wins; `docs/causes.md` explains them one by one.
//! All items are judged once, by their names, their contents and who uses them; spans then look their item up.
//!
//! | module | what it holds |
//! |---|---|
//! | `causes` | the rules themselves |
//! | `symbol` | what a symbol's name says of the cause |
//! | `handed` | what functions hand to panics, and which of them are `async` bodies |
//! | `copies` | the copies of generic functions beyond the largest |
//! | `program` | which crates are the user's own |

mod causes;
mod copies;
mod handed;
mod program;
mod symbol;
#[cfg(test)]
mod tests;

use std::fmt;

pub use causes::{Causes, Reason};
pub(crate) use program::{crate_of_main, of_workspace};

/// Why bytes exist. The list is closed and in the order of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// For debuggers.
    DebugInfo,
    /// Names that only tools read.
    SymbolNames,
    /// Bytes that align what follows.
    Alignment,
    /// What the loader patches, because the program can be loaded anywhere.
    DynamicRelocations,
    /// Tables to unwind the stack by.
    Unwinding,
    /// Where a panic happened, and what it says.
    PanicMessages,
    /// Code that starts, reports and ends a panic.
    PanicMachinery,
    /// Code that turns addresses into names for backtraces.
    BacktraceSymbolizer,
    /// The standard library's code to turn values into text.
    FormattingMachinery,
    /// Implementations of traits that `derive` can write.
    DerivableImpls,
    /// Bodies of `async` functions and blocks.
    AsyncBodies,
    /// Code that drops values.
    DropGlue,
    /// Tables of functions behind `dyn Trait`.
    Vtables,
    /// Copies of generic functions beyond the largest of each.
    GenericCopies,
    /// Text.
    StringLiterals,
    /// Other constants.
    Tables,
    /// The rest of what the standard library defines.
    StandardLibrary,
    /// The rest of what packages of others define.
    DependencyCode,
    /// The rest of what the user's own packages define.
    OwnCode,
    /// Code and variables that are not Rust's.
    CCode,
    /// What linker and format add for the whole file.
    Structure,
    /// Nobody knows.
    Unknown,
}

impl Cause {
    /// All causes, in the order of the rules.
    pub const ALL: [Self; 22] = [
        Self::DebugInfo,
        Self::SymbolNames,
        Self::Alignment,
        Self::DynamicRelocations,
        Self::Unwinding,
        Self::PanicMessages,
        Self::PanicMachinery,
        Self::BacktraceSymbolizer,
        Self::FormattingMachinery,
        Self::DerivableImpls,
        Self::AsyncBodies,
        Self::DropGlue,
        Self::Vtables,
        Self::GenericCopies,
        Self::StringLiterals,
        Self::Tables,
        Self::StandardLibrary,
        Self::DependencyCode,
        Self::OwnCode,
        Self::CCode,
        Self::Structure,
        Self::Unknown,
    ];

    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DebugInfo => "debug info",
            Self::SymbolNames => "symbol names",
            Self::Alignment => "alignment",
            Self::DynamicRelocations => "dynamic relocations",
            Self::Unwinding => "unwinding",
            Self::PanicMessages => "panic messages and locations",
            Self::PanicMachinery => "panic machinery",
            Self::BacktraceSymbolizer => "backtrace symbolizer",
            Self::FormattingMachinery => "formatting machinery",
            Self::DerivableImpls => "impls of derivable traits",
            Self::AsyncBodies => "async bodies",
            Self::DropGlue => "drop glue",
            Self::Vtables => "vtables",
            Self::GenericCopies => "generic copies beyond the largest",
            Self::StringLiterals => "string literals",
            Self::Tables => "lookup tables and other constants",
            Self::StandardLibrary => "standard library",
            Self::DependencyCode => "dependency code",
            Self::OwnCode => "own code",
            Self::CCode => "C code",
            Self::Structure => "(structure)",
            Self::Unknown => "(unknown)",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! The axes along which a ledger can be summed up.

use std::fmt;
use std::str::FromStr;

/// A question that each byte of the file answers. Every axis sums to the same total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Axis {
    /// What the bytes are: code, constants, unwind tables, …
    Kind,
    /// The member of an archive or universal file; a file of one member has one value here.
    Member,
    /// What the loader maps.
    Segment,
    /// What the linker arranged.
    Section,
    /// The package whose source defines the item.
    Crate,
    /// The package whose codegen unit emitted the item; for a generic function, the one that instantiated it.
    CompiledIn,
    /// The module in which the item is defined.
    Module,
    /// The item itself, with its generic arguments.
    Function,
    /// The item without its generic arguments: all its monomorphizations together.
    Generic,
    /// Why such bytes exist.
    Cause,
}

impl Axis {
    /// All axes, in the order of the documentation.
    pub const ALL: [Self; 10] = [
        Self::Kind,
        Self::Member,
        Self::Segment,
        Self::Section,
        Self::Crate,
        Self::CompiledIn,
        Self::Module,
        Self::Function,
        Self::Generic,
        Self::Cause,
    ];

    /// The name used on the command line and as a key in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Member => "member",
            Self::Segment => "segment",
            Self::Section => "section",
            Self::Crate => "crate",
            Self::CompiledIn => "compiled-in",
            Self::Module => "module",
            Self::Function => "function",
            Self::Generic => "generic",
            Self::Cause => "cause",
        }
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no axis.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown axis `{name}`; the axes are {}", known_names())]
pub struct UnknownAxis {
    /// The name.
    pub name: String,
}

fn known_names() -> String {
    Axis::ALL.map(Axis::name).join(", ")
}

impl FromStr for Axis {
    type Err = UnknownAxis;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|axis| axis.name() == name)
            .ok_or_else(|| UnknownAxis {
                name: name.to_owned(),
            })
    }
}

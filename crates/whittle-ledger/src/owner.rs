//! Who owns bytes: an item, several items together, the file's structure, padding, or nobody that is known.

use whittle_image::Place;

use crate::certainty::{Certainty, Source};
use crate::crates::CrateId;

/// Who owns a span of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    /// One item.
    Item(ItemId),
    /// Several items, each of which would keep the bytes.
    Shared(SharedId),
    /// The file as a whole: what linker and format add.
    Structure(Structure),
    /// Nobody: bytes between things.
    Padding,
    /// Nothing explains these bytes.
    Unknown,
}

/// The number of an item in [`Ledger::items`](crate::Ledger::items).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ItemId(pub(crate) u32);

/// The number of a set of owners in the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SharedId(pub(crate) u32);

impl ItemId {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(crate) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl SharedId {
    pub(crate) fn new(index: usize) -> Self {
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }

    pub(crate) fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// What linker and format add for the whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Structure {
    /// The file header, the tables of segments and of sections, the names of sections.
    Headers,
    /// What the dynamic loader reads and that names nothing of its own.
    DynamicLinking,
    /// Address slots and stubs that serve the loader itself.
    Linkage,
    /// Relocation entries that patch the file's structure.
    Relocations,
    /// What unwind entries have in common, and the frame of their tables.
    Unwinding,
    /// Entries of symbol tables that name sections and other structure.
    Symbols,
    /// Names that no symbol uses.
    NamePool,
    /// Debug info that many units share.
    DebugPool,
    /// Notes and build facts.
    Notes,
    /// What a compiler keeps about a library for those that use it.
    Metadata,
    /// Icons, manifests, version resources.
    Resources,
    /// A code signature.
    Signature,
}

impl Structure {
    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Headers => "headers",
            Self::DynamicLinking => "dynamic linking",
            Self::Linkage => "linkage",
            Self::Relocations => "relocations",
            Self::Unwinding => "unwinding",
            Self::Symbols => "symbols",
            Self::NamePool => "name pool",
            Self::DebugPool => "debug pool",
            Self::Notes => "notes",
            Self::Metadata => "compiler metadata",
            Self::Resources => "resources",
            Self::Signature => "signature",
        }
    }
}

/// Something with a place of its own: a function, a constant, a variable, an import, a unit of debug info.
#[derive(Debug, Clone)]
pub struct Item<'data> {
    /// What it is.
    pub kind: ItemKind,
    /// Its name as the file spells it, mangled; empty if nothing names it.
    pub name: &'data [u8],
    /// Other names of the same bytes, in ascending order: the linker folded equal functions, or the source gave several.
    pub aliases: Vec<&'data [u8]>,
    /// Where it is, if it is in this file and loaded.
    pub place: Option<Place>,
    /// How many bytes it has there.
    pub len: u64,
    /// The crate whose source defines it.
    pub defined_in: Attribution,
    /// The crate whose codegen unit emitted it.
    pub compiled_in: Attribution,
}

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ItemKind {
    /// A function.
    Function,
    /// A constant or variable with a name.
    Data,
    /// A constant that no source names.
    Constant,
    /// A constant that people can read: a string literal, a template of `format!`.
    Text,
    /// The place in the sources that a panic names.
    Location,
    /// The name of a source file, to which panic locations lead.
    SourceFile,
    /// The functions of a type behind `dyn Trait`.
    VTable,
    /// Something of another file, named here.
    Import,
    /// A unit of debug info, or the unit that a symbol table lists symbols under.
    Unit,
}

impl ItemKind {
    /// Whether it is data of this file: named or not, constant or variable.
    #[must_use]
    pub fn is_data(self) -> bool {
        match self {
            Self::Data
            | Self::Constant
            | Self::Text
            | Self::Location
            | Self::SourceFile
            | Self::VTable => true,
            Self::Function | Self::Import | Self::Unit => false,
        }
    }
}

/// A crate, and how it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Attribution {
    /// The crate.
    pub value: CrateId,
    /// How sure that is.
    pub certainty: Certainty,
    /// What it rests on.
    pub source: Source,
}

impl Attribution {
    /// Nothing is known.
    pub const UNKNOWN: Self = Self {
        value: CrateId::UNKNOWN,
        certainty: Certainty::Unknown,
        source: Source::None,
    };

    pub(crate) fn exact(value: CrateId, source: Source) -> Self {
        Self {
            value,
            certainty: Certainty::Exact,
            source,
        }
    }

    pub(crate) fn inferred(value: CrateId, source: Source) -> Self {
        Self {
            value,
            certainty: Certainty::Inferred,
            source,
        }
    }

    /// Whether a crate is known, for sure or not.
    #[must_use]
    pub fn is_known(self) -> bool {
        self.certainty != Certainty::Unknown
    }
}

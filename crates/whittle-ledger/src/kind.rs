//! What bytes are, in a list that all formats share.

use std::fmt;

use whittle_image::SectionRole;

/// What bytes are. The list is closed: new formats sort their bytes into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Instructions, stubs to functions of other files included.
    Code,
    /// Constants.
    ReadOnlyData,
    /// Constants that hold addresses, which the loader fills in.
    RelocatedReadOnlyData,
    /// Variables.
    WritableData,
    /// Variables of which each thread has its own.
    ThreadLocalData,
    /// How to unwind the stack.
    UnwindTables,
    /// What runs when a call unwinds.
    ExceptionTables,
    /// Patches that the loader applies.
    Relocations,
    /// Symbols that only tools read, and their names.
    SymbolNames,
    /// What the dynamic loader reads, and the slots it fills.
    DynamicLinking,
    /// For debuggers.
    DebugInfo,
    /// Notes and facts on the build.
    Notes,
    /// What a compiler keeps about a library for those that use it.
    CompilerMetadata,
    /// Icons, manifests, version resources.
    Resources,
    /// A code signature.
    Signature,
    /// The format's own headers and names.
    Headers,
    /// Bytes between things, to align what follows.
    Padding,
    /// Anything else.
    Other,
}

impl Kind {
    /// All kinds, in the order of the documentation.
    pub const ALL: [Self; 18] = [
        Self::Code,
        Self::ReadOnlyData,
        Self::RelocatedReadOnlyData,
        Self::WritableData,
        Self::ThreadLocalData,
        Self::UnwindTables,
        Self::ExceptionTables,
        Self::Relocations,
        Self::SymbolNames,
        Self::DynamicLinking,
        Self::DebugInfo,
        Self::Notes,
        Self::CompilerMetadata,
        Self::Resources,
        Self::Signature,
        Self::Headers,
        Self::Padding,
        Self::Other,
    ];

    /// The name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::ReadOnlyData => "read-only data",
            Self::RelocatedReadOnlyData => "relocated read-only data",
            Self::WritableData => "writable data",
            Self::ThreadLocalData => "thread-local data",
            Self::UnwindTables => "unwind tables",
            Self::ExceptionTables => "exception tables",
            Self::Relocations => "relocations",
            Self::SymbolNames => "symbol names",
            Self::DynamicLinking => "dynamic linking",
            Self::DebugInfo => "debug info",
            Self::Notes => "notes and build facts",
            Self::CompilerMetadata => "compiler metadata",
            Self::Resources => "resources",
            Self::Signature => "signature",
            Self::Headers => "headers",
            Self::Padding => "padding",
            Self::Other => "other",
        }
    }

    /// The kind of the bytes of a section that is for `role`.
    #[must_use]
    pub fn of_role(role: SectionRole) -> Self {
        match role {
            SectionRole::Code | SectionRole::Stubs => Self::Code,
            SectionRole::ReadOnlyData => Self::ReadOnlyData,
            SectionRole::RelocatedReadOnlyData => Self::RelocatedReadOnlyData,
            SectionRole::WritableData => Self::WritableData,
            SectionRole::ThreadLocalData => Self::ThreadLocalData,
            SectionRole::UnwindTable | SectionRole::UnwindIndex => Self::UnwindTables,
            SectionRole::ExceptionTable => Self::ExceptionTables,
            SectionRole::Relocations => Self::Relocations,
            SectionRole::Symbols | SectionRole::SymbolNames => Self::SymbolNames,
            SectionRole::DynamicLinking | SectionRole::AddressSlots => Self::DynamicLinking,
            SectionRole::Debug => Self::DebugInfo,
            SectionRole::Notes => Self::Notes,
            SectionRole::CompilerMetadata => Self::CompilerMetadata,
            SectionRole::Resources => Self::Resources,
            SectionRole::Signature => Self::Signature,
            SectionRole::FileStructure => Self::Headers,
            _ => Self::Other,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

//! How much of the code was read, and how.

/// How much of the code was read, and how: what a user must know to trust an absent reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// How the code was read.
    pub method: Method,
    /// The bytes of the sections of code. Stubs are not among them.
    pub code: CodeBytes,
}

/// How references were found in code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// Not at all: the instructions of this processor are not known here. Only data has references.
    #[default]
    Unread,
    /// By decoding the instructions.
    Decoded,
    /// By decoding the instructions and by the relocations for them (object files).
    DecodedWithRelocations,
    /// By the relocations for the instructions alone (object files). References without relocations are lost: those to
    /// the same section.
    Relocations,
}

impl Method {
    /// Of two methods the one that finds less.
    pub(crate) fn poorer(self, other: Self) -> Self {
        let rank = |method| match method {
            Self::Decoded => 0,
            Self::DecodedWithRelocations => 1,
            Self::Relocations => 2,
            Self::Unread => 3,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

/// Bytes of code, by what was made of them. The first three add up to all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CodeBytes {
    /// Bytes of known functions.
    pub functions: u64,
    /// Bytes that no function claims: padding, or code without symbols and unwind entries, or data. Read as code; what
    /// is found there is inferred.
    pub unclaimed: u64,
    /// Bytes that symbols say are data. Not read as code.
    pub data: u64,
    /// Of the first two: bytes behind something that is no instruction, up to where something starts again. Not read.
    pub skipped: u64,
    /// How many operands of instructions lead to no place of the file where they could lead: data read as code.
    pub leading_nowhere: u64,
}

impl CodeBytes {
    pub(crate) fn add(&mut self, other: Self) {
        self.functions += other.functions;
        self.unclaimed += other.unclaimed;
        self.data += other.data;
        self.skipped += other.skipped;
        self.leading_nowhere += other.leading_nowhere;
    }

    pub(crate) fn leads_nowhere(&mut self) {
        self.leading_nowhere += 1;
    }
}

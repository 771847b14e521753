//! What can be wrong with a file: too wrong to read ([`ImageError`]) or wrong in a part ([`Warning`]).

use std::fmt;

/// Why a file cannot be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImageError {
    /// There are no bytes.
    #[error("the file is empty")]
    Empty,
    /// The bytes are not an executable, library or object file of a format that is read.
    #[error("not an executable, library or object file: {recognised}")]
    UnknownFormat {
        /// What the file looks like instead.
        recognised: Lookalike,
    },
    /// A table that the file cannot be read without lies (in part) past the end of the file.
    #[error(
        "the {table} at {offset:#x} is {len:#x} bytes long and ends past the end of the file ({file_len:#x})"
    )]
    PastEnd {
        /// The table's name in the format's terms.
        table: &'static str,
        /// Where the file says it starts.
        offset: u64,
        /// How long the file says it is, in bytes.
        len: u64,
        /// How long the file is, in bytes.
        file_len: u64,
    },
    /// A field holds a value that the format does not allow.
    #[error("malformed {table} at {offset:#x}: {reason}")]
    Malformed {
        /// The table's name in the format's terms.
        table: &'static str,
        /// The table's position in the file.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A compressed section cannot be expanded.
    #[error("cannot expand the compressed section `{section}`: {reason}")]
    Compression {
        /// The section's name.
        section: String,
        /// What is wrong.
        reason: String,
    },
}

/// What a file that is not read looks like, to say so instead of "bad magic".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lookalike {
    /// Text, such as a script or a linker script.
    Text,
    /// A thin archive: a list of files that are elsewhere.
    ThinArchive,
    /// A big archive, the form of AIX.
    BigArchive,
    /// Java bytecode, which has the magic number of universal Mach-O files.
    Java,
    /// LLVM bitcode.
    Bitcode,
    /// Compressed data (gzip, xz, zstd, zip).
    Compressed,
    /// Nothing known.
    Unknown,
}

impl Lookalike {
    /// Guesses from the first bytes what a file is.
    #[must_use]
    pub fn of(data: &[u8]) -> Self {
        let starts = |magic: &[u8]| data.starts_with(magic);
        if starts(b"\xca\xfe\xba\xbe") {
            Self::Java
        } else if starts(b"!<thin>\n") {
            Self::ThinArchive
        } else if starts(b"<bigaf>\n") {
            Self::BigArchive
        } else if starts(b"BC\xc0\xde") || starts(b"\xde\xc0\x17\x0b") {
            Self::Bitcode
        } else if starts(b"\x1f\x8b")
            || starts(b"\xfd7zXZ")
            || starts(b"\x28\xb5\x2f\xfd")
            || starts(b"PK\x03\x04")
        {
            Self::Compressed
        } else if data
            .iter()
            .take(512)
            .all(|&byte| byte == b'\t' || byte == b'\n' || byte == b'\r' || byte >= 0x20)
        {
            Self::Text
        } else {
            Self::Unknown
        }
    }
}

impl fmt::Display for Lookalike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "it looks like text",
            Self::ThinArchive => {
                "it is a thin archive, a list of object files that stand elsewhere (`ar t` lists them)"
            }
            Self::BigArchive => "it is an archive in the form of AIX, which is not read",
            Self::Java => "it looks like Java bytecode",
            Self::Bitcode => "it looks like LLVM bitcode, which has no machine code to account for",
            Self::Compressed => "it looks like compressed data: unpack it first",
            Self::Unknown => "its first bytes are of no format that is known here",
        })
    }
}

/// A part of the file that could not be read as it claims to be. The rest is still accounted for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The table or section the trouble is in.
    pub table: String,
    /// Where in it, in bytes from its start, or the number of the entry, as `message` says.
    pub at: Option<u64>,
    /// What is wrong and what was done about it. Lower case, no full stop.
    pub message: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`", self.table)?;
        if let Some(at) = self.at {
            write!(f, " at {at:#x}")?;
        }
        write!(f, ": {}", self.message)
    }
}

/// Warnings in the order they arose, with a bound: a hostile file must not fill memory with complaints.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Warnings {
    list: Vec<Warning>,
    suppressed: u64,
}

impl Warnings {
    /// How many are kept; the rest is counted.
    pub const MAX_KEPT: usize = 64;

    /// Adds one, or counts it when there are [`Self::MAX_KEPT`] already.
    pub fn push(&mut self, table: impl Into<String>, at: Option<u64>, message: impl Into<String>) {
        if self.list.len() < Self::MAX_KEPT {
            self.list.push(Warning {
                table: table.into(),
                at,
                message: message.into(),
            });
        } else {
            self.suppressed += 1;
        }
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: &Self) {
        for warning in &other.list {
            self.push(warning.table.clone(), warning.at, warning.message.clone());
        }
        self.suppressed += other.suppressed;
    }

    /// Adds those of a member of a container.
    pub(crate) fn extend_of_member(&mut self, of_member: &Self, name: &str) {
        for warning in &of_member.list {
            let table = format!("{name}: {}", warning.table);
            self.push(table, warning.at, warning.message.clone());
        }
        self.suppressed += of_member.suppressed;
    }

    /// Those that were kept, oldest first.
    #[must_use]
    pub fn list(&self) -> &[Warning] {
        &self.list
    }

    /// How many more there were.
    #[must_use]
    pub fn suppressed(&self) -> u64 {
        self.suppressed
    }
}

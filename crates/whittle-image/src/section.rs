//! Sections and segments: what the linker arranged, and what the loader maps.

use std::borrow::Cow;
use std::io::Read as _;

use crate::error::ImageError;
use crate::place::{FileRange, SectionIndex};

/// A named part of the file, as the linker arranged it.
///
/// A file without a section table gets one section for each loaded segment, so that every byte that is loaded has a
/// place; such a section's name is in parentheses.
#[derive(Debug, Clone)]
pub struct Section<'data> {
    /// Its number in [`Image::sections`](crate::Image::sections); in ELF, the number in the section header table.
    pub index: SectionIndex,
    /// Its name; bytes that are not UTF-8 are replaced.
    pub name: Cow<'data, str>,
    /// Where it is in memory, before the loader moves it. 0 in object files and for sections that are not loaded.
    pub address: u64,
    /// Bytes it has for the program: after decompression, and with zero fill that the file does not store.
    pub size: u64,
    /// Where the file stores it, clipped to the file; nothing for zero fill. Differs from `size` when compressed.
    pub file_range: Option<FileRange>,
    /// The alignment it asks for, in bytes; at least 1.
    pub align: u64,
    /// What the loader does with it.
    pub access: Access,
    /// What it is for, in terms that all formats share.
    pub role: SectionRole,
    /// How its stored bytes are packed.
    pub compression: Compression,
    /// The stored bytes.
    pub(crate) stored: &'data [u8],
}

/// What the loader does with a section or segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "these are the independent permission bits of the format"
)]
pub struct Access {
    /// It is mapped into memory.
    pub loaded: bool,
    /// The program may write it.
    pub writable: bool,
    /// It holds instructions.
    pub executable: bool,
    /// Each thread has its own copy.
    pub thread_local: bool,
}

/// What a section is for, in terms that all formats share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum SectionRole {
    /// Instructions.
    Code,
    /// Stubs through which functions of other files are called (PLT).
    Stubs,
    /// Constants.
    ReadOnlyData,
    /// Constants that hold addresses: written once by the loader, then sealed.
    RelocatedReadOnlyData,
    /// Variables, with or without stored initial values.
    WritableData,
    /// Variables of which each thread has its own.
    ThreadLocalData,
    /// Slots that hold addresses for code (GOT).
    AddressSlots,
    /// Entries that say how to unwind the stack (`.eh_frame`).
    UnwindTable,
    /// A search table over them (`.eh_frame_hdr`, `.ARM.exidx`).
    UnwindIndex,
    /// Which code runs when a call unwinds (`.gcc_except_table`).
    ExceptionTable,
    /// Patches that linker or loader apply.
    Relocations,
    /// A symbol table that only tools read.
    Symbols,
    /// Names for such a table.
    SymbolNames,
    /// What the dynamic loader reads: its symbols, names, hashes, versions, the dynamic section, its own path.
    DynamicLinking,
    /// For debuggers.
    Debug,
    /// Notes: build-id, compiler versions, audit data.
    Notes,
    /// Names of the sections themselves, groups, and other parts of the file's own structure.
    FileStructure,
    /// Anything else.
    Other,
}

/// How a section's stored bytes are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// Stored as they are.
    None,
    /// Deflate with a zlib header, after `header` bytes of the format's own.
    Zlib {
        /// Bytes before the compressed data.
        header: u64,
    },
    /// Zstandard, after `header` bytes of the format's own.
    Zstd {
        /// Bytes before the compressed data.
        header: u64,
    },
}

/// A range that the loader maps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its number in the format's own table.
    pub number: u32,
    /// Its address in memory, before the loader moves it.
    pub address: u64,
    /// Its size in memory, in bytes.
    pub memory_size: u64,
    /// The bytes of the file that are mapped, clipped to the file.
    pub file_range: FileRange,
    /// Permissions.
    pub access: Access,
}

/// No zlib stream expands to more than this many times its size (1032 : 1, zlib's own technical details).
const MAX_ZLIB_RATIO: u64 = 1032;

/// Zstandard has no such bound, so one is set: real debug info compresses 3 to 8 times.
const MAX_ZSTD_RATIO: u64 = 4096;

impl<'data> Section<'data> {
    /// The bytes as stored in the file; empty for zero fill.
    #[must_use]
    pub fn stored(&self) -> &'data [u8] {
        self.stored
    }

    /// The bytes as the program sees them, expanded if they are stored compressed; empty for zero fill.
    ///
    /// Shorter than `size` if the file is cut off.
    ///
    /// # Errors
    /// [`ImageError::Compression`] if they cannot be expanded to exactly the size they claim.
    pub fn contents(&self) -> Result<Cow<'data, [u8]>, ImageError> {
        let (header, expand): (u64, fn(&[u8], &mut Vec<u8>, u64) -> Result<(), String>) =
            match self.compression {
                Compression::None => return Ok(Cow::Borrowed(self.stored)),
                Compression::Zlib { header } => (header, |packed, out, limit| {
                    flate2::read::ZlibDecoder::new(packed)
                        .take(limit)
                        .read_to_end(out)
                        .map(drop)
                        .map_err(|error| error.to_string())
                }),
                Compression::Zstd { header } => (header, |packed, out, limit| {
                    ruzstd::decoding::StreamingDecoder::new(packed)
                        .map_err(|error| error.to_string())?
                        .take(limit)
                        .read_to_end(out)
                        .map(drop)
                        .map_err(|error| error.to_string())
                }),
            };
        let fail = |reason: String| ImageError::Compression {
            section: self.name.to_string(),
            reason,
        };
        let packed = usize::try_from(header)
            .ok()
            .and_then(|header| self.stored.get(header..))
            .unwrap_or_default();
        let mut contents = Vec::new();
        // One byte more than promised tells a stream that is longer than it says.
        expand(packed, &mut contents, self.size.saturating_add(1)).map_err(fail)?;
        let len = u64::try_from(contents.len()).unwrap_or(u64::MAX);
        if len != self.size {
            return Err(fail(format!("it should expand to {} bytes", self.size)));
        }
        Ok(Cow::Owned(contents))
    }

    /// The alignment padding that may stand before it is shorter than this many bytes.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }
}

impl Compression {
    /// Whether `packed` bytes can expand to `size` bytes; more is a trap, not a file.
    pub(crate) fn can_expand_to(self, packed: u64, size: u64) -> bool {
        let ratio = match self {
            Self::None => 1,
            Self::Zlib { .. } => MAX_ZLIB_RATIO,
            Self::Zstd { .. } => MAX_ZSTD_RATIO,
        };
        size <= packed.saturating_mul(ratio).saturating_add(64)
    }
}

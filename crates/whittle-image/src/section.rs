//! Sections and segments: what the linker arranged, and what the loader maps.

use std::borrow::Cow;
use std::fmt;
use std::io::Read as _;

use crate::error::ImageError;
use crate::place::{FileRange, SectionIndex};

/// A named part of the file, as the linker arranged it.
///
/// A file without a section table gets one section for each loaded segment, so that every byte that is loaded has a
/// place; such a section's name is in parentheses.
#[derive(Clone)]
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
    /// What it takes for a linker that leaves out what is not used to keep its contents.
    pub retention: Retention,
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
    /// What a compiler keeps about a library for those that use it: rustc's metadata, LLVM bitcode.
    CompilerMetadata,
    /// Icons, manifests, version resources.
    Resources,
    /// A code signature.
    Signature,
    /// Names of the sections themselves, groups, and other parts of the file's own structure.
    FileStructure,
    /// Anything else.
    Other,
}

/// What it takes for a linker that leaves out what is not used (`--gc-sections`) to keep the contents of a section.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retention {
    /// Each part of it stays if something mentions that part.
    IfMentioned,
    /// All of it stays if something mentions its start or its end: programs walk through such tables.
    Together,
    /// It stays in any case: what runs before and after the program, and notes.
    Always,
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

/// Debug info compresses 3 to 8 times, tables of equal entries somewhat better.
const MAX_EXPANSION: u64 = 32;

/// What a section may expand to however little is stored: small enough to do no harm.
const SMALL_EXPANSION: u64 = 64 << 20;

impl<'data> Section<'data> {
    /// The bytes as stored in the file; empty for zero fill.
    #[must_use]
    pub fn stored(&self) -> &'data [u8] {
        self.stored
    }

    /// The bytes as the program sees them, expanded if they are stored compressed; empty for zero fill.
    ///
    /// Never longer than `size`, and never longer than 32 times what is stored or 64 MiB, whichever is more: sections
    /// that claim to expand further are read as stored, with a warning.
    ///
    /// # Errors
    /// [`ImageError::Compression`] if they cannot be expanded to exactly the size they claim.
    pub fn contents(&self) -> Result<Cow<'data, [u8]>, ImageError> {
        let (header, expand): (u64, Expand) = match self.compression {
            Compression::None => return Ok(Cow::Borrowed(self.stored)),
            Compression::Zlib { header } => (header, expand_zlib),
            Compression::Zstd { header } => (header, expand_zstd),
        };
        let packed = usize::try_from(header)
            .ok()
            .and_then(|header| self.stored.get(header..))
            .unwrap_or_default();
        usize::try_from(self.size)
            .map_err(|error| error.to_string())
            .and_then(|size| expand(packed, size))
            .map(Cow::Owned)
            .map_err(|reason| ImageError::Compression {
                section: self.name.to_string(),
                reason,
            })
    }

    /// Where it ends in memory: the address of the first byte behind it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }
}

/// Without the stored bytes, which would fill pages.
impl fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Section")
            .field("index", &self.index)
            .field("name", &self.name)
            .field("address", &self.address)
            .field("size", &self.size)
            .field("file_range", &self.file_range)
            .field("align", &self.align)
            .field("access", &self.access)
            .field("role", &self.role)
            .field("compression", &self.compression)
            .finish_non_exhaustive()
    }
}

/// Expands compressed bytes to exactly so many.
type Expand = fn(&[u8], usize) -> Result<Vec<u8>, String>;

fn expand_zlib(packed: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let mut contents = Vec::new();
    // One byte more than promised tells a stream that is longer than it says.
    let limit = u64::try_from(size).unwrap_or(u64::MAX).saturating_add(1);
    flate2::read::ZlibDecoder::new(packed)
        .take(limit)
        .read_to_end(&mut contents)
        .map_err(|error| error.to_string())?;
    check_len(contents.len(), size)?;
    Ok(contents)
}

/// Linkers that compress in parallel write one frame after another (mold does).
fn expand_zstd(packed: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let mut contents = vec![0; size];
    let len = ruzstd::decoding::FrameDecoder::new()
        .decode_all(packed, &mut contents)
        .map_err(|error| error.to_string())?;
    check_len(len, size)?;
    Ok(contents)
}

fn check_len(len: usize, promised: usize) -> Result<(), String> {
    if len == promised {
        Ok(())
    } else {
        Err(format!("it does not expand to {promised} bytes"))
    }
}

impl Compression {
    /// Whether `packed` bytes may expand to `size` bytes; more is a trap, not a file.
    pub(crate) fn can_expand_to(self, packed: u64, size: u64) -> bool {
        match self {
            Self::None => size == packed,
            Self::Zlib { .. } | Self::Zstd { .. } => size <= Self::largest_expansion(packed),
        }
    }

    /// What `packed` bytes may expand to at most.
    pub(crate) fn largest_expansion(packed: u64) -> u64 {
        packed.saturating_mul(MAX_EXPANSION).max(SMALL_EXPANSION)
    }
}

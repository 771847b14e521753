//! What an executable file says about itself: sections, segments, symbols, relocations, unwind entries, exception
//! tables, debug units and build facts, in terms that all object formats share.
//!
//! [`Image::parse`] takes the bytes of a file and returns an [`Image`] that borrows them. Nothing is interpreted here:
//! no owner, no crate, no Rust. Positions are [`Place`]s (a section and an offset in it), since object files have
//! every section at address 0.
//!
//! The bytes may be hostile. A file that cannot be followed at all gives an [`ImageError`] with the table and the
//! offset; a file that is damaged in parts gives an image with [`Warnings`]. Nothing here reads files or the clock.
//!
//! | module | what it holds |
//! |---|---|
//! | [`Image`] | the whole: look up places and addresses |
//! | `elf`, `macho`, `pe`, `coff`, `wasm` | the readers, one for each format |
//! | [`Member`] | what a container holds: an archive, a universal file |
//! | `archive`, `universal` | the readers of containers |
//! | [`DebugFile`] | what was stripped from a file, for debuggers |
//! | [`archive_exports`], [`archive_members`] | what can be linked to in a static library, and what is in it |
//! | [`link_map`] | the linker's own record of what it put where |

mod archive;
mod audit;
mod coff;
mod container;
mod debug;
mod debug_file;
mod description;
mod dwarf;
mod elf;
mod error;
mod facts;
mod image;
pub mod link_map;
mod macho;
mod pe;
mod place;
mod relocation;
mod section;
mod symbol;
mod universal;
mod unwind;
mod wasm;

pub use archive::{ArchiveError, archive_exports, archive_members};
pub use audit::AuditedPackage;
pub use container::{Member, Part, PartPath};
pub use debug::DebugUnit;
pub use debug_file::{DebugFile, DebugFileError, Which};
pub use description::{Description, FunctionExtent, Link};
pub use error::{ImageError, Lookalike, Warning, Warnings};
pub use facts::BuildFacts;
pub use image::{Endianness, FileKind, Format, Header, Image, Stub, Target};
pub use place::{Address, FileOffset, FileRange, Place, SectionIndex};
pub use relocation::{
    Relocation, RelocationEncoding, RelocationKind, RelocationTable, RelocationTarget,
};
pub use section::{Access, Compression, Retention, Section, SectionRole, Segment};
pub use symbol::{Binding, Symbol, SymbolKind, SymbolTable, SymbolTableRole};
pub use unwind::{Described, ExceptionTable, UnwindEntry, UnwindIndex, UnwindTable};
pub use wasm::{FunctionTable, FunctionType, IndexSpaces};

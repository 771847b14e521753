//! Relocations: patches that the linker or the loader applies at a place.

use crate::image::Image;
use crate::place::{Place, SectionIndex};

/// One table of relocations.
#[derive(Debug, Clone)]
pub struct RelocationTable {
    /// The section that holds the entries.
    pub section: SectionIndex,
    /// How the entries are written.
    pub encoding: RelocationEncoding,
    /// The size of one entry, in bytes.
    pub entry_size: u64,
    /// The table of symbols that entries refer to: an index into [`Image::symbol_tables`](crate::Image::symbol_tables).
    pub symbols: Option<usize>,
    /// The relocations, in the order of the file. With [`RelocationEncoding::Packed`] several can share an entry.
    pub relocations: Vec<Relocation>,
}

/// How the entries of a relocation table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelocationEncoding {
    /// The addend stands in the entry (`RELA`).
    WithAddend,
    /// The addend stands at the patched place (`REL`).
    AddendInPlace,
    /// Entries have no bytes of their own: opcodes of which one stands for many, or chains through the patched words
    /// (Mach-O).
    Elsewhere,
    /// Relative relocations only: an address, then bitmaps of the words that follow it (`RELR`).
    Packed,
}

/// One patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relocation {
    /// Where its entry starts, in bytes from the start of the table's section.
    pub entry: u64,
    /// The place that is patched, if it lies in a section.
    pub patched: Option<Place>,
    /// What is written there.
    pub kind: RelocationKind,
    /// What it refers to.
    pub target: RelocationTarget,
}

/// What a relocation writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RelocationKind {
    /// The load address plus a number: a pointer into this file.
    Relative,
    /// What a function of this file returns (an indirect function's resolver).
    IndirectRelative,
    /// The address of a symbol, into a slot for data references.
    Slot,
    /// The address of a symbol, into a slot for calls.
    JumpSlot,
    /// Something of thread-local storage: an offset or module number, not an address.
    ThreadLocal,
    /// A copy of another file's variable.
    Copy,
    /// Nothing: the entry is left over, or keeps the symbol it names in the file.
    Nothing,
    /// Anything else.
    Other,
}

/// What a relocation refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelocationTarget {
    /// An address in this file, before the loader moves it.
    Address(u64),
    /// The entry of that number in the table of symbols, plus an addend.
    Symbol {
        /// The number of the symbol.
        index: u32,
        /// Added to the symbol's address. Where the addend stands at the patched place it is read from there if it is
        /// a plain number, and 0 if it is part of an instruction.
        addend: i64,
    },
    /// A place of an object file that no symbol names, plus an addend.
    Place {
        /// The place.
        place: Place,
        /// Added to its offset.
        addend: i64,
    },
    /// Nothing.
    None,
}

/// The place that a relocation of an object file refers to.
pub(crate) fn place_of(
    image: &Image<'_>,
    table: &RelocationTable,
    target: RelocationTarget,
) -> Option<Place> {
    let (place, addend) = match target {
        RelocationTarget::Symbol { index, addend } => {
            let symbols = &image.symbol_tables.get(table.symbols?)?.symbols;
            (symbols.get(usize::try_from(index).ok()?)?.place?, addend)
        }
        RelocationTarget::Place { place, addend } => (place, addend),
        RelocationTarget::Address(_) | RelocationTarget::None => return None,
    };
    let offset = place.offset.checked_add_signed(addend)?;
    // An end may be named as well.
    let section = image.section(place.section)?;
    (offset <= section.size).then_some(Place { offset, ..place })
}

//! Symbols: names that the file gives to places.

use std::ops::Range;

use crate::place::{Place, SectionIndex};

/// One symbol table of the file.
#[derive(Debug, Clone)]
pub struct SymbolTable<'data> {
    /// Who reads it.
    pub role: SymbolTableRole,
    /// The section that holds the entries.
    pub section: SectionIndex,
    /// The section that holds the names.
    pub names: Option<SectionIndex>,
    /// The size of one entry, in bytes; 0 if entries have sizes of their own, which are in `ranges`.
    pub entry_size: u64,
    /// Where each entry stands, in bytes from the start of the section, if entries are not of one size.
    pub ranges: Vec<Range<u64>>,
    /// The entries, in the order of the file, the empty first one included.
    pub symbols: Vec<Symbol<'data>>,
    /// A table of versions beside it (`.gnu.version`): one entry of two bytes for each symbol.
    pub versions: Option<SectionIndex>,
}

impl SymbolTable<'_> {
    /// Where the entry of a symbol stands, in bytes from the start of the table's section. Where a symbol has no bytes
    /// of its own, the range is empty.
    #[must_use]
    pub fn entry(&self, index: usize) -> Range<u64> {
        if self.entry_size == 0 {
            return self.ranges.get(index).cloned().unwrap_or_default();
        }
        let start = u64::try_from(index)
            .unwrap_or(u64::MAX)
            .saturating_mul(self.entry_size);
        start..start.saturating_add(self.entry_size)
    }
}

/// Who reads a symbol table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SymbolTableRole {
    /// Tools only: debuggers, profilers, backtraces. Can be stripped.
    Static,
    /// The dynamic loader. Cannot be stripped.
    Dynamic,
}

/// A name for a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbol<'data> {
    /// The name as written, mangled; in Mach-O without the underscore that compilers put before each.
    pub name: &'data [u8],
    /// Where the name stands in the table's section of names; nothing if it stands in the entry itself.
    pub name_offset: Option<u64>,
    /// What it names.
    pub kind: SymbolKind,
    /// Who may refer to it.
    pub binding: Binding,
    /// Its address (in an object file: its offset in its section; for thread-local data: the offset in the template).
    pub address: u64,
    /// How many bytes it covers; 0 if the file does not say. Where symbols have no sizes (Mach-O, COFF) this is the
    /// length of the function that starts there, if the file has a table of functions.
    pub size: u64,
    /// Where it is, if it is defined here.
    pub place: Option<Place>,
    /// Whether it is defined in another file.
    pub undefined: bool,
}

/// What a symbol names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SymbolKind {
    /// A function.
    Function,
    /// A constant or variable.
    Data,
    /// A thread-local variable.
    ThreadLocal,
    /// A section.
    Section,
    /// The source or codegen unit from which the local symbols that follow it come.
    File,
    /// A mark that says what kind of bytes follow (`$a`, `$d`, `$t`, `$x` on ARM and RISC-V).
    Mapping,
    /// The file does not say.
    Unknown,
}

/// Who may refer to a symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Binding {
    /// Only the object it came from.
    Local,
    /// Every object.
    Global,
    /// Every object, and it yields to another of that name.
    Weak,
}

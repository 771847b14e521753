//! The image: everything a file says about itself, nothing interpreted.

use std::fmt;
use std::ops::Range;

use crate::archive::{self, import};
use crate::coff;
use crate::container::{MAX_DEPTH, Member};
use crate::debug::DebugUnit;
use crate::description::{Description, FunctionExtent, Link};
use crate::elf;
use crate::error::{ImageError, Lookalike, Warnings};
use crate::facts::BuildFacts;
use crate::macho;
use crate::pe;
use crate::place::{FileRange, Place, SectionIndex};
use crate::relocation::RelocationTable;
use crate::section::{Section, Segment};
use crate::symbol::{SymbolTable, SymbolTableRole};
use crate::universal;
use crate::unwind::{ExceptionTable, UnwindIndex, UnwindTable};
use crate::wasm::{self, IndexSpaces};

/// What a file says about itself.
///
/// It borrows the file's bytes. Nothing in it is anybody's yet: who owns which bytes is for the ledger to say.
#[derive(Clone)]
pub struct Image<'data> {
    /// The bytes of the whole file.
    pub data: &'data [u8],
    /// Format, machine and kind.
    pub target: Target,
    /// Where the format's own headers are stored, in ascending order.
    pub headers: Vec<Header>,
    /// All sections; [`SectionIndex`] counts in this list.
    pub sections: Vec<Section<'data>>,
    /// What the loader maps, in the order of the file.
    pub segments: Vec<Segment>,
    /// The template of thread-local storage: its address and its size in memory, in bytes.
    pub thread_local: Option<(u64, u64)>,
    /// Symbol tables, the static one first.
    pub symbol_tables: Vec<SymbolTable<'data>>,
    /// Relocation tables.
    pub relocation_tables: Vec<RelocationTable>,
    /// Tables of unwind entries.
    pub unwind_tables: Vec<UnwindTable>,
    /// Search tables over unwind entries.
    pub unwind_indexes: Vec<UnwindIndex>,
    /// Exception tables that unwind entries point at, in ascending order, each once.
    pub exception_tables: Vec<ExceptionTable>,
    /// Functions whose extent a table of the format itself says, in ascending order, disjoint: where symbols have no
    /// sizes, or there are none. Empty where symbols and unwind entries say as much.
    pub functions: Vec<FunctionExtent>,
    /// The numbers by which code of WebAssembly names things, one set for each module.
    pub index_spaces: Vec<IndexSpaces>,
    /// Bytes that describe others and are in none of the tables above.
    pub descriptions: Vec<Description>,
    /// What tables of the format lead to, where neither relocations nor unwind entries say so.
    pub links: Vec<Link>,
    /// Stubs and the address slot each jumps through.
    pub stubs: Vec<Stub>,
    /// Debug info by unit.
    pub debug_units: Vec<DebugUnit>,
    /// The files that it holds, if it is a container: an archive, or a universal file. Their sections and segments are
    /// among its own; all else that is said of them is in their own images. In ascending order of their sections.
    pub members: Vec<Member<'data>>,
    /// How it was built; of a container, what its members say together.
    pub facts: BuildFacts,
    /// Where execution starts, if it is a program.
    pub entry: Option<Place>,
    /// What could not be read as it claims to be.
    pub warnings: Warnings,
    addresses: AddressMap,
}

/// Format, machine and kind of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The object format.
    pub format: Format,
    /// The machine, by the name that target triples use where there is one (`x86_64`, `aarch64`, `powerpc64`).
    pub architecture: String,
    /// Bits of an address: 32 or 64.
    pub bits: u8,
    /// Byte order.
    pub endianness: Endianness,
    /// Program, library or object.
    pub kind: FileKind,
}

/// The format of an object file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// Executable and Linkable Format: Linux, the BSDs, bare metal.
    Elf,
    /// Mach-O: macOS, iOS.
    MachO,
    /// Portable Executable: Windows, UEFI.
    Pe,
    /// WebAssembly, modules and components.
    Wasm,
    /// An archive of object files (`.a`, `.lib`, `.rlib`), whatever the format of these.
    Archive,
}

impl Format {
    /// Whether a symbol says how many bytes it covers. In other formats it runs to whatever comes next.
    #[must_use]
    pub fn symbols_have_sizes(self) -> bool {
        match self {
            Self::Elf | Self::Wasm | Self::Archive => true,
            Self::MachO | Self::Pe => false,
        }
    }
}

/// Byte order of the numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endianness {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// Program, library or object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileKind {
    /// A program at a fixed address.
    Executable,
    /// A program that the loader may put anywhere.
    PositionIndependentExecutable,
    /// A shared library.
    SharedLibrary,
    /// An object file, still to be linked.
    Object,
    /// An archive of object files: a static library.
    Archive,
    /// One program or library for several processors.
    Universal,
    /// Something else, such as a core dump.
    Other,
}

impl FileKind {
    /// Whether it is one file that a linker made.
    #[must_use]
    pub fn is_linked(self) -> bool {
        !matches!(self, Self::Object | Self::Archive | Self::Universal)
    }

    /// Whether the file holds others.
    #[must_use]
    pub fn is_container(self) -> bool {
        matches!(self, Self::Archive | Self::Universal)
    }
}

/// A part of the file that belongs to the format itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Its name in the format's terms.
    pub name: &'static str,
    /// Where it is stored, clipped to the file.
    pub file_range: FileRange,
}

/// A few instructions that jump through an address slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stub {
    /// Where it starts.
    pub place: Place,
    /// How long it is, in bytes.
    pub len: u64,
    /// The slot it jumps through.
    pub slot: Place,
}

/// The magic numbers of Mach-O files for one processor: 32 and 64 bit, both byte orders.
const MACH_O: [&[u8; 4]; 4] = [
    b"\xfe\xed\xfa\xce",
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
];

impl<'data> Image<'data> {
    /// Reads what `data` says about itself.
    ///
    /// A file whose headers can be followed is read even if parts of it are damaged: what is wrong is in
    /// [`Image::warnings`], and the tables that can be read are there.
    ///
    /// # Errors
    /// [`ImageError`] if the bytes are empty, of no format that is read, or if the header tables themselves cannot be
    /// followed; the error names the table and its position.
    ///
    /// # Examples
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let bytes = std::fs::read(std::env::current_exe()?)?;
    /// # if bytes.starts_with(b"\x7fELF") {
    /// let image = whittle_image::Image::parse(&bytes)?;
    /// for section in &image.sections {
    ///     println!("{:20} {:10} bytes", section.name, section.size);
    /// }
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn parse(data: &'data [u8]) -> Result<Self, ImageError> {
        Self::parse_at_depth(data, 0)
    }

    /// The same for what stands at some depth in containers: a universal file is in nothing, an archive at most in one.
    pub(crate) fn parse_at_depth(data: &'data [u8], depth: usize) -> Result<Self, ImageError> {
        if data.is_empty() {
            return Err(ImageError::Empty);
        }
        if depth == 0 && universal::is_universal(data) {
            return universal::parse(data);
        }
        if depth < MAX_DEPTH && archive::is_archive(data) {
            return Ok(archive::parse(data));
        }
        if data.starts_with(b"\x7fELF") {
            elf::parse(data)
        } else if MACH_O.iter().any(|&magic| data.starts_with(magic)) {
            macho::parse(data)
        } else if data.starts_with(b"MZ") {
            pe::parse(data)
        } else if data.starts_with(b"\0asm") {
            wasm::parse(data)
        } else if import::is_import(data) {
            import::parse(data)
        } else if coff::is_object(data) {
            coff::parse(data)
        } else {
            Err(ImageError::UnknownFormat {
                recognised: Lookalike::of(data),
            })
        }
    }

    /// An image with nothing in it but the bytes: what the readers of formats start from.
    pub(crate) fn new(data: &'data [u8], target: Target) -> Self {
        Self {
            data,
            target,
            headers: Vec::new(),
            sections: Vec::new(),
            segments: Vec::new(),
            thread_local: None,
            symbol_tables: Vec::new(),
            relocation_tables: Vec::new(),
            unwind_tables: Vec::new(),
            unwind_indexes: Vec::new(),
            exception_tables: Vec::new(),
            functions: Vec::new(),
            index_spaces: Vec::new(),
            descriptions: Vec::new(),
            links: Vec::new(),
            stubs: Vec::new(),
            debug_units: Vec::new(),
            members: Vec::new(),
            facts: BuildFacts::default(),
            entry: None,
            warnings: Warnings::default(),
            addresses: AddressMap::default(),
        }
    }

    /// The length of the file, in bytes.
    #[must_use]
    pub fn file_len(&self) -> u64 {
        u64::try_from(self.data.len()).unwrap_or(u64::MAX)
    }

    /// The section of that number.
    #[must_use]
    pub fn section(&self, index: SectionIndex) -> Option<&Section<'data>> {
        self.sections.get(index.get())
    }

    /// The first section of that name.
    #[must_use]
    pub fn section_by_name(&self, name: &str) -> Option<&Section<'data>> {
        self.sections.iter().find(|section| section.name == name)
    }

    /// The place at an address of the running program.
    ///
    /// Nothing in object files, whose sections have no addresses yet. Zero-filled thread-local data has none either:
    /// its addresses overlap those of other sections. Where other sections overlap, the one that starts first has the
    /// address.
    ///
    /// In a container each member has addresses of its own: this is the place in the first member that has one.
    /// [`Self::place_near`] says which member is meant.
    #[must_use]
    pub fn place_at(&self, address: u64) -> Option<Place> {
        if self.members.is_empty() {
            self.addresses.place_at(address)
        } else {
            self.place_in_members(address)
        }
    }

    /// The address of a place in the running program; nothing in object files and for what is not loaded.
    #[must_use]
    pub fn address_of(&self, place: Place) -> Option<u64> {
        if !self.members.is_empty() {
            return self.address_in_member(place);
        }
        let section = self.section(place.section)?;
        (section.access.loaded && self.target.kind != FileKind::Object)
            .then(|| section.address.checked_add(place.offset))
            .flatten()
    }

    /// How long the function is that starts at a place, as a table of functions says; 0 if none does.
    pub(crate) fn function_len(&self, place: Place) -> u64 {
        let at = self
            .functions
            .binary_search_by_key(&place, |function| function.place);
        at.map_or(0, |at| self.functions[at].len)
    }

    /// The symbol table that only tools read, if the file is not stripped.
    #[must_use]
    pub fn static_symbols(&self) -> Option<&SymbolTable<'data>> {
        self.symbol_tables
            .iter()
            .find(|table| table.role == SymbolTableRole::Static)
    }

    /// Whether there is no symbol table for tools: in a container, in no member that is an image.
    #[must_use]
    pub fn is_stripped(&self) -> bool {
        if self.is_container() {
            let mut images = self
                .members
                .iter()
                .filter_map(|it| it.image.as_ref())
                .peekable();
            return images.peek().is_some() && images.all(Self::is_stripped);
        }
        self.static_symbols().is_none()
    }

    /// Whether it is a debug companion: it has what debuggers read, and its code is stored elsewhere
    /// (`objcopy --only-keep-debug`). Its addresses are those of the program it was taken from.
    #[must_use]
    pub fn is_debug_companion(&self) -> bool {
        let mut code = self
            .sections
            .iter()
            .filter(|section| section.access.loaded && section.access.executable)
            .filter(|section| section.size > 0)
            .peekable();
        code.peek().is_some() && code.all(|section| section.file_range.is_none())
    }

    /// Makes [`Self::place_at`] work; called once, when the sections are known.
    pub(crate) fn index_addresses(&mut self) {
        if self.target.kind == FileKind::Object {
            return;
        }
        let is_companion = self.is_debug_companion();
        let takes_addresses = |section: &&Section<'_>| {
            // The zero fill of thread-local data takes no room in the program's own address range. In a companion its
            // stored part looks the same.
            let is_zero_fill = section.file_range.is_none()
                && !(is_companion && section.name.starts_with(".tdata"));
            section.access.loaded && !(section.access.thread_local && is_zero_fill)
        };
        self.addresses = AddressMap::of(self.sections.iter().filter(takes_addresses));
    }
}

/// What the file is and how it is laid out, without the entries of its tables, which would fill books.
impl fmt::Debug for Image<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Image")
            .field("target", &self.target)
            .field("headers", &self.headers)
            .field("sections", &self.sections)
            .field("segments", &self.segments)
            .field("facts", &self.facts)
            .field("entry", &self.entry)
            .field("members", &self.members)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Which section each address lies in.
#[derive(Debug, Clone, Default)]
struct AddressMap {
    /// Ascending and disjoint.
    ranges: Vec<AddressRange>,
}

#[derive(Debug, Clone)]
struct AddressRange {
    addresses: Range<u64>,
    section: SectionIndex,
    /// Where the section starts; before `addresses` if others take its first part.
    section_start: u64,
}

impl AddressMap {
    fn of<'image, 'data: 'image>(sections: impl Iterator<Item = &'image Section<'data>>) -> Self {
        let mut ranges: Vec<_> = sections
            .map(|section| AddressRange {
                addresses: section.address..section.end(),
                section: section.index,
                section_start: section.address,
            })
            .collect();
        ranges.sort_by_key(|range| (range.addresses.start, range.addresses.end, range.section));
        // Each address has one place. Where sections overlap, the one that starts first keeps what it covers:
        //   first  [--------)
        //   second     [........---)   keeps its tail
        let mut taken = 0;
        ranges.retain_mut(|range| {
            range.addresses.start = range.addresses.start.max(taken);
            let is_left = !range.addresses.is_empty();
            if is_left {
                taken = range.addresses.end;
            }
            is_left
        });
        Self { ranges }
    }

    fn place_at(&self, address: u64) -> Option<Place> {
        let behind = self
            .ranges
            .partition_point(|range| range.addresses.start <= address);
        let range = self.ranges.get(behind.checked_sub(1)?)?;
        range.addresses.contains(&address).then(|| Place {
            section: range.section,
            offset: address - range.section_start,
        })
    }
}

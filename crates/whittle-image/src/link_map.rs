//! Link maps: which object brought which bytes of the linked file, as the linker itself wrote it down (`-Wl,-Map=FILE`).
//!
//! Takes the bytes of a map and returns a [`LinkMap`] that borrows from them. Four formats are read: lld for ELF, mold
//! and GNU ld, and that of Apple's linkers and lld for Mach-O. The map is taken at its word; comparing it with the image (same sections, same addresses?) and turning
//! an object's path into a package is left to others.
//!
//! A map is untrusted and may be cut short. What is no map at all is an error that names the line; a line that makes no
//! sense inside a map is left out and counted ([`LinkMap::skipped_lines`]). Time is linear in the map's length apart
//! from one sort, and memory stays below the map's own size for any map a linker writes.

mod apple;
mod builder;
mod columns;
mod gnu;
mod lines;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;

use self::builder::Builder;

/// What a linker says about where the bytes of its output came from.
///
/// Output sections stand in the map's order. The input sections of one output section are in ascending order, disjoint,
/// not empty and inside it; what no input section covers is padding, or content the map does not break down (mold
/// lists no parts of `.eh_frame`, for example).
#[derive(Clone, Debug)]
pub struct LinkMap<'m> {
    linker: Linker,
    output_sections: Vec<OutputSection<'m>>,
    objects: Vec<InputObject<'m>>,
    sections: Vec<InputSection<'m>>,
    symbols: Vec<MapSymbol<'m>>,
    fills: Vec<Fill>,
    skipped_lines: usize,
    first_skipped_line: Option<usize>,
    /// All output sections by name, then address.
    by_name: Vec<OutputIndex>,
    /// The output sections that share one address space, disjoint and in ascending order.
    by_address: Vec<OutputIndex>,
}

/// The linker that wrote a map, told from the map's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Linker {
    /// LLVM's `ld.lld`, the one that comes with Rust on x86-64 Linux.
    Lld,
    /// `mold`.
    Mold,
    /// GNU ld of binutils, also known as `ld.bfd`.
    GnuLd,
    /// Apple's linkers for Mach-O, and LLVM's `ld64.lld`, which writes the same.
    Apple,
}

/// An index into [`LinkMap::output_sections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutputIndex(u32);

/// An index into [`LinkMap::objects`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectIndex(u32);

/// An index into [`LinkMap::sections`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InputIndex(u32);

/// A section of the linked file. mold also lists its headers this way, as `EHDR`, `PHDR` and `SHDR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputSection<'m> {
    /// The section's name: `.text`, or `__TEXT,__text`.
    pub name: Cow<'m, str>,
    /// Its address when loaded; 0 for what is not loaded.
    pub address: u64,
    /// Its size in bytes.
    pub size: u64,
    /// Its part of [`LinkMap::sections`].
    sections: Range<u32>,
}

/// A file that went into the link, once however often the map mentions it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InputObject<'m> {
    /// The object file or archive, as it was given to the linker.
    pub path: &'m str,
    /// The member, when `path` is an archive.
    pub member: Option<&'m str>,
}

/// A run of bytes of the linked file that came from one section of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputSection<'m> {
    /// Where it starts: an address, or an offset in its output section if that has address 0.
    pub address: u64,
    /// Its size in bytes, never 0; `address + size` does not overflow.
    pub size: u64,
    /// The section's name in its object, `.text._ZN…` for example; for data statements of a linker script the statement.
    pub name: &'m str,
    /// The output section it went to.
    pub output: OutputIndex,
    /// The object it came from; `None` for what the linker made itself.
    ///
    /// Strings and constants that several objects share are the linker's own under lld and mold. GNU ld leaves them with
    /// the first object that brought them: see [`InputSection::is_mergeable`].
    pub object: Option<ObjectIndex>,
}

/// A symbol as the map prints it, which is in demangled form for most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapSymbol<'m> {
    /// Its address. lld gives thread-local symbols as offsets in the thread's block.
    pub address: u64,
    /// Its size in bytes; only lld says it, elsewhere it is 0.
    pub size: u64,
    /// Its name.
    pub name: &'m str,
    /// The input section it stands under, unless that is empty.
    pub section: Option<InputIndex>,
}

/// Bytes that the map itself calls filling: GNU ld's `*fill*`, or a linker script that moves the location counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    /// Where it starts, as in [`InputSection::address`].
    pub address: u64,
    /// Its size in bytes, never 0; `address + size` does not overflow.
    pub size: u64,
    /// The output section it is in.
    pub output: OutputIndex,
}

/// Why bytes could not be read as a link map. Lines are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkMapError {
    /// There is no text.
    #[error("the link map is empty")]
    Empty,
    /// The first line with text on it is none that a known linker writes.
    #[error("line {line} does not open a link map of lld, mold, GNU ld or Apple's linker")]
    Unrecognized {
        /// The line that was looked at.
        line: usize,
    },
    /// A map, but in a format that is not read.
    #[error("line {line} opens a link map of {format}, which is not supported")]
    Unsupported {
        /// The line that gave it away.
        line: usize,
        /// Who writes such maps.
        format: &'static str,
    },
    /// The opening is right, but no output section follows: the linker failed, or the file was cut short.
    #[error("the link map ends at line {line} without a section of the output")]
    NoSections {
        /// The last line.
        line: usize,
    },
}

impl<'m> LinkMap<'m> {
    /// Reads a link map; which linker wrote it is told from its form.
    ///
    /// # Errors
    /// A [`LinkMapError`] if this is no map of a known linker or lists no output section.
    pub fn parse(bytes: &'m [u8]) -> Result<Self, LinkMapError> {
        let (line, opening) = lines::Lines::new(bytes)
            .find(|(_, text)| !text.trim_ascii().is_empty())
            .ok_or(LinkMapError::Empty)?;
        if columns::is_lld_header(opening) {
            return columns::parse(bytes, Linker::Lld);
        }
        if columns::is_mold_header(opening) {
            return columns::parse(bytes, Linker::Mold);
        }
        if apple::is_header(opening) {
            return apple::parse(bytes);
        }
        if let Some(format) = unsupported_format(opening) {
            return Err(LinkMapError::Unsupported { line, format });
        }
        // GNU ld opens with whatever it has to tell: archive members, discarded sections, memory regions.
        if gnu::OPENINGS.iter().any(|known| opening.starts_with(known))
            || memmem::find(bytes, gnu::MEMORY_MAP).is_some()
        {
            return gnu::parse(bytes);
        }
        Err(LinkMapError::Unrecognized { line })
    }

    /// The linker that wrote the map.
    #[must_use]
    pub fn linker(&self) -> Linker {
        self.linker
    }

    /// The sections of the linked file, in the map's order. An [`OutputIndex`] counts them.
    #[must_use]
    pub fn output_sections(&self) -> &[OutputSection<'m>] {
        &self.output_sections
    }

    /// The objects that brought at least one byte or symbol, in the map's order. An [`ObjectIndex`] counts them.
    #[must_use]
    pub fn objects(&self) -> &[InputObject<'m>] {
        &self.objects
    }

    /// All input sections: those of the first output section in ascending order, then those of the second, and so on.
    #[must_use]
    pub fn sections(&self) -> &[InputSection<'m>] {
        &self.sections
    }

    /// The symbols, in the map's order.
    #[must_use]
    pub fn symbols(&self) -> &[MapSymbol<'m>] {
        &self.symbols
    }

    /// What the map calls filling, in the map's order. Padding that it does not mention is not in here.
    #[must_use]
    pub fn fills(&self) -> &[Fill] {
        &self.fills
    }

    /// How many lines made no sense and were left out. A whole map has none.
    #[must_use]
    pub fn skipped_lines(&self) -> usize {
        self.skipped_lines
    }

    /// The first line that was left out, counted from 1.
    #[must_use]
    pub fn first_skipped_line(&self) -> Option<usize> {
        self.first_skipped_line
    }

    /// The output section behind an index of this map.
    ///
    /// # Panics
    /// If the index is of another map.
    #[must_use]
    pub fn output(&self, index: OutputIndex) -> &OutputSection<'m> {
        &self.output_sections[to_usize(index.0)]
    }

    /// The object behind an index of this map.
    ///
    /// # Panics
    /// If the index is of another map.
    #[must_use]
    pub fn object(&self, index: ObjectIndex) -> &InputObject<'m> {
        &self.objects[to_usize(index.0)]
    }

    /// The input section behind an index of this map.
    ///
    /// # Panics
    /// If the index is of another map.
    #[must_use]
    pub fn section(&self, index: InputIndex) -> &InputSection<'m> {
        &self.sections[to_usize(index.0)]
    }

    /// The output section of that name at that address; of several the first.
    ///
    /// Names alone do not tell sections apart, and neither do addresses: all that is not loaded is at 0.
    #[must_use]
    pub fn find_output(&self, name: &str, address: u64) -> Option<OutputIndex> {
        let key = |&index: &OutputIndex| {
            let output = self.output(index);
            (&*output.name, output.address)
        };
        let at = self
            .by_name
            .partition_point(|index| key(index) < (name, address));
        let index = *self.by_name.get(at)?;
        (key(&index) == (name, address)).then_some(index)
    }

    /// The input sections of one output section, in ascending order.
    ///
    /// # Panics
    /// If the index is of another map.
    #[must_use]
    pub fn sections_of(&self, output: OutputIndex) -> &[InputSection<'m>] {
        let range = &self.output(output).sections;
        &self.sections[to_usize(range.start)..to_usize(range.end)]
    }

    /// The input section of that output section that covers an address; an offset in the section if that has address 0.
    ///
    /// # Panics
    /// If the index is of another map.
    #[must_use]
    pub fn at_in(&self, output: OutputIndex, address: u64) -> Option<&InputSection<'m>> {
        let sections = self.sections_of(output);
        let after = sections.partition_point(|section| section.address <= address);
        sections[..after]
            .last()
            .filter(|section| address < section.end())
    }

    /// The input section that covers an address of the loaded program.
    ///
    /// Thread-local storage without content (`.tbss`) overlaps other addresses and is not found this way, and neither
    /// is what is not loaded: see [`LinkMap::at_in`]. Where other output sections overlap, the lower one wins.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<&InputSection<'m>> {
        let after = self
            .by_address
            .partition_point(|&index| self.output(index).address <= address);
        self.at_in(*self.by_address[..after].last()?, address)
    }
}

impl OutputIndex {
    /// The position in [`LinkMap::output_sections`].
    #[must_use]
    pub fn get(self) -> usize {
        to_usize(self.0)
    }
}

impl ObjectIndex {
    /// The position in [`LinkMap::objects`].
    #[must_use]
    pub fn get(self) -> usize {
        to_usize(self.0)
    }
}

impl InputIndex {
    /// The position in [`LinkMap::sections`].
    #[must_use]
    pub fn get(self) -> usize {
        to_usize(self.0)
    }
}

impl OutputSection<'_> {
    /// The first address after it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }
}

impl InputSection<'_> {
    /// The first address after it.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.size)
    }

    /// Whether it is a string that linkers for Mach-O share among objects and list under the first that has it.
    #[must_use]
    pub fn is_literal_string(&self) -> bool {
        self.name.starts_with("literal string: ")
    }

    /// Whether it holds strings or constants that linkers share among objects, going by the names compilers give
    /// them: `.rodata.str1.1` is strings of 1-byte characters, `.rodata.cst16` constants of 16 bytes.
    ///
    /// Under GNU ld such bytes may serve more objects than the one named.
    #[must_use]
    pub fn is_mergeable(&self) -> bool {
        let digit_after = |prefix: &str| {
            self.name
                .strip_prefix(prefix)
                .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        };
        digit_after(".rodata.str")
            || digit_after(".rodata.cst")
            || self.is_literal_string()
            || matches!(self.name, ".comment" | ".debug_str" | ".debug_line_str")
    }
}

/// Whose map this is, for openings of formats that are known and not read.
fn unsupported_format(opening: &[u8]) -> Option<&'static str> {
    let mut words = opening
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    match (words.next()?, words.next()?) {
        (b"Addr", b"Off") => Some("wasm-ld"),
        (b"Address", b"Size") => Some("lld-link"),
        (b"**", b"file") | (b"Memory", b"map") => Some("gold"),
        _ => None,
    }
}

/// Indices are kept in 32 bits to halve the tables; no supported machine has a smaller `usize`.
fn to_usize(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

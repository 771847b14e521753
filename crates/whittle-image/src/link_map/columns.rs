//! Maps in columns: lld and mold.
//!
//! ```text
//!              VMA              LMA     Size Align Out     In      Symbol
//!             1000             1000       2a    16 .text
//!             1000             1000       2a    16         main.o:(.text.main)
//!             1000             1000       2a     1                 main
//! ```
//!
//! The depth at which the last column starts tells an output section from an input section and a symbol. Sources:
//! `lld/ELF/MapFile.cpp` (numbers but the alignment in bare hexadecimal) and mold's `mapfile.cc` (no LMA, the
//! address as `0x…`, everything else in decimal).

use super::lines::{Lines, decimal, hex, prefixed_hex, word};
use super::{Builder, LinkMap, LinkMapError, Linker};

/// How far the last column is indented: by nothing for output sections, and by these.
const INPUT_INDENT: &str = "        ";
const SYMBOL_INDENT: &str = "                ";

pub(super) fn is_lld_header(line: &[u8]) -> bool {
    has_columns(
        line,
        &["VMA", "LMA", "Size", "Align", "Out", "In", "Symbol"],
    )
}

pub(super) fn is_mold_header(line: &[u8]) -> bool {
    has_columns(line, &["VMA", "Size", "Align", "Out", "In", "Symbol"])
}

fn has_columns(line: &[u8], columns: &[&str]) -> bool {
    line.split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .eq(columns.iter().map(|column| column.as_bytes()))
}

pub(super) fn parse(bytes: &[u8], linker: Linker) -> Result<LinkMap<'_>, LinkMapError> {
    let mut reader = Reader {
        builder: Builder::new(linker),
        linker,
        open: false,
        unplaced: None,
    };
    let mut last_line = 0;
    let mut header_is_past = false;
    for (number, line) in Lines::new(bytes) {
        last_line = number;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if !header_is_past {
            header_is_past = true;
            continue;
        }
        // lld appends this table (`--cref`) if the map goes to its standard output.
        if line.starts_with(b"Cross Reference Table") {
            break;
        }
        let understood = str::from_utf8(line)
            .ok()
            .and_then(Row::parse(linker))
            .and_then(|row| reader.row(&row));
        if understood.is_none() {
            reader.builder.skip(number);
        }
    }
    reader.close_output();
    reader.builder.finish(last_line)
}

/// One line, taken apart.
struct Row<'m> {
    address: u64,
    size: u64,
    align: u64,
    /// The last column with its indentation.
    text: &'m str,
}

impl<'m> Row<'m> {
    fn parse(linker: Linker) -> fn(&'m str) -> Option<Self> {
        match linker {
            Linker::Mold => Self::parse_mold,
            Linker::Lld | Linker::GnuLd | Linker::Apple => Self::parse_lld,
        }
    }

    fn parse_lld(line: &'m str) -> Option<Self> {
        let (address, rest) = word(line);
        let (load_address, rest) = word(rest);
        hex(load_address)?;
        let (size, rest) = word(rest);
        Self::finish(hex(address)?, hex(size)?, rest)
    }

    fn parse_mold(line: &'m str) -> Option<Self> {
        let (address, rest) = word(line);
        let (size, rest) = word(rest);
        // The prefix is missing where C++ streams leave it out: at 0.
        let address = if address == "0" {
            0
        } else {
            prefixed_hex(address)?
        };
        Self::finish(address, decimal(size)?, rest)
    }

    fn finish(address: u64, size: u64, rest: &'m str) -> Option<Self> {
        let (align, rest) = word(rest);
        Some(Row {
            address,
            size,
            align: decimal(align)?,
            text: rest.strip_prefix(' ')?,
        })
    }
}

struct Reader<'m> {
    builder: Builder<'m>,
    linker: Linker,
    /// Whether the lines that come belong to the output section opened last.
    open: bool,
    /// Set while reading an output section of mold that may have its parts all at address 0.
    unplaced: Option<Unplaced>,
}

/// mold from 2.0 on prints address 0 for every part of a section that is not loaded. The parts are laid out in the
/// order they are listed in, each at its alignment, so their offsets follow; if they do not lead to the section's size
/// they are not used.
struct Unplaced {
    size: u64,
    /// Where the last part ended; `None` once the sums failed.
    end: Option<u64>,
    /// Whether a part came back to address 0 and had to be placed.
    placed: bool,
}

impl<'m> Reader<'m> {
    fn row(&mut self, row: &Row<'m>) -> Option<()> {
        // lld 22 has no words for the linker script's `PROVIDE (name = .)` inside a section.
        if row.text.is_empty() && row.size == 0 {
            return Some(());
        }
        if let Some(name) = row.text.strip_prefix(SYMBOL_INDENT) {
            if self.open {
                self.builder.symbol(row.address, row.size, non_empty(name)?);
            }
            return self.open.then_some(());
        }
        if let Some(text) = row.text.strip_prefix(INPUT_INDENT) {
            return self.open.then(|| self.part(row, non_empty(text)?))?;
        }
        self.close_output();
        let name = non_empty(row.text)?;
        if is_assignment(name) {
            return Some(());
        }
        self.builder.output(name, row.address, row.size)?;
        self.open = true;
        let may_be_unplaced = self.linker == Linker::Mold && row.address == 0;
        self.unplaced = may_be_unplaced.then_some(Unplaced {
            size: row.size,
            end: Some(0),
            placed: false,
        });
        Some(())
    }

    /// An input section, a data statement of the linker script, or an assignment in it.
    fn part(&mut self, row: &Row<'m>, text: &'m str) -> Option<()> {
        if let Some(inside) = text.strip_suffix(')')
            && let Some((path, name)) = inside.rsplit_once(":(")
        {
            let object = self.builder.object(non_empty(path)?);
            let address = self.place(row)?;
            return self
                .builder
                .section(address, row.size, without_offset(name), object);
        }
        if let Some(moves) = text.strip_prefix(". ") {
            let moves_on = moves.starts_with('=') || moves.starts_with("+=");
            return moves_on.then(|| self.builder.fill(row.address, row.size))?;
        }
        if is_assignment(text) {
            return Some(());
        }
        let is_data = ["BYTE", "SHORT", "LONG", "QUAD"]
            .iter()
            .any(|keyword| text.starts_with(keyword));
        is_data.then(|| self.builder.section(row.address, row.size, text, None))?
    }

    /// Where a part is: as printed, but see [`Unplaced`].
    fn place(&mut self, row: &Row<'m>) -> Option<u64> {
        let Some(unplaced) = &mut self.unplaced else {
            return Some(row.address);
        };
        if row.size == 0 {
            return Some(row.address);
        }
        let end = unplaced.end?;
        let start = if row.address == 0 && end > 0 {
            unplaced.placed = true;
            end.checked_next_multiple_of(row.align.max(1))
        } else {
            Some(row.address)
        };
        unplaced.end = start.and_then(|start| start.checked_add(row.size));
        start
    }

    /// Checks what was placed by sums before the next output section begins.
    fn close_output(&mut self) {
        self.open = false;
        if let Some(unplaced) = self.unplaced.take()
            && unplaced.placed
            && unplaced.end != Some(unplaced.size)
        {
            self.builder.forget_sections();
        }
    }
}

/// Whether a linker script's assignment stands here: a section's name has neither blanks nor parentheses.
fn is_assignment(text: &str) -> bool {
    let is_call = ["PROVIDE", "HIDDEN", "ASSERT"]
        .iter()
        .any(|keyword| text.starts_with(keyword) && text.contains('('));
    is_call || text.split(' ').skip(1).any(|word| word.ends_with('='))
}

/// lld breaks `.eh_frame` up and says where in the object each piece starts: `.eh_frame+0x18`.
fn without_offset(name: &str) -> &str {
    match name.split_once("+0x") {
        Some((".eh_frame", _)) => ".eh_frame",
        _ => name,
    }
}

fn non_empty(text: &str) -> Option<&str> {
    (!text.trim().is_empty()).then_some(text)
}

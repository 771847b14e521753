//! Maps for Mach-O: Apple's linkers (ld64 and its successor) and LLVM's `ld64.lld`, all with `-map FILE`.
//!
//! ```text
//!   # Object files:
//!   [  0] linker synthesized
//!   [  1] libb.a(b.o)
//!   # Sections:
//!   # Address  Size      Segment  Section
//!   0x1000005A0  0x00000060  __TEXT  __text
//!   # Symbols:
//!   # Address  Size      File  Name
//!   0x1000005B0  0x00000028  [  1] _main
//! ```
//!
//! Columns are parted by tabs. The parts of a section are symbols, each with its object; here each is an input section that is
//! named after the symbol, without the underscore that compilers put before it. Sections are named `segment,section`, as
//! Apple's tools name them. Sources: `ld64/src/ld/OutputFile.cpp` (`writeMapFile`), `lld/MachO/MapFile.cpp`.

use std::borrow::Cow;

use super::lines::{Lines, decimal, prefixed_hex};
use super::{Builder, LinkMap, LinkMapError, Linker, ObjectIndex};

/// What stands for a path where the linker made something itself.
const LINKER_ITSELF: &str = "linker synthesized";

pub(super) fn is_header(line: &[u8]) -> bool {
    line.starts_with(b"# Path:")
}

/// The tables of a map, by the line that opens each.
#[derive(Clone, Copy)]
enum Table {
    Objects,
    Sections,
    Symbols,
    /// What is not in the output, and whatever else a linker may add.
    Other,
}

struct Section<'m> {
    line: usize,
    name: Cow<'m, str>,
    address: u64,
    size: u64,
}

struct Symbol<'m> {
    line: usize,
    address: u64,
    size: u64,
    object: Option<ObjectIndex>,
    name: &'m str,
}

pub(super) fn parse(bytes: &[u8]) -> Result<LinkMap<'_>, LinkMapError> {
    let mut builder = Builder::new(Linker::Apple);
    // By the number that the map gives them; objects without bytes do not count.
    let mut objects: Vec<Option<&str>> = Vec::new();
    let mut sections = Vec::new();
    let mut symbols = Vec::new();
    let mut table = Table::Other;
    let mut last_line = 0;
    for (number, line) in Lines::new(bytes) {
        last_line = number;
        if line.starts_with(b"#") {
            table = match line {
                b"# Object files:" => Table::Objects,
                b"# Sections:" => Table::Sections,
                b"# Symbols:" => Table::Symbols,
                // The titles of columns.
                _ if line.starts_with(b"# Address") => table,
                _ => Table::Other,
            };
            continue;
        }
        let Ok(text) = str::from_utf8(line) else {
            builder.skip(number);
            continue;
        };
        let understood = match table {
            Table::Objects => object(text, &mut objects),
            Table::Sections => section(text, number).map(|it| sections.push(it)),
            Table::Symbols => {
                symbol(text, number, &objects, &mut builder).map(|it| symbols.push(it))
            }
            Table::Other => Some(()),
        };
        if understood.is_none() && !text.trim().is_empty() {
            builder.skip(number);
        }
    }
    // Stable: what the linker lists first at an address stays the first.
    symbols.sort_by_key(|symbol| symbol.address);
    for section in sections {
        let end = section.address.saturating_add(section.size);
        if builder
            .output(section.name, section.address, section.size)
            .is_none()
        {
            builder.skip(section.line);
            continue;
        }
        let first = symbols.partition_point(|it| it.address < section.address);
        let past = symbols.partition_point(|it| it.address < end);
        for symbol in symbols.get(first..past).unwrap_or_default() {
            let Symbol {
                line,
                address,
                size,
                object,
                name,
            } = *symbol;
            if builder.section(address, size, name, object).is_none() {
                builder.skip(line);
            }
            builder.symbol(address, size, name);
        }
    }
    builder.finish(last_line)
}

/// `[  1] /path/libb.a(b.o)`: the number and what stands behind it.
fn numbered(text: &str) -> Option<(usize, &str)> {
    let (number, rest) = text.strip_prefix('[')?.split_once("] ")?;
    let number = usize::try_from(decimal(number.trim_start())?).ok()?;
    Some((number, rest))
}

/// Objects are numbered in order.
fn object<'m>(text: &'m str, objects: &mut Vec<Option<&'m str>>) -> Option<()> {
    let (number, path) = numbered(text)?;
    if number != objects.len() {
        return None;
    }
    objects.push(Some(path).filter(|path| *path != LINKER_ITSELF));
    Some(())
}

fn section(text: &str, line: usize) -> Option<Section<'_>> {
    let mut columns = text.split('\t');
    let address = prefixed_hex(columns.next()?)?;
    let size = prefixed_hex(columns.next()?)?;
    let (segment, section) = (columns.next()?, columns.next()?);
    Some(Section {
        line,
        name: format!("{segment},{section}").into(),
        address,
        size,
    })
}

fn symbol<'m>(
    text: &'m str,
    line: usize,
    objects: &[Option<&'m str>],
    builder: &mut Builder<'m>,
) -> Option<Symbol<'m>> {
    // Names may have tabs.
    let mut columns = text.splitn(3, '\t');
    let address = prefixed_hex(columns.next()?)?;
    let size = prefixed_hex(columns.next()?)?;
    let (number, name) = numbered(columns.next()?)?;
    let path = *objects.get(number)?;
    Some(Symbol {
        line,
        address,
        size,
        object: path.and_then(|path| builder.object(path)),
        name: name.strip_prefix('_').unwrap_or(name),
    })
}

//! Maps of GNU ld.
//!
//! ```text
//! .text           0x0000000000001040       0x3e
//!  *(.text.unlikely .text.*_unlikely .text.unlikely.*)
//!  .text          0x0000000000001040       0x26 /usr/lib/Scrt1.o
//!                 0x0000000000001040                _start
//!  *fill*         0x0000000000001066        0xa
//!  .text.a_name_that_does_not_fit
//!                 0x0000000000001070        0xe libfoo.rlib(foo.o)
//!                                          0x12 (size before relaxing)
//! ```
//!
//! Output sections start in the first column and input sections in the second, with the rest on the next line after a
//! long name; what starts in the 17th column is a symbol, an assignment of the linker script, or data from it. Source:
//! `ld/ldlang.c` of binutils 2.40, the functions `print_…` from `print_output_section_statement` on.

use super::lines::{Lines, prefixed_hex, word};
use super::{Builder, LinkMap, LinkMapError, Linker};

/// How maps of GNU ld can begin. Which part comes first depends on what there is to say.
pub(super) const OPENINGS: [&[u8]; 8] = [
    b"Archive member included ",
    b"Merging program properties",
    b"As-needed library included ",
    b"There are no discarded input sections",
    b"Discarded input sections",
    b"Allocating common symbols",
    b"Memory Configuration",
    MEMORY_MAP,
];

/// The heading of the part that is read; all before it is about what is *not* in the file.
pub(super) const MEMORY_MAP: &[u8] = b"Linker script and memory map";

/// The heading of what may follow (`--cref`).
const CROSS_REFERENCES: &[u8] = b"Cross Reference Table";

pub(super) fn parse(bytes: &[u8]) -> Result<LinkMap<'_>, LinkMapError> {
    let mut reader = Reader {
        builder: Builder::new(Linker::GnuLd),
        output_is_open: false,
        awaited: Awaited::Nothing,
    };
    let mut last_line = 0;
    let mut in_memory_map = false;
    for (number, line) in Lines::new(bytes) {
        last_line = number;
        if !in_memory_map {
            in_memory_map = line == MEMORY_MAP;
            continue;
        }
        if line == CROSS_REFERENCES {
            break;
        }
        let understood = str::from_utf8(line).ok().and_then(|line| reader.line(line));
        if understood.is_none() {
            reader.awaited = Awaited::Nothing;
            reader.builder.skip(number);
        }
    }
    reader.builder.finish(last_line)
}

struct Reader<'m> {
    builder: Builder<'m>,
    /// Whether the input sections that come belong to the output section opened last.
    output_is_open: bool,
    awaited: Awaited<'m>,
}

/// What a line that starts in the 17th column may continue.
#[derive(Clone, Copy)]
enum Awaited<'m> {
    Nothing,
    Output(&'m str),
    Input(&'m str),
}

impl<'m> Reader<'m> {
    /// Reads one line. `None` if it makes no sense.
    fn line(&mut self, line: &'m str) -> Option<()> {
        let line = line.trim_end_matches(' ');
        let awaited = std::mem::replace(&mut self.awaited, Awaited::Nothing);
        let text = line.trim_start_matches(' ');
        match line.len() - text.len() {
            _ if text.is_empty() => Some(()),
            0 => self.first_column(text),
            1 => self.second_column(text),
            _ => self.further_column(text, awaited),
        }
    }

    /// An output section, or a statement outside of all sections.
    fn first_column(&mut self, text: &'m str) -> Option<()> {
        const STATEMENTS: [&str; 6] = [
            "LOAD ",
            "START GROUP",
            "END GROUP",
            "OUTPUT(",
            "TARGET(",
            "Address of section ",
        ];
        self.output_is_open = false;
        if STATEMENTS
            .iter()
            .any(|statement| text.starts_with(statement))
        {
            return Some(());
        }
        let (name, rest) = word(text);
        if rest.is_empty() {
            self.awaited = Awaited::Output(name);
            return Some(());
        }
        self.output(name, rest)
    }

    fn output(&mut self, name: &'m str, rest: &'m str) -> Option<()> {
        let (address, rest) = word(rest);
        let (size, rest) = word(rest);
        let (address, size) = (prefixed_hex(address)?, prefixed_hex(size)?);
        // Where it is stored, for sections that start-up code copies to their address.
        if !rest.is_empty() && !rest.trim_start().starts_with("load address 0x") {
            return None;
        }
        self.builder.output(name, address, size)?;
        self.output_is_open = true;
        Some(())
    }

    /// An input section, filling, or a pattern of the linker script.
    fn second_column(&mut self, text: &'m str) -> Option<()> {
        if let Some(rest) = text.strip_prefix("*fill* ") {
            let (address, rest) = word(rest);
            let (size, _pattern) = word(rest);
            let (address, size) = (prefixed_hex(address)?, prefixed_hex(size)?);
            // Between output sections filling of length 0 can stand.
            return if self.output_is_open {
                self.builder.fill(address, size)
            } else {
                (size == 0).then_some(())
            };
        }
        if is_pattern(text) {
            return Some(());
        }
        let (name, rest) = word(text);
        if rest.is_empty() {
            self.awaited = Awaited::Input(name);
            return Some(());
        }
        self.input(name, rest)
    }

    fn input(&mut self, name: &'m str, rest: &'m str) -> Option<()> {
        let (address, rest) = word(rest);
        let (size, rest) = word(rest);
        let (address, size) = (prefixed_hex(address)?, prefixed_hex(size)?);
        let path = rest.strip_prefix(' ')?;
        if path.is_empty() {
            return None;
        }
        if !self.output_is_open {
            return (size == 0).then_some(());
        }
        let object = if is_linker_made(name) {
            None
        } else {
            self.builder.object(path)
        };
        self.builder.section(address, size, name, object)
    }

    /// The rest of a line that was too long, or what stands inside a section.
    fn further_column(&mut self, text: &'m str, awaited: Awaited<'m>) -> Option<()> {
        if text.ends_with("(size before relaxing)")
            || text.starts_with('[') // `[!provide] PROVIDE (name = .)`: nobody asked for the name
            || text.starts_with("*undef*")
        {
            return Some(());
        }
        let (address, rest) = word(text);
        let address = prefixed_hex(address)?;
        let (second, after) = word(rest);
        if let Some(size) = prefixed_hex(second) {
            return match awaited {
                Awaited::Output(name) => self.output(name, text),
                Awaited::Input(name) => self.input(name, text),
                Awaited::Nothing => self.data(address, size, after),
            };
        }
        let statement = rest.trim_start_matches(' ');
        if statement.is_empty() {
            return None;
        }
        if !is_assignment(statement) && self.output_is_open {
            self.builder.symbol(address, 0, statement);
        }
        Some(())
    }

    /// Data that the linker script puts into a section: `0x… 0x8 QUAD 0x0`.
    fn data(&mut self, address: u64, size: u64, rest: &'m str) -> Option<()> {
        let statement = rest.trim_start_matches(' ');
        let (keyword, _) = word(statement);
        let is_data = ["BYTE", "SHORT", "LONG", "QUAD", "SQUAD", "RELOC"].contains(&keyword);
        if !is_data || !self.output_is_open {
            return None;
        }
        self.builder.section(address, size, statement, None)
    }
}

/// `*(.text .text.*)`, `*crtend.o(.ctors)`, `/path/memory.o(.data)`, `FILL mask 0x90`: what the script asked for, which
/// says nothing about what came.
fn is_pattern(text: &str) -> bool {
    text.starts_with('*')
        || text.starts_with("FILL mask ")
        || matches!(text, "CREATE_OBJECT_SYMBOLS" | "FORCE_COMMON_ALLOCATION")
        || (text.ends_with(')') && text.contains('(') && !text.contains(" 0x"))
}

/// `name = .`, `. = ALIGN (0x8)`, `PROVIDE (name = .)`. Symbols can contain an equals sign, but behind an angle bracket:
/// `dyn Iterator<Item = u8>`.
fn is_assignment(statement: &str) -> bool {
    let is_call = ["PROVIDE (", "PROVIDE_HIDDEN (", "HIDDEN (", "ASSERT ("]
        .iter()
        .any(|keyword| statement.starts_with(keyword));
    is_call
        || statement
            .split_once(" = ")
            .is_some_and(|(target, _)| !target.contains([' ', '<', '(', '{']))
}

/// Whether GNU ld makes the sections of this name. It books them under the first object of the link (often `Scrt1.o`),
/// which has nothing to do with them. The pieces of `.eh_frame` it makes for `.plt` cannot be told apart and stay there.
fn is_linker_made(name: &str) -> bool {
    const NAMES: [&str; 23] = [
        ".interp",
        ".note.gnu.build-id",
        ".note.gnu.property",
        ".hash",
        ".gnu.hash",
        ".dynsym",
        ".dynstr",
        ".gnu.version",
        ".gnu.version_d",
        ".gnu.version_r",
        ".relr.dyn",
        ".plt",
        ".plt.got",
        ".plt.sec",
        ".iplt",
        ".eh_frame_hdr",
        ".dynamic",
        ".got",
        ".got.plt",
        ".igot",
        ".igot.plt",
        ".dynbss",
        ".data.rel.ro.dynbss",
    ];
    name.starts_with(".rela.") || name.starts_with(".rel.") || NAMES.contains(&name)
}

//! C++ names of the Itanium scheme, through `cpp_demangle`.
//!
//! Microsoft's scheme is not read. Texts follow `cpp_demangle`; what is added are limits and escapes.

use std::fmt;

use cpp_demangle::{
    BorrowedSymbol, DemangleNodeType, DemangleOptions, DemangleWrite, ParseOptions,
};

use crate::text::Sink;
use crate::{Genericity, Shape};

/// Longer names are not read: `cpp_demangle` needs memory for each node and time for each attempt at an alternative.
const MAX_SYMBOL: usize = 64 * 1024;

/// How deeply the productions of a name may nest. Where a name is wrong at its end, `cpp_demangle` 0.5.1 tries the
/// alternatives of each template around the place anew: at its own limit of 96 a few hundred bytes take more than a
/// second, at 64 some milliseconds. All 36,933 C++ names of LLVM 22 need 56 or less.
const MAX_DEPTH: u32 = 64;

/// How many nodes of a name are visited for one text; substitutions can show the same node many times without a letter.
const MAX_NODES: usize = 1_000_000;

/// A name that `cpp_demangle` accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Encoding<'a> {
    /// From `_Z` on, without the suffix.
    sym: &'a str,
}

impl<'a> Encoding<'a> {
    /// Reads the name at the start of `symbol`; returns it and what follows it.
    pub(crate) fn parse(symbol: &'a str) -> Option<(Self, &'a str)> {
        if symbol.len() > MAX_SYMBOL || !is_mangled(symbol) {
            return None;
        }
        // Clone suffixes are part of `cpp_demangle`'s grammar, but here they are a suffix like any other.
        let (sym, suffix) = symbol
            .find(['.', '@'])
            .map_or((symbol, ""), |end| symbol.split_at(end));
        let encoding = Self { sym };
        encoding.symbol()?;
        Some((encoding, suffix))
    }

    fn symbol(&self) -> Option<BorrowedSymbol<'a>> {
        let options = ParseOptions::default().recursion_limit(MAX_DEPTH);
        BorrowedSymbol::new_with_options(self.sym.as_bytes(), &options).ok()
    }

    pub(crate) fn shape(&self) -> Shape {
        let name = self.sym.trim_start_matches('_');
        if name.starts_with("ZTV") || name.starts_with("ZTC") {
            Shape::Vtable
        } else if name.starts_with("ZTI") || name.starts_with("ZTS") || name.starts_with("ZTT") {
            Shape::Other
        } else {
            Shape::Function
        }
    }

    pub(crate) fn genericity(&self) -> Genericity {
        let mut search = TemplateSearch {
            found: false,
            writes_left: MAX_NODES,
        };
        if let Some(symbol) = self.symbol() {
            // An error means that the search is over.
            let _ = symbol.structured_demangle(&mut search, &family_options());
        }
        if search.found {
            Genericity::Generic
        } else {
            Genericity::Plain
        }
    }

    pub(crate) fn write_full<W: fmt::Write + ?Sized>(&self, out: &mut Sink<'_, W>) -> fmt::Result {
        self.write(out, DemangleOptions::new(), Templates::Shown)
    }

    pub(crate) fn write_family<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
    ) -> fmt::Result {
        self.write(out, family_options(), Templates::Hidden)
    }

    fn write<W: fmt::Write + ?Sized>(
        &self,
        out: &mut Sink<'_, W>,
        options: DemangleOptions,
        templates: Templates,
    ) -> fmt::Result {
        let Some(symbol) = self.symbol() else {
            return out.name(self.sym);
        };
        let mut writer = Writer {
            out,
            templates,
            opening: String::new(),
            awaits_closing: false,
            failed: false,
            nesting: Vec::new(),
            hidden: 0,
            nodes: 0,
        };
        let result = symbol
            .structured_demangle(&mut writer, &options)
            .and_then(|()| writer.flush());
        if result.is_err() && !writer.failed {
            // The library gave up on a name that it had accepted.
            return out.put("{recursion limit reached}");
        }
        result
    }
}

/// `_Z`, one underscore more on Mach-O, and two more for Apple's blocks. Without this check `cpp_demangle` would read
/// any text that could be a type.
fn is_mangled(symbol: &str) -> bool {
    let unprefixed = symbol.trim_start_matches('_');
    unprefixed.starts_with('Z') && unprefixed.len() < symbol.len()
}

/// A function is the same one for all its template arguments; its parameters are spelled out of them.
fn family_options() -> DemangleOptions {
    DemangleOptions::new().no_params().no_return_type()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Templates {
    Shown,
    Hidden,
}

struct Writer<'s, 'w, W: ?Sized> {
    out: &'s mut Sink<'w, W>,
    templates: Templates,
    /// Blanks and `<` that were not passed on yet: they belong to template arguments if these open next.
    opening: String,
    /// Whether the `>` of hidden template arguments comes next.
    awaits_closing: bool,
    /// Whether the last error came from here and not from the library.
    failed: bool,
    /// For each open node, whether it hides what is inside.
    nesting: Vec<bool>,
    hidden: usize,
    nodes: usize,
}

impl<W: fmt::Write + ?Sized> Writer<'_, '_, W> {
    fn flush(&mut self) -> fmt::Result {
        let result = self.out.name(&self.opening);
        self.opening.clear();
        result
    }

    fn try_write(&mut self, text: &str) -> fmt::Result {
        if self.nodes > MAX_NODES {
            return self.out.refuse();
        }
        if self.hidden > 0 {
            return self.out.spend(text.len());
        }
        if std::mem::take(&mut self.awaits_closing) && text == ">" {
            return Ok(());
        }
        if self.templates == Templates::Hidden && matches!(text, " " | "<") {
            self.opening.push_str(text);
            return Ok(());
        }
        self.flush()?;
        self.out.name(text)
    }
}

impl<W: fmt::Write + ?Sized> DemangleWrite for Writer<'_, '_, W> {
    fn push_demangle_node(&mut self, node: DemangleNodeType) {
        let hides = self.templates == Templates::Hidden && node == DemangleNodeType::TemplateArgs;
        if hides && self.hidden == 0 && self.opening.ends_with('<') {
            self.opening.pop();
            // A blank keeps `operator<` and its arguments apart.
            self.opening.truncate(self.opening.trim_end().len());
        }
        self.nesting.push(hides);
        self.hidden += usize::from(hides);
        self.nodes = self.nodes.saturating_add(1);
    }

    fn write_string(&mut self, text: &str) -> fmt::Result {
        let result = self.try_write(text);
        self.failed |= result.is_err();
        result
    }

    fn pop_demangle_node(&mut self) {
        if self.nesting.pop() == Some(true) {
            self.hidden -= 1;
            self.awaits_closing = self.hidden == 0;
        }
    }
}

/// Stops at the first template argument.
struct TemplateSearch {
    found: bool,
    writes_left: usize,
}

impl DemangleWrite for TemplateSearch {
    fn push_demangle_node(&mut self, node: DemangleNodeType) {
        self.found |= node == DemangleNodeType::TemplateArgs;
    }

    fn write_string(&mut self, _: &str) -> fmt::Result {
        self.writes_left = self.writes_left.saturating_sub(1);
        if self.found || self.writes_left == 0 {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

//! What the name of a symbol says of its cause.

use std::fmt;

use memchr::memmem;
use whittle_names::{Genericity, Name, Scheme, Shape};

use crate::cause::Cause;
use crate::crates::Family;

/// No path of the standard library, and of no honest program, comes near this many bytes.
const MAX_TEXT: usize = 1 << 14;

/// Texts of one name, in buffers that are used for one name after the other.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    module: String,
    family: String,
    trait_: String,
}

/// What the name of a symbol says, apart from the crate.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Symbol<'a> {
    symbol: &'a str,
    name: Option<Name<'a>>,
}

impl<'a> Symbol<'a> {
    /// Reads a symbol. Of bytes that are no text nothing is known.
    pub(crate) fn new(symbol: &'a [u8]) -> Self {
        let symbol = std::str::from_utf8(symbol).unwrap_or_default();
        Self {
            symbol,
            name: Name::parse(symbol).or_else(|| Name::parse_owner(symbol)),
        }
    }

    /// Whether a Rust compiler made the name.
    pub(crate) fn is_rust(&self) -> bool {
        self.name.is_some_and(|name| name.scheme() != Scheme::Cpp)
    }

    /// The crate that defines it, as far as the name says.
    pub(crate) fn crate_name(&self) -> Option<&'a str> {
        Some(self.name?.defining_crate().likely()?.name)
    }

    /// Whether it is a closure by its name: `async` bodies are.
    pub(crate) fn is_closure(&self) -> bool {
        self.name.is_some_and(|name| name.shape() == Shape::Closure)
    }

    /// What all copies of a generic function have in common; nothing for what is not generic. Legacy names tell neither
    /// what is generic nor the closures of one function from each other, so these are left out.
    pub(crate) fn definition(&self) -> Option<String> {
        let name = self.name?;
        let is_wanted = match (name.scheme(), name.genericity()) {
            (Scheme::V0, genericity) => genericity == Genericity::Generic,
            (Scheme::Legacy, _) => name.shape() != Shape::Closure,
            _ => false,
        };
        if !is_wanted {
            return None;
        }
        let mut text = Limited(String::new());
        name.definition().write_to(&mut text).ok()?;
        Some(text.0)
    }

    /// Whether the name shows that it is generic.
    pub(crate) fn is_surely_generic(&self) -> bool {
        self.name
            .is_some_and(|name| name.genericity() == Genericity::Generic)
    }

    /// The first of the causes that a name alone can tell, in the order of the rules. `defined` and `compiled` say what
    /// sort of crate it was written and compiled in.
    pub(crate) fn cause(
        &self,
        texts: &mut Texts,
        defined: Family,
        compiled: Family,
    ) -> Option<Cause> {
        let Some(name) = self.name.filter(|name| name.scheme() != Scheme::Cpp) else {
            return is_of_unwinder(self.symbol).then_some(Cause::PanicMachinery);
        };
        texts.read(&name);
        let is_standard = defined == Family::Standard;
        if is_standard && texts.are_of_panics() {
            return Some(Cause::PanicMachinery);
        }
        if is_standard && texts.are_of_symbolizer()
            || compiled == Family::Standard && mentions_symbolizer(self.symbol)
        {
            return Some(Cause::BacktraceSymbolizer);
        }
        // `<&YourType as Debug>::fmt` is the standard library's by its path, and holds the derived code.
        let is_of_your_type = compiled == Family::Package
            && texts.trait_ == "core::fmt::Debug"
            && (name.genericity() == Genericity::Generic || texts.are_of_reference());
        if is_standard && !is_of_your_type && texts.are_of_formatting() {
            return Some(Cause::FormattingMachinery);
        }
        if (!is_standard || is_of_your_type) && texts.are_of_derivable_impl() {
            return Some(Cause::DerivableImpls);
        }
        match name.shape() {
            Shape::DropGlue => Some(Cause::DropGlue),
            Shape::Vtable => Some(Cause::Vtables),
            _ => None,
        }
    }
}

impl Texts {
    fn read(&mut self, name: &Name<'_>) {
        let write = |text: &mut String, view: &dyn Fn(&mut Limited) -> fmt::Result| {
            let mut limited = Limited(std::mem::take(text));
            limited.0.clear();
            if view(&mut limited).is_err() {
                // A path cut short must not look like another.
                limited.0.clear();
            }
            *text = limited.0;
        };
        write(&mut self.module, &|out| name.module().write_to(out));
        write(&mut self.family, &|out| name.family().write_to(out));
        write(&mut self.trait_, &|out| {
            name.implemented_trait().write_to(out)
        });
    }

    fn is_in(&self, modules: &[&str]) -> bool {
        modules.iter().any(|module| {
            self.module
                .strip_prefix(module)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        })
    }

    /// The segments of the path, with those of the type and the trait of an `impl` block.
    fn segments(&self) -> impl Iterator<Item = &str> {
        self.family.split("::")
    }

    fn last(&self) -> &str {
        self.segments().last().unwrap_or_default()
    }

    /// Starts, reports, ends a panic: its modules, and the functions that only end in one.
    fn are_of_panics(&self) -> bool {
        const MODULES: &[&str] = &[
            "core::panic",
            "core::panicking",
            "panic_abort",
            "panic_unwind",
            "std::panic",
            "std::panicking",
            "std::alloc::rust_oom",
            "unwind",
        ];
        const ENTRIES: &[&str] = &[
            "__rust_drop_panic",
            "__rust_foreign_exception",
            "__rust_panic_cleanup",
            "__rust_start_panic",
            "__rust_end_short_backtrace",
            "capacity_overflow",
            "handle_alloc_error",
            "handle_error",
            "rust_begin_unwind",
            "rust_eh_personality",
            "rust_oom",
            "rust_panic",
        ];
        // Both hold the closure that they call: the program's own code, and not why panics cost bytes.
        let calls_closure = self
            .segments()
            .any(|segment| matches!(segment, "catch_unwind" | "try"))
            || self.trait_.starts_with("core::ops::function::");
        let only_fails = |segment: &str| {
            segment.ends_with("_fail")
                || segment.ends_with("_failed")
                || segment.starts_with("panic_")
                || ENTRIES.contains(&segment)
        };
        !calls_closure && (self.is_in(MODULES) || self.segments().any(only_fails))
    }

    fn are_of_symbolizer(&self) -> bool {
        const MODULES: &[&str] = &[
            "addr2line",
            "adler2",
            "gimli",
            "miniz_oxide",
            "object",
            "rustc_demangle",
            "std::backtrace",
            "std::backtrace_rs",
            "std::sys::backtrace",
            "std::sys_common::backtrace",
        ];
        // What runs the program's `main` and its threads.
        let is_frame = self
            .segments()
            .any(|segment| segment == "__rust_begin_short_backtrace");
        self.is_in(MODULES) && !is_frame
    }

    /// Turns values into text: `core::fmt`, the algorithms for numbers, and what implements its traits in the standard
    /// library.
    fn are_of_formatting(&self) -> bool {
        const MODULES: &[&str] = &[
            "alloc::fmt",
            "core::fmt",
            "core::num::flt2dec",
            "core::num::fmt",
            "core::num::imp::flt2dec",
            "core::num::imp::fmt",
        ];
        self.is_in(MODULES)
            || self.trait_.starts_with("core::fmt::")
            || self.segments().any(|segment| segment == "write_fmt")
    }

    /// Implemented for references to any type, as legacy names write it.
    fn are_of_reference(&self) -> bool {
        self.family.starts_with("<&T as ") || self.family.starts_with("<&mut T as ")
    }

    /// A method that `derive` of the standard library's traits writes.
    fn are_of_derivable_impl(&self) -> bool {
        let methods: &[&str] = match self.trait_.as_str() {
            "core::fmt::Debug" => &["fmt"],
            "core::clone::Clone" => &["clone"],
            "core::cmp::PartialEq" => &["eq", "ne"],
            "core::cmp::Eq" => &["assert_receiver_is_total_eq", "assert_fields_are_eq"],
            "core::cmp::PartialOrd" => &["partial_cmp", "lt", "le", "gt", "ge"],
            "core::cmp::Ord" => &["cmp"],
            "core::hash::Hash" => &["hash"],
            "core::default::Default" => &["default"],
            _ => return false,
        };
        methods.contains(&self.last())
    }
}

/// Functions and variables of the unwinder that no scheme mangles: the C interface of exceptions (Itanium C++ ABI,
/// "Exception Handling") and rustc's own hooks.
fn is_of_unwinder(symbol: &str) -> bool {
    symbol.starts_with("_Unwind_")
        || matches!(
            symbol,
            "rust_eh_personality"
                | "DW.ref.rust_eh_personality"
                | "rust_begin_unwind"
                | "rust_panic"
                | "__rust_start_panic"
                | "__rust_panic_cleanup"
        )
}

/// Whether a symbol mentions a crate that the standard library brings along for backtraces, such as an instance of a
/// generic function for one of their types: by the crate's name with its length, or in a legacy type.
fn mentions_symbolizer(symbol: &str) -> bool {
    const CRATES: &[&str] = &[
        "5gimli",
        "9addr2line",
        "11miniz_oxide",
        "14rustc_demangle",
        "12backtrace_rs",
        "6object4read",
        "$LT$gimli..",
        "$LT$addr2line..",
        "$LT$std..backtrace_rs..",
    ];
    CRATES
        .iter()
        .any(|name| memmem::find(symbol.as_bytes(), name.as_bytes()).is_some())
}

/// A text that ends where no honest name goes on.
struct Limited(String);

impl fmt::Write for Limited {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        if self.0.len() + more.len() > MAX_TEXT {
            return Err(fmt::Error);
        }
        self.0.push_str(more);
        Ok(())
    }
}

//! Symbol names of compiled programs: Rust's (v0 and legacy) as a tree, C++'s through `cpp_demangle`.
//!
//! A demangler gives text. This crate answers what the text is asked for: which crate defines the item, which crate
//! compiled this copy of it, which source item it is a monomorphization of.
//!
//! ```
//! use whittle_names::{Name, Scheme, Shape};
//!
//! let name = Name::parse("_RINvNtCs7_4core3ptr13drop_in_placeNtNtCs9_5alloc6string6StringECs3_4demo").expect("v0");
//! assert_eq!(name.scheme(), Scheme::V0);
//! assert_eq!(name.to_string(), "core[9]::ptr::drop_in_place::<alloc[b]::string::String>");
//! assert_eq!(format!("{name:#}"), "core::ptr::drop_in_place::<alloc::string::String>");
//! assert_eq!(name.family().to_string(), "core::ptr::drop_in_place");
//! assert_eq!(name.shape(), Shape::DropGlue);
//!
//! // Who wrote it, and who compiled it:
//! assert_eq!(name.defining_crate().exact().map(|of| of.name), Some("core"));
//! assert_eq!(name.instantiating_crate().map(|of| of.name), Some("demo"));
//! ```
//!
//! It takes `&str` and borrows from it; it reads no files and keeps no state. Any input is allowed: names that were
//! made to harm cost bounded time and give bounded text (see [`MAX_TEXT`]), and no control or invisible formatting
//! character leaves through a text.

mod cpp;
mod crates;
pub mod legacy;
mod shape;
mod text;
pub mod v0;

use std::fmt;

pub use crates::{CrateRef, DefiningCrate};
pub use shape::{Genericity, Shape};
pub use text::{MAX_TEXT, Text};

use text::View;

/// How a name is mangled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scheme {
    /// Rust's own scheme, `_R…` (RFC 2603).
    V0,
    /// Rust's scheme in the clothes of C++, `_ZN…17h<hash>E`.
    Legacy,
    /// C++, Itanium ABI, `_Z…`.
    Cpp,
}

/// A symbol that follows one of the known schemes.
///
/// `Display` writes the full text, `{:#}` the short one; for Rust names these are what `rustc-demangle` writes.
#[derive(Clone, Copy, Debug)]
pub struct Name<'a> {
    symbol: &'a str,
    encoding: Encoding<'a>,
    suffix: &'a str,
    /// What of the suffix is a part of the text.
    printed_suffix: &'a str,
    /// Whether the whole symbol is harmless ASCII.
    printable: bool,
}

/// The parts of a [`Name`], by scheme.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Tree<'a> {
    /// The path of the item; see [`v0::Path::kind`].
    V0(v0::Path<'a>),
    /// The segments of the path; see [`legacy::Path::segments`].
    Legacy(legacy::Path<'a>),
    /// C++ names come as text only.
    Cpp,
}

#[derive(Clone, Copy, Debug)]
enum Encoding<'a> {
    V0(v0::Encoding<'a>),
    Legacy(legacy::Encoding<'a>),
    Cpp(cpp::Encoding<'a>),
}

impl<'a> Name<'a> {
    /// Reads a symbol as it stands in a symbol table.
    ///
    /// `None` if it follows no known scheme: a plain C name, an assembler label, a Microsoft C++ name; also for C++
    /// names of more than 64 KiB. One leading underscore more (Mach-O) or less (stripped by some Windows tools) is
    /// allowed for, as is a suffix such as `.llvm.123` or `.cold`.
    #[must_use]
    pub fn parse(symbol: &'a str) -> Option<Self> {
        let (stem, llvm_suffix) = split_llvm_suffix(symbol);
        let unprefixed = stem
            .strip_prefix("__")
            .or_else(|| stem.strip_prefix('_'))
            .unwrap_or(stem);
        let (encoding, rest) = if let Some(sym) = unprefixed.strip_prefix('R') {
            let (encoding, rest) = v0::Encoding::parse(sym)?;
            (Encoding::V0(encoding), rest)
        } else {
            let legacy = unprefixed
                .strip_prefix("ZN")
                .and_then(legacy::Encoding::parse)
                .filter(|(_, rest)| is_suffix(rest));
            match legacy {
                Some((encoding, rest)) if encoding.is_surely_rust() => {
                    (Encoding::Legacy(encoding), rest)
                }
                _ => match (cpp::Encoding::parse(stem), legacy) {
                    (Some((encoding, rest)), _) => (Encoding::Cpp(encoding), rest),
                    (None, Some((encoding, rest))) => (Encoding::Legacy(encoding), rest),
                    (None, None) => return None,
                },
            }
        };
        if !is_suffix(rest) {
            return None;
        }
        Some(Self {
            symbol,
            encoding,
            suffix: &symbol[symbol.len() - rest.len() - llvm_suffix.len()..],
            printed_suffix: rest,
            printable: text::is_printable_ascii(symbol),
        })
    }

    /// For data that LLVM or a linker made for one item and named after it, the item: look-up tables of a `switch`
    /// (`.Lswitch.table.NAME`, `reltable.NAME`), indirect references of unwind tables (`DW.ref.NAME`).
    ///
    /// ```
    /// use whittle_names::Name;
    ///
    /// let owner = Name::parse_owner(".Lswitch.table._RNvCs1_4demo5price").expect("a look-up table");
    /// assert_eq!(owner.short().to_string(), "demo::price");
    /// assert!(Name::parse_owner("_RNvCs1_4demo5price").is_none());
    /// ```
    #[must_use]
    pub fn parse_owner(symbol: &'a str) -> Option<Self> {
        // Labels that the assembler keeps to itself start with `.L` on ELF, `L` or `l_` on Mach-O.
        let label = [".L", "l_", "L"]
            .iter()
            .find_map(|local| symbol.strip_prefix(local))
            .unwrap_or(symbol);
        let item = ["switch.table.", "reltable.", "DW.ref."]
            .iter()
            .find_map(|kind| label.strip_prefix(kind))?;
        Self::parse(item)
    }

    /// The symbol as it was given.
    #[must_use]
    pub fn symbol(&self) -> &'a str {
        self.symbol
    }

    /// How the symbol is mangled.
    ///
    /// A nested C++ name without parameters looks like a legacy name; only one with a hash or with Rust's escapes is
    /// taken for Rust's.
    #[must_use]
    pub fn scheme(&self) -> Scheme {
        match self.encoding {
            Encoding::V0(_) => Scheme::V0,
            Encoding::Legacy(_) => Scheme::Legacy,
            Encoding::Cpp(_) => Scheme::Cpp,
        }
    }

    /// What stands behind the mangled name, from its `.`, `$` or `@` on: `.llvm.123` of a symbol that LTO made
    /// unique, `.cold` of a part moved away, `.part.0`, `.isra.0`, `.constprop.0`, an ELF symbol version. Empty for
    /// most symbols.
    #[must_use]
    pub fn suffix(&self) -> &'a str {
        self.suffix
    }

    /// The crate whose source defines the item.
    ///
    /// v0: the root of the path; for `impl` blocks, also of traits, the crate that contains the block; for methods
    /// that a trait provides, the trait's. Legacy: the first segment of the path; for `<Type as Trait>::method` see
    /// [`DefiningCrate::OneOf`]. Closures and shims belong to the item around them. C++ has no crates.
    #[must_use]
    pub fn defining_crate(&self) -> DefiningCrate<'a> {
        match &self.encoding {
            Encoding::V0(encoding) => encoding
                .defining_crate()
                .map_or(DefiningCrate::Unknown, DefiningCrate::Exact),
            Encoding::Legacy(encoding) => encoding.defining_crate(),
            Encoding::Cpp(_) => DefiningCrate::Unknown,
        }
    }

    /// The crate whose compilation produced this copy of the item. Only v0 names hold it: those of monomorphizations
    /// and, without optimization, of `#[inline]` functions.
    #[must_use]
    pub fn instantiating_crate(&self) -> Option<CrateRef<'a>> {
        match &self.encoding {
            Encoding::V0(encoding) => encoding.instantiating_crate(),
            Encoding::Legacy(_) | Encoding::Cpp(_) => None,
        }
    }

    /// What all copies of one monomorphization have in common, whichever crate compiled them: the encoded path with
    /// its generic arguments. To compare, not to show.
    ///
    /// Only v0 names hold the arguments.
    ///
    /// ```
    /// use whittle_names::Name;
    ///
    /// let name = |symbol| Name::parse(symbol).expect("v0").instance();
    /// let in_demo = name("_RINvNtCs7_4core3mem4swaphECs3_4demo");
    /// assert!(in_demo.is_some());
    /// assert_eq!(in_demo, name("_RINvNtCs7_4core3mem4swaphECs5_5other"));
    /// assert_ne!(in_demo, name("_RINvNtCs7_4core3mem4swaptECs3_4demo"));
    /// assert_eq!(name("_ZN4core3mem4swap17h0123456789abcdefE"), None);
    /// ```
    #[must_use]
    pub fn instance(&self) -> Option<&'a str> {
        match &self.encoding {
            Encoding::V0(encoding) => Some(encoding.instance()),
            Encoding::Legacy(_) | Encoding::Cpp(_) => None,
        }
    }

    /// Whether the symbol is one of several monomorphizations of its item.
    #[must_use]
    pub fn genericity(&self) -> Genericity {
        match &self.encoding {
            Encoding::V0(encoding) => encoding.genericity(),
            Encoding::Legacy(encoding) => encoding.genericity(),
            Encoding::Cpp(encoding) => encoding.genericity(),
        }
    }

    /// The kind of item, as far as the name tells.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match &self.encoding {
            Encoding::V0(encoding) => encoding.shape(),
            Encoding::Legacy(encoding) => encoding.shape(),
            Encoding::Cpp(encoding) => encoding.shape(),
        }
    }

    /// The parts of the name.
    ///
    /// ```
    /// use whittle_names::v0::{Path, PathKind};
    /// use whittle_names::{Name, Tree};
    ///
    /// /// The trait of the `impl` block that an item, or the closure in it, belongs to.
    /// fn implemented_trait(path: Path<'_>) -> Option<String> {
    ///     match path.kind() {
    ///         PathKind::TraitImpl { trait_, .. } => Some(format!("{trait_:#}")),
    ///         PathKind::Nested { parent, .. } => implemented_trait(parent),
    ///         PathKind::Generic { base, .. } => implemented_trait(base),
    ///         _ => None,
    ///     }
    /// }
    ///
    /// let name = Name::parse("_RNvXCs1_4demoNtB2_5EntryNtNtCs2_4core3fmt5Debug3fmt").expect("v0");
    /// let Tree::V0(path) = name.tree() else { unreachable!() };
    /// assert_eq!(implemented_trait(path).as_deref(), Some("core::fmt::Debug"));
    /// ```
    #[must_use]
    pub fn tree(&self) -> Tree<'a> {
        match &self.encoding {
            Encoding::V0(encoding) => Tree::V0(encoding.path()),
            Encoding::Legacy(encoding) => Tree::Legacy(encoding.path()),
            Encoding::Cpp(_) => Tree::Cpp,
        }
    }

    /// Everything the name says: crate disambiguators, types of constants, the legacy hash, the suffix.
    /// The same as `Display`.
    #[must_use]
    pub fn full(&self) -> Text<'_, 'a> {
        Text::new(self, View::Full)
    }

    /// Without disambiguators, types of constants and hash. The same as `{:#}`.
    #[must_use]
    pub fn short(&self) -> Text<'_, 'a> {
        Text::new(self, View::Short)
    }

    /// What all monomorphizations of one source item have in common, for people: the path without generic arguments.
    ///
    /// For an item in an `impl` block, the block's self type and trait stay, without their arguments:
    /// `<alloc::vec::Vec as core::iter::traits::collect::Extend>::extend`. Where an instance shows a type that the
    /// source may have as a parameter, v0 families keep the outermost constructor (`<&_ as core::fmt::Debug>::fmt`),
    /// and `_` alone where the block's crate cannot know the type. A method that a trait provides is the trait's
    /// (`core::iter::traits::iterator::Iterator::map`). Inherent methods of named types read `alloc::vec::Vec::push`.
    ///
    /// Nearly one text for one item: blocks for types that differ only in what is left out share a family, as do
    /// crates of the same name, and the instances of a blanket `impl<T> Trait for T` for differently named types do
    /// not always. Group by
    /// [`Self::definition`] where that matters.
    #[must_use]
    pub fn family(&self) -> Text<'_, 'a> {
        Text::new(self, View::Family)
    }

    /// What all monomorphizations of one source item have in common, and only they: the path of the definition as rustc
    /// writes it, `core[c1f1a4ba060b9bfa]::any::{impl#0}::type_id`.
    ///
    /// `impl` blocks are told by their number in the module, which is stable until the source changes; crates by
    /// their disambiguator, which changes with compiler and profile. Other schemes do not hold these numbers: there
    /// it is the family.
    #[must_use]
    pub fn definition(&self) -> Text<'_, 'a> {
        Text::new(self, View::Definition)
    }

    /// The module of the definition: `crate::module::module`. Empty where the name does not tell (C++).
    ///
    /// v0: the module that contains the item, the trait that provides it or the `impl` block. Legacy: for `<Type as
    /// Trait>::method` the module of the type, or the trait's if the type is one of the language; else the segments
    /// in front of the item. Both are heuristic in one point: modules and types share a namespace, so what starts
    /// with a capital letter counts as a type; legacy names do not tell modules from functions either.
    #[must_use]
    pub fn module(&self) -> Text<'_, 'a> {
        Text::new(self, View::Module)
    }

    /// The trait, without its arguments, that the `impl` block around the item implements: `core::fmt::Debug`. Empty
    /// for items outside such blocks and for C++.
    #[must_use]
    pub fn implemented_trait(&self) -> Text<'_, 'a> {
        Text::new(self, View::ImplementedTrait)
    }

    /// What [`Self::family`] leaves out, in the order of the short text: `<Self = &u8> <u32>`.
    ///
    /// Empty for items without arguments and for C++ names. Legacy names show those of drop glue only.
    #[must_use]
    pub fn arguments(&self) -> Text<'_, 'a> {
        Text::new(self, View::Arguments)
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if f.alternate() {
            self.short().write_to(f)
        } else {
            self.full().write_to(f)
        }
    }
}

/// Splits off the `.llvm.` and digits that `ThinLTO` appends to make a local symbol unique.
fn split_llvm_suffix(symbol: &str) -> (&str, &str) {
    const MARK: &str = ".llvm.";
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'A'..=b'F' | b'@');
    let digits = symbol
        .bytes()
        .rev()
        .take_while(|byte| is_digit(*byte))
        .count();
    let Some(at) = symbol[..symbol.len() - digits]
        .strip_suffix(MARK)
        .map(str::len)
    else {
        return (symbol, "");
    };
    // An earlier mark is not followed by digits alone; `rustc-demangle` looks at the first one only.
    if symbol.find(MARK) == Some(at) {
        symbol.split_at(at)
    } else {
        (symbol, "")
    }
}

/// Whether tools may have appended `text` to a mangled name.
fn is_suffix(text: &str) -> bool {
    text.is_empty()
        || (text.starts_with(['.', '$', '@']) && text.bytes().all(|byte| byte.is_ascii_graphic()))
}

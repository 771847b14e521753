//! Crates as names know them.

use std::fmt;

use crate::text;

/// A crate, as far as a symbol says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CrateRef<'a> {
    /// The name as the symbol spells it: with `_` for `-`, and Punycode (which only names outside ASCII need)
    /// undecoded. The bytes are the file's own: escape them before they reach a terminal, or use `Display`, which
    /// does.
    pub name: &'a str,
    /// In v0 names, a number that tells crates of the same name apart (`-C metadata` hashed); printed in hexadecimal.
    /// It changes with the compiler and the profile. Legacy names have none.
    pub disambiguator: Option<u64>,
}

impl fmt::Display for CrateRef<'_> {
    /// `name[disambiguator]` as in the full text of a symbol; `{:#}` leaves the disambiguator out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        text::write_escaped(f, self.name.chars())?;
        match self.disambiguator {
            Some(disambiguator) if disambiguator != 0 && !f.alternate() => {
                write!(f, "[{disambiguator:x}]")
            }
            _ => Ok(()),
        }
    }
}

/// The crate whose source defines an item, as far as its symbol says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DefiningCrate<'a> {
    /// The symbol names it, or leaves no other.
    Exact(CrateRef<'a>),
    /// It is one of these, and the symbol does not say which.
    ///
    /// Legacy names of methods in `impl` blocks (`<Type as Trait>::method`) do not say where the block stands. But
    /// rustc prints this form only for blocks in the module of the type or in that of the trait; `core` and `alloc`
    /// cannot name what other crates define; and a type of the language has no module. Together these leave one crate
    /// for all but a few in a hundred names.
    OneOf {
        /// The crate of the self type, to be tried first. None where the text is not clear enough.
        self_type: Option<CrateRef<'a>>,
        /// The crate of the trait. None where the text is not clear enough.
        trait_: Option<CrateRef<'a>>,
    },
    /// The symbol does not say.
    Unknown,
}

impl<'a> DefiningCrate<'a> {
    /// The crate, if the symbol leaves no doubt.
    #[must_use]
    pub fn exact(self) -> Option<CrateRef<'a>> {
        match self {
            Self::Exact(crate_) => Some(crate_),
            Self::OneOf { .. } | Self::Unknown => None,
        }
    }

    /// The crate to assume where one must be assumed: the exact one, else the self type's, else the trait's.
    #[must_use]
    pub fn likely(self) -> Option<CrateRef<'a>> {
        match self {
            Self::Exact(crate_) => Some(crate_),
            Self::OneOf { self_type, trait_ } => self_type.or(trait_),
            Self::Unknown => None,
        }
    }
}

/// Whether the source of crate `home` cannot name anything that `other` defines: `core` depends on no crate, and
/// `alloc` on `core` alone. Crates of these names are taken for the standard library's.
pub(crate) fn cannot_name(home: &str, other: &str) -> bool {
    match home {
        "core" => other != "core",
        "alloc" => other != "core" && other != "alloc",
        _ => false,
    }
}

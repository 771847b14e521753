//! A lever: one setting that can make a program smaller, as data. The list is [`levers`](crate::levers).

use crate::class::Class;
use crate::libc::LibcVersion;

/// One setting, the values that are worth trying, and everything that decides whether to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lever {
    /// Its name in flags and documents, in the words of cargo or the linker.
    pub name: &'static str,
    /// The values that are worth trying.
    pub values: &'static [Value],
    /// What it may change besides the size.
    pub class: Class,
    /// What has to be built again to try it.
    pub rebuild: Rebuild,
    /// Whether a search tries it on its own.
    pub tried: Tried,
    /// What looks for the case in which it does harm.
    pub detector: Option<Detector>,
    /// What has to be there for it to mean anything.
    pub needs: &'static [Need],
    /// What it costs, in plain words.
    pub price: &'static str,
    /// A paragraph for somebody who never heard of it.
    pub about: &'static str,
}

/// One value of a lever and the lines that set it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Its name in flags and documents.
    pub name: &'static str,
    /// The lines that set it.
    pub lines: &'static [Line],
    /// Arguments of the linker's driver that do the same to a link that is run again.
    pub relink: &'static [&'static str],
    /// What has to be there for this value, besides what the lever needs.
    pub needs: &'static [Need],
}

/// One line of somebody's configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Line {
    /// A key of the profile, in `Cargo.toml`.
    Profile(&'static str, Scalar),
    /// A key of the profile for the program's own package alone (`[profile.NAME.package.OWN]`), in `Cargo.toml`.
    OwnPackage(&'static str, Scalar),
    /// An argument of rustc, in `rustflags`.
    Rustflag(&'static str),
    /// An argument of the linker's driver, in `rustflags` as `-Clink-arg=…`.
    LinkArgument(&'static str),
    /// A key of cargo's `[unstable]` table and its list.
    Unstable(&'static str, &'static [&'static str]),
}

/// A value in TOML.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// `"text"`
    Text(&'static str),
    /// `1`
    Number(u32),
    /// `true`
    Boolean(bool),
}

impl std::fmt::Display for Scalar {
    /// As it stands in TOML. The texts are names of options and need no escapes.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{text}\""),
            Self::Number(number) => number.fmt(f),
            Self::Boolean(boolean) => boolean.fmt(f),
        }
    }
}

/// What has to be built again when a setting changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rebuild {
    /// Nothing: the linker runs once more.
    Link,
    /// The last crate.
    LastCrate,
    /// Every crate of the program.
    AllCrates,
    /// Every crate, and the standard library.
    StandardLibrary,
}

/// Whether a search tries a lever on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tried {
    /// Yes, as far as its class is allowed.
    BySearch,
    /// Only if it is named in `--allow`.
    ByName,
}

/// What looks for the case in which a setting does harm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Detector {
    /// Code that lives on after a panic.
    CaughtPanics,
    /// Code that compares functions by their address.
    FunctionAddresses,
    /// Code that reads what `Debug` prints.
    DebugText,
    /// Code that replaces what is printed when the program panics.
    PanicHooks,
}

/// What has to be there for a setting to mean anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// The file is ELF.
    Elf,
    /// The settings, or the profile already, end the process on a panic.
    Abort,
    /// The settings do not end the process on a panic.
    Unwind,
    /// The settings do not ask for optimization across crates.
    NoLto,
    /// The settings build the standard library.
    OwnStd,
    /// A linker that folds identical code.
    FoldingLinker,
    /// A linker that packs relative relocations so that the C library loads them.
    PackingLinker,
    /// This linker is installed.
    Linker(&'static str),
    /// A toolchain that takes unstable settings was selected.
    Unstable,
    /// … and has the sources of the standard library.
    StdSources,
    /// The system loads the file only with this version of glibc or a later one.
    Glibc(LibcVersion),
    /// Flags for the program's crates do not reach build scripts and procedural macros.
    HostApart,
    /// Keys of the profile for one package reach the build.
    PackageKeys,
    /// The profile has this key switched on; else there is nothing to switch off.
    ProfileHas(&'static str),
}

impl Lever {
    /// The value of a name.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&'static Value> {
        self.values.iter().find(|value| value.name == name)
    }

    /// Whether a link that is run again shows what it does.
    #[must_use]
    pub fn is_link_only(&self) -> bool {
        self.rebuild == Rebuild::Link
    }
}

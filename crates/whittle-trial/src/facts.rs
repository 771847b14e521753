//! What is known before the first trial: the program as its author builds it, and the tools at hand.

use serde::{Deserialize, Serialize};

use crate::lever::{Need, Scalar, Value};
use crate::libc::LibcVersion;
use crate::settings::{Lines, Settings};

/// What is known before the first trial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Facts {
    /// The profile that ships, as it is.
    pub profile: Profile,
    /// The format of the file that ships.
    pub format: FileFormat,
    /// What the selected toolchain takes.
    pub toolchain: Capability,
    /// The linkers at hand, by the name that `-fuse-ld` takes.
    pub linkers: Vec<Linker>,
    /// Whether flags for the program's crates do not reach build scripts and procedural macros, as with `--target`.
    pub host_apart: bool,
    /// The version of glibc that the file needs today; nothing if it does not use glibc.
    pub libc_floor: Option<LibcVersion>,
    /// How settings of the linker are tried.
    pub link_trials: LinkTrials,
    /// Whether keys of the profile for one package reach the build: cargo takes them, and has no variable of the environment
    /// for them.
    pub package_keys: bool,
}

/// A profile of cargo's, inheritance and defaults resolved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Profile {
    /// `opt-level`: `0` to `3`, `s`, `z`.
    pub opt_level: String,
    /// `lto`: `off`, `thin`, `fat`, or `false` for the default within each crate.
    pub lto: String,
    /// `codegen-units`.
    pub codegen_units: u32,
    /// `panic`: `unwind`, `abort`.
    pub panic: String,
    /// `strip`: `none`, `debuginfo`, `symbols`.
    pub strip: String,
    /// Whether debug info is asked for.
    pub debug: bool,
    /// Whether arithmetic overflow is checked.
    pub overflow_checks: bool,
    /// Whether debug assertions are on.
    pub debug_assertions: bool,
}

impl Default for Profile {
    /// Cargo's `release`; see "Default profiles" in the Cargo book.
    fn default() -> Self {
        Self {
            opt_level: "3".to_owned(),
            lto: "false".to_owned(),
            codegen_units: 16,
            panic: "unwind".to_owned(),
            strip: "debuginfo".to_owned(),
            debug: false,
            overflow_checks: false,
            debug_assertions: false,
        }
    }
}

/// The format of an executable file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// Linux, the BSDs.
    Elf,
    /// An archive of object files for another linker: no setting of a linker reaches it.
    Archive,
    /// Anything else: only settings that every format has are tried.
    Other,
}

/// How settings of the linker are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkTrials {
    /// The last link of a build is run again, which takes a fraction of a second.
    Again,
    /// Each by a whole build: there is no link that could be run again.
    WholeBuild,
}

/// What a toolchain takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Stable settings only.
    Stable,
    /// Unstable settings as well.
    Unstable,
    /// … and it has the sources of the standard library.
    UnstableWithStdSources,
}

/// A linker at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Linker {
    /// `lld`, `mold`, `gold`, `bfd`.
    pub name: String,
    /// Whether the program is linked with it today.
    pub is_default: bool,
    /// Whether it folds identical code.
    pub folds: bool,
    /// Whether it packs relative relocations in the form that glibc loads.
    pub packs: bool,
}

/// Something that is needed and not there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unmet(pub Need);

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Need::Elf => f.write_str("it is for linked ELF files"),
            Need::Abort => f.write_str("it needs `panic = \"abort\"`"),
            Need::Unwind => f.write_str("it is for programs that unwind"),
            Need::NoLto => f.write_str("it is for programs without LTO"),
            Need::OwnStd => f.write_str("it needs `build-std`"),
            Need::FoldingLinker => f.write_str("no linker at hand folds identical code"),
            Need::PackingLinker => f.write_str("no linker at hand packs relocations"),
            Need::Linker(name) => write!(f, "the linker `{name}` is not installed"),
            Need::Unstable => f.write_str("it needs a nightly toolchain: `--toolchain nightly`"),
            Need::StdSources => f.write_str(
                "it needs a toolchain with the sources of the standard library: `--toolchain NAME`",
            ),
            Need::Glibc(version) => write!(f, "it needs glibc {version}: `--min-glibc {version}`"),
            Need::HostApart => f.write_str(
                "it would reach build scripts and procedural macros as well: `--target` keeps it from them",
            ),
            Need::PackageKeys => {
                f.write_str("the environment of a build command cannot say it for one package")
            }
            Need::ProfileHas(key) => write!(f, "the profile does not switch `{key}` on"),
        }
    }
}

impl Facts {
    /// Whether a setting is what the program has already.
    #[must_use]
    pub fn has_already(&self, lever: &str, value: &str) -> bool {
        let profile = &self.profile;
        match lever {
            "opt-level" => profile.opt_level == value,
            "lto" => profile.lto == value,
            "codegen-units" => profile.codegen_units.to_string() == value,
            "panic" => profile.panic == value,
            "strip" => profile.strip == value,
            "linker" => self
                .linkers
                .iter()
                .any(|linker| linker.name == value && linker.is_default),
            _ => false,
        }
    }

    /// The linker that settings choose.
    #[must_use]
    pub fn linker(&self, settings: &Settings) -> Option<&Linker> {
        let chosen = settings.get("linker");
        self.linkers.iter().find(|linker| match chosen {
            Some(name) => linker.name == name,
            None => linker.is_default,
        })
    }

    /// Whether a program with these settings ends at once when it panics.
    #[must_use]
    pub fn aborts(&self, settings: &Settings) -> bool {
        settings.get("panic") == Some("abort") || self.profile.panic != "unwind"
    }

    /// What is needed for a value and not there, the other settings being as given. The floor of the C library is a
    /// matter of the policy and always met here.
    #[must_use]
    pub fn unmet(&self, needs: &[Need], value: &Value, settings: &Settings) -> Option<Unmet> {
        needs
            .iter()
            .chain(value.needs)
            .find(|need| !self.meets(**need, settings))
            .copied()
            .map(Unmet)
    }

    fn meets(&self, need: Need, settings: &Settings) -> bool {
        let linker = || self.linker(settings);
        match need {
            Need::Elf => self.format == FileFormat::Elf,
            Need::Abort => self.aborts(settings),
            Need::Unwind => !self.aborts(settings),
            Need::NoLto => !matches!(settings.get("lto"), Some("fat" | "thin")),
            Need::OwnStd => settings.get("build-std").is_some(),
            Need::FoldingLinker => linker().is_some_and(|linker| linker.folds),
            Need::PackingLinker => linker().is_some_and(|linker| linker.packs),
            Need::Linker(name) => self.linkers.iter().any(|linker| linker.name == name),
            Need::Unstable => self.toolchain >= Capability::Unstable,
            Need::StdSources => self.toolchain >= Capability::UnstableWithStdSources,
            Need::Glibc(_) => true,
            Need::HostApart => self.host_apart,
            Need::PackageKeys => self.package_keys,
            Need::ProfileHas("debug") => self.profile.debug,
            Need::ProfileHas("overflow-checks") => self.profile.overflow_checks,
            Need::ProfileHas("debug-assertions") => self.profile.debug_assertions,
            Need::ProfileHas(_) => false,
        }
    }
}

impl Facts {
    /// The lines that settings stand for in this project.
    ///
    /// Cargo links a package that has keys of its own with the default `strip`, whatever the profile says (measured with
    /// 1.95): where symbols are stripped, the own package's keys say so again.
    #[must_use]
    pub fn lines(&self, settings: &Settings) -> Lines {
        let mut lines = settings.lines();
        let of_profile = (self.profile.strip == "symbols").then_some(Scalar::Text("symbols"));
        let strip = lines.profile.get("strip").copied().or(of_profile);
        if let (Some(strip), false) = (strip, lines.own_package.is_empty()) {
            lines.own_package.insert("strip", strip);
        }
        lines
    }

    /// Further arguments of the linker's driver that make a link, run again, what these settings ship: symbols are kept
    /// when a link is recorded, so the profile's own stripping is among them.
    #[must_use]
    pub fn relink_arguments(&self, settings: &Settings) -> Vec<&'static str> {
        let mut arguments = settings.relink_arguments();
        if settings.get("strip").is_none() {
            match self.profile.strip.as_str() {
                "symbols" => arguments.push("-Wl,--strip-all"),
                "debuginfo" => arguments.push("-Wl,--strip-debug"),
                _ => {}
            }
        }
        arguments
    }
}

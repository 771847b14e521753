//! Which toolchains are installed, and what each can do.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::semver::Version;

use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::event::{Events, Step};
use crate::toolchain::Toolchain;

/// A cargo with its compiler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstalledToolchain {
    /// Rustup's name for it, such as `nightly-x86_64-unknown-linux-gnu`; `None` for others, such as a distribution's.
    pub name: Option<String>,
    /// The program `cargo`.
    pub cargo: PathBuf,
    /// The program `rustc`.
    pub rustc: PathBuf,
    /// What the compiler says of itself.
    pub toolchain: Toolchain,
    /// Where the compiler finds its libraries.
    pub sysroot: PathBuf,
    /// Which promises its version makes.
    pub channel: Channel,
    /// The folder of the standard library's sources, which `build-std` needs.
    pub std_sources: Option<PathBuf>,
    /// The triples whose standard library is installed, sorted.
    pub targets: Vec<String>,
}

/// How finished a compiler is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Takes no unstable flags and features.
    Stable,
    /// As stable, and not released yet.
    Beta,
    /// Takes them.
    Nightly,
    /// Built by somebody from the sources, and takes them.
    Development,
}

impl Cargo {
    /// The toolchains that rustup has, in its order, and then those that lie beside each other in a folder of `PATH`,
    /// such as a distribution's. What does not answer is left out.
    ///
    /// # Errors
    /// None for what is missing, rustup included; only for a folder to work in that is not there.
    pub fn toolchains(
        &self,
        events: &mut Events<'_>,
    ) -> Result<Vec<InstalledToolchain>, CargoError> {
        self.check_directory()?;
        let mut found: Vec<InstalledToolchain> = Vec::new();
        let list = self.command("rustup".as_ref(), ["toolchain", "list", "-v"]);
        let list = self.quietly().output(Step::Toolchain, list, events);
        for (name, folder) in rustups(&list.unwrap_or_default()) {
            let mut toolchain = self.toolchain_in(&folder.join("bin"), events);
            if let Some(toolchain) = &mut toolchain {
                toolchain.name = Some(name);
            }
            found.extend(toolchain);
        }
        let path = self.variable("PATH").unwrap_or_default();
        for folder in env::split_paths(&path).filter(|folder| !is_rustups(folder)) {
            let toolchain = self.toolchain_in(&folder, events);
            let is_new =
                |new: &InstalledToolchain| found.iter().all(|known| known.sysroot != new.sysroot);
            found.extend(toolchain.filter(is_new));
        }
        Ok(found)
    }

    /// The toolchain whose cargo this is; its compiler is looked for beside it.
    ///
    /// # Errors
    /// [`CargoError::NoToolchain`] if there is none, or one that does not answer.
    pub fn toolchain_at(
        &self,
        cargo: &Path,
        events: &mut Events<'_>,
    ) -> Result<InstalledToolchain, CargoError> {
        let folder = cargo.parent().unwrap_or(Path::new("."));
        self.toolchain_in(folder, events)
            .ok_or_else(|| CargoError::NoToolchain {
                path: cargo.to_owned(),
            })
    }

    /// This cargo, with its settings, but of another toolchain.
    #[must_use]
    pub fn with_toolchain(&self, toolchain: &InstalledToolchain) -> Self {
        let mut cargo = self.clone();
        cargo.program = toolchain.cargo.clone().into();
        cargo.rustc = toolchain.rustc.clone().into();
        let set = |value: &Path| Some(OsString::from(value));
        cargo.environment.extend([
            ("CARGO".into(), set(&toolchain.cargo)),
            ("RUSTC".into(), set(&toolchain.rustc)),
            // Rustup's programs in `PATH` are called by build scripts, and ask this which one they are to be.
            (
                "RUSTUP_TOOLCHAIN".into(),
                toolchain.name.as_ref().map(OsString::from),
            ),
        ]);
        cargo
    }

    fn toolchain_in(&self, folder: &Path, events: &mut Events<'_>) -> Option<InstalledToolchain> {
        let program = |name: &str| {
            let path = folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
            path.is_file().then_some(path)
        };
        let (cargo, rustc) = (program("cargo")?, program("rustc")?);
        let asking = Self {
            rustc: rustc.clone().into(),
            ..self.quietly()
        };
        let toolchain = asking.toolchain(events).ok()?;
        let command = asking.command(&asking.rustc, ["--print", "sysroot"]);
        let sysroot = asking.output(Step::Toolchain, command, events).ok()?;
        let sysroot = PathBuf::from(sysroot.trim());
        let library = sysroot.join("lib/rustlib/src/rust/library");
        Some(InstalledToolchain {
            name: None,
            cargo,
            rustc,
            channel: Channel::of(&toolchain.release),
            std_sources: library.join("std/Cargo.toml").is_file().then_some(library),
            targets: targets(&sysroot.join("lib/rustlib")),
            toolchain,
            sysroot,
        })
    }

    /// For questions that may go unanswered: what is said then is nobody's trouble.
    fn quietly(&self) -> Self {
        Self {
            stderr: crate::Stderr::Events,
            ..self.clone()
        }
    }

    /// The value of a variable for the children.
    fn variable(&self, key: &str) -> Option<OsString> {
        let mut changes = self.environment.iter().rev();
        match changes.find(|(changed, _)| changed == OsStr::new(key)) {
            Some((_, value)) => value.clone(),
            None => env::var_os(key),
        }
    }
}

impl Channel {
    fn of(release: &str) -> Self {
        let version = Version::parse(release);
        let pre = version.as_ref().map_or("", |version| version.pre.as_str());
        match pre.split('.').next() {
            Some("nightly") => Self::Nightly,
            Some("beta") => Self::Beta,
            Some("dev") => Self::Development,
            _ => Self::Stable,
        }
    }

    /// Whether unstable flags and features are taken without more ado.
    #[must_use]
    pub fn takes_unstable(self) -> bool {
        matches!(self, Self::Nightly | Self::Development)
    }
}

/// Reads `NAME[ (active, default)] FOLDER`; before rustup 1.28 a tab stands before the folder and other words in brackets.
fn rustups(list: &str) -> Vec<(String, PathBuf)> {
    let toolchain = |line: &str| {
        let (name, rest) = line.split_once(char::is_whitespace)?;
        let mut rest = rest.trim();
        while let Some((_, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
            rest = after.trim_start();
        }
        (!rest.is_empty()).then(|| (name.to_owned(), PathBuf::from(rest)))
    };
    list.lines().filter_map(toolchain).collect()
}

/// Whether the programs in a folder are rustup under other names: they are links to it, hard or symbolic.
fn is_rustups(folder: &Path) -> bool {
    let at = |name: &str| folder.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let real = |path: PathBuf| fs::canonicalize(path).ok();
    let is_link = real(at("cargo"))
        .and_then(|path| Some(path.file_stem()?.to_str()?.starts_with("rustup")))
        .unwrap_or(false);
    let stamp = |name: &str| crate::stamp::FileStamp::of(&at(name)).ok();
    let is_same = match (stamp("cargo"), stamp("rustup")) {
        (Some(cargo), Some(rustup)) => cargo.is_same_file(&rustup),
        _ => false,
    };
    is_link || is_same
}

fn targets(rustlib: &Path) -> Vec<String> {
    let has_std = |folder: &Path| {
        let files = fs::read_dir(folder.join("lib"));
        files.is_ok_and(|files| {
            files.flatten().any(|file| {
                let name = file.file_name();
                let name = name.to_string_lossy();
                name.starts_with("libstd-") || name.starts_with("libcore-")
            })
        })
    };
    let folders = fs::read_dir(rustlib).into_iter().flatten().flatten();
    let mut targets: Vec<String> = folders
        .filter(|folder| has_std(&folder.path()))
        .map(|folder| folder.file_name().to_string_lossy().into_owned())
        .collect();
    targets.sort();
    targets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rustups_list_is_read_in_both_forms() {
        let list = "stable-x86_64-unknown-linux-gnu (active, default) /home/me/.rustup/toolchains/stable\n\
                    mine /opt/my rust\n\
                    nightly (override)\t/r/nightly\n\
                    no installed toolchains\n\n";
        let expected = [
            (
                "stable-x86_64-unknown-linux-gnu",
                "/home/me/.rustup/toolchains/stable",
            ),
            ("mine", "/opt/my rust"),
            ("nightly", "/r/nightly"),
            ("no", "installed toolchains"), // no folder with programs
        ];
        let expected = expected.map(|(name, folder)| (name.to_owned(), PathBuf::from(folder)));
        assert_eq!(rustups(list), expected);
    }

    #[test]
    fn the_release_says_which_channel_it_is() {
        for (release, channel) in [
            ("1.95.0", Channel::Stable),
            ("1.97.0-nightly", Channel::Nightly),
            ("1.96.0-beta.3", Channel::Beta),
            ("1.96.0-dev", Channel::Development),
        ] {
            assert_eq!(Channel::of(release), channel);
        }
        assert!(Channel::Nightly.takes_unstable() && !Channel::Beta.takes_unstable());
    }
}

//! What can go wrong, on what, and what to do next.

use std::io;
use std::path::PathBuf;

use crate::artifact::ArtifactKind;
use crate::link::NotCaptured;
use crate::process::{Ending, ProcessError};

/// Why there is no build or no twin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CargoError {
    /// The program itself could not be started.
    #[error("cannot run `{program}`")]
    NotFound {
        /// `cargo` or `rustc`, or what the environment names instead.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// There is no package here.
    #[error("there is no `Cargo.toml` at `{path}`")]
    NoManifest {
        /// The file that was named, or the folder from which it was looked for upwards.
        path: PathBuf,
    },
    /// Cargo ran and failed; what it had to say went to stderr already.
    #[error("`{command}` failed ({ending})")]
    Failed {
        /// The command as it could be typed.
        command: String,
        /// How it ended.
        ending: Ending,
    },
    /// Cargo or rustc answered with something that cannot be read.
    #[error("cannot read what `{command}` printed")]
    Unreadable {
        /// The command as it could be typed.
        command: String,
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The build went well, but no program or linked library came out of it.
    #[error("nothing that was built is linked: {}", names(packages))]
    NothingLinks {
        /// The packages that were built.
        packages: Vec<String>,
    },
    /// A file that cargo said it had built is not there.
    #[error("`{path}` was built and is not there any more")]
    ArtifactVanished {
        /// The file.
        path: PathBuf,
    },
    /// A twin was asked for of something that no linker makes.
    #[error("`{target_name}` is a {kind}, which is not linked")]
    NotLinked {
        /// The target's name.
        target_name: String,
        /// What it is.
        kind: ArtifactKind,
    },
    /// Somebody else built at the same time, so that the twin's place held another file.
    #[error("another build replaced `{path}` while its twin was built")]
    Overtaken {
        /// The user's artifact.
        path: PathBuf,
    },
    /// There is no toolchain at a path, or it does not answer.
    #[error("there is no toolchain at `{path}`")]
    NoToolchain {
        /// Its cargo.
        path: PathBuf,
    },
    /// Something was built that is no part of the workspace.
    #[error("`{package}` is no package of this workspace")]
    NotOurs {
        /// Cargo's name for the package.
        package: String,
    },
    /// Tests were to judge an executable and do not run any.
    #[error("the tests do not run the program that is to be judged")]
    NoPlace,
    /// Tests could not be run at all.
    #[error("cannot run the tests in `{path}`")]
    Test {
        /// The executable of the tests.
        path: PathBuf,
        /// Why not.
        source: Box<ProcessError>,
    },
    /// The last link of a build could not be caught.
    #[error("cannot link again for `{target}`: {why}")]
    NotCaptured {
        /// What was built for.
        target: String,
        /// Why not.
        why: NotCaptured,
    },
    /// Cargo's configuration cannot be read.
    #[error("cannot read cargo's configuration")]
    Configuration {
        /// What is wrong with it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// What was asked for needs [`Cargo::helper`](crate::Cargo::helper).
    #[error("there is no helper to look after child processes")]
    NoHelper,
    /// A file or folder could not be read or written.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl CargoError {
    /// What the user can do about it.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        Some(match self {
            Self::NotFound { program, .. } if program.contains("rustc") => {
                "install Rust, or name the compiler in `RUSTC`".to_owned()
            }
            Self::NotFound { .. } => "install Rust, or name the program in `CARGO`".to_owned(),
            Self::NoManifest { .. } => {
                "go to the folder of a package, or name its manifest with `--manifest-path`".to_owned()
            }
            Self::Failed { command, .. } => {
                format!("cargo's own messages are above; `{command}` shows them again")
            }
            Self::Unreadable { .. } => {
                "check that `CARGO` and `RUSTC` name cargo and rustc themselves, or wrappers that print nothing of \
                 their own"
                    .to_owned()
            }
            Self::NothingLinks { .. } => {
                "a library has its bytes counted in the programs that use it: choose one with `--bin` or `--example`, \
                 or `-p` another package"
                    .to_owned()
            }
            Self::ArtifactVanished { .. } | Self::Overtaken { .. } => {
                "run it again when no other build works in this target directory".to_owned()
            }
            Self::NotLinked { .. } => {
                "its own members and symbols are all there is; look at the file itself".to_owned()
            }
            Self::NoToolchain { .. } => {
                "name a program `cargo` that has its `rustc` beside it, or a toolchain that `rustup toolchain list` shows"
                    .to_owned()
            }
            Self::Io { source, .. }
                if matches!(
                    source.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
                ) =>
            {
                "name a folder that can be written to with `--target-dir`".to_owned()
            }
            Self::NotOurs { .. }
            | Self::NoPlace
            | Self::Test { .. }
            | Self::NotCaptured { .. }
            | Self::Configuration { .. }
            | Self::NoHelper
            | Self::Io { .. } => return None,
        })
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

fn names(packages: &[String]) -> String {
    packages
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

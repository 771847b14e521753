//! What happens while cargo runs, for whoever shows progress.

use std::path::Path;

use cargo_metadata::PackageId;

/// Something that happened. Whoever draws decides what is worth a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A child process is about to run; the command as it could be typed into a shell.
    Running {
        /// What it is run for.
        step: Step,
        /// The program and its arguments, quoted.
        command: &'a str,
    },
    /// Cargo is done with one crate.
    Compiled {
        /// Whose crate it is.
        package: &'a PackageId,
        /// The crate's name as cargo spells it.
        target_name: &'a str,
        /// Whether it had to be compiled.
        freshness: Freshness,
    },
    /// A line of cargo's stderr, without its line end. Only with [`Stderr::Events`](crate::Stderr::Events).
    Stderr(&'a str),
    /// A line on stdout that is no message of cargo's: procedural macros and compiler wrappers may print there.
    Stdout(&'a str),
    /// Another process of this tool works in the same target directory; this one waits until it is done.
    Waiting {
        /// The file that the other process holds.
        lock: &'a Path,
    },
    /// An earlier run was killed while a twin lay in the place of this file; the file is back now.
    Restored {
        /// The user's artifact.
        path: &'a Path,
    },
    /// The linker could not be made to write a link map; the twin is built once more without.
    MapRefused,
}

/// What a child process is run for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// To find the workspace and its target directory.
    Workspace,
    /// To ask the compiler for its version.
    Toolchain,
    /// To build what the user ships.
    Build,
    /// To read the resolved dependencies.
    Dependencies,
    /// To build a twin.
    Twin,
    /// To learn which flags the user's configuration gives to the compiler.
    Flags,
    /// To build under other settings.
    Variant,
    /// To compile or run the user's tests.
    Tests,
    /// To change the version of a dependency in a lock file.
    Update,
}

/// Whether a crate had to be compiled or was there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Compiled just now.
    Compiled,
    /// Left by an earlier build, and still good.
    Fresh,
}

impl Freshness {
    pub(crate) fn of(artifact: &cargo_metadata::Artifact) -> Self {
        if artifact.fresh {
            Self::Fresh
        } else {
            Self::Compiled
        }
    }
}

/// Takes the events, on the thread that called.
pub type Events<'e> = dyn FnMut(Event<'_>) + 'e;

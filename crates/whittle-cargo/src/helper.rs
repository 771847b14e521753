//! The second life of the executable: as the parent of a child process, or in place of a compiler or linker.
//!
//! These need a process of their own. A *supervisor* stands between this program and a command: it alone has that one
//! child, so that what its children used is what the command used, and it ends the command with all its descendants when
//! this program ends, however that happens. In place of the *compiler* it hears what cargo tells rustc, in
//! place of the *linker* it keeps what goes into a link (see [`CapturedLink`](crate::CapturedLink)).
//!
//! A program that uses this crate calls [`Helper::serve`] first thing in `main`.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::{compiler, link, process};

/// Set for a supervisor. Roles have a variable each and no argument: rustc alone decides what a linker's arguments are,
/// and a supervisor's command may be a cargo whose children have another role.
pub(crate) const SUPERVISOR: &str = "CARGO_WHITTLE_SUPERVISOR";
/// Set for a compiler, to the real one.
pub(crate) const COMPILER: &str = "CARGO_WHITTLE_RUSTC";
/// Set for a linker, to the real one.
pub(crate) const LINKER: &str = "CARGO_WHITTLE_LINKER";

/// The executable that calls [`Helper::serve`] when it starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helper {
    program: PathBuf,
}

impl Helper {
    /// This very program, which has called [`Helper::serve`].
    ///
    /// # Errors
    /// What the system says when it does not know the program's path.
    pub fn current() -> io::Result<Self> {
        env::current_exe().map(Self::at)
    }

    /// Another program that serves; tests have one of their own.
    #[must_use]
    pub fn at(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
        }
    }

    /// Where it is.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Does what was asked of this process if it was started as a helper, and returns what to exit with; `None` if it
    /// was started by somebody else.
    #[must_use]
    pub fn serve() -> Option<ExitCode> {
        let is_set = |role| env::var_os(role).is_some();
        let args = || env::args_os().skip(1).collect::<Vec<_>>();
        if is_set(SUPERVISOR) {
            Some(process::supervise(args()))
        } else if is_set(COMPILER) {
            Some(compiler::compile(&args()))
        } else if is_set(LINKER) {
            Some(link::link(args()))
        } else {
            None
        }
    }
}

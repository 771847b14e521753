//! The second life of the executable: as the parent of a child process, or as the linker of a build.
//!
//! Both need a process of their own. A *supervisor* stands between this program and a command: it alone has that one
//! child, so that what its children used is what the command used, and it ends the command with all its descendants when
//! this program ends, however that happens. A *linker* is what rustc calls (see [`Captured`](crate::Captured)).
//!
//! A program that uses this crate calls [`Helper::serve`] first thing in `main`.

use std::env;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::process;

/// Says which life is meant. A variable and no argument: rustc alone decides what a linker's arguments are.
pub(crate) const ROLE: &str = "CARGO_WHITTLE_HELPER";
pub(crate) const SUPERVISOR: &str = "supervisor";

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
        let role = env::var_os(ROLE)?;
        let args: Vec<OsString> = env::args_os().skip(1).collect();
        match role.to_str() {
            Some(SUPERVISOR) => Some(process::supervise(args)),
            // Set by somebody who means something else by it.
            _ => None,
        }
    }
}

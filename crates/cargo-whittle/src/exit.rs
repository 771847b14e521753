//! Exit codes: the one list of them.

use std::process::ExitCode;

/// How the program ends. Scripts rely on these numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, also when nothing was found.
    Done = 0,
    /// A check failed, or `--apply` kept nothing.
    Failed = 1,
    /// The user's trouble: a bad flag, a bad file, a build that fails.
    Trouble = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

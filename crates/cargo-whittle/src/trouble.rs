//! The user's trouble: what failed, on what, and what to do next.

use std::fmt;

/// An error with advice beside it. Shown as `error: … Caused by: … help: …`.
#[derive(Debug)]
pub(crate) struct Trouble {
    /// What was being done, and the causes below it.
    pub(crate) error: anyhow::Error,
    /// What to do next.
    pub(crate) help: Option<String>,
}

impl Trouble {
    /// An error with advice.
    pub(crate) fn new(error: impl Into<anyhow::Error>, help: impl Into<String>) -> Self {
        Self {
            error: error.into(),
            help: Some(help.into()),
        }
    }

    /// An error of which the user can only be told.
    pub(crate) fn plain(error: impl Into<anyhow::Error>) -> Self {
        Self {
            error: error.into(),
            help: None,
        }
    }

    /// Whether it is only that nobody reads the output any more, as in `cargo whittle | head`.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.error.chain().any(|cause| {
            let kind = cause
                .downcast_ref::<std::io::Error>()
                .map(std::io::Error::kind);
            kind == Some(std::io::ErrorKind::BrokenPipe)
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl From<whittle_cargo::CargoError> for Trouble {
    fn from(error: whittle_cargo::CargoError) -> Self {
        let help = error.help();
        Self {
            error: error.into(),
            help,
        }
    }
}

/// The result of what can end in the user's trouble.
pub(crate) type Outcome<T> = Result<T, Trouble>;

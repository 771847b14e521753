//! Reading files whole. They are not mapped: a build may rewrite them underneath.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, anyhow};

use crate::trouble::{Outcome, Trouble};

/// Reads a file. `what` says what it is to be, for the error.
pub(crate) fn read(path: &Path, what: &str) -> Outcome<Vec<u8>> {
    let facts = fs::metadata(path)
        .with_context(|| format!("cannot read {what} `{}`", path.display()))
        .map_err(Trouble::plain)?;
    if facts.is_dir() {
        return Err(Trouble::new(
            anyhow!("cannot read {what} `{}`: it is a folder", path.display()),
            "give the file itself, or run `cargo whittle` in a package to build it first",
        ));
    }
    if !facts.is_file() {
        // A pipe or a device may never end.
        return Err(Trouble::plain(anyhow!(
            "cannot read {what} `{}`: it is no regular file",
            path.display()
        )));
    }
    fs::read(path)
        .with_context(|| format!("cannot read {what} `{}`", path.display()))
        .map_err(Trouble::plain)
}

//! Lines of the history: one for each recorded run, JSON, appended.

use std::fs::{self, File};
use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, anyhow};
use whittle_cargo::Repository;
use whittle_ledger::Snapshot;
use whittle_report::history::Line;

use crate::trouble::{Outcome, Trouble};

/// Appends a line about a build. It is written at once, so that runs at the same time do not mix theirs.
pub(crate) fn record(path: &Path, snapshot: &Snapshot, today: &str) -> Outcome<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let revision = snapshot
        .build
        .as_ref()
        .and_then(|build| build.revision.clone());
    // The day of the commit, if the build is of one; it may be recorded long after.
    let date = revision
        .as_ref()
        .filter(|revision| !revision.ends_with('+'))
        .and_then(|revision| Repository::of(folder).ok()?.commit(revision).ok())
        .map_or_else(|| today.to_owned(), |commit| commit.date);
    let line = Line::of(snapshot, revision, date);
    let write = || -> std::io::Result<()> {
        let mut text = line.text();
        text.push('\n');
        let mut file = File::options().create(true).append(true).open(path)?;
        file.write_all(text.as_bytes())
    };
    write()
        .with_context(|| format!("cannot add to the history `{}`", path.display()))
        .map_err(Trouble::plain)
}

/// Reads all lines.
pub(super) fn read(path: &Path) -> Outcome<Vec<Line>> {
    let text = fs::read_to_string(path).map_err(|error| {
        let missing = error.kind() == ErrorKind::NotFound;
        let error = anyhow::Error::from(error)
            .context(format!("cannot read the history `{}`", path.display()));
        if missing {
            Trouble::new(
                error,
                "`cargo whittle check --record` writes it, a line each time",
            )
        } else {
            Trouble::plain(error)
        }
    })?;
    let lines: Vec<&str> = text.lines().collect();
    let mut history = Vec::new();
    for (at, line) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        history.push(Line::parse(line).map_err(|error| {
            Trouble::new(
                anyhow!("{error}").context(format!("`{}` line {}", path.display(), at + 1)),
                "remove the line, or use the version of cargo-whittle that wrote it",
            )
        })?);
    }
    Ok(history)
}

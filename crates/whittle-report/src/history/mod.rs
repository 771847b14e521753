//! How a size moved over time: `cargo whittle history`. A line of the history is a document of its own.

mod draw;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use whittle_ledger::{Axis, Snapshot};

pub use draw::{csv, json, markdown, text};

const FORMAT: &str = "cargo-whittle/history";
const VERSION: u32 = 1;

/// What is kept of one build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Line {
    format: String,
    version: u32,
    /// The program.
    pub program: String,
    /// The commit of the sources, where it is known; followed by `+` if files were changed since.
    pub revision: Option<String>,
    /// The day of the commit, or of the run where there is none: `2026-11-25`.
    pub date: String,
    /// What it was built for, where that is known.
    pub target: Option<String>,
    /// The profile, where it is known.
    pub profile: Option<String>,
    /// Bytes on disk.
    pub size: u64,
    /// Bytes in memory.
    pub memory: u64,
    /// Bytes compressed.
    pub compressed: Option<u64>,
    /// Bytes on disk by cause.
    pub causes: BTreeMap<String, u64>,
    /// Bytes on disk by the crate that defines them.
    pub crates: BTreeMap<String, u64>,
}

impl Line {
    /// What is to be kept of a build.
    #[must_use]
    pub fn of(snapshot: &Snapshot, revision: Option<String>, date: String) -> Self {
        let build = snapshot.build.as_ref();
        Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            program: build.map_or(&snapshot.file.name, |it| &it.program).clone(),
            revision,
            date,
            target: build.map(|it| it.target.clone()),
            profile: build.map(|it| it.profile.clone()),
            size: snapshot.file.size,
            memory: snapshot.file.memory,
            compressed: snapshot.file.compressed,
            causes: snapshot.sums(Axis::Cause),
            crates: snapshot.sums(Axis::Crate),
        }
    }

    /// The line, without its end.
    #[must_use]
    pub fn text(&self) -> String {
        // Texts and numbers can always be written.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let line: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if line.format != FORMAT {
            return Err(format!("it is no line of a history, but `{}`", line.format));
        }
        if line.version > VERSION {
            return Err(format!(
                "it has version {}, and this program reads {VERSION}",
                line.version
            ));
        }
        Ok(line)
    }
}

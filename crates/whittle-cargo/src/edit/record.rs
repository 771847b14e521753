//! What was changed, so that it can be taken back.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::EditError;
use super::document::Address;
use super::file::{self, FileEdit};
use crate::settings::SettingValue;

/// Where the record is, below the workspace's root.
const FILE: &str = ".cargo/whittle-undo.json";
const FORMAT: &str = "cargo-whittle/undo";
const VERSION: u32 = 1;

/// All edits that can be taken back, the last one last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Record {
    format: String,
    version: u32,
    pub(super) edits: Vec<Applied>,
}

/// One edit: changes in their order, each with its file below the root.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) struct Applied {
    pub(super) changes: Vec<(PathBuf, Change)>,
}

/// One change to a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Change {
    /// A table was made.
    Table(Vec<String>),
    /// A key was given a value.
    Set {
        address: Address,
        /// As it was written in the file, without what surrounds it.
        before: Option<String>,
        after: SettingValue,
    },
    /// Flags were put at the end of a list of flags.
    Extend {
        address: Address,
        flags: Vec<String>,
    },
}

impl Change {
    /// The key with its tables.
    pub(super) fn key(&self) -> String {
        match self {
            Self::Table(table) => table.join("."),
            Self::Set { address, .. } | Self::Extend { address, .. } => address.to_string(),
        }
    }
}

impl Record {
    pub(super) fn read(root: &Path) -> Result<Self, EditError> {
        let path = root.join(FILE);
        let Some(text) = file::read(&path)? else {
            return Ok(Self {
                format: FORMAT.to_owned(),
                version: VERSION,
                edits: Vec::new(),
            });
        };
        // Never overwritten if it cannot be read: it is all that is left of what was before.
        let wrong = |source: std::io::Error| EditError::io("understand", &path)(source);
        let record: Self = serde_json::from_str(&text).map_err(|error| wrong(error.into()))?;
        if record.format != FORMAT || record.version != VERSION {
            return Err(wrong(std::io::Error::other(
                "another version has written it",
            )));
        }
        Ok(record)
    }

    /// The change to the file that holds the record; without edits there is none.
    pub(super) fn write(&self, root: &Path) -> Result<FileEdit, EditError> {
        let path = root.join(FILE);
        let text = serde_json::to_string_pretty(self)
            .map_err(|error| EditError::io("write", &path)(error.into()))?;
        Ok(FileEdit {
            before: file::read(&path)?,
            after: (!self.edits.is_empty()).then(|| text + "\n"),
            path,
        })
    }
}

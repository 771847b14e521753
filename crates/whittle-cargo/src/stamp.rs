//! Telling whether a file is still the same file.

use std::fs;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

/// What changes when a file is written again, without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct FileStamp {
    /// In bytes.
    len: u64,
    modified: SystemTime,
    /// Device and number, where the system has such; two names with the same are one file.
    inode: Option<(u64, u64)>,
}

impl FileStamp {
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let metadata = fs::metadata(path)?;
        Ok(Self {
            len: metadata.len(),
            modified: metadata.modified()?,
            inode: inode(&metadata),
        })
    }

    /// Whether both are names of one file; `false` where that cannot be known.
    pub(crate) fn is_same_file(&self, other: &Self) -> bool {
        self.inode.is_some() && self.inode == other.inode
    }

    /// Whether a copy that was given the original's time has not been written since.
    pub(crate) fn is_unchanged_copy_of(&self, original: &Self) -> bool {
        self.len == original.len && self.modified == original.modified
    }
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no answer")]
fn inode(metadata: &fs::Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn inode(_: &fs::Metadata) -> Option<(u64, u64)> {
    None
}

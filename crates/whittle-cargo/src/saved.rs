//! Keeping the user's artifacts while a twin is built in their place.
//!
//! Cargo puts the twin of a program where the program is, and builds the twin of a library over the library itself
//! (names of dynamic libraries hold no hash, so there is only one of each). So the files are saved before and put back
//! after: when all goes well, when the build fails, when something panics ([`SavedFiles`] does it on drop), and, if the
//! process was killed in between, when the next one calls [`recover`]: a journal beside the saved files says whose they
//! are.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::CargoError;
use crate::event::{Event, Events};
use crate::stamp::FileStamp;

const JOURNAL: &str = "journal.json";
const FORMAT: &str = "cargo-whittle/saved-files";
const VERSION: u32 = 1;

/// Files that are put back when this is dropped. Hold the [`Lock`](crate::lock::Lock) of the target directory.
#[derive(Debug)]
pub(crate) struct SavedFiles {
    folder: PathBuf,
    files: Vec<SavedFile>,
}

/// How to keep a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keep {
    /// By a second name: quick, and what comes back is the same file. For files that are replaced, not written over:
    /// artifacts, which cargo removes before it runs rustc (rust-lang/cargo#8348).
    Link,
    /// By a copy, for files that are written in place: cargo's fingerprints.
    Copy,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct SavedFile {
    path: PathBuf,
    keep: Keep,
    original: FileStamp,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Journal {
    format: String,
    version: u32,
    files: Vec<SavedFile>,
}

impl SavedFiles {
    /// Saves files into `folder`, which is emptied first; what is not there is nothing to save.
    ///
    /// Files come back in this order, so what says that another file is good comes after that file.
    pub(crate) fn save(
        folder: &Path,
        files: impl IntoIterator<Item = (PathBuf, Keep)>,
    ) -> Result<Self, CargoError> {
        remove_folder(folder)?;
        fs::create_dir_all(folder).map_err(CargoError::io("create", folder))?;
        let mut saved = Vec::new();
        for (path, keep) in files {
            let original = match FileStamp::of(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                stamp => stamp.map_err(CargoError::io("read", &path))?,
            };
            let slot = slot(folder, saved.len());
            match keep {
                Keep::Link => link_or_copy(&path, &slot),
                Keep::Copy => copy(&path, &slot),
            }
            .map_err(CargoError::io("save", &path))?;
            saved.push(SavedFile {
                path,
                keep,
                original,
            });
        }
        // Only now: files that are not all saved need not be put back either, since nothing was built yet.
        let journal = Journal {
            format: FORMAT.to_owned(),
            version: VERSION,
            files: saved,
        };
        write_journal(folder, &journal)?;
        Ok(Self {
            folder: folder.to_owned(),
            files: journal.files,
        })
    }

    /// Puts everything back that has changed, and says which files those were.
    pub(crate) fn restore(mut self) -> Result<Vec<PathBuf>, CargoError> {
        self.put_back()
    }

    /// Forgets them: what is there now is to stay.
    pub(crate) fn discard(mut self) -> Result<(), CargoError> {
        self.files.clear();
        remove_folder(&self.folder)
    }

    fn put_back(&mut self) -> Result<Vec<PathBuf>, CargoError> {
        let mut restored = Vec::new();
        let mut first_error = None;
        for (index, file) in self.files.drain(..).enumerate() {
            match file.put_back(&slot(&self.folder, index)) {
                Ok(true) => restored.push(file.path),
                Ok(false) => {}
                // The others still can come back.
                Err(error) => {
                    first_error.get_or_insert(CargoError::io("put back", file.path)(error));
                }
            }
        }
        match first_error {
            // The journal stays: the next run tries again.
            Some(error) => Err(error),
            None => remove_folder(&self.folder).map(|()| restored),
        }
    }
}

impl Drop for SavedFiles {
    fn drop(&mut self) {
        // On the way out of an error or a panic, which is the news; what cannot be put back now is tried again by the
        // next run.
        if !self.files.is_empty() {
            let _ = self.put_back();
        }
    }
}

/// Puts back what a killed process saved into `folder`.
pub(crate) fn recover(folder: &Path, events: &mut Events<'_>) -> Result<(), CargoError> {
    let journal = match fs::read(folder.join(JOURNAL)) {
        Ok(bytes) => serde_json::from_slice::<Journal>(&bytes).ok(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(CargoError::io("read", folder.join(JOURNAL))(error)),
    };
    // A journal of another version, or none: cargo itself will notice what does not belong together.
    let Some(journal) =
        journal.filter(|journal| journal.format == FORMAT && journal.version == VERSION)
    else {
        return remove_folder(folder);
    };
    let saved = SavedFiles {
        folder: folder.to_owned(),
        files: journal.files,
    };
    for path in saved.restore()? {
        events(Event::Restored { path: &path });
    }
    Ok(())
}

impl SavedFile {
    /// Whether anything had to be done. Where the saved file itself is gone, nothing can be: cargo builds it again.
    fn put_back(&self, slot: &Path) -> io::Result<bool> {
        if !slot.is_file() {
            return Ok(false);
        }
        if let Ok(now) = FileStamp::of(&self.path) {
            let is_unchanged = match self.keep {
                Keep::Link => now == self.original,
                Keep::Copy => now.is_unchanged_copy_of(&self.original),
            };
            if is_unchanged {
                return Ok(false);
            }
        }
        // By renaming, so that there is no moment without the file.
        let mut beside = self.path.clone().into_os_string();
        beside.push(".whittle");
        let beside = PathBuf::from(beside);
        remove_file(&beside)?;
        match self.keep {
            Keep::Link => link_or_copy(slot, &beside),
            Keep::Copy => copy(slot, &beside),
        }?;
        if let Some(parent) = self.path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::rename(&beside, &self.path)?;
        Ok(true)
    }
}

/// A second name for a file, or a copy where the file system has no such thing.
pub(crate) fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::hard_link(from, to).or_else(|_| copy(from, to))
}

/// A copy with the original's permissions and time.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let modified = fs::metadata(from)?.modified()?;
    fs::copy(from, to)?;
    File::options().write(true).open(to)?.set_modified(modified)
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

pub(crate) fn remove_folder(folder: &Path) -> Result<(), CargoError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CargoError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

fn slot(folder: &Path, index: usize) -> PathBuf {
    folder.join(OsString::from(index.to_string()))
}

fn write_journal(folder: &Path, journal: &Journal) -> Result<(), CargoError> {
    let path = folder.join(JOURNAL);
    let explain = CargoError::io("write", &path);
    let write = || -> io::Result<()> {
        let file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&file, journal)?;
        file.persist(&path)?;
        Ok(())
    };
    write().map_err(explain)
}

#[cfg(test)]
mod tests;

//! Writing settings into the user's own files, and taking them back.
//!
//! Profile keys go into the `Cargo.toml` of the workspace's root, the only place where cargo reads profiles from; flags and
//! unstable features into `.cargo/config.toml` beside it. Only the keys of the settings change: comments, order, spacing
//! and line ends stay. An [`Edit`] is first a plan that can be shown; [`Edit::apply`] writes the files, each in one step.
//!
//! What was there before is kept in `.cargo/whittle-undo.json`: not in the target directory, which anybody may remove, but
//! where cargo's settings for this checkout are. [`Undo`] gives keys back that still hold what was written, and says
//! which do not.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::event::Events;
use crate::selection::Selection;
use crate::settings::Settings;

mod document;
mod file;
mod record;

use document::{Address, Document};
pub use file::FileEdit;
use record::{Applied, Change, Record};

/// What to write, and where.
#[derive(Clone, Debug)]
pub struct EditRequest<'a> {
    /// The folder of the workspace's root manifest.
    pub root: &'a Path,
    /// The profile that the settings are for.
    pub profile: &'a str,
    /// Writes to this profile instead, which inherits from the other; it is made if it is not there.
    pub into_profile: Option<&'a str>,
    /// What to write.
    pub settings: &'a Settings,
    /// The triple that flags are for; builds for others do not get them.
    pub target: &'a str,
    /// Flags that have to be repeated before the settings' own: what [`Cargo::shadowed_flags`] says.
    pub shadowed_flags: &'a [String],
}

/// Changes to files that are not made yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What becomes of each file that changes; empty if everything is written already.
    pub files: Vec<FileEdit>,
    root: PathBuf,
    applied: Applied,
}

/// What taking back the last edit changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undo {
    /// What becomes of each file that changes.
    pub files: Vec<FileEdit>,
    /// Keys that somebody has changed since and that stay as they are, such as `profile.release.opt-level`, each with
    /// the file it is in.
    pub kept: Vec<(PathBuf, String)>,
    root: PathBuf,
    rest: Record,
}

/// Why settings cannot be written or taken back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EditError {
    /// A file is no TOML.
    #[error("cannot read `{path}` as TOML")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where, and what is wrong.
        source: Box<toml_edit::TomlError>,
    },
    /// Something else than a table or a value of the right kind stands where one is needed.
    #[error("`{key}` in `{path}` is not what cargo takes there")]
    Shape {
        /// The file.
        path: PathBuf,
        /// The key with its tables.
        key: String,
    },
    /// The profile to write into is there and inherits from another.
    #[error("the profile `{profile}` is there already and does not inherit from `{wanted}`")]
    OtherProfile {
        /// The profile.
        profile: String,
        /// From which it should inherit.
        wanted: String,
    },
    /// No file of cargo's can hold a setting.
    #[error("{what} cannot be written into a file that cargo reads")]
    NotPersistent {
        /// The setting.
        what: &'static str,
    },
    /// A file has changed since the edit was planned.
    #[error("`{path}` has changed meanwhile")]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} `{path}`")]
    Io {
        /// What was to be done.
        action: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Cargo {
    /// The user's flags that would no longer be heard if flags for `target` alone were added to the configuration.
    ///
    /// Cargo takes `build.rustflags` only where no table for a target says anything. Whether that is so depends on files
    /// in several folders, so cargo is asked, with and without such a table. Flags in the environment are left aside:
    /// while they are set, cargo hears none of the configuration, before and after.
    ///
    /// # Errors
    /// As [`Cargo::rustflags`].
    pub fn shadowed_flags(
        &self,
        selection: &Selection,
        target: &str,
        events: &mut Events<'_>,
    ) -> Result<Vec<OsString>, CargoError> {
        let mut cargo = self.clone();
        let of_environment = ["CARGO_ENCODED_RUSTFLAGS", "RUSTFLAGS"];
        cargo
            .environment
            .extend(of_environment.map(|key| (key.into(), None)));
        let users = cargo.rustflags(selection, events)?;
        if users.is_empty() {
            return Ok(users);
        }
        let mut with_table = selection.clone();
        let target = toml_edit::Key::new(target);
        // A flag that does nothing.
        let table = format!(
            "target.{}.rustflags=[\"--cap-lints=warn\"]",
            target.display_repr()
        );
        with_table.config.push(table);
        let joined = cargo.rustflags(&with_table, events)?;
        let is_heard = users.iter().all(|flag| joined.contains(flag));
        Ok(if is_heard { Vec::new() } else { users })
    }
}

impl Edit {
    /// Works out what to change. Reads the files and writes nothing.
    ///
    /// # Errors
    /// [`EditError::Syntax`], [`EditError::Shape`], [`EditError::OtherProfile`] for what is in the files,
    /// [`EditError::NotPersistent`] for flags of the last crate alone and for [`Settings::bootstrap`].
    pub fn plan(request: &EditRequest<'_>) -> Result<Self, EditError> {
        let settings = request.settings;
        if !settings.last_crate.is_empty() {
            let what = "a flag for the last crate alone";
            return Err(EditError::NotPersistent { what });
        }
        if settings.bootstrap {
            let what = "`RUSTC_BOOTSTRAP`";
            return Err(EditError::NotPersistent { what });
        }
        let mut manifest = Document::open(request.root, Path::new("Cargo.toml"))?;
        let mut config = Document::open(request.root, &config_file(request.root))?;
        let mut applied = Applied::default();

        let has_keys = !(settings.profile.is_empty()
            && settings.packages.is_empty()
            && settings.build_override.is_empty());
        let profile = request.into_profile.unwrap_or(request.profile);
        if has_keys && profile != request.profile {
            let inherits = Address::new(&["profile", profile], "inherits");
            match manifest.text(&inherits)? {
                Some(inherited) if inherited == request.profile => {}
                None if !manifest.has_table(&inherits.table) => {
                    manifest.set(&inherits, &request.profile.into(), &mut applied)?;
                }
                _ => {
                    return Err(EditError::OtherProfile {
                        profile: profile.to_owned(),
                        wanted: request.profile.to_owned(),
                    });
                }
            }
        }
        for (key, value) in &settings.profile {
            let address = Address::new(&["profile", profile], key);
            manifest.set(&address, value, &mut applied)?;
        }
        for (key, value) in &settings.build_override {
            let address = Address::new(&["profile", profile, "build-override"], key);
            manifest.set(&address, value, &mut applied)?;
        }
        for (package, keys) in &settings.packages {
            for (key, value) in keys {
                let address = Address::new(&["profile", profile, "package", package], key);
                manifest.set(&address, value, &mut applied)?;
            }
        }

        for (key, value) in &settings.unstable {
            config.set(&Address::new(&["unstable"], key), value, &mut applied)?;
        }
        let mut flags = settings.rustflags.clone();
        let link_args = settings.link_args.iter();
        flags.extend(link_args.map(|arg| format!("-Clink-arg={arg}")));
        if !flags.is_empty() {
            let address = Address::new(&["target", request.target], "rustflags");
            let shadowed = request.shadowed_flags.iter().cloned();
            flags.splice(0..0, shadowed);
            config.extend(&address, &flags, &mut applied)?;
        }
        let files = [manifest, config].into_iter().filter_map(Document::finish);
        Ok(Self {
            files: files.collect(),
            root: request.root.to_owned(),
            applied,
        })
    }

    /// Writes the files and, before them, how to take the edit back.
    ///
    /// # Errors
    /// [`EditError::Changed`] if a file is not as it was planned for, [`EditError::Io`]; what was written until then is
    /// put back.
    pub fn apply(&self) -> Result<(), EditError> {
        if self.files.is_empty() {
            return Ok(());
        }
        let mut record = Record::read(&self.root)?;
        record.edits.push(self.applied.clone());
        let mut files = vec![record.write(&self.root)?];
        files.extend(self.files.iter().cloned());
        clear(&self.root);
        file::write_all(&files)
    }
}

impl Undo {
    /// Works out what taking back the last edit changes; `None` if there is none. Writes nothing.
    ///
    /// # Errors
    /// [`EditError::Syntax`] if a file is no TOML any more, [`EditError::Io`].
    pub fn plan(root: &Path) -> Result<Option<Self>, EditError> {
        let mut rest = Record::read(root)?;
        let Some(applied) = rest.edits.pop() else {
            return Ok(None);
        };
        let mut documents: Vec<Document> = Vec::new();
        let mut kept = Vec::new();
        for (name, change) in applied.changes.iter().rev() {
            if !documents.iter().any(|known| known.name() == name) {
                documents.push(Document::open(root, name)?);
            }
            let Some(document) = documents.iter_mut().find(|known| known.name() == name) else {
                continue;
            };
            if let Change::Table(table) = change {
                document.remove_empty(table);
            } else if !document.take_back(change) {
                kept.push((document.path().to_owned(), change.key()));
            }
        }
        let mut files: Vec<FileEdit> = documents.into_iter().filter_map(Document::finish).collect();
        files.sort_by(|a, b| a.path.cmp(&b.path));
        kept.reverse();
        Ok(Some(Self {
            files,
            kept,
            root: root.to_owned(),
            rest,
        }))
    }

    /// Writes the files, and forgets the edit.
    ///
    /// # Errors
    /// As [`Edit::apply`].
    pub fn apply(&self) -> Result<(), EditError> {
        let mut files = self.files.clone();
        files.push(self.rest.write(&self.root)?);
        clear(&self.root);
        file::write_all(&files)?;
        // The folder may have been made for the record; it stays when anything is in it.
        let _ = fs::remove_dir(self.root.join(".cargo"));
        Ok(())
    }
}

/// Removes what an earlier process has left that was killed while it wrote.
fn clear(root: &Path) {
    file::clear(root);
    file::clear(&root.join(".cargo"));
}

/// Cargo reads `.cargo/config` before `.cargo/config.toml` when both are there ("Hierarchical structure", Cargo book).
fn config_file(root: &Path) -> PathBuf {
    let old = Path::new(".cargo/config");
    if root.join(old).is_file() {
        old.to_owned()
    } else {
        PathBuf::from(".cargo/config.toml")
    }
}

fn parse(text: &str, path: &Path) -> Result<DocumentMut, EditError> {
    text.parse().map_err(|source| EditError::Syntax {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

impl EditError {
    fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}

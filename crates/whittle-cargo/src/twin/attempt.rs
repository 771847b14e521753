//! One build of a twin in the artifact's place, and everything back where it was.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cargo_metadata::Message;

use super::place::Place;
use crate::artifact::{self, Artifact, ArtifactKind};
use crate::build::{Build, build_directory, saved_folder};
use crate::cargo::Cargo;
use crate::compiler::Recording;
use crate::error::CargoError;
use crate::event::{Events, Step};
use crate::profile::ResolvedProfile;
use crate::saved::{Keep, SavedFiles, link_or_copy};
use crate::selection::{OneTarget, Selection};
use crate::stamp::FileStamp;
use crate::variant::features_of;

/// What leaves the symbols in.
const KEEP_SYMBOLS: &str = "-Cstrip=none";

/// One run of `cargo rustc`.
pub(super) struct Attempt<'a> {
    pub(super) cargo: &'a Cargo,
    pub(super) selection: &'a Selection,
    pub(super) build: &'a Build,
    pub(super) artifact: &'a Artifact,
    pub(super) place: &'a Place,
    pub(super) original: &'a FileStamp,
}

impl Attempt<'_> {
    pub(super) fn run(
        &self,
        map_args: &[OsString],
        events: &mut Events<'_>,
    ) -> Result<(Vec<Message>, Option<ResolvedProfile>), CargoError> {
        let args = self.args(map_args);
        self.place.clear()?;
        let saved = SavedFiles::save(&saved_folder(&self.build.workspace), self.files_to_save()?)?;
        let cargo = self.cargo;
        let mut command = cargo.command(&cargo.program, &args);
        let recording = match &cargo.helper {
            Some(helper) => {
                let recording = Recording::new()?;
                recording.listen(cargo, helper, &mut command);
                Some(recording)
            }
            None => None,
        };
        let messages = cargo.messages_of(Step::Twin, command, events)?.messages;
        self.take()?;
        saved.restore()?;
        let calls = recording.map(|it| it.calls()).transpose()?;
        Ok((messages, calls.and_then(profile)))
    }

    fn args(&self, map_args: &[OsString]) -> Vec<OsString> {
        let features = features_of(self.selection, self.build, self.artifact);
        let trailing = std::iter::once(KEEP_SYMBOLS.into()).chain(map_args.iter().cloned());
        self.selection.rustc_args(
            &self.artifact.package.repr,
            OneTarget::of(self.artifact),
            &features,
            trailing,
        )
    }

    /// The artifact and, for a library, whatever else cargo writes over when it is built with other flags.
    fn files_to_save(&self) -> Result<Vec<(PathBuf, Keep)>, CargoError> {
        let artifact = &self.artifact.path;
        let mut files = vec![(artifact.clone(), Keep::Link)];
        let Some(unit) = self
            .build
            .record
            .units
            .iter()
            .find(|unit| unit.files.contains(artifact))
        else {
            return Ok(files);
        };
        let siblings = unit.files.iter().filter(|file| *file != artifact);
        files.extend(siblings.map(|file| (file.clone(), Keep::Link)));
        let Some(folder) = self.private_folder() else {
            return Ok(files);
        };

        // What cargo keeps under the same name in `deps/` has no hash in its name, so the twin is built over it.
        let mut is_shared = false;
        for name in unit.files.iter().filter_map(|file| file.file_name()) {
            let private = folder.join("deps").join(name);
            if private.is_file() && !unit.files.contains(&private) {
                is_shared = true;
                files.push((private, Keep::Link));
            }
        }
        if is_shared && let Some(package) = self.build.record.package(&unit.package) {
            for path in fingerprints(&folder.join(".fingerprint"), &package.name)? {
                files.push((path, Keep::Copy));
            }
        }
        Ok(files)
    }

    /// Cargo's own folder of this profile: `deps/` and `.fingerprint/` are in it.
    fn private_folder(&self) -> Option<PathBuf> {
        let workspace = &self.build.workspace;
        let mut folder = self.artifact.path.parent()?;
        if self.artifact.kind == ArtifactKind::Example {
            folder = folder.parent()?;
        }
        let inside = folder.strip_prefix(&workspace.target_directory).ok()?;
        Some(build_directory(workspace).join(inside))
    }

    /// Moves what cargo has built from the artifact's place to its own.
    fn take(&self) -> Result<(), CargoError> {
        let path = &self.artifact.path;
        let built =
            FileStamp::of(path).map_err(|_| CargoError::ArtifactVanished { path: path.clone() })?;
        if built == *self.original {
            return Err(CargoError::Overtaken { path: path.clone() });
        }
        link_or_copy(path, &self.place.twin).map_err(CargoError::io("write", &self.place.twin))?;

        match self.private_folder() {
            Some(private) => artifact::forget(&private, &built, path),
            None => Ok(()),
        }
    }
}

/// The profile as cargo told it of the last crate, without the flag that makes a twin of it.
fn profile(calls: Vec<Vec<OsString>>) -> Option<ResolvedProfile> {
    calls.into_iter().rev().find_map(|mut call| {
        // Cargo itself has `-C` and the option in two words.
        let ours = call.iter().position(|arg| arg == KEEP_SYMBOLS)?;
        call.remove(ours);
        Some(ResolvedProfile::of(&call))
    })
}

/// Cargo's notes about what a package's crates were built from: `.fingerprint/NAME-HASH/*`.
fn fingerprints(folder: &Path, package: &str) -> Result<Vec<PathBuf>, CargoError> {
    let list = |folder: &Path| -> Result<Vec<PathBuf>, CargoError> {
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(CargoError::io("read", folder))?,
        };
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths
            .collect::<io::Result<Vec<_>>>()
            .map_err(CargoError::io("read", folder))?;
        paths.sort();
        Ok(paths)
    };
    let mut files = Vec::new();
    for folder in list(folder)? {
        let name = folder
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.rsplit_once('-'));
        if name.is_some_and(|(name, _hash)| name == package) && folder.is_dir() {
            files.extend(list(&folder)?.into_iter().filter(|path| path.is_file()));
        }
    }
    Ok(files)
}

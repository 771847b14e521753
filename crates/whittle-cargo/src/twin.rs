//! The explain twin: the same build once more, with its symbols left in and a link map beside it.
//!
//! Flags at the end of `cargo rustc … -- FLAGS` reach the last crate only and are no part of `-C metadata`, so symbol
//! names, codegen units and with them the loaded bytes stay what they are; changing the *profile* instead would change
//! them all. Cargo puts the result where the user's artifact is, so that one is kept and put back.
//!
//! The twin is then taken out of cargo's reach. A twin that cargo still had could be "fresh" while the map beside it is
//! that of another variant (other features, an edited profile): the map's path has to stay the same for all of them,
//! since cargo hashes these flags into file names and would keep a twin of every path for good. Whether a twin is still
//! good is decided by the user's own file instead: it was not written since.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cargo_metadata::{Message, Package, PackageId};
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, ArtifactKind};
use crate::build::{Build, build_directory, own_folder, saved_folder};
use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::event::{Event, Events, Step};
use crate::lock::Lock;
use crate::saved::{self, Keep, SavedFiles, link_or_copy, remove_file};
use crate::selection::{Features, OneTarget, Packages, Selection};
use crate::stamp::FileStamp;
use crate::toolchain::MapFlag;

/// The same artifact with its symbols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// The file, under `whittle/` in the target directory. Whether its loaded bytes are the artifact's is for the
    /// reader to check.
    pub path: PathBuf,
    /// The linker's map of that file.
    pub map: Option<PathBuf>,
    /// Whether it was built just now.
    pub origin: Origin,
    /// What is not as good as it could be.
    pub warnings: Vec<TwinWarning>,
}

/// Where a twin came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Built just now.
    Built,
    /// Left by an earlier run, and the artifact was not written since.
    Reused,
}

/// A doubt about a twin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum TwinWarning {
    /// There is no link map.
    NoMap {
        /// Why.
        why: NoMap,
    },
    /// Dependencies were compiled otherwise than for the artifact: `cargo rustc` takes one package, and cargo unites
    /// the features of all that it builds together. The twin may differ from the artifact.
    OtherDependencies {
        /// Whose crates they are.
        packages: Vec<PackageId>,
    },
}

/// Why there is no link map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum NoMap {
    /// Linkers for this target write none that could be read.
    TargetHasNone,
    /// The build failed with the flag and went well without: the linker does not know it.
    LinkerRefused,
    /// The linker took the flag and wrote nothing, or was not run.
    NotWritten,
}

impl Cargo {
    /// Builds the twin of one artifact of a build, or finds that of an earlier run. `selection` is the build's own.
    ///
    /// The artifact is left as it is: the same bytes and time, and `cargo build` has nothing to do afterwards.
    ///
    /// # Errors
    /// [`CargoError::NotLinked`] for a static library, [`CargoError::Failed`] if the build fails,
    /// [`CargoError::ArtifactVanished`] if the artifact is not there any more.
    pub fn twin(
        &self,
        selection: &Selection,
        build: &Build,
        artifact: &Artifact,
        events: &mut Events<'_>,
    ) -> Result<Twin, CargoError> {
        if artifact.kind == ArtifactKind::Staticlib {
            let target_name = artifact.target_name.clone();
            return Err(CargoError::NotLinked {
                target_name,
                kind: artifact.kind,
            });
        }
        let place = Place::of(build, artifact)?;
        let _lock = Lock::acquire(&own_folder(&build.workspace), events)?;
        saved::recover(&saved_folder(&build.workspace), events)?;

        let original = FileStamp::of(&artifact.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => CargoError::ArtifactVanished {
                path: artifact.path.clone(),
            },
            _ => CargoError::io("read", &artifact.path)(error),
        })?;
        if let Some(twin) = place.reuse(&original) {
            return Ok(twin);
        }

        let attempt = Attempt {
            cargo: self,
            selection,
            build,
            artifact,
            place: &place,
            original: &original,
        };
        let mut warnings = Vec::new();
        let messages = match MapFlag::for_target(&build.record.target) {
            MapFlag::None => {
                warnings.push(TwinWarning::NoMap {
                    why: NoMap::TargetHasNone,
                });
                attempt.run(&[], events)?
            }
            flag => match attempt.run(&place.map_args(flag), events) {
                Err(CargoError::Failed { .. }) => {
                    events(Event::MapRefused);
                    let messages = attempt.run(&[], events)?;
                    warnings.push(TwinWarning::NoMap {
                        why: NoMap::LinkerRefused,
                    });
                    messages
                }
                other => other?,
            },
        };
        let map = place.map.is_file().then(|| place.map.clone());
        if map.is_none() && warnings.is_empty() {
            warnings.push(TwinWarning::NoMap {
                why: NoMap::NotWritten,
            });
        }
        let packages = other_dependencies(&messages, build, artifact);
        if !packages.is_empty() {
            warnings.push(TwinWarning::OtherDependencies { packages });
        }
        let twin = Twin {
            path: place.twin.clone(),
            map,
            origin: Origin::Built,
            warnings,
        };
        place.remember(original, &twin)?;
        Ok(twin)
    }
}

/// Where the twin of an artifact is kept: paths that stay the same from run to run.
struct Place {
    folder: PathBuf,
    twin: PathBuf,
    map: PathBuf,
    stamp: PathBuf,
}

/// What has to be unchanged for a twin to be good.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Stamp {
    format: String,
    version: u32,
    artifact: FileStamp,
    twin: FileStamp,
    map: Option<FileStamp>,
    warnings: Vec<TwinWarning>,
}

const FORMAT: &str = "cargo-whittle/twin";
const VERSION: u32 = 1;

impl Place {
    /// `<target directory>/whittle/twin/<the artifact's own path below the target directory>/`.
    fn of(build: &Build, artifact: &Artifact) -> Result<Self, CargoError> {
        let vanished = || CargoError::ArtifactVanished {
            path: artifact.path.clone(),
        };
        let inside = artifact
            .path
            .strip_prefix(&build.workspace.target_directory)
            .map_err(|_| vanished())?;
        let folder = own_folder(&build.workspace).join("twin").join(inside);
        let name = artifact.path.file_name().ok_or_else(vanished)?;
        let with = |extension: &str| {
            let mut name = name.to_owned();
            name.push(extension);
            folder.join(name)
        };
        Ok(Self {
            twin: folder.join(name),
            map: with(".map"),
            stamp: with(".json"),
            folder,
        })
    }

    /// What makes the linker write its map, each a trailing argument of rustc.
    ///
    /// Not `-Wl,-Map=…`: a path may hold commas, at which compilers split that.
    fn map_args(&self, flag: MapFlag) -> Vec<OsString> {
        let mut map = OsString::from("-Clink-arg=-Map=");
        map.push(&self.map);
        match flag {
            MapFlag::ThroughDriver => vec!["-Clink-arg=-Xlinker".into(), map],
            MapFlag::Direct => vec![map],
            MapFlag::None => Vec::new(),
        }
    }

    fn reuse(&self, original: &FileStamp) -> Option<Twin> {
        let stamp: Stamp = serde_json::from_slice(&fs::read(&self.stamp).ok()?).ok()?;
        let map = stamp.map.is_some().then(|| self.map.clone());
        let now = self
            .stamp(original.clone(), map.as_deref(), stamp.warnings.clone())
            .ok()?;
        (now == stamp).then(|| Twin {
            path: self.twin.clone(),
            map,
            origin: Origin::Reused,
            warnings: stamp.warnings,
        })
    }

    fn remember(&self, original: FileStamp, twin: &Twin) -> Result<(), CargoError> {
        let write = || -> io::Result<()> {
            let stamp = self.stamp(original, twin.map.as_deref(), twin.warnings.clone())?;
            let file = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer(&file, &stamp)?;
            file.persist(&self.stamp)?;
            Ok(())
        };
        write().map_err(CargoError::io("write", &self.stamp))
    }

    fn stamp(
        &self,
        artifact: FileStamp,
        map: Option<&Path>,
        warnings: Vec<TwinWarning>,
    ) -> io::Result<Stamp> {
        Ok(Stamp {
            format: FORMAT.to_owned(),
            version: VERSION,
            artifact,
            twin: FileStamp::of(&self.twin)?,
            map: map.map(FileStamp::of).transpose()?,
            warnings,
        })
    }

    /// Leaves nothing of an earlier twin: a map that is there after the build was written by it.
    fn clear(&self) -> Result<(), CargoError> {
        fs::create_dir_all(&self.folder).map_err(CargoError::io("create", &self.folder))?;
        for path in [&self.stamp, &self.map, &self.twin] {
            remove_file(path).map_err(CargoError::io("remove", path))?;
        }
        Ok(())
    }
}

/// One run of `cargo rustc`.
struct Attempt<'a> {
    cargo: &'a Cargo,
    selection: &'a Selection,
    build: &'a Build,
    artifact: &'a Artifact,
    place: &'a Place,
    original: &'a FileStamp,
}

impl Attempt<'_> {
    fn run(
        &self,
        map_args: &[OsString],
        events: &mut Events<'_>,
    ) -> Result<Vec<Message>, CargoError> {
        let args = self.args(map_args);
        self.place.clear()?;
        let saved = SavedFiles::save(&saved_folder(&self.build.workspace), self.files_to_save()?)?;
        let messages = self.cargo.messages(Step::Twin, &args, events)?;
        self.take()?;
        saved.restore()?;
        Ok(messages)
    }

    fn args(&self, map_args: &[OsString]) -> Vec<OsString> {
        let target = match self.artifact.kind {
            ArtifactKind::Bin => OneTarget::Bin(&self.artifact.target_name),
            ArtifactKind::Example => OneTarget::Example(&self.artifact.target_name),
            ArtifactKind::Cdylib | ArtifactKind::Dylib | ArtifactKind::Staticlib => OneTarget::Lib,
        };
        let package = &self.artifact.package;
        let features = match self
            .build
            .workspace
            .packages
            .iter()
            .find(|known| known.id == *package)
        {
            Some(known) if self.is_one_of_several() => features_of(known, &self.selection.features),
            _ => self.selection.features.clone(),
        };
        let trailing = std::iter::once("-Cstrip=none".into()).chain(map_args.iter().cloned());
        self.selection
            .rustc_args(&package.repr, target, &features, trailing)
    }

    /// Whether features were given to several packages at once, not each of which need have them all.
    fn is_one_of_several(&self) -> bool {
        match &self.selection.packages {
            Packages::Named(names) => names.len() > 1,
            Packages::Default => self.build.workspace.root_package().is_none(),
            Packages::Workspace { .. } => true,
        }
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

        // Cargo's own name of the file, with the hash that only cargo knows.
        let Some(private) = self.private_folder() else {
            return Ok(());
        };
        for folder in [private.join("deps"), private.join("examples")] {
            let Ok(entries) = fs::read_dir(folder) else {
                continue;
            };
            for entry in entries.filter_map(Result::ok) {
                let other = entry.path();
                let is_it = FileStamp::of(&other).is_ok_and(|stamp| stamp.is_same_file(&built));
                if is_it && other != *path {
                    remove_file(&other).map_err(CargoError::io("remove", &other))?;
                }
            }
        }
        Ok(())
    }
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

/// Those of the features that can be asked of one package: `cargo build` gives each feature to the selected packages
/// that have it, `cargo rustc` fails when its one package does not.
fn features_of(package: &Package, features: &Features) -> Features {
    let has = |feature: &String| match feature.split_once('/') {
        None => package.features.contains_key(feature),
        Some((name, inner)) => {
            let name = name.trim_end_matches('?');
            (package.name == name && package.features.contains_key(inner))
                || package.dependencies.iter().any(|dependency| {
                    dependency.rename.as_deref().unwrap_or(&dependency.name) == name
                })
        }
    };
    let named = features
        .named
        .iter()
        .flat_map(|list| list.split([',', ' ']).map(ToOwned::to_owned));
    Features {
        named: named.filter(has).collect(),
        ..features.clone()
    }
}

/// Packages whose crates the twin took from other files than the artifact did.
fn other_dependencies(messages: &[Message], build: &Build, artifact: &Artifact) -> Vec<PackageId> {
    let mut packages = Vec::new();
    for message in messages {
        let Message::CompilerArtifact(message) = message else {
            continue;
        };
        let id = &message.package_id;
        let mut units = build
            .record
            .units
            .iter()
            .filter(|unit| unit.package == *id)
            .peekable();
        if *id == artifact.package || units.peek().is_none() || message.target.is_custom_build() {
            continue;
        }
        // The names agree when the hashes in them do; folders differ for what was asked for by itself.
        let name = |path: &Path| path.file_name().map(ToOwned::to_owned);
        let is_known = |file: &Path| {
            units
                .clone()
                .flat_map(|unit| &unit.files)
                .any(|known| name(known) == name(file))
        };
        if !message
            .filenames
            .iter()
            .any(|file| is_known(file.as_std_path()))
        {
            packages.push(id.clone());
        }
    }
    packages.sort();
    packages.dedup();
    packages
}

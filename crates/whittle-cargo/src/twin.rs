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

use std::io;
use std::path::{Path, PathBuf};

use cargo_metadata::{Message, PackageId};
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, ArtifactKind};
use crate::build::{Build, own_folder, saved_folder};
use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::event::{Event, Events};
use crate::lock::Lock;
use crate::process::Ending;
use crate::profile::ResolvedProfile;
use crate::saved;
use crate::selection::Selection;
use crate::stamp::FileStamp;
use crate::toolchain::MapFlag;

mod attempt;
mod place;

use attempt::Attempt;
use place::Place;

/// The same artifact with its symbols.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// The file, under `whittle/` in the target directory. Whether its loaded bytes are the artifact's is for the
    /// reader to check.
    pub path: PathBuf,
    /// The linker's map of that file.
    pub map: Option<PathBuf>,
    /// What the profile came to for the artifact itself; only with [`Cargo::helper`].
    pub profile: Option<ResolvedProfile>,
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
        let is_enough = |twin: &Twin| self.helper.is_none() || twin.profile.is_some();
        if let Some(twin) = place.reuse(&original).filter(is_enough) {
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
        let (messages, profile) = match MapFlag::for_target(&build.record.target) {
            MapFlag::None => {
                warnings.push(TwinWarning::NoMap {
                    why: NoMap::TargetHasNone,
                });
                attempt.run(&[], events)?
            }
            flag => match attempt.run(&place.map_args(flag), events) {
                // Cargo exits with 101 when it fails by itself; anything else is somebody ending it.
                Err(CargoError::Failed {
                    ending: Ending::Exited(101),
                    ..
                }) => {
                    events(Event::MapRefused);
                    let second = attempt.run(&[], events)?;
                    warnings.push(TwinWarning::NoMap {
                        why: NoMap::LinkerRefused,
                    });
                    second
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
            profile,
            origin: Origin::Built,
            warnings,
        };
        place.remember(&artifact.path, original, &twin)?;
        Ok(twin)
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

//! Where a twin is kept, and whether the one that lies there is still good.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Origin, Twin, TwinWarning};
use crate::artifact::Artifact;
use crate::build::{Build, own_folder};
use crate::error::CargoError;
use crate::profile::ResolvedProfile;
use crate::saved::remove_file;
use crate::stamp::FileStamp;
use crate::toolchain::MapFlag;

/// Where the twin of an artifact is kept: paths that stay the same from run to run.
pub(super) struct Place {
    folder: PathBuf,
    pub(super) twin: PathBuf,
    pub(super) map: PathBuf,
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
    #[serde(default)]
    profile: Option<ResolvedProfile>,
    warnings: Vec<TwinWarning>,
}

const FORMAT: &str = "cargo-whittle/twin";
const VERSION: u32 = 1;

impl Place {
    /// `<target directory>/whittle/twin/<the artifact's own path below the target directory>/`.
    pub(super) fn of(build: &Build, artifact: &Artifact) -> Result<Self, CargoError> {
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
    pub(super) fn map_args(&self, flag: MapFlag) -> Vec<OsString> {
        let mut map = OsString::from("-Clink-arg=-Map=");
        map.push(&self.map);
        match flag {
            MapFlag::ThroughDriver => vec!["-Clink-arg=-Xlinker".into(), map],
            MapFlag::Direct => vec![map],
            MapFlag::None => Vec::new(),
        }
    }

    pub(super) fn reuse(&self, original: &FileStamp) -> Option<Twin> {
        let stamp: Stamp = serde_json::from_slice(&fs::read(&self.stamp).ok()?).ok()?;
        let map = stamp.map.is_some().then(|| self.map.clone());
        let twin = Twin {
            path: self.twin.clone(),
            map,
            profile: stamp.profile.clone(),
            origin: Origin::Reused,
            warnings: stamp.warnings.clone(),
        };
        let now = self.stamp(original.clone(), &twin).ok()?;
        (now == stamp).then_some(twin)
    }

    /// Notes down what the twin is good for: the artifact as it was, and lies in its place again.
    pub(super) fn remember(
        &self,
        artifact: &Path,
        original: FileStamp,
        twin: &Twin,
    ) -> Result<(), CargoError> {
        let write = || -> io::Result<()> {
            // Where there are no links, what was put back is a copy. Somebody's newer build would be neither.
            let now = FileStamp::of(artifact)?;
            let is_back = now.is_unchanged_copy_of(&original);
            let artifact = if is_back { now } else { original };
            let stamp = self.stamp(artifact, twin)?;
            let file = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer(&file, &stamp)?;
            file.persist(&self.stamp)?;
            Ok(())
        };
        write().map_err(CargoError::io("write", &self.stamp))
    }

    fn stamp(&self, artifact: FileStamp, twin: &Twin) -> io::Result<Stamp> {
        Ok(Stamp {
            format: FORMAT.to_owned(),
            version: VERSION,
            artifact,
            twin: FileStamp::of(&self.twin)?,
            map: twin.map.as_deref().map(FileStamp::of).transpose()?,
            profile: twin.profile.clone(),
            warnings: twin.warnings.clone(),
        })
    }

    /// Leaves nothing of an earlier twin: a map that is there after the build was written by it.
    pub(super) fn clear(&self) -> Result<(), CargoError> {
        fs::create_dir_all(&self.folder).map_err(CargoError::io("create", &self.folder))?;
        for path in [&self.stamp, &self.map, &self.twin] {
            remove_file(path).map_err(CargoError::io("remove", path))?;
        }
        Ok(())
    }
}

//! A build exactly as the user ships it.

use std::path::{Path, PathBuf};

use cargo_metadata::Metadata;

use crate::artifact::{self, Artifact};
use crate::cargo::{Cargo, Messages};
use crate::error::CargoError;
use crate::event::{Events, Step};
use crate::lock::Lock;
use crate::process::Usage;
use crate::record::{BuildRecord, Sources};
use crate::saved;
use crate::selection::Selection;

/// What a build gave.
#[derive(Clone, Debug)]
pub struct Build {
    /// What went in.
    pub record: BuildRecord,
    /// What came out and is linked or archived: by package, kind and name. Never empty after [`Cargo::build`].
    pub artifacts: Vec<Artifact>,
    /// The workspace: its root, its target directory and its own packages, without dependencies.
    pub workspace: Metadata,
    /// What cargo and all compilers used; little where a finished build was found. `None` without
    /// [`Cargo::helper`](crate::Cargo::helper).
    pub usage: Option<Usage>,
    /// What is not as good as it could be.
    pub warnings: Vec<BuildWarning>,
}

/// A doubt about a build.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildWarning {
    /// `cargo metadata` failed after a build that went well, so that the record has no dependency graph, and crates of
    /// build scripts and procedural macros may be among its units.
    NoDependencies {
        /// What failed.
        reason: String,
    },
}

impl Cargo {
    /// Builds the selection as cargo does, and says what went in and what came out.
    ///
    /// Files that an earlier, killed run had to leave out of place are put back first.
    ///
    /// # Errors
    /// [`CargoError::NoManifest`], [`CargoError::NotFound`], [`CargoError::Failed`] if the build fails,
    /// [`CargoError::NothingLinks`] if only libraries for other crates came out.
    pub fn build(
        &self,
        selection: &Selection,
        events: &mut Events<'_>,
    ) -> Result<Build, CargoError> {
        let workspace = self.workspace(selection, events)?;
        let toolchain = self.toolchain(events)?;
        let folder = own_folder(&workspace);
        // Cargo marks the target directory as a cache when it creates it, so it must be the one to do so.
        let lock = if workspace.target_directory.is_dir() {
            let lock = Lock::acquire(&folder, events)?;
            saved::recover(&saved_folder(&workspace), events)?;
            Some(lock)
        } else {
            None
        };
        let Messages { messages, usage } =
            self.messages(Step::Build, &selection.build_args(), events)?;
        drop(lock);

        let target_directory = workspace.target_directory.as_std_path();
        let artifacts = artifact::find(&messages, target_directory, &selection.profile);
        if artifacts.is_empty() {
            return Err(CargoError::NothingLinks {
                packages: selected_names(&workspace, selection),
            });
        }
        let triple = artifacts
            .iter()
            .find_map(|artifact| triple_folder(&artifact.path, target_directory));
        let target = selection
            .target
            .as_deref()
            .or(triple)
            .unwrap_or(&toolchain.host)
            .to_owned();
        let target_folders: Vec<PathBuf> = match triple {
            Some(triple) => [target_directory, build_directory(&workspace)]
                .map(|folder| folder.join(triple))
                .to_vec(),
            None => Vec::new(),
        };

        let mut warnings = Vec::new();
        let metadata = match self.metadata_for(selection, &target, events) {
            Ok(metadata) => Some(metadata),
            Err(error) => {
                warnings.push(BuildWarning::NoDependencies {
                    reason: error.to_string(),
                });
                None
            }
        };
        let record = BuildRecord::collect(Sources {
            toolchain,
            target: &target,
            profile: &selection.profile,
            target_folders: &target_folders,
            artifacts: &artifacts,
            messages: &messages,
            workspace: &workspace,
            metadata: metadata.as_ref(),
        });
        Ok(Build {
            record,
            artifacts,
            workspace,
            usage,
            warnings,
        })
    }
}

/// Where this tool keeps its own files in a target directory.
pub(crate) fn own_folder(workspace: &Metadata) -> PathBuf {
    workspace.target_directory.as_std_path().join("whittle")
}

/// Where the user's files are while a twin lies in their place.
pub(crate) fn saved_folder(workspace: &Metadata) -> PathBuf {
    own_folder(workspace).join("saved")
}

/// Where cargo keeps what is not for the user: `build.build-dir`, usually the target directory.
pub(crate) fn build_directory(workspace: &Metadata) -> &Path {
    workspace
        .build_directory
        .as_ref()
        .unwrap_or(&workspace.target_directory)
        .as_std_path()
}

/// The folder of its own that a target given by `--target` or configuration has.
fn triple_folder<'a>(artifact: &'a Path, target_directory: &Path) -> Option<&'a str> {
    let inside = artifact.strip_prefix(target_directory).ok()?;
    let mut folders = inside
        .parent()?
        .iter()
        .filter(|folder| *folder != "examples");
    let first = folders.next()?;
    folders.next().and(first.to_str())
}

fn selected_names(workspace: &Metadata, selection: &Selection) -> Vec<String> {
    match &selection.packages {
        crate::Packages::Named(names) => names.clone(),
        _ => workspace
            .workspace_packages()
            .iter()
            .map(|package| package.name.to_string())
            .collect(),
    }
}

//! What a build of the workspace takes in, as far as cargo's metadata says: for files that cargo did not build for us.

use std::path::{Path, PathBuf};

use cargo_metadata::{CrateType, Metadata, PackageId, TargetKind};

use crate::artifact::{Artifact, ArtifactKind};
use crate::build::Build;
use crate::cargo::Cargo;
use crate::error::CargoError;
use crate::event::Events;
use crate::record::{BuildRecord, Sources};
use crate::selection::{Packages, Selection};
use crate::variant::create_cache;

impl Cargo {
    /// Looks at the workspace without building anything: the record's units are the crates that the selected packages
    /// depend on, without files, and there are no artifacts.
    ///
    /// Dependencies are those of the manifests, all of them: what a build script or a feature of another command leaves
    /// out is among them.
    ///
    /// # Errors
    /// As [`Cargo::metadata`], and [`CargoError::Io`] if the target directory cannot be made.
    pub fn survey(
        &self,
        selection: &Selection,
        events: &mut Events<'_>,
    ) -> Result<Build, CargoError> {
        let workspace = self.workspace(selection, events)?;
        let users = workspace.target_directory.as_std_path();
        create_cache(users).map_err(CargoError::io("create", users))?;
        let toolchain = self.toolchain(events)?;
        let target = selection
            .target
            .clone()
            .unwrap_or_else(|| toolchain.host.clone());
        let metadata = self.metadata_for(selection, &target, events)?;
        let artifacts: Vec<Artifact> = selected(&workspace, selection)
            .into_iter()
            .map(|package| Artifact {
                package,
                target_name: String::new(),
                kind: ArtifactKind::Bin,
                path: PathBuf::new(),
                fresh: true,
            })
            .collect();
        let record = BuildRecord::survey(Sources {
            toolchain,
            target: &target,
            profile: &selection.profile,
            target_folders: &[],
            artifacts: &artifacts,
            messages: &[],
            workspace: &workspace,
            metadata: Some(&metadata),
        });
        Ok(Build {
            record,
            artifacts: Vec::new(),
            workspace,
            usage: None,
            warnings: Vec::new(),
        })
    }
}

impl Build {
    /// Whether the workspace has a target that an artifact can be of.
    #[must_use]
    pub fn has_target_of(&self, artifact: &Artifact) -> bool {
        self.workspace
            .workspace_packages()
            .iter()
            .filter(|package| package.id == artifact.package)
            .flat_map(|package| &package.targets)
            .any(|target| target.name == artifact.target_name)
    }

    /// Whose a file is that another command built: the target of that name if there is one, else the root package, or the
    /// first of the workspace, as something that has the file's name.
    ///
    /// `None` for a workspace without packages.
    #[must_use]
    pub fn artifact_at(&self, path: &Path) -> Option<Artifact> {
        let stem = path.file_stem()?.to_string_lossy().into_owned();
        let library = stem.strip_prefix("lib").unwrap_or(&stem);
        let extension = path.extension().and_then(|extension| extension.to_str());
        let kind = match extension {
            Some("a" | "lib") => ArtifactKind::Staticlib,
            Some("so" | "dylib" | "dll") => ArtifactKind::Cdylib,
            _ => ArtifactKind::Bin,
        };
        let members = || self.workspace.workspace_packages().into_iter();
        let named = members().find_map(|package| {
            let target = package.targets.iter().find(|target| match kind {
                ArtifactKind::Bin => target.is_kind(TargetKind::Bin) && target.name == stem,
                ArtifactKind::Staticlib => {
                    target.crate_types.contains(&CrateType::StaticLib)
                        && target.name.replace('-', "_") == library
                }
                _ => {
                    target.crate_types.contains(&CrateType::CDyLib)
                        && target.name.replace('-', "_") == library
                }
            })?;
            Some((package.id.clone(), target.name.clone()))
        });
        let (package, target_name) = named.or_else(|| {
            let root = self.workspace.root_package();
            let package = root.or_else(|| members().next())?;
            Some((package.id.clone(), stem.clone()))
        })?;
        Some(Artifact {
            package,
            target_name,
            kind,
            path: path.to_owned(),
            fresh: false,
        })
    }
}

/// The packages that a selection means.
fn selected(workspace: &Metadata, selection: &Selection) -> Vec<PackageId> {
    let members = workspace.workspace_packages();
    let mut ids: Vec<PackageId> = match &selection.packages {
        Packages::Named(names) => members
            .iter()
            .filter(|package| names.iter().any(|name| package.name == *name))
            .map(|package| package.id.clone())
            .collect(),
        Packages::Default => match workspace.root_package() {
            Some(root) => vec![root.id.clone()],
            None => Vec::new(),
        },
        Packages::Workspace { .. } => Vec::new(),
    };
    if ids.is_empty() {
        ids = members.iter().map(|package| package.id.clone()).collect();
    }
    ids
}

//! Building one artifact once more under other settings, beside the user's own build and not in its place.
//!
//! All variants of a workspace share a target directory under `whittle/` in the user's: what settings do not reach is
//! compiled once for all of them, and what was built before is found again, since cargo keeps files of different settings
//! apart by hashes in their names.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cargo_metadata::{Message, Metadata, Package, PackageId};

use crate::artifact::{self, Artifact, ArtifactKind};
use crate::build::{Build, own_folder};
use crate::cargo::{Cargo, Messages};
use crate::error::CargoError;
use crate::event::{Events, Freshness, Step};
use crate::lock::Lock;
use crate::process::Usage;
use crate::runner::Runner;
use crate::selection::{Features, OneTarget, Packages, Selection};
use crate::settings::{SettingValue, Settings};
use crate::stamp::FileStamp;

/// Builds variants of one artifact.
#[derive(Clone, Debug)]
pub struct VariantBuilder {
    /// The cargo that is asked; another one builds with another toolchain.
    pub cargo: Cargo,
    selection: Selection,
    artifact: Artifact,
    package: Package,
    features: Features,
    /// What the user's environment and configuration give to rustc.
    rustflags: Vec<OsString>,
    /// The triple that is built for.
    target: String,
    /// What starts its programs.
    runner: Option<Runner>,
    folder: PathBuf,
}

/// What came out of one build.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The file, where it was asked for.
    pub path: PathBuf,
    /// What cargo and all compilers used; `None` without [`Cargo::helper`].
    pub usage: Option<Usage>,
    /// From start to end, waiting for others that build in the same place included.
    pub wall: Duration,
    /// Whose crates were compiled just now, one entry a crate, in the order cargo finished them. What is not here was
    /// found from earlier builds.
    pub compiled: Vec<PackageId>,
}

const VARIANTS: &str = "variants";

impl Cargo {
    /// The folder of this tool in the user's target directory, which is made, and marked as a cache, if it is not there.
    ///
    /// # Errors
    /// As [`Cargo::metadata`]; [`CargoError::Io`] if the target directory cannot be made.
    pub fn own_folder(
        &self,
        selection: &Selection,
        events: &mut Events<'_>,
    ) -> Result<PathBuf, CargoError> {
        let workspace = self.workspace(selection, events)?;
        let users = workspace.target_directory.as_std_path();
        create_cache(users).map_err(CargoError::io("create", users))?;
        Ok(own_folder(&workspace))
    }

    /// Builds the selection as it is, but in the target directory of the variants, so that these find its dependencies
    /// compiled and the user's artifacts are not even looked at.
    ///
    /// The artifacts are then in a place where the next variant will be: copy what is to stay. The workspace of the result
    /// is the user's, with their own target directory; [`Build::plain_path`] says where they would find an artifact.
    ///
    /// # Errors
    /// As [`Cargo::build`].
    pub fn build_apart(
        &self,
        selection: &Selection,
        events: &mut Events<'_>,
    ) -> Result<Build, CargoError> {
        let workspace = self.workspace(selection, events)?;
        let users = workspace.target_directory.as_std_path();
        create_cache(users).map_err(CargoError::io("create", users))?;
        let _lock = Lock::acquire(&folder(&workspace), events)?;
        let build = self.build(&apart(selection, target_directory(&workspace)), events)?;
        Ok(Build { workspace, ..build })
    }

    /// Prepares to build variants of an artifact; `selection` is that of its build, [`Cargo::build`] or
    /// [`Cargo::build_apart`].
    ///
    /// # Errors
    /// As [`Cargo::rustflags`]; [`CargoError::NotOurs`] if the artifact's package is no member of the workspace.
    pub fn variants(
        &self,
        selection: &Selection,
        build: &Build,
        artifact: &Artifact,
        events: &mut Events<'_>,
    ) -> Result<VariantBuilder, CargoError> {
        let rustflags = self.rustflags(selection, events)?;
        let mut packages = build.workspace.packages.iter();
        let package = packages.find(|package| package.id == artifact.package);
        let package = package.ok_or_else(|| CargoError::NotOurs {
            package: artifact.package.to_string(),
        })?;
        Ok(VariantBuilder {
            cargo: self.clone(),
            selection: apart(selection, target_directory(&build.workspace)),
            features: features_of(selection, build, artifact),
            artifact: artifact.clone(),
            package: package.clone(),
            rustflags,
            target: build.record.target.clone(),
            runner: self.runner(selection, &build.record.target)?,
            folder: folder(&build.workspace),
        })
    }
}

impl Build {
    /// Where a plain build of the user's puts an artifact: where it is, or, after [`Cargo::build_apart`], where it would be.
    #[must_use]
    pub fn plain_path(&self, artifact: &Artifact) -> PathBuf {
        let inside = artifact
            .path
            .strip_prefix(target_directory(&self.workspace));
        inside.map_or_else(
            |_| artifact.path.clone(),
            |inside| self.workspace.target_directory.as_std_path().join(inside),
        )
    }
}

impl VariantBuilder {
    /// Builds a variant and puts a copy of the file at `into`, which is replaced if it is there.
    ///
    /// `into` had better be in the target directory or outside the package: build scripts that do not say what they read
    /// run again when any other file of their package changes.
    ///
    /// # Errors
    /// [`CargoError::Failed`] if it does not build, which is what many settings lead to.
    pub fn build(
        &self,
        settings: &Settings,
        into: &Path,
        events: &mut Events<'_>,
    ) -> Result<Variant, CargoError> {
        let start = Instant::now();
        let _lock = Lock::acquire(&self.folder, events)?;
        let Messages { messages, usage } = self.messages(settings, &[], |_| Ok(()), events)?;
        copy(&self.find(&messages)?.path, into)?;
        Ok(Variant {
            path: into.to_owned(),
            usage,
            wall: start.elapsed(),
            compiled: compiled(&messages),
        })
    }

    /// What cargo starts the artifact's programs with, if not themselves.
    #[must_use]
    pub fn runner(&self) -> Option<&Runner> {
        self.runner.as_ref()
    }

    /// The target directory of all variants. It can be removed at any time when nothing is built in it.
    #[must_use]
    pub fn target_directory(&self) -> PathBuf {
        self.folder.join("target")
    }

    /// Runs `cargo rustc` with `trailing` after all flags of the settings.
    pub(crate) fn messages(
        &self,
        settings: &Settings,
        trailing: &[OsString],
        change: impl FnOnce(&mut std::process::Command) -> Result<(), CargoError>,
        events: &mut Events<'_>,
    ) -> Result<Messages, CargoError> {
        let mut selection = self.selection.clone();
        selection.config.extend(settings.config(&selection.profile));
        let args = selection.rustc_args(
            &self.artifact.package.repr,
            OneTarget::of(&self.artifact),
            &self.features,
            settings
                .trailing()
                .into_iter()
                .chain(trailing.iter().cloned()),
        );
        let cargo = self.cargo.under(settings, &self.rustflags);
        let mut command = cargo.command(&cargo.program, &args);
        change(&mut command)?;
        cargo.messages_of(Step::Variant, command, events)
    }

    /// Runs `cargo test --no-run` for some targets of the package, each given by its argument.
    pub(crate) fn test_messages(
        &self,
        settings: &Settings,
        targets: &[OsString],
        events: &mut Events<'_>,
    ) -> Result<Messages, CargoError> {
        let mut selection = self.selection.clone();
        selection.config.extend(settings.config(&selection.profile));
        let args = selection.test_args(&self.package.id.repr, targets, &self.features);
        let cargo = self.cargo.under(settings, &self.rustflags);
        cargo.messages(Step::Tests, &args, events)
    }

    /// Runs `cargo bench --no-run` for one benchmark of the package.
    pub(crate) fn bench_messages(
        &self,
        settings: &Settings,
        name: &str,
        events: &mut Events<'_>,
    ) -> Result<Messages, CargoError> {
        let mut selection = self.selection.clone();
        selection.config.extend(settings.config(&selection.profile));
        let args = selection.bench_args(&self.package.id.repr, name, &self.features);
        let cargo = self.cargo.under(settings, &self.rustflags);
        cargo.messages(Step::Tests, &args, events)
    }

    /// What is built.
    pub(crate) fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// Whose artifact it is.
    pub(crate) fn package(&self) -> &Package {
        &self.package
    }

    /// The features that are asked of the package.
    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    /// The triple that is built for.
    pub(crate) fn target(&self) -> &str {
        &self.target
    }

    /// Where the lock is that is held while something is built.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Copies what was built to `into` and makes cargo forget it; whose crates were compiled.
    pub(crate) fn take(
        &self,
        messages: &[Message],
        into: &Path,
    ) -> Result<Vec<PackageId>, CargoError> {
        let built = self.find(messages)?;
        copy(&built.path, into)?;
        let stamp = FileStamp::of(&built.path).map_err(CargoError::io("read", &built.path))?;
        let mut folder = built.path.parent();
        if built.kind == ArtifactKind::Example {
            folder = folder.and_then(Path::parent);
        }
        if let Some(folder) = folder {
            artifact::forget(folder, &stamp, Path::new(""))?;
        }
        Ok(compiled(messages))
    }

    /// The artifact among what was built.
    pub(crate) fn find(&self, messages: &[Message]) -> Result<Artifact, CargoError> {
        let found = artifact::find(messages, &self.target_directory(), &self.selection.profile);
        let wanted = &self.artifact;
        found
            .into_iter()
            .find(|built| {
                built.package == wanted.package
                    && built.kind == wanted.kind
                    && built.target_name == wanted.target_name
            })
            .ok_or_else(|| CargoError::ArtifactVanished {
                path: self.target_directory().join(&wanted.target_name),
            })
    }
}

impl Cargo {
    /// The same cargo with what settings change in its environment.
    pub(crate) fn under(&self, settings: &Settings, rustflags: &[OsString]) -> Self {
        let mut cargo = self.clone();
        cargo.environment.extend(settings.environment(rustflags));
        cargo
    }
}

impl<'a> OneTarget<'a> {
    pub(crate) fn of(artifact: &'a Artifact) -> Self {
        match artifact.kind {
            ArtifactKind::Bin => Self::Bin(&artifact.target_name),
            ArtifactKind::Example => Self::Example(&artifact.target_name),
            ArtifactKind::Cdylib | ArtifactKind::Dylib | ArtifactKind::Staticlib => Self::Lib,
        }
    }
}

/// Makes the user's target directory if it is not there, and marks it as cargo does when it makes one, so that backups
/// leave it out ("Cache Directory Tagging Specification" 0.6).
pub(crate) fn create_cache(folder: &Path) -> io::Result<()> {
    const TAG: &str = "Signature: 8a477f597d28d172789f06886806bc55\n\
        # This file is a cache directory tag created by cargo-whittle.\n\
        # For information about cache directory tags see https://bford.info/cachedir/\n";
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    fs::write(folder.join("CACHEDIR.TAG"), TAG)
}

/// Where the variants of a workspace are, and the lock that is held while one is built.
fn folder(workspace: &Metadata) -> PathBuf {
    own_folder(workspace).join(VARIANTS)
}

fn target_directory(workspace: &Metadata) -> PathBuf {
    folder(workspace).join("target")
}

fn apart(selection: &Selection, target_directory: PathBuf) -> Selection {
    let mut apart = selection.clone();
    // What is not for the user may have a place of its own (`build.build-dir`), which is the user's.
    if let Some(path) = target_directory.to_str() {
        let value = SettingValue::from(path);
        apart.config.push(format!("build.build-dir={value}"));
    }
    apart.target_dir = Some(target_directory);
    apart
}

/// The features to ask of the artifact's package alone.
pub(crate) fn features_of(selection: &Selection, build: &Build, artifact: &Artifact) -> Features {
    // Several packages got them at once, not each of which need have them all.
    let is_one_of_several = match &selection.packages {
        Packages::Named(names) => names.len() > 1,
        Packages::Default => build.workspace.root_package().is_none(),
        Packages::Workspace { .. } => true,
    };
    let mut packages = build.workspace.packages.iter();
    match packages.find(|known| known.id == artifact.package) {
        Some(known) if is_one_of_several => selection.features.of_package(known),
        _ => selection.features.clone(),
    }
}

fn compiled(messages: &[Message]) -> Vec<PackageId> {
    let artifacts = messages.iter().filter_map(|message| match message {
        Message::CompilerArtifact(artifact) => Some(artifact),
        _ => None,
    });
    artifacts
        .filter(|artifact| Freshness::of(artifact) == Freshness::Compiled)
        .map(|artifact| artifact.package_id.clone())
        .collect()
}

/// A copy under a new name first: what lies there may be running.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<(), CargoError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(CargoError::io("create", folder))?;
    let write = || {
        let beside = tempfile::NamedTempFile::new_in(folder)?.into_temp_path();
        fs::copy(from, &beside)?; // with its permissions
        beside.persist(to)?;
        Ok(())
    };
    write().map_err(CargoError::io("write", to))
}

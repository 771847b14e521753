//! What a build says about itself, as snapshots keep it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use whittle_cargo::cargo_metadata::{self, DependencyKind};
use whittle_cargo::{Artifact, Build, Cargo, Repository, Selection, Unit};
use whittle_ledger::{BuildFacts, DependencyFacts, PackageFacts};

use crate::evidence::Evidence;
use crate::inputs::project::tell;
use crate::trouble::Outcome;

/// A build and its packages.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) build: BuildFacts,
    pub(crate) packages: Vec<PackageFacts>,
    /// The folder of the workspace.
    pub(crate) root: PathBuf,
}

impl Facts {
    /// Asks the cargo of the environment.
    pub(crate) fn of(
        selection: &Selection,
        build: &Build,
        artifact: &Artifact,
        evidence: &Evidence,
    ) -> Outcome<Self> {
        Self::with(&super::listening()?, selection, build, artifact, evidence)
    }

    /// Asks cargo for what the build itself does not say: flags, and who asks for which feature.
    pub(crate) fn with(
        cargo: &Cargo,
        selection: &Selection,
        build: &Build,
        artifact: &Artifact,
        evidence: &Evidence,
    ) -> Outcome<Self> {
        let record = &build.record;
        let metadata = cargo.metadata(selection, &mut tell)?;
        let flags = cargo.rustflags(selection, &mut tell)?;
        let package = record
            .package(&artifact.package)
            .map(|package| package.name.clone());
        Ok(Self {
            build: BuildFacts {
                package: package.unwrap_or_default(),
                program: artifact.target_name.clone(),
                rustc: record.toolchain.release.clone(),
                commit_hash: record.toolchain.commit_hash.clone(),
                llvm: record.toolchain.llvm.clone(),
                target: record.target.clone(),
                profile: record.profile.clone(),
                settings: settings(build, artifact, evidence),
                rustflags: flags
                    .iter()
                    .map(|flag| flag.to_string_lossy().into_owned())
                    .collect(),
                features: features(selection),
                revision: revision(build),
            },
            packages: packages(build, &metadata),
            root: build.workspace.workspace_root.clone().into_std_path_buf(),
        })
    }
}

fn settings(build: &Build, artifact: &Artifact, evidence: &Evidence) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    let mut put = |key: &str, value: &str| {
        settings.insert(key.to_owned(), value.to_owned());
    };
    let of_artifact = |unit: &&Unit| unit.files.contains(&artifact.path);
    let on = |is_on: bool| if is_on { "on" } else { "off" };
    if let Some(unit) = build.record.units.iter().find(of_artifact) {
        put("opt-level", &unit.profile.opt_level);
        put("debuginfo", &unit.profile.debuginfo);
        put("debug-assertions", on(unit.profile.debug_assertions));
        put("overflow-checks", on(unit.profile.overflow_checks));
    }
    if let Some(profile) = &evidence.profile {
        put("opt-level", &profile.opt_level);
        put("lto", &profile.lto);
        put("codegen-units", &profile.codegen_units.to_string());
        put("panic", &profile.panic);
        put("strip", &profile.strip);
    }
    settings
}

fn features(selection: &Selection) -> Vec<String> {
    let mut features: BTreeSet<String> = selection
        .features
        .named
        .iter()
        .flat_map(|list| list.split([',', ' ']))
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if selection.features.all {
        features.insert("--all-features".to_owned());
    }
    if selection.features.no_default {
        features.insert("--no-default-features".to_owned());
    }
    features.into_iter().collect()
}

/// The commit of the sources, if they are in a repository.
fn revision(build: &Build) -> Option<String> {
    let root = build.workspace.workspace_root.as_std_path();
    let repository = Repository::of(root).ok()?;
    let mut hash = repository.commit("HEAD").ok()?.hash;
    if repository.is_changed().ok()? {
        hash.push('+');
    }
    Some(hash)
}

fn packages(build: &Build, metadata: &cargo_metadata::Metadata) -> Vec<PackageFacts> {
    let record = &build.record;
    let active: Vec<BTreeSet<String>> = record
        .packages
        .iter()
        .map(|package| {
            let units = record
                .units
                .iter()
                .filter(|unit| unit.package == package.id);
            units
                .flat_map(|unit| unit.features.iter().cloned())
                .collect()
        })
        .collect();
    let of_package = |(at, package): (usize, &whittle_cargo::Package)| {
        let manifest = metadata.packages.iter().find(|it| it.id == package.id);
        let dependencies = package.dependencies.iter().filter_map(|dependency| {
            let number = record
                .packages
                .iter()
                .position(|it| it.id == dependency.package)?;
            let asked =
                manifest.map(|manifest| asked(manifest, &active[at], &dependency.extern_name));
            Some(DependencyFacts {
                package: number,
                features: asked.unwrap_or_default().into_iter().collect(),
            })
        });
        PackageFacts {
            name: package.name.clone(),
            version: package.version.clone(),
            member: package.is_member,
            features: active[at].iter().cloned().collect(),
            dependencies: dependencies.collect(),
        }
    };
    record.packages.iter().enumerate().map(of_package).collect()
}

/// The features that a package asks of a dependency: in its manifest, and by features of its own that are on.
fn asked(
    manifest: &cargo_metadata::Package,
    active: &BTreeSet<String>,
    extern_name: &str,
) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    let named = |dependency: &&cargo_metadata::Dependency| {
        let name = dependency.rename.as_ref().unwrap_or(&dependency.name);
        name.replace('-', "_") == extern_name && dependency.kind != DependencyKind::Development
    };
    let mut keys = BTreeSet::new();
    for dependency in manifest.dependencies.iter().filter(named) {
        asked.extend(dependency.features.iter().cloned());
        if dependency.uses_default_features {
            asked.insert("default".to_owned());
        }
        keys.insert(
            dependency
                .rename
                .as_ref()
                .unwrap_or(&dependency.name)
                .clone(),
        );
    }
    let implied = manifest
        .features
        .iter()
        .filter(|(feature, _)| active.contains(*feature))
        .flat_map(|(_, implied)| implied);
    for implied in implied {
        if let Some((key, feature)) = implied.split_once('/')
            && keys.contains(key.trim_end_matches('?'))
        {
            asked.insert(feature.to_owned());
        }
    }
    asked
}

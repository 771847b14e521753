//! From cargo's messages and metadata to a [`BuildRecord`].

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cargo_metadata::{
    CrateType, Message, Metadata, Node, PackageId, TargetKind, camino::Utf8PathBuf,
};

use super::{
    Asked, BuildRecord, BuildScript, Dependency, DependencyKind, NativeLibrary, Package,
    PackageSource, Unit, UnitProfile,
};
use crate::artifact::{Artifact, ArtifactKind};
use crate::toolchain::Toolchain;

/// What a record is made from.
pub(crate) struct Sources<'a> {
    pub(crate) toolchain: Toolchain,
    pub(crate) target: &'a str,
    pub(crate) profile: &'a str,
    /// The folders of files for the target, if they are apart from those for the host.
    pub(crate) target_folders: &'a [PathBuf],
    pub(crate) artifacts: &'a [Artifact],
    pub(crate) messages: &'a [Message],
    /// Of the workspace alone.
    pub(crate) workspace: &'a Metadata,
    /// With resolved dependencies; `None` if they could not be had.
    pub(crate) metadata: Option<&'a Metadata>,
}

impl BuildRecord {
    pub(crate) fn collect(sources: Sources<'_>) -> Self {
        let nodes = nodes(sources.metadata);
        let linked = sources.linked(&nodes);
        let is_for_target = |package: &PackageId, files: &[&Path]| {
            if sources.target_folders.is_empty() {
                // What the graph does not know, such as the crates of `build-std`, is nobody's host dependency.
                linked.contains(package) || !nodes.contains_key(package)
            } else {
                files.iter().any(|file| {
                    sources
                        .target_folders
                        .iter()
                        .any(|folder| file.starts_with(folder))
                })
            }
        };

        let mut units = Vec::new();
        let mut build_scripts = Vec::new();
        for message in sources.messages {
            match message {
                Message::CompilerArtifact(artifact) => {
                    let files: Vec<&Path> = artifact
                        .filenames
                        .iter()
                        .map(|file| file.as_std_path())
                        .collect();
                    if is_crate_of_target(artifact) && is_for_target(&artifact.package_id, &files) {
                        units.push(unit(artifact));
                    }
                }
                Message::BuildScriptExecuted(script)
                    if is_for_target(&script.package_id, &[script.out_dir.as_std_path()]) =>
                {
                    build_scripts.push(build_script(script));
                }
                _ => {}
            }
        }
        units.sort_by(|a, b| {
            (&a.package, &a.crate_name, &a.files).cmp(&(&b.package, &b.crate_name, &b.files))
        });
        units.dedup();
        build_scripts.sort_by(|a, b| (&a.package, &a.out_dir).cmp(&(&b.package, &b.out_dir)));

        let built: BTreeSet<&PackageId> = (units.iter().map(|unit| &unit.package))
            .chain(build_scripts.iter().map(|script| &script.package))
            .collect();
        let mut packages: Vec<Package> = built
            .iter()
            .map(|id| sources.package(id, &nodes, &built, &units))
            .collect();
        packages.sort_by(|a, b| (&a.name, &a.version, &a.id).cmp(&(&b.name, &b.version, &b.id)));
        Self {
            toolchain: sources.toolchain,
            target: sources.target.to_owned(),
            profile: sources.profile.to_owned(),
            packages,
            units,
            build_scripts,
        }
    }
}

impl BuildRecord {
    /// A record without a build: the crates that the artifacts' packages reach, without files.
    pub(crate) fn survey(sources: Sources<'_>) -> Self {
        let nodes = nodes(sources.metadata);
        let linked = sources.linked(&nodes);
        let reached: BTreeSet<&PackageId> = linked.iter().collect();
        let unit = |id: &PackageId| Unit {
            package: id.clone(),
            crate_name: sources.library_name(id).unwrap_or_default(),
            files: Vec::new(),
            features: Vec::new(),
            profile: UnitProfile::default(),
        };
        let units: Vec<Unit> = linked.iter().map(unit).collect();
        let mut packages: Vec<Package> = linked
            .iter()
            .map(|id| sources.package(id, &nodes, &reached, &units))
            .collect();
        packages.sort_by(|a, b| (&a.name, &a.version, &a.id).cmp(&(&b.name, &b.version, &b.id)));
        Self {
            units,
            toolchain: sources.toolchain,
            target: sources.target.to_owned(),
            profile: sources.profile.to_owned(),
            packages,
            build_scripts: Vec::new(),
        }
    }
}

impl Sources<'_> {
    /// The packages that the artifacts reach through normal dependencies, without passing a procedural macro.
    fn linked(&self, nodes: &BTreeMap<&PackageId, &Node>) -> BTreeSet<PackageId> {
        let is_macro = |id: &PackageId| {
            self.described(id).is_some_and(|package| {
                package
                    .targets
                    .iter()
                    .any(|target| target.is_kind(TargetKind::ProcMacro))
            })
        };
        let mut reached = BTreeSet::new();
        let mut next = Vec::new();
        for artifact in self.artifacts {
            next.push((
                artifact.package.clone(),
                artifact.kind == ArtifactKind::Example,
            ));
        }
        while let Some((id, with_development)) = next.pop() {
            // A program and an example of one package reach different things, so examples look again.
            if is_macro(&id) || (!reached.insert(id.clone()) && !with_development) {
                continue;
            }
            let Some(node) = nodes.get(&id) else { continue };
            for (dependency, kind) in links(node) {
                if kind == DependencyKind::Normal || with_development {
                    next.push((dependency.pkg.clone(), false));
                }
            }
        }
        reached
    }

    fn described(&self, id: &PackageId) -> Option<&cargo_metadata::Package> {
        let all = self.metadata.into_iter().chain([self.workspace]);
        all.flat_map(|metadata| &metadata.packages)
            .find(|package| package.id == *id)
    }

    fn package(
        &self,
        id: &PackageId,
        nodes: &BTreeMap<&PackageId, &Node>,
        built: &BTreeSet<&PackageId>,
        units: &[Unit],
    ) -> Package {
        let is_member = self.workspace.workspace_members.contains(id);
        let Some(package) = self.described(id) else {
            let (name, version) = name_and_version(&id.repr);
            return Package {
                id: id.clone(),
                name: name.to_owned(),
                version: version.to_owned(),
                source: source(&id.repr),
                is_member,
                folder: None,
                dependencies: Vec::new(),
            };
        };
        let of_package = units.iter().filter(|unit| unit.package == *id);
        let on: BTreeSet<&str> = of_package
            .flat_map(|unit| unit.features.iter().map(String::as_str))
            .collect();
        let mut dependencies = Vec::new();
        for (dependency, kind) in nodes.get(id).into_iter().flat_map(|node| links(node)) {
            if built.contains(&dependency.pkg) {
                dependencies.push(Dependency {
                    extern_name: dependency.name.clone(),
                    crate_name: self
                        .library_name(&dependency.pkg)
                        .unwrap_or_else(|| dependency.name.clone()),
                    package: dependency.pkg.clone(),
                    kind,
                    asked: self
                        .described(&dependency.pkg)
                        .map_or_else(Asked::default, |described| {
                            Asked::of(package, dependency, &described.name, &on)
                        }),
                });
            }
        }
        dependencies.sort();
        Package {
            id: id.clone(),
            name: package.name.to_string(),
            version: package.version.to_string(),
            source: package
                .source
                .as_ref()
                .map_or(PackageSource::Path, |from| source(&from.repr)),
            is_member,
            folder: package
                .manifest_path
                .parent()
                .map(|folder| folder.as_std_path().to_owned()),
            dependencies,
        }
    }

    fn library_name(&self, id: &PackageId) -> Option<String> {
        let targets = &self.described(id)?.targets;
        let library = targets
            .iter()
            .find(|target| is_library(&target.crate_types))?;
        Some(library.name.replace('-', "_"))
    }
}

fn nodes(metadata: Option<&Metadata>) -> BTreeMap<&PackageId, &Node> {
    let resolve = metadata.and_then(|metadata| metadata.resolve.as_ref());
    resolve
        .into_iter()
        .flat_map(|resolve| &resolve.nodes)
        .map(|node| (&node.id, node))
        .collect()
}

/// The arrows of a package that its own crates can use.
fn links(node: &Node) -> impl Iterator<Item = (&cargo_metadata::NodeDep, DependencyKind)> {
    use cargo_metadata::DependencyKind as Theirs;
    node.deps.iter().filter_map(|dependency| {
        let has = |wanted: Theirs| dependency.dep_kinds.iter().any(|kind| kind.kind == wanted);
        let kind = if has(Theirs::Normal) {
            DependencyKind::Normal
        } else if has(Theirs::Development) {
            DependencyKind::Development
        } else {
            return None;
        };
        Some((dependency, kind))
    })
}

fn is_library(crate_types: &[CrateType]) -> bool {
    let of_rust = [
        CrateType::Lib,
        CrateType::RLib,
        CrateType::DyLib,
        CrateType::ProcMacro,
    ];
    crate_types
        .iter()
        .any(|crate_type| of_rust.contains(crate_type))
}

fn is_crate_of_target(artifact: &cargo_metadata::Artifact) -> bool {
    let target = &artifact.target;
    !target.is_kind(TargetKind::CustomBuild) && !target.is_kind(TargetKind::ProcMacro)
}

fn unit(artifact: &cargo_metadata::Artifact) -> Unit {
    let mut features = artifact.features.clone();
    features.sort();
    Unit {
        package: artifact.package_id.clone(),
        crate_name: artifact.target.name.replace('-', "_"),
        files: artifact
            .filenames
            .iter()
            .cloned()
            .map(Utf8PathBuf::into_std_path_buf)
            .collect(),
        features,
        profile: UnitProfile {
            opt_level: artifact.profile.opt_level.clone(),
            debuginfo: artifact.profile.debuginfo.to_string(),
            debug_assertions: artifact.profile.debug_assertions,
            overflow_checks: artifact.profile.overflow_checks,
        },
    }
}

fn build_script(script: &cargo_metadata::BuildScript) -> BuildScript {
    let without_kind = |path: &Utf8PathBuf| {
        let path = path.as_str();
        // A kind is a word; anything else before `=` is part of the path.
        let kinds = ["dependency", "crate", "native", "framework", "all"];
        match path.split_once('=') {
            Some((kind, rest)) if kinds.contains(&kind) => PathBuf::from(rest),
            _ => PathBuf::from(path),
        }
    };
    BuildScript {
        package: script.package_id.clone(),
        out_dir: script.out_dir.clone().into_std_path_buf(),
        linked_libraries: script
            .linked_libs
            .iter()
            .map(|library| NativeLibrary::parse(library.as_str()))
            .collect(),
        linked_paths: script.linked_paths.iter().map(without_kind).collect(),
    }
}

/// Of `registry+…`, `sparse+…`, `git+…` and `path+…`, which package ids and sources begin with.
fn source(repr: &str) -> PackageSource {
    if repr.starts_with("git+") {
        PackageSource::Git {
            url: repr.to_owned(),
        }
    } else if repr.starts_with("registry+") || repr.starts_with("sparse+") {
        PackageSource::Registry {
            url: repr.to_owned(),
        }
    } else {
        PackageSource::Path
    }
}

/// Name and version out of a package id, for packages that no metadata describes.
///
/// "Package ID Specifications" in the Cargo book: `KIND+URL#[NAME@]VERSION`, where the name is the URL's last part
/// unless given.
fn name_and_version(id: &str) -> (&str, &str) {
    let (url, fragment) = id.rsplit_once('#').unwrap_or((id, ""));
    let last = url
        .split(['?', '#'])
        .next()
        .unwrap_or(url)
        .trim_end_matches('/')
        .rsplit('/')
        .next();
    match fragment.split_once('@') {
        Some((name, version)) => (name, version),
        None => (last.unwrap_or(url), fragment),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn package_ids_tell_name_and_version() {
        for (id, expected) in [
            (
                "registry+https://github.com/rust-lang/crates.io-index#regex@1.4.3",
                ("regex", "1.4.3"),
            ),
            (
                "path+file:///some%20where/lib-one#0.2.0",
                ("lib-one", "0.2.0"),
            ),
            (
                "path+file:///some/folder#its-name@0.3.0",
                ("its-name", "0.3.0"),
            ),
            (
                "git+https://example.org/a/tool?branch=main#1.0.0",
                ("tool", "1.0.0"),
            ),
        ] {
            assert_eq!(name_and_version(id), expected, "{id}");
        }
    }
}

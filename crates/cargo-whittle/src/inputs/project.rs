//! What cargo builds: the file that ships, its twin with symbols and link map, and the packages that went in.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use whittle_cargo::{
    Artifact, ArtifactKind, Build, BuildWarning, Cargo, Event, NoMap, ResolvedProfile, Selection,
    Step, TwinWarning,
};
use whittle_image::{Image, Section};
use whittle_ledger::{Package, Packages};

use crate::trouble::{Outcome, Trouble};

/// Runs cargo for one request.
pub(crate) struct Project<'a> {
    cargo: Cargo,
    selection: &'a Selection,
}

/// A twin: the same program with symbols, and the linker's map.
#[derive(Debug, Default)]
pub(crate) struct TwinFiles {
    pub(crate) program: Option<PathBuf>,
    pub(crate) map: Option<PathBuf>,
    /// What the profile came to, where the build was listened to.
    pub(crate) profile: Option<ResolvedProfile>,
    /// What is not as good as it could be, for the report.
    pub(crate) notes: Vec<String>,
}

impl<'a> Project<'a> {
    pub(crate) fn new(selection: &'a Selection) -> Self {
        Self::with(Cargo::from_env(), selection)
    }

    /// With a cargo of one's own.
    pub(crate) fn with(cargo: Cargo, selection: &'a Selection) -> Self {
        Self { cargo, selection }
    }

    /// Builds what ships.
    pub(crate) fn build(&self) -> Outcome<(Build, Vec<String>)> {
        let build = self.cargo.build(self.selection, &mut tell)?;
        let notes = build
            .warnings
            .iter()
            .map(|warning| match warning {
                BuildWarning::NoDependencies { reason } => {
                    format!("which package depends on which could not be read: {reason}")
                }
                _ => "the build was not fully understood".to_owned(),
            })
            .collect();
        Ok((build, notes))
    }

    /// Builds the twin of an artifact. That it cannot be built is no error: the file itself is there.
    pub(crate) fn twin(&self, build: &Build, artifact: &Artifact) -> TwinFiles {
        match self.cargo.twin(self.selection, build, artifact, &mut tell) {
            Ok(twin) => TwinFiles {
                program: Some(twin.path),
                map: twin.map,
                profile: twin.profile,
                notes: twin.warnings.iter().map(twin_warning).collect(),
            },
            Err(error) => TwinFiles {
                notes: vec![format!(
                    "the second build with symbols failed, so names may be missing: {error}"
                )],
                ..TwinFiles::default()
            },
        }
    }
}

/// Shows what happens while cargo runs. Cargo's own progress goes to standard error by itself.
#[expect(clippy::print_stderr, reason = "progress and doubts, not results")]
#[expect(
    clippy::needless_pass_by_value,
    reason = "the form in which whittle-cargo hands out events"
)]
pub(crate) fn tell(event: Event<'_>) {
    match event {
        Event::Waiting { lock } => eprintln!(
            "waiting for another cargo-whittle that holds `{}`",
            lock.display()
        ),
        Event::Restored { path } => eprintln!(
            "put back `{}`, which an interrupted run had replaced",
            path.display()
        ),
        Event::Running {
            step: Step::Twin, ..
        } => {
            eprintln!("     Whittle builds the last crate once more, with symbols and a link map");
        }
        Event::Stdout(line) => eprintln!("{line}"),
        _ => {}
    }
}

fn twin_warning(warning: &TwinWarning) -> String {
    match warning {
        TwinWarning::NoMap {
            why: NoMap::TargetHasNone,
        } => "no link map: none that can be read is written for this target".to_owned(),
        TwinWarning::NoMap {
            why: NoMap::LinkerRefused,
        } => "no link map: the linker refused to write one".to_owned(),
        TwinWarning::NoMap { .. } => "no link map: the linker wrote none".to_owned(),
        TwinWarning::OtherDependencies { packages } => format!(
            "{} dependencies were compiled with other features in the second build with symbols",
            packages.len()
        ),
        _ => "the second build with symbols was not fully understood".to_owned(),
    }
}

/// What a build made for users: what was linked, else static libraries.
pub(crate) fn what_ships(build: &Build) -> Vec<&Artifact> {
    let linked: Vec<&Artifact> = build.artifacts.iter().filter(|it| is_linked(it)).collect();
    if linked.is_empty() {
        build.artifacts.iter().collect()
    } else {
        linked
    }
}

/// The one file that a build made for users.
pub(crate) fn only_artifact(build: &Build) -> Outcome<&Artifact> {
    match what_ships(build)[..] {
        [only] => Ok(only),
        ref several => Err(not_one(several)),
    }
}

fn is_linked(artifact: &Artifact) -> bool {
    artifact.kind != ArtifactKind::Staticlib
}

/// The one linked file of a build.
pub(crate) fn only_linked(build: &Build) -> Outcome<&Artifact> {
    let linked: Vec<&Artifact> = build
        .artifacts
        .iter()
        .filter(|artifact| is_linked(artifact))
        .collect();
    match linked[..] {
        [only] => Ok(only),
        _ => Err(not_one(&linked)),
    }
}

/// The error for a build of several linked files, or of none.
pub(crate) fn not_one(linked: &[&Artifact]) -> Trouble {
    if linked.is_empty() {
        return Trouble::new(
            anyhow!(
                "only static libraries came out of the build, and this needs a file that a linker made"
            ),
            "choose a package with a program or a dynamic library, or give a file",
        );
    }
    if linked.iter().all(|artifact| !is_linked(artifact)) {
        return Trouble::new(
            anyhow!("{} static libraries came out of the build", linked.len()),
            "choose a package with `-p`",
        );
    }
    let flags: Vec<String> = linked
        .iter()
        .map(|artifact| match artifact.kind {
            ArtifactKind::Example => format!("`--example {}`", artifact.target_name),
            ArtifactKind::Bin => format!("`--bin {}`", artifact.target_name),
            _ => format!("`--lib` ({})", artifact.target_name),
        })
        .collect();
    Trouble::new(
        anyhow!("{} files came out of the build", linked.len()),
        format!("choose one: {}", flags.join(", ")),
    )
}

/// The packages of a build, as the ledger wants them, without what stands in their library files.
pub(crate) fn packages(build: &Build) -> Packages {
    let record = &build.record;
    let index_of = |id: &whittle_cargo::PackageId| {
        record.packages.iter().position(|package| &package.id == id)
    };
    let mut list: Vec<Package> = record
        .packages
        .iter()
        .map(|package| Package {
            name: package.name.clone(),
            version: package.version.clone(),
            workspace_member: package.is_member,
            folder: package
                .folder
                .as_deref()
                .and_then(Path::to_str)
                .map(str::to_owned),
            dependencies: package
                .dependencies
                .iter()
                .filter_map(|dependency| {
                    Some((
                        dependency.crate_name.clone(),
                        index_of(&dependency.package)?,
                    ))
                })
                .collect(),
            ..Package::default()
        })
        .collect();
    for unit in &record.units {
        let Some(package) = index_of(&unit.package).and_then(|index| list.get_mut(index)) else {
            continue;
        };
        if !package.crate_names.contains(&unit.crate_name) {
            package.crate_names.push(unit.crate_name.clone());
        }
        for stem in unit
            .files
            .iter()
            .filter_map(|file| Path::new(file).file_stem()?.to_str())
        {
            if !package.file_stems.iter().any(|known| known == stem) {
                package.file_stems.push(stem.to_owned());
            }
        }
    }
    for script in &record.build_scripts {
        let Some(package) = index_of(&script.package).and_then(|index| list.get_mut(index)) else {
            continue;
        };
        package
            .out_dirs
            .extend(script.out_dir.to_str().map(str::to_owned));
    }
    Packages {
        list,
        ..Packages::default()
    }
}

/// Whether the loaded bytes of a twin are those of the file that ships.
///
/// # Errors
/// The name of the first section that differs.
pub(crate) fn check_twin(shipped: &Image<'_>, twin: &Image<'_>) -> Result<(), String> {
    fn loaded<'i, 'd>(image: &'i Image<'d>) -> impl Iterator<Item = &'i Section<'d>> {
        image
            .sections
            .iter()
            .filter(|section| section.access.loaded && section.size > 0)
    }
    let mut of_twin = loaded(twin);
    for section in loaded(shipped) {
        let Some(other) = of_twin.next() else {
            return Err(section.name.to_string());
        };
        let same_place = (&section.name, section.address, section.size)
            == (&other.name, other.address, other.size);
        // The build-id is a hash over the whole file, symbols included.
        let same_bytes = section.stored() == other.stored() || section.name == ".note.gnu.build-id";
        if !same_place || !same_bytes {
            return Err(section.name.to_string());
        }
    }
    of_twin
        .next()
        .map_or(Ok(()), |more| Err(more.name.to_string()))
}

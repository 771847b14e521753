//! What is different about two builds, as far as their snapshots say: compiler, settings, packages, features.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::matching::package_name;
use crate::crates::Family;
use crate::snapshot::{BuildFacts, PackageFacts, Snapshot};

/// What is different about two builds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Build {
    /// Whether both builds say which packages they are of; else these are known by names in the files alone.
    pub packages_known: bool,
    /// Why the two should perhaps not be compared.
    pub mismatches: Vec<Mismatch>,
    /// The compiler before and after, if it is another.
    pub toolchain: Option<(String, String)>,
    /// Settings of the profile and flags that changed.
    pub settings: Vec<SettingChange>,
    /// Packages that have another version, by name.
    pub bumps: Vec<Bump>,
    /// Packages that only the new side has, by name.
    pub new: Vec<NewPackage>,
    /// Packages that only the old side has: `name@version`.
    pub gone: Vec<String>,
    /// Features of packages that both sides have, by package and name.
    pub features: Vec<FeatureChange>,
}

/// Why two builds should not be compared unasked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mismatch {
    /// They are for different machines or systems.
    Target {
        /// What the old side is for.
        old: String,
        /// What the new side is for.
        new: String,
    },
    /// They are different programs of a workspace.
    Program {
        /// The package and program of the old side.
        old: String,
        /// The package and program of the new side.
        new: String,
    },
}

/// A setting with another value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingChange {
    /// Its name: `opt-level`, `rustflags`, `profile`.
    pub name: String,
    /// Its old value; nothing where it is not known.
    pub old: Option<String>,
    /// Its new value; nothing where it is not known.
    pub new: Option<String>,
}

impl SettingChange {
    /// Whether it decides on symbols and debug info alone.
    #[must_use]
    pub fn is_about_symbols(&self) -> bool {
        matches!(
            self.name.as_str(),
            "strip" | "debug" | "debuginfo" | "split-debuginfo"
        )
    }
}

/// A package that has another version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bump {
    /// Its name.
    pub package: String,
    /// The version before.
    pub old: String,
    /// The version after.
    pub new: String,
}

/// A package that only the new side has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPackage {
    /// `name@version`.
    pub label: String,
    /// Who brings it: from a package of the workspace to what depends on it. Empty where that is not known.
    pub path: Vec<String>,
}

/// A feature that was switched on or off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureChange {
    /// The package: `name@version` of the new side.
    pub package: String,
    /// The feature.
    pub feature: String,
    /// Whether it is on now.
    pub on: bool,
    /// Who asks for it now and did not before, or did before and does not now; empty where other features of the package do.
    pub by: Vec<String>,
}

impl Build {
    pub(super) fn of(old: &Snapshot, new: &Snapshot) -> Self {
        let mut build = Self {
            toolchain: toolchain(old, new),
            ..Self::default()
        };
        if let (Some(old), Some(new)) = (&old.build, &new.build) {
            build.settings = settings(old, new);
        }
        build.mismatches = mismatches(old, new);
        if old.packages.is_empty() || new.packages.is_empty() {
            // A file without names would seem to have no packages, and a build has names also when it is stripped.
            if (old.file.stripped, old.build.is_some()) == (new.file.stripped, new.build.is_some())
            {
                build.by_labels(old, new);
            }
        } else {
            build.packages_known = true;
            build.by_packages(&old.packages, &new.packages);
        }
        build
    }

    /// The settings that reach more than symbols and debug info.
    pub(super) fn changes_code(&self) -> bool {
        self.settings
            .iter()
            .any(|setting| !setting.is_about_symbols())
    }

    fn by_labels(&mut self, old: &Snapshot, new: &Snapshot) {
        let labels = |side: &Snapshot| -> BTreeSet<String> {
            let labels = side.crate_labels().into_iter();
            labels
                .filter(|(_, family)| *family == Family::Package)
                .map(|(label, _)| label.to_owned())
                .collect()
        };
        self.by_name(&labels(old), &labels(new), |_| Vec::new());
    }

    fn by_packages(&mut self, old: &[PackageFacts], new: &[PackageFacts]) {
        let labels = |list: &[PackageFacts]| list.iter().map(PackageFacts::label).collect();
        self.by_name(&labels(old), &labels(new), |label| path_to(new, label));
        for package in new {
            // The same version, or the one that followed.
            let same = |other: &&PackageFacts| {
                other.name == package.name
                    && (other.version == package.version
                        || self.bumps.iter().any(|bump| {
                            (&bump.package, &bump.old, &bump.new)
                                == (&package.name, &other.version, &package.version)
                        }))
            };
            let Some(before) = old.iter().find(same) else {
                continue;
            };
            let (was, is): (BTreeSet<_>, BTreeSet<_>) = (
                before.features.iter().collect(),
                package.features.iter().collect(),
            );
            for feature in is.symmetric_difference(&was) {
                let on = is.contains(feature);
                let (mut now, mut then) = (asks(new, package, feature), asks(old, before, feature));
                if !on {
                    std::mem::swap(&mut now, &mut then);
                }
                self.features.push(FeatureChange {
                    package: package.label(),
                    feature: (*feature).clone(),
                    on,
                    by: now.difference(&then).cloned().collect(),
                });
            }
        }
    }

    fn by_name(
        &mut self,
        old: &BTreeSet<String>,
        new: &BTreeSet<String>,
        path: impl Fn(&str) -> Vec<String>,
    ) {
        let split = |label: &str| -> (String, String) {
            let (name, version) = label.split_once('@').unwrap_or((label, ""));
            (name.to_owned(), version.to_owned())
        };
        let mut changed: BTreeMap<String, [Vec<String>; 2]> = BTreeMap::new();
        for (at, labels) in [old.difference(new), new.difference(old)]
            .into_iter()
            .enumerate()
        {
            for label in labels {
                let (name, version) = split(label);
                changed.entry(name).or_default()[at].push(version);
            }
        }
        for (package, [gone, come]) in changed {
            if let ([old], [new]) = (&gone[..], &come[..]) {
                self.bumps.push(Bump {
                    package,
                    old: old.clone(),
                    new: new.clone(),
                });
                continue;
            }
            let label = |version: &String| {
                if version.is_empty() {
                    package.clone()
                } else {
                    format!("{package}@{version}")
                }
            };
            self.gone.extend(gone.iter().map(label));
            self.new
                .extend(come.iter().map(label).map(|label| NewPackage {
                    path: path(&label),
                    label,
                }));
        }
    }
}

/// The release and the commit of a compiler.
type Compiler<'s> = (&'s str, Option<&'s str>);

fn compiler(side: &Snapshot) -> Option<Compiler<'_>> {
    if let Some(build) = &side.build {
        return Some((&build.rustc, build.commit_hash.as_deref()));
    }
    // As files note it: `1.95.0 (59807616e 2026-04-14)`.
    let noted = side.file.rustc.as_deref()?;
    let Some((release, rest)) = noted.split_once(' ') else {
        return Some((noted, None));
    };
    let is_hash = |text: &&str| text.len() >= 7 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let hash = rest.trim_start_matches('(').split(' ').next();
    Some((release, hash.filter(is_hash)))
}

fn toolchain(old: &Snapshot, new: &Snapshot) -> Option<(String, String)> {
    let (old, new) = (compiler(old)?, compiler(new)?);
    // Files note the start of the hash alone, and distributions build without one.
    let is_one = match (old.1, new.1) {
        (Some(old), Some(new)) => old.starts_with(new) || new.starts_with(old),
        _ => true,
    };
    if old.0 == new.0 && is_one {
        return None;
    }
    let shown = |(release, commit): Compiler<'_>, other: Compiler<'_>| match commit {
        Some(commit) if release == other.0 => {
            format!("{release} ({})", commit.get(..9).unwrap_or(commit))
        }
        _ => release.to_owned(),
    };
    Some((shown(old, new), shown(new, old)))
}

fn settings(old: &BuildFacts, new: &BuildFacts) -> Vec<SettingChange> {
    let mut changes = Vec::new();
    let mut compare = |name: &str, old: Option<String>, new: Option<String>| {
        if old != new {
            changes.push(SettingChange {
                name: name.to_owned(),
                old,
                new,
            });
        }
    };
    let names: BTreeSet<&String> = old.settings.keys().chain(new.settings.keys()).collect();
    for name in names {
        let (old, new) = (old.settings.get(name), new.settings.get(name));
        // What one side does not know is no change.
        if old.is_some() && new.is_some() {
            compare(name, old.cloned(), new.cloned());
        }
    }
    let flags = |build: &BuildFacts| Some(build.rustflags.join(" "));
    compare("rustflags", flags(old), flags(new));
    changes
}

fn mismatches(old: &Snapshot, new: &Snapshot) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    let target = |side: &Snapshot| match &side.build {
        Some(build) => build.target.clone(),
        None => side.file.architecture.clone(),
    };
    let both_told = old.build.is_some() == new.build.is_some();
    let differs = if both_told {
        target(old) != target(new)
    } else {
        old.file.architecture != new.file.architecture
    };
    if differs {
        mismatches.push(Mismatch::Target {
            old: target(old),
            new: target(new),
        });
    }
    if let (Some(old), Some(new)) = (&old.build, &new.build) {
        let name = |build: &BuildFacts| {
            if build.package == build.program {
                build.program.clone()
            } else {
                format!("{} of {}", build.program, build.package)
            }
        };
        if (&old.package, &old.program) != (&new.package, &new.program) {
            mismatches.push(Mismatch::Program {
                old: name(old),
                new: name(new),
            });
        }
    } else {
        // Files do not say which program they are, but two without a common package are two.
        let (of_old, of_new) = (package_names(old), package_names(new));
        if !of_old.is_empty() && !of_new.is_empty() && of_old.is_disjoint(&of_new) {
            mismatches.push(Mismatch::Program {
                old: old.file.name.clone(),
                new: new.file.name.clone(),
            });
        }
    }
    mismatches
}

/// The names of the packages that have code in a file. Symbols spell them with `_`.
fn package_names(side: &Snapshot) -> BTreeSet<String> {
    let labels = side.crate_labels().into_iter();
    labels
        .filter(|(_, family)| *family == Family::Package)
        .map(|(label, _)| package_name(label).replace('-', "_"))
        .collect()
}

/// Who asks for a feature of a package.
fn asks(list: &[PackageFacts], package: &PackageFacts, feature: &str) -> BTreeSet<String> {
    let asking = list.iter().filter(|other| {
        other.dependencies.iter().any(|dependency| {
            let asked = list.get(dependency.package);
            asked.is_some_and(|asked| std::ptr::eq(asked, package))
                && dependency.features.iter().any(|it| it == feature)
        })
    });
    // Without its version: another version that asks for the same is no change.
    asking.map(|other| other.name.clone()).collect()
}

/// The shortest way from a package of the workspace to one, both included; the first in the order of the list.
fn path_to(list: &[PackageFacts], label: &str) -> Vec<String> {
    let Some(wanted) = list.iter().position(|package| package.label() == label) else {
        return Vec::new();
    };
    let mut from: Vec<Option<Option<usize>>> = vec![None; list.len()];
    let mut queue = VecDeque::new();
    for (at, _) in list
        .iter()
        .enumerate()
        .filter(|(_, package)| package.member)
    {
        from[at] = Some(None);
        queue.push_back(at);
    }
    while let Some(at) = queue.pop_front() {
        if at == wanted {
            let mut path = vec![list[at].label()];
            let mut at = at;
            while let Some(Some(before)) = from[at] {
                path.push(list[before].label());
                at = before;
            }
            path.reverse();
            return path;
        }
        for dependency in &list[at].dependencies {
            if let Some(unseen @ None) = from.get_mut(dependency.package) {
                *unseen = Some(Some(at));
                queue.push_back(dependency.package);
            }
        }
    }
    Vec::new()
}

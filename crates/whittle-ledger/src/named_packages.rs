//! Packages that a file itself names: in its audit data, and in the paths of source files among its constants.

use std::collections::{BTreeMap, BTreeSet};

use whittle_image::Image;

use crate::certainty::Source;
use crate::source_paths::SourcePaths;

/// A package that the file itself names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamedPackage {
    /// The name in its manifest.
    pub name: String,
    /// The version in its manifest.
    pub version: String,
    /// Where the file names it: [`Source::AuditData`], else [`Source::SourcePath`].
    pub source: Source,
}

/// The packages that a file names, and how to find them.
#[derive(Debug, Clone, Default)]
pub(crate) struct NamedPackages {
    pub(crate) paths: SourcePaths,
    /// By crate name (with `_`): the package's own spelling and its version.
    audited: BTreeMap<String, BTreeSet<(String, String)>>,
    /// The package that was built, if the audit data tells.
    root: Option<(String, String)>,
}

impl NamedPackages {
    /// Looks through the constants of the file and its audit data.
    pub(crate) fn find(image: &Image<'_>) -> Self {
        let mut found = Self {
            paths: SourcePaths::find(image),
            ..Self::default()
        };
        let mut roots = BTreeSet::new();
        for package in &image.facts.audited {
            let named = (package.name.clone(), package.version.clone());
            if package.is_root {
                roots.insert(named.clone());
            }
            found
                .audited
                .entry(package.name.replace('-', "_"))
                .or_default()
                .insert(named);
        }
        if roots.len() == 1 {
            found.root = roots.pop_first();
        }
        found
    }

    /// The package that was built, if the file says so: name and version.
    pub(crate) fn root(&self) -> Option<&(String, String)> {
        self.root.as_ref()
    }

    /// The version of a crate, if the file names exactly one: the package's own spelling and the version.
    pub(crate) fn only_version(&self, crate_name: &str) -> Option<(&(String, String), Source)> {
        let of = |all: &'_ BTreeSet<(String, String)>| all.len() == 1;
        if let Some(versions) = self.audited.get(crate_name) {
            return versions
                .first()
                .filter(|_| of(versions))
                .map(|only| (only, Source::AuditData));
        }
        let only = self.paths.only_version(crate_name)?;
        Some((only, Source::SourcePath))
    }

    /// All of them, in ascending order, each once.
    pub(crate) fn list(&self) -> Vec<NamedPackage> {
        let mut all: BTreeMap<&(String, String), Source> = BTreeMap::new();
        for (packages, source) in [
            (&self.paths.registry, Source::SourcePath),
            (&self.audited, Source::AuditData),
        ] {
            for package in packages.values().flatten() {
                all.insert(package, source);
            }
        }
        all.into_iter()
            .map(|((name, version), source)| NamedPackage {
                name: name.clone(),
                version: version.clone(),
                source,
            })
            .collect()
    }
}

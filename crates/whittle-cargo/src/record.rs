//! What went into a build: the only sure route from a file name in a link map to a package and its version.

use std::path::{Path, PathBuf};

use cargo_metadata::PackageId;
use serde::{Deserialize, Serialize};

use crate::toolchain::Toolchain;

mod asked;
mod collect;
#[cfg(test)]
mod tests;

pub use asked::Asked;
pub(crate) use collect::Sources;

/// What went into a build, from cargo's own messages and metadata. Everything is in a stable order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuildRecord {
    /// The compiler.
    pub toolchain: Toolchain,
    /// The triple that was built for; the name of a target specification file as it was given.
    pub target: String,
    /// The profile's name.
    pub profile: String,
    /// Every package that has a unit or a build script here, by name and version.
    pub packages: Vec<Package>,
    /// Every compiled crate of the target, by package and name.
    ///
    /// Build scripts and procedural macros are not among them, nor are crates that only these use. A crate that both
    /// the program and a build script use is compiled twice when their settings differ; where cargo's messages do not
    /// tell which is which (builds without `--target`), both are listed.
    pub units: Vec<Unit>,
    /// What build scripts told cargo to link, by package.
    pub build_scripts: Vec<BuildScript>,
}

/// One package of the build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Package {
    /// Cargo's name for it, which tells apart what has the same name and version.
    pub id: PackageId,
    /// The name in its manifest.
    pub name: String,
    /// The version in its manifest.
    pub version: String,
    /// Where cargo took it from.
    pub source: PackageSource,
    /// Whether it is part of the workspace that was built.
    pub is_member: bool,
    /// The folder of its manifest; unknown when cargo's metadata could not be had.
    pub folder: Option<PathBuf>,
    /// What it depends on, as far as that is part of the build; build dependencies are not.
    pub dependencies: Vec<Dependency>,
}

/// Where cargo took a package from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum PackageSource {
    /// A registry.
    Registry {
        /// Of its index, as cargo spells it (`registry+https://…` or `sparse+https://…`).
        url: String,
    },
    /// A repository.
    Git {
        /// With the commit, as cargo spells it (`git+https://…#0123abcd`).
        url: String,
    },
    /// A folder of this machine.
    Path,
}

/// One arrow of the resolved dependency graph.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Dependency {
    /// The name by which the dependent's sources call it: renamed, if its manifest renames it.
    pub extern_name: String,
    /// The name of the crate itself, which is what symbol names hold.
    pub crate_name: String,
    /// Who it is.
    pub package: PackageId,
    /// Who of the dependent's targets can use it.
    pub kind: DependencyKind,
    /// What the dependent's manifest asks of it.
    #[serde(default)]
    pub asked: Asked,
}

/// Who can use a dependency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DependencyKind {
    /// All targets.
    Normal,
    /// Examples and tests only.
    Development,
}

/// One crate as it was compiled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Unit {
    /// Whose it is.
    pub package: PackageId,
    /// The crate's name as symbols spell it, with `_`.
    pub crate_name: String,
    /// What it was compiled to, as cargo named it: `rlib` and `rmeta`, dynamic and static libraries, programs.
    pub files: Vec<PathBuf>,
    /// The package's features that were on.
    pub features: Vec<String>,
    /// How it was compiled.
    pub profile: UnitProfile,
}

/// The settings of a unit that cargo reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct UnitProfile {
    /// `0` to `3`, `s` or `z`.
    pub opt_level: String,
    /// `0`, `line-directives-only`, `line-tables-only`, `1` or `2`.
    pub debuginfo: String,
    /// `cfg(debug_assertions)`.
    pub debug_assertions: bool,
    /// Whether arithmetic overflow panics.
    pub overflow_checks: bool,
}

/// What a build script told cargo.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct BuildScript {
    /// Whose it is.
    pub package: PackageId,
    /// The folder it writes to (`OUT_DIR`).
    pub out_dir: PathBuf,
    /// `cargo::rustc-link-lib`.
    pub linked_libraries: Vec<NativeLibrary>,
    /// `cargo::rustc-link-search`, without the kind before the path.
    pub linked_paths: Vec<PathBuf>,
}

/// A library that is not Rust's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct NativeLibrary {
    /// Without prefix and extension: `z` for `libz.a`.
    pub name: String,
    /// How it is linked.
    pub linkage: NativeLinkage,
}

/// How a native library is linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NativeLinkage {
    /// Into the file.
    Static,
    /// Beside the file, loaded at start.
    Dynamic,
    /// A framework of macOS.
    Framework,
    /// As the linker finds it: the build script did not say.
    Unsaid,
}

impl BuildRecord {
    /// The package of that id.
    #[must_use]
    pub fn package(&self, id: &PackageId) -> Option<&Package> {
        self.packages.iter().find(|package| package.id == *id)
    }

    /// The package whose crate was compiled to this file.
    ///
    /// A library that is asked for by itself is named by cargo without its hash, and linked from `deps/` with it; its
    /// hash is known all the same, from its metadata file.
    #[must_use]
    pub fn package_of_rlib(&self, path: &Path) -> Option<&Package> {
        let mut units = self.units.iter();
        let unit = units.find(|unit| unit.files.iter().any(|file| file == path));
        match unit {
            Some(unit) => self.package(&unit.package),
            None => self.package_of_known_stem(path.file_stem()?.to_str()?),
        }
    }

    /// The package of a file or object as a linker names it, without folder and extension.
    ///
    /// Takes `libregex_syntax-0123abcd` of an rlib and `regex_syntax-0123abcd` of an object in it alike. Cargo does not
    /// say the hash of what it hands to the user, and a twin's is another one; there the crate name decides, if it is
    /// the name of only one package's such crate. A dependency's hash must be known: the standard library brings crates
    /// of the same names.
    #[must_use]
    pub fn package_of_file_stem(&self, stem: &str) -> Option<&Package> {
        if let Some(package) = self.package_of_known_stem(stem) {
            return Some(package);
        }
        let names = [stem, stem.strip_prefix("lib").unwrap_or(stem)];
        let names = names.map(|name| name.rsplit_once('-').map_or(name, |(name, _)| name));
        let mut packages: Vec<&PackageId> = self
            .units
            .iter()
            .filter(|unit| names.contains(&unit.crate_name.as_str()) && !unit.has_known_hash())
            .map(|unit| &unit.package)
            .collect();
        packages.dedup();
        match packages[..] {
            [id] => self.package(id),
            _ => None,
        }
    }

    /// The packages that have a crate of that name, as symbols spell it: several where versions differ.
    pub fn packages_with_crate_name(&self, crate_name: &str) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(move |package| {
            let mut units = self.units.iter().filter(|unit| unit.package == package.id);
            units.any(|unit| unit.crate_name == crate_name)
        })
    }

    /// The package whose build script made this file: object files and archives there are that package's.
    #[must_use]
    pub fn package_of_out_dir(&self, path: &Path) -> Option<&Package> {
        let script = self
            .build_scripts
            .iter()
            .find(|script| path.starts_with(&script.out_dir))?;
        self.package(&script.package)
    }

    /// Which `crate_name` the package means: its own dependency of that crate name.
    ///
    /// `None` too if it has several of the name, by renaming them: then the name alone does not tell.
    #[must_use]
    pub fn dependency_by_crate_name(
        &self,
        package: &PackageId,
        crate_name: &str,
    ) -> Option<&Package> {
        let dependencies = &self.package(package)?.dependencies;
        let mut found: Option<&PackageId> = None;
        for dependency in dependencies
            .iter()
            .filter(|dependency| dependency.crate_name == crate_name)
        {
            if found.is_some_and(|found| *found != dependency.package) {
                return None;
            }
            found = Some(&dependency.package);
        }
        self.package(found?)
    }

    fn package_of_known_stem(&self, stem: &str) -> Option<&Package> {
        let bare = stem.strip_prefix("lib").unwrap_or(stem);
        let is_it = |file: &PathBuf| {
            let known = file.file_stem().and_then(|known| known.to_str());
            known.is_some_and(|known| {
                known == stem || known == bare || known.strip_prefix("lib") == Some(stem)
            })
        };
        let mut units = self.units.iter();
        let unit = units.find(|unit| unit.files.iter().any(is_it))?;
        self.package(&unit.package)
    }
}

impl Unit {
    /// Whether cargo has named a file of this unit with its hash: `libregex-0123456789abcdef.rmeta`.
    fn has_known_hash(&self) -> bool {
        self.files.iter().any(|file| {
            let stem = file
                .file_stem()
                .and_then(|stem| stem.to_str())
                .unwrap_or_default();
            let stem = stem.strip_prefix("lib").unwrap_or(stem);
            let hash = stem
                .strip_prefix(&self.crate_name)
                .and_then(|rest| rest.strip_prefix('-'));
            hash.is_some_and(|hash| {
                hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
            })
        })
    }
}

impl NativeLibrary {
    /// Reads what a build script may say: `[KIND[:MODIFIERS]=]NAME[:RENAME]`.
    fn parse(text: &str) -> Self {
        let (kind, name) = text.split_once('=').unwrap_or(("", text));
        let kind = kind.split_once(':').map_or(kind, |(kind, _modifiers)| kind);
        let name = name.split_once(':').map_or(name, |(name, _rename)| name);
        let linkage = match kind {
            "static" => NativeLinkage::Static,
            "dylib" | "raw-dylib" => NativeLinkage::Dynamic,
            "framework" => NativeLinkage::Framework,
            _ => NativeLinkage::Unsaid,
        };
        Self {
            name: name.to_owned(),
            linkage,
        }
    }
}

//! Crates: the closed list of special ones, and the search for the package behind a name or a stable id.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use whittle_names::CrateRef;

use crate::certainty::{Certainty, Source};
use crate::named_packages::NamedPackages;
use crate::owner::Attribution;
use crate::source_paths::PathOwner;
use crate::unit::{RustUnit, Unit};
use crate::witness::Packages;

/// The number of a crate in [`Ledger::crates`](crate::Ledger::crates).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrateId(u32);

impl CrateId {
    /// Nobody knows.
    pub const UNKNOWN: Self = Self(0);
    /// The file as a whole.
    pub const STRUCTURE: Self = Self(1);
    /// Bytes between things.
    pub const PADDING: Self = Self(2);
    /// Several crates, each of which would keep the bytes.
    pub const SHARED: Self = Self(3);
    /// Start-up code and libraries of the C runtime.
    pub const C_RUNTIME: Self = Self(4);

    /// Its index in [`Ledger::crates`](crate::Ledger::crates).
    #[must_use]
    pub fn index(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// All crates of a table with their numbers.
    pub(crate) fn of_table(table: &[Crate]) -> impl Iterator<Item = (Self, &Crate)> {
        (0..).map(Self).zip(table)
    }
}

/// A value of the axes `crate` and `compiled-in`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// How it is shown: `regex-syntax@0.8.6`, `core`, `hashbrown (std)`, `(unknown)`.
    pub label: String,
    /// What sort of crate it is.
    pub family: Family,
    /// Its number in the list of packages of the build, where that is known.
    pub package: Option<usize>,
}

/// What sort of crate it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// A package of the program's own build.
    Package,
    /// The standard library, with the packages that it brings along.
    Standard,
    /// None: structure, padding, the C runtime, shared, unknown.
    Special,
}

/// Crates that come with the toolchain and nowhere else.
const STANDARD: &[&str] = &[
    "alloc",
    "compiler_builtins",
    "core",
    "panic_abort",
    "panic_unwind",
    "proc_macro",
    "profiler_builtins",
    "rustc_std_workspace_alloc",
    "rustc_std_workspace_core",
    "rustc_std_workspace_std",
    "std",
    "std_detect",
    "sysroot",
    "test",
    "unwind",
    // Allocator entry points that rustc generates: `__rustc::__rust_alloc`.
    "__rustc",
];

/// Packages that the standard library brings along (`library/Cargo.lock` of Rust 1.97), and that programs use as well.
const BROUGHT_BY_STANDARD: &[&str] = &[
    "addr2line",
    "adler2",
    "cfg_if",
    "dlmalloc",
    "fortanix_sgx_abi",
    "getopts",
    "gimli",
    "hashbrown",
    "hermit_abi",
    "libc",
    "memchr",
    "miniz_oxide",
    "object",
    "r_efi",
    "r_efi_alloc",
    "rustc_demangle",
    "rustc_literal_escaper",
    "wasi",
    "windows_targets",
];

/// A library file, by its number among the packages or among the toolchain's libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Library {
    Package(usize),
    Standard(usize),
}

/// Whether the file has names of the program's own functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgramNames {
    /// It has.
    Known,
    /// It is stripped.
    Gone,
}

/// A crate and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    id: CrateId,
    certainty: Certainty,
    source: Source,
}

impl Known {
    fn exact(id: CrateId, source: Source) -> Self {
        Self {
            id,
            certainty: Certainty::Exact,
            source,
        }
    }

    fn inferred(id: CrateId, source: Source) -> Self {
        Self {
            id,
            certainty: Certainty::Inferred,
            source,
        }
    }

    fn attribution(self, source: Source) -> Attribution {
        Attribution {
            value: self.id,
            certainty: self.certainty,
            source,
        }
    }
}

/// A stable id that names mention and no unit of the link has: all of the crate's code was compiled into others.
struct Mention<'data> {
    name: &'data str,
    id: u64,
    /// The crate that compiled the first symbol that mentions it.
    near: Option<u64>,
    /// Whether the standard library's own code mentions it. That one does not know the program's crates.
    by_standard: bool,
    /// Whether another crate of the program instantiated something of it. Most crates that the standard library brings
    /// along are out of the program's reach.
    by_program: bool,
}

/// Finds the package behind a crate's name or stable id.
pub(crate) struct Crates<'w> {
    table: Vec<Crate>,
    by_label: FxHashMap<String, CrateId>,
    packages: Option<&'w Packages>,
    /// Numbers of packages by the names of their crates.
    packages_of: FxHashMap<&'w str, Vec<usize>>,
    /// Numbers of packages by the names of the files that they were compiled to.
    package_of_file: FxHashMap<&'w str, usize>,
    /// Numbers of packages by the stable ids of their crates.
    package_of_id: FxHashMap<u64, usize>,
    /// Library files by the hashes that their constants are named after; nothing where several have one.
    library_of_constants: FxHashMap<u128, Option<Library>>,
    named: &'w NamedPackages,
    /// What is known about stable ids.
    by_id: FxHashMap<u64, Known>,
    /// All crates that a name stands for, in the order in which units brought them.
    by_name: FxHashMap<String, Vec<Known>>,
    /// The same and what packages and paths add, for names without a stable id.
    by_bare_name: FxHashMap<String, Vec<Known>>,
    /// How many programs are in the file: in each of them a crate has another stable id.
    programs: usize,
    /// How many stable ids a name has that belong to the program.
    ids_of_name: FxHashMap<String, usize>,
}

impl<'w> Crates<'w> {
    /// Knows the special crates and the packages of the build.
    pub(crate) fn new(
        packages: Option<&'w Packages>,
        named: &'w NamedPackages,
        programs: usize,
    ) -> Self {
        let mut crates = Self {
            table: Vec::new(),
            by_label: FxHashMap::default(),
            packages,
            packages_of: FxHashMap::default(),
            package_of_file: FxHashMap::default(),
            package_of_id: FxHashMap::default(),
            library_of_constants: FxHashMap::default(),
            named,
            by_id: FxHashMap::default(),
            by_name: FxHashMap::default(),
            by_bare_name: FxHashMap::default(),
            programs,
            ids_of_name: FxHashMap::default(),
        };
        for label in [
            "(unknown)",
            "(structure)",
            "(padding)",
            "(shared)",
            "(c-runtime)",
        ] {
            crates.intern(label, Family::Special, None);
        }
        let list = packages.map_or(&[][..], |packages| &packages.list);
        for (index, package) in list.iter().enumerate() {
            for name in &package.crate_names {
                crates.packages_of.entry(name).or_default().push(index);
            }
            for stem in &package.file_stems {
                crates.package_of_file.entry(stem).or_insert(index);
            }
            for &id in &package.stable_ids {
                crates.package_of_id.entry(id).or_insert(index);
            }
            crates.learn_constants(&package.constant_hashes, Library::Package(index));
        }
        let standard = packages.map_or(&[][..], |packages| &packages.standard);
        for (index, library) in standard.iter().enumerate() {
            crates.learn_constants(&library.constant_hashes, Library::Standard(index));
        }
        crates
    }

    fn learn_constants(&mut self, hashes: &[u128], library: Library) {
        for &hash in hashes {
            self.library_of_constants
                .entry(hash)
                .and_modify(|known| *known = known.filter(|&other| other == library))
                .or_insert(Some(library));
        }
    }

    /// The crate whose library file names its constants after a hash.
    pub(crate) fn of_constants(&mut self, hash: u128) -> Attribution {
        let known = match self.library_of_constants.get(&hash) {
            Some(Some(Library::Package(index))) => {
                let index = *index;
                Known::exact(self.package(index), Source::LibraryFile)
            }
            Some(Some(Library::Standard(index))) => {
                let library = self
                    .packages
                    .and_then(|packages| packages.standard.get(*index));
                let Some(library) = library else {
                    return Attribution::UNKNOWN;
                };
                self.standard(&library.crate_name, Source::LibraryFile)
            }
            Some(None) | None => return Attribution::UNKNOWN,
        };
        known.attribution(Source::LibraryFile)
    }

    /// Whether the library files of all packages and of the toolchain were looked at: then a hash that none of them has
    /// is the program's own.
    pub(crate) fn knows_all_constants(&self) -> bool {
        self.packages
            .is_some_and(|packages| !packages.standard.is_empty())
            && !self.library_of_constants.is_empty()
    }

    /// The finished table.
    pub(crate) fn into_table(self) -> Vec<Crate> {
        self.table
    }

    fn intern(&mut self, label: &str, family: Family, package: Option<usize>) -> CrateId {
        if let Some(&id) = self.by_label.get(label) {
            return id;
        }
        let id = CrateId(u32::try_from(self.table.len()).unwrap_or(u32::MAX));
        self.table.push(Crate {
            label: label.to_owned(),
            family,
            package,
        });
        self.by_label.insert(label.to_owned(), id);
        id
    }

    /// Learns which stable ids belong to which package. `units` in the order of the link; `names` are crates that
    /// symbols mention, each with where the symbol was compiled, as far as its unit or its name says.
    pub(crate) fn learn<'u, 'n>(
        &mut self,
        units: impl Iterator<Item = &'u Unit<'u>>,
        names: impl Iterator<Item = (CrateRef<'n>, Option<&'n Unit<'n>>, Option<CrateRef<'n>>)>,
    ) {
        let mut standard_began = false;
        let mut of_units: Vec<(RustUnit<'u>, bool)> = Vec::new();
        let mut seen: FxHashSet<u64> = FxHashSet::default();
        // What a library file says of a unit counts more than the mere name in a symbol table, which may come first.
        let (files, names_alone): (Vec<&RustUnit<'u>>, Vec<&RustUnit<'u>>) = units
            .filter_map(|unit| match unit {
                Unit::Rust(unit) => Some(unit),
                _ => None,
            })
            .partition(|unit| unit.stem.is_some());
        for unit in files.into_iter().chain(names_alone) {
            if unit.stem.is_none() {
                // Linkers are given the standard library last: what follows `std` in a symbol table belongs to it.
                standard_began |= unit.name == "std";
            }
            if !seen.insert(unit.id) {
                continue;
            }
            let is_standard = unit.standard
                || STANDARD.contains(&unit.name)
                || (unit.stem.is_none()
                    && standard_began
                    && BROUGHT_BY_STANDARD.contains(&unit.name));
            of_units.push((*unit, is_standard));
            if !is_standard {
                *self.ids_of_name.entry(unit.name.to_owned()).or_default() += 1;
            }
        }
        let standard_ids: FxHashSet<u64> = of_units
            .iter()
            .filter(|(_, is_standard)| *is_standard)
            .map(|(unit, _)| unit.id)
            .collect();
        let mentions = self.unseen(names, &seen, &standard_ids);
        for (unit, is_standard) in of_units {
            let known = if is_standard {
                self.standard(unit.name, Source::LinkMap)
            } else {
                self.of_unit(&unit)
            };
            self.by_id.insert(unit.id, known);
            let of_name = self.by_name.entry(unit.name.to_owned()).or_default();
            if !of_name.iter().any(|other| other.id == known.id) {
                of_name.push(known);
            }
        }
        for mention in mentions {
            let known = self.of_mention(&mention);
            self.by_id.insert(mention.id, known);
        }
    }

    /// Stable ids that no unit has, in the order in which names mention them.
    fn unseen<'n>(
        &mut self,
        names: impl Iterator<Item = (CrateRef<'n>, Option<&'n Unit<'n>>, Option<CrateRef<'n>>)>,
        seen: &FxHashSet<u64>,
        standard_ids: &FxHashSet<u64>,
    ) -> Vec<Mention<'n>> {
        let mut mentions: Vec<Mention<'n>> = Vec::new();
        let mut number_of: FxHashMap<u64, usize> = FxHashMap::default();
        for (named, unit, instantiating) in names {
            let Some(id) = named.disambiguator else {
                continue;
            };
            if seen.contains(&id) || STANDARD.contains(&named.name) {
                continue;
            }
            let unit_id = match unit {
                Some(Unit::Rust(unit)) => Some(unit.id),
                _ => None,
            };
            let by_standard = unit_id.is_some_and(|id| standard_ids.contains(&id))
                || instantiating.is_some_and(|of| STANDARD.contains(&of.name));
            let number = *number_of.entry(id).or_insert_with(|| {
                mentions.push(Mention {
                    name: named.name,
                    id,
                    near: unit_id.or(instantiating.and_then(|of| of.disambiguator)),
                    by_standard: false,
                    by_program: false,
                });
                mentions.len() - 1
            });
            mentions[number].by_standard |= by_standard;
            mentions[number].by_program |=
                instantiating.is_some_and(|of| of.name != named.name) && !by_standard;
        }
        // Of two crates of one name, one the program's for sure, the other is the one that the standard library brings.
        let of_program: FxHashSet<&str> = mentions
            .iter()
            .filter(|mention| mention.by_program)
            .map(|mention| mention.name)
            .collect();
        for mention in &mut mentions {
            mention.by_standard = BROUGHT_BY_STANDARD.contains(&mention.name)
                && !self.package_of_id.contains_key(&mention.id)
                && (mention.by_standard
                    || self.is_unknown_to_program(mention.name)
                    || (!mention.by_program && of_program.contains(mention.name)));
            if !mention.by_standard {
                *self.ids_of_name.entry(mention.name.to_owned()).or_default() += 1;
            }
        }
        mentions
    }

    fn of_unit(&mut self, unit: &RustUnit<'_>) -> Known {
        if let Some(&index) = unit.stem.and_then(|stem| self.package_of_file.get(stem)) {
            return Known::exact(self.package(index), Source::LinkMap);
        }
        if let Some(&index) = self.package_of_id.get(&unit.id) {
            return Known::exact(self.package(index), Source::FileSymbol);
        }
        if let Some([only]) = self.packages_of.get(unit.name).map(Vec::as_slice) {
            return Known::exact(self.package(*only), Source::FileSymbol);
        }
        self.without_package(unit.name, Some(unit.id))
    }

    fn standard(&mut self, name: &str, source: Source) -> Known {
        let label = match name {
            "__rustc" => "std".to_owned(),
            name if STANDARD.contains(&name) => name.to_owned(),
            name => format!("{} (std)", shown_name(name)),
        };
        Known::exact(self.intern(&label, Family::Standard, None), source)
    }

    fn package(&mut self, index: usize) -> CrateId {
        let label = self
            .packages
            .and_then(|packages| packages.list.get(index))
            .map(crate::witness::Package::label);
        self.intern(&label.unwrap_or_default(), Family::Package, Some(index))
    }

    /// A crate of which only the name is known, and perhaps the stable id.
    fn without_package(&mut self, name: &str, stable_id: Option<u64>) -> Known {
        let shown = shown_name(name);
        if let Some(id) = stable_id
            && self
                .ids_of_name
                .get(name)
                .is_some_and(|&ids| ids > self.programs)
        {
            // Other crates have the same name: they must not be added up. The stable id tells them apart.
            let label = format!("{shown} [{id:x}]");
            return Known::exact(
                self.intern(&label, Family::Package, None),
                Source::SymbolName,
            );
        }
        match self.named.only_version(name) {
            Some(((package, version), source)) => {
                let label = format!("{package}@{version}");
                Known::inferred(self.intern(&label, Family::Package, None), source)
            }
            None => Known::exact(
                self.intern(&shown, Family::Package, None),
                Source::SymbolName,
            ),
        }
    }

    /// The crate that a codegen unit or an object belongs to.
    pub(crate) fn of(&mut self, unit: &Unit<'_>, source: Source) -> Attribution {
        match unit {
            Unit::Rust(unit) => match self.by_id.get(&unit.id) {
                Some(known) => known.attribution(source),
                None => Attribution::UNKNOWN,
            },
            Unit::InLibrary { stem, standard } => self.of_library(stem, *standard, source),
            Unit::AtPath(path) => self.of_path(path, source),
            Unit::CRuntime => Attribution::exact(CrateId::C_RUNTIME, source),
            Unit::Unknown => Attribution::UNKNOWN,
        }
    }

    /// The crate of an object of another language in a library file `libNAME-HASH`.
    fn of_library(&mut self, stem: &str, standard: bool, source: Source) -> Attribution {
        if let Some(&index) = self.package_of_file.get(stem) {
            return Attribution::exact(self.package(index), source);
        }
        let name = stem.strip_prefix("lib").unwrap_or(stem);
        let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
        if standard && name == "libc" {
            // Targets that link the C library statically bring it in this one.
            return Attribution::exact(CrateId::C_RUNTIME, source);
        }
        let known = if standard {
            self.standard(name, source)
        } else {
            match self.by_name.get(name).map(Vec::as_slice) {
                Some([only]) => *only,
                _ => self.without_package(name, None),
            }
        };
        known.attribution(source)
    }

    /// The crate of an object or source file: what build scripts wrote is their package's, and so is what stands in
    /// its folder.
    pub(crate) fn of_path(&mut self, path: &str, source: Source) -> Attribution {
        if let Some(index) = self.packages.and_then(|packages| packages.by_path(path)) {
            return Attribution::exact(self.package(index), source);
        }
        match PathOwner::of(path) {
            Some(PathOwner::Registry { package, .. })
                if STANDARD.contains(&package.replace('-', "_").as_str()) =>
            {
                let known = self.standard(&package.replace('-', "_"), source);
                known.attribution(source)
            }
            Some(PathOwner::Registry { package, version }) => {
                let label = format!("{package}@{version}");
                Attribution::inferred(
                    self.intern(&label, Family::Package, None),
                    Source::SourcePath,
                )
            }
            Some(PathOwner::Standard { name }) => {
                let known = self.standard(&name.replace('-', "_"), source);
                known.attribution(source)
            }
            Some(PathOwner::Git { package }) => {
                let label = format!("{} (git)", shown_name(package));
                Attribution::inferred(
                    self.intern(&label, Family::Package, None),
                    Source::SourcePath,
                )
            }
            None => Attribution::UNKNOWN,
        }
    }

    /// The program's own crate whose sources stand in a folder, as the compiler saw it.
    pub(crate) fn of_own_folder(&mut self, folder: &str) -> CrateId {
        // The package that was built stands at the root of its workspace more often than not.
        let label = match self.named.root() {
            Some((name, version)) if folder == "src" => format!("{name}@{version}"),
            _ => format!("{} (source folder)", shown_name(folder)),
        };
        self.intern(&label, Family::Package, None)
    }

    /// The crate that a symbol's name mentions. `near` is where the symbol was compiled: it decides between crates of
    /// one name where the symbol itself does not. If that is not known either, nor is the crate.
    pub(crate) fn named(&mut self, named: CrateRef<'_>, near: Attribution) -> Attribution {
        if let Some(known) = named.disambiguator.and_then(|id| self.by_id.get(&id)) {
            return known.attribution(match known.source {
                Source::SourcePath => Source::SourcePath,
                _ => Source::SymbolName,
            });
        }
        let known = if STANDARD.contains(&named.name) {
            Some(self.standard(named.name, Source::SymbolName))
        } else {
            self.of_bare_name(named.name, near)
        };
        known.map_or(Attribution::UNKNOWN, |known| {
            known.attribution(known.source)
        })
    }

    /// A stable id that no unit of the link has.
    fn of_mention(&mut self, mention: &Mention<'_>) -> Known {
        let name = mention.name;
        if let Some(&index) = self.package_of_id.get(&mention.id) {
            return Known::exact(self.package(index), Source::SymbolName);
        }
        if mention.by_standard {
            let known = self.standard(name, Source::SymbolName);
            return Known::inferred(known.id, known.source);
        }
        let candidates = self.packages_of.get(name).cloned().unwrap_or_default();
        if let [only] = candidates[..] {
            return Known::exact(self.package(only), Source::SymbolName);
        }
        let taken = self.by_name.get(name).cloned().unwrap_or_default();
        let free: Vec<CrateId> = candidates
            .into_iter()
            .map(|index| self.package(index))
            .filter(|candidate| taken.iter().all(|taken| taken.id != *candidate))
            .collect();
        if let [only] = free[..] {
            return Known::exact(only, Source::SymbolName);
        }
        let near = mention.near.and_then(|id| self.by_id.get(&id)).copied();
        if let Some(dependency) = near.and_then(|near| self.dependency_of(near.id, name)) {
            return Known::inferred(dependency, Source::SymbolName);
        }
        self.without_package(name, Some(mention.id))
    }

    /// A name without a stable id: legacy symbols. Nothing if it stands for several crates and `near` does not say which.
    fn of_bare_name(&mut self, name: &str, near: Attribution) -> Option<Known> {
        if !self.by_bare_name.contains_key(name) {
            let candidates = self.candidates(name);
            self.by_bare_name.insert(name.to_owned(), candidates);
        }
        let candidates = self.by_bare_name.get(name).map_or(&[][..], Vec::as_slice);
        let inferred = |id| Some(Known::inferred(id, Source::SymbolName));
        match candidates {
            [] => return Some(self.without_package(name, None)),
            [only] => return Some(*only),
            _ if !near.is_known() => return None,
            _ => {}
        }
        if candidates
            .iter()
            .any(|candidate| candidate.id == near.value)
        {
            return inferred(near.value);
        }
        let near_standard = self.family(near.value) == Family::Standard;
        let mut same_side = candidates
            .iter()
            .filter(|known| (self.family(known.id) == Family::Standard) == near_standard)
            .map(|known| known.id);
        if let (Some(only), None) = (same_side.next(), same_side.next()) {
            return inferred(only);
        }
        let dependency = self.dependency_of(near.value, name)?;
        inferred(dependency)
    }

    /// Whether a name without a stable id stands for several crates.
    pub(crate) fn is_ambiguous(&mut self, name: &str) -> bool {
        self.of_bare_name(name, Attribution::UNKNOWN).is_none()
    }

    /// All crates that a name can stand for.
    fn candidates(&mut self, name: &str) -> Vec<Known> {
        let mut candidates = self.by_name.get(name).cloned().unwrap_or_default();
        for index in self.packages_of.get(name).cloned().unwrap_or_default() {
            let id = self.package(index);
            if candidates.iter().all(|known| known.id != id) {
                candidates.push(Known::exact(id, Source::SymbolName));
            }
        }
        if BROUGHT_BY_STANDARD.contains(&name) {
            let has_own = candidates
                .iter()
                .any(|known| self.family(known.id) == Family::Package);
            if !has_own && !self.is_unknown_to_program(name) {
                candidates.push(self.without_package(name, None));
            }
            let has_standard = candidates
                .iter()
                .any(|known| self.family(known.id) == Family::Standard);
            if !has_standard
                && (self.named.paths.standard.contains(name) || self.is_unknown_to_program(name))
            {
                let known = self.standard(name, Source::SymbolName);
                candidates.push(Known::inferred(known.id, known.source));
            }
        }
        candidates
    }

    fn family(&self, id: CrateId) -> Family {
        self.table
            .get(id.index())
            .map_or(Family::Special, |known| known.family)
    }

    /// Whether nothing says that the program itself uses a crate of that name, which the standard library brings along:
    /// no package of the build, or, where these are not known, no path of a source file but the standard library's.
    fn is_unknown_to_program(&self, name: &str) -> bool {
        if self.packages.is_some() {
            !self.packages_of.contains_key(name)
        } else {
            self.named.paths.standard.contains(name)
                && !self.named.paths.registry.contains_key(name)
        }
    }

    /// The only package with a crate of that name that the package of `near` depends on. What its source calls the
    /// crate does not matter: symbols have the crate's own name.
    fn dependency_of(&mut self, near: CrateId, name: &str) -> Option<CrateId> {
        let package = self.table.get(near.index())?.package?;
        let packages = self.packages?;
        let mut fitting = packages
            .list
            .get(package)?
            .dependencies
            .iter()
            .map(|&(_, index)| index)
            .filter(|&index| {
                let crates = packages.list.get(index).map(|package| &package.crate_names);
                crates.is_some_and(|crates| crates.iter().any(|own| own == name))
            });
        let first = fitting.next()?;
        fitting
            .all(|other| other == first)
            .then(|| self.package(first))
    }

    /// Whether a name is that of a crate which comes with the toolchain and nowhere else.
    pub(crate) fn is_standard_name(name: &str) -> bool {
        STANDARD.contains(&name)
    }

    /// Whether a crate belongs to the standard library.
    pub(crate) fn is_standard(&self, id: CrateId) -> bool {
        self.family(id) == Family::Standard
    }

    /// The standard library itself, for its symbols with plain names.
    pub(crate) fn std(&mut self) -> Attribution {
        self.standard("std", Source::SymbolName)
            .attribution(Source::SymbolName)
    }
}

/// A crate's name without control characters, and not longer than any real one; names come from the file.
fn shown_name(name: &str) -> String {
    const MAX_CHARS: usize = 256;
    name.chars()
        .filter(|c| !c.is_control())
        .take(MAX_CHARS)
        .collect()
}

//! Crates: the closed list of special ones, and the search for the package behind a name or a stable id.

use rustc_hash::FxHashMap;
use whittle_names::CrateRef;

use crate::certainty::{Certainty, Source};
use crate::owner::Attribution;
use crate::source_paths::SourcePaths;
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// A crate and how well it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    id: CrateId,
    certainty: Certainty,
    source: Source,
}

/// Finds the package behind a crate's name or stable id.
pub(crate) struct Crates<'w> {
    table: Vec<Crate>,
    by_label: FxHashMap<String, CrateId>,
    packages: Option<&'w Packages>,
    paths: SourcePaths,
    /// What units say about stable ids.
    by_id: FxHashMap<u64, Known>,
    /// All crates that a name stands for, in the order in which units brought them.
    by_name: FxHashMap<String, Vec<CrateId>>,
    /// Ids of one name that no version tells apart.
    unversioned: FxHashMap<String, Vec<u64>>,
}

impl<'w> Crates<'w> {
    /// Learns from all units of the link which stable id belongs to which package. `units` in the order of the link.
    pub(crate) fn new<'u>(
        packages: Option<&'w Packages>,
        paths: SourcePaths,
        units: impl Iterator<Item = &'u Unit<'u>>,
    ) -> Self {
        let mut crates = Self {
            table: Vec::new(),
            by_label: FxHashMap::default(),
            packages,
            paths,
            by_id: FxHashMap::default(),
            by_name: FxHashMap::default(),
            unversioned: FxHashMap::default(),
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
        crates.learn(units);
        crates
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

    fn learn<'u>(&mut self, units: impl Iterator<Item = &'u Unit<'u>>) {
        let mut standard_began = false;
        for unit in units {
            let Unit::Rust(unit) = unit else { continue };
            // Linkers are given the standard library last: what follows `std` without a path of its own belongs to it.
            standard_began |= unit.name == "std";
            if self.by_id.contains_key(&unit.id) {
                continue;
            }
            let in_standard = unit.standard
                || STANDARD.contains(&unit.name)
                || (unit.stem.is_none()
                    && standard_began
                    && BROUGHT_BY_STANDARD.contains(&unit.name));
            let known = self.of_unit(unit, in_standard);
            self.by_id.insert(unit.id, known);
            let of_name = self.by_name.entry(unit.name.to_owned()).or_default();
            if !of_name.contains(&known.id) {
                of_name.push(known.id);
            }
        }
    }

    fn of_unit(&mut self, unit: &RustUnit<'_>, in_standard: bool) -> Known {
        if in_standard {
            return self.standard(unit.name, Source::LinkMap);
        }
        let exact = |id, source| Known {
            id,
            certainty: Certainty::Exact,
            source,
        };
        if let Some(packages) = self.packages {
            if let Some(index) = unit.stem.and_then(|stem| packages.by_file_stem(stem)) {
                return exact(self.package(index), Source::LinkMap);
            }
            let mut candidates = packages.by_crate_name(unit.name);
            if let (Some(index), None) = (candidates.next(), candidates.next()) {
                return exact(self.package(index), Source::FileSymbol);
            }
        }
        self.without_package(unit.name, Some(unit.id))
    }

    fn standard(&mut self, name: &str, source: Source) -> Known {
        let label = match name {
            "__rustc" => "std".to_owned(),
            name if STANDARD.contains(&name) => name.to_owned(),
            name => format!("{name} (std)"),
        };
        Known {
            id: self.intern(&label, Family::Standard, None),
            certainty: Certainty::Exact,
            source,
        }
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
        let ids = self.unversioned.entry(name.to_owned()).or_default();
        let position = stable_id.map_or(0, |stable_id| {
            ids.iter()
                .position(|&id| id == stable_id)
                .unwrap_or_else(|| {
                    ids.push(stable_id);
                    ids.len() - 1
                })
        });
        if position > 0 {
            // Another crate of the same name: they must not be added up. The stable id tells them apart.
            let label = format!("{name} [{:x}]", stable_id.unwrap_or_default());
            return Known {
                id: self.intern(&label, Family::Package, None),
                certainty: Certainty::Exact,
                source: Source::SymbolName,
            };
        }
        match self
            .paths
            .only_version(name)
            .map(|(name, version)| format!("{name}@{version}"))
        {
            Some(label) => Known {
                id: self.intern(&label, Family::Package, None),
                certainty: Certainty::Inferred,
                source: Source::SourcePath,
            },
            None => Known {
                id: self.intern(&shown_name(name), Family::Package, None),
                certainty: Certainty::Exact,
                source: Source::SymbolName,
            },
        }
    }

    /// The crate that a codegen unit or an object belongs to.
    pub(crate) fn of(&mut self, unit: &Unit<'_>, source: Source) -> Attribution {
        match unit {
            Unit::Rust(unit) => match self.by_id.get(&unit.id) {
                Some(known) => Attribution {
                    value: known.id,
                    certainty: known.certainty,
                    source,
                },
                None => Attribution::UNKNOWN,
            },
            Unit::InLibrary { stem, standard } => self.of_library(stem, *standard, source),
            Unit::AtPath(path) => {
                match self.packages.and_then(|packages| packages.by_out_dir(path)) {
                    Some(index) => Attribution::exact(self.package(index), source),
                    None => Attribution::UNKNOWN,
                }
            }
            Unit::CRuntime => Attribution::exact(CrateId::C_RUNTIME, source),
            Unit::Unknown => Attribution::UNKNOWN,
        }
    }

    /// The crate of a library file `libNAME-HASH`.
    fn of_library(&mut self, stem: &str, standard: bool, source: Source) -> Attribution {
        let name = stem.strip_prefix("lib").unwrap_or(stem);
        let name = name.rsplit_once('-').map_or(name, |(name, _)| name);
        if standard {
            let known = self.standard(name, source);
            return Attribution::exact(known.id, source);
        }
        if let Some(index) = self
            .packages
            .and_then(|packages| packages.by_file_stem(stem))
        {
            return Attribution::exact(self.package(index), source);
        }
        let known = self.without_package(name, None);
        Attribution {
            value: known.id,
            certainty: known.certainty,
            source,
        }
    }

    /// The crate that a symbol's name mentions. `near` is where the symbol was compiled: it decides between crates of
    /// one name where the symbol itself does not.
    pub(crate) fn named(&mut self, named: CrateRef<'_>, near: Attribution) -> Attribution {
        if let Some(known) = named.disambiguator.and_then(|id| self.by_id.get(&id)) {
            return Attribution {
                value: known.id,
                certainty: known.certainty,
                source: Source::SymbolName,
            };
        }
        if STANDARD.contains(&named.name) {
            let known = self.standard(named.name, Source::SymbolName);
            return Attribution::exact(known.id, Source::SymbolName);
        }
        let known = match named.disambiguator {
            Some(id) => {
                let known = self.of_id_without_unit(named.name, id, near);
                self.by_id.insert(id, known);
                known
            }
            None => self.of_bare_name(named.name, near),
        };
        Attribution {
            value: known.id,
            certainty: known.certainty,
            source: known.source,
        }
    }

    /// A stable id that no unit of the link has: all of the crate's code was compiled into others.
    fn of_id_without_unit(&mut self, name: &str, id: u64, near: Attribution) -> Known {
        if let Some(packages) = self.packages {
            let taken = self.by_name.get(name).cloned().unwrap_or_default();
            let candidates: Vec<usize> = packages.by_crate_name(name).collect();
            let free: Vec<CrateId> = candidates
                .into_iter()
                .map(|index| self.package(index))
                .filter(|candidate| !taken.contains(candidate))
                .collect();
            if let [only] = free[..] {
                return Known {
                    id: only,
                    certainty: Certainty::Exact,
                    source: Source::SymbolName,
                };
            }
            if let Some(dependency) = self.dependency_of(near, name) {
                return Known {
                    id: dependency,
                    certainty: Certainty::Inferred,
                    source: Source::SymbolName,
                };
            }
        }
        if self.looks_standard(name, near) {
            return Known {
                certainty: Certainty::Inferred,
                ..self.standard(name, Source::SymbolName)
            };
        }
        self.without_package(name, Some(id))
    }

    /// A name without a stable id: legacy symbols.
    fn of_bare_name(&mut self, name: &str, near: Attribution) -> Known {
        let known = |id, certainty| Known {
            id,
            certainty,
            source: Source::SymbolName,
        };
        let mut candidates = self.by_name.get(name).cloned().unwrap_or_default();
        if let Some(packages) = self.packages {
            for index in packages.by_crate_name(name).collect::<Vec<_>>() {
                let id = self.package(index);
                if !candidates.contains(&id) {
                    candidates.push(id);
                }
            }
        }
        match candidates[..] {
            [] if self.looks_standard(name, near) => Known {
                certainty: Certainty::Inferred,
                ..self.standard(name, Source::SymbolName)
            },
            [] => self.without_package(name, None),
            [only] => known(only, Certainty::Exact),
            [first, ..] => {
                if candidates.contains(&near.value) {
                    return known(near.value, Certainty::Inferred);
                }
                if let Some(dependency) = self
                    .dependency_of(near, name)
                    .filter(|id| candidates.contains(id))
                {
                    return known(dependency, Certainty::Inferred);
                }
                let near_standard = self.family(near.value) == Family::Standard;
                let same_side = candidates
                    .iter()
                    .find(|&&id| (self.family(id) == Family::Standard) == near_standard);
                known(same_side.copied().unwrap_or(first), Certainty::Inferred)
            }
        }
    }

    fn family(&self, id: CrateId) -> Family {
        self.table
            .get(id.index())
            .map_or(Family::Special, |known| known.family)
    }

    /// Whether a name that programs and the standard library both use means the latter's.
    fn looks_standard(&self, name: &str, near: Attribution) -> bool {
        BROUGHT_BY_STANDARD.contains(&name)
            && !self.paths.registry.contains_key(name)
            && (self.paths.standard.contains(name) || self.family(near.value) == Family::Standard)
    }

    /// The package that the package of `near` calls `name`.
    fn dependency_of(&mut self, near: Attribution, name: &str) -> Option<CrateId> {
        let package = self.table.get(near.value.index())?.package?;
        let dependencies = &self.packages?.list.get(package)?.dependencies;
        let index = dependencies
            .iter()
            .find(|(own_name, _)| own_name == name)?
            .1;
        Some(self.package(index))
    }

    /// Whether a crate's unit holds its own code alone, judged by its name: the standard library is never compiled in
    /// the merged module of a program.
    pub(crate) fn is_standard_name(name: &str) -> bool {
        STANDARD.contains(&name)
    }
}

/// A crate's name without control characters; names come from the file.
fn shown_name(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).collect()
}

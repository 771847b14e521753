//! Third stage: the crate that defines each item and the crate it was compiled in.

use rustc_hash::{FxHashMap, FxHashSet};
use whittle_code::References;
use whittle_image::{DebugUnit, FileKind, Image};
use whittle_names::{DefiningCrate, Genericity, Scheme};

use crate::anchors::Anchors;
use crate::certainty::Source;
use crate::constants::{self, Shapes, Users};
use crate::crates::{Crate, CrateId, Crates, ProgramNames};
use crate::items::{Items, Origin};
use crate::known_symbols::{is_anonymous, is_of_c_runtime, is_of_standard_library};
use crate::mentioned::{Mentioned, Names};
use crate::named_packages::NamedPackages;
use crate::neighbours::{ask_neighbours, between_units};
use crate::owner::{Attribution, Item, ItemId, ItemKind};
use crate::unit::{RustUnit, Unit};
use crate::witness::{Witnesses, constant_hash};

/// What is known before any item has a crate.
pub(crate) struct Known<'a, 'data> {
    pub(crate) image: &'data Image<'data>,
    pub(crate) witnesses: &'a Witnesses<'data>,
    pub(crate) references: &'data References,
    pub(crate) users: &'a Users,
    pub(crate) shapes: &'a Shapes,
    pub(crate) named: &'a NamedPackages,
}

/// Fills in the crates of all items and returns the table of crates.
pub(crate) fn attribute<'data>(
    known: &Known<'_, 'data>,
    items: &mut Items<'data>,
    debug_items: &[(ItemId, &DebugUnit)],
) -> Vec<Crate> {
    let &Known {
        image,
        witnesses,
        references,
        users,
        shapes,
        named,
    } = known;
    let units = debug_items.iter().map(|(_, unit)| unit_of_debug_info(unit));
    let debug_units: Vec<Unit<'_>> = units.collect();
    let names = Names::of(items);
    let merged = merged_units(items, &names);
    let programs = match image.target.kind {
        FileKind::Universal => image.members.len().max(1),
        _ => 1,
    };
    let mut crates = Crates::new(witnesses.packages, named, programs);
    crates.learn(
        items.units.iter().chain(&debug_units),
        names.mentions(items, &merged),
    );
    let evidence = Evidence {
        needs_c_runtime_only: needs_c_runtime_only(image),
        sole_unit: sole_unit(image, items),
        standard_is_v0: names.standard_is_v0(items),
        names,
        merged,
    };
    for index in 0..items.list.len() {
        items.list[index].compiled_in = evidence.compiled_in(items, index, &mut crates);
    }
    for ((item, _), unit) in debug_items.iter().zip(&debug_units) {
        let attribution = crates.of(unit, Source::DebugInfo);
        items.list[item.index()].compiled_in = attribution;
        items.list[item.index()].defined_in = attribution;
    }
    for (item, compiled) in evidence.compiled_by_order(items, &mut crates) {
        items.list[item.index()].compiled_in = compiled;
    }
    let definers = evidence.definers(items, &mut crates);
    let ask = |items: &mut Items<'data>,
               crates: &Crates<'_>,
               asks: &dyn Fn(&Items<'data>, ItemId) -> bool| {
        ask_neighbours(items, &definers, |items, id, neighbour| {
            asks(items, id) && evidence.can_be_beside(items, id.index(), neighbour, crates)
        });
    };
    // What stands beside a constant says less than who uses it.
    ask(items, &crates, &|_, id| users.of(id).is_empty());
    for index in 0..items.list.len() {
        if items.list[index].defined_in.is_known() {
            continue;
        }
        let defined = evidence.defined_in(items, index, &mut crates);
        items.list[index].defined_in = defined;
        let is_open = defined.is_known() && !items.list[index].compiled_in.is_known();
        if is_open && evidence.is_compiled_where_defined(items, index, &crates) {
            let item = &mut items.list[index];
            item.compiled_in = match item.kind {
                ItemKind::Import => defined,
                _ => Attribution::inferred(defined.value, Source::SymbolName),
            };
        }
    }
    let program_names = if evidence.names.alone.iter().any(Option::is_some) {
        ProgramNames::Known
    } else {
        ProgramNames::Gone
    };
    let anchors = Anchors::of(image, references, shapes, program_names, &mut crates);
    anchors.define_locations(items);
    anchors.define_functions(items, &crates);
    constants::compiled_by_users(items, users);
    // Functions have been asked, and what panic locations tell of them since is too little to go on from.
    let is_data = |items: &Items<'data>, id: ItemId| items.list[id.index()].kind.is_data();
    ask(items, &crates, &is_data);
    constants::compiled_by_users(items, users);
    constants::defined_by_users(items, users);
    for item in &mut items.list {
        let compiled = item.compiled_in;
        if item.kind.is_data() && !item.defined_in.is_known() && compiled.is_known() {
            item.defined_in = Attribution::inferred(compiled.value, compiled.source);
        }
    }
    crates.into_table()
}

/// What is known about all items before any of them has a crate.
struct Evidence<'data> {
    needs_c_runtime_only: bool,
    sole_unit: Option<u32>,
    /// Whether the standard library in this file has v0 names.
    standard_is_v0: bool,
    names: Names<'data>,
    /// Crates whose unit holds the code of others as well.
    merged: FxHashSet<u64>,
}

impl<'data> Evidence<'data> {
    /// Where an item was compiled: by the unit of each of its names, else by what the names say of themselves.
    fn compiled_in(
        &self,
        items: &Items<'data>,
        index: usize,
        crates: &mut Crates<'_>,
    ) -> Attribution {
        let Some(folded) = self.names.folded(items, index) else {
            let (name, origin) = (items.list[index].name, items.origins[index]);
            let mentioned = self.names.alone[index].as_ref();
            return self.name_compiled_in(items, name, origin, mentioned, crates);
        };
        let all = folded.map(|(name, mentioned)| {
            self.name_compiled_in(items, name.name, name.origin, mentioned, crates)
        });
        agreement(all.filter(|one| one.is_known()))
    }

    fn name_compiled_in(
        &self,
        items: &Items<'data>,
        name: &[u8],
        origin: Origin,
        mentioned: Option<&Mentioned<'data>>,
        crates: &mut Crates<'_>,
    ) -> Attribution {
        let by_unit = match items.unit(origin.unit.or(self.sole_unit)) {
            // Everything is in the merged module, whatever it was compiled for; but rustc itself writes the program's
            // entry, when it compiles the program.
            Some(unit) if self.is_merged(unit) && name != b"main" => {
                of_constant_name(name, unit, crates)
            }
            Some(unit) => crates.of(unit, origin.source),
            None => Attribution::UNKNOWN,
        };
        if by_unit.is_known() {
            return by_unit;
        }
        let Some(mentioned) = mentioned else {
            return Attribution::UNKNOWN;
        };
        if let Some(instantiating) = mentioned.instantiating {
            return crates.named(instantiating, Attribution::UNKNOWN);
        }
        // Private copies of inline functions are local symbols, and shared ones say who instantiated them. `__rustc` is no
        // crate: several crates of the standard library have such symbols.
        match mentioned.defining {
            DefiningCrate::Exact(defining)
                if origin.global
                    && mentioned.genericity == Genericity::Plain
                    && defining.name != "__rustc" =>
            {
                crates.named(defining, Attribution::UNKNOWN)
            }
            _ => Attribution::UNKNOWN,
        }
    }

    fn is_merged(&self, unit: &Unit<'_>) -> bool {
        matches!(unit, Unit::Rust(unit) if self.merged.contains(&unit.id))
    }

    /// The crates that define the items whose unit is not known, where their names leave no doubt.
    fn definers(&self, items: &Items<'data>, crates: &mut Crates<'_>) -> Vec<Option<CrateId>> {
        let all = self.names.alone.iter().zip(&items.list);
        all.map(|(mentioned, item)| match mentioned.as_ref()?.defining {
            DefiningCrate::Exact(defining) if !item.compiled_in.is_known() => {
                let known = crates.named(defining, Attribution::UNKNOWN);
                Some(known.value).filter(|_| known.is_known())
            }
            _ => None,
        })
        .collect()
    }

    /// Functions of crates that share their name with others, told apart by the order of the link: between two units
    /// there is perhaps one crate of that name.
    fn compiled_by_order(
        &self,
        items: &Items<'data>,
        crates: &mut Crates<'_>,
    ) -> Vec<(ItemId, Attribution)> {
        let mut units: FxHashMap<&str, Vec<(u32, Attribution)>> = FxHashMap::default();
        for (unit, number) in items.units.iter().zip(0..) {
            if let Unit::Rust(rust) = unit
                && crates.is_ambiguous(rust.name)
            {
                let known = crates.of(unit, Source::Neighbour);
                units.entry(rust.name).or_default().push((number, known));
            }
        }
        between_units(items, |index| {
            let origin = items.origins[index];
            let mentioned = self.names.alone[index].as_ref()?;
            let defining = mentioned.defining.exact()?;
            let is_open = origin.global && !items.list[index].compiled_in.is_known();
            units.get(defining.name).filter(|_| is_open)
        })
    }

    /// Whether an item can have been compiled in the crate of both its neighbours: the data of one module for all crates
    /// is in no order of theirs.
    fn can_be_beside(
        &self,
        items: &Items<'data>,
        index: usize,
        neighbour: CrateId,
        crates: &Crates<'_>,
    ) -> bool {
        let is_in_order = self.merged.is_empty() || !items.list[index].kind.is_data();
        is_in_order && self.can_be_from(index, neighbour, crates)
    }

    /// Whether an item can have been compiled in a crate: a standard library with v0 names has compiled nothing with a
    /// legacy name.
    fn can_be_from(&self, index: usize, origin: CrateId, crates: &Crates<'_>) -> bool {
        let is_legacy = self.names.alone[index]
            .as_ref()
            .is_some_and(|mentioned| mentioned.scheme == Scheme::Legacy);
        !(self.standard_is_v0 && is_legacy && crates.is_standard(origin))
    }

    /// The crate whose source defines an item. Constants and functions without a name were most likely written where
    /// they were compiled.
    fn defined_in(
        &self,
        items: &Items<'data>,
        index: usize,
        crates: &mut Crates<'_>,
    ) -> Attribution {
        let near = items.list[index].compiled_in;
        let by_names = match self.names.folded(items, index) {
            None => self.names.alone[index]
                .as_ref()
                .map(|mentioned| mentioned.defining(crates, near)),
            Some(folded) => {
                let all: Vec<Attribution> = folded
                    .filter_map(|(_, mentioned)| Some(mentioned?.defining(crates, near)))
                    .collect();
                let known = all.iter().copied().filter(|one| one.is_known());
                (!all.is_empty()).then(|| agreement(known))
            }
        };
        by_names.unwrap_or_else(|| self.defined_by_kind(&items.list[index], crates))
    }

    /// The defining crate of an item without a Rust name.
    fn defined_by_kind(&self, item: &Item<'_>, crates: &mut Crates<'_>) -> Attribution {
        if is_of_c_runtime(item.name) {
            return Attribution::inferred(CrateId::C_RUNTIME, Source::SymbolName);
        }
        if is_of_standard_library(item.name) {
            return crates.std();
        }
        let near = item.compiled_in;
        match item.kind {
            ItemKind::Import if self.needs_c_runtime_only => {
                Attribution::inferred(CrateId::C_RUNTIME, Source::Symbol)
            }
            ItemKind::Import => Attribution::exact(CrateId::STRUCTURE, Source::Symbol),
            // Its users say more.
            _ if item.kind.is_data() && is_anonymous(item.name) => Attribution::UNKNOWN,
            _ if near.is_known() && is_anonymous(item.name) => {
                Attribution::inferred(near.value, near.source)
            }
            _ => near,
        }
    }

    /// Whether an item of which nothing says where it was compiled was most likely compiled where it is defined: what is
    /// neither generic nor a private copy, what C wrote, and what comes from other files. In a merged module all
    /// symbols are private.
    fn is_compiled_where_defined(
        &self,
        items: &Items<'data>,
        index: usize,
        crates: &Crates<'_>,
    ) -> bool {
        let Some(mentioned) = &self.names.alone[index] else {
            return true;
        };
        let origin = items.origins[index];
        let is_merged = items
            .unit(origin.unit)
            .is_some_and(|unit| self.is_merged(unit));
        mentioned.genericity != Genericity::Generic
            && (origin.global || is_merged)
            && self.can_be_from(index, items.list[index].defined_in.value, crates)
    }
}

/// The name without what assemblers put before those that stay in their object: `.L` for ELF, `l_` for Mach-O.
fn without_local_mark(name: &[u8]) -> &[u8] {
    let bare = name
        .strip_prefix(b".L")
        .or_else(|| name.strip_prefix(b"l_"));
    bare.unwrap_or(name)
}

/// Where a constant in the merged module came from, by the hash in its name: a library file of the build has it, or
/// none has, and then the program itself does.
fn of_constant_name(name: &[u8], merged: &Unit<'_>, crates: &mut Crates<'_>) -> Attribution {
    let Some(hash) = constant_hash(without_local_mark(name)) else {
        return Attribution::UNKNOWN;
    };
    let known = crates.of_constants(hash);
    if known.is_known() || !crates.knows_all_constants() {
        return known;
    }
    let program = crates.of(merged, Source::LibraryFile);
    if program.is_known() {
        Attribution::inferred(program.value, Source::LibraryFile)
    } else {
        program
    }
}

/// What all say, if they agree; that it is shared, if not.
pub(crate) fn agreement(all: impl Iterator<Item = Attribution>) -> Attribution {
    all.reduce(|known, next| {
        let weaker = if next.certainty > known.certainty {
            next
        } else {
            known
        };
        let value = if known.value == next.value {
            known.value
        } else {
            CrateId::SHARED
        };
        Attribution { value, ..weaker }
    })
    .unwrap_or(Attribution::UNKNOWN)
}

/// Whether all libraries that the file needs are parts of the C runtime: then so is all that it imports.
fn needs_c_runtime_only(image: &Image<'_>) -> bool {
    const LIBRARIES: &[&str] = &[
        "libc.so",
        "libm.so",
        "libgcc_s.so",
        "libpthread.so",
        "libdl.so",
        "librt.so",
        "libutil.so",
        "ld-linux",
        "ld64.so",
        "ld-musl",
        "libc.musl",
        "/usr/lib/libSystem.",
    ];
    let needed = &image.facts.needed;
    !needed.is_empty()
        && needed
            .iter()
            .all(|name| LIBRARIES.iter().any(|library| name.starts_with(library)))
}

/// Crates whose unit holds the code of other crates as well: the one module that link-time optimization makes of a
/// program. It is known by functions that say that another crate instantiated them, and by functions that only the
/// standard library's own units have.
fn merged_units(items: &Items<'_>, names: &Names<'_>) -> FxHashSet<u64> {
    let mut merged = FxHashSet::default();
    for ((item, origin), mentioned) in items.list.iter().zip(&items.origins).zip(&names.alone) {
        let Some(Unit::Rust(RustUnit { name, id, .. })) = items.unit(origin.unit) else {
            continue;
        };
        // It is another object that has what an object file only mentions.
        if item.kind == ItemKind::Import {
            continue;
        }
        let is_foreign = mentioned
            .as_ref()
            .and_then(|mentioned| mentioned.instantiating?.disambiguator)
            .is_some_and(|instantiating| instantiating != *id);
        if !Crates::is_standard_name(name) && (is_foreign || is_never_copied(item.name)) {
            merged.insert(*id);
        }
    }
    merged
}

/// An object file comes from one unit: if it names one and no other, all of it is that one's.
pub(crate) fn sole_unit(image: &Image<'_>, items: &Items<'_>) -> Option<u32> {
    let mut units = items.units.iter().zip(0..);
    let (_, number) = units.next()?;
    (image.target.kind == FileKind::Object && units.next().is_none()).then_some(number)
}

/// Functions that the standard library compiles once and for all: not generic, never inlined, in every program.
fn is_never_copied(name: &[u8]) -> bool {
    const PATHS: &[&[u8]] = &[
        b"4core9panicking9panic_fmt",
        b"3std2rt19lang_start_internal",
        b"5alloc7raw_vec12handle_error",
    ];
    let legacy = |path: &[u8]| {
        name.strip_prefix(b"_ZN")
            .is_some_and(|rest| rest.starts_with(path))
    };
    // `_RNvNtCs1_4core9panicking9panic_fmt`
    let v0 = |path: &[u8]| {
        name.starts_with(b"_RNvNtCs") && name.windows(path.len()).take(40).any(|part| part == path)
    };
    PATHS.iter().any(|path| legacy(path) || v0(path))
}

/// What debug info says about a unit: `src/main.rs/@/rg.b27a7951994ea909-cgu.03`, or a C source of a package.
fn unit_of_debug_info(unit: &DebugUnit) -> Unit<'_> {
    let Some(name) = unit.name.as_deref() else {
        return Unit::Unknown;
    };
    if let Some((_, codegen_unit)) = name.rsplit_once("/@/") {
        return Unit::of_file_symbol(codegen_unit);
    }
    // The debug info of MinGW's start-up code and of its compiler's helpers.
    let is_mingw = |path: &str| path.contains("mingw");
    if is_mingw(name) || unit.folder.as_deref().is_some_and(is_mingw) {
        return Unit::CRuntime;
    }
    let path = if name.starts_with('/') {
        Some(name)
    } else {
        unit.folder.as_deref()
    };
    path.map_or(Unit::Unknown, Unit::AtPath)
}

//! Third stage: the crate that defines each item and the crate it was compiled in.

use rustc_hash::{FxHashMap, FxHashSet};
use whittle_image::{DebugUnit, Image};
use whittle_names::{CrateRef, DefiningCrate, Genericity, Name, Scheme};

use crate::certainty::Source;
use crate::crates::{Crate, CrateId, Crates};
use crate::items::Items;
use crate::owner::{Attribution, ItemId, ItemKind, Owner};
use crate::source_paths::SourcePaths;
use crate::unit::{RustUnit, Unit};
use crate::witness::Witnesses;

/// Fills in the crates of all items and returns the table of crates.
pub(crate) fn attribute<'data>(
    image: &Image<'data>,
    witnesses: &Witnesses<'data>,
    items: &mut Items<'data>,
    debug_items: &[ItemId],
) -> Vec<Crate> {
    let debug_units: Vec<Unit<'_>> = image.debug_units.iter().map(unit_of_debug_info).collect();
    let mut crates = {
        let units = items.units.iter().chain(&debug_units);
        Crates::new(witnesses.packages, SourcePaths::find(image), units)
    };
    let merged = merged_units(items);
    let names: Vec<Option<Mentioned<'data>>> = items
        .list
        .iter()
        .map(|item| Mentioned::in_symbol(item.name))
        .collect();

    for (index, mentioned) in names.iter().enumerate() {
        let unit =
            items.unit_of[index].and_then(|unit| items.units.get(usize::try_from(unit).ok()?));
        let source = items.unit_source[index];
        let by_unit = match unit {
            // Everything is in the merged module, whatever it was compiled for.
            Some(Unit::Rust(unit)) if merged.contains(&unit.id) && mentioned.is_some() => {
                Attribution::UNKNOWN
            }
            Some(unit) => crates.of(unit, source),
            None => Attribution::UNKNOWN,
        };
        let instantiating = mentioned
            .as_ref()
            .and_then(|mentioned| mentioned.instantiating);
        items.list[index].compiled_in = if by_unit.is_known() {
            by_unit
        } else if let Some(named) = instantiating {
            crates.named(named, Attribution::UNKNOWN)
        } else {
            Attribution::UNKNOWN
        };
    }
    for (&item, unit) in debug_items.iter().zip(&debug_units) {
        let attribution = crates.of(unit, Source::DebugInfo);
        items.list[item.index()].compiled_in = attribution;
        items.list[item.index()].defined_in = attribution;
    }
    ask_neighbours(items);
    for (index, mentioned) in names.iter().enumerate() {
        let item = &items.list[index];
        if item.defined_in.is_known() {
            continue;
        }
        let (kind, near, name) = (item.kind, item.compiled_in, item.name);
        let defined = match mentioned {
            Some(mentioned) => mentioned.defining(&mut crates, near),
            None => defined_without_name(kind, name, near, image),
        };
        let item = &mut items.list[index];
        item.defined_in = defined;
        // What is neither generic nor a copy is compiled where it is defined.
        let own_crate = mentioned
            .as_ref()
            .is_some_and(|mentioned| !mentioned.generic);
        if !item.compiled_in.is_known() && own_crate && defined.is_known() {
            item.compiled_in = Attribution::inferred(defined.value, Source::SymbolName);
        }
        if !item.compiled_in.is_known() && defined.value == CrateId::C_RUNTIME {
            item.compiled_in = defined;
        }
    }
    crates.into_table()
}

/// The crates that a symbol's name mentions.
struct Mentioned<'data> {
    defining: DefiningCrate<'data>,
    instantiating: Option<CrateRef<'data>>,
    generic: bool,
}

impl<'data> Mentioned<'data> {
    fn in_symbol(symbol: &'data [u8]) -> Option<Self> {
        let name = Name::parse(std::str::from_utf8(symbol).ok()?)?;
        (name.scheme() != Scheme::Cpp).then(|| Self {
            defining: name.defining_crate(),
            instantiating: name.instantiating_crate(),
            generic: name.genericity() != Genericity::Plain,
        })
    }

    fn defining(&self, crates: &mut Crates<'_>, near: Attribution) -> Attribution {
        match self.defining {
            DefiningCrate::Exact(named) => crates.named(named, near),
            DefiningCrate::OneOf { self_type, trait_ } => {
                let own = self_type.map(|named| (named, crates.named(named, near)));
                let of_trait = trait_.map(|named| (named, crates.named(named, near)));
                let chosen = match (own, of_trait) {
                    (Some((_, own)), Some((_, of_trait))) if own.value == of_trait.value => {
                        Some(own)
                    }
                    // Coherence: the block stands in the crate of the type or in that of the trait. The standard library
                    // does not know other crates, so the other one it is.
                    (Some((own_name, own)), Some((trait_name, of_trait))) => {
                        let own_standard = Crates::is_standard_name(own_name.name);
                        let trait_standard = Crates::is_standard_name(trait_name.name);
                        Some(match (own_standard, trait_standard) {
                            (false, true) => own,
                            (true, false) => of_trait,
                            _ if of_trait.value == near.value => of_trait,
                            _ => own,
                        })
                    }
                    (Some((_, only)), None) | (None, Some((_, only))) => Some(only),
                    (None, None) => None,
                };
                chosen.map_or(Attribution::UNKNOWN, |chosen| {
                    Attribution::inferred(chosen.value, Source::SymbolName)
                })
            }
            DefiningCrate::Unknown => Attribution::UNKNOWN,
        }
    }
}

/// The defining crate of an item whose name is not Rust's, or that has none.
fn defined_without_name(
    kind: ItemKind,
    name: &[u8],
    near: Attribution,
    image: &Image<'_>,
) -> Attribution {
    if is_c_runtime_name(name) {
        return Attribution::inferred(CrateId::C_RUNTIME, Source::SymbolName);
    }
    match kind {
        ItemKind::Import if needs_c_runtime_only(image) => {
            Attribution::inferred(CrateId::C_RUNTIME, Source::Symbol)
        }
        ItemKind::Import => Attribution::exact(CrateId::STRUCTURE, Source::Symbol),
        // The compiler's own record of whose code it is; a constant or function without a name was most likely
        // written where it was compiled.
        _ if near.is_known() && name_is_anonymous(name) => {
            Attribution::inferred(near.value, near.source)
        }
        _ => near,
    }
}

/// Names that stand for nothing in any source: empty, or numbered by the compiler.
fn name_is_anonymous(name: &[u8]) -> bool {
    name.is_empty()
        || name.starts_with(b".L")
        || name.starts_with(b"anon.")
        || name.starts_with(b"switch.table")
        || name.starts_with(b"str.")
}

/// Entry points and helpers of the C start-up code (glibc and musl `csu`, GCC `crtstuff.c`).
fn is_c_runtime_name(name: &[u8]) -> bool {
    const NAMES: &[&[u8]] = &[
        b"_start",
        b"_start_c",
        b"_init",
        b"_fini",
        b"_IO_stdin_used",
        b"__abi_tag",
        b"__data_start",
        b"__dso_handle",
        b"__do_global_dtors_aux",
        b"__do_global_dtors_aux_fini_array_entry",
        b"__frame_dummy_init_array_entry",
        b"__libc_csu_fini",
        b"__libc_csu_init",
        b"__TMC_END__",
        b"_dl_relocate_static_pie",
        b"completed.0",
        b"data_start",
        b"deregister_tm_clones",
        b"frame_dummy",
        b"register_tm_clones",
        b"_ITM_deregisterTMCloneTable",
        b"_ITM_registerTMCloneTable",
        b"__gmon_start__",
        b"__cxa_finalize",
    ];
    NAMES.contains(&name)
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
    ];
    let needed = &image.facts.needed;
    !needed.is_empty()
        && needed
            .iter()
            .all(|name| LIBRARIES.iter().any(|library| name.starts_with(library)))
}

/// Crates whose unit holds the code of other crates as well: the one module that link-time optimization makes of a
/// program. It is known by functions that only the standard library's own units have.
fn merged_units(items: &Items<'_>) -> FxHashSet<u64> {
    let mut merged = FxHashSet::default();
    for (item, unit) in items.list.iter().zip(&items.unit_of) {
        let unit = unit.and_then(|unit| items.units.get(usize::try_from(unit).ok()?));
        if let Some(Unit::Rust(RustUnit { name, id, .. })) = unit
            && !Crates::is_standard_name(name)
            && is_never_copied(item.name)
        {
            merged.insert(*id);
        }
    }
    merged
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
    let path = if name.starts_with('/') {
        Some(name)
    } else {
        unit.folder.as_deref()
    };
    path.map_or(Unit::Unknown, Unit::AtPath)
}

/// An item without a unit takes the value of its neighbours in the section, if the nearest on both sides agree:
/// linkers take objects one after the other.
fn ask_neighbours(items: &mut Items<'_>) {
    let mut found: FxHashMap<ItemId, CrateId> = FxHashMap::default();
    for pieces in &items.pieces {
        let mut before: Option<CrateId> = None;
        let mut waiting: Vec<ItemId> = Vec::new();
        for piece in pieces {
            let Owner::Item(id) = piece.owner else {
                continue;
            };
            let known = items.list[id.index()].compiled_in;
            if known.is_known() {
                if before == Some(known.value) {
                    found.extend(waiting.drain(..).map(|item| (item, known.value)));
                }
                waiting.clear();
                before = Some(known.value);
            } else {
                waiting.push(id);
            }
        }
    }
    for (item, value) in found {
        let start = items.list[item.index()].place;
        // Only where the item stands itself, not where a part of it was put.
        if start.is_some() {
            items.list[item.index()].compiled_in = Attribution::inferred(value, Source::Neighbour);
        }
    }
}

//! Functions without a name, by the panic locations that they hand over: a location names a source file, and the path
//! of a source file names a package.
//!
//! A function holds code of others as well, inlined, and that has locations of its own. So this tells what a function
//! probably is, never more.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;
use whittle_code::{Reference, ReferenceKind, References};
use whittle_image::{Image, Place};

use crate::certainty::Source;
use crate::constants::Shapes;
use crate::crates::{CrateId, Crates, ProgramNames};
use crate::items::Items;
use crate::owner::{Attribution, ItemId, ItemKind};
use crate::source_paths::own_folder;

/// What panic locations say about the source of items.
pub(crate) struct Anchors<'data> {
    references: &'data References,
    /// The crate behind each location's source file.
    of_location: FxHashMap<Place, CrateId>,
    of_file: FxHashMap<Place, CrateId>,
}

impl<'data> Anchors<'data> {
    /// Reads the paths of all locations.
    pub(crate) fn of(
        image: &Image<'data>,
        references: &'data References,
        shapes: &Shapes,
        names: ProgramNames,
        crates: &mut Crates<'_>,
    ) -> Self {
        let mut of_file: FxHashMap<Place, CrateId> = FxHashMap::default();
        let mut own: BTreeMap<&str, Vec<Place>> = BTreeMap::new();
        for location in &shapes.locations {
            let Entry::Vacant(entry) = of_file.entry(location.file) else {
                continue;
            };
            let Some(path) = location.path(image) else {
                continue;
            };
            let known = crates.of_path(path, Source::PanicLocation).value;
            entry.insert(known);
            // In a file without names, folders are all there is to call the program's own crates by.
            if known == CrateId::UNKNOWN
                && names == ProgramNames::Gone
                && let Some(folder) = own_folder(path)
            {
                own.entry(folder).or_default().push(location.file);
            }
        }
        // A folder comes before those in it, whose modules are its own.
        let mut outer: Option<&str> = None;
        for (folder, files) in own {
            let is_inside = |outer: &&str| {
                folder
                    .strip_prefix(*outer)
                    .is_some_and(|rest| rest.starts_with(['/', '\\']))
            };
            let outermost = *outer.filter(is_inside).get_or_insert(folder);
            outer = Some(outermost);
            let known = crates.of_own_folder(outermost);
            of_file.extend(files.into_iter().map(|file| (file, known)));
        }
        let of_location = shapes
            .locations
            .iter()
            .filter_map(|location| Some((location.place, *of_file.get(&location.file)?)))
            .filter(|(_, known)| *known != CrateId::UNKNOWN)
            .collect();
        of_file.retain(|_, known| *known != CrateId::UNKNOWN);
        Self {
            references,
            of_location,
            of_file,
        }
    }

    /// Gives panic locations and the names of source files the crate of the file: it is where they were written.
    pub(crate) fn define_locations(&self, items: &mut Items<'_>) {
        for item in &mut items.list {
            let Some(place) = item.place else {
                continue;
            };
            let known = match item.kind {
                ItemKind::Location => self.of_location.get(&place),
                ItemKind::SourceFile => self.of_file.get(&place),
                _ => None,
            };
            if let Some(&known) = known {
                item.defined_in = Attribution::inferred(known, Source::PanicLocation);
            }
        }
    }

    /// Gives functions of which nothing is known the crate of their locations: that is who wrote them. What stands
    /// between two such functions of one crate was most likely compiled in it: linkers take objects one after the other.
    ///
    /// ```text
    ///   locations     memchr    -    memchr, core     -     regex
    ///   crate         memchr    ?       memchr        ?     regex
    ///   compiled in      ?    memchr       ?          ?       ?
    /// ```
    pub(crate) fn define_functions(&self, items: &mut Items<'_>, crates: &Crates<'_>) {
        let mut functions: Vec<(Place, ItemId)> = items
            .list
            .iter()
            .zip(0..)
            .filter(|(item, _)| item.kind == ItemKind::Function && !item.defined_in.is_known())
            .filter_map(|(item, number)| Some((item.place?, ItemId(number))))
            .collect();
        functions.sort_unstable();
        let mut before: Option<(Place, CrateId)> = None;
        let mut waiting: Vec<ItemId> = Vec::new();
        for &(place, id) in &functions {
            let item = &mut items.list[id.index()];
            let known = match self.anchor(place, item.len, crates) {
                Anchor::One(known) => known,
                Anchor::None => {
                    waiting.push(id);
                    continue;
                }
                Anchor::Several => continue,
            };
            item.defined_in = Attribution::inferred(known, Source::PanicLocation);
            let between = waiting.drain(..);
            if before
                .is_some_and(|(other, crate_)| (other.section, crate_) == (place.section, known))
            {
                for id in between {
                    let item = &mut items.list[id.index()];
                    if !item.compiled_in.is_known() {
                        item.compiled_in = Attribution::inferred(known, Source::Neighbour);
                    }
                }
            }
            before = Some((place, known));
        }
        // Behind the last of them stands the standard library alone: linkers are given it last.
        let behind = before.map_or(functions.len(), |(last, _)| {
            functions.partition_point(|&(place, _)| place <= last)
        });
        for &(place, id) in functions.get(behind..).unwrap_or_default() {
            let item = &mut items.list[id.index()];
            let mut all = self.locations_in(place, item.len);
            if let Some(first) = all.next()
                && all.all(|other| other == first)
            {
                item.defined_in = Attribution::inferred(first, Source::PanicLocation);
            }
        }
    }

    /// What the locations that a function hands over say. The standard library's say nothing of their own: its generic
    /// code is everywhere.
    fn anchor(&self, place: Place, len: u64, crates: &Crates<'_>) -> Anchor {
        let mut all = self
            .locations_in(place, len)
            .filter(|&known| !crates.is_standard(known));
        match all.next() {
            None => Anchor::None,
            Some(first) if all.all(|other| other == first) => Anchor::One(first),
            Some(_) => Anchor::Several,
        }
    }

    fn locations_in(&self, place: Place, len: u64) -> impl Iterator<Item = CrateId> + '_ {
        let is_handed_over =
            |reference: &&Reference| matches!(reference.kind(), ReferenceKind::Address);
        self.references
            .within(place, len)
            .iter()
            .filter(is_handed_over)
            .filter_map(|reference| self.of_location.get(&reference.to()).copied())
    }
}

/// What the panic locations of a function say about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Anchor {
    /// Nothing.
    None,
    /// They are of one package, the standard library's apart.
    One(CrateId),
    /// They are of several: it holds much that is not its own.
    Several,
}

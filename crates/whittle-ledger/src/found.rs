//! What the first two stages find: items, the bytes of items and of what describes them. For a container this is what
//! they find in its members, one after the other, with numbers and places shifted.

use whittle_code::References;
use whittle_image::{DebugUnit, Image};

use crate::attribution::sole_unit;
use crate::certainty::Source;
use crate::constants::{Shapes, Users};
use crate::descriptions::{describe, describe_container};
use crate::items::Items;
use crate::owner::ItemId;
use crate::unit::Unit;
use crate::witness::{Packages, Witnesses};

/// What is found in a file before anything has a crate.
pub(crate) struct Found<'data> {
    pub(crate) items: Items<'data>,
    pub(crate) users: Users,
    pub(crate) shapes: Shapes,
    /// The item of each unit of debug info.
    pub(crate) debug_items: Vec<(ItemId, &'data DebugUnit)>,
}

impl<'data> Found<'data> {
    /// Finds what is in a file.
    pub(crate) fn of(
        image: &'data Image<'data>,
        witnesses: &Witnesses<'data>,
        references: &References,
    ) -> Self {
        if image.is_container() {
            return Self::of_container(image, witnesses, references);
        }
        let witnesses = witnesses.of_whole(image);
        let (mut items, users, shapes) = Items::find(image, &witnesses, references);
        let debug_items = describe(image, &mut items);
        Self {
            debug_items: debug_items.into_iter().zip(&image.debug_units).collect(),
            items,
            users,
            shapes,
        }
    }

    fn of_container(
        image: &'data Image<'data>,
        witnesses: &Witnesses<'data>,
        references: &References,
    ) -> Self {
        let mut all = Self {
            items: Items::none(image),
            users: Users::default(),
            shapes: Shapes::default(),
            debug_items: Vec::new(),
        };
        let libraries = witnesses.packages.map(Packages::libraries_of_objects);
        let libraries = libraries.unwrap_or_default();
        for part in image.parts() {
            let Some(of_part) = part.image else { continue };
            let name = part.path.last();
            let named = match libraries.get(name) {
                Some(&Some(stem)) => Unit::InLibrary {
                    stem,
                    standard: false,
                },
                _ => Unit::of_member(name),
            };
            let own = references.of_part(&part.section_range());
            let found = Self::of(of_part, &witnesses.of_part(of_part), &own);
            all.append(found, of_part, named, part.first_section);
        }
        describe_container(image, &mut all.items);
        all
    }

    /// Takes in what is found in a member of that name.
    fn append(
        &mut self,
        mut other: Self,
        image: &Image<'_>,
        named: Unit<'data>,
        first_section: u32,
    ) {
        // Compilers name an object after what they compiled; where they do not, its symbol table may name one source.
        let unit = match named {
            Unit::Rust(_) | Unit::InLibrary { .. } | Unit::CRuntime => {
                Some((other.items.push_unit(named), Source::LibraryFile))
            }
            _ => sole_unit(image, &other.items).map(|unit| (unit, Source::FileSymbol)),
        };
        let first_item = self.items.list.len();
        self.users.append(&other.users, first_item);
        self.shapes.append(other.shapes, first_section);
        let units = other.debug_items.into_iter();
        self.debug_items
            .extend(units.map(|(id, unit)| (ItemId::new(first_item + id.index()), unit)));
        self.items.append(other.items, first_section, unit);
    }
}

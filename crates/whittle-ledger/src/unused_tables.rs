//! Exception tables that no unwind entry points at: linkers drop a function and its unwind entry, and lld keeps the
//! table. They are dead bytes, but somebody's.

use std::collections::BTreeMap;

use rustc_hash::FxHashSet;
use whittle_image::{FileKind, Image, Place, SectionIndex, SectionRole};

use crate::certainty::Source;
use crate::items::{Items, Origin, new_item};
use crate::mapped::{Mapped, stem_of};
use crate::owner::{ItemKind, Owner};
use crate::tiling::Claim;

/// Claims of unused tables, by section.
#[derive(Debug, Clone, Default)]
pub(crate) struct UnusedTables {
    claims: BTreeMap<SectionIndex, Vec<Claim>>,
}

impl UnusedTables {
    /// Makes items of the unused tables that the map or symbols tell apart.
    pub(crate) fn find<'data>(
        image: &Image<'data>,
        mapped: Option<&Mapped<'data>>,
        items: &mut Items<'data>,
    ) -> Self {
        let mut unused = Self::default();
        if image.target.kind == FileKind::Object {
            return unused;
        }
        let used: FxHashSet<Place> = image
            .exception_tables
            .iter()
            .map(|table| table.place)
            .collect();
        if let Some(mapped) = mapped {
            unused.add_mapped(image, mapped, items, &used);
        }
        if unused.claims.is_empty() {
            unused.add_symbols(image, items, &used);
        }
        unused
    }

    /// What the section's tables leave free.
    pub(crate) fn in_section(&mut self, section: SectionIndex) -> Vec<Claim> {
        self.claims.remove(&section).unwrap_or_default()
    }

    fn add_mapped<'data>(
        &mut self,
        image: &Image<'data>,
        mapped: &Mapped<'data>,
        items: &mut Items<'data>,
        used: &FxHashSet<Place>,
    ) {
        for section in image
            .sections
            .iter()
            .filter(|section| section.role == SectionRole::ExceptionTable)
        {
            for input in mapped.sections_of(section) {
                let (Some(object), Some(start)) =
                    (input.object, input.address.checked_sub(section.address))
                else {
                    continue;
                };
                let place = Place {
                    section: section.index,
                    offset: start,
                };
                if used.contains(&place) {
                    continue;
                }
                let name = stem_of(input.name).as_bytes();
                let kind = ItemKind::Constant;
                let item = mapped.new_item(kind, name, place, input.size, object, items);
                self.claims.entry(section.index).or_default().push(Claim {
                    start,
                    end: start.saturating_add(input.size),
                    owner: Owner::Item(item),
                    source: Source::LinkMap,
                });
            }
        }
    }

    /// LLVM names each table, `GCC_except_table12`: the unit that lists the symbol is the table's.
    fn add_symbols<'data>(
        &mut self,
        image: &Image<'data>,
        items: &mut Items<'data>,
        used: &FxHashSet<Place>,
    ) {
        let mut symbols = std::mem::take(&mut items.exception_symbols);
        symbols.sort_unstable();
        symbols.dedup_by_key(|(place, ..)| *place);
        for (index, &(place, name, unit)) in symbols.iter().enumerate() {
            if used.contains(&place) {
                continue;
            }
            let Some(section) = image.section(place.section) else {
                continue;
            };
            let end = symbols
                .get(index + 1)
                .filter(|(next, ..)| next.section == place.section)
                .map_or(section.size, |(next, ..)| next.offset);
            let len = end.saturating_sub(place.offset);
            let item = items.push(new_item(ItemKind::Constant, name, Some(place), len));
            items.origins[item.index()] = Origin {
                unit,
                source: Source::FileSymbol,
                global: false,
            };
            self.claims.entry(place.section).or_default().push(Claim {
                start: place.offset,
                end,
                owner: Owner::Item(item),
                source: Source::Symbol,
            });
        }
    }
}

//! Cuts what neither symbols nor the linker's map explain into constants.

use whittle_code::{Incoming, References};
use whittle_image::{Image, Place, Section, SectionIndex, SectionRole};

use crate::certainty::Source;
use crate::constants::jump_tables::JumpTables;
use crate::constants::shapes::{Shapes, bytes_of};
use crate::items::{Items, new_item};
use crate::owner::{Item, ItemId, ItemKind, Owner};
use crate::padding;
use crate::tiling::Claim;

/// What is known of constants before any has its bytes.
pub(crate) struct Cutter<'found, 'data> {
    image: &'data Image<'data>,
    references: &'found References,
    incoming: Incoming<'found>,
    shapes: Shapes,
    jump_tables: JumpTables,
}

/// A stretch of a section that is to be cut.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Gap {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Whether the linker merged constants of several objects here.
    pub(crate) pool: Pool,
}

/// Whether and what the linker merged in a stretch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pool {
    /// Nothing that is known.
    None,
    /// Constants of equal size.
    Constants,
    /// Texts that end in a zero; one that another ends in is a part of it.
    Strings,
}

impl Gap {
    /// Gaps about which the linker's map says nothing.
    pub(crate) fn of(gaps: &[(u64, u64)]) -> Vec<Self> {
        let gap = |&(start, end)| Self {
            start,
            end,
            pool: Pool::None,
        };
        gaps.iter().map(gap).collect()
    }
}

impl<'found, 'data> Cutter<'found, 'data> {
    /// Gathers what is known; the code of `items` must be tiled.
    pub(crate) fn new(
        image: &'data Image<'data>,
        references: &'found References,
        incoming: Incoming<'found>,
        items: &Items<'data>,
    ) -> Self {
        Self {
            image,
            references,
            incoming,
            shapes: Shapes::find(image, references),
            jump_tables: JumpTables::find(image, references, items),
        }
    }

    /// Gives back what is needed after cutting.
    pub(crate) fn into_parts(self) -> (Incoming<'found>, Shapes) {
        (self.incoming, self.shapes)
    }

    /// Where something leads in a section, in ascending order.
    pub(crate) fn targets(&self, section: SectionIndex) -> impl Iterator<Item = u64> {
        self.incoming.targets(section)
    }

    /// Claims on gaps of a section of data: a constant runs from where something leads to where the next thing leads, or
    /// to its end, where that is known.
    ///
    /// What nothing leads to and that is no padding is a constant as well: it is somebody's.
    pub(crate) fn claims(
        &self,
        section: &Section<'data>,
        gaps: &[Gap],
        items: &mut Items<'data>,
    ) -> Vec<Claim> {
        if gaps.is_empty() {
            return Vec::new();
        }
        let targets: Vec<u64> = self.incoming.targets(section.index).collect();
        let tables = self.jump_tables.of_section(section.index);
        let mut bounds = self.shapes.bounds(self.image, section);
        bounds.extend(tables.iter().flat_map(|table| [table.start, table.end]));
        bounds.extend_from_slice(&targets);
        bounds.sort_unstable();
        bounds.dedup();
        let mut claims = Vec::new();
        for gap in gaps {
            let first = bounds.partition_point(|&bound| bound <= gap.start);
            let past = bounds.partition_point(|&bound| bound < gap.end);
            let inside = bounds.get(first..past).unwrap_or_default();
            let starts = std::iter::once(&gap.start).chain(inside);
            let ends = inside.iter().chain(std::iter::once(&gap.end));
            let mut before = None;
            for (&start, &end) in starts.zip(ends) {
                let table = tables.partition_point(|table| table.start <= start);
                let table = table
                    .checked_sub(1)
                    .and_then(|number| tables.get(number))
                    .filter(|table| start < table.end);
                let is_target = targets.binary_search(&start).is_ok();
                let owner = if let Some(table) = table {
                    table.function
                } else if is_target || self.is_constant(section, gap, start, end) {
                    let item = items.push(new_constant(section, start, end));
                    if gap.pool == Pool::Strings {
                        self.join_strings(section, before, (item, start, end), items);
                        before = Some((item, start, end));
                    }
                    Owner::Item(item)
                } else {
                    continue;
                };
                let source = if is_target {
                    Source::Reference
                } else {
                    Source::Neighbour
                };
                claims.push(Claim {
                    start,
                    end,
                    owner,
                    source,
                });
            }
        }
        claims
    }

    /// Whether bytes that nothing leads to are a constant: not in a pool, where they are others', and not padding. What
    /// the loader fills in is none, though it is zeros in the file.
    fn is_constant(&self, section: &Section<'data>, gap: &Gap, start: u64, end: u64) -> bool {
        let place = Place {
            section: section.index,
            offset: start,
        };
        gap.pool == Pool::None
            && (!self.references.within(place, end - start).is_empty()
                || padding::by_content(self.image, section, start, end).is_none())
    }

    /// In a pool of strings one that another ends in is a part of it: whoever uses the longer one uses the shorter one's
    /// bytes as well.
    ///
    /// ```text
    ///   foobar\0   |f o o|b a r \0|
    ///   users      A     A and B
    /// ```
    fn join_strings(
        &self,
        section: &Section<'data>,
        before: Option<(ItemId, u64, u64)>,
        (item, start, _): (ItemId, u64, u64),
        items: &mut Items<'data>,
    ) {
        let Some((longer, from, _)) = before.filter(|&(.., end)| end == start) else {
            return;
        };
        let place = Place {
            section: section.index,
            offset: from,
        };
        let runs_on = bytes_of(self.image, place, start - from)
            .is_some_and(|bytes| memchr::memchr(0, bytes).is_none());
        if runs_on {
            items.longer_strings.insert(item, longer);
        }
    }
}

/// A constant or variable that no source names.
fn new_constant<'data>(section: &Section<'data>, start: u64, end: u64) -> Item<'data> {
    let place = Place {
        section: section.index,
        offset: start,
    };
    let is_variable = section.access.writable && section.role != SectionRole::RelocatedReadOnlyData;
    let kind = if is_variable {
        ItemKind::Data
    } else {
        ItemKind::Constant
    };
    new_item(kind, &[], Some(place), end - start)
}

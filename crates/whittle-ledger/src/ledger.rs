//! The ledger itself: regions of the file and of memory, the spans in them, and the check that they add up.

use std::collections::BTreeMap;

use whittle_code::References;
use whittle_image::{DebugUnit, Image, Place, SectionIndex};

use crate::attribution::{self, agreement};
use crate::axis::Axis;
use crate::cause::of_workspace;
use crate::certainty::{Certainty, Source};
use crate::constants::{PanicLocation, Users};
use crate::crates::{Crate, CrateId};
use crate::found::Found;
use crate::item_text::item_text;
use crate::items::Items;
use crate::kind::Kind;
use crate::layout::{Domain, Layout, Region, Shows, scale};
use crate::named_packages::{NamedPackage, NamedPackages};
use crate::owner::{Attribution, Item, ItemId, Owner, SharedId};
use crate::tiling::{Piece, piece_at};
use crate::unit::Unit;
use crate::witness::Witnesses;

/// Who owns which bytes of a file.
pub struct Ledger<'data> {
    image: &'data Image<'data>,
    layout: Layout,
    pieces: Vec<Vec<Piece>>,
    references: &'data References,
    items: Vec<Item<'data>>,
    users: Users,
    /// In ascending order.
    locations: Vec<PanicLocation>,
    named_packages: Vec<NamedPackage>,
    shared: Vec<Vec<Owner>>,
    /// Where the members of each shared set are defined, and where they were compiled.
    shared_crates: Vec<(Attribution, Attribution)>,
    crates: Vec<Crate>,
    /// Those of the user's own workspace, in ascending order; empty where nothing says which.
    workspace_crates: Vec<CrateId>,
    /// Items that come from objects of other languages, in ascending order.
    foreign: Vec<ItemId>,
    /// Strings that are the end of a longer one, with that, in ascending order.
    string_ends: Vec<(ItemId, ItemId)>,
    debug_items: BTreeMap<ItemId, &'data DebugUnit>,
    totals: Totals,
}

/// Why a ledger does not add up. Both are faults of this library, never of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// The spans of a domain leave a hole or overlap.
    #[error(
        "the spans of the {domain:?} domain do not tile it: {expected:#x} was expected, {found:#x} was found"
    )]
    Gap {
        /// The domain.
        domain: Domain,
        /// Where the next span should start.
        expected: u64,
        /// Where it starts.
        found: u64,
    },
    /// The spans of a domain have another length in all than the domain.
    #[error("the spans of the {domain:?} domain add up to {sum} bytes instead of {len}")]
    Sum {
        /// The domain.
        domain: Domain,
        /// What the spans add up to, in bytes.
        sum: u64,
        /// The length of the domain, in bytes.
        len: u64,
    },
}

/// Bytes with one owner, and what told us so.
#[derive(Debug, Clone, Copy)]
pub struct Span<'ledger> {
    /// Where it starts in its domain: a file offset or an address.
    pub start: u64,
    /// How many bytes it has in its domain.
    pub len: u64,
    /// Where it is in its section, if it is in one.
    pub place: Option<Place>,
    /// The name of what it lies in: a section, or a header.
    pub container: &'ledger str,
    /// Who owns it.
    pub owner: Owner,
    /// What the bytes are.
    pub kind: Kind,
    /// How sure the owner is. Of a compressed section only the whole is sure: its spans are cut in proportion.
    pub certainty: Certainty,
    /// What told us the owner.
    pub source: Source,
}

/// Sums of a whole ledger, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// The file.
    pub file: u64,
    /// The program in memory, as its segments say.
    pub memory: u64,
    /// What each thread has for itself.
    pub thread_local: u64,
    /// Bytes of the file whose defining crate is exactly known (structure and padding are).
    pub exact: u64,
    /// Bytes of the file whose defining crate is inferred.
    pub inferred: u64,
    /// Bytes of the file whose defining crate is unknown.
    pub unknown: u64,
}

impl<'data> Ledger<'data> {
    /// Accounts for every byte of a file. The ledger of a container is made of what is found in its members; whose things
    /// are is then decided for all of them together.
    ///
    /// # Errors
    /// [`LedgerError`] if the result does not add up, which would be a fault of this library: it is checked each time.
    pub fn build(
        image: &'data Image<'data>,
        witnesses: &Witnesses<'data>,
        references: &'data References,
    ) -> Result<Self, LedgerError> {
        let Found {
            mut items,
            users,
            shapes,
            debug_items,
        } = Found::of(image, witnesses, references);
        let named = NamedPackages::find(image);
        let known = attribution::Known {
            image,
            witnesses,
            references,
            users: &users,
            shapes: &shapes,
            named: &named,
        };
        let crates = attribution::attribute(&known, &mut items, &debug_items);
        let shared_crates = items
            .shared
            .iter()
            .map(|set| of_shared(set, &items))
            .collect();
        let foreign = items.origins.iter().enumerate().filter(|(_, origin)| {
            let unit = items.unit(origin.unit);
            unit.is_some_and(Unit::is_foreign)
        });
        let foreign = foreign.map(|(index, _)| ItemId::new(index)).collect();
        let mut string_ends: Vec<(ItemId, ItemId)> = items
            .longer_strings
            .iter()
            .map(|(&end, &longer)| (end, longer))
            .collect();
        string_ends.sort_unstable();
        let mut ledger = Self {
            image,
            layout: Layout::of(image),
            pieces: items.pieces,
            references,
            items: items.list,
            users,
            locations: shapes.locations,
            named_packages: named.list(),
            shared: items.shared,
            shared_crates,
            workspace_crates: of_workspace(&crates, witnesses.packages),
            crates,
            foreign,
            string_ends,
            debug_items: debug_items.into_iter().collect(),
            totals: Totals::default(),
        };
        ledger.totals = ledger.add_up()?;
        Ok(ledger)
    }

    /// Where the parts of the file stand in each domain.
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The image that the ledger accounts for.
    #[must_use]
    pub fn image(&self) -> &'data Image<'data> {
        self.image
    }

    /// Everything with a place of its own.
    #[must_use]
    pub fn items(&self) -> &[Item<'data>] {
        &self.items
    }

    /// One item.
    #[must_use]
    pub fn item(&self, id: ItemId) -> &Item<'data> {
        &self.items[id.index()]
    }

    /// Which places of the file mention which others.
    #[must_use]
    pub fn references(&self) -> &'data References {
        self.references
    }

    /// The owner of the byte at a place; nothing for places outside of sections.
    #[must_use]
    pub fn owner_at(&self, place: Place) -> Option<Owner> {
        self.piece_at(place).map(|piece| piece.owner)
    }

    /// The piece of a section that the byte at a place is in.
    pub(crate) fn piece_at(&self, place: Place) -> Option<&Piece> {
        piece_at(self.pieces.get(place.section.get())?, place.offset)
    }

    /// The pieces that tile a section, in ascending order.
    pub(crate) fn pieces_of(&self, section: SectionIndex) -> &[Piece] {
        self.pieces.get(section.get()).map_or(&[], Vec::as_slice)
    }

    /// Strings that are the end of a longer one, each with that.
    pub(crate) fn string_ends(&self) -> &[(ItemId, ItemId)] {
        &self.string_ends
    }

    /// The items that mention an item without a name, in ascending order: those of a constant are what it is shared
    /// by, if they are several. Empty for items with a name.
    #[must_use]
    pub fn users(&self, id: ItemId) -> &[ItemId] {
        self.users.of(id)
    }

    /// The panic location that stands at a place.
    #[must_use]
    pub fn panic_location(&self, place: Place) -> Option<&PanicLocation> {
        let locations = &self.locations;
        let at = locations.binary_search_by_key(&place, |location| location.place);
        locations.get(at.ok()?)
    }

    /// What to call an item, with its generic arguments: its names, else what it holds and who uses it.
    #[must_use]
    pub fn item_name(&self, id: ItemId) -> String {
        item_text(self, Axis::Function, id)
    }

    /// The packages that the file itself names, in ascending order: in its audit data, and in the paths of source files.
    #[must_use]
    pub fn named_packages(&self) -> &[NamedPackage] {
        &self.named_packages
    }

    /// The owners that share bytes; empty where the linker merged them without saying whose they were.
    #[must_use]
    pub fn shared(&self, id: SharedId) -> &[Owner] {
        &self.shared[id.index()]
    }

    /// All sets of owners that share bytes; [`SharedId::index`] counts in this list.
    pub(crate) fn shared_sets(&self) -> &[Vec<Owner>] {
        &self.shared
    }

    /// The crates of the user's own workspace, in ascending order; empty where nothing says which they are.
    pub(crate) fn workspace_crates(&self) -> &[CrateId] {
        &self.workspace_crates
    }

    /// Whether an item comes from an object of another language, as far as the linker's map says.
    pub(crate) fn is_foreign(&self, id: ItemId) -> bool {
        self.foreign.binary_search(&id).is_ok()
    }

    /// The values of the axes `crate` and `compiled-in`; [`CrateId::index`] counts in this list.
    #[must_use]
    pub fn crates(&self) -> &[Crate] {
        &self.crates
    }

    /// Sums of the whole.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// The unit of debug info behind an item.
    #[must_use]
    pub fn debug_unit(&self, id: ItemId) -> Option<&'data DebugUnit> {
        self.debug_items.get(&id).copied()
    }

    /// The crate whose source defines what an owner is.
    #[must_use]
    pub fn defined_in(&self, owner: Owner) -> Attribution {
        self.crate_of(owner, |item| item.defined_in, |sets| sets.0)
    }

    /// The crate whose codegen unit emitted what an owner is.
    #[must_use]
    pub fn compiled_in(&self, owner: Owner) -> Attribution {
        self.crate_of(owner, |item| item.compiled_in, |sets| sets.1)
    }

    fn crate_of(
        &self,
        owner: Owner,
        of_item: impl Fn(&Item<'data>) -> Attribution,
        of_set: impl Fn(&(Attribution, Attribution)) -> Attribution,
    ) -> Attribution {
        match owner {
            Owner::Item(id) => of_item(self.item(id)),
            Owner::Shared(id) => of_set(&self.shared_crates[id.index()]),
            Owner::Structure(_) => Attribution::exact(CrateId::STRUCTURE, Source::Layout),
            Owner::Padding => Attribution::exact(CrateId::PADDING, Source::Layout),
            Owner::Unknown => Attribution::UNKNOWN,
        }
    }

    /// The spans of a domain, in ascending order. They tile it: each starts where the last one ended (memory can have
    /// holes between its segments).
    pub fn spans(&self, domain: Domain) -> impl Iterator<Item = Span<'_>> {
        self.regions(domain)
            .iter()
            .flat_map(move |region| self.spans_of(region))
    }

    fn regions(&self, domain: Domain) -> &[Region] {
        match domain {
            Domain::File => &self.layout.file,
            Domain::Memory => &self.layout.memory,
            Domain::ThreadLocal => &self.layout.thread_local,
        }
    }

    fn spans_of<'ledger>(&'ledger self, region: &'ledger Region) -> Spans<'ledger> {
        match &region.shows {
            Shows::Other { owner, kind, name } => Spans::Whole(std::iter::once(Span {
                start: region.start,
                len: region.len,
                place: None,
                container: name,
                owner: *owner,
                kind: *kind,
                certainty: if *owner == Owner::Unknown {
                    Certainty::Unknown
                } else {
                    Certainty::Exact
                },
                source: Source::Layout,
            })),
            Shows::Section { index, bytes } => {
                let pieces = self.pieces.get(index.get()).map_or(&[][..], Vec::as_slice);
                let first = pieces.partition_point(|piece| piece.end <= bytes.start);
                let past = pieces.partition_point(|piece| piece.start < bytes.end);
                let name = self
                    .image
                    .section(*index)
                    .map_or("", |section| &section.name);
                Spans::Pieces(PieceSpans {
                    pieces: pieces
                        .get(first..past.max(first))
                        .unwrap_or_default()
                        .iter(),
                    section: *index,
                    name,
                    region,
                    from: bytes.start,
                    size: bytes.end - bytes.start,
                    cut_in_proportion: region.len != bytes.end - bytes.start && past > first + 1,
                })
            }
        }
    }

    /// Checks the invariant: the spans of each domain tile it and add up to its length.
    ///
    /// # Errors
    /// [`LedgerError`] with the first place where they do not.
    pub fn check(&self) -> Result<(), LedgerError> {
        self.add_up().map(drop)
    }

    /// Adds up all domains and checks that their spans tile them.
    fn add_up(&self) -> Result<Totals, LedgerError> {
        let whole = 0..self.image.file_len();
        let template: Vec<_> = self.layout.template.iter().cloned().collect();
        let mut totals = Totals {
            memory: self.check_tiles(Domain::Memory, &self.layout.loaded)?,
            thread_local: self.check_tiles(Domain::ThreadLocal, &template)?,
            file: self.check_tiles(Domain::File, std::slice::from_ref(&whole))?,
            ..Totals::default()
        };
        for span in self.spans(Domain::File) {
            match self.defined_in(span.owner).certainty.max(span.certainty) {
                Certainty::Exact => totals.exact += span.len,
                Certainty::Inferred => totals.inferred += span.len,
                Certainty::Unknown => totals.unknown += span.len,
            }
        }
        Ok(totals)
    }

    /// Checks that the spans of a domain tile its ranges; returns their sum.
    fn check_tiles(
        &self,
        domain: Domain,
        ranges: &[std::ops::Range<u64>],
    ) -> Result<u64, LedgerError> {
        let mut spans = self.spans(domain).peekable();
        let mut sum: u64 = 0;
        for range in ranges {
            let mut at = range.start;
            while at < range.end {
                let Some(span) = spans.next() else {
                    return Err(LedgerError::Gap {
                        domain,
                        expected: at,
                        found: range.end,
                    });
                };
                if span.start != at {
                    return Err(LedgerError::Gap {
                        domain,
                        expected: at,
                        found: span.start,
                    });
                }
                at = at.saturating_add(span.len);
                sum = sum.saturating_add(span.len);
            }
            if at != range.end {
                return Err(LedgerError::Gap {
                    domain,
                    expected: range.end,
                    found: at,
                });
            }
        }
        let len = ranges
            .iter()
            .map(|range| range.end - range.start)
            .fold(0, u64::saturating_add);
        let more: u64 = spans.map(|span| span.len).fold(0, u64::saturating_add);
        if sum != len || more != 0 {
            return Err(LedgerError::Sum {
                domain,
                sum: sum.saturating_add(more),
                len,
            });
        }
        Ok(sum)
    }
}

/// Where all members of a shared set are defined and compiled, if they agree.
fn of_shared(set: &[Owner], items: &Items<'_>) -> (Attribution, Attribution) {
    if set.is_empty() {
        // Merged by the linker: several crates' for sure, which ones the map does not say.
        let shared = Attribution::exact(CrateId::SHARED, Source::LinkMap);
        return (shared, shared);
    }
    let common = |of: &dyn Fn(&Item<'_>) -> Attribution| {
        let values = set.iter().map(|owner| match owner {
            Owner::Item(id) => of(&items.list[id.index()]),
            Owner::Structure(_) => Attribution::exact(CrateId::STRUCTURE, Source::Layout),
            Owner::Padding => Attribution::exact(CrateId::PADDING, Source::Layout),
            Owner::Shared(_) => Attribution::exact(CrateId::SHARED, Source::LinkMap),
            Owner::Unknown => Attribution::UNKNOWN,
        });
        let known = agreement(values.clone().filter(|value| value.is_known()));
        let all_known = values.clone().all(Attribution::is_known);
        if all_known || known.value == CrateId::SHARED {
            known
        } else {
            // The unknown member may be the same crate's, or another's.
            Attribution::UNKNOWN
        }
    };
    (
        common(&|item| item.defined_in),
        common(&|item| item.compiled_in),
    )
}

/// The spans of one region.
enum Spans<'ledger> {
    Whole(std::iter::Once<Span<'ledger>>),
    Pieces(PieceSpans<'ledger>),
}

struct PieceSpans<'ledger> {
    pieces: std::slice::Iter<'ledger, Piece>,
    section: SectionIndex,
    name: &'ledger str,
    region: &'ledger Region,
    /// The first byte of the section that the region shows.
    from: u64,
    /// How many bytes of the section the region shows; other than its own length if the section is compressed.
    size: u64,
    /// Whether the section is compressed and has several owners: where one ends and the next starts is then a guess.
    cut_in_proportion: bool,
}

impl<'ledger> Iterator for Spans<'ledger> {
    type Item = Span<'ledger>;

    fn next(&mut self) -> Option<Span<'ledger>> {
        match self {
            Self::Whole(span) => span.next(),
            Self::Pieces(spans) => spans.find(|span| span.len > 0),
        }
    }
}

impl<'ledger> Iterator for PieceSpans<'ledger> {
    type Item = Span<'ledger>;

    fn next(&mut self) -> Option<Span<'ledger>> {
        let piece = self.pieces.next()?;
        let (start, end) = (
            piece.start.max(self.from),
            piece.end.min(self.from + self.size),
        );
        // The same number where nothing is compressed.
        let in_region = |offset: u64| scale(offset - self.from, self.region.len, self.size);
        let owner_certainty = if piece.owner == Owner::Unknown {
            Certainty::Unknown
        } else if self.cut_in_proportion || piece.source == Source::Neighbour {
            Certainty::Inferred
        } else {
            Certainty::Exact
        };
        Some(Span {
            start: self.region.start + in_region(start),
            len: in_region(end) - in_region(start),
            place: Some(Place {
                section: self.section,
                offset: start,
            }),
            container: self.name,
            owner: piece.owner,
            kind: piece.kind,
            certainty: owner_certainty,
            source: piece.source,
        })
    }
}

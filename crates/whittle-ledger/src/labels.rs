//! Labels: the texts of a span's values on the axes.

use std::hash::BuildHasher as _;

use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use whittle_image::{Image, Place, SectionIndex};

use crate::axis::Axis;
use crate::cause::Causes;
use crate::certainty::{Certainty, Source};
use crate::item_text::{item_text, section_name};
use crate::kind::Kind;
use crate::layout::{Domain, MemberIndex, SegmentIndex};
use crate::ledger::{Ledger, Span};
use crate::owner::{ItemId, ItemKind, Owner};
use crate::table::Copies;

/// Texts for the values of axes, each made once.
pub(crate) struct Labels<'ledger, 'data> {
    ledger: &'ledger Ledger<'data>,
    texts: Vec<String>,
    /// The last text with a hash, and for each text the one before it with the same hash.
    last_with_hash: FxHashMap<u64, u32>,
    before: Vec<Option<u32>>,
    /// How many bytes of names from the file may still become texts: a damaged file can give one long name to all its
    /// symbols.
    room: usize,
    segments: SegmentIndex,
    members: MemberIndex,
    of_crates: FxHashMap<u32, u32>,
    of_items: FxHashMap<(Axis, ItemId), u32>,
    of_sections: FxHashMap<(Axis, Domain, SectionIndex), u32>,
    fixed: FxHashMap<&'static str, u32>,
    /// Found when first asked for.
    causes: Option<Causes>,
}

impl<'ledger, 'data> Labels<'ledger, 'data> {
    pub(crate) fn new(ledger: &'ledger Ledger<'data>) -> Self {
        Self {
            ledger,
            texts: Vec::new(),
            last_with_hash: FxHashMap::default(),
            before: Vec::new(),
            // Several times what names take in any file that a linker wrote.
            room: ledger.image().data.len().saturating_mul(4) + (64 << 20),
            segments: SegmentIndex::of(ledger.image(), ledger.layout()),
            members: MemberIndex::of(ledger.image(), ledger.layout()),
            of_crates: FxHashMap::default(),
            of_items: FxHashMap::default(),
            of_sections: FxHashMap::default(),
            fixed: FxHashMap::default(),
            causes: None,
        }
    }

    pub(crate) fn text(&self, value: u32) -> &str {
        usize::try_from(value)
            .ok()
            .and_then(|value| self.texts.get(value))
            .map_or("", String::as_str)
    }

    fn intern(&mut self, text: String) -> u32 {
        let hash = FxBuildHasher.hash_one(&text);
        let last = self.last_with_hash.get(&hash).copied();
        let mut same_hash = last;
        while let Some(value) = same_hash {
            if self.text(value) == text {
                return value;
            }
            same_hash = usize::try_from(value)
                .ok()
                .and_then(|value| *self.before.get(value)?);
        }
        let value = u32::try_from(self.texts.len()).unwrap_or(u32::MAX);
        self.texts.push(text);
        self.before.push(last);
        self.last_with_hash.insert(hash, value);
        value
    }

    fn fixed(&mut self, text: &'static str) -> u32 {
        if let Some(&value) = self.fixed.get(text) {
            return value;
        }
        let value = self.intern(text.to_owned());
        self.fixed.insert(text, value);
        value
    }

    /// The value of a span on an axis, and how sure it is.
    pub(crate) fn value(
        &mut self,
        axis: Axis,
        domain: Domain,
        span: &Span<'ledger>,
    ) -> (u32, Certainty, Source) {
        let sure = |value| (value, Certainty::Exact, Source::Layout);
        match axis {
            // Padding that was told by its content may be something else.
            Axis::Kind => {
                let certainty = if span.owner == Owner::Padding {
                    span.certainty
                } else {
                    Certainty::Exact
                };
                (self.fixed(span.kind.name()), certainty, span.source)
            }
            Axis::Member => sure(self.member(domain, span)),
            Axis::Segment => sure(self.segment(domain, span)),
            Axis::Section => sure(match span.place {
                Some(place) => self.section(axis, domain, place.section, |labels| {
                    section_name(labels.ledger.image(), place.section)
                }),
                None => self.intern(span.container.to_owned()),
            }),
            Axis::Crate | Axis::CompiledIn => {
                let attribution = if axis == Axis::Crate {
                    self.ledger.defined_in(span.owner)
                } else {
                    self.ledger.compiled_in(span.owner)
                };
                let number = u32::try_from(attribution.value.index()).unwrap_or(u32::MAX);
                let value = if let Some(&value) = self.of_crates.get(&number) {
                    value
                } else {
                    let value = self.intern(
                        self.ledger.crates()[attribution.value.index()]
                            .label
                            .clone(),
                    );
                    self.of_crates.insert(number, value);
                    value
                };
                if span.certainty > attribution.certainty {
                    (value, span.certainty, span.source)
                } else {
                    (value, attribution.certainty, attribution.source)
                }
            }
            Axis::Module | Axis::Function | Axis::Generic => {
                (self.name(axis, span), span.certainty, span.source)
            }
            Axis::Cause => {
                let ledger = self.ledger;
                let causes = self.causes.get_or_insert_with(|| Causes::of(ledger));
                let reason = causes.of_span(span);
                let value = self.fixed(reason.cause.name());
                (value, reason.certainty, reason.source)
            }
        }
    }

    /// A text that depends on a section alone.
    fn section(
        &mut self,
        axis: Axis,
        domain: Domain,
        section: SectionIndex,
        text: impl FnOnce(&mut Self) -> String,
    ) -> u32 {
        if let Some(&value) = self.of_sections.get(&(axis, domain, section)) {
            return value;
        }
        let text = text(self);
        let value = self.intern(text);
        self.of_sections.insert((axis, domain, section), value);
        value
    }

    fn segment(&mut self, domain: Domain, span: &Span<'_>) -> u32 {
        let image = self.ledger.image();
        let Some(Place { section, .. }) = span.place else {
            let number = self.segments.segment_at(domain, span.start);
            return self.intern(segment_name(image, number));
        };
        self.section(Axis::Segment, domain, section, |labels| {
            segment_name(image, labels.segments.of_section(section))
        })
    }

    fn member(&mut self, domain: Domain, span: &Span<'_>) -> u32 {
        let Some(Place { section, .. }) = span.place else {
            let name = self.members.at(domain, span.start);
            return self.intern(self.members.names[name].clone());
        };
        self.section(Axis::Member, domain, section, |labels| {
            labels.members.names[labels.members.of_section(section)].clone()
        })
    }

    fn name(&mut self, axis: Axis, span: &Span<'_>) -> u32 {
        match span.owner {
            Owner::Item(id) => self.of_item(axis, id),
            Owner::Shared(_) => self.fixed("(shared)"),
            Owner::Structure(structure) if axis == Axis::Function => {
                self.intern(format!("(structure: {})", structure.name()))
            }
            Owner::Structure(_) => self.fixed("(structure)"),
            Owner::Padding => self.fixed("(padding)"),
            Owner::Unknown => self.fixed("(unknown)"),
        }
    }

    /// The value of an item on the axes `module`, `function`, `generic`.
    pub(crate) fn of_item(&mut self, axis: Axis, id: ItemId) -> u32 {
        if let Some(&value) = self.of_items.get(&(axis, id)) {
            return value;
        }
        let text = item_text(self.ledger, axis, id);
        let text = if let Some(room) = self.room.checked_sub(text.len()) {
            self.room = room;
            text
        } else {
            "(a name too long to show)".to_owned()
        };
        let value = self.intern(text);
        self.of_items.insert((axis, id), value);
        value
    }

    /// The copies of each function, by the text of its family.
    pub(crate) fn copies(&self) -> FxHashMap<u32, Copies> {
        let mut copies: FxHashMap<u32, Copies> = FxHashMap::default();
        let mut code: FxHashMap<ItemId, u64> = FxHashMap::default();
        let mut seen: FxHashSet<ItemId> = FxHashSet::default();
        for span in self
            .ledger
            .spans(Domain::File)
            .filter(|span| span.kind == Kind::Code)
        {
            if let Owner::Item(id) = span.owner {
                *code.entry(id).or_default() += span.len;
            }
        }
        for (&(axis, id), &family) in &self.of_items {
            let item = self.ledger.item(id);
            if axis != Axis::Generic
                || item.kind != ItemKind::Function
                || item.name.is_empty()
                || !seen.insert(id)
            {
                continue;
            }
            let len = code.get(&id).copied().unwrap_or(0);
            let entry = copies.entry(family).or_insert(Copies {
                count: 0,
                largest: 0,
            });
            entry.count += 1;
            entry.largest = entry.largest.max(len);
        }
        copies
    }
}

/// The name of a segment, by its number in the list of segments.
fn segment_name(image: &Image<'_>, number: Option<usize>) -> String {
    let Some(segment) = number.and_then(|number| image.segments.get(number)) else {
        return "(not loaded)".to_owned();
    };
    let letter = |set: bool, letter: char| if set { letter } else { '-' };
    format!(
        "{} r{}{}",
        segment.number,
        letter(segment.access.writable, 'w'),
        letter(segment.access.executable, 'x')
    )
}

//! Rolls a ledger up.

use rustc_hash::FxHashMap;

use super::bodies::Numbers;
use super::document::{FORMAT, VERSION};
use super::key::{EntryKind, NewKey};
use super::{BuildFacts, CrateLabel, Entry, PackageFacts, ProgramFacts, Snapshot, Spot};
use crate::axis::Axis;
use crate::compiler::compiler;
use crate::crates::CrateId;
use crate::labels::Labels;
use crate::layout::Domain;
use crate::ledger::{Ledger, LedgerError};
use crate::owner::Owner;

impl Snapshot {
    /// Rolls a ledger up. `name` is the file's; the rest is what is known about its build.
    ///
    /// # Errors
    /// [`LedgerError::Sum`] if the result does not add up, which would be a fault of this library: it is checked each time.
    pub fn of(
        ledger: &Ledger<'_>,
        name: &str,
        build: Option<BuildFacts>,
        packages: Vec<PackageFacts>,
    ) -> Result<Self, LedgerError> {
        let image = ledger.image();
        let totals = ledger.totals();
        let mut snapshot = Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            file: ProgramFacts {
                name: name.to_owned(),
                size: totals.file,
                memory: totals.memory,
                thread_local: totals.thread_local,
                compressed: None,
                architecture: image.target.architecture.clone(),
                stripped: image.is_stripped(),
                rustc: compiler(image),
            },
            build,
            packages,
            texts: vec![String::new()],
            crates: Vec::new(),
            spots: Vec::new(),
            items: Vec::new(),
        };
        RollUp::new(ledger, &mut snapshot).run();
        snapshot.checked()
    }
}

/// Owners that get an entry of their own: shared ones are one for each pair of crates.
type EntryOwner = (Owner, CrateId, CrateId);

struct RollUp<'r, 'ledger, 'data> {
    ledger: &'ledger Ledger<'data>,
    labels: Labels<'ledger, 'data>,
    numbers: Numbers<'ledger>,
    snapshot: &'r mut Snapshot,
    texts: FxHashMap<String, u32>,
    /// Texts of labels, which are looked up often.
    of_labels: FxHashMap<u32, u32>,
    crates: FxHashMap<CrateId, u32>,
    spots: FxHashMap<Spot, u32>,
    entries: FxHashMap<EntryOwner, usize>,
    /// Where in its entry each spot has its sum.
    parts: FxHashMap<(usize, u32), usize>,
    ordinals: FxHashMap<(u32, u32, EntryKind), u32>,
}

impl<'r, 'ledger, 'data> RollUp<'r, 'ledger, 'data> {
    fn new(ledger: &'ledger Ledger<'data>, snapshot: &'r mut Snapshot) -> Self {
        Self {
            ledger,
            labels: Labels::new(ledger),
            numbers: Numbers::new(ledger.image(), ledger.references()),
            snapshot,
            texts: FxHashMap::from_iter([(String::new(), 0)]),
            of_labels: FxHashMap::default(),
            crates: FxHashMap::default(),
            spots: FxHashMap::default(),
            entries: FxHashMap::default(),
            parts: FxHashMap::default(),
            ordinals: FxHashMap::default(),
        }
    }

    fn run(mut self) {
        let ledger = self.ledger;
        for domain in [Domain::File, Domain::Memory] {
            for span in ledger.spans(domain) {
                let mut value = |axis| self.labels.value(axis, domain, &span);
                let [member, segment, section, kind, cause] = [
                    Axis::Member,
                    Axis::Segment,
                    Axis::Section,
                    Axis::Kind,
                    Axis::Cause,
                ]
                .map(&mut value);
                let spot = Spot {
                    member: self.label(member.0),
                    segment: self.label(segment.0),
                    section: self.label(section.0),
                    kind: self.label(kind.0),
                    cause: self.label(cause.0),
                    certainty: span.certainty,
                    cause_certainty: cause.1,
                };
                let spot = self.spot(spot);
                let entry = self.entry(span.owner, domain, &span);
                let (file, memory) = match domain {
                    Domain::File => (span.len, 0),
                    _ => (0, span.len),
                };
                self.add(entry, spot, file, memory);
            }
        }
    }

    fn add(&mut self, entry: usize, spot: u32, file: u64, memory: u64) {
        let Some(parts) = self.snapshot.items.get_mut(entry).map(|it| &mut it.parts) else {
            return;
        };
        let at = *self.parts.entry((entry, spot)).or_insert_with(|| {
            parts.push((spot, 0, 0));
            parts.len() - 1
        });
        if let Some(part) = parts.get_mut(at) {
            part.1 += file;
            part.2 += memory;
        }
    }

    /// The number of the entry of an owner, which is made if it is not there.
    fn entry(
        &mut self,
        owner: Owner,
        domain: Domain,
        span: &crate::ledger::Span<'ledger>,
    ) -> usize {
        let (defined, compiled) = (
            self.ledger.defined_in(owner),
            self.ledger.compiled_in(owner),
        );
        let known = match owner {
            Owner::Shared(_) => (
                Owner::Shared(crate::owner::SharedId(0)),
                defined.value,
                compiled.value,
            ),
            _ => (owner, CrateId::UNKNOWN, CrateId::UNKNOWN),
        };
        if let Some(&entry) = self.entries.get(&known) {
            return entry;
        }
        let key = NewKey::of(self.ledger, owner);
        let module = self.labels.value(Axis::Module, domain, span).0;
        let (path, arguments) = (self.text(key.path), self.text(key.arguments));
        let ordinals = self
            .ordinals
            .entry((path, arguments, key.kind))
            .or_default();
        let ordinal = *ordinals;
        *ordinals += 1;
        let (body, likeness) = match owner {
            Owner::Item(id) => self.numbers.of(self.ledger.item(id)),
            _ => (None, None),
        };
        let entry = Entry {
            path,
            arguments,
            kind: key.kind,
            ordinal,
            module: self.label(module),
            defined_in: self.crate_number(defined.value),
            compiled_in: self.crate_number(compiled.value),
            crate_certainty: defined.certainty,
            compiled_in_certainty: compiled.certainty,
            body,
            likeness,
            parts: Vec::new(),
        };
        let number = self.snapshot.items.len();
        self.snapshot.items.push(entry);
        self.entries.insert(known, number);
        number
    }

    fn spot(&mut self, spot: Spot) -> u32 {
        let spots = &mut self.snapshot.spots;
        *self.spots.entry(spot).or_insert_with(|| {
            spots.push(spot);
            last(spots.len())
        })
    }

    fn crate_number(&mut self, id: CrateId) -> u32 {
        let ledger = self.ledger;
        let crates = &mut self.snapshot.crates;
        *self.crates.entry(id).or_insert_with(|| {
            let known = ledger.crates().get(id.index());
            crates.push(CrateLabel {
                label: known.map(|it| it.label.clone()).unwrap_or_default(),
                family: known.map_or(crate::crates::Family::Special, |it| it.family),
            });
            last(crates.len())
        })
    }

    fn label(&mut self, label: u32) -> u32 {
        if let Some(&text) = self.of_labels.get(&label) {
            return text;
        }
        let text = self.labels.text(label).to_owned();
        let text = self.text(text);
        self.of_labels.insert(label, text);
        text
    }

    fn text(&mut self, text: String) -> u32 {
        if let Some(&number) = self.texts.get(&text) {
            return number;
        }
        self.snapshot.texts.push(text.clone());
        let number = last(self.snapshot.texts.len());
        self.texts.insert(text, number);
        number
    }
}

/// The number of the last of so many.
pub(super) fn last(count: usize) -> u32 {
    u32::try_from(count - 1).unwrap_or(u32::MAX)
}

//! What to blame where a limit is exceeded: what grew, or without a baseline what is large.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::{Subject, is_crate};
use crate::axis::Axis;
use crate::difference::{DeltaTable, Difference};
use crate::snapshot::{Entry, Part, Snapshot};

/// How many are named.
const CULPRITS: usize = 5;

/// A thing that a limit is exceeded by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Culprit {
    /// The function or constant, as on the axis `generic`.
    pub name: String,
    /// The section that most of its bytes are in.
    pub section: String,
    /// The crate that defines it.
    pub crate_label: String,
    /// How many bytes on disk it grew; all it has where there is no baseline.
    pub bytes: i64,
}

/// Whether a part of an entry belongs to what a limit is for.
pub(super) fn is_part(subject: &Subject, side: &Snapshot, entry: &Entry, part: &Part<'_>) -> bool {
    let is = |axis, name: &str| part.value(axis).is_some_and(|(value, _)| value == name);
    match subject {
        Subject::Total | Subject::Growth => true,
        Subject::Crate(name) => is_crate(side.defined_in(entry).0, name),
        Subject::Section(name) => is(Axis::Section, name),
        Subject::Kind(name) => is(Axis::Kind, name),
    }
}

/// What to blame, and whether the bytes are what it grew.
pub(super) fn culprits(
    subject: &Subject,
    program: &Snapshot,
    growth: Option<&Difference<'_>>,
) -> (Vec<Culprit>, bool) {
    let grown = growth.map(|growth| grown(subject, growth));
    // Nothing that the limit is for grew: then it is what there is that is too much.
    match grown.filter(|grown| !grown.is_empty()) {
        Some(grown) => (grown, true),
        None => (largest(subject, program), false),
    }
}

fn grown(subject: &Subject, growth: &Difference<'_>) -> Vec<Culprit> {
    let axes = [Axis::Generic, Axis::Crate, Axis::Section, Axis::Kind];
    let table = DeltaTable::of(growth, &axes);
    let mut sums = Sums::default();
    for row in &table.rows {
        let [name, crate_label, section, kind] = &row.values[..] else {
            continue;
        };
        let is_it = match subject {
            Subject::Total | Subject::Growth => true,
            Subject::Crate(name) => is_crate(&crate_label.new, name),
            Subject::Section(name) => section.new == *name,
            Subject::Kind(name) => kind.new == *name,
        };
        if is_it {
            sums.add([&name.new, &crate_label.new], &section.new, row.file());
        }
    }
    sums.first()
}

fn largest(subject: &Subject, program: &Snapshot) -> Vec<Culprit> {
    let mut sums = Sums::default();
    for entry in program.entries() {
        let value = |axis| program.value(entry, axis).map_or("", |it| it.0);
        let names = [value(Axis::Generic), value(Axis::Crate)];
        for part in program.parts(entry) {
            if is_part(subject, program, entry, &part) {
                let section = part.value(Axis::Section).map_or("", |it| it.0);
                sums.add(names, section, i64::try_from(part.file).unwrap_or(i64::MAX));
            }
        }
    }
    sums.first()
}

/// Bytes by name and crate, and of each by section.
#[derive(Default)]
struct Sums<'n>(FxHashMap<[&'n str; 2], BTreeMap<&'n str, i64>>);

impl<'n> Sums<'n> {
    fn add(&mut self, names: [&'n str; 2], section: &'n str, bytes: i64) {
        let sum = self.0.entry(names).or_default().entry(section).or_default();
        *sum = sum.saturating_add(bytes);
    }

    /// Those with the most bytes, each with the section that most of them are in.
    fn first(self) -> Vec<Culprit> {
        let sums = self
            .0
            .into_iter()
            .filter_map(|([name, crate_label], sections)| {
                let bytes: i64 = sections.values().copied().fold(0, i64::saturating_add);
                let (section, _) = sections
                    .iter()
                    .max_by_key(|(name, bytes)| (**bytes, Reverse(**name)))?;
                (bytes > 0).then(|| Culprit {
                    name: name.to_owned(),
                    section: (*section).to_owned(),
                    crate_label: crate_label.to_owned(),
                    bytes,
                })
            });
        let mut culprits: Vec<Culprit> = sums.collect();
        culprits.sort_unstable_by(|a, b| {
            let key = |it: &Culprit| Reverse(it.bytes);
            (key(a), &a.name, &a.crate_label).cmp(&(key(b), &b.name, &b.crate_label))
        });
        culprits.truncate(CULPRITS);
        culprits
    }
}

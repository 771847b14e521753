//! Snapshots: a ledger rolled up to what can be kept, and compared with that of another build.
//!
//! A snapshot knows its things by an [`ItemKey`]: what the source calls them, without the hashes and disambiguators that
//! change with every profile, folder and version. It holds the sums of each thing along all axes, what is known about the
//! build, and two numbers on each body, by which code that only moved or changed its name is found again.
//!
//! | module | what it holds |
//! |---|---|
//! | `key` | what things are called |
//! | `roll_up` | a ledger to a snapshot |
//! | `bodies` | numbers on bytes, wherever they stand |
//! | `facts` | what is known about file and build |
//! | `document` | the serialised form, and what is checked when it is read |

mod bodies;
mod document;
mod facts;
mod key;
mod roll_up;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::axis::Axis;
use crate::certainty::Certainty;
use crate::crates::Family;
use crate::kind::Kind;

pub use document::SnapshotError;
pub use facts::{BuildFacts, DependencyFacts, PackageFacts, ProgramFacts};
pub use key::{EntryKind, ItemKey};

/// A ledger rolled up: every byte of the file and of memory by what it belongs to.
///
/// Equal ledgers give equal snapshots, byte for byte. The serialised form is JSON (`docs/snapshot.schema.json`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Snapshot {
    format: String,
    version: u32,
    /// The file.
    pub file: ProgramFacts,
    /// How it was built, where that is known.
    pub build: Option<BuildFacts>,
    /// The packages of the build, where they are known; by name and version.
    pub packages: Vec<PackageFacts>,
    /// Each text once; other fields count in this list. The first is empty.
    texts: Vec<String>,
    crates: Vec<CrateLabel>,
    spots: Vec<Spot>,
    items: Vec<Entry>,
}

/// A value of the axes `crate` and `compiled-in`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
struct CrateLabel {
    label: String,
    family: Family,
}

/// Where bytes stand and what they are: the values of the axes on which the parts of one thing differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Spot {
    member: u32,
    segment: u32,
    section: u32,
    kind: u32,
    cause: u32,
    /// How sure the owner and the kind are.
    certainty: Certainty,
    cause_certainty: Certainty,
}

/// One thing with all its bytes: those in its own place and those that describe it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Entry {
    path: u32,
    /// 0, the empty text, where the name says no more than the path.
    #[serde(default, skip_serializing_if = "is_zero")]
    arguments: u32,
    kind: EntryKind,
    #[serde(default, skip_serializing_if = "is_zero")]
    ordinal: u32,
    module: u32,
    /// Indices into the list of crates.
    #[serde(rename = "crate")]
    defined_in: u32,
    compiled_in: u32,
    crate_certainty: Certainty,
    compiled_in_certainty: Certainty,
    #[serde(
        with = "document::hexadecimal",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    body: Option<u64>,
    #[serde(
        with = "document::hexadecimal",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    likeness: Option<u64>,
    /// By spot: bytes of the file, bytes of memory.
    parts: Vec<(u32, u64, u64)>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the form that serde asks for"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Bytes of an entry that stand in one place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'s> {
    spot: &'s Spot,
    snapshot: &'s Snapshot,
    pub(crate) file: u64,
    pub(crate) memory: u64,
}

impl<'s> Part<'s> {
    /// The name of a [`Kind`].
    pub(crate) fn kind(&self) -> &'s str {
        self.snapshot.text(self.spot.kind)
    }

    pub(crate) fn code(&self) -> u64 {
        if self.kind() == Kind::Code.name() {
            self.file
        } else {
            0
        }
    }

    /// The value on an axis on which parts of one entry can differ, and how sure it is; else nothing.
    pub(crate) fn value(&self, axis: Axis) -> Option<(&'s str, Certainty)> {
        let spot = self.spot;
        Some(match axis {
            Axis::Member => (self.snapshot.text(spot.member), Certainty::Exact),
            Axis::Segment => (self.snapshot.text(spot.segment), Certainty::Exact),
            Axis::Section => (self.snapshot.text(spot.section), Certainty::Exact),
            Axis::Kind => (self.kind(), Certainty::Exact),
            Axis::Cause => (self.snapshot.text(spot.cause), spot.cause_certainty),
            _ => return None,
        })
    }
}

impl Snapshot {
    /// Everything that has bytes, in the order of the file.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.items
    }

    /// Whether most of its functions have a name: those of a stripped file have none, unless something beside it told them.
    #[must_use]
    pub fn has_names(&self) -> bool {
        let functions = self
            .items
            .iter()
            .filter(|entry| entry.kind == EntryKind::Function);
        let (nameless, named): (Vec<_>, Vec<_>) =
            functions.partition(|entry| self.text(entry.path) == key::NAMELESS);
        nameless.len() <= named.len()
    }

    /// What an entry is called.
    #[must_use]
    pub fn key(&self, entry: &Entry) -> ItemKey<'_> {
        ItemKey {
            path: self.text(entry.path),
            arguments: self.text(entry.arguments),
            kind: entry.kind,
            ordinal: entry.ordinal,
        }
    }

    /// The value of an entry on an axis on which all its bytes agree, and how sure it is; nothing for the others.
    #[must_use]
    pub fn value(&self, entry: &Entry, axis: Axis) -> Option<(&str, Certainty)> {
        let sure = |text| (text, self.surety(entry));
        Some(match axis {
            Axis::Crate => (self.crate_label(entry.defined_in).0, entry.crate_certainty),
            Axis::CompiledIn => (
                self.crate_label(entry.compiled_in).0,
                entry.compiled_in_certainty,
            ),
            Axis::Module => sure(self.text(entry.module)),
            Axis::Function => sure(self.key(entry).name()),
            Axis::Generic => sure(self.text(entry.path)),
            _ => return None,
        })
    }

    /// The crate that defines an entry, and what sort of crate it is.
    pub(crate) fn defined_in(&self, entry: &Entry) -> (&str, Family) {
        self.crate_label(entry.defined_in)
    }

    pub(crate) fn compiled_in(&self, entry: &Entry) -> (&str, Family) {
        self.crate_label(entry.compiled_in)
    }

    pub(crate) fn parts<'s>(&'s self, entry: &'s Entry) -> impl Iterator<Item = Part<'s>> {
        entry.parts.iter().filter_map(|&(spot, file, memory)| {
            Some(Part {
                spot: self.spots.get(index(spot))?,
                snapshot: self,
                file,
                memory,
            })
        })
    }

    /// The labels of the axis `crate`, each once, in ascending order.
    #[must_use]
    pub fn crate_labels(&self) -> Vec<(&str, Family)> {
        let mut labels: Vec<_> = self
            .items
            .iter()
            .flat_map(|entry| [self.defined_in(entry), self.compiled_in(entry)])
            .collect();
        labels.sort_unstable_by_key(|(label, _)| *label);
        labels.dedup();
        labels
    }

    /// Bytes of the file by the values of an axis.
    #[must_use]
    pub fn sums(&self, axis: Axis) -> BTreeMap<String, u64> {
        let mut sums: BTreeMap<&str, u64> = BTreeMap::new();
        for entry in &self.items {
            let of_entry = self.value(entry, axis);
            for part in self.parts(entry) {
                let value = of_entry.or_else(|| part.value(axis)).map_or("", |it| it.0);
                *sums.entry(value).or_default() += part.file;
            }
        }
        let owned = sums.into_iter().filter(|(_, bytes)| *bytes > 0);
        owned
            .map(|(value, bytes)| (value.to_owned(), bytes))
            .collect()
    }

    fn surety(&self, entry: &Entry) -> Certainty {
        if entry.kind == EntryKind::Unknown {
            Certainty::Unknown
        } else {
            let spots = entry
                .parts
                .iter()
                .filter_map(|part| self.spots.get(index(part.0)));
            spots
                .map(|spot| spot.certainty)
                .max()
                .unwrap_or(Certainty::Exact)
        }
    }

    fn text(&self, number: u32) -> &str {
        self.texts.get(index(number)).map_or("", String::as_str)
    }

    fn crate_label(&self, number: u32) -> (&str, Family) {
        self.crates
            .get(index(number))
            .map_or(("", Family::Special), |it| (&it.label, it.family))
    }
}

impl Entry {
    /// What it is.
    #[must_use]
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// All its bytes of the file.
    #[must_use]
    pub fn file(&self) -> u64 {
        self.parts.iter().map(|part| part.1).sum()
    }

    /// All its bytes of memory.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.parts.iter().map(|part| part.2).sum()
    }

    /// The number of its bytes without what they mention; equal bodies have equal numbers wherever they stand.
    pub(crate) fn body(&self) -> Option<u64> {
        self.body
    }

    /// A number that differs in few bits between similar bodies.
    pub(crate) fn likeness(&self) -> Option<u64> {
        self.likeness
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

//! Differences summed up along axes.

use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::matching::package_name;
use super::{Difference, Pair, Stage, signed};
use crate::axis::Axis;
use crate::certainty::Certainty;
use crate::snapshot::{Entry, EntryKind, Snapshot};

/// A difference summed up along axes. The rows' changes of the file add up to the difference of the sizes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeltaTable {
    /// The axes, in the order in which they were asked for.
    pub axes: Vec<Axis>,
    /// The rows in which anything changed: by the amount of the change, descending, then by values. What is no thing of
    /// the program, padding and structure, comes last.
    pub rows: Vec<Delta>,
}

/// All bytes with the same values on the axes of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    /// One value for each axis.
    pub values: Vec<Value>,
    /// Bytes of the file on the old side.
    pub old: u64,
    /// Bytes of the file on the new side.
    pub new: u64,
    /// Bytes of memory, new less old.
    pub memory: i64,
    /// Bytes of code, new less old.
    pub code: i64,
    /// Bytes of the file of things that only the new side has.
    pub added: u64,
    /// Bytes of the file of things that only the old side has.
    pub removed: u64,
    /// Bytes of the file of things that moved or changed their name, as they are on the new side.
    pub moved: u64,
    /// That of the weakest byte of either side on the axes.
    pub certainty: Certainty,
    /// Whether it is padding or the file's structure.
    pub apart: bool,
}

/// A value of an axis, which can be another on the other side: `regex@1.2.0` and `regex@1.3.0`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Value {
    /// On the old side.
    pub old: String,
    /// On the new side.
    pub new: String,
}

impl Value {
    fn same(text: &str) -> Self {
        Self {
            old: text.to_owned(),
            new: text.to_owned(),
        }
    }

    /// Both in one text: `regex@1.2.0 → 1.3.0`.
    #[must_use]
    pub fn text(&self) -> String {
        if self.old == self.new {
            return self.new.clone();
        }
        match (self.old.split_once('@'), self.new.split_once('@')) {
            (Some((name, _)), Some((same, version))) if name == same => {
                format!("{} → {version}", self.old)
            }
            _ => format!("{} → {}", self.old, self.new),
        }
    }
}

impl Delta {
    /// How many bytes of the file came; negative if more went.
    #[must_use]
    pub fn file(&self) -> i64 {
        signed(self.new) - signed(self.old)
    }

    fn has_changed(&self) -> bool {
        (self.file(), self.memory, self.code) != (0, 0, 0)
            || self.added + self.removed + self.moved > 0
    }
}

impl DeltaTable {
    /// Sums a difference up. Without axes there is one row: the whole.
    #[must_use]
    pub fn of(difference: &Difference<'_>, axes: &[Axis]) -> Self {
        let mut table = Sums {
            axes,
            old: difference.old,
            new: difference.new,
            bumps: Bumps::of(difference.old, difference.new),
            rows: Vec::new(),
            row_of: FxHashMap::default(),
        };
        for pair in &difference.pairs {
            table.add(pair);
        }
        let mut rows = table.rows;
        rows.retain(Delta::has_changed);
        rows.sort_by(|a, b| {
            let key = |row: &Delta| {
                let noise = row.added.max(row.removed).max(row.moved);
                (row.apart, Reverse((row.file().unsigned_abs(), noise)))
            };
            (key(a), &a.values).cmp(&(key(b), &b.values))
        });
        Self {
            axes: axes.to_vec(),
            rows,
        }
    }
}

/// Which versions of packages followed which.
struct Bumps<'s> {
    old: FxHashMap<&'s str, &'s str>,
    new: FxHashMap<&'s str, &'s str>,
}

impl<'s> Bumps<'s> {
    /// Where a package has one version on either side that the other has not, the one followed the other.
    fn of(old: &'s Snapshot, new: &'s Snapshot) -> Self {
        let labels = |side: &'s Snapshot| {
            let mut of_name: FxHashMap<&str, Vec<&str>> = FxHashMap::default();
            for (label, _) in side.crate_labels() {
                of_name.entry(package_name(label)).or_default().push(label);
            }
            of_name
        };
        let (of_old, of_new) = (labels(old), labels(new));
        let mut bumps = Self {
            old: FxHashMap::default(),
            new: FxHashMap::default(),
        };
        for (name, old) in &of_old {
            let Some(new) = of_new.get(name) else {
                continue;
            };
            let gone: Vec<&str> = old.iter().filter(|it| !new.contains(it)).copied().collect();
            let come: Vec<&str> = new.iter().filter(|it| !old.contains(it)).copied().collect();
            if let ([gone], [come]) = (&gone[..], &come[..]) {
                bumps.new.insert(gone, come);
                bumps.old.insert(come, gone);
            }
        }
        bumps
    }

    /// A label that only one side has, with its counterpart.
    fn value(&self, label: &str) -> Value {
        let mut value = Value::same(label);
        if let Some(new) = self.new.get(label) {
            (*new).clone_into(&mut value.new);
        } else if let Some(old) = self.old.get(label) {
            (*old).clone_into(&mut value.old);
        }
        value
    }
}

struct Sums<'s, 'a> {
    axes: &'a [Axis],
    old: &'s Snapshot,
    new: &'s Snapshot,
    bumps: Bumps<'s>,
    rows: Vec<Delta>,
    row_of: FxHashMap<Vec<Value>, usize>,
}

impl<'s> Sums<'s, '_> {
    fn add(&mut self, pair: &Pair<'s>) {
        let of_pair: Vec<Option<(Value, Certainty)>> = self
            .axes
            .iter()
            .map(|&axis| self.value(pair, axis))
            .collect();
        let (old, new) = (self.old, self.new);
        for (side, entry, is_new) in [(old, pair.old, false), (new, pair.new, true)] {
            let Some(entry) = entry else { continue };
            for part in side.parts(entry) {
                let mut certainty = Certainty::Exact;
                let values = self.axes.iter().zip(&of_pair).map(|(&axis, value)| {
                    let (value, sure) = match (value, part.value(axis)) {
                        (Some((value, sure)), _) => (value.clone(), *sure),
                        (None, Some((text, sure))) => (Value::same(text), sure),
                        (None, None) => (Value::same(""), Certainty::Exact),
                    };
                    certainty = certainty.max(sure);
                    value
                });
                let values: Vec<Value> = values.collect();
                let row = self.row(values, entry.kind());
                row.certainty = row.certainty.max(certainty);
                let (file, memory, code) = (part.file, signed(part.memory), signed(part.code()));
                let alone = pair.stage == Stage::Alone;
                if is_new {
                    row.new += file;
                    row.memory += memory;
                    row.code += code;
                    row.added += if alone { file } else { 0 };
                    if matches!(pair.stage, Stage::Moved | Stage::Renamed) {
                        row.moved += file;
                    }
                } else {
                    row.old += file;
                    row.memory -= memory;
                    row.code -= code;
                    row.removed += if alone { file } else { 0 };
                }
            }
        }
    }

    /// The value of a whole pair; nothing on axes on which its parts can differ.
    fn value(&self, pair: &Pair<'s>, axis: Axis) -> Option<(Value, Certainty)> {
        let of = |side: &'s Snapshot, entry: Option<&'s Entry>| side.value(entry?, axis);
        let (old, new) = (of(self.old, pair.old), of(self.new, pair.new));
        let certainty = [old, new].into_iter().flatten().map(|it| it.1).max()?;
        let value = match (old, new) {
            (Some((old, _)), Some((new, _))) if old != new => Value {
                old: old.to_owned(),
                new: new.to_owned(),
            },
            (Some((text, _)), _) | (None, Some((text, _))) => match axis {
                Axis::Crate | Axis::CompiledIn => self.bumps.value(text),
                _ => Value::same(text),
            },
            (None, None) => return None,
        };
        Some((value, certainty))
    }

    fn row(&mut self, values: Vec<Value>, kind: EntryKind) -> &mut Delta {
        let rows = &mut self.rows;
        let apart = matches!(kind, EntryKind::Padding | EntryKind::Structure);
        let number = *self.row_of.entry(values).or_insert_with_key(|values| {
            rows.push(Delta {
                values: values.clone(),
                old: 0,
                new: 0,
                memory: 0,
                code: 0,
                added: 0,
                removed: 0,
                moved: 0,
                certainty: Certainty::Exact,
                apart,
            });
            rows.len() - 1
        });
        let row = &mut rows[number];
        // One with things of the program in it is theirs.
        row.apart &= apart;
        row
    }
}

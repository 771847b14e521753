//! What changed from one build to another, thing by thing: [`Difference`].
//!
//! Things are paired in stages (`matching`), each looser than the one before; what is left was added or removed. The
//! invariants, checked on every difference: each thing of either side is in exactly one pair; the pairs' differences add up to
//! the difference of the files' sizes; and, tested, swapping the sides negates every row.
//!
//! | module | what it holds |
//! |---|---|
//! | `matching` | which things are the same |
//! | `table` | differences summed up along axes |
//! | `build` | what is different about the builds: compiler, settings, packages, features |
//! | `blame` | what each changed byte is due to |

mod blame;
mod build;
mod matching;
mod table;
#[cfg(test)]
mod tests;

pub use blame::{Blame, Motive};
pub use build::{Build, Bump, FeatureChange, Mismatch, NewPackage, SettingChange};
pub use table::{Delta, DeltaTable, Value};

use crate::snapshot::{Entry, EntryKind, Snapshot};

/// What changed from one snapshot to another.
#[derive(Debug)]
pub struct Difference<'s> {
    old: &'s Snapshot,
    new: &'s Snapshot,
    pairs: Vec<Pair<'s>>,
    build: Build,
}

/// A thing on both sides, or on one alone.
#[derive(Debug, Clone, Copy)]
pub struct Pair<'s> {
    /// What it was; nothing if it was added.
    pub old: Option<&'s Entry>,
    /// What it is; nothing if it was removed.
    pub new: Option<&'s Entry>,
    /// How the two were found to be the same.
    pub stage: Stage,
}

/// How two things were found to be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// By the whole key, in the same version of the same package.
    Exact,
    /// By the key; the package has another version.
    OtherVersion,
    /// By the path; the generic arguments, or the place in the source, are others.
    OtherArguments,
    /// By the same body under another path.
    Moved,
    /// By a similar body between the same neighbours.
    Renamed,
    /// It is on one side only.
    Alone,
}

/// Why a difference is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DifferenceError {
    /// The pairs do not add up: a fault of this library.
    #[error("the differences of {pairs} pairs add up to {sum} bytes instead of {difference}")]
    Sum {
        /// How many pairs there are.
        pairs: usize,
        /// What they add up to.
        sum: i128,
        /// The difference of the files' sizes.
        difference: i128,
    },
    /// A thing is in no pair or in two: a fault of this library.
    #[error("{paired} things are in pairs, and there are {things}")]
    Pairs {
        /// How many things are in pairs.
        paired: usize,
        /// How many there are.
        things: usize,
    },
}

/// Bytes of the file that came or went without a counterpart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Share {
    /// Bytes of things that only the new side has.
    pub added: u64,
    /// Bytes of things that only the old side has.
    pub removed: u64,
    /// Bytes of things that moved or changed their name, as they are on the new side.
    pub moved: u64,
}

impl<'s> Difference<'s> {
    /// Compares two snapshots, in time nearly proportional to their entries.
    ///
    /// # Errors
    /// [`DifferenceError`] if the result does not add up, which would be a fault of this library: it is checked each time.
    pub fn of(old: &'s Snapshot, new: &'s Snapshot) -> Result<Self, DifferenceError> {
        let difference = Self {
            old,
            new,
            pairs: matching::pairs(old, new),
            build: Build::of(old, new),
        };
        difference.check()?;
        Ok(difference)
    }

    /// The old side.
    #[must_use]
    pub fn old(&self) -> &'s Snapshot {
        self.old
    }

    /// The new side.
    #[must_use]
    pub fn new_side(&self) -> &'s Snapshot {
        self.new
    }

    /// What is different about the builds.
    #[must_use]
    pub fn build(&self) -> &Build {
        &self.build
    }

    /// All things of both sides.
    #[must_use]
    pub fn pairs(&self) -> &[Pair<'s>] {
        &self.pairs
    }

    /// How many bytes the file grew; negative if it shrank.
    #[must_use]
    pub fn file(&self) -> i64 {
        signed(self.new.file.size) - signed(self.old.file.size)
    }

    /// How many bytes it grew in memory.
    #[must_use]
    pub fn memory(&self) -> i64 {
        signed(self.new.file.memory) - signed(self.old.file.memory)
    }

    /// Bytes without a counterpart, and such that have one elsewhere. Padding and the file's structure are not among them.
    #[must_use]
    pub fn share(&self) -> Share {
        let mut share = Share::default();
        for pair in &self.pairs {
            let is_item =
                |entry: &&Entry| entry.kind().is_item() || entry.kind() == EntryKind::Unknown;
            let old = pair.old.filter(is_item).map_or(0, Entry::file);
            let new = pair.new.filter(is_item).map_or(0, Entry::file);
            match pair.stage {
                Stage::Alone => {
                    share.added += new;
                    share.removed += old;
                }
                Stage::Moved | Stage::Renamed => share.moved += new,
                Stage::Exact | Stage::OtherVersion | Stage::OtherArguments => {}
            }
        }
        share
    }

    /// Whether the sides are the same: in size, and thing by thing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.iter().all(|pair| match (pair.old, pair.new) {
            (Some(old), Some(new)) => {
                pair.stage < Stage::Moved
                    && old.file() == new.file()
                    && old.memory() == new.memory()
                    && old.body() == new.body()
            }
            _ => false,
        })
    }

    /// Checks the invariants.
    ///
    /// # Errors
    /// [`DifferenceError`] with the first that does not hold.
    pub fn check(&self) -> Result<(), DifferenceError> {
        let things = self.old.entries().len() + self.new.entries().len();
        let paired = self
            .pairs
            .iter()
            .map(|pair| usize::from(pair.old.is_some()) + usize::from(pair.new.is_some()))
            .sum();
        if paired != things {
            return Err(DifferenceError::Pairs { paired, things });
        }
        let bytes = |entry: Option<&Entry>| i128::from(entry.map_or(0, Entry::file));
        let sum = self
            .pairs
            .iter()
            .map(|pair| bytes(pair.new) - bytes(pair.old))
            .sum();
        let difference = i128::from(self.new.file.size) - i128::from(self.old.file.size);
        if sum == difference {
            Ok(())
        } else {
            Err(DifferenceError::Sum {
                pairs: self.pairs.len(),
                sum,
                difference,
            })
        }
    }
}

/// Sizes in snapshots are checked to fit when these are made.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

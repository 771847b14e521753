//! Which things of two builds are the same.
//!
//! Every stage treats both sides alike, so that swapping them gives the same pairs: groups are by a key of each thing alone, and
//! in a group things are paired by body, then in the order of the file.

use std::cmp::Reverse;
use std::hash::Hash;

use rustc_hash::FxHashMap;

use super::{Pair, Stage};
use crate::snapshot::{Entry, Snapshot};

/// From how many bytes on, with all that describes it, a body alone says that a thing is the same.
const MIN_MOVED: u64 = 128;
/// How many bits of likeness may differ. Unrelated functions of one machine differ in 20 and more.
const MAX_BITS: u32 = 12;
/// How many candidates between two neighbours are compared with each other. More are no neighbourhood.
const MAX_GAP: usize = 64;

/// All things of both sides in pairs: first those that both have, by stage and then in the order of the file, then those
/// that one has.
pub(super) fn pairs<'s>(old: &'s Snapshot, new: &'s Snapshot) -> Vec<Pair<'s>> {
    let mut matching = Matching {
        old: Side::new(old),
        new: Side::new(new),
        pairs: Vec::new(),
    };
    matching.by(Stage::Exact, |side, entry| {
        let key = side.key(entry);
        let crates = (side.defined_in(entry).0, side.compiled_in(entry).0);
        Some((key.path, key.arguments, key.kind, crates))
    });
    matching.by(Stage::Exact, |side, entry| {
        let key = side.key(entry);
        Some((key.path, key.arguments, key.kind, side.defined_in(entry).0))
    });
    matching.by(Stage::OtherVersion, |side, entry| {
        let key = side.key(entry);
        Some((
            key.path,
            key.arguments,
            key.kind,
            package_name(side.defined_in(entry).0),
        ))
    });
    matching.sort_by_size();
    matching.by(Stage::OtherArguments, |side, entry| {
        let key = side.key(entry);
        Some((key.path, key.kind, package_name(side.defined_in(entry).0)))
    });
    matching.sort_by_place();
    matching.by(Stage::Moved, |side, entry| {
        let last = last_segment(side.key(entry).path);
        Some((
            entry.kind(),
            entry.body().filter(|_| entry.kind().is_item())?,
            last,
        ))
    });
    matching.by(Stage::Moved, |_, entry| {
        let is_telling = entry.kind().is_item() && entry.file() >= MIN_MOVED;
        Some((entry.kind(), entry.body().filter(|_| is_telling)?))
    });
    matching.renamed();
    matching.finish()
}

/// `regex` of `regex@1.2.3`.
pub(super) fn package_name(label: &str) -> &str {
    label.split_once('@').map_or(label, |(name, _)| name)
}

/// The last part of a path; generic arguments do not stand in paths.
fn last_segment(path: &str) -> &str {
    path.rsplit_once("::").map_or(path, |(_, last)| last)
}

/// The pairs before and behind something that has no counterpart yet.
type Gap = (Option<usize>, Option<usize>);

struct Side<'s> {
    snapshot: &'s Snapshot,
    /// Numbers of entries that have no counterpart yet.
    left: Vec<usize>,
    /// The numbers of pairs, by entry.
    pair_of: Vec<Option<usize>>,
}

impl<'s> Side<'s> {
    fn new(snapshot: &'s Snapshot) -> Self {
        let count = snapshot.entries().len();
        Self {
            snapshot,
            left: (0..count).collect(),
            pair_of: vec![None; count],
        }
    }

    fn entry(&self, number: usize) -> &'s Entry {
        &self.snapshot.entries()[number]
    }

    /// Takes those that have a counterpart off the list.
    fn sweep(&mut self) {
        let pair_of = &self.pair_of;
        self.left.retain(|&number| pair_of[number].is_none());
    }
}

struct Matching<'s> {
    old: Side<'s>,
    new: Side<'s>,
    /// Numbers of entries.
    pairs: Vec<(usize, usize, Stage)>,
}

impl<'s> Matching<'s> {
    /// Pairs what has equal keys.
    fn by<K: Hash + Eq>(
        &mut self,
        stage: Stage,
        key: impl Fn(&'s Snapshot, &'s Entry) -> Option<K>,
    ) {
        let mut groups: Vec<[Vec<usize>; 2]> = Vec::new();
        let mut group_of: FxHashMap<K, usize> = FxHashMap::default();
        for (at, side) in [&self.old, &self.new].into_iter().enumerate() {
            for &number in &side.left {
                let Some(key) = key(side.snapshot, side.entry(number)) else {
                    continue;
                };
                let group = *group_of.entry(key).or_insert_with(|| {
                    groups.push([Vec::new(), Vec::new()]);
                    groups.len() - 1
                });
                groups[group][at].push(number);
            }
        }
        for [old, new] in groups {
            if !old.is_empty() && !new.is_empty() {
                self.group(stage, &old, &new);
            }
        }
        self.old.sweep();
        self.new.sweep();
    }

    /// Pairs the members of a group: those with equal bodies first, the others in their order.
    fn group(&mut self, stage: Stage, old: &[usize], new: &[usize]) {
        if let ([old], [new]) = (old, new) {
            return self.pair(*old, *new, stage);
        }
        let mut bodies: FxHashMap<(u64, u64), [Vec<usize>; 2]> = FxHashMap::default();
        let mut order = Vec::new();
        for (at, (side, list)) in [(&self.old, old), (&self.new, new)].into_iter().enumerate() {
            for &number in list {
                let entry = side.entry(number);
                if let Some(body) = entry.body() {
                    let body = (body, entry.file());
                    let lists = bodies.entry(body).or_insert_with(|| {
                        order.push(body);
                        [Vec::new(), Vec::new()]
                    });
                    lists[at].push(number);
                }
            }
        }
        for body in order {
            let [old, new] = &bodies[&body];
            for (&old, &new) in old.iter().zip(new) {
                self.pair(old, new, stage);
            }
        }
        let left = |side: &Side<'s>, list: &[usize]| -> Vec<usize> {
            let left = list
                .iter()
                .filter(|&&number| side.pair_of[number].is_none());
            left.copied().collect()
        };
        let (old, new) = (left(&self.old, old), left(&self.new, new));
        for (old, new) in old.into_iter().zip(new) {
            self.pair(old, new, stage);
        }
    }

    fn pair(&mut self, old: usize, new: usize, stage: Stage) {
        let number = self.pairs.len();
        self.old.pair_of[old] = Some(number);
        self.new.pair_of[new] = Some(number);
        self.pairs.push((old, new, stage));
    }

    /// Has the largest first: where only the path is the same, size is all there is to go by.
    fn sort_by_size(&mut self) {
        for side in [&mut self.old, &mut self.new] {
            let entries = side.snapshot.entries();
            side.left
                .sort_by_key(|&number| (Reverse(entries[number].file()), number));
        }
    }

    fn sort_by_place(&mut self) {
        self.old.left.sort_unstable();
        self.new.left.sort_unstable();
    }

    /// Pairs what stands between the same neighbours and looks alike.
    fn renamed(&mut self) {
        let mut gaps: FxHashMap<Gap, [Vec<usize>; 2]> = FxHashMap::default();
        let mut order = Vec::new();
        for (at, side) in [&self.old, &self.new].into_iter().enumerate() {
            let numbers = 0..side.pair_of.len();
            let mut before = vec![None; side.pair_of.len()];
            let mut last = None;
            // What moved itself is nobody's neighbour.
            let neighbour = |number: usize| {
                let pair = side.pair_of[number];
                pair.filter(|&pair| self.pairs[pair].2 < Stage::Moved)
            };
            for number in numbers.clone() {
                before[number] = last;
                last = neighbour(number).or(last);
            }
            let mut behind = None;
            for number in numbers.rev() {
                if side.pair_of[number].is_none() && side.entry(number).likeness().is_some() {
                    let gap = (before[number], behind);
                    let lists = gaps.entry(gap).or_insert_with(|| {
                        order.push(gap);
                        [Vec::new(), Vec::new()]
                    });
                    lists[at].push(number);
                }
                behind = neighbour(number).or(behind);
            }
        }
        for gap in order {
            let [old, new] = &gaps[&gap];
            if old.len() <= MAX_GAP && new.len() <= MAX_GAP {
                self.alike(old, new);
            }
        }
        self.old.sweep();
        self.new.sweep();
    }

    fn alike(&mut self, old: &[usize], new: &[usize]) {
        let mut candidates = Vec::new();
        for (old_rank, &old) in old.iter().enumerate() {
            for (new_rank, &new) in new.iter().enumerate() {
                let (a, b) = (self.old.entry(old), self.new.entry(new));
                let (Some(of_a), Some(of_b)) = (a.likeness(), b.likeness()) else {
                    continue;
                };
                let bits = (of_a ^ of_b).count_ones();
                let (small, large) = (a.file().min(b.file()), a.file().max(b.file()));
                // Half as much again is no renamed function any more.
                if a.kind() == b.kind() && bits <= MAX_BITS && large - small <= small / 2 {
                    let ranks = (old_rank + new_rank, old_rank.abs_diff(new_rank));
                    candidates.push((bits, large - small, ranks, old, new));
                }
            }
        }
        // Two candidates with one thing in common never have equal ranks, whichever side is which.
        candidates.sort_by_key(|it| (it.0, it.1, it.2));
        for (_, _, _, old, new) in candidates {
            if self.old.pair_of[old].is_none() && self.new.pair_of[new].is_none() {
                self.pair(old, new, Stage::Renamed);
            }
        }
    }

    fn finish(self) -> Vec<Pair<'s>> {
        let (old, new) = (self.old, self.new);
        let both = self.pairs.iter().map(|&(of_old, of_new, stage)| Pair {
            old: Some(old.entry(of_old)),
            new: Some(new.entry(of_new)),
            stage,
        });
        let removed = old.left.iter().map(|&number| Pair {
            old: Some(old.entry(number)),
            new: None,
            stage: Stage::Alone,
        });
        let added = new.left.iter().map(|&number| Pair {
            old: None,
            new: Some(new.entry(number)),
            stage: Stage::Alone,
        });
        both.chain(removed).chain(added).collect()
    }
}

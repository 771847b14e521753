//! Things that are equal if what they mention is equal: classes by partition refinement.

use std::hash::{BuildHasher as _, Hash, Hasher as _};

use rustc_hash::{FxBuildHasher, FxHashMap};

/// How often classes are split by what their members mention. The linker needs 3 to 5 rounds for most programs and some
/// 20 for the largest; a hostile file could ask for one a function.
const ROUNDS: usize = 64;

/// Things, each with what is fixed in it and the things it mentions.
#[derive(Debug, Default)]
pub(super) struct Equivalence {
    /// The hash of what is fixed in each.
    fixed: Vec<u64>,
    /// Where the mentions of each end in `mentions`.
    ends: Vec<usize>,
    /// Numbers of things.
    mentions: Vec<u32>,
}

impl Equivalence {
    /// Adds a thing: the hash of all that is fixed in it, and which things it mentions, in order.
    pub(super) fn push(&mut self, fixed: u64, mentions: &[u32]) {
        self.fixed.push(fixed);
        self.mentions.extend_from_slice(mentions);
        self.ends.push(self.mentions.len());
    }

    /// The classes of equal things that have several members: their numbers, ascending, in order of the first.
    ///
    /// All start in the class of what is fixed in them. Then classes are split until the mentions of all members are
    /// member by member in the same classes: so two functions that call each other are equal to two others that do. This is the
    /// largest set of equalities without contradiction, the one that linkers find. If it takes too long, mentions
    /// must be of the very same thing, which finds less.
    pub(super) fn classes(&self) -> Vec<Vec<u32>> {
        let mut class: Vec<u32> = vec![0; self.fixed.len()];
        let mut active: Vec<u32> = (0..).take(self.fixed.len()).collect();
        let mut split = Splitter::default();
        let mut count = split.round(&mut class, &mut active, |thing, _| self.fixed[index(thing)]);
        for round in 0..=ROUNDS {
            let by_class = |thing, class: &[u32]| {
                hash(
                    self.mentions_of(thing)
                        .iter()
                        .map(|&it| if round < ROUNDS { class[index(it)] } else { it }),
                )
            };
            let before = count;
            count = split.round(&mut class, &mut active, by_class);
            if count == before {
                break;
            }
        }
        let mut members: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
        for thing in active {
            members.entry(class[index(thing)]).or_default().push(thing);
        }
        let mut classes: Vec<Vec<u32>> = members.into_values().filter(|it| it.len() > 1).collect();
        classes.sort_unstable();
        classes
    }

    fn mentions_of(&self, thing: u32) -> &[u32] {
        let thing = index(thing);
        let start = thing.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.mentions[start..self.ends[thing]]
    }
}

/// Splits classes. Things alone in their class are done with, so that rounds get cheaper.
#[derive(Default)]
struct Splitter {
    /// The next number of a class.
    next: u32,
    /// Classes that left with their only member.
    alone: usize,
}

impl Splitter {
    /// Splits each class by a key; returns how many classes there are.
    fn round(
        &mut self,
        class: &mut [u32],
        active: &mut Vec<u32>,
        key: impl Fn(u32, &[u32]) -> u64,
    ) -> usize {
        // The new class and the number of members.
        let mut found: FxHashMap<(u32, u64), (u32, u32)> = FxHashMap::default();
        let keys: Vec<(u32, u64)> = active
            .iter()
            .map(|&thing| (class[index(thing)], key(thing, class)))
            .collect();
        for key in &keys {
            let (_, members) = found.entry(*key).or_insert_with(|| {
                self.next += 1;
                (self.next, 0)
            });
            *members += 1;
        }
        for (&thing, key) in active.iter().zip(&keys) {
            class[index(thing)] = found[key].0;
        }
        let mut keys = keys.iter();
        active.retain(|_| keys.next().is_some_and(|key| found[key].1 > 1));
        let alone = found.values().filter(|(_, members)| *members == 1).count();
        self.alone += alone;
        self.alone + found.len() - alone
    }
}

/// One hash of several values, in their order.
pub(super) fn hash(values: impl IntoIterator<Item = impl Hash>) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    for value in values {
        value.hash(&mut hasher);
    }
    hasher.finish()
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(things: &[(u64, &[u32])]) -> Vec<Vec<u32>> {
        let mut equivalence = Equivalence::default();
        for (fixed, mentions) in things {
            equivalence.push(*fixed, mentions);
        }
        equivalence.classes()
    }

    #[test]
    fn equal_things_that_mention_equal_things_are_equal() {
        // 0 and 1 mention 2 and 3, which are equal; 4 mentions 5, which is not.
        let things: &[(u64, &[u32])] = &[
            (1, &[2]),
            (1, &[3]),
            (2, &[]),
            (2, &[]),
            (1, &[5]),
            (3, &[]),
        ];
        assert_eq!(classes(things), [vec![0, 1], vec![2, 3]]);
        assert_eq!(classes(&[]), [[0_u32; 0]; 0]);
    }

    #[test]
    fn pairs_that_mention_each_other_are_equal_to_others_that_do() {
        assert_eq!(
            classes(&[(1, &[1]), (2, &[0]), (1, &[3]), (2, &[2])]),
            [[0, 2], [1, 3]]
        );
        // Rings of three and of two, all alike.
        let rings: &[(u64, &[u32])] = &[(1, &[1]), (1, &[2]), (1, &[0]), (1, &[4]), (1, &[3])];
        assert_eq!(classes(rings), [[0, 1, 2, 3, 4]]);
    }

    #[test]
    fn the_order_of_mentions_counts() {
        let things: &[(u64, &[u32])] = &[(1, &[2, 3]), (1, &[3, 2]), (2, &[]), (3, &[])];
        assert_eq!(classes(things), [[0_u32; 0]; 0]);
    }

    #[test]
    fn a_chain_too_long_to_follow_finds_less_and_nothing_wrong() {
        // Each mentions the next; the last one differs. None is equal to another.
        let count: u32 = 1000;
        let chain: Vec<(u64, Vec<u32>)> = (0..count)
            .map(|it| {
                (
                    u64::from(it + 1 == count),
                    Vec::from_iter((it + 1 < count).then_some(it + 1)),
                )
            })
            .collect();
        let things: Vec<(u64, &[u32])> =
            chain.iter().map(|(fixed, it)| (*fixed, &it[..])).collect();
        assert_eq!(classes(&things), [[0_u32; 0]; 0]);
    }
}

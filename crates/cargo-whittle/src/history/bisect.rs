//! The search for a jump: which of two neighbours in a row differ most, with few of them looked at.

use crate::trouble::Outcome;

/// Where the jump is.
#[derive(Debug)]
pub(super) struct Found<T> {
    /// The last before it.
    pub(super) before: T,
    /// The first behind it.
    pub(super) after: T,
    /// Their numbers: neighbours, unless all between them cannot be had.
    pub(super) at: (usize, usize),
}

/// Looks for the largest change of a size in a row of `count` things, at least two. What cannot be had is `None`; its
/// neighbours are tried instead. The ends must be there.
///
/// Each step looks at the middle and goes on in the half over which the size changes more: one jump is found in
/// `2 + log2(count)` steps, the larger of two wherever neither hides the other.
pub(super) fn bisect<T>(
    count: usize,
    get: &mut dyn FnMut(usize) -> Outcome<Option<T>>,
    size: impl Fn(&T) -> u64,
) -> Outcome<Found<T>> {
    let missing =
        || crate::trouble::Trouble::plain(anyhow::anyhow!("an end of the range is not there"));
    let (mut low, mut high) = (0, count.saturating_sub(1));
    let mut before = get(low)?.ok_or_else(missing)?;
    let mut after = get(high)?.ok_or_else(missing)?;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        let mut found = None;
        for at in nearest(low, middle, high) {
            if let Some(it) = get(at)? {
                found = Some((at, it));
                break;
            }
        }
        let Some((at, it)) = found else { break };
        let (lower, upper) = (
            size(&it).abs_diff(size(&before)),
            size(&after).abs_diff(size(&it)),
        );
        if lower > upper {
            (high, after) = (at, it);
        } else {
            (low, before) = (at, it);
        }
    }
    Ok(Found {
        before,
        after,
        at: (low, high),
    })
}

/// The numbers strictly between two, by their distance to the middle.
fn nearest(low: usize, middle: usize, high: usize) -> Vec<usize> {
    let mut all: Vec<usize> = (low + 1..high).collect();
    all.sort_by_key(|at| (at.abs_diff(middle), *at));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the jump is found, and how many were looked at.
    fn found(sizes: &[Option<u64>]) -> ((usize, usize), usize) {
        let mut looks = 0;
        let mut get = |at: usize| {
            looks += 1;
            Ok(sizes[at])
        };
        let found = bisect(sizes.len(), &mut get, |size| *size).expect("the ends are there");
        (found.at, looks)
    }

    #[test]
    fn a_planted_jump_is_found_wherever_it_is() {
        for count in [2, 3, 10, 100, 1000] {
            for jump in 1..count {
                // Small steps everywhere, and a large one.
                let sizes: Vec<Option<u64>> = (0..count)
                    .map(|at| Some(1_000_000 + at as u64 + if at >= jump { 50_000 } else { 0 }))
                    .collect();
                let (at, looks) = found(&sizes);
                assert_eq!(at, (jump - 1, jump));
                assert!(looks <= 3 + count.ilog2() as usize, "{looks} of {count}");
            }
        }
    }

    #[test]
    fn what_cannot_be_had_is_passed_over() {
        let size = |at: u64| Some(if at >= 7 { 200 } else { 100 });
        let mut sizes: Vec<Option<u64>> = (0..11).map(size).collect();
        sizes[5] = None;
        sizes[8] = None;
        assert_eq!(found(&sizes).0, (6, 7));
        sizes[6] = None;
        assert_eq!(found(&sizes).0, (4, 7));
    }
}

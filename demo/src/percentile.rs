//! Percentiles by nearest rank.

/// The value that `percent` of the values do not exceed; `None` of nothing. `sorted` is in ascending order.
///
/// Nearest rank: the answer is always one of the values, never a mean of two.
pub fn nearest_rank(sorted: &[f64], percent: usize) -> Option<f64> {
    let rank = sorted.len().checked_mul(percent)?.div_ceil(100).max(1);
    sorted.get(rank - 1).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_has_no_percentile() {
        assert_eq!(nearest_rank(&[], 50), None);
    }

    #[test]
    fn one_value_is_every_percentile() {
        for percent in [0, 50, 99, 100] {
            assert_eq!(nearest_rank(&[7.5], percent), Some(7.5));
        }
    }

    #[test]
    fn ranks_of_a_hundred_values_are_the_values() {
        let values: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(nearest_rank(&values, 50), Some(50.0));
        assert_eq!(nearest_rank(&values, 99), Some(99.0));
        assert_eq!(nearest_rank(&values, 100), Some(100.0));
        assert_eq!(nearest_rank(&values, 101), None);
    }
}

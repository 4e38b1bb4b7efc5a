//! Medians, percentiles and spreads.

use serde::Serialize;

/// The middle of some values; the mean of the two middle ones of an even number. 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        count if count % 2 == 1 => sorted[middle],
        _ => f64::midpoint(sorted[middle - 1], sorted[middle]),
    }
}

/// How far apart the largest and the smallest are, as a share of the median.
pub(crate) fn spread(values: &[f64]) -> f64 {
    let largest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let smallest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let median = median(values);
    if median == 0.0 {
        0.0
    } else {
        (largest - smallest) / median
    }
}

/// What so many of a hundred values don't exceed (nearest rank). `sorted` ascends. 0 of none.
pub(crate) fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

/// Half, nearly all, all of some times, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Times {
    /// How many there are.
    pub(crate) count: usize,
    /// Half of them took at most this long.
    pub(crate) p50_us: f64,
    /// 99 % did.
    pub(crate) p99_us: f64,
    /// All did.
    pub(crate) max_us: f64,
}

impl Times {
    /// Of nanoseconds in any order.
    pub(crate) fn of(mut nanoseconds: Vec<u32>) -> Self {
        nanoseconds.sort_unstable();
        let microseconds = |percent| f64::from(percentile(&nanoseconds, percent)) / 1000.0;
        Self {
            count: nanoseconds.len(),
            p50_us: microseconds(50),
            p99_us: microseconds(99),
            max_us: microseconds(100),
        }
    }
}

/// A number for ratios.
#[expect(clippy::cast_precision_loss, reason = "no count here comes near 2^52")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(left: f64, right: f64) -> bool {
        (left - right).abs() < 1e-9
    }

    #[test]
    fn the_median_is_the_middle() {
        assert!(near(median(&[3.0, 1.0, 2.0]), 2.0));
        assert!(near(median(&[4.0, 1.0, 2.0, 3.0]), 2.5));
        assert!(near(median(&[]), 0.0));
    }

    #[test]
    fn the_spread_is_relative_to_the_median() {
        assert!(near(spread(&[90.0, 100.0, 110.0]), 0.2));
        assert!(near(spread(&[5.0]), 0.0));
        assert!(near(spread(&[0.0, 0.0]), 0.0));
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&values, 50), 100);
        assert_eq!(percentile(&values, 99), 198);
        assert_eq!(percentile(&values, 100), 200);
        assert_eq!(percentile(&[7], 1), 7);
        assert_eq!(percentile(&[], 50), 0);
    }

    #[test]
    fn times_are_sorted_first() {
        let times = Times::of(vec![3000, 1000, 2000]);
        assert!(near(times.p50_us, 2.0) && near(times.max_us, 3.0));
        assert_eq!(times.count, 3);
    }
}

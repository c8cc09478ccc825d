//! Distributions of numbers, kept in buckets whose width grows with the numbers: about a sixteenth is lost of each.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// Buckets between two powers of two.
const STEPS: usize = 8;
const STEP_BITS: u32 = STEPS.trailing_zeros();
const BUCKETS: usize = 320;

/// A distribution that many threads add to.
#[derive(Debug)]
pub(super) struct Histogram {
    sum: AtomicU64,
    buckets: [AtomicU32; BUCKETS],
}

impl Default for Histogram {
    fn default() -> Self {
        Histogram { sum: AtomicU64::new(0), buckets: [const { AtomicU32::new(0) }; BUCKETS] }
    }
}

impl Histogram {
    pub(super) fn add(&self, number: u64) {
        self.sum.fetch_add(number, Ordering::Relaxed);
        if let Some(bucket) = self.buckets.get(bucket_of(number)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Moves everything into a distribution and begins anew.
    pub(super) fn move_to(&self, distribution: &mut Distribution) {
        distribution.sum += self.sum.swap(0, Ordering::Relaxed);
        for (count, bucket) in distribution.buckets.iter_mut().zip(&self.buckets) {
            *count += u64::from(bucket.swap(0, Ordering::Relaxed));
        }
    }
}

/// A distribution as it was at a moment.
#[derive(Debug)]
pub struct Distribution {
    sum: u64,
    buckets: Vec<u64>,
}

impl Default for Distribution {
    fn default() -> Self {
        Distribution { sum: 0, buckets: vec![0; BUCKETS] }
    }
}

impl Distribution {
    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Their sum.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Their mean; 0 when there are none.
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count().max(1) as f64
    }

    /// The number below which this share of the numbers lies.
    pub fn quantile(&self, share: f64) -> f64 {
        let target = self.count() as f64 * share;
        let mut below = 0.0;
        for (bucket, count) in self.buckets.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = *count as f64;
            if below + count >= target {
                let (low, high) = (lowest(bucket), lowest(bucket + 1));
                return low + (high - 1.0 - low) * ((target - below) / count).clamp(0.0, 1.0);
            }
            below += count;
        }
        0.0
    }
}

fn bucket_of(number: u64) -> usize {
    if number < STEPS as u64 {
        return number as usize;
    }
    let power = 63 - number.leading_zeros();
    let step = (number >> (power - STEP_BITS)) as usize % STEPS;
    (((power - STEP_BITS + 1) as usize) * STEPS + step).min(BUCKETS - 1)
}

/// The lowest number of a bucket.
fn lowest(bucket: usize) -> f64 {
    if bucket < STEPS {
        return bucket as f64;
    }
    let power = bucket / STEPS - 1;
    (STEPS + bucket % STEPS) as f64 * 2f64.powi(power as i32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn quantiles_are_about_right() {
        let histogram = Histogram::default();
        for number in 1..=1000 {
            histogram.add(number);
        }
        let mut distribution = Distribution::default();
        histogram.move_to(&mut distribution);
        assert_eq!((distribution.count(), distribution.sum()), (1000, 500_500));
        for (share, number) in [(0.01, 10.0), (0.5, 500.0), (0.9, 900.0), (0.999, 999.0)] {
            let found = distribution.quantile(share);
            assert!((found - number).abs() <= number * 0.13 + 1.0, "{share}: {found}");
        }
        assert_eq!(Distribution::default().quantile(0.5), 0.0);
    }

    proptest! {
        #[test]
        fn a_number_lies_in_its_bucket(number in 0_u64..(1 << 38)) {
            let bucket = bucket_of(number);
            prop_assert!(lowest(bucket) <= number as f64 && (number as f64) < lowest(bucket + 1));
        }
    }
}

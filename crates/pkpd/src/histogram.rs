//! Percentiles in constant memory that merge exactly: whole-number counts in bins a thousandth wide.

use crate::bytes;
use crate::units::{NgPerMl, Ratio};

/// Bins for each doubling: a bin is 1/1024 to 1/2048 of its value wide.
const BINS: usize = 1024;

/// Counts of levels. Adding is commutative and exact, so any split of the work gives the same counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    /// 0, less than 0 by measurement error, and what is too small to tell from 0.
    none: u64,
    /// By exponent, from that of [`LEAST`] up; no bins where no level was seen.
    doublings: Vec<Vec<u64>>,
    total: u64,
}

/// Levels below this count as none.
const LEAST: f64 = 1e-12;
const LEAST_EXPONENT: u64 = LEAST.to_bits() >> 52;
/// Up to the largest number there is.
const DOUBLINGS_MAX: u64 = (f64::MAX.to_bits() >> 52) - LEAST_EXPONENT + 1;

/// Doublings above [`LEAST`] of a level that is not below it.
fn exponent(level: f64) -> usize {
    ((level.to_bits() >> 52) - LEAST_EXPONENT) as usize
}

impl Histogram {
    /// A percentile is that of the levels that were counted, to within this share of its value: the widest bin.
    pub const PRECISION: Ratio = Ratio(1.0 / BINS as f64);

    /// Counts one level.
    pub fn add(&mut self, level: NgPerMl) {
        self.total += 1;
        // NaN falls through to none as well; the engine makes none.
        if !(level.0 >= LEAST && level.0.is_finite()) {
            self.none += 1;
            return;
        }
        let bits = level.0.to_bits();
        let place = (bits >> 42) as usize % BINS;
        if let Some(bin) = self.bins(exponent(level.0)).get_mut(place) {
            *bin += 1;
        }
    }

    /// The bins of an exponent, made when they are first needed.
    fn bins(&mut self, exponent: usize) -> &mut [u64] {
        if self.doublings.len() <= exponent {
            self.doublings.resize(exponent + 1, Vec::new());
        }
        match self.doublings.get_mut(exponent) {
            Some(bins) => {
                if bins.is_empty() {
                    bins.resize(BINS, 0);
                }
                bins
            }
            None => &mut [],
        }
    }

    /// Adds all counts of another.
    pub fn merge(&mut self, other: &Self) {
        self.none += other.none;
        self.total += other.total;
        for (exponent, counts) in other.doublings.iter().enumerate().filter(|(_, counts)| !counts.is_empty())
        {
            self.bins(exponent).iter_mut().zip(counts).for_each(|(bin, count)| *bin += count);
        }
    }

    /// Appends the counts.
    pub(crate) fn write(&self, into: &mut Vec<u8>) {
        bytes::write(self.none, into);
        bytes::write(self.doublings.len() as u64, into);
        for bins in &self.doublings {
            bytes::write(u64::from(!bins.is_empty()), into);
            bins.iter().for_each(|count| bytes::write(*count, into));
        }
    }

    /// Takes [`Histogram::write`] off the front; `None` for what it did not write.
    pub(crate) fn read(from: &mut &[u8]) -> Option<Self> {
        let none = bytes::read(from)?;
        let mut counts = Self { none, total: none, doublings: Vec::new() };
        for _ in 0..bytes::read(from).filter(|doublings| *doublings <= DOUBLINGS_MAX)? {
            let places = if bytes::read(from)? == 0 { 0 } else { BINS };
            let bins = (0..places).map(|_| bytes::read(from)).collect::<Option<Vec<u64>>>()?;
            counts.total = bins.iter().try_fold(counts.total, |sum, count| sum.checked_add(*count))?;
            counts.doublings.push(bins);
        }
        Some(counts)
    }

    /// How many levels were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The level below which this share lies, by linear interpolation between order statistics (type 7 of R), each of
    /// which is known to a thousandth of its value; `None` without levels or for a share outside 0 to 1.
    #[must_use]
    pub fn quantile(&self, share: Ratio) -> Option<NgPerMl> {
        if self.total == 0 || !(0.0..=1.0).contains(&share.0) {
            return None;
        }
        let rank = share.0 * (self.total - 1) as f64;
        let (first, part) = (rank.floor(), rank.fract());
        let low = self.in_order(first)?;
        let high = if part > 0.0 { self.in_order(first + 1.0)? } else { low };
        Some(NgPerMl(part.mul_add(high - low, low)))
    }

    /// The level with so many before it, as if those of a bin stood in it at even distances.
    fn in_order(&self, rank: f64) -> Option<f64> {
        let mut below = self.none as f64;
        if rank < below {
            return Some(0.0);
        }
        let mut last = None;
        for (exponent, bins) in self.doublings.iter().enumerate() {
            for (place, &count) in bins.iter().enumerate().filter(|(_, c)| **c > 0) {
                let low = f64::from_bits((exponent as u64 + LEAST_EXPONENT) << 52 | (place as u64) << 42);
                let high = f64::from_bits(low.to_bits() + (1 << 42));
                let count = count as f64;
                if rank < below + count {
                    return Some(low + (high - low) * (rank - below + 0.5) / count);
                }
                below += count;
                last = Some(0.5 * (low + high));
            }
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(levels: &[f64]) -> Histogram {
        let mut h = Histogram::default();
        levels.iter().for_each(|&x| h.add(NgPerMl(x)));
        h
    }

    proptest! {
        #[test]
        fn any_split_gives_the_same_counts(levels in prop::collection::vec(-1.0..1e6_f64, 1..200), cut in 0..200_usize) {
            let cut = cut.min(levels.len());
            let mut merged = of(&levels[cut..]);
            merged.merge(&of(&levels[..cut]));
            prop_assert_eq!(merged, of(&levels));
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_levels(mut levels in prop::collection::vec((-3.0..6.0_f64).prop_map(|e| 10f64.powf(e)), 1..300), share in 0.0..=1.0_f64) {
            let found = of(&levels).quantile(Ratio(share)).expect("levels").0;
            levels.sort_by(f64::total_cmp);
            let rank = share * (levels.len() - 1) as f64;
            let (low, high) = (levels[rank.floor() as usize], levels[rank.ceil() as usize]);
            let type_7 = rank.fract().mul_add(high - low, low);
            prop_assert!((found - type_7).abs() <= type_7 / 1024.0, "{found} is not {type_7}");
        }
    }

    #[test]
    fn nothing_is_nothing_and_zero_is_zero() {
        assert_eq!(Histogram::default().quantile(Ratio(0.5)), None);
        assert_eq!(of(&[0.0, -1.0, f64::NAN, 5.0]).quantile(Ratio(0.5)), Some(NgPerMl(0.0)));
        assert_eq!(of(&[1.0]).quantile(Ratio(1.5)), None);
        assert_eq!(of(&[1.0; 3]).count(), 3);
    }
}

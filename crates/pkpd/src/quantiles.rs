//! Exact quantiles of numbers that lie in several rows: brackets from a sample, one pass that counts what lies below
//! them and keeps what lies inside, and a selection among the few that were kept.

use crate::lanes::{self, Lanes};
use crate::units::Ratio;
use pulp::Simd;

/// Shares that are asked for together, at most.
pub const SHARES_MAX: usize = 16;

/// As few numbers as this are all looked at.
const FEW: usize = 2048;
/// Half width of a bracket in standard errors of a quantile of the sample. One in four hundred misses its quantile,
/// which is noticed and found among all numbers.
const ERRORS: f64 = 3.0;

/// Quantiles by linear interpolation between order statistics (type 7 of R), one for each share, of all numbers in the
/// rows. `None` without numbers, for more than [`SHARES_MAX`] shares and for a share outside 0 to 1.
#[must_use]
pub fn quantiles(rows: &[&[f64]], shares: &[Ratio]) -> Option<Vec<f64>> {
    let count: usize = rows.iter().map(|row| row.len()).sum();
    let accepted = shares.iter().all(|share| (0.0..=1.0).contains(&share.0));
    if count == 0 || !accepted || shares.len() > SHARES_MAX {
        return None;
    }
    let ranks: Vec<f64> = shares.iter().map(|share| share.0 * (count - 1) as f64).collect();
    let narrowed = if count > FEW { narrowed(rows, shares, &ranks) } else { None };
    let (mut numbers, mut places) = narrowed.unwrap_or_else(|| (rows.concat(), places(&ranks)));
    places.sort_unstable_by_key(|place| place.at);
    select(&mut numbers, 0, f64::INFINITY, &mut places);
    places.sort_unstable_by_key(|place| place.share);
    let value = |(place, rank): (&Place, &f64)| {
        let part = rank.fract();
        if part > 0.0 { part.mul_add(place.next - place.value, place.value) } else { place.value }
    };
    Some(places.iter().zip(&ranks).map(value).collect())
}

/// Which of the sorted numbers is wanted for which share, and what it and the next one are.
struct Place {
    share: usize,
    at: usize,
    value: f64,
    next: f64,
}

fn places(ranks: &[f64]) -> Vec<Place> {
    let place = |(share, rank): (usize, &f64)| Place { share, at: *rank as usize, value: 0.0, next: 0.0 };
    ranks.iter().enumerate().map(place).collect()
}

/// Finds all wanted numbers; `first` of the sorted ones lie before these, and the one after them is `after`.
fn select(numbers: &mut [f64], first: usize, after: f64, wanted: &mut [Place]) {
    let Some(&Place { at, .. }) = wanted.get(wanted.len() / 2) else { return };
    let Some(place) = at.checked_sub(first).filter(|place| *place < numbers.len()) else { return };
    let (below, &mut value, above) = numbers.select_nth_unstable_by(place, f64::total_cmp);
    let next = above.iter().copied().fold(after, f64::min);
    for same in wanted.iter_mut().filter(|place| place.at == at) {
        (same.value, same.next) = (value, next);
    }
    let low = wanted.partition_point(|place| place.at < at);
    let high = wanted.partition_point(|place| place.at <= at);
    let (rest, higher) = wanted.split_at_mut(high);
    select(above, at + 1, after, higher);
    select(below, first, value, rest.get_mut(..low).unwrap_or_default());
}

/// What lies in brackets around the wanted numbers, and their places there; `None` when a bracket missed.
fn narrowed(rows: &[&[f64]], shares: &[Ratio], ranks: &[f64]) -> Option<(Vec<f64>, Vec<Place>)> {
    let brackets = brackets(rows, shares);
    let sieved = lanes::widest(Sieve { rows, brackets: &brackets });
    let mut places = places(ranks);
    for ((place, bracket), below) in places.iter_mut().zip(&brackets).zip(&sieved.below) {
        let before = sieved.inside.iter().filter(|x| **x < bracket.low).count();
        let within = sieved.inside.iter().filter(|x| **x >= bracket.low && **x <= bracket.high).count();
        place.at = place.at.checked_sub(*below).filter(|at| at + 1 < within)? + before;
    }
    Some((sieved.inside, places))
}

#[derive(Clone, Copy)]
struct Bracket {
    low: f64,
    high: f64,
}

/// From a sample of short runs at even distances, since a line of the cache is read as a whole.
fn brackets(rows: &[&[f64]], shares: &[Ratio]) -> Vec<Bracket> {
    let count: usize = rows.iter().map(|row| row.len()).sum();
    const RUN: usize = 8;
    // Of a sample of 2·n^⅔ the selection costs as much as that among the numbers it keeps.
    let size = 2.0 * (count as f64).cbrt().powi(2);
    let every = count.div_ceil(size as usize);
    let mut sample: Vec<f64> = Vec::new();
    for row in rows {
        for run in row.chunks(RUN).step_by(every) {
            sample.extend_from_slice(run);
        }
    }
    let last = sample.len().saturating_sub(1);
    let size = sample.len() as f64;
    let mut wanted: Vec<Place> = Vec::with_capacity(2 * shares.len());
    for share in shares {
        let error = ERRORS * (share.0 * (1.0 - share.0) / size).sqrt() + 1.0 / size;
        for edge in [share.0 - error, share.0 + error] {
            let at = (edge.max(0.0) * size) as usize;
            wanted.push(Place { share: wanted.len(), at: at.min(last), value: 0.0, next: 0.0 });
        }
    }
    wanted.sort_unstable_by_key(|place| place.at);
    select(&mut sample, 0, f64::INFINITY, &mut wanted);
    wanted.sort_unstable_by_key(|place| place.share);
    let (pairs, _) = wanted.as_chunks::<2>();
    pairs.iter().map(|[low, high]| Bracket { low: low.value, high: high.value }).collect()
}

/// Counts what lies below each bracket and keeps what lies in any.
struct Sieve<'a> {
    rows: &'a [&'a [f64]],
    brackets: &'a [Bracket],
}

struct Sieved {
    below: Vec<usize>,
    inside: Vec<f64>,
}

impl pulp::WithSimd for Sieve<'_> {
    type Output = Sieved;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Sieved {
        /// Numbers that stay in the nearest cache while bracket after bracket looks at them.
        const BLOCK: usize = 512;
        const WORD: usize = u64::BITS as usize;
        let (zero, one) = (Lanes::same(simd, 0.0), Lanes::same(simd, 1.0));
        let mut below = vec![zero; self.brackets.len()];
        // More than brackets of three errors hold of many numbers.
        let mut inside = Vec::with_capacity(self.rows.iter().map(|row| row.len()).sum::<usize>() / 8);
        for block in self.rows.iter().flat_map(|row| row.chunks(BLOCK)) {
            let mut kept = [0; BLOCK / WORD];
            // All lines are asked for at once: one after the other, waiting for memory would be most of the work.
            std::hint::black_box(block.iter().step_by(8).fold(0, |bits, x| bits ^ x.to_bits()));
            for (Bracket { low, high }, below) in self.brackets.iter().zip(&mut below) {
                let (low, high) = (zero.lift(*low), zero.lift(*high));
                let mut count = zero;
                for (word, numbers) in kept.iter_mut().zip(block.chunks(WORD)) {
                    let filled;
                    let whole: &[f64; WORD] = match numbers.try_into() {
                        Ok(whole) => whole,
                        Err(_) => {
                            filled = filled_up(numbers);
                            &filled
                        }
                    };
                    for (place, register) in whole.chunks_exact(Lanes::<S>::WIDTH).enumerate() {
                        let x = Lanes::load(simd, register, f64::NAN);
                        count = count + x.below(low).pick(one, zero);
                        let within = low.at_most(x) & x.at_most(high);
                        *word |= within.bits() << (place * Lanes::<S>::WIDTH);
                    }
                }
                *below = *below + count;
            }
            for (word, numbers) in kept.iter_mut().zip(block.chunks(WORD)) {
                // From bit to bit: few numbers are kept, and a branch for each would be guessed wrong.
                while *word != 0 {
                    inside.extend(numbers.get(word.trailing_zeros() as usize));
                    *word &= *word - 1;
                }
            }
        }
        let sum = |lanes: &Lanes<S>| lanes.numbers().iter().sum::<f64>() as usize;
        Sieved { below: below.iter().map(sum).collect(), inside }
    }
}

/// With NaN, which lies neither below a bracket nor in it.
fn filled_up<const N: usize>(numbers: &[f64]) -> [f64; N] {
    let mut filled = [f64::NAN; N];
    filled.iter_mut().zip(numbers).for_each(|(slot, x)| *slot = *x);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By sorting everything.
    fn plainly(mut numbers: Vec<f64>, share: f64) -> f64 {
        numbers.sort_by(f64::total_cmp);
        let rank = share * (numbers.len() - 1) as f64;
        let (low, high) = (numbers[rank.floor() as usize], numbers[rank.ceil() as usize]);
        rank.fract().mul_add(high - low, low)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn quantiles_are_those_of_all_sorted_numbers(
            seed in any::<u32>(),
            count in prop_oneof![1..50_usize, 4000..12_000_usize],
            few in any::<bool>(),
            row in 1..700_usize,
            shares in prop::collection::vec(0.0..=1.0_f64, 1..6),
        ) {
            // A walk that repeats itself misleads the sample, and few different numbers make long ties.
            let number = |i: usize| {
                let bits = (i as u32).wrapping_add(seed).wrapping_mul(2_654_435_761).rotate_left(7);
                if few { f64::from(bits % 5) } else { f64::from(bits) - 1e9 }
            };
            let numbers: Vec<f64> = (0..count).map(number).collect();
            let rows: Vec<&[f64]> = numbers.chunks(row).collect();
            let asked: Vec<Ratio> = shares.iter().copied().map(Ratio).collect();
            let found = quantiles(&rows, &asked).expect("numbers and shares");
            for (found, share) in found.iter().zip(shares) {
                prop_assert_eq!(*found, plainly(numbers.clone(), share));
            }
        }
    }

    #[test]
    fn a_sample_that_misleads_is_not_believed() {
        // Every number that the sample sees is 0, and nobody else has it.
        let seen = |i: i32| i / 8 % 4 == 0;
        let numbers: Vec<f64> = (0..16_384).map(|i| if seen(i) { 0.0 } else { f64::from(i) }).collect();
        let found = quantiles(&[&numbers], &[0.05, 0.5, 0.95].map(Ratio)).expect("numbers");
        for (found, share) in found.iter().zip([0.05, 0.5, 0.95]) {
            assert_eq!(*found, plainly(numbers.clone(), share));
        }
    }

    #[test]
    fn what_has_no_quantile_has_none() {
        assert_eq!(quantiles(&[], &[Ratio(0.5)]), None);
        assert_eq!(quantiles(&[&[1.0]], &[Ratio(1.1)]), None);
        assert_eq!(quantiles(&[&[1.0]], &[Ratio(f64::NAN)]), None);
        assert_eq!(quantiles(&[&[1.0]], &[Ratio(0.5); SHARES_MAX + 1]), None);
    }
}

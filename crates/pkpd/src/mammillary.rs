//! The centre with its stores: rates and weights of its response, exact to the last digits for any rate constants.
//!
//! The rates are the roots of the secular equation of the arrowhead matrix (Golub 1973; the shifted variable is that
//! of LAPACK's `dlaed4`). The textbook trigonometric cubic loses ten digits on a deep store, and panics or yields NaN
//! near equal rates.

use crate::refused::{Accepted, CONSTANT, Refused, VOLUME};
use crate::units::{Litres, PerMin};

/// Stores beside the centre, at most.
pub const PERIPHERALS_MAX: usize = 3;

/// A store that exchanges with the centre.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peripheral {
    /// Centre to store, k1i.
    pub out: PerMin,
    /// Store to centre, ki1.
    pub back: PerMin,
    /// Eliminated from the store itself, as by a liver; 0 in the classical model.
    pub lost: PerMin,
}

/// One to four compartments around a centre.
#[derive(Debug, Clone, PartialEq)]
pub struct Mammillary {
    volume: f64,
    modes: Modes,
}

/// The centre's answer to a unit bolus, `Σ weight·exp(-rate·t)`: weights positive, their sum 1.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Modes {
    /// Unused places have weight 0.
    pub(crate) each: [Mode; PERIPHERALS_MAX + 1],
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Mode {
    pub(crate) rate: f64,
    pub(crate) weight: f64,
}

impl Mammillary {
    /// From micro-constants. Constants of 0 are welcome: no elimination, no exchange. One below 1e-100 /min counts as
    /// 0: it cannot change a digit within the accepted times, and its square would leave the range of a number.
    ///
    /// # Errors
    /// A volume that is not positive, a constant that is negative, too large or not a number, too many stores.
    pub fn new(volume: Litres, elimination: PerMin, stores: &[Peripheral]) -> Result<Self, Refused> {
        if stores.len() > PERIPHERALS_MAX {
            let what = "peripheral compartments";
            return Err(Refused::TooMany { what, count: stores.len(), most: PERIPHERALS_MAX });
        }
        let constant = |what, of: PerMin| {
            let value = Accepted { what, ..CONSTANT }.check(of.0)?;
            Ok(if value < NEGLIGIBLE { 0.0 } else { value })
        };
        let volume = VOLUME.check(volume.0)?;
        let mut leak = constant("elimination rate constant", elimination)?;
        let mut poles = Poles::default();
        for store in stores {
            let [out, back, lost] = [
                constant("rate constant to a store", store.out)?,
                constant("rate constant from a store", store.back)?,
                constant("elimination from a store", store.lost)?,
            ];
            if out * back > 0.0 {
                poles.add(Pole { at: back + lost, pull: out, lost, strength: out * back });
            } else {
                // What never comes back is eliminated, seen from the centre.
                leak += out;
            }
        }
        Ok(Self { volume, modes: poles.modes(leak) })
    }

    /// Volume of the centre.
    #[must_use]
    pub fn volume(&self) -> Litres {
        Litres(self.volume)
    }

    /// Rates of the response in rising order with their weights, which sum to 1.
    pub fn modes(&self) -> impl Iterator<Item = (PerMin, crate::units::Ratio)> {
        self.modes
            .each
            .iter()
            .filter(|m| m.weight > 0.0)
            .map(|m| (PerMin(m.rate), crate::units::Ratio(m.weight)))
    }

    pub(crate) fn response(&self) -> &Modes {
        &self.modes
    }
}

/// Where the secular function is infinite: one for each store, equal ones merged.
#[derive(Debug, Clone, Copy, Default)]
struct Pole {
    at: f64,
    pull: f64,
    lost: f64,
    /// `k1i·ki1`; kept, because `at - lost` need not have a digit of ki1.
    strength: f64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Poles {
    each: [Pole; PERIPHERALS_MAX],
    count: usize,
}

/// A root as a distance from a place where the secular function is known exactly.
#[derive(Debug, Clone, Copy)]
struct Root {
    anchor: f64,
    offset: f64,
}

impl Root {
    fn rate(self) -> f64 {
        self.anchor + self.offset
    }
    /// `pole - rate` without cancellation.
    fn below(self, pole: f64) -> f64 {
        (pole - self.anchor) - self.offset
    }
    /// `rate - constant` without cancellation.
    fn above(self, constant: f64) -> f64 {
        (self.anchor - constant) + self.offset
    }
}

/// Where a root lies: `anchor + sign·(0, reach]`. The anchor is a pole, or 0.
#[derive(Debug, Clone, Copy)]
struct Bracket {
    anchor: f64,
    pole: Option<Pole>,
    sign: f64,
    reach: f64,
}

impl Poles {
    /// Keeps the poles rising; merges equal ones, whose spare root has no weight in the centre.
    fn add(&mut self, new: Pole) {
        if let Some(same) = self.known_mut().iter_mut().find(|p| p.at == new.at) {
            let pull = same.pull + new.pull;
            same.lost = (same.pull * same.lost + new.pull * new.lost) / pull;
            same.pull = pull;
            same.strength += new.strength;
        } else {
            if let Some(free) = self.each.get_mut(self.count) {
                *free = new;
                self.count += 1;
            }
            self.known_mut().sort_by(|a, b| a.at.total_cmp(&b.at));
        }
    }

    fn known(&self) -> &[Pole] {
        self.each.get(..self.count).unwrap_or_default()
    }

    fn known_mut(&mut self) -> &mut [Pole] {
        self.each.get_mut(..self.count).unwrap_or_default()
    }

    fn modes(&self, leak: f64) -> Modes {
        let mut modes = Modes::default();
        let ends = std::iter::once(None).chain(self.known().iter().copied().map(Some));
        let next = self.known().iter().copied().map(Some).chain(std::iter::once(None));
        for (mode, (low, high)) in modes.each.iter_mut().zip(ends.zip(next)) {
            let root = self.root(leak, low, high);
            *mode = Mode { rate: root.rate(), weight: self.weight(root) };
        }
        modes
    }

    /// `1/(1 + Σ k1i·ki1/(ki1 - λ)²)`: a sum of positive terms.
    fn weight(&self, root: Root) -> f64 {
        let sum: f64 = self.known().iter().map(|p| p.strength / root.below(p.at).powi(2)).sum();
        1.0 / (1.0 + sum)
    }

    /// `λ - k10 + Σ k1i·(λ - lost)/(ki - λ)` and its slope, which is at least 1: it rises between any two poles.
    /// One pole may be left out.
    fn secular(&self, leak: f64, root: Root, but: Option<Pole>) -> (f64, f64) {
        let others = self.known().iter().filter(|p| but.is_none_or(|b| b.at != p.at));
        others.fold((root.above(leak), 1.0), |(value, slope), p| {
            let gap = root.below(p.at);
            (value + p.pull * root.above(p.lost) / gap, slope + p.strength / (gap * gap))
        })
    }

    /// The one root between two neighbouring ends: 0 or a pole below, a pole or nothing above.
    fn root(&self, leak: f64, low: Option<Pole>, high: Option<Pole>) -> Root {
        let from = low.map_or(0.0, |p| p.at);
        let lower = Bracket { anchor: from, pole: low, sign: 1.0, reach: 0.0 };
        let Some(top) = high else {
            // No root lies above this: the trace bounds the largest by the last pole plus all that leaves the centre.
            let pulls: f64 = self.known().iter().map(|p| p.pull).sum();
            if low.is_none() {
                return Root { anchor: 0.0, offset: leak };
            }
            return self.solve(leak, Bracket { reach: 2.0 * (leak + pulls), ..lower });
        };
        if low.is_none() && self.secular(leak, Root { anchor: 0.0, offset: 0.0 }, None).0 == 0.0 {
            return Root { anchor: 0.0, offset: 0.0 };
        }
        let half = 0.5 * (top.at - from);
        let (middle, _) = self.secular(leak, Root { anchor: from, offset: half }, None);
        if middle > 0.0 {
            self.solve(leak, Bracket { reach: half, ..lower })
        } else {
            self.solve(leak, Bracket { anchor: top.at, pole: high, sign: -1.0, reach: half })
        }
    }

    /// Steps that keep the pole at the anchor exact and take the rest of the secular function as a line, so each is
    /// the positive root of a quadratic; bisection where a step would leave the bracket. The result is precise
    /// relative to the distance from the anchor, however small that is.
    fn solve(&self, leak: f64, bracket: Bracket) -> Root {
        let Bracket { anchor, pole, sign, reach } = bracket;
        let (pull, strength) = pole.map_or((0.0, 0.0), |p| (p.pull, p.strength));
        let (mut low, mut high) = (0.0, reach);
        let mut distance = 0.5 * reach;
        for _ in 0..STEPS_MAX {
            let root = Root { anchor, offset: sign * distance };
            let (rest, slope) = self.secular(leak, root, pole);
            let above = sign * distance * (rest - pull) - strength > 0.0;
            if above {
                high = distance
            } else {
                low = distance
            }
            let line = sign * (rest - pull) - slope * distance;
            let guess = positive_root(slope, line, strength);
            let next = if (low..=high).contains(&guess) { guess } else { 0.5 * (low + high) };
            let done = (next - distance).abs() <= f64::EPSILON * distance;
            distance = next;
            if done {
                break;
            }
        }
        Root { anchor, offset: sign * distance }
    }
}

/// Of `a·x² + b·x = c` with a > 0 and c >= 0, without cancellation.
fn positive_root(a: f64, b: f64, c: f64) -> f64 {
    let wide = b.hypot(2.0 * (a * c).sqrt());
    if b > 0.0 { 2.0 * c / (b + wide) } else { (wide - b) / (2.0 * a) }
}

const NEGLIGIBLE: f64 = 1e-100;

/// A root takes 3 to 6 steps, the worst bracket some 60 halvings more; the bound keeps the loop total.
const STEPS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stores(of: &[(f64, f64)]) -> Vec<Peripheral> {
        of.iter()
            .map(|&(out, back)| Peripheral { out: PerMin(out), back: PerMin(back), lost: PerMin(0.0) })
            .collect()
    }

    fn modes(k10: f64, of: &[(f64, f64)]) -> Vec<(f64, f64)> {
        let m = Mammillary::new(Litres(1.0), PerMin(k10), &stores(of)).expect("valid constants");
        m.modes().map(|(rate, weight)| (rate.0, weight.0)).collect()
    }

    type Pair = (f64, f64);

    /// Rate and weight from 50-digit arithmetic (mpmath, `findroot` on the secular equation).
    #[test]
    fn a_deep_store_keeps_all_digits() {
        let found = modes(DEEP.0, &DEEP.1);
        for ((rate, weight), (expected, share)) in found.iter().zip(DEEP.2) {
            assert!((rate / expected - 1.0).abs() < 1e-15, "{rate} and {expected}");
            assert!((weight / share - 1.0).abs() < 4e-15, "{weight} and {share}");
        }
    }

    /// A store a million times deeper than the centre, where the trigonometric cubic has few digits left.
    const DEEP: (f64, [Pair; 2], [Pair; 3]) = (
        0.438,
        [(0.592, 0.247), (0.9, 1e-6)],
        [
            (3.273_537_010_877_492e-7, 5.027_247_453_487_275e-7),
            (0.164_191_720_207_927_4, 0.044_794_530_260_737_82),
            (2.012_808_952_438_371_5, 0.955_204_967_014_516_8),
        ],
    );

    #[test]
    fn degenerate_constants_give_the_smaller_model() {
        assert_eq!(modes(0.3, &[]), vec![(0.3, 1.0)]);
        assert_eq!(modes(0.3, &[(0.0, 0.5)]), vec![(0.3, 1.0)]);
        assert_eq!(modes(0.25, &[(0.5, 0.0)]), vec![(0.75, 1.0)]);
        assert_eq!(modes(0.2, &[(0.1, 0.4), (0.2, 0.4)]), modes(0.2, &[(0.1 + 0.2, 0.4)]));
        let none_lost = modes(0.0, &[(0.5, 0.25), (0.5, 0.125)]);
        assert_eq!(none_lost.first().map(|m| m.0), Some(0.0));
    }

    #[test]
    fn what_cannot_be_a_constant_is_refused_with_its_number() {
        let refusal = Mammillary::new(Litres(1.0), PerMin(f64::NAN), &[]).expect_err("NaN");
        assert!(refusal.to_string().starts_with("elimination rate constant is NaN /min; accepted is 0 to"));
        assert!(Mammillary::new(Litres(0.0), PerMin(0.1), &[]).is_err());
        assert!(Mammillary::new(Litres(1.0), PerMin(0.1), &stores(&[(-0.1, 0.1)])).is_err());
        assert!(Mammillary::new(Litres(1.0), PerMin(0.1), &stores(&[(0.1, 0.1); 4])).is_err());
    }

    fn constant() -> impl Strategy<Value = f64> {
        prop_oneof![
            Just(0.0),
            (-12.0..3.0_f64).prop_map(|e| 10f64.powf(e)),
            (-300.0..-290.0_f64).prop_map(|e| 10f64.powf(e))
        ]
    }

    proptest! {
        /// Trace, mean time and total weight hold for any constants, without knowing a single root.
        #[test]
        fn the_sums_of_roots_hold(k10 in (-9.0..2.0_f64).prop_map(|e| 10f64.powf(e)), a in (-9.0..2.0_f64, -9.0..2.0_f64), b in (-9.0..2.0_f64, -9.0..2.0_f64), near in prop_oneof![Just(None), (-16.0..-1.0_f64).prop_map(Some)]) {
            let tens = |(x, y): (f64, f64)| (10f64.powf(x), 10f64.powf(y));
            let (a, mut b) = (tens(a), tens(b));
            if let Some(e) = near { b.1 = a.1 * (1.0 + 10f64.powf(e)); }
            let found = modes(k10, &[a, b]);
            let total: f64 = found.iter().map(|m| m.1).sum();
            prop_assert!((total - 1.0).abs() < 1e-12, "total {total}");
            // Area under the unit response is 1/k10, whatever the stores.
            let area: f64 = found.iter().map(|m| m.1 / m.0).sum();
            prop_assert!((area * k10 - 1.0).abs() < 1e-12, "area {area}");
            // Slope at 0 is all that leaves the centre.
            let slope: f64 = found.iter().map(|m| m.1 * m.0).sum();
            prop_assert!((slope / (k10 + a.0 + b.0) - 1.0).abs() < 1e-12, "slope {slope}");
        }

        #[test]
        fn any_constants_give_numbers(k10 in constant(), of in prop::collection::vec((constant(), constant(), constant()), 0..=3)) {
            let stores: Vec<_> = of.iter().map(|&(o, b, l)| Peripheral { out: PerMin(o), back: PerMin(b), lost: PerMin(l) }).collect();
            let m = Mammillary::new(Litres(1.0), PerMin(k10), &stores).expect("in range");
            let total: f64 = m.modes().map(|(rate, weight)| { assert!(rate.0 >= 0.0 && rate.0.is_finite()); weight.0 }).sum();
            prop_assert!((total - 1.0).abs() < 1e-12, "total {total}");
        }
    }
}

//! Integrals of exponentials without cancellation, for any rates (zero, equal, nearly equal) and any time >= 0.

/// `∫₀ᵗ exp(-rate·s) ds`, which is `t` when the rate is zero.
pub(crate) fn once(rate: f64, t: f64) -> f64 {
    let x = rate * t;
    // Below this, 1 - x/2 is exact to the last bit, and a denormal rate cannot spoil the quotient.
    if x < 1e-8 { t * (1.0 - 0.5 * x) } else { -(-x).exp_m1() / rate }
}

/// `∫₀ᵗ exp(-a·s)·exp(-b·(t-s)) ds`: what a unit that leaves one store at `a` makes in a store that empties at `b`.
pub(crate) fn through(a: f64, b: f64, t: f64) -> f64 {
    let slow = a.min(b);
    // exp(-slow·t)·∫ exp(-(fast-slow)·s) ds: both factors positive, no difference of near-equal exponentials.
    (-slow * t).exp() * once((a - b).abs(), t)
}

/// `∫₀ᵗ through(a, b, s) ds`: the same for a unit rate that keeps flowing.
pub(crate) fn through_flow(a: f64, b: f64, t: f64) -> f64 {
    let (slow, fast) = if a < b { (a, b) } else { (b, a) };
    if fast * t > 0.5 {
        // Exact identity whose difference loses at most two bits here: it cancels only when fast·t is small.
        (once(slow, t) - (-slow * t).exp() * once(fast - slow, t)) / fast
    } else {
        series(slow * t, fast * t) * t * t
    }
}

/// `Σ (-1)ⁿ hₙ(x, y)/(n+2)!` with hₙ the complete homogeneous polynomial; terms fall below 2⁻⁵³ for x, y <= 0.5.
fn series(x: f64, y: f64) -> f64 {
    const TERMS: u32 = 16;
    let (mut power, mut h, mut scale, mut sum) = (1.0, 1.0, 0.5, 0.0);
    for n in 0..TERMS {
        sum += scale * h;
        power *= x;
        h = power + y * h;
        scale = -scale / f64::from(n + 3);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gauss-Legendre with 200 panels of 5 points: a second method that knows nothing of the identities.
    fn integral(f: impl Fn(f64) -> f64, t: f64) -> f64 {
        const NODES: [(f64, f64); 5] = [
            (-0.906_179_845_938_664, 0.236_926_885_056_189),
            (-0.538_469_310_105_683, 0.478_628_670_499_366),
            (0.0, 0.568_888_888_888_889),
            (0.538_469_310_105_683, 0.478_628_670_499_366),
            (0.906_179_845_938_664, 0.236_926_885_056_189),
        ];
        let half = t / 400.0;
        (0..200)
            .flat_map(|panel| NODES.map(|(x, w)| (half * (f64::from(2 * panel + 1) + x), w * half)))
            .map(|(s, w)| w * f(s))
            .sum()
    }

    proptest! {
        #[test]
        fn the_closed_forms_equal_quadrature(a in 0.0..2.0_f64, gap in prop_oneof![Just(0.0), 1e-14..1e-6_f64, 0.0..2.0_f64], t in (-6.0..1.0_f64).prop_map(|e| 10f64.powf(e))) {
            let b = a + gap;
            for (found, expected) in [
                (once(a, t), integral(|s| (-a * s).exp(), t)),
                (through(a, b, t), integral(|s| (-a * s - b * (t - s)).exp(), t)),
                (through_flow(a, b, t), integral(|s| through(a, b, s), t)),
            ] {
                prop_assert!((found / expected - 1.0).abs() < 1e-12, "{found} and {expected}");
            }
        }

        #[test]
        fn the_order_of_the_rates_does_not_matter(a in 0.0..100.0_f64, b in 0.0..100.0_f64, t in 0.0..1e6_f64) {
            prop_assert_eq!(through(a, b, t), through(b, a, t));
            prop_assert_eq!(through_flow(a, b, t), through_flow(b, a, t));
        }
    }

    #[test]
    fn zero_rates_and_zero_time_are_plain_numbers() {
        assert_eq!(once(0.0, 7.0), 7.0);
        assert_eq!(once(5e-324, 7.0), 7.0);
        assert_eq!(through(0.0, 0.0, 7.0), 7.0);
        assert_eq!(through_flow(0.0, 0.0, 7.0), 24.5);
        assert_eq!(through_flow(3.0, 4.0, 0.0), 0.0);
    }
}

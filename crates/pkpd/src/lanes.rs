//! Numbers side by side: one operation on as many people as a register of this machine holds, its width chosen when
//! the program runs. Multiply-and-add is fused everywhere, so that the same question has the same bytes on every
//! machine, whatever its width.

use pulp::{Simd, bytemuck};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Sub};

/// One number for each person in the register.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<S: Simd> {
    simd: S,
    each: S::f64s,
}

/// A yes or no for each person.
#[derive(Clone, Copy)]
pub(crate) struct Mask<S: Simd> {
    simd: S,
    each: S::m64s,
}

/// What is left of 1 after a time at a rate, and what was lost, each to its last digits.
#[derive(Clone, Copy)]
pub(crate) struct Fall<S: Simd> {
    pub(crate) left: Lanes<S>,
    pub(crate) lost: Lanes<S>,
}

macro_rules! operator {
    ($($of:ident, $name:ident, $by:ident;)*) => {$(
        impl<S: Simd> $of for Lanes<S> {
            type Output = Self;
            #[inline(always)]
            fn $name(self, other: Self) -> Self {
                Self { simd: self.simd, each: self.simd.$by(self.each, other.each) }
            }
        }
    )*};
}

operator! {
    Add, add, add_f64s;
    Sub, sub, sub_f64s;
    Mul, mul, mul_f64s;
    Div, div, div_f64s;
}

impl<S: Simd> Neg for Lanes<S> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Self { simd: self.simd, each: self.simd.neg_f64s(self.each) }
    }
}

impl<S: Simd> BitAnd for Mask<S> {
    type Output = Self;
    #[inline(always)]
    fn bitand(self, other: Self) -> Self {
        Self { simd: self.simd, each: self.simd.and_m64s(self.each, other.each) }
    }
}

impl<S: Simd> BitOr for Mask<S> {
    type Output = Self;
    #[inline(always)]
    fn bitor(self, other: Self) -> Self {
        Self { simd: self.simd, each: self.simd.or_m64s(self.each, other.each) }
    }
}

impl<S: Simd> Mask<S> {
    /// Where yes the one, where no the other.
    #[inline(always)]
    pub(crate) fn pick(self, yes: Lanes<S>, no: Lanes<S>) -> Lanes<S> {
        Lanes { simd: self.simd, each: self.simd.select_f64s(self.each, yes.each, no.each) }
    }

    /// A bit for each, that of the first one lowest.
    #[inline(always)]
    pub(crate) fn bits(self) -> u64 {
        let mut bits = 0;
        match bytemuck::bytes_of(&self.each) {
            // The widest machines keep bits themselves, and a single yes is one.
            [all] => bits = u64::from(*all),
            each => {
                for (place, one) in each.iter().step_by(size_of::<f64>()).enumerate() {
                    bits |= u64::from(one & 1) << place;
                }
            }
        }
        bits
    }

    #[inline(always)]
    pub(crate) fn any(self) -> bool {
        self.bits() != 0
    }

    #[inline(always)]
    pub(crate) fn all(self) -> bool {
        self.bits().count_ones() as usize == Lanes::<S>::WIDTH
    }
}

impl<S: Simd> Lanes<S> {
    /// How many numbers stand side by side.
    pub(crate) const WIDTH: usize = size_of::<S::f64s>() / size_of::<f64>();

    #[inline(always)]
    pub(crate) fn same(simd: S, x: f64) -> Self {
        Self { simd, each: simd.splat_f64s(x) }
    }

    /// One number for each place, from 0.
    #[inline(always)]
    pub(crate) fn of(simd: S, mut number: impl FnMut(usize) -> f64) -> Self {
        let mut made = Self::same(simd, 0.0);
        for (place, x) in made.numbers_mut().iter_mut().enumerate() {
            *x = number(place);
        }
        made
    }

    /// The same number everywhere, on the same machine.
    #[inline(always)]
    pub(crate) fn lift(self, x: f64) -> Self {
        Self::same(self.simd, x)
    }

    #[inline(always)]
    pub(crate) fn numbers(&self) -> &[f64] {
        bytemuck::cast_slice(std::slice::from_ref(&self.each))
    }

    #[inline(always)]
    pub(crate) fn numbers_mut(&mut self) -> &mut [f64] {
        bytemuck::cast_slice_mut(std::slice::from_mut(&mut self.each))
    }

    /// Writes the numbers to the front of a row.
    #[inline(always)]
    pub(crate) fn store(self, row: &mut [f64]) {
        if let Some(front) = S::as_mut_simd_f64s(row).0.first_mut() {
            *front = self.each;
        }
    }

    /// The numbers of a row, and another where it is too short.
    #[inline(always)]
    pub(crate) fn load(simd: S, row: &[f64], otherwise: f64) -> Self {
        match S::as_simd_f64s(row).0.first() {
            Some(each) => Self { simd, each: *each },
            None => Self::of(simd, |place| row.get(place).copied().unwrap_or(otherwise)),
        }
    }

    /// `self·by + plus`, rounded once.
    #[inline(always)]
    pub(crate) fn times_plus(self, by: Self, plus: Self) -> Self {
        Self { simd: self.simd, each: self.simd.mul_add_f64s(self.each, by.each, plus.each) }
    }

    #[inline(always)]
    pub(crate) fn sqrt(self) -> Self {
        Self { simd: self.simd, each: self.simd.sqrt_f64s(self.each) }
    }

    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        Self { simd: self.simd, each: self.simd.abs_f64s(self.each) }
    }

    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self { simd: self.simd, each: self.simd.max_f64s(self.each, other.each) }
    }

    #[inline(always)]
    pub(crate) fn min(self, other: Self) -> Self {
        Self { simd: self.simd, each: self.simd.min_f64s(self.each, other.each) }
    }

    #[inline(always)]
    pub(crate) fn below(self, other: Self) -> Mask<S> {
        Mask { simd: self.simd, each: self.simd.less_than_f64s(self.each, other.each) }
    }

    #[inline(always)]
    pub(crate) fn at_most(self, other: Self) -> Mask<S> {
        Mask { simd: self.simd, each: self.simd.less_than_or_equal_f64s(self.each, other.each) }
    }

    #[inline(always)]
    pub(crate) fn exp(self) -> Self {
        let (scale, less_one) = self.power();
        scale.times_plus(less_one, scale)
    }

    /// `exp(-self)` and `1 - exp(-self)`, neither by a difference that cancels.
    #[inline(always)]
    pub(crate) fn fall(self) -> Fall<S> {
        let (scale, less_one) = (-self).power();
        let lost = (-scale).times_plus(less_one, self.lift(1.0) - scale);
        Fall { left: scale.times_plus(less_one, scale), lost }
    }

    /// A power of two `s` and a small `q` with `exp(self) = s·(1 + q)`; beyond ±708 the value there.
    #[inline(always)]
    fn power(self) -> (Self, Self) {
        /// Adding it leaves the nearest whole number in the lowest bits.
        const ROUND: f64 = 6_755_399_441_055_744.0;
        // ln 2 in two parts, the first short enough that whole numbers times it are exact (fdlibm).
        const LN_2: [f64; 2] = [6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10];
        let x = self.max(self.lift(-708.0)).min(self.lift(708.0));
        let whole = x.times_plus(self.lift(std::f64::consts::LOG2_E), self.lift(ROUND));
        let count = whole - self.lift(ROUND);
        let r = count.times_plus(self.lift(-LN_2[0]), x);
        let r = count.times_plus(self.lift(-LN_2[1]), r);
        let mut scale = whole;
        for x in scale.numbers_mut() {
            *x = f64::from_bits(x.to_bits().wrapping_add(1023) << 52);
        }
        (scale, r.exp_less_one_near_zero())
    }

    /// Taylor's series to the 13th power, for |r| up to ln 2 / 2.
    #[inline(always)]
    fn exp_less_one_near_zero(self) -> Self {
        let r = self;
        // 1/n! for n = 2 to 13, in pairs, so that the sum is a short tree.
        let a = r.times_plus(r.lift(1.0 / 6.0), r.lift(1.0 / 2.0));
        let b = r.times_plus(r.lift(1.0 / 120.0), r.lift(1.0 / 24.0));
        let c = r.times_plus(r.lift(1.0 / 5_040.0), r.lift(1.0 / 720.0));
        let d = r.times_plus(r.lift(1.0 / 362_880.0), r.lift(1.0 / 40_320.0));
        let e = r.times_plus(r.lift(1.0 / 39_916_800.0), r.lift(1.0 / 3_628_800.0));
        let f = r.times_plus(r.lift(1.0 / 6_227_020_800.0), r.lift(1.0 / 479_001_600.0));
        let r2 = r * r;
        let r4 = r2 * r2;
        let low = r2.times_plus(b, a);
        let middle = r2.times_plus(d, c);
        let high = r2.times_plus(f, e);
        let rest = r4.times_plus(r4.times_plus(high, middle), low);
        r2.times_plus(rest, r)
    }
}

/// `of.map(made)`. Here and wherever lanes are at work there are loops instead of `map` and `fold`: a closure that the
/// compiler does not inline loses the wide registers.
#[inline(always)]
pub(crate) fn map<A: Copy, B: Copy, const N: usize>(of: &[A; N], blank: B, made: impl Fn(A) -> B) -> [B; N] {
    let mut all = [blank; N];
    for (slot, one) in all.iter_mut().zip(of) {
        *slot = made(*one);
    }
    all
}

/// Runs the work once, at the greatest width of this machine.
pub(crate) fn widest<W: pulp::WithSimd>(work: W) -> W::Output {
    pulp::Arch::new().dispatch(work)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Exponentials([f64; 8]);

    impl pulp::WithSimd for Exponentials {
        type Output = [Vec<f64>; 3];
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let mut found = [const { Vec::new() }; 3];
            for start in (0..8).step_by(Lanes::<S>::WIDTH) {
                let x = Lanes::of(simd, |place| self.0[start + place]);
                let Fall { left, lost } = x.fall();
                for (into, of) in found.iter_mut().zip([x.exp(), left, lost]) {
                    into.extend_from_slice(of.numbers());
                }
            }
            found
        }
    }

    struct Compared([f64; 8]);

    impl pulp::WithSimd for Compared {
        type Output = ([bool; 2], u64);
        fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
            let (mut bits, mut any, mut all) = (0, false, true);
            for start in (0..8).step_by(Lanes::<S>::WIDTH) {
                let below = Lanes::of(simd, |place| self.0[start + place]).below(Lanes::same(simd, 0.0));
                bits |= below.bits() << start;
                any |= below.any();
                all &= below.all();
            }
            ([any, all], bits)
        }
    }

    proptest! {
        #[test]
        fn a_bit_stands_for_each_yes(x in prop::array::uniform8(prop_oneof![-1.0..1.0_f64, Just(-1.0), Just(f64::NAN)])) {
            let expected: u64 = x.iter().enumerate().map(|(place, &x)| u64::from(x < 0.0) << place).sum();
            let expected = ([expected != 0, expected == 255], expected);
            prop_assert_eq!(pulp::Scalar.vectorize(Compared(x)), expected);
            prop_assert_eq!(widest(Compared(x)), expected);
        }

        #[test]
        fn exponentials_have_their_digits_at_every_width(x in prop::array::uniform8(prop_oneof![-700.0..700.0_f64, -2.0..2.0_f64, -1e-9..1e-9_f64, Just(0.0)])) {
            let narrow = pulp::Scalar.vectorize(Exponentials(x));
            let wide = widest(Exponentials(x));
            prop_assert_eq!(&narrow, &wide, "the same bytes");
            for (i, &x) in x.iter().enumerate() {
                for (found, expected) in [(wide[0][i], x.exp()), (wide[1][i], (-x).exp()), (wide[2][i], -(-x).exp_m1())] {
                    prop_assert!((found - expected).abs() <= 4e-16 * expected.abs(), "{x}: {found} and {expected}");
                }
            }
        }
    }
}

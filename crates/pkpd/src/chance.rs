//! Random numbers that are a function of what they are for: seed, patient, purpose and place. Patient 7 is the same
//! on one thread or on sixty-four, and in any shard. Philox4x32-10 (Salmon 2011, SC11).

/// What a number is drawn for, so that no two uses share one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Between-person deviation.
    Person = 0,
    /// Weight and age.
    Body = 1,
    /// Measurement error.
    Assay = 2,
    /// Deviation of one person on one occasion.
    Occasion = 3,
    /// How far the typical values may be from the truth.
    Uncertainty = 4,
    /// Where quasi-random numbers begin.
    Shift = 5,
    /// Draws from what is known of one person.
    Posterior = 6,
}

/// All numbers of one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chance {
    key: [u32; 2],
}

impl Chance {
    pub(crate) fn new(seed: u64) -> Self {
        Self { key: halves(seed) }
    }

    /// Evenly between 0 and 1, both excluded.
    pub(crate) fn even(self, patient: u64, purpose: Purpose, place: u32) -> f64 {
        let [low, high] = halves(patient);
        let [a, b, c, d] = philox([low, high, purpose as u32, place / 2], self.key);
        let (low, high) = if place.is_multiple_of(2) { (a, b) } else { (c, d) };
        let bits = (u64::from(high) << 32 | u64::from(low)) >> 11;
        (bits as f64 + 0.5) * 2f64.powi(-53)
    }

    /// Standard normal.
    pub(crate) fn normal(self, patient: u64, purpose: Purpose, place: u32) -> f64 {
        normal_quantile(self.even(patient, purpose, place))
    }
}

fn halves(x: u64) -> [u32; 2] {
    [x as u32, (x >> 32) as u32]
}

fn philox(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for _ in 0..10 {
        let [c0, c1, c2, c3] = counter;
        let [low0, high0] = halves(u64::from(c0) * 0xD251_1F53);
        let [low1, high1] = halves(u64::from(c2) * 0xCD9E_8D57);
        counter = [high1 ^ c1 ^ key[0], low1, high0 ^ c3 ^ key[1], low0];
        key = [key[0].wrapping_add(0x9E37_79B9), key[1].wrapping_add(0xBB67_AE85)];
    }
    counter
}

/// Quantile of the standard normal, 16 digits (Wichura 1988, Appl Stat 37:477, PPND16), for 0 < p < 1.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        return q * ratio(0.180_625 - q * q, CENTRE);
    }
    let r = (-p.min(1.0 - p).ln()).sqrt();
    let tail = if r <= 5.0 { ratio(r - 1.6, MIDDLE) } else { ratio(r - 5.0, FAR) };
    tail.copysign(q)
}

type Rational = [[f64; 8]; 2];

fn ratio(x: f64, [above, below]: Rational) -> f64 {
    let value = |coefficients: [f64; 8]| coefficients.into_iter().rev().fold(0.0, |sum, c| sum * x + c);
    value(above) / value(below)
}

const CENTRE: Rational = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];

const MIDDLE: Rational = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        0.000_774_545_014_278_341_4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        0.000_547_593_808_499_534_5,
        1.050_750_071_644_416_9e-9,
    ],
];

const FAR: Rational = [
    [
        6.657_904_643_501_104,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        0.001_242_660_947_388_078_4,
        0.000_027_115_555_687_434_876,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        0.000_786_869_131_145_613_3,
        0.000_018_463_183_175_100_547,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_8e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of the authors' Random123 library.
    #[test]
    fn philox_gives_the_published_answers() {
        assert_eq!(philox([0; 4], [0; 2]), [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]);
        assert_eq!(philox([!0; 4], [!0; 2]), [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]);
        assert_eq!(
            philox([0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], [0xa409_3822, 0x299f_31d0]),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    /// From 40-digit arithmetic (mpmath).
    #[test]
    fn quantiles_have_their_digits() {
        for (p, z) in QUANTILES {
            let found = normal_quantile(p);
            assert!((found - z).abs() <= 4e-16 * z.abs().max(1.0), "{p}: {found} and {z}");
        }
    }

    const QUANTILES: [(f64, f64); 7] = [
        (0.5, 0.0),
        (0.25, -0.674_489_750_196_081_7),
        (0.05, -1.644_853_626_951_472_7),
        (0.001, -3.090_232_306_167_813_5),
        (1e-9, -5.997_807_015_007_687),
        (1e-15, -7.941_345_326_170_997),
        (0.975, 1.959_963_984_540_053_9),
    ];

    #[test]
    fn patients_purposes_and_places_do_not_share_numbers() {
        let chance = Chance::new(7);
        let mut seen = std::collections::BTreeSet::new();
        for patient in [0, 1, u64::MAX] {
            for purpose in
                [Purpose::Person, Purpose::Body, Purpose::Assay, Purpose::Occasion, Purpose::Uncertainty]
            {
                for place in 0..50 {
                    let x = chance.even(patient, purpose, place);
                    assert!(x > 0.0 && x < 1.0);
                    assert!(seen.insert(x.to_bits()));
                }
            }
        }
        assert_ne!(chance.even(1, Purpose::Person, 0), Chance::new(8).even(1, Purpose::Person, 0));
    }
}

//! Chance by seed: the same seed gives the same patient, second for second.

/// A stream of numbers that depends on nothing but its seed (SplitMix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    /// From a seed and the name of what it is for, so that two streams of one run differ.
    pub fn new(seed: u64, what: &str) -> Self {
        let mut chance = Self(seed);
        for byte in what.bytes() {
            chance.0 = chance.0.wrapping_mul(0x0000_0100_0000_01B3) ^ u64::from(byte);
            chance.bits();
        }
        chance
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what a double holds")]
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Around zero with a standard deviation of one: a sum of twelve draws, which is near enough for noise.
    pub fn noise(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }

    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        if n == 0 { 0 } else { self.bits() % n }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_names_differ() {
        let draw = |seed, what| {
            let mut chance = Chance::new(seed, what);
            (chance.bits(), chance.unit(), chance.noise())
        };
        assert_eq!(draw(7, "pump"), draw(7, "pump"));
        assert_ne!(draw(7, "pump"), draw(7, "monitor"));
        assert_ne!(draw(7, "pump"), draw(8, "pump"));
    }
}

//! Quantities with their unit in the type, so that a wrong unit does not compile.

use std::fmt;

macro_rules! units {
    ($($(#[$doc:meta])* $name:ident, $symbol:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default)]
        pub struct $name(pub f64);

        impl $name {
            /// UCUM-like symbol.
            pub const UNIT: &'static str = $symbol;
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)?;
                f.write_str(concat!(" ", $symbol))
            }
        }
    )*};
}

units! {
    /// Drug amount.
    Mg, "mg";
    /// Infusion rate.
    MgPerMin, "mg/min";
    /// Concentration.
    NgPerMl, "ng/mL";
    /// Distribution volume.
    Litres, "L";
    /// Clearance.
    LPerMin, "L/min";
    /// Rate constant.
    PerMin, "/min";
    /// Time, or a length of time.
    Minutes, "min";
    /// Body weight.
    Kg, "kg";
    /// Age.
    Years, "a";
    /// Dose by body weight.
    MgPerKg, "mg/kg";
    /// A bare ratio: a fraction, an exponent, a variance of a logarithm.
    Ratio, "1";
}

/// 1 mg/L is 1000 ng/mL.
pub(crate) const NG_PER_ML_IN_MG_PER_L: f64 = 1000.0;

impl PerMin {
    /// The rate constant of a half-life: ln 2 / t½. A half-life of zero gives infinity.
    #[must_use]
    pub fn from_half_life(half_life: Minutes) -> Self {
        Self(std::f64::consts::LN_2 / half_life.0)
    }
}

impl Mg {
    /// This amount given evenly over a time. A time of zero gives infinity, which a schedule refuses.
    #[must_use]
    pub fn over(self, time: Minutes) -> MgPerMin {
        MgPerMin(self.0 / time.0)
    }
}

impl MgPerKg {
    /// The amount for a body weight.
    #[must_use]
    pub fn for_weight(self, weight: Kg) -> Mg {
        Mg(self.0 * weight.0)
    }
}

//! Where the drug went, in exact micrograms.
//!
//! `vial = drawn + left` and `drawn = discarded + delivered + residual + wasted + explained`. A session does not close while
//! a microgram stands in no account.

use super::state::Session;
use crate::quantity::{Micrograms, mass_in};
use jiff::Timestamp;

/// The accounts of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// What the scanned vials held.
    pub vial: Micrograms,
    /// Drawn from them.
    pub drawn: Micrograms,
    /// Left in them.
    pub left: Micrograms,
    /// Drawn, and thrown away before a witness to be drawn anew.
    pub discarded: Micrograms,
    /// Delivered by the pump's own count.
    pub delivered: Micrograms,
    /// Left in the line.
    pub residual: Micrograms,
    /// Wasted before a witness.
    pub wasted: Micrograms,
    /// Difference that a person explained before a witness.
    pub explained: Micrograms,
}

impl Balance {
    /// The accounts of `session` as they stand at `at`.
    pub fn of(session: &Session, at: Timestamp) -> Self {
        let vial = session
            .vials
            .iter()
            .map(|vial| mass_in(vial.volume, vial.strength))
            .fold(Micrograms::ZERO, Micrograms::plus);
        let discarded = session.discarded_mass();
        let drawn = session.drawn_mass().plus(discarded);
        let mass =
            |volume| session.concentration().map_or(Micrograms::ZERO, |strength| mass_in(volume, strength));
        let waste = session.waste.as_ref();
        Self {
            vial,
            drawn,
            left: vial.minus(drawn),
            discarded,
            delivered: mass(session.delivery.volume_at(at)),
            residual: waste.map_or(Micrograms::ZERO, |waste| mass(waste.residual_in_line)),
            wasted: waste.map_or(Micrograms::ZERO, |waste| mass(waste.wasted)),
            explained: waste.map_or(Micrograms::ZERO, |waste| waste.difference),
        }
    }

    /// What stands in no account.
    pub fn open(&self) -> Micrograms {
        let syringe = self.drawn.minus(self.discarded);
        syringe.minus(self.delivered).minus(self.residual).minus(self.wasted).minus(self.explained)
    }

    /// Every microgram is accounted for.
    pub fn closed(&self) -> bool {
        self.open() == Micrograms::ZERO && self.vial == self.drawn.plus(self.left) && self.left.0 >= 0
    }
}

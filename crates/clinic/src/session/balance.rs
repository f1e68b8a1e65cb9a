//! Where the drug went, in exact micrograms.
//!
//! `vial = unopened + drawn + left + explained of it` and `drawn = discarded + delivered + residual + wasted + explained`.
//! A session does not close while a microgram stands in no account.

use super::event::{ScannedVial, VialLeft};
use super::state::Session;
use crate::quantity::{Micrograms, mass_in};
use jiff::Timestamp;

/// The accounts of one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// What the scanned vials held, by their labels.
    pub vial: Micrograms,
    /// In those of them that were not opened.
    pub unopened: Micrograms,
    /// Drawn from the others.
    pub drawn: Micrograms,
    /// Left in the others: as measured before a witness, without what is more than the label says. Where nobody
    /// measured it, what the draws leave.
    pub left: Micrograms,
    /// Measured in the vials beyond what their labels say: no drug of the record.
    pub overfill: Micrograms,
    /// Difference in the vials that a person explained before a witness.
    pub vials_explained: Micrograms,
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
        let vial = sum(session.vials.iter().map(ScannedVial::holds));
        let opened = sum(session.opened().into_iter().map(|(vial, _)| vial.holds()));
        let discarded = session.discarded_mass();
        let drawn = session.drawn_mass().plus(discarded);
        let mass =
            |volume| session.concentration().map_or(Micrograms::ZERO, |strength| mass_in(volume, strength));
        let waste = session.waste.as_ref();
        let measured = waste.map(|waste| waste.vials.as_slice()).unwrap_or_default();
        let overfill = sum(measured.iter().map(|one| one.overfill));
        let held = |one: &VialLeft| {
            let vial = session.vials.iter().find(|vial| vial.vial == one.vial);
            vial.map_or(Micrograms::ZERO, |vial| mass_in(one.left, vial.strength))
        };
        let left = if measured.is_empty() {
            opened.minus(drawn)
        } else {
            sum(measured.iter().map(held)).minus(overfill)
        };
        Self {
            vial,
            unopened: vial.minus(opened),
            drawn,
            left,
            overfill,
            vials_explained: sum(measured.iter().map(|one| one.difference)),
            discarded,
            delivered: mass(session.delivery.volume_at(at)),
            residual: waste.map_or(Micrograms::ZERO, |waste| mass(waste.residual_in_line)),
            wasted: waste.map_or(Micrograms::ZERO, |waste| mass(waste.wasted)),
            explained: waste.map_or(Micrograms::ZERO, |waste| waste.difference),
        }
    }

    /// What was drawn and stands in no account.
    pub fn open(&self) -> Micrograms {
        let syringe = self.drawn.minus(self.discarded);
        syringe.minus(self.delivered).minus(self.residual).minus(self.wasted).minus(self.explained)
    }

    /// What was in the vials, was not drawn and stands in no account.
    pub fn open_in_vials(&self) -> Micrograms {
        let opened = self.vial.minus(self.unopened);
        opened.minus(self.drawn).minus(self.left).minus(self.vials_explained)
    }

    /// Every microgram is accounted for.
    pub fn closed(&self) -> bool {
        self.open() == Micrograms::ZERO && self.open_in_vials() == Micrograms::ZERO && self.left.0 >= 0
    }
}

fn sum(masses: impl Iterator<Item = Micrograms>) -> Micrograms {
    masses.fold(Micrograms::ZERO, Micrograms::plus)
}

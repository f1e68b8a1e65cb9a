//! A synthetic syringe pump: it does what its buttons are told, and reports. It trusts nobody and nobody need
//! trust it.

use clinic::quantity::{Concentration, Microlitres, Rate};

/// What the pump does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    /// On, nothing runs.
    Standby,
    /// Runs.
    Infusing,
    /// Paused at its buttons.
    Paused,
    /// The line is blocked; it alarms and does not run.
    Occluded,
    /// The programmed volume is in.
    Complete,
}

/// A pump with one syringe.
#[derive(Debug, Clone)]
pub struct Pump {
    /// What it does.
    pub doing: Doing,
    /// Programmed rate.
    pub rate: Rate,
    /// Volume to be infused.
    pub vtbi: Microlitres,
    /// Programmed strength.
    pub concentration: Concentration,
    /// Delivered, in thousandths of a microlitre, so that a second is not lost to rounding.
    nanolitres: i64,
}

impl Pump {
    /// In standby, without a program.
    pub const fn new() -> Self {
        Self {
            doing: Doing::Standby,
            rate: Rate(0),
            vtbi: Microlitres(0),
            concentration: Concentration(0),
            nanolitres: 0,
        }
    }

    /// Somebody programs it; counters go back to zero.
    pub fn program(&mut self, rate: Rate, vtbi: Microlitres, concentration: Concentration) {
        *self = Self { doing: Doing::Standby, rate, vtbi, concentration, nanolitres: 0 };
    }

    /// Somebody presses start.
    pub fn start(&mut self) {
        if !matches!(self.doing, Doing::Complete) && self.rate.0 > 0 {
            self.doing = Doing::Infusing;
        }
    }

    /// Somebody presses pause.
    pub fn pause(&mut self) {
        if self.doing == Doing::Infusing {
            self.doing = Doing::Paused;
        }
    }

    /// Somebody changes the rate.
    pub const fn set_rate(&mut self, rate: Rate) {
        self.rate = rate;
    }

    /// The line is blocked, or free again.
    pub fn occlude(&mut self, blocked: bool) {
        match (self.doing, blocked) {
            (Doing::Infusing, true) => self.doing = Doing::Occluded,
            (Doing::Occluded, false) => self.doing = Doing::Infusing,
            _ => {}
        }
    }

    /// Milliseconds pass. Returns whether the programmed volume ran out just now.
    pub fn run(&mut self, ms: i64) -> bool {
        if self.doing != Doing::Infusing {
            return false;
        }
        // µL/h · ms / 3600 = nL
        self.nanolitres += self.rate.0 * ms / 3600;
        if self.nanolitres < self.vtbi.0 * 1000 {
            return false;
        }
        self.nanolitres = self.vtbi.0 * 1000;
        self.doing = Doing::Complete;
        true
    }

    /// Volume counter as displayed.
    pub const fn delivered(&self) -> Microlitres {
        Microlitres(self.nanolitres / 1000)
    }

    /// Flow now.
    pub fn flow(&self) -> Rate {
        if self.doing == Doing::Infusing { self.rate } else { Rate::ZERO }
    }

    /// Drug that runs in now, mg/min.
    #[expect(clippy::cast_precision_loss, reason = "a simulated person needs no exact dose")]
    pub fn mg_per_min(&self) -> f64 {
        self.flow().0 as f64 * self.concentration.0 as f64 / 60.0e6
    }
}

impl Default for Pump {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_runs_out_at_its_volume_and_not_before() {
        let mut pump = Pump::new();
        pump.program(Rate(52_500), Microlitres(35_000), Concentration(1000));
        pump.start();
        let mut seconds = 0;
        while !pump.run(1000) {
            seconds += 1;
            assert!(seconds < 3000);
        }
        assert_eq!(pump.delivered(), Microlitres(35_000));
        assert!((2399..=2401).contains(&seconds), "{seconds}");
        assert_eq!(pump.flow(), Rate::ZERO);
    }

    #[test]
    fn a_pause_moves_nothing() {
        let mut pump = Pump::new();
        pump.program(Rate(60_000), Microlitres(60_000), Concentration(1000));
        pump.start();
        pump.run(60_000);
        pump.pause();
        pump.run(60_000);
        assert_eq!(pump.delivered(), Microlitres(1000));
    }
}

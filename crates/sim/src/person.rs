//! A synthetic person: drug in, vital signs out. Good enough to look alive on a monitor, never a prediction.

use crate::chance::Chance;

/// How the drug spreads in this person, from a published model scaled to the weight. Volumes in L, flows in
/// L/min, `ke0` in 1/min.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kinetics {
    /// Central volume.
    pub v1: f64,
    /// Fast store.
    pub v2: f64,
    /// Slow store.
    pub v3: f64,
    /// Clearance.
    pub cl: f64,
    /// Flow to the fast store.
    pub q2: f64,
    /// Flow to the slow store.
    pub q3: f64,
    /// Rate of the effect site.
    pub ke0: f64,
}

/// How the person answers to the drug: the most that a sign rises, as a part of its baseline, and the
/// effect-site concentration in ng/mL at which half of it is reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Response {
    /// Blood pressure, most.
    pub pressure_max: f64,
    /// Blood pressure, half.
    pub pressure_half: f64,
    /// How suddenly the pressure answers: 1 is a plain saturation, more is steeper.
    pub pressure_steepness: f64,
    /// Heart rate, most.
    pub heart_max: f64,
    /// Heart rate, half.
    pub heart_half: f64,
}

/// Vital signs at rest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rest {
    /// Systolic, mmHg.
    pub systolic: f64,
    /// Diastolic, mmHg.
    pub diastolic: f64,
    /// Beats a minute.
    pub heart: f64,
    /// Percent.
    pub spo2: f64,
    /// Breaths a minute.
    pub breaths: f64,
}

/// Vital signs now, unrounded.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Signs {
    /// Systolic, mmHg.
    pub systolic: f64,
    /// Diastolic, mmHg.
    pub diastolic: f64,
    /// Beats a minute.
    pub heart: f64,
    /// Percent.
    pub spo2: f64,
    /// Breaths a minute.
    pub breaths: f64,
}

/// A synthetic person.
#[derive(Debug, Clone)]
pub struct Person {
    kinetics: Kinetics,
    response: Response,
    rest: Rest,
    /// Amounts in mg in the centre and the two stores.
    amounts: [f64; 3],
    /// Effect site, mg/L.
    effect: f64,
    drift: f64,
    chance: Chance,
}

impl Person {
    /// At rest, without drug.
    pub fn new(kinetics: Kinetics, response: Response, rest: Rest, chance: Chance) -> Self {
        Self { kinetics, response, rest, amounts: [0.0; 3], effect: 0.0, drift: 0.0, chance }
    }

    /// Lets `seconds` pass while drug runs in at `mg_per_min`.
    pub fn live(&mut self, seconds: f64, mg_per_min: f64) {
        let steps = (seconds / 0.5).ceil().max(1.0);
        let dt = seconds / 60.0 / steps;
        for _ in 0..(steps as u32) {
            self.spread(dt, mg_per_min);
        }
        // A slow wander, as breathing and thought move a pulse.
        self.drift = self.drift * 0.98 + self.chance.noise() * 0.12;
    }

    fn spread(&mut self, minutes: f64, mg_per_min: f64) {
        let k = self.kinetics;
        let [centre, fast, slow] = self.amounts;
        let (c1, c2, c3) = (centre / k.v1, fast / k.v2, slow / k.v3);
        let to_fast = k.q2 * (c1 - c2);
        let to_slow = k.q3 * (c1 - c3);
        self.amounts = [
            centre + minutes * (mg_per_min - k.cl * c1 - to_fast - to_slow),
            fast + minutes * to_fast,
            slow + minutes * to_slow,
        ];
        self.effect += minutes * k.ke0 * (c1 - self.effect);
    }

    /// Effect-site concentration, ng/mL.
    pub fn effect_site(&self) -> f64 {
        self.effect * 1000.0
    }

    /// Vital signs now.
    pub fn signs(&mut self) -> Signs {
        let ce = self.effect_site().max(0.0);
        let rise = |most: f64, half: f64, steepness: f64| {
            let (ce, half) = (ce.powf(steepness), half.powf(steepness));
            most * ce / (half + ce)
        };
        let Response { pressure_max, pressure_half, pressure_steepness, heart_max, heart_half } =
            self.response;
        let pressure = rise(pressure_max, pressure_half, pressure_steepness);
        let heart = rise(heart_max, heart_half, 1.0);
        let mut noise = |size: f64| self.chance.noise() * size;
        Signs {
            systolic: self.rest.systolic * (1.0 + pressure) + noise(2.0),
            diastolic: self.rest.diastolic * (1.0 + pressure * 0.9) + noise(1.5),
            heart: self.rest.heart * (1.0 + heart) + self.drift * 4.0 + noise(0.6),
            spo2: (self.rest.spo2 - ce / 400.0 + noise(0.3)).min(100.0),
            breaths: (self.rest.breaths + self.drift + noise(0.3)).max(6.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> Person {
        let kinetics = Kinetics { v1: 20.0, v2: 50.0, v3: 150.0, cl: 1.4, q2: 2.6, q3: 1.3, ke0: 0.08 };
        let response = Response {
            pressure_max: 0.3,
            pressure_half: 200.0,
            pressure_steepness: 1.0,
            heart_max: 0.5,
            heart_half: 1000.0,
        };
        let rest = Rest { systolic: 120.0, diastolic: 76.0, heart: 70.0, spo2: 98.0, breaths: 14.0 };
        Person::new(kinetics, response, rest, Chance::new(1, "person"))
    }

    #[test]
    fn drug_raises_the_pressure_and_leaves_again() {
        let mut someone = person();
        for _ in 0..2400 {
            someone.live(1.0, 1.0);
        }
        let high = someone.effect_site();
        assert!(high > 80.0, "{high}");
        assert!(someone.signs().systolic > 124.0);
        for _ in 0..7200 {
            someone.live(1.0, 0.0);
        }
        assert!(someone.effect_site() < high / 3.0);
    }
}

//! What will happen at each chair of the simulated clinic on one day. The numbers describe made-up people.

use crate::bedside::{Bedside, Mishap};
use crate::cast::{KIM, LEE, Member};
use crate::chance::Chance;
use crate::monitor::Monitor;
use crate::person::{Kinetics, Person, Response, Rest};
use crate::staff::REGIMEN;
use crate::wire::Line;
use clinic::id::RuleId;
use clinic::knowledge::Knowledge;
use clinic::knowledge::observations::Phase;
use clinic::patient::{Allergies, Patient};
use clinic::quantity::{Height, Weight};
use jiff::SignedDuration;
use jiff::civil::Date;
use pkpd::{Body, Individual, Kg, Value};
use std::time::Duration;

/// How much a chair has that speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Devices {
    /// A monitor whose clock is off by so many seconds, and a pump, both linked.
    Linked {
        /// Seconds that the monitor's clock is ahead.
        clock_off_s: i64,
    },
    /// None: everything is read by eye and charted by hand.
    ByHand,
}

/// The visit of one patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Story {
    /// Where.
    pub chair: &'static str,
    /// Who; made up.
    pub patient: Patient,
    /// Weight of today.
    pub weight: Weight,
    /// Height.
    pub height: Height,
    /// Infusion n of N.
    pub infusion: (u32, u32),
    /// At rest.
    pub rest: Rest,
    /// How the drug acts.
    pub response: Response,
    /// What stands at the chair.
    pub devices: Devices,
    /// Seconds after the opening at which the patient arrives.
    pub arrives_s: i64,
    /// Mishaps by seconds of running infusion.
    pub mishaps: Vec<(i64, Mishap)>,
    /// Who looks after the chair; `None` leaves it to a visitor.
    pub nurse: Option<Member>,
}

impl Story {
    /// The other nurse: checks what this one drew, and witnesses what this one wastes.
    pub fn second(&self) -> Member {
        if self.nurse == Some(KIM) { LEE } else { KIM }
    }

    /// Builds the chair. The same seed gives the same chair.
    ///
    /// # Errors
    /// When the knowledge has no model for the chair or no schedule.
    pub fn bedside(&self, seed: u64, knowledge: &Knowledge) -> Result<Bedside, String> {
        let chance = Chance::new(seed, &format!("person at chair {}", self.chair));
        let person = Person::new(kinetics(self.weight, knowledge)?, self.response, self.rest, chance);
        let number: u64 = self.chair.parse().map_err(|_| format!("chair {} has no number", self.chair))?;
        let line = |label: &str, kind: u64, off_s| {
            Line::new(
                &format!("{label}-{}", self.chair),
                kind + number,
                self.chair,
                SignedDuration::from_secs(off_s),
            )
        };
        let (monitor, pump) = match self.devices {
            Devices::ByHand => (None, None),
            Devices::Linked { clock_off_s } => {
                let cuff = Monitor::new(cuff_interval(knowledge, Phase::Infusing)?);
                (Some((cuff, line("MON", 0x100, clock_off_s))), Some(line("PUMP", 0x200, 0)))
            }
        };
        let mut bedside = Bedside::new(person, self.weight, monitor, pump);
        for (after_s, mishap) in &self.mishaps {
            bedside.will_have(*after_s, *mishap);
        }
        Ok(bedside)
    }
}

/// How often the cuff inflates by itself: as often as the schedule may ask in that phase.
///
/// # Errors
/// When the schedule names no cuff.
pub fn cuff_interval(knowledge: &Knowledge, phase: Phase) -> Result<Duration, String> {
    let schedule = knowledge.schedule_of(Some(&RuleId::new(REGIMEN)));
    let mut rows = schedule.into_iter().flat_map(|item| &item.body.rows);
    let cuff =
        rows.find(|row| row.what == clinic::monitor::Observed::Nibp).ok_or("no schedule names the cuff")?;
    let every_s = cuff.every_s(phase, phase == Phase::Infusing).ok_or("the cuff has no interval")?;
    u64::try_from(every_s).map(Duration::from_secs).map_err(|_| format!("an interval of {every_s} s"))
}

/// The typical person of the default model, at this weight.
fn kinetics(weight: Weight, knowledge: &Knowledge) -> Result<Kinetics, String> {
    let models = knowledge.chair_models()?;
    #[expect(clippy::cast_precision_loss, reason = "a simulated person needs no exact weight")]
    let body = Body { weight: Kg(weight.0 as f64 / 1000.0), age: None };
    let person = models.default.typical(body).map_err(|refused| refused.to_string())?;
    Ok(Kinetics {
        v1: number(&person, "v1")?,
        v2: number(&person, "v2")?,
        v3: number(&person, "v3")?,
        cl: number(&person, "cl")?,
        q2: number(&person, "q2")?,
        q3: number(&person, "q3")?,
        ke0: models.effect_site.ke0.0,
    })
}

fn number(person: &Individual<'_>, name: &str) -> Result<f64, String> {
    match person.parameter(name) {
        Some(Value::Volume(volume)) => Ok(volume.0),
        Some(Value::Clearance(clearance)) => Ok(clearance.0),
        _ => Err(format!("the default model has no {name} that is a volume or a clearance")),
    }
}

/// The visits of one day, chair by chair. The last three are left to visitors.
pub fn day() -> Vec<Story> {
    let mut day = staffed();
    day.extend(free());
    day
}

const CALM: Response = Response {
    pressure_max: 0.2,
    pressure_half: 300.0,
    pressure_steepness: 1.0,
    heart_max: 0.4,
    heart_half: 900.0,
};
const CLIMBING: Response = Response {
    pressure_max: 1.7,
    pressure_half: 300.0,
    pressure_steepness: 2.0,
    heart_max: 0.6,
    heart_half: 700.0,
};

fn staffed() -> Vec<Story> {
    let linked = Devices::Linked { clock_off_s: 0 };
    let base = |chair, patient, kg_g, mm, rest: [f64; 5]| Story {
        chair,
        patient,
        weight: Weight(kg_g),
        height: Height(mm),
        infusion: (3, 6),
        rest: at_rest(rest),
        response: CALM,
        devices: linked,
        arrives_s: 0,
        mishaps: Vec::new(),
        nurse: Some(KIM),
    };
    vec![
        Story {
            infusion: (4, 6),
            arrives_s: 50 * 60,
            ..base(
                "1",
                person("104233", "Lindqvist", "Vera", 1979, "f"),
                68_000,
                1_690,
                [118.0, 74.0, 66.0, 98.0, 14.0],
            )
        },
        Story {
            infusion: (1, 6),
            response: CLIMBING,
            arrives_s: 58 * 60,
            ..base(
                "2",
                person("104418", "Okafor", "Tomas", 1968, "m"),
                88_000,
                1_810,
                [130.0, 80.0, 74.0, 97.6, 15.0],
            )
        },
        Story {
            infusion: (5, 6),
            devices: Devices::Linked { clock_off_s: -420 },
            arrives_s: 63 * 60,
            mishaps: vec![(9 * 60, Mishap::ProbeOff { for_s: 120 }), (16 * 60, Mishap::Occlusion)],
            nurse: Some(LEE),
            ..base(
                "3",
                person("103987", "Moreau", "Ines", 1991, "f"),
                61_000,
                1_650,
                [112.0, 70.0, 72.0, 98.4, 13.0],
            )
        },
        Story {
            arrives_s: 0,
            ..base(
                "4",
                person("104102", "Haddad", "Paul", 1984, "m"),
                79_000,
                1_780,
                [122.0, 78.0, 62.0, 97.8, 14.0],
            )
        },
        Story {
            infusion: (2, 6),
            devices: Devices::ByHand,
            arrives_s: 60 * 60,
            nurse: Some(LEE),
            ..base(
                "5",
                person("104377", "Castellano", "June", 1973, "f"),
                72_000,
                1_640,
                [120.0, 76.0, 70.0, 98.0, 14.0],
            )
        },
    ]
}

fn free() -> Vec<Story> {
    let story = |chair, patient, g, mm, devices| Story {
        chair,
        patient,
        weight: Weight(g),
        height: Height(mm),
        infusion: (1, 6),
        rest: at_rest([116.0, 72.0, 68.0, 98.2, 14.0]),
        response: CALM,
        devices,
        arrives_s: i64::MAX,
        mishaps: Vec::new(),
        nurse: None,
    };
    vec![
        story(
            "6",
            person("104501", "Rivera", "Ana", 1987, "f"),
            64_000,
            1_670,
            Devices::Linked { clock_off_s: 0 },
        ),
        story("7", person("104502", "Rahman", "Noor", 1995, "f"), 58_000, 1_620, Devices::ByHand),
        story("8", person("104503", "Whitfield", "Ben", 1976, "m"), 91_000, 1_840, Devices::ByHand),
    ]
}

const fn at_rest([systolic, diastolic, heart, spo2, breaths]: [f64; 5]) -> Rest {
    Rest { systolic, diastolic, heart, spo2, breaths }
}

fn person(mrn: &str, family: &str, given: &str, year: i16, sex: &str) -> Patient {
    Patient {
        mrn: mrn.to_owned(),
        family: family.to_owned(),
        given: given.to_owned(),
        born: Date::constant(year, 4, 17),
        sex: sex.to_owned(),
        allergies: Allergies::NoneKnown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chair_can_be_built_and_nobody_sits_twice() {
        let knowledge = Knowledge::shipped().expect("the shipped knowledge");
        let day = day();
        for story in &day {
            story.bedside(7, &knowledge).expect("a chair");
        }
        let mut chairs: Vec<_> = day.iter().map(|story| (story.chair, &story.patient.mrn)).collect();
        chairs.dedup_by(|a, b| a.0 == b.0 || a.1 == b.1);
        assert_eq!(chairs.len(), day.len());
        assert!(day.iter().any(|story| story.devices == Devices::ByHand && story.nurse.is_some()));
    }

    /// The first-timer's pressure passes the pause limit during the infusion, and comes back when it is paused.
    #[test]
    fn the_climbing_pressure_climbs_and_falls() {
        let knowledge = Knowledge::shipped().expect("the shipped knowledge");
        let story = day().into_iter().find(|story| story.chair == "2").expect("chair 2");
        let mut bedside = story.bedside(7, &knowledge).expect("a chair");
        let mut course = Vec::new();
        for minute in 0..90 {
            for _ in 0..60 {
                bedside.person.live(1.0, if minute < 30 { 1.1 } else { 0.0 });
            }
            course.push(bedside.person.signs().systolic.round());
        }
        let high = course[..40].iter().copied().fold(0.0, f64::max);
        assert!((180.0..200.0).contains(&high), "{course:?}");
        assert!(course[60] < 160.0, "{course:?}");
    }
}

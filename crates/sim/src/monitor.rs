//! A synthetic bedside monitor: rates and saturation with every report, the cuff by its interval, a probe that can
//! fall off.

use crate::person::Signs;
use clinic::device::{Parameter, Quality, Reading};
use clinic::quantity::Tenths;
use jiff::Timestamp;
use std::time::Duration;

/// A monitor keeps the numbers of an inflation in this many reports.
const CUFF_REPORTS: u8 = 3;

/// The monitor of one chair.
#[derive(Debug, Clone)]
pub struct Monitor {
    /// The oximeter is on the finger.
    pub probe_on: bool,
    cuff_every: Duration,
    cuff: Option<(Timestamp, [Reading; 3], u8)>,
}

impl Monitor {
    /// On, with its probe in place and no inflation yet.
    pub const fn new(cuff_every: Duration) -> Self {
        Self { probe_on: true, cuff_every, cuff: None }
    }

    /// Somebody sets the interval of the cuff.
    pub const fn set_cuff(&mut self, every: Duration) {
        self.cuff_every = every;
    }

    /// Somebody presses "NIBP now": the next report inflates.
    pub fn inflate(&mut self) {
        self.cuff = None;
    }

    /// What the monitor reports at `at` by its own clock.
    pub fn report(&mut self, at: Timestamp, signs: &Signs) -> Vec<Reading> {
        let reading = |parameter, value: f64, there: bool| Reading {
            parameter,
            value: there.then(|| whole(value)),
            quality: if there { Quality::Good } else { Quality::NoValue },
            observed_at: Some(at),
        };
        let mut all = vec![
            reading(Parameter::HeartRate, signs.heart, true),
            reading(Parameter::RespiratoryRate, signs.breaths, true),
            reading(Parameter::Spo2, signs.spo2, self.probe_on),
            reading(Parameter::PulseRate, signs.heart, self.probe_on),
        ];
        let due = self
            .cuff
            .as_ref()
            .is_none_or(|(last, ..)| at.duration_since(*last).unsigned_abs() >= self.cuff_every);
        if due {
            let mean = (signs.systolic + 2.0 * signs.diastolic) / 3.0;
            let inflated = [
                reading(Parameter::Systolic, signs.systolic, true),
                reading(Parameter::Diastolic, signs.diastolic, true),
                reading(Parameter::MeanPressure, mean, true),
            ];
            self.cuff = Some((at, inflated, CUFF_REPORTS));
        }
        if let Some((_, readings, left)) = self.cuff.as_mut().filter(|(.., left)| *left > 0) {
            *left -= 1;
            all.extend(readings.iter().cloned());
        }
        all
    }
}

/// Monitors show whole numbers.
#[expect(clippy::cast_possible_truncation, reason = "a vital sign is far below 2^31")]
pub(crate) fn whole(value: f64) -> Tenths {
    Tenths::whole(value.round() as i32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + second).expect("a time")
    }
    const SIGNS: Signs = Signs { systolic: 121.6, diastolic: 77.2, heart: 70.4, spo2: 97.9, breaths: 14.1 };

    #[test]
    fn the_cuff_keeps_its_interval_and_a_lost_probe_has_no_value() {
        let mut monitor = Monitor::new(Duration::from_secs(300));
        let cuffs = |monitor: &mut Monitor, from: i64, to: i64| -> Vec<i64> {
            let cuff = |second: &i64| {
                let readings = monitor.report(at(*second), &SIGNS);
                readings
                    .iter()
                    .any(|one| one.parameter == Parameter::Systolic && one.observed_at == Some(at(*second)))
            };
            (from..to).filter(cuff).collect()
        };
        assert_eq!(cuffs(&mut monitor, 0, 900), [0, 300, 600]);
        monitor.inflate();
        assert_eq!(cuffs(&mut monitor, 900, 1000), [900]);
        monitor.probe_on = false;
        let readings = monitor.report(at(1001), &SIGNS);
        let spo2 = readings.iter().find(|one| one.parameter == Parameter::Spo2).expect("named all the same");
        assert_eq!((spo2.value, spo2.quality), (None, Quality::NoValue));
        let heart = readings.iter().find(|one| one.parameter == Parameter::HeartRate).expect("measured");
        assert_eq!(heart.value, Some(Tenths::whole(70)));
    }
}

//! What stands at one chair: the person, the pump with its buttons, the monitor, and the mishaps that will come.

use crate::monitor::{Monitor, whole};
use crate::person::{Person, Signs};
use crate::pump::{Doing, Pump};
use crate::wire::{Device, Frame, Line};
use clinic::device::{DeviceAlert, DevicePriority, Parameter, PumpEvent, PumpReading, PumpStatus};
use clinic::quantity::{Microlitres, Rate, Tenths, Weight};
use interop::encode::{self, PumpType};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// A linked pump reports this often while nothing changes, in seconds.
const PUMP_REPORT_S: i64 = 5;

/// Something that goes wrong by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// The oximeter falls off, and is put back after so many seconds.
    ProbeOff {
        /// How long.
        for_s: i64,
    },
    /// The line is blocked until somebody frees it.
    Occlusion,
}

/// One chair.
#[derive(Debug, Clone)]
pub struct Bedside {
    /// Who sits there.
    pub person: Person,
    /// The pump; somebody can press its buttons.
    pub pump: Pump,
    monitor: Option<(Monitor, Line)>,
    link: Option<Line>,
    weight: Weight,
    /// Seconds of running infusion after which a mishap comes.
    mishaps: Vec<(i64, Mishap)>,
    ran_s: i64,
    probe_back: Option<Timestamp>,
    said: Option<(Doing, Rate, Timestamp)>,
    signs: Option<Signs>,
    waiting: Vec<Frame>,
    /// The monitor reports this often, in seconds.
    pub monitor_every_s: i64,
}

impl Bedside {
    /// A chair with a person in it. Without lines it has no devices that speak.
    pub fn new(person: Person, weight: Weight, monitor: Option<(Monitor, Line)>, link: Option<Line>) -> Self {
        Self {
            person,
            pump: Pump::new(),
            monitor,
            link,
            weight,
            mishaps: Vec::new(),
            ran_s: 0,
            probe_back: None,
            said: None,
            signs: None,
            waiting: Vec::new(),
            monitor_every_s: 1,
        }
    }

    /// Adds a mishap after so many seconds of running infusion.
    pub fn will_have(&mut self, after_s: i64, mishap: Mishap) {
        self.mishaps.push((after_s, mishap));
    }

    /// The lines of its devices.
    pub fn lines(&mut self) -> impl Iterator<Item = (Device, &mut Line)> {
        let monitor = self.monitor.as_mut().map(|(_, line)| (Device::Monitor, line));
        monitor.into_iter().chain(self.link.as_mut().map(|line| (Device::Pump, line)))
    }

    /// Which devices speak.
    pub fn devices(&self) -> impl Iterator<Item = Device> {
        let monitor = self.monitor.as_ref().map(|_| Device::Monitor);
        monitor.into_iter().chain(self.link.as_ref().map(|_| Device::Pump))
    }

    /// The monitor's buttons, where there is one.
    pub fn monitor(&mut self) -> Option<&mut Monitor> {
        self.monitor.as_mut().map(|(monitor, _)| monitor)
    }

    /// The pump speaks to the network.
    pub const fn is_linked(&self) -> bool {
        self.link.is_some()
    }

    /// What a person would measure by hand now.
    pub fn vitals(&mut self) -> BTreeMap<Parameter, Tenths> {
        let signs = self.signs.unwrap_or_else(|| self.person.signs());
        [
            (Parameter::Systolic, signs.systolic),
            (Parameter::Diastolic, signs.diastolic),
            (Parameter::HeartRate, signs.heart),
            (Parameter::Spo2, signs.spo2),
            (Parameter::RespiratoryRate, signs.breaths),
        ]
        .into_iter()
        .map(|(parameter, value)| (parameter, whole(value)))
        .collect()
    }

    /// Lets one second pass. `seated` says whether anybody sits there: only then do devices speak.
    /// Every frame has its place in the order of its device.
    pub fn pass(&mut self, now: Timestamp, seated: bool) -> Vec<Frame> {
        let completed = self.pump.run(1000);
        self.person.live(1.0, self.pump.mg_per_min());
        let signs = self.person.signs();
        self.signs = Some(signs);
        if self.pump.doing == Doing::Infusing {
            self.ran_s += 1;
        }
        self.go_wrong(now);
        let mut frames = std::mem::take(&mut self.waiting);
        let reports = seated && now.as_second() % self.monitor_every_s.max(1) == 0;
        if let Some((monitor, line)) = self.monitor.as_mut().filter(|_| reports) {
            let readings = monitor.report(line.clock(now), &signs);
            let envelope = line.envelope(now);
            let bytes = encode::monitor(&envelope, line.clock(now), &readings);
            frames.push(Frame { device: Device::Monitor, control_id: envelope.control_id, bytes });
        }
        if seated {
            frames.extend(self.report_pump(now, completed));
        }
        frames
    }

    fn go_wrong(&mut self, now: Timestamp) {
        if self.probe_back.is_some_and(|back| back <= now) {
            self.probe_back = None;
            self.monitor.iter_mut().for_each(|(monitor, _)| monitor.probe_on = true);
        }
        let (due, later): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.mishaps).into_iter().partition(|(after_s, _)| *after_s <= self.ran_s);
        self.mishaps = later;
        for (_, mishap) in due {
            match mishap {
                Mishap::ProbeOff { for_s } => {
                    self.monitor.iter_mut().for_each(|(monitor, _)| monitor.probe_on = false);
                    self.probe_back = now.checked_add(jiff::SignedDuration::from_secs(for_s)).ok();
                }
                Mishap::Occlusion => {
                    self.pump.occlude(true);
                    self.alert(now, true);
                }
            }
        }
    }

    /// Somebody frees the line.
    pub fn free_line(&mut self, now: Timestamp) {
        if self.pump.doing == Doing::Occluded {
            self.pump.occlude(false);
            self.alert(now, false);
        }
    }

    fn alert(&mut self, now: Timestamp, active: bool) {
        let Some(line) = &mut self.link else { return };
        let alert = DeviceAlert {
            refid: "MDC_EVT_FLUID_LINE_OCCL".to_owned(),
            text: "Occlusion downstream".to_owned(),
            active,
            priority: DevicePriority::High,
        };
        let envelope = line.envelope(now);
        let bytes = encode::alert(&envelope, line.clock(now), &alert);
        self.waiting.push(Frame { device: Device::Pump, control_id: envelope.control_id, bytes });
    }

    /// The pump speaks when something changed, and every few seconds.
    fn report_pump(&mut self, now: Timestamp, completed: bool) -> Vec<Frame> {
        let (doing, rate) = (self.pump.doing, self.pump.rate);
        let reading = self.reading(now);
        let Some(line) = &mut self.link else { return Vec::new() };
        if rate.0 == 0 {
            return Vec::new();
        }
        let before = self.said.map(|(doing, ..)| doing);
        let changed = self.said.is_none_or(|(was, at_rate, _)| (was, at_rate) != (doing, rate));
        let long_ago = |last: Timestamp| now.duration_since(last).as_secs() >= PUMP_REPORT_S;
        if !changed && !self.said.is_some_and(|(.., last)| long_ago(last)) {
            return Vec::new();
        }
        self.said = Some((doing, rate, now));
        let event = match (before, doing) {
            _ if completed => Some(PumpEvent::DeliveryCompleted),
            (Some(Doing::Infusing), Doing::Infusing) => None,
            (_, Doing::Infusing) => Some(PumpEvent::DeliveryStarted),
            (Some(Doing::Infusing), _) => Some(PumpEvent::DeliveryStopped),
            _ => None,
        };
        let mut frames = Vec::new();
        if let Some(event) = event {
            let envelope = line.envelope(now);
            let bytes = encode::pump_event(&envelope, PumpType::Syringe, event, &reading);
            frames.push(Frame { device: Device::Pump, control_id: envelope.control_id, bytes });
        }
        let envelope = line.envelope(now);
        let bytes = encode::pump(&envelope, PumpType::Syringe, &reading);
        frames.push(Frame { device: Device::Pump, control_id: envelope.control_id, bytes });
        frames
    }

    /// The pump as it describes itself.
    fn reading(&self, now: Timestamp) -> PumpReading {
        let pump = &self.pump;
        let infusing = pump.doing == Doing::Infusing;
        PumpReading {
            status: if infusing { PumpStatus::Infusing } else { PumpStatus::NotInfusing },
            rate: Some(pump.flow()),
            programmed_rate: Some(pump.rate),
            vtbi: Some(pump.vtbi),
            vtbi_remaining: Some(pump.vtbi.minus(self.display())),
            delivered: Some(self.display()),
            delivered_mass: None,
            concentration: Some(pump.concentration),
            drug: Some("ketamine".to_owned()),
            weight: Some(self.weight),
            library: Some("PSYCH-2026".to_owned()),
            care_area: Some("PSYCH".to_owned()),
            observed_at: self.link.as_ref().map(|line| line.clock(now)),
        }
    }

    /// The volume counter as it stands on the display: hundredths of a millilitre, and the whole at the end.
    pub fn display(&self) -> Microlitres {
        let delivered = self.pump.delivered();
        if delivered == self.pump.vtbi { delivered } else { Microlitres(delivered.0 / 10 * 10) }
    }
}

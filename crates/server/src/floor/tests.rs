//! The floor over a real log in a folder of its own, with a clock that stands still until it is moved.

mod booking;
mod doubt;
mod joined;
mod keeper;
mod late;
mod log;
mod patients;
mod people;
mod port;
mod restart;
mod seated;
mod waiting;
mod wire;

use super::{Denied, Done, Floor, Intake};
use crate::clock::{Clock, Ids};
use clinic::device::{DeviceKind, Parameter, PumpReading, PumpStatus, Quality, Reading};
use clinic::id::{ChairId, CommandId, DeviceId, PatientId, SessionId, StaffId};
use clinic::knowledge::Knowledge;
use clinic::monitor::AlarmView;
use clinic::patient::{Allergies, Patient};
use clinic::quantity::{Microlitres, Rate, Tenths};
use clinic::scenario::Scenario;
use clinic::session::{Command, Recorded, Session};
use clinic::staff::{Actor, Role};
use interop::encode::{self, Envelope, Instance, PumpType};
use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

const SITE: &str = "main";

/// A folder that is taken away again at the end.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

/// One chair, number 3, with the patient of the scenario; `p2` waits.
struct Clinic {
    clock: Clock,
    floor: Arc<Floor>,
    visit: SessionId,
    steps: usize,
    sent: u64,
    folder: Folder,
}

fn scenario() -> &'static Scenario {
    static SCENARIO: LazyLock<Scenario> = LazyLock::new(|| {
        let text = include_str!("../../../clinic/tests/scenarios/first_infusion.toml");
        Scenario::read(text).expect("the scenario reads")
    });
    &SCENARIO
}

fn chair() -> ChairId {
    ChairId::new("3")
}

fn nurse(name: &str) -> Actor {
    Actor { id: StaffId::new(name), role: Role::Nurse }
}

fn monitor() -> Instance {
    Instance { label: "MON3".to_owned(), eui64: "02C4A1FFFE000003".to_owned() }
}

fn pump() -> Instance {
    Instance { label: "PUMP3".to_owned(), eui64: "02C4A1FFFE000103".to_owned() }
}

fn open(folder: &Path, clock: &Clock, seed: u64) -> Arc<Floor> {
    let mut config = store::Config::in_folder(folder);
    config.reserve_bytes = 0;
    config.projector = Some(Arc::new(crate::views::Views));
    open_on(&store::Store::open(config).expect("store"), clock, seed)
}

fn open_on(store: &store::Store, clock: &Clock, seed: u64) -> Arc<Floor> {
    static KNOWLEDGE: LazyLock<Arc<Knowledge>> =
        LazyLock::new(|| Arc::new(Knowledge::shipped().expect("knowledge")));
    let chairs = ["10", "1", "2", "3"].map(ChairId::new);
    let ids = Ids::seeded(clock.clone(), seed);
    Floor::open(SITE, store.clone(), Arc::clone(&KNOWLEDGE), clock.clone(), ids, &chairs, TimeZone::UTC)
        .expect("floor")
}

impl Clinic {
    fn new() -> Self {
        // In memory where there is such a place: what a disk does to the log is tried elsewhere.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() };
        Self::within(place.join(format!("chairside-floor-{}", crate::clock::secret_token())))
    }

    fn within(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).expect("folder");
        let clock = Clock::held(scenario().start);
        let floor = open(&folder, &clock, 1);
        let visit = SessionId::new("v1");
        let clinic = Self { clock, floor, visit, steps: 0, sent: 0, folder: Folder(folder) };
        clinic.register("p1", "004217");
        clinic.register("p2", "004218");
        clinic
    }

    fn register(&self, id: &str, mrn: &str) {
        let person = Patient {
            mrn: mrn.to_owned(),
            family: "ZZCANARY".to_owned(),
            given: "Zzcanaria".to_owned(),
            born: jiff::civil::date(1984, 3, 12),
            sex: "m".to_owned(),
            allergies: Allergies::NoneKnown,
        };
        let command = CommandId::new(format!("register-{id}"));
        let id = PatientId::new(id);
        self.floor.register(&command, &nurse("kim"), &id, (person.clone(), true)).expect("registered");
        crate::demo::sign_consent(&self.floor, &id, &person).expect("signed");
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn seconds_pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Does what people do in the scenario, each at its time, until just before the step with this event.
    fn play_until(&mut self, event: &str) {
        while let Some(step) = scenario().steps.get(self.steps) {
            if step.then.iter().any(|kind| kind == event) {
                return;
            }
            self.steps += 1;
            let (minutes, seconds) = step.at.split_once(':').expect("a time");
            let at_s =
                60 * minutes.parse::<u64>().expect("minutes") + seconds.parse::<u64>().expect("seconds");
            self.clock.advance(Duration::from_secs(at_s).saturating_sub(self.clock.passed()));
            let actor = Actor { id: StaffId::new(&step.by), role: scenario().people[&step.by] };
            let command = CommandId::new(format!("{}-{}", self.visit, self.steps));
            let done = self.floor.act(
                &self.visit,
                &command,
                &actor,
                step.command.clone().expect("an act of the visit"),
            );
            assert_eq!(done.is_ok(), step.refused.is_none(), "step {}: {done:?}", self.steps);
        }
    }

    /// Plays past the start of the infusion, with monitor and pump placed.
    fn play_to_infusing(&mut self) {
        self.play_until("checked_in");
        self.place(&monitor(), DeviceKind::Monitor);
        self.place(&pump(), DeviceKind::Pump);
        self.play_until("pump_was_read");
    }

    fn place(&self, device: &Instance, kind: DeviceKind) {
        let id = device.device_id();
        let command = CommandId::new(format!("place-{id}"));
        let placed = self.floor.place_device(&command, &nurse("kim"), &id, Some(kind), &chair());
        placed.expect("placed");
    }

    fn take_away(&self, device: &Instance) -> Result<Done, Denied> {
        let id = device.device_id();
        self.floor.take_device_away(&CommandId::new(format!("take-{id}")), &nurse("kim"), &id, &chair())
    }

    fn act(&self, command_id: &str, command: Command) -> Result<Done, Denied> {
        self.floor.act(&self.visit, &CommandId::new(command_id), &nurse("kim"), command)
    }

    fn session(&self) -> Session {
        self.floor.session(&self.visit).expect("log").expect("a session")
    }

    fn history(&self) -> Vec<Recorded> {
        self.floor.history(&self.visit).expect("log")
    }

    fn kinds(&self) -> Vec<String> {
        self.history().iter().map(|recorded| recorded.event.kind()).collect()
    }

    fn envelope(&mut self, device: Instance, mrn: Option<&str>) -> Envelope {
        self.sent += 1;
        let patient = mrn.map(|mrn| encode::Patient {
            mrn: mrn.to_owned(),
            family: "ZZCANARY".to_owned(),
            given: "Zzcanaria".to_owned(),
            born: None,
        });
        Envelope {
            gateway: device.clone(),
            facility: "CLINIC".to_owned(),
            control_id: format!("m{}", self.sent),
            sent_at: self.now(),
            offset: Offset::UTC,
            device,
            patient,
            place: None,
        }
    }

    fn vitals(&mut self, mrn: Option<&str>, spo2: i32) -> Vec<u8> {
        let envelope = self.envelope(monitor(), mrn);
        Self::vitals_within(&envelope, envelope.sent_at, spo2)
    }

    fn vitals_within(envelope: &Envelope, measured_at: Timestamp, spo2: i32) -> Vec<u8> {
        let reading = |parameter, value| Reading {
            parameter,
            value: Some(Tenths::whole(value)),
            quality: Quality::Good,
            observed_at: None,
        };
        let readings = [
            reading(Parameter::Spo2, spo2),
            reading(Parameter::HeartRate, 72),
            reading(Parameter::RespiratoryRate, 14),
        ];
        encode::monitor(envelope, measured_at, &readings)
    }

    fn pump_says(&mut self, rate: i64, delivered: i64) -> Vec<u8> {
        self.pump_said(self.now(), rate, delivered)
    }

    fn pump_said(&mut self, at: Timestamp, rate: i64, delivered: i64) -> Vec<u8> {
        let envelope = Envelope { sent_at: at, ..self.envelope(pump(), None) };
        let reading = Self::pump_reading(at, rate, delivered);
        encode::pump(&envelope, PumpType::LargeVolume, &reading)
    }

    fn pump_reading(at: Timestamp, rate: i64, delivered: i64) -> PumpReading {
        let status = if rate > 0 { PumpStatus::Infusing } else { PumpStatus::NotInfusing };
        PumpReading {
            programmed_rate: Some(Rate(rate)),
            delivered: Some(Microlitres(delivered)),
            observed_at: Some(at),
            ..PumpReading::seen(status, Rate(rate))
        }
    }

    /// A minute with one message a second from monitor and pump, and all rounds that belong to it.
    fn a_minute_passes(&mut self, spo2: i32, rate: i64, delivered: i64) {
        for second in 1..=60 {
            self.seconds_pass(1);
            let counted = delivered + rate * (second - 60) / 3600;
            for frame in [self.vitals(Some("004217"), spo2), self.pump_says(rate, counted)] {
                assert_eq!(self.floor.take_frame(&frame).refused, None);
            }
            self.round();
        }
        self.floor.keep();
    }

    fn round(&self) {
        self.floor.painted(self.floor.hub().seq());
        self.floor.round();
    }

    /// The alarm of a code at the chair, and whether the log has it.
    fn alarm(&self, code: &str) -> Option<(AlarmView, bool)> {
        let all = self.floor.alarm_list(self.now());
        all.into_iter()
            .find(|(at, view, _)| *at == chair() && view.alarm.code == code)
            .map(|(_, view, recorded)| (view, recorded))
    }

    fn spo2(&self) -> Option<String> {
        let view = self.floor.monitor_view(&chair()).expect("a chair");
        view.values.into_iter().find(|value| value.parameter == Parameter::Spo2).and_then(|value| value.value)
    }

    /// The power fails, and the program starts again after `seconds`.
    #[expect(
        clippy::disallowed_methods,
        reason = "a program that ends tells nobody when it has let its log go"
    )]
    fn restart_after(&mut self, seconds: u64) {
        self.seconds_pass(seconds);
        let folder = self.folder.0.clone();
        // One log is written by one program: the old one is let go before it is opened again.
        let away = folder.join("away");
        std::fs::create_dir_all(&away).expect("folder");
        let before = Arc::downgrade(&self.floor);
        self.floor = open(&away, &self.clock, 2);
        while before.strong_count() > 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        // What it was writing still ends.
        std::thread::sleep(Duration::from_millis(20));
        self.floor = open(&folder, &self.clock, 3);
    }
}

fn answered(intake: &Intake, code: &str) -> bool {
    let answer = intake.answer.as_deref().map(String::from_utf8_lossy).unwrap_or_default();
    answer.contains(&format!("MSA|{code}|"))
}

fn device(instance: &Instance) -> DeviceId {
    instance.device_id()
}

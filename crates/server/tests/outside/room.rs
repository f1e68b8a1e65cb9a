//! A room in the middle of its day: made in virtual time, then left on the disk for the program to find.

use super::http::Login;
use clinic::device::{Parameter, PumpReading, PumpStatus, Quality, Reading};
use clinic::id::{ChairId, SessionId, StaffId};
use clinic::quantity::{Concentration, Microlitres, Rate, Tenths};
use clinic::session::{Phase, Session};
use interop::encode::{self, PumpType};
use interop::mllp::wrap;
use jiff::{SignedDuration, Timestamp};
use server::AppState;
use server::clock::{Clock, Ids};
use server::config::Config;
use sim::cast::KIM;
use sim::story::Story;
use sim::wire::Line;
use std::path::{Path, PathBuf};
use tokio::sync::watch;

/// Earliest minute before now at which a staged day opens: the staff need less to start an infusion.
const OPENS_MIN: i64 = 40;
const CHAIRS: [&str; 3] = ["1", "2", "3"];

/// One chair whose devices this process plays.
pub struct Seat {
    pub chair: ChairId,
    pub session: SessionId,
    pub monitor: Line,
    pub pump: Line,
    rate: Rate,
    vtbi: Microlitres,
    concentration: Concentration,
}

pub struct Room {
    pub config: PathBuf,
    pub data: PathBuf,
    pub nurse: Login,
    pub seats: Vec<Seat>,
}

fn settings(data: &Path, chairs: usize, reserve_mib: u32) -> PathBuf {
    let path = data.join("chairside.toml");
    // Nobody unlocks the controls in a long run.
    let text = format!("chairs = {chairs}\nlock_after_min = 60\nreserve_mib = {reserve_mib}\n");
    std::fs::write(&path, text).unwrap();
    path
}

fn open(config: &Path, data: &Path, from: Timestamp) -> AppState {
    let config = Config { data: data.to_owned(), demo: true, ..Config::read(config).unwrap() };
    let clock = Clock::held(from);
    let ids = Ids::system(clock.clone());
    let (_, stopping) = watch::channel(false);
    AppState::open(config, clock, ids, stopping).unwrap()
}

fn sign_in(state: &AppState, user: &str) -> Login {
    let token = state.auth.logins().open(&StaffId::new(user), |_| ());
    let csrf = state.auth.admit(&token, true).unwrap().unwrap().csrf;
    Login { token, csrf }
}

fn line(label: &str, kind: u64, number: u64) -> Line {
    Line::new(&format!("{label}-{number}"), kind + number, &number.to_string(), SignedDuration::ZERO)
}

impl Room {
    /// Three chairs with a linked monitor and a linked pump, all infusing.
    pub fn infusing(data: &Path, reserve_mib: u32) -> Self {
        let config = settings(data, CHAIRS.len(), reserve_mib);
        let opens = Clock::system().now() - SignedDuration::from_mins(OPENS_MIN);
        let state = open(&config, data, opens);
        let calm = sim::story::day().swap_remove(3);
        let stories = CHAIRS.map(|chair| Story {
            chair,
            patient: clinic::patient::Patient { mrn: format!("90000{chair}"), ..calm.patient.clone() },
            ..calm.clone()
        });
        let infusing =
            |phases: &[(ChairId, Phase)]| phases.iter().all(|(_, phase)| *phase == Phase::Infusing);
        let limit = u32::try_from(OPENS_MIN * 60).unwrap();
        let visits = server::demo::prepare(&state, stories.to_vec(), 7, limit, infusing).unwrap();
        let seats = visits.into_iter().map(|(chair, id)| {
            let session: Session = state.floor.session(&id).unwrap().unwrap();
            let (order, _) = session.order.unwrap();
            let number: u64 = chair.as_str().parse().unwrap();
            Seat {
                chair,
                session: id,
                monitor: line("MON", 0x100, number),
                pump: line("PUMP", 0x200, number),
                rate: order.rate,
                vtbi: order.volume,
                concentration: order.concentration,
            }
        });
        let seats = seats.collect();
        let nurse = sign_in(&state, KIM.user);
        Self { config, data: data.to_owned(), nurse, seats }
    }
}

impl Seat {
    /// A report of the monitor, enveloped for the wire: five numerics.
    pub fn vitals(&mut self, control_id: &str, at: Timestamp, heart: i32) -> Vec<u8> {
        let all = [
            (Parameter::HeartRate, heart),
            (Parameter::PulseRate, heart),
            (Parameter::Spo2, 98),
            (Parameter::RespiratoryRate, 14),
            (Parameter::Etco2, 36),
        ];
        let readings = all.map(|(parameter, value)| Reading {
            parameter,
            value: Some(Tenths::whole(value)),
            quality: Quality::Good,
            observed_at: Some(at),
        });
        let mut envelope = self.monitor.envelope(at);
        control_id.clone_into(&mut envelope.control_id);
        wrap(&encode::monitor(&envelope, at, &readings))
    }

    /// A report of the running pump with its counter.
    pub fn pump_report(&mut self, control_id: &str, at: Timestamp, delivered: Microlitres) -> Vec<u8> {
        let reading = PumpReading {
            status: PumpStatus::Infusing,
            rate: Some(self.rate),
            programmed_rate: Some(self.rate),
            vtbi: Some(self.vtbi),
            vtbi_remaining: Some(self.vtbi.minus(delivered)),
            delivered: Some(delivered),
            delivered_mass: None,
            concentration: Some(self.concentration),
            drug: Some("ketamine".to_owned()),
            weight: None,
            library: None,
            care_area: None,
            observed_at: Some(at),
        };
        let mut envelope = self.pump.envelope(at);
        control_id.clone_into(&mut envelope.control_id);
        wrap(&encode::pump(&envelope, PumpType::Syringe, &reading))
    }
}

//! A room under a storm of kills: devices and a nurse who go on as after any failure, and what they were told.

use crate::outside::http::Client;
use crate::outside::room::{Room, Seat};
use crate::outside::{Server, pause};
use crate::{counter, work};
use interop::mllp::Framer;
use server::clock::Clock;
use std::collections::BTreeSet;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use store::{Config, History, Outcomes, Store};

const SITE: &str = "main";
/// A charted scale: the finding in its session, and the command behind it.
const EVENTS_PER_ACT: usize = 2;

pub struct Storm {
    program: PathBuf,
    room: Room,
    dice: u64,
    clock: Clock,
    acts: Acts,
    frames: Vec<Frames>,
    /// From each start of the program until it answered, and until each chair's alarm was on the live channel.
    starts: Vec<Duration>,
    alarms: Vec<Duration>,
    again: u64,
    wrong: Vec<String>,
}

/// What a nurse was told.
#[derive(Default)]
struct Acts {
    told: Outcomes,
    /// Sent, and no answer came.
    open: Vec<String>,
    next: u64,
    again: u64,
    odd: BTreeSet<u16>,
}

/// What one device pair was told.
#[derive(Default)]
struct Frames {
    accepted: Vec<(String, String)>,
    next: u64,
}

/// What came of it.
pub struct Tally {
    pub acts: usize,
    pub again: u64,
    pub frames: usize,
    pub starts: Spread,
    pub alarms: Spread,
    pub events: i64,
    pub wrong: Vec<String>,
}

/// How long something took, over all starts of the program.
pub struct Spread {
    median: Duration,
    p99: Duration,
    slowest: Duration,
    over_aim: usize,
}

impl Spread {
    /// Alarms are to be there again within this after a start.
    const AIM: Duration = Duration::from_secs(2);

    fn of(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        let at = |percent: usize| all.get((all.len() * percent / 100).min(all.len().saturating_sub(1)));
        Self {
            median: at(50).copied().unwrap_or_default(),
            p99: at(99).copied().unwrap_or_default(),
            slowest: all.last().copied().unwrap_or_default(),
            over_aim: all.iter().filter(|one| **one > Self::AIM).count(),
        }
    }
}

impl fmt::Display for Spread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { median, p99, slowest, over_aim } = self;
        let [median, p99, slowest] = [median, p99, slowest].map(|one| one.as_millis());
        write!(f, "{median} / {p99} / {slowest} ms, {over_aim} over 2 s")
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acts, again, frames, events, starts, alarms, wrong } = self;
        write!(
            f,
            "{acts} acts and {frames} frames acknowledged, {again} acts sent again, {events} events, \
             median / 99th percentile / slowest: until it answers {starts}; until the alarms are there {alarms}; \
             wrong: {}",
            wrong.len()
        )
    }
}

impl Storm {
    pub fn new(program: &Path, room: Room, seed: u64) -> Self {
        let frames = room.seats.iter().map(|_| Frames::default()).collect();
        Self {
            program: program.to_owned(),
            room,
            dice: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            clock: Clock::system(),
            acts: Acts::default(),
            frames,
            starts: Vec::new(),
            alarms: Vec::new(),
            again: 0,
            wrong: Vec::new(),
        }
    }

    /// xorshift64*
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice ^= self.dice >> 12;
        self.dice ^= self.dice << 25;
        self.dice ^= self.dice >> 27;
        (self.dice.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    /// Starts the program, looks whether it knows what it must know, lets everybody work, and kills it.
    pub fn round(&mut self) {
        let begun = self.clock.passed();
        let mut server = Server::start(&self.program, &self.room.config, &self.room.data);
        let client = Client::new(server.pages, Some(self.room.nurse.clone()));
        self.starts.push(server.came_up);
        self.look(&client);
        self.alarms.push(self.clock.passed() - begun);
        let stop = AtomicBool::new(false);
        let length = 150 + self.roll(350);
        let Self { room, acts, frames, clock, .. } = self;
        let first = &room.seats[0];
        let (chair, session) = (first.chair.as_str().to_owned(), first.session.as_str().to_owned());
        std::thread::scope(|scope| {
            for (seat, told) in room.seats.iter_mut().zip(frames) {
                let line = server.device_line();
                let (stop, clock) = (&stop, &*clock);
                scope.spawn(move || line.map(|line| told.speak(line, seat, stop, clock)));
            }
            scope.spawn(|| acts.work(&client, &chair, &session, &stop));
            work(length);
            server.kill();
            stop.store(true, Ordering::Relaxed);
        });
        self.again = self.acts.again;
    }

    /// The first words of the live channel after a start.
    fn look(&mut self, client: &Client) {
        let mut live = client.live("room").unwrap();
        let (mut alarms, mut samples) = (None, None);
        while alarms.is_none() || samples.is_none() {
            let (name, data) = live.next().unwrap();
            let data: serde_json::Value = serde_json::from_str(&data).unwrap();
            match name.as_str() {
                "a" => alarms = Some(data),
                "s" => samples = Some(data),
                _ => {}
            }
        }
        let (alarms, samples) = (alarms.unwrap_or_default(), samples.unwrap_or_default());
        for seat in &self.room.seats {
            let chair = seat.chair.as_str();
            let alarm =
                alarms["alarms"].as_array().is_some_and(|all| all.iter().any(|one| one["chair"] == chair));
            let sample =
                samples["chairs"].as_array().and_then(|all| all.iter().find(|one| one["c"] == chair));
            let phase = sample.map(|one| one["phase"].clone()).unwrap_or_default();
            let certain = sample.map(|one| one["pump"]["certain"].clone()).unwrap_or_default();
            if !alarm {
                self.wrong.push(format!("no alarm at chair {chair} after a start"));
            }
            if phase != "infusing" || certain != false {
                self.wrong.push(format!("chair {chair} came up as {phase}, certain: {certain}"));
            }
        }
    }

    /// Compares the log with what everybody was told.
    pub fn check(mut self) -> Tally {
        let mut config = Config::in_folder(&self.room.data);
        config.reserve_bytes = 0;
        let store = Store::open(config).unwrap();
        let report = store.verify().unwrap();
        if !report.sound() {
            self.wrong.push(format!("the chain does not verify: {report:?}"));
        }
        let events = store.head(SITE).unwrap().position;
        let mut ours = Vec::new();
        let mut from = 0;
        while from < events {
            let rows = store.since(SITE, from, 1000).unwrap();
            from = rows.last().map_or(events, |last| last.position);
            ours.extend(rows.into_iter().filter(|row| row.command_id.starts_with("storm-")));
        }
        let history = History::check(&self.acts.told, &ours);
        if !history.good() {
            self.wrong.push(format!("{history:?}"));
        }
        if !self.acts.odd.is_empty() {
            self.wrong.push(format!("acts were answered {:?}", self.acts.odd));
        }
        let mut frames = 0;
        for (seat, told) in self.room.seats.iter().zip(&self.frames) {
            frames += told.accepted.len();
            self.wrong.extend(frames_missing(&store, seat, &told.accepted));
        }
        Tally {
            acts: self.acts.told.acknowledged.len(),
            again: self.again,
            frames,
            starts: Spread::of(self.starts),
            alarms: Spread::of(self.alarms),
            events,
            wrong: self.wrong,
        }
    }
}

impl Acts {
    /// Charts until the program is gone. What had no answer is sent again first, as a browser does; now and then so
    /// is what had one.
    fn work(&mut self, client: &Client, chair: &str, session: &str, stop: &AtomicBool) {
        let mut waiting = std::mem::take(&mut self.open);
        while !stop.load(Ordering::Relaxed) {
            let id = match waiting.pop() {
                Some(id) => {
                    self.again += 1;
                    id
                }
                None => {
                    self.next += 1;
                    format!("storm-{}", self.next)
                }
            };
            self.told.sent.insert(id.clone(), EVENTS_PER_ACT);
            let fields = [("session", session), ("moaas", "5")];
            match client.post(&format!("/chair/{chair}/observations"), &id, &fields) {
                Ok(303) => {
                    if self.next.is_multiple_of(7) && !self.told.acknowledged.contains(&id) {
                        waiting.push(id.clone());
                    }
                    self.told.acknowledged.insert(id);
                }
                Ok(status) => drop(self.odd.insert(status)),
                Err(_) => {
                    self.open.push(id);
                    break;
                }
            }
        }
        self.open.extend(waiting);
    }
}

impl Frames {
    fn speak(&mut self, mut line: TcpStream, seat: &mut Seat, stop: &AtomicBool, clock: &Clock) {
        while !stop.load(Ordering::Relaxed) {
            self.next += 1;
            let id = format!("storm-{}-{}", seat.chair, self.next);
            let pump = self.next.is_multiple_of(5);
            let (device, frame) = if pump {
                (seat.pump.instance().device_id(), seat.pump_report(&id, clock.now(), counter(self.next)))
            } else {
                (seat.monitor.instance().device_id(), seat.vitals(&id, clock.now(), 70))
            };
            match send(&mut line, &frame) {
                Ok(answer) if answer.contains(&format!("MSA|CA|{id}")) => {
                    self.accepted.push((device.as_str().to_owned(), id));
                }
                Ok(_) => {}
                Err(_) => return,
            }
            pause(Duration::from_millis(5));
        }
    }
}

/// Sends a frame and gives the answer.
pub fn send(line: &mut TcpStream, frame: &[u8]) -> std::io::Result<String> {
    line.write_all(frame)?;
    let mut framer = Framer::new();
    let mut buffer = [0; 4096];
    loop {
        let read = line.read(&mut buffer)?;
        if read == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if let Some(answer) = framer.feed(&buffer[..read]).pop() {
            return Ok(String::from_utf8_lossy(&answer.map_err(|_| ErrorKind::InvalidData)?).into_owned());
        }
    }
}

fn frames_missing(store: &Store, seat: &Seat, accepted: &[(String, String)]) -> Vec<String> {
    let mut kept: Vec<String> = Vec::new();
    for line in [&seat.monitor, &seat.pump] {
        let device = line.instance().device_id();
        let mut from = 0;
        loop {
            let rows = store.frames(SITE, device.as_str(), from, i64::MAX, 1000).unwrap();
            kept.extend(rows.iter().map(|row| row.control_id.clone()));
            match rows.last() {
                Some(last) if rows.len() == 1000 && last.received_at_us > from => from = last.received_at_us,
                _ => break,
            }
        }
    }
    let kept: BTreeSet<&str> = kept.iter().map(String::as_str).collect();
    let lost = accepted.iter().filter(|(_, id)| !kept.contains(id.as_str()));
    lost.map(|(device, id)| format!("frame {id} of {device} was accepted and is not in the log")).collect()
}

/// Which of these commands and frames a log does not have, and whether its chain holds.
pub fn missing(data: &Path, commands: &[&str], frames: &[&str], seat: &Seat) -> Vec<String> {
    let mut config = Config::in_folder(data);
    config.reserve_bytes = 0;
    let store = Store::open(config).unwrap();
    let mut wrong = Vec::new();
    if !store.verify().unwrap().sound() {
        wrong.push("the chain does not verify".to_owned());
    }
    for id in commands {
        if store.command(SITE, id).unwrap().is_none() {
            wrong.push(format!("command {id} was accepted and is not in the log"));
        }
    }
    let accepted: Vec<_> = frames.iter().map(|id| ("monitor".to_owned(), (*id).to_owned())).collect();
    wrong.extend(frames_missing(&store, seat, &accepted));
    wrong
}

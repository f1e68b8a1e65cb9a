//! What a clinic writes: device frames, pump reads, observations and commands, by number and always the same.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use store::{
    Append, AppendError, Config, Control, Fault, Frame, NewEvent, Outcomes, Projector, Recorded, Store,
    StreamWrite, ViewPut, ViewRow, ViewsSoFar,
};

pub const SITE: &str = "main";

/// One row a stream, as a board of chairs would have it.
struct Board;

impl Projector for Board {
    fn version(&self) -> i64 {
        1
    }

    fn project(&self, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
        let before = views.body("board", &event.stream)?.map_or(0, |body| body.len());
        let body = format!("{{\"last\":\"{}\",\"before\":{before}}}", event.kind);
        let row = ViewRow { sort: event.at_us, search: event.stream.clone(), body };
        Ok(vec![ViewPut { view: "board".into(), key: event.stream.clone(), row: Some(row) }])
    }
}

pub fn config(folder: &Path, control: Control) -> Config {
    let mut config = Config::in_folder(folder).weakened(control);
    config.projector = Some(Arc::new(Board));
    config.reserve_bytes = 0;
    config
}

/// Piece `number` of the work: every third is a device frame, the others are commands.
pub enum Piece {
    Frame(Frame),
    Append(Append),
}

pub fn piece(number: u64) -> Piece {
    let chair = number % 4;
    let at_us = 1_700_000_000_000_000 + number as i64 * 200_000;
    if number.is_multiple_of(3) {
        let text = format!(
            "MSH|^~\\&|MON-{chair}|ROOM|||20260101||ORU^R01^ORU_R01|{number}|P|2.6\rOBX|1|NM|150456^MDC_PULS_OXIM_SAT_O2^MDC|1.1.1.150456|{}|262688^MDC_DIM_PERCENT^MDC|||||F\r{}",
            90 + number % 10,
            "OBX|2|NM|147842^MDC_ECG_HEART_RATE^MDC|1.1.1.147842|72|264864^MDC_DIM_BEAT_PER_MIN^MDC|||||F\r"
                .repeat(4),
        );
        return Piece::Frame(Frame {
            site: SITE.into(),
            sender: format!("MON-{chair}"),
            control_id: number.to_string(),
            device: "monitor".into(),
            received_at_us: at_us,
            bytes: text.into_bytes(),
            verdict: "AA".into(),
        });
    }
    let kind = ["PumpRead", "ObservationCharted", "RateChanged", "AlarmRaised"][(number / 3 % 4) as usize];
    let event = |part: usize| NewEvent {
        kind: kind.into(),
        body: format!(
            "{{\"piece\":{number},\"part\":{part},\"note\":\"{}\"}}",
            "x".repeat((number % 160) as usize)
        ),
    };
    let write = |stream: String, parts: std::ops::Range<usize>| StreamWrite {
        stream,
        expected: None,
        events: parts.map(event).collect(),
    };
    let count = events(number);
    let mut writes = vec![write(format!("session/{}", number % 4 + number / 400 * 4), 0..1)];
    if count > 1 {
        writes.push(write(format!("vial/{chair}"), 1..count));
    }
    Piece::Append(Append {
        site: SITE.into(),
        command_id: number.to_string(),
        author: "nurse-1".into(),
        at_us,
        writes,
        reply: "recorded".into(),
        closing: false,
    })
}

/// How many events a command has.
fn events(number: u64) -> usize {
    1 + (number % 5 / 3) as usize
}

/// What a run was told, by kind of work.
#[derive(Debug, Clone, Default)]
pub struct Told {
    pub commands: Outcomes,
    pub frames_kept: Vec<u64>,
    /// Answers of any kind, by piece.
    pub answers: std::collections::BTreeMap<u64, Vec<char>>,
    pub open_failed: bool,
}

impl Told {
    /// Everything up to here was sent, and no more than a window beyond what was answered.
    pub fn sent(&mut self) {
        let end = self.answers.keys().last().map_or(0, |last| last + 1) + 64;
        let commands = (0..end).filter(|number| !number.is_multiple_of(3));
        self.commands.sent = commands.map(|number| (number.to_string(), events(number))).collect();
    }

    /// Reads lines like `a 17`: acknowledged, `r 17`: refused, `u 17`: uncertain.
    pub fn read(&mut self, text: &str) {
        for line in text.lines() {
            let Some((word, number)) = line.split_once(' ') else {
                self.open_failed |= line == "closed";
                continue;
            };
            let number: u64 = number.parse().unwrap();
            self.answers.entry(number).or_default().push(word.chars().next().unwrap());
            match (word, number.is_multiple_of(3)) {
                ("a", true) => self.frames_kept.push(number),
                ("a", false) => drop(self.commands.acknowledged.insert(number.to_string())),
                ("r", false) => drop(self.commands.refused.insert(number.to_string())),
                _ => {}
            }
        }
        // A piece that was sent again may be acknowledged after all.
        self.commands.refused.retain(|id| !self.commands.acknowledged.contains(id));
    }

    /// First piece that has no answer of being recorded.
    pub fn first_open(&self) -> u64 {
        (0..).find(|number| !self.answers.get(number).is_some_and(|a| a.contains(&'a'))).unwrap_or(0)
    }
}

/// How a worker process is to work.
pub struct Work<'a> {
    pub folder: &'a Path,
    pub from: u64,
    pub end: u64,
    /// Pieces in flight at a time.
    pub window: usize,
    /// Times that the log is closed and opened again on the way.
    pub reopen: u64,
    pub control: Control,
}

impl Work<'_> {
    /// This test program again, as a worker.
    pub fn command(&self) -> Command {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "worker"]);
        command.env("FAULT_FOLDER", self.folder);
        command.env("FAULT_WORK", format!("{} {} {} {}", self.from, self.end, self.window, self.reopen));
        command.env("FAULT_CONTROL", format!("{:?}", self.control));
        command.stdout(std::process::Stdio::null());
        command
    }
}

/// The worker's own side.
pub fn worker() {
    let folder = PathBuf::from(std::env::var_os("FAULT_FOLDER").unwrap());
    let work = std::env::var("FAULT_WORK").unwrap();
    let numbers: Vec<u64> = work.split(' ').map(|number| number.parse().unwrap()).collect();
    let [from, end, window, reopen] = numbers[..] else { panic!("four numbers") };
    let control = match std::env::var("FAULT_CONTROL").unwrap().as_str() {
        "SynchronousNormal" => Control::SynchronousNormal,
        "NoIdempotency" => Control::NoIdempotency,
        _ => Control::None,
    };
    let acks = OpenOptions::new().append(true).create(true).open(folder.join("acks")).unwrap();
    let acks = Arc::new(Mutex::new(acks));
    let step = ((end - from) / (reopen + 1)).max(1);
    let mut next = from;
    while next < end {
        let Ok(store) = Store::open(config(&folder, control)) else {
            acks.lock().unwrap().write_all(b"closed\n").unwrap();
            return;
        };
        acks.lock().unwrap().write_all(b"open\n").unwrap();
        if window > 1 {
            // A screen that reads holds the log open, so that SQLite does not tidy up when the writer lets go.
            let _unreadable_now = store.head(SITE);
        }
        let until = next.saturating_add(step).min(end);
        send(&store, next..until, window as usize, &acks);
        next = until;
    }
}

fn send(store: &Store, pieces: std::ops::Range<u64>, window: usize, acks: &Arc<Mutex<File>>) {
    let (give, take) = sync_channel(window);
    for _ in 0..window {
        give.send(()).unwrap();
    }
    for number in pieces {
        take.recv().unwrap();
        let (give, acks) = (give.clone(), Arc::clone(acks));
        let tell = move |recorded: Result<(), AppendError>| {
            let word = match recorded {
                Ok(()) => "a",
                Err(AppendError::Uncertain(_)) => "u",
                Err(_) => "r",
            };
            acks.lock().unwrap().write_all(format!("{word} {number}\n").as_bytes()).unwrap();
            give.send(()).unwrap();
        };
        match piece(number) {
            Piece::Frame(frame) => store.submit_frame(frame, move |answer| tell(answer.map(drop))),
            Piece::Append(append) => store.submit(append, move |answer| tell(answer.map(drop))),
        }
    }
    for _ in 0..window {
        take.recv().unwrap();
    }
}

/// Sends pieces again, as a client does that was not answered.
pub fn send_again(store: &Store, pieces: std::ops::Range<u64>) -> Result<(), AppendError> {
    for number in pieces {
        match piece(number) {
            Piece::Frame(frame) => store.keep_frame(frame).map(drop)?,
            Piece::Append(append) => store.append(append).map(drop)?,
        }
    }
    Ok(())
}

/// What is wrong with a log, given what was told; empty when all is well.
pub fn wrong(store: &Store, told: &Told) -> Result<Vec<String>, Fault> {
    let mut events = Vec::new();
    let mut frames = Vec::new();
    loop {
        let more = store.since(SITE, events.len() as i64, 10_000)?;
        if more.is_empty() {
            break;
        }
        events.extend(more);
    }
    loop {
        let from = frames.last().map_or(0, |frame: &Frame| frame.received_at_us + 1);
        let more = store.frames(SITE, "monitor", from, i64::MAX, 10_000)?;
        if more.is_empty() {
            break;
        }
        frames.extend(more);
    }
    let mut wrong = Vec::new();
    let history = store::History::check(&told.commands, &events);
    if !history.good() {
        wrong.push(format!("{history:?}"));
    }
    let mut kept: Vec<u64> = frames.iter().filter_map(|frame| frame.control_id.parse().ok()).collect();
    let all = kept.len();
    kept.sort_unstable();
    kept.dedup();
    if kept.len() != all {
        wrong.push(format!("{} frames doubled", all - kept.len()));
    }
    let lost: Vec<_> = told.frames_kept.iter().filter(|number| kept.binary_search(number).is_err()).collect();
    if !lost.is_empty() {
        wrong.push(format!("frames lost: {lost:?}"));
    }
    let report = store.verify()?;
    if !report.sound() {
        wrong.push(format!("{report:?}"));
    }
    Ok(wrong)
}

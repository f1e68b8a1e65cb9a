//! Fault runs: power cuts, kills, failing writes and full disks against the real store.
//!
//! Plain `cargo test` runs each in seconds. `FAULT_N` and `FAULT_SEED` make them long; `cargo xtask faults` does so.
//! Controls, stores weakened on purpose, show that the runs see what they are to see.

#[path = "../support/folder.rs"]
mod folder;
#[path = "../support/pause.rs"]
mod pause;
mod power;
#[path = "../support/small_disk.rs"]
mod small_disk;
mod workload;

use folder::Folder;
use pause::pause;
use small_disk::SmallDisk;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use store::{Append, AppendError, Control, NewEvent, Store, StreamWrite, WriterState};
use workload::{SITE, Told, Work, config, wrong};

/// Chances by seed (xorshift64*).
pub struct Dice(u64);

impl Dice {
    /// The same chances for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// 0 to `sides` - 1.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }
}

fn setting(name: &str, or: u64) -> u64 {
    std::env::var(name).map_or(or, |text| text.parse().unwrap())
}

fn shim(folder: &Path) -> PathBuf {
    let library = folder.join("shim.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/shim.c");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    assert!(built.unwrap().success(), "the shim does not compile");
    library
}

fn shimmed(work: &Work<'_>, shim: &Path) -> Command {
    let mut command = work.command();
    command.env("LD_PRELOAD", shim).env("SHIM_DIR", work.folder);
    command
}

fn lines(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("acks")).unwrap_or_default()
}

/// The child process of the other tests.
#[test]
#[ignore = "a worker of the fault runs, which start it themselves"]
fn worker() {
    workload::worker();
}

/// Runs a traced workload and replays `count` power cuts of it.
fn cut_power(control: Control, count: u64, seed: u64, fail: Option<&str>) -> power::Tally {
    let folder = Folder::new(&format!("power-{control:?}-{}-{seed}", fail.is_some()));
    let shim = shim(&folder.0);
    let mut dice = Dice::new(seed);
    let mut tally = power::Tally::default();
    // Each trace is another run: other group sizes, other places where the log is closed and opened.
    let a_trace = 500.min(count);
    for round in 0..count.div_ceil(a_trace) {
        let data = folder.0.join("data");
        std::fs::create_dir_all(&data).unwrap();
        let trace = folder.0.join("trace");
        let end = 150 + dice.roll(400);
        let window = [1, 4, 16][dice.roll(3) as usize];
        let work = Work { folder: &data, from: 0, end, window, reopen: dice.roll(4), control };
        let mut command = shimmed(&work, &shim);
        command.env("SHIM_TRACE", &trace);
        if let Some(fail) = fail {
            command.env("SHIM_FAIL", fail);
        }
        assert!(command.status().unwrap().success());
        let ops = power::read_trace(&trace);
        let images = a_trace.min(count - round * a_trace);
        tally.add(power::crash(&ops, control, images, dice.roll(u64::MAX >> 34), &folder.0.join("image")));
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::remove_file(&trace).unwrap();
    }
    tally
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    let (count, seed) = (setting("FAULT_N", 100), setting("FAULT_SEED", 1));
    let tally = cut_power(Control::None, count, seed, None);
    println!("power: {tally:?}");
    assert!(tally.good(), "{tally:?}");
    assert_eq!(tally.images, count);
}

/// A failed fsync may leave pages that no later fsync writes; then the power goes.
#[test]
fn power_cuts_after_failed_fsyncs_lose_nothing_that_was_acknowledged() {
    let (count, seed) = (setting("FAULT_N", 160) / 2, setting("FAULT_SEED", 1));
    for every in [2, 3, 5, 17] {
        let tally = cut_power(Control::None, count / 4, seed + every, Some(&format!("sync:{every}")));
        println!("power after every {every}th failed fsync: {tally:?}");
        assert!(tally.good(), "{tally:?}");
    }
}

#[test]
fn power_cuts_show_a_store_that_does_not_wait_for_the_disk() {
    let count = setting("FAULT_N", 60).min(2000);
    let tally = cut_power(Control::SynchronousNormal, count, setting("FAULT_SEED", 1), None);
    println!("power, control synchronous=NORMAL: {tally:?}");
    assert!(tally.wrong + tally.closed > count / 4, "the run must notice: {tally:?}");
}

#[test]
fn power_cuts_show_a_store_that_records_a_command_twice() {
    let count = setting("FAULT_N", 20).min(2000);
    let tally = cut_power(Control::NoIdempotency, count, setting("FAULT_SEED", 1), None);
    println!("power, control without idempotency: {tally:?}");
    assert!(tally.wrong > count / 2, "the run must notice: {tally:?}");
}

#[test]
fn kills_at_any_moment_lose_and_double_nothing() {
    let (kills, seed) = (setting("FAULT_N", 12), setting("FAULT_SEED", 1));
    let (told, wrong) = kill_storm(Control::None, kills, seed);
    println!("kill: {kills} kills, {} pieces acknowledged, wrong: {wrong:?}", told.answers.len());
    assert!(told.answers.len() as u64 > kills, "too little was recorded to prove anything");
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn kills_show_a_store_that_records_a_command_twice() {
    let (told, wrong) = kill_storm(Control::NoIdempotency, 8, setting("FAULT_SEED", 1));
    println!("kill, control without idempotency: {} pieces acknowledged", told.answers.len());
    assert!(wrong.iter().any(|what| what.contains("doubled: [\"")), "{wrong:?}");
}

fn kill_storm(control: Control, kills: u64, seed: u64) -> (Told, Vec<String>) {
    let folder = Folder::new(&format!("kill-{control:?}-{seed}"));
    let mut dice = Dice::new(seed);
    let mut told = Told::default();
    let mut kill = 0;
    while kill < kills {
        told = Told::default();
        told.read(&lines(&folder.0));
        assert!(!told.open_failed, "the log did not open after kill {kill}");
        // From before the first unanswered piece: some answers were lost on the way.
        let from = told.first_open().saturating_sub(dice.roll(4));
        let window = [1, 4, 16][dice.roll(3) as usize];
        let work = Work { folder: &folder.0, from, end: u64::MAX >> 1, window, reopen: 0, control };
        let mut child = work.command().stderr(Stdio::null()).spawn().unwrap();
        pause(Duration::from_millis(20 + dice.roll(60)));
        child.kill().unwrap();
        child.wait().unwrap();
        kill += 1;
    }
    told.read(&lines(&folder.0));
    told.sent();
    let store = Store::open(config(&folder.0, control)).unwrap();
    let wrong = wrong(&store, &told).unwrap();
    (told, wrong)
}

/// Every n-th write or fsync fails: each command is recorded whole or not at all, and its sender is always told.
#[test]
fn failing_writes_and_fsyncs_are_always_told() {
    let rounds = setting("FAULT_N", 6);
    let (mut acknowledged, mut refused, mut uncertain, mut runs) = (0, 0, 0, 0);
    for kind in ["write", "sync"] {
        for errno in ["5", "28"] {
            for every in (1..=rounds).map(|round| if round < 4 { round } else { round * round }) {
                let (told, end) = failing(kind, every, errno);
                runs += 1;
                for number in 0..end {
                    let answers = told.answers.get(&number).map_or(0, Vec::len);
                    assert_eq!(answers, 1, "{kind}:{every} errno {errno}: piece {number} was not told once");
                }
                let count = |word: char| told.answers.values().filter(|a| a.contains(&word)).count();
                acknowledged += count('a');
                refused += count('r');
                uncertain += count('u');
            }
        }
    }
    println!(
        "io: {runs} runs, {acknowledged} acknowledged, {refused} refused, {uncertain} uncertain, 0 wrong"
    );
    assert!(acknowledged > 0 && refused + uncertain > 0, "faults must be met and survived");
}

fn failing(kind: &str, every: u64, errno: &str) -> (Told, u64) {
    let folder = Folder::new(&format!("io-{kind}-{every}-{errno}"));
    let data = folder.0.join("data");
    std::fs::create_dir_all(&data).unwrap();
    let shim = shim(&folder.0);
    let end = 60;
    // Alone, and with a screen that reads: a failed commit then comes to light in two different ways.
    let window = 1 + every as usize % 2;
    let work = Work { folder: &data, from: 0, end, window, reopen: 0, control: Control::None };
    let mut command = shimmed(&work, &shim);
    command.env("SHIM_FAIL", format!("{kind}:{every}")).env("SHIM_ERRNO", errno);
    assert!(command.status().unwrap().success());
    let mut told = Told::default();
    told.read(&lines(&data));
    told.sent();
    let store = Store::open(config(&data, Control::None)).unwrap();
    let wrong = wrong(&store, &told).unwrap();
    assert!(wrong.is_empty(), "{kind}:{every} errno {errno}: {wrong:?}");
    (told, end)
}

fn large(id: u64, closing: bool) -> Append {
    let body = "y".repeat(if closing { 500 } else { 40_000 });
    Append {
        site: SITE.into(),
        command_id: id.to_string(),
        author: "nurse-1".into(),
        at_us: 1_700_000_000_000_000 + id as i64,
        writes: vec![StreamWrite {
            stream: "session/1".into(),
            expected: None,
            events: vec![NewEvent { kind: "Noted".into(), body }],
        }],
        reply: String::new(),
        closing,
    }
}

#[test]
fn a_full_disk_is_told_closes_from_the_reserve_and_accepts_again() {
    for round in 0..setting("FAULT_N", 2).min(200) {
        let Some(disk) = SmallDisk::mount("disk", (17 << 18) + round % 50 * 4096) else { return };
        full_disk(&disk.0);
    }
}

fn full_disk(folder: &Path) {
    let filler = folder.join("something-else");
    std::fs::write(&filler, vec![7; 2 << 20]).unwrap();
    let mut opened = config(folder, Control::None);
    // More than all that the log can take, so that settling it cannot make room for twice the reserve.
    opened.reserve_bytes = 5 << 18;
    let store = Store::open(opened).unwrap();
    let mut told = Told::default();
    let mut say = |id: u64, closing: bool| {
        let answer = store.append(large(id, closing));
        told.commands.sent.insert(id.to_string(), 1);
        let list = if answer.is_ok() { &mut told.commands.acknowledged } else { &mut told.commands.refused };
        list.insert(id.to_string());
        answer
    };
    let first_refused = (0..1000).find(|id| say(*id, false).is_err()).unwrap();
    assert!(first_refused > 3, "there was room for some");
    let WriterState::ClosingOnly { since_us, why } = store.state() else {
        panic!("{:?}", store.state());
    };
    assert_eq!((since_us, why.is_empty()), (1_700_000_000_000_000 + first_refused as i64, false));
    for id in 2000..2020 {
        assert!(say(id, true).is_ok(), "the stop of an infusion must find room in the reserve");
        let answer = say(id + 100, false);
        assert!(
            matches!(answer, Err(AppendError::Refused(_))),
            "nothing new while the disk is full: {answer:?}"
        );
    }
    // What was recorded can still be read.
    assert!(store.head(SITE).unwrap().position > 20);
    std::fs::remove_file(&filler).unwrap();
    assert!(say(3000, false).is_ok(), "{:?}", store.state());
    assert_eq!(store.state(), WriterState::Recording);
    assert_eq!(wrong(&store, &told).unwrap(), Vec::<String>::new());
    drop(store);
    let store = Store::open(config(folder, Control::None)).unwrap();
    assert_eq!(wrong(&store, &told).unwrap(), Vec::<String>::new());
}

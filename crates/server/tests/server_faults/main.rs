//! Faults of the whole program: it is killed in the middle of infusions again and again, and its disk fills up.
//!
//! Plain `cargo test` runs each in seconds. `FAULT_N` and `FAULT_SEED` make them long; `cargo xtask faults` does so.

#[path = "../outside/mod.rs"]
mod outside;
mod reminded;
#[path = "../../../store/tests/support/small_disk.rs"]
mod small_disk;
#[path = "../outside/smtp.rs"]
mod smtp;
mod storm;

use clinic::quantity::Microlitres;
use outside::http::Client;
use outside::room::Room;
use outside::{Folder, Server, pause};
use server::clock::Clock;
use small_disk::SmallDisk;
use std::path::Path;
use std::time::Duration;
use storm::Storm;

const PROGRAM: &str = env!("CARGO_BIN_EXE_chairside");

fn setting(name: &str, or: u64) -> u64 {
    std::env::var(name).map_or(or, |text| text.parse().unwrap())
}

/// Acknowledged acts and frames are in the log once, however often the program was killed and the sender tried
/// again; each start finds the infusions running, their delivery uncertain, and alarms for it.
#[test]
fn kills_of_the_server_lose_and_double_nothing_and_alarms_come_back() {
    let (kills, seed) = (setting("FAULT_N", 5), setting("FAULT_SEED", 1));
    let folder = Folder::new("server-kill");
    let room = Room::infusing(&folder.0, 0);
    let mut storm = Storm::new(Path::new(PROGRAM), room, seed);
    for _ in 0..kills {
        storm.round();
    }
    let tally = storm.check();
    println!("server kill: {kills} kills, {tally}");
    assert!(tally.acts > 0 && tally.frames > 0 && tally.again > 0, "too little was tried: {tally}");
    assert_eq!(tally.wrong, Vec::<String>::new());
}

/// Reads the live channel until a message fits.
fn until(client: &Client, what: &str, fits: impl Fn(&str, &serde_json::Value) -> bool) {
    let clock = Clock::system();
    let mut live = client.live("room").unwrap();
    while clock.passed() < Duration::from_secs(30) {
        let (name, data) = live.next().unwrap();
        if fits(&name, &serde_json::from_str(&data).unwrap()) {
            return;
        }
    }
    panic!("never: {what}");
}

fn heart_of(data: &serde_json::Value, chair: &str) -> Option<i64> {
    let chairs = data["chairs"].as_array()?;
    chairs.iter().find(|one| one["c"] == chair)?["v"]["hr"].as_f64().map(|hr| hr as i64)
}

/// A full disk takes the record away, not the live values, not the alarms, not the stop.
#[test]
fn a_full_disk_leaves_live_values_says_not_recorded_and_takes_entries_again() {
    let Some(disk) = SmallDisk::mount("server-disk", 24 << 20) else { return };
    let data = disk.0.join("data");
    std::fs::create_dir(&data).unwrap();
    let mut room = Room::infusing(&data, 2);
    let server = Server::start(Path::new(PROGRAM), &room.config, &room.data);
    let client = Client::new(server.pages, Some(room.nurse.clone()));
    let mut line = server.device_line().unwrap();
    let seat = &mut room.seats[0];
    let session = seat.session.as_str().to_owned();
    let clock = Clock::system();
    let mut say = |id: &str, heart: i32| storm::send(&mut line, &seat.vitals(id, clock.now(), heart));
    let note = |id: &str| {
        let fields = [("session", session.as_str()), ("distress", "2")];
        client.post("/chair/1/observations", id, &fields).unwrap()
    };

    assert!(say("before", 71).unwrap().contains("MSA|CA|before"));
    assert_eq!(note("before"), 303);

    let filler = disk.0.join("something-else");
    fill(&filler);
    let mut nth = 0;
    // The log has pages of its own to fill before it needs the disk.
    while say(&format!("filling-{nth}"), 72).unwrap().contains("MSA|CA") {
        nth += 1;
        assert!(nth < 20_000, "the disk never fills");
    }
    assert!(
        !say("full", 93).unwrap().contains("MSA|CA"),
        "a frame that is not recorded must not be accepted"
    );
    until(&client, "the value of the frame that is not recorded", |name, data| {
        name == "s" && heart_of(data, "1") == Some(93)
    });
    until(&client, "the heartbeat says that nothing is recorded", |name, data| {
        name == "k" && data["recording"] == false && data["why"] != ""
    });
    let (_, page) = client.get("/chair/1").unwrap();
    assert!(page.contains("NOT RECORDING"), "the page must say it");

    std::fs::remove_file(&filler).unwrap();
    until(&client, "recording again", |name, data| name == "k" && data["recording"] == true);
    assert!(say("after", 74).unwrap().contains("MSA|CA|after"));
    assert_eq!(note("after"), 303);
    assert_eq!(client.post("/chair/1/stop", "the-stop", &[("session", &session)]).unwrap(), 303);
    drop(server);
    let wrong =
        storm::missing(&room.data, &["before", "after", "the-stop"], &["before", "after"], &room.seats[0]);
    assert_eq!(wrong, Vec::<String>::new());
}

fn fill(file: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(file).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        while file.write_all(&vec![7; size]).is_ok() {}
    }
}

/// The pump's counter as the storm's pumps report it, no faster than their rate can give it.
fn counter(nth: u64) -> Microlitres {
    Microlitres(i64::try_from(nth).unwrap() / 100)
}

/// Lets everybody work for a while.
fn work(milliseconds: u64) {
    pause(Duration::from_millis(milliseconds));
}

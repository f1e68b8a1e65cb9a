//! What a long history costs: the chart of a patient and the outcomes of the clinic, with many patients and visits in
//! the embedded log. Nothing passes or fails here; the figures go into `docs/performance.md` by hand, with the date.
//!
//! `cargo xtask bench history [PATIENTS] [FOLDER]`. A few patients have every entry of their visits, and the chart is
//! measured on them; of the others only those entries stand in the log from which lists are made.

#![expect(clippy::disallowed_methods, reason = "it measures by the machine's own clock")]

use anyhow::Context;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use clinic::id::StaffId;
use clinic::knowledge::Knowledge;
use clinic::staff::Role;
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use server::AppState;
use server::auth::accounts::NewStaff;
use server::clock::{Clock, Ids};
use server::config::Config;
use server::founding::Purpose;
use sim::history::{Diary, Entry, History};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tower::ServiceExt;

const TODAY: &str = "2026-11-22T12:00:00Z";
/// Patients whose every entry is in the log.
const WHOLE: u32 = 40;
/// Visits that each patient has at least.
const VISITS: usize = 20;
/// How often each page is asked for.
const TIMES: u32 = 60;
/// Entries from which lists are made.
const LISTED: [&str; 8] = [
    "patient_registered",
    "record_number_given",
    "session_planned",
    "checked_in",
    "infusion_started",
    "infusion_ended",
    "discharged",
    "scale_answered",
];

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1).filter(|arg| arg != "--bench");
    let patients: u32 = args.next().map_or(Ok(20_000), |arg| arg.parse()).context("PATIENTS is a number")?;
    let usual = || std::env::temp_dir().join(format!("chairside-history-{}", std::process::id()));
    let folder = args.next().map_or_else(usual, PathBuf::from);
    std::fs::create_dir_all(&folder)?;
    let measured = fill_and_measure(&folder, patients);
    std::fs::remove_dir_all(&folder)?;
    measured
}

fn fill_and_measure(folder: &Path, patients: u32) -> anyhow::Result<()> {
    let begun = Instant::now();
    let app = open(folder)?;
    let owner = app.auth.accounts().found(somebody("owner", Role::Owner), Purpose::Demonstration, "found")?;
    app.auth.accounts().add(somebody("osei", Role::Prescriber), &owner, "hire")?;
    let whole = fill(&app, patients)?;
    let events = app.store.head("main")?.position;
    drop(app);
    let bytes = std::fs::metadata(folder.join("chairside.db"))?.len();
    println!("{patients} patients, {events} events, {} MB, written in {:.0?}", bytes >> 20, begun.elapsed());
    let begun = Instant::now();
    let app = open(folder)?;
    println!("opened in {:.0?}", begun.elapsed());
    tokio::runtime::Runtime::new()?.block_on(measure(&app, &whole))
}

fn open(folder: &Path) -> anyhow::Result<AppState> {
    let config = Config { data: folder.to_owned(), reserve_mib: 0, demo: true, ..Config::default() };
    let clock = Clock::held(TODAY.parse()?);
    let (_stop, stopping) = watch::channel(false);
    Ok(AppState::open(config, clock.clone(), Ids::system(clock), stopping)?)
}

fn somebody(user: &str, role: Role) -> NewStaff {
    let password = "a year of quiet mornings".to_owned();
    NewStaff { user: user.to_owned(), name: user.to_owned(), roles: vec![role], password, pin: None }
}

/// Writes everybody into the log; gives the ids of those who are there whole.
fn fill(app: &AppState, patients: u32) -> anyhow::Result<Vec<String>> {
    let knowledge = Knowledge::shipped().map_err(|cause| anyhow::anyhow!("{cause}"))?;
    let history =
        History { knowledge: &knowledge, seed: 7, until: "2026-11-20".parse()?, zone: TimeZone::UTC };
    let mut lives = Vec::new();
    for number in 0.. {
        let life = history.life(number, &mut Diary::of(number, history.until))?;
        if visits(&life) > 0 {
            lives.push((patient(&life).context("a patient")?, life));
        }
        if lives.len() == WHOLE as usize {
            break;
        }
    }
    let mut sessions = 0;
    for number in 0..patients {
        let (id, life) = &lives[(number % WHOLE) as usize];
        for year in 0..VISITS.div_ceil(visits(life)) as i64 {
            let whole = number < WHOLE && year == 0;
            let entries = life.iter().filter_map(|entry| lived(entry, id, (number, year), whole));
            sessions += visits(life);
            server::demo::record(&app.store, "main", entries)?;
        }
    }
    println!("{sessions} sessions");
    Ok(lives.into_iter().map(|(id, _)| id).take(patients as usize).collect())
}

fn visits(life: &[Entry]) -> usize {
    let begins = |entry: &&Entry| kinds(entry).any(|kind| kind == "infusion_started");
    life.iter().filter(begins).count()
}

fn kinds(entry: &Entry) -> impl Iterator<Item = &str> {
    entry.writes.iter().flat_map(|write| &write.events).map(|(kind, _)| kind.as_str())
}

fn patient(life: &[Entry]) -> Option<String> {
    let streams = life.iter().flat_map(|entry| &entry.writes).map(|write| write.stream.as_str());
    streams.filter_map(|stream| stream.strip_prefix("patient/")).next().map(str::to_owned)
}

/// An entry of a life as that of another person, in an earlier year; `None` where nothing of it is kept.
fn lived(entry: &Entry, patient: &str, (number, year): (u32, i64), whole: bool) -> Option<Entry> {
    let mut entry = entry.clone();
    if whole {
        return Some(entry);
    }
    // The year that is whole has these already.
    let person = if number < WHOLE { patient.to_owned() } else { format!("{patient}-{number}") };
    let known = number < WHOLE || year > 0;
    entry.at = entry.at.checked_sub(SignedDuration::from_hours(24 * 365 * year)).ok()?;
    entry.command.0 += &format!("-{number}-{year}");
    for write in &mut entry.writes {
        write.events.retain(|(kind, _)| LISTED.contains(&kind.as_str()));
        let registers = write.stream.starts_with("patient/") || write.stream.starts_with("mrn/");
        if known && registers {
            write.events.clear();
        }
        write.stream = match write.stream.split_once('/') {
            Some(("patient" | "scales", _)) => write.stream.replace(patient, &person),
            _ => format!("{}-{number}-{year}", write.stream),
        };
        for (_, body) in &mut write.events {
            *body = body.replace(patient, &person).replace("\"mrn\":\"", &format!("\"mrn\":\"{number}-"));
        }
    }
    entry.writes.retain(|write| !write.events.is_empty());
    (!entry.writes.is_empty()).then_some(entry)
}

async fn measure(app: &AppState, whole: &[String]) -> anyhow::Result<()> {
    let token = app.auth.logins().open(&StaffId::new("osei"), |_| ());
    app.auth.admit(&token, true)?.context("nobody is signed in")?;
    let router = server::router(app.clone());
    let cookie = format!("chairside={token}");
    for (what, paths) in [
        ("patient page", each(whole, "")),
        ("scores of a patient", each(whole, "/scores")),
        ("outcomes, major depression", vec!["/outcomes".to_owned()]),
        ("outcomes, everybody", vec!["/outcomes?condition=any".to_owned()]),
        ("outcomes as CSV", vec!["/outcomes.csv".to_owned()]),
        ("list of patients", vec!["/patients".to_owned()]),
    ] {
        let mut times = Vec::new();
        for path in paths.iter().cycle().take(TIMES as usize) {
            let request = Request::get(path).header(header::COOKIE, &cookie).body(Body::empty())?;
            let begun = Instant::now();
            let answer = router.clone().oneshot(request).await?;
            anyhow::ensure!(answer.status().is_success(), "{path}: {}", answer.status());
            to_bytes(answer.into_body(), 1 << 24).await?;
            times.push(begun.elapsed());
        }
        told(what, times);
    }
    Ok(())
}

fn each(patients: &[String], page: &str) -> Vec<String> {
    patients.iter().map(|patient| format!("/patients/{patient}{page}")).collect()
}

fn told(what: &str, mut times: Vec<Duration>) {
    let first = times[0];
    times.sort();
    let ms = |time: Duration| time.as_secs_f64() * 1000.0;
    let middle = times[times.len() / 2];
    let most = times[times.len() - 1];
    println!("{what}: first {:.1} ms, middle {:.1} ms, most {:.1} ms", ms(first), ms(middle), ms(most));
}

//! The thread that writes down, and who sees to it that it lives.

use super::*;
use crate::floor::{evaluate, keep_records};
use std::io::{PipeReader, Read, pipe};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// Runs the evaluator with a keeper and gives the lines that the watchdog gets within a second.
fn rounds_with(clinic: &Clinic, keeper: JoinHandle<()>) -> usize {
    let (stop, stopping) = watch::channel(false);
    let (mut lines, feed): (PipeReader, _) = pipe().expect("a pipe");
    let floor = Arc::clone(&clinic.floor);
    let evaluator = std::thread::spawn(move || evaluate(&floor, &stopping, &keeper, feed));
    let (_wait, waited) = std::sync::mpsc::channel::<()>();
    let _ = waited.recv_timeout(Duration::from_secs(1));
    stop.send(true).expect("it listens");
    evaluator.join().expect("it ends");
    let mut text = String::new();
    lines.read_to_string(&mut text).expect("text");
    text.lines().filter(|line| *line == crate::supervise::ROUND).count()
}

/// Hazard 18: lost pumps, kept minutes and waiting alarm lines hang on this thread.
#[test]
fn a_keeper_that_fell_starves_the_watchdog_and_the_pages_say_so() {
    let clinic = Clinic::new();
    let (stop, stopping) = watch::channel(false);
    let floor = Arc::clone(&clinic.floor);
    let keeper = std::thread::spawn(move || keep_records(&floor, &stopping));
    assert!(rounds_with(&clinic, keeper) > 0);
    assert!(clinic.floor.is_recording());
    stop.send(true).expect("it listens");
    let fell = std::thread::spawn(|| {});
    while !fell.is_finished() {
        std::thread::yield_now();
    }
    assert_eq!(rounds_with(&clinic, fell), 0);
    assert!(!clinic.floor.is_recording());
}

/// A log that takes long costs the record, never the watch.
#[test]
fn a_keeper_that_waits_is_told_and_ends_nothing() {
    let clinic = Clinic::new();
    for _ in 0..=100 {
        clinic.floor.round();
    }
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let waits = std::thread::spawn(move || {
        let _ended = wait.recv();
    });
    assert!(rounds_with(&clinic, waits) > 0);
    assert!(!clinic.floor.is_recording());
    drop(go);
    clinic.floor.keep();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    rounds_with(
        &clinic,
        std::thread::spawn(move || {
            let _ended = wait.recv();
        }),
    );
    assert!(clinic.floor.is_recording());
    drop(go);
}

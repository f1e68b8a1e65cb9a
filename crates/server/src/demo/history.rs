//! The year behind a demonstration: what made-up people did goes into the log as it would have, entry by entry, before
//! the day begins.

use super::stage::hire;
use crate::AppState;
use crate::clock::{Clock, Ids};
use crate::config::Config;
use anyhow::{Context, anyhow};
use clinic::knowledge::Knowledge;
use jiff::Timestamp;
use sim::history::{Entry, History};
use std::sync::mpsc;
use store::{Append, AppendError, NewEvent, Store, StreamWrite};
use tokio::sync::watch;

/// Entries that may wait for the log; whoever makes more of them waits too.
const WAITING_MAX: usize = 2_048;

/// Hires the staff a year ago and lets `patients` people live until the day of `opens`. Does nothing for none.
///
/// # Errors
/// The log, or that the history and the rules do not fit together.
pub(super) fn lived_through(
    config: &Config,
    stopping: watch::Receiver<bool>,
    opens: Timestamp,
    (patients, seed): (u32, u64),
) -> anyhow::Result<()> {
    if patients == 0 {
        return Ok(());
    }
    let zone = config.time_zone();
    let knowledge = Knowledge::shipped().map_err(|cause| anyhow!("{cause}"))?;
    let until = opens.to_zoned(zone.clone()).date();
    let history = History { knowledge: &knowledge, seed, until, zone: zone.clone() };
    let begins = history.from().to_zoned(zone).context("the first day")?.timestamp();
    let clock = Clock::held(begins);
    let state = AppState::open(config.clone(), clock.clone(), Ids::system(clock), stopping)?;
    hire(&state)?;
    let year = history.year(patients)?;
    record(&state.store, &config.site, year)
}

/// Writes entries into the log in their order.
///
/// # Errors
/// The first that the log did not take.
pub fn record(store: &Store, site: &str, entries: impl IntoIterator<Item = Entry>) -> anyhow::Result<()> {
    let (tell, told) = mpsc::channel::<Result<(), AppendError>>();
    let mut waiting = 0;
    let taken = || told.recv().context("the log answers no more")?.context("the log takes no history");
    for entry in entries {
        if waiting == WAITING_MAX {
            taken()?;
            waiting -= 1;
        }
        let tell = tell.clone();
        // Whoever waits for it may have gone at an error before.
        store.submit(append(site, entry), move |answer| drop(tell.send(answer.map(drop))));
        waiting += 1;
    }
    for _ in 0..waiting {
        taken()?;
    }
    Ok(())
}

fn append(site: &str, entry: Entry) -> Append {
    let event = |(kind, body)| NewEvent { kind, body };
    let writes = entry.writes.into_iter().map(|write| StreamWrite {
        stream: write.stream,
        expected: None,
        events: write.events.into_iter().map(event).collect(),
    });
    Append {
        site: site.to_owned(),
        command_id: entry.command.0,
        author: entry.by.0,
        at_us: entry.at.as_microsecond(),
        writes: writes.collect(),
        reply: String::new(),
        closing: false,
    }
}

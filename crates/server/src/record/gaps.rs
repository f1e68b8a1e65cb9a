//! Where nothing was measured while drug ran or the patient recovered: from when to when, and why. Told from the alarms
//! about silence, which the clock of the server raises; what never came cannot be told from the readings.

use super::Teller;
use super::care::{Life, lives};
use super::sheet::Table;
use clinic::monitor::Condition;

/// Alarms that say that something is not measured, by the beginning of their code.
const SILENT: [&str; 5] = ["channel_missing", "cuff_missing", "patient_unseen", "link_lost/", "interrupted"];

/// The gaps, in the order in which they began.
pub(super) fn table(teller: &Teller) -> Table {
    let watch = teller.knowledge.watch().and_then(|watch| watch.technical(Condition::ChannelMissing));
    let stale_s = watch.and_then(|silent| silent.steps.first()).map_or(0, |step| step.after_s);
    let heads = [("From", 14), ("To", 14), ("Length", 14), ("What was missing, and why", 58)];
    let none = format!("None longer than {stale_s} s.");
    let mut table = Table::new("Gaps in what was measured during infusion and recovery", &heads, &none);
    let mut gaps: Vec<Life> = lives(teller);
    gaps.retain(|life| SILENT.iter().any(|code| life.alarm.code.starts_with(code)));
    gaps.sort_by_key(|life| life.alarm.since);
    for gap in gaps {
        let from = gap.alarm.since;
        // An interruption is over when it is noticed; its alarm stays until somebody has seen it.
        let to = if gap.alarm.code == "interrupted" { Some(gap.raised) } else { gap.over.or(gap.cleared) };
        let seconds = to.map(|to| to.duration_since(from).as_secs());
        table.row([
            teller.clock_s(from).into(),
            to.map_or_else(|| "not in the log".to_owned(), |to| teller.clock_s(to)).into(),
            seconds.map_or_else(|| "open".to_owned(), |s| format!("{} min {} s", s / 60, s % 60)).into(),
            gap.alarm.message.clone().into(),
        ]);
    }
    table
}

//! Where nothing was measured while drug ran or the patient recovered: from when to when, and why. Told from the alarms
//! about silence, which the clock of the server raises; what never came cannot be told from the readings. Where people
//! measured, it is told from the times of what they charted.

use super::Teller;
use super::care::{Life, Spell, lives};
use super::observations::seen;
use super::sheet::Table;
use clinic::knowledge::observations::Row;
use clinic::monitor::{Condition, Observed, Phase};
use clinic::session::Finding;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What is silent, by the beginning of the alarm's code.
const SILENT: [(&str, Silence); 8] = [
    ("channel_missing", Silence::Monitor),
    ("patient_unseen", Silence::Monitor),
    ("link_lost/", Silence::Monitor),
    ("cuff_missing", Silence::Cuff),
    ("pump_silent", Silence::Pump),
    // Nobody looked at the pump, or asked the cuff as often as the pressure called for.
    ("overdue/pump", Silence::Pump),
    ("overdue/nibp", Silence::Cuff),
    ("interrupted", Silence::Server),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Silence {
    Monitor,
    Pump,
    Cuff,
    Server,
    /// What people alone observe.
    People,
}

/// One silence, with every alarm that told of it: it grows from a channel to all of them, and finds its reason late.
struct Gap {
    of: Silence,
    from: Timestamp,
    /// `None` while it lasts.
    to: Option<Timestamp>,
    why: Vec<(Timestamp, String)>,
}

/// The gaps, in the order in which they began.
pub(super) fn table(teller: &Teller) -> Table {
    let watch = teller.knowledge.watch().and_then(|watch| watch.technical(Condition::ChannelMissing));
    let stale_s = watch.and_then(|silent| silent.steps.first()).map_or(0, |step| step.after_s);
    let heads = [("From", 14), ("To", 14), ("Length", 14), ("What was missing, and why", 58)];
    let by_hand = teller.history.readings.is_empty() && teller.history.late.is_empty();
    let none = if by_hand && teller.session.delivery.started().is_none() {
        "No drug flowed.".to_owned()
    } else if by_hand {
        "No monitor measured here, and people charted as often as the observation schedule asks.".to_owned()
    } else {
        format!(
            "None: devices were never silent for longer than {stale_s} s, and people charted as often as the observation \
             schedule asks."
        )
    };
    let mut table = Table::new("Gaps in what was measured during infusion and recovery", &heads, &none);
    let mut told: Vec<Gap> = lives(teller).iter().flat_map(|life| gaps_of(teller, life)).collect();
    // Readings that are gone from the log are no silence.
    if teller.history.doubtful.is_empty() {
        told.extend(not_charted(teller));
    }
    for Gap { from, to, why, .. } in merged(told) {
        let seconds = to.map(|to| to.duration_since(from).as_secs());
        let one = why.len() == 1;
        let why = why.into_iter().map(
            |(told, why)| {
                if one { why } else { format!("{}: {why}", teller.clock_s(told)) }
            },
        );
        table.row([
            teller.clock_s(from).into(),
            to.map_or_else(|| "not in the log".to_owned(), |to| teller.clock_s(to)).into(),
            seconds.map_or_else(|| "open".to_owned(), |s| format!("{} min {} s", s / 60, s % 60)).into(),
            why.collect::<Vec<_>>().join("; ").into(),
        ]);
    }
    table
}

/// Where something was seen later than the schedule asks, by people or devices, with as much grace as it has before it is
/// overdue: what was missed in the same time in one line.
fn not_charted(teller: &Teller) -> Vec<Gap> {
    let Some(started) = teller.session.delivery.started() else { return Vec::new() };
    let schedule = teller.knowledge.schedule_of(teller.session.regimen.as_ref());
    let rows = schedule.map(|schedule| schedule.body.rows.as_slice()).unwrap_or_default();
    let seen = when_seen(teller);
    let mut missed: BTreeMap<(Timestamp, Timestamp, Silence), Vec<&str>> = BTreeMap::new();
    // Who reads the pump is told by its alarms, and with what it gave.
    for row in rows.iter().filter(|row| !row.only_if_expected && row.what != Observed::Pump) {
        let of = match row.what {
            Observed::Nibp => Silence::Cuff,
            Observed::Spo2 | Observed::HeartRate | Observed::RespiratoryRate => Silence::Monitor,
            _ => Silence::People,
        };
        let times = seen.get(&row.what).map(Vec::as_slice).unwrap_or_default();
        for (from, to) in too_long(teller, row, started, times) {
            missed.entry((from, to, of)).or_default().push(&row.title);
        }
    }
    let told = missed.into_iter().map(|((from, to, of), titles)| {
        let why = format!("{} not charted by anybody", titles.join(", "));
        Gap { of, from, to: Some(to), why: vec![(from, why)] }
    });
    told.collect()
}

/// When each observation was made. What was struck observed nothing.
fn when_seen(teller: &Teller) -> BTreeMap<Observed, Vec<Timestamp>> {
    let mut when: BTreeMap<Observed, Vec<Timestamp>> = BTreeMap::new();
    for one in teller.history.events.iter().filter(|one| !teller.amended.contains_key(&one.position)) {
        let Some((at, finding)) = seen(one) else { continue };
        match &*finding {
            Finding::Vitals { values } => {
                values.keys().filter_map(|sign| Observed::by(*sign)).for_each(|of| {
                    when.entry(of).or_default().push(at);
                });
            }
            other => Observed::of(other).into_iter().for_each(|of| when.entry(of).or_default().push(at)),
        }
    }
    for (at, sign, _) in teller.history.readings.iter().chain(&teller.history.late) {
        if let Some(of) = Observed::by(*sign) {
            when.entry(of).or_default().push(*at);
        }
    }
    when
}

/// The stretches of infusion and recovery in which an observation was not made for longer than it may be.
fn too_long(
    teller: &Teller,
    row: &Row,
    started: Timestamp,
    seen: &[Timestamp],
) -> Vec<(Timestamp, Timestamp)> {
    let Teller { session, knowledge, .. } = teller;
    let ended = session.ended.as_ref().map_or(teller.end, |(_, _, at)| *at);
    let over = session.closed_at.unwrap_or(teller.end);
    let most_s = |phase| Some(knowledge.watch()?.overdue_s(row.every_s(phase, false)?));
    let (infusing_s, recovering_s) = (most_s(Phase::Infusing), most_s(Phase::Recovering));
    let within = seen.iter().copied().filter(|at| (started..over).contains(at));
    let mut times: Vec<Timestamp> = within.chain([started, over]).collect();
    times.sort_unstable();
    let lasts = |from: Timestamp, to: Timestamp| to.duration_since(from).as_secs();
    let is_gap = |from: Timestamp, to: Timestamp| {
        infusing_s.is_some_and(|most| lasts(from, to.min(ended)) > most)
            || recovering_s.is_some_and(|most| lasts(from.max(ended), to) > most)
    };
    let pairs = times.iter().zip(times.iter().skip(1)).map(|(from, to)| (*from, *to));
    // What is not asked in recovery is missed until the end of the infusion.
    let to_the_end = |to: Timestamp| if recovering_s.is_none() { to.min(ended) } else { to };
    pairs.filter(|(from, to)| is_gap(*from, *to)).map(|(from, to)| (from, to_the_end(to))).collect()
}

/// What one alarm tells of silences, one for each time that it came; none where it is about something else.
fn gaps_of(teller: &Teller, life: &Life) -> Vec<Gap> {
    let code = life.alarm.code.as_str();
    let Some((_, of)) = SILENT.into_iter().find(|(begins, _)| code.starts_with(begins)) else {
        return Vec::new();
    };
    let pump = teller.session.program.as_ref().and_then(|(program, _)| program.device.as_ref());
    let of_the_pump = pump.is_some_and(|pump| code == format!("link_lost/{pump}"));
    let of = if of_the_pump { Silence::Pump } else { of };
    let mut before = None;
    let gap = |Spell { alarm, told, over }: &Spell| {
        // An interruption is over when it is noticed; its alarm stays until somebody has seen it.
        let to = if of == Silence::Server { Some(*told) } else { over.or(life.cleared) };
        // An alarm that comes back milder stays as it was, also in what it says of its beginning.
        let from = before.map_or(alarm.since, |ended| alarm.since.max(ended));
        before = to;
        Gap { of, from, to, why: vec![(*told, alarm.message.clone())] }
    };
    life.spells.iter().map(gap).collect()
}

/// What overlaps is one silence of the same. Two that only touch are parted by what was measured then.
fn merged(mut told: Vec<Gap>) -> Vec<Gap> {
    told.sort_by_key(|gap| (gap.from, gap.why.first().map(|(raised, _)| *raised)));
    let mut gaps: Vec<Gap> = Vec::new();
    for gap in told {
        // What people missed has its own line for each time.
        let before = gaps.iter_mut().rev().find(|before| before.of == gap.of && gap.of != Silence::People);
        match before.filter(|before| before.to.is_none_or(|to| gap.from < to)) {
            None => gaps.push(gap),
            Some(before) => {
                before.to = before.to.zip(gap.to).map(|(a, b)| a.max(b));
                before.why.extend(gap.why);
                before.why.sort_by_key(|(raised, _)| *raised);
            }
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a time")
    }

    fn told((of, from, lasts): (Silence, i64, Option<i64>)) -> Gap {
        Gap {
            of,
            from: at(from),
            to: lasts.map(|lasts| at(from + lasts)),
            why: vec![(at(from), String::new())],
        }
    }

    fn silent_at(gaps: &[Gap], of: Silence, second: i64) -> usize {
        let lasts =
            |gap: &&Gap| gap.of == of && gap.from <= at(second) && gap.to.is_none_or(|to| at(second) < to);
        gaps.iter().filter(lasts).count()
    }

    #[test]
    fn a_silence_that_three_alarms_told_of_is_one_gap_with_its_reasons() {
        let gap = |from, to, why: &str| {
            let why = vec![(at(to - 10), why.to_owned())];
            Gap { of: Silence::Monitor, from: at(from), to: Some(at(to)), why }
        };
        let gaps = merged(vec![
            gap(100, 190, "Connection lost: monitor m1"),
            gap(100, 111, "No reading: SpO₂"),
            gap(102, 130, "No sensor has a value"),
        ]);
        let [one] = gaps.as_slice() else { panic!("{} gaps", gaps.len()) };
        assert_eq!((one.from, one.to), (at(100), Some(at(190))));
        let why: Vec<&str> = one.why.iter().map(|(_, why)| why.as_str()).collect();
        assert_eq!(why, ["No reading: SpO₂", "No sensor has a value", "Connection lost: monitor m1"]);
    }

    #[test]
    fn two_silences_that_a_measurement_parted_stay_two() {
        let cuff = |from, lasts| told((Silence::Cuff, from, Some(lasts)));
        assert_eq!(merged(vec![cuff(0, 600), cuff(600, 900)]).len(), 2);
        assert_eq!(merged(vec![cuff(0, 601), cuff(600, 900)]).len(), 1);
    }

    /// At each moment as much is silent after the merging as before it, once, and no reason is lost.
    #[test]
    fn merging_hides_no_second_of_silence() {
        const KINDS: [Silence; 2] = [Silence::Monitor, Silence::Pump];
        let lasting = [Some(0), Some(2), None];
        let one = || {
            let begins = KINDS.into_iter().flat_map(|of| (0..4).map(move |from| (of, from)));
            begins.flat_map(|(of, from)| lasting.map(|lasts| (of, from, lasts)))
        };
        for all in one().flat_map(|a| one().flat_map(move |b| one().map(move |c| [a, b, c]))) {
            let (plain, gaps) = (all.map(told), merged(all.map(told).into()));
            for (of, second) in KINDS.into_iter().flat_map(|of| (0..8).map(move |second| (of, second))) {
                let before = silent_at(&plain, of, second).min(1);
                assert_eq!(silent_at(&gaps, of, second), before, "{all:?}: {of:?} at {second}");
            }
            assert_eq!(gaps.iter().map(|gap| gap.why.len()).sum::<usize>(), 3, "{all:?}");
        }
    }
}

//! The course on one time axis, and what was delivered by stretches.

use super::chart::{Course, Flow};
use super::sheet::{Part, Section, Table, fact};
use super::{Teller, nothing, observations, visit};
use clinic::device::PumpStatus;
use clinic::quantity::{Microlitres, Rate, flowed, mass_in, plain};
use clinic::session::delivery::elapsed_ms;
use clinic::session::{Event, ReadBy, Recorded};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// How much is drawn before the first and after the last thing.
const MARGIN: SignedDuration = SignedDuration::from_mins(3);

/// Chart and numbered events; nothing when the visit has neither.
pub(super) fn course(teller: &Teller) -> Option<Section> {
    let (vitals, late) = (observations::vitals(teller), observations::late(teller));
    let events = numbered(teller);
    let times = || vitals.iter().chain(&late).map(|(at, _, _)| *at).chain(events.iter().map(|one| one.at));
    let (first, last) = (times().min()?, times().max()?);
    let drugs = drugs(teller);
    let infused = teller.session.order.as_ref().map_or("ketamine", |(order, _)| order.drug.as_str());
    let marks: Vec<Timestamp> = events.iter().map(|one| one.at).collect();
    let course = Course {
        from: first.checked_sub(MARGIN).unwrap_or(first),
        to: last.checked_add(MARGIN).unwrap_or(last),
        vitals: &vitals,
        late: &late,
        flows: &flows(teller),
        infused,
        delivered: visit::dose(teller),
        drugs: &drugs,
        events: &marks,
        zone: teller.zone,
    };
    let mut table =
        Table::new("Numbered events", &[("No.", 6), ("Time", 12), ("What", 58), ("By", 24)], "None.");
    for (n, one) in events.iter().enumerate() {
        let line = teller.cell(one.position, crate::words::line(&one.event, teller.knowledge));
        table.row([
            (n + 1).to_string().into(),
            teller.clock_s(one.at).into(),
            line,
            teller.who(&one.by).into(),
        ]);
    }
    Some(Section::new("Course", vec![Part::Picture(course.draw()), Part::Table(table)]))
}

/// What belongs on the time axis: everything that changed the infusion or the patient, not each observation.
fn numbered<'a>(teller: &Teller<'a>) -> Vec<&'a Recorded> {
    let belongs = |event: &Event| {
        matches!(
            event,
            Event::InfusionStarted { .. }
                | Event::RateChanged { .. }
                | Event::InfusionPaused { .. }
                | Event::InfusionResumed { .. }
                | Event::InfusionEnded { .. }
                | Event::DeliveryBecameUncertain { .. }
                | Event::CounterDoubted(_)
                | Event::AdverseEventNoted(_)
                | Event::DrugWasGiven(_)
                | Event::Transferred { .. }
        )
    };
    let turned: Vec<i64> = turns(teller).iter().filter_map(|turn| Some(turn.by?.position)).collect();
    let events = teller.history.events.iter();
    events.filter(|one| belongs(&one.event) || turned.contains(&one.position)).collect()
}

/// What set the pump, or told that it does something else than it was set to: from when, its rate, and why it is none.
struct Turn<'a> {
    at: Timestamp,
    rate: Rate,
    still: &'static str,
    by: Option<&'a Recorded>,
}

/// A pump that was read to do something else while the record says that it runs gives nothing by its rate until it is
/// read to run, or set anew.
fn turns<'a>(teller: &Teller<'a>) -> Vec<Turn<'a>> {
    let mut turns: Vec<Turn<'a>> = Vec::new();
    let mut set = Rate::ZERO;
    for one in &teller.history.events {
        let (at, rate, still) = match &one.event {
            Event::InfusionStarted { rate, .. }
            | Event::InfusionResumed { rate, .. }
            | Event::RateChanged { to: rate, .. } => (one.at, *rate, ""),
            Event::InfusionPaused { .. } => (one.at, Rate::ZERO, "paused"),
            Event::InfusionEnded { .. } => (one.at, Rate::ZERO, "stopped"),
            Event::PumpWasRead(read) if set > Rate::ZERO => {
                let stood = turns.last().is_some_and(|turn| turn.rate <= Rate::ZERO);
                let still = match (read.status, stood) {
                    (PumpStatus::Infusing, true) => "",
                    (PumpStatus::NotInfusing, false) => "read as not running",
                    (PumpStatus::KeepVeinOpen, false) => "read as keeping the vein open",
                    (PumpStatus::Unknown, false) => "read as not known",
                    _ => continue,
                };
                (read.read_at, if still.is_empty() { set } else { Rate::ZERO }, still)
            }
            _ => continue,
        };
        if !matches!(one.event, Event::PumpWasRead(_)) {
            set = rate;
        }
        turns.push(Turn { at, rate, still, by: Some(one) });
    }
    turns
}

/// Stretches between the acts that set the pump. What flowed in each is what the log counts for that time.
pub(super) fn flows(teller: &Teller) -> Vec<Flow> {
    let mut settings = turns(teller);
    let rest = |at| Turn { at, rate: Rate::ZERO, still: "stopped", by: None };
    let strength = teller.session.concentration().unwrap_or_default();
    let delivery = &teller.session.delivery;
    if delivery.ended().is_none() {
        settings.push(rest(teller.end));
    } else if visit::after_stop(teller).is_some() {
        settings.extend(delivery.counted_at().map(rest));
    }
    let segments = teller.session.delivery.segments_to(teller.end);
    let stretch = |begin: &Turn, to: Timestamp, is_last: bool| {
        let Turn { at: from, rate, still, .. } = *begin;
        let volume = segments
            .iter()
            .filter(|segment| from <= segment.from && (segment.from < to || is_last))
            .map(|segment| segment.volume)
            .fold(Microlitres::ZERO, Microlitres::plus);
        Flow { from, to, rate, still, volume, mass: mass_in(volume, strength) }
    };
    let mut flows = Vec::new();
    for (n, pair) in settings.windows(2).enumerate() {
        let [begin, end] = pair else { continue };
        let flow = stretch(begin, end.at, n + 2 == settings.len());
        if flow.to > flow.from || flow.volume > Microlitres::ZERO {
            flows.push(flow);
        }
    }
    flows
}

fn drugs(teller: &Teller) -> Vec<(String, Vec<(Timestamp, String)>)> {
    let mut rows: BTreeMap<String, Vec<(Timestamp, String)>> = BTreeMap::new();
    for (given, _) in &teller.session.drugs {
        let dose = format!("{} {}", plain(given.dose), given.unit);
        rows.entry(format!("{} {}", given.drug, given.route)).or_default().push((given.given_at, dose));
    }
    rows.into_iter().collect()
}

/// Delivery by stretches, with how it is known.
pub(super) fn delivery(teller: &Teller) -> Section {
    const TITLE: &str = "Delivery";
    let session = teller.session;
    if session.delivery.started().is_none() {
        return nothing(TITLE, "No drug flowed.");
    }
    let heads = [("From", 14), ("To", 14), ("Pump set to", 18), ("Volume", 18), ("Dose", 18), ("Time", 18)];
    let mut table = Table::new("What flowed", &heads, "Nothing.");
    for flow in flows(teller) {
        let minutes = flow.to.duration_since(flow.from).as_secs();
        let sure = session.delivery.uncertain_since(teller.end).is_none_or(|since| flow.to <= since);
        let known = if sure { "" } else { "at least " };
        let set = if flow.rate > Rate::ZERO { flow.rate.to_string() } else { flow.still.to_owned() };
        table.row([
            teller.clock_s(flow.from).into(),
            teller.clock_s(flow.to).into(),
            set.into(),
            format!("{known}{}{}", flow.volume, beside_the_rate(&flow, teller)).into(),
            format!("{known}{}", flow.mass).into(),
            format!("{} min {} s", minutes / 60, minutes % 60).into(),
        ]);
    }
    let paused = session.paused_s(teller.end);
    let facts = vec![
        fact("Delivered in all", visit::delivered(teller)),
        fact(
            "Ordered",
            session
                .order
                .as_ref()
                .map_or_else(String::new, |(order, _)| format!("{} in {}", order.dose, order.volume)),
        ),
        fact("Paused in all", format!("{} min {} s", paused / 60, paused % 60)),
        fact("Pump readings by its link", link_readings(teller)),
    ];
    let parts = vec![Part::Facts(facts), Part::Table(table), Part::Table(pump_table(teller))];
    Section::new(TITLE, parts)
}

/// What the rate alone would have given, where the pump counted something else.
fn beside_the_rate(flow: &Flow, teller: &Teller) -> String {
    let rules = teller.knowledge.session_rules();
    let by_rate = flowed(flow.rate, elapsed_ms(flow.from, flow.to));
    let on_the_way = flowed(flow.rate, rules.link_lost_after_s.saturating_mul(1000));
    let apart = flow.volume.minus(by_rate).0.abs();
    if flow.rate <= Rate::ZERO || apart <= rules.vtbi_match.plus(on_the_way).0 {
        return String::new();
    }
    format!(" (the rate alone: {by_rate})")
}

fn link_readings(teller: &Teller) -> String {
    let reads: Vec<_> = teller
        .history
        .events
        .iter()
        .filter_map(|one| match &one.event {
            Event::PumpWasRead(read) if matches!(read.by, ReadBy::Link(_)) => Some((one.at, read)),
            _ => None,
        })
        .collect();
    match (reads.first(), reads.last()) {
        (Some((first, _)), Some((last, read))) => format!(
            "{} from {} to {}; last count {}",
            reads.len(),
            teller.clock_s(*first),
            teller.clock_s(*last),
            read.counter
        ),
        _ => "None".to_owned(),
    }
}

/// What people read from the pump, what it reported, and when nobody knew.
fn pump_table(teller: &Teller) -> Table {
    let heads = [("Time", 14), ("What", 62), ("By", 24)];
    let mut table = Table::new("Pump: read by people, reported, uncertain", &heads, "Nothing of the kind.");
    for one in &teller.history.events {
        let shown = match &one.event {
            Event::PumpWasRead(read) => read.by.eye(),
            Event::PumpTold { .. }
            | Event::PumpToldUndated { .. }
            | Event::PumpReported { .. }
            | Event::DeliveryBecameUncertain { .. }
            | Event::CounterDoubted(_)
            | Event::StartCounterCorrected { .. } => true,
            _ => false,
        };
        if shown {
            let line = match &one.event {
                Event::DeliveryBecameUncertain { since } => {
                    format!("Delivery uncertain since {}, until the pump is read", teller.clock_s(*since))
                }
                event @ Event::CounterDoubted(told) => {
                    let line = crate::words::line(event, teller.knowledge);
                    format!("{line}; known until {}", teller.clock_s(told.since))
                }
                event @ Event::PumpTold { late: true, .. } => {
                    let told = crate::words::line(event, teller.knowledge);
                    format!("{told}, told at {}", teller.clock_s(one.at))
                }
                event => crate::words::line(event, teller.knowledge),
            };
            table.row([
                teller.clock_s(one.happened_at()).into(),
                teller.cell(one.position, line),
                teller.who(&one.by).into(),
            ]);
        }
    }
    table
}

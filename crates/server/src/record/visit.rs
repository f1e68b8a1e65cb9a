//! Who, when, where, and how it came out: the facts on top.

use super::Teller;
use super::sheet::{Part, Section, fact};
use clinic::patient::{Allergies, Patient};
use clinic::quantity::Microlitres;
use clinic::session::delivery::Certainty;
use clinic::session::{Event, StopReason};

pub(super) fn told(teller: &Teller) -> Section {
    let session = teller.session;
    let mut facts = teller
        .history
        .patient
        .as_ref()
        .map_or_else(|| vec![fact("Patient", "Not in the log")], |patient| person(teller, patient));
    facts.push(fact("Treatment", treatment(teller)));
    facts.push(fact("Day", session.day.map_or_else(|| "Not planned".to_owned(), |day| day.to_string())));
    facts.push(fact("Chair", session.chair.as_ref().map_or("Not checked in", |chair| chair.as_str())));
    facts.push(fact("Checked in", at(teller, session.checked_in_at)));
    let weight = match session.weight {
        Some((weight, at)) => format!("{weight} at {}", teller.clock(at)),
        None => "Not weighed".to_owned(),
    };
    facts.push(fact("Weight", weight));
    facts.push(fact(
        "Height",
        session.height.map_or_else(|| "Not recorded".to_owned(), |height| height.to_string()),
    ));
    facts.push(fact("Infusion started", at(teller, session.delivery.started())));
    facts.push(fact("Infusion ended", ended(teller)));
    facts.push(fact("Delivered", delivered(teller)));
    facts.push(fact("Visit", visit(teller)));
    facts.push(fact("Times", zone(teller)));
    Section::new("Patient and visit", vec![Part::Facts(facts)])
}

fn person(teller: &Teller, patient: &Patient) -> Vec<(String, String)> {
    let age = teller.day.map_or_else(String::new, |day| format!(" ({} years)", patient.age_on(day)));
    let sex = match patient.sex.as_str() {
        "f" => "female",
        "m" => "male",
        other => other,
    };
    let allergies = match &patient.allergies {
        Allergies::NotRecorded => "Not recorded".to_owned(),
        Allergies::NoneKnown => "None known".to_owned(),
        Allergies::Known(list) => format!("ALLERGIC: {}", list.join(", ")),
    };
    vec![
        fact("Patient", patient.banner_name()),
        fact("Born", format!("{}{age}", patient.born)),
        fact("Record number", patient.mrn.clone()),
        fact("Sex", sex),
        fact("Allergies", allergies),
    ]
}

fn treatment(teller: &Teller) -> String {
    let (infusion, of) = teller.session.infusion;
    match &teller.session.regimen {
        Some(regimen) => format!("{}; infusion {infusion} of {of}", teller.title_of(regimen.as_str())),
        None => "Not planned".to_owned(),
    }
}

fn at(teller: &Teller, at: Option<jiff::Timestamp>) -> String {
    at.map_or_else(|| "No".to_owned(), |at| teller.clock_s(at))
}

fn ended(teller: &Teller) -> String {
    match &teller.session.ended {
        None => "No".to_owned(),
        Some((why, reason, at)) => {
            let why = match why {
                StopReason::Completed => "complete",
                StopReason::StoppedEarly => "stopped early",
            };
            let reason = if reason.trim().is_empty() { String::new() } else { format!(": {reason}") };
            format!("{}, {why}{reason}", teller.clock_s(*at))
        }
    }
}

/// The dose that went in, or the least of it that is known.
pub(super) fn dose(teller: &Teller) -> String {
    let mass = teller.session.delivered_mass(teller.end);
    crate::words::known(teller.session, teller.end, mass, |mass| mass.to_string())
}

/// The same with its volume and how sure it is.
pub(super) fn delivered(teller: &Teller) -> String {
    let session = teller.session;
    if session.delivery.started().is_none() {
        return "Nothing".to_owned();
    }
    let volume = session.delivery.volume_at(teller.end);
    let mass = dose(teller);
    let certainty = session.delivery.certainty(teller.end);
    if let Some(doubt) = crate::words::doubt(session, teller.zone, teller.end) {
        let most = match certainty {
            Certainty::Uncertain { high, .. } => {
                session.concentration().map(|strength| clinic::quantity::mass_in(high, strength))
            }
            Certainty::Read | Certainty::Recorded => None,
        };
        let most = most.map_or_else(String::new, |most| format!(" At most {most}, had it gone on."));
        return format!("UNCERTAIN: {mass}, {doubt}.{most}");
    }
    let sure = how_known(teller);
    let after =
        after_stop(teller).map_or_else(String::new, |after| format!("; {after} of it flowed after the stop"));
    format!("{mass} in {volume}, {sure}{after}")
}

/// What flowed after the stop, where it is as much as a pump shows.
pub(super) fn after_stop(teller: &Teller) -> Option<Microlitres> {
    let after = teller.session.delivery.after_end();
    let shows = teller.knowledge.session_rules().vtbi_match;
    (after > Microlitres::ZERO && after >= shows).then_some(after)
}

/// How the volume is known: by the pump's own message, by the eyes of a person, who can misread, or by neither yet.
pub(super) fn how_known(teller: &Teller) -> String {
    let delivery = &teller.session.delivery;
    let last = teller.history.events.iter().rev().find_map(|one| match &one.event {
        Event::PumpWasRead(read) => Some((one, read)),
        _ => None,
    });
    match last {
        None if delivery.started().is_none() => "the infusion has not started".to_owned(),
        None => "DELIVERY NOT READ: by the recorded rates alone".to_owned(),
        Some(_) if delivery.certainty(teller.end) != Certainty::Read => {
            "by the recorded rates; the pump was not read since the last change".to_owned()
        }
        Some((one, read)) if read.by.eye() => {
            format!("as read by {} at {}", teller.who(&one.by), teller.clock(read.read_at))
        }
        Some(_) => "as the pump counted".to_owned(),
    }
}

fn visit(teller: &Teller) -> String {
    match teller.session.closed_at {
        Some(at) => format!("{} at {}", crate::words::phase_title(teller.session.phase), teller.clock(at)),
        None => format!("Open: {}", teller.session.phase.title()),
    }
}

fn zone(teller: &Teller) -> String {
    let name = teller.zone.iana_name().unwrap_or("UTC");
    let offset = teller.end.to_zoned(teller.zone.clone()).strftime("%:z").to_string();
    format!("{name} (UTC{offset})")
}

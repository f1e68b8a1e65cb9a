//! A year of a few people: over in time, the same for the same seed, and every act decided by the domain.

use super::*;
use clinic::scenario::{self, Cause};
use clinic::session::{self, Phase, Recorded};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static KNOWLEDGE: LazyLock<Knowledge> =
    LazyLock::new(|| Knowledge::shipped().unwrap_or_else(|error| panic!("{error}")));

fn history(seed: u64) -> History<'static> {
    let until = jiff::civil::date(2026, 11, 20);
    History { knowledge: &KNOWLEDGE, seed, until, zone: TimeZone::get("America/New_York").expect("a zone") }
}

fn year(seed: u64) -> Vec<Entry> {
    history(seed).year(8).unwrap_or_else(|stuck| panic!("{stuck}"))
}

fn stream<'a>(entries: &'a [Entry], prefix: &'a str) -> BTreeMap<&'a str, Vec<(&'a Entry, &'a str)>> {
    let mut streams: BTreeMap<&str, Vec<(&Entry, &str)>> = BTreeMap::new();
    for entry in entries {
        for write in entry.writes.iter().filter(|write| write.stream.starts_with(prefix)) {
            let lines = streams.entry(&write.stream).or_default();
            lines.extend(write.events.iter().map(|(_, body)| (entry, body.as_str())));
        }
    }
    streams
}

#[test]
fn the_same_seed_is_the_same_year_and_another_is_another() {
    assert!(year(7) == year(7), "it must repeat");
    assert!(year(7) != year(8));
}

#[test]
fn times_only_go_on_and_all_is_over_before_the_last_day() {
    let entries = year(7);
    assert!(entries.windows(2).all(|two| two[0].at <= two[1].at));
    let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.command.as_str()).collect();
    assert_eq!(ids.len(), entries.len(), "no act has the id of another");
    let until = history(7).until.to_zoned(history(7).zone).expect("a day").timestamp();
    assert!(entries.last().is_some_and(|last| last.at < until));
}

/// What is counted as treated was ordered, checked, delivered, wasted before a witness and sent home.
#[test]
fn every_visit_ends_at_home_with_every_microgram_in_an_account() {
    let entries = year(7);
    let visits = stream(&entries, "session/");
    assert!(visits.len() > 20, "{}", visits.len());
    for (id, lines) in visits {
        let recorded: Vec<Recorded> = lines
            .into_iter()
            .zip(1..)
            .map(|((entry, body), version)| Recorded {
                position: version,
                version,
                at: entry.at,
                by: entry.by.clone(),
                event: serde_json::from_str(body).expect("an event"),
            })
            .collect();
        let visit = session::replay(&recorded);
        let end = recorded.last().expect("a visit").at;
        let accounts = session::balance::Balance::of(&visit, end);
        assert_eq!(visit.phase, Phase::Discharged, "{id}");
        assert!(
            accounts.closed() && accounts.delivered > clinic::quantity::Micrograms(10_000),
            "{id}: {accounts:?}"
        );
    }
}

/// What was asked stands beside what followed, so that each visit can be decided again to the same bytes.
#[test]
fn every_visit_is_decided_again_as_it_was() {
    let entries = year(7);
    for (id, asked) in stream(&entries, "command/") {
        let visit = id.replacen("command/", "session/", 1);
        let mut version = 0;
        let told: Vec<(Cause, Vec<Recorded>)> = asked
            .into_iter()
            .map(|(entry, cause)| {
                let followed = entry.writes.iter().filter(|write| write.stream == visit);
                let events = followed.flat_map(|write| &write.events).map(|(_, body)| {
                    version += 1;
                    let event = serde_json::from_str(body).expect("an event");
                    Recorded { position: version, version, at: entry.at, by: entry.by.clone(), event }
                });
                let events = events.collect();
                (serde_json::from_str(cause).expect("what was asked"), events)
            })
            .collect();
        assert_eq!(
            version as usize,
            stream(&entries, &visit)[visit.as_str()].len(),
            "{id}: each has its cause"
        );
        let causes = told.iter().map(|(cause, events)| (cause, events.as_slice()));
        let scenario::Rerun { session: visit, otherwise, .. } = scenario::rerun(causes, &KNOWLEDGE);
        assert_eq!(otherwise, [], "{id}");
        assert_eq!(visit.phase, Phase::Discharged, "{id}");
    }
}

/// The floor itself says so: every chair that was taken was free, and is free at the end.
#[test]
fn nobody_sits_in_a_taken_chair() {
    let entries = year(7);
    let seats = stream(&entries, "floor");
    let floor = seats["floor"].iter().fold(Floor::default(), |floor, (_, body)| {
        let event: clinic::floor::Event = serde_json::from_str(body).expect("an event");
        if let clinic::floor::Event::ChairTaken { chair, .. } = &event {
            assert!(!floor.chairs.contains_key(chair), "{body}");
        }
        floor.evolve(&event)
    });
    assert!(floor.chairs.is_empty());
    assert_eq!(floor.version as usize, 2 * stream(&entries, "session/").len());
}

/// Every infusion was agreed to and booked by the signed plan of its patient, at its minute; what is to come stands in the calendar, and
/// none of it on the day that is told by others.
#[test]
fn every_infusion_was_booked_and_what_is_to_come_is() {
    use clinic::course::diary::{Day, Event};
    let history = history(7);
    let entries = history.year(40).unwrap_or_else(|stuck| panic!("{stuck}"));
    let mut booked = BTreeSet::new();
    let mut to_come = 0;
    for (stream, lines) in stream(&entries, "calendar/") {
        let held = lines.iter().map(|(_, body)| serde_json::from_str::<Event>(body).expect("an event"));
        let day = held.fold(Day::default(), |day, event| day.evolve(&event));
        assert!(
            stream != format!("calendar/{}", history.until),
            "nobody comes on the day of the demonstration"
        );
        if *stream > *format!("calendar/{}", history.until) {
            to_come += day.visits().len();
        }
        booked.extend(day.visits().into_iter().map(|(_, _, visit)| visit.start));
    }
    assert!(to_come > 0, "somebody is in the middle of a series");
    let mut infused = 0;
    for lines in stream(&entries, "session/").into_values() {
        let start = lines.iter().find(|(_, body)| body.contains("\"kind\":\"infusion_started\""));
        let (start, _) = start.expect("a start");
        assert!(booked.contains(&start.at), "{} was not booked", start.at);
        infused += 1;
    }
    assert!(infused > 100, "{infused}");
    let signed = stream(&entries, "consent/");
    let opened = stream(&entries, "course/");
    assert_eq!(signed.len(), opened.len(), "whoever has a plan was asked");
    assert!(
        signed.values().all(|lines| lines.last().is_some_and(|(_, body)| body.contains("consent_signed")))
    );
}

/// Shares of a hundred patients stand within what was published, wide enough for chance.
#[test]
fn about_half_respond_and_not_everything_is_answered() {
    let knowledge = &*KNOWLEDGE;
    let item = knowledge.scale("phq9").expect("shipped");
    let history = history(7);
    let mut became = Vec::new();
    for number in 0..100 {
        let entries = history
            .life(number, &mut Diary::of(number, history.until))
            .unwrap_or_else(|stuck| panic!("{stuck}"));
        became.extend(follow(&entries, item));
    }
    let all = clinic::outcome::counted(&became);
    let response = all.response.expect("some are known");
    assert!(all.treated > 80 && response.of > 50, "{all:?}");
    assert!((0.26..=0.72).contains(&response.share), "{response:?}");
    assert!(all.answered.missed > 0 && all.answered.answered > all.answered.missed, "{:?}", all.answered);
    let held = all.holding.expect("responders");
    assert!(held.at(56).is_some_and(|share| (0.35..0.9).contains(&share)), "{:?}", held.at(56));
}

fn follow(
    entries: &[Entry],
    item: &clinic::knowledge::Item<clinic::knowledge::scales::Scale>,
) -> Option<clinic::outcome::Became> {
    use clinic::outcome::{Infusion, Known, Question};
    use clinic::scale::questionnaire::Event as Scaled;
    let mut known = Known::default();
    for (_, lines) in stream(entries, "session/") {
        let start = lines.iter().find(|(_, body)| body.contains("\"kind\":\"infusion_started\""));
        known.infusions.extend(start.map(|(entry, _)| Infusion { at: entry.at, number: 0, of: 6 }));
    }
    known.infusions.sort_by_key(|infusion| infusion.at);
    for (number, infusion) in (1..).zip(&mut known.infusions) {
        infusion.number = number;
    }
    for (_, body) in stream(entries, "scales/").into_values().flatten() {
        let event: Scaled = serde_json::from_str(body).expect("an event");
        if let Scaled::ScaleAnswered { answered, .. } = event
            && answered.scale == "phq9"
        {
            known.scores.push((answered.at, answered.result.total));
        }
    }
    let now = "2026-11-20T12:00:00Z".parse().expect("a time");
    let (from, before) = (jiff::Timestamp::MIN, jiff::Timestamp::MAX);
    let question = Question { item, condition: None, from, before, within_d: 42, now };
    clinic::outcome::became(&question, &known)
}

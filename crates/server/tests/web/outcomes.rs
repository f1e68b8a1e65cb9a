//! What became of the patients of a clinic: the page counts what the log says, and says what is missing.

use crate::support::{Browser, Clinic};
use axum::http::StatusCode;
use clinic::knowledge::Knowledge;
use clinic::knowledge::scales::Condition;
use clinic::outcome::{Counted, Infusion, Known, Question, became, counted};
use clinic::scale::questionnaire::{Event as Scaled, Questionnaires};
use clinic::session::Event;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sim::history::{Entry, History};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use store::{Append, NewEvent, StreamWrite};

const PATIENTS: u32 = 24;

/// Made once for all tests.
static YEAR: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
    let until = "2026-11-20".parse().expect("a day");
    let history = History { knowledge: &knowledge, seed: 7, until, zone: TimeZone::UTC };
    history.year(PATIENTS).unwrap_or_else(|stuck| panic!("{stuck}"))
});

/// A clinic with a year behind it, and a prescriber's browser.
pub fn clinic() -> (Clinic, Browser) {
    let clinic = Clinic::open();
    server::demo::record(&clinic.app.store, "main", YEAR.clone()).expect("recorded");
    let prescriber = clinic.signed_in("prescriber");
    (clinic, prescriber)
}

/// The same counted from the log alone, event by event.
fn from_the_log(clinic: &Clinic, condition: Condition, within_d: u32) -> Counted {
    let app = &clinic.app;
    let mut streams = BTreeSet::new();
    let mut position = 0;
    loop {
        let rows = app.store.since("main", position, 10_000).expect("log");
        let Some(last) = rows.last() else { break };
        position = last.position;
        streams.extend(rows.into_iter().map(|row| row.stream));
    }
    let mut known: BTreeMap<String, (String, Known)> = BTreeMap::new();
    for stream in streams.iter().filter(|stream| stream.starts_with("session/")) {
        let (mut planned, mut started) = (None, None);
        for row in app.store.stream("main", stream).expect("log") {
            match serde_json::from_str(&row.body).expect("an event") {
                Event::SessionPlanned { patient, regimen, infusion, of, .. } => {
                    planned = Some((patient.0, regimen.0, infusion, of));
                }
                Event::InfusionStarted { .. } => started = Timestamp::from_microsecond(row.at_us).ok(),
                _ => {}
            }
        }
        let ((patient, regimen, number, of), at) = (planned.expect("planned"), started.expect("started"));
        let (_, known) = known.entry(patient).or_insert((regimen, Known::default()));
        known.infusions.push(Infusion { at, number, of });
    }
    let item = app.knowledge.scale("phq9").expect("shipped");
    let now = app.clock.now();
    let (from, before) = (Timestamp::MIN, Timestamp::MAX);
    let question = Question { item, condition: Some(condition), from, before, within_d, now };
    let fits = |regimen: &String| {
        app.knowledge.regimens.get(regimen).and_then(|item| item.body.condition) == Some(condition)
    };
    let became =
        known.into_iter().filter(|(_, (regimen, _))| fits(regimen)).filter_map(|(id, (_, mut known))| {
            known.infusions.sort_by_key(|infusion| infusion.at);
            let all = app.floor.questionnaires(&clinic::id::PatientId::new(id)).expect("log");
            known.scores = scores(&all);
            became(&question, &known)
        });
    counted(&became.collect::<Vec<_>>())
}

fn scores(all: &Questionnaires) -> Vec<(Timestamp, Option<rust_decimal::Decimal>)> {
    all.counting("phq9").into_iter().map(|(_, answered)| (answered.at, answered.result.total)).collect()
}

async fn page(by: &Browser, query: &str) -> String {
    let page = by.get(&format!("/outcomes{query}")).await;
    assert_eq!(page.status, StatusCode::OK, "{query}: {}", page.body);
    page.body
}

/// Hazard 75: the page says what the log says.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_counts_what_the_log_says() {
    let (clinic, prescriber) = clinic();
    let shown = page(&prescriber, "").await;
    let counted = from_the_log(&clinic, Condition::Mdd, 42);
    let response = counted.response.expect("some are known");
    assert!(response.of > 8 && response.events > 0 && response.events < response.of, "{response:?}");
    assert!(shown.contains(&format!("{} patients began a series", counted.treated)), "{shown}");
    for share in [counted.response, counted.remission, counted.worse].into_iter().flatten() {
        assert!(shown.contains(&format!("<td>{} of {}</td>", share.events, share.of)), "{share:?}");
    }
    let (answered, due) = (counted.answered.answered, counted.answered.answered + counted.answered.missed);
    assert!(shown.contains(&format!("{answered} of {due} scores that were due")), "{shown}");
    assert!(shown.contains(&format!("Of {} it is not known", counted.not_known)));
    assert!(shown.contains("Few patients"), "small numbers are said");
    assert!(
        shown.contains("McInnes 2022, 178 clinics") && shown.contains("53.6 %") && shown.contains("Wilson")
    );
    let holding = counted.holding.expect("responders");
    assert!(shown.contains(&format!("{} responded at some time", holding.patients)));
    assert!(shown.contains("At risk") && shown.contains("role=\"img\""), "{shown}");
    let csv = prescriber.get("/outcomes.csv?scale=phq9&condition=mdd&days=42").await;
    assert!(csv.header("content-type").starts_with("text/csv"));
    let mut lines = csv.body.lines();
    assert_eq!(lines.next(), Some("measure,day,events,of,not_known,share,low_95,high_95"));
    let first = format!("Responded,42,{},{},{},", response.events, response.of, response.missing);
    assert!(lines.next().is_some_and(|line| line.starts_with(&first)), "{first}: {}", csv.body);
    assert_eq!(lines.count(), 2 + holding.steps.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn days_condition_and_window_choose_who_is_counted() {
    let (clinic, prescriber) = clinic();
    let wide = from_the_log(&clinic, Condition::Mdd, 42);
    let early = page(&prescriber, "?to=2026-04-30").await;
    assert!(!early.contains(&format!("{} patients began a series", wide.treated)));
    let none = page(&prescriber, "?from=2020-01-01&to=2020-12-31").await;
    assert!(none.contains("Nobody who fits had an infusion"), "{none}");
    assert!(!none.contains("Kaplan and Meier") && none.contains("Published, to stand beside"));
    let any = page(&prescriber, "?condition=any").await;
    assert!(any.contains("No published share of this condition is at hand"));
    let week = from_the_log(&clinic, Condition::Mdd, 7).response.expect("some");
    let shown = page(&prescriber, "?days=7").await;
    assert!(shown.contains(&format!("<td>{} of {}</td>", week.events, week.of)), "{week:?}");
    let sad = page(&prescriber, "?condition=sad").await;
    assert!(sad.contains("Nobody who fits"), "nobody is treated for it here");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused_beside_its_field() {
    let clinic = Clinic::open();
    let prescriber = clinic.signed_in("prescriber");
    assert!(page(&prescriber, "").await.contains("Nobody who fits had an infusion"), "an empty clinic");
    for (query, field, words) in [
        ("?scale=tarot", "scale", "is no scale with a total"),
        ("?condition=love", "condition", "none of the conditions"),
        ("?from=yesterday", "from", "Accepted is a day such as"),
        ("?from=2026-05-01&to=2026-04-01", "to", "is before the first"),
        ("?days=0", "days", "from 1 to 3650"),
        ("?days=six", "days", "from 1 to 3650"),
    ] {
        let refused = prescriber.get(&format!("/outcomes{query}")).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{query}");
        assert!(refused.body.contains(words) && refused.body.contains(&format!("{field}-error")), "{query}");
        assert_eq!(prescriber.get(&format!("/outcomes.csv{query}")).await.status, StatusCode::NOT_FOUND);
    }
}

/// Hazard 76: names of people who got worse are for whoever may open scores.
#[tokio::test(flavor = "multi_thread")]
async fn who_got_worse_is_named_to_those_who_may_know_it() {
    let (clinic, prescriber) = clinic();
    let nurse = clinic.signed_in("nurse");
    let mut treated = Vec::new();
    clinic.app.store.view_each("main", "treated", |row| treated.push(row.key)).expect("views");
    let worst = [("scale", "phq9"), ("total_alone", "1"), ("total", "27"), ("form", "paper of today")];
    for patient in treated.iter().take(5) {
        let entered = nurse.post(&format!("/patients/{patient}/scores/enter"), &worst).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    }
    let shown = page(&prescriber, "?condition=any").await;
    assert!(treated.iter().take(5).any(|one| shown.contains(&format!("/patients/{one}/scores"))), "{shown}");
    let owner = page(&clinic.signed_in("owner"), "?condition=any").await;
    assert!(owner.contains("patients began a series") && !owner.contains("/patients/"), "{owner}");
    for user in ["nurse", "front.desk", "therapist"] {
        let refused = clinic.signed_in(user).get("/outcomes").await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{user}");
    }
}

/// What a patient is treated for decides the rule, and what went in stands beside the scores, item by item.
#[tokio::test(flavor = "multi_thread")]
async fn the_scores_of_a_patient_stand_beside_all_that_went_in() {
    let (clinic, _) = clinic();
    let mut treated = Vec::new();
    clinic.app.store.view_each("main", "treated", |row| treated.push((row.key, row.body))).expect("views");
    let of = |regimen: &str| {
        let mine = treated.iter().find(|(_, body)| body.contains(regimen));
        mine.map(|(patient, _)| format!("/patients/{patient}/scores")).expect("somebody has it")
    };
    let nurse = clinic.signed_in("nurse");
    let shown = nurse.get(&of("mdd_trd_std")).await.body;
    assert!(shown.contains("treated for: major depression") && shown.contains(" mg in all"), "{shown}");
    assert!(shown.contains("Item by item") && shown.contains("1 Interest"), "{shown}");
    let shown = nurse.get(&of("ptsd")).await.body;
    assert!(shown.contains("treated for: post-traumatic stress") && shown.contains("PCL-5"), "{shown}");
}

/// Rows 105 and 105b of the path: one picture and one table, and what nobody scored is named.
#[tokio::test(flavor = "multi_thread")]
async fn mood_pain_function_and_life_stand_together_with_every_gap() {
    let (clinic, _) = clinic();
    let mut treated = Vec::new();
    clinic.app.store.view_each("main", "treated", |row| treated.push((row.key, row.body))).expect("views");
    let (patient, _) =
        treated.iter().find(|(_, body)| body.contains("mdd_trd_std")).expect("somebody has it");
    let (nurse, page) = (clinic.signed_in("nurse"), format!("/patients/{patient}/scores"));
    let pain = [("scale", "nrs"), ("total_alone", "1"), ("total", "7"), ("form", "paper of today")];
    let entered = nurse.post(&format!("{page}/enter?scale=nrs"), &pain).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    let shown = nurse.get(&page).await.body;
    let section = shown.split("id=\"together-title\"").nth(1).expect("it stands on the page");
    let section = section.split("</section>").next().expect("it ends");
    let heads = [
        "Mood: PHQ-9 (higher is worse)",
        "Pain: Pain, 0 to 10 (NRS) (higher is worse)",
        "Function: WHODAS 2.0, 12 items (higher is worse)",
        "Quality of life: PROMIS-29, social roles (lower is worse)",
    ];
    for head in heads {
        assert!(section.contains(&format!("<th scope=\"col\">{head}</th>")), "{head}: {section}");
    }
    assert!(section.contains("<td>7</td>") && section.contains("not answered"), "{section}");
    assert!(section.contains("role=\"img\"") && section.contains(" mg"), "{section}");
    assert!(section.contains("22-Nov-26"), "the newest day: {section}");
}

/// What is corrected or voided counts no more, and a rebuild gives the same bytes.
#[tokio::test(flavor = "multi_thread")]
async fn the_views_follow_corrections_and_rebuild_to_the_same_bytes() {
    let (clinic, _) = clinic();
    let store = &clinic.app.store;
    let (mut patient, mut body) = (String::new(), String::new());
    store.view_each("main", "scored/phq9", |row| (patient, body) = (row.key, row.body)).expect("views");
    let before = server::views::scales::scores(&body).expect("a row");
    let nurse = clinic.signed_in("nurse");
    let id = clinic
        .log(&format!("scales/{patient}"))
        .into_iter()
        .find_map(|(_, body)| match serde_json::from_str(&body).expect("an event") {
            Scaled::ScaleAnswered { questionnaire, answered, .. } if answered.scale == "phq9" => {
                Some(questionnaire.0)
            }
            _ => None,
        })
        .expect("an answer");
    let path = format!("/patients/{patient}/scores/void");
    let voided =
        nurse.post(&path, &[("corrects", &id), ("scale", "phq9"), ("reason", "another patient's")]).await;
    assert_eq!(voided.status, StatusCode::SEE_OTHER, "{}", voided.body);
    let body = store.view("main", "scored/phq9", &patient).expect("views").expect("a row");
    assert_eq!(server::views::scales::scores(&body).expect("a row").len(), before.len() - 1);
    let digest = store.views_digest("main").expect("views");
    store.rebuild_views("main").expect("rebuilt");
    assert_eq!(store.views_digest("main").expect("views"), digest);
}

/// Boosters each six weeks at most, as a prescriber had signed it; `false` where the course is over.
fn maintained(clinic: &Clinic, patient: &str) -> bool {
    use clinic::course::Event as Planned;
    use clinic::id::StaffId;
    use clinic::staff::{Role, Signature};
    let stream = format!("course/{patient}-1");
    let kinds = clinic.kinds(&stream);
    if kinds.iter().any(|kind| kind == "course_closed") {
        return false;
    }
    let at = clinic.app.clock.now();
    let (by, role) = (StaffId::new("prescriber"), Role::Prescriber);
    let signature = Signature { by, role, meaning: "I change the course".to_owned(), at };
    let (every_d, reason) = (Some(42), "responded".to_owned());
    let event = if kinds.iter().any(|kind| kind == "maintenance_began") {
        Planned::IntervalSet { every_d, reason, signature }
    } else {
        Planned::MaintenanceBegan { every_d, reason, signature }
    };
    let body = serde_json::to_value(&event).expect("JSON");
    let event = NewEvent { kind: body["kind"].as_str().expect("a kind").to_owned(), body: body.to_string() };
    let append = Append {
        site: "main".to_owned(),
        command_id: format!("maintain-{patient}"),
        author: "prescriber".to_owned(),
        at_us: at.as_microsecond(),
        writes: vec![StreamWrite { stream, expected: None, events: vec![event] }],
        reply: String::new(),
        closing: false,
    };
    clinic.app.store.append(append).expect("taken");
    true
}

/// Hazard 131: whoever lost a response before is offered a booster before that day, with the working, and no visit is
/// booked by it.
#[tokio::test(flavor = "multi_thread")]
async fn a_booster_is_suggested_before_the_response_wears_off_as_it_did_in_this_person() {
    let (clinic, by) = clinic();
    let patients: BTreeSet<String> = YEAR
        .iter()
        .flat_map(|entry| &entry.writes)
        .filter_map(|write| write.stream.strip_prefix("scales/").map(str::to_owned))
        .collect();
    let (mut suggested, mut unknown) = (0, 0);
    for patient in &patients {
        if !maintained(&clinic, patient) {
            continue;
        }
        let before = clinic.kinds(&format!("course/{patient}-1"));
        let path = format!("/patients/{patient}/course?response=yes");
        let page = by.get(&path).await.body;
        assert!(page.contains("Book the next booster"), "{page}");
        if !page.contains("and was lost by") {
            assert!(page.contains("no earlier loss of a response is known"), "{page}");
            continue;
        }
        suggested += 1;
        unknown += usize::from(page.contains("what was due in between was not answered"));
        let to =
            page.split(&format!("href=\"/patients/{patient}/booking?start=")).nth(1).expect("a way to book");
        let day = to.split('"').next().expect("a day");
        let form = by.get(&format!("/patients/{patient}/booking?start={day}")).await.body;
        assert!(form.contains("name=\"visits\" value=\"1\""), "{form}");
        let lost = by.get(&format!("/patients/{patient}/course?response=no")).await.body;
        assert!(!lost.contains("Book the next booster"), "there is nothing to keep: {lost}");
        let after = clinic.kinds(&format!("course/{patient}-1"));
        assert_eq!(after, before, "nothing is booked by it");
    }
    assert!(suggested > 1 && unknown > 0, "{suggested}, {unknown} of {} patients", patients.len());
}

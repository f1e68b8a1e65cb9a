//! The rating scales of one patient: what is due, each scale over time beside the infusions, links for the phone.

mod came;

use super::answer::PHONE;
use super::entry::entered_line;
use super::error::as_told;
use super::items::Items;
use super::room::Room;
use super::tasks::{answered_time, clock_time};
use super::together::{self, Panel, Scored, Together};
use super::trajectory::Trajectory;
use super::visit::form::{Choice, Field, Form, Sent};
use super::{Error, FieldError, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::link::{For, Link, LinkKey};
use crate::auth::privilege::Privilege;
use crate::floor::PatientAct;
use crate::record::drawing::Drawing;
use crate::views::sessions;
use crate::{AppState, Fault, words};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
pub(super) use came::outcomes;
use clinic::care::plan::Goal;
use clinic::course::{Course, Treated, What};
use clinic::id::{CommandId, PatientId, QuestionnaireId, SessionId};
use clinic::knowledge::Item;
use clinic::knowledge::scales::{Family, Rater, Scale};
use clinic::outcome::Infusion;
use clinic::patient::Patient;
use clinic::quantity::{Micrograms, plain};
use clinic::scale::asked::AskedFor;
use clinic::scale::questionnaire::{Answered, Questionnaires, by_phone};
use clinic::scale::{Due, DueState, due};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::prelude::ToPrimitive;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What may stand in the address: what was entered just now.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    entered: String,
}

#[derive(Template)]
#[template(path = "pages/scores.html")]
struct Scores {
    page: Page,
    patient: String,
    /// Where to go on, when this record is closed.
    stays: Option<String>,
    entered: Vec<String>,
    due: Vec<DueRow>,
    /// What is to come.
    later: Vec<DueRow>,
    links: Vec<LinkRow>,
    together: Option<Side>,
    cards: Vec<Card>,
    link: Form,
    enter: Vec<Choice>,
    sheet: bool,
}

/// Mood, pain, function and quality of life side by side.
struct Side {
    drawings: [Drawing; 2],
    heads: Vec<String>,
    rows: Vec<together::Row>,
    /// How many earlier days are left out, in words.
    earlier: String,
}

struct DueRow {
    opens: Timestamp,
    scale: String,
    what: String,
    when: String,
    enter: String,
}

struct LinkRow {
    id: String,
    scale: String,
    address: String,
    says: String,
}

struct Card {
    id: String,
    title: String,
    /// For a desk and for a phone.
    drawings: Vec<Drawing>,
    rows: Vec<Row>,
    outcome: Vec<String>,
    missed: String,
    items: Option<Items>,
}

struct Row {
    when: String,
    score: String,
    by: String,
    flags: Vec<String>,
    /// Why it does not count; empty where it does.
    voided: String,
    correct: String,
}

/// All that the page is made of, read at once.
pub(super) struct Known {
    pub patient: Patient,
    pub all: Questionnaires,
    pub infusions: Vec<Infusion>,
    /// Every visit, oldest first.
    pub visits: Vec<sessions::Row>,
    /// What went in, for each infusion: as it reads, and counted.
    doses: Vec<(String, Micrograms)>,
    /// What the patient is treated for, by the regimen of the last visit or of the consultation, and by the plan.
    pub treated: Treated,
    /// Scales that an answer on another one asks for, by id.
    asked: BTreeMap<String, AskedFor>,
    /// Infusions, each that is planned with the end of its day, and each that is booked.
    expected: Vec<Infusion>,
}

impl Known {
    /// `None` for a patient whom nobody registered.
    pub(super) fn read(app: &AppState, id: &PatientId) -> Result<Option<Self>, Fault> {
        let Some(patient) = app.floor.patient(id)? else { return Ok(None) };
        let all = app.floor.questionnaires(id)?;
        let mut visits: Vec<_> = app.floor.visits_on(id)?.into_iter().map(|(_, row)| row).collect();
        visits.sort_by(|a, b| (&a.day, a.started_at).cmp(&(&b.day, b.started_at)));
        let (mut infusions, mut doses, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        for row in &visits {
            let infusion = |at| Infusion { at, number: row.infusion, of: row.of };
            if let Some(at) = row.started_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()) {
                let session = app.floor.session(&SessionId::new(&row.session)).map_err(Fault::Floor)?;
                let now = app.clock.now();
                doses.push(session.map_or_else(
                    || (String::new(), Micrograms::ZERO),
                    |session| (words::delivered(&session, now), session.delivered_mass(now)),
                ));
                infusions.push(infusion(at));
            } else if row.closed_at.is_none() {
                let day = row.day.parse::<jiff::civil::Date>().ok();
                let end = day.and_then(|day| day.tomorrow().ok()?.to_zoned(app.config.time_zone()).ok());
                expected.extend(end.map(|end| infusion(end.timestamp())));
            }
        }
        expected.extend(&infusions);
        let course = app.floor.course(id)?.course;
        expected.extend(booked(app, &course, &visits));
        expected.sort_by_key(|infusion| infusion.at);
        let regimen = match visits.last() {
            Some(last) => Some(last.regimen.clone()),
            None => app.floor.consulting(id)?.said.regimen,
        };
        let codes = course.plan().map(|plan| plan.conditions.as_slice()).unwrap_or_default();
        let treated = Treated::by(regimen.as_deref(), codes, &app.knowledge);
        let asked = app.floor.asked_for(id)?;
        Ok(Some(Self { patient, all, infusions, visits, doses, treated, asked, expected }))
    }

    fn due(&self, item: &Item<Scale>, now: Timestamp) -> Vec<Due> {
        // An answer without a result answers nothing that was due.
        let with_result =
            self.all.counting(&item.header.id).into_iter().filter(|(_, one)| one.result.complete);
        let answered: Vec<Timestamp> = with_result.map(|(_, one)| one.at).collect();
        due(&item.body, &self.expected, &answered, self.treated.all(), now)
    }

    /// Middle of each time in which it was due and not answered.
    pub(super) fn missed(&self, item: &Item<Scale>, now: Timestamp) -> Vec<Timestamp> {
        self.due(item, now).iter().filter(|due| due.state == DueState::Missed).map(middle).collect()
    }
}

/// Infusions in the calendar, from the day after the last visit and from today on. A course of which nothing was given
/// begins a series.
fn booked(app: &AppState, course: &Course, visits: &[sessions::Row]) -> Vec<Infusion> {
    let day = |at: Timestamp| at.to_zoned(app.config.time_zone()).date().to_string();
    let (today, last) = (day(app.clock.now()), visits.last());
    let under_way = last.filter(|row| row.closed_at.is_none()).map_or(0, |row| row.infusion);
    let given = u32::try_from(course.given.len()).unwrap_or(u32::MAX).max(under_way);
    let planned = course.plans.last().map_or(0, |version| version.plan.infusions);
    let mut coming: Vec<Timestamp> =
        course.booked.iter().filter(|visit| visit.what == What::Infusion).map(|visit| visit.start).collect();
    coming.retain(|start| day(*start) >= today && last.is_none_or(|row| day(*start) > row.day));
    coming.sort();
    let numbers = given.saturating_add(1)..;
    let coming = coming.into_iter().zip(numbers);
    coming.map(|(at, number)| Infusion { at, number, of: planned.max(number) }).collect()
}

fn path(patient: &PatientId, rest: &str) -> String {
    format!("/patients/{patient}/scores{rest}")
}

/// `GET /patients/{id}/scores`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    draw(&app, &visit, PatientId::new(id), asked, &headers, Sent::nothing()).await
}

/// Where a phone finds this server, as the browser that asks found it.
pub(super) fn here(app: &AppState, headers: &HeaderMap) -> String {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let scheme = if app.config.behind_tls_proxy { "https" } else { "http" };
    format!("{scheme}://{host}")
}

async fn draw(
    app: &AppState,
    visit: &Visit,
    id: PatientId,
    asked: Asked,
    headers: &HeaderMap,
    sent: Sent,
) -> Result<Response, Error> {
    let here = here(app, headers);
    let whose = id.clone();
    let gathered = app.blocking(move |app| {
        let Some(known) = Known::read(app, &whose)? else { return Ok(None) };
        let key = LinkKey::of(&app.store, &app.config.site, For::Answers, app.clock.now())?;
        let links = links(app, &whose, &known, &key, &here);
        let stays = app.floor.joined_to(&whose)?.map(|stays| path(&stays, ""));
        let goals = app.floor.care_plan(&whose)?.open_goals().cloned().collect();
        Ok::<_, Fault>(Some((known, links, goals, stays)))
    });
    let (known, links, goals, stays) = gathered.await??.ok_or(Error::NotFound)?;
    let link = link_form(app, &id).filled(&sent);
    let errors = sent.summary([&link]);
    let entered = known.all.all.get(&QuestionnaireId::new(asked.entered));
    let entered = entered.and_then(|one| one.answered.as_ref()).map(|(answered, _, _)| answered);
    let scales = &app.knowledge.scales;
    let page = Scores {
        page: Page::new(app, visit, format!("Scores of {}", known.patient.banner_name())).with_errors(errors),
        patient: format!("/patients/{id}"),
        entered: entered.map_or_else(Vec::new, |answered| told(app, answered)),
        due: if stays.is_some() { Vec::new() } else { due_rows(app, &id, &known, DueState::Open) },
        later: if stays.is_some() { Vec::new() } else { due_rows(app, &id, &known, DueState::Coming) },
        stays,
        links,
        together: side(app, &known),
        cards: cards(app, &id, &known, goals),
        link,
        enter: scales.iter().map(|item| Choice::of(&item.header.id, &item.header.title)).collect(),
        sheet: false,
    };
    html(sent.status, &page)
}

/// Score, band and what a person has to do, on top of the page at once after saving.
fn told(app: &AppState, answered: &Answered) -> Vec<String> {
    let title =
        app.knowledge.scale(&answered.scale).map_or(answered.scale.as_str(), |item| &item.header.title);
    let mut says = vec![format!("{title}: {}", entered_line(answered))];
    says.extend(answered.result.flags.clone());
    says
}

fn due_rows(app: &AppState, id: &PatientId, known: &Known, state: DueState) -> Vec<DueRow> {
    let now = app.clock.now();
    let of_scale = |item: &Item<Scale>| {
        let (scale, enter) =
            (item.header.title.clone(), path(id, &format!("/enter?scale={}", item.header.id)));
        let asked = known.asked.get(&item.header.id).filter(|_| state == DueState::Open);
        let asked = asked.map(|asked| DueRow {
            opens: asked.since,
            scale: scale.clone(),
            what: format!("asked for by {} of {}", asked.by, clock_time(app, asked.since)),
            when: "now, until it is answered".to_owned(),
            enter: enter.clone(),
        });
        let due = known.due(item, now).into_iter().filter(move |due| due.state == state);
        due.map(move |due| DueRow {
            opens: due.opens,
            scale: scale.clone(),
            what: due.title,
            when: if state == DueState::Open {
                format!("until {}", clock_time(app, due.closes))
            } else {
                format!("from {} until {}", clock_time(app, due.opens), clock_time(app, due.closes))
            },
            enter: enter.clone(),
        })
        .chain(asked)
        .collect::<Vec<_>>()
    };
    let mut rows: Vec<DueRow> = app.knowledge.scales.iter().flat_map(of_scale).collect();
    rows.sort_by_key(|row| row.opens);
    rows
}

fn links(app: &AppState, patient: &PatientId, known: &Known, key: &LinkKey, here: &str) -> Vec<LinkRow> {
    let now = app.clock.now();
    let open = known.all.all.iter().filter_map(|(id, one)| {
        let ends = one.expires.filter(|ends| one.answered.is_none() && now < *ends)?;
        let item = app.knowledge.scale(&one.scale)?;
        let link = Link { patient: patient.clone(), form: id.to_string(), ends_s: ends.as_second() };
        let (saved, of) = (one.saved.len(), item.body.items.len());
        Some(LinkRow {
            id: id.to_string(),
            scale: item.header.title.clone(),
            address: format!("{here}/answer/{}", key.sign(&link)),
            says: format!(
                "{saved} of {of} questions answered; takes answers until {}",
                clock_time(app, ends)
            ),
        })
    });
    open.collect()
}

/// What waits for the patient's answer on the phone: what it is, and where.
pub(super) fn open_links(
    app: &AppState,
    patient: &PatientId,
    known: &Known,
) -> Result<Vec<(String, String)>, Fault> {
    let key = LinkKey::of(&app.store, &app.config.site, For::Answers, app.clock.now())?;
    let open = links(app, patient, known, &key, "").into_iter();
    Ok(open.map(|one| (format!("{}: {}", one.scale, one.says), one.address)).collect())
}

fn link_form(app: &AppState, id: &PatientId) -> Form {
    let scales = app.knowledge.scales.iter().filter(|item| by_phone(item).is_ok());
    let scales = scales.map(|item| Choice::of(&item.header.id, &item.header.title)).collect();
    Form::new("link", path(id, "/link"), "A link for the patient's phone", "Make a link")
        .with(Field::listed("scale", "Scale", scales).known("phq9"))
        .hint(format!(
            "It opens without a sign-in, takes answers for {} hours, and sends them once. Give it to nobody but the patient.",
            app.config.answer_link_h
        ))
}

/// Of each family the scale of what is treated, or else the one that was scored most often. `None` where nothing was
/// scored at all.
fn side(app: &AppState, known: &Known) -> Option<Side> {
    let now = app.clock.now();
    let treats = known.treated.scales(&app.knowledge);
    let panel = |family: Family| {
        let own = app.knowledge.scales.iter().filter(|item| item.body.family == Some(family));
        let scored = own.filter_map(|item| {
            let scores = known.all.totals(&item.header.id);
            Some((item, item.body.total?, scores)).filter(|(_, _, scores)| !scores.is_empty())
        });
        let chosen = scored.max_by_key(|(item, _, scores)| {
            let place = treats.iter().rev().position(|one| one.header.id == item.header.id);
            (place, scores.len())
        });
        let scale = chosen.map(|(item, range, scores)| Scored {
            title: item.header.title.clone(),
            worse: item.body.worse,
            range,
            scores,
            missed: known.missed(item, now),
        });
        Panel { what: family.title(), scale }
    };
    let panels: Vec<Panel> = Family::ALL.into_iter().map(panel).collect();
    if panels.iter().all(|panel| panel.scale.is_none()) {
        return None;
    }
    let doses = known.doses.iter().map(|(says, _)| says.clone());
    let infusions = known.infusions.iter().map(|infusion| infusion.at).zip(doses).collect();
    let desk = Together { panels, infusions, zone: app.config.time_zone(), room: Room::Desk };
    let (rows, left_out) = desk.rows();
    let earlier = if left_out == 0 {
        String::new()
    } else {
        format!("{left_out} earlier days are drawn and not listed.")
    };
    let (heads, drawing) = (desk.heads(), desk.drawing());
    let phone = Together { room: Room::Phone, ..desk };
    Some(Side { drawings: [drawing, phone.drawing()], heads, rows, earlier })
}

fn middle(due: &Due) -> Timestamp {
    let half = SignedDuration::from_secs(due.opens.duration_until(due.closes).as_secs() / 2);
    due.opens.checked_add(half).unwrap_or(due.opens)
}

/// The scales of what is treated first, then those with a score, then what was only missed. The goals stand on the axis
/// of the first that is drawn.
fn cards(app: &AppState, id: &PatientId, known: &Known, goals: Vec<Goal>) -> Vec<Card> {
    let treats = known.treated.scales(&app.knowledge);
    let mut scales: Vec<_> = app.knowledge.scales.iter().collect();
    scales.sort_by_key(|item| {
        let scored = !known.all.totals(&item.header.id).is_empty();
        (treats.iter().position(|one| one.header.id == item.header.id).unwrap_or(treats.len()), !scored)
    });
    let mut goals = Some(goals);
    let cards = scales.into_iter().filter_map(|item| {
        let drawn = item.body.total.is_some() && !known.all.totals(&item.header.id).is_empty();
        let goals = if drawn { goals.take().unwrap_or_default() } else { Vec::new() };
        card(app, id, known, (item, goals))
    });
    cards.collect()
}

/// A scale of which something was answered or missed.
fn card(
    app: &AppState,
    id: &PatientId,
    known: &Known,
    (item, goals): (&Item<Scale>, Vec<Goal>),
) -> Option<Card> {
    let now = app.clock.now();
    let due = known.due(item, now);
    let missed: Vec<&Due> = due.iter().filter(|due| due.state == DueState::Missed).collect();
    let mut own: Vec<_> = known.all.all.iter().filter(|(_, one)| one.scale == item.header.id).collect();
    let begun = |(_, one): &(&QuestionnaireId, &clinic::scale::questionnaire::Questionnaire)| {
        one.answered.is_some() || !one.saved.is_empty()
    };
    own.retain(begun);
    if own.is_empty() && (missed.is_empty() || item.body.rater == Rater::Clinician) {
        return None;
    }
    own.sort_by_key(|(_, one)| std::cmp::Reverse(one.answered.as_ref().map_or(one.made, |(a, _, _)| a.at)));
    let rows = own.into_iter().map(|(which, one)| match &one.answered {
        Some((answered, by, entered)) => Row {
            when: answered_time(app, answered.at),
            score: entered_line(answered),
            by: if by.as_str() == PHONE {
                "the patient, by phone".to_owned()
            } else {
                format!("{}, entered {}", app.floor.called(by), clock_time(app, *entered))
            },
            flags: answered.result.flags.clone(),
            voided: one
                .voided
                .as_ref()
                .map_or_else(String::new, |(reason, _)| format!("does not count: {reason}")),
            correct: if one.voided.is_some() {
                String::new()
            } else {
                path(id, &format!("/enter?scale={}&corrects={which}", item.header.id))
            },
        },
        None => Row {
            when: clock_time(app, one.saved_at.unwrap_or(one.made)),
            score: "begun, not sent".to_owned(),
            by: "the patient, by phone".to_owned(),
            flags: saved_so_far(&item.body, one),
            voided: String::new(),
            correct: String::new(),
        },
    });
    let rows: Vec<Row> = rows.collect();
    Some(Card {
        id: item.header.id.clone(),
        title: item.header.title.clone(),
        drawings: drawing_of(app, known, item, goals).map_or_else(Vec::new, Vec::from),
        rows,
        outcome: outcomes(app, known, item),
        items: Items::of(app, item, &known.all),
        missed: match missed.len() {
            0 => String::new(),
            1 => format!("1 was due and not answered: {}.", missed_line(app, missed[0])),
            n => format!("{n} were due and not answered, the last: {}.", missed_line(app, missed[n - 1])),
        },
    })
}

fn missed_line(app: &AppState, due: &Due) -> String {
    format!("{}, until {}", due.title, clock_time(app, due.closes))
}

fn saved_so_far(scale: &Scale, one: &clinic::scale::questionnaire::Questionnaire) -> Vec<String> {
    let said = scale.items.iter().filter_map(|question| {
        let value = one.saved.get(&question.id)?.as_ref()?;
        let words = clinic::scale::questionnaire::answer_in_words(scale, question, *value);
        Some(format!("{} {}: {words}", question.id, question.title))
    });
    said.collect()
}

/// The scores of one scale over time beside the infusions, for a desk and for a phone; `None` where nothing was scored.
pub(super) fn drawing_of(
    app: &AppState,
    known: &Known,
    item: &Item<Scale>,
    goals: Vec<Goal>,
) -> Option<[Drawing; 2]> {
    let range = item.body.total?.map(|end| end.to_f64().unwrap_or_default());
    let totals = known.all.totals(&item.header.id);
    if totals.is_empty() {
        return None;
    }
    let scores = totals.iter().map(|(at, total)| {
        (*at, total.to_f64().unwrap_or_default(), format!("{} on {}", plain(*total), answered_time(app, *at)))
    });
    let doses = known.doses.iter().map(|(says, mass)| (says.clone(), *mass));
    let infusions = known.infusions.iter().map(|infusion| infusion.at).zip(doses);
    let desk = Trajectory {
        title: item.header.title.clone(),
        range,
        scores: scores.collect(),
        infusions: infusions.map(|(at, (says, mass))| (at, says, mass)).collect(),
        missed: known.missed(item, app.clock.now()),
        goals,
        zone: app.config.time_zone(),
        room: Room::Desk,
    };
    let drawing = desk.drawing();
    Some([drawing, Trajectory { room: Room::Phone, ..desk }.drawing()])
}

/// `POST /patients/{id}/scores/link`
pub async fn link(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Error> {
    let Some(actor) = visit.person()?.acting(Privilege::EnterScale) else { return Err(Error::SignIn) };
    let patient = PatientId::new(id);
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let lasts = SignedDuration::from_hours(i64::from(app.config.answer_link_h));
    let (whose, form) = (patient.clone(), posted.clone());
    let made = app.blocking(move |app| {
        let typed = form.text("scale");
        let Some(item) = app.knowledge.scales.get(typed) else {
            let why = format!("“{typed}” is not one of those to choose from.");
            return Err((vec![FieldError::at("scale", why)], StatusCode::UNPROCESSABLE_ENTITY));
        };
        let command = CommandId::new(form.command_id());
        let act = PatientAct { command_id: &command, actor: &actor, patient: &whose };
        let done = app.floor.make_scale_link(&act, item, lasts);
        done.map_err(as_told)
    });
    match made.await? {
        Ok(_) => Ok(Redirect::to(&path(&patient, "#links-title")).into_response()),
        Err((errors, status)) => {
            let sent = Sent { form: "link".to_owned(), posted, errors, status };
            draw(&app, &visit, patient, Asked::default(), &headers, sent).await
        }
    }
}

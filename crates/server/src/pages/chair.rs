//! One chair: banner, live values, infusion, charts, what is due, one-tap observations, pause and stop.

mod pad;

use super::alarms::AlarmRow;
use super::chair_view::{Chair, Tile, in_words};
use super::visit::again;
use super::{Error, FieldError, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::floor::Denied;
use crate::words::{baseline, line, phase_key, phase_title, struck};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::gate::Verdict;
use clinic::id::{ChairId, CommandId, RuleId, SessionId};
use clinic::patient::Allergies;
use clinic::quantity::Tenths;
use clinic::session::gates as rules;
use clinic::session::{Command, Event, Finding, Observation, Phase, Recorded, Refusal};
use clinic::staff::Actor;
use pad::{PAD, PadField, pad_field, pad_fields};
use std::collections::{BTreeMap, BTreeSet};

/// Events on the page; the record has all.
const EVENTS_MAX: usize = 50;
/// Rows of the due list.
const DUE_ROWS: usize = 3;

#[derive(Template)]
#[template(path = "pages/chair.html", blocks = ["infusion", "events", "actions"])]
struct ChairPage {
    page: Page,
    utc_offset_min: i32,
    alarms: Vec<AlarmRow>,
    chair: ChairView,
    who: Option<Banner>,
    tiles: Vec<Tile>,
    /// Alarm limits that were set for this patient, and a schedule that was written for another length.
    limits: Vec<String>,
    /// What changes of blood pressure are measured from; empty before it was measured.
    baseline: String,
    model: Option<ModelTile>,
    infusion: Option<InfusionView>,
    due: Vec<Due>,
    scales: Vec<ScaleTaps>,
    quick_events: Vec<Link>,
    links: Vec<Link>,
    events: Vec<EventRow>,
    pad: Vec<PadField>,
    read_again: Vec<String>,
}

#[derive(Template)]
#[template(path = "parts/vitals_pad.html")]
struct PadPart {
    page: Page,
    chair: ChairView,
    pad: Vec<PadField>,
    /// What was asked about: the same sent once more is taken.
    read_again: Vec<String>,
}

/// Why a tap was not recorded, in the sheet.
#[derive(Template)]
#[template(path = "parts/error_summary.html")]
struct RefusedPart {
    page: Page,
}

struct ChairView {
    number: String,
    path: String,
    /// The form is for this visit; another one at the chair by now is refused.
    session: String,
    phase: &'static str,
    phase_title: String,
    by_hand: bool,
    may_chart: bool,
    may_pause: bool,
    may_stop: bool,
    panels: &'static str,
}

struct Banner {
    name: String,
    title: String,
    preferred: String,
    facts: Vec<Fact>,
    allergies: String,
    allergic: bool,
    infusion_of: String,
}

struct Fact {
    label: &'static str,
    value: String,
    note: String,
}

struct ModelTile {
    value: String,
    unit: &'static str,
    band: String,
    band_of: &'static str,
}

struct InfusionView {
    drug: String,
    planned_ml: String,
    delivered_ml: String,
    delivered: String,
    planned: String,
    per_kg: String,
    rate: String,
    ends: String,
    left: String,
    doubt: String,
    /// What to do about the doubt.
    read_it: &'static str,
    /// That pump and record say different things.
    contradicts: String,
}

struct Due {
    what: String,
    when: String,
    late: bool,
}

struct ScaleTaps {
    key: &'static str,
    title: String,
    now: String,
    when: String,
    old_s: i64,
    choices: Vec<Choice>,
}

struct Choice {
    value: i64,
    says: String,
}

struct Link {
    label: String,
    path: String,
}

struct EventRow {
    position: i64,
    at: String,
    text: String,
    who: String,
    struck: String,
    strike: String,
}

/// `GET /chair/{n}`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
) -> Result<Response, Error> {
    let page = draw(&app, &visit, &number, Vec::new(), &Posted::default()).await?;
    html(StatusCode::OK, &page)
}

/// `GET /chair/{n}/infusion`: that block alone.
pub async fn infusion(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
) -> Result<Response, Error> {
    let page = draw(&app, &visit, &number, Vec::new(), &Posted::default()).await?;
    html(StatusCode::OK, &page.as_infusion())
}

/// `GET /chair/{n}/events`: that block alone.
pub async fn events(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
) -> Result<Response, Error> {
    let page = draw(&app, &visit, &number, Vec::new(), &Posted::default()).await?;
    html(StatusCode::OK, &page.as_events())
}

/// `GET /chair/{n}/actions`: that block alone.
pub async fn actions(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
) -> Result<Response, Error> {
    let page = draw(&app, &visit, &number, Vec::new(), &Posted::default()).await?;
    html(StatusCode::OK, &page.as_actions())
}

/// `GET /chair/{n}/vitals`: the pad alone for a script, else the whole page with the pad open.
pub async fn pad(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
) -> Result<Response, Error> {
    let mut whole = draw(&app, &visit, &number, Vec::new(), &Posted::default()).await?;
    if !visit.htmx {
        whole.chair.by_hand = true;
        return html(StatusCode::OK, &whole);
    }
    let ChairPage { page, chair, pad, read_again, .. } = whole;
    html(StatusCode::OK, &PadPart { page, chair, pad, read_again })
}

/// `POST /chair/{n}/vitals`
pub async fn chart_vitals(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let mut values = BTreeMap::new();
    for (name, parameter, label) in PAD {
        let text = posted.text(name).trim();
        if text.is_empty() {
            continue;
        }
        let Some(whole) = text.parse::<i32>().ok().filter(|_| text.len() <= 3) else {
            let why = format!("{label} is {text:?}; accepted is a whole number of at most three digits.");
            return refused(&app, &visit, &number, &posted, vec![FieldError::at(name, why)]).await;
        };
        values.insert(parameter, Tenths::whole(whole));
    }
    let at = app.clock.now();
    let read_again = again::sent_again(&posted, values.iter().map(|(of, value)| (*of, value.decimal())));
    let finding = Finding::Vitals { values };
    let seen = Observation { read_again, ..Observation::by_eye(at, finding) };
    let command = Command::Chart(seen);
    act(&app, &visit, &number, &posted, Privilege::Chart, command).await
}

/// `POST /chair/{n}/observations`: one tap on a scale.
pub async fn chart_scale(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let score = |name: &str| posted.text(name).parse::<u8>().ok();
    let finding = match (score("moaas"), score("distress")) {
        (Some(score), _) => Finding::MoaaS { score },
        (_, Some(score)) => Finding::Distress { score },
        _ => {
            let error = FieldError::at("", "The scale or its score is missing. Tap a number.");
            return refused(&app, &visit, &number, &posted, vec![error]).await;
        }
    };
    let observed_at = app.clock.now();
    let command = Command::Chart(Observation::by_eye(observed_at, finding));
    act(&app, &visit, &number, &posted, Privilege::Chart, command).await
}

/// `POST /chair/{n}/pause`
pub async fn pause(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let reason = posted.text("reason").to_owned();
    act(&app, &visit, &number, &posted, Privilege::StopInfusion, Command::Pause { reason }).await
}

/// `POST /chair/{n}/stop`
pub async fn stop(
    State(app): State<AppState>,
    visit: Visit,
    Path(number): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let reason = posted.text("reason").to_owned();
    act(&app, &visit, &number, &posted, Privilege::StopInfusion, Command::Stop { reason }).await
}

/// Carries a form of this page out on the visit that the form was made for.
async fn act(
    app: &AppState,
    visit: &Visit,
    number: &str,
    posted: &Posted,
    needs: Privilege,
    command: Command,
) -> Result<Response, Error> {
    let person = visit.person()?;
    let Some(Actor { id, role }) = person.acting(needs) else { return Err(Error::NotFound) };
    let actor = Actor { id, role };
    let made_for = SessionId::new(posted.text("session"));
    let there = app.floor.at_chair(&ChairId::new(number)).map(|(session, _, _)| session);
    if there.as_ref() != Some(&made_for) {
        let why = format!(
            "Chair {number} has another patient by now. Nothing was recorded. Look at the chair again."
        );
        return super::error::conflict(app, visit, &why);
    }
    let command_id = CommandId::new(posted.command_id());
    let done = app.blocking(move |app| app.floor.act(&made_for, &command_id, &actor, command)).await?;
    match done {
        Ok(_) if visit.htmx => Ok(StatusCode::NO_CONTENT.into_response()),
        Ok(_) => Ok(Redirect::to(&format!("/chair/{number}")).into_response()),
        Err(denied) => {
            if let Denied::Refused(Refusal::Unlikely { questions, .. }) = &denied {
                let errors = again::questions(questions)
                    .into_iter()
                    .map(|one| FieldError { field: pad_field(&one.field).to_owned(), ..one });
                let posted = again::asking(posted.clone(), questions);
                return refused(app, visit, number, &posted, errors.collect()).await;
            }
            let field = pad_field(denied.field());
            refused(app, visit, number, posted, vec![FieldError::denied(field, &denied)]).await
        }
    }
}

async fn refused(
    app: &AppState,
    visit: &Visit,
    number: &str,
    posted: &Posted,
    errors: Vec<FieldError>,
) -> Result<Response, Error> {
    let of_the_pad = PAD.iter().any(|(name, ..)| errors.iter().any(|error| error.field == *name));
    let page = draw(app, visit, number, errors, posted).await?;
    if visit.htmx && !of_the_pad {
        return html(StatusCode::UNPROCESSABLE_ENTITY, &RefusedPart { page: page.page });
    }
    if visit.htmx {
        let ChairPage { page, chair, pad, read_again, .. } = page;
        return html(StatusCode::UNPROCESSABLE_ENTITY, &PadPart { page, chair, pad, read_again });
    }
    html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

async fn draw(
    app: &AppState,
    visit: &Visit,
    number: &str,
    errors: Vec<FieldError>,
    posted: &Posted,
) -> Result<ChairPage, Error> {
    let id = ChairId::new(number);
    if !app.floor.chairs().contains(&id) {
        return Err(Error::NotFound);
    }
    let may = |privilege| visit.person.as_ref().is_some_and(|person| person.may(privilege));
    let strikes = may(Privilege::Assess);
    let gathered = app.blocking(move |app| (Chair::of(app, &id), event_rows(app, &id, strikes))).await?;
    let (chair, events) = gathered;
    let session = chair.session.as_ref();
    let phase = session.map(|session| session.phase);
    let open = phase.is_some_and(|phase| !phase.closed());
    let offset = app.clock.now().to_zoned(app.config.time_zone()).offset().seconds() / 60;
    Ok(ChairPage {
        page: Page::new(app, visit, format!("Chair {number}")).with_errors(errors),
        utc_offset_min: offset,
        alarms: super::alarms::rows(app),
        who: banner(&chair, app),
        // Sedation stands beside its own taps on this page.
        tiles: chair.tiles().into_iter().filter(|tile| tile.key != "moaas").collect(),
        limits: limits(&chair, app),
        baseline: baseline_of(&chair, app).unwrap_or_default(),
        model: chair.level.map(|[ce, low, high]| ModelTile {
            value: format!("{ce:.0}"),
            unit: "ng/mL",
            band: format!("{low:.0} to {high:.0}"),
            band_of: "published models",
        }),
        infusion: infusion_view(&chair, app),
        due: due(&chair),
        scales: if open && may(Privilege::Chart) { scales(&chair, app) } else { Vec::new() },
        quick_events: quick_events(&chair, app),
        links: links(&chair),
        events,
        pad: pad_fields(&chair, posted),
        read_again: posted.all(again::READ_AGAIN).map(str::to_owned).collect(),
        chair: ChairView {
            number: number.to_owned(),
            path: format!("/chair/{number}"),
            session: chair.session_id.as_ref().map(|session| session.0.clone()).unwrap_or_default(),
            phase: phase.map_or("free", phase_key),
            phase_title: phase.map_or_else(|| "Free".to_owned(), phase_title),
            by_hand: open && !chair.has_monitor,
            may_chart: open && may(Privilege::Chart),
            may_pause: phase == Some(Phase::Infusing) && may(Privilege::StopInfusion),
            may_stop: phase.is_some_and(Phase::active) && may(Privilege::StopInfusion),
            panels: if open { "bp hr spo2 rr ce" } else { "" },
        },
    })
}

/// What happened in this visit, the newest first. A finding, a drug or a side effect that stands can be struck by who may.
fn event_rows(app: &AppState, number: &ChairId, may_strike: bool) -> Vec<EventRow> {
    let Some((id, session, _)) = app.floor.at_chair(number) else { return Vec::new() };
    let passes: BTreeSet<RuleId> = rules::standing(&session, &app.knowledge)
        .into_iter()
        .filter(|gate| gate.open.is_empty())
        .map(|gate| gate.gate)
        .collect();
    let zone = app.config.time_zone();
    let history = app.floor.history(&id).unwrap_or_default();
    let mut all_struck = struck(&history, &zone, |id| app.floor.called(id));
    let said = |one: &Recorded| match &one.event {
        Event::GateAnswered(answer) if answer.verdict >= Verdict::Hold && passes.contains(&answer.gate) => {
            format!("{}; passes since", line(&one.event, &app.knowledge))
        }
        event => line(event, &app.knowledge),
    };
    let rows = history.iter().rev().map(|one| (one, said(one)));
    let rows = rows.filter(|(_, text)| !text.is_empty()).take(EVENTS_MAX);
    rows.map(|(one, text)| {
        let struck = all_struck.remove(&one.position).unwrap_or_default();
        let open = may_strike && struck.is_empty() && one.charted_at().is_some();
        EventRow {
            position: one.position,
            at: one.happened_at().to_zoned(zone.clone()).strftime("%H:%M").to_string(),
            text,
            who: app.floor.called(&one.by),
            struck,
            strike: if open { format!("/visit/{id}/strike/{}", one.position) } else { String::new() },
        }
    })
    .collect()
}

fn limits(chair: &Chair, app: &AppState) -> Vec<String> {
    let limits = chair.session_id.as_ref().and_then(|id| app.floor.limits(id)).unwrap_or_default();
    let moved = super::sheets::moved(app, &limits);
    moved
        .into_iter()
        .map(|limit| format!("Limit for this patient: {limit}"))
        .chain(chair.stretched(app))
        .collect()
}

fn baseline_of(chair: &Chair, app: &AppState) -> Option<String> {
    baseline(chair.session.as_ref()?, app.floor.knowledge(), &app.config.time_zone())
}

fn banner(chair: &Chair, app: &AppState) -> Option<Banner> {
    let (session, patient) = (chair.session.as_ref()?, chair.patient.as_ref()?);
    let today = app.clock.now().to_zoned(app.config.time_zone()).date();
    let weight = session.weight.map_or_else(|| "Not recorded".to_owned(), |(weight, _)| weight.to_string());
    let (allergies, allergic) = match &patient.allergies {
        Allergies::NotRecorded => ("not recorded".to_owned(), false),
        Allergies::NoneKnown => ("none known".to_owned(), false),
        Allergies::Known(list) => (list.join(", "), true),
    };
    let fact = |label, value: String, note: &str| Fact { label, value, note: note.to_owned() };
    Some(Banner {
        name: patient.banner_name(),
        title: String::new(),
        preferred: String::new(),
        facts: vec![
            fact("Born", format!("{} ({} y)", patient.born.strftime("%d-%b-%Y"), patient.age_on(today)), ""),
            fact("MRN", patient.mrn.clone(), ""),
            fact("Weight", weight, if session.weight.is_some() { "today" } else { "" }),
        ],
        allergies,
        allergic,
        infusion_of: format!("Infusion {} of {}", session.infusion.0, session.infusion.1),
    })
}

fn infusion_view(chair: &Chair, app: &AppState) -> Option<InfusionView> {
    let session = chair.session.as_ref()?;
    let (order, _) = session.order.as_ref()?;
    session.delivery.started()?;
    let zone = app.config.time_zone();
    let (rate, doubt) = (session.delivery.rate().to_string(), chair.doubt(&zone));
    Some(InfusionView {
        drug: order.drug.clone(),
        planned_ml: chair.planned_ml(),
        delivered_ml: chair.delivered_ml(),
        delivered: chair.delivered(),
        planned: order.dose.to_string(),
        per_kg: order.ordered.clone(),
        rate: if doubt.is_empty() { rate } else { format!("last known {rate}") },
        ends: chair.ends(&zone),
        left: chair.left_words(),
        read_it: chair.read_it(),
        contradicts: chair.contradicts(&zone),
        doubt,
    })
}

fn due(chair: &Chair) -> Vec<Due> {
    let mut rows: Vec<Due> = chair
        .view
        .due
        .iter()
        .take(DUE_ROWS)
        .map(|due| Due { what: due.title.clone(), when: in_words(due.in_s), late: due.in_s < 0 })
        .collect();
    while rows.len() < DUE_ROWS {
        rows.push(Due { what: String::new(), when: String::new(), late: false });
    }
    rows
}

fn scales(chair: &Chair, app: &AppState) -> Vec<ScaleTaps> {
    let rules = app.knowledge.session_rules();
    let row = |key: &'static str, sign, down: bool, old_s| {
        let scale = rules.scales.iter().find(|scale| scale.id == key)?;
        let score = chair.view.scores.iter().find(|score| score.sign == sign);
        let mut choices: Vec<Choice> =
            scale.scores().map(|(value, says)| Choice { value, says: says.to_owned() }).collect();
        if down {
            choices.reverse();
        }
        Some(ScaleTaps {
            key,
            title: scale.title.clone(),
            now: score.map_or_else(|| "---".to_owned(), |score| score.score.to_string()),
            when: score.map_or_else(|| "not measured".to_owned(), |score| chair.ago(score.age_s)),
            old_s,
            choices,
        })
    };
    use clinic::monitor::Sign;
    let moaas = row("moaas", Sign::Moaas, true, chair.sedation_s);
    moaas.into_iter().chain(row("distress", Sign::Distress, false, chair.distress_s)).collect()
}

/// The usual ones in one tap, the rest behind one more.
fn quick_events(chair: &Chair, app: &AppState) -> Vec<Link> {
    let Some(id) = &chair.session_id else { return Vec::new() };
    let usual = &app.knowledge.session_rules().quick_events;
    let cards = usual.iter().filter_map(|usual| app.knowledge.adverse_events.get(usual));
    let mut links: Vec<Link> = cards
        .map(|card| Link {
            label: card.header.title.clone(),
            path: format!("/visit/{id}/event/{}", card.header.id),
        })
        .collect();
    links.push(Link { label: "Another event…".to_owned(), path: format!("/visit/{id}/event") });
    links
}

/// What this phase asks for, each opening its sheet or page.
fn links(chair: &Chair) -> Vec<Link> {
    let (Some(id), Some(session)) = (&chair.session_id, &chair.session) else { return Vec::new() };
    let link = |label: &str, page: &str| Link { label: label.to_owned(), path: format!("/visit/{id}{page}") };
    let mut links = match session.phase {
        Phase::CheckedIn | Phase::Gated | Phase::Ready | Phase::Planned | Phase::New => {
            vec![link("Checklist", ""), link("Order", "/order"), link("Preparation", "/preparation")]
        }
        Phase::Infusing => vec![link("Change rate…", "/rate"), link("Give drug…", "/drug")],
        Phase::Paused => vec![link("Resume…", "/resume"), link("Give drug…", "/drug")],
        Phase::Recovering | Phase::DischargeCheck => {
            vec![link("Read pump", "/pump"), link("Waste", "/waste"), link("Discharge", "/discharge")]
        }
        Phase::Discharged | Phase::Cancelled | Phase::Transferred => vec![link("Waste", "/waste")],
    };
    // A linked pump reads itself; a person reads it where there is no link, or where the link cannot be trusted.
    if session.phase.active() && (!session.delivery.linked() || chair.is_uncertain()) {
        links.push(link("Read pump", "/pump"));
    }
    links.push(link("Observe…", "/observe"));
    links.push(link("Note", "/note"));
    links.push(link("Alarm limits…", "/limits"));
    links
}

//! The page of a patient, on a phone: next visit, what waits for an answer, course, scores, goals, whom to call. A link
//! and the day of birth open it, each time anew: nothing of it stays on the phone.

mod here;

use super::error::status_of;
use super::expect::{Told, everybody};
use super::inquiry::CrisisCard;
use super::scores::{self, Known};
use super::visit::form::{Field, Form, Kind, Sent};
use super::visit::typed::Typed;
use super::{Error, FieldError, Page, consent, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::link::{For, Link, LinkKey};
use crate::record::drawing::Drawing;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::care::patient_page::{Event, Standing};
use clinic::care::plan::RATING_BEST;
use clinic::course::{Booked, What};
use clinic::outcome::{around, last_series};
use clinic::patient::Patient;
use clinic::quantity::{plain, round_half_up};
use clinic::scale::outcome;
use jiff::Timestamp;
use jiff::civil::Date;

#[derive(Template)]
#[template(path = "pages/mine_door.html")]
struct Door {
    page: Page,
    /// Why the link does not open; empty where it asks.
    over: String,
    ask: Option<Form>,
    crisis: CrisisCard,
    call: Option<Call>,
    sheet: bool,
}

#[derive(Template)]
#[template(path = "pages/mine.html")]
struct Mine {
    page: Page,
    /// While the patient sits in a chair.
    here: Vec<String>,
    next: Vec<String>,
    waits: Vec<(String, String)>,
    had: Vec<String>,
    scores: Vec<Score>,
    goals: Vec<String>,
    told: Vec<Told>,
    expect: Vec<(String, String)>,
    never_stop: &'static str,
    crisis: CrisisCard,
    call: Option<Call>,
}

/// The clinic's own number, as it reads and as a phone dials it.
struct Call {
    reads: String,
    dials: String,
}

struct Score {
    title: String,
    /// As a phone shows it, which this page is for.
    drawing: Option<Drawing>,
    says: Vec<String>,
}

fn call(app: &AppState) -> Option<Call> {
    let reads = app.config.phone.clone()?;
    let dials = reads.chars().filter(|one| one.is_ascii_digit() || *one == '+').collect();
    Some(Call { reads, dials })
}

/// A link that this clinic signed, where it stands, and whose it is.
fn find(app: &AppState, token: &str) -> Result<Option<(Link, Standing, Patient)>, Fault> {
    let now = app.clock.now();
    let Some(link) = LinkKey::of(&app.store, &app.config.site, For::Page, now)?.read(token) else {
        return Ok(None);
    };
    let Some(patient) = app.floor.patient(&link.patient)? else { return Ok(None) };
    let standing = match app.floor.joined_to(&link.patient)? {
        Some(_) => Standing::Replaced,
        None => app.floor.patient_page(&link.patient)?.standing(&link.form, now),
    };
    Ok(Some((link, standing, patient)))
}

async fn look(app: &AppState, token: String) -> Result<(Link, Standing, Patient), Error> {
    app.blocking(move |app| find(app, &token)).await??.ok_or(Error::NotFound)
}

/// `GET /mine/{link}`: asks for the day of birth.
pub async fn door(
    State(app): State<AppState>,
    visit: Visit,
    Path(token): Path<String>,
) -> Result<Response, Error> {
    let (_, standing, _) = look(&app, token.clone()).await?;
    draw_door(&app, &visit, &token, standing, &Sent::nothing())
}

fn draw_door(
    app: &AppState,
    visit: &Visit,
    token: &str,
    standing: Standing,
    sent: &Sent,
) -> Result<Response, Error> {
    let over = match standing {
        Standing::Open => "",
        Standing::Replaced => "You were given a newer link, or the clinic took this one back.",
        Standing::Ended => "This link was made for a limited time, and that time is over.",
        Standing::Closed => "Too many wrong days of birth were entered, so this link was ended.",
    };
    let ask = (standing == Standing::Open).then(|| {
        let born = Field::new(Kind::Day, "born", "Your day of birth");
        let form = Form::new("open", format!("/mine/{token}"), "", "Open my page").with(born);
        form.hint("So that nobody reads it who only has your phone.").filled(sent)
    });
    let errors = sent.summary(&ask);
    let title = if over.is_empty() { "Is it you?" } else { "This link opens nothing any more" };
    let door = Door {
        page: Page::new(app, visit, title).for_a_patient().with_errors(errors),
        over: over.to_owned(),
        ask,
        crisis: CrisisCard::new(app, false),
        call: call(app),
        sheet: false,
    };
    html(if over.is_empty() { sent.status } else { StatusCode::GONE }, &door)
}

/// `POST /mine/{link}`: the page, for who was born on that day.
pub async fn open(
    State(app): State<AppState>,
    visit: Visit,
    Path(token): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let (link, standing, patient) = look(&app, token.clone()).await?;
    let mut typed = Typed::new(posted.clone(), app.config.time_zone());
    let refused = |errors, status| Sent { form: "open".to_owned(), posted: posted.clone(), errors, status };
    if standing != Standing::Open {
        return draw_door(&app, &visit, &token, standing, &Sent::nothing());
    }
    let Some(said) = typed.day("born", "Your day of birth") else {
        let sent = refused(typed.errors, StatusCode::UNPROCESSABLE_ENTITY);
        return draw_door(&app, &visit, &token, standing, &sent);
    };
    let answered = {
        let (link, patient) = (link.clone(), patient.clone());
        app.blocking(move |app| app.floor.open_page(&link.patient, &patient, &link.form, said)).await?
    };
    match answered {
        Ok(Some(Event::PageOpened)) => show(&app, &visit, link, patient).await,
        Ok(Some(_)) => missed(&app, &visit, token, link, refused).await,
        Ok(None) => {
            let (_, standing, _) = look(&app, token.clone()).await?;
            draw_door(&app, &visit, &token, standing, &Sent::nothing())
        }
        Err(denied) => {
            let why =
                "This could not be checked now, so the page stays closed. Try again in a moment, or call.";
            let sent = refused(vec![FieldError::at("born", why)], status_of(&denied));
            draw_door(&app, &visit, &token, standing, &sent)
        }
    }
}

/// Another day of birth: how often it may still be tried.
async fn missed(
    app: &AppState,
    visit: &Visit,
    token: String,
    link: Link,
    refused: impl Fn(Vec<FieldError>, StatusCode) -> Sent,
) -> Result<Response, Error> {
    let page = app.blocking(move |app| app.floor.patient_page(&link.patient)).await??;
    let left = page.tries_left();
    let why = format!(
        "This is not the day of birth in the record. You can try {left} more {}.",
        if left == 1 { "time" } else { "times" }
    );
    let sent = refused(vec![FieldError::at("born", why)], StatusCode::UNPROCESSABLE_ENTITY);
    let standing = if left == 0 { Standing::Closed } else { Standing::Open };
    draw_door(app, visit, &token, standing, &sent)
}

async fn show(app: &AppState, visit: &Visit, link: Link, patient: Patient) -> Result<Response, Error> {
    let frame = Page::new(app, visit, format!("Hello {}", patient.given)).for_a_patient();
    let page = app.blocking(move |app| gathered(app, &link, frame)).await??.ok_or(Error::NotFound)?;
    html(StatusCode::OK, &page)
}

/// All that the page says, read at once.
fn gathered(app: &AppState, link: &Link, page: Page) -> Result<Option<Mine>, Fault> {
    let (id, now) = (&link.patient, app.clock.now());
    let Some(known) = Known::read(app, id)? else { return Ok(None) };
    let course = app.floor.course(id)?.course;
    let planned = course.plans.last().map(|version| version.plan.regimen.to_string());
    let mut booked = course.booked;
    if let Some(here) = course.under_way {
        // The infusion may take longer than its place is held.
        let places = booked.iter_mut().filter(|visit| Some(&**visit) == here.place.as_ref());
        places.for_each(|place| place.end = place.end.max(here.end));
    }
    booked.retain(|visit| visit.end > now);
    booked.sort_by_key(|visit| visit.start);
    let mut waits = scores::open_links(app, id, &known)?;
    waits.extend(consent::open_links(app, id)?);
    let goals = app.floor.care_plan(id)?.goals;
    let goals = goals.into_iter().filter(|goal| goal.ended.is_none()).map(|goal| match goal.ratings.last() {
        Some((at, rating)) => {
            format!("{}: {rating} of {RATING_BEST} on {}", goal.words, day(app, *at))
        }
        None => goal.words,
    });
    let infusions = known.infusions.iter().rev();
    let had = infusions.map(|infusion| format!("Infusion {}: {}", infusion.number, day(app, infusion.at)));
    let regimen = known.visits.last().map(|visit| visit.regimen.clone()).or(planned).unwrap_or_default();
    let about = app.knowledge.expectations_of(&regimen, known.treated.all()).into_iter();
    let about = about.map(|item| (format!("/what-to-expect/{}", item.body.page), item.header.title.clone()));
    let mut expect: Vec<_> = about.collect();
    if expect.is_empty() {
        expect.push(("/what-to-expect".to_owned(), "What to expect, for each condition".to_owned()));
    }
    Ok(Some(Mine {
        page,
        here: here::here_now(app, id)?,
        next: booked.iter().map(|visit| says(app, visit)).collect(),
        waits,
        had: had.collect(),
        scores: app.knowledge.scales.iter().filter_map(|item| score(app, &known, item)).collect(),
        goals: goals.collect(),
        told: everybody(&app.knowledge),
        expect,
        never_stop: super::care_plan::NEVER_STOP,
        crisis: CrisisCard::new(app, false),
        call: call(app),
    }))
}

fn day(app: &AppState, at: Timestamp) -> String {
    long(at.to_zoned(app.config.time_zone()).date())
}

/// A date in the words of a calendar on the wall.
fn long(date: Date) -> String {
    date.strftime("%A, %-d %B %Y").to_string()
}

/// A visit to come, as somebody plans a day around it.
fn says(app: &AppState, visit: &Booked) -> String {
    let clock = |at: Timestamp| at.to_zoned(app.config.time_zone()).strftime("%H:%M").to_string();
    let what = match visit.what {
        What::Infusion => "your infusion",
        What::Preparation => "a talk to prepare",
        What::Integration => "a talk about what you experienced",
    };
    let end = match visit.what {
        _ if visit.must_move.is_some() => {
            "Your plan has changed, and this visit needs another time: we will tell you which.".to_owned()
        }
        What::Infusion => {
            format!("You can go home from {} at the earliest, with your escort.", clock(visit.end))
        }
        What::Preparation | What::Integration => format!("Until {}.", clock(visit.end)),
    };
    format!("{} at {}: {what}. {end}", day(app, visit.start), clock(visit.start))
}

/// One scale over time, in plain words.
fn score(
    app: &AppState,
    known: &Known,
    item: &clinic::knowledge::Item<clinic::knowledge::scales::Scale>,
) -> Option<Score> {
    let totals = known.all.totals(&item.header.id);
    let (last_at, last) = totals.last()?;
    let of = item.body.total.map_or_else(String::new, |[_, most]| format!(" of {}", plain(most)));
    let mut says = vec![format!("Last: {}{of}, on {}.", plain(round_half_up(*last, 2)), day(app, *last_at))];
    let first = last_series(&known.infusions).first().and_then(|first| around(&totals, first.at).0);
    if let Some((at, before)) = first.filter(|(at, _)| at < last_at) {
        says.push(format!("Before the infusions: {}, on {}.", plain(round_half_up(before, 2)), day(app, at)));
        match known
            .treated
            .judging(&item.body)
            .first()
            .map(|is| outcome(item, before, *last, *is).map(|came| came.reliable))
        {
            Some(Ok(Some(true))) => {
                says.push("The difference is larger than chance alone explains.".to_owned())
            }
            Some(Ok(Some(false))) => says.push(
                "A difference of this size can be chance: scores go up and down from week to week."
                    .to_owned(),
            ),
            Some(Ok(None) | Err(_)) | None => {}
        }
    }
    let drawing = if totals.len() > 1 { scores::drawing_of(app, known, item, Vec::new()) } else { None };
    let drawing = drawing.map(|[_, phone]| phone);
    Some(Score { title: item.header.title.clone(), drawing, says })
}

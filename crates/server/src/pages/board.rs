//! The infusion room at a glance: a card a chair, and one card alone.

use super::alarms::AlarmRow;
use super::chair_view::{Chair, Tile, in_words};
use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::Visit;
use crate::words::{phase_key, phase_title};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::id::ChairId;
use clinic::monitor::Priority;

#[derive(Template)]
#[template(path = "pages/board.html")]
struct Board {
    page: Page,
    utc_offset_min: i32,
    time: String,
    date: String,
    zone: String,
    says: String,
    cards: Vec<ChairCard>,
    alarms: Vec<AlarmRow>,
    next: String,
}

#[derive(Template)]
#[template(path = "parts/chair_card.html")]
struct OneCard {
    card: ChairCard,
}

struct ChairCard {
    number: String,
    path: String,
    free: bool,
    next: String,
    who: String,
    phase: &'static str,
    phase_title: String,
    tiles: Vec<Tile>,
    hr_trend: String,
    spo2_trend: String,
    planned_ml: String,
    delivered_ml: String,
    left: String,
    doubt: String,
    ce: String,
    due: Option<CardDue>,
    alarm: &'static str,
    alarm_text: String,
    acknowledged: bool,
    recorded: bool,
}

struct CardDue {
    what: String,
    when: String,
}

/// `GET /board`
pub async fn show(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    let now = app.clock.now().to_zoned(app.config.time_zone());
    let cards: Vec<ChairCard> = app.floor.chairs().iter().map(|chair| card(&app, chair)).collect();
    let taken = cards.iter().filter(|card| !card.free).count();
    let waiting = app.floor.open_sessions();
    let planned: Vec<String> = waiting
        .iter()
        .filter(|(_, session, _)| session.chair.is_none())
        .map(|(_, _, patient)| patient.wall_name())
        .collect();
    let next =
        if planned.is_empty() { String::new() } else { format!("Expected today: {}", planned.join(" · ")) };
    let board = Board {
        page: Page::new(&app, &visit, "Infusion room"),
        utc_offset_min: now.offset().seconds() / 60,
        time: now.strftime("%H:%M").to_string(),
        date: now.strftime("%a %d-%b-%Y").to_string(),
        zone: now.strftime("%Z").to_string(),
        says: format!("{taken} in use · {} free", cards.len() - taken),
        cards,
        alarms: super::alarms::rows(&app),
        next,
    };
    html(StatusCode::OK, &board)
}

/// `GET /board/chair/{n}`: one card.
pub async fn one(State(app): State<AppState>, Path(number): Path<String>) -> Result<Response, Error> {
    let chair = ChairId::new(number);
    if !app.floor.chairs().contains(&chair) {
        return Err(Error::NotFound);
    }
    html(StatusCode::OK, &OneCard { card: card(&app, &chair) })
}

fn card(app: &AppState, number: &ChairId) -> ChairCard {
    let chair = Chair::of(app, number);
    let worst = chair.alarms.first();
    let (alarm, sign) = match worst.map(|view| view.alarm.priority) {
        Some(Priority::High) => ("high", "▲ !!!"),
        Some(Priority::Medium) => ("medium", "▲ !!"),
        Some(Priority::Low) => ("low", "▲ !"),
        None => ("", ""),
    };
    let trend = app.floor.trend(number).unwrap_or_default();
    let now = app.clock.now().as_second();
    let phase = chair.session.as_ref().map(|session| session.phase);
    ChairCard {
        number: number.0.clone(),
        path: format!("/chair/{number}"),
        free: chair.session.is_none(),
        next: String::new(),
        who: chair.patient.as_ref().map(clinic::patient::Patient::wall_name).unwrap_or_default(),
        phase: phase.map_or("free", phase_key),
        phase_title: phase.map_or_else(|| "Free".to_owned(), phase_title),
        tiles: chair.tiles(),
        hr_trend: spark(&trend, now, |row| row.heart),
        spo2_trend: spark(&trend, now, |row| row.spo2),
        planned_ml: chair.planned_ml(),
        delivered_ml: chair.delivered_ml(),
        left: chair.left_words(),
        doubt: doubt_on_card(&chair, app),
        ce: chair.level.map_or_else(String::new, |[ce, _, _]| format!("{ce:.0}")),
        due: chair.view.due.first().map(|due| CardDue { what: due.title.clone(), when: in_words(due.in_s) }),
        alarm,
        alarm_text: worst
            .map_or_else(String::new, |view| format!("{sign} {}", crate::words::alarm(&view.alarm))),
        acknowledged: worst.is_some_and(|view| view.alarm.acknowledged.is_some()),
        recorded: app.floor.is_recording(),
    }
}

/// What is known of a delivery that nobody can follow, as short as a card asks.
fn doubt_on_card(chair: &Chair, app: &AppState) -> String {
    match chair.doubt(&app.config.time_zone()) {
        doubt if doubt.is_empty() => doubt,
        doubt => format!("{}, {doubt}", chair.delivered()),
    }
}

/// The last twenty minutes, a value each ten seconds, the last is now.
fn spark(
    trend: &crate::floor::Trend,
    now: i64,
    pick: impl Fn(&crate::floor::Row) -> Option<clinic::quantity::Tenths>,
) -> String {
    const SLOTS: i64 = 120;
    const SLOT_S: i64 = 10;
    let mut slots = vec!["-".to_owned(); usize::try_from(SLOTS).unwrap_or_default()];
    for row in &trend.rows {
        let back = (now - row.second) / SLOT_S;
        let slot = usize::try_from(SLOTS - 1 - back).ok().and_then(|at| slots.get_mut(at));
        if let (Some(slot), Some(value)) = (slot, pick(row)) {
            *slot = value.to_string();
        }
    }
    slots.join(" ")
}

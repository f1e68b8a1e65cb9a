//! The feed of somebody's own visits for the calendar on their phone: by a signed address, without a sign-in and
//! without a word of who is treated.

use super::Error;
use crate::auth::link::{Feed, For, LinkKey};
use crate::{AppState, Fault};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use clinic::course::Booked;
use clinic::id::StaffId;
use clinic::staff::Role;
use interop::ical::{self, Appointment};
use jiff::{Timestamp, ToSpan};
use sha2::{Digest, Sha256};

/// Days before and after today that a feed holds.
const BEFORE_D: i32 = 7;
const AFTER_D: i32 = 90;
/// Days after which an address ends; the calendar page then shows another.
const ENDS_D: i64 = 366;
/// Who has visits of their own.
const WITH_VISITS: [Role; 3] = [Role::Nurse, Role::Prescriber, Role::Therapist];

/// The path of a person's feed; none for who has no visits.
///
/// # Errors
/// When the secret cannot be read.
pub fn path_of(app: &AppState, staff: &StaffId) -> Result<Option<String>, Fault> {
    let account = app.auth.accounts().find(staff)?;
    if !account.is_some_and(|one| WITH_VISITS.iter().any(|role| one.roles.contains(role))) {
        return Ok(None);
    }
    let now = app.clock.now();
    // Counted from the day, so that the address does not change with every look at the page.
    let today = now.to_zoned(app.config.time_zone()).date();
    let ends = today.checked_add(ENDS_D.days()).and_then(|day| day.to_zoned(app.config.time_zone()));
    let ends_s = ends.map_or(0, |ends| ends.timestamp().as_second());
    let key = LinkKey::of(&app.store, &app.config.site, For::Feed, now)?;
    Ok(Some(format!("/feed/{}", key.sign_feed(&Feed { staff: staff.clone(), ends_s }))))
}

/// `GET /feed/{token}`
pub async fn show(State(app): State<AppState>, Path(token): Path<String>) -> Result<Response, Error> {
    let text = app.blocking(move |app| feed(app, &token)).await??;
    Ok(match text {
        Some(text) => ([(header::CONTENT_TYPE, "text/calendar; charset=utf-8")], text).into_response(),
        // One answer for a forged, an ended and a withdrawn address: it says nothing of who works here.
        None => (StatusCode::NOT_FOUND, "This address gives no calendar.\n").into_response(),
    })
}

fn feed(app: &AppState, token: &str) -> Result<Option<String>, Fault> {
    let now = app.clock.now();
    let key = LinkKey::of(&app.store, &app.config.site, For::Feed, now)?;
    let Some(feed) = key.read_feed(token).filter(|feed| now.as_second() < feed.ends_s) else {
        return Ok(None);
    };
    let Some(account) = app.auth.accounts().find(&feed.staff)?.filter(|one| !one.disabled) else {
        return Ok(None);
    };
    let today = now.to_zoned(app.config.time_zone()).date();
    let mut appointments = Vec::new();
    for date in (-BEFORE_D..=AFTER_D).filter_map(|days| today.checked_add(days.days()).ok()) {
        for (course, _, visit) in app.floor.day(date)?.visits() {
            if has(visit, &feed.staff) {
                appointments.push(appointment(app, course.as_str(), visit));
            }
        }
    }
    Ok(Some(ical::feed(&format!("{}, visits", account.name), &appointments, now)))
}

fn has(visit: &Booked, staff: &StaffId) -> bool {
    [&visit.nurse, &visit.prescriber, &visit.therapist].into_iter().flatten().any(|one| one == staff)
}

fn appointment(app: &AppState, course: &str, visit: &Booked) -> Appointment {
    Appointment {
        uid: uid(&app.config.site, course, visit.start),
        start: visit.start,
        end: visit.end,
        summary: match visit.must_move {
            Some(_) => format!("{}, must be moved", visit.what.title()),
            None => visit.what.title().to_owned(),
        },
        location: visit.chair.as_ref().map_or_else(String::new, |chair| format!("Chair {chair}")),
    }
}

/// The same in every feed of every person, and no way back to the course.
fn uid(site: &str, course: &str, start: Timestamp) -> String {
    let digest = Sha256::digest(format!("{site} {course} {start}").as_bytes());
    format!("{}@chairside", hex::encode(&digest[..16]))
}

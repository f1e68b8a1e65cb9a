//! Columns for the charts of a chair: what was measured, and what models say.

use super::Error;
use crate::AppState;
use crate::floor::{Planned, Prediction, Trend, WhatIf};
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use clinic::dose::parse;
use clinic::id::ChairId;
use clinic::quantity::{Rate, Tenths};
use clinic::session::Session;
use clinic::session::delivery::elapsed_ms;
use pkpd::{Answer, Curve, Forecast, Site};
use serde::Deserialize;
use serde_json::{Value, json};

/// Values are sent as tenths.
const SCALE: i32 = 10;
/// Late values no further apart are one stretch, seconds.
const ONE_STRETCH_S: i64 = 15;
/// Seconds between the points of a forecast.
const STEP_S: i64 = 60;

/// `GET /chair/{n}/history.json`
pub async fn history(State(app): State<AppState>, Path(number): Path<String>) -> Result<Response, Error> {
    let chair = ChairId::new(number);
    let (Some(trend), Some(view)) = (app.floor.trend(&chair), app.floor.monitor_view(&chair)) else {
        return Err(Error::NotFound);
    };
    let t0 = trend.rows.front().map_or_else(|| app.clock.now().as_second(), |row| row.second);
    let mut last = t0;
    let mut dt = Vec::with_capacity(trend.rows.len());
    for row in &trend.rows {
        dt.push(row.second - last);
        last = row.second;
    }
    let column = |pick: fn(&crate::floor::Row) -> Option<Tenths>| -> Vec<Option<i32>> {
        trend.rows.iter().map(|row| pick(row).map(|value| value.0)).collect()
    };
    let cuffs = |pick: fn(&crate::floor::Cuff) -> i64| -> Vec<i64> { trend.cuffs.iter().map(pick).collect() };
    let limits: serde_json::Map<String, Value> = view
        .values
        .iter()
        .filter_map(|value| {
            let number = |text: &Option<String>| text.as_ref().and_then(|text| text.parse::<f64>().ok());
            let key = match value.parameter {
                clinic::device::Parameter::Systolic => "bp",
                clinic::device::Parameter::HeartRate | clinic::device::Parameter::PulseRate => "hr",
                clinic::device::Parameter::Spo2 => "spo2",
                clinic::device::Parameter::RespiratoryRate => "rr",
                _ => return None,
            };
            Some((key.to_owned(), json!([number(&value.low), number(&value.high)])))
        })
        .collect();
    let body = json!({
        "t0": t0, "dt": dt, "scale": SCALE,
        "hr": column(|row| row.heart), "spo2": column(|row| row.spo2), "rr": column(|row| row.breaths),
        "bp": {
            "t": cuffs(|cuff| cuff.second),
            "sbp": cuffs(|cuff| i64::from(cuff.systolic.0)),
            "dbp": cuffs(|cuff| i64::from(cuff.diastolic.0)),
            "by": trend.cuffs.iter().map(|cuff| cuff.by.as_str()).collect::<Vec<_>>(),
        },
        "limits": limits, "late": late(&trend),
    });
    Ok(Json(body).into_response())
}

/// Stretches in which values came later than they were measured, first and last second of each.
fn late(trend: &Trend) -> Vec<[i64; 2]> {
    let rows = trend.rows.iter().filter(|row| row.late).map(|row| row.second);
    let cuffs = trend.cuffs.iter().filter(|cuff| cuff.is_late()).map(|cuff| cuff.second);
    let mut seconds: Vec<i64> = rows.chain(cuffs).collect();
    seconds.sort_unstable();
    let mut stretches: Vec<[i64; 2]> = Vec::new();
    for second in seconds {
        match stretches.last_mut() {
            Some([_, last]) if second - *last <= ONE_STRETCH_S => *last = second,
            _ => stretches.push([second, second]),
        }
    }
    stretches
}

/// What may be asked beside "continue" and "stop now".
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    rate: String,
}

/// `GET /chair/{n}/forecast.json?rate=20`
pub async fn forecast(
    State(app): State<AppState>,
    Path(number): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let Some((_, session, patient)) = app.floor.at_chair(&ChairId::new(number)) else {
        return Ok(StatusCode::NO_CONTENT.into_response());
    };
    let change_to = match asked.rate.trim() {
        "" => None,
        text => match parse::number(text).ok().and_then(Rate::from_decimal) {
            Some(rate) => Some(rate),
            None => {
                return Ok(said(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "A rate is a number of mL/h, such as 20 or 20.5.",
                ));
            }
        },
    };
    let now = app.clock.now();
    match app.floor.predict(&session, &patient, now, WhatIf { change_to }) {
        Ok(None) => Ok(StatusCode::NO_CONTENT.into_response()),
        Err(why) => Ok(said(StatusCode::UNPROCESSABLE_ENTITY, &why)),
        Ok(Some(prediction)) => Ok(drawn(&prediction, &session, now)),
    }
}

fn said(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "why": why }))).into_response()
}

fn drawn(prediction: &Prediction, session: &Session, now: jiff::Timestamp) -> Response {
    let forecast = match &prediction.answer {
        Answer::InDomain(forecast) => forecast,
        Answer::OutOfDomain(reasons) => {
            let why: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            return said(StatusCode::OK, &format!("No forecast: {}.", why.join("; ")));
        }
    };
    let site = match forecast.line.site {
        Site::Arterial => "arterial plasma",
        Site::Venous => "venous plasma",
        _ => "plasma",
    };
    let minute = elapsed_minutes(prediction, now);
    let scenarios: Vec<Value> = forecast
        .futures
        .iter()
        .zip(&prediction.scenarios)
        .filter_map(|(future, planned)| {
            let Answer::InDomain(curve) = &future.curve else { return None };
            let rates = rates(session, prediction.start, planned, minute, last_minute(curve, minute));
            Some(scenario(planned, &forecast.past, curve, minute, &rates))
        })
        .collect();
    let body = json!({
        "t0": prediction.start.as_second(), "step_s": STEP_S, "now": now.as_second(), "scale": SCALE,
        "model": format!("{}; band over {}", forecast.line.model, origins(forecast)),
        "site": site,
        "validity": "adults within the models' ages, weights, doses and lengths; the person may differ",
        "scenarios": scenarios,
    });
    Json(body).into_response()
}

fn origins(forecast: &Forecast) -> String {
    forecast.past.band.iter().map(|origin| origin.model.as_str()).collect::<Vec<_>>().join(", ")
}

fn elapsed_minutes(prediction: &Prediction, now: jiff::Timestamp) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "minutes of a visit")]
    let minutes = elapsed_ms(prediction.start, now) as f64 / 60_000.0;
    minutes
}

/// Past and future on one grid of whole minutes from the start.
fn scenario(planned: &Planned, past: &Curve, future: &Curve, now: f64, rates: &[i64]) -> Value {
    let Planned { name, rate, .. } = planned;
    let (label, says) = match *name {
        "continue" => ("Continue".to_owned(), format!("Goes on at {rate} until the ordered volume is in.")),
        "stop" => ("Stop now".to_owned(), "Nothing more from now on.".to_owned()),
        _ => (format!("Change to {rate}"), format!("At {rate} until the ordered volume is in.")),
    };
    let minutes = last_minute(future, now);
    let column = |past_levels: &[pkpd::NgPerMl], future_levels: &[pkpd::NgPerMl]| -> Vec<i64> {
        (0..=minutes)
            .map(|minute| {
                let at = f64::from(minute);
                let level = if at <= now {
                    at_time(past, past_levels, at)
                } else {
                    at_time(future, future_levels, at)
                };
                #[expect(clippy::cast_possible_truncation, reason = "a level in tenths of ng/mL")]
                let tenths = (level * f64::from(SCALE)).round() as i64;
                tenths
            })
            .collect()
    };
    json!({
        "id": name, "label": label, "says": says,
        "ce": column(&past.effect.line, &future.effect.line),
        "ce_lo": column(&past.effect.low, &future.effect.low),
        "ce_hi": column(&past.effect.high, &future.effect.high),
        "cp": column(&past.plasma.line, &future.plasma.line),
        "rate": rates,
    })
}

/// Last whole minute of a curve.
fn last_minute(curve: &Curve, now: f64) -> i32 {
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a visit")]
    let minutes = curve.times.last().map_or(now, |time| time.0).floor() as i32;
    minutes
}

/// Flow at each whole minute in tenths of mL/h: as it was, then as planned.
fn rates(session: &Session, start: jiff::Timestamp, planned: &Planned, now: f64, minutes: i32) -> Vec<i64> {
    let flowed = session.delivery.segments_to(
        start.saturating_add(jiff::SignedDuration::from_mins(i64::from(minutes))).unwrap_or(start),
    );
    let at = |minute: i32| start.as_millisecond() + i64::from(minute) * 60_000;
    let tenths = |rate: Rate| rate.0 / (1000 / i64::from(SCALE));
    (0..=minutes)
        .map(|minute| {
            if f64::from(minute) <= now {
                let then = at(minute);
                let in_it = flowed
                    .iter()
                    .find(|one| one.from.as_millisecond() <= then && then < one.to.as_millisecond());
                in_it.map_or(0, |one| tenths(one.rate()))
            } else if f64::from(minute) <= planned.until_min {
                tenths(planned.rate)
            } else {
                0
            }
        })
        .collect()
}

/// The level at a time, straight between the points of the curve.
fn at_time(curve: &Curve, levels: &[pkpd::NgPerMl], at: f64) -> f64 {
    let after = curve.times.iter().position(|time| time.0 >= at);
    let point = |index: usize| Some((curve.times.get(index)?.0, levels.get(index)?.0));
    match after {
        None => levels.last().map_or(0.0, |level| level.0),
        Some(0) => levels.first().map_or(0.0, |level| level.0),
        Some(index) => match (point(index - 1), point(index)) {
            (Some((t0, y0)), Some((t1, y1))) if t1 > t0 => y0 + (y1 - y0) * (at - t0) / (t1 - t0),
            (_, Some((_, y))) => y,
            _ => 0.0,
        },
    }
}

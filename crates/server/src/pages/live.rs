//! The live channel: one stream a browser, resumed by the position in the log, and the heartbeat back.

use super::Error;
use crate::AppState;
use crate::auth::audit::Kind;
use crate::auth::gate::{Posted, Visit};
use crate::floor::Message;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use clinic::id::ChairId;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio_stream::wrappers::ReceiverStream;

/// Messages that wait for one page before it is told to load again.
const WAITING_MAX: usize = 256;
/// Lines of the log that a page may have missed and still get.
const MISSED_MAX: i64 = 500;
/// A browser waits this long before it connects again.
const RETRY: Duration = Duration::from_secs(1);

/// What a page looks at.
#[derive(Debug, Deserialize)]
pub struct Asked {
    #[serde(default)]
    scope: String,
    #[serde(default)]
    after: Option<i64>,
}

/// `GET /live?scope=room` or `chair-3`
pub async fn stream(State(app): State<AppState>, Query(asked): Query<Asked>, headers: HeaderMap) -> Response {
    let chair = asked.scope.strip_prefix("chair-").map(ChairId::new);
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()).and_then(|id| id.parse().ok());
    let (tell, told) = tokio::sync::mpsc::channel::<Result<Event, Infallible>>(WAITING_MAX);
    let after = last.or(asked.after);
    tokio::spawn(async move {
        // The page is gone when a send fails.
        let _gone = run(&app, chair, after, &tell).await;
    });
    let mut response = Sse::new(ReceiverStream::new(told)).into_response();
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    response
}

type Told = tokio::sync::mpsc::Sender<Result<Event, Infallible>>;

async fn run(app: &AppState, chair: Option<ChairId>, after: Option<i64>, tell: &Told) -> Option<()> {
    let mut messages = app.floor.hub().subscribe();
    let mut stopping = app.stopping.clone();
    send(tell, Event::default().retry(RETRY).event("k").data(app.floor.beat_now())).await?;
    send(tell, Event::default().event("a").data(app.floor.alarms_now())).await?;
    send(tell, Event::default().event("s").data(app.floor.samples_now())).await?;
    if let Some(after) = after {
        replay(app, chair.as_ref(), after, tell).await?;
    }
    loop {
        let message = tokio::select! {
            message = messages.recv() => message,
            stop = stopping.wait_for(|stopping| *stopping) => { let _ = stop; return None; }
        };
        match message {
            Ok(message) => {
                if let Some(event) = for_scope(&message, chair.as_ref()) {
                    send(tell, event).await?;
                }
            }
            // Too slow to keep up: the page loads again and starts from what is true now.
            Err(RecvError::Lagged(_)) => send(tell, Event::default().event("reset").data("{}")).await?,
            Err(RecvError::Closed) => return None,
        }
    }
}

async fn send(tell: &Told, event: Event) -> Option<()> {
    tell.send(Ok(event)).await.ok()
}

fn for_scope(message: &Arc<Message>, chair: Option<&ChairId>) -> Option<Event> {
    let data: &str = match chair {
        Some(chair) if !message.by_chair.is_empty() => {
            &message.by_chair.iter().find(|(one, _)| one == chair).map(|(_, data)| data)?.clone()
        }
        _ => &message.data,
    };
    let event = Event::default().event(message.name).data(data);
    Some(match message.position {
        Some(position) => event.id(position.to_string()),
        None => event,
    })
}

/// The lines that a page missed, or the word to load again when they are too many.
async fn replay(app: &AppState, chair: Option<&ChairId>, after: i64, tell: &Told) -> Option<()> {
    let missed = app.blocking(move |app| app.floor.lines_since(after, MISSED_MAX)).await.ok()?;
    match missed {
        Ok(Some(lines)) => {
            for line in lines {
                if let Some(event) = for_scope(&Arc::new(line), chair) {
                    send(tell, event).await?;
                }
            }
            Some(())
        }
        Ok(None) | Err(_) => send(tell, Event::default().event("reset").data("{}")).await,
    }
}

#[derive(Debug, Deserialize)]
struct Painted {
    seq: u64,
    visible: bool,
}

/// `POST /live/painted`: a display says what it last drew.
pub async fn painted(State(app): State<AppState>, body: Bytes) -> Result<Response, Error> {
    let Ok(said) = serde_json::from_slice::<Painted>(&body) else {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
    };
    if said.visible {
        app.floor.painted(said.seq);
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /live/sound-test`: somebody listened to the alarm sound of a display.
pub async fn sound_tested(
    State(app): State<AppState>,
    visit: Visit,
    posted: Posted,
) -> Result<Response, Error> {
    let heard = match posted.text("heard") {
        "yes" => "heard",
        "no" => "NOT heard",
        _ => return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response()),
    };
    // An id, so that no words of a person come into the log this way.
    let Ok(display) = uuid::Uuid::parse_str(posted.text("display")) else {
        return Ok(StatusCode::UNPROCESSABLE_ENTITY.into_response());
    };
    let (who, from) = (visit.person()?.id().clone(), visit.from.clone());
    let what = format!("{heard} at display {display}");
    app.blocking(move |app| app.auth.audit().record(Kind::SoundTested, Some(&who), what, &from)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

//! The record of a visit, as a page and as PDF, and the list of all records. Each view is in the audit.

use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::Visit;
use crate::record::{self, History, Sheet};
use crate::views::sessions::{Row as Listed, visits_of};
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use clinic::id::SessionId;
use clinic::patient::Patient;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use store::ViewItem;
use tokio::sync::OwnedSemaphorePermit;

/// Longest wait until another record is printed.
const PRINT_WAIT: Duration = Duration::from_secs(3);
/// Most rows of the list; a search finds the others.
const SHOWN_MAX: usize = 100;
/// Most patients whose visits are looked up by the name that they have now.
const PATIENTS_MAX: i64 = 100;

#[derive(Template)]
#[template(path = "pages/record.html")]
struct SheetPage {
    page: Page,
    /// Where it was opened from, and what that is.
    back: (String, &'static str),
    /// The same as PDF.
    pdf: String,
    sheet: Sheet,
}

#[derive(Template)]
#[template(path = "pages/records.html")]
struct RecordsPage {
    page: Page,
    search: String,
    /// "Showing n of m".
    shown: String,
    rows: Vec<Row>,
}

struct Row {
    session: String,
    name: String,
    mrn: String,
    /// How name and number stood when the visit was planned, where they were corrected since.
    was: String,
    day: String,
    treatment: String,
    state: String,
}

/// `GET /record/{session}`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(session): Path<String>,
) -> Result<Response, Error> {
    let sheet = collected(&app, &session).await?;
    let pdf = format!("/record/{session}/record.pdf");
    sheet_page(&app, &visit, ("/records".to_owned(), "All records"), pdf, sheet)
}

/// `GET /record/{session}/record.pdf`
pub async fn paper(State(app): State<AppState>, Path(session): Path<String>) -> Result<Response, Error> {
    let place = place_to_print(&app).await?;
    let sheet = collected(&app, &session).await?;
    printed(&app, place, sheet, "record.pdf").await
}

/// A sheet as a page.
pub(super) fn sheet_page(
    app: &AppState,
    visit: &Visit,
    back: (String, &'static str),
    pdf: String,
    sheet: Sheet,
) -> Result<Response, Error> {
    let page = Page::new(app, visit, sheet.title.clone());
    html(StatusCode::OK, &SheetPage { page, back, pdf, sheet })
}

/// Waits until fewer are printed at once.
pub(super) async fn place_to_print(app: &AppState) -> Result<OwnedSemaphorePermit, Error> {
    match tokio::time::timeout(PRINT_WAIT, Arc::clone(&app.printing).acquire_owned()).await {
        Ok(Ok(place)) => Ok(place),
        _ => Err(Error::Busy),
    }
}

/// A sheet as PDF.
pub(super) async fn printed(
    app: &AppState,
    place: OwnedSemaphorePermit,
    sheet: Sheet,
    name: &str,
) -> Result<Response, Error> {
    let printed = app.blocking(move |_| {
        // Held by the work, which goes on where the browser has gone.
        let _place = place;
        record::pdf(&sheet)
    });
    let bytes = printed.await??;
    let headers = [
        (header::CONTENT_TYPE, "application/pdf".to_owned()),
        (header::CONTENT_DISPOSITION, format!("inline; filename=\"{name}\"")),
    ];
    Ok((headers, bytes).into_response())
}

async fn collected(app: &AppState, session: &str) -> Result<Sheet, Error> {
    let id = SessionId::new(session);
    let collected = app.blocking(move |app| -> Result<Option<Sheet>, crate::Fault> {
        let history = History::read(&app.store, &app.config.site, &id)?;
        Ok(history.map(|history| record::collect(&history, &app.knowledge, &app.config.time_zone())))
    });
    collected.await??.ok_or(Error::NotFound)
}

/// What to look for.
#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    search: String,
}

/// `GET /records`
pub async fn list(
    State(app): State<AppState>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let search = asked.search.trim().to_owned();
    let wanted = search.clone();
    let found = app.blocking(move |app| -> Result<(Vec<Row>, usize), crate::Fault> {
        let found = found(app, &wanted)?;
        let rows = found.iter().take(SHOWN_MAX).map(|item| row(app, &item.body)).collect::<Result<_, _>>()?;
        Ok((rows, found.len()))
    });
    let (rows, all) = found.await??;
    let more = if rows.len() < all { ". Search to find the others." } else { "" };
    let shown = format!("Showing {} of {all}{more}", rows.len());
    html(StatusCode::OK, &RecordsPage { page: Page::new(&app, &visit, "Records"), search, shown, rows })
}

/// The visits that match as they were planned, and those of the patients who match as they are called now.
fn found(app: &AppState, search: &str) -> Result<Vec<ViewItem>, crate::Fault> {
    let list = |view: &str, search: &str, most| app.store.view_list(&app.config.site, view, search, most);
    let mut found = list("sessions", search, store::ROWS_MAX)?;
    if !search.is_empty() {
        for patient in list("patients", search, PATIENTS_MAX)? {
            found.extend(list(&visits_of(&patient.key), "", store::ROWS_MAX)?);
        }
        found.sort_by(|a, b| b.sort.cmp(&a.sort).then_with(|| a.key.cmp(&b.key)));
        found.dedup_by(|a, b| a.key == b.key);
    }
    Ok(found)
}

fn row(app: &AppState, body: &str) -> Result<Row, crate::Fault> {
    let listed: Listed = serde_json::from_str(body)
        .map_err(|cause| crate::Fault::Event { kind: "sessions row".to_owned(), cause })?;
    let now = app.store.view(&app.config.site, "patients", &listed.patient)?;
    let now: Option<Patient> = now
        .map(|body| serde_json::from_str(&body))
        .transpose()
        .map_err(|cause| crate::Fault::Event { kind: "patients row".to_owned(), cause })?;
    let (name, mrn) = now.map_or_else(
        || (listed.name.clone(), listed.mrn.clone()),
        |patient| (patient.banner_name(), patient.mrn),
    );
    let changed = [(&listed.name, &name), (&listed.mrn, &mrn)].into_iter().filter(|(then, now)| then != now);
    let was: Vec<&str> = changed.map(|(then, _)| then.as_str()).collect();
    let regimen =
        app.knowledge.header(&listed.regimen).map_or(listed.regimen.as_str(), |header| header.title.as_str());
    Ok(Row {
        treatment: format!("{regimen}, {} of {}", listed.infusion, listed.of),
        state: listed.phase.replace('_', " "),
        was: if was.is_empty() { String::new() } else { format!("was {}", was.join("; ")) },
        session: listed.session,
        name,
        mrn,
        day: listed.day,
    })
}

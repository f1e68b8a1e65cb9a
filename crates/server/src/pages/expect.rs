//! The public pages of what a patient may expect: one a condition, each claim with its evidence and its sources.

pub(super) use super::consenting::Told;
use super::consenting::told;
use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::Visit;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::knowledge::Knowledge;

#[derive(Template)]
#[template(path = "pages/expect_list.html")]
struct List {
    page: Page,
    conditions: Vec<(String, String)>,
}

#[derive(Template)]
#[template(path = "pages/expect.html")]
struct Expected {
    page: Page,
    lead: String,
    sections: Vec<Told>,
    weighed: Vec<Weighed>,
    version: String,
    unsigned: bool,
}

struct Weighed {
    heard: String,
    says: String,
    evidence: String,
}

/// What a visit is like, whatever it is for.
pub(super) fn everybody(knowledge: &Knowledge) -> Vec<Told> {
    knowledge.expected_by_all().flat_map(|item| told(&item.body.sections, knowledge)).collect()
}

/// `GET /what-to-expect`
pub async fn list(State(app): State<AppState>, visit: Visit) -> Result<Response, Error> {
    let conditions = app.knowledge.expect.iter().filter(|item| !item.body.page.is_empty());
    let conditions =
        conditions.map(|item| (format!("/what-to-expect/{}", item.body.page), item.header.title.clone()));
    let page = Page::new(&app, &visit, "What to expect");
    html(StatusCode::OK, &List { page, conditions: conditions.collect() })
}

/// `GET /what-to-expect/{page}`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(which): Path<String>,
) -> Result<Response, Error> {
    let knowledge = &app.knowledge;
    let item = knowledge.expectation(&which).ok_or(Error::NotFound)?;
    let all = || std::iter::once(item).chain(knowledge.expected_by_all());
    let weighed = all().flat_map(|item| &item.body.weighed).map(|one| Weighed {
        heard: one.heard.clone(),
        says: one.known.says.clone(),
        evidence: one.known.evidence(knowledge),
    });
    let page = Expected {
        page: Page::new(&app, &visit, item.header.title.clone()),
        lead: item.body.lead.clone(),
        sections: all().flat_map(|item| told(&item.body.sections, knowledge)).collect(),
        weighed: weighed.collect(),
        version: format!("{}, version {}", item.header.id, item.header.version),
        unsigned: item.header.is_unsigned_default(),
    };
    html(StatusCode::OK, &page)
}

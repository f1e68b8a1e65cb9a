//! Rescue drugs under standing orders, each within the bounds of its card.

use super::{Content, after, draw, event_content};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::pages::Error;
use crate::pages::visit::act::carry_out;
use crate::pages::visit::form::{Choice, Field, Form, Sent};
use crate::pages::visit::head::Opened;
use axum::extract::{Path, State};
use axum::response::Response;
use clinic::id::RuleId;
use clinic::knowledge::adverse_events::{AdverseEvent, RescueDrug};
use clinic::knowledge::{Header, Item};
use clinic::quantity::plain;
use clinic::session::{Command, DrugGiven};

/// `GET /visit/{session}/drug`
pub async fn drugs(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let content = drugs_content(&app, &opened);
    draw(&app, &visit, &opened, content, &Sent::nothing())
}

pub(super) fn drugs_content(app: &AppState, opened: &Opened) -> Content {
    let cards = app.floor.knowledge().adverse_events.iter();
    let forms = cards.flat_map(|item| drug_forms(opened, item)).collect();
    let lead = vec!["For anything but these standing orders a prescriber orders.".to_owned()];
    Content { title: "Give a drug".to_owned(), lead, forms, ..Content::default() }
}

pub(super) fn drug_forms(opened: &Opened, card: &Item<AdverseEvent>) -> Vec<Form> {
    card.body.drugs.iter().map(|drug| drug_form(opened, &card.header, drug)).collect()
}

fn drug_form(opened: &Opened, card: &Header, drug: &RescueDrug) -> Form {
    let playbook = card.id.as_str();
    let unsigned = if card.is_unsigned_default() {
        "STANDING ORDER NOT SIGNED by the clinic (shipped default). "
    } else {
        ""
    };
    let [low, high] = drug.dose.map(plain);
    let unit = &drug.unit;
    let over = drug.over_min.map_or_else(String::new, |minutes| format!(", over {minutes} min"));
    let repeat = drug.repeat_min.map_or_else(String::new, |minutes| format!(", again after {minutes} min"));
    let doses = if low == high { format!("{low} {unit}") } else { format!("{low} to {high} {unit}") };
    let hint = format!(
        "{unsigned}For {}: {doses}{over}{repeat}, at most {} {unit} in a visit.",
        playbook.replace('_', " "),
        plain(drug.total_max)
    );
    let routes: Vec<&str> = drug.route.split('/').map(str::trim).collect();
    let mut form = opened
        .form(
            &format!("give-{playbook}-{}", drug.name.replace(' ', "-")),
            "drug",
            &format!("{} {}", drug.name, drug.route),
            &format!("Give the typed dose to {}", opened.patient.banner_name()),
        )
        .hint(hint)
        .hidden("drug", drug.name.as_str())
        .hidden("unit", unit.as_str())
        .hidden("playbook", playbook)
        .with(Field::number("dose", "Another dose", unit));
    if !drug.caution.is_empty() {
        let looked_at = Choice::of("yes", format!("Looked at for this patient: {}", drug.caution));
        form = form.with(Field::ticks("confirmed", "Before giving", vec![looked_at]));
    }
    form.taps = vec![(
        "standard".to_owned(),
        drug.dose[0].normalize().to_string(),
        format!("Give {low} {unit} {} {}", drug.name, routes.first().unwrap_or(&"")),
    )];
    if routes.len() > 1 {
        let first = (*routes.first().unwrap_or(&"")).to_owned();
        form.with(
            Field::one("route", "Route", routes.iter().map(|route| Choice::of(route, route)).collect())
                .known(first),
        )
    } else {
        form.hidden("route", drug.route.as_str())
    }
}

/// `POST /visit/{session}/drug`
pub async fn give(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let playbook = posted.text("playbook").to_owned();
    let key = format!("give-{playbook}-{}", posted.text("drug").replace(' ', "-"));
    let named = playbook.clone();
    let outcome = carry_out(
        &app,
        &visit,
        &id,
        &posted,
        (&key, Privilege::GiveRescueDrug),
        move |desk, typed| {
            let unit = typed.text("unit");
            let tapped = !typed.text("standard").is_empty();
            if tapped && !typed.text("dose").is_empty() {
                return typed.wrong("dose", "A dose is typed and the standard dose was tapped. Empty the field, or send the typed dose.");
            }
            let dose = typed.number(if tapped { "standard" } else { "dose" }, "The dose", &unit)?;
            let standing_order = RuleId::new(named);
            let knowledge = desk.app.floor.knowledge();
            let version = knowledge.playbook_version(&standing_order).unwrap_or_default();
            let events = desk.session.adverse_events.iter().rev();
            let event = events
                .filter(|(event, outcome)| outcome.is_none() && event.playbook == standing_order)
                .map(|(event, _)| event.number)
                .next();
            let (drug, route) = (typed.text("drug"), typed.text("route"));
            let given = DrugGiven {
                drug,
                dose,
                unit,
                route,
                standing_order,
                version,
                adverse_event: event,
                given_at: desk.at,
            };
            let confirmed = typed.text("confirmed") == "yes";
            Some(desk.by_me(Command::GiveDrug { given, confirmed }))
        },
    );
    after(&app, &visit, &id, outcome.await?, |app, opened| {
        match app.floor.knowledge().adverse_events.get(&playbook) {
            Some(_) => event_content(app, opened, &playbook),
            None => drugs_content(app, opened),
        }
    })
}

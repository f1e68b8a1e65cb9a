//! The independent second check: another person identifies the patient, reads vial and syringe, and works out what the
//! pump is to be given, before they see what was ordered and drawn. The pump itself is programmed and read back
//! afterwards.

use super::preparation::order_line;
use super::visit::act::{Desk, Outcome, as_a_page, carry_out, done};
use super::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use super::visit::head::{Head, Opened};
use super::visit::typed::Typed;
use super::{Error, FieldError, Kept, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::knowledge::Knowledge;
use clinic::quantity::{Concentration, Micrograms, Microlitres, Rate, Weight, plain};
use clinic::session::{Command, Difference, Identified, SecondReading, UNDILUTED, VialReading};

/// What a second person signs.
pub const CHECKED: &str = "I checked patient, vial, syringe, dose and rate";

#[derive(Template)]
#[template(path = "pages/second_check.html")]
struct SecondCheck {
    page: Page,
    head: Head,
    /// Who drew, and therefore may not check.
    drew: String,
    form: Option<Form>,
    /// The order and who checked it; empty until then.
    checked: Vec<String>,
    sheet: bool,
}

/// `GET /visit/{session}/second-check`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    if let Some(answer) = as_a_page(&visit) {
        return Ok(answer);
    }
    draw(&app, &visit, &id, &Sent::nothing())
}

fn draw(app: &AppState, visit: &Visit, id: &str, sent: &Sent) -> Result<Response, Error> {
    let opened = Opened::find(app, id)?;
    let session = &opened.session;
    let waits = session.phase.preparing() && session.order.is_some() && !session.draws.is_empty();
    let knowledge = app.floor.knowledge();
    let form = (waits && session.second_check.is_none()).then(|| check_form(knowledge, &opened).filled(sent));
    let mut head = opened.head(app, visit, "second-check");
    if form.is_some() {
        // Birth date, record number and weight are what the second person finds out.
        head.facts.clear();
    }
    let checked = session.second_check.as_ref().map_or_else(Vec::new, |signature| {
        let clock = signature.at.to_zoned(app.config.time_zone()).strftime("%H:%M").to_string();
        let mut parts = order_line(&opened);
        parts.push(format!("Checked by {} at {clock}", signature.by));
        parts
    });
    let drew: Vec<&str> = session.draws.iter().map(|draw| draw.by.as_str()).collect();
    let errors = if form.is_some() { sent.summary(&form) } else { sent.errors.clone() };
    let page = SecondCheck {
        page: Page::new(app, visit, "Second check").with_errors(errors),
        head,
        drew: drew.join(", "),
        form,
        checked,
        sheet: false,
    };
    html(sent.status, &page)
}

fn check_form(knowledge: &Knowledge, opened: &Opened) -> Form {
    let Some((order, _)) = &opened.session.order else { return Form::new("check", "", "", "") };
    let says = format!("The patient says: {}", opened.patient.banner_name());
    let vials = opened.session.drawn_from();
    let one = vials.len() == 1;
    let vials = vials.iter().enumerate().flat_map(|(n, (vial, _))| {
        let whose = if one { String::new() } else { format!(", vial {} of lot {}", n + 1, vial.lot) };
        vial_fields(n + 1, &whose)
    });
    let diluents = knowledge.diluents().into_iter().chain([UNDILUTED, "something else"]);
    let diluents = diluents.map(|diluent| Choice::of(diluent, diluent));
    let diluents = std::iter::once(Choice::of("", "Not read yet")).chain(diluents).collect();
    opened
        .form("check", "second-check", "What do you have?", "Compare")
        .hint(format!(
            "Ordered: {} {} over {} min, at {}. Ask the patient, read vial and syringe, and work out dose, rate and \
             volume yourself. What was prepared is shown once all of yours is entered.",
            order.drug,
            order.ordered,
            plain(order.minutes),
            order.concentration
        ))
        .with(Field::ticks("name_said", "Name", vec![Choice::of("yes", says)]))
        .with(Field::new(Kind::Line, "identifier", "Record number or birth date").hint("A date as 1960-01-31."))
        .with_all(vials)
        .with(Field::listed("diluent", "Diluted with", diluents).known(""))
        .with(Field::number("volume", "Volume in all", Microlitres::UNIT))
        .with(Field::number("dose_weight", format!("Dose weight, {}", order.descriptor), Weight::UNIT))
        .with(Field::number("dose", "Dose", Micrograms::UNIT))
        .with(Field::number("rate", "Pump rate", Rate::UNIT))
        .with(Field::number("vtbi", "Volume to be infused", Microlitres::UNIT))
        .with_all(signature("Second person"))
}

fn vial_fields(n: usize, whose: &str) -> [Field; 3] {
    [
        Field::new(Kind::Line, format!("drug_{n}"), format!("Drug on the vial{whose}")),
        Field::number(format!("strength_{n}"), format!("Strength on the vial{whose}"), Concentration::UNIT),
        Field::number(format!("drawn_{n}"), format!("Volume drawn{whose}"), Microlitres::UNIT),
    ]
}

/// Reads all that the second person has; every gap is told at once.
fn read(desk: &Desk<'_>, typed: &mut Typed) -> Option<SecondReading> {
    let said = typed.one_of("name_said", "The name", &["yes"]);
    if said.is_none() {
        typed.wrong::<()>("name_said", "Ask the patient for the name, and tap it when it is this one.");
    }
    let by = typed.needed("identifier", "The record number or birth date");
    let vials = (1..=desk.session.drawn_from().len()).map(|n| {
        let drug = typed.needed(&format!("drug_{n}"), "The drug on the vial");
        let strength = typed.strength(&format!("strength_{n}"), "The strength");
        let drawn = typed.volume(&format!("drawn_{n}"), "The volume drawn");
        Some(VialReading { drug: drug?, strength: strength?, drawn: drawn? })
    });
    let vials: Vec<Option<VialReading>> = vials.collect();
    let diluent = typed.chosen("diluent", "Choose what it is diluted with.");
    let volume = typed.volume("volume", "The volume in all");
    let dose_weight = typed.weight("dose_weight", "The dose weight");
    let dose = typed.mass("dose", "The dose");
    let rate = typed.rate("rate", "The rate");
    let vtbi = typed.volume("vtbi", "The volume to be infused");
    let by = by?;
    Some(SecondReading {
        identified: Identified { agrees: desk.patient.goes_by(&by), by },
        vials: vials.into_iter().collect::<Option<_>>()?,
        diluent: diluent?,
        volume: volume?,
        dose_weight: dose_weight?,
        dose: dose?,
        rate: rate?,
        vtbi: vtbi?,
    })
}

/// The form again, with what the second person has and what was prepared beside each field that differs. Both were
/// found apart from each other by then, and are recorded.
fn differing(posted: &Posted, differs: &[Difference]) -> Sent {
    let error = |one: &Difference| {
        let words = format!("The {} differs: you have {}, prepared is {}.", one.what, one.read, one.prepared);
        FieldError::at(&one.field, words).kept(Kept::Recorded)
    };
    Sent {
        form: "check".to_owned(),
        posted: posted.clone(),
        errors: differs.iter().map(error).collect(),
        status: StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// `POST /visit/{session}/second-check`
pub async fn check(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("check", Privilege::SecondCheck), |desk, typed| {
        let read = read(desk, typed);
        let signature = desk.sign(typed, CHECKED, Privilege::SecondCheck)?;
        let command = Command::SecondCheck { signature: signature.clone(), read: Some(Box::new(read?)) };
        Some(desk.by_signer(&signature, command))
    });
    match outcome.await? {
        Outcome::Done => {
            let differs = Opened::find(&app, &id)?.session.second_check_differs;
            if !differs.is_empty() {
                return draw(&app, &visit, &id, &differing(&posted, &differs));
            }
            Ok(done(&app, &visit, &format!("/visit/{id}/second-check"), "Both agree."))
        }
        Outcome::Sent(mut sent) => {
            // The same person is refused by the field that names the person.
            for error in sent.errors.iter_mut().filter(|error| error.field == "checker") {
                "user".clone_into(&mut error.field);
            }
            draw(&app, &visit, &id, &sent)
        }
        Outcome::Answered(answer) => Ok(*answer),
    }
}

//! The checklist of the day: chair, weight, gates, what is next; and the end of a visit before any drug flows.

pub mod act;
pub mod again;
pub mod charted;
pub mod form;
pub mod gates;
pub mod head;
pub mod typed;

use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use act::{Outcome, as_a_page, carry_out, done};
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use charted::{Charted, charted};
use clinic::id::ChairId;
use clinic::session::{Command, Phase, Session, gates as rules};
use form::{Choice, Field, Form, Kind, Sent};
use gates::Card;
use head::{Head, Opened};

#[derive(Template)]
#[template(path = "pages/visit.html")]
struct VisitPage {
    page: Page,
    head: Head,
    /// Words, and where to when it is not the first form here; both empty when the visit is over.
    next: (String, String),
    passed: usize,
    of: usize,
    forms: Vec<Form>,
    cards: Vec<Card>,
    charted: Vec<Charted>,
    cancel: Option<Form>,
    sheet: bool,
}

/// `GET /visit/{session}`
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

/// Draws the checklist.
pub(super) fn draw(app: &AppState, visit: &Visit, id: &str, sent: &Sent) -> Result<Response, Error> {
    let opened = Opened::find(app, id)?;
    let standing = rules::standing(&opened.session, app.floor.knowledge());
    let open = standing.iter().filter(|gate| !gate.open.is_empty()).count();
    let mut forms = Vec::new();
    if opened.session.phase == Phase::Planned {
        forms.push(check_in_form(app, &opened).filled(sent));
    }
    if opened.session.phase.preparing() {
        let form = weigh_form(&opened);
        let next = opened.session.phase != Phase::Planned && opened.session.weight.is_none();
        forms.push(if next { form } else { form.quiet() }.filled(sent));
    }
    let cards = gates::cards(app, &opened, &standing, sent)?;
    let cancel = opened.session.delivery.started().is_none() && !opened.session.phase.closed();
    let cancel = cancel.then(|| cancel_form(&opened).filled(sent));
    let inside = cards.iter().flat_map(Card::forms);
    let errors = sent.summary(forms.iter().chain(inside).chain(&cancel));
    let head = opened.head(app, visit, "");
    let held = head.screening.as_ref().filter(|screening| !screening.against.is_empty());
    let next = held.map_or_else(
        || next(&opened, &standing),
        |screening| ("See what the screening says".to_owned(), screening.consultation.clone()),
    );
    let page = VisitPage {
        page: Page::new(app, visit, "Checklist").with_errors(errors),
        head,
        next,
        passed: standing.len() - open,
        of: standing.len(),
        forms,
        cards,
        charted: charted(app, visit, &opened)?,
        cancel,
        sheet: false,
    };
    html(sent.status, &page)
}

/// What a person does next.
fn next(opened: &Opened, standing: &[rules::GateStanding]) -> (String, String) {
    let session = &opened.session;
    let open = |gate: &&rules::GateStanding| {
        !gate.open.is_empty() && !["c02", "c15", "c16"].contains(&gate.gate.as_str())
    };
    let go = |text: &str, to: &str| (text.to_owned(), opened.path(to));
    match session.phase {
        Phase::New | Phase::Planned => ("Check the patient in to a chair".to_owned(), String::new()),
        Phase::CheckedIn | Phase::Gated | Phase::Ready => {
            if session.weight.is_none() {
                return ("Weigh the patient".to_owned(), String::new());
            }
            if let Some(gate) = standing.iter().find(open) {
                return (format!("Answer {}", gate.title), format!("#card-{}", gate.gate));
            }
            if session.order.is_none() {
                return go("Have the order signed by a prescriber", "order");
            }
            if let Some(gate) =
                standing.iter().find(|gate| gate.gate.as_str() == "c02" && !gate.open.is_empty())
            {
                return (format!("Answer {}", gate.title), format!("#card-{}", gate.gate));
            }
            go("Prepare the drug, check it and start", "preparation")
        }
        Phase::Infusing | Phase::Paused => {
            ("Watch at the chair".to_owned(), format!("/chair/{}", opened.sits))
        }
        Phase::Recovering | Phase::DischargeCheck => go("Watch, waste, score and send home", "discharge"),
        Phase::Transferred if session.is_to_be_measured(opened.at) => go("Waste what is left", "discharge"),
        Phase::Discharged | Phase::Cancelled | Phase::Transferred => (String::new(), String::new()),
    }
}

pub(super) fn check_in_form(app: &AppState, opened: &Opened) -> Form {
    let seating = app.floor.seating();
    let free = app.floor.chairs().into_iter().filter(|chair| seating.session_at(chair).is_none());
    let chairs: Vec<Choice> = free.map(|chair| Choice::of(&chair, format!("Chair {chair}"))).collect();
    let hint = if chairs.is_empty() { "No chair is free. Discharge somebody first." } else { "" };
    opened
        .form("check-in", "check-in", "Check in", "Check in")
        .with(Field::one("chair", "Chair", chairs).hint(hint))
}

/// The weight that its form showed as saved.
const SAVED: &str = "saved";

fn saved(session: &Session) -> String {
    session.weight.map_or_else(String::new, |(weight, _)| head::both(weight))
}

fn weigh_form(opened: &Opened) -> Form {
    let session = &opened.session;
    let sex = session.sex.clone().unwrap_or_else(|| opened.patient.sex.clone());
    let weighed = session.weight.map_or_else(
        || "Today, on the scale, without shoes.".to_owned(),
        |(weight, _)| format!("Weighed: {}. A new weight makes a signed order void.", head::both(weight)),
    );
    let height = session.height.map(|height| clinic::quantity::plain(height.decimal())).unwrap_or_default();
    opened
        .form("weigh", "weight", "Weight", "Save weight")
        .hidden(SAVED, saved(session))
        .hint(weighed)
        .with(Field::number("weight", "Weight on the scale", ""))
        .with(Field::one("unit", "Unit on the scale", vec![Choice::of("kg", "kg"), Choice::of("lb", "lb")]))
        .with(
            Field::number("height", "Height", "cm")
                .hint("Needed for the ideal body weight; may be left empty.")
                .known(height),
        )
        .with(
            Field::one(
                "sex",
                "Sex for the dose weight",
                vec![Choice::of("f", "Female"), Choice::of("m", "Male")],
            )
            .known(sex),
        )
        .with(
            Field::new(Kind::Line, "reason", "Reason")
                .hint("Only where the weight is asked about: say why it is right."),
        )
}

fn cancel_form(opened: &Opened) -> Form {
    opened
        .form("cancel", "cancel", "End the visit without an infusion", "Cancel the visit")
        .grave()
        .with(Field::new(Kind::Line, "reason", "Reason"))
}

/// `POST /visit/{session}/check-in`
pub async fn check_in(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("check-in", Privilege::CheckIn), |desk, typed| {
        let chair = ChairId::new(typed.chosen("chair", "Choose a chair.")?);
        if !desk.app.floor.chairs().contains(&chair) {
            return typed.wrong("chair", format!("There is no chair {chair} here."));
        }
        Some(desk.by_me(Command::CheckIn { chair }))
    });
    let may_assess = visit.person()?.may(Privilege::Assess);
    match outcome.await? {
        Outcome::Done if may_assess => Ok(done(&app, &visit, &format!("/visit/{id}"), "Checked in.")),
        Outcome::Done => Ok(done(&app, &visit, "/patients", "Checked in.")),
        Outcome::Sent(sent) if may_assess => draw(&app, &visit, &id, &sent),
        // Front desk has no checklist: the reason comes on the patient's page.
        Outcome::Sent(sent) => super::patients::draw_for_visit(&app, &visit, &id, &sent),
        Outcome::Answered(answer) => Ok(*answer),
    }
}

/// `POST /visit/{session}/weight`
pub async fn weigh(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let last = opened.before(&app)?.and_then(|before| before.weight).map(|(weight, _)| weight);
    let ordered = opened.session.order.map(|(order, _)| order.dose_weight);
    let outcome = carry_out(&app, &visit, &id, &posted, ("weigh", Privilege::Assess), move |desk, typed| {
        let unit = match typed.text("unit").as_str() {
            "kg" => "kg",
            "lb" => "lb",
            "" => return typed.wrong("unit", "The unit on the scale is empty. Choose kg or lb."),
            other => {
                return typed
                    .wrong("unit", format!("The unit on the scale is “{other}”; accepted is kg or lb."));
            }
        };
        let number = typed.number("weight", "The weight", unit);
        let height = typed.maybe_number("height", "The height", "cm");
        let sex = typed.one_of("sex", "The sex for the dose weight", &["f", "m"]);
        let weight = match clinic::dose::parse::weight("weight", &format!("{} {unit}", number?)) {
            Ok(weight) => weight.value,
            Err(why) => return typed.wrong("weight", why),
        };
        // The same form sent twice is no other weight.
        let now = saved(&desk.session);
        if head::both(weight) != now && typed.posted().all(SAVED).next().is_some_and(|shown| shown != now) {
            let next = "look again, and enter the weight to replace it";
            return typed.wrong("weight", format!("{now} was saved since this form was opened: {next}."));
        }
        let height = height.map(|cm| clinic::dose::parse::height("height", &format!("{cm} cm"))).transpose();
        let height = match height {
            Ok(height) => height.map(|height| height.value),
            Err(why) => return typed.wrong("height", why),
        };
        let reason = typed.maybe("reason");
        Some(desk.by_me(Command::Weigh { weight, height, sex, last, reason }))
    });
    let outcome = outcome.await?;
    let notice = match (ordered, Opened::find(&app, &id)?.session.order) {
        (Some(was), None) => format!(
            "Weight recorded. The order that was computed with {was} is void, and with it the second check and the \
             pump program: a prescriber signs a new one."
        ),
        _ => "Weight recorded.".to_owned(),
    };
    after(&app, &visit, &id, outcome, "", &notice)
}

/// `POST /visit/{session}/cancel`
pub async fn cancel(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("cancel", Privilege::Assess), |desk, typed| {
        let reason = typed.text("reason");
        Some(desk.by_me(Command::Cancel { reason }))
    });
    after(&app, &visit, &id, outcome.await?, "", "The visit is cancelled.")
}

/// Goes on after a form of the checklist.
pub(super) fn after(
    app: &AppState,
    visit: &Visit,
    id: &str,
    outcome: Outcome,
    place: &str,
    notice: &str,
) -> Result<Response, Error> {
    match outcome {
        Outcome::Done => Ok(done(app, visit, &format!("/visit/{id}{place}"), notice)),
        Outcome::Sent(sent) => draw(app, visit, id, &sent),
        Outcome::Answered(answer) => Ok(*answer),
    }
}

//! The independent second check: another person identifies the patient, reads vials and syringe, and works out what the
//! pump is to be given, and is told of nothing that the first one has. Not even a difference tells it: both look again,
//! and what two people copy from each other was seen once. The pump itself is programmed and read back afterwards.
//!
//! Shown is what the work starts from: name, order, scale, height, sex. Asked is whatever comes of it, and the second
//! sign of the patient. The ways through the visit are away, because each leads to what is asked here; alarms stand on
//! top of every page.

use super::discharge::renamed;
use super::preparation::order_line;
use super::visit::act::{Desk, Outcome, as_a_page, carry_out, done};
use super::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use super::visit::head::{Head, Opened, both, unbroken};
use super::visit::typed::Typed;
use super::{Error, FieldError, Kept, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::auth::staff::Account;
use crate::words::differing;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::knowledge::Knowledge;
use clinic::knowledge::measure::MgPerHour;
use clinic::knowledge::weight::{Descriptor, Sex};
use clinic::quantity::{Concentration, Micrograms, Microlitres, Rate, Weight, mass_in, plain};
use clinic::session::{Command, Difference, Identified, Order, SecondReading, UNDILUTED, VialReading};
use std::collections::BTreeMap;

/// What a second person signs.
pub const CHECKED: &str = "I checked patient, vial, syringe, dose and rate";
/// Vials that the form has room for, however many were drawn from; how many there are is found, not told.
const VIALS: usize = 2;
/// Room for more, where somebody asks for it.
const VIALS_MOST: usize = 6;

#[derive(Template)]
#[template(path = "pages/second_check.html")]
struct SecondCheck {
    page: Page,
    head: Head,
    /// Who drew, and therefore may not check.
    drew: String,
    /// Who may check, and what is done where none of them is here.
    who_may: String,
    /// What the last check differs in, and what to do about it.
    differs: Vec<String>,
    /// Where that is done; empty while nothing differs.
    go: Vec<(String, String)>,
    form: Option<Form>,
    /// Where there is room for more vials; empty where there is.
    more_vials: String,
    /// The order and who checked it; empty until then.
    checked: Vec<String>,
    sheet: bool,
}

/// `GET /visit/{session}/second-check`; `vials=6` makes room for that many.
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Response, Error> {
    if let Some(answer) = as_a_page(&visit) {
        return Ok(answer);
    }
    let room = room(asked.get("vials").map_or("", String::as_str));
    draw(&app, &visit, &id, room, &Sent::nothing())
}

fn room(vials: &str) -> usize {
    vials.parse().ok().filter(|vials| (VIALS..=VIALS_MOST).contains(vials)).unwrap_or(VIALS)
}

fn draw(app: &AppState, visit: &Visit, id: &str, room: usize, sent: &Sent) -> Result<Response, Error> {
    let opened = Opened::find(app, id)?;
    let session = &opened.session;
    let waits = session.phase.preparing()
        && session.order.is_some()
        && !session.draws.is_empty()
        && session.second_check.is_none();
    let again = waits && !session.second_check_is_held();
    let form = again.then(|| read_anew(check_form(app.floor.knowledge(), &opened, room).filled(sent), sent));
    let mut head = opened.head(app, visit, "second-check");
    if waits {
        head.facts = scale(&opened);
        head.steps.clear();
    }
    let checked = session.second_check.as_ref().map_or_else(Vec::new, |signature| {
        let clock = signature.at.to_zoned(app.config.time_zone()).strftime("%H:%M").to_string();
        let mut parts = order_line(&opened);
        parts.push(format!("Checked by {} at {clock}", app.floor.called(&signature.by)));
        parts
    });
    let errors = if form.is_some() { sent.summary(&form) } else { sent.errors.clone() };
    let page = SecondCheck {
        page: Page::new(app, visit, "Second check").with_errors(errors),
        head,
        differs: if waits { look_again(app, &opened) } else { Vec::new() },
        drew: who_drew(app, &opened),
        who_may: if form.is_some() { who_may(app, &opened)? } else { String::new() },
        go: if waits { ways_out(app, &opened, form.is_none()) } else { Vec::new() },
        more_vials: match &form {
            Some(_) if room < VIALS_MOST => opened.path(&format!("second-check?vials={VIALS_MOST}")),
            _ => String::new(),
        },
        form,
        checked,
        sheet: false,
    };
    html(sent.status, &page)
}

/// Where a difference is settled, for the one who drew and for the prescriber.
fn ways_out(app: &AppState, opened: &Opened, held: bool) -> Vec<(String, String)> {
    let order = held.then(|| ("To the order".to_owned(), opened.path("order")));
    let preparation = (format!("Preparation, for {}", who_drew(app, opened)), opened.path("preparation"));
    let differs = !opened.session.second_checks_differed.is_empty();
    differs.then_some(preparation).into_iter().chain(order).collect()
}

fn who_drew(app: &AppState, opened: &Opened) -> String {
    let mut drew: Vec<String> = opened.session.draws.iter().map(|draw| app.floor.called(&draw.by)).collect();
    drew.dedup();
    drew.join(", ")
}

/// Who can sign the check. Whoever is alone here with the patient calls somebody: nothing stands for a second person.
pub(super) fn who_may(app: &AppState, opened: &Opened) -> Result<String, Error> {
    let drew = |one: &Account| opened.session.draws.iter().any(|draw| draw.by == one.id);
    let may =
        |one: &Account| one.pin.is_some() && one.role_for(Privilege::SecondCheck).is_some() && !drew(one);
    let all = app.auth.accounts().all()?.into_iter().filter(may);
    let names: Vec<String> = all.map(|one| format!("{} ({})", one.name, one.id)).collect();
    let nobody = "Nobody else here has a sign-in and a PIN that may check. Call the prescriber or another nurse to come, \
                  and the owner to give them a sign-in.";
    let who = match names.as_slice() {
        [] => nobody.to_owned(),
        names => format!("May check: {}. If none of them is here, call one to come.", names.join(", ")),
    };
    Ok(format!("{who} Nobody may pass this check, for no reason, and nothing starts without it."))
}

/// What the dose weight is worked out from, as measured.
fn scale(opened: &Opened) -> Vec<(&'static str, String)> {
    let session = &opened.session;
    let weight = session.weight.map_or_else(|| "not weighed today".to_owned(), |(weight, _)| both(weight));
    let height = session.height.map_or_else(|| "not measured".to_owned(), |height| height.to_string());
    let sex = match sex(opened) {
        Sex::F => "female",
        Sex::M => "male",
    };
    vec![("On the scale", weight), ("Height", height), ("Sex", sex.to_owned())]
}

fn sex(opened: &Opened) -> Sex {
    if opened.session.sex.as_deref().unwrap_or(&opened.patient.sex) == "f" { Sex::F } else { Sex::M }
}

/// What differs, and who does what about it.
pub(super) fn look_again(app: &AppState, opened: &Opened) -> Vec<String> {
    let Some(last) = opened.session.second_checks_differed.last() else { return Vec::new() };
    let what = format!("The last second check differs in: {}.", differing(last));
    let (drew, settled) = (who_drew(app, opened), opened.session.settled_only_by());
    let both = format!(
        "Both of you look again, at patient, vials, syringe and order, and neither says a number. Then the second \
         person checks again, or {drew} discards the syringe and draws anew."
    );
    std::iter::once(what).chain(if settled.is_empty() { vec![both] } else { settled }).collect()
}

/// What differs is read anew: the field stands empty, and beside it what the person had.
fn read_anew(mut form: Form, sent: &Sent) -> Form {
    let differs = |field: &Field| {
        sent.errors.iter().any(|error| error.kept == Kept::Recorded && error.field == field.name)
    };
    for field in form.fields.iter_mut().filter(|field| differs(field)) {
        field.value.clear();
        field.choices.iter_mut().for_each(|choice| choice.chosen = false);
    }
    form
}

fn check_form(knowledge: &Knowledge, opened: &Opened, room: usize) -> Form {
    let Some((order, _)) = &opened.session.order else { return Form::new("check", "", "", "") };
    let says = format!("The patient says: {}", opened.patient.banner_name());
    let diluents = knowledge.diluents().into_iter().chain([UNDILUTED, "something else"]);
    let diluents = diluents.map(|diluent| Choice::of(diluent, diluent));
    let diluents = std::iter::once(Choice::of("", "Not read yet")).chain(diluents).collect();
    opened
        .form("check", "second-check", "What do you have?", "Compare")
        .hint(format!(
            "Ordered: {} {} over {} min, at {}{}. Ask the patient, read vials and syringe, and work out dose, rate and \
             volume yourself. Nothing that was prepared is shown.",
            order.drug,
            order.ordered,
            plain(order.minutes),
            order.concentration,
            at_most(knowledge, order)
        ))
        .hidden("vials", room.to_string())
        .with(Field::ticks("name_said", "Name", vec![Choice::of("yes", says)]).begins("Patient"))
        .with(
            Field::new(Kind::Line, "identifier", "Record number or birth date")
                .hint("As said or on the wristband. A date as 1960-01-31."),
        )
        .with_all((1..=room).flat_map(vial_fields))
        .with(Field::listed("diluent", "Diluted with", diluents).known("").begins("Syringe or bag"))
        .with(Field::number("volume", "Volume in all", Microlitres::UNIT))
        .with(
            Field::number("dose_weight", format!("Dose weight, {}", order.descriptor), Weight::UNIT)
                .hint(by_hand(knowledge, opened, order))
                .begins("Worked out from the order"),
        )
        .with(Field::number("dose", "Dose", Micrograms::UNIT))
        .with(Field::number("rate", "Pump rate", Rate::UNIT))
        .with(Field::number("vtbi", "Volume to be infused", Microlitres::UNIT))
        .with_all(signature("Second person").map(|field| match field.kind {
            Kind::Secret => field,
            _ => field.begins("Signature"),
        }))
}

/// The ceiling of the regimen, where the order keeps to it: without it the dose cannot be worked out.
fn at_most(knowledge: &Knowledge, order: &Order) -> String {
    let an_hour = mass_in(Microlitres(order.rate.0), order.concentration);
    let most = knowledge.regimens.get(order.regimen.as_str()).and_then(|regimen| regimen.body.max_rate);
    let keeps_to = |most: &MgPerHour| Micrograms::from_decimal(most.0).is_some_and(|most| an_hour <= most);
    most.filter(keeps_to).map_or_else(String::new, |most| format!(", at most {most}"))
}

/// How the weight that counts follows from scale, height and sex.
fn by_hand(knowledge: &Knowledge, opened: &Opened, order: &Order) -> String {
    let which = Descriptor::ALL.into_iter().find(|which| which.words() == order.descriptor);
    let rule = knowledge.weight.iter().next();
    which.zip(rule).map_or_else(String::new, |(which, rule)| rule.body.by_hand(which, sex(opened)))
}

fn vial_fields(n: usize) -> [Field; 3] {
    let title = if n == 1 { "Vial".to_owned() } else { format!("Vial {n}, if one was used") };
    [
        Field::new(Kind::Line, format!("drug_{n}"), "Drug on the label").begins(title),
        Field::number(format!("strength_{n}"), "Strength", Concentration::UNIT),
        Field::number(format!("drawn_{n}"), "Drawn from it", Microlitres::UNIT),
    ]
}

/// Reads all that the second person has; every gap is told at once.
fn read(desk: &Desk<'_>, typed: &mut Typed) -> Option<SecondReading> {
    let said = typed.one_of("name_said", "The name", &["yes"]);
    if said.is_none() {
        typed.wrong::<()>("name_said", "Ask the patient for the name, and tap it when it is this one.");
    }
    let identified = identified(desk, typed);
    let vials: Vec<Option<VialReading>> =
        (1..=room(&typed.text("vials"))).filter_map(|n| vial(n, typed)).collect();
    let diluent = typed.chosen("diluent", "Choose what it is diluted with.");
    let volume = typed.volume("volume", "The volume in all");
    let dose_weight = typed.weight("dose_weight", "The dose weight");
    let dose = typed.mass("dose", "The dose");
    let rate = typed.rate("rate", "The rate");
    let vtbi = typed.volume("vtbi", "The volume to be infused");
    Some(SecondReading {
        identified: identified?,
        vials: vials.into_iter().collect::<Option<_>>()?,
        diluent: diluent?,
        volume: volume?,
        dose_weight: dose_weight?,
        dose: dose?,
        rate: rate?,
        vtbi: vtbi?,
    })
}

/// A sign that nobody can read is no sign of another patient: nothing is recorded of it.
fn identified(desk: &Desk<'_>, typed: &mut Typed) -> Option<Identified> {
    let by = typed.needed("identifier", "The record number or birth date")?;
    let today = desk.at.to_zoned(desk.app.config.time_zone()).date();
    match desk.patient.goes_by(&by, today) {
        // A day of birth does not tell two of one name apart.
        Ok(true) if !desk.patient.has_number(&by) && has_namesake(desk) => typed.wrong(
            "identifier",
            "Somebody else of this name was born on this day. Ask for the record number, as on the wristband.",
        ),
        Ok(agrees) => Some(Identified { by, agrees }),
        Err(why) => typed.wrong("identifier", why),
    }
}

/// Where the list cannot be read, the record number is asked for.
fn has_namesake(desk: &Desk<'_>) -> bool {
    let Some(own) = &desk.session.patient else { return false };
    desk.app.floor.namesake(own, &desk.patient).map_or(true, |namesake| namesake.is_some())
}

/// One vial; nothing at all where nothing was entered of a further one, and `None` in it where something is missing.
fn vial(n: usize, typed: &mut Typed) -> Option<Option<VialReading>> {
    let [drug, strength, drawn] = ["drug", "strength", "drawn"].map(|what| format!("{what}_{n}"));
    if n > 1 && [&drug, &strength, &drawn].iter().all(|field| typed.text(field).is_empty()) {
        return None;
    }
    let of = |what: &str| if n == 1 { what.to_owned() } else { format!("{what} of vial {n}") };
    let drug = typed.needed(&drug, &of("The drug on the label"));
    let strength = typed.strength(&strength, &of("The strength"));
    let drawn = typed.volume(&drawn, &of("The volume drawn"));
    Some(drug.zip(strength).zip(drawn).map(|((drug, strength), drawn)| VialReading { drug, strength, drawn }))
}

/// The form again, with what differs and what the second person had. What was prepared stays with the one who did.
fn differing_in(posted: &Posted, differs: &[Difference]) -> Sent {
    let error = |one: &Difference| {
        let words = format!("The {} differs: you have {}.", one.what, one.read);
        FieldError::at(&one.field, unbroken(&words)).kept(Kept::Recorded)
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
    let room = room(posted.text("vials"));
    let outcome = carry_out(&app, &visit, &id, &posted, ("check", Privilege::SecondCheck), |desk, typed| {
        let read = read(desk, typed);
        let signature = desk.sign(typed, CHECKED, Privilege::SecondCheck)?;
        let command = Command::SecondCheck { signature: signature.clone(), read: Some(Box::new(read?)) };
        Some(desk.by_signer(&signature, command))
    });
    // The same person is refused by the field that names the person.
    match renamed(outcome.await?, "checker", "user") {
        Outcome::Done => {
            if let Some(differs) = Opened::find(&app, &id)?.session.second_checks_differed.last() {
                return draw(&app, &visit, &id, room, &differing_in(&posted, differs));
            }
            Ok(done(&app, &visit, &format!("/visit/{id}/second-check"), "Both agree."))
        }
        Outcome::Sent(sent) => draw(&app, &visit, &id, room, &sent),
        Outcome::Answered(answer) => Ok(*answer),
    }
}

//! The order: what a prescriber asks for on the left, what it means on the right, signed as it was shown.

mod planned;

use super::earlier::{Earlier, earlier};
use super::visit::act::{Outcome, as_a_page, carry_out, done};
use super::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use super::visit::head::{Head, Opened, both, unbroken};
use super::{Error, Page, html};
use crate::AppState;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::words::differences;
use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use clinic::course::InForce;
use clinic::dose::{self, DoseCard, DoseRequest, parse};
use clinic::gate::Finding;
use clinic::id::OrderId;
use clinic::knowledge::Knowledge;
use clinic::knowledge::weight::{Descriptor, Sex};
use clinic::quantity::{Concentration, Microlitres, plain};
use clinic::session::{Command, Phase, Session, StandsIn};
use std::collections::BTreeMap;

/// Fields of an order that is being written.
const ASKED: [&str; 7] = ["dose", "minutes", "dose_weight", "concentration", "stock", "container", "bag"];

#[derive(Template)]
#[template(path = "pages/order.html", blocks = ["card"])]
struct OrderPage {
    page: Page,
    head: Head,
    ask: Ask,
    card: Option<Shown>,
    refused: Vec<Tier>,
    sign: Option<Form>,
    /// What the signed plan says; empty without an open course.
    planned: String,
    /// That medicines were told since the consultation which it does not have.
    behind: Option<String>,
    /// The order in force: its line, who signed, and when.
    signed: Vec<String>,
    /// What two second checks had otherwise than the order in force, with both sides: for who signs it anew, and for
    /// nobody who may check once more.
    contested: String,
    sheet: bool,
    may_order: bool,
    /// How earlier infusions went.
    earlier: Vec<Earlier>,
    /// Advice, its rule and its working, and where it is taken or declined; empty where there is none.
    advice: Vec<String>,
    course: String,
}

/// What is asked for, as typed.
struct Ask {
    path: String,
    regimen: String,
    usual: String,
    weight: String,
    fields: Vec<Field>,
}

/// The card as a person reads it.
struct Shown {
    line: [String; 5],
    chain: String,
    weights: Vec<WeightRow>,
    why: String,
    numbers: Vec<(&'static str, String)>,
    steps: Vec<String>,
    tiers: Vec<Tier>,
}

struct WeightRow {
    which: &'static str,
    kg: String,
    mg: String,
    counts: bool,
}

/// One finding.
pub struct Tier {
    state: &'static str,
    says: &'static str,
    reason: String,
    rule: String,
}

/// `GET /visit/{session}/order`; what was asked stands in the query. For htmx the card alone.
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    Query(asked): Query<BTreeMap<String, String>>,
) -> Result<Response, Error> {
    match as_a_page(&visit).filter(|_| asked.is_empty()) {
        Some(answer) => Ok(answer),
        None => draw(&app, &visit, &id, &asked, &Sent::nothing()),
    }
}

fn draw(
    app: &AppState,
    visit: &Visit,
    id: &str,
    asked: &BTreeMap<String, String>,
    sent: &Sent,
) -> Result<Response, Error> {
    let opened = Opened::find(app, id)?;
    let knowledge = app.floor.knowledge();
    let patient = opened.session.patient.clone().ok_or(Error::NotFound)?;
    let planned = app.floor.plan_in_force(&patient)?;
    let mut ask = ask(&opened, knowledge, asked, planned.as_ref());
    let preparing = opened.session.phase.preparing();
    let mut refused = Vec::new();
    let (mut card, mut differs) = (None, Vec::new());
    match request(&opened.session, &opened.patient.sex, opened.before(app)?.as_ref(), |name| {
        text_of(asked, name)
    }) {
        Ok(request) if preparing && !asked.is_empty() => match dose::card(&request, knowledge) {
            Ok(made) => {
                differs =
                    planned.iter().flat_map(|plan| planned::against(plan, &request, knowledge)).collect();
                card = Some(made);
            }
            Err(why) => refused = why.findings.iter().map(|finding| tier(finding, knowledge)).collect(),
        },
        Ok(_) => {}
        Err(wrong) => {
            for field in &mut ask.fields {
                if let Some((_, text)) = wrong.iter().find(|(name, _)| *name == field.name) {
                    field.error.clone_from(text);
                }
            }
            let words = wrong.into_iter().map(|(_, reason)| reason);
            refused = words
                .map(|reason| Tier { state: "red", says: "Cannot be read", reason, rule: String::new() })
                .collect();
        }
    }
    let sign = card.as_ref().map(|card| sign_form(&opened, card, asked, !differs.is_empty()).filled(sent));
    let mut errors = sent.summary(&sign);
    if sign.is_none() && errors.is_empty() && !sent.form.is_empty() {
        errors = sent.errors.clone();
    }
    let page = OrderPage {
        earlier: earlier(app, &patient)?,
        advice: super::course::advice_now(app, &patient)?,
        course: format!("/patients/{patient}/course"),
        page: Page::new(app, visit, "Order").with_errors(errors),
        head: opened.head(app, visit, "order"),
        ask,
        planned: planned.as_ref().map_or_else(
            || planned::usual(opened.session.regimen.as_ref(), knowledge),
            |plan| planned::says(plan, knowledge),
        ),
        behind: app.floor.consultation_behind(&patient)?,
        card: card.map(|card| shown(&card, differs, knowledge)),
        refused,
        sign,
        contested: contested(&opened.session, visit),
        signed: signed(app, &opened),
        sheet: false,
        may_order: preparing,
    };
    if visit.htmx && sent.form.is_empty() {
        return html(sent.status, &page.as_card());
    }
    html(sent.status, &page)
}

fn contested(session: &Session, visit: &Visit) -> String {
    if !visit.person.as_ref().is_some_and(|person| person.may(Privilege::SignOrder)) {
        return String::new();
    }
    let order = session.differs_again().into_iter().filter(|one| one.stands_in() == StandsIn::Order);
    differences(&order.cloned().collect::<Vec<_>>())
}

fn text_of(asked: &BTreeMap<String, String>, name: &str) -> String {
    asked.get(name).map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn ask(
    opened: &Opened,
    knowledge: &Knowledge,
    asked: &BTreeMap<String, String>,
    planned: Option<&InForce>,
) -> Ask {
    let regimen = opened.session.regimen.as_ref().and_then(|id| knowledge.regimens.get(id.as_str()));
    let library =
        regimen.and_then(|item| knowledge.pump_library.get(&format!("library_{}", item.body.care_area.id())));
    let strengths = library.map(|item| item.body.concentrations.as_slice()).unwrap_or_default();
    let strengths = strengths.iter().map(|one| Choice::of(plain(one.0), format!("{} mg/mL", plain(one.0))));
    let strengths = [Choice::of("", "Choose")].into_iter().chain(strengths).collect();
    let mut stocks = vec![Choice::of("", "Not said")];
    for drug in knowledge.drugs.iter() {
        stocks.push(Choice::of(plain(drug.body.strength.0), &drug.header.title));
    }
    let mut weights = vec![Choice::of("", "By the rule")];
    weights.extend(Descriptor::ALL.map(|one| Choice::of(one.id(), crate::words::capital(one.words()))));
    let known = |field: Field| {
        let by_plan = planned
            .filter(|_| asked.is_empty())
            .map(|plan| planned::known(plan, opened.session.regimen.as_ref(), &field.name));
        let value = by_plan.unwrap_or_else(|| text_of(asked, &field.name));
        if value.is_empty() { field } else { field.known(value) }
    };
    let fields = vec![
        known(
            Field::new(Kind::Line, "dose", "Dose")
                .hint("With its unit: 0.5 mg/kg, or a rate such as 0.3 mg/kg/h. Empty: the regimen's own."),
        ),
        known(Field::number("minutes", "Over", "min").hint("Empty: the regimen's own.")),
        known(Field::listed("dose_weight", "Weight that counts", weights)),
        known(Field::listed("concentration", "Strength in syringe or bag", strengths)),
        known(Field::listed("stock", "Vial", stocks)),
        known(Field::number("container", "Syringe or bag holds", "mL").hint("May be left empty.")),
        known(Field::number("bag", "Whole dose into a bag of", "mL").hint("May be left empty.")),
    ];
    Ask {
        path: opened.path("order"),
        regimen: regimen.map_or_else(
            || "unknown regimen".to_owned(),
            |item| format!("{} · version {}", item.header.title, item.header.version),
        ),
        usual: regimen.map_or_else(String::new, |item| {
            format!("{}{}", item.header.note, item.header.unsigned_after(" · "))
        }),
        weight: opened.session.weight.map_or_else(String::new, |(weight, _)| both(weight)),
        fields,
    }
}

/// What was typed as a request of the dose rules; what cannot be read comes back by field.
fn request(
    session: &Session,
    sex: &str,
    before: Option<&Session>,
    text: impl Fn(&str) -> String,
) -> Result<DoseRequest, Vec<(&'static str, String)>> {
    let mut wrong = Vec::new();
    let said = |name: &str| Some(text(name)).filter(|text| !text.is_empty());
    let mut number = |name: &'static str, unit: &str| {
        said(name).and_then(|text| match parse::number(&text) {
            Ok(number) => Some(number),
            Err(why) => {
                wrong.push((
                    name,
                    format!(
                        "“{text}” cannot be read: {why}. Accepted is a number in {unit}, without the unit."
                    ),
                ));
                None
            }
        })
    };
    let minutes = number("minutes", "min");
    let concentration = number("concentration", "mg/mL").and_then(Concentration::from_decimal);
    let stock = number("stock", "mg/mL").and_then(Concentration::from_decimal);
    let container = number("container", "mL").and_then(Microlitres::from_decimal);
    let bag = number("bag", "mL").and_then(Microlitres::from_decimal);
    let dose = match said("dose").map(|text| parse::dose("dose", &text)).transpose() {
        Ok(dose) => dose,
        Err(why) => {
            wrong.push(("dose", why.to_string()));
            None
        }
    };
    let dose_weight = match text("dose_weight").as_str() {
        "" => None,
        other => Descriptor::said(other).or_else(|| {
            let accepted = "Accepted is abw, ibw or adjbw, or nothing for the rule of the regimen.";
            wrong.push(("dose_weight", format!("“{other}” is no weight that counts. {accepted}")));
            None
        }),
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let sex = session.sex.as_deref().unwrap_or(sex);
    Ok(DoseRequest {
        regimen: session.regimen.clone().unwrap_or_else(|| clinic::id::RuleId::new("")),
        weight: session.weight.map(|(weight, _)| weight),
        height: session.height,
        sex: match sex {
            "f" => Some(Sex::F),
            "m" => Some(Sex::M),
            _ => None,
        },
        dose,
        minutes,
        dose_weight,
        concentration,
        stock,
        vial: None,
        bag,
        container,
        last_weight: before.and_then(|before| before.weight).map(|(weight, _)| weight),
        last_dose: before.and_then(|before| before.order.as_ref()).map(|(order, _)| order.dose),
    })
}

fn tier(finding: &Finding, knowledge: &Knowledge) -> Tier {
    let (state, says) = if dose::refuses(finding) {
        ("red", "Refused")
    } else if dose::asks_for_reason(finding) {
        ("amber", "Needs a reason")
    } else {
        ("info", "Good to know")
    };
    let header = knowledge.header(finding.rule.as_str());
    let unsigned = header.map_or_else(String::new, |header| header.unsigned_after(", "));
    let title = header.map_or(finding.rule.as_str(), |header| &header.title);
    let rule = format!("{title}, version {}{unsigned}", finding.version);
    Tier { state, says, reason: unbroken(&finding.reason), rule }
}

/// Where the observation schedule was written for another length, the prescriber reads so before signing.
fn observed_by(card: &DoseCard, knowledge: &Knowledge) -> Option<Tier> {
    let schedule = knowledge.schedule_of(Some(&card.regimen))?;
    Some(Tier {
        state: "info",
        says: "Good to know",
        reason: unbroken(&schedule.stretched(card.plan.minutes)?),
        rule: format!("{}, version {}", schedule.header.title, schedule.header.version),
    })
}

fn shown(card: &DoseCard, differs: Vec<Tier>, knowledge: &Knowledge) -> Shown {
    let minutes = plain(card.plan.minutes);
    let weights = card.by_weight.iter().map(|one| WeightRow {
        which: one.descriptor.words(),
        kg: format!("{} kg", plain(one.weight_kg)),
        mg: format!("{} mg", plain(one.dose_mg)),
        counts: one.descriptor == card.descriptor,
    });
    let mut numbers = vec![
        ("Dose", card.dose.to_string()),
        ("Volume", card.volume.to_string()),
        ("Pump rate", card.rate.to_string()),
        ("Volume to be infused", card.vtbi.to_string()),
        ("Ends after", format!("{} min", plain(card.plan.ends_after_min))),
        ("By weight", format!("{} mcg/kg/min", plain(card.plan.ug_per_kg_min))),
    ];
    if let Some(stock) = &card.stock {
        numbers.push((
            "Draw from the vial",
            format!("{} mL of {} mg/mL", plain(stock.volume_ml), plain(stock.strength_mg_per_ml)),
        ));
    }
    if let Some(bag) = &card.bag {
        let rate = |rate| format!("{} mL/h", plain(rate));
        numbers.push(("Bag, volume taken out first", rate(bag.rate_with_withdrawal_ml_per_h)));
        numbers.push(("Bag, nothing taken out", rate(bag.rate_without_withdrawal_ml_per_h)));
    }
    for drops in &card.drops {
        let gravity = format!("{} drops/min at {} drops/mL", plain(drops.per_min), plain(drops.per_ml));
        numbers.push(("Without a pump", gravity));
    }
    let steps = card
        .plan
        .steps
        .iter()
        .map(|step| format!("{} mL/h for {} min", plain(step.rate_ml_per_h), plain(step.minutes)));
    let steps: Vec<String> = steps.collect();
    Shown {
        line: line(&card.concentration.to_string(), &card.dose.to_string(), &minutes, &card.rate.to_string()),
        chain: unbroken(&card.chain),
        weights: weights.collect(),
        why: card.why.clone(),
        numbers: numbers.into_iter().map(|(label, value)| (label, unbroken(&value))).collect(),
        steps: if steps.len() > 1 { steps } else { Vec::new() },
        tiers: card
            .findings
            .iter()
            .map(|finding| tier(finding, knowledge))
            .chain(differs)
            .chain(observed_by(card, knowledge))
            .collect(),
    }
}

/// The parts of the order line; each stays on one line of the page.
fn line(strength: &str, dose: &str, minutes: &str, rate: &str) -> [String; 5] {
    [
        strength.to_owned(),
        "IV infusion".to_owned(),
        dose.to_owned(),
        format!("over {minutes} min"),
        rate.to_owned(),
    ]
}

fn sign_form(opened: &Opened, card: &DoseCard, asked: &BTreeMap<String, String>, differs: bool) -> Form {
    let mut form = opened.form("sign", "order", "Sign the order", "Sign the order");
    for name in ASKED {
        form = form.hidden(name, text_of(asked, name));
    }
    // The strength is chosen by the page when nobody chose one; what was shown is what is signed.
    if text_of(asked, "concentration").is_empty() {
        form.hidden.retain(|(name, _)| name != "concentration");
        form = form.hidden("concentration", plain(card.concentration.decimal()));
    }
    form = form.hidden("shown_dose", card.dose.to_string()).hidden("shown_rate", card.rate.to_string());
    if card.needs_reason() || differs {
        let label = if differs {
            "Reason for another order than planned"
        } else {
            "Reason for passing the recommended range"
        };
        form = form.with(Field::new(Kind::Line, "reason", label));
    }
    form.with_all(signature("Prescriber"))
}

fn signed(app: &AppState, opened: &Opened) -> Vec<String> {
    let Some((order, signature)) = &opened.session.order else { return Vec::new() };
    let clock = signature.at.to_zoned(app.config.time_zone()).strftime("%H:%M").to_string();
    let line = line(
        &order.concentration.to_string(),
        &order.dose.to_string(),
        &plain(order.minutes),
        &order.rate.to_string(),
    );
    let mut signed = line.to_vec();
    signed.push(unbroken(&order.chain));
    signed.push(format!("Signed by {} at {clock}", app.floor.called(&signature.by)));
    signed
}

/// `POST /visit/{session}/order`
pub async fn sign(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let opened = Opened::find(&app, &id)?;
    let before = opened.before(&app)?;
    let outcome = carry_out(&app, &visit, &id, &posted, ("sign", Privilege::Assess), move |desk, typed| {
        let read = request(&desk.session, &desk.patient.sex, before.as_ref(), |name| typed.text(name));
        let request = match read {
            Ok(request) => Box::new(request),
            Err(wrong) => {
                for (field, text) in wrong {
                    let _: Option<()> = typed.wrong(field, text);
                }
                return None;
            }
        };
        if desk.session.phase >= Phase::Infusing {
            return typed.wrong("", "The infusion has begun; an order cannot be changed any more.");
        }
        // What was shown may be older than today's weight: what is signed is what was seen.
        if let Ok(card) = dose::card(&request, desk.app.floor.knowledge()) {
            let seen = (typed.text("shown_dose"), typed.text("shown_rate"));
            if seen != (card.dose.to_string(), card.rate.to_string()) {
                return typed.wrong("", format!("The card has changed since it was shown: it is now {} at {}. Look at it again and sign.", card.dose, card.rate));
            }
            if card.needs_reason() && !clinic::text::is_reason(&typed.text("reason")) {
                return typed.wrong(
                    "reason",
                    "This order passes a recommended range. Give a reason to go on, in words.",
                );
            }
        }
        let signature = desk.sign(typed, "I order this infusion", Privilege::SignOrder)?;
        let id = OrderId::new(typed.posted().command_id());
        let (reason, signed) = (typed.maybe("reason"), signature.clone());
        let command = Command::SignOrder { id, request, beside_plan: None, reason, signature: signed };
        Some(desk.by_signer(&signature, command))
    });
    match outcome.await? {
        Outcome::Done => Ok(done(&app, &visit, &format!("/visit/{id}/order"), "The order is signed.")),
        Outcome::Sent(sent) => {
            let asked =
                ASKED.iter().map(|name| ((*name).to_owned(), sent.posted.text(name).to_owned())).collect();
            draw(&app, &visit, &id, &asked, &sent)
        }
        Outcome::Answered(answer) => Ok(*answer),
    }
}

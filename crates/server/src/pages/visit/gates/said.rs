//! What was typed into the form of a gate, as the rules take it.

use super::medicines::MOST;
use super::{CUFFS, emergency_symptoms, line};
use crate::pages::visit::again::sent_again;
use crate::pages::visit::typed::Typed;
use clinic::gate::{DayOfInputs, LastInfusion, Pressure, hours_between};
use clinic::knowledge::Knowledge;
use clinic::knowledge::gates::{Answer, Answers, Gate};
use clinic::knowledge::interactions::Medicine;
use clinic::knowledge::measure::in_words;
use clinic::quantity::plain;
use clinic::session::vital_signs;
use clinic::text::Kind;
use jiff::Timestamp;
use std::collections::BTreeSet;
/// What was answered. What nobody answered stays missing, which the rule says by itself.
pub(super) fn inputs(
    gate: &str,
    knowledge: &Knowledge,
    typed: &mut Typed,
    last: Option<Timestamp>,
    now: Timestamp,
) -> Option<DayOfInputs> {
    let mut inputs = DayOfInputs::default();
    let Some(Gate::Questions(questions)) = knowledge.gates.get(gate).map(|item| &item.body) else {
        return typed.wrong("", format!("There is no gate {gate}."));
    };
    for check in &questions.checks {
        if !inputs.answers.contains_key(&check.fact) && !typed.is_wrong(&check.fact) {
            read_answer(&mut inputs.answers, &check.fact, &check.ask, check.unit.as_deref(), typed);
        }
        if let Some(Answer::Number(number)) = inputs.answers.get(&check.fact)
            && let Some(accepted) = check.implausible(*number)
        {
            let said = format!("{} {}: accepted is {accepted}.", check.ask, plain(*number));
            let _: Option<()> = typed.wrong(&check.fact, said);
        }
    }
    match gate {
        "c02" => inputs.last_infusion = last_infusion(typed, last, now),
        "c04" => escort_said(typed),
        "c12" => line::said(typed),
        "c06" => inputs.medicines = medicines(typed),
        "c11" => vitals(knowledge, typed, &mut inputs),
        _ => {}
    }
    typed.errors.is_empty().then_some(inputs)
}

fn read_answer(answers: &mut Answers, fact: &str, ask: &str, unit: Option<&str>, typed: &mut Typed) {
    let answer = match unit {
        Some(unit) => typed.maybe_number(fact, ask, in_words(unit)).map(Answer::Number),
        None => typed.yes_no(fact, ask).map(Answer::Yes),
    };
    if let Some(answer) = answer {
        answers.insert(fact.to_owned(), answer);
    }
}

fn last_infusion(typed: &mut Typed, last: Option<Timestamp>, now: Timestamp) -> Option<LastInfusion> {
    if let Some(last) = last {
        return Some(LastInfusion::Ago(hours_between(last, now)));
    }
    match typed.one_of("last_infusion", "The last infusion", &["never", "at"])?.as_str() {
        "never" if !typed.text("last_infusion_at").is_empty() => {
            typed.wrong("last_infusion_at", "It says never and gives a begin. Keep one of the two.")
        }
        "never" => Some(LastInfusion::Never),
        "at" if typed.text("last_infusion_at").is_empty() => {
            typed.wrong("last_infusion_at", "The begin of the last infusion is empty. Enter day and time.")
        }
        "at" => {
            let at = typed.moment("last_infusion_at", "The begin of the last infusion", now)?;
            if at > now {
                return typed.wrong("last_infusion_at", "The last infusion cannot lie in the future.");
            }
            Some(LastInfusion::Ago(hours_between(at, now)))
        }
        _ => None,
    }
}

/// A yes to "named" or "phone known" needs the name and the phone.
fn escort_said(typed: &mut Typed) {
    for (fact, field, what, kind) in [
        ("escort_named", "escort", "The escort's name", Kind::Name),
        ("escort_phone", "escort_number", "The escort's phone", Kind::Phone),
    ] {
        let text = typed.text(field);
        if typed.text(fact) == "yes" && text.is_empty() {
            let _: Option<()> = typed.wrong(field, format!("{what} is empty. Enter it, or answer no."));
        } else if let Err(unfit) = kind.check(&text) {
            let _: Option<()> =
                typed.wrong(field, format!("{what} is {}. Accepted is {}.", unfit.value, unfit.accepted));
        }
    }
    if typed.text("escort_number").contains(',') {
        let _: Option<()> = typed.wrong("escort_number", "A phone number has no comma.");
    }
}

fn medicines(typed: &mut Typed) -> Option<Vec<Medicine>> {
    let mut list = Vec::new();
    for row in 0..MOST {
        let ingredient = typed.text(&format!("medicine_{row}"));
        let mut number =
            |name: &str, what: &str, unit: &str| typed.maybe_number(&format!("{name}_{row}"), what, unit);
        let daily_mg = number("daily", "The daily dose", "mg");
        let hours_since_last = number("hours", "The time of the last dose", "hours");
        let qtc_ms = number("qtc", "QTc", "ms");
        if ingredient.is_empty() {
            continue;
        }
        list.push(Medicine { ingredient, atc: None, daily_mg, hours_since_last, qtc_ms });
    }
    let none = typed.one_of("takes", "The medicine list", &["none"]).is_some();
    match (none, list.is_empty()) {
        (true, false) => typed.wrong("takes", "It says no medicines and lists some. Keep one of the two."),
        (false, true) => None,
        _ => Some(list),
    }
}

fn vitals(knowledge: &Knowledge, typed: &mut Typed, inputs: &mut DayOfInputs) {
    for n in 0..CUFFS {
        let (high, low) = (format!("systolic_{n}"), format!("diastolic_{n}"));
        let systolic = typed.maybe_number(&high, "The systolic pressure", "mmHg");
        let diastolic = typed.maybe_number(&low, "The diastolic pressure", "mmHg");
        match (systolic, diastolic) {
            (Some(systolic), Some(diastolic)) => inputs.pressures.push(Pressure { systolic, diastolic }),
            (Some(systolic), None) if typed.text(&low).is_empty() => {
                let _: Option<()> =
                    typed.wrong(&low, format!("Systolic {} has no diastolic beside it.", plain(systolic)));
            }
            (None, Some(diastolic)) if typed.text(&high).is_empty() => {
                let _: Option<()> =
                    typed.wrong(&high, format!("Diastolic {} has no systolic beside it.", plain(diastolic)));
            }
            _ => {}
        }
    }
    for item in knowledge.gates.iter() {
        let Gate::VitalsBands(bands) = &item.body else { continue };
        for sign in &bands.signs {
            read_answer(&mut inputs.answers, &sign.fact, &sign.ask, Some(&sign.unit), typed);
            if let Some(when) = &sign.when {
                read_answer(&mut inputs.answers, when, when, None, typed);
            }
        }
    }
    let ticked = typed.posted().all("symptoms").map(str::trim).filter(|one| !one.is_empty());
    let ticked: BTreeSet<String> = ticked.map(str::to_owned).collect();
    let known: Vec<&str> =
        std::iter::once("none").chain(emergency_symptoms(knowledge).map(String::as_str)).collect();
    if let Some(unknown) = ticked.iter().find(|one| !known.contains(&one.as_str())) {
        let accepted = known.join(", ");
        let _: Option<()> = typed
            .wrong("symptoms", format!("The symptom “{unknown}” is no choice here; accepted is {accepted}."));
    }
    let none = ticked.contains("none");
    if none && ticked.len() > 1 {
        let _: Option<()> =
            typed.wrong("symptoms", "It says none of these and names some. Keep one of the two.");
    }
    inputs.read_again = sent_again(typed.posted(), vital_signs(inputs));
    inputs.symptoms = (!ticked.is_empty()).then(|| ticked.into_iter().filter(|one| one != "none").collect());
}

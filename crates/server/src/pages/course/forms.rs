//! The forms of a course beside its plan: what is done with advice, checks, maintenance, the end.

use super::{Asked, rule_title, today};
use crate::AppState;
use crate::pages::visit::form::{Choice, Field, Form, Kind, signature};
use clinic::course::Stage;
use clinic::course::advice::Advice;
use clinic::gate::{Finding, Verdict};
use clinic::knowledge::long_term::LongTerm;

/// What advice asks a person: before the first infusion, and between two.
pub fn questions(first: bool, asked: &Asked) -> Vec<Field> {
    let yes_no = |name: &str, label: &str| {
        let choices = [("", "Not asked"), ("yes", "Yes"), ("no", "No")];
        let choices = choices.into_iter().map(|(value, label)| Choice::of(value, label)).collect();
        Field::listed(name, label, choices)
    };
    let fields = if first {
        vec![
            yes_no("frail", "Frail"),
            yes_no("pressure_amber", "Blood pressure in the amber band"),
            yes_no("anxious", "Afraid of the first exposure"),
        ]
    } else {
        vec![
            Field::number("improvement_percent", "Fall of the main scale since the baseline", "%"),
            yes_no("response", "Response by the definition of the condition"),
            yes_no("paused_or_stopped", "An infusion at this dose was paused or stopped"),
            Field::number("lowest_moaas", "Lowest sedation score at this dose", "MOAA/S"),
            Field::number("highest_systolic", "Highest systolic pressure at this dose", "mm[Hg]"),
            Field::number("highest_diastolic", "Highest diastolic pressure at this dose", "mm[Hg]"),
            yes_no("poorly_tolerated", "The last infusion was poorly tolerated"),
            yes_no("patient_agrees", "The patient agrees to more"),
        ]
    };
    let known = |field: Field| {
        let value = asked.get(&field.name).cloned().unwrap_or_default();
        let unread = field.kind == Kind::Number
            && !value.is_empty()
            && clinic::dose::parse::number(value.trim()).is_err();
        let mut field = field.known(value);
        if unread {
            field.error = format!("“{}” is not a number in {}. It was left out.", field.value, field.unit);
        }
        field
    };
    fields.into_iter().map(known).collect()
}

pub fn answer_form(path: &str, advice: &Advice, asked: &Asked) -> Form {
    let choices = vec![Choice::of("take", "Take it"), Choice::of("decline", "Decline it")];
    let form = Form::new("advice", format!("{path}/advice"), "Take or decline this advice", "Sign")
        .hint("Advice orders nothing: the plan or the order of the day does.")
        .hidden("seen", advice.suggestion.to_string());
    let form = questions(true, asked)
        .into_iter()
        .chain(questions(false, asked))
        .fold(form, |form, field| form.hidden(&field.name, field.value));
    form.with(Field::one("do", "What do you do with it?", choices))
        .with(Field::new(Kind::Line, "reason", "Reason").hint("Needed to decline."))
        .with_all(signature("Prescriber"))
}

pub fn all_checks(app: &AppState) -> Vec<Choice> {
    let items = app.floor.knowledge().long_term.iter();
    let checks = items.filter(|item| matches!(item.body, LongTerm::Check(_)));
    checks.map(|item| Choice::of(&item.header.id, &item.header.title)).collect()
}

pub fn check_form(app: &AppState, path: &str) -> Form {
    Form::new("check", format!("{path}/check"), "Record a check", "Record the check")
        .with(Field::listed("check", "Which check", all_checks(app)))
        .with(Field::new(Kind::Day, "on", "Made on").known(today(app).to_string()))
        .with(Field::new(Kind::Words, "result", "Result"))
}

pub fn override_form(app: &AppState, path: &str, due: &[Finding]) -> Option<Form> {
    let holding = due.iter().filter(|found| found.verdict >= Verdict::Hold);
    let held: Vec<Choice> =
        holding.map(|found| Choice::of(&found.rule, rule_title(app, &found.rule, found.version))).collect();
    (!held.is_empty()).then(|| {
        Form::new("override", format!("{path}/override"), "Book in spite of a check", "Sign the override")
            .hint("Lets the next booking pass, and only that one.")
            .grave()
            .with(Field::listed("check", "Which check", held))
            .with(Field::new(Kind::Line, "reason", "Reason"))
            .with_all(signature("Prescriber"))
    })
}

/// Boosters begin, or follow at another interval.
pub fn maintenance_form(path: &str, stage: Stage) -> Form {
    let every = Field::number("every_d", "A booster every", "d").hint("Empty: when needed.");
    let form = |title, submit| {
        Form::new("maintenance", format!("{path}/maintenance"), title, submit)
            .hint("Visits are booked one at a time from then on.")
    };
    let form = match stage {
        Stage::Maintenance { every_d } => form("Change the interval of the boosters", "Sign the interval")
            .with(every.known(every_d.map_or_else(String::new, |days| days.to_string()))),
        Stage::New | Stage::Induction | Stage::Closed => {
            form("End the induction and begin maintenance", "Sign the maintenance")
                .with(Field::yes_no("responder", "The patient responded, by the definition of the condition"))
                .with(every)
        }
    };
    form.quiet().with(Field::new(Kind::Line, "reason", "Reason")).with_all(signature("Prescriber"))
}

pub fn close_form(path: &str) -> Form {
    Form::new("close", format!("{path}/close"), "End the course", "End the course")
        .hint("Cancel visits that are booked first.")
        .grave()
        .with(Field::new(Kind::Line, "reason", "Reason"))
        .with_all(signature("Prescriber"))
}

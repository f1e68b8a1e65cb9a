//! The forms of a course beside its plan: what is done with advice, checks, maintenance, the end.

use super::{Asked, rule_title, today};
use crate::AppState;
use crate::pages::visit::form::{Choice, Field, Form, Kind, signature};
use crate::pages::visit::head::day;
use crate::words::capital;
use clinic::course::advice::Advice;
use clinic::course::exposure::Newer;
use clinic::course::{Course, Judged, Stage};
use clinic::gate::{Finding, Verdict};
use clinic::id::RuleId;
use clinic::knowledge::long_term::LongTerm;
use rust_decimal::Decimal;

/// When advice asks something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before the first infusion.
    First,
    /// Between two.
    Between,
    /// Between boosters.
    Maintained,
}

/// Something that advice asks a person where the record does not know it.
pub struct Question {
    /// In the address and in forms.
    pub name: &'static str,
    label: &'static str,
    /// Empty where it is answered by yes or no.
    unit: &'static str,
    when: When,
}

const fn yes_no(when: When, name: &'static str, label: &'static str) -> Question {
    Question { name, label, unit: "", when }
}

const fn number(when: When, name: &'static str, label: &'static str, unit: &'static str) -> Question {
    Question { name, label, unit, when }
}

/// Asks how far the score fell, in percent.
pub const FALL: &str = "improvement_percent";

/// All that advice may ask.
pub const QUESTIONS: &[Question] = &[
    yes_no(When::First, "frail", "Frail"),
    yes_no(When::First, "pressure_amber", "Blood pressure in the amber band"),
    yes_no(When::First, "anxious", "Afraid of the first exposure"),
    number(When::Between, "baseline", "Main scale before infusion 1 of the series", "points"),
    number(When::Between, "now", "Main scale now", "points"),
    number(When::Between, FALL, "Fall of the main scale since the baseline", "%"),
    yes_no(When::Between, "response", "Response by the definition of the condition"),
    yes_no(When::Between, "paused_or_stopped", "An infusion at this dose was paused or stopped"),
    number(When::Between, "lowest_moaas", "Lowest sedation score at this dose", "MOAA/S"),
    number(When::Between, "highest_systolic", "Highest systolic pressure at this dose", "mmHg"),
    number(When::Between, "highest_diastolic", "Highest diastolic pressure at this dose", "mmHg"),
    yes_no(When::Between, "poorly_tolerated", "The last infusion was poorly tolerated"),
    yes_no(When::Between, "patient_agrees", "The patient agrees to more"),
    number(When::Maintained, "last", "Main scale before the last infusion", "points"),
    number(When::Maintained, "boosters", "Maintenance infusions so far", "infusions"),
    number(When::Maintained, "weeks", "Maintenance so far", "wk"),
    number(When::Maintained, "stable_visits_before", "Stable visits in a row before this one", "visits"),
    number(When::Maintained, "cssrs_level", "C-SSRS: level of ideation", "0 to 5"),
    yes_no(When::Maintained, "hospitalised", "In hospital for the condition since the last infusion"),
    number(When::Maintained, "weeks_relapsed", "The score stands where a relapse begins for", "wk"),
    number(When::Maintained, "reinductions", "New inductions in the last twelve months", "inductions"),
    number(When::Maintained, "without_response", "Infusions in a row without response", "infusions"),
];

impl Question {
    fn applies(&self, course: &Course) -> bool {
        let maintained = matches!(course.stage, Stage::Maintenance { .. });
        match self.when {
            When::First => course.given.is_empty(),
            When::Between => !course.given.is_empty(),
            When::Maintained => !course.given.is_empty() && maintained,
        }
    }

    fn field(&self, asked: &Asked) -> Field {
        let value = asked.get(self.name).cloned().unwrap_or_default();
        if self.unit.is_empty() {
            let choices = [("", "Not asked"), ("yes", "Yes"), ("no", "No")];
            let choices = choices.into_iter().map(|(value, label)| Choice::of(value, label)).collect();
            return Field::listed(self.name, self.label, choices).known(value);
        }
        let unread = !value.is_empty() && read(self.name, &value).is_none();
        let mut field = Field::number(self.name, self.label, self.unit).known(value);
        if unread {
            field.error = format!("“{}” is not a number in {}. It was left out.", field.value, field.unit);
        }
        field
    }
}

/// A number that was answered. Who got worse has a fall below zero; nothing else has.
pub fn read(name: &str, text: &str) -> Option<Decimal> {
    let text = text.trim();
    let rise = text.strip_prefix(['-', '\u{2212}']).filter(|_| name == FALL);
    let number = clinic::dose::parse::number(rise.unwrap_or(text)).ok()?;
    Some(if rise.is_some() { -number } else { number })
}

/// What the advice of this course asks now.
pub fn questions(course: &Course, asked: &Asked) -> Vec<Field> {
    QUESTIONS.iter().filter(|one| one.applies(course)).map(|one| one.field(asked)).collect()
}

/// The n-th form that takes or declines advice, from 0.
pub fn answer_key(n: usize) -> String {
    if n == 0 { "advice".to_owned() } else { format!("advice-{n}") }
}

pub fn answer_form(path: &str, n: usize, advice: &Advice, asked: &Asked) -> Form {
    let choices = vec![Choice::of("take", "Take it"), Choice::of("decline", "Decline it")];
    let form = Form::new(answer_key(n), format!("{path}/advice"), "Take or decline this advice", "Sign")
        .hint("Advice orders nothing: the plan or the order of the day does.")
        .hidden("which", n.to_string())
        .hidden("seen", advice.suggestion.to_string());
    let answers = QUESTIONS.iter().filter_map(|one| Some((one.name, asked.get(one.name)?)));
    let form = answers.fold(form, |form, (name, answer)| form.hidden(name, answer.clone()));
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
    let meanings = Judged::SAID.into_iter().map(|one| Choice::of(one.key(), capital(one.title()))).collect();
    Form::new("check", format!("{path}/check"), "Record a check", "Record the check")
        .with(Field::listed("check", "Which check", all_checks(app)))
        .with(Field::new(Kind::Day, "on", "Made on").known(today(app).to_string()))
        .with(Field::new(Kind::Words, "result", "Result"))
        .with(Field::one("judged", "What the result means", meanings).hint(
            "What is to be looked at, and a stop, hold the next booking until a prescriber signs a reason, or accepts a later result that is milder. A visit that is booked already is not held: tell the prescriber.",
        ))
}

/// How the form of a result that waits is told apart.
pub fn accept_key(check: &str) -> String {
    format!("accept-{check}")
}

pub fn accept_form(app: &AppState, path: &str, check: &RuleId, newer: &Newer) -> Form {
    let title = app.floor.knowledge().header(check.as_str()).map_or(check.as_str(), |header| &header.title);
    let says = format!("{}, {}: {}", day(newer.on), newer.judged.title(), newer.result);
    Form::new(
        accept_key(check.as_str()),
        format!("{path}/accept"),
        format!("{title}: a milder result waits"),
        "Accept this result",
    )
    .hint(format!("{says}. It counts, and holds or does not, when a prescriber accepts it."))
    .hidden("check", check.to_string())
    .hidden("on", newer.on.to_string())
    .hidden("result", &newer.result)
    .with(Field::new(Kind::Line, "reason", "Reason"))
    .with_all(signature("Prescriber"))
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

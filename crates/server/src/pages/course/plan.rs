//! The form of a plan, and the plan that was typed into it.

use super::Asked;
use crate::AppState;
use crate::pages::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use crate::pages::visit::typed::Typed;
use axum::http::StatusCode;
use clinic::course::{Course, Plan, Stage, shown_dose};
use clinic::dose::parse;
use clinic::id::RuleId;
use clinic::knowledge::regimen::Setting;
use clinic::knowledge::weight::Descriptor;
use clinic::quantity::plain;

/// Regimens that a course may have.
pub fn regimens(app: &AppState, asked: &Asked) -> Vec<Choice> {
    let clinic = app.floor.knowledge().regimens.iter().filter(|item| item.body.setting == Setting::Clinic);
    let chosen = asked.get("regimen").map_or("", String::as_str);
    let choice = clinic.map(|item| Choice {
        chosen: item.header.id == chosen,
        ..Choice::of(&item.header.id, format!("{} (grade {:?})", item.header.title, item.body.grade))
    });
    choice.collect()
}

/// Regimens that no clinic orders, each with the reason.
pub fn elsewhere(app: &AppState) -> Vec<String> {
    let why = |setting| match setting {
        Setting::Clinic | Setting::Reference => None,
        Setting::Inpatient => Some("for hospital wards; a clinic books no course of it"),
        Setting::Research => Some("research only: published from trials, a clinic cannot order it"),
    };
    let all = app.floor.knowledge().regimens.iter();
    all.filter_map(|item| Some(format!("{}: {}", item.header.title, why(item.body.setting)?))).collect()
}

/// A signed plan as it is read, with the regimen by its title.
pub fn shown(app: &AppState, plan: &Plan) -> Vec<(&'static str, String)> {
    let mut shown = plan.shown();
    if let Some(item) = app.floor.knowledge().regimens.get(plan.regimen.as_str()) {
        shown[0].1 = format!("{} (grade {:?})", item.header.title, item.body.grade);
    }
    shown.into()
}

/// The same in lines.
pub fn lines(app: &AppState, plan: &Plan) -> Vec<String> {
    shown(app, plan).into_iter().map(|(field, value)| format!("{field}: {value}")).collect()
}

/// The plan as it stands, or as the regimen that was chosen has it; none before one is.
pub fn form(app: &AppState, path: &str, course: &Course, asked: &Asked) -> Option<Form> {
    if course.stage == Stage::Closed {
        return None;
    }
    let begun = || {
        let item = app.floor.knowledge().regimens.get(asked.get("regimen")?)?;
        Plan::usual(item, Vec::new())
    };
    let plan = course.plan().cloned().or_else(begun)?;
    let read = course.plan_version();
    let title = if read == 0 { "Plan".to_owned() } else { format!("Change version {read} of the plan") };
    let mut weights = vec![Choice::of("", "By the rule")];
    weights.extend(Descriptor::ALL.map(|one| Choice::of(one.id(), one.words())));
    let weight = plan.dose_weight.map_or("", Descriptor::id);
    let lines = |name: &str, label: &str, lines: &[String]| {
        Field::new(Kind::Words, name, label).hint("One on each line.").known(lines.join("\n"))
    };
    let regimens = regimens(app, asked);
    let known = app.floor.knowledge().regimens.get(plan.regimen.as_str());
    Some(
        Form::new("plan", path, title, "Sign the plan")
            .hint(known.map_or("", |item| &item.body.grade_note))
            .hidden("read", read.to_string())
            .with(Field::listed("regimen", "Regimen", regimens).known(plan.regimen.as_str()))
            .with(
                Field::new(Kind::Line, "conditions", "What is treated")
                    .hint("ICD-10-CM codes with commas between them: F33.2, F43.10.")
                    .known(plan.conditions.join(", ")),
            )
            .with(Field::number("infusions", "Number of infusions", "").known(plan.infusions.to_string()))
            .with(Field::number("a_week", "At most in seven days", "").known(plan.a_week.to_string()))
            .with(
                Field::new(Kind::Line, "dose", "Dose of the first infusion")
                    .hint("With its unit: 0.5 mg/kg, or a rate such as 0.3 mg/kg/h.")
                    .known(shown_dose(&plan.start_dose)),
            )
            .with(Field::number("minutes", "Over", "min").known(plain(plan.minutes)))
            .with(Field::listed("dose_weight", "Weight that counts", weights).known(weight))
            .with(Field::new(Kind::Words, "titration", "How the dose may change").known(&plan.titration))
            .with(lines("stop_rules", "When the course ends early", &plan.stop_rules))
            .with(lines("premedication", "Given before each infusion", &plan.premedication))
            .with(
                Field::new(Kind::Line, "reason", "Reason")
                    .hint("Needed for a change, and for a plan outside what is published."),
            )
            .with_all(signature("Prescriber")),
    )
}

/// Two plans that two people wrote at once, side by side.
pub struct Beside {
    /// Who signed what, and what was typed and is not signed.
    pub heads: Vec<String>,
    /// Each field in which they differ, with a value for each head.
    pub rows: Vec<(&'static str, Vec<String>)>,
}

/// What was signed meanwhile beside what was typed, and what both began with; nothing where no two met.
pub fn beside(app: &AppState, course: &Course, sent: &Sent) -> Option<Beside> {
    let last = course.plans.last().filter(|_| sent.form == "plan" && sent.status == StatusCode::CONFLICT)?;
    let typed_in = &mut Typed::new(sent.posted.clone(), app.config.time_zone());
    let yours = typed(typed_in)?;
    let read = typed_in.text("read").parse::<usize>().ok()?;
    let began = read.checked_sub(1).and_then(|place| course.plans.get(place));
    let mut columns: Vec<(String, Vec<(&str, String)>)> = Vec::new();
    if let Some(began) = began {
        columns.push((format!("Version {read}, which both changed"), shown(app, &began.plan)));
    }
    let now =
        format!("Version {}, signed meanwhile by {}", course.plan_version(), app.floor.called(&last.by));
    columns.push((now, shown(app, &last.plan)));
    columns.push(("Yours, not signed".to_owned(), shown(app, &yours)));
    let fields = (0..yours.shown().len()).filter_map(|n| {
        let name = columns.first()?.1.get(n)?.0;
        let values: Vec<String> =
            columns.iter().filter_map(|(_, plan)| Some(plan.get(n)?.1.clone())).collect();
        values.windows(2).any(|pair| pair[0] != pair[1]).then_some((name, values))
    });
    Some(Beside { rows: fields.collect(), heads: columns.iter().map(|(head, _)| head.clone()).collect() })
}

/// The plan that was typed; what is wrong stands in `typed`.
pub fn typed(typed: &mut Typed) -> Option<Plan> {
    let regimen = typed.needed("regimen", "The regimen").map(RuleId::new);
    let infusions =
        typed.whole("infusions", "The number of infusions", "a whole number that the regimen has");
    let a_week = typed.whole("a_week", "The number in seven days", "a whole number that the regimen has");
    let dose = typed.needed("dose", "The dose").and_then(|text| match parse::dose("dose", &text) {
        Ok(dose) => Some(dose),
        Err(why) => typed.wrong("dose", why),
    });
    let minutes = typed.number("minutes", "The length", "min");
    let list = |text: String, between: char| -> Vec<String> {
        let each = text.split(between).map(|one| one.trim().to_owned());
        each.filter(|one| !one.is_empty()).collect()
    };
    let weight = typed.text("dose_weight");
    Some(Plan {
        regimen: regimen?,
        conditions: list(typed.text("conditions"), ','),
        infusions: infusions?,
        a_week: a_week?,
        start_dose: dose?,
        minutes: minutes?,
        dose_weight: Descriptor::said(&weight),
        titration: typed.text("titration"),
        stop_rules: list(typed.text("stop_rules"), '\n'),
        premedication: list(typed.text("premedication"), '\n'),
    })
}

//! The medicine list of the day, which begins with what the care plan says.

use crate::pages::visit::form::{Choice, Field, Form, Kind};
use crate::{AppState, Fault};
use clinic::care::plan::{Medicine as Planned, MedicineChange};
use clinic::knowledge::interactions::Medicine;
use clinic::quantity::plain;
use clinic::session::{GateAnswer, Session};
use rust_decimal::Decimal;

/// Rows for more medicines below those that are listed.
const MORE: usize = 4;
/// Most medicines of a list.
pub(super) const MOST: usize = 60;

/// What was said last of each medicine between the visits.
pub(super) fn planned(app: &AppState, session: &Session) -> Result<Vec<Planned>, Fault> {
    let Some(patient) = &session.patient else { return Ok(Vec::new()) };
    let mut all: Vec<Planned> = Vec::new();
    for plan in app.floor.care_plans(patient)? {
        for medicine in plan.takes().into_iter().map(|recorded| &recorded.medicine) {
            // What the record that stays says of a medicine is newer than what the closed one said.
            if !all.iter().any(|known| known.name.eq_ignore_ascii_case(&medicine.name)) {
                all.push(medicine.clone());
            }
        }
    }
    Ok(all)
}

/// Rows of what was answered before, the first time those of the care plan. How much a day and how long ago is asked
/// every time: the plan has doses in words.
pub(super) fn fields(mut form: Form, before: Option<&GateAnswer>, planned: &[Planned]) -> Form {
    let listed = before.and_then(|answer| answer.inputs.medicines.clone());
    let none = if listed.as_ref().is_some_and(Vec::is_empty) { "none" } else { "" };
    form = form.with(
        Field::ticks("takes", "Medicine list", vec![Choice::of("none", "Takes no medicines")])
            .hint(hint(planned))
            .known(none),
    );
    let taken = planned.iter().filter(|medicine| medicine.change != MedicineChange::Stopped);
    let of_plan = |one: &Planned| Medicine { ingredient: one.name.clone(), ..Medicine::default() };
    let listed = listed.unwrap_or_else(|| taken.map(of_plan).collect());
    for row in 0..(listed.len() + MORE).min(MOST) {
        let one = listed.get(row);
        let number =
            |pick: fn(&Medicine) -> Option<Decimal>| one.and_then(pick).map(plain).unwrap_or_default();
        let name = one.map(|medicine| medicine.ingredient.clone()).unwrap_or_default();
        let n = row + 1;
        let mut named = Field::new(Kind::Line, format!("medicine_{row}"), format!("Medicine {n}"));
        if let Some(plan) = planned.iter().find(|plan| plan.name.to_lowercase() == name.to_lowercase()) {
            named = named.hint(format!("Care plan: {}.", told(plan)));
        }
        form = form
            .with(named.known(name))
            .with(
                Field::number(format!("daily_{row}"), format!("Medicine {n}, a day"), "mg")
                    .known(number(|m| m.daily_mg)),
            )
            .with(
                Field::number(format!("hours_{row}"), format!("Medicine {n}, last dose"), "h ago")
                    .known(number(|m| m.hours_since_last)),
            )
            .with(
                Field::number(format!("qtc_{row}"), format!("Medicine {n}, QTc where asked"), "ms")
                    .known(number(|m| m.qtc_ms)),
            );
    }
    form
}

/// What was left off or changed without a physician is told first: it matters today.
fn hint(planned: &[Planned]) -> String {
    let alone = planned.iter().filter(|medicine| medicine.asks_for_a_physician());
    let alone = alone.map(|medicine| format!("{}: {}.", medicine.name, told(medicine)));
    let how = "List each by its ingredient below, or say that there is none. Empty the name to take one off the \
               list; save to get more rows.";
    alone.chain([how.to_owned()]).collect::<Vec<_>>().join(" ")
}

fn told(medicine: &Planned) -> String {
    let dose = Some(medicine.dose.as_str()).filter(|dose| !dose.is_empty());
    let alone = medicine.asks_for_a_physician().then_some("by the patient alone");
    let said = dose.into_iter().chain([medicine.change.title()]).chain(alone);
    said.collect::<Vec<_>>().join(", ")
}

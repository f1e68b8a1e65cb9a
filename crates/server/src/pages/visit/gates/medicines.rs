//! The medicine list of the day, which begins with what was told last: in the care plan, or at the consultation.

use crate::pages::visit::form::{Choice, Field, Form, Kind};
use crate::pages::visit::head::day;
use crate::pages::visit::typed::Typed;
use crate::{AppState, Fault};
use clinic::care::plan::Medicine as Planned;
use clinic::care::told::Told;
use clinic::knowledge::interactions::Medicine;
use clinic::quantity::plain;
use clinic::session::{GateAnswer, Session};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

/// Rows for more medicines below those that are listed.
const MORE: usize = 4;
/// Most medicines of a list.
pub(super) const MOST: usize = 60;

/// The last word on each medicine of the patient, from between the visits and from the consultation.
pub(super) fn of_patient(app: &AppState, session: &Session) -> Result<Vec<Told>, Fault> {
    session.patient.as_ref().map_or_else(|| Ok(Vec::new()), |patient| app.floor.medicines_told(patient))
}

/// Nobody takes nothing while medicines stand that were told and not stopped.
pub(super) fn none_is_none(typed: &mut Typed, told: &[Told]) {
    let taken: Vec<&str> = told.iter().filter(|one| !one.is_stopped()).map(|one| one.name.as_str()).collect();
    if typed.text("takes") != "none" || taken.is_empty() {
        return;
    }
    let _: Option<()> = typed.wrong(
        "takes",
        format!(
            "Told before and not stopped: {}. List each below, or record at “Goals, medicines, therapy” that it was \
             stopped.",
            taken.join(", ")
        ),
    );
}

/// Rows of what was answered before, the first time what was told last. How long ago is asked every time, and how much a
/// day where the care plan has it in words.
pub(super) fn fields(mut form: Form, before: Option<&GateAnswer>, told: &[Told], zone: &TimeZone) -> Form {
    let listed = before.and_then(|answer| answer.inputs.medicines.clone());
    let none = if listed.as_ref().is_some_and(Vec::is_empty) { "none" } else { "" };
    form = form.with(
        Field::ticks("takes", "Medicine list", vec![Choice::of("none", "Takes no medicines")])
            .hint(hint(told))
            .known(none),
    );
    let taken = told.iter().filter(|one| !one.is_stopped());
    let as_told = |one: &Told| Medicine {
        ingredient: one.name.clone(),
        daily_mg: one.daily_mg(),
        ..Medicine::default()
    };
    let listed = listed.unwrap_or_else(|| taken.map(as_told).collect());
    for row in 0..(listed.len() + MORE).min(MOST) {
        let one = listed.get(row);
        let number =
            |pick: fn(&Medicine) -> Option<Decimal>| one.and_then(pick).map(plain).unwrap_or_default();
        let name = one.map(|medicine| medicine.ingredient.clone()).unwrap_or_default();
        let n = row + 1;
        let mut named = Field::new(Kind::Line, format!("medicine_{row}"), format!("Medicine {n}"));
        if let Some(one) = told.iter().find(|one| one.name.to_lowercase() == name.to_lowercase()) {
            let on = || format!("Told at the consultation, {}.", day(one.at.to_zoned(zone.clone()).date()));
            named = named.hint(one.planned().map_or_else(on, |plan| format!("Care plan: {}.", says(plan))));
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
fn hint(told: &[Told]) -> String {
    let alone = told.iter().filter_map(Told::planned).filter(|medicine| medicine.asks_for_a_physician());
    let alone = alone.map(|medicine| format!("{}: {}.", medicine.name, says(medicine)));
    let how = "List each by its ingredient below, or say that there is none. Empty the name to take one off the \
               list; save to get more rows.";
    alone.chain([how.to_owned()]).collect::<Vec<_>>().join(" ")
}

fn says(medicine: &Planned) -> String {
    let dose = Some(medicine.dose.as_str()).filter(|dose| !dose.is_empty());
    let alone = medicine.asks_for_a_physician().then_some("by the patient alone");
    let said = dose.into_iter().chain([medicine.change.title()]).chain(alone);
    said.collect::<Vec<_>>().join(", ")
}

//! The letter to somebody outside who cares for the patient, where the patient agreed: what was given, how the
//! patient fares, which medicines are known. Never a note of a therapist.

use super::{NEVER_STOP, medicine_says, rated};
use crate::pages::scores::{Known, outcomes};
use crate::pages::tasks::clock_time;
use crate::pages::visit::head::{allergies, day};
use crate::record::Sheet;
use crate::record::sheet::{Cell, Part, Section, Table};
use crate::{AppState, Fault};
use clinic::care::plan::{CarePlan, Carer};
use clinic::id::{PatientId, SessionId};
use clinic::session::AdverseEvent;
use jiff::Timestamp;

/// The letter, from the log alone. `None` for a patient whom nobody registered.
pub fn letter(app: &AppState, id: &PatientId, plan: &CarePlan, to: &Carer) -> Result<Option<Sheet>, Fault> {
    let Some(known) = Known::read(app, id)? else { return Ok(None) };
    let head = app.store.head(&app.config.site)?;
    let today = app.clock.now().to_zoned(app.config.time_zone()).date();
    let patient = &known.patient;
    let who = format!("{} · born {} · MRN {}", patient.banner_name(), patient.born, patient.mrn);
    let fact = |label: &str, value: String| (label.to_owned(), value);
    let about = Part::Facts(vec![
        fact("To", format!("{}, {}, {}", to.name, to.role, to.contact)),
        fact("Patient", who.clone()),
        fact("Allergies", allergies(&patient.allergies)),
        fact("Day", day(today)),
    ]);
    let agreed = "The patient agreed that this summary is sent. It holds no note of a therapist.";
    Ok(Some(Sheet {
        title: "Summary of treatment with ketamine infusions".to_owned(),
        running_head: if app.config.demo { format!("DEMO: made-up person · {who}") } else { who },
        running_foot: format!("{}, position {}", app.config.site, head.position),
        identity: hex::encode(head.chain),
        day: (today.year(), today.month(), today.day()),
        notices: Vec::new(),
        sections: vec![
            Section::new("About", vec![about, Part::Words(agreed.to_owned())]),
            Section::new("Infusions", vec![Part::Table(infusions(app, &known)?)]),
            Section::new("How the patient fares", fares(app, &known)),
            Section::new("What the patient wants to be able to do", vec![Part::Table(goals(app, plan))]),
            Section::new("Medicines", vec![Part::Table(medicines(plan)), Part::Words(NEVER_STOP.to_owned())]),
        ],
    }))
}

fn infusions(app: &AppState, known: &Known) -> Result<Table, Fault> {
    let heads = [("Start", 24), ("Infusion", 12), ("Regimen", 26), ("Delivered", 18), ("Side effects", 20)];
    let mut table = Table::new("Each infusion, oldest first", &heads, "No infusion yet.");
    for row in &known.visits {
        let Some(started) = row.started_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
            continue;
        };
        let session = app.floor.session(&SessionId::new(&row.session)).map_err(Fault::Floor)?;
        let title =
            |id: &str| app.knowledge.header(id).map_or_else(|| id.to_owned(), |header| header.title.clone());
        let effects = session.as_ref().map_or_else(Vec::new, |session| {
            let told = |(noted, _): &(AdverseEvent, _)| {
                format!("{}, grade {}", title(noted.playbook.as_str()), noted.grade)
            };
            session.adverse_events.iter().map(told).collect()
        });
        let delivered =
            session.map_or_else(String::new, |session| crate::words::delivered(&session, app.clock.now()));
        let effects = if effects.is_empty() { "none noted".to_owned() } else { effects.join("; ") };
        let number = format!("{} of {}", row.infusion, row.of);
        let cells = [clock_time(app, started), number, title(&row.regimen), delivered, effects];
        table.row(cells.map(Cell::from));
    }
    Ok(table)
}

/// The scales that count, each with the change since before the series.
fn fares(app: &AppState, known: &Known) -> Vec<Part> {
    let scales = app.knowledge.scales.iter().filter(|item| !known.all.totals(&item.header.id).is_empty());
    let parts: Vec<Part> = scales
        .map(|item| Part::Facts(vec![(item.header.title.clone(), outcomes(app, known, item).join(". "))]))
        .collect();
    if parts.is_empty() { vec![Part::Words("No rating scale was answered.".to_owned())] } else { parts }
}

fn goals(app: &AppState, plan: &CarePlan) -> Table {
    let mut table = Table::new(
        "In the patient's words, rated by the patient",
        &[("Goal", 50), ("Rated", 50)],
        "No goal was named.",
    );
    for goal in plan.open_goals() {
        table.row([goal.words.clone().into(), rated(goal, |at| clock_time(app, at)).into()]);
    }
    table
}

fn medicines(plan: &CarePlan) -> Table {
    let heads = [("Medicine", 30), ("Dose", 30), ("What is known", 40)];
    let mut table =
        Table::new("As the patient told us last", &heads, "Medicines were not recorded in the care plan.");
    for one in plan.takes() {
        let medicine = &one.medicine;
        table.row([
            medicine.name.clone().into(),
            medicine.dose.clone().into(),
            medicine_says(medicine).into(),
        ]);
    }
    table
}

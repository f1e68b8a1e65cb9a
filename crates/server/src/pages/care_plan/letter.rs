//! The letter to somebody outside who cares for the patient, where the patient agreed: what is treated and by which plan,
//! what was given, how the patient fares, what is watched for years, which medicines are known. Never a note of a
//! therapist.

use super::{NEVER_STOP, medicine_says, rated};
use crate::pages::course::{ended, exposure_lines, plan};
use crate::pages::scores::{Known, outcomes};
use crate::pages::visit::head::{allergies, day};
use crate::record::Sheet;
use crate::record::sheet::{Cell, Part, Section, Table};
use crate::{AppState, Fault};
use clinic::care::plan::{CarePlan, Carer, MedicineChange};
use clinic::care::told::Told;
use clinic::course::exposure::{Next, stand};
use clinic::course::{self, Event, Recorded};
use clinic::id::{PatientId, SessionId};
use clinic::screen::{Consultation, Diagnosis};
use clinic::session::{AdverseEvent, Session};
use jiff::Timestamp;
use jiff::civil::Date;

/// The letter, from the log alone. `None` for a patient whom nobody registered.
pub fn letter(app: &AppState, id: &PatientId, care: &CarePlan, to: &Carer) -> Result<Option<Sheet>, Fault> {
    let Some(known) = Known::read(app, id)? else { return Ok(None) };
    let head = app.store.head(&app.config.site)?;
    let today = day_of(app, app.clock.now());
    let patient = &known.patient;
    let who = format!("{} · born {} · MRN {}", patient.banner_name(), patient.born, patient.mrn);
    let about = Part::Facts(vec![
        fact("To", format!("{}, {}, {}", to.name, to.role, to.contact)),
        fact("Patient", who.clone()),
        fact("Allergies", allergies(&patient.allergies)),
        fact("Day", day(today)),
    ]);
    let agreed = "The patient agreed that this summary is sent. It holds no note of a therapist.";
    let said = app.floor.consulting(id)?.said;
    Ok(Some(Sheet {
        title: "Summary of treatment with ketamine infusions".to_owned(),
        running_head: if app.config.demo { format!("DEMO: made-up person · {who}") } else { who },
        running_foot: format!("{}, position {}", app.config.site, head.position),
        identity: hex::encode(head.chain),
        day: (today.year(), today.month(), today.day()),
        notices: Vec::new(),
        sections: vec![
            Section::new("About", vec![about, Part::Words(agreed.to_owned())]),
            Section::new("What is treated", vec![Part::Table(diagnoses(&said))]),
            Section::new("Plan", plan_signed(app, &app.floor.last_course(id)?)),
            Section::new("Infusions", given(app, id, &known, today)?),
            Section::new("How the patient fares", fares(app, &known)),
            Section::new("What the patient wants to be able to do", vec![Part::Table(goals(app, care))]),
            Section::new("Checks over the years", vec![Part::Table(checks(app, id, today)?)]),
            Section::new("Medicines", medicines(app, care, &app.floor.medicines_told(id)?)),
        ],
    }))
}

fn fact(label: &str, value: String) -> (String, String) {
    (label.to_owned(), value)
}

fn day_of(app: &AppState, at: Timestamp) -> Date {
    at.to_zoned(app.config.time_zone()).date()
}

fn title(app: &AppState, id: &str) -> String {
    app.knowledge.header(id).map_or_else(|| id.to_owned(), |header| header.title.clone())
}

fn diagnoses(said: &Consultation) -> Table {
    let heads = [("Diagnosis", 36), ("ICD-10-CM", 16), ("Made by", 30), ("Since", 18)];
    let mut table = Table::new("As asked at the consultation", &heads, "No diagnosis was recorded.");
    for one in said.diagnoses.iter().flatten() {
        let Diagnosis { code, text, made_by, on, current } = one;
        let since = on.map_or_else(|| "not recorded".to_owned(), day);
        let past = if *current == Some(false) { ", in the past" } else { "" };
        table.row([
            text.clone().unwrap_or_else(|| code.clone()).into(),
            code.clone().into(),
            made_by.clone().unwrap_or_else(|| "not recorded".to_owned()).into(),
            format!("{since}{past}").into(),
        ]);
    }
    table
}

/// The last version of the plan, who signed it, and where the course stands.
fn plan_signed(app: &AppState, history: &[Recorded]) -> Vec<Part> {
    let course = course::replay(history);
    let signed = history.iter().rev().find_map(|recorded| match &recorded.event {
        Event::CourseOpened { signature, .. } | Event::PlanChanged { signature, .. } => Some(signature),
        _ => None,
    });
    let Some((plan, signature)) = course.plan().zip(signed) else {
        return vec![Part::Words("No plan was signed yet.".to_owned())];
    };
    let by = format!("{}, {}", app.floor.called(&signature.by), day(day_of(app, signature.at)));
    let stage = ended::end(history).map_or_else(
        || course.stage.title().to_owned(),
        |(signature, reason)| format!("ended {}: {reason}", day(day_of(app, signature.at))),
    );
    let head = [fact("Course", stage), fact("Version", format!("{}, signed by {by}", course.plan_version()))];
    let shown =
        plan::shown(app, plan).into_iter().map(|(field, value)| (crate::words::capital(field), value));
    vec![Part::Facts(head.into_iter().chain(shown).collect())]
}

fn given(app: &AppState, id: &PatientId, known: &Known, today: Date) -> Result<Vec<Part>, Fault> {
    let heads =
        [("Start", 20), ("Infusion", 12), ("Regimen", 24), ("What went in", 24), ("Side effects", 20)];
    let mut table = Table::new("Each infusion, oldest first", &heads, "No infusion yet.");
    for row in &known.visits {
        let Some(started) = row.started_at.and_then(|ms| Timestamp::from_millisecond(ms).ok()) else {
            continue;
        };
        let session = app.floor.session(&SessionId::new(&row.session)).map_err(Fault::Floor)?;
        let effects = session.as_ref().map_or_else(Vec::new, |session| {
            let told = |(noted, _): &(AdverseEvent, _)| {
                format!("{}, grade {}", title(app, noted.playbook.as_str()), noted.grade)
            };
            session.adverse_events.iter().map(told).collect()
        });
        let effects = if effects.is_empty() { "none noted".to_owned() } else { effects.join("; ") };
        let number = format!("{} of {}", row.infusion, row.of);
        let went_in = session.map_or_else(String::new, |session| went_in(&session, app.clock.now()));
        let cells = [day(day_of(app, started)), number, title(app, &row.regimen), went_in, effects];
        table.row(cells.map(Cell::from));
    }
    let had = exposure_lines(&app.floor.exposures_over(id)?, today);
    let had = had.into_iter().map(|(label, value)| fact(label, value)).collect();
    Ok(vec![Part::Table(table), Part::Facts(had)])
}

/// What flows on is not delivered yet.
fn went_in(session: &Session, now: Timestamp) -> String {
    let amount = crate::words::delivered(session, now);
    let over = session.delivery.ended().is_some();
    if over { format!("delivered {amount}") } else { format!("under way, {amount} so far") }
}

/// The scales that count, each with the change since before the series.
fn fares(app: &AppState, known: &Known) -> Vec<Part> {
    let scales = app.knowledge.scales.iter().filter(|item| !known.all.totals(&item.header.id).is_empty());
    let parts: Vec<Part> = scales
        .map(|item| Part::Facts(vec![(item.header.title.clone(), outcomes(app, known, item).join(". "))]))
        .collect();
    if parts.is_empty() { vec![Part::Words("No rating scale was answered.".to_owned())] } else { parts }
}

fn goals(app: &AppState, care: &CarePlan) -> Table {
    let mut table = Table::new(
        "In the patient's words, rated by the patient",
        &[("Goal", 50), ("Rated", 50)],
        "No goal was named.",
    );
    for goal in care.open_goals() {
        table.row([goal.words.clone().into(), rated(goal, |at| day(day_of(app, at))).into()]);
    }
    table
}

/// What long treatment asks to be watched: what came out last, and when it is due again.
fn checks(app: &AppState, id: &PatientId, today: Date) -> Result<Table, Fault> {
    let heads = [("Check", 24), ("Made last", 14), ("Result", 36), ("Due next", 26)];
    let mut table = Table::new("Long-term safety", &heads, "No check is known.");
    let (given, known) = (app.floor.exposures(id)?, app.floor.checks_known(id)?);
    for check in stand(&given, today, &known, app.floor.knowledge()) {
        let made = check.known.last_done.map_or_else(|| "never".to_owned(), day);
        let judged = check.known.judged.title();
        let result = match check.known.last_done {
            Some(_) => format!("{judged}: {}", check.known.result),
            None => "none".to_owned(),
        };
        table.row([check.what.into(), made.into(), result.into(), due_next(check.next).into()]);
    }
    Ok(table)
}

fn due_next(next: Next) -> String {
    match next {
        Next::Now(why) => format!("now: {why}"),
        Next::By { on, infusions } => {
            let on = on.map(|on| format!("on {}", day(on)));
            let left = infusions.map(|left| format!("after {left} more infusions"));
            let said: Vec<String> = [on, left].into_iter().flatten().collect();
            if said.is_empty() { "when the patient complains".to_owned() } else { said.join(", or ") }
        }
    }
}

fn medicines(app: &AppState, care: &CarePlan, told: &[Told]) -> Vec<Part> {
    let heads = [("Medicine", 30), ("Dose", 30), ("What is known", 40)];
    let mut takes = Table::new("As the patient told us last", &heads, "No medicine was recorded.");
    for one in told {
        let on = || format!("told at the consultation, {}", day(day_of(app, one.at)));
        takes.row([
            one.name.clone().into(),
            one.dose().into(),
            one.planned().map_or_else(on, medicine_says).into(),
        ]);
    }
    let heads = [("Told", 20), ("Medicine", 30), ("Change", 50)];
    let mut changes = Table::new("Changes, the newest first", &heads, "None was told.");
    let changed = care.medicines.iter().rev().filter(|one| one.medicine.change != MedicineChange::Takes);
    for one in changed {
        let told = day(day_of(app, one.at));
        changes.row([told.into(), one.medicine.name.clone().into(), medicine_says(&one.medicine).into()]);
    }
    vec![Part::Table(takes), Part::Table(changes), Part::Words(NEVER_STOP.to_owned())]
}

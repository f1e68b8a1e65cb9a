//! What stands beside the infusions of one patient: goals, medicines, therapy notes, and who else cares for them.

mod letter;

use super::error::{self, as_told};
use super::record::{place_to_print, printed, sheet_page};
use super::tasks::clock_time;
use super::visit::form::{Choice, Field, Form, Kind, Sent};
use super::visit::head::day;
use super::visit::typed::Typed;
use super::{Error, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::record::Sheet;
use crate::words::capital;
use crate::{AppState, Fault};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use clinic::care::plan::{
    About, Amends, CarePlan, Carer, Command, DecidedBy, Goal, Medicine, MedicineChange, Note, NoteKind,
    RATING_BEST, Readers, Shared, may_have_summary,
};
use clinic::care::told::Told;
use clinic::id::{CarerId, CommandId, GoalId, NoteId, PatientId, StaffId};
use clinic::staff::Actor;

/// What every page that names medicines says.
pub(super) const NEVER_STOP: &str =
    "Never stop or change a medicine without the physician who prescribed it.";

#[derive(Template)]
#[template(path = "pages/care_plan.html")]
struct CarePlanPage {
    page: Page,
    patient: String,
    never_stop: &'static str,
    goals: Vec<GoalCard>,
    ended: Vec<String>,
    name_goal: Form,
    told: Vec<ToldRow>,
    tell: Form,
    asked: String,
    takes: Vec<MedicineRow>,
    alone: Vec<String>,
    medicine: Form,
    medicines_asked: Form,
    notes: Vec<NoteCard>,
    note: Option<Form>,
    carers: Vec<CarerCard>,
    carer: Form,
    sheet: bool,
}

struct GoalCard {
    words: String,
    ratings: String,
    rate: Form,
    end: Form,
}

/// What the patient said about one thing, with what was said before.
struct ToldRow {
    about: &'static str,
    words: String,
    said: String,
    before: Vec<String>,
}

struct MedicineRow {
    name: String,
    dose: String,
    says: String,
    alone: bool,
}

struct NoteCard {
    heading: String,
    /// Empty for who does not read it.
    text: String,
    lines: Vec<String>,
    amended: bool,
    open: Option<Form>,
    amend: Option<Form>,
}

struct CarerCard {
    name: String,
    says: String,
    agreed: String,
    summary: String,
    share: Form,
}

fn path(patient: &PatientId, rest: &str) -> String {
    format!("/patients/{patient}/care{rest}")
}

/// `GET /patients/{id}/care`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    draw(&app, &visit, PatientId::new(id), Sent::nothing()).await
}

async fn draw(app: &AppState, visit: &Visit, id: PatientId, sent: Sent) -> Result<Response, Error> {
    let patient = app.floor.patient(&id)?.ok_or(Error::NotFound)?;
    let whose = id.clone();
    let plan = app.blocking(move |app| app.floor.care_plan(&whose)).await??;
    let actor = visit.person()?.acting(Privilege::OpenCarePlan).ok_or(Error::SignIn)?;
    let writes = visit.person()?.may(Privilege::WriteTherapyNote);
    let (takes, consulted) = (app.floor.medicines_told(&id)?, app.floor.medicines_consulted(&id)?);
    let asked = plan.asked.max(consulted.map(|(at, ..)| at));
    let mut page = CarePlanPage {
        page: Page::new(app, visit, format!("Beside the infusions: {}", patient.banner_name())),
        patient: format!("/patients/{id}"),
        never_stop: NEVER_STOP,
        goals: plan.open_goals().map(|goal| goal_card(app, &id, goal, &sent)).collect(),
        ended: plan.goals.iter().filter_map(|goal| ended_line(app, goal)).collect(),
        name_goal: goal_form(&id).filled(&sent),
        told: told_rows(app, &plan),
        tell: tell_form(&id).filled(&sent),
        asked: asked.map_or_else(
            || "Medicines were never asked here.".to_owned(),
            |at| format!("Last asked {}.", clock_time(app, at)),
        ),
        takes: takes.iter().map(|one| medicine_row(app, one)).collect(),
        alone: takes
            .iter()
            .filter(|one| one.asks_for_a_physician())
            .filter_map(|one| one.planned())
            .map(alone_line)
            .collect(),
        medicine: medicine_form(&id).filled(&sent),
        medicines_asked: Form::new(
            "medicines-asked",
            path(&id, "/medicines-asked"),
            "",
            "Asked, nothing changed",
        )
        .quiet()
        .filled(&sent),
        notes: plan.notes.iter().rev().map(|note| note_card(app, &id, note, &actor, &sent)).collect(),
        note: writes.then(|| note_form(&id, None).filled(&sent)),
        carers: plan.carers.iter().map(|(of, shared)| carer_card(app, &id, of, shared, &sent)).collect(),
        carer: carer_form(&id).filled(&sent),
        sheet: false,
    };
    let forms = [&page.name_goal, &page.tell, &page.medicine, &page.medicines_asked, &page.carer].into_iter();
    let forms = forms.chain(&page.note).chain(page.goals.iter().flat_map(|goal| [&goal.rate, &goal.end]));
    let forms = forms.chain(page.notes.iter().flat_map(|note| note.open.iter().chain(&note.amend)));
    let errors = sent.summary(forms.chain(page.carers.iter().map(|carer| &carer.share)));
    page.page = page.page.with_errors(errors);
    html(sent.status, &page)
}

/// One of the choices of a list, as radio buttons.
fn one_of<T: Copy>(all: &[T], word: fn(T) -> &'static str, title: fn(T) -> &'static str) -> Vec<Choice> {
    all.iter().map(|one| Choice::of(word(*one), capital(title(*one)))).collect()
}

fn goal_form(id: &PatientId) -> Form {
    Form::new("goal", path(id, "/goal"), "Another goal", "Add the goal")
        .with(
            Field::new(Kind::Line, "words", "What the patient wants to be able to do")
                .hint("In the patient's own words, such as: walk the dog every day."),
        )
        .quiet()
}

/// `2 → 7 of 10`, with when.
fn rated(goal: &Goal, when: impl Fn(jiff::Timestamp) -> String) -> String {
    match goal.ratings.as_slice() {
        [] => "Not rated yet".to_owned(),
        [(at, only)] => format!("{only} of {RATING_BEST} on {}", when(*at)),
        [(from, first), .., (to, last)] => {
            format!("{first} on {}, {last} of {RATING_BEST} on {}", when(*from), when(*to))
        }
    }
}

fn goal_card(app: &AppState, id: &PatientId, goal: &Goal, sent: &Sent) -> GoalCard {
    let mut rate = Form::new(format!("rate-{}", goal.id), path(id, "/rate"), "", "")
        .hint(format!("How near is the patient to it today? 0: not at all. {RATING_BEST}: as wanted."))
        .hidden("about", goal.id.as_str());
    rate.taps = (0..=RATING_BEST).map(|n| ("rating".to_owned(), n.to_string(), n.to_string())).collect();
    let end = Form::new(format!("end-{}", goal.id), path(id, "/end"), "", "End this goal")
        .hidden("about", goal.id.as_str())
        .with(Field::new(Kind::Line, "why", "Why it ends").hint("Such as: reached, or: not wanted any more."))
        .quiet();
    GoalCard {
        words: goal.words.clone(),
        ratings: rated(goal, |at| clock_time(app, at)),
        rate: rate.filled(sent),
        end: end.filled(sent),
    }
}

fn ended_line(app: &AppState, goal: &Goal) -> Option<String> {
    let (at, why) = goal.ended.as_ref()?;
    let ratings = rated(goal, |at| clock_time(app, at));
    Some(format!("{}: {ratings}. Ended {}: {why}", goal.words, clock_time(app, *at)))
}

fn tell_form(id: &PatientId) -> Form {
    Form::new("tell", path(id, "/tell"), "The patient says", "Write it down")
        .with(Field::one("of", "About", one_of(About::ALL, About::word, About::title)))
        .with(
            Field::new(Kind::Line, "words", "In the patient's own words")
                .hint("Such as: no bright light, cello, a hand on the shoulder when it gets too much."),
        )
        .quiet()
}

fn told_rows(app: &AppState, plan: &CarePlan) -> Vec<ToldRow> {
    let row = |about: &About| {
        let said = plan.told.get(about).map(Vec::as_slice).unwrap_or_default();
        let who = |(at, by, _): &(jiff::Timestamp, StaffId, String)| {
            format!("to {}, {}", app.floor.called(by), clock_time(app, *at))
        };
        let (last, before) = match said.split_last() {
            Some((last, before)) => ((last.2.clone(), who(last)), before),
            None => (("Not asked yet".to_owned(), String::new()), said),
        };
        let before = before.iter().rev().map(|one| format!("{}, said {}", one.2, who(one)));
        ToldRow { about: about.title(), words: last.0, said: last.1, before: before.collect() }
    };
    About::ALL.iter().map(row).collect()
}

/// What helps this patient through an infusion, for whoever is there.
pub(super) fn calms(app: &AppState, patient: &PatientId) -> Result<Vec<String>, Fault> {
    let plans = app.floor.care_plans(patient)?;
    let says = |plan: &CarePlan| {
        let about = [About::Comfort, About::Frightens].into_iter();
        about
            .filter_map(|about| Some(format!("{}: {}", about.title(), plan.says(about)?)))
            .collect::<Vec<_>>()
    };
    Ok(plans.iter().flat_map(says).collect())
}

fn medicine_form(id: &PatientId) -> Form {
    let who = vec![Choice::of("physician", "A physician"), Choice::of("alone", "The patient alone")];
    Form::new("medicine", path(id, "/medicine"), "A medicine, or a change", "Record it")
        .with(Field::new(Kind::Line, "name", "Medicine"))
        .with(Field::new(Kind::Line, "dose", "Dose and times").hint("As on the label."))
        .with(Field::one(
            "change",
            "What happened",
            one_of(MedicineChange::ALL, MedicineChange::word, MedicineChange::title),
        ))
        .with(Field::one("decided_by", "Who decided it", who))
        .with(Field::new(Kind::Line, "physician", "Which physician"))
        .with(Field::new(Kind::Day, "since", "Since").hint("Empty where nobody knows the day."))
        .quiet()
}

/// What is said of a medicine: what happened, since when, who decided.
fn medicine_says(medicine: &Medicine) -> String {
    let since = medicine.since.map_or_else(String::new, |since| format!(" since {}", day(since)));
    let by = match &medicine.decided_by {
        DecidedBy::Physician(who) => format!("decided by {who}"),
        DecidedBy::PatientAlone => "decided by the patient alone".to_owned(),
    };
    format!("{}{since}, {by}", medicine.change.title())
}

fn medicine_row(app: &AppState, one: &Told) -> MedicineRow {
    let by = app.floor.called(&one.by);
    let says = one.planned().map_or_else(|| "told at the consultation".to_owned(), medicine_says);
    MedicineRow {
        name: one.name.clone(),
        dose: one.dose(),
        says: format!("{says}; recorded by {by}, {}", clock_time(app, one.at)),
        alone: one.asks_for_a_physician(),
    }
}

fn alone_line(Medicine { name, change, .. }: &Medicine) -> String {
    format!(
        "{name}: {} without a physician. Speak with the patient and the prescriber before the next infusion.",
        change.title()
    )
}

fn note_form(id: &PatientId, amends: Option<&Note>) -> Form {
    let key = amends.map_or_else(|| "note".to_owned(), |note| format!("note-{}", note.id));
    let (title, submit) = match amends {
        None => ("Write a note", "Sign the note"),
        Some(_) => ("Amend this note", "Sign the new words"),
    };
    let mut form = Form::new(key, path(id, "/note"), title, submit)
        .with(
            Field::one("kind", "About", one_of(NoteKind::ALL, NoteKind::word, NoteKind::title))
                .known(amends.map_or("", |note| note.about.word())),
        )
        .with(Field::new(Kind::Words, "text", "Note").known(amends.map_or("", |note| note.text.as_str())))
        .with(
            Field::one(
                "readers",
                "Who reads it, as the patient agreed",
                one_of(Readers::ALL, Readers::word, Readers::title),
            )
            .hint("Others see that there is a note, and open it only with a reason that you will see.")
            .known(amends.map_or("", |note| note.readers.word())),
        )
        .quiet();
    if let Some(note) = amends {
        form = form.hidden("about", note.id.as_str()).with(
            Field::new(Kind::Line, "amend_reason", "Why it is amended")
                .hint("The first words stay in the record."),
        );
    }
    form
}

fn note_card(app: &AppState, id: &PatientId, note: &Note, actor: &Actor, sent: &Sent) -> NoteCard {
    let reads = note.is_read_by(actor);
    let by = app.floor.called(&note.by);
    let mut lines = vec![format!("Read by {}.", note.readers.title())];
    if let Some(amends) = note.amends.as_ref().filter(|_| reads) {
        lines.push(format!("Stands instead of an earlier note: {}", amends.reason));
    }
    lines.extend(note.opened.iter().map(|(at, by, why)| {
        format!("Opened by {} at {}: {why}", app.floor.called(by), clock_time(app, *at))
    }));
    let open = (!reads).then(|| {
        Form::new(format!("open-{}", note.id), path(id, "/open"), "", "Open the note")
            .hidden("about", note.id.as_str())
            .with(
                Field::new(Kind::Line, "reason", "Why you have to read it")
                    .hint("The author sees who opened it and why."),
            )
            .quiet()
            .filled(sent)
    });
    let amends = reads && !note.amended && note.by == actor.id;
    NoteCard {
        heading: format!("{}, {}, {by}", note.about.title(), clock_time(app, note.at)),
        text: if reads { note.text.clone() } else { String::new() },
        lines,
        amended: note.amended,
        open,
        amend: amends.then(|| note_form(id, Some(note)).filled(sent)),
    }
}

fn carer_form(id: &PatientId) -> Form {
    Form::new("carer", path(id, "/carer"), "Somebody else who cares for the patient", "Add to the care team")
        .with(Field::new(Kind::Line, "name", "Name"))
        .with(
            Field::new(Kind::Line, "role", "What they are to the patient")
                .hint("Such as: family doctor, psychiatrist, sister."),
        )
        .with(Field::new(Kind::Line, "contact", "How to reach them").hint("Phone, address or e-mail."))
        .quiet()
}

fn carer_card(app: &AppState, id: &PatientId, of: &CarerId, shared: &Shared, sent: &Sent) -> CarerCard {
    let Shared { carer, agreed } = shared;
    let mut share = Form::new(format!("share-{of}"), path(id, "/share"), "", "")
        .hint("May a summary of the treatment go to them? It tells diagnoses, plan, infusions, scores, goals, checks and medicines. Therapy notes never leave.")
        .hidden("about", of.as_str());
    share.taps = [("yes", "The patient says yes"), ("no", "The patient says no")]
        .map(|(value, label)| ("agreed".to_owned(), value.to_owned(), label.to_owned()))
        .into();
    CarerCard {
        name: carer.name.clone(),
        says: format!("{}, {}", carer.role, carer.contact),
        agreed: agreed.map_or_else(
            || "The patient was not asked about summaries.".to_owned(),
            |(at, yes)| {
                let said = if yes { "agreed to summaries" } else { "said no to summaries" };
                format!("The patient {said}, {}.", clock_time(app, at))
            },
        ),
        summary: match agreed {
            Some((_, true)) => path(id, &format!("/summary/{of}")),
            _ => String::new(),
        },
        share: share.filled(sent),
    }
}

fn typed_command(act: &str, new: &str, typed: &mut Typed) -> Option<Command> {
    let about = typed.text("about");
    Some(match act {
        "goal" => Command::NameGoal { goal: GoalId::new(new), words: typed.text("words") },
        "rate" => {
            let rating = typed.chosen("rating", "Choose a number.")?;
            match rating.parse() {
                Ok(rating) => Command::RateGoal { goal: GoalId::new(about), rating },
                Err(_) => {
                    return typed.wrong(
                        "rating",
                        format!("“{rating}” is no rating; accepted is 0 to {RATING_BEST}."),
                    );
                }
            }
        }
        "end" => Command::EndGoal { goal: GoalId::new(about), why: typed.text("why") },
        "open" => Command::OpenNote { note: NoteId::new(about), reason: typed.text("reason") },
        "medicine" => Command::RecordMedicine(typed_medicine(typed)?),
        "medicines-asked" => Command::AskMedicines,
        "carer" => {
            let carer_is =
                Carer { name: typed.text("name"), role: typed.text("role"), contact: typed.text("contact") };
            Command::NameCarer { carer: CarerId::new(new), carer_is }
        }
        "tell" => {
            let of = typed.chosen("of", "Choose what it is about.")?;
            let Some(about) = About::from_word(&of) else {
                return typed.wrong("of", format!("“{of}” is not one of those to choose from."));
            };
            Command::Tell { about, words: typed.text("words") }
        }
        "share" => {
            let agreed = typed.yes_no("agreed", "Choose what the patient said.");
            let Some(agreed) = agreed else { return typed.wrong("agreed", "Choose what the patient said.") };
            Command::AgreeToShare { carer: CarerId::new(about), agreed }
        }
        _ => return None,
    })
}

fn typed_medicine(typed: &mut Typed) -> Option<Medicine> {
    let change = typed.chosen("change", "Choose what happened.");
    let change = change.and_then(|word| MedicineChange::from_word(&word));
    let decided = typed.chosen("decided_by", "Choose who decided it.");
    let decided_by = match decided.as_deref() {
        Some("physician") => Some(DecidedBy::Physician(typed.text("physician"))),
        Some("alone") => Some(DecidedBy::PatientAlone),
        _ => None,
    };
    let since = match typed.maybe("since") {
        None => None,
        Some(_) => Some(typed.day("since", "The day of the change")?),
    };
    Some(Medicine {
        name: typed.text("name"),
        dose: typed.text("dose"),
        change: change?,
        decided_by: decided_by?,
        since,
    })
}

/// `POST /patients/{id}/care/{act}`
pub async fn act(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, act)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Error> {
    if act == "note" {
        return Err(Error::NotFound);
    }
    let new = posted.command_id().to_owned();
    let actor = visit.person()?.acting(Privilege::KeepCarePlan);
    carry_out(&app, &visit, (PatientId::new(id), &act), actor, posted, |typed| {
        typed_command(&act, &new, typed)
    })
    .await
}

/// `POST /patients/{id}/care/note`
pub async fn note(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let note = NoteId::new(posted.command_id());
    let actor = visit.person()?.acting(Privilege::WriteTherapyNote);
    carry_out(&app, &visit, (PatientId::new(id), "note"), actor, posted, |typed| {
        let about = typed.chosen("kind", "Choose what the note is about.");
        let readers = typed.chosen("readers", "Choose who reads it, as the patient agreed.");
        let amends = typed
            .maybe("about")
            .map(|of| Amends { note: NoteId::new(of), reason: typed.text("amend_reason") });
        let (about, readers) = (NoteKind::from_word(&about?), Readers::from_word(&readers?));
        Some(Command::WriteNote { note, about: about?, text: typed.text("text"), readers: readers?, amends })
    })
    .await
}

async fn carry_out(
    app: &AppState,
    visit: &Visit,
    (patient, act): (PatientId, &str),
    actor: Option<Actor>,
    posted: Posted,
    command: impl FnOnce(&mut Typed) -> Option<Command>,
) -> Result<Response, Error> {
    let actor = actor.ok_or(Error::SignIn)?;
    if app.floor.patient(&patient)?.is_none() {
        return Err(Error::NotFound);
    }
    let mut typed = Typed::new(posted.clone(), app.config.time_zone());
    let command = command(&mut typed).filter(|_| typed.errors.is_empty());
    if command.is_none() && typed.errors.is_empty() {
        return Err(Error::NotFound);
    }
    let about = typed.text("about");
    let key = if about.is_empty() { act.to_owned() } else { format!("{act}-{about}") };
    let said = match command {
        None => Err((typed.errors, StatusCode::UNPROCESSABLE_ENTITY)),
        Some(command) => {
            let (id, whose) = (CommandId::new(posted.command_id()), patient.clone());
            let zone = app.config.time_zone();
            let done =
                app.blocking(move |app| app.floor.plan_care(&whose, &id, &actor, &zone, command)).await?;
            done.map_err(as_told)
        }
    };
    match said {
        Ok(_) => Ok(Redirect::to(&path(&patient, "")).into_response()),
        Err((errors, status)) => draw(app, visit, patient, Sent { form: key, posted, errors, status }).await,
    }
}

/// `GET /patients/{id}/care/summary/{carer}`: the letter.
pub async fn summary(
    State(app): State<AppState>,
    visit: Visit,
    Path(asked): Path<(String, String)>,
) -> Result<Response, Error> {
    let pdf = path(&PatientId::new(&asked.0), &format!("/summary/{}/summary.pdf", asked.1));
    match written(&app, &visit, asked).await? {
        Ok((patient, sheet)) => sheet_page(&app, &visit, (path(&patient, ""), "Care plan"), pdf, sheet),
        Err(refused) => Ok(refused),
    }
}

/// `GET /patients/{id}/care/summary/{carer}/summary.pdf`
pub async fn summary_paper(
    State(app): State<AppState>,
    visit: Visit,
    Path(asked): Path<(String, String)>,
) -> Result<Response, Error> {
    let place = place_to_print(&app).await?;
    match written(&app, &visit, asked).await? {
        Ok((_, sheet)) => printed(&app, place, sheet, "summary.pdf").await,
        Err(refused) => Ok(refused),
    }
}

/// The letter, or the page that says why there is none.
async fn written(
    app: &AppState,
    visit: &Visit,
    (id, carer): (String, String),
) -> Result<Result<(PatientId, Sheet), Response>, Error> {
    let (patient, carer) = (PatientId::new(id), CarerId::new(carer));
    let plan = app.floor.care_plan(&patient)?;
    let to = match may_have_summary(&plan, &carer) {
        Ok(to) => to.clone(),
        Err(why) => {
            return Ok(Err(error::page(app, visit, StatusCode::FORBIDDEN, "No summary", &why.to_string())));
        }
    };
    let whose = patient.clone();
    let letter = app.blocking(move |app| letter::letter(app, &whose, &plan, &to)).await??;
    Ok(Ok((patient, letter.ok_or(Error::NotFound)?)))
}

//! The gates of the day as cards: questions made from the knowledge, what each rule says, and who let it pass.

mod amended;
mod answered;
mod line;
mod medicines;
mod said;

pub use self::amended::amend;
use self::answered::{earlier, told};
use self::said::inputs;
use super::act::carry_out;
use super::form::{Choice, Field, Form, Kind, Sent, signature};
use super::head::Opened;
use super::typed::Typed;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::pages::Error;
use crate::pages::discharge::renamed;
use crate::words::{LET_PASS, verdict};
use crate::{AppState, Fault};
use axum::extract::{Path, State};
use axum::response::Response;
use clinic::gate::{LastInfusion, Override, Pressure, Verdict};
use clinic::id::RuleId;
use clinic::knowledge::gates::{Answer, Check, Gate, Questions};
use clinic::knowledge::measure::in_words;
use clinic::knowledge::{Item, Knowledge};
use clinic::session::gates::{CONSENT_FACTS, GateStanding, KNOWN_FACTS};
use clinic::session::{Answered, GateAnswer};
use std::collections::HashSet;

/// Cuff readings that the form takes.
const CUFFS: usize = 4;

/// One gate on the page.
pub struct Card {
    /// `c05`
    pub gate: String,
    /// `C05`
    pub number: String,
    /// For a person.
    pub title: String,
    /// `green`, `amber`, `red` or `open`.
    pub state: &'static str,
    /// The same as a sign.
    pub sign: &'static str,
    /// The same in words.
    pub says: String,
    /// What the rules say.
    pub reasons: Vec<String>,
    /// Who and when.
    pub answered: String,
    /// What was answered before, the newest first: who, when, and what the rules said.
    pub earlier: Vec<String>,
    /// Version and sources of the rule.
    pub rule: String,
    /// Nobody of this clinic has signed it.
    pub unsigned: String,
    /// The rule's own words.
    pub note: String,
    /// It is done on another page: label and address.
    pub elsewhere: (String, String),
    /// Questions.
    pub form: Option<Form>,
    /// A prescriber may let it pass.
    pub decide: Option<Form>,
    /// One for each answer that makes the patient wait: it may have been entered by mistake.
    pub amend: Vec<Form>,
    /// Unfolded.
    pub open: bool,
}

impl Card {
    /// Its forms.
    pub fn forms(&self) -> impl Iterator<Item = &Form> {
        self.form.iter().chain(&self.decide).chain(&self.amend)
    }
}

/// All gates in their order.
pub(super) fn cards(
    app: &AppState,
    opened: &Opened,
    standing: &[GateStanding],
    sent: &Sent,
) -> Result<Vec<Card>, Fault> {
    let editable = opened.session.phase.preparing();
    let mut first = editable && sent.form.is_empty();
    let mut cards = Vec::new();
    for gate in standing {
        let Some(item) = app.floor.knowledge().gates.get(gate.gate.as_str()) else { continue };
        let mut card = card(app, opened, gate, item, editable, sent)?;
        let was_sent = card.forms().any(|form| form.key == sent.form);
        card.open = was_sent || (first && !gate.open.is_empty() && card.form.is_some());
        first &= !card.open;
        cards.push(card);
    }
    Ok(cards)
}

fn card(
    app: &AppState,
    opened: &Opened,
    gate: &GateStanding,
    item: &Item<Gate>,
    editable: bool,
    sent: &Sent,
) -> Result<Card, Fault> {
    let id = gate.gate.as_str();
    let header = &item.header;
    let answered = opened.session.gates.get(&gate.gate);
    let answer = answered.map(|one| &one.answer);
    let overridden = opened.session.overridden.get(&gate.gate);
    let (state, sign, says) = judged(gate, answer, overridden.is_some());
    let mut reasons = gate.open.clone();
    reasons.extend(told(&gate.findings, app.config.time_zone()));
    reasons.sort();
    reasons.dedup();
    if let Some((reason, signature)) = overridden {
        reasons.push(format!("Let pass by {}: {reason}", app.floor.called(&signature.by)));
    }
    let zone = app.config.time_zone();
    let answered = answered.map_or_else(String::new, |Answered { answer, by, at, .. }| {
        let clock = at.to_zoned(zone.clone()).strftime("%H:%M").to_string();
        let note = if answer.note.is_empty() { String::new() } else { format!(" · {}", answer.note) };
        format!("Answered by {} at {clock}{note}", app.floor.called(by))
    });
    let sources: Vec<&str> = header.sources.iter().map(clinic::id::SourceId::as_str).collect();
    let elsewhere = match id {
        "c10" => ("Weigh".to_owned(), "#weigh".to_owned()),
        "c15" => ("Second check".to_owned(), opened.path("second-check")),
        "c16" => ("Pump read-back".to_owned(), opened.path("preparation")),
        "c17" => ("Chart distress and MOAA/S".to_owned(), opened.path("observe")),
        _ => Default::default(),
    };
    let asks = editable && (elsewhere.0.is_empty() || id == "c17");
    let form = match &item.body {
        Gate::Questions(questions) if asks => {
            Some(gate_form(app, opened, item, questions, answer)?.filled(sent))
        }
        _ => None,
    };
    let may_decide = !gate.open.is_empty() && answer.is_some_and(overridable);
    // An order that is not there cannot be decided away.
    let may_decide = may_decide && !(id == "c02" && opened.session.order.is_none());
    let decide = (asks && may_decide).then(|| decide_form(opened, gate).filled(sent));
    Ok(Card {
        gate: id.to_owned(),
        number: id.to_uppercase(),
        title: gate.title.clone(),
        state,
        sign,
        says,
        reasons,
        answered,
        rule: format!("Rule {id}, version {}, sources {}", header.version, sources.join(", ")),
        unsigned: header.unsigned(),
        note: header.note.clone(),
        earlier: earlier(opened, &gate.gate, zone.clone()),
        amend: amended::forms(app, opened, &gate.gate, &zone)
            .into_iter()
            .map(|form| form.filled(sent))
            .collect(),
        elsewhere,
        form,
        decide,
        open: false,
    })
}

fn judged(
    gate: &GateStanding,
    answer: Option<&GateAnswer>,
    overridden: bool,
) -> (&'static str, &'static str, String) {
    if gate.open.is_empty() {
        let worst = gate.findings.iter().map(|finding| finding.verdict).max().unwrap_or_default();
        return match (overridden, worst >= Verdict::Warn) {
            (true, _) => ("amber", "▲", LET_PASS.to_owned()),
            (false, true) => ("amber", "▲", verdict(Verdict::Warn).to_owned()),
            (false, false) => ("green", "✓", verdict(worst).to_owned()),
        };
    }
    match answer {
        None => ("open", "○", "Open".to_owned()),
        Some(answer) if overridable(answer) => {
            let waits = verdict(Verdict::Hold);
            ("amber", "▲", format!("{waits}: complete it, or a prescriber decides"))
        }
        Some(answer) => ("red", "✕", verdict(answer.verdict).to_owned()),
    }
}

/// A prescriber may decide against everything that holds it.
fn overridable(answer: &GateAnswer) -> bool {
    let mut holding = answer.findings.iter().filter(|finding| finding.verdict >= Verdict::Hold).peekable();
    holding.peek().is_some() && holding.all(|finding| finding.overridable_by == Override::Prescriber)
}

fn decide_form(opened: &Opened, gate: &GateStanding) -> Form {
    let id = gate.gate.as_str();
    let number = id.to_uppercase();
    opened
        .form(
            &format!("decide-{id}"),
            &format!("gate/{id}/override"),
            &format!("A prescriber lets {number} pass"),
            &format!("Sign: {number} may pass"),
        )
        .with(Field::new(Kind::Line, "reason", "Why it is safe to go on"))
        .with_all(signature("Prescriber"))
}

fn gate_form(
    app: &AppState,
    opened: &Opened,
    item: &Item<Gate>,
    gate: &Questions,
    before: Option<&GateAnswer>,
) -> Result<Form, Fault> {
    let id = item.header.id.as_str();
    let mut form = opened.form(id, &format!("gate/{id}"), "", &format!("Save {}", id.to_uppercase()));
    let known = |fact: &str| {
        before.and_then(|answer| answer.inputs.answers.get(fact)).map(as_typed).unwrap_or_default()
    };
    let mut asked = HashSet::new();
    let known_already = |fact: &str| KNOWN_FACTS.contains(&fact) || CONSENT_FACTS.contains(&fact);
    for check in gate.checks.iter().filter(|check| !known_already(&check.fact)) {
        // One fact may be judged twice; it is asked once.
        if asked.insert(check.fact.as_str()) {
            form = form.with(question(check, gate).known(known(&check.fact)));
        }
    }
    match id {
        "c02" => form = last_infusion_fields(app, opened, form, before)?,
        "c03" => form = form.hint(crate::pages::consent::of_today(app, &opened.session)),
        "c04" => form = escort_fields(form, before),
        "c06" => {
            let told = medicines::of_patient(app, &opened.session)?;
            form = medicines::fields(form, before, &told, &app.config.time_zone());
        }
        "c08" => form = form.hint(calling(app, opened)?),
        "c12" => form = line::fields(form, before),
        "c17" => form = form.hint(calms(app, opened)?),
        "c11" => form = vitals_fields(app.floor.knowledge(), form, before, known),
        _ => {}
    }
    if ["c04", "c12"].contains(&id) {
        return Ok(form);
    }
    let note = before.map(|answer| answer.note.clone()).unwrap_or_default();
    Ok(form.with(Field::new(Kind::Line, "note", "Note (may be left empty)").known(note)))
}

/// What the patient answered that calls a clinician: the gate counts it whatever is ticked.
fn calling(app: &AppState, opened: &Opened) -> Result<String, Fault> {
    let said = app.floor.calling_answers(&opened.id).map_err(Fault::Floor)?;
    if said.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("Answered since the infusion before, and counted as positive: {}.", said.join("; ")))
}

/// What the patient said would help: it is what the answer about the setting goes by.
fn calms(app: &AppState, opened: &Opened) -> Result<String, Fault> {
    let Some(patient) = &opened.session.patient else { return Ok(String::new()) };
    Ok(crate::pages::care_plan::calms(app, patient)?.join(". "))
}

fn as_typed(answer: &Answer) -> String {
    match answer {
        Answer::Yes(true) => "yes".to_owned(),
        Answer::Yes(false) => "no".to_owned(),
        Answer::Number(number) => number.normalize().to_string(),
    }
}

fn question(check: &Check, gate: &Questions) -> Field {
    let field = match &check.unit {
        Some(unit) => Field::number(&check.fact, &check.ask, in_words(unit)),
        None => Field::yes_no(&check.fact, &check.ask),
    };
    let opens =
        |when: &String| gate.checks.iter().find(|other| other.fact == *when).map(|other| other.ask.clone());
    match check.when.as_ref().and_then(opens) {
        Some(ask) => field.hint(format!("Only with yes to: {ask}")),
        None => field,
    }
}

fn last_infusion_fields(
    app: &AppState,
    opened: &Opened,
    form: Form,
    before: Option<&GateAnswer>,
) -> Result<Form, Fault> {
    if let Some(started) = opened.before(app)?.and_then(|session| session.delivery.started()) {
        let when = started.to_zoned(app.config.time_zone()).strftime("%d-%b-%Y %H:%M");
        return Ok(form.hint(format!("Last infusion by this record: {when}.")));
    }
    let answered = before.and_then(|answer| answer.inputs.last_infusion);
    let never = if matches!(answered, Some(LastInfusion::Never)) { "never" } else { "" };
    Ok(form
        .with(
            Field::one(
                "last_infusion",
                "Last ketamine infusion, here or elsewhere",
                vec![Choice::of("never", "Never had one"), Choice::of("at", "Had one, begun at")],
            )
            .known(never),
        )
        .with(
            Field::new(Kind::Moment, "last_infusion_at", "Begin of the last infusion")
                .hint("Only when there was one."),
        ))
}

fn escort_fields(form: Form, before: Option<&GateAnswer>) -> Form {
    let (name, phone) = before.map(|answer| escort_of(&answer.note)).unwrap_or_default();
    form.with(Field::new(Kind::Line, "escort", "Escort's name").known(name))
        .with(Field::new(Kind::Line, "escort_number", "Escort's phone").known(phone))
}

/// Name and phone out of the note of the escort's gate.
pub fn escort_of(note: &str) -> (String, String) {
    let (name, phone) = note.rsplit_once(", ").unwrap_or((note, ""));
    (name.to_owned(), phone.to_owned())
}

fn vitals_fields(
    knowledge: &Knowledge,
    mut form: Form,
    before: Option<&GateAnswer>,
    known: impl Fn(&str) -> String,
) -> Form {
    // What held is measured anew: numbers that stand there already could be sent as a second measurement.
    let before = before.filter(|answer| answer.verdict == Verdict::Pass);
    for n in 0..CUFFS {
        let reading = before.and_then(|answer| answer.inputs.pressures.get(n));
        let text =
            |pick: fn(&Pressure) -> rust_decimal::Decimal| reading.map(|r| pick(r).normalize().to_string());
        let which = n + 1;
        form = form
            .with(
                Field::number(format!("systolic_{n}"), format!("Cuff reading {which}, systolic"), "mmHg")
                    .known(text(|p| p.systolic).unwrap_or_default()),
            )
            .with(
                Field::number(format!("diastolic_{n}"), format!("Cuff reading {which}, diastolic"), "mmHg")
                    .known(text(|p| p.diastolic).unwrap_or_default()),
            );
    }
    let signs = knowledge.gates.iter().find_map(|item| match &item.body {
        Gate::VitalsBands(bands) => Some(&bands.signs),
        _ => None,
    });
    let mut opened = HashSet::new();
    for sign in signs.into_iter().flatten() {
        if let Some(when) = sign.when.as_deref().filter(|when| opened.insert((*when).to_owned())) {
            form = form.with(Field::yes_no(when, format!("Is the patient {when}?")).known(known(when)));
        }
        let field = Field::number(&sign.fact, &sign.ask, in_words(&sign.unit)).known(known(&sign.fact));
        let when =
            sign.when.as_ref().map_or_else(String::new, |when| format!("Only where the patient is {when}."));
        form = form.with(field.hint(when));
    }
    let chosen = before.and_then(|answer| answer.inputs.symptoms.clone());
    let mut symptoms = vec![Choice::of("none", "None of these")];
    symptoms
        .extend(emergency_symptoms(knowledge).map(|symptom| Choice::of(symptom, symptom.replace('_', " "))));
    for choice in &mut symptoms {
        choice.chosen = chosen.as_ref().is_some_and(|chosen| {
            if choice.value == "none" { chosen.is_empty() } else { chosen.contains(&choice.value) }
        });
    }
    form.with(Field::ticks("symptoms", "Symptoms now", symptoms))
}

fn emergency_symptoms(knowledge: &Knowledge) -> impl Iterator<Item = &String> {
    let bands = knowledge.gates.iter().filter_map(|item| match &item.body {
        Gate::BpBands(bands) => Some(&bands.emergency_symptoms),
        _ => None,
    });
    bands.flatten()
}

/// `POST /visit/{session}/gate/{gate}`
pub async fn answer(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, gate)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Error> {
    let key = gate.clone();
    let opened = Opened::find(&app, &id)?;
    let last = opened.before(&app)?.and_then(|session| session.delivery.started());
    let told = if gate == "c06" { medicines::of_patient(&app, &opened.session)? } else { Vec::new() };
    let place = format!("#card-{gate}");
    let outcome = carry_out(&app, &visit, &id, &posted, (&key, Privilege::Assess), move |desk, typed| {
        medicines::none_is_none(typed, &told);
        let inputs = Box::new(inputs(&gate, desk.app.floor.knowledge(), typed, last, desk.at)?);
        let note = match gate.as_str() {
            "c04" => escort_note(typed),
            "c12" => line::note(typed),
            _ => typed.text("note"),
        };
        Some(desk.by_me(clinic::session::Command::AnswerGate { gate: RuleId::new(gate), inputs, note }))
    });
    // The value tells which of the readings it is.
    let outcome = renamed(renamed(outcome.await?, "systolic", "systolic_0"), "diastolic", "diastolic_0");
    let outcome = if key == "c12" { renamed(outcome, "note", "line_site") } else { outcome };
    super::after(&app, &visit, &id, outcome, &place, "Answer recorded.")
}

fn escort_note(typed: &Typed) -> String {
    match (typed.text("escort"), typed.text("escort_number")) {
        (name, phone) if phone.is_empty() => name,
        (name, phone) => format!("{name}, {phone}"),
    }
}

/// `POST /visit/{session}/gate/{gate}/override`
pub async fn let_pass(
    State(app): State<AppState>,
    visit: Visit,
    Path((id, gate)): Path<(String, String)>,
    posted: Posted,
) -> Result<Response, Error> {
    let key = format!("decide-{gate}");
    let place = format!("#card-{gate}");
    let outcome = carry_out(&app, &visit, &id, &posted, (&key, Privilege::Assess), move |desk, typed| {
        let reason = typed.needed("reason", "The reason")?;
        let meaning = format!("I let {} pass: {reason}", gate.to_uppercase());
        let signature = desk.sign(typed, &meaning, Privilege::OverrideLimit)?;
        let command = clinic::session::Command::OverrideGate {
            gate: RuleId::new(gate),
            reason,
            signature: signature.clone(),
        };
        Some(desk.by_signer(&signature, command))
    });
    super::after(&app, &visit, &id, outcome.await?, &place, "The gate may pass.")
}

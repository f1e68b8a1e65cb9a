//! After the infusion: last pump reading, witnessed waste, recovery, discharge score, home with the escort, or handed
//! over.

use super::sheets;
use super::visit::act::{Outcome, as_a_page, carry_out, done};
use super::visit::charted::{Charted, charted};
use super::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use super::visit::gates::escort_of;
use super::visit::head::{Head, Opened, unbroken};
use super::{Error, FieldError, Kept, Page, html};
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::{AppState, words};
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use clinic::gate::padss_vital_signs;
use clinic::id::RuleId;
use clinic::knowledge::discharge::{Criteria, Discharge as Rule, Score};
use clinic::knowledge::gates::{Answer, Answers};
use clinic::knowledge::{Header, Knowledge};
use clinic::monitor::{Leftovers, Unfinished};
use clinic::session::delivery::Certainty;
use clinic::session::{
    Command, Phase, Session, Transfer, VialFate, drug_open, gates as rules, start_may_be_corrected,
};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;

#[derive(Template)]
#[template(path = "pages/discharge.html")]
struct DischargePage {
    page: Page,
    head: Head,
    /// What was delivered, in words with how sure it is.
    delivered: String,
    wasted: String,
    /// Earliest time with how long it is to go.
    earliest: String,
    criteria: Vec<String>,
    /// What was missed, unanswered or is open, by kind.
    unfinished: Vec<(&'static str, Vec<String>)>,
    rule: String,
    unsigned: String,
    closed: String,
    read: Option<Form>,
    at_start: Option<Form>,
    waste: Option<Form>,
    give_back: Option<Form>,
    watch: Vec<Form>,
    score: Option<Form>,
    home: Option<Form>,
    transfer: Option<Form>,
    charted: Vec<Charted>,
    sheet: bool,
}

/// `GET /visit/{session}/discharge`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    if let Some(answer) = as_a_page(&visit) {
        return Ok(answer);
    }
    draw(&app, &visit, &id, &Sent::nothing())
}

/// Draws the page.
pub(super) fn draw(app: &AppState, visit: &Visit, id: &str, sent: &Sent) -> Result<Response, Error> {
    let opened = Opened::find(app, id)?;
    let session = &opened.session;
    let knowledge = app.floor.knowledge();
    let recovering = matches!(session.phase, Phase::Recovering | Phase::DischargeCheck);
    let handed_over = session.phase == Phase::Transferred;
    let flowed = session.delivery.started().is_some();
    let to_measure = session.is_to_be_measured(opened.at);
    let settles = to_measure && (recovering || handed_over || session.phase.preparing());
    let judged = rules::discharge_assessment(session, said_so_far(sent, knowledge), opened.at, knowledge);
    let read = (flowed && (recovering || handed_over) && to_measure)
        .then(|| sheets::pump_form(&opened).hidden("back", "discharge").filled(sent));
    let at_start = start_may_be_corrected(session, opened.at) && !session.phase.active();
    let at_start = at_start.then(|| sheets::start_form(&opened).hidden("back", "discharge").filled(sent));
    let waste = settles.then(|| waste_form(&opened).filled(sent));
    let unopened = !session.unopened().is_empty() && !session.phase.active();
    let unopened = unopened && (!session.phase.closed() || handed_over);
    let give_back = unopened.then(|| give_back_form(&opened).filled(sent));
    let watch = if recovering { sheets::recovery_forms(&opened, knowledge) } else { Vec::new() };
    let watch: Vec<Form> =
        watch.into_iter().map(|form| form.hidden("back", "discharge").filled(sent)).collect();
    let before = words::baseline(session, knowledge, &app.config.time_zone()).unwrap_or_default();
    let score = recovering.then(|| score_form(&opened, knowledge, &before)).flatten();
    let score = score.map(|form| form.filled(sent));
    let left = if recovering { unfinished(app, &opened) } else { Leftovers::new() };
    let home =
        (session.phase == Phase::DischargeCheck).then(|| home_form(&opened, &left, knowledge).filled(sent));
    let may_leave = session.checked_in_at.is_some() && !session.phase.closed();
    let transfer = may_leave.then(|| transfer_form(&opened).filled(sent));
    let errors = sent.summary(
        [&read, &at_start, &waste, &give_back, &score, &home, &transfer].into_iter().flatten().chain(&watch),
    );
    let header = criteria(knowledge).map(|(header, _)| header);
    let page = DischargePage {
        page: Page::new(app, visit, "After the infusion").with_errors(errors),
        head: opened.head(app, visit, "discharge"),
        delivered: unbroken(&delivered(&opened, &app.config.time_zone())),
        wasted: wasted(app, session),
        earliest: judged
            .earliest
            .map_or_else(String::new, |home| not_before(home, opened.at, &app.config.time_zone())),
        criteria: if recovering {
            let drug = drug_open(session, opened.at).into_iter().map(|open| open.to_string());
            drug.chain(judged.assessment.blocking().map(|finding| finding.reason.clone())).collect()
        } else {
            Vec::new()
        },
        unfinished: left.into_iter().map(|(kind, items)| (kind.title(), items)).collect(),
        rule: header
            .map_or_else(String::new, |header| format!("Rule {}, version {}", header.id, header.version)),
        unsigned: header.map_or_else(String::new, Header::unsigned),
        closed: if session.phase.closed() {
            format!("The visit is over: {}.", session.phase.title())
        } else {
            String::new()
        },
        read,
        at_start,
        waste,
        give_back,
        watch,
        score,
        home,
        transfer,
        charted: charted(app, visit, &opened)?,
        sheet: false,
    };
    html(sent.status, &page)
}

fn not_before(earliest: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let clock = earliest.to_zoned(zone.clone()).strftime("%H:%M").to_string();
    let left = earliest.duration_since(now).as_secs();
    if left > 0 {
        format!("Not before {clock}, in {}", countdown(left))
    } else {
        format!("Since {clock} the time is over")
    }
}

fn wasted(app: &AppState, session: &Session) -> String {
    let Some(waste) = &session.waste else { return String::new() };
    let vials = words::left_in_vials(&waste.vials, waste.vial_fate);
    let (wasted, in_line) = (waste.wasted, waste.residual_in_line);
    let witness = app.floor.called(&waste.witness.by);
    format!("{wasted} wasted, {in_line} in the line, {vials}; witnessed by {witness}")
}

/// `1:05:09`, or `5:09` under an hour.
fn countdown(seconds: i64) -> String {
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

fn delivered(opened: &Opened, zone: &TimeZone) -> String {
    let session = &opened.session;
    if session.delivery.started().is_none() {
        return "No drug has flowed.".to_owned();
    }
    let mass = session.delivered_mass(opened.at);
    if let Some(doubt) = crate::words::doubt(session, zone, opened.at) {
        let known = crate::words::delivered(session, opened.at);
        let read_out = session.delivery.is_read_out(opened.at);
        let act = if read_out { "Measure the rest." } else { "Read the pump." };
        return format!("UNCERTAIN: {known}, {doubt}. {act}");
    }
    match session.delivery.certainty(opened.at) {
        Certainty::Read => format!("{mass} delivered, as the pump was last read"),
        Certainty::Recorded | Certainty::Uncertain { .. } => {
            format!("{mass} delivered by the recorded rates; the pump has not been read since")
        }
    }
}

fn criteria(knowledge: &Knowledge) -> Option<(&Header, &Criteria)> {
    knowledge.discharge.iter().find_map(|item| match &item.body {
        Rule::Criteria(criteria) => Some((&item.header, criteria.as_ref())),
        Rule::Score(_) => None,
    })
}

fn score_rule(knowledge: &Knowledge) -> Option<(&Header, &Score)> {
    knowledge.discharge.iter().find_map(|item| match &item.body {
        Rule::Score(score) => Some((&item.header, score)),
        Rule::Criteria(_) => None,
    })
}

/// The statements as they were just sent, so that what is still open does not repeat what was answered.
fn said_so_far(sent: &Sent, knowledge: &Knowledge) -> Answers {
    let statements = criteria(knowledge).map(|(_, criteria)| criteria.yes.as_slice()).unwrap_or_default();
    let said = statements.iter().filter_map(|one| match sent.posted.text(&one.fact) {
        "yes" => Some((one.fact.clone(), Answer::Yes(true))),
        "no" => Some((one.fact.clone(), Answer::Yes(false))),
        _ => None,
    });
    said.collect()
}

/// The field of the opened vial of this place, counted from 0 in the order of the first draws.
fn vial_field(place: usize) -> String {
    format!("left_in_vial_{}", place + 1)
}

fn waste_form(opened: &Opened) -> Form {
    let fates = vec![Choice::of("wasted", "Wasted with it"), Choice::of("returned", "Returned to the safe")];
    let vials = opened.session.opened().into_iter().enumerate().map(|(place, (vial, _))| {
        let label = format!("Left in vial {}, lot {}, {}", place + 1, vial.lot, vial.strength);
        Field::number(vial_field(place), label, "mL")
    });
    opened
        .form("waste", "waste", "Waste before a witness", "Record the waste")
        .hint(
            "Measure what is left, in the syringe or bag and in every opened vial: draw it up, the witness reads it. \
             What should be left is not shown, so that the measurement stands for itself.",
        )
        .with(Field::number("wasted", "From syringe or bag, measured and wasted", "mL"))
        .with(Field::number("residual_in_line", "Left in the line", "mL"))
        .with_all(vials)
        .with(Field::one("vial_fate", "Rest of the vials", fates))
        .with(Field::new(Kind::Line, "explanation", "Explanation").hint("Only where the amounts do not add up."))
        .with_all(signature("Witness"))
}

fn give_back_form(opened: &Opened) -> Form {
    let vials = opened.session.unopened().into_iter();
    let vials = vials.map(|vial| format!("{} of {}, lot {}", vial.volume, vial.strength, vial.lot));
    opened
        .form("give-back", "vials-back", "Vials that were not opened", "Record that they went back")
        .hint(format!("Back to the safe: {}.", vials.collect::<Vec<_>>().join("; ")))
        .with_all(signature("Witness"))
}

fn score_form(opened: &Opened, knowledge: &Knowledge, baseline: &str) -> Option<Form> {
    let (header, score) = score_rule(knowledge)?;
    let before = opened.session.discharge_score.as_ref().map(|(items, _, _)| items);
    let mut form =
        opened.form("score", "discharge-score", "Discharge score", "Record the score").hint(format!(
            "Home from {} points on, or from {} where the last item is left out{}.",
            score.pass_at,
            score.pass_at_without_intake,
            header.unsigned_after("; ")
        ));
    let by_numbers = padss_vital_signs(
        score,
        &rules::baseline(&opened.session, knowledge),
        &rules::vitals_since_the_end(&opened.session).values(),
    );
    for item in &score.items {
        let choices = item.answers.iter().enumerate();
        let choices =
            choices.map(|(points, words)| Choice::of(points, format!("{points} · {words}"))).collect();
        let hint = match by_numbers {
            Some(points) if item.id == "vital_signs" => {
                format!("By the last charted numbers: {points}. {baseline}")
            }
            _ => String::new(),
        };
        let known = before.and_then(|items| items.get(&item.id)).map(u8::to_string).unwrap_or_default();
        form = form.with(Field::one(&item.id, &item.title, choices).hint(hint).known(known));
    }
    Some(form)
}

/// What the watch left undone, and the side effects that are open.
fn unfinished(app: &AppState, opened: &Opened) -> Leftovers {
    let mut left = app.floor.unfinished(&opened.id);
    let open = rules::open_side_effects(&opened.session, app.floor.knowledge());
    if !open.is_empty() {
        left.insert(Unfinished::OpenSideEffects, open);
    }
    left
}

fn home_form(opened: &Opened, left: &Leftovers, knowledge: &Knowledge) -> Form {
    let named = opened.session.gates.get(&RuleId::new("c04")).map(|one| escort_of(&one.answer.note));
    let (name, phone) = named.unwrap_or_default();
    let mut form = opened
        .form("home", "discharge", "Home with the escort", "Sign: fit to go home")
        .with(Field::new(Kind::Line, "escort", "Escort, here in person").known(name))
        .with(Field::new(Kind::Line, "escort_number", "Escort's phone").known(phone));
    let statements = criteria(knowledge).map(|(_, criteria)| criteria.yes.as_slice()).unwrap_or_default();
    for one in statements {
        form = form.with(Field::yes_no(&one.fact, &one.ask));
    }
    for (kind, items) in left {
        let word = Field::new(Kind::Line, kind.field(), format!("A word on the {}", kind.title()));
        form = form.with(word.hint(format!("{}.", items.join("; "))));
    }
    form.with(
        Field::new(Kind::Line, "instructions", "Written instructions given")
            .hint("Which sheet, for example home-v1."),
    )
    .with_all(signature("Nurse or prescriber"))
}

fn transfer_form(opened: &Opened) -> Form {
    opened
        .form("transfer", "transfer", "Hand over to a higher level of care", "Sign the transfer")
        .grave()
        .with(Field::new(Kind::Line, "to", "Where to"))
        .with(Field::new(Kind::Line, "reason", "Reason"))
        .with_all(signature("Nurse or prescriber"))
}

/// The form again where the amounts did not add up, with none of the amounts: they are measured again, not worked out.
fn differing(posted: &Posted) -> Sent {
    let words = "What you measured does not add up with what the vials held, what was drawn, delivered and left in \
                 the line. Measure again, syringe and vials; if it stays, explain it in words before the witness.";
    Sent {
        form: "waste".to_owned(),
        posted: posted.clone(),
        errors: vec![FieldError::at("wasted", words).kept(Kept::Recorded)],
        status: StatusCode::UNPROCESSABLE_ENTITY,
    }
}

/// `POST /visit/{session}/waste`
pub async fn waste(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("waste", Privilege::PrepareDrug), |desk, typed| {
        let wasted = typed.volume("wasted", "The wasted volume");
        let residual = typed.volume("residual_in_line", "The volume in the line");
        let vial_fate = match typed.text("vial_fate").as_str() {
            "wasted" => Some(VialFate::Wasted),
            "returned" => Some(VialFate::Returned),
            _ => typed.wrong("vial_fate", "Say what became of the rest of the vial."),
        };
        let opened = desk.session.opened();
        let vials = opened.iter().enumerate().map(|(place, (vial, _))| {
            let what = format!("The volume left in vial {}", place + 1);
            Some((vial.vial.clone(), typed.volume(&vial_field(place), &what)?))
        });
        let left_in_vials: Vec<_> = vials.collect();
        let saw = match vial_fate {
            Some(VialFate::Returned) => {
                "I saw the rest measured and wasted, that of the vials measured and returned"
            }
            _ => "I saw the rest measured and wasted, with that of the vials",
        };
        let witness = desk.sign(typed, saw, Privilege::WitnessWaste)?;
        let explanation = typed.maybe("explanation");
        let (wasted, residual_in_line, vial_fate) = (wasted?, residual?, vial_fate?);
        let left_in_vials = left_in_vials.into_iter().collect::<Option<_>>()?;
        let rest =
            Command::Waste { wasted, residual_in_line, left_in_vials, vial_fate, explanation, witness };
        Some(desk.by_me(rest))
    });
    let outcome = renamed(outcome.await?, "left_in_vials", &vial_field(0));
    let opened = Opened::find(&app, &id)?;
    if matches!(outcome, Outcome::Done) && opened.session.is_to_be_measured(opened.at) {
        return draw(&app, &visit, &id, &differing(&posted));
    }
    after(&app, &visit, &id, renamed(outcome, "witness", "user"), "The waste is recorded.")
}

/// `POST /visit/{session}/vials-back`
pub async fn give_back(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome =
        carry_out(&app, &visit, &id, &posted, ("give-back", Privilege::PrepareDrug), |desk, typed| {
            let saw = "I saw the unopened vials go back to the safe";
            let witness = desk.sign(typed, saw, Privilege::WitnessWaste)?;
            Some(desk.by_me(Command::ReturnVials { witness }))
        });
    after(&app, &visit, &id, renamed(outcome.await?, "witness", "user"), "The vials went back.")
}

/// `POST /visit/{session}/discharge-score`
pub async fn score(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("score", Privilege::Discharge), |desk, typed| {
        let mut items = BTreeMap::new();
        for item in score_rule(desk.app.floor.knowledge())
            .map(|(_, score)| score.items.as_slice())
            .unwrap_or_default()
        {
            match typed.text(&item.id).parse::<u8>() {
                Ok(points) => {
                    items.insert(item.id.clone(), points);
                }
                Err(_) if typed.text(&item.id).is_empty() => {}
                Err(_) => return typed.wrong(&item.id, "Score it 0, 1 or 2."),
            }
        }
        Some(desk.by_me(Command::ScoreDischarge { items }))
    });
    after(&app, &visit, &id, outcome.await?, "The score is recorded.")
}

/// `POST /visit/{session}/discharge`
pub async fn discharge(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("home", Privilege::Discharge), |desk, typed| {
        let escort = typed.needed("escort", "The escort's name");
        let escort_phone = typed.needed("escort_number", "The escort's phone");
        let instructions = typed.needed("instructions", "The name of the written instructions");
        let mut answers = Answers::new();
        let statements = criteria(desk.app.floor.knowledge()).map(|(_, criteria)| criteria.yes.as_slice());
        for one in statements.unwrap_or_default() {
            if let Some(yes) = typed.yes_no(&one.fact, &one.ask) {
                answers.insert(one.fact.clone(), Answer::Yes(yes));
            }
        }
        let word = |kind: Unfinished| Some((kind, typed.maybe(kind.field())?));
        let words = Unfinished::ALL.into_iter().filter_map(word).collect();
        let unfinished = desk.app.floor.unfinished(&desk.id);
        let signature = desk.sign(typed, "The patient is fit to go home", Privilege::Discharge)?;
        let (escort, escort_phone, instructions) = (escort?, escort_phone?, instructions?);
        let home =
            Command::Discharge { escort, escort_phone, answers, instructions, unfinished, words, signature };
        Some(desk.by_me(home))
    });
    after(&app, &visit, &id, outcome.await?, "Gone home.")
}

/// `POST /visit/{session}/transfer`
pub async fn transfer(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("transfer", Privilege::Discharge), |desk, typed| {
        let to = typed.needed("to", "The receiving place");
        let reason = typed.needed("reason", "The reason");
        let signature = desk.sign(typed, "I hand the patient over", Privilege::Discharge)?;
        let transfer = Transfer { to: to?, reason: reason? };
        Some(desk.by_me(Command::TransferOut { transfer, signature }))
    });
    after(&app, &visit, &id, outcome.await?, "Handed over.")
}

/// A refusal under the rule's name of a field, put at the field of the form.
pub(super) fn renamed(outcome: Outcome, from: &str, to: &str) -> Outcome {
    match outcome {
        Outcome::Sent(mut sent) => {
            for error in sent.errors.iter_mut().filter(|error| error.field == from) {
                to.clone_into(&mut error.field);
            }
            Outcome::Sent(sent)
        }
        other => other,
    }
}

fn after(app: &AppState, visit: &Visit, id: &str, outcome: Outcome, notice: &str) -> Result<Response, Error> {
    match outcome {
        Outcome::Done => Ok(done(app, visit, &format!("/visit/{id}/discharge"), notice)),
        Outcome::Sent(sent) => draw(app, visit, id, &sent),
        Outcome::Answered(answer) => Ok(*answer),
    }
}

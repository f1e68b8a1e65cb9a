//! From planned to ready: check-in, weight, gates, order, drug, checks, pump, time-out.

use super::check::UNDILUTED;
use super::command::{Command, PumpEntry};
use super::event::{Event, Order, PumpProgram, ScannedVial};
use super::refusal::Refusal;
use super::state::{Phase, Session};
use super::{check, gates};
use crate::course::BesidePlan;
use crate::dose::{self, DoseRequest, WeighedBefore};
use crate::id::{OrderId, RuleId, VialId};
use crate::knowledge::Knowledge;
use crate::quantity::{Concentration, Height, Micrograms, Microlitres, Rate, Weight, mass_in};
use crate::staff::{Actor, Role, Signature, Somebody};
use crate::text::{is_reason, says_why};
use jiff::Timestamp;
use jiff::civil::Date;

pub(super) fn decide(
    session: &Session,
    command: Command,
    actor: &Actor,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    match command {
        Command::Plan { patient, regimen, infusion, of, day } => {
            if session.phase != Phase::New {
                return Err(session.wrong_phase("plan a session", "It is planned already."));
            }
            in_course(infusion, of)?;
            if !knowledge.has_regimen(&regimen) {
                return Err(Refusal::Unknown { field: "regimen", what: "Regimen", id: regimen.0 });
            }
            Ok(vec![Event::SessionPlanned { patient, regimen, infusion, of, day }])
        }
        Command::CheckIn { chair } if session.phase == Phase::Planned => Ok(vec![Event::CheckedIn { chair }]),
        Command::CheckIn { .. } => {
            Err(session.wrong_phase("check in", "Only a planned session can be checked in."))
        }
        other if !session.phase.preparing() => {
            Err(session.wrong_phase(other.doing(), "This belongs between check-in and start."))
        }
        Command::Weigh { weight, height, sex, last, reason } => {
            weigh(session, weight, height, sex, last, reason, knowledge)
        }
        Command::AnswerGate { gate, inputs, note } => {
            let mut answer = gates::judge(session, gate, *inputs, note, knowledge)?;
            gates::acknowledged(&answer, knowledge)?;
            if let Some(soon) = gates::too_soon(session, &answer, at, knowledge) {
                answer.verdict = answer.verdict.max(soon.verdict);
                answer.findings.push(soon);
            }
            Ok(vec![Event::GateAnswered(answer)])
        }
        Command::OverrideGate { gate, reason, signature } => override_gate(session, gate, reason, signature),
        Command::SignOrder { id, request, beside_plan, reason, signature } => {
            sign_order(session, id, &request, (beside_plan, reason), signature, knowledge)
        }
        Command::ScanVial { vial, today, another } => scan(session, vial, today, another, knowledge),
        Command::Draw { vial, stock, diluted_to, diluent } => {
            draw(session, vial, (stock, diluted_to), diluent, knowledge)
        }
        Command::DiscardDrawn { reason, witness } => discard(session, reason, witness, actor),
        Command::SecondCheck { signature, read } => check::decide(session, signature, read, knowledge),
        Command::ProgramPump { entry } => program(session, entry, knowledge),
        Command::TimeOut { confirmed } => time_out(session, confirmed, knowledge),
        other => Err(session.wrong_phase(other.doing(), "It does not belong to the preparation.")),
    }
}

/// No course has more infusions than a banner has room for the number of.
const INFUSIONS_MOST: u32 = 999;

fn in_course(infusion: u32, of: u32) -> Result<(), Refusal> {
    let counts =
        [("of", "Length of the course", of, INFUSIONS_MOST), ("infusion", "Infusion number", infusion, of)];
    match counts.into_iter().find(|(_, _, count, most)| !(1..=*most).contains(count)) {
        None => Ok(()),
        Some((field, what, count, most)) => Err(Refusal::OutOfRange {
            field,
            what,
            value: count.to_string(),
            accepted: format!("1 to {most}"),
        }),
    }
}

/// The weight of an earlier visit and the one weighed before in this visit are both looked back to: the first may be
/// wrong by pounds and then refuses, the second is corrected with a reason.
fn weigh(
    session: &Session,
    weight: Weight,
    height: Option<Height>,
    sex: Option<String>,
    last: Option<Weight>,
    reason: Option<String>,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if let Some(other) = sex.as_ref().filter(|sex| !["f", "m"].contains(&sex.as_str())) {
        let (value, accepted) = (other.clone(), "f or m".to_owned());
        return Err(Refusal::OutOfRange {
            field: "sex",
            what: "The sex for the dose weight",
            value,
            accepted,
        });
    }
    let before = session.weight.map(|(weight, _)| weight);
    let known =
        WeighedBefore { earlier_visit: last, this_visit: before, vouched_for: session.weight_vouched_for };
    let slip = dose::weight_slip(weight, known, height.or(session.height), knowledge);
    let reason = says_why(reason);
    match (slip, &reason) {
        (Some(finding), _) if dose::refuses(&finding) => {
            return Err(Refusal::DoseRefused { reasons: vec![finding.reason] });
        }
        (Some(finding), None) => {
            return Err(Refusal::NeedsReason { field: "reason", finding: finding.reason });
        }
        _ => {}
    }
    let voided = session.order.as_ref().map(|(order, _)| Event::OrderVoided {
        order: order.id.clone(),
        weight_before: before.unwrap_or(order.dose_weight),
        weight_now: weight,
    });
    Ok([Event::Weighed { weight, height, sex, reason }].into_iter().chain(voided).collect())
}

fn override_gate(
    session: &Session,
    gate: RuleId,
    reason: String,
    signature: Signature,
) -> Result<Vec<Event>, Refusal> {
    if signature.role != Role::Prescriber {
        return Err(Refusal::NotAllowed {
            doing: "override a gate",
            role: signature.role.title(),
            needs: "prescriber".to_owned(),
        });
    }
    if !is_reason(&reason) {
        return Err(missing(
            "reason",
            "The reason for the override",
            "Say why it is safe to go on, in words.",
        ));
    }
    let Some(answered) = session.gates.get(&gate) else {
        return Err(Refusal::Unknown { field: "gate", what: "Answered gate", id: gate.0 });
    };
    gates::may_override(&answered.answer)?;
    Ok(vec![Event::GateOverridden { version: answered.answer.version, gate, reason, signature }])
}

fn sign_order(
    session: &Session,
    id: OrderId,
    request: &DoseRequest,
    (beside_plan, reason): (Option<BesidePlan>, Option<String>),
    signature: Signature,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if signature.role != Role::Prescriber {
        return Err(Refusal::NotAllowed {
            doing: "sign the order",
            role: signature.role.title(),
            needs: "prescriber".to_owned(),
        });
    }
    let Some((weight, _)) = session.weight else {
        return Err(missing("weight", "Today's weight", "Weigh the patient first."));
    };
    if Some(weight) != dose::weight_of(request) {
        return Err(Refusal::Mismatch {
            field: "weight",
            what: "Weight",
            entered: dose::weight_of(request).map_or_else(|| "none".to_owned(), |weight| weight.to_string()),
            ordered: weight.to_string(),
            hint: "The order must use the weight measured today.".to_owned(),
        });
    }
    if let Some(differs) = beside_plan.as_ref().and_then(BesidePlan::differs_in)
        && reason.as_deref().is_none_or(|reason| !is_reason(reason))
    {
        let finding = format!("This order differs from the {differs}.");
        return Err(Refusal::NeedsReason { field: "reason", finding });
    }
    let order = Order { beside_plan, ..gates::order(id, request, reason, knowledge)? };
    is_another_order(session, &order)?;
    for draw in &session.draws {
        has_strength(draw.mass, draw.diluted_to, order.concentration, knowledge)?;
    }
    let overrides = gates::overrides_of(&order);
    Ok([vec![Event::OrderSigned { order, signature }], overrides].concat())
}

/// The same order once more takes check, program and time-out away and orders nothing. Where a second check read it
/// otherwise, it may be ordered anew.
fn is_another_order(session: &Session, order: &Order) -> Result<(), Refusal> {
    let Some((signed, signature)) =
        session.order.as_ref().filter(|_| session.second_checks_differed.is_empty())
    else {
        return Ok(());
    };
    let id = signed.id.clone();
    let Order { findings, beside_plan, reason, .. } = signed.clone();
    if *signed != (Order { id, findings, beside_plan, reason, ..order.clone() }) {
        return Ok(());
    }
    let by = Somebody::new(&signature.by, signature.at);
    let did = format!("signed the same order, {} at {},", order.dose, order.rate);
    Err(Refusal::Already { field: "dose", by, did, needs: "Sign another one, or go on with this." })
}

/// Another drug in a vial is found here or not at all: its code is of a product that the clinic knows, or a person
/// reads the drug's name from the label.
fn is_the_drug(vial: &ScannedVial, knowledge: &Knowledge) -> Result<(), Refusal> {
    if knowledge.drugs.iter().any(|drug| drug.body.bears(&vial.ndc)) {
        return Ok(());
    }
    let Some(label) = &vial.read_as else {
        return Err(missing(
            "read_as",
            &format!("{} stands for no product known here. The drug's name on the label", vial.ndc),
            "Take the vial in hand and type what its label says.",
        ));
    };
    if knowledge.drugs.iter().any(|drug| drug.body.is_named(label)) {
        return Ok(());
    }
    Err(Refusal::Mismatch {
        field: "read_as",
        what: "Drug on the label",
        entered: label.clone(),
        ordered: "ketamine".to_owned(),
        hint: "This vial is not for this patient: put it away.".to_owned(),
    })
}

fn scan(
    session: &Session,
    vial: ScannedVial,
    today: Date,
    another: bool,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    is_the_drug(&vial, knowledge)?;
    if session.vials.iter().any(|known| known.vial == vial.vial) {
        return Err(Refusal::Mismatch {
            field: "vial",
            what: "Vial",
            entered: vial.vial.0,
            ordered: "a vial that is not scanned yet".to_owned(),
            hint: "This vial is in the session already.".to_owned(),
        });
    }
    if vial.expires < today {
        return Err(Refusal::OutOfRange {
            field: "expires",
            what: "Expiry",
            value: vial.expires.to_string(),
            accepted: format!("{today} or later; take another vial"),
        });
    }
    if vial.strength.0 <= 0 || vial.volume.0 <= 0 {
        return Err(Refusal::OutOfRange {
            field: "strength",
            what: "Vial content",
            value: format!("{} of {}", vial.volume, vial.strength),
            accepted: "more than nothing".to_owned(),
        });
    }
    if !another {
        not_scanned_twice(session, &vial)?;
    }
    Ok(vec![Event::VialScanned(vial)])
}

/// A label without a serial number is the same on every vial of its lot: only who holds them knows how many there are.
fn not_scanned_twice(session: &Session, vial: &ScannedVial) -> Result<(), Refusal> {
    let code = |ndc: &str| ndc.chars().filter(char::is_ascii_digit).collect::<String>();
    let alike = |one: &&ScannedVial| {
        code(&one.ndc) == code(&vial.ndc)
            && one.lot.trim().eq_ignore_ascii_case(vial.lot.trim())
            && one.expires == vial.expires
    };
    let counted = session.vials.iter().filter(alike).count();
    if counted == 0 {
        return Ok(());
    }
    let lot = vial.lot.trim();
    let next = format!("Counted already of lot {lot}: {counted}. Take the vials in hand and count them.");
    Err(missing("another", "The answer to “Is this another vial?”", &next))
}

fn draw(
    session: &Session,
    vial: VialId,
    (stock, diluted_to): (Microlitres, Microlitres),
    diluent: Option<String>,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    let (order, _) = session
        .order
        .as_ref()
        .ok_or_else(|| missing("order", "The signed order", "Have it signed first."))?;
    let Some(scanned) = session.vials.iter().find(|known| known.vial == vial) else {
        return Err(Refusal::Unknown { field: "vial", what: "Vial", id: vial.0 });
    };
    if session.returned.contains(&vial) {
        return Err(Refusal::Mismatch {
            field: "vial",
            what: "Vial",
            entered: vial.0,
            ordered: "a vial that is here".to_owned(),
            hint: "This one went back to the safe.".to_owned(),
        });
    }
    let taken = session
        .draws
        .iter()
        .chain(&session.discarded)
        .filter(|draw| draw.vial == vial)
        .map(|draw| draw.stock)
        .fold(Microlitres::ZERO, Microlitres::plus);
    let left = scanned.volume.minus(taken);
    if stock.0 <= 0 || stock > left {
        return Err(Refusal::OutOfRange {
            field: "stock",
            what: "Volume drawn",
            value: stock.to_string(),
            accepted: format!("more than 0 mL and at most {left}, which is left in the vial"),
        });
    }
    let mass = mass_in(stock, scanned.strength);
    has_strength(mass, diluted_to, order.concentration, knowledge)?;
    is_one_dose(session.drawn_mass().plus(mass), order.dose, knowledge)?;
    let diluent = Some(fit_diluent(session, stock == diluted_to, diluent, knowledge)?);
    Ok(vec![Event::Drawn { vial, stock, mass, diluted_to, diluent }])
}

/// What the clinic dilutes with, and in one syringe or bag always the same.
fn fit_diluent(
    session: &Session,
    undiluted: bool,
    diluent: Option<String>,
    knowledge: &Knowledge,
) -> Result<String, Refusal> {
    let next = "Read it from the bag or ampoule in hand.";
    let diluent = diluent.ok_or_else(|| missing("diluent", "What the dose is diluted with", next))?;
    let known = if undiluted { vec![UNDILUTED] } else { knowledge.diluents() };
    let mut in_it = session.draws.iter().filter_map(|draw| draw.diluent.as_deref());
    let other = in_it.find(|one| !undiluted && *one != UNDILUTED && *one != diluent);
    let accepted = other.map_or(known, |other| vec![other]);
    if accepted.contains(&diluent.as_str()) {
        return Ok(diluent);
    }
    let accepted = format!("{} at these volumes", accepted.join(" or "));
    Err(Refusal::OutOfRange { field: "diluent", what: "Diluent", value: diluent, accepted })
}

/// All of it goes, and another person sees it go: a half-emptied syringe is neither the one drawn nor a new one.
fn discard(
    session: &Session,
    reason: String,
    witness: Signature,
    actor: &Actor,
) -> Result<Vec<Event>, Refusal> {
    if session.draws.is_empty() {
        return Err(missing("draw", "A drawn dose", "Nothing is in the syringe, so nothing is thrown away."));
    }
    if !is_reason(&reason) {
        return Err(missing("reason", "The reason", "Say in words why the syringe is not used."));
    }
    witnessed("discard the syringe", &witness, actor)?;
    let volume = session.draws.iter().map(|draw| draw.diluted_to).fold(Microlitres::ZERO, Microlitres::plus);
    Ok(vec![Event::DrawnDiscarded { volume, mass: session.drawn_mass(), reason, witness }])
}

/// A witness is another signed-in person who treats.
pub(super) fn witnessed(doing: &'static str, witness: &Signature, actor: &Actor) -> Result<(), Refusal> {
    if witness.by == actor.id {
        let staff = Somebody::new(&actor.id, None);
        return Err(Refusal::SamePerson { field: "witness", staff, first: doing, second: "witness it" });
    }
    if witness.role.treats() {
        return Ok(());
    }
    Err(Refusal::NotAllowed {
        doing: "witness that drug is thrown away",
        role: witness.role.title(),
        needs: "nurse or prescriber".to_owned(),
    })
}

/// Refuses a syringe or bag that is not of the ordered strength.
fn has_strength(
    mass: Micrograms,
    diluted_to: Microlitres,
    ordered: Concentration,
    knowledge: &Knowledge,
) -> Result<(), Refusal> {
    let mixed = mass_in(diluted_to, ordered);
    if within_permille(mass.0, mixed.0, knowledge.session_rules().dilution_permille) {
        return Ok(());
    }
    let hint = dose::ratio_hint(mass.0, mixed.0).unwrap_or("Check the stock strength and the final volume.");
    Err(Refusal::Mismatch {
        field: "diluted_to",
        what: "Strength after dilution",
        entered: format!("{mass} in {diluted_to}"),
        ordered: ordered.to_string(),
        hint: hint.to_owned(),
    })
}

/// Refuses more in syringe or bag than one dose and what the line keeps: whoever runs it out gives all of it.
pub(super) fn is_one_dose(drawn: Micrograms, dose: Micrograms, knowledge: &Knowledge) -> Result<(), Refusal> {
    let over = knowledge.session_rules().drawn_over_percent;
    if i128::from(drawn.0) * 100 <= i128::from(dose.0) * i128::from(over.saturating_add(100)) {
        return Ok(());
    }
    Err(Refusal::OutOfRange {
        field: "stock",
        what: "Drug drawn in all",
        value: drawn.to_string(),
        accepted: format!(
            "at most {over} % more than the ordered {dose}; if a dose was drawn already, use that one"
        ),
    })
}

fn program(session: &Session, entry: PumpEntry, knowledge: &Knowledge) -> Result<Vec<Event>, Refusal> {
    let (order, _) = session
        .order
        .as_ref()
        .ok_or_else(|| missing("order", "The signed order", "Have it signed first."))?;
    let rules = knowledge.session_rules();
    same("rate", "Pump rate", entry.rate.0, order.rate.0, rules.pump_match.0, |n| Rate(n).to_string())?;
    same("vtbi", "Volume to be infused", entry.vtbi.0, order.vtbi.0, rules.vtbi_match.0, |n| {
        Microlitres(n).to_string()
    })?;
    same("concentration", "Strength", entry.concentration.0, order.concentration.0, 0, |n| {
        Concentration(n).to_string()
    })?;
    if entry.library_entry.trim().is_empty() {
        return Err(missing(
            "library_entry",
            "The library entry on the pump",
            "Program the pump from its drug library, not in basic mode.",
        ));
    }
    let expected = knowledge.library_entry(&order.regimen, order.concentration);
    if !expected.as_ref().is_some_and(|expected| expected.eq_ignore_ascii_case(entry.library_entry.trim())) {
        return Err(Refusal::Mismatch {
            field: "library_entry",
            what: "Library entry",
            entered: entry.library_entry,
            ordered: expected.unwrap_or_else(|| "none".to_owned()),
            hint: "Program the pump from that entry of its drug library.".to_owned(),
        });
    }
    let PumpEntry { device, rate, vtbi, concentration, library_entry } = entry;
    Ok(vec![Event::PumpProgrammed(PumpProgram { device, rate, vtbi, concentration, library_entry })])
}

fn time_out(session: &Session, confirmed: Vec<String>, knowledge: &Knowledge) -> Result<Vec<Event>, Refusal> {
    let open = gates::open(session, knowledge);
    if !open.is_empty() {
        return Err(Refusal::Held { reasons: open });
    }
    if session.time_out.is_some() {
        return Err(
            session.wrong_phase("take a second time-out", "One was taken, and nothing has changed since.")
        );
    }
    let rules = knowledge.session_rules();
    if let Some(unknown) = confirmed.iter().find(|id| !rules.time_out.iter().any(|point| point.id == **id)) {
        return Err(Refusal::Unknown { field: "confirmed", what: "Time-out point", id: unknown.clone() });
    }
    if let Some(point) = rules.time_out.iter().find(|point| !confirmed.contains(&point.id)) {
        return Err(missing(
            "confirmed",
            &format!("The time-out point “{}”", point.title),
            "Say each point aloud and tap it.",
        ));
    }
    Ok(vec![Event::TimeOutTaken { confirmed }])
}

/// Refuses when two numbers differ by more than `tolerance`, and says which slip it looks like.
pub(super) fn same(
    field: &'static str,
    what: &'static str,
    entered: i64,
    ordered: i64,
    tolerance: i64,
    show: impl Fn(i64) -> String,
) -> Result<(), Refusal> {
    if entered.abs_diff(ordered) <= tolerance.unsigned_abs() {
        return Ok(());
    }
    let hint = dose::ratio_hint(entered, ordered).unwrap_or("Read it again.").to_owned();
    Err(Refusal::Mismatch { field, what, entered: show(entered), ordered: show(ordered), hint })
}

pub(super) fn within_permille(a: i64, b: i64, permille: i64) -> bool {
    i128::from(a.abs_diff(b)) * 1000 <= i128::from(b.abs()) * i128::from(permille)
}

pub(super) fn missing(field: &'static str, what: &str, next: &str) -> Refusal {
    Refusal::Missing { field, what: what.to_owned(), next: next.to_owned() }
}

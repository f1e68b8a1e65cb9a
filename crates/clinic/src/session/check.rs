//! The independent second check: what another person reads and works out, beside what the first one did.

use super::event::{Difference, Event, Order, SecondReading};
use super::preparing::{missing, within_permille};
use super::refusal::Refusal;
use super::state::Session;
use crate::knowledge::Knowledge;
use crate::quantity::Microlitres;
use crate::staff::Signature;

/// What stands for the diluent where a syringe is filled from the vial alone.
pub const UNDILUTED: &str = "undiluted";
/// Most characters of a word that the second person types.
const WORD_LONGEST: usize = 60;

/// What the second person has is compared only after all of it was entered. A difference is recorded with both sides and
/// checks nothing.
pub(super) fn decide(
    session: &Session,
    signature: Signature,
    read: Option<Box<SecondReading>>,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    let (order, _) = session
        .order
        .as_ref()
        .ok_or_else(|| missing("order", "The signed order", "Have it signed first."))?;
    let Some(last) = session.draws.last() else {
        return Err(missing("draw", "The drawn dose", "Draw the dose first."));
    };
    if session.draws.iter().any(|draw| draw.by == signature.by) {
        return Err(Refusal::SamePerson {
            field: "checker",
            staff: last.by.0.clone(),
            first: "draw the dose",
            second: "check it",
        });
    }
    if !signature.role.treats() {
        return Err(Refusal::NotAllowed {
            doing: "make the second check",
            role: signature.role.title(),
            needs: "nurse or prescriber".to_owned(),
        });
    }
    let Some(read) = read.map(|read| *read) else {
        return Err(missing("dose", "What the second person has", "Read vial and syringe, and enter it."));
    };
    short_words(&read)?;
    let differs = [
        as_whom(&read),
        in_vials(session, &read, knowledge),
        in_syringe(session, &read, knowledge),
        against_order(order, &read, knowledge),
    ]
    .concat();
    Ok(vec![if differs.is_empty() {
        Event::SecondCheckAgreed { signature, read }
    } else {
        Event::SecondCheckDisagreed { signature, read, differs }
    }])
}

fn short_words(read: &SecondReading) -> Result<(), Refusal> {
    let words = [
        ("identifier", "Record number or birth date", &read.identified.by),
        ("diluent", "Diluent", &read.diluent),
    ];
    let drugs = read.vials.iter().map(|vial| ("drug_1", "Drug on the vial", &vial.drug));
    for (field, what, word) in words.into_iter().chain(drugs) {
        if word.trim().is_empty() {
            return Err(missing(field, what, "Read it and enter it."));
        }
        let length = word.chars().count();
        if length > WORD_LONGEST {
            let (value, accepted) = (format!("{length} characters long"), format!("at most {WORD_LONGEST}"));
            return Err(Refusal::OutOfRange { field, what, value, accepted });
        }
    }
    Ok(())
}

fn difference(
    agrees: bool,
    field: &str,
    what: &str,
    read: impl ToString,
    prepared: impl ToString,
) -> Option<Difference> {
    let (field, what) = (field.to_owned(), what.to_owned());
    (!agrees).then(|| Difference { field, what, read: read.to_string(), prepared: prepared.to_string() })
}

fn as_whom(read: &SecondReading) -> Vec<Difference> {
    let whose = &read.identified;
    difference(whose.agrees, "identifier", "patient", &whose.by, "the patient of this visit")
        .into_iter()
        .collect()
}

fn in_vials(session: &Session, read: &SecondReading, knowledge: &Knowledge) -> Vec<Difference> {
    let drawn = session.drawn_from();
    let mut differs: Vec<Difference> = difference(
        read.vials.len() == drawn.len(),
        "drug_1",
        "number of vials",
        read.vials.len(),
        drawn.len(),
    )
    .into_iter()
    .collect();
    for (n, ((scanned, stock), seen)) in drawn.into_iter().zip(&read.vials).enumerate() {
        let n = n + 1;
        let named = |what: &str| if n == 1 { what.to_owned() } else { format!("{what} of vial {n}") };
        let is_drug = knowledge.drugs.iter().any(|drug| drug.body.is_named(&seen.drug));
        let as_much = about(seen.drawn, stock, knowledge);
        differs.extend(
            [
                difference(is_drug, &format!("drug_{n}"), &named("drug"), &seen.drug, scanned.drug()),
                difference(
                    seen.strength == scanned.strength,
                    &format!("strength_{n}"),
                    &named("strength of the vial"),
                    seen.strength,
                    scanned.strength,
                ),
                difference(as_much, &format!("drawn_{n}"), &named("volume drawn"), seen.drawn, stock),
            ]
            .into_iter()
            .flatten(),
        );
    }
    differs
}

fn in_syringe(session: &Session, read: &SecondReading, knowledge: &Knowledge) -> Vec<Difference> {
    let sum = |of: fn(&super::state::Draw) -> Microlitres| {
        session.draws.iter().map(of).fold(Microlitres::ZERO, Microlitres::plus)
    };
    let (stock, volume) = (sum(|draw| draw.stock), sum(|draw| draw.diluted_to));
    let diluents = if stock == volume { vec![UNDILUTED] } else { knowledge.diluents() };
    let may_dilute = diluents.iter().any(|diluent| diluent.eq_ignore_ascii_case(read.diluent.trim()));
    [
        difference(may_dilute, "diluent", "diluent", &read.diluent, diluents.join(" or ")),
        difference(about(read.volume, volume, knowledge), "volume", "volume in all", read.volume, volume),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn against_order(order: &Order, read: &SecondReading, knowledge: &Knowledge) -> Vec<Difference> {
    let rules = knowledge.session_rules();
    let near = |a: i64, b: i64, by: i64| a.abs_diff(b) <= by.unsigned_abs();
    let weighs = near(read.dose_weight.0, order.dose_weight.0, rules.weight_match.0);
    // The dose of a weight that is off by as much as it may be.
    let off = i128::from(read.dose.0.abs_diff(order.dose.0)) * i128::from(order.dose_weight.0);
    let follows = off <= i128::from(order.dose.0) * i128::from(rules.weight_match.0);
    let flows = near(read.rate.0, order.rate.0, rules.pump_match.0);
    let holds = near(read.vtbi.0, order.vtbi.0, rules.vtbi_match.0);
    [
        difference(weighs, "dose_weight", "dose weight", read.dose_weight, order.dose_weight),
        difference(follows, "dose", "dose", read.dose, order.dose),
        difference(flows, "rate", "rate", read.rate, order.rate),
        difference(holds, "vtbi", "volume to be infused", read.vtbi, order.vtbi),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// A volume read off a syringe is the recorded one by as much as a dilution may be off.
fn about(read: Microlitres, recorded: Microlitres, knowledge: &Knowledge) -> bool {
    within_permille(read.0, recorded.0, knowledge.session_rules().dilution_permille)
}

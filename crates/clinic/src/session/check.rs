//! The independent second check: what another person reads and works out, beside what the first one did.
//!
//! Neither learns the other's number from a difference, so that a second look is a look and no copy. What differs a
//! second time is not looked at a third time: the syringe is drawn anew, or the order signed anew.

use super::event::{Difference, Event, Order, ScannedVial};
use super::preparing::{missing, within_permille};
use super::refusal::Refusal;
use super::state::Session;
use crate::knowledge::Knowledge;
use crate::quantity::{Concentration, Micrograms, Microlitres, Rate, Weight};
use crate::staff::{Signature, Somebody};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What stands for the diluent where a syringe is filled from the vial alone.
pub const UNDILUTED: &str = "undiluted";
/// What stands for the diluent of a draw of before that was asked.
const NOT_SAID: &str = "not recorded at the drawing";

/// What the second person enters before they see what the first one has.
///
/// Not asked, because it follows from what is: the strength after dilution (strength and volume of each vial by the
/// volume in all), the length (volume to be infused by the rate), and which weight counts (the regimen says so, and it
/// stands beside the field).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondReading {
    /// Who lies in the chair, beside the name that they say.
    pub identified: Identified,
    /// Each vial that was drawn from, in any order.
    pub vials: Vec<VialReading>,
    /// What the drug was diluted with.
    pub diluent: String,
    /// Volume in syringe or bag.
    pub volume: Microlitres,
    /// The weight that counts for the dose.
    pub dose_weight: Weight,
    /// Dose.
    pub dose: Micrograms,
    /// Rate to be programmed.
    pub rate: Rate,
    /// Volume to be infused.
    pub vtbi: Microlitres,
}

/// A patient by a second sign beside the name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identified {
    /// Record number or day of birth, as typed.
    pub by: String,
    /// It is of the patient of this visit.
    pub agrees: bool,
}

/// A vial as the second person reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VialReading {
    /// Drug on the label.
    pub drug: String,
    /// Strength on the label.
    pub strength: Concentration,
    /// Volume drawn from it.
    pub drawn: Microlitres,
}

/// Where two people look again at what they have differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StandsIn {
    /// Who sits here.
    Chair,
    /// Vials, syringe or bag.
    Syringe,
    /// The order, and what follows from it.
    Order,
}

impl StandsIn {
    /// What two people do who had the same thing differently twice.
    pub const fn settled_by(self) -> &'static str {
        match self {
            Self::Chair => "Nobody goes on until patient and wristband say the same.",
            Self::Syringe => "Discard the syringe before a witness, and draw the dose anew.",
            Self::Order => "The prescriber looks at the order and signs it anew.",
        }
    }
}

impl Difference {
    /// Where to look again.
    pub fn stands_in(&self) -> StandsIn {
        match self.field.as_str() {
            "identifier" => StandsIn::Chair,
            "dose_weight" | "dose" | "rate" | "vtbi" => StandsIn::Order,
            _ => StandsIn::Syringe,
        }
    }
}

impl Session {
    /// What is in the syringe or bag, diluted.
    pub fn drawn_volume(&self) -> Microlitres {
        self.draws.iter().map(|draw| draw.diluted_to).fold(Microlitres::ZERO, Microlitres::plus)
    }

    /// What the last second check had differently, as one before it had.
    pub fn differs_again(&self) -> Vec<&Difference> {
        let Some((last, before)) = self.second_checks_differed.split_last() else { return Vec::new() };
        let earlier = |one: &&Difference| before.iter().flatten().any(|other| other.what == one.what);
        last.iter().filter(earlier).collect()
    }

    /// A further check would settle nothing. Who sits here can become clear by asking again; a syringe or an order stays
    /// what it is.
    pub fn second_check_is_held(&self) -> bool {
        self.differs_again().iter().any(|one| one.stands_in() != StandsIn::Chair)
    }

    /// What settles the differences that two checks had in common: a third look at the same thing is guessing.
    pub fn settled_only_by(&self) -> Vec<String> {
        let again = self.differs_again();
        let places: BTreeSet<StandsIn> = again.iter().map(|one| one.stands_in()).collect();
        let of = |place: StandsIn| {
            let here = again.iter().filter(|one| one.stands_in() == place).map(|one| one.what.as_str());
            let here = here.collect::<Vec<_>>().join(", ");
            format!("Two second checks differ in: {here}. {}", place.settled_by())
        };
        places.into_iter().map(of).collect()
    }
}

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
            staff: Somebody::new(&last.by, None),
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
    all_words(&read)?;
    if session.second_check_is_held() {
        return Err(Refusal::Held { reasons: session.settled_only_by() });
    }
    let differs = [
        as_whom(&read),
        in_vials(session, &read, knowledge),
        in_syringe(session, &read, knowledge),
        against_order(session, order, &read, knowledge),
    ]
    .concat();
    Ok(vec![if differs.is_empty() {
        Event::SecondCheckAgreed { signature, read }
    } else {
        Event::SecondCheckDisagreed { signature, read, differs }
    }])
}

fn all_words(read: &SecondReading) -> Result<(), Refusal> {
    let words = [
        ("identifier", "Record number or birth date", &read.identified.by),
        ("diluent", "Diluent", &read.diluent),
    ];
    let drugs = read.vials.iter().map(|vial| ("drug_1", "Drug on the vial", &vial.drug));
    for (field, what, word) in words.into_iter().chain(drugs) {
        if word.trim().is_empty() {
            return Err(missing(field, what, "Read it and enter it."));
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

/// Whoever empties two vials lays them down in any order: a reading belongs to the vial that it fits.
fn in_vials(session: &Session, read: &SecondReading, knowledge: &Knowledge) -> Vec<Difference> {
    let mut drawn = session.drawn_from();
    let number = difference(
        read.vials.len() == drawn.len(),
        "drug_1",
        "number of vials",
        read.vials.len(),
        drawn.len(),
    );
    let mut unfit = Vec::new();
    for (n, seen) in read.vials.iter().enumerate() {
        let its = drawn.iter().position(|vial| in_vial(n + 1, seen, vial, knowledge).is_empty());
        match its {
            Some(its) => drop(drawn.remove(its)),
            None => unfit.push((n + 1, seen)),
        }
    }
    let others = unfit.into_iter().zip(drawn);
    number
        .into_iter()
        .chain(others.flat_map(|((n, seen), vial)| in_vial(n, seen, &vial, knowledge)))
        .collect()
}

fn in_vial(
    n: usize,
    seen: &VialReading,
    (scanned, stock): &(&ScannedVial, Microlitres),
    knowledge: &Knowledge,
) -> Vec<Difference> {
    let named = |what: &str| if n == 1 { what.to_owned() } else { format!("{what} of vial {n}") };
    let is_drug = knowledge.drugs.iter().any(|drug| drug.body.is_named(&seen.drug));
    let as_strong = seen.strength == scanned.strength;
    let as_much = about(seen.drawn, *stock, knowledge);
    let strength = named("strength of the vial");
    [
        difference(is_drug, &format!("drug_{n}"), &named("drug"), &seen.drug, scanned.drug()),
        difference(as_strong, &format!("strength_{n}"), &strength, seen.strength, scanned.strength),
        difference(as_much, &format!("drawn_{n}"), &named("volume drawn"), seen.drawn, stock),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What was recorded at the drawing; stock that needed no diluent stands beside one that did.
fn diluent_of(session: &Session) -> String {
    let of = |draw: &super::state::Draw| draw.diluent.clone().unwrap_or_else(|| NOT_SAID.to_owned());
    let mut all: BTreeSet<String> = session.draws.iter().map(of).collect();
    if all.len() > 1 {
        all.remove(UNDILUTED);
    }
    all.into_iter().collect::<Vec<_>>().join(" and ")
}

fn in_syringe(session: &Session, read: &SecondReading, knowledge: &Knowledge) -> Vec<Difference> {
    let volume = session.drawn_volume();
    let diluent = diluent_of(session);
    let is_diluent = diluent.eq_ignore_ascii_case(read.diluent.trim());
    [
        difference(is_diluent, "diluent", "diluent", &read.diluent, diluent),
        difference(about(read.volume, volume, knowledge), "volume", "volume in all", read.volume, volume),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn against_order(
    session: &Session,
    order: &Order,
    read: &SecondReading,
    knowledge: &Knowledge,
) -> Vec<Difference> {
    let rules = knowledge.session_rules();
    let near = |a: i64, b: i64, by: i64| a.abs_diff(b) <= by.unsigned_abs();
    let weighs = near(read.dose_weight.0, order.dose_weight.0, rules.weight_match.0);
    // The dose of a weight that is off by as much as it may be.
    let off = i128::from(read.dose.0.abs_diff(order.dose.0)) * i128::from(order.dose_weight.0);
    let follows = off <= i128::from(order.dose.0) * i128::from(rules.weight_match.0);
    // Who reads the syringe finds what was drawn, which a syringe's marks round as much as the drawing may.
    let follows = follows || read.dose == session.drawn_mass();
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

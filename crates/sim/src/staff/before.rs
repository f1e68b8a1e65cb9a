//! From the door to the start.

use super::{Act, Nurse, Scene, SignedFor};
use crate::bedside::Bedside;
use crate::cast::{Member, OSEI, ROBIN};
use clinic::device::Parameter;
use clinic::dose::DoseRequest;
use clinic::gate::{DayOfInputs, LastInfusion, Pressure};
use clinic::id::{DeviceId, OrderId, RuleId, VialId};
use clinic::knowledge::Knowledge;
use clinic::knowledge::gates::{Answer, Answers, Gate};
use clinic::knowledge::weight::Sex;
use clinic::quantity::{Concentration, Microlitres, Rate, Weight};
use clinic::session::gates::KNOWN_FACTS;
use clinic::session::{
    Command, Finding, Identified, Observation, Phase, PumpEntry, ScannedVial, SecondReading, Session,
    VialReading,
};
use clinic::staff::Signature;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Regimen of the simulated visits.
pub const REGIMEN: &str = "mdd_trd_std";
/// Entry of the pump's library, and the vial on the shelf.
const LIBRARY: &str = "library_psych";
const STOCK: &str = "ketamine_50";
/// Gates that are met by doing, not by answering.
const MET_BY_DOING: [&str; 3] = ["c10", "c15", "c16"];
/// Drawn above the dose, to fill the line, rounded up to whole steps.
const LINE_FILL: i64 = 1_500;
const SYRINGE_STEP: i64 = 500;

impl Nurse {
    pub(super) fn prepare(&mut self, me: Member, scene: &Scene<'_>, bedside: &mut Bedside) -> Option<Act> {
        let session = scene.session;
        let mine = |command| Some(Act::Do { who: me, command: Box::new(command) });
        if session.phase == Phase::Planned {
            let here = scene.now >= self.arrives;
            let check_in = Command::CheckIn { chair: self.chair.clone() };
            return here.then(|| Act::Do { who: ROBIN, command: Box::new(check_in) });
        }
        if session.weight.is_none() {
            return mine(self.weigh());
        }
        if let Some(gate) = unanswered(session, scene.knowledge) {
            return mine(self.answer(gate, scene, bedside));
        }
        if let Some(finding) = baseline(scene, bedside) {
            return mine(charted(scene, finding));
        }
        if session.order.is_none() {
            return self.sign_order(me, scene);
        }
        if session.vials.is_empty() {
            return mine(self.scan(scene)?);
        }
        if session.draws.is_empty() {
            return mine(draw(session, scene.knowledge)?);
        }
        if session.second_check.is_none() {
            return self.second_check(scene);
        }
        if session.program.is_none() {
            return mine(self.program(scene, bedside)?);
        }
        if session.phase != Phase::Ready {
            let points = scene.knowledge.session_rules().time_out.iter().map(|point| point.id.clone());
            return mine(Command::TimeOut { confirmed: points.collect() });
        }
        mine(Command::Start { counter: bedside.display(), contradicts: Vec::new() })
    }

    fn weigh(&self) -> Command {
        let again = self.story.infusion.0 > 1;
        Command::Weigh {
            weight: self.story.weight,
            height: Some(self.story.height),
            sex: Some(self.story.patient.sex.clone()),
            last: again.then(|| Weight(self.story.weight.0 + 300)),
            reason: None,
        }
    }

    fn answer(&self, gate: RuleId, scene: &Scene<'_>, bedside: &mut Bedside) -> Command {
        let mut inputs =
            DayOfInputs { answers: good_answers(&gate, scene.knowledge), ..DayOfInputs::default() };
        let mut note = String::new();
        match gate.as_str() {
            "c02" => {
                let days = Decimal::from(3);
                let again = self.story.infusion.0 > 1;
                inputs.last_infusion = Some(if again {
                    LastInfusion::Ago(days * Decimal::from(24))
                } else {
                    LastInfusion::Never
                });
            }
            "c04" => note = format!("{}, {}", self.escort(), ESCORT_PHONE),
            "c06" => inputs.medicines = Some(Vec::new()),
            "c11" => measure(&mut inputs, bedside),
            _ => {}
        }
        Command::AnswerGate { gate, inputs: Box::new(inputs), note }
    }

    pub(super) fn escort(&self) -> String {
        format!("Sam {}", self.story.patient.family)
    }

    fn sign_order(&self, me: Member, scene: &Scene<'_>) -> Option<Act> {
        let request = request(REGIMEN, &self.story.patient.sex, scene.session, scene.knowledge)?;
        let id = OrderId::new(format!("order-{}", self.visit));
        let command = Box::new(move |signature: Signature| Command::SignOrder {
            id,
            request: Box::new(request),
            beside_plan: None,
            reason: None,
            signature,
        });
        debug_assert_ne!(me, OSEI, "a nurse does not sign orders");
        Some(Act::Sign { who: OSEI, signer: OSEI, what_for: SignedFor::Order, command })
    }

    fn scan(&self, scene: &Scene<'_>) -> Option<Command> {
        let today = scene.now.to_zoned(TimeZone::UTC).date();
        scan(&format!("vial-{}", self.visit), today, scene.knowledge)
    }

    fn second_check(&self, scene: &Scene<'_>) -> Option<Act> {
        let read = second_reading(scene.session, &self.story.patient.mrn)?;
        let second = self.story.second();
        let command = Box::new(move |signature: Signature| Command::SecondCheck {
            signature,
            read: Some(Box::new(read)),
        });
        Some(Act::Sign { who: second, signer: second, what_for: SignedFor::SecondCheck, command })
    }

    fn program(&self, scene: &Scene<'_>, bedside: &Bedside) -> Option<Command> {
        let pump = &bedside.pump;
        program(self.pump_device.clone(), (pump.rate, pump.vtbi, pump.concentration), scene.knowledge)
    }
}

/// What another nurse has who looks at arm, vial and syringe, and works out the rest.
pub(crate) fn second_reading(session: &Session, mrn: &str) -> Option<SecondReading> {
    let (order, _) = session.order.as_ref()?;
    let vials = session.drawn_from().into_iter().map(|(vial, drawn)| VialReading {
        drug: vial.drug().to_owned(),
        strength: vial.strength,
        drawn,
    });
    let volumes = session.draws.iter().map(|draw| draw.diluted_to);
    Some(SecondReading {
        identified: Identified { by: mrn.to_owned(), agrees: true },
        vials: vials.collect(),
        diluent: session.draws.last()?.diluent.clone()?,
        volume: volumes.fold(Microlitres::ZERO, Microlitres::plus),
        dose_weight: order.dose_weight,
        dose: order.dose,
        rate: order.rate,
        vtbi: order.vtbi,
    })
}

/// Nobody has this number.
pub(crate) const ESCORT_PHONE: &str = "+1 555 0100";

/// The order of a regimen for whoever was weighed: the weakest strength of the library, from the vial on the shelf.
pub(crate) fn request(
    regimen: &str,
    sex: &str,
    session: &Session,
    knowledge: &Knowledge,
) -> Option<DoseRequest> {
    let (weight, _) = session.weight?;
    let entry = knowledge.pump_library.get(LIBRARY)?;
    let strength = Concentration::from_decimal(entry.body.concentrations.last()?.0)?;
    Some(DoseRequest {
        height: session.height,
        sex: Some(if sex == "f" { Sex::F } else { Sex::M }),
        stock: Concentration::from_decimal(knowledge.drugs.get(STOCK)?.body.strength.0),
        ..DoseRequest::new(RuleId::new(regimen), weight, strength)
    })
}

/// A new vial from the shelf.
pub(crate) fn scan(vial: &str, today: Date, knowledge: &Knowledge) -> Option<Command> {
    let drug = &knowledge.drugs.get(STOCK)?.body;
    let vial = ScannedVial {
        vial: VialId::new(vial),
        ndc: drug.ndc.first()?.clone(),
        lot: "SIM-0426".to_owned(),
        expires: today.saturating_add(jiff::Span::new().days(200)),
        strength: Concentration::from_decimal(drug.strength.0)?,
        volume: Microlitres::from_decimal(drug.vial.0)?,
        read_as: None,
    };
    Some(Command::ScanVial { vial, today, another: false })
}

/// What the display of the pump says.
pub(crate) fn program(
    device: Option<DeviceId>,
    (rate, vtbi, concentration): (Rate, Microlitres, Concentration),
    knowledge: &Knowledge,
) -> Option<Command> {
    let library_entry = knowledge.pump_library.get(LIBRARY)?.body.shown(concentration);
    Some(Command::ProgramPump { entry: PumpEntry { device, rate, vtbi, concentration, library_entry } })
}

/// The next gate that nobody answered, of those that are asked.
pub(crate) fn unanswered(session: &Session, knowledge: &Knowledge) -> Option<RuleId> {
    let asked = |body: &Gate| matches!(body, Gate::Questions(_));
    let mut gates = knowledge.gates.iter().filter(|item| asked(&item.body)).map(|item| &item.header.id);
    let open = gates.find(|id| {
        !MET_BY_DOING.contains(&id.as_str()) && !session.gates.contains_key(&RuleId::new(id.as_str()))
    })?;
    Some(RuleId::new(open))
}

/// Answers that pass, taken from what the gate asks: the right word, or a number well inside its bounds.
pub(crate) fn good_answers(gate: &RuleId, knowledge: &Knowledge) -> Answers {
    let mut answers = Answers::new();
    let Some(Gate::Questions(questions)) = knowledge.gates.get(gate.as_str()).map(|item| &item.body) else {
        return answers;
    };
    let mut bounds: BTreeMap<&str, (Option<Decimal>, Option<Decimal>)> = BTreeMap::new();
    for check in questions.checks.iter().filter(|check| !KNOWN_FACTS.contains(&check.fact.as_str())) {
        match check.is {
            Some(is) => {
                answers.insert(check.fact.clone(), Answer::Yes(is));
            }
            None => {
                let (low, high) = bounds.entry(&check.fact).or_default();
                *low = (*low).max(check.at_least);
                *high = match (*high, check.at_most) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
            }
        }
    }
    for (fact, (low, high)) in bounds {
        let number = match (low, high) {
            (Some(low), Some(high)) => ((low + high) / Decimal::TWO).floor(),
            (Some(low), None) => low + Decimal::ONE,
            (None, Some(high)) => (high / Decimal::TWO).floor(),
            (None, None) => continue,
        };
        answers.insert(fact.to_owned(), Answer::Number(number));
    }
    answers
}

/// Two cuff readings and the rest of the vital signs, as a nurse measures them before the start.
fn measure(inputs: &mut DayOfInputs, bedside: &mut Bedside) {
    let vitals = bedside.vitals();
    let of = |parameter: Parameter| vitals.get(&parameter).map(|value| value.decimal());
    if let (Some(systolic), Some(diastolic)) = (of(Parameter::Systolic), of(Parameter::Diastolic)) {
        let first = Pressure { systolic: systolic + Decimal::TWO, diastolic: diastolic + Decimal::ONE };
        inputs.pressures = vec![first, Pressure { systolic, diastolic }];
    }
    let facts = [
        ("heart_rate", Parameter::HeartRate),
        ("spo2", Parameter::Spo2),
        ("respiratory_rate", Parameter::RespiratoryRate),
    ];
    for (fact, parameter) in facts {
        if let Some(value) = of(parameter) {
            inputs.answers.insert(fact.to_owned(), Answer::Number(value));
        }
    }
    inputs.answers.insert("temperature".to_owned(), Answer::Number(Decimal::new(366, 1)));
    inputs.answers.insert("diabetic".to_owned(), Answer::Yes(false));
    inputs.symptoms = Some(std::collections::BTreeSet::new());
}

/// What is charted once before the start, so that changes can be seen.
fn baseline(scene: &Scene<'_>, bedside: &mut Bedside) -> Option<Finding> {
    let charted =
        |pick: fn(&Finding) -> bool| scene.session.observations.iter().any(|(seen, ..)| pick(&seen.finding));
    if !charted(|finding| matches!(finding, Finding::Vitals { .. })) {
        return Some(Finding::Vitals { values: bedside.vitals() });
    }
    if !charted(|finding| matches!(finding, Finding::MoaaS { .. })) {
        return Some(Finding::MoaaS { score: 5 });
    }
    if !charted(|finding| matches!(finding, Finding::Distress { .. })) {
        return Some(Finding::Distress { score: 2 });
    }
    None
}

pub(super) fn charted(scene: &Scene<'_>, finding: Finding) -> Command {
    Command::Chart(Observation::by_eye(scene.now, finding))
}

/// Draws the dose and the fill of the line.
pub(crate) fn draw(session: &Session, knowledge: &Knowledge) -> Option<Command> {
    let (order, _) = session.order.as_ref()?;
    let vial = session.vials.first()?;
    let steps = (order.volume.0 + LINE_FILL + SYRINGE_STEP - 1) / SYRINGE_STEP;
    let diluted_to = Microlitres(steps * SYRINGE_STEP);
    let stock = Microlitres(diluted_to.0.checked_mul(order.concentration.0)?.checked_div(vial.strength.0)?);
    let diluent = Some((*knowledge.diluents().last()?).to_owned());
    Some(Command::Draw { vial: vial.vial.clone(), stock, diluted_to, diluent })
}

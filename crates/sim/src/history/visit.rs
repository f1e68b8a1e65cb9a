//! One infusion visit, told in its main steps: each is a command that the domain decides.

use super::Stuck;
use super::pen::{Pen, Seat, Write, said, signed};
use super::start::Person;
use crate::cast::{KIM, LEE, Member, OSEI, ROBIN};
use crate::staff::after::{all_yes, home, score, waste};
use crate::staff::before::{draw, good_answers, program, request, scan, second_reading, unanswered};
use clinic::device::{Parameter, PumpStatus};
use clinic::gate::{DayOfInputs, LastInfusion, Pressure};
use clinic::id::{ChairId, OrderId, RuleId, SessionId};
use clinic::knowledge::gates::Answer;
use clinic::quantity::{Micrograms, Rate, Tenths, Weight};
use clinic::scenario::Cause;
use clinic::session::gates::discharge_assessment;
use clinic::session::{self, Command, Finding, Observation, Phase, PumpRead, ReadBy, Recorded, Session};
use clinic::staff::Signature;
use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rust_decimal::Decimal;

/// Which infusion it is.
pub(super) struct Planned {
    pub arrives: Timestamp,
    pub chair: ChairId,
    pub number: u32,
    pub of: u32,
    /// Start of the one before.
    pub before: Option<Timestamp>,
}

/// Minutes of a visit from the arrival to the start of the infusion.
pub(super) const BEFORE_MIN: i64 = 32;
/// Rise of the systolic pressure at its peak, mean and standard deviation in mmHg: 12 and 10 (hint for generators;
/// Vankawala 2021 found 12.6). The diastolic rises by two thirds of it, as there.
const RISE: (f64, f64) = (12.0, 10.0);
/// Patients of a hundred who feel sick: 20 to 25 (hint for generators).
const SICK: f64 = 22.0;

struct Visit<'p, 'a> {
    pen: &'p mut Pen<'a>,
    id: SessionId,
    session: Session,
    now: Timestamp,
}

/// What a visit gave.
pub(super) struct Given {
    pub session: SessionId,
    pub on: Date,
    pub delivered: Micrograms,
    pub dose_weight: Weight,
    /// Start of its infusion.
    pub begun: Timestamp,
    /// The patient went home.
    pub home: Timestamp,
}

/// Lives through one visit.
pub(super) fn infused(pen: &mut Pen, person: &Person, planned: &Planned) -> Result<Given, Stuck> {
    let id = SessionId::new(pen.id(planned.arrives));
    let mut visit = Visit { pen, id, session: Session::default(), now: planned.arrives };
    visit.arrive(person, planned)?;
    visit.pass_gates(person, planned)?;
    visit.prepare(person)?;
    let rest = (112.0 + visit.pen.chance.unit() * 18.0, 70.0 + visit.pen.chance.unit() * 9.0);
    let begun = visit.infuse(planned.arrives, rest)?;
    visit.recover(person, rest)?;
    let Visit { id: session, session: is, now: home, .. } = visit;
    Ok(Given {
        session,
        on: begun.to_zoned(pen.history.zone.clone()).date(),
        delivered: is.delivered_mass(home),
        dose_weight: is.order.map_or(person.weight, |(order, _)| order.dose_weight),
        begun,
        home,
    })
}

impl Visit<'_, '_> {
    fn minutes_pass(&mut self, minutes: i64) {
        self.now = self.now.saturating_add(Span::new().minutes(minutes)).unwrap_or(self.now);
    }

    /// Somebody does it, and what was asked is kept beside what followed, as the program does.
    fn act(&mut self, who: Member, command: Command) -> Result<(), Stuck> {
        let (actor, at) = (who.actor(), self.now);
        let cause = Cause { actor: actor.clone(), at, command };
        let doing = cause.command.doing();
        let events =
            session::decide(&self.session, cause.command.clone(), &actor, at, self.pen.history.knowledge)
                .map_err(|why| self.pen.stuck(at, doing, why))?;
        let asked = serde_json::to_string(&cause).map_err(|why| self.pen.stuck(at, doing, why))?;
        let writes = vec![
            Write { stream: format!("session/{}", self.id), events: events.iter().map(said).collect() },
            Write { stream: format!("command/{}", self.id), events: vec![(doing.to_owned(), asked)] },
        ];
        self.pen.write(at, &actor, writes);
        for event in events {
            let version = self.session.version + 1;
            let recorded = Recorded { position: version, version, at, by: actor.id.clone(), event };
            self.session = session::evolve(std::mem::take(&mut self.session), &recorded);
        }
        Ok(())
    }

    fn sits(&mut self, seat: Seat) {
        if let Some(entry) = self.pen.entries.last_mut() {
            entry.seat = Some(seat);
        }
    }

    /// Knowledge that is not there stops the history, as a refusal does.
    fn known(&self, command: Option<Command>, doing: &str) -> Result<Command, Stuck> {
        command.ok_or_else(|| self.pen.stuck(self.now, doing, "the knowledge has nothing for it"))
    }

    fn chart(&mut self, finding: Finding) -> Result<(), Stuck> {
        let observation = Observation::by_eye(self.now, finding);
        self.act(KIM, Command::Chart(observation))
    }

    fn sign(&self, who: Member, meaning: &str) -> Signature {
        signed(who, meaning, self.now)
    }

    fn arrive(&mut self, person: &Person, planned: &Planned) -> Result<(), Stuck> {
        let patient = person.id.clone();
        let day = self.now.to_zoned(self.pen.history.zone.clone()).date();
        let regimen = RuleId::new(person.illness.regimen);
        let (infusion, of) = (planned.number, planned.of);
        self.act(ROBIN, Command::Plan { patient: patient.clone(), regimen, infusion, of, day })?;
        let chair = planned.chair.clone();
        self.act(ROBIN, Command::CheckIn { chair: chair.clone() })?;
        self.sits(Seat::Taken { session: self.id.clone(), patient, chair });
        self.minutes_pass(5);
        let last = planned.before.map(|_| Weight(person.weight.0 + 300));
        self.act(
            KIM,
            Command::Weigh {
                weight: person.weight,
                height: Some(person.height),
                sex: Some(person.patient.sex.clone()),
                last,
                reason: None,
            },
        )
    }

    fn pass_gates(&mut self, person: &Person, planned: &Planned) -> Result<(), Stuck> {
        let knowledge = self.pen.history.knowledge;
        while let Some(gate) = unanswered(&self.session, knowledge) {
            let mut inputs =
                DayOfInputs { answers: good_answers(&gate, knowledge), ..DayOfInputs::default() };
            let mut note = String::new();
            match gate.as_str() {
                "c02" => inputs.last_infusion = Some(self.last_infusion(planned)),
                "c04" => note = escort(person),
                "c06" => inputs.medicines = Some(Vec::new()),
                "c11" => measured(&mut inputs),
                _ => {}
            }
            self.act(KIM, Command::AnswerGate { gate, inputs: Box::new(inputs), note })?;
        }
        self.minutes_pass(5);
        self.chart(Finding::MoaaS { score: 5 })?;
        self.chart(Finding::Distress { score: 2 })
    }

    fn last_infusion(&self, planned: &Planned) -> LastInfusion {
        let Some(before) = planned.before else { return LastInfusion::Never };
        LastInfusion::Ago(Decimal::from(self.now.duration_since(before).as_hours()))
    }

    fn prepare(&mut self, person: &Person) -> Result<(), Stuck> {
        let knowledge = self.pen.history.knowledge;
        self.minutes_pass(5);
        let ordered = request(person.illness.regimen, &person.patient.sex, &self.session, knowledge);
        let signature = self.sign(OSEI, "I order this infusion");
        let id = OrderId::new(format!("order-{}", self.id));
        let order = ordered.map(|request| Command::SignOrder {
            id,
            request: Box::new(request),
            beside_plan: None,
            reason: None,
            signature,
        });
        let order = self.known(order, "order")?;
        self.act(OSEI, order)?;
        let today = self.now.to_zoned(self.pen.history.zone.clone()).date();
        let vial = self.known(scan(&format!("vial-{}", self.id), today, knowledge), "scan")?;
        self.act(KIM, vial)?;
        let drawn = self.known(draw(&self.session, knowledge), "draw")?;
        self.act(KIM, drawn)?;
        self.minutes_pass(5);
        let Some((order, _)) = self.session.order.clone() else { return Ok(()) };
        let signature = self.sign(LEE, "I checked patient, vial, syringe, dose and rate");
        let read = second_reading(&self.session, &person.patient.mrn).map(Box::new);
        self.act(LEE, Command::SecondCheck { signature, read })?;
        let display = (order.rate, order.vtbi, order.concentration);
        let programmed = self.known(program(None, display, knowledge), "program")?;
        self.act(KIM, programmed)?;
        let confirmed = knowledge.session_rules().time_out.iter().map(|point| point.id.clone()).collect();
        self.act(KIM, Command::TimeOut { confirmed })
    }

    fn infuse(&mut self, arrived: Timestamp, rest: (f64, f64)) -> Result<Timestamp, Stuck> {
        self.now = arrived.saturating_add(Span::new().minutes(BEFORE_MIN)).unwrap_or(self.now).max(self.now);
        let begun = self.now;
        self.act(KIM, Command::Start { counter: clinic::quantity::Microlitres(0), contradicts: Vec::new() })?;
        let (minutes, volume) = self.session.order.as_ref().map_or((0, Default::default()), |(order, _)| {
            (order.minutes.try_into().unwrap_or(0), order.volume)
        });
        let half = minutes / 2;
        self.minutes_pass(half);
        let rise = RISE.0 + RISE.1 * self.pen.chance.noise();
        self.vitals(rest, rise.max(-8.0))?;
        let score = u8::try_from(2 + self.pen.chance.below(5)).unwrap_or_default();
        self.chart(Finding::Disconnected { score })?;
        if self.pen.one_of_hundred(SICK) {
            let playbook = RuleId::new("nausea_vomiting");
            let (began_at, text) = (self.now, "queasy".to_owned());
            self.act(KIM, Command::NoteAdverseEvent { playbook, grade: 1, serious: false, began_at, text })?;
        }
        self.minutes_pass(minutes - half);
        self.act(KIM, Command::Stop { reason: "the ordered volume is in".to_owned() })?;
        let read = PumpRead {
            by: ReadBy::Person,
            status: PumpStatus::NotInfusing,
            rate: Rate(0),
            counter: volume,
            read_at: self.now,
            reason: None,
            jumped: false,
            all_in: false,
        };
        self.act(KIM, Command::ReadPump { read })?;
        Ok(begun)
    }

    fn vitals(&mut self, (systolic, diastolic): (f64, f64), rise: f64) -> Result<(), Stuck> {
        let values = [
            (Parameter::Systolic, systolic + rise),
            (Parameter::Diastolic, diastolic + rise * 2.0 / 3.0),
            (Parameter::HeartRate, 68.0 + rise / 3.0),
            (Parameter::Spo2, 98.0),
            (Parameter::RespiratoryRate, 14.0),
        ];
        #[expect(clippy::cast_possible_truncation, reason = "vital signs of a made-up person")]
        let values = values.map(|(sign, value)| (sign, Tenths(value.round() as i32 * 10)));
        self.chart(Finding::Vitals { values: values.into() })
    }

    fn recover(&mut self, person: &Person, rest: (f64, f64)) -> Result<(), Stuck> {
        let knowledge = self.pen.history.knowledge;
        self.minutes_pass(6);
        let witness = self.sign(LEE, "I saw what was left wasted");
        let wasted = waste(&self.session, self.now).map(|wasted| wasted(witness));
        let wasted = self.known(wasted, "waste")?;
        self.act(KIM, wasted)?;
        let answers = all_yes(knowledge);
        let judged = discharge_assessment(&self.session, answers.clone(), self.now, knowledge);
        let earliest = judged.earliest.unwrap_or(self.now);
        self.now = earliest.saturating_sub(Span::new().minutes(4)).unwrap_or(self.now).max(self.now);
        self.vitals(rest, 0.0)?;
        self.chart(Finding::MoaaS { score: 5 })?;
        self.chart(Finding::AsBefore { as_before: true })?;
        self.chart(Finding::Nausea { score: 0 })?;
        self.act(KIM, score(knowledge))?;
        self.minutes_pass(5);
        let signature = self.sign(KIM, "Fit to go home");
        self.act(KIM, home(format!("Sam {}", person.patient.family), answers)(signature))?;
        self.sits(Seat::Freed { session: self.id.clone() });
        if self.session.phase == Phase::Discharged {
            return Ok(());
        }
        Err(self.pen.stuck(self.now, "go home", "the visit does not end"))
    }
}

fn escort(person: &Person) -> String {
    format!("Sam {}, {}", person.patient.family, crate::staff::before::ESCORT_PHONE)
}

/// Two calm cuff readings and the rest of what is measured before the start.
fn measured(inputs: &mut DayOfInputs) {
    inputs.pressures = vec![Pressure::new(122, 78), Pressure::new(120, 76)];
    let facts = [("heart_rate", 680), ("spo2", 980), ("respiratory_rate", 140), ("temperature", 366)];
    for (fact, tenths) in facts {
        inputs.answers.insert(fact.to_owned(), Answer::Number(Decimal::new(tenths, 1).normalize()));
    }
    inputs.answers.insert("diabetic".to_owned(), Answer::Yes(false));
    inputs.symptoms = Some(std::collections::BTreeSet::new());
}

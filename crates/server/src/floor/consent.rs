//! Consent: decide, append. What was signed answers the gate of the day, and what is not agreed to keeps an infusion
//! from starting.

use super::of_patient::{PatientAct, not_read};
use super::{Denied, Done, Floor};
use crate::{Fault, read_event, read_time};
use clinic::consent::{
    self, Consents, Cover, Event, Hand, How, Needs, Refusal, before_infusion, months_begun,
};
use clinic::course::Plan;
use clinic::course::exposure::by_weight;
use clinic::id::{ConsentId, PatientId, SessionId, StaffId};
use clinic::knowledge::gates::Answer;
use clinic::patient::Patient;
use clinic::session::gates::CONSENT_FACTS;
use clinic::session::{Command, Session};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// The gate that asks for consent.
const GATE: &str = "c03";

impl Floor {
    /// All that a patient was asked to agree to, from the log.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn consents(&self, patient: &PatientId) -> Result<Consents, Fault> {
        let mut all = Consents::default();
        for row in self.store.stream(&self.site, &stream_of(patient))? {
            all = all.evolve(&read_event(&row)?, &StaffId::new(&row.author), read_time(&row)?);
        }
        Ok(all)
    }

    /// Puts documents before a patient. The id of the act is the id of the asking.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn ask_consent(
        &self,
        act: &PatientAct,
        documents: &BTreeSet<String>,
        (cover, how, lasts): (&Cover, How, SignedDuration),
    ) -> Result<Done, Denied> {
        let id = ConsentId::new(act.command_id.as_str());
        let same = |event: &Event| {
            let Event::ConsentAsked { documents: were, cover: of, how: by, .. } = event else { return false };
            were.iter().map(|one| &one.document).collect::<BTreeSet<_>>() == documents.iter().collect()
                && (of, *by) == (cover, how)
        };
        self.act_on_consent(act, same, |_, now| {
            let expires = now.checked_add(lasts).unwrap_or(now);
            consent::ask(act.actor, id.clone(), documents, (cover.clone(), how, expires), &self.knowledge)
        })
    }

    /// The patient agrees to a document, with the answers to its questions.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn agree_to(
        &self,
        act: &PatientAct,
        which: (&ConsentId, &str),
        answers: &BTreeMap<String, u32>,
    ) -> Result<Done, Denied> {
        let same = |event: &Event| {
            matches!(event, Event::UnderstandingShown { consent, document, answers: were, .. }
                if (consent, document.as_str()) == which && were == answers)
        };
        self.act_on_consent(act, same, |all, now| {
            consent::agree(all, which, answers.clone(), now, &self.knowledge)
        })
    }

    /// The patient does not agree to a document.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn refuse_consent(
        &self,
        act: &PatientAct,
        which: (&ConsentId, &str),
        words: &str,
    ) -> Result<Done, Denied> {
        let same = |event: &Event| {
            matches!(event, Event::ConsentRefused { consent, document, words: said }
                if (consent, document.as_str()) == which && said == words.trim())
        };
        self.act_on_consent(act, same, |all, now| consent::disagree(all, which, words, now, &self.knowledge))
    }

    /// The patient signs what they agreed to, by typing their name or by drawing.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn sign_consent(
        &self,
        act: &PatientAct,
        which: &ConsentId,
        (patient, hand): (&Patient, Hand),
    ) -> Result<Done, Denied> {
        let same = |event: &Event| match (event, hand) {
            (Event::ConsentSigned { consent, name, .. }, Hand::Typed(typed)) => {
                consent == which && name == typed.trim()
            }
            (Event::ConsentDrawn { consent, drawing, .. }, Hand::Drawn(drawn, _)) => {
                consent == which && drawing == drawn
            }
            _ => false,
        };
        let digest = |words: &str| hex::encode(Sha256::digest(words.as_bytes()));
        self.act_on_consent(act, same, |all, now| {
            consent::sign(all, which, (patient, hand), digest, now, &self.knowledge)
        })
    }

    /// The patient takes agreement back; staff note what they said.
    ///
    /// # Errors
    /// A refusal, or that nothing is being recorded.
    pub fn withdraw_consent(
        &self,
        act: &PatientAct,
        documents: &[String],
        words: &str,
    ) -> Result<Done, Denied> {
        let same = |event: &Event| {
            matches!(event, Event::ConsentWithdrawn { documents: were, words: said }
                if were == documents && said == words.trim())
        };
        self.act_on_consent(act, same, |all, _| {
            consent::withdraw(all, act.actor, documents, words, &self.knowledge)
        })
    }

    fn act_on_consent(
        &self,
        act: &PatientAct,
        same: impl Fn(&Event) -> bool,
        decide: impl Fn(&Consents, Timestamp) -> Result<Event, Refusal>,
    ) -> Result<Done, Denied> {
        self.on_stream(&stream_of(act.patient), (act.command_id, act.actor), same, |at| {
            let all = self.consents(act.patient).map_err(not_read)?;
            Ok((all.version, decide(&all, at)?))
        })
    }

    /// What the patient has not agreed to, of all that the infusion of a visit needs.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn not_agreed(&self, session: &Session) -> Result<Vec<String>, Fault> {
        let Some(patient) = &session.patient else { return Ok(Vec::new()) };
        let all = self.consents(patient)?;
        Ok(before_infusion(&all, &self.needs_of(patient, Some(session))?, &self.knowledge).missing)
    }

    /// What the patient has not agreed to, of all that the next infusion needs.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn not_agreed_yet(&self, patient: &PatientId) -> Result<Vec<String>, Fault> {
        let all = self.consents(patient)?;
        Ok(before_infusion(&all, &self.needs_now(patient)?, &self.knowledge).missing)
    }

    /// What an agreement has to reach for the next infusion of a patient.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn needs_now(&self, patient: &PatientId) -> Result<Needs, Fault> {
        let visits = self.open_sessions();
        let open = visits.iter().find(|(_, session, _)| session.patient.as_ref() == Some(patient));
        self.needs_of(patient, open.map(|(_, session, _)| session))
    }

    /// What an agreement has to reach: the dose that is ordered in the visit, before an order that of the plan.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn needs_of(&self, patient: &PatientId, visit: Option<&Session>) -> Result<Needs, Fault> {
        let ordered = visit.map(ordered_in).filter(|needs| needs.dose.is_some());
        if let Some(needs) = ordered {
            return Ok(needs);
        }
        let course = self.course(patient)?.course;
        Ok(course.plan().map_or(Needs { dose: None, route: None }, Plan::needs))
    }

    /// What a command says of consent is what the patient signed, whoever sends it: the gate of the day is answered from
    /// it, and nothing starts without it. A dose that was ordered after the gate was answered counts too.
    pub(super) fn told_of_consent(&self, id: &SessionId, command: Command) -> Result<Command, Denied> {
        let asks = match &command {
            Command::AnswerGate { gate, .. } => gate.as_str() == GATE,
            Command::Start { .. } => true,
            _ => false,
        };
        let session = if asks { self.session(id).map_err(not_read)? } else { None };
        let Some(session) = session else { return Ok(command) };
        let Some(patient) = &session.patient else { return Ok(command) };
        let all = self.consents(patient).map_err(not_read)?;
        let needs = self.needs_of(patient, Some(&session)).map_err(not_read)?;
        let agreed = before_infusion(&all, &needs, &self.knowledge);
        Ok(match command {
            Command::AnswerGate { gate, mut inputs, note } => {
                let today = self.clock.now().to_zoned(TimeZone::UTC).date();
                let months = agreed.since().map(|at| months_begun(at.to_zoned(TimeZone::UTC).date(), today));
                let [covers, age] = CONSENT_FACTS.map(str::to_owned);
                inputs.answers.insert(covers, Answer::Yes(agreed.missing.is_empty()));
                match months {
                    Some(months) => inputs.answers.insert(age, Answer::Number(Decimal::from(months))),
                    None => inputs.answers.remove(&age),
                };
                Command::AnswerGate { gate, inputs, note }
            }
            Command::Start { counter, mut contradicts } => {
                contradicts.extend(agreed.missing);
                Command::Start { counter, contradicts }
            }
            other => other,
        })
    }
}

/// The dose of a visit by weight, where one is ordered.
fn ordered_in(session: &Session) -> Needs {
    let ordered = session.order.as_ref().and_then(|(order, _)| by_weight(order.dose, order.dose_weight));
    Needs { dose: ordered, route: None }
}

/// Stream of what a patient was asked to agree to.
fn stream_of(patient: &PatientId) -> String {
    format!("consent/{patient}")
}

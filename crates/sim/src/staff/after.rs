//! Recovery, waste before a witness, and home.

use super::before::{ESCORT_PHONE, charted};
use super::during::read_pump;
use super::{Act, Nurse, Scene, SignedFor, lasts};
use crate::bedside::Bedside;
use crate::cast::Member;
use clinic::knowledge::Knowledge;
use clinic::knowledge::discharge::Discharge;
use clinic::knowledge::gates::{Answer, Answers};
use clinic::monitor::{Leftovers, Unfinished};
use clinic::quantity::{Micrograms, Microlitres, mass_in, volume_of};
use clinic::session::balance::Balance;
use clinic::session::delivery::Certainty;
use clinic::session::gates::discharge_assessment;
use clinic::session::{Command, Finding, Session, VialFate};
use clinic::staff::Signature;
use jiff::Timestamp;

/// A linked pump has so long to give its last reading before a person reads it, in seconds.
const LINK_GIVES_S: i64 = 90;
/// Findings for the way home are not older than this, in seconds.
const FRESH_S: i64 = 600;
/// Time before the earliest discharge at which the nurse begins to look, in seconds.
const BEFORE_S: i64 = 240;
/// What stays in the line, at most.
const IN_THE_LINE: Microlitres = Microlitres(1_000);

impl Nurse {
    pub(super) fn recover(&mut self, me: Member, scene: &Scene<'_>, bedside: &mut Bedside) -> Option<Act> {
        let mine = |command| Some(Act::Do { who: me, command: Box::new(command) });
        let (_, _, ended) = scene.session.ended.as_ref()?;
        if scene.session.waste.is_none() {
            let settled = scene.session.delivery.certainty(scene.now) == Certainty::Read;
            if settled {
                return self.waste(me, scene);
            }
            if !bedside.is_linked() || lasts(*ended, scene.now) > LINK_GIVES_S {
                return mine(read_pump(scene, bedside));
            }
        }
        if let Some(command) = self.look(scene, bedside) {
            return mine(command);
        }
        self.send_home(me, scene, bedside)
    }

    fn waste(&self, me: Member, scene: &Scene<'_>) -> Option<Act> {
        let command = Box::new(waste(scene.session, scene.now)?);
        Some(Act::Sign { who: me, signer: self.story.second(), what_for: SignedFor::Waste, command })
    }

    fn send_home(&mut self, me: Member, scene: &Scene<'_>, bedside: &mut Bedside) -> Option<Act> {
        let answers = all_yes(scene.knowledge);
        let judged = discharge_assessment(scene.session, answers.clone(), scene.now, scene.knowledge);
        if lasts(scene.now, judged.earliest?) > BEFORE_S {
            return None;
        }
        let mine = |command| Some(Act::Do { who: me, command: Box::new(command) });
        if let Some(finding) = self.last_look(scene, bedside) {
            return mine(charted(scene, finding));
        }
        let scored = scene.session.discharge_score.as_ref();
        if scored.is_none_or(|(_, _, scored)| lasts(*scored, scene.now) >= FRESH_S) {
            return mine(score(scene.knowledge));
        }
        if judged.assessment.blocking().next().is_some() {
            return None;
        }
        let command = Box::new(home(self.escort(), answers));
        Some(Act::Sign { who: me, signer: me, what_for: SignedFor::Discharge, command })
    }

    /// What was not charted in the last minutes and is needed for the way home.
    fn last_look(&mut self, scene: &Scene<'_>, bedside: &mut Bedside) -> Option<Finding> {
        let fresh = |pick: fn(&Finding) -> bool| {
            let mut seen = scene.session.observations.iter().rev().map(|(seen, ..)| seen);
            seen.any(|seen| pick(&seen.finding) && lasts(seen.observed_at, scene.now) < FRESH_S)
        };
        if !fresh(|finding| matches!(finding, Finding::Vitals { .. })) {
            return Some(Finding::Vitals { values: bedside.vitals() });
        }
        if !fresh(|finding| matches!(finding, Finding::MoaaS { .. })) {
            return Some(Finding::MoaaS { score: self.alertness(bedside) });
        }
        if !fresh(|finding| matches!(finding, Finding::AsBefore { as_before: true })) {
            return match self.dissociation(bedside) {
                clear @ Finding::AsBefore { .. } => Some(clear),
                // Not clear yet: charted with the next round of observations.
                _ => None,
            };
        }
        (!fresh(|finding| matches!(finding, Finding::Nausea { .. }))).then_some(Finding::Nausea { score: 0 })
    }
}

/// Wastes what neither the patient nor the line has, once somebody saw it.
pub(crate) fn waste(
    session: &Session,
    now: Timestamp,
) -> Option<impl FnOnce(Signature) -> Command + Send + use<>> {
    let strength = session.concentration()?;
    let accounts = Balance::of(session, now);
    let rest = accounts.drawn.minus(accounts.discarded).minus(accounts.delivered);
    let in_line = IN_THE_LINE.min(volume_of(rest, strength)?);
    let left = rest.minus(mass_in(in_line, strength));
    let wasted = volume_of(left, strength)?;
    let rounded = left != mass_in(wasted, strength) || left < Micrograms::ZERO;
    let left_in_vials = session.opened().into_iter().filter_map(|(vial, drawn)| {
        Some((vial.vial.clone(), volume_of(vial.holds().minus(drawn), vial.strength)?))
    });
    let left_in_vials = left_in_vials.collect();
    let explanation = rounded.then(|| "rounded to the smallest step of the syringe".to_owned());
    Some(move |witness| Command::Waste {
        wasted,
        residual_in_line: in_line,
        left_in_vials,
        vial_fate: VialFate::Wasted,
        explanation,
        witness,
    })
}

/// Sends home with the escort, with a word on whatever was left undone.
pub(crate) fn home(escort: String, answers: Answers) -> impl FnOnce(Signature) -> Command + Send + use<> {
    let words = Unfinished::ALL.map(|kind| (kind, "looked at with the patient at the door".to_owned()));
    move |signature| Command::Discharge {
        escort,
        escort_phone: ESCORT_PHONE.to_owned(),
        answers,
        instructions: "home-v1".to_owned(),
        unfinished: Leftovers::new(),
        words: words.into(),
        signature,
    }
}

/// Every question of the way home answered well.
pub(crate) fn all_yes(knowledge: &Knowledge) -> Answers {
    let criteria = knowledge.discharge.iter().filter_map(|item| match &item.body {
        Discharge::Criteria(criteria) => Some(&criteria.yes),
        Discharge::Score(_) => None,
    });
    criteria.flatten().map(|must| (must.fact.clone(), Answer::Yes(true))).collect()
}

/// Full marks: these people recover well.
pub(crate) fn score(knowledge: &Knowledge) -> Command {
    let items = knowledge.discharge.iter().filter_map(|item| match &item.body {
        Discharge::Score(score) => Some(&score.items),
        Discharge::Criteria(_) => None,
    });
    let best = |answers: usize| u8::try_from(answers.saturating_sub(1)).unwrap_or_default();
    let items = items.flatten().map(|item| (item.id.clone(), best(item.answers.len()))).collect();
    Command::ScoreDischarge { items }
}

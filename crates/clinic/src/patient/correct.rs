//! A slip in a registration, put right by who may register, with a reason; what stood there before stays in the log.

use super::{Allergies, Event, Patient, Refusal, accepted};
use crate::session::{Phase, Session};
use crate::staff::{Actor, Role};
use crate::text::Kind;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// Who somebody is, as it is registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    /// Medical record number.
    pub mrn: String,
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Day of birth.
    pub born: Date,
    /// Sex as the dose weight needs it: `f` or `m`.
    pub sex: String,
}

impl Details {
    /// The patient whose they are.
    pub fn of(self, allergies: Allergies) -> Patient {
        let Self { mrn, family, given, born, sex } = self;
        Patient { mrn, family, given, born, sex, allergies }
    }
}

impl From<Patient> for Details {
    fn from(patient: Patient) -> Self {
        let Patient { mrn, family, given, born, sex, .. } = patient;
        Self { mrn, family, given, born, sex }
    }
}

/// Checks a correction of what is `known`, while the `open` visits of the patient stand as they do.
///
/// # Errors
/// Names the field, or says what to do first.
pub fn correct(
    known: &Patient,
    (details, reason): (Details, String),
    actor: &Actor,
    open: &[Session],
    today: Date,
) -> Result<Event, Refusal> {
    if !(actor.role.treats() || actor.role == Role::FrontDesk) {
        return Err(Refusal::NotAllowed { role: actor.role.title() });
    }
    let details = Details::from(accepted(details.of(known.allergies.clone()), today)?);
    if reason.trim().is_empty() {
        return Err(Refusal::Empty { field: "reason" });
    }
    Kind::Reason
        .check(&reason)
        .map_err(|unfit| Refusal::Reason { value: unfit.value, accepted: unfit.accepted })?;
    if details == Details::from(known.clone()) {
        return Err(Refusal::NothingDiffers);
    }
    if open.iter().any(is_treated) {
        return Err(Refusal::Treated);
    }
    let weighed = open.iter().filter(|session| session.phase.preparing()).find_map(|one| one.sex.clone());
    if let Some(weighed) = weighed.filter(|weighed| known.sex != details.sex && *weighed != details.sex) {
        return Err(Refusal::Weighed { weighed });
    }
    Ok(Event::DetailsCorrected { details, reason })
}

/// Between the second check and the stop: a person stands on what is registered.
const fn is_treated(session: &Session) -> bool {
    match session.phase {
        Phase::Ready | Phase::Infusing | Phase::Paused => true,
        Phase::New | Phase::Planned | Phase::CheckedIn | Phase::Gated => session.second_check.is_some(),
        _ => false,
    }
}

//! A person before the first visit: what they said, and what the clinic decided. The front desk sorts; whatever the
//! answers make a clinical question, a clinician decides.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::{Refusal, WORDS_LONGEST, check_line, check_words, said};
use crate::id::PatientId;
use crate::knowledge::care::Intake;
use crate::staff::{Actor, Role};
use crate::text::{is_email, rings, unfit, unfit_in_line};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Most characters of a name, of a phone number and of an e-mail address.
const NAME_LONGEST: usize = 200;
const PHONE_LONGEST: usize = 40;
const EMAIL_LONGEST: usize = 254;

/// What a person says about danger to their own life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Crisis {
    /// No such thoughts.
    No,
    /// Thoughts of suicide or self-harm.
    Thoughts,
    /// In danger now.
    Danger,
}

impl Crisis {
    /// Somebody must see to it now.
    pub const fn calls(self) -> bool {
        matches!(self, Self::Thoughts | Self::Danger)
    }

    /// As staff read it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::No => "no thoughts of suicide",
            Self::Thoughts => "thoughts of suicide or self-harm",
            Self::Danger => "in danger now",
        }
    }
}

/// What speaks against a treatment, so that "none" is never mistaken for "not answered".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exclusions {
    /// Nothing was answered.
    #[default]
    NotAnswered,
    /// None of what was asked.
    None,
    /// These, by id.
    These(Vec<String>),
}

/// What a person said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// Name as the person gave it.
    pub name: String,
    /// Phone number, or empty.
    pub phone: String,
    /// E-mail address, or empty.
    pub email: String,
    /// Conditions, by id.
    pub conditions: Vec<String>,
    /// What the person hopes for.
    pub goals: String,
    /// What was tried before.
    pub treatments: String,
    /// What speaks against it.
    pub exclusions: Exclusions,
    /// Danger to their own life.
    pub crisis: Crisis,
}

impl Inquiry {
    /// The person left a way to be reached.
    pub const fn can_be_reached(&self) -> bool {
        !self.phone.is_empty() || !self.email.is_empty()
    }

    /// What was left cannot be a number that rings, or an address: a slip that did not keep a call for help waiting.
    pub fn contact_doubtful(&self) -> [bool; 2] {
        [check_phone(&self.phone).is_err(), check_email(&self.email).is_err()]
    }

    /// The same person, as far as what was left tells: a contact in common, and no other name.
    pub fn is_from_the_same(&self, other: &Self) -> bool {
        let shared = |own: &str, its: &str| !own.is_empty() && own == its;
        let contact = shared(&self.phone, &other.phone) || shared(&self.email, &other.email);
        contact && (self.name == other.name || self.name.is_empty() || other.name.is_empty())
    }

    /// Why a clinician decides, in words; none when the front desk may.
    pub fn flags(&self, intake: &Intake) -> Vec<String> {
        let mut flags = Vec::new();
        if self.crisis.calls() {
            flags.push(self.crisis.text().to_owned());
        }
        match &self.exclusions {
            Exclusions::NotAnswered => flags.push("exclusions not answered".to_owned()),
            Exclusions::None => {}
            Exclusions::These(which) => flags.extend(which.iter().map(|id| intake.exclusion(id).to_owned())),
        }
        flags
    }
}

/// Where an inquiry can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A consultation is booked.
    Consultation,
    /// A nurse or a prescriber looks at it first.
    ClinicalReview,
    /// Somebody else can help better.
    Redirect,
}

/// Where an inquiry stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// Nobody has looked at it.
    #[default]
    Received,
    /// A consultation is booked.
    Consultation,
    /// A clinician must look at it.
    ClinicalReview,
    /// Sent to somebody who can help better.
    Redirected,
    /// The person is a patient here.
    Registered,
    /// Over.
    Closed,
}

impl Stage {
    /// Each, in the order of the path.
    pub const ALL: [Self; 6] = [
        Self::Received,
        Self::ClinicalReview,
        Self::Consultation,
        Self::Redirected,
        Self::Registered,
        Self::Closed,
    ];

    /// As addresses and views know it.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::ClinicalReview => "clinical_review",
            Self::Consultation => "consultation",
            Self::Redirected => "redirected",
            Self::Registered => "registered",
            Self::Closed => "closed",
        }
    }

    /// As a person reads it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Received => "new",
            Self::ClinicalReview => "in clinical review",
            Self::Consultation => "for consultation",
            Self::Redirected => "redirected",
            Self::Registered => "registered",
            Self::Closed => "closed",
        }
    }
}

/// What a person of the clinic decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Where it goes.
    Triage { to: Way, reason: String },
    /// The person becomes a patient.
    Register { patient: PatientId },
    /// It is over.
    Close { reason: String },
}

/// What can happen to an inquiry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// Somebody asked, or sent again what was refused of a call for help. `flags` are the reasons why a clinician decides,
    /// as they were on that day.
    InquiryReceived { inquiry: Inquiry, flags: Vec<String> },
    /// Where it went, and who said so.
    InquiryTriaged { to: Way, reason: String, role: Role },
    /// The person is a patient from here on.
    InquiryRegistered { patient: PatientId },
    /// It is over, and who said so.
    InquiryClosed {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        role: Option<Role>,
    },
}

impl Event {
    /// What was said by somebody who must be seen to now.
    pub const fn calls_for_help(&self) -> Option<&Inquiry> {
        match self {
            Self::InquiryReceived { inquiry, .. } if inquiry.crisis.calls() => Some(inquiry),
            _ => None,
        }
    }

    /// Why, for who is no clinician: the front desk's own reason. A reason whose author nobody wrote down is a clinician's.
    pub fn reason_of_the_desk(&self) -> Option<&str> {
        match self {
            Self::InquiryTriaged { reason, role, .. } | Self::InquiryClosed { reason, role: Some(role) } => {
                (*role == Role::FrontDesk).then_some(reason)
            }
            Self::InquiryReceived { .. } | Self::InquiryRegistered { .. } | Self::InquiryClosed { .. } => {
                None
            }
        }
    }

    /// This is what that command asked for: the same form, sent again, says nothing new.
    pub fn answers(&self, asked: &Command) -> bool {
        match (self, asked) {
            (Self::InquiryTriaged { to, reason, .. }, Command::Triage { to: way, reason: why }) => {
                to == way && reason == why.trim()
            }
            (Self::InquiryRegistered { patient }, Command::Register { patient: who }) => patient == who,
            (Self::InquiryClosed { reason, .. }, Command::Close { reason: why }) => reason == why.trim(),
            _ => false,
        }
    }
}

/// An inquiry as its events add up. Not serialisable: only events are stored.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Care {
    /// Number of events taken in.
    pub version: i64,
    /// What the person said; none before anybody asked.
    pub inquiry: Option<Inquiry>,
    /// When.
    pub received_at: Timestamp,
    /// Why a clinician decides.
    pub flags: Vec<String>,
    /// Where it stands.
    pub stage: Stage,
    /// A clinician decided since the last doubt.
    pub reviewed: bool,
    /// Who the person is here.
    pub patient: Option<PatientId>,
}

impl Care {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event, at: Timestamp) -> Self {
        self.version += 1;
        match event {
            Event::InquiryReceived { inquiry, flags } => {
                self.inquiry = Some(inquiry.clone());
                self.flags.clone_from(flags);
                if self.version == 1 {
                    self.received_at = at;
                }
            }
            Event::InquiryTriaged { to, role, .. } => {
                self.reviewed = *to != Way::ClinicalReview && (self.reviewed || role.treats());
                self.stage = match to {
                    Way::Consultation => Stage::Consultation,
                    Way::ClinicalReview => Stage::ClinicalReview,
                    Way::Redirect => Stage::Redirected,
                };
            }
            Event::InquiryRegistered { patient } => {
                self.patient = Some(patient.clone());
                self.stage = Stage::Registered;
            }
            Event::InquiryClosed { .. } => self.stage = Stage::Closed,
        }
        self
    }

    /// Only a clinician may go on: something was answered that asks for one, or the front desk asked, and none has
    /// decided since.
    pub const fn held(&self) -> bool {
        !self.reviewed && (!self.flags.is_empty() || matches!(self.stage, Stage::ClinicalReview))
    }
}

/// Takes what a person said from outside. Somebody in danger need not fill in a form: then only what is there is
/// looked at, and a slip in the phone number or the address is kept as it was typed.
///
/// # Errors
/// Everything that is wrong, each with its field.
pub fn receive(said: Inquiry, intake: &Intake) -> Result<Event, Vec<Refusal>> {
    let inquiry = Inquiry {
        name: said.name.trim().to_owned(),
        phone: said.phone.trim().to_owned(),
        email: said.email.trim().to_owned(),
        ..said
    };
    let mut wrong: Vec<Refusal> = [
        check_line("name", &inquiry.name, NAME_LONGEST),
        check_line("phone", &inquiry.phone, PHONE_LONGEST),
        check_line("email", &inquiry.email, EMAIL_LONGEST),
        check_words("goals", &inquiry.goals, WORDS_LONGEST),
        check_words("treatments", &inquiry.treatments, WORDS_LONGEST),
        known("conditions", "The condition", &inquiry.conditions, |id| intake.has_condition(id)),
    ]
    .into_iter()
    .filter_map(Result::err)
    .collect();
    if let Exclusions::These(which) = &inquiry.exclusions {
        wrong.extend(known("exclusions", "The answer", which, |id| intake.has_exclusion(id)).err());
    }
    if !inquiry.crisis.calls() {
        wrong.extend(
            [check_phone(&inquiry.phone), check_email(&inquiry.email)].into_iter().filter_map(Result::err),
        );
        wrong.extend(missing(&inquiry));
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let flags = inquiry.flags(intake);
    Ok(Event::InquiryReceived { inquiry, flags })
}

/// What is kept of a call for help whose form is refused, so that somebody sees to it at once: what is too long as far as
/// it fits, no character that is no text, nothing that was not to choose from. `None` where nobody calls.
pub fn call_for_help(said: Inquiry, intake: &Intake) -> Option<Event> {
    if !said.crisis.calls() {
        return None;
    }
    let kept = |text: &str, most: usize, unfit: fn(&str) -> Option<char>| {
        let is_text = |one: &char| unfit(one.encode_utf8(&mut [0; 4])).is_none();
        text.trim().chars().filter(is_text).take(most).collect::<String>()
    };
    let exclusions = match said.exclusions {
        Exclusions::These(which) => {
            let known: Vec<String> = which.into_iter().filter(|id| intake.has_exclusion(id)).collect();
            if known.is_empty() { Exclusions::NotAnswered } else { Exclusions::These(known) }
        }
        other => other,
    };
    let inquiry = Inquiry {
        name: kept(&said.name, NAME_LONGEST, unfit_in_line),
        phone: kept(&said.phone, PHONE_LONGEST, unfit_in_line),
        email: kept(&said.email, EMAIL_LONGEST, unfit_in_line),
        conditions: said.conditions.into_iter().filter(|id| intake.has_condition(id)).collect(),
        goals: kept(&said.goals, WORDS_LONGEST, unfit),
        treatments: kept(&said.treatments, WORDS_LONGEST, unfit),
        exclusions,
        crisis: said.crisis,
    };
    let flags = inquiry.flags(intake);
    Some(Event::InquiryReceived { inquiry, flags })
}

fn missing(inquiry: &Inquiry) -> Vec<Refusal> {
    let mut missing = Vec::new();
    let mut empty = |is: bool, refusal| missing.extend(is.then_some(refusal));
    empty(inquiry.name.is_empty(), Refusal::Empty { field: "name", what: "Your name" });
    empty(!inquiry.can_be_reached(), Refusal::NoContact);
    empty(
        inquiry.conditions.is_empty(),
        Refusal::Empty { field: "conditions", what: "What you want help with" },
    );
    let unanswered = match &inquiry.exclusions {
        Exclusions::NotAnswered => true,
        Exclusions::None => false,
        Exclusions::These(which) => which.is_empty(),
    };
    empty(unanswered, Refusal::Empty { field: "exclusions", what: "What we should know about your health" });
    missing
}

fn known(
    field: &'static str,
    what: &'static str,
    ids: &[String],
    is: impl Fn(&str) -> bool,
) -> Result<(), Refusal> {
    match ids.iter().find(|id| !is(id)) {
        Some(id) => Err(Refusal::Unknown { field, what, entered: id.chars().take(NAME_LONGEST).collect() }),
        None => Ok(()),
    }
}

fn check_phone(phone: &str) -> Result<(), Refusal> {
    if phone.is_empty() || rings(phone) {
        return Ok(());
    }
    let accepted = "Accepted is a number with at least five digits, with the area code.";
    Err(Refusal::Contact { field: "phone", what: "The phone number", entered: phone.to_owned(), accepted })
}

fn check_email(email: &str) -> Result<(), Refusal> {
    if email.is_empty() || is_email(email) {
        return Ok(());
    }
    let accepted = "Accepted is an address such as ana@example.org.";
    Err(Refusal::Contact { field: "email", what: "The e-mail address", entered: email.to_owned(), accepted })
}

/// Decides about an inquiry.
///
/// # Errors
/// Who may instead, what must come first, or the field that is empty.
pub fn decide(care: &Care, command: Command, actor: &Actor) -> Result<Event, Refusal> {
    let (doing, needs) = match &command {
        Command::Triage { .. } => ("send it on", "It stays as it is."),
        Command::Register { .. } => ("register the person", "Send it to consultation first."),
        Command::Close { .. } => ("close it", "It stays as it is."),
    };
    if !(actor.role.treats() || actor.role == Role::FrontDesk) {
        let role = actor.role.title();
        return Err(Refusal::NotAllowed { doing, role, needs: "front desk, nurse or prescriber" });
    }
    let fits = match &command {
        Command::Triage { .. } => !matches!(care.stage, Stage::Registered | Stage::Closed),
        Command::Register { .. } => care.stage == Stage::Consultation,
        Command::Close { .. } => care.stage != Stage::Closed,
    };
    if care.inquiry.is_none() || !fits {
        return Err(Refusal::WrongStage { doing, stage: care.stage.title(), needs });
    }
    let only_asks = matches!(command, Command::Triage { to: Way::ClinicalReview, .. });
    if !actor.role.treats() && !only_asks && care.held() {
        return Err(Refusal::ClinicianDecides);
    }
    Ok(match command {
        Command::Triage { to, reason } => {
            Event::InquiryTriaged { to, reason: said("reason", &reason)?, role: actor.role }
        }
        Command::Register { patient } => Event::InquiryRegistered { patient },
        Command::Close { reason } => {
            Event::InquiryClosed { reason: said("reason", &reason)?, role: Some(actor.role) }
        }
    })
}

#[cfg(test)]
mod tests;

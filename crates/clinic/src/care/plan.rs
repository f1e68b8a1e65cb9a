//! What stands beside the infusions: what the patient wants to be able to do again, what was worked on in therapy,
//! which medicines change, and who else cares for the patient. One stream, `care_plan/<patient>`.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

use super::{Refusal, WORDS_LONGEST, check_line, check_words, said};
use crate::id::{CarerId, GoalId, NoteId, StaffId};
use crate::staff::{Actor, Role};
use crate::text::is_reason;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Best rating of a goal: 0 is "not at all", this is "as I want it".
pub const RATING_BEST: u8 = 10;
/// Longest note of a therapist.
pub const NOTE_LONGEST: usize = 8_000;
/// Goals that somebody follows at once; more are a list of wishes.
pub const GOALS_MOST: usize = 8;
/// Longest line: a name, a dose, an address.
const LINE_LONGEST: usize = 200;

macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $case:ident: $word:literal, $title:literal;)* })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$of])* $case,)* }

        impl $name {
            /// Each, as a form offers them.
            pub const ALL: &[Self] = &[$(Self::$case),*];

            /// As a form sends it.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$case => $word,)* }
            }
            /// As a person reads it.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$case => $title,)* }
            }
            /// Read back from a form.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word() == word)
            }
        }
    )*};
}

words! {
    /// Which part of the therapy a note is about.
    NoteKind {
        /// Before the first infusion or the next one.
        Preparation: "preparation", "Preparation";
        /// While the infusion ran or in recovery.
        InSession: "in_session", "In session";
        /// Within days after an infusion.
        Integration: "integration", "Integration";
        /// Between the visits.
        Between: "between", "Between visits";
    }
    /// Who may read a note, as the patient agreed.
    Readers {
        /// Whoever wrote it and the other therapists.
        Therapists: "therapists", "therapists only";
        /// Nurses and prescribers too.
        Team: "team", "the whole team";
    }
    /// What happened to a medicine.
    MedicineChange {
        /// It has been taken for some time.
        Takes: "takes", "takes it";
        /// New.
        Started: "started", "started";
        /// Another dose or another time of day.
        Changed: "changed", "dose changed";
        /// Not taken any more.
        Stopped: "stopped", "stopped";
    }
    /// What a patient is asked about the way and the wish behind the treatment.
    About {
        /// Hoped for, and feared: many come when all else has failed.
        Expects: "expects", "What the patient expects of the treatment";
        /// Agreed before it is needed.
        IfNot: "if_not", "What comes next if it does not help";
        /// Light, music, company, a blanket, being spoken to or left alone.
        Comfort: "comfort", "What makes an infusion easier";
        /// Memories that come up, and the way back from them.
        Frightens: "frightens", "What frightens the patient, and what calms";
        /// Between the visits.
        Copes: "copes", "What helps on bad days";
        /// A wish, and never an exclusion.
        RatherNot: "rather_not", "What the patient would rather not take";
    }
}

/// Who decided that a medicine changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// This physician.
    Physician(String),
    /// The patient, without asking one.
    PatientAlone,
}

/// A medicine as the patient tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Medicine {
    pub name: String,
    /// Dose and times, in the words of the label.
    pub dose: String,
    pub change: MedicineChange,
    pub decided_by: DecidedBy,
    /// Day of the change, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Date>,
}

impl Medicine {
    /// Left off or changed without a physician: somebody has to speak with the patient before the next infusion.
    pub fn asks_for_a_physician(&self) -> bool {
        self.decided_by == DecidedBy::PatientAlone
            && matches!(self.change, MedicineChange::Changed | MedicineChange::Stopped)
    }
}

/// Somebody outside the clinic who cares for the patient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carer {
    pub name: String,
    /// Family doctor, psychiatrist, therapist, pain clinic, a relative.
    pub role: String,
    /// Where a letter or a call reaches them.
    pub contact: String,
}

/// What a note says instead of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amends {
    pub note: NoteId,
    pub reason: String,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    NameGoal { goal: GoalId, words: String },
    RateGoal { goal: GoalId, rating: u8 },
    EndGoal { goal: GoalId, why: String },
    WriteNote { note: NoteId, about: NoteKind, text: String, readers: Readers, amends: Option<Amends> },
    OpenNote { note: NoteId, reason: String },
    RecordMedicine(Medicine),
    AskMedicines,
    NameCarer { carer: CarerId, carer_is: Carer },
    AgreeToShare { carer: CarerId, agreed: bool },
    Tell { about: About, words: String },
}

/// What can happen beside the infusions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// In the patient's own words.
    GoalNamed { goal: GoalId, words: String },
    /// By the patient, 0 to [`RATING_BEST`].
    GoalRated { goal: GoalId, rating: u8 },
    /// Reached, or not wanted any more.
    GoalEnded { goal: GoalId, why: String },
    /// A therapist's note.
    NoteWritten {
        note: NoteId,
        about: NoteKind,
        text: String,
        readers: Readers,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        amends: Option<Amends>,
    },
    /// Somebody outside the circle of its readers read it, and said why.
    NoteOpened { note: NoteId, reason: String },
    /// A medicine, as it is taken from now on.
    MedicineRecorded(Medicine),
    /// Asked; nothing is taken otherwise than recorded.
    MedicinesAsked,
    /// Somebody outside who cares for the patient.
    CarerNamed {
        carer: CarerId,
        #[serde(flatten)]
        carer_is: Carer,
    },
    /// What the patient says about summaries for that person.
    SharingAgreed { carer: CarerId, agreed: bool },
    /// The patient's own words; the last ones about a thing count.
    Told { about: About, words: String },
}

impl Event {
    /// Whether a form that says this was answered by this event.
    pub fn answers(&self, command: &Command) -> bool {
        match (self, command) {
            (Self::GoalNamed { words, .. }, Command::NameGoal { words: typed, .. }) => words == typed.trim(),
            (Self::GoalRated { goal, rating }, Command::RateGoal { goal: of, rating: typed }) => {
                (goal, rating) == (of, typed)
            }
            (Self::GoalEnded { goal, why }, Command::EndGoal { goal: of, why: typed }) => {
                goal == of && why == typed.trim()
            }
            (Self::NoteWritten { text, readers, about, .. }, Command::WriteNote { text: typed, .. })
                if text == typed.trim() =>
            {
                matches!(command, Command::WriteNote { readers: r, about: a, .. } if r == readers && a == about)
            }
            (Self::NoteOpened { note, reason }, Command::OpenNote { note: of, reason: typed }) => {
                note == of && reason == typed.trim()
            }
            (Self::MedicineRecorded(is), Command::RecordMedicine(typed)) => *is == trimmed(typed.clone()),
            (Self::MedicinesAsked, Command::AskMedicines) => true,
            (Self::CarerNamed { carer_is, .. }, Command::NameCarer { carer_is: typed, .. }) => {
                *carer_is == one_line(typed.clone())
            }
            (Self::SharingAgreed { carer, agreed }, Command::AgreeToShare { carer: of, agreed: typed }) => {
                (carer, agreed) == (of, typed)
            }
            (Self::Told { about, words }, Command::Tell { about: of, words: typed }) => {
                about == of && words == typed.trim()
            }
            _ => false,
        }
    }
}

/// Something the patient wants to be able to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    pub id: GoalId,
    pub words: String,
    pub named: Timestamp,
    /// By the patient, oldest first.
    pub ratings: Vec<(Timestamp, u8)>,
    /// When it ended, and why.
    pub ended: Option<(Timestamp, String)>,
}

/// A note as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    pub id: NoteId,
    pub about: NoteKind,
    pub text: String,
    pub readers: Readers,
    pub by: StaffId,
    pub at: Timestamp,
    pub amends: Option<Amends>,
    /// A later note stands instead of this one.
    pub amended: bool,
    /// Who opened it from outside its readers: when, who, why.
    pub opened: Vec<(Timestamp, StaffId, String)>,
}

impl Note {
    /// Whether this person reads it without giving a reason.
    pub fn is_read_by(&self, actor: &Actor) -> bool {
        let of_the_circle = match self.readers {
            Readers::Therapists => actor.role == Role::Therapist,
            Readers::Team => of_the_team(actor.role),
        };
        of_the_circle || self.by == actor.id || self.opened.iter().any(|(_, by, _)| *by == actor.id)
    }
}

/// A medicine with when it was recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    pub at: Timestamp,
    pub by: StaffId,
    pub medicine: Medicine,
}

/// Somebody outside, and what the patient agreed to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shared {
    pub carer: Carer,
    /// `None` where the patient was not asked.
    pub agreed: Option<(Timestamp, bool)>,
}

/// All of it, as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CarePlan {
    /// Number of events taken in.
    pub version: i64,
    /// In the order in which they were named.
    pub goals: Vec<Goal>,
    /// Oldest first.
    pub notes: Vec<Note>,
    /// All that was said of medicines, oldest first.
    pub medicines: Vec<Recorded>,
    /// When medicines were asked last.
    pub asked: Option<Timestamp>,
    pub carers: BTreeMap<CarerId, Shared>,
    /// What the patient said about each thing, when and to whom, oldest first.
    pub told: BTreeMap<About, Vec<(Timestamp, StaffId, String)>>,
}

impl CarePlan {
    /// Takes one event in.
    #[must_use]
    pub fn evolve(mut self, event: &Event, by: &StaffId, at: Timestamp) -> Self {
        self.version += 1;
        match event.clone() {
            Event::GoalNamed { goal, words } => {
                self.goals.push(Goal { id: goal, words, named: at, ratings: Vec::new(), ended: None });
            }
            Event::GoalRated { goal, rating } => {
                self.goals
                    .iter_mut()
                    .filter(|one| one.id == goal)
                    .for_each(|one| one.ratings.push((at, rating)));
            }
            Event::GoalEnded { goal, why } => {
                let mut ending = self.goals.iter_mut().filter(|one| one.id == goal);
                ending.by_ref().for_each(|one| one.ended = Some((at, why.clone())));
            }
            Event::NoteWritten { note, about, text, readers, amends } => {
                if let Some(amends) = &amends {
                    self.notes
                        .iter_mut()
                        .filter(|one| one.id == amends.note)
                        .for_each(|one| one.amended = true);
                }
                let (by, opened) = (by.clone(), Vec::new());
                self.notes.push(Note {
                    id: note,
                    about,
                    text,
                    readers,
                    by,
                    at,
                    amends,
                    amended: false,
                    opened,
                });
            }
            Event::NoteOpened { note, reason } => {
                let opened = (at, by.clone(), reason);
                self.notes
                    .iter_mut()
                    .filter(|one| one.id == note)
                    .for_each(|one| one.opened.push(opened.clone()));
            }
            Event::MedicineRecorded(medicine) => {
                self.asked = Some(at);
                self.medicines.push(Recorded { at, by: by.clone(), medicine });
            }
            Event::MedicinesAsked => self.asked = Some(at),
            Event::CarerNamed { carer, carer_is } => {
                self.carers.insert(carer, Shared { carer: carer_is, agreed: None });
            }
            Event::SharingAgreed { carer, agreed } => {
                self.carers.entry(carer).and_modify(|one| one.agreed = Some((at, agreed)));
            }
            Event::Told { about, words } => {
                self.told.entry(about).or_default().push((at, by.clone(), words));
            }
        }
        self
    }

    /// What the patient said last about it.
    pub fn says(&self, about: About) -> Option<&str> {
        self.told.get(&about)?.last().map(|(_, _, words)| words.as_str())
    }

    /// Goals that are followed.
    pub fn open_goals(&self) -> impl Iterator<Item = &Goal> {
        self.goals.iter().filter(|goal| goal.ended.is_none())
    }

    fn goal(&self, id: &GoalId) -> Result<&Goal, Refusal> {
        let open = self.open_goals().find(|goal| goal.id == *id);
        open.ok_or_else(|| unknown("goal", "The goal", id.as_str()))
    }
    fn note(&self, id: &NoteId) -> Result<&Note, Refusal> {
        let found = self.notes.iter().find(|note| note.id == *id);
        found.ok_or_else(|| unknown("note", "The note", id.as_str()))
    }
    fn carer(&self, id: &CarerId) -> Result<&Shared, Refusal> {
        self.carers.get(id).ok_or_else(|| unknown("carer", "The person", id.as_str()))
    }
}

fn unknown(field: &'static str, what: &'static str, entered: &str) -> Refusal {
    Refusal::Unknown { field, what, entered: entered.to_owned() }
}

const fn of_the_team(role: Role) -> bool {
    matches!(role, Role::Nurse | Role::Prescriber | Role::Therapist)
}

fn trimmed(medicine: Medicine) -> Medicine {
    let decided_by = match medicine.decided_by {
        DecidedBy::Physician(name) => DecidedBy::Physician(name.trim().to_owned()),
        alone @ DecidedBy::PatientAlone => alone,
    };
    let (name, dose) = (medicine.name.trim().to_owned(), medicine.dose.trim().to_owned());
    Medicine { name, dose, decided_by, ..medicine }
}

fn one_line(carer: Carer) -> Carer {
    let Carer { name, role, contact } = carer;
    Carer { name: name.trim().to_owned(), role: role.trim().to_owned(), contact: contact.trim().to_owned() }
}

/// A line that must be there.
fn line(field: &'static str, what: &'static str, text: &str) -> Result<(), Refusal> {
    if !text.chars().any(char::is_alphanumeric) {
        return Err(Refusal::Empty { field, what });
    }
    check_line(field, text, LINE_LONGEST)
}

/// Decides on what a person asks for. `today` is the clinic's day.
///
/// # Errors
/// What is missing, unknown, or not for this role.
pub fn decide(plan: &CarePlan, command: Command, actor: &Actor, today: Date) -> Result<Event, Refusal> {
    let may = |doing, allowed: bool, needs| match allowed {
        true => Ok(()),
        false => Err(Refusal::NotAllowed { doing, role: actor.role.title(), needs }),
    };
    let team = "nurse, prescriber or therapist";
    may("keep a care plan", of_the_team(actor.role), team)?;
    match command {
        Command::NameGoal { goal, words } => {
            if plan.open_goals().count() >= GOALS_MOST {
                return Err(Refusal::TooManyGoals { most: GOALS_MOST });
            }
            line("words", "What the patient wants to be able to do", &words)?;
            Ok(Event::GoalNamed { goal, words: words.trim().to_owned() })
        }
        Command::RateGoal { goal, rating } => {
            plan.goal(&goal)?;
            if rating > RATING_BEST {
                return Err(unknown("rating", "The rating", &rating.to_string()));
            }
            Ok(Event::GoalRated { goal, rating })
        }
        Command::EndGoal { goal, why } => {
            plan.goal(&goal)?;
            Ok(Event::GoalEnded { goal, why: said("why", &why)? })
        }
        Command::WriteNote { note, about, text, readers, amends } => {
            let writes = matches!(actor.role, Role::Therapist | Role::Prescriber);
            may("write a therapy note", writes, "therapist or prescriber")?;
            write_note(plan, (note, about), &text, readers, amends, actor)
        }
        Command::OpenNote { note, reason } => {
            plan.note(&note)?;
            Ok(Event::NoteOpened { note, reason: said("reason", &reason)? })
        }
        Command::RecordMedicine(medicine) => record_medicine(trimmed(medicine), today),
        Command::AskMedicines => Ok(Event::MedicinesAsked),
        Command::NameCarer { carer, carer_is } => {
            let carer_is = one_line(carer_is);
            line("name", "The name", &carer_is.name)?;
            line("role", "What the person is to the patient", &carer_is.role)?;
            line("contact", "How to reach the person", &carer_is.contact)?;
            Ok(Event::CarerNamed { carer, carer_is })
        }
        Command::AgreeToShare { carer, agreed } => {
            plan.carer(&carer)?;
            Ok(Event::SharingAgreed { carer, agreed })
        }
        Command::Tell { about, words } => {
            line("words", "What the patient says", &words)?;
            Ok(Event::Told { about, words: words.trim().to_owned() })
        }
    }
}

fn write_note(
    plan: &CarePlan,
    (note, about): (NoteId, NoteKind),
    text: &str,
    readers: Readers,
    amends: Option<Amends>,
    actor: &Actor,
) -> Result<Event, Refusal> {
    if !is_reason(text) {
        return Err(Refusal::Empty { field: "text", what: "The note" });
    }
    check_words("text", text, NOTE_LONGEST)?;
    let amends = match amends {
        None => None,
        Some(Amends { note: of, reason }) => {
            let before = plan.note(&of)?;
            if before.by != actor.id {
                return Err(Refusal::NotTheAuthor);
            }
            if before.amended {
                return Err(unknown("amends", "The note", of.as_str()));
            }
            Some(Amends { note: of, reason: said("amend_reason", &reason)? })
        }
    };
    Ok(Event::NoteWritten { note, about, text: text.trim().to_owned(), readers, amends })
}

fn record_medicine(medicine: Medicine, today: Date) -> Result<Event, Refusal> {
    line("name", "The medicine", &medicine.name)?;
    if medicine.change != MedicineChange::Stopped {
        line("dose", "Dose and times", &medicine.dose)?;
    }
    check_line("dose", &medicine.dose, LINE_LONGEST)?;
    if let DecidedBy::Physician(who) = &medicine.decided_by {
        line("physician", "Who decided it", who)?;
    }
    if let Some(since) = medicine.since.filter(|since| *since > today) {
        return Err(Refusal::Day {
            field: "since",
            what: "The day of the change",
            day: since,
            accepted: "today or earlier",
        });
    }
    Ok(Event::MedicineRecorded(medicine))
}

/// Whether a summary may go to this person.
///
/// # Errors
/// The patient did not agree, was not asked, or nobody knows the person.
pub fn may_have_summary<'a>(plan: &'a CarePlan, carer: &CarerId) -> Result<&'a Carer, Refusal> {
    let Shared { carer, agreed } = plan.carer(carer)?;
    match agreed {
        Some((_, true)) => Ok(carer),
        Some((_, false)) => Err(Refusal::NotShared { with: carer.name.clone(), why: "the patient said no" }),
        None => Err(Refusal::NotShared { with: carer.name.clone(), why: "the patient was not asked" }),
    }
}

const _: () = assert!(NOTE_LONGEST > WORDS_LONGEST, "a session takes more words than a reason");

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;

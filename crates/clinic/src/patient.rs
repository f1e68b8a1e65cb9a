//! Who is treated. Opaque id inside, medical record number and name for people.

#![expect(missing_docs, reason = "the fields of a variant are words of its own sentence")]

mod correct;
mod join;
mod name;
mod sign;

pub use correct::{Details, correct};
pub use join::{Record, join, unknown_allergies};
pub use name::shares_a_word;
pub use sign::NoSign;

use crate::device::NamedPatient;
use crate::id::PatientId;
use crate::quantity::Weight;
use crate::text::unfit_in_line;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Four states, so that "none" is never mistaken for "not asked".
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allergies {
    /// Nobody asked.
    #[default]
    NotRecorded,
    /// Asked, none known.
    NoneKnown,
    /// These.
    Known(Vec<String>),
}

/// What is known of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patient {
    /// Medical record number, as on the wristband and in device messages.
    pub mrn: String,
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// Day of birth.
    pub born: Date,
    /// Sex as the dose weight needs it: `f` or `m`.
    pub sex: String,
    /// Allergies.
    pub allergies: Allergies,
}

impl Patient {
    /// `RIVERA, Ana`, as on the banner.
    pub fn banner_name(&self) -> String {
        format!("{}, {}", self.family.to_uppercase(), self.given)
    }
    /// `Ri. A.`, for a wall where others can read it.
    pub fn wall_name(&self) -> String {
        let two: String = self.family.chars().take(2).collect();
        let one: String = self.given.chars().take(1).collect();
        format!("{two}. {one}.")
    }
    /// Whether a record number is this patient's, however it was capitalised or spaced around.
    pub fn has_number(&self, mrn: &str) -> bool {
        self.mrn.trim().to_lowercase() == mrn.trim().to_lowercase()
    }
    /// Whether name and day of birth are the same: nothing but the record number tells the two apart.
    pub fn is_namesake_of(&self, other: &Self) -> bool {
        self.born == other.born && self.has_name_of(other)
    }
    /// Whether the name is the same, however it was capitalised or spaced around: perhaps one person who was
    /// registered twice, once with a slip in the day of birth.
    pub fn has_name_of(&self, other: &Self) -> bool {
        let name = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        name(&self.family) == name(&other.family) && name(&self.given) == name(&other.given)
    }
    /// What in a device's message is another person's; `None` when nothing contradicts this one.
    ///
    /// Without a record number every name and day of birth that is sent must be this patient's. Beside the right
    /// number a day of birth must be the same and a name must share a word, so that a married or a half name passes.
    pub fn is_not(&self, named: &NamedPatient) -> Option<Stranger> {
        if let Some(mrn) = named.mrn.as_ref().filter(|mrn| !self.has_number(mrn)) {
            return Some(Stranger::Number(mrn.clone()));
        }
        if let Some(born) = named.born.filter(|born| *born != self.born) {
            return Some(Stranger::Born(born));
        }
        let own = format!("{} {}", self.family, self.given);
        let fits = |name: &String| match named.mrn {
            Some(_) => name::shares_a_word(name, &own),
            None => name::is_the_same(name, &own),
        };
        named.name.as_ref().filter(|name| !fits(name)).map(|name| Stranger::Name(name.clone()))
    }
    /// Whether a name typed under a document is this patient's own.
    pub fn is_called(&self, typed: &str) -> bool {
        name::signs_as(typed, &self.family, &self.given)
    }
    /// Whole years on a day.
    pub fn age_on(&self, day: Date) -> i16 {
        years(self.born, day)
    }
}

/// Whole years from a day of birth to a day.
pub(crate) fn years(born: Date, day: Date) -> i16 {
    let before_birthday = (day.month(), day.day()) < (born.month(), born.day());
    day.year().saturating_sub(born.year()).saturating_sub(i16::from(before_birthday))
}

/// What a message says of somebody else than the patient.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Stranger {
    /// The record number.
    #[error("patient {0}")]
    Number(String),
    /// The name.
    #[error("{0}")]
    Name(String),
    /// The day of birth.
    #[error("somebody born {0}")]
    Born(Date),
}

/// What can happen to a patient's master data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// First entry.
    PatientRegistered(Patient),
    /// Allergies asked or changed.
    AllergiesRecorded { allergies: Allergies },
    /// Weight of a visit, kept for comparison at the next.
    VisitWeightKept { weight: Weight, at: Timestamp },
    /// A slip in the registration put right; what stood there before stands in the events before.
    DetailsCorrected { details: Details, reason: String },
    /// The same person has another record, which stays; this one is closed and read on.
    RecordClosed { into: PatientId, reason: String },
    /// What stands in that record is this person's too.
    RecordTakenIn { from: PatientId, reason: String },
}

impl Event {
    /// The patient after it.
    pub fn evolve(self, before: Option<Patient>) -> Option<Patient> {
        match self {
            Self::PatientRegistered(patient) => Some(patient),
            Self::AllergiesRecorded { allergies } => before.map(|known| Patient { allergies, ..known }),
            Self::VisitWeightKept { .. } | Self::RecordClosed { .. } | Self::RecordTakenIn { .. } => before,
            Self::DetailsCorrected { details, .. } => before.map(|known| details.of(known.allergies)),
        }
    }
}

/// What happens to a record number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum NumberEvent {
    /// One person has it from here on, and nobody else.
    RecordNumberGiven { patient: PatientId },
}

/// Why a person cannot be registered, or a registration not be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Refusal {
    /// A field is empty.
    #[error("{} is empty. Enter it.", named(.field))]
    Empty {
        /// The field.
        field: &'static str,
    },
    /// A field is longer than a name can be.
    #[error("{} has {length} characters; at most {most} are accepted.", named(.field))]
    TooLong {
        /// The field.
        field: &'static str,
        /// What it has.
        length: usize,
        /// What it may have.
        most: usize,
    },
    /// A character that nobody sees, or that turns the order of what is read.
    #[error("{} holds the character U+{code:04X}, which is no text. Type it without.", named(.field))]
    Character {
        /// The field.
        field: &'static str,
        /// Its code point.
        code: u32,
    },
    /// Born in the future, or before anyone alive.
    #[error("Day of birth {born} is not possible; accepted is 1900-01-01 to {today}.")]
    Born {
        /// As entered.
        born: Date,
        /// Today.
        today: Date,
    },
    /// Only who may register may correct.
    #[error("You cannot correct a registration as {role}. It needs front desk, nurse or prescriber.")]
    NotAllowed {
        /// As what.
        role: &'static str,
    },
    /// The same as before.
    #[error("Nothing differs from what is registered. Change what is wrong.")]
    NothingDiffers,
    /// A reason that says nothing or too much.
    #[error("The reason is {value}; accepted is {accepted}.")]
    Reason {
        /// What it has.
        value: String,
        /// What it may have.
        accepted: String,
    },
    /// Somebody checked syringe and patient by what is registered.
    #[error(
        "The patient's visit is past the second check and the drug is not stopped, so who the patient is cannot be corrected now. Finish the infusion, or cancel the visit, then correct it."
    )]
    Treated,
    /// The dose weight of a visit was worked out for the other sex.
    #[error(
        "The open visit was weighed for sex {weighed}, which its dose weight stands on. Weigh the patient again there with the right sex, then correct it here."
    )]
    Weighed {
        /// As weighed.
        weighed: String,
    },
    /// Only who treats may say that two records are one person's.
    #[error("You cannot join records as {role}. It needs nurse or prescriber.")]
    NotTreating {
        /// As what.
        role: &'static str,
    },
    /// A record cannot be joined to itself.
    #[error("{mrn} is the number of the record itself. Enter the number of the record that stays.")]
    SameRecord {
        /// Its number.
        mrn: String,
    },
    /// Nobody has that number.
    #[error("Nobody has the record number {mrn}. Enter the number of the record that stays.")]
    NoSuchNumber {
        /// As entered.
        mrn: String,
    },
    /// It is closed.
    #[error("The record {mrn} was joined to another already. Open the one that stays.")]
    JoinedAlready {
        /// Its number.
        mrn: String,
    },
    /// Name or day of birth differ.
    #[error("{stays} and {closes} differ. If they are one person, correct the details of one first.")]
    OtherPerson {
        /// Who is registered on the one.
        stays: String,
        /// And on the other.
        closes: String,
    },
    /// Somebody may be treated by it now.
    #[error("A visit of {mrn} is open. Finish or cancel it, then join the records.")]
    VisitOpen {
        /// Whose.
        mrn: String,
    },
    /// Two courses of one person cannot both go on.
    #[error("The course of {mrn} is not over. Cancel its visits and end it, then join the records.")]
    CourseOpen {
        /// Whose.
        mrn: String,
    },
    /// What is known of one is not known of the other.
    #[error(
        "The record that stays, {mrn}, does not name {which}. Ask the patient and record the allergies there first."
    )]
    AllergiesDiffer {
        /// Of the record that stays.
        mrn: String,
        /// Those.
        which: String,
    },
    /// An allergy of the same person that a joined record brought.
    #[error(
        "The joined record {mrn} names {which}, and this does not. Name them too, or ask the patient and tick that they are none."
    )]
    AllergiesDropped {
        /// Of the record that was taken in.
        mrn: String,
        /// Those.
        which: String,
    },
    /// Sex is not one that the dose weight knows.
    #[error("Sex {entered:?} is not known; accepted is f or m, as the ideal body weight needs it.")]
    Sex {
        /// As entered.
        entered: String,
    },
}

/// A field as a person reads it.
fn named(field: &str) -> &str {
    match field {
        "family" => "The family name",
        "given" => "The given name",
        "mrn" => "The record number",
        "allergies" => "The answer about allergies",
        "which" => "The list of allergies",
        "reason" => "The reason",
        other => other,
    }
}

impl Refusal {
    /// The field of the form, empty where it is none of them.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Empty { field } | Self::TooLong { field, .. } | Self::Character { field, .. } => field,
            Self::Born { .. } => "born",
            Self::AllergiesDropped { .. } => "dropped",
            Self::Reason { .. } => "reason",
            Self::Sex { .. } | Self::Weighed { .. } => "sex",
            Self::SameRecord { .. }
            | Self::NoSuchNumber { .. }
            | Self::JoinedAlready { .. }
            | Self::OtherPerson { .. } => "stays",
            Self::NotAllowed { .. }
            | Self::NothingDiffers
            | Self::Treated
            | Self::NotTreating { .. }
            | Self::VisitOpen { .. }
            | Self::CourseOpen { .. }
            | Self::AllergiesDiffer { .. } => "",
        }
    }
}

/// Checks what was entered and gives the first event of a patient.
///
/// # Errors
/// Names the field.
pub fn register(patient: Patient, today: Date) -> Result<Event, Refusal> {
    accepted(patient, today).map(Event::PatientRegistered)
}

/// A person as one can be registered.
fn accepted(patient: Patient, today: Date) -> Result<Patient, Refusal> {
    let fields = [
        ("mrn", &patient.mrn, MRN_LONGEST),
        ("family", &patient.family, NAME_LONGEST),
        ("given", &patient.given, NAME_LONGEST),
    ];
    for (field, text, most) in fields {
        if text.trim().is_empty() {
            return Err(Refusal::Empty { field });
        }
        let length = text.chars().count();
        if length > most {
            return Err(Refusal::TooLong { field, length, most });
        }
        if let Some(unfit) = unfit_in_line(text) {
            return Err(Refusal::Character { field, code: unfit.into() });
        }
    }
    if patient.born > today || patient.born.year() < 1900 {
        return Err(Refusal::Born { born: patient.born, today });
    }
    if !matches!(patient.sex.as_str(), "f" | "m") {
        return Err(Refusal::Sex { entered: patient.sex });
    }
    let mrn = patient.mrn.trim().to_owned();
    Ok(Patient { mrn, ..patient })
}

/// Checks allergies that were asked again. The same answer once more counts: somebody asked today.
///
/// # Errors
/// Names the field.
pub fn record_allergies(allergies: Allergies) -> Result<Event, Refusal> {
    const FIELD: &str = "which";
    match &allergies {
        // What was asked once is never unasked.
        Allergies::NotRecorded => return Err(Refusal::Empty { field: "allergies" }),
        Allergies::NoneKnown => {}
        Allergies::Known(which) => {
            if which.is_empty() || which.iter().any(|one| one.trim().is_empty()) {
                return Err(Refusal::Empty { field: FIELD });
            }
            let length = which.iter().map(|one| one.chars().count()).sum();
            if length > ALLERGIES_LONGEST {
                return Err(Refusal::TooLong { field: FIELD, length, most: ALLERGIES_LONGEST });
            }
        }
    }
    Ok(Event::AllergiesRecorded { allergies })
}

/// Most characters of a record number, which names a stream of the log.
const MRN_LONGEST: usize = 60;
/// Most characters of a name.
const NAME_LONGEST: usize = 200;
/// Most characters of all allergies together.
const ALLERGIES_LONGEST: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn ana() -> Patient {
        Patient {
            mrn: "004217".to_owned(),
            family: "Rivera".to_owned(),
            given: "Ana".to_owned(),
            born: date(1984, 3, 12),
            sex: "f".to_owned(),
            allergies: Allergies::default(),
        }
    }

    #[test]
    fn names_and_age_read_as_on_a_banner() {
        assert_eq!(ana().banner_name(), "RIVERA, Ana");
        assert_eq!(ana().wall_name(), "Ri. A.");
        assert_eq!(ana().age_on(date(2026, 3, 11)), 41);
        assert_eq!(ana().age_on(date(2026, 3, 12)), 42);
    }

    #[test]
    fn allergies_are_named_or_none_and_never_unasked() {
        let latex = || vec!["latex".to_owned()];
        assert!(record_allergies(Allergies::Known(latex())).is_ok());
        assert!(record_allergies(Allergies::NoneKnown).is_ok());
        assert_eq!(record_allergies(Allergies::NotRecorded), Err(Refusal::Empty { field: "allergies" }));
        for empty in [vec![], vec![" ".to_owned()]] {
            assert_eq!(record_allergies(Allergies::Known(empty)), Err(Refusal::Empty { field: "which" }));
        }
        let long = record_allergies(Allergies::Known(vec!["x".repeat(1_001)]));
        assert_eq!(long, Err(Refusal::TooLong { field: "which", length: 1_001, most: 1_000 }));
    }

    #[test]
    fn a_name_or_number_with_a_character_that_nobody_sees_is_refused() {
        let today = date(2026, 11, 22);
        let refused = |patient| register(patient, today).map(|_| ());
        for (text, code) in [("Riv\0era", 0), ("Ri\nvera", 10), ("\u{202e}arevir", 0x202e)] {
            let text = || text.to_owned();
            let wrong = |field| Err(Refusal::Character { field, code });
            assert_eq!(refused(Patient { family: text(), ..ana() }), wrong("family"));
            assert_eq!(refused(Patient { given: text(), ..ana() }), wrong("given"));
            assert_eq!(refused(Patient { mrn: text(), ..ana() }), wrong("mrn"));
        }
        let Ok(Event::PatientRegistered(kept)) = register(Patient { mrn: " a7 ".to_owned(), ..ana() }, today)
        else {
            panic!("it must be registered")
        };
        assert_eq!(kept.mrn, "a7");
        assert!(kept.has_number("A7 ") && !kept.has_number("a70"));
    }

    fn named(mrn: &str, name: &str, born: Option<Date>) -> NamedPatient {
        let sent = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        NamedPatient { mrn: sent(mrn), name: sent(name), born }
    }

    /// Hazard 28: without a number, all that is sent must be the patient's.
    #[test]
    fn whoever_is_named_without_a_number_is_told_by_name_and_day_of_birth() {
        let born = Some(ana().born);
        for fits in [
            named("", "", None),
            named("", "RIVERA Ana", born),
            named("", "ana rivera", None),
            named("", "RIVERA A", born),
            named("", "RIVERA Ana María", born),
            named("", "", born),
        ] {
            assert_eq!(ana().is_not(&fits), None, "{fits:?}");
        }
        let other = date(1984, 3, 21);
        assert_eq!(ana().is_not(&named("", "RIVERA Ana", Some(other))), Some(Stranger::Born(other)));
        for name in ["RIVERA Anna", "OKAFOR Ana", "A R", "BED 3", "RIVERA Luis"] {
            assert_eq!(ana().is_not(&named("", name, born)), Some(Stranger::Name(name.to_owned())), "{name}");
        }
    }

    /// Hazard 28: a right number beside somebody else's name or day of birth is a mix-up, a married name is none.
    #[test]
    fn a_right_number_beside_another_person_is_another_person() {
        let sent = |name, born| ana().is_not(&named("004217", name, born));
        assert_eq!(sent("SMITH Ana", None), None);
        assert_eq!(sent("RIVERA", Some(ana().born)), None);
        assert_eq!(sent("OKAFOR Jane", None), Some(Stranger::Name("OKAFOR Jane".to_owned())));
        let other = date(1990, 1, 2);
        assert_eq!(sent("RIVERA Ana", Some(other)), Some(Stranger::Born(other)));
        let number = Stranger::Number("004218".to_owned());
        assert_eq!(ana().is_not(&named("004218", "RIVERA Ana", Some(ana().born))), Some(number));
    }

    #[test]
    fn impossible_people_are_refused() {
        let today = date(2026, 11, 22);
        assert!(register(ana(), today).is_ok());
        assert_eq!(
            register(Patient { born: date(2027, 1, 1), ..ana() }, today),
            Err(Refusal::Born { born: date(2027, 1, 1), today })
        );
        assert_eq!(
            register(Patient { family: " ".to_owned(), ..ana() }, today),
            Err(Refusal::Empty { field: "family" })
        );
        assert!(matches!(
            register(Patient { given: "x".repeat(300), ..ana() }, today),
            Err(Refusal::TooLong { length: 300, .. })
        ));
    }
}

//! One person who was registered twice: one record closes and is read on, the other stays and takes it in.

use super::{Allergies, Event, Patient, Refusal};
use crate::id::PatientId;
use crate::staff::Actor;
use crate::text::Kind;

/// One of two records, as it stands.
#[derive(Debug, Clone)]
pub struct Record {
    /// Which.
    pub id: PatientId,
    /// Who is registered so.
    pub person: Patient,
    /// The record that it was joined to already.
    pub joined: bool,
    /// A visit is planned or under way.
    pub visit_open: bool,
    /// A course is signed and not over.
    pub course_open: bool,
}

/// Joins two records of one person: what is recorded of the one that closes, and of the one that stays.
///
/// # Errors
/// Who may not, that they are two people, or what to do first.
pub fn join(
    closes: &Record,
    stays: &Record,
    reason: String,
    actor: &Actor,
) -> Result<(Event, Event), Refusal> {
    if !actor.role.treats() {
        return Err(Refusal::NotTreating { role: actor.role.title() });
    }
    if closes.id == stays.id {
        return Err(Refusal::SameRecord { mrn: stays.person.mrn.clone() });
    }
    if let Some(joined) = [closes, stays].into_iter().find(|record| record.joined) {
        return Err(Refusal::JoinedAlready { mrn: joined.person.mrn.clone() });
    }
    if !closes.person.is_namesake_of(&stays.person) {
        return Err(Refusal::OtherPerson {
            stays: described(&stays.person),
            closes: described(&closes.person),
        });
    }
    let open = [closes, stays].into_iter().find(|record| record.visit_open);
    if let Some(open) = open {
        return Err(Refusal::VisitOpen { mrn: open.person.mrn.clone() });
    }
    if closes.course_open {
        return Err(Refusal::CourseOpen { mrn: closes.person.mrn.clone() });
    }
    let unknown = unknown_allergies(&closes.person.allergies, &stays.person.allergies);
    if !unknown.is_empty() {
        return Err(Refusal::AllergiesDiffer { mrn: stays.person.mrn.clone(), which: unknown.join(", ") });
    }
    if reason.trim().is_empty() {
        return Err(Refusal::Empty { field: "reason" });
    }
    Kind::Reason
        .check(&reason)
        .map_err(|unfit| Refusal::Reason { value: unfit.value, accepted: unfit.accepted })?;
    let taken_in = Event::RecordTakenIn { from: closes.id.clone(), reason: reason.clone() };
    Ok((Event::RecordClosed { into: stays.id.clone(), reason }, taken_in))
}

fn described(person: &Patient) -> String {
    format!("{}, born {}", person.banner_name(), person.born)
}

/// Allergies on the record that closes which the other does not name.
pub fn unknown_allergies(closes: &Allergies, stays: &Allergies) -> Vec<String> {
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    let known =
        |one: &String| matches!(stays, Allergies::Known(all) if all.iter().any(|other| same(one, other)));
    match closes {
        Allergies::Known(all) => all.iter().filter(|one| !known(one)).cloned().collect(),
        Allergies::NotRecorded | Allergies::NoneKnown => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::StaffId;
    use crate::staff::Role;
    use jiff::civil::date;

    fn record(mrn: &str) -> Record {
        let person = Patient {
            mrn: mrn.to_owned(),
            family: "Rivera".to_owned(),
            given: "Ana".to_owned(),
            born: date(1984, 3, 12),
            sex: "f".to_owned(),
            allergies: Allergies::Known(vec!["Latex".to_owned()]),
        };
        let id = PatientId::new(format!("p-{mrn}"));
        Record { id, person, joined: false, visit_open: false, course_open: false }
    }

    fn joined(closes: &Record, stays: &Record, reason: &str) -> Result<(Event, Event), Refusal> {
        let nurse = Actor { id: StaffId::new("kim"), role: Role::Nurse };
        join(closes, stays, reason.to_owned(), &nurse)
    }

    #[test]
    fn two_records_of_one_person_become_one_and_each_says_so() {
        let (closed, taken_in) = joined(&record("1"), &record("2"), "registered twice").expect("joined");
        assert!(matches!(&closed, Event::RecordClosed { into, .. } if into.as_str() == "p-2"));
        assert!(matches!(&taken_in, Event::RecordTakenIn { from, .. } if from.as_str() == "p-1"));
        let person = record("1").person;
        assert_eq!(closed.evolve(Some(person.clone())), Some(person), "what was registered stays");
        let open = Record { course_open: true, ..record("2") };
        assert!(joined(&record("1"), &open, "registered twice").is_ok(), "the course that stays goes on");
    }

    #[test]
    fn what_is_no_double_or_not_over_is_refused_with_what_to_do() {
        let (one, other) = (record("1"), record("2"));
        let with = |person: Patient| Record { person, ..record("2") };
        for (closes, stays, says, field) in [
            (one.clone(), one.clone(), "the record itself", "stays"),
            (Record { joined: true, ..one.clone() }, other.clone(), "1 was joined", "stays"),
            (one.clone(), Record { joined: true, ..other.clone() }, "2 was joined", "stays"),
            (
                one.clone(),
                with(Patient { born: date(1984, 12, 3), ..other.person.clone() }),
                "RIVERA, Ana, born 1984-12-03 and RIVERA, Ana, born 1984-03-12",
                "stays",
            ),
            (
                one.clone(),
                with(Patient { given: "Anna".to_owned(), ..other.person.clone() }),
                "correct the details of one first",
                "stays",
            ),
            (Record { visit_open: true, ..one.clone() }, other.clone(), "A visit of 1 is open", ""),
            (one.clone(), Record { visit_open: true, ..other.clone() }, "A visit of 2 is open", ""),
            (Record { course_open: true, ..one.clone() }, other.clone(), "The course of 1 is not over", ""),
            (
                one.clone(),
                with(Patient { allergies: Allergies::NoneKnown, ..other.person.clone() }),
                "2, does not name Latex",
                "",
            ),
        ] {
            let refusal = joined(&closes, &stays, "registered twice").expect_err(says);
            assert!(refusal.to_string().contains(says), "{refusal}");
            assert_eq!(refusal.field(), field, "{refusal}");
        }
        for reason in ["", " ", "x"] {
            assert_eq!(joined(&one, &other, reason).expect_err("says nothing").field(), "reason");
        }
        let desk = Actor { id: StaffId::new("robin"), role: Role::FrontDesk };
        let refused = join(&one, &other, "registered twice".to_owned(), &desk);
        assert!(matches!(refused, Err(Refusal::NotTreating { .. })), "{refused:?}");
    }
}

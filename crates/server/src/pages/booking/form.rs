//! The form of a booking: a moment for each visit, chair and people; and what was typed into it.

use super::VISITS_MAX;
use crate::auth::staff::Account;
use crate::floor::Booking;
use crate::pages::visit::form::{Choice, Field, Form, Kind, Sent};
use crate::pages::visit::typed::Typed;
use crate::words::capital;
use crate::{AppState, Fault};
use clinic::course::{Booked, What};
use clinic::id::{ChairId, StaffId};
use clinic::staff::Role;
use jiff::Timestamp;

/// What stands in the form: the visits as they are booked or proposed.
pub struct Filled {
    /// Start of each infusion still to come.
    pub starts: Vec<Timestamp>,
    /// Start of each talk, by what and after which infusion; `None` where the form has no talks.
    pub talks: Option<Vec<(What, usize, Timestamp)>>,
    /// Chair and people.
    pub place: Option<Booked>,
    /// The patient sits in the chair and has had no drug yet: that infusion is not the last one.
    pub checked_in: bool,
}

impl Filled {
    /// As it is booked now. An integration belongs to the last infusion before it.
    pub fn booked(coming: &[Booked]) -> Self {
        let starts: Vec<Timestamp> = infusions(coming).map(|visit| visit.start).collect();
        let talks = coming.iter().filter(|visit| visit.what != What::Infusion).map(|talk| {
            let before = starts.iter().filter(|start| **start < talk.start).count();
            (talk.what, before, talk.start)
        });
        let talks: Vec<_> = talks.collect();
        let place = infusions(coming).next().or_else(|| coming.first()).cloned();
        let therapist = coming.iter().find_map(|visit| visit.therapist.clone());
        let place = place.map(|place| Booked { therapist, ..place });
        Self { starts, talks: (!talks.is_empty()).then_some(talks), place, checked_in: false }
    }

    /// The integration of an infusion that was given, where it is still to come: a new booking keeps it.
    pub fn talk_to_come(&self) -> Option<Vec<(What, usize, Timestamp)>> {
        let all = self.talks.iter().flatten().copied();
        let kept: Vec<_> = all.filter(|(what, n, _)| (*what, *n) == (What::Integration, 0)).collect();
        (!kept.is_empty()).then_some(kept)
    }

    /// With the talks of a proposal, each after the infusion before it.
    pub fn with_talks(self, talks: &[Booked]) -> Self {
        let infusions = self.starts.iter().map(|start| Booked::between(*start, *start));
        let both: Vec<Booked> = infusions.chain(talks.iter().cloned()).collect();
        let proposed = Self::booked(&both).talks.unwrap_or_default();
        Self { talks: Some(self.talks.into_iter().flatten().chain(proposed).collect()), ..self }
    }

    /// As it was typed, which the form puts in again.
    pub fn typed(self, sent: &Sent) -> Self {
        let count: usize = sent.posted.text("visits").parse().unwrap_or(0);
        if sent.form != "book" || !(1..=VISITS_MAX).contains(&count) {
            return self;
        }
        let talks = (sent.posted.text("talks") == "yes").then(Vec::new);
        Self { starts: vec![Timestamp::UNIX_EPOCH; count], talks, ..self }
    }
}

fn infusions(visits: &[Booked]) -> impl Iterator<Item = &Booked> {
    visits.iter().filter(|visit| visit.what == What::Infusion)
}

/// One moment for each visit, which may be moved; then chair and people.
pub fn form(app: &AppState, path: &str, filled: &Filled, sent: &Sent) -> Result<Form, Fault> {
    let zone = app.config.time_zone();
    let written = |at: Timestamp| at.to_zoned(zone.clone()).strftime("%Y-%m-%dT%H:%M").to_string();
    let now = written(app.clock.now());
    let moment = |what: What, n: usize, label: String, at: Option<Timestamp>| {
        let at = at.map(written);
        let hint = if what == What::Infusion { "" } else { "Empty: no place is held." };
        let field = Field::new(Kind::Moment, what.field(n), label).not_before(&now);
        field.known(at.unwrap_or_default()).hint(hint)
    };
    let talk = |what: What, n: usize, label: String| {
        let all = filled.talks.as_ref()?;
        let at = all.iter().find(|(of, after, _)| (*of, *after) == (what, n)).map(|(_, _, at)| *at);
        Some(moment(what, n, label, at))
    };
    let before = if filled.checked_in { "this infusion" } else { "the last infusion" };
    // An integration of the infusion that was given last may still be to come.
    let last = filled.talks.iter().flatten().any(|(what, n, _)| (*what, *n) == (What::Integration, 0));
    let form = Form::new("book", path, "Visits", "Book all of them")
        .hint("Each begins at this time on the clinic's clock; an infusion lasts until the patient may go home. All are booked, or none.")
        .hidden("visits", filled.starts.len().to_string())
        .hidden("talks", if filled.talks.is_some() { "yes" } else { "" })
        .with_all(talk(What::Integration, 0, format!("Integration after {before}")).filter(|_| last))
        .with_all(talk(What::Preparation, 0, "Preparation".to_owned()).filter(|_| !last));
    let form = (1..).zip(&filled.starts).fold(form, |form, (n, start)| {
        form.with(moment(What::Infusion, n, format!("Visit {n}"), Some(*start))).with_all(talk(
            What::Integration,
            n,
            format!("Integration after visit {n}"),
        ))
    });
    let out = vec![Choice::of("yes", "What is not in this form leaves the calendar")];
    let replaces = Field::ticks("replaces", "Visits that are booked already", out).only_asked();
    Ok(form.with_all(people(app, filled.place.as_ref())?).with(replaces).filled(sent))
}

/// Chair, nurse, prescriber and therapist.
fn people(app: &AppState, before: Option<&Booked>) -> Result<[Field; 4], Fault> {
    let accounts = app.auth.accounts().all()?;
    let listed = |role: Role, name: &str, nobody: &str, was: fn(&Booked) -> Option<&StaffId>| {
        let mut choices = vec![Choice::of("", nobody)];
        let may = accounts.iter().filter(|one: &&Account| !one.disabled && one.roles.contains(&role));
        choices.extend(may.map(|one| Choice::of(&one.id, &one.name)));
        Field::listed(name, capital(name), choices).known(before.and_then(was).map_or("", StaffId::as_str))
    };
    let chairs = app.floor.chairs().into_iter().map(|chair| Choice::of(&chair, &chair));
    let chairs = std::iter::once(Choice::of("", "Choose")).chain(chairs).collect();
    let chair = before.and_then(|visit| visit.chair.as_ref()).map_or("", ChairId::as_str);
    Ok([
        Field::listed("chair", "Chair", chairs).known(chair),
        listed(Role::Nurse, "nurse", "Choose", |visit| visit.nurse.as_ref()),
        listed(Role::Prescriber, "prescriber", "Nobody named", |visit| visit.prescriber.as_ref()),
        listed(Role::Therapist, "therapist", "Nobody named", |visit| visit.therapist.as_ref()),
    ])
}

/// What was typed; what is wrong stands in `typed`.
pub fn typed(app: &AppState, typed: &mut Typed) -> Option<Booking> {
    let count: usize = typed.whole("visits", "The number of visits", &format!("1 to {VISITS_MAX}"))?;
    if !(1..=VISITS_MAX).contains(&count) {
        return typed.wrong("", format!("{count} visits; accepted are 1 to {VISITS_MAX}."));
    }
    let moments = (1..=count).map(|n| typed.needed_moment(&What::Infusion.field(n), &format!("Visit {n}")));
    let starts: Vec<Option<Timestamp>> = moments.collect();
    let talks = talks(typed, count);
    let chair = typed.chosen("chair", "Choose a chair.").map(ChairId::new);
    let nurse = typed.chosen("nurse", "Choose a nurse.").map(StaffId::new);
    if let Some(chair) = chair.as_ref().filter(|chair| !app.floor.chairs().contains(chair)) {
        return typed.wrong("chair", format!("There is no chair {chair}."));
    }
    let person = |typed: &mut Typed, field: &str, role: Role| {
        let who = StaffId::new(typed.maybe(field)?);
        let found = app.auth.accounts().find(&who).ok().flatten();
        if found.is_some_and(|one| !one.disabled && one.roles.contains(&role)) {
            return Some(who);
        }
        typed.wrong(field, format!("{who} is no {} who works here.", role.title()))
    };
    if nurse.is_some() {
        let _known = person(typed, "nurse", Role::Nurse);
    }
    let prescriber = person(typed, "prescriber", Role::Prescriber);
    let therapist = person(typed, "therapist", Role::Therapist);
    if !talks.is_empty() && typed.maybe("therapist").is_none() {
        return typed.wrong("therapist", "Choose a therapist for the talks, or leave their times empty.");
    }
    let times = Booked::between(Timestamp::MIN, Timestamp::MIN);
    let place = Booked { chair: Some(chair?), nurse: Some(nurse?), prescriber, therapist, ..times };
    Some(Booking { starts: starts.into_iter().collect::<Option<_>>()?, talks, place })
}

/// The talks that have a time.
fn talks(typed: &mut Typed, count: usize) -> Vec<(What, usize, Timestamp)> {
    if typed.text("talks") != "yes" {
        return Vec::new();
    }
    let integrations = (0..=count).map(|n| (What::Integration, n));
    let asked = std::iter::once((What::Preparation, 0)).chain(integrations);
    let mut talks = Vec::new();
    for (what, n) in asked {
        let field = what.field(n);
        if typed.maybe(&field).is_some()
            && let Some(start) = typed.needed_moment(&field, what.title())
        {
            talks.push((what, n, start));
        }
    }
    talks
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A talk about the last infusion is not lost when the next one is booked.
    #[test]
    fn a_talk_that_is_still_to_come_stands_in_the_next_form() {
        let at = |hour: i64| Timestamp::UNIX_EPOCH + jiff::SignedDuration::from_hours(hour);
        let visit = |what, hour| Booked { what, ..Booked::between(at(hour), at(hour + 1)) };
        let coming = [visit(What::Integration, 5), visit(What::Infusion, 30), visit(What::Integration, 50)];
        let filled = Filled::booked(&coming);
        assert_eq!(filled.starts, [at(30)]);
        let after = |n, hour| (What::Integration, n, at(hour));
        assert_eq!(filled.talks, Some(vec![after(0, 5), after(1, 50)]));
        assert_eq!(filled.talk_to_come(), Some(vec![after(0, 5)]));
        let next = Filled { starts: vec![at(60)], talks: filled.talk_to_come(), ..filled };
        let next = next.with_talks(&[visit(What::Preparation, 55), visit(What::Integration, 70)]);
        let preparation = (What::Preparation, 0, at(55));
        assert_eq!(next.talks, Some(vec![after(0, 5), preparation, after(1, 70)]));
        assert_eq!(Filled::booked(&coming[1..2]).talk_to_come(), None);
    }
}

//! Whose visit it is and where it stands, on top of every page of a visit; the opened visit itself.

use super::form::Form;
use crate::auth::gate::Visit;
use crate::auth::privilege::Privilege;
use crate::pages::Error;
use crate::words::phase_title;
use crate::{AppState, Fault};
use clinic::id::{PatientId, SessionId};
use clinic::patient::{Allergies, Patient};
use clinic::quantity::Weight;
use clinic::screen::consulting::AGAINST;
use clinic::session::{Phase, Session};
use jiff::Timestamp;
use jiff::civil::Date;

/// One station of the way.
#[derive(Debug)]
pub struct Step {
    /// Where.
    pub path: String,
    /// For a person.
    pub label: &'static str,
    /// This page.
    pub current: bool,
    /// Behind us.
    pub done: bool,
}

/// The top of a page of a visit.
#[derive(Debug)]
pub struct Head {
    /// `RIVERA, Ana`
    pub name: String,
    /// Born, record number, weight.
    pub facts: Vec<(&'static str, String)>,
    /// In words; unknown is said.
    pub allergies: String,
    /// `asked by kim, 12-Mar-2026 09:10`, empty while nobody has.
    pub allergies_asked: String,
    /// There is one.
    pub allergic: bool,
    /// `Infusing`
    pub phase: String,
    /// Chair, empty before check-in.
    pub chair: String,
    /// `Infusion 1 of 6`
    pub infusion: String,
    /// Stations.
    pub steps: Vec<Step>,
    /// What the screening says of the infusion, until it starts.
    pub screening: Option<Screening>,
    /// Pause and stop, while a pump may run and the reader may.
    pub halt: Option<Halt>,
}

/// What the screening says of an infusion.
#[derive(Debug, Default)]
pub struct Screening {
    /// What stands against it.
    pub against: Vec<String>,
    /// Nobody screened, and this page says so.
    pub none: bool,
    /// Where it is decided; empty for who may not.
    pub consultation: String,
}

impl Screening {
    /// As it stands for a patient. What cannot be read stands against it.
    pub fn read(app: &AppState, visit: &Visit, patient: &PatientId) -> Self {
        let may = visit.person.as_ref().is_some_and(|person| person.may(Privilege::OpenConsultation));
        let consultation = if may { format!("/patients/{patient}/consultation") } else { String::new() };
        let unread = |_| Some(vec!["The screening cannot be read.".to_owned()]);
        let said = app.floor.against_infusion(patient).unwrap_or_else(unread);
        let none = said.is_none();
        let mut against = said.unwrap_or_default();
        let unread = |_| vec!["The record cannot be read.".to_owned()];
        against.extend(app.floor.against_by_record(patient).unwrap_or_else(unread));
        Self { against: if may { against } else { against_as_told(&against) }, none, consultation }
    }
}

/// Who may open no consultation is told that something stands against it, and not what.
fn against_as_told(against: &[String]) -> Vec<String> {
    against.first().map(|_| AGAINST.to_owned()).into_iter().collect()
}

/// Where the infusion of this visit is paused and stopped.
#[derive(Debug)]
pub struct Halt {
    /// The chair's page.
    pub chair: String,
    /// The visit that the form is made for.
    pub session: String,
    /// It runs, so that it can be paused.
    pub may_pause: bool,
}

/// A visit, opened for a page.
pub struct Opened {
    /// Its id.
    pub id: SessionId,
    /// As it stands.
    pub session: Session,
    /// Whose.
    pub patient: Patient,
    /// Now.
    pub at: Timestamp,
    /// Chair where this session sits now; empty otherwise.
    pub sits: String,
}

impl Opened {
    /// Opens a visit.
    ///
    /// # Errors
    /// [`Error::NotFound`], or a fault when the log cannot be read.
    pub fn find(app: &AppState, id: &str) -> Result<Self, Error> {
        let id = SessionId::new(id);
        let session = app.floor.session(&id).map_err(Fault::Floor)?.ok_or(Error::NotFound)?;
        let patient = session.patient.as_ref().ok_or(Error::NotFound)?;
        let patient = app.floor.patient(patient)?.ok_or(Error::NotFound)?;
        let chair = app.floor.seating().chair_of(&id).map(|chair| chair.0.clone());
        Ok(Self { id, session, patient, at: app.clock.now(), sits: chair.unwrap_or_default() })
    }

    /// Address of a page of this visit; empty for the first.
    pub fn path(&self, rest: &str) -> String {
        if rest.is_empty() { format!("/visit/{}", self.id) } else { format!("/visit/{}/{rest}", self.id) }
    }

    /// A form of this visit: it says whose it is and at which chair it was opened.
    pub fn form(&self, key: &str, to: &str, title: &str, submit: &str) -> Form {
        Form::new(key, self.path(to), title, submit)
            .hidden("session", self.id.as_str())
            .hidden("chair_now", self.sits.as_str())
    }

    /// The top of the page.
    pub fn head(&self, app: &AppState, visit: &Visit, current: &str) -> Head {
        let zone = app.config.time_zone();
        let today = self.at.to_zoned(zone).date();
        let born = format!("{} ({} y)", day(self.patient.born), self.patient.age_on(today));
        let weight =
            self.session.weight.map_or_else(|| "not weighed today".to_owned(), |(weight, _)| both(weight));
        let (infusion, of) = self.session.infusion;
        Head {
            name: self.patient.banner_name(),
            facts: vec![("Born", born), ("MRN", self.patient.mrn.clone()), ("Weight", weight)],
            allergies: allergies(&self.patient.allergies),
            allergies_asked: self.session.patient.as_ref().map_or_else(String::new, |id| asked(app, id)),
            allergic: matches!(self.patient.allergies, Allergies::Known(_)),
            phase: phase_title(self.session.phase),
            chair: self.sits.clone(),
            infusion: format!("Infusion {infusion} of {of}"),
            steps: self.steps(visit, current),
            screening: self.screening(app, visit, current),
            halt: self.halt(visit),
        }
    }

    /// That nobody screened stands on the checklist and the order alone.
    fn screening(&self, app: &AppState, visit: &Visit, current: &str) -> Option<Screening> {
        let phase = self.session.phase;
        let patient =
            self.session.patient.as_ref().filter(|_| phase == Phase::Planned || phase.preparing())?;
        let read = Screening::read(app, visit, patient);
        Some(Screening { none: read.none && ["", "order"].contains(&current), ..read })
    }

    fn halt(&self, visit: &Visit) -> Option<Halt> {
        let may = visit.person.as_ref().is_some_and(|person| person.may(Privilege::StopInfusion));
        let phase = self.session.phase;
        (may && phase.active() && !self.sits.is_empty()).then(|| Halt {
            chair: format!("/chair/{}", self.sits),
            session: self.id.to_string(),
            may_pause: phase == Phase::Infusing,
        })
    }

    fn steps(&self, visit: &Visit, current: &str) -> Vec<Step> {
        let session = &self.session;
        let phase = session.phase;
        let started = session.delivery.started().is_some();
        let may = |needs: Privilege| visit.person.as_ref().is_some_and(|person| person.may(needs));
        let mut steps = vec![
            ("", "Checklist", started, Privilege::Assess),
            ("order", "Order", session.order.is_some(), Privilege::Assess),
            ("preparation", "Preparation", phase >= Phase::Ready, Privilege::PrepareDrug),
            ("second-check", "Second check", session.second_check.is_some(), Privilege::SecondCheck),
            ("discharge", "After the infusion", phase.closed(), Privilege::Discharge),
        ];
        steps.retain(|(_, _, _, needs)| may(*needs));
        let mut steps: Vec<Step> = steps
            .into_iter()
            .map(|(to, label, done, _)| Step { path: self.path(to), label, current: to == current, done })
            .collect();
        if !self.sits.is_empty() && may(Privilege::WatchRoom) {
            let done = phase >= Phase::Recovering;
            let chair = Step { path: format!("/chair/{}", self.sits), label: "Chair", current: false, done };
            steps.insert(steps.len().saturating_sub(1), chair);
        }
        steps
    }

    /// The last visit of this person before this one in which drug flowed, on whichever record.
    ///
    /// # Errors
    /// When the log cannot be read: that there was none is never guessed.
    pub fn before(&self, app: &AppState) -> Result<Option<Session>, Fault> {
        let Some(patient) = &self.session.patient else { return Ok(None) };
        let visits = app.floor.visits_of(patient)?;
        let earlier = visits.into_iter().filter(|row| row.session != self.id.as_str());
        let last = earlier.filter_map(|row| Some((row.started_at?, row))).max_by_key(|(started, _)| *started);
        let Some((_, last)) = last else { return Ok(None) };
        app.floor.session(&SessionId::new(last.session)).map_err(Fault::Floor)
    }
}

/// `12-Mar-1984`
pub fn day(day: Date) -> String {
    day.strftime("%d-%b-%Y").to_string()
}

/// `82 kg (180.8 lb)`
pub fn both(weight: Weight) -> String {
    let pounds = clinic::dose::weight::kg_to_pounds(weight.decimal());
    let pounds = pounds.map(|lb| clinic::quantity::plain(clinic::quantity::round_half_up(lb, 1)));
    pounds.map_or_else(|| weight.to_string(), |lb| format!("{weight} ({lb} lb)"))
}

/// The same words, with no line break between a number and its unit.
pub fn unbroken(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    let mut after_digit = false;
    while let Some(c) = rest.next() {
        let glue =
            c == ' ' && after_digit && rest.peek().is_some_and(|next| next.is_alphabetic() || *next == '%');
        out.push(if glue { '\u{a0}' } else { c });
        after_digit = c.is_ascii_digit();
    }
    out
}

/// Who asked a patient's allergies last, and when: `asked by kim, 12-Mar-2026 09:10`. Empty while nobody has.
pub fn asked(app: &AppState, patient: &PatientId) -> String {
    app.floor.allergies_asked(patient).map_or_else(String::new, |(by, at)| {
        let at = at.to_zoned(app.config.time_zone()).strftime("%d-%b-%Y %H:%M");
        format!("asked by {}, {at}", app.floor.called(&by))
    })
}

/// Four states in words.
pub fn allergies(allergies: &Allergies) -> String {
    match allergies {
        Allergies::NotRecorded => "not recorded".to_owned(),
        Allergies::NoneKnown => "none known".to_owned(),
        Allergies::Known(which) => which.join(", "),
    }
}

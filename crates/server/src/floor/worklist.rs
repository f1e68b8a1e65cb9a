//! What waits across patients: visits to be moved, visits to be booked, checks and scales that fall due. Views say whom to
//! look at; what is told of a booking is read from the log.

use super::Floor;
use crate::Fault;
use crate::views::courses::{self, COURSES, Row};
use crate::views::{scales, sessions};
use clinic::course::ahead::{Asked, ahead};
use clinic::course::between::Between;
use clinic::course::checked::{known, since_screening};
use clinic::course::exposure::{Exposure, Known};
use clinic::course::{self, Booked, Course, Recorded, Treated, What};
use clinic::gate::Finding;
use clinic::id::{PatientId, SessionId};
use clinic::knowledge::long_term::{Check, LongTerm};
use clinic::knowledge::regimen::CareArea;
use clinic::knowledge::scales::Scale;
use clinic::knowledge::{Item, Knowledge};
use clinic::outcome::Infusion;
use clinic::scale::asked::AskedFor;
use clinic::scale::questionnaire::Questionnaires;
use clinic::scale::{Due, DueState, due};
use clinic::screen::baselines;
use clinic::session::Session;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::PoisonError;

/// Days before and after today for which is told what falls due, or was due and was not done. A habit of looking ahead, no
/// rule of care.
pub const AHEAD_D: i32 = 7;

/// All that waits.
#[derive(Debug, Clone, Default)]
pub struct Worklist {
    /// Booked where a newer plan does not leave it, the first to come first.
    pub moves: Vec<(PatientId, Booked)>,
    /// Whose plan has more infusions than are given and booked, the one who waits longest first.
    pub unbooked: Vec<Unbooked>,
    /// Checks of the long-term safety, those of one patient together: first of who has an urgent one and comes next.
    pub checks: Vec<CheckDue>,
    /// Rating scales of one patient each: what an answer asked for first, then what can be answered now.
    pub scores: Vec<ScoresDue>,
}

/// A plan with more infusions than are given and booked.
#[derive(Debug, Clone)]
pub struct Unbooked {
    /// Whose.
    pub patient: PatientId,
    /// So many are not booked,
    pub missing: usize,
    /// of so many.
    pub planned: u32,
    /// The last infusion; none before the first.
    pub last: Option<Timestamp>,
}

/// A check of the long-term safety.
#[derive(Debug, Clone)]
pub struct CheckDue {
    /// Of whom.
    pub patient: PatientId,
    /// How it stands.
    pub asked: Asked,
    /// What the rule says.
    pub finding: Finding,
    /// When the patient comes next.
    pub visit: Option<Date>,
}

/// The rating scales of a patient.
#[derive(Debug, Clone)]
pub struct ScoresDue {
    /// Of whom.
    pub patient: PatientId,
    /// Due at once because of an answer on another one, by id.
    pub asked: BTreeMap<String, AskedFor>,
    /// Each with its id, in the same order.
    pub due: Vec<(String, Due)>,
}

/// How much waits, as it was counted last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waits {
    /// Visits to be moved, and plans with visits to be booked.
    pub to_book: usize,
    /// Patients with a visit ahead and a check that is overdue by then.
    pub overdue: usize,
}

/// A patient with an open course, as the views have them.
struct Followed {
    patient: PatientId,
    /// Everything that was recorded of a check, and of this course.
    history: Vec<Recorded>,
    /// What was noted between infusions, of each record.
    between: Vec<Between>,
    /// Checks that a screening has seen, each with its day.
    seen: BTreeMap<String, Date>,
    /// Scales on which an answer asked for a person.
    flagged: BTreeSet<String>,
    course: Course,
    opened: Timestamp,
    /// Every infusion here, with its regimen, on whichever record.
    given: Vec<(Infusion, String)>,
}

impl Floor {
    /// All that waits now.
    ///
    /// # Errors
    /// When the views or the log cannot be read.
    pub fn worklist(&self) -> Result<Worklist, Fault> {
        let now = self.clock.now();
        let followed = self.followed()?;
        let mut list = Worklist::default();
        for one in &followed {
            if one.may_have_to_be_booked(now) {
                let course = self.course(&one.patient)?.course;
                let moves = course.must_move(now).cloned();
                list.moves.extend(moves.map(|visit| (one.patient.clone(), visit)));
                let (missing, planned) =
                    (course.unbooked(now), course.plan().map_or(0, |plan| plan.infusions));
                let (patient, last) = (one.patient.clone(), one.last());
                list.unbooked.extend((missing > 0).then_some(Unbooked { patient, missing, planned, last }));
            }
            list.checks.extend(self.checks_of(one, now)?);
        }
        list.scores = self.scores_due(&followed, now)?;
        list.moves.sort_by_key(|(_, visit)| visit.start);
        list.unbooked.sort_by_key(|one| one.last.unwrap_or(now));
        list.checks = by_next_visit(list.checks);
        list.scores.sort_by_key(|one| (one.asked.is_empty(), one.due.first().map(|(_, due)| soonest(due))));
        self.counted(&list);
        Ok(list)
    }

    /// How much waits, as it was counted last: once a minute, and by each look at the list.
    pub fn waits(&self) -> Waits {
        *self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counted(&self, list: &Worklist) {
        let ahead = |one: &&CheckDue| one.is_urgent() && one.visit.is_some();
        let overdue = list.checks.iter().filter(ahead).map(|one| &one.patient).collect::<BTreeSet<_>>().len();
        let to_book = list.moves.len() + list.unbooked.len();
        let waits = Waits { to_book, overdue };
        *self.waits.lock().unwrap_or_else(PoisonError::into_inner) = waits;
    }

    /// Everybody with an open course.
    fn followed(&self) -> Result<Vec<Followed>, Fault> {
        let (mut rows, mut given, mut broken) = (HashMap::new(), HashMap::new(), None);
        self.store.view_each(&self.site, COURSES, |item| match courses::row(&item.body) {
            Ok(row) => drop(rows.insert(item.key, row)),
            Err(fault) => broken = Some(fault),
        })?;
        self.store
            .view_each(&self.site, sessions::TREATED, |item| drop(given.insert(item.key, item.body)))?;
        if let Some(fault) = broken {
            return Err(fault.into());
        }
        let sitting = self.sitting()?;
        let mut followed = Vec::new();
        for (id, row) in rows.iter().filter(|(_, row)| !row.course.is_empty()) {
            let patient = PatientId::new(id);
            let course = course::replay(&row.course);
            let opened = row.course.first().map_or(Timestamp::MAX, |first| first.at);
            let mut one = Followed::new(patient, course, opened);
            for record in self.records_of(&one.patient)? {
                if let Some(row) = rows.get(record.as_str()) {
                    one.take_in(row, &self.knowledge);
                }
                let body = given.get(record.as_str());
                one.given.extend(body.map_or(Ok(Vec::new()), |body| sessions::given(body))?);
            }
            one.history.sort_by_key(|recorded| recorded.at);
            one.given.sort_by_key(|(infusion, _)| infusion.at);
            if let Some((session, is)) = sitting.get(&one.patient) {
                let since = is.checked_in_at.is_some_and(|at| at >= opened);
                let of_it = since && !one.course.given.contains(session);
                one.course.under_way = self.under_way(is, &one.course.booked)?.filter(|_| of_it);
            }
            followed.push(one);
        }
        followed.sort_by(|a, b| a.patient.cmp(&b.patient));
        Ok(followed)
    }

    /// Who sits in a chair, by the record that stands.
    fn sitting(&self) -> Result<HashMap<PatientId, (SessionId, Session)>, Fault> {
        let mut sitting = HashMap::new();
        for (id, session, _) in self.open_sessions() {
            if let (Some(patient), Some(_)) = (session.patient.clone(), &session.chair) {
                sitting.insert(self.standing(patient)?, (id, session));
            }
        }
        Ok(sitting)
    }

    fn checks_of(&self, one: &Followed, now: Timestamp) -> Result<Vec<CheckDue>, Fault> {
        let (today, until) = (self.day_of(now), self.day_of(now).saturating_add(AHEAD_D.days()));
        let given = self.exposures_by_view(one)?;
        let next =
            one.course.to_come(now).filter(|visit| visit.what == What::Infusion).map(|visit| visit.start);
        let visit = next.min().map(|start| self.day_of(start));
        let known = self.checks_by_view(one)?;
        let review = one.between.iter().filter_map(|between| between.review(&self.knowledge));
        let asked = review.map(|finding| (Asked::Overdue, finding)).chain(ahead(
            &given,
            &known,
            (today, visit, until),
            &self.knowledge,
        ));
        let due =
            asked.map(|(asked, finding)| CheckDue { patient: one.patient.clone(), asked, finding, visit });
        Ok(due.collect())
    }

    /// What was given, with the doses that the log alone knows where a check asks for them: after a series for pain.
    fn exposures_by_view(&self, one: &Followed) -> Result<Vec<Exposure>, Fault> {
        let is_for_pain = |regimen: &String| {
            let item = self.knowledge.regimens.get(regimen);
            item.is_some_and(|item| item.body.care_area != CareArea::Psych)
        };
        if one.given.iter().any(|(_, regimen)| is_for_pain(regimen)) {
            return self.exposures(&one.patient);
        }
        let here = one.given.iter().map(|(infusion, _)| Exposure::on(self.day_of(infusion.at)));
        let mut given: Vec<Exposure> = here.chain(one.between.iter().flat_map(Between::exposures)).collect();
        given.sort_by_key(|exposure| exposure.on);
        Ok(given)
    }

    fn checks_by_view(&self, one: &Followed) -> Result<BTreeMap<String, Known>, Fault> {
        // What was answered stands in the log alone.
        let answers = if one.flagged.iter().any(|scale| self.asks_for_a_check(scale)) {
            self.answers_of(&one.patient)?
        } else {
            Questionnaires::default()
        };
        Ok(since_screening(known(&one.history, &answers, &self.knowledge), one.seen.clone()))
    }

    /// Whether an answer on the scale can make a check due.
    fn asks_for_a_check(&self, scale: &str) -> bool {
        let by = |check: &Check| check.complaint_by.iter().any(|by| by.scale == scale);
        self.knowledge.long_term.iter().any(|item| matches!(&item.body, LongTerm::Check(check) if by(check)))
    }

    fn scores_due(&self, followed: &[Followed], now: Timestamp) -> Result<Vec<ScoresDue>, Fault> {
        let expected: Vec<Vec<Infusion>> = followed.iter().map(|one| one.expected(now)).collect();
        let mut due: Vec<Vec<(String, Due)>> = vec![Vec::new(); followed.len()];
        for item in self.knowledge.scales.iter().filter(|item| !item.body.due.is_empty()) {
            let mut scored = HashMap::new();
            let view = scales::view_of(&item.header.id);
            self.store.view_each(&self.site, &view, |row| drop(scored.insert(row.key, row.body)))?;
            for ((one, infusions), mine) in followed.iter().zip(&expected).zip(&mut due) {
                let body = scored.get(one.patient.as_str());
                let answered = body.map_or(Ok(Vec::new()), |body| scales::scores(body))?;
                // An answer without a result answers nothing that was due.
                let answered = answered.into_iter().filter(|(_, total)| total.is_some()).map(|(at, _)| at);
                let answered: Vec<Timestamp> = answered.collect();
                let asked = self.asked_of(one, item, (infusions, &answered), now);
                mine.extend(asked.into_iter().map(|due| (item.header.id.clone(), due)));
            }
        }
        let mut all = Vec::new();
        for (one, mut due) in followed.iter().zip(due) {
            due.sort_by_key(|(_, due)| soonest(due));
            let patient = one.patient.clone();
            // What an answer asks for stands in the log alone. One on a form that was not sent yet opens a task, and is not
            // asked for here.
            let asked = if one.flagged.is_empty() { BTreeMap::new() } else { self.asked_for(&patient)? };
            if !(asked.is_empty() && due.is_empty()) {
                all.push(ScoresDue { patient, asked, due });
            }
        }
        Ok(all)
    }

    /// What is open of a scale, opens in the next days, or closed in the last ones and was not answered since.
    fn asked_of(
        &self,
        one: &Followed,
        item: &Item<Scale>,
        (infusions, answered): (&[Infusion], &[Timestamp]),
        now: Timestamp,
    ) -> Vec<Due> {
        let planned = || one.course.plan().map(|plan| plan.regimen.to_string());
        let regimen = one.given.last().map(|(_, regimen)| regimen.clone()).or_else(planned);
        let codes = one.course.plan().map(|plan| plan.conditions.as_slice()).unwrap_or_default();
        let treated = Treated::by(regimen.as_deref(), codes, &self.knowledge);
        let near = |at: Timestamp| at.duration_until(now).abs().as_hours() <= i64::from(AHEAD_D) * 24;
        let since = |opens: Timestamp| answered.iter().any(|at| *at >= opens);
        let mut asked = due(&item.body, infusions, answered, treated.all(), now);
        asked.retain(|due| match due.state {
            DueState::Open => true,
            DueState::Coming => near(due.opens),
            DueState::Missed => near(due.closes) && !since(due.opens),
            DueState::Answered(_) => false,
        });
        asked
    }
}

impl CheckDue {
    /// It holds a booking of today, or of the day of the next visit.
    pub fn is_urgent(&self) -> bool {
        self.asked < Asked::Due
    }
}

/// Those of one patient together, the most urgent first: first of who has an urgent one and comes next.
fn by_next_visit(checks: Vec<CheckDue>) -> Vec<CheckDue> {
    let mut of_each: BTreeMap<PatientId, Vec<CheckDue>> = BTreeMap::new();
    for one in checks {
        of_each.entry(one.patient.clone()).or_default().push(one);
    }
    let mut patients: Vec<Vec<CheckDue>> = of_each.into_values().collect();
    patients.iter_mut().for_each(|own| own.sort_by_key(|one| one.asked));
    let visit = |own: &[CheckDue]| own.iter().find_map(|one| one.visit).unwrap_or(Date::MAX);
    patients.sort_by_key(|own| (!own.iter().any(CheckDue::is_urgent), visit(own)));
    patients.into_iter().flatten().collect()
}

/// What can be answered now comes first, then what opens, then what was missed.
const fn soonest(due: &Due) -> (u8, Timestamp) {
    match due.state {
        DueState::Open | DueState::Answered(_) => (0, due.closes),
        DueState::Coming => (1, due.opens),
        DueState::Missed => (2, due.closes),
    }
}

impl Followed {
    const fn new(patient: PatientId, course: Course, opened: Timestamp) -> Self {
        Self {
            patient,
            course,
            opened,
            history: Vec::new(),
            between: Vec::new(),
            seen: BTreeMap::new(),
            flagged: BTreeSet::new(),
            given: Vec::new(),
        }
    }

    /// What one record of the person says.
    fn take_in(&mut self, row: &Row, knowledge: &Knowledge) {
        self.history.extend(row.checks.iter().chain(&row.course).cloned());
        self.between.push(row.between.iter().fold(Between::default(), |all, event| all.evolve(event)));
        self.flagged.extend(row.flagged.keys().cloned());
        for (check, day) in row.screened.iter().flat_map(|screened| baselines(screened, knowledge)) {
            self.seen.entry(check).and_modify(|last| *last = day.max(*last)).or_insert(day);
        }
    }

    fn last(&self) -> Option<Timestamp> {
        self.given.last().map(|(infusion, _)| infusion.at)
    }

    /// Infusions of this course that began, and one for which the patient is checked in.
    fn had(&self) -> usize {
        let began = self.given.iter().filter(|(infusion, _)| infusion.at >= self.opened).count();
        let waits = self.course.under_way.as_ref().is_some_and(|here| !here.begun);
        began.max(self.course.given.len()) + usize::from(waits)
    }

    /// Whether the log is asked: by the view, what was given since the last booking may not be counted yet.
    fn may_have_to_be_booked(&self, now: Timestamp) -> bool {
        let counted = self.course.given.len() + usize::from(self.course.under_way.is_some());
        let uncounted = self.had().saturating_sub(counted);
        self.course.must_move(now).next().is_some() || self.course.unbooked(now) > uncounted
    }

    /// Infusions that were given, the one for which the patient is checked in, and those that are booked.
    fn expected(&self, now: Timestamp) -> Vec<Infusion> {
        let mut all: Vec<Infusion> = self.given.iter().map(|(infusion, _)| *infusion).collect();
        let here = self.course.under_way.as_ref().filter(|here| !here.begun).map(|here| here.start);
        let booked =
            self.course.to_come(now).filter(|visit| visit.what == What::Infusion).map(|visit| visit.start);
        let mut starts: Vec<Timestamp> = here.into_iter().chain(booked).collect();
        starts.sort();
        let began = self.given.iter().filter(|(infusion, _)| infusion.at >= self.opened).count();
        let first = u32::try_from(began).unwrap_or(u32::MAX).saturating_add(1);
        let planned = self.course.plan().map_or(0, |plan| plan.infusions);
        all.extend((first..).zip(starts).map(|(number, at)| Infusion {
            at,
            number,
            of: planned.max(number),
        }));
        all
    }
}

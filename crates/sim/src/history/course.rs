//! From the first infusion through the year: a series, what the scales say, a relapse, boosters.

use super::consent;
use super::desk::Desk;
use super::diary::Diary;
use super::goal;
use super::pen::Pen;
use super::start::Person;
use super::visit::{Planned, infused};
use super::{Stuck, YEAR_D};
use crate::cast::KIM;
use clinic::id::QuestionnaireId;
use clinic::scale::Given;
use clinic::scale::questionnaire::{Entry, Questionnaires, enter};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Span};
use rust_decimal::Decimal;

/// Days of a series of six, from its first: two a week for three weeks (Anand 2023).
const SERIES_D: [i64; 6] = [0, 3, 7, 10, 14, 17];
/// Least days between two infusions: whatever the hours of the day, two whole days lie between.
const APART_D: i64 = 3;
/// Days after the last infusion on which scales are due: within the windows of `knowledge/scales`.
const AFTER_D: [i64; 3] = [1, 14, 28];
/// From when on function and quality of life are among them.
const LIFE_FROM_D: i64 = 28;
const MONTHLY_FROM_D: i64 = 58;
const MONTHLY_D: i64 = 30;

/// Responders of a hundred: 50 within six weeks (Oliver 2022), inside the 26 to 60 that generators are to use.
const RESPOND: f64 = 50.0;
/// Worse of a hundred: 8.4 (McInnes 2022).
const WORSEN: f64 = 8.4;
/// Who stops during the series, of a hundred. 47 stopped during or after it (Sakurai 2020); about half of them early.
const STOP_EARLY: f64 = 20.0;
/// Of a hundred responses 60 still held after 56 days (McInnes 2022).
const HOLDS: (f64, f64) = (0.60, 56.0);
/// Of a hundred scales that were due so many are answered: at visits, and between them.
const ANSWERED: (f64, f64) = (92.0, 68.0);
/// Of a hundred who lose their response so many come back for boosters.
const COME_BACK: f64 = 65.0;
/// Most infusions of one patient in the year.
const INFUSIONS_MAX: u32 = 20;

/// How one person fares: 0 as before the series, 1 as well as they will be.
struct Fate {
    /// PHQ-9 before the series: 18.6 on average (Pfeiffer 2024).
    base: f64,
    /// The part of the score that goes when all is well; below zero it gets worse.
    most: f64,
    /// How well now.
    well: f64,
    /// Until when a response holds.
    holds_until: Date,
}

impl Fate {
    fn new(pen: &mut Pen, from: Date) -> Self {
        let most = if pen.one_of_hundred(RESPOND) {
            0.6 + pen.chance.unit() * 0.3
        } else if pen.one_of_hundred(WORSEN * 100.0 / (100.0 - RESPOND)) {
            -0.4
        } else {
            pen.chance.unit() * 0.4
        };
        Self { base: (18.6 + pen.chance.noise() * 3.5).clamp(11.0, 23.0), most, well: 0.0, holds_until: from }
    }

    fn infused(&mut self, pen: &mut Pen, on: Date) {
        self.well += (1.0 - self.well) * 0.5;
        // The hazard is constant, so the time until a loss is exponential.
        let mean = -HOLDS.1 / HOLDS.0.ln();
        #[expect(clippy::cast_possible_truncation, reason = "whole days")]
        let days = (-mean * (1.0 - pen.chance.unit()).ln()).min(2_000.0) as i64;
        self.holds_until = on.saturating_add(Span::new().days(days));
    }

    /// A day goes by.
    fn day(&mut self, today: Date) {
        if today > self.holds_until {
            self.well = (self.well - 0.07).max(0.0);
        }
    }

    /// How much of a scale from 0 to 1, as the PHQ-9 from 0 to 27.
    fn severity(&self, pen: &mut Pen) -> f64 {
        let score = self.base * (1.0 - self.most * self.well) + pen.chance.noise() * 1.3;
        (score / 27.0).clamp(0.0, 1.0)
    }
}

/// The year of a patient after the consultation.
pub(super) fn lived(pen: &mut Pen, person: &Person, diary: &mut Diary) -> Result<(), Stuck> {
    let mut fate = Fate::new(pen, person.from);
    let mut answered = Questionnaires::default();
    let mut booked = Vec::new();
    let early = pen.one_of_hundred(STOP_EARLY).then(|| 1 + pen.chance.below(4) as u32);
    let mut last_booked = person.from;
    for days in SERIES_D {
        let wanted = person.from.saturating_add(Span::new().days(days)).max(last_booked);
        let arrives = diary.book(wanted);
        last_booked = arrives.date().saturating_add(Span::new().days(APART_D));
        booked.push(arrives);
    }
    let hopes = pen.at(person.from.saturating_sub(Span::new().days(2)).at(11, 0, 0, 0));
    let mut goal = goal::named(pen, person, hopes)?;
    let signs = pen.at(person.from.saturating_sub(Span::new().days(2)).at(16, 0, 0, 0));
    let mut desk = Desk::opened(pen, person, diary.chair.clone(), signs)?;
    let reads = signs.saturating_add(Span::new().minutes(1)).unwrap_or(signs);
    consent::signed(pen, person, reads)?;
    let at_the_desk = signs.saturating_add(Span::new().minutes(40)).unwrap_or(signs);
    desk.books(pen, person, (&booked, &answered), at_the_desk)?;
    let (mut number, mut before, mut last) = (0, None::<Timestamp>, person.from);
    let mut today = person.from.saturating_sub(Span::new().days(1));
    let ends = pen.history.until;
    while today < ends {
        fate.day(today);
        if booked.first().is_some_and(|arrives| arrives.date() == today) {
            let arrives = booked.remove(0);
            if pen.one_of_hundred(ANSWERED.0) || number == 0 {
                let asked = pen.at(arrives.saturating_sub(Span::new().minutes(20)));
                answer(pen, person, &fate, &mut answered, (asked, number == 0))?;
            }
            number += 1;
            let asked = pen.at(arrives.saturating_sub(Span::new().minutes(10)));
            goal.rated(pen, person, (number, 0.2 + 0.8 * fate.most * fate.well), asked)?;
            let of = number.max(SERIES_D.len() as u32);
            let chair = diary.chair.clone();
            let planned = Planned { arrives: pen.at(arrives), chair, number, of, before };
            let given = infused(pen, person, &planned)?;
            before = Some(given.begun);
            desk.gave(pen, &given)?;
            fate.infused(pen, today);
            last = today;
            let leaves = given.home.saturating_add(Span::new().minutes(5)).unwrap_or(given.home);
            if early == Some(number) {
                booked.clear();
                desk.closes(pen, person, &answered, leaves)?;
            } else if number > SERIES_D.len() as u32 && !booked.is_empty() {
                desk.books(pen, person, (&booked, &answered), leaves)?;
            }
        } else if booked.is_empty() && is_due(last, today) && pen.one_of_hundred(ANSWERED.1) {
            let asked = pen.at(today.at(15, 30, 0, 0));
            answer(pen, person, &fate, &mut answered, (asked, days_since(last, today) >= LIFE_FROM_D))?;
            let lost = fate.most > 0.5 && fate.well < 0.45 && early.is_none();
            if lost && number < INFUSIONS_MAX && pen.one_of_hundred(COME_BACK) {
                booked = boosters(diary, today, ends);
                let asks = asked.saturating_add(Span::new().minutes(20)).unwrap_or(asked);
                desk.maintains(pen, asks)?;
                desk.books(pen, person, (booked.get(..1).unwrap_or_default(), &answered), asks)?;
            }
        }
        today = today.saturating_add(Span::new().days(1));
    }
    Ok(())
}

fn days_since(last: Date, today: Date) -> i64 {
    last.until(today).map_or(0, |span| i64::from(span.get_days()))
}

/// Whether scales are due so long after the last infusion.
fn is_due(last: Date, today: Date) -> bool {
    let days = days_since(last, today);
    AFTER_D.contains(&days)
        || (days >= MONTHLY_FROM_D && (days - MONTHLY_FROM_D) % MONTHLY_D == 0 && days < YEAR_D)
}

/// Two infusions within a week; none that would not be over in time.
fn boosters(diary: &mut Diary, today: Date, ends: Date) -> Vec<DateTime> {
    let first = diary.book(today.saturating_add(Span::new().days(APART_D)));
    let second = diary.book(first.date().saturating_add(Span::new().days(APART_D)));
    [first, second].into_iter().filter(|arrives| arrives.date() < ends).collect()
}

/// The PHQ-9 and the scale of the illness, as a nurse enters them; before the series and from four weeks after it on,
/// function and quality of life too, by the totals of their forms on paper.
fn answer(
    pen: &mut Pen,
    person: &Person,
    fate: &Fate,
    before: &mut Questionnaires,
    (at, life): (Timestamp, bool),
) -> Result<(), Stuck> {
    let severity = fate.severity(pen);
    let whole = |part: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "a total of a form")]
        Decimal::from(part.round() as i64)
    };
    let mut all = Vec::new();
    for scale in std::iter::once("phq9").chain(person.illness.scale) {
        let Some(item) = pen.history.knowledge.scale(scale) else { continue };
        all.push((item, Given::Answers(answers(pen, item, severity)), String::new()));
    }
    // T-scores have a mean of 50 and a standard deviation of 10: from half a deviation above it to two below.
    let totals = [("whodas12", whole(48.0 * severity)), ("promis_social", whole(55.0 - 25.0 * severity))];
    for (scale, total) in totals.into_iter().filter(|_| life) {
        let Some(item) = pen.history.knowledge.scale(scale) else { continue };
        all.push((item, Given::Total(total), "the form on paper".to_owned()));
    }
    let entered = at.checked_add(SignedDuration::from_mins(4)).unwrap_or(at);
    for (item, given, form) in all {
        let entry = Entry { given, at, form, corrects: None };
        let id = QuestionnaireId::new(pen.id(entered));
        let event = enter(before, item, &id, entry, entered).map_err(|why| pen.stuck(at, "answer", why))?;
        pen.event(entered, &KIM.actor(), format!("scales/{}", person.id), &event);
        *before = std::mem::take(before).evolve(&event, &KIM.actor().id, entered);
    }
    Ok(())
}

/// Answers that come to about that part of the highest total. Nobody here thinks of suicide: such an answer would
/// call somebody, and nobody of the past can come.
fn answers(
    pen: &mut Pen,
    item: &clinic::knowledge::Item<clinic::knowledge::scales::Scale>,
    severity: f64,
) -> Vec<Option<Decimal>> {
    let scale = &item.body;
    let called: Vec<&String> =
        scale.flags.iter().filter(|rule| rule.calls).flat_map(|rule| &rule.items).collect();
    let share = |question: &clinic::knowledge::scales::ScaleItem, pen: &mut Pen| {
        let [low, high] = scale.values_of(question);
        let steps = ((high - low) / question.step).try_into().unwrap_or(0_u32);
        // Rounded by chance, so that the mean of many is right.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few steps")]
        let step =
            (severity * f64::from(steps) * 1.12 + pen.chance.unit()).floor().min(f64::from(steps)) as u32;
        low + question.step * Decimal::from(step)
    };
    let answered = scale.items.iter().map(|question| {
        let quiet = called.contains(&&question.id);
        Some(if quiet { scale.values_of(question)[0] } else { share(question, pen) })
    });
    answered.collect()
}

//! The times at which a course is looked at where nobody asked for some: close to each other after whatever changes the
//! level, because the highest level of two weeks may last a minute.

use crate::case::Chosen;
use crate::doses::Doses;
use pkpd::{Body, Dose, Given, Minutes, NgPerMl, Schedule};

/// Times of typical people, at most, but for those that have to be among them.
pub const LOOKS_OF_ONE: usize = 1500;
/// The same where many people are counted at each of them, or drawn.
pub const LOOKS_OF_MANY: usize = 500;
/// Steps from the first to the last time.
const EVEN: u32 = 240;
/// The first look after a change, min.
const FIRST: f64 = 0.01;
/// Each look after a change is so many times as far from it as the one before, until they are the even steps apart. The
/// first of these that keeps to the most there may be.
const GROWTHS: [f64; 6] = [1.1, 1.15, 1.25, 1.5, 2.0, 4.0];
/// From here on the picture of a course is called coarse.
const COARSE: f64 = 1.3;
/// Looks for the greatest level of one typical person.
const SEARCHED_MAX: usize = 50_000;
/// Doses of a steady state that still run when it begins, of which each end is looked at.
const CARRIED_MAX: usize = 200;

/// Of whom, and over which time.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    /// Who.
    pub body: Body,
    /// The first time.
    pub from: Minutes,
    /// The last.
    pub until: Minutes,
    /// Times that have to be among them.
    pub also: &'a [Minutes],
    /// How many others, at most: [`LOOKS_OF_ONE`] or [`LOOKS_OF_MANY`].
    pub most: usize,
}

/// When to look.
#[derive(Debug, Clone, PartialEq)]
pub struct Looks {
    /// Rising. The greatest level of the typical person, in plasma and at the effect site, lies among them.
    pub times: Vec<Minutes>,
    /// What a reader has to know where they are far from each other after a dose.
    pub note: Option<String>,
}

/// The times for all of these models and doses together. What they refuse is refused where levels are asked for.
#[must_use]
pub fn looks(of: &[(&Chosen, &Doses)], span: Span) -> Looks {
    let mut turns = Vec::new();
    let mut must = span.also.to_vec();
    for (chosen, doses) in of {
        let Ok(given) = doses.schedule(span.body.weight) else { continue };
        let own = turns_of(chosen, doses, &given, span);
        must.extend(greatest(chosen, &given, &own, span));
        turns.extend(own);
    }
    let turns = rising(turns, span);
    let few = thinned(&turns, span.most.saturating_sub(EVEN as usize).max(1));
    let (growth, mut times) = spread(&few, span, span.most);
    times.extend(must);
    let note = (growth > COARSE || few.len() < turns.len()).then(|| {
        let length = span.until.0 - span.from.0;
        format!(
            "what is given changes so often in {length:.0} min that the curves are looked at rarely between doses, and a peak may \
             be missed; the greatest level of the typical person is not"
        )
    });
    Looks { times: rising(times, span), note }
}

/// Moments at which something begins, ends or jumps; before a jump also the last moment of what was.
fn turns_of(chosen: &Chosen, doses: &Doses, given: &Schedule, span: Span) -> Vec<Minutes> {
    let mut turns: Vec<f64> = Vec::new();
    let jump = |at: f64| [at - FIRST, at];
    for dose in given.doses() {
        match *dose {
            Dose::Bolus { at, .. } => turns.extend(jump(at.0)),
            Dose::Infusion { start, end, .. } => turns.extend([start.0, end.0]),
        }
    }
    turns.extend(doses.resets().iter().flat_map(|at| jump(at.0)));
    for one in doses.given(span.body.weight).filter(|one| one.steady_every.is_some()) {
        turns.extend(jump(one.dose.start().0));
        turns.extend(carried(&one));
    }
    for one in given.by_other_ways() {
        let route = one.route.as_deref().and_then(|name| chosen.model.route(name).ok());
        for entry in route.iter().flat_map(|route| &route.entries) {
            let begin = one.dose.start().0 + one.lag.0 + entry.lag.0;
            turns.extend(jump(begin).into_iter().chain([begin + entry.over.0]));
        }
    }
    rising(turns.into_iter().map(Minutes).collect(), span)
}

/// When those of a row end that began before it and still run.
fn carried(one: &Given) -> impl Iterator<Item = f64> + use<> {
    let (start, end) = (one.dose.start().0, one.dose.end().0 + one.lag.0);
    let every = one.steady_every.map_or(f64::INFINITY, |every| every.0);
    (1..=CARRIED_MAX).map(move |place| end - every * place as f64).take_while(move |at| *at > start)
}

/// When the typical person's level is greatest, in plasma and at the effect site.
fn greatest(chosen: &Chosen, given: &Schedule, turns: &[Minutes], span: Span) -> Vec<Minutes> {
    let (_, mut times) = spread(turns, span, SEARCHED_MAX);
    times.extend(turns);
    let times = rising(times, span);
    let course = given.scaled(chosen.basis.of_dose()).and_then(|inside| {
        let person = chosen.model.typical(span.body)?;
        person.parent_course(&inside, chosen.ke0, &times)
    });
    let Ok(course) = course else { return Vec::new() };
    let top = |levels: &Vec<NgPerMl>| {
        let found = times.iter().zip(levels).max_by(|a, b| a.1.0.total_cmp(&b.1.0));
        found.map(|(time, _)| *time)
    };
    std::iter::once(&course.plasma).chain(&course.effect).filter_map(top).collect()
}

/// Even steps, and closer ones after each turn until the next: how fast these grow apart, and all of them.
fn spread(turns: &[Minutes], span: Span, most: usize) -> (f64, Vec<Minutes>) {
    let step = (span.until.0 - span.from.0) / f64::from(EVEN);
    let even = (0..=EVEN).map(|n| Minutes(span.from.0 + step * f64::from(n)));
    let after = |growth: f64| {
        let mut times: Vec<Minutes> = turns.to_vec();
        for (place, turn) in turns.iter().enumerate() {
            let next = turns.get(place + 1).map_or(span.until.0, |next| next.0) - turn.0;
            let far = std::iter::successors(Some(FIRST), |far| Some(far * growth))
                .take_while(|far| *far < next && far * (growth - 1.0) < step);
            times.extend(far.map(|far| Minutes(turn.0 + (far * 1000.0).round() / 1000.0)));
            if times.len() > most {
                break;
            }
        }
        times
    };
    let grown = GROWTHS.into_iter().map(|growth| (growth, after(growth)));
    let fits = |times: &[Minutes]| times.len() + EVEN as usize <= most;
    let (growth, mut times) =
        grown.into_iter().find(|(_, times)| fits(times)).unwrap_or_else(|| (f64::INFINITY, turns.to_vec()));
    times.extend(even);
    (growth, times)
}

/// Inside the span, in order, each once.
fn rising(mut times: Vec<Minutes>, span: Span) -> Vec<Minutes> {
    times.retain(|time| (span.from..=span.until).contains(time));
    times.sort_by(|a, b| a.0.total_cmp(&b.0));
    times.dedup();
    times
}

/// No more than so many of them, evenly.
fn thinned(times: &[Minutes], most: usize) -> Vec<Minutes> {
    times.iter().copied().step_by(times.len().div_ceil(most).max(1)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clinic::knowledge::Knowledge;
    use pkpd::{Form, Kg};
    use proptest::prelude::*;

    const BODY: Body = Body { weight: Kg(70.0), age: None };

    fn span(until: f64, also: &[Minutes]) -> Span<'_> {
        Span { body: BODY, from: Minutes(0.0), until: Minutes(until), also, most: LOOKS_OF_ONE }
    }

    fn doses(typed: &[&str]) -> Doses {
        let typed: Vec<String> = typed.iter().map(|text| (*text).to_owned()).collect();
        Doses::read(&typed, Vec::new()).unwrap_or_else(|wrong| panic!("{wrong}"))
    }

    fn with<T>(model: &str, then: impl FnOnce(&Chosen) -> T) -> T {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let chosen = Chosen::find(&knowledge, model, Form::Racemate).expect("it is shipped");
        then(&chosen.with_effect_site(&knowledge, None).expect("it fits"))
    }

    /// Greatest in plasma and at the effect site.
    fn tops(chosen: &Chosen, doses: &Doses, times: &[Minutes]) -> [f64; 2] {
        let given = doses.schedule(BODY.weight).expect("a schedule");
        let course = chosen.course(&BODY.into(), &given, times).expect("levels");
        let top = |levels: &[NgPerMl]| levels.iter().fold(0.0, |top: f64, level| top.max(level.0));
        [top(&course.plasma), course.effect.as_deref().map_or(0.0, top)]
    }

    fn assert_greatest_is_seen(model: &str, typed: &[&str], until: f64) {
        with(model, |chosen| {
            let doses = doses(typed);
            let few = looks(&[(chosen, &doses)], Span { most: LOOKS_OF_MANY, ..span(until, &[]) });
            assert!(few.times.len() <= LOOKS_OF_MANY + 4, "{} times", few.times.len());
            let found = looks(&[(chosen, &doses)], span(until, &[]));
            let seconds: Vec<Minutes> =
                (0..=(until * 60.0) as u32).map(|second| Minutes(f64::from(second) / 60.0)).collect();
            let there = tops(chosen, &doses, &seconds);
            for times in [&found.times, &few.times] {
                for (seen, there) in tops(chosen, &doses, times).iter().zip(there) {
                    assert!(*seen >= 0.99 * there, "{model} {typed:?} until {until}: {seen} of {there}");
                }
            }
            assert!(found.times.windows(2).all(|pair| pair[0] < pair[1]));
            assert!(found.times.len() <= LOOKS_OF_ONE + 4, "{} times", found.times.len());
        });
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// Whatever is given and however long one looks, the greatest level is that of a grid of a second.
        #[test]
        fn the_greatest_level_is_that_of_every_second(
            given in prop::collection::vec((0.0..2500.0_f64, 0.5..60.0_f64, prop::bool::ANY), 1..6),
            until in 2600.0..4000.0_f64,
            model in prop::sample::select(vec!["kamp_meta2020", "domino", "clements250"]),
        ) {
            let typed: Vec<String> = given.iter().map(|(start, length, is_bolus)| if *is_bolus {
                format!("{length} mg bolus at {start} min")
            } else {
                format!("35 mg over {length} min at {start} min")
            }).collect();
            assert_greatest_is_seen(model, &typed.iter().map(String::as_str).collect::<Vec<_>>(), until);
        }
    }

    #[test]
    fn a_short_infusion_in_two_weeks_and_many_doses_are_seen_too() {
        assert_greatest_is_seen("kamp_meta2020", &["0.5 mg/kg over 40 min every 2880 min 6 times"], 15_000.0);
        assert_greatest_is_seen("kamp_meta2020", &["0.1 mg/kg bolus every 13 min 200 times"], 3000.0);
        assert_greatest_is_seen("kamp_meta2020", &["0.5 mg/kg over 40 min at 30 min lag 3 min"], 9000.0);
        assert_greatest_is_seen("kamp_meta2020", &["1 mg/min for 90 min every 60 min steady"], 4000.0);
    }

    #[test]
    fn what_is_coarse_says_so_and_what_has_to_be_seen_is() {
        with("kamp_meta2020", |chosen| {
            let one = doses(&["0.5 mg/kg over 40 min"]);
            let also = [Minutes(17.123), Minutes(33.3)];
            let found = looks(&[(chosen, &one)], span(240.0, &also));
            assert!(also.iter().all(|time| found.times.contains(time)) && found.note.is_none());
            let many = doses(&["0.01 mg/kg bolus every 100 min 200 times"]);
            let others = doses(&["0.01 mg/kg bolus at 7 min every 100 min 200 times"]);
            let found = looks(&[(chosen, &many), (chosen, &others)], span(40_320.0, &[]));
            assert!(found.note.is_some_and(|note| note.contains("changes so often in 40320 min")));
        });
    }
}

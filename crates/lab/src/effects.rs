//! What levels do: effects in one typical person, or of the levels of a population; and the levels in the same words.

use crate::asked::{self, Argument};
use crate::case::{Chosen, NEAR, site_name};
use crate::crowd::{CrowdQuestion, People, Varied};
use crate::doses::Doses;
use crate::part::Part;
use clinic::dose::parse::Unreadable;
use clinic::knowledge::pd_models::{Halves, PdModel, Role};
use clinic::knowledge::{Item, Knowledge};
use pkpd::ode::NoSolution;
use pkpd::{
    Body, Driver, Effect, Histogram, MgPerKg, Minutes, NgPerMl, PerMin, Ratio, Schedule, Sensitivity, Site,
    Summary, Years, even_shares,
};

/// Percentiles of people.
const PERCENTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// Stages of a chain, at most.
const STAGES_MAX: usize = 8;

/// A stage after the sandbox's blocked receptors, which only who asks for it can tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    name: String,
    rate: PerMin,
}

impl Stage {
    /// Reads all of them.
    ///
    /// # Errors
    /// A stage that cannot be read; too many.
    pub fn read(typed: &[String]) -> Result<Vec<Self>, Unreadable> {
        if typed.len() > STAGES_MAX {
            let (text, accepted) = (typed.join("; "), "at most 8 stages");
            let argument = Argument { field: "--stage", text: &text, accepted };
            return Err(argument.unreadable(format!("these are {}", typed.len())));
        }
        let read = |text: &String| asked::stage("--stage", text).map(|(name, rate)| Self { name, rate });
        typed.iter().map(read).collect()
    }
}

/// In whom, under what, when.
#[derive(Debug, Clone, Copy)]
pub struct EffectQuestion<'a> {
    /// The typical person, or the middle of the population.
    pub body: Body,
    /// What is given.
    pub doses: &'a Doses,
    /// When.
    pub times: &'a [Minutes],
    /// What follows the blocked receptors of the sandbox.
    pub stages: &'a [Stage],
    /// People who differ in their levels; else the typical one alone.
    pub many: Option<Many>,
}

/// So many made-up people of a body, or around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Many {
    /// How many.
    pub people: u64,
    /// The standard deviation of the logarithm of their weights and the oldest age, where bodies spread around the one
    /// that was asked about; else all have that one.
    pub spread: Option<(Ratio, Years)>,
    /// The same people for the same seed.
    pub seed: u64,
    /// On how many threads; that changes nothing they answer.
    pub threads: usize,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Levels in plasma, and at the effect site where there is one.
    pub levels: bool,
    /// Ids of effects, all acute ones when none is named; `None` for no effects.
    pub effects: Option<&'a [String]>,
}

/// One level or effect over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Name of what is measured.
    pub name: String,
    /// The same for a person.
    pub title: String,
    /// For a person: `mmHg`.
    pub unit: String,
    /// How far it may be believed: `level`, or the word of the effect's role.
    pub role: &'static str,
    /// At the levels of the typical person: of an effect the mean of people with these levels, half of whom may well lie
    /// elsewhere.
    pub typical: Vec<f64>,
    /// Lowest and highest of what published studies say for that person.
    pub studies: Option<Vec<(f64, f64)>>,
    /// Percentiles 5, 25, 50, 75 and 95 of people: of a population where there is one, else of people with the same
    /// levels.
    pub people: Option<Vec<Vec<f64>>>,
    /// Whether it, or the level that drives it, lies outside what its model was made for.
    pub outside: bool,
}

impl Answer {
    /// Names of the columns of [`Answer::numbers`].
    pub const COLUMNS: [&str; 8] =
        ["typical", "studies_low", "studies_high", "p5", "p25", "p50", "p75", "p95"];

    /// What is known at one time, column by column.
    #[must_use]
    pub fn numbers(&self, time: usize) -> [Option<f64>; 8] {
        let studies = self.studies.as_ref().and_then(|studies| studies.get(time));
        let people = self.people.as_ref().and_then(|people| people.get(time));
        let person = |place: usize| people.and_then(|people| people.get(place)).copied();
        let [p5, p25, p50, p75, p95] = [0, 1, 2, 3, 4].map(person);
        let (low, high) = (studies.map(|(low, _)| *low), studies.map(|(_, high)| *high));
        [self.typical.get(time).copied(), low, high, p5, p25, p50, p75, p95]
    }
}

/// Levels and effects, and what their reader has to know.
#[derive(Debug, Clone, PartialEq)]
pub struct Answers {
    /// One for each thing that is measured.
    pub each: Vec<Answer>,
    /// Doubts, and where they lie outside what they were made for.
    pub notes: Vec<String>,
}

/// One person's level, ready to drive effects.
struct Asking<'a> {
    chosen: &'a Chosen<'a>,
    asked: &'a EffectQuestion<'a>,
    halves: Halves,
    driver: Driver<'a>,
    /// Levels of the S half of equal shares of the population, for each time.
    crowd: Option<Vec<Vec<f64>>>,
}

impl Chosen<'_> {
    /// Levels and effects.
    ///
    /// # Errors
    /// An effect that is not there, effects by a model without an effect site, doses or times that the engine refuses.
    pub fn answers(
        &self,
        knowledge: &Knowledge,
        wanted: Wanted,
        asked: &EffectQuestion,
    ) -> Result<Answers, Unreadable> {
        let EffectQuestion { body, doses, times, many, .. } = *asked;
        let spread = many.and_then(|many| many.spread);
        let people = People { weight: Some(body.weight), age: body.age, spread };
        let seed = many.map_or(0, |many| many.seed);
        let crowd = self.crowd(&CrowdQuestion {
            people,
            doses,
            varied: Varied::default(),
            metabolites: false,
            times,
            seed,
        })?;
        let part = many.map(|many| crowd.part(0..many.people, many.threads, |_| {}));
        let notes = part.as_ref().map_or_else(|| crowd.notes_of_one(), |part| crowd.notes(part));
        let mut answers = Answers { each: Vec::new(), notes };
        let summary = part.as_ref().map(Part::summary);
        if wanted.levels {
            answers.each = self.levels(asked, summary)?;
        }
        if let Some(ids) = wanted.effects {
            self.add_effects(&items(knowledge, ids)?, asked, summary, &mut answers)?;
        }
        answers.each.iter_mut().for_each(|answer| answer.outside |= !crowd.outside.reasons.is_empty());
        Ok(answers)
    }

    fn levels(&self, asked: &EffectQuestion, crowd: Option<&Summary>) -> Result<Vec<Answer>, Unreadable> {
        let given = asked.doses.schedule(asked.body.weight)?;
        let course =
            self.course(&asked.body.into(), &given, asked.times).map_err(|cause| self.refused(&cause))?;
        let level = |name: &str, title: &str, levels: &[NgPerMl], people: Option<&Vec<Histogram>>| Answer {
            name: name.to_owned(),
            title: format!("{title}, {}", self.levels_of()),
            unit: NgPerMl::UNIT.to_owned(),
            role: "level",
            typical: levels.iter().map(|level| level.0).collect(),
            studies: None,
            people: people.and_then(|people| people.iter().map(percentiles).collect()),
            outside: false,
        };
        let site = match self.model.site() {
            Site::Arterial => "Arterial plasma",
            Site::Venous => "Venous plasma",
            Site::Unknown => "Plasma",
        };
        let plasma = crowd.map(|summary| &summary.plasma);
        let mut levels = vec![level("cp_ng_ml", site, &course.plasma, plasma)];
        if let Some(effect) = &course.effect {
            levels.push(level("ce_ng_ml", "Effect site", effect, crowd.map(|summary| &summary.effect)));
        }
        Ok(levels)
    }

    fn add_effects(
        &self,
        items: &[&Item<PdModel>],
        asked: &EffectQuestion,
        crowd: Option<&Summary>,
        answers: &mut Answers,
    ) -> Result<(), Unreadable> {
        let refused = |cause| self.refused(&cause);
        let given = asked.doses.schedule(asked.body.weight)?;
        let inside = given.scaled(self.basis.of_dose()).map_err(refused)?;
        let person = self.model.typical(asked.body).map_err(refused)?;
        let halves = Halves::of(self.basis);
        let ke0 = self.ke0.ok_or_else(|| self.no_effect_site())?;
        let driver = Driver { person: &person, given: &inside, ke0, acting: halves.s_of_level };
        let crowd = crowd.map(|summary| equal_shares(summary, halves));
        let asking = Asking { chosen: self, asked, halves, driver, crowd };
        let highest = asking.highest()?;
        for item in items {
            let before = answers.each.len();
            asking.add(item, answers)?;
            let is_outside = asking.add_notes(item, &given, highest, answers)?;
            answers.each.iter_mut().skip(before).for_each(|answer| answer.outside = is_outside);
        }
        Ok(())
    }

    fn no_effect_site(&self) -> Unreadable {
        let accepted = "a rate constant such as \"0.0835117 /min\", or a model with an effect site";
        let why = format!(
            "effects follow the effect site, and none is known for {} blood as in {}",
            site_name(self.model.site()),
            self.model.id()
        );
        Argument { field: "--ke0", text: "", accepted }.unreadable(why)
    }
}

fn percentiles(levels: &Histogram) -> Option<Vec<f64>> {
    PERCENTILES.iter().map(|share| levels.quantile(Ratio(*share)).map(|level| level.0)).collect()
}

/// Levels of the S half at the effect site of equal shares of people, for each time.
fn equal_shares(summary: &Summary, halves: Halves) -> Vec<Vec<f64>> {
    let each = summary.effect.iter().map(|levels| {
        let level = |share| levels.quantile(share).map(|level| level.0 * halves.s_of_level.0);
        even_shares().filter_map(level).collect()
    });
    each.collect()
}

impl Asking<'_> {
    fn add(&self, item: &Item<PdModel>, answers: &mut Answers) -> Result<(), Unreadable> {
        let id = &item.header.id;
        let argument = Argument { field: "--effect", text: id, accepted: "a model whose file fits" };
        let told = |why: String| argument.unreadable(why);
        let effect = item.effect(self.halves).map_err(told)?;
        let typical = self.course(&effect)?;
        let studies = item.studies(self.halves).map_err(told)?;
        let studies = studies.iter().map(|study| self.course(study)).collect::<Result<Vec<_>, _>>()?;
        let band = (!studies.is_empty()).then(|| band(&typical, &studies));
        let people = self.people(&effect, item.sensitivity().map_err(told)?, &typical);
        for output in &item.body.output {
            let times = |x: f64| x * output.ratio;
            answers.each.push(Answer {
                name: output.name.clone(),
                title: output.title.clone(),
                unit: unit(item.body.unit()).to_owned(),
                role: item.body.role.word(),
                typical: typical.iter().copied().map(times).collect(),
                studies: band
                    .as_ref()
                    .map(|band| band.iter().map(|(low, high)| (times(*low), times(*high))).collect()),
                people: people
                    .as_ref()
                    .map(|rows| rows.iter().map(|row| row.iter().copied().map(times).collect()).collect()),
                outside: false,
            });
        }
        self.add_stages(item, &effect, answers)
    }

    fn course(&self, effect: &Effect) -> Result<Vec<f64>, Unreadable> {
        effect.course(&self.driver, self.asked.times).map_err(|cause| self.unsolved(&cause))
    }

    fn unsolved(&self, cause: &NoSolution) -> Unreadable {
        let accepted = "fewer doses, or levels and times at which the equations have a solution";
        match cause {
            NoSolution::Refused(cause @ pkpd::Refused::TooMany { what, .. }) if what.starts_with("doses") => {
                Argument { field: "--dose", text: "", accepted }.unreadable(cause)
            }
            NoSolution::Refused(cause @ pkpd::Refused::Impossible(_)) => {
                Argument { field: "--dose", text: "", accepted }.unreadable(cause)
            }
            NoSolution::Refused(cause) => self.chosen.refused(cause),
            other => Argument { field: "--effect", text: "", accepted }.unreadable(other),
        }
    }

    /// People who differ in level where there is a population, and in sensitivity where that is known.
    fn people(
        &self,
        effect: &Effect,
        sensitivity: Option<Sensitivity>,
        typical: &[f64],
    ) -> Option<Vec<Vec<f64>>> {
        let shares = PERCENTILES.map(Ratio);
        let of = |effects: &[f64]| Sensitivity::percentiles(sensitivity, effects, &shares);
        match &self.crowd {
            Some(crowd) => {
                let at = |level: &f64| effect.at(NgPerMl(*level));
                crowd.iter().map(|levels| of(&levels.iter().map(at).collect::<Option<Vec<_>>>()?)).collect()
            }
            None => {
                sensitivity?;
                typical.iter().map(|x| of(&[*x])).collect()
            }
        }
    }

    /// What follows the blocked receptors: each stage drifts towards the one before.
    fn add_stages(
        &self,
        item: &Item<PdModel>,
        effect: &Effect,
        answers: &mut Answers,
    ) -> Result<(), Unreadable> {
        if item.body.role != Role::Sandbox {
            return Ok(());
        }
        let input = |level| effect.at(level).unwrap_or_default();
        let rates: Vec<PerMin> = self.asked.stages.iter().map(|stage| stage.rate).collect();
        for (place, stage) in self.asked.stages.iter().enumerate() {
            let held = self.driver.late(input, &rates[..=place], self.asked.times);
            let held = held.map_err(|cause| self.unsolved(&cause))?;
            answers.each.push(Answer {
                name: stage.name.clone(),
                title: format!("{}, by a half-life that was typed", stage.name),
                unit: unit(item.body.unit()).to_owned(),
                role: item.body.role.word(),
                typical: held.iter().map(|held| held * stage.rate.0).collect(),
                studies: None,
                people: None,
                outside: false,
            });
        }
        Ok(())
    }

    /// The highest level of the S half, of the typical person at the times asked for.
    fn highest(&self) -> Result<NgPerMl, Unreadable> {
        let Driver { person, given, ke0, acting } = self.driver;
        let course = person.parent_course(given, Some(ke0), self.asked.times);
        let levels = course.map_err(|cause| self.chosen.refused(&cause))?.effect.unwrap_or_default();
        Ok(NgPerMl(levels.iter().fold(0.0, |top: f64, x| top.max(x.0)) * acting.0))
    }

    fn add_notes(
        &self,
        item: &Item<PdModel>,
        given: &Schedule,
        highest: NgPerMl,
        answers: &mut Answers,
    ) -> Result<bool, Unreadable> {
        let (id, model) = (&item.header.id, self.chosen.model.id());
        let by_weight = |dose: &pkpd::Dose| MgPerKg(dose.amount().0 / self.asked.body.weight.0);
        let others = given.by_other_ways().iter().map(|given| &given.dose);
        let doses: Vec<MgPerKg> = given.doses().iter().chain(others).map(by_weight).collect();
        let argument = Argument { field: "--effect", text: id, accepted: "a model whose file fits" };
        let reasons = item.body.outside(highest, &doses).map_err(|why| argument.unreadable(why))?;
        let is_outside = !reasons.is_empty();
        answers.notes.extend(reasons.iter().map(|reason| format!("outside the validity of {id}: {reason}")));
        let (fitted, asked) = (Site::from(item.body.site), self.chosen.model.site());
        if fitted != asked {
            let (fitted, asked) = (site_name(fitted), site_name(asked));
            let told = format!("{id} was fitted to {fitted} levels, and those of {model} are {asked}");
            answers.notes.push(told);
        }
        answers.notes.extend(belief(item));
        Ok(is_outside)
    }
}

/// What has to stand beside an effect that is more than a fit to what was seen.
fn belief(item: &Item<PdModel>) -> Option<String> {
    let id = &item.header.id;
    match item.body.role {
        Role::Acute => None,
        Role::Exploratory => Some(format!(
            "{id} is exploratory: a hypothesis about a population, not for dosing and no promise to a person"
        )),
        Role::Sandbox => Some(format!("{id} is a sandbox: nobody has measured it in people")),
    }
}

fn band(typical: &[f64], studies: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let at = |(place, own): (usize, &f64)| {
        let said = studies.iter().filter_map(|study| study.get(place)).copied();
        said.fold((*own, *own), |(low, high), x| (low.min(x), high.max(x)))
    };
    typical.iter().enumerate().map(at).collect()
}

/// A unit of a file for a person.
fn unit(written: &str) -> &str {
    match written {
        "mm[Hg]" => "mmHg",
        "{beat}/min" => "bpm",
        "{score}" => "points",
        other => other,
    }
}

fn items<'k>(knowledge: &'k Knowledge, ids: &[String]) -> Result<Vec<&'k Item<PdModel>>, Unreadable> {
    if ids.is_empty() {
        return Ok(knowledge.pd_models.iter().filter(|item| item.body.role == Role::Acute).collect());
    }
    let find = |id: &String| {
        let accepted = "an id of kind `effect` that `chairside models list` shows";
        let argument = Argument { field: "--effect", text: id, accepted };
        knowledge.pd_models.get(id).ok_or_else(|| argument.unreadable(unknown(knowledge, id)))
    };
    ids.iter().map(find).collect()
}

fn unknown(knowledge: &Knowledge, id: &str) -> String {
    let ids = || knowledge.pd_models.iter().map(|item| item.header.id.as_str());
    let near: Vec<&str> = ids().filter(|known| strsim::jaro_winkler(known, id) > NEAR).collect();
    let near = if near.is_empty() { ids().collect() } else { near };
    format!("there is no such effect; there is {}", near.join(", "))
}

/// Every model of an effect in a line, with the columns of [`crate::listed`].
#[must_use]
pub fn listed(knowledge: &Knowledge) -> Vec<[(&'static str, &str); 6]> {
    knowledge
        .pd_models
        .iter()
        .map(|item| {
            [
                ("id", item.header.id.as_str()),
                ("substance", "ketamine"),
                ("sampling_site", site_name(item.body.site.into())),
                ("role", item.body.role.word()),
                ("evidence", item.header.evidence.word()),
                ("title", item.header.title.as_str()),
            ]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pkpd::{Form, Kg};

    const BODY: Body = Body { weight: Kg(70.0), age: None };

    /// Effects of one dose by a model.
    fn effects(model: &str, given: Form, dose: &str, at: &[f64], ids: &[&str], stages: &[Stage]) -> Answers {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let chosen = Chosen::find(&knowledge, model, given).expect("it is shipped");
        let chosen = chosen.with_effect_site(&knowledge, None).expect("it fits");
        let doses = Doses::read(&[dose.to_owned()], Vec::new()).expect("a dose");
        let times: Vec<Minutes> = at.iter().copied().map(Minutes).collect();
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let asked = EffectQuestion { body: BODY, doses: &doses, times: &times, stages, many: None };
        let wanted = Wanted { levels: false, effects: Some(&ids) };
        chosen.answers(&knowledge, wanted, &asked).expect("effects")
    }

    fn typical<'e>(answers: &'e Answers, name: &str) -> &'e [f64] {
        &answers.each.iter().find(|each| each.name == name).expect("it is measured").typical
    }

    #[test]
    fn the_s_half_acts_and_the_r_half_only_takes_receptors() {
        let at = [10.0, 40.0, 90.0];
        let both = effects("simons2022", Form::Racemate, "35 mg over 40 min", &at, &[], &[]);
        let half = effects("simons2022", Form::SEnantiomer, "17.5 mg over 40 min", &at, &[], &[]);
        for name in ["sbp_change", "hr_change", "cadss", "perception", "antinociception"] {
            assert_eq!(typical(&both, name), typical(&half, name), "{name}");
        }
        let taken = |effects| typical(effects, "nmda_occupancy").to_vec();
        assert!(taken(&both).iter().zip(taken(&half)).all(|(both, half)| *both > half));
    }

    #[test]
    fn people_lie_around_the_typical_one_and_differ_more_with_their_levels() {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let chosen = Chosen::find(&knowledge, "kamp_meta2020", Form::Racemate).expect("it is shipped");
        let chosen = chosen.with_effect_site(&knowledge, None).expect("it fits");
        let doses = Doses::read(&["0.5 mg/kg over 40 min".to_owned()], Vec::new()).expect("a dose");
        let times = [Minutes(0.0), Minutes(40.0)];
        let wanted = Wanted { levels: true, effects: Some(&[]) };
        let answers = |many| {
            let asked = EffectQuestion { body: BODY, doses: &doses, times: &times, stages: &[], many };
            chosen.answers(&knowledge, wanted, &asked).expect("effects").each
        };
        let one = answers(None);
        let many = answers(Some(Many { people: 2000, spread: None, seed: 1, threads: 1 }));
        assert_eq!(many.iter().filter(|each| each.role == "level").count(), 2);
        let at_40 = |each: &Answer| each.people.as_ref().map(|people| people[1].clone());
        for (one, many) in one.iter().zip(&many) {
            let wide = at_40(many).expect("a population has percentiles");
            assert!(wide.windows(2).all(|pair| pair[0] < pair[1]), "{}: {wide:?}", many.name);
            assert!(wide[0] < many.typical[1] && many.typical[1] < wide[4], "{}", many.name);
            assert_eq!(many.people.as_ref().expect("people")[0], [0.0; 5], "{}: before the dose", many.name);
            if let Some(narrow) = at_40(one) {
                assert!(wide[4] / wide[0] > narrow[4] / narrow[0], "{}", many.name);
            }
        }
        // 7.7 points with a standard deviation of 9.2: half the people have fewer than 5.
        let cadss = many.iter().find(|each| each.name == "cadss").expect("it is measured");
        assert!(at_40(cadss).expect("people")[2] < 5.0);
    }

    #[test]
    fn a_stage_comes_to_rest_where_the_one_before_it_rests() {
        let stages = Stage::read(&["glutamate 5 min".to_owned(), "bdnf 15 min".to_owned()]).expect("stages");
        let ids = ["synapse_sandbox"];
        let given = "0.05 mg/min for 100000 min";
        let found = effects("kamp_meta2020", Form::Racemate, given, &[0.0, 10.0, 90_000.0], &ids, &stages);
        let [first, second, third] = ["disinhibition", "glutamate", "bdnf"].map(|name| typical(&found, name));
        assert!(first[1] > second[1] && second[1] > third[1] && third[1] > 0.0, "each comes later");
        for stage in [second, third] {
            assert!((stage[2] / first[2] - 1.0).abs() < 1e-4, "{stage:?} and {first:?}");
        }
        assert!(found.notes.iter().any(|note| note.contains("sandbox")), "{:?}", found.notes);
    }

    #[test]
    fn effects_outside_their_validity_say_so() {
        let told = |dose| effects("kamp_meta2020", Form::Racemate, dose, &[40.0], &[], &[]);
        let is_marked = |found: &Answers| found.each.iter().any(|answer| answer.outside);
        assert!(!is_marked(&told("0.5 mg/kg over 40 min")));
        let much = told("2 mg/kg over 40 min");
        assert!(
            is_marked(&much)
                && much.notes.iter().any(|note| note.contains("blood_pressure: one dose of 2.000"))
        );
        assert!(much.notes.iter().any(|note| note.contains("perception: level of the S half")));
    }

    #[test]
    fn no_effect_without_an_effect_site_or_by_another_name() {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let doses = Doses::read(&["35 mg over 40 min".to_owned()], Vec::new()).expect("a dose");
        let times = [Minutes(40.0)];
        let asked = EffectQuestion { body: BODY, doses: &doses, times: &times, stages: &[], many: None };
        let told = |model: &str, ids: &[String]| {
            let chosen = Chosen::find(&knowledge, model, Form::Racemate).expect("it is shipped");
            let chosen = chosen.with_effect_site(&knowledge, None).expect("it fits");
            chosen
                .answers(&knowledge, Wanted { levels: false, effects: Some(ids) }, &asked)
                .expect_err("no effect")
                .to_string()
        };
        assert!(told("clements250", &[]).contains("none is known for venous blood"));
        let near = told("kamp_meta2020", &["blood_presure".to_owned()]);
        assert!(near.contains("blood_pressure") && !near.contains("cadss"), "{near}");
    }

    /// The chain is solved from the first dose into a vein on: what came before, or by another way, would be left out.
    #[test]
    fn a_late_effect_refuses_doses_that_it_would_leave_out() {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let chosen = Chosen::find(&knowledge, "kamp_meta2020", Form::Racemate).expect("it is shipped");
        let chosen = chosen.with_effect_site(&knowledge, None).expect("it fits");
        let doses = Doses::read(&["0.5 mg/kg over 40 min every 2880 min steady".to_owned()], Vec::new());
        let (doses, times) = (doses.expect("a dose"), [Minutes(40.0)]);
        let asked = EffectQuestion { body: BODY, doses: &doses, times: &times, stages: &[], many: None };
        let of = |id: &str| {
            let ids = [id.to_owned()];
            chosen.answers(&knowledge, Wanted { levels: false, effects: Some(&ids) }, &asked).map(|_| ())
        };
        assert_eq!(of("blood_pressure"), Ok(()), "what acts at once follows the level");
        let told = of("antidepressant_course").expect_err("refused").to_string();
        assert!(told.starts_with("--dose") && told.contains("into the centre only"), "{told}");
    }

    #[test]
    fn stages_that_are_none_are_refused() {
        let told = |text: &str| Stage::read(&[text.to_owned()]).expect_err("no stage").to_string();
        assert!(told("bdnf").contains("no half-life"));
        assert!(told("bdnf 6").contains("no unit"));
        assert!(told("bdnf 0 h").contains("not above 0"));
        assert!(told("BDNF,x 6 h").contains("small letters"));
        assert!(
            Stage::read(&vec!["bdnf 6 h".to_owned(); 9]).expect_err("nine").to_string().contains("at most 8")
        );
    }
}

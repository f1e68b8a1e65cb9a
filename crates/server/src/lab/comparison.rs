//! Regimens compared: what is typed on the page of the lab, and what comes out of it. The question stands in the address,
//! so that whoever has the address has the question; measured levels are a patient's, and stand in none.

use super::plot::{Curve, Plot};
use super::series::{Series, pictures, table};
use super::sheet::Sheet;
use clinic::dose::parse::Unreadable;
use clinic::knowledge::Knowledge;
use clinic::knowledge::pk_models::Role;
use lab::asked::{self, Argument};
use lab::observed::Measured;
use lab::{
    Answers, Chosen, Doses, EffectQuestion, LOOKS_OF_MANY, LOOKS_OF_ONE, Looks, Many, Span, Wanted, looks,
    observed, site_name,
};
use pkpd::{Basis, Body, Form, Minutes, PerMin, Ratio, Site, Years};

/// Regimens at once, called A to D.
pub const REGIMENS_MAX: usize = 4;
/// Models at once.
pub const MODELS_MAX: usize = 3;
/// People for each regimen and model: four times three times so many take seconds.
pub const PEOPLE_MAX: u64 = 10_000;
/// Longest time that is looked at, 28 days in minutes.
pub const UNTIL_MAX: f64 = 40_320.0;
/// Doses of one regimen.
const DOSES_MAX: usize = 200;
/// Measured levels.
const LEVELS_MAX: usize = 200;
const LETTERS: [&str; REGIMENS_MAX] = ["A", "B", "C", "D"];

/// As it was typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Question {
    /// Doses of each regimen, with `;` between them; empty for none.
    pub regimens: [String; REGIMENS_MAX],
    /// Ids of models of levels.
    pub models: Vec<String>,
    /// Ids of effects.
    pub effects: Vec<String>,
    /// `esketamine`, else the racemate.
    pub substance: String,
    /// In kg.
    pub weight: String,
    /// In years.
    pub age: String,
    /// How many people; empty for one typical person.
    pub people: String,
    /// How weights spread: the standard deviation of their logarithm; empty where all have that weight.
    pub spread: String,
    /// The oldest, in years, where bodies spread.
    pub age_to: String,
    /// Of the people.
    pub seed: String,
    /// Last time, min.
    pub until: String,
    /// Of the effect site, /min; empty for that of the model.
    pub ke0: String,
    /// Levels that were measured, as rows of CSV; in no address.
    pub measured: String,
    /// Where their blood was drawn, `arterial` or `venous`; empty where nobody says it, or the rows do.
    pub site: String,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Its name in the address.
    pub field: String,
    /// For a person.
    pub text: String,
}

/// What came out.
pub struct Comparison {
    /// When.
    pub times: Vec<Minutes>,
    /// Regimen by regimen and model by model.
    pub series: Vec<Series>,
    /// What there is to see of each model.
    pub models: Vec<ByModel>,
}

/// Of one model.
pub struct ByModel {
    /// Its id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// What a reader of its pictures has to know.
    pub notes: Vec<String>,
    /// A picture for each thing that is measured, a curve for each regimen.
    pub pictures: Vec<Plot>,
}

/// The fields, read.
struct Read {
    regimens: Vec<(usize, Doses)>,
    form: Form,
    body: Body,
    many: Option<Many>,
    until: Minutes,
    ke0: Option<PerMin>,
    site: Option<Site>,
}

impl Question {
    /// From the pairs of an address. Levels in one are not read: addresses are kept in logs and histories.
    pub fn of_address(pairs: impl Iterator<Item = (String, String)>) -> Self {
        Self { measured: String::new(), site: String::new(), ..Self::read(pairs) }
    }

    /// From the pairs of a form; what it does not know is left.
    pub fn read(pairs: impl Iterator<Item = (String, String)>) -> Self {
        let mut question = Self::default();
        for (name, value) in pairs {
            let value = value.trim().to_owned();
            match name.as_str() {
                "m" => question.models.push(value),
                "e" => question.effects.push(value),
                "substance" => question.substance = value.to_lowercase(),
                "weight" => question.weight = value,
                "age" => question.age = value,
                "people" => question.people = value,
                "spread" => question.spread = value,
                "age_to" => question.age_to = value,
                "seed" => question.seed = value,
                "until" => question.until = value,
                "ke0" => question.ke0 = value,
                "measured" => question.measured = value,
                "site" => question.site = value.to_lowercase(),
                other => {
                    let place = other.strip_prefix('r').and_then(|place| place.parse::<usize>().ok());
                    let regimen = place.and_then(|place| question.regimens.get_mut(place.checked_sub(1)?));
                    if let Some(regimen) = regimen {
                        *regimen = value;
                    }
                }
            }
        }
        question
    }

    /// The address, without its path and without levels.
    #[must_use]
    pub fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (place, regimen) in self.regimens.iter().enumerate().filter(|(_, regimen)| !regimen.is_empty()) {
            query.append_pair(&format!("r{}", place + 1), regimen);
        }
        query.extend_pairs(self.models.iter().map(|id| ("m", id)));
        query.extend_pairs(self.effects.iter().map(|id| ("e", id)));
        let fields = [
            ("substance", &self.substance),
            ("weight", &self.weight),
            ("age", &self.age),
            ("people", &self.people),
            ("spread", &self.spread),
            ("age_to", &self.age_to),
            ("seed", &self.seed),
            ("until", &self.until),
            ("ke0", &self.ke0),
        ];
        query.extend_pairs(fields.into_iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }

    /// Works it out. It may take seconds.
    ///
    /// # Errors
    /// Every field that cannot be read; where all can, what the lab refuses.
    pub fn answer(&self, knowledge: &Knowledge) -> Result<Comparison, Vec<Wrong>> {
        let read = self.fields()?;
        let found = self.models.iter().map(|id| Self::chosen(knowledge, id, &read));
        let chosen = found.collect::<Result<Vec<_>, _>>().map_err(|wrong| vec![wrong])?;
        let all = chosen.iter().flat_map(|model| read.regimens.iter().map(move |(_, doses)| (model, doses)));
        let most = if read.many.is_some() { LOOKS_OF_MANY } else { LOOKS_OF_ONE };
        let span = Span { body: read.body, from: Minutes(0.0), until: read.until, also: &[], most };
        let when = looks(&all.collect::<Vec<_>>(), span);
        let (mut series, mut models) = (Vec::new(), Vec::new());
        for model in &chosen {
            let answer = self.by_model(knowledge, model, &read, &when);
            let (of_model, by_model) = answer.map_err(|wrong| vec![wrong])?;
            series.extend(of_model);
            models.push(by_model);
        }
        Ok(Comparison { times: when.times, series, models })
    }

    fn chosen<'k>(knowledge: &'k Knowledge, id: &str, read: &Read) -> Result<Chosen<'k>, Wrong> {
        let found = Chosen::find(knowledge, id, read.form);
        let found = found.and_then(|chosen| chosen.with_effect_site(knowledge, read.ke0));
        found.map_err(|cause| wrong("r1", &cause))
    }

    fn by_model(
        &self,
        knowledge: &Knowledge,
        chosen: &Chosen,
        read: &Read,
        when: &Looks,
    ) -> Result<(Vec<Series>, ByModel), Wrong> {
        let id = chosen.model.id();
        // Levels of another model may not be levels of this one; then they stand beside that one alone.
        let (measured, undrawn) = match self.levels(chosen, read.site) {
            Ok(measured) => (measured, None),
            Err(cause) if self.models.len() > 1 && chosen.basis == Basis::TwiceS => {
                (Vec::new(), Some(format!("not drawn here: {}", cause.why)))
            }
            Err(cause) => return Err(wrong("measured", &cause)),
        };
        let times = when.times.as_slice();
        let (mut series, mut told): (Vec<Series>, Vec<(String, String)>) = (Vec::new(), Vec::new());
        for (place, doses) in &read.regimens {
            let letter = LETTERS[*place];
            let answers = self.by_regimen(knowledge, chosen, (doses, times), read);
            let answers = answers.map_err(|cause| wrong(&format!("r{}", place + 1), &cause))?;
            told.extend(answers.notes.into_iter().map(|note| (letter.to_owned(), note)));
            let each = answers.each.into_iter();
            let (site, levels_of) = (site_name(chosen.model.site()), chosen.levels_of());
            let (regimen, model) = (|| letter.to_owned(), || id.to_owned());
            series.extend(each.map(|what| Series {
                regimen: regimen(),
                model: model(),
                site,
                levels_of,
                what,
            }));
        }
        let curves: Vec<(String, &Series)> =
            series.iter().map(|one| (self.called(&one.regimen), one)).collect();
        let mut pictures = pictures(times, &curves);
        let mut notes = gathered(&told, read.regimens.len());
        notes.extend(undrawn.iter().chain(&when.note).map(|note| on_page(note)));
        // Plasma is the first to be asked for.
        if let (Some(plasma), false) = (pictures.first_mut(), measured.is_empty()) {
            let drawn = observed::points_by_site(&measured, chosen.parent());
            let others = measured.len() - drawn.iter().map(|(_, points)| points.count()).sum::<usize>();
            if others > 0 {
                notes.push(format!("not drawn here: {others} measured of metabolites"));
            }
            notes.extend(observed::doubts(&measured, chosen).iter().map(|doubt| on_page(doubt)));
            let colours = REGIMENS_MAX as u8..;
            plasma.curves.extend(colours.zip(drawn).map(|(colour, (name, points))| Curve {
                name,
                colour,
                points: points.levels,
                below: points.below,
                ..Curve::default()
            }));
        }
        let title = chosen.item.header.title.clone();
        Ok((series, ByModel { id: id.to_owned(), title, notes, pictures }))
    }

    fn levels(&self, chosen: &Chosen, told: Option<Site>) -> Result<Vec<Measured>, Unreadable> {
        if self.measured.is_empty() {
            return Ok(Vec::new());
        }
        observed::with_site(observed::typed(&self.measured, chosen, LEVELS_MAX)?, told)
    }

    fn by_regimen(
        &self,
        knowledge: &Knowledge,
        chosen: &Chosen,
        (doses, times): (&Doses, &[Minutes]),
        read: &Read,
    ) -> Result<Answers, Unreadable> {
        let followed = !self.effects.is_empty() && chosen.ke0.is_some();
        let wanted = Wanted { levels: true, effects: followed.then_some(self.effects.as_slice()) };
        let Read { body, many, .. } = read;
        let asked = EffectQuestion { body: *body, doses, times, stages: &[], many: *many };
        chosen.answers(knowledge, wanted, &asked)
    }

    /// Letter and doses, as short as a legend.
    fn called(&self, letter: &str) -> String {
        let place = LETTERS.iter().position(|known| *known == letter).unwrap_or_default();
        let whole = format!("{letter} {}", self.regimens[place]);
        if whole.chars().count() <= LEGEND_MAX {
            return whole;
        }
        whole.chars().take(LEGEND_MAX - 1).chain(['…']).collect()
    }

    /// Reads every field before anything is worked out.
    fn fields(&self) -> Result<Read, Vec<Wrong>> {
        let mut all = Vec::new();
        let substances =
            [("", Form::Racemate), ("ketamine", Form::Racemate), ("esketamine", Form::SEnantiomer)];
        let form = kept(&mut all, "substance", one_of("substance", &self.substance, &substances));
        let sites = [("", None), ("arterial", Some(Site::Arterial)), ("venous", Some(Site::Venous))];
        let site = kept(&mut all, "site", one_of("site", &self.site, &sites));
        let weight = needed(&mut all, ("weight", "Weight"), &self.weight, |text| {
            asked::weight("--weight", &with_unit(text, "kg"))
        });
        let age = |text: &str| asked::age("--age", &with_unit(text, "a"));
        let age = self.optional(&mut all, "age", &self.age, age);
        let ke0 = |text: &str| asked::ke0("--ke0", &with_unit(text, "/min"));
        let ke0 = self.optional(&mut all, "ke0", &self.ke0, ke0);
        let until = needed(&mut all, ("until", "The time shown"), &self.until, until);
        let seed = if self.seed.is_empty() { "1" } else { &self.seed };
        let seed = kept(&mut all, "seed", whole("seed", seed, (0, u64::MAX)));
        let people =
            self.optional(&mut all, "people", &self.people, |text| whole("people", text, (1, PEOPLE_MAX)));
        let spread = self.bodies(people.is_some(), &mut all);
        if self.models.is_empty() || self.models.len() > MODELS_MAX {
            all.push(Wrong { field: "m".to_owned(), text: format!("Choose one to {MODELS_MAX} models.") });
        }
        let regimens = self.regimens(weight.unwrap_or(pkpd::Kg(1.0)), &mut all);
        match (weight, until, seed, form, site) {
            (Some(weight), Some(until), Some(seed), Some(form), Some(site)) if all.is_empty() => Ok(Read {
                regimens,
                form,
                body: Body { weight, age },
                many: people.map(|people| Many { people, spread, seed, threads: 1 }),
                until,
                ke0,
                site,
            }),
            _ => Err(all),
        }
    }

    /// How bodies spread, which is nothing where they do not. The parts are said together, and of several people.
    fn bodies(&self, are_many: bool, all: &mut Vec<Wrong>) -> Option<(Ratio, Years)> {
        if self.spread.is_empty() && self.age_to.is_empty() {
            return None;
        }
        let spread = kept(all, "spread", spread(&self.spread));
        let oldest = kept(all, "age_to", asked::age("--age-to", &with_unit(&self.age_to, "a")));
        for (field, is_missing) in [("people", !are_many), ("age", self.age.is_empty())] {
            if is_missing {
                let text = "Needed where weights and ages spread.".to_owned();
                all.push(Wrong { field: field.to_owned(), text });
            }
        }
        let youngest = asked::age("--age", &with_unit(&self.age, "a")).ok();
        if youngest.zip(oldest).is_some_and(|(youngest, oldest)| youngest.0 > oldest.0) {
            let text = "The oldest is younger than the age above.".to_owned();
            all.push(Wrong { field: "age_to".to_owned(), text });
        }
        spread.zip(oldest)
    }

    fn optional<T>(
        &self,
        all: &mut Vec<Wrong>,
        field: &str,
        text: &str,
        read: impl FnOnce(&str) -> Result<T, Unreadable>,
    ) -> Option<T> {
        if text.is_empty() { None } else { kept(all, field, read(text)) }
    }

    fn regimens(&self, weight: pkpd::Kg, all: &mut Vec<Wrong>) -> Vec<(usize, Doses)> {
        let mut regimens = Vec::new();
        let typed = self.regimens.iter().enumerate().filter(|(_, regimen)| !regimen.is_empty());
        for (place, regimen) in typed {
            let typed: Vec<String> = regimen.split(';').map(|dose| dose.trim().to_owned()).collect();
            let doses = Doses::read(&typed, Vec::new()).and_then(|doses| bounded(regimen, doses, weight));
            if let Some(doses) = kept(all, &format!("r{}", place + 1), doses) {
                regimens.push((place, doses));
            }
        }
        if self.regimens.iter().all(String::is_empty) {
            all.push(Wrong { field: "r1".to_owned(), text: "Type at least one regimen.".to_owned() });
        }
        regimens
    }
}

/// Letters of a legend.
const LEGEND_MAX: usize = 36;

fn bounded(regimen: &str, doses: Doses, weight: pkpd::Kg) -> Result<Doses, Unreadable> {
    let given = doses.schedule(weight)?;
    let count = given.doses().len() + given.by_other_ways().len();
    if count <= DOSES_MAX {
        return Ok(doses);
    }
    let argument = Argument { field: "--dose", text: regimen, accepted: "at most 200 doses on this page" };
    Err(argument.unreadable(format!("these are {count}")))
}

/// The unit stands beside the field; who types it, too, is understood, and who types another reads why not.
fn with_unit(text: &str, unit: &str) -> String {
    match text.strip_suffix(unit) {
        _ if text.parse::<f64>().is_ok() => format!("{text} {unit}"),
        Some(number) => format!("{} {unit}", number.trim_end()),
        None => text.to_owned(),
    }
}

fn one_of<T: Copy>(field: &'static str, text: &str, known: &[(&str, T)]) -> Result<T, Unreadable> {
    let accepted = if field == "site" { "arterial, venous or nothing" } else { "ketamine or esketamine" };
    let found = known.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
    found.ok_or_else(|| Argument { field, text, accepted }.unreadable("it is none of these"))
}

fn until(text: &str) -> Result<Minutes, Unreadable> {
    let until = asked::minutes("--until", &with_unit(text, "min"))?;
    if until.0 <= UNTIL_MAX {
        return Ok(until);
    }
    let argument = Argument { field: "--until", text, accepted: "at most 40320 min, which is 28 days" };
    Err(argument.unreadable("it is longer than this page looks"))
}

fn spread(text: &str) -> Result<Ratio, Unreadable> {
    let argument = Argument { field: "--weight-spread", text, accepted: "a number from 0 to 2, such as 0.2" };
    let found = argument.number(text)?;
    if (0.0..=2.0).contains(&found) {
        Ok(Ratio(found))
    } else {
        Err(argument.unreadable("it is not such a number"))
    }
}

fn whole(field: &'static str, text: &str, (low, high): (u64, u64)) -> Result<u64, Unreadable> {
    let accepted =
        if field == "seed" { "a whole number from 0" } else { "1 to 10000 people, or nothing for one" };
    let argument = Argument { field, text, accepted };
    let number = text.parse::<u64>().ok().filter(|number| (low..=high).contains(number));
    number.ok_or_else(|| argument.unreadable("it is not such a number"))
}

/// Keeps what was read, or writes down what is wrong with it.
fn kept<T>(all: &mut Vec<Wrong>, field: &str, read: Result<T, Unreadable>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(cause) => {
            all.push(wrong(field, &cause));
            None
        }
    }
}

/// The same of a field that may not be empty.
fn needed<T>(
    all: &mut Vec<Wrong>,
    (field, name): (&str, &str),
    text: &str,
    read: impl FnOnce(&str) -> Result<T, Unreadable>,
) -> Option<T> {
    if text.is_empty() {
        all.push(Wrong { field: field.to_owned(), text: format!("{name} is missing.") });
        return None;
    }
    kept(all, field, read(text))
}

/// Beside the field it comes from; `regimen` is the field of the doses.
fn wrong(regimen: &str, cause: &Unreadable) -> Wrong {
    let field = match cause.field {
        "--weight" => "weight",
        "--age" => "age",
        "--age-to" => "age_to",
        "--weight-spread" => "spread",
        "--observations" => "measured",
        "--site" => "site",
        "--ke0" => "ke0",
        "--at" | "--until" => "until",
        "--model" => "m",
        "--effect" => "e",
        _ => regimen,
    };
    let Unreadable { value, why, accepted, .. } = cause;
    let value = if value.is_empty() { String::new() } else { format!("`{value}`: ") };
    Wrong { field: field.to_owned(), text: on_page(&format!("{value}{why}. Accepted is {accepted}.")) }
}

/// The words of the command line for those who see none.
fn on_page(text: &str) -> String {
    text.replace("`chairside models list`", "the list")
        .replace("`chairside models show`", "its file")
        .replace("`chairside models show ", "the file `")
        .replace("--", "")
}

/// Each note once, with the regimens that it is about where those are not all.
fn gathered(told: &[(String, String)], regimens: usize) -> Vec<String> {
    let mut notes: Vec<(&str, Vec<&str>)> = Vec::new();
    for (letter, note) in told {
        match notes.iter_mut().find(|(known, _)| known == note) {
            Some((_, letters)) if letters.contains(&letter.as_str()) => {}
            Some((_, letters)) => letters.push(letter),
            None => notes.push((note, vec![letter])),
        }
    }
    let line = |(note, letters): (&str, Vec<&str>)| {
        let note = on_page(note);
        if letters.len() == regimens { note } else { format!("{}: {note}", letters.join(", ")) }
    };
    notes.into_iter().map(line).collect()
}

impl Comparison {
    /// Every number in full.
    #[must_use]
    pub fn sheet(&self) -> Sheet {
        table(&self.times, &self.series)
    }
}

/// Models of adults that the page offers, with title; the one of the chair first.
pub fn offered(knowledge: &Knowledge) -> Vec<(&str, &str)> {
    let rank = |role| match role {
        Role::Default => Some(0),
        Role::Comparison => Some(1),
        Role::Research => Some(2),
        Role::Paediatric | Role::NotForClinic => None,
    };
    let ranked = knowledge.pk_models.iter().filter_map(|item| Some((rank(item.body.role)?, item)));
    let mut ranked: Vec<_> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, item)| (item.header.id.as_str(), item.header.title.as_str())).collect()
}

#[cfg(test)]
mod tests;

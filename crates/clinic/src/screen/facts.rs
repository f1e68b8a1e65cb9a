//! A consultation as facts by path, such as `labs.alt`, each with its day where it has one.

use super::consultation::{Consultation, Dated, Known, Sex};
use crate::knowledge::Knowledge;
use crate::knowledge::asked::Asked;
use crate::knowledge::interactions::{Familiar, Medicine};
use crate::patient::years;
use jiff::civil::Date;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

/// Facts of the fixed fields; the others are named in `knowledge/asked/`.
const FIXED: [&str; 10] = [
    "person.age",
    "person.bmi",
    "person.female",
    "person.weight",
    "person.height",
    "vitals.heart_rate",
    "vitals.spo2",
    "vitals.respiratory_rate",
    "vitals.temperature",
    "vitals.pressures",
];

/// Whether a rule can look at it.
pub(crate) fn is_fact(fact: &str, knowledge: &Knowledge) -> bool {
    let asked = || knowledge.questions().is_some_and(|questions| questions.get(fact).is_some());
    FIXED.contains(&fact) || asked()
}

/// What is known, by path.
pub(crate) struct Facts<'a> {
    pub(crate) consultation: &'a Consultation,
    pub(crate) knowledge: &'a Knowledge,
    /// Day of the screening.
    pub(crate) on: Date,
    known: BTreeMap<String, (Known, Option<Date>)>,
}

impl<'a> Facts<'a> {
    pub(crate) fn new(consultation: &'a Consultation, knowledge: &'a Knowledge, on: Date) -> Self {
        let mut facts = Self { consultation, knowledge, on, known: BTreeMap::new() };
        facts.take_person();
        facts.take_vitals();
        for (list, results) in [("labs", &consultation.labs), ("scales", &consultation.scales)] {
            for (name, result) in &results.0 {
                facts.known.insert(format!("{list}.{name}"), (value_of(result), result.on));
            }
        }
        for (name, said) in &consultation.answers.0 {
            facts.put(&format!("answers.{name}"), said.known().map(Known::Yes), None);
        }
        for (name, day) in &consultation.workup.0 {
            facts.put(&format!("workup.{name}"), Some(Known::Yes(true)), Some(*day));
        }
        facts
    }

    fn put(&mut self, fact: &str, value: Option<Known>, day: Option<Date>) {
        if let Some(value) = value {
            self.known.insert(fact.to_owned(), (value, day));
        }
    }

    fn take_person(&mut self) {
        let (person, on, taken) = (&self.consultation.person, self.on, self.consultation.vitals_day());
        let age = person.born.map(|born| Known::Number(years(born, on).into()));
        let bmi = person.weight_kg.zip(person.height_cm).and_then(|(kg, cm)| bmi(kg, cm));
        let numbers = [("person.weight", person.weight_kg), ("person.height", person.height_cm)];
        let female = person.sex.map(|sex| Known::Yes(sex == Sex::F));
        self.put("person.age", age, None);
        self.put("person.female", female, None);
        self.put("person.bmi", bmi.map(Known::Number), taken);
        for (fact, number) in numbers {
            self.put(fact, number.map(Known::Number), taken);
        }
    }

    fn take_vitals(&mut self) {
        let (vitals, taken) = (&self.consultation.vitals, self.consultation.vitals_day());
        let numbers = [
            ("vitals.heart_rate", vitals.heart_rate),
            ("vitals.spo2", vitals.spo2),
            ("vitals.respiratory_rate", vitals.respiratory_rate),
            ("vitals.temperature", vitals.temperature),
        ];
        let measured = vitals.pressures.as_ref().is_some_and(|readings| !readings.is_empty());
        self.put("vitals.pressures", measured.then_some(Known::Yes(true)), taken);
        for (fact, number) in numbers {
            self.put(fact, number.map(Known::Number), taken);
        }
    }

    /// What is known of a fact.
    pub(crate) fn get(&self, fact: &str) -> Option<&Known> {
        self.known.get(fact).map(|(value, _)| value)
    }

    /// The day from which it is.
    pub(crate) fn day(&self, fact: &str) -> Option<Date> {
        self.known.get(fact).and_then(|(_, day)| *day)
    }

    /// What is missing where the fact is not known: nothing where it is not asked here, and the question that would
    /// open it where nobody answered that.
    pub(crate) fn missing(&self, fact: &str) -> Option<String> {
        if self.get(fact).is_some() {
            return None;
        }
        let Some(asked) = self.asked(fact) else { return Some(path_of(fact).to_owned()) };
        if !asked.only_with.is_empty() && !self.has_code(&asked.only_with) {
            return None;
        }
        match asked.only_if.as_deref().map(|gate| (gate, self.get(gate))) {
            None | Some((_, Some(Known::Yes(true)))) => Some(path_of(fact).to_owned()),
            Some((gate, None)) => self.missing(gate),
            Some((_, Some(_))) => None,
        }
    }

    fn asked(&self, fact: &str) -> Option<&'a Asked> {
        self.knowledge.questions()?.get(fact)
    }

    fn has_code(&self, prefixes: &[String]) -> bool {
        let codes = self.consultation.diagnoses.iter().flatten().map(|diagnosis| diagnosis.dotless());
        codes.into_iter().any(|code| prefixes.iter().any(|prefix| code.starts_with(&prefix.replace('.', ""))))
    }

    /// In words, for a reason.
    pub(crate) fn called<'f>(&self, fact: &'f str) -> &'f str
    where
        'a: 'f,
    {
        self.asked(fact).map_or(fact, |asked| asked.ask.as_str())
    }

    /// The medicines as the rules of interaction know them, and what is missing to know one.
    pub(crate) fn medicines(&self) -> Option<(Vec<Medicine>, Vec<String>)> {
        let taken = self.consultation.medicines.as_ref()?;
        let qtc_ms = match self.get("labs.qtc") {
            Some(Known::Number(qtc)) => Some(*qtc),
            _ => None,
        };
        let (mut list, mut missing) = (Vec::new(), Vec::new());
        for (nth, one) in taken.iter().enumerate() {
            let by_code = one.rxcui.as_deref().and_then(|rxcui| self.knowledge.ingredient(rxcui));
            let mut names: Vec<&str> = by_code.into_iter().chain(one.name.as_deref()).collect();
            names.dedup_by(|a, b| a.trim().eq_ignore_ascii_case(b.trim()));
            if names.is_empty() {
                missing.push(format!("medicines[{nth}].name"));
                names.push("");
            }
            let slip = |name: &&str| Some(format!("medicines[{nth}].name: is {name} {}", self.near(name)?));
            missing.extend(names.iter().filter_map(slip).map(|asked| asked + "?"));
            // The class belongs to the ingredient; a trade name beside it would only repeat it.
            for (which, name) in names.into_iter().enumerate() {
                list.push(Medicine {
                    ingredient: name.trim().to_owned(),
                    atc: one.atc.clone().filter(|_| which == 0),
                    daily_mg: one.daily_mg,
                    hours_since_last: one.hours_since_last,
                    qtc_ms,
                });
            }
        }
        Some((list, missing))
    }
}

impl Facts<'_> {
    /// The ingredient of a rule that a name of which no rule speaks may mean.
    fn near(&self, name: &str) -> Option<&str> {
        let named = Medicine { ingredient: name.to_owned(), ..Medicine::default() };
        match self.knowledge.familiar(&named) {
            Familiar::Near(known) => Some(known),
            Familiar::Judged | Familiar::Unknown => None,
        }
    }
}

/// Where a consultation has the fact.
pub(crate) fn path_of(fact: &str) -> &str {
    match fact {
        "person.age" => "person.born",
        "person.bmi" => "person.height_cm",
        "person.female" => "person.sex",
        "person.weight" => "person.weight_kg",
        "person.height" => "person.height_cm",
        _ => fact,
    }
}

/// A multiple of the upper limit of normal where the laboratory gave both.
fn value_of(result: &Dated) -> Known {
    match (&result.value, result.uln) {
        (Known::Number(value), Some(uln)) => {
            value.checked_div(uln).map_or_else(|| result.value.clone(), Known::Number)
        }
        _ => result.value.clone(),
    }
}

/// kg/m², to one place.
fn bmi(kg: Decimal, cm: Decimal) -> Option<Decimal> {
    let metres = cm.checked_div(Decimal::ONE_HUNDRED)?;
    let index = kg.checked_div(metres.checked_mul(metres)?)?;
    Some(crate::quantity::round_half_up(index, 1))
}

//! What was asked at the consultation, as one JSON document. What nobody asked is absent, `null` or `"unknown"`.
//!
//! Reading is generous where nothing can be mistaken: a diagnosis, a medicine or an allergy may be its name alone, a
//! laboratory result or a scale its number alone. It is strict where a slip would look like "not asked": an unknown
//! key is refused.

use jiff::civil::{Date, DateTime};
use rust_decimal::Decimal;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

/// One consultation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Consultation {
    /// Day of the screening; ages and the validity of results count to it.
    pub on: Option<Date>,
    /// Who it is, as far as rules need it.
    pub person: Person,
    /// Regimen that is planned, an id such as `mdd_trd_std`.
    pub regimen: Option<String>,
    /// Problem list; empty when asked and none.
    pub diagnoses: Option<Vec<Diagnosis>>,
    /// What was tried before; empty when asked and nothing.
    pub trials: Option<Vec<Trial>>,
    /// Everything that is taken; empty when asked and nothing.
    pub medicines: Option<Vec<Taken>>,
    /// Allergies; empty when asked and none.
    pub allergies: Option<Vec<Allergy>>,
    /// Vital signs.
    pub vitals: Vitals,
    /// Laboratory, by name.
    pub labs: Named<Dated>,
    /// Totals of rating scales, by name.
    pub scales: Named<Dated>,
    /// Questions, by name.
    pub answers: Named<Said>,
    /// What was done on which day, by name.
    pub workup: Named<Date>,
}

/// Who it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Person {
    /// Day of birth.
    pub born: Option<Date>,
    /// Sex as recorded at birth.
    pub sex: Option<Sex>,
    /// Body weight, kg.
    pub weight_kg: Option<Decimal>,
    /// Body height, cm.
    pub height_cm: Option<Decimal>,
}

/// Sex, for the questions that belong to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sex {
    /// Female.
    #[serde(alias = "female", alias = "F")]
    F,
    /// Male.
    #[serde(alias = "male", alias = "M")]
    M,
}

/// One diagnosis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Diagnosis {
    /// ICD-10-CM, with or without its dot.
    pub code: String,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Who made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_by: Option<String>,
    /// Day of its onset, or of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
    /// Whether it is present now; unknown counts as present.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<bool>,
}

/// One medicine that is taken. It has a name or a code that is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Taken {
    /// Ingredient, generic name.
    #[serde(default, alias = "ingredient", alias = "drug", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// RxNorm code of the ingredient.
    #[serde(default, deserialize_with = "code", skip_serializing_if = "Option::is_none")]
    pub rxcui: Option<String>,
    /// ATC code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub atc: Option<String>,
    /// Dose a day, mg.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily_mg: Option<Decimal>,
    /// Hours since the last dose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours_since_last: Option<Decimal>,
}

/// One allergy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Allergy {
    /// To what.
    #[serde(default, alias = "name", alias = "ingredient", skip_serializing_if = "Option::is_none")]
    pub substance: Option<String>,
    /// RxNorm code of the ingredient.
    #[serde(default, deserialize_with = "code", skip_serializing_if = "Option::is_none")]
    pub rxcui: Option<String>,
    /// What happened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
}

/// One treatment that was tried in the current episode.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// Generic name of the medicine.
    #[serde(alias = "name", alias = "ingredient")]
    pub drug: String,
    /// RxNorm code of the ingredient.
    #[serde(default, deserialize_with = "code")]
    pub rxcui: Option<String>,
    /// A medicine, or something else, which is kept and not counted.
    #[serde(default)]
    pub kind: TrialKind,
    /// Whether in the current episode.
    #[serde(default)]
    pub current_episode: Said,
    /// Highest daily dose, mg.
    #[serde(default)]
    pub max_daily_mg: Option<Decimal>,
    /// Whether that is at least the lowest effective dose of its label.
    #[serde(default)]
    pub adequate_dose: Said,
    /// Weeks at that dose.
    #[serde(default)]
    pub weeks: Option<Decimal>,
    /// Whether it was added to another; `None` while unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<bool>,
    /// Doses taken, %.
    #[serde(default)]
    pub adherence_percent: Option<Decimal>,
    /// Fall of the score, %.
    #[serde(default)]
    pub response_percent: Option<Decimal>,
    /// Why it was stopped.
    #[serde(default)]
    pub stopped: Stopped,
    /// Who says so.
    #[serde(default)]
    pub source: Option<String>,
}

/// What was tried.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TrialKind {
    /// An antidepressant, or what was added to one.
    Medicine,
    /// Electroconvulsive therapy.
    Ect,
    /// Transcranial magnetic stimulation.
    Tms,
    /// Esketamine nasal spray.
    Esketamine,
    /// Psychotherapy.
    Psychotherapy,
    /// Nobody said: never counted.
    #[default]
    Unknown,
}

/// Why a trial ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopped {
    /// Nobody asked.
    #[default]
    Unknown,
    /// It did not help enough.
    NoResponse,
    /// It was not tolerated.
    Intolerance,
    /// Another reason.
    Other,
    /// It goes on.
    NotStopped,
}

/// Vital signs at the consultation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Vitals {
    /// Day on which they were taken.
    pub on: Option<Date>,
    /// Cuff readings.
    pub pressures: Option<Vec<Reading>>,
    /// Beats a minute.
    pub heart_rate: Option<Decimal>,
    /// %, on room air.
    pub spo2: Option<Decimal>,
    /// Breaths a minute.
    pub respiratory_rate: Option<Decimal>,
    /// °C.
    pub temperature: Option<Decimal>,
}

/// One cuff reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// When, by the clock of the clinic.
    #[serde(default, deserialize_with = "clock")]
    pub at: Option<DateTime>,
    /// mm[Hg].
    pub systolic: Decimal,
    /// mm[Hg].
    pub diastolic: Decimal,
}

/// A result with its day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Dated {
    /// The number, the level, or positive or negative.
    #[serde(alias = "total", alias = "level", alias = "result", alias = "times_uln")]
    pub value: Known,
    /// Upper limit of normal of the laboratory, where `value` is in its unit and not yet a multiple of that limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uln: Option<Decimal>,
    /// Day of the sample, or on which it was filled in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<Date>,
}

/// What is known of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Known {
    /// Yes or no, positive or negative.
    Yes(bool),
    /// A number.
    Number(Decimal),
    /// A level, such as `high`.
    Level(String),
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(true) => f.write_str("yes"),
            Self::Yes(false) => f.write_str("no"),
            Self::Number(number) => f.write_str(&crate::quantity::plain(*number)),
            Self::Level(level) => f.write_str(level),
        }
    }
}

/// An answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// Yes.
    Yes,
    /// No.
    No,
    /// Not asked, or asked and not known: never a pass.
    #[default]
    Unknown,
}

impl Said {
    /// Yes or no; `None` while unknown.
    #[must_use]
    pub fn known(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Unknown => None,
        }
    }
}

/// Things by name. A name given twice is refused: one of the two would be lost in silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Named<T>(pub BTreeMap<String, T>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct ByName<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for ByName<T> {
            type Value = Named<T>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object with one entry a name")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Named<T>, A::Error> {
                let mut named = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if named.contains_key(&name) {
                        return Err(de::Error::custom(format!("`{name}` is there twice")));
                    }
                    // `null` is the same as not there.
                    let value: Option<T> = map.next_value()?;
                    named.insert(name, value);
                }
                Ok(Named(named.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()))
            }
        }
        from.deserialize_map(ByName(PhantomData))
    }
}

/// A scalar or an object: what a scalar means is one function, the object is what the struct derives.
macro_rules! short_or_long {
    ($($name:ident, $accepted:literal, |$short:ident| $mean:expr;)*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                struct Either;
                impl<'de> Visitor<'de> for Either {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($accepted)
                    }
                    fn visit_bool<E: de::Error>(self, value: bool) -> Result<$name, E> {
                        short(Scalar::Yes(value), self)
                    }
                    fn visit_i64<E: de::Error>(self, value: i64) -> Result<$name, E> {
                        short(Scalar::Number(value.into()), self)
                    }
                    fn visit_u64<E: de::Error>(self, value: u64) -> Result<$name, E> {
                        short(Scalar::Number(value.into()), self)
                    }
                    // JSON has one kind of number: its shortest text is what was written.
                    fn visit_f64<E: de::Error>(self, value: f64) -> Result<$name, E> {
                        match Decimal::from_str(&value.to_string()) {
                            Ok(number) => short(Scalar::Number(number), self),
                            Err(_) => Err(E::invalid_value(de::Unexpected::Float(value), &self)),
                        }
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$name, E> {
                        short(Scalar::Text(text), self)
                    }
                    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<$name, A::Error> {
                        $name::long(MapAccessDeserializer::new(map))
                    }
                }
                fn short<E: de::Error>($short: Scalar<'_>, accepted: Either) -> Result<$name, E> {
                    let said = $short.to_string();
                    let meant: Option<$name> = $mean;
                    meant.ok_or_else(|| E::invalid_value(de::Unexpected::Other(&said), &accepted))
                }
                from.deserialize_any(Either)
            }
        }
    )*};
}

enum Scalar<'a> {
    Yes(bool),
    Number(Decimal),
    Text(&'a str),
}

impl fmt::Display for Scalar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Yes(yes) => write!(f, "{yes}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl Scalar<'_> {
    fn text(&self) -> Option<String> {
        match self {
            Self::Text(text) if !text.trim().is_empty() => Some((*text).trim().to_owned()),
            Self::Text(_) | Self::Yes(_) | Self::Number(_) => None,
        }
    }
    fn known(&self) -> Option<Known> {
        match self {
            Self::Yes(yes) => Some(Known::Yes(*yes)),
            Self::Number(number) => Some(Known::Number(*number)),
            Self::Text(text) => match text.trim().to_lowercase().as_str() {
                "" => None,
                "positive" | "pos" | "yes" => Some(Known::Yes(true)),
                "negative" | "neg" | "no" => Some(Known::Yes(false)),
                word => Some(match Decimal::from_str(word) {
                    Ok(number) => Known::Number(number),
                    Err(_) => Known::Level(word.to_owned()),
                }),
            },
        }
    }
    fn said(&self) -> Option<Said> {
        match (self, self.known()) {
            (Self::Text(text), _) if text.trim().eq_ignore_ascii_case("unknown") => Some(Said::Unknown),
            (_, Some(Known::Yes(true))) => Some(Said::Yes),
            (_, Some(Known::Yes(false))) => Some(Said::No),
            _ => None,
        }
    }
}

/// A struct that derives its object form with `remote = "Self"`, which takes the name `deserialize` for itself.
macro_rules! long_form {
    ($($name:ident),*) => {$(
        impl $name {
            fn long<'de, D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $name::deserialize(from)
            }
        }
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                $name::serialize(self, to)
            }
        }
    )*};
    (none: $($name:ident, $accepted:literal),*) => {$(
        impl $name {
            fn long<'de, D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
                Err(de::Error::invalid_type(de::Unexpected::Map, &$accepted))
            }
        }
    )*};
}

long_form!(Diagnosis, Taken, Allergy, Dated);
long_form!(none: Known, "a number, a word, or yes or no", Said, "\"yes\", \"no\" or \"unknown\"");

short_or_long! {
    Diagnosis, "an ICD-10-CM code, or an object with `code`", |short| short.text().map(|code| Diagnosis {
        code, text: None, made_by: None, on: None, current: None
    });
    Taken, "a name, or an object with `name`, `rxcui` or `atc`", |short| {
        short.text().map(|name| Taken { name: Some(name), ..Taken::default() })
    };
    Allergy, "a substance, or an object with `substance` or `rxcui`", |short| {
        short.text().map(|substance| Allergy { substance: Some(substance), ..Allergy::default() })
    };
    Dated, "a number, a level, positive or negative, or an object with `value` and `on`", |short| {
        short.known().map(|value| Dated { value, uln: None, on: None })
    };
    Known, "a number, a level, positive or negative", |short| short.known();
    Said, "\"yes\", \"no\" or \"unknown\"", |short| short.said();
}

/// A code may be written as a number.
fn code<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    let known: Option<Known> = Option::deserialize(from)?;
    match known {
        None => Ok(None),
        Some(Known::Number(number)) => Ok(Some(number.normalize().to_string())),
        Some(other) => Err(de::Error::custom(format!("`{other}` is no RxNorm code; accepted is a number"))),
    }
}

/// The time on the clock of the clinic; an offset behind it changes nothing, because both readings have the same.
fn clock<'de, D: Deserializer<'de>>(from: D) -> Result<Option<DateTime>, D::Error> {
    let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
    let pieces = jiff::fmt::temporal::Pieces::parse(&text).ok();
    match pieces.as_ref().and_then(|pieces| Some((pieces.date(), pieces.time()?))) {
        Some((date, time)) => Ok(Some(DateTime::from_parts(date, time))),
        None => Err(de::Error::invalid_value(
            de::Unexpected::Str(&text),
            &"a day and a time such as 2026-11-22T09:00",
        )),
    }
}

impl Diagnosis {
    /// The code as rules compare it: capitals, without its dot.
    #[must_use]
    pub fn dotless(&self) -> String {
        self.code.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_uppercase()
    }
    /// The code as people write it.
    #[must_use]
    pub fn dotted(&self) -> String {
        let code = self.dotless();
        match code.split_at_checked(3) {
            Some((category, rest)) if !rest.is_empty() => format!("{category}.{rest}"),
            _ => code,
        }
    }
}

impl Consultation {
    /// Day of the vital signs: as given, else that of the last cuff reading.
    #[must_use]
    pub fn vitals_day(&self) -> Option<Date> {
        let last = || self.vitals.pressures.iter().flatten().filter_map(|reading| reading.at).max();
        self.vitals.on.or_else(|| Some(last()?.date()))
    }
}

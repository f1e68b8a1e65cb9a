//! What stands in the address: scale, condition, which series, how many days of them count.

use crate::AppState;
use crate::pages::{FieldError, encoded};
use clinic::knowledge::Item;
use clinic::knowledge::scales::{Condition, Scale};
use clinic::outcome::Question;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

/// Shown before anybody asked anything: six weeks, as most studies of a series report.
const DAYS: &str = "42";
/// Longest window.
const DAYS_MAX: u32 = 3_650;

/// As it was typed.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    scale: String,
    #[serde(default)]
    condition: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    days: String,
}

/// As it stands in the form.
pub struct Typed {
    /// Id of the scale.
    pub scale: String,
    /// Id of the condition, or `any`.
    pub condition: String,
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
    /// Days that count.
    pub days: String,
}

/// As it was understood.
pub struct Picked {
    /// Scale.
    pub item: Item<Scale>,
    /// None for everybody.
    pub condition: Option<Condition>,
    /// First and last day on which a series began.
    days: (Option<Date>, Option<Date>),
    span: (Timestamp, Timestamp),
    /// Days that count.
    pub within_d: u32,
}

fn or(typed: &str, usual: &str) -> String {
    if typed.trim().is_empty() { usual.to_owned() } else { typed.trim().to_owned() }
}

impl Asked {
    /// With what holds where nothing was typed.
    pub fn typed(&self) -> Typed {
        Typed {
            scale: or(&self.scale, "phq9"),
            condition: or(&self.condition, Condition::Mdd.id()),
            from: self.from.trim().to_owned(),
            to: self.to.trim().to_owned(),
            days: or(&self.days, DAYS),
        }
    }

    /// Understands it.
    ///
    /// # Errors
    /// Everything that is wrong, each at its field.
    pub fn picked(&self, app: &AppState) -> Result<Picked, Vec<FieldError>> {
        let typed = self.typed();
        let mut errors = Vec::new();
        let item = app.knowledge.scales.get(&typed.scale).filter(|item| item.body.total.is_some());
        if item.is_none() {
            errors.push(FieldError::at("scale", format!("“{}” is no scale with a total.", typed.scale)));
        }
        let condition = match typed.condition.as_str() {
            "any" => None,
            id => Condition::find(id).or_else(|| {
                errors.push(FieldError::at("condition", format!("“{id}” is none of the conditions.")));
                None
            }),
        };
        let from = day("from", &typed.from, &mut errors);
        let to = day("to", &typed.to, &mut errors);
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            errors.push(FieldError::at("to", format!("The last day, {to}, is before the first, {from}.")));
        }
        let within_d = typed.days.parse().ok().filter(|days| (1..=DAYS_MAX).contains(days));
        if within_d.is_none() {
            let why = format!("“{}” is no whole number of days from 1 to {DAYS_MAX}.", typed.days);
            errors.push(FieldError::at("days", why));
        }
        match (item, within_d) {
            (Some(item), Some(within_d)) if errors.is_empty() => {
                let begins = |day: Date| day.to_zoned(app.config.time_zone()).ok().map(|day| day.timestamp());
                let after = |day: Date| begins(day.tomorrow().ok()?);
                let span = (
                    from.and_then(begins).unwrap_or(Timestamp::MIN),
                    to.and_then(after).unwrap_or(Timestamp::MAX),
                );
                Ok(Picked { item: item.clone(), condition, days: (from, to), span, within_d })
            }
            _ => Err(errors),
        }
    }
}

fn day(field: &str, typed: &str, errors: &mut Vec<FieldError>) -> Option<Date> {
    if typed.is_empty() {
        return None;
    }
    let day = typed.parse().ok();
    if day.is_none() {
        errors.push(FieldError::at(
            field,
            format!("“{typed}” is no day. Accepted is a day such as 2026-03-02."),
        ));
    }
    day
}

impl Picked {
    /// What the domain is asked.
    pub fn question(&self, now: Timestamp) -> Question<'_> {
        let Self { item, condition, span: (from, before), within_d, .. } = self;
        Question { item, condition: *condition, from: *from, before: *before, within_d: *within_d, now }
    }

    /// The same question at another path.
    pub fn address(&self, path: &str) -> String {
        let day = |day: Option<Date>| day.map_or_else(String::new, |day| day.to_string());
        format!(
            "{path}?scale={}&condition={}&from={}&to={}&days={}",
            encoded(&self.item.header.id),
            self.condition.map_or("any", Condition::id),
            day(self.days.0),
            day(self.days.1),
            self.within_d
        )
    }
}

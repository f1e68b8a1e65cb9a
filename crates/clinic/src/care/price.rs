//! What the clinic asks for its care, as its owner sets it, and what a plan comes to. An estimate is words on paper: no
//! gate, booking or infusion reads it.

use super::Refusal;
use crate::course::{Course, Stage};
use crate::staff::{Actor, Role};
use iso_currency::{Currency, Flag};
use jiff::ToSpan;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The highest price of one visit, of any currency with hundredths: a limit of our own, so that a slipped point is seen.
const MOST: Cents = Cents(10_000_000);
/// The longest that an estimate holds, in days: a year, a limit of our own.
const VALID_D_MOST: u32 = 366;
/// How many of a currency without hundredths are as much as one of another, about: its limit is so much higher.
const WHOLE_TIMES: u32 = 100;

/// An amount of money in hundredths of its currency, exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cents(u64);

impl Cents {
    /// Reads `600`, `600.5` or `600.00`; anything else is none.
    pub fn read(text: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return None;
        }
        let cents: u64 = format!("{part:0<2}").parse().ok()?;
        whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(cents).map(Self)
    }

    /// The amount as its currency is written: `3,600.00`, or `98,000` where there are no hundredths.
    pub fn of(self, currency: &str) -> String {
        let shown = self.to_string();
        let whole = if is_whole(currency) { shown.strip_suffix(".00") } else { None };
        whole.map_or_else(|| shown.clone(), str::to_owned)
    }

    const fn times(self, count: u32) -> Self {
        Self(self.0.saturating_mul(count as u64))
    }
}

impl fmt::Display for Cents {
    /// `3,600.00`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = (self.0 / 100).to_string();
        let mut grouped = String::new();
        for (nth, digit) in whole.chars().enumerate() {
            if nth > 0 && (whole.len() - nth).is_multiple_of(3) {
                grouped.push(',');
            }
            grouped.push(digit);
        }
        write!(f, "{grouped}.{:02}", self.0 % 100)
    }
}

/// What the clinic asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// Such as `USD`.
    pub currency: String,
    /// A consultation.
    pub consultation: Cents,
    /// An infusion of a series.
    pub session: Cents,
    /// An infusion after it.
    pub booster: Cents,
    /// For so many days an estimate holds.
    pub valid_d: u32,
}

/// What can happen to the prices.
/// A variant is never removed or reshaped: a new field has a default, or it is a new variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Event {
    /// From then on these hold.
    PricesSet(Prices),
}

/// Digits after the point that ISO 4217 gives an amount of a currency in which one pays; no fund, and nothing special.
fn digits(currency: &str) -> Option<u16> {
    let pays = |one: &Currency| !one.flags().iter().any(|flag| matches!(flag, Flag::Fund | Flag::Special));
    Currency::from_code(currency).filter(pays)?.exponent()
}

fn is_whole(currency: &str) -> bool {
    digits(currency) == Some(0)
}

/// Sets the prices.
///
/// # Errors
/// Who may not, or which value cannot be.
pub fn set(prices: Prices, actor: &Actor) -> Result<Event, Refusal> {
    if actor.role != Role::Owner {
        let role = actor.role.title();
        return Err(Refusal::NotAllowed { doing: "set prices", role, needs: "owner" });
    }
    let is_whole = is_whole(&prices.currency);
    // An amount here has no thousandths.
    if !is_whole && digits(&prices.currency) != Some(2) {
        let accepted = "three capital letters, such as USD, or JPY, which has no hundredths; none with thousandths is taken";
        let (value, accepted) = (prices.currency, accepted.to_owned());
        return Err(Refusal::OutOfRange { field: "currency", what: "The currency", value, accepted });
    }
    let most = if is_whole { MOST.times(WHOLE_TIMES) } else { MOST };
    for (field, what, price) in [
        ("consultation", "The price of a consultation", prices.consultation),
        ("session", "The price of an infusion", prices.session),
        ("booster", "The price of a booster", prices.booster),
    ] {
        if is_whole && !price.0.is_multiple_of(100) {
            let accepted = format!("a whole number: {} has no hundredths", prices.currency);
            return Err(Refusal::OutOfRange { field, what, value: price.to_string(), accepted });
        }
        if price > most {
            let value = price.of(&prices.currency);
            let accepted = format!("{} to {}", Cents(0).of(&prices.currency), most.of(&prices.currency));
            return Err(Refusal::OutOfRange { field, what, value, accepted });
        }
    }
    if !(1..=VALID_D_MOST).contains(&prices.valid_d) {
        let (value, accepted) = (prices.valid_d.to_string(), format!("1 to {VALID_D_MOST} days"));
        let what = "How long an estimate holds";
        return Err(Refusal::OutOfRange { field: "valid_d", what, value, accepted });
    }
    Ok(Event::PricesSet(prices))
}

/// One line of an estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// For a person.
    pub what: String,
    /// How many.
    pub count: u32,
    /// One costs.
    pub each: Cents,
    /// All of them.
    pub sum: Cents,
}

/// What a plan comes to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// By this version of the plan.
    pub plan_version: u32,
    /// Of these prices.
    pub currency: String,
    /// What is counted.
    pub lines: Vec<Line>,
    /// Of all lines.
    pub total: Cents,
    /// Made on.
    pub on: Date,
    /// Holds up to this day.
    pub until: Date,
}

impl Estimate {
    /// What tells it from another that one may have read.
    pub fn as_read(&self) -> String {
        let total = self.total.of(&self.currency);
        format!("{total} {} by version {} on {}", self.currency, self.plan_version, self.on)
    }

    /// Whether it comes to the same by the same plan.
    pub fn is_still(&self, now: &Self) -> bool {
        let asked = |one: &Self| (one.plan_version, one.currency.clone(), one.lines.clone());
        asked(self) == asked(now)
    }
}

/// What the plan of a course comes to by the prices of a day: the infusions of the series, or the boosters that fall
/// into the time for which it holds, the next one at least. `None` while nothing is planned.
pub fn estimate(course: &Course, prices: &Prices, on: Date) -> Option<Estimate> {
    let plan = course.plan()?;
    let (what, count, each) = match course.stage {
        Stage::New | Stage::Closed => return None,
        Stage::Induction => ("Infusions of the series".to_owned(), plan.infusions, prices.session),
        Stage::Maintenance { every_d: Some(days) } => match prices.valid_d.checked_div(days)? {
            0 => (format!("The next booster, one every {days} days"), 1, prices.booster),
            count => {
                let within = prices.valid_d;
                (format!("Boosters within {within} days, one every {days} days"), count, prices.booster)
            }
        },
        Stage::Maintenance { every_d: None } => ("A booster, when needed".to_owned(), 1, prices.booster),
    };
    let line = Line { what, count, each, sum: each.times(count) };
    Some(Estimate {
        plan_version: course.plan_version(),
        currency: prices.currency.clone(),
        total: line.sum,
        lines: vec![line],
        on,
        until: on.saturating_add(i64::from(prices.valid_d).days()),
    })
}

/// What can happen to the estimates of a patient.
/// A variant is never removed or reshaped: a new field has a default, or it is a new variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Given {
    /// The patient was given it in writing.
    EstimateGiven(Estimate),
}

/// Notes that the patient was given an estimate.
///
/// # Errors
/// Who may not.
pub fn give(estimate: Estimate, actor: &Actor) -> Result<Given, Refusal> {
    match actor.role {
        Role::FrontDesk | Role::Nurse | Role::Prescriber => Ok(Given::EstimateGiven(estimate)),
        role @ (Role::Therapist | Role::Owner | Role::Machine) => {
            let needs = "front desk, nurse or prescriber";
            Err(Refusal::NotAllowed { doing: "give an estimate", role: role.title(), needs })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::{Plan, Version};
    use crate::id::StaffId;
    use crate::knowledge::Knowledge;
    use jiff::civil::date;
    use proptest::prelude::*;
    use std::sync::LazyLock;

    fn prices() -> Prices {
        let price = |text| Cents::read(text).expect("an amount");
        Prices {
            currency: "USD".to_owned(),
            consultation: price("250"),
            session: price("600.00"),
            booster: price("550.50"),
            valid_d: 90,
        }
    }

    #[test]
    fn an_amount_is_exact_and_reads_as_people_write_it() {
        for (typed, reads) in [
            ("600", "600.00"),
            ("3600.5", "3,600.50"),
            ("0", "0.00"),
            ("0.05", "0.05"),
            ("1234567", "1,234,567.00"),
        ] {
            assert_eq!(Cents::read(typed).expect(typed).to_string(), reads);
        }
        for none in [
            "0.001",
            "-1",
            "+1",
            "1e3",
            "1,000",
            "NaN",
            ".5",
            "5.",
            "",
            "1.2.3",
            "79228162514264337593543950335",
        ] {
            assert_eq!(Cents::read(none), None, "{none}");
        }
    }

    #[test]
    fn the_owner_sets_prices_and_what_cannot_be_one_is_refused_by_name() {
        let by = |role| Actor { id: StaffId::new("morgan"), role };
        assert!(set(prices(), &by(Role::Owner)).is_ok());
        for role in [Role::FrontDesk, Role::Nurse, Role::Prescriber, Role::Therapist, Role::Machine] {
            assert!(matches!(set(prices(), &by(role)), Err(Refusal::NotAllowed { .. })), "{role:?}");
        }
        let much = Cents::read("100000.01").expect("an amount");
        for (wrong, field, says) in [
            (Prices { currency: "usd".to_owned(), ..prices() }, "currency", "three capital letters"),
            (Prices { currency: "XYZ".to_owned(), ..prices() }, "currency", "such as USD, or JPY"),
            (Prices { currency: "KWD".to_owned(), ..prices() }, "currency", "none with thousandths"),
            (Prices { currency: "U D".to_owned(), ..prices() }, "currency", "three capital letters"),
            (Prices { currency: "JPY".to_owned(), ..prices() }, "booster", "JPY has no hundredths"),
            (Prices { currency: "USDX".to_owned(), ..prices() }, "currency", "three capital letters"),
            (Prices { session: much, ..prices() }, "session", "0.00 to 100,000.00"),
            (Prices { booster: much, ..prices() }, "booster", "0.00 to 100,000.00"),
            (Prices { consultation: much, ..prices() }, "consultation", "0.00 to 100,000.00"),
            (Prices { valid_d: 0, ..prices() }, "valid_d", "1 to 366 days"),
            (Prices { valid_d: 367, ..prices() }, "valid_d", "1 to 366 days"),
        ] {
            let refusal = set(wrong, &by(Role::Owner)).expect_err(field);
            assert!(refusal.field() == field && refusal.to_string().contains(says), "{refusal}");
        }
    }

    #[test]
    fn every_currency_in_which_one_pays_is_taken_by_its_own_digits() {
        let owner = Actor { id: StaffId::new("morgan"), role: Role::Owner };
        let with = |currency: &str| set(Prices { currency: currency.to_owned(), ..prices() }, &owner);
        for currency in ["USD", "VES", "CUP", "SDG", "SSP", "STN", "SLE", "XCG"] {
            assert!(with(currency).is_ok(), "{currency}");
        }
        for currency in ["KWD", "TND", "CLF", "XAU", "XXX", "CHE", "AAA"] {
            assert!(with(currency).is_err(), "{currency}");
        }
    }

    #[test]
    fn a_currency_without_hundredths_is_written_without_them() {
        let owner = Actor { id: StaffId::new("morgan"), role: Role::Owner };
        let yen = |session: &str| {
            let price = |text| Cents::read(text).expect("an amount");
            let (session, booster) = (price(session), price("82000"));
            Prices {
                currency: "JPY".to_owned(),
                consultation: price("38000.00"),
                session,
                booster,
                ..prices()
            }
        };
        assert!(set(yen("90000"), &owner).is_ok() && set(yen("10000000"), &owner).is_ok());
        let refused = set(yen("10000001"), &owner).expect_err("too much").to_string();
        assert!(refused.contains("10,000,001; accepted is 0 to 10,000,000"), "{refused}");
        let is = estimate(&BOOSTED, &yen("90000"), date(2026, 11, 22)).expect("a plan");
        assert!(is.as_read().starts_with("82,000 JPY by version 1"), "{}", is.as_read());
        assert_eq!(
            Cents::read("600.50").expect("an amount").of("JPY"),
            "600.50",
            "an older one stays as it was set"
        );
    }

    #[test]
    fn only_who_books_gives_an_estimate() {
        let one = Estimate {
            plan_version: 1,
            currency: "USD".to_owned(),
            lines: Vec::new(),
            total: Cents(0),
            on: date(2026, 11, 22),
            until: date(2027, 2, 20),
        };
        for (role, may) in [(Role::FrontDesk, true), (Role::Nurse, true), (Role::Therapist, false)] {
            let actor = Actor { id: StaffId::new("robin"), role };
            assert_eq!(give(one.clone(), &actor).is_ok(), may, "{role:?}");
        }
    }

    /// A course in maintenance, boosters when needed.
    static BOOSTED: LazyLock<Course> = LazyLock::new(|| {
        let all = Knowledge::shipped().expect("knowledge");
        let regimen = all.regimens.get("mdd_trd_std").expect("shipped");
        let plan = Plan::usual(regimen, vec!["F33.2".to_owned()]).expect("for a clinic");
        let plans = vec![Version { plan, by: StaffId::new("prescriber") }];
        Course { stage: Stage::Maintenance { every_d: None }, plans, ..Course::default() }
    });

    #[test]
    fn an_estimate_of_boosters_says_how_many_it_counts_and_never_none() {
        for (valid_d, every_d, what, count, total) in [
            (30, Some(42), "The next booster, one every 42 days", 1, "550.50"),
            (41, Some(42), "The next booster, one every 42 days", 1, "550.50"),
            (42, Some(42), "Boosters within 42 days, one every 42 days", 1, "550.50"),
            (90, Some(42), "Boosters within 90 days, one every 42 days", 2, "1,101.00"),
            (90, None, "A booster, when needed", 1, "550.50"),
        ] {
            let prices = Prices { valid_d, ..prices() };
            let course = Course { stage: Stage::Maintenance { every_d }, ..BOOSTED.clone() };
            let is = estimate(&course, &prices, date(2026, 11, 22)).expect("a plan");
            let line = is.lines.first().expect("a line");
            assert_eq!((line.what.as_str(), line.count, is.total.to_string().as_str()), (what, count, total));
        }
    }

    proptest! {
        /// All that is counted falls into the time for which it holds and no more would, but for the next one.
        #[test]
        fn boosters_are_those_of_the_time_and_at_least_the_next(
            valid_d in 1..=VALID_D_MOST,
            days in 1..=VALID_D_MOST,
            price in 1..=MOST.0,
        ) {
            let prices = Prices { valid_d, booster: Cents(price), ..prices() };
            let course = Course { stage: Stage::Maintenance { every_d: Some(days) }, ..BOOSTED.clone() };
            let is = estimate(&course, &prices, date(2026, 11, 22)).expect("a plan");
            let count = is.lines[0].count;
            prop_assert!(count == 1 || count * days <= valid_d, "{count}");
            prop_assert!(count > 0 && (count + 1) * days > valid_d, "{count}");
            prop_assert_eq!(is.total.0, (0..count).map(|_| price).sum::<u64>());
        }
    }
}

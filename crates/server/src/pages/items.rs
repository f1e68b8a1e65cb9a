//! Single items of a scale over time: which of them changed, where a total hides it.

use crate::AppState;
use clinic::knowledge::Item;
use clinic::knowledge::scales::{Scale, Worse};
use clinic::quantity::plain;
use clinic::scale::Given;
use clinic::scale::questionnaire::Questionnaires;
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// Most columns: the first answers, and the last ones.
const COLUMNS_MAX: usize = 8;

/// The items of one scale, in order of time.
pub struct Items {
    /// When each column was answered.
    pub when: Vec<String>,
    /// One a question.
    pub rows: Vec<ItemRow>,
}

/// One question.
pub struct ItemRow {
    /// In a word or two.
    pub title: String,
    /// Answers as numbers; a dash for none.
    pub values: Vec<String>,
    /// From the first column to the last.
    pub trend: &'static str,
}

impl Items {
    /// `None` until the items were answered twice.
    pub fn of(app: &AppState, item: &Item<Scale>, all: &Questionnaires) -> Option<Self> {
        let counting = all.counting(&item.header.id);
        let mut answered: Vec<_> = counting
            .iter()
            .filter_map(|(_, answered)| match &answered.given {
                Given::Answers(answers) => Some((answered.at, answers)),
                Given::Total(_) => None,
            })
            .collect();
        if answered.len() < 2 {
            return None;
        }
        if answered.len() > COLUMNS_MAX {
            answered.drain(1..=answered.len() - COLUMNS_MAX);
        }
        let day = |at: jiff::Timestamp| at.to_zoned(app.config.time_zone()).strftime("%d-%b-%y").to_string();
        let rows = item.body.items.iter().enumerate().map(|(place, question)| {
            let values: Vec<Option<Decimal>> =
                answered.iter().map(|(_, answers)| answers.get(place).copied().flatten()).collect();
            ItemRow {
                title: format!("{} {}", question.id, question.title),
                trend: trend(item.body.worse, &values),
                values: values.into_iter().map(|value| value.map_or_else(|| "–".to_owned(), plain)).collect(),
            }
        });
        Some(Self { when: answered.iter().map(|(at, _)| day(*at)).collect(), rows: rows.collect() })
    }
}

/// Two answers are compared, the first and the last that there are; one answer has no trend.
fn trend(worse: Worse, values: &[Option<Decimal>]) -> &'static str {
    let mut known = values.iter().flatten();
    let (Some(first), Some(last)) = (known.next(), known.next_back()) else { return "" };
    let better = if worse == Worse::Higher { Ordering::Less } else { Ordering::Greater };
    match last.cmp(first) {
        Ordering::Equal => "the same",
        way if way == better => "better",
        _ => "worse",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(worse: Worse, values: &[Option<i64>]) -> &'static str {
        trend(worse, &values.iter().map(|value| value.map(Decimal::from)).collect::<Vec<_>>())
    }

    #[test]
    fn a_trend_knows_which_way_is_worse_and_makes_nothing_of_a_gap() {
        assert_eq!(told(Worse::Higher, &[Some(3), None, Some(1)]), "better");
        assert_eq!(told(Worse::Lower, &[Some(3), None, Some(1)]), "worse");
        assert_eq!(told(Worse::Higher, &[Some(2), Some(0), Some(2), None]), "the same");
        assert_eq!(told(Worse::Higher, &[None, Some(2), None]), "");
        assert_eq!(told(Worse::Higher, &[]), "");
    }
}

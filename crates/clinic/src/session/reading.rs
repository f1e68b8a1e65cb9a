//! A pump that a person reads by eye: held against what it should show, and asked about where it is not near.

use super::event::{PumpRead, ReadBy};
use super::refusal::Refusal;
use super::state::Session;
use crate::device::PumpStatus;
use crate::dose;
use crate::knowledge::Knowledge;
use crate::quantity::{Microlitres, flowed, plain, round_half_up};
use crate::text::says_why;

/// What the counter may show without a question, and what it should show.
struct Near {
    least: Microlitres,
    expected: (Microlitres, Microlitres),
    most: Microlitres,
}

impl Near {
    fn of(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Self {
        let (rules, delivery) = (knowledge.session_rules(), &session.delivery);
        let again = read.by == ReadBy::Correcting;
        let expected = delivery.counter_expected(read.read_at, again);
        let before = if again { delivery.counter_before_last() } else { delivery.last_counter() };
        // While somebody walks from the pump to the page it goes on.
        let on_the_way = flowed(delivery.set_rate(), rules.pump_read_within_s.saturating_mul(1000));
        let apart = |counter: Microlitres| {
            let since = counter.minus(before).max(Microlitres::ZERO);
            let part = Microlitres(since.0.saturating_mul(rules.pump_read_percent) / 100);
            part.plus(on_the_way).plus(rules.vtbi_match)
        };
        let (low, high) = expected;
        Self { least: low.minus(apart(low)), expected, most: high.plus(apart(high)) }
    }

    fn holds(&self, counter: Option<i64>) -> bool {
        counter.is_some_and(|counter| (self.least.0..=self.most.0).contains(&counter))
    }

    /// The slip of a decimal point after which the counter would be what is expected.
    fn slip(&self, counter: Microlitres) -> Option<&'static str> {
        if self.holds(counter.0.checked_div(10)) {
            Some("A tenth of that would fit: a decimal point may be lost.")
        } else if self.holds(counter.0.checked_mul(10)) {
            Some("Ten times that would fit: a decimal point may be added.")
        } else if self.holds(counter.0.checked_div(100)) {
            Some("A hundredth of that would fit: two decimal places may be lost.")
        } else {
            None
        }
    }

    fn in_words(&self) -> String {
        let about = |counter: Microlitres| {
            format!("{} {}", plain(round_half_up(counter.decimal(), 1)), Microlitres::UNIT)
        };
        let (low, high) = self.expected;
        if about(low) == about(high) {
            format!("about {}", about(low))
        } else {
            format!("between {} and {}", about(low), about(high))
        }
    }
}

/// The slip that a counter looks like.
pub(super) fn slip(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Option<&'static str> {
    Near::of(session, read, knowledge).slip(read.counter)
}

/// The reading, with the reason that was given. What a link says is evidence, and nobody is there to ask.
pub(super) fn asked_about(
    session: &Session,
    read: PumpRead,
    knowledge: &Knowledge,
) -> Result<PumpRead, Refusal> {
    let questions: Vec<String> = if read.by.eye() {
        [about_counter(session, &read, knowledge), about_rate(session, &read, knowledge)]
            .into_iter()
            .flatten()
            .collect()
    } else {
        Vec::new()
    };
    let reason = says_why(read.reason.clone());
    if questions.is_empty() || reason.is_some() {
        return Ok(PumpRead { reason, ..read });
    }
    let finding = format!("{} Read it again.", questions.join(" "));
    Err(Refusal::NeedsReason { field: "reason", finding })
}

fn about_counter(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Option<String> {
    let near = Near::of(session, read, knowledge);
    if near.holds(Some(read.counter.0)) {
        return None;
    }
    let slip = near.slip(read.counter).map_or_else(String::new, |slip| format!(" {slip}"));
    Some(format!("The pump should show {} by now; you typed {}.{slip}", near.in_words(), read.counter))
}

fn about_rate(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Option<String> {
    let recorded = session.delivery.set_rate();
    let apart = read.rate.0.abs_diff(recorded.0) > knowledge.session_rules().pump_match.0.unsigned_abs();
    if read.status != PumpStatus::Infusing || !apart {
        return None;
    }
    let slip = dose::ratio_hint(read.rate.0, recorded.0).map_or_else(String::new, |hint| format!(" {hint}"));
    Some(format!("The pump was last set to {recorded}; you typed {}.{slip}", read.rate))
}

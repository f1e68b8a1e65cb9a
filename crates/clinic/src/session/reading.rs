//! The pump as it is read: held against what it should show. A person is asked about what is not near; what a link tells
//! is evidence or a doubt, and a person settles the doubt.

use super::event::{Event, PumpRead, ReadBy, Unexplained};
use super::refusal::Refusal;
use super::state::{Phase, Session};
use crate::device::PumpStatus;
use crate::dose;
use crate::knowledge::Knowledge;
use crate::quantity::{Microlitres, flowed, plain, round_half_up};
use crate::text::{is_reason, says_why};
use jiff::Timestamp;

pub(super) fn read_pump(
    session: &Session,
    read: PumpRead,
    at: Timestamp,
    knowledge: &Knowledge,
) -> Result<Vec<Event>, Refusal> {
    if session.delivery.started().is_none() {
        return Err(session.wrong_phase("read the pump", "The infusion has not started."));
    }
    if read.read_at > at {
        return Err(Refusal::OutOfRange {
            field: "read_at",
            what: "Time of reading",
            value: read.read_at.to_string(),
            accepted: "now or earlier".to_owned(),
        });
    }
    let all_in = stands_at_the_end(session, &read, knowledge);
    let read = PumpRead { all_in, ..read };
    if matches!(read.by, ReadBy::Link(_)) {
        // Nobody is there to ask. After a count that cannot be, the next one says no more than that it goes on.
        if session.delivery.doubted().is_some() {
            return Ok(Vec::new());
        }
        let doubt = unexplained(session, &read, knowledge);
        return Ok(vec![doubt.map_or(Event::PumpWasRead(read), Event::CounterDoubted)]);
    }
    if !read.jumped {
        in_range(session, &read, knowledge)?;
    } else if read.counter.0 < 0 {
        return Err(counter_is_not(&read, "0 mL or more, as shown on the pump".to_owned()));
    }
    Ok(vec![Event::PumpWasRead(asked_about(session, read, knowledge)?)])
}

/// The volume that a link tells, where the rate does not explain it: the pump gave more than it can have given, its counter
/// was cleared or jumped, or another pump answers.
pub fn unexplained(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Option<Unexplained> {
    let ReadBy::Link(device) = &read.by else { return None };
    let delivery = &session.delivery;
    let near = Near::of(session, read, knowledge);
    let most = near.most.min(session.counter_max());
    let (explained, since_seen) = delivery.explained(read.read_at);
    let near_last = (least(session, read, knowledge)..=most).contains(&read.counter) && read.rate.0 >= 0;
    if near_last && read.counter <= explained.plus(leeway(session, read, since_seen, knowledge)) {
        return None;
    }
    Some(Unexplained {
        device: device.clone(),
        since: delivery.settled_to().unwrap_or(read.read_at),
        told_at: read.read_at,
        counter: read.counter,
        expected: if near_last { (explained, explained) } else { near.expected },
    })
}

/// By how much the counter may differ from what the rates explain, after so much has flowed.
fn leeway(
    session: &Session,
    read: &PumpRead,
    flowed_since: Microlitres,
    knowledge: &Knowledge,
) -> Microlitres {
    let (rules, delivery) = (knowledge.session_rules(), &session.delivery);
    // While somebody walks from the pump to the page it goes on, and so it does while its message is under way.
    let way_s = if read.by.eye() { rules.pump_read_within_s } else { rules.link_lost_after_s };
    let flowed_since = flowed_since.max(Microlitres::ZERO);
    let part = Microlitres(flowed_since.0.saturating_mul(rules.pump_read_percent) / 100);
    part.plus(flowed(delivery.set_rate(), way_s.saturating_mul(1000))).plus(rules.vtbi_match)
}

/// A pump counts up. The last digit of a display may differ from that of a message.
fn least(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Microlitres {
    let delivery = &session.delivery;
    match read.by {
        ReadBy::Correcting => delivery.counter_before_last(),
        ReadBy::Link(_) | ReadBy::Person => {
            delivery.counts_from().max(delivery.last_counter().minus(knowledge.session_rules().vtbi_match))
        }
    }
}

fn counter_is_not(read: &PumpRead, accepted: String) -> Refusal {
    let value = read.counter.to_string();
    Refusal::OutOfRange { field: "counter", what: "Volume infused", value, accepted }
}

/// Refuses what no counter of this infusion shows.
fn in_range(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Result<(), Refusal> {
    let (floor, ceiling) = (least(session, read, knowledge), session.counter_max());
    let begun = session.delivery.counts_from();
    if (floor..=ceiling).contains(&read.counter) && read.rate.0 >= 0 {
        return Ok(());
    }
    if read.counter >= floor || read.counter < begun {
        let slip = Near::of(session, read, knowledge).slip(read.counter);
        let hint = slip.filter(|_| session.delivery.doubted().is_none()).unwrap_or(JUMPED);
        let at_start = if read.counter < begun && begun == session.delivery.counter_at_start() {
            "If it was typed wrong at the start, correct it there. "
        } else {
            ""
        };
        let hint = hint.trim_end_matches('.');
        let accepted = format!("{begun} to {ceiling}, which is all that was drawn. {at_start}{hint}");
        return Err(counter_is_not(read, accepted));
    }
    Err(counter_is_not(
        read,
        if read.by == ReadBy::Correcting {
            format!("{floor}, as read before the reading that was wrong, or more")
        } else {
            let counted = session.delivery.last_counter();
            format!(
                "{counted}, as read before, or more: a pump counts up. If the reading before was wrong, or the counter \
                 was cleared, say so"
            )
        },
    ))
}

/// Without a link it is found at the final reading: until the rest is measured it may still be corrected.
pub fn start_may_be_corrected(session: &Session, at: Timestamp) -> bool {
    let started = session.delivery.started().is_some();
    started && (session.phase.active() || session.is_to_be_measured(at))
}

/// Whether all that the pump was told to give is in, as far as it shows it.
fn all_in(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> bool {
    let delivery = &session.delivery;
    let counted =
        if read.jumped { delivery.volume_at(read.read_at) } else { delivery.volume_counted(read.counter) };
    let to_be_infused = session.program.as_ref().map(|(program, _)| program.vtbi);
    to_be_infused.is_some_and(|all| knowledge.session_rules().nothing_left(all.minus(counted)))
}

/// The entry says it where the account cannot: that what the display rounds away is missing.
fn stands_at_the_end(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> bool {
    let to_the_drop = session
        .program
        .as_ref()
        .is_some_and(|(program, _)| session.delivery.volume_counted(read.counter) >= program.vtbi);
    read.status == PumpStatus::NotInfusing && !to_the_drop && all_in(session, read, knowledge)
}

/// What was typed for the counter at the start was wrong. The old value stays in the log, and all that was read since is
/// counted anew from the right one.
pub(super) fn correct_start(
    session: &Session,
    counter: Microlitres,
    reason: String,
    at: Timestamp,
) -> Result<Vec<Event>, Refusal> {
    let delivery = &session.delivery;
    if !start_may_be_corrected(session, at) {
        let needs = "It can be corrected from the start until the rest is measured and adds up.";
        return Err(session.wrong_phase("correct the counter at the start", needs));
    }
    let refuse = |accepted: String| {
        let (what, value) = ("Volume counter at the start", counter.to_string());
        Err(Refusal::OutOfRange { field: "counter", what, value, accepted })
    };
    let was = delivery.counter_at_start();
    if counter == was {
        return refuse(format!("another than {was}, which stands in the record"));
    }
    let lowest = delivery.lowest_read();
    let given = delivery.with_start(counter).volume_at(at);
    let drawn = session.counter_max().minus(delivery.counter_of_nothing());
    if counter.0 < 0 || lowest.is_some_and(|lowest| counter > lowest) || given > drawn {
        let more = drawn.minus(delivery.volume_at(at)).max(Microlitres::ZERO);
        let least = if lowest.is_some() { was.minus(more).max(Microlitres::ZERO) } else { Microlitres::ZERO };
        let to = lowest.map_or_else(|| " or more".to_owned(), |lowest| format!(" to {lowest}"));
        return refuse(format!("{least}{to}, by what was drawn and what was read since"));
    }
    if !is_reason(&reason) {
        let (what, next) = ("The reason".to_owned(), "Say what went wrong, in words.".to_owned());
        return Err(Refusal::Missing { field: "reason", what, next });
    }
    Ok(vec![Event::StartCounterCorrected { was, counter, reason }])
}

const JUMPED: &str = "If the counter was cleared or jumped, and nothing flowed by that, say so.";

/// What the counter may show without a question, and what it should show.
struct Near {
    least: Microlitres,
    expected: (Microlitres, Microlitres),
    most: Microlitres,
}

impl Near {
    fn of(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Self {
        let delivery = &session.delivery;
        let again = read.by == ReadBy::Correcting;
        let (low, mut high) = delivery.counter_expected(read.read_at, again);
        let before = if again { delivery.counter_before_last() } else { delivery.last_counter() };
        if !read.by.eye() {
            // It tells a new rate before the person does who set it, and may give more than its volume.
            high = high.max(delivery.counter_at(read.rate, read.read_at));
        }
        let apart = |counter: Microlitres| leeway(session, read, counter.minus(before), knowledge);
        Self { least: low.minus(apart(low)), expected: (low, high), most: high.plus(apart(high)) }
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
}

impl Unexplained {
    /// Both numbers, for a person.
    pub fn in_words(&self) -> String {
        format!("the pump counts {}, its rate explains {}", self.counter, about(self.expected))
    }
}

/// A volume as near as a person can read it.
fn about((low, high): (Microlitres, Microlitres)) -> String {
    let shown = |counter: Microlitres| {
        format!("{} {}", plain(round_half_up(counter.decimal(), 1)), Microlitres::UNIT)
    };
    if shown(low) == shown(high) {
        format!("about {}", shown(low))
    } else {
        format!("between {} and {}", shown(low), shown(high))
    }
}

/// What a person read, with the reason that was given.
fn asked_about(session: &Session, read: PumpRead, knowledge: &Knowledge) -> Result<PumpRead, Refusal> {
    let questions: Vec<String> = [
        about_counter(session, &read, knowledge),
        about_status(session, &read, knowledge),
        about_rate(session, &read, knowledge),
    ]
    .into_iter()
    .flatten()
    .collect();
    let reason = says_why(read.reason.clone());
    if questions.is_empty() || reason.is_some() {
        return Ok(PumpRead { reason, ..read });
    }
    let finding = format!("{} Read it again.", questions.join(" "));
    Err(Refusal::NeedsReason { field: "reason", finding })
}

fn about_counter(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Option<String> {
    let near = Near::of(session, read, knowledge);
    if read.jumped {
        return Some(about_jump(session, read, &near));
    }
    if near.holds(Some(read.counter.0)) {
        return None;
    }
    let slip = near.slip(read.counter).filter(|_| session.delivery.doubted().is_none());
    let hint = slip.unwrap_or(JUMPED);
    Some(format!("The pump should show {} by now; you typed {}. {hint}", about(near.expected), read.counter))
}

/// What is counted where the counter was cleared: by the rates what nothing else makes uncertain, and else a range.
fn about_jump(session: &Session, read: &PumpRead, near: &Near) -> String {
    let correcting = read.by == ReadBy::Correcting;
    let without = correcting.then(|| session.delivery.without_last_reading());
    let account = without.as_ref().unwrap_or(&session.delivery);
    let by_rates = about(near.expected);
    let counts = if account.jump_settles(read.read_at) {
        "That is counted as given, and it".to_owned()
    } else {
        "Which of that flowed no reading will tell any more: the delivery stays uncertain, with the least of it as given. \
         The pump"
            .to_owned()
    };
    format!(
        "By the recorded rates the pump should show {by_rates} by now. {counts} counts on from {}: say what happened to the \
         counter.",
        read.counter
    )
}

/// A pump that does not infuse while the record says so is no slip of the hand alone: one of the two is to be put right.
fn about_status(session: &Session, read: &PumpRead, knowledge: &Knowledge) -> Option<String> {
    let all_in = all_in(session, read, knowledge);
    if session.phase != Phase::Infusing || read.status == PumpStatus::Infusing || all_in {
        return None;
    }
    let set = session.delivery.set_rate();
    Some(format!("The record says that it runs at {set}: stopped on the pump?"))
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

//! A schedule and the times of interest as a list of moves, the same for everybody: how long, at which rate, and when
//! to look. Moves of one length share their exponentials.

use crate::schedule::Schedule;
use crate::units::Minutes;
use std::collections::BTreeMap;

/// What happens next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Move {
    /// mg at once. From here on times count anew.
    Event { bolus: f64 },
    /// On by a length that is in the plan, at mg/min.
    Go { span: usize, rate: f64 },
    /// From the last event on, by a length of its own: products of many factors end here, and their rounding.
    Jump { span: f64, rate: f64 },
    /// The levels of the next time are read.
    Look,
}

/// Moves, and the lengths they share.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Plan {
    pub(super) moves: Vec<Move>,
    pub(super) spans: Vec<Span>,
}

/// A length in minutes, and whether anything flows in during it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Span {
    pub(super) length: f64,
    pub(super) flows: bool,
}

/// Lengths that are shared; those beyond are jumped.
const SPANS_MAX: usize = 256;
/// Moves by products before a jump: each adds at most some 4e-16 of the level.
const MOVES_MAX: usize = 128;

impl Plan {
    /// The times rise.
    pub(super) fn new(schedule: &Schedule, times: &[Minutes]) -> Self {
        let mut made = Drawn::default();
        let mut ahead = schedule.steps().iter().peekable();
        for time in times {
            while let Some(step) = ahead.next_if(|s| s.at <= time.0) {
                made.go(step.at);
                made.plan.moves.push(Move::Event { bolus: step.bolus });
                made.event = Some(step.at);
                (made.at, made.rate, made.products) = (step.at, step.rate, 0);
            }
            made.go(time.0);
            made.plan.moves.push(Move::Look);
        }
        made.plan
    }
}

#[derive(Default)]
struct Drawn {
    plan: Plan,
    /// By the bits of their length; positive numbers and their bits rise together.
    known: BTreeMap<u64, usize>,
    /// Last event; nothing is there before the first.
    event: Option<f64>,
    at: f64,
    rate: f64,
    products: usize,
}

impl Drawn {
    fn go(&mut self, to: f64) {
        let Some(event) = self.event else { return };
        let (length, rate) = (to - self.at, self.rate);
        if length <= 0.0 {
            return;
        }
        self.products += 1;
        let span = self.span(length, to).filter(|_| self.products <= MOVES_MAX);
        let next = match span {
            Some(span) => Move::Go { span, rate },
            None => {
                self.products = 0;
                Move::Jump { span: to - event, rate }
            }
        };
        self.plan.moves.push(next);
        self.at = to;
    }

    /// The place of a length. Lengths that differ by less than the rounding of the times are one.
    fn span(&mut self, length: f64, to: f64) -> Option<usize> {
        let slack = 2.0 * f64::EPSILON * to.abs().max(length);
        let near = (length - slack).max(0.0).to_bits()..=(length + slack).to_bits();
        let known = self.known.range(near).next().map(|(_, &place)| place);
        let place = known.unwrap_or(self.plan.spans.len());
        if known.is_none() {
            if place >= SPANS_MAX {
                return None;
            }
            self.known.insert(length.to_bits(), place);
            self.plan.spans.push(Span { length, flows: false });
        }
        let flows = self.rate > 0.0;
        self.plan.spans.iter_mut().skip(place).take(1).for_each(|span| span.flows |= flows);
        Some(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dose, Mg};

    fn plan(doses: &[Dose], times: impl Iterator<Item = f64>) -> Plan {
        let schedule = Schedule::new(doses.iter().copied()).expect("doses");
        Plan::new(&schedule, &times.map(Minutes).collect::<Vec<_>>())
    }

    #[test]
    fn an_even_grid_needs_one_length() {
        let infusion = Dose::over(Mg(35.0), Minutes(40.0), Minutes(0.0));
        let found = plan(&[infusion], (0..=240).map(f64::from));
        assert_eq!(found.spans, [Span { length: 1.0, flows: true }]);
        // A tenth has no exact number, and neither have its multiples; still it is one length.
        let found = plan(&[infusion], (0..=400).map(|k| 0.1 * f64::from(k)));
        assert_eq!(found.spans.len(), 1);
        assert_eq!(found.moves.iter().filter(|m| matches!(m, Move::Look)).count(), 401);
    }

    #[test]
    fn long_products_end_in_a_jump_and_so_do_too_many_lengths() {
        let bolus = Dose::over(Mg(1.0), Minutes(0.0), Minutes(5.0));
        let jumps = |p: &Plan| p.moves.iter().filter(|m| matches!(m, Move::Jump { .. })).count();
        assert_eq!(jumps(&plan(&[bolus], (0..=1000).map(f64::from))), 995 / (MOVES_MAX + 1));
        let uneven = plan(&[bolus], (0..600).map(|k| 5.0 + f64::from(k * k)));
        assert_eq!(uneven.spans.len(), SPANS_MAX);
        assert!(jumps(&uneven) >= 599 - SPANS_MAX);
    }

    #[test]
    fn before_the_first_dose_one_only_looks() {
        let bolus = Dose::over(Mg(2.0), Minutes(0.0), Minutes(5.0));
        let found = plan(&[bolus], [0.0, 5.0].into_iter());
        assert_eq!(found.moves, [Move::Look, Move::Event { bolus: 2.0 }, Move::Look]);
    }
}

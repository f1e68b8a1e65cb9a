//! The pump's counter against what its rate explains: volumes that jump, a counter that was typed wrong at the start, and
//! a pump that does not say that it infuses.

use super::pump::{ask, by_eye, by_link, done, running};
use super::*;
use crate::quantity::flowed;

fn told(session: &Session, seen: PumpRead, second: i64) -> Vec<Event> {
    let command = Command::ReadPump { read: by_link(seen) };
    decide(session, command, &Actor::machine("pump-link"), at(second), knowledge()).expect("never refused")
}

fn tell(session: Session, seen: PumpRead, second: i64) -> Session {
    let events = told(&session, seen, second);
    done(session, events, second)
}

fn uncertain(session: &Session, second: i64) -> Option<(Microlitres, Microlitres)> {
    match session.delivery.certainty(at(second)) {
        Certainty::Uncertain { low, high, .. } => Some((low, high)),
        Certainty::Read | Certainty::Recorded => None,
    }
}

fn given(session: &Session, second: i64) -> i64 {
    let segments = session.delivery.segments_to(at(second));
    let volume = session.delivery.volume_at(at(second));
    assert_eq!(segments.iter().map(|one| one.volume).fold(Microlitres::ZERO, Microlitres::plus), volume);
    volume.0
}

/// Volume of so many seconds at a rate, in microlitres.
fn of(rate: i64, seconds: i64) -> i64 {
    flowed(Rate(rate), seconds * 1000).0
}

proptest! {
    /// Hazard 124: what a link tells counts as given while the rate explains it. What the rate cannot explain, and a counter
    /// that goes back, makes the delivery uncertain between what is known and what was told, and nothing that the link
    /// says later settles it. A person does: the counter jumped, and the rates count; or it flowed, and the counter counts.
    /// Whatever goes on from there is counted once.
    #[test]
    fn a_volume_that_the_rate_cannot_explain_is_delivered_by_the_word_of_a_person_alone(
        seconds in 30_i64..1_500, gap_s in 1_i64..60, off_percent in -9_i64..9,
        jump in prop_oneof![-20_000_i64..-400, 700_i64..40_000], later_s in 1_i64..300, on_s in 1_i64..60,
        flowed_in in any::<bool>(),
    ) {
        let first = 600 + seconds;
        let counted = of(30_800, seconds) * (100 + off_percent) / 100;
        let session = tell(running(), read(counted, 30_800, first), first);
        prop_assert_eq!((uncertain(&session, first), given(&session, first)), (None, counted));
        let second = first + gap_s;
        let shown = (counted + of(30_800, gap_s) + jump).max(0);
        prop_assume!(shown < counted - 100 || jump > 0);
        let events = told(&session, read(shown, 30_800, second), second);
        let [Event::CounterDoubted(doubt)] = &events[..] else { panic!("{events:?}") };
        prop_assert_eq!((doubt.counter, doubt.since), (Microlitres(shown), at(first)));
        prop_assert!((doubt.expected.1.0 - counted - of(30_800, gap_s)).abs() <= 1, "{:?}", doubt);
        let session = done(session, events, second);
        let drawn = session.counter_max();
        let (low, high) = uncertain(&session, second).expect("nobody knows");
        prop_assert_eq!((low, given(&session, second)), (Microlitres(counted), counted));
        prop_assert!(high >= Microlitres(shown).min(drawn) && high <= drawn, "at most {high}");
        let now = second + later_s;
        let goes_on = shown + of(30_800, later_s);
        prop_assert_eq!(told(&session, read(goes_on, 30_800, now), now), []);
        prop_assert_eq!(told(&session, read(counted + of(30_800, gap_s + later_s), 30_800, now), now), []);

        let by_rates = counted + of(30_800, gap_s + later_s);
        let seen = PumpRead { jumped: !flowed_in, ..read(goes_on, 30_800, now) };
        // Who reads by eye may be back by what a display rounds away, and is not asked.
        prop_assume!(!(counted - 100..counted).contains(&goes_on));
        let possible = (counted..=drawn.0).contains(&goes_on);
        if flowed_in && !possible {
            let refusal = by_eye(&session, seen, now).expect_err("more than was drawn, or back").to_string();
            prop_assert!(refusal.contains("say so"), "{}", refusal);
            return Ok(());
        }
        let asked = by_eye(&session, seen.clone(), now);
        let near = goes_on - by_rates;
        if !flowed_in || !(-100..=of(30_800, 60)).contains(&near) {
            let question = matches!(asked, Err(Refusal::NeedsReason { field: "reason", .. }));
            prop_assert!(question || near < of(30_800, 60) + by_rates / 10 + 100, "{:?}", asked);
        }
        let why = Some("another syringe".to_owned());
        let events = by_eye(&session, PumpRead { reason: why, ..seen }, now).expect("a person says so");
        let session = done(session, events, now);
        let known = if flowed_in { goes_on } else { by_rates };
        prop_assert!((given(&session, now) - known).abs() <= 2, "{} for {known}", given(&session, now));
        prop_assert_eq!(uncertain(&session, now), None);
        let end = now + on_s;
        prop_assume!(goes_on + of(30_800, on_s) <= session.counter_max().0);
        let session = tell(session, read(goes_on + of(30_800, on_s), 30_800, end), end);
        prop_assert_eq!(uncertain(&session, end), None);
        let once = known + of(30_800, on_s);
        prop_assert!((given(&session, end) - once).abs() <= 3, "{} for {once}", given(&session, end));
    }

    /// Hazard 124: a counter that was cleared makes nothing certain that was uncertain before: after a pause that nobody saw
    /// at the pump, a lost link, and a link that does not say that the pump infuses. It counts on beside the range, once,
    /// and so it does where the reading before is taken back by the word that it was cleared.
    #[test]
    fn a_cleared_counter_leaves_uncertain_what_was_uncertain_before(
        seconds in 30_i64..1_200, gap_s in 1_i64..600, how in 0_usize..5, shown in 0_i64..3_000, on_s in 1_i64..60,
        takes_back in any::<bool>(),
    ) {
        let (then, counted) = (600 + seconds, of(30_800, seconds));
        let session = match how {
            0 => take(running(), Event::InfusionPaused { reason: String::new() }, then),
            1 => take(running(), Event::DeliveryBecameUncertain { since: at(then) }, then),
            _ => {
                let status = [PumpStatus::NotInfusing, PumpStatus::KeepVeinOpen, PumpStatus::Unknown][how - 2];
                tell(running(), PumpRead { status, ..read(counted, 0, then) }, then)
            }
        };
        let drawn = session.counter_max();
        let (now, rate) = (then + gap_s, if how == 0 { 0 } else { 30_800 });
        let range = uncertain(&session, now).expect("nobody knows");
        prop_assert_eq!((range.0, range.1 > range.0), (Microlitres(counted), true));
        let why = || Some("another syringe".to_owned());
        let wrongly_read = PumpRead { reason: why(), ..read(counted, rate, now) };
        let (session, by) = if takes_back {
            (take(session, Event::PumpWasRead(wrongly_read), now), ReadBy::Correcting)
        } else {
            (session, ReadBy::Person)
        };
        let cleared = PumpRead { by, jumped: true, ..read(shown, rate, now) };
        let question = by_eye(&session, cleared.clone(), now).expect_err("a reason is asked").to_string();
        prop_assert!(question.contains("stays uncertain") && !question.contains("counted as given"), "{}", question);
        let events = by_eye(&session, PumpRead { reason: why(), ..cleared }, now).expect("a person says so");
        let session = done(session, events, now);
        prop_assert_eq!((uncertain(&session, now), given(&session, now)), (Some(range), counted));
        let (end, more) = (now + on_s, of(rate, on_s));
        let events = by_eye(&session, read(shown + more, rate, end), end).expect("as expected");
        let session = done(session, events, end);
        let most = range.1.plus(Microlitres(more)).min(drawn);
        prop_assert_eq!(uncertain(&session, end), Some((Microlitres(counted + more), most)));
        prop_assert_eq!(given(&session, end), counted + more);
    }

    /// Hazard 125: a counter that was typed wrong at the start and is put right leaves nothing of the wrong one in what was
    /// delivered, whatever was read, paused and lost in between.
    #[test]
    fn a_counter_at_the_start_that_is_corrected_counts_as_if_it_had_been_typed_right(
        right in 0_i64..3_000, wrong in 0_i64..3_000,
        acts in prop::collection::vec((0_u8..5, 1_i64..300), 0..8), ends in any::<bool>(),
    ) {
        prop_assume!(wrong != right);
        let begin = |counter| {
            let event = Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(counter) };
            take(before("infusion_started"), event, 600)
        };
        let (mut typed_wrong, mut typed_right, mut now) = (begin(wrong), begin(right), 600);
        let mut counter = right.max(wrong);
        for (act, wait_s) in acts {
            now += wait_s;
            let event = match (act, typed_right.phase) {
                (0, Phase::Infusing) => Event::InfusionPaused { reason: String::new() },
                (0 | 1, Phase::Paused) => Event::InfusionResumed { rate: Rate(30_800), reason: String::new() },
                (1, _) => Event::RateChanged { from: Rate(30_800), to: Rate(20_000), reason: String::new() },
                (2, _) => Event::DeliveryBecameUncertain { since: typed_right.delivery.settled_to().expect("it runs") },
                (n, phase) => {
                    counter += of(20_000, wait_s);
                    let seen = read(counter, if phase == Phase::Infusing { 20_000 } else { 0 }, now);
                    Event::PumpWasRead(PumpRead { jumped: n == 4 && wait_s < 50, ..by_link(seen) })
                }
            };
            typed_wrong = take(typed_wrong, event.clone(), now);
            typed_right = take(typed_right, event, now);
        }
        if ends {
            let end = || Event::InfusionEnded { why: StopReason::StoppedEarly, reason: String::new() };
            (typed_wrong, typed_right) = (take(typed_wrong, end(), now), take(typed_right, end(), now));
        }
        let correct = |counter, reason: &str| {
            let reason = reason.to_owned();
            ask(&typed_wrong, Command::CorrectStartCounter { counter: Microlitres(counter), reason }, now)
        };
        let corrected = correct(right, "the point was lost").expect("it fits what was read");
        prop_assert!(correct(right, "").is_err() && correct(wrong, "the point was lost").is_err());
        prop_assert!(correct(-1, "the point was lost").is_err());
        let [Event::StartCounterCorrected { was, .. }] = &corrected[..] else { panic!("{corrected:?}") };
        prop_assert_eq!(*was, Microlitres(wrong));
        let session = done(typed_wrong.clone(), corrected, now);
        for later in [now, now + 60] {
            let then = at(later);
            prop_assert_eq!(session.delivery.segments_to(then), typed_right.delivery.segments_to(then));
            prop_assert_eq!(session.delivery.certainty(then), typed_right.delivery.certainty(then));
            prop_assert_eq!(session.delivered_mass(then), typed_right.delivered_mass(then));
            prop_assert_eq!(session.counter_max(), typed_right.counter_max());
        }
    }

    /// Hazard 126: a link that does not say that the pump infuses, while the record says that it runs, leaves the delivery
    /// uncertain between what it counted and what the rate would give, unless all of the volume is in; it is known again
    /// once both say the same.
    #[test]
    fn a_link_that_does_not_say_that_the_pump_infuses_makes_the_delivery_uncertain(
        seconds in 30_i64..2_300, later_s in 1_i64..600, status in 0_usize..3, pauses in any::<bool>(),
    ) {
        let status = [PumpStatus::NotInfusing, PumpStatus::KeepVeinOpen, PumpStatus::Unknown][status];
        let (then, counted) = (600 + seconds, of(30_800, seconds));
        let otherwise = |counter, second| PumpRead { status, ..read(counter, 0, second) };
        let session = tell(running(), otherwise(counted, then), then);
        let now = then + later_s;
        let (low, high) = uncertain(&session, now).expect("they contradict each other");
        prop_assert_eq!(low, Microlitres(counted));
        let most = (counted + of(30_800, later_s)).min(session.counter_max().0);
        prop_assert!((high.0 - most).abs() <= 1, "{high} for {most}");
        prop_assert!(!session.delivery.runs_on(), "it is not after the stop");
        let session = if pauses {
            let session = take(session, Event::InfusionPaused { reason: String::new() }, now);
            prop_assert!(uncertain(&session, now).is_some());
            tell(session, read(counted, 0, now + 1), now + 1)
        } else {
            tell(session, read(counted, 30_800, now + 1), now + 1)
        };
        prop_assert_eq!(uncertain(&session, now + 1), None);
        prop_assert_eq!(given(&session, now + 1), counted);
    }
}

/// Hazard 124: a pump that runs away behind a steady rate is doubted wherever the excess comes from, and no message grants
/// the leeway anew. One that runs as it says, with the jitter of its messages, is never doubted.
#[test]
fn a_pump_that_gives_more_than_it_says_is_doubted_however_often_it_tells() {
    for (percent, every_s, within_s) in
        [(1_000, 1, 10), (2_000, 2, 10), (141, 1, 150), (141, 20, 160), (300, 5, 40)]
    {
        let mut session = running();
        let doubted = (1..=1_200 / every_s).find_map(|n| {
            let second = 600 + n * every_s;
            let counted = of(30_800, n * every_s) * percent / 100;
            let events = told(&session, read(counted, 30_800, second), second);
            let is_doubted = matches!(events[..], [Event::CounterDoubted(_)]);
            session = done(session.clone(), events, second);
            is_doubted.then_some(n * every_s)
        });
        assert!(
            doubted.is_some_and(|after| after <= within_s),
            "{percent} % told every {every_s} s: {doubted:?}"
        );
        let known = given(&session, 600 + doubted.expect("doubted"));
        assert!(known <= of(30_800, doubted.expect("doubted")) * 12 / 10 + 200, "{percent} %: {known}");
    }
    for (percent, jitter_s) in [(100, 0), (100, 8), (95, 3), (105, 3)] {
        let mut session = running();
        for n in 1..=1_100 {
            let late = if n % 7 == 0 { jitter_s } else { 0 };
            let second = 600 + n * 2;
            let events =
                told(&session, read(of(30_800, n * 2 - late) * percent / 100, 30_800, second), second);
            assert!(
                !events.iter().any(|one| matches!(one, Event::CounterDoubted(_))),
                "{percent} % at {n}: {events:?}"
            );
            session = done(session, events, second);
        }
    }
}

/// Hazard 124: nobody resumes while the count of the pump is doubted; a person reads it first.
#[test]
fn nobody_resumes_while_the_count_of_the_pump_is_doubted() {
    let session = tell(running(), read(of(30_800, 120) + 8_000, 30_800, 720), 720);
    assert!(session.delivery.doubted().is_some());
    let by = nurse("kim");
    let pause = Command::Pause { reason: "the count".to_owned() };
    let paused =
        done(session.clone(), decide(&session, pause, &by, at(725), knowledge()).expect("paused"), 725);
    let resume = Command::Resume {
        rate: Rate(30_800),
        reason: "calm".to_owned(),
        prescriber: None,
        alarms: Vec::new(),
        passes: None,
        after: None,
    };
    let refusal = decide(&paused, resume, &by, at(730), knowledge()).expect_err("it is doubted");
    assert!(refusal.field() == "counter" && refusal.to_string().contains("Read the pump first"), "{refusal}");
}

/// Hazard 124: a rate that one message tells and nobody recorded does not explain the volume of that message, and the next
/// message settles nothing.
#[test]
fn a_wrong_rate_in_a_message_does_not_explain_its_own_jump() {
    for rate in [308_000, 3_080_000] {
        let session = tell(running(), read(of(30_800, 120), 30_800, 720), 720);
        let events = told(&session, read(of(30_800, 122) + 8_000, rate, 722), 722);
        assert!(matches!(events[..], [Event::CounterDoubted(_)]), "{events:?}");
        let session = done(session, events, 722);
        let events = told(&session, read(of(30_800, 124) + 8_000, 30_800, 724), 724);
        assert!(events.is_empty(), "{events:?}");
    }
}

/// Hazard 124: who sets a rate at the pump records it a moment later. Until then the pump tells both, the rate and what
/// flows at it, and nobody doubts its counter.
#[test]
fn a_rate_that_is_set_at_the_pump_before_it_is_recorded_is_no_doubt() {
    for rate in [15_400, 61_600] {
        let mut session = running();
        for n in 1..=90 {
            let second = 600 + n * 2;
            let counted = of(30_800, (n * 2).min(60)) + of(rate, (n * 2 - 60).max(0));
            let now = if n > 30 { rate } else { 30_800 };
            let events = told(&session, read(counted, now, second), second);
            assert!(matches!(events[..], [Event::PumpWasRead(_)]), "{rate} at {second}: {events:?}");
            session = done(session, events, second);
        }
    }
}

/// Hazard 126: a pump that stands because all that it was told to give is in contradicts nobody; one that keeps the vein
/// open gives drug.
#[test]
fn a_pump_that_stands_at_the_end_of_its_volume_is_known_and_one_that_keeps_the_vein_open_is_not() {
    let all = running().program.as_ref().expect("programmed").0.vtbi.0;
    let end = 600 + all * 3600 / 30_800 + 1;
    let stands = tell(running(), read(all, 0, end), end);
    assert_eq!((uncertain(&stands, end + 60), given(&stands, end + 60)), (None, all));
    // A display rounds to a tenth of a millilitre: the tolerance of the rules, and no more.
    for (missing, known) in [(50, true), (100, true), (150, false)] {
        let counted = all - missing;
        let end = 600 + counted * 3600 / 30_800 + 1;
        let stands = tell(running(), read(counted, 0, end), end);
        assert_eq!((uncertain(&stands, end + 60).is_none(), given(&stands, end + 60)), (known, counted));
        assert_eq!(stands.delivery.read_otherwise().is_none(), known, "{missing} are missing");
        assert_eq!(by_eye(&running(), read(counted, 0, end), end).is_ok(), known, "{missing} are missing");
    }
    let open = PumpRead { status: PumpStatus::KeepVeinOpen, ..read(all, 0, end) };
    assert!(uncertain(&tell(running(), open, end), end + 60).is_some());
}

/// Hazard 126: who types that the pump stands while the record says that it runs is asked, and not at the end.
#[test]
fn a_pump_read_to_stand_in_a_running_infusion_is_asked_about() {
    let refusal = by_eye(&running(), read(1_026, 0, 720), 720).expect_err("the record says that it runs");
    assert!(matches!(refusal, Refusal::NeedsReason { field: "reason", .. }), "{refusal}");
    let words = "The record says that it runs at 30.8 mL/h: stopped on the pump?";
    assert!(refusal.to_string().contains(words), "{refusal}");
    let why = Some("occluded, line changed".to_owned());
    assert!(by_eye(&running(), PumpRead { reason: why, ..read(1_026, 0, 720) }, 720).is_ok());
    let paused = take(running(), Event::InfusionPaused { reason: String::new() }, 720);
    assert!(by_eye(&paused, read(1_026, 0, 730), 730).is_ok(), "it is paused");
    let all = running().program.as_ref().expect("programmed").0.vtbi.0;
    let end = 600 + all * 3600 / 30_800;
    assert!(by_eye(&running(), read(all, 0, end), end).is_ok(), "it is at its end");
}

/// Hazard 124: a nurse at a pump without a link says that its counter was cleared, and no drug is lost or counted twice by
/// that; a cleared counter that was typed wrong is corrected like any other reading.
#[test]
fn a_counter_that_was_cleared_by_hand_counts_on_by_the_word_of_a_person() {
    let session = take(running(), Event::PumpWasRead(read(1_026, 30_800, 720)), 720);
    let refusal = by_eye(&session, read(0, 30_800, 840), 840).expect_err("it went back");
    assert!(refusal.to_string().contains("or the counter was cleared, say so"), "{refusal}");
    let cleared = |counter| PumpRead { jumped: true, ..read(counter, 30_800, 840) };
    let refusal = by_eye(&session, cleared(20), 840).expect_err("a reason is asked");
    assert!(refusal.to_string().contains("about 2.1 mL"), "{refusal}");
    let said = |seen| PumpRead { reason: Some("another syringe pump".to_owned()), ..seen };
    let events = by_eye(&session, said(cleared(20)), 840).expect("said");
    let cleared_once = done(session, events, 840);
    let in_by_then = 1_026 + of(30_800, 120);
    assert_eq!(given(&cleared_once, 840), in_by_then);
    assert_eq!(cleared_once.counter_max().0, running().counter_max().0 - in_by_then + 20);
    assert_eq!(cleared_once.delivery.certainty(at(840)), Certainty::Recorded);
    let again = PumpRead { by: ReadBy::Correcting, jumped: true, ..read(200, 30_800, 900) };
    let events = by_eye(&cleared_once, said(again), 900).expect("said");
    let corrected = done(cleared_once, events, 900);
    let read_on = by_eye(&corrected, read(200 + of(30_800, 300), 30_800, 1_200), 1_200).expect("as expected");
    let corrected = done(corrected, read_on, 1_200);
    assert!((given(&corrected, 1_200) - of(30_800, 600)).abs() <= 3, "{}", given(&corrected, 1_200));
}

/// Hazard 124: what went with a cleared counter no reading settles. The rest is measured all the same once the pump was
/// read out, and what is missing is explained.
#[test]
fn the_rest_is_measured_though_a_cleared_counter_left_the_delivery_uncertain() {
    let session = take(running(), Event::InfusionPaused { reason: String::new() }, 1_200);
    let why = || Some("cleared with the alarm".to_owned());
    let cleared = PumpRead { jumped: true, reason: why(), ..read(0, 0, 1_800) };
    let events = by_eye(&session, cleared, 1_800).expect("said");
    let ended = Event::InfusionEnded { why: StopReason::StoppedEarly, reason: String::new() };
    let session = take(done(session, events, 1_800), ended, 1_860);
    let waste = |session: &Session, explanation| {
        let waste = Command::Waste {
            wasted: Microlitres(10_200),
            residual_in_line: Microlitres(100),
            left_in_vials: measured(),
            vial_fate: VialFate::Returned,
            explanation,
            witness: signed("lee", Role::Nurse),
        };
        ask(session, waste, 1_920)
    };
    let refusal = waste(&session, why()).expect_err("not read since the stop");
    assert!(matches!(refusal, Refusal::DeliveryUncertain), "{refusal}");
    let session =
        done(session.clone(), by_eye(&session, read(0, 0, 1_900), 1_900).expect("it stands"), 1_900);
    assert_eq!(
        uncertain(&session, 1_920),
        Some((Microlitres(of(30_800, 600)), Microlitres(2 * of(30_800, 600))))
    );
    let differs = waste(&session, None).expect("it is told");
    assert!(matches!(&differs[..], [Event::WasteDiffered { .. }]), "{differs:?}");
    assert!(matches!(&waste(&session, why()).expect("explained")[..], [Event::DrugWasted { .. }]));
}

/// Hazard 125: the counter at the start is put right until the rest was measured and adds up, within what was read and drawn since.
#[test]
fn the_counter_at_the_start_is_corrected_within_what_was_read_until_the_rest_is_measured() {
    let start = Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(12_000) };
    let session = take(before("infusion_started"), start, 600);
    let correct = |session: &Session, counter, second| {
        let reason = "1.20 was shown".to_owned();
        ask(session, Command::CorrectStartCounter { counter: Microlitres(counter), reason }, second)
    };
    let refusal = by_eye(&session, read(2_230, 30_800, 720), 720).expect_err("less than at the start");
    assert!(refusal.to_string().contains("typed wrong at the start, correct it there"), "{refusal}");
    assert!(correct(&session, 1_200, 720).is_ok());
    let session = take(session, Event::PumpWasRead(read(13_030, 30_800, 720)), 720);
    let refusal = correct(&session, 13_100, 730).expect_err("the pump was read below that");
    assert!(
        refusal.to_string().contains("to 13.03 mL, by what was drawn and what was read since"),
        "{refusal}"
    );
    assert!(correct(&session, 11_000, 730).is_ok());
    let drawn = session.counter_max().0 - 12_000;
    let refusal = correct(&session, 13_030 - drawn - 1, 730);
    assert!(drawn > 13_030 || refusal.is_err(), "more than was drawn");
    let paused = take(session.clone(), Event::InfusionPaused { reason: String::new() }, 740);
    assert!(correct(&paused, 11_000, 750).is_ok());
    let ended = Event::InfusionEnded { why: StopReason::StoppedEarly, reason: String::new() };
    let ended = take(paused, ended, 760);
    assert!(correct(&ended, 11_000, 770).is_ok(), "without a link it is found at the final reading");
    let measured = replay(history().iter().take_while(|one| one.event.kind() != "discharged"));
    assert!(!measured.is_to_be_measured(at(55 * 60)) && !measured.phase.closed(), "{:?}", measured.phase);
    let refusal = correct(&measured, 1, 55 * 60).expect_err("it adds up");
    assert!(matches!(refusal, Refusal::WrongPhase { .. }), "{refusal}");
    let refusal = correct(&before("infusion_started"), 1, 590).expect_err("it has not begun");
    assert!(matches!(refusal, Refusal::WrongPhase { .. }), "{refusal}");
}

/// Hazard 97: a pump whose syringe was drawn fuller gives past the end of its volume. Its link is believed as far as its
/// rate explains it, and where nobody reads it, up to all that was drawn may be in.
#[test]
fn a_fuller_syringe_that_runs_past_the_end_is_counted_and_bounded_by_what_was_drawn() {
    let more = Event::Drawn {
        vial: crate::id::VialId::new("v1"),
        stock: Microlitres(0),
        mass: Micrograms(0),
        diluted_to: Microlitres(5_000),
        diluent: None,
    };
    let start = Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(0) };
    let running = take(take(before("infusion_started"), more, 590), start, 600);
    let all = running.program.as_ref().expect("programmed").0.vtbi.0;
    let drawn = running.counter_max().0;
    assert!(drawn >= all + 4_000, "{drawn} of {all}");
    let end = 600 + all * 3600 / 30_800;
    let session = tell(running.clone(), read(all, 30_800, end), end);
    let session = tell(session, read(all + of(30_800, 60), 30_800, end + 60), end + 60);
    assert_eq!((uncertain(&session, end + 60), given(&session, end + 60)), (None, all + of(30_800, 60)));
    let (low, high) = uncertain(&running, end + 240).expect("nobody reads it");
    assert_eq!(low, Microlitres(all));
    assert!((high.0 - all - of(30_800, 240)).abs() <= 31, "{high}");
    let (_, high) = uncertain(&running, end + 3_600).expect("nobody reads it");
    assert_eq!(high, Microlitres(drawn));
    let counted = by_eye(&running, read(all + of(30_800, 240), 30_800, end + 240), end + 240);
    let session = done(running, counted.expect("as far as it can be"), end + 240);
    assert_eq!(given(&session, end + 240), all + of(30_800, 240));
}

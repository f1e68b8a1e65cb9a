//! What is counted as given: readings by eye, rates set at the pump, halts that no link confirms, drug after the stop.

use super::*;
use crate::id::DeviceId;

/// Running at 30.8 mL/h from 10 minutes on, 20.5 mL to be infused.
pub(super) fn running() -> Session {
    take(
        before("infusion_started"),
        Event::InfusionStarted { rate: Rate(30_800), counter: Microlitres(0) },
        600,
    )
}

pub(super) fn ask(session: &Session, command: Command, second: i64) -> Result<Vec<Event>, Refusal> {
    decide(session, command, &nurse("kim"), at(second), knowledge())
}

pub(super) fn by_eye(session: &Session, seen: PumpRead, second: i64) -> Result<Vec<Event>, Refusal> {
    ask(session, Command::ReadPump { read: seen }, second)
}

pub(super) fn done(session: Session, events: Vec<Event>, second: i64) -> Session {
    events.into_iter().fold(session, |session, event| take(session, event, second))
}

pub(super) fn by_link(seen: PumpRead) -> PumpRead {
    PumpRead { by: ReadBy::Link(DeviceId::new("pump-3")), ..seen }
}

proptest! {
    /// Hazard 95: at any moment of an infusion, what the pump shows is taken without a question; ten times that or a tenth
    /// of it is asked about, by name, and taken with a reason that stands in the record.
    #[test]
    fn a_reading_by_eye_that_lost_its_point_is_asked_about_and_the_true_one_never(
        minutes in 4_i64..35, off_percent in -8_i64..8, walk_s in 0_i64..50,
    ) {
        let (session, now) = (running(), 600 + 60 * minutes);
        let shown = (30_800 * (60 * minutes - walk_s) / 3600) * (100 + off_percent) / 100;
        prop_assert!(by_eye(&session, read(shown, 30_800, now), now).is_ok(), "{} at {} min", shown, minutes);
        let tenfold = shown * 10 <= session.counter_max().0;
        for (slip, words) in [(shown / 10, "Ten times that would fit"), (shown * 10, "A tenth of that would fit")] {
            let refusal = by_eye(&session, read(slip, 30_800, now), now).expect_err("a slip");
            prop_assert!(refusal.to_string().contains(words), "{}", refusal);
            let asked = matches!(refusal, Refusal::NeedsReason { field: "reason", .. });
            prop_assert_eq!(asked, slip < shown || tenfold, "{}", refusal);
        }
        let why = Some("the pump was stopped by mistake".to_owned());
        let told = by_eye(&session, PumpRead { reason: why.clone(), ..read(shown / 10, 30_800, now) }, now);
        let [Event::PumpWasRead(kept)] = &told.expect("a reason was given")[..] else { panic!("one event") };
        prop_assert_eq!(&kept.reason, &why);
    }

    /// Hazard 96: whatever the pump was read to have given after the stop, it is counted to the microlitre, and as much of
    /// it as can have flowed since then stands after the stop; also where the link was lost before it, or the program was
    /// away.
    #[test]
    fn what_flowed_after_the_stop_stands_after_the_stop(
        over in 0_i64..6_000, wait_s in 1_i64..900, read_at_the_stop in any::<bool>(), linked in any::<bool>(),
        dark_s in prop::option::of(1_i64..300),
    ) {
        let by = |seen| if linked { by_link(seen) } else { seen };
        let session = take(running(), Event::PumpWasRead(by(read(5_133, 30_800, 1_200))), 1_200);
        let lost = Event::DeliveryBecameUncertain { since: at(1_200) };
        let session = dark_s.into_iter().fold(session, |session, s| take(session, lost.clone(), 1_200 + s));
        let session = take(session, Event::InfusionEnded { why: StopReason::StoppedEarly, reason: String::new() }, 1_500);
        let counted = 5_133 + 2_567;
        let session = if read_at_the_stop {
            take(session, Event::PumpWasRead(by(read(counted, 0, 1_500))), 1_500)
        } else {
            session
        };
        let earlier = session.delivery.segments_to(at(1_500));
        let (now, flows) = (1_500 + wait_s, 30_800 * wait_s / 3600);
        let session = take(session, Event::PumpWasRead(by(read(counted + over, 0, now))), now);
        let segments = session.delivery.segments_to(at(now));
        prop_assert_eq!(segments.iter().map(|segment| segment.volume.0).sum::<i64>(), counted + over);
        prop_assert_eq!(session.delivery.volume_at(at(now)), Microlitres(counted + over));
        let after = session.delivery.after_end().0;
        if read_at_the_stop {
            prop_assert_eq!(after, over);
        } else {
            prop_assert!((over.min(flows) - after).abs() <= 1 || over > flows, "{} of {} in {} s", after, over, wait_s);
        }
        if over <= flows {
            let before: i64 = segments.iter().filter(|one| one.to <= at(1_500)).map(|one| one.volume.0).sum();
            prop_assert!(read_at_the_stop || (before - counted).abs() <= 1, "{} before the stop", before);
        }
        if over <= flows && (dark_s.is_none() || read_at_the_stop) {
            prop_assert_eq!(&segments[..earlier.len()], &earlier[..], "what flowed before the stop is as it was");
        }
    }

    /// Hazard 96: a reading that was wrong leaves nothing behind once it is taken back, before the stop or after it.
    #[test]
    fn a_wrong_reading_that_is_taken_back_leaves_nothing_behind(
        wrong in 5_133_i64..20_500, right in 5_133_i64..20_500, wait_s in 0_i64..300, more_s in 0_i64..300,
    ) {
        let session = take(running(), Event::PumpWasRead(read(5_133, 30_800, 1_200)), 1_200);
        let session = take(session, Event::InfusionEnded { why: StopReason::StoppedEarly, reason: String::new() }, 1_500);
        let (first, second) = (1_500 + wait_s, 1_500 + wait_s + more_s);
        let again = PumpRead { by: ReadBy::Correcting, ..read(right, 0, second) };
        let without = take(session.clone(), Event::PumpWasRead(read(right, 0, second)), second);
        let with = take(session, Event::PumpWasRead(read(wrong, 0, first)), first);
        let with = take(with, Event::PumpWasRead(again), second);
        let sum = |session: &Session| {
            session.delivery.segments_to(at(second)).iter().map(|segment| segment.volume.0).sum::<i64>()
        };
        prop_assert_eq!((sum(&with), sum(&without)), (right, right));
        let (left, right) = (with.delivery.after_end().0, without.delivery.after_end().0);
        prop_assert!((left - right).abs() <= 2, "{left} for {right} after the stop");
    }

    /// Hazard 97: a pause or stop at a pump without a link is a word: until somebody reads it, what the pump may have
    /// given lies between what the word says and what it would have given without it.
    #[test]
    fn a_halt_that_no_link_confirms_is_uncertain_until_the_pump_is_read(
        halt_s in 700_i64..1_500, later_s in 1_i64..600, stops in any::<bool>(), resumes in any::<bool>(),
    ) {
        let reason = "pressure".to_owned();
        let halt = if stops { Command::Stop { reason: reason.clone() } } else { Command::Pause { reason: reason.clone() } };
        let events = ask(&running(), halt, halt_s).expect("it is recorded");
        let mut session = done(running(), events, halt_s);
        let given = 30_800 * (halt_s - 600) / 3600;
        let mut now = halt_s + later_s;
        let mut least = given;
        if resumes && !stops {
            let (alarms, passes) = (Vec::new(), None);
            let go_on = Command::Resume { rate: Rate(15_400), reason, prescriber: None, alarms, passes, after: None };
            session = done(session.clone(), ask(&session, go_on, now).expect("it goes on"), now);
            now += 60;
            least += 15_400 * 60 / 3600;
        }
        let Certainty::Uncertain { since, low, high } = session.delivery.certainty(at(now)) else {
            panic!("nobody has looked at the pump")
        };
        prop_assert_eq!(since, at(halt_s));
        prop_assert!((low.0 - least).abs() <= 2, "{low} for {least}");
        prop_assert!((high.0 - least - 30_800 * later_s / 3600).abs() <= 3, "{high}");
        for counter in [low.0, high.0] {
            let seen = PumpRead { rate: session.delivery.rate(), ..read(counter, i64::from(!stops && resumes), now) };
            let events = by_eye(&session, seen, now).expect("both may be");
            let read = done(session.clone(), events, now);
            prop_assert_eq!(read.delivery.certainty(at(now)), Certainty::Read);
            prop_assert_eq!(read.delivery.volume_at(at(now)), Microlitres(counter));
        }
    }

    /// Hazard 97: a pump that nobody reads and that hears of no pause and no stop has given no more than "at most", and
    /// "at most" is no more than was drawn: past the end of the volume, with the link lost, after each word on the page.
    #[test]
    fn a_pump_that_hears_nothing_gives_no_more_than_at_most(
        acts in prop::collection::vec((0_u8..4, 1_i64..1_200), 1..8),
    ) {
        let (mut session, mut now) = (running(), 600);
        let drawn = session.counter_max().minus(session.delivery.counter_at_start());
        for (act, wait_s) in acts {
            now += wait_s;
            let reason = "pressure".to_owned();
            let event = match (act, session.phase) {
                (0, Phase::Infusing) => Event::InfusionPaused { reason },
                (1, Phase::Infusing) => Event::InfusionEnded { why: StopReason::StoppedEarly, reason },
                (2, Phase::Infusing | Phase::Paused) => {
                    Event::DeliveryBecameUncertain { since: session.delivery.settled_to().expect("it runs") }
                }
                (_, Phase::Paused) => Event::InfusionResumed { rate: Rate(30_800), reason },
                _ => continue,
            };
            session = take(session, event, now);
            for later in [now, now + 30, now + 1_000] {
                let ran = Microlitres(30_800 * (later - 600) / 3600).min(drawn);
                match session.delivery.certainty(at(later)) {
                    Certainty::Uncertain { low, high, .. } => {
                        prop_assert!(low <= high && high <= drawn, "{} to {} of {}", low, high, drawn);
                        prop_assert!(high.0 >= ran.0 - 8, "at most {}, and {} may be in", high, ran);
                    }
                    certain => prop_assert_eq!(certain, Certainty::Recorded, "nobody has read it"),
                }
            }
        }
    }

    /// Hazard 97: after the stop only a reading that finds the pump standing makes the delivery known and lets the waste
    /// be taken, by whom ever it is read.
    #[test]
    fn a_pump_that_was_read_to_run_after_the_stop_settles_nothing(
        wait_s in 0_i64..300, later_s in 1_i64..600, linked in any::<bool>(), status in 0_usize..3,
    ) {
        let status = [PumpStatus::Infusing, PumpStatus::KeepVeinOpen, PumpStatus::Unknown][status];
        let by = |seen| if linked { by_link(seen) } else { seen };
        let ended = Event::InfusionEnded { why: StopReason::StoppedEarly, reason: String::new() };
        let session = take(running(), ended, 1_500);
        let (seen, now) = (1_500 + wait_s, 1_500 + wait_s + later_s);
        let counted = 7_700 + 30_800 * wait_s / 3600;
        let session = take(session, Event::PumpWasRead(by(PumpRead { status, ..read(counted, 30_800, seen) })), seen);
        let Certainty::Uncertain { since, low, high } = session.delivery.certainty(at(now)) else {
            panic!("it runs on")
        };
        prop_assert_eq!((since, low), (at(seen), Microlitres(counted)));
        prop_assert!((high.0 - counted - 30_800 * later_s / 3600).abs() <= 1, "{high}");
        let waste = Command::Waste {
            wasted: Microlitres(0),
            residual_in_line: Microlitres(0),
            left_in_vials: measured(),
            vial_fate: VialFate::Wasted,
            explanation: Some("guess".to_owned()),
            witness: signed("lee", Role::Nurse),
        };
        let refusal = ask(&session, waste.clone(), now).expect_err("it runs on");
        let known = if status == PumpStatus::Unknown { Refusal::DeliveryUncertain } else { Refusal::PumpRunsOn };
        prop_assert_eq!(refusal, known);
        let session = take(session, Event::PumpWasRead(by(read(high.0, 0, now))), now);
        prop_assert_eq!(session.delivery.certainty(at(now)), Certainty::Read);
        prop_assert!(!session.delivery.runs_on());
        let refused = matches!(
            ask(&session, waste, now), Err(Refusal::PumpRunsOn | Refusal::DeliveryUncertain)
        );
        prop_assert!(!refused, "it stands");
        prop_assert!((session.delivery.after_end().0 - (high.0 - 7_700)).abs() <= 1);
    }
}

/// Hazard 97: where a link reads the pump, its next message says whether it was halted. What it told before says nothing.
#[test]
fn a_halt_at_a_linked_pump_is_known_by_its_link() {
    let session = take(running(), Event::PumpWasRead(by_link(read(1_026, 30_800, 720))), 720);
    let paused = take(session, Event::InfusionPaused { reason: String::new() }, 780);
    assert_eq!(paused.delivery.uncertain_since(at(781)), Some(at(780)));
    let told = take(paused, Event::PumpWasRead(by_link(read(1_540, 0, 782))), 782);
    assert_eq!(told.delivery.certainty(at(900)), Certainty::Read);
}

/// Hazard 97: a pump whose link was lost, or that was taken away, is from then on one that never had a link.
#[test]
fn a_pump_whose_link_is_lost_is_known_by_readings_alone() {
    let session = take(running(), Event::PumpWasRead(by_link(read(1_026, 30_800, 720))), 720);
    let lost = take(session.clone(), Event::DeliveryBecameUncertain { since: at(720) }, 740);
    let lost = take(lost, Event::PumpWasRead(read(1_368, 30_800, 760)), 760);
    assert!(session.delivery.linked() && !lost.delivery.linked());
    let long_over = at(600 + 3_600);
    assert_eq!(session.delivery.uncertain_since(long_over), None, "its link tells");
    let since = lost.delivery.uncertain_since(long_over).expect("nobody knows what it does at the end");
    assert!((2_990..3_000).contains(&since.duration_since(at(0)).as_secs()), "{since}");
    assert_eq!(lost.left_s(long_over), None, "and nobody says how long it runs");
    let back = take(lost, Event::PumpWasRead(by_link(read(1_540, 30_800, 780))), 780);
    assert!(back.delivery.linked());
}

/// Hazard 95: a reading that takes the last one back is held against what was read before that.
#[test]
fn a_correction_is_held_against_the_reading_before_the_wrong_one() {
    let session = take(running(), Event::PumpWasRead(read(1_026, 30_800, 720)), 720);
    let session = take(session, Event::PumpWasRead(read(20_000, 30_800, 960)), 960);
    let right = |counter| PumpRead { by: ReadBy::Correcting, ..read(counter, 30_800, 1_020) };
    let taken = by_eye(&session, right(3_600), 1_020).expect("as expected without the wrong one");
    let refusal = by_eye(&session, right(20_400), 1_020).expect_err("the wrong one again");
    assert!(refusal.to_string().contains("about 3.6 mL"), "{refusal}");
    let session = done(session, taken, 1_020);
    assert!(by_eye(&session, right(3_610), 1_020).is_ok(), "corrected twice");
    assert_eq!(session.delivery.volume_at(at(1_020)), Microlitres(3_600));
}

/// Hazard 95: the rate beside the counter counts on.
#[test]
fn a_rate_read_by_eye_that_nobody_set_is_asked_about() {
    let refusal = by_eye(&running(), read(1_026, 308_000, 720), 720).expect_err("nobody set it");
    assert!(
        refusal.to_string().contains("last set to 30.8 mL/h; you typed 308 mL/h. Ten times"),
        "{refusal}"
    );
    assert!(by_eye(&running(), read(1_026, 30_900, 720), 720).is_ok());
    assert!(by_eye(&running(), by_link(read(1_026, 308_000, 720)), 720).is_ok(), "a link is not asked");
}

/// Hazard 98: a rate with a slipped point is asked about or refused by name, when it is changed and when it goes on.
#[test]
fn a_rate_that_lost_its_point_is_named_and_the_one_that_runs_is_no_change() {
    let reason = "nausea".to_owned();
    let change = |to: i64, passes: Option<&str>| {
        let passes = passes.map(str::to_owned);
        ask(
            &running(),
            Command::ChangeRate { to: Rate(to), reason: reason.clone(), passes, after: None },
            720,
        )
    };
    let refusal = change(3_080, None).expect_err("a tenth");
    assert!(matches!(refusal, Refusal::NeedsReason { field: "passes", .. }), "{refusal}");
    assert!(refusal.to_string().contains("3.08 mL/h is 0.1 times the ordered 30.8 mL/h"), "{refusal}");
    let told = change(3_080, Some("only keeps the vein open")).expect("said why");
    assert!(matches!(&told[..], [Event::LimitOverridden { .. }, Event::RateChanged { .. }]), "{told:?}");
    let refusal = change(308_000, Some("only keeps the vein open")).expect_err("ten times").to_string();
    assert!(refusal.contains("absolute limit of 30.8 mL/h") && refusal.contains("Ten times"), "{refusal}");
    let refusal = change(30_800, None).expect_err("no change").to_string();
    assert!(refusal.contains("it runs at 30.8 mL/h already"), "{refusal}");
    assert!(matches!(&change(15_400, None).expect("half")[..], [Event::RateChanged { .. }]));
    let paused = take(running(), Event::InfusionPaused { reason: String::new() }, 720);
    let go_on = |rate: i64| Command::Resume {
        rate: Rate(rate),
        reason: reason.clone(),
        prescriber: None,
        alarms: Vec::new(),
        passes: None,
        after: None,
    };
    let refusal = ask(&paused, go_on(3_080), 780).expect_err("a tenth");
    assert!(matches!(refusal, Refusal::NeedsReason { field: "passes", .. }), "{refusal}");
    assert!(ask(&paused, go_on(30_800), 780).is_ok());
}

/// Hazard 98: where the link told the new rate before the person did, what they set is no repetition.
#[test]
fn a_rate_that_the_link_told_first_is_recorded_from_what_was_set_before() {
    let session = take(running(), Event::PumpWasRead(by_link(read(1_026, 20_000, 720))), 720);
    let reason = "nausea".to_owned();
    let change = Command::ChangeRate { to: Rate(20_000), reason, passes: None, after: None };
    let told = ask(&session, change, 730).expect("recorded");
    let changed = Event::RateChanged { from: Rate(30_800), to: Rate(20_000), reason: "nausea".to_owned() };
    assert_eq!(told, [changed]);
}

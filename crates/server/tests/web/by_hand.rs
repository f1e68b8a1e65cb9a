//! A chair without a link to its pump: what people type is all that is known of it.

use crate::walk::{SIGNED, Visit, order, said_aloud, stop};

/// Hazard 153: of two nurses with the rate form open the second is told who set what and when; both rates are in view,
/// and the form that says so is the one to send.
#[tokio::test(flavor = "multi_thread")]
async fn two_nurses_who_change_one_rate_at_once_see_each_other() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(5);
    let opened = visit.shown();
    let form = visit.nurse().get(&visit.path("rate")).await.body;
    assert!(form.contains(&format!("name=\"after\" value=\"{opened}\"")), "{form}");
    visit.take("rate", &[("rate", "15.4"), ("reason", "pressure rises")]).await;
    visit.clinic.minutes_pass(1);
    let second = [("rate", "20"), ("reason", "nausea"), ("after", opened.as_str())];
    let all = [&[("session", visit.id.as_str())], &second[..]].concat();
    let before = visit.written();
    let answer = visit.clinic.signed_in("prescriber").post(&visit.path("rate"), &all).await;
    assert_eq!((answer.status.as_u16(), visit.written()), (422, before), "{}", answer.body);
    for told in ["nurse set the rate to 15.4 mL/h at 09:05", "Recorded now: 15.4", "value=\"20\""] {
        assert!(answer.body.contains(told), "{told} is not in {}", answer.body);
    }
    let now = visit.shown();
    assert!(now != opened && answer.body.contains(&format!("name=\"after\" value=\"{now}\"")));
    visit.refuse("rate", &[("rate", "20"), ("reason", "nausea"), ("after", "")], "Open it again").await;
    visit.take("rate", &second[..2]).await;
    let paused = visit.nurse().post("/chair/3/pause", &[("session", &visit.id)]).await;
    assert!(paused.status.is_redirection(), "{}", paused.body);
    let resume = [("rate", "20"), ("reason", "calm"), ("after", now.as_str())];
    visit.refuse("resume", &resume, "nurse paused the infusion at 09:06").await;
}

impl Visit {
    /// Half a minute passes with a screen on, and no alarm speaks of the pump.
    fn pump_is_no_alarm(&self, when: &str) {
        let chair = clinic::id::ChairId::new("3");
        let floor = &self.clinic.app.floor;
        for _ in 0..30 {
            self.clinic.clock.advance(std::time::Duration::from_secs(1));
            floor.round();
            let alarms = floor.monitor_view(&chair).expect("chair 3").alarms;
            let spoke = alarms.iter().find(|view| view.alarm.code.starts_with("pump_") && !view.latched);
            assert!(spoke.is_none(), "{when}: {spoke:?}");
        }
    }
}

/// Hazard 154: at a chair by hand, what people recorded after they read the pump is what it does.
#[tokio::test(flavor = "multi_thread")]
async fn a_pump_that_was_well_read_by_eye_raises_no_alarm_after_resume_and_stop() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(5);
    visit.take("pump", &[("status", "infusing"), ("rate", "30.8"), ("counter", "2.5")]).await;
    let paused = visit.nurse().post("/chair/3/pause", &[("session", &visit.id)]).await;
    assert!(paused.status.is_redirection(), "{}", paused.body);
    visit.pump_is_no_alarm("paused");
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "2.6")]).await;
    let signs = [("what", "vitals"), ("sbp", "126"), ("dbp", "78"), ("hr", "74"), ("spo2", "98")];
    visit.take("observe", &signs).await;
    visit.take("resume", &[("rate", "30.8"), ("reason", "calm again")]).await;
    visit.pump_is_no_alarm("resumed");
    visit.take("rate", &[("rate", "20"), ("reason", "nausea")]).await;
    visit.pump_is_no_alarm("slower");
    stop(&visit).await;
    visit.pump_is_no_alarm("stopped");
}

/// All that keeps an infusion paused stands on one page, each beside its field.
#[tokio::test(flavor = "multi_thread")]
async fn a_resume_is_refused_with_everything_that_is_open() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(5);
    let paused = visit.nurse().post("/chair/3/pause", &[("session", &visit.id)]).await;
    assert!(paused.status.is_redirection(), "{}", paused.body);
    visit.clinic.minutes_pass(120);
    for spo2 in ["84", "97"] {
        visit.take("observe", &[("what", "vitals"), ("spo2", spo2)]).await;
    }
    visit.take("event/nausea_vomiting", &[("grade", "1"), ("text", "queasy")]).await;
    let sheet = visit.nurse().get(&visit.path("resume")).await.body;
    for told in ["Not answered yet: SpO₂ 84", "Not ended yet: Nausea, vomiting, grade 1, since"] {
        assert!(sheet.contains(told), "{told} is not in {sheet}");
    }
    let answer = visit.send("resume", &[("rate", "30.8")]).await;
    for (place, told) in [
        ("error-summary", "missing: NIBP systolic since the pause began"),
        ("resume-user-error", "s signature is missing"),
        ("resume-rate-error", "% of the ordered rate after a second or long pause"),
        ("resume-reason-error", "Say why it is safe"),
    ] {
        assert!(
            answer.body.contains(place) && answer.body.contains(told),
            "{told} is not in {}",
            answer.body
        );
    }
}

/// A person types the zeros that the pump shows; they stand on no page, and nothing else is read more kindly.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_pump_shows_may_end_in_zeros_and_is_shown_without_them() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    visit
        .refuse("pump", &[("status", "infusing"), ("rate", ".5"), ("counter", "5.10")], "leading zero")
        .await;
    visit.take("pump", &[("status", "infusing"), ("rate", "30.80"), ("counter", "5.10")]).await;
    assert!(visit.text("/chair/3").await.contains("10.2 mg of 41 mg"));
    visit.take("rate", &[("rate", "20.0"), ("reason", "nausea")]).await;
    let sheet = visit.text(&visit.path("rate")).await;
    assert!(sheet.contains("Recorded now: 20 mL/h"), "{sheet}");
}

/// Hazard 155: the record of a visit that goes on claims no count of the pump and no balance that nobody closed.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_of_an_open_visit_says_what_is_not_known_yet() {
    let visit = Visit::planned().await;
    visit.running().await;
    let record = format!("/record/{}", visit.id);
    let unsure = ["as the pump counted", "the balance is closed"];
    visit.clinic.minutes_pass(3);
    let open = visit.text(&record).await;
    for says in ["DELIVERY NOT READ: by the recorded rates alone", "the balance is not closed yet"] {
        assert!(open.contains(says), "{says} is not in {open}");
    }
    visit.clinic.minutes_pass(42);
    let all_in = visit.text(&record).await;
    assert!(all_in.contains("the balance is not closed yet"), "the rates alone close nothing: {all_in}");
    assert!(unsure.iter().all(|says| !open.contains(says) && !all_in.contains(says)), "{all_in}");
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "20.5")]).await;
    let read = visit.text(&record).await;
    assert!(read.contains("as read by nurse") || read.contains("as read by Nurse"), "{read}");
}

/// Hazard 156: an order that says what nobody can read is none, and the same order orders once.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_weight_is_refused_and_an_order_is_signed_once() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    let unknown = [&order()[..], &[("dose_weight", "foo")], &SIGNED].concat();
    visit.refuse("order", &unknown, "“foo” is no weight that counts. Accepted is abw, ibw or adjbw").await;
    let signed = [&[("session", visit.id.as_str())], &order()[..], &SIGNED].concat();
    for _replayed in 0..3 {
        let answer = visit.nurse().post_again(&visit.path("order"), "one-order", &signed).await;
        assert_eq!(answer.status.as_u16(), 303, "{}", answer.body);
    }
    visit.refuse("order", &[&order()[..], &SIGNED].concat(), "prescriber signed the same order, 41").await;
    let kinds = visit.clinic.kinds(&format!("session/{}", visit.id));
    assert_eq!(kinds.iter().filter(|kind| *kind == "order_signed").count(), 1);
}

/// Hazard 169: who goes to the pump knows before that the vital signs are too old; a record that is refused after the
/// pump runs would come too late.
#[tokio::test(flavor = "multi_thread")]
async fn vital_signs_that_are_too_old_are_told_before_the_pump_is_started() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    visit.ordered().await;
    visit.programmed().await;
    let told = |minutes| format!("is {minutes} min old, SpO₂ is {minutes} min old: measure again");
    let form = |page: &str, of: &str| page.contains(&format!("action=\"{}\"", visit.path(of)));
    let shown = || async { visit.nurse().get(&visit.path("preparation")).await.body };
    assert!(form(&shown().await, "time-out"));
    visit.take("time-out", &said_aloud()).await;
    assert!(form(&shown().await, "start"));
    visit.clinic.minutes_pass(20);
    let page = shown().await;
    assert!(page.contains(&told(20)) && page.contains("Look again") && !form(&page, "start"), "{page}");
    visit.clinic.minutes_pass(1);
    visit.refuse("start", &[("counter", "0")], &told(21)).await;
    let signs = [("what", "vitals"), ("sbp", "126"), ("dbp", "78"), ("hr", "74"), ("spo2", "98")];
    visit.take("observe", &signs).await;
    assert!(form(&shown().await, "start"));
    visit.take("start", &[("counter", "0")]).await;
}

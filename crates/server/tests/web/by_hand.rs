//! A chair without a link to its pump: what people type is all that is known of it.

use crate::walk::{Visit, stop};

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

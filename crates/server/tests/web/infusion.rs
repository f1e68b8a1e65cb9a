//! What chair, board and record say of one infusion.

use crate::support::{Browser, Clinic, PASSWORD, PIN, open_log};
use crate::walk::{SIGNED, VIAL, Visit, WORDS, home, stop};
use clinic::id::{CommandId, StaffId};
use clinic::session::Command;
use clinic::staff::{Actor, Role};
use server::auth::accounts::NewStaff;
use server::clock::Clock;

impl Visit {
    /// The text of a page without its markup, with plain spaces.
    pub async fn text(&self, path: &str) -> String {
        let page = self.nurse().get(path).await.body;
        let mut inside = false;
        let text: String = page
            .chars()
            .filter(|c| {
                inside = if *c == '<' { true } else { inside };
                let shown = !inside;
                inside = if *c == '>' { false } else { inside };
                shown
            })
            .collect();
        text.replace('\u{a0}', " ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn lose_pump(&self) {
        let id = clinic::id::SessionId::new(self.id.as_str());
        let command = CommandId::new(format!("lost-{}", self.clinic.head()));
        let machine = Actor::machine("restart");
        self.clinic.app.floor.act(&id, &command, &machine, Command::LosePump).expect("recorded");
    }

    /// Chair, board, discharge page and record: each says this, and none a dose or a time as if it were known.
    async fn everywhere(&self, says: &str, live_mg: &str) {
        let record = format!("/record/{}", self.id);
        for path in ["/chair/3", "/board", &self.path("discharge"), &record] {
            let text = self.text(path).await;
            assert!(text.contains(says), "{path} does not say {says:?}: {text}");
            assert!(!text.contains("min left") && !text.contains("ends 0"), "{path} knows the end: {text}");
        }
        let chair = self.text("/chair/3").await;
        assert!(!chair.contains("mg of 41 mg") && chair.contains("end unknown"), "{chair}");
        assert!(chair.contains("last known 30.8 mL/h"), "{chair}");
        let live: serde_json::Value =
            serde_json::from_str(&self.clinic.app.floor.samples_now()).expect("JSON");
        let chairs = live["chairs"].as_array().expect("chairs");
        let ours = chairs.iter().find(|one| one["c"] == "3").expect("chair 3");
        assert!(ours.get("left_s").is_none() && ours.get("ce").is_none(), "{ours}");
        assert_eq!(ours["pump"]["mg"], live_mg, "{ours}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uncertain_delivery_shows_only_what_was_counted_and_until_when() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(7);
    visit.lose_pump();
    visit.everywhere("unknown, nobody has read the pump since the start at 09:00", "unknown").await;
    visit.take("pump", &[("status", "infusing"), ("rate", "30.8"), ("counter", "3.5")]).await;
    let known = visit.text("/chair/3").await;
    assert!(known.contains("7 mg of 41 mg") && known.contains("min left"), "{known}");
    visit.clinic.minutes_pass(2);
    visit.lose_pump();
    visit.clinic.minutes_pass(5);
    visit.everywhere("at least 7 mg, as the pump was read at 09:07, then unknown", "at least 7 mg").await;
    let forecast = visit.nurse().get("/chair/3/forecast.json").await.body;
    assert!(forecast.contains("Read the pump") && !forecast.contains("scenarios"), "{forecast}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_infusion_whose_pump_nobody_ever_read_is_uncertain_in_the_same_words_everywhere() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    stop(&visit).await;
    let record = format!("/record/{}", visit.id);
    let says = "mg, nobody has read the pump";
    for path in ["/chair/3", "/board", &visit.path("discharge"), &record] {
        let text = visit.text(path).await;
        assert!(text.contains(says), "{path} does not say {says:?}: {text}");
    }
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "5.1")]).await;
    for path in ["/chair/3", "/board", &visit.path("discharge"), &record] {
        let text = visit.text(path).await;
        assert!(!text.contains("nobody has read"), "{path}: {text}");
    }
}

/// Hazards 95 and 98: what a slipped point makes of counter and rate is asked about beside the field that takes the
/// answer, which nobody sees before, and the answer stands in the record.
#[tokio::test(flavor = "multi_thread")]
async fn a_counter_or_a_rate_that_lost_its_point_is_asked_about_and_the_answer_is_kept() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(7);
    let sheet = visit.nurse().get(&visit.path("pump")).await.body;
    let why = "Why the pump shows something else";
    assert!(!sheet.contains(why), "nobody has asked yet: {sheet}");
    let slip = [("status", "infusing"), ("rate", "30.8"), ("counter", "0.36")];
    let words = "The pump should show about 3.6 mL by now; you typed 0.36 mL. Ten times that would fit";
    visit.refuse("pump", &slip, words).await;
    let asked = visit
        .nurse()
        .post(&visit.path("pump"), &[&[("session", visit.id.as_str())], &slip[..]].concat())
        .await;
    assert!(asked.body.contains(why), "{}", asked.body);
    visit.take("pump", &[&slip[..], &[("reason", "the clamp was closed")]].concat()).await;
    visit.refuse("rate", &[("rate", "30.8"), ("reason", "calm")], "it runs at 30.8 mL/h already").await;
    visit.refuse("rate", &[("rate", "308"), ("reason", "calm")], "Ten times the expected").await;
    let slow = [("rate", "3.08"), ("reason", "nausea")];
    visit.refuse("rate", &slow, "3.08 mL/h is 0.1 times the ordered 30.8 mL/h").await;
    let asked = visit.send("rate", &slow).await.body;
    assert!(asked.contains("Why so far from the ordered rate"), "the field that takes the answer: {asked}");
    visit.take("rate", &[&slow[..], &[("passes", "only keeps the vein open")]].concat()).await;
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    for kept in ["not as expected: the clamp was closed", "only keeps the vein open"] {
        assert!(record.contains(kept), "{kept} is not in {record}");
    }
}

/// Hazard 126: whether the pump infuses is said by a person and by no default, before the stop and after it.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_ticked_beforehand_on_the_form_of_the_pump() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    let nothing = [("rate", "0"), ("counter", "5.1")];
    for ended in [false, true] {
        if ended {
            stop(&visit).await;
        }
        let sheet = visit.nurse().get(&visit.path("pump")).await.body;
        assert!(sheet.contains("Not infusing") && !sheet.contains("checked"), "{sheet}");
        visit.refuse("pump", &nothing, "Say whether the pump infuses.").await;
    }
}

/// Hazard 126: a pump that stands while the record says that it runs is asked about, and one that runs in a pause is told
/// on the page.
#[tokio::test(flavor = "multi_thread")]
async fn a_pump_read_to_do_something_else_than_the_record_says_is_told_plainly() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    let stands = [("status", "not_infusing"), ("rate", "0"), ("counter", "5.1")];
    visit.refuse("pump", &stands, "The record says that it runs at 30.8 mL/h: stopped on the pump?").await;
    visit.take("pump", &[&stands[..], &[("reason", "the line was blocked")]].concat()).await;
    let chair = visit.text("/chair/3").await;
    let says = "The record says that it runs, and the pump was read as not infusing at 09:10.";
    assert!(chair.contains(says), "{chair}");
    let paused = visit.nurse().post("/chair/3/pause", &[("session", &visit.id)]).await;
    assert!(paused.status.is_redirection(), "{}", paused.body);
    visit.take("pump", &[("status", "infusing"), ("rate", "30.8"), ("counter", "5.2")]).await;
    let chair = visit.text("/chair/3").await;
    let says = "The record says that it is paused, and the pump was read as infusing at 09:10. Press pause on the pump";
    assert!(chair.contains(says) && !chair.contains("not running"), "{chair}");
}

/// Hazard 125: who typed the counter at the start wrong puts it right with a reason; both stand in the record, and the
/// dose is counted anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_counter_typed_wrong_at_the_start_is_corrected_and_the_dose_counted_anew() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    visit.take("pump", &[("status", "infusing"), ("rate", "30.8"), ("counter", "5.2")]).await;
    assert!(visit.text("/chair/3").await.contains("10.4 mg of 41 mg"));
    visit.refuse("start-counter", &[("counter", "0.2")], "The reason is empty").await;
    visit.refuse("start-counter", &[("counter", "x"), ("reason", "slipped")], "cannot be read").await;
    let above = "Volume counter at the start is 5.3 mL; accepted is 0 mL to 5.2 mL";
    visit.refuse("start-counter", &[("counter", "5.3"), ("reason", "slipped")], above).await;
    visit.take("start-counter", &[("counter", "0.2"), ("reason", "the display showed 0.2")]).await;
    assert!(visit.text("/chair/3").await.contains("10 mg of 41 mg"), "{}", visit.text("/chair/3").await);
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    let line = "Counter at the start corrected to 0.2 mL, typed as 0 mL: the display showed 0.2";
    assert!(record.contains(line), "{record}");
    stop(&visit).await;
    let after = format!("/visit/{}/discharge", visit.id);
    let page = visit.text(&after).await;
    assert!(page.contains("The counter at the start was typed wrong"), "{page}");
    let back = ("back", "discharge");
    visit.refuse("start-counter", &[("counter", "0.1"), back], "The reason is empty").await;
    visit.take("start-counter", &[("counter", "0.1"), ("reason", "the display showed 0.1"), back]).await;
    assert!(visit.text(&after).await.contains("Typed at the start: 0.1 mL"));
}

/// Hazard 124: a counter that was cleared is said to be so, and what flowed stays counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_counter_that_was_cleared_counts_on_by_the_word_of_a_person() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    visit.take("pump", &[("status", "infusing"), ("rate", "30.8"), ("counter", "5.2")]).await;
    visit.clinic.minutes_pass(2);
    let cleared = [("status", "infusing"), ("rate", "30.8"), ("counter", "0.1")];
    visit.refuse("pump", &cleared, "or the counter was cleared, say so").await;
    let said = [&cleared[..], &[("correcting", "jumped")]].concat();
    visit.refuse("pump", &said, "should show about 6.2 mL by now").await;
    visit.take("pump", &[&said[..], &[("reason", "syringe changed")]].concat()).await;
    assert!(visit.text("/chair/3").await.contains("12.5 mg of 41 mg"), "{}", visit.text("/chair/3").await);
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    let line = "counter cleared or jumped and nothing flowed by that, counts on from 0.1 mL";
    assert!(record.contains(line) && record.contains("syringe changed"), "{record}");
}

/// Hazard 97: Chairside drives no pump, and says so before a halt and after it.
#[tokio::test(flavor = "multi_thread")]
async fn a_halt_says_to_press_it_on_the_pump_and_is_uncertain_until_the_pump_is_read() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    let before = visit.text("/chair/3").await;
    assert!(before.contains("Press it on the pump too: Chairside does not drive it."), "{before}");
    let paused = visit.nurse().post("/chair/3/pause", &[("session", &visit.id)]).await;
    assert!(paused.status.is_redirection(), "{}", paused.body);
    visit.clinic.minutes_pass(2);
    let after = visit.text("/chair/3").await;
    let says = "Press pause on the pump: Chairside does not drive it. Delivery uncertain: then read the pump";
    assert!(after.contains(says) && after.contains("at least 10.3 mg"), "{after}");
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    let why = "nobody has read the pump; by the recorded rates, which halt at 09:10";
    assert!(after.contains(why) && record.contains(why), "{record}");
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "5.2")]).await;
    let known = visit.text("/chair/3").await;
    assert!(!known.contains("at least") && known.contains("10.4 mg of 41 mg"), "{known}");
}

/// Hazard 96: what a pump gave after the stop stands after the stop, and whose eyes counted it is said.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_what_flowed_after_the_stop_and_who_read_it() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    stop(&visit).await;
    let chair = visit.text("/chair/3").await;
    assert!(chair.contains("Press stop on the pump: Chairside does not drive it."), "{chair}");
    visit.clinic.minutes_pass(2);
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "5.733")]).await;
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    let says = "11.466 mg in 5.733 mL, as read by nurse at 09:12; 0.6 mL of it flowed after the stop";
    assert!(record.contains(says), "{record}");
    assert!(record.contains("stopped0.6 mL1.2 mg2 min 0 s") && record.contains("5.133 mL"), "{record}");
}

/// Hazard 96: where nobody knew what the pump did before the stop, what flowed after it stands after it all the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_what_flowed_after_a_stop_in_the_dark() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(8);
    visit.lose_pump();
    visit.clinic.minutes_pass(2);
    stop(&visit).await;
    visit.clinic.minutes_pass(2);
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "5.733")]).await;
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    assert!(record.contains("; 0.6 mL of it flowed after the stop"), "{record}");
    assert!(record.contains("stopped0.6 mL1.2 mg2 min 0 s") && record.contains("5.133 mL"), "{record}");
}

/// Hazard 97: a reading after the stop that finds the pump running is said at once, and no waste is taken.
#[tokio::test(flavor = "multi_thread")]
async fn a_pump_that_was_read_to_run_after_the_stop_is_to_be_stopped_and_read_again() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(10);
    stop(&visit).await;
    visit.clinic.minutes_pass(1);
    visit.take("pump", &[("status", "infusing"), ("rate", "30.8"), ("counter", "5.64")]).await;
    let chair = visit.text("/chair/3").await;
    for says in [
        "at least 11.3 mg, the pump was read as infusing at 09:11, after the stop",
        "last known 30.8 mL/h",
        "Press stop on the pump: it gives drug after the stop. Then read it again and record it.",
    ] {
        assert!(chair.contains(says), "the chair does not say {says:?}: {chair}");
    }
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "5.7")]).await;
    let chair = visit.text("/chair/3").await;
    assert!(chair.contains("11.4 mg of 41 mg") && !chair.contains("at least"), "{chair}");
}

/// Hazard 97: once the volume is in, nobody knows what a pump does that nobody reads, and no page says that it is done.
#[tokio::test(flavor = "multi_thread")]
async fn a_pump_that_nobody_reads_is_uncertain_on_each_page_once_its_volume_is_in() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(60);
    for path in ["/chair/3", "/board", &visit.path("discharge")] {
        let text = visit.text(path).await;
        assert!(text.contains("at least 41 mg, nobody has read the pump"), "{path}: {text}");
        assert!(!text.contains("min left") && !text.contains("ends 0"), "{path} knows the end: {text}");
    }
    let forecast = visit.nurse().get("/chair/3/forecast.json").await.body;
    assert!(forecast.contains("Read the pump") && !forecast.contains("scenarios"), "{forecast}");
    stop(&visit).await;
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    assert!(record.contains("At most 41 mg, had it gone on."), "{record}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pressure_answered_again_stands_over_the_earlier_one_and_a_red_one_says_when_it_ends() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    let of = |systolic: &'static str, diastolic: &'static str| {
        let (_, fields) =
            crate::walk::gates().into_iter().find(|(gate, _)| *gate == "c11").expect("the gate");
        let measured = fields.into_iter().map(move |(name, value)| match name.split_once('_') {
            Some(("systolic", _)) => (name, systolic),
            Some(("diastolic", _)) => (name, diastolic),
            _ => (name, value),
        });
        measured.collect::<Vec<_>>()
    };
    visit.take("gate/c11", &of("170", "100")).await;
    visit.clinic.minutes_pass(10);
    visit.take("gate/c11", &of("118", "74")).await;
    let page = visit.text(&format!("/visit/{}", visit.id)).await;
    for says in
        ["Measure again from 09:30 on", "Measured too soon", "at 09:00: Waits · NIBP 170/100", "NIBP 120/76"]
    {
        assert!(page.contains(says), "{says} is not on {page}");
    }
    visit.clinic.minutes_pass(20);
    visit.take("gate/c11", &of("118", "74")).await;
    let page = visit.text(&format!("/visit/{}", visit.id)).await;
    let card = page.split("C11 ").nth(1).expect("the card");
    assert!(card.trim_start().starts_with("Vital signs before the start Passes"), "{card}");
}

/// Hazard 39: a visit that is cancelled and planned anew the same day, and a pressure that was typed for somebody else.
#[tokio::test(flavor = "multi_thread")]
async fn the_wait_after_a_red_pressure_is_the_patients_and_ends_when_it_was_entered_by_mistake() {
    let mut visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    let of = |systolic: &'static str, diastolic: &'static str| {
        let (_, fields) =
            crate::walk::gates().into_iter().find(|(gate, _)| *gate == "c11").expect("the gate");
        let measured = fields.into_iter().map(move |(name, value)| match name.split_once('_') {
            Some(("systolic", _)) => (name, systolic),
            Some(("diastolic", _)) => (name, diastolic),
            _ => (name, value),
        });
        measured.collect::<Vec<_>>()
    };
    visit.take("gate/c11", &of("170", "100")).await;
    visit.take("cancel", &[("reason", "too high")]).await;
    let first = format!("/visit/{}", visit.id);
    let id = clinic::id::SessionId::new(visit.id.as_str());
    let patient = visit.clinic.app.floor.session(&id).expect("log").and_then(|session| session.patient);
    let patient = format!("/patients/{}", patient.expect("a patient"));
    let again = crate::walk::plan_for(&visit.nurse(), &patient, "mdd_trd_std").await;
    let before = std::mem::replace(&mut visit.id, again);
    visit.checked_in().await;
    visit.clinic.minutes_pass(5);
    visit.gates().await;
    let page = visit.text(&format!("/visit/{}", visit.id)).await;
    assert!(page.contains("in another visit") && page.contains("Measure again from 09:30 on"), "{page}");
    assert!(page.contains("Answered") && !page.contains("STRUCK"), "{page}");
    // The answer is struck where it was given, by an entry with what is right and why.
    let form = visit.nurse().get(&first).await.body;
    let position = form.split("name=\"position\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let position = position.expect("the form of the answer").to_owned();
    let said = |reason| [("position", position.as_str()), ("text", "118/74"), ("reason", reason)];
    let again = std::mem::replace(&mut visit.id, before);
    visit.refuse("gate/c11/amend", &said(""), "What went wrong").await;
    visit.take("gate/c11/amend", &said("typed into the wrong visit")).await;
    visit.id = again;
    let page = visit.text(&first).await;
    assert!(page.contains("STRUCK, typed into the wrong visit; right is 118/74"), "{page}");
    visit.take("gate/c11", &of("118", "74")).await;
    let page = visit.text(&format!("/visit/{}", visit.id)).await;
    let card = page.split("C11 ").nth(1).expect("the card");
    assert!(card.trim_start().starts_with("Vital signs before the start Passes"), "{card}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gate_measured_are_the_first_values_of_the_chair_with_their_age() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let chair = visit.text("/chair/3").await;
    assert!(chair.contains("NIBP not measured --- mmHg"), "{chair}");
    visit.gates().await;
    visit.clinic.minutes_pass(7);
    let chair = visit.text("/chair/3").await;
    for value in
        ["NIBP 7 min ago 120/76 mmHg", "HR 7 min ago 72 /min", "SpO₂ 7 min ago 98 %", "RR 7 min ago 14 /min"]
    {
        assert!(chair.contains(value), "{value} is not on {chair}");
    }
    let state = |page: &str, key: &str| {
        let tile = page.split(&format!("data-tile=\"{key}\" data-state=\"")).nth(1).expect("a tile");
        tile.split('"').next().unwrap_or_default().to_owned()
    };
    let page = visit.nurse().get("/chair/3").await.body;
    assert_eq!(["bp", "hr", "spo2"].map(|key| state(&page, key)), ["fresh"; 3]);
    visit.clinic.minutes_pass(9);
    let page = visit.nurse().get("/chair/3").await.body;
    assert_eq!(["bp", "hr", "spo2"].map(|key| state(&page, key)), ["old"; 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_seen_an_alarm_is_told_by_name() {
    let visit = Visit::planned().await;
    visit.running().await;
    let kim = NewStaff {
        user: "kim".to_owned(),
        name: "Kim Nguyen, RN".to_owned(),
        roles: vec![Role::Nurse],
        password: PASSWORD.to_owned(),
        pin: Some(PIN.to_owned()),
    };
    visit.clinic.app.auth.accounts().add(kim, &StaffId::new("owner"), "kim").expect("added");
    visit.take("observe", &[("what", "moaas"), ("value", "1")]).await;
    let now = visit.clinic.app.clock.now();
    let (_, alarm, _) = visit.clinic.app.floor.alarm_list(now).into_iter().next().expect("an alarm");
    let kim = visit.clinic.signed_in("kim");
    let seen = kim.post("/alarms/acknowledge", &[("alarm", alarm.alarm.id.as_str())]).await;
    assert!(seen.status.is_redirection(), "{}", seen.body);
    assert!(visit.text("/board").await.contains("seen by Kim Nguyen, RN"));
    let live: serde_json::Value = serde_json::from_str(&visit.clinic.app.floor.alarms_now()).expect("JSON");
    let alarms = live["alarms"].as_array().expect("alarms");
    assert!(alarms.iter().any(|one| one["acked_by"] == "Kim Nguyen, RN"), "{live}");
}

#[tokio::test(flavor = "multi_thread")]
async fn alarm_limits_are_set_for_one_patient_within_what_the_knowledge_allows() {
    let visit = Visit::planned().await;
    let (form, alarms) = (visit.path("limits"), format!("alarms/{}", visit.id));
    assert!(visit.text(&form).await.contains("it sits at no chair"));
    visit.running().await;
    let high = |to: &'static str, reason: &'static str| vec![("sbp_warn_high", to), ("reason", reason)];
    let moves =
        |visit: &Visit| visit.clinic.kinds(&alarms).iter().filter(|kind| *kind == "limit_changed").count();
    for (fields, words) in [
        (high("400", "long"), "NIBP systolic warns at or above 400 mmHg; accepted is 150 to 170 mmHg."),
        (high("16,5", "long"), "a comma is not accepted"),
        (high("165", " "), "needs a reason"),
        (vec![("reason", "nothing differs")], "No limit differs"),
        (vec![("sbp_stop_high", "300"), ("reason", "x")], "No limit differs"),
    ] {
        visit.refuse("limits", &fields, words).await;
        assert_eq!(moves(&visit), 0, "{fields:?} was refused and moved a limit");
    }
    let own = [("sbp_warn_high", "165"), ("sbp_warn_rise", "40"), ("reason", "hypertension for years")];
    visit.take("limits", &own).await;
    assert_eq!(moves(&visit), 2, "two limits, once each");
    let says = "NIBP systolic warns at or above 165 mmHg (usually 160), nurse 09:00: hypertension for years";
    for path in ["/chair/3", form.as_str()] {
        let text = visit.text(path).await;
        assert!(text.contains(says), "{path}: {text}");
    }
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    assert!(record.contains("hypertension for years"), "{record}");
    let floor = &visit.clinic.app.floor;
    let warned = || {
        let alarms = floor.alarm_list(visit.clinic.app.clock.now());
        alarms.iter().any(|(_, view, _)| view.alarm.sign == Some(clinic::monitor::Sign::Systolic))
    };
    for (sbp, warns) in [("161", false), ("161", false), ("165", false), ("165", true)] {
        visit.take("observe", &[("what", "vitals"), ("sbp", sbp), ("dbp", "78")]).await;
        assert_eq!(warned(), warns, "{sbp}");
    }
    let again = open_log(visit.clinic.folder(), &visit.clinic.clock);
    let id = clinic::id::SessionId::new(visit.id.as_str());
    let kept =
        again.floor.limits(&id).expect("seated").into_iter().find(|one| one.rule.as_str() == "sbp_warn_high");
    assert_eq!(kept.expect("the limit").threshold, 165.into(), "a restart forgot the limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_behind_the_log_is_told_on_every_page() {
    let clinic = Clinic::open();
    let late = Clock::system();
    late.not_before(late.now().checked_add(jiff::SignedDuration::from_mins(90)).expect("near"));
    let app = open_log(clinic.folder(), &late);
    let told = "CLOCK IS WRONG";
    for (user, path) in
        [("nurse", "/board"), ("front.desk", "/patients"), ("owner", "/staff"), ("nurse", "/account")]
    {
        let right = clinic.signed_in(user).get(path).await.body;
        assert!(right.contains("</main>") && !right.contains(told), "{path} of a clock that is right");
        let token = app.auth.logins().open(&StaffId::new(user), |_| ());
        let csrf = app.auth.admit(&token, true).expect("log").expect("login").csrf;
        let router = server::router(app.clone());
        let late = Browser { router, cookie: format!("chairside={token}"), csrf };
        let wrong = late.get(path).await.body;
        assert!(wrong.contains("</main>") && wrong.contains(told), "{path}: {wrong}");
    }
}

/// What takes a core for long is done one at a time, and whoever has to wait too long is told so.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_printed_now_says_so_and_is_printed_later() {
    let visit = Visit::planned().await;
    visit.running().await;
    let path = format!("/record/{}/record.pdf", visit.id);
    let printing = std::sync::Arc::clone(&visit.clinic.app.printing).acquire_owned().await.expect("a place");
    let nurse = visit.clinic.signed_in("nurse");
    let busy = nurse.get(&path).await;
    assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, "5"));
    assert!(busy.body.contains("Other records are being printed. Nothing is lost"), "{}", busy.body);
    drop(printing);
    assert_eq!(nurse.get(&path).await.header("content-type"), "application/pdf");
}

/// Hazard 99: a vial is not counted twice by two scans of it, and none that was scanned is left without a word.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_scan_asks_whether_it_is_another_vial_and_an_unopened_one_goes_back_before_a_witness() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    visit.ordered().await;
    visit.drawn().await;
    let same = [("code", VIAL), ("strength", "50")];
    assert!(!visit.nurse().get(&visit.path("preparation")).await.body.contains("Yes, it is one more"));
    visit.refuse("vial", &same, "Counted already of lot A1: 1").await;
    visit.take("vial", &[&same[..], &[("another", "yes")]].concat()).await;
    assert_eq!(visit.vials().len(), 2);
    let serial = "(01)00342023113108(17)270131(10)A1(21)77";
    visit.take("vial", &[("code", serial), ("strength", "50")]).await;
    visit.take("discard", &[&[("reason", "the visit ends")], &SIGNED[..]].concat()).await;
    let left =
        [("wasted", "0"), ("residual_in_line", "0"), ("left_in_vial_1", "9.18"), ("vial_fate", "wasted")];
    visit.take("waste", &[&left[..], &SIGNED].concat()).await;
    let open =
        "The witnessed return of vials that were not opened, 10 mL of lot A1, 10 mL of lot A1, is missing";
    visit.refuse("cancel", &[("reason", "felt unwell")], open).await;
    let myself = [("user", "nurse"), ("pin", crate::support::PIN)];
    visit.refuse("vials-back", &myself, "nurse cannot both return the unopened vials and witness it").await;
    visit.take("vials-back", &SIGNED).await;
    let back = visit.vials().pop().expect("scanned");
    let again = [
        ("vial", back.as_str()),
        ("stock", "0.82"),
        ("diluted_to", "20.5"),
        ("diluent", "sodium chloride 0.9 %"),
    ];
    visit.refuse("draw", &again, "Its drug was wasted before a witness").await;
    visit.take("cancel", &[("reason", "felt unwell")]).await;
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    assert!(record.contains("returned by nurse at 09:00, witnessed by"), "{record}");
}

/// Hazard 54: what the pump counts on after the waste is measured anew, and a difference is told as the first time.
#[tokio::test(flavor = "multi_thread")]
async fn a_rest_that_is_measured_anew_tells_its_difference_again() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(5);
    stop(&visit).await;
    visit.take("pump", &[("status", "not_infusing"), ("rate", "0"), ("counter", "2.6")]).await;
    let rest = |wasted| {
        let left = [("wasted", wasted), ("residual_in_line", "0.1"), ("left_in_vial_1", "9.18")];
        [&left[..], &[("vial_fate", "wasted")], &SIGNED].concat()
    };
    let asks = async || visit.nurse().get(&visit.path("discharge")).await.body.contains("id=\"waste\"");
    visit.take("waste", &rest("17.8")).await;
    assert!(!asks().await);
    let flushed = [("status", "not_infusing"), ("rate", "0"), ("counter", "3.1"), ("reason", "line flushed")];
    visit.take("pump", &flushed).await;
    assert!(asks().await, "half a millilitre stands in no account");
    visit.waste_differs("anew", &rest("17.8")).await;
    visit.take("waste", &rest("17.3")).await;
    assert!(!asks().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_going_home_the_list_names_the_waste_too() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.clinic.minutes_pass(5);
    stop(&visit).await;
    let after = visit.nurse().get(&visit.path("discharge")).await.body;
    let open = after.split("Still open:").nth(1).and_then(|list| list.split("</ul>").next()).expect("a list");
    for told in ["The witnessed waste is missing", "missing: discharge score"] {
        assert!(open.contains(told), "{told}: {open}");
    }
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    assert!(
        record.contains("no signed plan was in force; the regimen begins with 0.5 mg/kg over 40 min"),
        "{record}"
    );
    let nobody = [&[("escort", "?")], &home()[1..], &WORDS, &SIGNED].concat();
    visit.refuse("discharge", &nobody, "a name, in letters").await;
}

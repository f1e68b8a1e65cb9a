//! What was charted by mistake is struck on the pages, and nothing goes on following from it.

use crate::walk::Visit;
use clinic::id::{ChairId, SessionId};
use clinic::session::{Event, Recorded};

impl Visit {
    fn history(&self) -> Vec<Recorded> {
        self.clinic.app.floor.history(&SessionId::new(self.id.as_str())).expect("log")
    }

    /// The place in the log of the last charted finding.
    fn last_charted(&self) -> i64 {
        let history = self.history();
        let charted = history.iter().rfind(|one| matches!(one.event, Event::ObservationCharted(_)));
        charted.expect("a finding").position
    }

    /// The place in the log of the last entry of a kind.
    fn last(&self, kind: &str) -> i64 {
        self.history().iter().rfind(|one| one.event.kind() == kind).expect("an entry").position
    }

    /// The slip is struck from the chair and the lists, and stays readable there and in the record.
    async fn strikes(&self, kind: &str, old: &str, told: &str) {
        let slip = format!("strike/{}", self.last(kind));
        for path in ["/chair/3", &format!("/visit/{}", self.id)] {
            let page = self.nurse().get(path).await.body;
            assert!(page.contains(&self.path(&slip)), "no way to strike {old} on {path}");
        }
        let page = self.text(&self.path(&slip)).await;
        assert!(page.contains(told), "{page}");
        self.refuse(&slip, &[("reason", "ok")], "at least 3 letters").await;
        self.take(&slip, &[("reason", "tapped at the wrong chair")]).await;
        for path in ["/chair/3", &format!("/visit/{}", self.id)] {
            let page = self.nurse().get(path).await.body;
            assert!(page.contains(&format!("<del>{old}</del>")), "{path} hides {old}");
            assert!(page.contains("by nurse: tapped at the wrong chair"), "{path}");
            assert!(!page.contains(&self.path(&slip)), "{path} strikes it again");
        }
        self.refuse(&slip, &[("reason", "once more")], "struck already").await;
    }

    /// Codes of the alarms at the chair, and the blood pressure that changes are measured from.
    fn watched(&self) -> (Vec<String>, Option<String>) {
        let view = self.clinic.app.floor.monitor_view(&ChairId::new("3")).expect("a chair");
        (view.alarms.into_iter().map(|one| one.alarm.code).collect(), view.baseline)
    }
}

const VITALS: [(&str, &str); 4] = [("what", "vitals"), ("sbp", "122"), ("dbp", "78"), ("spo2", "98")];

#[tokio::test(flavor = "multi_thread")]
async fn a_vital_sign_that_was_charted_by_mistake_is_struck_and_counts_for_nothing() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.take("observe", &VITALS).await;
    visit.clinic.minutes_pass(2);
    visit.take("observe", &[("what", "vitals"), ("sbp", "214"), ("dbp", "121"), ("spo2", "79")]).await;
    let (alarms, _) = visit.watched();
    for code in ["systolic", "spo2"] {
        assert!(alarms.iter().any(|one| one == code), "{alarms:?}");
    }
    let slip = format!("strike/{}", visit.last_charted());
    let chair = visit.nurse().get("/chair/3").await.body;
    assert!(chair.contains(&format!("href=\"{}\"", visit.path(&slip))), "no way to strike it at the chair");
    assert!(visit.nurse().get(&visit.path("discharge")).await.body.contains(&visit.path(&slip)));
    let page = visit.text(&visit.path(&slip)).await;
    assert!(page.contains("BP 214/121 SpO₂ 79, seen at") && page.contains("At least 3 letters"), "{page}");
    for (reason, words) in [("", "The reason is missing"), ("ok", "at least 3 letters")] {
        visit.refuse(&slip, &[("reason", reason)], words).await;
    }
    visit.take(&slip, &[("reason", "typed for the next chair")]).await;
    let (alarms, _) = visit.watched();
    assert!(!alarms.iter().any(|one| one == "systolic" || one == "spo2"), "{alarms:?}, answered or not");
    let history = visit.nurse().get("/chair/3/history.json").await.body;
    assert!(history.contains("1220") && !history.contains("2140") && !history.contains("790"), "{history}");
    // It stays readable, struck through, with who, when and why; on the chair, in the list and in the record.
    let record = format!("/record/{}", visit.id);
    for path in ["/chair/3", &format!("/visit/{}", visit.id), &visit.path("discharge")] {
        let page = visit.nurse().get(path).await.body;
        assert!(page.contains("<del>BP 214/121 SpO₂ 79</del>"), "{path}");
        assert!(page.contains("by nurse: typed for the next chair"), "{path}");
        assert!(!page.contains(&visit.path(&slip)), "{path} strikes it again");
    }
    // The alarms that nobody answered are told with what became of them, in the record and before the patient goes home.
    let printed = visit.text(&record).await;
    assert!(printed.contains("taken away: the entry that raised it was struck"), "{printed}");
    let left = visit.clinic.app.floor.unfinished(&SessionId::new(visit.id.as_str()));
    let unanswered = &left[&clinic::monitor::Unfinished::UnansweredAlarms];
    let of_the_slip = unanswered.iter().filter(|one| one.contains("the entry that raised it was struck"));
    assert!(of_the_slip.count() >= 2, "{left:?}");
    let chair = visit.text("/chair/3").await;
    assert!(chair.contains("122/78 mmHg") && chair.contains("NIBP 2 min ago"), "{chair}");
    let page = visit.nurse().get(&record).await.body;
    assert!(page.contains("<del>214/121</del>") && page.contains("typed for the next chair"), "{page}");
    // Nobody strikes it twice, and nothing that nobody charted.
    visit.refuse(&slip, &[("reason", "once more")], "struck already").await;
    let none = visit.nurse().get(&visit.path("strike/1")).await;
    assert_eq!(none.status.as_u16(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_right_is_charted_at_the_time_at_which_it_was_seen() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.take("observe", &[("what", "moaas"), ("value", "0")]).await;
    assert!(visit.watched().0.contains(&"moaas".to_owned()));
    let slip = visit.last_charted();
    visit.clinic.minutes_pass(3);
    let struck = visit.send(&format!("strike/{slip}"), &[("reason", "digits turned")]).await;
    assert!(!visit.watched().0.contains(&"moaas".to_owned()));
    let to = struck.goes_to().to_owned();
    let page = visit.nurse().get(&to).await.body;
    let (_, at) = to.split_once("?at=").expect("the time goes along");
    let at = at.replace("%3A", ":");
    assert!(page.contains("each entry here counts as seen at"), "{page}");
    assert!(page.contains(&format!("name=\"observed_at\" value=\"{at}\"")), "{page}");
    visit.take("observe", &[("what", "moaas"), ("value", "5"), ("observed_at", &at)]).await;
    let seen = visit.history().into_iter().filter_map(|one| match one.event {
        Event::ObservationCharted(seen) => Some(seen.observed_at.as_second()),
        _ => None,
    });
    let seen: Vec<i64> = seen.collect();
    assert_eq!(seen.last_chunk::<2>().map(|[slip, right]| slip == right), Some(true), "{seen:?}");
}

/// Hazard 101: the answer of the gate is struck, and so is what the watch made of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_struck_answer_of_the_vital_signs_gate_is_no_baseline_and_no_value_of_the_chair() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    let (_, fields) = crate::walk::gates().into_iter().find(|(gate, _)| *gate == "c11").expect("the gate");
    let red = fields.into_iter().map(|(name, value)| match name.split_once('_') {
        Some(("systolic", _)) => (name, "172"),
        Some(("diastolic", _)) => (name, "104"),
        _ => (name, value),
    });
    visit.take("gate/c11", &red.collect::<Vec<_>>()).await;
    assert_eq!(visit.watched().1.as_deref(), Some("172/104"));
    let position = visit.history().last().expect("the answer").position.to_string();
    let said = [("position", position.as_str()), ("text", "118/74"), ("reason", "wrong patient")];
    visit.take("gate/c11/amend", &said).await;
    assert_eq!(visit.watched(), (Vec::new(), None), "nobody knows it any more");
    let chair = visit.text("/chair/3").await;
    assert!(!chair.contains("172/104 mmHg"), "{chair}");
    let history = visit.nurse().get("/chair/3/history.json").await.body;
    assert!(!history.contains("1720"), "{history}");
}

/// Hazard 102: whatever page of a running infusion is open, it can be paused and stopped there.
#[tokio::test(flavor = "multi_thread")]
async fn pause_and_stop_are_on_every_page_of_a_running_infusion() {
    let visit = Visit::planned().await;
    visit.running().await;
    let event = visit.path("event/hypertension");
    let pages = ["observe", "note", "event", "drug", "rate", "pump", "limits", "order", "discharge"];
    let pages = pages.map(|page| visit.path(page)).into_iter();
    for path in pages.chain([event.clone(), format!("/visit/{}", visit.id), "/chair/3".to_owned()]) {
        let page = visit.nurse().get(&path).await.body;
        for act in ["pause", "stop"] {
            assert!(page.contains(&format!("action=\"/chair/3/{act}\"")), "{act} is not on {path}");
        }
    }
    let paused = visit.nurse().post("/chair/3/pause", &[("session", visit.id.as_str())]).await;
    assert!(paused.status.is_redirection(), "{}", paused.body);
    let page = visit.nurse().get(&event).await.body;
    assert!(!page.contains("/chair/3/pause") && page.contains("/chair/3/stop"), "paused, and can be stopped");
}

/// Hazard 123: a drug that was tapped by mistake neither blocks the real one nor is open in the record.
#[tokio::test(flavor = "multi_thread")]
async fn a_drug_entered_by_mistake_is_struck_and_the_real_one_can_be_given() {
    let visit = Visit::planned().await;
    visit.running().await;
    let drug = [("drug", "hydralazine"), ("unit", "mg"), ("playbook", "hypertension"), ("route", "IV")];
    let dose = |dose| [&drug[..], &[("dose", dose)]].concat();
    visit.take("drug", &dose("5")).await;
    visit.refuse("drug", &dose("10"), "the standing order says 20 min").await;
    visit.strikes("drug_was_given", "hydralazine 5 mg IV", "hydralazine 5 mg IV, given at").await;
    visit.take("drug", &dose("10")).await;
    let record = visit.nurse().get(&format!("/record/{}", visit.id)).await.body.replace('\u{a0}', " ");
    for cell in ["<del>hydralazine</del>", "<del>5 mg</del>", "hydralazine 10 mg IV"] {
        assert!(record.contains(cell), "{cell}: {record}");
    }
}

/// Hazard 123: a side effect of somebody else is none of this visit, and a grave one has words.
#[tokio::test(flavor = "multi_thread")]
async fn a_side_effect_noted_by_mistake_is_struck_and_is_open_no_more() {
    let visit = Visit::planned().await;
    visit.running().await;
    let words = "What is seen is missing";
    visit.refuse("event/headache", &[("grade", "4"), ("text", " ")], words).await;
    visit.refuse("event/headache", &[("grade", "2"), ("serious", "yes")], words).await;
    visit.take("event/headache", &[("grade", "4"), ("text", "worst of her life")]).await;
    assert!(visit.text(&visit.path("event")).await.contains("It is over"));
    let old = "Headache grade 4: worst of her life";
    visit.strikes("adverse_event_noted", old, "worst of her life, began at").await;
    assert!(!visit.text(&visit.path("event")).await.contains("It is over"), "it is open on");
    let record = visit.nurse().get(&format!("/record/{}", visit.id)).await.body;
    assert!(!record.contains("without an outcome"), "{record}");
    for cell in ["<del>Headache</del>", "<del>4 life-threatening</del>", "<del>worst of her life</del>"] {
        assert!(record.contains(cell), "{cell}: {record}");
    }
    assert!(record.contains("tapped at the wrong chair"));
}

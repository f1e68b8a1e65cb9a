//! Hazard 127: a vital sign whose point or digit slipped is asked about on every form that takes one, and the same sent
//! once more is charted: an arrest is one more tap away, and its alarm comes.

use crate::walk::{Visit, reasons};
use axum::http::StatusCode;
use clinic::id::ChairId;

impl Visit {
    /// What was asked about, as the form carries it out of sight.
    fn asked(page: &str) -> Vec<String> {
        let fields = page.split("name=\"read_again\" value=\"").skip(1);
        fields.filter_map(|field| field.split('"').next()).map(str::to_owned).collect()
    }

    fn alarms(&self) -> Vec<String> {
        let view = self.clinic.app.floor.monitor_view(&ChairId::new("3")).expect("a chair");
        view.alarms.into_iter().map(|one| one.alarm.code).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slipped_vital_sign_is_asked_about_and_the_same_once_more_is_charted_with_its_alarm() {
    let visit = Visit::planned().await;
    visit.running().await;
    let at_chair = [("session", visit.id.as_str())];
    // No monitor shows a heart rate with a decimal.
    for to in ["/chair/3/vitals".to_owned(), visit.path("observe")] {
        let fields = [
            ("session", visit.id.as_str()),
            ("what", "vitals"),
            ("hr", "7.2"),
            ("read_again", "heart_rate 7.2"),
        ];
        let (before, refused) = (visit.written(), visit.nurse().post(&to, &fields).await);
        assert_eq!((refused.status, visit.written()), (StatusCode::UNPROCESSABLE_ENTITY, before), "{to}");
        assert!(reasons(&refused.body).contains("accepted is a whole number"), "{}", refused.body);
    }
    for (to, typed, questions) in [
        ("/chair/3/vitals", &[("hr", "7")][..], &["heart_rate 7"][..]),
        ("/chair/3/vitals", &[("sbp", "38"), ("dbp", "20")], &["systolic 38", "diastolic 20"]),
        (&visit.path("observe"), &[("what", "vitals"), ("hr", "9")], &["heart_rate 9"]),
    ] {
        let fields = [&at_chair[..], typed].concat();
        let before = visit.written();
        let asked = visit.nurse().post(to, &fields).await;
        assert_eq!(asked.status, StatusCode::UNPROCESSABLE_ENTITY, "{to}: {}", asked.body);
        let said = reasons(&asked.body);
        assert!(said.contains("Read it again; if it is right, save the same once more"), "{said}");
        assert_eq!(visit.written(), before, "nothing is written until it is said again");
        let tokens = Visit::asked(&asked.body);
        assert_eq!(tokens, questions, "{to}");
        let again: Vec<(&str, &str)> = tokens.iter().map(|token| ("read_again", token.as_str())).collect();
        // Another slip is another question.
        let mut other = fields.clone();
        other.last_mut().expect("a value").1 = "3";
        let refused = visit.nurse().post(to, &[&other[..], &again].concat()).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{to}");
        assert_eq!(visit.written(), before);
        let taken = visit.nurse().post(to, &[&fields[..], &again].concat()).await;
        assert_eq!(taken.status, StatusCode::SEE_OTHER, "{to}: {}", taken.body);
        assert_ne!(visit.written(), before);
    }
    let alarms = visit.alarms();
    assert!(
        alarms.contains(&"systolic".to_owned()) && alarms.contains(&"heart_rate".to_owned()),
        "{alarms:?}"
    );
    for path in ["/chair/3".to_owned(), format!("/visit/{}", visit.id)] {
        let page = visit.text(&path).await;
        assert!(
            page.contains("BP 38/20 (asked about, and read again: NIBP systolic 38, NIBP diastolic 20)"),
            "{page}"
        );
    }
    let record = visit.text(&format!("/record/{}", visit.id)).await;
    assert!(record.contains("asked about, and read again: NIBP systolic 38, NIBP diastolic 20"), "{record}");
}

/// Hazard 127: the mean of a high reading and a slipped one would lie in the green band.
#[tokio::test(flavor = "multi_thread")]
async fn a_slipped_cuff_reading_of_the_gate_is_asked_about_beside_its_field() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let fields = crate::walk::gates().into_iter().find(|(gate, _)| *gate == "c11").expect("the gate").1;
    let slip = |(name, value)| match name {
        "systolic_1" => (name, "12"),
        "diastolic_1" => (name, "7"),
        _ => (name, value),
    };
    let slipped: Vec<(&str, &str)> = fields.into_iter().map(slip).collect();
    visit
        .refuse("gate/c11", &slipped, "NIBP systolic is 12; in an awake patient 50 to 260 is expected")
        .await;
    let again = [("read_again", "systolic 12"), ("read_again", "diastolic 7")];
    visit.take("gate/c11", &[&slipped[..], &again].concat()).await;
}

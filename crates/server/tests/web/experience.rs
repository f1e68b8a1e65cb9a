//! What the patient feels of a visit: the line, side effects and how long they last, and how the infusion was.

use crate::walk::{Visit, stop};

#[tokio::test(flavor = "multi_thread")]
async fn where_the_line_lies_stands_beside_its_gate_and_in_the_record() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    let page = visit.nurse().get(&format!("/visit/{}", visit.id)).await.body;
    assert!(page.contains("left forearm, 2 attempts, reclined"), "{page}");
    assert!(page.contains("value=\"left forearm\"") && page.contains("value=\"2\""), "{page}");
    let record = visit.nurse().get(&format!("/record/{}", visit.id)).await.body;
    assert!(record.contains("left forearm, 2 attempts, reclined"), "{record}");
}

/// Hazard 134: a side effect that has not passed is told, and how long each lasted stands where the next order is made.
#[tokio::test(flavor = "multi_thread")]
async fn how_long_a_side_effect_lasted_stands_beside_the_next_order_and_in_the_record() {
    let visit = Visit::planned().await;
    visit.running().await;
    visit.take("event/headache", &[("grade", "1"), ("text", "pressing")]).await;
    visit.clinic.minutes_pass(25);
    let order = visit.path("order");
    let told = async || visit.clinic.signed_in("prescriber").get(&order).await.body;
    assert!(told().await.contains("Headache, grade 1, still open"), "{}", told().await);
    let end = |at| vec![("number", "1"), ("outcome", "gone"), ("ended_at", at)];
    for (wrong, words) in [("2020-01-01T10:00", "accepted is between its begin"), ("soon", "is not a time")] {
        visit.refuse("event-end", &end(wrong), words).await;
    }
    visit.take("event-end", &end("")).await;
    assert!(told().await.contains("Headache, grade 1, over after 25 min"), "{}", told().await);
    let record = visit.nurse().get(&format!("/record/{}", visit.id)).await.body;
    assert!(record.contains("after 25\u{a0}min: gone"), "{record}");
}

/// Hazard 135: a bad experience is told in the patient's words before the next infusion is ordered.
#[tokio::test(flavor = "multi_thread")]
async fn how_an_infusion_felt_is_told_in_the_patients_words_beside_the_next_order() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let felt = |felt, words| vec![("what", "experience"), ("felt", felt), ("words", words)];
    visit.refuse("observe", &felt("frightening", "early"), "when the infusion has begun").await;
    visit.gates().await;
    visit.started().await;
    visit.refuse("observe", &[("what", "tolerated"), ("value", "11")], "0 to 10").await;
    visit.refuse("observe", &felt("", "like drowning"), "Choose what the patient says").await;
    visit.refuse("observe", &felt("fine", "like drowning"), "is not one of those to choose from").await;
    stop(&visit).await;
    let order = visit.path("order");
    let told = async || visit.clinic.signed_in("prescriber").get(&order).await.body;
    assert!(told().await.contains("<td>not asked</td>"), "{}", told().await);
    visit.take("observe", &[("what", "tolerated"), ("value", "3")]).await;
    visit.refuse("observe", &[("what", "mood"), ("value", "11")], "0 to 10").await;
    visit.take("observe", &[("what", "mood"), ("value", "2")]).await;
    visit.take("observe", &[("what", "mood"), ("value", "6")]).await;
    visit.take("observe", &felt("frightening", "like drowning <slowly>")).await;
    let page = told().await;
    assert!(page.contains("<td>3 of 10</td>") && page.contains("mood 2, last 6 of 10"), "{page}");
    assert!(page.contains("Felt frightening, says the patient: “like drowning &#60;slowly&#62;”"), "{page}");
    let record = visit.nurse().get(&format!("/record/{}", visit.id)).await.body;
    assert!(
        record.contains("Borne 3 of 10, says the patient") && record.contains("like drowning"),
        "{record}"
    );
}

//! Prices that the owner sets, and the estimate of a plan: on paper, and nobody's care is held by it.

use crate::course::{BOOKING, FOUR, plan, planned};
use crate::support::{Browser, Clinic};
use crate::walk::reasons;
use axum::http::StatusCode;

const ESTIMATE: &str = "/patients/p-1/estimate";
const PRICES: [(&str, &str); 5] = [
    ("currency", "USD"),
    ("consultation", "250"),
    ("session", "600.00"),
    ("booster", "550.50"),
    ("valid_d", "90"),
];

async fn sets(owner: &Browser, other: &[(&str, &str)]) -> (StatusCode, String) {
    let kept = PRICES.into_iter().filter(|(name, _)| other.iter().all(|(changed, _)| changed != name));
    let fields: Vec<_> = kept.chain(other.iter().copied()).collect();
    let answer = owner.post("/prices", &fields).await;
    (answer.status, answer.body)
}

/// The estimate that stands on the page, as its form sends it.
async fn read(desk: &Browser) -> String {
    let page = desk.get(ESTIMATE).await.body;
    let field = page.split("name=\"read\" value=\"").nth(1).unwrap_or_else(|| panic!("no estimate: {page}"));
    field.split('"').next().expect("a value").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_sets_prices_and_a_slip_stands_beside_its_field() {
    let clinic = Clinic::open();
    let owner = clinic.signed_in("owner");
    assert!(owner.get("/prices").await.body.contains("No prices are set yet"));
    for (field, value, words) in [
        ("session", "600.005", "accepted is 0 or more, with at most two decimals"),
        ("session", "-1", "accepted is 0 or more"),
        ("session", "six hundred", "is “six hundred”; accepted is 0 or more"),
        ("booster", "100000.01", "accepted is 0.00 to 100,000.00"),
        ("consultation", "", "is empty"),
        ("currency", "dollars", "three capital letters, such as USD"),
        ("valid_d", "0", "1 to 366 days"),
        ("valid_d", "long", "a whole number of days"),
    ] {
        let (status, body) = sets(&owner, &[(field, value)]).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{field} {value}");
        assert!(reasons(&body).contains(words), "{field} {value}: {}", reasons(&body));
        assert!(body.contains(&format!("prices-{field}-error")), "{field}: {body}");
    }
    assert!(clinic.kinds("prices").is_empty(), "nothing half-written");
    assert_eq!(sets(&owner, &[]).await.0, StatusCode::SEE_OTHER);
    let page = owner.get("/prices").await.body;
    assert!(page.contains("infusion 600.00 USD, booster 550.50 USD, consultation 250.00 USD"), "{page}");
    assert_eq!(clinic.signed_in("prescriber").get("/prices").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_has_an_estimate_that_changes_with_it_and_holds_nobody() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let (owner, desk) = (clinic.signed_in("owner"), clinic.signed_in("front.desk"));
    assert!(desk.get(ESTIMATE).await.body.contains("There is no estimate"), "no prices yet");
    assert_eq!(sets(&owner, &[]).await.0, StatusCode::SEE_OTHER);
    let page = desk.get(ESTIMATE).await.body;
    for part in ["2,400.00 USD", "22-Nov-2026", "20-Feb-2027", "version 1", "a consultation, 250.00 USD"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let first = read(&desk).await;
    for _double_tap in 0..2 {
        let given = desk.post_again(ESTIMATE, "gives", &[("read", &first)]).await;
        assert_eq!(given.goes_to(), ESTIMATE, "{}", reasons(&given.body));
    }
    assert_eq!(clinic.kinds("estimate/p-1"), ["estimate_given"], "once");
    assert!(!desk.get(ESTIMATE).await.body.contains("have changed since"));
    let change = [("infusions", "6"), ("reason", "partial response")];
    let changed = by.post("/patients/p-1/course", &plan("1", &change)).await;
    assert_eq!(changed.status, StatusCode::SEE_OTHER, "{}", reasons(&changed.body));
    let page = desk.get(ESTIMATE).await.body;
    assert!(page.contains("3,600.00 USD") && page.contains("Plan or prices have changed since"), "{page}");
    assert!(page.contains("2,400.00 USD by version 1"), "what was given keeps its numbers: {page}");
    let stale = desk.post(ESTIMATE, &[("read", &first)]).await;
    assert_eq!(stale.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(reasons(&stale.body).contains("has changed since it was shown"), "{}", reasons(&stale.body));
    assert_eq!(clinic.kinds("estimate/p-1").len(), 1);
    clinic.minutes_pass(60 * 24 * 91);
    let later = clinic.signed_in("front.desk").get(ESTIMATE).await.body;
    assert!(later.contains("Its time is over."), "{later}");
    assert_eq!(clinic.signed_in("owner").get(ESTIMATE).await.status, StatusCode::FORBIDDEN);
}

/// Row 117: who has no estimate is booked like anybody else.
#[tokio::test(flavor = "multi_thread")]
async fn nobodys_booking_waits_for_an_estimate() {
    let clinic = Clinic::open();
    planned(&clinic).await;
    assert_eq!(sets(&clinic.signed_in("owner"), &[]).await.0, StatusCode::SEE_OTHER);
    let desk = clinic.signed_in("front.desk");
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    assert!(clinic.kinds("estimate/p-1").is_empty());
}

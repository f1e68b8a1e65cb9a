//! A newer plan meets visits that are booked: the calendar, the pages of the patient and the feed follow it.

use crate::course::{BOOKING, COURSE, FOUR, plan, planned, refused, registered};
use crate::support::{Browser, Clinic};
use axum::http::StatusCode;

/// The four visits, the third so late in the day that an hour of infusion does not fit any more.
pub fn late_third() -> Vec<(&'static str, &'static str)> {
    let moved = |(name, value)| (name, if name == "visit-3" { "2026-12-08T15:15" } else { value });
    FOUR.into_iter().map(moved).collect()
}

/// What the patient reads on a phone.
pub async fn mine(nurse: &Browser) -> String {
    assert_eq!(nurse.post("/patients/p-1/page", &[]).await.status, StatusCode::SEE_OTHER);
    let page = nurse.get("/patients/p-1/page").await.body;
    let address = page.split("id=\"page-link\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let address = address.expect("an address");
    nurse.post(&address[address.find("/mine/").expect("a path")..], &[("born", "1984-03-12")]).await.body
}

async fn feed(nurse: &Browser) -> String {
    let page = nurse.get("/calendar").await.body;
    let rest = &page[page.find("/feed/").expect("an address")..];
    nurse.get(rest.split('"').next().expect("a value")).await.body
}

/// Hazard 170: whoever plans a day by the calendar, the feed or the patient's page reads when the patient may go home by
/// the plan that is in force.
#[tokio::test(flavor = "multi_thread")]
async fn a_longer_infusion_lengthens_the_visits_that_are_booked_or_says_which_must_be_moved() {
    let clinic = Clinic::open();
    let by = planned(&clinic).await;
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    let booked = desk.post(BOOKING, &late_third()).await;
    assert_eq!(booked.goes_to(), BOOKING, "{}", booked.body);
    let day = async |date: &str| desk.get(&format!("/calendar?day={date}")).await.body;
    assert!(day("2026-12-11").await.contains("<td>09:30</td><td>11:10</td>"));
    assert!(
        mine(&nurse).await.contains("11 December 2026 at 09:30: your infusion. You can go home from 11:10")
    );

    let longer = plan("1", &[("infusions", "4"), ("minutes", "60"), ("reason", "was queasy")]);
    assert_eq!(by.post(COURSE, &longer).await.goes_to(), COURSE);
    assert!(day("2026-12-11").await.contains("<td>09:30</td><td>11:30</td>"));
    assert!(day("2026-12-08").await.contains("<td>Infusion, must be moved</td>"));
    let page = mine(&nurse).await;
    assert!(page.contains("11 December 2026 at 09:30: your infusion. You can go home from 11:30"), "{page}");
    assert!(page.contains("8 December 2026 at 15:15: your infusion. Your plan has changed"), "{page}");
    let own = feed(&nurse).await;
    assert!(own.contains("DTEND:20261211T113000Z\r\n"), "{own}");
    assert_eq!(own.matches("SUMMARY:Infusion\\, must be moved\r\n").count(), 1, "{own}");
    let why = "must be moved: Infusion 3 on 2026-12-08: the clinic is not open from 15:15 until 17:15.";
    for (who, path) in [(&by, COURSE), (&desk, BOOKING)] {
        let page = who.get(path).await.body;
        assert!(page.contains("Visits that must be moved") && page.contains(why), "{page}");
    }
    assert!(by.get(COURSE).await.body.contains("3 stand, 1 must be moved"));

    refused(&desk.post(BOOKING, &late_third()).await, "not open from 15:15 until 17:15");
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    assert!(day("2026-12-08").await.contains("<td>09:30</td><td>11:30</td>"));
    for path in [COURSE, BOOKING] {
        assert!(!by.get(path).await.body.contains("must be moved: "), "{path}");
    }
    // What nobody changed for the calendar writes nothing into it.
    let words =
        plan("2", &[("infusions", "4"), ("minutes", "60"), ("titration", "none"), ("reason", "said so")]);
    assert_eq!(by.post(COURSE, &words).await.goes_to(), COURSE);
    let kinds = clinic.kinds("course/p-1-1");
    assert_eq!(kinds.iter().filter(|kind| *kind == "visits_refitted").count(), 1, "{kinds:?}");
}

/// Two prescribers write the first plan of one course: the second sees both, and what was typed is not lost.
#[tokio::test(flavor = "multi_thread")]
async fn two_who_write_the_first_plan_see_both_side_by_side() {
    let clinic = Clinic::open();
    let by = registered(&clinic).await;
    assert_eq!(by.post(COURSE, &plan("0", &[("infusions", "4")])).await.goes_to(), COURSE);
    let typed = plan("0", &[("minutes", "60"), ("titration", "by 0.1 mg/kg"), ("reason", "frail")]);
    let late = by.post(COURSE, &typed).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    for words in [
        "Meanwhile prescriber signed version 1",
        "<th scope=\"col\">Version 1, signed meanwhile by prescriber</th><th scope=\"col\">Yours, not signed</th>",
        "<th scope=\"row\">infusions</th><td>4</td><td>6</td>",
        "<th scope=\"row\">minutes</th><td>40</td><td>60</td>",
        "value=\"60\"",
        "by 0.1 mg/kg</textarea>",
        "name=\"read\" value=\"1\"",
    ] {
        assert!(late.body.contains(words), "{words}: {}", late.body);
    }
    assert!(!late.body.contains("<th scope=\"row\">regimen</th>"), "what is the same is not told twice");
    assert_eq!(clinic.kinds("course/p-1-1"), ["course_opened"], "nothing of the second");
    assert!(!by.get(COURSE).await.body.contains("Both plans"));
    let again = plan("1", &[("infusions", "4"), ("minutes", "60"), ("reason", "frail")]);
    assert_eq!(by.post(COURSE, &again).await.goes_to(), COURSE, "both, in the next version");
}

/// A day that is past is refused beside its field, and a browser does not offer it.
#[tokio::test(flavor = "multi_thread")]
async fn a_booking_begins_today_at_the_earliest() {
    let clinic = Clinic::open();
    let _by = planned(&clinic).await;
    let desk = clinic.signed_in("front.desk");
    let past = desk.get(&format!("{BOOKING}?start=2026-11-21")).await;
    refused(&past, "The first day 2026-11-21 is past. Accepted is 2026-11-22 or later.");
    let field = "type=\"date\" min=\"2026-11-22\" value=\"2026-11-21\" autocomplete=\"off\" aria-invalid=\"true\" aria-describedby=\"start-error\"";
    assert!(past.body.contains(field), "{}", past.body);
    assert!(!past.body.contains("name=\"visit-1\""), "nothing is offered");
    let bad = desk.get(&format!("{BOOKING}?start=2026-11-23&at=soon")).await;
    assert!(bad.body.contains("id=\"at-error\"") && !bad.body.contains("id=\"start-error\""), "{}", bad.body);
    // On Monday at 10:07 the clinic has been open for two hours.
    clinic.minutes_pass(25 * 60 + 7);
    let desk = clinic.signed_in("front.desk");
    let today = desk.get(&format!("{BOOKING}?start=2026-11-23")).await.body;
    assert!(today.contains("value=\"2026-11-23T10:15\" min=\"2026-11-23T10:07\""), "{today}");
}

//! The week as a grid: each visit where it is held, closed days and changes of the clock told.

use crate::course::{BOOKING, FOUR, planned};
use crate::support::Clinic;
use crate::walk::Visit;
use axum::http::StatusCode;

/// The cells of a line of the grid, by its heading.
fn line<'a>(page: &'a str, title: &str) -> Vec<&'a str> {
    let row = page.split("<tr>").find(|row| row.contains(&format!("<th scope=\"row\">{title}</th>")));
    let row = row.unwrap_or_else(|| panic!("no line {title}: {page}"));
    row.split("<td>").skip(1).collect()
}

fn filled(page: &str, title: &str) -> Vec<usize> {
    let cells = line(page, title);
    cells.iter().enumerate().filter(|(_, cell)| cell.contains("RIVERA, Ana")).map(|(day, _)| day).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_stands_as_a_grid_by_chair_and_by_person() {
    let clinic = Clinic::open();
    planned(&clinic).await;
    let (desk, therapist) = (clinic.signed_in("front.desk"), clinic.signed_in("therapist"));
    assert_eq!(desk.post(BOOKING, &FOUR).await.goes_to(), BOOKING);
    // The 3rd is a Thursday; visits are on Tuesday the 1st and Friday the 4th.
    for day in ["2026-12-03", "2026-11-30", "2026-12-06"] {
        let page = desk.get(&format!("/calendar?day={day}&view=chairs")).await.body;
        assert_eq!(filled(&page, "Chair 2"), [1, 4], "{day}");
        assert!(filled(&page, "Chair 1").is_empty(), "every chair has its line, a free one too");
        assert_eq!(line(&page, "Chair 2").len(), 7);
        assert!(line(&page, "Chair 2")[1].contains("09:30–"), "{page}");
        assert!(page.contains("Open 08:00–") && page.contains("Closed: "), "{page}");
        assert!(page.contains(&format!("href=\"{BOOKING}\"")), "the desk reads on");
        let page = therapist.get(&format!("/calendar?day={day}&view=people")).await.body;
        assert_eq!(filled(&page, "nurse"), [1, 4], "{day}");
        assert!(line(&page, "nurse")[1].contains("Infusion, chair 2"), "{page}");
        assert!(!page.contains(BOOKING), "who books nothing reads no further");
    }
    let next = desk.get("/calendar?day=2026-12-10&view=chairs").await.body;
    assert_eq!(filled(&next, "Chair 2"), [1, 4]);
    assert!(
        next.contains("day=2026-12-03&amp;view=chairs") && next.contains("day=2026-12-17&amp;view=chairs")
    );
    let wrong = desk.get("/calendar?day=tomorrow&view=chairs").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("“tomorrow” is not a day"), "{}", wrong.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_whose_clock_changes_says_so_in_the_week() {
    for (zone, day, told) in [
        ("Europe/Berlin", "2027-03-28", "The clocks go forward: 23 h"),
        ("Europe/Berlin", "2026-10-25", "The clocks go back: 25 h"),
        ("America/New_York", "2027-03-14", "The clocks go forward: 23 h"),
        ("UTC", "2027-03-28", ""),
    ] {
        let clinic = Clinic::open().set(|config| config.zone = zone.to_owned());
        let page = clinic.signed_in("nurse").get(&format!("/calendar?day={day}&view=chairs")).await.body;
        let head = page.split("<th scope=\"col\">").nth(8).expect("Sunday is the last day");
        assert_eq!(page.matches("The clocks go").count(), usize::from(!told.is_empty()), "{zone} {day}");
        assert!(head.contains(told), "{zone} {day}: {head}");
    }
}

/// Whoever sits on the floor stands in the calendar of the day, booked or not.
#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_nobody_booked_stands_in_the_calendar_checked_in_and_left() {
    let visit = Visit::planned().await;
    let nurse = visit.nurse();
    assert!(!nurse.get("/calendar").await.body.contains("not booked"), "nobody came yet");
    visit.checked_in().await;
    let day = nurse.get("/calendar").await.body;
    assert!(day.contains("<td>Infusion, not booked, checked in</td><td>3</td>"), "{day}");
    let week = nurse.get("/calendar?view=chairs").await.body;
    assert!(line(&week, "Chair 3").iter().any(|cell| cell.contains("not booked, checked in")), "{week}");
    visit.take("cancel", &[("reason", "did not want it")]).await;
    let day = nurse.get("/calendar").await.body;
    assert!(day.contains("Infusion, not booked, left"), "{day}");
}

/// Who comes on another day than the one that was planned stands in the calendar of the day on which they came, and stays
/// there; who has had no drug yet is checked in, and no infusion is under way.
#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_is_given_on_another_day_stands_on_the_day_on_which_it_was_given() {
    let visit = Visit::planned().await;
    visit.clinic.minutes_pass(24 * 60);
    visit.checked_in().await;
    let day = async |date: &str| visit.nurse().get(&format!("/calendar?day={date}")).await.body;
    let came = day("2026-11-23").await;
    assert!(came.contains("not booked, checked in, planned for 22-Nov-2026"), "{came}");
    visit.gates().await;
    visit.started().await;
    let runs = day("2026-11-23").await;
    assert!(runs.contains("not booked, under way, planned for 22-Nov-2026"), "{runs}");
    visit.gone_home().await;
    let over = day("2026-11-23").await;
    assert!(over.contains("not booked, done, planned for 22-Nov-2026"), "{over}");
    assert!(!day("2026-11-22").await.contains("RIVERA, Ana"), "nobody came on that day");
}

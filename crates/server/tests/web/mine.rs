//! The page of a patient: a link from staff, the day of birth, and what stands on it.

use crate::course::{BOOKING, FOUR, planned};
use crate::support::{Browser, Clinic};
use crate::walk::Visit;
use axum::http::StatusCode;
use server::config::Config;

const GIVE: &str = "/patients/p-1/page";
const BORN: [(&str, &str); 1] = [("born", "1984-03-12")];
const OTHER: [(&str, &str); 1] = [("born", "1984-12-03")];

/// Ana with four visits in the calendar, and the nurse.
async fn clinic() -> (Clinic, Browser) {
    let clinic =
        Clinic::open().set(|config: &mut Config| config.phone = Some("+1 (303) 555-0100".to_owned()));
    let _by = planned(&clinic).await;
    let booked = clinic.signed_in("front.desk").post(BOOKING, &FOUR).await;
    assert_eq!(booked.goes_to(), BOOKING, "{}", booked.body);
    let nurse = clinic.signed_in("nurse");
    (clinic, nurse)
}

/// Gives a link and reads its path from the page; empty where none is open.
async fn given(nurse: &Browser) -> String {
    given_at(nurse, GIVE).await
}

async fn given_at(nurse: &Browser, path: &str) -> String {
    assert_eq!(nurse.post(path, &[]).await.goes_to(), path);
    shown_at(nurse, path).await
}

async fn shown(nurse: &Browser) -> String {
    shown_at(nurse, GIVE).await
}

async fn shown_at(nurse: &Browser, path: &str) -> String {
    let page = nurse.get(path).await.body;
    let Some(address) = page.split("id=\"page-link\" value=\"").nth(1) else { return String::new() };
    let address = address.split('"').next().expect("a value");
    address[address.find("/mine/").expect("a path")..].to_owned()
}

fn kinds(clinic: &Clinic) -> Vec<String> {
    clinic.kinds("patient_page/p-1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_opens_the_page_with_the_day_of_birth_and_sees_what_comes_and_whom_to_call() {
    let (clinic, nurse) = clinic().await;
    assert!(nurse.get(GIVE).await.body.contains("No link opens the page"));
    nurse.post("/patients/p-1/care/goal", &[("words", "Walk the dog <again>")]).await;
    let asked = nurse.post("/patients/p-1/scores/link", &[("scale", "gad7")]).await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER);
    let scored = [("scale", "phq9"), ("total_alone", "1"), ("total", "14"), ("form", "paper of today")];
    let entered = nurse.post("/patients/p-1/scores/enter?scale=phq9", &scored).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    let link = given(&nurse).await;
    assert!(nurse.get(GIVE).await.body.contains("It was not opened yet."));

    let phone = clinic.browser();
    let door = phone.get(&link).await.body;
    assert!(door.contains("Is it you?") && door.contains("href=\"tel:+13035550100\""), "{door}");
    assert!(!door.contains("Rivera") && !door.contains("Ana") && !door.contains("1984"), "{door}");
    let page = phone.post(&link, &BORN).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    for words in [
        "Hello Ana",
        "Tuesday, 1 December 2026 at 09:30: your infusion.",
        "with your escort",
        "Friday, 11 December 2026 at 09:30",
        "You have had none here yet",
        "Last: 14 of 27",
        "Walk the dog &#60;again&#62;",
        "/answer/",
        "/what-to-expect/depression",
        "Do not drive until the next day",
        "Never stop or change a medicine",
        "Call the clinic, +1 (303) 555-0100",
        "Call 988",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for word in ["Rivera", "004217", "class=\"rail\"", "prescriber", "mg/kg"] {
        assert!(!page.body.contains(word), "{word}: {}", page.body);
    }
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(kinds(&clinic), ["page_given", "page_opened"]);
    assert!(nurse.get(GIVE).await.body.contains("It was opened last at 22-Nov 09:00"));
    let waits = page.body.split("href=\"/answer/").nth(1).and_then(|rest| rest.split('"').next());
    let question = phone.get(&format!("/answer/{}", waits.expect("a link"))).await;
    assert_eq!(question.status, StatusCode::SEE_OTHER, "the form that waits opens");
}

/// Who sits in a chair sees what is measured of them, how old it is, and who is there; nobody else does.
#[tokio::test(flavor = "multi_thread")]
async fn who_sits_in_a_chair_sees_what_is_measured_and_who_is_there() {
    let visit = Visit::planned().await;
    let link = given_at(&visit.nurse(), &format!("/patients/{}/page", visit.patient())).await;
    let phone = visit.clinic.browser();
    let now = async || {
        let page = phone.post(&link, &BORN).await.body;
        let part = page.split("id=\"here-title\"").nth(1).and_then(|rest| rest.split("</section>").next());
        part.map(str::to_owned)
    };
    assert_eq!(now().await, None, "nobody sits there");
    visit.clinic.minutes_pass(7);
    visit.checked_in().await;
    let came = now().await.expect("in the chair");
    assert!(
        came.contains("You are in chair 3 since 09:07.") && came.contains("Nothing of you was measured"),
        "{came}"
    );
    visit.gates().await;
    visit.clinic.minutes_pass(4);
    visit.take("observe", &[("what", "vitals"), ("hr", "74"), ("spo2", "98")]).await;
    visit.clinic.minutes_pass(2);
    let measured = now().await.expect("in the chair");
    for words in [
        "your heart rate, the oxygen in your blood: 2 min ago; your blood pressure,",
        "6 min ago",
        "nurse looked after you last, at 09:11.",
    ] {
        assert!(measured.contains(words), "{words}: {measured}");
    }
    visit.started().await;
    visit.gone_home().await;
    assert_eq!(now().await, None, "gone home");
}

/// Hazard 92: who finds the link on a phone or in a mail has five guesses, however they are sent.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_know_the_day_of_birth_sees_nothing_and_ends_the_link() {
    let (clinic, nurse) = clinic().await;
    let (link, phone) = (given(&nurse).await, clinic.browser());
    let unread = phone.post(&link, &[("born", "12.3.84")]).await;
    assert_eq!(unread.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(unread.body.contains("open-born-error") && unread.body.contains("1984-03-12"), "the example");
    assert_eq!(kinds(&clinic), ["page_given"], "nothing half-written");
    for left in [4, 3, 2, 1] {
        // The same form again and again counts each time.
        let missed = phone.post_again(&link, "one-form", &OTHER).await;
        assert_eq!(missed.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(missed.body.contains(&format!("try {left} more time")), "{}", missed.body);
        assert!(!missed.body.contains("December"), "{}", missed.body);
    }
    let closed = phone.post_again(&link, "one-form", &OTHER).await;
    assert!(
        closed.status == StatusCode::GONE && closed.body.contains("Too many wrong days"),
        "{}",
        closed.body
    );
    let late = phone.post(&link, &BORN).await;
    assert!(late.status == StatusCode::GONE && !late.body.contains("Hello"), "{}", late.body);
    let told = nurse.get(GIVE).await.body;
    assert!(told.contains("ended after 5 wrong days of birth") && !told.contains("/mine/"), "{told}");
    let again = given(&nurse).await;
    assert_eq!(phone.post(&again, &BORN).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_link_opens_at_a_time_for_its_time_and_only_staff_who_see_scores_give_it() {
    let (clinic, nurse) = clinic().await;
    let (phone, first) = (clinic.browser(), given(&nurse).await);
    let second = given(&nurse).await;
    assert_eq!(phone.get(&first).await.status, StatusCode::GONE, "replaced");
    assert_eq!(phone.get(&second).await.status, StatusCode::OK);
    let touched = format!("{}{}", &second[..second.len() - 1], if second.ends_with('0') { '1' } else { '0' });
    assert_eq!(phone.get(&touched).await.status, StatusCode::NOT_FOUND);
    let desk = clinic.signed_in("front.desk");
    for answer in [desk.get(GIVE).await, desk.post(GIVE, &[]).await] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(nurse.post(&format!("{GIVE}/back"), &[]).await.goes_to(), GIVE);
    assert_eq!(
        (phone.post(&second, &BORN).await.status, shown(&nurse).await),
        (StatusCode::GONE, String::new())
    );
    let again = nurse.post(&format!("{GIVE}/back"), &[]).await;
    assert!(again.status.is_client_error() && again.body.contains("has no link"), "{}", again.body);
    let third = given(&clinic.signed_in("prescriber")).await;
    clinic.minutes_pass(90 * 24 * 60);
    let over = phone.post(&third, &BORN).await;
    assert!(over.status == StatusCode::GONE && over.body.contains("that time is over"), "{}", over.body);
}

/// The patient sees the same gaps as staff: what was due and not answered is never drawn over.
#[tokio::test(flavor = "multi_thread")]
async fn the_scores_of_a_patient_show_what_was_not_answered_as_staff_see_it() {
    let visit = Visit::planned().await;
    let scores = format!("/patients/{}/scores", visit.patient());
    let enter = async |total| {
        let scored = [("scale", "phq9"), ("total_alone", "1"), ("total", total), ("form", "paper of today")];
        let nurse = visit.clinic.signed_in("nurse");
        let entered = nurse.post(&format!("{scores}/enter?scale=phq9"), &scored).await;
        assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    };
    enter("20").await;
    visit.clinic.minutes_pass(7);
    visit.checked_in().await;
    visit.gates().await;
    visit.started().await;
    visit.gone_home().await;
    visit.clinic.minutes_pass(40 * 24 * 60);
    enter("9").await;
    let nurse = visit.clinic.signed_in("nurse");
    let link = given_at(&nurse, &format!("/patients/{}/page", visit.patient())).await;
    let mine = visit.clinic.browser().post(&link, &BORN).await.body;
    let drawn = mine.split("1 infusions, ").nth(1).and_then(|rest| rest.split(" answered").next());
    let words = drawn.expect("a picture");
    assert!(words.contains(" mg in all; 2 due and not"), "{words}");
    assert_eq!(mine.matches(">×</text>").count(), 2, "{mine}");
    assert!(nurse.get(&scores).await.body.contains(words), "as staff see it: {words}");
}

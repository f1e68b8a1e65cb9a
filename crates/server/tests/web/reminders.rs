//! Reminders against a real mail server on this machine, the feed of one's own visits, and the waiting list.

#[path = "../outside/smtp.rs"]
mod smtp;

use crate::course::{BOOKING, COURSE, FOUR, plan, planned, refused};
use crate::support::Clinic;
use axum::http::StatusCode;
use jiff::tz::TimeZone;
use server::config::Config;
use server::mail::{Post, Settings, round};
use smtp::{MailServer, Manner};

fn settings(server: &MailServer) -> Settings {
    let text = format!(
        "server = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nfrom = \"River Clinic <desk@example.org>\"",
        server.at.port()
    );
    toml::from_str(&text).expect("settings")
}

/// Ana with four visits, the first on 1 December at 09:30, and a mail server.
async fn booked(server: &MailServer) -> (Clinic, Post) {
    let mail = settings(server);
    let post = Post::open(&mail, TimeZone::UTC).expect("settings");
    let clinic = Clinic::open().set(|config: &mut Config| config.mail = Some(mail));
    let _by = planned(&clinic).await;
    let booked = clinic.signed_in("front.desk").post(BOOKING, &FOUR).await;
    assert_eq!(booked.goes_to(), BOOKING, "{}", booked.body);
    (clinic, post)
}

/// Ana agrees to be reminded.
async fn agree(clinic: &Clinic) {
    let fields = [("wants", "yes"), ("email", "ana@example.org")];
    let agreed = clinic.signed_in("front.desk").post("/patients/p-1/reminders", &fields).await;
    assert_eq!(agreed.goes_to(), BOOKING, "{}", agreed.body);
}

/// From 22 November 09:00 to 47 h before the first visit.
const TO_29_NOVEMBER_MIN: u64 = (7 * 24 + 1) * 60 + 30;

async fn reminder(clinic: &Clinic) -> String {
    clinic.signed_in("front.desk").get("/calendar?day=2026-12-01").await.body
}

/// Hazard 170: nobody is reminded of a time that a newer plan does not leave.
#[tokio::test(flavor = "multi_thread")]
async fn a_visit_that_must_be_moved_is_not_reminded_at_its_old_time() {
    let server = MailServer::open(Manner::Takes);
    let (clinic, post) = booked(&server).await;
    agree(&clinic).await;
    let longer = plan("1", &[("infusions", "4"), ("minutes", "600"), ("reason", "for the test")]);
    let signed = clinic.signed_in("prescriber").post(COURSE, &longer).await;
    assert_eq!(signed.goes_to(), COURSE, "{}", signed.body);
    assert!(clinic.signed_in("front.desk").get(BOOKING).await.body.contains("must be moved: "));
    clinic.minutes_pass(TO_29_NOVEMBER_MIN);
    round(&clinic.app, &post);
    assert_eq!(server.taken(), Vec::<String>::new());
}

/// Hazard 74: a reminder says a first name and a time. It goes once, to who agreed, two days before.
#[tokio::test(flavor = "multi_thread")]
async fn a_reminder_goes_once_to_who_agreed_and_says_no_word_of_the_treatment() {
    let server = MailServer::open(Manner::Takes);
    let (clinic, post) = booked(&server).await;
    round(&clinic.app, &post);
    clinic.minutes_pass(TO_29_NOVEMBER_MIN);
    round(&clinic.app, &post);
    assert_eq!(server.taken(), Vec::<String>::new(), "nobody asked her");
    assert!(reminder(&clinic).await.contains("nobody asked the patient"));
    let desk = clinic.signed_in("front.desk");
    let wrong = desk.post("/patients/p-1/reminders", &[("wants", "yes"), ("email", "ana@home")]).await;
    refused(&wrong, "“ana@home” cannot be used");
    assert!(wrong.body.contains("id=\"reminders-email-error\"") && wrong.body.contains("value=\"ana@home\""));
    assert_eq!(clinic.log("reminders/p-1"), [], "nothing half-written");
    agree(&clinic).await;
    for _ in 0..3 {
        round(&clinic.app, &post);
        clinic.minutes_pass(7);
    }
    let [mail] = &server.taken()[..] else { panic!("one mail") };
    for words in ["RCPT TO:<ana@example.org>", "Hello Ana", "Tuesday, 01-Dec-2026, at 09:30", "River Clinic"]
    {
        assert!(mail.contains(words), "{words}: {mail}");
    }
    for word in ["rivera", "infusion", "ketamine", "chair", "p-1\n"] {
        assert!(!mail.to_lowercase().contains(word), "{word}: {mail}");
    }
    assert!(reminder(&clinic).await.contains("sent 29-Nov 10:30"), "{}", reminder(&clinic).await);
    assert_eq!(clinic.kinds("reminders/p-1"), ["reminders_agreed", "sending_began", "reminder_sent"]);
    assert!(!clinic.signed_in("therapist").get("/calendar?day=2026-12-01").await.body.contains("sent 29"));
}

/// A server that has no time is asked again, a bounded number of times; then staff are told to call.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_told_tried_again_and_given_up_in_sight() {
    let server = MailServer::open(Manner::Busy);
    let (clinic, post) = booked(&server).await;
    agree(&clinic).await;
    clinic.minutes_pass(TO_29_NOVEMBER_MIN);
    round(&clinic.app, &post);
    let page = reminder(&clinic).await;
    assert!(page.contains("failed, tried again") && page.contains("450"), "{page}");
    server.now(Manner::Takes);
    round(&clinic.app, &post);
    assert_eq!(server.taken(), Vec::<String>::new(), "not at once");
    server.now(Manner::Busy);
    for _ in 0..40 {
        clinic.minutes_pass(30);
        round(&clinic.app, &post);
    }
    let page = reminder(&clinic).await;
    assert!(page.contains("NOT SENT, call the patient"), "{page}");
    let began = clinic.kinds("reminders/p-1").into_iter().filter(|kind| kind == "sending_began").count();
    assert_eq!(began, clinic::course::reminder::TRIES_MAX as usize);
    server.now(Manner::Takes);
    clinic.minutes_pass(600);
    round(&clinic.app, &post);
    assert_eq!(server.taken(), Vec::<String>::new(), "given up");
}

/// Hazard 73: where the line breaks after the mail, the server may have it: nobody is reminded twice.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_arrived_is_never_sent_again_and_staff_are_told_to_call() {
    let server = MailServer::open(Manner::Breaks(0));
    let (clinic, post) = booked(&server).await;
    agree(&clinic).await;
    clinic.minutes_pass(TO_29_NOVEMBER_MIN);
    round(&clinic.app, &post);
    assert!(server.next().contains("ana@example.org"));
    server.now(Manner::Takes);
    for _ in 0..20 {
        clinic.minutes_pass(30);
        round(&clinic.app, &post);
    }
    assert_eq!(server.taken(), Vec::<String>::new());
    assert!(reminder(&clinic).await.contains("not known whether it was sent 29-Nov 10:30, call the patient"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_names_no_patient_and_only_its_own_address_gives_it() {
    let server = MailServer::open(Manner::Takes);
    let (clinic, _post) = booked(&server).await;
    let nurse = clinic.signed_in("nurse");
    let page = nurse.get("/calendar").await.body;
    let from = page.find("/feed/").expect("an address");
    let path = page[from..].split('"').next().expect("an address").to_owned();
    assert_eq!(nurse.get("/calendar").await.body.matches(&path).count(), 1, "the same tomorrow morning");
    let feed = clinic.browser().get(&path).await;
    assert_eq!((feed.status, feed.header("content-type")), (StatusCode::OK, "text/calendar; charset=utf-8"));
    assert_eq!(feed.body.matches("SUMMARY:Infusion\r\n").count(), 4, "{}", feed.body);
    assert!(feed.body.contains("DTSTART:20261201T093000Z\r\n") && feed.body.contains("LOCATION:Chair 2\r\n"));
    for word in ["Rivera", "RIVERA", "Ana", "p-1", "004217"] {
        assert!(!feed.body.contains(word), "{word}: {}", feed.body);
    }
    for other in [path.replace("nurse", "prescriber"), format!("{path}0"), "/feed/x".to_owned()] {
        assert_eq!(clinic.browser().get(&other).await.status, StatusCode::NOT_FOUND, "{other}");
    }
    let desk = clinic.signed_in("front.desk").get("/calendar").await.body;
    assert!(!desk.contains("/feed/"), "who has no visits has no feed");
    clinic.minutes_pass(60 * 24 * 367);
    assert_eq!(clinic.browser().get(&path).await.status, StatusCode::NOT_FOUND, "it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_waits_and_is_taken_off_for_a_reason_and_a_free_place_is_told() {
    let server = MailServer::open(Manner::Takes);
    let (clinic, _post) = booked(&server).await;
    let desk = clinic.signed_in("front.desk");
    let wait = "/patients/p-1/wait";
    assert_eq!(desk.post(wait, &[("wish", "mornings")]).await.goes_to(), BOOKING);
    refused(&desk.post(wait, &[("wish", "mornings")]).await, "waits already");
    let list = desk.get("/waitlist").await.body;
    assert!(list.contains("RIVERA, Ana") && list.contains("mornings"), "{list}");
    assert!(list.contains("No place became free"), "{list}");
    assert_eq!(desk.post(&format!("{BOOKING}/cancel"), &[]).await.goes_to(), BOOKING);
    let list = desk.get("/waitlist").await.body;
    assert!(
        list.contains("Tuesday 2026-12-01 09:30 to") && list.contains("boosters follow an induction"),
        "{list}"
    );
    refused(&desk.post(&format!("{wait}/end"), &[("reason", "")]).await, "The reason is missing");
    assert_eq!(desk.post(&format!("{wait}/end"), &[("reason", "moved away")]).await.goes_to(), BOOKING);
    assert!(desk.get("/waitlist").await.body.contains("Nobody waits"));
    assert_eq!(clinic.signed_in("therapist").get("/waitlist").await.status, StatusCode::FORBIDDEN);
}

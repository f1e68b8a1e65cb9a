//! Sign-in, locks, forms and signatures, against a real log.

use crate::support::{Answer, Browser, Clinic, PASSWORD, PIN, open_log, somebody};
use axum::http::StatusCode;
use axum::routing::on;
use clinic::id::StaffId;
use clinic::staff::Role;
use server::auth::accounts::{Error as AccountError, Refusal as AccountRefusal};
use server::auth::privilege::Privilege;
use server::auth::staff::StaffEvent;
use server::auth::{Error, Refusal, ToSign};
use server::founding::Purpose;
use server::pages::{Access, Route, Verb};
use std::time::Duration;

/// Pages like those of the infusion room, with each kind of access.
static ROOM: [Route; 6] = {
    const fn route(path: &'static str, verb: Verb, access: Access) -> Route {
        Route { path, verb, access, nav: None, handler: |verb| on(verb, acted) }
    }
    [
        route("/board", Verb::Get, Access::Needs(Privilege::WatchRoom)),
        route("/record/{id}", Verb::Get, Access::Needs(Privilege::OpenRecord)),
        route("/chair/{n}/chart", Verb::Post, Access::Needs(Privilege::Chart)),
        route("/live", Verb::Get, Access::Background(Privilege::WatchRoom)),
        route("/live/painted", Verb::Post, Access::Background(Privilege::WatchRoom)),
        Route {
            path: "/sign-in",
            verb: Verb::Post,
            access: Access::Public,
            nav: None,
            handler: |verb| on(verb, server::pages::sign_in::sign_in),
        },
    ]
};

async fn acted(visit: server::auth::gate::Visit, posted: server::auth::gate::Posted) -> String {
    let locked = visit.person.as_ref().is_some_and(|person| person.locked);
    format!("locked={locked} note={}", posted.text("note"))
}

async fn sign_in(clinic: &Clinic, user: &str, password: &str) -> (Answer, Browser) {
    let answer = clinic.browser().post("/sign-in", &[("user", user), ("password", password)]).await;
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or("").to_owned();
    let mut browser = Browser { cookie, ..clinic.browser() };
    if let Some(token) = browser.cookie.strip_prefix("chairside=").filter(|token| !token.is_empty()) {
        browser.csrf = clinic.app.auth.admit(token, true).expect("log").expect("login").csrf;
    }
    (answer, browser)
}

fn ask<'a>(user: &'a str, pin: &'a str, needs: Privilege) -> ToSign<'a> {
    ToSign { user, pin, meaning: "I checked drug, strength, dose and rate", needs, from: "192.0.2.1" }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_signs_in_works_and_signs_out() {
    let clinic = Clinic::open();
    let (answer, browser) = sign_in(&clinic, " Nurse ", PASSWORD).await;
    assert_eq!((answer.status, answer.goes_to()), (StatusCode::SEE_OTHER, "/board"));
    let cookie = answer.header("set-cookie");
    assert!(cookie.contains("; HttpOnly; SameSite=Strict") && cookie.contains("; Path=/"), "{cookie}");
    assert!(browser.get("/account").await.body.contains("signed in as <strong>nurse</strong>"));
    let out = browser.post("/sign-out", &[]).await;
    assert_eq!(out.goes_to(), "/sign-in?notice=out");
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    assert!(
        browser.get("/account").await.goes_to().starts_with("/sign-in"),
        "the token is worth nothing now"
    );
    assert_eq!(clinic.kinds("audit"), ["signed_in", "signed_out"]);
    assert!(clinic.log("audit")[0].1.contains(r#""who":"nurse""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_gives_the_form_back_and_tells_nothing() {
    let clinic = Clinic::open();
    let (known, browser) = sign_in(&clinic, "nurse", "wrong password!").await;
    let (unknown, _) = sign_in(&clinic, "stranger", "wrong password!").await;
    assert_eq!(
        (known.status, unknown.status),
        (StatusCode::UNPROCESSABLE_ENTITY, StatusCode::UNPROCESSABLE_ENTITY)
    );
    for answer in [&known, &unknown] {
        assert!(answer.body.contains("The user name or the password is not right."));
        assert!(answer.body.contains("<a href=\"#user\">") && answer.body.contains("aria-invalid=\"true\""));
        assert!(!answer.body.contains("wrong password!"), "the password is not given back");
    }
    assert!(known.body.contains("value=\"nurse\"") && browser.cookie.is_empty());
    let audit = clinic.log("audit");
    assert_eq!(clinic.kinds("audit"), ["sign_in_failed", "sign_in_failed"]);
    assert!(audit[0].1.contains(r#""who":"nurse""#) && audit[1].1.contains(r#""who":null"#));
    assert!(!audit[1].1.contains("stranger"), "what was typed as a name may be a password");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_but_never_locks_the_person_out() {
    let clinic = Clinic::open();
    for _ in 0..3 {
        let (answer, _) = sign_in(&clinic, "nurse", "wrong password!").await;
        assert!(answer.body.contains("is not right"));
    }
    let (answer, _) = sign_in(&clinic, "nurse", PASSWORD).await;
    assert!(answer.body.contains("Too many tries. Wait 1 s"), "even the right one waits");
    assert_eq!(clinic.kinds("audit").len(), 3, "tries that were not read fill no log");
    clinic.clock.advance(Duration::from_secs(1));
    let (answer, _) = sign_in(&clinic, "nurse", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

/// A clinic has one address: wrong sign-ins delay nobody who is signed in, and nobody else's sign-in.
#[tokio::test(flavor = "multi_thread")]
async fn wrong_sign_ins_from_the_address_of_the_clinic_delay_nobody_else() {
    let clinic = Clinic::open();
    let nurse = clinic.app.auth.logins().open(&StaffId::new("nurse"), |_| ());
    let nurse = clinic.app.auth.admit(&nurse, true).expect("log").expect("signed in");
    for n in 0..30 {
        let (answer, _) = sign_in(&clinic, &format!("nobody{n}"), "wrong password!").await;
        assert!(answer.body.contains("is not right"), "{n}: {}", answer.body);
    }
    clinic.app.auth.unlock(&nurse, PIN, "here").expect("unlocked at once");
    clinic.app.auth.sign(ask("prescriber", PIN, Privilege::SignOrder)).expect("signed at once");
    let (answer, _) = sign_in(&clinic, "prescriber", PASSWORD).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_controls_lock_and_the_live_room_stays_in_view() {
    let clinic = Clinic::with(&ROOM);
    let nurse = clinic.signed_in("nurse");
    clinic.minutes_pass(4);
    assert_eq!(nurse.get("/record/7").await.status, StatusCode::OK);
    for _ in 0..5 {
        clinic.minutes_pass(1);
        assert_eq!(nurse.get("/live").await.status, StatusCode::OK);
        let painted = nurse.post("/live/painted", &[]).await;
        assert_eq!(painted.status, StatusCode::OK, "a page that refreshes itself is no hand on it");
    }
    assert_eq!(nurse.get("/board").await.body, "locked=true note=");
    assert_eq!(nurse.get("/record/7").await.goes_to(), "/unlock?next=%2Frecord%2F7");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_act_asks_for_the_pin_and_then_goes_on() {
    let clinic = Clinic::with(&ROOM);
    let nurse = clinic.signed_in("nurse");
    clinic.minutes_pass(6);
    let held =
        nurse.post_again("/chair/3/chart", "a-command", &[("note", "calm"), ("witness_pin", "999111")]).await;
    assert_eq!(held.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(held.body.contains("action=\"/chair/3/chart\"") && held.body.contains("value=\"calm\""));
    assert!(held.body.contains("name=\"command_id\" value=\"a-command\""), "the same act, not a second one");
    assert!(!held.body.contains("999111"), "typed secrets do not come back in a page");
    let wrong = nurse.post("/chair/3/chart", &[("note", "calm"), ("unlock_pin", "000001")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = nurse.post("/chair/3/chart", &[("note", "calm"), ("unlock_pin", PIN)]).await;
    assert_eq!((done.status, done.body.as_str()), (StatusCode::OK, "locked=false note=calm"));
    let next = nurse.post("/chair/3/chart", &[("note", "smiles")]).await;
    assert_eq!(next.body, "locked=false note=smiles");
    assert_eq!(clinic.kinds("audit"), ["unlock_failed", "unlocked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_ends_after_twelve_hours_however_busy() {
    let clinic = Clinic::with(&ROOM);
    let nurse = clinic.signed_in("nurse");
    for _ in 0..(12 * 60 / 4 - 1) {
        clinic.minutes_pass(4);
        assert_eq!(nurse.get("/board").await.body, "locked=false note=");
    }
    clinic.minutes_pass(4);
    assert!(nurse.get("/board").await.goes_to().starts_with("/sign-in"));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_view_of_a_record_and_each_refused_access_is_in_the_audit() {
    let clinic = Clinic::with(&ROOM);
    assert_eq!(clinic.signed_in("nurse").get("/record/7?print=1").await.status, StatusCode::OK);
    assert_eq!(clinic.signed_in("owner").get("/record/7").await.status, StatusCode::FORBIDDEN);
    assert_eq!(clinic.signed_in("nurse").get("/board").await.status, StatusCode::OK);
    let audit = clinic.log("audit");
    assert_eq!(clinic.kinds("audit"), ["record_viewed", "access_refused"]);
    let viewed = &audit[0].1;
    assert!(
        viewed.contains(r#""who":"nurse""#) && viewed.contains(r#""what":"/record/7?print=1""#),
        "{viewed}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_not_ours_never_reaches_a_handler() {
    let clinic = Clinic::with(&ROOM);
    let (nurse, other) = (clinic.signed_in("nurse"), clinic.signed_in("nurse"));
    let own = ("sec-fetch-site", "same-origin");
    let (csrf, id) = (("csrf", nurse.csrf.as_str()), ("command_id", "c-1"));
    let before = clinic.head();
    let (forbidden, unusable) = (StatusCode::FORBIDDEN, StatusCode::UNPROCESSABLE_ENTITY);
    let refused = [
        ("no token", vec![id], vec![own], forbidden),
        ("another login's token", vec![("csrf", other.csrf.as_str()), id], vec![own], forbidden),
        ("another site", vec![csrf, id], vec![("sec-fetch-site", "cross-site")], forbidden),
        ("another host of the site", vec![csrf, id], vec![("sec-fetch-site", "same-site")], forbidden),
        ("another origin", vec![csrf, id], vec![("origin", "https://evil.test")], forbidden),
        ("no origin told", vec![csrf, id], vec![], forbidden),
        ("no command id", vec![csrf], vec![own], unusable),
        ("a command id that is none", vec![csrf, ("command_id", "a b")], vec![own], unusable),
    ];
    for (why, fields, headers, status) in refused {
        let answer = nurse.post_raw("/chair/3/chart", &fields, &headers).await;
        assert_eq!(answer.status, status, "{why}");
        assert!(!answer.body.starts_with("locked="), "{why} reached the handler");
    }
    assert_eq!(clinic.head(), before, "not one event");
    let origin = nurse.post_raw("/chair/3/chart", &[csrf, id], &[("origin", "https://clinic.test")]).await;
    assert_eq!(
        origin.status,
        StatusCode::OK,
        "our own origin is enough where the browser sends no Sec-Fetch-Site"
    );
    let long = "x".repeat(server::auth::gate::FORM_BYTES_MAX);
    let answer = nurse.post("/chair/3/chart", &[("note", &long)]).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signature_is_a_persons_own_pin_and_the_right_role() {
    let clinic = Clinic::open();
    let auth = &clinic.app.auth;
    let signed = auth.sign(ask("Nurse", PIN, Privilege::SecondCheck)).expect("signature");
    assert_eq!((signed.by.as_str(), signed.role), ("nurse", Role::Nurse));
    assert_eq!(
        (signed.at, signed.meaning.as_str()),
        (clinic.clock.now(), "I checked drug, strength, dose and rate")
    );
    let refused = |ask| {
        clinic.minutes_pass(5);
        match auth.sign(ask) {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        }
    };
    assert!(matches!(refused(ask("nurse", PIN, Privilege::SignOrder)), Refusal::Role { .. }));
    assert_eq!(refused(ask("nurse", "111222", Privilege::SecondCheck)), Refusal::NotSigned);
    assert_eq!(refused(ask("nurse", PASSWORD, Privilege::SecondCheck)), Refusal::NotSigned);
    assert_eq!(refused(ask("", "", Privilege::SecondCheck)), Refusal::NotSigned);
    assert_eq!(refused(ask("stranger", PIN, Privilege::SecondCheck)), Refusal::NotSigned);
    let owner = StaffId::new("owner");
    auth.accounts()
        .change(&StaffId::new("therapist"), StaffEvent::StaffDisabled, &owner, "gone")
        .expect("disable");
    assert_eq!(refused(ask("therapist", PIN, Privilege::StopInfusion)), Refusal::NotSigned);
    let kinds = clinic.kinds("audit");
    assert_eq!(kinds.iter().filter(|kind| *kind == "signed").count(), 1);
    assert_eq!(kinds.iter().filter(|kind| *kind == "signature_refused").count(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_a_pin_is_slowed_down_over_all_pages() {
    let clinic = Clinic::open();
    for guess in ["100001", "100002", "100003"] {
        assert!(clinic.app.auth.sign(ask("prescriber", guess, Privilege::SignOrder)).is_err());
    }
    let fourth = clinic.app.auth.sign(ask("prescriber", PIN, Privilege::SignOrder));
    assert!(matches!(fourth, Err(Error::Refused(Refusal::Wait { wait_s: 1 }))));
    clinic.clock.advance(Duration::from_secs(1));
    assert!(clinic.app.auth.sign(ask("prescriber", PIN, Privilege::SignOrder)).is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_ends_every_login_and_a_disabled_person_is_out_at_once() {
    let clinic = Clinic::open();
    let (tablet, desk) = (clinic.signed_in("nurse"), clinic.signed_in("nurse"));
    clinic.minutes_pass(1);
    let new = "other words entirely";
    let wrong =
        [("act", "password"), ("password", "not it at all"), ("new_password", new), ("repeat_password", new)];
    let answer = tablet.post("/account", &wrong).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "the present password is proven first");
    let right =
        [("act", "password"), ("password", PASSWORD), ("new_password", new), ("repeat_password", new)];
    assert_eq!(tablet.post("/account", &right).await.goes_to(), "/sign-in?notice=changed");
    for browser in [&tablet, &desk] {
        assert!(browser.get("/account").await.goes_to().starts_with("/sign-in"));
    }
    let (answer, nurse) = sign_in(&clinic, "nurse", new).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let owner = clinic.signed_in("owner");
    assert_eq!(owner.post("/staff/nurse", &[("act", "disable")]).await.goes_to(), "/staff");
    assert!(nurse.get("/account").await.goes_to().starts_with("/sign-in"));
    assert_eq!(sign_in(&clinic, "nurse", new).await.0.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_adds_a_person_once_and_bad_input_writes_nothing() {
    let clinic = Clinic::open();
    let owner = clinic.signed_in("owner");
    let form = [("user", "kim"), ("name", "Kim Osei, RN"), ("role", "nurse"), ("role", "therapist")];
    let with = |password, pin| [&form[..], &[("password", password), ("pin", pin)]].concat();
    let before = clinic.head();
    for (password, pin, why) in [
        ("short", PIN, "has 5 characters. It needs at least 12"),
        ("kim's long password", PIN, "must not contain the user name"),
        (PASSWORD, "123456", "must not be one digit repeated or digits in a row"),
    ] {
        let answer = owner.post("/staff", &with(password, pin)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(why), "{why}");
        assert!(answer.body.contains("value=\"Kim Osei, RN\""), "what was typed stays");
    }
    let no_role = [("user", "kim"), ("name", "Kim"), ("password", PASSWORD)];
    assert!(owner.post("/staff", &no_role).await.body.contains("Choose at least one role"));
    assert_eq!(clinic.head(), before, "not one event");
    assert_eq!(owner.post_again("/staff", "add-kim", &with(PASSWORD, PIN)).await.goes_to(), "/staff");
    let after = clinic.head();
    let doubled = owner.post_again("/staff", "add-kim", &with(PASSWORD, PIN)).await;
    assert_eq!(doubled.goes_to(), "/staff", "sent twice by a double tap");
    assert_eq!(clinic.head(), after, "and added once");
    let page = owner.get("/staff").await.body;
    assert!(page.contains("kim is added and can sign in.") && page.contains("nurse, therapist"));
    let taken =
        clinic.app.auth.accounts().add(somebody("kim", &["owner"]), &StaffId::new("owner"), "another");
    assert!(matches!(taken, Err(AccountError::Refused(AccountRefusal::Taken(_)))), "{taken:?}");
    let twice = clinic.app.auth.accounts().found(somebody("second", &["owner"]), Purpose::Care, "again");
    assert!(matches!(twice, Err(AccountError::Refused(AccountRefusal::AlreadyFounded))), "{twice:?}");
    for act in [&[("act", "disable")][..], &[("act", "withdraw"), ("role", "owner")]] {
        let answer = owner.post("/staff/owner", act).await;
        assert!(answer.body.contains("You cannot shut yourself out"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_outlives_a_restart_and_no_secret_lies_in_the_folder() {
    let clinic = Clinic::open();
    let (_, browser) = sign_in(&clinic, "nurse", PASSWORD).await;
    let token = browser.cookie.strip_prefix("chairside=").expect("token");
    let restarted = open_log(clinic.folder(), &clinic.clock);
    let person = restarted.auth.admit(token, true).expect("log").expect("still signed in");
    assert_eq!(person.id().as_str(), "nurse");
    for entry in std::fs::read_dir(clinic.folder()).expect("folder") {
        let path = entry.expect("entry").path();
        let bytes = std::fs::read(&path).expect("file");
        for secret in [token, PASSWORD, PIN] {
            let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!found, "a secret lies in {}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_on_after_signing_in_stays_on_this_server() {
    let clinic = Clinic::open();
    let with = async |next| {
        let form = [("user", "nurse"), ("password", PASSWORD), ("next", next)];
        clinic.browser().post("/sign-in", &form).await.goes_to().to_owned()
    };
    assert_eq!(with("/about?x=1").await, "/about?x=1");
    assert_eq!(with("//evil.test/").await, "/board");
    assert_eq!(with("https://evil.test/").await, "/board");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_theme_is_kept_for_the_device_without_a_sign_in() {
    let clinic = Clinic::open();
    let answer = clinic.browser().post("/theme", &[("theme", "dim"), ("back", "/about")]).await;
    assert_eq!(answer.goes_to(), "/about");
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or("").to_owned();
    let browser = Browser { cookie, ..clinic.browser() };
    assert!(browser.get("/about").await.body.contains("<html lang=\"en\" data-theme=\"dim\">"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_the_sound_is_in_the_log_with_who_when_and_which_display() {
    let clinic = Clinic::open();
    let nurse = clinic.signed_in("nurse");
    let display = "01a2022c-76bc-779b-b72c-aadcf23a9035";
    for (display, heard, status) in [
        (display, "yes", StatusCode::NO_CONTENT),
        (display, "no", StatusCode::NO_CONTENT),
        ("Mrs. Rivera", "yes", StatusCode::UNPROCESSABLE_ENTITY),
        (display, "", StatusCode::UNPROCESSABLE_ENTITY),
    ] {
        let answer = nurse.post("/live/sound-test", &[("display", display), ("heard", heard)]).await;
        assert_eq!(answer.status, status, "{display} {heard}");
    }
    assert_eq!(clinic.kinds("audit"), ["sound_tested", "sound_tested"]);
    for ((_, line), heard) in clinic.log("audit").iter().zip(["heard", "NOT heard"]) {
        assert!(
            line.contains(r#""who":"nurse""#) && line.contains(&format!("{heard} at display {display}")),
            "{line}"
        );
    }
}

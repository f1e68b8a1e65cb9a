//! From the public page to a patient: inquiries, tasks with a clock, and who is on call.

use crate::support::{Answer, Browser, Clinic, open_log};
use axum::http::StatusCode;
use clinic::care::task::Owner;
use clinic::id::{InquiryId, StaffId, TaskId};

const ID: &str = "01a2b3";
pub const PLAIN: [(&str, &str); 7] = [
    ("crisis", "no"),
    ("name", "Ana Rivera"),
    ("phone", "+1 555 0100"),
    ("conditions", "depression"),
    ("conditions", "ptsd"),
    ("goals", "sleep again"),
    ("exclusions", "none"),
];
const IN_DANGER: [(&str, &str); 3] = [("crisis", "danger"), ("name", "Ana Rivera"), ("phone", "+1 555 0100")];

/// Sends the public form as somebody who is not signed in.
pub async fn ask(clinic: &Clinic, id: &str, fields: &[(&str, &str)]) -> Answer {
    clinic.browser().post_again("/inquiry", id, fields).await
}

/// The public form with one field said otherwise.
fn but(field: &'static str, value: &'static str) -> Vec<(&'static str, &'static str)> {
    let said = PLAIN.into_iter().filter(|(name, _)| *name != field);
    said.chain([(field, value)]).collect()
}

async fn put_on_call(clinic: &Clinic, staff: &str, call: &str) -> Answer {
    let duty = [("staff", staff), ("call", call), ("from", "2026-11-22T08:00"), ("to", "2026-11-23T08:00")];
    clinic.signed_in("owner").post("/roster", &duty).await
}

/// What the public page says of an inquiry.
async fn told(clinic: &Clinic, id: &str) -> String {
    let page = clinic.browser().get(&format!("/inquiry/{id}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.body
}

fn numbers_first(page: &str) {
    let call = page.find("tel:988").expect("the crisis line can be dialled");
    assert!(page.contains("tel:911") && page.contains("sms:988"));
    assert!(page.find("<form class=\"card").is_none_or(|form| call < form), "before the form");
}

fn owner(clinic: &Clinic, id: &str) -> Owner {
    clinic.app.floor.task(&TaskId::new(id)).expect("log").expect("a task").owner
}

fn person(staff: &str) -> Owner {
    Owner::Person(StaffId::new(staff))
}

async fn see_to(by: &Browser, id: &str, act: &str, fields: &[(&str, &str)]) -> Answer {
    by.post(&format!("/tasks/{id}/{act}"), fields).await
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_is_sorted_by_the_front_desk_and_becomes_a_patient() {
    let clinic = Clinic::open();
    let sent = ask(&clinic, ID, &PLAIN).await;
    assert_eq!((sent.status, sent.goes_to()), (StatusCode::SEE_OTHER, "/inquiry/01a2b3"));
    assert_eq!(ask(&clinic, ID, &PLAIN).await.goes_to(), "/inquiry/01a2b3", "sent twice, counted once");
    assert_eq!(clinic.kinds("inquiry/01a2b3"), ["inquiry_received"]);
    let other = ask(&clinic, ID, &but("goals", "run again")).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "the same form with other words");
    assert!(told(&clinic, ID).await.contains("Nobody has read it yet"));

    let desk = clinic.signed_in("front.desk");
    for (query, found) in [("", true), ("?q=rivera", true), ("?q=555+01", true), ("?q=nobody", false)] {
        let list = desk.get(&format!("/inquiries{query}")).await.body;
        assert_eq!(list.contains("/inquiries/01a2b3"), found, "{query}");
    }
    let early = desk.post("/inquiries/01a2b3/register", &person_fields()).await;
    assert!(early.status == StatusCode::UNPROCESSABLE_ENTITY && early.body.contains("consultation first"));
    let on = [("to", "consultation"), ("reason", "spoke by phone, Tuesday 10:00")];
    assert_eq!(desk.post("/inquiries/01a2b3/triage", &on).await.status, StatusCode::SEE_OTHER);
    for (stage, found) in [("received", false), ("consultation", true)] {
        let list = desk.get(&format!("/inquiries?stage={stage}&q=rivera")).await.body;
        assert_eq!(list.contains("/inquiries/01a2b3"), found, "{stage}");
    }
    for _ in 0..2 {
        let joined = desk.post_again("/inquiries/01a2b3/register", "p-1", &person_fields()).await;
        assert_eq!(joined.goes_to(), "/inquiries/01a2b3", "{}", joined.body);
    }
    assert_eq!(clinic.kinds("inquiry/01a2b3"), ["inquiry_received", "inquiry_triaged", "inquiry_registered"]);
    assert!(desk.get("/inquiries/01a2b3").await.body.contains("/patients/p-1"));
    assert!(desk.get("/patients/p-1").await.body.contains("/inquiries/01a2b3"));
    let closed = desk.post("/inquiries/01a2b3/close", &[("reason", "moved away")]).await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER);
}

pub fn person_fields() -> [(&'static str, &'static str); 6] {
    [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", "004217"),
        ("sex", "f"),
        ("allergies", "none"),
    ]
}

/// Hazard 36: a crisis answer is met at once, and the truth is told about who sees it and when.
#[tokio::test(flavor = "multi_thread")]
async fn a_crisis_answer_is_told_the_truth_about_who_sees_it_and_when() {
    let clinic = Clinic::open();
    assert_eq!(ask(&clinic, ID, &IN_DANGER).await.status, StatusCode::SEE_OTHER);
    let page = told(&clinic, ID).await;
    numbers_first(&page);
    assert!(page.contains("Nobody is on call here now") && page.contains("Do not wait for us"), "{page}");
    assert!(!page.contains("Ana") && !page.contains("0100"), "nothing of the person stands on a public page");

    assert_eq!(put_on_call(&clinic, "nurse", "first").await.status, StatusCode::SEE_OTHER);
    clinic.app.floor.keep();
    assert_eq!(owner(&clinic, ID), person("nurse"), "whoever comes on call has it at once");
    let page = told(&clinic, ID).await;
    assert!(
        page.contains("Nobody here has read your message yet") && page.contains("nurse (nurse)"),
        "{page}"
    );
    assert!(page.contains("by 22-Nov 09:10, in 10 min"), "{page}");

    let nurse = clinic.signed_in("nurse");
    assert_eq!(see_to(&nurse, ID, "take", &[]).await.goes_to(), "/tasks");
    assert!(told(&clinic, ID).await.contains("took your message at 22-Nov 09:00"));
    let ended = [("outcome", "seen_to"), ("words", "spoke with her, her sister is there")];
    assert_eq!(see_to(&nurse, ID, "finish", &ended).await.goes_to(), "/tasks");
    let page = told(&clinic, ID).await;
    assert!(page.contains("saw to your message") && page.contains("tel:988"));
    assert!(nurse.get("/tasks").await.body.contains("Crisis answer: in danger now: spoken with"));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_in_danger_who_leaves_no_contact_is_taken_and_told_so() {
    let clinic = Clinic::open();
    let bare = [("crisis", "thoughts"), ("exclusions", "none"), ("exclusions", "heart")];
    assert_eq!(ask(&clinic, ID, &bare).await.status, StatusCode::SEE_OTHER);
    assert!(told(&clinic, ID).await.contains("nobody from here can reach you"));
    assert_eq!(clinic.kinds("task/01a2b3"), ["task_opened"]);
}

/// Hazard 36: what is refused, turned away or not recorded never hides the numbers, and never says that somebody
/// will read it.
/// Hazard 141: the task stands first, then the number is asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn a_slip_in_the_phone_number_opens_the_task_and_is_asked_for_after_it() {
    let clinic = Clinic::open();
    let slip = [("crisis", "thoughts"), ("name", "Ana Rivera"), ("phone", "12")];
    assert_eq!(ask(&clinic, ID, &slip).await.status, StatusCode::SEE_OTHER);
    assert_eq!(clinic.kinds("task/01a2b3"), ["task_opened"]);
    let page = told(&clinic, ID).await;
    assert!(page.contains("may not reach you") && page.contains("href=\"/inquiry\""), "{page}");
    let staff = clinic.signed_in("nurse").get("/inquiries/01a2b3").await.body;
    assert!(staff.contains("12 (as typed, not checked)"), "{staff}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_the_form_the_crisis_lines_stand_there() {
    let clinic = Clinic::open();
    numbers_first(&clinic.browser().get("/inquiry").await.body);
    let long = "x".repeat(300);
    let refused = [
        ([("crisis", "no"), ("name", long.as_str())], "“Your name” has 300 characters; at most 200"),
        ([("crisis", "no"), ("name", "\u{202e}anA")], "“Your name” holds the character U+202E"),
        ([("crisis", "no"), ("name", "")], "Your name is empty. Enter it."),
        ([("crisis", ""), ("name", "Ana")], "Answer this first: yes or no."),
    ];
    for (fields, words) in &refused {
        let answer = ask(&clinic, ID, fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(answer.body.contains("Nothing was recorded"), "{}", answer.body);
        assert_eq!(answer.body.matches(words).count(), 2, "on top and beside the field: {}", answer.body);
        numbers_first(&answer.body);
    }
    assert_eq!(clinic.kinds("inquiry/01a2b3"), Vec::<String>::new());
    let mut last = StatusCode::OK;
    for n in 0..11 {
        let answer = ask(&clinic, &format!("flood-{n}"), &IN_DANGER).await;
        last = answer.status;
        if last == StatusCode::TOO_MANY_REQUESTS {
            numbers_first(&answer.body);
            assert!(answer.body.contains("Nobody has received this one"));
        }
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(ask(&clinic, "flood-0", &IN_DANGER).await.status, StatusCode::SEE_OTHER, "a retry is let in");
    assert_eq!(ask(&clinic, "plain-1", &PLAIN).await.status, StatusCode::SEE_OTHER, "another door");
    clinic.minutes_pass(60);
    assert_eq!(ask(&clinic, "later", &IN_DANGER).await.status, StatusCode::SEE_OTHER);
}

/// Hazard 145: whatever else is wrong with the form, the task stands first, and the rest is asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_help_opens_its_task_whatever_else_is_refused_beside_its_field() {
    let clinic = Clinic::open();
    let (long, too_long) = ("x".repeat(300), "x".repeat(20_000));
    let wrong = [
        ("name", long.as_str()),
        ("goals", too_long.as_str()),
        ("treatments", too_long.as_str()),
        ("conditions", "<script>"),
    ];
    for (n, (field, text)) in wrong.into_iter().enumerate() {
        let phone = format!("+1 555 010{n}");
        let fields = [("crisis", "danger"), ("phone", phone.as_str()), (field, text)];
        let id = format!("call-{n}");
        let answer = ask(&clinic, &id, &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(answer.body.contains(&format!("id=\"ask-{field}-error\"")), "{field}: {}", answer.body);
        assert!(answer.body.contains("Your call for help is recorded"), "{field}");
        assert!(!answer.body.contains("Nothing was recorded"), "{field}");
        numbers_first(&answer.body);
        assert_eq!(clinic.kinds(&format!("task/{id}")), ["task_opened"], "{field}");
        assert!(clinic.signed_in("nurse").get(&format!("/inquiries/{id}")).await.body.contains(&phone));
        let mended = [("crisis", "danger"), ("phone", phone.as_str()), ("goals", "sleep again")];
        let again = ask(&clinic, &format!("mended-{n}"), &mended).await;
        assert_eq!(again.goes_to(), format!("/inquiry/{id}"), "it is added to what was kept");
        assert!(
            clinic.signed_in("nurse").get(&format!("/inquiries/{id}")).await.body.contains("sleep again")
        );
    }
    assert_eq!(clinic.app.floor.open_tasks().len(), wrong.len());
    let unseen = [("crisis", "thoughts"), ("phone", "+1 555 0109"), ("name", "An\u{202e}a")];
    assert_eq!(ask(&clinic, "unseen", &unseen).await.status, StatusCode::SEE_OTHER);
    assert_eq!(clinic.kinds("task/unseen"), ["task_opened"]);
}

/// Hazard 145: a form of any length is looked at for the call that it begins with.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_help_is_met_however_long_its_form_is() {
    let clinic = Clinic::open();
    let max = server::auth::gate::FORM_BYTES_MAX;
    let (long, longest) = ("x".repeat(max + 1), "x".repeat(20 * max));
    let many = vec![("conditions", "depression"); 600];
    let forms = [vec![("goals", long.as_str())], vec![("treatments", longest.as_str())], many];
    for (n, rest) in forms.iter().enumerate() {
        let (id, phone) = (format!("long-{n}"), format!("+1 555 020{n}"));
        let asked = [("crisis", "danger"), ("name", "Ana Rivera"), ("phone", phone.as_str())];
        let answer = ask(&clinic, &id, &[&asked[..], rest].concat()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{n}");
        assert!(answer.body.contains("Your call for help is recorded"), "{n}");
        assert!(answer.body.contains("only its beginning arrived"), "{n}");
        numbers_first(&answer.body);
        assert_eq!(clinic.kinds(&format!("task/{id}")), ["task_opened"], "{n}");
        assert!(clinic.signed_in("nurse").get(&format!("/inquiries/{id}")).await.body.contains(&phone));
        let calm = [("crisis", "no"), ("name", "Ana Rivera"), ("phone", phone.as_str())];
        let answer = ask(&clinic, &format!("calm-{n}"), &[&calm[..], rest].concat()).await;
        assert!(answer.status.is_client_error() && answer.body.contains("Nothing was recorded"), "{n}");
        assert_eq!(clinic.kinds(&format!("inquiry/calm-{n}")), Vec::<String>::new(), "{n}");
    }
}

/// Hazard 145: the same call for help from a page that was opened anew is one call; another person's is another.
#[tokio::test(flavor = "multi_thread")]
async fn the_same_call_for_help_sent_twice_has_one_task() {
    let clinic = Clinic::open();
    for id in [ID, "opened-anew", ID, "opened-anew"] {
        assert_eq!(ask(&clinic, id, &IN_DANGER).await.goes_to(), "/inquiry/01a2b3", "{id}");
    }
    assert_eq!(clinic.kinds("inquiry/01a2b3"), ["inquiry_received"]);
    assert_eq!(clinic.app.floor.open_tasks().len(), 1);
    let own = |phone, name| [("crisis", "danger"), ("name", name), ("phone", phone)];
    for (n, other) in
        [own("+1 555 0101", "Ana Rivera"), own("+1 555 0100", "Ben Okafor"), own("", "")].iter().enumerate()
    {
        let id = format!("other-{n}");
        assert_eq!(ask(&clinic, &id, other).await.goes_to(), format!("/inquiry/{id}"));
    }
    assert_eq!(
        ask(&clinic, "nameless", &own("", "")).await.goes_to(),
        "/inquiry/nameless",
        "nobody knows who it is"
    );
    assert_eq!(clinic.app.floor.open_tasks().len(), 5);
    let nurse = clinic.signed_in("nurse");
    see_to(&nurse, ID, "take", &[]).await;
    let ended = [("outcome", "seen_to"), ("words", "spoke with her, her sister is there")];
    assert_eq!(see_to(&nurse, ID, "finish", &ended).await.goes_to(), "/tasks");
    assert_eq!(
        ask(&clinic, "once-more", &IN_DANGER).await.goes_to(),
        "/inquiry/once-more",
        "who calls again is heard again"
    );
    assert_eq!(clinic.kinds("task/once-more"), ["task_opened"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_is_refused_beside_it_and_what_was_typed_stays() {
    let clinic = Clinic::open();
    for (field, value, words) in [
        ("name", "", "Your name is empty"),
        ("phone", "home", "The phone number “home” cannot be right"),
        ("phone", "", "Enter a phone number or an e-mail address"),
        ("email", "ana@", "cannot be right"),
        ("exclusions", "", "is not one of those to choose from"),
        ("crisis", "maybe", "Answer this first"),
    ] {
        let answer = ask(&clinic, ID, &but(field, value)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        assert!(answer.body.contains(words), "{field}: {}", answer.body);
        assert!(answer.body.contains(&format!("id=\"ask-{field}-error\"")), "{field}");
        assert!(answer.body.contains("sleep again"), "{field}: what was typed stays");
    }
    let both = [&PLAIN[..], &[("exclusions", "heart")]].concat();
    assert!(ask(&clinic, ID, &both).await.body.contains("Keep one of the two"));
    assert_eq!(clinic.kinds("inquiry/01a2b3"), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_types_is_inert_on_every_page() {
    let clinic = Clinic::open();
    let evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>%00";
    let fields = [
        ("crisis", "danger"),
        ("name", evil),
        ("goals", evil),
        ("treatments", evil),
        ("phone", "+1 555 0100 <b>"),
    ];
    assert_eq!(ask(&clinic, ID, &fields).await.status, StatusCode::SEE_OTHER);
    for (who, path) in [
        ("front.desk", "/inquiries"),
        ("nurse", "/inquiries/01a2b3"),
        ("front.desk", "/inquiries/01a2b3"),
        ("prescriber", "/tasks"),
        ("nurse", "/inquiry/01a2b3"),
    ] {
        let page = clinic.signed_in(who).get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for raw in ["<script>alert", "<img src=x", "0100 <b>"] {
            assert!(!page.body.contains(raw), "{path} holds {raw}");
        }
    }
    let path = "/inquiries?q=%3Cscript%3Ealert(1)%3C%2Fscript%3E&stage=%27%20OR%201%3D1";
    let list = clinic.signed_in("front.desk").get(path).await;
    assert!(list.status == StatusCode::OK && !list.body.contains("<script>alert"));
}

/// Hazard 36: the front desk is told that a clinician is needed, and neither reads nor decides what for.
#[tokio::test(flavor = "multi_thread")]
async fn the_front_desk_neither_reads_nor_decides_what_is_clinical() {
    let clinic = Clinic::open();
    ask(&clinic, ID, &IN_DANGER).await;
    let (desk, nurse) = (clinic.signed_in("front.desk"), clinic.signed_in("nurse"));
    for path in ["/inquiries/01a2b3", "/tasks"] {
        let page = desk.get(path).await.body;
        assert!(page.contains("linician") && page.contains("needed"), "{path}");
        assert!(!page.contains("danger now") && !page.contains("suicide"), "{path}");
    }
    let head = clinic.head();
    for (act, fields) in [
        ("triage", [("to", "consultation"), ("reason", "sounds fine")]),
        ("triage", [("to", "redirect"), ("reason", "sounds bad")]),
        ("close", [("reason", "no answer"), ("", "")]),
    ] {
        let answer = desk.post(&format!("/inquiries/01a2b3/{act}"), &fields).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains("A clinician decides") && !answer.body.contains("danger now"));
    }
    assert_eq!(clinic.kinds("inquiry/01a2b3").len(), 1, "nothing written, {head}");
    for act in ["take", "finish"] {
        assert_eq!(see_to(&desk, ID, act, &[]).await.status, StatusCode::FORBIDDEN);
    }
    assert!(nurse.get("/inquiries/01a2b3").await.body.contains("in danger now"));
    let asked = [("to", "clinical_review"), ("reason", "please look")];
    assert_eq!(
        desk.post_again("/inquiries/01a2b3/triage", "review-1", &asked).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(clinic.kinds("task/review-1"), ["task_opened"]);
    let decided = [("to", "consultation"), ("reason", "spoke with her, safe at home")];
    assert_eq!(nurse.post("/inquiries/01a2b3/triage", &decided).await.status, StatusCode::SEE_OTHER);
    assert_eq!(clinic.kinds("task/review-1"), ["task_opened", "task_done"], "the answer ends the question");
    assert_eq!(clinic.kinds("task/01a2b3"), ["task_opened"], "and not the crisis");
    let closed = nurse.post("/inquiries/01a2b3/close", &[("reason", "psychosis, seen by Dr. Lang")]).await;
    assert_eq!(closed.status, StatusCode::SEE_OTHER);
    let (seen, told) = (nurse.get("/inquiries/01a2b3").await.body, desk.get("/inquiries/01a2b3").await.body);
    for (reason, by_desk) in [("please look", true), ("safe at home", false), ("psychosis", false)] {
        assert!(seen.contains(reason) && told.contains(reason) == by_desk, "{reason}: {told}");
    }
    assert!(
        told.contains("closed: a clinician") && told.contains("ask them what to tell the person"),
        "{told}"
    );
}

/// Hazard 36: a task passes on by the server's clock, survives a restart, and ends by an outcome alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_passes_on_by_the_clock_and_over_a_restart_until_it_is_done() {
    let clinic = Clinic::open();
    put_on_call(&clinic, "nurse", "first").await;
    put_on_call(&clinic, "prescriber", "second").await;
    ask(&clinic, ID, &IN_DANGER).await;
    assert_eq!(owner(&clinic, ID), person("nurse"));
    clinic.minutes_pass(9);
    clinic.app.floor.keep();
    assert_eq!(owner(&clinic, ID), person("nurse"));
    clinic.minutes_pass(1);
    clinic.app.floor.keep();
    assert_eq!(owner(&clinic, ID), person("prescriber"));
    clinic.minutes_pass(10);
    let again = open_log(clinic.folder(), &clinic.clock);
    assert_eq!(again.floor.open_tasks(), clinic.app.floor.open_tasks(), "read back from the log");
    again.floor.keep();
    let task = again.floor.task(&TaskId::new(ID)).expect("log").expect("a task");
    assert_eq!((task.owner, task.passed_on), (Owner::Everyone, 2));
    clinic.minutes_pass(600);
    again.floor.keep();
    assert_eq!(clinic.kinds("task/01a2b3"), ["task_opened", "task_passed_on", "task_passed_on"]);
    assert_eq!(again.floor.open_tasks().len(), 1, "late, and never gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_may_not_sign_in_any_more_is_not_on_call() {
    let clinic = Clinic::open();
    put_on_call(&clinic, "nurse", "first").await;
    let owner_of = clinic.signed_in("owner");
    owner_of.post("/staff/nurse", &[("act", "disable")]).await;
    ask(&clinic, ID, &IN_DANGER).await;
    assert_eq!(owner(&clinic, ID), Owner::Everyone);
    assert!(told(&clinic, ID).await.contains("Nobody is on call here now"));
    assert!(owner_of.get("/roster").await.body.contains("CANNOT SIGN IN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_taken_by_name_and_ended_in_words_and_every_form_acts_once() {
    let clinic = Clinic::open();
    ask(&clinic, ID, &IN_DANGER).await;
    let (nurse, prescriber) = (clinic.signed_in("nurse"), clinic.signed_in("prescriber"));
    let seen = [("outcome", "seen_to"), ("words", "spoke with her")];
    let early = see_to(&nurse, ID, "finish", &seen).await;
    assert!(
        early.status == StatusCode::UNPROCESSABLE_ENTITY && early.body.contains("Take this task by name")
    );
    for _ in 0..2 {
        assert_eq!(nurse.post_again("/tasks/01a2b3/take", "take-1", &[]).await.goes_to(), "/tasks");
    }
    assert!(see_to(&nurse, ID, "finish", &[("words", "x y z")]).await.body.contains("Choose how it ended"));
    assert!(
        see_to(&nurse, ID, "finish", &[("outcome", "seen_to"), ("words", ".")])
            .await
            .body
            .contains("in words")
    );
    let not_reached = [("outcome", "not_reached"), ("words", "three calls, no answer")];
    assert!(see_to(&nurse, ID, "finish", &not_reached).await.body.contains("A prescriber decides"));
    let other = prescriber.post_again("/tasks/01a2b3/take", "take-1", &[]).await;
    assert_eq!(other.status, StatusCode::CONFLICT, "another person's form");
    see_to(&prescriber, ID, "take", &[]).await;
    for _ in 0..2 {
        let ended = prescriber.post_again("/tasks/01a2b3/finish", "end-1", &not_reached).await;
        assert_eq!(ended.goes_to(), "/tasks");
    }
    assert_eq!(clinic.kinds("task/01a2b3"), ["task_opened", "task_taken", "task_taken", "task_done"]);
    assert_eq!(see_to(&nurse, "none", "take", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_who_may_see_tasks_sees_in_the_header_that_one_is_late() {
    let clinic = Clinic::open();
    assert!(!clinic.signed_in("owner").get("/staff").await.body.contains("href=\"/tasks\" hx-get"));
    ask(&clinic, ID, &IN_DANGER).await;
    for who in ["owner", "nurse", "prescriber", "therapist", "front.desk"] {
        let page = clinic.signed_in(who).get("/account").await.body;
        assert!(page.contains("hx-get=\"/tasks/count\"") && page.contains(">1 task</a>"), "{who}");
    }
    clinic.minutes_pass(10);
    let count = clinic.signed_in("owner").get_live("/tasks/count").await;
    assert!(count.body.contains("1 task, late") && count.body.contains("data-state=\"unrecorded\""));
    let tasks = clinic.signed_in("prescriber").get("/tasks").await.body;
    assert!(tasks.contains("LATE by 0 min") && tasks.contains("Nobody is on call"), "{tasks}");
    assert!(!clinic.browser().get("/inquiry").await.body.contains("1 task"), "not on a public page");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_look_at_an_inquiry_is_in_the_audit_without_what_was_searched_for() {
    let clinic = Clinic::open();
    ask(&clinic, ID, &PLAIN).await;
    let desk = clinic.signed_in("front.desk");
    desk.get("/inquiries/01a2b3").await;
    desk.get("/inquiries?q=rivera").await;
    let looked: Vec<String> = clinic.log("audit").into_iter().map(|(_, body)| body).collect();
    assert!(looked[0].contains("\"front.desk\"") && looked[0].contains("/inquiries/01a2b3"), "{looked:?}");
    assert!(looked.len() == 2 && !looked[1].to_lowercase().contains("rivera"), "{looked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_roster_refuses_what_cannot_be_and_only_the_owner_plans_it() {
    let clinic = Clinic::open();
    let at = |from, to| [("staff", "nurse"), ("call", "first"), ("from", from), ("to", to)];
    let plan = async |fields: &[(&str, &str)]| clinic.signed_in("owner").post("/roster", fields).await;
    for (fields, words) in [
        (at("2026-11-22T10:00", "2026-11-22T10:00"), "accepted is after the beginning"),
        (at("2026-11-20T10:00", "2026-11-21T10:00"), "accepted is after 2026-11-22"),
        (at("2026-11-22T10:00", "2026-12-22T10:00"), "at most 336 h"),
        (at("", "2026-12-22T10:00"), "The beginning is empty"),
        (
            [
                ("staff", "front.desk"),
                at("2026-11-22T10:00", "")[1],
                at("2026-11-22T10:00", "")[2],
                ("to", "2026-11-22T12:00"),
            ],
            "cannot be on call",
        ),
        (
            [
                ("staff", "nobody"),
                ("call", "first"),
                ("from", "2026-11-22T10:00"),
                ("to", "2026-11-22T12:00"),
            ],
            "cannot be on call",
        ),
    ] {
        let answer = plan(&fields).await;
        assert!(
            answer.status == StatusCode::UNPROCESSABLE_ENTITY && answer.body.contains(words),
            "{words}: {}",
            answer.body
        );
    }
    assert_eq!(clinic.kinds("roster"), Vec::<String>::new());
    let nurse_first = at("2026-11-22T10:00", "2026-11-23T10:00");
    for _ in 0..2 {
        let planned = clinic.signed_in("owner").post_again("/roster", "duty-1", &nurse_first).await;
        assert_eq!(planned.goes_to(), "/roster");
    }
    let taken = [
        ("staff", "prescriber"),
        ("call", "first"),
        ("from", "2026-11-23T09:00"),
        ("to", "2026-11-23T12:00"),
    ];
    assert!(plan(&taken).await.body.contains("nurse is first call"));
    assert_eq!(
        clinic.signed_in("prescriber").post("/roster", &nurse_first).await.status,
        StatusCode::FORBIDDEN
    );
    let off = clinic.signed_in("owner").post("/roster/duty-1/withdraw", &[]).await;
    assert_eq!(off.goes_to(), "/roster");
    let again = clinic.signed_in("owner").post("/roster/duty-1/withdraw", &[]).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(clinic.kinds("roster"), ["duty_planned", "duty_withdrawn"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lists_are_made_again_from_the_log_to_the_same_bytes() {
    let clinic = Clinic::open();
    ask(&clinic, ID, &IN_DANGER).await;
    ask(&clinic, "b", &PLAIN).await;
    let nurse = clinic.signed_in("nurse");
    nurse.post("/inquiries/b/triage", &[("to", "consultation"), ("reason", "spoke by phone")]).await;
    nurse.post("/inquiries/b/register", &person_fields()).await;
    see_to(&nurse, ID, "take", &[]).await;
    see_to(&nurse, ID, "finish", &[("outcome", "emergency_has_it"), ("words", "911 is there")]).await;
    let store = &clinic.app.store;
    let before = store.views_digest("main").expect("digest");
    store.rebuild_views("main").expect("rebuilt");
    assert_eq!(store.views_digest("main").expect("digest"), before);
    let care = clinic.app.floor.inquiry(&InquiryId::new("b")).expect("log").expect("asked");
    assert!(care.patient.is_some());
}

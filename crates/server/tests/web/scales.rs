//! Rating scales: a patient's phone by a link, staff at a tablet, and the page of scores.

use crate::consultation;
use crate::course::{BOOKING, COURSE, FOUR, plan, planned, registered};
use crate::replanned::mine;
use crate::support::{Answer, Browser, Clinic, open_log};
use crate::walk::{Visit, agree, plan_for};
use axum::http::StatusCode;
use clinic::care::task::TaskOpened;
use clinic::id::PatientId;

const PATIENT: &str = "p-1";

/// A clinic with a patient and a nurse on call; the nurse's browser.
async fn clinic() -> (Clinic, Browser) {
    let clinic = Clinic::open();
    let fields = [
        ("family", "Rivera"),
        ("given", "Ana"),
        ("born", "1984-03-12"),
        ("mrn", "004217"),
        ("sex", "f"),
        ("allergies", "none"),
    ];
    let made = clinic.signed_in("front.desk").post_again("/patients", PATIENT, &fields).await;
    assert_eq!(made.goes_to(), "/patients/p-1", "{}", made.body);
    let duty =
        [("staff", "nurse"), ("call", "first"), ("from", "2026-11-22T08:00"), ("to", "2026-11-26T08:00")];
    assert_eq!(clinic.signed_in("owner").post("/roster", &duty).await.status, StatusCode::SEE_OTHER);
    let nurse = clinic.signed_in("nurse");
    (clinic, nurse)
}

/// Makes a link and reads its path from the page.
async fn link(nurse: &Browser, act: &str, scale: &str) -> String {
    let made = nurse.post_again("/patients/p-1/scores/link", act, &[("scale", scale)]).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER, "{}", made.body);
    let page = nurse.get("/patients/p-1/scores").await.body;
    let field = page.split(&format!("id=\"link-{act}\"")).nth(1).expect("the link stands on the page");
    let address = field.split('"').nth(1).expect("a value");
    address[address.find("/answer/").expect("a path")..].to_owned()
}

async fn answer(phone: &Browser, link: &str, n: usize, value: &str) -> Answer {
    phone.post(&format!("{link}/{n}"), &[("answer", value)]).await
}

/// Answers questions from 1 on, one a page.
async fn answer_all(phone: &Browser, link: &str, values: &[&str]) {
    for (at, value) in values.iter().enumerate() {
        let saved = answer(phone, link, at + 1, value).await;
        assert_eq!(saved.status, StatusCode::SEE_OTHER, "question {}: {}", at + 1, saved.body);
    }
}

async fn scores(by: &Browser) -> String {
    let page = by.get("/patients/p-1/scores").await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    page.body
}

async fn enter(by: &Browser, act: &str, fields: &[(&str, &str)]) -> Answer {
    by.post_again("/patients/p-1/scores/enter", act, fields).await
}

const GAD: [(&str, &str); 8] = [
    ("scale", "gad7"),
    ("item-1", "2"),
    ("item-2", "2"),
    ("item-3", "3"),
    ("item-4", "1"),
    ("item-5", "1"),
    ("item-6", "1"),
    ("item-7", "1"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_answers_question_by_question_and_goes_on_where_they_stopped() {
    let (clinic, nurse) = clinic().await;
    let link = link(&nurse, "l-1", "gad7").await;
    let phone = clinic.browser();
    assert_eq!(phone.get(&link).await.goes_to(), format!("{link}/1"));
    let first = phone.get(&format!("{link}/1")).await.body;
    assert!(first.contains("Question 1 of 7") && first.contains("Feeling nervous"), "{first}");
    assert!(
        !first.contains("Ana") && !first.contains("Rivera") && !first.contains("004217"),
        "nobody is named"
    );
    answer_all(&phone, &link, &["2", "2", "3"]).await;
    let later = clinic.browser();
    assert_eq!(later.get(&link).await.goes_to(), format!("{link}/4"), "it goes on where it was left");
    assert!(scores(&nurse).await.contains("3 of 7 questions answered"));
    let wrong = answer(&later, &link, 4, "4").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("a whole number from 0 to 3"), "{}", wrong.body);
    for (at, value) in [(4, "1"), (5, "1"), (6, "1"), (7, "1")] {
        answer(&later, &link, at, value).await;
    }
    assert_eq!(later.get(&link).await.goes_to(), format!("{link}/check"));
    let changed = answer(&later, &link, 1, "0").await;
    assert_eq!(changed.goes_to(), format!("{link}/check"), "a change leads back to the last look");
    let sent = later.post_again(&format!("{link}/check"), "send-1", &[]).await;
    assert_eq!(sent.goes_to(), link);
    let again = later.post_again(&format!("{link}/check"), "send-1", &[]).await;
    assert!(again.body.contains("We have your answers"), "{}", again.body);
    let kinds = clinic.kinds("scales/p-1");
    assert_eq!(kinds.iter().filter(|kind| *kind == "scale_answered").count(), 1, "{kinds:?}");
    let page = scores(&nurse).await;
    assert!(page.contains("9, mild") && page.contains("the patient, by phone"), "{page}");
}

/// A link answers one form once, for a while, and nothing else.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_was_used_or_has_ended_takes_nothing_and_says_so() {
    let (clinic, nurse) = clinic().await;
    let phone = clinic.browser();
    let used = link(&nurse, "l-1", "gad7").await;
    answer_all(&phone, &used, &["2", "2", "3", "1", "1", "1", "1"]).await;
    assert_eq!(phone.post(&format!("{used}/check"), &[]).await.status, StatusCode::SEE_OTHER);
    let before = clinic.kinds("scales/p-1").len();
    let page = phone.get(&used).await;
    assert!(page.status == StatusCode::OK && page.body.contains("cannot be used again"), "{}", page.body);
    for again in [answer(&phone, &used, 1, "0").await, phone.post(&format!("{used}/check"), &[]).await] {
        assert!(again.body.contains("cannot be used again"), "{}", again.body);
    }
    let ended = link(&nurse, "l-2", "phq9").await;
    answer(&phone, &ended, 1, "2").await;
    let stands = clinic.kinds("scales/p-1").len();
    assert_eq!(stands, before + 2);
    clinic.minutes_pass(72 * 60);
    for late in [
        phone.get(&ended).await,
        answer(&phone, &ended, 9, "3").await,
        phone.post(&format!("{ended}/check"), &[]).await,
    ] {
        assert_eq!(late.status, StatusCode::GONE);
        assert!(late.body.contains("This link has ended") && late.body.contains("tel:988"), "{}", late.body);
    }
    let forged = ended.replace("l-2", "l-3");
    for path in [forged.as_str(), "/answer/x", "/answer/p-1.l-1.99999999999.00000000000000000000000000000000"]
    {
        assert_eq!(phone.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer(&phone, path, 9, "3").await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(clinic.kinds("scales/p-1").len(), stands, "nothing was written");
}

/// Hazard 36: thoughts of suicide open a task when they are answered, not when the form is sent, and the patient is
/// told the truth.
/// Hazard 145: a page that stood open may still send an answer when the form is in.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_for_help_after_the_form_was_sent_is_heard_and_changes_nothing_of_it() {
    let (clinic, nurse) = clinic().await;
    let link = link(&nurse, "l-1", "phq9").await;
    let phone = clinic.browser();
    answer_all(&phone, &link, &["0", "0", "0", "0", "0", "0", "0", "0", "0", "-"]).await;
    assert_eq!(phone.post(&format!("{link}/check"), &[]).await.status, StatusCode::SEE_OTHER);
    let before = clinic.log("scales/p-1");
    for (answer, words) in
        [("0", "We have your answers"), ("x", "We have your answers"), ("", "We have your answers")]
    {
        let page = phone.post(&format!("{link}/9"), &[("answer", answer)]).await;
        assert!(page.body.contains(words) && !page.body.contains("passed on"), "{answer}: {}", page.body);
    }
    assert!(clinic.app.floor.open_tasks().is_empty());
    for _ in 0..2 {
        let page = phone.post(&format!("{link}/9"), &[("answer", "3")]).await;
        for words in ["What you answered now was passed on at once", "tel:988", "who is on call"] {
            assert!(page.body.contains(words), "{words}: {}", page.body);
        }
    }
    assert_eq!(clinic.app.floor.open_tasks().len(), 1, "one call");
    assert_eq!(clinic.log("scales/p-1"), before, "the form stays as it was sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn item_9_opens_a_task_at_once_and_the_patient_is_told_who_sees_it_and_when() {
    let (clinic, nurse) = clinic().await;
    let link = link(&nurse, "l-1", "phq9").await;
    let phone = clinic.browser();
    answer_all(&phone, &link, &["2", "2", "3", "3", "1", "2", "2", "0"]).await;
    assert!(clinic.app.floor.open_tasks().is_empty());
    for _ in 0..2 {
        assert_eq!(
            phone.post_again(&format!("{link}/9"), "nine", &[("answer", "1")]).await.status,
            StatusCode::SEE_OTHER
        );
    }
    let tasks = clinic.app.floor.open_tasks();
    assert_eq!(tasks.len(), 1, "once, and before the form is sent");
    let TaskOpened::ScaleItem { item, answer: said, .. } = &tasks[0].1.why else { panic!("{:?}", tasks[0]) };
    assert_eq!((item.as_str(), said.as_str()), ("item 9 (Better off dead or self-harm)", "Several days"));
    let next = phone.get(&format!("{link}/10")).await.body;
    assert!(next.contains("tel:988") && next.contains("tel:911"), "{next}");
    assert!(next.contains("nurse (nurse), who is on call") && next.contains("by 22-Nov 09:10"), "{next}");
    assert!(
        nurse.get("/tasks").await.body.contains("PHQ-9, item 9 (Better off dead or self-harm): Several days")
    );
    assert!(nurse.get("/tasks").await.body.contains("/patients/p-1/scores"));
    assert!(scores(&nurse).await.contains("begun, not sent"), "what was said so far can be read");
    answer(&phone, &link, 9, "0").await;
    assert_eq!(clinic.app.floor.open_tasks().len(), 1, "an answer taken back leaves the task to a person");
    answer(&phone, &link, 9, "3").await;
    assert_eq!(clinic.app.floor.open_tasks().len(), 2, "a worse answer is another call");
    answer(&phone, &link, 10, "-").await;
    assert_eq!(phone.post(&format!("{link}/check"), &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(clinic.app.floor.open_tasks().len(), 2);
    let end = phone.get(&link).await.body;
    assert!(end.contains("Please call now") && end.contains("Nobody here has read your answer yet"), "{end}");
    let task = clinic.app.floor.open_tasks()[0].0.clone();
    let page = scores(&nurse).await;
    assert!(page.contains("asked for by PHQ-9 of") && page.contains("enter?scale=cssrs"), "{page}");
    let cssrs = ["1", "2", "3", "4", "5", "6", "6b"].map(|item| format!("item-{item}"));
    let mut asked: Vec<(&str, &str)> = cssrs.iter().map(|item| (item.as_str(), "0")).collect();
    asked.push(("scale", "cssrs"));
    clinic.minutes_pass(1);
    let entered = enter(&nurse, "cssrs", &asked).await;
    assert_eq!(entered.status, StatusCode::SEE_OTHER, "{}", entered.body);
    assert!(!scores(&nurse).await.contains("asked for by PHQ-9"), "answered");
    let again = open_log(clinic.folder(), &clinic.clock);
    assert!(again.floor.task(&task).expect("log").is_some(), "it outlives a start");
}

/// Hazard 160: a consultation knows the day of a scale and not the time.
#[tokio::test(flavor = "multi_thread")]
async fn a_c_ssrs_of_the_consultation_of_the_same_day_does_not_answer_item_9() {
    let (clinic, nurse) = clinic().await;
    let said = consultation::say(&nurse, "scales", "0", &[("scales.cssrs.on", "2026-11-22")]).await;
    assert_eq!(said.goes_to(), "/patients/p-1/consultation", "{}", said.body);
    let link = link(&nurse, "l-1", "phq9").await;
    answer_all(&clinic.browser(), &link, &["0", "0", "0", "0", "0", "0", "0", "0", "1"]).await;
    let page = scores(&nurse).await;
    assert!(page.contains("asked for by PHQ-9 of") && page.contains("enter?scale=cssrs"), "{page}");
}

/// Hazard 36: a form sent without the question is a call too.
#[tokio::test(flavor = "multi_thread")]
async fn item_9_left_open_calls_somebody_when_the_form_is_sent() {
    let (clinic, nurse) = clinic().await;
    let link = link(&nurse, "l-1", "phq9").await;
    let phone = clinic.browser();
    answer_all(&phone, &link, &["1", "1", "1", "1", "1", "1", "1", "1", "-"]).await;
    assert!(clinic.app.floor.open_tasks().is_empty());
    assert_eq!(phone.post(&format!("{link}/check"), &[]).await.status, StatusCode::SEE_OTHER);
    let tasks = clinic.app.floor.open_tasks();
    assert!(tasks.len() == 1 && tasks[0].1.why.title().ends_with("not answered"), "{tasks:?}");
    assert!(phone.get(&link).await.body.contains("Nobody here has read your answer yet"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_a_patient_may_answer_alone_is_sent_to_a_phone() {
    let (clinic, nurse) = clinic().await;
    for (scale, why) in
        [("cssrs", "a clinician asks"), ("bdi2", "may not be shown"), ("tarot", "not one of those")]
    {
        let refused = nurse.post("/patients/p-1/scores/link", &[("scale", scale)]).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{scale}");
        assert!(refused.body.contains(why) && refused.body.contains("link-scale-error"), "{scale}");
    }
    assert!(clinic.kinds("scales/p-1").is_empty());
    assert_eq!(nurse.get("/patients/nobody/scores").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn staff_enter_all_items_on_one_page_and_see_band_and_flags_at_once() {
    let (clinic, nurse) = clinic().await;
    let form = nurse.get("/patients/p-1/scores/enter?scale=cssrs").await.body;
    assert!(form.contains("Have you wished you were dead") && form.contains("item-6b"), "{form}");
    let said = [("scale", "cssrs"), ("item-1", "1"), ("item-2", "1"), ("item-4", "1"), ("item-6", "0")];
    let saved = enter(&nurse, "e-1", &said).await;
    assert_eq!(saved.goes_to(), "/patients/p-1/scores?entered=e-1", "{}", saved.body);
    let page = nurse.get(saved.goes_to()).await.body;
    assert!(page.contains("HIGH") && page.contains("a clinician acts before this visit ends"), "{page}");
    let tasks = clinic.app.floor.open_tasks();
    assert!(tasks.len() == 1 && tasks[0].1.why.title().contains("items 1, 2, 4: Yes"), "{tasks:?}");
    let none =
        enter(&nurse, "e-2", &[("scale", "cssrs"), ("item-1", "0"), ("item-2", "0"), ("item-6", "0")]).await;
    assert!(nurse.get(none.goes_to()).await.body.contains("NONE"));
    assert_eq!(clinic.app.floor.open_tasks().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused_beside_its_field_and_nothing_is_written() {
    let (clinic, nurse) = clinic().await;
    let total = [("scale", "madrs"), ("total_alone", "1"), ("form", "paper, 22 Nov")];
    let with = |fields: &[(&'static str, &'static str)], more: (&'static str, &'static str)| {
        let mut all: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != more.0).collect();
        all.push(more);
        all
    };
    for (fields, field, words) in [
        (with(&GAD, ("item-3", "9")), "item-3", "a whole number from 0 to 3"),
        (with(&GAD, ("at", "2027-01-01T10:00")), "at", "not in the future"),
        (with(&GAD, ("at", "noon")), "at", "is not a time"),
        (with(&GAD, ("at", "1984-03-11T10:00")), "at", "on 1984-03-11; accepted is 2021-11-22 or later"),
        (with(&GAD, ("at", "2016-11-20T10:00")), "at", "on 2016-11-20; accepted is 2021-11-22 or later"),
        (with(&total, ("total", "61")), "total", "0 to 60"),
        (with(&total, ("total", "20.5")), "total", "a whole number from 0 to 60"),
        (with(&total, ("total", "many")), "total", "is no number"),
        (with(&with(&total, ("total", "20")), ("form", "")), "form", "is empty"),
        (vec![("scale", "gad7")], "", "at least one answer"),
    ] {
        let refused = nurse.post("/patients/p-1/scores/enter", &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}: {}", refused.body);
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
        assert!(field.is_empty() || refused.body.contains(&format!("id=\"enter-{field}-error\"")), "{field}");
    }
    assert!(clinic.kinds("scales/p-1").is_empty());
    let taken = enter(&nurse, "t-1", &with(&total, ("total", "28"))).await;
    assert!(nurse.get(taken.goes_to()).await.body.contains("item 10 not seen"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_correction_names_what_it_corrects_and_two_see_both_edits() {
    let (clinic, nurse) = clinic().await;
    for _ in 0..2 {
        assert_eq!(enter(&nurse, "e-1", &GAD).await.status, StatusCode::SEE_OTHER);
    }
    let but = |item, value, reason| {
        let kept = GAD.into_iter().filter(move |(name, _)| *name != item);
        kept.chain([(item, value), ("corrects", "e-1"), ("reason", reason)]).collect::<Vec<_>>()
    };
    assert!(
        nurse
            .get("/patients/p-1/scores/enter?scale=gad7&corrects=e-1")
            .await
            .body
            .contains("This corrects: 11, moderate")
    );
    let silent = enter(&nurse, "e-2", &but("item-3", "0", "")).await;
    assert!(silent.status == StatusCode::UNPROCESSABLE_ENTITY && silent.body.contains("enter-reason-error"));
    let right = enter(&nurse, "e-3", &but("item-3", "0", "misread the form")).await;
    assert_eq!(right.status, StatusCode::SEE_OTHER, "{}", right.body);
    let page = scores(&nurse).await;
    assert!(
        page.contains("8, mild") && page.contains("<s>11, moderate</s> does not count: misread the form"),
        "{page}"
    );
    let other = clinic.signed_in("prescriber");
    let late = enter(&other, "e-4", &but("item-1", "0", "slip")).await;
    assert_eq!(late.status, StatusCode::CONFLICT);
    assert!(late.body.contains("total 8 instead") && late.body.contains("value=\"slip\""), "{}", late.body);
    let gone = [("scale", "gad7"), ("corrects", "e-3"), ("reason", "another patient's")];
    assert_eq!(other.post("/patients/p-1/scores/void", &gone).await.status, StatusCode::SEE_OTHER);
    assert!(scores(&nurse).await.contains("does not count: another patient"));
    assert_eq!(clinic.kinds("scales/p-1"), ["scale_answered", "scale_answered", "scale_voided"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn scores_are_for_clinicians_and_each_look_is_in_the_audit() {
    let (clinic, nurse) = clinic().await;
    assert_eq!(
        clinic.signed_in("front.desk").get("/patients/p-1/scores").await.status,
        StatusCode::FORBIDDEN
    );
    assert!(!clinic.signed_in("front.desk").get("/patients/p-1").await.body.contains("/scores"));
    let before = clinic.head();
    scores(&nurse).await;
    assert!(clinic.head() > before, "the look is recorded");
}

/// Hazard 120: a response that is lost between the visits is somebody's task, and no score is told twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_response_that_is_lost_after_a_series_is_a_task_for_the_next_day() {
    let visit = Visit::planned().await;
    let page = visit.nurse().get("/patients?q=rivera").await.body;
    let patient =
        page.split("/patients/").nth(1).and_then(|rest| rest.split(['"', '/']).next()).expect("listed");
    let scored = async |act: &str, total: &str| {
        let fields = [("scale", "phq9"), ("total_alone", "1"), ("form", "paper"), ("total", total)];
        let to = format!("/patients/{patient}/scores/enter");
        for _ in 0..2 {
            let saved = visit.nurse().post_again(&to, act, &fields).await;
            assert_eq!(saved.status, StatusCode::SEE_OTHER, "{total}: {}", saved.body);
        }
        visit.clinic.minutes_pass(1);
        visit.clinic.app.floor.open_tasks().into_iter().map(|(_, task)| task.why.title()).collect::<Vec<_>>()
    };
    assert_eq!(scored("s-0", "20").await, [""; 0], "before the series");
    visit.running().await;
    visit.clinic.minutes_pass(10);
    assert_eq!(scored("s-1", "8").await, [""; 0]);
    let lost = "PHQ-9: the response is lost, 20 before the series, 8 the time before, 13 now";
    assert_eq!(scored("s-2", "13").await, [lost]);
    assert_eq!(scored("s-3", "14").await, [lost], "one that stays lost is told once");
    let tasks = visit.nurse().get("/tasks").await.body;
    assert!(tasks.contains(lost) && tasks.contains(&format!("/patients/{patient}/scores")), "{tasks}");
    let again = open_log(visit.clinic.folder(), &visit.clinic.clock);
    assert_eq!(again.floor.open_tasks().len(), 1, "it outlives a start");
}

/// Hazard 120: a score of the consultation calls like one that is entered by itself, beside what else it calls for.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_worse_in_the_consultation_than_before_the_series_is_a_task() {
    let clinic = Clinic::open();
    let nurse = consultation::registered(&clinic).await;
    agree(&nurse, "/patients/p-1", "raised").await;
    consultation::asked_everything(&nurse, &[]).await;
    consultation::screened(&nurse).await;
    let id = plan_for(&nurse, "/patients/p-1", "mdd_trd_std").await;
    let visit = Visit { clinic, id };
    visit.running().await;
    visit.clinic.minutes_pass(10);
    let worse =
        [("scales.phq9.value", "27"), ("scales.phq9.on", "2026-11-22"), ("scales.cssrs.value", "high")];
    for read in ["8", "10"] {
        let sent = consultation::say(&visit.nurse(), "scales", read, &worse).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{read}: {}", sent.body);
        let open = visit.clinic.app.floor.open_tasks();
        let mut tasks: Vec<String> = open.into_iter().map(|(_, task)| task.why.title()).collect();
        tasks.sort();
        let turned = "PHQ-9: worse than before the series, 18 before the series, 27 now";
        let risks = ["Consultation, C-SSRS risk: high", "Consultation, C-SSRS risk: low"];
        assert_eq!(tasks, [risks[0], risks[1], turned], "once");
    }
    let again = open_log(visit.clinic.folder(), &visit.clinic.clock);
    assert_eq!(again.floor.open_tasks().len(), 3, "they outlive a start");
}

/// A booked series asks for its baseline, by a date and by a link for the patient; a score that is older is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_booked_series_makes_its_baseline_due_by_a_date() {
    let clinic = Clinic::open();
    planned(&clinic).await;
    let booked = clinic.signed_in("front.desk").post(BOOKING, &FOUR).await;
    assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
    let page = scores(&clinic.signed_in("nurse")).await;
    let later = page.split("Due later").nth(1).expect("dates to come");
    assert!(later.contains("PHQ-9: Before the series, from 24-Nov 09:30 until 01-Dec 09:30"), "{later}");
    assert!(page.contains("Nothing is due now"), "{page}");

    clinic.minutes_pass(3 * 24 * 60);
    let nurse = clinic.signed_in("nurse");
    let page = scores(&nurse).await;
    assert!(
        page.contains("PHQ-9</a>: Before the series, until 01-Dec 09:30"),
        "what is older is none: {page}"
    );
    assert!(link(&nurse, "l-1", "phq9").await.contains("/answer/"));
}

/// A second condition of the plan asks for its scale, has its own definitions and its page of what to expect.
#[tokio::test(flavor = "multi_thread")]
async fn a_second_condition_of_the_plan_brings_its_scale_and_its_page_of_what_to_expect() {
    let clinic = Clinic::open();
    let by = registered(&clinic).await;
    let nurse = clinic.signed_in("nurse");
    let due = || async {
        let visit = [("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "6")];
        assert_eq!(
            nurse.post_again("/patients/p-1/visit", "v-1", &visit).await.status,
            StatusCode::SEE_OTHER
        );
        let page = scores(&nurse).await;
        ["PCL-5</a>: Before the series", "GAD-7</a>: Before the series"].map(|due| page.matches(due).count())
    };
    assert_eq!(due().await, [0, 1]);
    let both = plan("0", &[("conditions", "F33.2, F43.10")]);
    assert_eq!(by.post(COURSE, &both).await.status, StatusCode::SEE_OTHER);
    assert_eq!(due().await, [1, 1], "each once");
    let told = mine(&nurse).await;
    for page in ["depression", "ptsd"] {
        assert!(told.contains(&format!("/what-to-expect/{page}")), "{page}: {told}");
    }
}

/// Hazard 144: a form with too many gaps has no result, so what was due by it stays due.
#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_result_leaves_its_scale_due() {
    let clinic = Clinic::open();
    planned(&clinic).await;
    let booked = clinic.signed_in("front.desk").post(BOOKING, &FOUR).await;
    assert_eq!(booked.status, StatusCode::SEE_OTHER, "{}", booked.body);
    clinic.minutes_pass(3 * 24 * 60);
    let nurse = clinic.signed_in("nurse");
    let due = "GAD-7</a>: Before the series, until 01-Dec 09:30";
    assert!(scores(&nurse).await.contains(due));
    let gaps = enter(&nurse, "gaps", &GAD[..3]).await;
    assert_eq!(gaps.status, StatusCode::SEE_OTHER, "{}", gaps.body);
    assert!(scores(&nurse).await.contains(due), "{}", scores(&nurse).await);
    assert_eq!(enter(&nurse, "whole", &GAD).await.status, StatusCode::SEE_OTHER);
    assert!(!scores(&nurse).await.contains(due), "{}", scores(&nurse).await);
}

/// What the consultation asked in time is the baseline, and nobody is asked again.
#[tokio::test(flavor = "multi_thread")]
async fn a_score_of_the_consultation_is_the_baseline_and_is_corrected_there() {
    let clinic = Clinic::open();
    let nurse = consultation::registered(&clinic).await;
    consultation::asked_everything(&nurse, &[]).await;
    let visit = [("regimen", "mdd_trd_std"), ("infusion", "1"), ("of", "6")];
    let planned = nurse.post("/patients/p-1/visit", &visit).await;
    assert_eq!(planned.status, StatusCode::SEE_OTHER, "{}", planned.body);
    let page = scores(&nurse).await;
    assert!(page.contains("GAD-7</a>: Before the series"), "{page}");
    assert!(!page.contains("PHQ-9</a>: Before the series"), "answered two days ago: {page}");
    assert!(page.contains(">20-Nov-2026<") && !page.contains("23:59"), "the day alone is known: {page}");

    let totals = || {
        let all = clinic.app.floor.questionnaires(&PatientId::new(PATIENT)).expect("log");
        all.totals("phq9").into_iter().map(|(_, total)| total.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(totals(), ["18"]);
    for (read, value, on, stands) in [
        ("8", "20", "2026-11-20", &["20"][..]),
        ("9", "20", "2026-11-20", &["20"][..]),
        ("10", "15", "2026-11-22", &["20", "15"][..]),
        ("11", "", "", &["20"][..]),
    ] {
        let said = [("scales.phq9.value", value), ("scales.phq9.on", on)];
        let sent = consultation::say(&nurse, "scales", read, &said).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{read}: {}", sent.body);
        assert_eq!(totals(), stands, "{read}");
    }
}

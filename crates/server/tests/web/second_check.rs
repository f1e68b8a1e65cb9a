//! The second check as the second person meets it: what is shown, what is told of a difference, and what happens then.

use crate::walk::{Fields, SIGNED, VIAL, Visit, misread, order, read, reasons};
use axum::http::StatusCode;
use clinic::id::StaffId;
use server::auth::staff::StaffEvent;

/// What was ordered and drawn, in the words of pages and record.
const PREPARED: [&str; 8] =
    ["41 mg", "41\u{a0}mg", "30.8", "20.5", "0.82", "50 mg/mL", "lot A1", "sodium chloride 0.9 %</li>"];

async fn drawn() -> Visit {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    visit.ordered().await;
    visit.drawn().await;
    visit
}

/// Sends what the second person has; it differs.
async fn differs(visit: &Visit, id: &str, fields: &[(&str, &str)]) -> String {
    let all = [&[("session", visit.id.as_str())], fields, &SIGNED].concat();
    let answer = visit.nurse().post_again(&visit.path("second-check"), id, &all).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answer.body);
    assert!(reasons(&answer.body).contains("is recorded"), "{}", reasons(&answer.body));
    answer.body
}

fn shows_nothing_prepared(page: &str) {
    for prepared in PREPARED {
        assert!(!page.contains(prepared), "{prepared} is shown");
    }
}

/// Hazard 04: two people look twice, and neither can copy.
#[tokio::test(flavor = "multi_thread")]
async fn a_difference_is_told_without_what_was_prepared_and_a_second_one_is_settled_elsewhere() {
    let visit = drawn().await;
    let wrong = differs(&visit, "once", &misread("dose", "410")).await;
    assert!(reasons(&wrong).contains("The dose differs: you have 410 mg."), "{}", reasons(&wrong));
    let typed = |page: &str, value: &str| page.contains(&format!("name=\"{value}"));
    assert!(typed(&wrong, "dose\" type=\"text\" inputmode=\"decimal\" value=\"\""), "it is read anew");
    assert!(wrong.contains("neither says a number") && wrong.contains("nurse discards the syringe"));
    // What the second person typed and what agrees stands in the fields, as typed.
    let own = ["value=\"30.8\"", "value=\"20.5\"", "value=\"0.82\""];
    shows_nothing_prepared(&own.iter().fold(wrong, |page, own| page.replace(own, "")));

    let second = visit.clinic.signed_in("prescriber");
    for page in ["second-check", "preparation"] {
        shows_nothing_prepared(&second.get(&visit.path(page)).await.body);
    }
    assert!(second.get(&visit.path("preparation")).await.body.contains("nurse drew the dose."));
    let own = visit.nurse().get(&visit.path("preparation")).await.body;
    assert!(own.contains("0.82") && own.contains("The last second check differs in: dose."));
    let chair = second.get("/chair/3").await.body;
    assert!(chair.contains("DIFFERS in: dose") && !chair.contains("410 mg"), "{chair}");

    let twice = differs(&visit, "twice", &misread("dose", "32")).await;
    assert!(twice.contains("The prescriber looks at the order and signs it anew."), "{twice}");
    assert!(!twice.contains("form class=\"card entry\" id=\"check\""), "a third look would be a guess");
    let own = visit.nurse().get(&visit.path("preparation")).await.body;
    assert!(own.contains("Two second checks differ in: dose.") && !own.contains("Hand the tablet"), "{own}");
    visit
        .refuse("second-check", &[&read()[..], &SIGNED].concat(), "Two second checks differ in: dose.")
        .await;
    let told = |page: String| page.contains("dose: 32 mg, ordered 41 mg");
    assert!(
        told(second.get(&visit.path("order")).await.body),
        "who signs anew knows what was read otherwise"
    );
    assert!(!told(visit.nurse().get(&visit.path("order")).await.body), "who may check again does not");
    visit.take("order", &[&order()[..], &SIGNED].concat()).await;
    assert!(!told(second.get(&visit.path("order")).await.body), "it was about the order before");

    for id in ["volume", "volume-again"] {
        let page = differs(&visit, id, &misread("drawn_1", "0.64")).await;
        assert!(reasons(&page).contains("The volume drawn differs: you have 0.64 mL."));
    }
    let all = [&read()[..], &SIGNED].concat();
    visit.refuse("second-check", &all, "Discard the syringe before a witness").await;
    visit.refuse("discard", &SIGNED, "The reason is empty").await;
    let own = [("reason", "drawn wrong"), ("user", "nurse"), ("pin", crate::support::PIN)];
    visit.refuse("discard", &own, "nurse cannot both").await;
    visit.take("discard", &[&[("reason", "drawn wrong")][..], &SIGNED].concat()).await;
    visit.refuse("second-check", &all, "drawn dose is missing").await;
    let vial = visit.vials().pop().expect("a vial");
    let anew = [("vial", vial.as_str()), ("stock", "0.82"), ("diluted_to", "20.5")];
    visit.refuse("draw", &anew, "Choose what it is filled up with").await;
    visit.take("draw", &[&anew[..], &[("diluent", "sodium chloride 0.9 %")]].concat()).await;
    visit.take("second-check", &all).await;

    let record = visit.nurse().get(&format!("/record/{}", visit.id)).await.body;
    let record = record.replace('\u{a0}', " ");
    for words in [
        "dose: 410 mg, ordered 41 mg",
        "dose: 32 mg, ordered 41 mg",
        "volume drawn: 0.64 mL, prepared 0.82 mL",
        "20.5 mL DISCARDED: drawn wrong",
        "Discarded before the start",
    ] {
        assert!(record.contains(words), "the record lacks {words}: {record}");
    }
}

/// Hazard 165: a dose that the marks of a syringe round is told as what it is, by the label, the check and the record.
#[tokio::test(flavor = "multi_thread")]
async fn the_label_tells_what_was_drawn_and_when_and_who_reads_that_off_the_syringe_agrees() {
    let visit = Visit::planned().await;
    visit.take("check-in", &[("chair", "3")]).await;
    visit.take("weight", &[("weight", "82.4"), ("unit", "kg"), ("height", "178"), ("sex", "m")]).await;
    visit.gates().await;
    let shown = [("shown_dose", "41.2 mg"), ("shown_rate", "30.9 mL/h")];
    visit.take("order", &[&order()[..2], &shown, &SIGNED].concat()).await;
    visit.drawn().await;
    visit.clinic.minutes_pass(11);
    let label = async || visit.nurse().get(&visit.path("label")).await.body.replace('\u{a0}', " ");
    let at_once = label().await;
    for words in ["41 mg", "in 20.5 mL", "09:00"] {
        assert!(at_once.contains(words), "{words}: {at_once}");
    }
    assert!(!at_once.contains("41.2 mg") && !at_once.contains("09:11"), "{at_once}");
    let by_order = [("dose_weight", "82.4"), ("rate", "30.9"), ("vtbi", "20.6")];
    let syringe: Vec<(&str, &str)> = read()
        .into_iter()
        .map(|(name, right)| (name, by_order.iter().find(|(of, _)| *of == name).map_or(right, |(_, by)| *by)))
        .collect();
    let twice = [("dose", "42"), ("dose", "41")].map(|(field, value)| {
        syringe
            .iter()
            .map(|(name, right)| (*name, if *name == field { value } else { *right }))
            .collect::<Vec<_>>()
    });
    differs(&visit, "42", &twice[0]).await;
    visit.take("second-check", &[&twice[1][..], &SIGNED].concat()).await;
    let record = visit.nurse().get(&format!("/record/{}", visit.id)).await.body.replace('\u{a0}', " ");
    assert!(record.contains("dose: 42 mg, ordered 41.2 mg"), "{record}");
}

/// Hazard 05: what nobody can read is no other patient, and what can be read is compared.
#[tokio::test(flavor = "multi_thread")]
async fn a_sign_that_cannot_be_read_is_refused_and_never_another_patient() {
    let visit = drawn().await;
    for (sign, words) in [
        ("03/12/1984", "can be 03-Dec-1984 or 12-Mar-1984. Write the month in letters"),
        ("31.02.1984", "is no day on which somebody was born; accepted is 1900-01-01 to 2026-11-22"),
        ("12.03.84", "with four digits for the year"),
        ("Rivera", "neither a record number nor a day of birth"),
    ] {
        visit.refuse("second-check", &[&misread("identifier", sign)[..], &SIGNED].concat(), words).await;
    }
    visit.differ("identifier", "13.03.1984", "The patient differs: you have 13.03.1984.").await;
    visit.take("second-check", &[&misread("identifier", "00 42 17")[..], &SIGNED].concat()).await;
}

/// Hazard 04: what the work starts from is shown, what comes of it is not, and neither is how many vials there were.
#[tokio::test(flavor = "multi_thread")]
async fn the_second_person_sees_scale_and_height_and_finds_the_number_of_vials() {
    let visit = drawn().await;
    let second = visit.clinic.signed_in("prescriber");
    let page = second.get(&visit.path("second-check")).await.body;
    for fact in
        ["82 kg (180.8 lb)", "178 cm", "male", "0.5 mg/kg over 40 min, at 2 mg/mL", "actual body weight"]
    {
        assert!(page.contains(fact), "{fact} is what the dose weight is worked out from");
    }
    for asked in ["004217", "1984", "12-Mar", "/preparation\"", "/order\"", "/chair/"] {
        assert!(!page.contains(asked), "{asked} is asked of the second person");
    }

    visit.take("vial", &[("code", VIAL), ("strength", "50"), ("another", "yes")]).await;
    let [_, other] = visit.vials().try_into().expect("two vials");
    let more = [
        ("vial", other.as_str()),
        ("stock", "0.1"),
        ("diluted_to", "2.5"),
        ("diluent", "sodium chloride 0.9 %"),
    ];
    visit.take("draw", &more).await;
    let two = second.get(&visit.path("second-check")).await.body;
    let asks = |page: &str| page.matches("name=\"drug_").count();
    assert_eq!((asks(&page), asks(&two)), (2, 2), "room for as many, however many there were");
    assert_eq!(asks(&second.get(&visit.path("second-check?vials=6")).await.body), 6);
    assert_eq!(asks(&second.get(&visit.path("second-check?vials=600")).await.body), 2);

    let with = |more: &[(&'static str, &'static str)]| -> Fields<'static> {
        let volume = |(name, value)| if name == "volume" { (name, "23") } else { (name, value) };
        let all = read().into_iter().map(volume).chain(SIGNED);
        more.iter().copied().chain(all).collect()
    };
    let one = differs(&visit, "one", &with(&[])).await;
    assert!(reasons(&one).contains("The number of vials differs: you have 1."), "{}", reasons(&one));
    visit
        .refuse(
            "second-check",
            &with(&[("vials", "2"), ("drug_2", "ketamine")]),
            "The strength of vial 2 is empty",
        )
        .await;
    let swapped = with(&[
        ("vials", "2"),
        ("drug_2", "ketamine"),
        ("strength_2", "50"),
        ("drawn_2", "0.82"),
        ("drawn_1", "0.1"),
    ]);
    visit.take("second-check", &swapped).await;
}

/// The dose weight is not always the scale's, and the dose not always weight times amount: how, stands beside.
#[tokio::test(flavor = "multi_thread")]
async fn ceiling_and_formula_are_told_to_whoever_works_the_dose_out() {
    let visit = Visit::planned_by("crps_out").await;
    visit.take("check-in", &[("chair", "3")]).await;
    visit.take("weight", &[("weight", "100"), ("unit", "kg"), ("height", "165"), ("sex", "f")]).await;
    let order = [
        ("concentration", "1"),
        ("stock", "50"),
        ("dose_weight", "adjbw"),
        ("reason", "as published"),
        ("shown_dose", "100 mg"),
        ("shown_rate", "25 mL/h"),
    ];
    visit.take("order", &[&order[..], &SIGNED].concat()).await;
    visit.take("vial", &[("code", VIAL), ("strength", "50"), ("another", "yes")]).await;
    let vial = visit.vials().pop().expect("a vial");
    let drawn = [("vial", vial.as_str()), ("stock", "2"), ("diluted_to", "100"), ("diluent", "glucose 5 %")];
    visit.take("draw", &drawn).await;
    let page = visit.nurse().get(&visit.path("second-check")).await.body;
    for known in [
        "0.35 mg/kg/h over 240 min, at 1 mg/mL, at most 25 mg/h",
        "Ideal: 45.5 kg at 60 in, and 2.3 kg for each inch above (2.54 cm); then 40 % of what the scale shows above it.",
        "female",
    ] {
        assert!(page.contains(known), "{known} is missing: {page}");
    }
    assert!(!page.contains("74.1"), "the dose weight itself is worked out");
}

/// One number to draw: the order that is signed and the preparation say the same, as a syringe shows it.
#[tokio::test(flavor = "multi_thread")]
async fn order_and_preparation_say_the_same_volume_to_draw() {
    let visit = Visit::planned().await;
    visit.take("check-in", &[("chair", "3")]).await;
    visit.take("weight", &[("weight", "82.28"), ("unit", "kg"), ("height", "178"), ("sex", "m")]).await;
    let asked = visit.nurse().get(&visit.path("order?concentration=2&stock=50")).await.body;
    assert!(asked.contains("0.82\u{a0}mL of 50\u{a0}mg/mL"), "{asked}");
    let mut order = order();
    order[2].1 = "41.14 mg";
    order[3].1 = "30.9 mL/h";
    visit.take("order", &[&order[..], &SIGNED].concat()).await;
    visit.take("vial", &[("code", VIAL), ("strength", "50"), ("another", "yes")]).await;
    let told = visit.nurse().get(&visit.path("preparation")).await.body.replace('\u{a0}', " ");
    let words =
        "Draw 0.82 mL of 50 mg/mL, fill up to 20.5 mL: 41 mg in all at 2 mg/mL, 0.14 mg less than ordered";
    assert!(told.contains(words), "{told}");
}

/// Hazard 109: whoever is alone with the patient learns whom to call, and that nothing stands for a second person.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_alone_learns_whom_to_call_and_that_nobody_passes_the_second_check() {
    let visit = drawn().await;
    let never = "Nobody may pass this check, for no reason, and nothing starts without it.";
    for page in ["second-check", "preparation"] {
        let body = visit.nurse().get(&visit.path(page)).await.body;
        assert!(
            body.contains("May check: prescriber (prescriber).") && body.contains(never),
            "{page}: {body}"
        );
        assert!(!body.contains("nurse (nurse)"), "who drew is not named: {page}");
    }
    let accounts = visit.clinic.app.auth.accounts();
    let (gone, owner) = (StaffId::new("prescriber"), StaffId::new("owner"));
    accounts.change(&gone, StaffEvent::StaffDisabled, &owner, "left").expect("changed");
    for page in ["second-check", "preparation"] {
        let body = visit.nurse().get(&visit.path(page)).await.body;
        let call =
            "Nobody else here has a sign-in and a PIN that may check. Call the prescriber or another nurse";
        assert!(body.contains(call) && body.contains(never), "{page}: {body}");
    }
    let alone = [&read()[..], &[("user", "nurse"), ("pin", crate::support::PIN)]].concat();
    visit.refuse("second-check", &alone, "nurse cannot both draw the dose and check it").await;
    let reason = [("reason", "nobody else is here"), ("user", "prescriber"), ("pin", crate::support::PIN)];
    let passed = visit.send("gate/c15/override", &reason).await;
    assert!(!passed.status.is_success() && !passed.status.is_redirection(), "{}", passed.status);
    assert_eq!(visit.phase(), "ordered");
}

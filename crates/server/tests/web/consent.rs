//! Consent: read and signed on a phone or a tablet, and what the gate of the day and the start make of it.

use crate::support::{Browser, Clinic, PIN};
use crate::walk::{NEEDED, Visit, agree, agree_to, consent_link, reasons, stop};
use axum::http::StatusCode;
use sha2::{Digest, Sha256};

const PATIENT: &str = "/patients/p-1";
const USUAL: (&str, &str) = ("usual", "vein");

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
    let desk = clinic.signed_in("front.desk");
    let made = desk.post_again("/patients", "p-1", &fields).await;
    assert_eq!(made.goes_to(), PATIENT, "{}", made.body);
    (clinic, desk)
}

fn kinds(clinic: &Clinic) -> Vec<String> {
    clinic.kinds("consent/p-1")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_reads_is_explained_again_and_signs_on_a_phone_once() {
    let (clinic, desk) = clinic().await;
    let link = consent_link(&desk, PATIENT, &["consent_off_label", "consent_research"], USUAL).await;
    let phone = clinic.browser();
    assert_eq!(phone.get(&link).await.goes_to(), format!("{link}/1"));
    let first = phone.get(&format!("{link}/1")).await.body;
    assert!(first.contains("Evidence D: studies without a comparison. Source: McInnes 2022"), "{first}");
    assert!(
        !first.contains("Rivera") && !first.contains("class=\"rail\""),
        "nothing personal, nothing of the clinic"
    );
    assert_eq!(
        phone.get(&format!("{link}/sign")).await.goes_to(),
        format!("{link}/1"),
        "nothing is read yet"
    );

    let wrong = [("off_label", "2"), ("worse", "2"), ("say", "agree")];
    assert_eq!(phone.post(&format!("{link}/1"), &wrong).await.goes_to(), format!("{link}/1"));
    let again = phone.get(&format!("{link}/1")).await.body;
    assert!(
        again.contains("Once more: In the records of clinics") && !again.contains("Once more: Ketamine is"),
        "{again}"
    );
    let right = [("off_label", "2"), ("worse", "1"), ("say", "agree")];
    assert_eq!(phone.post(&format!("{link}/1"), &right).await.goes_to(), format!("{link}/2"));
    let no = [("say", "refuse"), ("words", "I would rather not")];
    assert_eq!(phone.post(&format!("{link}/2"), &no).await.goes_to(), format!("{link}/sign"));

    let other = phone.post(&format!("{link}/sign"), &[("name", "Sam Rivera")]).await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        other.body.contains("sign-name-error") && other.body.contains("not the name in the clinic"),
        "{}",
        other.body
    );
    for _double_tap in 0..2 {
        let signed = phone.post_again(&format!("{link}/sign"), "signs", &[("name", "Ana Rivera")]).await;
        assert!(signed.goes_to() == link || signed.status == StatusCode::GONE, "{}", signed.body);
    }
    assert_eq!(
        kinds(&clinic),
        ["consent_asked", "understanding_shown", "understanding_shown", "consent_refused", "consent_signed"]
    );
    assert!(phone.get(&link).await.body.contains("This link signs once and cannot be used again"));
    let late = phone.post(&format!("{link}/1"), &right).await;
    assert!(late.status == StatusCode::GONE && late.body.contains("cannot be used again"), "{}", late.body);
    let page = desk.get(&format!("{PATIENT}/consent")).await.body;
    assert!(
        page.contains("Version 1 signed") && page.contains("Refused") && page.contains("I would rather not"),
        "{page}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drawn_signature_signs_once_and_what_is_none_is_refused_beside_its_field() {
    let (clinic, desk) = clinic().await;
    let link = consent_link(&desk, PATIENT, &["consent_privacy"], USUAL).await;
    let (phone, sign) = (clinic.browser(), format!("{link}/sign"));
    assert_eq!(phone.post(&format!("{link}/1"), &[("say", "agree")]).await.goes_to(), sign);
    let (by, born) = (("by", "hand"), ("born", "1984-03-12"));
    let well = ("stroke", "10,20 90,120 40,60");
    let (long, many) = ("1,1 ".repeat(400), vec![("stroke", "1,1 60,60"); 101]);
    for (fields, place, words) in [
        (vec![by, born], "draw-stroke-error", "Nothing is drawn"),
        (vec![by, born, ("stroke", "300,100")], "draw-stroke-error", "Nothing is drawn"),
        (vec![by, born, well, ("stroke", "NaN,4")], "draw-stroke-error", "“NaN,4”, which is no point"),
        (
            vec![by, born, well, ("stroke", "9e99,4")],
            "draw-stroke-error",
            "0 to 600 across and 0 to 200 down",
        ),
        ([&[by, born][..], &many].concat(), "draw-stroke-error", "more than 100 strokes"),
        (
            [&[by, born][..], &vec![("stroke", &*long); 8]].concat(),
            "draw-stroke-error",
            "more than 3000 points",
        ),
        (vec![by, well], "draw-born-error", "Your day of birth is empty"),
        (vec![by, ("born", "1984-13-12"), well], "draw-born-error", "is not a day"),
        (vec![by, ("born", "1984-12-03"), well], "draw-born-error", "not the day of birth in the clinic"),
    ] {
        let refused = phone.post(&sign, &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{words}");
        let said = reasons(&refused.body);
        assert!(said.contains(words) && refused.body.contains(place), "{words}: {said}");
        let kept = fields.contains(&well) && !said.contains("no point");
        assert_eq!(refused.body.contains("d=\"M10,20 90,120 40,60\""), kept, "{words}");
    }
    for _double_tap in 0..2 {
        let signed = phone.post_again(&sign, "draws", &[by, born, well, ("stroke", "5,5 5,5")]).await;
        assert!(signed.goes_to() == link || signed.status == StatusCode::GONE, "{}", signed.body);
    }
    assert_eq!(kinds(&clinic), ["consent_asked", "understanding_shown", "consent_drawn"]);
    let page = desk.get(&format!("{PATIENT}/consent")).await.body;
    assert!(page.contains("signed") && page.contains("by hand, for"), "{page}");
    let paper = page.split("href=\"").find(|part| part.starts_with(&format!("{PATIENT}/consent/")));
    let paper = desk.get(paper.expect("a link").split('"').next().expect("a path")).await.body;
    assert!(paper.contains("d=\"M10,20 90,120 40,60M5,5 5,5\"") && paper.contains("it fits them"), "{paper}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_ended_or_was_touched_opens_nothing() {
    let (clinic, desk) = clinic().await;
    let link = consent_link(&desk, PATIENT, &["consent_driving"], USUAL).await;
    let phone = clinic.browser();
    let other = if link.ends_with('0') { '1' } else { '0' };
    assert_eq!(phone.get(&format!("{}{other}", &link[..link.len() - 1])).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        phone.get(&link.replace("/consent/", "/answer/")).await.status,
        StatusCode::NOT_FOUND,
        "another door"
    );
    clinic.minutes_pass(60 * 24 * 30);
    for answer in
        [phone.get(&link).await, phone.post(&format!("{link}/1"), &[("drive", "2"), ("say", "agree")]).await]
    {
        assert_eq!(answer.status, StatusCode::GONE);
        assert!(answer.body.contains("This link has ended"), "{}", answer.body);
    }
    assert_eq!(kinds(&clinic), ["consent_asked"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_answer_stands_beside_its_question_and_nothing_is_written() {
    let (clinic, desk) = clinic().await;
    let link = consent_link(&desk, PATIENT, &["consent_driving"], USUAL).await;
    let phone = clinic.browser();
    for (fields, words) in [
        (vec![("say", "agree")], "not answered yet"),
        (vec![("say", "agree"), ("drive", "9")], "accepted is 1 to 3"),
        (vec![("say", "agree"), ("drive", "x")], "accepted is 1 to 3"),
        (vec![("drive", "2")], "Say whether you agree"),
    ] {
        let refused = phone.post(&format!("{link}/1"), &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(refused.body.contains(words), "{words}: {}", refused.body);
    }
    for (fields, field) in [
        (vec![("band", "usual"), ("route", "vein")], "documents"),
        (vec![("band", "usual"), ("route", "vein"), ("documents", "consent_tarot")], "documents"),
        (vec![("band", "huge"), ("route", "vein"), ("documents", "consent_driving")], "band"),
        (vec![("band", "usual"), ("route", "ear"), ("documents", "consent_driving")], "route"),
    ] {
        let refused = desk.post(&format!("{PATIENT}/consent"), &fields).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(refused.body.contains(&format!("ask-{field}-error")), "{field}: {}", refused.body);
    }
    assert_eq!(kinds(&clinic), ["consent_asked"]);
    assert_eq!(desk.get("/patients/nobody/consent").await.status, StatusCode::NOT_FOUND);
}

/// A tablet in a patient's hand is locked for whoever handed it over.
#[tokio::test(flavor = "multi_thread")]
async fn a_tablet_that_is_handed_over_shows_the_documents_and_nothing_else() {
    let (clinic, _) = clinic().await;
    let nurse = clinic.signed_in("nurse");
    let fields = [("band", "usual"), ("route", "vein"), ("how", "tablet"), ("documents", "consent_driving")];
    let handed = nurse.post(&format!("{PATIENT}/consent"), &fields).await;
    let link = handed.goes_to().to_owned();
    assert!(link.starts_with("/consent/"), "{}", handed.body);
    let page = nurse.get(&format!("{link}/1")).await;
    assert!(page.status == StatusCode::OK && !page.body.contains("class=\"rail\""), "{}", page.body);
    let look = nurse.get(PATIENT).await;
    assert!(look.goes_to().starts_with("/unlock"), "{} {}", look.status, look.body);
    assert_eq!(
        nurse.post(&format!("{link}/1"), &[("drive", "2"), ("say", "agree")]).await.status,
        StatusCode::SEE_OTHER
    );
    assert_eq!(nurse.post(&format!("{link}/sign"), &[("name", "Ana Rivera")]).await.goes_to(), link);
    let log = clinic.app.store.stream("main", "consent/p-1").expect("log");
    assert_eq!(
        log.iter().map(|row| row.author.as_str()).collect::<Vec<_>>(),
        ["nurse", "patient-tablet", "patient-tablet"]
    );
    assert_eq!(nurse.post("/unlock", &[("pin", PIN)]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(nurse.get(PATIENT).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_signed_prints_word_for_word_with_version_and_digest() {
    let (clinic, desk) = clinic().await;
    agree(&desk, PATIENT, "usual").await;
    let page = desk.get(&format!("{PATIENT}/consent")).await.body;
    let path =
        page.split("href=\"").find(|part| part.starts_with(&format!("{PATIENT}/consent/"))).expect("a link");
    let paper = desk.get(path.split('"').next().expect("a path")).await.body;
    assert!(
        paper.contains("RIVERA, Ana") && paper.contains("up to 0.5 mg/kg, through a drip into a vein"),
        "{paper}"
    );
    for (document, _) in NEEDED {
        let words = clinic.app.knowledge.consent_text(document).expect("shipped");
        let digest = hex::encode(Sha256::digest(words.as_bytes()));
        assert!(paper.contains(&digest), "{document}");
        let line = words.lines().next().expect("a title");
        assert!(line.ends_with("version 1") && paper.contains(line), "{line}");
    }
    assert!(paper.contains("it fits them") && !paper.contains("DOES NOT FIT"), "{paper}");
    assert_eq!(
        clinic.signed_in("owner").get(&format!("{PATIENT}/consent")).await.status,
        StatusCode::FORBIDDEN
    );
}

/// Where the patient of a visit is, and the visit's id.
fn whose(visit: &Visit) -> (String, clinic::id::SessionId) {
    let id = clinic::id::SessionId::new(visit.id.as_str());
    let session = visit.clinic.app.floor.session(&id).expect("log").expect("session");
    (format!("/patients/{}", session.patient.expect("patient")), id)
}

async fn takes_back(visit: &Visit, document: &str) {
    let words = [("documents", document), ("words", "I have thought about it")];
    let done = visit.nurse().post(&format!("{}/consent/withdraw", whose(visit).0), &words).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", reasons(&done.body));
}

/// Hazard 85: the gate is answered from what was signed, whatever a form says.
#[tokio::test(flavor = "multi_thread")]
async fn the_gate_of_the_day_asks_the_patients_signature() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    let page = visit.nurse().get(&format!("/visit/{}", visit.id)).await.body;
    assert!(
        page.contains("Known from what the patient signed") && !page.contains("consent_age_months"),
        "{page}"
    );
    takes_back(&visit, "consent_driving").await;
    let lies =
        [("consent_covers_off_label", "yes"), ("consent_age_months", "1"), ("consent_said_again", "yes")];
    visit.take("gate/c03", &lies).await;
    let open = || {
        let session = visit.clinic.app.floor.session(&whose(&visit).1).expect("log").expect("session");
        let gates = clinic::session::gates::standing(&session, &visit.clinic.app.knowledge);
        gates.into_iter().find(|gate| gate.gate.as_str() == "c03").expect("a gate").open
    };
    assert!(!open().is_empty(), "the form said yes, the patient said no");
    agree(&visit.nurse(), &whose(&visit).0, "usual").await;
    visit.take("gate/c03", &[("consent_said_again", "yes")]).await;
    assert!(open().is_empty(), "{:?}", open());
}

/// Hazard 85: what was signed for another way in is asked again by name and answers no gate.
#[tokio::test(flavor = "multi_thread")]
async fn a_signature_for_another_route_is_asked_again() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    let (nurse, (patient, id)) = (visit.nurse(), whose(&visit));
    let (page, consents) = (format!("/visit/{}", visit.id), format!("{patient}/consent"));
    let open = || {
        let session = visit.clinic.app.floor.session(&id).expect("log").expect("session");
        let gates = clinic::session::gates::standing(&session, &visit.clinic.app.knowledge);
        !gates.into_iter().find(|gate| gate.gate.as_str() == "c03").expect("a gate").open.is_empty()
    };
    for (route, asked_again) in [("muscle", true), ("vein", false)] {
        agree_to(&nurse, &patient, ("usual", route)).await;
        let why = "to be signed again, signed for up to 0.5 mg/kg, as an injection into a muscle, asked is up to 0.5 mg/kg, through a drip into a vein";
        assert_eq!(nurse.get(&page).await.body.contains(why), asked_again, "{route}");
        assert_eq!(nurse.get(&consents).await.body.contains("To be signed again"), asked_again, "{route}");
        visit.take("gate/c03", &[("consent_said_again", "yes")]).await;
        assert_eq!(open(), asked_again, "{route}");
    }
}

/// Hazard 85: what is taken back after the gate was answered still holds.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_that_the_patient_has_taken_back() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    visit.gates().await;
    visit.ordered().await;
    visit.drawn().await;
    visit.take("second-check", &[&crate::walk::read()[..], &crate::walk::SIGNED].concat()).await;
    visit.take("pump-program", &crate::walk::display()).await;
    visit.take("time-out", &crate::walk::said_aloud()).await;
    takes_back(&visit, "consent_risks").await;
    visit.refuse("start", &[("counter", "0")], "the patient has taken it back").await;
    let page = visit.nurse().get(&visit.path("preparation")).await.body;
    assert!(page.contains("the patient has taken it back"), "{page}");
    agree(&visit.nurse(), &whose(&visit).0, "raised").await;
    visit.take("start", &[("counter", "0")]).await;
    stop(&visit).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_to_expect_is_public_and_names_its_evidence() {
    let clinic = Clinic::open();
    let anybody = clinic.browser();
    let list = anybody.get("/what-to-expect").await.body;
    for item in clinic.app.knowledge.expect.iter().filter(|item| !item.body.page.is_empty()) {
        let path = format!("/what-to-expect/{}", item.body.page);
        assert!(list.contains(&path), "{path}");
        let page = anybody.get(&path).await;
        assert_eq!(page.status, StatusCode::OK);
        let shown = page.body.matches("<small class=\"quiet\">").count();
        let shared: usize = clinic.app.knowledge.expected_by_all().map(|all| all.body.claims().count()).sum();
        assert_eq!(shown, item.body.claims().count() + shared, "{path}: a claim without its evidence");
    }
    assert_eq!(anybody.get("/what-to-expect/tarot").await.status, StatusCode::NOT_FOUND);
    assert_eq!(anybody.get("/what-to-expect/").await.status, StatusCode::NOT_FOUND);
}

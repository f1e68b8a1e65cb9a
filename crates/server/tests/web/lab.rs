//! The simulation lab from outside: what its addresses hold, and what they never hold.

use super::support::Clinic;
use axum::http::StatusCode;

const QUESTION: [(&str, &str); 4] =
    [("r1", "0.5 mg/kg over 40 min"), ("m", "kamp_meta2020"), ("weight", "70"), ("until", "120")];
const LEVELS: &str = "time_min,analyte,value,unit\r\n40,cp,183.25,ng/mL";

#[tokio::test]
async fn a_patients_levels_are_drawn_and_stand_in_no_address_and_no_log() {
    let clinic = Clinic::open();
    let prescriber = clinic.signed_in("prescriber");
    let before = clinic.head();
    let with_levels = [&QUESTION[..], &[("measured", LEVELS), ("site", "venous")]].concat();
    let answer = prescriber.post("/lab", &with_levels).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.goes_to(), "");
    assert!(answer.body.contains("measured in venous blood: 1 levels"), "drawn apart");
    assert!(answer.body.contains("cannot judge kamp_meta2020, which describes arterial blood"));
    let addresses: Vec<&str> = answer
        .body
        .split(" href=\"")
        .chain(answer.body.split(" action=\""))
        .filter_map(|part| part.split('"').next())
        .collect();
    let shared = addresses.iter().filter(|address| address.starts_with("/lab?r1=0.5")).count();
    assert!(shared >= 1 && addresses.iter().all(|address| !address.contains("183")), "{addresses:?}");
    // An address that holds levels, as an old one may, draws none.
    let old = prescriber.get("/lab?r1=35+mg+over+40+min&m=kamp_meta2020&weight=70&until=120&measured=time_min%2Canalyte%2Cvalue%2Cunit%0A40%2Ccp%2C183.25%2Cng%2FmL").await;
    assert_eq!(old.status, StatusCode::OK);
    assert!(!old.body.contains("measured in"));
    assert_eq!(clinic.head(), before, "nothing of it is written down");
}

#[tokio::test]
async fn a_question_without_levels_goes_to_its_address_and_a_wrong_level_back_to_its_field() {
    let clinic = Clinic::open();
    let prescriber = clinic.signed_in("prescriber");
    let answer = prescriber.post("/lab", &QUESTION).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    assert_eq!(
        answer.goes_to(),
        "/lab?r1=0.5+mg%2Fkg+over+40+min&m=kamp_meta2020&weight=70&until=120#results"
    );
    let wrong = [&QUESTION[..], &[("measured", "time_min,analyte,value,unit\n40,cp,5,ng/mL\n20,cp,5,ng/mL")]]
        .concat();
    let refused = prescriber.post("/lab", &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.body.contains("line 3: 20 min of ketamine comes after 40 min"), "{}", refused.body);
}

use super::*;
use crate::id::StaffId;
use crate::knowledge::Knowledge;
use proptest::prelude::*;
use std::sync::OnceLock;

fn intake() -> &'static Intake {
    static INTAKE: OnceLock<Intake> = OnceLock::new();
    INTAKE.get_or_init(|| Knowledge::shipped().expect("the shipped knowledge holds").intake().clone())
}

fn ana() -> Inquiry {
    Inquiry {
        name: "Ana Rivera".to_owned(),
        phone: "+1 555 0100".to_owned(),
        email: String::new(),
        conditions: vec!["depression".to_owned()],
        goals: "sleep again".to_owned(),
        treatments: String::new(),
        exclusions: Exclusions::None,
        crisis: Crisis::No,
    }
}

fn heart() -> Exclusions {
    Exclusions::These(vec!["heart".to_owned()])
}

fn as_role(role: Role) -> Actor {
    Actor { id: StaffId::new("kim"), role }
}

fn received(inquiry: Inquiry) -> Care {
    let event = receive(inquiry, intake()).expect("it is whole");
    Care::default().evolve(&event, Timestamp::UNIX_EPOCH)
}

fn done(care: Care, command: Command, role: Role) -> Care {
    let event = decide(&care, command, &as_role(role)).expect("it may");
    care.evolve(&event, Timestamp::UNIX_EPOCH)
}

fn sent(to: Way) -> Command {
    Command::Triage { to, reason: "spoke by phone".to_owned() }
}

fn fields(inquiry: Inquiry) -> Vec<&'static str> {
    receive(inquiry, intake()).expect_err("refused").iter().map(Refusal::field).collect()
}

#[test]
fn what_is_missing_or_too_long_is_named_all_at_once() {
    let nothing = Inquiry {
        name: " ".to_owned(),
        phone: String::new(),
        conditions: Vec::new(),
        exclusions: Exclusions::NotAnswered,
        ..ana()
    };
    assert_eq!(fields(nothing), ["name", "phone", "conditions", "exclusions"]);
    for letter in ["x", "é", "王", "א", "🌍"] {
        assert!(receive(Inquiry { name: letter.repeat(200), ..ana() }, intake()).is_ok());
        let long = receive(Inquiry { name: letter.repeat(300), ..ana() }, intake());
        assert_eq!(long, Err(vec![Refusal::TooLong { field: "name", length: 300, most: 200 }]));
    }
    assert_eq!(fields(Inquiry { goals: "x".repeat(2_001), ..ana() }), ["goals"]);
    assert_eq!(fields(Inquiry { name: "Ana\nRivera".to_owned(), ..ana() }), ["name"]);
    assert_eq!(fields(Inquiry { phone: "none".to_owned(), ..ana() }), ["phone"]);
    for wrong in ["ana", "ana@", "@example.org", "ana@example", "a na@example.org", "a@b@c.org"] {
        assert_eq!(fields(Inquiry { email: wrong.to_owned(), ..ana() }), ["email"], "{wrong}");
    }
    assert_eq!(fields(Inquiry { conditions: vec!["<b>".to_owned()], ..ana() }), ["conditions"]);
    assert_eq!(
        fields(Inquiry { exclusions: Exclusions::These(vec!["nothing".to_owned()]), ..ana() }),
        ["exclusions"]
    );
}

#[test]
fn somebody_in_danger_need_not_fill_in_a_form() {
    for crisis in [Crisis::Thoughts, Crisis::Danger] {
        let bare = Inquiry {
            name: String::new(),
            phone: String::new(),
            conditions: Vec::new(),
            exclusions: Exclusions::NotAnswered,
            crisis,
            ..ana()
        };
        let care = received(bare);
        assert_eq!(care.flags, [crisis.text(), "exclusions not answered"]);
        assert!(!care.inquiry.expect("it was said").can_be_reached());
    }
    assert_eq!(fields(Inquiry { name: "x".repeat(201), crisis: Crisis::Danger, ..ana() }), ["name"]);
}

/// Hazard 141: a call for help does not wait for the digits of a phone number.
#[test]
fn a_slip_in_the_contact_keeps_no_call_for_help_waiting() {
    for (phone, email, doubtful) in [
        ("12", "", [true, false]),
        ("+1 555 0100", "ana@", [false, true]),
        ("+1 555 0100", "", [false, false]),
    ] {
        let slipped = Inquiry { phone: phone.to_owned(), email: email.to_owned(), ..ana() };
        assert_eq!(slipped.contact_doubtful(), doubtful, "{phone} {email}");
        for crisis in [Crisis::Thoughts, Crisis::Danger] {
            let kept = received(Inquiry { crisis, ..slipped.clone() }).inquiry.expect("it was said");
            assert_eq!((kept.phone.as_str(), kept.email.as_str()), (phone, email));
        }
        assert_eq!(
            receive(slipped, intake()).is_err(),
            doubtful.contains(&true),
            "a plain one is asked again"
        );
    }
}

#[test]
fn a_plain_inquiry_goes_from_the_front_desk_to_a_patient_and_ends() {
    let care = done(received(ana()), sent(Way::Consultation), Role::FrontDesk);
    let patient = PatientId::new("p1");
    let care = done(care, Command::Register { patient: patient.clone() }, Role::FrontDesk);
    assert_eq!((care.stage, care.patient.as_ref()), (Stage::Registered, Some(&patient)));
    let again = decide(&care, sent(Way::Redirect), &as_role(Role::FrontDesk));
    assert!(matches!(again, Err(Refusal::WrongStage { stage: "registered", .. })));
    let care = done(care, Command::Close { reason: "moved away".to_owned() }, Role::Nurse);
    assert_eq!(care.stage, Stage::Closed);
    assert!(decide(&care, Command::Close { reason: "again".to_owned() }, &as_role(Role::Nurse)).is_err());
}

#[test]
fn a_decision_has_a_reason_and_a_role_and_registration_comes_after_triage() {
    let care = received(ana());
    let register = Command::Register { patient: PatientId::new("p1") };
    assert!(matches!(decide(&care, register, &as_role(Role::FrontDesk)), Err(Refusal::WrongStage { .. })));
    for reason in ["", "ok", &"x".repeat(2_001)] {
        let command = Command::Triage { to: Way::Redirect, reason: reason.to_owned() };
        assert_eq!(decide(&care, command, &as_role(Role::FrontDesk)).expect_err("refused").field(), "reason");
    }
    for role in [Role::Owner, Role::Therapist, Role::Machine] {
        assert!(matches!(
            decide(&care, sent(Way::Redirect), &as_role(role)),
            Err(Refusal::NotAllowed { .. })
        ));
    }
}

#[test]
fn what_a_clinician_decided_the_front_desk_carries_out() {
    let care = received(Inquiry { exclusions: heart(), ..ana() });
    let desk = as_role(Role::FrontDesk);
    assert!(matches!(decide(&care, sent(Way::Consultation), &desk), Err(Refusal::ClinicianDecides)));
    let care = done(care, sent(Way::ClinicalReview), Role::FrontDesk);
    let care = done(care, sent(Way::Consultation), Role::Nurse);
    let care = done(care, Command::Register { patient: PatientId::new("p1") }, Role::FrontDesk);
    assert_eq!(care.stage, Stage::Registered);
}

#[test]
fn an_event_answers_the_command_that_it_came_from_and_no_other() {
    let care = received(ana());
    let spoken = || Command::Triage { to: Way::Redirect, reason: " spoke by phone ".to_owned() };
    let event = decide(&care, spoken(), &as_role(Role::Nurse)).expect("it may");
    assert!(event.answers(&spoken()));
    assert!(!event.answers(&sent(Way::Consultation)));
    assert!(!event.answers(&Command::Triage { to: Way::Redirect, reason: "wrote".to_owned() }));
    assert!(!event.answers(&Command::Close { reason: "spoke by phone".to_owned() }));
}

proptest! {
    /// Whatever the front desk tries, and in whatever order, what a person answered is not decided by it.
    #[test]
    fn the_front_desk_never_decides_clinically(
        crisis in 0_u8..3, flagged in any::<bool>(), tries in prop::collection::vec(0_u8..5, 1..30),
    ) {
        let crisis = match crisis { 0 => Crisis::No, 1 => Crisis::Thoughts, _ => Crisis::Danger };
        prop_assume!(flagged || crisis.calls());
        let exclusions = if flagged { heart() } else { Exclusions::None };
        let mut care = received(Inquiry { crisis, exclusions, ..ana() });
        for one in tries {
            let command = match one {
                0 => sent(Way::Consultation),
                1 => sent(Way::ClinicalReview),
                2 => sent(Way::Redirect),
                3 => Command::Register { patient: PatientId::new("p1") },
                _ => Command::Close { reason: "no answer".to_owned() },
            };
            if let Ok(event) = decide(&care, command, &as_role(Role::FrontDesk)) {
                care = care.evolve(&event, Timestamp::UNIX_EPOCH);
            }
            prop_assert!(matches!(care.stage, Stage::Received | Stage::ClinicalReview), "{:?}", care.stage);
        }
    }
}

/// Shapes that stand in logs: a failing line here means that old logs can no longer be read.
#[test]
fn every_event_shape_ever_written_is_still_read() {
    for text in [
        r#"{"kind":"inquiry_received","inquiry":{"name":"Ana","phone":"","email":"","conditions":["depression"],"goals":"","treatments":"","exclusions":{"these":["heart"]},"crisis":"danger"},"flags":["in danger now"]}"#,
        r#"{"kind":"inquiry_received","inquiry":{"name":"Ana","phone":"","email":"","conditions":[],"goals":"","treatments":"","exclusions":"not_answered","crisis":"thoughts"},"flags":[]}"#,
        r#"{"kind":"inquiry_triaged","to":"clinical_review","reason":"heart","role":"front_desk"}"#,
        r#"{"kind":"inquiry_registered","patient":"p1"}"#,
        r#"{"kind":"inquiry_closed","reason":"moved away"}"#,
    ] {
        let event: Event = serde_json::from_str(text).expect(text);
        assert_eq!(serde_json::to_string(&event).expect("json"), text);
    }
}

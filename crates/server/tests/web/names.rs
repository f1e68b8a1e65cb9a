//! People stand in what pages say by their names, with the time of the clinic's clocks; the log keeps ids.

use crate::support::{PASSWORD, PIN};
use crate::walk::{SIGNED, Visit, display, order, read, reasons, said_aloud};
use clinic::id::StaffId;
use clinic::staff::Role;
use server::auth::accounts::NewStaff;

impl Visit {
    /// Somebody whose user name is not the name.
    fn hired(&self, user: &str, name: &str, role: Role) {
        let (user, name, password) = (user.to_owned(), name.to_owned(), PASSWORD.to_owned());
        let person = NewStaff { user, name, roles: vec![role], password, pin: Some(PIN.to_owned()) };
        let hired = person.user.clone();
        self.clinic.app.auth.accounts().add(person, &StaffId::new("owner"), &hired).expect("added");
    }
}

/// Hazard 177: who was faster is somebody to ask, and no user name.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_faster_is_told_by_name_and_time() {
    let visit = Visit::planned().await;
    visit.hired("kim2", "Kim Nguyen, RN", Role::Nurse);
    visit.hired("osei", "Dr. Ama Osei", Role::Prescriber);
    visit.checked_in().await;
    visit.gates().await;
    let signed = [&order()[..], &[("user", "osei"), ("pin", PIN)]].concat();
    visit.take("order", &signed).await;
    visit.refuse("order", &[&order()[..], &SIGNED].concat(), "Dr. Ama Osei signed the same order, 41").await;
    visit.drawn().await;
    visit.take("second-check", &[&read()[..], &SIGNED].concat()).await;
    visit.take("pump-program", &display()).await;
    visit.take("time-out", &said_aloud()).await;
    visit.take("start", &[("counter", "0")]).await;
    let pause = [("session", visit.id.as_str())];
    let paused = visit.clinic.signed_in("kim2").post("/chair/3/pause", &pause).await;
    assert!(paused.status.is_redirection(), "{}", paused.body);
    visit.clinic.minutes_pass(2);
    let written = visit.written();
    let again = visit.nurse().post("/chair/3/pause", &pause).await;
    let told = reasons(&again.body);
    assert_eq!(again.status.as_u16(), 422, "{told}");
    assert!(told.contains("Kim Nguyen, RN paused the infusion at 09:00: that stands"), "{told}");
    assert!(!told.contains("kim2"), "{told}");
    assert_eq!(visit.written(), written);
}

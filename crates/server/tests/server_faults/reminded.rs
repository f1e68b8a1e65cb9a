//! The program is killed while a reminder is on its way.

use super::PROGRAM;
use super::outside::http::{Client, Login};
use super::outside::{Folder, Server, pause};
use super::smtp::{MailServer, Manner};
use clinic::course::Booked;
use clinic::course::diary;
use clinic::id::{CommandId, CourseId, PatientId, StaffId};
use clinic::patient::{Allergies, Patient};
use clinic::staff::{Actor, Role};
use jiff::{SignedDuration, Timestamp};
use server::AppState;
use server::auth::accounts::NewStaff;
use server::clock::{Clock, Ids};
use server::config::Config;
use server::founding::Purpose;
use std::path::{Path, PathBuf};
use std::time::Duration;
use store::{Append, NewEvent, StreamWrite};
use tokio::sync::watch;

fn settings(data: &Path, mail: &MailServer) -> PathBuf {
    let path = data.join("chairside.toml");
    let text = format!(
        "chairs = 2\nreserve_mib = 0\n[mail]\nserver = \"127.0.0.1\"\nport = {}\nsecurity = \"none\"\nfrom = \"Clinic <desk@example.org>\"\n",
        mail.at.port()
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn desk() -> Actor {
    Actor { id: StaffId::new("robin"), role: Role::FrontDesk }
}

/// A patient who agreed to be reminded and comes tomorrow.
fn comes(app: &AppState, id: &str, start: Timestamp) {
    let patient = PatientId::new(id);
    let person = Patient {
        mrn: format!("mrn-{id}"),
        family: "Rivera".to_owned(),
        given: "Ana".to_owned(),
        born: "1984-03-12".parse().unwrap(),
        sex: "f".to_owned(),
        allergies: Allergies::NoneKnown,
    };
    let command = |what: &str| CommandId::new(format!("{what}-{id}"));
    app.floor.register(&command("register"), &desk(), &patient, (person, true)).unwrap();
    let email = format!("{id}@example.org");
    app.floor.agree_reminders(&patient, &command("agree"), &desk(), Some(&email)).unwrap();
    let visits = vec![Booked::between(start, start + SignedDuration::from_hours(2))];
    let event = diary::Event::VisitsHeld { course: CourseId::new(format!("{id}-1")), patient, visits };
    let (kind, body) = ("visits_held".to_owned(), serde_json::to_string(&event).unwrap());
    let stream = format!("calendar/{}", start.to_zoned(jiff::tz::TimeZone::UTC).date());
    let writes = vec![StreamWrite { stream, expected: None, events: vec![NewEvent { kind, body }] }];
    let (site, author) = ("main".to_owned(), "robin".to_owned());
    let (command_id, at_us) = (format!("book-{id}"), app.clock.now().as_microsecond());
    app.store
        .append(Append { site, command_id, author, at_us, writes, reply: String::new(), closing: false })
        .unwrap();
}

/// Hazard 73: killed by SIGKILL when the mail server has the mail and has not answered, the program reminds nobody
/// twice; who comes after is reminded, and the calendar says what is not known.
#[test]
fn a_reminder_that_was_on_its_way_when_the_program_was_killed_is_not_sent_again() {
    let mail = MailServer::open(Manner::Breaks(60));
    let folder = Folder::new("reminded");
    let config = settings(&folder.0, &mail);
    let start = Clock::system().now() + SignedDuration::from_hours(26);
    let login = {
        let config = Config { data: folder.0.clone(), ..Config::read(&config).unwrap() };
        let clock = Clock::system();
        let (_, stopping) = watch::channel(false);
        let app = AppState::open(config, clock.clone(), Ids::system(clock), stopping).unwrap();
        let (password, pin) = ("quiet morning at the river".to_owned(), Some("270415".to_owned()));
        let (user, name) = ("robin".to_owned(), "Robin Falk".to_owned());
        let robin = NewStaff { user, name, roles: vec![Role::Owner, Role::FrontDesk], password, pin };
        app.auth.accounts().found(robin, Purpose::Care, "founding").unwrap();
        comes(&app, "ana", start);
        let token = app.auth.logins().open(&StaffId::new("robin"), |_| ());
        let csrf = app.auth.admit(&token, true).unwrap().unwrap().csrf;
        Login { token, csrf }
    };
    let mut server = Server::start(Path::new(PROGRAM), &config, &folder.0);
    assert!(mail.next().contains("ana@example.org"));
    server.kill();
    mail.now(Manner::Takes);
    for _ in 0..2 {
        server = Server::start(Path::new(PROGRAM), &config, &folder.0);
        // A round comes with the start, the next after half a minute.
        pause(Duration::from_secs(3));
        server.kill();
    }
    {
        let config = Config { data: folder.0.clone(), ..Config::read(&config).unwrap() };
        let clock = Clock::system();
        let (_, stopping) = watch::channel(false);
        let app = AppState::open(config, clock.clone(), Ids::system(clock), stopping).unwrap();
        comes(&app, "ben", start + SignedDuration::from_hours(3));
    }
    let server = Server::start(Path::new(PROGRAM), &config, &folder.0);
    let next = mail.next();
    assert!(next.contains("ben@example.org") && !next.contains("ana@example.org"), "{next}");
    assert_eq!(mail.taken(), Vec::<String>::new());
    let day = start.to_zoned(jiff::tz::TimeZone::UTC).date();
    let (status, page) = Client::new(server.pages, Some(login)).get(&format!("/calendar?day={day}")).unwrap();
    assert_eq!(status, 200);
    assert!(page.contains("being sent") || page.contains("not known whether it was sent"), "{page}");
}

//! A clinic in a temporary folder with a real log, and visits told into it through the floor.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use clinic::device::Parameter;
use clinic::id::{ChairId, CommandId, PatientId, RuleId, SessionId, StaffId};
use clinic::knowledge::Knowledge;
use clinic::patient::{Allergies, Patient};
use clinic::quantity::Tenths;
use clinic::scenario::Scenario;
use clinic::session::{Command, Finding, Observation};
use clinic::staff::{Actor, Role};
use jiff::SignedDuration;
use jiff::tz::TimeZone;
use server::AppState;
use server::auth::staff::StaffEvent;
use server::cli::replay;
use server::clock::{Clock, Ids};
use server::config::Config;
use server::record::{self, History, Sheet};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;
use store::{Append, NewEvent, StreamWrite};
use tower::ServiceExt;

/// The visit that everything here is about.
pub const VISIT: &str = "visit-1";

pub struct Clinic {
    pub app: AppState,
    pub clock: Clock,
    folder: PathBuf,
}

impl Drop for Clinic {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Clinic {
    /// A clinic where nothing has happened yet.
    pub fn open() -> Self {
        let folder = std::env::temp_dir().join(format!("chairside-record-{}", server::clock::secret_token()));
        std::fs::create_dir_all(&folder).expect("folder");
        let clock = Clock::held("2026-03-02T09:00:00Z".parse().expect("a time"));
        let config = Config { data: folder.clone(), reserve_mib: 0, ..Config::default() };
        let (_, stopping) = tokio::sync::watch::channel(false);
        let app =
            AppState::open(config, clock.clone(), Ids::seeded(clock.clone(), 7), stopping).expect("open");
        Self { app, clock, folder }
    }

    /// A person who works here, as the log has them; nobody here types a password, so none is hashed.
    pub fn add(&self, user: &str, name: &str, role: Role) {
        let events = [StaffEvent::StaffAdded { name: name.to_owned() }, StaffEvent::RoleGranted { role }];
        let new = |event: &StaffEvent| NewEvent {
            kind: event.kind().to_owned(),
            body: serde_json::to_string(event).expect("json"),
        };
        self.append(user, vec![(format!("staff/{user}"), Some(0), events.iter().map(new).collect())]);
    }

    /// The clinic after a visit as a scenario tells it, each step through the floor into the log.
    pub fn after(scenario: &str) -> Self {
        Self::played(scenario, |_| false)
    }

    /// The same up to the moment at which its infusion begins.
    pub fn infusing(scenario: &str) -> Self {
        Self::played(scenario, |clinic| clinic.is_infusing())
    }

    /// The same up to the moment at which its order is signed.
    pub fn ordered(scenario: &str) -> Self {
        Self::played(scenario, |clinic| {
            let session = clinic.app.floor.session(&SessionId::new(VISIT)).expect("the log");
            session.is_some_and(|session| session.order.is_some())
        })
    }

    fn is_infusing(&self) -> bool {
        let session = self.app.floor.session(&SessionId::new(VISIT)).expect("the log");
        session.is_some_and(|session| session.delivery.started().is_some())
    }

    fn played(scenario: &str, is_far_enough: impl Fn(&Self) -> bool) -> Self {
        let clinic = Self::open();
        clinic.add("kim", "Kim Nguyen, RN", Role::Nurse);
        clinic.add("lee", "Lee Park, RN", Role::Nurse);
        clinic.add("osei", "Dr. Ama Osei", Role::Prescriber);
        clinic.add("desk", "Dee Desk", Role::FrontDesk);
        clinic.register();
        let text = std::fs::read_to_string(format!(
            "{}/../clinic/tests/scenarios/{scenario}.toml",
            env!("CARGO_MANIFEST_DIR")
        ));
        let scenario = Scenario::read(&text.expect("the scenario")).expect("a scenario");
        for (n, step) in scenario.steps.iter().enumerate() {
            clinic.wait_until(&scenario, &step.at);
            let actor = Actor { id: StaffId::new(&step.by), role: scenario.people[&step.by] };
            let done =
                clinic.act(&format!("step-{n}"), &actor, step.command.clone().expect("an act of the visit"));
            assert_eq!(done.is_err(), step.refused.is_some(), "step {}: {done:?}", n + 1);
            if is_far_enough(&clinic) {
                break;
            }
        }
        clinic
    }

    pub fn register(&self) {
        let ana = Patient {
            mrn: "004217".to_owned(),
            family: "Rivera".to_owned(),
            given: "Ana".to_owned(),
            born: jiff::civil::date(1984, 3, 12),
            sex: "m".to_owned(),
            allergies: Allergies::Known(vec!["latex".to_owned()]),
        };
        let desk = Actor { id: StaffId::new("desk"), role: Role::FrontDesk };
        self.app
            .floor
            .register(&CommandId::new("ana"), &desk, &PatientId::new("p1"), (ana.clone(), false))
            .expect("registered");
        server::demo::sign_consent(&self.app.floor, &PatientId::new("p1"), &ana).expect("signed");
    }

    /// The clinic with one patient at a chair and a note written: enough for what needs no infusion.
    pub fn arrived() -> Self {
        let clinic = Self::open();
        clinic.add("kim", "Kim Nguyen, RN", Role::Nurse);
        clinic.register();
        let plan = Command::Plan {
            patient: PatientId::new("p1"),
            regimen: RuleId::new("mdd_trd_std"),
            infusion: 1,
            of: 6,
            day: jiff::civil::date(2026, 3, 2),
        };
        let check_in = Command::CheckIn { chair: ChairId::new("3") };
        let vitals = Command::Chart(Observation::by_eye(
            clinic.clock.now(),
            Finding::Vitals {
                values: BTreeMap::from([
                    (Parameter::Systolic, Tenths::whole(148)),
                    (Parameter::Diastolic, Tenths::whole(88)),
                    (Parameter::HeartRate, Tenths::whole(82)),
                ]),
            },
        ));
        let note = Command::Note { text: "came early".to_owned() };
        for (n, command) in [plan, check_in, vitals, note].into_iter().enumerate() {
            clinic.act(&format!("step-{n}"), &kim(), command).expect("done");
        }
        clinic
    }

    pub fn act(&self, command_id: &str, actor: &Actor, command: Command) -> Result<(), String> {
        let done = self.app.floor.act(&SessionId::new(VISIT), &CommandId::new(command_id), actor, command);
        self.app.floor.round();
        self.app.floor.keep();
        done.map(|_| ()).map_err(|denied| denied.to_string())
    }

    pub fn wait_until(&self, scenario: &Scenario, at: &str) {
        let (minutes, seconds) = at.split_once(':').expect("12:30");
        let seconds =
            minutes.parse::<i64>().expect("minutes") * 60 + seconds.parse::<i64>().expect("seconds");
        let wait = scenario.start + SignedDuration::from_secs(seconds) - self.clock.now();
        if let Ok(wait) = Duration::try_from(SignedDuration::try_from(wait).expect("a duration")) {
            self.clock.advance(wait);
        }
    }

    pub fn history(&self) -> History {
        History::read(&self.app.store, "main", &SessionId::new(VISIT)).expect("the log").expect("the visit")
    }

    pub fn sheet(&self) -> Sheet {
        record::collect(
            &self.history(),
            &self.app.knowledge,
            &TimeZone::get("America/Denver").expect("a zone"),
        )
    }

    pub fn router(&self) -> Router {
        server::router(self.app.clone())
    }

    pub fn cookie(&self, user: &str) -> String {
        format!("chairside={}", self.app.auth.logins().open(&StaffId::new(user), |_| ()))
    }

    pub async fn get(&self, user: &str, path: &str) -> (StatusCode, String, Vec<u8>) {
        let request = Request::get(path).header(header::COOKIE, self.cookie(user)).body(Body::empty());
        let response = self.router().oneshot(request.expect("a request")).await.expect("an answer");
        let status = response.status();
        let kind = response
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok())
            .unwrap_or("")
            .to_owned();
        (status, kind, to_bytes(response.into_body(), 1 << 23).await.expect("a body").to_vec())
    }

    /// Writes into the log past the core, as a forger with the program's own hands would.
    pub fn forge(&self, command_id: &str, writes: Vec<(&str, Option<i64>, &str, String)>) {
        let write = |(stream, expected, kind, body): (&str, Option<i64>, &str, String)| {
            (format!("{stream}/{VISIT}"), expected, vec![NewEvent { kind: kind.to_owned(), body }])
        };
        self.append(command_id, writes.into_iter().map(write).collect());
    }

    pub fn append(&self, command_id: &str, writes: Vec<(String, Option<i64>, Vec<NewEvent>)>) {
        let writes =
            writes.into_iter().map(|(stream, expected, events)| StreamWrite { stream, expected, events });
        self.app
            .store
            .append(Append {
                site: "main".to_owned(),
                command_id: command_id.to_owned(),
                author: "kim".to_owned(),
                at_us: self.clock.now().as_microsecond(),
                writes: writes.collect(),
                reply: String::new(),
                closing: false,
            })
            .expect("recorded");
    }

    pub fn version(&self) -> i64 {
        self.app.store.version("main", &format!("session/{VISIT}")).expect("the log")
    }

    pub fn replay(&self) -> Result<replay::Again, replay::NotTheSame> {
        self.replay_by(&self.app.knowledge)
    }

    pub fn replay_by(&self, knowledge: &Knowledge) -> Result<replay::Again, replay::NotTheSame> {
        Ok(replay::again(&self.app.store, "main", VISIT, knowledge)?.expect("the visit"))
    }
}

pub fn kim() -> Actor {
    Actor { id: StaffId::new("kim"), role: Role::Nurse }
}

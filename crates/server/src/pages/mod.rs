//! Pages: one file each, one line each in [`ALL`]. The router is built from that list and from nothing else.

pub mod about;
pub mod account;
mod address;
pub mod alarms;
pub mod answer;
pub mod board;
pub mod booking;
pub mod calendar;
pub mod care_plan;
pub mod chair;
mod chair_data;
mod chair_view;
pub mod consent;
mod consenting;
pub mod consultation;
pub mod course;
pub mod details;
pub mod devices;
pub mod discharge;
mod earlier;
pub mod entry;
pub mod error;
mod estimate;
mod expect;
pub mod feed;
pub mod home;
pub mod inquiries;
pub mod inquiry;
mod items;
pub mod lab;
pub mod live;
pub mod mine;
pub mod not_found;
pub mod order;
pub mod outcomes;
mod page;
pub mod patient_page;
pub mod patients;
pub mod preparation;
mod prices;
pub mod record;
mod room;
pub mod roster;
pub mod scores;
pub mod second_check;
pub mod sheets;
pub mod sign_in;
pub mod sign_out;
pub mod staff;
pub mod tasks;
pub mod theme;
mod together;
mod trajectory;
pub mod unlock;
pub mod visit;
pub mod waiting;
mod watch;
pub mod worklist;

pub use address::{cookie, encoded, local_path};
pub use error::Error;
pub use page::{FieldError, Kept, NavItem, Page};
pub use theme::Theme;

use crate::AppState;
use crate::assets;
use crate::auth::gate::{Gate, gate};
use crate::auth::privilege::Privilege;
use crate::auth::staff::Account;
use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any, on};

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, signed in or not.
    Public,
    /// Anybody signed in, even with locked controls.
    SignedIn,
    /// Signed in, with the privilege, with open controls unless the privilege stays in view.
    Needs(Privilege),
    /// Asked by a page by itself (live stream, heartbeat): needs the privilege, keeps no controls open and is not
    /// stopped by a lock. Carries the token in `x-csrf-token`, and no command id.
    Background(Privilege),
}

/// What a route answers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verb {
    /// Shows.
    Get,
    /// Acts.
    Post,
}

impl Verb {
    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
        }
    }
}

/// One way in.
pub struct Route {
    /// Path pattern.
    pub path: &'static str,
    /// Shows or acts.
    pub verb: Verb,
    /// Who may.
    pub access: Access,
    /// Its place in the rail, if it has one; the first a person may open is where they land.
    pub nav: Option<&'static str>,
    /// The handler for the verb.
    pub handler: fn(MethodFilter) -> MethodRouter<AppState>,
}

impl Route {
    /// The form comes back with what is wrong also where a text cannot stand in a record: every form of a visit goes
    /// one way.
    pub fn draws_again(&self) -> bool {
        self.path.starts_with("/visit/") || self.takes_a_part()
    }

    /// Whether the beginning of a form that is too long is looked at: it may call for help.
    pub fn takes_a_part(&self) -> bool {
        self.path == inquiry::PATH
    }
}

/// Every way in. To add a page: its file, its template, and a line here.
pub const ALL: &[Route] = {
    use Access::{Background, Needs, Public, SignedIn};
    use Privilege::{
        AnswerAlarm, AskConsent, Assess, BookVisits, Chart, CheckIn, Discharge, EnterScale, FindPatient,
        GiveRescueDrug, KeepCarePlan, ManageStaff, NoteAdverseEvent, OpenCarePlan, OpenConsultation,
        OpenCourse, OpenInquiry, OpenScores, OwnAccount, PlaceDevice, PlanDuty, PrepareDrug, RunInfusion,
        SecondCheck, SeeCalendar, SeeOutcomes, SeeTasks, SeeToTask, SeeWorklist, SetLimits, SetPrices,
        SortInquiry, StopInfusion, UseLab, WatchRoom, WriteTherapyNote,
    };
    use Verb::{Get, Post};
    const fn route(
        path: &'static str,
        verb: Verb,
        access: Access,
        nav: Option<&'static str>,
        handler: fn(MethodFilter) -> MethodRouter<AppState>,
    ) -> Route {
        Route { path, verb, access, nav, handler }
    }
    &[
        route("/", Get, Public, None, |verb| on(verb, home::go)),
        route("/board", Get, Needs(WatchRoom), Some("Board"), |verb| on(verb, board::show)),
        route("/board/chair/{n}", Get, Background(WatchRoom), None, |verb| on(verb, board::one)),
        route("/chair/{n}", Get, Needs(WatchRoom), None, |verb| on(verb, chair::show)),
        route("/chair/{n}/infusion", Get, Background(WatchRoom), None, |verb| on(verb, chair::infusion)),
        route("/chair/{n}/actions", Get, Background(WatchRoom), None, |verb| on(verb, chair::actions)),
        route("/chair/{n}/events", Get, Background(WatchRoom), None, |verb| on(verb, chair::events)),
        route("/chair/{n}/vitals", Get, Needs(Chart), None, |verb| on(verb, chair::pad)),
        route("/chair/{n}/vitals", Post, Needs(Chart), None, |verb| on(verb, chair::chart_vitals)),
        route("/chair/{n}/observations", Post, Needs(Chart), None, |verb| on(verb, chair::chart_scale)),
        route("/chair/{n}/pause", Post, Needs(StopInfusion), None, |verb| on(verb, chair::pause)),
        route("/chair/{n}/stop", Post, Needs(StopInfusion), None, |verb| on(verb, chair::stop)),
        route("/chair/{n}/history.json", Get, Background(WatchRoom), None, |verb| {
            on(verb, chair_data::history)
        }),
        route("/chair/{n}/forecast.json", Get, Background(WatchRoom), None, |verb| {
            on(verb, chair_data::forecast)
        }),
        route("/alarms/acknowledge", Post, Needs(AnswerAlarm), None, |verb| on(verb, alarms::acknowledge)),
        route("/alarms/pause-sound", Post, Needs(AnswerAlarm), None, |verb| on(verb, alarms::pause_sound)),
        route("/live", Get, Background(WatchRoom), None, |verb| on(verb, live::stream)),
        route("/live/painted", Post, Background(WatchRoom), None, |verb| on(verb, live::painted)),
        route("/live/sound-test", Post, Needs(WatchRoom), None, |verb| on(verb, live::sound_tested)),
        route("/patients", Get, Needs(FindPatient), Some("Patients"), |verb| on(verb, patients::show)),
        route("/patients", Post, Needs(CheckIn), None, |verb| on(verb, patients::register)),
        route("/patients/{id}", Get, Needs(FindPatient), None, |verb| on(verb, patients::one)),
        route("/patients/{id}/visit", Post, Needs(CheckIn), None, |verb| on(verb, patients::plan)),
        route("/patients/{id}/allergies", Post, Needs(Assess), None, |verb| {
            on(verb, patients::record_allergies)
        }),
        route("/patients/{id}/details", Get, Needs(CheckIn), None, |verb| on(verb, details::show)),
        route("/patients/{id}/details", Post, Needs(CheckIn), None, |verb| on(verb, details::correct)),
        route(details::JOIN, Post, Needs(Assess), None, |verb| on(verb, details::join)),
        route("/patients/{id}/consent", Get, Needs(AskConsent), None, |verb| on(verb, consent::show)),
        route("/patients/{id}/consent", Post, Needs(AskConsent), None, |verb| on(verb, consent::ask)),
        route("/patients/{id}/consent/withdraw", Post, Needs(AskConsent), None, |verb| {
            on(verb, consent::withdraw)
        }),
        route("/patients/{id}/consent/{consent}", Get, Needs(AskConsent), None, |verb| {
            on(verb, consent::signed)
        }),
        route("/patients/{id}/consultation", Get, Needs(OpenConsultation), None, |verb| {
            on(verb, consultation::show)
        }),
        route("/patients/{id}/consultation/{section}", Get, Needs(OpenConsultation), None, |verb| {
            on(verb, consultation::section)
        }),
        route("/patients/{id}/consultation/{section}", Post, Needs(Assess), None, |verb| {
            on(verb, consultation::record)
        }),
        route("/patients/{id}/screening", Post, Needs(Assess), None, |verb| on(verb, consultation::screen)),
        route("/patients/{id}/screening/decision", Post, Needs(Assess), None, |verb| {
            on(verb, consultation::decide)
        }),
        route("/patients/{id}/care", Get, Needs(OpenCarePlan), None, |verb| on(verb, care_plan::show)),
        route("/patients/{id}/care/note", Post, Needs(WriteTherapyNote), None, |verb| {
            on(verb, care_plan::note)
        }),
        route("/patients/{id}/care/{act}", Post, Needs(KeepCarePlan), None, |verb| on(verb, care_plan::act)),
        route("/patients/{id}/care/summary/{carer}", Get, Needs(OpenCarePlan), None, |verb| {
            on(verb, care_plan::summary)
        }),
        route("/patients/{id}/care/summary/{carer}/summary.pdf", Get, Needs(OpenCarePlan), None, |verb| {
            on(verb, care_plan::summary_paper)
        }),
        route("/patients/{id}/scores", Get, Needs(OpenScores), None, |verb| on(verb, scores::show)),
        route("/patients/{id}/scores/link", Post, Needs(EnterScale), None, |verb| on(verb, scores::link)),
        route("/patients/{id}/scores/enter", Get, Needs(EnterScale), None, |verb| on(verb, entry::show)),
        route("/patients/{id}/scores/enter", Post, Needs(EnterScale), None, |verb| on(verb, entry::save)),
        route("/patients/{id}/scores/void", Post, Needs(EnterScale), None, |verb| on(verb, entry::void)),
        route("/patients/{id}/page", Get, Needs(EnterScale), None, |verb| on(verb, patient_page::show)),
        route("/patients/{id}/page", Post, Needs(EnterScale), None, |verb| on(verb, patient_page::give)),
        route("/patients/{id}/page/back", Post, Needs(EnterScale), None, |verb| {
            on(verb, patient_page::take_back)
        }),
        route("/patients/{id}/estimate", Get, Needs(BookVisits), None, |verb| on(verb, estimate::show)),
        route("/patients/{id}/estimate", Post, Needs(BookVisits), None, |verb| on(verb, estimate::give)),
        route("/patients/{id}/course", Get, Needs(OpenCourse), None, |verb| on(verb, course::show)),
        route("/patients/{id}/course", Post, Needs(OpenCourse), None, |verb| on(verb, course::sign_plan)),
        route("/patients/{id}/course/advice", Post, Needs(OpenCourse), None, |verb| {
            on(verb, course::answer_advice)
        }),
        route("/patients/{id}/course/check", Post, Needs(OpenCourse), None, |verb| {
            on(verb, course::make_check)
        }),
        route("/patients/{id}/course/accept", Post, Needs(OpenCourse), None, |verb| {
            on(verb, course::accept_result)
        }),
        route("/patients/{id}/course/override", Post, Needs(OpenCourse), None, |verb| {
            on(verb, course::override_check)
        }),
        route("/patients/{id}/course/maintenance", Post, Needs(OpenCourse), None, |verb| {
            on(verb, course::maintain)
        }),
        route("/patients/{id}/course/close", Post, Needs(OpenCourse), None, |verb| on(verb, course::close)),
        route("/patients/{id}/booking", Get, Needs(BookVisits), None, |verb| on(verb, booking::show)),
        route("/patients/{id}/booking", Post, Needs(BookVisits), None, |verb| on(verb, booking::book)),
        route("/patients/{id}/booking/cancel", Post, Needs(BookVisits), None, |verb| {
            on(verb, booking::cancel)
        }),
        route("/patients/{id}/reminders", Post, Needs(BookVisits), None, |verb| on(verb, booking::agree)),
        route("/patients/{id}/wait", Post, Needs(BookVisits), None, |verb| on(verb, waiting::wait)),
        route("/patients/{id}/wait/end", Post, Needs(BookVisits), None, |verb| on(verb, waiting::end)),
        route("/waitlist", Get, Needs(BookVisits), None, |verb| on(verb, waiting::show)),
        route("/feed/{token}", Get, Public, None, |verb| on(verb, feed::show)),
        route("/calendar", Get, Needs(SeeCalendar), Some("Calendar"), |verb| on(verb, calendar::show)),
        route("/worklist", Get, Needs(SeeWorklist), Some("Worklist"), |verb| on(verb, worklist::show)),
        route("/patients/{id}/watch", Get, Needs(OpenCourse), None, |verb| on(verb, watch::show)),
        route("/patients/{id}/watch/elsewhere", Post, Needs(OpenCourse), None, |verb| {
            on(verb, watch::elsewhere)
        }),
        route("/patients/{id}/watch/signs", Post, Needs(OpenCourse), None, |verb| on(verb, watch::ask)),
        route("/patients/{id}/watch/strike", Post, Needs(OpenCourse), None, |verb| on(verb, watch::strike)),
        route("/outcomes", Get, Needs(SeeOutcomes), Some("Outcomes"), |verb| on(verb, outcomes::show)),
        route("/outcomes.csv", Get, Needs(SeeOutcomes), None, |verb| on(verb, outcomes::csv)),
        route("/inquiries", Get, Needs(OpenInquiry), Some("Inquiries"), |verb| on(verb, inquiries::list)),
        route("/inquiries/{id}", Get, Needs(OpenInquiry), None, |verb| on(verb, inquiries::one)),
        route("/inquiries/{id}/triage", Post, Needs(SortInquiry), None, |verb| on(verb, inquiries::triage)),
        route("/inquiries/{id}/register", Post, Needs(SortInquiry), None, |verb| {
            on(verb, inquiries::register)
        }),
        route("/inquiries/{id}/close", Post, Needs(SortInquiry), None, |verb| on(verb, inquiries::close)),
        route("/tasks", Get, Needs(SeeTasks), Some("Tasks"), |verb| on(verb, tasks::show)),
        route("/tasks/count", Get, Background(SeeTasks), None, |verb| on(verb, tasks::count)),
        route("/tasks/{id}/take", Post, Needs(SeeToTask), None, |verb| on(verb, tasks::take)),
        route("/tasks/{id}/finish", Post, Needs(SeeToTask), None, |verb| on(verb, tasks::finish)),
        route("/roster", Get, Needs(PlanDuty), Some("On call"), |verb| on(verb, roster::show)),
        route("/roster", Post, Needs(PlanDuty), None, |verb| on(verb, roster::plan)),
        route("/roster/{id}/withdraw", Post, Needs(PlanDuty), None, |verb| on(verb, roster::withdraw)),
        route("/visit/{session}", Get, Needs(Assess), None, |verb| on(verb, visit::show)),
        route("/visit/{session}/check-in", Post, Needs(CheckIn), None, |verb| on(verb, visit::check_in)),
        route("/visit/{session}/weight", Post, Needs(Assess), None, |verb| on(verb, visit::weigh)),
        route("/visit/{session}/gate/{gate}", Post, Needs(Assess), None, |verb| {
            on(verb, visit::gates::answer)
        }),
        route("/visit/{session}/gate/{gate}/override", Post, Needs(Assess), None, |verb| {
            on(verb, visit::gates::let_pass)
        }),
        route("/visit/{session}/gate/{gate}/amend", Post, Needs(Assess), None, |verb| {
            on(verb, visit::gates::amend)
        }),
        route("/visit/{session}/cancel", Post, Needs(Assess), None, |verb| on(verb, visit::cancel)),
        route("/visit/{session}/order", Get, Needs(Assess), None, |verb| on(verb, order::show)),
        route("/visit/{session}/order", Post, Needs(Assess), None, |verb| on(verb, order::sign)),
        route("/visit/{session}/preparation", Get, Needs(PrepareDrug), None, |verb| {
            on(verb, preparation::show)
        }),
        route("/visit/{session}/vial", Post, Needs(PrepareDrug), None, |verb| on(verb, preparation::scan)),
        route("/visit/{session}/draw", Post, Needs(PrepareDrug), None, |verb| on(verb, preparation::draw)),
        route("/visit/{session}/discard", Post, Needs(PrepareDrug), None, |verb| {
            on(verb, preparation::discard)
        }),
        route("/visit/{session}/label", Get, Needs(PrepareDrug), None, |verb| {
            on(verb, preparation::label::show)
        }),
        route("/visit/{session}/second-check", Get, Needs(SecondCheck), None, |verb| {
            on(verb, second_check::show)
        }),
        route("/visit/{session}/second-check", Post, Needs(SecondCheck), None, |verb| {
            on(verb, second_check::check)
        }),
        route("/visit/{session}/pump-program", Post, Needs(PrepareDrug), None, |verb| {
            on(verb, preparation::program)
        }),
        route("/visit/{session}/time-out", Post, Needs(RunInfusion), None, |verb| {
            on(verb, preparation::time_out)
        }),
        route("/visit/{session}/start", Post, Needs(RunInfusion), None, |verb| on(verb, preparation::start)),
        route("/visit/{session}/observe", Get, Needs(Chart), None, |verb| on(verb, sheets::observe)),
        route("/visit/{session}/observe", Post, Needs(Chart), None, |verb| on(verb, sheets::chart)),
        route("/visit/{session}/strike/{position}", Get, Needs(Assess), None, |verb| {
            on(verb, sheets::strike)
        }),
        route("/visit/{session}/strike/{position}", Post, Needs(Assess), None, |verb| {
            on(verb, sheets::strike_out)
        }),
        route("/visit/{session}/note", Get, Needs(Chart), None, |verb| on(verb, sheets::note)),
        route("/visit/{session}/note", Post, Needs(Chart), None, |verb| on(verb, sheets::write_note)),
        route("/visit/{session}/event", Get, Needs(NoteAdverseEvent), None, |verb| on(verb, sheets::events)),
        route("/visit/{session}/event/{playbook}", Get, Needs(NoteAdverseEvent), None, |verb| {
            on(verb, sheets::event)
        }),
        route("/visit/{session}/event/{playbook}", Post, Needs(NoteAdverseEvent), None, |verb| {
            on(verb, sheets::note_event)
        }),
        route("/visit/{session}/event-end", Post, Needs(NoteAdverseEvent), None, |verb| {
            on(verb, sheets::end_event)
        }),
        route("/visit/{session}/drug", Get, Needs(GiveRescueDrug), None, |verb| on(verb, sheets::drugs)),
        route("/visit/{session}/drug", Post, Needs(GiveRescueDrug), None, |verb| on(verb, sheets::give)),
        route("/visit/{session}/rate", Get, Needs(RunInfusion), None, |verb| on(verb, sheets::rate)),
        route("/visit/{session}/rate", Post, Needs(RunInfusion), None, |verb| on(verb, sheets::change_rate)),
        route("/visit/{session}/resume", Get, Needs(RunInfusion), None, |verb| on(verb, sheets::resume)),
        route("/visit/{session}/resume", Post, Needs(RunInfusion), None, |verb| on(verb, sheets::go_on)),
        route("/visit/{session}/pump", Get, Needs(RunInfusion), None, |verb| on(verb, sheets::pump)),
        route("/visit/{session}/pump", Post, Needs(RunInfusion), None, |verb| on(verb, sheets::read_pump)),
        route("/visit/{session}/start-counter", Post, Needs(RunInfusion), None, |verb| {
            on(verb, sheets::correct_start)
        }),
        route("/visit/{session}/limits", Get, Needs(SetLimits), None, |verb| on(verb, sheets::limits)),
        route("/visit/{session}/limits", Post, Needs(SetLimits), None, |verb| on(verb, sheets::set_limits)),
        route("/visit/{session}/discharge", Get, Needs(Discharge), None, |verb| on(verb, discharge::show)),
        route("/visit/{session}/waste", Get, Needs(Discharge), None, |verb| on(verb, discharge::show)),
        route("/visit/{session}/waste", Post, Needs(PrepareDrug), None, |verb| on(verb, discharge::waste)),
        route("/visit/{session}/vials-back", Post, Needs(PrepareDrug), None, |verb| {
            on(verb, discharge::give_back)
        }),
        route("/visit/{session}/discharge-score", Post, Needs(Discharge), None, |verb| {
            on(verb, discharge::score)
        }),
        route("/visit/{session}/discharge", Post, Needs(Discharge), None, |verb| {
            on(verb, discharge::discharge)
        }),
        route("/visit/{session}/transfer", Post, Needs(Discharge), None, |verb| {
            on(verb, discharge::transfer)
        }),
        route("/chair/{n}/devices", Get, Needs(PlaceDevice), None, |verb| on(verb, devices::show)),
        route("/chair/{n}/devices", Post, Needs(PlaceDevice), None, |verb| on(verb, devices::change)),
        route("/records", Get, Needs(Privilege::OpenRecord), Some("Records"), |verb| on(verb, record::list)),
        route("/record/{session}", Get, Needs(Privilege::OpenRecord), None, |verb| on(verb, record::show)),
        route("/record/{session}/record.pdf", Get, Needs(Privilege::OpenRecord), None, |verb| {
            on(verb, record::paper)
        }),
        route("/prices", Get, Needs(SetPrices), Some("Prices"), |verb| on(verb, prices::show)),
        route("/prices", Post, Needs(SetPrices), None, |verb| on(verb, prices::set)),
        route("/staff", Get, Needs(ManageStaff), Some("Staff"), |verb| on(verb, staff::show)),
        route("/staff", Post, Needs(ManageStaff), None, |verb| on(verb, staff::add)),
        route("/staff/{id}", Post, Needs(ManageStaff), None, |verb| on(verb, staff::change)),
        route("/lab", Get, Needs(UseLab), Some("Lab"), |verb| on(verb, lab::show)),
        route("/lab", Post, Needs(UseLab), None, |verb| on(verb, lab::ask)),
        route("/lab/comparison.csv", Get, Needs(UseLab), None, |verb| on(verb, lab::csv)),
        route("/account", Get, Needs(OwnAccount), Some("My account"), |verb| on(verb, account::show)),
        route("/account", Post, Needs(OwnAccount), None, |verb| on(verb, account::change)),
        route(inquiry::PATH, Get, Public, None, |verb| on(verb, inquiry::show)),
        route(inquiry::PATH, Post, Public, None, |verb| on(verb, inquiry::send)),
        route("/inquiry/{id}", Get, Public, None, |verb| on(verb, inquiry::received)),
        route("/answer/{link}", Get, Public, None, |verb| on(verb, answer::open)),
        route("/answer/{link}/check", Get, Public, None, |verb| on(verb, answer::check)),
        route("/answer/{link}/check", Post, Public, None, |verb| on(verb, answer::send)),
        route("/answer/{link}/{n}", Get, Public, None, |verb| on(verb, answer::question)),
        route("/answer/{link}/{n}", Post, Public, None, |verb| on(verb, answer::save)),
        route("/consent/{link}", Get, Public, None, |verb| on(verb, consenting::open)),
        route("/consent/{link}/sign", Get, Public, None, |verb| on(verb, consenting::last)),
        route("/consent/{link}/sign", Post, Public, None, |verb| on(verb, consenting::sign)),
        route("/consent/{link}/{n}", Get, Public, None, |verb| on(verb, consenting::read)),
        route("/consent/{link}/{n}", Post, Public, None, |verb| on(verb, consenting::decide)),
        route("/mine/{link}", Get, Public, None, |verb| on(verb, mine::door)),
        route("/mine/{link}", Post, Public, None, |verb| on(verb, mine::open)),
        route("/what-to-expect", Get, Public, None, |verb| on(verb, expect::list)),
        route("/what-to-expect/{page}", Get, Public, None, |verb| on(verb, expect::show)),
        route("/sign-in", Get, Public, None, |verb| on(verb, sign_in::show)),
        route("/sign-in", Post, Public, None, |verb| on(verb, sign_in::sign_in)),
        route("/sign-out", Post, SignedIn, None, |verb| on(verb, sign_out::sign_out)),
        route("/unlock", Get, SignedIn, None, |verb| on(verb, unlock::show)),
        route("/unlock", Post, SignedIn, None, |verb| on(verb, unlock::unlock)),
        route("/theme", Post, Public, None, |verb| on(verb, theme::choose)),
        route("/about", Get, Public, Some("About"), |verb| on(verb, about::show)),
        route("/assets/{file}", Get, Public, None, |verb| on(verb, assets::file)),
        route("/healthz", Get, Public, None, |verb| on(verb, home::health)),
    ]
};

/// Stands in for a path that has no route, so that the answer still knows who asks.
static NO_ROUTE: Route = Route {
    path: "(no route)",
    verb: Verb::Get,
    access: Access::Public,
    nav: None,
    handler: |_| any(not_found::show),
};

/// The router of some routes, each behind its gate.
pub fn router(app: &AppState, routes: &'static [Route]) -> Router<AppState> {
    let behind_gate = |route: &'static Route| {
        let gate_of = Gate { app: app.clone(), route };
        (route.handler)(route.verb.filter()).layer(from_fn_with_state(gate_of, gate))
    };
    let routed =
        routes.iter().fold(Router::new(), |router, route| router.route(route.path, behind_gate(route)));
    routed.fallback_service(behind_gate(&NO_ROUTE).with_state(app.clone()))
}

/// Whether a role of the account opens the route.
pub fn may_open(account: &Account, route: &Route) -> bool {
    match route.access {
        Access::Public | Access::SignedIn => true,
        Access::Needs(privilege) | Access::Background(privilege) => account.role_for(privilege).is_some(),
    }
}

/// Where a person lands after signing in.
pub fn landing(account: &Account) -> &'static str {
    ALL.iter()
        .find(|route| route.nav.is_some() && may_open(account, route))
        .map_or("/about", |route| route.path)
}

/// Draws a page.
///
/// # Errors
/// [`Error::Fault`] when the template cannot be drawn.
pub fn html(status: StatusCode, page: &impl Template) -> Result<Response, Error> {
    let text = page.render().map_err(crate::Fault::from)?;
    Ok((status, Html(text)).into_response())
}

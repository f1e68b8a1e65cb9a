//! Vial, draw, label, pump read-back, time-out and start: the drug on its way to the vein.

pub mod gs1;
pub mod label;

use super::discharge::renamed;
use super::second_check::{look_again, who_may};
use super::visit::act::{Outcome, as_a_page, carry_out, done};
use super::visit::form::{Choice, Field, Form, Kind, Sent, signature};
use super::visit::head::{Head, Opened, allergies, unbroken};
use super::visit::typed::Typed;
use super::{Error, Page, html};
use crate::AppState;
use crate::auth::Person;
use crate::auth::gate::{Posted, Visit};
use crate::auth::privilege::Privilege;
use crate::words::line;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use clinic::device::DeviceKind;
use clinic::dose::to_draw;
use clinic::id::{ChairId, VialId};
use clinic::knowledge::Knowledge;
use clinic::knowledge::drug::Drug;
use clinic::quantity::{Concentration, Micrograms, Microlitres, mass_in, plain, volume_of};
use clinic::session::{
    Command, Event, Phase, PumpEntry, Recorded, ScannedVial, Session, UNDILUTED, gates as rules,
};
use jiff::tz::TimeZone;

#[derive(Template)]
#[template(path = "pages/preparation.html")]
struct Preparation {
    page: Page,
    head: Head,
    /// Parts of the order line; empty without an order.
    order: Vec<String>,
    /// Why nothing that was ordered and drawn is shown; empty where it is.
    kept_back: String,
    stations: Vec<Station>,
    sheet: bool,
}

/// One step from the vial to the start: what came of it, and the form for it, which stands open where it is next.
#[derive(Default)]
struct Station {
    key: &'static str,
    title: &'static str,
    lead: String,
    facts: Vec<String>,
    /// What keeps it from being done.
    reasons: Vec<String>,
    /// Label, and where to.
    links: Vec<(&'static str, String)>,
    /// The one thing to do on another page, where this is the next step.
    go: Option<(&'static str, String)>,
    form: Option<Form>,
    /// What opens the form where it does not stand open.
    again: &'static str,
    /// Takes back what was done.
    undo: Option<Form>,
    done: bool,
    next: bool,
}

/// `GET /visit/{session}/preparation`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    if let Some(answer) = as_a_page(&visit) {
        return Ok(answer);
    }
    draw_page(&app, &visit, &id, &Sent::nothing())
}

fn draw_page(app: &AppState, visit: &Visit, id: &str, sent: &Sent) -> Result<Response, Error> {
    let opened = Opened::find(app, id)?;
    let session = &opened.session;
    let knowledge = app.floor.knowledge();
    let open = rules::standing(session, knowledge).into_iter().filter(|gate| !gate.open.is_empty());
    let mut open: Vec<String> = open
        .map(|gate| format!("{} {}: {}", gate.gate.as_str().to_uppercase(), gate.title, gate.open.join(" ")))
        .collect();
    open.extend(app.floor.not_agreed(session)?);
    let head = opened.head(app, visit, "preparation");
    open.extend(head.screening.iter().flat_map(|screening| screening.against.iter().cloned()));
    let history = app.floor.history(&opened.id).map_err(crate::Fault::Floor)?;
    let done = Done { history: &history, zone: app.config.time_zone(), app };
    let mut stations = vec![
        vial_station(&opened, &done),
        draw_station(&opened, &done),
        check_station(app, &opened, &done)?,
        pump_station(app, &opened, &done),
        start_station(app, &opened, open, &done),
    ];
    if session.phase.preparing() {
        let next = stations.iter_mut().find(|station| !station.done);
        next.into_iter().for_each(|station| station.next = true);
        for station in &mut stations {
            let next = station.next;
            station.undo = station.undo.take().map(|form| form.filled(sent));
            station.form =
                station.form.take().map(|form| if next { form } else { form.quiet() }.filled(sent));
        }
    } else {
        stations.iter_mut().for_each(|station| (station.form, station.undo) = (None, None));
    }
    let forms = stations.iter().flat_map(|station| station.form.iter().chain(&station.undo));
    let errors = sent.summary(forms);
    let kept_back = kept_back(app, session, visit);
    if !kept_back.is_empty() {
        let own = stations.iter_mut().take_while(|station| station.key != "check");
        own.for_each(|station| {
            station.facts.clear();
            station.links.clear();
            station.form = None;
        });
    }
    let page = Preparation {
        page: Page::new(app, visit, "Preparation").with_errors(errors),
        head,
        order: if kept_back.is_empty() { order_line(&opened) } else { Vec::new() },
        kept_back,
        stations,
        sheet: false,
    };
    html(sent.status, &page)
}

/// Until the second check agrees, what was drawn is shown to the one who drew it: any other may be the second person.
fn kept_back(app: &AppState, session: &Session, visit: &Visit) -> String {
    let waits = session.phase.preparing() && session.second_check.is_none();
    let Some(last) = session.draws.last().filter(|_| waits) else { return String::new() };
    let me = visit.person.as_ref().map(Person::id);
    if session.draws.iter().any(|draw| Some(&draw.by) == me) {
        return String::new();
    }
    format!(
        "{} drew the dose. What was ordered and drawn is shown here once the second check agrees.",
        app.floor.called(&last.by)
    )
}

/// What was done already, as the log tells it.
struct Done<'a> {
    history: &'a [Recorded],
    zone: TimeZone,
    app: &'a AppState,
}

impl Done<'_> {
    /// What, who and when of the events of one kind, in their order.
    fn lines(&self, of: impl Fn(&Event) -> bool) -> Vec<String> {
        let told = self.history.iter().filter(|one| of(&one.event));
        told.map(|one| {
            let at = one.at.to_zoned(self.zone.clone());
            let (what, who) = (line(&one.event, &self.app.knowledge), self.app.floor.called(&one.by));
            format!("{} · {who} · {}", unbroken(&what), at.strftime("%H:%M"))
        })
        .collect()
    }

    /// The last of them, where it still counts.
    fn last(&self, counts: bool, of: impl Fn(&Event) -> bool) -> Vec<String> {
        self.lines(of).pop().filter(|_| counts).into_iter().collect()
    }
}

fn vial_station(opened: &Opened, done: &Done<'_>) -> Station {
    Station {
        key: "vial",
        title: "1 Vial",
        facts: done.lines(|event| matches!(event, Event::VialScanned(_))),
        form: Some(scan_form(opened)),
        again: "Another vial",
        done: !opened.session.vials.is_empty(),
        ..Station::default()
    }
}

fn draw_station(opened: &Opened, done: &Done<'_>) -> Station {
    let session = &opened.session;
    let drawn = !session.draws.is_empty();
    let ordered = session.order.is_some();
    Station {
        key: "draw",
        title: "2 Draw and label",
        lead: if drawn { String::new() } else { unbroken(&mix(opened, &done.app.knowledge)) },
        facts: done.lines(|event| matches!(event, Event::Drawn { .. } | Event::DrawnDiscarded { .. })),
        links: drawn.then(|| ("Label to print", opened.path("label"))).into_iter().collect(),
        go: (!ordered).then(|| ("To the order", opened.path("order"))),
        form: (ordered && !session.vials.is_empty()).then(|| draw_form(opened, &done.app.knowledge)),
        again: "Draw more",
        undo: drawn.then(|| discard_form(opened)),
        done: drawn && ordered,
        ..Station::default()
    }
}

fn check_station(app: &AppState, opened: &Opened, done: &Done<'_>) -> Result<Station, Error> {
    let checked = opened.session.second_check.is_some();
    let hand =
        "Hand the tablet to a second person. They read vials and syringe and see nothing of what you have.";
    // A check that would settle nothing is not the next thing to do.
    let held = opened.session.second_check_is_held();
    let hand = (!held).then(|| hand.to_owned());
    let alone =
        if checked || held || opened.session.draws.is_empty() { None } else { Some(who_may(app, opened)?) };
    let reasons = look_again(app, opened).into_iter().chain(hand).chain(alone);
    Ok(Station {
        key: "check",
        title: "3 Second check",
        reasons: if checked { Vec::new() } else { reasons.collect() },
        facts: done.last(checked, |event| {
            matches!(event, Event::SecondChecked { .. } | Event::SecondCheckAgreed { .. })
        }),
        go: (!checked && !held).then(|| ("Second check", opened.path("second-check"))),
        done: checked,
        ..Station::default()
    })
}

fn pump_station(app: &AppState, opened: &Opened, done: &Done<'_>) -> Station {
    let session = &opened.session;
    let programmed = session.program.is_some();
    let mut facts = devices_here(app, &opened.sits);
    if facts.is_empty() {
        facts.push("No device is placed at this chair: chart by hand.".to_owned());
    }
    facts.extend(done.last(programmed, |event| matches!(event, Event::PumpProgrammed(_))));
    let sits = !opened.sits.is_empty();
    Station {
        key: "pump",
        title: "4 Pump and monitor",
        facts,
        links: sits
            .then(|| ("Place devices", format!("/chair/{}/devices", opened.sits)))
            .into_iter()
            .collect(),
        form: session.order.is_some().then(|| program_form(app.floor.knowledge(), opened)),
        again: "Read the pump back again",
        done: programmed,
        ..Station::default()
    }
}

/// `open`: what the record holds against a start. What is seen at the chair holds it too, and may have changed at the next
/// look.
fn start_station(app: &AppState, opened: &Opened, mut open: Vec<String>, done: &Done<'_>) -> Station {
    let session = &opened.session;
    let ready = session.phase == Phase::Ready;
    let record_passes = open.is_empty();
    let chair = session.chair.iter();
    open.extend(chair.flat_map(|chair| app.floor.holds_start(chair)));
    let go = if record_passes {
        ("Look again", opened.path("preparation"))
    } else {
        ("To the checklist", opened.path(""))
    };
    let passes = open.is_empty();
    Station {
        key: "start",
        title: "5 Time-out and start",
        facts: [
            done.last(session.time_out.is_some(), |event| matches!(event, Event::TimeOutTaken { .. })),
            done.lines(|event| matches!(event, Event::InfusionStarted { .. })),
        ]
        .concat(),
        go: (!passes && session.phase.preparing()).then_some(go),
        reasons: if session.phase.preparing() { open } else { Vec::new() },
        form: passes.then(|| if ready { start_form(opened) } else { time_out_form(app, opened) }),
        done: session.delivery.started().is_some(),
        ..Station::default()
    }
}

/// Order line by its parts; empty without an order.
pub(super) fn order_line(opened: &Opened) -> Vec<String> {
    opened.session.order.as_ref().map_or_else(Vec::new, |(order, _)| {
        vec![
            order.concentration.to_string(),
            order.dose.to_string(),
            format!("over {} min", plain(order.minutes)),
            order.rate.to_string(),
            unbroken(&order.chain),
        ]
    })
}

/// What a syringe can show, as the order says it, and the volume that gives it the ordered strength.
fn mix(opened: &Opened, knowledge: &Knowledge) -> String {
    let Some((order, _)) = &opened.session.order else { return String::new() };
    let Some(vial) = opened.session.vials.last() else { return String::new() };
    let Some(stock) = to_draw(order.dose, vial.strength, knowledge) else { return String::new() };
    let holds = mass_in(stock, vial.strength);
    let Some(volume) = volume_of(holds, order.concentration) else { return String::new() };
    let than_ordered = match order.dose.minus(holds) {
        Micrograms(0) => String::new(),
        Micrograms(short) if short > 0 => format!(", {} less than ordered", Micrograms(short)),
        Micrograms(short) => format!(", {} more than ordered", Micrograms(-short)),
    };
    let (strength, concentration) = (vial.strength, order.concentration);
    format!(
        "Draw {stock} of {strength}, fill up to {volume}: {holds} in all at {concentration}{than_ordered}"
    )
}

fn devices_here(app: &AppState, chair: &str) -> Vec<String> {
    let seating = app.floor.seating();
    let here = seating.devices.iter().filter(|(_, (_, at))| at.as_str() == chair && !chair.is_empty());
    here.map(|(device, (kind, _))| format!("{} {device}", super::devices::kind_words(*kind))).collect()
}

fn scan_form(opened: &Opened) -> Form {
    opened
        .form("scan", "vial", "Scan the vial", "Record the vial")
        .with(
            Field::new(Kind::Line, "code", "Code on the vial")
                .hint("Ready to scan. A typed NDC such as 42023-113-10 is taken too."),
        )
        .with(Field::new(Kind::Line, "lot", "Lot").hint("Only where the code does not hold it."))
        .with(Field::new(Kind::Day, "expires", "Use by").hint("Only where the code does not hold it."))
        .with(
            Field::number("strength", "Strength on the label", "mg/mL")
                .hint("Read it from the vial; it must agree with the code."),
        )
        .with(Field::number("volume", "Volume on the label", "mL"))
        .with(
            Field::new(Kind::Line, "read_as", "Drug on the label")
                .hint("Only where the code is of no product known here. Type the name that you read."),
        )
        .with(
            Field::ticks("another", "Is this another vial?", vec![Choice::of("yes", "Yes, it is one more")])
                .only_asked(),
        )
}

fn draw_form(opened: &Opened, knowledge: &Knowledge) -> Form {
    let vials = &opened.session.vials;
    let choices = vials.iter().map(|vial| {
        let drug = vial.drug();
        Choice::of(&vial.vial, format!("{drug}, {} of {}, lot {}", vial.volume, vial.strength, vial.lot))
    });
    let last = vials.last().map(|vial| vial.vial.0.clone()).unwrap_or_default();
    let diluents = std::iter::once(Choice::of("", "Choose"))
        .chain(knowledge.diluents().into_iter().chain([UNDILUTED]).map(|one| Choice::of(one, one)));
    opened
        .form("draw", "draw", "Draw and dilute", "Record the draw")
        .with(Field::listed("vial", "Out of", choices.collect()).known(last))
        .with(Field::number("stock", "Drawn from the vial", "mL"))
        .with(Field::number("diluted_to", "Filled up to", "mL"))
        .with(
            Field::listed("diluent", "Filled up with", diluents.collect())
                .hint("As the bag or ampoule says.")
                .known(""),
        )
}

fn discard_form(opened: &Opened) -> Form {
    opened
        .form("discard", "discard", "Discard the syringe and draw anew", "Record that it is discarded")
        .hint("All of it is thrown away before a witness, who signs. The drug balance keeps count of it.")
        .grave()
        .with(Field::new(Kind::Line, "reason", "Reason"))
        .with_all(signature("Witness"))
}

fn program_form(knowledge: &Knowledge, opened: &Opened) -> Form {
    let ordered = opened.session.order.as_ref().map(|(order, _)| order);
    let expected = ordered.and_then(|order| knowledge.library_entry(&order.regimen, order.concentration));
    let mut entries: Vec<String> = knowledge.library_entries().chain(expected).collect();
    entries.sort();
    entries.dedup();
    let none = Choice::of("", "None, or not yet read");
    let entries = [none].into_iter().chain(entries.iter().map(|entry| Choice::of(entry, entry))).collect();
    opened
        .form("program", "pump-program", "Read the pump back", "Compare with the order")
        .hint("Type what stands on the pump's display, not what the order says.")
        .with(Field::number("rate", "Rate on the display", "mL/h"))
        .with(Field::number("vtbi", "Volume to be infused on the display", "mL"))
        .with(Field::number("concentration", "Strength on the display", "mg/mL"))
        .with(
            Field::listed("library_entry", "Entry of the pump's library", entries)
                .hint("As shown. In basic mode there is none, and the pump is not used."),
        )
}

fn time_out_form(app: &AppState, opened: &Opened) -> Form {
    let points = app.floor.knowledge().session_rules().time_out.iter();
    let points = points.map(|point| Choice::of(&point.id, &point.title)).collect();
    opened
        .form("time-out", "time-out", "Time-out", "Time-out taken")
        .hint(format!(
            "Everybody stops. Say each point aloud and tap it. Allergies: {}.",
            allergies(&opened.patient.allergies)
        ))
        .with(Field::ticks("confirmed", "Said and right", points))
}

fn start_form(opened: &Opened) -> Form {
    opened.form("start", "start", "Start", "The pump runs: record the start").with(
        Field::number("counter", "Volume counter on the display", "mL")
            .hint("As shown on the pump, 0 after clearing it."),
    )
}

/// `POST /visit/{session}/vial`
pub async fn scan(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("scan", Privilege::PrepareDrug), |desk, typed| {
        let today = desk.at.to_zoned(desk.app.config.time_zone()).date();
        let (vial, serial) = read_vial(desk.app.floor.knowledge(), typed)?;
        let another = serial || typed.text("another") == "yes";
        Some(desk.by_me(Command::ScanVial { vial, today, another }))
    });
    after(&app, &visit, &id, outcome.await?, "Vial recorded.")
}

/// The vial, and whether its code tells it from every other.
fn read_vial(knowledge: &Knowledge, typed: &mut Typed) -> Option<(ScannedVial, bool)> {
    let code = typed.needed("code", "The code on the vial")?;
    let scan = match gs1::read(&code) {
        Ok(scan) => scan,
        Err(why) => return typed.wrong("code", format!("“{code}” cannot be used: {why}.")),
    };
    let products: Vec<&Drug> =
        knowledge.drugs.iter().map(|item| &item.body).filter(|drug| drug.bears(&scan.ndc)).collect();
    let expires = match scan.expires {
        Some(day) => Some(day),
        None => typed.day("expires", "The day to use it by"),
    };
    let lot = if scan.lot.is_empty() { typed.needed("lot", "The lot") } else { Some(scan.lot) };
    // One product code may stand for several strengths; then only the label decides.
    let of = |drug: &&Drug| Concentration::from_decimal(drug.strength.0);
    let strengths: Vec<_> = products.iter().filter_map(of).collect();
    let strength = agrees(typed, "strength", "The strength", Typed::strength, &strengths);
    let same = products.iter().filter(|drug| strength.is_some() && of(drug) == strength);
    let volumes: Vec<_> = same.filter_map(|drug| Microlitres::from_decimal(drug.vial.0)).collect();
    let volume = agrees(typed, "volume", "The volume", Typed::volume, &volumes);
    let label = typed.text("read_as");
    let read_as = (products.is_empty() && !label.is_empty()).then_some(label);
    let serial = !scan.serial.is_empty();
    let own =
        if serial { format!("{}.{}", scan.ndc, scan.serial) } else { typed.posted().command_id().to_owned() };
    let vial = ScannedVial {
        vial: VialId::new(own),
        ndc: scan.ndc,
        lot: lot?,
        expires: expires?,
        strength: strength?,
        volume: volume?,
        read_as,
    };
    Some((vial, serial))
}

/// The number on the label. Where the code stands for one product it need not be typed; where it is known at all it
/// must be one of the products that bear the code.
fn agrees<T: Copy + PartialEq + std::fmt::Display>(
    typed: &mut Typed,
    field: &str,
    what: &str,
    read: impl Fn(&mut Typed, &str, &str) -> Option<T>,
    products: &[T],
) -> Option<T> {
    let known = || products.iter().map(T::to_string).collect::<Vec<_>>().join(" or ");
    match (products, typed.text(field).is_empty()) {
        ([first, rest @ ..], true) if rest.iter().all(|other| other == first) => Some(*first),
        ([_, ..], true) => {
            let text =
                format!("{what} is empty, and the code stands for {}. Read it from the vial.", known());
            typed.wrong(field, text)
        }
        ([], _) => read(typed, field, what),
        (_, false) => {
            let label = read(typed, field, what)?;
            if products.contains(&label) {
                return Some(label);
            }
            let text = format!(
                "{what} {label} on the label is not that of the scanned product, {}. Take the vial in hand and look again.",
                known()
            );
            typed.wrong(field, text)
        }
    }
}

/// `POST /visit/{session}/draw`
pub async fn draw(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("draw", Privilege::PrepareDrug), |desk, typed| {
        let vial = typed.needed("vial", "The vial").map(VialId::new);
        let stock = typed.volume("stock", "The volume drawn");
        let diluted_to = typed.volume("diluted_to", "The final volume");
        let diluent = typed.chosen("diluent", "Choose what it is filled up with.");
        let (vial, stock, diluted_to) = (vial?, stock?, diluted_to?);
        Some(desk.by_me(Command::Draw { vial, stock, diluted_to, diluent: Some(diluent?) }))
    });
    after(&app, &visit, &id, outcome.await?, "Draw recorded.")
}

/// `POST /visit/{session}/discard`
pub async fn discard(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome =
        carry_out(&app, &visit, &id, &posted, ("discard", Privilege::PrepareDrug), |desk, typed| {
            let reason = typed.needed("reason", "The reason");
            let witness = desk.sign(typed, "I saw the syringe discarded", Privilege::WitnessWaste)?;
            Some(desk.by_me(Command::DiscardDrawn { reason: reason?, witness }))
        });
    let outcome = renamed(outcome.await?, "witness", "user");
    after(&app, &visit, &id, outcome, "The syringe is discarded. Draw anew.")
}

/// `POST /visit/{session}/pump-program`
pub async fn program(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome =
        carry_out(&app, &visit, &id, &posted, ("program", Privilege::PrepareDrug), |desk, typed| {
            let rate = typed.rate("rate", "The rate");
            let vtbi = typed.shown_volume("vtbi", "The volume to be infused");
            let concentration = typed.shown_strength("concentration", "The strength");
            let library_entry = typed.text("library_entry");
            let seating = desk.app.floor.seating();
            let chair = desk.session.chair.clone().unwrap_or_else(|| ChairId::new(""));
            let device = seating.device_at(&chair, DeviceKind::Pump).cloned();
            let entry =
                PumpEntry { device, rate: rate?, vtbi: vtbi?, concentration: concentration?, library_entry };
            Some(desk.by_me(Command::ProgramPump { entry }))
        });
    after(&app, &visit, &id, outcome.await?, "The pump agrees with the order.")
}

/// `POST /visit/{session}/time-out`
pub async fn time_out(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome =
        carry_out(&app, &visit, &id, &posted, ("time-out", Privilege::RunInfusion), |desk, typed| {
            let confirmed = typed.posted().all("confirmed").map(str::to_owned).collect();
            Some(desk.by_me(Command::TimeOut { confirmed }))
        });
    after(&app, &visit, &id, outcome.await?, "Time-out taken.")
}

/// `POST /visit/{session}/start`
pub async fn start(
    State(app): State<AppState>,
    visit: Visit,
    Path(id): Path<String>,
    posted: Posted,
) -> Result<Response, Error> {
    let outcome = carry_out(&app, &visit, &id, &posted, ("start", Privilege::RunInfusion), |desk, typed| {
        let counter = typed.shown_volume("counter", "The volume counter")?;
        let chair = desk.session.chair.as_ref();
        let contradicts =
            chair.map(|chair| desk.app.floor.contradicts_start(chair, counter)).unwrap_or_default();
        Some(desk.by_me(Command::Start { counter, contradicts }))
    });
    match outcome.await? {
        Outcome::Done => {
            let to = Opened::find(&app, &id)?.sits;
            Ok(done(&app, &visit, &format!("/chair/{to}"), "The infusion runs."))
        }
        other => after(&app, &visit, &id, other, ""),
    }
}

fn after(app: &AppState, visit: &Visit, id: &str, outcome: Outcome, notice: &str) -> Result<Response, Error> {
    match outcome {
        Outcome::Done => Ok(done(app, visit, &format!("/visit/{id}/preparation"), notice)),
        Outcome::Sent(sent) => draw_page(app, visit, id, &sent),
        Outcome::Answered(answer) => Ok(*answer),
    }
}

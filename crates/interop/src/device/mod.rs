//! Device messages of IHE PCD: vital signs and pump reports (PCD-01), alerts (PCD-04), pump events (PCD-10) and
//! maintenance reports (PCD-15), from HL7 v2 bytes to the clinic's words.
//!
//! Rules that hold for every message: a number without a known unit is refused, never guessed; a missing value
//! is a missing value, never zero; values of a test or a demonstration never become readings; a message about
//! two patients or two devices is refused. A refusal tells segment and field.

mod alert;
mod identity;
mod json;
mod pump;
mod row;
pub(crate) mod terms;
pub(crate) mod unit;
mod vital;

pub use json::decode_json;

use crate::ack::AckPlan;
use crate::hl7::{self, Cause, Header, Message, Problem, Segment, moment};
use clinic::device::{DeviceKind, DeviceMessage, Parameter};
use clinic::id::DeviceId;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use row::Row;
use rust_decimal::Decimal;
use terms::Means;

/// A message that was understood. It is acknowledged only when the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// MSH-10 as sent; with `sender` it tells a repeated message.
    pub control_id: String,
    /// Sending application and facility, as sent: `MON_GW^0011223344556677^EUI-64|CLINIC`.
    pub sender: String,
    /// MSH-9 as sent: `ORU^R01^ORU_R01`.
    pub message_type: String,
    /// Which IHE transaction it is.
    pub transaction: Transaction,
    /// What it says, in the clinic's words.
    pub message: DeviceMessage,
    /// Other identities that the message gives for the same device, strongest first. A pump may send its system
    /// id with values but not with alerts.
    pub also_known_as: Vec<DeviceId>,
    /// Time of the report by the device's clock (OBR-7, else the first value's).
    pub observed_at: Option<Timestamp>,
    /// Every value of the message, also those that have no place in `message`.
    pub facts: Vec<Fact>,
    /// How to answer.
    pub ack: AckPlan,
}

/// A message that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// How to answer; `None` for an acknowledgement, which is never answered.
    pub ack: Option<AckPlan>,
    /// Why, for a person.
    pub reason: Problem,
}

/// Transactions of the IHE PCD Technical Framework that are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// PCD-01: values of a monitor or a pump.
    Values,
    /// PCD-04: an alert.
    Alert,
    /// PCD-10: an event of a pump.
    PumpEvent,
    /// PCD-15: battery, firmware and the like.
    Maintenance,
}

impl Transaction {
    /// Number in the framework, `PCD-01`.
    pub const fn number(self) -> &'static str {
        match self {
            Self::Values => "PCD-01",
            Self::Alert => "PCD-04",
            Self::PumpEvent => "PCD-10",
            Self::Maintenance => "PCD-15",
        }
    }
}

/// One value as sent, neutral.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Code of the nomenclature where known, else the code as sent.
    pub code: String,
    /// Name in the nomenclature where known, else as sent.
    pub name: String,
    /// The value as sent, a number with its own digits; `None` when the device sent none or flags it as none.
    pub value: Option<String>,
    /// UCUM where known, else as sent; `None` for texts.
    pub unit: Option<String>,
    /// What the device says of the value (`NAV`, `INV`, `TEST`, …), else the result status of OBX-11 (`R`, `F`).
    pub status: String,
    /// The vital sign that it is, in its base unit.
    pub vital: Option<(Parameter, Decimal)>,
}

/// Reads one message, without its MLLP frame. `here` is the clinic's time zone, in which a time counts whose offset the
/// sender does not give; without one such a time is no point in time.
///
/// # Errors
/// [`Refused`] with the reason and the answer, for anything that is not wholly understood.
#[expect(clippy::result_large_err, reason = "the answer belongs to the refusal, and what is taken is larger")]
pub fn decode(bytes: &[u8], here: Option<&TimeZone>) -> Result<Decoded, Refused> {
    let header = match Header::of(bytes) {
        Ok(header) => header,
        Err(reason) => return Err(Refused { ack: Some(AckPlan::unreadable().refusing(&reason)), reason }),
    };
    let plan = AckPlan::of(&header);
    understood(bytes, here, &plan).map_err(|reason| {
        let answered = reason.cause != Cause::Acknowledgement;
        Refused { ack: answered.then(|| plan.refusing(&reason)), reason }
    })
}

fn understood(bytes: &[u8], here: Option<&TimeZone>, plan: &AckPlan) -> Result<Decoded, Problem> {
    let text = hl7::text(bytes)?;
    let message = hl7::read(&text)?;
    let Some(header) = message.segments.first() else { return Err(Cause::NoHeader.into()) };
    let trigger = accept(header, &message)?;
    let sent = match header.field(7).word() {
        None => None,
        Some(text) => match moment(&text, here) {
            Ok(sent) => Some(sent),
            Err(why) => return Err(header.problem(7, Cause::no_moment(text, why))),
        },
    };
    let zone = sent.and_then(|sent| sent.offset).map(TimeZone::fixed);
    let reports = row::reports(&message, zone.as_ref().or(here))?;
    let rows = &reports.rows;
    let (device, also_known_as) = identity::device(header, &message, rows)?;
    let decoded = Decoded {
        control_id: header.field(10).raw().to_owned(),
        sender: format!("{}|{}", header.field(3).raw().trim(), header.field(4).raw().trim()),
        message_type: header.field(9).raw().to_owned(),
        transaction: transaction(&trigger, header, &message),
        message: DeviceMessage {
            device,
            kind: kind(rows),
            patient: identity::patient(&message)?,
            sent_at: sent.and_then(|sent| sent.at),
            readings: vital::readings(rows)?,
            pump: pump::reading(rows)?,
            pump_events: alert::pump_events(rows)?,
            alerts: alert::alerts(rows)?,
        },
        also_known_as,
        observed_at: reports.observed_at.or_else(|| rows.iter().find_map(|row| row.time)),
        facts: rows.iter().filter_map(|row| row.fact().transpose()).collect::<Result<_, _>>()?,
        ack: plan.clone(),
    };
    whole(decoded, &message, here)
}

/// The message says what its type promises: an alert that is not understood must not look accepted.
fn whole(decoded: Decoded, message: &Message<'_>, here: Option<&TimeZone>) -> Result<Decoded, Problem> {
    let last_obx = message.segments.iter().rfind(|segment| segment.name == "OBX");
    let tests_only = decoded.facts.iter().any(|fact| matches!(fact.status.as_str(), "TEST" | "DEMO"));
    let values = !decoded.message.readings.is_empty() || decoded.message.pump.is_some();
    let values = decoded.transaction == Transaction::Values && values;
    let of_a_day = here.is_some() && decoded.observed_at.or(decoded.message.sent_at).is_none();
    if (values || decoded.transaction == Transaction::PumpEvent) && (of_a_day || !says_when(message)) {
        // Nothing tells whether the values are of now.
        let cause = Cause::Missing("the time, here, of the report or of a value,");
        let header = message.segments.first();
        return Err(header.map_or_else(|| cause.clone().into(), |header| header.problem(7, cause.clone())));
    }
    let missing = match decoded.transaction {
        Transaction::Alert if decoded.message.alerts.is_empty() && !tests_only => "an alarm (MDC_EVT_ALARM)",
        Transaction::PumpEvent if !names_event(&decoded.facts) => "a pump event (MDC_ATTR_EVT_COND)",
        _ if decoded.facts.is_empty() => "a value",
        _ => return Ok(decoded),
    };
    let cause = Cause::Missing(missing);
    Err(last_obx.map_or_else(|| cause.clone().into(), |segment| segment.problem(0, cause.clone())))
}

/// Whether a time stands anywhere: in the header (MSH-7), a report (OBR-7) or a value (OBX-14).
fn says_when(message: &Message<'_>) -> bool {
    let stands = |segment: &Segment<'_>| {
        let field = match segment.name {
            "MSH" | "OBR" => 7,
            "OBX" => 14,
            _ => return false,
        };
        !segment.field(field).is_empty()
    };
    message.segments.iter().any(stands)
}

fn names_event(facts: &[Fact]) -> bool {
    facts
        .iter()
        .any(|fact| terms::by_refid(&fact.name).is_some_and(|term| term.means == Means::EventCondition))
}

/// Checks that the header is one of ours and returns the trigger event.
fn accept(header: &Segment<'_>, message: &Message<'_>) -> Result<String, Problem> {
    const CONTROL_ID_CHARS: usize = 199;
    let part =
        |field: usize, component: usize| header.field(field).component(component).text().trim().to_owned();
    let kind = part(9, 1);
    if kind == "ACK" || message.segments.iter().any(|segment| segment.name == "MSA") {
        return Err(Cause::Acknowledgement.into());
    }
    let required =
        [(9, "the message type"), (10, "the control id"), (11, "the processing id"), (12, "the version")];
    for (field, what) in required {
        if header.field(field).is_empty() {
            return Err(header.problem(field, Cause::Missing(what)));
        }
    }
    let trigger = part(9, 2);
    if kind != "ORU" || !matches!(trigger.as_str(), "R01" | "R40" | "R42") {
        return Err(header.problem(9, Cause::MessageType(header.field(9).raw().to_owned())));
    }
    if header.field(10).raw().chars().nth(CONTROL_ID_CHARS).is_some() {
        return Err(header.problem(10, Cause::TooLong { what: "the control id", limit: CONTROL_ID_CHARS }));
    }
    let processing = part(11, 1);
    if processing != "P" {
        return Err(header.problem(11, Cause::ProcessingId(processing)));
    }
    let version = part(12, 1);
    let known = ["2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"];
    if !known.contains(&version.as_str()) {
        return Err(header.problem(12, Cause::Version(version)));
    }
    if profiled(header, IMPLANT_REPORT) {
        return Err(header.problem(21, Cause::CardiacImplant));
    }
    Ok(trigger)
}

/// Implantable Device Cardiac Observation shares type and structure with PCD-01; only the profile tells it.
const IMPLANT_REPORT: &str = "1.3.6.1.4.1.19376.1.6.1.9.1";
const PUMP_EVENT: &str = "1.3.6.1.4.1.19376.1.6.4.10";
const MAINTENANCE: &str = "1.3.6.1.4.1.19376.1.6.4.15";

fn profiled(header: &Segment<'_>, oid: &str) -> bool {
    header.field(21).repetitions().any(|profile| profile.component(3).raw().trim() == oid)
}

fn transaction(trigger: &str, header: &Segment<'_>, message: &Message<'_>) -> Transaction {
    // 69135 is MDC_OBS_MEM: maintenance shares type and trigger with values.
    let maintains = |segment: &Segment<'_>| {
        segment.name == "OBR" && segment.field(4).components().any(|part| part.raw().trim() == "69135")
    };
    match trigger {
        "R40" => Transaction::Alert,
        "R42" => Transaction::PumpEvent,
        _ if profiled(header, PUMP_EVENT) => Transaction::PumpEvent,
        _ if profiled(header, MAINTENANCE) || message.segments.iter().any(maintains) => {
            Transaction::Maintenance
        }
        _ => Transaction::Values,
    }
}

fn kind(rows: &[Row<'_>]) -> DeviceKind {
    let means = |row: &Row<'_>| row.term.map(|term| term.means);
    let declared = rows.iter().find_map(|row| match means(row)? {
        Means::Device(kind) => Some(kind),
        // An alert may name its device only as the source of the alarm.
        Means::AlarmSource => match terms::by_refid(&row.word()?)?.means {
            Means::Device(kind) => Some(kind),
            _ => None,
        },
        _ => None,
    });
    let has = |wanted: fn(Means) -> bool| rows.iter().filter_map(means).any(wanted);
    match declared {
        Some(kind) => kind,
        None if has(|means| matches!(means, Means::Pump(_))) => DeviceKind::Pump,
        None if has(|means| matches!(means, Means::Vital(..))) => DeviceKind::Monitor,
        None => DeviceKind::Other,
    }
}

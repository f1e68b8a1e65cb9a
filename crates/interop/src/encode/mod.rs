//! Writes the messages of monitors and pumps, in the shapes of IHE PCD-01, PCD-04 and PCD-10, for simulated
//! devices and tests. What comes out is not framed; see [`crate::mllp::wrap`].
//!
//! Every time is an argument, so a device may have any clock. Times go out to the millisecond.

mod pump;
mod vital;

pub use pump::{PumpType, pump, pump_event};
pub use vital::monitor;

use crate::device::terms;
use crate::hl7::{Row, Separators, write, written};
use clinic::device::{DeviceAlert, DevicePriority};
use clinic::id::DeviceId;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

const MARKS: Separators = Separators::USUAL;

/// Everything around the values: who sends, for which device, about whom, when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Envelope {
    /// The sending application, in most clinics a gateway.
    pub gateway: Instance,
    /// MSH-4.
    pub facility: String,
    /// MSH-10, unique for this sender.
    pub control_id: String,
    /// The sender's clock.
    pub sent_at: Timestamp,
    /// The sender's distance from universal time.
    pub offset: Offset,
    /// The device that measures.
    pub device: Instance,
    /// Whom the device names; `None` for the unknown patient of a pump.
    pub patient: Option<Patient>,
    /// Chair or bed (PV1-3): point of care, room, bed.
    pub place: Option<[String; 3]>,
}

/// A device or a gateway by label and EUI-64.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// Serial number or name.
    pub label: String,
    /// Sixteen hexadecimal digits.
    pub eui64: String,
}

impl Instance {
    /// The id under which a device that sends itself in OBX-18 is known.
    pub fn device_id(&self) -> DeviceId {
        DeviceId::new(format!("{}:{}", self.label, self.eui64))
    }

    fn field(&self) -> String {
        MARKS.components(&[&self.label, "", &self.eui64, "EUI-64"])
    }
}

/// A synthetic patient as a device knows one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Patient {
    /// PID-3.1.
    pub mrn: String,
    /// PID-5.1.
    pub family: String,
    /// PID-5.2.
    pub given: String,
    /// PID-7.
    pub born: Option<Date>,
}

/// An alert, begun or ended, as `ORU^R40`.
pub fn alert(envelope: &Envelope, at: Timestamp, alert: &DeviceAlert) -> Vec<u8> {
    let term = MARKS.components(&["196616", "MDC_EVT_ALARM", "MDC"]);
    let report = report(envelope, &term, Some(at));
    let event =
        MARKS.components(&[&event_code(&alert.refid), &alert.refid, "MDC", "", "", "", "", "", &alert.text]);
    let priority = match alert.priority {
        DevicePriority::High => "PH",
        DevicePriority::Medium => "PM",
        DevicePriority::Low => "PL",
        DevicePriority::Unknown => "",
    };
    let mut rows = vec![
        observation(1, "CWE", 196616, "1.0.0.0.1")
            .with(5, event)
            .with(8, if priority.is_empty() { "ST".to_owned() } else { format!("{priority}~ST") })
            .with(11, "F")
            .with(18, envelope.device.field()),
    ];
    let phase = if alert.active { ("start", "active") } else { ("end", "inactive") };
    for (code, word) in [(68481, phase.0), (68482, phase.1), (68483, "enabled"), (68484, priority)] {
        if !word.is_empty() {
            let n = rows.len() + 1;
            rows.push(observation(n, "ST", code, &format!("1.0.0.0.{n}")).with(5, word).with(11, "F"));
        }
    }
    message(envelope, "ORU^R40^ORU_R40", ALERTS, report, rows)
}

const VALUES: &str = "IHE_PCD_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.1.1^ISO";
const ALERTS: &str = "IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO";
const EVENTS: &str = "IHE_PCD_010^IHE PCD^1.3.6.1.4.1.19376.1.6.4.10^ISO";

fn message(envelope: &Envelope, kind: &str, profile: &str, report: Row, observations: Vec<Row>) -> Vec<u8> {
    let gateway = &envelope.gateway;
    let header = Row::new("MSH")
        .with(3, MARKS.components(&[&gateway.label, &gateway.eui64, "EUI-64"]))
        .with(4, MARKS.text(&envelope.facility))
        .with(7, written(envelope.sent_at, envelope.offset))
        .with(9, kind)
        .with(10, MARKS.text(&envelope.control_id))
        .with(11, "P")
        .with(12, "2.6")
        .with(15, "AL")
        .with(16, "NE")
        .with(18, "UNICODE UTF-8")
        .with(21, profile);
    let mut rows = vec![header, person(envelope.patient.as_ref())];
    if let Some(place) = &envelope.place {
        let [point, room, bed] = place;
        rows.push(Row::new("PV1").with(2, "O").with(3, MARKS.components(&[point, room, bed])));
    }
    rows.push(report);
    rows.extend(observations);
    write(&rows, MARKS).into_bytes()
}

fn person(patient: Option<&Patient>) -> Row {
    match patient {
        Some(patient) => Row::new("PID")
            .with(3, MARKS.components(&[&patient.mrn, "", "", "CLINIC", "MR"]))
            .with(5, MARKS.components(&[&patient.family, &patient.given, "", "", "", "", "L"]))
            .with(7, patient.born.map(|day| day.strftime("%Y%m%d").to_string()).unwrap_or_default()),
        None => Row::new("PID").with(3, "Unknown Patient^Unknown Patient").with(5, "^^^^^^U").with(31, "Y"),
    }
}

fn report(envelope: &Envelope, what: &str, at: Option<Timestamp>) -> Row {
    let gateway = &envelope.gateway;
    let number = MARKS.components(&[&envelope.control_id, &gateway.label, &gateway.eui64, "EUI-64"]);
    let at = at.map(|at| written(at, envelope.offset)).unwrap_or_default();
    Row::new("OBR").with(1, "1").with(2, number.clone()).with(3, number).with(4, what).with(7, at)
}

/// The start of an OBX for a term of the table.
fn observation(n: usize, kind: &str, code: u32, path: &str) -> Row {
    let name = terms::by_code(code).map_or("", |term| term.refid);
    Row::new("OBX")
        .with(1, n.to_string())
        .with(2, kind)
        .with(3, MARKS.components(&[&code.to_string(), name, "MDC"]))
        .with(4, path)
}

/// A container that is no value: device, part or channel.
fn container(n: usize, code: &str, name: &str, path: &str) -> Row {
    let identifier = MARKS.components(&[code, name, "MDC"]);
    Row::new("OBX").with(1, n.to_string()).with(3, identifier).with(4, path).with(11, "X")
}

fn event_code(refid: &str) -> String {
    terms::EVENTS.iter().find(|event| event.1 == refid).map_or("0".to_owned(), |event| event.0.to_string())
}

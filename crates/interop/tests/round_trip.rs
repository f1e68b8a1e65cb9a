//! What a simulated device says is what arrives.

use clinic::device::{
    DeviceAlert, DeviceKind, DevicePriority, NamedPatient, Parameter, PumpEvent, PumpReading, PumpStatus,
    Quality, Reading,
};
use clinic::quantity::{Concentration, Micrograms, Microlitres, Rate, Tenths, Weight};
use interop::ack::render;
use interop::device::{Decoded, Transaction, decode};
use interop::encode::{Envelope, Instance, Patient, PumpType, alert, monitor, pump, pump_event};
use jiff::Timestamp;
use jiff::tz::Offset;
use proptest::option;
use proptest::prelude::*;

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[A-Za-z0-9]{1,12}", "[A-Za-zÄéß|^~&\\\\\r\n\u{0B}\u{1C} .0-9]{1,20}"]
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("a word", |text| !matches!(text.to_lowercase().as_str(), "" | "unknown"))
}

fn time() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000_000).prop_map(|ms| Timestamp::from_millisecond(ms).expect("in range"))
}

fn instance() -> impl Strategy<Value = Instance> {
    (words(), "[0-9A-F]{16}").prop_map(|(label, eui64)| Instance { label, eui64 })
}

prop_compose! {
    fn envelope()(
        gateway in instance(), facility in words(), control_id in "[A-Z0-9{} -]{0,20}[A-Z0-9]", sent_at in time(),
        minutes in -720_i32..=840, device in instance(),
        patient in option::of((words(), words(), words(), option::of(-20_000_i32..20_000))), place in option::of([words(), words(), words()]),
    ) -> Envelope {
        let patient = patient.map(|(mrn, family, given, day)| {
            let born = day.map(|day| jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(day));
            Patient { mrn, family, given, born }
        });
        let offset = Offset::from_seconds(minutes * 60).expect("in range");
        Envelope { gateway, facility, control_id, sent_at, offset, device, patient, place }
    }
}

fn reading(parameter: Parameter) -> impl Strategy<Value = Reading> {
    let range = match parameter {
        Parameter::Spo2 => 0..1001,
        Parameter::Temperature => -500..1000,
        _ => 0..5000,
    };
    (range, 0_usize..3, time()).prop_map(move |(value, quality, at)| {
        let quality = [Quality::Good, Quality::Suspect, Quality::NoValue][quality];
        let value = (quality != Quality::NoValue).then_some(Tenths(value));
        Reading { parameter, value, quality, observed_at: Some(at) }
    })
}

fn readings() -> impl Strategy<Value = Vec<Reading>> {
    prop::sample::subsequence(Parameter::ALL.to_vec(), 1..=10)
        .prop_flat_map(|parameters| parameters.into_iter().map(reading).collect::<Vec<_>>())
}

fn amount() -> impl Strategy<Value = Option<i64>> {
    option::of(prop_oneof![0_i64..100_000, 0_i64..1_000_000_000_000])
}

prop_compose! {
    fn pump_reading()(
        status in prop::sample::select(vec![
            PumpStatus::Infusing, PumpStatus::NotInfusing, PumpStatus::KeepVeinOpen, PumpStatus::Unknown]),
        amounts in prop::array::uniform8(amount()), texts in prop::array::uniform3(option::of(words())),
        observed_at in option::of(time()),
    ) -> PumpReading {
        let [rate, programmed, vtbi, remaining, delivered, mass, concentration, weight] = amounts;
        let [drug, library, care_area] = texts;
        PumpReading {
            status, rate: rate.map(Rate), programmed_rate: programmed.map(Rate), vtbi: vtbi.map(Microlitres),
            vtbi_remaining: remaining.map(Microlitres), delivered: delivered.map(Microlitres),
            delivered_mass: mass.map(Micrograms), concentration: concentration.map(Concentration), drug,
            weight: weight.map(Weight), library, care_area, observed_at,
        }
    }
}

fn check(envelope: &Envelope, bytes: &[u8]) -> Result<Decoded, TestCaseError> {
    let decoded = decode(bytes, None).map_err(|refused| TestCaseError::fail(refused.to_string()))?;
    let named = match &envelope.patient {
        None => NamedPatient::default(),
        Some(patient) => NamedPatient {
            mrn: Some(patient.mrn.clone()),
            name: Some(format!("{} {}", patient.family, patient.given)),
            born: patient.born,
        },
    };
    prop_assert_eq!(&decoded.message.patient, &named);
    prop_assert_eq!(&decoded.message.device, &envelope.device.device_id());
    prop_assert_eq!(decoded.message.sent_at, Some(envelope.sent_at));
    let answer = render(&decoded.ack, envelope.sent_at, "C1", Ok(()));
    let last_line = format!("\rMSA|CA|{}\r", decoded.control_id);
    prop_assert!(answer.ends_with(last_line.as_bytes()));
    Ok(decoded)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_monitor(envelope in envelope(), at in time(), readings in readings()) {
        let decoded = check(&envelope, &monitor(&envelope, at, &readings))?;
        prop_assert_eq!(decoded.message.readings, readings);
        prop_assert_eq!(decoded.message.kind, DeviceKind::Monitor);
        prop_assert_eq!(decoded.observed_at, Some(at));
        prop_assert_eq!(decoded.transaction, Transaction::Values);
        prop_assert!(decoded.message.pump.is_none());
    }

    #[test]
    fn a_pump(envelope in envelope(), syringe in any::<bool>(), reading in pump_reading()) {
        let kind = if syringe { PumpType::Syringe } else { PumpType::LargeVolume };
        let decoded = check(&envelope, &pump(&envelope, kind, &reading))?;
        prop_assert_eq!(decoded.message.pump, Some(reading));
        prop_assert_eq!(decoded.message.kind, DeviceKind::Pump);
        prop_assert!(decoded.message.pump_events.is_empty() && decoded.message.readings.is_empty());
    }

    #[test]
    fn a_pump_event(envelope in envelope(), reading in pump_reading(), event in prop::sample::select(vec![
        PumpEvent::DeliveryStarted, PumpEvent::DeliveryStopped, PumpEvent::DeliveryCompleted,
        PumpEvent::ProgramCleared, PumpEvent::CountersCleared, PumpEvent::PatientChanged]),
    ) {
        let decoded = check(&envelope, &pump_event(&envelope, PumpType::Syringe, event, &reading))?;
        prop_assert_eq!(decoded.message.pump_events, [event]);
        prop_assert_eq!(decoded.message.pump, Some(reading));
        prop_assert_eq!(decoded.transaction, Transaction::PumpEvent);
    }

    #[test]
    fn an_alert(
        envelope in envelope(), at in time(), refid in "MDC_EVT_(FLUID_LINE_OCCL|[A-Z_]{1,12})",
        text in prop_oneof![Just(String::new()), words()], active in any::<bool>(),
        priority in prop::sample::select(vec![
            DevicePriority::Low, DevicePriority::Medium, DevicePriority::High, DevicePriority::Unknown]),
    ) {
        let sent = DeviceAlert { refid, text, active, priority };
        let decoded = check(&envelope, &alert(&envelope, at, &sent))?;
        prop_assert_eq!(decoded.message.alerts, [sent]);
        prop_assert_eq!(decoded.observed_at, Some(at));
        prop_assert_eq!(decoded.transaction, Transaction::Alert);
    }
}

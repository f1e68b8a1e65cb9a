//! The number pad: which fields it has, what stood there before, and which of them is refused.

use crate::auth::gate::Posted;
use crate::pages::chair_view::Chair;
use clinic::device::Parameter;

/// Field, what it is, and its short label.
pub(super) const PAD: [(&str, Parameter, &str); 5] = [
    ("sbp", Parameter::Systolic, "Sys"),
    ("dbp", Parameter::Diastolic, "Dia"),
    ("hr", Parameter::HeartRate, "HR"),
    ("spo2", Parameter::Spo2, "SpO₂"),
    ("rr", Parameter::RespiratoryRate, "RR"),
];

/// One field as it is drawn.
pub(super) struct PadField {
    pub name: &'static str,
    pub label: &'static str,
    pub unit: &'static str,
    pub value: String,
    pub last: String,
    pub last_at: String,
    pub digits_max: u32,
}

/// The field of the pad that is refused; a refusal of all goes to the first.
pub(super) fn pad_field(of: &str) -> &str {
    let of = if of == "vitals" { Parameter::Systolic.name() } else { of };
    PAD.iter().find(|(_, parameter, _)| parameter.name() == of).map_or(of, |(name, ..)| name)
}

pub(super) fn pad_fields(chair: &Chair, posted: &Posted) -> Vec<PadField> {
    PAD.iter()
        .map(|(name, parameter, label)| {
            let seen = chair.view.values.iter().find(|value| value.parameter == *parameter);
            PadField {
                name,
                label,
                unit: if matches!(parameter, Parameter::Systolic | Parameter::Diastolic) {
                    "mmHg"
                } else if *parameter == Parameter::Spo2 {
                    "%"
                } else {
                    "/min"
                },
                value: posted.text(name).to_owned(),
                last: seen.and_then(|seen| seen.value.clone()).unwrap_or_default(),
                last_at: seen.and_then(|seen| seen.age_s).map_or_else(String::new, |age| chair.ago(age)),
                digits_max: 3,
            }
        })
        .collect()
}

//! The anaesthesia chart: rate and dose, blood pressure, heart rate and saturation on one time axis, with a
//! column every five minutes.

use super::drawing::{Anchor, Drawing, Ink, Mark};
use clinic::device::Parameter;
use clinic::quantity::Tenths;
use clinic::session::delivery::Segment;
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What is drawn.
pub struct Course<'a> {
    /// Left edge.
    pub from: Timestamp,
    /// Right edge.
    pub to: Timestamp,
    /// Vital signs with their time, measured or charted.
    pub vitals: &'a [(Timestamp, Parameter, Tenths)],
    /// What flowed.
    pub segments: &'a [Segment],
    /// Strength, in µg/mL, to show a dose rate.
    pub concentration: i64,
    /// Numbered events on the axis.
    pub events: &'a [(Timestamp, String)],
    /// Zone of the clinic.
    pub zone: &'a TimeZone,
}

const WIDTH: f32 = 760.0;
const LEFT: f32 = 62.0;
const RIGHT: f32 = 12.0;
const MINUTE: i64 = 60_000;

struct Panel {
    label: &'static str,
    top: f32,
    height: f32,
    low: f32,
    high: f32,
    step: f32,
}

const RATE: Panel = Panel { label: "Rate mg/h", top: 24.0, height: 60.0, low: 0.0, high: 80.0, step: 40.0 };
const PRESSURE: Panel = Panel { label: "NIBP, HR", top: 100.0, height: 190.0, low: 40.0, high: 200.0, step: 20.0 };
const OXYGEN: Panel = Panel { label: "SpO₂ %", top: 306.0, height: 50.0, low: 85.0, high: 100.0, step: 5.0 };
const BOTTOM: f32 = 372.0;

impl Course<'_> {
    /// Draws the course.
    pub fn draw(&self) -> Drawing {
        let mut drawing = Drawing {
            width: WIDTH,
            height: BOTTOM + 34.0,
            title: "Course of the infusion".to_owned(),
            words: self.words(),
            marks: Vec::new(),
        };
        self.grid(&mut drawing);
        let highest = self.segments.iter().map(|segment| self.mg_per_h(segment)).fold(RATE.high, f32::max);
        let rate = Panel { high: (highest / RATE.step).ceil() * RATE.step, ..RATE };
        for panel in [&rate, &PRESSURE, &OXYGEN] {
            self.axis(&mut drawing, panel);
        }
        self.rate(&mut drawing, &rate);
        self.pressure(&mut drawing);
        self.line(&mut drawing, Parameter::HeartRate, &PRESSURE, Ink::Heart);
        self.line(&mut drawing, Parameter::PulseRate, &PRESSURE, Ink::Heart);
        self.line(&mut drawing, Parameter::Spo2, &OXYGEN, Ink::Oxygen);
        self.event_numbers(&mut drawing);
        drawing
    }

    fn words(&self) -> String {
        let range = |parameter| {
            let mut values: Vec<Tenths> =
                self.vitals.iter().filter(|(_, its, _)| *its == parameter).map(|(_, _, value)| *value).collect();
            values.sort_unstable();
            match (values.first(), values.last()) {
                (Some(low), Some(high)) => format!("{} {low} to {high}", parameter.label()),
                _ => format!("{} not recorded", parameter.label()),
            }
        };
        [Parameter::Systolic, Parameter::Diastolic, Parameter::HeartRate, Parameter::Spo2].map(range).join(", ")
    }

    #[expect(clippy::cast_precision_loss, reason = "a position on paper needs no more than a float holds")]
    fn x(&self, at: Timestamp) -> f32 {
        let whole = (self.to.as_millisecond() - self.from.as_millisecond()).max(1) as f32;
        let part = (at.as_millisecond() - self.from.as_millisecond()) as f32;
        LEFT + (WIDTH - LEFT - RIGHT) * (part / whole).clamp(0.0, 1.0)
    }

    fn y(panel: &Panel, value: f32) -> f32 {
        let part = ((value - panel.low) / (panel.high - panel.low)).clamp(0.0, 1.0);
        panel.top + panel.height * (1.0 - part)
    }

    fn grid(&self, drawing: &mut Drawing) {
        let first = self.from.as_millisecond() / (5 * MINUTE) + 1;
        let last = self.to.as_millisecond() / (5 * MINUTE);
        for five in first..=last {
            let Ok(at) = Timestamp::from_millisecond(five * 5 * MINUTE) else { continue };
            let strong = five % 3 == 0;
            let x = self.x(at);
            let ink = if strong { Ink::GridStrong } else { Ink::Grid };
            drawing.line((x, RATE.top), (x, BOTTOM), ink, 0.5);
            if strong {
                let clock = at.to_zoned(self.zone.clone()).strftime("%H:%M").to_string();
                drawing.text((x, BOTTOM + 12.0), 9.0, Anchor::Middle, Ink::Quiet, clock);
            }
        }
    }

    fn axis(&self, drawing: &mut Drawing, panel: &Panel) {
        drawing.text((4.0, panel.top - 4.0), 9.5, Anchor::Start, Ink::Black, panel.label);
        let mut value = panel.low;
        while value <= panel.high {
            let y = Self::y(panel, value);
            drawing.line((LEFT, y), (WIDTH - RIGHT, y), Ink::Grid, 0.5);
            drawing.text((LEFT - 4.0, y + 3.0), 8.0, Anchor::End, Ink::Quiet, format!("{value:.0}"));
            value += panel.step;
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a position on paper needs no more than a float holds")]
    fn mg_per_h(&self, segment: &Segment) -> f32 {
        (i128::from(segment.rate().0) * i128::from(self.concentration)) as f32 / 1e6
    }

    fn rate(&self, drawing: &mut Drawing, panel: &Panel) {
        for segment in self.segments.iter().filter(|segment| segment.volume.0 > 0) {
            let (left, right) = (self.x(segment.from), self.x(segment.to));
            let (top, bottom) = (Self::y(panel, self.mg_per_h(segment)), Self::y(panel, 0.0));
            let corners = vec![(left, bottom), (left, top), (right, top), (right, bottom)];
            drawing.marks.push(Mark::Area { points: corners.clone(), ink: Ink::DrugArea });
            drawing.marks.push(Mark::Path { points: corners, ink: Ink::Drug, width: 1.0, dashed: false });
        }
    }

    fn series(&self, parameter: Parameter) -> impl Iterator<Item = (Timestamp, f32)> {
        #[expect(clippy::cast_precision_loss, reason = "tenths of a vital sign fit a float")]
        self.vitals
            .iter()
            .filter(move |(_, its, _)| *its == parameter)
            .map(|(at, _, value)| (*at, value.0 as f32 / 10.0))
    }

    /// Carets for systolic and diastolic with a thin line between, as on paper.
    fn pressure(&self, drawing: &mut Drawing) {
        let diastolic: Vec<(Timestamp, f32)> = self.series(Parameter::Diastolic).collect();
        for (at, systolic) in self.series(Parameter::Systolic) {
            let x = self.x(at);
            let top = Self::y(&PRESSURE, systolic);
            caret(drawing, x, top, -1.0);
            if let Some((_, low)) = diastolic.iter().find(|(its, _)| *its == at) {
                let bottom = Self::y(&PRESSURE, *low);
                caret(drawing, x, bottom, 1.0);
                drawing.line((x, top), (x, bottom), Ink::Pressure, 0.4);
            }
        }
    }

    /// Straight lines; a gap of more than two minutes stays a gap.
    fn line(&self, drawing: &mut Drawing, parameter: Parameter, panel: &Panel, ink: Ink) {
        let mut points: Vec<(f32, f32)> = Vec::new();
        let mut last: Option<Timestamp> = None;
        for (at, value) in self.series(parameter) {
            let gap = last.is_some_and(|last| at.as_millisecond() - last.as_millisecond() > 2 * MINUTE);
            if gap {
                stroke(drawing, std::mem::take(&mut points), ink);
            }
            points.push((self.x(at), Self::y(panel, value)));
            last = Some(at);
        }
        stroke(drawing, points, ink);
    }

    fn event_numbers(&self, drawing: &mut Drawing) {
        for (n, (at, _)) in self.events.iter().enumerate() {
            let x = self.x(*at);
            drawing.line((x, RATE.top - 2.0), (x, RATE.top + 4.0), Ink::Black, 0.8);
            drawing.text((x, RATE.top - 5.0), 8.0, Anchor::Middle, Ink::Black, (n + 1).to_string());
        }
    }
}

fn caret(drawing: &mut Drawing, x: f32, y: f32, up: f32) {
    let points = vec![(x - 3.0, y + up * 4.0), (x, y), (x + 3.0, y + up * 4.0)];
    drawing.marks.push(Mark::Path { points, ink: Ink::Pressure, width: 1.2, dashed: false });
}

/// A lone point shows as a dot.
fn stroke(drawing: &mut Drawing, mut points: Vec<(f32, f32)>, ink: Ink) {
    if let [(x, y)] = points[..] {
        points = vec![(x - 1.0, y), (x + 1.0, y)];
    }
    if points.len() > 1 {
        drawing.marks.push(Mark::Path { points, ink, width: 1.2, dashed: false });
    }
}

//! The anaesthesia chart: rate, blood pressure, heart rate, saturation and the drugs on one time axis, with a
//! column every five minutes and the events numbered on top.

use super::drawing::{Anchor, Drawing, Ink, Mark};
use clinic::device::Parameter;
use clinic::quantity::{Micrograms, Microlitres, Rate, Tenths};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// A stretch of the infusion with one setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// From.
    pub from: Timestamp,
    /// To.
    pub to: Timestamp,
    /// As set on the pump.
    pub rate: Rate,
    /// Why nothing flowed; empty while it did.
    pub still: &'static str,
    /// Volume that went in.
    pub volume: Microlitres,
    /// Dose that went in.
    pub mass: Micrograms,
}

/// What is drawn.
pub struct Course<'a> {
    /// Left edge.
    pub from: Timestamp,
    /// Right edge.
    pub to: Timestamp,
    /// Vital signs with their time, measured or charted, oldest first.
    pub vitals: &'a [(Timestamp, Parameter, Tenths)],
    /// Vital signs that devices measured then and sent later.
    pub late: &'a [(Timestamp, Parameter, Tenths)],
    /// What flowed, and its name.
    pub flows: &'a [Flow],
    /// Name of the infused drug.
    pub infused: &'a str,
    /// Total delivered, in words.
    pub delivered: String,
    /// Other drugs, each with its doses.
    pub drugs: &'a [(String, Vec<(Timestamp, String)>)],
    /// Numbered events.
    pub events: &'a [Timestamp],
    /// Zone of the clinic.
    pub zone: &'a TimeZone,
}

const WIDTH: f32 = 760.0;
const LEFT: f32 = 86.0;
const RIGHT: f32 = 14.0;
const TOP: f32 = 44.0;
const ROW: f32 = 19.0;
const MINUTE_MS: i64 = 60_000;
const LETTERS: f32 = 10.5;
/// Between the middles of two event numbers on one level.
const NUMBERS_APART: f32 = 15.0;

/// One scale: its name, where it stands and what it spans. It grows with the data and never cuts a value off.
#[derive(Clone)]
struct Panel {
    label: &'static str,
    top: f32,
    height: f32,
    low: f32,
    high: f32,
    step: f32,
}

const RATE: Panel = Panel { label: "Rate mL/h", top: TOP, height: 58.0, low: 0.0, high: 40.0, step: 20.0 };
const PRESSURE: Panel =
    Panel { label: "mmHg, /min", top: TOP + 84.0, height: 190.0, low: 40.0, high: 180.0, step: 20.0 };
const OXYGEN: Panel =
    Panel { label: "SpO₂ %", top: TOP + 300.0, height: 50.0, low: 90.0, high: 100.0, step: 5.0 };
const DRUGS: f32 = TOP + 372.0;

impl Panel {
    /// The panel wide enough for all values.
    fn with(mut self, values: impl Iterator<Item = f32>) -> Self {
        for value in values {
            self.low = self.low.min((value / self.step).floor() * self.step);
            self.high = self.high.max((value / self.step).ceil() * self.step);
        }
        self
    }

    fn y(&self, value: f32) -> f32 {
        self.top + self.height * (1.0 - (value - self.low) / (self.high - self.low))
    }
}

impl Course<'_> {
    /// Draws the course.
    pub fn draw(&self) -> Drawing {
        #[expect(clippy::cast_precision_loss, reason = "a handful of rows")]
        let rows = (self.drugs.len() + 1) as f32;
        let bottom = DRUGS + rows * ROW;
        let mut drawing = Drawing {
            width: WIDTH,
            height: bottom + 22.0,
            title: "Course of the infusion".to_owned(),
            words: self.words(),
            marks: Vec::new(),
        };
        let rate = RATE.with(self.flows.iter().map(|flow| shown(flow.rate.0, 1000.0)));
        let pressure = PRESSURE.with(
            [Parameter::Systolic, Parameter::Diastolic, Parameter::HeartRate, Parameter::PulseRate]
                .into_iter()
                .flat_map(|sign| self.series(sign).map(|(_, value)| value)),
        );
        let oxygen = OXYGEN.with(self.series(Parameter::Spo2).map(|(_, value)| value));
        self.grid(&mut drawing, bottom);
        for panel in [&rate, &pressure, &oxygen] {
            axis(&mut drawing, panel);
        }
        legend(&mut drawing, !self.late.is_empty());
        self.flow(&mut drawing, &rate);
        self.pressure(&mut drawing, &pressure);
        self.line(&mut drawing, Parameter::HeartRate, &pressure, Ink::Heart);
        self.line(&mut drawing, Parameter::PulseRate, &pressure, Ink::Heart);
        self.line(&mut drawing, Parameter::Spo2, &oxygen, Ink::Oxygen);
        self.drug_rows(&mut drawing);
        self.event_numbers(&mut drawing);
        drawing
    }

    fn words(&self) -> String {
        let range = |parameter: Parameter| {
            let both = || self.vitals.iter().chain(self.late);
            let values = || both().filter(|(_, its, _)| *its == parameter).map(|(_, _, value)| *value);
            match (values().min(), values().max()) {
                (Some(low), Some(high)) => format!("{} {low} to {high}", parameter.label()),
                _ => format!("{} not recorded", parameter.label()),
            }
        };
        let signs =
            [Parameter::Systolic, Parameter::Diastolic, Parameter::HeartRate, Parameter::Spo2].map(range);
        format!(
            "{}. {} delivered: {}. The numbers stand in the tables below.",
            signs.join(", "),
            self.infused,
            self.delivered
        )
    }

    #[expect(clippy::cast_precision_loss, reason = "a position on paper needs no more than a float holds")]
    fn x(&self, at: Timestamp) -> f32 {
        let whole = (self.to.as_millisecond() - self.from.as_millisecond()).max(1) as f32;
        let part = (at.as_millisecond() - self.from.as_millisecond()) as f32;
        LEFT + (WIDTH - LEFT - RIGHT) * part / whole
    }

    fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }

    fn grid(&self, drawing: &mut Drawing, bottom: f32) {
        let first = self.from.as_millisecond() / (5 * MINUTE_MS) + 1;
        let last = self.to.as_millisecond() / (5 * MINUTE_MS);
        // So that the times under the axis never touch.
        let minutes = (last - first) * 5;
        let label_every = if minutes > 300 {
            12
        } else if minutes > 150 {
            6
        } else {
            3
        };
        for five in first..=last {
            let Ok(at) = Timestamp::from_millisecond(five * 5 * MINUTE_MS) else { continue };
            let strong = five % label_every == 0;
            let x = self.x(at);
            let ink = if strong { Ink::GridStrong } else { Ink::Grid };
            drawing.line((x, TOP), (x, bottom), ink, 0.5);
            if strong {
                let clock = at.to_zoned(self.zone.clone()).strftime("%H:%M").to_string();
                drawing.text((x, bottom + 15.0), LETTERS, Anchor::Middle, Ink::Black, clock);
            }
        }
    }

    fn flow(&self, drawing: &mut Drawing, panel: &Panel) {
        for flow in self.flows.iter().filter(|flow| flow.rate > Rate::ZERO && flow.to > flow.from) {
            let (left, right) = (self.x(flow.from), self.x(flow.to));
            let (top, bottom) = (panel.y(shown(flow.rate.0, 1000.0)), panel.y(0.0));
            let corners = vec![(left, bottom), (left, top), (right, top), (right, bottom)];
            drawing.marks.push(Mark::Area { points: corners.clone(), ink: Ink::DrugArea });
            drawing.marks.push(Mark::Path { points: corners, ink: Ink::Drug, width: 1.0, dashed: false });
            if right - left > 26.0 {
                let rate = clinic::quantity::plain(flow.rate.decimal());
                drawing.text((left + 3.0, bottom - 4.0), LETTERS, Anchor::Start, Ink::Black, rate);
            }
        }
    }

    fn series(&self, parameter: Parameter) -> impl Iterator<Item = (Timestamp, f32)> {
        self.of(self.vitals, parameter).chain(self.of(self.late, parameter))
    }

    fn of<'v>(
        &self,
        vitals: &'v [(Timestamp, Parameter, Tenths)],
        parameter: Parameter,
    ) -> impl Iterator<Item = (Timestamp, f32)> + use<'_, 'v> {
        vitals
            .iter()
            .filter(move |(at, its, _)| *its == parameter && self.holds(*at))
            .map(|(at, _, value)| (*at, shown(i64::from(value.0), 10.0)))
    }

    /// Carets for systolic and diastolic with a thin line between, as on paper.
    fn pressure(&self, drawing: &mut Drawing, panel: &Panel) {
        let diastolic: Vec<(Timestamp, f32)> = self.series(Parameter::Diastolic).collect();
        for (at, systolic) in self.series(Parameter::Systolic) {
            let x = self.x(at);
            let top = panel.y(systolic);
            caret(drawing, x, top, -1.0);
            if let Some((_, low)) = diastolic.iter().find(|(its, _)| *its == at) {
                let bottom = panel.y(*low);
                caret(drawing, x, bottom, 1.0);
                drawing.line((x, top), (x, bottom), Ink::Pressure, 0.4);
            }
        }
    }

    /// Straight lines, dashed where the values came later; a gap of more than two minutes stays a gap, and a lone value
    /// is a dot.
    fn line(&self, drawing: &mut Drawing, parameter: Parameter, panel: &Panel, ink: Ink) {
        for (vitals, dashed) in [(self.vitals, false), (self.late, true)] {
            let mut points: Vec<(f32, f32)> = Vec::new();
            let mut last: Option<Timestamp> = None;
            for (at, value) in self.of(vitals, parameter) {
                if last.is_some_and(|last| at.as_millisecond() - last.as_millisecond() > 2 * MINUTE_MS) {
                    stroke(drawing, std::mem::take(&mut points), ink, dashed);
                }
                points.push((self.x(at), panel.y(value)));
                last = Some(at);
            }
            stroke(drawing, points, ink, dashed);
        }
    }

    /// Drugs as rows with their doses under their time.
    fn drug_rows(&self, drawing: &mut Drawing) {
        let mut y = DRUGS + ROW - 6.0;
        drawing.text((4.0, y), LETTERS, Anchor::Start, Ink::Black, self.infused);
        // The pump is read now and then, so that a pause may hold volume of the time before it; it set no rate.
        let flowing = || self.flows.iter().filter(|flow| flow.rate > Rate::ZERO && flow.to > flow.from);
        for flow in flowing() {
            drawing.line((self.x(flow.from), y + 4.0), (self.x(flow.to), y + 4.0), Ink::Drug, 1.6);
        }
        if let Some(first) = flowing().next() {
            let total = format!("{} in all", self.delivered);
            drawing.text((self.x(first.from), y), LETTERS, Anchor::Start, Ink::Black, total);
        }
        for (name, doses) in self.drugs {
            drawing.line((4.0, y + 6.0), (WIDTH - RIGHT, y + 6.0), Ink::Grid, 0.5);
            y += ROW;
            drawing.text((4.0, y), LETTERS, Anchor::Start, Ink::Black, name);
            for (at, dose) in doses.iter().filter(|(at, _)| self.holds(*at)) {
                let x = self.x(*at);
                drawing.line((x, y - 8.0), (x, y + 2.0), Ink::Black, 1.2);
                drawing.text((x + 3.0, y), LETTERS, Anchor::Start, Ink::Black, dose);
            }
        }
    }

    /// Numbers stand above each other and aside where their times are too close, each with a line to its time.
    fn event_numbers(&self, drawing: &mut Drawing) {
        for (n, (at, (x, level))) in self.events.iter().zip(self.number_places()).enumerate() {
            let y = TOP - 6.0 - f32::from(level) * 12.0;
            drawing.line((x, y + 2.0), (self.x(*at), TOP + 4.0), Ink::Black, 0.7);
            drawing.text((x, y), LETTERS, Anchor::Middle, Ink::Black, (n + 1).to_string());
        }
    }

    /// Where the number of each event stands: its place along the axis and its level over it. Three levels of the width of
    /// the chart hold 126 numbers.
    fn number_places(&self) -> Vec<(f32, u8)> {
        let mut taken = [f32::MIN; 3];
        let mut places: Vec<(f32, u8)> = Vec::new();
        for at in self.events {
            let wanted = self.x(*at);
            // The lowest level where it has room, else the one that gives it room soonest.
            let room = |x: f32| (x + NUMBERS_APART - wanted).max(0.0);
            let levels = (0_u8..).zip(&mut taken);
            let Some((level, last)) = levels.min_by(|(_, a), (_, b)| room(**a).total_cmp(&room(**b))) else {
                break;
            };
            *last = wanted.max(*last + NUMBERS_APART);
            places.push((*last, level));
        }
        // What would stand beyond the right edge pushes back those before it.
        let mut most = [WIDTH - RIGHT; 3];
        for (x, level) in places.iter_mut().rev() {
            let Some(edge) = most.get_mut(usize::from(*level)) else { continue };
            *x = x.min(*edge);
            *edge = *x - NUMBERS_APART;
        }
        places
    }
}

#[expect(clippy::cast_precision_loss, reason = "a position on paper needs no more than a float holds")]
fn shown(value: i64, per_unit: f32) -> f32 {
    value as f32 / per_unit
}

fn axis(drawing: &mut Drawing, panel: &Panel) {
    drawing.text((4.0, panel.top + 3.0), LETTERS, Anchor::Start, Ink::Black, panel.label);
    let mut value = panel.low;
    while value <= panel.high {
        let y = panel.y(value);
        drawing.line((LEFT, y), (WIDTH - RIGHT, y), Ink::Grid, 0.5);
        drawing.text((LEFT - 4.0, y + 3.5), LETTERS - 1.0, Anchor::End, Ink::Black, format!("{value:.0}"));
        value += panel.step;
    }
}

/// Shapes tell the lines apart where there is no colour.
fn legend(drawing: &mut Drawing, late: bool) {
    let y = PRESSURE.top + 22.0;
    caret(drawing, 9.0, y, -1.0);
    caret(drawing, 9.0, y + 7.0, 1.0);
    drawing.text((17.0, y + 7.0), LETTERS - 1.0, Anchor::Start, Ink::Black, "NIBP");
    let y = y + 22.0;
    stroke(drawing, vec![(4.0, y), (14.0, y)], Ink::Heart, false);
    drawing.text((17.0, y + 3.5), LETTERS - 1.0, Anchor::Start, Ink::Black, "HR");
    if late {
        let y = y + 15.0;
        stroke(drawing, vec![(4.0, y), (14.0, y)], Ink::Heart, true);
        drawing.text((17.0, y + 3.5), LETTERS - 1.0, Anchor::Start, Ink::Black, "came later");
    }
    drawing.text((4.0, TOP - 13.0), LETTERS - 1.0, Anchor::Start, Ink::Black, "Event no.");
}

fn caret(drawing: &mut Drawing, x: f32, y: f32, up: f32) {
    let points = vec![(x - 3.5, y + up * 4.5), (x, y), (x + 3.5, y + up * 4.5)];
    drawing.marks.push(Mark::Path { points, ink: Ink::Pressure, width: 1.3, dashed: false });
}

fn stroke(drawing: &mut Drawing, mut points: Vec<(f32, f32)>, ink: Ink, dashed: bool) {
    if let [(x, y)] = points[..] {
        points = vec![(x - 2.5, y), (x, y - 2.5), (x + 2.5, y), (x, y + 2.5), (x - 2.5, y)];
    }
    if points.len() > 1 {
        drawing.marks.push(Mark::Path { points, ink, width: 1.4, dashed });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 - 1_700_000_000 % 3600 + minute * 60).expect("a time")
    }

    fn course<'a>(vitals: &'a [(Timestamp, Parameter, Tenths)], events: &'a [Timestamp]) -> Course<'a> {
        Course {
            from: at(0),
            to: at(60),
            vitals,
            late: &[],
            flows: &[],
            infused: "ketamine",
            delivered: "0 mg".to_owned(),
            drugs: &[],
            events,
            zone: const { &TimeZone::UTC },
        }
    }

    #[test]
    fn a_value_beyond_the_scale_widens_it_and_is_not_cut_off() {
        let vitals = [(at(10), Parameter::Spo2, Tenths(810)), (at(10), Parameter::Systolic, Tenths(2110))];
        let drawing = course(&vitals, &[]).draw();
        let says = |text: &str| {
            drawing.marks.iter().any(|mark| matches!(mark, Mark::Text { text: its, .. } if its == text))
        };
        assert!(says("80") && says("220"), "the axes reach below 81 and above 211");
        assert!(
            drawing.words.contains("SpO₂ 81 to 81") && drawing.words.contains("NIBP systolic 211 to 211")
        );
        assert!(drawing.words.contains("HR not recorded"));
    }

    #[test]
    fn a_gap_stays_a_gap() {
        let heart = |minute| (at(minute), Parameter::HeartRate, Tenths(800));
        let lines = |vitals: &[(Timestamp, Parameter, Tenths)]| {
            let drawing = course(vitals, &[]).draw();
            let heart = |mark: &&Mark| matches!(mark, Mark::Path { ink: Ink::Heart, .. });
            drawing.marks.iter().filter(heart).count() - 1
        };
        assert_eq!(lines(&[heart(1), heart(2), heart(4)]), 1);
        assert_eq!(lines(&[heart(1), heart(2), heart(5), heart(6)]), 2);
    }

    #[test]
    fn what_came_later_is_dashed_and_joins_no_line_of_what_was_seen() {
        let heart = |minute| (at(minute), Parameter::HeartRate, Tenths(800));
        let (seen, late) = ([heart(1), heart(5)], [heart(2), heart(3), heart(4)]);
        let drawing = Course { late: &late, ..course(&seen, &[]) }.draw();
        let paths = |wanted: bool| {
            let is = |mark: &&Mark| matches!(mark, Mark::Path { ink: Ink::Heart, dashed, .. } if *dashed == wanted);
            drawing.marks.iter().filter(is).count()
        };
        // One of each stands in the legend; what was seen is two lone values.
        assert_eq!((paths(false), paths(true)), (3, 2));
    }

    #[test]
    fn the_drug_breaks_at_a_pause_and_says_the_whole_dose_once() {
        let flow = |from, to, rate| Flow {
            from: at(from),
            to: at(to),
            rate: Rate(rate),
            still: "",
            volume: Microlitres(5_000),
            mass: Micrograms(10_000),
        };
        let flows = [flow(0, 20, 30_800), flow(20, 30, 0), flow(30, 50, 30_800)];
        let drawing = Course { flows: &flows, delivered: "30 mg".to_owned(), ..course(&[], &[]) }.draw();
        let strokes: Vec<&Vec<(f32, f32)>> = drawing
            .marks
            .iter()
            .filter_map(|mark| match mark {
                Mark::Path { points, ink: Ink::Drug, .. } if points.len() == 2 => Some(points),
                _ => None,
            })
            .collect();
        assert_eq!(strokes.len(), 2, "one line a stretch");
        assert!(strokes[0][1].0 < strokes[1][0].0, "with a gap between");
        let doses = drawing
            .marks
            .iter()
            .filter(|mark| matches!(mark, Mark::Text { text, .. } if text.contains("mg")));
        let doses: Vec<_> = doses.collect();
        assert!(matches!(doses[..], [Mark::Text { text, .. }] if text == "30 mg in all"), "{doses:?}");
    }

    #[test]
    fn numbers_of_close_events_do_not_stand_in_each_other() {
        let drawing = course(&[], &[at(10), at(10), at(30)]).draw();
        let y = |number: &str| {
            drawing.marks.iter().find_map(|mark| match mark {
                Mark::Text { text, at, .. } if text == number && at.1 < TOP => Some(at.1),
                _ => None,
            })
        };
        assert_ne!(y("1"), y("2"));
        assert_eq!(y("1"), y("3"));
    }

    /// However many events fall together, and be it at the end: no number stands in another or beyond the paper.
    #[test]
    fn no_crowd_of_events_overprints_its_numbers() {
        let crowds: [Vec<Timestamp>; 4] = [
            vec![at(30); 40],
            vec![at(60); 126],
            (0..120).map(|n| at(n / 2)).collect(),
            (0..9).map(|n| at(55 + n / 2)).chain([at(60); 20]).collect(),
        ];
        for crowd in crowds {
            let course = course(&[], &crowd);
            let places = course.number_places();
            assert_eq!(places.len(), crowd.len());
            for (n, (x, level)) in places.iter().enumerate() {
                assert!((LEFT - 1.0..=WIDTH - RIGHT).contains(x), "{n} stands at {x}");
                let near = places
                    .iter()
                    .skip(n + 1)
                    .filter(|(other, its)| its == level && (other - x).abs() < NUMBERS_APART - 0.01);
                assert_eq!(near.count(), 0, "{n} of {}", crowd.len());
            }
        }
    }
}

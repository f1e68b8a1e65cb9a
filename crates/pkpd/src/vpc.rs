//! Whether a model could have drawn what was measured: percentiles of measured levels beside those of many simulated
//! copies of the same study (visual predictive check; corrected for the prediction as by Bergstrand 2011, AAPS J 13:143).

use crate::chance::Purpose;
use crate::draws::Draws;
use crate::model::{Model, Residual};
use crate::person::{Body, check_times};
use crate::population::Layers;
use crate::refused::{Accepted, Refused};
use crate::schedule::Schedule;
use crate::units::{Minutes, NgPerMl, Ratio};

/// One person's levels.
#[derive(Debug, Clone, PartialEq)]
pub struct Seen {
    /// Who.
    pub body: Body,
    /// What was given, in mg of what the model describes.
    pub schedule: Schedule,
    /// When, rising.
    pub times: Vec<Minutes>,
    /// One for each time.
    pub levels: Vec<NgPerMl>,
}

/// What is checked, and how.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// With spread.
    pub model: &'a Model,
    /// The metabolite that was measured, by its name in the model; else the parent.
    pub metabolite: Option<&'a str>,
    /// The study.
    pub seen: &'a [Seen],
    /// Where a new bin begins; levels before the first are a bin, too.
    pub edges: &'a [Minutes],
    /// Copies of the study, 20 to 10,000.
    pub copies: u32,
    /// The same copies for the same seed.
    pub seed: u64,
    /// What the copies carry; that of the assay as a rule.
    pub layers: Layers,
    /// Whether each level is divided by what the model expects of this very person and dose, and multiplied by the
    /// middle of what it expects in the bin: then different doses and bodies do not blur the picture.
    pub corrected: bool,
}

/// Levels of one stretch of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Bin {
    /// Time of its first and last level.
    pub span: (Minutes, Minutes),
    /// How many were measured.
    pub count: usize,
    /// Fifth, fiftieth and ninety-fifth percentile of what was measured.
    pub measured: [NgPerMl; 3],
    /// The same of the copies: lower end, middle and upper end of nine tenths of them.
    pub simulated: [[NgPerMl; 3]; 3],
}

const SHARES: [f64; 3] = [0.05, 0.5, 0.95];
const LEVELS_MAX: usize = 100_000;
/// Levels that are simulated in all, at most.
const WORK_MAX: f64 = 1e8;

/// The bins in which something was measured, in the order of time.
///
/// # Errors
/// A study without levels or with too many, times that fall, a model without spread, bodies and doses that it refuses.
pub fn visual_check(check: &Check) -> Result<Vec<Bin>, Refused> {
    let spec = check.model.spec();
    if spec.variability.is_empty() {
        let why = "has no between-person spread, so it expects nobody but the typical person".to_owned();
        return Err(Refused::Model { model: spec.id.clone(), why });
    }
    Accepted { what: "copies", low: 20.0, high: 10_000.0, unit: "1" }.check(f64::from(check.copies))?;
    check_times(check.edges)?;
    let count: usize = check.seen.iter().map(|seen| seen.levels.len()).sum();
    if count == 0 || check.seen.iter().any(|seen| seen.levels.len() != seen.times.len()) {
        return Err(Refused::Missing("a level at each time"));
    }
    if count > LEVELS_MAX {
        return Err(Refused::TooMany { what: "levels", count, most: LEVELS_MAX });
    }
    Accepted { what: "levels in all copies", low: 0.0, high: WORK_MAX, unit: "1" }
        .check(count as f64 * f64::from(check.copies))?;
    let expected = check.seen.iter().map(|seen| check.levels(seen, &[])).collect::<Result<Vec<_>, _>>()?;
    let bins = Bins::new(check, &expected);
    let measured = bins.percentiles(check.seen.iter().map(|seen| seen.levels.iter().map(|level| level.0)));
    let mut copies: Vec<Vec<[f64; 3]>> = Vec::with_capacity(check.copies as usize);
    let study = Study { check, draws: Draws::new(check.model, check.layers, check.seed) };
    for copy in 0..check.copies {
        copies.push(bins.percentiles(study.copy(copy)?.iter().map(|levels| levels.iter().copied())));
    }
    let each = measured.iter().zip(&bins.spans).enumerate();
    Ok(each
        .filter_map(|(bin, (measured, span))| {
            let (first, last, count) = (*span)?;
            let of = |percentile: usize| {
                let found = copies.iter().filter_map(|copy| copy.get(bin)?.get(percentile).copied());
                shares(found.collect()).map(NgPerMl)
            };
            let simulated = [of(0), of(1), of(2)];
            Some(Bin {
                span: (Minutes(first), Minutes(last)),
                count,
                measured: measured.map(NgPerMl),
                simulated,
            })
        })
        .collect())
}

impl Check<'_> {
    fn levels(&self, seen: &Seen, etas: &[Ratio]) -> Result<Vec<f64>, Refused> {
        let person = self.model.individual(seen.body, etas)?;
        let course = match self.metabolite {
            None => person.parent_course(&seen.schedule, None, &seen.times)?.plasma,
            Some(wanted) => {
                let all = person.course(&seen.schedule, None, &seen.times)?.metabolites;
                let found = all.into_iter().find(|(name, _)| name == wanted);
                found.map(|(_, levels)| levels).ok_or(Refused::Missing("the metabolite that was measured"))?
            }
        };
        Ok(course.into_iter().map(|level| level.0).collect())
    }
}

struct Study<'a> {
    check: &'a Check<'a>,
    draws: Draws,
}

impl Study<'_> {
    /// What another study of the same design measures. Who leaves the range of numbers is drawn as typical.
    fn copy(&self, copy: u32) -> Result<Vec<Vec<f64>>, Refused> {
        let Check { model, seen, .. } = *self.check;
        let levels = |person, etas: &[Ratio]| self.check.levels(person, etas);
        let residual = self.residual();
        let people = seen.len() as u64;
        seen.iter()
            .zip(0..)
            .map(|(person, place)| {
                let patient = u64::from(copy) * people + place;
                let etas = self.draws.etas(model, patient, 0);
                let mut found = levels(person, &etas).or_else(|_| levels(person, &[]))?;
                if let Some(residual) = residual {
                    for (level, sample) in found.iter_mut().zip(0..) {
                        let z = self.draws.normal(patient, Purpose::Assay, sample);
                        *level = residual.measured(NgPerMl(*level), z).0;
                    }
                }
                Ok(found)
            })
            .collect()
    }

    fn residual(&self) -> Option<Residual> {
        let spec = self.check.model.spec();
        let parent = spec.compartments.first()?.analyte.as_ref()?.name.as_str();
        let measured = self.check.metabolite.unwrap_or(parent);
        let found = spec.residuals.iter().find(|(analyte, _)| analyte == measured);
        found.filter(|_| self.check.layers.assay).map(|(_, residual)| *residual)
    }
}

/// To which bin each level belongs, and what it is multiplied by.
struct Bins {
    places: Vec<Vec<(usize, f64)>>,
    /// First and last time, and how many levels; none where nothing was measured.
    spans: Vec<Option<(f64, f64, usize)>>,
}

impl Bins {
    fn new(check: &Check, expected: &[Vec<f64>]) -> Self {
        let bin = |time: &Minutes| check.edges.iter().take_while(|edge| *edge <= time).count();
        let mut spans: Vec<Option<(f64, f64, usize)>> = vec![None; check.edges.len() + 1];
        let mut of_bin: Vec<Vec<f64>> = vec![Vec::new(); spans.len()];
        for (seen, expected) in check.seen.iter().zip(expected) {
            for (time, level) in seen.times.iter().zip(expected) {
                if let Some(span) = spans.get_mut(bin(time)) {
                    let (first, last, count) = span.unwrap_or((time.0, time.0, 0));
                    *span = Some((first.min(time.0), last.max(time.0), count + 1));
                }
                of_bin.iter_mut().skip(bin(time)).take(1).for_each(|levels| levels.push(*level));
            }
        }
        let middles: Vec<f64> = of_bin.into_iter().map(|levels| shares(levels)[1]).collect();
        let place = |time: &Minutes, level: &f64| {
            let bin = bin(time);
            let middle = middles.get(bin).copied().unwrap_or_default();
            // Where the model expects nothing there is nothing to correct.
            let factor = if check.corrected && *level > 0.0 { middle / level } else { 1.0 };
            (bin, factor)
        };
        let places = check.seen.iter().zip(expected).map(|(seen, expected)| {
            seen.times.iter().zip(expected).map(|(time, level)| place(time, level)).collect()
        });
        Self { places: places.collect(), spans }
    }

    fn percentiles<L: Iterator<Item = f64>>(&self, people: impl Iterator<Item = L>) -> Vec<[f64; 3]> {
        let mut of_bin: Vec<Vec<f64>> = vec![Vec::new(); self.spans.len()];
        for (levels, places) in people.zip(&self.places) {
            for (level, (bin, factor)) in levels.zip(places) {
                of_bin.iter_mut().skip(*bin).take(1).for_each(|all| all.push(level * factor));
            }
        }
        of_bin.into_iter().map(shares).collect()
    }
}

/// Percentiles between the two nearest numbers (type 7 of Hyndman and Fan 1996); 0 of none.
fn shares(mut of: Vec<f64>) -> [f64; 3] {
    of.sort_by(f64::total_cmp);
    SHARES.map(|share| {
        let place = share * of.len().saturating_sub(1) as f64;
        let at = |place: f64| of.get(place as usize).copied().unwrap_or_default();
        let (low, high) = (at(place.floor()), at(place.ceil()));
        low + (high - low) * place.fract()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::theorems::{flow, parameter, place};
    use crate::{Block, Dose, Form, Kg, LPerMin, Litres, Mg, MgPerKg, Site, Spec, Validity, Value, Years};

    const LAYERS: Layers = Layers { people: true, occasions: false, uncertainty: false, assay: true };

    fn model() -> Model {
        Model::new(Spec {
            id: "one".to_owned(),
            form: Form::Racemate,
            site: Site::Arterial,
            parameters: vec![
                parameter("v", Value::Volume(Litres(50.0))),
                parameter("cl", Value::Clearance(LPerMin(1.4))),
            ],
            compartments: vec![place("centre", Some("v"), Some("parent"))],
            flows: vec![flow("centre", None, "cl")],
            routes: vec![],
            occasions: vec![],
            uncertainty: vec![],
            variability: vec![Block {
                parameters: vec!["cl".to_owned()],
                covariance: vec![vec![Ratio(0.09)]],
            }],
            residuals: vec![("parent".to_owned(), Residual::LogNormal { sd: Ratio(0.2) })],
            validity: Validity {
                age: Years(18.0)..=Years(75.0),
                weight: Kg(45.0)..=Kg(120.0),
                dose_max: MgPerKg(2.0),
                length_max: Minutes(240.0),
                infusion_min: Minutes(0.0),
                after_bolus: Minutes(0.0),
            },
        })
        .expect("a model")
    }

    /// People with these doses, whose levels are those of a copy of such a study, times a factor.
    fn study(doses: &[f64], factor: f64) -> Vec<Seen> {
        let model = model();
        let times: Vec<_> = [20.0, 40.0, 80.0].map(Minutes).to_vec();
        let empty = |dose: &f64| Seen {
            body: Body { weight: Kg(70.0), age: None },
            schedule: Schedule::new([Dose::over(Mg(*dose), Minutes(40.0), Minutes(0.0))]).expect("a dose"),
            times: times.clone(),
            levels: vec![NgPerMl(1.0); times.len()],
        };
        let mut seen: Vec<Seen> = doses.iter().map(empty).collect();
        let asked = check(&model, &seen, true, 99);
        let copy = Study { check: &asked, draws: Draws::new(&model, LAYERS, 99) }.copy(0).expect("a copy");
        for (person, levels) in seen.iter_mut().zip(copy) {
            person.levels = levels.into_iter().map(|level| NgPerMl(level * factor)).collect();
        }
        seen
    }

    const EDGES: [Minutes; 2] = [Minutes(30.0), Minutes(60.0)];

    fn check<'a>(model: &'a Model, seen: &'a [Seen], corrected: bool, seed: u64) -> Check<'a> {
        Check { model, metabolite: None, seen, edges: &EDGES, copies: 200, seed, layers: LAYERS, corrected }
    }

    fn outside(bins: &[Bin]) -> usize {
        let is_out = |m: &NgPerMl, s: &[NgPerMl; 3]| m < &s[0] || m > &s[2];
        bins.iter()
            .flat_map(|bin| bin.measured.iter().zip(&bin.simulated))
            .filter(|(m, s)| is_out(m, s))
            .count()
    }

    #[test]
    fn its_own_study_fits_and_another_does_not() {
        let model = model();
        let own = study(&[35.0; 60], 1.0);
        let bins = visual_check(&check(&model, &own, true, 1)).expect("bins");
        assert_eq!(bins.iter().map(|bin| bin.count).collect::<Vec<_>>(), [60, 60, 60]);
        assert_eq!(bins[1].span, (Minutes(40.0), Minutes(40.0)));
        // One in ten lies outside nine tenths by chance.
        assert!(outside(&bins) <= 3, "{bins:?}");
        let twice = study(&[35.0; 60], 2.0);
        assert_eq!(outside(&visual_check(&check(&model, &twice, true, 1)).expect("bins")), 9);
    }

    #[test]
    fn with_the_correction_doses_do_not_matter() {
        let model = model();
        let doses: Vec<f64> = (0..40).map(|place| 35.0 * f64::from(1 + place % 4)).collect();
        let [mixed, alike] = [doses.as_slice(), &[87.5; 40]].map(|doses| study(doses, 1.0));
        let of = |seen: &[Seen], corrected| visual_check(&check(&model, seen, corrected, 1)).expect("bins");
        // The middle of 1, 2, 3 and 4 times 35 mg is 87.5 mg: a linear model has the same corrected levels.
        for (a, b) in of(&mixed, true).iter().zip(&of(&alike, true)) {
            for (a, b) in a.simulated.iter().flatten().zip(b.simulated.iter().flatten()) {
                assert!((a.0 / b.0 - 1.0).abs() < 1e-12, "{a} and {b}");
            }
            for (a, b) in a.measured.iter().zip(b.measured) {
                assert!((a.0 / b.0 - 1.0).abs() < 1e-12, "{a} and {b}");
            }
        }
        assert_eq!(of(&alike, true), of(&alike, false));
        assert!(of(&mixed, false)[0].measured[2].0 > 1.2 * of(&mixed, true)[0].measured[2].0);
    }

    #[test]
    fn what_is_no_study_is_refused() {
        let model = model();
        let own = study(&[35.0; 2], 1.0);
        let few = Check { copies: 5, ..check(&model, &own, true, 1) };
        assert!(visual_check(&few).expect_err("too few").to_string().starts_with("copies is 5"));
        assert!(visual_check(&check(&model, &[], true, 1)).is_err());
        let back = Check { edges: &[Minutes(5.0), Minutes(1.0)], ..check(&model, &own, true, 1) };
        assert!(visual_check(&back).is_err());
        let other = Check { metabolite: Some("propofol"), ..check(&model, &own, true, 1) };
        assert_eq!(
            visual_check(&other).expect_err("none").to_string(),
            "missing: the metabolite that was measured"
        );
    }
}

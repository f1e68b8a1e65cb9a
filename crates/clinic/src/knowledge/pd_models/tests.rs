//! The shipped models of effects, and one broken file for each way to be wrong.

use super::*;
use crate::knowledge::{File, embed};
use proptest::prelude::*;

fn files() -> Vec<File> {
    let ours = |file: &File| {
        file.path == "sources.toml" || ["pk_models/", "pd_models/"].iter().any(|f| file.path.starts_with(f))
    };
    embed::shipped().into_iter().filter(ours).collect()
}

fn shipped() -> Knowledge {
    Knowledge::read(&files()).unwrap_or_else(|error| panic!("{error}"))
}

fn refused(id: &str, from: &str, to: &str, words: &str) {
    let mut files = files();
    let path = format!("pd_models/{id}.toml");
    let file = files.iter_mut().find(|file| file.path == path).expect("it is shipped");
    assert!(file.text.contains(from), "{path} does not say `{from}`");
    file.text = file.text.replace(from, to);
    let error = Knowledge::read(&files).expect_err("it is broken");
    assert!(error.to_string().contains(words), "{path} with `{to}`: {error}");
}

const RACEMATE: Basis = Basis::Racemate;

#[test]
fn every_effect_says_how_far_it_may_be_believed() {
    let knowledge = shipped();
    let with = |role| knowledge.pd_models.iter().filter(|m| m.body.role == role).count();
    assert_eq!((with(Role::Acute), with(Role::Exploratory), with(Role::Sandbox)), (7, 1, 1));
    for item in knowledge.pd_models.iter() {
        let late = item.body.is_late();
        assert!(item.body.role != Role::Acute || !late, "{}: days are exploratory", item.header.id);
        // A course of days is shown as a band of a population, never as one of people.
        assert!(!late || item.body.spread.is_none(), "{}", item.header.id);
        assert_eq!(item.effect(Halves::of(RACEMATE)).expect("it fits").at(NgPerMl(1.0)).is_none(), late);
    }
}

proptest! {
    /// The band holds the model itself, and more drug is never less effect.
    #[test]
    fn the_band_of_studies_holds_the_model(level in 0.0..2000.0_f64, more in 0.0..2000.0_f64) {
        let knowledge = shipped();
        for item in knowledge.pd_models.iter().filter(|m| m.body.role == Role::Acute) {
            let halves = Halves::of(RACEMATE);
            let effect = item.effect(halves).expect("it fits");
            let at = |effect: &Effect, level| effect.at(NgPerMl(level)).expect("at once");
            let own = at(&effect, level);
            let all: Vec<f64> = item.studies(halves).expect("they fit").iter().map(|s| at(s, level)).collect();
            let low = all.iter().copied().fold(own, f64::min);
            let high = all.iter().copied().fold(own, f64::max);
            prop_assert!(all.is_empty() || level == 0.0 || low < own && own < high, "{}", item.header.id);
            prop_assert!(at(&effect, level + more) >= own);
        }
    }

    /// The R half takes receptors too, so the racemate holds more of them than its S half alone.
    #[test]
    fn both_halves_compete_for_one_site(level in 1.0..1000.0_f64) {
        let knowledge = shipped();
        let item = knowledge.pd_models.get("nmda_occupancy").expect("shipped");
        let share = |basis| item.effect(Halves::of(basis)).expect("it fits").at(NgPerMl(level)).expect("at once");
        prop_assert!(share(Basis::Racemate) > share(Basis::S) && share(Basis::Racemate) < 100.0);
        prop_assert_eq!(share(Basis::SByRacemate), share(Basis::S));
    }
}

#[test]
fn outside_its_validity_an_effect_says_so() {
    let knowledge = shipped();
    let outside = |id: &str, level, doses: &[f64]| {
        let doses: Vec<_> = doses.iter().copied().map(pkpd::MgPerKg).collect();
        knowledge.pd_models.get(id).expect("shipped").body.outside(NgPerMl(level), &doses).expect("limits")
    };
    assert!(outside("dissociation_cadss", 300.0, &[5.0]).is_empty());
    assert!(outside("dissociation_cadss", 301.0, &[0.5])[0].contains("up to 301 ng/mL, valid up to 300"));
    assert!(outside("blood_pressure", 900.0, &[1.0; 20]).is_empty());
    assert!(outside("blood_pressure", 0.0, &[0.5, 1.1])[0].contains("1.100 mg/kg, valid up to 1 mg/kg"));
    assert!(outside("antidepressant_course", 0.0, &[0.5; 8]).is_empty());
    assert!(outside("antidepressant_course", 0.0, &[0.5; 9])[0].contains("9 doses, valid up to 8"));
}

#[test]
fn each_way_to_break_an_effect_is_refused() {
    refused("blood_pressure", "195 ng/mL\"\nsteepness", "195 ug/L\"\nsteepness", "has to be in ng/mL");
    refused("blood_pressure", "195 ng/mL\"\nsteepness", "0 ng/mL\"\nsteepness", "accepted is");
    refused("blood_pressure", "steepness = 1", "steepness = 0", "steepness is 0");
    refused("blood_pressure", "12.6 mm[Hg]", "12.7 mm[Hg]", "example 1 does not hold: 12.6 mm[Hg] and not");
    refused("blood_pressure", "12.6 mm[Hg]", "12.6 %", "is in %, not in mm[Hg]");
    refused("blood_pressure", "output = \"sbp_change\"", "output = \"sbp\"", "no output `sbp`");
    refused("blood_pressure", "cv_percent = 70", "cv = 70", "unknown field `cv`");
    refused("blood_pressure", "cv_percent = 70", "", "one of `cv_percent` and `gamma_shape`");
    refused("blood_pressure", "name = \"map_change\"", "name = \"hr_change\"", "already taken");
    refused("blood_pressure", "[\"3.28 mm[Hg]\"", "[\"3.28 %\"", "has to be in mm[Hg]");
    refused("heart_rate", "mean = [\"0.55", "half = [\"0.55", "invalid type");
    refused("drug_high", "[emax]", "[late]", "unknown field `steepness`");
    refused("perception", "half = \"90.3 ng/mL\"", "ki_times = 2", "of nothing that binds");
    refused("nmda_occupancy", "ki_times = 3\n", "half = \"3 ng/mL\"\n", "`half` of no curve");
    refused("nmda_occupancy", "ki_times = 3\n", "ki_times = 0\n", "not above 0");
    refused("nmda_occupancy", "ki = \"0.3 umol/L\"", "ki = \"0.3 nmol/L\"", "has to be in umol/L");
    refused("synapse_sandbox", "off = \"0.03 /s\"", "", "each half has a `ki`, or an `on`");
    refused("antidepressant_course", "rise = \"30 min\"", "rise = \"30 d\"", "has to be in min");
}

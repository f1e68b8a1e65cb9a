use super::*;

fn question(more: &str) -> Question {
    let address = format!("r1=0.5+mg/kg+over+40+min&m=kamp_meta2020&weight=70&until=240&{more}");
    Question::read(form_urlencoded::parse(address.as_bytes()).into_owned())
}

fn answer(question: &Question) -> Result<Comparison, Vec<Wrong>> {
    question.answer(&Knowledge::shipped().unwrap_or_else(|error| panic!("{error}")))
}

#[test]
fn the_address_holds_the_whole_question_and_no_level_of_a_patient() {
    let asked = question(
        "r3=20+mg+bolus%3B+1+mg/min+for+20+min&m=simons2022&e=heart_rate&people=50&spread=0.2&age_to=60&seed=7&age=40",
    );
    let levels =
        Question { measured: "1,cp,180,ng/mL".to_owned(), site: "venous".to_owned(), ..asked.clone() };
    let of = |address: &str| Question::of_address(form_urlencoded::parse(address.as_bytes()).into_owned());
    assert_eq!(of(&levels.query()), asked);
    assert_eq!(of(&format!("{}&site=venous&measured=1%2Ccp", asked.query())), asked);
    assert_eq!(asked.regimens[2], "20 mg bolus; 1 mg/min for 20 min");
    assert_eq!(Question::read(std::iter::once(("r0".to_owned(), "x".to_owned()))), Question::default());
    assert_eq!(Question::read(std::iter::once(("r5".to_owned(), "x".to_owned()))), Question::default());
}

#[test]
fn every_wrong_field_is_told_at_once() {
    let asked = question("r2=5&weight=-1&until=99999&people=10001&seed=x&age=0&ke0=0&m=a&m=b&m=c");
    let Err(told) = answer(&asked) else { panic!("it is refused") };
    let fields: Vec<&str> = told.iter().map(|wrong| wrong.field.as_str()).collect();
    assert_eq!(fields, ["weight", "age", "ke0", "until", "seed", "people", "m", "r2"]);
    assert!(told.iter().all(|wrong| !wrong.text.contains("--")), "{told:?}");
    let Err(told) = answer(&Question::default()) else { panic!("it is refused") };
    assert!(told.iter().any(|wrong| wrong.field == "r1"));
}

#[test]
fn what_the_lab_refuses_stands_beside_its_field() {
    let refused = |more: &str| answer(&question(more)).err().and_then(|mut all| all.pop()).expect("refused");
    assert_eq!(refused("r2=9+mg/kg+over+40+min").field, "r2");
    assert_eq!(refused("m=domin").field, "m");
    assert_eq!(refused("m=perezruixo2021").field, "age");
    assert_eq!(refused("e=nothing").field, "e");
    assert!(refused("r2=1+mg+bolus+every+1+min+201+times").text.contains("these are 201"));
}

#[test]
fn half_the_rate_over_twice_the_time_is_lower_and_the_same_in_every_order() {
    let asked = question("r2=0.5+mg/kg+over+100+min&e=blood_pressure&m=simons2022");
    let Ok(found) = answer(&asked) else { panic!("it is no refusal") };
    assert_eq!(found.models.len(), 2);
    let peak = |regimen: &str, model: &str, output: &str| {
        let of = |one: &&Series| one.regimen == regimen && one.model == model && one.what.name == output;
        let one = found.series.iter().find(of).expect("a series");
        one.what.typical.iter().copied().fold(0.0, f64::max)
    };
    for model in ["kamp_meta2020", "simons2022"] {
        for output in ["cp_ng_ml", "ce_ng_ml", "sbp_change"] {
            assert!(peak("A", model, output) > peak("B", model, output), "{model} {output}");
        }
    }
    // Plasma, effect site and three pressures, of two regimens by two models, at each time.
    assert_eq!(found.sheet().rows(), 5 * 2 * 2 * found.times.len());
    assert_eq!(found.models[0].pictures.len(), 5);
    assert_eq!(found.models[0].pictures[0].curves.len(), 2);
}

#[test]
fn the_greatest_level_does_not_hang_on_how_long_one_looks() {
    let peaks = |until: &str, output: &str| {
        let address = format!(
            "r1=0.5+mg/kg+over+40+min&r2=0.6+mg/kg+over+60+min&r3=0.5+mg/kg+over+40+min+at+100+min+every+2880+min+6+times&m=kamp_meta2020&weight=70&until={until}"
        );
        let asked = Question::read(form_urlencoded::parse(address.as_bytes()).into_owned());
        let Ok(found) = answer(&asked) else { panic!("it is no refusal") };
        let of = found.series.iter().filter(|one| one.what.name == output);
        let top = of.map(|one| one.what.typical.iter().copied().fold(0.0, f64::max)).collect::<Vec<_>>();
        let pictures = found.models[0].pictures.iter().map(|plot| plot.small().words);
        (top, pictures.collect::<Vec<_>>())
    };
    for output in ["cp_ng_ml", "ce_ng_ml"] {
        let (short, _) = peaks("240", output);
        let (long, words) = peaks("40320", output);
        for (short, long) in short.iter().zip(&long).take(2) {
            assert!((short / long - 1.0).abs() < 1e-3, "{output}: {short} and {long}");
        }
        assert!(long[0] > long[1] && long[2] >= long[0], "{long:?}");
        assert!(words[0].contains("highest 253.1 ng/mL at 40 min"), "{words:?}");
    }
}

#[test]
fn a_unit_that_is_typed_is_understood_and_what_is_missing_is_called_so() {
    let greatest = |more: &str| {
        let Ok(found) = answer(&question(more)) else { panic!("{more}: refused") };
        found.series[0].what.typical.iter().copied().fold(0.0, f64::max)
    };
    assert_eq!(greatest("weight=70+kg&until=240min&substance=Ketamine"), greatest(""));
    for (more, field, why) in [
        ("weight=", "weight", "Weight is missing"),
        ("until=", "until", "The time shown is missing"),
        ("weight=154+lb", "weight", "`lb` is not a unit of it"),
        ("substance=lsd", "substance", "`lsd`: it is none of these. Accepted is ketamine or esketamine"),
        ("site=leg", "site", "arterial, venous or nothing"),
    ] {
        let told = answer(&question(more)).err().and_then(|mut all| all.pop()).expect("refused");
        assert!(told.field == field && told.text.contains(why), "{more}: {told:?}");
    }
}

#[test]
fn warnings_name_their_regimens_and_a_model_without_an_effect_site_its_lack() {
    let asked = question("weight=130&r2=2+mg/kg+over+60+min&e=blood_pressure&m=clements250");
    let Ok(found) = answer(&asked) else { panic!("it is no refusal") };
    let kamp = found.models[0].notes.join("\n");
    assert!(
        kamp.contains("weight 130 kg") && kamp.contains("B: outside the validity of blood_pressure"),
        "{kamp}"
    );
    assert!(!kamp.contains("A: outside the validity of blood_pressure") && !kamp.contains("--"), "{kamp}");
    assert!(found.models[1].notes.iter().any(|note| note.contains("no effect site is known")));
    assert_eq!(found.models[1].pictures.len(), 1);
}

#[test]
fn measured_levels_stand_on_the_plasma_of_every_model_that_has_them() {
    let rows = "time_min,analyte,value,unit\r\n40,cp,180,ng/mL\r\n60,cp,0.09,mg/L\r\n90,cp,<20,ng/mL";
    let with = |rows: &str, more: &str| {
        let typed = form_urlencoded::Serializer::new(String::new()).append_pair("measured", rows).finish();
        answer(&question(&format!("{more}&e=heart_rate&{typed}")))
    };
    // After the racemate `cp` is no level of a model of the S half alone; it stands beside the other.
    let Ok(found) = with(rows, "m=simons2022") else { panic!("it is no refusal") };
    for (model, expected) in
        found.models.iter().zip([Some((vec![(40.0, 180.0), (60.0, 90.0)], vec![(90.0, 20.0)])), None])
    {
        let curves = || model.pictures.iter().flat_map(|plot| &plot.curves);
        let drawn = curves().map(|curve| (curve.points.clone(), curve.below.clone()));
        let drawn: Vec<_> = drawn.filter(|(points, _)| !points.is_empty()).collect();
        assert_eq!(drawn, Vec::from_iter(expected.clone()), "{}: no limit is drawn as a level", model.id);
        assert_eq!(curves().filter(|curve| curve.points.is_empty()).count(), 3, "{}", model.id);
        let notes = model.notes.join("\n");
        assert_eq!(notes.contains("not drawn here: "), expected.is_none(), "{notes}");
    }
    let address = "r1=35+mg+bolus&m=simons2022&weight=70&until=240&age=25";
    let mut asked = Question::read(form_urlencoded::parse(address.as_bytes()).into_owned());
    asked.measured = rows.replace("90,cp", "90,s_norketamine").replace(",cp,", ",s_ketamine,");
    let Ok(found) = answer(&asked) else { panic!("it is no refusal") };
    let notes = found.models[0].notes.join("\n");
    assert!(notes.contains("not drawn here: 1 measured of metabolites"), "{notes}");
    assert!(notes.contains("nobody says where the blood of 3 measured levels was drawn"), "{notes}");
    asked.site = "venous".to_owned();
    let Ok(found) = answer(&asked) else { panic!("it is no refusal") };
    assert!(
        found.models[0].notes.join("\n").contains("levels measured in venous blood cannot judge simons2022")
    );
    // As rows call it that other programs wrote.
    let rows = asked.measured.replace("\r\n", ",Arterial\n").replace("unit,Arterial", "unit,Sampling_Site")
        + ",Arterial";
    let with_sites = Question { measured: rows, ..asked.clone() };
    let told = answer(&with_sites).err().and_then(|mut all| all.pop()).expect("refused");
    assert!(told.field == "site" && told.text.contains("line 2 of the levels is arterial blood"), "{told:?}");
    asked.site = "arterial".to_owned();
    let Ok(found) = answer(&asked) else { panic!("it is no refusal") };
    assert!(!found.models[0].notes.join("\n").contains("blood"), "{:?}", found.models[0].notes);
    assert!(
        found.models[0].pictures[0].curves.iter().any(|curve| curve.name == "measured in arterial blood")
    );
    for (wrong, why) in [
        ("40,cp,180,ng/mL", "no column time_min"),
        ("time_min,analyte,value,unit", "no row below its first line"),
        ("time_min,analyte,value,unit,assay\n40,cp,180,ng/mL,x", "the column `assay`, which is not known"),
        ("time_min,analyte,value,unit,Site\n40,cp,180,ng/mL,leg", "the site `leg` is neither"),
        ("time_min,analyte,value,unit\n40,cp,180,mmol/L", "line 2: `mmol/L` is not a unit"),
        ("time_min,analyte,value,unit\n40,cp,-1,ng/mL", "line 2: -1 is below 0"),
        ("time_min,analyte,value,unit\n40,propofol,1,ng/mL", "has no analyte `propofol`"),
        ("time_min,analyte,value,unit\n40,cp", "line 2 has 2 cells"),
        (&format!("{}\n{}", "time_min,analyte,value,unit", "1,cp,1,ng/mL\n".repeat(201)), "these are 201"),
    ] {
        let told = with(wrong, "").err().and_then(|mut all| all.pop()).expect("refused");
        assert!(told.field == "measured" && told.text.contains(why), "{told:?}");
    }
}

#[test]
fn weights_that_spread_widen_what_people_have_and_come_together_with_ages() {
    let width = |more: &str| {
        let Ok(found) = answer(&question(&format!("r1=&r2=35+mg+over+40+min&people=400&age=25&{more}")))
        else {
            panic!("{more}: refused")
        };
        let at_40 = found.times.iter().position(|time| time.0 == 40.0).expect("the infusion ends there");
        let people = found.series[0].what.people.as_ref().expect("people")[at_40].clone();
        (people[4] / people[0], found.series[0].what.typical[at_40])
    };
    let ((alike, typical), (spread, same)) = (width(""), width("spread=0.3&age_to=60"));
    assert!(spread > 1.05 * alike, "{spread} and {alike}");
    assert_eq!(typical, same, "the typical person stays");
    for (more, fields) in [
        ("people=10&age=25&spread=0.2", &["age_to"][..]),
        ("people=10&age=25&age_to=60", &["spread"]),
        ("spread=0.2&age_to=60", &["people", "age"]),
        ("people=10&age=25&spread=3&age_to=60", &["spread"]),
        ("people=10&age=70&spread=0.2&age_to=60", &["age_to"]),
    ] {
        let Err(told) = answer(&question(more)) else { panic!("{more}: no refusal") };
        assert_eq!(told.iter().map(|wrong| wrong.field.as_str()).collect::<Vec<_>>(), fields, "{more}");
    }
}

#[test]
fn the_same_seed_is_the_same_people() {
    let rows = |seed| {
        let Ok(found) = answer(&question(&format!("people=100&until=60&seed={seed}"))) else {
            panic!("refused")
        };
        found.sheet()
    };
    assert_eq!(rows(1), rows(1));
    assert_ne!(rows(1), rows(2));
}

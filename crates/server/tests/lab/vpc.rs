//! `chairside vpc`.

use super::{Written, answer, chairside, column, refusal};

/// A study in which everyone has these times the typical levels of their own weight.
fn study(factors: &[f64]) -> String {
    study_of("cp_ng_ml", factors)
}

fn study_of(measured: &str, factors: &[f64]) -> String {
    let mut rows = "id,time_min,value,unit,weight_kg\n".to_owned();
    for (who, factor) in factors.iter().enumerate() {
        let weight = format!("{} kg", 60 + 5 * (who % 5));
        let more =
            ["--weight", &weight, "--dose", "0.5 mg/kg over 40 min", "--at", "20,40,80", "--format", "csv"];
        let text = answer(&[&["simulate", "--model", "otto2021_fanta2015"], &more[..]].concat());
        for (time, level) in column(&text, "time_min").iter().zip(column(&text, measured)) {
            rows += &format!("{who},{time},{},ng/mL,{}\n", level * factor, 60 + 5 * (who % 5));
        }
    }
    rows
}

fn checked(study: &Written, more: &[&str]) -> String {
    let analyte = if more.contains(&"--analyte") { &[][..] } else { &["--analyte", "s_ketamine"] };
    let base = [
        "vpc",
        "--model",
        "otto2021_fanta2015",
        "--study",
        study.path(),
        "--bins",
        "30,60",
        "--copies",
        "200",
    ];
    let given = ["--dose", "0.5 mg/kg over 40 min", "--format", "csv"];
    answer(&[&base[..], analyte, &given, more].concat())
}

#[test]
fn a_study_like_the_model_lies_inside_and_one_of_twice_the_levels_does_not() {
    let like: Vec<f64> = (0..10).map(|who| (0.18 * (f64::from(who) - 4.5) / 1.5).exp()).collect();
    let own = Written::new("vpc-own.csv", &study(&like));
    let found = checked(&own, &[]);
    assert_eq!(column(&found, "from_min"), [20.0, 20.0, 20.0, 40.0, 40.0, 40.0, 80.0, 80.0, 80.0]);
    assert!(column(&found, "inside").iter().sum::<f64>() >= 8.0, "{found}");
    assert_eq!(found, checked(&own, &[]));
    let twice: Vec<f64> = like.iter().map(|factor| 2.5 * factor).collect();
    let other = Written::new("vpc-twice.csv", &study(&twice));
    let found = checked(&other, &[]);
    assert!(column(&found, "inside").iter().sum::<f64>() <= 1.0, "{found}");
    // Volumes go by weight only in part, so that a correction has something to do.
    assert_ne!(checked(&own, &["--plain"]), checked(&own, &[]));
}

#[test]
fn a_metabolite_is_checked_against_its_own_levels() {
    let like: Vec<f64> = (0..10).map(|who| (0.18 * (f64::from(who) - 4.5) / 1.5).exp()).collect();
    let own = Written::new("vpc-metabolite.csv", &study_of("s_norketamine_ng_ml", &like));
    let inside = |more: &[&str]| column(&checked(&own, more), "inside").iter().sum::<f64>();
    let (as_itself, as_parent) = (inside(&["--analyte", "s_norketamine"]), inside(&[]));
    assert!(as_itself >= 6.0 && as_parent <= 3.0, "{as_itself} and {as_parent}");
}

#[test]
fn bad_input_names_the_argument() {
    let refused = |rows: &str, more: &[&str], why: &str| {
        let file = Written::new("vpc-bad.csv", rows);
        let base =
            ["vpc", "--study", file.path(), "--dose", "17.5 mg over 40 min", "--substance", "esketamine"];
        let (code, told) = refusal(&[&base[..], more].concat());
        assert!(code == 2 && told.contains(why), "{rows} {more:?}: {code} {told}");
    };
    let otto = ["--model", "otto2021_fanta2015", "--bins", "30"];
    let head = "id,time_min,value,unit\n";
    let good = format!("{head}a,40,80,ng/mL\n");
    refused(&good, &otto, "nobody says the weight");
    let otto = [&otto[..], &["--weight", "70 kg"]].concat();
    refused(&good, &[&otto[..], &["--analyte", "propofol"]].concat(), "--analyte: `propofol`");
    refused(head, &otto, "--study");
    refused("id,time_min,value\n", &otto, "no column unit");
    refused(&format!("{head}a,40,80,nmol\n"), &otto, "line 2: `nmol`");
    refused(&format!("{head}a,40,80,ng/mL\nb,40,8,ng/mL\na,50,8,ng/mL\n"), &otto, "do not stand together");
    refused(&format!("{head}a,40,80,ng/mL\na,30,8,ng/mL\n"), &otto, "times must rise");
    refused(&good, &[&otto[..], &["--copies", "3"]].concat(), "--copies: `");
    refused(&good, &["--model", "domino", "--bins", "30", "--weight", "70 kg"], "no spread");
}

#[test]
fn a_study_of_another_site_or_of_two_is_refused_and_one_that_does_not_say_it_is_told() {
    let run = |rows: &str, more: &[&str]| {
        let file = Written::new(
            &format!("vpc-site{}.csv", rows.len()),
            &format!("id,time_min,value,unit,weight_kg,site\n{rows}"),
        );
        let base = [
            "vpc",
            "--model",
            "otto2021_fanta2015",
            "--study",
            file.path(),
            "--bins",
            "30",
            "--copies",
            "50",
        ];
        let given = ["--dose", "0.5 mg/kg over 40 min", "--analyte", "s_ketamine"];
        let output = chairside(&[&base[..], &given, more].concat());
        (output.status.code(), String::from_utf8(output.stderr).expect("text"))
    };
    let row = |id: u8, site: &str| format!("{id},20,60,ng/mL,70,{site}\n{id},40,80,ng/mL,70,{site}\n");
    let (code, told) = run(&(row(1, "venous") + &row(2, "arterial")), &[]);
    assert!(
        code == Some(3) && told.contains("line 4 is arterial blood and others are venous"),
        "{code:?} {told}"
    );
    let (code, told) = run(&row(1, "arterial"), &[]);
    assert!(code == Some(3) && told.contains("describes venous blood"), "{code:?} {told}");
    assert_eq!(run(&row(1, ""), &["--site", "arterial"]).0, Some(3));
    let (code, told) = run(&row(1, ""), &[]);
    assert!(code == Some(0) && told.contains("the blood is taken to be venous"), "{code:?} {told}");
    let (code, told) = run(&row(1, "venous"), &[]);
    assert!(code == Some(0) && !told.contains("taken to be"), "{code:?} {told}");
    assert!(!told.contains("outside the validity"), "an age that is not told is no reason: {told}");
}

/// Rows of one person of 70 kg, who gets 0.5 mg/kg from 0 to 40 min.
fn told(rows: &str, analyte: &str) -> (Option<i32>, String) {
    let head = "id,time_min,value,unit,weight_kg\n";
    let file = Written::new(&format!("vpc-told{}.csv", rows.len()), &format!("{head}{rows}"));
    let base =
        ["vpc", "--model", "otto2021_fanta2015", "--study", file.path(), "--bins", "30", "--copies", "50"];
    let given = ["--dose", "0.5 mg/kg over 40 min", "--analyte", analyte];
    let output = chairside(&[&base[..], &given].concat());
    (output.status.code(), String::from_utf8(output.stderr).expect("text"))
}

#[test]
fn levels_that_cannot_be_are_refused_or_told_as_a_fit_does() {
    let good = "a,20,60,ng/mL,70\na,40,80,ng/mL,70\n";
    let (code, quiet) = told(good, "s_ketamine");
    assert!(code == Some(0) && !quiet.contains("before any dose") && !quiet.contains("tenfold"), "{quiet}");
    // Nothing before the dose is nothing strange.
    assert_eq!(told(&format!("a,0,0,ng/mL,70\n{good}"), "s_ketamine").0, Some(0));
    let (code, zero) = told(&format!("{good}a,80,0,ng/mL,70\n"), "s_ketamine");
    assert!(code == Some(2) && zero.contains("line 4: a level of 0"), "{zero}");
    let (code, early) = told(&format!("a,-10,3,ng/mL,70\n{good}"), "s_ketamine");
    assert!(code == Some(0) && early.contains("line 2: 3 ng/mL at -10 min is before any dose"), "{early}");
    let (code, far) = told(&format!("{good}b,40,80,mg/L,70\n"), "s_ketamine");
    assert!(code == Some(0) && far.contains("line 4: 80000 ng/mL at 40 min lies more than tenfold"), "{far}");
}

#[test]
fn after_the_racemate_a_level_says_of_which_half_it_is() {
    let (code, refused) = told("a,20,60,ng/mL,70\n", "cp");
    assert!(code == Some(2) && refused.contains("say s_ketamine, s_norketamine"), "{refused}");
}

//! Doses that repeat, come late or by other ways, bodies that are emptied or change, as they are typed.

use super::{Written, answer, assert_same, chairside, column, refusal};

fn levels(model: &str, more: &[&str]) -> Vec<f64> {
    let first = ["simulate", "--model", model, "--weight", "70 kg", "--age", "40 a", "--format", "csv"];
    let text = answer(&[&first, more].concat());
    ["cp_ng_ml"].map(|name| column(&text, name)).concat()
}

const AT: [&str; 2] = ["--at", "30000:30240:20"];

#[test]
fn steady_is_what_many_doses_leave_typed_or_in_a_file() {
    // Two infusions run at once.
    let steady = levels(
        "simons2022",
        &[&["--dose", "10 mg over 90 min at 30000 min every 60 min steady"], &AT[..]].concat(),
    );
    let many = levels(
        "simons2022",
        &[&["--dose", "10 mg over 90 min at 0 min every 60 min 501 times"], &AT[..]].concat(),
    );
    assert_same(&steady, &many, 1e-9);
    let file = Written::new("ss.csv", "start_min,duration_min,amount_mg,ii_min,ss\n30000,90,10,60,1\n");
    assert_same(&levels("simons2022", &[&["--dose-file", file.path()], &AT[..]].concat()), &steady, 1e-14);
    let file =
        Written::new("addl.csv", "route,start_min,duration_min,amount_mg,addl,ii_min\niv,0,90,10,500,60\n");
    assert_same(&levels("simons2022", &[&["--dose-file", file.path()], &AT[..]].concat()), &many, 1e-14);
}

#[test]
fn a_steady_dose_says_where_it_begins_and_ends_and_may_go_on() {
    let at = ["--at", "30000:30240:20"];
    let on = ["--dose", "10 mg over 40 min at 30000 min every 60 min 4 times steady"];
    let many = ["--dose", "10 mg over 40 min at 0 min every 60 min 504 times"];
    let [on, many] = [on, many].map(|dose| levels("simons2022", &[&dose[..], &at].concat()));
    assert_same(&on, &many, 1e-9);
    let asked = ["simulate", "--model", "simons2022", "--weight", "70 kg", "--at", "40", "--dose"];
    let told = |dose: &str| {
        let output = chairside(&[&asked[..], &[dose]].concat());
        String::from_utf8(output.stderr).expect("text")
    };
    let alone = told("10 mg bolus at 5 min every 60 min steady");
    assert!(
        alone.contains("at 5 min the level is that of steady state") && alone.contains("no dose comes after")
    );
    assert!(told("10 mg bolus every 60 min 3 times steady").contains("the first of 3 doses"));
    assert!(!told("10 mg bolus every 60 min 3 times").contains("steady"));
}

#[test]
fn a_late_dose_is_the_same_dose_later() {
    let late = levels("kamp_meta2020", &["--dose", "35 mg over 40 min lag 5 min", "--at", "0:120:5"]);
    let later = levels("kamp_meta2020", &["--dose", "35 mg over 40 min at 5 min", "--at", "0:120:5"]);
    assert_same(&late, &later, 1e-14);
    assert_eq!(late[1], 0.0);
}

/// Area under the whole curve by the trapezoid rule, min·ng/mL.
fn area(levels: &[f64], step: f64) -> f64 {
    levels.windows(2).map(|w| (w[0] + w[1]) / 2.0 * step).sum()
}

/// What arrives is F·dose: through the nose 0.54, and of what is swallowed 0.64 escapes the gut and a share the liver,
/// which is the flow over the flow and what it clears.
#[test]
fn the_area_by_another_way_is_the_share_that_arrives() {
    let whole = |route: &str| {
        let dose = format!("28 mg bolus{route}");
        let given = ["--substance", "esketamine", "--dose", &dose];
        area(&levels("perezruixo2021", &[&given[..], &["--at", "0:20000:1"]].concat()), 1.0)
    };
    let escaped = 151.0 / (151.0 + 101.0 * (1.11 + 2.77));
    let vein = 28.0 / (151.0 * (1.0 - escaped)) * 60.0 * 1000.0;
    let nose = 0.54 + 0.46 * 0.64 * escaped;
    let again = 0.3348 + 0.6652 * 0.64 * escaped;
    for (route, share) in
        [(" route intranasal", nose), (" route intranasal_later", again), (" route oral", 0.64 * escaped)]
    {
        let found = whole(route) / vein;
        assert!((found / share - 1.0).abs() < 1e-3, "{route}: {found} and {share}");
    }
    // A film of S-ketamine under the tongue: 26.3 % is seen in the blood; clearance 1.48 L/min.
    let given = ["--substance", "esketamine", "--dose", "50 mg bolus route sublingual", "--at", "0:40000:1"];
    let found = area(&levels("simons2022", &given), 1.0);
    assert!((found / (50.0 * 0.263 / 1.48 * 1000.0) - 1.0).abs() < 1e-3, "{found}");
}

#[test]
fn after_a_reset_and_after_a_change_of_weight() {
    let twice = ["--dose", "0.5 mg/kg over 40 min every 1440 min 2 times", "--at", "1440:1600:10"];
    let empty = levels("kamp_meta2020", &[&twice[..], &["--reset", "1440 min"]].concat());
    let once =
        levels("kamp_meta2020", &["--dose", "0.5 mg/kg over 40 min at 1440 min", "--at", "1440:1600:10"]);
    assert_same(&empty, &once, 1e-13);
    // Everything in kamp_meta2020 goes by weight, and so does the dose: the second day is that of a lighter person.
    let lighter = levels(
        "kamp_meta2020",
        &[&twice[..], &["--reset", "1440 min", "--weight-from", "50 kg at 1000 min"]].concat(),
    );
    assert_same(&lighter, &once, 1e-9);
    let absolute = |more: &[&str]| {
        levels(
            "kamp_meta2020",
            &[&["--dose", "35 mg over 40 min at 1440 min", "--at", "1440:1600:10"], more].concat(),
        )
    };
    let heavier: Vec<f64> = absolute(&[]).iter().map(|level| level * 70.0 / 50.0).collect();
    assert_same(&absolute(&["--weight-from", "50 kg at 1000 min"]), &heavier, 1e-9);
}

#[test]
fn what_has_no_source_is_refused_by_name() {
    let refused = |model: &str, more: &[&str], why: &str| {
        let first = ["simulate", "--model", model, "--weight", "70 kg", "--at", "0:10:1"];
        let (code, told) = refusal(&[&first, more].concat());
        assert!(code == 2 && told.contains(why), "{more:?}: {code} {told}");
    };
    refused(
        "kamp_meta2020",
        &["--dose", "28 mg bolus route intranasal"],
        "no source for the route intranasal",
    );
    refused(
        "perezruixo2021",
        &["--age", "40 a", "--dose", "28 mg bolus route intramuscular"],
        "it has intranasal",
    );
    refused("simons2022", &["--dose", "28 mg over 5 min route sublingual"], "given at once");
    let dose = ["--dose", "35 mg over 40 min"];
    refused("kamp_meta2020", &[&dose[..], &["--reset", "soon"]].concat(), "--reset");
    refused("kamp_meta2020", &[&dose[..], &["--weight-from", "65 kg"]].concat(), "--weight-from");
    refused("kamp_meta2020", &[&dose[..], &["--weight-from", "0 kg at 5 min"]].concat(), "--weight-from");
    let back = ["--weight-from", "65 kg at 9 min", "--weight-from", "60 kg at 9 min"];
    refused("kamp_meta2020", &[&dose[..], &back].concat(), "does not come after 9 min");
    for (head, row, why) in [
        ("addl", "2", "need ii_min"),
        ("ss", "1", "need ii_min"),
        ("ss,ii_min", "2,60", "ss is `2`"),
        ("addl,ii_min", "1.5,60", "addl is 1.5"),
        ("lag_min", "-1", "lag_min"),
        ("ii_min", "60", "says nothing without"),
        ("rate_mg_min", "3.5", "rate_mg_min says 3.5, and amount_mg over duration_min is 0.875000 mg/min"),
        // A column that were left out would change the dose in silence.
        ("unit", "mcg", "the column `unit`, which is not known"),
        ("II_MIN,ADDL", "60,1.5", "addl is 1.5"),
        ("amount_mg", "70", "the column amount_mg 2 times"),
    ] {
        let file = Written::new(
            "bad-doses.csv",
            &format!("start_min,duration_min,amount_mg,{head}\n0,40,35,{row}\n"),
        );
        refused("kamp_meta2020", &["--dose-file", file.path()], why);
    }
}

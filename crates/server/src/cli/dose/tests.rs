//! The command line as typed: exit codes, JSON keys, messages.

use super::*;
use clap::Parser;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// Runs a line; words are separated by `|` so that quantities keep their space.
fn typed(line: &str) -> Answer {
    let words = std::iter::once("dose").chain(line.split('|').filter(|word| !word.is_empty()));
    let words = crate::cli::with_negative_values(words.map(Into::into));
    let line = Line::try_parse_from(words).unwrap_or_else(|error| panic!("{error}"));
    let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
    answer(&line.args, &knowledge)
}

const USUAL: &str = "--regimen|mdd_trd_std|--weight|82 kg|--height|178 cm|--sex|m|--concentration|2 mg/mL";

fn json_of(line: &str) -> Value {
    serde_json::from_str(&typed(&format!("{line}|--format|json")).out).expect("JSON")
}

#[test]
fn the_numbers_are_decimals_as_text() {
    let card = json_of(&format!("{USUAL}|--stock|50 mg/mL|--vial|10 mL"));
    for (key, value) in [
        ("dose_mg", "41"),
        ("volume_ml", "20.5"),
        ("vtbi_ml", "20.5"),
        ("rate_ml_per_h", "30.8"),
        ("ug_per_kg_min", "12.5"),
        ("stock_ml", "0.82"),
        ("delivers_mg", "41.07"),
        ("ends_after_min", "39.94"),
    ] {
        assert_eq!(card[key], value, "{key}");
    }
    assert_eq!(card["findings"], json!([]));
    assert_eq!(card["vial"]["residual_mg"], "459");
    assert_eq!(card["weight"]["ibw_kg"], "73.2");
    assert_eq!(card["needs_reason"], false);
    let bag = json_of(&format!("{USUAL}|--stock|50 mg/mL|--bag|100 mL"));
    assert_eq!(bag["bag"]["without_withdrawal_mg_per_ml"], "0.4067");
    assert_eq!(bag["bag"]["rate_with_withdrawal_ml_per_h"], "150");
    let floats = serde_json::to_string(&card).expect("JSON");
    let bare =
        floats.split([':', ',', '[', '{']).any(|part| part.parse::<f64>().is_ok_and(|n| n.fract() != 0.0));
    assert!(!bare, "{floats}");
}

#[test]
fn the_table_is_for_a_person() {
    let told = typed(&format!("{USUAL}|--stock|50 mg/mL|--bag|100 mL"));
    assert_eq!(told.exit, Exit::Done);
    for words in [
        "ketamine – 2 mg/mL – IV infusion – DOSE 41 mg – over 40 min – 30.8 mL/h",
        "0.5 mg/kg × 82 kg = 41 mg = 20.5 mL at 2 mg/mL → 30.8 mL/h for 40 min",
        "ideal body weight: 73.2 kg, 36.6 mg",
        "41.07 mg (0.16 %), ends after 39.94 min",
        "0.82 mL of 50 mg/mL",
    ] {
        assert!(told.out.contains(words), "{words}\n{}", told.out);
    }
}

#[test]
fn what_cannot_be_read_ends_with_2_and_names_the_field() {
    for (change, words) in [
        ("--weight|.5 kg", "--weight: `.5 kg` cannot be read: it needs a leading zero: write 0.5"),
        ("--weight|82.0 kg", "trailing zero can be read tenfold: write 82"),
        ("--weight|82,5 kg", "a comma is not accepted"),
        ("--weight|82", "it has no unit. Accepted is a weight in kg or lb"),
        ("--height|178", "--height: `178` cannot be read"),
        ("--sex|x", "--sex: `x` cannot be read"),
        ("--dose|50 mg", "--dose: `50 mg` cannot be read: `mg` is not a unit of it"),
        ("--minutes|forty", "--minutes: `forty` cannot be read"),
        ("--minutes|-40", "--minutes: `-40` cannot be read"),
        ("--weight|-82 kg", "--weight: `-82 kg` cannot be read"),
        ("--dose|-0.5 mg/kg", "--dose: `-0.5 mg/kg` cannot be read"),
        ("--vial|-10 mL", "--vial: `-10 mL` cannot be read"),
        ("--vial|0 mL", "--vial: `0 mL` cannot be read: a vial holds more than nothing"),
        ("--vial|0 mg/10 mL", "--vial: `0 mg/10 mL` cannot be read: a vial holds more than nothing"),
        ("--bag|- 100 mL", "--bag: `- 100 mL` cannot be read"),
        ("--concentration|2", "--concentration: `2` cannot be read: it has no unit"),
        ("--stock|50", "--stock"),
        ("--vial|500 mg/10 mL|--stock|10 mg/mL", "it holds 50 mg/mL, --stock says 10 mg/mL"),
        ("--bag|100 l", "--bag"),
        ("--container|50", "--container"),
        ("--weight|-82 kg", "--weight: `-82 kg` cannot be read"),
        ("--last-weight|heavy", "--last-weight"),
        ("--last-dose|41", "--last-dose"),
        ("--dose-weight|lean", "--dose-weight"),
        ("--regimen|mdd", "--regimen: `mdd` cannot be read: there is no such regimen"),
    ] {
        let field = change.split('|').next().unwrap_or_default();
        let mut words_typed: Vec<&str> = USUAL.split('|').collect();
        if let Some(at) = words_typed.iter().position(|word| *word == field) {
            words_typed.drain(at..=at + 1);
        }
        let told = typed(&format!("{}|{change}", words_typed.join("|")));
        assert_eq!(told.exit, Exit::Unreadable, "{change}: {}", told.out);
        assert!(told.wrong.contains(words), "{change}: {}", told.wrong);
        assert!(told.out.is_empty(), "{change}");
    }
}

const FIRST: &str = "--regimen|mdd_trd_std|--sex|f|--concentration|2 mg/mL";

#[test]
fn a_first_weight_that_may_be_pounds_asks_here_as_at_the_bedside() {
    let heavy = typed(&format!("{FIRST}|--weight|132 kg|--height|160 cm"));
    assert!(heavy.out.contains("NEEDS A REASON") && heavy.out.contains("in kg, not lb"), "{}", heavy.out);
    let known = typed(&format!("{FIRST}|--weight|132 kg|--height|160 cm|--last-weight|131 kg"));
    assert!(!known.out.contains("in kg, not lb"), "{}", known.out);
    let light = typed(&format!("{FIRST}|--weight|60 lb|--height|160 cm"));
    assert_eq!(light.exit, Exit::Refused);
    assert!(light.wrong.contains("typed in pounds: 60 lb = 27.2155422 kg"), "{}", light.wrong);
}

#[test]
fn a_tenfold_slip_of_the_minutes_is_named() {
    for (minutes, times) in [("400", "10 times"), ("4000", "100 times")] {
        let told = typed(&format!("{USUAL}|--minutes|{minutes}"));
        let words = format!("{minutes} min is {times} the regimen's 40 min: this looks like a tenfold slip");
        let said = told.out.replace(',', "") + &told.wrong.replace(',', "");
        assert!(said.contains(&words), "{said}");
    }
    let told = typed(&format!("{USUAL}|--minutes|40000000"));
    assert_eq!(told.exit, Exit::Refused);
    assert!(told.wrong.replace(',', "").contains("40000000 min"), "{}", told.wrong);
    assert!(told.wrong.contains("accepted is 0.1 mL/h or more"), "{}", told.wrong);
    assert!(!typed(&format!("{USUAL}|--minutes|100")).out.contains("tenfold"));
    let bag = typed(&format!("{USUAL}|--stock|50 mg/mL|--bag|1 mL"));
    let said = bag.out + &bag.wrong;
    assert!(said.contains("A strong bag") && !said.contains("weak bag"), "{said}");
}

#[test]
fn what_a_rule_refuses_ends_with_3() {
    for (line, words) in [
        ("--regimen|mdd_trd_std|--weight|70 kg|--concentration|100 mg/mL", "must be diluted"),
        (
            "--regimen|mdd_trd_std|--weight|70 kg|--dose|5 mg/kg|--concentration|1 mg/mL",
            "absolute limit is 0 to 1.5 mg/kg",
        ),
        // The likely slip stands in the refusal itself, not only in the card.
        (
            "--regimen|mdd_trd_std|--weight|70 kg|--dose|5 mg/kg|--concentration|1 mg/mL",
            "refused: 5 mg/kg is 10 times",
        ),
        ("--regimen|mdd_trd_std|--weight|154 kg|--last-weight|70 kg|--concentration|1 mg/mL", "pounds"),
        (
            "--regimen|mdd_trd_std|--weight|820 kg|--concentration|2 mg/mL",
            "It is ten times 82 kg: was the decimal point left out?",
        ),
        ("--regimen|mdd_trd_std|--weight|8.2 kg|--concentration|2 mg/mL", "It is a tenth of 82 kg"),
        (
            "--regimen|mdd_trd_std|--weight|82 kg|--concentration|0 mg/mL",
            "refused: The concentration is 0 mg/mL; accepted is more than 0 mg/mL, and the pump library has 1 mg/mL, 2 mg/mL.",
        ),
        (
            "--regimen|mdd_trd_std|--weight|82 kg|--concentration|2 mg/mL|--minutes|0",
            "refused: The length (minutes) is 0 min; accepted is more than 0 min.",
        ),
        (
            "--regimen|mdd_trd_std|--weight|82 kg|--concentration|2 mg/mL|--dose|0 mg/kg",
            "refused: The dose is 0 mg/kg; accepted is more than 0 mg/kg.",
        ),
        ("--regimen|mdd_trd_std|--weight|0 kg|--concentration|1 mg/mL", "the absolute limit is 30 to 250 kg"),
        ("--regimen|crps_inpt|--weight|70 kg|--concentration|1 mg/mL", "not racemic"),
    ] {
        let told = typed(line);
        assert_eq!(told.exit, Exit::Refused, "{line}: {}", told.out);
        assert!(told.wrong.contains(words), "{line}: {}", told.wrong);
        assert_eq!(json_of(line)["refused"], true);
    }
}

#[test]
fn outside_recommended_the_card_is_made_and_asks() {
    let line = "--regimen|mdd_trd_std|--weight|70 kg|--height|175 cm|--dose|1.2 mg/kg|--minutes|60|--concentration|2 mg/mL";
    let card = json_of(line);
    assert_eq!(card["needs_reason"], true);
    assert_eq!(card["findings"][0]["needs"], "reason");
    assert_eq!(card["findings"][0]["rule"], "cap_psych_dose");
    assert_eq!(card["findings"][0]["unsigned_default"], true);
    let told = typed(line);
    assert_eq!(told.exit, Exit::Done);
    assert!(
        told.out.contains("needs a reason: The dose by weight is 1.2 mg/kg; recommended is 0 to 1 mg/kg."),
        "{}",
        told.out
    );
    assert!(told.out.contains("clinic default, not signed"), "{}", told.out);
    let first = told.out.lines().next().unwrap_or_default();
    assert!(
        first.starts_with(
            "NEEDS A REASON before it can be signed (--reason TEXT, in words): The dose by weight is 1.2"
        ),
        "{first}"
    );
    let standing = |line: &str| json_of(line)["standing"].clone();
    assert_eq!(standing(line), "needs_reason");
    assert_eq!(standing(&format!("{line}|--reason|partial response")), "reason_given");
    assert_eq!(standing(USUAL), "within_limits");
    let reasoned = json_of(&format!("{line}|--reason|partial response at 1 mg/kg"));
    assert_eq!(reasoned["needs_reason"], false);
    assert_eq!(reasoned["reason"], "partial response at 1 mg/kg");
    for none in ["  ", ".", "ok"] {
        let card = json_of(&format!("{line}|--reason|{none}"));
        assert_eq!(card["needs_reason"], true, "{none:?} is no reason");
    }
}

#[test]
fn pounds_are_shown_both_ways() {
    let card = json_of("--regimen|mdd_trd_std|--weight|180 lb|--height|70 in|--concentration|2 mg/mL");
    assert_eq!(card["weight"]["entered"], "180 lb = 81.6466266 kg");
    assert_eq!(card["dose_mg"], "40.82");
}

//! The walking test over everything shipped, and one broken file for each rule of the reading.

use super::*;

fn shipped_files() -> Vec<File> {
    embed::shipped()
}

/// Everything shipped with one file changed or added.
fn with(path: &str, text: &str) -> Vec<File> {
    let mut files = shipped_files();
    files.retain(|file| file.path != path);
    files.push(File { path: path.to_owned(), text: text.to_owned() });
    files
}

/// Reads everything shipped with `from` replaced by `to` in one file, and expects that words of the one problem.
fn refused(path: &str, from: &str, to: &str, words: &str) {
    let file = shipped_files().into_iter().find(|file| file.path == path).expect("it is shipped");
    assert!(file.text.contains(from), "{path} does not say `{from}`");
    let error = Knowledge::read(&with(path, &file.text.replace(from, to))).expect_err("it is broken");
    let told = error.problems.iter().any(|problem| problem.path == path && problem.reason.contains(words));
    assert!(told, "{path} with `{to}`: {error}");
}

#[test]
fn everything_shipped_is_whole_and_its_examples_hold() {
    let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
    for item in knowledge.items() {
        let text = knowledge.show(&item.header.id).expect("every item can be shown");
        assert!(text.contains("[[example]]"), "{}", item.path);
        assert_eq!(item.header.status, Status::Unsigned, "{}: nobody has signed what is shipped", item.path);
    }
    assert_eq!(knowledge.items().len() + 1, shipped_files().iter().filter(|file| !file.is_hidden()).count());
}

#[test]
fn the_embedded_folder_is_the_folder_in_the_tree() {
    fn count(dir: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(dir).expect("the folder can be read");
        entries
            .map(|entry| entry.expect("an entry").path())
            .map(|path| if path.is_dir() { count(&path) } else { 1 })
            .sum()
    }
    let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/../../knowledge");
    assert_eq!(shipped_files().len(), count(std::path::Path::new(tree)));
}

#[test]
fn each_way_to_break_an_item_is_refused() {
    let cap = "caps/cap_psych_dose.toml";
    refused(cap, "quantity =", "quantiti =", "unknown field `quantiti`");
    refused(cap, "version = 1", "version = 0", "counts from 1");
    refused(cap, "version = 1", "", "missing field `version`");
    refused(cap, "id = \"cap_psych_dose\"", "id = \"cap\"", "named after its id");
    refused(cap, "\"s5\"", "\"s999\"", "cites `s999`");
    refused(cap, "[\"s5\", \"chairside-default\"]", "[]", "`sources` is empty");
    refused(cap, "evidence = \"proposed\"", "evidence = \"sure\"", "unknown variant `sure`");
    refused(cap, "expect = \"refused\"", "expect = \"recommended\"", "does not hold");
    refused(cap, "absolute = [0, \"1.5\"]", "absolute = [0, \"0.9\"]", "has to lie within");
    refused(cap, "absolute = [0, \"1.5\"]", "absolute = [0, 1.5]", "write it as text");
    refused(cap, "absolute = [0, \"1.5\"]", "absolute = [0, \"1.50\"]", "trailing zero");
    refused(cap, "recommended = [0, 1]", "recommended = [1, 0]", "from low to high");
    refused(cap, "unit = \"mg/kg\"", "unit = \"mg/kilo\"", "not a UCUM unit");
    refused(cap, "unit = \"mg/kg\"", "unit = \"mg\"", "has to be in mg/kg");
}

/// Hazard 108: a number that no source fixes says so, also inside an item that has sources.
#[test]
fn a_default_inside_a_sourced_item_is_named_and_told_in_words() {
    let cap = "caps/cap_pain_rate.toml";
    let named = "defaults = { \"limit.recommended.0\" = \"the lower limit of 0.1 mg/kg/h\" }\n";
    refused(cap, named, "", "does not say for what");
    refused(
        cap,
        "limit.recommended.0",
        "limit.recommended.7",
        "names `limit.recommended.7`, which the item does not",
    );
    refused(cap, "the lower limit of 0.1 mg/kg/h", " ", "says nothing of `limit.recommended.0`");
    refused(cap, ", \"chairside-default\"", "", "does not cite `chairside-default`");
    refused(cap, "evidence = \"sourced\"", "evidence = \"proposed\"", "is one as a whole");
    let knowledge = Knowledge::shipped().expect("it holds");
    let told = |id: &str| knowledge.header(id).expect("shipped").unsigned();
    assert_eq!(told("cap_pain_rate"), "clinic default, not signed: the lower limit of 0.1 mg/kg/h");
    assert_eq!(told("padss"), "clinic default, not signed: 7 of 8 without intake and output");
    assert_eq!(told("cap_psych_rate"), "clinic default, not signed");
    assert_eq!(told("mdd_trd_std"), "", "a trial fixes it");
    let mut signed = knowledge.header("cap_pain_rate").expect("shipped").clone();
    signed.status = Status::Signed;
    assert_eq!(signed.unsigned(), "");
}

#[test]
fn each_kind_refuses_a_broken_file() {
    refused("regimens/mdd_trd_std.toml", "0.5 mg/kg", "0.5 mg", "has to be in mg/kg");
    refused("regimens/mdd_trd_std.toml", "0.5 mg/kg", "0.5", "has no unit");
    refused("regimens/mdd_trd_std.toml", "40 min\"", "50 min\"", "example 1 does not hold");
    refused("regimens/mdd_trd_std.toml", "ketamine_racemic", "esketamine_iv", "only racemic");
    refused("drugs/ketamine_50.toml", "content = \"500 mg\"", "content = \"50 mg\"", "hold 500 mg");
    refused("dilutions/bag_500_at_1.toml", "0.9804", "0.9805", "does not hold");
    refused("giving_sets/set_20.toml", "50 [gtt]/min", "51 [gtt]/min", "does not hold");
    refused("pump_library/library_psych.toml", "cap_psych_rate", "cap_pain_rate", "not a cap on");
    refused("pump_library/library_psych.toml", "absolute = [1, 2]", "absolute = [1, 100]", "does not hold");
    refused(
        "weight/dose_weight.toml",
        "adjusted_part = \"40 %\"",
        "adjusted_part = \"4 %\"",
        "does not hold",
    );
    refused("care/escalation.toml", "told = \"osei\"", "told = \"kim\"", "does not hold");
    refused(
        "care/escalation.toml",
        "urgency = \"red_answer\"",
        "urgency = \"suicide_risk\"",
        "has not one clock",
    );
    refused("care/crisis_us.toml", "emergency = \"911\"", "emergency = \"nine\"", "cannot be dialled");
    refused("care/crisis_us.toml", "region = \"us\"", "region = \"ca\"", "stands in crisis_ca too");
    refused("care/intake.toml", "id = \"heart\"", "id = \"liver\"", "one twice");
    refused("sources.toml", "title = \"Singh", "titel = \"Singh", "unknown field `titel`");
}

#[test]
fn each_kind_of_the_course_refuses_a_broken_file() {
    refused(
        "regimens/ptsd.toml",
        "infusions = 6, a_week = 3",
        "infusions = 9, a_week = 3",
        "the usual number",
    );
    refused("regimens/ptsd.toml", "infusions = 8, a_week = 2", "infusions = 9, a_week = 2", "allows");
    refused("regimens/ptsd.toml", "a_week = 3", "a_week = 8", "1 to 7");
    refused("booking/booking.toml", "mon-fri 08:00", "mon-fri 8:00", "no time of day");
    refused("booking/booking.toml", "17:00\"]", "18:00\"]", "does not hold");
    refused("advice/titration.toml", "0.4 mg/kg", "0.6 mg/kg", "do not climb");
    refused("advice/titration.toml", "raise_by = \"0.1", "raise_by = \"0.2", "does not hold");
    refused("advice/maintenance.toml", "[3, 6]", "[6, 3]", "do not climb");
    refused(
        "long_term/check_liver.toml",
        "\ndue_after = { months = 3,",
        "\ndue_after = { months = 4,",
        "do not nest",
    );
    refused("long_term/check_bladder.toml", "infusions = 4 }", "infusions = 5 }", "does not hold");
    refused("long_term/exposure.toml", "a_year_most = 24", "a_year_most = 25", "does not hold");
    refused("long_term/misuse_signals.toml", "review_from = 2", "review_from = 3", "does not hold");
    refused("long_term/pressure_drift.toml", "rise_from = 10", "rise_from = 11", "does not hold");
    refused("long_term/tolerance.toml", "shorter_percent = 30", "shorter_percent = 20", "does not hold");
}

#[test]
fn a_file_that_nothing_reads_is_a_problem() {
    for (path, words) in [
        ("regimen/typo.toml", "nothing reads the folder `regimen`"),
        ("notes.toml", "belongs into the folder of its kind"),
        ("caps/readme.md", "is not a .toml file"),
        ("drugs/cap_psych_dose.toml", "already taken by caps/cap_psych_dose.toml"),
        ("caps/empty.toml", "has no worked"),
    ] {
        let error = Knowledge::read(&with(path, "")).expect_err("it is broken");
        assert!(error.to_string().contains(words), "{path}: {error}");
    }
}

#[test]
fn no_claim_to_a_patient_is_stronger_than_its_source_or_its_regimen() {
    let risks = "consent/consent_risks.toml";
    refused(
        risks,
        "strength = \"D\", sources = [\"s38\"]",
        "strength = \"B\", sources = [\"s38\"]",
        "stronger than its sources",
    );
    refused(
        risks,
        "strength = \"label\", sources = [\"s35\"]",
        "strength = \"label\", sources = [\"s50\"]",
        "stronger than its sources",
    );
    refused(risks, "sources = [\"s38\"]", "sources = []", "has no source");
    refused(risks, "sources = [\"s38\"]", "sources = [\"s999\"]", "not in sources.toml");
    refused(risks, "You may feel far away", "It is completely safe. You may feel far away", "promises more");
    refused(risks, "right = 2", "right = 3", "one of them right");
    refused("consent/consent_covers.toml", "to = \"1 mg/kg\"", "to = \"0.4 mg/kg\"", "bands that climb");
    let ptsd = "expect/expect_ptsd.toml";
    refused(
        ptsd,
        "strength = \"C\", sources = [\"s22\"]",
        "strength = \"B\", sources = [\"s22\"]",
        "stronger than its regimens",
    );
    refused(ptsd, "[\"ptsd\"]", "[\"ptds\"]", "no regimen `ptds`");
    refused(
        "expect/expect_depression.toml",
        "Many people feel better",
        "It rewires the brain. Many people feel better",
        "promises more",
    );
}

#[test]
fn every_condition_that_is_asked_for_or_treated_has_a_page_of_what_to_expect() {
    let knowledge = Knowledge::shipped().expect("sound");
    for condition in knowledge.intake().conditions.iter().filter(|one| one.id != "something_else") {
        assert!(knowledge.expectation(&condition.id).is_some(), "{}", condition.id);
    }
    for regimen in knowledge.regimens.iter().filter(|item| item.body.setting == regimen::Setting::Clinic) {
        let told = |item: &Item<expect::Expect>| {
            item.body.regimens.iter().any(|id| id.as_str() == regimen.header.id)
        };
        assert!(knowledge.expect.iter().any(told), "{}", regimen.header.id);
    }
}

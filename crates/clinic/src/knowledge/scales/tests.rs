use crate::knowledge::{File, Knowledge, embed};

/// Reads everything shipped with `from` replaced by `to` in one scale, and expects those words.
fn refused(scale: &str, from: &str, to: &str, words: &str) {
    let path = format!("scales/{scale}.toml");
    let files: Vec<File> = embed::shipped()
        .into_iter()
        .map(|mut file| {
            if file.path == path {
                assert!(file.text.contains(from), "{path} does not say `{from}`");
                file.text = file.text.replacen(from, to, 1);
            }
            file
        })
        .collect();
    let error = Knowledge::read(&files).expect_err("it is broken").to_string();
    assert!(error.contains(words), "{path} with `{to}`: {error}");
}

#[test]
fn each_way_to_break_a_scale_is_refused() {
    refused("phq9", "total = \"44261-6\"", "total = \"44261-7\"", "check digit is wrong");
    refused("phq9", "total = \"44261-6\"", "total = \"44249-1\"", "stands for two things");
    refused("phq9", "total = [0, 27]", "total = [0, 30]", "make a total of 0 to 27, it says 0 to 30");
    refused("phq9", "from = 10", "from = 3", "do not rise");
    refused("phq9", "from = 15", "from = 17", "example 1 does not hold: band");
    refused("phq9", "\"Not at all\", ", "", "4 values and 3 answers");
    refused("phq9", "items = [\"9\"]", "items = [\"11\"]", "there is no item 11");
    refused("phq9", "source = \"s17\"", "source = \"s1700\"", "cites `s1700`");
    refused("phq9", "missing_max = 2", "missing_max = 3", "example 3 does not hold: flags");
    refused("phq9", "opens_h = -24", "opens_h = 24", "does not open before it closes");
    refused("phq9", "id = \"2\"", "id = \"1\"", "item 1 stands twice");
    refused("gad7", "values = [0, 3]", "values = [3, 0]", "from low to high");
    refused("cssrs", "asked_if = \"6\"", "asked_if = \"7\"", "does not stand before it");
    refused("cssrs", "any = []", "any = [\"1\"]", "the one without any yes");
    refused("pcl5", "subscale = \"E\"", "subscale = \"F\"", "there is no subscale F");
    refused("audit_c", "of = \"female\"\n", "", "for all, or each for someone");
    refused("dast10", "reversed = true", "reversed = false", "example 1 does not hold: total");
    refused("madrs", "class = \"copyright\"", "class = \"stolen\"", "unknown variant `stolen`");
    refused("qids_sr16", "aliases = [\"qids\"", "aliases = [\"PHQ-9\"", "means `phq9` already");
    refused("qids_sr16", "take = \"max\"", "take = \"sum\"", "make a total of");
}

#[test]
fn wording_ships_only_where_its_licence_lets_it() {
    refused(
        "phq9",
        "class = \"public_domain\"",
        "class = \"permission\"",
        "does not let its wording be shipped",
    );
    refused(
        "madrs",
        "values = [0, 6]",
        "values = [0, 6]\nstem = \"Rate.\"",
        "does not let its wording be shipped",
    );
    refused("madrs", "{ id = \"3\" }", "{ id = \"3\", ask = \"x\" }", "does not let its wording be shipped");
}

#[test]
fn a_scale_is_found_under_each_of_its_names() {
    let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
    for (typed, id) in [
        ("phq9", "phq9"),
        ("PHQ-9", "phq9"),
        ("pc_ptsd5", "pc_ptsd5"),
        ("PC-PTSD-5", "pc_ptsd5"),
        ("C-SSRS", "cssrs"),
        ("BDI-II", "bdi2"),
        ("audit-c", "audit_c"),
        ("HAMD", "hamd17"),
    ] {
        assert_eq!(knowledge.scale(typed).map(|item| item.header.id.as_str()), Some(id), "{typed}");
    }
    assert!(knowledge.scale("phq").is_none());
    assert!(knowledge.scale("").is_none());
}

#[test]
fn panel_and_total_are_never_one_code() {
    let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
    let mut coded = 0;
    for item in knowledge.scales.iter() {
        let codes = &item.body.loinc;
        if let (Some(panel), Some(total)) = (&codes.panel, &codes.total) {
            assert_ne!(panel, total, "{}", item.header.id);
            coded += 1;
        }
    }
    assert!(coded >= 6, "{coded}");
}

//! Each hazard of `docs/hazards.toml` names the tests that prove its control, and each of those tests exists.
//!
//! A Rust test is named `crate::module::test`, as `cargo test` prints it after the name of the crate's folder
//! (for a file in `tests/`, the file's name is the module); a test of Node is named `path/to/file.mjs: title`.

use super::Findings;
use crate::tree::{File, Tree};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};

const PAGE: &str = "docs/hazards.toml";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hazards {
    #[serde(default, rename = "hazard")]
    rows: Vec<Hazard>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hazard {
    id: String,
    title: String,
    harm: String,
    severity: u8,
    control: String,
    kind: Kind,
    tests: Vec<String>,
    seen_to_fail: String,
}

/// In the order in which ISO 14971 wants controls to be looked for.
#[derive(Deserialize)]
enum Kind {
    #[serde(rename = "D")]
    Design,
    #[serde(rename = "P")]
    Protection,
    #[serde(rename = "I")]
    Information,
}

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let Some(text) = tree.text(PAGE) else { return Ok(vec![format!("{PAGE} is not there")]) };
    let hazards: Hazards = toml::from_str(text).with_context(|| format!("read {PAGE}"))?;
    let known = tests_in(tree);
    let mut ids = BTreeSet::new();
    let mut findings = Findings::new();
    for row in &hazards.rows {
        let mut say = |what: String| findings.push(format!("{PAGE}: {}: {what}", row.id));
        if !ids.insert(&row.id) {
            say("stands there twice".to_owned());
        }
        for (field, text) in [("title", &row.title), ("harm", &row.harm), ("control", &row.control)] {
            if text.trim().is_empty() {
                say(format!("{field} is empty"));
            }
        }
        if !(1..=5).contains(&row.severity) {
            say(format!("severity {} is not 1 to 5", row.severity));
        }
        if row.seen_to_fail.trim().is_empty() {
            say("say how its tests were seen to fail without the control".to_owned());
        }
        if row.tests.is_empty() {
            say("a row without a test proves nothing".to_owned());
        }
        if matches!(row.kind, Kind::Information) && row.severity == 5 {
            say("words alone do not control a deadly hazard".to_owned());
        }
        for test in &row.tests {
            match known.get(test) {
                None => say(format!("no test is called {test}")),
                Some(false) => say(format!("{test} is ignored, so it proves nothing")),
                Some(true) => {}
            }
        }
    }
    Ok(findings)
}

/// Every test by its name, and whether it runs.
pub(super) fn tests_in(tree: &Tree) -> BTreeMap<String, bool> {
    let mut tests = BTreeMap::new();
    for file in &tree.files {
        if let Some(module) = module_of(&file.path) {
            for function in file.rust.iter().flat_map(|rust| &rust.functions).filter(|f| f.is_test) {
                tests.insert(format!("{module}::{}", function.path), !function.is_ignored);
            }
        }
        if file.path.ends_with(".mjs") || file.path.ends_with(".test.ts") {
            tests
                .extend(node_titles(file).into_iter().map(|title| (format!("{}: {title}", file.path), true)));
        }
    }
    tests
}

/// `crates/clinic/src/dose/mod.rs` is `clinic::dose`; `crates/store/tests/contract.rs` is `store::contract`.
fn module_of(path: &str) -> Option<String> {
    let path = path.strip_suffix(".rs")?;
    let path = path.strip_prefix("crates/").unwrap_or(path);
    let (name, rest) = path.split_once('/')?;
    let rest = rest.strip_prefix("src/").or_else(|| rest.strip_prefix("tests/"))?;
    let mut parts: Vec<&str> = std::iter::once(name).chain(rest.split('/')).collect();
    if matches!(parts.last(), Some(&("mod" | "lib" | "main"))) {
        parts.pop();
    }
    Some(parts.join("::"))
}

/// Titles given to `test("…"` or `it("…"` at the start of a statement. A skipped test is spelt differently.
fn node_titles(file: &File) -> Vec<String> {
    let lines = file.text.iter().flat_map(|text| text.lines());
    lines
        .filter_map(|line| {
            let line = line.trim_start().trim_start_matches("await ").trim_start_matches("t.");
            let call = line.strip_prefix("test(").or_else(|| line.strip_prefix("it("))?;
            let quote = call.chars().next().filter(|c| "\"'`".contains(*c))?;
            Some(call.get(1..)?.split_once(quote)?.0.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUST: (&str, &str) = (
        "crates/clinic/src/dose/mod.rs",
        "#[cfg(test)] mod tests { #[test] fn tenfold() {} #[test] #[ignore] fn late() {} fn helper() {} }",
    );
    const NODE: (&str, &str) =
        ("ui/test/deadman.test.mjs", "test('silence is shown', () => {});\ntest.skip('no', f);");

    fn row(tests: &str) -> String {
        format!(
            "[[hazard]]\nid = \"02\"\ntitle = \"t\"\nharm = \"h\"\nseverity = 5\ncontrol = \"c\"\nkind = \"P\"\ntests = [{tests}]\nseen_to_fail = \"limit taken out\"\n"
        )
    }

    fn findings(page: &str) -> Findings {
        check(&Tree::of(&[(PAGE, page), RUST, NODE])).expect("runs")
    }

    #[test]
    fn named_tests_must_exist() {
        let both = row("\"clinic::dose::tests::tenfold\", \"ui/test/deadman.test.mjs: silence is shown\"");
        assert_eq!(findings(&both), Findings::new());
        assert_eq!(
            findings(&row("\"clinic::dose::tests::gone\"")),
            ["docs/hazards.toml: 02: no test is called clinic::dose::tests::gone"]
        );
        assert_eq!(findings(&row("\"clinic::dose::tests::helper\"")).len(), 1);
        assert_eq!(findings(&row("\"ui/test/deadman.test.mjs: no\"")).len(), 1);
    }

    #[test]
    fn a_row_needs_a_test_that_runs() {
        assert_eq!(findings(&row("")), ["docs/hazards.toml: 02: a row without a test proves nothing"]);
        assert_eq!(
            findings(&row("\"clinic::dose::tests::late\"")),
            ["docs/hazards.toml: 02: clinic::dose::tests::late is ignored, so it proves nothing"]
        );
    }

    #[test]
    fn a_row_must_be_whole() {
        let good = row("\"clinic::dose::tests::tenfold\"");
        assert_eq!(findings(&format!("{good}{good}")), ["docs/hazards.toml: 02: stands there twice"]);
        assert_eq!(findings(&good.replace("= 5", "= 6")).len(), 1);
        assert_eq!(findings(&good.replace("limit taken out", "")).len(), 1);
        assert_eq!(findings(&good.replace("\"P\"", "\"I\"")).len(), 1);
        assert_eq!(findings(&good.replace("\"h\"", "\"\"")), ["docs/hazards.toml: 02: harm is empty"]);
        assert!(check(&Tree::of(&[(PAGE, &good.replace("harm", "harms"))])).is_err());
    }

    #[test]
    fn files_have_the_module_names_of_cargo_test() {
        assert_eq!(module_of("crates/clinic/src/lib.rs").as_deref(), Some("clinic"));
        assert_eq!(module_of("crates/clinic/src/dose/mod.rs").as_deref(), Some("clinic::dose"));
        assert_eq!(module_of("crates/store/tests/contract.rs").as_deref(), Some("store::contract"));
        assert_eq!(module_of("crates/sim/tests/day/main.rs").as_deref(), Some("sim::day"));
        assert_eq!(module_of("xtask/src/tidy/sql.rs").as_deref(), Some("xtask::tidy::sql"));
    }
}

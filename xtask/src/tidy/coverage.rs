//! `docs/coverage.md` stays true: each path and each test that it names is there.

use super::Findings;
use super::architecture::{is_path, tops};
use super::hazards::tests_in;
use crate::tree::Tree;
use anyhow::Result;

const PAGE: &str = "docs/coverage.md";

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let Some(page) = tree.text(PAGE) else { return Ok(vec![format!("{PAGE} is not there")]) };
    let (tops, tests) = (tops(tree), tests_in(tree));
    let is_crate =
        |name: &str| tests.keys().any(|test| test.split_once("::").is_some_and(|(of, _)| of == name));
    let mut findings = Findings::new();
    for (number, line) in page.lines().enumerate() {
        for span in line.split('`').skip(1).step_by(2) {
            let gone = if span.contains(".mjs: ") {
                !tests.contains_key(span)
            } else if span.split_once("::").is_some_and(|(name, _)| is_crate(name)) {
                let below = format!("{span}::");
                !tests.iter().any(|(test, runs)| *runs && (test == span || test.starts_with(&below)))
            } else {
                is_path(span, &tops) && !tree.has(span)
            };
            if gone {
                findings.push(format!("{PAGE}:{}: `{span}` is not there", number + 1));
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str) -> Findings {
        let rust = "#[cfg(test)] mod tests { #[test] fn tenfold() {} #[test] #[ignore] fn late() {} }";
        let files = [
            (PAGE, page),
            ("crates/clinic/src/dose/mod.rs", rust),
            ("ui/test/sound.test.mjs", "test('it sounds', () => {});"),
        ];
        check(&Tree::of(&files)).expect("runs")
    }

    #[test]
    fn what_is_there_and_what_is_neither_path_nor_test_passes() {
        let page = "`crates/clinic/src/dose/`, `clinic::dose`, `clinic::dose::tests::tenfold`, \
                    `ui/test/sound.test.mjs: it sounds`, `cargo xtask demo`, `Consulting::open`, `mg/kg`";
        assert_eq!(findings(page), Findings::new());
    }

    #[test]
    fn a_path_or_a_test_that_is_gone_is_found() {
        for gone in [
            "crates/clinic/src/bag.rs",
            "clinic::dose::tests::tenfol",
            "clinic::dose::tests::late",
            "clinic::bag",
            "ui/test/sound.test.mjs: it is silent",
        ] {
            let said = findings(&format!("first\n`{gone}`"));
            assert_eq!(said, [format!("docs/coverage.md:2: `{gone}` is not there")]);
        }
    }
}

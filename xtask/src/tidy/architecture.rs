//! `ARCHITECTURE.md` stays true: each path it names exists, and each folder at the top and each crate is named.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;
use std::collections::BTreeSet;

const PAGE: &str = "ARCHITECTURE.md";

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let Some(page) = tree.text(PAGE) else { return Ok(vec![format!("{PAGE} is not there")]) };
    let tops = tops(tree);
    let mut findings = Findings::new();
    for (number, line) in page.lines().enumerate() {
        for path in line.split('`').skip(1).step_by(2).filter(|span| is_path(span, &tops)) {
            if !tree.has(path) {
                findings.push(format!("{PAGE}:{}: `{path}` is not there", number + 1));
            }
        }
    }
    let crates = tree.files.iter().filter_map(|file| file.path.strip_suffix("/Cargo.toml"));
    for folder in tops.iter().copied().chain(crates.filter(|path| path.starts_with("crates/"))) {
        if !page.contains(&format!("`{folder}")) {
            findings.push(format!("{PAGE} does not name `{folder}/`"));
        }
    }
    Ok(findings)
}

/// The folders at the top.
pub(super) fn tops(tree: &Tree) -> BTreeSet<&str> {
    tree.files.iter().filter_map(|file| file.path.split_once('/')).map(|(top, _)| top).collect()
}

/// A path begins with a folder of ours or ends like a file; `mg/kg` and `text/event-stream` do neither.
pub(super) fn is_path(span: &str, tops: &BTreeSet<&str>) -> bool {
    let plain = span.chars().all(|c| c.is_ascii_alphanumeric() || "._-/".contains(c));
    let known = span.split_once('/').is_some_and(|(top, _)| tops.contains(top));
    let file = [".rs", ".md", ".toml", ".html", ".ts", ".css"].iter().any(|end| span.ends_with(end));
    plain && (known || (file && !span.starts_with('.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(page: &str) -> Findings {
        let files =
            [(PAGE, page), ("crates/pkpd/Cargo.toml", ""), ("crates/pkpd/src/lib.rs", ""), ("ui/a.ts", "")];
        check(&Tree::of(&files)).expect("runs")
    }

    #[test]
    fn a_page_that_names_what_is_there_passes() {
        assert_eq!(
            findings("`crates/pkpd/` counts mg/kg as `mg/kg`; `ui/` shows it, see `lib.rs` below.").len(),
            1
        );
        assert_eq!(findings("`crates/pkpd/src/lib.rs`, `ui/`, `cargo xtask ui`"), Findings::new());
    }

    #[test]
    fn a_path_that_is_gone_and_a_folder_not_named_are_found() {
        assert_eq!(
            findings("`crates/pkpd/` and\n`ui/src/live.ts`"),
            ["ARCHITECTURE.md:2: `ui/src/live.ts` is not there"]
        );
        assert_eq!(findings("`crates/pkpd/`"), ["ARCHITECTURE.md does not name `ui/`"]);
        assert_eq!(
            findings("`ui/`"),
            ["ARCHITECTURE.md does not name `crates/`", "ARCHITECTURE.md does not name `crates/pkpd/`"]
        );
    }
}

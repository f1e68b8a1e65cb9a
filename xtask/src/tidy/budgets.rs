//! Lengths, so that small functions stay small. What is too long today stands in `xtask/ratchet.toml` with its
//! length; it may shrink, never grow, and leaves the list when it fits.

use super::Findings;
use crate::tree::{FILE_BYTES_MAX, Tree};
use anyhow::{Context, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

const RATCHET: &str = "xtask/ratchet.toml";
const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 600;
const UI_LINES_MAX: usize = 1_500;
const CODE: &[&str] = &[".rs", ".ts", ".mjs", ".css", ".html", ".sql", ".c", ".sh"];
/// Pages that must stay short to be read.
const PAGES: &[(&str, usize)] = &[("ARCHITECTURE.md", 200), ("docs/style.md", 150), ("docs/decisions/", 40)];

/// What is over its budget, by name, with its length.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratchet {
    #[serde(default)]
    functions: BTreeMap<String, usize>,
    #[serde(default)]
    files: BTreeMap<String, usize>,
}

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let text = tree.text(RATCHET).unwrap_or_default();
    let mut listed: Ratchet = toml::from_str(text).with_context(|| format!("read {RATCHET}"))?;
    let mut findings = Findings::new();
    let mut ui_lines = 0;
    for file in &tree.files {
        if file.bytes > FILE_BYTES_MAX {
            findings.push(format!("{}: {} bytes, at most {FILE_BYTES_MAX}", file.path, file.bytes));
        }
        for function in file.rust.iter().flat_map(|rust| &rust.functions) {
            let name = format!("{}::{}", file.path, function.path);
            findings.extend(judge(&name, function.lines, FUNCTION_LINES_MAX, listed.functions.remove(&name)));
        }
        let Some(text) = &file.text else { continue };
        let lines = text.lines().count();
        if CODE.iter().any(|end| file.path.ends_with(end)) {
            findings.extend(judge(&file.path, lines, FILE_LINES_MAX, listed.files.remove(&file.path)));
        }
        for (_, limit) in PAGES.iter().filter(|(page, _)| file.path.starts_with(page)) {
            findings.extend(judge(&file.path, lines, *limit, None));
        }
        if file.path.starts_with("ui/src/") {
            ui_lines += lines;
        }
    }
    findings.extend(judge("ui/src", ui_lines, UI_LINES_MAX, listed.files.remove("ui/src")));
    let gone = listed.functions.into_keys().chain(listed.files.into_keys());
    findings.extend(gone.map(|name| format!("{RATCHET}: {name} is not there any more, take it out")));
    Ok(findings)
}

fn judge(name: &str, lines: usize, limit: usize, listed: Option<usize>) -> Option<String> {
    match listed {
        None if lines > limit => Some(format!("{name}: {lines} lines, at most {limit}")),
        Some(_) if lines <= limit => Some(format!("{RATCHET}: {name} fits now ({lines} lines), take it out")),
        Some(listed) if lines > listed => Some(format!("{name}: {lines} lines, was {listed}, must not grow")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn function_of(lines: usize) -> String {
        format!("fn long() {{{}}}\n", "\n".repeat(lines - 1))
    }

    fn findings(lines: usize, ratchet: &str) -> Findings {
        check(&Tree::of(&[("a.rs", &function_of(lines)), (RATCHET, ratchet)])).expect("runs")
    }

    #[test]
    fn a_function_has_its_limit() {
        assert_eq!(findings(70, ""), Findings::new());
        assert_eq!(findings(71, ""), ["a.rs::long: 71 lines, at most 70"]);
    }

    #[test]
    fn the_ratchet_turns_one_way() {
        let listed = "[functions]\n\"a.rs::long\" = 80";
        assert_eq!(findings(80, listed), Findings::new());
        assert_eq!(findings(81, listed), ["a.rs::long: 81 lines, was 80, must not grow"]);
        assert_eq!(findings(60, listed), ["xtask/ratchet.toml: a.rs::long fits now (60 lines), take it out"]);
        let gone = "[files]\n\"b.rs\" = 700";
        assert_eq!(findings(60, gone), ["xtask/ratchet.toml: b.rs is not there any more, take it out"]);
    }

    #[test]
    fn files_pages_and_the_browser_side_have_theirs() {
        let long = "\n".repeat(601);
        let half = "\n".repeat(590);
        let tree = Tree::of(&[
            ("a.css", &long),
            ("docs/decisions/0001-a.md", &"\n".repeat(41)),
            ("ui/src/a.ts", &half),
            ("ui/src/b.ts", &half),
            ("ui/src/c.ts", &half),
        ]);
        assert_eq!(
            check(&tree).expect("runs"),
            [
                "a.css: 601 lines, at most 600",
                "docs/decisions/0001-a.md: 41 lines, at most 40",
                "ui/src: 1770 lines, at most 1500"
            ]
        );
    }

    #[test]
    fn a_large_file_is_found() {
        let mut tree = Tree::of(&[("docs/pictures/board.png", "")]);
        tree.files.iter_mut().for_each(|file| file.bytes = FILE_BYTES_MAX + 1);
        assert_eq!(check(&tree).expect("runs"), ["docs/pictures/board.png: 1048577 bytes, at most 1048576"]);
    }
}

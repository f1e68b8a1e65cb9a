//! Decisions are called by their number, so each number is one decision, in the name of the file and in its title.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;
use std::collections::BTreeMap;

const PLACE: &str = "docs/decisions/";

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Findings::new();
    for file in &tree.files {
        let Some(name) = file.path.strip_prefix(PLACE) else { continue };
        let number = name.split('-').next().unwrap_or_default();
        if number.len() != 4 || !number.bytes().all(|b| b.is_ascii_digit()) {
            findings
                .push(format!("{}: name it by four digits and what was decided, 0001-what.md", file.path));
            continue;
        }
        if let Some(other) = taken.insert(number, name) {
            findings.push(format!("{}: {number} is taken by {other}; take the next free number", file.path));
        }
        let title = file.text.as_deref().unwrap_or_default();
        if !title.starts_with(&format!("# {number} ")) {
            findings.push(format!("{}: its title begins with `# {number} `", file.path));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_taken_twice_a_bare_name_and_another_title_are_found() {
        let tree = Tree::of(&[
            ("docs/decisions/0001-a.md", "# 0001 A\n"),
            ("docs/decisions/0001-b.md", "# 0001 B\n"),
            ("docs/decisions/0002-c.md", "# 0003 C\n"),
            ("docs/decisions/notes.md", "# Notes\n"),
        ]);
        assert_eq!(
            check(&tree).expect("runs"),
            [
                "docs/decisions/0001-b.md: 0001 is taken by 0001-a.md; take the next free number",
                "docs/decisions/0002-c.md: its title begins with `# 0002 `",
                "docs/decisions/notes.md: name it by four digits and what was decided, 0001-what.md",
            ]
        );
    }
}

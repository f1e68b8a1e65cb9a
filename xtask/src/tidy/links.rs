//! A link from one page of the repository to another leads somewhere.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::new();
    for (file, text) in tree.texts("", &[".md"]) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, line) in text.lines().enumerate() {
            for link in line.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next()) {
                let target = link.split('#').next().unwrap_or_default();
                let elsewhere = link.contains("://") || link.starts_with("mailto:") || target.is_empty();
                if !elsewhere && !resolve(folder, target).is_some_and(|path| tree.has(&path)) {
                    findings.push(format!("{}:{}: the link to {link} leads nowhere", file.path, number + 1));
                }
            }
        }
    }
    Ok(findings)
}

/// `None` when the link climbs out of the repository.
fn resolve(folder: &str, link: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_links_are_found() {
        let page =
            "[a](../style.md#names) [b](https://example.org/x) [c](gone.md)\n[d](../../../etc) [e](#here)";
        let tree = Tree::of(&[("docs/adding/scale.md", page), ("docs/style.md", "")]);
        assert_eq!(
            check(&tree).expect("runs"),
            [
                "docs/adding/scale.md:1: the link to gone.md leads nowhere",
                "docs/adding/scale.md:2: the link to ../../../etc leads nowhere"
            ]
        );
    }
}

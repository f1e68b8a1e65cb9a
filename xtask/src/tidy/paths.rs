//! No path of one person's machine: it means nothing on another.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;
use std::path::{Component, Path};

/// Folders that mean the same on every machine.
const COMMON: &[&str] = &[
    "bin", "dev", "etc", "home", "mnt", "opt", "proc", "root", "run", "src", "srv", "sys", "tmp", "usr",
    "var",
];

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut machine =
        vec!["/home".to_owned(), "/Users".to_owned(), "/root".to_owned(), "/tmp/target".to_owned()];
    machine.push(tree.root.display().to_string());
    machine.extend(own_top(&tree.root));
    let mut findings = Findings::new();
    for (file, text) in tree.texts("", &[""]).filter(|(file, _)| !file.path.ends_with("/paths.rs")) {
        for (number, line) in text.lines().enumerate() {
            if let Some(found) = machine.iter().find(|path| names(line, path)) {
                findings.push(format!("{}:{}: `{found}` is a path of one machine", file.path, number + 1));
            }
        }
    }
    Ok(findings)
}

/// The top folder that this clone lies in, when it is a peculiar one.
fn own_top(root: &Path) -> Option<String> {
    let Some(Component::Normal(top)) = root.components().nth(1) else { return None };
    let top = top.to_str()?;
    (!COMMON.contains(&top)).then(|| format!("/{top}"))
}

/// Whether the path stands there whole: `/root` is not in `src/root.rs`, in `/rooted` or at the end of a line
/// that speaks of a route `/root`; a folder is only meant with something below it.
fn names(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let after = line.get(at + path.len()..).and_then(|text| text.chars().next());
        !before.is_some_and(|c| c.is_alphanumeric() || "._-~/{}".contains(c)) && after == Some('/')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> Findings {
        check(&Tree::of(&[("README.md", text)])).expect("runs")
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        assert_eq!(findings("see /home/kim/x"), ["README.md:1: `/home` is a path of one machine"]);
        assert_eq!(findings("`/somewhere/chairside/docs`").len(), 1);
        assert_eq!(findings("\"/somewhere/else/a\"").len(), 1);
        assert_eq!(findings("/tmp/target/debug/x").len(), 1);
    }

    #[test]
    fn other_paths_pass() {
        assert_eq!(
            findings("crates/home/src, https://example.org/root/a, /usr/bin/chromium, /root"),
            Findings::new()
        );
        assert_eq!(own_top(Path::new("/src/chairside")), None);
    }
}

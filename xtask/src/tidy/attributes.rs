//! A silenced lint is an expectation with a reason, so that it is noticed when it is no longer needed.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::new();
    for file in &tree.files {
        let attributes = file.rust.iter().flat_map(|rust| &rust.attributes);
        for (_, line) in attributes.filter(|(name, _)| name == "allow") {
            findings
                .push(format!("{}:{line}: write #[expect(…, reason = \"…\")] instead of allow", file.path));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_is_found_and_expect_is_not() {
        let tree = Tree::of(&[(
            "a.rs",
            "// #[allow(x)]\n#[expect(dead_code, reason = \"r\")]\nfn a() {}\n#[allow(dead_code)]\nfn b() {}",
        )]);
        assert_eq!(
            check(&tree).expect("runs"),
            ["a.rs:4: write #[expect(…, reason = \"…\")] instead of allow"]
        );
    }
}

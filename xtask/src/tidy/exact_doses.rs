//! No binary float on the way of a dose: 0.1 has no exact one.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;

/// Where a dose, a volume or a rate is worked out.
const EXACT: &[&str] = &[
    "crates/clinic/src/dose/",
    "crates/clinic/src/quantity.rs",
    "crates/clinic/src/session/",
    "crates/interop/src/",
];

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::new();
    for file in tree.files.iter().filter(|file| EXACT.iter().any(|place| file.path.starts_with(place))) {
        for word in file.rust.iter().flat_map(|rust| &rust.words).filter(|word| !word.in_tests) {
            if is_float(&word.text) {
                let (path, line, text) = (&file.path, word.line, &word.text);
                findings
                    .push(format!("{path}:{line}: `{text}` is a binary float; use Decimal or a quantity"));
            }
        }
    }
    Ok(findings)
}

fn is_float(word: &str) -> bool {
    let digit = word.starts_with(|c: char| c.is_ascii_digit());
    word == "f64" || word == "f32" || (digit && (word.contains('.') || word.contains("f64")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_found_where_doses_are_made() {
        let code = "fn a(x: f64) -> i64 { 1.5; 15; t.0 }\n#[cfg(test)]\nmod tests { fn b() { 2.5; } }";
        let tree = Tree::of(&[("crates/clinic/src/dose/mod.rs", code), ("crates/pkpd/src/lib.rs", code)]);
        assert_eq!(
            check(&tree).expect("runs"),
            [
                "crates/clinic/src/dose/mod.rs:1: `f64` is a binary float; use Decimal or a quantity",
                "crates/clinic/src/dose/mod.rs:1: `1.5` is a binary float; use Decimal or a quantity"
            ]
        );
    }
}

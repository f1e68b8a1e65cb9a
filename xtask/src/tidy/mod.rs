//! The rules of the house that a machine can check, one file a rule. A rule that is not here is advice.

mod architecture;
mod attributes;
mod budgets;
mod coverage;
mod crate_edges;
mod decisions;
mod exact_doses;
mod hazards;
mod licences;
mod links;
mod paths;
mod pure_crates;
mod sql;
mod templates;
mod third_party;

use crate::tree::Tree;
use anyhow::Result;
use std::path::Path;

/// What is wrong, where, and what to do about it: one line for a person.
type Findings = Vec<String>;

/// A rule: its name and its check.
type Rule = (&'static str, fn(&Tree) -> Result<Findings>);

/// In the order of the alphabet.
const RULES: &[Rule] = &[
    ("architecture", architecture::check),
    ("attributes", attributes::check),
    ("budgets", budgets::check),
    ("coverage", coverage::check),
    ("crate edges", crate_edges::check),
    ("decisions", decisions::check),
    ("exact doses", exact_doses::check),
    ("hazards", hazards::check),
    ("licences", licences::check),
    ("links", links::check),
    ("paths", paths::check),
    ("pure crates", pure_crates::check),
    ("sql", sql::check),
    ("templates", templates::check),
    ("third party", third_party::check),
];

/// `false` when the tree breaks a rule.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let findings = check(&Tree::read(root)?)?;
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} rules, {} findings", RULES.len(), findings.len());
    Ok(findings.is_empty())
}

fn check(tree: &Tree) -> Result<Findings> {
    let mut all = Findings::new();
    for (name, rule) in RULES {
        all.extend(rule(tree)?.into_iter().map(|finding| format!("[{name}] {finding}")));
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let tree = Tree::read(&crate::root()).expect("the tree can be read");
        let findings = check(&tree).expect("the rules can be checked");
        assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
    }
}

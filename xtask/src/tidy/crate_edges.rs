//! Which crate may know which. What a crate cannot reach, it cannot do.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;

/// Our own crates that each may link. The table of ARCHITECTURE.md says why.
const MAY: &[(&str, &[&str])] = &[
    ("pkpd", &[]),
    ("clinic", &["pkpd"]),
    ("interop", &["clinic", "pkpd"]),
    ("lab", &["clinic", "pkpd"]),
    ("store", &[]),
    ("sim", &["clinic", "interop", "pkpd"]),
    ("server", &["clinic", "interop", "lab", "pkpd", "sim", "store"]),
    ("python", &["clinic", "lab", "pkpd"]),
    ("xtask", &[]),
];

/// Sockets and runtimes, databases, chance: none of it may be reached, at any depth.
const SOCKETS: &[&str] = &["axum", "hyper", "mio", "reqwest", "socket2", "tokio"];
const DATABASES: &[&str] = &["postgres", "rusqlite", "sqlx", "tokio-postgres"];
const CHANCE: &[&str] = &["fastrand", "getrandom", "rand"];
const NEVER: &[(&str, &[&[&str]])] = &[
    ("pkpd", &[SOCKETS, DATABASES, CHANCE]),
    ("clinic", &[SOCKETS, DATABASES, CHANCE]),
    ("interop", &[SOCKETS, DATABASES, CHANCE]),
    ("lab", &[SOCKETS, DATABASES, CHANCE]),
    ("sim", &[SOCKETS, DATABASES]),
    ("python", &[SOCKETS, DATABASES, CHANCE]),
    ("store", &[&["axum", "hyper", "reqwest"]]),
];

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::new();
    let linked = &tree.packages.linked;
    for (name, reached) in linked {
        let Some((_, may)) = MAY.iter().find(|(listed, _)| listed == name) else {
            findings.push(format!("{name} is not in the table of crates: say there what it may link"));
            continue;
        };
        for other in linked.keys().filter(|other| reached.contains(*other) && !may.contains(&other.as_str()))
        {
            findings.push(format!("{name} must not link {other}"));
        }
        let never = NEVER.iter().filter(|(listed, _)| listed == name).flat_map(|(_, kinds)| kinds.iter());
        for other in never.flat_map(|kind| kind.iter()).filter(|other| reached.contains(**other)) {
            findings.push(format!("{name} must not reach {other}"));
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Packages;

    #[test]
    fn edges_outside_the_table_are_found_at_any_depth() {
        let mut tree = Tree::of(&[]);
        tree.packages = Packages::of(
            &[],
            &[
                ("billing", &[]),
                ("clinic", &["pkpd", "harmless", "tokio"]),
                ("pkpd", &["harmless"]),
                ("store", &["clinic", "pkpd", "rusqlite"]),
            ],
        );
        assert_eq!(
            check(&tree).expect("runs"),
            [
                "billing is not in the table of crates: say there what it may link",
                "clinic must not reach tokio",
                "store must not link clinic",
                "store must not link pkpd"
            ]
        );
    }
}

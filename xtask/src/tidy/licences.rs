//! Everything that is linked or shipped has a licence that lets a clinic use, change and pass it on freely.

use super::Findings;
use crate::tree::Tree;
use anyhow::{Context, Result};
use serde::Deserialize;
use spdx::{Expression, ParseMode};
use std::collections::BTreeMap;

/// No copyleft among them.
const PERMISSIVE: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "OFL-1.1", // fonts
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];
/// Run while testing, neither linked nor shipped.
const ONLY_IN_TESTS: &[&str] = &["MPL-2.0"];
const NPM: &str = "ui/package-lock.json";

/// The parts of an npm lock file that matter here. A folder may hold packages of its own, whose fields vary.
#[derive(Deserialize)]
struct NpmLock {
    packages: BTreeMap<String, NpmPackage>,
}

#[derive(Deserialize)]
struct NpmPackage {
    license: Option<String>,
    #[serde(default)]
    dev: bool,
}

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let crates = tree.packages.all.iter().map(|package| (&package.name, package.license.as_deref(), false));
    let mut findings: Findings =
        crates.filter_map(|(name, license, in_tests)| judge(name, license, in_tests)).collect();
    if let Some(text) = tree.text(NPM) {
        let lock: NpmLock = serde_json::from_str(text).with_context(|| format!("read {NPM}"))?;
        let theirs = lock.packages.iter().filter(|(path, _)| !path.is_empty());
        findings.extend(
            theirs.filter_map(|(path, package)| judge(path, package.license.as_deref(), package.dev)),
        );
    }
    Ok(findings)
}

fn judge(name: &str, license: Option<&str>, in_tests: bool) -> Option<String> {
    let Some(license) = license else { return Some(format!("{name} names no licence")) };
    // Old crates write `MIT/Apache-2.0`.
    let Ok(expression) = Expression::parse_mode(license, ParseMode::LAX) else {
        return Some(format!("{name}: the licence `{license}` cannot be read"));
    };
    let permits = |id: &str| PERMISSIVE.contains(&id) || (in_tests && ONLY_IN_TESTS.contains(&id));
    let free = expression.evaluate(|part| part.license.id().is_some_and(|id| permits(id.name)));
    (!free).then(|| format!("{name}: the licence `{license}` is not among the permissive ones"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::Packages;

    #[test]
    fn permissive_licences_pass_and_copyleft_does_not() {
        for good in
            ["MIT", "MIT/Apache-2.0", "(MIT OR GPL-3.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception"]
        {
            assert_eq!(judge("a", Some(good), false), None);
        }
        for bad in
            ["GPL-3.0", "AGPL-3.0-only", "LGPL-2.1-or-later", "MIT AND GPL-2.0", "MPL-2.0", "who knows"]
        {
            assert!(judge("a", Some(bad), false).is_some(), "{bad}");
        }
        assert!(judge("a", None, false).is_some());
        assert_eq!(judge("a", Some("MPL-2.0"), true), None);
    }

    #[test]
    fn crates_and_npm_packages_are_looked_at() {
        let lock = r#"{"packages": {"": {"name": "ours"}, "node_modules/good": {"license": "MIT"}, "node_modules/bad": {"license": "GPL-3.0", "dev": true}}}"#;
        let mut tree = Tree::of(&[(NPM, lock)]);
        tree.packages = Packages::of(&[("closed", Some("Proprietary")), ("open", Some("MIT"))], &[]);
        assert_eq!(check(&tree).expect("runs").len(), 2);
    }
}

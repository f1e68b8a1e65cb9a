//! The packages of the build, what each of ours links, and where cargo puts what it builds.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The platform that is shipped; what others would need is not looked at.
const PLATFORM: &str = "x86_64-unknown-linux-gnu";

/// One package, ours or not.
#[derive(Debug, Deserialize)]
pub(crate) struct Package {
    id: String,
    pub(crate) name: String,
    pub(crate) license: Option<String>,
}

/// Every package that a build takes in.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    pub(crate) all: Vec<Package>,
    /// A package of ours to the names of all it links, at any depth. What only its tests or its build script
    /// need is not among them.
    pub(crate) linked: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    target_directory: PathBuf,
}

impl Packages {
    pub(crate) fn read(root: &Path) -> Result<Packages> {
        let read = metadata(root)?;
        let members: BTreeSet<&String> = read.workspace_members.iter().collect();
        let ours = read.packages.iter().filter(|package| members.contains(&package.id));
        let linked = ours.map(|package| Ok((package.name.clone(), linked_by(root, &package.name)?)));
        Ok(Packages { linked: linked.collect::<Result<_>>()?, all: read.packages })
    }
}

/// Where cargo puts what it builds.
pub(crate) fn target_folder(root: &Path) -> Result<PathBuf> {
    Ok(metadata(root)?.target_directory)
}

fn metadata(root: &Path) -> Result<Metadata> {
    let answer = cargo(root, &["metadata", "--format-version=1", "--filter-platform", PLATFORM])?;
    serde_json::from_str(&answer).context("read the answer of cargo metadata")
}

/// From `cargo tree`, because `cargo metadata` also shows optional packages that no feature switched on.
fn linked_by(root: &Path, ours: &str) -> Result<BTreeSet<String>> {
    let form = ["--edges=normal", "--prefix=none", "--format={p}", "--target", PLATFORM];
    let tree = cargo(root, &[&["tree", "--package", ours], form.as_slice()].concat())?;
    let names = tree.lines().filter_map(|line| line.split_whitespace().next());
    Ok(names.filter(|name| *name != ours).map(str::to_owned).collect())
}

fn cargo(root: &Path, args: &[&str]) -> Result<String> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let output = Command::new(cargo).args(args).current_dir(root).output().context("cargo did not start")?;
    let why = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "cargo {}: {}", args.join(" "), why.trim());
    String::from_utf8(output.stdout).context("cargo did not answer in UTF-8")
}

#[cfg(test)]
impl Packages {
    /// Packages for a test: those of others with their licence, ours with the names they link.
    pub(crate) fn of(others: &[(&str, Option<&str>)], ours: &[(&str, &[&str])]) -> Packages {
        let package = |&(name, license): &(&str, Option<&str>)| Package {
            id: name.to_owned(),
            name: name.to_owned(),
            license: license.map(str::to_owned),
        };
        let links = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Packages {
            all: others.iter().map(package).collect(),
            linked: ours.iter().map(|(name, linked)| ((*name).to_owned(), links(linked))).collect(),
        }
    }
}

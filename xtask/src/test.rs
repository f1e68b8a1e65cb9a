//! Every test there is, in one run with one closing line.

use crate::steps::{Count, Steps};
use crate::{needs, packages, python, tidy, ui};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// How much of it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Installs what is missing and runs all.
    Everything,
    /// What a fresh clone can run without npm, a browser, PostgreSQL or Python.
    Quick,
}

/// `false` when anything failed.
pub(crate) fn run(root: &Path, reach: Reach) -> Result<bool> {
    let mut steps = Steps::default();
    let everything = reach == Reach::Everything;
    if everything {
        steps.check("install what the tests need", needs::install);
        if ui::is_here(root) {
            steps.check("cargo xtask ui", || ui::build(root).map(|()| true));
        } else {
            steps.leave_out("the browser side: ui/package.json is not there");
        }
    }
    steps.command("cargo fmt --check", Count::AsOne, cargo(root).args(["fmt", "--all", "--check"]));
    let clippy = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    steps.command("cargo clippy", Count::AsOne, cargo(root).args(clippy));
    steps.check("tidy", || tidy::run(root));
    let mut tests = cargo(root);
    tests.args(["test", "--workspace", "--no-fail-fast"]);
    if everything {
        // Where PostgreSQL is missing, the store's tests then fail instead of leaving it out.
        tests.env("CHAIRSIDE_REQUIRE_POSTGRES", "1");
    }
    if everything && needs::is_root()? {
        // Root may mount a disk to fill; a test that finds that it cannot then fails as well.
        tests.env("CHAIRSIDE_REQUIRE_ROOT", "1");
    }
    steps.command("cargo test --workspace", Count::ItsTests, &mut tests);
    if everything {
        browser(root, &mut steps)?;
        python::test(root, &mut steps)?;
    } else {
        steps.leave_out("npm, the browser, PostgreSQL and Python (cargo xtask test runs them)");
    }
    Ok(steps.close())
}

fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(root);
    cargo
}

/// The tests of `ui/`, then those that drive the real binary with the real browser.
fn browser(root: &Path, steps: &mut Steps) -> Result<()> {
    if !ui::is_here(root) {
        return Ok(());
    }
    let chromium = needs::find(&["chromium", "google-chrome"]).unwrap_or_else(|| PathBuf::from("chromium"));
    let mut npm = Command::new("npm");
    npm.arg("test").current_dir(root.join("ui")).env("CHAIRSIDE_CHROMIUM", &chromium);
    steps.command("npm test in ui", Count::ItsTests, &mut npm);

    let folder = root.join("crates/server/tests/browser");
    let files = node_tests(&folder)?;
    if files.is_empty() {
        steps.leave_out("browser tests of the server: none in crates/server/tests/browser");
        return Ok(());
    }
    // The tests of the workspace have just built it, with the pages in it.
    let program = packages::target_folder(root)?.join("debug/chairside");
    let mut node = Command::new("node");
    // A test that fails may leave a browser or a socket open; the run ends all the same.
    node.args(["--test", "--test-force-exit", "--test-timeout=600000", "--test-reporter=spec"])
        .args(&files)
        .current_dir(root);
    node.env("CHAIRSIDE_CHROMIUM", &chromium).env("CHAIRSIDE_BIN", program);
    // Node looks for packages beside the importing file; these tests borrow those of ui/.
    node.env("NODE_PATH", root.join("ui/node_modules"));
    steps.command("browser tests of the server", Count::ItsTests, &mut node);
    Ok(())
}

/// `*.test.mjs` files by name: Node 20 takes folders here, newer ones take patterns, all take files.
fn node_tests(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let entries = std::fs::read_dir(folder).with_context(|| format!("list {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".test.mjs"));
    files.sort();
    Ok(files)
}

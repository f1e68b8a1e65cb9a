//! Measures the release build from outside; the figures are for docs/performance.md.

use crate::needs::find;
use crate::packages;
use crate::ui;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds with optimisation, browser side included, and hands over to the script that measures; `history` is
/// measured in the program itself.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<bool> {
    if let Some((first, rest)) = args.split_first()
        && first == "history"
    {
        let mut bench = Command::new("cargo");
        bench.args(["bench", "--package", "server", "--bench", "history", "--"]).args(rest);
        return Ok(bench.current_dir(root).status().context("start cargo")?.success());
    }
    ui::build(root)?;
    let built = Command::new("cargo")
        .args(["build", "--release", "--package", "server", "--bin", "chairside"])
        .current_dir(root)
        .status()
        .context("start cargo")?;
    ensure!(built.success(), "the server does not build");
    let chromium = find(&["chromium", "google-chrome"]).unwrap_or_else(|| PathBuf::from("chromium"));
    let status = Command::new("node")
        .arg("crates/server/benches/room.mjs")
        .args(args)
        .current_dir(root)
        .env("CHAIRSIDE_BIN", packages::target_folder(root)?.join("release/chairside"))
        .env("CHAIRSIDE_CHROMIUM", chromium)
        .status()
        .context("start node")?;
    Ok(status.success())
}

//! Builds what a newcomer needs and hands over to `chairside demo`.

use crate::packages;
use crate::ui;
use anyhow::{Context, Result, ensure};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Does not come back when the clinic started: the program takes this one's place, so that Ctrl-C and the exit
/// code are its own.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<bool> {
    match ui::missing(root) {
        Some(why) => eprintln!(
            "Without the browser side: {why}. The pages work plain, with no live chart and no sound."
        ),
        None => ui::build(root)?,
    }
    let program = build_server(root)?;
    let error = Command::new(&program).arg("demo").args(args).exec();
    Err(error).with_context(|| format!("start {}", program.display()))
}

/// Builds the binary and says where it is.
fn build_server(root: &Path) -> Result<PathBuf> {
    let status = Command::new("cargo")
        .args(["build", "--package", "server", "--bin", "chairside"])
        .current_dir(root)
        .status()
        .context("start cargo")?;
    ensure!(status.success(), "the server does not build");
    Ok(packages::target_folder(root)?.join("debug/chairside"))
}

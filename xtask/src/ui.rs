//! The browser side: npm packages by lock file, then `npm run build` into `ui/dist`.

use crate::needs::find;
use anyhow::{Context, Result, bail, ensure};
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// Why the browser side cannot be built here, if it cannot. The server runs without it and says so on each page.
pub(crate) fn missing(root: &Path) -> Option<&'static str> {
    if !is_here(root) {
        Some("ui/package.json is not there")
    } else if find(&["npm"]).is_none() {
        Some("npm is not installed (Node 20 or newer brings it)")
    } else {
        None
    }
}

/// Whether this tree has a browser side.
pub(crate) fn is_here(root: &Path) -> bool {
    root.join("ui/package.json").is_file()
}

/// Builds `ui/dist`.
pub(crate) fn build(root: &Path) -> Result<()> {
    if let Some(why) = missing(root) {
        bail!("the browser side cannot be built: {why}");
    }
    install(root)?;
    npm(root, &["run", "build"])
}

/// `npm ci`, unless the installed packages are already those of the lock file.
fn install(root: &Path) -> Result<()> {
    let changed =
        |file: &str| -> Option<SystemTime> { root.join("ui").join(file).metadata().ok()?.modified().ok() };
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed > changed("package-lock.json") {
        return Ok(());
    }
    npm(root, &["ci", "--no-fund", "--no-audit"])
}

fn npm(root: &Path, args: &[&str]) -> Result<()> {
    let status = Command::new("npm").args(args).current_dir(root.join("ui")).status().context("start npm")?;
    ensure!(status.success(), "npm {} in ui failed", args.join(" "));
    Ok(())
}

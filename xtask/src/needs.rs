//! The Debian packages that the whole of the tests needs, and how they get here.

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that must be there, and the package that brings it.
struct Need {
    programs: &'static [&'static str],
    package: &'static str,
    reason: &'static str,
}

const NEEDS: &[Need] = &[
    Need {
        programs: &["cc"],
        package: "build-essential",
        reason: "builds SQLite and the power-loss recorder",
    },
    Need { programs: &["chromium", "google-chrome"], package: "chromium", reason: "browser tests" },
    Need { programs: &["postgres"], package: "postgresql", reason: "the log's second engine" },
    Need { programs: &["fiu-run"], package: "fiu-utils", reason: "failing writes and fsyncs" },
    Need { programs: &["pdftotext"], package: "poppler-utils", reason: "reads the printed record back" },
];

/// Installs what is missing, as root or with sudo.
pub(crate) fn install() -> Result<bool> {
    let missing: Vec<&Need> = NEEDS.iter().filter(|need| find(need.programs).is_none()).collect();
    if missing.is_empty() {
        println!("all there");
        return Ok(true);
    }
    let packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    for need in &missing {
        println!("{} is missing ({})", need.package, need.reason);
    }
    apt_get(&["update", "-qq"], &packages)?;
    apt_get(
        &[&["install", "-y", "-qq", "--no-install-recommends"], packages.as_slice()].concat(),
        &packages,
    )?;
    let still: Vec<&str> =
        missing.iter().filter(|need| find(need.programs).is_none()).map(|need| need.package).collect();
    ensure!(still.is_empty(), "apt-get ended well, but these are still not found: {}", still.join(" "));
    Ok(true)
}

/// The first of these programs that is installed.
pub(crate) fn find(programs: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain(postgresql_folders()).collect();
    programs.iter().flat_map(|name| folders.iter().map(move |dir| dir.join(name))).find(|file| file.is_file())
}

/// Debian keeps PostgreSQL's server programs off the path, a folder a version.
fn postgresql_folders() -> Vec<PathBuf> {
    let versions = std::fs::read_dir(Path::new("/usr/lib/postgresql"));
    versions.into_iter().flatten().flatten().map(|version| version.path().join("bin")).collect()
}

fn apt_get(args: &[&str], packages: &[&str]) -> Result<()> {
    let by_hand = format!("install them by hand: sudo apt-get install {}", packages.join(" "));
    ensure!(find(&["apt-get"]).is_some(), "no apt-get on this machine; {by_hand}");
    let mut command = if is_root()? {
        Command::new("apt-get")
    } else if find(&["sudo"]).is_some() {
        let mut sudo = Command::new("sudo");
        // Never wait for a password in a run that nobody watches.
        sudo.args(["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        sudo
    } else {
        bail!("neither root nor sudo; {by_hand}");
    };
    let status =
        command.env("DEBIAN_FRONTEND", "noninteractive").args(args).status().context("start apt-get")?;
    ensure!(status.success(), "apt-get {} failed; {by_hand}", args.join(" "));
    Ok(())
}

/// Whether root runs this.
pub fn is_root() -> Result<bool> {
    let id = Command::new("id").arg("-u").output().context("ask id who runs this")?;
    Ok(String::from_utf8_lossy(&id.stdout).trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_by_any_of_its_names() {
        assert!(find(&["no-such-program-here", "sh"]).is_some());
        assert_eq!(find(&["no-such-program-here"]), None);
    }
}

//! The Python package: built, installed into an environment of its own below the target folder, and tested there.

use crate::packages::target_folder;
use crate::steps::{Count, Steps};
use anyhow::{Context, Result, ensure};
use std::path::Path;
use std::process::{Command, Stdio};

const PACKAGE: &str = "crates/python";

/// Alone; `false` when a test failed.
pub(crate) fn run(root: &Path) -> Result<bool> {
    let mut steps = Steps::default();
    test(root, &mut steps)?;
    Ok(steps.close())
}

/// Leaves it out, and says so, where no environment can be made.
pub(crate) fn test(root: &Path, steps: &mut Steps) -> Result<()> {
    if !can_make_environments() {
        steps.leave_out("the Python package: no python3 with venv (apt-get install python3-venv)");
        return Ok(());
    }
    let environment = target_folder(root)?.join("python");
    steps.check("install the Python package", || install(root, &environment));
    let mut pytest = Command::new(environment.join("bin/python"));
    pytest.args(["-m", "pytest", "--quiet", "--color=no", PACKAGE]).current_dir(root);
    steps.command("pytest in crates/python", Count::ItsTests, &mut pytest);
    Ok(())
}

/// Debian ships python3 without what an environment needs.
fn can_make_environments() -> bool {
    let mut asked = Command::new("python3");
    asked.args(["-c", "import ensurepip, venv"]).stdout(Stdio::null()).stderr(Stdio::null());
    asked.status().is_ok_and(|status| status.success())
}

fn install(root: &Path, environment: &Path) -> Result<bool> {
    let mut make = Command::new("python3");
    make.args(["-m", "venv"]).arg(environment);
    let mut install = Command::new(environment.join("bin/pip"));
    install.args(["install", "--quiet", "--disable-pip-version-check"]).arg(format!("./{PACKAGE}[test]"));
    // What the Rust tests built is built already.
    install.env("MATURIN_PEP517_ARGS", "--profile=dev").current_dir(root);
    for command in [&mut make, &mut install] {
        let status =
            command.status().with_context(|| format!("start {}", command.get_program().display()))?;
        ensure!(status.success(), "{} failed", command.get_program().display());
    }
    Ok(true)
}

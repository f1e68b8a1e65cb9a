//! A small file system of its own, to fill up.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Is taken away again at the end.
pub struct SmallDisk(pub PathBuf);

impl SmallDisk {
    /// In a folder of its own, whose name no other test uses. `None`, and the run says so, where nobody may mount one.
    ///
    /// # Panics
    /// Where `CHAIRSIDE_REQUIRE_ROOT` asks that nothing is left out.
    pub fn mount(name: &str, bytes: u64) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("chairside-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let size = format!("size={bytes}");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&folder).stderr(Stdio::null());
        let disk = Self(folder);
        if mount.status().is_ok_and(|status| status.success()) {
            return Some(disk);
        }
        let why = "the full disk needs root, to mount a tmpfs";
        assert!(std::env::var_os("CHAIRSIDE_REQUIRE_ROOT").is_none(), "left out: {why}");
        // Not by `println`, which a test that passes keeps to itself.
        let _told = writeln!(std::io::stderr(), "skipped: {why}");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _left = Command::new("umount").arg("-l").arg(&self.0).stderr(Stdio::null()).status();
        let _left = std::fs::remove_dir(&self.0);
    }
}

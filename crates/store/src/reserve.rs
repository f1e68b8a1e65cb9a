//! A file that only takes room, freed when the disk is full so that what is under way can be closed.

use crate::fault::Fault;
use crate::model::Space;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

const BLOCK: usize = 64 << 10;

pub(crate) struct Reserve {
    file: PathBuf,
    bytes: u64,
}

impl Reserve {
    /// `None` when there is to be none.
    pub(crate) fn beside(database: Option<&Path>, bytes: u64) -> Option<Self> {
        let database = database?;
        (bytes > 0).then(|| Self { file: database.with_extension("reserve"), bytes })
    }

    /// Takes the room. A disk too full for it is an error and leaves no file.
    pub(crate) fn take(&self) -> Result<(), Fault> {
        if std::fs::metadata(&self.file).is_ok_and(|file| file.len() == self.bytes) {
            return Ok(());
        }
        let outcome = self.fill().map_err(|e| Fault::file(&self.file, &e));
        if outcome.is_err() {
            self.free()?;
        }
        outcome
    }

    fn fill(&self) -> std::io::Result<()> {
        // Bytes without a pattern: a compressing file system would give zeros no room at all.
        let mut block = vec![0_u8; BLOCK];
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut file = File::create(&self.file)?;
        let mut left = self.bytes;
        while left > 0 {
            for chunk in block.chunks_exact_mut(8) {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                chunk.copy_from_slice(&state.to_le_bytes());
            }
            let part = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
            file.write_all(block.get(..part).unwrap_or(&block))?;
            left -= part as u64;
        }
        file.sync_all()
    }

    /// Gives the room back. Whether there was any does not matter.
    pub(crate) fn free(&self) -> Result<(), Fault> {
        match std::fs::remove_file(&self.file) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Fault::file(&self.file, &e)),
            _ => Ok(()),
        }
    }

    /// Takes the room again once there is twice as much, so that recording does not flicker at the edge.
    pub(crate) fn take_again(&self) -> bool {
        space(&self.file).is_ok_and(|space| space.free_bytes >= self.bytes * 2) && self.take().is_ok()
    }
}

/// Room on the file system that holds a file.
pub(crate) fn space(file: &Path) -> Result<Space, Fault> {
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let stat = rustix::fs::statvfs(folder).map_err(|e| Fault::file(folder, &e.into()))?;
    Ok(Space {
        free_bytes: stat.f_bavail.saturating_mul(stat.f_frsize),
        total_bytes: stat.f_blocks.saturating_mul(stat.f_frsize),
    })
}

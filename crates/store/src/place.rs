//! Where the log lies. What is written to a file that was taken away, or that another file has replaced, is gone with
//! the program, and no write says so.

use crate::fault::Fault;
use crate::sql::Db;
use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Most copies beside one log.
const COPIES_MOST: u32 = 9;

/// The files that this program has open, each by the number that its disk gave it.
#[derive(Default)]
pub(crate) struct Place(Vec<(PathBuf, (u64, u64))>);

impl Place {
    /// Of a log that was opened just now. A log on a server of its own has no file here.
    pub(crate) fn of(file: Option<&Path>) -> Result<Self, Fault> {
        let Some(file) = file else { return Ok(Self::default()) };
        let all = [file.to_owned(), beside(file, "-wal")].into_iter();
        all.map(|one| number(&one).map(|number| (one, number))).collect::<Result<_, _>>().map(Self)
    }

    /// The file that is not there any more, or is another one.
    pub(crate) fn gone(&self) -> Option<&Path> {
        let gone = self.0.iter().find(|(file, was)| number(file).ok() != Some(*was));
        gone.map(|(file, _)| file.as_path())
    }
}

fn number(file: &Path) -> Result<(u64, u64), Fault> {
    let found = std::fs::metadata(file).map_err(|e| Fault::file(file, &e))?;
    Ok((found.dev(), found.ino()))
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Writes what the open connection still holds beside the place of the log, for its owner alone, under a name that no
/// file has yet.
pub(crate) fn rescue(db: &mut Db, file: &Path) -> Result<PathBuf, Fault> {
    for number in 1..=COPIES_MOST {
        let copy = beside(file, &format!(".rescued-{number}"));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&copy) {
            Err(taken) if taken.kind() == ErrorKind::AlreadyExists => {}
            Err(other) => return Err(Fault::file(&copy, &other)),
            Ok(_) => {
                let copied = db.copy_into(&copy);
                if copied.is_err() {
                    // No half copy stands there by the name of a whole one.
                    let _not_even_that = std::fs::remove_file(&copy);
                }
                return copied.map(|()| copy);
            }
        }
    }
    Err(Fault::File {
        path: file.display().to_string(),
        why: format!("{COPIES_MOST} copies stand beside it"),
    })
}

/// What a person does with the copy where the log is lost. The write-ahead log belongs to the lost file: beside another
/// one it breaks it.
pub(crate) fn way_back(file: &Path, copy: &Path) -> String {
    let [log, wal, shm] = ["", "-wal", "-shm"].map(|ending| beside(file, ending).display().to_string());
    format!(
        "If it is lost: all that was recorded until now stands in {}. Stop the program, take away {log}, {wal} and {shm}, \
         give that file the name {log}, and start again.",
        copy.display()
    )
}

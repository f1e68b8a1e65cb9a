//! `chairside knowledge`: what clinicians know, listed, shown and checked.

use super::{Exit, say, with_shipped};
use clinic::knowledge::{File, ItemSummary, Knowledge, KnowledgeError};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Deepest folder that a check walks into; knowledge lies one folder deep.
const DEEPEST: u32 = 4;

/// What to do.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// List every item: kind, id, version, evidence, title
    List,
    /// Print one item as it stands in its file
    Show {
        /// Id, see `list`
        id: String,
    },
    /// Check a folder of knowledge, or what is shipped
    Check {
        /// A folder laid out like `knowledge/`
        dir: Option<PathBuf>,
    },
}

/// Does it. Exit 2 for an id that is not there or a folder that cannot be read, 1 for knowledge that does not hold.
pub fn run(verb: &Verb) -> Exit {
    match verb {
        Verb::List => with_shipped(|knowledge| {
            print!("{}", list(&knowledge.items()));
            Exit::Done
        }),
        Verb::Show { id } => with_shipped(|knowledge| match knowledge.show(&id.to_lowercase()) {
            Some(text) => {
                print!("{text}");
                Exit::Done
            }
            None => say(
                Exit::Unreadable,
                format!("ID: there is no item `{id}`; `chairside knowledge list` shows all"),
            ),
        }),
        Verb::Check { dir: None } => tell(Knowledge::shipped()),
        Verb::Check { dir: Some(dir) } => match files(dir) {
            Ok(files) => tell(Knowledge::read(&files)),
            Err(cause) => say(Exit::Unreadable, format!("DIR: cannot read {}: {cause}", dir.display())),
        },
    }
}

fn tell(checked: Result<Knowledge, KnowledgeError>) -> Exit {
    match checked {
        Ok(knowledge) => {
            let items = knowledge.items();
            let unsigned = items.iter().filter(|item| item.header.is_unsigned_default()).count();
            let parts: usize = items.iter().map(|item| item.header.defaults.len()).sum();
            println!(
                "{} items hold, {unsigned} of them clinic defaults that nobody has signed, and {parts} parts of others",
                items.len()
            );
            Exit::Done
        }
        Err(error) => say(Exit::Failed, error),
    }
}

fn list(items: &[ItemSummary]) -> String {
    let mut out = String::new();
    for ItemSummary { kind, header, .. } in items {
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{kind:<16} {:<24} v{:<3} {:<9} {}{}",
            header.id,
            header.version,
            header.evidence.word(),
            header.title,
            if header.unsigned().is_empty() { String::new() } else { format!(" ({})", header.unsigned()) }
        );
    }
    out
}

/// Every file of a folder, by path below it.
///
/// # Errors
/// When a file or a folder in it cannot be read, or it is too deep.
pub fn files(dir: &Path) -> std::io::Result<Vec<File>> {
    let mut found = Vec::new();
    walk(dir, "", 0, &mut found)?;
    Ok(found)
}

fn walk(dir: &Path, below: &str, depth: u32, found: &mut Vec<File>) -> std::io::Result<()> {
    if depth > DEEPEST {
        return Err(std::io::Error::other(format!("{} lies too deep", dir.display())));
    }
    let mut entries = std::fs::read_dir(dir)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{below}{name}");
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), depth + 1, found)?;
        } else {
            // What is not text is kept empty, and refused as an item without content.
            let text = String::from_utf8(std::fs::read(entry.path())?).unwrap_or_default();
            found.push(File { path, text });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge")
    }

    #[test]
    fn the_shipped_folder_checks_from_disk_too() {
        assert_eq!(run(&Verb::Check { dir: Some(tree()) }), Exit::Done);
        assert_eq!(run(&Verb::Check { dir: None }), Exit::Done);
    }

    #[test]
    fn a_broken_folder_fails_and_a_missing_one_cannot_be_read() {
        let broken = files(&tree()).map(|mut files| {
            files.retain(|file| file.path != "caps/cap_psych_rate.toml");
            Knowledge::read(&files)
        });
        let error = broken.expect("it can be read").expect_err("the pump library names the cap");
        assert!(error.to_string().contains("there is no cap `cap_psych_rate`"), "{error}");
        assert_eq!(run(&Verb::Check { dir: Some(PathBuf::from("no/such/folder")) }), Exit::Unreadable);
    }

    #[test]
    fn items_are_listed_and_shown_by_id() {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let listed = list(&knowledge.items());
        assert!(listed.contains("regimens         mdd_trd_std              v2   sourced"), "{listed}");
        assert!(listed.contains("Total dose, psychiatric (clinic default, not signed)"), "{listed}");
        assert_eq!(run(&Verb::Show { id: "mdd_trd_std".to_owned() }), Exit::Done);
        assert_eq!(run(&Verb::Show { id: "mdd".to_owned() }), Exit::Unreadable);
    }
}

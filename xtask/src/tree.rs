//! What git would commit, read once, so that every rule looks at the same tree.

use crate::packages::Packages;
use crate::rust::Tokens;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Larger files are measured, not read.
pub(crate) const FILE_BYTES_MAX: u64 = 1024 * 1024;

/// One file that is tracked, or would be with `git add`.
pub(crate) struct File {
    /// From the top of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) bytes: u64,
    /// `None` for a picture or another file that is no UTF-8 text, or one that is too large.
    pub(crate) text: Option<String>,
    /// `None` when the file is not Rust, or does not lex.
    pub(crate) rust: Option<Tokens>,
}

/// All files and all packages.
pub(crate) struct Tree {
    pub(crate) root: PathBuf,
    pub(crate) files: Vec<File>,
    pub(crate) packages: Packages,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Result<Tree> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"])
            .current_dir(root)
            .output()
            .context("tidy lists the files with git, which did not start")?;
        let why = String::from_utf8_lossy(&listed.stderr);
        ensure!(listed.status.success(), "git ls-files in {}: {}", root.display(), why.trim());
        let names = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
        let files = names
            .split_terminator('\0')
            // Deleted but not yet committed: listed, and not there.
            .filter(|path| root.join(path).is_file())
            .map(|path| File::read(root, path))
            .collect::<Result<Vec<_>>>()?;
        Ok(Tree { root: root.to_owned(), files, packages: Packages::read(root)? })
    }

    /// Text files under `folder` whose name ends so.
    pub(crate) fn texts<'a>(
        &'a self,
        folder: &'a str,
        ends: &'a [&'a str],
    ) -> impl Iterator<Item = (&'a File, &'a str)> {
        self.files
            .iter()
            .filter(move |file| {
                file.path.starts_with(folder) && ends.iter().any(|end| file.path.ends_with(end))
            })
            .filter_map(|file| file.text.as_deref().map(|text| (file, text)))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.files.iter().find(|file| file.path == path)?.text.as_deref()
    }

    /// Whether a file or a folder of this name is there.
    pub(crate) fn has(&self, path: &str) -> bool {
        let path = path.trim_end_matches('/');
        self.files.iter().any(|file| {
            file.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

impl File {
    fn read(root: &Path, path: &str) -> Result<File> {
        let full = root.join(path);
        let bytes = full.metadata().with_context(|| format!("look at {path}"))?.len();
        let mut text = None;
        if bytes <= FILE_BYTES_MAX {
            text = String::from_utf8(std::fs::read(&full).with_context(|| format!("read {path}"))?).ok();
        }
        Ok(File::new(path, bytes, text))
    }

    fn new(path: &str, bytes: u64, text: Option<String>) -> File {
        // `mod tests;` puts unit tests in a file of their own.
        let in_tests = path.ends_with("/tests.rs") || path.contains("/tests/");
        let code = text.as_deref().filter(|_| path.ends_with(".rs"));
        let rust = code.and_then(|text| Tokens::read(text, in_tests));
        File { path: path.to_owned(), bytes, text, rust }
    }
}

#[cfg(test)]
impl Tree {
    /// A tree for a test, from names and contents.
    pub(crate) fn of(files: &[(&str, &str)]) -> Tree {
        let file = |&(path, text): &(&str, &str)| File::new(path, text.len() as u64, Some(text.to_owned()));
        Tree {
            root: PathBuf::from("/somewhere/chairside"),
            files: files.iter().map(file).collect(),
            packages: Packages::default(),
        }
    }
}

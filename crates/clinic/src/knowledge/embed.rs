//! The shipped `knowledge/` folder, embedded whole at build.

use super::File;
use include_dir::{Dir, include_dir};

static SHIPPED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../knowledge");

/// Every shipped file, by path below `knowledge/`.
pub fn shipped() -> Vec<File> {
    let mut files = Vec::new();
    collect(&SHIPPED, &mut files);
    files
}

fn collect(dir: &Dir<'static>, files: &mut Vec<File>) {
    for file in dir.files() {
        let path = file.path().to_string_lossy().into_owned();
        // A file that is not text keeps an empty body, so that reading it fails instead of passing unseen.
        files.push(File { path, text: file.contents_utf8().unwrap_or_default().to_owned() });
    }
    for inner in dir.dirs() {
        collect(inner, files);
    }
}

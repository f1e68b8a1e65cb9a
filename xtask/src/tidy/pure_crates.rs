//! The core has no files, no sockets, no processes, no environment and nothing that waits.

use super::Findings;
use crate::rust::Word;
use crate::tree::Tree;
use anyhow::Result;

const PURE: &[&str] = &["crates/pkpd/src/", "crates/clinic/src/", "crates/interop/src/"];
/// A program beside the library may do IO.
const PROGRAMS: &[&str] = &["/src/bin/", "/src/main.rs"];
const WAITS: &[&str] = &["async", "await"];
const OUTSIDE: &[&str] = &["fs", "net", "process", "env"];

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::new();
    for file in tree.files.iter().filter(|file| PURE.iter().any(|place| file.path.starts_with(place))) {
        if PROGRAMS.iter().any(|program| file.path.contains(program)) {
            continue;
        }
        let words: Vec<&Word> =
            file.rust.iter().flat_map(|rust| &rust.words).filter(|word| !word.in_tests).collect();
        for (at, word) in words.iter().enumerate() {
            if let Some(found) = impure(word, words.get(at..).unwrap_or_default()) {
                findings.push(format!("{}:{}: {found} has no place in a pure crate", file.path, word.line));
            }
        }
    }
    Ok(findings)
}

/// Whether `words` begins with something that reaches outside. The macro `env!` reads at build time and is no
/// path of `std`.
fn impure(word: &Word, words: &[&Word]) -> Option<String> {
    if WAITS.contains(&word.text.as_str()) {
        return Some(format!("`{}`", word.text));
    }
    let texts: Vec<&str> =
        words.iter().map(|word| word.text.as_str()).take_while(|text| *text != ";").collect();
    let parts = match texts.as_slice() {
        ["std", ":", ":", "{", list @ ..] => {
            list.split(|text| *text == ",").filter_map(|part| part.first()).collect()
        }
        ["std", ":", ":", part, ..] => vec![part],
        _ => Vec::new(),
    };
    parts.into_iter().find(|part| OUTSIDE.contains(part)).map(|part| format!("`std::{part}`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(code: &str) -> usize {
        check(&Tree::of(&[("crates/clinic/src/lib.rs", code)])).expect("runs").len()
    }

    #[test]
    fn ways_out_of_a_pure_crate_are_found() {
        assert_eq!(findings("use std::fs;"), 1);
        assert_eq!(findings("use std::{fmt, fs::File};"), 1);
        assert_eq!(findings("fn a() { std::net::TcpStream::connect(x) }"), 1);
        assert_eq!(findings("async fn a() {}"), 1);
    }

    #[test]
    fn what_stays_inside_and_tests_and_programs_pass() {
        assert_eq!(
            findings("use std::fmt; fn a(fs: u8, env: u8) { std::cmp::max(fs, env); env!(\"X\") }"),
            0
        );
        assert_eq!(findings("#[cfg(test)]\nmod tests { use std::fs; }"), 0);
        let beside =
            ["crates/pkpd/src/bin/bench.rs", "crates/clinic/src/dose/tests.rs", "crates/store/src/lib.rs"];
        let beside = Tree::of(&beside.map(|path| (path, "use std::fs;")));
        assert_eq!(check(&beside).expect("runs"), Findings::new());
    }
}

//! One SQL text for two engines: only what SQLite and PostgreSQL read alike.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;

const PLACE: &str = "crates/store/";
/// Types that one engine stores as something else, or not at all.
const TYPES: &[&str] = &[
    "BOOLEAN",
    "DATE",
    "DATETIME",
    "JSON",
    "JSONB",
    "NUMERIC",
    "REAL",
    "SERIAL",
    "TIMESTAMP",
    "TIMESTAMPTZ",
    "UUID",
];
/// What only one engine knows, or what reads the engine's clock.
const WORDS: &[&str] = &[
    "AUTOINCREMENT",
    "CURRENT_TIMESTAMP",
    "GLOB",
    "ILIKE",
    "INSERT OR",
    "NOW()",
    "ROWID",
    "STRFTIME",
    "SIMILAR TO",
];
const STATEMENTS: &[&str] =
    &["SELECT ", "INSERT INTO ", "INSERT OR ", "UPDATE ", "DELETE FROM ", "CREATE TABLE "];

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::new();
    for file in tree.files.iter().filter(|file| file.path.starts_with(PLACE)) {
        let strings =
            file.rust.iter().flat_map(|rust| &rust.strings).map(|(text, line)| (text.as_str(), *line));
        let script = file.text.as_deref().filter(|_| file.path.ends_with(".sql")).map(|text| (text, 1));
        for (text, line) in strings.chain(script).filter(|(text, _)| is_sql(text)) {
            findings.extend(faults(text).map(|fault| format!("{}:{line}: {fault}", file.path)));
        }
    }
    Ok(findings)
}

fn is_sql(text: &str) -> bool {
    let text = text.trim_start_matches(|c: char| "r#\"".contains(c) || c.is_whitespace());
    STATEMENTS.iter().any(|statement| text.starts_with(statement)) || text.contains("CREATE TABLE ")
}

fn faults(text: &str) -> impl Iterator<Item = String> {
    let bare = without_comments_and_quotes(text).to_uppercase();
    let is_table = bare.contains("CREATE TABLE");
    let words: Vec<&str> = bare.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut found: Vec<String> = Vec::new();
    for kind in TYPES.iter().filter(|kind| is_table && words.contains(kind)) {
        found.push(format!(
            "the type {kind} differs between the engines: TEXT, BIGINT, DOUBLE PRECISION or bytes"
        ));
    }
    for word in WORDS.iter().filter(|word| bare.contains(**word)) {
        found.push(format!("{word} is not in the SQL that both engines read"));
    }
    if bare.contains('?') {
        found.push("write $1, $2, … and not ? for a value".to_owned());
    }
    found.into_iter()
}

/// Comments to the end of their line and text in single quotes may say anything.
fn without_comments_and_quotes(text: &str) -> String {
    let lines = text.lines().map(|line| line.split("--").next().unwrap_or_default());
    lines.map(|line| line.split('\'').step_by(2).collect::<String>()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(sql: &str) -> usize {
        let code = format!("const A: &str = \"{sql}\";");
        check(&Tree::of(&[("crates/store/src/a.rs", &code)])).expect("runs").len()
    }

    #[test]
    fn engine_dialect_is_found() {
        assert_eq!(findings("CREATE TABLE a (b BOOLEAN, c TIMESTAMP)"), 2);
        assert_eq!(findings("SELECT a FROM b WHERE c = ?"), 1);
        assert_eq!(findings("INSERT OR REPLACE INTO a VALUES ($1)"), 1);
        assert_eq!(findings("UPDATE a SET b = now()"), 1);
        let script = Tree::of(&[("crates/store/migrations/0001.sql", "-- first\nCREATE TABLE a (b JSONB);")]);
        assert_eq!(check(&script).expect("runs").len(), 1);
    }

    #[test]
    fn plain_sql_and_other_text_pass() {
        assert_eq!(findings("CREATE TABLE a (site TEXT, at_us BIGINT) -- a DATE? no"), 0);
        assert_eq!(findings("INSERT INTO a VALUES ($1, 'why?') ON CONFLICT DO NOTHING RETURNING b"), 0);
        assert_eq!(findings("Is the disk full?"), 0);
    }
}

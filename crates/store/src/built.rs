//! Whether the database is built as this program builds it. The chain shows what was changed in the record; the guards
//! that keep it append-only, the unique indexes that let nothing be recorded twice and the walls between sites are parts
//! of the database, and whoever takes one away leaves every event as it was.

use crate::fault::Fault;
use crate::model::Control;
use crate::schema;
use crate::sql::{Db, Use};
use std::collections::BTreeMap;

/// Tables, indexes and triggers by their text. What SQLite makes by itself is told by its prefix.
const SQLITE: &str =
    "SELECT type || ' ' || name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

/// The same of PostgreSQL's catalogues, with the policies and whether they are forced.
const POSTGRES: &str = include_str!("../migrations/built.postgres.sql");
/// What [`POSTGRES`] finds in a database of this program: a database that only reads cannot make one to compare with.
const POSTGRES_BUILT: &str = include_str!("../migrations/built.postgres.txt");

/// What the database is made of, each part by kind and name with its definition.
type Parts = BTreeMap<String, String>;

/// Findings for a person; none when it is built as it should be.
pub(crate) fn findings(db: &mut Db) -> Result<Vec<String>, Fault> {
    let expected = if db.is_postgres() { postgres_expected() } else { sqlite_expected()? };
    let mut found = parts(db)?;
    let mut findings = Vec::new();
    for (name, definition) in expected {
        match found.remove(&name) {
            Some(there) if there == definition => {}
            Some(_) => findings.push(format!("the database's {name} is not as this program makes it")),
            None => findings.push(format!("the database has lost its {name}")),
        }
    }
    findings.extend(
        found
            .into_keys()
            .map(|name| format!("the database has the {name}, which this program does not make")),
    );
    Ok(findings)
}

fn parts(db: &mut Db) -> Result<Parts, Fault> {
    let rows = db.rows(if db.is_postgres() { POSTGRES } else { SQLITE }, &[])?;
    rows.into_iter().map(|mut row| Ok((row.text()?, row.text()?))).collect()
}

fn sqlite_expected() -> Result<Parts, Fault> {
    let mut new = Db::open(":memory:", Use::Write, Control::None)?;
    schema::migrate(&mut new, schema::ALL)?;
    parts(&mut new)
}

fn postgres_expected() -> Parts {
    let lines = POSTGRES_BUILT.lines().filter_map(|line| line.split_once(" = "));
    lines.map(|(name, definition)| (name.to_owned(), definition.to_owned())).collect()
}

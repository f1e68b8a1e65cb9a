//! Versions of the tables. A migration is one transaction, so one that is killed half-way has not happened.

use crate::fault::Fault;
use crate::sql::{Bind, Db};

/// Both engines run `tables`, in which the type `BYTES` is the only word that differs between them; then the walls
/// that each engine has in a language of its own.
pub(crate) struct Migration {
    tables: &'static str,
    sqlite: &'static str,
    postgres: &'static str,
}

/// In order; the place is the version. Never change one that was released: add the next.
pub(crate) const ALL: &[Migration] = &[Migration {
    tables: include_str!("../migrations/0001.sql"),
    sqlite: include_str!("../migrations/0001.sqlite.sql"),
    postgres: include_str!("../migrations/0001.postgres.sql"),
}];

/// Brings the tables to the newest version, or refuses a database of a newer program.
pub(crate) fn migrate(db: &mut Db, migrations: &[Migration]) -> Result<(), Fault> {
    db.script("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)")?;
    let known = migrations.len() as i64;
    let found = version(db)?;
    if found > known {
        return Err(Fault::NewerSchema { found, known });
    }
    for (index, migration) in migrations.iter().enumerate().skip(usize::try_from(found).unwrap_or(0)) {
        db.begin()?;
        let outcome = step(db, migration, index as i64 + 1).and_then(|()| db.commit());
        if outcome.is_err() {
            db.rollback()?;
            return outcome;
        }
    }
    Ok(())
}

/// Refuses a database that this program cannot read.
pub(crate) fn check(db: &mut Db) -> Result<(), Fault> {
    let (found, known) = (version(db)?, ALL.len() as i64);
    if found > known {
        return Err(Fault::NewerSchema { found, known });
    }
    if found < known {
        return Err(Fault::Broken(format!("the database has schema {found}, {known} is needed")));
    }
    Ok(())
}

fn version(db: &mut Db) -> Result<i64, Fault> {
    match db.row("SELECT version FROM schema_version ORDER BY version DESC LIMIT 1", &[])? {
        Some(mut row) => row.int(),
        None => Ok(0),
    }
}

fn step(db: &mut Db, migration: &Migration, to: i64) -> Result<(), Fault> {
    let (bytes, walls) =
        if db.is_postgres() { ("BYTEA", migration.postgres) } else { ("BLOB", migration.sqlite) };
    if db.is_postgres() {
        // Two programs that start at once take turns; the second then fails on tables that are there, and is
        // started again by whoever runs it.
        db.script("LOCK TABLE schema_version IN ACCESS EXCLUSIVE MODE")?;
    }
    db.script(&migration.tables.replace("BYTES", bytes))?;
    db.script(walls)?;
    db.run("INSERT INTO schema_version (version) VALUES ($1)", &[Bind::Int(to)]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Control;
    use crate::sql::Use;

    const GOOD: Migration = Migration { tables: "CREATE TABLE a (b BYTES)", sqlite: "", postgres: "" };
    const BAD: Migration =
        Migration { tables: "CREATE TABLE c (d BYTES); CREATE TABLE a (b TEXT)", sqlite: "", postgres: "" };

    fn memory() -> Db {
        Db::open(":memory:", Use::Write, Control::None).unwrap()
    }

    #[test]
    fn a_migration_that_fails_leaves_nothing_behind() {
        let mut db = memory();
        assert!(migrate(&mut db, &[GOOD, BAD]).is_err());
        assert_eq!(version(&mut db), Ok(1));
        assert!(db.rows("SELECT d FROM c", &[]).is_err(), "table of the failed step must not be there");
        assert!(db.rows("SELECT b FROM a", &[]).is_ok());
    }

    #[test]
    fn a_newer_schema_is_refused_and_left_alone() {
        let mut db = memory();
        migrate(&mut db, &[GOOD, GOOD_TOO]).unwrap();
        assert_eq!(migrate(&mut db, &[GOOD]), Err(Fault::NewerSchema { found: 2, known: 1 }));
    }

    const GOOD_TOO: Migration = Migration { tables: "CREATE TABLE e (f BIGINT)", sqlite: "", postgres: "" };
}

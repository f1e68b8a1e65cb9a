//! One connection, two engines, one SQL text. Nothing above this file knows which engine it talks to.

use crate::fault::Fault;
use crate::model::Control;
use postgres::types::{IsNull, ToSql, Type, to_sql_checked};
use rusqlite::config::DbConfig;
use rusqlite::{ErrorCode, OpenFlags};
use std::collections::HashMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

const BUSY_WAIT: Duration = Duration::from_secs(5);
const STATEMENTS_KEPT: usize = 128;

pub(crate) fn is_postgres(url: &str) -> bool {
    url.starts_with("postgres://") || url.starts_with("postgresql://")
}

/// A value for `$1`, `$2`, …
#[derive(Debug, Clone, Copy)]
pub(crate) enum Bind<'a> {
    Text(&'a str),
    Int(i64),
    Bytes(&'a [u8]),
}

enum Cell {
    Text(String),
    Int(i64),
    Bytes(Vec<u8>),
}

/// One row; each cell is taken once, in the order of the columns.
pub(crate) struct Row(std::vec::IntoIter<Cell>);

impl Row {
    pub(crate) fn text(&mut self) -> Result<String, Fault> {
        match self.0.next() {
            Some(Cell::Text(text)) => Ok(text),
            _ => Err(Fault::Broken("a text column holds something else".into())),
        }
    }

    pub(crate) fn int(&mut self) -> Result<i64, Fault> {
        match self.0.next() {
            Some(Cell::Int(int)) => Ok(int),
            _ => Err(Fault::Broken("a number column holds something else".into())),
        }
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, Fault> {
        match self.0.next() {
            Some(Cell::Bytes(bytes)) => Ok(bytes),
            _ => Err(Fault::Broken("a bytes column holds something else".into())),
        }
    }

    pub(crate) fn digest(&mut self) -> Result<[u8; 32], Fault> {
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| Fault::Broken("a digest is not 32 bytes long".into()))
    }
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Makes the database when it is not there.
    Write,
    /// Never changes a row and never makes a file.
    Read,
}

enum Engine {
    Sqlite(rusqlite::Connection),
    Postgres { client: Box<postgres::Client>, prepared: HashMap<String, postgres::Statement> },
}

/// One connection.
pub(crate) struct Db {
    engine: Engine,
    /// Site that PostgreSQL's row-level security lets through at present.
    site: Option<String>,
}

impl Db {
    pub(crate) fn open(url: &str, purpose: Use, control: Control) -> Result<Self, Fault> {
        let engine =
            if is_postgres(url) { open_postgres(url, purpose)? } else { open_sqlite(url, purpose, control)? };
        Ok(Self { engine, site: None })
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.engine, Engine::Postgres { .. })
    }

    /// Rows of a query.
    pub(crate) fn rows(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Vec<Row>, Fault> {
        match &mut self.engine {
            Engine::Sqlite(connection) => sqlite_rows(connection, sql, binds).map_err(sqlite_fault),
            Engine::Postgres { client, prepared } => {
                let statement = prepare(client, prepared, sql)?;
                let rows = client.query(&statement, &params(binds)).map_err(|e| postgres_fault(&e))?;
                rows.iter().map(postgres_row).collect()
            }
        }
    }

    /// The only row of a query, or none.
    pub(crate) fn row(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<Option<Row>, Fault> {
        Ok(self.rows(sql, binds)?.into_iter().next())
    }

    /// Runs a statement and tells how many rows it changed.
    pub(crate) fn run(&mut self, sql: &str, binds: &[Bind<'_>]) -> Result<u64, Fault> {
        match &mut self.engine {
            Engine::Sqlite(connection) => sqlite_run(connection, sql, binds).map_err(sqlite_fault),
            Engine::Postgres { client, prepared } => {
                let statement = prepare(client, prepared, sql)?;
                client.execute(&statement, &params(binds)).map_err(|e| postgres_fault(&e))
            }
        }
    }

    /// Writes the whole database into another file, which may be there and empty.
    pub(crate) fn copy_into(&mut self, file: &Path) -> Result<(), Fault> {
        self.run("VACUUM INTO $1", &[Bind::Text(&file.to_string_lossy())]).map(drop)
    }

    /// Runs a migration's text, several statements.
    pub(crate) fn script(&mut self, sql: &str) -> Result<(), Fault> {
        match &mut self.engine {
            Engine::Sqlite(connection) => connection.execute_batch(sql).map_err(sqlite_fault),
            Engine::Postgres { client, .. } => client.batch_execute(sql).map_err(|e| postgres_fault(&e)),
        }
    }

    /// Starts a transaction that will write.
    pub(crate) fn begin(&mut self) -> Result<(), Fault> {
        // SQLite takes the write lock at once, so that what is read stays true until the commit. On PostgreSQL the
        // update of the site's head row does the same.
        let sql = if self.is_postgres() { "BEGIN" } else { "BEGIN IMMEDIATE" };
        self.script(sql)
    }

    /// Starts a transaction that only reads, and sees the database as it is now until its end.
    pub(crate) fn snapshot(&mut self) -> Result<(), Fault> {
        let sql =
            if self.is_postgres() { "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" } else { "BEGIN" };
        self.script(sql)
    }

    pub(crate) fn commit(&mut self) -> Result<(), Fault> {
        self.script("COMMIT")
    }

    /// Gives up a transaction. Says whether the connection may be used again.
    pub(crate) fn rollback(&mut self) -> Result<(), Fault> {
        self.site = None;
        match &self.engine {
            // SQLite rolls back by itself on some errors.
            Engine::Sqlite(connection) if connection.is_autocommit() => Ok(()),
            _ => self.script("ROLLBACK"),
        }
    }

    /// Lets the rows of one site through the second wall, PostgreSQL's row-level security.
    pub(crate) fn enter(&mut self, site: &str) -> Result<(), Fault> {
        if !self.is_postgres() || self.site.as_deref() == Some(site) {
            return Ok(());
        }
        self.rows("SELECT set_config('chairside.site', $1, false)", &[Bind::Text(site)])?;
        self.site = Some(site.to_owned());
        Ok(())
    }

    /// Moves what is in the write-ahead log into the database file, which writes every page anew. After a failed
    /// fsync that matters: the system may have forgotten pages that it still shows to readers.
    pub(crate) fn settle(&mut self) -> Result<(), Fault> {
        match &self.engine {
            Engine::Sqlite(_) => self.rows("PRAGMA wal_checkpoint(TRUNCATE)", &[]).map(drop),
            Engine::Postgres { .. } => Ok(()),
        }
    }

    /// Findings of the engine's own check of its pages and indexes; none when it is sound.
    pub(crate) fn integrity(&mut self) -> Result<Vec<String>, Fault> {
        if self.is_postgres() {
            return Ok(Vec::new());
        }
        let mut findings = Vec::new();
        for mut row in self.rows("PRAGMA integrity_check(10)", &[])? {
            let finding = row.text()?;
            if finding != "ok" {
                findings.push(finding);
            }
        }
        Ok(findings)
    }

    /// Copies a whole SQLite database into a new file while it is in use.
    pub(crate) fn copy_to(&mut self, file: &std::path::Path) -> Result<(), Fault> {
        match &self.engine {
            Engine::Sqlite(connection) => {
                connection.backup("main", file, None::<fn(rusqlite::backup::Progress)>).map_err(sqlite_fault)
            }
            Engine::Postgres { .. } => Err(Fault::Input {
                field: "database",
                why: "PostgreSQL is backed up with its own tools (pg_basebackup, pgBackRest)".into(),
            }),
        }
    }
}

/// Writes what a write-ahead log shows once more, and waits until it is on the disk. After a failed fsync the system
/// shows pages that it will never write; a checkpoint that trusted them and was cut short would tear the database.
fn rewrite_log(url: &str) -> Result<(), Fault> {
    let log = PathBuf::from(format!("{url}-wal"));
    let rewrite = || {
        let shown = std::fs::read(&log)?;
        let mut file = std::fs::OpenOptions::new().write(true).open(&log)?;
        file.write_all(&shown)?;
        file.sync_all()
    };
    match rewrite() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        outcome => outcome.map_err(|e| Fault::file(&log, &e)),
    }
}

fn open_sqlite(url: &str, purpose: Use, control: Control) -> Result<Engine, Fault> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if purpose == Use::Write {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
        rewrite_log(url)?;
    }
    let connection = rusqlite::Connection::open_with_flags(url, flags).map_err(sqlite_fault)?;
    connection.busy_timeout(BUSY_WAIT).map_err(sqlite_fault)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    // Closing must not move the write-ahead log into the database and delete it: after a fault it is not to be trusted,
    // and SQLite does not tell when the folder could not be made durable. The next start settles it instead.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map_err(sqlite_fault)?;
    let synchronous = if control == Control::SynchronousNormal { "NORMAL" } else { "FULL" };
    let mode = match purpose {
        Use::Write => format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};"),
        Use::Read => "PRAGMA query_only = ON;".to_owned(),
    };
    let safety = "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;";
    connection.execute_batch(&format!("{mode}{safety}")).map_err(sqlite_fault)?;
    Ok(Engine::Sqlite(connection))
}

fn open_postgres(url: &str, purpose: Use) -> Result<Engine, Fault> {
    let mut client = postgres::Client::connect(url, postgres::NoTls).map_err(|e| postgres_fault(&e))?;
    let mode = match purpose {
        Use::Write => "SET synchronous_commit TO on",
        Use::Read => "SET default_transaction_read_only TO on",
    };
    client.batch_execute(mode).map_err(|e| postgres_fault(&e))?;
    Ok(Engine::Postgres { client: Box::new(client), prepared: HashMap::new() })
}

fn bind_sqlite(statement: &mut rusqlite::CachedStatement<'_>, binds: &[Bind<'_>]) -> rusqlite::Result<()> {
    for (number, bind) in binds.iter().enumerate() {
        // By name: SQLite numbers `$2` by where it first stands, PostgreSQL by the digit.
        let Some(index) = statement.parameter_index(&format!("${}", number + 1))? else { continue };
        match bind {
            Bind::Text(text) => statement.raw_bind_parameter(index, text)?,
            Bind::Int(int) => statement.raw_bind_parameter(index, int)?,
            Bind::Bytes(bytes) => statement.raw_bind_parameter(index, bytes)?,
        }
    }
    Ok(())
}

fn sqlite_rows(
    connection: &rusqlite::Connection,
    sql: &str,
    binds: &[Bind<'_>],
) -> rusqlite::Result<Vec<Row>> {
    use rusqlite::types::ValueRef;
    let mut statement = connection.prepare_cached(sql)?;
    bind_sqlite(&mut statement, binds)?;
    let columns = statement.column_count();
    let mut rows = statement.raw_query();
    let mut taken = Vec::new();
    while let Some(row) = rows.next()? {
        let mut cells = Vec::with_capacity(columns);
        for column in 0..columns {
            cells.push(match row.get_ref(column)? {
                ValueRef::Integer(int) => Cell::Int(int),
                ValueRef::Text(text) => Cell::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
                ValueRef::Null | ValueRef::Real(_) => Cell::Bytes(Vec::new()),
            });
        }
        taken.push(Row(cells.into_iter()));
    }
    Ok(taken)
}

fn sqlite_run(connection: &rusqlite::Connection, sql: &str, binds: &[Bind<'_>]) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(sql)?;
    bind_sqlite(&mut statement, binds)?;
    Ok(statement.raw_execute()? as u64)
}

fn sqlite_fault(error: rusqlite::Error) -> Fault {
    let why = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Fault::DiskFull(why),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Fault::Broken(why),
        Some(
            ErrorCode::ConstraintViolation
            | ErrorCode::TypeMismatch
            | ErrorCode::TooBig
            | ErrorCode::ParameterOutOfRange,
        ) => Fault::Row(why),
        _ => Fault::Machine(why),
    }
}

impl ToSql for Bind<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut postgres::types::private::BytesMut,
    ) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Text(text) if <&str as ToSql>::accepts(ty) => text.to_sql(ty, out),
            Self::Int(int) if <i64 as ToSql>::accepts(ty) => int.to_sql(ty, out),
            Self::Bytes(bytes) if <&[u8] as ToSql>::accepts(ty) => bytes.to_sql(ty, out),
            _ => Err(format!("a value does not fit into a column of {ty}").into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        <&str as ToSql>::accepts(ty) || <i64 as ToSql>::accepts(ty) || <&[u8] as ToSql>::accepts(ty)
    }

    to_sql_checked!();
}

fn params<'a>(binds: &'a [Bind<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    binds.iter().map(|bind| bind as &(dyn ToSql + Sync)).collect()
}

fn prepare(
    client: &mut postgres::Client,
    prepared: &mut HashMap<String, postgres::Statement>,
    sql: &str,
) -> Result<postgres::Statement, Fault> {
    if let Some(statement) = prepared.get(sql) {
        return Ok(statement.clone());
    }
    let statement = client.prepare(sql).map_err(|e| postgres_fault(&e))?;
    if prepared.len() < STATEMENTS_KEPT {
        prepared.insert(sql.to_owned(), statement.clone());
    }
    Ok(statement)
}

fn postgres_row(row: &postgres::Row) -> Result<Row, Fault> {
    let mut cells = Vec::with_capacity(row.len());
    for (index, column) in row.columns().iter().enumerate() {
        let cell = match *column.type_() {
            Type::INT8 => row.try_get(index).map(Cell::Int),
            Type::BYTEA => row.try_get(index).map(Cell::Bytes),
            _ => row.try_get(index).map(Cell::Text),
        };
        cells.push(cell.map_err(|e| postgres_fault(&e))?);
    }
    Ok(Row(cells.into_iter()))
}

fn postgres_fault(error: &postgres::Error) -> Fault {
    let why = match error.as_db_error() {
        Some(db) => db.to_string(),
        None => error.to_string(),
    };
    match error.code().map(|state| state.code()) {
        Some("53100") => Fault::DiskFull(why),
        Some("XX001" | "XX002") => Fault::Broken(why),
        // Bad data, broken constraint, deadlock or serialisation: this write alone.
        Some(code) if ["22", "23", "40"].iter().any(|class| code.starts_with(class)) => Fault::Row(why),
        _ => Fault::Machine(why),
    }
}

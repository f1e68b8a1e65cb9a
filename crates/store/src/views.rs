//! Views against the log that they were made of: a row that was changed by hand shows a person what never happened.

use crate::fault::Fault;
use crate::model::Control;
use crate::projector::{Projector, ViewsSoFar};
use crate::read;
use crate::schema;
use crate::sql::{Db, Use};
use crate::turn;
use std::collections::{BTreeMap, btree_map};

const CHUNK: i64 = 1000;
/// So many rows that differ say enough.
const ASTRAY_MAX: usize = 100;

/// A row of a view that is not as the log makes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Astray {
    /// Whose log.
    pub site: String,
    /// Which view.
    pub view: String,
    /// Which row.
    pub key: String,
    /// What is wrong with it.
    pub how: Stray,
}

/// What can be wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stray {
    /// The log makes it, and it is not there.
    Gone,
    /// It is there, and the log does not make it.
    Unfounded,
    /// It says something else.
    Other,
    /// A column of it holds nothing that could stand there.
    Unreadable(&'static str),
}

/// How the views of a log compare with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewsReport {
    /// Rows that the log makes.
    pub compared: u64,
    /// Rows that differ, at most a hundred.
    pub astray: Vec<Astray>,
    /// The views are of another version of the program and are made again at its next start; none was compared.
    pub of_another_version: bool,
}

/// One row, but for its name.
#[derive(PartialEq, Eq)]
struct Row {
    turn: i64,
    sort: i64,
    search: String,
    body: String,
}

/// The views of one site, made in memory.
#[derive(Default)]
struct Made(BTreeMap<(String, String), Row>);

impl ViewsSoFar for Made {
    fn body(&mut self, view: &str, key: &str) -> Result<Option<String>, Fault> {
        Ok(self.0.get(&(view.to_owned(), key.to_owned())).map(|row| row.body.clone()))
    }
}

/// Makes the views once more from the log, in memory, and compares each row with the one that is kept. Changes
/// nothing.
pub fn verify_views(url: &str, projector: &dyn Projector) -> Result<ViewsReport, Fault> {
    let mut db = Db::open(url, Use::Read, Control::None)?;
    schema::check(&mut db)?;
    db.snapshot()?;
    if turn::views_version(&mut db)? != Some(projector.version()) {
        return Ok(ViewsReport { of_another_version: true, ..ViewsReport::default() });
    }
    let mut views = ViewsReport::default();
    for site in read::sites(&mut db)? {
        let made = make(&mut db, &site, projector)?;
        compare(&mut db, &site, made, &mut views)?;
    }
    Ok(views)
}

fn make(db: &mut Db, site: &str, projector: &dyn Projector) -> Result<Made, Fault> {
    let mut made = Made::default();
    let mut position = 0;
    loop {
        let events = read::since(db, site, position, CHUNK)?;
        let Some(last) = events.last() else { return Ok(made) };
        position = last.position;
        for event in &events {
            for (turn, put) in turn::rows_of(projector, event, &mut made)? {
                let name = (put.view, put.key);
                match put.row {
                    Some(row) => {
                        let search = row.search.to_lowercase();
                        made.0.insert(name, Row { turn, sort: row.sort, search, body: row.body })
                    }
                    None => made.0.remove(&name),
                };
            }
        }
    }
}

fn compare(db: &mut Db, site: &str, mut made: Made, views: &mut ViewsReport) -> Result<(), Fault> {
    views.compared += made.0.len() as u64;
    let mut astray = |(view, key): (String, String), how| {
        if views.astray.len() < ASTRAY_MAX {
            views.astray.push(Astray { site: site.to_owned(), view, key, how });
        }
    };
    read::each_view_row(db, site, &mut |kept| {
        let read::KeptRow { turn, sort, view, key, search, body } = match kept {
            Ok(kept) => kept,
            Err(read::BrokenRow { turn, view, key, column }) => {
                let name = (view.unwrap_or_default(), key.unwrap_or_else(|| format!("of turn {turn}")));
                made.0.remove(&name);
                return astray(name, Stray::Unreadable(column));
            }
        };
        match made.0.entry((view, key)) {
            btree_map::Entry::Vacant(unfounded) => astray(unfounded.into_key(), Stray::Unfounded),
            btree_map::Entry::Occupied(one) => {
                let (name, row) = one.remove_entry();
                if row != (Row { turn, sort, search, body }) {
                    astray(name, Stray::Other);
                }
            }
        }
    })?;
    made.0.into_keys().for_each(|name| astray(name, Stray::Gone));
    Ok(())
}

//! Rows of secrets against the events that tell of them. They come and go without an event of their own, so no chain
//! holds them; what such an event looks like is the caller's business.

use crate::chain::Walk;
use crate::fault::Fault;
use crate::journal::walk;
use crate::model::{Control, Recorded, Secret};
use crate::read;
use crate::schema;
use crate::sql::{Db, Use};
use std::collections::BTreeSet;

/// So many rows that stand for nothing say enough.
const UNFOUNDED_MAX: usize = 100;

/// How the rows of secrets compare with the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    /// Rows that an event tells of.
    pub compared: u64,
    /// Rows that no event could tell of, by kind: whether they were changed cannot be seen.
    pub not_covered: BTreeSet<String>,
    /// Site, kind and name of rows that an event should tell of and none does, at most a hundred.
    pub unfounded: Vec<(String, String, String)>,
}

/// What a row says must stand in the log; `None` where the log never tells of such a row.
pub type Claims<'a> = &'a dyn Fn(&Secret) -> Option<String>;
/// What an event tells of rows.
pub type Tells<'a> = &'a dyn Fn(&Recorded) -> Option<String>;

/// Compares every row of secrets with the events that tell of such rows. Changes nothing.
pub fn verify_secrets(url: &str, claims: Claims<'_>, tells: Tells<'_>) -> Result<Secrets, Fault> {
    let mut db = Db::open(url, Use::Read, Control::None)?;
    schema::check(&mut db)?;
    db.snapshot()?;
    let mut secrets = Secrets::default();
    for site in read::sites(&mut db)? {
        let mut told = BTreeSet::new();
        walk(&mut db, &site, Walk { position: 0, chain: [0; 32] }, &mut |event| {
            told.extend(tells(event));
            Ok(())
        })?;
        for row in read::secrets(&mut db, &site)? {
            match claims(&row) {
                None => drop(secrets.not_covered.insert(row.kind)),
                Some(claim) if told.contains(&claim) => secrets.compared += 1,
                Some(_) if secrets.unfounded.len() < UNFOUNDED_MAX => {
                    secrets.unfounded.push((site.clone(), row.kind, row.name));
                }
                Some(_) => {}
            }
        }
    }
    Ok(secrets)
}

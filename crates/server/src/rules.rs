//! Which rules this program decides by. The log keeps them at each start at which they are others than before, so that a
//! visit that another version decided is not taken for one that somebody changed.

use crate::clock::{Clock, Ids};
use crate::{Fault, read_event};
use clinic::knowledge::Knowledge;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use store::{Append, NewEvent, Store, StreamWrite};

/// The stream of all such entries.
const STREAM: &str = "rules";
/// So many differences say enough.
const DIFFERING_MAX: usize = 20;

/// The version of each item of knowledge, by its id.
pub type Versions = BTreeMap<String, u32>;

#[derive(Debug, Serialize, Deserialize)]
struct InForce {
    versions: Versions,
}

/// Those of this program.
pub fn versions(knowledge: &Knowledge) -> Versions {
    knowledge.items().into_iter().map(|item| (item.header.id.to_string(), item.header.version)).collect()
}

/// Those by which what stands at this place in the log was decided; `None` where the log is older than that.
///
/// # Errors
/// When the log cannot be read.
pub fn in_force_at(store: &Store, site: &str, position: i64) -> Result<Option<Versions>, Fault> {
    let rows = store.stream(site, STREAM)?;
    let last = rows.iter().rfind(|row| row.position < position);
    Ok(last.map(read_event::<InForce>).transpose()?.map(|kept| kept.versions))
}

/// Keeps those of this program, unless the log has them already.
///
/// # Errors
/// When the log cannot be read or does not take it.
pub fn keep(store: &Store, site: &str, knowledge: &Knowledge, clock: &Clock, ids: &Ids) -> Result<(), Fault> {
    let versions = versions(knowledge);
    if in_force_at(store, site, i64::MAX)?.as_ref() == Some(&versions) {
        return Ok(());
    }
    let body = serde_json::json!(InForce { versions }).to_string();
    let event = NewEvent { kind: "rules_in_force".to_owned(), body };
    let append = Append {
        site: site.to_owned(),
        command_id: ids.next(),
        author: "server".to_owned(),
        at_us: clock.now().as_microsecond(),
        writes: vec![StreamWrite { stream: STREAM.to_owned(), expected: None, events: vec![event] }],
        reply: String::new(),
        closing: false,
    };
    store.append(append).map(drop).map_err(Fault::from)
}

/// Each rule that is another one now, with both versions.
pub fn differing(then: &Versions, now: &Versions) -> Vec<String> {
    let ids: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let told = ids.into_iter().filter_map(|id| match (then.get(id), now.get(id)) {
        (Some(then), Some(now)) if then == now => None,
        (Some(then), Some(now)) => Some(format!("{id} version {then}, here {now}")),
        (Some(then), None) => Some(format!("{id} version {then}, not there here")),
        (None, now) => now.map(|now| format!("{id} not there, here version {now}")),
    });
    let mut told: Vec<String> = told.collect();
    if told.len() > DIFFERING_MAX {
        let more = told.len() - DIFFERING_MAX;
        told.truncate(DIFFERING_MAX);
        told.push(format!("and {more} more"));
    }
    told
}

//! `chairside scales`: the rating scales, listed and shown.

use super::score::no_such_scale;
use super::{Exit, print, say, with_shipped};
use clinic::knowledge::scales::Scale;
use clinic::knowledge::{Item, Knowledge};
use clinic::quantity::plain;
use std::fmt::Write as _;

/// What to do.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// List the scales: id, range of the total, whether the questions are shipped, title
    List,
    /// Print one scale as it stands in its file: questions, answers, bands, rules, licence
    Show {
        /// Id or another name, see `list`
        id: String,
    },
}

/// Does it. Exit 2 for a scale that is not there.
pub fn run(verb: &Verb) -> Exit {
    with_shipped(|knowledge| match verb {
        Verb::List => print(list(knowledge).as_bytes()),
        Verb::Show { id } => match knowledge.scale(id).and_then(|item| knowledge.show(&item.header.id)) {
            Some(text) => print(text.as_bytes()),
            None => say(Exit::Unreadable, no_such_scale(id)),
        },
    })
}

fn list(knowledge: &Knowledge) -> String {
    let mut out = String::new();
    for item in knowledge.scales.iter() {
        let (header, scale) = (&item.header, &item.body);
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "{:<18} v{:<3} {:<10} {:<28} {}",
            header.id,
            header.version,
            range(scale),
            entry(item),
            header.title
        );
    }
    out
}

fn range(scale: &Scale) -> String {
    match scale.total {
        Some([low, high]) => format!("{} to {}", plain(low), plain(high)),
        None => "no total".to_owned(),
    }
}

fn entry(item: &Item<Scale>) -> String {
    let scale = &item.body;
    match (scale.has_text(), scale.items.len()) {
        (true, 1) => "1 question".to_owned(),
        (true, count) => format!("{count} questions"),
        (false, 0) => "total only".to_owned(),
        (false, 1) => "1 answer".to_owned(),
        (false, count) => format!("{count} answers, no wording"),
    }
}

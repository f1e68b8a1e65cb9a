//! Which rules judged this visit, in which version, and whether the clinic has signed them.

use super::Teller;
use super::sheet::{Part, Section, Table};
use clinic::knowledge::pk_models::Role;
use clinic::knowledge::{Evidence, Header};
use clinic::monitor::Output;
use std::collections::BTreeSet;

pub(super) fn told(teller: &Teller) -> Section {
    let heads = [("Rule", 26), ("Title", 38), ("Version used", 12), ("Standing", 24)];
    let mut rules = Table::new("Rules, regimen and limits, as the log names them", &heads, "None was used.");
    let mut unsigned = 0;
    for (id, version) in used(teller) {
        let header = teller.knowledge.header(&id);
        unsigned += usize::from(header.is_some_and(|header| !header.unsigned().is_empty()));
        let (title, standing) = match header {
            Some(header) if header.version == version => (header.title.clone(), standing(header)),
            Some(header) => (header.title.clone(), format!("this program has version {}", header.version)),
            None => (String::new(), "part of a file with another name".to_owned()),
        };
        rules.row([id.into(), title.into(), version.to_string().into(), standing.into()]);
    }
    let mut models =
        Table::new("Models of the forecast shown at the chair, in this program", &heads, "None.");
    for item in teller
        .knowledge
        .pk_models
        .iter()
        .filter(|item| matches!(item.body.role, Role::Default | Role::Comparison))
    {
        let header = &item.header;
        models.row([
            header.id.clone().into(),
            header.title.clone().into(),
            header.version.to_string().into(),
            standing(header).into(),
        ]);
    }
    let mut parts = vec![Part::Table(rules), Part::Table(models)];
    if unsigned > 0 {
        parts.insert(0, Part::Words(format!(
            "{unsigned} of the rules used are, whole or in part, clinic defaults that no guideline fixes and that this clinic’s medical director has not signed."
        )));
    }
    Section::new("Rules and models used", parts)
}

fn standing(header: &Header) -> String {
    if header.is_unsigned_default() {
        return header.unsigned();
    }
    let standing = match header.evidence {
        Evidence::Sourced => "sourced",
        Evidence::General => "general source, signed by the clinic",
        Evidence::Proposed => "signed by the clinic",
        Evidence::Uncertain => "uncertain, signed by the clinic",
    };
    format!("{standing}{}", header.unsigned_after("; "))
}

/// Ids with versions, each once.
fn used(teller: &Teller) -> BTreeSet<(String, u32)> {
    let mut all = BTreeSet::new();
    let mut add = |id: &str, version: u32| {
        all.insert((id.to_owned(), version));
    };
    for (rule, version) in teller.history.events.iter().flat_map(|one| one.event.rules()) {
        add(rule.as_str(), version);
    }
    for (_, said) in &teller.history.alarms {
        if let Output::AlarmRaised(alarm) = said {
            add(alarm.rule.as_str(), alarm.version);
        }
    }
    all
}

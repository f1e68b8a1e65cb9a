//! One knowledge item and the shelf of all items of a kind: how a file becomes a checked item.

use super::{Evidence, File, Header, Knowledge, Problem};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::fmt::Debug;

/// Keys of the [`Header`]; everything else but `example` belongs to the body.
const HEADER_KEYS: [&str; 9] =
    ["id", "title", "version", "profile", "evidence", "status", "sources", "defaults", "note"];
/// The source of what no source fixes.
const DEFAULT: &str = "chairside-default";

/// What the items of one folder say beside their header. A new kind of knowledge is one file that implements
/// this, and one line in [`super`].
pub trait Body: DeserializeOwned + Debug + Clone {
    /// Folder below `knowledge/`.
    const FOLDER: &'static str;
    /// Whether binary floating point numbers may stand in the file. Only models of the body use them;
    /// a dose or a limit writes a decimal as text, `"0.5 mg/kg"`, and stays exact.
    const FLOATS: bool = false;
    /// One worked case, see [`Body::prove`].
    type Example: DeserializeOwned + Debug + Clone;

    /// Whether the item agrees with itself and with what it names.
    ///
    /// # Errors
    /// The reason for a person.
    fn check(_item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        Ok(())
    }
    /// Whether a worked case comes out as the file says.
    ///
    /// # Errors
    /// What was expected and what came out.
    fn prove(item: &Item<Self>, example: &Self::Example, all: &Knowledge) -> Result<(), String>;
}

/// One file: header, body and worked cases.
#[derive(Debug, Clone)]
pub struct Item<B: Body> {
    /// Id, version, evidence, sources.
    pub header: Header,
    /// What it says.
    pub body: B,
    /// Worked cases, at least one; each holds.
    pub examples: Vec<B::Example>,
}

/// All items of a kind, by id.
#[derive(Debug, Clone)]
pub struct Shelf<B: Body>(BTreeMap<String, Item<B>>);

impl<B: Body> Default for Shelf<B> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<B: Body> Shelf<B> {
    /// The item of that id.
    pub fn get(&self, id: &str) -> Option<&Item<B>> {
        self.0.get(id)
    }
    /// All, by id.
    pub fn iter(&self) -> impl Iterator<Item = &Item<B>> {
        self.0.values()
    }
    /// How many.
    pub fn len(&self) -> usize {
        self.0.len()
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn read(files: &[File], problems: &mut Vec<Problem>) -> Self {
        let mut shelf = BTreeMap::new();
        for file in files.iter().filter(|file| file.folder() == Some(B::FOLDER)) {
            match read_item(file) {
                Ok(item) => {
                    shelf.insert(item.header.id.clone(), item);
                }
                Err(reason) => problems.push(Problem { path: file.path.clone(), reason }),
            }
        }
        Self(shelf)
    }

    pub(super) fn check(&self, all: &Knowledge, problems: &mut Vec<Problem>) {
        for item in self.iter() {
            let path = format!("{}/{}.toml", B::FOLDER, item.header.id);
            let mut complain = |reason| problems.push(Problem { path: path.clone(), reason });
            for source in &item.header.sources {
                if all.sources.get(source).is_none() {
                    complain(format!("cites `{source}`, which is not in sources.toml"));
                }
            }
            if let Err(reason) = B::check(item, all) {
                complain(reason);
                continue;
            }
            for (nth, example) in item.examples.iter().enumerate() {
                if let Err(reason) = B::prove(item, example, all) {
                    complain(format!("example {} does not hold: {reason}", nth + 1));
                }
            }
        }
    }
}

fn read_item<B: Body>(file: &File) -> Result<Item<B>, String> {
    let mut body: toml::Table = file.text.parse().map_err(|e: toml::de::Error| e.to_string())?;
    if !B::FLOATS {
        refuse_floats("", &toml::Value::Table(body.clone()))?;
    }
    let mut head = toml::Table::new();
    for key in HEADER_KEYS {
        if let Some(value) = body.remove(key) {
            head.insert(key.to_owned(), value);
        }
    }
    let worked = body.remove("example").ok_or("has no worked `[[example]]`")?;
    let header = Header::deserialize(head).map_err(|e| short(&e))?;
    check_header(&header, file)?;
    check_defaults(&header, &body)?;
    let examples: Vec<B::Example> =
        Vec::deserialize(worked).map_err(|e| format!("in its `[[example]]`: {}", short(&e)))?;
    if examples.is_empty() {
        return Err("has no worked `[[example]]`".to_owned());
    }
    let body = B::deserialize(body).map_err(|e| short(&e))?;
    Ok(Item { header, body, examples })
}

fn check_header(header: &Header, file: &File) -> Result<(), String> {
    if file.stem() != Some(header.id.as_str()) {
        return Err(format!("its id is `{}`; a file is named after its id", header.id));
    }
    let empty = [("title", header.title.trim().is_empty()), ("sources", header.sources.is_empty())];
    match empty.iter().find(|(_, is_empty)| *is_empty) {
        Some((key, _)) => Err(format!("`{key}` is empty")),
        None if header.version == 0 => Err("`version` counts from 1".to_owned()),
        None => Ok(()),
    }
}

/// Every part of a sourced item has a source or is named as a default: in its header, or where the part itself stands.
fn check_defaults(header: &Header, body: &toml::Table) -> Result<(), String> {
    let body = toml::Value::Table(body.clone());
    if let Some(path) = header.defaults.keys().find(|path| !has(&body, path)) {
        return Err(format!("`defaults` names `{path}`, which the item does not have"));
    }
    if let Some((path, _)) = header.defaults.iter().find(|(_, words)| words.trim().is_empty()) {
        return Err(format!("`defaults` says nothing of `{path}`: say in words what it is"));
    }
    let cites = header.sources.iter().any(|source| source.as_str() == DEFAULT);
    let names = !header.defaults.is_empty();
    match header.evidence {
        _ if names && !cites => Err(format!("names `defaults` and does not cite `{DEFAULT}`")),
        Evidence::Sourced if cites && !names && !cited_within(&body) => Err(format!(
            "is `sourced` and cites `{DEFAULT}`, and does not say for what: name each such part in `defaults`, by its \
             path and in words"
        )),
        Evidence::Sourced => Ok(()),
        _ if names => {
            Err("names `defaults`, and is one as a whole: only a `sourced` item has some".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether there is something at `limit.recommended.0`. What lies in a list is there when one of the list has it.
fn has(value: &toml::Value, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    let further = |inner: &toml::Value| rest.is_none_or(|rest| has(inner, rest));
    match value {
        toml::Value::Table(table) => table.get(first).is_some_and(further),
        toml::Value::Array(all) => match first.parse::<usize>() {
            Ok(nth) => all.get(nth).is_some_and(further),
            Err(_) => all.iter().any(|inner| has(inner, path)),
        },
        _ => false,
    }
}

fn cited_within(value: &toml::Value) -> bool {
    match value {
        toml::Value::String(text) => text == DEFAULT,
        toml::Value::Array(all) => all.iter().any(cited_within),
        toml::Value::Table(table) => table.values().any(cited_within),
        _ => false,
    }
}

fn refuse_floats(at: &str, value: &toml::Value) -> Result<(), String> {
    match value {
        toml::Value::Float(number) => Err(format!(
            "`{at}` is the bare number {number}: write it as text, \"{number}\", so that it stays exact"
        )),
        toml::Value::Array(values) => values.iter().try_for_each(|inner| refuse_floats(at, inner)),
        toml::Value::Table(table) => table.iter().try_for_each(|(key, inner)| {
            refuse_floats(&if at.is_empty() { key.clone() } else { format!("{at}.{key}") }, inner)
        }),
        _ => Ok(()),
    }
}

fn short(error: &toml::de::Error) -> String {
    error.to_string().trim().replace('\n', " ")
}

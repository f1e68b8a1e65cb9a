//! `chairside models`: the published models, listed, shown, and judged against published data.

use super::{Exit, print, print_sheet, say, with_shipped};
use crate::lab::sheet::{Format, Sheet};
use clinic::dose::parse::Unreadable;
use clinic::knowledge::pk_models::observations::Verdict;
use clinic::knowledge::{Header, Knowledge};
use lab::{Chosen, listed, listed_effects};
use pkpd::Form;
use std::fmt::Write as _;

/// What to do.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// List the models of levels and of effects: what they describe, where the blood was drawn, how sure they are
    List {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Print one model as it stands in its file, and its sources
    Show {
        /// Id, see `list`
        id: String,
    },
    /// Judge each model against published concentrations: bias (MDPE), inaccuracy (MDAPE), mean ratio (GMR)
    Validate {
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
}

/// Does it. Exit 2 for a model that is not there, 1 when a model leaves the error it is accepted with.
pub fn run(verb: &Verb) -> Exit {
    with_shipped(|knowledge| match verb {
        Verb::List { format } => match list(knowledge) {
            Ok(sheet) => print_sheet(&sheet, *format),
            Err(why) => say(Exit::Failed, why),
        },
        Verb::Show { id } => match header(knowledge, id) {
            Ok(header) => print(shown(header, knowledge).as_bytes()),
            Err(wrong) => say(Exit::Unreadable, wrong),
        },
        Verb::Validate { format } => match knowledge.validate_pk_models() {
            Ok(table) => validated(&table, *format),
            Err(why) => say(Exit::Failed, why),
        },
    })
}

fn list(knowledge: &Knowledge) -> Result<Sheet, String> {
    let (mut lines, effects) = (listed(knowledge)?, listed_effects(knowledge));
    let kinds = lines.iter().map(|_| "levels").chain(effects.iter().map(|_| "effect"));
    let mut sheet = Sheet::default();
    sheet.words("kind", kinds);
    lines.extend(effects);
    let columns = lines.first().map_or(&[][..], |line| line.as_slice());
    for (place, (name, _)) in columns.iter().enumerate() {
        sheet.words(name, lines.iter().map(|line| line[place].1));
    }
    Ok(sheet)
}

fn header<'k>(knowledge: &'k Knowledge, id: &str) -> Result<&'k Header, Unreadable> {
    match knowledge.pd_models.get(id) {
        Some(effect) => Ok(&effect.header),
        None => Chosen::find(knowledge, id, Form::Racemate).map(|chosen| &chosen.item.header),
    }
}

/// The file, and the documents behind it as comments, so that the whole still reads as TOML.
fn shown(header: &Header, knowledge: &Knowledge) -> String {
    let mut out = knowledge.show(&header.id).unwrap_or_default().to_owned();
    out.push_str("\n# Sources\n");
    for id in &header.sources {
        let Some(source) = knowledge.sources.get(id) else { continue };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "# {id}: {}", source.title);
        for address in &source.addresses {
            let _ = writeln!(out, "#   {address}");
        }
    }
    out
}

fn validated(table: &[Verdict], format: Format) -> Exit {
    let mut sheet = Sheet::default();
    sheet.words("model", table.iter().map(|line| line.model.as_str()));
    sheet.words("data_set", table.iter().map(|line| line.observations.as_str()));
    sheet.words("same_site", table.iter().map(|line| if line.same_site { "yes" } else { "no" }));
    sheet.numbers("pairs", table.iter().map(|line| line.agreement.pairs as f64));
    sheet.numbers("mdpe_percent", table.iter().map(|line| line.agreement.mdpe.0 * 100.0));
    sheet.numbers("mdape_percent", table.iter().map(|line| line.agreement.mdape.0 * 100.0));
    sheet.numbers("gmr", table.iter().map(|line| line.agreement.gmr.0));
    let word = |line: &Verdict| match line.accepted {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    };
    sheet.words("accepted", table.iter().map(word));
    let outside: Vec<String> = table.iter().map(|line| line.outside.join("; ")).collect();
    sheet.words("outside_validity", outside.iter().map(String::as_str));
    let printed = print_sheet(&sheet, format);
    match table.iter().find(|line| line.accepted == Some(false)) {
        Some(line) => {
            say(Exit::Failed, format!("{} leaves its accepted error on {}", line.model, line.observations))
        }
        None => printed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_outside_its_accepted_error_fails() {
        let knowledge = Knowledge::shipped().unwrap_or_else(|error| panic!("{error}"));
        let mut table = knowledge.validate_pk_models().expect("it can be reckoned");
        assert_eq!(validated(&table, Format::Csv), Exit::Done);
        let line = table.iter_mut().find(|line| line.accepted.is_some()).expect("one is accepted");
        line.accepted = Some(false);
        assert_eq!(validated(&table, Format::Csv), Exit::Failed);
    }
}

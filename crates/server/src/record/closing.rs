//! How the visit ended: where the drug went, readiness to go home, signatures, corrections, and the place in the log.

use super::sheet::{Cell, Part, Section, Table, fact};
use super::signing::signatures;
use super::{Teller, nothing};
use crate::words;
use clinic::knowledge::discharge::{Discharge, MustBeYes, ScoreItem};
use clinic::knowledge::gates::Answers;
use clinic::quantity::Micrograms;
use clinic::session::balance::Balance;
use clinic::session::{Command, Event, ReadBy, VialFate, Wasted};

/// The accounts in exact milligrams.
pub(super) fn balance(teller: &Teller) -> Section {
    const TITLE: &str = "Drug balance";
    let accounts = Balance::of(teller.session, teller.end);
    if accounts == Balance::default() {
        return nothing(TITLE, "No vial was opened.");
    }
    let waste = teller.session.waste.as_ref();
    let mut table = Table::new("Every microgram", &[("Account", 34), ("Mass", 22), ("How known", 44)], "");
    let explained = waste.and_then(|waste| waste.explanation.clone()).unwrap_or_default();
    let witness =
        waste.map_or_else(String::new, |waste| format!("witnessed by {}", teller.who(&waste.witness.by)));
    let mut row = |account: &str, mass: Micrograms, how: String| {
        table.row([account.into(), mass.to_string().into(), how.into()]);
    };
    row("In the vials", accounts.vial, "as scanned".to_owned());
    if accounts.unopened > Micrograms::ZERO {
        row("In vials that were not opened", accounts.unopened, unopened_vials(teller));
    }
    row("Left in the opened vials", accounts.left, rest_of_the_vials(waste));
    if accounts.overfill > Micrograms::ZERO {
        row(
            "Measured beyond the label",
            accounts.overfill,
            "overfill, in no account of this visit".to_owned(),
        );
    }
    if accounts.vials_explained != Micrograms::ZERO {
        row("Difference in the vials explained", accounts.vials_explained, explained.clone());
    }
    row("Drawn", accounts.drawn, "as recorded at each draw".to_owned());
    let counted = words::doubt(teller.session, teller.zone, teller.end)
        .unwrap_or_else(|| super::visit::how_known(teller));
    if accounts.discarded > Micrograms::ZERO {
        row("Discarded before the start", accounts.discarded, "witnessed, and drawn anew".to_owned());
    }
    row("Delivered", accounts.delivered, counted);
    row("Left in the line", accounts.residual, witness.clone());
    row("Wasted", accounts.wasted, witness);
    row("Difference explained", accounts.explained, explained);
    row(
        "In no account",
        accounts.open().plus(accounts.open_in_vials()),
        how_closed(teller, &accounts).to_owned(),
    );
    let discarded = match accounts.discarded {
        Micrograms::ZERO => String::new(),
        discarded => format!("{discarded} discarded + "),
    };
    let sums = format!(
        "{} drawn = {discarded}{} delivered + {} in the line + {} wasted + {} explained + {} in no account.",
        accounts.drawn,
        accounts.delivered,
        accounts.residual,
        accounts.wasted,
        accounts.explained,
        accounts.open()
    );
    let mut parts = vec![Part::Table(table), Part::Words(sums)];
    parts.extend(did_not_add_up(teller).map(Part::Words));
    Section::new(TITLE, parts)
}

/// What nobody measured closes no account, even where the sums by draws and rates come out.
fn how_closed(teller: &Teller, accounts: &Balance) -> &'static str {
    let session = teller.session;
    let goes_on = session.waste.is_none() && !session.phase.closed();
    if goes_on || (accounts.closed() && session.rest_is_open()) {
        "the balance is not closed yet: nobody has measured what is left"
    } else if accounts.closed() {
        "the balance is closed"
    } else {
        "THE BALANCE IS OPEN"
    }
}

/// Each measurement of the rest that did not add up and that nobody explained.
fn did_not_add_up(teller: &Teller) -> impl Iterator<Item = String> {
    teller.history.events.iter().filter_map(|one| match &one.event {
        Event::WasteDiffered { wasted, residual_in_line, vials, difference, witness, .. } => Some(format!(
            "At {} the rest was measured and did NOT add up: {wasted} to waste, {residual_in_line} in the line, {}, \
             {difference} of what was drawn and {} of what the vials held in no account; witnessed by {}.",
            teller.clock(one.at),
            words::measured_in_vials(vials),
            vials.iter().map(|one| one.difference).fold(Micrograms::ZERO, Micrograms::plus),
            teller.who(&witness.by)
        )),
        _ => None,
    })
}

/// Who took the vials back that were not opened, and who saw it.
fn unopened_vials(teller: &Teller) -> String {
    let back = teller.history.events.iter().filter_map(|one| match &one.event {
        Event::VialsReturned { witness, .. } => Some(format!(
            "returned by {} at {}, witnessed by {}",
            teller.who(&one.by),
            teller.clock(one.at),
            teller.who(&witness.by)
        )),
        _ => None,
    });
    let back: Vec<String> = back.collect();
    let here = teller.session.unopened().len();
    let open = (here > 0).then(|| format!("NOT RETURNED: {here}"));
    back.into_iter().chain(open).collect::<Vec<_>>().join("; ")
}

/// How the rest of the opened vials is known, and what became of it. Only what somebody measured is called so.
fn rest_of_the_vials(waste: Option<&Wasted>) -> String {
    match waste {
        None => "by the draws; not measured yet".to_owned(),
        Some(waste) => {
            let fate = match waste.vial_fate {
                VialFate::Wasted => "wasted before the witness",
                VialFate::Returned => "back to the safe",
            };
            let measured = words::measured_in_vials(&waste.vials);
            if waste.vials.is_empty() {
                format!("by the draws, NOT MEASURED; {fate}")
            } else {
                format!("measured, {measured}; {fate}")
            }
        }
    }
}

/// Score, criteria and who took the patient home, or where else the visit ended.
pub(super) fn end(teller: &Teller) -> Section {
    const TITLE: &str = "Recovery and discharge";
    let mut parts = Vec::new();
    if let Some((items, total, at)) = &teller.session.discharge_score {
        let mut table = Table::new(
            &format!("Discharge score {total}, at {}", teller.clock(*at)),
            &[("Item", 34), ("Found", 52), ("Points", 14)],
            "",
        );
        for (id, points) in items {
            let (title, found) = item_words(teller, id, *points);
            table.row([title.into(), found.into(), points.to_string().into()]);
        }
        parts.push(Part::Table(table));
    }
    for one in &teller.history.events {
        match &one.event {
            Event::Discharged { escort, escort_phone, score, instructions, signature } => {
                parts.push(Part::Table(criteria(teller)));
                parts.push(Part::Facts(vec![
                    fact("Went home", format!("{} with {escort}, {escort_phone}", teller.clock(one.at))),
                    fact("Discharge score", score.to_string()),
                    fact("Instructions given", instructions.clone()),
                    fact("Discharged by", teller.who(&signature.by)),
                ]));
            }
            Event::LeftUnfinished { what, items, word } => {
                let (kind, items) = (what.title(), items.join("; "));
                parts.push(Part::Words(format!("Went home with {kind}: {items}. Word on it: {word}.")));
            }
            Event::SessionCancelled { reason } => {
                parts.push(Part::Words(format!(
                    "Cancelled at {} by {}: {reason}",
                    teller.clock(one.at),
                    teller.who(&one.by)
                )));
            }
            Event::Transferred { transfer, signature } => {
                parts.push(Part::Words(format!(
                    "Transferred at {} to {}: {}. Signed by {}.",
                    teller.clock(one.at),
                    transfer.to,
                    transfer.reason,
                    teller.who(&signature.by)
                )));
            }
            _ => {}
        }
    }
    if parts.is_empty() {
        return nothing(TITLE, "Not yet: the visit goes on.");
    }
    Section::new(TITLE, parts)
}

fn item_words(teller: &Teller, id: &str, points: u8) -> (String, String) {
    let is = |item: &&ScoreItem| item.id == id;
    let found = teller.knowledge.discharge.iter().find_map(|item| match &item.body {
        Discharge::Score(score) => score.items.iter().find(is),
        Discharge::Criteria(_) => None,
    });
    match found {
        Some(item) => {
            (item.title.clone(), item.answers.get(usize::from(points)).cloned().unwrap_or_default())
        }
        None => (id.replace('_', " "), String::new()),
    }
}

/// The statements answered at the door; they stand in the command, and the rule refused any other answer.
fn criteria(teller: &Teller) -> Table {
    let mut table =
        Table::new("Answered at discharge", &[("Statement", 70), ("Answer", 30)], "Not in the log.");
    let answers = teller.history.causes.iter().rev().find_map(|(cause, positions)| match &cause.command {
        Command::Discharge { answers, .. } if !positions.is_empty() => Some(answers),
        _ => None,
    });
    let none = Answers::new();
    for (asked, answer) in answers.unwrap_or(&none) {
        let words = |yes: &[MustBeYes]| yes.iter().find(|one| one.fact == *asked).map(|one| one.ask.clone());
        let ask = teller.knowledge.discharge.iter().find_map(|item| match &item.body {
            Discharge::Criteria(criteria) => words(&criteria.yes),
            Discharge::Score(_) => None,
        });
        table.row([ask.unwrap_or_else(|| asked.replace('_', " ")).into(), answer.to_string().into()]);
    }
    table
}

/// Printed name, role, meaning and time of each signature.
fn signatures_table(teller: &Teller) -> Table {
    let heads = [("Under", 20), ("Meaning", 34), ("Signed by", 22), ("As", 10), ("Time", 14)];
    let mut table = Table::new("Signed by PIN or password, each at its time", &heads, "Nothing was signed.");
    for signed in signatures(teller.history) {
        let place = signed.position.map_or_else(String::new, |position| format!(" (entry {position})"));
        table.row([
            format!("{}{place}", signed.under).into(),
            format!("“{}”", signed.signature.meaning).into(),
            teller.who(&signed.signature.by).into(),
            signed.signature.role.title().into(),
            teller.clock_s(signed.signature.at).into(),
        ]);
    }
    table
}

pub(super) fn signed(teller: &Teller) -> Section {
    Section::new("Signatures", vec![Part::Table(signatures_table(teller))])
}

/// Corrections: old words struck through, new words, who, when, why. Then what was noted in words.
pub(super) fn amendments(teller: &Teller) -> Section {
    let heads = [("Time", 10), ("Entry", 8), ("Old and new", 40), ("Why", 22), ("By", 20)];
    let mut amended = Table::new("Entries amended", &heads, "None.");
    let mut notes = Table::new("Notes", &[("Time", 10), ("Note", 66), ("By", 24)], "None.");
    for one in &teller.history.events {
        match &one.event {
            Event::EntryAmended { position, reason, text } => {
                let old = teller.history.events.iter().find(|old| old.position == *position);
                let old = old.map_or_else(String::new, |old| words::line(&old.event, teller.knowledge));
                amended.row([
                    teller.clock_s(one.at).into(),
                    position.to_string().into(),
                    Cell {
                        struck: old,
                        text: if text.is_empty() { "struck".to_owned() } else { text.clone() },
                    },
                    reason.clone().into(),
                    teller.who(&one.by).into(),
                ]);
            }
            Event::StartCounterCorrected { reason, .. } => {
                let start = teller.history.start_of_infusion();
                amended.row([
                    teller.clock_s(one.at).into(),
                    start.map_or_else(String::new, |start| start.position.to_string()).into(),
                    Cell {
                        struck: start
                            .map_or_else(String::new, |start| words::line(&start.event, teller.knowledge)),
                        text: words::line(&one.event, teller.knowledge),
                    },
                    reason.clone().into(),
                    teller.who(&one.by).into(),
                ]);
            }
            Event::NoteWritten { text } => {
                notes.row([
                    teller.clock_s(one.at).into(),
                    teller.cell(one.position, text.clone()),
                    teller.who(&one.by).into(),
                ]);
            }
            _ => {}
        }
    }
    Section::new("Amendments and notes", vec![Part::Table(amended), Part::Table(notes)])
}

/// Where it all stands, so that anybody can check this print against the log.
pub(super) fn log(teller: &Teller) -> Section {
    let events = &teller.history.events;
    let by_link =
        |event: &Event| matches!(event, Event::PumpWasRead(read) if matches!(read.by, ReadBy::Link(_)));
    let left_out = events.iter().filter(|one| by_link(&one.event)).count();
    let first = events.first().map_or(0, |one| one.position);
    let facts = vec![
        fact("Visit", teller.history.session.as_str()),
        fact(
            "Entries of the visit",
            format!(
                "{} from position {first} to {}",
                events.len(),
                events.last().map_or(0, |one| one.position)
            ),
        ),
        fact("Last position told", teller.history.last_position.to_string()),
        fact("Chain there (SHA-256)", hex::encode(teller.history.chain)),
        fact("Pump readings by link, not listed", left_out.to_string()),
        fact("Program", format!("Chairside {}", env!("CARGO_PKG_VERSION"))),
    ];
    let heads = [("Entry", 8), ("Time", 12), ("What", 58), ("By", 22)];
    let mut table = Table::new("Every entry", &heads, "None.");
    for one in events.iter().filter(|one| !by_link(&one.event)) {
        let line = teller.cell(one.position, words::line(&one.event, teller.knowledge));
        table.row([
            one.position.to_string().into(),
            teller.clock_s(one.at).into(),
            line,
            teller.who(&one.by).into(),
        ]);
    }
    Section::new("Place in the log", vec![Part::Facts(facts), Part::Table(table)])
}

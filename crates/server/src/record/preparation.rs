//! Before the drug flows: order, gates, drug and pump.

use super::sheet::{Cell, Part, Section, Table, fact};
use super::{Teller, nothing};
use crate::words;
use clinic::course::Plan;
use clinic::gate::{DayOfInputs, Finding, Verdict};
use clinic::id::{StaffId, VialId};
use clinic::knowledge::gates::Gate;
use clinic::quantity::plain;
use clinic::session::{Checked, Event, Order, Recorded, SecondReading, gates};
use clinic::staff::Signature;

/// The order in force with its arithmetic, and those it replaced.
pub(super) fn order(teller: &Teller) -> Section {
    const TITLE: &str = "Order";
    let signed: Vec<(&Recorded, &Order, &Signature)> = teller
        .history
        .events
        .iter()
        .filter_map(|one| match &one.event {
            Event::OrderSigned { order, signature } => Some((one, order, signature)),
            _ => None,
        })
        .collect();
    if signed.is_empty() {
        return nothing(TITLE, "No order was signed.");
    }
    let in_force = teller.session.order.as_ref().map(|(order, _)| &order.id);
    let mut parts = Vec::new();
    let heads = [("Signed", 12), ("Order", 50), ("By", 24), ("State", 14)];
    let mut table = Table::new("Orders signed", &heads, "None.");
    for (n, (one, order, signature)) in signed.iter().enumerate() {
        let is_in_force = n + 1 == signed.len() && in_force == Some(&order.id);
        let line = words::line(&one.event, teller.knowledge);
        let (line, state) = match (is_in_force, n + 1 == signed.len()) {
            (true, _) => (teller.cell(one.position, line), "in force"),
            (false, true) => (Cell { struck: line, text: String::new() }, "void: weighed again"),
            (false, false) => (Cell { struck: line, text: String::new() }, "replaced"),
        };
        table.row([teller.clock(one.at).into(), line, teller.who(&signature.by).into(), state.into()]);
    }
    if let Some((order, _)) = &teller.session.order {
        parts.push(Part::Facts(order_facts(teller, order)));
        parts.push(Part::Table(findings("What the rules said of it", &order.findings)));
    }
    parts.push(Part::Table(table));
    parts.push(Part::Table(passed_limits(teller)));
    Section::new(TITLE, parts)
}

fn order_facts(teller: &Teller, order: &Order) -> Vec<(String, String)> {
    let steps: Vec<String> =
        order.steps.iter().map(|(rate, minutes)| format!("{rate} for {} min", plain(*minutes))).collect();
    let mut facts = vec![
        fact(
            "Regimen",
            format!("{} (version {})", teller.title_of(order.regimen.as_str()), order.regimen_version),
        ),
        fact("Ordered", format!("{} {} over {} min", order.drug, order.ordered, plain(order.minutes))),
        fact("Dose weight", format!("{} ({})", order.dose_weight, order.descriptor)),
        fact("Dose", order.dose.to_string()),
        fact("Strength", order.concentration.to_string()),
        fact("Volume to be infused", order.vtbi.to_string()),
        fact("Rate", steps.join(", then ")),
        fact("Arithmetic as signed", order.chain.clone()),
    ];
    if let Some(beside) = &order.beside_plan {
        let says = match (beside.version, beside.differs_in()) {
            (None, _) => format!("no signed plan was in force{}", usual(teller, order)),
            (Some(_), Some(differs)) => format!("another than the {differs}"),
            (Some(version), None) => format!("as in the signed plan, version {version}"),
        };
        facts.push(fact("Beside the plan", says));
    }
    if let Some(reason) = &order.reason {
        facts.push(fact("Reason given", reason.clone()));
    }
    facts
}

/// What the regimen itself says of a first dose, where it still is as it was then.
fn usual(teller: &Teller, order: &Order) -> String {
    let item = teller.knowledge.regimens.get(order.regimen.as_str());
    let item = item.filter(|item| item.header.version == order.regimen_version);
    let usual = item.and_then(|item| Plan::usual(item, Vec::new()));
    usual.map_or_else(String::new, |plan| format!("; the regimen begins with {}", plan.first_dose()))
}

fn findings(caption: &str, findings: &[Finding]) -> Table {
    let heads = [("Rule", 24), ("Verdict", 12), ("Said", 64)];
    let mut table = Table::new(caption, &heads, "No rule had anything to say.");
    for one in findings {
        let rule = format!("{} v{}", one.rule, one.version);
        table.row([rule.into(), words::verdict(one.verdict).into(), one.reason.clone().into()]);
    }
    table
}

fn passed_limits(teller: &Teller) -> Table {
    let heads = [("Time", 12), ("Limit passed", 36), ("Reason", 28), ("By", 24)];
    let mut table = Table::new("Limits passed with a reason", &heads, "None.");
    for one in &teller.history.events {
        if let Event::LimitOverridden { finding, reason } = &one.event {
            let said = format!("{} v{}: {}", finding.rule, finding.version, finding.reason);
            table.row([
                teller.clock(one.at).into(),
                said.into(),
                teller.cell(one.position, reason.clone()),
                teller.who(&one.by).into(),
            ]);
        }
    }
    table
}

/// Every gate in its order: what was answered, judged and overridden, by whom and when.
pub(super) fn gates(teller: &Teller) -> Section {
    let heads = [("Gate", 19), ("Verdict", 10), ("Answers and reasons", 47), ("By", 16), ("Time", 8)];
    let mut table = Table::new("Gates of the day", &heads, "The rules have no gates.");
    for gate in gates::standing(teller.session, teller.knowledge) {
        let name = format!("{} {}", gate.gate.as_str().to_uppercase(), gate.title);
        let answers: Vec<&Recorded> =
            teller.history.events.iter().filter(|one| is_about(&one.event, gate.gate.as_str())).collect();
        for one in &answers {
            let is_last = answers.last().is_some_and(|last| last.position == one.position);
            let after = match (is_last, gate.open.is_empty()) {
                (false, _) => After::SaidAgain,
                (true, true) => After::Passes,
                (true, false) => After::Open,
            };
            table.row(gate_row(teller, &name, one, after));
        }
        if answers.is_empty() {
            let (verdict, said) = match gate.open.as_slice() {
                [] => (words::verdict(Verdict::Pass), "Answered by what was done".to_owned()),
                open => ("Open", open.join(" ")),
            };
            table.row([name.into(), verdict.into(), said.into(), "".into(), "".into()]);
        }
    }
    Section::new("Gates", vec![Part::Table(table)])
}

fn is_about(event: &Event, gate: &str) -> bool {
    match event {
        Event::GateAnswered(answer) => answer.gate.as_str() == gate,
        Event::GateOverridden { gate: its, .. } => its.as_str() == gate,
        Event::Weighed { .. } => gate == "c10",
        Event::SecondCheckAgreed { .. }
        | Event::SecondCheckDisagreed { .. }
        | Event::SecondChecked { .. }
        | Event::SecondCheckDiffered { .. } => gate == "c15",
        Event::PumpProgrammed(_) => gate == "c16",
        _ => false,
    }
}

/// What became of a gate after an entry about it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    SaidAgain,
    Passes,
    Open,
}

fn gate_row(teller: &Teller, name: &str, one: &Recorded, after: After) -> [Cell; 5] {
    let (verdict, said) = match &one.event {
        Event::GateAnswered(answer) => {
            let mut said: Vec<String> = answered(teller, answer.gate.as_str(), &answer.inputs);
            let reasons = answer.findings.iter().filter(|finding| finding.verdict > Verdict::Pass);
            said.extend(
                reasons.map(|finding| format!("{}: {}", words::verdict(finding.verdict), finding.reason)),
            );
            said.extend((!answer.note.is_empty()).then(|| format!("Note: {}", answer.note)));
            (words::verdict(answer.verdict), said.join("; "))
        }
        Event::GateOverridden { reason, signature, .. } => {
            let meaning = &signature.meaning;
            // What was signed may hold the reason already.
            let said =
                if meaning.contains(reason) { meaning.clone() } else { format!("{meaning}: {reason}") };
            (words::LET_PASS, format!("{said} (signed by {})", teller.who(&signature.by)))
        }
        Event::SecondCheckDisagreed { signature, differs, .. } => {
            let both = words::differences(differs);
            ("Open", format!("Second check by {} DIFFERS: {both}", signature.by))
        }
        event @ Event::SecondCheckDiffered { .. } => ("Open", words::line(event, teller.knowledge)),
        event => ("Done", words::line(event, teller.knowledge)),
    };
    let held = matches!(&one.event, Event::GateAnswered(answer) if answer.verdict >= Verdict::Hold);
    let verdict = match after {
        After::SaidAgain if matches!(one.event, Event::GateAnswered(_)) => {
            format!("{verdict}, then as below")
        }
        // What the visit itself knows, such as a signed order, came after the answer.
        After::Passes if held => format!("{verdict} when asked, passes now"),
        _ => verdict.to_owned(),
    };
    [
        name.into(),
        verdict.into(),
        teller.cell(one.position, said),
        teller.who(&one.by).into(),
        teller.clock(one.at).into(),
    ]
}

/// Question and answer, in the words in which they were asked.
fn answered(teller: &Teller, gate: &str, inputs: &DayOfInputs) -> Vec<String> {
    let asked = |fact: &str| {
        let all = teller.knowledge.gates.get(gate);
        let Some(Gate::Questions(questions)) = all.map(|item| &item.body) else {
            return fact.replace('_', " ");
        };
        let check = questions.checks.iter().find(|check| check.fact == fact);
        check.map_or_else(|| fact.replace('_', " "), |check| check.ask.clone())
    };
    let mut all: Vec<String> =
        inputs.answers.iter().map(|(fact, answer)| format!("{}: {answer}", asked(fact))).collect();
    if !inputs.pressures.is_empty() {
        let cuffs: Vec<String> = inputs.pressures.iter().map(ToString::to_string).collect();
        all.push(format!("NIBP {}", cuffs.join(", ")));
    }
    if let Some(medicines) = &inputs.medicines {
        let names: Vec<&str> = medicines.iter().map(|one| one.ingredient.as_str()).collect();
        all.push(format!(
            "Medicines: {}",
            if names.is_empty() { "none".to_owned() } else { names.join(", ") }
        ));
    }
    all
}

/// Vial, draw, second check, pump and time-out.
pub(super) fn drug(teller: &Teller) -> Section {
    let session = teller.session;
    let heads =
        [("Time", 9), ("Vial", 15), ("NDC", 16), ("Lot", 12), ("Expires", 12), ("Holds", 18), ("By", 18)];
    let mut vials = Table::new("Vials", &heads, "No vial was scanned.");
    let mut draws = Table::new(
        "Draws",
        &[("Time", 9), ("Vial", 15), ("Stock drawn", 16), ("Dose drawn", 16), ("Diluted to", 26), ("By", 18)],
        "Nothing was drawn.",
    );
    let mut checks =
        Table::new("Checked before the start", &[("Time", 9), ("What", 67), ("By", 24)], "Nothing.");
    for one in &teller.history.events {
        let (time, by): (Cell, Cell) = (teller.clock(one.at).into(), teller.who(&one.by).into());
        match &one.event {
            Event::VialScanned(vial) => vials.row([
                time,
                vial_name(&vial.vial),
                vial.read_as
                    .as_ref()
                    .map_or_else(|| vial.ndc.clone(), |read| format!("{} (label: {read})", vial.ndc))
                    .into(),
                teller.cell(one.position, vial.lot.clone()),
                vial.expires.to_string().into(),
                format!("{} of {}", vial.volume, vial.strength).into(),
                by,
            ]),
            Event::Drawn { vial, stock, mass, diluted_to, diluent } => {
                let with = diluent.as_ref().map_or_else(String::new, |diluent| format!(" with {diluent}"));
                let diluted = format!("{diluted_to}{with}");
                let (stock, mass) = (stock.to_string().into(), mass.to_string().into());
                draws.row([time, vial_name(vial), stock, mass, diluted.into(), by]);
            }
            Event::DrawnDiscarded { volume, mass, reason, witness } => {
                let said = format!("{volume} DISCARDED: {reason}; witness {}", teller.who(&witness.by));
                let (said, mass) = (teller.cell(one.position, said), mass.to_string().into());
                draws.row([time, "all of it".into(), "".into(), mass, said, by]);
            }
            event => {
                if let Some((said, by)) = checked(event, &one.by) {
                    checks.row([time, teller.cell(one.position, said), teller.who(by).into()]);
                }
            }
        }
    }
    let mut parts = vec![Part::Table(vials), Part::Table(draws), Part::Table(checks)];
    if session.second_check.is_none() && session.delivery.started().is_none() {
        parts.push(Part::Words("No second check stands for an order in force.".to_owned()));
    }
    Section::new("Drug and pump", parts)
}

/// What was checked before the start, and by whom.
fn checked<'a>(event: &'a Event, by: &'a StaffId) -> Option<(String, &'a StaffId)> {
    match event {
        Event::SecondCheckAgreed { signature, read } => {
            Some((format!("Second check: {}: “{}”", second_reading(read), signature.meaning), &signature.by))
        }
        Event::SecondCheckDisagreed { signature, read, differs } => {
            let differs = words::differences(differs);
            Some((
                format!("Second check DIFFERS: {differs}. All read: {}", second_reading(read)),
                &signature.by,
            ))
        }
        Event::SecondChecked { signature, concentration, dose, rate } => {
            let said = format!("Second check: read {concentration}, {dose}, {rate}: “{}”", signature.meaning);
            Some((said, &signature.by))
        }
        Event::SecondCheckDiffered { signature, read, ordered, differs } => {
            let numbers = |of: &Checked| format!("{}, {}, {}", of.concentration, of.dose, of.rate);
            let differs = differs.join(", ");
            let said = format!(
                "Second check DIFFERS in {differs}: read {}; ordered {}",
                numbers(read),
                numbers(ordered)
            );
            Some((said, &signature.by))
        }
        Event::PumpProgrammed(program) => {
            let device = program.device.as_ref().map_or_else(|| "not linked".to_owned(), ToString::to_string);
            let said = format!(
                "Pump reads {}, {} to be infused, {}; library “{}”; pump {device}",
                program.rate, program.vtbi, program.concentration, program.library_entry
            );
            Some((said, by))
        }
        Event::TimeOutTaken { confirmed } => {
            Some((format!("Time-out, said aloud: {}", confirmed.join(", ")), by))
        }
        _ => None,
    }
}

/// Everything that the second person entered.
fn second_reading(read: &SecondReading) -> String {
    let vials =
        read.vials.iter().map(|vial| format!("{} {}, {} drawn", vial.drug, vial.strength, vial.drawn));
    format!(
        "patient by {}; {}; {}; {} in all; dose weight {}; {}; {}; {} to be infused",
        read.identified.by,
        vials.collect::<Vec<_>>().join(", "),
        read.diluent,
        read.volume,
        read.dose_weight,
        read.dose,
        read.rate,
        read.vtbi
    )
}

fn vial_name(vial: &VialId) -> Cell {
    Cell::from(vial.as_str())
}

//! Who signed what, with which meaning.

use super::history::History;
use clinic::session::{Command, Event};
use clinic::staff::Signature;

/// One signature with what it stands under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// Who, as what, meaning what, when.
    pub signature: Signature,
    /// What was signed.
    pub under: &'static str,
    /// Position of the entry that carries it; `None` when only the command does.
    pub position: Option<i64>,
}

/// Every signature of a visit, oldest entry first.
pub(super) fn signatures(history: &History) -> Vec<Signed> {
    let in_events = history.events.iter().filter_map(|one| {
        let (signature, under) = carried(&one.event)?;
        Some(Signed { signature: signature.clone(), under, position: Some(one.position) })
    });
    let mut all: Vec<Signed> = in_events.collect();
    all.extend(history.causes.iter().filter_map(|(cause, positions)| match &cause.command {
        Command::Resume { prescriber: Some(signature), .. } => Some(Signed {
            signature: signature.clone(),
            under: "Resumption of the infusion",
            position: positions.first().copied(),
        }),
        _ => None,
    }));
    all.sort_by_key(|signed| signed.position);
    all
}

const fn carried(event: &Event) -> Option<(&Signature, &'static str)> {
    match event {
        Event::OrderSigned { signature, .. } => Some((signature, "Order")),
        Event::GateOverridden { signature, .. } => Some((signature, "Gate override")),
        Event::SecondCheckAgreed { signature, .. } | Event::SecondChecked { signature, .. } => {
            Some((signature, "Second check"))
        }
        Event::SecondCheckDisagreed { signature, .. } | Event::SecondCheckDiffered { signature, .. } => {
            Some((signature, "Second check, which differed"))
        }
        Event::DrawnDiscarded { witness, .. } => Some((witness, "Witness of a discarded syringe")),
        Event::WasteDiffered { witness, .. } => Some((witness, "Witness of a waste that did not add up")),
        Event::DrugWasted { witness, .. } => Some((witness, "Witness of the waste")),
        Event::VialsReturned { witness, .. } => Some((witness, "Witness of unopened vials that went back")),
        Event::Discharged { signature, .. } => Some((signature, "Discharge")),
        Event::Transferred { signature, .. } => Some((signature, "Transfer")),
        _ => None,
    }
}

//! A simulated patient reads, understands and signs what an infusion needs, as on a tablet at the front desk.

use crate::floor::{Denied, Floor, PatientAct};
use clinic::consent::{Cover, Hand, How};
use clinic::id::{CommandId, ConsentId, PatientId};
use clinic::patient::Patient;
use clinic::staff::Actor;
use jiff::SignedDuration;
use sim::cast::ROBIN;

/// Has a patient sign for every dose, through the clinic's own way.
///
/// # Errors
/// What the clinic refuses, or that nothing is being recorded.
pub fn sign_consent(floor: &Floor, id: &PatientId, patient: &Patient) -> Result<(), Denied> {
    let knowledge = floor.knowledge();
    let needed = knowledge.documents().into_iter().filter(|(_, document)| document.needed);
    let documents: Vec<_> = needed.map(|(item, document)| (item.header.id.as_str(), document)).collect();
    let covers = knowledge.covers();
    let band = covers.and_then(|covers| covers.bands.last()).map(|band| band.id.clone()).unwrap_or_default();
    let route = covers.and_then(|covers| covers.routes.first()).map(|route| route.id.clone());
    let cover = Cover { band, route: route.unwrap_or_default() };
    let (desk, tablet) = (ROBIN.actor(), Actor::machine("patient-tablet"));
    let (asks, signs) =
        (CommandId::new(format!("consent-{id}")), CommandId::new(format!("consent-{id}-signed")));
    let act = PatientAct { command_id: &asks, actor: &desk, patient: id };
    let ids = documents.iter().map(|(id, _)| (*id).to_owned()).collect();
    floor.ask_consent(&act, &ids, (&cover, How::Tablet, SignedDuration::from_hours(1)))?;
    let asked = ConsentId::new(asks.as_str());
    for (nth, (document, text)) in documents.iter().enumerate() {
        let answers = text.questions.iter().map(|question| (question.id.clone(), question.right)).collect();
        let agrees = CommandId::new(format!("consent-{id}-{nth}"));
        let act = PatientAct { command_id: &agrees, actor: &tablet, patient: id };
        floor.agree_to(&act, (&asked, document), &answers)?;
    }
    let act = PatientAct { command_id: &signs, actor: &tablet, patient: id };
    let name = format!("{} {}", patient.given, patient.family);
    floor.sign_consent(&act, &asked, (patient, Hand::Typed(&name))).map(|_| ())
}

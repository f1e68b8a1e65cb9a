//! What a made-up patient reads, understands and signs before the first infusion, as on a tablet at the front desk.

use super::Stuck;
use super::pen::Pen;
use super::start::Person;
use crate::cast::ROBIN;
use clinic::consent::{Consents, Cover, Event, Hand, How, agree, ask, sign};
use clinic::id::{ConsentId, StaffId};
use clinic::staff::Actor;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// Every document that an infusion needs, for every dose.
pub(super) fn signed(pen: &mut Pen, person: &Person, at: Timestamp) -> Result<(), Stuck> {
    let knowledge = pen.history.knowledge;
    let needed: Vec<_> = knowledge.documents().into_iter().filter(|(_, text)| text.needed).collect();
    let covers = knowledge.covers();
    let cover = Cover {
        band: covers.and_then(|covers| covers.bands.last()).map(|band| band.id.clone()).unwrap_or_default(),
        route: covers.and_then(|covers| covers.routes.first()).map(|one| one.id.clone()).unwrap_or_default(),
    };
    let id = ConsentId::new(pen.id(at));
    let ids = needed.iter().map(|(item, _)| item.header.id.clone()).collect();
    let expires = at.saturating_add(SignedDuration::from_hours(1)).unwrap_or(at);
    let asked = ask(&ROBIN.actor(), id.clone(), &ids, (cover, How::Tablet, expires), knowledge)
        .map_err(|why| pen.stuck(at, "ask for consent", why))?;
    let mut all = kept(pen, person, Consents::default(), (&ROBIN.actor(), asked), at);
    let tablet = Actor::machine("patient-tablet");
    let mut now = at;
    for (item, text) in needed {
        now = now.saturating_add(SignedDuration::from_mins(4)).unwrap_or(now);
        let answers = text.questions.iter().map(|question| (question.id.clone(), question.right)).collect();
        let agreed = agree(&all, (&id, &item.header.id), answers, now, knowledge)
            .map_err(|why| pen.stuck(now, "agree", why))?;
        all = kept(pen, person, all, (&tablet, agreed), now);
    }
    let name = format!("{} {}", person.patient.given, person.patient.family);
    let digest = |words: &str| hex::encode(Sha256::digest(words.as_bytes()));
    let event = sign(&all, &id, (&person.patient, Hand::Typed(&name)), digest, now, knowledge)
        .map_err(|why| pen.stuck(now, "sign", why))?;
    kept(pen, person, all, (&tablet, event), now);
    Ok(())
}

fn kept(
    pen: &mut Pen,
    person: &Person,
    all: Consents,
    (who, event): (&Actor, Event),
    at: Timestamp,
) -> Consents {
    pen.event(at, who, format!("consent/{}", person.id), &event);
    all.evolve(&event, &StaffId::new(who.id.as_str()), at)
}

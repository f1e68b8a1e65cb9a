//! Whether what a patient signed still stands: the text, the doses and the route are the same, and nothing was taken
//! back since.

use super::Cover;
use super::state::{Consents, Signed};
use crate::knowledge::consent::{Consent, Document};
use crate::knowledge::measure::MgPerKg;
use crate::knowledge::{Item, Knowledge};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

/// What an agreement has to reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needs {
    /// Dose of the infusion: ordered, else planned; none while neither is.
    pub dose: Option<MgPerKg>,
    /// Route; none is the clinic's own.
    pub route: Option<String>,
}

/// How a document stands with a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Signed, and the signature holds.
    Holds(&'a Signed),
    /// Signed, and to be asked again: why.
    Again(&'a Signed, String),
    /// Taken back after it was signed.
    Withdrawn(Timestamp),
    /// Refused, and not signed since.
    Refused(Timestamp),
    /// Neither signed nor refused.
    Open,
}

/// How one document stands.
pub fn standing<'a>(
    all: &'a Consents,
    (item, _): (&Item<Consent>, &Document),
    needs: &Needs,
    knowledge: &Knowledge,
) -> Standing<'a> {
    let id = &item.header.id;
    if let Some((at, _)) = all.withdrawn.get(id) {
        return Standing::Withdrawn(*at);
    }
    if let Some((at, _)) = all.refused.get(id) {
        return Standing::Refused(*at);
    }
    let Some(signed) = all.last(id) else { return Standing::Open };
    match why_again(item, signed, needs, knowledge) {
        Some(why) => Standing::Again(signed, why),
        None => Standing::Holds(signed),
    }
}

fn why_again(
    item: &Item<Consent>,
    Signed { text, cover, .. }: &Signed,
    needs: &Needs,
    knowledge: &Knowledge,
) -> Option<String> {
    let (was, now) = (text.edition.version, item.header.version);
    if was != now {
        return Some(format!("version {was} was signed, the text is now version {now}"));
    }
    let Some(covers) = knowledge.covers() else {
        return Some("missing: what a consent covers is not in the knowledge".to_owned());
    };
    let route = needs.route.as_ref().or_else(|| covers.routes.first().map(|route| &route.id));
    if route != Some(&cover.route) {
        let asked = Cover { route: route.cloned().unwrap_or_default(), ..cover.clone() };
        return Some(format!("signed for {}, asked is {}", covers.words(cover), covers.words(&asked)));
    }
    let beyond = needs.dose.filter(|dose| !covers.reach(cover, *dose))?;
    Some(format!("signed for {}, asked is {beyond}", covers.words(cover)))
}

/// What the patient's agreement comes to before an infusion.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Agreed<'a> {
    /// The signatures that hold, under documents without which there is no infusion.
    pub holds: Vec<&'a Signed>,
    /// What is missing, a sentence a document.
    pub missing: Vec<String>,
}

impl Agreed<'_> {
    /// The oldest signature that is relied on.
    pub fn since(&self) -> Option<Timestamp> {
        self.holds.iter().map(|signed| signed.at).min()
    }
}

/// What has been agreed to of all that an infusion needs.
pub fn before_infusion<'a>(all: &'a Consents, needs: &Needs, knowledge: &Knowledge) -> Agreed<'a> {
    let mut agreed = Agreed::default();
    let needed = knowledge.documents().into_iter().filter(|(_, document)| document.needed);
    for (item, document) in needed {
        let title = &item.header.title;
        let missing = match standing(all, (item, document), needs, knowledge) {
            Standing::Holds(signed) => {
                agreed.holds.push(signed);
                continue;
            }
            Standing::Again(_, why) => format!("to be signed again, {why}"),
            Standing::Withdrawn(_) => "the patient has taken it back".to_owned(),
            Standing::Refused(_) => "the patient has refused it".to_owned(),
            Standing::Open => "not signed".to_owned(),
        };
        agreed.missing.push(format!("Consent “{title}”: {missing}."));
    }
    if agreed.holds.is_empty() && agreed.missing.is_empty() {
        agreed.missing.push("missing: no document of consent is in the knowledge.".to_owned());
    }
    agreed
}

/// Months from a day to another, a begun one counted whole.
pub fn months_begun(from: Date, to: Date) -> i32 {
    let over = |months: &i32| from.checked_add(months.months()).map_or(true, |end| end >= to);
    (0..i32::MAX).find(over).unwrap_or(i32::MAX)
}

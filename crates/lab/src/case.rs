//! One model asked about one person: what of the dose goes into it, what its level is a level of, how its effect site
//! follows, and where it stands outside what it was made for.

use crate::Wrong;
use crate::asked::Argument;
use crate::simulated::Person;
use clinic::dose::parse::Unreadable;
use clinic::knowledge::pk_models::{PkModel, Role};
use clinic::knowledge::{Evidence, Item, Knowledge};
use pkpd::{
    Basis, Body, Course, Dose, Form, Minutes, Model, PerMin, Reason, Refused, Schedule, Site, changing_course,
};

/// A model with its file.
pub struct Chosen<'k> {
    /// As its file says it.
    pub item: &'k Item<PkModel>,
    /// Ready to simulate.
    pub model: Model,
    /// How its level answers for what is given.
    pub basis: Basis,
    /// How its effect site follows the plasma; `None` when nobody measured that for its sampling site.
    pub ke0: Option<PerMin>,
    /// For a person: what its numbers mean here.
    pub notes: Vec<String>,
}

/// A word for a name that is not there: how alike two words have to be to be offered.
pub(crate) const NEAR: f64 = 0.7;

impl<'k> Chosen<'k> {
    /// Finds a model, and how it answers for what is given.
    ///
    /// # Errors
    /// [`Unreadable`] with the near names when there is no such model.
    pub fn find(knowledge: &'k Knowledge, id: &str, given: Form) -> Result<Self, Unreadable> {
        let accepted = "an id that `chairside models list` shows";
        let argument = Argument { field: "--model", text: id, accepted };
        let item = knowledge.pk_models.get(id).ok_or_else(|| argument.unreadable(unknown(knowledge, id)))?;
        let model = item.model().map_err(|why| argument.unreadable(why))?;
        let mut chosen =
            Self { item, basis: Basis::of(given, model.form()), model, ke0: None, notes: Vec::new() };
        chosen.notes.extend(chosen.meaning());
        if chosen.model.site() == Site::Unknown {
            chosen.notes.push(format!("{id} does not say whether its blood was arterial or venous"));
        }
        Ok(chosen)
    }

    /// The same with an effect site: as asked for, else the model's own, else that of the default model where the
    /// blood is of the same site, else none.
    ///
    /// # Errors
    /// Knowledge that does not fit; shipped files do.
    pub fn with_effect_site(
        mut self,
        knowledge: &Knowledge,
        asked: Option<PerMin>,
    ) -> Result<Self, Unreadable> {
        let id = self.model.id().to_owned();
        let argument = Argument { field: "--model", text: &id, accepted: "a model whose file fits" };
        let told = |why: String| argument.unreadable(why);
        let own = self.item.effect_site().map_err(told)?.map(|site| site.ke0);
        let chair = knowledge.chair_models().map_err(told)?;
        let (default, known) = (chair.default.id(), site_name(chair.effect_site.site));
        let is_known = own.is_some() || chair.effect_site.site == self.model.site();
        let site = site_name(self.model.site());
        self.ke0 = asked.or(own).or(is_known.then_some(chair.effect_site.ke0));
        self.notes.extend(match (asked, own) {
            (Some(ke0), _) if !is_known => Some(format!(
                "--ke0 {ke0} is used with {site} blood as in {id}: an effect site was measured with {known} blood only (as \
                 in {default}), and after {site} levels such a constant has no source"
            )),
            (None, None) if is_known => {
                Some(format!("{id} has no effect site of its own; that of {default} is used, --ke0 gives another"))
            }
            (None, None) => {
                Some(format!("no effect site is known for {site} blood as in {id}: there is no level at it without --ke0"))
            }
            _ => None,
        });
        Ok(self)
    }

    /// Refuses blood of another site than the model's; where nobody told the site, what a reader has to know.
    ///
    /// # Errors
    /// [`Wrong::Unsafe`].
    pub(crate) fn takes_blood(&self, of: Option<Site>) -> Result<Option<String>, Wrong> {
        let (id, its) = (self.model.id(), site_name(self.model.site()));
        match of {
            None => Ok(Some(format!("the blood is taken to be {its}, as the model's; --site says it"))),
            Some(site) if site == self.model.site() => Ok(None),
            Some(site) => {
                let blood = site_name(site);
                Err(Wrong::Unsafe(format!(
                    "--site {blood}: {id} describes {its} blood, and the two differ twofold"
                )))
            }
        }
    }

    /// Where nobody measured how people differ: what a reader of anything that rests on it has to know.
    pub(crate) fn assumed(&self) -> Option<String> {
        let (id, spread) = (self.model.id(), self.item.body.spread.as_ref()?);
        (spread.evidence != Evidence::Sourced).then(|| {
            format!(
                "the between-person spread of {id} is an assumption, and so is the error of the assay beside it, see \
                 `chairside models show {id}`"
            )
        })
    }

    fn meaning(&self) -> Option<String> {
        let id = self.model.id();
        match self.basis {
            Basis::Racemate | Basis::S => None,
            Basis::TwiceS => Some(format!(
                "{id} describes S-ketamine: half of the racemate goes into it, and its levels are those of the S half"
            )),
            Basis::SByRacemate => Some(format!(
                "{id} describes the racemate and takes both halves for alike: its levels are those of S-ketamine"
            )),
        }
    }

    /// Course of the typical person: levels of what the model describes.
    ///
    /// # Errors
    /// What the engine refuses.
    pub fn course(&self, who: &Person, given: &Schedule, times: &[Minutes]) -> Result<Course, Refused> {
        let inside = given.scaled(self.basis.of_dose())?;
        let first = self.model.typical(who.body)?;
        if who.weight_from.is_empty() {
            return first.course(&inside, self.ke0, times);
        }
        let later = who.bodies().map(|(from, body)| Ok((from, self.model.typical(body)?)));
        let later = later.collect::<Result<Vec<_>, Refused>>()?;
        let begin = (Minutes(f64::NEG_INFINITY), &first);
        let stages: Vec<_> =
            std::iter::once(begin).chain(later.iter().map(|(from, who)| (*from, who))).collect();
        changing_course(&stages, &inside, self.ke0, times)
    }

    /// Where person and doses, and how they are given, lie outside the model's domain at these times.
    pub(crate) fn objections(&self, body: Body, given: &Schedule, times: &[Minutes]) -> Vec<Reason> {
        let giving = self.model.objections_to_giving(given, times);
        self.model.objections(body, given).into_iter().chain(giving).collect()
    }

    /// The same for a study: an age that was not told is no reason, but for a model of children.
    #[must_use]
    pub fn outside(&self, body: Body, given: &Schedule, times: &[Minutes]) -> Vec<Reason> {
        let mut reasons = self.objections(body, given, times);
        let is_of_children = self.item.body.role == Role::Paediatric;
        reasons.retain(|reason| is_of_children || *reason != Reason::AgeMissing);
        reasons
    }

    /// At which of the times they do. The minutes after a bolus pass, every other reason holds for all of them.
    pub(crate) fn marks(&self, reasons: &[Reason], given: &Schedule, times: &[Minutes]) -> Vec<bool> {
        let always = reasons.iter().any(|reason| !matches!(reason, Reason::AfterBolus { .. }));
        times.iter().map(|time| always || self.model.is_after_bolus(given, *time)).collect()
    }

    /// Refuses one dose that gives more in the longest time the model was made for than the most it was made for.
    /// What several doses of one administration add up to is told where levels are simulated or fitted, and refused where
    /// an infusion is planned.
    ///
    /// # Errors
    /// [`Unreadable`] that names the dose and the limit.
    pub fn check_dose(
        &self,
        field: &'static str,
        text: &str,
        dose: &Dose,
        body: Body,
    ) -> Result<(), Unreadable> {
        let valid = &self.model.spec().validity;
        let amount = match *dose {
            Dose::Bolus { amount, .. } => amount.0,
            Dose::Infusion { start, end, rate } => rate.0 * (end.0 - start.0).min(valid.length_max.0),
        };
        let (by_weight, most) = (amount / body.weight.0, valid.dose_max);
        // Half a part in a million above the limit is the rounding of a rate, not a larger dose.
        if by_weight <= most.0 * (1.0 + 5e-7) {
            return Ok(());
        }
        let accepted = "a dose inside the model's range, see `chairside models show`";
        let id = self.model.id();
        Err(Argument { field, text, accepted }
            .unreadable(format!("it gives {by_weight:.3} mg/kg, and {id} was made for at most {most}")))
    }
}

impl Chosen<'_> {
    /// What its levels are levels of, in words.
    #[must_use]
    pub fn levels_of(&self) -> &'static str {
        match self.basis {
            Basis::Racemate => "ketamine",
            Basis::TwiceS => "S half of the ketamine given",
            Basis::S => "S-ketamine",
            Basis::SByRacemate => "S-ketamine, by a model of the racemate",
        }
    }

    /// Name of what is measured of the parent.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        Some(self.model.spec().compartments.first()?.analyte.as_ref()?.name.as_str())
    }

    /// Names of what is measured of metabolites, in the order of the model.
    #[must_use]
    pub fn metabolites(&self) -> Vec<String> {
        let places = self.model.spec().compartments.iter().skip(1);
        places.filter_map(|place| Some(place.analyte.as_ref()?.name.clone())).collect()
    }

    /// What the engine refused, with the argument that it comes from.
    #[must_use]
    pub fn refused(&self, cause: &Refused) -> Unreadable {
        let (field, accepted) = match cause {
            Refused::OutOfRange { what: "weight", .. } => ("--weight", "a weight in that range"),
            Refused::OutOfRange { what: "age" | "youngest age", .. } => ("--age", "an age in that range"),
            Refused::OutOfRange { what: "spread of weights", .. } => (
                "--weight-spread",
                "a standard deviation of the logarithm of weight in that range, such as 0.2",
            ),
            Refused::OutOfRange { what: "ke0", .. } => ("--ke0", "a rate constant in that range"),
            Refused::OutOfRange { what: "interval", .. } => ("--interval", "a time in that range"),
            Refused::OutOfRange { what: "target", .. } => ("--target", "a level in that range"),
            Refused::OutOfRange { what: "infusion rate", .. } => ("--rate-max", "a rate in that range"),
            Refused::OutOfRange { what: "resolution of the pump", .. } => {
                ("--resolution", "a rate in that range")
            }
            Refused::OutOfRange { what: "end", .. } => ("--until", "a time in that range, after --now"),
            Refused::Missing("age") => {
                ("--age", "an age in years, such as \"40 a\", because this model changes with it")
            }
            Refused::TooMany { what: "intervals", .. } => {
                ("--interval", "an interval that divides the plan into no more than that")
            }
            Refused::OutOfRange { what: "time", .. }
            | Refused::TimesFall { .. }
            | Refused::TooMany { .. } => ("--at", "rising times in that range"),
            _ => ("--model", "a model whose parameters stay numbers for this person"),
        };
        let text = match cause {
            _ if field == "--model" => self.model.id().to_owned(),
            Refused::OutOfRange { value, unit: "1", .. } => value.to_string(),
            Refused::OutOfRange { value, unit, .. } => format!("{value} {unit}"),
            _ => String::new(),
        };
        Argument { field, text: &text, accepted }.unreadable(cause)
    }
}

/// Every model in a line: name of the column and cell.
///
/// # Errors
/// Knowledge that does not fit; shipped files do.
pub fn listed(knowledge: &Knowledge) -> Result<Vec<[(&'static str, &str); 6]>, String> {
    knowledge.pk_models.iter().map(cells).collect()
}

fn cells(item: &Item<PkModel>) -> Result<[(&'static str, &str); 6], String> {
    let model = item.model()?;
    let header = &item.header;
    Ok([
        ("id", header.id.as_str()),
        ("substance", if model.form() == Form::Racemate { "ketamine" } else { "esketamine" }),
        ("sampling_site", site_name(model.site())),
        ("role", item.body.role.word()),
        ("evidence", header.evidence.word()),
        ("title", header.title.as_str()),
    ])
}

/// Published models that are left out, and why.
const NOT_SHIPPED: [(&str, &str); 2] = [
    (
        "hornik2018",
        "its numbers come from one program, nobody has checked them against the paper, and its clearance is half of that \
         of every other model of children",
    ),
    (
        "ashraf2018",
        "its liver and gut wall need flows that no model here has, and its deposited code mixes umol/L with mg/L",
    ),
];

fn unknown(knowledge: &Knowledge, id: &str) -> String {
    if let Some((_, why)) = NOT_SHIPPED.iter().find(|(known, _)| *known == id) {
        return format!("it is known and not shipped, because {why}");
    }
    let ids = || knowledge.pk_models.iter().map(|item| item.header.id.as_str());
    let mut near: Vec<&str> = ids().filter(|known| strsim::jaro_winkler(known, id) > NEAR).collect();
    if near.is_empty() {
        near = ids().collect();
    }
    format!("there is no such model; there is {}", near.join(", "))
}

/// Where the blood was drawn, in a word.
#[must_use]
pub fn site_name(site: Site) -> &'static str {
    match site {
        Site::Arterial => "arterial",
        Site::Venous => "venous",
        Site::Unknown => "unknown",
    }
}

//! What is given: typed with units, or as rows in absolute mg.

use crate::asked::{Argument, AskedDose};
use crate::case::Chosen;
use clinic::dose::parse::Unreadable;
use pkpd::{Body, Dose, Given, Kg, Minutes, Refused, Schedule};

/// Doses, read.
#[derive(Debug, Clone, Default)]
pub struct Doses {
    /// With their words.
    typed: Vec<(String, AskedDose)>,
    rows: Vec<Given>,
    resets: Vec<Minutes>,
}

impl Doses {
    /// Reads what is typed; `rows` are in absolute mg and add to it. None at all is an answer.
    ///
    /// # Errors
    /// A dose that cannot be read.
    pub fn read(typed: &[String], rows: Vec<Given>) -> Result<Self, Unreadable> {
        let read = |text: &String| Ok((text.clone(), AskedDose::read("--dose", text)?));
        let typed = typed.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { typed, rows, resets: Vec::new() })
    }

    /// The same for a body that is emptied at some moments: what runs then stops there.
    #[must_use]
    pub fn with_resets(self, resets: Vec<Minutes>) -> Self {
        Self { resets, ..self }
    }

    /// What a reader of levels has to know of them.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let row = |given: &Given| {
            let begin = given.dose.start();
            let is_steady = given.steady_every.is_some();
            is_steady.then(|| {
                format!("`ss`: at {begin} the level is that of steady state; before it there is none, and after it only `addl` doses")
            })
        };
        let typed = self.typed.iter().filter_map(|(_, dose)| dose.note());
        typed.chain(self.rows.iter().filter_map(row)).collect()
    }

    /// What of them a plan from now on does not count.
    ///
    /// # Errors
    /// As [`Doses::schedule`].
    pub fn uncounted(&self, weight: Kg, now: Minutes) -> Result<Option<String>, Unreadable> {
        let (mut counted, mut not) = (0.0, 0.0);
        for dose in self.schedule(weight)?.doses() {
            match *dose {
                Dose::Infusion { start, end, rate } if start < now && end > now => {
                    counted += rate.0 * (now.0 - start.0);
                    not += rate.0 * (end.0 - now.0);
                }
                _ if dose.start() > now || dose.end() > now => not += dose.amount().0,
                _ => {}
            }
        }
        Ok((not > 0.0).then(|| {
            format!("what is given stops at {now}, where the plan begins: of what runs then {counted:.3} mg counted, {not:.3} mg not")
        }))
    }

    /// Whether nothing is given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.typed.is_empty() && self.rows.is_empty()
    }

    /// Where something has to be given.
    #[must_use]
    pub fn nothing() -> Unreadable {
        Self::default().unreadable("nothing is given")
    }

    /// As given to a person of this weight.
    ///
    /// # Errors
    /// A dose beyond what the engine can count.
    pub fn schedule(&self, weight: Kg) -> Result<Schedule, Unreadable> {
        self.schedule_for(|_| weight)
    }

    /// As given to a person whose weight changes: each dose by the weight at its beginning.
    ///
    /// # Errors
    /// A dose beyond what the engine can count.
    pub fn schedule_for(&self, weight: impl Fn(Minutes) -> Kg) -> Result<Schedule, Unreadable> {
        let typed = self.typed.iter().flat_map(|(_, dose)| dose.each_for_weight(&weight));
        let given = typed.chain(self.rows.iter().cloned());
        Schedule::of(given, &self.resets).map_err(|cause| self.refused(&cause))
    }

    /// Each dose as it is ordered for a person of this weight.
    pub(crate) fn given(&self, weight: Kg) -> impl Iterator<Item = Given> {
        let typed = self.typed.iter().flat_map(move |(_, dose)| dose.each_for_weight(move |_| weight));
        typed.chain(self.rows.iter().cloned())
    }

    /// Refuses resets where what was delivered counts for a plan.
    pub(crate) fn without_resets(&self) -> Result<(), Unreadable> {
        let Some(first) = self.resets.first() else { return Ok(()) };
        let (text, accepted) = (first.to_string(), "no reset in a plan: leave out what was given before it");
        let argument = Argument { field: "--reset", text: &text, accepted };
        Err(argument.unreadable("a plan counts all that was delivered, and no body is emptied in it"))
    }

    /// When the body is emptied.
    pub(crate) fn resets(&self) -> &[Minutes] {
        &self.resets
    }

    /// Refuses a dose beyond what the model was made for, and a way in for which it has no source.
    ///
    /// # Errors
    /// [`Unreadable`] that names the dose.
    pub fn check(&self, chosen: &Chosen, body: Body) -> Result<(), Unreadable> {
        let rows = self.rows.iter().filter_map(|given| given.route.as_deref());
        for route in self.typed.iter().filter_map(|(_, dose)| dose.route.as_deref()).chain(rows) {
            chosen.model.route(route).map_err(|cause| self.refused(&cause))?;
        }
        for (text, dose) in &self.typed {
            chosen.check_dose("--dose", text, &dose.for_weight(body.weight), body)?;
        }
        for Given { dose, .. } in &self.rows {
            let text = format!("{} from {} to {}", dose.amount(), dose.start(), dose.end());
            chosen.check_dose("--dose-file", &text, dose, body)?;
        }
        Ok(())
    }

    /// Whether amounts are for each kilogram alone (`true`) or in absolute mg alone.
    ///
    /// # Errors
    /// Some of it is by weight and some is not.
    pub fn are_by_weight(&self) -> Result<bool, Unreadable> {
        let by_weight = self.typed.iter().filter(|(_, dose)| dose.is_by_weight).count();
        match by_weight {
            0 => Ok(false),
            all if all == self.typed.len() && self.rows.is_empty() => Ok(true),
            _ => Err(self.unreadable("some of it is by weight and some is not")),
        }
    }

    fn refused(&self, cause: &Refused) -> Unreadable {
        self.unreadable(cause.to_string())
    }

    fn unreadable(&self, why: impl ToString) -> Unreadable {
        let text = self.typed.iter().map(|(text, _)| text.as_str()).collect::<Vec<_>>().join("; ");
        let field = if self.typed.is_empty() && !self.rows.is_empty() { "--dose-file" } else { "--dose" };
        Argument { field, text: &text, accepted: AskedDose::ACCEPTED }.unreadable(why)
    }
}

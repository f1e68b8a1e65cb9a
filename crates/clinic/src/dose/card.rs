//! The card: every number of one infusion with everything that was found about it.

use super::bag::{self, Bag};
use super::findings::{Rule, asks_for_reason, no_rule, refuses};
use super::limits::{self, Ordered};
use super::order::{self, Picked, WEIGHT_RULE};
use super::plan::{self, Plan, PlannedStep};
use super::stock::{self, StockDraw};
use super::weight::{self, Weights};
use super::{DoseRequest, Refused};
use crate::gate::Finding;
use crate::id::RuleId;
use crate::knowledge::giving_set::GivingSet;
use crate::knowledge::measure::{MgPerHour, Minutes, Ml};
use crate::knowledge::pump_library::PumpEntry;
use crate::knowledge::regimen::{Amount, Regimen, Step};
use crate::knowledge::weight::{Descriptor, DoseWeight};
use crate::knowledge::{Item, Knowledge};
use crate::quantity::{Concentration, Height, Micrograms, Microlitres, Rate, Weight, plain, round_half_up};
use rust_decimal::Decimal;
use serde::Serialize;

/// What one dose weight would give.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WeightDose {
    /// Which weight.
    pub descriptor: Descriptor,
    /// That weight.
    pub weight_kg: Decimal,
    /// Dose by it, to 0.01 mg.
    pub dose_mg: Decimal,
}

/// Gravity, for the time a pump is down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drops {
    /// Giving set.
    pub set: RuleId,
    /// Drops a millilitre of the set.
    pub per_ml: Decimal,
    /// Drops a minute, to 0.1.
    pub per_min: Decimal,
}

/// The whole dose in a bag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BagCard {
    /// The bag's own volume.
    pub bag_ml: Decimal,
    /// Strengths and volumes, both ways.
    #[serde(flatten)]
    pub bag: Bag,
    /// Rate that empties it in the length when nothing was taken out, to 0.1 mL/h.
    pub rate_without_withdrawal_ml_per_h: Decimal,
    /// Rate that empties it in the length when the drug's volume was taken out first.
    pub rate_with_withdrawal_ml_per_h: Decimal,
}

/// What the pump is told and why. A prescriber signs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DoseCard {
    /// Regimen.
    pub regimen: RuleId,
    /// Its version.
    pub regimen_version: u32,
    /// As ordered, for example `0.5 mg/kg`.
    pub ordered: String,
    /// All weights.
    pub weights: Weights,
    /// The weight that counts.
    pub descriptor: Descriptor,
    /// Why that one.
    pub why: String,
    /// The weight that counts, kg.
    pub dose_weight: Weight,
    /// What each known weight would give, side by side.
    pub by_weight: Vec<WeightDose>,
    /// Strength in the syringe or bag.
    pub concentration: Concentration,
    /// Total dose, to 0.01 mg.
    pub dose: Micrograms,
    /// Volume that holds it, to 0.01 mL.
    pub volume: Microlitres,
    /// Volume to be infused; the volume.
    pub vtbi: Microlitres,
    /// Rate of the first step, as the pump takes it, to 0.1 mL/h.
    pub rate: Rate,
    /// Steps, exact numbers, what is really delivered and when it ends.
    pub plan: Plan,
    /// Drops a minute by giving set.
    pub drops: Vec<Drops>,
    /// The draw, where the stock is known.
    pub stock: Option<StockDraw>,
    /// The bag, where one was asked for.
    pub bag: Option<BagCard>,
    /// Everything that was found.
    pub findings: Vec<Finding>,
    /// The arithmetic in one line.
    pub chain: String,
}

impl DoseCard {
    /// Whether a person has to give a reason before the card may be used.
    pub fn needs_reason(&self) -> bool {
        self.findings.iter().any(asks_for_reason)
    }
    /// The order line: drug, strength, route, dose, length, rate.
    pub fn order_line(&self) -> String {
        format!(
            "ketamine – {} – IV infusion – DOSE {} – over {} min – {}",
            self.concentration,
            self.dose,
            plain(self.plan.minutes),
            self.rate
        )
    }
}

/// Makes the card.
///
/// # Errors
/// [`Refused`] when an input that the arithmetic needs is missing, or a rule refuses; every finding comes with it.
pub fn card(request: &DoseRequest, knowledge: &Knowledge) -> Result<DoseCard, Refused> {
    let mut findings = Vec::new();
    match lay_out(request, knowledge, &mut findings) {
        Some(mut card) if !findings.iter().any(refuses) => {
            card.findings = findings;
            Ok(card)
        }
        _ => Err(Refused { findings }),
    }
}

/// What the request names in the knowledge.
struct Named<'a> {
    regimen: &'a Item<Regimen>,
    weight: &'a Item<DoseWeight>,
    entry: &'a Item<PumpEntry>,
}

fn look_up<'a>(
    request: &DoseRequest,
    knowledge: &'a Knowledge,
    findings: &mut Vec<Finding>,
) -> Option<Named<'a>> {
    let Some(regimen) = knowledge.regimens.get(request.regimen.as_str()) else {
        findings.push(no_rule(request.regimen.as_str()));
        return None;
    };
    let entry_id = format!("library_{}", regimen.body.care_area.id());
    let (weight, entry) = (knowledge.weight.get(WEIGHT_RULE), knowledge.pump_library.get(&entry_id));
    if weight.is_none() {
        findings.push(no_rule(WEIGHT_RULE));
    }
    if entry.is_none() {
        findings.push(no_rule(&entry_id));
    }
    Some(Named { regimen, weight: weight?, entry: entry? })
}

fn lay_out(request: &DoseRequest, knowledge: &Knowledge, findings: &mut Vec<Finding>) -> Option<DoseCard> {
    let named = look_up(request, knowledge, findings)?;
    let (picked, weights) = weigh(request, &named, findings)?;
    findings.extend(order::judge_regimen(named.regimen, weights.bmi));
    let steps = order::steps(named.regimen, request, findings);
    let rule = Rule::of(&named.regimen.header);
    if request.concentration.is_none() {
        findings.push(rule.missing("concentration", "the strength in the syringe or bag"));
    }
    let (steps, concentration) = (steps?, request.concentration?);
    let mg_per_ml = concentration.decimal();
    findings.extend(limits::judge_concentration(named.entry, mg_per_ml, knowledge));
    if mg_per_ml <= Decimal::ZERO {
        return None;
    }

    let ceiling = order::ceiling(&named.regimen.body, &steps);
    let Some(plan) = plan::lay_out(&steps, ceiling, picked.kg, mg_per_ml) else {
        findings.push(order::not_for_a_pump(&rule, &steps, picked.kg, mg_per_ml));
        return None;
    };
    let last_dose_mg = request.last_dose.map(Micrograms::decimal);
    let ordered =
        Ordered { item: named.regimen, steps: &steps, plan: &plan, weight_kg: picked.kg, last_dose_mg };
    findings.extend(limits::judge(&ordered, knowledge));
    judge_container(request, &named, &plan, findings);
    let stock = draw(request, &named, &plan, knowledge, findings);
    let bag = fill_bag(request, &named, &plan, findings);
    let by_weight = side_by_side(&weights, &steps, ceiling, mg_per_ml);
    let sets = knowledge.giving_sets.iter();
    Some(DoseCard {
        regimen: request.regimen.clone(),
        regimen_version: named.regimen.header.version,
        ordered: in_words(&steps),
        descriptor: picked.descriptor,
        dose_weight: Weight::from_decimal(picked.kg)?,
        by_weight,
        concentration,
        dose: Micrograms::from_decimal(plan.dose_mg)?,
        volume: Microlitres::from_decimal(plan.volume_ml)?,
        vtbi: Microlitres::from_decimal(plan.volume_ml)?,
        rate: Rate::from_decimal(plan.steps.first()?.rate_ml_per_h)?,
        drops: sets.filter_map(|set| drops(set, &plan)).collect(),
        stock,
        bag,
        findings: Vec::new(),
        chain: chain(&steps, &picked, &plan, mg_per_ml),
        why: picked.why,
        weights,
        plan,
    })
}

fn weigh(request: &DoseRequest, named: &Named<'_>, findings: &mut Vec<Finding>) -> Option<(Picked, Weights)> {
    let rule = Rule::of(&named.weight.header);
    let Some(abw) = request.weight else {
        findings.push(rule.missing("weight", "today's weight on the scale"));
        return None;
    };
    let height = request.height.map(Height::decimal);
    let Some(weights) = Weights::of(&named.weight.body, abw.decimal(), height, request.sex) else {
        let inputs = [("height", plain(height.unwrap_or_default()))];
        findings.push(
            rule.refuse("No body mass index or ideal weight follows from this height.".to_owned(), &inputs),
        );
        return None;
    };
    let last = request.last_weight.map(Weight::decimal);
    findings.extend(weight::judge(named.weight, &weights, height, last));
    let picked = order::pick_weight(named.weight, &weights, request.dose_weight, findings)?;
    Some((picked, weights))
}

fn side_by_side(
    weights: &Weights,
    steps: &[Step],
    ceiling: Option<MgPerHour>,
    mg_per_ml: Decimal,
) -> Vec<WeightDose> {
    [Descriptor::Abw, Descriptor::Ibw, Descriptor::Adjbw]
        .into_iter()
        .filter_map(|descriptor| {
            let weight_kg = weights.get(descriptor)?;
            let plan = plan::lay_out(steps, ceiling, weight_kg, mg_per_ml)?;
            Some(WeightDose { descriptor, weight_kg, dose_mg: plan.dose_mg })
        })
        .collect()
}

fn judge_container(request: &DoseRequest, named: &Named<'_>, plan: &Plan, findings: &mut Vec<Finding>) {
    let Some(holds) = request.container.map(Microlitres::decimal) else { return };
    if plan.volume_ml > holds {
        let (volume, holds) = (plain(plan.volume_ml), plain(holds));
        let why = format!("The volume to be infused is {volume} mL; the container holds {holds} mL.");
        let inputs = [("vtbi", format!("{volume} mL")), ("container", format!("{holds} mL"))];
        findings.push(Rule::of(&named.entry.header).refuse(why, &inputs));
    }
}

fn draw(
    request: &DoseRequest,
    named: &Named<'_>,
    plan: &Plan,
    knowledge: &Knowledge,
    findings: &mut Vec<Finding>,
) -> Option<StockDraw> {
    let rule = Rule::of(&named.entry.header);
    let Some(strength) = request.stock else {
        if request.vial.is_some() {
            findings.push(rule.missing("stock", "the strength in the vial"));
        }
        return None;
    };
    let in_syringe = request.concentration?.decimal();
    findings.extend(stock::judge(named.entry, strength.decimal(), in_syringe, knowledge));
    let vial_ml = request.vial.map(Microlitres::decimal);
    let dose = Micrograms::from_decimal(plan.dose_mg);
    let drawn = dose.and_then(|dose| stock::draw(dose, strength, vial_ml, knowledge));
    if drawn.is_none() {
        findings
            .push(rule.refuse("The stock's strength and the vial's volume are above zero.".to_owned(), &[]));
    }
    drawn
}

fn fill_bag(
    request: &DoseRequest,
    named: &Named<'_>,
    plan: &Plan,
    findings: &mut Vec<Finding>,
) -> Option<BagCard> {
    let bag_ml = request.bag?.decimal();
    let rule = Rule::of(&named.entry.header);
    let Some(strength) = request.stock.map(Concentration::decimal) else {
        findings.push(rule.missing("stock", "what is drawn into the bag depends on it"));
        return None;
    };
    let mixed = bag::mix(plan.exact_dose_mg, strength, bag_ml)
        .and_then(|bag| bag.rates_ml_per_h(plan.minutes).map(|rates| (bag, rates)));
    let Some((bag, (without, with))) = mixed else {
        let why = format!(
            "The dose drawn at {} mg/mL does not fit into a bag of {} mL.",
            plain(strength),
            plain(bag_ml)
        );
        findings.push(rule.refuse(why, &[]));
        return None;
    };
    let runs = named.entry.body.concentration.absolute;
    if !runs.holds(bag.without_withdrawal_mg_per_ml) {
        let weak = runs.low.is_some_and(|low| bag.without_withdrawal_mg_per_ml < low);
        let kind = if weak { "weak" } else { "strong" };
        let strength = format!("{} mg/mL", plain(bag.without_withdrawal_mg_per_ml));
        let why = format!(
            "The bag holds {strength}; the pump library runs {runs} mg/mL. A {kind} bag of one's own has caused harm: \
             program its own strength, and say why no standard one is used."
        );
        findings.push(rule.ask(why, &[("bag", strength)]));
    }
    Some(BagCard {
        bag_ml: bag_ml.normalize(),
        bag,
        rate_without_withdrawal_ml_per_h: without,
        rate_with_withdrawal_ml_per_h: with,
    })
}

fn drops(set: &Item<GivingSet>, plan: &Plan) -> Option<Drops> {
    let rate = set.body.rate(Ml(plan.volume_ml), Minutes(plan.minutes))?;
    Some(Drops {
        set: RuleId::new(&set.header.id),
        per_ml: set.body.drops.0.normalize(),
        per_min: rate.0.normalize(),
    })
}

fn in_words(steps: &[Step]) -> String {
    match steps {
        [one] => one.amount.to_string(),
        many => {
            let each: Vec<String> =
                many.iter().map(|step| format!("{} for {}", step.amount, step.over)).collect();
            each.join(", then ")
        }
    }
}

/// `0.5 mg/kg × 82 kg = 41 mg = 20.5 mL at 2 mg/mL → 30.8 mL/h for 40 min`
fn chain(steps: &[Step], picked: &Picked, plan: &Plan, mg_per_ml: Decimal) -> String {
    let exact = plan.exact_dose_mg;
    let rounded = if exact == plan.dose_mg {
        format!("{} mg", plain(exact))
    } else {
        format!("{} → {} mg (rounded)", plain(round_half_up(exact, 4)), plain(plan.dose_mg))
    };
    let each: Vec<String> = steps
        .iter()
        .zip(&plan.steps)
        .map(|(step, planned)| by_weight_in_words(step, planned, picked))
        .collect();
    let rates: Vec<String> = plan
        .steps
        .iter()
        .map(|step| format!("{} mL/h for {} min", plain(step.rate_ml_per_h), plain(step.minutes)))
        .collect();
    let (each, rates) = (each.join(" + "), rates.join(", then "));
    format!("{each} = {rounded} = {} mL at {} mg/mL → {rates}", plain(plan.volume_ml), plain(mg_per_ml))
}

fn by_weight_in_words(step: &Step, planned: &PlannedStep, picked: &Picked) -> String {
    let which = match picked.descriptor {
        Descriptor::Abw => String::new(),
        other => format!(" ({})", other.words()),
    };
    let by_weight = format!("{} × {} kg{which}", step.amount, plain(picked.kg));
    let minutes = plain(step.over.0);
    match (planned.ceiling, step.amount) {
        (Some(ceiling), _) => {
            let (at_most, uncapped) = (plain(ceiling.at_most.0), plain(round_half_up(ceiling.uncapped.0, 2)));
            format!(
                "{by_weight} = {uncapped} mg/h, the regimen's ceiling is {at_most} mg/h: {at_most} mg/h × {minutes} min"
            )
        }
        (None, Amount::Rate(_)) => format!("{by_weight} × {minutes} min"),
        (None, Amount::Dose(_)) => by_weight,
    }
}

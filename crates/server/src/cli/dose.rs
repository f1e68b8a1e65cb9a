//! `chairside dose`: the numbers of one infusion and what the rules say about them, at a desk.

use super::{Answer, Exit, Shape, with_shipped};
use clinic::dose::parse::{self, Unreadable};
use clinic::dose::{BagCard, DoseCard, DoseRequest, Refused, WeighedBefore, asks_for_reason, refuses};
use clinic::gate::Finding;
use clinic::id::RuleId;
use clinic::knowledge::Knowledge;
use clinic::knowledge::weight::{Descriptor, Sex};
use clinic::quantity::{Concentration, plain};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The order, as text with units. Every number has one accepted spelling.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Regimen, see `chairside knowledge list`
    #[arg(long, value_name = "ID")]
    regimen: String,
    /// Today's weight: "82 kg" or "180 lb"
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    weight: String,
    /// "178 cm" or "70 in"
    #[arg(long, value_name = "HEIGHT", allow_hyphen_values = true)]
    height: Option<String>,
    /// For the ideal body weight: m or f
    #[arg(long)]
    sex: Option<String>,
    /// Instead of the regimen's dose: "0.5 mg/kg", "0.5 mg/kg/h", or "0.5 mg/kg/h for 15 min, then …"
    #[arg(long)]
    dose: Option<String>,
    /// Instead of the regimen's length
    #[arg(long)]
    minutes: Option<String>,
    /// Instead of the weight that the rule picks: abw, ibw or adjbw
    #[arg(long, value_name = "WHICH")]
    dose_weight: Option<String>,
    /// Strength in the syringe or bag: "2 mg/mL"
    #[arg(long, value_name = "STRENGTH", allow_hyphen_values = true)]
    concentration: String,
    /// Strength in the vial: "50 mg/mL"
    #[arg(long, value_name = "STRENGTH", allow_hyphen_values = true)]
    stock: Option<String>,
    /// The vial: "10 mL", or "500 mg/10 mL"
    #[arg(long)]
    vial: Option<String>,
    /// A bag that takes the whole dose: "100 mL"
    #[arg(long, value_name = "VOLUME", allow_hyphen_values = true)]
    bag: Option<String>,
    /// What the syringe or bag on the pump holds: "50 mL"
    #[arg(long, value_name = "VOLUME", allow_hyphen_values = true)]
    container: Option<String>,
    /// Weight at the visit before
    #[arg(long, value_name = "WEIGHT", allow_hyphen_values = true)]
    last_weight: Option<String>,
    /// Dose at the visit before: "41 mg"
    #[arg(long, value_name = "DOSE", allow_hyphen_values = true)]
    last_dose: Option<String>,
    /// Why a recommended limit is passed
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// How to print; in JSON every number is a decimal as text
    #[arg(long, value_enum, default_value_t = Shape::Table)]
    format: Shape,
}

/// Prints the card. Exit 2 names the field that cannot be read, exit 3 the rule that refuses.
pub fn run(args: &Args) -> Exit {
    with_shipped(|knowledge| {
        let answer = answer(args, knowledge);
        answer.tell()
    })
}

fn answer(args: &Args, knowledge: &Knowledge) -> Answer {
    let (request, weight_shown) = match read(args, knowledge) {
        Ok(read) => read,
        Err(wrong) => return Answer::unreadable(wrong),
    };
    let reason = args.reason.as_deref().map(str::trim).filter(|reason| clinic::text::is_reason(reason));
    match clinic::dose::card(&request, knowledge) {
        Ok(mut card) => {
            card.findings.extend(first_weight(&request, &card.findings, knowledge));
            let out = match args.format {
                Shape::Json => format!("{:#}\n", card_json(&card, &weight_shown, reason, knowledge)),
                Shape::Table => table(&card, &weight_shown, reason, knowledge),
            };
            Answer::done(out)
        }
        Err(refused) => {
            let out = match args.format {
                Shape::Json => format!("{:#}\n", refused_json(&refused, knowledge)),
                Shape::Table => findings_text(&refused.findings, knowledge),
            };
            let pounds = weight_shown.contains(" lb").then(|| {
                format!(" The weight was typed in pounds: {weight_shown}. Check that the scale shows pounds.")
            });
            let wrong = format!("refused: {refused}{}", pounds.unwrap_or_default());
            Answer { exit: Exit::Refused, out, wrong }
        }
    }
}

/// What a weight without another to be compared with is asked, here as at the bedside.
fn first_weight(request: &DoseRequest, told: &[Finding], knowledge: &Knowledge) -> Option<Finding> {
    let weight = request.weight.filter(|_| request.last_weight.is_none())?;
    let height = request.height?;
    let slip = clinic::dose::weight_slip(weight, WeighedBefore::default(), Some(height), knowledge)?;
    (!told.contains(&slip)).then_some(slip)
}

fn read(args: &Args, knowledge: &Knowledge) -> Result<(DoseRequest, String), Unreadable> {
    let regimen = RuleId::new(&args.regimen);
    if !knowledge.has_regimen(&regimen) {
        return Err(Unreadable {
            field: "--regimen",
            value: args.regimen.clone(),
            why: "there is no such regimen".to_owned(),
            accepted: "an id that `chairside knowledge list` shows, such as mdd_trd_std",
        });
    }
    let weight = parse::weight("--weight", &args.weight)?;
    let mut request = DoseRequest::new(
        regimen,
        weight.value,
        parse::concentration("--concentration", &args.concentration)?,
    );
    request.height =
        args.height.as_deref().map(|text| parse::height("--height", text)).transpose()?.map(|h| h.value);
    request.sex = args.sex.as_deref().map(sex).transpose()?;
    request.dose = args.dose.as_deref().map(|text| parse::dose("--dose", text)).transpose()?;
    request.minutes = args.minutes.as_deref().map(|text| parse::minutes("--minutes", text)).transpose()?;
    request.dose_weight = args.dose_weight.as_deref().map(descriptor).transpose()?;
    request.stock = args.stock.as_deref().map(|text| parse::concentration("--stock", text)).transpose()?;
    if let Some(text) = &args.vial {
        let (volume, strength) = parse::vial("--vial", text)?;
        request.vial = Some(volume);
        request.stock = same_stock(text, request.stock, strength)?;
    }
    let volume =
        |field, text: &Option<String>| text.as_deref().map(|text| parse::volume(field, text)).transpose();
    request.bag = volume("--bag", &args.bag)?;
    request.container = volume("--container", &args.container)?;
    request.last_weight = args
        .last_weight
        .as_deref()
        .map(|text| parse::weight("--last-weight", text))
        .transpose()?
        .map(|w| w.value);
    request.last_dose = args.last_dose.as_deref().map(|text| parse::mass("--last-dose", text)).transpose()?;
    Ok((request, weight.shown))
}

fn sex(text: &str) -> Result<Sex, Unreadable> {
    match text {
        "m" | "male" => Ok(Sex::M),
        "f" | "female" => Ok(Sex::F),
        _ => Err(Unreadable {
            field: "--sex",
            value: text.to_owned(),
            why: "the formula of the ideal weight knows two".to_owned(),
            accepted: "m or f",
        }),
    }
}

fn descriptor(text: &str) -> Result<Descriptor, Unreadable> {
    Descriptor::said(text).ok_or_else(|| Unreadable {
        field: "--dose-weight",
        value: text.to_owned(),
        why: "there is no such weight".to_owned(),
        accepted: "abw (actual), ibw (ideal) or adjbw (adjusted)",
    })
}

/// The strength said once or twice; twice has to agree.
fn same_stock(
    vial: &str,
    stock: Option<Concentration>,
    from_vial: Option<Concentration>,
) -> Result<Option<Concentration>, Unreadable> {
    match (stock, from_vial) {
        (Some(stock), Some(strength)) if stock != strength => Err(Unreadable {
            field: "--vial",
            value: vial.to_owned(),
            why: format!("it holds {strength}, --stock says {stock}: two strengths may be swapped"),
            accepted: "one strength, the same in both",
        }),
        (stock, from_vial) => Ok(stock.or(from_vial)),
    }
}

/// A number as text, shortest form: no trailing zero, no thousands separator.
fn text(value: Decimal) -> Value {
    Value::String(value.normalize().to_string())
}

fn optional(value: Option<Decimal>) -> Value {
    value.map_or(Value::Null, text)
}

fn card_json(card: &DoseCard, weight_shown: &str, reason: Option<&str>, knowledge: &Knowledge) -> Value {
    let plan = &card.plan;
    json!({
        "refused": false,
        "standing": standing(card, reason),
        "regimen": card.regimen,
        "regimen_version": card.regimen_version,
        "ordered": card.ordered,
        "dose_mg": text(card.dose.decimal()),
        "exact_dose_mg": text(plan.exact_dose_mg),
        "minutes": text(plan.minutes),
        "concentration_mg_per_ml": text(card.concentration.decimal()),
        "volume_ml": text(card.volume.decimal()),
        "vtbi_ml": text(card.vtbi.decimal()),
        "rate_ml_per_h": text(card.rate.decimal()),
        "ug_per_kg_min": text(plan.ug_per_kg_min),
        "mg_per_h": text(plan.fastest_mg_per_h),
        "stock_ml": optional(card.stock.as_ref().map(|stock| stock.volume_ml)),
        "delivers_mg": text(plan.delivers_mg),
        "delivers_off_percent": text(plan.delivers_off_percent),
        "ends_after_min": text(plan.ends_after_min),
        "weight": {
            "entered": weight_shown,
            "abw_kg": text(card.weights.abw_kg),
            "ibw_kg": optional(card.weights.ibw_kg),
            "adjbw_kg": optional(card.weights.adjbw_kg),
            "bmi_kg_per_m2": optional(card.weights.bmi),
            "used": card.descriptor,
            "used_kg": text(card.dose_weight.decimal()),
            "why": card.why,
            "doses": card.by_weight,
        },
        "steps": plan.steps,
        "drops": card.drops,
        "vial": card.stock,
        "bag": card.bag,
        "chain": card.chain,
        "order_line": card.order_line(),
        "needs_reason": card.needs_reason() && reason.is_none(),
        "reason": reason,
        "findings": findings_json(&card.findings, knowledge),
    })
}

/// Whether the order could be signed as it stands.
fn standing(card: &DoseCard, reason: Option<&str>) -> &'static str {
    match (card.needs_reason(), reason) {
        (false, _) => "within_limits",
        (true, Some(_)) => "reason_given",
        (true, None) => "needs_reason",
    }
}

fn refused_json(refused: &Refused, knowledge: &Knowledge) -> Value {
    json!({ "refused": true, "standing": "refused", "findings": findings_json(&refused.findings, knowledge) })
}

fn findings_json(findings: &[Finding], knowledge: &Knowledge) -> Vec<Value> {
    findings
        .iter()
        .map(|found| {
            json!({
                "rule": found.rule,
                "version": found.version,
                "verdict": found.verdict,
                "reason": found.reason,
                "inputs": found.inputs,
                "sources": found.sources,
                "needs": if asks_for_reason(found) { "reason" } else { "nothing" },
                "refuses": refuses(found),
                "unsigned_default": !unsigned(found, knowledge).is_empty(),
            })
        })
        .collect()
}

fn unsigned(found: &Finding, knowledge: &Knowledge) -> String {
    knowledge.header(found.rule.as_str()).map_or_else(String::new, |header| header.unsigned_after("; "))
}

fn findings_text(findings: &[Finding], knowledge: &Knowledge) -> String {
    let mut out = String::new();
    for found in findings {
        let needs = if refuses(found) {
            "refused"
        } else if asks_for_reason(found) {
            "needs a reason"
        } else {
            "note"
        };
        let unsigned = unsigned(found, knowledge);
        // Writing to a String cannot fail.
        let _ = writeln!(out, "  {needs}: {} [{} v{}{unsigned}]", found.reason, found.rule, found.version);
    }
    out
}

type Row = (&'static str, String);

fn table(card: &DoseCard, weight_shown: &str, reason: Option<&str>, knowledge: &Knowledge) -> String {
    let rows = [weight_rows(card, weight_shown), pump_rows(card), stock_rows(card), bag_rows(card)].concat();
    let mut out = String::new();
    if card.needs_reason() && reason.is_none() {
        let asked = card.findings.iter().filter(|found| asks_for_reason(found));
        let asked: Vec<&str> = asked.map(|found| found.reason.as_str()).collect();
        let _ = writeln!(
            out,
            "NEEDS A REASON before it can be signed (--reason TEXT, in words): {}",
            asked.join(" ")
        );
    }
    for (name, value) in rows {
        let _ = writeln!(out, "{name:<29} {value}");
    }
    if !card.findings.is_empty() {
        let _ = writeln!(out, "findings\n{}", findings_text(&card.findings, knowledge).trim_end());
    }
    if let Some(reason) = reason {
        let _ = writeln!(out, "reason given: {reason}");
    }
    out
}

fn weight_rows(card: &DoseCard, weight_shown: &str) -> Vec<Row> {
    let counted = format!("{weight_shown}; counted by {} ({})", card.descriptor.words(), card.why);
    let mut rows = vec![("order", card.order_line()), ("counted", card.chain.clone()), ("weight", counted)];
    for one in &card.by_weight {
        let mark = if one.descriptor == card.descriptor { ", used" } else { "" };
        let (kg, mg) = (plain(one.weight_kg), plain(one.dose_mg));
        rows.push(("", format!("{}: {kg} kg, {mg} mg{mark}", one.descriptor.words())));
    }
    rows
}

fn pump_rows(card: &DoseCard) -> Vec<Row> {
    let plan = &card.plan;
    let (mg_per_h, mcg) = (plain(plan.fastest_mg_per_h), plain(plan.ug_per_kg_min));
    let (delivers, off) = (plain(plan.delivers_mg), plain(plan.delivers_off_percent));
    let drops: Vec<String> = card
        .drops
        .iter()
        .map(|one| format!("{} drops/min ({} drops/mL)", plain(one.per_min), plain(one.per_ml)))
        .collect();
    // A bag has its own strength and therefore its own volume and rate, which stand below.
    let [volume, rate, gravity] = if card.bag.is_some() {
        ["VTBI at the ordered strength", "rate at the ordered strength", "by gravity at that strength"]
    } else {
        ["volume, VTBI", "rate", "by gravity"]
    };
    vec![
        ("dose", card.dose.to_string()),
        (volume, card.vtbi.to_string()),
        (rate, format!("{} = {mg_per_h} mg/h = {mcg} mcg/kg/min", card.rate)),
        ("delivers", format!("{delivers} mg ({off} %), ends after {} min", plain(plan.ends_after_min))),
        (gravity, drops.join(", ")),
    ]
}

fn stock_rows(card: &DoseCard) -> Vec<Row> {
    let Some(stock) = &card.stock else { return Vec::new() };
    let (ml, strength) = (plain(stock.volume_ml), plain(stock.strength_mg_per_ml));
    let mut rows = vec![("draw", format!("{ml} mL of {strength} mg/mL"))];
    if let (Some(vials), Some(ml), Some(mg)) = (stock.vials, stock.residual_ml, stock.residual_mg) {
        let of = if vials == 1 { "of one vial".to_owned() } else { format!("of the last of {vials} vials") };
        rows.push(("left to waste", format!("{} mg = {} mL {of}", plain(mg), plain(ml))));
    }
    rows
}

fn bag_rows(card: &DoseCard) -> Vec<Row> {
    let Some(BagCard { bag, rate_without_withdrawal_ml_per_h, rate_with_withdrawal_ml_per_h, .. }) =
        &card.bag
    else {
        return Vec::new();
    };
    let way = |volume, strength, rate: &Decimal| {
        format!("{} mL at {} mg/mL → {} mL/h", plain(volume), plain(strength), plain(*rate))
    };
    let as_it_is = way(
        bag.volume_without_withdrawal_ml,
        bag.without_withdrawal_mg_per_ml,
        rate_without_withdrawal_ml_per_h,
    );
    let taken_out =
        way(bag.volume_with_withdrawal_ml, bag.with_withdrawal_mg_per_ml, rate_with_withdrawal_ml_per_h);
    vec![("rate of the bag as it is", as_it_is), ("rate, as much taken out first", taken_out)]
}

#[cfg(test)]
mod tests;

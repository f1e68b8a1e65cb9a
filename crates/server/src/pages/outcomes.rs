//! What became of the patients of this clinic by one scale: how many responded, for how long it held, who is worse and
//! how much is missing, beside published results. Read from views alone.

mod asked;
mod curve;

use super::room::Room;
use super::visit::form::Choice;
use super::{Error, Page, html};
use crate::auth::gate::Visit;
use crate::auth::privilege::Privilege;
use crate::lab::sheet::Sheet;
use crate::record::drawing::Drawing;
use crate::views::{scales, sessions};
use crate::{AppState, Fault};
use askama::Template;
use asked::{Asked, Picked, Typed};
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use clinic::id::PatientId;
use clinic::knowledge::Item;
use clinic::knowledge::benchmarks::{Benchmark, Line, Measure, Standing};
use clinic::knowledge::scales::Condition;
use clinic::outcome::{Became, Counted, Infusion, Known, Share, became, counted};
use clinic::quantity::plain;
use std::collections::HashMap;

/// Most names of people who are worse.
const NAMED_MAX: usize = 50;
/// Of fewer patients a share says little, and the page says so. A habit of reporting, no rule of care.
const FEW: u32 = 30;

#[derive(Template)]
#[template(path = "pages/outcomes.html")]
struct Outcomes {
    page: Page,
    typed: Typed,
    scales: Vec<Choice>,
    conditions: Vec<Choice>,
    found: Option<Found>,
}

/// What stands below the form.
struct Found {
    title: String,
    csv: String,
    treated: usize,
    days: u32,
    shares: Vec<ShareRow>,
    /// Who is in no share, and what was not answered.
    missing: Vec<String>,
    few: String,
    holding: Vec<Drawing>,
    held: String,
    steps: Vec<curve::Row>,
    worse: Vec<(String, String)>,
    published: Vec<Published>,
    /// Each study that is shown, with where it is from.
    sources: Vec<(String, String)>,
}

struct ShareRow {
    what: &'static str,
    here: String,
    percent: String,
    interval: String,
    published: String,
}

struct Published {
    what: &'static str,
    study: String,
    of: String,
    setting: String,
    value: String,
    here: &'static str,
}

/// A measure that is a share of patients here and in publications.
type Told = (&'static str, Measure, fn(&Counted) -> Option<Share>);

/// Shares of patients.
const SHARES: [Told; 3] = [
    ("Responded", Measure::Response, |all| all.response),
    ("In remission", Measure::Remission, |all| all.remission),
    ("Worse by more than chance", Measure::Worse, |all| all.worse),
];

/// `GET /outcomes`
pub async fn show(
    State(app): State<AppState>,
    visit: Visit,
    Query(asked): Query<Asked>,
) -> Result<Response, Error> {
    let page = Page::new(&app, &visit, "Outcomes");
    let picked = match asked.picked(&app) {
        Ok(picked) => picked,
        Err(errors) => {
            let page = page.with_errors(errors);
            let outcomes = drawn(&app, page, asked, None);
            return html(StatusCode::UNPROCESSABLE_ENTITY, &outcomes);
        }
    };
    let named = visit.person()?.may(Privilege::OpenScores);
    let gathered = app.blocking(move |app| {
        let (all, worse) = gather(app, &picked)?;
        let worse = if named { names(app, &worse)? } else { Vec::new() };
        Ok::<_, Fault>((picked, counted(&all), worse))
    });
    let (picked, all, worse) = gathered.await??;
    let found = Found { worse, ..found(&app, &picked, &all) };
    html(StatusCode::OK, &drawn(&app, page, asked, Some(found)))
}

/// `GET /outcomes.csv`
pub async fn csv(State(app): State<AppState>, Query(asked): Query<Asked>) -> Result<Response, Error> {
    let Ok(picked) = asked.picked(&app) else { return Err(Error::NotFound) };
    let sheet = app.blocking(move |app| {
        let (all, _) = gather(app, &picked)?;
        Ok::<_, Fault>(sheet(&counted(&all), picked.within_d))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"outcomes.csv\""),
    ];
    Ok((headers, sheet.await??.csv()).into_response())
}

/// Follows everybody who had an infusion; who is worse comes with their id.
fn gather(app: &AppState, picked: &Picked) -> Result<(Vec<Became>, Vec<PatientId>), Fault> {
    let site = &app.config.site;
    let question = picked.question(app.clock.now());
    let mut scored: HashMap<String, String> = HashMap::new();
    app.store.view_each(site, &scales::view_of(&picked.item.header.id), |row| {
        scored.insert(row.key, row.body);
    })?;
    let (mut all, mut worse, mut broken) = (Vec::new(), Vec::new(), None);
    app.store.view_each(site, sessions::TREATED, |row| {
        let known = match known(app, picked, &row.body, scored.get(&row.key)) {
            Ok(known) => known,
            Err(fault) => return broken = Some(fault),
        };
        if let Some(one) = known.and_then(|known| became(&question, &known)) {
            if one.is_worse() && worse.len() < NAMED_MAX {
                worse.push(PatientId::new(row.key));
            }
            all.push(one);
        }
    })?;
    broken.map_or(Ok((all, worse)), |fault| Err(fault.into()))
}

/// What the views say of one patient; `None` for one who was treated for something else.
fn known(
    app: &AppState,
    picked: &Picked,
    treated: &str,
    scored: Option<&String>,
) -> Result<Option<Known>, store::Fault> {
    let given = sessions::given(treated)?;
    let last = given.iter().rfind(|(infusion, _)| infusion.number == 1).or(given.first());
    let treated_for = last.and_then(|(_, regimen)| app.knowledge.regimens.get(regimen)?.body.condition);
    if picked.condition.is_some() && picked.condition != treated_for {
        return Ok(None);
    }
    let infusions: Vec<Infusion> = given.into_iter().map(|(infusion, _)| infusion).collect();
    let scores = scored.map_or(Ok(Vec::new()), |body| scales::scores(body))?;
    Ok(Some(Known { infusions, scores }))
}

fn names(app: &AppState, worse: &[PatientId]) -> Result<Vec<(String, String)>, Fault> {
    let mut names = Vec::new();
    for id in worse {
        let name = app.floor.patient(id)?.map_or_else(|| id.to_string(), |patient| patient.banner_name());
        names.push((format!("/patients/{id}/scores"), name));
    }
    names.sort_by(|(_, one), (_, other)| one.cmp(other));
    Ok(names)
}

fn drawn(app: &AppState, page: Page, asked: Asked, found: Option<Found>) -> Outcomes {
    let typed = asked.typed();
    let scales = app.knowledge.scales.iter().filter(|item| item.body.total.is_some());
    let chosen =
        |value: &str, label: &str, is: &str| Choice { chosen: value == is, ..Choice::of(value, label) };
    let any = chosen("any", "Any condition", &typed.condition);
    let conditions = Condition::ALL.iter().map(|one| chosen(one.id(), one.title(), &typed.condition));
    Outcomes {
        page,
        scales: scales.map(|one| chosen(&one.header.id, &one.header.title, &typed.scale)).collect(),
        conditions: std::iter::once(any).chain(conditions).collect(),
        typed,
        found,
    }
}

fn found(app: &AppState, picked: &Picked, all: &Counted) -> Found {
    let condition = picked.condition.map_or("any condition", Condition::title);
    let known = all.response.map_or(0, |share| share.of);
    let published = published(app, picked, all);
    Found {
        title: format!("{}: {}, here", picked.item.header.title, condition.to_lowercase()),
        csv: picked.address("/outcomes.csv"),
        treated: all.treated,
        days: picked.within_d,
        shares: SHARES.iter().map(|told| share_row(app, picked, all, told)).collect(),
        missing: missing(all, picked.within_d),
        few: if all.treated > 0 && known < FEW {
            format!(
                "Few patients: of {known} it is known. One of them more or less moves each share a good way."
            )
        } else {
            String::new()
        },
        holding: all
            .holding
            .iter()
            .flat_map(|all| Room::BOTH.map(|room| curve::drawing(all, room)))
            .collect(),
        held: curve::told(all.holding.as_ref()),
        steps: all.holding.as_ref().map(curve::rows).unwrap_or_default(),
        worse: Vec::new(),
        sources: sources(app, &published),
        published,
    }
}

fn missing(all: &Counted, days: u32) -> Vec<String> {
    let due = all.answered.answered + all.answered.missed;
    vec![
        format!(
            "{} of {} patients are not {days} days past their first infusion: too early.",
            all.too_early, all.treated
        ),
        format!(
            "Of {} it is not known: no score before the series, or none in those {days} days. They count as neither.",
            all.not_known
        ),
        format!("{} of {due} scores that were due were answered in time.", all.answered.answered),
    ]
}

/// A share as a person reads it: percent, without a point.
fn percent(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

fn share_row(app: &AppState, picked: &Picked, all: &Counted, told: &Told) -> ShareRow {
    let (what, measure, of) = *told;
    let values = lines(app, picked, measure).map(|(_, line)| line.value);
    let published = match (values.clone().min(), values.max()) {
        (Some(low), Some(high)) if low < high => format!("{} to {} %", plain(low), plain(high)),
        (Some(only), _) => format!("{} %", plain(only)),
        (None, _) => "none at hand".to_owned(),
    };
    let Some(share) = of(all) else {
        let (here, percent, interval) = ("not known".to_owned(), String::new(), String::new());
        return ShareRow { what, here, percent, interval, published };
    };
    ShareRow {
        what,
        here: format!("{} of {}", share.events, share.of),
        percent: percent(share.share),
        interval: format!("{} to {}", percent(share.low), percent(share.high)),
        published,
    }
}

/// Published shares of the same condition, on this scale where the study says on which.
fn lines<'a>(
    app: &'a AppState,
    picked: &Picked,
    measure: Measure,
) -> impl Iterator<Item = (&'a Item<Benchmark>, &'a Line)> + Clone {
    let scale = picked.item.header.id.clone();
    let published = picked.condition.map(|condition| app.knowledge.published(measure, condition));
    let same = move |(_, line): &(&Item<Benchmark>, &Line)| {
        line.unit == "%" && line.scale.as_ref().is_none_or(|other| *other == scale)
    };
    published.unwrap_or_default().into_iter().filter(same)
}

fn published(app: &AppState, picked: &Picked, all: &Counted) -> Vec<Published> {
    let row = |what: &'static str, own: Option<Share>, (study, line): (&Item<Benchmark>, &Line)| Published {
        what,
        study: study.header.title.clone(),
        of: line.title.clone(),
        setting: match study.body.patients {
            Some(patients) => format!("{}, {patients} patients", study.body.setting),
            None => study.body.setting.clone(),
        },
        value: format!("{} %", plain(line.value)),
        here: match own.and_then(|own| line.standing(&own)) {
            None => "",
            Some(Standing::Below) => "we are below",
            Some(Standing::Within) => "no difference can be told",
            Some(Standing::Above) => "we are above",
        },
    };
    let shares = SHARES.iter().flat_map(|(what, measure, own)| {
        lines(app, picked, *measure).map(move |line| row(what, own(all), line))
    });
    let holding = [("Still holding", Measure::Holding), ("Relapsed", Measure::Relapse)];
    let holding = holding
        .into_iter()
        .flat_map(|(what, measure)| lines(app, picked, measure).map(move |line| row(what, None, line)));
    shares.chain(holding).collect()
}

/// Each study of these lines once, with the titles of its sources.
fn sources(app: &AppState, shown: &[Published]) -> Vec<(String, String)> {
    let is_shown = |study: &&Item<Benchmark>| shown.iter().any(|one| one.study == study.header.title);
    let titles = |study: &Item<Benchmark>| {
        let sources = study.header.sources.iter().filter_map(|id| app.knowledge.sources.get(id));
        sources.map(|source| source.title.as_str()).collect::<Vec<_>>().join("; ")
    };
    let studies = app.knowledge.benchmarks.iter().filter(is_shown);
    studies.map(|study| (study.header.title.clone(), titles(study))).collect()
}

/// The same numbers as columns: a row for each share, then one for each fall of the curve.
fn sheet(all: &Counted, within_d: u32) -> Sheet {
    let shares = SHARES.iter().map(|(what, _, of)| (*what, of(all)));
    let mut rows: Vec<curve::Cells> =
        shares.map(|(what, share)| curve::Cells::of_share(what, within_d, share)).collect();
    rows.extend(all.holding.iter().flat_map(curve::cells));
    let mut sheet = Sheet::default();
    sheet.words("measure", rows.iter().map(|row| row.measure));
    sheet.numbers("day", rows.iter().map(|row| f64::from(row.day)));
    for (place, name) in curve::NUMBERS.into_iter().enumerate() {
        sheet.optional(name, rows.iter().map(|row| row.numbers[place]));
    }
    sheet
}

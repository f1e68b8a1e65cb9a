//! A model's structure by the places of its parameters, so that many people's constants come from columns.

use crate::model::{Model, Move, Role, Value};
use crate::units::NG_PER_ML_IN_MG_PER_L;

/// A flow's rate constant: a parameter, divided by a volume where it is a clearance.
#[derive(Debug, Clone, Copy)]
pub(super) struct Constant {
    pub(super) by: usize,
    pub(super) volume: Option<usize>,
    pub(super) share: f64,
}

#[derive(Debug, Clone)]
pub(super) struct Exchange {
    pub(super) out: Vec<Constant>,
    pub(super) back: Vec<Constant>,
    pub(super) lost: Vec<Constant>,
}

/// What is measured downstream: fed by the centre alone, at once, and feeding nothing that is measured.
#[derive(Debug, Clone)]
pub(super) struct Metabolite {
    pub(super) fed: Vec<Constant>,
    pub(super) lost: Vec<Constant>,
    pub(super) volume: usize,
    /// Of its level in ng/mL for a level of 1 ng/mL, volumes apart.
    pub(super) mass_ratio: f64,
}

/// A centre with stores and metabolites of one compartment each.
#[derive(Debug, Clone)]
pub(super) struct Structure {
    pub(super) volume: usize,
    pub(super) leak: Vec<Constant>,
    pub(super) stores: Vec<Exchange>,
    pub(super) metabolites: Vec<Metabolite>,
}

impl Structure {
    /// `None` for a model that is more than this, with its metabolites if they are asked for.
    pub(super) fn of(model: &Model, metabolites: bool) -> Option<Self> {
        let is_store = |i: usize| model.places.get(i).is_some_and(|p| p.role == Role::Store);
        let constants = |chosen: &dyn Fn(&Move) -> bool| -> Vec<Constant> {
            model.moves.iter().filter(|m| chosen(m)).map(|m| constant(model, m)).collect()
        };
        let places = 0..model.places.len();
        let stores = places.filter(|&i| is_store(i)).map(|i| Exchange {
            out: constants(&|m| m.from == 0 && m.to == Some(i)),
            back: constants(&|m| m.from == i && m.to == Some(0)),
            lost: constants(&|m| m.from == i && m.to != Some(0)),
        });
        let mut measured = Vec::new();
        for (i, compartment) in model.spec().compartments.iter().enumerate().skip(1) {
            let Some(analyte) = compartment.analyte.as_ref().filter(|_| metabolites) else { continue };
            if is_store(i)
                || model.moves.iter().any(|m| m.to == Some(i) && (m.from != 0 || m.delay.is_some()))
            {
                return None;
            }
            measured.push(Metabolite {
                fed: constants(&|m| m.to == Some(i)),
                lost: constants(&|m| m.from == i),
                volume: model.places.get(i)?.volume?,
                mass_ratio: analyte.mass_ratio.0,
            });
        }
        Some(Self {
            volume: model.places.first()?.volume?,
            leak: constants(&|m| m.from == 0 && !m.to.is_some_and(is_store)),
            stores: stores.collect(),
            metabolites: measured,
        })
    }
}

fn constant(model: &Model, flow: &Move) -> Constant {
    let driver = model.spec().parameters.get(flow.by).map(|p| p.typical);
    let is_clearance = matches!(driver, Some(Value::Clearance(_)));
    let volume = model.places.get(flow.from).and_then(|p| p.volume).filter(|_| is_clearance);
    Constant { by: flow.by, volume, share: flow.share }
}

/// Levels are in ng/mL, doses in mg, volumes in L.
pub(super) const PER_MG_L: f64 = NG_PER_ML_IN_MG_PER_L;

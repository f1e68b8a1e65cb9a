//! Whether a dose of a rescue drug lies within its standing order.

use crate::knowledge::adverse_events::RescueDrug;
use crate::quantity::plain;
use rust_decimal::Decimal;

/// Why a dose needs a prescriber's own order.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAllowed {
    /// Outside the single dose.
    #[error("{asked} {unit} {drug} is outside the standing order, which allows {allowed} {unit}")]
    Dose {
        /// Generic name.
        drug: String,
        /// Asked.
        asked: String,
        /// One dose, or from the lowest to the highest.
        allowed: String,
        /// UCUM unit.
        unit: String,
    },
    /// Over the total of the session.
    #[error("{total} {unit} {drug} in all would pass the limit of {limit} {unit}")]
    Total {
        /// Generic name.
        drug: String,
        /// With this dose.
        total: String,
        /// Most in one session.
        limit: String,
        /// UCUM unit.
        unit: String,
    },
    /// Too soon after the last dose.
    #[error("{drug} again after {since} min, the standing order says {wait} min")]
    TooSoon {
        /// Generic name.
        drug: String,
        /// Minutes since the last dose.
        since: i64,
        /// Minutes to wait.
        wait: i64,
    },
    /// There was a dose, but nobody says when.
    #[error("missing: time of the last {drug}")]
    WhenUnknown {
        /// Generic name.
        drug: String,
    },
}

/// Judges a dose in the unit of the standing order. `already` is what this session had of the drug.
///
/// # Errors
/// Why not, with the numbers.
pub fn standing_order(
    drug: &RescueDrug,
    dose: Decimal,
    already: Decimal,
    minutes_since_last: Option<i64>,
) -> Result<(), NotAllowed> {
    let [low, high] = drug.dose;
    let name = || drug.name.clone();
    let unit = || drug.unit.clone();
    if dose < low || dose > high {
        let allowed = if low == high { plain(low) } else { format!("{} to {}", plain(low), plain(high)) };
        return Err(NotAllowed::Dose { drug: name(), asked: plain(dose), allowed, unit: unit() });
    }
    let total = already.saturating_add(dose);
    if total > drug.total_max {
        let (total, limit) = (plain(total), plain(drug.total_max));
        return Err(NotAllowed::Total { drug: name(), total, limit, unit: unit() });
    }
    match (drug.repeat_min, minutes_since_last) {
        (Some(wait), Some(since)) if since < wait => Err(NotAllowed::TooSoon { drug: name(), since, wait }),
        (Some(_), None) if already > Decimal::ZERO => Err(NotAllowed::WhenUnknown { drug: name() }),
        _ => Ok(()),
    }
}

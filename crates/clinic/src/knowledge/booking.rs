//! `knowledge/booking/`: how the visits of a course are put into a clinic's calendar.

use super::{Body, Item, Knowledge};
use crate::course::calendar::{Calendar, Opening};
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeSet;

/// Rules of booking.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// Taken, and said, where a clinic told no hours.
    pub open: Vec<Opening>,
    /// A visit is moved by so many days at most; beyond it no course is proposed.
    pub moved_most_d: u32,
    /// Most visits of one course.
    pub visits_most: u32,
    /// Most patients whom one nurse has at one moment.
    pub patients_per_nurse_most: u32,
    /// Length of a talk with the therapist, min.
    pub talk_min: u32,
    /// Days before the first infusion on which preparation is wished.
    pub preparation_before_d: u32,
    /// Hours after an infusion within which its integration begins.
    pub integration_within_h: u32,
}

/// A stay on a day, and whether it fits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stay {
    on: Date,
    from: Time,
    until: Time,
    fits: bool,
}

impl Body for Booking {
    const FOLDER: &'static str = "booking";
    type Example = Stay;

    fn check(item: &Item<Self>, _all: &Knowledge) -> Result<(), String> {
        let booking = &item.body;
        if booking.open.is_empty()
            || [booking.moved_most_d, booking.visits_most, booking.patients_per_nurse_most].contains(&0)
            || [booking.talk_min, booking.preparation_before_d, booking.integration_within_h].contains(&0)
        {
            return Err("`open` and the limits say something".to_owned());
        }
        Ok(())
    }

    fn prove(item: &Item<Self>, stay: &Stay, _all: &Knowledge) -> Result<(), String> {
        let opening = item.body.open.clone();
        let calendar = Calendar { opening, holidays: BTreeSet::new(), zone: TimeZone::UTC };
        let moments = calendar.moment(stay.on, stay.from).zip(calendar.moment(stay.on, stay.until));
        let (from, until) = moments.ok_or("the calendar ends before that day")?;
        let fits = calendar.is_open(from, until);
        if fits == stay.fits { Ok(()) } else { Err(format!("comes out as {fits}")) }
    }
}

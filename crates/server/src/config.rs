//! Settings: defaults, then a TOML file, then the command line. Unknown keys are errors.

use crate::mail;
use clinic::course::calendar::{Calendar, Opening};
use clinic::id::ChairId;
use clinic::knowledge::Knowledge;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use store::Store;

/// Least and most minutes after which idle controls lock.
const LOCK_AFTER_MIN: std::ops::RangeInclusive<u32> = 1..=60;

/// Least and most hours for which a link takes answers.
const ANSWER_LINK_H: std::ops::RangeInclusive<u32> = 1..=720;

/// Settings of a running server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Folder of the log and what belongs to it.
    pub data: PathBuf,
    /// Address of a PostgreSQL log; without it the log is `chairside.db` in `data`.
    pub database: Option<String>,
    /// Where pages are served.
    pub listen: SocketAddr,
    /// The site whose log this is.
    pub site: String,
    /// Minutes without an act after which controls lock.
    pub lock_after_min: u32,
    /// Hours for which a link takes the answers of a patient.
    pub answer_link_h: u32,
    /// Room kept free beside the log so that a running session can still be ended on a full disk, in MiB.
    pub reserve_mib: u32,
    /// Where devices connect (HL7 over MLLP); `None` where the clinic has no device that speaks.
    pub devices: Option<SocketAddr>,
    /// Chairs of the room, numbered from 1.
    pub chairs: u32,
    /// Zone of the clinic's clock on screens and paper, an IANA name such as `America/Denver`.
    pub zone: String,
    /// When visits are booked, such as `mon-fri 08:00-17:00`; none leaves it to the rules of booking.
    pub opening: Vec<Opening>,
    /// Days on which nobody is booked.
    pub holidays: BTreeSet<Date>,
    /// The mail server that takes reminders of visits; none are sent without one.
    pub mail: Option<mail::Settings>,
    /// Where patients call the clinic, as they dial it; their page says so.
    pub phone: Option<String>,
    /// Whose crisis lines a person in danger is shown: `us`, `ca`, `gb`, or what the clinic added.
    pub region: String,
    /// A demonstration with synthetic people; every page says so.
    pub demo: bool,
    /// A proxy in front ends TLS and sets `X-Forwarded-For`; only then may `listen` be other than loopback.
    pub behind_tls_proxy: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("chairside-data"),
            database: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7070)),
            site: "main".to_owned(),
            lock_after_min: 5,
            answer_link_h: 72,
            reserve_mib: 64,
            devices: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 2575))),
            chairs: 8,
            zone: "UTC".to_owned(),
            opening: Vec::new(),
            holidays: BTreeSet::new(),
            mail: None,
            phone: None,
            region: "us".to_owned(),
            demo: false,
            behind_tls_proxy: false,
        }
    }
}

/// Settings that cannot be used: what, why, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum BadConfig {
    /// The file cannot be opened.
    #[error("cannot read the settings {path}: {cause}")]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the machine says.
        cause: std::io::Error,
    },
    /// The file is not what it should be.
    #[error("the settings {path} do not hold: {cause}")]
    Toml {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        cause: Box<toml::de::Error>,
    },
    /// Passwords and records would travel in the clear.
    #[error(
        "listen = {0} is not loopback, and pages would travel unencrypted. Listen on 127.0.0.1 behind a proxy that ends TLS, or set behind_tls_proxy = true if this address is reached only through one."
    )]
    InTheClear(SocketAddr),
    /// Outside what is safe.
    #[error("lock_after_min = {0} is outside 1 to 60 minutes")]
    LockAfter(u32),
    /// Long enough to answer, not for ever.
    #[error("answer_link_h = {0} is outside 1 to 720 hours")]
    AnswerLink(u32),
    /// Reminders that could not be sent, or not safely.
    #[error("[mail] {0}")]
    Mail(String),
    /// Nobody can dial it.
    #[error(
        "phone = {0:?} is no number; accepted are digits, spaces and + - ( ), at most 30, such as \"+1 303 555 0100\""
    )]
    Phone(String),
    /// Not a zone of the time zone database.
    #[error("zone = {0:?} is not known; accepted are names such as \"UTC\" or \"America/Denver\"")]
    Zone(String),
    /// No room, or one larger than this program was measured with.
    #[error("chairs = {0} is outside 1 to 500")]
    Chairs(u32),
}

impl Config {
    /// Reads a file over the defaults.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn read(path: &Path) -> Result<Self, BadConfig> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| BadConfig::Unreadable { path: path.to_owned(), cause })?;
        toml::from_str(&text)
            .map_err(|cause| BadConfig::Toml { path: path.to_owned(), cause: Box::new(cause) })
    }

    /// Refuses what is not safe to run.
    ///
    /// # Errors
    /// [`BadConfig`].
    pub fn check(self) -> Result<Self, BadConfig> {
        if !self.listen.ip().is_loopback() && !self.behind_tls_proxy {
            return Err(BadConfig::InTheClear(self.listen));
        }
        if !LOCK_AFTER_MIN.contains(&self.lock_after_min) {
            return Err(BadConfig::LockAfter(self.lock_after_min));
        }
        if !ANSWER_LINK_H.contains(&self.answer_link_h) {
            return Err(BadConfig::AnswerLink(self.answer_link_h));
        }
        if TimeZone::get(&self.zone).is_err() {
            return Err(BadConfig::Zone(self.zone));
        }
        if !(1..=500).contains(&self.chairs) {
            return Err(BadConfig::Chairs(self.chairs));
        }
        if let Some(phone) = self.phone.as_ref().filter(|phone| !dialled(phone)) {
            return Err(BadConfig::Phone(phone.clone()));
        }
        if let Some(mail) = &self.mail {
            mail.check()?;
        }
        Ok(self)
    }

    /// Opens the log.
    ///
    /// # Errors
    /// What is wrong with the disk, the database or the record.
    pub fn open_store(&self) -> Result<Store, store::Fault> {
        let mut config = store::Config::in_folder(&self.data);
        if let Some(url) = &self.database {
            config.url.clone_from(url);
        }
        config.reserve_bytes = u64::from(self.reserve_mib) << 20;
        config.projector = Some(std::sync::Arc::new(crate::views::Views));
        Store::open(config)
    }

    /// Zone of the clinic's clock.
    pub fn time_zone(&self) -> TimeZone {
        // `check` has refused a name that is not known.
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    /// When visits can be booked.
    pub fn calendar(&self, knowledge: &Knowledge) -> Calendar {
        let usual = || knowledge.booking.iter().flat_map(|item| item.body.open.clone()).collect();
        let opening = if self.opening.is_empty() { usual() } else { self.opening.clone() };
        Calendar { opening, holidays: self.holidays.clone(), zone: self.time_zone() }
    }

    /// Chairs of the room.
    pub fn chair_ids(&self) -> Vec<ChairId> {
        (1..=self.chairs).map(|number| ChairId::new(number.to_string())).collect()
    }
}

/// A number that a phone can dial.
fn dialled(phone: &str) -> bool {
    phone.len() <= 30
        && phone.chars().any(|one| one.is_ascii_digit())
        && phone.chars().all(|one| one.is_ascii_digit() || " +-()".contains(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_refuse_what_they_do_not_know_and_what_is_not_safe() {
        assert_eq!(toml::from_str::<Config>("").expect("defaults"), Config::default());
        assert!(toml::from_str::<Config>("lisen = \"127.0.0.1:1\"").is_err());
        let open: Config = toml::from_str("listen = \"0.0.0.0:7070\"").expect("read");
        assert!(matches!(open.clone().check(), Err(BadConfig::InTheClear(_))));
        assert!(Config { behind_tls_proxy: true, ..open }.check().is_ok());
        let never = Config { lock_after_min: 0, ..Config::default() };
        assert!(matches!(never.check(), Err(BadConfig::LockAfter(0))));
        let for_ever = Config { answer_link_h: 721, ..Config::default() };
        assert!(matches!(for_ever.check(), Err(BadConfig::AnswerLink(721))));
        for (phone, right) in [("+1 (303) 555-0100", true), ("call us", false), ("", false), ("0;1", false)] {
            let known = Config { phone: Some(phone.to_owned()), ..Config::default() };
            assert_eq!(known.check().is_ok(), right, "{phone}");
        }
        assert!(Config::default().check().is_ok());
    }
}

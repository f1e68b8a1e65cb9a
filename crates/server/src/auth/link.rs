//! Links with which a patient answers one form without an account: signed with a secret of this clinic, and ending.
//! Who holds the link may answer that form and learns nothing else. The link to a patient's page opens it with the day of
//! birth alone.
//!
//! What a link is for has a secret of its own, so that no link opens another door.

use crate::Fault;
use crate::clock::secret_token;
use clinic::id::{PatientId, StaffId};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::fmt::Write;
use store::{Secret, Store};

/// What the secret of links is kept as.
const ROWS: &str = "link-key";
/// Bytes of the signature in a link: 128 bits cannot be guessed, and the link stays short.
const SIGNED: usize = 16;

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum For {
    /// A rating scale.
    Answers,
    /// Documents to read and sign.
    Consent,
    /// The calendar of somebody who works here.
    Feed,
    /// The page of a patient.
    Page,
}

impl For {
    const fn name(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Consent => "consent",
            Self::Feed => "feed",
            Self::Page => "page",
        }
    }
}

/// Whose form, which form, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The patient.
    pub patient: PatientId,
    /// The form.
    pub form: String,
    /// From then on it takes no answers, s since the epoch.
    pub ends_s: i64,
}

/// Whose calendar, until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// The person who works here.
    pub staff: StaffId,
    /// From then on it gives nothing, s since the epoch.
    pub ends_s: i64,
}

/// The secret that signs. Kept beside the sign-ins, outside the log: without it links end, and nothing else.
#[derive(Clone)]
pub struct LinkKey(String);

impl LinkKey {
    /// The clinic's own, made when there is none yet.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn of(store: &Store, site: &str, what: For, now: Timestamp) -> Result<Self, Fault> {
        if let Some(known) = store.secret(site, ROWS, what.name(), now.as_microsecond())? {
            return Ok(Self(known));
        }
        let value = secret_token();
        store.put_secret(Secret {
            site: site.to_owned(),
            kind: ROWS.to_owned(),
            name: what.name().to_owned(),
            value: value.clone(),
            expires_us: i64::MAX,
        })?;
        Ok(Self(value))
    }

    fn mac(&self, said: &str) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.as_bytes()).ok()?;
        mac.update(said.as_bytes());
        Some(mac)
    }

    /// The link as it stands in an address.
    pub fn sign(&self, link: &Link) -> String {
        self.signed(format!("{}.{}.{}", link.patient, link.form, link.ends_s))
    }

    fn signed(&self, mut text: String) -> String {
        let mac = self.mac(&text).map(|mac| mac.finalize().into_bytes());
        // Writing into a text cannot fail.
        let _written = write!(text, ".{}", mac.map_or_else(String::new, |mac| hex::encode(&mac[..SIGNED])));
        text
    }

    /// What was signed, if this clinic signed it.
    fn said<'a>(&self, text: &'a str) -> Option<&'a str> {
        let (said, signed) = text.rsplit_once('.')?;
        let signed = hex::decode(signed).ok().filter(|signed| signed.len() == SIGNED)?;
        self.mac(said)?.verify_truncated_left(&signed).ok()?;
        Some(said)
    }

    /// The address of a calendar feed: whose visits, until when.
    pub fn sign_feed(&self, feed: &Feed) -> String {
        self.signed(format!("{}.{}", feed.staff, feed.ends_s))
    }

    /// Whose feed an address is, if this clinic signed it.
    pub fn read_feed(&self, text: &str) -> Option<Feed> {
        let (staff, ends_s) = self.said(text)?.rsplit_once('.')?;
        Some(Feed { staff: StaffId::new(staff), ends_s: ends_s.parse().ok()? })
    }

    /// What a link says, if this clinic signed it.
    pub fn read(&self, text: &str) -> Option<Link> {
        let mut parts = self.said(text)?.rsplitn(3, '.');
        let ends_s = parts.next()?.parse().ok()?;
        let form = parts.next()?.to_owned();
        Some(Link { patient: PatientId::new(parts.next()?), form, ends_s })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> LinkKey {
        LinkKey(text.to_owned())
    }

    fn link() -> Link {
        Link { patient: PatientId::new("p.1"), form: "0199-a".to_owned(), ends_s: 1_795_000_000 }
    }

    #[test]
    fn a_link_reads_back_under_its_own_key_alone() {
        let text = key("k1").sign(&link());
        assert_eq!(key("k1").read(&text), Some(link()));
        assert_eq!(key("k2").read(&text), None, "another clinic's");
    }

    /// No letter of a link can be changed, none left out.
    #[test]
    fn no_link_that_was_touched_is_read() {
        let (key, text) = (key("k1"), key("k1").sign(&link()));
        for at in 0..text.len() {
            let mut other = text.clone().into_bytes();
            other[at] = if other[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(key.read(&String::from_utf8(other).expect("ASCII")), None, "letter {at}");
            assert_eq!(key.read(&text[..at]), None, "cut at {at}");
        }
        let unsigned = text.rsplit_once('.').expect("signed").0;
        for bare in [unsigned.to_owned(), format!("{unsigned}."), String::new(), "....".to_owned()] {
            assert_eq!(key.read(&bare), None, "{bare}");
        }
    }

    #[test]
    fn a_feed_reads_back_and_nobody_makes_one_up() {
        let feed = Feed { staff: StaffId::new("kim.tran"), ends_s: 1_795_000_000 };
        let text = key("k1").sign_feed(&feed);
        assert_eq!(key("k1").read_feed(&text), Some(feed));
        assert_eq!(key("k2").read_feed(&text), None, "another purpose has another key");
        assert_eq!(key("k1").read_feed(&text.replace("kim", "lee")), None);
        assert_eq!(key("k1").read_feed(&text.replace("1795000000", "1995000000")), None);
    }

    /// RFC 4231, test case 2, cut to the bytes that a link carries.
    #[test]
    fn the_signature_is_hmac_sha_256() {
        let mac = key("Jefe").mac("what do ya want for nothing?").expect("any key").finalize().into_bytes();
        assert_eq!(hex::encode(&mac[..SIGNED]), "5bdcc146bf60754e6a042426089575c7");
    }
}

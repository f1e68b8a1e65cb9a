//! What a patient was asked to agree to, understood, signed, refused or took back. All of a patient's is one stream,
//! `consent/<patient>`. What was signed is kept word for word, so that it reads the same when the text has changed.

mod decide;
mod drawing;
mod state;
mod valid;

pub use decide::{Hand, Refusal, agree, ask, disagree, may_ask, open, sign, withdraw};
pub use drawing::{Drawing, HEIGHT, WIDTH};
pub use state::{Asking, Consents, Decision, Event, How, Mark, Signed};
pub use valid::{Agreed, Needs, Standing, before_infusion, months_begun, standing};

use crate::knowledge::consent::Document;
use crate::knowledge::{Header, Knowledge};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// A document in one version.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Edition {
    /// Its id.
    pub document: String,
    /// Its version.
    pub version: u32,
}

/// The doses and the route that an agreement is about, by their ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// Of the doses.
    pub band: String,
    /// Of the way in.
    pub route: String,
}

/// What was signed, word for word, with the digest of these words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedText {
    /// Which.
    pub edition: Edition,
    /// Its title.
    pub title: String,
    /// Word for word.
    pub words: String,
    /// SHA-256 of the words in UTF-8, hexadecimal.
    pub sha256: String,
}

/// The text of a document as it is shown and signed: every claim with its evidence and its sources.
pub fn text(header: &Header, document: &Document, all: &Knowledge) -> String {
    let mut text = format!("{}, version {}\n\n{}\n", header.title, header.version, document.lead);
    for section in &document.sections {
        // Writing into a text cannot fail.
        let _written = write!(text, "\n{}\n", section.title);
        for claim in &section.claims {
            let _written = writeln!(text, "- {} [{}]", claim.says, claim.evidence(all));
        }
    }
    let _written = write!(text, "\n{}\n", document.agree);
    text
}

#[cfg(test)]
mod tests;

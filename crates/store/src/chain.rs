//! The chain: each event's digest covers the one before, so that no past event can be changed, added or moved.

use crate::fault::Fault;
use crate::model::Recorded;
use sha2::{Digest, Sha256};

const EVENT_TAG: &[u8] = b"chairside event v1";
const SEAL_TAG: &[u8] = b"chairside row v1";

/// Digest of an event on top of `before`. `event.chain` itself is not read.
pub(crate) fn link(before: &[u8; 32], event: &Recorded) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(EVENT_TAG);
    hash.update(before);
    let fields: [&[u8]; 9] = [
        event.site.as_bytes(),
        &event.position.to_be_bytes(),
        event.stream.as_bytes(),
        &event.version.to_be_bytes(),
        event.kind.as_bytes(),
        event.body.as_bytes(),
        event.author.as_bytes(),
        event.command_id.as_bytes(),
        &event.at_us.to_be_bytes(),
    ];
    add(&mut hash, &fields);
    hash.finalize().into()
}

/// Digest over the fields of a row that is not in the chain, so that bit rot in it is seen.
pub(crate) fn seal(fields: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(SEAL_TAG);
    add(&mut hash, fields);
    hash.finalize().into()
}

/// Each field with its length before it: no text can pretend to be the next field.
pub(crate) fn add(hash: &mut Sha256, fields: &[&[u8]]) {
    for field in fields {
        hash.update((field.len() as u64).to_be_bytes());
        hash.update(field);
    }
}

/// Digest of raw bytes, for frames.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Walks events in order and refuses the first that does not follow.
pub(crate) struct Walk {
    pub(crate) position: i64,
    pub(crate) chain: [u8; 32],
}

impl Walk {
    pub(crate) fn step(&mut self, event: &Recorded) -> Result<(), Fault> {
        let next = self.position + 1;
        if event.position != next {
            return Err(Fault::Broken(format!(
                "{} has position {} where {next} must be",
                event.site, event.position
            )));
        }
        if link(&self.chain, event) != event.chain {
            return Err(Fault::Broken(format!("{} was altered at position {next}", event.site)));
        }
        *self = Self { position: next, chain: event.chain };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event() -> Recorded {
        Recorded {
            site: "main".into(),
            position: 1,
            stream: "s".into(),
            version: 1,
            kind: "k".into(),
            body: "{}".into(),
            author: "a".into(),
            command_id: "c".into(),
            at_us: 1,
            chain: [0; 32],
        }
    }

    proptest! {
        /// Moving a character from one field to its neighbour keeps the joined text; it must not keep the digest.
        #[test]
        fn fields_do_not_run_into_each_other(left in "[a-z]{1,8}", right in "[a-z]{0,8}") {
            let (mut one, mut two) = (event(), event());
            (one.kind, one.body) = (left.clone(), right.clone());
            let (head, last) = left.split_at(left.len() - 1);
            (two.kind, two.body) = (head.to_owned(), format!("{last}{right}"));
            prop_assert_ne!(link(&[0; 32], &one), link(&[0; 32], &two));
        }
    }

    /// Computed apart from this code, with Python's hashlib, from the layout above.
    const DIGEST: &str = "469e0f132049cd5211857b2452dd4fdb1222579dc4d8dfb601626352b17d797c";

    /// A released log must verify for ever: this digest may not change.
    #[test]
    fn the_digest_is_the_one_of_the_first_release() {
        assert_eq!(hex::encode(link(&[7; 32], &event())), DIGEST);
    }
}

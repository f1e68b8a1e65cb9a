//! What the pump's counter says of the account, and the account of the counter.

use crate::quantity::Microlitres;

/// How the pump's counter and the account hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Count {
    /// What the counter showed when it began to count so: at the start, or once it had been cleared or had jumped.
    pub from: Microlitres,
    /// What stood in the account by then.
    pub given: Microlitres,
}

impl Count {
    pub fn volume(self, counter: Microlitres) -> Microlitres {
        self.given.plus(counter.minus(self.from))
    }
    pub fn shows(self, volume: Microlitres) -> Microlitres {
        self.from.plus(volume.minus(self.given))
    }
}

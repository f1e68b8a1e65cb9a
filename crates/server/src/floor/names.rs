//! What people are called. The log has ids; whoever reads a refusal knows names.

use super::Floor;
use super::act::Denied;
use clinic::id::StaffId;
use jiff::Timestamp;
use std::sync::PoisonError;

impl Floor {
    /// Keeps what a person is called, who has one name for good.
    pub fn met(&self, person: &StaffId, name: &str) {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).insert(person.clone(), name.to_owned());
    }

    /// What a person who answered is called, without a look into the log; the user name of one whom this program has not
    /// met since it started.
    pub fn name_of(&self, person: &StaffId) -> String {
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        names.get(person).cloned().unwrap_or_else(|| person.0.clone())
    }

    /// What a person who works or worked here is called.
    pub fn called(&self, staff: &StaffId) -> String {
        let known = self.names.lock().unwrap_or_else(PoisonError::into_inner).get(staff).cloned();
        known.unwrap_or_else(|| match self.accounts.find(staff).ok().flatten() {
            None => staff.0.clone(),
            Some(account) => {
                self.met(staff, &account.name);
                account.name
            }
        })
    }

    /// A refusal as people read it: with names, and with times of the clinic's own clocks.
    pub(super) fn named(&self, refusal: impl Into<Denied>) -> Denied {
        let mut denied = refusal.into();
        let local = |at: Timestamp| at.to_zoned(self.zone.clone());
        let today = local(self.clock.now()).date();
        let when = |at| {
            let at = local(at);
            at.strftime(if at.date() == today { "%H:%M" } else { "%d-%b %H:%M" }).to_string()
        };
        for one in denied.people() {
            let (name, when) = (self.called(one.id()), one.at().map(when).unwrap_or_default());
            one.call(name, when);
        }
        denied
    }
}

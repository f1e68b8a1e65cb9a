//! The people of the simulated clinic. None of them exists; the secrets are printed at every start.

use clinic::id::StaffId;
use clinic::staff::{Actor, Role};

/// Somebody who works here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// User name.
    pub user: &'static str,
    /// Name on records.
    pub name: &'static str,
    /// The one role.
    pub role: Role,
    /// PIN for signatures.
    pub pin: &'static str,
}

/// One password for all: it protects nothing but made-up people.
pub const PASSWORD: &str = "try the clinic";

/// Runs the clinic.
pub const OWNER: Member = Member { user: "morgan", name: "Morgan Hale", role: Role::Owner, pin: "141421" };
/// Nurse.
pub const KIM: Member = Member { user: "kim", name: "Kim Tran, RN", role: Role::Nurse, pin: "271828" };
/// Nurse.
pub const LEE: Member = Member { user: "lee", name: "Lee Baptiste, RN", role: Role::Nurse, pin: "314159" };
/// Prescriber.
pub const OSEI: Member = Member { user: "osei", name: "Dr. Ama Osei", role: Role::Prescriber, pin: "161803" };
/// Front desk.
pub const ROBIN: Member = Member { user: "robin", name: "Robin Falk", role: Role::FrontDesk, pin: "173205" };

/// Therapist.
pub const THEA: Member = Member { user: "thea", name: "Thea Winter", role: Role::Therapist, pin: "223606" };

/// Everybody, the owner first.
pub const MEMBERS: [Member; 6] = [OWNER, KIM, LEE, OSEI, ROBIN, THEA];

impl Member {
    /// Who acts, for the log.
    pub fn actor(self) -> Actor {
        Actor { id: StaffId::new(self.user), role: self.role }
    }
}

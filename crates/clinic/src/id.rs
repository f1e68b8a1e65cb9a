//! Names of things: each kind of id is its own type, so that a chair cannot be passed for a patient.

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<String>) -> Self {
                Self(text.into())
            }
            /// The id as text, as it stands in the log.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

ids! {
    /// A person treated. Opaque; the medical record number is a property, not the id.
    PatientId,
    /// One visit with one infusion.
    SessionId,
    /// What one person asked before the first visit, and what became of it.
    InquiryId,
    /// The visits of one patient under one plan.
    CourseId,
    /// Something that one person must see to before a clock runs out.
    TaskId,
    /// One scale, answered once by one patient.
    QuestionnaireId,
    /// Documents put before one patient to read and sign, once.
    ConsentId,
    /// Something a patient wants to be able to do again.
    GoalId,
    /// One note of a therapist.
    NoteId,
    /// Somebody outside the clinic who cares for a patient.
    CarerId,
    /// A stretch of time for which somebody is on call.
    DutyId,
    /// A signed-in person who works here.
    StaffId,
    /// A place where one patient is treated, `1`, `2`, …
    ChairId,
    /// A device by its own identity: EUI-64, system id or gateway and label.
    DeviceId,
    /// A prescriber's instruction.
    OrderId,
    /// One container of controlled stock.
    VialId,
    /// Comes with the form or the device message; the same id never acts twice.
    CommandId,
    /// One alarm, from its raising to its end.
    AlarmId,
    /// A rule, limit, gate or playbook in `knowledge/`, for example `C11` or `limit_sbp`.
    RuleId,
    /// A citation in `knowledge/sources.toml`.
    SourceId,
}

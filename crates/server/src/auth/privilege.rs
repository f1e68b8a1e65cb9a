//! What each role may do: one table, read by the router and by every signature.

use clinic::staff::Role;

macro_rules! privileges {
    ($($(#[$doc:meta])* $name:ident: $text:literal),* $(,)?) => {
        /// Something a role may do. A route names the one it needs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Privilege {
            $($(#[$doc])* $name,)*
        }

        impl Privilege {
            /// Every privilege, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// As it is told to a person who lacks it: "Your role may not …".
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

privileges! {
    /// Live board and chairs.
    WatchRoom: "watch the infusion room",
    /// A session's record and its print; each view is in the audit.
    OpenRecord: "open a record",
    /// Search for a patient and see who it is.
    FindPatient: "look for a patient",
    /// Register, arrive, note the escort.
    CheckIn: "check a patient in",
    /// Weight, gates, intake answers.
    Assess: "assess a patient before the infusion",
    /// A consultation and its verdict; each view is in the audit.
    OpenConsultation: "open a consultation",
    /// Goals, medicines, therapy and care team of a patient; each view is in the audit.
    OpenCarePlan: "open a care plan",
    /// Write into it.
    KeepCarePlan: "keep a care plan",
    /// A note of a therapist.
    WriteTherapyNote: "write a therapy note",
    /// An order for an infusion.
    SignOrder: "sign an order",
    /// Vial, syringe, bag, pump program.
    PrepareDrug: "prepare a drug",
    /// The independent second check.
    SecondCheck: "make the second check",
    /// Start, resume, change a rate.
    RunInfusion: "start an infusion or change its rate",
    /// Pause or stop, wider than starting: stopping is never harder than going on.
    StopInfusion: "pause or stop an infusion",
    /// Observations, distress, comments.
    Chart: "chart an observation",
    /// Adverse events and their steps.
    NoteAdverseEvent: "note an adverse event",
    /// Rescue drugs under a standing order.
    GiveRescueDrug: "give a rescue drug",
    /// Acknowledge an alarm or pause its sound.
    AnswerAlarm: "answer an alarm",
    /// Move alarm limits for one patient, within what the knowledge allows.
    SetLimits: "set alarm limits for a patient",
    /// Say which device is at which chair.
    PlaceDevice: "place a device at a chair",
    /// Go against a limit with a reason.
    OverrideLimit: "override a limit",
    /// Witness waste of a controlled drug.
    WitnessWaste: "witness waste",
    /// Send a patient home.
    Discharge: "discharge a patient",
    /// Simulate made-up people by published models; it shows no patient.
    UseLab: "use the simulation lab",
    /// Own password and PIN.
    OwnAccount: "change your own account",
    /// Add people, roles, first passwords.
    ManageStaff: "manage staff",
    /// What people asked before their first visit; each view is in the audit.
    OpenInquiry: "open an inquiry",
    /// Send an inquiry on, register who asked, close it.
    SortInquiry: "decide about an inquiry",
    /// That there are tasks, whose they are, and when their clocks run out.
    SeeTasks: "see the tasks",
    /// Take a task by name and end it; be on call for one.
    SeeToTask: "see to a task",
    /// What patients answered on rating scales; each view is in the audit.
    OpenScores: "open the scores of a patient",
    /// What became of the patients of the clinic; who is worse is named only to whoever may open scores.
    SeeOutcomes: "see the outcomes of the clinic",
    /// Enter or correct a rating scale, make a link for a patient's phone, give a patient the own page.
    EnterScale: "enter a rating scale",
    /// A patient's course: plan, advice, exposure, checks; each view is in the audit.
    OpenCourse: "open a course",
    /// A version of a plan, what is done with advice, an overridden check.
    SignPlan: "sign a plan",
    /// Put the visits of a course into the calendar, move them, cancel them.
    BookVisits: "book visits",
    /// Who comes when, to which chair.
    SeeCalendar: "see the calendar",
    /// What waits across patients, each in the words of the role; each view is in the audit.
    SeeWorklist: "see the worklist",
    /// Documents that patients sign: put them before a patient, read what was signed; each view is in the audit.
    AskConsent: "ask a patient for consent",
    /// Who is on call.
    PlanDuty: "plan who is on call",
    /// What the clinic asks for its care.
    SetPrices: "set prices",
}

/// The whole policy. What is not written here is refused.
const TABLE: &[(Role, &[Privilege])] = {
    use Privilege::*;
    &[
        (
            Role::FrontDesk,
            &[
                FindPatient,
                CheckIn,
                OwnAccount,
                OpenInquiry,
                SortInquiry,
                SeeTasks,
                BookVisits,
                SeeCalendar,
                SeeWorklist,
                AskConsent,
            ],
        ),
        (
            Role::Nurse,
            &[
                WatchRoom,
                OpenRecord,
                FindPatient,
                CheckIn,
                Assess,
                OpenConsultation,
                OpenCarePlan,
                KeepCarePlan,
                PrepareDrug,
                SecondCheck,
                RunInfusion,
                StopInfusion,
                Chart,
                NoteAdverseEvent,
                GiveRescueDrug,
                AnswerAlarm,
                SetLimits,
                PlaceDevice,
                WitnessWaste,
                Discharge,
                UseLab,
                OwnAccount,
                OpenInquiry,
                SortInquiry,
                SeeTasks,
                SeeToTask,
                OpenScores,
                EnterScale,
                OpenCourse,
                BookVisits,
                SeeCalendar,
                SeeWorklist,
                AskConsent,
            ],
        ),
        (
            Role::Prescriber,
            &[
                WatchRoom,
                OpenRecord,
                FindPatient,
                CheckIn,
                Assess,
                OpenConsultation,
                OpenCarePlan,
                KeepCarePlan,
                WriteTherapyNote,
                SignOrder,
                PrepareDrug,
                SecondCheck,
                RunInfusion,
                StopInfusion,
                Chart,
                NoteAdverseEvent,
                GiveRescueDrug,
                AnswerAlarm,
                SetLimits,
                PlaceDevice,
                OverrideLimit,
                WitnessWaste,
                Discharge,
                UseLab,
                OwnAccount,
                OpenInquiry,
                SortInquiry,
                SeeTasks,
                SeeToTask,
                OpenScores,
                SeeOutcomes,
                EnterScale,
                OpenCourse,
                SignPlan,
                BookVisits,
                SeeCalendar,
                SeeWorklist,
                AskConsent,
            ],
        ),
        (
            Role::Therapist,
            &[
                WatchRoom,
                OpenRecord,
                FindPatient,
                OpenCarePlan,
                KeepCarePlan,
                WriteTherapyNote,
                StopInfusion,
                Chart,
                NoteAdverseEvent,
                OwnAccount,
                OpenInquiry,
                SeeTasks,
                SeeToTask,
                OpenScores,
                EnterScale,
                SeeCalendar,
                SeeWorklist,
                AskConsent,
            ],
        ),
        (Role::Owner, &[UseLab, ManageStaff, OwnAccount, SeeTasks, SeeOutcomes, PlanDuty, SetPrices]),
        (Role::Machine, &[]),
    ]
};

/// The roles a person can hold, in the order in which one acts when several would do.
pub const ROLES: [Role; 5] = [Role::Prescriber, Role::Nurse, Role::Therapist, Role::FrontDesk, Role::Owner];

impl Privilege {
    /// Whether `role` has it.
    pub fn held_by(self, role: Role) -> bool {
        TABLE.iter().any(|(of, may)| *of == role && may.contains(&self))
    }

    /// The live room stays in view when the controls are locked: an idle hand must not hide an alarm.
    pub fn shown_when_locked(self) -> bool {
        matches!(self, Self::WatchRoom)
    }

    /// Each page opened under it is written into the audit.
    pub fn audits_views(self) -> bool {
        matches!(
            self,
            Self::OpenRecord
                | Self::OpenInquiry
                | Self::OpenConsultation
                | Self::OpenCarePlan
                | Self::OpenScores
                | Self::OpenCourse
                | Self::SeeWorklist
                | Self::AskConsent
                | Self::SeeOutcomes
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_role_has_one_row_and_every_privilege_a_holder() {
        for role in ROLES.into_iter().chain([Role::Machine]) {
            assert_eq!(TABLE.iter().filter(|(of, _)| *of == role).count(), 1, "{role:?}");
        }
        for privilege in Privilege::ALL {
            assert!(ROLES.iter().any(|role| privilege.held_by(*role)), "{privilege:?} has no holder");
        }
    }

    #[test]
    fn a_machine_may_do_nothing_and_only_a_prescriber_orders() {
        assert!(Privilege::ALL.iter().all(|privilege| !privilege.held_by(Role::Machine)));
        let may_order: Vec<_> =
            ROLES.into_iter().filter(|role| Privilege::SignOrder.held_by(*role)).collect();
        assert_eq!(may_order, [Role::Prescriber]);
    }

    #[test]
    fn who_is_on_call_in_the_table_may_answer_in_the_domain() {
        for role in ROLES {
            assert_eq!(Privilege::SeeToTask.held_by(role), clinic::care::task::may_answer(role), "{role:?}");
        }
    }

    #[test]
    fn who_asks_for_consent_in_the_table_may_in_the_domain() {
        for role in ROLES {
            assert_eq!(Privilege::AskConsent.held_by(role), clinic::consent::may_ask(role), "{role:?}");
        }
    }

    #[test]
    fn who_gives_a_patient_the_page_in_the_table_may_in_the_domain() {
        for role in ROLES {
            let may = clinic::care::patient_page::may_give(role);
            assert_eq!(Privilege::EnterScale.held_by(role), may, "{role:?}");
        }
    }

    #[test]
    fn whoever_may_start_may_stop() {
        for role in ROLES.into_iter().filter(|role| Privilege::RunInfusion.held_by(*role)) {
            assert!(Privilege::StopInfusion.held_by(role), "{role:?}");
        }
    }
}

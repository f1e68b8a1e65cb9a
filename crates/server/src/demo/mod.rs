//! The demonstration: a simulated day in a real clinic. The log, the rules, the codecs and the pages are those of the
//! product; made-up are only the people, what stands at their chairs and, in a headless run, time and sockets.

mod agree;
mod devices;
mod headless;
mod history;
mod live;
mod prepare;
mod stage;

pub use agree::sign_consent;
pub use headless::{Outcome, headless};
pub use history::record;
pub use live::{Options, live, speed};
pub use prepare::prepare;

/// Network address in the audit of what simulated staff sign.
const FROM: &str = "simulation";

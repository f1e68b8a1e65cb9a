//! The web side in process, against a real log: one program, because linking is what takes the time.

mod auth;
mod calendar;
mod care;
mod care_plan;
mod consent;
mod consultation;
mod course;
mod details;
mod experience;
mod infusion;
mod joined;
mod lab;
mod mine;
mod outcomes;
mod prices;
mod reminders;
mod routes;
mod scales;
mod second_check;
mod strike;
mod support;
mod texts;
mod typed;
mod visit;
mod walk;
mod watch;

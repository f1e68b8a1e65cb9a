//! `chairside init`: the log of a new clinic, and its first owner.

use super::{Exit, Place, ask_secret, say};
use crate::auth::accounts::{Accounts, Error, NewStaff};
use crate::auth::staff::role_from;
use crate::clock::{Clock, Ids};
use crate::founding::Purpose;
use clinic::staff::Role;

/// The first owner.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// User name of the owner
    #[arg(long, default_value = "owner")]
    user: String,
    /// Name as it stands on records
    #[arg(long)]
    name: String,
    /// A clinical role that the owner holds too, for example prescriber
    #[arg(long = "also", value_name = "ROLE")]
    also: Vec<String>,
}

/// Founds the clinic. Password and PIN are asked for, or read as two lines from standard input.
pub fn run(args: &Args) -> Exit {
    let mut roles = vec![Role::Owner];
    for text in &args.also {
        match role_from(text) {
            Some(role) => roles.push(role),
            None => return say(Exit::Unreadable, super::staff::no_role(text)),
        }
    }
    let config = match args.place.settings() {
        Ok(config) => config,
        Err(cause) => return say(Exit::Unreadable, cause),
    };
    let secrets =
        ask_secret("Password: ").and_then(|password| Ok((password, ask_secret("PIN for signatures: ")?)));
    let (password, pin) = match secrets {
        Ok(secrets) => secrets,
        Err(cause) => return say(Exit::Unreadable, format!("no password could be read: {cause}")),
    };
    if let Err(cause) = std::fs::create_dir_all(&config.data) {
        return say(Exit::Failed, format!("cannot make the folder {}: {cause}", config.data.display()));
    }
    let store = match config.open_store() {
        Ok(store) => store,
        Err(cause) => return say(Exit::Failed, cause),
    };
    let clock = Clock::system();
    let ids = Ids::system(clock.clone());
    let owner =
        NewStaff { user: args.user.clone(), name: args.name.clone(), roles, password, pin: Some(pin) };
    match Accounts::new(store, &config.site, clock, ids.clone()).found(
        owner,
        Purpose::asked(config.demo),
        &ids.next(),
    ) {
        Ok(id) => {
            println!(
                "The clinic is founded in {}. Owner: {id}. Next: chairside serve",
                config.data.display()
            );
            Exit::Done
        }
        Err(Error::Refused(refusal)) => say(Exit::Unreadable, refusal),
        Err(Error::Fault(fault)) => say(Exit::Failed, format!("{:#}", anyhow::Error::new(fault))),
    }
}

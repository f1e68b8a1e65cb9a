//! `chairside staff`: people, from the machine that holds the log. Who may log in there may do this.

use super::{Exit, Place, ask_secret, say};
use crate::auth::accounts::{Accounts, Error, NewStaff};
use crate::auth::privilege::ROLES;
use crate::auth::staff::{role_from, role_key, user_name};
use crate::clock::{Clock, Ids};
use crate::config::Config;
use clinic::id::StaffId;

/// Author of what is done at the machine itself.
const AT_THE_MACHINE: &str = "command-line";

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// List everybody
    List(List),
    /// Add a person; password and PIN are asked for, or read as two lines from standard input
    Add(Add),
    /// Set a person's password; it is asked for, or read from standard input
    Password(Password),
}

/// `staff list`
#[derive(Debug, clap::Args)]
pub struct List {
    #[command(flatten)]
    place: Place,
}

/// `staff add`
#[derive(Debug, clap::Args)]
pub struct Add {
    #[command(flatten)]
    place: Place,
    /// User name; never given to another person
    #[arg(long)]
    user: String,
    /// Name as it stands on records
    #[arg(long)]
    name: String,
    /// front_desk, nurse, prescriber, therapist or owner; may be given again
    #[arg(long = "role", required = true, value_name = "ROLE")]
    roles: Vec<String>,
}

/// `staff password`
#[derive(Debug, clap::Args)]
pub struct Password {
    #[command(flatten)]
    place: Place,
    /// User name
    #[arg(long)]
    user: String,
}

/// Does it.
pub fn run(verb: &Verb) -> Exit {
    let place = match verb {
        Verb::List(args) => &args.place,
        Verb::Add(args) => &args.place,
        Verb::Password(args) => &args.place,
    };
    let config = match place.settings() {
        Ok(config) => config,
        Err(cause) => return say(Exit::Unreadable, cause),
    };
    match verb {
        Verb::List(_) => open(&config).map_or_else(|exit| exit, |(accounts, _)| list(&accounts)),
        Verb::Add(args) => add(&config, args),
        Verb::Password(args) => password(&config, args),
    }
}

/// What a person may write for a role.
pub(super) fn no_role(text: &str) -> String {
    let roles: Vec<_> = ROLES.into_iter().map(role_key).collect();
    format!("\"{text}\" is no role. Use one of: {}", roles.join(", "))
}

fn open(config: &Config) -> Result<(Accounts, Ids), Exit> {
    let store = config.open_store().map_err(|cause| say(Exit::Failed, cause))?;
    let clock = Clock::system();
    let ids = Ids::system(clock.clone());
    Ok((Accounts::new(store, &config.site, clock, ids.clone()), ids))
}

fn list(accounts: &Accounts) -> Exit {
    match accounts.all() {
        Ok(all) => {
            for account in all {
                let left = if account.disabled { "\tleft" } else { "" };
                println!("{}\t{}\t{}{left}", account.id, account.name, account.roles_text());
            }
            Exit::Done
        }
        Err(fault) => say(Exit::Failed, fault),
    }
}

fn add(config: &Config, args: &Add) -> Exit {
    let mut roles = Vec::new();
    for text in &args.roles {
        match role_from(text) {
            Some(role) => roles.push(role),
            None => return say(Exit::Unreadable, no_role(text)),
        }
    }
    let secrets = ask_secret("First password: ")
        .and_then(|password| Ok((password, ask_secret("First PIN (empty for none): ")?)));
    let (password, pin) = match secrets {
        Ok(secrets) => secrets,
        Err(cause) => return say(Exit::Unreadable, format!("no password could be read: {cause}")),
    };
    let pin = Some(pin).filter(|pin| !pin.is_empty());
    let person = NewStaff { user: args.user.clone(), name: args.name.clone(), roles, password, pin };
    let (accounts, ids) = match open(config) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    told(accounts.add(person, &StaffId::new(AT_THE_MACHINE), &ids.next()).map(|id| format!("{id} is added")))
}

fn password(config: &Config, args: &Password) -> Exit {
    let id = match user_name(&args.user) {
        Ok(id) => id,
        Err(cause) => return say(Exit::Unreadable, cause),
    };
    let password = match ask_secret("New password: ") {
        Ok(password) => password,
        Err(cause) => return say(Exit::Unreadable, format!("no password could be read: {cause}")),
    };
    let (accounts, ids) = match open(config) {
        Ok(opened) => opened,
        Err(exit) => return exit,
    };
    let set = accounts.set_password(&id, &password, &StaffId::new(AT_THE_MACHINE), &ids.next());
    told(set.map(|()| format!("the password of {id} is set")))
}

fn told(outcome: Result<String, Error>) -> Exit {
    match outcome {
        Ok(text) => {
            println!("{text}");
            Exit::Done
        }
        Err(Error::Refused(refusal)) => say(Exit::Unreadable, refusal),
        Err(Error::Fault(fault)) => say(Exit::Failed, format!("{:#}", anyhow::Error::new(fault))),
    }
}

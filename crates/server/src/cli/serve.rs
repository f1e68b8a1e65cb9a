//! `chairside serve`

use super::{Exit, Place, say};
use std::net::SocketAddr;

/// Settings that the command line may say over the file.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    place: Place,
    /// Address of the pages; other than loopback only behind a proxy that ends TLS
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: Option<SocketAddr>,
    /// Address for devices (HL7 over MLLP)
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "no_devices")]
    devices: Option<SocketAddr>,
    /// Listen to no device
    #[arg(long)]
    no_devices: bool,
    /// Serve without the watchdog that restarts a stuck alarm evaluator
    #[arg(long)]
    unwatched: bool,
}

/// Serves until told to stop.
pub fn run(args: &Args) -> Exit {
    let settings = args.place.settings().and_then(|mut config| {
        config.listen = args.listen.unwrap_or(config.listen);
        config.devices = if args.no_devices { None } else { args.devices.or(config.devices) };
        config.check()
    });
    let config = match settings {
        Ok(config) => config,
        Err(cause) => return say(Exit::Unreadable, cause),
    };
    log_to_stderr();
    if !args.unwatched && std::env::var_os(crate::supervise::CHILD).is_none() {
        return match crate::supervise::watch() {
            Ok(exit) => exit,
            Err(cause) => say(Exit::Failed, format!("{cause:#}")),
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => return say(Exit::Failed, format!("cannot start: {cause}")),
    };
    match runtime.block_on(crate::serve(config)) {
        Ok(()) => Exit::Done,
        Err(cause) => say(Exit::Failed, format!("{cause:#}")),
    }
}

/// Lines for a person at a terminal, JSON otherwise. A panic is told by its place alone: its message may hold what a
/// patient said.
fn log_to_stderr() {
    use std::io::IsTerminal;
    let lines = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO);
    if std::io::stderr().is_terminal() {
        lines.init();
    } else {
        lines.json().init();
    }
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "a part of the program stopped where it never should");
    }));
}

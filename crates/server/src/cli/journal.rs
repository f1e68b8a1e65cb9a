//! `chairside journal`: the log for people who do not trust it. The log itself is only read.

use super::{Exit, Place, say};
use crate::auth::logins;
use crate::config::Config;
use crate::floor;
use crate::views::Views;
use jiff::Timestamp;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use store::{Astray, Differing, Fault, Minutes, Report, Secrets, SignedHead, SiteReport, Stray, ViewsReport};

/// What to do.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum Verb {
    /// Check every event, command, device frame and sign-in, and that nothing was cut off after a signed head
    Verify(Verify),
    /// Write out every event, oldest first: as secret as the log itself, it holds patients, and passwords and PINs as hashes
    Export(Export),
    /// Make every list and search again from the log, while no server uses it
    RebuildLists(RebuildLists),
}

/// `journal verify`
#[derive(Debug, Clone, clap::Args)]
pub struct Verify {
    #[command(flatten)]
    place: Place,
    /// File of signed heads kept elsewhere (a day-close print, a backup); may be given again. The folder's own
    /// `head.sig` is always read
    #[arg(long = "head", value_name = "FILE")]
    heads: Vec<PathBuf>,
}

/// `journal export`
#[derive(Debug, Clone, clap::Args)]
pub struct Export {
    #[command(flatten)]
    place: Place,
    /// One site alone
    #[arg(long)]
    site: Option<String>,
    /// One JSON object a line
    #[arg(long, value_enum, default_value = "jsonl")]
    format: Format,
    /// Into this file, with the signed heads beside it as FILE.heads; else to standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// `journal rebuild-lists`
#[derive(Debug, Clone, clap::Args)]
pub struct RebuildLists {
    #[command(flatten)]
    place: Place,
}

/// How events are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One JSON object a line.
    Jsonl,
}

/// Does it. Exit 1 when the log is broken or cannot be read, 2 for settings or heads that cannot be read.
pub fn run(verb: &Verb) -> Exit {
    let place = match verb {
        Verb::Verify(args) => &args.place,
        Verb::Export(args) => &args.place,
        Verb::RebuildLists(args) => &args.place,
    };
    let config = match place.settings() {
        Ok(config) => config,
        Err(cause) => return say(Exit::Unreadable, cause),
    };
    if let Some(why) = no_log(&config) {
        return say(Exit::Unreadable, why);
    }
    let outcome = match verb {
        Verb::Verify(args) => verify(&config, &args.heads),
        Verb::Export(args) => export(&config, args),
        Verb::RebuildLists(_) => rebuild_lists(&config),
    };
    outcome.unwrap_or_else(|exit| exit)
}

fn url(config: &Config) -> String {
    let file = || config.data.join("chairside.db").to_string_lossy().into_owned();
    config.database.clone().unwrap_or_else(file)
}

/// Why there is nothing to read; `None` when there is a log, or a database server that has to be asked.
fn no_log(config: &Config) -> Option<String> {
    let file = config.data.join("chairside.db");
    (config.database.is_none() && !file.exists()).then(|| {
        format!(
            "there is no log in {}: the file chairside.db is missing. Name the folder of a clinic with --data DIR; \
             `chairside init` makes a new one",
            config.data.display()
        )
    })
}

/// Heads of a file; none when it may be missing and is.
fn heads_in(file: &Path, may_be_missing: bool) -> Result<Vec<SignedHead>, Exit> {
    let text = match std::fs::read_to_string(file) {
        Err(cause) if may_be_missing && cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(say(Exit::Unreadable, format!("cannot read {}: {cause}", file.display()))),
        Ok(text) => text,
    };
    SignedHead::read_all(&text).map_err(|fault| say(Exit::Unreadable, format!("{}: {fault}", file.display())))
}

fn verify(config: &Config, others: &[PathBuf]) -> Result<Exit, Exit> {
    let mut heads = heads_in(&config.data.join("head.sig"), true)?;
    for file in others {
        heads.extend(heads_in(file, false)?);
    }
    let report = store::verify(&url(config), &heads).map_err(failed)?;
    let minutes = store::verify_minutes(&url(config), &floor::vouched).map_err(failed)?;
    // Views can be made only from a log that reads.
    let views =
        report.sound().then(|| store::verify_views(&url(config), &Views)).transpose().map_err(failed)?;
    let secrets = report.sound().then(|| store::verify_secrets(&url(config), &logins::claim, &logins::told));
    let secrets = secrets.transpose().map_err(failed)?;
    let signs = config.data.join("head.key").exists();
    let (told, exit) = told(&report, &minutes, secrets.as_ref(), views.as_ref(), signs);
    print!("{told}");
    Ok(exit)
}

fn failed(fault: Fault) -> Exit {
    say(Exit::Failed, fault)
}

fn rebuild_lists(config: &Config) -> Result<Exit, Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    let held = runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(crate::hold(config)));
    let _held = held.map_err(|why| say(Exit::Failed, format!("{why:#}")))?;
    let store = config.open_store().map_err(failed)?;
    for site in store.sites().map_err(failed)? {
        let events = store.rebuild_views(&site).map_err(|why| say(Exit::Failed, why))?;
        println!("{site}: lists made again from {events} events");
    }
    Ok(Exit::Done)
}

/// What is told of a log, and how that ends. `signs` where the key that signs heads is in the folder.
fn told(
    report: &Report,
    minutes: &Minutes,
    secrets: Option<&Secrets>,
    views: Option<&ViewsReport>,
    signs: bool,
) -> (String, Exit) {
    let mut lines: Vec<String> = report.sites.iter().map(told_site).collect();
    lines.push(format!("{} minutes of readings compared with their digests", minutes.compared));
    lines.push(secrets.map_or_else(|| "sign-ins NOT compared: the log is broken".to_owned(), told_secrets));
    let compared = views.filter(|views| !views.of_another_version);
    lines.push(match (views, compared) {
        (None, _) => "lists NOT compared: the log that they are made of is broken".to_owned(),
        (_, None) => {
            "lists NOT compared: they were made by another version of the program. Start the server or run \
                      `chairside journal rebuild-lists`, either makes them again, then verify again"
                .to_owned()
        }
        (_, Some(views)) => format!("{} rows of lists compared with the log", views.compared),
    });
    let of_sites = report.sites.iter().flat_map(|site| &site.findings);
    let broken: Vec<String> = (report.findings.iter().chain(of_sites).map(ToString::to_string))
        .chain(report.sites.iter().filter(|site| signs && site.signed.is_none()).map(told_unsigned))
        .chain(minutes.differing.iter().map(told_minute))
        .chain(secrets.iter().flat_map(|secrets| &secrets.unfounded).map(told_sign_in))
        .chain(views.iter().flat_map(|views| &views.astray).map(told_row))
        .collect();
    lines.extend(broken.iter().map(|finding| format!("BROKEN  {finding}")));
    let (verdict, exit) = match (broken.is_empty(), compared) {
        (true, Some(_)) => ("The log is sound.", Exit::Done),
        (true, None) => ("The log is sound. Its lists were NOT compared.", Exit::Failed),
        (false, _) => ("The log is NOT sound.", Exit::Failed),
    };
    lines.push(verdict.to_owned());
    (lines.join("\n") + "\n", exit)
}

/// Why nothing is written out where something is.
fn already(file: &Path) -> String {
    format!(
        "{} is there already, and an export writes over nothing: nothing was written. Name another file with --out FILE, \
         or move that one away",
        file.display()
    )
}

/// An installation that signs has signed before its first stop.
fn told_unsigned(site: &SiteReport) -> String {
    format!(
        "{}: the folder has the key that signs heads, head.key, and no signed head of this log: head.sig was taken away, \
         and an end that was cut off would not be seen. Name a head that was kept elsewhere with --head FILE",
        site.site
    )
}

fn told_row(astray: &Astray) -> String {
    let Astray { site, view, key, how } = astray;
    let how = match how {
        Stray::Gone => "is gone",
        Stray::Unfounded => "stands for nothing in the log",
        Stray::Other => "says something else than the log",
        Stray::Unreadable(column) => {
            return format!(
                "{site}: row {key} of the list {view} cannot be read: its column {column} holds something that does not \
                 belong there; the log is right, and a list can be made again from it"
            );
        }
    };
    format!(
        "{site}: row {key} of the list {view} {how}; the log is right, and a list can be made again from it"
    )
}

/// Passwords and PINs are events and stand in the chain. What comes and goes beside it is told by name.
fn told_secrets(secrets: &Secrets) -> String {
    if secrets.compared == 0 && secrets.not_covered.is_empty() {
        return "0 sign-ins compared with the log".to_owned();
    }
    let beside = ["times of a sign-in", "one that was signed out and put back"].map(str::to_owned);
    let kinds: Vec<String> = beside.into_iter().chain(secrets.not_covered.iter().cloned()).collect();
    let (compared, kinds) = (secrets.compared, kinds.join(", "));
    format!(
        "{compared} sign-ins compared with the log; NOT covered, because the log does not tell of it: {kinds}"
    )
}

fn told_sign_in((site, _, name): &(String, String, String)) -> String {
    let name: String = name.chars().take(16).collect();
    format!(
        "{site}: the sign-in {name} stands for nobody who signed in by the log. Sign-ins that an earlier version took end \
         within 12 hours; any other was put there or changed beside the program"
    )
}

fn told_minute(differing: &Differing) -> String {
    let Differing { site, stream, minute_us, gone } = differing;
    let minute = Timestamp::from_microsecond(*minute_us)
        .map_or_else(|_| minute_us.to_string(), |minute| minute.strftime("%Y-%m-%d %H:%M").to_string());
    let how = if *gone { "is gone" } else { "has other bytes than those that the log vouches for" };
    format!("{site}: the minute {minute} UTC of {stream} {how}")
}

fn told_site(site: &SiteReport) -> String {
    let signed = match site.signed {
        Some(position) if position < site.events => format!(
            "signed up to position {position}, the last {} not yet: if they were cut off, it would not be seen",
            site.events - position
        ),
        Some(position) => format!("signed up to position {position}, the last"),
        None => "no signed head: an end that was cut off would not be seen".to_owned(),
    };
    let SiteReport { site, events, commands, frames, .. } = site;
    format!("{site}: {events} events, {commands} commands, {frames} device frames; {signed}")
}

fn export(config: &Config, args: &Export) -> Result<Exit, Exit> {
    let Format::Jsonl = args.format;
    let count = match &args.out {
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            write_events(config, args, &mut out)
        }
        Some(file) => {
            let mut beside = file.clone().into_os_string();
            beside.push(".heads");
            let beside = PathBuf::from(beside);
            if let Some(there) = [file, &beside].into_iter().find(|one| one.exists()) {
                return Err(say(Exit::Unreadable, already(there)));
            }
            let heads = config.data.join("head.sig");
            if heads.exists() {
                // Before the events: every head must be found among them.
                std::fs::copy(&heads, &beside)
                    .map_err(|cause| say(Exit::Failed, format!("cannot write the signed heads: {cause}")))?;
            }
            let made = File::create_new(file);
            let made =
                made.map_err(|cause| say(Exit::Failed, format!("cannot make {}: {cause}", file.display())))?;
            write_events(config, args, &mut BufWriter::new(made))
        }
    };
    // Not on standard output, where the events are.
    let count = count.map_err(failed)?;
    Ok(say(Exit::Done, format!("{count} events")))
}

fn write_events(config: &Config, args: &Export, out: &mut dyn Write) -> Result<i64, Fault> {
    let count = store::export(&url(config), args.site.as_deref(), out)?;
    out.flush().map_err(|cause| Fault::File { path: "export".into(), why: cause.to_string() })?;
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::audit::{Audit, Kind};
    use clinic::id::StaffId;

    fn site(findings: &[&str], signed: Option<i64>) -> SiteReport {
        SiteReport {
            site: "main".into(),
            events: 12,
            commands: 9,
            frames: 3,
            signed,
            findings: findings.iter().map(|finding| (*finding).to_owned()).collect(),
        }
    }

    #[test]
    fn an_empty_folder_is_told_with_what_is_missing_and_ends_with_2() {
        let folder = std::env::temp_dir().join(format!("chairside-none-{}", crate::clock::secret_token()));
        std::fs::create_dir_all(&folder).expect("folder");
        let config = Config { data: folder.clone(), ..Config::default() };
        let why = no_log(&config).expect("no log");
        assert!(why.contains("chairside.db is missing") && why.contains("--data DIR"), "{why}");
        let elsewhere = Config { database: Some("postgres://db".to_owned()), ..config.clone() };
        assert_eq!(no_log(&elsewhere), None);
        std::fs::write(folder.join("chairside.db"), "").expect("file");
        assert_eq!(no_log(&config), None);
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_sound_log_is_told_with_its_positions() {
        let report = |signed| Report { sites: vec![site(&[], Some(signed))], findings: vec![] };
        let minutes = Minutes { compared: 7, differing: Vec::new() };
        let views = ViewsReport { compared: 4, ..ViewsReport::default() };
        assert_eq!(
            told(&report(12), &minutes, Some(&Secrets::default()), Some(&views), true),
            (
                "main: 12 events, 9 commands, 3 device frames; signed up to position 12, the last\n\
                 7 minutes of readings compared with their digests\n\
                 0 sign-ins compared with the log\n\
                 4 rows of lists compared with the log\nThe log is sound.\n"
                    .to_owned(),
                Exit::Done
            )
        );
        let (tail, _) = told(&report(7), &minutes, Some(&Secrets::default()), None, true);
        assert!(tail.contains("signed up to position 7, the last 5 not yet"), "{tail}");
    }

    #[test]
    fn a_minute_that_differs_is_told_with_its_stream() {
        let differing = |minute_us, gone| Differing {
            site: "main".to_owned(),
            stream: "readings/v1".to_owned(),
            minute_us,
            gone,
        };
        let minutes =
            Minutes { compared: 2, differing: vec![differing(60_000_000, false), differing(0, true)] };
        let report = Report { sites: vec![site(&[], Some(12))], findings: vec![] };
        let (told, exit) = told(&report, &minutes, Some(&Secrets::default()), None, true);
        assert_eq!(exit, Exit::Failed);
        assert!(told.contains(
            "BROKEN  main: the minute 1970-01-01 00:01 UTC of readings/v1 has other bytes than those that the log vouches for"
        ));
        assert!(told.contains("the minute 1970-01-01 00:00 UTC of readings/v1 is gone"), "{told}");
        assert!(told.ends_with("The log is NOT sound.\n"));
    }

    #[test]
    fn a_broken_log_is_told_with_every_finding() {
        let report =
            Report { sites: vec![site(&["main ends at 11"], None)], findings: vec!["page 3".into()] };
        assert_eq!(
            told(&report, &Minutes::default(), Some(&Secrets::default()), None, false),
            (
                "main: 12 events, 9 commands, 3 device frames; no signed head: an end that was cut off would not be \
                 seen\n\
                 0 minutes of readings compared with their digests\n\
                 0 sign-ins compared with the log\n\
                 lists NOT compared: the log that they are made of is broken\n\
                 BROKEN  page 3\nBROKEN  main ends at 11\nThe log is NOT sound.\n"
                    .to_owned(),
                Exit::Failed
            )
        );
    }

    /// Hazard 129: a row beside the chain that the log does not tell of opens every page of whom it names.
    #[test]
    fn a_sign_in_that_the_log_does_not_tell_of_is_found_and_what_is_not_covered_is_said() {
        let folder = std::env::temp_dir().join(format!("chairside-rows-{}", crate::clock::secret_token()));
        std::fs::create_dir_all(&folder).expect("folder");
        let config = Config { data: folder.clone(), reserve_mib: 0, ..Config::default() };
        let compare = || store::verify_secrets(&url(&config), &logins::claim, &logins::told).expect("read");
        let store = config.open_store().expect("a log");
        let put = |kind: &str, name: &str, value: &str| {
            let (site, kind) = (config.site.clone(), kind.to_owned());
            let (name, value) = (name.to_owned(), value.to_owned());
            store.put_secret(store::Secret { site, kind, name, value, expires_us: i64::MAX }).expect("kept");
        };
        let login = |staff: &str| {
            let at = "2026-03-02T09:00:00Z";
            serde_json::json!({ "staff": staff, "csrf": "c", "started": at, "seen": at }).to_string()
        };
        let clock = crate::clock::Clock::system();
        let ids = crate::clock::Ids::system(clock.clone());
        let audit = Audit::new(store.clone(), &config.site, clock, ids);
        audit.record(Kind::SignedIn, Some(&StaffId::new("kim")), logins::in_the_log("token"), "here");
        let key = logins::digest("token");
        put("login", &key, &login("kim"));
        put("link-key", "one", "secret");
        let sound = compare();
        assert_eq!((sound.compared, sound.unfounded.len()), (1, 0));
        assert!(told_secrets(&sound).ends_with("put back, link-key"));
        for (name, staff) in [(key.as_str(), "owner"), (logins::digest("other").as_str(), "kim")] {
            put("login", name, &login(staff));
            let found = compare();
            assert_eq!(found.unfounded.len(), 1, "{staff}");
            let report = Report { sites: vec![site(&[], Some(12))], findings: vec![] };
            let (told, exit) = told(&report, &Minutes::default(), Some(&found), None, false);
            assert!(told.contains("BROKEN  main: the sign-in") && exit == Exit::Failed, "{told}");
            put("login", &key, &login("kim"));
        }
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn what_was_written_out_is_written_over_by_nothing() {
        let folder = std::env::temp_dir().join(format!("chairside-out-{}", crate::clock::secret_token()));
        std::fs::create_dir_all(&folder).expect("folder");
        let config = Config { data: folder.clone(), reserve_mib: 0, ..Config::default() };
        drop(config.open_store().expect("a log"));
        std::fs::write(folder.join("head.sig"), "").expect("heads");
        let out = folder.join("log.jsonl");
        let args =
            Export { place: Place::default(), site: None, format: Format::Jsonl, out: Some(out.clone()) };
        for taken in [out.clone(), folder.join("log.jsonl.heads")] {
            std::fs::write(&taken, "kept").expect("file");
            assert!(matches!(export(&config, &args), Err(Exit::Unreadable)));
            assert_eq!(std::fs::read_to_string(&taken).expect("file"), "kept");
            std::fs::remove_file(&taken).expect("removed");
        }
        assert!(already(&out).contains("Name another file with --out FILE"), "{}", already(&out));
        assert!(matches!(export(&config, &args), Ok(Exit::Done)));
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_row_that_was_changed_is_told_with_its_list() {
        let report = Report { sites: vec![site(&[], Some(12))], findings: vec![] };
        let astray =
            Astray { site: "main".into(), view: "sessions".into(), key: "v1".into(), how: Stray::Other };
        let views = ViewsReport { compared: 2, astray: vec![astray], of_another_version: false };
        let (told, exit) = told(&report, &Minutes::default(), Some(&Secrets::default()), Some(&views), true);
        assert_eq!(exit, Exit::Failed);
        assert!(
            told.contains("BROKEN  main: row v1 of the list sessions says something else than the log"),
            "{told}"
        );
    }

    /// Hazard 23: whoever cuts the end off takes the proof of it along.
    #[test]
    fn a_signed_head_that_was_taken_away_is_broken_and_one_that_never_was_is_told() {
        let report = Report { sites: vec![site(&[], None)], findings: vec![] };
        let views = ViewsReport::default();
        let (gone, exit) = told(&report, &Minutes::default(), Some(&Secrets::default()), Some(&views), true);
        assert!(gone.contains("BROKEN  main: the folder has the key that signs heads"), "{gone}");
        assert!(exit == Exit::Failed && gone.ends_with("The log is NOT sound.\n"), "{gone}");
        let (never, exit) =
            told(&report, &Minutes::default(), Some(&Secrets::default()), Some(&views), false);
        assert!(never.contains("no signed head") && exit == Exit::Done, "{never}");
    }

    #[test]
    fn lists_of_another_version_are_not_compared_and_nothing_calls_them_sound() {
        let report = Report { sites: vec![site(&[], Some(12))], findings: vec![] };
        let views = ViewsReport { of_another_version: true, ..ViewsReport::default() };
        let (told, exit) = told(&report, &Minutes::default(), Some(&Secrets::default()), Some(&views), true);
        assert!(told.contains("lists NOT compared: they were made by another version"), "{told}");
        assert!(
            exit == Exit::Failed && told.ends_with("The log is sound. Its lists were NOT compared.\n"),
            "{told}"
        );
    }
}

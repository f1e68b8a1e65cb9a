//! One story on both engines. It calls every public method, so that the engines cannot drift apart.

#[path = "support/folder.rs"]
mod folder;
#[path = "support/pause.rs"]
mod pause;
#[path = "support/postgres.rs"]
mod server;

use folder::Folder;
use server::Postgres;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use store::{
    Append, AppendError, Appended, Config, Fault, Frame, Kept, NewEvent, Projector, Recorded, Sample, Secret,
    Store, StreamWrite, ViewPut, ViewRow, ViewsSoFar, WriterState, verify,
};

/// Counts events a stream, which needs the row as it was before.
struct Counts(i64);

impl Projector for Counts {
    fn version(&self) -> i64 {
        self.0
    }

    fn project(&self, event: &Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
        assert_ne!(event.kind, "Panics", "on purpose");
        let before = views.body("streams", &event.stream)?;
        let count: i64 = before.and_then(|body| body.parse().ok()).unwrap_or(0);
        let row = (event.kind != "Gone").then(|| ViewRow {
            sort: self.0,
            search: format!("{} ÄRZTIN 100%", event.stream),
            body: (count + 1).to_string(),
        });
        Ok(vec![ViewPut { view: "streams".into(), key: event.stream.clone(), row }])
    }
}

fn append(site: &str, command_id: &str, stream: &str, expected: Option<i64>, kinds: &[&str]) -> Append {
    let events = kinds.iter().map(|kind| NewEvent { kind: (*kind).into(), body: r#"{"µg":"½"}"#.into() });
    Append {
        site: site.into(),
        command_id: command_id.into(),
        author: "nurse-1".into(),
        at_us: 1_700_000_000_000_000,
        writes: vec![StreamWrite { stream: stream.into(), expected, events: events.collect() }],
        reply: format!("done {command_id}"),
        closing: false,
    }
}

fn frame(site: &str, control_id: &str, at: i64, bytes: &[u8]) -> Frame {
    Frame {
        site: site.into(),
        sender: "MON-1".into(),
        control_id: control_id.into(),
        device: "monitor-1".into(),
        received_at_us: at,
        bytes: bytes.to_vec(),
        verdict: "AA".into(),
    }
}

fn open(url: &str, folder: &Folder, views: i64) -> Store {
    let mut config = Config::at(url);
    config.projector = Some(Arc::new(Counts(views)));
    config.head_folder = Some(folder.0.clone());
    config.reserve_bytes = 1 << 16;
    Store::open(config).unwrap()
}

fn on_both(story: impl Fn(&str, &Folder)) {
    let folder = Folder::new("sqlite");
    story(&folder.0.join("chairside.db").to_string_lossy(), &folder);
    if let Some(server) = Postgres::start() {
        story(&server.url, &Folder::new("heads"));
    }
}

#[test]
fn one_story_on_both_engines() {
    on_both(|url, folder| {
        let store = open(url, folder, 1);
        assert_eq!(store.state(), WriterState::Recording);
        assert_eq!(store.space().unwrap().is_some(), !url.starts_with("postgres"));
        if url.starts_with("postgres") {
            as_written_down(url);
        }
        append_and_read(&store);
        commands_are_recorded_once(&store);
        conflicts_write_nothing(&store);
        bad_input_is_refused_alone(&store);
        one_bad_view_spoils_only_its_own_command(&store);
        frames_samples_secrets_cursors(&store);
        views_are_found_and_rebuilt(&store);
        many_writers_leave_no_gap(&store);
        sites_do_not_leak(&store);
        signed_and_verified(&store, url, folder);
        drop(store);
        opened_again(url, folder);
    });
}

fn append_and_read(store: &Store) {
    assert!(store.stream("main", "session/1").unwrap().is_empty());
    let first = store.append(append("main", "c1", "session/1", Some(0), &["CheckedIn", "Weighed"])).unwrap();
    let Appended::Now(events) = first else { panic!("a new command must be recorded now") };
    assert_eq!(events.iter().map(|e| (e.position, e.version)).collect::<Vec<_>>(), [(1, 1), (2, 2)]);
    assert_eq!(store.stream("main", "session/1").unwrap(), events);
    assert_eq!(store.since("main", 0, 10).unwrap(), events);
    assert_eq!(store.since("main", 1, 10).unwrap(), events[1..]);
    let head = store.head("main").unwrap();
    assert_eq!((head.position, head.chain), (2, events[1].chain));
    assert_eq!(store.version("main", "session/1"), Ok(2));
    // Two streams in one command, the second twice.
    let mut both = append("main", "c2", "session/1", Some(2), &["VialScanned"]);
    both.writes.extend(append("main", "", "vial/7", Some(0), &["Opened"]).writes);
    both.writes.extend(append("main", "", "vial/7", Some(1), &["Drawn"]).writes);
    assert_eq!(store.append(both).unwrap().events().last().map(|e| e.version), Some(2));
    // A command that decided nothing is remembered too.
    assert_eq!(store.append(append("main", "c3", "session/1", None, &[])), Ok(Appended::Now(vec![])));
    assert_eq!(store.command("main", "c3").unwrap(), Some((vec![], "done c3".into())));
    assert_eq!(store.command("main", "never").unwrap(), None);
    assert!(matches!(store.since("main", 0, 0), Err(Fault::Input { field: "limit", .. })));
    assert!(matches!(store.since("main", 0, 10_001), Err(Fault::Input { field: "limit", .. })));
}

fn commands_are_recorded_once(store: &Store) {
    let before = store.head("main").unwrap();
    // The retry is decided on newer state and so looks different; the first outcome counts.
    let again = store.append(append("main", "c1", "session/1", Some(3), &["Different"])).unwrap();
    let Appended::Before(events, reply) = again else { panic!("it was recorded before") };
    assert_eq!((events.len(), reply.as_str()), (2, "done c1"));
    assert_eq!(store.command("main", "c1").unwrap(), Some((events, reply)));
    let mut other = append("main", "c1", "session/1", None, &["Different"]);
    other.author = "nurse-2".into();
    assert_eq!(store.append(other), Err(AppendError::CommandTaken { command_id: "c1".into() }));
    assert_eq!(store.head("main").unwrap(), before);
}

fn conflicts_write_nothing(store: &Store) {
    let before = store.head("main").unwrap();
    let mut late = append("main", "c4", "vial/8", Some(0), &["Opened"]);
    late.writes.extend(append("main", "", "session/1", Some(2), &["Late"]).writes);
    let expected = AppendError::Conflict { stream: "session/1".into(), expected: 2, actual: 3 };
    assert_eq!(store.append(late), Err(expected));
    assert_eq!(store.head("main").unwrap(), before);
    assert_eq!(store.command("main", "c4").unwrap(), None);
    // The same command may be decided again on the newer version.
    assert!(matches!(
        store.append(append("main", "c4", "session/1", Some(3), &["Now"])),
        Ok(Appended::Now(_))
    ));
}

fn bad_input_is_refused_alone(store: &Store) {
    let before = store.head("main").unwrap();
    let mut nul = append("main", "c5", "session/1", None, &["Bad"]);
    nul.writes[0].events[0].body = "a\0b".into();
    let mut huge = append("main", "c5", "session/1", None, &["Bad"]);
    huge.writes[0].events[0].body = "x".repeat((1 << 20) + 1);
    let many = append("main", "c5", "session/1", None, &["Bad"; 257]);
    for (bad, field) in [
        (nul, "body"),
        (huge, "body"),
        (many, "command"),
        (append("", "c5", "session/1", None, &["Bad"]), "site"),
        (append("main", "", "session/1", None, &["Bad"]), "command id"),
        (append("main", "c5", "", None, &["Bad"]), "stream"),
    ] {
        let Err(AppendError::Refused(Fault::Input { field: named, .. })) = store.append(bad) else {
            panic!("{field} must be refused")
        };
        assert_eq!(named, field);
    }
    assert_eq!(store.head("main").unwrap(), before);
    assert_eq!(store.state(), WriterState::Recording);
}

fn one_bad_view_spoils_only_its_own_command(store: &Store) {
    let (tell, told) = sync_channel(3);
    for (id, kind) in [("g1", "Good"), ("g2", "Panics"), ("g3", "Good")] {
        let tell = tell.clone();
        store.submit(append("main", id, "group/1", None, &[kind]), move |answer| {
            tell.send((id, answer.map(|a| a.events().len()))).unwrap();
        });
    }
    store.submit(append("main", "g4", "group/2", None, &["Good"]), |_| {
        panic!("a caller's mistake, on purpose")
    });
    let mut answers: Vec<_> = told.iter().take(3).collect();
    answers.sort_by_key(|(id, _)| *id);
    assert_eq!((answers[0].1.clone(), answers[2].1.clone()), (Ok(1), Ok(1)));
    assert!(matches!(&answers[1].1, Err(AppendError::Refused(Fault::Row(_)))), "{:?}", answers[1]);
    assert_eq!(store.stream("main", "group/1").unwrap().len(), 2);
    assert_eq!(store.state(), WriterState::Recording);
}

fn frames_samples_secrets_cursors(store: &Store) {
    assert_eq!(store.keep_frame(frame("main", "1", 10, b"MSH|1\xff")), Ok(Kept::Now));
    let mut again = frame("main", "1", 20, b"MSH|1\xff");
    again.verdict = "AE".into();
    assert_eq!(store.keep_frame(again), Ok(Kept::Before("AA".into())));
    // A number that is used again for other bytes is another message, and says so; that of another device is its own.
    assert_eq!(store.keep_frame(frame("main", "1", 30, b"MSH|2")), Ok(Kept::NumberUsed));
    let beside = Frame { device: "monitor-2".into(), ..frame("main", "1", 30, b"MSH|of another") };
    assert_eq!(store.keep_frame(beside), Ok(Kept::Now));
    let marked = "AA; its number was used before".to_owned();
    assert_eq!(store.keep_frame(frame("main", "1", 50, b"MSH|2")), Ok(Kept::Before(marked)));
    let (tell, told) = sync_channel(1);
    store.submit_frame(frame("main", "2", 40, b"MSH|3"), move |answer| tell.send(answer).unwrap());
    assert_eq!(told.recv().unwrap(), Ok(Kept::Now));
    let times = |from, to| -> Vec<i64> {
        let frames = store.frames("main", "monitor-1", from, to, 10).unwrap();
        frames.iter().map(|f| f.received_at_us).collect()
    };
    assert_eq!((times(0, 99), times(30, 40), times(10, 31)), (vec![10, 30, 40], vec![30], vec![10, 30]));
    assert_eq!(
        store.frames("main", "monitor-1", 0, 99, 10).unwrap()[0],
        frame("main", "1", 10, b"MSH|1\xff")
    );

    let sample = |minute_us, bytes: &[u8]| Sample {
        site: "main".into(),
        session: "s1".into(),
        series: "vitals".into(),
        minute_us,
        bytes: bytes.to_vec(),
    };
    for (minute, bytes) in [(60, b"a".as_slice()), (0, b"b"), (60, b"ac")] {
        store.put_sample(sample(minute, bytes)).unwrap();
    }
    assert_eq!(store.samples("main", "s1", "vitals", 0, 61).unwrap(), [sample(0, b"b"), sample(60, b"ac")]);
    assert_eq!(store.samples("main", "s1", "vitals", 0, 60).unwrap(), [sample(0, b"b")]);

    let secret = |name: &str, value: &str, expires_us| Secret {
        site: "main".into(),
        kind: "login".into(),
        name: name.into(),
        value: value.into(),
        expires_us,
    };
    for row in [secret("a", "1", 100), secret("b", "2", 200), secret("a", "3", 300), secret("c", "4", 50)] {
        store.put_secret(row).unwrap();
    }
    assert_eq!(store.secret("main", "login", "a", 299).unwrap().as_deref(), Some("3"));
    assert_eq!(store.secret("main", "login", "a", 300).unwrap(), None);
    assert_eq!(store.expire_secrets("main", 200), Ok(2));
    assert_eq!(store.forget_secret("main", "login", "a"), Ok(true));
    assert_eq!(store.forget_secret("main", "login", "a"), Ok(false));

    assert_eq!(store.cursor("main", "fhir"), Ok(0));
    store.set_cursor("main", "fhir", 5).unwrap();
    store.set_cursor("main", "fhir", 7).unwrap();
    assert_eq!(store.cursor("main", "fhir"), Ok(7));
}

fn views_are_found_and_rebuilt(store: &Store) {
    assert_eq!(store.view("main", "streams", "session/1").unwrap().as_deref(), Some("4"));
    let keys = |search: &str| -> Vec<String> {
        store.view_list("main", "streams", search, 10).unwrap().into_iter().map(|item| item.key).collect()
    };
    // All have the same sort, so the latest written comes first.
    assert_eq!(keys(""), ["group/2", "group/1", "session/1", "vial/7"]);
    assert_eq!(keys("SESSION"), ["session/1"]);
    assert_eq!(keys("ärztin 100%"), ["group/2", "group/1", "session/1", "vial/7"]);
    assert_eq!(keys("1%0"), Vec::<String>::new());
    assert_eq!(keys("session_1"), Vec::<String>::new());
    assert_eq!(store.view_list("main", "streams", "", 1).unwrap().len(), 1);
    store.append(append("main", "v1", "vial/7", None, &["Gone"])).unwrap();
    assert_eq!(store.view("main", "streams", "vial/7").unwrap(), None);
    let before = store.views_digest("main").unwrap();
    assert_eq!(store.rebuild_views("main"), Ok(u64::try_from(store.head("main").unwrap().position).unwrap()));
    assert_eq!(store.views_digest("main").unwrap(), before);
    store.append(append("main", "v2", "vial/7", None, &["Back"])).unwrap();
    assert_ne!(store.views_digest("main").unwrap(), before);
}

fn many_writers_leave_no_gap(store: &Store) {
    let before = store.head("main").unwrap().position;
    let won = Mutex::new(0);
    std::thread::scope(|scope| {
        for writer in 0..8 {
            let won = &won;
            scope.spawn(move || {
                for turn in 0..10 {
                    let id = format!("w{writer}-{turn}");
                    store
                        .append(append("main", &id, &format!("chair/{writer}"), Some(turn), &["Charted"]))
                        .unwrap();
                    // Everyone wants to be the next of one stream on what they saw; one of them is.
                    let seen = store.version("main", "vial/race").unwrap();
                    let race = append("main", &format!("{id}-race"), "vial/race", Some(seen), &["Drawn"]);
                    match store.append(race) {
                        Ok(_) => *won.lock().unwrap() += 1,
                        Err(AppendError::Conflict { .. }) => {}
                        Err(other) => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    let won = *won.lock().unwrap();
    assert_eq!(store.version("main", "vial/race"), Ok(won));
    assert_eq!(store.head("main").unwrap().position, before + 80 + won);
    let positions: Vec<_> = store.since("main", before, 10_000).unwrap().iter().map(|e| e.position).collect();
    assert_eq!(positions, (before + 1..=before + 80 + won).collect::<Vec<_>>());
}

/// Site `other` has rows under the same names as `main`; no method may show the one in the other, or touch it.
fn sites_do_not_leak(store: &Store) {
    let main = store.head("main").unwrap();
    let main_views = store.views_digest("main").unwrap();
    for (read, empty) in [
        (store.stream("other", "session/1").unwrap().len(), "stream"),
        (store.since("other", 0, 10).unwrap().len(), "since"),
        (store.version("other", "session/1").unwrap() as usize, "version"),
        (store.head("other").unwrap().position as usize, "head"),
        (store.command("other", "c1").unwrap().map_or(0, |_| 1), "command"),
        (store.frames("other", "monitor-1", 0, i64::MAX, 10).unwrap().len(), "frames"),
        (store.samples("other", "s1", "vitals", 0, i64::MAX).unwrap().len(), "samples"),
        (store.secret("other", "login", "b", 0).unwrap().map_or(0, |_| 1), "secret"),
        (store.cursor("other", "fhir").unwrap() as usize, "cursor"),
        (store.view("other", "streams", "session/1").unwrap().map_or(0, |_| 1), "view"),
        (store.view_list("other", "streams", "", 10).unwrap().len(), "view_list"),
        (usize::from(store.views_digest("other").unwrap() == main_views), "views_digest"),
    ] {
        assert_eq!(read, 0, "{empty} shows rows of another site");
    }
    store
        .put_secret(Secret {
            site: "main".into(),
            kind: "login".into(),
            name: "kept".into(),
            value: "v".into(),
            expires_us: 10,
        })
        .unwrap();
    assert_eq!(store.forget_secret("other", "login", "kept"), Ok(false));
    assert_eq!(store.expire_secrets("other", i64::MAX), Ok(0));
    assert_eq!(store.secret("main", "login", "kept", 0).unwrap().as_deref(), Some("v"));
    store.set_cursor("other", "fhir", 99).unwrap();
    assert_eq!(store.cursor("main", "fhir"), Ok(7));
    assert_eq!(store.rebuild_views("other"), Ok(0));
    // The same command, stream and frame again, elsewhere: recorded there, from the beginning.
    let there = store.append(append("other", "c1", "session/1", Some(0), &["CheckedIn"])).unwrap();
    assert!(matches!(&there, Appended::Now(events) if events[0].position == 1));
    assert_eq!(store.keep_frame(frame("other", "1", 10, b"MSH|1\xff")), Ok(Kept::Now));
    assert_eq!(store.sites().unwrap(), ["main", "other"]);
    assert_eq!((store.head("main").unwrap(), store.views_digest("main").unwrap()), (main, main_views));
}

fn signed_and_verified(store: &Store, url: &str, folder: &Folder) {
    let signed = store.sign_head("main").unwrap();
    assert_eq!(signed.head().unwrap(), store.head("main").unwrap());
    let report = store.verify().unwrap();
    assert!(report.sound(), "{report:?}");
    assert_eq!(report.sites[0].signed, Some(signed.position));
    assert_eq!((report.sites[0].events, report.sites[0].frames), (signed.position, 4));
    let mut lines = Vec::new();
    let count = store::export(url, None, &mut lines).unwrap();
    assert_eq!(String::from_utf8(lines).unwrap().lines().count() as i64, count);
    assert_eq!(count, signed.position + 1);
    let copy = folder.0.join("copy.db");
    match store.copy_to(&copy) {
        Ok(()) => {
            let report = store::verify(&copy.to_string_lossy(), &[signed]).unwrap();
            assert!(report.sound(), "{report:?}");
        }
        Err(fault) => assert!(url.starts_with("postgres"), "{fault}"),
    }
}

fn opened_again(url: &str, folder: &Folder) {
    let store = open(url, folder, 1);
    let (head, views) = (store.head("main").unwrap(), store.views_digest("main").unwrap());
    assert!(matches!(
        store.append(append("main", "c1", "session/1", None, &["X"])),
        Ok(Appended::Before(..))
    ));
    drop(store);
    // Views of another projector version are made anew: here the version is the sort.
    let store = open(url, folder, 2);
    assert_eq!(store.head("main").unwrap(), head);
    assert_ne!(store.views_digest("main").unwrap(), views);
    assert_eq!(store.view_list("main", "streams", "session/1", 10).unwrap()[0].sort, 2);
    drop(store);
    if url.starts_with("postgres") {
        second_wall(url);
    }
}

/// On PostgreSQL a query without a site finds nothing, and the record cannot be changed by its owner.
fn second_wall(url: &str) {
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    let mut count = |sql: &str| -> i64 { client.query_one(sql, &[]).unwrap().get(0) };
    for table in ["events", "commands", "frames", "samples", "secrets", "cursors", "view_item"] {
        assert_eq!(count(&format!("SELECT COUNT(*) FROM {table}")), 0, "{table} has no wall");
    }
    client.batch_execute("SET chairside.site TO 'other'").unwrap();
    let row = client.query_one("SELECT COUNT(*), MIN(site) FROM events", &[]).unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, String>(1)), (1, "other".into()));
    built(&mut client, url);
    for sql in [
        "UPDATE events SET body = '{}'",
        "DELETE FROM events",
        "TRUNCATE events",
        "DELETE FROM commands",
        "UPDATE frames SET bytes = ''",
        "INSERT INTO events SELECT 'main', 99, stream, 99, kind, body, author, 'z', 0, at_us, chain FROM events",
    ] {
        assert!(client.batch_execute(sql).is_err(), "{sql} must be refused");
    }
}

/// What the migrations make stands in a file, because a database that is only read cannot make one to compare with.
fn as_written_down(url: &str) {
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    let now = client.query(include_str!("../migrations/built.postgres.sql"), &[]).unwrap();
    let part = |row: &postgres::Row| format!("{} = {}\n", row.get::<_, String>(0), row.get::<_, String>(1));
    let now: std::collections::BTreeSet<String> = now.iter().map(part).collect();
    let now: String = now.into_iter().collect();
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/built.postgres.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(file, &now).unwrap();
    }
    assert_eq!(now, std::fs::read_to_string(file).unwrap(), "UPDATE_EXPECT=1 writes {file} anew");
}

/// A guard, a unique index or a wall that is gone, weaker or switched off is named; put back, the log is sound again.
fn built(client: &mut postgres::Client, url: &str) {
    let mut told = |sql: &str| {
        client.batch_execute(sql).unwrap();
        let found = verify(url, &[]).unwrap().findings;
        found.join("; ")
    };
    for (sql, finding, back) in [
        (
            "ALTER TABLE events DISABLE TRIGGER events_never_change",
            "the database's trigger events_never_change is not as this program makes it",
            "ALTER TABLE events ENABLE TRIGGER events_never_change",
        ),
        (
            "DROP TRIGGER frames_never_change ON frames",
            "the database has lost its trigger frames_never_change",
            "CREATE TRIGGER frames_never_change BEFORE UPDATE ON frames FOR EACH ROW EXECUTE FUNCTION never()",
        ),
        (
            "DROP INDEX commands_once",
            "the database has lost its index commands_once",
            "CREATE UNIQUE INDEX commands_once ON commands (site, command_id)",
        ),
        (
            "ALTER TABLE secrets NO FORCE ROW LEVEL SECURITY",
            "the database's table secrets is not as this program makes it",
            "ALTER TABLE secrets FORCE ROW LEVEL SECURITY",
        ),
        (
            "DROP POLICY one_site ON samples",
            "the database has lost its policy samples.one_site",
            "CREATE POLICY one_site ON samples USING (site = current_setting('chairside.site', true))",
        ),
    ] {
        assert_eq!(told(sql), finding);
        assert_eq!(told(back), "");
    }
}

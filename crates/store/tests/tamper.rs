//! A record that was changed behind the store's back is found out, and is not opened as if nothing had happened.

#[path = "support/folder.rs"]
mod folder;

use folder::Folder;
use sha2::{Digest, Sha256};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use store::{
    Append, AppendError, Config, Fault, Frame, NewEvent, Projector, Report, Sample, SignedHead, Store, Stray,
    StreamWrite, ViewPut, ViewRow, ViewsSoFar, Vouched, WriterState, export, verify, verify_minutes,
    verify_views,
};

const EVENTS: i64 = 12;

fn config(folder: &Folder) -> Config {
    let mut config = Config::in_folder(&folder.0);
    config.reserve_bytes = 0;
    config
}

fn append(number: i64) -> Append {
    let event = NewEvent { kind: "Drawn".into(), body: format!("{{\"ug\":{}}}", number * 1000) };
    Append {
        site: "main".into(),
        command_id: format!("c{number}"),
        author: "nurse-1".into(),
        at_us: number,
        writes: vec![StreamWrite {
            stream: format!("vial/{}", number % 3),
            expected: None,
            events: vec![event],
        }],
        reply: "drawn".into(),
        closing: false,
    }
}

/// A closed log of twelve commands and as many frames; the heads that were signed on the way.
fn closed_log(name: &str) -> (Folder, Vec<SignedHead>) {
    let folder = Folder::new(name);
    let store = Store::open(config(&folder)).unwrap();
    let mut heads = Vec::new();
    for number in 1..=EVENTS {
        store.append(append(number)).unwrap();
        store
            .keep_frame(Frame {
                site: "main".into(),
                sender: "PUMP".into(),
                control_id: number.to_string(),
                device: "pump-1".into(),
                received_at_us: number,
                bytes: format!("MSH|{number}").into_bytes(),
                verdict: "AA".into(),
            })
            .unwrap();
        if number % 6 == 0 {
            heads.push(store.sign_head("main").unwrap());
        }
    }
    (folder, heads)
}

fn url(folder: &Folder) -> String {
    folder.0.join("chairside.db").to_string_lossy().into_owned()
}

/// As somebody with the file and a database tool would, who takes the triggers out of the way and puts them back.
fn tamper(folder: &Folder, sql: &str) {
    let db = rusqlite::Connection::open(url(folder)).unwrap();
    let triggers: Vec<(String, String)> =
        parts(&db).into_iter().filter(|(part, _)| part.starts_with("trigger")).collect();
    assert_eq!(triggers.len(), 5);
    for (trigger, _) in &triggers {
        db.execute_batch(&format!("DROP {trigger}")).unwrap();
    }
    db.execute_batch(sql).unwrap();
    for (_, made_by) in &triggers {
        db.execute_batch(made_by).unwrap();
    }
}

/// Each trigger, index and table of a database by kind and name, with the statement that makes it.
fn parts(db: &rusqlite::Connection) -> Vec<(String, String)> {
    let sql = "SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name";
    let mut statement = db.prepare(sql).unwrap();
    let parts = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    parts.map(Result::unwrap).collect()
}

fn findings(report: &Report) -> Vec<String> {
    report.findings.iter().chain(report.sites.iter().flat_map(|site| &site.findings)).cloned().collect()
}

#[test]
fn the_record_cannot_be_changed_with_its_walls_up() {
    let (folder, _) = closed_log("walls");
    let db = rusqlite::Connection::open(url(&folder)).unwrap();
    for sql in [
        "UPDATE events SET body = '{}' WHERE position = 5",
        "DELETE FROM events WHERE position = 12",
        "UPDATE commands SET reply = 'x'",
        "DELETE FROM commands",
        "UPDATE frames SET verdict = 'AE'",
    ] {
        let error = db.execute_batch(sql).unwrap_err().to_string();
        assert!(error.contains("are never"), "{sql}: {error}");
    }
}

#[test]
fn every_kind_of_tampering_is_found() {
    for (number, (sql, finding)) in [
        ("UPDATE events SET body = '{\"ug\":1}' WHERE position = 5", "main was altered at position 5"),
        ("UPDATE events SET author = 'nurse-2' WHERE position = 5", "main was altered at position 5"),
        ("UPDATE events SET at_us = 99 WHERE position = 12", "main was altered at position 12"),
        ("DELETE FROM events WHERE position = 5", "main has position 6 where 5 must be"),
        (
            "UPDATE events SET position = -1 WHERE position = 5; UPDATE events SET position = 5 WHERE position = 6;
             UPDATE events SET position = 6 WHERE position = -1",
            "main was altered at position 5",
        ),
        (
            "INSERT INTO events SELECT site, 13, stream, 99, kind, body, author, 'forged', 0, at_us, chain
             FROM events WHERE position = 12",
            "main was altered at position 13",
        ),
        (
            "UPDATE events SET ordinal = 1 WHERE position = 5",
            "main: the event at 5 is number 1 of command c5, which has it at 0",
        ),
        ("UPDATE head SET position = 11", "main ends at 12, its head says 11"),
        ("DELETE FROM commands WHERE command_id = 'c5'", "main: command 5 is not there"),
        ("UPDATE commands SET reply = 'wasted' WHERE command_id = 'c5'", "main: command 5 was altered"),
        ("UPDATE frames SET bytes = x'00' WHERE number = 3", "main: frame 3 was altered"),
        ("UPDATE frames SET verdict = 'AE' WHERE number = 3", "main: frame 3 was altered"),
        ("DELETE FROM frames WHERE number = 12", "main has 12 commands and 11 frames, its head says 12 and 12"),
    ]
    .into_iter()
    .enumerate()
    {
        let (folder, _) = closed_log(&format!("tamper-{number}"));
        assert!(verify(&url(&folder), &[]).unwrap().sound());
        tamper(&folder, sql);
        let found = findings(&verify(&url(&folder), &[]).unwrap());
        assert!(found.iter().any(|found| found == finding), "{sql}: {found:?}");
    }
}

/// Hazard 23: every event is as it was, and the next one can be changed, doubled or deleted.
#[test]
fn a_guard_an_index_or_a_table_that_is_gone_weaker_or_added_is_named() {
    let (folder, heads) = closed_log("built");
    let file = url(&folder);
    let told = || findings(&verify(&file, &heads).unwrap());
    let db = rusqlite::Connection::open(&file).unwrap();
    let all = parts(&db);
    assert_eq!(told(), [] as [String; 0]);
    let dropped = all.iter().filter(|(part, _)| !part.starts_with("table"));
    let mut tried = 0;
    for (part, made_by) in dropped {
        db.execute_batch(&format!("DROP {part}")).unwrap();
        assert_eq!(told(), [format!("the database has lost its {part}")]);
        db.execute_batch(made_by).unwrap();
        assert_eq!(told(), [] as [String; 0]);
        tried += 1;
    }
    assert!(tried >= 10, "{tried} guards and indexes");
    // Still called the same, and holding nothing back.
    let weaker = "DROP TRIGGER events_never_go; CREATE TRIGGER events_never_go BEFORE DELETE ON events BEGIN SELECT 1; END;
        DROP INDEX events_stream; CREATE INDEX events_stream ON events (site, stream, version);
        ALTER TABLE settings ADD COLUMN more TEXT;
        CREATE TRIGGER helps AFTER INSERT ON events BEGIN SELECT 1; END; DROP TABLE samples";
    db.execute_batch(weaker).unwrap();
    assert_eq!(
        told(),
        [
            "the database's index events_stream is not as this program makes it",
            "the database has lost its table samples",
            "the database's table settings is not as this program makes it",
            "the database's trigger events_never_go is not as this program makes it",
            "the database has the trigger helps, which this program does not make",
        ]
    );
}

/// The last events and everything that tells of them taken away: the chain holds, only a signed head shows it.
const CUT: &str = "DELETE FROM events WHERE position > 8; DELETE FROM commands WHERE number > 8;
    UPDATE head SET position = 8, commands = 8, chain = (SELECT chain FROM events WHERE position = 8)";

#[test]
fn a_cut_end_is_found_by_a_signed_head_outside_the_database() {
    let (folder, heads) = closed_log("cut");
    tamper(&folder, CUT);
    assert!(verify(&url(&folder), &[]).unwrap().sound(), "without a head nobody can know");
    assert!(verify(&url(&folder), &heads[..1]).unwrap().sound(), "position 6 is still there");
    let found = findings(&verify(&url(&folder), &heads).unwrap());
    assert_eq!(found, ["main was cut off: position 12 was signed"]);
    let opened = Store::open(config(&folder)).map(drop);
    assert_eq!(opened, Err(Fault::Broken("main was cut off: position 12 was signed".into())));
}

#[test]
fn a_log_that_went_another_way_after_a_cut_is_found() {
    let (folder, heads) = closed_log("fork");
    tamper(&folder, CUT);
    std::fs::remove_file(folder.0.join("head.sig")).unwrap();
    let store = Store::open(config(&folder)).unwrap();
    for number in 100..110 {
        store.append(append(number)).unwrap();
    }
    drop(store);
    let found = findings(&verify(&url(&folder), &heads).unwrap());
    assert_eq!(found, ["main was rewritten: position 12 was signed"]);
}

#[test]
fn a_head_signed_by_nobody_proves_nothing() {
    let (folder, heads) = closed_log("forged");
    let mut forged = heads[0].clone();
    forged.position = 5;
    assert!(matches!(forged.head(), Err(Fault::Broken(_))));
    let found = findings(&verify(&url(&folder), &[forged.clone()]).unwrap());
    assert_eq!(found, ["signed head: the signature for position 5 of main is wrong"]);
    let text = serde_json::to_string(&heads[0]).unwrap();
    assert_eq!(SignedHead::read_all(&text).unwrap(), heads[..1]);
    // A log that lost a whole site.
    let mut other = heads[0].clone();
    other.site = "branch".into();
    assert!(!verify(&url(&folder), &[other]).unwrap().sound());
}

#[test]
fn a_log_whose_end_was_altered_is_not_opened() {
    let (folder, _) = closed_log("end");
    tamper(&folder, "UPDATE events SET body = '{\"ug\":1}' WHERE position = 12");
    let opened = Store::open(config(&folder)).map(drop);
    assert_eq!(opened, Err(Fault::Broken("main was altered at position 12".into())));
}

#[test]
fn a_key_that_is_gone_is_not_silently_replaced() {
    let (folder, _) = closed_log("key");
    std::fs::remove_file(folder.0.join("head.key")).unwrap();
    assert!(matches!(Store::open(config(&folder)).map(drop), Err(Fault::File { .. })));
    assert!(!folder.0.join("head.key").exists());
}

/// Rot of a single byte is found, or it is harmless: the record read out is the same. Never silently different.
#[test]
fn a_flipped_byte_is_found_or_harmless() {
    let (folder, heads) = closed_log("rot");
    let file = folder.0.join("chairside.db");
    let sound = std::fs::read(&file).unwrap();
    let mut truth = Vec::new();
    export(&url(&folder), None, &mut truth).unwrap();
    let (mut found, mut harmless) = (0, 0);
    // Most of a small database is empty; the bytes that say something are the ones to try.
    let told: Vec<usize> = (0..sound.len()).filter(|place| sound[*place] != 0).collect();
    for place in told.iter().copied().step_by(told.len() / 120) {
        let mut rotten = sound.clone();
        rotten[place] ^= 1 << (place % 8);
        std::fs::write(&file, &rotten).unwrap();
        if !verify(&url(&folder), &heads).is_ok_and(|report| report.sound()) {
            found += 1;
            continue;
        }
        let mut read = Vec::new();
        export(&url(&folder), None, &mut read).unwrap();
        assert!(read == truth, "byte {place}: another record, and nobody noticed");
        harmless += 1;
    }
    assert!(found > 20 && harmless > 0, "{found} found, {harmless} harmless");
}

#[test]
fn a_database_that_cannot_be_read_is_not_opened_and_not_made_anew() {
    let folder = Folder::new("garbage");
    std::fs::write(folder.0.join("chairside.db"), vec![7; 8192]).unwrap();
    assert!(matches!(Store::open(config(&folder)).map(drop), Err(Fault::Broken(_))));
    assert_eq!(std::fs::read(folder.0.join("chairside.db")).unwrap(), vec![7; 8192]);
    let missing = verify(&folder.0.join("nothing.db").to_string_lossy(), &[]);
    assert!(missing.is_err() && !folder.0.join("nothing.db").exists());
}

#[test]
fn a_newer_database_is_refused() {
    let (folder, _) = closed_log("newer");
    tamper(&folder, "INSERT INTO schema_version VALUES (99)");
    let opened = Store::open(config(&folder)).map(drop);
    assert_eq!(opened, Err(Fault::NewerSchema { found: 99, known: 1 }));
}

/// The end is verified at every start, the rest when asked for, and in a running log.
#[test]
fn an_old_change_is_found_by_a_whole_verification() {
    let folder = Folder::new("old");
    let store = Store::open(config(&folder)).unwrap();
    for number in 1..=1100 {
        store.submit(append(number), |answer| drop(answer.unwrap()));
    }
    drop(store);
    tamper(&folder, "UPDATE events SET body = '{}' WHERE position = 5");
    let store = Store::open(config(&folder)).unwrap();
    assert_eq!(store.state(), WriterState::Recording);
    assert_eq!(findings(&store.verify().unwrap()), ["main was altered at position 5"]);
    drop(store);
    let mut whole = config(&folder);
    whole.verify_whole = true;
    assert_eq!(Store::open(whole).map(drop), Err(Fault::Broken("main was altered at position 5".into())));
}

/// Hazard 23: readings stand beside the log; their digests stand in it.
#[test]
fn a_minute_of_samples_that_was_changed_or_taken_away_is_named() {
    let folder = Folder::new("minutes");
    let sample = |minute: i64, bytes: &str| Sample {
        site: "main".into(),
        session: "v1".into(),
        series: "vitals".into(),
        minute_us: minute * 60_000_000,
        bytes: bytes.as_bytes().to_vec(),
    };
    let store = Store::open(config(&folder)).unwrap();
    for minute in 0..4 {
        let digest = hex::encode(Sha256::digest(b"72"));
        // The last minute is vouched for, and was never kept.
        if minute < 3 {
            store.put_sample(sample(minute, "72")).unwrap();
        }
        let mut kept = append(minute);
        kept.writes[0].stream = "readings/v1".into();
        kept.writes[0].events[0].body = format!("{} {digest}", minute * 60_000_000);
        store.append(kept).unwrap();
    }
    drop(store);
    let url = folder.0.join("chairside.db").to_string_lossy().into_owned();
    let vouched = |event: &store::Recorded| {
        let (minute, digest) = event.body.split_once(' ')?;
        let session = event.stream.strip_prefix("readings/")?.to_owned();
        let minute_us = minute.parse().ok()?;
        Some(Vouched { session, series: "vitals".into(), minute_us, digest: digest.to_owned() })
    };
    let found = |url: &str| {
        let minutes = verify_minutes(url, &vouched).unwrap();
        assert_eq!(minutes.compared, 4);
        minutes
            .differing
            .into_iter()
            .map(|one| (one.stream, one.minute_us / 60_000_000, one.gone))
            .collect::<Vec<_>>()
    };
    let gone = ("readings/v1".to_owned(), 3, true);
    assert_eq!(found(&url), std::slice::from_ref(&gone));
    let store = Store::open(config(&folder)).unwrap();
    store.put_sample(sample(1, "720")).unwrap();
    drop(store);
    assert_eq!(found(&url), [("readings/v1".to_owned(), 1, false), gone]);
}

/// Views of the kinds of events: one row a stream, which says what happened last.
struct Last;

impl Projector for Last {
    fn version(&self) -> i64 {
        1
    }

    fn project(&self, event: &store::Recorded, views: &mut dyn ViewsSoFar) -> Result<Vec<ViewPut>, Fault> {
        let before = views.body("last", &event.stream)?.unwrap_or_default();
        let row =
            ViewRow { sort: event.position, search: "All".into(), body: format!("{before}{}", event.body) };
        Ok(vec![ViewPut { view: "last".into(), key: event.stream.clone(), row: Some(row) }])
    }
}

/// Hazard 23: lists are made of the log, and a hand in them shows a person what never happened.
#[test]
fn a_row_of_a_list_that_was_changed_made_up_or_taken_away_is_named() {
    let folder = Folder::new("views");
    let with_views = || {
        let mut config = config(&folder);
        config.projector = Some(Arc::new(Last));
        config
    };
    let store = Store::open(with_views()).unwrap();
    for turn in 0..6 {
        let mut kept = append(turn);
        kept.writes[0].stream = format!("session/v{}", turn % 3);
        kept.writes[0].expected = None;
        store.append(kept).unwrap();
    }
    drop(store);
    let file = folder.0.join("chairside.db");
    let found = || {
        let views = verify_views(&file.to_string_lossy(), &Last).unwrap();
        assert_eq!((views.compared, views.of_another_version), (3, false));
        views.astray.into_iter().map(|one| (one.key, one.how)).collect::<Vec<_>>()
    };
    assert_eq!(found(), []);
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute("UPDATE view_item SET body = 'discharged' WHERE item = 'session/v1'", []).unwrap();
    assert_eq!(found(), [("session/v1".to_owned(), Stray::Other)]);
    db.execute("UPDATE view_item SET item = 'session/v9' WHERE item = 'session/v2'", []).unwrap();
    let astray =
        [("session/v1", Stray::Other), ("session/v9", Stray::Unfounded), ("session/v2", Stray::Gone)];
    assert_eq!(found(), astray.map(|(key, how)| (key.to_owned(), how)));
    // A column that holds something else than text hides neither its row nor the others.
    for (column, named) in [("body", "session/v0"), ("search", "session/v0"), ("item", "of turn ")] {
        let blob = format!("UPDATE view_item SET {column} = x'00ff' WHERE item = 'session/v0'");
        assert_eq!(db.execute(&blob, []).unwrap(), 1);
        let astray = verify_views(&file.to_string_lossy(), &Last).unwrap().astray;
        let unreadable = |one: &&store::Astray| matches!(one.how, Stray::Unreadable(_));
        let broken: Vec<_> = astray.iter().filter(unreadable).collect();
        assert!(
            matches!(&broken[..], [one] if one.view == "last" && one.key.starts_with(named)),
            "{astray:?}"
        );
        assert!(astray.iter().any(|one| one.key == "session/v9"), "{astray:?}");
    }
    db.execute("UPDATE settings SET value = 7 WHERE name = 'views'", []).unwrap();
    assert!(verify_views(&file.to_string_lossy(), &Last).unwrap().of_another_version);
    // What is made again is right again.
    drop(Store::open(with_views()).unwrap());
    assert_eq!(found(), []);
}

/// Hazard 179: what is written to a file that was taken away is gone with the program.
#[test]
fn a_log_that_was_taken_away_under_the_program_records_nothing_until_it_is_back() {
    let (folder, heads) = closed_log("away");
    let file = folder.0.join("chairside.db");
    let other = folder.0.join("elsewhere");
    let store = Store::open(config(&folder)).unwrap();
    store.append(append(13)).unwrap();
    let lost = |number| {
        let told = store.append(append(number)).unwrap_err();
        let AppendError::Refused(Fault::NotRecording(why)) = told else { panic!("{told:?}") };
        assert!(matches!(store.state(), WriterState::NotRecording { .. }));
        why
    };
    std::fs::rename(&file, &other).unwrap();
    let why = lost(14);
    assert!(why.contains("chairside.db was taken away") && why.contains("chairside.db.rescued-1."), "{why}");
    // Another file at its place is not this log, even where it is a copy of it.
    std::fs::copy(&other, &file).unwrap();
    lost(14);
    std::fs::rename(&other, &file).unwrap();
    store.append(append(14)).unwrap();
    assert_eq!(store.state(), WriterState::Recording);
    std::fs::remove_file(&file).unwrap();
    let why = lost(15);
    drop(store);
    // As the words say, file by file.
    let rescued = folder.0.join("chairside.db.rescued-2");
    assert!(why.contains(&format!("stands in {}.", rescued.display())), "{why}");
    assert_eq!(std::fs::metadata(&rescued).unwrap().permissions().mode() & 0o777, 0o600);
    for away in ["chairside.db-wal", "chairside.db-shm"].map(|name| folder.0.join(name)) {
        assert!(why.contains(&away.display().to_string()), "{why}");
        std::fs::remove_file(away).unwrap();
    }
    std::fs::rename(&rescued, &file).unwrap();
    let store = Store::open(config(&folder)).unwrap();
    store.append(append(15)).unwrap();
    drop(store);
    let report = verify(&url(&folder), &heads).unwrap();
    assert_eq!((findings(&report), report.sites[0].events), (Vec::new(), 15));
}

//! The record of a visit: what was recorded through the floor stands on the page, in the file and in the PDF.
#![cfg(test)]

mod charted;
mod visits;

use axum::http::StatusCode;
use clinic::device::Parameter;
use clinic::id::SessionId;
use clinic::knowledge::Knowledge;
use clinic::session::Command;
use clinic::staff::Role;
use expect_test::expect;
use jiff::Timestamp;
use server::cli::replay;
use server::floor::{KeptMinute, ReadingsEvent};
use server::record::sheet::{Cell, Part, Section, Table};
use server::record::{self, Sheet};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command as Program, Stdio};
use std::time::Duration;
use store::Sample;
use visits::{Clinic, VISIT, kim};

/// A section as lines: `label: value` and `cell | cell`; struck words stand between tildes.
fn told(sheet: &Sheet, title: &str) -> String {
    let section = sheet.sections.iter().find(|section| section.title == title).expect("the section");
    let mut lines = Vec::new();
    for part in &section.parts {
        match part {
            Part::Words(words) => lines.push(words.clone()),
            Part::Facts(facts) => {
                lines.extend(facts.iter().map(|(label, value)| format!("{label}: {value}")))
            }
            Part::Picture(drawing) => lines.push(drawing.words.clone()),
            Part::Table(table) => lines.extend(table.rows.iter().map(|row| {
                let cell = |cell: &Cell| match cell.struck.as_str() {
                    "" => cell.text.clone(),
                    struck => format!("~{struck}~ {}", cell.text),
                };
                row.iter().map(cell).collect::<Vec<_>>().join(" | ")
            })),
        }
    }
    lines.join("\n")
}

#[track_caller]
fn says(text: &str, words: &[&str]) {
    for one in words {
        assert!(text.contains(one), "{one:?} does not stand in:\n{text}");
    }
}

#[test]
fn the_record_holds_what_happened_on_screen_and_on_paper() {
    let clinic = Clinic::after("hypertension_stopped_early");
    let overdue = clinic.app.floor.alarm_history(&SessionId::new(VISIT)).expect("the log");
    assert!(!overdue.is_empty());
    let sheet = clinic.sheet();
    the_sheet_holds_the_visit(&sheet);
    the_pdf_is_tagged_and_its_text_can_be_read(&record::pdf(&sheet).expect("pdf"));
}

fn the_sheet_holds_the_visit(sheet: &Sheet) {
    says(&sheet.running_head, &["RIVERA, Ana", "born 1984-03-12", "MRN 004217", "2026-03-02"]);
    says(
        &told(sheet, "Patient and visit"),
        &[
            "ALLERGIC: latex",
            "Weight: 82 kg at 02:02",
            "02:42:00, stopped early",
            "11.4 mg in 5.7 mL, as read by Kim Nguyen, RN (kim) at 02:43",
            "America/Denver (UTC-07:00)",
        ],
    );
    says(&told(sheet, "Order"), &["Dose: 41 mg", "in force", "Dr. Ama Osei (osei)", "82 kg"]);
    says(
        &told(sheet, "Drug and pump"),
        &[
            "42023-113-10",
            "A1",
            "0.82 mL | 41 mg",
            "Second check: patient by 1984-03-12; ketamine 50 mg/mL, 0.82 mL drawn; sodium chloride 0.9 %; 20.5 mL in all; dose weight 82 kg; 41 mg; 30.8 mL/h; 20.5 mL to be infused",
            "Lee Park, RN (lee)",
        ],
    );
    says(
        &told(sheet, "Delivery"),
        &["02:10:00 | 02:21:00 | 30.8 mL/h", "02:21:00 | 02:42:00 | paused", "Ordered: 41 mg in 20.5 mL"],
    );
    says(&told(sheet, "Observations"), &["02:20 | 184/112 | 96 | 97", "02:40 | 148/88"]);
    says(
        &told(sheet, "Adverse events and drugs"),
        &[
            "High blood pressure | 2 moderate | 184/112, no symptoms",
            "labetalol | 10 mg | IV | Standing order: High blood pressure v1, NOT SIGNED by the clinic (shipped default), event 1",
        ],
    );
    says(
        &told(sheet, "Drug balance"),
        &[
            "In the vials | 500 mg",
            "Left in the opened vials | 459 mg | measured, 9.3 mL in the vial; wasted before the witness",
            "Measured beyond the label | 6 mg | overfill",
            "Delivered | 11.4 mg",
            "Wasted | 29.4 mg",
            "Left in the line | 0.2 mg",
            "the balance is closed",
        ],
    );
    says(
        &told(sheet, "Signatures"),
        &[
            "Order (entry",
            "“I order this infusion” | Dr. Ama Osei (osei) | prescriber",
            "Witness of the waste (entry",
            "Lee Park, RN (lee)",
        ],
    );
    says(
        &told(sheet, "Rules and models used"),
        &["mdd_trd_std | Major depression", "c11 |", "hypertension |", "clinic default, not signed"],
    );
    says(&told(sheet, "Observations"), &["120/76 | 72 | 98", "vital-signs gate"]);
    says(&told(sheet, "Course"), &["Infusion started at 30.8 mL/h", "Paused: blood pressure 184/112"]);
    assert!(sheet.notices.iter().any(|notice| notice.starts_with("NOT COMPLETE")), "{:?}", sheet.notices);
}

fn the_pdf_is_tagged_and_its_text_can_be_read(pdf: &[u8]) {
    let holds = |name: &str| pdf.windows(name.len()).any(|window| window == name.as_bytes());
    assert!(holds("/StructTreeRoot") && holds("pdfuaid:part"), "tagged, and says that it is PDF/UA");
    let Some(text) = pdftotext(pdf) else { return };
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    says(
        &text,
        &[
            "RIVERA, Ana",
            "Page 1 of",
            "41 mg",
            "30.8 mL/h",
            "labetalol",
            "“I order this infusion”",
            "the balance is closed",
            "184/112",
        ],
    );
    let pages = text.matches("Page ").count();
    assert_eq!(text.matches("MRN 004217").count(), pages, "the patient stands on each of {pages} pages");
}

#[test]
fn gates_are_told_with_the_override_and_who_signed_it() {
    let gates = told(&Clinic::after("gate_overridden").sheet(), "Gates");
    says(
        &gates,
        &[
            "C05 Fasting | Waits, then as below",
            "Hours since solid food: 4",
            "tea and toast at five",
            "C05 Fasting | A prescriber let it pass | I let this gate pass: light snack, no reflux, seen by me (signed by Dr. Ama Osei (osei))",
            "C10",
            "Weighed 82 kg",
        ],
    );
}

#[test]
fn a_closed_visit_is_told_without_a_notice_and_a_running_one_as_uncertain() {
    let done = Clinic::after("first_infusion").sheet();
    assert_eq!(done.notices, ["1 adverse event without an outcome."]);
    says(
        &told(&done, "Recovery and discharge"),
        &[
            "Went home with open side effects: Nausea, vomiting, grade 1. Word on it: queasy on the way down",
            "Sam Rivera, +1 555 0100",
            "Discharge score: 9",
            "Escort is here in person | yes",
        ],
    );
    says(
        &told(&done, "Delivery"),
        &["Delivery uncertain since 02:25:00", "02:34:00 | 02:50:00 | 20 mL/h | 5.367 mL"],
    );
    says(
        &told(&done, "Drug and pump"),
        &["Second check DIFFERS: dose: 410 mg, ordered 41 mg. All read: patient by 1984-03-12"],
    );
    let moved = Clinic::after("transfer_during_infusion").sheet();
    says(
        &told(&moved, "Recovery and discharge"),
        &["Transferred at 02:26 to General Hospital, emergency: oversedation"],
    );
    let cancelled = Clinic::after("cancelled_before_start").sheet();
    says(&told(&cancelled, "Recovery and discharge"), &["the escort cannot come"]);
    assert_eq!(told(&cancelled, "Delivery"), "No drug flowed.");
}

#[test]
fn an_amended_entry_shows_old_and_new() {
    let clinic = Clinic::arrived();
    let vitals = clinic.history();
    let is_vitals =
        |one: &&clinic::session::Recorded| matches!(one.event, clinic::session::Event::ObservationCharted(_));
    let position = vitals.events.iter().rev().find(is_vitals).expect("an observation").position;
    let amend = Command::Amend { position, reason: "wrong arm".to_owned(), text: "NIBP 142/84".to_owned() };
    clinic.act("amend", &kim(), amend).expect("amended");
    let sheet = clinic.sheet();
    says(&told(&sheet, "Observations"), &["~148/88~", "NIBP 142/84"]);
    says(
        &told(&sheet, "Amendments and notes"),
        &["~BP 148/88 HR 82~ NIBP 142/84 | wrong arm | Kim Nguyen, RN (kim)"],
    );
    let html = record::html(&sheet).expect("html");
    says(&html, &["<del>148/88</del>", "<ins>now: NIBP 142/84</ins>"]);
}

#[test]
fn readings_that_the_log_does_not_vouch_for_are_left_out_and_named() {
    let clinic = Clinic::arrived();
    let minute = |minute: i64, tenths: i32, digest_of: Option<&[u8]>| {
        let kept = KeptMinute {
            values: BTreeMap::from([(Parameter::HeartRate, vec![(1000, tenths), (2000, tenths)])]),
            ..KeptMinute::default()
        };
        let bytes = serde_json::to_vec(&kept).expect("json");
        let start: Timestamp = "2026-03-02T09:12:00Z".parse().expect("a time");
        let minute_us = start.as_microsecond() + minute * 60_000_000;
        let digest = hex::encode(Sha256::digest(digest_of.unwrap_or(&bytes)));
        let (site, session, series) = ("main".to_owned(), VISIT.to_owned(), "readings".to_owned());
        clinic.app.store.put_sample(Sample { site, session, series, minute_us, bytes }).expect("kept");
        let event = serde_json::to_string(&ReadingsEvent::ReadingsKept { minute_us, count: 2, digest })
            .expect("json");
        clinic.forge(&format!("minute-{minute}"), vec![("readings", None, "readings_kept", event)]);
    };
    minute(0, 870, None);
    minute(1, 1990, Some(b"other bytes"));
    let sheet = clinic.sheet();
    says(&told(&sheet, "Observations"), &["02:10 | "]);
    says(&told(&sheet, "Observations"), &["| 87 |"]);
    assert!(!told(&sheet, "Observations").contains("199"));
    assert!(
        sheet.notices.iter().any(|notice| notice.contains("left out") && notice.ends_with("02:13.")),
        "{:?}",
        sheet.notices
    );
}

#[test]
fn the_same_record_has_the_same_bytes_and_another_has_others() {
    let clinic = Clinic::arrived();
    // Alarm lines go into the log by themselves; what is written after them shows that they are in.
    clinic.add("last", "Last Person", Role::Nurse);
    let sheet = clinic.sheet();
    let (first, html) =
        (record::pdf(&clinic.sheet()).expect("pdf"), record::html(&clinic.sheet()).expect("html"));
    // What happens elsewhere in the clinic does not change the record of this visit.
    clinic.clock.advance(Duration::from_secs(3600));
    clinic.add("new", "New Person", Role::Nurse);
    assert_eq!(sheet, clinic.sheet());
    assert!(first == record::pdf(&clinic.sheet()).expect("pdf"), "the PDF changed");
    assert!(html == record::html(&clinic.sheet()).expect("html"), "the file changed");
    clinic.act("note", &kim(), Command::Note { text: "one more".to_owned() }).expect("noted");
    assert!(first != record::pdf(&clinic.sheet()).expect("pdf"));
}

/// The text of a PDF; `None`, with a word to whoever runs the tests, where the tool is missing.
fn pdftotext(pdf: &[u8]) -> Option<String> {
    let tool = Program::new("pdftotext")
        .args(["-layout", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut tool) = tool else {
        eprintln!("pdftotext is not installed: the text of the PDF is not read back");
        return None;
    };
    let mut input = tool.stdin.take().expect("its input");
    let bytes = pdf.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes));
    let output = tool.wait_with_output().expect("its output");
    writer.join().expect("the writer").expect("written");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn letters_that_no_font_has_and_very_long_words_still_print() {
    let mut table = Table::new("Everything", &[("A", 10), ("B", 90)], "");
    for n in 0..60 {
        table.row([n.to_string().into(), format!("王小明 \u{7}\u{200b} {}", "x".repeat(400)).into()]);
    }
    table.row(["long".into(), "many words ".repeat(4000).into()]);
    let sheet = Sheet {
        title: "王".to_owned(),
        sections: vec![Section::new("S", vec![Part::Table(table)])],
        ..Sheet::default()
    };
    let pdf = record::pdf(&sheet).expect("pdf");
    if let Some(text) = pdftotext(&pdf) {
        assert!(text.contains("[U+738B]"));
        assert_eq!(text.matches("many").count(), 4000, "a row longer than a page loses nothing");
    }
}

#[test]
fn replay_gives_the_same_bytes_or_names_the_entry() {
    let clinic = Clinic::after("gate_overridden");
    let again = clinic.replay().expect("the log");
    assert!(again.otherwise.is_empty(), "{:?}", again.otherwise);
    assert!(again.transcript.ends_with("the same bytes; recovering\n"), "{}", again.transcript);
    assert_eq!(clinic.replay().expect("the log").transcript, again.transcript);
    assert!(
        replay::again(&clinic.app.store, "main", "other", &clinic.app.knowledge).expect("the log").is_none()
    );

    let note = r#"{"kind":"note_written","text":"forged"}"#.to_owned();
    clinic.forge("forged", vec![("session", Some(clinic.version()), "note_written", note)]);
    let error = clinic.replay().expect_err("an entry without a command");
    assert!(error.to_string().contains("(note_written) follows from no recorded command"), "{error}");
}

/// What the rules of now say otherwise of a visit, which is told to its end all the same.
fn otherwise(again: &replay::Again) -> String {
    let told: Vec<String> = again.otherwise.iter().map(ToString::to_string).collect();
    let last = again.transcript.lines().last().expect("a line");
    assert!(last.contains(" entries as they stand; by the rules of now other: "), "{last}");
    told.join("\n")
}

/// A visit of an older program says so, and nothing that looks like a log that was tampered with.
#[test]
fn replay_of_a_visit_that_older_rules_decided_names_the_rules() {
    let clinic = Clinic::after("gate_overridden");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
    let mut files = server::cli::knowledge::files(&shipped).expect("the folder");
    for file in files.iter_mut().filter(|file| file.path.starts_with("gates/c")) {
        file.text = file.text.replacen("version = 1", "version = 2", 1);
    }
    let newer = Knowledge::read(&files).expect("sound");
    let told = otherwise(&clinic.replay_by(&newer).expect("the log"));
    says(&told, &["was decided by other rules than this program has: ", " version 1, here 2"]);
    says(&told, &["The program of its day can"]);
}

/// Hazard 128: a rule that asks more than the one of its day makes nobody's log a changed one.
#[test]
fn replay_of_a_visit_of_which_the_rules_of_now_ask_more_names_the_rule_with_both_versions() {
    let clinic = Clinic::after("hypertension_stopped_early");
    assert!(clinic.replay().expect("the log").otherwise.is_empty());
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../knowledge");
    let mut files = server::cli::knowledge::files(&shipped).expect("the folder");
    let rule = files.iter_mut().find(|file| file.path == "limits/plausibility.toml").expect("the rule");
    let (before, heart_rate) = rule.text.split_once("parameter = \"heart_rate\"").expect("its range");
    let before = before.replacen("version = 3", "version = 4", 1);
    let stricter = heart_rate.replacen("asked_above = 220", "asked_above = 60", 1);
    rule.text = format!("{before}parameter = \"heart_rate\"{stricter}");
    let newer = Knowledge::read(&files).expect("sound");
    let told = otherwise(&clinic.replay_by(&newer).expect("the log"));
    says(&told, &["a rule added since would refuse this command: HR is ", "plausibility version 3, here 4"]);
    says(&told, &["for `chairside journal verify` to say"]);
    assert!(
        server::rules::in_force_at(&clinic.app.store, "main", 1).expect("log").is_none(),
        "nothing was before"
    );
}

/// Hazard 174: an older program took the same order twice; the one of now refuses it, and the visit still reads whole.
#[test]
fn replay_of_an_order_that_was_signed_twice_gives_what_stands_and_says_that_it_would_be_refused() {
    let clinic = Clinic::ordered("first_infusion");
    let last = |stream: &str, has: &str| {
        let rows = clinic.app.store.stream("main", &format!("{stream}/{VISIT}")).expect("the log");
        rows.into_iter().rfind(|row| row.body.contains(has)).expect("the order")
    };
    let (event, cause) = (last("session", "order_signed"), last("command", "sign_order"));
    clinic.forge(
        "twice",
        vec![
            ("session", Some(clinic.version()), "order_signed", event.body.replace("\"o1\"", "\"o2\"")),
            ("command", None, &cause.kind, cause.body.replace("\"o1\"", "\"o2\"")),
        ],
    );
    clinic.act("note", &kim(), Command::Note { text: "after".to_owned() }).expect("the visit goes on");
    let again = clinic.replay().expect("the log");
    let told = otherwise(&again);
    says(
        &told,
        &[
            "(sign the order by osei): a rule added since would refuse this command: osei signed the same order, 41 mg",
        ],
    );
    says(
        &again.transcript,
        &["  a rule added since would refuse this command: osei signed the same order, 41 mg", "\"after\""],
    );
    assert_eq!(again.otherwise.len(), 1, "{told}");
    assert!(matches!(again.otherwise[0], replay::NotTheSame::Refuses { .. }), "exit 3, and no changed log");
}

#[test]
fn replay_finds_an_event_that_was_not_decided_so() {
    let clinic = Clinic::arrived();
    let at = clinic.clock.now();
    let cause = format!(
        r#"{{"actor":{{"id":"kim","role":"nurse"}},"at":"{at}","command":{{"do":"note","text":"as asked"}}}}"#
    );
    let event = r#"{"kind":"note_written","text":"as changed"}"#.to_owned();
    clinic.forge(
        "changed",
        vec![
            ("session", Some(clinic.version()), "note_written", event),
            ("command", None, "write a note", cause),
        ],
    );
    let again = clinic.replay().expect("the log");
    let told = otherwise(&again);
    says(&told, &["write a note by kim", "as changed", "as asked"]);
    assert!(matches!(again.otherwise[..], [replay::NotTheSame::Differs { .. }]), "exit 1: {told}");
}

#[test]
fn replay_finds_bytes_that_only_mean_the_same() {
    let clinic = Clinic::arrived();
    let event = r#"{"text":"spaced", "kind":"note_written"}"#.to_owned();
    clinic.forge("bytes", vec![("session", Some(clinic.version()), "note_written", event)]);
    let error = clinic.replay().expect_err("other bytes").to_string();
    says(
        &error,
        &[
            "reads {\"text\":\"spaced\", \"kind\"",
            "is written {\"kind\":\"note_written\",\"text\":\"spaced\"}",
        ],
    );
}

#[tokio::test]
async fn the_page_shows_the_record_to_whoever_may_and_keeps_who_looked() {
    let clinic = Clinic::after("first_infusion");
    let (status, _, page) = clinic.get("kim", &format!("/record/{VISIT}")).await;
    assert_eq!(status, StatusCode::OK);
    says(
        &String::from_utf8_lossy(&page),
        &["Infusion record: RIVERA, Ana", "30.8\u{a0}mg", "/record/visit-1/record.pdf", "<svg"],
    );
    let (status, kind, pdf) = clinic.get("kim", &format!("/record/{VISIT}/record.pdf")).await;
    assert_eq!((status, kind.as_str()), (StatusCode::OK, "application/pdf"));
    assert!(pdf.starts_with(b"%PDF-1.7"));
    assert_eq!(clinic.get("desk", &format!("/record/{VISIT}")).await.0, StatusCode::FORBIDDEN);
    assert_eq!(clinic.get("kim", "/record/nobody").await.0, StatusCode::NOT_FOUND);
    let audit = clinic.app.store.stream("main", "audit").expect("the log");
    let viewed: Vec<&str> = audit
        .iter()
        .filter(|row| row.kind == "record_viewed" && row.author == "kim")
        .map(|row| row.body.as_str())
        .collect();
    assert_eq!(viewed.len(), 2, "{viewed:?}");
    assert!(viewed[0].contains("/record/visit-1"), "{viewed:?}");
}

#[tokio::test]
async fn the_list_finds_by_name_and_number_and_says_when_there_is_none() {
    let clinic = Clinic::arrived();
    let list = async |query: &str| {
        let (status, _, page) = clinic.get("kim", &format!("/records{query}")).await;
        assert_eq!(status, StatusCode::OK);
        String::from_utf8(page).expect("text")
    };
    says(&list("").await, &["Showing 1 of 1", "RIVERA, Ana", "checked in", "href=\"/record/visit-1\""]);
    says(&list("?search=riv").await, &["Showing 1 of 1"]);
    says(&list("?search=004217").await, &["Showing 1 of 1"]);
    says(&list("?search=%3Cb%3E").await, &["No visit matches “&#60;b&#62;”"]);
}

#[tokio::test]
async fn a_new_clinic_says_that_there_is_no_record_yet() {
    let clinic = Clinic::open();
    clinic.add("kim", "Kim", Role::Nurse);
    let (_, _, page) = clinic.get("kim", "/records").await;
    says(&String::from_utf8_lossy(&page), &["No visit has been planned yet."]);
}

#[test]
fn a_sheet_becomes_plain_html() {
    let mut table = Table::new("Doses", &[("Time", 20), ("Dose", 80)], "None.");
    table.row(["09:10".into(), Cell { struck: "14 mg".to_owned(), text: "41 mg <now>".to_owned() }]);
    let section = Section::new("Order", vec![Part::Words("Give 41 mg.".to_owned()), Part::Table(table)]);
    let sheet = Sheet {
        title: "Record".to_owned(),
        notices: vec!["OPEN".to_owned()],
        sections: vec![section],
        ..Sheet::default()
    };
    let html = record::html(&sheet).expect("html");
    let article =
        html.split("<h1").nth(1).and_then(|rest| rest.split("</article>").next()).expect("the article");
    let article = article.replace('\u{a0}', "_");
    let lines: Vec<&str> = article.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    expect![[r#"
        id="record-title">Record</h1>
        <p class="record-notice">OPEN</p>
        <section>
        <h2>Order</h2>
        <p>Give 41_mg.</p><table>
        <caption>Doses</caption>
        <thead><tr><th scope="col">Time</th><th scope="col">Dose</th></tr></thead>
        <tbody>
        <tr><th scope="row">09:10</th><td><del>14_mg</del> <ins>now: 41_mg &#60;now&#62;</ins></td></tr>
        </tbody>
        </table>
        </section>
        </div>
        <p class="record-foot"></p>"#]]
    .assert_eq(&lines.join("\n"));
    assert!(!html.contains("<script") && !html.contains("http"), "nothing runs, nothing is fetched");
}

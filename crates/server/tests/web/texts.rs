//! Whatever is typed into a form of a visit and cannot stand in a record comes back with the form, and nothing of it is
//! written: every form that the pages show, and every route that takes one.

use crate::walk::{Visit, reasons, stop};
use axum::http::StatusCode;
use server::pages::{ALL, Verb};
use std::collections::BTreeSet;

/// A form of a page: where it goes, what nobody sees, and the fields into which a person types.
struct Shown {
    to: String,
    hidden: Vec<(String, String)>,
    typed: Vec<String>,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let value = tag.split_once(&format!(" {name}=\""))?.1;
    Some(value.split('"').next()?.to_owned())
}

/// The forms of the visit on a page.
fn forms(page: &str) -> Vec<Shown> {
    let mut all = Vec::new();
    for form in page.split("<form").skip(1) {
        let form = form.split("</form>").next().expect("a form");
        let Some(to) = attribute(form, "action").filter(|to| to.starts_with("/visit/")) else { continue };
        let (mut hidden, mut typed) = (Vec::new(), Vec::new());
        for tag in form.split('<').filter(|tag| tag.starts_with("input") || tag.starts_with("textarea")) {
            let (name, kind) = (attribute(tag, "name").expect("a name"), attribute(tag, "type"));
            match kind.as_deref() {
                Some("hidden") if !["csrf", "command_id"].contains(&name.as_str()) => {
                    hidden.push((name, attribute(tag, "value").unwrap_or_default()));
                }
                Some("text") | None => typed.push(name),
                _ => {}
            }
        }
        all.push(Shown { to, hidden, typed });
    }
    all
}

/// Sends it, and expects it back with these words and nothing written.
async fn comes_back(visit: &Visit, to: &str, fields: &[(&str, &str)], words: &str) -> String {
    let before = visit.written();
    let answer = visit.nurse().post(to, fields).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{to}: {}", reasons(&answer.body));
    assert!(answer.body.contains(words), "{to} says {:?}, not {words:?}", reasons(&answer.body));
    assert!(answer.body.contains("<form"), "{to} comes back without a form");
    assert_eq!(visit.written(), before, "{to} was refused and wrote");
    answer.body
}

/// Every form on every page of the visit as it stands: its routes are taken from those still to be met.
async fn all_forms_come_back(visit: &Visit, unmet: &mut BTreeSet<&'static str>) -> usize {
    let log = visit.clinic.app.store.stream("main", &format!("session/{}", visit.id)).expect("stream");
    let charted = log.iter().find(|event| event.kind == "observation_charted");
    let strike = charted.map(|event| format!("/strike/{}", event.position)).unwrap_or_default();
    let pages = [
        "",
        "/order",
        "/preparation",
        "/second-check",
        "/observe",
        "/note",
        "/event",
        "/event/headache",
        "/drug",
        "/rate",
        "/resume",
        "/pump",
        "/limits",
        "/discharge",
        "/waste",
        &strike,
    ];
    let (long, mut tried) = ("a".repeat(2_001), 0);
    for page in pages {
        let shown = visit.nurse().get(&format!("/visit/{}{page}", visit.id)).await;
        for Shown { to, hidden, typed } in forms(&shown.body) {
            for field in &typed {
                for (text, words) in [
                    (long.as_str(), " has 2001 characters; at most 2000".to_owned()),
                    ("what I\0 typed", " holds the character U+0000".to_owned()),
                ] {
                    let mut all: Vec<(&str, &str)> =
                        hidden.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
                    all.push((field, text));
                    let body = comes_back(visit, &to, &all, &words).await;
                    let kept = if text == long { long.as_str() } else { "what I typed" };
                    assert!(body.contains(kept), "{to}: {field} lost what was typed");
                    tried += 1;
                }
            }
            if !typed.is_empty() {
                unmet.retain(|route| !fits(route, &to));
            }
        }
    }
    tried
}

fn fits(route: &str, path: &str) -> bool {
    let (route, path): (Vec<&str>, Vec<&str>) = (route.split('/').collect(), path.split('/').collect());
    route.len() == path.len() && route.iter().zip(&path).all(|(part, is)| part.starts_with('{') || part == is)
}

/// Hazard 106.
#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_visit_comes_back_with_a_text_that_cannot_stand_in_a_record() {
    let posts = ALL.iter().filter(|route| route.verb == Verb::Post && route.path.starts_with("/visit/"));
    let mut unmet: BTreeSet<&'static str> = posts.map(|route| route.path).collect();
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let mut tried = all_forms_come_back(&visit, &mut unmet).await;
    visit.gates().await;
    visit.ordered().await;
    visit.drawn().await;
    tried += all_forms_come_back(&visit, &mut unmet).await;
    let visit = Visit::planned().await;
    visit.running().await;
    tried += all_forms_come_back(&visit, &mut unmet).await;
    visit.clinic.minutes_pass(30);
    stop(&visit).await;
    tried += all_forms_come_back(&visit, &mut unmet).await;
    assert!(tried > 80, "{tried}");
    // What has nothing to type into, or is not shown now, refuses all the same.
    for route in unmet {
        let to =
            route.replace("{session}", &visit.id).replace("{gate}", "c01").replace("{playbook}", "headache");
        comes_back(&visit, &to, &[("more", "nul\0")], "The field more holds the character U+0000").await;
    }
}

/// Hazard 106: a reason says something, and the refusal says what was given and what is accepted.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_of_the_wrong_length_is_told_with_its_length_and_its_bounds() {
    let visit = Visit::planned().await;
    visit.checked_in().await;
    let said = "The reason is 1 character long, 1 of them letters; accepted is words with at least 3 letters";
    let to = visit.path("cancel");
    let body = comes_back(&visit, &to, &[("session", &visit.id), ("reason", "x")], said).await;
    assert!(body.contains("value=\"x\"") || body.contains(">x</textarea>"), "{body}");
    for (to, fields, words) in [
        (
            "gate/c01/amend",
            vec![("position", "five"), ("text", "b"), ("reason", "typed")],
            "“five” is no such number",
        ),
        ("event/headache", vec![("grade", "300"), ("text", "b")], "accepted is 1 mild to 5 fatal"),
        ("observe", vec![("what", "moaas"), ("value", "9")], "Score is 9; accepted is 0 to 5"),
        ("observe", vec![("what", "oriented"), ("value", "perhaps")], "accepted is yes or no"),
        ("observe", vec![("what", "symptom"), ("value", "green ears")], "Symptom green ears is not known"),
        (
            "transfer",
            vec![("to", "City Hospital"), ("reason", "?"), ("user", "nurse"), ("pin", crate::support::PIN)],
            "at least 3 letters",
        ),
    ] {
        comes_back(&visit, &visit.path(to), &fields, words).await;
    }
}

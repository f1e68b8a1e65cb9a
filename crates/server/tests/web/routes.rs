//! Every route against every role, and what every page must carry.

use crate::support::{Browser, Clinic, open_as};
use axum::http::StatusCode;
use expect_test::expect_file;
use server::Fault;
use server::founding::Purpose;
use server::pages::{ALL, Access, Route, Verb};
use std::collections::BTreeSet;

const ROLES: [&str; 5] = ["front.desk", "nurse", "prescriber", "therapist", "owner"];

fn path_of(pattern: &str) -> String {
    let names = [
        ("{id}", "nobody.here"),
        ("{file}", "none.js"),
        ("{n}", "1"),
        ("{session}", "none"),
        ("{section}", "plan"),
        ("{link}", "none"),
        ("{consent}", "none"),
        ("{page}", "depression"),
    ];
    let path = names.iter().fold(pattern.to_owned(), |path, (name, value)| path.replace(name, value));
    path.replace("{gate}", "c01").replace("{playbook}", "headache")
}

/// `open`, `sign in` or `refused`, as a person meets it.
async fn met(browser: &Browser, path: &str, verb: Verb) -> &'static str {
    let answer = match verb {
        Verb::Get => browser.get(path).await,
        Verb::Post => browser.post(path, &[]).await,
    };
    assert_ne!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{path}: the handler does not answer its verb");
    assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}: {}", answer.body);
    match answer.status {
        StatusCode::FORBIDDEN => "refused",
        StatusCode::UNAUTHORIZED => "sign in",
        StatusCode::SEE_OTHER
            if answer.goes_to().starts_with("/sign-in?n") && !path.starts_with("/sign-out") =>
        {
            "sign in"
        }
        StatusCode::SEE_OTHER if answer.goes_to() == "/sign-in?notice=ended" => "sign in",
        _ => "open",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_demonstration_says_so_on_every_page_whoever_serves_its_log() {
    for (purpose, marked) in [(Purpose::Demonstration, true), (Purpose::Care, false)] {
        let clinic = Clinic::founded_for(purpose, ALL);
        let served = open_as(false, clinic.folder(), &clinic.clock).expect("open");
        let browser = Browser { router: server::router_of(served, ALL), ..clinic.signed_in("nurse") };
        let mut pages = 0;
        for route in ALL.iter().filter(|route| route.verb == Verb::Get) {
            let answer = browser.get(&path_of(route.path)).await;
            // An error page shows nobody and nothing.
            if answer.status == StatusCode::OK && answer.body.contains("<title>") {
                pages += 1;
                assert_eq!(answer.body.contains("DEMO: made-up people"), marked, "{}", route.path);
                assert_eq!(answer.body.contains("<title>DEMO "), marked, "{}", route.path);
            }
        }
        assert!(pages > 5, "only {pages} pages were looked at");
    }
}

#[test]
fn made_up_people_never_come_into_the_log_of_real_ones() {
    let clinic = Clinic::open();
    let before = clinic.head();
    let asked = open_as(true, clinic.folder(), &clinic.clock);
    assert!(matches!(asked, Err(Fault::RealPeople)));
    assert_eq!(clinic.head(), before, "and nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_every_role_as_the_table_says() {
    let clinic = Clinic::open();
    let heads = ROLES.map(|role| format!("{role:<12}")).concat();
    let mut table = format!("{:<24}{:<10}{}\n", "", "nobody", heads.trim_end());
    for route in ALL {
        let path = path_of(route.path);
        let verb = if route.verb == Verb::Get { "GET" } else { "POST" };
        let mut line = format!(
            "{:<24}{:<10}",
            format!("{verb} {}", route.path),
            met(&clinic.browser(), &path, route.verb).await
        );
        for role in ROLES {
            let found = met(&clinic.signed_in(role), &path, route.verb).await;
            line.push_str(&format!("{found:<12}"));
        }
        table.push_str(line.trim_end());
        table.push('\n');
    }
    expect_file!["routes.txt"].assert_eq(&table);
}

/// The page without its `<template>` elements: a script clones those and fills in the ids, nobody can send them.
fn shown(page: &str) -> String {
    let mut parts = page.split("<template");
    let first = parts.next().unwrap_or("").to_owned();
    parts.fold(first, |page, part| page + part.split_once("</template>").map_or("", |(_, after)| after))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_safe_to_show_and_every_form_safe_to_send() {
    let clinic = Clinic::open();
    // What a page asks for by itself is a part of one.
    let whole = |route: &&Route| !route.path.contains('{') && !matches!(route.access, Access::Background(_));
    for route in ALL.iter().filter(|route| route.verb == Verb::Get).filter(whole) {
        for role in ROLES {
            let answer = clinic.signed_in(role).get(route.path).await;
            if answer.status != StatusCode::OK || !answer.header("content-type").starts_with("text/html") {
                continue;
            }
            let page = &shown(&answer.body);
            let forms = page.matches("method=\"post\"").count();
            let ids: Vec<_> = page
                .split("name=\"command_id\" value=\"")
                .skip(1)
                .filter_map(|rest| rest.split('"').next())
                .collect();
            let distinct: BTreeSet<_> = ids.iter().collect();
            assert_eq!(
                (ids.len(), distinct.len()),
                (forms, forms),
                "{}: one own command id a form",
                route.path
            );
            assert!(!distinct.contains(&""), "{}: a form without an id", route.path);
            assert_eq!(page.matches("name=\"csrf\" value=").count(), forms, "{}", route.path);
            for inline in ["<style", " style=", "<script>", " onclick", "javascript:", "http://", "https://"]
            {
                assert!(!page.contains(inline), "{} holds {inline}", route.path);
            }
            assert!(page.contains("<html lang=") && page.contains("<h1>") && page.contains("href=\"#main\""));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_the_headers_that_keep_it_safe() {
    let clinic = Clinic::open();
    for path in ["/sign-in", "/healthz", "/no/such/page", "/assets/none.js", "/staff"] {
        let answer = clinic.browser().get(path).await;
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}");
        assert!(!policy.contains("unsafe") && !policy.contains("http"), "{path}: {policy}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{path}");
    }
    let (public, private) = ("/about", "/account");
    assert_eq!(clinic.signed_in("nurse").get(public).await.header("refresh"), "");
    let refresh = clinic.signed_in("nurse").get(private).await;
    assert_eq!(
        refresh.header("refresh"),
        "302; url=/unlock?next=%2Faccount",
        "an idle private page goes away"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_without_a_route_is_not_found_and_says_what_to_do() {
    let clinic = Clinic::open();
    let answer = clinic.signed_in("nurse").get("/no/such/page").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.body.contains("Check it") && answer.body.contains("/account"), "with the person's menu");
    assert_eq!(clinic.browser().get("/assets/..%2F..%2FCargo.toml").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_lands_on_a_page_it_may_open() {
    let clinic = Clinic::open();
    for role in ROLES {
        let browser = clinic.signed_in(role);
        let home = browser.get("/").await;
        assert_eq!(home.status, StatusCode::SEE_OTHER);
        assert_eq!(
            browser.get(home.goes_to()).await.status,
            StatusCode::OK,
            "{role} lands on {}",
            home.goes_to()
        );
    }
    assert_eq!(clinic.browser().get("/").await.goes_to(), "/sign-in");
}

#[test]
fn whatever_acts_is_behind_a_sign_in_but_for_asking_answering_signing_in_and_the_theme() {
    let open: Vec<_> = ALL
        .iter()
        .filter(|route| route.verb == Verb::Post && route.access == Access::Public)
        .map(|route| route.path)
        .collect();
    assert_eq!(
        open,
        [
            "/inquiry",
            "/answer/{link}/check",
            "/answer/{link}/{n}",
            "/consent/{link}/sign",
            "/consent/{link}/{n}",
            "/mine/{link}",
            "/sign-in",
            "/theme"
        ]
    );
}

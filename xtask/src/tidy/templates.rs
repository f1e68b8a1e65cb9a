//! Markup keeps to what the content policy and a page without scripts allow: nothing inline, nothing from another
//! origin, six htmx attributes.

use super::Findings;
use crate::tree::Tree;
use anyhow::Result;

const PLACE: &str = "crates/server/templates/";
/// A file that a person keeps apart from the server, so it carries its style in itself; no page ever shows it.
const KEPT_ALONE: &str = "crates/server/templates/parts/sheet_file.html";
const HTMX: &[&str] = &["hx-get", "hx-post", "hx-target", "hx-swap", "hx-trigger", "hx-push-url"];
const ADDRESSES: &[&str] =
    &["action", "data", "formaction", "href", "hx-get", "hx-post", "poster", "src", "srcset"];

pub(super) fn check(tree: &Tree) -> Result<Findings> {
    let mut findings = Findings::new();
    for (file, text) in tree.texts(PLACE, &[".html"]).filter(|(file, _)| file.path != KEPT_ALONE) {
        let plain = without_template_code(text);
        for (at, _) in plain.match_indices('<') {
            let rest = plain.get(at + 1..).unwrap_or_default();
            if let Some(tag) = Tag::read(rest) {
                let line = plain.get(..at).unwrap_or_default().matches('\n').count() + 1;
                findings
                    .extend(faults(&tag).into_iter().map(|fault| format!("{}:{line}: {fault}", file.path)));
            }
        }
    }
    Ok(findings)
}

/// An opening tag.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, &'a str)>,
    /// What follows it.
    rest: &'a str,
}

impl<'a> Tag<'a> {
    /// From just after the `<`. `None` for a closing tag, a comment or a plain less-than.
    fn read(text: &'a str) -> Option<Tag<'a>> {
        if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
            return None;
        }
        let (name, mut rest) = text.split_at(text.find(|c: char| c.is_whitespace() || "/>".contains(c))?);
        let mut attributes = Vec::new();
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
            if let Some(rest) = rest.strip_prefix('>') {
                return Some(Tag { name, attributes, rest });
            }
            let (key, after) = rest.split_at(rest.find(|c: char| c.is_whitespace() || "=>/".contains(c))?);
            rest = after;
            let mut value = "";
            if let Some(given) = after.trim_start().strip_prefix('=') {
                (value, rest) = attribute_value(given.trim_start())?;
            }
            attributes.push((key, value));
        }
    }
}

/// The value and what follows it.
fn attribute_value(given: &str) -> Option<(&str, &str)> {
    match given.chars().next().filter(|quote| "\"'".contains(*quote)) {
        Some(quote) => given.get(1..)?.split_once(quote),
        None => Some(given.split_at(given.find(|c: char| c.is_whitespace() || c == '>')?)),
    }
}

fn faults(tag: &Tag<'_>) -> Vec<String> {
    let mut found = Vec::new();
    let has = |name: &str| tag.attributes.iter().any(|(key, _)| *key == name);
    if tag.name == "style" {
        found.push("styles belong in ui/styles".to_owned());
    }
    if tag.name == "script" {
        let body = tag.rest.split("</script").next().unwrap_or_default();
        if !has("src") || !body.trim().is_empty() {
            found.push("scripts belong in ui/src".to_owned());
        }
    }
    for (key, value) in &tag.attributes {
        let hx = key.strip_prefix("data-").unwrap_or(key);
        if *key == "style" || key.starts_with("on") {
            found.push(format!("the attribute {key} is inline code, which the content policy blocks"));
        }
        if hx.starts_with("hx-") && !HTMX.contains(key) {
            found.push(format!("{key} is not one of the six htmx attributes"));
        }
        let address = value.trim_start().to_ascii_lowercase();
        let elsewhere =
            address.starts_with("//") || address.contains("://") || address.starts_with("javascript:");
        if ADDRESSES.contains(key) && elsewhere {
            found.push(format!("{key}=\"{value}\" leaves this origin; a clinic may be offline"));
        }
    }
    found
}

/// Replaces `{{ … }}`, `{% … %}` and `{# … #}` by as many spaces, lines kept, so that a `>` in them ends no tag.
fn without_template_code(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["{{", "{%", "{#"].iter().filter_map(|open| rest.find(open)).min() {
        let (before, code) = rest.split_at(at);
        let close = if code.starts_with("{{") {
            "}}"
        } else if code.starts_with("{%") {
            "%}"
        } else {
            "#}"
        };
        let end = code.find(close).map_or(code.len(), |end| end + close.len());
        let (code, after) = code.split_at(end);
        plain.push_str(before);
        plain.extend(code.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(html: &str) -> usize {
        check(&Tree::of(&[("crates/server/templates/pages/a.html", html)])).expect("runs").len()
    }

    #[test]
    fn inline_code_is_found() {
        assert_eq!(findings("<script>alert(1)</script>"), 1);
        assert_eq!(findings("<script src=\"/a.js\">more</script>"), 1);
        assert_eq!(findings("<style>p {}</style>"), 1);
        assert_eq!(findings("<p class=a\n  style='color: red'>"), 1);
        assert_eq!(findings("<button onclick=\"x()\">"), 1);
        assert_eq!(findings("<a href=\"javascript:x()\">"), 1);
    }

    #[test]
    fn other_htmx_and_other_origins_are_found() {
        assert_eq!(findings("<div hx-boost=\"true\" data-hx-ext=sse hx-on:click=\"x\">"), 3);
        assert_eq!(findings("<img src=\"https://example.org/a.png\"><link href=//example.org/a.css>"), 2);
    }

    #[test]
    fn plain_markup_passes() {
        let html = "{% if a > 1 %}<a {% if b %}hx-get=\"/x?{{ c }}\"{% endif %} hx-target='#a' href=\"/x\">1 < 2</a>{% endif %}
            <script type=\"module\" src=\"{{ js }}\"></script><svg xmlns=\"http://www.w3.org/2000/svg\"><path d=\"M0 0\"/></svg>
            <!-- <b> --><input disabled>{# style=\"x\" #}";
        assert_eq!(findings(html), 0);
    }
}

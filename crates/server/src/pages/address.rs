//! Addresses and cookies as browsers send them.

use axum::http::{HeaderMap, header};

/// A path of this server to go on to, as it came in a form or an address; anything else becomes `/`.
pub fn local_path(asked: &str) -> &str {
    let plain = asked.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if plain && asked.starts_with('/') && !asked.starts_with("//") { asked } else { "/" }
}

/// Text as it stands in a query.
pub fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// A cookie's value.
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies
        .flat_map(|value| value.split(';'))
        .filter_map(|one| one.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_of_this_server_are_gone_on_to() {
        assert_eq!(local_path("/chair/3?tab=1"), "/chair/3?tab=1");
        for away in
            ["", "//evil.example", "https://evil.example", "/\\evil.example", "/a b", "/a\r\nset-cookie: x"]
        {
            assert_eq!(local_path(away), "/", "{away:?}");
        }
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, "xchairside=no; theme=dim; chairside=yes".parse().expect("value"));
        assert_eq!(cookie(&headers, "chairside"), Some("yes"));
        assert_eq!(cookie(&headers, "side"), None);
    }
}

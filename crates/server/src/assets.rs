//! Built styles and scripts, embedded in the binary. Without them pages work plain and say so.

use crate::pages::Error;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_embed::{EmbeddedFile, RustEmbed};
use std::collections::BTreeMap;
use std::sync::OnceLock;

#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Built;

/// Where the built files are, by the names that templates use.
#[derive(Debug, Default)]
pub struct Assets {
    /// `page.js` → `/assets/page-4F2A.js`, from the build's `manifest.json`.
    by_name: BTreeMap<String, String>,
}

impl Assets {
    /// What is embedded; read once.
    pub fn built() -> &'static Self {
        static BUILT: OnceLock<Assets> = OnceLock::new();
        BUILT.get_or_init(|| {
            Built::get("manifest.json").map(|file| Self::from_manifest(&file.data)).unwrap_or_default()
        })
    }

    fn from_manifest(manifest: &[u8]) -> Self {
        let files: BTreeMap<String, String> = serde_json::from_slice(manifest).unwrap_or_default();
        let by_name = files.into_iter().map(|(name, file)| (name, format!("/assets/{file}"))).collect();
        Self { by_name }
    }

    /// The address of a built file; none when it was not built.
    pub fn link(&self, name: &str) -> Option<&str> {
        self.by_name.get(name).map(String::as_str)
    }
}

/// `GET /assets/{file}`: the file, already compressed where the browser takes brotli.
pub async fn file(Path(name): Path<String>, asked: HeaderMap) -> Result<Response, Error> {
    let Some((media, hashed)) = media_type(&name).zip(Some(is_hashed(&name))) else {
        return Err(Error::NotFound);
    };
    let takes_brotli =
        asked.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).is_some_and(|takes| {
            takes.split(',').any(|one| one.split(';').next().is_some_and(|one| one.trim() == "br"))
        });
    let brotli = if takes_brotli { Built::get(&format!("{name}.br")) } else { None };
    let compressed = brotli.is_some();
    let Some(EmbeddedFile { data, .. }) = brotli.or_else(|| Built::get(&name)) else {
        return Err(Error::NotFound);
    };
    let mut response = (StatusCode::OK, data.into_owned()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if hashed {
        let for_good = HeaderValue::from_static("public, max-age=31536000, immutable");
        headers.insert(header::CACHE_CONTROL, for_good);
    }
    if compressed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
    }
    Ok(response)
}

fn media_type(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "js" => Some("text/javascript; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "png" => Some("image/png"),
        "woff2" => Some("font/woff2"),
        "wasm" => Some("application/wasm"),
        _ => None,
    }
}

/// Whether the name carries its content's hash, `page-4F2A66XY.js`: only then may a browser keep it for good.
fn is_hashed(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or("");
    let hash = stem.rsplit_once('-').map_or("", |(_, hash)| hash);
    hash.len() >= 8 && hash.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_built_files() {
        let assets = Assets::from_manifest(br#"{"page.js": "page-4F2A66XY.js"}"#);
        assert_eq!(assets.link("page.js"), Some("/assets/page-4F2A66XY.js"));
        assert_eq!(assets.link("chair.js"), None);
    }

    #[test]
    fn only_hashed_names_are_kept_for_good() {
        assert!(is_hashed("page-4F2A66XY.js"));
        assert!(!is_hashed("page.js") && !is_hashed("page-settings.js"));
        assert_eq!(media_type("manifest.json"), None);
    }
}

//! What any page may fetch: the snippet, and the word on Global Privacy Control.
//!
//! `leadyard.js` is served as it stands beside this file, without its comments, indentation and blank lines: lines
//! are dropped and trimmed, and nothing else is done to them. So it holds no text over several lines.

use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::response::IntoResponse as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::write::GzEncoder;
use leadyard_platform::http;
use sha2::{Digest as _, Sha256};

const SOURCE: &str = include_str!("leadyard.js");

/// How long a browser uses what it has without asking: a page that is put right is put right within the hour.
const CACHED: &str = "public, max-age=3600, stale-while-revalidate=86400";

/// Honoured by the snippet, by [`arrive`](crate::arrive) and by [`interactions`](crate::interactions). The date is
/// of the last change to how (Global Privacy Control, section 4.1).
const GPC: &str = r#"{"gpc":true,"lastUpdate":"2026-11-25"}"#;

/// The snippet as it is sent.
struct Served {
    text: String,
    gzipped: Option<Vec<u8>>,
    etag: String,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| {
    let text = without_comments(SOURCE);
    let etag: String = URL_SAFE_NO_PAD.encode(Sha256::digest(&text)).chars().take(16).collect();
    Served { gzipped: gzipped(&text).ok(), etag: format!("W/\"{etag}\""), text }
});

/// `GET /leadyard.js`.
pub(crate) async fn leadyard_js(headers: HeaderMap) -> Response<Body> {
    let served = &*SERVED;
    let same = http::text(&headers, "if-none-match")
        .is_some_and(|known| known.split(',').any(|known| known.trim() == served.etag));
    let mut response = match &served.gzipped {
        _ if same => StatusCode::NOT_MODIFIED.into_response(),
        Some(gzipped) if takes_gzip(&headers) => {
            let mut response = gzipped.as_slice().into_response();
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            response
        }
        Some(_) | None => served.text.as_str().into_response(),
    };
    let answer = response.headers_mut();
    answer.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/javascript; charset=utf-8"));
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHED));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    answer.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    if let Ok(etag) = HeaderValue::from_str(&served.etag) {
        answer.insert(header::ETAG, etag);
    }
    for_any_page(answer);
    response
}

/// `GET /.well-known/gpc.json`.
pub(crate) async fn gpc_json() -> Response<Body> {
    let mut response = GPC.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(CACHED));
    for_any_page(response.headers_mut());
    response
}

fn for_any_page(headers: &mut HeaderMap) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = http::text(headers, "accept-encoding").unwrap_or_default();
    accepted.split(',').any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let weight = |of: &str| of.strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        parts.next() == Some("gzip") && parts.find_map(weight).is_none_or(|weight| weight > 0.0)
    })
}

fn without_comments(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    for line in source.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn gzipped(text: &str) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(text.as_bytes())?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snippet_has_less_than_4_kb_gzipped() {
        let gzipped = SERVED.gzipped.as_ref().unwrap().len();
        assert!((1_000..4_000).contains(&gzipped), "{gzipped} bytes");
    }

    #[test]
    fn only_whole_lines_are_dropped() {
        assert_eq!(without_comments("  // a\n\n  b // c\n\"//d\"\n"), "b // c\n\"//d\"\n");
        // What is within a text over several lines would be trimmed with the rest.
        assert!(SOURCE.lines().all(|line| line.matches('`').count() % 2 == 0));
        assert!(!SOURCE.contains("/*"));
    }

    #[test]
    fn it_needs_no_right_that_a_strict_page_withholds() {
        for never in ["eval(", "innerHTML", "document.write", ".style", "Function(", "import("] {
            assert!(!SERVED.text.contains(never), "{never}");
        }
    }

    #[tokio::test]
    async fn what_is_gzipped_is_the_same_script() {
        use std::io::Read as _;
        let headers = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("br, gzip"))]);
        let response = leadyard_js(headers).await;
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        let body = axum::body::to_bytes(response.into_body(), 4_000).await.unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).unwrap();
        assert_eq!(text, SERVED.text);
    }

    #[test]
    fn gzip_is_sent_to_whoever_takes_it() {
        for (accepts, takes) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, gzip;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(accepts));
            assert_eq!(takes_gzip(&headers), takes, "{accepts}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}

//! Which media types are read and written, and which paths are paths.
//!
//! Not here: reading bodies (`body`).

use axum::body::HttpBody as _;
use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;

use crate::body;
use crate::error::{Answer, Failure};

/// Refuses what no endpoint reads or writes, before the endpoint is asked.
///
/// Follows Jersey's matching of `@Consumes` and `@Produces`.
pub(crate) async fn json_both_ways(request: Request, next: Next) -> Answer {
    let request = body::at_hand(request).await?;
    let is_empty = request.body().size_hint().exact() == Some(0);
    if !is_json_or_nothing(request.headers(), is_empty) {
        return Err(Failure::http(StatusCode::UNSUPPORTED_MEDIA_TYPE));
    }
    json_answers(request, next).await
}

/// Refuses who does not take JSON.
pub(crate) async fn json_answers(request: Request, next: Next) -> Answer {
    if !accepts_json(request.headers()) {
        return Err(Failure::http(StatusCode::NOT_ACCEPTABLE));
    }
    Ok(next.run(request).await)
}

/// A media type counts even where nothing follows; a body counts as bytes where no media type says otherwise.
fn is_json_or_nothing(headers: &HeaderMap, is_empty: bool) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return is_empty };
    let text = value.to_str().unwrap_or_default();
    let media = text.split(';').next().unwrap_or_default().trim();
    media.eq_ignore_ascii_case("application/json")
}

/// Whether the answer may be JSON.
pub(crate) fn accepts_json(headers: &HeaderMap) -> bool {
    accepts(headers, &["application/json", "application/*", "*/*", ""])
}

/// Whether the answer may be plain text.
pub(crate) fn accepts_text(headers: &HeaderMap) -> bool {
    accepts(headers, &["text/plain", "text/*", "*/*", ""])
}

fn accepts(headers: &HeaderMap, known: &[&str]) -> bool {
    let mut all = headers.get_all(header::ACCEPT).iter().peekable();
    if all.peek().is_none() {
        return true;
    }
    all.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')).any(|media| {
        let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        known.contains(&media.as_str())
    })
}

/// Refuses paths that name nothing: broken percent-encoding, bytes that are not UTF-8, control characters.
///
/// Follows what Jetty refuses as a bad URI, except that a slash within a name is taken, as names may have slashes.
pub(crate) async fn sound_path(request: Request, next: Next) -> Answer {
    match unsound(request.uri().path()) {
        None => Ok(next.run(request).await),
        Some(why) => {
            body::at_hand(request).await?;
            Err(Failure::bad_request(format!("the path has {why}")))
        }
    }
}

fn unsound(path: &str) -> Option<&'static str> {
    let mut decoded = Vec::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Some("a broken percent-encoding");
        };
        decoded.extend(u8::try_from(high * 16 + low));
    }
    match std::str::from_utf8(&decoded) {
        Err(_) => Some("bytes that are not UTF-8"),
        Ok(path) if path.chars().any(char::is_control) => Some("a control character"),
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types_are_checked_as_jersey_checks_them() {
        let check = |name: header::HeaderName, value: &str, read: bool, json: bool, text: bool| {
            let headers: HeaderMap = [(name, value.parse().unwrap())].into_iter().collect();
            assert_eq!(
                (
                    is_json_or_nothing(&headers, false),
                    accepts_json(&headers),
                    accepts_text(&headers)
                ),
                (read, json, text),
                "{value}"
            );
        };
        check(header::CONTENT_TYPE, "application/json; charset=utf-8", true, true, true);
        check(header::CONTENT_TYPE, "application/x-www-form-urlencoded", false, true, true);
        check(header::ACCEPT, "text/html, */*;q=0.1", false, true, true);
        check(header::ACCEPT, "text/plain", false, false, true);
        check(header::ACCEPT, "application/json", false, true, false);
        check(header::ACCEPT, "", false, true, true);
        assert!(is_json_or_nothing(&HeaderMap::new(), true));
    }

    #[test]
    fn a_path_that_names_nothing_is_told_from_one_that_does() {
        for path in ["/connectors/a%2Fb", "/connectors/%C3%A9-%3E", "/", "/a%20b"] {
            assert_eq!(unsound(path), None, "{path}");
        }
        for path in ["/%", "/%2", "/%zz", "/a%00b", "/a%0Ab", "/%ff", "/%C3"] {
            assert!(unsound(path).is_some(), "{path}");
        }
    }
}

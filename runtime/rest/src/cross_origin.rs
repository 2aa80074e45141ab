//! Answers to browsers that ask from another site's pages.
//!
//! Not here: who may do what; a browser keeps to these headers, other clients do not.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use tombolo_java_regex::Pattern;
use tombolo_model::Settings;

use crate::config::ConfigError;

const ORIGIN: &str = "access.control.allow.origin";
const METHODS: &str = "access.control.allow.methods";

/// Methods where none are set, as in Jetty.
const DEFAULT_METHODS: &str = "GET,POST,HEAD";

/// Headers that pages of another site may set, as in Jetty.
const HEADERS: HeaderValue = HeaderValue::from_static("Content-Type");

/// Seconds for which a browser need not ask again, as in Jetty.
const MAX_AGE: HeaderValue = HeaderValue::from_static("60");

/// Which sites' pages may ask, and what.
///
/// Follows `CrossOriginHandler` of Jetty 12, as Kafka Connect uses it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct CrossOrigin(Arc<Allowed>);

#[derive(Debug)]
struct Allowed {
    /// None where every site may.
    origins: Option<Vec<Pattern>>,
    methods: HeaderValue,
}

impl CrossOrigin {
    /// Reads settings `access.control.allow.*`; none where no site is allowed.
    pub(crate) fn from_settings(settings: &Settings) -> Result<Option<Self>, ConfigError> {
        let Some(text) = settings.get(ORIGIN).filter(|text| !text.trim().is_empty()) else {
            return Ok(None);
        };
        let each: Vec<&str> =
            text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        let pattern = |origin: &&str| {
            Pattern::new(&format!("(?i){origin}"))
                .map_err(|error| ConfigError::new(ORIGIN, origin, error.to_string()))
        };
        let origins = match each.contains(&"*") {
            true => None,
            false => Some(each.iter().map(pattern).collect::<Result<_, _>>()?),
        };
        let methods = settings.get(METHODS).filter(|text| !text.trim().is_empty());
        let methods = methods.unwrap_or(DEFAULT_METHODS);
        let joined = methods.split(',').map(str::trim).collect::<Vec<_>>().join(",");
        let methods = HeaderValue::from_str(&joined)
            .map_err(|_| ConfigError::new(METHODS, methods, "expected names of methods"))?;
        Ok(Some(Self(Arc::new(Allowed { origins, methods }))))
    }

    /// Whether one of the origins that a browser names may ask.
    fn is_allowed(&self, named: &str) -> bool {
        let Some(allowed) = &self.0.origins else { return true };
        let mut each = named.split(' ').filter(|origin| !origin.is_empty());
        each.any(|origin| allowed.iter().any(|one| one.matches(origin).unwrap_or(false)))
    }

    fn add_to(&self, answer: &mut HeaderMap, origin: Option<&HeaderValue>, is_preflight: bool) {
        answer.append(header::VARY, HeaderValue::from_static("Origin"));
        let origin =
            origin.filter(|origin| origin.to_str().is_ok_and(|text| self.is_allowed(text)));
        let Some(origin) = origin else { return };
        answer.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        if is_preflight {
            answer.insert(header::ACCESS_CONTROL_ALLOW_METHODS, self.0.methods.clone());
            answer.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            answer.insert(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE);
        }
    }
}

/// Adds to every answer what a browser wants to know.
pub(crate) async fn allow(
    State(cross_origin): State<CrossOrigin>,
    request: Request,
    next: Next,
) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = next.run(request).await;
    cross_origin.add_to(response.headers_mut(), origin.as_ref(), is_preflight);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(settings: &[(&str, &str)], origin: &str, is_preflight: bool) -> Vec<String> {
        let settings = settings.iter().copied().collect();
        let cross_origin = CrossOrigin::from_settings(&settings).unwrap().unwrap();
        let mut answer = HeaderMap::new();
        cross_origin.add_to(&mut answer, Some(&origin.parse().unwrap()), is_preflight);
        let one = |(name, value): (&header::HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        answer.iter().map(one).collect()
    }

    #[test]
    fn sites_are_answered_as_by_kafka_connect() {
        let two = [("access.control.allow.origin", "http://a.example, https://.*\\.b.example")];
        let allowed = ["vary: Origin", "access-control-allow-origin: http://a.example"];
        assert_eq!(answered(&two, "http://a.example", false), allowed);
        assert_eq!(answered(&two, "HTTPS://x.b.example", false).len(), 2);
        assert_eq!(answered(&two, "http://a.example.evil", false), ["vary: Origin"]);
        let any =
            [("access.control.allow.origin", "*"), ("access.control.allow.methods", "GET, PUT")];
        assert_eq!(
            answered(&any, "http://evil.example", true),
            [
                "vary: Origin",
                "access-control-allow-origin: http://evil.example",
                "access-control-allow-methods: GET,PUT",
                "access-control-allow-headers: Content-Type",
                "access-control-max-age: 60",
            ]
        );
        let preflight = answered(&two, "http://a.example", true);
        assert!(preflight.contains(&"access-control-allow-methods: GET,POST,HEAD".to_owned()));
        assert!(CrossOrigin::from_settings(&Settings::default()).unwrap().is_none());
    }
}

//! Where a connector may connect to, and what the host adds for it.
//!
//! Not here: what the worker offers, which decides beside it.

use std::collections::BTreeSet;

use tombolo_model::egress::{
    self, ClientCertificate, Egress, HTTP_AUTH, HttpAuth, NET_ALLOW, Scheme, TLS_CLIENT,
};
use tombolo_model::{Password, Settings};

use super::ConfigError;
use super::read::{invalid, missing, wrong};

/// Headers that say how a message is sent: nothing to be set from outside.
const NOT_CREDENTIALS: [&str; 7] =
    ["connection", "content-length", "host", "te", "trailer", "transfer-encoding", "upgrade"];

/// Reads what a connector's configuration says of the network.
///
/// Errors: the first setting that cannot be used.
pub(crate) fn read(settings: &Settings) -> Result<Egress, ConfigError> {
    let allow = settings.get(NET_ALLOW).unwrap_or_default();
    let allow =
        egress::allowed(allow).map_err(|why| invalid(NET_ALLOW, allow, &why.to_string()))?;
    let auth = named(settings, HTTP_AUTH, &["origin", "header", "value"])?;
    let certificates = named(settings, TLS_CLIENT, &["certificate", "key"])?;
    let auth = auth.into_iter().map(|name| self::auth(settings, name));
    let certificates = certificates.into_iter().map(|name| certificate(settings, name));
    Ok(Egress {
        allow,
        auth: auth.collect::<Result<_, _>>()?,
        certificates: certificates.collect::<Result<_, _>>()?,
    })
}

/// The names below a prefix.
fn named(
    settings: &Settings,
    prefix: &str,
    known: &[&str],
) -> Result<BTreeSet<String>, ConfigError> {
    let mut names = BTreeSet::new();
    for (setting, _) in settings.iter() {
        let Some(rest) = setting.strip_prefix(prefix) else { continue };
        match rest.rsplit_once('.') {
            Some((name, last)) if known.contains(&last) && !name.is_empty() => {
                names.insert(name.to_owned());
            }
            _ => {
                let known = known.join(", ");
                let why = format!(
                    "Unknown configuration {setting}: below {prefix}NAME there are {known}"
                );
                return Err(wrong(setting, &why));
            }
        }
    }
    Ok(names)
}

fn required<'a>(settings: &'a Settings, setting: &str) -> Result<&'a str, ConfigError> {
    settings.get(setting).filter(|value| !value.trim().is_empty()).ok_or_else(|| missing(setting))
}

fn auth(settings: &Settings, name: String) -> Result<HttpAuth, ConfigError> {
    let of = |last: &str| format!("{HTTP_AUTH}{name}.{last}");
    let (origin_key, header_key, value_key) = (of("origin"), of("header"), of("value"));
    let origin = required(settings, &origin_key)?.trim();
    let read =
        egress::origin(origin).map_err(|why| invalid(&origin_key, origin, &why.to_string()))?;
    let (scheme, host, port) = read;
    if scheme == Scheme::Tcp {
        return Err(invalid(&origin_key, origin, "expected the scheme https, or http"));
    }
    let header = required(settings, &header_key)?.trim().to_ascii_lowercase();
    let is_token = header
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte));
    if !is_token || NOT_CREDENTIALS.contains(&header.as_str()) {
        return Err(invalid(&header_key, &header, "expected the name of a header for credentials"));
    }
    let value = required(settings, &value_key)?.trim();
    if value.chars().any(char::is_control) {
        return Err(invalid(
            &value_key,
            "[hidden]",
            "expected one line without control characters",
        ));
    }
    Ok(HttpAuth { name, scheme, host, port, header, value: Password::new(value) })
}

fn certificate(settings: &Settings, name: String) -> Result<ClientCertificate, ConfigError> {
    let of = |last: &str| format!("{TLS_CLIENT}{name}.{last}");
    let certificate = required(settings, &of("certificate"))?.to_owned();
    let key = Password::new(required(settings, &of("key"))?);
    Ok(ClientCertificate { name, certificate, key })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().copied().collect()
    }

    #[test]
    fn credentials_are_read_and_not_shown() {
        let egress = read(&settings(&[
            ("sandbox.net.allow", "https://api.example.com, tcp://db.example.com:5432"),
            ("sandbox.http.auth.api.origin", "https://api.example.com"),
            ("sandbox.http.auth.api.header", "Authorization"),
            ("sandbox.http.auth.api.value", "Bearer hunter2"),
            ("sandbox.tls.client.db.certificate", "a certificate"),
            ("sandbox.tls.client.db.key", "hunter3"),
        ]));
        let egress = egress.unwrap();
        assert_eq!(egress.allow.len(), 2);
        assert_eq!((egress.auth[0].header.as_str(), egress.auth[0].port), ("authorization", 443));
        assert_eq!(egress.certificates[0].name, "db");
        assert!(!format!("{egress:?}").contains("hunter"));
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let why = |pairs: &[(&str, &str)]| read(&settings(pairs)).unwrap_err().message;
        assert_eq!(
            why(&[("sandbox.net.allow", "https://*")]),
            "Invalid value https://* for configuration sandbox.net.allow: https://*:443: a connector names its hosts; * alone is for the worker's list"
        );
        assert_eq!(
            why(&[("sandbox.http.auth.a.origin", "https://a.example")]),
            "Missing required configuration \"sandbox.http.auth.a.header\" which has no default value."
        );
        assert_eq!(
            why(&[("sandbox.http.auth.a.token", "x")]),
            "Unknown configuration sandbox.http.auth.a.token: below sandbox.http.auth.NAME there are origin, header, value"
        );
        let auth = |origin: &str, header: &str, value: &str| {
            why(&[
                ("sandbox.http.auth.a.origin", origin),
                ("sandbox.http.auth.a.header", header),
                ("sandbox.http.auth.a.value", value),
            ])
        };
        assert!(auth("tcp://a:1", "x", "y").contains("expected the scheme https, or http"));
        assert!(auth("https://*.a.example", "x", "y").contains("expected one host and one port"));
        assert!(auth("https://a", "Host", "y").contains("expected the name of a header"));
        let hidden = auth("https://a", "x", "secret\r\nb: c");
        assert!(hidden.contains("[hidden]") && !hidden.contains("secret"), "{hidden}");
    }
}

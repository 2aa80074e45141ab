//! Settings of the HTTP server: where it listens, under which address others reach it, and what it adds to answers.
//!
//! Not here: doing it.

use tombolo_model::Settings;

use crate::address::{Address, Scheme, addresses};
use crate::cross_origin::CrossOrigin;
use crate::response_headers::ResponseHeaders;
use crate::tls::Tls;

/// Kafka Connect's default listener.
const LISTENERS: &str = "http://:8083";

const LISTENERS_SETTING: &str = "listeners";
const ADMIN_LISTENERS: &str = "admin.listeners";
const ADVERTISED_LISTENER: &str = "rest.advertised.listener";
const ADVERTISED_PORT: &str = "rest.advertised.port";

/// Settings of the HTTP server.
///
/// Follows `RestServerConfig` of Kafka Connect.
#[derive(Clone, Debug)]
pub struct RestConfig {
    /// Setting `listeners`: at least one.
    pub listeners: Vec<Address>,
    /// Setting `admin.listeners`.
    pub admin: AdminListeners,
    /// Setting `rest.advertised.listener`: how others speak to this worker.
    pub advertised_scheme: Scheme,
    /// Setting `rest.advertised.host.name`.
    pub advertised_host: Option<String>,
    /// Setting `rest.advertised.port`.
    pub advertised_port: Option<u16>,
    /// This machine's name, advertised where nothing else is known.
    pub host_name: String,
    /// Settings `listeners.https.ssl.*` or `ssl.*`; none without an HTTPS listener.
    pub(crate) tls: Option<Tls>,
    /// The same of `admin.listeners`.
    pub(crate) admin_tls: Option<Tls>,
    /// Settings `access.control.allow.*`; none without an origin.
    pub(crate) cross_origin: Option<CrossOrigin>,
    /// Setting `response.http.headers.config`.
    pub(crate) response_headers: ResponseHeaders,
}

/// Where `/admin` is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminListeners {
    /// Where everything else is: the setting is not given.
    Main,
    /// Nowhere: the setting is empty.
    Nowhere,
    /// At listeners of its own.
    Own(Vec<Address>),
}

/// A setting of the server that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value {value} for configuration {key}: {why}")]
pub struct ConfigError {
    /// The setting.
    pub key: String,
    /// Its value; never a secret.
    pub value: String,
    /// What was expected.
    pub why: String,
}

impl ConfigError {
    pub(crate) fn new(key: &str, value: &str, why: impl Into<String>) -> Self {
        Self { key: key.to_owned(), value: value.to_owned(), why: why.into() }
    }
}

/// Key and certificates of a server, as PEM.
#[derive(Clone)]
pub struct Identity {
    /// Its certificate and those that vouch for it, in order.
    pub certificates: String,
    /// Its key, not encrypted.
    pub key: tombolo_model::Password,
    /// Certificates of clients to trust, or of those who vouch for them.
    pub trusted: Option<String>,
}

/// Reads the stores that settings `ssl.*` name. Errors: the setting, and why it cannot be used.
pub type ReadIdentity<'a> = &'a dyn Fn(&Settings) -> Result<Identity, ConfigError>;

impl RestConfig {
    /// Reads the settings. `host_name` is this machine's.
    ///
    /// Errors: the first setting that cannot be used.
    pub fn from_settings(
        settings: &Settings,
        host_name: &str,
        identity: ReadIdentity<'_>,
    ) -> Result<Self, ConfigError> {
        let text = settings.get(LISTENERS_SETTING).filter(|text| !text.trim().is_empty());
        let listeners = addresses(LISTENERS_SETTING, text.unwrap_or(LISTENERS))?;
        let admin = match settings.get(ADMIN_LISTENERS) {
            None => AdminListeners::Main,
            Some(text) if text.trim().is_empty() => AdminListeners::Nowhere,
            Some(text) => AdminListeners::Own(addresses(ADMIN_LISTENERS, text)?),
        };
        let tls = |listeners: &[Address], prefix: &str| {
            let is_used = listeners.iter().any(|listener| listener.scheme == Scheme::Https);
            is_used.then(|| Tls::read(settings, prefix, identity)).transpose()
        };
        let own_admin = match &admin {
            AdminListeners::Own(listeners) => listeners.as_slice(),
            AdminListeners::Main | AdminListeners::Nowhere => &[],
        };
        Ok(Self {
            tls: tls(&listeners, "listeners.https.")?,
            admin_tls: tls(own_admin, "admin.listeners.https.")?,
            advertised_scheme: advertised_scheme(settings, &listeners)?,
            advertised_port: advertised_port(settings)?,
            advertised_host: text_of(settings, "rest.advertised.host.name"),
            host_name: host_name.to_owned(),
            cross_origin: CrossOrigin::from_settings(settings)?,
            response_headers: ResponseHeaders::from_settings(settings)?,
            listeners,
            admin,
        })
    }

    /// The address under which others know a worker whose advertised listener is at this host and port: `host:port`.
    pub(crate) fn advertised(&self, host: &str, port: u16) -> String {
        let unnamed = ["", "0.0.0.0", "::"].contains(&host);
        let host = match &self.advertised_host {
            Some(host) => host,
            None if unnamed => &self.host_name,
            None => host,
        };
        format!("{host}:{}", self.advertised_port.unwrap_or(port))
    }
}

/// How others speak to this worker: as the setting says, else without TLS where that is possible.
///
/// Follows `RestServer.determineAdvertisedProtocol`.
fn advertised_scheme(settings: &Settings, listeners: &[Address]) -> Result<Scheme, ConfigError> {
    let is_there = |scheme| listeners.iter().any(|listener| listener.scheme == scheme);
    let Some(text) = text_of(settings, ADVERTISED_LISTENER) else {
        return Ok(if is_there(Scheme::Http) { Scheme::Http } else { Scheme::Https });
    };
    let wrong = |why: &str| ConfigError::new(ADVERTISED_LISTENER, &text, why);
    match Scheme::from_name(&text) {
        None => Err(wrong("expected http or https")),
        Some(scheme) if is_there(scheme) => Ok(scheme),
        Some(_) => Err(wrong("there is no such listener in listeners")),
    }
}

fn advertised_port(settings: &Settings) -> Result<Option<u16>, ConfigError> {
    let text = text_of(settings, ADVERTISED_PORT);
    let parsed = text.as_deref().map(str::parse).transpose();
    let wrong = |_| {
        let text = text.as_deref().unwrap_or_default();
        ConfigError::new(ADVERTISED_PORT, text, "Not a port number")
    };
    parsed.map_err(wrong)
}

fn text_of(settings: &Settings, key: &str) -> Option<String> {
    settings.get(key).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<RestConfig, ConfigError> {
        let none = |_: &Settings| Err(ConfigError::new("ssl.keystore.location", "", "none"));
        RestConfig::from_settings(&settings.iter().copied().collect(), "machine", &none)
    }

    #[test]
    fn what_is_not_given_has_kafka_connects_default() {
        let config = read(&[]).unwrap();
        let address = Address { scheme: Scheme::Http, host: String::new(), port: 8083 };
        assert_eq!(config.listeners, [address]);
        assert_eq!(config.admin, AdminListeners::Main);
        assert_eq!(read(&[("admin.listeners", "")]).unwrap().admin, AdminListeners::Nowhere);
        let own = read(&[("admin.listeners", "http://:1")]).unwrap().admin;
        assert!(matches!(own, AdminListeners::Own(listeners) if listeners.len() == 1));
    }

    #[test]
    fn defaults_are_those_of_the_definitions() {
        let plain = format!("{:?}", read(&[]).unwrap());
        for key in crate::definitions() {
            let Some(default) = &key.default else { continue };
            let given = read(&[(key.name.as_ref(), default.as_ref())]).unwrap();
            assert_eq!(format!("{given:?}"), plain, "{}", key.name);
        }
    }

    #[test]
    fn the_advertised_address_is_the_first_that_is_known() {
        let plain = read(&[]).unwrap();
        assert_eq!(plain.advertised("", 8083), "machine:8083");
        assert_eq!(plain.advertised("127.0.0.1", 8083), "127.0.0.1:8083");
        let named =
            read(&[("rest.advertised.host.name", "a"), ("rest.advertised.port", "1")]).unwrap();
        assert_eq!(named.advertised("127.0.0.1", 8083), "a:1");
    }

    #[test]
    fn errors_name_the_setting() {
        let check = |key: &str, value: &str| {
            let error = read(&[(key, value)]).unwrap_err();
            assert_eq!(error.key, key, "{error}");
        };
        check("listeners", "ftp://:1");
        check("admin.listeners", "8083");
        check("rest.advertised.listener", "https");
        check("rest.advertised.listener", "tcp");
        check("rest.advertised.port", "many");
        check("access.control.allow.origin", "(");
        check("response.http.headers.config", "put X:y");
        assert_eq!(read(&[("listeners", "https://:1")]).unwrap_err().key, "ssl.keystore.location");
    }
}

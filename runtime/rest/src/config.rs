//! Where the API listens, and under which address others reach it.
//!
//! Not here: listening.

use tombolo_model::Settings;

/// Kafka Connect's default listener.
const LISTENERS: &str = "http://:8083";

/// Settings of the HTTP server.
///
/// Follows `RestServerConfig` of Kafka Connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestConfig {
    /// Setting `listeners`: hosts and ports, at least one. An empty host is every address.
    pub listeners: Vec<(String, u16)>,
    /// Setting `rest.advertised.host.name`.
    pub advertised_host: Option<String>,
    /// Setting `rest.advertised.port`.
    pub advertised_port: Option<u16>,
    /// This machine's name, advertised where nothing else is known.
    pub host_name: String,
}

/// A setting of the server that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value {value} for configuration {key}: {why}")]
pub struct ConfigError {
    /// The setting.
    pub key: &'static str,
    /// Its value.
    pub value: String,
    /// What was expected.
    pub why: String,
}

impl RestConfig {
    /// Reads the settings. `host_name` is this machine's.
    ///
    /// Errors: a listener that is not `http://host:port`; HTTPS is not there yet.
    pub fn from_settings(settings: &Settings, host_name: &str) -> Result<Self, ConfigError> {
        let text = settings.get("listeners").filter(|text| !text.trim().is_empty());
        let listeners = text
            .unwrap_or(LISTENERS)
            .split(',')
            .map(|url| listener(url.trim()))
            .collect::<Result<Vec<_>, _>>()?;
        let advertised_port = match settings.get("rest.advertised.port") {
            None => None,
            Some(text) => Some(text.trim().parse().map_err(|_| ConfigError {
                key: "rest.advertised.port",
                value: text.to_owned(),
                why: "Not a port number".to_owned(),
            })?),
        };
        let advertised_host = settings.get("rest.advertised.host.name").map(str::to_owned);
        let host_name = host_name.to_owned();
        Ok(Self { listeners, advertised_host, advertised_port, host_name })
    }

    /// The address under which others know a worker that listens at this port: `host:port`.
    pub fn advertised(&self, host: &str, port: u16) -> String {
        let unnamed = ["", "0.0.0.0", "::"].contains(&host);
        let host = match &self.advertised_host {
            Some(host) => host,
            None if unnamed => &self.host_name,
            None => host,
        };
        format!("{host}:{}", self.advertised_port.unwrap_or(port))
    }
}

fn listener(url: &str) -> Result<(String, u16), ConfigError> {
    let wrong =
        |why: &str| ConfigError { key: "listeners", value: url.to_owned(), why: why.to_owned() };
    let (scheme, rest) = url.split_once("://").ok_or_else(|| wrong("expected http://host:port"))?;
    match scheme.to_ascii_lowercase().as_str() {
        "http" => {}
        "https" => {
            return Err(wrong("HTTPS listeners are not supported yet; expected http://host:port"));
        }
        _ => return Err(wrong("expected http://host:port")),
    }
    let (host, port) =
        rest.rsplit_once(':').ok_or_else(|| wrong("expected a port after the host"))?;
    let port = port.parse().map_err(|_| wrong("expected a port between 0 and 65535"))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, &str)]) -> Result<RestConfig, ConfigError> {
        RestConfig::from_settings(&settings.iter().copied().collect(), "machine")
    }

    #[test]
    fn listeners_are_read_as_kafka_connect_reads_them() {
        let check = |text: &str, expected: &[(&str, u16)]| {
            let listeners = read(&[("listeners", text)]).unwrap().listeners;
            let listeners: Vec<_> =
                listeners.iter().map(|(host, port)| (host.as_str(), *port)).collect();
            assert_eq!(listeners, expected);
        };
        check("http://127.0.0.1:0", &[("127.0.0.1", 0)]);
        check("http://:8083, HTTP://[::1]:9", &[("", 8083), ("::1", 9)]);
        assert_eq!(read(&[]).unwrap().listeners, [(String::new(), 8083)]);
        for wrong in ["https://:1", "8083", "http://x", "http://x:y", "ftp://x:1"] {
            let error = read(&[("listeners", wrong)]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("Invalid value {wrong} for configuration listeners: ")),
                "{error}"
            );
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
}

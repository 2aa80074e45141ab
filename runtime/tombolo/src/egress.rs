//! What of the network connectors may be allowed, from the worker's settings.
//!
//! Not here: what one connector is allowed, and enforcing either.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context as _, anyhow, bail};
use openssl::x509::X509;
use tombolo_model::Settings;
use tombolo_model::egress::{
    Host, NET_ALLOW, NET_AUTHORITIES, NET_PRIVATE, Offered, destinations, openings,
};

/// For trying out: everything that is public or of one's own network. A connector still names what it wants.
const ALLOWED_FOR_TRYING_OUT: &str = "http://*:1-65535,https://*:1-65535,tcp://*:1-65535";

/// Loopback and private networks, for databases on one's own machine; not where clouds keep their metadata.
const OPEN_FOR_TRYING_OUT: &str = "127.0.0.0/8:1-65535,[::1/128]:1-65535,10.0.0.0/8:1-65535,\
     172.16.0.0/12:1-65535,192.168.0.0/16:1-65535";

/// Where the worker listens where nothing is given, as in Kafka Connect.
const LISTENERS: &str = "http://:8083";

/// What a worker's file offers.
///
/// Errors: an entry of `sandbox.net.allow` or `sandbox.net.private` that cannot be used.
pub(crate) fn offered(settings: &Settings) -> anyhow::Result<Offered> {
    read(settings, "", "")
}

/// What `tombolo dev` offers.
pub(crate) fn offered_for_trying_out(settings: &Settings) -> anyhow::Result<Offered> {
    read(settings, ALLOWED_FOR_TRYING_OUT, OPEN_FOR_TRYING_OUT)
}

fn read(settings: &Settings, allow: &str, private: &str) -> anyhow::Result<Offered> {
    let wrong = |setting: &str, value: &str, why: &dyn std::fmt::Display| {
        anyhow!("Invalid value {value} for configuration {setting}: {why}")
    };
    let allow = settings.get(NET_ALLOW).unwrap_or(allow);
    let private = settings.get(NET_PRIVATE).unwrap_or(private);
    Ok(Offered {
        allow: destinations(allow).map_err(|why| wrong(NET_ALLOW, allow, &why))?,
        private: openings(private).map_err(|why| wrong(NET_PRIVATE, private, &why))?,
        own: own(settings),
        authorities: authorities(settings)?,
    })
}

/// The file of `sandbox.net.authorities.location`.
fn authorities(settings: &Settings) -> anyhow::Result<String> {
    let Some(path) = settings.get(NET_AUTHORITIES).filter(|path| !path.trim().is_empty()) else {
        return Ok(String::new());
    };
    let wrong =
        |why: &str| format!("Invalid value {path} for configuration {NET_AUTHORITIES}: {why}");
    let text =
        std::fs::read_to_string(path.trim()).with_context(|| wrong("the file cannot be read"))?;
    match X509::stack_from_pem(text.as_bytes()) {
        Ok(found) if !found.is_empty() => Ok(text),
        _ => bail!("{}", wrong("expected certificates as PEM")),
    }
}

/// The worker's listeners, at whatever address of this machine, and Kafka's brokers.
fn own(settings: &Settings) -> Vec<(Host, u16)> {
    let here = Host::Address(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let main = settings.get("listeners").filter(|text| !text.trim().is_empty());
    let admin = settings.get("admin.listeners").unwrap_or_default();
    let mut own: Vec<_> = [main.unwrap_or(LISTENERS), admin]
        .into_iter()
        .flat_map(|text| text.split(','))
        .filter_map(|listener| Some((here.clone(), port_of(listener)?)))
        .collect();
    for broker in settings.get("bootstrap.servers").unwrap_or_default().split(',') {
        let broker = broker.trim();
        let broker = broker.split_once("://").map_or(broker, |(_, rest)| rest);
        if let Ok((host, Some(port))) = Host::parse_authority(broker) {
            own.push((host, port));
        }
    }
    own
}

fn port_of(listener: &str) -> Option<u16> {
    listener.trim().trim_end_matches('/').rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_offered_but_what_the_file_says() {
        let read = |pairs: &[(&str, &str)]| offered(&pairs.iter().copied().collect());
        let nothing = read(&[]).unwrap();
        assert!(nothing.allow.is_empty() && nothing.private.is_empty());
        let some = read(&[
            ("sandbox.net.allow", "https://*"),
            ("sandbox.net.private", "127.0.0.1:5432"),
            ("listeners", "http://0.0.0.0:8084, https://localhost:8443"),
            ("bootstrap.servers", "kafka-1:9092,PLAINTEXT://10.0.0.1:9093"),
        ]);
        let some = some.unwrap();
        assert_eq!((some.allow.len(), some.private.len()), (1, 1));
        let own: Vec<_> = some.own.iter().map(|(host, port)| format!("{host}:{port}")).collect();
        assert_eq!(own, ["0.0.0.0:8084", "0.0.0.0:8443", "kafka-1:9092", "10.0.0.1:9093"]);
        for (setting, value) in [("sandbox.net.allow", "a"), ("sandbox.net.private", "*:1")] {
            let error = read(&[(setting, value)]).unwrap_err().to_string();
            let start = format!("Invalid value {value} for configuration {setting}: {value}: ");
            assert!(error.starts_with(&start), "{error}");
        }
    }

    #[test]
    fn trying_out_offers_ones_own_network() {
        let offered = offered_for_trying_out(&Settings::default()).unwrap();
        assert_eq!((offered.allow.len(), offered.private.len()), (3, 5));
        assert!(offered.own.iter().any(|(_, port)| *port == 8083));
    }
}

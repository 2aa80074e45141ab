//! What connectors may reach over the network, as settings say it: destinations, opened private places, credentials.
//!
//! Not here: enforcing it (the sandbox does), and looking names up.

use std::fmt;
use std::ops::RangeInclusive;

use crate::settings::Password;

mod host;
mod read;

pub use host::{BadHost, Host, Pattern};
pub use read::{BadEntry, allowed, destinations, openings, origin};

/// Setting of connectors, and of the worker's file as its ceiling, for where to.
pub const NET_ALLOW: &str = "sandbox.net.allow";
/// Setting of the worker's file for what is open although it is private.
pub const NET_PRIVATE: &str = "sandbox.net.private";
/// Setting of the worker's file for a file of authorities, as PEM.
pub const NET_AUTHORITIES: &str = "sandbox.net.authorities.location";
/// Prefix of a connector's settings for credentials that the host adds to requests: `sandbox.http.auth.NAME.origin`, `.header`, `.value`.
pub const HTTP_AUTH: &str = "sandbox.http.auth.";
/// Prefix of a connector's settings for certificates that the host shows: `sandbox.tls.client.NAME.certificate`, `.key`.
pub const TLS_CLIENT: &str = "sandbox.tls.client.";

/// Whether a setting is for the host alone: no plugin gets it.
pub fn is_for_the_host_alone(setting: &str) -> bool {
    setting.starts_with(HTTP_AUTH) || setting.starts_with(TLS_CLIENT)
}

/// How to speak to a destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scheme {
    /// HTTP without encryption.
    Http,
    /// HTTP over TLS.
    Https,
    /// A connection of the plugin's own protocol, with TLS or without.
    Tcp,
}

impl Scheme {
    /// The name in settings.
    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
        }
    }

    /// The port where none is given.
    pub fn default_port(self) -> Option<u16> {
        match self {
            Self::Http => Some(80),
            Self::Https => Some(443),
            Self::Tcp => None,
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        [Self::Http, Self::Https, Self::Tcp].into_iter().find(|scheme| scheme.name() == name)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where a connector may connect to: an entry of [`NET_ALLOW`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// How.
    pub scheme: Scheme,
    /// Which hosts.
    pub host: Pattern,
    /// Which ports; never port 0.
    pub ports: RangeInclusive<u16>,
}

impl Destination {
    /// Whether it is this one.
    pub fn has(&self, scheme: Scheme, host: &Host, port: u16) -> bool {
        self.scheme == scheme && self.ports.contains(&port) && self.host.matches(host)
    }

    /// Whether all that `other` has is among what this has.
    pub fn covers(&self, other: &Self) -> bool {
        self.scheme == other.scheme
            && self.ports.start() <= other.ports.start()
            && self.ports.end() >= other.ports.end()
            && self.host.covers(&other.host)
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme, self.host)?;
        write_ports(f, &self.ports)
    }
}

/// A private place that the operator opens: an entry of [`NET_PRIVATE`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Addresses, or one name, whatever it leads to.
    pub host: Pattern,
    /// Which ports; never port 0.
    pub ports: RangeInclusive<u16>,
}

impl Opening {
    /// Whether it names one port, and one host rather than a network: alone that opens what belongs to the worker itself.
    pub fn is_exact(&self) -> bool {
        self.ports.start() == self.ports.end() && self.host.is_exact()
    }
}

impl fmt::Display for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.host)?;
        write_ports(f, &self.ports)
    }
}

fn write_ports(f: &mut fmt::Formatter<'_>, ports: &RangeInclusive<u16>) -> fmt::Result {
    match (ports.start(), ports.end()) {
        (from, to) if from == to => write!(f, ":{from}"),
        (from, to) => write!(f, ":{from}-{to}"),
    }
}

/// What the operator opens to all connectors together, and what nobody may reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offered {
    /// Where connectors may be allowed to connect to at all. Setting [`NET_ALLOW`] of the worker's file.
    pub allow: Vec<Destination>,
    /// Private places that are open all the same. Setting [`NET_PRIVATE`].
    pub private: Vec<Opening>,
    /// What belongs to the worker, and is open only where an exact opening names it: its own listeners, and Kafka's brokers.
    pub own: Vec<(Host, u16)>,
    /// Authorities that are trusted in TLS beside the system's, as PEM; may be empty. From the file of setting [`NET_AUTHORITIES`].
    pub authorities: String,
}

/// What one connector is allowed, and what the host does for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Egress {
    /// Where it may connect to, as far as the operator offers it. Setting [`NET_ALLOW`].
    pub allow: Vec<Destination>,
    /// Credentials that the host adds. Settings below [`HTTP_AUTH`].
    pub auth: Vec<HttpAuth>,
    /// Certificates that the host shows. Settings below [`TLS_CLIENT`].
    pub certificates: Vec<ClientCertificate>,
}

/// A header that the host adds to the requests to one origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAuth {
    /// Its name in the settings.
    pub name: String,
    /// Of the origin: `https`, or `http` at a place that the operator opened.
    pub scheme: Scheme,
    /// Of the origin.
    pub host: Host,
    /// Of the origin.
    pub port: u16,
    /// The header, in lower case.
    pub header: String,
    /// What it says.
    pub value: Password,
}

/// A certificate that a connector shows in TLS, with its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Its name in the settings.
    pub name: String,
    /// The certificate, and those between it and its authority, as PEM.
    pub certificate: String,
    /// Its key, as PEM.
    pub key: Password,
}

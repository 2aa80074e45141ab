//! Whether to speak TLS, and whom to believe. Not here: speaking it, which the host does.

use tombolo_sdk::network::{TlsOptions, Verification};
use tombolo_sdk::settings::{ConfigError, Settings};

use super::keys::{SSL_CERT, SSL_MODE, SSL_ROOT_CERT, URL};
use crate::url::Url;

/// How to speak TLS.
#[derive(Debug)]
pub(crate) struct Tls {
    pub(crate) mode: TlsMode,
    /// As PEM.
    authorities: Option<String>,
    client_certificate: Option<String>,
}

/// `sslmode`, as PostgreSQL has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TlsMode {
    Disable,
    /// TLS where the server has it.
    Prefer,
    Require,
    VerifyAuthority,
    VerifyFull,
}

impl TlsMode {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Disable => "disable",
            Self::Prefer => "prefer",
            Self::Require => "require",
            Self::VerifyAuthority => "verify-ca",
            Self::VerifyFull => "verify-full",
        }
    }

    fn of(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "disable" => Self::Disable,
            "allow" | "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyAuthority,
            "verify-full" => Self::VerifyFull,
            _ => return None,
        })
    }
}

impl Tls {
    pub(super) fn read(settings: &Settings, url: &Url) -> Result<Self, ConfigError> {
        let set = SSL_MODE.get(settings)?;
        // As in JDBC's driver, `ssl` alone asks for all that there is.
        let implied = match url.parameter("ssl") {
            Some(value) if value.is_empty() || value.eq_ignore_ascii_case("true") => "verify-full",
            _ => "prefer",
        };
        let name = set.as_deref().or_else(|| url.parameter("sslmode")).unwrap_or(implied);
        let mode = TlsMode::of(name).ok_or_else(|| {
            let why = format!("The parameter sslmode is {name}: expected disable, allow, prefer, require, verify-ca or verify-full");
            ConfigError::invalid(URL.name(), "[hidden]", why)
        })?;
        let authorities = SSL_ROOT_CERT.get(settings)?.filter(|text| !text.is_empty());
        if authorities.as_ref().is_some_and(|text| !text.contains("-----BEGIN")) {
            let why =
                "Expected certificates as PEM; a file's content comes by ${directory:/path:file}";
            return Err(ConfigError::invalid(SSL_ROOT_CERT.name(), "what is given", why));
        }
        let client_certificate = SSL_CERT.get(settings)?;
        Ok(Self { mode, authorities, client_certificate })
    }

    /// What the host is to do. As in PostgreSQL's own clients, `require` with authorities is `verify-ca`.
    pub(crate) fn options(&self) -> TlsOptions {
        let verification = match self.mode {
            TlsMode::VerifyFull => Verification::Full,
            TlsMode::VerifyAuthority => Verification::Authority,
            TlsMode::Require if self.authorities.is_some() => Verification::Authority,
            TlsMode::Require | TlsMode::Prefer | TlsMode::Disable => Verification::None,
        };
        TlsOptions {
            server_name: None,
            verification,
            authorities: self.authorities.clone(),
            client_certificate: self.client_certificate.clone(),
            protocols: vec!["postgresql".to_owned()],
        }
    }
}

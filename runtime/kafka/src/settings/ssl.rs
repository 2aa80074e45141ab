//! TLS: key and trust stores in PEM and PKCS12, in files and in settings.
//!
//! Not here: logins (`sasl`), and the formats of stores (`store_file`).

use super::store_file::{Kind, StoreFile, normalized_pem, trusted_certificates};
use super::{RefusedSetting, Translation, refused};

/// What to do with a JKS store of certificates.
pub(super) const JKS_TRUST: &str = "it is a JKS store; convert it by `keytool -list -rfc -keystore {path} > truststore.pem`, name that file and set ssl.truststore.type=PEM";

/// What to do with a JKS store of keys.
pub(super) const JKS_KEYS: &str = "it is a JKS store; convert it by `keytool -importkeystore -srckeystore {path} -destkeystore keystore.p12 -deststoretype PKCS12` \
     and `openssl pkcs12 -in keystore.p12 -out keystore.pem`, name that file and set ssl.keystore.type=PEM";

/// Translates what concerns TLS, where the protocol has it.
pub(super) fn translate(to: &mut Translation<'_>) -> Result<(), RefusedSetting> {
    let used = to.properties.get("security.protocol").is_some_and(|name| name.ends_with("ssl"));
    if !used {
        return Ok(());
    }
    // Java checks names unless the setting is empty.
    let names = to.java.get("ssl.endpoint.identification.algorithm").map_or("https", str::trim);
    let names = if names.is_empty() { "none" } else { names };
    to.set("ssl.endpoint.identification.algorithm", names.to_ascii_lowercase());
    protocols(to)?;
    ciphers(to)?;
    trust(to)?;
    identity(to)
}

/// librdkafka negotiates TLS 1.2 or 1.3.
fn protocols(to: &mut Translation<'_>) -> Result<(), RefusedSetting> {
    let name = "ssl.enabled.protocols";
    if let Some(enabled) = to.java.get(name) {
        let enabled: Vec<&str> =
            enabled.split(',').map(str::trim).filter(|one| !one.is_empty()).collect();
        if !enabled.is_empty() && !enabled.contains(&"TLSv1.2") {
            return Err(refused(
                name,
                "TLS 1.2 and 1.3 are negotiated, and 1.2 cannot be forbidden",
            ));
        }
        if enabled.iter().any(|one| !matches!(*one, "TLSv1.2" | "TLSv1.3")) {
            to.warn(name, "only TLS 1.2 and 1.3 are negotiated");
        }
    }
    if to.java.contains("ssl.protocol") {
        to.warn("ssl.protocol", "TLS 1.2 and 1.3 are negotiated");
    }
    Ok(())
}

/// Java's names of cipher suites, which are those of the standard, in OpenSSL's.
fn ciphers(to: &mut Translation<'_>) -> Result<(), RefusedSetting> {
    let name = "ssl.cipher.suites";
    let Some(suites) = to.java.get(name) else { return Ok(()) };
    let mut ours = Vec::new();
    for suite in suites.split(',').map(str::trim).filter(|suite| !suite.is_empty()) {
        match openssl::ssl::cipher_name(suite) {
            "(NONE)" => return Err(refused(name, format!("OpenSSL does not know {suite}"))),
            // Suites of TLS 1.3 have the same name in both, and cannot be chosen.
            same if same == suite => {
                return Err(refused(
                    name,
                    format!("{suite} belongs to TLS 1.3, whose suites cannot be chosen"),
                ));
            }
            other => ours.push(other),
        }
    }
    if !ours.is_empty() {
        to.set(name, ours.join(":"));
    }
    Ok(())
}

/// Whom to trust.
fn trust(to: &mut Translation<'_>) -> Result<(), RefusedSetting> {
    let (inline, location) = ("ssl.truststore.certificates", "ssl.truststore.location");
    if let Some(certificates) = to.java.get(inline) {
        let pem = normalized_pem(certificates).map_err(|reason| refused(inline, reason))?;
        to.set("ssl.ca.pem", pem);
        return Ok(());
    }
    let Some(path) = to.java.get(location).map(str::trim) else { return Ok(()) };
    let file = StoreFile::read(path).map_err(|reason| refused(location, reason))?;
    match file.kind {
        Kind::Pem => to.set("ssl.ca.location", path),
        Kind::Pkcs12 => {
            let password = to.java.get("ssl.truststore.password").unwrap_or_default();
            let certificates = trusted_certificates(&file, password);
            to.set("ssl.ca.pem", certificates.map_err(|reason| refused(location, reason))?);
        }
        Kind::Jks => {
            let reason = JKS_TRUST.replace("{path}", path);
            return Err(refused(location, reason));
        }
    }
    Ok(())
}

/// Who we are.
fn identity(to: &mut Translation<'_>) -> Result<(), RefusedSetting> {
    let (inline, chain, location) =
        ("ssl.keystore.key", "ssl.keystore.certificate.chain", "ssl.keystore.location");
    let key_password = to.java.get("ssl.key.password").map(str::to_owned);
    if let Some(key) = to.java.get(inline) {
        let key = normalized_pem(key).map_err(|reason| refused(inline, reason))?;
        let certificates = to.java.get(chain).ok_or_else(|| refused(chain, "it is missing"))?;
        let certificates = normalized_pem(certificates).map_err(|reason| refused(chain, reason))?;
        to.set("ssl.key.pem", key);
        to.set("ssl.certificate.pem", certificates);
    } else if let Some(path) = to.java.get(location).map(str::trim) {
        let file = StoreFile::read(path).map_err(|reason| refused(location, reason))?;
        match file.kind {
            Kind::Pem => {
                to.set("ssl.key.location", path);
                to.set("ssl.certificate.location", path);
            }
            Kind::Pkcs12 => {
                to.set("ssl.keystore.location", path);
                to.set(
                    "ssl.keystore.password",
                    to.java.get("ssl.keystore.password").unwrap_or_default(),
                );
            }
            Kind::Jks => {
                let reason = JKS_KEYS.replace("{path}", path);
                return Err(refused(location, reason));
            }
        }
    }
    if let Some(password) = key_password {
        to.set("ssl.key.password", password);
    }
    Ok(())
}

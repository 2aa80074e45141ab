//! Key and trust stores of a server of our own, as PEM: the stores that Kafka's clients read, for HTTPS.
//!
//! Not here: serving.

use openssl::error::ErrorStack;
use openssl::pkcs12::Pkcs12;
use openssl::pkey::PKey;
use tombolo_model::{Password, Settings};

use super::ssl::{JKS_KEYS, JKS_TRUST};
use super::store_file::{Kind, StoreFile, normalized_pem, trusted_certificates};
use super::{RefusedSetting, refused};

/// Key and certificates of a server, and whom it trusts, as PEM.
#[derive(Clone)]
pub struct ServerStores {
    /// Its certificate and those that vouch for it, in order.
    pub certificates: String,
    /// Its key, not encrypted.
    pub key: Password,
    /// Certificates of clients to trust, or of those who vouch for them; none without a trust store.
    pub trusted: Option<String>,
}

const KEY_STORE: &str = "ssl.keystore.location";
const KEY: &str = "ssl.keystore.key";
const CHAIN: &str = "ssl.keystore.certificate.chain";
const KEY_PASSWORD: &str = "ssl.key.password";
const TRUST_STORE: &str = "ssl.truststore.location";
const TRUSTED: &str = "ssl.truststore.certificates";

impl ServerStores {
    /// Reads the stores that settings `ssl.keystore.*` and `ssl.truststore.*` name, in PEM or PKCS12.
    ///
    /// Errors: the setting, and why it cannot be used; JKS stores with the command that converts them. Never a secret.
    pub fn read(ssl: &Settings) -> Result<Self, RefusedSetting> {
        let (certificates, key) = identity(ssl)?;
        Ok(Self { certificates, key, trusted: trusted(ssl)? })
    }
}

fn identity(ssl: &Settings) -> Result<(String, Password), RefusedSetting> {
    let password = ssl.get(KEY_PASSWORD).unwrap_or_default();
    if let Some(key) = ssl.get(KEY) {
        let chain = ssl.get(CHAIN).ok_or_else(|| refused(CHAIN, "it is missing"))?;
        let certificates = normalized_pem(chain).map_err(|reason| refused(CHAIN, reason))?;
        let key = normalized_pem(key).map_err(|reason| refused(KEY, reason))?;
        return Ok((certificates, plain_key(&key, password).map_err(|why| refused(KEY, why))?));
    }
    let path = ssl.get(KEY_STORE).map(str::trim).filter(|path| !path.is_empty());
    let path = path.ok_or_else(|| refused(KEY_STORE, "it is missing, and HTTPS needs a key"))?;
    let wrong = |reason| refused(KEY_STORE, reason);
    let file = StoreFile::read(path).map_err(wrong)?;
    match file.kind {
        Kind::Pem => {
            let text = String::from_utf8_lossy(file.bytes());
            let pem = normalized_pem(&text).map_err(|reason| refused(KEY_STORE, reason))?;
            let key = plain_key(&pem, password).map_err(wrong)?;
            Ok((pem, key))
        }
        Kind::Pkcs12 => {
            let store = ssl.get("ssl.keystore.password").unwrap_or_default();
            pkcs12(file.bytes(), store)
                .map_err(|error| wrong(format!("the PKCS12 store cannot be read: {error}")))?
                .ok_or_else(|| wrong("the PKCS12 store holds no key with a certificate".to_owned()))
        }
        Kind::Jks => Err(wrong(JKS_KEYS.replace("{path}", path))),
    }
}

/// A key without its encryption, from PEM that may hold certificates too.
fn plain_key(pem: &str, password: &str) -> Result<Password, String> {
    let key = PKey::private_key_from_pem_passphrase(pem.as_bytes(), password.as_bytes());
    let plain = key.and_then(|key| key.private_key_to_pem_pkcs8());
    let plain =
        plain.map_err(|_| format!("there is no key in PEM that opens with {KEY_PASSWORD}"))?;
    String::from_utf8(plain).map(Password::new).map_err(|_| "the key is not text".to_owned())
}

fn pkcs12(bytes: &[u8], password: &str) -> Result<Option<(String, Password)>, ErrorStack> {
    let store = Pkcs12::from_der(bytes)?.parse2(password)?;
    let (Some(own), Some(key)) = (store.cert, store.pkey) else { return Ok(None) };
    let mut chain = own.to_pem()?;
    for vouching in store.ca.iter().flatten() {
        chain.extend(vouching.to_pem()?);
    }
    let key = key.private_key_to_pem_pkcs8()?;
    let text = |pem: Vec<u8>| String::from_utf8_lossy(&pem).into_owned();
    Ok(Some((text(chain), Password::new(text(key)))))
}

fn trusted(ssl: &Settings) -> Result<Option<String>, RefusedSetting> {
    if let Some(certificates) = ssl.get(TRUSTED) {
        let pem = normalized_pem(certificates).map_err(|reason| refused(TRUSTED, reason))?;
        return Ok(Some(pem));
    }
    let path = ssl.get(TRUST_STORE).map(str::trim).filter(|path| !path.is_empty());
    let Some(path) = path else { return Ok(None) };
    let wrong = |reason| refused(TRUST_STORE, reason);
    let file = StoreFile::read(path).map_err(wrong)?;
    match file.kind {
        Kind::Pem => {
            let text = String::from_utf8_lossy(file.bytes());
            normalized_pem(&text).map(Some).map_err(|reason| refused(TRUST_STORE, reason))
        }
        Kind::Pkcs12 => {
            let password = ssl.get("ssl.truststore.password").unwrap_or_default();
            trusted_certificates(&file, password).map(Some).map_err(wrong)
        }
        Kind::Jks => Err(wrong(JKS_TRUST.replace("{path}", path))),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn write(folder: &Path, name: &str, bytes: &[u8]) -> String {
        let path = folder.join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }

    /// A key with a certificate that it signed itself.
    fn made() -> (PKey<openssl::pkey::Private>, openssl::x509::X509) {
        use openssl::asn1::Asn1Time;
        use openssl::ec::{EcGroup, EcKey};
        use openssl::hash::MessageDigest;
        use openssl::nid::Nid;
        let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
        let key = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
        let mut builder = openssl::x509::X509::builder().unwrap();
        builder.set_pubkey(&key).unwrap();
        builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
        builder.set_not_after(&Asn1Time::days_from_now(1).unwrap()).unwrap();
        builder.sign(&key, MessageDigest::sha256()).unwrap();
        (key, builder.build())
    }

    #[test]
    fn stores_are_read_in_pem_and_pkcs12_and_from_settings() {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = made();
        let plain = String::from_utf8(key.private_key_to_pem_pkcs8().unwrap()).unwrap();
        let cipher = openssl::symm::Cipher::aes_128_cbc();
        let locked = key.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").unwrap();
        let chain = String::from_utf8(certificate.to_pem().unwrap()).unwrap();
        let mut builder = Pkcs12::builder();
        builder.name("own").pkey(&key).cert(&certificate);
        let store = builder.build2("secret").unwrap().to_der().unwrap();
        let locked_text = String::from_utf8(locked).unwrap();
        let pem = write(folder.path(), "own.pem", format!("{locked_text}{chain}").as_bytes());
        let p12 = write(folder.path(), "own.p12", &store);
        let inline = plain.replace('\n', " ");
        let check = |settings: &[(&str, &str)]| {
            let stores = ServerStores::read(&settings.iter().copied().collect()).unwrap();
            assert_eq!(stores.key.reveal(), plain);
            assert!(stores.certificates.contains(chain.trim()));
            stores
        };
        check(&[(KEY_STORE, &pem), (KEY_PASSWORD, "secret")]);
        check(&[(KEY_STORE, &p12), ("ssl.keystore.password", "secret")]);
        let stores = check(&[(KEY, &inline), (CHAIN, &chain), (TRUST_STORE, &pem)]);
        assert!(stores.trusted.unwrap().contains(chain.trim()));
    }

    #[test]
    fn a_store_that_cannot_be_used_is_named_and_no_secret_told() {
        let folder = tempfile::tempdir().unwrap();
        let (key, certificate) = made();
        let mut builder = Pkcs12::builder();
        builder.pkey(&key).cert(&certificate);
        let store = builder.build2("right").unwrap().to_der().unwrap();
        let p12 = write(folder.path(), "own.p12", &store);
        let jks = write(folder.path(), "own.jks", &[0xfe, 0xed, 0xfe, 0xed, 0, 0]);
        let check = |settings: &[(&str, &str)], name: &str, part: &str| {
            let error = ServerStores::read(&settings.iter().copied().collect()).err().unwrap();
            assert_eq!(error.name, name);
            assert!(error.reason.contains(part), "{error}");
            assert!(!error.reason.contains("wrong-secret"), "{error}");
        };
        check(&[], KEY_STORE, "missing");
        check(&[(KEY_STORE, &jks)], KEY_STORE, "keytool");
        check(&[(KEY_STORE, &p12), ("ssl.keystore.password", "wrong-secret")], KEY_STORE, "PKCS12");
        check(&[(KEY, "x"), (CHAIN, "y")], CHAIN, "not PEM");
    }
}

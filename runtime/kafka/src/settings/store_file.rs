//! Files with keys and certificates: which format they have, and PKCS12 and loosely written PEM in a form that OpenSSL reads.
//!
//! Not here: what they are for.

use openssl::pkcs12::Pkcs12;

/// The format of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Text.
    Pem,
    /// The standard's binary one.
    Pkcs12,
    /// Java's own binary ones.
    Jks,
}

/// A store that was read.
pub(super) struct StoreFile {
    pub(super) kind: Kind,
    bytes: Vec<u8>,
}

/// Largest store that is read: a system's whole trust store has half a megabyte.
const STORE_BYTES_MAX: u64 = 16 << 20;

impl StoreFile {
    /// Reads a store, and finds its format by its first bytes, whatever the settings call it: Java reads PKCS12 from what it calls JKS too.
    pub(super) fn read(path: &str) -> Result<StoreFile, String> {
        let size = std::fs::metadata(path).map_err(|err| format!("{path}: {err}"))?.len();
        if size > STORE_BYTES_MAX {
            return Err(format!(
                "{path} has {size} bytes; no store has more than {STORE_BYTES_MAX}"
            ));
        }
        let bytes = std::fs::read(path).map_err(|err| format!("{path}: {err}"))?;
        let kind = match bytes.get(..4) {
            // The magic numbers of JKS and JCEKS.
            Some([0xfe, 0xed, 0xfe, 0xed] | [0xce, 0xce, 0xce, 0xce]) => Kind::Jks,
            Some([0x30, ..]) => Kind::Pkcs12,
            _ if bytes.windows(BEGIN.len()).any(|part| part == BEGIN.as_bytes()) => Kind::Pem,
            _ => return Err(format!("{path} is neither PEM nor PKCS12")),
        };
        Ok(StoreFile { kind, bytes })
    }

    /// What stands in it.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The certificates of a PKCS12 trust store, as PEM.
pub(super) fn trusted_certificates(store: &StoreFile, password: &str) -> Result<String, String> {
    let wrong = |err: openssl::error::ErrorStack| format!("the PKCS12 store cannot be read: {err}");
    let parsed =
        Pkcs12::from_der(&store.bytes).and_then(|store| store.parse2(password)).map_err(wrong)?;
    let mut pem = Vec::new();
    for own in parsed.cert.iter() {
        pem.extend(own.to_pem().map_err(wrong)?);
    }
    for trusted in parsed.ca.iter().flatten() {
        pem.extend(trusted.to_pem().map_err(wrong)?);
    }
    if pem.is_empty() {
        return Err("the PKCS12 store holds no certificates".to_owned());
    }
    String::from_utf8(pem).map_err(|_| "the PKCS12 store cannot be written as PEM".to_owned())
}

const BEGIN: &str = "-----BEGIN ";
const DASHES: &str = "-----";
/// Characters in a line of PEM.
const LINE: usize = 64;

/// PEM as OpenSSL wants it, each block with lines of its own: Java takes blocks that a properties file has run together into one line.
///
/// Errors never tell what stands in it.
pub(super) fn normalized_pem(text: &str) -> Result<String, &'static str> {
    let mut pem = String::new();
    let mut rest = text;
    while let Some((_, block)) = rest.split_once(BEGIN) {
        let (label, body) =
            block.split_once(DASHES).ok_or("a PEM block does not begin properly")?;
        let end = format!("-----END {label}-----");
        let (body, after) = body.split_once(end.as_str()).ok_or("a PEM block does not end")?;
        if body.contains(':') {
            return Err("keys in PEM must be PKCS8, encrypted or not, as Java wants them");
        }
        pem.push_str(&format!("{BEGIN}{label}{DASHES}\n"));
        let body: Vec<char> = body.chars().filter(|c| !c.is_whitespace()).collect();
        for line in body.chunks(LINE) {
            pem.extend(line);
            pem.push('\n');
        }
        pem.push_str(&end);
        pem.push('\n');
        rest = after;
    }
    if pem.is_empty() { Err("it is not PEM") } else { Ok(pem) }
}

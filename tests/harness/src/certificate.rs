//! Certificates for servers of tests, of an authority made for the purpose.
//!
//! Not here: who trusts them.

use anyhow::Result;
use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509Name, X509NameBuilder};

/// A server's key and certificate, and the authority's certificate, all as PEM.
#[derive(Debug)]
pub struct Certified {
    /// Whom a client has to trust.
    pub authority: String,
    /// For `localhost` and `127.0.0.1`.
    pub certificate: String,
    /// The server's key.
    pub key: String,
}

/// A certificate for the loopback address that is good for a day, of an authority that signs no other.
pub fn for_loopback() -> Result<Certified> {
    let (authority_key, key) = (new_key()?, new_key()?);
    let (authority, server) = (name("tombolo tests")?, name("localhost")?);

    let mut builder = certificate(&authority, &authority, &authority_key)?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    builder.sign(&authority_key, MessageDigest::sha256())?;
    let authority_certificate = builder.build();

    let mut builder = certificate(&server, &authority, &key)?;
    let context = builder.x509v3_context(Some(&authority_certificate), None);
    let names = SubjectAlternativeName::new().dns("localhost").ip("127.0.0.1").build(&context)?;
    builder.append_extension(names)?;
    builder.sign(&authority_key, MessageDigest::sha256())?;
    Ok(Certified {
        authority: String::from_utf8(authority_certificate.to_pem()?)?,
        certificate: String::from_utf8(builder.build().to_pem()?)?,
        key: String::from_utf8(key.private_key_to_pem_pkcs8()?)?,
    })
}

fn new_key() -> Result<PKey<Private>> {
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1)?;
    Ok(PKey::from_ec_key(EcKey::generate(&group)?)?)
}

fn name(of: &str) -> Result<X509Name> {
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_nid(Nid::COMMONNAME, of)?;
    Ok(name.build())
}

/// A certificate without extensions and without a signature.
fn certificate(of: &X509Name, by: &X509Name, key: &PKey<Private>) -> Result<X509Builder> {
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    let mut serial = BigNum::new()?;
    serial.rand(64, openssl::bn::MsbOption::MAYBE_ZERO, false)?;
    builder.set_serial_number(&*serial.to_asn1_integer()?)?;
    builder.set_subject_name(of)?;
    builder.set_issuer_name(by)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(&*Asn1Time::days_from_now(0)?)?;
    builder.set_not_after(&*Asn1Time::days_from_now(1)?)?;
    Ok(builder)
}

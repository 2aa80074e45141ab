//! SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding, which only whoever ends TLS could do. Not here: messages.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use tombolo_sdk::base64;

/// The mechanism's name.
pub(crate) const MECHANISM: &str = "SCRAM-SHA-256";

/// Most rounds that a server may ask for: PostgreSQL's default is 4096, and this many take seconds.
const ROUNDS_MAX: u32 = 1_000_000;

/// What begins every exchange: no channel binding, no other identity.
const GS2: &str = "n,,";

/// An exchange that waits for the server's first message.
#[derive(Debug)]
pub(crate) struct Scram {
    nonce: String,
}

/// An exchange that waits for the server to prove itself.
#[derive(Debug)]
pub(crate) struct Proven {
    signature: [u8; 32],
}

impl Scram {
    /// Begins one. Errors: there is no randomness.
    pub(crate) fn begin() -> Result<Self, String> {
        let mut random = [0; 18];
        getrandom::fill(&mut random).map_err(|error| format!("no randomness: {error}"))?;
        Ok(Self { nonce: encoded(&random) })
    }

    /// The client's first message. PostgreSQL takes the user from the start of the session.
    pub(crate) fn first(&self) -> String {
        format!("{GS2}n=,r={}", self.nonce)
    }

    /// The client's last message, which proves that it knows the password.
    ///
    /// Errors: the server's message is none, or asks for too much.
    pub(crate) fn answer(self, server: &str, password: &str) -> Result<(String, Proven), String> {
        let mut parts = server.split(',');
        let mut part = |name: &str| {
            let found = parts.next().and_then(|part| part.strip_prefix(name));
            found.ok_or_else(|| "the server's part of SCRAM is malformed".to_owned())
        };
        let (nonce, salt, rounds) = (part("r=")?, part("s=")?, part("i=")?);
        if !nonce.starts_with(&self.nonce) || nonce.len() == self.nonce.len() {
            return Err("the server's part of SCRAM answers somebody else".to_owned());
        }
        let rounds: u32 = rounds.parse().unwrap_or(0);
        if !(1..=ROUNDS_MAX).contains(&rounds) {
            return Err(format!("SCRAM with {rounds} rounds: 1 to {ROUNDS_MAX} are taken"));
        }
        let mut decoded = Vec::new();
        if !base64::read(&mut decoded, salt.as_bytes()) {
            return Err("the server's salt for SCRAM is not base64".to_owned());
        }
        let salted = salted(&prepared(password), &decoded, rounds);
        let client_key = authenticated(&salted, &[b"Client Key"]);
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        let last = format!("c={},r={nonce}", encoded(GS2.as_bytes()));
        let message = format!("n=,r={},{server},{last}", self.nonce);
        let signature = authenticated(&stored_key, &[message.as_bytes()]);
        let proof = encoded(&xor(client_key, signature));
        let server_key = authenticated(&salted, &[b"Server Key"]);
        let signature = authenticated(&server_key, &[message.as_bytes()]);
        Ok((format!("{last},p={proof}"), Proven { signature }))
    }
}

impl Proven {
    /// Checks that the server knows the password as well.
    pub(crate) fn verify(&self, server: &str) -> Result<(), String> {
        let mut found = Vec::new();
        let signature = server.strip_prefix("v=").unwrap_or_default();
        let read = base64::read(&mut found, signature.trim_end_matches(',').as_bytes());
        if read && found == self.signature {
            return Ok(());
        }
        Err("the server does not know the password: it may be another's".to_owned())
    }
}

/// A password as SASLprep has it; one that it refuses stays as it is, as PostgreSQL has it.
fn prepared(password: &str) -> String {
    match stringprep::saslprep(password) {
        Ok(prepared) => prepared.into_owned(),
        Err(_) => password.to_owned(),
    }
}

/// PBKDF2 with HMAC-SHA-256, one block.
fn salted(password: &str, salt: &[u8], rounds: u32) -> [u8; 32] {
    let mut block = authenticated(password.as_bytes(), &[salt, &1_u32.to_be_bytes()]);
    let mut sum = block;
    for _ in 1..rounds {
        block = authenticated(password.as_bytes(), &[&block]);
        sum = xor(sum, block);
    }
    sum
}

fn authenticated(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().into()
}

fn xor(mut one: [u8; 32], other: [u8; 32]) -> [u8; 32] {
    one.iter_mut().zip(other).for_each(|(one, other)| *one ^= other);
    one
}

fn encoded(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    base64::write(&mut out, bytes);
    String::from_utf8(out).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The exchange of RFC 7677, whose client names its user.
    #[test]
    fn keys_are_those_of_the_rfc() {
        let mut salt = Vec::new();
        assert!(base64::read(&mut salt, b"W22ZaJ0SNY7soEsUEjb6gQ=="));
        let salted = salted("pencil", &salt, 4096);
        let client_key = authenticated(&salted, &[b"Client Key"]);
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let message = format!(
            "n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}"
        );
        let signature = authenticated(&stored_key, &[message.as_bytes()]);
        let proof = encoded(&xor(client_key, signature));
        assert_eq!(proof, "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let server_key = authenticated(&salted, &[b"Server Key"]);
        let signature = authenticated(&server_key, &[message.as_bytes()]);
        let proven = Proven { signature };
        proven.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").unwrap();
        assert!(proven.verify("v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=").is_err());
        assert!(proven.verify("").is_err());
    }

    #[test]
    fn a_server_that_is_another_or_asks_too_much_is_refused() {
        let answer = |server: &str| Scram { nonce: "abc".to_owned() }.answer(server, "x");
        assert!(answer("r=abcd,s=AAAA,i=1").is_ok());
        for server in ["r=abc,s=AAAA,i=1", "r=xyz,s=AAAA,i=1", "r=abcd,s=AAAA,i=0", ""] {
            assert!(answer(server).is_err(), "{server}");
        }
        assert!(answer("r=abcd,s=AAAA,i=4000000000").unwrap_err().contains("1000000"));
        assert!(answer("r=abcd,s=?,i=1").is_err());
    }
}

//! How a session begins: TLS, who we are, and the proof of it. Not here: what follows.

use std::io::{Read as _, Write as _};
use std::time::Instant;

use md5::{Digest as _, Md5};

use super::backend::{Body, Incoming, malformed};
use super::frontend;
use super::line::{Line, Patience};
use super::refusal::Refusal;
use super::scram::{MECHANISM, Proven, Scram};
use crate::settings::{Access, Address, TlsMode};
use crate::trouble::Trouble;

/// The settings of how long an answer may take: while a session begins, and after that.
const CONNECT_TIMEOUT: &str = "connectTimeout in `connection.url`";
const SOCKET_TIMEOUT: &str =
    "socketTimeout in `connection.url`, without it two thirds of `sandbox.call.timeout.ms`";

/// A connection that is ready for queries, and what was already read of it. All of its waits end at `until`.
pub(crate) fn login(
    access: &Access,
    address: &Address,
    until: Instant,
) -> Result<(Line, Incoming), Trouble> {
    let patience = Patience { answer: access.connect_timeout, setting: CONNECT_TIMEOUT, until };
    let mut line = Line::open(address, patience)?;
    if access.tls.mode != TlsMode::Disable {
        secure(&mut line, access)?;
    }
    let mut out = Vec::new();
    frontend::startup(
        &mut out,
        &[
            ("user", &access.user),
            ("database", &access.database),
            ("application_name", &access.application),
            ("client_encoding", "UTF8"),
            ("DateStyle", "ISO"),
            ("TimeZone", &access.time_zone),
        ],
    );
    line.write_all(&out)?;
    let mut incoming = Incoming::default();
    authenticate(&mut line, &mut incoming, access)?;
    line.patience = Patience { answer: access.socket_timeout, setting: SOCKET_TIMEOUT, until };
    Ok((line, incoming))
}

/// Asks for TLS, and begins it.
///
/// Exactly one byte is read before: what somebody in between would add to it must not be taken for something that was encrypted.
fn secure(line: &mut Line, access: &Access) -> Result<(), Trouble> {
    let mut out = Vec::new();
    frontend::ssl_request(&mut out);
    line.write_all(&out)?;
    let mut answer = [0];
    line.read_exact(&mut answer)?;
    match answer {
        [b'S'] => line.start_tls(&access.tls.options()),
        [b'N'] if access.tls.mode == TlsMode::Prefer => Ok(()),
        [b'N'] => {
            let mode = access.tls.mode.name();
            Err(Trouble::Configuration(format!(
                "the server does not speak TLS, which `sslmode={mode}` asks for"
            )))
        }
        _ => Err(malformed("something else than an answer to the request for TLS").into()),
    }
}

/// Answers what the server asks for, until it is ready for queries.
fn authenticate(line: &mut Line, incoming: &mut Incoming, access: &Access) -> Result<(), Trouble> {
    let (mut scram, mut proven): (Option<Scram>, Option<Proven>) = (None, None);
    loop {
        let message = incoming.next(line)?;
        let mut body = message.body;
        let mut out = Vec::new();
        match message.kind {
            b'E' => return Err(Refusal::read(body)?.into()),
            b'Z' => return Ok(()),
            b'R' => match body.i32()? {
                0 => {
                    // A server that was asked for its proof owes it.
                    if scram.is_some() || proven.is_some() {
                        return Err(malformed("no proof that it knows the password").into());
                    }
                }
                3 => frontend::password(&mut out, password(access)?),
                5 => {
                    let hash = md5(&access.user, password(access)?, body.bytes(4)?);
                    frontend::password(&mut out, &hash);
                }
                10 => {
                    offered(body)?;
                    let begun = Scram::begin().map_err(Trouble::Configuration)?;
                    frontend::sasl_first(&mut out, MECHANISM, &begun.first());
                    scram = Some(begun);
                }
                11 => {
                    let begun = scram.take().ok_or_else(|| malformed("SASL out of order"))?;
                    let server = String::from_utf8_lossy(body.0);
                    let answered = begun.answer(&server, password(access)?);
                    let (answer, proof) = answered.map_err(Trouble::Configuration)?;
                    frontend::sasl_next(&mut out, &answer);
                    proven = Some(proof);
                }
                12 => {
                    let proof = proven.take().ok_or_else(|| malformed("SASL out of order"))?;
                    let server = String::from_utf8_lossy(body.0);
                    proof.verify(&server).map_err(Trouble::Configuration)?;
                }
                other => return Err(unknown(other)),
            },
            // What it is set to, the key to cancel, notices.
            _ => {}
        }
        if !out.is_empty() {
            line.write_all(&out)?;
        }
    }
}

/// Errors unless the mechanisms that the server offers have ours among them.
fn offered(mut body: Body<'_>) -> Result<(), Trouble> {
    loop {
        let mechanism = body.text()?;
        if mechanism == MECHANISM {
            return Ok(());
        }
        if mechanism.is_empty() {
            let why = format!("the server wants a proof of the password other than {MECHANISM}");
            return Err(Trouble::Configuration(why));
        }
    }
}

fn unknown(code: i32) -> Trouble {
    let what = match code {
        2 => "Kerberos",
        7 | 8 => "GSSAPI",
        9 => "SSPI",
        _ => "something that is not known here",
    };
    Trouble::Configuration(format!(
        "the server wants {what} from this user: give it a password in the server's pg_hba.conf \
         (scram-sha-256, md5 or password)"
    ))
}

fn password(access: &Access) -> Result<&str, Trouble> {
    let missing = || {
        Trouble::Configuration("the server wants a password: set `connection.password`".to_owned())
    };
    Ok(access.password.as_ref().ok_or_else(missing)?.reveal())
}

/// The password as the method `md5` wants it.
fn md5(user: &str, password: &str, salt: &[u8]) -> String {
    let hex = |parts: &[&[u8]]| -> String {
        let mut hash = Md5::new();
        parts.iter().for_each(|part| hash.update(part));
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let inner = hex(&[password.as_bytes(), user.as_bytes()]);
    format!("md5{}", hex(&[inner.as_bytes(), salt]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_hashed_twice_for_md5() {
        let hashed = md5("md5_user", "password", &[0x2a, 0x3d, 0x8f, 0xe0]);
        assert_eq!(hashed, "md562af4dd09bbb41884907a838a3233294");
    }

    #[test]
    fn only_a_mechanism_that_is_known_is_taken() {
        assert!(offered(Body(b"SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0")).is_ok());
        assert!(offered(Body(b"SCRAM-SHA-256-PLUS\0\0")).is_err());
        assert!(offered(Body(b"SCRAM-SHA-256-PLUS\0")).is_err());
    }
}

//! Texts sealed with a key of the operator's: what a stored secret is.
//!
//! Every text has a key of its own, made for it alone, with which it is encrypted; that key is encrypted with the operator's. Both are bound to
//! whose text it is (AES-256-GCM with additional data): a record that was moved, or an older one put in its place, is not opened.
//! Not here: where the key's file is (the program reads it), and where sealed texts are kept (`secret_store`).

use std::fmt::{self, Write as _};
use std::sync::Arc;

use openssl::error::ErrorStack;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::error::{Error, Result};

/// Bytes of a key of AES-256.
const KEY_BYTES: usize = 32;
/// Bytes of a nonce of GCM. Each key of a text is used once; the operator's seals as many random keys as there are changes of secrets.
const NONCE_BYTES: usize = 12;
/// Bytes of a tag of GCM.
const TAG_BYTES: usize = 16;

/// The operator's keys: the first seals, all open. Cheap to clone; `Debug` shows none.
#[derive(Clone)]
pub struct SecretKeys(Arc<[Key]>);

struct Key {
    /// Tells which key sealed something, and nothing of the key.
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

/// A sealed text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sealed {
    /// Which of the operator's keys sealed the text's key.
    by: String,
    /// The text's key: nonce, ciphertext, tag; in base64.
    key: String,
    /// The text, likewise.
    text: String,
}

impl SecretKeys {
    /// Takes keys as a file has them: on each line one of 64 hexadecimal digits, the newest first. Lines that are empty or begin with `#` do not count.
    ///
    /// Errors: what a file of keys is, where this is none; nothing of what it holds.
    pub fn parse(file: &str) -> std::result::Result<Self, String> {
        let lines = file.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Option<Vec<Key>> = lines.map(Key::parse).collect();
        match keys {
            Some(keys) if !keys.is_empty() => Ok(Self(keys.into())),
            _ => Err("expected a file with a key of 64 hexadecimal digits, as `openssl rand -hex 32` makes one, on each line".to_owned()),
        }
    }

    /// A line of a file of keys, with a new one.
    pub fn random() -> Result<Zeroizing<String>> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        rand_bytes(&mut *bytes).map_err(broken)?;
        let mut line = Zeroizing::new(String::with_capacity(2 * KEY_BYTES));
        for byte in &*bytes {
            // Writing to a text does not fail.
            write!(line, "{byte:02x}").ok();
        }
        Ok(line)
    }

    /// Whether the newest key sealed this.
    pub(crate) fn is_newest(&self, sealed: &Sealed) -> bool {
        self.0.first().is_some_and(|newest| newest.id == sealed.by)
    }

    /// Seals a text of this owner with the newest key.
    pub(crate) fn seal(&self, owner: &str, text: &str) -> Result<Sealed> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        rand_bytes(&mut *key).map_err(broken)?;
        let text = encrypt(&key, owner, text.as_bytes())?;
        self.seal_key(owner, &key, text)
    }

    /// What is sealed with any of the keys, sealed with the newest.
    ///
    /// Errors: as [`SecretKeys::open`].
    pub(crate) fn seal_anew(&self, owner: &str, sealed: &Sealed) -> Result<Sealed> {
        let key = self.open_key(owner, sealed)?;
        self.seal_key(owner, &key, sealed.text.clone())
    }

    fn seal_key(&self, owner: &str, key: &[u8; KEY_BYTES], text: String) -> Result<Sealed> {
        let newest = self.0.first().ok_or_else(|| not_opened("there is no key"))?;
        let key = encrypt(&newest.bytes, &of_key(owner), key)?;
        Ok(Sealed { by: newest.id.clone(), key, text })
    }

    /// Opens a text of this owner.
    ///
    /// Errors: `Secret`, where it was sealed with another key, or for another owner, or was changed.
    pub(crate) fn open(&self, owner: &str, sealed: &Sealed) -> Result<Zeroizing<String>> {
        let key = self.open_key(owner, sealed)?;
        let text = decrypt(&key, owner, &sealed.text)?;
        let text = std::str::from_utf8(&text).map_err(|_| not_opened("it is no text"))?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    fn open_key(&self, owner: &str, sealed: &Sealed) -> Result<Zeroizing<[u8; KEY_BYTES]>> {
        let known = self.0.iter().find(|key| key.id == sealed.by);
        let known = known.ok_or_else(|| not_opened("its key is not in secrets.key.file"))?;
        let key = decrypt(&known.bytes, &of_key(owner), &sealed.key)?;
        let key = key.as_slice().try_into().map_err(|_| not_opened("its own key is none"))?;
        Ok(Zeroizing::new(key))
    }
}

impl fmt::Debug for SecretKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

impl Key {
    fn parse(line: &str) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        let digits = line.as_bytes().chunks(2);
        if line.len() != 2 * KEY_BYTES || !line.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(digits) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        let named = Zeroizing::new([b"tombolo key id".as_slice(), &*bytes].concat());
        let [first, second, third, fourth, ..] = sha256(&named);
        let id = format!("{first:02x}{second:02x}{third:02x}{fourth:02x}");
        Some(Self { id, bytes })
    }
}

/// The owner of a text's key, which is nobody's text.
fn of_key(owner: &str) -> String {
    format!("key\0{owner}")
}

fn encrypt(key: &[u8; KEY_BYTES], owner: &str, plain: &[u8]) -> Result<String> {
    let (mut nonce, mut tag) = ([0; NONCE_BYTES], [0; TAG_BYTES]);
    rand_bytes(&mut nonce).map_err(broken)?;
    let cipher = Cipher::aes_256_gcm();
    let sealed = encrypt_aead(cipher, key, Some(&nonce), owner.as_bytes(), plain, &mut tag);
    let sealed = [nonce.as_slice(), &sealed.map_err(broken)?, &tag].concat();
    Ok(openssl::base64::encode_block(&sealed))
}

fn decrypt(key: &[u8; KEY_BYTES], owner: &str, sealed: &str) -> Result<Zeroizing<Vec<u8>>> {
    let sealed = openssl::base64::decode_block(sealed).unwrap_or_default();
    let parts = sealed.split_first_chunk::<NONCE_BYTES>();
    let parts =
        parts.and_then(|(nonce, rest)| Some((nonce, rest.split_last_chunk::<TAG_BYTES>()?)));
    let (nonce, (sealed, tag)) = parts.ok_or_else(|| not_opened("it is too short"))?;
    let cipher = Cipher::aes_256_gcm();
    let plain = decrypt_aead(cipher, key, Some(nonce), owner.as_bytes(), sealed, tag);
    plain.map(Zeroizing::new).map_err(|_| not_opened("it was changed, or is another's"))
}

fn not_opened(why: &str) -> Error {
    Error::Secret(why.to_owned())
}

/// OpenSSL has no random bytes, or no AES.
fn broken(error: ErrorStack) -> Error {
    Error::Secret(format!("it cannot be sealed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(digits: &[char]) -> SecretKeys {
        let lines: Vec<String> = digits.iter().map(|digit| digit.to_string().repeat(64)).collect();
        SecretKeys::parse(&lines.join("\n")).unwrap()
    }

    fn why<T>(result: Result<T>) -> String {
        result.err().unwrap().to_string()
    }

    #[test]
    fn a_text_is_opened_for_its_owner_with_its_key_alone() {
        let keys_a = keys(&['a']);
        let sealed = keys_a.seal("default\0db\x001", "hunter2").unwrap();
        assert_eq!(keys_a.open("default\0db\x001", &sealed).unwrap().as_str(), "hunter2");
        let other = why(keys_a.open("default\0db\x002", &sealed));
        assert_eq!(other, "it was changed, or is another's");
        let foreign = why(keys(&['b']).open("default\0db\x001", &sealed));
        assert_eq!(foreign, "its key is not in secrets.key.file");
        let again = keys_a.seal("default\0db\x001", "hunter2").unwrap();
        assert!(sealed.key != again.key && sealed.text != again.text);
    }

    #[test]
    fn every_changed_bit_is_noticed() {
        let keys = keys(&['a']);
        let sealed = keys.seal("o", "hunter2").unwrap();
        let parts: [fn(&mut Sealed) -> &mut String; 2] =
            [|sealed| &mut sealed.key, |sealed| &mut sealed.text];
        for part in parts {
            let bytes = openssl::base64::decode_block(part(&mut sealed.clone())).unwrap();
            for bit in 0..bytes.len() * 8 {
                let mut bytes = bytes.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let mut changed = sealed.clone();
                *part(&mut changed) = openssl::base64::encode_block(&bytes);
                assert_eq!(why(keys.open("o", &changed)), "it was changed, or is another's");
            }
        }
        let short = Sealed { text: "AAAA".to_owned(), ..sealed };
        assert_eq!(why(keys.open("o", &short)), "it is too short");
    }

    #[test]
    fn an_older_key_opens_and_the_newest_seals() {
        let (old, both, new) = (keys(&['a']), keys(&['b', 'a']), keys(&['b']));
        let sealed = old.seal("o", "hunter2").unwrap();
        assert!(old.is_newest(&sealed) && !both.is_newest(&sealed));
        let anew = both.seal_anew("o", &sealed).unwrap();
        assert!(both.is_newest(&anew));
        assert_eq!(new.open("o", &anew).unwrap().as_str(), "hunter2");
        assert_eq!(why(old.open("o", &anew)), "its key is not in secrets.key.file");
    }

    #[test]
    fn a_file_of_keys_is_lines_of_hexadecimal_digits() {
        let key = "0123456789abcdefABCDEF".repeat(3)[..64].to_owned();
        for good in [key.clone(), format!("# new\n{key}\n\n{key}\n"), format!(" {key} \r\n")] {
            assert!(SecretKeys::parse(&good).is_ok());
        }
        for bad in ["", "# none", &key[1..], &format!("{key}0"), &key.replace('a', "g"), "é"] {
            let error = SecretKeys::parse(bad).unwrap_err();
            assert!(error.starts_with("expected a file with a key"), "{error}");
        }
        assert!(!format!("{:?}", keys(&['a'])).contains("aaaaaaaaa"));
    }
}

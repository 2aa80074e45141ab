//! Which settings of Kafka's clients hold passwords.
//!
//! Not here: what they mean (`ssl`, `sasl`). Certificates, which have the type `PASSWORD` in Kafka too, are public.

use tombolo_model::Settings;

use super::jaas::Login;

const JAAS: &str = "sasl.jaas.config";

const PASSWORDS: [&str; 7] = [
    JAAS,
    "ssl.key.password",
    "ssl.keystore.key",
    "ssl.keystore.password",
    "ssl.truststore.password",
    "sasl.oauthbearer.client.credentials.client.secret",
    "sasl.oauthbearer.assertion.private.key.passphrase",
];

/// The passwords among settings, whatever prefix their names have. A login's are those of its options too that are named so.
pub fn passwords(settings: &Settings) -> Vec<String> {
    let mut all = Vec::new();
    for (name, value) in settings.iter() {
        let is_named = |known: &&str| {
            name.strip_suffix(*known)
                .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
        };
        let Some(known) = PASSWORDS.iter().find(|known| is_named(known)) else { continue };
        all.push(value.to_owned());
        if *known == JAAS {
            let login = Login::parse(value).ok();
            all.extend(login.iter().flat_map(Login::passwords).map(str::to_owned));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_below_any_prefix() {
        let login = "M required username=\"al\" password=\"pw\" clientSecret=\"cs\";";
        let settings: Settings = [
            ("producer.override.sasl.jaas.config", login),
            ("listeners.https.ssl.key.password", "kp"),
            ("ssl.keystore.password", "sp"),
            ("myssl.key.password", "x"),
            ("ssl.keystore.location", "/k"),
        ]
        .into_iter()
        .collect();
        assert_eq!(passwords(&settings), ["kp", login, "cs", "pw", "sp"]);
    }
}

//! What is planted where, and the search for it.
//!
//! Not here: what is asked and read (`main`).

use std::path::Path;

use openssl::base64::encode_block;
use openssl::rand::rand_bytes;
use serde_json::{Value, json};

/// Secrets that the worker keeps, and the setting that refers to each: those with special characters have other forms in JSON and URLs.
const STORED: usize = 20;
/// Members of a secret that is a JSON object, secrets within a URL, in base64, in a URL's encoding, and in two halves; values of each provider.
const EACH: usize = 5;

/// Everything that must not be seen.
pub(crate) struct Planted {
    /// What was planted, in whichever form.
    canaries: Vec<String>,
    /// The worker's secrets, by name.
    pub(crate) secrets: Vec<(String, String)>,
    /// The lines of the file of properties that the worker offers.
    pub(crate) properties: Vec<String>,
    /// Variables of its environment.
    pub(crate) environment: Vec<(String, String)>,
    /// What stands in the worker's file as it is.
    pub(crate) of_worker: String,
    /// Settings of a connector that refer to everything.
    pub(crate) settings: Value,
    /// Passwords that stand in a configuration as they are.
    pub(crate) literal: Vec<String>,
}

fn random() -> String {
    let mut bytes = [0; 21];
    rand_bytes(&mut bytes).unwrap();
    encode_block(&bytes).replace('+', "x").replace('/', "y")
}

impl Planted {
    pub(crate) fn new(offered: &Path) -> Self {
        let mut planted = Self {
            canaries: Vec::new(),
            secrets: Vec::new(),
            properties: Vec::new(),
            environment: Vec::new(),
            of_worker: String::new(),
            settings: json!({}),
            literal: (0..4).map(|_| random()).collect(),
        };
        planted.of_worker = planted.canary();
        planted.in_secrets();
        planted.in_forms();
        planted.in_providers(offered);
        planted
    }

    fn canary(&mut self) -> String {
        let canary = random();
        self.canaries.push(canary.clone());
        canary
    }

    fn secret(&mut self, name: &str, value: impl Into<String>) {
        self.secrets.push((name.to_owned(), value.into()));
    }

    fn set(&mut self, name: String, value: String) {
        self.settings[name] = Value::String(value);
    }

    fn in_secrets(&mut self) {
        for number in 0..STORED {
            let name = format!("s{number}");
            let mut canary = self.canary();
            if number % 2 == 1 {
                canary = format!("{canary}\"\\ %/+&é{}", random());
                self.canaries.push(canary.clone());
            }
            self.secret(&name, canary);
            self.set(format!("whole.{number}"), format!("${{secret:{name}}}"));
        }
        let members: serde_json::Map<String, Value> =
            (0..EACH).map(|number| (format!("k{number}"), Value::String(self.canary()))).collect();
        self.secret("json", Value::Object(members).to_string());
        for number in 0..EACH {
            self.set(format!("member.{number}"), format!("${{secret:json:k{number}}}"));
        }
    }

    /// Parts of values, values that are encoded already, and values that are put together.
    fn in_forms(&mut self) {
        for number in 0..EACH {
            let (within, encoded, in_url) = (self.canary(), self.canary(), self.canary());
            let (first, second) = (self.canary(), self.canary());
            self.secret(&format!("within{number}"), within);
            self.secret(
                &format!("base64{number}"),
                encode_block(format!("me:{encoded}").as_bytes()),
            );
            self.secret(&format!("url{number}"), url(&format!("{in_url} /")));
            self.secret(&format!("first{number}"), first.clone());
            self.secret(&format!("second{number}"), second.clone());
            self.canaries.push(format!("{first}{second}"));
            let url = format!("db://me:${{secret:within{number}}}@host/?t=${{secret:url{number}}}");
            self.set(format!("url.{number}"), url);
            self.set(format!("basic.{number}"), format!("Basic ${{secret:base64{number}}}"));
            let halves = format!("${{secret:first{number}}}${{secret:second{number}}}");
            self.set(format!("halves.{number}"), halves);
        }
    }

    fn in_providers(&mut self, offered: &Path) {
        for number in 0..EACH {
            let (file, folder, variable) = (self.canary(), self.canary(), self.canary());
            self.properties.push(format!("key{number}={file}"));
            std::fs::write(offered.join(format!("entry{number}")), folder + "\n").unwrap();
            self.environment.push((format!("CANARY_{number}"), variable));
            let shown = offered.display();
            self.set(format!("file.{number}"), format!("${{file:{shown}/properties:key{number}}}"));
            self.set(format!("folder.{number}"), format!("${{dir:{shown}:entry{number}}}"));
            self.set(format!("variable.{number}"), format!("${{env:CANARY_{number}}}"));
        }
        let typed = self.canary();
        self.secret("typed", typed);
        let login = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"me\" password=\"${secret:login}\";";
        let password = self.canary();
        self.secret("login", password);
        self.set("producer.override.sasl.jaas.config".to_owned(), login.to_owned());
        for name in ["typed", "value.converter.typed", "transforms.t.typed"] {
            self.set(name.to_owned(), "${secret:typed}".to_owned());
        }
    }

    /// Settings that hold passwords as they are: the connector's, its converter's, its transformation's and its client's.
    pub(crate) fn holding(&self) -> Value {
        let login =
            "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"me\"";
        json!({
            "typed": self.literal[0],
            "value.converter": "guest.TellsConverter", "value.converter.typed": self.literal[1],
            "transforms": "t", "transforms.t.type": "guest.TellsTransformation",
            "transforms.t.typed": self.literal[2],
            "producer.override.sasl.jaas.config": format!("{login} password=\"{}\";", self.literal[3]),
            "fail": "start",
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.canaries.len()
    }

    /// Every canary with its forms, for [`found_in`].
    pub(crate) fn searched(&self) -> Vec<[String; 6]> {
        self.canaries.iter().map(|canary| forms(canary)).collect()
    }

    /// The passwords that stand in a configuration as they are, with their forms: it is answered and stored with them.
    pub(crate) fn searched_where_no_configuration_is(&self) -> Vec<[String; 6]> {
        self.literal.iter().map(|canary| forms(canary)).collect()
    }
}

/// The first line in which each canary stands that a text holds, in any of its forms.
pub(crate) fn found_in<'a>(text: &'a str, searched: &[[String; 6]]) -> Vec<(String, &'a str)> {
    let mut found = Vec::new();
    for form in searched.iter().flatten().filter(|form| text.contains(form.as_str())) {
        let line = text.lines().find(|line| line.contains(form.as_str()));
        found.push((form.clone(), line.unwrap_or_default()));
    }
    found
}

/// As it is, in JSON, in a URL, in hexadecimal digits, and in base64 with either alphabet.
fn forms(canary: &str) -> [String; 6] {
    let json = Value::String(canary.to_owned()).to_string();
    let hexadecimal = canary.bytes().map(|byte| format!("{byte:02x}")).collect();
    // Amid a longer text its first and last letters are others.
    let whole = canary.len() / 3 * 3;
    let base64 = encode_block(&canary.as_bytes()[..whole]);
    let in_url = base64.replace('+', "-").replace('/', "_");
    [canary.to_owned(), json.trim_matches('"').to_owned(), url(canary), hexadecimal, base64, in_url]
}

fn url(text: &str) -> String {
    let encoded = |byte: u8| match byte {
        kept if kept.is_ascii_alphanumeric() || b"-._~".contains(&kept) => {
            char::from(kept).to_string()
        }
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(encoded).collect()
}

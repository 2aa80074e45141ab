//! Definitions of the settings of the HTTP server.
//!
//! Not here: reading them (`config`), and those of TLS, which are a Kafka client's.

use tombolo_model::config_def::{Check, ConfigKey, Importance, Type, key};

/// The settings of the HTTP server, as `RestServerConfig` of Kafka Connect has them.
pub fn definitions() -> Vec<ConfigKey> {
    let low = |name, r#type, doc| key(name, r#type).importance(Importance::Low).doc(doc);
    vec![
        low(
            "listeners",
            Type::List,
            "Where the API listens, as http://host:port or https://host:port with commas between; without a host, at every address.",
        )
        .default("http://:8083"),
        low(
            "admin.listeners",
            Type::List,
            "Where /admin is: at listeners of its own, as `listeners` has them; nowhere where it is empty; beside everything else where it is not given.",
        ),
        low(
            "rest.advertised.host.name",
            Type::String,
            "Name under which others reach the worker; that of its listener, or of the machine, where none is given.",
        ),
        low(
            "rest.advertised.port",
            Type::Int,
            "Port under which others reach the worker; that of its listener where none is given.",
        )
        .check(Check::Between(0, 65_535)),
        low(
            "rest.advertised.listener",
            Type::String,
            "How others speak to the worker, http or https: there must be such a listener. Where none is given, http if there is such a listener.",
        ),
        low(
            "ssl.client.auth",
            Type::String,
            "Whether clients of https listeners show a certificate, which the trust store must vouch for.",
        )
        .default("none")
        .check(Check::OneOf(&["required", "requested", "none"])),
        low(
            "access.control.allow.origin",
            Type::String,
            "Sites whose pages may call the API, as an address, with `*` for any of its parts and commas between; none where it is empty.",
        )
        .default(""),
        low(
            "access.control.allow.methods",
            Type::String,
            "Methods with which they may, with commas between; GET, POST and HEAD where it is empty.",
        )
        .default(""),
        low(
            "response.http.headers.config",
            Type::String,
            "Headers to add to answers, as `set X-Frame-Options: DENY`, with commas between; set, add, setDate and addDate are the actions.",
        )
        .default(""),
    ]
}

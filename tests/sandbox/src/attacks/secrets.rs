//! Attacks on what must not be told. Not here: every route and log (`runtime/tombolo/tests/secrets.rs`).

use anyhow::{Result, ensure};

use super::DENIED;
use crate::attack::{Attack, Class::Secrets, Ends, Pairs, Way};
use crate::field::{Field, SECRET};

const fn row(name: &'static str, pairs: Pairs, ends: Ends) -> Attack {
    Attack { class: Secrets, name, way: Way::Source(pairs), ends }
}

pub(super) const ATTACKS: &[Attack] = &[
    row(
        "told in an error",
        &[("attack", "tell"), ("what", "${env:FIELD_SECRET}")],
        Ends::Failed(&["told [hidden]"]),
    ),
    row(
        "told in the log",
        &[("attack", "log"), ("what", "the secret is ${env:FIELD_SECRET}")],
        Ends::Failed(&["logged"]),
    ),
    row(
        "looked up as a name",
        &[("attack", "look up a name"), ("to", "${env:FIELD_SECRET}.example.org:80")],
        Ends::Failed(DENIED),
    ),
    course("nowhere", nowhere),
];

const fn course(name: &'static str, of: fn(&Field) -> Result<()>) -> Attack {
    crate::attack::course(Secrets, name, of)
}

/// After the others of this class: it is in no log and in no answer.
fn nowhere(field: &Field) -> Result<()> {
    ensure!(!field.worker.log().contains(SECRET), "the log tells the secret");
    for path in ["/connectors?expand=status&expand=info", "/metrics", "/admin/loggers"] {
        let (_, answer) = field.worker.request("GET", path, None)?;
        ensure!(!answer.to_string().contains(SECRET), "{path} tells the secret");
    }
    Ok(())
}

//! SASL: the mechanism and its login.
//!
//! Not here: reading `sasl.jaas.config` (`jaas`), TLS (`ssl`).

use super::jaas::Login;
use super::{RefusedSetting, Translation, refused};
use crate::ffi;

const MECHANISM: &str = "sasl.mechanism";
const JAAS: &str = "sasl.jaas.config";
const HANDLER: &str = "sasl.login.callback.handler.class";
const TOKEN_URL: &str = "sasl.oauthbearer.token.endpoint.url";

/// Kafka's own handlers of OAuth logins, which librdkafka replaces.
const OAUTH_HANDLERS: [&str; 2] = [
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler",
    "org.apache.kafka.common.security.oauthbearer.secured.OAuthBearerLoginCallbackHandler",
];

/// Translates the login, where the protocol has one.
pub(super) fn translate(to: &mut Translation<'_>) -> Result<(), RefusedSetting> {
    let used = to.properties.get("security.protocol").is_some_and(|name| name.starts_with("sasl"));
    if !used {
        return Ok(());
    }
    let mechanism = to.java.get(MECHANISM).map_or("GSSAPI", str::trim).to_owned();
    handler(to, &mechanism)?;
    let text = to.java.get(JAAS).ok_or_else(|| {
        refused(
            JAAS,
            "it is missing, and neither java.security.auth.login.config nor its file is read",
        )
    })?;
    let login = Login::parse(text).map_err(|reason| refused(JAAS, reason))?;
    to.set(MECHANISM, mechanism.as_str());
    match mechanism.as_str() {
        "PLAIN" => password(to, &login, "PlainLoginModule"),
        "SCRAM-SHA-256" | "SCRAM-SHA-512" => password(to, &login, "ScramLoginModule"),
        "OAUTHBEARER" => oauth(to, &login),
        "GSSAPI" => {
            built_with("sasl_gssapi", "gssapi")?;
            kerberos(to, &login)
        }
        _ => Err(refused(MECHANISM, format!("{mechanism} is not a mechanism of Kafka's"))),
    }
}

/// A Java class that takes part in logins, unless it is Kafka's own.
fn handler(to: &Translation<'_>, mechanism: &str) -> Result<(), RefusedSetting> {
    match to.java.get(HANDLER).map(str::trim) {
        None | Some("") => Ok(()),
        Some(class) if mechanism == "OAUTHBEARER" && OAUTH_HANDLERS.contains(&class) => Ok(()),
        Some(class) => Err(refused(
            HANDLER,
            format!("{class} is a Java class that takes part in authentication"),
        )),
    }
}

/// Mechanisms that librdkafka has only when it was built so.
fn built_with(feature: &str, ours: &str) -> Result<(), RefusedSetting> {
    if ffi::has_feature(feature) {
        return Ok(());
    }
    let reason = format!(
        "this program was built without it; build it with `cargo build --release -p tombolo --features {ours}`"
    );
    Err(refused(MECHANISM, reason))
}

fn expect_module(login: &Login, class: &str) -> Result<(), RefusedSetting> {
    if login.class() == class {
        return Ok(());
    }
    Err(refused(JAAS, format!("the mechanism needs {class}, not {}", login.module)))
}

fn required<'a>(login: &'a Login, option: &str) -> Result<&'a str, RefusedSetting> {
    login.option(option).ok_or_else(|| refused(JAAS, format!("the option {option} is missing")))
}

fn password(to: &mut Translation<'_>, login: &Login, class: &str) -> Result<(), RefusedSetting> {
    expect_module(login, class)?;
    if login.option("tokenauth").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return Err(refused(JAAS, "librdkafka cannot log in with delegation tokens"));
    }
    to.set("sasl.username", required(login, "username")?);
    to.set("sasl.password", required(login, "password")?);
    Ok(())
}

/// Kerberos with a key table, which `kinit` uses; or with a ticket that is there already.
fn kerberos(to: &mut Translation<'_>, login: &Login) -> Result<(), RefusedSetting> {
    expect_module(login, "Krb5LoginModule")?;
    if let Some(service) = login.option("serviceName")
        && !to.java.contains("sasl.kerberos.service.name")
    {
        to.set("sasl.kerberos.service.name", service);
    }
    if let Some(principal) = login.option("principal") {
        to.set("sasl.kerberos.principal", principal);
    }
    match login.option("keyTab") {
        Some(table) => to.set("sasl.kerberos.keytab", table),
        // No command: the ticket of the user who runs us.
        None => to.set("sasl.kerberos.kinit.cmd", ""),
    }
    Ok(())
}

/// Tokens from an endpoint for a client's credentials; without an endpoint the unsecured ones of Kafka's development setup.
fn oauth(to: &mut Translation<'_>, login: &Login) -> Result<(), RefusedSetting> {
    expect_module(login, "OAuthBearerLoginModule")?;
    let extensions: Vec<String> =
        login.options_with("extension_").map(|(name, value)| format!("{name}={value}")).collect();
    let Some(url) = to.java.get(TOKEN_URL).map(str::trim) else {
        return unsecured(to, login);
    };
    built_with("oidc", "oidc")?;
    let id = to.java.get("sasl.oauthbearer.client.credentials.client.id");
    let secret = to.java.get("sasl.oauthbearer.client.credentials.client.secret");
    let id = id.map_or_else(|| required(login, "clientId"), Ok)?.to_owned();
    let secret = secret.map_or_else(|| required(login, "clientSecret"), Ok)?.to_owned();
    let scope = to.java.get("sasl.oauthbearer.scope").or_else(|| login.option("scope"));
    let scope = scope.map(str::to_owned);
    to.set("sasl.oauthbearer.method", "oidc");
    to.set("sasl.oauthbearer.token.endpoint.url", url);
    to.set("sasl.oauthbearer.client.id", id);
    to.set("sasl.oauthbearer.client.secret", secret);
    if let Some(scope) = scope {
        to.set("sasl.oauthbearer.scope", scope);
    }
    if !extensions.is_empty() {
        to.set("sasl.oauthbearer.extensions", extensions.join(","));
    }
    Ok(())
}

fn unsecured(to: &mut Translation<'_>, login: &Login) -> Result<(), RefusedSetting> {
    let principal = required(login, "unsecuredLoginStringClaim_sub")?;
    let mut config = format!("principal={principal}");
    if let Some(seconds) = login.option("unsecuredLoginLifetimeSeconds") {
        config.push_str(&format!(" lifeSeconds={seconds}"));
    }
    for (name, value) in login.options_with("extension_") {
        config.push_str(&format!(" extension_{name}={value}"));
    }
    to.set("enable.sasl.oauthbearer.unsecure.jwt", "true");
    to.set("sasl.oauthbearer.config", config);
    Ok(())
}

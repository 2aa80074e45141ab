//! Headers that the host adds to requests, so that a guest need not know what they say.
//!
//! Not here: reading them from settings.

use tombolo_model::egress::{Egress, Host, HttpAuth, Offered, Scheme};

/// The headers for requests to an origin: exactly to it, and over plain HTTP only where the operator opened it.
pub(super) fn of<'a>(
    egress: &'a Egress,
    offered: &'a Offered,
    scheme: Scheme,
    host: &'a Host,
    port: u16,
) -> impl Iterator<Item = &'a HttpAuth> {
    let is_opened = || {
        let exactly = |host: &Host| tombolo_model::egress::Pattern::Exactly(host.clone());
        offered
            .private
            .iter()
            .any(|opening| opening.ports.contains(&port) && opening.host.covers(&exactly(host)))
    };
    let may = match scheme {
        Scheme::Https => true,
        Scheme::Http => is_opened(),
        Scheme::Tcp => false,
    };
    egress
        .auth
        .iter()
        .filter(move |auth| may && auth.scheme == scheme && auth.host == *host && auth.port == port)
}

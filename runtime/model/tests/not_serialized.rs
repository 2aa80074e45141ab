//! What holds secrets has no form in which it could be stored or sent. Whoever gives one of these types a `Serialize` does not compile this test.
//!
//! No other crate can: neither the trait nor the type would be its own.

use tombolo_model::settings::Password;
use tombolo_model::{ConfigProviders, References, Resolved, Secrets, Settings};

/// Has one implementation for every type, and a second for those that can be serialized: then which is meant cannot be told.
trait NotSerialize<Which> {
    fn holds() {}
}

struct Serializable;

impl<T: ?Sized> NotSerialize<()> for T {}

impl<T: serde::Serialize + ?Sized> NotSerialize<Serializable> for T {}

#[test]
fn what_holds_secrets_cannot_be_serialized() {
    <Password as NotSerialize<_>>::holds();
    <Secrets as NotSerialize<_>>::holds();
    <Settings as NotSerialize<_>>::holds();
    <Resolved as NotSerialize<_>>::holds();
    <References as NotSerialize<_>>::holds();
    <ConfigProviders as NotSerialize<_>>::holds();
}

//! Lists the same class twice.

use tombolo_guest_programs::interfaces::catalog;
use tombolo_guest_programs::{Behaviour, Component, bindings};

struct Guest;

impl Behaviour for Guest {
    fn plugins() -> Vec<catalog::Plugin> {
        let plugin = || tombolo_guest_programs::plugin("guest.Twice", catalog::PluginKind::Sink);
        vec![plugin(), plugin()]
    }
}

type Plugin = Component<Guest>;
bindings::export!(Plugin);

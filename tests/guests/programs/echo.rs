//! Returns what it gets, in every role.
//!
//! Not here: how (`src`), and anything bad.

use tombolo_guest_programs::{Behaviour, Component, bindings};

struct Echo;

impl Behaviour for Echo {}

type Plugin = Component<Echo>;
bindings::export!(Plugin);

//! Imports an interface that no host offers.

#![expect(unsafe_code, reason = "generated: what exports a function")]

mod bindings {
    wit_bindgen::generate!({
        inline: "
            package guest:foreign;
            interface door { open: func() -> u32; }
            interface room { enter: func() -> u32; }
            world house { import door; export room; }
        ",
    });
}

struct Guest;

impl bindings::exports::guest::foreign::room::Guest for Guest {
    fn enter() -> u32 {
        bindings::guest::foreign::door::open()
    }
}

bindings::export!(Guest with_types_in bindings);

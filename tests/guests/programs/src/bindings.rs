//! Bindings of the plugin contract, generated: a world with all of it.
//!
//! Not here: anything written by hand.

#![expect(missing_docs, reason = "generated")]

wit_bindgen::generate!({
    path: "../../../wit",
    inline: "
        package tombolo:guests;
        world everything {
            include tombolo:connect/both-ways@0.1.0;
            include tombolo:connect/converter-plugin@0.1.0;
            include tombolo:connect/header-converter-plugin@0.1.0;
            include tombolo:connect/transformation-plugin@0.1.0;
            include tombolo:connect/predicate-plugin@0.1.0;
            export tombolo:connect/source-acknowledgement@0.1.0;
        }
    ",
    world: "tombolo:guests/everything",
    pub_export_macro: true,
    generate_all,
    default_bindings_module: "tombolo_guest_programs::bindings",
});

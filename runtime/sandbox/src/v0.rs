//! Bindings of version 0.1 of the plugin contract.
//!
//! Every interface of it stands in one world, so that types are shared; a component exports some, and each is looked up by itself.
//! What goes in is borrowed, column by column; what comes out is owned. Not here: turning either into the model's types (`convert`).

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package tombolo:host;
        world everything {
            include tombolo:connect/both-ways@0.1.0;
            include tombolo:connect/converter-plugin@0.1.0;
            include tombolo:connect/header-converter-plugin@0.1.0;
            include tombolo:connect/transformation-plugin@0.1.0;
            include tombolo:connect/predicate-plugin@0.1.0;
            export tombolo:connect/source-acknowledgement@0.1.0;
            import tombolo:connect/network@0.1.0;
        }
    ",
    world: "tombolo:host/everything",
    ownership: Borrowing { duplicate_if_necessary: true },
    imports: {
        "tombolo:connect/offsets.read": async | trappable,
        "tombolo:connect/network": async | trappable,
        default: trappable,
    },
    with: { "tombolo:connect/network.connection": crate::host::network::Connection },
    exports: { default: async },
});

//! What `wit-bindgen` makes of `wit/`: the types, the host's functions, and one world per interface a component may export.
//!
//! One world per interface, so that [`export!`](crate::export) describes exactly the interfaces a component offers. Not here: anything written by hand.

#![expect(missing_docs, reason = "generated; the WIT files have the documentation")]

pub mod host {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "host",
        generate_all,
        generate_unused_types: true,
        pub_export_macro: true,
        additional_derives: [PartialEq, Eq, Hash],
    });
}

pub use host::tombolo::connect::{log, metrics, offsets, schemas, types};

mod network_client {
    wit_bindgen::generate!({
        path: "../../wit",
        world: "network-client",
        additional_derives: [PartialEq, Eq, Hash],
    });
}

pub use network_client::tombolo::connect::network;

pub mod catalog {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world catalog-only { export tombolo:connect/catalog@0.1.0; }",
        world: "tombolo:sdk/catalog-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "catalog",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::catalog::*;
}

pub mod connector {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world connector-only { export tombolo:connect/connector@0.1.0; }",
        world: "tombolo:sdk/connector-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "connector",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::connector::*;
}

pub mod source_connector {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world source-connector-only { export tombolo:connect/source-connector@0.1.0; }",
        world: "tombolo:sdk/source-connector-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "source_connector",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::source_connector::*;
}

pub mod sink_connector {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world sink-connector-only { export tombolo:connect/sink-connector@0.1.0; }",
        world: "tombolo:sdk/sink-connector-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "sink_connector",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::sink_connector::*;
}

pub mod source {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world source-only { export tombolo:connect/source@0.1.0; }",
        world: "tombolo:sdk/source-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "source",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::source::*;
}

pub mod source_acknowledgement {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world source-acknowledgement-only { export tombolo:connect/source-acknowledgement@0.1.0; }",
        world: "tombolo:sdk/source-acknowledgement-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "source_acknowledgement",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::source_acknowledgement::*;
}

pub mod sink {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world sink-only { export tombolo:connect/sink@0.1.0; }",
        world: "tombolo:sdk/sink-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "sink",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::sink::*;
}

pub mod converter {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world converter-only { export tombolo:connect/converter@0.1.0; }",
        world: "tombolo:sdk/converter-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "converter",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::converter::*;
}

pub mod header_converter {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world header-converter-only { export tombolo:connect/header-converter@0.1.0; }",
        world: "tombolo:sdk/header-converter-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "header_converter",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::header_converter::*;
}

pub mod transformation {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world transformation-only { export tombolo:connect/transformation@0.1.0; }",
        world: "tombolo:sdk/transformation-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "transformation",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::transformation::*;
}

pub mod predicate {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package tombolo:sdk; world predicate-only { export tombolo:connect/predicate@0.1.0; }",
        world: "tombolo:sdk/predicate-only",
        with: { "tombolo:connect/types@0.1.0": crate::bindings::types },
        pub_export_macro: true,
        export_macro_name: "predicate",
        additional_derives: [PartialEq, Eq, Hash],
    });
    pub use exports::tombolo::connect::predicate::*;
}

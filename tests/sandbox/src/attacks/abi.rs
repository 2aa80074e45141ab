//! Lies about memory and handles. Not here: what the guest does.

use super::DENIED;
use crate::attack::{Attack, Class::Abi, Ends, source};

const TOO_MUCH: &[&str] = &["passed more than twice the", "sandbox.batch.bytes.max"];
const UNREADABLE: &[&str] = &["the plugin's answer cannot be read"];

pub(super) const ATTACKS: &[Attack] = &[
    source(Abi, "a list of 2 GiB", &[], Ends::Failed(UNREADABLE)),
    source(Abi, "aliasing lists", &[], Ends::Failed(TOO_MUCH)),
    source(Abi, "a pointer outside memory", &[], Ends::Failed(UNREADABLE)),
    source(Abi, "a misaligned list", &[], Ends::Failed(UNREADABLE)),
    source(Abi, "invalid UTF-8", &[], Ends::Failed(UNREADABLE)),
    source(Abi, "an unknown discriminant", &[], Ends::Failed(UNREADABLE)),
    source(Abi, "a million strings", &[], Ends::Failed(TOO_MUCH)),
    source(Abi, "nested without end", &[], Ends::Failed(&["the plugin"])),
    source(Abi, "an unknown handle", &[], Ends::Failed(&["the plugin"])),
    source(Abi, "a handle dropped twice", &[], Ends::Failed(&["the plugin"])),
    source(Abi, "a stream dropped before what waits for it", &[], Ends::Failed(&["the plugin"])),
    source(Abi, "a flood of resources", &[], Ends::Failed(&["the plugin"])),
    source(Abi, "room outside memory", &[], Ends::Failed(&["the plugin"])),
    source(Abi, "schemas without end", &[], Ends::Failed(DENIED)),
];

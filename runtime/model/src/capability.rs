//! What a component can do to the world outside its own memory, by what it imports.
//!
//! Importing is asking: everything is linked, and denied where the operator grants nothing. Not here: enforcing it (the sandbox does).

use std::collections::BTreeSet;

use crate::egress::NET_ALLOW;
use crate::plugin::ComponentDigest;
use crate::policy::Grants;

/// Something that a component may ask for. What only moves data within the sandbox, as `wasi:io`, is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Capability {
    /// Reading clocks, and waiting.
    Clock,
    /// Random numbers.
    Random,
    /// Lines in the worker's log, standard error among them.
    Log,
    /// Metrics of its own.
    Metrics,
    /// Reading its connector's source offsets.
    Offsets,
    /// Arguments and variables of the environment.
    Environment,
    /// The program's standard input and output.
    StandardStreams,
    /// Files.
    Files,
    /// Connections to other systems, by HTTP or by TCP.
    Network,
}

impl Capability {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Clock,
        Self::Random,
        Self::Log,
        Self::Metrics,
        Self::Offsets,
        Self::Environment,
        Self::StandardStreams,
        Self::Files,
        Self::Network,
    ];

    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Log => "log",
            Self::Metrics => "metrics",
            Self::Offsets => "offsets",
            Self::Environment => "environment",
            Self::StandardStreams => "standard-streams",
            Self::Files => "files",
            Self::Network => "network",
        }
    }

    /// What an import asks for, as `wasi:filesystem/types@0.2.3`.
    pub fn of_import(import: &str) -> Option<Self> {
        let interface = import.split('@').next().unwrap_or(import);
        Some(match interface {
            "wasi:cli/environment" => Self::Environment,
            "wasi:cli/stderr" | "tombolo:connect/log" => Self::Log,
            "tombolo:connect/metrics" => Self::Metrics,
            "tombolo:connect/offsets" => Self::Offsets,
            _ if interface.starts_with("wasi:clocks/") => Self::Clock,
            _ if interface.starts_with("wasi:random/") => Self::Random,
            _ if interface.starts_with("wasi:filesystem/") => Self::Files,
            "tombolo:connect/network" => Self::Network,
            _ if interface.starts_with("wasi:sockets/") => Self::Network,
            _ if interface.starts_with("wasi:http/") => Self::Network,
            "wasi:cli/stdin" | "wasi:cli/stdout" => Self::StandardStreams,
            _ if interface.starts_with("wasi:cli/terminal-") => Self::StandardStreams,
            _ => return None,
        })
    }

    /// Whether a component that asks for it gets it.
    pub fn is_granted(self, grants: &Grants) -> bool {
        match self {
            Self::Clock | Self::Random | Self::Log | Self::Metrics | Self::Offsets => true,
            Self::StandardStreams => grants.standard_streams,
            Self::Files => !grants.file_roots.is_empty(),
            Self::Network => !grants.network.allow.is_empty(),
            Self::Environment => false,
        }
    }

    /// The worker's setting that grants it, of one that has such a setting.
    pub fn setting(self) -> Option<&'static str> {
        match self {
            Self::Files => Some("sandbox.fs.roots"),
            Self::Network => Some(NET_ALLOW),
            _ => None,
        }
    }
}

/// A capability that a component asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// What it asks for.
    pub capability: Capability,
    /// By which imports.
    pub imports: Vec<String>,
    /// Whether it gets it here.
    pub is_granted: bool,
}

/// What imports ask for, in the order of [`Capability::ALL`].
pub fn asked(imports: &[String], grants: &Grants) -> Vec<Asked> {
    let of = |capability: Capability| {
        let by = |import: &&String| Capability::of_import(import) == Some(capability);
        let imports: Vec<String> = imports.iter().filter(by).cloned().collect();
        let is_granted = capability.is_granted(grants);
        (!imports.is_empty()).then_some(Asked { capability, imports, is_granted })
    };
    Capability::ALL.into_iter().filter_map(of).collect()
}

/// What a component asks for that the one before it did not, and the other way round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The component before.
    pub component: ComponentDigest,
    /// The version of the plugin in it that both have.
    pub version: String,
    /// Capabilities that are new.
    pub added: Vec<Capability>,
    /// Capabilities that are no longer asked for.
    pub removed: Vec<Capability>,
    /// Imports that are new.
    pub imports_added: Vec<String>,
    /// Imports that are gone.
    pub imports_removed: Vec<String>,
}

impl Change {
    /// The change from one component's imports to another's.
    pub fn between(
        component: ComponentDigest,
        version: String,
        old: &[String],
        new: &[String],
    ) -> Self {
        let capabilities = |imports: &[String]| -> BTreeSet<Capability> {
            imports.iter().filter_map(|import| Capability::of_import(import)).collect()
        };
        let (had, has) = (capabilities(old), capabilities(new));
        let not_in = |all: &[String], others: &[String]| {
            all.iter().filter(|import| !others.contains(import)).cloned().collect()
        };
        Self {
            component,
            version,
            added: has.difference(&had).copied().collect(),
            removed: had.difference(&has).copied().collect(),
            imports_added: not_in(new, old),
            imports_removed: not_in(old, new),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::FileRoot;

    fn imports(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn imports_ask_for_capabilities_and_the_operator_grants_them() {
        let imports = imports(&[
            "tombolo:connect/log@0.1.0",
            "tombolo:connect/schemas@0.1.0",
            "wasi:cli/stderr@0.2.3",
            "wasi:filesystem/preopens@0.2.3",
            "wasi:filesystem/types@0.2.3",
            "wasi:io/poll@0.2.3",
            "wasi:sockets/tcp@0.2.3",
        ]);
        let seen = |grants: &Grants| -> Vec<(&str, usize, bool)> {
            let asked = asked(&imports, grants);
            asked
                .iter()
                .map(|one| (one.capability.name(), one.imports.len(), one.is_granted))
                .collect()
        };
        let nothing = [("log", 2, true), ("files", 2, false), ("network", 1, false)];
        assert_eq!(seen(&Grants::default()), nothing);
        let grants = Grants { file_roots: vec![FileRoot::new("/data")], ..Grants::default() };
        assert_eq!(seen(&grants), [("log", 2, true), ("files", 2, true), ("network", 1, false)]);
    }

    #[test]
    fn a_change_names_what_is_new_and_what_is_gone() {
        let old = imports(&["wasi:clocks/wall-clock@0.2.0", "wasi:random/random@0.2.0"]);
        let new = imports(&["wasi:clocks/wall-clock@0.2.3", "wasi:sockets/udp@0.2.3"]);
        let change = Change::between(ComponentDigest("d".into()), "1".into(), &old, &new);
        assert_eq!(change.added, [Capability::Network]);
        assert_eq!(change.removed, [Capability::Random]);
        assert_eq!(change.imports_added, new);
        assert_eq!(change.imports_removed, old);
    }
}

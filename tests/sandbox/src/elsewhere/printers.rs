//! The tests and programs of other crates that print figures, by subject.
//!
//! Not here: running them.

use super::{Of, Printed, Printer};

const fn line(what: &'static str, begin: &'static str, bound: &'static str) -> Printed {
    Printed { what, begin, bound }
}

/// Budgets of processor time, and the bill.
pub const PROCESSOR: [Printer; 1] = [Printer {
    of: Of::Test(
        "--test=bill",
        "the_bill_is_what_the_clock_says_and_a_runaway_plugin_stops_at_its_budget",
    ),
    lines: &[
        line("bill beside the clock of threads", "bill: ", "2 %"),
        line("loop over its budget of 1 s", "runaway: ", "2 %"),
    ],
}];

/// Ways around the policy of connections.
pub const EGRESS: [Printer; 1] = [Printer {
    of: Of::Test("--lib", "every_way_around_the_policy_is_denied_and_nobody_hears_of_it"),
    lines: &[line("ways around the policy of connections", "egress: ", "250 at least, no packet")],
}];

/// What is left for the next plugin.
pub const RESIDUE: [Printer; 1] = [Printer {
    of: Of::Test("--test=sandbox", "memories_tables_and_globals_are_empty_whoever_had_them_before"),
    lines: &[line("residue of the instance before", "residue: ", "none")],
}];

/// Mutated uploads.
pub const UPLOADS: [Printer; 2] = [
    Printer {
        of: Of::Program("examples/mutated_uploads", &["1000000"]),
        lines: &[line("mutated uploads", "1000000 uploads of seed 1: ", "no panic")],
    },
    Printer {
        of: Of::Test(
            "--test=hostile_uploads",
            "bombs_and_broken_components_are_refused_and_the_worker_goes_on",
        ),
        lines: &[line("mutated uploads through sockets", "through sockets: ", "only 4xx")],
    },
];

/// Components that are hard to compile.
pub const BOMBS: [Printer; 1] = [Printer {
    of: Of::Test(
        "--test=compiling",
        "bombs_end_within_the_limits_and_a_good_component_is_compiled_like_any_other",
    ),
    lines: &[line("compile bombs", "bombs: ", "20 s, 1 GiB")],
}];

/// What guards cost on a record's path.
pub const GUARDS: [Printer; 1] = [Printer {
    of: Of::Program("tombolo-bench", &["guards", "--tombolo", "{tombolo}"]),
    lines: &[line("cost of guards", "guards (ticks, meters, limits), all of them: ", "12 %")],
}];

/// Rows into PostgreSQL.
pub const POSTGRES: [Printer; 2] = [
    Printer {
        of: Of::Program("tombolo-bench", &["postgres", "--tombolo", "{tombolo}"]),
        lines: &[line("rows into PostgreSQL", "rows into PostgreSQL, ", "none")],
    },
    Printer {
        of: Of::Program("examples/postgres_kills", &["10", "3"]),
        lines: &[line("rows through kills of worker and database", "postgres: ", "none lost")],
    },
];

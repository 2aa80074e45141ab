//! The engine: one per process, with what `security.md` says of wasmtime's knobs.
//!
//! Not here: limits of one store (`limits`), and the ticks that interrupt guests (`ticker`).

use std::num::NonZeroUsize;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::error::Error;

/// Component instances in one process: 8,000 memories of 4 GiB and their guards are a quarter of the address space of x86-64, and with their
/// stacks a third of Linux's default number of mappings.
const INSTANCES: u32 = 4_000;

/// Smaller pools for machines that cannot reserve so much address space: containers with a limit on it, or 39-bit addresses.
const INSTANCES_WHERE_SCARCE: [u32; 3] = [1_000, 100, 10];

/// A guest's own stack. JavaScript and Python engines recurse deeply; wasmtime's default.
const GUEST_STACK_BYTES: usize = 512 << 10;

/// A fiber's stack: the guest's and as much again for host functions, whose overrun would abort the process.
const FIBER_STACK_BYTES: usize = 1 << 20;

/// Tables of interpreters and of Go hold thousands of functions (7,690 in StarlingMonkey).
const TABLE_ELEMENTS: usize = 100_000;

/// Most core instances of one component: each of the core modules that it may have (`check`), once. The pool only counts them, so that there are as many
/// for every component instance, and none takes another's.
const CORE_INSTANCES_MAX: u32 = 100;

/// Most tables of one component: a toolchain makes two of them, so that five components can be composed into one. There are as many for every component
/// instance. The pool maps them all at once, 800 kB of address space each, which take no memory until they are written to; but it keeps some 64 bytes about
/// each from its start: 2.5 MB for these, and twice that for twice as many.
const TABLES_MAX: u32 = 10;

/// Most memories of one component: a toolchain makes one of them, so that four components can be composed into one.
const MEMORIES_MAX: u32 = 4;

/// Memories in the pool for every component instance. Each takes 4 GiB of address space and its guards, so that there cannot be as many as a component may
/// have: instances with all their memories leave room for half as many.
const MEMORIES_FOR_EACH: u32 = 2;

/// Whether guests are held to time and memory: by ticks, meters and the limiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guards {
    On,
    /// To measure what they cost.
    Off,
}

/// Engine whose pool is as large as this machine allows.
///
/// Cost: reserves address space, not memory.
pub(crate) fn engine(guards: Guards) -> Result<Engine, Error> {
    let mut instances = INSTANCES;
    let mut smaller = INSTANCES_WHERE_SCARCE.into_iter();
    loop {
        let mut config = config();
        config.epoch_interruption(guards == Guards::On);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)));
        match Engine::new(&config) {
            Ok(engine) => return Ok(engine),
            Err(error) => {
                let Some(next) = smaller.next() else { return Err(Error::Engine(error)) };
                tracing::warn!(
                    instances,
                    next,
                    error = format!("{error:#}"),
                    "no address space for so many sandboxes; trying with fewer"
                );
                instances = next;
            }
        }
    }
}

/// Engine that only compiles, for the one above: it reserves nothing, so that address space can be limited.
pub(crate) fn compiling() -> Result<Engine, Error> {
    Engine::new(&config()).map_err(Error::Engine)
}

/// What compiling and running must agree on.
fn config() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        // Beyond what WASI 0.2 toolchains emit. Multi-memory stays on: the adapters that wasmtime makes between core modules need it.
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_tail_call(false)
        .gc_support(false)
        .max_wasm_stack(GUEST_STACK_BYTES)
        .async_stack_size(FIBER_STACK_BYTES)
        .async_stack_zeroing(true)
        .memory_init_cow(true)
        // Two bytes far apart in an upload must not become a large image.
        .memory_guaranteed_dense_image_size(1 << 20)
        .wasm_backtrace_max_frames(NonZeroUsize::new(16));
    config
}

fn pool(instances: u32) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(instances)
        .total_core_instances(instances * CORE_INSTANCES_MAX)
        .total_memories(instances * MEMORIES_FOR_EACH)
        .total_tables(instances * TABLES_MAX)
        .total_stacks(instances + 16)
        .table_elements(TABLE_ELEMENTS)
        .max_core_instances_per_component(CORE_INSTANCES_MAX)
        .max_memories_per_component(MEMORIES_MAX)
        .max_tables_per_component(TABLES_MAX)
        .max_component_instance_size(16 << 20)
        .max_core_instance_size(8 << 20)
        // A slot is given back to the kernel at once, so that resident memory follows what is in use.
        .max_unused_warm_slots(0)
        .decommit_batch_size(1);
    pool
}

#[cfg(test)]
mod tests {
    use std::hash::{DefaultHasher, Hash, Hasher};

    use super::*;

    fn with_pool(instances: u32) -> Engine {
        let mut config = config();
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(instances)));
        Engine::new(&config).unwrap()
    }

    #[test]
    fn the_largest_pool_fits_into_the_address_space() {
        with_pool(INSTANCES);
    }

    #[test]
    fn a_component_instance_takes_no_core_instances_or_tables_of_others_and_few_memories() {
        for instances in [INSTANCES].into_iter().chain(INSTANCES_WHERE_SCARCE) {
            let pool = pool(instances);
            assert_eq!(pool.get_total_component_instances(), instances);
            let core = pool.get_max_core_instances_per_component();
            assert_eq!(pool.get_total_core_instances(), instances * core);
            let tables = pool.get_max_tables_per_component();
            assert_eq!(pool.get_total_tables(), instances * tables);
            let memories = pool.get_max_memories_per_component();
            assert_eq!(pool.get_total_memories() / memories, instances / 2);
        }
    }

    #[test]
    fn what_the_compiling_engine_makes_is_for_the_running_one() {
        let hash = |engine: &Engine| {
            let mut hasher = DefaultHasher::new();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            hasher.finish()
        };
        assert_eq!(hash(&compiling().unwrap()), hash(&with_pool(10)));
    }
}

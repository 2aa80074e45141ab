//! The herder in a world without waiting: writes are read back at once, and lanes catch up at once.

mod scenarios;
mod world;

use proptest::prelude::*;
use tombolo_model::status::TargetState;

use super::Answering;
use world::{World, name};

/// Something done to the world.
#[derive(Clone, Debug)]
enum Deed {
    Create(u8),
    Put(u8),
    Patch(u8),
    Delete(u8),
    Target(u8, TargetState),
    Restart(u8),
    RestartAll(u8, bool, bool),
    RestartTask(u8, u32),
    Reset(u8),
    /// Another worker writes a configuration.
    ForeignPut(u8),
    ForeignDelete(u8),
    /// The next write fails.
    BreakWrites,
    /// Effects that take time are performed.
    Settle,
    /// The connectors make another number of tasks from now on.
    Tasks(usize),
}

fn deeds() -> impl Strategy<Value = Deed> {
    let name = 0..3u8;
    let target = prop_oneof![
        Just(TargetState::Started),
        Just(TargetState::Paused),
        Just(TargetState::Stopped)
    ];
    prop_oneof![
        name.clone().prop_map(Deed::Create),
        name.clone().prop_map(Deed::Put),
        name.clone().prop_map(Deed::Patch),
        name.clone().prop_map(Deed::Delete),
        (name.clone(), target).prop_map(|(name, target)| Deed::Target(name, target)),
        name.clone().prop_map(Deed::Restart),
        (name.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(name, only_failed, tasks)| Deed::RestartAll(name, only_failed, tasks)),
        (name.clone(), 0..3u32).prop_map(|(name, task)| Deed::RestartTask(name, task)),
        name.clone().prop_map(Deed::Reset),
        name.clone().prop_map(Deed::ForeignPut),
        name.prop_map(Deed::ForeignDelete),
        Just(Deed::BreakWrites),
        Just(Deed::Settle),
        (0..3usize).prop_map(Deed::Tasks),
    ]
}

fn perform(world: &mut World, deed: Deed) {
    let name = |number: u8| name(&format!("c{number}"));
    match deed {
        Deed::Create(number) => world.create(&name(number), None),
        Deed::Put(number) => world.put(&name(number)),
        Deed::Patch(number) => world.patch(&name(number)),
        Deed::Delete(number) => world.delete(&name(number)),
        Deed::Target(number, target) => world.target(&name(number), target),
        Deed::Restart(number) => world.restart(&name(number)),
        Deed::RestartAll(number, only_failed, tasks) => {
            world.restart_all(&name(number), only_failed, tasks);
        }
        Deed::RestartTask(number, task) => world.restart_task(&name(number), task),
        Deed::Reset(number) => world.reset_offsets(&name(number)),
        Deed::ForeignPut(number) => world.foreign_put(&name(number)),
        Deed::ForeignDelete(number) => world.foreign_delete(&name(number)),
        Deed::BreakWrites => world.break_next_write(),
        Deed::Settle => world.settle(),
        Deed::Tasks(count) => world.tasks_made = count,
    }
}

proptest! {
    #[test]
    fn whatever_happens_what_runs_becomes_what_is_written_and_every_request_is_answered_once(
        deeds in prop::collection::vec(deeds(), 0..40),
        stands_alone in any::<bool>(),
    ) {
        let answering = if stands_alone { Answering::OnceStarted } else { Answering::OnceRead };
        let mut world = World::answering(answering);
        for deed in deeds {
            perform(&mut world, deed);
        }
        world.settle();
        world.check();
    }
}

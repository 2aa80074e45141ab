//! Plays cases: those that share a worker beside each other, the others in turn. Not here: what they need (`stage`), what came of them (`report`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Result, anyhow};

use crate::case::{Case, Needs};
use crate::scene::Scene;
use crate::stage::Stage;
use crate::verdict::{Outcome, Verdict};

/// Cases that play beside each other on one worker: they wait most of the time.
const TOGETHER: usize = 4;

/// Plays cases, and tells each verdict as it comes.
pub fn play(
    stage: &Stage,
    cases: &[&'static Case],
    tell: &(dyn Fn(&Verdict) + Sync),
) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for needs in needs_of(cases) {
        let group: Vec<&'static Case> =
            cases.iter().copied().filter(|case| case.needs == needs).collect();
        // Those with workers of their own would each start a virtual machine.
        let together = if needs == Needs::Workers { 2 } else { TOGETHER };
        verdicts.extend(play_together(stage, &group, together, tell));
        stage.dismiss(needs);
    }
    verdicts
}

fn needs_of(cases: &[&'static Case]) -> Vec<Needs> {
    let mut all = Vec::new();
    for case in cases {
        if !all.contains(&case.needs) {
            all.push(case.needs);
        }
    }
    all
}

fn play_together(
    stage: &Stage,
    cases: &[&'static Case],
    together: usize,
    tell: &(dyn Fn(&Verdict) + Sync),
) -> Vec<Verdict> {
    let next = AtomicUsize::new(0);
    let verdicts = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..together.min(cases.len()) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let verdict = play_one(stage, case);
                    tell(&verdict);
                    if let Ok(mut verdicts) = verdicts.lock() {
                        verdicts.push(verdict);
                    }
                }
            });
        }
    });
    verdicts.into_inner().unwrap_or_default()
}

fn play_one(stage: &Stage, case: &'static Case) -> Verdict {
    let begin = Instant::now();
    let outcome = if stage.offers(case.needs) {
        let played = catch_unwind(AssertUnwindSafe(|| outcome(stage, case)));
        match played.unwrap_or_else(|_| Err(anyhow!("it panicked"))) {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(format!("{error:#}")),
        }
    } else {
        Outcome::NotPlayed
    };
    Verdict { case, peer: stage.peer(), outcome, took: begin.elapsed() }
}

fn outcome(stage: &Stage, case: &Case) -> Result<()> {
    let scene = Scene::set(stage, case)?;
    let played = (case.play)(&scene);
    if case.needs == Needs::Workers {
        return played;
    }
    // What cannot be deleted is a failure of its own, unless there is one already.
    let struck = scene.strike();
    played.and(struck)
}

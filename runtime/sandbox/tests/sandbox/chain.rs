//! Chains of transformations: in one component, and cut where another stands between.

use tombolo_model::plugin::PluginKind;
use tombolo_model::policy::Limits;
use tombolo_model::role::{Plugins, PredicateStep, TransformationStep};
use tombolo_model::{Breach, Stage};

use crate::support::{Fixture, batch, breach, rows, settings, texts};

/// A step of the echo with this mode, and a predicate on a value's start.
fn step(
    fixture: &Fixture,
    pairs: &[(&str, &str)],
    predicate: Option<(&str, bool)>,
) -> TransformationStep {
    let predicate = predicate.map(|(prefix, negate)| PredicateStep {
        plugin: fixture.plugin(PluginKind::Predicate),
        settings: settings(&[("prefix", prefix)]),
        negate,
    });
    let plugin = fixture.plugin(PluginKind::Transformation);
    TransformationStep { plugin, settings: settings(pairs), predicate }
}

/// The same with a predicate of another component.
fn step_chosen_elsewhere(
    fixture: &Fixture,
    pairs: &[(&str, &str)],
    prefix: &str,
    negate: bool,
) -> TransformationStep {
    let own = fixture.plugin(PluginKind::Predicate).component.clone();
    let plugins = fixture.sandbox.list();
    let other = plugins
        .into_iter()
        .find(|plugin| plugin.kind == PluginKind::Predicate && plugin.component != own)
        .unwrap();
    let mut step = step(fixture, pairs, Some((prefix, negate)));
    step.predicate.as_mut().unwrap().plugin = other;
    step
}

async fn with_two_components() -> Fixture {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    fixture.sandbox.install(tombolo_guests::TRAPS.to_vec()).await.unwrap();
    fixture
}

#[tokio::test]
async fn a_chain_answers_only_what_it_changed() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let mut task = fixture.task(Limits::default()).await;
    let steps = vec![
        step(&fixture, &[("mode", "as it is")], None),
        step(&fixture, &[("mode", "all")], None),
    ];
    let mut chain = task.transformations(steps).await.unwrap();
    let mut through = batch();
    let applied = chain.apply(&mut through).await.unwrap();
    assert_eq!((applied.origin, applied.faults), (None, vec![]));
    assert_eq!(through, batch());
}

#[tokio::test]
async fn rows_are_dropped_split_and_found_bad() {
    let fixture = Fixture::new(tombolo_guests::ECHO).await;
    let mut task = fixture.task(Limits::default()).await;
    let steps = vec![
        step(&fixture, &[("mode", "drop")], Some(("x", false))),
        step(&fixture, &[("mode", "split")], Some(("y", false))),
        step(&fixture, &[("mode", "fault")], None),
        step(&fixture, &[("mode", "topic"), ("topic", "elsewhere")], None),
    ];
    let mut chain = task.transformations(steps).await.unwrap();
    let mut through = rows(&[("a", "x1"), ("b", "y1"), ("fault", "z1"), ("c", "z2")]);
    let applied = chain.apply(&mut through).await.unwrap();
    assert_eq!(applied.origin, Some(vec![1, 1, 3]));
    assert_eq!((applied.faults[0].step, applied.faults[0].row), (2, 2));
    assert_eq!(texts(&through), ["y1", "y1", "z2"]);
    assert_eq!(through.offset, [101, 101, 103]);
    assert_eq!(through.topic_of(0), Some("elsewhere"));
}

#[tokio::test]
async fn a_predicate_of_another_component_chooses_the_rows() {
    let fixture = with_two_components().await;
    let check = async |mode: &str, negate: bool, expected: &[&str], origin: Option<Vec<u32>>| {
        let mut task = fixture.task(Limits::default()).await;
        let steps = vec![
            step(&fixture, &[("mode", "as it is")], None),
            step_chosen_elsewhere(&fixture, &[("mode", mode)], "x", negate),
        ];
        let mut chain = task.transformations(steps).await.unwrap();
        let mut through = rows(&[("a", "x1"), ("b", "y1"), ("fault", "x2"), ("c", "z2")]);
        let applied = chain.apply(&mut through).await.unwrap();
        assert_eq!(texts(&through), expected, "{mode} {negate}");
        assert_eq!(applied.origin, origin, "{mode} {negate}");
        applied.faults
    };
    let all = || Some(vec![0, 1, 2, 3]);
    check("mark", false, &["x1!", "y1", "x2!", "z2"], all()).await;
    check("mark", true, &["x1", "y1!", "x2", "z2!"], all()).await;
    check("drop", false, &["y1", "z2"], Some(vec![1, 3])).await;
    check("split", true, &["x1", "y1", "y1", "x2", "z2", "z2"], Some(vec![0, 1, 1, 2, 3, 3])).await;
    let faults = check("fault", false, &["x1", "y1", "z2"], Some(vec![0, 1, 3])).await;
    assert_eq!((faults[0].step, faults[0].row), (1, 2));
}

#[tokio::test]
async fn a_fault_of_a_later_segment_leaves_the_batch_as_it_was() {
    let fixture = with_two_components().await;
    fixture.sandbox.install(tombolo_guests::LIES.to_vec()).await.unwrap();
    let lying = fixture.sandbox.list().into_iter().find(|plugin| {
        plugin.kind == PluginKind::Transformation
            && plugin.component == digest_of(tombolo_guests::LIES)
    });
    let mut last = step(&fixture, &[("lie", "origin")], None);
    last.plugin = lying.unwrap();
    let mut task = fixture.task(Limits::default()).await;
    let steps = vec![step(&fixture, &[("mode", "mark")], None), last];
    let mut chain = task.transformations(steps).await.unwrap();
    let mut through = rows(&[("a", "x1")]);
    let fault = chain.apply(&mut through).await.unwrap_err();
    assert_eq!(breach(&fault).0, Breach::Lie);
    assert_eq!(fault.stage, Stage::Transformation);
    assert_eq!(through, rows(&[("a", "x1")]));
}

fn digest_of(component: &[u8]) -> tombolo_model::plugin::ComponentDigest {
    use sha2::Digest;
    let digest = sha2::Sha256::digest(component);
    tombolo_model::plugin::ComponentDigest(
        digest.iter().map(|byte| format!("{byte:02x}")).collect(),
    )
}

//! Calls that fail as a whole: how long they are made again, and that only rows that fail alone are lost.

use tokio::time::Instant;

use super::*;

/// Which plugin fails.
#[derive(Clone, Copy, Debug)]
enum Where {
    Key,
    Value,
    Header,
    Chain,
}

impl Where {
    const ALL: [Self; 4] = [Self::Key, Self::Value, Self::Header, Self::Chain];

    fn stage_and_class(self) -> (Stage, &'static str) {
        match self {
            Self::Key => (Stage::KeyConverter, "k"),
            Self::Value => (Stage::ValueConverter, "v"),
            Self::Header => (Stage::HeaderConverter, "h"),
            Self::Chain => (Stage::Transformation, "first"),
        }
    }

    /// A pipeline in which this one fails so.
    fn failing(self, tolerance: Tolerance, failing: &Failing) -> Pipeline {
        let mut pipeline = pipeline(tolerance, Some(Choosing::default()));
        let naming = |name| Box::new(Naming { failing: failing.clone(), ..naming(name) });
        match self {
            Self::Key => pipeline.key.converter = naming("k"),
            Self::Value => pipeline.value.converter = naming("v"),
            Self::Header => pipeline.header.converter = naming("h"),
            Self::Chain => {
                let failing = failing.clone();
                let chain = Choosing { failing, ..Choosing::default() };
                pipeline.chain.as_mut().unwrap().transformations = Box::new(chain);
            }
        }
        pipeline
    }
}

fn retriable() -> FaultKind {
    FaultKind::Retriable { after: None }
}

/// Fails so with every call that has a row of this value.
fn poisoned(poison: &'static str, kind: FaultKind) -> Failing {
    Failing { poison: Some((poison, kind)), ..Failing::default() }
}

/// Seven rows, of which the fourth has key `3`; keys are the rows' numbers.
const VALUES: [&str; 7] = ["a", "split", "c3", "3", "drop", "f", "g"];

#[tokio::test]
async fn of_a_call_that_fails_with_one_row_only_that_row_is_lost_on_the_way_to_kafka() {
    for place in Where::ALL {
        for kind in [retriable(), FaultKind::Record] {
            // Two values end with the poison, and one key.
            let mut pipeline = place.failing(Tolerance::All, &poisoned("3", kind));
            let rows = pipeline.outgoing(polled(&VALUES)).await.unwrap();
            let lost: &[u32] = if matches!(place, Where::Key) { &[3] } else { &[2, 3] };
            let bad: Vec<u32> = rows.bad.iter().map(|bad| bad.row).collect();
            assert_eq!(bad, lost, "{place:?}");
            let at = (rows.bad[0].stage, &*rows.bad[0].class);
            assert_eq!(at, place.stage_and_class());
            assert_eq!(rows.bad[0].problem.message, "failed as a whole");
            let expected: Vec<u32> =
                [0, 1, 1, 2, 5, 6].into_iter().filter(|row| !lost.contains(row)).collect();
            assert_eq!(rows.origin.as_deref(), Some(expected.as_slice()), "{place:?}");
            let of = |name: &str| -> Vec<String> {
                expected.iter().map(|row| format!("{name}:{}", VALUES[*row as usize])).collect()
            };
            let keys: Vec<String> = expected.iter().map(|row| format!("k:{row}")).collect();
            assert_eq!(text(&rows.batch.value.bytes), of("v"), "{place:?}");
            assert_eq!(text(&rows.batch.headers.values.bytes), of("h"), "{place:?}");
            assert_eq!(text(&rows.batch.key.bytes), keys, "{place:?}");
            rows.batch.check("batch").unwrap();
        }
    }
}

#[tokio::test]
async fn of_a_call_that_fails_with_one_row_only_that_row_is_lost_on_the_way_to_a_sink() {
    for place in Where::ALL {
        let failing = poisoned("3", retriable());
        let mut pipeline = place.failing(Tolerance::All, &failing);
        let mut consumed = consumed(&VALUES);
        let before = consumed.clone();
        let (rows, _) = pipeline.incoming(&mut consumed, &[]).await.unwrap();
        let lost: &[u32] = if matches!(place, Where::Key) { &[3] } else { &[2, 3] };
        let bad: Vec<u32> = rows.bad.iter().map(|bad| bad.row).collect();
        assert_eq!(bad, lost, "{place:?}");
        assert_eq!((rows.bad[0].stage, &*rows.bad[0].class), place.stage_and_class());
        let expected = [0, 1, 1, 2, 5, 6].into_iter().filter(|row| !lost.contains(row));
        let offsets: Vec<i64> = expected.map(|row| 100 + i64::from(row)).collect();
        assert_eq!(rows.batch.offset, offsets, "{place:?}");
        rows.batch.check("batch").unwrap();
        assert_eq!(consumed, before);
    }
}

#[tokio::test]
async fn without_tolerance_the_row_that_fails_alone_ends_the_task() {
    for place in Where::ALL {
        let mut pipeline = place.failing(Tolerance::None, &poisoned("5", retriable()));
        let rows = pipeline.outgoing(polled(&["0", "1", "2", "3", "4", "5"])).await.unwrap();
        assert_eq!(rows.batch.rows, 5, "rows before it still go: {place:?}");
        let (row, fault) = rows.failed.unwrap();
        assert_eq!((row, fault.message.as_str()), (5, "Tolerance exceeded in error handler"));
        assert!(fault.trace.unwrap().ends_with("RetriableException: failed as a whole"));
    }
}

#[tokio::test]
async fn rows_of_several_topics_and_without_headers_are_put_together_as_they_were() {
    for place in Where::ALL {
        let failing = Failing::default();
        let mut whole = place.failing(Tolerance::All, &failing);
        let batch = || {
            let mut batch = polled(&["a", "b", "c", "d", "e"]);
            batch.topics = vec!["t".to_owned(), "u".to_owned()];
            batch.topic = vec![1, 0, 0, 1, 0];
            batch.headers.ends = vec![0, 0, 2, 2, 5];
            batch
        };
        let expected = whole.outgoing(batch()).await.unwrap().batch;
        failing.next.lock().unwrap().extend([retriable(), retriable()]);
        let rows = whole.outgoing(batch()).await.unwrap();
        assert_eq!(rows.batch, expected, "{place:?}");
        assert!(rows.bad.is_empty());
        assert!(failing.calls().len() > 4, "it was cut: {:?}", failing.calls());
    }
}

#[tokio::test]
async fn headers_that_a_converter_adds_stay_with_their_rows() {
    let mut pipeline = pipeline(Tolerance::All, None);
    let failing = poisoned("x", retriable());
    pipeline.value.converter = Box::new(Naming { adds_header: true, failing, ..naming("v") });
    let rows = pipeline.outgoing(polled(&["a", "x", "b"])).await.unwrap();
    assert_eq!(text(&rows.batch.headers.names), ["0", "v", "2", "v"]);
}

#[tokio::test]
async fn a_fault_that_is_not_about_rows_ends_the_task_wherever_it_comes() {
    for first in [Vec::new(), vec![retriable()]] {
        let failing = Failing::default();
        failing.next.lock().unwrap().push(FaultKind::Fatal);
        failing.next.lock().unwrap().extend(first);
        let mut pipeline = Where::Value.failing(Tolerance::All, &failing);
        let fault = pipeline.outgoing(polled(&["a", "b"])).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Fatal);
    }
}

/// Puts these rows through, where the value converter fails so. Answers the rows that are left, the calls made, and how long it took.
async fn timed(
    failing: &Failing,
    timeout: Option<Duration>,
    values: &[&str],
) -> (Vec<String>, Vec<usize>, Duration) {
    let mut pipeline = Where::Value.failing(Tolerance::All, failing);
    pipeline.policy.config.retry_timeout = timeout;
    pipeline.policy.config.retry_delay_max = Duration::from_secs(60);
    let begun = Instant::now();
    let rows = pipeline.outgoing(polled(values)).await.unwrap();
    (text(&rows.batch.value.bytes), failing.calls(), begun.elapsed())
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_now_is_made_again_until_it_succeeds() {
    for timeout in [Some(ms(10_000)), None] {
        let failing = Failing::default();
        failing.next.lock().unwrap().extend(vec![retriable(); 3]);
        let (left, calls, took) = timed(&failing, timeout, &["a"]).await;
        assert_eq!((left, calls), (vec!["v:a".to_owned()], vec![1; 4]));
        assert_eq!(took, ms(300 + 600 + 1200));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_for_now_is_given_up_when_the_timeout_is_over() {
    let (left, calls, took) = timed(&poisoned("x", retriable()), Some(ms(1000)), &["x"]).await;
    assert!(left.is_empty());
    assert_eq!((calls, took), (vec![1; 4], ms(1000)), "after 300, 600 and the 100 left");
    let (left, calls, took) = timed(&poisoned("x", retriable()), Some(ms(0)), &["x"]).await;
    assert_eq!((left.len(), calls, took), (0, vec![1], ms(0)), "without a timeout: one attempt");
}

#[tokio::test(start_paused = true)]
async fn without_an_end_a_call_is_made_again_for_ever() {
    let failing = Failing::default();
    failing.next.lock().unwrap().extend(vec![retriable(); 200]);
    let (left, calls, took) = timed(&failing, None, &["a"]).await;
    assert_eq!((left.len(), calls.len()), (1, 201));
    assert!(took > Duration::from_secs(600), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_row_waits_no_longer_in_a_batch_than_it_would_alone_and_its_neighbours_hardly_at_all() {
    let values = ["a", "b", "c", "x", "e", "f", "g"];
    let (left, calls, took) = timed(&poisoned("x", retriable()), Some(ms(1000)), &values).await;
    assert_eq!(left, ["v:a", "v:b", "v:c", "v:e", "v:f", "v:g"]);
    // The failure of the whole counts for the first row, which is fine a moment later; from then on it is the bad row's.
    assert_eq!(calls, [7, 3, 4, 2, 1, 1, 1, 2]);
    assert_eq!(took, ms(300 + 1000));
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_passes_costs_no_row() {
    let failing = Failing::default();
    failing.next.lock().unwrap().extend(vec![retriable(); 6]);
    let (left, calls, _) = timed(&failing, Some(ms(60_000)), &["a"; 100]).await;
    assert_eq!(left.len(), 100);
    assert_eq!(calls, [100, 50, 25, 12, 6, 3, 1, 2, 3, 6, 13, 25, 50]);
    // Without any time to wait, what passes before the first row stands alone costs nothing either.
    let failing = Failing::default();
    failing.next.lock().unwrap().extend(vec![retriable(); 6]);
    let (left, _, took) = timed(&failing, Some(ms(0)), &["a"; 100]).await;
    assert_eq!((left.len(), took), (100, ms(0)));
}

#[tokio::test(start_paused = true)]
async fn a_task_that_stops_while_it_retries_judges_nothing() {
    for values in [&["x"][..], &["a", "b", "x", "c"]] {
        let mut pipeline = Where::Value.failing(Tolerance::All, &poisoned("x", retriable()));
        pipeline.policy.config.retry_timeout = None;
        pipeline.policy.config.retry_delay_max = Duration::from_secs(60);
        let stopping = pipeline.policy.stopping.clone();
        tokio::spawn(async move {
            tokio::time::sleep(ms(5000)).await;
            stopping.cancel();
        });
        let begun = Instant::now();
        let fault = pipeline.outgoing(polled(values)).await.unwrap_err();
        assert!(fault.is_retriable(), "rows of a call that was given up come again");
        assert_eq!(begun.elapsed(), ms(5000));
        let fault = pipeline.incoming(&mut consumed(values), &[]).await.unwrap_err();
        assert!(fault.is_retriable());
    }
}

#[tokio::test(start_paused = true)]
async fn a_plugin_says_itself_how_long_to_wait() {
    let failing = Failing::default();
    let kind = FaultKind::Retriable { after: Some(ms(7)) };
    failing.next.lock().unwrap().extend(vec![kind; 2]);
    let (left, _, took) = timed(&failing, Some(ms(1000)), &["a", "b"]).await;
    assert_eq!((left.len(), took), (2, ms(14)));
}

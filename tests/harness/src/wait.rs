//! Waiting for a condition with a deadline: what tests do instead of sleeping.
//!
//! Not here: what is waited for.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

/// Time between two looks at a condition: short beside what tests wait for, long beside a look.
const PAUSE: Duration = Duration::from_millis(5);

/// Waits until `condition` holds.
///
/// Errors: `deadline` has passed; says `what` was waited for.
pub fn wait_for(mut condition: impl FnMut() -> bool, what: &str, deadline: Duration) -> Result<()> {
    wait_for_some(|| condition().then_some(()), what, deadline)
}

/// Waits until `look` finds something, and returns it.
///
/// Errors: as [`wait_for`].
pub fn wait_for_some<T>(
    mut look: impl FnMut() -> Option<T>,
    what: &str,
    deadline: Duration,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return Ok(found);
        }
        if start.elapsed() > deadline {
            bail!("waited {deadline:?} in vain: {what}");
        }
        pause(PAUSE);
    }
}

/// Waits until an asynchronous `condition` holds.
///
/// Errors: as [`wait_for`].
pub async fn wait_until(
    mut condition: impl AsyncFnMut() -> bool,
    what: &str,
    deadline: Duration,
) -> Result<()> {
    let start = Instant::now();
    while !condition().await {
        if start.elapsed() > deadline {
            bail!("waited {deadline:?} in vain: {what}");
        }
        tokio::time::sleep(PAUSE).await;
    }
    Ok(())
}

/// Lets time pass between two looks.
#[expect(clippy::disallowed_methods, reason = "the one place that waits between two looks")]
pub fn pause(time: Duration) {
    std::thread::sleep(time);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_comes_true_ends_the_wait() {
        let mut looks = 0;
        let third = || {
            looks += 1;
            (looks == 3).then_some(looks)
        };
        assert_eq!(wait_for_some(third, "the third look", Duration::from_secs(10)).unwrap(), 3);
    }

    #[test]
    fn a_wait_in_vain_says_for_what() {
        let error = wait_for(|| false, "rain", Duration::from_millis(1)).unwrap_err();
        assert!(error.to_string().contains("rain"), "{error}");
    }
}

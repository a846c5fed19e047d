//! How often a page is told of changes: at once after quiet, then at most twice a second.
//! Spec site.md 14.

use std::time::{Duration, Instant};

/// The least time between two patches.
const STEP: Duration = Duration::from_millis(500);

/// When the next patch may go.
#[derive(Debug, Clone, Copy, Default)]
pub struct Pace {
    last: Option<Instant>,
}

impl Pace {
    /// The moment at which a change that is known now may be told.
    pub fn next(&self, now: Instant) -> Instant {
        self.last.map_or(now, |last| (last + STEP).max(now))
    }

    /// A patch was sent.
    pub fn sent(&mut self, now: Instant) {
        self.last = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_once_after_quiet_and_twice_a_second_in_a_storm() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut pace = Pace::default();
        // Changes each 10 ms for two seconds, then one after a second of quiet.
        let mut sent: Vec<u64> = Vec::new();
        let mut free = 0;
        for ms in (0..2000).step_by(10).chain([3400]) {
            if ms < free {
                continue;
            }
            let when = pace.next(at(ms));
            let when_ms = u64::try_from((when - start).as_millis()).unwrap_or(0);
            pace.sent(when);
            sent.push(when_ms);
            free = when_ms;
        }
        assert_eq!(sent, [0, 500, 1000, 1500, 2000, 3400]);
    }
}

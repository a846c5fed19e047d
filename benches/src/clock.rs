//! The clock of the tables: processor time of this thread, so that a busy machine does not change the figures.
//! The competitor is measured by processor time too.

use std::time::{Duration, Instant};

use rustix::time::{ClockId, Timespec, clock_gettime};

fn now() -> Duration {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ThreadCPUTime);
    // Neither is ever negative on this clock.
    Duration::new(tv_sec.unsigned_abs(), u32::try_from(tv_nsec).unwrap_or_default())
}

/// What repeated runs took.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    /// Runs the work at least 5 times, for about a second.
    pub(crate) fn of(mut work: impl FnMut()) -> Self {
        let begin = Instant::now();
        let mut times = Vec::new();
        while times.len() < 5 || (begin.elapsed() < Duration::from_secs(1) && times.len() < 1001) {
            let start = now();
            work();
            times.push(now().saturating_sub(start));
        }
        times.sort();
        Self(times)
    }

    /// Milliseconds of the run in the middle.
    pub(crate) fn median_ms(&self) -> f64 {
        self.0[self.0.len() / 2].as_secs_f64() * 1000.0
    }

    /// Milliseconds of the shortest run.
    pub(crate) fn least_ms(&self) -> f64 {
        self.0[0].as_secs_f64() * 1000.0
    }
}

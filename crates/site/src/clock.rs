//! What time it is, for everything that the site writes down.
//! Spec protocol.md 10: microseconds since 1970, in UTC.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::SystemTime;

use protocol::text::time::Moment;

/// The site's clock. Tests push it forward.
#[derive(Debug, Default)]
pub struct Clock {
    ahead: AtomicI64,
}

impl Clock {
    /// Microseconds since 1970.
    pub fn microseconds(&self) -> i64 {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
        now.saturating_add(self.ahead.load(Ordering::Relaxed))
    }

    /// The same as messages write it.
    pub fn now(&self) -> Moment {
        moment(self.microseconds())
    }

    /// Pushes it forward by so many seconds.
    pub fn advance(&self, seconds: i64) {
        self.ahead.fetch_add(seconds.saturating_mul(1_000_000), Ordering::Relaxed);
    }
}

/// A stored moment as messages write it; what no message can hold is the beginning of 1970.
pub fn moment(microseconds: i64) -> Moment {
    Moment::from_microseconds(microseconds).unwrap_or(Moment::BEGIN)
}

/// One second, in the unit of all stored times.
pub const SECOND: i64 = 1_000_000;
/// One minute.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour.
pub const HOUR: i64 = 60 * MINUTE;
/// One day.
pub const DAY: i64 = 24 * HOUR;

/// Now by the machine's clock, where no [`Clock`] is at hand: when a row was made.
pub(crate) fn now() -> i64 {
    Clock::default().microseconds()
}

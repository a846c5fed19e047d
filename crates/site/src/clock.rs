//! The time as the site stores it.
//! Spec site.md 2: microseconds since the epoch, UTC.

/// One second, in the unit of all stored times.
pub const SECOND: i64 = 1_000_000;
/// One minute.
pub const MINUTE: i64 = 60 * SECOND;
/// One hour.
pub const HOUR: i64 = 60 * MINUTE;
/// One day.
pub const DAY: i64 = 24 * HOUR;

/// Now, in microseconds since the epoch, UTC.
pub fn now() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}

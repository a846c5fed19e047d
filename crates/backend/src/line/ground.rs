//! Clock and chance, so that a test can hand in its own.
//! Spec protocol.md 7.2 (jitter), 10 (clocks). Waiting is tokio's, whose time a test can pause.

use protocol::text::time::Moment;

/// What a line stands on.
pub trait Ground: Send + Sync + std::fmt::Debug {
    /// The wall clock.
    fn now(&self) -> Moment;
    /// Any number.
    fn random(&self) -> u128;
}

/// This machine's.
#[derive(Debug, Clone, Copy, Default)]
pub struct System;

impl Ground for System {
    fn now(&self) -> Moment {
        let now = jiff::Timestamp::now().as_microsecond();
        Moment::from_microseconds(now).unwrap_or_else(|_| unix_epoch())
    }

    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        if getrandom::fill(&mut bytes).is_err() {
            // Chance spreads retries and names calls; the clock is good enough for either.
            return u128::from(self.now().microseconds().unsigned_abs());
        }
        u128::from_le_bytes(bytes)
    }
}

#[allow(clippy::expect_used, reason = "1970 is between the years 0 and 9999")]
fn unix_epoch() -> Moment {
    Moment::from_microseconds(0).expect("1970 is a moment")
}

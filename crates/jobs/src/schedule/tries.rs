//! What follows an attempt that ended for a passing reason: another one after a wait that doubles, or the end.
//! Spec jobs.md 8.

use std::time::Duration;

use crate::StatusCode;

/// Why an attempt ended, or cannot begin, that is not the study's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The sandbox could not be started.
    NotStarted,
    /// Its supervisor or its host is gone.
    Lost,
    /// A passing error of the database (exit code 3 of the engine).
    Database,
    /// Data are being imported into the database (exit code 4 of the engine).
    Import,
    /// A fault of this program.
    Fault,
    /// The image or the code cannot be reached, or the disk is short: the attempt never began.
    Outage,
}

impl Cause {
    /// The short code that the record of an attempt keeps (spec jobs.md 8: every attempt keeps its reason).
    pub fn word(self) -> &'static str {
        match self {
            Self::NotStarted => "not_started",
            Self::Lost => "lost",
            Self::Database => "database",
            Self::Import => "import",
            Self::Fault => "fault",
            Self::Outage => "outage",
        }
    }
}

/// What follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Another attempt after this long.
    Again {
        /// How long.
        wait: Duration,
        /// Whether the ended attempt counts against the number of tries.
        counts: bool,
    },
    /// The job fails.
    GiveUp {
        /// With this code.
        code: StatusCode,
        /// And this reason, if the code has one.
        reason: Option<&'static str>,
    },
}

/// How patient the engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tries {
    /// The first wait; each later one is twice the one before.
    pub base: Duration,
    /// The longest wait.
    pub cap: Duration,
    /// How long what is not an attempt may last: imports, outages, a full disk. Zero: not at all.
    pub max_wait: Duration,
}

impl Tries {
    /// Of a backend.
    pub const BACKEND: Self =
        Self { base: Duration::from_secs(10), cap: Duration::from_secs(900), max_wait: Duration::from_secs(24 * 3600) };
    /// Of a laptop, where a person waits: what is short or away is told at once, and waits are short.
    pub const LAPTOP: Self = Self { base: Duration::from_secs(1), max_wait: Duration::ZERO, ..Self::BACKEND };

    /// How many attempts a job has that end so; `None` if time is the limit.
    pub fn most(cause: Cause) -> Option<u32> {
        match cause {
            Cause::NotStarted | Cause::Lost | Cause::Database => Some(3),
            Cause::Fault => Some(2),
            Cause::Import | Cause::Outage => None,
        }
    }

    /// What follows an attempt that ended so. `tries` counts it and those before it that count; `waited` is the time since
    /// the job first waited for this cause; `chance` is from 0 to below 1.
    pub fn next(self, cause: Cause, tries: u32, waited: Duration, chance: f64) -> Next {
        let exhausted = match Self::most(cause) {
            Some(most) => tries >= most,
            None => waited >= self.max_wait,
        };
        if exhausted {
            return match cause {
                Cause::Fault => Next::GiveUp { code: StatusCode::InternalError, reason: None },
                _ => Next::GiveUp { code: StatusCode::JobError, reason: Some("retries_exhausted") },
            };
        }
        let (base, cap) = match cause {
            Cause::Import => (Duration::from_secs(5 * 60), Duration::from_secs(30 * 60)),
            Cause::Outage => (Duration::from_secs(5), Duration::from_secs(5 * 60)),
            _ => (self.base, self.cap),
        };
        Next::Again { wait: back_off(base, cap, tries, chance), counts: Self::most(cause).is_some() }
    }
}

/// `min(cap, base * 2^(n-1))`, times 0.5 to 1.5 by chance.
pub(crate) fn back_off(base: Duration, cap: Duration, n: u32, chance: f64) -> Duration {
    let doubled = base.saturating_mul(1 << n.saturating_sub(1).min(20));
    doubled.min(cap).mul_f64(0.5 + chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRIES: Tries = Tries::BACKEND;

    fn again(cause: Cause, tries: u32, chance: f64) -> Option<(f64, bool)> {
        match TRIES.next(cause, tries, Duration::ZERO, chance) {
            Next::Again { wait, counts } => Some((wait.as_secs_f64(), counts)),
            Next::GiveUp { .. } => None,
        }
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let mid = |n| back_off(TRIES.base, TRIES.cap, n, 0.5).as_secs();
        assert_eq!([1, 2, 3, 4, 7, 8, 60].map(mid), [10, 20, 40, 80, 640, 900, 900]);
        assert_eq!(back_off(TRIES.base, TRIES.cap, 2, 0.0).as_secs(), 10);
        assert_eq!(back_off(TRIES.base, TRIES.cap, 2, 1.0).as_secs(), 30);
    }

    #[test]
    fn each_cause_has_its_number_of_tries() {
        assert_eq!(again(Cause::NotStarted, 1, 0.5), Some((10.0, true)));
        assert_eq!(again(Cause::Lost, 2, 0.5), Some((20.0, true)));
        assert_eq!(again(Cause::Database, 3, 0.5), None);
        assert_eq!(again(Cause::Fault, 1, 0.5), Some((10.0, true)));
        assert_eq!(again(Cause::Fault, 2, 0.5), None);
        assert_eq!(again(Cause::Import, 1, 0.5), Some((300.0, false)));
        assert_eq!(again(Cause::Import, 9, 0.5), Some((1800.0, false)));
        assert_eq!(again(Cause::Outage, 1, 0.5), Some((5.0, false)));
    }

    #[test]
    fn the_end_says_why() {
        let day = Duration::from_secs(24 * 3600);
        let give_up = |cause, tries, waited| match TRIES.next(cause, tries, waited, 0.5) {
            Next::GiveUp { code, reason } => (code, reason),
            Next::Again { .. } => panic!("it goes on"),
        };
        let exhausted = (StatusCode::JobError, Some("retries_exhausted"));
        assert_eq!(give_up(Cause::NotStarted, 3, Duration::ZERO), exhausted);
        assert_eq!(give_up(Cause::Import, 1, day), exhausted);
        assert_eq!(give_up(Cause::Fault, 2, Duration::ZERO), (StatusCode::InternalError, None));
        let laptop = Tries::LAPTOP.next(Cause::Outage, 0, Duration::ZERO, 0.5);
        assert!(matches!(laptop, Next::GiveUp { code: StatusCode::JobError, .. }));
    }
}

//! What is said of where a job stands, and the rules of its times.
//! Spec jobs.md 4.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{JobState, StatusCode, Tells, UnknownWord};

/// A short code beside a status code: `missing_input`, `retries_exhausted`, `out_of_memory`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reason(String);

impl Reason {
    /// The reasons of `job_error`.
    pub const OF_JOB_ERROR: [&'static str; 8] = [
        "missing_input",
        "bad_commit",
        "image_gone",
        "unsafe_output",
        "too_many_outputs",
        "disk_limit",
        "refused_by_policy",
        "retries_exhausted",
    ];
    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Reason {
    type Err = UnknownWord;
    /// One to 64 characters `[a-z0-9_]`.
    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let ok = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
        if (1..=64).contains(&text.len()) && text.bytes().all(ok) {
            Ok(Self(text.to_owned()))
        } else {
            Err(UnknownWord { what: "reason", text: text.chars().take(80).collect() })
        }
    }
}

impl TryFrom<String> for Reason {
    type Error = UnknownWord;
    fn try_from(text: String) -> Result<Self, UnknownWord> {
        text.parse()
    }
}

impl From<Reason> for String {
    fn from(reason: Reason) -> Self {
        reason.0
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a job stands and why, for programs and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The code; it decides the state.
    pub code: StatusCode,
    /// The short code beside it.
    pub reason: Option<Reason>,
    /// For people inside; never leaves a backend.
    pub message: String,
    /// Positions, limits, counts, by name.
    pub numbers: BTreeMap<String, i64>,
    /// What may be told outside beside the code; not kept with the job.
    #[serde(default)]
    pub tells: Tells,
}

impl Status {
    /// A code and its words.
    pub fn new(code: StatusCode, message: impl Into<String>) -> Self {
        Self { code, reason: None, message: message.into(), numbers: BTreeMap::new(), tells: Tells::default() }
    }
    /// Of a job that somebody cancelled.
    pub fn cancelled() -> Self {
        Self::new(StatusCode::CancelledByUser, "Cancelled")
    }
    /// Of a job that an operator stopped for good.
    pub fn killed() -> Self {
        Self::new(StatusCode::KilledByAdmin, "Stopped by an operator")
    }
    /// With a short code beside it.
    pub fn because(self, reason: Reason) -> Self {
        Self { reason: Some(reason), ..self }
    }
    /// With what may be told outside.
    pub fn telling(mut self, set: impl FnOnce(&mut Tells)) -> Self {
        set(&mut self.tells);
        self
    }
    /// With a number.
    pub fn with(mut self, name: impl Into<String>, number: i64) -> Self {
        self.numbers.insert(name.into(), number);
        self
    }
}

/// The times of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub updated_at: i64,
    /// Unix seconds; when the attempt that counts began.
    pub started_at: Option<i64>,
    /// Unix seconds; when it really ended.
    pub completed_at: Option<i64>,
    /// Unix nanoseconds, strictly rising with each change of the code.
    pub status_code_updated_at: i64,
}

/// How long an unchanged code keeps its `updated_at`.
const REFRESH_SECONDS: i64 = 60;

/// Nanoseconds since 1970 that fit: a clock set beyond the year 2262 counts as then.
fn nanoseconds(now: Timestamp) -> i64 {
    i64::try_from(now.as_nanosecond()).unwrap_or(if now.as_second() < 0 { i64::MIN } else { i64::MAX })
}

impl Times {
    /// The times of a job made now.
    pub fn created(now: Timestamp) -> Self {
        let second = now.as_second();
        Self {
            created_at: second,
            updated_at: second,
            started_at: None,
            completed_at: None,
            status_code_updated_at: nanoseconds(now),
        }
    }

    /// The times after a change of the code. An earlier or equal clock counts as a millisecond after the last change.
    pub fn moved(self, from: StatusCode, to: StatusCode, now: Timestamp) -> Self {
        let ns = nanoseconds(now);
        let status_code_updated_at =
            if ns > self.status_code_updated_at { ns } else { self.status_code_updated_at.saturating_add(1_000_000) };
        let second = now.as_second().max(self.updated_at);
        let started_at = match (from.state(), to.state()) {
            (_, JobState::Running) => self.started_at.or(Some(second)),
            (JobState::Running, JobState::Pending) => None,
            _ => self.started_at,
        };
        let completed_at = if to.state().is_active() { None } else { Some(second) };
        Self { created_at: self.created_at, updated_at: second, started_at, completed_at, status_code_updated_at }
    }

    /// The times after hearing again of the same code: `updated_at` moves at most once a minute.
    pub fn heard_again(self, now: Timestamp) -> Self {
        let second = now.as_second();
        if second.saturating_sub(self.updated_at) >= REFRESH_SECONDS {
            Self { updated_at: second, ..self }
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn clocks_that_stand_or_go_back_still_give_rising_times() {
        let first = Times::created(at(100));
        let same = first.moved(StatusCode::Created, StatusCode::Initiated, at(100));
        assert_eq!(same.status_code_updated_at, 100_001_000_000);
        let back = same.moved(StatusCode::Initiated, StatusCode::Preparing, at(50));
        assert_eq!(back.status_code_updated_at, 100_002_000_000);
        assert_eq!((back.updated_at, back.started_at), (100, Some(100)));
        let on = back.moved(StatusCode::Preparing, StatusCode::Executing, at(101));
        assert_eq!(on.status_code_updated_at, 101_000_000_000);
    }

    #[test]
    fn started_is_kept_through_the_stages_and_emptied_by_a_reset() {
        let running = Times::created(at(1)).moved(StatusCode::Created, StatusCode::Initiated, at(2));
        assert_eq!(running.moved(StatusCode::Initiated, StatusCode::Executing, at(9)).started_at, Some(2));
        assert_eq!(running.moved(StatusCode::Initiated, StatusCode::WaitingOnReboot, at(9)).started_at, None);
        let ended = running.moved(StatusCode::Executing, StatusCode::Succeeded, at(9));
        assert_eq!((ended.started_at, ended.completed_at), (Some(2), Some(9)));
    }

    #[test]
    fn unchanged_codes_move_once_a_minute() {
        let times = Times::created(at(100));
        assert_eq!(times.heard_again(at(159)), times);
        assert_eq!(times.heard_again(at(160)).updated_at, 160);
        assert_eq!(times.heard_again(at(160)).status_code_updated_at, times.status_code_updated_at);
    }
}

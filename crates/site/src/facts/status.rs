//! The status of a request and the numbers beside it, from its answer and its own jobs.
//! Spec site.md 2.4. Pure: the same rule for facts, imported records and tests.

/// The status of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Status {
    /// Not answered, or no job has begun.
    Pending,
    /// Some jobs have begun or ended, not all ended.
    Running,
    /// Refused, or all ended and one of them failed.
    Failed,
    /// All succeeded.
    Succeeded,
    /// Answered, and there was nothing to make.
    NothingToDo,
    /// Of an old record, not known.
    Unknown,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Running, Self::Failed, Self::Succeeded, Self::NothingToDo, Self::Unknown];

    /// As it is stored and shown in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Succeeded => "succeeded",
            Self::NothingToDo => "nothing_to_do",
            Self::Unknown => "unknown",
        }
    }

    /// What a stored word means. A word of a newer program is [`Status::Unknown`].
    pub fn of(word: &str) -> Self {
        Self::ALL.into_iter().find(|status| status.as_str() == word).unwrap_or(Self::Unknown)
    }

    /// Whether it never changes again.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Failed | Self::Succeeded | Self::NothingToDo | Self::Unknown)
    }
}

/// Jobs of one request, counted and summed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Jobs {
    /// Waiting.
    pub pending: i64,
    /// Running.
    pub running: i64,
    /// Succeeded.
    pub succeeded: i64,
    /// Failed, cancelled ones too.
    pub failed: i64,
    /// Failed because somebody cancelled them.
    pub cancelled: i64,
    /// The least start.
    pub first_started: Option<i64>,
    /// The greatest end.
    pub last_finished: Option<i64>,
    /// Seconds of those that ended.
    pub runtime_s: i64,
}

/// What a request with jobs of its own shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Its status.
    pub status: Status,
    /// Why, if it failed.
    pub reason: Option<&'static str>,
    /// Whether all that failed was cancelled.
    pub cancelled: bool,
    /// The end, once it is final.
    pub last_finished: Option<i64>,
}

impl Jobs {
    /// How many there are.
    pub fn total(&self) -> i64 {
        self.pending + self.running + self.succeeded + self.failed
    }

    /// The status over them; there is at least one.
    pub fn shown(&self) -> Shown {
        let total = self.total();
        let status = if self.pending == total {
            Status::Pending
        } else if self.succeeded == total {
            Status::Succeeded
        } else if self.succeeded + self.failed == total {
            Status::Failed
        } else {
            Status::Running
        };
        let failed = status == Status::Failed;
        Shown {
            status,
            reason: failed.then_some("job_failure"),
            cancelled: failed && self.cancelled == self.failed,
            last_finished: if status.is_final() { self.last_finished } else { None },
        }
    }
}

/// `HH:MM:SS`, hours at least two digits and unbounded.
pub fn clock(seconds: i64) -> String {
    let seconds = seconds.max(0);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// The runtime of a request: `-` if nothing ever started.
pub fn runtime(started: bool, seconds: i64) -> String {
    if started { clock(seconds) } else { "-".to_owned() }
}

/// A share of a whole as a percentage with one decimal, dropped when it is zero.
pub fn percentage(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "0%".to_owned();
    }
    // Tenths of a percent, half rounded up.
    let tenths = (part * 2000 + whole) / (whole * 2);
    if tenths % 10 == 0 { format!("{}%", tenths / 10) } else { format!("{}.{}%", tenths / 10, tenths % 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_shares_of_the_spec() {
        assert_eq!([5, 187_200, 412_345, 0].map(clock), ["00:00:05", "52:00:00", "114:32:25", "00:00:00"]);
        assert_eq!((runtime(false, 0), runtime(true, 0)), ("-".to_owned(), "00:00:00".to_owned()));
        // 6 of 13 is 46.15 %; 1 of 3 is 33.33; 2 of 3 is 66.67; 1 of 8 is exactly 12.5.
        let shares = [(6, 13), (0, 5), (5, 5), (1, 3), (2, 3), (1, 8), (0, 0)];
        assert_eq!(shares.map(|(a, b)| percentage(a, b)), ["46.2%", "0%", "100%", "33.3%", "66.7%", "12.5%", "0%"]);
    }
}

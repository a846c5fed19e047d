//! Every sentence about a state, a code or a reason, in one place; made from the code and its closed values alone.
//! Spec site.md 4.8, jobs.md 4. A code of a newer backend gets a neutral sentence, and its name.

mod failed;
mod reasons;
mod waiting;

pub use reasons::{checking, codelists, decided, reason, staleness};

use serde_json::Value;
use ui::icon::State;
use ui::time::At;

use crate::store::read::{JobRow, Permission};

/// What a page says about a job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// What is the case; empty where the state says it all.
    pub sentence: String,
    /// What to do about it; may be empty.
    pub advice: String,
    /// Identifiers of jobs that the sentence is about; the page puts links behind it.
    pub jobs: Vec<String>,
}

impl Said {
    fn just(sentence: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), ..Self::default() }
    }

    fn then(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    fn about(mut self, params: &Value) -> Self {
        self.jobs = params["blocked_by"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|j| j.as_str().map(String::from))
            .collect();
        self
    }
}

/// What is known beside the job itself.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// Name of the backend.
    pub backend: String,
    /// Since when the backend is in its mode, in words; empty if it is not known.
    pub mode_since: String,
    /// Whether the mode was planned (`scheduled`) or begun by a person (`manual`); empty if it is not known.
    pub mode_kind: String,
    /// The place in the queue, such as `3rd of 17`; empty if it is not known.
    pub position: String,
    /// Since when it waits, in words; empty if it is not known.
    pub since: String,
    /// Who cancelled it, when and why, in words; empty if that is not known here.
    pub cancelled: String,
}

/// The state of a job, as a label shows it.
pub fn state(status: &str, code: &str) -> State {
    match (status, code) {
        ("failed", "cancelled_by_user") => State::Cancelled,
        _ => plain_state(status),
    }
}

/// The state of a request, as a label shows it.
pub fn request_state(status: &str, cancelled: bool) -> State {
    if cancelled { State::Cancelled } else { plain_state(status) }
}

fn plain_state(status: &str) -> State {
    match status {
        "pending" => State::Pending,
        "running" => State::Running,
        "succeeded" => State::Succeeded,
        "failed" => State::Failed,
        "nothing_to_do" => State::NothingToDo,
        _ => State::Unknown,
    }
}

/// The word of a label: the state's own, a finer one while it runs, or that of a newer program with `_` as spaces.
pub fn word(status: &str, code: &str) -> String {
    match state(status, code) {
        State::Unknown if status != "unknown" => neutral(status),
        state => state.word().to_owned(),
    }
}

/// A code in words that assume nothing: `_` as spaces, first letter capital.
pub fn neutral(code: &str) -> String {
    let spaced = code.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Why an attempt ended, for the list of a job's attempts. More of a passing reason never leaves the backend.
pub fn attempt_ended(code: &str) -> String {
    match code {
        "waiting_on_new_task" => "A passing reason on the backend: it was tried again".to_owned(),
        "waiting_on_reboot" => "The server was restarted: it was run again".to_owned(),
        "waiting_db_maintenance" => "The database was in maintenance: it was run again".to_owned(),
        code => neutral(code),
    }
}

/// What to say about a job.
pub fn job(job: &JobRow, around: &Around) -> Said {
    let params = &job.params;
    match job.status.as_str() {
        "pending" => {
            let mut said = waiting::said(&job.code, job.weight, params, around);
            if job.code == "waiting_on_dependencies" && said.jobs.is_empty() {
                let waits = job.needs.iter().filter(|need| need.kind == "waits");
                said.jobs = waits.map(|need| need.needed.clone()).collect();
            }
            said
        }
        "running" => match job.code.as_str() {
            "initiated" | "preparing" | "prepared" => Said::just("Being set up."),
            "executing" => Said::default(),
            "executed" | "finalizing" | "finalized" => Said::just("Its outputs are being collected."),
            code => unknown(code),
        },
        "succeeded" if params["excluded"] == true => {
            Said::just("Some moderately sensitive files were held back, because of their kind, size or content.")
                .then("The log of the action, on the review site, says which and why.")
        }
        "succeeded" => match job.code.as_str() {
            "succeeded" | "legacy" => Said::default(),
            code => unknown(code),
        },
        "failed" => failed::said(&job.action, &job.code, params, around),
        _ => unknown(&job.code),
    }
}

fn unknown(code: &str) -> Said {
    if code == "legacy" {
        return Said::just("An old record that does not say more.");
    }
    Said::just(format!("The backend says “{code}”, a code that this site does not know."))
}

/// A data permission in one line: what, by whom, until when.
pub fn permission(permission: &Permission) -> String {
    let mut words = permission.title.clone();
    if let Some(by) = &permission.approved_by {
        words.push_str(&format!(" · approved by {by}"));
    }
    if let Some(end) = permission.expires_at {
        words.push_str(&format!(" · until {}", At(end).day()));
    }
    words
}

/// 1st, 2nd, 3rd, 4th, … 11th, … 21st.
pub fn ordinal(number: u64) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// A duration in the words of limits: `7 days`, `90 minutes`.
fn long(seconds: i64) -> String {
    for (size, name) in [(86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")] {
        if seconds >= size && seconds % size == 0 {
            let count = seconds / size;
            return format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        }
    }
    format!("{seconds} seconds")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops at its first surprise")]
mod tests;

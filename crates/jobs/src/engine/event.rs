//! What the engine tells whoever started it while it works: plain data, one message per change.
//! Spec cli.md 4.4-4.6; a backend turns the same events into facts.

use pipeline::{ActionName, PrivacyLevel};

use crate::collect::Hint;
use crate::log::Tail;
use crate::schedule::Modes;
use crate::state::StatusCode;
use crate::{JobState, ObjectId};

/// One change.
#[derive(Debug, Clone)]
pub enum Event {
    /// A job entered a stage.
    Stage {
        /// Whose job.
        action: ActionName,
        /// Which stage.
        stage: Stage,
    },
    /// A look at a running job.
    Sample {
        /// Whose job.
        action: ActionName,
        /// Bytes of memory now.
        memory: u64,
        /// Seconds of processor so far.
        cpu_seconds: f64,
    },
    /// A job is pending again: an attempt ended that was not its end.
    PutBack {
        /// Whose job.
        action: ActionName,
        /// Why, and when it goes on.
        message: String,
    },
    /// A process of a job cannot be ended: its place stays taken, the others go on.
    Stuck {
        /// Whose job.
        action: ActionName,
        /// What was tried.
        message: String,
    },
    /// Nothing starts, or something starts again, by the will of an operator.
    Modes(Modes),
    /// A job ended, also one that never started.
    Finished(Box<JobReport>),
}

/// What a job is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Its workspace is being made.
    Preparing,
    /// The code is in: number of files.
    CopiedCode(usize),
    /// An output of a needed action is in.
    CopiedInput(String),
    /// The command runs.
    Executing,
    /// Outputs are collected.
    Recording,
    /// An output is in its place.
    Recorded(String),
}

/// An output of a finished job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportedOutput {
    /// Relative to the workspace.
    pub path: String,
    /// Its level.
    pub level: PrivacyLevel,
    /// Bytes.
    pub size: u64,
    /// Its bytes.
    pub object: ObjectId,
    /// Why it could not be shown on a backend, if so.
    pub excluded: Option<String>,
}

/// How a job ended, with all that a person needs to understand it.
#[derive(Debug, Clone, PartialEq)]
pub struct JobReport {
    /// Whose job.
    pub action: ActionName,
    /// The final code.
    pub code: StatusCode,
    /// Whether everything to be shown of it is in its place.
    pub in_place: bool,
    /// In words.
    pub message: String,
    /// Of the command; `None` if it never ran to its end.
    pub exit_code: Option<i32>,
    /// From claim to result.
    pub seconds: f64,
    /// Of all its processes together, in bytes.
    pub peak_memory: u64,
    /// The log file, relative to the workspace; `None` if there is none.
    pub log: Option<String>,
    /// What was collected.
    pub outputs: Vec<ReportedOutput>,
    /// Declared patterns that matched nothing.
    pub unmatched: Vec<String>,
    /// New files that matched nothing.
    pub hint: Option<Hint>,
    /// The end of the log, for a job that failed.
    pub tail: Tail,
    /// Remarks: files kept, levels that clash, a sandbox that was kept.
    pub notes: Vec<String>,
}

impl JobReport {
    /// One that never had an attempt.
    pub fn not_started(action: ActionName, code: StatusCode, message: impl Into<String>) -> Self {
        Self {
            action,
            code,
            in_place: true,
            message: message.into(),
            exit_code: None,
            seconds: 0.0,
            peak_memory: 0,
            log: None,
            outputs: Vec::new(),
            unmatched: Vec::new(),
            hint: None,
            tail: Tail::default(),
            notes: Vec::new(),
        }
    }

    /// Whether the job succeeded.
    pub fn succeeded(&self) -> bool {
        self.code.state() == JobState::Succeeded
    }

    /// Whether somebody ended it.
    pub fn cancelled(&self) -> bool {
        self.code == StatusCode::CancelledByUser
    }
}

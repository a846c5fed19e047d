//! A last look before each start: what a backend's own rules say of a job at that moment.
//! Spec protocol.md 1 (checked again before each start); jobs.md 4 (`refused_by_policy`).

use super::Work;
use crate::ObjectId;
use crate::state::{PolicyRule, WaiverMode};

/// A job may not start, now or ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Which rule.
    pub rule: PolicyRule,
    /// The end of "because", for people inside.
    pub words: String,
}

/// A SQL file that may run although it does not say how it treats type 1 opt-outs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waived {
    /// Its bytes.
    pub sql: ObjectId,
    /// Why it may.
    pub mode: WaiverMode,
}

/// Asked before each attempt, on the scheduler's own thread: answers come from memory.
pub trait Admission: Send + Sync {
    /// Whether the job may start now.
    ///
    /// # Errors
    /// It may not: it fails, and all that waits for it.
    fn admit(&self, work: &Work) -> Result<(), Refusal>;

    /// The SQL files of its commit that this job may run without their saying how they treat type 1 opt-outs (spec actions.md 7.5);
    /// `None` where the version of the project decides. Asked for each attempt; may look at the disk.
    ///
    /// # Errors
    /// It cannot be known, in words: the attempt fails.
    fn waived_sql(&self, _: &Work) -> Result<Option<Vec<Waived>>, String> {
        Ok(None)
    }
}

/// No rules: a laptop, where who runs a study may run it.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoRules;

impl Admission for NoRules {
    fn admit(&self, _: &Work) -> Result<(), Refusal> {
        Ok(())
    }
}

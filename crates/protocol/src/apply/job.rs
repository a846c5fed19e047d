//! A job as its facts tell it: pending and running in turns, then ended once and for ever.
//! Spec protocol.md 4.3.

use super::NotApplied;
use crate::fact::codes::{Ending, Reset, Stage, Waiting};
use crate::fact::job::{FinalState, JobFinished, JobReset, JobStage, JobStarted, JobWaiting};
use crate::text::ids::RequestId;
use crate::text::names::ActionName;
use crate::text::time::Moment;
use crate::text::whole::AttemptNumber;

/// A job at the site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its request.
    pub request: RequestId,
    /// Its action.
    pub action: ActionName,
    /// What is the case with it.
    pub status: Status,
    /// Attempts that ended for a passing reason, in their order.
    pub earlier: Vec<Earlier>,
}

/// What is the case with a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// It waits.
    Pending(Why),
    /// It runs.
    Running {
        /// Which attempt.
        started: JobStarted,
        /// When it began.
        at: Moment,
        /// How far it is.
        stage: Stage,
    },
    /// It ended.
    Ended {
        /// How.
        finished: Box<JobFinished>,
        /// When.
        at: Moment,
        /// The attempt that ended, and when it began; none if it never ran.
        ran: Option<(AttemptNumber, Moment)>,
    },
}

/// Why a job waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It has not run.
    Waiting(Waiting),
    /// It was put back.
    Reset(Reset),
}

/// An attempt that ended for a passing reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Earlier {
    /// How it began.
    pub started: JobStarted,
    /// When it began.
    pub at: Moment,
    /// When it ended.
    pub ended: Moment,
    /// Why.
    pub why: Reset,
}

/// What a fact tells of a job.
#[derive(Debug, Clone, Copy)]
pub enum JobFact<'a> {
    /// Why it waits.
    Waiting(&'a JobWaiting),
    /// An attempt began.
    Started(&'a JobStarted),
    /// An attempt went on.
    Stage(&'a JobStage),
    /// It was put back.
    Reset(&'a JobReset),
    /// It ended.
    Finished(&'a JobFinished),
}

impl Job {
    /// A job that was just made.
    pub fn new(request: RequestId, action: ActionName) -> Self {
        Self { request, action, status: Status::Pending(Why::Waiting(Waiting::Created)), earlier: Vec::new() }
    }

    /// The job after a fact.
    ///
    /// # Errors
    /// The fact does not follow from what is the case; nothing changes.
    pub fn apply(&self, at: Moment, fact: JobFact<'_>) -> Result<Self, NotApplied> {
        let mut next = self.clone();
        next.status = match (fact, &self.status) {
            (_, Status::Ended { .. }) => return Err(NotApplied::Final),
            (JobFact::Waiting(fact), Status::Pending(_)) => Status::Pending(Why::Waiting(fact.why.clone())),
            (JobFact::Waiting(_) | JobFact::Started(_), Status::Running { .. }) => return Err(NotApplied::NotPending),
            (JobFact::Started(fact), Status::Pending(_)) => {
                if fact.attempt.get() != self.earlier.len() as u64 + 1 {
                    return Err(NotApplied::WrongAttempt);
                }
                Status::Running { started: fact.clone(), at, stage: Stage::Initiated }
            }
            (JobFact::Stage(_) | JobFact::Reset(_), Status::Pending(_)) => return Err(NotApplied::NotRunning),
            (JobFact::Stage(fact), Status::Running { started, at, .. }) => {
                Status::Running { started: started.clone(), at: *at, stage: fact.code }
            }
            (JobFact::Reset(fact), Status::Running { started, at: began, .. }) => {
                let why = fact.why.clone();
                next.earlier.push(Earlier { started: started.clone(), at: *began, ended: at, why: why.clone() });
                Status::Pending(Why::Reset(why))
            }
            (JobFact::Finished(fact), status) => {
                let ran = match status {
                    Status::Running { started, at, .. } => Some((started.attempt, *at)),
                    _ => None,
                };
                self.fits(fact, ran.is_some())?;
                Status::Ended { finished: Box::new(fact.clone()), at, ran }
            }
        };
        Ok(next)
    }

    fn fits(&self, fact: &JobFinished, running: bool) -> Result<(), NotApplied> {
        let ever_ran = running || !self.earlier.is_empty();
        let fits = match fact.how {
            Ending::Succeeded(_) => running,
            Ending::DependencyFailed(_) => !ever_ran,
            _ => true,
        };
        // A running job was timed; a job that never ran has no time; one that was put back may have either.
        let timed = fact.runtime_s.is_some();
        if fits && (ever_ran || !timed) && (!running || timed) { Ok(()) } else { Err(NotApplied::DoesNotFit) }
    }

    /// How it ended, if it did.
    pub fn ended(&self) -> Option<FinalState> {
        match &self.status {
            Status::Ended { finished, .. } => Some(finished.state),
            _ => None,
        }
    }
}

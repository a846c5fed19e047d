//! Facts about jobs.
//! Spec protocol.md 4.3-4.6. All name job and request; how a job ended is told exactly once.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::codes::{Ending, Reset, Stage, Waiting};
use super::request::none;
use crate::shape::{Broken, Shape, codes};
use crate::text::hashes::{Commitment, ImageDigest};
use crate::text::ids::{JobId, RequestId};
use crate::text::list::List;
use crate::text::names::{ProfileName, ProgramVersion};
use crate::text::whole::{AttemptNumber, Megabytes, Percent, ProfileRevision, Seconds};

/// `job.waiting`: why the job waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct JobWaiting {
    /// Its request.
    pub request: RequestId,
    /// The job.
    pub job: JobId,
    /// Code and values.
    #[serde(flatten)]
    pub why: Waiting,
}

/// `job.started`: an attempt began. The fact's `at` is the job's start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct JobStarted {
    /// Its request.
    pub request: RequestId,
    /// The job.
    pub job: JobId,
    /// Which attempt.
    pub attempt: AttemptNumber,
    /// What it runs in; null for a built-in action. Always written.
    pub image: Option<ImageDigest>,
    /// The built-in action that it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine: Option<Engine>,
}

/// A built-in action and its version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Engine {
    /// Which.
    pub name: EngineName,
    /// Of the program.
    pub version: ProgramVersion,
    /// How it behaves, which the version that the study names decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<Profile>,
    /// The waivers of the backend under which SQL runs that does not say how it treats type 1 opt-outs: each way once, in
    /// this order. Of sqlrunner alone.
    #[serde(default, skip_serializing_if = "none")]
    pub waivers: Waivers,
}

/// Each way at most once.
pub type Waivers = List<WaiverMode, 0, 3>;

codes!(
    /// Why SQL may run that does not say how it treats type 1 opt-outs (spec actions.md 7.5).
    WaiverMode {
        /// The tables that it reads are views without them.
        ExcludedByView,
        /// Older practice: its results are taken to be without them.
        AssumeExcluded,
        /// It may read them; the project holds the permission.
        Include,
    }
);

/// A way to behave of a built-in action: what its revision made once, it makes again (spec actions.md 2.2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Profile {
    /// Which.
    pub name: ProfileName,
    /// From 1.
    pub revision: ProfileRevision,
}

/// The built-in actions, by the names that project.yaml gives them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub enum EngineName {
    /// Study definitions of version 1 to 3.
    Cohortextractor,
    /// Joins cohort files.
    CohortJoiner,
    /// Describes a dataset.
    DatasetReport,
    /// Deciles of measures.
    DecilesCharts,
    /// SQL queries.
    Sqlrunner,
    /// Questions by form.
    Interactive,
    /// Study definitions of later versions.
    Ehrql,
}

/// `job.stage`: how far the running attempt is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct JobStage {
    /// Its request.
    pub request: RequestId,
    /// The job.
    pub job: JobId,
    /// The stage.
    pub code: Stage,
}

/// `job.reset`: the attempt ended for a passing reason; the job waits again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct JobReset {
    /// Its request.
    pub request: RequestId,
    /// The job.
    pub job: JobId,
    /// Code and values.
    #[serde(flatten)]
    pub why: Reset,
}

/// `job.finished`: how the job ended, for ever. The fact's `at` is the job's end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct JobFinished {
    /// Its request.
    pub request: RequestId,
    /// The job.
    pub job: JobId,
    /// Succeeded or failed, as the code says.
    pub state: FinalState,
    /// Code and values.
    #[serde(flatten)]
    pub how: Ending,
    /// By the backend's monotonic clock; absent if it never ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime_s: Option<Seconds>,
    /// Coarse use of the machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// To what its outputs are, without telling anything of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Commitment>,
}

codes!(
    /// How a job can end.
    FinalState {
        /// With its outputs.
        Succeeded,
        /// Without.
        Failed,
    }
);

/// Use of the machine by an attempt, in whole numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(deny_unknown_fields, inline)]
pub struct Usage {
    /// Mean.
    pub cpu_mean: Percent,
    /// Peak.
    pub cpu_peak: Percent,
    /// Mean.
    pub mem_mb_mean: Megabytes,
    /// Peak.
    pub mem_mb_peak: Megabytes,
}

impl JobFinished {
    /// How a job ended; the state follows from the code.
    pub fn new(request: RequestId, job: JobId, how: Ending, runtime_s: Option<Seconds>) -> Self {
        let state = if how.is_success() { FinalState::Succeeded } else { FinalState::Failed };
        Self { request, job, state, how, runtime_s, usage: None, commitment: None }
    }
}

impl Shape for JobWaiting {
    fn check(&self) -> Result<(), Broken> {
        let since = match &self.why {
            Waiting::WaitingOnImage(p) => p.since,
            Waiting::WaitingOnCode(p) | Waiting::WaitingOnDisk(p) => p.since,
            _ => return Ok(()),
        };
        if since.is_whole_second() { Ok(()) } else { Err(Broken("`since` is not a whole second")) }
    }
}

impl Shape for JobStarted {
    fn check(&self) -> Result<(), Broken> {
        if self.image.is_some() && self.engine.is_some() {
            return Err(Broken("a job runs in an image or is a built-in action, not both"));
        }
        let Some(engine) = &self.engine else { return Ok(()) };
        if engine.name != EngineName::Sqlrunner && !engine.waivers.is_empty() {
            return Err(Broken("waivers are for SQL alone"));
        }
        if !engine.waivers.is_sorted_by(|a, b| a < b) {
            return Err(Broken("waivers are said once each, in order"));
        }
        Ok(())
    }
}

impl Shape for JobStage {}
impl Shape for JobReset {}

impl Shape for JobFinished {
    fn check(&self) -> Result<(), Broken> {
        self.how.check()?;
        if (self.state == FinalState::Succeeded) != self.how.is_success() {
            return Err(Broken("`state` does not follow from `code`"));
        }
        if self.how.is_success() && self.runtime_s.is_none() {
            return Err(Broken("a job that succeeded has a runtime"));
        }
        if matches!(self.how, Ending::DependencyFailed(_)) && self.runtime_s.is_some() {
            return Err(Broken("a job whose need failed never ran"));
        }
        if self.runtime_s.is_none() && self.usage.is_some() {
            return Err(Broken("a job that never ran used nothing"));
        }
        if self.commitment.is_some() && !self.how.is_success() {
            return Err(Broken("only a job that succeeded has outputs to commit to"));
        }
        Ok(())
    }
}

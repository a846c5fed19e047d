//! One change of a job as a fact: which kind it is follows from the codes before and after.
//! Spec protocol.md 4.3, 4.5. Times are whole seconds; a value that does not belong to a code is left behind.

use jobs::provenance::ImageIdentity;
use jobs::schedule::Pool as PoolName;
use jobs::state::{ExitKind as Exited, PolicyRule as Rule, Reason, Tells, WaiverMode as Waived};
use jobs::{JobId as Id, JobState, RequestId as Request, StatusCode};
use protocol::fact::FactBody;
use protocol::fact::codes::{
    BlockedBy, Canceller, Completed, Ending, EngineExit, Exit, ExitKind, Internal, JobError, JobErrorReason, NextTry,
    OnImage, PolicyRule, Pool, Reset, Room, Since, Stage, TimeLimit, Unmatched, Waiting, Yes,
};
use protocol::fact::job::{
    Engine, EngineName, JobFinished, JobReset, JobStage, JobStarted, JobWaiting, Profile, WaiverMode,
};
use protocol::text::hashes::{ImageDigest, Sha256Hex};
use protocol::text::ids::{JobId, LogRef, RequestId};
use protocol::text::time::Moment;
use protocol::text::whole::{AttemptNumber, Megabytes, ProfileRevision, Seconds, UnixSeconds, Weight};
use serde::Deserialize;
use serde_json::Value;

use super::NoFact;
use crate::log::Told;

/// As `jobs` writes it.
#[derive(Deserialize)]
struct Change {
    job: Id,
    request: Request,
    from: StatusCode,
    code: StatusCode,
    attempt: u64,
    /// Unix seconds.
    at: i64,
    #[serde(default)]
    tells: Tells,
    #[serde(default)]
    reason: Option<Reason>,
    #[serde(default)]
    image: Option<ImageIdentity>,
    #[serde(default, rename = "ref")]
    reference: Option<LogRef>,
}

const BAD: NoFact = NoFact("a value is outside its set");

pub(super) fn fact(body: &Value) -> Result<Told, NoFact> {
    let change = Change::deserialize(body).map_err(|_| NoFact("it is not a change of a job"))?;
    let at = moment(change.at)?;
    let request: RequestId = change.request.to_string().parse().map_err(|_| BAD)?;
    let job: JobId = change.job.to_string().parse().map_err(|_| BAD)?;
    let body = match (change.from.state(), change.code.state()) {
        (JobState::Running, JobState::Pending) => JobReset { request, job, why: change.reset()? }.into(),
        (_, JobState::Pending) => JobWaiting { request, job, why: change.waiting()? }.into(),
        (_, JobState::Running) if change.code == StatusCode::Initiated => change.started(request, job)?.into(),
        (_, JobState::Running) => JobStage { request, job, code: change.stage()? }.into(),
        (_, JobState::Succeeded | JobState::Failed) => {
            let ran = change.tells.ran_ms.map(|ms| Seconds::try_from(ms / 1000)).transpose().map_err(|_| BAD)?;
            FactBody::from(JobFinished::new(request, job, change.ending()?, ran))
        }
    };
    Ok((at, body))
}

fn moment(second: i64) -> Result<Moment, NoFact> {
    Moment::from_microseconds(second.saturating_mul(1_000_000)).map_err(|_| BAD)
}

impl Change {
    fn attempt(&self) -> Result<AttemptNumber, NoFact> {
        AttemptNumber::try_from(self.attempt).map_err(|_| BAD)
    }

    fn attempts(&self) -> Option<AttemptNumber> {
        self.tells.attempts.and_then(|number| AttemptNumber::try_from(u64::from(number)).ok())
    }

    fn blocked_by(&self) -> Result<BlockedBy, NoFact> {
        let ids = self.tells.blocked_by.iter().take(5_000).map(|id| id.to_string().parse::<JobId>());
        let ids = ids.collect::<Result<Vec<_>, _>>().map_err(|_| BAD)?;
        Ok(BlockedBy { blocked_by: ids.try_into().map_err(|_| NoFact("nothing is waited for"))? })
    }

    fn room(&self) -> Result<Room, NoFact> {
        let pool = match self.tells.pool {
            Some(PoolName::Db) => Pool::Db,
            Some(PoolName::Other) => Pool::Other,
            None => return Err(NoFact("no pool is named")),
        };
        let weight = Weight::try_from(self.tells.weight.unwrap_or(1).clamp(1, 1000)).map_err(|_| BAD)?;
        Ok(Room { pool, weight })
    }

    fn next_try(&self) -> Result<NextTry, NoFact> {
        let at = self.tells.retry_at.unwrap_or(self.at).max(0);
        let retry_at = UnixSeconds::try_from(u64::try_from(at).unwrap_or(0)).map_err(|_| BAD)?;
        Ok(NextTry { attempt: self.attempt()?, attempts: self.attempts(), retry_at })
    }

    fn since(&self) -> Result<Moment, NoFact> {
        moment(self.tells.since.unwrap_or(self.at))
    }

    fn limit_mb(&self) -> Option<Megabytes> {
        self.tells.limit_mb.and_then(|number| Megabytes::try_from(number).ok())
    }

    fn waiting(&self) -> Result<Waiting, NoFact> {
        use StatusCode as C;
        Ok(match self.code {
            C::Created => Waiting::Created,
            C::WaitingOnDependencies => Waiting::WaitingOnDependencies(self.blocked_by()?),
            C::WaitingOnWorkers => Waiting::WaitingOnWorkers(self.room()?),
            C::WaitingOnDbWorkers => Waiting::WaitingOnDbWorkers(self.room()?),
            C::Paused => Waiting::Paused,
            C::WaitingDbMaintenance => Waiting::WaitingDbMaintenance,
            C::WaitingOnReboot => Waiting::WaitingOnReboot,
            C::WaitingOnNewTask => Waiting::WaitingOnNewTask(self.next_try()?),
            C::WaitingOnImage => {
                let image = self.tells.image.as_deref().unwrap_or_default().parse().map_err(|_| BAD)?;
                Waiting::WaitingOnImage(OnImage { image, since: self.since()? })
            }
            C::WaitingOnCode => Waiting::WaitingOnCode(Since { since: self.since()? }),
            C::WaitingOnDisk => Waiting::WaitingOnDisk(Since { since: self.since()? }),
            _ => return Err(NoFact("no job waits so")),
        })
    }

    fn reset(&self) -> Result<Reset, NoFact> {
        Ok(match self.code {
            StatusCode::WaitingDbMaintenance => Reset::WaitingDbMaintenance,
            StatusCode::WaitingOnReboot => Reset::WaitingOnReboot,
            StatusCode::WaitingOnNewTask => Reset::WaitingOnNewTask(self.next_try()?),
            _ => return Err(NoFact("no job is put back so")),
        })
    }

    fn stage(&self) -> Result<Stage, NoFact> {
        Ok(match self.code {
            StatusCode::Initiated => Stage::Initiated,
            StatusCode::Preparing => Stage::Preparing,
            StatusCode::Prepared => Stage::Prepared,
            StatusCode::Executing => Stage::Executing,
            StatusCode::Executed => Stage::Executed,
            StatusCode::Finalizing => Stage::Finalizing,
            StatusCode::Finalized => Stage::Finalized,
            _ => return Err(NoFact("there is no such stage")),
        })
    }

    fn started(&self, request: RequestId, job: JobId) -> Result<JobStarted, NoFact> {
        let (image, engine) = match self.image.as_ref().ok_or(NoFact("nothing is said of the image"))? {
            ImageIdentity::Digest { digest } => (Some(digest.parse().map_err(|_| BAD)?), None),
            ImageIdentity::Environment { lock } => (Some(host(lock)?), None),
            ImageIdentity::Builtin { name, profile, behaviour } => {
                (None, engine(name, profile, behaviour, &self.tells)?)
            }
        };
        Ok(JobStarted { request, job, attempt: self.attempt()?, image, engine })
    }

    fn ending(&self) -> Result<Ending, NoFact> {
        use StatusCode as C;
        Ok(match self.code {
            C::Succeeded => Ending::Succeeded(Completed { excluded: self.tells.excluded.then_some(Yes) }),
            C::DependencyFailed => Ending::DependencyFailed(self.blocked_by()?),
            C::NonzeroExit => Ending::NonzeroExit(self.exit()),
            C::UnmatchedPatterns => Ending::UnmatchedPatterns(Unmatched::default()),
            C::CancelledByUser => {
                Ending::CancelledByUser(Canceller { by: self.tells.by.as_deref().and_then(|by| by.parse().ok()) })
            }
            C::KilledByAdmin => Ending::KilledByAdmin,
            C::TimedOut => {
                let limit = Seconds::try_from(self.tells.limit_s.ok_or(NoFact("no limit is named"))?);
                Ending::TimedOut(TimeLimit { limit_s: limit.map_err(|_| BAD)? })
            }
            C::JobError => Ending::JobError(self.job_error()?),
            C::InternalError => {
                let log = self.reference.clone().ok_or(NoFact("it has no reference"))?;
                Ending::InternalError(Internal { log })
            }
            _ => return Err(NoFact("no job ends so")),
        })
    }

    fn exit(&self) -> Exit {
        let exit = match self.tells.exit {
            Some(Exited::Killed) => ExitKind::Killed,
            Some(Exited::OutOfMemory) => ExitKind::OutOfMemory,
            Some(Exited::Error) | None => ExitKind::Error,
        };
        let engine_exit = self.tells.engine_exit.filter(|_| exit == ExitKind::Error);
        Exit {
            exit,
            engine_exit: engine_exit.and_then(|code| EngineExit::try_from(code).ok()),
            limit_mb: self.limit_mb().filter(|_| exit == ExitKind::OutOfMemory),
        }
    }

    fn job_error(&self) -> Result<JobError, NoFact> {
        let word = self.reason.as_ref().map_or("", Reason::as_str);
        let reason = serde_json::from_value::<JobErrorReason>(Value::String(word.to_owned())).map_err(|_| BAD)?;
        let only = |with: JobErrorReason| reason == with;
        let tells = &self.tells;
        let needed = tells.needed.as_ref().filter(|_| only(JobErrorReason::MissingInput));
        let image = tells.image.as_deref().filter(|_| only(JobErrorReason::ImageGone));
        Ok(JobError {
            reason,
            needed: needed.and_then(|action| action.as_str().parse().ok()),
            image: image.and_then(|image| image.parse().ok()),
            rule: tells.rule.filter(|_| only(JobErrorReason::RefusedByPolicy)).map(rule),
            limit_mb: self.limit_mb().filter(|_| only(JobErrorReason::DiskLimit)),
            attempts: self.attempts().filter(|_| only(JobErrorReason::RetriesExhausted)),
            log: self.reference.clone(),
        })
    }
}

fn rule(rule: Rule) -> PolicyRule {
    match rule {
        Rule::PermissionEnded => PolicyRule::PermissionEnded,
        Rule::WorkspaceArchived => PolicyRule::WorkspaceArchived,
        Rule::ProjectRetired => PolicyRule::ProjectRetired,
        Rule::RepoNotAllowed => PolicyRule::RepoNotAllowed,
        Rule::ImageNotAllowed => PolicyRule::ImageNotAllowed,
        Rule::PersonNotAllowed => PolicyRule::PersonNotAllowed,
    }
}

fn waiver(mode: Waived) -> WaiverMode {
    match mode {
        Waived::ExcludedByView => WaiverMode::ExcludedByView,
        Waived::AssumeExcluded => WaiverMode::AssumeExcluded,
        Waived::Include => WaiverMode::Include,
    }
}

/// The identity of a native environment: `host:` and a hash. One that has another form is hashed: it may name a place.
fn host(identity: &str) -> Result<ImageDigest, NoFact> {
    let hashed = || format!("host:{}", Sha256Hex::of(&[identity.as_bytes()])).parse();
    identity
        .parse::<ImageDigest>()
        .ok()
        .filter(|_| identity.starts_with("host:"))
        .map_or_else(hashed, Ok)
        .map_err(|_| BAD)
}

/// A built-in action that the protocol has a name for.
/// A profile of another form than the list allows stays here.
fn engine(name: &str, profile: &str, behaviour: &str, tells: &Tells) -> Result<Option<Engine>, NoFact> {
    let name = serde_json::from_value::<EngineName>(Value::String(name.to_owned())).ok();
    let version = env!("CARGO_PKG_VERSION").parse().map_err(|_| BAD)?;
    let revision = behaviour.parse().ok().and_then(|number: u64| ProfileRevision::try_from(number).ok());
    let profile = profile.parse().ok().zip(revision).map(|(name, revision)| Profile { name, revision });
    let waivers: Vec<_> = tells.waivers.iter().map(|mode| waiver(*mode)).collect();
    let waivers = waivers.try_into().map_err(|_| BAD)?;
    Ok(name.map(|name| Engine { name, version, profile, waivers }))
}

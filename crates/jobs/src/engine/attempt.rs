//! One attempt from claim to clean-up. Each step is durable before the next, and repeating any of them is harmless.
//! Spec jobs.md 9 (steps 3 to 10), 10.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sandbox::{Exit, Spec};
use tokio::sync::{mpsc::UnboundedSender, watch};
use tokio::task::JoinError;

use super::again::{self, Passing};
use super::execute::execute;
use super::gather::{Gathered, gather};
use super::prepare::{Inputs, PrepareError, Prepared, missing_input, prepare};
use super::{Event, JobReport, Refusal, Stage, Waived, Work, Workshop, finish, outcome, room};
use crate::JobState;
use crate::collect::Collected;
use crate::fault::point;
use crate::log::visible;
use crate::schedule::{Cause, Halt, Held};
use crate::state::{Attempt, Claim, Finished, StateError, Status, StatusCode};
use crate::tree::LayoutError;
use crate::{Leave, NoLeave};

/// Why a running attempt is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// Its job is cancelled.
    Cancel,
    /// Its job fails, by the will of an operator.
    Fail,
    /// Its job goes back to pending.
    Halt(Halt),
}

impl Stop {
    /// How the job ends, or why it does not.
    fn status(self) -> Result<Status, Halt> {
        match self {
            Self::Cancel => Ok(Status::cancelled()),
            Self::Fail => Ok(Status::killed()),
            Self::Halt(halt) => Err(halt),
        }
    }
}

/// Told to one attempt; `None` while it may go on.
pub(super) type Stops = watch::Receiver<Option<Stop>>;

/// What an attempt came to.
pub(super) enum Ended {
    /// With it its job ended.
    Finished { finished: Finished, report: Box<JobReport> },
    /// Its job is pending again.
    PutBack {
        /// How long it must not start; `None` if only a mode keeps it.
        wait: Option<Duration>,
        for_reboot: bool,
        /// Why, for people.
        message: String,
    },
    /// It never began: the job stays pending and lacks this.
    Lacks { held: Held, message: String },
}

impl Ended {
    /// A job's end that has no attempt of its own to tell of.
    pub(super) fn untold(work: &Work, finished: Finished, message: impl Into<String>) -> Self {
        let report = JobReport::not_started(work.job.definition.action.clone(), finished.code, message);
        Self::Finished { finished, report: Box::new(report) }
    }
}

/// How far an attempt came before its result is recorded.
pub(super) struct Outcome {
    pub(super) status: Status,
    pub(super) collected: Collected,
    pub(super) exit: Option<Exit>,
    pub(super) notes: Vec<String>,
    /// There is a sandbox to remove.
    pub(super) spec: Option<Spec>,
}

impl Outcome {
    pub(super) fn failed(status: Status, spec: Option<Spec>) -> Self {
        Self { status, collected: Collected::default(), exit: None, notes: Vec::new(), spec }
    }
}

/// Where an attempt's own steps lead.
pub(super) enum Led {
    /// To a result.
    Over(Box<Outcome>),
    /// To another attempt, perhaps.
    Passing(Passing),
    /// Back to pending, for a mode.
    Halted(Halt),
}

impl From<Outcome> for Led {
    fn from(outcome: Outcome) -> Self {
        Self::Over(Box::new(outcome))
    }
}

/// Runs `work` on a thread that may block; a panic there is a fault of this program and concerns this job alone.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Passing> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| fault_of(&fault))
}

pub(super) fn fault_of(fault: &JoinError) -> Passing {
    let why = if fault.is_panic() { "this program has a fault" } else { "the program was shutting down" };
    Passing { cause: Cause::Fault, why: why.to_owned() }
}

pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// Tells of stages; nobody listening is no fault.
pub(super) struct Voice<'a> {
    pub(super) work: &'a Work,
    pub(super) events: &'a UnboundedSender<Event>,
}

impl Voice<'_> {
    pub(super) fn stage(&self, stage: Stage) {
        let _ = self.events.send(Event::Stage { action: self.work.job.definition.action.clone(), stage });
    }
}

/// Claims the job, or takes over the attempt that an engine before this one left running, and carries it to its end.
pub(super) async fn run(
    shop: Arc<Workshop>,
    work: Arc<Work>,
    adopted: Option<Attempt>,
    events: UnboundedSender<Event>,
    stop: Stops,
) -> Result<Ended, StateError> {
    let begun = Instant::now();
    let action = Some(&work.job.definition.action);
    let (a, b) = (shop.clone(), work.clone());
    let waived = blocking(move || a.admission.waived_sql(&b)).await.unwrap_or_else(|passing| Err(passing.why));
    let claim = Claim {
        owner: shop.settings.owner.clone(),
        lease_until: shop.settings.lease_until(now()),
        waivers: waived.iter().flatten().flatten().map(|file| file.mode).collect(),
    };
    let attempt = if let Some(attempt) = adopted {
        shop.state.adopt(&attempt, &claim).await?;
        attempt
    } else {
        if let Some(message) = room::lacking(&shop) {
            return Ok(Ended::Lacks { held: Held::Disk, message });
        }
        if let Err(refusal) = shop.admission.admit(&work) {
            return refused(&shop, &work, &refusal).await;
        }
        point("claim.before", action);
        match shop.state.claim(work.job.id, &claim, now()).await {
            Ok(attempt) => attempt,
            Err(StateError::NotClaimable { .. }) => return not_claimed(&shop, &work).await,
            Err(error) => return Err(error),
        }
    };
    point("claim.after", action);
    let voice = Voice { work: &work, events: &events };
    voice.stage(Stage::Preparing);
    let inputs = Inputs::of(&shop.state, &work).await?;
    let mut outcome = match conduct(&shop, &work, &attempt, (&inputs, waived), &voice, stop).await? {
        Led::Over(outcome) => *outcome,
        Led::Halted(halt) => return again::halted(&shop, &work, &attempt, halt).await,
        Led::Passing(passing) => match again::after(&shop, &work, &attempt, &passing).await? {
            Ok(ended) => return Ok(ended),
            Err(status) => Outcome::failed(status, None),
        },
    };
    outcome.notes.extend(inputs.collisions.iter().map(|c| {
        let (path, used, hidden) = (visible(&c.path), visible(c.used.as_str()), visible(c.hidden.as_str()));
        format!("{used} and {hidden} both make `{path}`; the one of {used}, which finished last, was read")
    }));
    finish::record(&shop, &work, &attempt, &inputs, outcome, &voice, begun).await
}

/// A job that the rules of this machine keep from starting: it fails.
async fn refused(shop: &Workshop, work: &Work, refusal: &Refusal) -> Result<Ended, StateError> {
    let status = Status::refused(refusal.rule, &refusal.words);
    match shop.state.give_up(work.job.id, &status, now()).await {
        Ok(finished) => Ok(Ended::untold(work, finished, status.message)),
        Err(StateError::NotAllowed { .. }) => not_claimed(shop, work).await,
        Err(error) => Err(error),
    }
}

/// A job that ended before its attempt could begin.
async fn not_claimed(shop: &Workshop, work: &Work) -> Result<Ended, StateError> {
    let code = shop.state.job(work.job.id).await?.status.code;
    Ok(Ended::untold(work, Finished::as_is(code), "Not started: the run was stopped"))
}

/// Steps 4 to 7.
async fn conduct(
    shop: &Arc<Workshop>,
    work: &Arc<Work>,
    attempt: &Attempt,
    (inputs, waived): (&Inputs, Result<Option<Vec<Waived>>, String>),
    voice: &Voice<'_>,
    mut stop: Stops,
) -> Result<Led, StateError> {
    let action = Some(&work.job.definition.action);
    if let Some(file) = missing_input(&shop.store, inputs) {
        return Ok(Outcome::failed(outcome::of_missing_input(&file), None).into());
    }
    let stage = |code, words: &'static str| async move {
        match shop.state.set_stage(attempt, &Status::new(code, words), now()).await {
            // An attempt that was taken over is further already.
            Err(StateError::NotAllowed { from, .. }) if from.state() == JobState::Running => Ok(()),
            other => other,
        }
    };
    stage(StatusCode::Preparing, "Preparing").await?;
    point("prepare.before", action);
    let (a, b, given, id) = (shop.clone(), work.clone(), inputs.clone(), attempt.id);
    let leave = Leave::until(Instant::now() + shop.settings.prepare_limit);
    let allowed = leave.clone();
    let prepared = stoppable(&mut stop, &leave, move || prepare(&a, &b, &given, id, waived, &allowed)).await;
    let Prepared { spec, tree, workspace } = match prepared {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(PrepareError::Layout(LayoutError::NoLeave(why)))) => {
            return Ok(without_leave(why, &stop, ("preparing", shop.settings.prepare_limit), None));
        }
        Ok(Err(error)) => return Ok(Outcome::failed(outcome::of_prepare(&error), None).into()),
        Err(passing) => return Ok(Led::Passing(passing)),
    };
    point("prepare.after", action);
    voice.stage(Stage::CopiedCode(work.tree.entries.len()));
    inputs.files.iter().for_each(|file| voice.stage(Stage::CopiedInput(file.path.clone())));
    if let Some(told) = told(&mut stop) {
        return Ok(match told.status() {
            Ok(status) => Outcome::failed(status, Some(spec)).into(),
            Err(halt) => Led::Halted(halt),
        });
    }
    stage(StatusCode::Executing, "Executing").await?;
    voice.stage(Stage::Executing);
    point("launch.before", action);
    let exit = match execute(shop, attempt, &spec, voice, &mut stop).await {
        Ok(exit) => exit,
        Err(passing) => return Ok(Led::Passing(passing)),
    };
    point("exit.after", action);
    if let Some(passing) = outcome::passing_exit(&exit, work.job.definition.is_database) {
        return Ok(Led::Passing(passing));
    }
    let failed = outcome::of_exit(&exit, &spec.limits, work.job.definition.is_database);
    if let Some(status) = failed.as_ref().filter(|status| status.code == StatusCode::CancelledByUser) {
        let told = *stop.borrow();
        if told.is_none() && shop.state.job(work.job.id).await?.cancel_requested_at.is_none() {
            // A signal from elsewhere, as when the machine goes down: nobody wanted this job to end. Its supervisor is
            // lost (spec jobs.md 8), and an attempt that was lost is no cancelled job.
            let why = "its sandbox was ended, and not by us".to_owned();
            return Ok(Led::Passing(Passing { cause: Cause::Lost, why }));
        }
        return Ok(match told.map_or_else(|| Ok(status.clone()), Stop::status) {
            Ok(status) => Outcome { exit: Some(exit), ..Outcome::failed(status, Some(spec)) }.into(),
            Err(halt) => Led::Halted(halt),
        });
    }
    stage(StatusCode::Finalizing, "Collecting outputs").await?;
    voice.stage(Stage::Recording);
    point("collect.before", action);
    let gathered = match gather(shop, work, inputs, tree, workspace, &mut stop).await {
        Gathered::NoLeave(why) => {
            return Ok(without_leave(why, &stop, ("collecting its outputs", shop.settings.finalise_limit), Some(spec)));
        }
        Gathered::All(collected) => Ok(collected),
        Gathered::Failed(status) => Err(*status),
    };
    point("collect.after", action);
    let mut result =
        Outcome { exit: Some(exit.clone()), ..Outcome::failed(Status::new(StatusCode::Succeeded, ""), Some(spec)) };
    let collection = match gathered {
        Ok(collected) => {
            result.collected = collected;
            Ok(outcome::of_collected(&result.collected, &exit))
        }
        Err(status) => Err(status),
    };
    if let (Some(_), Err(status)) = (&failed, &collection) {
        result.notes.push(format!("nothing of what it wrote was kept: {}", status.message));
    }
    result.notes.extend(result.collected.warnings.iter().map(ToString::to_string));
    result.status = failed.unwrap_or_else(|| collection.unwrap_or_else(|status| status));
    Ok(result.into())
}

/// Runs `work` on a thread that may block, and takes its leave back when the attempt is told to stop.
pub(super) async fn stoppable<T: Send + 'static>(
    stop: &mut Stops,
    leave: &Leave,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Passing> {
    let mut done = std::pin::pin!(blocking(work));
    if stop.borrow().is_some() {
        leave.take_back();
    }
    let mut listening = true;
    loop {
        tokio::select! {
            done = &mut done => return done,
            changed = stop.changed(), if listening => {
                // The sender is gone only together with the run.
                listening = changed.is_ok();
                if changed.is_err() || stop.borrow().is_some() {
                    leave.take_back();
                }
            }
        }
    }
}

/// What the attempt has been told, if anything.
fn told(stop: &mut Stops) -> Option<Stop> {
    *stop.borrow_and_update()
}

/// Where an attempt leads whose own work was stopped, or took too long.
fn without_leave(why: NoLeave, stop: &Stops, (what, limit): (&str, Duration), spec: Option<Spec>) -> Led {
    // Nobody told it, and its engine is gone: a job is never cancelled by that.
    let told = stop.borrow().unwrap_or(Stop::Halt(Halt::Operator));
    let status = match why {
        NoLeave::TooLong => Ok(outcome::of_slowness(what, limit)),
        NoLeave::Stopped => told.status(),
    };
    status.map_or_else(Led::Halted, |status| Outcome::failed(status, spec).into())
}

/// The attempt of a running job, as its state tells.
pub(super) fn attempt_of(job: &crate::state::Job) -> Option<Attempt> {
    (job.state() == JobState::Running).then(|| Attempt { id: job.id.attempt(job.attempts), fence: job.fence })
}

//! One attempt from claim to clean-up. Each step is durable before the next, and repeating any of them is harmless.
//! Spec jobs.md 9 (steps 3 to 10), 10.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use sandbox::{Exit, Spec};
use tokio::sync::{mpsc::UnboundedSender, watch};
use tokio::task::JoinError;

use super::prepare::{Inputs, Prepared, missing_input, prepare};
use super::{Event, JobReport, Stage, Work, Workshop, finish, outcome};
use crate::JobState;
use crate::collect::{CollectError, Collected, Request, collect};
use crate::log::visible;
use crate::state::{Attempt, Claim, Finished, StateError, Status, StatusCode};

/// An ended attempt.
pub(super) struct Ended {
    pub(super) finished: Finished,
    pub(super) report: JobReport,
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
    fn failed(status: Status, spec: Option<Spec>) -> Self {
        Self { status, collected: Collected::default(), exit: None, notes: Vec::new(), spec }
    }
}

/// Runs `work` on a thread that may block; a panic there is a fault of this program and ends the job, nothing else.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| panicked(&fault))
}

pub(super) fn panicked(fault: &JoinError) -> Status {
    let what = if fault.is_panic() { "a fault of this program" } else { "it was shut down" };
    Status::new(StatusCode::InternalError, format!("Could not be run: {what}"))
}

pub(super) fn now() -> Timestamp {
    Timestamp::now()
}

/// Tells of stages; nobody listening is no fault.
pub(super) struct Voice<'a> {
    work: &'a Work,
    events: &'a UnboundedSender<Event>,
}

impl Voice<'_> {
    pub(super) fn stage(&self, stage: Stage) {
        let _ = self.events.send(Event::Stage { action: self.work.job.definition.action.clone(), stage });
    }
}

/// Claims the job and carries it to its end.
pub(super) async fn run(
    shop: Arc<Workshop>,
    work: Arc<Work>,
    events: UnboundedSender<Event>,
    stop: watch::Receiver<bool>,
) -> Result<Ended, StateError> {
    let begun = Instant::now();
    let claim = Claim { owner: shop.settings.owner.clone(), lease_until: None };
    let attempt = match shop.state.claim(work.job.id, &claim, now()).await {
        Ok(attempt) => attempt,
        // The run was stopped between the start of this task and here.
        Err(StateError::NotClaimable { .. }) if *stop.borrow() => return ended_before(&shop, &work).await,
        Err(error) => return Err(error),
    };
    let voice = Voice { work: &work, events: &events };
    voice.stage(Stage::Preparing);
    let inputs = Inputs::of(&shop.state, &work).await?;
    let mut outcome = conduct(&shop, &work, &attempt, &inputs, &voice, stop).await?;
    outcome.notes.extend(inputs.collisions.iter().map(|c| {
        let (path, used, hidden) = (visible(&c.path), visible(c.used.as_str()), visible(c.hidden.as_str()));
        format!("{used} and {hidden} both make `{path}`; the one of {used}, which finished last, was read")
    }));
    finish::record(&shop, &work, &attempt, &inputs, outcome, &voice, begun).await
}

/// A job that was cancelled before its attempt could begin.
async fn ended_before(shop: &Workshop, work: &Work) -> Result<Ended, StateError> {
    let code = shop.state.job(work.job.id).await?.status.code;
    let report = JobReport::not_started(work.job.definition.action.clone(), code, "Not started: the run was stopped");
    Ok(Ended { finished: Finished { code, failed_dependants: Vec::new() }, report })
}

/// Steps 4 to 7.
async fn conduct(
    shop: &Arc<Workshop>,
    work: &Arc<Work>,
    attempt: &Attempt,
    inputs: &Inputs,
    voice: &Voice<'_>,
    mut stop: watch::Receiver<bool>,
) -> Result<Outcome, StateError> {
    if let Some(file) = missing_input(&shop.store, inputs) {
        return Ok(Outcome::failed(outcome::of_missing_input(&file), None));
    }
    let stage = |code, words: &'static str| async move {
        shop.state.set_stage(attempt, &Status::new(code, words), now()).await
    };
    stage(StatusCode::Preparing, "Preparing").await?;
    let (a, b, given, id) = (shop.clone(), work.clone(), inputs.clone(), attempt.id);
    let Prepared { spec, tree, workspace } = match blocking(move || prepare(&a, &b, &given, id)).await {
        Ok(Ok(prepared)) => prepared,
        Ok(Err(error)) => return Ok(Outcome::failed(outcome::of_prepare(&error), None)),
        Err(status) => return Ok(Outcome::failed(status, None)),
    };
    voice.stage(Stage::CopiedCode(work.tree.entries.len()));
    inputs.files.iter().for_each(|file| voice.stage(Stage::CopiedInput(file.path.clone())));
    if *stop.borrow_and_update() {
        return Ok(Outcome::failed(Status::new(StatusCode::CancelledByUser, "Cancelled"), Some(spec)));
    }
    stage(StatusCode::Executing, "Executing").await?;
    voice.stage(Stage::Executing);
    let exit = match execute(shop, &spec, voice, stop).await {
        Ok(exit) => exit,
        Err(status) => return Ok(Outcome::failed(status, Some(spec))),
    };
    let failed = outcome::of_exit(&exit, &spec.limits, work.job.definition.is_database);
    if failed.as_ref().is_some_and(|status| status.code == StatusCode::CancelledByUser) {
        let status = failed.unwrap_or_else(|| Status::new(StatusCode::CancelledByUser, "Cancelled"));
        return Ok(Outcome { exit: Some(exit), ..Outcome::failed(status, Some(spec)) });
    }
    stage(StatusCode::Finalizing, "Collecting outputs").await?;
    voice.stage(Stage::Recording);
    let (a, b, stored) = (shop.clone(), work.clone(), inputs.stored());
    let gathered = blocking(move || {
        let definition = &b.job.definition;
        let patterns: Vec<_> = definition.outputs.iter().map(|o| (o.pattern.clone(), o.level)).collect();
        let request = Request {
            patterns: &patterns,
            inputs: &stored,
            prepared: &tree,
            patient_level: definition.special.is_some_and(writes_patients),
            limits: a.settings.collect,
        };
        let collected = collect(&workspace, &request, &a.store)?;
        let accepted = a.publisher.accept(&collected.outputs);
        Ok::<_, CollectError>((collected, accepted))
    })
    .await;
    let mut result =
        Outcome { exit: Some(exit.clone()), ..Outcome::failed(Status::new(StatusCode::Succeeded, ""), Some(spec)) };
    let collection = match gathered {
        Ok(Ok((collected, Ok(())))) => {
            result.collected = collected;
            Ok(outcome::of_collected(&result.collected, &exit))
        }
        Ok(Ok((_, Err(refused)))) => Err(outcome::of_refusal(&refused)),
        Ok(Err(error)) => Err(outcome::of_collect(&error)),
        Err(status) => Err(status),
    };
    if let (Some(_), Err(status)) = (&failed, &collection) {
        result.notes.push(format!("nothing of what it wrote was kept: {}", status.message));
    }
    result.notes.extend(result.collected.warnings.iter().map(ToString::to_string));
    result.status = failed.unwrap_or_else(|| collection.unwrap_or_else(|status| status));
    Ok(result)
}

/// Commands whose files are patients, whatever level they are declared at (spec jobs.md 11).
fn writes_patients(command: pipeline::SpecialCommand) -> bool {
    matches!(command, pipeline::SpecialCommand::GenerateCohort | pipeline::SpecialCommand::GenerateDataset)
}

/// Steps 5 and 6, with looks at the job while it runs.
async fn execute(
    shop: &Arc<Workshop>,
    spec: &Spec,
    voice: &Voice<'_>,
    mut stop: watch::Receiver<bool>,
) -> Result<Exit, Status> {
    let on = |spec: &Spec| (shop.runtime.clone(), spec.clone());
    let (runtime, at) = on(spec);
    blocking(move || runtime.start(&at)).await?.map_err(|error| outcome::internal(&error))?;
    let (runtime, at) = on(spec);
    let mut ended = tokio::task::spawn_blocking(move || runtime.wait(&at));
    let mut look = tokio::time::interval(shop.settings.sample_every);
    look.tick().await;
    let mut stopping = *stop.borrow();
    if stopping {
        end(shop, spec).await?;
    }
    loop {
        tokio::select! {
            exit = &mut ended => {
                return exit.map_err(|fault| panicked(&fault))?.map_err(|error| outcome::internal(&error));
            }
            changed = stop.changed(), if !stopping => {
                // The sender is gone only together with the run.
                stopping = true;
                if changed.is_ok() {
                    end(shop, spec).await?;
                }
            }
            _ = look.tick() => {
                let (runtime, at) = on(spec);
                if let Ok(Some(sample)) = blocking(move || runtime.sample(&at)).await {
                    let action = voice.work.job.definition.action.clone();
                    let (memory, cpu_seconds) = (sample.memory, sample.cpu_seconds);
                    let _ = voice.events.send(Event::Sample { action, memory, cpu_seconds });
                }
            }
        }
    }
}

/// TERM, grace, KILL.
async fn end(shop: &Arc<Workshop>, spec: &Spec) -> Result<(), Status> {
    let (runtime, at, grace) = (shop.runtime.clone(), spec.clone(), shop.settings.grace);
    blocking(move || runtime.stop(&at, grace)).await?.map_err(|error| outcome::internal(&error))
}

/// The attempt of a running job, as its state tells.
pub(super) fn attempt_of(job: &crate::state::Job) -> Option<Attempt> {
    (job.state() == JobState::Running).then(|| Attempt { id: job.id.attempt(job.attempts), fence: job.fence })
}

//! One attempt from claim to clean-up. Each step is durable before the next, and repeating any of them is harmless.
//! Spec jobs.md 9 (steps 3 to 10), 10.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use sandbox::{Exit, Spec};
use tokio::sync::{mpsc::UnboundedSender, watch};
use tokio::task::JoinError;

use super::log::{finish_log, read_tail};
use super::prepare::{Inputs, Prepared, missing_input, prepare, volume};
use super::{Event, JobReport, Order, ReportedOutput, Stage, Work, Workshop, outcome};
use crate::collect::{Collected, CollectedOutput, Request, collect};
use crate::manifest::{Extra, Pin, Shared};
use crate::provenance::{Components, DataIdentity, OutputSpec, split_config};
use crate::publish::{KeptBecause, Published, Recorded};
use crate::state::{Attempt, Claim, Finished, JobResult, OutputRecord, StateError, Status, StatusCode};
use crate::{JobState, log::visible};

/// What the order of publishing is called inside a volume; the finished log is [`super::log::FILE`].
pub(crate) const ORDER: &str = "publish.json";

/// An ended attempt.
pub(super) struct Ended {
    pub(super) finished: Finished,
    pub(super) report: JobReport,
}

/// How far an attempt came before its result is recorded.
struct Outcome {
    status: Status,
    collected: Collected,
    exit: Option<Exit>,
    notes: Vec<String>,
    /// There is a sandbox to remove.
    spec: Option<Spec>,
}

impl Outcome {
    fn failed(status: Status, spec: Option<Spec>) -> Self {
        Self { status, collected: Collected::default(), exit: None, notes: Vec::new(), spec }
    }
}

/// Runs `work` on a thread that may block; a panic there is a fault of this program and ends the job, nothing else.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Status> {
    tokio::task::spawn_blocking(work).await.map_err(|fault| panicked(&fault))
}

pub(super) fn panicked(fault: &JoinError) -> Status {
    let what = if fault.is_panic() { "a fault of this program" } else { "it was shut down" };
    Status::new(StatusCode::InternalError, format!("Could not be run: {what}"))
}

fn now() -> Timestamp {
    Timestamp::now()
}

/// Tells of stages; nobody listening is no fault.
struct Voice<'a> {
    work: &'a Work,
    events: &'a UnboundedSender<Event>,
}

impl Voice<'_> {
    fn stage(&self, stage: Stage) {
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
    let attempt = shop.state.claim(work.job.id, &claim, now()).await?;
    let voice = Voice { work: &work, events: &events };
    voice.stage(Stage::Preparing);
    let inputs = Inputs::of(&shop.state, &work).await?;
    let mut outcome = conduct(&shop, &work, &attempt, &inputs, &voice, stop).await?;
    outcome.notes.extend(inputs.collisions.iter().map(|c| {
        let (path, used, hidden) = (visible(&c.path), visible(c.used.as_str()), visible(c.hidden.as_str()));
        format!("{used} and {hidden} both make `{path}`; the one of {used}, which finished last, was read")
    }));
    record(&shop, &work, &attempt, &inputs, outcome, &voice, begun).await
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
        Ok::<_, crate::collect::CollectError>((collected, accepted))
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

/// Steps 8 to 10.
async fn record(
    shop: &Arc<Workshop>,
    work: &Arc<Work>,
    attempt: &Attempt,
    inputs: &Inputs,
    outcome: Outcome,
    voice: &Voice<'_>,
    begun: Instant,
) -> Result<Ended, StateError> {
    let Outcome { status, collected, exit, mut notes, spec } = outcome;
    let definition = &work.job.definition;
    let components = components(work, inputs);
    let at = now();
    let succeeded = status.code == StatusCode::Succeeded;
    let obsolete = if succeeded { obsolete(shop, work, &collected.outputs).await? } else { Vec::new() };
    let image = components.image.to_string();
    let order = Order {
        action: definition.action.clone(),
        outputs: collected.outputs.clone(),
        obsolete,
        shared: Shared {
            job_id: work.job.id.to_string(),
            job_request: work.job.request.to_string(),
            action: definition.action.to_string(),
            user: "local".to_owned(),
            repo: None,
            commit: definition.code.commit().map(ToString::to_string),
            timestamp: at.as_microsecond() as f64 / 1e6,
            cloister: Extra {
                run_key: components.run_key().hex(),
                image: image.clone(),
                job_state: status.code.state().as_str().to_owned(),
                pins: work
                    .job
                    .pins
                    .iter()
                    .map(|p| Pin { action: p.action.to_string(), job: p.job.to_string() })
                    .collect(),
                warnings: notes.clone(),
                program: env!("CARGO_PKG_VERSION").to_owned(),
                evidence_hash: None,
            },
        },
        actions: work.actions.as_ref().clone(),
    };
    let folder = volume(&shop.volumes, attempt.id);
    let (a, b, status_now, collected_now, order_now) =
        (shop.clone(), work.clone(), status.clone(), collected.clone(), order.clone());
    let (exit_code, place) = (exit.as_ref().map(|exit| exit.code), folder.clone());
    let written = blocking(move || {
        finish_log(&place, &b.job, &image, exit_code, &status_now, &collected_now, at, a.settings.log)?;
        std::fs::write(place.join(ORDER), serde_json::to_vec(&order_now)?)?;
        let tail = if status_now.code == StatusCode::Succeeded { Ok(Default::default()) } else { read_tail(&place) };
        tail.or_else(|_| Ok::<_, std::io::Error>(Default::default()))
    })
    .await;
    let tail = match written {
        Ok(Ok(tail)) => tail,
        Ok(Err(error)) => {
            notes.push(format!("its log could not be written: {error}"));
            Default::default()
        }
        Err(status) => {
            notes.push(status.message);
            Default::default()
        }
    };
    let result = JobResult {
        status: status.clone(),
        outputs: collected.outputs.iter().map(recorded).collect(),
        components: Some(components),
        exit_code,
        milliseconds: exit.as_ref().map(|exit| ((exit.ended - exit.started).max(0.0) * 1e3) as u64),
        peak_bytes: exit.as_ref().map(|exit| exit.usage.peak_memory),
    };
    let finished = shop.state.finish(attempt, &result, at).await?;
    let shown = finished.code != StatusCode::CancelledByUser;
    if shown {
        match publish(shop, order, &folder).await {
            Ok(published) => {
                published.written.iter().for_each(|path| voice.stage(Stage::Recorded(path.clone())));
                notes.extend(published.kept.iter().map(|(path, why)| kept(path, *why)));
                shop.state.mark_published(attempt.id).await?;
            }
            Err(error) => notes.push(format!(
                "its results are stored but not all are in place: {error}; the next run puts them there"
            )),
        }
    } else {
        shop.state.mark_published(attempt.id).await?;
    }
    clean_up(shop, attempt, spec, &mut notes).await?;
    let message = if shown { status.message } else { "Cancelled".to_owned() };
    let report = JobReport {
        action: definition.action.clone(),
        code: finished.code,
        message,
        exit_code,
        seconds: begun.elapsed().as_secs_f64(),
        peak_memory: exit.as_ref().map_or(0, |exit| exit.usage.peak_memory),
        log: shown.then(|| shop.publisher.log_path(&definition.action)),
        outputs: if shown { collected.outputs.iter().map(reported).collect() } else { Vec::new() },
        unmatched: if status.code == StatusCode::UnmatchedPatterns { collected.unmatched_patterns } else { Vec::new() },
        hint: collected.hint.filter(|_| status.code == StatusCode::UnmatchedPatterns),
        tail,
        notes,
    };
    Ok(Ended { finished, report })
}

/// Step 9, from what lies in the volume: so it can be repeated after a kill.
pub(crate) async fn publish(shop: &Arc<Workshop>, order: Order, folder: &std::path::Path) -> Result<Published, String> {
    let (a, log) = (shop.clone(), folder.join(super::log::FILE));
    let published = blocking(move || a.publisher.publish(&order, &log, &a.store)).await;
    published.map_err(|status| status.message)?.map_err(|error| error.to_string())
}

/// Step 10.
async fn clean_up(
    shop: &Arc<Workshop>,
    attempt: &Attempt,
    spec: Option<Spec>,
    notes: &mut Vec<String>,
) -> Result<(), StateError> {
    let folder = volume(&shop.volumes, attempt.id);
    if let Some(kept) = shop.settings.keep_volumes.as_ref().filter(|_| spec.is_some()) {
        let there = kept.join(attempt.id.to_string());
        let moved = std::fs::create_dir_all(kept).and_then(|()| std::fs::rename(&folder, &there));
        notes.push(match &moved {
            Ok(()) => format!("its sandbox is kept in {}; `cloister clean` removes it", there.display()),
            Err(error) => format!("its sandbox could not be kept: {error}"),
        });
        if moved.is_ok() {
            return shop.state.mark_cleaned(attempt.id).await;
        }
    }
    let runtime = shop.runtime.clone();
    let removed = blocking(move || match spec {
        Some(spec) => runtime.remove(&spec).map_err(|error| error.to_string()),
        None => sandbox::folder::remove_tree(&folder).map(|_| ()).map_err(|error| error.to_string()),
    })
    .await;
    match removed {
        Ok(Ok(())) => shop.state.mark_cleaned(attempt.id).await,
        Ok(Err(error)) => {
            notes.push(format!("its sandbox could not be removed: {error}"));
            Ok(())
        }
        Err(status) => {
            notes.push(status.message);
            Ok(())
        }
    }
}

fn components(work: &Work, inputs: &Inputs) -> Components {
    let definition = &work.job.definition;
    let (command, config) = split_config(&definition.words, definition.config.as_deref());
    Components {
        command,
        config,
        image: definition.image.clone(),
        code: work.code.clone(),
        inputs: inputs.files.clone(),
        outputs: definition.outputs.iter().map(OutputSpec::from).collect(),
        environment: definition.environment.clone(),
        data: data_identity(definition.is_database, definition.data),
    }
}

/// Which patients a database action reads; dummy patients are named so.
pub(crate) fn data_identity(is_database: bool, data: pipeline::DataKind) -> Option<DataIdentity> {
    let version = match data {
        pipeline::DataKind::Dummy => "dummy",
        // Until a data source is attached to a backend nothing is known of its version.
        pipeline::DataKind::Real => "unknown",
    };
    is_database.then(|| DataIdentity { version: version.to_owned(), scope: Vec::new() })
}

/// What the last success made that this one did not, without what another action has made since.
async fn obsolete(shop: &Workshop, work: &Work, outputs: &[CollectedOutput]) -> Result<Vec<Recorded>, StateError> {
    let definition = &work.job.definition;
    let past = shop.state.history(&definition.workspace, [&definition.action]).await?;
    let Some(past) = past.get(&definition.action) else { return Ok(Vec::new()) };
    let before = shop.state.outputs_of(&[past.job]).await?.remove(&past.job).unwrap_or_default();
    let is_made = |path: &str| outputs.iter().any(|output| output.path == path);
    let gone: Vec<_> = before.into_iter().filter(|output| !is_made(&output.path)).collect();
    if gone.is_empty() {
        return Ok(Vec::new());
    }
    let names: Vec<_> =
        work.actions.iter().map(pipeline::ActionName::new).filter(|name| *name != definition.action).collect();
    let others: Vec<_> =
        shop.state.history(&definition.workspace, &names).await?.values().map(|past| past.job).collect();
    let theirs = shop.state.outputs_of(&others).await?;
    let is_theirs = |path: &str| theirs.values().flatten().any(|output| output.path == path);
    let recorded = |output: OutputRecord| Recorded { path: output.path, object: output.object };
    Ok(gone.into_iter().filter(|output| !is_theirs(&output.path)).map(recorded).collect())
}

fn recorded(output: &CollectedOutput) -> OutputRecord {
    OutputRecord {
        path: output.path.clone(),
        level: output.level,
        size: output.size,
        object: output.object,
        mtime_ns: output.mtime_ns,
        excluded: output.excluded.clone(),
        row_count: output.row_count,
        col_count: output.col_count,
    }
}

fn reported(output: &CollectedOutput) -> ReportedOutput {
    ReportedOutput {
        path: output.path.clone(),
        level: output.level,
        size: output.size,
        object: output.object,
        excluded: output.excluded.clone(),
    }
}

fn kept(path: &str, why: KeptBecause) -> String {
    let why = match why {
        KeptBecause::Edited => "was changed by hand",
        KeptBecause::CaseTwin => "differs from a new output only by case",
        KeptBecause::Protected => "belongs to the project's settings",
        KeptBecause::Refused => "could not be removed",
    };
    format!("`{}` was made by an earlier run and not by this one; it is kept because it {why}", visible(path))
}

/// The attempt of a running job, as its state tells.
pub(super) fn attempt_of(job: &crate::state::Job) -> Option<Attempt> {
    (job.state() == JobState::Running).then(|| Attempt { id: job.id.attempt(job.attempts), fence: job.fence })
}

//! From an outcome to a recorded result: log and order of publishing beside the volume, the result in one transaction, then
//! what people see, then cleaning up. Spec jobs.md 9 (steps 8 to 10), 14, 17.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use pipeline::{ActionName, DataKind};

use super::about;
use super::attempt::{Ended, Outcome, Voice, blocking, now};
use super::evidence::{self, Evidence};
use super::log::{FILE, finish_log, read_tail};
use super::prepare::{Inputs, remove_volume, volume};
use super::publisher::Made;
use super::{JobReport, Order, ReportedOutput, Stage, Work, Workshop};
use crate::collect::CollectedOutput;
use crate::fault::point;
use crate::log::visible;
use crate::provenance::{Components, DataIdentity, OutputSpec, split_config};
use crate::publish::{KeptBecause, Published, Recorded};
use crate::schedule::{Tries, back_off};
use crate::state::{Attempt, JobResult, StateError, StatusCode};

/// What the order of publishing is called inside a volume; the finished log is [`FILE`].
pub(super) const ORDER: &str = "publish.json";

/// Steps 8 to 10.
pub(super) async fn record(
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
    let made = Made {
        state: status.code.state(),
        run_key: Some(components.run_key()),
        timestamp: at.as_microsecond() as f64 / 1e6,
        outputs: collected.outputs.clone(),
    };
    let evidence = evidence_of(shop, work, attempt, inputs, &collected.outputs, &mut notes).await;
    let mut order = Order::of(&work.job, &work.created_by, made);
    order.evidence = evidence;
    order.obsolete = obsolete;
    order.shared.cloister.warnings.clone_from(&notes);
    order.actions = Some(work.actions.as_ref().clone());
    if shop.publisher.wants_metadata() {
        let about = about::About { work, attempt, status: &status, collected: &collected, exit: exit.as_ref() };
        order.metadata = about.metadata(at).render().ok();
    }
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
        Err(fault) => {
            notes.push(fault.why);
            Default::default()
        }
    };
    let result = JobResult {
        status: status.clone(),
        outputs: collected.outputs.clone(),
        components: Some(components),
        exit_code,
        milliseconds: exit.as_ref().map(|exit| ((exit.ended - exit.started).max(0.0) * 1e3) as u64),
        peak_bytes: exit.as_ref().map(|exit| exit.usage.peak_memory),
    };
    point("result.before", Some(&definition.action));
    let finished = patiently(shop, || shop.state.finish(attempt, &result, at)).await?;
    point("result.after", Some(&definition.action));
    let shown = finished.code != StatusCode::CancelledByUser;
    order.shown = shown;
    let mut in_place = true;
    point("publish.before", Some(&definition.action));
    if shown {
        match publish(shop, order, &folder).await {
            Ok(published) => {
                published.written.iter().for_each(|path| voice.stage(Stage::Recorded(path.clone())));
                notes.extend(published.kept.iter().map(|(path, why)| kept(path, *why)));
                shop.state.mark_published(attempt.id).await?;
            }
            Err(error) => {
                in_place = false;
                notes.push(format!(
                    "its results are stored but not all are in place: {error}; the next run puts them there"
                ));
            }
        }
    } else {
        if let Err(error) = publish(shop, order, &folder).await {
            notes.push(format!("its log could not be kept: {error}"));
        }
        shop.state.mark_published(attempt.id).await?;
    }
    point("publish.after", Some(&definition.action));
    // What is not in place yet is put there from the volume.
    if in_place {
        clean_up(shop, attempt, spec.is_some(), &mut notes).await?;
    }
    point("clean.after", Some(&definition.action));
    let message = if shown { status.message } else { "Cancelled".to_owned() };
    let report = JobReport {
        action: definition.action.clone(),
        code: finished.code,
        in_place,
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
    Ok(Ended::Finished { finished, report: Box::new(report) })
}

/// The evidence of a built-in action, put where it waits; without it the checks say so, which is no fault of the job.
async fn evidence_of(
    shop: &Arc<Workshop>,
    work: &Arc<Work>,
    attempt: &Attempt,
    inputs: &Inputs,
    outputs: &[CollectedOutput],
    notes: &mut Vec<String>,
) -> Evidence {
    if !shop.publisher.wants_evidence() {
        return Evidence::new();
    }
    let (place, work) = (volume(&shop.volumes, attempt.id), work.clone());
    let (inputs, outputs) = (inputs.clone(), outputs.to_vec());
    let taken = blocking(move || {
        let mut said = Vec::new();
        let taken = evidence::take(&place, &work.job, &inputs, &outputs, &mut said);
        (taken, said)
    });
    match taken.await {
        Ok((taken, said)) => {
            notes.extend(said);
            taken.unwrap_or_else(|error| {
                notes.push(format!("its evidence is not kept: {error}"));
                Evidence::new()
            })
        }
        Err(fault) => {
            notes.push(fault.why);
            Evidence::new()
        }
    }
}

/// How often a result is written that the disk does not take.
const TRIES: u32 = 5;

/// A result that cannot be written now, for want of room, is written later: the work is done and must not be lost.
async fn patiently<T, F: Future<Output = Result<T, StateError>>>(
    shop: &Workshop,
    write: impl Fn() -> F,
) -> Result<T, StateError> {
    let Tries { base, cap, .. } = shop.settings.tries;
    for n in 1..TRIES {
        match write().await {
            Err(StateError::Database(_)) => tokio::time::sleep(back_off(base, cap, n, 0.5)).await,
            written => return written,
        }
    }
    write().await
}

/// Step 9, from what lies in the volume: so it can be repeated after a kill.
pub(super) async fn publish(shop: &Arc<Workshop>, order: Order, folder: &Path) -> Result<Published, String> {
    let (a, log, place) = (shop.clone(), folder.join(FILE), folder.to_owned());
    let published = blocking(move || {
        let log = log.exists().then_some(log.as_path());
        a.publisher.keep(&order, log, &place)?;
        if order.shown { a.publisher.publish(&order, log, &a.store) } else { Ok(Published::default()) }
    })
    .await;
    published.map_err(|fault| fault.why)?.map_err(|error| error.to_string())
}

/// Step 10.
async fn clean_up(
    shop: &Arc<Workshop>,
    attempt: &Attempt,
    was_prepared: bool,
    notes: &mut Vec<String>,
) -> Result<(), StateError> {
    let folder = volume(&shop.volumes, attempt.id);
    if let Some(kept) = shop.settings.keep_volumes.as_ref().filter(|_| was_prepared) {
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
    let removed = blocking(move || remove_volume(runtime.as_ref(), &folder)).await;
    match removed {
        Ok(Ok(())) => shop.state.mark_cleaned(attempt.id).await,
        Ok(Err(error)) => {
            notes.push(format!("its sandbox could not be removed: {error}"));
            Ok(())
        }
        Err(fault) => {
            notes.push(fault.why);
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
pub(crate) fn data_identity(is_database: bool, data: DataKind) -> Option<DataIdentity> {
    let version = match data {
        DataKind::Dummy => "dummy",
        // Until a data source is attached to a backend nothing is known of its version.
        DataKind::Real => "unknown",
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
    let names: Vec<_> = work.actions.iter().map(ActionName::new).filter(|name| *name != definition.action).collect();
    let others: Vec<_> =
        shop.state.history(&definition.workspace, &names).await?.values().map(|past| past.job).collect();
    let theirs = shop.state.outputs_of(&others).await?;
    let is_theirs = |path: &str| theirs.values().flatten().any(|output| output.path == path);
    let recorded = |output: CollectedOutput| Recorded { path: output.path, object: output.object };
    Ok(gone.into_iter().filter(|output| !is_theirs(&output.path)).map(recorded).collect())
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

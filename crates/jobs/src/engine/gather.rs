//! Collecting what an ended job declared, again and again from the kept workspace if the store cannot be written.
//! Spec jobs.md 8, 11.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::folder::SafeFolder;

use super::attempt::{Stop, Stops, blocking};
use super::prepare::Inputs;
use super::{Work, Workshop, outcome};
use crate::collect::{CollectError, Collected, Request, collect};
use crate::fault::point;
use crate::schedule::{Tries, back_off};
use crate::state::Status;
use crate::tree::Tree;

/// How often a collection is tried that fails for want of room or by an error of the disk.
const TRIES: u32 = 5;

/// Collects the outputs; the status says why they are not.
pub(super) async fn gather(
    shop: &Arc<Workshop>,
    work: &Arc<Work>,
    inputs: &Inputs,
    tree: Tree,
    workspace: SafeFolder,
    mut stop: Stops,
) -> Result<Collected, Status> {
    let until = Instant::now() + shop.settings.finalise_limit;
    let (shared, tree, stored) = (Arc::new(workspace), Arc::new(tree), Arc::new(inputs.stored()));
    let Tries { base, cap, .. } = shop.settings.tries;
    for n in 1.. {
        let (a, b, c, d, e) = (shop.clone(), work.clone(), shared.clone(), tree.clone(), stored.clone());
        let gathered = blocking(move || {
            let definition = &b.job.definition;
            point("collect.inside", Some(&definition.action));
            let patterns: Vec<_> = definition.outputs.iter().map(|o| (o.pattern.clone(), o.level)).collect();
            let request = Request {
                patterns: &patterns,
                inputs: &e,
                prepared: &d,
                patient_level: definition.special.is_some_and(writes_patients),
                limits: a.settings.collect,
                until: Some(until),
            };
            let collected = collect(&c, &request, &a.store)?;
            let accepted = a.publisher.accept(&collected.outputs);
            Ok::<_, CollectError>((collected, accepted))
        })
        .await;
        match gathered {
            Ok(Ok((collected, Ok(())))) => return Ok(collected),
            Ok(Ok((_, Err(refused)))) => return Err(outcome::of_refusal(&refused)),
            Ok(Err(CollectError::TooLong)) => {
                return Err(outcome::of_slowness("collecting its outputs", shop.settings.finalise_limit));
            }
            Ok(Err(error)) if error.reason().is_some() || n == TRIES => return Err(outcome::of_collect(&error)),
            // The workspace is as it was: nothing is lost but time.
            Ok(Err(_)) => {}
            Err(fault) if n >= 2 => return Err(outcome::internal(&fault.why)),
            Err(_) => {}
        }
        if wait(back_off(base, cap, n, 0.5), &mut stop).await {
            return Err(outcome::cancelled());
        }
    }
    Err(outcome::internal(&"it could not be collected"))
}

/// Waits; true if the job is being cancelled meanwhile.
async fn wait(time: Duration, stop: &mut Stops) -> bool {
    let is_cancelled = |stop: &Stops| matches!(*stop.borrow(), Some(Stop::Cancel));
    if is_cancelled(stop) {
        return true;
    }
    tokio::select! {
        () = tokio::time::sleep(time) => false,
        changed = stop.changed() => changed.is_ok() && is_cancelled(stop),
    }
}

/// Commands whose files are patients, whatever level they are declared at (spec jobs.md 11).
fn writes_patients(command: pipeline::SpecialCommand) -> bool {
    matches!(command, pipeline::SpecialCommand::GenerateCohort | pipeline::SpecialCommand::GenerateDataset)
}

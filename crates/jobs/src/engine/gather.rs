//! Collecting what an ended job declared, again and again from the kept workspace if the store cannot be written.
//! Spec jobs.md 8, 11.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sandbox::folder::SafeFolder;

use super::attempt::{Stops, stoppable};
use super::prepare::Inputs;
use super::{Work, Workshop, outcome};
use crate::collect::{CollectError, Collected, Request, collect};
use crate::fault::point;
use crate::schedule::{Tries, back_off};
use crate::state::Status;
use crate::tree::Tree;
use crate::{Leave, NoLeave};

/// How often a collection is tried that fails for want of room or by an error of the disk.
const TRIES: u32 = 5;

/// What came of a collection.
pub(super) enum Gathered {
    All(Collected),
    /// With the status that says why.
    Failed(Box<Status>),
    NoLeave(NoLeave),
}

/// Collects the outputs.
pub(super) async fn gather(
    shop: &Arc<Workshop>,
    work: &Arc<Work>,
    inputs: &Inputs,
    tree: Tree,
    workspace: SafeFolder,
    stop: &mut Stops,
) -> Gathered {
    let leave = Leave::until(Instant::now() + shop.settings.finalise_limit);
    let (shared, tree, stored) = (Arc::new(workspace), Arc::new(tree), Arc::new(inputs.stored()));
    let Tries { base, cap, .. } = shop.settings.tries;
    let mut n = 0;
    loop {
        n += 1;
        let (a, b, c, d, e) = (shop.clone(), work.clone(), shared.clone(), tree.clone(), stored.clone());
        let allowed = leave.clone();
        let gathered = stoppable(stop, &leave, move || {
            let definition = &b.job.definition;
            point("collect.inside", Some(&definition.action));
            let patterns: Vec<_> = definition.outputs.iter().map(|o| (o.pattern.clone(), o.level)).collect();
            let request = Request {
                patterns: &patterns,
                inputs: &e,
                prepared: &d,
                patient_level: definition.special.is_some_and(writes_patients),
                limits: a.settings.collect,
                leave: &allowed,
            };
            let collected = collect(&c, &request, &a.store)?;
            let accepted = a.publisher.accept(&collected.outputs);
            Ok::<_, CollectError>((collected, accepted))
        })
        .await;
        match gathered {
            Ok(Ok((collected, Ok(())))) => return Gathered::All(collected),
            Ok(Ok((_, Err(refused)))) => return Gathered::Failed(outcome::of_refusal(&refused).into()),
            Ok(Err(CollectError::NoLeave(why))) => return Gathered::NoLeave(why),
            Ok(Err(error)) if error.reason().is_some() || n == TRIES => {
                return Gathered::Failed(outcome::of_collect(&error).into());
            }
            // The workspace is as it was: nothing is lost but time.
            Ok(Err(_)) => {}
            Err(fault) if n >= 2 => return Gathered::Failed(outcome::internal(&fault.why).into()),
            Err(_) => {}
        }
        if wait(back_off(base, cap, n, 0.5), stop).await {
            return Gathered::NoLeave(NoLeave::Stopped);
        }
    }
}

/// Waits; true if the attempt is told to stop meanwhile.
async fn wait(time: Duration, stop: &mut Stops) -> bool {
    tokio::select! {
        () = tokio::time::sleep(time) => false,
        _ = stop.wait_for(Option::is_some) => true,
    }
}

/// Commands whose files are patients, whatever level they are declared at (spec jobs.md 11).
fn writes_patients(command: pipeline::SpecialCommand) -> bool {
    matches!(command, pipeline::SpecialCommand::GenerateCohort | pipeline::SpecialCommand::GenerateDataset)
}

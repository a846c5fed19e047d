//! What a pending job waits for, as a status for people.
//! Spec jobs.md 4.

use crate::JobId;
use crate::schedule::{Held, Pool, Standing};
use crate::state::Status;

/// The status of a job that stands so. `name` gives the action of a job it waits for.
pub(super) fn status(standing: &Standing, name: impl Fn(JobId) -> Option<String>) -> Status {
    let message = match standing {
        Standing::Paused => "Paused by an operator; starts afterwards".to_owned(),
        Standing::Reboot => "Stopped for a restart of the server; starts afterwards".to_owned(),
        Standing::Maintenance => "The database is in maintenance; starts afterwards".to_owned(),
        Standing::Dependencies(jobs) => {
            let names: Vec<_> = jobs.iter().map(|job| name(*job).unwrap_or_else(|| job.to_string())).collect();
            format!("Waiting for {}", names.join(", "))
        }
        Standing::NextTry(_) => "Waiting for its next attempt".to_owned(),
        Standing::Held(Held::Image) => "Its image cannot be reached".to_owned(),
        Standing::Held(Held::Code) => "Its code cannot be reached".to_owned(),
        Standing::Held(Held::Disk) => "The disk has too little room".to_owned(),
        Standing::Worker { pool, position, weight } => {
            let worker = if *pool == Pool::Db { "database worker" } else { "worker" };
            let heavy = if weight.is_intensive() { "; this job is resource intensive" } else { "" };
            format!("Waiting for a {worker}, position {position}{heavy}")
        }
    };
    let status = Status::new(standing.code(), message);
    match standing {
        Standing::Worker { pool, position, weight } => {
            let status = status.with("position", i64::try_from(*position).unwrap_or(i64::MAX));
            status.telling(|tells| (tells.pool, tells.weight) = (Some(*pool), Some(weight.whole())))
        }
        Standing::Dependencies(jobs) => status.telling(|tells| tells.blocked_by.clone_from(jobs)),
        _ => status,
    }
}

//! What is the case now, for the line to send: mode, pools, places in the queue, room on the disk.
//! Spec protocol.md 6; jobs.md 5 (position).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jobs::engine::{PoolView, View};
use jobs::schedule::{Maintenance, Modes, Pool as PoolName};
use protocol::fact::backend::Mode;
use protocol::fact::codes::Pool;
use protocol::gauges::{Disk, PoolGauge, Queued};
use protocol::text::whole::Count;
use tokio::sync::watch;

use super::{Bench, WorkError};
use crate::desk::Readings;
use crate::desk::ended;

/// How often the disk is looked at.
const LOOK: Duration = Duration::from_secs(30);

pub(super) async fn run(
    bench: Arc<Bench>,
    readings: watch::Sender<Readings>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), WorkError> {
    let mut view = bench.server.view();
    loop {
        let seen = view.borrow_and_update().clone();
        let now = read(&seen, disk(&bench.rules.folders.high, bench.rules.running.disk_low));
        readings.send_if_modified(|shown| {
            let changed = *shown != now;
            if changed {
                *shown = now;
            }
            changed
        });
        tokio::select! {
            changed = view.changed() => if changed.is_err() { return Ok(()) },
            () = tokio::time::sleep(LOOK) => {}
            () = ended(&mut stop) => return Ok(()),
        }
    }
}

fn count(number: u64) -> Count {
    Count::try_from(number).unwrap_or(Count::LEAST)
}

fn pool(name: PoolName) -> Pool {
    match name {
        PoolName::Db => Pool::Db,
        PoolName::Other => Pool::Other,
    }
}

fn mode(modes: Modes) -> Mode {
    match (modes.is_paused(), modes.maintenance) {
        (true, _) => Mode::Paused,
        (false, Maintenance::Off) => Mode::Open,
        (false, _) => Mode::DbMaintenance,
    }
}

fn read(seen: &View, disk: Disk) -> Readings {
    let gauge = |pool, seen: PoolView| PoolGauge {
        pool,
        capacity: count(seen.capacity),
        running: count(seen.running),
        waiting: count(seen.waiting),
        weight_running: count(seen.taken),
    };
    let queued = |&(job, name, position): &(jobs::JobId, PoolName, u64)| {
        Some(Queued { job: job.to_string().parse().ok()?, pool: pool(name), position: count(position) })
    };
    Readings {
        mode: mode(seen.modes),
        pools: vec![gauge(Pool::Db, seen.db), gauge(Pool::Other, seen.other)],
        queue: seen.queue.iter().filter_map(queued).collect(),
        disk,
    }
}

/// Room for outputs, in one word: full where nothing starts any more.
fn disk(folder: &Path, low: u64) -> Disk {
    let Ok(found) = rustix::fs::statvfs(folder) else { return Disk::Full };
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    match free {
        _ if free < low => Disk::Full,
        _ if free < low.saturating_mul(2) => Disk::Low,
        _ => Disk::Ok,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_mode_is_told() {
        let maintenance = Modes { maintenance: Maintenance::Manual, ..Modes::default() };
        assert_eq!(mode(Modes::default()), Mode::Open);
        assert_eq!(mode(maintenance), Mode::DbMaintenance);
        assert_eq!(mode(Modes { paused: true, ..maintenance }), Mode::Paused);
        assert_eq!(mode(Modes { draining: true, ..Modes::default() }), Mode::Paused);
    }

    #[test]
    fn room_is_a_word() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(disk(folder.path(), 0), Disk::Ok);
        assert_eq!(disk(folder.path(), u64::MAX), Disk::Full);
        assert_eq!(disk(&folder.path().join("none"), 0), Disk::Full);
    }
}

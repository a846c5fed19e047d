//! Whether the disk has room for another job.
//! Spec jobs.md 8, 9 (disk full), 23 (`disk_low`).

use super::Workshop;

/// What is short, in words; `None` if there is room.
pub(super) fn lacking(shop: &Workshop) -> Option<String> {
    let low = shop.settings.disk_low;
    let found = rustix::fs::statvfs(&shop.volumes).ok()?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let mib = |bytes: u64| bytes >> 20;
    let what = || {
        format!(
            "the disk of {} has {} MB free, and no job starts below {} MB. Free some, and start again",
            shop.volumes.display(),
            mib(free),
            mib(low)
        )
    };
    (free < low).then(what)
}

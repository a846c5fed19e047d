//! Running on a laptop: one project folder that is code, state and output in one.
//! Spec jobs.md 18, cli.md 4.2 and 4.3. Everything else is the same engine as a backend's.

mod clean;
mod code;
mod desk;
mod judge;
mod publisher;
mod recover;
mod snapshots;
mod study;
mod submit;
mod upkeep;

pub(crate) use snapshots::{NAME as SNAPSHOT_NAME, is_ours as is_snapshot};
pub(crate) use upkeep::read_whole;

pub use clean::{Cleaned, Extent, clean, size};
pub use code::{OutputPaths, code_tree};
pub use desk::{Answer, Desk, NOTICE, Overview, WISH};
pub use judge::{Edited, Judged, Judging};
pub use recover::Recovered;
pub use snapshots::{Chosen, Restored, SNAPSHOTS, restore, snapshot, snapshot_to_restore};
pub use study::{LocalError, Look, Study, StudyView, runs_of};
pub use submit::{Runtimes, Submission, image_identity};
pub use upkeep::{Finding, Verified, gc, verify};

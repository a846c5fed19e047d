//! What this backend allows and has: from its operator's settings, never from the site.
//! Spec protocol.md 1; jobs.md 20, 21, 23.

use std::collections::BTreeMap;
use std::time::Duration;

use jobs::engine::RunSettings;
use jobs::schedule::{Capacity, Pace};
use jobs::server::Folders;
use protocol::order::PermissionKind;
use protocol::text::names::{BackendSlug, DataVersion, PermissionCode, ProjectSlug};
use protocol::text::time::Moment;
use repositories::{AllowList, Limits};

/// Whether patients' records may be near.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Invented data alone: native environments may stand in for images.
    Demo,
    /// Native environments are refused.
    Production,
}

/// A permission that the data's owner gave a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// For what.
    pub kind: PermissionKind,
    /// Which.
    pub code: PermissionCode,
    /// The moment from which it counts no more, by this machine's clock.
    pub ends_at: Option<Moment>,
}

/// The backend's own policy file: what each project may use at most.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// By project; a project without an entry has the ordinary alone.
    pub projects: BTreeMap<ProjectSlug, Vec<Grant>>,
}

/// All that the work of a backend goes by.
#[derive(Debug, Clone)]
pub struct Rules {
    /// Its name.
    pub backend: BackendSlug,
    /// Where it keeps things.
    pub folders: Folders,
    /// Whether patients' records may be near.
    pub profile: Profile,
    /// Where code may come from.
    pub repositories: AllowList,
    /// How it is fetched; mirrors lie in [`Folders::mirrors`] unless this says otherwise.
    pub fetching: repositories::Settings,
    /// How large a commit may be.
    pub tree: Limits,
    /// What projects may use.
    pub policy: Policy,
    /// Where runtimes are found and kept, and this program's own engines; the version of a project is filled in.
    pub runtimes: runtimes::Options,
    /// Why this program has no engine for the words behind a runtime's name, if it has none: of the room `actions`.
    pub lacks: fn(&str, &[String]) -> Option<String>,
    /// How much may run at once.
    pub capacity: Capacity,
    /// What keeps scheduling fair.
    pub pace: Pace,
    /// How attempts run.
    pub running: RunSettings,
    /// How long an order is tried whose code cannot be reached.
    pub request_check_max: Duration,
    /// The first wait before code is asked for again; it doubles up to five minutes.
    pub first_wait: Duration,
    /// The operator's label of the data.
    pub data_version: Option<DataVersion>,
}

//! What this backend allows and has: from its operator's settings, never from the site.
//! Spec protocol.md 1; jobs.md 20, 21, 23.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jobs::engine::RunSettings;
use jobs::reusable::Origin;
use jobs::schedule::{Capacity, Pace, Weight};
use jobs::server::Folders;
use pipeline::ReusableAction;
use protocol::text::names::{BackendSlug, DataVersion};
use repositories::{AllowList, Limits};
use sandbox::IsolationLevel;

use crate::settings::{Grant, Profile, Settings};

/// The backend's own policy: what each project may use at most. A project without an entry has the ordinary alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// One entry for each project and code.
    pub grants: Vec<Grant>,
}

/// Which reusable actions may run here.
#[derive(Debug, Clone, Default)]
pub struct ActionRules {
    /// Where their repositories are; `None` if there are none here.
    pub origin: Option<Origin>,
    /// The only names, if not all of that place are allowed.
    pub names: Option<BTreeSet<String>>,
}

impl ActionRules {
    /// Whether one of this name may run.
    pub(super) fn allows(&self, name: &str) -> bool {
        self.origin.is_some() && self.names.as_ref().is_none_or(|names| names.contains(name))
    }

    /// Whether one that was planned before may still start.
    pub(super) fn still_allow(&self, action: &ReusableAction) -> bool {
        let name = &action.reference.name;
        self.allows(name) && self.origin.as_ref().is_some_and(|origin| origin.has(name, &action.repository))
    }
}

/// What the program that runs a backend knows of itself and its machine.
#[derive(Debug, Clone)]
pub struct Machine {
    /// Where runtimes are found and kept, and this program's own engines.
    pub runtimes: runtimes::Options,
    /// Why this program has no engine for the words behind a runtime's name, if it has none: of the room `actions`.
    pub lacks: fn(&str, &[String]) -> Option<String>,
}

/// Makes an environment; blocks. An error is in words for the operator.
pub type Make = fn(&runtimes::Plan) -> Result<runtimes::Program, String>;

fn make(plan: &runtimes::Plan) -> Result<runtimes::Program, String> {
    runtimes::build(plan, &mut |_| {}).map_err(|error| error.to_string())
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
    /// Which reusable actions may run.
    pub actions: ActionRules,
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
    /// How environments are made.
    pub make: Make,
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

/// No job starts below 5 % of the disk or this much, whichever is less (spec jobs.md 23).
const DISK_LOW: u64 = 20 << 30;
/// The same in the demo profile, as on a laptop.
const DISK_LOW_DEMO: u64 = 2 << 30;

/// 5 % of the disk on which a folder lies, or will lie.
fn twentieth(folder: &Path) -> Option<u64> {
    let about = folder.ancestors().find_map(|there| rustix::fs::statvfs(there).ok())?;
    Some(about.f_blocks.saturating_mul(about.f_frsize) / 20)
}

/// No job writes more, temporary files included (spec jobs.md 23).
const DISK: u64 = 200 << 30;

impl Rules {
    /// Those of an operator's settings.
    pub fn of(settings: &Settings, machine: Machine) -> Self {
        let folders = Folders {
            state: settings.folders.state.clone(),
            high: settings.folders.high.clone(),
            medium: settings.folders.medium.clone(),
        };
        let (limits, code) = (&settings.limits, &settings.repositories);
        let each = sandbox::Limits {
            memory: limits.memory_mb << 20,
            cpus: limits.cpus,
            processes: 4096,
            disk: DISK,
            files: 1_000_000,
            time: Some(Duration::from_secs(limits.run_time)),
            log: 1 << 30,
        };
        // A demo lives on a laptop's disk.
        let most = if settings.profile == Profile::Demo { DISK_LOW_DEMO } else { DISK_LOW };
        let disk_low = twentieth(&folders.high).map_or(most, |part| part.min(most));
        let (all, db) = (Weight::workers(settings.workers.max), Weight::workers(settings.workers.db));
        Self {
            backend: settings.slug.clone(),
            profile: settings.profile,
            repositories: code.allow.clone(),
            actions: settings.actions.clone(),
            fetching: repositories::Settings {
                rewrites: code.rewrites.clone(),
                tokens: code.tokens.clone(),
                ca_file: code.ca_file.clone(),
                ..repositories::Settings::new(folders.mirrors())
            },
            folders,
            tree: Limits::BACKEND,
            policy: Policy { grants: settings.permissions.clone() },
            runtimes: machine.runtimes,
            lacks: machine.lacks,
            make,
            capacity: Capacity { db, other: all, together: Some(all.max(db)) },
            pace: Pace::default(),
            running: RunSettings { disk_low, ..RunSettings::backend(each, IsolationLevel::Full) },
            request_check_max: Duration::from_secs(limits.request_check),
            first_wait: Duration::from_secs(5),
            data_version: settings.data_version.clone(),
        }
    }
}

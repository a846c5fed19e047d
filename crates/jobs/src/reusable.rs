//! Reusable actions: where their repositories are, which commit `name:tag` is, and the code that a job of one gets.
//! Spec project-yaml.md 9; jobs.md 19; cli.md 5. Laptop and backend ask the same; what is asked is each one's own matter.

mod code;
mod library;
mod lockfile;
mod origin;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use pipeline::{ActionName, Project, Registry, RuntimeRef};

pub use code::{ActionCode, ActionCodes, Reusable, expand};
pub use library::{Ask, Came, Found, Library, MOST, NotFound, Pins};
pub use lockfile::{BadLock, LOCK_FILE, read_lock, write_lock};
pub use origin::{BadOrigin, ORGANISATION, Origin};

/// The reusable actions that a request for these actions can come to.
pub fn wanted(project: &Project, requested: &[ActionName], registry: &Registry) -> BTreeSet<RuntimeRef> {
    let reached = project.reached(requested).into_iter().filter_map(|name| project.action(name));
    reached.map(|action| &action.runtime).filter(|one| !registry.runtimes.contains_key(&one.name)).cloned().collect()
}

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

/// The reusable actions that a request for these actions can come to, needs of needs included; `run_all` is everything.
pub fn wanted(project: &Project, requested: &[ActionName], registry: &Registry) -> BTreeSet<RuntimeRef> {
    let mut seen: BTreeSet<&ActionName> = BTreeSet::new();
    let all = requested.iter().any(ActionName::is_run_all);
    let mut open: Vec<&ActionName> = requested.iter().filter(|name| !name.is_run_all()).collect();
    open.extend(project.run_all().filter(|_| all).map(|action| &action.name));
    let mut wanted = BTreeSet::new();
    while let Some(name) = open.pop() {
        let Some(action) = project.action(name).filter(|_| seen.insert(name)) else { continue };
        if !registry.runtimes.contains_key(&action.runtime.name) {
            wanted.insert(action.runtime.clone());
        }
        open.extend(&action.needs);
    }
    wanted
}

//! The names that a `run:` may begin with and the tags each of them ever had, as data for `pipeline::resolve`.
//! Spec actions.md 2.1-2.2, cli.md 5, project-yaml.md 9.

mod tags;

use pipeline::{Registry, ReusableActions, RuntimeEntry, RuntimeKind, RuntimeRef, TagStatus};

/// What stands behind a name on a laptop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    /// CPython with the packages scripts import.
    Python,
    /// The same with the notebook programs.
    Jupyter,
    /// R with its packages.
    R,
    /// Licensed; never provided by this program.
    Stata,
    /// An engine inside this program.
    Builtin,
    /// Known, without an engine so far.
    Planned,
}

/// One row of the catalogue.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    pub(crate) family: Family,
    /// What `latest` means, and whether a platform runtime says so (`pipeline` then tells the researcher, P306).
    pub(crate) latest: &'static str,
    platform_latest: bool,
    /// What `dev` means: the newest.
    newest: &'static str,
    tag: fn(&str) -> TagStatus,
}

/// Every name, in the order in which they are listed to people.
pub(crate) static ENTRIES: &[Entry] = &[
    entry("python", Family::Python, "v1", true, "v2", tags::python),
    entry("jupyter", Family::Jupyter, "v1", true, "v1", tags::only_v1),
    entry("r", Family::R, "v1", true, "v2", tags::r),
    entry("stata-mp", Family::Stata, "v1", true, "v1", tags::only_v1),
    entry("cohortextractor", Family::Builtin, "v1", true, "v1", tags::cohortextractor),
    entry("sqlrunner", Family::Builtin, "v1", true, "v1", tags::sqlrunner),
    entry("cohort-joiner", Family::Builtin, "v0.0.58", false, "v0.0.58", tags::patches::<58>),
    entry("dataset-report", Family::Builtin, "v0.0.29", false, "v0.0.29", tags::patches::<29>),
    entry("deciles-charts", Family::Builtin, "v0.0.47", false, "v0.0.47", tags::patches::<47>),
    entry("interactive", Family::Builtin, "v1", false, "v1", tags::only_v1),
    entry("ehrql", Family::Planned, "v1", true, "v1", tags::ehrql),
    entry("databuilder", Family::Planned, "v1", true, "v1", tags::ehrql),
];

const fn entry(
    name: &'static str,
    family: Family,
    latest: &'static str,
    platform_latest: bool,
    newest: &'static str,
    tag: fn(&str) -> TagStatus,
) -> Entry {
    Entry { name, family, latest, platform_latest, newest, tag }
}

impl Entry {
    pub(crate) fn judge(&self, tag: &str) -> TagStatus {
        (self.tag)(tag)
    }

    /// The tag with `latest` and `dev` replaced by what they stand for.
    pub(crate) fn settle(&self, tag: &str) -> String {
        match tag {
            "latest" => self.latest.to_owned(),
            "dev" => self.newest.to_owned(),
            other => other.to_owned(),
        }
    }
}

/// The row of a name; `None` for what can only be a reusable action.
pub(crate) fn find(name: &str) -> Option<&'static Entry> {
    ENTRIES.iter().find(|entry| entry.name == name)
}

/// All names and tags that this program knows, for `pipeline::resolve`.
///
/// It is about names alone: a built-in is listed although the program at hand may not have its engine (`locate` then
/// answers that). Judging a tag takes no look at the machine.
pub fn catalogue() -> Registry {
    let runtimes = ENTRIES
        .iter()
        .map(|entry| {
            let kind = match entry.family {
                Family::Python | Family::Jupyter | Family::R | Family::Stata => RuntimeKind::Platform,
                Family::Builtin => RuntimeKind::Builtin,
                Family::Planned => RuntimeKind::Planned,
            };
            let latest = entry.platform_latest.then(|| entry.latest.to_owned());
            (entry.name.to_owned(), RuntimeEntry { kind, latest, tag: entry.tag })
        })
        .collect();
    Registry { runtimes, reusable: ReusableActions::Nowhere }
}

/// The reference with `latest` and `dev` replaced by what they stand for; unknown names are left as they are.
pub fn settle(reference: &RuntimeRef) -> RuntimeRef {
    let tag = find(&reference.name).map_or_else(|| reference.tag.clone(), |entry| entry.settle(&reference.tag));
    RuntimeRef { name: reference.name.clone(), tag }
}

#[cfg(test)]
mod tests;

//! Compares what made an output with what would make it now.
//! Spec jobs.md 17.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Change, CodeChange, CodeTree, Components, Difference, InputFile, OutputSpec};

/// Paths that a run is known to read if they are there: scripts, and the modules they load by a literal name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KnownRead {
    paths: BTreeSet<String>,
}

impl KnownRead {
    /// Whether this path is known to be read.
    pub fn contains(&self, path: &str) -> bool {
        self.paths.contains(path)
    }
    /// The paths, in order.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.paths.iter().map(String::as_str)
    }
}

impl<T: Into<String>> FromIterator<T> for KnownRead {
    fn from_iter<I: IntoIterator<Item = T>>(paths: I) -> Self {
        Self { paths: paths.into_iter().map(Into::into).collect() }
    }
}

impl<T: Into<String>> Extend<T> for KnownRead {
    fn extend<I: IntoIterator<Item = T>>(&mut self, paths: I) {
        self.paths.extend(paths.into_iter().map(Into::into));
    }
}

/// Whether a finished job is what would be made now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state", content = "differs")]
pub enum Staleness {
    /// Every component is the same, and so are those of all its needs.
    UpToDate,
    /// At least one thing that matters differs. Never empty.
    Stale(Vec<Difference>),
    /// Only code differs that the last run is not known to have read. Never empty.
    PossiblyStale(Vec<CodeChange>),
    /// Nothing is recorded of how it was made.
    Unknown,
}

impl Staleness {
    /// Whether it is out of date for sure.
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Stale(_))
    }
    /// Its name in plans: `up_to_date`, `stale`, `possibly_stale`, `unknown`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::UpToDate => "up_to_date",
            Self::Stale(_) => "stale",
            Self::PossiblyStale(_) => "possibly_stale",
            Self::Unknown => "unknown",
        }
    }
}

/// Compares the components of the last run (`None` if there is no record) with those of a run made now.
///
/// Differences are in the order of [`super::Component::ALL`], but code that is not known to be read comes last: the first
/// one is always a real cause.
pub fn compare(old: Option<&Components>, new: &Components, known_read: &KnownRead) -> Staleness {
    let Some(old) = old else { return Staleness::Unknown };
    let mut before_code = Vec::new();
    if old.command != new.command {
        before_code.push(Difference::Command { old: old.command.clone(), new: new.command.clone() });
    }
    if old.config != new.config {
        before_code.push(Difference::Config { keys: changed_keys(old.config.as_deref(), new.config.as_deref()) });
    }
    if old.image != new.image {
        before_code.push(Difference::Image { old: old.image.clone(), new: new.image.clone() });
    }
    let mut after_code = changed_inputs(&old.inputs, &new.inputs);
    after_code.extend(changed_outputs(&old.outputs, &new.outputs));
    after_code.extend(
        merge(&old.environment, &new.environment)
            .map(|(name, change)| Difference::Environment { name: name.clone(), change }),
    );
    if old.data != new.data {
        after_code.push(Difference::Data { old: old.data.clone(), new: new.data.clone() });
    }
    let code = changed_code(&old.code, &new.code, known_read);

    if before_code.is_empty() && after_code.is_empty() && !code.iter().any(|change| change.read) {
        return if code.is_empty() { Staleness::UpToDate } else { Staleness::PossiblyStale(code) };
    }
    let (read, unread): (Vec<_>, Vec<_>) = code.into_iter().partition(|change| change.read);
    let code = |changes: Vec<CodeChange>| changes.into_iter().map(Difference::Code);
    Staleness::Stale(before_code.into_iter().chain(code(read)).chain(after_code).chain(code(unread)).collect())
}

/// Every key whose presence or value differs, in order.
fn merge<'a, K: Ord, V: PartialEq>(
    old: &'a BTreeMap<K, V>,
    new: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Change)> {
    let keys: BTreeSet<&K> = old.keys().chain(new.keys()).collect();
    keys.into_iter().filter_map(|key| match (old.get(key), new.get(key)) {
        (None, _) => Some((key, Change::Added)),
        (_, None) => Some((key, Change::Removed)),
        (a, b) => (a != b).then_some((key, Change::Changed)),
    })
}

fn changed_keys(old: Option<&str>, new: Option<&str>) -> Vec<String> {
    type Map = BTreeMap<String, serde_json::Value>;
    let parse = |json: Option<&str>| json.map_or(Some(Map::new()), |json| serde_json::from_str(json).ok());
    match (parse(old), parse(new)) {
        (Some(old), Some(new)) => merge(&old, &new).map(|(key, _)| key.clone()).collect(),
        // Numbers beyond what the reader holds: the difference is certain, only its place is not.
        _ => Vec::new(),
    }
}

fn changed_code(old: &CodeTree, new: &CodeTree, known_read: &KnownRead) -> Vec<CodeChange> {
    if old.hash() == new.hash() {
        return Vec::new();
    }
    let (mut a, mut b) = (old.files().iter().peekable(), new.files().iter().peekable());
    let mut changes = Vec::new();
    loop {
        let order = match (a.peek(), b.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.path.cmp(&new.path),
        };
        let old = if order.is_le() { a.next() } else { None };
        let new = if order.is_ge() { b.next() } else { None };
        let (path, change) = match (old, new) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(_), Some(new)) => (&new.path, Change::Changed),
            (Some(old), None) => (&old.path, Change::Removed),
            (None, Some(new)) => (&new.path, Change::Added),
            (None, None) => break,
        };
        changes.push(CodeChange { path: path.clone(), change, read: known_read.contains(path) });
    }
    changes.sort_by_key(|change| !change.read);
    changes
}

fn changed_inputs(old: &[InputFile], new: &[InputFile]) -> Vec<Difference> {
    fn by_path(files: &[InputFile]) -> BTreeMap<&str, &InputFile> {
        files.iter().map(|file| (file.path.as_str(), file)).collect()
    }
    let (old, new) = (by_path(old), by_path(new));
    let paths: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let differs = |path: &str| {
        let (change, file) = match (old.get(path), new.get(path)) {
            (None, Some(new)) => (Change::Added, new),
            (Some(old), None) => (Change::Removed, old),
            (Some(old), Some(new)) if old.object != new.object => (Change::Changed, new),
            _ => return None,
        };
        let (path, action, job) = (file.path.clone(), file.action.clone(), file.job);
        Some(Difference::Inputs { path, change, action, job })
    };
    paths.into_iter().filter_map(differs).collect()
}

fn changed_outputs(old: &[OutputSpec], new: &[OutputSpec]) -> Vec<Difference> {
    let set = |specs: &[OutputSpec]| specs.iter().cloned().map(|spec| (spec, ())).collect::<BTreeMap<_, _>>();
    merge(&set(old), &set(new)).map(|(spec, change)| Difference::Outputs { change, spec: spec.clone() }).collect()
}

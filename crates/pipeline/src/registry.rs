//! The outside world as data, for `resolve`: which runtimes exist with which tags, and which files the checkout holds.

use std::collections::{BTreeMap, BTreeSet};

use crate::{ReusableFault, RuntimeRef};

/// What kind of thing a runtime name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuntimeKind {
    /// An image or native environment of the platform: `python`, `r`.
    Platform,
    /// A built-in action of this program.
    Builtin,
    /// Known, but this program has no engine for it yet (W P316).
    Planned,
}

/// What is known of one tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagStatus {
    /// It exists.
    Known,
    /// A later patch than the last one known; the newest profile is used (W P315).
    Newer {
        /// The last version this program knows.
        last_known: String,
    },
    /// It never existed (P308).
    Unknown {
        /// The nearest existing ones, best first, at most three.
        nearest: Vec<String>,
    },
}

/// One runtime name.
#[derive(Debug, Clone)]
pub struct RuntimeEntry {
    /// What it is.
    pub kind: RuntimeKind,
    /// What `latest` stands for; `None` where it is not `v1`-like (built-ins resolve it themselves).
    pub latest: Option<String>,
    /// Judges a tag.
    pub tag: fn(&str) -> TagStatus,
}

/// What is known of reusable actions, which are all names that are no runtime's (spec project-yaml.md 9).
#[derive(Debug, Clone, Default)]
pub enum ReusableActions {
    /// There is nowhere to look for any: such a name means nothing (P307).
    #[default]
    Nowhere,
    /// Those that were looked up. One that is not among them may exist all the same (P809).
    LookedUp(BTreeMap<RuntimeRef, Result<(), ReusableFault>>),
}

/// All runtimes that `name:tag` may name, and what is known of reusable actions.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// By name.
    pub runtimes: BTreeMap<String, RuntimeEntry>,
    /// All other names.
    pub reusable: ReusableActions,
}

/// The files of the checkout, as paths relative to its root with `/` as separator.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Every regular file.
    pub files: BTreeSet<String>,
}

//! A wall taken away by a test, to show that the others hold alone (spec sandbox.md 1). Debug builds only: a release
//! build has neither the words for it nor the branch, so no specification, setting or order can ask for it there.

use serde::{Deserialize, Serialize};

/// One of the things that keep a run in.
#[doc(hidden)]
#[cfg_attr(not(debug_assertions), allow(unreachable_pub, reason = "exported in debug builds only"))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wall {
    /// The host's file system is left out of the root: without it the whole host stands at `/host`.
    Mounts,
    /// Landlock's rules.
    Landlock,
    /// The system call filter.
    Filter,
}

/// The walls that a run goes without; none unless a test says so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Weaker {
    #[cfg(debug_assertions)]
    pub(crate) without: Vec<Wall>,
}

impl Weaker {
    /// Whether `wall` is taken away.
    #[cfg(debug_assertions)]
    pub(crate) fn lacks(&self, wall: Wall) -> bool {
        self.without.contains(&wall)
    }

    /// Never.
    #[cfg(not(debug_assertions))]
    #[allow(clippy::unused_self, reason = "the same call in both kinds of build")]
    pub(crate) const fn lacks(&self, _wall: Wall) -> bool {
        false
    }
}

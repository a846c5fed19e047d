//! Who watches which page, and what is told to them when facts change it.
//! Spec site.md 14.

use crate::facts::Changed;

/// The readers of open pages.
#[derive(Debug, Default)]
pub struct Hub {}

impl Hub {
    /// Something changed; called after the commit.
    pub fn tell(&self, _changed: &Changed) {}

    /// Ends all streams.
    pub(crate) fn stop(&self) {}
}

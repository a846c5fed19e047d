//! A graph of actions as inline SVG: left to right by depth of dependency, edges from what is needed to what needs it.
//! Spec site.md 4.5. The layout knows nothing of states, so it may be kept for a project.yaml and drawn many times.

mod draw;
mod layout;

pub use layout::{Layout, Place};

use crate::icon::{Level, State};

/// The most nodes that are drawn inside a page.
pub const MOST_IN_A_PAGE: usize = 60;
/// The most nodes that are drawn on a page of their own.
pub const MOST_ALONE: usize = 400;

/// Which nodes there are, and which need which.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shape {
    /// Names, as they are shown.
    pub names: Vec<String>,
    /// Pairs (needed, needing) of places in `names`. Pairs that point nowhere, at themselves, or back (a cycle, which a
    /// valid project does not have) are drawn as well as can be and never break the layout.
    pub edges: Vec<(usize, usize)>,
}

/// How a node takes part in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Asked for by name.
    Requested,
    /// Needed by something that was asked for.
    PulledIn,
    /// Done before, or by another request.
    Reused,
}

/// What may change about a node while its place stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where it leads, such as `#j-iffh6wyvqzyqr6h3`.
    pub href: String,
    /// How its job stands.
    pub state: State,
    /// How it takes part.
    pub part: Part,
    /// The levels of its outputs.
    pub levels: Vec<Level>,
}

//! What made an output, as components that can be compared: so that a re-run can say exactly why it is needed.
//! Spec jobs.md 17.

mod chain;
mod code;
mod compare;
mod components;
mod difference;
mod encode;
mod inputs;
mod reads;

pub use chain::{Chain, propagate};
pub use code::{CodeFile, CodeTree};
pub use compare::{KnownRead, Staleness, compare};
pub(crate) use components::run_key;
pub use components::{Component, Components, DataIdentity, ImageIdentity, OutputSpec, split_config};
pub use difference::{Change, CodeChange, Difference};
pub use inputs::{Collision, InputFile, PinnedOutput, workspace_inputs};
pub use reads::ReadScanner;

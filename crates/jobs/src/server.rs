//! Running on a backend: one state for many workspaces, an engine that stays, views of two levels.
//! Spec jobs.md 9, 13-15. The same planner, scheduler, collector and checks as a laptop's (18).

mod folders;
mod open;
mod publisher;
mod recover;
mod submit;
mod upkeep;
mod views;

pub use folders::{Folders, ServerError};
pub use open::Server;
pub use recover::Recovered;
pub use submit::{Planned, SeenBefore, SubmitError};
pub use upkeep::{snapshot, verify};

pub use crate::definition::image_identity;
pub use crate::judge::Judging;
pub use crate::local::code_tree;

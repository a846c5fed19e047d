#![doc = include_str!("../README.md")]

mod add;
mod check;
mod content;
mod diff;
mod download;
mod fault;
mod folder;
mod git;
mod given;
mod http;
mod id;
mod listing;
mod manifest;
mod site;
mod text;
mod update;
mod upstream;
mod write;

pub use add::Versions;
pub use check::{Line, Report, Severity, State};
pub use content::Sha;
pub use diff::Difference;
pub use fault::{CODES, Error, Fault};
pub use folder::Project;
pub use git::Committed;
pub use given::Given;
pub use http::Asking;
pub use id::{BadId, Id};
pub use listing::{Listed, Listing};
pub use manifest::{Manifest, Recorded};
pub use site::Site;
pub use update::{Unlisted, Updated};

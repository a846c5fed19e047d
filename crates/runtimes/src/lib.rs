#![doc = include_str!("../README.md")]

mod build;
mod catalogue;
mod command;
mod locate;
mod located;
mod options;
mod program;
mod python;
mod r;
mod steps;
mod store;

#[cfg(test)]
mod in_the_sandbox;

/// The folders below `Options::cache_dir` that this room makes.
pub const CACHED: [&str; 5] = ["environments", "wheels", "debs", "system", python::library::FOLDER];

pub use build::{BuildError, Plan, Progress, build};
pub use catalogue::{catalogue, settle};
pub use locate::{locate, locate_locked};
pub use located::{Found, Kind, Located, Missing, Tried, Warning};
pub use options::{BuiltinEngine, Builtins, Choice, Configured, Library, Options, Places, Profile, default_cache_dir};
pub use program::Program;
pub use python::recorder::{RecorderPython, recorder_python};

#![doc = include_str!("../README.md")]

mod caller;
pub mod entry;
mod failure;
pub mod folder;
mod inside;
pub mod interactive;
mod messages;
mod probe;
mod runtime;
mod spec;
mod supervisor;
mod sys;
mod weaker;

pub use caller::{Native, NativeOptions, Unisolated};
pub use runtime::{Capabilities, Capability, Error, IsolationLevel, Runtime, Sample};
#[cfg(debug_assertions)]
#[doc(hidden)]
pub use weaker::Wall;

pub use spec::{Exit, Limit, LimitHit, Limits, OutOfMemory, Root, RunName, Spec, Usage};

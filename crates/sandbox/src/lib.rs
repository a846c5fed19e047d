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

pub use caller::{Native, NativeOptions, Unisolated};
pub use runtime::{Capabilities, Capability, Error, IsolationLevel, Runtime, Sample};
pub use spec::{Exit, Limit, LimitHit, Limits, OutOfMemory, Root, RunName, Spec, Usage};

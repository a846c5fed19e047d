#![doc = include_str!("../README.md")]

pub mod folder;
mod runtime;
mod spec;

pub use runtime::{Capabilities, Capability, Error, IsolationLevel, Runtime, Sample};
pub use spec::{Exit, Limit, LimitHit, Limits, OutOfMemory, Root, RunName, Spec, Usage};

//! Native environments for `python` and `jupyter`: which interpreter, which lock, and what is made of the two.
//! Spec cli.md 5 (Locks), 12 (builds).

pub(crate) mod build;
pub(crate) mod candidate;
pub(crate) mod environment;
pub(crate) mod interpreter;
pub(crate) mod lock;
pub(crate) mod locate;
mod pip;
mod wheels;

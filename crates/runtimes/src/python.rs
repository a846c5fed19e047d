//! Native environments for `python` and `jupyter`: which interpreter, which lock, and what is made of the two.
//! Spec cli.md 5 (Locks), 12 (builds).

pub(crate) mod build;
pub(crate) mod candidate;
pub(crate) mod environment;
mod finish;
pub(crate) mod interpreter;
pub(crate) mod library;
pub(crate) mod locate;
pub(crate) mod lock;
mod pip;
pub(crate) mod recorder;
mod system;

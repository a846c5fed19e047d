//! The `r` runtime: an environment from the distribution's own packages as a locked list names them, laid over the
//! system folders in the sandbox; else the system's R. Spec cli.md 5, 12.

pub(crate) mod build;
mod environment;
mod finish;
pub(crate) mod index;
pub(crate) mod locate;
pub(crate) mod lock;
mod system;

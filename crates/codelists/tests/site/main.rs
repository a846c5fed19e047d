//! Codelists against a real server on this machine: every way in which a site can fail, and what is on disk afterwards.
//! Spec cli.md 7.2, 15.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]
#![allow(unreachable_pub, reason = "the modules of a test are its own")]

mod commands;
mod failures;
mod server;
mod study;
mod upstream;

//! The room from outside: real repositories made by git, hostile ones by hand, fetched by way of real transports.
//! Spec jobs.md 20, sandbox.md 13 rows 40 to 42.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

mod child;
mod hostile;
mod https;
mod kills;
mod mirrors;
mod rig;
mod trees;

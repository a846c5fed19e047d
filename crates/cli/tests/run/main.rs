//! Whole runs of the built `cloister` in real sandboxes: what is made, what is made again and why, how failures are told.
//! Python is whatever the machine has, in an environment of its own, so that nothing is fetched; one test builds the real
//! environment and runs a study of the seeds.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]
#![allow(unreachable_pub, reason = "the rig is for all of them")]

mod again;
mod ends;
mod failures;
mod faults;
mod forms;
mod hostile_state;
mod kills;
mod measures;
mod operator;
mod reusable;
mod rig;
mod seed;
mod upkeep;
mod who;

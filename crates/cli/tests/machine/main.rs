//! What other programs get: schemas that our own output keeps to, completions in a real shell, the older name, and the
//! help of every command. Spec cli.md 1, 10, 15.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]
#![allow(unreachable_pub, dead_code, reason = "the rig is shared with the tests of runs")]

mod complete;
mod docs;
mod help;
mod init;
mod install;
#[path = "../run/rig.rs"]
mod rig;
mod schemas;

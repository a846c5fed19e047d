//! `cloister exec` as a person types it: the built program, real sandboxes, a real terminal. Spec cli.md 8, 15.
//! Run as root every test is also done as an ordinary user.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]
#![allow(unreachable_pub, reason = "the rig is for all of them")]

mod rig;
mod terminal;
mod typed;
mod walls;

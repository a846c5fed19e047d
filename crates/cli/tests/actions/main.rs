//! Built-in actions as whole programs on a bad day: killed at any instant, and on a full disk. Nothing half done ever stands
//! under a final name. Spec actions.md 1.3, 13.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]
#![allow(unreachable_pub, reason = "the rig is for all of them")]

mod full;
mod killed;
mod kinds;
mod rig;

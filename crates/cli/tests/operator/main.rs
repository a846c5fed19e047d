//! `cloister site …` as its operator types it, beside a site that serves. Spec site.md 10 (command line twins), 17.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a test stops at its first surprise")]

mod backups;
mod rig;
mod story;

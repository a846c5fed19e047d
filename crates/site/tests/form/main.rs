//! The form as a browser sees it, over a real repository: from a link to an order in the backend's line.
//! Spec site.md 7, 13, 19.

#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used, reason = "a test stops at its first surprise")]

mod api;
mod cancelling;
mod rig;
mod sending;
mod showing;

//! Every page in every state in a real browser: what the checker of accessibility finds, what hostile text does, what a
//! keyboard alone reaches, what is left without script and on paper. Spec site.md 15, 20.3, 20.4, 20.8.
//! Needs chromium, its driver and the checker that `scripts/test` fetches.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at its first surprise")]

mod driver;
#[path = "../pages/gallery.rs"]
mod gallery;
mod hands;
mod hostile;
mod looks;
mod street;
#[path = "../pages/visits.rs"]
mod visits;
#[path = "../pages/world.rs"]
mod world;

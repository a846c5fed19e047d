//! Who gets in, and who may what: the gate of a whole site, called in this process (spec site.md 20.1, 20.4).
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops at its first surprise"
)]

mod fuzz;
mod logs;
mod matrix;
mod security;
mod staff;
mod world;

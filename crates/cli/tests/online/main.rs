//! A site and a backend as the two processes that they are in production, over a real connection, from outside: what
//! leaves, what a kill does, what an open page is told. Spec protocol.md 7, 9, 11; issue C, "It holds when".
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub,
    reason = "a test stops at its first surprise"
)]

mod canary;
mod evidence;
mod forged;
mod fresh;
mod kills;
mod marks;
mod places;
mod rig;
mod studies;
mod tables;
mod upkeep;
mod waivers;
mod whole;
mod wire;

//! The native runtime from outside: small real programs run as root and as an ordinary user.
//! Run by root, every test runs both ways; run by somebody else, those of root print that they are left out.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod bench;
mod description;
mod ends;
mod life;
mod limits;
mod programs;
mod rig;
mod sees;
mod unisolated;

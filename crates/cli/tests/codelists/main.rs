//! `cloister codelists` as a person types it: the built program, a real server on this machine, real files.
//! Spec cli.md 7.2, 15. What each fault of the files and of the network is, the room `codelists` tests itself.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops at its first surprise")]
#![allow(unreachable_pub, dead_code, reason = "the server is shared with the tests of the room")]

mod killed;
mod rig;
mod secure;
#[path = "../../../codelists/tests/site/server.rs"]
mod server;
mod typed;

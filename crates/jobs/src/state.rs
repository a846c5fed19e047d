//! What is true of requests, jobs and attempts, kept so that a kill at any instant is harmless.
//! Spec jobs.md 4 and 9.

mod code;

pub use code::{JobState, StatusCode, UnknownWord};

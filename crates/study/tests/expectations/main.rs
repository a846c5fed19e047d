//! Dummy data by expectations (study-definitions.md 10.1): distributions, exact counts, streams, companions, faults.
//! Seeds are fixed, so a test that holds holds always; limits are those of p > 1e-6.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod columns;
mod distributions;
mod faults;
mod streams;
mod support;

//! A job's log file: timed lines, then a summary that nothing printed can be taken for.
//! Spec jobs.md 13, 15.

mod name;
mod plain;
mod render;
mod tail;
mod visible;

#[cfg(test)]
mod tests;

pub use name::log_name;
pub use plain::{plain, shown};
pub use render::{LogLimits, Summary, trailer, write_log};
pub use tail::{Tail, tail};
pub use visible::visible;

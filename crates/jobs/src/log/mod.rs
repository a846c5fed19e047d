//! A job's log file: timed lines, then a summary that nothing printed can be taken for.
//! Spec jobs.md 13, 15.

mod name;
mod visible;

pub use name::log_name;
pub use visible::visible;

//! The hidden way in: this program executed again as supervisor of one run, or to try what the machine can do.
//! The program that uses this room calls these before anything else of its own.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::{probe, supervisor};

/// First argument of such a call.
pub(crate) const SUPERVISOR: &str = "__supervisor";
/// Second argument: supervise a run.
pub(crate) const RUN: &str = "run";
/// Second argument: supervise a command in this terminal; the third is the descriptor of the order.
pub(crate) const INTERACTIVE: &str = "interactive";
/// Second argument: try every capability and print what was found.
pub(crate) const PROBE: &str = "probe";

/// Whether these arguments, the program's own name included, are such a call. Then [`run`] does all that is to be done.
pub fn is_supervisor_call<T: AsRef<OsStr>>(argv: impl IntoIterator<Item = T>) -> bool {
    argv.into_iter().nth(1).is_some_and(|first| first.as_ref() == SUPERVISOR)
}

/// Does what the hidden call asks for, by the arguments of this process. Call it while the process has one thread.
#[must_use]
pub fn run() -> ExitCode {
    match std::env::args_os().nth(2).as_deref().and_then(OsStr::to_str) {
        Some(RUN) => supervisor::main(),
        Some(INTERACTIVE) => supervisor::interactive(),
        Some(PROBE) => probe::main(),
        _ => ExitCode::FAILURE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_argument_counts() {
        assert!(is_supervisor_call(["cloister", "__supervisor", "run"]));
        assert!(!is_supervisor_call(["__supervisor"]));
        assert!(!is_supervisor_call(["cloister", "run", "__supervisor"]));
    }
}

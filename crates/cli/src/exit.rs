//! The exit codes of every command. Spec cli.md 2.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; also "nothing to do".
    Done,
    /// The answer is no, or it could not be done.
    No,
    /// The words of the command line make no sense.
    Usage,
    /// A bug of this program.
    Bug,
    /// The code of a child or a built-in action.
    Other(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::No => 1,
            Exit::Usage => 2,
            Exit::Bug => 70,
            Exit::Other(code) => code,
        })
    }
}

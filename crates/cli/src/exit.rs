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

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::Bug => 70,
            Self::Other(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

//! What an action is given besides its arguments.
//! The workspace, the project it runs for, and the two streams it may write to.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;

/// The surroundings of one run of a built-in action.
pub struct Context<'a> {
    /// The workspace root: relative paths start here, and no path may lead out of it (actions.md 2.5, 3.1).
    pub cwd: &'a Path,
    /// The `version` of the project.yaml whose job this is; `None` when a person calls the action by hand.
    pub project_version: Option<f64>,
    /// Results, and log lines when the results go to a file.
    pub stdout: &'a mut dyn Write,
    /// Warnings and faults.
    pub stderr: &'a mut dyn Write,
}

/// What an action may know of the process environment; handed in, so that tests need not change their own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ambient {
    /// `DATABASE_URL`, if set and not empty.
    pub(crate) database_url: Option<OsString>,
}

impl Ambient {
    pub(crate) fn of_this_process() -> Self {
        Self { database_url: std::env::var_os("DATABASE_URL").filter(|url| !url.is_empty()) }
    }
}

//! What an action is given besides its arguments.
//! The workspace, the project it runs for, and the two streams it may write to.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use study::record::Fence;

use crate::Outcome;
use crate::cohortextractor::Era;
use crate::fault::Fault;
use crate::files::Compat;

/// `OPENSAFELY_BACKEND` of a run on dummy data.
const DUMMY: &str = "expectations";

/// Gives the fence behind which the Python of study definitions runs; asked only when one is recorded, because finding a
/// Python takes time. `Err` says in words why there is none.
pub type Fences<'a> = dyn Fn() -> Result<Box<dyn Fence>, String> + 'a;

/// The surroundings of one run of a built-in action.
pub struct Context<'a> {
    /// The workspace root: relative paths start here, and no path may lead out of it (actions.md 2.5, 3.1).
    pub cwd: &'a Path,
    /// The `version` of the project.yaml whose job this is; `None` when a person calls the action by hand.
    pub project_version: Option<f64>,
    /// On a backend: the SHA-256 of the SQL files that may run without saying how they treat type 1 opt-outs; none may if
    /// it is empty. `None` elsewhere: there the version of the project decides (actions.md 7.5).
    pub waived_sql: Option<Vec<String>>,
    /// The folder, outside the workspace, for what the checks must know of each output and nobody else (actions.md 9).
    /// Without it nothing of that is worked out.
    pub evidence: Option<PathBuf>,
    /// How study definitions are recorded.
    pub fence: &'a Fences<'a>,
    /// What a study definition finds as `OPENSAFELY_BACKEND`: `expectations` on dummy data, else the name of the backend.
    pub backend: String,
    /// The day of the run: what `today` means in a study definition (study-definitions.md 5).
    pub today: Date,
    /// How sums of truth values are printed in measures (study-definitions.md 11).
    pub era: Era,
    /// Results, and log lines when the results go to a file.
    pub stdout: &'a mut dyn Write,
    /// Warnings and faults.
    pub stderr: &'a mut dyn Write,
}

impl<'a> Context<'a> {
    /// An action called by a person, without what study definitions need.
    pub fn by_hand(cwd: &'a Path, stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        let (today, era) = (jiff::Zoned::now().date(), Era::default());
        let backend = DUMMY.to_owned();
        let fence: &Fences<'_> = &|| Err("no Python is at hand".to_owned());
        Self {
            cwd,
            project_version: None,
            waived_sql: None,
            evidence: None,
            fence,
            backend,
            today,
            era,
            stdout,
            stderr,
        }
    }

    /// Whether the run has no data of patients, so that all may be shown.
    pub(crate) fn is_dummy(&self) -> bool {
        self.backend == DUMMY
    }

    /// Writes a result to stdout.
    pub(crate) fn say(&mut self, text: &str) -> Outcome {
        self.stdout.write_all(text.as_bytes()).map_err(|error| vec![Fault::writing("to stdout", &error)])
    }

    /// Writes a line of the log. A stderr that cannot be written to is no reason to fail.
    pub(crate) fn log(&mut self, line: &str) {
        let _ = writeln!(self.stderr, "{}", crate::text::clean(line));
    }
}

/// What an action may know of the process environment; handed in, so that tests need not change their own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ambient {
    /// `DATABASE_URL`, if set and not empty.
    pub(crate) database_url: Option<OsString>,
    /// `CLOISTER_ACTION_COMPAT`, if set and not empty.
    pub(crate) compat: Option<OsString>,
}

impl Ambient {
    pub(crate) fn of_this_process() -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        Self { database_url: set("DATABASE_URL"), compat: set(Compat::VARIABLE) }
    }
}
